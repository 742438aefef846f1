"""Written by `.ci/stubs`: what the families have that are loaded when one of their names is first asked for."""

# By family: the operations.
OPS = {
    "draws": "draw deviation bernoulli",
    "nn": "linear relu relu_backward square_sum mean_square mse_loss",
    "sorting": "argsort top_places median_place mode_place running_place median searchsorted isin logcumsumexp",
}

# The public names that follow from these.
RECORDS = {
    "nn": "relu relu_",
}

# The functions that are written by hand.
FUNCTIONS = {
    "counts": "bincount histc histogram unique unique_consecutive",
    "draws": "bernoulli normal rand rand_like randint randn randn_like randperm",
    "parts": "cat chunk concat concatenate hstack narrow row_stack select split stack tensor_split unbind vstack",
    "sorting": """
        argsort bucketize cummax cummin isin kthvalue logcumsumexp median mode msort nanmedian nanquantile
        quantile searchsorted sort topk
    """,
}

# Those that are methods, too.
METHODS = {
    "counts": "bincount histc histogram unique unique_consecutive",
    "parts": "chunk narrow select split tensor_split unbind",
    "sorting": """
        argsort cummax cummin kthvalue logcumsumexp median mode msort nanmedian nanquantile quantile sort
        topk
    """,
}

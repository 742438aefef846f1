"""Written by `.ci/stubs`: what the families have that are loaded when one of their names is first asked for."""

# By family: the operations.
OPS = {
    "activations": """
        erf erfc erfinv logit gelu gelu_slope silu mish softplus log_sigmoid elu leaky_relu prelu hardtanh
        hardsigmoid hardswish softshrink hardshrink threshold huber bce bce_with_logits
    """,
    "classes": """
        softmax softmax_backward log_softmax log_softmax_backward log_loss log_loss_backward nll
        nll_backward one_hot embedding embedding_backward embedding_transposed
    """,
    "conv": "conv conv_input conv_weight unfold fold pad_constant",
    "draws": "draw deviation bernoulli",
    "nn": "linear relu relu_backward square_sum mean_square mse_loss",
    "norms": "standardize standardize_backward",
    "pool": "max_pool max_pool_indices max_unpick max_pick resample resample_back unpool",
    "recurrent": "rnn rnn_backward lstm lstm_backward gru gru_backward",
}

# The public names that follow from these.
RECORDS = {
    "activations": "erf erf_ erfc erfc_ erfinv erfinv_ logit logit_ hardshrink threshold threshold_",
    "nn": "relu relu_",
}

# The functions that are written by hand.
FUNCTIONS = {
    "activations": """
        alpha_dropout alpha_dropout_ celu celu_ dropout dropout_ feature_alpha_dropout
        feature_alpha_dropout_ feature_dropout feature_dropout_ log_softmax prelu rrelu rrelu_ selu selu_
        softmax
    """,
    "conv": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    "draws": "bernoulli normal rand rand_like randint randn randn_like randperm",
    "images": "channel_shuffle pixel_shuffle pixel_unshuffle",
    "parts": "cat chunk concat concatenate hstack narrow row_stack select split stack tensor_split unbind vstack",
    "pool": "adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d max_pool1d max_pool2d max_pool3d",
}

# Those that are methods, too.
METHODS = {
    "activations": "log_softmax prelu softmax",
    "parts": "chunk narrow select split tensor_split unbind",
}

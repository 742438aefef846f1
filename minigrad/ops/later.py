"""Written by `.ci/stubs`: what the families have that are loaded when one of their names is first asked for."""

# By family: the operations.
OPS = {
    "diagonals": "diagonal embed_diagonal triangle",
    "draws": "draw deviation bernoulli multinomial",
    "nn": "linear relu relu_backward square_sum mean_square mse_loss",
    "norms": "length",
    "scatter": "scatter scatter_winners scatter_add scatter_extreme scatter_product masked_scatter masked_gather",
    "sorting": "argsort top_places median_place mode_place running_place median searchsorted isin logcumsumexp",
}

# The public names that follow from these.
RECORDS = {
    "nn": "relu relu_",
}

# The functions that are written by hand.
FUNCTIONS = {
    "arranged": """
        argwhere atleast_3d block_diag broadcast_shapes cartesian_prod column_stack combinations diff dsplit
        dstack hsplit meshgrid narrow_copy repeat_interleave roll rot90 split_with_sizes vander vsplit
    """,
    "counts": "bincount histc histogram unique unique_consecutive",
    "diagonals": """
        diag diag_embed diagflat diagonal diagonal_scatter select_scatter slice_scatter trace tril
        tril_indices triu triu_indices
    """,
    "draws": "bernoulli multinomial normal rand rand_like randint randn randn_like randperm",
    "norms": "cdist corrcoef cov deg2rad dist nanmean norm rad2deg renorm",
    "parts": "cat chunk concat concatenate hstack narrow row_stack select split stack tensor_split unbind vstack",
    "products": "addbmm addr chain_matmul cross einsum inner kron tensordot",
    "scatter": "index_add index_copy index_fill index_reduce masked_scatter put scatter scatter_add scatter_reduce",
    "sorting": """
        argsort bucketize cummax cummin isin kthvalue logcumsumexp median mode msort nanmedian nanquantile
        quantile searchsorted sort topk
    """,
    "typed": """
        BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor
        ShortTensor can_cast finfo get_default_device iinfo numel set_default_device
    """,
}

# Those that are methods, too.
METHODS = {
    "arranged": "argwhere diff dsplit hsplit narrow_copy repeat_interleave roll rot90 split_with_sizes vsplit",
    "counts": "bincount histc histogram unique unique_consecutive",
    "diagonals": """
        diag diag_embed diagflat diagonal diagonal_scatter select_scatter slice_scatter trace tril tril_
        triu triu_
    """,
    "draws": "multinomial",
    "norms": "corrcoef cov deg2rad deg2rad_ dist nanmean norm rad2deg rad2deg_ renorm renorm_",
    "parts": "chunk narrow select split tensor_split unbind",
    "products": "addbmm addbmm_ addr addr_ cross inner kron",
    "scatter": """
        index_add index_add_ index_copy index_copy_ index_fill index_fill_ index_reduce index_reduce_
        masked_scatter masked_scatter_ put put_ scatter scatter_ scatter_add scatter_add_ scatter_reduce
        scatter_reduce_
    """,
    "sorting": """
        argsort cummax cummin kthvalue logcumsumexp median mode msort nanmedian nanquantile quantile sort
        topk
    """,
}

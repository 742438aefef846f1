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
    "diagonals": "diagonal embed_diagonal triangle",
    "distances": "length",
    "draws": "draw deviation bernoulli multinomial",
    "nn": "linear relu relu_backward square_sum mean_square mse_loss",
    "norms": "standardize standardize_backward",
    "pool": "max_pool max_pool_indices max_unpick max_pick resample resample_back unpool",
    "scatter": """
        scatter scatter_winners scatter_add index_add scatter_extreme scatter_product masked_scatter
        masked_gather
    """,
    "sorting": "argsort top_places median_place mode_place running_place median searchsorted isin logcumsumexp",
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
    "arranged": """
        argwhere atleast_3d block_diag broadcast_shapes cartesian_prod column_stack combinations diff dsplit
        dstack hsplit meshgrid narrow_copy repeat_interleave roll rot90 split_with_sizes vander vsplit
    """,
    "conv": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    "counts": "bincount histc histogram unique unique_consecutive",
    "diagonals": """
        diag diag_embed diagflat diagonal diagonal_scatter select_scatter slice_scatter trace tril
        tril_indices triu triu_indices
    """,
    "distances": "cdist corrcoef cov deg2rad dist nanmean norm rad2deg renorm",
    "draws": "bernoulli multinomial normal rand rand_like randint randn randn_like randperm",
    "images": "channel_shuffle pixel_shuffle pixel_unshuffle",
    "parts": "cat chunk concat concatenate hstack narrow row_stack select split stack tensor_split unbind vstack",
    "pool": "adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d max_pool1d max_pool2d max_pool3d",
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
    "activations": "log_softmax prelu softmax",
    "arranged": "argwhere diff dsplit hsplit narrow_copy repeat_interleave roll rot90 split_with_sizes vsplit",
    "counts": "bincount histc histogram unique unique_consecutive",
    "diagonals": """
        diag diag_embed diagflat diagonal diagonal_scatter select_scatter slice_scatter trace tril tril_
        triu triu_
    """,
    "distances": "corrcoef cov deg2rad deg2rad_ dist nanmean norm rad2deg rad2deg_ renorm renorm_",
    "draws": "multinomial",
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

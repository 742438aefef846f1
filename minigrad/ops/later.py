"""Written by `.ci/stubs`: what the families have that are loaded when one of their names is first asked for."""

# By family: the operations.
OPS = {
    "activations": """
        erf erfc erfinv logit gelu gelu_backward silu mish softplus log_sigmoid elu leaky_relu prelu
        hardtanh hardsigmoid hardswish softshrink hardshrink threshold huber bce bce_with_logits
        bounded_below variance
    """,
    "arithmetic": """
        fmax fmin copysign nextafter heaviside nan_to_num gcd lcm exponent scale_down signbit isneginf
        isposinf
    """,
    "classes": """
        softmax safe_softmax softmax_backward log_softmax log_softmax_backward log_loss log_loss_backward
        nll nll_backward one_hot embedding embedding_backward embedding_transposed
    """,
    "complex": "imag pair as_real as_complex angle c2c r2c c2r",
    "conv": "conv conv_input conv_weight unfold fold pad_constant",
    "ctc": "ctc ctc_backward",
    "diagonals": "diagonal embed_diagonal triangle",
    "distances": "length",
    "draws": """
        gamma_slope dirichlet_slope standard_gamma dirichlet poisson binomial draw normal bernoulli slopes
        multinomial
    """,
    "gamma": "lgamma digamma polygamma zeta igamma igammac i0 i0e i1 i1e bessel",
    "matrices": """
        triangles inv inv_ex zero_pivots solve solve_ex solve_triangular cholesky_solve det cofactor
        signed_logdet logabsdet det_sign cholesky cholesky_ex minors qr qr_q qr_triangle qr_r eigh
        eigenvectors eigenvalues eigvalsh eig eig_vectors eig_values svd left_vectors right_vectors
        singular_values svdvals pinv lu lu_regular lu_compact lu_pivots lu_info lu_permutation unpivot
        matrix_exp
    """,
    "nn": "linear relu relu_backward square_sum mean_square mse_loss",
    "norms": """
        standardize standardize_backward layer_norm layer_norm_backward moments channel_norm running_norm
        running_norm_backward channel_norm_backward
    """,
    "pool": "max_pool max_pool_indices max_unpick max_pick resample resample_back unpool",
    "recurrent": "rnn rnn_backward lstm lstm_backward gru gru_backward",
    "scatter": """
        scatter scatter_winners scatter_add index_add scatter_extreme scatter_product masked_scatter
        masked_gather
    """,
    "sorting": """
        argsort top_places kth_place median_place mode_place running_place median searchsorted isin exp_sums
        logcumsumexp
    """,
    "sparse": "sparse_product sampled_product embedding_of_rows",
    "special": """
        logaddexp logaddexp2 xlogy xlog1py entr sinc sinc_bend ndtr log_ndtr ndtri erfcx
        orthogonal_polynomial
    """,
    "strided": "sliding sliding_back as_strided as_strided_back",
}

# The public names that follow from these.
RECORDS = {
    "activations": "erf erf_ erfc erfc_ erfinv erfinv_ logit logit_ hardshrink threshold threshold_",
    "arithmetic": "fmax fmin copysign copysign_ nextafter nextafter_ gcd gcd_ lcm lcm_ signbit isneginf isposinf",
    "gamma": "lgamma lgamma_ digamma digamma_ igamma igamma_ igammac igammac_ i0 i0_",
    "nn": "relu relu_",
    "special": "logaddexp logaddexp2 xlogy xlogy_ sinc sinc_",
}

# The functions that are written by hand.
FUNCTIONS = {
    "activations": """
        alpha_dropout alpha_dropout_ celu celu_ dropout dropout_ feature_alpha_dropout
        feature_alpha_dropout_ feature_dropout feature_dropout_ log_softmax prelu rrelu rrelu_ selu selu_
        softmax
    """,
    "algebra": """
        cholesky cholesky_inverse cholesky_solve det inverse logdet lu lu_solve lu_unpack matrix_exp
        matrix_power orgqr ormqr pinverse qr slogdet svd triangular_solve
    """,
    "arithmetic": """
        aminmax cumulative_trapezoid frexp heaviside is_floating_point is_nonzero is_same_size ldexp
        nan_to_num trapezoid trapz
    """,
    "arranged": """
        argwhere atleast_3d block_diag broadcast_shapes cartesian_prod column_stack combinations diff dsplit
        dstack hsplit meshgrid narrow_copy repeat_interleave roll rot90 split_with_sizes vander vsplit
    """,
    "complex": """
        adjoint angle complex conj conj_physical imag is_complex is_conj is_neg isreal polar real
        resolve_conj resolve_neg sgn view_as_complex view_as_complex_copy view_as_real view_as_real_copy
    """,
    "conv": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    "copies": """
        alias_copy constant_pad_nd diagonal_copy expand_copy gradient permute_copy split_with_sizes_copy
        squeeze_copy t_copy transpose_copy unbind_copy unfold_copy unsafe_chunk unsafe_split unsqueeze_copy
        view_copy
    """,
    "counts": "bincount histc histogram histogramdd unique unique_consecutive",
    "diagonals": """
        diag diag_embed diagflat diagonal diagonal_scatter select_scatter slice_scatter trace tril
        tril_indices triu triu_indices
    """,
    "distances": "cdist corrcoef cov deg2rad dist nanmean norm pdist rad2deg renorm",
    "draws": """
        bernoulli binomial multinomial normal poisson rand rand_like randint randint_like randn randn_like
        randperm
    """,
    "exchange": "asarray empty_permuted empty_strided from_dlpack frombuffer to_dlpack",
    "fourier": "istft stft",
    "gamma": "mvlgamma polygamma",
    "images": "channel_shuffle pixel_shuffle pixel_unshuffle",
    "lowered": "grid_sampler grid_sampler_2d grid_sampler_3d native_batch_norm native_group_norm native_layer_norm",
    "lowrank": "pca_lowrank svd_lowrank",
    "methods": """
        abs_ acos_ acosh_ addmv_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ as_strided_ asin_ asinh_
        atan_ atanh_ ceil_ clamp_ clamp_max_ clamp_min_ clip_ cos_ cosh_ deg2rad_ detach detach_ erf_ erfc_
        exp2_ exp_ expm1_ fill_ fix_ floor_ frac_ gcd_ i0_ index_put_ is_inference is_signed lcm_ ldexp_
        log1p_ log2_ log10_ log_ logit_ nan_to_num_ neg_ negative_ rad2deg_ reciprocal_ relu_ round_ rsqrt_
        sigmoid_ sin_ sinc_ sinh_ sqrt_ square_ tan_ tanh_ threshold_ trunc_ xlogy_ zero_
    """,
    "parts": "cat chunk concat concatenate hstack narrow row_stack select split stack tensor_split unbind vstack",
    "pool": "adaptive_avg_pool1d avg_pool1d max_pool1d max_pool2d max_pool3d",
    "products": "addbmm addr chain_matmul cross einsum inner kron tensordot",
    "quantized": "fake_quantize_per_channel_affine fake_quantize_per_tensor_affine",
    "removed": "eig lstsq matrix_rank solve symeig",
    "scatter": "index_add index_copy index_fill index_reduce masked_scatter put scatter scatter_add scatter_reduce",
    "segments": "segment_reduce",
    "sorting": """
        argsort bucketize cummax cummin isin kthvalue logcumsumexp median mode msort nanmedian nanquantile
        quantile searchsorted sort topk
    """,
    "spaced": "logspace range",
    "sparse": "dsmm sparse_compressed_tensor sparse_coo_tensor sparse_csc_tensor sparse_csr_tensor spmm",
    "strides": "as_strided as_strided_copy as_strided_scatter",
    "typed": """
        BFloat16Tensor BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor
        LongTensor ShortTensor can_cast finfo get_default_device iinfo numel set_default_device
        set_default_tensor_type typename
    """,
    "windows": "bartlett_window blackman_window hamming_window hann_window kaiser_window scalar_tensor unravel_index",
}

# Those that are methods, too.
METHODS = {
    "activations": "log_softmax prelu softmax",
    "algebra": """
        cholesky cholesky_inverse cholesky_solve det inverse logdet lu lu_solve matrix_exp matrix_power
        orgqr ormqr pinverse qr slogdet svd triangular_solve
    """,
    "arithmetic": "aminmax frexp heaviside heaviside_ is_nonzero is_same_size ldexp ldexp_ nan_to_num nan_to_num_",
    "arranged": "argwhere diff dsplit hsplit narrow_copy repeat_interleave roll rot90 split_with_sizes vsplit",
    "complex": """
        adjoint angle conj conj_physical conj_physical_ is_complex is_conj is_neg isreal resolve_conj
        resolve_neg sgn sgn_
    """,
    "copies": "sum_to_size unfold unsafe_chunk unsafe_split",
    "counts": "bincount histc histogram unique unique_consecutive",
    "diagonals": """
        diag diag_embed diagflat diagonal diagonal_scatter select_scatter slice_scatter trace tril tril_
        triu triu_
    """,
    "distances": "corrcoef cov deg2rad deg2rad_ dist nanmean norm rad2deg rad2deg_ renorm renorm_",
    "draws": "bernoulli multinomial",
    "fourier": "istft stft",
    "gamma": "mvlgamma mvlgamma_",
    "parts": "chunk narrow select split tensor_split unbind",
    "products": "addbmm addbmm_ addr addr_ cross inner kron",
    "removed": "eig lstsq reinforce resize resize_as set_ solve symeig",
    "reshaped": """
        apply_ as_strided_ is_set_to map2_ map_ resize_ resize_as_ squeeze_ storage swapaxes_ swapdims_ t_
        transpose_ unsqueeze_ untyped_storage
    """,
    "scatter": """
        index_add index_add_ index_copy index_copy_ index_fill index_fill_ index_reduce index_reduce_
        masked_scatter masked_scatter_ put put_ scatter scatter_ scatter_add scatter_add_ scatter_reduce
        scatter_reduce_
    """,
    "sorting": """
        argsort cummax cummin kthvalue logcumsumexp median mode msort nanmedian nanquantile quantile sort
        topk
    """,
    "sparse": """
        _coalesced_ _indices _nnz _values ccol_indices coalesce col_indices crow_indices dense_dim indices
        is_coalesced row_indices sparse_dim sparse_mask sparse_resize_ sparse_resize_and_clear_ to_dense
        to_sparse to_sparse_coo to_sparse_csc to_sparse_csr values
    """,
    "strides": "as_strided as_strided_scatter storage_offset",
}

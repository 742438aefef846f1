"""Written by `.ci/stubs`: what the families have that are loaded when one of their names is first asked for."""

# By family: the operations.
OPS = {
    "conv": "conv conv_input conv_weight unfold fold pad_constant",
    "draws": "draw deviation bernoulli",
    "nn": "linear relu relu_backward square_sum mean_square mse_loss",
    "pool": "max_pool max_pool_indices max_unpick max_pick resample resample_back unpool",
}

# The public names that follow from these.
RECORDS = {
    "nn": "relu relu_",
}

# The functions that are written by hand.
FUNCTIONS = {
    "conv": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    "draws": "bernoulli normal rand rand_like randint randn randn_like randperm",
    "images": "channel_shuffle pixel_shuffle pixel_unshuffle",
    "parts": "cat chunk concat concatenate hstack narrow row_stack select split stack tensor_split unbind vstack",
    "pool": "adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d max_pool1d max_pool2d max_pool3d",
}

# Those that are methods, too.
METHODS = {
    "parts": "chunk narrow select split tensor_split unbind",
}

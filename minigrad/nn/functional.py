"""The functions behind the modules: PyTorch's ``nn.functional``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from minigrad.functions import nn as functions
from minigrad.functions.nn import linear
from minigrad.gate import public
from minigrad.gate.overriding import enrol
from minigrad.hints import EVERYWHERE, missing
from minigrad.hints.whole import whole
from minigrad.nn import _reduction as _Reduction  # noqa: F401 (PyTorch's name, which copies of its losses take)
from minigrad.nn._reductions import difference, legacy_reduction, paired, weighted
from minigrad.tensor import Tensor

# By module: loaded when one of its names is first asked for.
_FILES = {
    "nn._activations": """
        _get_softmax_dim alpha_dropout celu dropout dropout1d dropout2d dropout3d elu embedding feature_alpha_dropout
        gelu glu gumbel_softmax hardshrink hardsigmoid hardswish hardtanh leaky_relu log_softmax logsigmoid mish
        one_hot prelu relu6 rrelu selu sigmoid silu softmax softmin softplus softshrink softsign tanh
        tanhshrink threshold
    """,
    "nn._losses": """
        binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss gaussian_nll_loss
        hinge_embedding_loss huber_loss kl_div margin_ranking_loss poisson_nll_loss smooth_l1_loss
        soft_margin_loss triplet_margin_loss
    """,
    "nn._classes": "cross_entropy nll_loss",
    "nn._attention": """
        _canonical_mask _in_projection _in_projection_packed _none_or_dtype multi_head_attention_forward
        scaled_dot_product_attention
    """,
    "nn._ctc": "ctc_loss",
    "nn._bags": "bilinear embedding_bag",
    "nn._inplace": "celu_ elu_ hardtanh_ leaky_relu_ relu_ rrelu_ selu_ threshold_",
    "nn._margins": """
        multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss
        triplet_margin_with_distance_loss
    """,
    "nn._fractional": """
        adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices adaptive_max_pool3d_with_indices
        conv_tbc fractional_max_pool2d fractional_max_pool2d_with_indices fractional_max_pool3d
        fractional_max_pool3d_with_indices max_pool1d_with_indices max_pool2d_with_indices
        max_pool3d_with_indices
    """,
    "nn.modules.utils": "_pair _single _triple",
    "nn._projected": "linear_cross_entropy",
    "nn._distances": "cosine_similarity normalize pairwise_distance",
    "nn._norms": "_verify_batch_size batch_norm group_norm instance_norm layer_norm local_response_norm rms_norm",
    "functions.conv": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d fold unfold",
    "functions.distances": "pdist",
    "functions.grids": "affine_grid grid_sample",
    "functions.images": """
        channel_shuffle interpolate pad pixel_shuffle pixel_unshuffle upsample upsample_bilinear
        upsample_nearest
    """,
    "functions.pool": """
        adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
        adaptive_max_pool2d adaptive_max_pool3d avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d
        lp_pool3d max_pool1d max_pool2d max_pool3d max_unpool1d max_unpool2d max_unpool3d
    """,
}
_PLACES = {name: file for file, names in _FILES.items() for name in names.split()}

if TYPE_CHECKING:
    from minigrad.functions.conv import fold as fold, unfold as unfold
    from minigrad.functions.distances import pdist as pdist
    from minigrad.functions.grids import affine_grid as affine_grid, grid_sample as grid_sample
    from minigrad.functions.images import (
        channel_shuffle as channel_shuffle, interpolate as interpolate, pad as pad, pixel_shuffle as pixel_shuffle,
        pixel_unshuffle as pixel_unshuffle, upsample as upsample, upsample_bilinear as upsample_bilinear,
        upsample_nearest as upsample_nearest,
    )  # fmt: skip
    from minigrad.functions.pool import (
        adaptive_avg_pool1d as adaptive_avg_pool1d, adaptive_max_pool1d as adaptive_max_pool1d,
        avg_pool1d as avg_pool1d,
    )  # fmt: skip
    from minigrad.functions.table import (
        adaptive_avg_pool2d as adaptive_avg_pool2d, adaptive_avg_pool3d as adaptive_avg_pool3d,
        adaptive_max_pool2d as adaptive_max_pool2d, adaptive_max_pool3d as adaptive_max_pool3d,
        avg_pool2d as avg_pool2d, avg_pool3d as avg_pool3d, conv1d as conv1d, conv2d as conv2d, conv3d as conv3d,
        conv_transpose1d as conv_transpose1d, conv_transpose2d as conv_transpose2d,
        conv_transpose3d as conv_transpose3d, lp_pool1d as lp_pool1d, lp_pool2d as lp_pool2d, lp_pool3d as lp_pool3d,
        max_pool1d as max_pool1d, max_pool2d as max_pool2d, max_pool3d as max_pool3d, max_unpool1d as max_unpool1d,
        max_unpool2d as max_unpool2d, max_unpool3d as max_unpool3d,
    )  # fmt: skip
    from minigrad.nn._activations import *  # noqa: F403
    from minigrad.nn._attention import *  # noqa: F403
    from minigrad.nn._bags import *  # noqa: F403
    from minigrad.nn._classes import *  # noqa: F403
    from minigrad.nn._ctc import *  # noqa: F403
    from minigrad.nn._distances import *  # noqa: F403
    from minigrad.nn._fractional import *  # noqa: F403
    from minigrad.nn._inplace import *  # noqa: F403
    from minigrad.nn._losses import *  # noqa: F403
    from minigrad.nn._margins import *  # noqa: F403
    from minigrad.nn._norms import *  # noqa: F403
    from minigrad.nn._projected import *  # noqa: F403

__all__ = ["l1_loss", "linear", "mse_loss", "relu", *(name for name in _PLACES if name[0] != "_")]


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(input, 0)``, element by element; with ``inplace`` the input itself is changed and returned.

    The gradient passes where the input is greater than 0 (at 0 it is 0).
    """
    return input.relu_() if inplace else functions.relu(input)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared error ``(input - target)**2``: its mean, its sum, or with ``reduction="none"`` itself.

    ``input`` and ``target`` should have the same shape (others broadcast, with a UserWarning). ``weight``
    has the shape of ``input``; the mean is then the weighted one, ``sum(weight * error) / sum(weight)``.
    Raises ValueError for another ``reduction`` and for a weight of another shape, RuntimeError for shapes
    that do not broadcast.
    """
    x, y = (input, target) if functions.same_shape(input, target) else paired(input, target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    if weight is None and reduction == "mean":
        return functions.mse_mean(x, y)
    return weighted(input, difference("mse_loss", x, y) ** 2, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute error ``|input - target|``; the arguments are those of :func:`mse_loss`."""
    x, y = paired(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    return weighted(input, (x - y).abs(), weight, reduction)


linear.__module__ = __name__  # pickles name it by where users find it
public(globals(), ("l1_loss", "mse_loss", "relu"), check="Tensors")
enrol(functions.mse_mean, mse_loss)
if not TYPE_CHECKING:  # a type checker shall see that a name is missing
    whole(__name__)

    def __getattr__(name: str) -> Any:
        if name in _PLACES:
            module = import_module(f"minigrad.{_PLACES[name]}")
            function = getattr(module, name)
            if function.__module__ == module.__name__:
                function.__module__ = __name__  # pickles name it by where users find it
            return globals().setdefault(name, function)
        if name == "grad":  # PyTorch's file imports it: `F.grad.conv2d_input`
            return import_module("minigrad.nn.grad")
        if name in EVERYWHERE:
            return EVERYWHERE[name]
        raise missing(__name__, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

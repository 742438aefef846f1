"""The functions behind the modules: PyTorch's ``nn.functional``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from minigrad.errors import warn
from minigrad.functions import nn as functions
from minigrad.functions.nn import linear
from minigrad.gate import public
from minigrad.hints import missing
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.functions.conv import (
        conv1d as conv1d,
    )
    from minigrad.functions.conv import (
        conv2d as conv2d,
    )
    from minigrad.functions.conv import (
        conv3d as conv3d,
    )
    from minigrad.functions.conv import (
        conv_transpose1d as conv_transpose1d,
    )
    from minigrad.functions.conv import (
        conv_transpose2d as conv_transpose2d,
    )
    from minigrad.functions.conv import (
        conv_transpose3d as conv_transpose3d,
    )
    from minigrad.functions.conv import (
        fold as fold,
    )
    from minigrad.functions.conv import (
        unfold as unfold,
    )
    from minigrad.functions.grids import affine_grid as affine_grid
    from minigrad.functions.grids import grid_sample as grid_sample
    from minigrad.functions.images import (
        channel_shuffle as channel_shuffle,
    )
    from minigrad.functions.images import (
        interpolate as interpolate,
    )
    from minigrad.functions.images import (
        pad as pad,
    )
    from minigrad.functions.images import (
        pixel_shuffle as pixel_shuffle,
    )
    from minigrad.functions.images import (
        pixel_unshuffle as pixel_unshuffle,
    )
    from minigrad.functions.images import (
        upsample as upsample,
    )
    from minigrad.functions.images import (
        upsample_bilinear as upsample_bilinear,
    )
    from minigrad.functions.images import (
        upsample_nearest as upsample_nearest,
    )
    from minigrad.functions.pool import (
        adaptive_avg_pool1d as adaptive_avg_pool1d,
    )
    from minigrad.functions.pool import (
        adaptive_avg_pool2d as adaptive_avg_pool2d,
    )
    from minigrad.functions.pool import (
        adaptive_avg_pool3d as adaptive_avg_pool3d,
    )
    from minigrad.functions.pool import (
        adaptive_max_pool1d as adaptive_max_pool1d,
    )
    from minigrad.functions.pool import (
        adaptive_max_pool2d as adaptive_max_pool2d,
    )
    from minigrad.functions.pool import (
        adaptive_max_pool3d as adaptive_max_pool3d,
    )
    from minigrad.functions.pool import (
        avg_pool1d as avg_pool1d,
    )
    from minigrad.functions.pool import (
        avg_pool2d as avg_pool2d,
    )
    from minigrad.functions.pool import (
        avg_pool3d as avg_pool3d,
    )
    from minigrad.functions.pool import (
        lp_pool1d as lp_pool1d,
    )
    from minigrad.functions.pool import (
        lp_pool2d as lp_pool2d,
    )
    from minigrad.functions.pool import (
        lp_pool3d as lp_pool3d,
    )
    from minigrad.functions.pool import (
        max_pool1d as max_pool1d,
    )
    from minigrad.functions.pool import (
        max_pool2d as max_pool2d,
    )
    from minigrad.functions.pool import (
        max_pool3d as max_pool3d,
    )
    from minigrad.functions.pool import (
        max_unpool1d as max_unpool1d,
    )
    from minigrad.functions.pool import (
        max_unpool2d as max_unpool2d,
    )
    from minigrad.functions.pool import (
        max_unpool3d as max_unpool3d,
    )

__all__ = ["l1_loss", "linear", "mse_loss", "relu"]


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
    if not functions.same_shape(input, target):
        _warn_of_sizes(input, target)
    if size_average is not None or reduce is not None:
        reduction = _reduction(size_average, reduce, reduction)
    if weight is None and reduction == "mean":
        return functions.mse_mean(input, target)
    return _weighted((input - target) ** 2, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute error ``|input - target|``; the arguments are those of :func:`mse_loss`."""
    _warn_of_sizes(input, target)
    reduction = _reduction(size_average, reduce, reduction)
    return _weighted((input - target).abs(), weight, reduction)


def _warn_of_sizes(input: Tensor, target: Tensor) -> None:
    if target.shape != input.shape:
        warn(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size."
        )


def _reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that PyTorch's two legacy flags stand for, with its warning, where one is set."""
    if size_average is None and reduce is None:
        return reduction
    legacy = "none" if reduce is False else "sum" if size_average is False else "mean"
    warn(f"size_average and reduce args will be deprecated, please use reduction='{legacy}' instead.")
    return legacy


def _weighted(errors: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """The reduction of errors; with weights the mean is over these."""
    if weight is not None:
        if weight.shape != errors.shape:
            raise ValueError(
                "Weights and input must have the same size. "
                f"Got weight {tuple(weight.shape)} and input {tuple(errors.shape)}."
            )
        errors = errors * weight
        if reduction == "mean":
            mean: Tensor = errors.sum() / weight.sum()
            return mean
    if reduction == "none":
        return errors
    if reduction == "mean":
        return errors.mean()
    if reduction == "sum":
        return errors.sum()
    raise ValueError(f"{reduction} is not a valid value for reduction; expected 'none', 'mean' or 'sum'")


linear.__module__ = __name__  # pickles name it by where users find it
public(globals(), __all__, check="Tensors")
if not TYPE_CHECKING:  # a type checker shall see that a name is missing
    # By file of `minigrad.functions`, as above: what is loaded when it is first asked for.
    _FAMILIES = {
        "conv": """
            conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d fold unfold
        """,
        "grids": "affine_grid grid_sample",
        "images": """
            channel_shuffle interpolate pad pixel_shuffle pixel_unshuffle upsample upsample_bilinear upsample_nearest
        """,
        "pool": """
            adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
            adaptive_max_pool3d avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d lp_pool3d max_pool1d max_pool2d
            max_pool3d max_unpool1d max_unpool2d max_unpool3d
        """,
    }
    _PLACES = {name: file for file, names in _FAMILIES.items() for name in names.split()}
    __all__ += _PLACES

    def __getattr__(name):
        if name in _PLACES:
            module = import_module(f"minigrad.functions.{_PLACES[name]}")
            function = getattr(module, name)
            if function.__module__ == module.__name__:
                function.__module__ = __name__  # pickles name it by where users find it
            return globals().setdefault(name, function)
        raise missing(__name__, name)

    def __dir__():
        return sorted({*globals(), *__all__})

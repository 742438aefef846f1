"""What PyTorch's own functions call, and PyTorch offers too: statistics beside the result, numbers for modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error
from minigrad.functions.grids import grid_sample
from minigrad.functions.norms import features, follow, scaled, standardize
from minigrad.gate import public

__all__ = [
    "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "native_batch_norm", "native_group_norm", "native_layer_norm",
]  # fmt: skip

Three = tuple[Tensor, Tensor, Tensor]
_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`nn.functional.grid_sample` with numbers for the modes, in the order in which they are named there."""
    if not 0 <= interpolation_mode < 3 or not 0 <= padding_mode < 3:
        raise runtime_error(
            f"grid_sampler(): expected modes from 0 to 2, but got {interpolation_mode} and {padding_mode}"
        )
    mode, outside = _MODES[interpolation_mode], _PADDINGS[padding_mode]
    return grid_sample(input, grid, mode, outside, align_corners)


def _of_rank(rank: int, input: Tensor, grid: Tensor) -> None:
    if not input.dim() == grid.dim() == rank:
        raise runtime_error(
            f"grid_sampler(): expected {rank}D input and grid with same number of dimensions, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )


def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of images (N, C, H, W)."""
    _of_rank(4, input, grid)
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of volumes (N, C, D, H, W)."""
    _of_rank(5, input, grid)
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def _statistics(x: Tensor, dims: tuple[int, ...], eps: float, keepdim: bool) -> tuple[Any, Any]:
    """The mean, and one over the root of the variance: without history, as no gradient passes through them."""
    x = x.detach()
    return x.mean(dims, keepdim), (x.var(dims, correction=0, keepdim=keepdim) + eps).rsqrt()


def native_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> Three:
    """`nn.functional.layer_norm`, and the means and inverse deviations of its rows, with all dimensions kept."""
    shape, rank = features(input, normalized_shape, weight, bias), input._array.ndim
    dims = tuple(range(rank - len(shape), rank))
    return scaled(standardize(input, dims, eps), weight, bias, shape), *_statistics(input, dims, eps, True)


def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int, group: int, eps: float
) -> Three:  # fmt: skip
    """`nn.functional.group_norm` of an input of N * C * HxW elements, and mean and inverse deviation of each group."""
    size = input._array.shape
    if group <= 0:
        raise runtime_error(f"Expected num groups to be greater than 0, got {group}")
    if C % group:
        raise runtime_error(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(size)} "
            f"and num_groups={group}"
        )
    if N * C * HxW != input._array.size:
        raise runtime_error(f"Expected an input of {N} * {C} * {HxW} elements, got one of shape {list(size)}")
    groups = input.reshape(N, group, C // group * HxW)
    y = scaled(standardize(groups, (2,), eps).reshape(size), weight, bias, (C, *(1,) * (len(size) - 2)))
    # Gradients pass through these statistics, other than through those of layers and batches.
    return y, groups.mean(2), (groups.var(2, correction=0) + eps).rsqrt()


def native_batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None,
    training: bool, momentum: float, eps: float,
) -> Three:  # fmt: skip
    """`nn.functional.batch_norm`, and mean and inverse deviation of each channel; empty unless ``training``."""
    size = input._array.shape
    if len(size) < 2:
        raise runtime_error(f"batch_norm expects an input of 2 dimensions or more, got {list(size)}")
    dims, shape = (0, *range(2, len(size))), (size[1], *(1,) * (len(size) - 2))
    for name, t in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        if t is not None and t._array.size != size[1]:
            raise runtime_error(f"{name} should contain {size[1]} elements not {t._array.size}")
    if not training:
        if running_mean is None or running_var is None:
            raise runtime_error("Expected running_mean and running_var to be defined when training=False")
        scale = (running_var.detach() + eps).rsqrt().reshape(shape)
        y = (input - running_mean.detach().reshape(shape)) * scale
        return scaled(y, weight, bias, shape), input.new_empty(0), input.new_empty(0)
    follow(input, running_mean, running_var, momentum)
    return scaled(standardize(input, dims, eps), weight, bias, shape), *_statistics(input, dims, eps, False)


public(globals(), __all__, home="minigrad")

"""Pooling over windows whose places are drawn, and pooling with places, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.errors import runtime_error, value_error
from minigrad.functions import pool
from minigrad.functions.conv import conv1d
from minigrad.functions.creation import arange
from minigrad.functions.dims import each_dim
from minigrad.functions.draws import rand
from minigrad.functions.index import gather
from minigrad.functions.parts import cat
from minigrad.functions.shape import broadcast_to
from minigrad.gate import public
from minigrad.tensor import Tensor

__all__ = [
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d_with_indices", "adaptive_max_pool3d_with_indices",
    "conv_tbc", "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices", "max_pool1d_with_indices", "max_pool2d_with_indices",
    "max_pool3d_with_indices",
]  # fmt: skip


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest value in each of ``output_size`` windows of (N, C, H, W) or (C, H, W), whose places are drawn.

    The windows have the size ``kernel_size`` and are about evenly apart; each channel has places of its own (Graham,
    2014). ``output_ratio`` is the output's size divided by the input's. ``return_indices`` returns a tuple: the values,
    and their indices in the flattened H x W. ``_random_samples`` (N, C, 2) replaces the draws.

    ValueError unless one of size and ratio is there, RuntimeError for a window that does not fit.
    """
    both = _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples)
    return both if return_indices else both[0]


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool2d` with ``return_indices=True``."""
    return _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """`fractional_max_pool2d` for (N, C, D, H, W) or (C, D, H, W)."""
    both = _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples)
    return both if return_indices else both[0]


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool3d` with ``return_indices=True``."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples)


def _fractional(
    rank: int, x: Tensor, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Tensor | None
) -> tuple[Tensor, Tensor]:
    name = f"fractional_max_pool{rank}d"
    if x.dim() not in (rank + 1, rank + 2) or 0 in x.shape[-rank - 1 :]:
        raise runtime_error(
            f"{name}: Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got {x.shape}"
        )
    kernel, space = each_dim(kernel_size, rank), x.shape[-rank:]
    if output_size is None:
        if output_ratio is None:
            raise value_error(f"{name} requires specifying either an output_size or an output_ratio")
        ratios = each_dim(output_ratio, rank)
        output_size = [int(n * ratio) for n, ratio in zip(space, ratios, strict=True)]
    sizes = each_dim(output_size, rank)
    for n, k, out in zip(space, kernel, sizes, strict=True):
        # PyTorch leaves room for one more in three dimensions
        if out + k - 1 > n - (rank == 3) or out < 1 or k < 1:
            raise runtime_error(
                f"{name}: {out} windows of size {k} do not fit into a side of {n}: output_size + kernel_size - 1 may "
                f"be {n - (rank == 3)} (input {list(x.shape)}, kernel_size {list(kernel)}, output_size {list(sizes)})"
            )
    batched = x if x.dim() == rank + 2 else x.unsqueeze(0)
    images = batched.shape[:2]
    if samples is not None and batched is not x and samples.dim() == 3:
        samples = samples[:1]  # PyTorch takes more rows than there are images
    if samples is None:
        samples = rand(*images, rank, dtype=x.dtype)
    elif samples.shape != (*images, rank) or samples.dtype != x.dtype:
        raise runtime_error(
            f"{name}: Expect _random_samples of the input's dtype and of shape {[*images, rank]}, got {samples.dtype} "
            f"and {list(samples.shape)}"
        )
    # the place of each window's elements in its image; of two dimensions the sample of the last comes first
    order = (1, 0) if rank == 2 else (0, 1, 2)
    places: Any = 0
    for d in range(rank):
        n, k, out = space[d], kernel[d], sizes[d]
        along = _starts(samples[..., order[d]], n, k, out).unsqueeze(-1) + arange(k)
        shape = [1] * (2 * rank)
        shape[d], shape[rank + d] = out, k
        places = places * n + along.reshape(*images, *shape)
    places = places.reshape(*images, math.prod(sizes), math.prod(kernel))
    flat = batched.flatten(2)
    windows = gather(flat, 2, places.flatten(2)).reshape(places.shape)
    indices = gather(places, 3, windows.detach().argmax(3, keepdim=True)).squeeze(3)
    shape = [*x.shape[:-rank], *sizes]
    return gather(flat, 2, indices).reshape(shape), indices.reshape(shape)


def _starts(sample: Tensor, size: int, kernel: int, count: int) -> Tensor:
    """Where the windows of one side begin, by a number of [0, 1) for each image; the last ends where the side does."""
    last = broadcast_to(arange(1) + (size - kernel), (*sample.shape, 1))
    if count == 1:
        return last
    step = (size - kernel) / (count - 1)
    i = arange(count - 1, dtype=sample.dtype)
    first = ((i + sample.unsqueeze(-1)) * step).long() - (sample * step).long().unsqueeze(-1)
    return cat([first, last], dim=-1)


# ---------------------------------------------------------------- the same functions, with places


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """`max_pool1d` with its indices: the pair of both, whatever ``return_indices`` says."""
    return pool.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """`max_pool2d` with its indices: the pair of both, whatever ``return_indices`` says."""
    return pool.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """`max_pool3d` with its indices: the pair of both, whatever ``return_indices`` says."""
    return pool.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: int | Sequence[int], return_indices: bool = False
) -> Any:
    """`adaptive_max_pool1d` with its indices: the pair of both, whatever ``return_indices`` says."""
    return pool.adaptive_max_pool1d(input, output_size, True)


def adaptive_max_pool2d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """`adaptive_max_pool2d` with its indices: the pair of both, whatever ``return_indices`` says."""
    return pool.adaptive_max_pool2d(input, output_size, True)


def adaptive_max_pool3d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """`adaptive_max_pool3d` with its indices: the pair of both, whatever ``return_indices`` says."""
    return pool.adaptive_max_pool3d(input, output_size, True)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """`conv1d` of (time, batch, channels), with a weight of (width, channels, output channels)."""
    y: Tensor = conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return y.permute(2, 0, 1)


public(globals(), __all__, home="minigrad.nn.functional")

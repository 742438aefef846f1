"""Pooling over windows whose places are drawn, and pooling with places, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Concatenate, ParamSpec

from minigrad.errors import runtime_error, value_error
from minigrad.functions import pool
from minigrad.functions.conv import conv1d
from minigrad.functions.creation import arange
from minigrad.functions.dims import each_dim
from minigrad.functions.draws import rand
from minigrad.functions.index import gather
from minigrad.functions.parts import cat
from minigrad.functions.shape import broadcast_to
from minigrad.gate import case, public, ranks
from minigrad.tensor import Tensor

__all__ = [
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d_with_indices", "adaptive_max_pool3d_with_indices",
    "conv_tbc", "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices", "max_pool1d_with_indices", "max_pool2d_with_indices",
    "max_pool3d_with_indices",
]  # fmt: skip


P = ParamSpec("P")


def _with_indices(
    rank: int,
    input: Tensor,
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    name, x, samples = f"fractional_max_pool{rank}d", input, _random_samples
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


def _fractional_max_pool(
    rank: int,
    input: Tensor,
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest value in each of ``output_size`` windows of (N, C, {sizes}) or (C, {sizes}), whose places are drawn.

    The windows have the size ``kernel_size`` and are about evenly apart; each channel has places of its own (Graham,
    2014). ``output_ratio`` tells the output's size by the input's. With ``return_indices`` a tuple: the values, and
    where they stand in an image. ``_random_samples`` (N, C, {rank}) takes the place of what is drawn.

    ValueError unless one of size and ratio is there, RuntimeError for a window that does not fit.
    """
    both = _with_indices(rank, input, kernel_size, output_size, output_ratio, False, _random_samples)
    return both if return_indices else both[0]


fractional_max_pool2d, fractional_max_pool3d = ranks(_fractional_max_pool)[1:]
fractional_max_pool2d_with_indices, fractional_max_pool3d_with_indices = (
    case(
        _with_indices,
        f"fractional_max_pool{rank}d_with_indices",
        f"`fractional_max_pool{rank}d` with ``return_indices=True``.",
        rank,
    )
    for rank in (2, 3)
)


# ---------------------------------------------------------------- the same functions, with places


def _places_too(
    function: Callable[..., Any],
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    return function(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def _adaptive_places_too(
    function: Callable[..., Any], input: Tensor, output_size: Any, return_indices: bool = False
) -> Any:
    return function(input, output_size, True)


def _all_with_indices(
    form: Callable[Concatenate[Callable[..., Any], P], Any], functions: Iterable[Callable[..., Any]]
) -> Iterator[Callable[P, Any]]:
    for function in functions:
        name = function.__name__
        doc = f"`{name}` with its indices: the pair of both, whatever ``return_indices`` says."
        yield case(form, f"{name}_with_indices", doc, function)


max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices = _all_with_indices(
    _places_too, (pool.max_pool1d, pool.max_pool2d, pool.max_pool3d)
)
adaptive_max_pool1d_with_indices, adaptive_max_pool2d_with_indices, adaptive_max_pool3d_with_indices = (
    _all_with_indices(
        _adaptive_places_too, (pool.adaptive_max_pool1d, pool.adaptive_max_pool2d, pool.adaptive_max_pool3d)
    )
)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """`conv1d` of (time, batch, channels), with a weight of (width, channels, output channels)."""
    y: Tensor = conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return y.permute(2, 0, 1)


public(globals(), __all__, home="minigrad.nn.functional")

"""Images sampled at points, under PyTorch's names; formulas of other functions."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from operator import mul
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.tensor import Tensor
from minigrad.errors import not_implemented_error, runtime_error, value_error, warn
from minigrad.functions.creation import linspace, zeros
from minigrad.functions.elementwise import where
from minigrad.functions.index import gather
from minigrad.functions.parts import cat
from minigrad.functions.reduce import sum as total
from minigrad.functions.shape import expand, reshape
from minigrad.gate import public
from minigrad.kernels.along import far, near

__all__: list[str] = []
# In nn.functional alone.
FUNCTIONAL = ["affine_grid", "grid_sample"]

_CORNERS = (
    "Default {} behavior has changed to align_corners=False since 1.3.0. Please specify align_corners=True if the old "
    "behavior is desired. See the documentation of grid_sample for details."
)


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The points (batch, height, width, 2) of `grid_sample` for affine maps (batch, 2, 3); or those of volumes.

    ``size`` is (batch, channels, height, width), for volumes with a depth. With ``align_corners`` -1 and 1 are the
    centres of the outer pixels, otherwise their edges.
    """
    shape = theta._array.shape
    if theta._array.dtype.kind not in "fV":
        raise value_error(f"Expected theta to have floating point type, but got {theta.dtype}")
    if align_corners is None:
        warn(_CORNERS.format("grid_sample and affine_grid"))
    rank = len(size) - 2
    if rank not in (2, 3):
        raise not_implemented_error(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {tuple(size)}."
        )
    if len(shape) != 3 or shape[1:] != (rank, rank + 1):
        raise value_error(
            f"Expected a batch of {rank}D affine matrices of shape Nx{rank}x{rank + 1} for size {tuple(size)}. "
            f"Got {shape}."
        )
    if shape[0] != size[0]:
        raise runtime_error(
            f"Expected one affine matrix for each of the {size[0]} samples of size {tuple(size)}. Got {shape[0]}."
        )
    if min(size) <= 0:
        raise value_error(f"Expected non-zero, positive output size. Got {tuple(size)}")
    # Sums of products in the order of PyTorch's, each rounded: a pixel may end where a point is.
    y: Any = None
    for d in reversed(range(rank)):  # x stands first
        n = size[2 + d]
        line = linspace(-1, 1, n, dtype=theta.dtype) if n > 1 else zeros(1, dtype=theta.dtype)
        if not align_corners:
            line = line * (n - 1) / n
        term = reshape(line, *[n if k == d else 1 for k in range(rank)], 1)
        term = term * reshape(theta[:, :, rank - 1 - d], shape[0], *[1] * rank, rank)
        y = term if y is None else y + term
    return y + reshape(theta[:, :, rank], shape[0], *[1] * rank, rank)


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The input ``(batch, channels, *sizes)`` at points ``(batch, *out, 2 or 3)`` with x first, in -1 to 1.

    ``mode`` is "bilinear", "nearest" or for images "bicubic"; ``padding_mode`` tells what is outside: "zeros",
    "border" or "reflection". With ``align_corners`` -1 and 1 are the centres of the outer pixels, otherwise their
    edges.
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise value_error(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise value_error(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but "
            f"got: '{padding_mode}'"
        )
    if align_corners is None:
        warn(_CORNERS.format("grid_sample and affine_grid"))
    _check(input, grid, mode)
    shape, points = input._array.shape, grid._array.shape
    sizes, count = shape[2:], math.prod(points[1:-1])
    flat = reshape(input, *shape[:2], math.prod(sizes))
    taps: list[tuple[list[Tensor], list[Tensor]]] = []  # by dimension: places and weights
    for d, n in enumerate(sizes):
        at = reshape(grid[..., len(sizes) - 1 - d], points[0], 1, count)
        if align_corners:
            at = (at + 1.0) * ((n - 1) / 2)
        elif len(sizes) == 2 and at._array.dtype == np.float32:
            # Rounded once, as PyTorch's kernel does it: which pixel a point at the edge of two is in depends on it.
            at = ((at + 1.0).double() * (n / 2) - 0.5).float()
        else:
            at = ((at + 1.0) * n - 1.0) / 2.0
        taps.append(_taps(at, n, mode, padding_mode, bool(align_corners)))
    each = len(taps[0][0])
    sides = [[each if k == d else 1 for k in range(len(sizes))] for d in range(len(sizes))]
    places, weights = (
        [reshape(cat(of_one, 1), points[0], *side, count) for of_one, side in zip(kind, sides, strict=True)]
        for kind in zip(*taps, strict=True)
    )
    corners = each ** len(sizes)
    value = _picked(flat, places, sizes, corners * count)
    weight = reshape(functools.reduce(mul, reversed(weights)), points[0], 1, corners * count)
    y = total(reshape(value * weight, *shape[:2], corners, count), 2)
    return reshape(y, *shape[:2], *points[1:-1])


def _check(input: Tensor, grid: Tensor, mode: str) -> None:
    shape, points = input._array.shape, grid._array.shape
    if input._array.dtype != grid._array.dtype:
        raise runtime_error(
            f"expected scalar type {dtypes.scalar(input.dtype)} but found {dtypes.scalar(grid.dtype)} for "
            "the grid; use grid.to(input.dtype)"
        )
    if len(shape) not in (4, 5) or len(shape) != len(points):
        raise runtime_error(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with "
            f"sizes {list(shape)} and grid with sizes {list(points)}"
        )
    if shape[0] != points[0]:
        raise runtime_error(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(shape)} and grid with sizes {list(points)}"
        )
    if points[-1] != len(shape) - 2:
        raise runtime_error(
            f"grid_sampler(): expected grid to have size {len(shape) - 2} in last dimension, but got grid with sizes "
            f"{list(points)}"
        )
    if 0 in shape[2:]:
        raise runtime_error(
            f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {list(shape)}"
        )
    if mode == "bicubic" and len(shape) == 5:
        raise runtime_error("grid_sampler(): bicubic interpolation only supports 4D input")
    if input._array.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"grid_sampler\" not implemented for '{dtypes.scalar(input.dtype)}'; use .float() first"
        )


def _taps(at: Tensor, n: int, mode: str, outside: str, align: bool) -> tuple[list[Tensor], list[Tensor]]:
    """Along one dimension: whole places, and the weights of what stands there, each (batch, 1, count)."""
    if mode == "bicubic":
        low = at.floor().detach()
        t = at - low
        places = [_within(low + float(k - 1), n, outside, align) for k in range(4)]
        return places, [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)]
    at = _within(at, n, outside, align)
    if mode == "nearest":
        place = at.round()
        finite = where(at.isfinite(), at, 0.0)
        return [place.detach()], [finite - finite + 1.0]  # 1, with a gradient of 0 for the grid
    low = at.floor().detach()
    rest = at - low
    return [low, low + 1.0], [1.0 - rest, rest]


def _within(at: Tensor, n: int, outside: str, align: bool) -> Tensor:
    """Places outside brought inside, as the padding mode says."""
    if outside == "zeros":
        return at
    if outside == "reflection":
        low, span = (0.0, float(n - 1)) if align else (-0.5, float(n))
        if span == 0.0:
            at = at * 0.0
        else:
            far = (at - low).abs()
            turns = (far / span).floor().detach()
            rest = far - turns * span
            at = where(turns.remainder(2.0) == 0.0, rest + low, span + low - rest)
    at = where(at.isnan(), 0.0, at)
    inside = (at > 0.0).logical_and(at < float(n - 1))  # at the edges the gradient is 0
    return where(inside, at, at.detach().clamp(0.0, float(n - 1)))


def _picked(flat: Tensor, places: list[Tensor], sizes: tuple[int, ...], count: int) -> Tensor:
    """What stands in whole places, 0 where one is outside."""
    index: Any = 0
    inside: Any = None
    for place, n in zip(places, sizes, strict=True):
        here = (place >= 0.0).logical_and(place <= float(n - 1))
        inside = here if inside is None else inside.logical_and(here)
        index = index * n + where(here, place, 0.0).to(dtypes.int64)
    batch, channels, pixels = flat._array.shape
    # A pixel of 0 behind the others is what stands outside: a choice for each channel would take longer.
    flat = cat([flat, zeros(batch, channels, 1, dtype=flat.dtype)], 2)
    index = reshape(where(inside, index, pixels), batch, 1, count)
    return gather(flat, 2, expand(index, batch, channels, count))


public(globals(), FUNCTIONAL, check="Tensors")

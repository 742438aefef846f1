"""Pooling, under PyTorch's names. An input is (batch, channels, *sizes), or one sample without the batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error, type_error, value_error
from minigrad.functions.conv import by, refuse
from minigrad.functions.elementwise import own
from minigrad.functions.shape import reshape
from minigrad.functions.table import relu
from minigrad.gate import public, ranks
from minigrad.ops import pool as ops

__all__ = [
    "adaptive_avg_pool1d", "avg_pool1d", "max_pool1d", "max_pool2d", "max_pool3d",
]  # fmt: skip
# In nn.functional alone.
FUNCTIONAL = [
    "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d",
    "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip

_WORDS = {1: "int", 2: "tuple of two ints", 3: "tuple of three ints"}


# ---------------------------------------------------------------- checks


def _sizes(name: str, what: str, value: Any, rank: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(values) not in (1, rank):
        raise runtime_error(
            f"{name}: {what} must either be a single int, or a {_WORDS[rank]}; got {list(values)}"
        )
    wholes = _wholes(name, what, values)
    return wholes * rank if len(wholes) == 1 else wholes


def _wholes(name: str, what: str, values: Any) -> tuple[int, ...]:
    """TypeError for anything but a whole number."""
    try:
        return tuple(map(index, values))
    except TypeError:
        raise type_error(
            f"{name}(): argument '{what}' must be int or tuple of ints, not {values!r}"
        ) from None


def _shape(name: str, x: Tensor, rank: int) -> tuple[int, ...]:
    """The sizes that are pooled. RuntimeError for another number of dimensions, and where one is empty."""
    shape: tuple[int, ...] = x._array.shape
    if len(shape) not in (rank + 1, rank + 2) or 0 in shape[-rank - 1 :]:
        raise runtime_error(
            f"{name}: Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{list(shape)}"
        )
    return shape[-rank:]


def _out(size: int, kernel: int, stride: int, pad: int, dilation: int, ceil: bool) -> int:
    """How many windows there are; with ``ceil`` one that starts within the input may end outside."""
    rest = size + 2 * pad - dilation * (kernel - 1) - 1
    out = (-(-rest // stride) if ceil else rest // stride) + 1
    return out - 1 if ceil and (out - 1) * stride >= size + pad else out


def _places(
    name: str, x: Tensor, rank: int, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> list[tuple[int, int, int, int, int, int]]:  # fmt: skip
    """By dimension: size, kernel, stride, padding, dilation, and the number of places."""
    kernels = _sizes(name, "kernel_size", kernel, rank)
    none = stride is None or (isinstance(stride, (tuple, list)) and not stride)
    strides = kernels if none else _sizes(name, "stride", stride, rank)
    pads, gaps = _sizes(name, "padding", padding, rank), _sizes(name, "dilation", dilation, rank)
    sizes = _shape(name, x, rank)
    if min(kernels) < 1:
        raise runtime_error(f"{name}: kernel_size should be greater than zero, but got {list(kernels)}")
    if min(strides) < 1:
        raise runtime_error(f"{name}: stride should not be zero, but greater than that; got {list(strides)}")
    if min(gaps) < 1:
        raise runtime_error(f"{name}: dilation should be greater than zero, but got {list(gaps)}")
    if min(pads) < 0:
        raise runtime_error(f"{name}: pad must be non-negative, but got pad: {min(pads)}")
    for k, p, d in zip(kernels, pads, gaps, strict=True):
        if p > ((k - 1) * d + 1) // 2:
            raise runtime_error(
                f"{name}: pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                f"dilation={d}"
            )
    rows = [(*row, _out(*row, ceil_mode)) for row in zip(sizes, kernels, strides, pads, gaps, strict=True)]
    out = [row[-1] for row in rows]
    if min(out) < 1:
        planes = x._array.shape[-rank - 1]
        raise runtime_error(
            f"{name}: Given input size: ({planes}x{by(sizes).replace(' ', '')}). Calculated output size: "
            f"({planes}x{by(out).replace(' ', '')}). Output size is too small"
        )
    return rows


# ---------------------------------------------------------------- maxima


def _max_pool(
    rank: int,
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of (batch, channels, {sizes}).

    With ``return_indices`` also where it stands, counted row by row. The gradient flows to the first of equal maxima.
    ``stride`` is ``kernel_size`` by default; padding is never a maximum.
    """
    name = f"max_pool{rank}d"
    refuse(name, input, "fV" if rank == 1 and not return_indices else "fiuV")
    rows = _places(name, input, rank, kernel_size, stride, padding, dilation, ceil_mode)
    return _maxima(input, tuple(("window", *row) for row in rows), return_indices)


def _maxima(x: Tensor, plans: Any, indices: bool) -> Any:
    y = apply(ops.max_pool, (x,), {"plans": plans})
    return (y, apply(ops.max_pool_indices, (x,), {"plans": plans})) if indices else y


max_pool1d, max_pool2d, max_pool3d = ranks(_max_pool)


# ---------------------------------------------------------------- means


def _avg_pool(
    rank: int,
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of (batch, channels, {sizes}).

    The sum is divided by the size of the window, without the padding in it unless ``count_include_pad``, or by
    ``divisor_override``.
    """
    name = f"avg_pool{rank}d"
    refuse(name, input, "fV")
    rows = _places(name, input, rank, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override == 0:
        raise runtime_error("divisor must be not zero")
    if divisor_override is not None:
        sums = tuple(("sum", *row[:4], row[5]) for row in rows)
        return apply(ops.resample, (input,), {"plans": sums}) / divisor_override
    plans = tuple(("mean", *row[:4], row[5], bool(count_include_pad)) for row in rows)
    return apply(ops.resample, (input,), {"plans": plans})


def avg_pool1d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of (batch, channels, length)."""
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


avg_pool2d, avg_pool3d = ranks(_avg_pool)[1:]


def _lp_pool(
    rank: int,
    input: Tensor,
    norm_type: int | float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """``sum(x**norm_type) ** (1 / norm_type)`` of each window of (batch, channels, {sizes}).

    With ``inf`` it is the largest absolute value, with ``-inf`` the smallest.
    """
    name, norm = f"lp_pool{rank}d", norm_type
    if rank == 1 and isinstance(kernel_size, (tuple, list)):
        raise type_error(f"{name}(): argument 'kernel_size' must be int, not {type(kernel_size).__name__}")
    kernels = _sizes(name, "kernel_size", kernel_size, rank)
    if abs(norm) == math.inf:
        side = math.copysign(1.0, norm)
        largest: Tensor = _max_pool(rank, input.abs() * side, kernel_size, stride, 0, 1, ceil_mode) * side
        return largest
    y = _avg_pool(rank, input ** float(norm), kernels, stride, 0, ceil_mode)
    total: Tensor = (y.sign() * relu(y.abs()) * math.prod(kernels)) ** (1.0 / norm)
    return total


lp_pool1d, lp_pool2d, lp_pool3d = ranks(_lp_pool)


# ---------------------------------------------------------------- as many parts as are asked for


def _parts(name: str, rank: int, x: Tensor, output_size: Any, means: bool) -> Any:
    refuse(name, x, "fV")
    shape = x._array.shape
    if len(shape) not in (rank + 1, rank + 2):
        raise runtime_error(f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got: {list(shape)}")
    values = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * rank
    if len(values) != rank:
        raise runtime_error(f"{name}: output_size must be {rank}; got {list(values)}")
    sizes = shape[-rank:]
    # PyTorch looks at the channels of a batch, and in means of one and two dimensions not even at these.
    first = len(shape) - rank if means and rank < 3 else 1
    if 0 in shape[first:] and not (means and all(v == 1 for v in values)):
        at = next(d for d in range(first, len(shape)) if not shape[d])
        raise runtime_error(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
            f"{list(shape)} with dimension {at} being empty"
        )
    out = _wholes(name, "output_size", [n if v is None else v for v, n in zip(values, sizes, strict=True)])
    if max(out) >= 1 << 31:  # before a table is made of it
        raise runtime_error(f"{name}: an output_size of {list(out)} does not fit into memory")
    if min(out) < 0:
        raise runtime_error(
            f"{name}: elements of output_size must be greater than or equal to 0 but received {list(out)}"
        )
    return tuple(("adaptive", n, m) for n, m in zip(sizes, out, strict=True))


def _adaptive_avg_pool(rank: int, input: Tensor, output_size: Any) -> Tensor:
    """The means of ``output_size`` windows that cover (batch, channels, {sizes}).

    Where a size cannot be divided evenly, windows overlap. None leaves a dimension as it is.
    """
    plans = _parts(f"adaptive_avg_pool{rank}d", rank, input, output_size, True)
    return apply(ops.resample, (input,), {"plans": plans})


def _adaptive_max_pool(rank: int, input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of ``output_size`` windows that cover (batch, channels, {sizes}).

    Where a size cannot be divided evenly, windows overlap. None leaves a dimension as it is. With ``return_indices``
    also where the maxima stand.
    """
    plans = _parts(f"adaptive_max_pool{rank}d", rank, input, output_size, False)
    return _maxima(input, plans, return_indices)


def adaptive_avg_pool1d(input: Tensor, output_size: int | Sequence[int]) -> Tensor:
    """The means of ``output_size`` windows that cover the last dimension; they overlap unless it divides evenly."""
    return _adaptive_avg_pool(1, input, output_size)


def adaptive_max_pool1d(input: Tensor, output_size: int | Sequence[int], return_indices: bool = False) -> Any:
    """The maxima of ``output_size`` windows that cover the last dimension; they overlap unless it divides evenly."""
    return _adaptive_max_pool(1, input, output_size, return_indices)


adaptive_avg_pool2d, adaptive_avg_pool3d = ranks(_adaptive_avg_pool)[1:]
adaptive_max_pool2d, adaptive_max_pool3d = ranks(_adaptive_max_pool)[1:]


# ---------------------------------------------------------------- back to the places of maxima


def _max_unpool(
    rank: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros, with the elements where ``indices``, as `max_pool{rank}d` returns them, tell."""
    name = f"max_unpool{rank}d"
    kernels = _sizes(name, "kernel_size", kernel_size, rank)
    strides = kernels if stride is None else _sizes(name, "stride", stride, rank)
    shape, pads = input._array.shape, _sizes(name, "padding", padding, rank)
    if indices._array.dtype != np.int64:
        raise runtime_error(f"elements in indices should be type int64 but got: {indices._array.dtype}")
    if len(shape) not in (rank + 1, rank + 2):
        raise runtime_error(
            f"Input to {name} should be a {rank + 1}d or {rank + 2}d Tensor, but got a tensor with {len(shape)} dim."
        )
    sizes = _unpooled(input, rank, kernels, strides, pads, output_size)
    if indices._array.shape != shape:
        raise runtime_error(
            f"Expected shape of indices to be same as that of the input tensor ({list(shape)}) but got indices tensor "
            f"with shape: {list(indices._array.shape)}"
        )
    if 0 in shape[-rank - 1 :]:
        raise runtime_error(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but got {list(shape)}"
        )
    lead = shape[:-rank]
    rows = (math.prod(lead), math.prod(shape[-rank:]))
    y = apply(ops.unpool, (reshape(input, *rows), reshape(indices, *rows)), {"count": math.prod(sizes)})
    return own(reshape(y, *lead, *sizes))


def _unpooled(
    x: Tensor, rank: int, kernels: Any, strides: Any, pads: Any, output_size: Any
) -> tuple[int, ...]:
    """The sizes of what was pooled."""
    shape = x._array.shape[-rank:]
    usual = [(n - 1) * s + k - 2 * p for n, s, k, p in zip(shape, strides, kernels, pads, strict=True)]
    if output_size is None:
        return tuple(usual)
    wanted = tuple(output_size)
    if len(wanted) == rank + 2:
        wanted = wanted[2:]
    if len(wanted) != rank:
        raise value_error(
            f"output_size should be a sequence containing {rank} or {rank + 2} elements, but it has a length of "
            f"'{len(wanted)}'"
        )
    for d, (n, s, v) in enumerate(zip(usual, strides, wanted, strict=True)):
        if not n - s < v < n + s:
            raise value_error(f'invalid output_size "{wanted}" (dim {d} must be between {n - s} and {n + s})')
    return tuple(int(v) for v in wanted)


max_unpool1d, max_unpool2d, max_unpool3d = ranks(_max_unpool)

public(globals(), __all__, home="minigrad")
public(globals(), FUNCTIONAL)

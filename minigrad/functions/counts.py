"""Distinct elements, and how often each occurs, under PyTorch's names.

The size of most results depends on values, so `minigrad.compile` refuses these functions.
"""

from __future__ import annotations

import builtins
import functools
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import cast, needs_value
from minigrad.core.mode import MODE
from minigrad.core.op import in_float32
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Number
from minigrad.errors import index_error, not_implemented_error, runtime_error
from minigrad.functions.dims import one_dim
from minigrad.functions.results import prints_as
from minigrad.gate import public
from minigrad.kernels import spaced

__all__ = ["bincount", "histc", "histogram", "histogramdd", "unique", "unique_consecutive"]


@prints_as("histogram")
class _Histogram(NamedTuple):
    """What `histogram` returns."""

    hist: Tensor
    bin_edges: Tensor


@prints_as("histogramdd")
class _HistogramDD(NamedTuple):
    """What `histogramdd` returns."""

    hist: Tensor
    bin_edges: tuple[Tensor, ...]


def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The distinct elements in increasing order, or the distinct slices along ``dim``; whatever ``sorted`` says.

    With ``return_inverse`` also where each element of the input stands among them, and with ``return_counts`` how
    often each occurs (both int64): then the result is a tuple. Backward through it is a NotImplementedError.
    """
    needs_value("unique()")
    x = in_float32(_ordered("unique", input, dim))
    axis = _axis(x, dim)
    values: Any
    inverse: Any
    counts: Any
    if axis is not None and not x.shape[axis]:
        values, inverse, counts = x.copy(), np.zeros(0, np.int64), np.zeros(0, np.int64)
    elif axis is not None:
        values, inverse, counts = np.unique(
            x, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
        )
        inverse = inverse.reshape(-1)
    else:
        values, inverse, counts = _different(x.reshape(-1), return_inverse, return_counts)
        inverse = inverse.reshape(x.shape) if return_inverse else None
    result = cast(wrap(np.ascontiguousarray(values)), input._array.dtype)
    if input.requires_grad and MODE.get().grad:
        flat: Any = x.reshape(-1) if axis is None else x
        places = np.unique(flat, return_index=True, axis=axis, equal_nan=False)[1]
        result = _from(input, "unique", axis, places) if x.size else result
    return _several(result, inverse, counts, return_inverse, return_counts)


def _ordered(name: str, input: Tensor, dim: int | None) -> Any:
    """The elements, of a type that has an order."""
    if input._array.dtype.kind == "c":
        raise not_implemented_error(
            f'"{name if dim is None else "unique_dim"}" not implemented for complex numbers; take the real and the '
            "imaginary part"
        )
    return input._array


def _axis(x: Any, dim: int | None) -> int | None:
    if dim is not None and not x.ndim:
        raise index_error(f"Dimension specified as {dim} but tensor has no dimensions")
    axis = None if dim is None else one_dim(dim, x.ndim)
    if axis is not None and 0 in x.shape[:axis] + x.shape[axis + 1 :]:
        raise runtime_error(
            "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied; got "
            f"{list(x.shape)} and dim {axis}"
        )
    return axis


def _from(input: Tensor, name: str, axis: int | None, places: Any) -> Tensor:
    """The elements or slices at these places; NotImplementedError where backward asks for a gradient of them."""
    line = input.reshape(-1) if axis is None else input
    values = line.index_select(axis or 0, wrap(np.asarray(places, np.int64)))

    def refuse(_: Tensor) -> Any:
        raise not_implemented_error(f"the derivative for '{name}' is not implemented; call it on x.detach()")

    values.register_hook(refuse)
    return values


def _different(x: Any, with_inverse: bool, with_counts: bool) -> tuple[Any, Any, Any]:
    """The different elements of a vector, and of the rest what is asked for."""
    if x.dtype.kind in "iu" and x.size:
        low, high = int(x.min()), int(x.max())
        if high - low < 2 * x.size:
            # Numbers that lie close together are counted, each in a place of its own, and need no sorting.
            numbers = (x.astype(np.int64) - low).astype(np.intp, copy=False)
            every = np.bincount(numbers)
            some = every > 0
            inverse = (np.cumsum(some) - 1)[numbers] if with_inverse else None
            return (np.flatnonzero(some) + low).astype(x.dtype), inverse, every[some]
    unique: Any = np.unique  # whose types tell results by constants
    several = unique(x, return_inverse=with_inverse, return_counts=with_counts, equal_nan=False)
    values, *rest = several if with_inverse or with_counts else (several,)
    if x.dtype.kind in "fV" and x.size:
        first = (x == 0).argmax()  # of 0.0 and -0.0 the first one stands for both
        values[values == 0] = x[first]
    return values, rest[0] if with_inverse else None, rest[-1] if with_counts else None


def _several(values: Tensor, inverse: Any, counts: Any, with_inverse: bool, with_counts: bool) -> Any:
    others = [inverse] * with_inverse + [counts] * with_counts
    tensors = (values, *(wrap(np.asarray(a, np.int64, order="C")) for a in others))
    return tensors if others else values


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or slices along ``dim``) that differ from the one before; further results as of `unique`."""
    needs_value("unique_consecutive()")
    x = _ordered("unique_consecutive", input, dim)
    axis = _axis(x, dim)
    rows = x.reshape(-1) if axis is None else np.moveaxis(x, axis, 0)
    first = np.ones(len(rows), bool)
    if len(rows):
        different = rows[1:] != rows[:-1]
        first[1:] = different.reshape(len(rows) - 1, -1).any(-1) if len(rows) > 1 else True
    values = rows[first]
    inverse = np.cumsum(first, dtype=np.int64) - 1
    counts = np.diff(np.append(np.flatnonzero(first), len(rows)))
    if axis is None:
        inverse = inverse.reshape(x.shape)
    else:
        values = np.moveaxis(values, 0, axis)
    result = wrap(np.ascontiguousarray(values))
    if input.requires_grad and MODE.get().grad and x.size:
        result = _from(input, "unique_consecutive", axis, np.flatnonzero(first))
    return _several(result, inverse, counts, return_inverse, return_counts)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 on occurs in a vector of whole numbers (int64), or the sums of their ``weights``."""
    needs_value("bincount()")
    x = input._array
    if x.dtype.kind not in "iu":
        raise not_implemented_error(
            f"\"bincount_cpu\" not implemented for '{dtypes.scalar(input.dtype)}'; use .long() first"
        )
    if x.ndim != 1 or (x.size and x.min() < 0):
        raise runtime_error("bincount only supports 1-d non-negative integral inputs.")
    if minlength < 0:
        raise runtime_error("minlength should be >= 0")
    x = x.astype(np.intp, copy=False)
    if weights is None or not x.size:
        return wrap(np.bincount(x, minlength=minlength).astype(np.int64, copy=False))
    w = weights._array
    if weights.is_complex():
        raise runtime_error(
            f"bincount: the weights are {weights.dtype}; take the real and the imaginary part"
        )
    if w.shape != x.shape:
        raise runtime_error("weights should be 1-d and have the same length as input")
    kind = w.dtype if w.dtype == np.float32 else dtypes.F64
    return wrap(np.bincount(x, w, minlength).astype(kind))


def histc(input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0) -> Tensor:
    """How many elements lie in each of ``bins`` equal parts from ``min`` to ``max``, by default the input's extremes.

    In the dtype of ``input``. NotImplementedError for integers.
    """
    needs_value("histc()")
    x = input._array
    if bins <= 0:
        raise runtime_error("bins must be > 0")
    low, high = float(min), float(max)
    if low == high and x.size:
        low, high = float(x.real.min()), float(x.real.max())  # complex numbers are refused below
    if low == high:
        low, high = low - 1, high + 1
    _check_range(low, high, "histc")
    if x.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"histogram_cpu\" not implemented for '{dtypes.scalar(input.dtype)}'; use .float() first"
        )
    # In the order and the dtype of PyTorch's operations, which decide where elements go that lie between two parts.
    first, last, count = map(x.dtype.type, (low, high, bins))
    some = x[(x >= first) & (x <= last)]
    with np.errstate(all="ignore"):
        some = some[:0] if np.isinf(last - first) else some  # PyTorch: then none is counted
        parts = ((some - first) * count / (last - first)).astype(np.intp)
    return wrap(np.bincount(np.clip(parts, 0, bins - 1), minlength=bins).astype(x.dtype))


def _weights(input: Tensor, weight: Tensor | None) -> Any:
    if weight is not None and weight.is_complex():
        raise runtime_error(
            "histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but "
            f"got input({input.dtype}), and weight({weight.dtype})"
        )
    return None if weight is None else weight._array.reshape(-1).astype(np.float64)


def _check_range(low: float, high: float, name: str) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise runtime_error(f"{name}: range of [{low}, {high}] is not finite")
    if low > high:
        raise runtime_error(f"{name}: max must be larger than min")


def _edges(name: str, x: Any, bins: Any, range: Any) -> Any:
    """The edges of parts: those in a Tensor, or of a number of equal parts of ``range``, by default the elements'."""
    if isinstance(bins, Tensor):
        if bins._array.dtype != x.dtype:
            raise runtime_error(f"{name}: bins tensor and input tensor should have the same dtype")
        if bins._array.ndim != 1 or not bins._array.size:
            raise runtime_error(f"{name}: bins tensor should have one dimension and at least one element")
        return bins._array.copy()
    if bins <= 0:
        raise runtime_error(f"{name}: bins must be > 0, but got {bins}")
    if range is None:
        range = (x.min(), x.max()) if x.size else (0, 1)
    if len(range) != 2:
        raise runtime_error(f"{name}: range should have 2 elements, the ends, but got {len(range)}")
    low, high = float(range[0]), float(range[1])
    _check_range(low, high, name)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return spaced.between(low, high, int(bins) + 1, x.dtype)  # as PyTorch's, to the last bit


def histogram(
    input: Tensor, bins: int | Tensor = 100, *, range: Any = None,
    weight: Tensor | None = None, density: bool = False,
) -> Any:  # fmt: skip
    """How many elements (or how much ``weight``) lie in each part: a number of equal ones, or edges in a Tensor.

    The equal parts lie in ``range``, by default from the least element to the largest. A range of no length is widened
    by one half at each end.
    Returns ``hist`` and ``bin_edges``; with ``density`` the area under the histogram is 1.
    """
    needs_value("histogram()")
    x = input._array
    if x.dtype not in (np.float32, np.float64):
        raise not_implemented_error(f"\"histogram_cpu\" not implemented for '{dtypes.scalar(input.dtype)}'")
    if weight is not None and weight._array.shape != x.shape:
        raise runtime_error(
            "histogram(): if weight tensor is provided it should have the same shape as the input"
        )
    edges = _edges("histogram()", x, bins, range)
    w = _weights(input, weight)
    counts, _ = np.histogram(x.reshape(-1).astype(np.float64), edges.astype(np.float64), weights=w)
    counts = counts.astype(np.float64)
    if density:
        counts = counts / (np.diff(edges.astype(np.float64)) * counts.sum())
    return _Histogram(wrap(counts.astype(x.dtype)), wrap(edges))


def histogramdd(
    input: Tensor, bins: Any, range: Any = None, weight: Tensor | None = None, density: bool = False,
) -> Any:  # fmt: skip
    """`histogram` of points (..., D): how many lie in each box, and the edges of each dimension.

    ``bins`` is a number of parts, one for each dimension, or a Tensor of edges for each; ``range`` has two numbers for
    each.
    """
    needs_value("histogramdd()")
    x = input._array
    if x.ndim < 2:
        raise runtime_error("histogramdd: input tensor should have at least 2 dimensions")
    if x.dtype not in (np.float32, np.float64):
        raise not_implemented_error(f"\"histogramdd\" not implemented for '{dtypes.scalar(input.dtype)}'")
    count = x.shape[-1]
    parts = list(bins) if isinstance(bins, (tuple, list)) else [bins] * count
    if len(parts) != count:
        raise runtime_error(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input."
        )
    if range is not None and len(range) != 2 * count:
        raise runtime_error(
            f"histogramdd: for a {count}-dimensional histogram range should have {2 * count} elements, but got "
            f"{len(range)}"
        )
    if weight is not None and weight._array.shape != x.shape[:-1]:
        raise runtime_error(
            "histogramdd: if weight tensor is provided it should have the same shape as the input without its "
            "innermost dimension"
        )
    points = x.reshape(-1, count)
    ends = [None] * count if range is None else [range[2 * d : 2 * d + 2] for d in builtins.range(count)]
    edges = [_edges("histogramdd", points[:, d], b, ends[d]) for d, b in enumerate(parts)]
    w = _weights(input, weight)
    wide = [e.astype(np.float64) for e in edges]
    counts, _ = np.histogramdd(points.astype(np.float64), wide, weights=w)
    if density:
        volumes = functools.reduce(np.multiply.outer, map(np.diff, wide))
        counts = counts / (volumes * counts.sum())
    return _HistogramDD(wrap(counts.astype(x.dtype)), tuple(map(wrap, edges)))


METHODS = """
    bincount histc histogram unique unique_consecutive
"""
public(globals(), __all__, home="minigrad")

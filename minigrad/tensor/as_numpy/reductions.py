"""NumPy's reductions, and functions along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import needs_value
from minigrad.core.tensor import Tensor
from minigrad.dtypes import DTypeLike
from minigrad.functions import creation
from minigrad.functions.dims import one_dim
from minigrad.tensor.as_numpy.common import Axis, Operand, Unused, flat, floating, over, own

# ---------------------------------------------------------------- reductions


def sum(
    a: Tensor, axis: Axis = None, dtype: DTypeLike | None = None, out: Unused = None, keepdims: bool = False
) -> Tensor:
    a, axis, keepdims = over(a, axis, keepdims)
    return a.sum(axis, keepdims, dtype=dtype)


def mean(
    a: Tensor, axis: Axis = None, dtype: DTypeLike | None = None, out: Unused = None, keepdims: bool = False
) -> Tensor:
    a, axis, keepdims = over(a, axis, keepdims)
    return (a if dtype is not None else floating(a)).mean(axis, keepdims, dtype=dtype)


def var(
    a: Tensor,
    axis: Axis = None,
    dtype: Unused = None,
    out: Unused = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    a, axis, keepdims = over(a, axis, keepdims)
    return floating(a).var(axis, keepdim=keepdims, correction=ddof if correction is None else correction)


def std(
    a: Tensor,
    axis: Axis = None,
    dtype: Unused = None,
    out: Unused = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    a, axis, keepdims = over(a, axis, keepdims)
    return floating(a).std(axis, keepdim=keepdims, correction=ddof if correction is None else correction)


def prod(
    a: Tensor, axis: Axis = None, dtype: DTypeLike | None = None, out: Unused = None, keepdims: bool = False
) -> Tensor:
    if axis is None and not keepdims:
        return a.prod(dtype=dtype)
    dims = range(a.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    for d in dims:
        a = a.prod(d, True, dtype=dtype)
    return a if keepdims else a.squeeze(tuple(dims))


def max(a: Tensor, axis: Axis = None, out: Unused = None, keepdims: bool = False) -> Tensor:
    a, axis, keepdims = over(a, axis, keepdims)
    return a.amax(() if axis is None else axis, keepdims)


def min(a: Tensor, axis: Axis = None, out: Unused = None, keepdims: bool = False) -> Tensor:
    a, axis, keepdims = over(a, axis, keepdims)
    return a.amin(() if axis is None else axis, keepdims)


def ptp(a: Tensor, axis: Axis = None, out: Unused = None, keepdims: bool = False) -> Tensor:
    return max(a, axis, None, keepdims) - min(a, axis, None, keepdims)


def argmax(a: Tensor, axis: int | None = None, out: Unused = None, *, keepdims: bool = False) -> Tensor:
    return a.argmax(axis, keepdims)


def argmin(a: Tensor, axis: int | None = None, out: Unused = None, *, keepdims: bool = False) -> Tensor:
    return a.argmin(axis, keepdims)


def any(a: Tensor, axis: Axis = None, out: Unused = None, keepdims: bool = False) -> Tensor:
    return a.any(axis, keepdims)


def all(a: Tensor, axis: Axis = None, out: Unused = None, keepdims: bool = False) -> Tensor:
    return a.all(axis, keepdims)


def nansum(
    a: Tensor, axis: Axis = None, dtype: DTypeLike | None = None, out: Unused = None, keepdims: bool = False
) -> Tensor:
    a, axis, keepdims = over(a, axis, keepdims)
    return a.nansum(axis, keepdims, dtype=dtype)


def nanmean(
    a: Tensor, axis: Axis = None, dtype: DTypeLike | None = None, out: Unused = None, keepdims: bool = False
) -> Tensor:
    a, axis, keepdims = over(a, axis, keepdims)
    return (a if dtype is not None else floating(a)).nanmean(axis, keepdims, dtype=dtype)


def median(
    a: Tensor,
    axis: int | None = None,
    out: Unused = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Tensor:
    return floating(a).quantile(0.5, axis, keepdims)


def quantile(
    a: Tensor,
    q: Any,
    axis: int | None = None,
    out: Unused = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    a = floating(a)
    return a.quantile(
        q if isinstance(q, float) else creation.as_tensor(q, dtype=a.dtype),
        axis,
        keepdims,
        interpolation=method,
    )


def percentile(
    a: Tensor,
    q: Any,
    axis: int | None = None,
    out: Unused = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    return quantile(a, np.true_divide(q, 100).tolist(), axis, method=method, keepdims=keepdims)


def average(
    a: Tensor,
    axis: int | None = None,
    weights: Tensor | None = None,
    returned: Unused = None,
    *,
    keepdims: bool = False,
) -> Tensor:
    if weights is None:
        return mean(a, axis, keepdims=keepdims)
    if weights.shape != a.shape:
        a, axis = flat(a, axis)
        weights = weights.reshape([-1 if d == one_dim(axis, a.ndim) else 1 for d in range(a.ndim)])
    return sum(a * weights, axis, keepdims=keepdims) / sum(
        weights.broadcast_to(a.shape), axis, keepdims=keepdims
    )


def count_nonzero(a: Tensor, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    a, axis, keepdims = over(a, axis, keepdims)
    return (a != 0).sum(axis, keepdims)


# ---------------------------------------------------------------- along one axis


def cumsum(a: Tensor, axis: int | None = None, dtype: DTypeLike | None = None, out: Unused = None) -> Tensor:
    a, axis = flat(a, axis)
    return a.cumsum(axis, dtype=dtype)


def cumprod(a: Tensor, axis: int | None = None, dtype: DTypeLike | None = None, out: Unused = None) -> Tensor:
    a, axis = flat(a, axis)
    return a.cumprod(axis, dtype=dtype)


def trapezoid(y: Tensor, x: Tensor | None = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    return own("trapezoid")(y, dim=axis, **({"dx": dx} if x is None else {"x": x}))


def diff(a: Tensor, n: int = 1, axis: int = -1, prepend: Unused = None, append: Unused = None) -> Tensor:
    return a.diff(n, axis)


def sort(
    a: Tensor,
    axis: int | None = -1,
    kind: str | None = None,
    order: Unused = None,
    *,
    stable: bool | None = None,
) -> Tensor:
    a, axis = flat(a, axis)
    return a.sort(axis, stable=bool(stable) or kind in ("stable", "mergesort"))[0]


def argsort(
    a: Tensor,
    axis: int | None = -1,
    kind: str | None = None,
    order: Unused = None,
    *,
    stable: bool | None = None,
) -> Tensor:
    a, axis = flat(a, axis)
    return a.argsort(axis, stable=bool(stable) or kind in ("stable", "mergesort"))


def flip(m: Tensor, axis: Axis = None) -> Tensor:
    return m.flip(tuple(range(m.ndim)) if axis is None else axis)


def fliplr(m: Tensor) -> Tensor:
    return m.flip(1)


def flipud(m: Tensor) -> Tensor:
    return m.flip(0)


def rot90(m: Tensor, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    return m.rot90(k, axes)


def roll(a: Tensor, shift: Any, axis: Axis = None) -> Tensor:
    return a.roll(shift, axis)


def repeat(a: Tensor, repeats: Operand, axis: int | None = None) -> Tensor:
    a, axis = flat(a, axis)
    return a.repeat_interleave(repeats, axis)


def take(
    a: Tensor, indices: Operand, axis: int | None = None, out: Unused = None, mode: Unused = None
) -> Tensor:
    a, axis = flat(a, axis)
    return a[(slice(None),) * one_dim(axis, a.ndim) + (indices,)]


def take_along_axis(arr: Tensor, indices: Tensor, axis: int | None = -1) -> Tensor:
    arr, axis = flat(arr, axis)
    return arr.take_along_dim(own("where")(indices < 0, indices + arr.shape[axis], indices), axis)


def unique(
    ar: Tensor,
    return_index: Unused = None,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    needs_value("np.unique()")
    made: Any = np.unique  # which takes all nan for one, unlike PyTorch's
    found = made(ar.numpy(force=True), False, return_inverse, return_counts, axis, equal_nan=equal_nan)
    parts = [creation.from_numpy(y) for y in (found if isinstance(found, tuple) else (found,))]
    return tuple(parts) if isinstance(found, tuple) else parts[0]


def searchsorted(a: Tensor, v: Tensor, side: str = "left", sorter: Unused = None) -> Tensor:
    kind = dtypes.result_type(a, v)
    return own("searchsorted")(a.to(kind), v.to(kind), side=side)

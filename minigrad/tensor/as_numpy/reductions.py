"""NumPy's reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.tensor import Tensor
from minigrad.dtypes import DTypeLike
from minigrad.errors import value_error
from minigrad.functions import creation
from minigrad.functions.dims import one_dim
from minigrad.tensor.as_numpy.common import (
    Axis,
    Operand,
    Unused,
    flat,
    floating,
    numbers,
    one_axis,
    over,
    own,
    without,
)

# ---------------------------------------------------------------- of all elements, or of those where a mask is True


def sum(
    a: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Unused = None,
    keepdims: bool = False,
    initial: Operand = None,
    where: Tensor | None = None,
) -> Tensor:
    a, axis, keepdims = over(without(a, where, 0), axis, keepdims)
    y = a.sum(axis, keepdims, dtype=dtype)
    return y if initial is None else y + creation.as_tensor(initial, dtype=y.dtype)


def prod(
    a: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Unused = None,
    keepdims: bool = False,
    initial: Operand = None,
    where: Tensor | None = None,
) -> Tensor:
    a = without(a, where, 1)
    dims = range(a.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if axis is None and not keepdims:
        a, dims = a.prod(dtype=dtype), ()
    for d in dims:
        a = a.prod(d, True, dtype=dtype)
    a = a if keepdims else a.squeeze(tuple(dims))
    return a if initial is None else a * creation.as_tensor(initial, dtype=a.dtype)


def mean(
    a: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Unused = None,
    keepdims: bool = False,
    *,
    where: Tensor | None = None,
) -> Tensor:
    a = a if dtype is not None else floating(a)
    if where is not None:
        return sum(a, axis, dtype, None, keepdims, None, where) / _count(a, where, axis, keepdims)
    a, axis, keepdims = over(a, axis, keepdims)
    return a.mean(axis, keepdims, dtype=dtype)


def var(
    a: Tensor,
    axis: Axis = None,
    dtype: Unused = None,
    out: Unused = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Tensor | None = None,
    mean: Tensor | None = None,
    correction: float | None = None,
) -> Tensor:
    a, less = floating(a), ddof if correction is None else correction
    if where is None and mean is None:
        a, axis, keepdims = over(a, axis, keepdims)
        return a.var(axis, keepdim=keepdims, correction=less)
    middle = _mean(a, axis, None, None, True, where=where) if mean is None else mean
    d = without(a - middle, where, 0)
    squares = sum((d * d.conj()).real if d.is_complex() else d.square(), axis, None, None, keepdims)
    count = _count(a, own("ones_like")(a, dtype=dtypes.bool) if where is None else where, axis, keepdims)
    return squares / (count - less).clamp(0)


def std(
    a: Tensor,
    axis: Axis = None,
    dtype: Unused = None,
    out: Unused = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Tensor | None = None,
    mean: Tensor | None = None,
    correction: float | None = None,
) -> Tensor:
    if where is not None or mean is not None:
        return var(a, axis, None, None, ddof, keepdims, where=where, mean=mean, correction=correction).sqrt()
    a, axis, keepdims = over(a, axis, keepdims)
    return floating(a).std(axis, keepdim=keepdims, correction=ddof if correction is None else correction)


# `var` has a parameter of this name.
_mean = mean


def _count(a: Tensor, where: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    """How many elements there are where the mask is True."""
    return sum(where.broadcast_to(a.shape) != 0, axis, None, None, keepdims)


def max(
    a: Tensor,
    axis: Axis = None,
    out: Unused = None,
    keepdims: bool = False,
    initial: Operand = None,
    where: Tensor | None = None,
) -> Tensor:
    return _extreme("max", a, axis, keepdims, initial, where)


def min(
    a: Tensor,
    axis: Axis = None,
    out: Unused = None,
    keepdims: bool = False,
    initial: Operand = None,
    where: Tensor | None = None,
) -> Tensor:
    return _extreme("min", a, axis, keepdims, initial, where)


def _extreme(
    name: str, a: Tensor, axis: Axis, keepdims: bool, initial: Operand, where: Tensor | None
) -> Tensor:
    if where is not None and initial is None:
        raise value_error(f"np.{name} with where= has no value where nothing is left; give initial= too")
    a, axis, keepdims = over(without(a, where, initial), axis, keepdims)
    if initial is not None and not a.numel():
        return sum(a, axis, None, None, keepdims) + initial
    y = getattr(a, f"a{name}")(() if axis is None else axis, keepdims)
    return y if initial is None else own(f"{name}imum")(y, creation.as_tensor(initial, dtype=y.dtype))


def ptp(a: Tensor, axis: Axis = None, out: Unused = None, keepdims: bool = False) -> Tensor:
    return max(a, axis, None, keepdims) - min(a, axis, None, keepdims)


def argmax(a: Tensor, axis: int | None = None, out: Unused = None, *, keepdims: bool = False) -> Tensor:
    return a.argmax(axis, keepdims)


def argmin(a: Tensor, axis: int | None = None, out: Unused = None, *, keepdims: bool = False) -> Tensor:
    return a.argmin(axis, keepdims)


def any(
    a: Tensor, axis: Axis = None, out: Unused = None, keepdims: bool = False, *, where: Tensor | None = None
) -> Tensor:
    return without(a, where, 0).any(axis, keepdims).to(dtypes.bool)


def all(
    a: Tensor, axis: Axis = None, out: Unused = None, keepdims: bool = False, *, where: Tensor | None = None
) -> Tensor:
    return without(a, where, 1).all(axis, keepdims).to(dtypes.bool)


def count_nonzero(a: Tensor, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    a, axis, keepdims = over(a, axis, keepdims)
    return (a != 0).sum(axis, keepdims)


def average(
    a: Tensor,
    axis: Axis = None,
    weights: Tensor | None = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    if weights is None:
        y = mean(a, axis, keepdims=keepdims)
        return (y, creation.full_like(y, a.numel() / (y.numel() or 1))) if returned else y
    a = floating(a)
    weights = weights.to(dtypes.result_type(a, weights))
    if weights.shape != a.shape:
        a, axis = flat(a, axis)
        places = [one_dim(d, a.ndim) for d in numbers(axis)]
        sizes = [*weights.shape]
        if sizes != [a.shape[d] for d in places]:
            raise value_error(
                f"np.average over axis {axis} of {list(a.shape)} takes no weights of shape {sizes}"
            )
        order = sorted(range(len(places)), key=places.__getitem__)
        weights = weights.permute(order).reshape([n if d in places else 1 for d, n in enumerate(a.shape)])
    total = sum(weights.broadcast_to(a.shape), axis, keepdims=keepdims)
    y = sum(a * weights, axis, keepdims=keepdims) / total
    return (y, total) if returned else y


# ---------------------------------------------------------------- quantiles


def median(
    a: Tensor, axis: Axis = None, out: Unused = None, overwrite_input: bool = False, keepdims: bool = False
) -> Tensor:
    return quantile(a, 0.5, axis, keepdims=keepdims)


def quantile(
    a: Tensor,
    q: Any,
    axis: Axis = None,
    out: Unused = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Unused = None,
) -> Tensor:
    return _quantile("quantile", a, q, axis, method, keepdims)


def percentile(
    a: Tensor,
    q: Any,
    axis: Axis = None,
    out: Unused = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Unused = None,
) -> Tensor:
    return _quantile("quantile", a, _parts(q), axis, method, keepdims)


def _parts(q: Any) -> Any:
    """Percents as parts of 1."""
    return q / 100 if isinstance(q, Tensor) else np.true_divide(q, 100).tolist()


def _quantile(name: str, a: Tensor, q: Any, axis: Axis, method: str, keepdims: bool) -> Tensor:
    a = floating(a)
    places = q if isinstance(q, float) else creation.as_tensor(q, dtype=a.dtype)
    if isinstance(places, Tensor) and places.ndim > 1:
        y = _quantile(name, a, places.reshape(-1), axis, method, keepdims)
        return y.reshape((*places.shape, *y.shape[1:]))
    if not isinstance(axis, tuple):
        return getattr(a, name)(places, axis, keepdims, interpolation=method)
    a, shape = one_axis(a, axis) if axis else (a.unsqueeze(-1), [*a.shape])
    y = getattr(a, name)(places, -1, interpolation=method)
    return y.reshape((*y.shape[: y.ndim - a.ndim + 1], *shape)) if keepdims else y


# ---------------------------------------------------------------- of what is not nan


def nansum(
    a: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Unused = None,
    keepdims: bool = False,
    initial: Operand = None,
    where: Tensor | None = None,
) -> Tensor:
    return sum(without(a, ~a.isnan(), 0), axis, dtype, None, keepdims, initial, where)


def nanprod(
    a: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Unused = None,
    keepdims: bool = False,
    initial: Operand = None,
    where: Tensor | None = None,
) -> Tensor:
    return prod(without(a, ~a.isnan(), 1), axis, dtype, None, keepdims, initial, where)


def nanmean(
    a: Tensor,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Unused = None,
    keepdims: bool = False,
    *,
    where: Tensor | None = None,
) -> Tensor:
    return mean(a, axis, dtype, None, keepdims, where=_there(a, where))


def nanvar(
    a: Tensor,
    axis: Axis = None,
    dtype: Unused = None,
    out: Unused = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Tensor | None = None,
    mean: Tensor | None = None,
    correction: float | None = None,
) -> Tensor:
    kept = _there(a, where)
    return var(a, axis, None, None, ddof, keepdims, where=kept, mean=mean, correction=correction)


def nanstd(
    a: Tensor,
    axis: Axis = None,
    dtype: Unused = None,
    out: Unused = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Tensor | None = None,
    mean: Tensor | None = None,
    correction: float | None = None,
) -> Tensor:
    kept = _there(a, where)
    return std(a, axis, None, None, ddof, keepdims, where=kept, mean=mean, correction=correction)


def _there(a: Tensor, where: Tensor | None) -> Tensor:
    return ~a.isnan() if where is None else ~a.isnan() & (where != 0)


def nanmax(
    a: Tensor,
    axis: Axis = None,
    out: Unused = None,
    keepdims: bool = False,
    initial: Operand = None,
    where: Tensor | None = None,
) -> Tensor:
    return _nan_extreme("max", -np.inf, a, axis, keepdims, initial, where)


def nanmin(
    a: Tensor,
    axis: Axis = None,
    out: Unused = None,
    keepdims: bool = False,
    initial: Operand = None,
    where: Tensor | None = None,
) -> Tensor:
    return _nan_extreme("min", np.inf, a, axis, keepdims, initial, where)


def _nan_extreme(
    name: str, least: float, a: Tensor, axis: Axis, keepdims: bool, initial: Operand, where: Tensor | None
) -> Tensor:
    if not a.is_floating_point():
        return _extreme(name, a, axis, keepdims, initial, where)
    gone = a.isnan()
    y = _extreme(name, without(a, ~gone, least), axis, keepdims, initial, where)
    return y if initial is not None else without(y, ~all(gone, axis, None, keepdims), np.nan)


def nanmedian(
    a: Tensor, axis: Axis = None, out: Unused = None, overwrite_input: bool = False, keepdims: bool = False
) -> Tensor:
    return nanquantile(a, 0.5, axis, keepdims=keepdims)


def nanquantile(
    a: Tensor,
    q: Any,
    axis: Axis = None,
    out: Unused = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Unused = None,
) -> Tensor:
    return _quantile("nanquantile", a, q, axis, method, keepdims)


def nanpercentile(
    a: Tensor,
    q: Any,
    axis: Axis = None,
    out: Unused = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Unused = None,
) -> Tensor:
    return _quantile("nanquantile", a, _parts(q), axis, method, keepdims)

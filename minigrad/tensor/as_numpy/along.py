"""NumPy's functions along one axis, or of vectors."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import needs_value
from minigrad.core.tensor import Tensor
from minigrad.dtypes import DTypeLike
from minigrad.errors import type_error, value_error
from minigrad.functions import creation
from minigrad.functions.dims import one_dim
from minigrad.tensor.as_numpy.common import (
    Axis,
    Operand,
    Unused,
    cat,
    flat,
    floating,
    numbers,
    own,
    stacked,
    tensor,
    without,
)

# ---------------------------------------------------------------- sums and differences


def cumsum(a: Tensor, axis: int | None = None, dtype: DTypeLike | None = None, out: Unused = None) -> Tensor:
    a, axis = flat(a, axis)
    return a.cumsum(axis, dtype=dtype)


def cumprod(a: Tensor, axis: int | None = None, dtype: DTypeLike | None = None, out: Unused = None) -> Tensor:
    a, axis = flat(a, axis)
    return a.cumprod(axis, dtype=dtype)


def cumulative_sum(
    x: Tensor,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    out: Unused = None,
    include_initial: bool = False,
) -> Tensor:
    return _running("cumsum", 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Tensor,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    out: Unused = None,
    include_initial: bool = False,
) -> Tensor:
    return _running("cumprod", 1, x, axis, dtype, include_initial)


def _running(name: str, first: int, x: Tensor, axis: int | None, dtype: Any, initial: bool) -> Tensor:
    if axis is None and x.ndim > 1:
        raise value_error(f"np.{name.replace('cum', 'cumulative_')} of {x.ndim} dimensions needs axis=")
    axis = axis or 0
    y = getattr(x, name)(axis, dtype=dtype)
    shape = [*x.shape]
    shape[axis] = 1
    return cat([creation.full(shape, first, dtype=y.dtype), y], axis) if initial else y


def nancumsum(
    a: Tensor, axis: int | None = None, dtype: DTypeLike | None = None, out: Unused = None
) -> Tensor:
    return cumsum(without(a, ~a.isnan(), 0), axis, dtype)


def nancumprod(
    a: Tensor, axis: int | None = None, dtype: DTypeLike | None = None, out: Unused = None
) -> Tensor:
    return cumprod(without(a, ~a.isnan(), 1), axis, dtype)


def trapezoid(y: Tensor, x: Tensor | None = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    if x is None and np.ndim(dx):
        size = y.shape[axis] - 1
        return (tensor(dx, y) * (y.narrow(axis, 0, size) + y.narrow(axis, 1, size)) / 2).sum(axis)
    if x is None and isinstance(dx, Tensor):
        return dx * own("trapezoid")(y, dim=axis)
    return own("trapezoid")(y, dim=axis, **({"dx": dx} if x is None else {"x": x}))


def diff(
    a: Tensor, n: int = 1, axis: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """A number stands before or behind each row."""
    shape = [1 if d == axis % a.ndim else n for d, n in enumerate(a.shape)] if a.ndim else []
    first, last = (x if x is None or x.ndim else x.expand(shape) for x in (prepend, append))
    return a.diff(n, axis, first, last)


def ediff1d(ary: Tensor, to_end: Tensor | None = None, to_begin: Tensor | None = None) -> Tensor:
    parts = [x.reshape(-1) for x in (to_begin, ary.reshape(-1).diff(), to_end) if x is not None]
    return cat(parts, 0)


def gradient(f: Tensor, *varargs: Operand, axis: Axis = None, edge_order: int = 1) -> Any:
    """``varargs`` are a distance, one for each axis, or places along it."""
    axes = [*range(f.ndim)] if axis is None else [*numbers(axis)]
    if len(varargs) not in (0, 1, len(axes)):
        raise type_error(
            f"np.gradient takes no distance, one, or one for each of {len(axes)} axes, not {len(varargs)}"
        )
    steps: list[Any] = [*(varargs or (1.0,))] * (len(axes) if len(varargs) < 2 else 1)
    found = [_slope(f, step, d, edge_order) for step, d in zip(steps, axes, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slope(f: Tensor, step: Any, d: int, edge_order: int) -> Tensor:
    if isinstance(step, Tensor) and step.ndim == 1:
        return own("gradient")(f, spacing=(step,), dim=d, edge_order=edge_order)[0]
    return own("gradient")(f, dim=d, edge_order=edge_order)[0] / step


def unwrap(p: Tensor, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Tensor:
    """Where the step between neighbours is above half a period, all that follows moves by whole periods."""
    step, half = floating(p).diff(dim=axis), period / 2
    near = own("remainder")(step + half, period) - half
    near = own("where")((near == -half) & (step > 0), half, near)
    moves = without(near - step, step.abs() >= (half if discont is None else builtins.max(discont, half)), 0)
    count = moves.shape[axis]
    first = p.shape[axis] - count
    return cat([p.narrow(axis, 0, first), p.narrow(axis, first, count) + moves.cumsum(axis)], axis)


def apply_along_axis(func1d: Any, axis: int, arr: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """What the function makes of a row stands in the place of the axis."""
    rows = arr.movedim(axis, -1)
    parts = [tensor(func1d(row, *args, **kwargs), arr) for row in rows.reshape(-1, rows.shape[-1])]
    y = stacked(parts).reshape((*rows.shape[:-1], *parts[0].shape))
    first, new = one_dim(axis, arr.ndim), range(parts[0].ndim)
    return y.movedim([rows.ndim - 1 + i for i in new], [first + i for i in new])


# ---------------------------------------------------------------- orders and places


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


def searchsorted(a: Tensor, v: Tensor, side: str = "left", sorter: Unused = None) -> Tensor:
    kind = dtypes.result_type(a, v)
    return own("searchsorted")(a.to(kind), v.to(kind), side=side)


# ---------------------------------------------------------------- some elements, or more


def _picked(a: Tensor, axis: int | None, places: Any) -> Tensor:
    """The elements along an axis whose numbers ``places`` makes of all of them."""
    a, axis = flat(a, axis)
    return a.index_select(
        axis, creation.tensor(places(np.arange(a.shape[axis])).tolist(), dtype=dtypes.int64)
    )


def _array(places: Any) -> Any:
    """Places for NumPy, which a program may have in a Tensor."""
    if not isinstance(places, Tensor):
        return places
    needs_value("np.delete(), np.insert() or np.partition()")
    return places.numpy(force=True)


def compress(condition: Tensor, a: Tensor, axis: int | None = None, out: Unused = None) -> Tensor:
    needs_value("np.compress()")
    chosen = condition.numpy(force=True)
    return _picked(a, axis, lambda places: np.compress(chosen, places))


def extract(condition: Tensor, arr: Tensor) -> Tensor:
    return compress(condition.reshape(-1), arr)


def delete(arr: Tensor, obj: Any, axis: int | None = None) -> Tensor:
    return _picked(arr, axis, lambda places: np.delete(places, _array(obj)))


def insert(arr: Tensor, obj: Any, values: Tensor, axis: int | None = None) -> Tensor:
    """Values for several places stand along the axis, and so do several for one place in a list."""
    arr, axis = flat(arr, axis)
    obj = _array(obj)
    axis, count = one_dim(axis, arr.ndim), arr.shape[axis]
    values = values.to(arr.dtype)
    values = values.reshape((1,) * (arr.ndim - values.ndim) + tuple(values.shape))
    several = len(np.insert(np.zeros(count), obj, 0)) - count
    if several == 1 and not isinstance(obj, slice):
        values = values.movedim(0, axis) if np.ndim(obj) == 0 else values
        several = values.shape[axis]
    more = values.broadcast_to((*arr.shape[:axis], several, *arr.shape[axis + 1 :]))
    order = np.insert(np.arange(count), obj, np.arange(count, count + several))
    return cat([arr, more], axis).index_select(axis, creation.tensor(order.tolist()))


def partition(
    a: Tensor, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Unused = None
) -> Tensor:
    needs_value("np.partition()")
    a, axis = flat(a, axis)
    places = np.argpartition(a.numpy(force=True), _array(kth), axis)
    return a.take_along_dim(creation.from_numpy(places), axis)


# ---------------------------------------------------------------- of vectors


def convolve(a: Tensor, v: Tensor, mode: str = "full") -> Tensor:
    a, v = (a, v) if len(a) >= len(v) else (v, a)
    return correlate(a, v.flip(0).conj(), mode)


def correlate(a: Tensor, v: Tensor, mode: str = "valid") -> Tensor:
    if mode not in ("full", "same", "valid") or not len(a) or not len(v):
        raise value_error(
            f"np.convolve and np.correlate take two vectors, and full, same or valid as mode, not {mode!r}"
        )
    if len(v) > len(a):
        return correlate(v, a, mode).flip(0).conj()
    kind, size = dtypes.result_type(a, v), len(v)
    before, after = {"full": (size - 1, size - 1), "same": (size // 2, (size - 1) // 2), "valid": (0, 0)}[
        mode
    ]
    ends = [creation.zeros(n, dtype=kind) for n in (before, after)]
    return cat([ends[0], a.to(kind), ends[1]], 0).unfold(0, size, 1) @ v.to(kind).conj()


def interp(
    x: Tensor,
    xp: Tensor,
    fp: Tensor,
    left: Operand = None,
    right: Operand = None,
    period: float | None = None,
) -> Tensor:
    if period is not None:
        period = abs(period)
        x, (xp, order) = x % period, (xp % period).sort()
        xp = cat([xp[-1:] - period, xp, xp[:1] + period], 0)
        fp = fp[order]
        fp, left, right = cat([fp[-1:], fp, fp[:1]], 0), None, None
    last = len(xp) - 1
    i = (searchsorted(xp.detach(), x.detach(), "right") - 1).clamp(0, max(last - 1, 0))
    j = (i + 1).clamp(max=last)
    width = xp[j] - xp[i]
    y = fp[i] + (x - xp[i]) * ((fp[j] - fp[i]) / without(width, width != 0, 1))
    y = own("where")(x < xp[0], fp[0] if left is None else left, y)
    return own("where")(x > xp[-1], fp[-1] if right is None else right, y)


def bincount(x: Tensor, /, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    if weights is None:
        return x.bincount(minlength=minlength)
    needs_value("np.bincount()")
    count = max(minlength, int(x.max()) + 1 if x.numel() else 0)
    return creation.zeros(count, dtype=floating(weights).dtype).index_add(0, x, floating(weights))


def cov(
    m: Tensor,
    y: Tensor | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
    *,
    dtype: Unused = None,
) -> Tensor:
    less = (0 if bias else 1) if ddof is None else ddof
    return own("cov")(_variables(m, y, rowvar), correction=less, fweights=fweights, aweights=aweights)


def corrcoef(x: Tensor, y: Tensor | None = None, rowvar: bool = True, *, dtype: Unused = None) -> Tensor:
    return own("corrcoef")(_variables(x, y, rowvar))


def _variables(m: Tensor, y: Tensor | None, rowvar: bool) -> Tensor:
    """Variables as rows, those of ``y`` below."""
    parts = [floating(x if x.ndim < 2 or rowvar or len(x) == 1 else x.T) for x in (m, y) if x is not None]
    return parts[0] if y is None else cat([x.reshape(-1, x.shape[-1]) for x in parts], 0)

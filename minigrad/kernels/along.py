"""Maxima, and weighted sums, of neighbours along each of the last dimensions: pooling and resizing.

What is taken along a dimension is told by a tuple, its *plan*:

- ``("window", size, kernel, stride, pad, dilation, out)``: maxima of windows
- ``("mean", size, kernel, stride, pad, out, include)``: means of windows, which count padding with ``include``
- ``("sum", size, kernel, stride, pad, out)``: their sums
- ``("adaptive", size, out)``: as many parts, of sizes that differ by one or two
- ``("nearest" | "nearest-exact", size, out, scale)``, ``("linear" | "cubic", size, out, scale, align)``: resizing by
  the step ``scale``, which is 0.0 where it follows from the sizes

One dimension is worked on after the other: windows of 3 x 3 take 3 + 3 steps.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.kernels.sums import add_up
from minigrad.kernels.windows import covered

Array = np.ndarray[Any, Any]
Plan = tuple[Any, ...]


class Tap(NamedTuple):
    """Neighbours that outputs have in common: where the outputs stand, and where their neighbours."""

    here: Any  # a slice of outputs
    there: Any  # a slice of inputs, or increasing numbers of them
    weight: Any = None  # a number for each output


class Table(NamedTuple):
    """A plan, worked out."""

    out: int
    taps: tuple[Tap, ...]
    parts: tuple[slice, ...] = ()  # in place of taps: the neighbours of each output
    counts: Any = None  # what sums are divided by


@functools.lru_cache(maxsize=512)
def table(plan: Plan) -> Table:
    """What a plan says, as slices, numbers and weights."""
    kind, size, *rest = plan
    if kind == "adaptive":
        (out,) = rest
        starts = [k * size // out for k in range(out)]
        stops = [-(-(k + 1) * size // out) for k in range(out)]
        parts = tuple(map(slice, starts, stops))
        return Table(out, (), parts, np.subtract(stops, starts).astype(np.float64))
    if kind in ("window", "mean", "sum"):
        kernel, stride, pad, *rest = rest
        gap = rest.pop(0) if kind == "window" else 1
        return _windows(size, kernel, stride, pad, gap, rest[0], kind, *rest[1:])
    if kind == "linear":
        return _linear(size, *rest)
    return _cubic(size, *rest) if kind == "cubic" else _nearest(size, *rest, exact=kind == "nearest-exact")


def _windows(
    size: int, kernel: int, stride: int, pad: int, gap: int, out: int, kind: str, include: bool = True
) -> Table:
    counts = None
    if kind == "mean":
        starts = np.arange(out) * stride - pad
        stops = np.minimum(starts + kernel, size + pad)
        if not include:
            starts, stops = np.maximum(starts, 0), np.minimum(stops, size)
        counts = (stops - starts).astype(np.float64)
    if out < kernel:
        parts = []
        for k in range(out):
            start, stop = k * stride - pad, min(k * stride - pad + (kernel - 1) * gap + 1, size)
            parts.append(slice(start if start >= 0 else start % gap, max(stop, 0), gap))
        return Table(out, (), tuple(parts), counts)
    taps = []
    for k in range(kernel):
        first, last = covered(size, out, stride, k * gap - pad)
        if first < last:
            start = first * stride + k * gap - pad
            taps.append(
                Tap(slice(first, last), slice(start, start + (last - first - 1) * stride + 1, stride))
            )
    return Table(out, tuple(taps), (), counts)


def _steps(size: int, out: int, scale: float, align: bool) -> Array:
    """Where each output stands among the inputs."""
    if align:
        return np.arange(out) * ((size - 1) / (out - 1) if out > 1 else 0.0)
    return (np.arange(out) + 0.5) * (scale or size / out) - 0.5


def _nearest(size: int, out: int, scale: float, exact: bool) -> Table:
    step = np.float32(scale or np.float32(size) / np.float32(out))  # PyTorch computes in float32
    at = np.floor((np.arange(out, dtype=np.float32) + np.float32(0.5 if exact else 0.0)) * np.float32(step))
    return Table(out, (Tap(slice(None), np.minimum(at.astype(np.int64), size - 1)),))


def _linear(size: int, out: int, scale: float, align: bool) -> Table:
    at = np.maximum(_steps(size, out, scale, align), 0.0)
    low = np.minimum(at.astype(np.int64), size - 1)
    high = np.minimum(low + 1, size - 1)
    t = np.clip(at - low, 0.0, 1.0)
    return Table(out, (Tap(slice(None), low, 1.0 - t), Tap(slice(None), high, t)))


def _cubic(size: int, out: int, scale: float, align: bool) -> Table:
    at = _steps(size, out, scale, align)
    low = np.floor(at)
    t, a = at - low, -0.75
    first = low.astype(np.int64) - 1

    def near(x: Array) -> Array:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Array) -> Array:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    weights = (far(t + 1), near(t), near(1 - t), far(2 - t))
    taps = [Tap(slice(None), np.clip(first + k, 0, size - 1), w) for k, w in enumerate(weights)]
    return Table(out, tuple(taps))


def _part(x: Array, axis: int, where: Any) -> Array:
    if isinstance(where, np.ndarray):
        return np.take(x, where, axis)
    view: Array = x[(slice(None),) * (axis % x.ndim) + (where,)]
    return view


def _along(v: Any, axis: int, dtype: Any) -> Any:
    """One number for each place of an axis that is counted from the end."""
    return np.asarray(v, dtype).reshape(-1, *[1] * (-axis - 1))


def _shape(x: Array, axis: int, n: int) -> tuple[int, ...]:
    shape = [*x.shape]
    shape[axis] = n
    return tuple(shape)


def _axes(plans: Sequence[Plan]) -> list[tuple[int, Plan]]:
    """The dimensions with their plans, the last one first."""
    return [(-1 - k, plan) for k, plan in enumerate(reversed(plans))]


# ---------------------------------------------------------------- weighted sums


def resample(x: Array, plans: tuple[Plan, ...]) -> Array:
    """The weighted sums of neighbours along the last dimensions."""
    y = x.astype(np.float32) if x.dtype.char == "e" else np.ascontiguousarray(x)
    for axis, plan in _axes(plans):
        y = _sums(y, axis, table(plan))
    return y.astype(x.dtype, copy=False)


def _sums(x: Array, axis: int, t: Table) -> Array:
    shape = _shape(x, axis, t.out)
    if t.parts:
        y = np.empty(shape, x.dtype)
        for k, part in enumerate(t.parts):
            _part(y, axis, slice(k, k + 1))[...] = add_up(_part(x, axis, part), (x.ndim + axis,), True)
    else:
        y = _tapped(x, axis, t, shape)
    if t.counts is not None:
        y /= _along(t.counts, axis, x.dtype)
    return y


def _tapped(x: Array, axis: int, t: Table, shape: tuple[int, ...]) -> Array:
    y: Array | None = None
    if len(t.taps) > 1 and all(tap.here == slice(0, t.out) and tap.weight is None for tap in t.taps[:2]):
        y = np.add(_part(x, axis, t.taps[0].there), _part(x, axis, t.taps[1].there))
    rest = t.taps if y is None else t.taps[2:]
    if y is None and t.taps and t.taps[0].here == slice(None):
        y, rest = _weighted(x, axis, t.taps[0]), t.taps[1:]
    if y is None:
        y = np.zeros(shape, x.dtype)
    for tap in rest:
        part = _part(y, axis, tap.here)
        part += _weighted(x, axis, tap)
    return y


def _weighted(x: Array, axis: int, tap: Tap) -> Array:
    y = _part(x, axis, tap.there)
    return y if tap.weight is None else y * _along(tap.weight, axis, x.dtype)


def resample_back(g: Array, plans: tuple[Plan, ...]) -> Array:
    """The gradient of `resample` for its input."""
    x = g.astype(np.float32) if g.dtype.char == "e" else np.ascontiguousarray(g)
    for axis, plan in reversed(_axes(plans)):
        x = _spread(x, axis, table(plan), plan[1])
    return x.astype(g.dtype, copy=False)


def _spread(g: Array, axis: int, t: Table, size: int) -> Array:
    x = np.zeros(_shape(g, axis, size), g.dtype)
    if t.counts is not None:
        g = g / _along(t.counts, axis, g.dtype)
    for k, where in enumerate(t.parts):
        part = _part(x, axis, where)
        part += _part(g, axis, slice(k, k + 1))
    for tap in t.taps:
        _add_to(x, axis, tap, _part(g, axis, tap.here))
    return x


def _add_to(x: Array, axis: int, tap: Tap, g: Array) -> None:
    if tap.weight is not None:
        g = g * _along(tap.weight, axis, g.dtype)
    if not isinstance(tap.there, np.ndarray):
        part = _part(x, axis, tap.there)
        part += g
        return
    # The numbers increase, so that those of one input stand together.
    first = np.flatnonzero(np.diff(tap.there, prepend=-1))
    if len(first) < len(tap.there):
        g = np.add.reduceat(g, first, axis) if g.size else _part(g, axis, first)
    to = tap.there[first]
    x[(..., to, *[slice(None)] * (-axis - 1))] += g


# ---------------------------------------------------------------- maxima


def max_pool(x: Array, plans: tuple[Plan, ...]) -> Array:
    """The maximum of neighbours along the last dimensions; nan if one is."""
    return _maxima(x, plans)[-1]


def _maxima(x: Array, plans: tuple[Plan, ...]) -> list[Array]:
    """The input, and the maxima after each dimension, the last one first."""
    steps = [np.ascontiguousarray(x)]
    for axis, plan in _axes(plans):
        steps.append(_maximum(steps[-1], axis, table(plan)))
    return steps


def _maximum(x: Array, axis: int, t: Table) -> Array:
    shape = _shape(x, axis, t.out)
    if t.parts:
        y = np.empty(shape, x.dtype)
        for k, part in enumerate(t.parts):
            np.maximum.reduce(_part(x, axis, part), axis, keepdims=True, out=_part(y, axis, slice(k, k + 1)))
        return y
    if len(t.taps) > 1 and all(tap.here == slice(0, t.out) for tap in t.taps[:2]):
        y, rest = np.maximum(_part(x, axis, t.taps[0].there), _part(x, axis, t.taps[1].there)), t.taps[2:]
    else:
        y, rest = np.full(shape, -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min, x.dtype), t.taps
    for tap in rest:
        part = _part(y, axis, tap.here)
        np.maximum(part, _part(x, axis, tap.there), out=part)
    return y


def _winners(x: Array, y: Array, axis: int, t: Table) -> Any:
    """By tap, which outputs have their maximum there: the first that is as large, the last that is nan."""
    open_ = np.ones(y.shape, bool)
    won = []
    for tap in t.taps:
        still = _part(open_, axis, tap.here)
        won.append(np.equal(_part(x, axis, tap.there), _part(y, axis, tap.here)))
        won[-1] &= still
        still ^= won[-1]
    if open_.any():
        for tap, mask in zip(reversed(t.taps), reversed(won), strict=True):
            still = _part(open_, axis, tap.here)
            nan = np.isnan(_part(x, axis, tap.there)) & still
            mask |= nan
            still ^= nan
    return zip(t.taps, won, strict=True)


def _numbers(x: Array, axis: int, t: Table) -> Array:
    """The place along the dimension where each output has its maximum."""
    y = _maximum(x, axis, t)
    at = np.zeros(y.shape, np.int64)
    for k, part in enumerate(t.parts):
        view = _part(x, axis, part)
        first = view.argmax(axis, keepdims=True)
        nan = np.isnan(view)
        if nan.any():
            last = view.shape[axis] - 1 - np.flip(nan, axis).argmax(axis, keepdims=True)
            first = np.where(nan.any(axis, keepdims=True), last, first)
        _part(at, axis, slice(k, k + 1))[...] = first * (part.step or 1) + part.start
    if not t.parts:
        for tap, won in _winners(x, y, axis, t):
            n = np.arange(tap.there.start, tap.there.stop, tap.there.step)
            np.copyto(_part(at, axis, tap.here), _along(n, axis, np.int64), where=won)
    return at


def max_pool_indices(x: Array, plans: tuple[Plan, ...]) -> Array:
    """Where each maximum of `max_pool` stands, counted row by row through the last dimensions."""
    steps, sizes = _maxima(x, plans), x.shape[x.ndim - len(plans) :]
    at: Array | None = None
    stride = 1
    for (axis, plan), before in zip(_axes(plans), steps, strict=False):
        here = _numbers(before, axis, table(plan))
        at = here * stride if at is None else np.take_along_axis(at, here, axis) + here * stride
        stride *= sizes[axis]
    return np.zeros(x.shape, np.int64) if at is None else at


def max_unpick(g: Array, x: Array, plans: tuple[Plan, ...]) -> Array:
    """The gradient of `max_pool` for its input ``x``: each element of ``g`` where the maximum stands."""
    steps = _maxima(x, plans)
    axes = list(zip(_axes(plans), steps, steps[1:], strict=False))
    for (axis, plan), before, after in reversed(axes):
        g = _unpick(g, before, after, axis, table(plan))
    return g


def _unpick(g: Array, x: Array, y: Array, axis: int, t: Table) -> Array:
    out = np.zeros(x.shape, g.dtype)
    if t.parts:
        at = _numbers(x, axis, t)
        for k, _ in enumerate(t.parts):
            here = slice(k, k + 1)
            place = _part(at, axis, here)
            was = np.take_along_axis(out, place, axis)
            np.put_along_axis(out, place, was + _part(g, axis, here), axis)
        return out
    for tap, won in _winners(x, y, axis, t):
        part = _part(out, axis, tap.there)
        part += np.where(won, _part(g, axis, tap.here), g.dtype.type(0))
    return out


def max_pick(u: Array, x: Array, plans: tuple[Plan, ...]) -> Array:
    """What stands in ``u`` where ``x`` has the maxima that `max_pool` gives."""
    lead = x.shape[: x.ndim - len(plans)]
    at = max_pool_indices(x, plans)
    count = math.prod(lead)
    flat, places = (
        u.reshape(count, math.prod(x.shape[len(lead) :])),
        at.reshape(count, math.prod(at.shape[len(lead) :])),
    )
    return np.take_along_axis(flat, places, 1).reshape(at.shape)

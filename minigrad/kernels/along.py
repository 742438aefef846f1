"""Weighted sums of neighbours along each of the last dimensions, for pooling and resizing; maxima are in `maxima`.

A tuple, its *plan*, says what is taken along a dimension:

- ``("window", size, kernel, stride, pad, dilation, out)``: maxima of windows
- ``("mean", size, kernel, stride, pad, out, include)``: means of windows, which count padding with ``include``
- ``("sum", size, kernel, stride, pad, out)``: their sums
- ``("adaptive", size, out)``: as many parts, of sizes that differ by one or two
- ``("nearest" | "nearest-exact", size, out, scale)``, ``("linear" | "cubic", size, out, scale, align)``: resizing by
  the step ``scale``, which is 0.0 where it follows from the sizes; ``"linear-wide"`` and ``"cubic-wide"`` average

One dimension is worked on after the other: windows of 3 x 3 take 3 + 3 steps.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.buffers import Empty
from minigrad.kernels.sharing import BLOCK, block, blocks
from minigrad.kernels.sums import add_up
from minigrad.kernels.windows import covered

Array = np.ndarray[Any, Any]
Plan = tuple[Any, ...]


# A tap is what outputs have in common: where these stand (a slice), where their neighbours do (a slice or numbers that
# increase), and a weight for each or None.  A table has the number of outputs, the taps or in place of them a slice of
# neighbours for each output, and what the sums are divided by or None.
Tap = tuple[Any, Any, Any]
Table = tuple[int, tuple[Tap, ...], tuple[slice, ...], Any]


@functools.lru_cache(maxsize=512)
def table(plan: Plan) -> Table:
    """What a plan says, as slices, numbers and weights."""
    kind, size = plan[:2]
    if kind == "adaptive":
        out = plan[2]
        if (windows := as_window(plan)) is not plan:
            return out, *_window_taps(*windows[1:]), np.full(out, float(windows[2]))
        starts = [k * size // out for k in range(out)]
        stops = [-(-(k + 1) * size // out) for k in range(out)]
        return out, (), tuple(map(slice, starts, stops)), np.subtract(stops, starts).astype(np.float64)
    if kind == "window":
        _, _, kernel, stride, pad, gap, out = plan
        return out, *_window_taps(size, kernel, stride, pad, gap, out), None
    if kind == "sum" or kind == "mean":
        kernel, stride, pad, out = plan[2:6]
        counts = _counts(plan) if kind == "mean" else None
        return out, *_window_taps(size, kernel, stride, pad, 1, out), counts
    out, scale = plan[2:4]
    if kind == "linear-wide" or kind == "cubic-wide":
        taps = _wide(plan)
    elif kind == "linear":
        taps = _linear(size, out, scale, plan[4])
    elif kind == "cubic":
        taps = _cubic(size, out, scale, plan[4])
    else:
        taps = _nearest(size, out, scale, kind == "nearest-exact")
    return out, taps, (), None


def as_window(plan: Plan) -> Plan:
    """A plan; for parts that are equally long, that of windows side by side."""
    if plan[0] != "adaptive" or not plan[2] or plan[1] % plan[2]:
        return plan
    _, size, out = plan
    return "window", size, size // out, size // out, 0, 1, out


def _counts(plan: Plan) -> Array:
    """How many elements the windows have."""
    _, size, kernel, stride, pad, out, include = plan
    starts = np.arange(out) * stride - pad
    stops = np.minimum(starts + kernel, size + pad)
    if not include:
        starts, stops = np.maximum(starts, 0), np.minimum(stops, size)
    return (stops - starts).astype(np.float64)


def _window_taps(size: int, kernel: int, stride: int, pad: int, gap: int, out: int) -> Any:
    """The taps and parts of windows."""
    if out < kernel:
        parts = []
        for k in range(out):
            start, stop = k * stride - pad, min(k * stride - pad + (kernel - 1) * gap + 1, size)
            parts.append(slice(start if start >= 0 else start % gap, max(stop, 0), gap))
        # A window with gaps may stand in the padding alone: it has no part.
        if all(part.start < part.stop for part in parts):
            return (), tuple(parts)
    taps = []
    for k in range(kernel):
        first, last = covered(size, out, stride, k * gap - pad)
        if first < last:
            start = first * stride + k * gap - pad
            there = slice(start, start + (last - first - 1) * stride + 1, stride)
            taps.append((slice(first, last), there, None))
    return tuple(taps), ()


def _steps(size: int, out: int, scale: float, align: bool) -> Array:
    """Where each output stands among the inputs."""
    if align:
        return np.arange(out) * ((size - 1) / (out - 1) if out > 1 else 0.0)
    return (np.arange(out) + 0.5) * (scale or size / out) - 0.5


def _nearest(size: int, out: int, scale: float, exact: bool) -> tuple[Tap, ...]:
    # PyTorch computes in float32.
    step = np.float32(scale) if scale else np.float32(size) / np.float32(out)
    at = np.floor((np.arange(out, dtype=np.float32) + np.float32(0.5 if exact else 0.0)) * step)
    return ((slice(0, out), np.minimum(at.astype(np.int64), size - 1), None),)


def _linear(size: int, out: int, scale: float, align: bool) -> tuple[Tap, ...]:
    at = np.maximum(_steps(size, out, scale, align), 0.0)
    low = np.minimum(at.astype(np.int64), size - 1)
    t = np.clip(at - low, 0.0, 1.0)
    return (slice(0, out), low, 1.0 - t), (slice(0, out), np.minimum(low + 1, size - 1), t)


def near(x: Any) -> Any:
    """Keys' cubic kernel with a = -3/4, up to 1."""
    return (1.25 * x - 2.25) * x * x + 1.0


def far(x: Any) -> Any:
    """The same from 1 to 2."""
    return ((-0.75 * x + 3.75) * x - 6.0) * x + 3.0


def _cubic(size: int, out: int, scale: float, align: bool) -> tuple[Tap, ...]:
    at = _steps(size, out, scale, align)
    low = np.floor(at)
    t = at - low
    first = low.astype(np.int64) - 1
    weights = (far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t))
    return tuple((slice(0, out), np.clip(first + k, 0, size - 1), weights[k]) for k in range(4))


def _wide(plan: Plan) -> tuple[Tap, ...]:
    """Resizing with a kernel that is as wide as the step, which averages where the result is smaller."""
    kind, size, out, scale, align = plan
    step = (size - 1) / max(out - 1, 1) if align else scale or size / out
    reach, stretch = (1.0 if kind == "linear-wide" else 2.0) * max(step, 1.0), max(step, 1.0)
    centre = step * (np.arange(out) + 0.5)
    first = np.maximum((centre - reach + 0.5).astype(np.int64), 0)
    counts = np.minimum((centre + reach + 0.5).astype(np.int64), size) - first
    numbers = np.arange(int(counts.max()))
    x = np.abs((first[:, None] + numbers - centre[:, None] + 0.5) / stretch)
    if kind == "linear-wide":
        weights = np.maximum(1.0 - x, 0.0)
    else:  # Keys' kernel with a = -1/2
        outer = np.where(x < 2.0, ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0, 0.0)
        weights = np.where(x < 1.0, (1.5 * x - 2.5) * x * x + 1.0, outer)
    weights = np.where(numbers < counts[:, None], weights, 0.0)
    weights /= weights.sum(1, keepdims=True)
    taps = []
    for k in range(len(numbers)):
        here = np.flatnonzero(numbers[k] < counts)
        taps.append((_as_slice(here), first[here] + k, weights[here, k]))
    return tuple(taps)


@functools.lru_cache(maxsize=512)
def turned(plan: Plan) -> tuple[Tap, ...]:
    """The taps of a plan for resizing the other way: what each input gets from outputs."""
    out, taps, _, _ = table(plan)
    inputs = np.concatenate([tap[1] for tap in taps])
    outputs = np.concatenate([_part(np.arange(out), -1, tap[0]) for tap in taps])
    weights = np.concatenate([np.ones(out) if tap[2] is None else tap[2] for tap in taps])
    order = np.argsort(inputs, kind="stable")
    inputs, outputs, weights = inputs[order], outputs[order], weights[order]
    first = np.searchsorted(inputs, inputs)
    number = np.arange(len(inputs)) - first  # among those of the same input
    result = []
    for k in range(int(number.max(initial=-1)) + 1):
        here, there, weight = inputs[number == k], outputs[number == k], weights[number == k]
        result.append((_as_slice(here), _as_slice(there), None if taps[0][2] is None else weight))
    return tuple(result)


def _as_slice(numbers: Array) -> Any:
    """The slice that has these numbers, if one has."""
    step = int(numbers[1] - numbers[0]) if len(numbers) > 1 else 1
    same = step > 0 and np.array_equal(numbers, numbers[0] + step * np.arange(len(numbers)))
    return slice(int(numbers[0]), int(numbers[-1]) + 1, step) if same else numbers


def _part(x: Array, axis: int, where: Any) -> Array:
    if isinstance(where, np.ndarray):
        return np.take(x, where.astype(np.intp, copy=False), axis)
    return x[(slice(None),) * (axis % x.ndim) + (where,)]


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


@functools.lru_cache(maxsize=512)
def in_turn(plans: tuple[Plan, ...]) -> list[tuple[int, Plan]]:
    """The dimensions with their plans in the order in which `resample` takes them.

    Of parts the last dimension comes last: along that NumPy takes longest to add up, and there are fewer rows then.
    """
    return _axes(plans)[:: -1 if any(table(plan)[2] for plan in plans) else 1]


def _pair(taps: tuple[Tap, ...], out: int) -> bool:
    """Whether the first two taps are of all outputs, so that these need no value to begin with."""
    return len(taps) > 1 and all(tap[0] == slice(0, out) for tap in taps[:2])


# ---------------------------------------------------------------- weighted sums


def resample(x: Array, plans: tuple[Plan, ...], empty: Empty = np.empty) -> Array:
    """The weighted sums of neighbours along the last dimensions."""
    y = np.ascontiguousarray(x)
    if all(plan[0] == "adaptive" and plan[2] == 1 for plan in plans):
        sizes = y.shape[y.ndim - len(plans) :]
        total: Array = add_up(y, tuple(range(y.ndim - len(plans), y.ndim)), True)
        return np.divide(total, math.prod(sizes)).astype(x.dtype, copy=False)

    return _by_images(_sums, y, in_turn(plans), [table(plan)[0] for plan in plans], empty)


def _by_images(
    step: Callable[..., Array], x: Array, turns: list[tuple[int, Plan]], sizes: list[int], empty: Empty
) -> Array:
    """One ``step`` after the other, of a few images at a time, so that what is between stays in the cache.

    The images have these ``sizes`` then.
    """
    outer = x.shape[: x.ndim - len(sizes)]
    y = empty((*outer, *sizes), x.dtype)
    *first, (axis, plan) = turns

    def some(images: Array, results: Array) -> None:
        for along, by in first:
            images = step(images, along, by)
        step(images, axis, plan, results)

    if (size := max(x.size, y.size)) <= BLOCK:
        some(x, y)
        return y
    images, results = (a.reshape(math.prod(outer), *a.shape[len(outer) :]) for a in (x, y))
    each = max(block(size) * len(images) // size, 1)

    def work(starts: Iterator[int]) -> None:
        for k in starts:
            some(images[k : k + each], results[k : k + each])

    blocks(work, len(images), each)
    return y


def _sums(x: Array, axis: int, plan: Plan, y: Array | None = None) -> Array:
    """The sums along one dimension, written into ``y`` if that is given."""
    out, taps, parts, counts = table(plan)
    y = np.empty(_shape(x, axis, out), x.dtype) if y is None else y
    if not (_pair(taps, out) and taps[0][2] is None):
        y.fill(0)
    else:
        np.add(_part(x, axis, taps[0][1]), _part(x, axis, taps[1][1]), out=y)
        taps = taps[2:]
    for k, where in enumerate(parts):
        _part(y, axis, slice(k, k + 1))[...] = add_up(_part(x, axis, where), (x.ndim + axis,), True)
    for tap in taps:
        _add(y, axis, tap, x)
    if counts is not None:
        y /= _along(counts, axis, x.dtype)
    return y


def _add(y: Array, axis: int, tap: Tap, x: Array) -> None:
    """Adds the neighbours of a tap to its outputs."""
    here, there, weight = tap
    values = _part(x, axis, there)
    if weight is not None:
        values = values * _along(weight, axis, x.dtype)
    if isinstance(here, np.ndarray):
        y[(slice(None),) * (axis % y.ndim) + (here,)] += values
    else:
        part = _part(y, axis, here)
        part += values


def resample_back(g: Array, plans: tuple[Plan, ...], empty: Empty = np.empty) -> Array:
    """The gradient of `resample` for its input."""
    x = np.ascontiguousarray(g)
    return _by_images(_spread, x, in_turn(plans)[::-1], [plan[1] for plan in plans], empty)


def _spread(g: Array, axis: int, plan: Plan, x: Array | None = None) -> Array:
    """What `_sums` does, the other way."""
    _, taps, parts, counts = table(plan)
    x = np.empty(_shape(g, axis, plan[1]), g.dtype) if x is None else x
    x.fill(0)
    if counts is not None:
        g = g / _along(counts, axis, g.dtype)
    for k, where in enumerate(parts):
        part = _part(x, axis, where)
        part += _part(g, axis, slice(k, k + 1))
    if taps and isinstance(taps[0][1], np.ndarray):
        for tap in turned(plan):
            _add(x, axis, tap, g)
    else:
        for here, there, _ in taps:
            part = _part(x, axis, there)
            part += _part(g, axis, here)
    return x

"""Batch, group and instance norm with a weight for each channel, and their gradients.

The input is taken as (examples, channels, rest).  Mean and variance are those of each of ``groups`` groups of an
example's channels, or with 0 groups those of each channel over all examples.
"""

from __future__ import annotations

import contextvars
import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from minigrad.buffers import Empty
from minigrad.kernels.sums import SHORT, add_up, ones, sum_rows

Array = np.ndarray[Any, Any]

BLOCK = 1 << 19  # elements of a block of examples: what is between stays in the cache
FEW = 16  # elements of a channel below which it takes less time to repeat its factor than to broadcast it
# Elements of a channel below which a product with ones adds up in a third of the time of `np.vecdot`.
ROW = 64
# Elements of a channel, and of all, from which NumPy broadcasts in half the time with small buffers.
DIRECT, LARGE = 256, 1 << 14

# The sizes: examples, channels, the rest, and groups.
Sizes: TypeAlias = tuple[int, int, int, int]


def _sizes(shape: tuple[int, ...], groups: int) -> Sizes:
    return shape[0], shape[1], math.prod(shape[2:]), groups


def _taken(x: Array, sizes: Sizes) -> Array:
    """An array as (examples, channels, rest), or with short channels as (examples, all others)."""
    _, channels, rest, _ = sizes
    x = np.ascontiguousarray(x)  # a sum may round by how its terms lie
    return x.reshape(-1, channels, rest) if rest >= FEW else x.reshape(-1, channels * rest)


def _of_groups(sizes: Sizes) -> Sizes:
    """The sizes in which a group is a channel: NumPy takes less time for longer rows."""
    n, channels, rest, groups = sizes
    return (n, groups, channels // groups * rest, groups) if groups else sizes


def _of_channels(x: Any, sizes: Sizes) -> Any:
    """Numbers of groups as those of channels."""
    return _repeated(x, sizes[1] // sizes[3]) if sizes[3] else x


def _step(sizes: Sizes) -> int:
    """The examples of a block, which needs no others."""
    n, channels, rest, groups = sizes
    return max(BLOCK // (channels * rest), 1) if groups else n


def _spread(x: Any, sizes: Sizes) -> Any:
    """Numbers of channels, so that they broadcast against elements."""
    return x[:, :, None] if sizes[2] >= FEW else _repeated(x, sizes[2])


def _sums(x: Array, y: Array | None, sizes: Sizes) -> Any:
    """The sums of each channel's elements, or of their products, for each example or for all."""
    rest, across = sizes[2], not sizes[3]
    if ROW <= rest <= SHORT:
        parts = np.vecdot(x, ones(rest, x.dtype.char) if y is None else y)
        return add_up(parts, (0,), True) if across else parts
    parts = x if y is None else x * y
    if across and rest < FEW:
        parts = sum_rows(parts).reshape(1, -1)
    if rest > 1:
        parts = _of_rows(parts.reshape(-1, rest)).reshape(len(parts), -1)
    return add_up(parts, (0,), True) if across and rest >= FEW else parts


def _means(sums: Any, sizes: Sizes) -> Any:
    """The mean of each group, from sums of channels."""
    n, channels, rest, groups = sizes
    if not groups:
        return sums / (n * rest)
    each = channels // groups
    total = sums if each == 1 else _of_rows(sums.reshape(-1, each)).reshape(-1, groups)
    return total / (each * rest)


def _deviations(x: Array, sizes: Sizes, eps: float, out: Array, seen: Array | None = None) -> Any:
    """One over the root of each group's variance; what is less the mean is written into ``out``.

    Into ``seen`` are written the means of channels, and the sums of squares of what is less these.
    """
    wide = _of_groups(sizes)
    mean = _means(_sums(x, None, sizes), sizes)
    np.subtract(_taken(x, wide), _spread(mean, wide), _taken(out, wide))
    squares = _sums(out, out, sizes)
    if seen is not None:
        seen[0], seen[1] = mean[0], squares[0]
    return 1.0 / np.sqrt(_means(squares, sizes) + eps)


def _repeated(x: Any, times: int) -> Any:
    """Each element of a matrix's rows that many times: a copy takes a tenth of the time of `np.repeat`."""
    return x if times == 1 else np.broadcast_to(x[:, :, None], (*x.shape, times)).reshape(len(x), -1)


def _of_rows(x: Array) -> Any:
    """The sum of each row, as a vector."""
    return np.add.reduce(x, axis=1) if x.shape[1] > SHORT else np.dot(x, ones(x.shape[1], x.dtype.char))


def _with_small_buffers(kernel: Callable[..., None]) -> Callable[..., None]:
    """A kernel of sizes and arrays, in which NumPy copies no number of a channel into a buffer as a whole row."""

    @functools.wraps(kernel)
    def run(sizes: Sizes, *args: Any) -> None:
        if sizes[2] < DIRECT or args[0].size < LARGE:
            return kernel(sizes, *args)
        # The size belongs to a context in which nothing else runs, so no interrupt can leave it on.
        context = contextvars.copy_context()
        context.run(np.setbufsize, 16)
        return context.run(kernel, sizes, *args)

    return run


def moments(x: Array, correction: float, empty: Empty = np.empty) -> Any:
    """The mean and the variance of each channel over all examples, as two rows."""
    sizes = _sizes(x.shape, 0)
    out = np.empty((2, sizes[1]), x.dtype)
    _moments(sizes, _taken(x, sizes), correction, out, empty)
    return out


@_with_small_buffers
def _moments(sizes: Sizes, x: Array, correction: float, out: Array, empty: Empty) -> None:
    mean = _means(_sums(x, None, sizes), sizes)
    c = np.subtract(x, _spread(mean, sizes), empty(x.shape, x.dtype))
    out[0] = mean[0]
    np.divide(_sums(c, c, sizes)[0], max(sizes[0] * sizes[2] - correction, 0), out[1])


def channel_norm(
    x: Array,
    w: Array,
    *b: Array,
    groups: int,
    eps: float,
    out: Array | None = None,
    seen: Array | None = None,
) -> Any:
    """``(x - mean) / sqrt(variance + eps) * w``, plus ``b`` if there is one: each a number a channel, dimension 1.

    Into ``seen`` is written, with 0 groups, what `moments` makes its result of.
    """
    out = np.empty(x.shape, x.dtype) if out is None else out
    if not x.size:
        return out
    sizes = _sizes(x.shape, groups)
    _forward(sizes, _taken(x, sizes), w, b, eps, _taken(out, sizes), seen)
    return out


@_with_small_buffers
def _forward(
    sizes: Sizes, x: Array, w: Array, b: tuple[Array, ...], eps: float, out: Array, seen: Array | None
) -> None:
    step = _step(sizes)
    for k in range(0, len(x), step):
        t = out[k : k + step]
        r = _deviations(x[k : k + step], sizes, eps, t, seen)
        np.multiply(t, _spread(_of_channels(r, sizes) * w, sizes), t)
        for shift in b:
            np.add(t, _spread(shift.reshape(1, -1), sizes), t)


def running_norm(
    x: Array, mean: Array, var: Array, w: Array, *b: Array, eps: float, out: Array | None = None
) -> Any:
    """``(x - mean) * (w / sqrt(var + eps))``, plus ``b`` if there is one: each a number a channel, dimension 1."""
    out = np.empty(x.shape, x.dtype) if out is None else out
    if x.size:
        sizes = _sizes(x.shape, 0)
        _by_known(sizes, _taken(x, sizes), mean, w / np.sqrt(var + eps), b, _taken(out, sizes))
    return out


@_with_small_buffers
def _by_known(sizes: Sizes, x: Array, mean: Array, scale: Array, b: tuple[Array, ...], out: Array) -> None:
    mean, scale = _spread(mean.reshape(1, -1), sizes), _spread(scale.reshape(1, -1), sizes)
    shifts = [_spread(a.reshape(1, -1), sizes) for a in b]
    step = max(BLOCK // (sizes[1] * sizes[2]), 1)
    for k in range(0, len(x), step):
        t = out[k : k + step]
        np.subtract(x[k : k + step], mean, t)
        np.multiply(t, scale, t)
        for shift in shifts:
            np.add(t, shift, t)


def running_norm_backward(
    d: Array, x: Array, mean: Array, var: Array, w: Array, eps: float, onward: bool, empty: Empty = np.empty
) -> Any:
    """The gradients of `running_norm` for ``x``, with ``onward``, and for ``w`` and ``b``, side by side in a vector."""
    size = x.size * onward
    out = empty((size + 2 * w.size,), x.dtype)
    _of_known_in(d, x, mean, var, w, eps, out[:size] if onward else None, out[size:].reshape(2, -1), empty)
    return out


def running_norm_gradients(
    d: Array, x: Array, mean: Array, var: Array, w: Array, eps: float, onward: bool, empty: Empty = np.empty
) -> tuple[Array | None, Array, Array]:
    """The parts of `running_norm_backward`, each an array of its own; that for ``x`` None unless ``onward``."""
    into = empty(x.shape, x.dtype) if onward else None
    dw, db = np.empty(w.shape, w.dtype), np.empty(w.shape, w.dtype)
    _of_known_in(d, x, mean, var, w, eps, into, (dw, db), empty)
    return into, dw, db


def _of_known_in(
    d: Array,
    x: Array,
    mean: Array,
    var: Array,
    w: Array,
    eps: float,
    out: Array | None,
    rows: Any,
    empty: Empty,
) -> None:
    if not x.size:
        rows[0][...], rows[1][...] = 0.0, 0.0
        return
    sizes, r = _sizes(x.shape, 0), 1.0 / np.sqrt(var + eps)
    _of_known(sizes, _taken(d, sizes), _taken(x, sizes), mean, w, r, out, rows, empty)


@_with_small_buffers
def _of_known(
    sizes: Sizes,
    d: Array,
    x: Array,
    mean: Array,
    w: Array,
    r: Array,
    out: Array | None,
    rows: Any,
    empty: Empty,
) -> None:
    c = np.subtract(x, _spread(mean.reshape(1, -1), sizes), empty(x.shape, x.dtype))
    np.multiply(_sums(d, c, sizes).reshape(-1), r, rows[0])
    rows[1][...] = _sums(d, None, sizes).reshape(-1)
    if out is not None:
        np.multiply(d, _spread((w * r).reshape(1, -1), sizes), _taken(out, sizes))


def channel_norm_backward(
    d: Array, x: Array, w: Array, groups: int, eps: float, onward: bool, empty: Empty = np.empty
) -> Any:
    """The gradients of `channel_norm` for ``x``, with ``onward``, and for ``w`` and ``b``, side by side in a vector."""
    size = x.size * onward
    out = empty((size + 2 * w.size,), x.dtype)
    _gradients(d, x, w, groups, eps, out[:size] if onward else None, out[size:].reshape(2, -1), empty)
    return out


def channel_norm_gradients(
    d: Array, x: Array, w: Array, groups: int, eps: float, onward: bool, empty: Empty
) -> tuple[Array | None, Array, Array]:
    """The parts of `channel_norm_backward`, each an array of its own."""
    into = empty(x.shape, x.dtype) if onward else None
    dw, db = np.empty(w.shape, w.dtype), np.empty(w.shape, w.dtype)
    _gradients(d, x, w, groups, eps, into, (dw, db), empty)
    return into, dw, db


def _gradients(
    d: Array, x: Array, w: Array, groups: int, eps: float, dx: Array | None, totals: Any, empty: Empty
) -> None:
    """Writes the gradients for ``x``, unless that is None, and for ``w`` and ``b``."""
    if not x.size:
        for part in totals:
            part.fill(0.0)
        return
    sizes = _sizes(x.shape, groups)
    into = None if dx is None else _taken(dx, sizes)
    _backward(sizes, _taken(x, sizes), _taken(d, sizes), w, eps, into, totals, empty)


@_with_small_buffers
def _backward(
    sizes: Sizes, x: Array, d: Array, w: Array, eps: float, dx: Array | None, totals: Any, empty: Empty
) -> None:
    """For c = x less its mean, and r: ``dx = r * (d * w - mean(d * w) - c * r * r * mean(d * w * c))``."""
    step, wide = _step(sizes), _of_groups(sizes)
    by_w, by_b = [], []
    between = empty(x[:step].shape, x.dtype)
    for k in range(0, len(x), step):
        g, part = d[k : k + step], x[k : k + step]
        c = between[: len(part)]
        r = _deviations(part, sizes, eps, c)
        of_d, of_c = _sums(g, None, sizes), _sums(g, c, sizes)
        each = _of_channels(r, sizes)
        by_b.append(of_d)
        by_w.append(of_c * each)
        if dx is None:
            continue
        t = dx[k : k + step]
        rows = _taken(c, wide)
        np.multiply(rows, _spread(r * (r * _means(of_c * w, sizes)) * r, wide), rows)
        np.add(rows, _spread(r * _means(of_d * w, sizes), wide), rows)
        np.multiply(g, _spread(each * w, sizes), t)
        np.subtract(t, c, t)
    for total, parts in zip(totals, (by_w, by_b), strict=True):
        total[...] = add_up(parts[0] if len(parts) == 1 else np.concatenate(parts), (0,))

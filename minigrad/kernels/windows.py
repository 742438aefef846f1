"""Windows that slide over the last dimensions of an array, and convolutions as products of them.

A window's dimensions come before those of its places: (batch, channels, *kernel, *out).  Such an array is a strided view,
and a copy of it is a matrix that BLAS multiplies.  The copy is made of so many samples at a time that it stays in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minigrad import buffers

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]  # before and after, of the last dimensions; negative ones cut off

BLOCK = 1 << 18  # elements of a copy of windows: a megabyte of float32
SHORT = 128  # places up to which one product of several samples takes less time than a product of each


def pad_constant(x: Array, pads: Pads, value: float = 0.0) -> Array:
    """With ``value`` around the last dimensions, or without what negative pads cut off."""
    lead = x.ndim - len(pads)
    inner, outer, shape = [slice(None)] * lead, [slice(None)] * lead, [*x.shape[:lead]]
    for n, (before, after) in zip(x.shape[lead:], pads, strict=True):
        inner.append(slice(max(-before, 0), max(n + min(after, 0), 0)))
        outer.append(slice(max(before, 0), max(n + before + min(after, 0), 0)))
        shape.append(n + before + after)
    y = buffers.empty(tuple(shape), x.dtype)
    if any(before > 0 or after > 0 for before, after in pads):
        y.fill(value)
    y[tuple(outer)] = x[tuple(inner)]
    return y


def places(size: int, kernel: int, stride: int, pads: tuple[int, int], dilation: int) -> int:
    """How many windows fit along a dimension."""
    return (size + sum(pads) - dilation * (kernel - 1) - 1) // stride + 1


def all_places(sizes: Sequence[int], kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Ints:
    """`places` of each dimension."""
    return tuple(map(places, sizes, kernel, stride, pads, dilation))


def windows(x: Array, kernel: Ints, stride: Ints, dilation: Ints, out: Ints) -> Array:
    """The view (batch, channels, *kernel, *out) of an array that is padded already."""
    steps = x.strides[2:]
    inner = [s * d for s, d in zip(steps, dilation, strict=True)]
    outer = [s * d for s, d in zip(steps, stride, strict=True)]
    return as_strided(x, (*x.shape[:2], *kernel, *out), (*x.strides[:2], *inner, *outer), writeable=False)


def add_windows(to: Array, cols: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> None:
    """Adds windows (batch, channels, *kernel, *out) to where they were taken from; one sum for each place in a kernel."""
    sizes, out = to.shape[2:], cols.shape[2 + len(kernel) :]
    for at in product(*map(range, kernel)):
        there, here = [slice(None)] * 2, [slice(None)] * 2
        for k, size, count, step, (before, _), gap in zip(
            at, sizes, out, stride, pads, dilation, strict=True
        ):
            first, last = covered(size, count, step, k * gap - before)
            start = first * step + k * gap - before
            there.append(
                slice(start, start + (last - first - 1) * step + 1, step) if last > first else slice(0)
            )
            here.append(slice(first, max(first, last)))
        part = to[tuple(there)]
        part += cols[(slice(None), slice(None), *at, *here[2:])]


def covered(size: int, count: int, step: int, offset: int) -> tuple[int, int]:
    """The numbers i from first to before last, of ``count``, with ``i * step + offset`` within ``size``."""
    return min(max(0, -(offset // step)), count), max(0, min(count, (size - 1 - offset) // step + 1))


def unfold(x: Array, kernel: Ints, dilation: Ints, pads: Pads, stride: Ints) -> Array:
    """The windows as columns: (batch, channels * kernel places, places)."""
    out = all_places(x.shape[2:], kernel, stride, pads, dilation)
    cols = windows(_padded(x, pads), kernel, stride, dilation, out)
    return np.array(cols, order="C").reshape(len(x), x.shape[1] * math.prod(kernel), math.prod(out))


def fold(cols: Array, sizes: Ints, kernel: Ints, dilation: Ints, pads: Pads, stride: Ints) -> Array:
    """The sum of columns in the places that `unfold` takes them from; ``sizes`` are those of the image."""
    if cols.dtype.char == "e":
        wide = cols.astype(np.float32)
        return fold(wide, sizes, kernel, dilation, pads, stride).astype(np.float16)
    n, channels = len(cols), cols.shape[1] // math.prod(kernel)
    out = all_places(sizes, kernel, stride, pads, dilation)
    y = np.zeros((n, channels, *sizes), cols.dtype)
    add_windows(y, cols.reshape(n, channels, *kernel, *out), kernel, stride, pads, dilation)
    return y


# ---------------------------------------------------------------- convolutions


def conv(
    x: Array, w: Array, *bias: Array, stride: Ints, pads: Pads, dilation: Ints, groups: int
) -> Array:  # fmt: skip
    """Windows of ``x`` times each filter of ``w``, (filters, channels / groups, *kernel); (batch, filters, *out)."""
    if x.dtype.char == "e":
        wide = [a.astype(np.float32) for a in (x, w, *bias)]
        return conv(*wide, stride=stride, pads=pads, dilation=dilation, groups=groups).astype(np.float16)
    n, filters, kernel = len(x), len(w), w.shape[2:]
    out = all_places(x.shape[2:], kernel, stride, pads, dilation)
    y = buffers.empty((n, filters, *out), x.dtype)
    if not w.size or not y.size:
        y.fill(0)
    else:
        rows = w.reshape(groups, filters // groups, -1)
        blocks = _Blocks(_padded(x, pads), kernel, stride, dilation, out, groups)
        for start, stop in blocks:
            part = y[start:stop]
            if blocks.short:
                z = np.matmul(rows, blocks.joined(start, stop))
                part[...] = np.moveaxis(z.reshape(filters, -1, *out), 1, 0)
            else:
                into = part.reshape(stop - start, groups, filters // groups, -1)
                np.matmul(rows, blocks.each(start, stop), out=into)
    for b in bias:
        y += b.reshape(-1, *[1] * len(out))
    return y


def conv_input(
    g: Array, w: Array, sizes: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int
) -> Array:  # fmt: skip
    """The gradient of `conv` for its input, whose sizes are ``sizes``: a transposed convolution."""
    if g.dtype.char == "e":
        x = conv_input(g.astype(np.float32), w.astype(np.float32), sizes, stride, pads, dilation, groups)
        return x.astype(np.float16)
    n, filters, kernel, out = len(g), len(w), w.shape[2:], g.shape[2:]
    channels, count = w.shape[1] * groups, math.prod(out)
    x = np.zeros((n, channels, *sizes), g.dtype)
    if not w.size or not g.size:
        return x
    rows = w.reshape(groups, filters // groups, -1).swapaxes(1, 2)
    whole = (n, groups, filters // groups, count)
    g = np.ascontiguousarray(g).reshape(whole)
    step = max(1, BLOCK // (rows.shape[1] * groups * count))
    for start in range(0, n, step):
        part = g[start : start + step]
        if count < SHORT:
            cols = np.matmul(rows, part.transpose(1, 2, 0, 3).reshape(groups, filters // groups, -1))
            cols = np.moveaxis(cols.reshape(channels, *kernel, len(part), *out), 1 + len(kernel), 0)
        else:
            cols = np.matmul(rows, part).reshape(len(part), channels, *kernel, *out)
        add_windows(x[start : start + step], cols, kernel, stride, pads, dilation)
    return x


def conv_weight(
    x: Array, g: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int
) -> Array:  # fmt: skip
    """The gradient of `conv` for its filters, whose windows have the sizes ``kernel``."""
    if x.dtype.char == "e":
        w = conv_weight(x.astype(np.float32), g.astype(np.float32), kernel, stride, pads, dilation, groups)
        return w.astype(np.float16)
    filters, channels, out = g.shape[1], x.shape[1] // groups, g.shape[2:]
    w = np.zeros((groups, filters // groups, channels * math.prod(kernel)), x.dtype)
    if w.size and g.size:
        blocks = _Blocks(_padded(x, pads), kernel, stride, dilation, out, groups)
        for start, stop in blocks:
            part = np.moveaxis(g[start:stop], 0, 1).reshape(groups, filters // groups, -1)
            w += np.matmul(part, blocks.joined(start, stop).swapaxes(1, 2))
    return w.reshape(filters, channels, *kernel)


def _padded(x: Array, pads: Pads) -> Array:
    return pad_constant(x, pads) if any(map(any, pads)) else x


class _Blocks:
    """The windows of some samples after others, as matrices of memory that is used again."""

    def __init__(self, x: Array, kernel: Ints, stride: Ints, dilation: Ints, out: Ints, groups: int) -> None:
        self.view = windows(x, kernel, stride, dilation, out)
        self.groups, self.inner, self.count = groups, x.shape[1] // groups * math.prod(kernel), math.prod(out)
        self.short = self.count < SHORT
        self.step = max(1, min(len(x), BLOCK // (groups * self.inner * self.count)))
        self.memory: Array | None = None
        # The windows are the array itself.
        self.whole = max(kernel) == 1 and max(stride) == 1 and x.flags.c_contiguous

    def __iter__(self) -> Any:
        n = len(self.view)
        return ((k, min(k + self.step, n)) for k in range(0, n, self.step))

    def _copied(self, part: Array) -> Array:
        if self.memory is None:
            self.memory = np.empty(self.step * self.groups * self.inner * self.count, part.dtype)
        cols = self.memory[: part.size]
        np.copyto(cols.reshape(part.shape), part)
        return cols

    def each(self, start: int, stop: int) -> Array:
        """(samples, groups, inner, places)."""
        part = self.view[start:stop]
        cols = part if self.whole else self._copied(part)
        return cols.reshape(stop - start, self.groups, self.inner, self.count)

    def joined(self, start: int, stop: int) -> Array:
        """(groups, inner, samples * places)."""
        rank = self.view.ndim // 2 - 1
        return self._copied(np.moveaxis(self.view[start:stop], 0, 1 + rank)).reshape(
            self.groups, self.inner, -1
        )

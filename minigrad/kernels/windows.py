"""Windows that slide over the last dimensions of an array, and convolutions as products of them.

A window's dimensions come before those of its places: (batch, channels, *kernel, *out).  Such an array is a
strided view, and a copy of it is a matrix for each sample that BLAS multiplies.  The copy is made of so many samples
at a time that it stays in the cache.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.buffers import Empty
from minigrad.kernels.sharing import blocks

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]  # before and after, of the last dimensions; negative ones cut off

BLOCK = 1 << 18  # elements of a copy of windows; a quarter or four times as many cost a tenth to a half more
# Multiplications up to which OpenBLAS copies no operand, in half the time.  A product for each sample often has fewer.
SMALL = 1_000_000
ALONE = 1 << 18  # multiplications of a product that BLAS does not share among threads
SHARED = 1 << 23  # multiplications of a block of samples that are worth a thread
FEW = 64  # places up to which windows are added with their samples last
LAST = 32  # samples that lie last at a time: from half as many on, additions take half the time
THICK = 1.25  # filters to a row of windows, up to which several products take less time than larger copies
WASTE = 1.6  # times as many places as are wanted may be computed, where whole rows are added for it
TURNED = 1.5  # times the multiplications up to which a convolution with turned filters takes less time
BAND = 6  # elements of a row for one of a filter's, up to which products with bands take less time


def pad_constant(x: Array, pads: Pads, value: float = 0.0) -> Array:
    """With ``value`` around the last dimensions, or without what negative pads cut off."""
    lead = x.ndim - len(pads)
    inner, outer, shape = [slice(None)] * lead, [slice(None)] * lead, [*x.shape[:lead]]
    for n, (before, after) in zip(x.shape[lead:], pads, strict=True):
        inner.append(slice(max(-before, 0), max(n + min(after, 0), 0)))
        outer.append(slice(max(before, 0), max(n + before + min(after, 0), 0)))
        shape.append(n + before + after)
    y = np.empty(tuple(shape), x.dtype)
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
    shape, strides = (*x.shape[:2], *kernel, *out), (*x.strides[:2], *inner, *outer)
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def covered(size: int, count: int, step: int, offset: int) -> tuple[int, int]:
    """The numbers i from first to before last, of ``count``, with ``i * step + offset`` within ``size``."""
    return min(max(0, -(offset // step)), count), max(0, min(count, (size - 1 - offset) // step + 1))


def add_windows(to: Array, cols: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> None:
    """Adds windows (batch, channels, *kernel, *out) to where they were taken from."""
    sizes, out = to.shape[2:], cols.shape[2 + len(kernel) :]
    for at in np.ndindex(*kernel):
        there: list[Any] = [slice(None), slice(None)]
        here: list[Any] = [slice(None), slice(None), *at]
        rows = zip(at, sizes, out, stride, pads, dilation, strict=True)
        for k, size, count, step, (before, _), gap in rows:
            first, last = covered(size, count, step, k * gap - before)
            start = first * step + k * gap - before
            there.append(
                slice(start, start + (last - first - 1) * step + 1, step) if last > first else slice(0)
            )
            here.append(slice(first, max(first, last)))
        part = to[tuple(there)]
        part += cols[tuple(here)]


def unfold(x: Array, kernel: Ints, dilation: Ints, pads: Pads, stride: Ints) -> Array:
    """The windows as columns: (batch, channels * kernel places, places)."""
    out = all_places(x.shape[2:], kernel, stride, pads, dilation)
    cols = windows(_padded(x, pads), kernel, stride, dilation, out)
    return np.array(cols, cols.dtype, order="C").reshape(
        len(x), x.shape[1] * math.prod(kernel), math.prod(out)
    )


def fold(cols: Array, sizes: Ints, kernel: Ints, dilation: Ints, pads: Pads, stride: Ints) -> Array:
    """The sum of columns in the places that `unfold` takes them from; ``sizes`` are those of the image."""
    n, channels = len(cols), cols.shape[1] // math.prod(kernel)
    out = all_places(sizes, kernel, stride, pads, dilation)
    y = np.zeros((n, channels, *sizes), cols.dtype)
    add_windows(y, cols.reshape(n, channels, *kernel, *out), kernel, stride, pads, dilation)
    return y


def _padded(x: Array, pads: Pads) -> Array:
    return pad_constant(x, pads) if any(map(any, pads)) else np.ascontiguousarray(x)


# ---------------------------------------------------------------- convolutions
#
# Where windows step by one, those of a place in the kernel are a piece of the padded array without gaps, if also the
# places are there where a window would go over the end of a row into the next.  To add such *runs* takes less time
# than to add rows of 10 elements; a gradient is 0 where they are too long.


def spans(sizes: Ints) -> Ints:
    """How many elements apart neighbours are along each dimension."""
    steps = [1]
    for n in sizes[:0:-1]:
        steps.append(steps[-1] * n)
    return tuple(steps[::-1])


def run(sizes: Ints, stride: Ints, out: Ints) -> int:
    """The length of runs for an array of these (padded) sizes; 0 where they do not pay."""
    length = sum((n - 1) * s for n, s in zip(out, spans(sizes), strict=True)) + 1
    return length if max(stride) == 1 and length <= WASTE * math.prod(out) else 0


def in_runs(z: Array, sizes: Ints, out: Ints) -> Array:
    """The view (..., *out) of what stands in runs, (..., length)."""
    strides = (*z.strides[:-1], *(s * z.strides[-1] for s in spans(sizes)))
    return np.lib.stride_tricks.as_strided(z, (*z.shape[:-1], *out), strides)


def _step(n: int, elements: int, work: int) -> int:
    """How many samples of so many elements and multiplications to take at a time: half of them, if that is worth it."""
    most = n if n * work < 2 * SHARED else -(-n // 2)
    return max(1, min(most, BLOCK // max(elements, 1)))


def _spare(shape: tuple[int, ...], dtype: Any, empty: Empty) -> Array:
    """Memory for what is between: if that is much, of one size, so that it serves other convolutions too."""
    count = math.prod(shape)
    size = BLOCK if BLOCK // 8 <= count <= BLOCK else count
    return empty((size,), dtype)[:count].reshape(shape)


def _copied(view: Array, memory: Array) -> Array:
    """The view itself, if it lies row by row, or a copy of it.

    The copy is made in ``memory``: new memory for each block would take as long again.
    """
    if view.flags.c_contiguous:
        return view
    cols = memory[: view.size].reshape(view.shape)
    np.copyto(cols, view)
    return cols


@functools.lru_cache(maxsize=256)
def _pieces(rows: int, inner: int, columns: int) -> tuple[int, int]:
    """The rows and columns of pieces of a product that BLAS shares among no threads; or all, if there are no such."""
    most = max(min(columns, ALONE // (8 * inner)), 1)
    few = max(n for n in range(1, most + 1) if columns % n == 0)
    some = max(n for n in range(1, rows + 1) if rows % n == 0 and (n == 1 or n * few * inner <= ALONE))
    return (some, few) if few >= min(columns, 16) and some >= min(rows, 8) else (rows, columns)


def _multiply(a: Array, b: Array, out: Array) -> None:
    """``a @ b`` of many matrices, in pieces.

    Threads of BLAS that wait for each other cost more than they save for such: 0.7 to 1.05 of the time on one thread,
    and on a busy machine a tenth to a hundredth.  Those of a single image nothing else shares.
    """
    some, few = _pieces(a.shape[-2], a.shape[-1], b.shape[-1])
    if len(out) > 1 and (some, few) != out.shape[-2:]:
        a = a.reshape(*a.shape[:-2], -1, 1, some, a.shape[-1])
        b = b.reshape(*b.shape[:-2], 1, b.shape[-2], -1, few).swapaxes(-3, -2)
        out = out.reshape(*out.shape[:-2], -1, some, out.shape[-1] // few, few).swapaxes(-3, -2)
    np.matmul(a, b, out=out)


def _slabs(
    x: Array, w: Ints, groups: int, stride: Ints, dilation: Ints, out: Ints
) -> tuple[Array, list[slice]]:  # fmt: skip
    """Windows of a padded array, and the columns of their matrix for each place of the kernel's first dimension.

    Windows that step by one there are made along the other dimensions alone: the rows of the image, which follow each
    other in a column, serve each place of the kernel, as a piece without gaps.  So a kernel of 3 × 3 copies three
    elements in place of nine, and is three products: 0.7 to 0.9 of the time, unless more filters are to be added.
    """
    kernel = w[2:]
    thick = w[0] <= THICK * groups * w[1] * math.prod(kernel[1:])
    taps = kernel[0] if stride[0] == 1 and thick else 1
    if taps == 1:
        return windows(x, kernel, stride, dilation, out), [slice(0, math.prod(out))]
    row = math.prod(out[1:])
    view = windows(x, (1, *kernel[1:]), stride, dilation, (x.shape[2], *out[1:]))
    return view, [slice(k * dilation[0] * row, (k * dilation[0] + out[0]) * row) for k in range(taps)]


def conv(
    x: Array, w: Array, *bias: Array, stride: Ints, pads: Pads, dilation: Ints, groups: int, empty: Empty = np.empty
) -> Array:  # fmt: skip
    """Windows of ``x`` times each filter of ``w``, (filters, channels / groups, *kernel); (batch, filters, *out)."""
    n, filters, kernel = len(x), len(w), w.shape[2:]
    out = all_places(x.shape[2:], kernel, stride, pads, dilation)
    y = empty((n, filters, *out), x.dtype)
    if not w.size or not y.size:
        y.fill(0)
        for b in bias:
            y += b.reshape(-1, *[1] * len(out))
        return y
    narrow = x.shape[-1] <= BAND * kernel[-1] * stride[-1] and min(pads[-1]) >= 0
    if narrow and _alone(w, groups) and len(kernel) > 1 and np.isfinite(x).all() and np.isfinite(w).all():
        _by_bands(x, w, bias, stride, pads, dilation, y, empty)
        return y
    view, slabs = _slabs(_padded(x, pads), w.shape, groups, stride, dilation, out)
    rows = w.reshape(groups, filters // groups, w.shape[1], len(slabs), -1).transpose(3, 0, 1, 2, 4)
    rows = rows.reshape(len(slabs), groups, filters // groups, -1)
    each, count = math.prod(view.shape[1:]), math.prod(out)
    step = _step(n, each + filters * count, count * w.size)

    def work(starts: Iterator[int]) -> None:
        memory = _spare((step * each,), x.dtype, empty)
        products = _spare((step, *rows.shape[1:3], count), x.dtype, empty) if len(slabs) > 1 else y
        for k in starts:
            cols, z = (
                _copied(view[k : k + step], memory),
                y[k : k + step].reshape(-1, *rows.shape[1:3], count),
            )
            cols = cols.reshape(len(z), groups, rows.shape[3], -1)
            _multiply(rows[0], cols[..., slabs[0]], z)
            for row, slab in zip(rows[1:], slabs[1:], strict=True):
                product = products[: len(z)]
                _multiply(row, cols[..., slab], product)
                np.add(z, product, out=z)
            for b in bias:
                np.add(z, b.reshape(groups, -1, 1), out=z)

    blocks(work, n, step, shared=step * count * w.size >= SHARED)
    return y


def _alone(w: Array, groups: int) -> bool:
    """Whether each channel has one filter of its own."""
    return w.shape[1] == 1 and len(w) == groups


def _by_bands(
    x: Array, w: Array, bias: tuple[Array, ...], stride: Ints, pads: Pads, dilation: Ints, y: Array, empty: Empty
) -> None:  # fmt: skip
    """`conv` where each channel has a filter of its own: rows times matrices with the filter's rows along a diagonal.

    Most of what is multiplied is 0, and nothing is copied: 0.3 to 0.8 of the time for rows of 4 to 16 elements.  What
    is not finite would reach whole rows.
    """
    kernel, out, (before, after), size = w.shape[2:], y.shape[2:], pads[-1], x.shape[-1]
    bands = np.zeros((*w.shape[:1], *kernel[:-1], before + size + after, out[-1]), w.dtype)
    *lead, down, right = bands.strides
    steps = (*lead, down * stride[-1] + right, down * dilation[-1])
    shape = (*bands.shape[:-2], out[-1], kernel[-1])
    np.lib.stride_tricks.as_strided(bands, shape, steps)[...] = w[:, 0, ..., None, :]
    bands = bands[..., before : before + size, :]
    x, taps = _padded(x, (*pads[:-1], (0, 0))), [*np.ndindex(*kernel[:-1])]
    count = bands.size * math.prod(out[:-1])

    def work(starts: Iterator[int]) -> None:
        memory = _spare((min(step, len(y)), *y.shape[1:]), y.dtype, empty)
        for k in starts:
            part, into = x[k : k + step], y[k : k + step]
            for at in taps:
                rows = zip(at, dilation, stride, out, strict=False)
                here: Any = [slice(i * d, i * d + (m - 1) * s + 1, s) for i, d, s, m in rows]
                band: Any = bands[(slice(None), *at, *[None] * (len(at) - 1))]
                product = memory[: len(into)] if any(at) else into
                np.matmul(part[(..., *here, slice(None))], band, out=product)
                if any(at):
                    np.add(into, product, out=into)
            for b in bias:
                np.add(into, b.reshape(-1, *[1] * len(out)), out=into)

    step = _step(len(x), math.prod(y.shape[1:]), count)
    blocks(work, len(x), step, shared=step * count >= SHARED)


def conv_input(
    g: Array, w: Array, sizes: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int, empty: Empty = np.empty
) -> Array:  # fmt: skip
    """The gradient of `conv` for its input, whose sizes are ``sizes``: a transposed convolution."""
    n, filters, kernel, out = len(g), len(w), w.shape[2:], g.shape[2:]
    channels, full = w.shape[1] * groups, tuple(s + a + b for s, (a, b) in zip(sizes, pads, strict=True))
    if not w.size or not g.size:
        return np.zeros((n, channels, *sizes), g.dtype)
    finite = bool(np.isfinite(w).all())  # otherwise a 0 times it would not be 0
    if finite and max(stride) > 1 and _alone(w, groups):  # as with steps of one, and 0 between
        out = tuple((m - 1) * s + 1 for m, s in zip(out, stride, strict=True))
        apart = _spare((n, filters, *out), g.dtype, empty)
        apart.fill(0)
        here: Any = (..., *[slice(None, None, s) for s in stride])
        apart[here] = g
        g, stride = apart, (1,) * len(out)
    elif _few(n, channels, kernel, stride, out, full):
        return _samples_last(g, w, sizes, stride, pads, dilation, groups, empty)
    more = filters * math.prod(sizes) > TURNED * channels * math.prod(out)
    if finite and not more and max(stride) == 1:
        # A convolution with the filters turned: fewer windows to copy than there would be to add.
        turned = np.flip(w.reshape(groups, -1, *w.shape[1:]).swapaxes(1, 2), tuple(range(3, 3 + len(kernel))))
        first = [d * (k - 1) - a for k, d, (a, _) in zip(kernel, dilation, pads, strict=True)]
        rest = zip(sizes, out, kernel, dilation, first, strict=True)
        around = tuple((p, s - m - p + d * (k - 1)) for s, m, k, d, p in rest)
        turned = np.ascontiguousarray(turned).reshape(channels, filters // groups, *kernel)
        return conv(g, turned, stride=stride, pads=around, dilation=dilation, groups=groups, empty=empty)
    rows = np.ascontiguousarray(w.reshape(groups, filters // groups, -1).swapaxes(1, 2))
    length = run(full, stride, out) if finite else 0
    width, pitch = length or math.prod(out), math.prod(full) if length else math.prod(out)
    x = empty((n, channels, *(full if length else sizes)), g.dtype)
    step = _step(n, groups * rows.shape[1] * pitch, width * w.size)
    if not length:
        x.fill(0)

    def work(starts: Iterator[int]) -> None:
        memory = _spare((step, groups, rows.shape[1], pitch), g.dtype, empty)
        gaps = np.zeros((step, groups, filters // groups, length), g.dtype)
        if length:
            memory[..., length:] = 0
        for k in starts:
            part, here = x[k : k + step], g[k : k + step]
            if length > math.prod(out):
                in_runs(gaps[: len(part)].reshape(len(part), filters, length), full, out)[...] = here
                here = gaps[: len(part)]
            cols = memory[: len(part)]
            _multiply(rows, here.reshape(len(part), groups, filters // groups, width), cols[..., :width])
            if length:
                _summed_runs(cols.reshape(len(part), channels, *kernel, pitch), full, dilation, part)
            else:
                cols = cols.reshape(len(part), channels, *kernel, *out)
                add_windows(part, cols, kernel, stride, pads, dilation)

    blocks(work, n, step, shared=step * width * w.size >= SHARED)
    return pad_constant(x, tuple((-a, -b) for a, b in pads)) if length and any(map(any, pads)) else x


def _few(n: int, channels: int, kernel: Ints, stride: Ints, out: Ints, full: Ints) -> bool:
    """Whether windows overlap and have few places, far apart."""
    area, count = math.prod(kernel), math.prod(out)
    fit = 2 * n >= LAST and count <= FEW and channels * area * count * LAST <= 8 * BLOCK
    return fit and area > math.prod(stride) and math.prod(full) > 4 * count


def _samples_last(
    g: Array, w: Array, sizes: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int, empty: Empty
) -> Array:  # fmt: skip
    """`conv_input` with the samples behind the places: products are large, and additions have no gaps.

    With few places that takes two thirds of the time.
    """
    n, out, kernel, channels = len(g), g.shape[2:], w.shape[2:], w.shape[1] * groups
    rows = w.reshape(groups, len(w) // groups, -1).swapaxes(1, 2)
    x, each = empty((n, channels, *sizes), g.dtype), math.prod((channels, *kernel, *out))
    memory = _spare((min(n, LAST) * each,), g.dtype, empty)
    for k in range(0, n, LAST):
        here = np.ascontiguousarray(np.moveaxis(g[k : k + LAST], 0, -1))
        cols = memory[: each * here.shape[-1]].reshape(channels, *kernel, *out, -1)
        np.matmul(rows, here.reshape(groups, rows.shape[2], -1), out=cols.reshape(*rows.shape[:2], -1))
        part = np.zeros((channels, *sizes, here.shape[-1]), g.dtype)
        add_windows(np.moveaxis(part, -1, 0), np.moveaxis(cols, -1, 0), kernel, stride, pads, dilation)
        np.copyto(x[k : k + LAST], np.moveaxis(part, -1, 0))
    return x


def _summed_runs(cols: Array, sizes: Ints, dilation: Ints, out: Array) -> None:
    """Runs (batch, channels, *kernel, elements of an array), with 0 behind them, added up where they were taken from.

    A run that begins k elements later is read k elements earlier, in the 0 behind the run before it. So one sum over
    the kernel's places does what an addition for each would take twice to four times the time for.
    """
    back = [s * d * cols.itemsize for s, d in zip(spans(sizes), dilation, strict=True)]
    inner = (s - b for s, b in zip(cols.strides[2:], back, strict=False))
    view = np.lib.stride_tricks.as_strided(cols, strides=(*cols.strides[:2], *inner, cols.itemsize))
    lead, axes = out.reshape(*out.shape[:2], -1), [*range(cols.ndim)]
    np.einsum(view, axes, [0, 1, axes[-1]], out=lead)


def conv_weight(
    x: Array, g: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int, empty: Empty = np.empty
) -> Array:  # fmt: skip
    """The gradient of `conv` for its filters, whose windows have the sizes ``kernel``."""
    filters, channels = g.shape[1], x.shape[1] // groups
    if not x.size or not g.size:
        return np.zeros((filters, channels, *kernel), x.dtype)
    out, d = g.shape[2:], len(kernel)
    x = _padded(x, pads)
    length = run(x.shape[2:], stride, out) if filters == groups and channels == 1 else 0
    if length and x.dtype.kind == "f" and np.isfinite(x).all():
        return _of_runs(x, g, kernel, dilation, length, empty)
    view, slabs = _slabs(x, (filters, channels, *kernel), groups, stride, dilation, out)
    each, count, filters = math.prod(view.shape[1:]), math.prod(out), filters // groups
    n, inner = len(x), channels * math.prod(view.shape[2 : 2 + d])
    # For few places the products are more to add than there is to copy: up to a tenth of the time without.
    small = math.prod(_pieces(inner, count, filters)) * count <= SMALL and filters <= 4 * count
    size = inner * filters * groups * len(slabs)
    step = _step(n, each, count * size)
    many = step * -(-n // (step * 8)) if small and 8 * size <= 4 * BLOCK else n
    totals = np.zeros((-(-n // many), len(slabs), groups, inner, filters), x.dtype)

    def work(starts: Iterator[int]) -> None:
        memory = _spare((step * each,), x.dtype, empty)
        products = empty((step, groups, inner, filters), x.dtype) if small else memory
        for first in starts:
            for k in range(first, min(first + many, n), step):
                part, here = view[k : min(k + step, first + many)], g[k : min(k + step, first + many)]
                m = len(part)
                # The gradient lies with its filters last: to multiply by that takes half the time where products are
                # small.
                if small:
                    cols: Any = _copied(part, memory).reshape(m, groups, inner, -1)
                    turned: Any = np.ascontiguousarray(here.reshape(m, groups, filters, count).swapaxes(2, 3))
                else:  # one product of all samples, which lie behind the first dimension of the places
                    cols = _copied(np.moveaxis(part, 0, d + 2), memory).reshape(groups, inner, -1)
                    turned = np.moveaxis(here.reshape(m, groups, filters, *out), (0, 2), (2, -1))
                    turned = np.ascontiguousarray(turned).reshape(groups, -1, filters)
                for sums, slab in zip(totals[first // many], slabs, strict=True):
                    if small:
                        _multiply(cols[..., slab], turned, products[:m])
                        sums += np.add.reduce(products[:m], axis=0)
                    else:
                        sums += np.matmul(cols[..., m * slab.start : m * slab.stop], turned)

    blocks(work, n, many, shared=many * count * size >= SHARED)
    total = totals.sum(0) if len(totals) > 1 else totals[0]
    w = total.reshape(len(slabs), groups, channels, -1, filters).transpose(1, 4, 2, 0, 3)
    return np.ascontiguousarray(w).reshape(-1, channels, *kernel)


def _of_runs(x: Array, g: Array, kernel: Ints, dilation: Ints, length: int, empty: Empty) -> Array:
    """`conv_weight` where each channel has a filter of its own: runs times the gradient, with 0 in its gaps.

    Only the gradient is copied: 0.5 to 0.9 of the time.
    """
    n, filters = g.shape[:2]
    gaps = _spare((n, filters, *[1] * len(kernel), length), g.dtype, empty)
    gaps.fill(0)
    in_runs(gaps.reshape(n, filters, length), x.shape[2:], g.shape[2:])[...] = g
    steps = (s * d for s, d in zip(x.strides[2:], dilation, strict=True))
    strides = (*x.strides[:2], *steps, x.itemsize)
    view = np.lib.stride_tricks.as_strided(x, (n, filters, *kernel, length), strides, writeable=False)
    return np.add.reduce(np.vecdot(gaps, view), axis=0)[:, None]

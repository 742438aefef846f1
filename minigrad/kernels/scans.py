"""Running sums, products and extremes.

``ufunc.accumulate`` takes one element after the other, also where they lie far from each other, and waits for each
result. What is here takes whole rows where there are some.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.buffers import Empty
from minigrad.kernels.sharing import block, blocks, by_rows

Array = np.ndarray[Any, Any]

SMALL = 1 << 12  # elements
# Elements of a row, and in all, from which products take less time: 0.6 of it for rows of 1,000.
LONG, LARGE = 128, 1 << 15


def scan(ufunc: Any, x: Array, dim: int, wide: Any, reverse: bool = False, empty: Empty = np.empty) -> Array:
    """``ufunc.accumulate`` along ``dim`` in the type ``wide``, with the type of ``x``.

    With ``reverse`` it begins at the end. Sums of float32 may take their terms in another order, as exactly.
    """
    n, inner = x.shape[dim], math.prod(x.shape[dim + 1 :])
    if x.size <= SMALL or not x.flags.c_contiguous or (inner > 1 and (inner < 16 or x.size < n * 128)):
        if reverse:
            return np.flip(scan(ufunc, np.flip(x, dim), dim, wide), dim).copy()
        y: Array = ufunc.accumulate(x, axis=dim, dtype=wide)
        return y.astype(x.dtype, copy=False)
    y = empty(x.shape, x.dtype)
    if inner == 1:
        along = slice(None, None, -1 if reverse else 1)
        singles = ufunc is np.add and x.dtype == np.float32
        rows, targets, step = x.reshape(-1, n), y.reshape(-1, n), max(block(x.size) // n, 1)

        def work(starts: Iterator[int]) -> None:
            most = min(step, len(rows))
            memory = empty((most, n), np.dtype(wide))
            some = -(-n // 8) if singles and n >= LONG and x.size >= LARGE else 0
            eights, before = empty((2, most, some, 8), memory.dtype), np.zeros((most, some, 2))
            for k in starts:
                part, target = rows[k : k + step], targets[k : k + step]
                if some and _sums_of_eights(part, target, eights, before, reverse):
                    continue
                part, target, buffer = part[:, along], target[:, along], memory[: len(part)]
                if singles and len(part) > 1:
                    _sums_in_pairs(part, target, buffer)
                else:
                    target[...] = ufunc.accumulate(part, axis=1, dtype=wide, out=buffer)

        blocks(work, len(rows), step)
        return y
    before = np.empty(inner, wide)
    for part, target in zip(x.reshape(-1, n, inner), y.reshape(-1, n, inner), strict=True):
        lines = range(n)[:: -1 if reverse else 1]
        before[...] = part[lines[0]]
        target[lines[0]] = before
        for k in lines[1:]:
            ufunc(before, part[k], out=before)
            target[k] = before
    return y


@functools.cache
def _factors(reverse: bool) -> tuple[Array, Array]:
    """What eight elements are multiplied by to get their running sums; and a number and a 0, to get it eight times."""
    return np.ascontiguousarray(np.tri(8) if reverse else np.tri(8).T), np.repeat([[1.0], [0.0]], 8, 1)


def _sums_of_eights(rows: Array, target: Array, memory: Array, others: Array, reverse: bool) -> bool:
    """Running sums of eight elements at a time, by products, to which those of all others before are added.

    False if some are not finite: a product multiplies them by 0.
    """
    count, n = rows.shape
    sums, eights = memory[:, :count]
    flat = sums.reshape(count, -1)
    flat[:, :n], flat[:, n:] = rows, 0
    triangle, first = _factors(reverse)
    np.matmul(sums, triangle, out=eights)
    totals, before = eights[..., -(not reverse)], others[:count, :, 0]
    if reverse:
        totals, before = totals[:, ::-1], before[:, ::-1]
    np.add.accumulate(totals[:, :-1], axis=1, out=before[:, 1:])
    np.matmul(others[:count], first, out=sums)
    sums += eights
    target[...] = flat[:, :n]
    return bool(np.isfinite(target[:, -(not reverse)]).all())


def _sums_in_pairs(rows: Array, target: Array, buffer: Array) -> None:
    """Running sums of two rows at once, as those of complex numbers: each addition waits for the one before it."""
    half = len(rows) // 2
    both = buffer[: 2 * half].reshape(-1).view(np.complex128).reshape(half, -1)
    np.copyto(both.real, rows[:half])
    np.copyto(both.imag, rows[half : 2 * half])
    np.add.accumulate(both, axis=1, out=both)
    target[:half], target[half : 2 * half] = both.real, both.imag
    if 2 * half < len(rows):
        target[-1] = np.add.accumulate(rows[-1], dtype=buffer.dtype)


def running_place(x: Array, dim: int, largest: bool) -> Any:
    """The place of the largest, or smallest, element so far along ``dim``: the last of equal ones, or a nan."""
    if not x.size or not x.ndim:
        return np.zeros(x.shape, np.int64)
    n, inner = x.shape[dim], math.prod(x.shape[dim + 1 :])
    places = np.empty(x.shape, np.int64)
    # Passes over everything pay where elements of several rows are taken at once.
    passes = x.size >= max(1 << 11, 4 * n)
    number = np.arange(n, dtype=np.int16 if n < 1 << 15 else np.int64).repeat(inner)
    running = _doubled if passes else _accumulated

    def rows(part: Array, target: Array) -> None:
        extreme = running(np.maximum if largest else np.minimum, part, inner)
        here = np.equal(part, extreme)
        if x.dtype.kind == "f" and np.isnan(extreme[:, -inner:]).any():
            here |= np.isnan(part)
        target[...] = running(np.maximum, here * number, inner)

    by_rows(rows, x.reshape(-1, n * inner), places.reshape(-1, n * inner))
    return places


def _accumulated(ufunc: Any, rows: Array, step: int) -> Array:
    parts = rows.reshape(len(rows), -1, step)
    y: Array = ufunc.accumulate(parts, axis=1)
    return y.reshape(rows.shape)


def _doubled(ufunc: Any, rows: Array, step: int) -> Array:
    """Running extremes along rows whose neighbours are ``step`` apart: of 2 elements, of 4, and so on.

    All rows are taken at once as one, and what came from the row before is then put right.
    """
    done, buffers = rows, [np.empty_like(rows), np.empty_like(rows)]
    while step < rows.shape[1]:
        more = buffers[0]
        ufunc(done.reshape(-1)[step:], done.reshape(-1)[:-step], out=more.reshape(-1)[step:])
        more[:, :step] = done[:, :step]
        done, step = more, 2 * step
        buffers.reverse()
    return done

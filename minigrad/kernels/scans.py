"""Running sums, products and extremes.

``ufunc.accumulate`` takes one element after the other, also where they lie far from each other, and waits for each
result. What is here takes whole rows where there are some.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


BLOCK = 1 << 16  # elements of rows that are worked on at a time, so that they stay in the cache


def scan(ufunc: Any, x: Array, dim: int, wide: Any) -> Array:
    """``ufunc.accumulate`` along ``dim`` in the type ``wide``, in the same order of terms, with the type of ``x``."""
    n, inner = x.shape[dim], math.prod(x.shape[dim + 1 :])
    if x.size <= BLOCK // 16 or not x.flags.c_contiguous or (inner > 1 and (inner < 16 or x.size < n * 128)):
        y: Array = ufunc.accumulate(x, axis=dim, dtype=wide)
        return y.astype(x.dtype, copy=False)
    if inner == 1:
        y = np.empty_like(x)
        for rows, target, buffer in _blocks(n, wide, x, y):
            target[...] = ufunc.accumulate(rows, axis=1, dtype=wide, out=buffer)
        return y
    y = x.astype(wide)
    parts = y.reshape(-1, n, inner)
    for before, here in itertools.pairwise(parts[0] if len(parts) == 1 else parts.swapaxes(0, 1)):
        ufunc(before, here, out=here)
    return y.astype(x.dtype, copy=False)


def _blocks(width: int, dtype: Any, *arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Some rows of each array at a time, and as many of an array that is used again."""
    tables = [a.reshape(-1, width) for a in arrays]
    rows = max(BLOCK // width, 1)
    buffer = np.empty((min(rows, len(tables[0])), width), dtype)
    for i in range(0, len(tables[0]), rows):
        some = [t[i : i + rows] for t in tables]
        yield *some, buffer[: len(some[0])]


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
    for rows, target, here in _blocks(n * inner, bool, x, places):
        extreme = running(np.maximum if largest else np.minimum, rows, inner)
        np.equal(rows, extreme, out=here)
        if x.dtype.kind == "f" and np.isnan(extreme[:, -inner:]).any():
            here |= np.isnan(rows)
        target[...] = running(np.maximum, here * number, inner)
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

"""Values brought to mean 0 and variance 1 over some dimensions, and the gradient of that."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.kernels.sums import add_up

Array = np.ndarray[Any, Any]

BLOCK = 1 << 17  # elements of a block of rows: up to a fifth less time than for all rows at once


def standardize(x: Array, dim: tuple[int, ...], eps: float, out: Array | None = None) -> Any:
    """``(x - mean) / sqrt(variance + eps)`` over ``dim``."""
    if x.dtype.char == "e":
        return standardize(x.astype(np.float32), dim, eps).astype(np.float16)
    count = math.prod([x.shape[d] for d in dim])
    if not x.size or not _trailing(x.shape, dim):
        y = x - add_up(x, dim, True) / count
        y *= 1.0 / np.sqrt(add_up(np.square(y), dim, True) / count + eps)
        return np.ascontiguousarray(y)
    out = np.empty(x.shape, x.dtype) if out is None else out
    rows, values = x.reshape(-1, count), out.reshape(-1, count)
    step = max(BLOCK // count, 1)
    for k in range(0, len(rows), step):
        t = values[k : k + step]
        np.subtract(rows[k : k + step], _row_sums(rows[k : k + step]) / count, out=t)
        np.multiply(t, 1.0 / np.sqrt(_row_products(t, t) / count + eps), out=t)
    return out


def standardize_backward(
    d: Array, x: Array, dim: tuple[int, ...], eps: float, out: Array | None = None
) -> Any:
    """``r * (d - mean(d) - y * mean(d * y))`` for y = standardize(x), which is computed anew, and its factor r."""
    if x.dtype.char == "e":
        return standardize_backward(d.astype(np.float32), x.astype(np.float32), dim, eps).astype(np.float16)
    count = math.prod([x.shape[i] for i in dim])
    if not x.size or not _trailing(x.shape, dim):
        y = x - add_up(x, dim, True) / count
        r = 1.0 / np.sqrt(add_up(np.square(y), dim, True) / count + eps)
        y *= r
        share = add_up(d * y, dim, True) / count
        return np.ascontiguousarray((d - add_up(d, dim, True) / count - y * share) * r)
    out = np.empty(x.shape, x.dtype) if out is None else out
    rows, ds, values = x.reshape(-1, count), d.reshape(-1, count), out.reshape(-1, count)
    step = max(BLOCK // count, 1)
    # One piece of memory for all blocks: what is new to the system costs more than all that is computed.
    between = np.empty((min(step, len(rows)), count), x.dtype)
    for k in range(0, len(rows), step):
        c, t = ds[k : k + step], values[k : k + step]
        y = between[: len(c)]
        np.subtract(rows[k : k + step], _row_sums(rows[k : k + step]) / count, out=y)
        r = 1.0 / np.sqrt(_row_products(y, y) / count + eps)
        y *= r * (r * (_row_products(c, y) / count) * r)
        np.subtract(c, _row_sums(c) / count, out=t)
        t *= r
        t -= y
    return out


def _row_sums(x: Array) -> Any:
    return np.add.reduce(x, axis=1, keepdims=True)


def _row_products(x: Array, y: Array) -> Any:
    """The sums of the products of rows; of short ones without an array of these, in half the time."""
    if x.shape[1] > 4096:
        return np.add.reduce(x * y, axis=1, keepdims=True)
    return np.einsum("ij,ij->i", x, y).reshape(-1, 1)


def _trailing(shape: tuple[int, ...], dim: tuple[int, ...]) -> bool:
    return dim == tuple(range(len(shape) - len(dim), len(shape)))

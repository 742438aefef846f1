"""Values brought to mean 0 and variance 1 over some dimensions, and the gradient of that."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.buffers import Empty
from minigrad.kernels.sums import FEW, SHORT, add_up, row_sums, sum_rows

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
        np.multiply(t, _deviations(rows[k : k + step], eps, t), out=t)
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
        r = _deviations(rows[k : k + step], eps, y)
        y *= r * (r * (_row_products(c, y) / count) * r)
        np.subtract(c, row_sums(c) / count, out=t)
        t *= r
        t -= y
    return out


def layer_norm(x: Array, w: Array, *b: Array, eps: float, out: Array | None = None) -> Any:
    """`standardize` over the dimensions of ``w``, the last ones, times ``w``, plus ``b`` if there is one."""
    if x.dtype.char == "e":
        wide = [a.astype(np.float32) for a in (x, w, *b)]
        return layer_norm(*wide, eps=eps).astype(np.float16)
    out = np.empty(x.shape, x.dtype) if out is None else out
    if not x.size:
        return out
    count = w.size
    rows, values = x.reshape(-1, count), out.reshape(-1, count)
    step = max(BLOCK // count, 1)
    scale, *shift = (_repeated(a, min(step, len(rows))) for a in (w, *b))
    for k in range(0, len(rows), step):
        t = values[k : k + step]
        np.multiply(t, _deviations(rows[k : k + step], eps, t), t)
        # As vectors: NumPy's inner loop is long then.
        flat = t.reshape(-1)
        np.multiply(flat, scale[: t.size], flat)
        for v in shift:
            np.add(flat, v[: t.size], flat)
    return out


def layer_norm_backward(
    d: Array, x: Array, w: Array, eps: float, onward: bool, empty: Empty = np.empty
) -> Any:
    """The gradients of `layer_norm` for ``x``, with ``onward``, and for ``w`` and ``b``, side by side in a vector."""
    if x.dtype.char == "e":
        d, x, w = (a.astype(np.float32) for a in (d, x, w))
        return layer_norm_backward(d, x, w, eps=eps, onward=onward).astype(np.float16)
    count = w.size
    size = x.size * onward
    out = empty((size + 2 * count,), x.dtype)
    dx, sums = out[:size].reshape(x.shape if onward else 0), out[size:].reshape(2, count)
    if not x.size:
        sums.fill(0.0)
        return out
    rows, ds, values = (a.reshape(-1, count) for a in (x, d, dx))
    step = max(BLOCK // count, 1)
    if step > FEW:
        step -= step % FEW
    # The sums of FEW rows each, which `sum_rows` adds as exactly.
    products, terms = np.zeros((2, -(-len(rows) // FEW), count), x.dtype)
    scale = _repeated(w, min(step, len(rows)))
    between = np.empty((2, min(step, len(rows)), count), x.dtype)
    for k in range(0, len(rows), step):
        g, i = ds[k : k + step], k // FEW
        c, t = between[0, : len(g)], values[k : k + step] if onward else between[1, : len(g)]
        r = _deviations(rows[k : k + step], eps, c)
        np.multiply(g, r, t)
        whole = len(g) // FEW
        first, j = (whole, FEW, count), whole * FEW
        np.einsum("kij,kij->kj", t[:j].reshape(first), c[:j].reshape(first), out=products[i : i + whole])
        np.add.reduce(g[:j].reshape(first), axis=1, out=terms[i : i + whole])
        if j < len(g):
            products[i + whole] += np.einsum("ij,ij->j", t[j:], c[j:])
            terms[i + whole] += np.add.reduce(g[j:], axis=0)
        if onward:
            flat = t.reshape(-1)
            np.multiply(flat, scale[: t.size], flat)
            share = row_sums(t) / count
            np.multiply(c, r * r * (_row_products(t, c) / count), c)
            np.subtract(flat, c.reshape(-1), flat)
            np.subtract(t, share, t)
    sums[0], sums[1] = sum_rows(products), sum_rows(terms)
    return out


def _deviations(rows: Array, eps: float, out: Array) -> Any:
    """One over the root of each row's variance; what is less the mean is written into ``out``."""
    count = rows.shape[1]
    np.subtract(rows, row_sums(rows) / count, out)
    return 1.0 / np.sqrt(_row_products(out, out) / count + eps)


def _repeated(w: Array, times: int) -> Array:
    tile = np.empty((times, w.size), w.dtype)
    tile[...] = w.reshape(-1)
    return tile.reshape(-1)


def _row_products(x: Array, y: Array) -> Any:
    """The sums of the products of rows; of short ones without an array of these, in half the time."""
    if x.shape[1] > SHORT:
        return np.add.reduce(x * y, axis=1, keepdims=True)
    return np.vecdot(x, y).reshape(-1, 1)


def _trailing(shape: tuple[int, ...], dim: tuple[int, ...]) -> bool:
    return dim == tuple(range(len(shape) - len(dim), len(shape)))

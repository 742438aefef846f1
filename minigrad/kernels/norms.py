"""Values brought to mean 0 and variance 1 over some dimensions, and the gradient of that."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.buffers import Empty
from minigrad.kernels.sharing import BLOCK, block, blocks, by_rows
from minigrad.kernels.sums import ALONE, FEW, SHORT, add_up, row_sums, sum_rows

Array = np.ndarray[Any, Any]

SOME = ALONE // FEW  # elements of a row, of which BLAS multiplies FEW without threads
LONG = 512  # elements of a row that NumPy works on as fast as on a whole array


def standardize(x: Array, dim: tuple[int, ...], eps: float, out: Array | None = None) -> Any:
    """``(x - mean) / sqrt(variance + eps)`` over ``dim``."""
    x = np.ascontiguousarray(x)
    count = math.prod([x.shape[d] for d in dim])
    if not x.size or not _trailing(x.shape, dim):
        if x.size and _of_channels(x, dim):
            return _standardize_channels(x, count, eps, out)
        y = x - add_up(x, dim, True) / count
        y *= 1.0 / np.sqrt(add_up(np.square(y), dim, True) / count + eps)
        return np.ascontiguousarray(y)
    out = np.empty(x.shape, x.dtype) if out is None else out

    def rows(x: Array, t: Array) -> None:
        np.multiply(t, _deviations(x, eps, t), out=t)

    by_rows(rows, x.reshape(-1, count), out.reshape(-1, count))
    return out


def standardize_backward(
    d: Array, x: Array, dim: tuple[int, ...], eps: float, out: Array | None = None, empty: Empty = np.empty
) -> Any:
    """``r * (d - mean(d) - y * mean(d * y))`` for y = standardize(x), which is computed again, and its factor r."""
    d, x = np.ascontiguousarray(d), np.ascontiguousarray(x)
    count = math.prod([x.shape[i] for i in dim])
    if not x.size or not _trailing(x.shape, dim):
        if x.size and _of_channels(x, dim):
            return _standardize_channels_backward(d, x, count, eps, out, empty)
        y = x - add_up(x, dim, True) / count
        r = 1.0 / np.sqrt(add_up(np.square(y), dim, True) / count + eps)
        y *= r
        share = add_up(d * y, dim, True) / count
        return np.ascontiguousarray((d - add_up(d, dim, True) / count - y * share) * r)
    out = np.empty(x.shape, x.dtype) if out is None else out
    rows, ds, values = x.reshape(-1, count), d.reshape(-1, count), out.reshape(-1, count)
    step = _step(x.size, count)

    def work(starts: Iterator[int]) -> None:
        # One piece of memory for all blocks: what is new to the system costs more than all that is computed.
        between = empty((min(step, len(rows)), count), x.dtype)
        for k in starts:
            c, t = ds[k : k + step], values[k : k + step]
            y = between[: len(c)]
            r = _deviations(rows[k : k + step], eps, y)
            y *= r * (r * (_row_products(c, y) / count) * r)
            np.subtract(c, row_sums(c) / count, out=t)
            t *= r
            t -= y

    blocks(work, len(rows), step)
    return out


def _of_channels(x: Array, dim: tuple[int, ...]) -> bool:
    """Whether ``dim`` is all but dimension 1, and the elements of a channel lie in long rows."""
    return x.ndim > 2 and dim == (0, *range(2, x.ndim)) and math.prod(x.shape[2:]) >= 16


def _of_channel(sums: Any, x: Array, count: int) -> Any:
    """The mean of each channel, by the sums of its rows; it broadcasts against all rows."""
    return add_up(sums.reshape(x.shape[:2]), (0,)).reshape(1, -1, 1) / count


def _standardize_channels(x: Array, count: int, eps: float, out: Array | None) -> Array:
    """`standardize` over all dimensions but 1, by the sums of rows, which take a third of the time of NumPy's."""
    out = np.empty(x.shape, x.dtype) if out is None else out
    parts, t = (a.reshape(*x.shape[:2], -1) for a in (x, out))
    rows, squares = parts.reshape(-1, parts.shape[2]), t.reshape(-1, t.shape[2])
    np.subtract(parts, _of_channel(row_sums(rows), x, count), out=t)
    np.multiply(t, 1.0 / np.sqrt(_of_channel(_row_products(squares, squares), x, count) + eps), out=t)
    return out


def _standardize_channels_backward(
    d: Array, x: Array, count: int, eps: float, out: Array | None, empty: Empty
) -> Array:
    """`standardize_backward`, likewise."""
    out = np.empty(x.shape, x.dtype) if out is None else out
    parts, ds, t = (a.reshape(*x.shape[:2], -1) for a in (x, d, out))
    rows, d_rows = (a.reshape(-1, a.shape[2]) for a in (parts, ds))
    y = np.subtract(parts, _of_channel(row_sums(rows), x, count), out=empty(parts.shape, x.dtype))
    y_rows = y.reshape(rows.shape)
    r = 1.0 / np.sqrt(_of_channel(_row_products(y_rows, y_rows), x, count) + eps)
    np.multiply(y, r * (r * _of_channel(_row_products(d_rows, y_rows), x, count)) * r, out=y)
    np.subtract(ds, _of_channel(row_sums(d_rows), x, count), out=t)
    np.multiply(t, r, out=t)
    np.subtract(t, y, out=t)
    return out


def layer_norm(
    x: Array, w: Array, *b: Array, eps: float, out: Array | None = None, empty: Empty = np.empty
) -> Any:
    """`standardize` over the dimensions of ``w``, the last ones, times ``w``, plus ``b`` if there is one."""
    out = np.empty(x.shape, x.dtype) if out is None else out
    if not x.size:
        return out
    count = w.size
    rows, values, scale = x.reshape(-1, count), out.reshape(-1, count), w.reshape(1, -1)
    step = _step(x.size, count)
    shift = [_repeated(a, min(step, len(rows))) for a in b]

    def work(starts: Iterator[int]) -> None:
        between = empty((min(step, len(rows)), count), x.dtype)
        for k in starts:
            t = values[k : k + step]
            factors = between[: len(t)]
            _by_both(t, _deviations(rows[k : k + step], eps, t), scale, t, factors)
            # As vectors: NumPy's inner loop is long then.
            flat = t.reshape(-1)
            for v in shift:
                np.add(flat, v[: t.size], flat)

    blocks(work, len(rows), step)
    return out


def layer_norm_backward(
    d: Array, x: Array, w: Array, eps: float, onward: bool, empty: Empty = np.empty
) -> Any:
    """The gradients of `layer_norm` for ``x``, with ``onward``, and for ``w`` and ``b``, side by side in a vector."""
    count = w.size
    size = x.size * onward
    out = empty((size + 2 * count,), x.dtype)
    sums = out[size:].reshape(2, count)
    _layer_norm_backward(d, x, w, eps, out[:size] if onward else None, sums, empty)
    return out


def layer_norm_gradients(
    d: Array, x: Array, w: Array, eps: float, onward: bool, empty: Empty
) -> tuple[Array | None, Array, Array]:
    """The parts of `layer_norm_backward`, each an array of its own."""
    into = empty(x.shape, x.dtype) if onward else None
    dw, db = np.empty(w.shape, w.dtype), np.empty(w.shape, w.dtype)
    _layer_norm_backward(d, x, w, eps, into, (dw.reshape(-1), db.reshape(-1)), empty)
    return into, dw, db


def _layer_norm_backward(
    d: Array, x: Array, w: Array, eps: float, dx: Array | None, sums: Any, empty: Empty
) -> None:
    """Writes the gradients for ``x``, unless that is None, and for ``w`` and ``b``.

    For c = x less its mean, and r: ``dx = r * (d * w - mean(d * w) - c * r * r * mean(d * w * c))``.
    """
    if not x.size:
        for part in sums:
            part.fill(0.0)
        return
    # BLAS rounds in another way where operands lie with gaps.
    d, w = np.ascontiguousarray(d), np.ascontiguousarray(w)
    count, scale = w.size, w.reshape(1, -1)
    rows, ds = x.reshape(-1, count), d.reshape(-1, count)
    values = None if dx is None else dx.reshape(-1, count)
    step = _step(x.size, count)
    if step > FEW:
        step -= step % FEW
    # The sums of FEW rows each, which `sum_rows` adds as exactly.
    by_w, by_b = np.zeros((2, -(-len(rows) // FEW), count), x.dtype)

    def work(starts: Iterator[int]) -> None:
        between = empty((2, min(step, len(rows)), count), x.dtype)
        for k in starts:
            g, i = ds[k : k + step], k // FEW
            c, products = between[:, : len(g)]
            r = _deviations(rows[k : k + step], eps, c)
            np.multiply(g, c, products)
            _sum_few(r, products, by_w[i:])
            _sum_few(np.ones_like(r), g, by_b[i:])
            if values is None:
                continue
            t = values[k : k + step]
            # in this order: float32 has no r * r * r of rows around 1e15
            by_c = r * (r * (_row_products(products, scale) / count)) * r
            _by_both(g, r, scale, t, t)
            shift = r * (_row_products(g, scale) / count)
            _by_column(np.multiply, c, by_c, c, products)
            np.subtract(t, c, t)
            _by_column(np.subtract, t, shift, t, products)

    blocks(work, len(rows), step)
    for part, total in zip(sums, (by_w, by_b), strict=True):
        part[...] = sum_rows(total)


def sum_by(by: Array, x: Array) -> Any:
    """The sum of rows, each times its number in a column."""
    parts = np.zeros((-(-len(x) // FEW), x.shape[1]), x.dtype)
    _sum_few(by, x, parts)
    return sum_rows(parts)


def _sum_few(by: Array, x: Array, out: Array) -> None:
    """The sums of FEW rows each, with a column of factors."""
    whole, count = len(x) // FEW, x.shape[1]
    j = whole * FEW
    width = min(count, SOME)
    if count % width == 0:
        parts = x[:j].reshape(whole, FEW, count // width, width).swapaxes(1, 2)
        sums = out[:whole].reshape(whole, count // width, 1, width)
        np.matmul(by[:j].reshape(whole, 1, 1, FEW), parts, out=sums)
    else:
        np.einsum("ki,kij->kj", by[:j].reshape(whole, FEW), x[:j].reshape(whole, FEW, count), out=out[:whole])
    if j < len(x):
        out[whole] += np.dot(by[j:, 0], x[j:])


def _deviations(rows: Array, eps: float, out: Array) -> Any:
    """One over the root of each row's variance; what is less the mean is written into ``out``."""
    count = rows.shape[1]
    _by_column(np.subtract, rows, row_sums(rows) / count, out, out)
    return 1.0 / np.sqrt(_row_products(out, out) / count + eps)


def _step(size: int, count: int) -> int:
    """The rows of a block: of no more elements than a product may have that BLAS does not share among threads."""
    return max(min(block(size), 2 * BLOCK) // count, 1)


def _by_column(ufunc: Any, rows: Array, column: Array, out: Array, between: Array) -> None:
    """``ufunc(rows, column)``. NumPy goes row by row; for short ones it takes less time to repeat the column first."""
    if rows.shape[1] > LONG:
        ufunc(rows, column, out)
    else:
        between[...] = column  # in two thirds of the time of np.copyto where there are few
        ufunc(rows, between, out)


def _by_both(x: Array, column: Array, row: Array, out: Array, between: Array) -> None:
    """``x * column * row``; for short rows by the product of column and row, which is BLAS's."""
    if row.size > LONG:
        np.multiply(x, column, out)
        np.multiply(out, row, out)
    else:
        np.dot(column, row, between)
        np.multiply(x, between, out)


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

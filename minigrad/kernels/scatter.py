"""Writing elements to places along a dimension, and parts of matrices."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]


def flat_places(shape: tuple[int, ...], index: Array, dim: int) -> Array:
    """Where the elements that ``index`` names along ``dim`` stand in the flattened array of this ``shape``."""
    if not shape:
        return np.zeros(index.size, np.int64)
    strides = [1] * len(shape)
    for d in range(len(shape) - 2, -1, -1):
        strides[d] = strides[d + 1] * shape[d + 1]
    index = np.atleast_1d(index).astype(np.int64, copy=False)
    places = index * strides[dim]
    for d, n in enumerate(index.shape):
        if d != dim and n > 1:
            places += (np.arange(n) * strides[d]).reshape((n, *(1,) * (index.ndim - d - 1)))
    return places.reshape(-1)


def _flat(x: Array) -> Array:
    """A copy in one dimension, row by row."""
    return np.array(x, order="C").reshape(-1)


def _source(v: Any, index: Array) -> Any:
    return v if np.ndim(v) == 0 and index.ndim else np.asarray(v).reshape(-1)


def scatter(x: Array, v: Any, index: Array, dim: int) -> Any:
    """A copy of ``x`` with ``v`` at the places; the last of several writes to one place stays."""
    out = _flat(x)
    out[flat_places(x.shape, index, dim)] = _source(v, index)
    return out.reshape(x.shape)


def scatter_winners(x: Array, index: Array, dim: int) -> Any:
    """Which of the writes stay."""
    written = np.zeros(x.size, np.int64)
    at = flat_places(x.shape, index, dim)
    numbers = np.arange(index.size)
    written[at] = numbers
    return np.equal(written[at], numbers).reshape(index.shape)


def scatter_add(x: Array, v: Array, index: Array, dim: int) -> Any:
    """A copy of ``x`` with ``v`` added at the places."""
    out = _flat(x)
    if out.dtype == bool:
        np.logical_or.at(out, flat_places(x.shape, index, dim), v.reshape(-1))
    else:
        np.add.at(out, flat_places(x.shape, index, dim), v.reshape(-1))
    return out.reshape(x.shape)


def scatter_extreme(x: Array, v: Array, index: Array, dim: int, largest: bool) -> Any:
    """The largest, or smallest, of ``x`` and what ``v`` has for each place."""
    out = _flat(x)
    (np.maximum if largest else np.minimum).at(out, flat_places(x.shape, index, dim), v.reshape(-1))
    return out.reshape(x.shape)


def scatter_product(x: Array, v: Array, index: Array, dim: int) -> Any:
    """The product of ``x`` and what ``v`` has for each place."""
    out = _flat(x)
    np.multiply.at(out, flat_places(x.shape, index, dim), v.reshape(-1))
    return out.reshape(x.shape)


def masked_scatter(x: Array, mask: Array, v: Array) -> Any:
    """``x`` with the first elements of ``v``, one after the other, where ``mask`` holds."""
    mask = np.broadcast_to(mask, x.shape)
    out = np.array(x, order="C")
    out[mask] = v.reshape(-1)[: np.count_nonzero(mask)]
    return out


def masked_gather(g: Array, mask: Array, shape: tuple[int, ...]) -> Any:
    """The elements where ``mask`` holds, then zeros, in this ``shape``."""
    mask = np.broadcast_to(mask, g.shape)
    out = np.zeros(int(np.prod(shape)), g.dtype)
    out[: np.count_nonzero(mask)] = g[mask]
    return out.reshape(shape)


def diagonal(x: Array, offset: int, dim1: int, dim2: int) -> Any:
    """The diagonal as a last dimension, a view that may be written to."""
    rest = [d for d in range(x.ndim) if d not in (dim1, dim2)]
    y = x.transpose(*rest, dim1, dim2)
    y = y[..., max(-offset, 0) :, max(offset, 0) :]
    n = min(y.shape[-2:])
    return np.einsum("...ii->...i", y[..., :n, :n])


def undiagonal(g: Array, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Any:
    """Zeros of this ``shape`` with ``g`` on the diagonal."""
    out = np.zeros(shape, g.dtype)
    diagonal(out, offset, dim1, dim2)[...] = g
    return out


def triangle(x: Array, diagonal: int, upper: bool) -> Any:
    """``x`` with zeros below the diagonal, or above it."""
    rows, columns = (np.arange(n) for n in x.shape[-2:])
    distance = columns - rows[:, None]
    kept = distance >= diagonal if upper else distance <= diagonal
    out = np.zeros(x.shape, x.dtype)
    np.copyto(out, x, where=kept)  # np.where takes twice as long
    return out

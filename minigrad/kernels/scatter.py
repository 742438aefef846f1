"""Writing elements to places along a dimension, and parts of matrices."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from minigrad.buffers import Empty
from minigrad.kernels.sharing import BLOCK, blocks

Array: TypeAlias = np.ndarray[Any, Any]


# Numbers that are kept, since they take longer to find than the elements; of more, `__wrapped__` finds them anew.
_FEW = 1024


@functools.lru_cache(maxsize=64)
def _starts(rows: int, n: int) -> Any:
    return np.arange(rows) * n


def starts(rows: int, n: int) -> Any:
    """Where each of so many rows of ``n`` elements begins in one vector."""
    return (_starts if rows <= _FEW else _starts.__wrapped__)(rows, n)


@functools.lru_cache(maxsize=256)
def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides = [1] * len(shape)
    for d in range(len(shape) - 2, -1, -1):
        strides[d] = strides[d + 1] * shape[d + 1]
    return (*strides,)


def _offsets(sizes: tuple[int, ...], strides: tuple[int, ...], dim: int) -> Any:
    """What is added for the places of an index in all dimensions but ``dim``."""
    total: Any = 0
    for d, n in enumerate(sizes):
        if d != dim and n > 1:
            total = total + (np.arange(n) * strides[d]).reshape((n, *(1,) * (len(sizes) - d - 1)))
    return total


def _steps(shape: tuple[int, ...], sizes: tuple[int, ...], dim: int) -> tuple[int, Any]:
    """By how much a place grows with an index of these sizes along ``dim``, and what is added for the others."""
    strides, kept = _strides(shape), (*sizes[:dim], 1, *sizes[dim:]) if len(sizes) < len(shape) else sizes
    offsets = _offsets(kept, strides, dim)
    if kept is not sizes and np.ndim(offsets):
        offsets = np.broadcast_to(offsets, kept).reshape(sizes)
    return strides[dim], offsets


@functools.lru_cache(maxsize=256)
def _steps_of_few(shape: tuple[int, ...], sizes: tuple[int, ...], dim: int) -> tuple[int, Any]:
    """`_steps` with something to add for each element: NumPy adds two whole arrays in a third of the time."""
    stride, offsets = _steps(shape, sizes, dim)
    return stride, np.ascontiguousarray(np.broadcast_to(offsets, sizes))


def flat_places(shape: tuple[int, ...], index: Array, dim: int) -> Array:
    """Where the elements that ``index`` names along ``dim`` stand in the flattened array of this ``shape``.

    As NumPy's own integers: `take` refuses int64 where these have 32 bits, as in WebAssembly.
    """
    if not shape:
        return np.zeros(index.size, np.intp)
    return _places(shape, index if index.ndim else index.reshape(1), dim).reshape(-1)


def _places(shape: tuple[int, ...], index: Array, dim: int) -> Array:
    """`flat_places` in the shape of the index, of one dimension at least."""
    stride, offsets = (_steps_of_few if index.size <= _FEW else _steps)(shape, index.shape, dim)
    index = index.astype(np.intp, copy=False)
    places: Array = index if stride == 1 else index * stride
    return places if len(shape) == 1 else places + offsets


def all_below(index: Array, size: int) -> bool:
    """Whether all integers are from 0 to below ``size``, in one pass: without a sign negative ones are the largest."""
    unsigned = index.view(_UNSIGNED[index.dtype.char]) if index.dtype.kind == "i" else index
    if not index.size:
        return True
    # Of 100 integers `argmax` takes a quarter of the time of a reduction; what lies with gaps it copies first.
    dense = unsigned.flags.c_contiguous
    return bool((unsigned.item(unsigned.argmax()) if dense else np.maximum.reduce(unsigned, None)) < size)


_UNSIGNED = {char: np.dtype(char.upper()) for char in "bhilq"}


def in_blocks(
    act: Callable[[slice, Array], object], shape: tuple[int, ...], index: Array, dim: int, reads: bool = False
) -> None:
    """``act`` on where some elements stand in the index, and on their `flat_places`, which stay in the cache.

    Threads share the blocks if these only read, or each writes to rows of its own.
    """
    if not index.size:
        return
    if 0 < index.ndim < len(shape):
        index = np.expand_dims(index, dim)
    if index.size <= BLOCK or index.ndim < 2:

        def few(starts: Iterator[int]) -> None:
            for k in starts:
                here = slice(k, k + BLOCK)
                act(here, flat_places(shape, index.reshape(-1)[here] if index.ndim == 1 else index, dim))

        blocks(few, index.size, BLOCK, shared=reads)
        return
    strides, inner = _strides(shape), index.size // len(index)
    first = np.arange(len(index)).reshape(-1, *(1,) * (index.ndim - 1)) * (strides[0] if dim else 0)
    others = _offsets((1, *index.shape[1:]), strides, dim)
    rows = max(BLOCK // inner, 1)

    def work(starts: Iterator[int]) -> None:
        places = np.empty((rows, *index.shape[1:]), np.intp)
        for k in starts:
            part = index[k : k + rows]
            at = places[: len(part)]
            if strides[dim] != 1:
                part = np.multiply(part, strides[dim], out=at)
            np.add(part, others + first[k : k + rows], out=at)
            act(slice(k * inner, k * inner + at.size), at.reshape(-1))

    blocks(work, len(index), rows, shared=reads or dim > 0)


def gather(x: Array, index: Array, dim: int, out: Array | None = None) -> Array:
    """The elements that ``index`` names along ``dim``; one of each row, where it lacks that dimension."""
    # In one dimension NumPy takes elements, and adds to them, in a third of the time, and has no need to look
    # again whether a checked index is in range.
    if out is None and x.ndim and index.ndim and 0 < index.size <= BLOCK:
        return x.reshape(-1).take(_places(x.shape, index, dim), mode="wrap")
    picked = np.empty(index.shape, x.dtype) if out is None else out
    flat, target = x.reshape(-1), picked.reshape(-1)
    in_blocks(lambda here, at: flat.take(at, mode="wrap", out=target[here]), x.shape, index, dim, reads=True)
    return picked


def ungather(g: Array, index: Array, shape: tuple[int, ...], dim: int, empty: Empty = np.empty) -> Array:
    """Zeros of this ``shape`` with ``g`` added at the places from which `gather` takes it."""
    out = empty(shape, g.dtype)
    out.fill(0)
    flat, values = out.reshape(-1), g.reshape(-1)
    in_blocks(lambda here, at: np.add.at(flat, at, values[here]), shape, index, dim)
    return out


def add_to_rows(out: Array, numbers: Array, rows: Array, zeros: bool = False) -> None:
    """Adds each of ``rows`` to the row of ``out`` of that number, in their order; ``zeros`` says what ``out`` is."""
    count, width = rows.shape
    if width >= 512:
        # A step for each row costs less here than what follows.
        targets = list(out)
        for number, row in zip(numbers.tolist(), rows, strict=True):
            np.add(targets[number], row, out=targets[number])
        return
    if width >= 32:
        # One row to each number, then the second ones, and so on: NumPy moves whole rows.
        # It sorts 16 bits in a third of the time.
        order = np.argsort(numbers.astype(np.uint16) if len(out) <= 1 << 16 else numbers, kind="stable")
        ordered = numbers[order].astype(np.intp, copy=False)
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        counts = np.diff(starts, append=count)
        if counts.max() * 4096 <= count * width:
            for k in range(int(counts.max())):
                at = starts[counts > k] + k
                places = ordered[at]
                # `take` moves rows in half the time of an index. To add 0 makes 0 of -0, as any sum would.
                values = rows.take(order[at], axis=0)
                values += rows.dtype.type(0) if zeros and not k else out.take(places, axis=0)
                out[places] = values
            return
    flat, most = out.reshape(-1), max(BLOCK // max(width, 1), 1)
    # The places of a table that is no larger than the rows are taken in a quarter of the time.
    table = None
    if len(out) <= min(count, most):
        table = (_numbers if out.size <= _FEW else _numbers.__wrapped__)(out.shape)
    some = max(most // 4, 1)  # whose places stay in the cache
    for i in range(0, count, some):
        part = numbers[i : i + some].astype(np.intp, copy=False)
        at = part[:, None] * width + np.arange(width) if table is None else table.take(part, 0)
        np.add.at(flat, at.reshape(-1), rows[i : i + some].reshape(-1))


@functools.lru_cache(maxsize=128)
def _numbers(shape: tuple[int, ...]) -> Any:
    return np.arange(math.prod(shape)).reshape(shape)


def _flat(x: Array) -> Array:
    """A copy in one dimension, row by row."""
    return np.array(x, order="C").reshape(-1)


def scatter(x: Array, v: Any, index: Array, dim: int) -> Any:
    """A copy of ``x`` with ``v`` at the places; the last of several writes to one place stays."""
    out = _flat(x)
    one = np.ndim(v) == 0 and index.ndim
    out[flat_places(x.shape, index, dim)] = v if one else np.asarray(v).reshape(-1)
    return out.reshape(x.shape)


def scatter_winners(x: Array, index: Array, dim: int) -> Any:
    """Which of the writes stay."""
    written = np.zeros(x.size, np.int64)
    at = flat_places(x.shape, index, dim)
    numbers = np.arange(index.size)
    written[at] = numbers
    return np.equal(written[at], numbers).reshape(index.shape)


def _combined(ufunc: Any, x: Array, v: Array, index: Array, dim: int, out: Array | None = None) -> Any:
    out = np.empty(x.shape, x.dtype) if out is None else out
    out[...] = x
    flat, values = out.reshape(-1), v.reshape(-1)
    in_blocks(lambda here, at: ufunc.at(flat, at, values[here]), x.shape, index, dim)
    return out


def scatter_add(x: Array, v: Array, index: Array, dim: int, out: Array | None = None) -> Any:
    """A copy of ``x`` with ``v`` added at the places."""
    return _combined(np.logical_or if x.dtype == bool else np.add, x, v, index, dim, out)


def index_add(x: Array, v: Array, index: Array, dim: int) -> Any:
    """A copy of ``x`` with the slices of ``v`` added to those that ``index``, a vector, names along ``dim``."""
    out = np.array(x, order="C")
    if not v.size:
        return out
    numbers, outer = index, math.prod(x.shape[:dim])
    if outer > 1:
        numbers = (np.arange(outer)[:, None] * x.shape[dim] + index).reshape(-1)
    width = math.prod(x.shape[dim + 1 :])
    add_to_rows(out.reshape(-1, width), numbers, v.reshape(-1, width))
    return out


def scatter_extreme(x: Array, v: Array, index: Array, dim: int, largest: bool) -> Any:
    """The largest, or smallest, of ``x`` and what ``v`` has for each place."""
    return _combined(np.maximum if largest else np.minimum, x, v, index, dim)


def scatter_product(x: Array, v: Array, index: Array, dim: int) -> Any:
    """The product of ``x`` and what ``v`` has for each place."""
    return _combined(np.multiply, x, v, index, dim)


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
    rows, columns = x.shape[-2:]
    kept = (_side if rows * columns <= _FEW else _side.__wrapped__)(rows, columns, diagonal, upper)
    out = np.zeros(x.shape, x.dtype)
    np.copyto(out, x, where=kept)  # np.where takes twice as long
    return out


@functools.lru_cache(maxsize=64)
def _side(rows: int, columns: int, diagonal: int, upper: bool) -> Any:
    """Which elements of a matrix stand on one side of a diagonal, or on it."""
    distance = np.arange(columns) - np.arange(rows)[:, None]
    return distance >= diagonal if upper else distance <= diagonal

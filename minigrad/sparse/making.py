"""Sparse Tensors made in COO, CSR and CSC format, and of dense Tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, needs_value
from minigrad.core.node import next_seq
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor, wrap
from minigrad.device import DeviceLike
from minigrad.errors import not_implemented_error, runtime_error
from minigrad.formats import sparse_coo, sparse_csr, strided
from minigrad.functions.creation import _finish, as_tensor
from minigrad.ops import shape as s
from minigrad.sparse.table import with_label
from minigrad.sparse.tensor import Sparse, keys, made


def coo(
    indices: Any,
    values: Any,
    size: Any,
    dtype: Any,
    device: Any,
    requires_grad: bool,
    is_coalesced: bool | None,
) -> Tensor:
    """`sparse_coo_tensor`."""
    since = next_seq()
    if values is None:
        size = Size(indices if size is None else size)
        kind = dtypes.get_default_dtype() if dtype is None else dtype
        none = as_tensor(np.empty((0,), dtypes.as_numpy(kind)))
        t = made(wrap(np.empty((len(size), 0), np.int64)), none, size, sparse_coo, True)
        return t.requires_grad_(requires_grad)
    needs_value("sparse_coo_tensor()")
    at, numbers = as_tensor(indices).detach(), as_tensor(values, dtype)
    if numbers._array.ndim == 0:
        numbers = numbers.reshape(1)
    if at._array.ndim != 2:
        raise runtime_error(f"indices must be sparse_dim x nnz, but got: {list(at._array.shape)}")
    count, nnz = at._array.shape
    if len(numbers._array) != nnz:
        raise runtime_error(
            f"indices and values must have same nnz, but got nnz from indices: {nnz}, nnz from values: "
            f"{len(numbers._array)}"
        )
    at, dense = at.long(), numbers._array.shape[1:]
    if size is None:
        most = at._array.max(axis=1).tolist() if nnz else [-1] * count
        size = (*(n + 1 for n in most), *dense)
    size = Size(size)
    if len(size) != count + len(dense):
        raise runtime_error(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, sparse_dim = {count}, "
            f"dense_dim = {len(dense)}"
        )
    if tuple(size[count:]) != dense:
        raise runtime_error(
            f"values has incorrect size, expected {[nnz, *size[count:]]}, got {[nnz, *dense]}"
        )
    if any(n < 0 for n in size):
        raise runtime_error(f"sparse_coo_tensor(): sizes must not be negative, got {list(size)}")
    _check_places(at._array, size)
    t = made(at, _apart(numbers, requires_grad), size, sparse_coo, bool(is_coalesced))
    with_label(t, "SparseCooTensorWithDimsAndTensors", since)
    return _with_grad(t, requires_grad, device)


def _check_places(at: Any, size: Sequence[int]) -> None:
    """RuntimeError for a place outside; PyTorch looks only on demand, and reads other memory."""
    if not at.size:
        return
    for d, (low, high) in enumerate(zip(at.min(axis=1), at.max(axis=1), strict=True)):
        if low < 0:
            raise runtime_error(f"found negative index {low} for dim {d}")
        if high >= size[d]:
            raise runtime_error(
                f"size is inconsistent with indices: for dim {d}, size is {size[d]} but found index {high}"
            )


def _apart(numbers: Tensor, requires_grad: bool) -> Tensor:
    """The numbers under a record of their own, so that they are no leaf; or as a new leaf."""
    if requires_grad:
        return numbers.detach().clone()
    return apply(s.alias, (numbers,)) if numbers.requires_grad else numbers.detach()


def _with_grad(t: Sparse, requires_grad: bool, device: DeviceLike) -> Tensor:
    _finish(t._numbers, requires_grad, device)
    return t


def compressed(
    name: str,
    first: Any,
    second: Any,
    values: Any,
    size: Any,
    form: Any,
    dtype: Any,
    device: Any,
    requires_grad: bool,
) -> Tensor:
    """`sparse_csr_tensor` and `sparse_csc_tensor`: from where rows, or columns, begin, and the other indices."""
    since = next_seq()
    needs_value(f"{name}()")
    starts, others, numbers = as_tensor(first), as_tensor(second), as_tensor(values, dtype)
    if starts._array.ndim != 1 or numbers._array.ndim != 1:
        raise not_implemented_error(f"{name}(): minigrad has one matrix of numbers, no batches and no blocks")
    a, b = starts._array, others._array
    if size is None:
        lines = (len(a) - 1, int(b.max(initial=-1)) + 1)
        size = lines if form is sparse_csr else lines[::-1]
    lines, across = size if form is sparse_csr else tuple(size)[::-1]
    if (
        len(a) != lines + 1
        or len(b) != len(numbers._array)
        or a[-1] != len(b)
        or a[0] != 0
        or (a[1:] < a[:-1]).any()
    ):
        raise runtime_error(
            f"{name}(): the compressed indices, of shape {list(a.shape)}, must be {lines + 1} numbers that rise from 0 "
            f"to {len(b)}, and there must be as many plain indices as values ({len(numbers._array)})"
        )
    if len(b) and (b.min() < 0 or b.max() >= across):
        raise runtime_error(f"{name}(): the plain indices must be at least 0 and less than {across}")
    line = np.repeat(np.arange(lines), np.diff(a).astype(np.intp, copy=False)).astype(b.dtype)
    places = wrap(np.stack([line, b] if form is sparse_csr else [b, line]))
    t = made(places, _apart(numbers, requires_grad), size, form)
    return _with_grad(with_label(t, "SparseCompressedTensor", since), requires_grad, device)


def of_dense(input: Tensor, sparse_dim: int | None, layout: Any) -> Tensor:
    """`Tensor.to_sparse` of a dense one."""
    since = next_seq()
    needs_value("to_sparse()")
    shape, ndim = input._array.shape, input._array.ndim
    count = ndim if sparse_dim is None else sparse_dim
    if not 0 <= count <= ndim or (count == 0 and ndim):
        raise runtime_error(f"sparse_dim must be in the range of [1, {ndim}], but got {sparse_dim}")
    if layout is strided:
        return input
    there = input._array != 0
    places = np.ascontiguousarray(np.argwhere(there.any(axis=tuple(range(count, ndim)))).T, np.int64)
    flat = input.reshape(math.prod(shape[:count]), *shape[count:])
    numbers = flat.index_select(0, wrap(keys(places, shape[:count])))
    t = made(wrap(places), numbers, shape, sparse_coo, True)
    with_label(t, f"ToSparseBackward{int(sparse_dim is None)}", since)
    return t._in(layout or sparse_coo)


def _convert_indices_from_coo_to_csr(input: Tensor, size: int, *, out_int32: bool = False) -> Tensor:
    """Where each of ``size`` rows begins, from the sorted rows of numbers; packages call it."""
    starts = np.searchsorted(input._array, np.arange(size + 1))
    return wrap(starts.astype(np.int32 if out_int32 else np.int64))


def _convert_indices_from_csr_to_coo(
    crow_indices: Tensor, col_indices: Tensor, *, out_int32: bool = False, transpose: bool = False
) -> Tensor:
    """The places of numbers, from where their rows begin and their columns; packages call it."""
    counts = np.diff(crow_indices._array).astype(np.intp, copy=False)
    row = np.repeat(np.arange(len(counts)), counts)
    places = np.stack([row, col_indices._array][:: -1 if transpose else 1])
    return wrap(places.astype(np.int32 if out_int32 else np.int64))

"""Ways to sparse Tensors and back, and the questions that only they answer. `minigrad.sparse` is loaded for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, needs_value
from minigrad.core.node import next_seq
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor, wrap
from minigrad.device import DeviceLike
from minigrad.dtypes import DTypeLike
from minigrad.errors import not_implemented_error, runtime_error, type_error
from minigrad.formats import sparse_coo, sparse_csc, sparse_csr, strided
from minigrad.functions.creation import _finish, as_tensor
from minigrad.gate import public
from minigrad.ops import shape as s

if TYPE_CHECKING:
    from minigrad.sparse.tensor import Sparse

__all__ = ["sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor", "sparse_csr_tensor", "spmm"]

METHODS = (
    "_coalesced_ _indices _nnz _values ccol_indices coalesce col_indices crow_indices dense_dim indices is_coalesced "
    "row_indices sparse_dim sparse_mask sparse_resize_ sparse_resize_and_clear_ to_dense to_sparse to_sparse_coo "
    "to_sparse_csc to_sparse_csr values"
)


def sparse_coo_tensor(
    indices: Any = None,
    values: Any = None,
    size: Any = None,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Tensor:
    """A sparse Tensor of numbers and their places: elsewhere it is 0, and what stands twice counts as the sum.

    ``indices`` (sparse_dim, nnz) are the places, of whole numbers, and ``values`` (nnz, ...) the numbers, through which
    gradients pass. ``size`` is by default the smallest that fits. A size alone makes one without any number.
    RuntimeError for shapes that do not belong together and for a place outside.
    """
    from minigrad.sparse.table import with_label
    from minigrad.sparse.tensor import made

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
        numbers = numbers.expand(at._array.shape[1:])
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


def _compressed(
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
    """Of starts (of rows, or of columns) and the other places."""
    from minigrad.sparse.table import with_label
    from minigrad.sparse.tensor import made

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
    line = np.repeat(np.arange(lines), np.diff(a)).astype(b.dtype)
    places = wrap(np.stack([line, b] if form is sparse_csr else [b, line]))
    t = made(places, _apart(numbers, requires_grad), size, form)
    return _with_grad(with_label(t, "SparseCompressedTensor", since), requires_grad, device)


def sparse_csr_tensor(
    crow_indices: Any,
    col_indices: Any,
    values: Any,
    size: Any = None,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:
    """A sparse matrix by rows: where each begins among the numbers, and the columns and values of these.

    RuntimeError for shapes that do not belong together and for a place outside.
    """
    return _compressed(
        "sparse_csr_tensor", crow_indices, col_indices, values, size, sparse_csr, dtype, device, requires_grad
    )


def sparse_csc_tensor(
    ccol_indices: Any,
    row_indices: Any,
    values: Any,
    size: Any = None,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:
    """A sparse matrix by columns, as `sparse_csr_tensor` is one by rows."""
    return _compressed(
        "sparse_csc_tensor", ccol_indices, row_indices, values, size, sparse_csc, dtype, device, requires_grad
    )


def sparse_compressed_tensor(
    compressed_indices: Any,
    plain_indices: Any,
    values: Any,
    size: Any = None,
    *,
    dtype: DTypeLike | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:
    """`sparse_csr_tensor` or `sparse_csc_tensor`, by ``layout``."""
    if layout not in (sparse_csr, sparse_csc):
        raise runtime_error(
            f"sparse_compressed_tensor(): the layout is sparse_csr or sparse_csc here, not {layout}"
        )
    make = sparse_csr_tensor if layout is sparse_csr else sparse_csc_tensor
    return make(
        compressed_indices,
        plain_indices,
        values,
        size,
        dtype=dtype,
        device=device,
        requires_grad=requires_grad,
    )


def spmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, one of them sparse."""
    return input.mm(mat2)


# ---------------------------------------------------------------- methods of dense Tensors


def to_dense(input: Tensor, dtype: DTypeLike | None = None, *, masked_grad: bool | None = None) -> Tensor:
    """The elements of a sparse Tensor in a dense one; a dense Tensor itself."""
    return input if dtype is None else input.to(dtype)


def to_sparse(
    input: Tensor,
    sparse_dim: int | None = None,
    *,
    layout: Any = None,
    blocksize: Any = None,
    dense_dim: int | None = None,
) -> Tensor:
    """What is not 0 with its places: a sparse Tensor, in the form ``layout``.

    With ``sparse_dim`` only the first dimensions have places, and each number has the others.
    """
    from minigrad.sparse.table import with_label
    from minigrad.sparse.tensor import keys, made

    since = next_seq()
    needs_value("to_sparse()")
    shape, ndim = input._array.shape, input._array.ndim
    count = ndim if sparse_dim is None else sparse_dim
    if not 0 <= count <= ndim or (count == 0 and ndim):
        raise runtime_error(f"sparse_dim must be in the range of [1, {ndim}], but got {sparse_dim}")
    if layout is strided:
        return input
    there = input._array != 0
    places = np.array(np.nonzero(there.any(axis=tuple(range(count, ndim)))), np.int64).reshape(count, -1)
    flat = input.reshape(math.prod(shape[:count]), *shape[count:])
    numbers = flat.index_select(0, wrap(keys(places, shape[:count])))
    t = made(wrap(places), numbers, shape, sparse_coo, True)
    with_label(t, f"ToSparseBackward{int(sparse_dim is None)}", since)
    return t if layout in (None, sparse_coo) else t._in(layout)


def to_sparse_coo(input: Tensor) -> Tensor:
    """`to_sparse`."""
    return input.to_sparse()


def to_sparse_csr(input: Tensor, dense_dim: int | None = None) -> Tensor:
    """What is not 0 in a matrix, by rows: see `sparse_csr_tensor`."""
    return input.to_sparse(layout=sparse_csr)


def to_sparse_csc(input: Tensor, dense_dim: int | None = None) -> Tensor:
    """What is not 0 in a matrix, by columns: see `sparse_csc_tensor`."""
    return input.to_sparse(layout=sparse_csc)


def sparse_mask(input: Tensor, mask: Tensor) -> Tensor:
    """The elements at the places of ``mask``, a sparse Tensor of the same size."""
    raise type_error("sparse_mask(): the mask must be a sparse Tensor; give mask.to_sparse()")


def sparse_dim(input: Tensor) -> int:
    """How many dimensions have places: none of a dense Tensor."""
    return 0


def dense_dim(input: Tensor) -> int:
    """How many dimensions each number has: all of a dense Tensor."""
    return input._array.ndim


def _not_dense(name: str, what: str) -> NoReturn:
    raise runtime_error(f"{name} expected {what} tensor layout but got Strided; use .to_sparse() first")


def coalesce(input: Tensor) -> Tensor:
    """A sparse Tensor with its places sorted, and what is repeated added up. RuntimeError for a dense one."""
    _not_dense("coalesce", "sparse coordinate")


def is_coalesced(input: Tensor) -> bool:
    """Whether the places are sorted and none stands twice. RuntimeError for a dense Tensor."""
    _not_dense("is_coalesced", "sparse coordinate")


def indices(input: Tensor) -> Tensor:
    """The places (sparse_dim, nnz) of a coalesced Tensor. RuntimeError for another."""
    _not_dense("indices", "sparse coordinate")


def values(input: Tensor) -> Tensor:
    """The numbers (nnz, ...) of a coalesced Tensor, with their record. RuntimeError for another."""
    _not_dense("values", "sparse")


def crow_indices(input: Tensor) -> Tensor:
    """Where each row of a matrix by rows begins among its numbers. RuntimeError for another."""
    _not_dense("crow_indices", "sparse row compressed")


def col_indices(input: Tensor) -> Tensor:
    """The columns of the numbers of a matrix by rows. RuntimeError for another."""
    _not_dense("col_indices", "sparse row compressed")


def ccol_indices(input: Tensor) -> Tensor:
    """Where each column of a matrix by columns begins among its numbers. RuntimeError for another."""
    _not_dense("ccol_indices", "sparse column compressed")


def row_indices(input: Tensor) -> Tensor:
    """The rows of the numbers of a matrix by columns. RuntimeError for another."""
    _not_dense("row_indices", "sparse column compressed")


def sparse_resize_(input: Tensor, size: Any, sparse_dim: int, dense_dim: int) -> Tensor:
    """The same numbers in a sparse Tensor of another size. RuntimeError for a dense one."""
    _not_dense("sparse_resize_", "sparse coordinate")


def sparse_resize_and_clear_(input: Tensor, size: Any, sparse_dim: int, dense_dim: int) -> Tensor:
    """A sparse Tensor in another size, without any number. RuntimeError for a dense one."""
    _not_dense("sparse_resize_and_clear_", "sparse coordinate")


def _of_sparse(name: str) -> NoReturn:
    raise not_implemented_error(
        f"Could not run 'aten::{name}' with arguments from the 'CPU' backend: it is not sparse"
    )


def _indices(input: Tensor) -> Tensor:
    """The places of a sparse Tensor, coalesced or not. NotImplementedError for a dense one."""
    _of_sparse("_indices")


def _values(input: Tensor) -> Tensor:
    """The numbers of a sparse Tensor, without record. NotImplementedError for a dense one."""
    _of_sparse("_values")


def _nnz(input: Tensor) -> int:
    """How many numbers a sparse Tensor has. NotImplementedError for a dense one."""
    _of_sparse("_nnz")


def _coalesced_(input: Tensor, coalesced: bool) -> Tensor:
    """Says that a sparse Tensor is coalesced. NotImplementedError for a dense one."""
    _of_sparse("_coalesced_")


public(globals(), [*__all__, *METHODS.split()], home="minigrad")

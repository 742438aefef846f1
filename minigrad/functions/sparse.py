"""Conversions to sparse Tensors and back, and methods that only they have. `minigrad.sparse` is loaded for them."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NoReturn

from minigrad.core.tensor import Tensor
from minigrad.device import DeviceLike
from minigrad.dtypes import DTypeLike
from minigrad.errors import not_implemented_error, runtime_error, type_error
from minigrad.formats import sparse_coo, sparse_csc, sparse_csr
from minigrad.gate import public

__all__ = [
    "dsmm",
    "sparse_compressed_tensor",
    "sparse_coo_tensor",
    "sparse_csc_tensor",
    "sparse_csr_tensor",
    "spmm",
]

METHODS = (
    "_coalesced_ _indices _nnz _values ccol_indices coalesce col_indices crow_indices dense_dim indices is_coalesced "
    "row_indices sparse_dim sparse_mask sparse_resize_ sparse_resize_and_clear_ to_dense to_sparse to_sparse_coo "
    "to_sparse_csc to_sparse_csr values"
)


def _making() -> Any:
    """The room of sparse Tensors lies above, and is loaded when it is first asked for."""
    return import_module("minigrad.sparse.making")


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
    """A sparse Tensor in COO format: ``values`` at ``indices``, and 0 elsewhere; values of equal indices are added up.

    ``indices`` (sparse_dim, nnz) are integers; gradients pass through ``values`` (nnz, ...). ``size`` is by default
    the smallest that fits. A size alone makes an empty one. RuntimeError for shapes that do not fit and for an index
    out of range.
    """
    return _making().coo(indices, values, size, dtype, device, requires_grad, is_coalesced)


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
    """A sparse matrix in CSR format: where each row begins among the values, the column of each value, and the values.

    RuntimeError for shapes that do not fit and for an index out of range.
    """
    return _making().compressed(
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
    """A sparse matrix in CSC format: `sparse_csr_tensor` by columns."""
    return _making().compressed(
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
    named: Any = {"dtype": dtype, "device": device, "requires_grad": requires_grad}
    return make(compressed_indices, plain_indices, values, size, **named)


def spmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, one of them sparse."""
    return input.mm(mat2)


dsmm = spmm


# ---------------------------------------------------------------- methods of dense Tensors


def to_dense(input: Tensor, dtype: DTypeLike | None = None, *, masked_grad: bool | None = None) -> Tensor:
    """Converts a sparse Tensor to a dense one; returns a dense Tensor itself."""
    return input if dtype is None else input.to(dtype)


def to_sparse(
    input: Tensor,
    sparse_dim: int | None = None,
    *,
    layout: Any = None,
    blocksize: Any = None,
    dense_dim: int | None = None,
) -> Tensor:
    """Converts to a sparse Tensor of the elements that are not 0, by default in COO format (``layout``).

    With ``sparse_dim`` only so many first dimensions are indexed, with ``dense_dim`` all but so many last ones; the
    others are dimensions of each value. RuntimeError for either out of range, for a ``blocksize``, and for CSR or CSC
    of anything but a matrix; NotImplementedError for the layouts ``sparse_bsr`` and ``sparse_bsc``.
    """
    matrix = layout in (sparse_csr, sparse_csc)
    if blocksize is not None and (matrix or layout in (None, sparse_coo)):
        raise runtime_error("to_sparse(): a blocksize goes with the layouts sparse_bsr and sparse_bsc alone")
    if dense_dim is not None:
        most = input._array.ndim - 2 * matrix
        if not 0 <= dense_dim <= most:
            raise runtime_error(
                f"to_sparse(): dense_dim must be in the range of [0, {most}], but got {dense_dim}"
            )
        sparse_dim = sparse_dim if matrix else input._array.ndim - dense_dim
    return _making().of_dense(input, sparse_dim, layout)


def to_sparse_coo(input: Tensor) -> Tensor:
    """Converts to COO format: `to_sparse` without arguments."""
    return input.to_sparse()


def to_sparse_csr(input: Tensor, dense_dim: int | None = None) -> Tensor:
    """Converts a matrix to CSR format: see `sparse_csr_tensor`."""
    return input.to_sparse(layout=sparse_csr, dense_dim=dense_dim)


def to_sparse_csc(input: Tensor, dense_dim: int | None = None) -> Tensor:
    """Converts a matrix to CSC format: see `sparse_csc_tensor`."""
    return input.to_sparse(layout=sparse_csc, dense_dim=dense_dim)


def sparse_mask(input: Tensor, mask: Tensor) -> Tensor:
    """The elements at the indices of ``mask``, a sparse Tensor of the same size."""
    raise type_error("sparse_mask(): the mask must be a sparse Tensor; give mask.to_sparse()")


def sparse_dim(input: Tensor) -> int:
    """The number of sparse dimensions, those that are indexed: 0 for a dense Tensor."""
    return 0


def dense_dim(input: Tensor) -> int:
    """The number of dense dimensions, those of each value: all for a dense Tensor."""
    return input._array.ndim


def _not_dense(name: str, what: str) -> NoReturn:
    raise runtime_error(f"{name} expected {what} tensor layout but got Strided; use .to_sparse() first")


def coalesce(input: Tensor) -> Tensor:
    """Sorts the indices, and adds up the values of equal ones. RuntimeError for a dense Tensor."""
    _not_dense("coalesce", "sparse coordinate")


def is_coalesced(input: Tensor) -> bool:
    """Whether the indices are sorted and unique. RuntimeError for a dense Tensor."""
    _not_dense("is_coalesced", "sparse coordinate")


def indices(input: Tensor) -> Tensor:
    """The indices (sparse_dim, nnz) of a coalesced Tensor. RuntimeError for another."""
    _not_dense("indices", "sparse coordinate")


def values(input: Tensor) -> Tensor:
    """The values (nnz, ...) of a coalesced Tensor; gradients pass through them. RuntimeError for another."""
    _not_dense("values", "sparse")


def crow_indices(input: Tensor) -> Tensor:
    """Where each row of a CSR matrix begins among its values. RuntimeError for another."""
    _not_dense("crow_indices", "sparse row compressed")


def col_indices(input: Tensor) -> Tensor:
    """The columns of the values of a CSR matrix. RuntimeError for another."""
    _not_dense("col_indices", "sparse row compressed")


def ccol_indices(input: Tensor) -> Tensor:
    """Where each column of a CSC matrix begins among its values. RuntimeError for another."""
    _not_dense("ccol_indices", "sparse column compressed")


def row_indices(input: Tensor) -> Tensor:
    """The rows of the values of a CSC matrix. RuntimeError for another."""
    _not_dense("row_indices", "sparse column compressed")


def sparse_resize_(input: Tensor, size: Any, sparse_dim: int, dense_dim: int) -> Tensor:
    """Changes the size of a sparse Tensor, in place; it keeps its values. RuntimeError for a dense one."""
    _not_dense("sparse_resize_", "sparse coordinate")


def sparse_resize_and_clear_(input: Tensor, size: Any, sparse_dim: int, dense_dim: int) -> Tensor:
    """Changes the size of a sparse Tensor, in place, and removes its values. RuntimeError for a dense one."""
    _not_dense("sparse_resize_and_clear_", "sparse coordinate")


def _of_sparse(name: str) -> NoReturn:
    raise not_implemented_error(
        f"Could not run 'aten::{name}' with arguments from the 'CPU' backend: it is not sparse"
    )


def _indices(input: Tensor) -> Tensor:
    """The indices of a sparse Tensor, coalesced or not. NotImplementedError for a dense one."""
    _of_sparse("_indices")


def _values(input: Tensor) -> Tensor:
    """The values of a sparse Tensor, detached. NotImplementedError for a dense one."""
    _of_sparse("_values")


def _nnz(input: Tensor) -> int:
    """How many values a sparse Tensor has. NotImplementedError for a dense one."""
    _of_sparse("_nnz")


def _coalesced_(input: Tensor, coalesced: bool) -> Tensor:
    """Says that a sparse Tensor is coalesced. NotImplementedError for a dense one."""
    _of_sparse("_coalesced_")


public(globals(), __all__, home="minigrad")
public(globals(), METHODS.split(), home="minigrad", cls="Tensor.")

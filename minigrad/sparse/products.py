"""Matrix products with a sparse factor."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.apply import apply, needs_value
from minigrad.core.tensor import Tensor, wrap
from minigrad.dtypes import scalar
from minigrad.errors import runtime_error
from minigrad.formats import sparse_csr
from minigrad.functions.segments import segment_reduce
from minigrad.gate.precision import chosen
from minigrad.ops import sparse as ops
from minigrad.sparse.elements import is_one
from minigrad.sparse.table import TABLE, labelled, refused, taken
from minigrad.sparse.tensor import Sparse, made


@labelled("SparseAddmm")
def mm(mat1: Any, mat2: Any, reduce: str | None = None) -> Tensor:
    """The product of two matrices: sparse if both are, else dense.

    ``reduce`` combines the terms of each sum, one per value in the row of ``mat1`` (CSR), by ``"mean"``, ``"amax"`` or
    ``"amin"`` instead; equal ones share the gradient.
    """
    if reduce not in (None, "sum", "mean", "amax", "amin", "max", "min"):
        raise runtime_error(f"reduce argument must be either sum, mean, amax or amin, got {reduce}")
    if reduce is None or not (isinstance(mat1, Sparse) or isinstance(mat2, Sparse)):
        return mat1.mm(mat2)
    if not isinstance(mat1, Sparse) or mat1.layout is not sparse_csr:
        raise refused("_sparse_mm_reduce_impl", mat1 if isinstance(mat1, Sparse) else mat2)
    if reduce == "sum":
        return _mm(mat1, mat2)
    counts = np.diff(mat1.crow_indices()._array)
    terms = mat2.index_select(0, mat1.col_indices()) * mat1._numbers.unsqueeze(1)
    y = segment_reduce(terms, reduce, lengths=wrap(counts))
    return y.masked_fill(wrap(counts[:, None] == 0), 0.0)


@taken("mm", "spmm")
def _mm(input: Any, mat2: Any) -> Tensor:
    """A product with a sparse matrix."""
    for i, m in enumerate((input, mat2)):
        if m.dim() != 2:
            raise runtime_error(f"mm: Expected dim {i + 1} to be a matrix, got one of shape {list(m.shape)}")
    if input.shape[1] != mat2.shape[0]:
        raise runtime_error(
            f"mm: mat1 and mat2 shapes cannot be multiplied ({input.shape[0]}x{input.shape[1]} and "
            f"{mat2.shape[0]}x{mat2.shape[1]})"
        )
    if input.dtype != mat2.dtype:
        raise runtime_error(f"mm: expected scalar type {scalar(input.dtype)} but found {scalar(mat2.dtype)}")
    if not isinstance(input, Sparse):
        return _mm(mat2.t(), input.t()).t().contiguous() if isinstance(mat2, Sparse) else input.mm(mat2)
    if isinstance(mat2, Sparse):
        return _sparse_product(input, mat2)
    if input.dense_dim():
        raise runtime_error("mm: a sparse matrix of numbers is needed, this one has dense dimensions")
    row, col = input._places.long()
    return apply(ops.product, (input._numbers, mat2, row, col), {"rows": input.shape[0]})


def _sparse_product(a: Sparse, b: Sparse) -> Tensor:
    """Each number of ``a`` times the row of ``b`` that its column names, added up."""
    needs_value("a product of two sparse Tensors")
    x, y = a._coo(), b._coo().coalesce()
    row, col = x._places._array
    starts = np.searchsorted(y._places._array[0], np.arange(b.shape[0] + 1))
    counts = np.diff(starts)[col]
    mine = np.repeat(np.arange(len(col)), counts)
    theirs = np.arange(len(mine)) + np.repeat(starts[col] - (np.cumsum(counts) - counts), counts)
    numbers = x._numbers.index_select(0, wrap(mine)) * y._numbers.index_select(0, wrap(theirs))
    places = wrap(np.stack([row[mine], y._places._array[1][theirs]]))
    return made(places, numbers, (a.shape[0], b.shape[1])).coalesce().to_sparse(layout=a._form)


@taken("mv")
def mv(input: Any, vec: Tensor) -> Tensor:
    """A matrix times a vector."""
    if input.dim() != 2 or vec.dim() != 1 or input.shape[1] != vec.shape[0]:
        raise runtime_error(f"mv: size mismatch, got input {list(input.shape)}, vec {list(vec.shape)}")
    return _mm(input, vec.unsqueeze(1)).squeeze(1)


@taken("bmm")
def bmm(input: Any, mat2: Tensor) -> Tensor:
    """Matrix products, one by one: those of a matrix that has them on its diagonal."""
    fit = input.dim() == mat2.dim() == 3 and mat2.shape[:2] == (input.shape[0], input.shape[2])
    if not fit or not isinstance(input, Sparse) or isinstance(mat2, Sparse) or input.dense_dim():
        raise runtime_error(
            f"bmm: takes a sparse batch (b, n, m) and a dense one (b, m, p), got {list(input.shape)} of the layout "
            f"{input.layout} and {list(mat2.shape)} of {mat2.layout}"
        )
    count, rows, inner = input.shape
    batch, row, col = input._places._array
    places = wrap(np.stack([batch * rows + row, batch * inner + col]))
    whole = made(places, input._numbers, (count * rows, count * inner))
    return _mm(whole, mat2.reshape(count * inner, -1)).reshape(count, rows, -1)


@taken("matmul", label="-")
def matmul(input: Any, other: Any) -> Tensor:
    """``input @ other`` of matrices and vectors, or of two batches."""
    if not isinstance(input, Tensor) or not isinstance(other, Tensor):
        return NotImplemented
    if input.dim() == other.dim() == 1:
        raise refused("dot", input if isinstance(input, Sparse) else other)
    if input.dim() == 3:
        return TABLE["bmm"](input, other)
    if other.dim() == 1:
        return TABLE["mv"](input, other)
    if input.dim() == 1:
        return labelled("Mv")(lambda: _mm(input.unsqueeze(0), other).squeeze(0))()
    return TABLE["mm"](input, other)


TABLE["rmatmul"] = lambda input, other: TABLE["matmul"](other, input)
# With autocast it is a matrix product, as in PyTorch; that of dense Tensors is not.
TABLE["mv"] = chosen(mv, "mm")


@labelled("SparseAddmm")
@taken("addmm")
def addmm(input: Tensor, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``."""
    product = _mm(mat1, mat2)
    product = product if is_one(alpha) else product * alpha
    return (input if is_one(beta) else input * beta) + product


@taken("linear", label="Mm")
def linear(input: Any, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``."""
    y = _mm(input, weight.t())
    return y if bias is None else y + bias


@taken("sampled_addmm")
def sampled_addmm(input: Sparse, mat1: Tensor, mat2: Tensor, *, beta: Any = 1.0, alpha: Any = 1.0) -> Sparse:
    """``beta * input + alpha * (mat1 @ mat2)`` at the indices of ``input`` only."""
    if not isinstance(input, Sparse):
        raise refused("sparse_sampled_addmm", input)
    (n, k), (m, p) = [x.shape if x.dim() == 2 else (0, -1) for x in (mat1, mat2)]
    if k != m or input.shape != (n, p):
        raise runtime_error(
            f"sampled_addmm: mat1 and mat2 of shapes {list(mat1.shape)} and {list(mat2.shape)} have no product of the "
            f"shape {list(input.shape)}"
        )
    row, col = input._places.long()
    product = apply(ops.sampled, (mat1, mat2.t(), row, col))
    return input._like(input._numbers * beta + product * alpha)

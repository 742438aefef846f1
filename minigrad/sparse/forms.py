"""The same sparse Tensor in COO, CSR or CSC format, and the parts of these formats."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.tensor import Tensor, wrap
from minigrad.formats import sparse_coo, sparse_csc, sparse_csr
from minigrad.sparse.table import TABLE, taken
from minigrad.sparse.tensor import Sparse


def _starts(input: Sparse, form: Any, name: str, dim: int) -> Any:
    row = "row" if form is sparse_csr else "column"
    input._must_be(form, name, f"sparse {row} compressed")
    array = input._places._array
    counts = np.bincount(array[dim].astype(np.intp, copy=False), minlength=input._sizes[dim])
    return np.concatenate([[0], np.cumsum(counts)]).astype(array.dtype)


@taken("crow_indices", label="-")
def crow_indices(input: Sparse) -> Tensor:
    """Where each row begins among the numbers."""
    return wrap(_starts(input, sparse_csr, "crow_indices", 0))


@taken("col_indices", label="-")
def col_indices(input: Sparse) -> Tensor:
    """The columns of the numbers."""
    input._must_be(sparse_csr, "col_indices", "sparse row compressed")
    return input._places[1]


@taken("ccol_indices", label="-")
def ccol_indices(input: Sparse) -> Tensor:
    """Where each column begins among the numbers."""
    return wrap(_starts(input, sparse_csc, "ccol_indices", 1))


@taken("row_indices", label="-")
def row_indices(input: Sparse) -> Tensor:
    """The rows of the numbers."""
    input._must_be(sparse_csc, "row_indices", "sparse column compressed")
    return input._places[0]


@taken("to_sparse", label="-")
def to_sparse(input: Sparse, sparse_dim: int | None = None, *, layout: Any = None, **_: Any) -> Sparse:
    """As places and numbers, or in the form of ``layout``."""
    if layout is None and sparse_dim not in (None, input.sparse_dim()):
        return input.to_dense().to_sparse(sparse_dim)  # type: ignore[return-value]
    return input._in(layout or sparse_coo)


for _name, _form in (("coo", sparse_coo), ("csr", sparse_csr), ("csc", sparse_csc)):
    TABLE[f"to_sparse_{_name}"] = lambda input, dense_dim=None, form=_form: input._in(form)

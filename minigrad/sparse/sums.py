"""Sums and softmax along dimensions of sparse Tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import not_implemented_error, runtime_error
from minigrad.formats import sparse_coo
from minigrad.functions.dims import all_dims, one_dim
from minigrad.sparse.table import labelled, refused, taken
from minigrad.sparse.tensor import Sparse, keys, made


def sum(input: Sparse, dim: Any = None, dtype: Any = None) -> Tensor:
    """The sum of all values, or over ``dim``: a sparse Tensor unless all sparse dimensions are summed."""
    if not isinstance(input, Sparse):
        raise refused("_indices", input)
    t: Any = input if dtype is None else input.to(dtype)
    return t._numbers.sum() if dim is None else _sum_along(t, dim, False)


@taken("sum", label="-")
def _sum(input: Sparse, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """`sum`, which keeps dimensions too, and adds up whole numbers as int64."""
    whole = dtype is None and not (input._numbers.is_floating_point() or input._numbers.is_complex())
    t: Any = input.to(dtypes.int64 if whole else dtype)
    return t._numbers.sum() if dim is None else _sum_along(t, dim, keepdim)


@labelled("SumBackward1")
def _sum_along(t: Sparse, dim: Any, keepdim: bool) -> Tensor:
    if t._form is not sparse_coo and not keepdim:
        raise runtime_error("reduction operations on CSR tensors with keepdim=False is unsupported")
    form, t = t._form, t._coo()
    count, dims = t.sparse_dim(), all_dims(dim, t.ndim) or ()
    dense = tuple(d - count + 1 for d in dims if d >= count)
    numbers = t._numbers.sum(dense, keepdim) if dense else t._numbers
    sizes = [1 if d in dims else n for d, n in enumerate(t.shape) if keepdim or d not in dims]
    if keepdim:
        places = np.where(np.isin(np.arange(count), dims)[:, None], 0, t._places._array)
    else:
        places = t._places._array[[d not in dims for d in range(count)]]
    if not len(places):
        return numbers.sum(0)
    return made(wrap(places), numbers, sizes).coalesce().to_sparse(layout=form)


def _softmax(name: str, input: Any, dim: int, dtype: Any, log: bool) -> Sparse:
    """Of the numbers along ``dim``; what is not there counts for nothing."""
    if not isinstance(input, Sparse) or input._form is not sparse_coo:
        raise refused(f"_sparse_{name}", input)
    t: Any = (input if dtype is None else input.to(dtype)).coalesce()
    if not t._numbers.is_floating_point():
        raise not_implemented_error(
            f"\"{name}\" not implemented for '{dtypes.scalar(t.dtype)}': it takes floats; pass a dtype"
        )
    d, count = one_dim(dim, t.ndim), t.sparse_dim()
    if d >= count:
        x = t._numbers
        return t._like(x.log_softmax(d - count + 1) if log else x.softmax(d - count + 1))
    others = [k for k in range(count) if k != d]
    at = keys(t._places._array[others], [t.shape[k] for k in others])
    _, group = np.unique(at, return_inverse=True)
    groups, x = wrap(group.astype(np.int64)), t._numbers
    none = x.detach().new_zeros((int(group.max(initial=-1)) + 1, *x.shape[1:]))
    most = none - math.inf
    np.maximum.at(most._array, group, x._array)
    x = x - most.index_select(0, groups)
    total = none.index_add(0, groups, x.exp())
    if log:
        return t._like(x - total.log().index_select(0, groups))
    return t._like(x.exp() / total.index_select(0, groups))


@labelled("SparseSoftmax")
def softmax(input: Any, dim: int, *, dtype: Any = None) -> Sparse:
    """Softmax along ``dim`` of the values that are there."""
    return _softmax("softmax", input, dim, dtype, False)


@labelled("SparseLogSoftmax")
def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Sparse:
    """The logarithm of `softmax`."""
    return _softmax("log_softmax", input, dim, dtype, True)

"""Dimensions of sparse Tensors in another order, joined, or at one index."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import needs_value
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import index_error, runtime_error
from minigrad.formats import sparse_coo, sparse_csc, sparse_csr
from minigrad.functions import parts
from minigrad.functions.dims import one_dim
from minigrad.kernels.sparse import ordered
from minigrad.sparse import sums
from minigrad.sparse.table import refused, taken
from minigrad.sparse.tensor import Sparse, made


@taken("permute")
def permute(input: Sparse, *given: Any, dims: Any = None) -> Sparse:
    """The dimensions in another order, sparse ones and dense ones apart."""
    wanted = given[0] if given and isinstance(given[0], (tuple, list)) else given or dims
    order = tuple(one_dim(d, input.ndim) for d in wanted)
    count = input.sparse_dim()
    first, rest = order[:count], order[count:]
    if sorted(first) != [*range(count)]:
        raise runtime_error("permute: sparse and dense dimensions of a sparse Tensor stay apart")
    form = {sparse_csr: sparse_csc, sparse_csc: sparse_csr}.get(input._form, sparse_coo)
    numbers = input._numbers.permute(0, *(d - count + 1 for d in rest)) if rest else input._numbers
    ordered = input._coalesced and first == (*range(count),)
    return made(wrap(input._places._array[[*first]]), numbers, [input.shape[d] for d in order], form, ordered)


@taken("transpose", "swapaxes", "swapdims")
def transpose(input: Sparse, dim0: int, dim1: int) -> Sparse:
    """Two dimensions exchanged."""
    order = [*range(input.ndim)]
    a, b = one_dim(dim0, input.ndim), one_dim(dim1, input.ndim)
    order[a], order[b] = b, a
    return permute(input, *order)


@taken("t")
def t(input: Sparse) -> Sparse:
    """The matrix with rows and columns exchanged."""
    places, rest = input.sparse_dim(), input.ndim - input.sparse_dim()
    if places > 2 or rest:
        raise runtime_error(
            f"t() expects a tensor with <= 2 sparse and 0 dense dimensions, but got {places} sparse and {rest} dense"
        )
    return permute(input, *range(places)[::-1])


@taken("T")
def reverse(input: Sparse) -> Sparse:
    """All dimensions in reverse."""
    return permute(input, *range(input.ndim)[::-1])


def _batches(name: str, input: Sparse) -> Sparse:
    if input.ndim == 1:
        raise runtime_error(
            f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D tensor."
        )
    return transpose(input, -2, -1) if input.ndim else input


@taken("conj")
def conj(input: Sparse) -> Sparse:
    """The complex conjugates."""
    if input._numbers._array.dtype.kind != "c":
        return input
    return made(input._places, input._numbers.conj(), input.shape, input._form, input._coalesced)


@taken("mT", label="Transpose")
def matrices(input: Sparse) -> Sparse:
    """The last two dimensions exchanged."""
    return _batches("mT", input)


@taken("mH", "adjoint", label="Transpose")
def adjoint(input: Sparse) -> Sparse:
    """The same, conjugated."""
    return conj(_batches("mH", input))


@taken("H", label="Transpose")
def one_adjoint(input: Sparse) -> Sparse:
    """The matrix, transposed and conjugated."""
    if input.ndim not in (0, 2):
        raise runtime_error(
            f"tensor.H is only supported on matrices (2-D tensors). Got {input.ndim}-D tensor."
        )
    return adjoint(input)


@taken("unbind", label="-")
def unbind(input: Sparse, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along a dimension."""
    return tuple(input.select(dim, i) for i in range(input.shape[dim]))


@taken("unsqueeze")
def unsqueeze(input: Sparse, dim: int) -> Sparse:
    """A new dimension of size 1."""
    d, count = one_dim(dim, input.ndim + 1), input.sparse_dim()
    sizes = [*input.shape[:d], 1, *input.shape[d:]]
    if d > count:
        return made(
            input._places, input._numbers.unsqueeze(d - count + 1), sizes, sparse_coo, input._coalesced
        )
    places = np.insert(input._places._array, d, 0, axis=0)
    return made(wrap(places), input._numbers, sizes)


@taken("cat", "concat", "concatenate")
def cat(tensors: Sequence[Any], dim: int = 0) -> Sparse:
    """Sparse Tensors joined along a dimension."""
    for i, x in enumerate(tensors):
        if not isinstance(x, Sparse):
            raise runtime_error(
                f"Concatenating sparse tensors, but a dense tensor was found at position {i}."
            )
        if x._form is not sparse_coo:
            raise runtime_error(
                "cat: sparse Tensors are joined in the layout sparse_coo; use .to_sparse_coo()"
            )
    first = tensors[0]
    d, count = one_dim(dim, first.ndim), first.sparse_dim()
    for x in tensors:
        rest = [n for k, n in enumerate(x.shape) if k != d]
        if rest != [n for k, n in enumerate(first.shape) if k != d] or x.sparse_dim() != count:
            raise runtime_error(
                f"All tensors must have the same shape: {list(first.shape)} and {list(x.shape)} differ in more than "
                f"the concatenating dimension {d}"
            )
    sizes = [*first.shape]
    sizes[d] = builtins.sum(x.shape[d] for x in tensors)
    places, numbers, before = [], [], 0
    for x in tensors:
        at, own = x._places._array.copy(), x._numbers
        if d < count:
            at[d] += before
        else:  # as wide as the whole, with zeros around
            shape, k = [*own.shape], d - count + 1
            shape[k] = before
            left = own.detach().new_zeros(shape)
            shape[k] = sizes[d] - before - x.shape[d]
            own = parts.cat((left, own, own.detach().new_zeros(shape)), k)
        before += x.shape[d]
        places.append(at)
        numbers.append(own)
    return made(wrap(np.concatenate(places, axis=1)), parts.cat(numbers), sizes)


@taken("stack")
def stack(tensors: Sequence[Any], dim: int = 0) -> Sparse:
    """Sparse Tensors of one size along a new dimension."""
    sizes = [list(x.shape) for x in tensors]
    if any(size != sizes[0] for size in sizes):
        raise runtime_error(f"stack expects each tensor to be equal size, but got {sizes}")
    return cat([unsqueeze(x, dim) if isinstance(x, Sparse) else x for x in tensors], dim)


@taken("index_select")
def index_select(input: Sparse, dim: int, index: Tensor) -> Sparse:
    """The slices that ``index`` names, in its order. IndexError outside [-size, size)."""
    needs_value("index_select() of a sparse Tensor")
    d, count = one_dim(dim, input.ndim), input.sparse_dim()
    wanted = np.atleast_1d(index._array)
    if wanted.ndim > 1 or wanted.dtype not in (dtypes.int32, dtypes.int64):
        raise index_error(
            f"index_select() argument index must be 1-D strided (non-sparse) long-tensor, got {index.dtype} of shape "
            f"{list(index.shape)}"
        )
    n = input.shape[d]
    if wanted.size and (wanted.min() < -n or wanted.max() >= n):
        raise index_error(f"index_select(): index contains values out of the range [-{n}, {n})")
    wanted = np.where(wanted < 0, wanted + n, wanted)
    sizes = [*input.shape]
    sizes[d] = len(wanted)
    t = input._coo()
    if d >= count:
        numbers = t._numbers.index_select(d - count + 1, wrap(wanted))
        return made(t._places, numbers, sizes, sparse_coo, t._coalesced)
    line = t._places._array[d]
    order = ordered(line)
    starts = np.searchsorted(line[order], wanted)
    counts = np.searchsorted(line[order], wanted, side="right") - starts
    new = np.repeat(np.arange(len(wanted)), counts)
    picked = order[np.arange(len(new)) + np.repeat(starts - (np.cumsum(counts) - counts), counts)]
    places = t._places._array[:, picked]
    places[d] = new
    return made(
        wrap(places), t._numbers.index_select(0, wrap(picked)), sizes, sparse_coo, t._coalesced and not d
    )


@taken("narrow_copy")
def narrow_copy(input: Sparse, dim: int, start: int, length: int) -> Sparse:
    """``length`` slices from ``start`` on. RuntimeError for a range that is not within the dimension."""
    n = input.shape[dim := one_dim(dim, input.ndim)]
    if not 0 <= length <= n or not 0 <= start <= n - length:
        raise runtime_error(
            f"Invalid range to narrow. range(start, start+length) must be a subset of range(0, {n}), got "
            f"start={start}, length={length}"
        )
    return index_select(input, dim, wrap(np.arange(start, start + length)))


@taken("select")
def select(input: Sparse, dim: int, index: int) -> Tensor:
    """The slice at one index; dense where no sparse dimension is left."""
    d = one_dim(dim, input.ndim)
    n = input.shape[d]
    if not -n <= index < n:
        raise index_error(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {d}"
        )
    one = index_select(input, d, wrap(np.array([index % n])))
    whole = d >= one.sparse_dim() or one.sparse_dim() == 1
    return sums.sum(one, d).to(input.dtype) if whole else _without(one, d)


def _without(t: Sparse, dim: int) -> Sparse:
    """Without a sparse dimension of size 1."""
    sizes = [n for k, n in enumerate(t.shape) if k != dim]
    return made(wrap(np.delete(t._places._array, dim, axis=0)), t._numbers, sizes, sparse_coo, t._coalesced)


def _is_number(k: Any) -> bool:
    """Whether an index is a Tensor of one whole number."""
    return isinstance(k, Tensor) and not k._sparse and not k.dim() and k._array.dtype.kind in "iu"


@taken("getitem", label="-")
def getitem(input: Any, key: Any) -> Any:
    """``input[i, j]``, also with ``:`` and ``...`` for whole dimensions, and None for a new one."""
    if not isinstance(input, Sparse):
        raise refused("index", key if isinstance(key, Sparse) else key[0])
    ks = [int(k) if _is_number(k) else k for k in (key if isinstance(key, tuple) else [key])]
    if ... in [k for k in ks if not isinstance(k, Tensor)]:
        at = ks.index(...)
        ks[at : at + 1] = [slice(None)] * (input.ndim - sum(k is not None for k in ks) + 1)
    if sum(k is not None for k in ks) > input.ndim:
        raise index_error(f"too many indices for tensor of dimension {input.ndim}")
    y: Any = input
    dim = 0
    for k in ks:
        if isinstance(k, slice) and k == slice(None):
            dim += 1
        elif isinstance(k, (int, np.integer)) and not isinstance(k, bool):
            y = y.select(dim, int(k))
        elif k is None:
            y = y.unsqueeze(dim)
            dim += 1
        else:
            raise refused("index" if isinstance(k, Tensor) else "as_strided", input)
    return y


def spdiags(diagonals: Tensor, offsets: Tensor, shape: Sequence[int], layout: Any = None) -> Tensor:
    """A sparse matrix of ``shape`` with the rows of ``diagonals`` on the diagonals ``offsets``.

    Element j of a row goes to column j, where its diagonal meets it.
    """
    if diagonals.dim() not in (1, 2) or len(shape) != 2:
        raise runtime_error(
            f"spdiags(): Diagonals must be vector or matrix, and the output shape must be 2d; got diagonals of shape "
            f"{list(diagonals.shape)} and the shape {tuple(shape)}"
        )
    if offsets.dtype != dtypes.int64:
        raise runtime_error(f"spdiags(): Offset Tensor must have dtype Long but got {offsets.dtype}")
    rows, width = (diagonals.unsqueeze(0) if diagonals.dim() < 2 else diagonals).shape
    at = np.atleast_1d(offsets._array)
    if len(np.unique(at)) < rows or len(at) != rows:
        raise runtime_error("spdiags(): offsets must be as many as diagonals, and differ")
    col = np.tile(np.arange(width, dtype=np.int64), rows)
    row = col - np.repeat(at, width)
    kept = (row >= 0) & (row < shape[0]) & (col < shape[1])
    numbers = diagonals.reshape(-1).index_select(0, wrap(np.flatnonzero(kept)))
    return made(wrap(np.stack([row[kept], col[kept]])), numbers, shape)._in(layout or sparse_coo)

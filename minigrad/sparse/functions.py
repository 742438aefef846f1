"""What functions of users do where an argument is sparse: products, sums and elements, made of dense operations."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import autograd, dtypes
from minigrad.autograd.modes import is_grad_enabled
from minigrad.core.apply import apply, needs_value
from minigrad.core.changes import changed
from minigrad.core.mode import MODE
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.views import check_inference
from minigrad.errors import index_error, not_implemented_error, runtime_error
from minigrad.formats import sparse_coo, sparse_csc, sparse_csr
from minigrad.functions import parts
from minigrad.functions.dims import all_dims, one_dim
from minigrad.functions.store import has_no_history
from minigrad.kernels.scatter import add_to_rows
from minigrad.ops import sparse as ops
from minigrad.sparse.tensor import Sparse, keys, labelled, made, refused

TABLE: dict[str, Callable[..., Any]] = {}


def taken(*names: str, label: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: what stands for the public functions of these names; records are called as the first, or ``label``."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        label_of = label or names[0].title().replace("_", "")
        TABLE.update(dict.fromkeys(names, function if label_of == "-" else labelled(label_of)(function)))
        return function

    return enter


# ---------------------------------------------------------------- elements


def _is_single(x: Any) -> bool:
    return not isinstance(x, Tensor) or (not isinstance(x, Sparse) and x.dim() == 0)


def _dense_with(t: Sparse, dense: Tensor) -> Tensor:
    """The elements of a dense Tensor, which broadcasts, at the places of a sparse one."""
    sizes, count = t.shape, t.sparse_dim()
    full = dense.expand(sizes).reshape(-1, *sizes[count:])
    return full.index_select(0, wrap(t._keys()))


def _found(t: Sparse, other: Sparse) -> tuple[Any, Any]:
    """Which of the places of ``t`` the other, coalesced, has, and where."""
    mine, theirs = t._keys(), other._keys()
    at = np.searchsorted(theirs, mine)
    there = at < len(theirs)
    there[there] = theirs[at[there]] == mine[there]
    return there, at


@taken("add")
def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``input + alpha * other``: sparse of two sparse ones, dense of a dense and a sparse one."""
    if isinstance(input, Sparse) and not isinstance(other, Sparse):
        if input._form is sparse_coo or not isinstance(other, Tensor):
            raise runtime_error("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
        return other * alpha + input
    b: Sparse = other if _is_one(alpha) else mul(other, alpha)
    if isinstance(input, Sparse):
        return _both(input, b)
    if _is_single(input) or input.shape != b.shape:
        raise runtime_error(
            f"add: expected 'self' and 'other' to have same size, but self has size {list(getattr(input, 'shape', []))} "
            f"while other has size {list(b.shape)} (dense-sparse addition does not broadcast)"
        )
    sizes, count = b.shape, b.sparse_dim()
    numbers = b._numbers
    dtype = dtypes.promote_types(input.dtype, numbers.dtype)
    flat = input.to(dtype).reshape(-1, *sizes[count:])
    return flat.index_add(0, wrap(b._keys()), numbers.to(dtype)).reshape(sizes)


def _is_one(x: Any) -> bool:
    return not isinstance(x, Tensor) and x == 1


def _both(a: Sparse, b: Sparse) -> Sparse:
    """The sum of two sparse Tensors."""
    if a.shape != b.shape:
        raise runtime_error(
            f"add: expected sizes of 'self' and 'other' to match, but {list(a.shape)} != {list(b.shape)}"
        )
    if a._form is not sparse_coo:
        return _both(a._coo(), b._coo()).coalesce()._in(a._form)
    b = b._coo()
    same = a._places._array.shape == b._places._array.shape and (a._places._array == b._places._array).all()
    if same:
        return a._like(a._numbers + b._numbers)
    places = wrap(np.concatenate([a._places._array, b._places._array], axis=1))
    t = made(places, parts.cat((a._numbers, b._numbers)), a.shape)
    return t.coalesce() if a._coalesced and b._coalesced else t


@taken("sub", "subtract")
def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``input - alpha * other``."""
    return add(input, other, alpha=-alpha)


@taken("rsub")
def rsub(input: Any, other: Any) -> Tensor:
    """``other - input``."""
    return add(other, input, alpha=-1)


@taken("mul", "multiply")
def mul(input: Any, other: Any) -> Any:
    """The products of elements, at the places that all factors have; a dense factor broadcasts."""
    t, x = (input, other) if isinstance(input, Sparse) else (other, input)
    if _is_single(x):
        return t._like(t._numbers * x)
    if t._form is not sparse_coo:
        return mul(t._coo(), x._coo() if isinstance(x, Sparse) else x)._in(t._form)
    if not isinstance(x, Sparse):
        return t._like(t._numbers * _dense_with(t, x))
    if t.shape != x.shape:
        raise runtime_error(
            f"mul: expected 'self' and 'other' to have same sizes, but {list(t.shape)} != {list(x.shape)}"
        )
    x = x._coo().coalesce()
    there, at = _found(t, x)
    numbers = t._numbers.index_select(0, wrap(np.flatnonzero(there))) * x._numbers.index_select(
        0, wrap(at[there])
    )
    return made(wrap(t._places._array[:, there]), numbers, t.shape, sparse_coo, t._coalesced)


@taken("div", "divide", "true_divide")
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Sparse:
    """The numbers over one number."""
    if not isinstance(input, Sparse) or not _is_single(other):
        raise runtime_error(
            "Sparse division requires a scalar or zero-dim dense tensor divisor "
            f"(got shape {list(getattr(other, 'shape', []))} for divisor)"
        )
    return input._like(input._numbers.div(other, rounding_mode=rounding_mode))


@taken("pow")
def pow(input: Any, exponent: Any) -> Sparse:
    """Powers of the numbers; RuntimeError for the exponent 0, which makes 1 of 0."""
    if not isinstance(input, Sparse) or isinstance(exponent, Tensor) or exponent == 0:
        raise runtime_error("pow: sparse Tensors have powers with a number that is not 0; use .to_dense()")
    t = input._summed()
    return t._like(t._numbers**exponent)


def _in_place(of: Callable[..., Any]) -> Callable[..., Any]:
    """A function that changes its first argument."""

    def change(input: Any, other: Any, **named: Any) -> Any:
        if not isinstance(input, Sparse):
            if of not in (add, sub):
                raise refused(f"{of.__name__}_", other)
            alpha = named.get("alpha", 1)
            return _add_to_dense(input, other, alpha if of is add else -alpha)
        result = of(input, other, **named)
        if input.requires_grad and input.is_leaf and is_grad_enabled():
            raise runtime_error(
                "a leaf Variable that requires grad is being used in an in-place operation; use no_grad()"
            )
        same = result._places._array is input._places._array and result.dtype == input.dtype
        if same and not (input.requires_grad or result.requires_grad):
            input._numbers.copy_(result._numbers)  # whoever shares them sees it
            return input
        return input._become(result)

    return change


def _add_to_dense(input: Tensor, other: Sparse, alpha: Any) -> Tensor:
    """Adds in place where there are numbers, one after the other, and leaves the rest alone."""
    numbers = other._numbers if _is_one(alpha) else other._numbers * alpha
    if input.shape == other.shape and input.dtype == numbers.dtype and has_no_history(input):
        plain = not (is_grad_enabled() and (input.requires_grad or numbers.requires_grad))
        if plain and input._array.flags.c_contiguous and not MODE.get().everything:
            array = input._array
            check_inference(input)
            changed(array)
            add_to_rows(array.reshape(math.prod(input.shape[: other.sparse_dim()]), -1), other._keys(),
                        numbers._array.reshape(len(numbers), -1))  # fmt: skip
            return input
    return input.copy_(add(input, other, alpha=alpha))


for _of, _names in ((add, "add_"), (sub, "sub_ subtract_"), (mul, "mul_ multiply_"), (div, "div_ divide_")):
    TABLE.update(dict.fromkeys(_names.split(), _in_place(_of)))


# ---------------------------------------------------------------- products


@labelled("SparseAddmm")
def mm(mat1: Any, mat2: Any, reduce: str | None = None) -> Tensor:
    """The product of two matrices: sparse if both are, else dense.

    With ``reduce="mean"`` the terms of each sum, as many as the row of ``mat1``, by rows, has numbers, are averaged.
    """
    if reduce not in (None, "sum", "mean"):
        raise not_implemented_error(f"mm(): reduce is 'sum' or 'mean' here, not {reduce!r}")
    if not isinstance(mat1, Sparse) and not isinstance(mat2, Sparse):
        return mat1.mm(mat2)
    if reduce is not None and mat1.layout is not sparse_csr:
        raise refused("_sparse_mm_reduce_impl", mat1)
    y = _mm(mat1, mat2)
    if reduce != "mean":
        return y
    counts = np.diff(mat1.crow_indices()._array)[:, None]
    return y / wrap(np.maximum(counts, 1).astype(y._array.dtype))


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
        raise runtime_error(f"mm: expected scalar type {input.dtype} but found {mat2.dtype}")
    if not isinstance(input, Sparse):
        return _mm(mat2.t(), input.t()).t().contiguous()
    if isinstance(mat2, Sparse):
        return _sparse_product(input, mat2)
    if input.dense_dim():
        raise runtime_error("mm: a sparse matrix of numbers is needed, this one has dense dimensions")
    row, col = input._places.long()
    return apply(ops.product, (input._numbers, mat2, row, col), {"rows": input.shape[0]})


def _sparse_product(a: Sparse, b: Sparse) -> Sparse:
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
    if vec.dim() != 1 or input.shape[1] != vec.shape[0]:
        raise runtime_error(f"mv: size mismatch, got input {list(input.shape)}, vec {list(vec.shape)}")
    return _mm(input, vec.unsqueeze(1)).squeeze(1)


@taken("bmm")
def bmm(input: Sparse, mat2: Tensor) -> Tensor:
    """Products of matrices, one by one: those of a matrix that has them on its diagonal."""
    count, rows, inner = input.shape
    if not isinstance(input, Sparse) or mat2.shape[:2] != (count, inner):
        raise runtime_error(f"bmm: got a sparse batch of {list(input.shape)} and {list(mat2.shape)}")
    batch, row, col = input._places._array
    places = wrap(np.stack([batch * rows + row, batch * inner + col]))
    whole = made(places, input._numbers, (count * rows, count * inner))
    return _mm(whole, mat2.reshape(count * inner, -1)).reshape(count, rows, -1)


@taken("matmul", label="-")
def matmul(input: Any, other: Any) -> Tensor:
    """``input @ other`` of matrices and vectors, or of two batches."""
    if input.dim() == 3:
        return TABLE["bmm"](input, other)
    if other.dim() == 1:
        return TABLE["mv"](input, other)
    if input.dim() == 1:
        return labelled("Mv")(lambda: _mm(input.unsqueeze(0), other).squeeze(0))()
    return TABLE["mm"](input, other)


TABLE["rmatmul"] = lambda input, other: matmul(other, input)


@labelled("SparseAddmm")
@taken("addmm")
def addmm(input: Tensor, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``."""
    product = _mm(mat1, mat2)
    product = product if _is_one(alpha) else product * alpha
    return (input if _is_one(beta) else input * beta) + product


@taken("linear", label="Mm")
def linear(input: Any, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``."""
    y = _mm(input, weight.t())
    return y if bias is None else y + bias


@taken("sampled_addmm")
def sampled_addmm(input: Sparse, mat1: Tensor, mat2: Tensor, *, beta: Any = 1.0, alpha: Any = 1.0) -> Sparse:
    """``beta * input + alpha * (mat1 @ mat2)`` at the places of ``input`` alone."""
    row, col = input._places.long()
    product = apply(ops.sampled, (mat1, mat2.t(), row, col))
    return input._like(input._numbers * beta + product * alpha)


# ---------------------------------------------------------------- sums


@taken("sum", label="-")
def sum(input: Sparse, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The sum of all numbers; over some dimensions a sparse Tensor, unless all sparse ones are among them."""
    t = input if dtype is None else input.to(dtype)
    if dim is None or dim == ():
        return t._numbers.sum()
    return _sum_along(t, dim, keepdim)


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
    if numbers.dtype in (dtypes.int32, dtypes.int16, dtypes.int8, dtypes.uint8, dtypes.bool):
        numbers = numbers.long()
    return made(wrap(places), numbers, sizes).coalesce().to_sparse(layout=form)


def _softmax(name: str, input: Sparse, dim: int, dtype: Any, log: bool) -> Sparse:
    """Of the numbers along ``dim``; what is not there counts for nothing."""
    if not isinstance(input, Sparse) or input._form is not sparse_coo:
        raise refused(f"_sparse_{name}", input)
    t = (input if dtype is None else input.to(dtype)).coalesce()
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
def softmax(input: Sparse, dim: int, *, dtype: Any = None) -> Sparse:
    """Along ``dim``, of the numbers that are there."""
    return _softmax("softmax", input, dim, dtype, False)


@labelled("SparseLogSoftmax")
def log_softmax(input: Sparse, dim: int, *, dtype: Any = None) -> Sparse:
    """The logarithm of `softmax`."""
    return _softmax("log_softmax", input, dim, dtype, True)


@taken("norm", label="NormBackward1")
def norm(input: Sparse, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The norm of all elements."""
    if dim is not None and len(all_dims(dim, input.ndim) or ()) < input.ndim:
        raise runtime_error(
            "norm_sparse currently only supports full reductions, so 'dim' must either be empty or contain all "
            "dimensions of the input"
        )
    if input._form is not sparse_coo:
        raise refused("norm", input)
    return input.coalesce()._numbers.reshape(-1).norm(2 if p in ("fro", None) else p, dtype=dtype)


@taken("any", label="-")
def any(input: Sparse) -> Tensor:
    """Whether a number is not 0."""
    return input._summed()._numbers.any()


# ---------------------------------------------------------------- dimensions


@taken("permute")
def permute(input: Sparse, *dims: Any) -> Sparse:
    """The dimensions in another order: that of places and of numbers."""
    order = [one_dim(d, input.ndim) for d in (dims[0] if isinstance(dims[0], (tuple, list)) else dims)]
    count = input.sparse_dim()
    first, rest = order[:count], order[count:]
    if sorted(first) != [*range(count)]:
        raise runtime_error("permute: sparse and dense dimensions of a sparse Tensor stay apart")
    form = {sparse_csr: sparse_csc, sparse_csc: sparse_csr}.get(input._form, sparse_coo)
    numbers = input._numbers.permute(0, *(d - count + 1 for d in rest)) if rest else input._numbers
    ordered = input._coalesced and first == [*range(count)]
    return made(
        wrap(input._places._array[first]), numbers, [input.shape[d] for d in order], form, ordered
    )


@taken("transpose", "swapaxes", "swapdims")
def transpose(input: Sparse, dim0: int, dim1: int) -> Sparse:
    """Two dimensions exchanged."""
    order = [*range(input.ndim)]
    a, b = one_dim(dim0, input.ndim), one_dim(dim1, input.ndim)
    order[a], order[b] = b, a
    return permute(input, *order)


@taken("t", "T", "mT", "H", "adjoint", label="T")
def t(input: Sparse) -> Sparse:
    """The matrix with rows and columns exchanged."""
    if input.ndim > 2:
        raise runtime_error(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return permute(input, *range(input.ndim)[::-1])


@taken("unsqueeze")
def unsqueeze(input: Sparse, dim: int) -> Sparse:
    """A new dimension of size 1."""
    d, count = one_dim(dim, input.ndim + 1), input.sparse_dim()
    sizes = [*input.shape[:d], 1, *input.shape[d:]]
    if d > count:
        return made(input._places, input._numbers.unsqueeze(d - count + 1), sizes, sparse_coo, input._coalesced)
    places = np.insert(input._places._array, d, 0, axis=0)
    return made(wrap(places), input._numbers, sizes, sparse_coo, input._coalesced)


@taken("cat", "concat", "concatenate")
def cat(tensors: Sequence[Any], dim: int = 0) -> Sparse:
    """Sparse Tensors joined along a dimension."""
    for i, x in enumerate(tensors):
        if not isinstance(x, Sparse):
            raise runtime_error(
                f"Concatenating sparse tensors, but a dense tensor was found at position {i}."
            )
        if x._form is not sparse_coo:
            raise runtime_error("cat: sparse Tensors are joined in the layout sparse_coo; use .to_sparse_coo()")
    first = tensors[0]
    d, count = one_dim(dim, first.ndim), first.sparse_dim()
    for x in tensors:
        rest = [n for k, n in enumerate(x.shape) if k != d]
        if rest != [n for k, n in enumerate(first.shape) if k != d] or x.sparse_dim() != count:
            raise runtime_error(
                f"All tensors must have the same shape: {list(first.shape)} (in the concatenating dimension {d} they may "
                f"differ), but got {list(x.shape)}"
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
    return cat([unsqueeze(x, dim) for x in tensors], dim)


@taken("index_select")
def index_select(input: Sparse, dim: int, index: Tensor) -> Sparse:
    """The slices that ``index`` names, in its order. IndexError outside [0, size)."""
    needs_value("index_select() of a sparse Tensor")
    d, count = one_dim(dim, input.ndim), input.sparse_dim()
    wanted = index._array
    if wanted.size and (wanted.min() < 0 or wanted.max() >= input.shape[d]):
        raise index_error(f"index_select(): index contains values out of the range [0, {input.shape[d]})")
    sizes = [*input.shape]
    sizes[d] = len(wanted)
    t = input._coo()
    if d >= count:
        numbers = t._numbers.index_select(d - count + 1, index)
        return made(t._places, numbers, sizes, sparse_coo, t._coalesced)
    line = t._places._array[d]
    order = np.argsort(line, kind="stable")
    starts = np.searchsorted(line[order], wanted)
    counts = np.searchsorted(line[order], wanted, side="right") - starts
    new = np.repeat(np.arange(len(wanted)), counts)
    picked = order[np.arange(len(new)) + np.repeat(starts - (np.cumsum(counts) - counts), counts)]
    places = t._places._array[:, picked]
    places[d] = new
    return made(wrap(places), t._numbers.index_select(0, wrap(picked)), sizes, sparse_coo, t._coalesced and not d)


@taken("select")
def select(input: Sparse, dim: int, index: int) -> Tensor:
    """The slice at one index; dense where no sparse dimension is left."""
    d = one_dim(dim, input.ndim)
    n = input.shape[d]
    if not -n <= index < n:
        raise index_error(f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {d}")
    one = index_select(input, d, wrap(np.array([index % n])))
    return sum(one, d) if d >= one.sparse_dim() or one.sparse_dim() == 1 else _without(one, d)


def _without(t: Sparse, dim: int) -> Sparse:
    """Without a sparse dimension of size 1."""
    sizes = [n for k, n in enumerate(t.shape) if k != dim]
    return made(wrap(np.delete(t._places._array, dim, axis=0)), t._numbers, sizes, sparse_coo, t._coalesced)


@taken("getitem", label="-")
def getitem(input: Any, key: Any) -> Any:
    """``input[i, j]``, also with ``:`` and ``...`` for whole dimensions."""
    if not isinstance(input, Sparse):
        raise refused("index", key if isinstance(key, Sparse) else key[0])
    ks = [*key] if isinstance(key, tuple) else [key]
    if ... in [k for k in ks if not isinstance(k, Tensor)]:
        at = ks.index(...)
        ks[at : at + 1] = [slice(None)] * (input.ndim - len(ks) + 1)
    if len(ks) > input.ndim:
        raise index_error(f"too many indices for tensor of dimension {input.ndim}")
    y: Any = input
    dim = 0
    for k in ks:
        if isinstance(k, slice) and k == slice(None):
            dim += 1
        elif isinstance(k, (int, np.integer)) and not isinstance(k, bool):
            y = y.select(dim, int(k))
        else:
            raise refused("index" if isinstance(k, Tensor) else "as_strided", input)
    return y


# ---------------------------------------------------------------- masks, likes, gradients


@taken("sparse_mask")
def sparse_mask(input: Any, mask: Sparse) -> Sparse:
    """The elements at the places of a sparse Tensor."""
    if input.shape != mask.shape:
        raise runtime_error(
            f"sparse_mask(): operands have incompatible sizes; self has size {list(input.shape)}, mask {list(mask.shape)}"
        )
    if not isinstance(input, Sparse):
        return mask._like(_dense_with(mask, input))
    there, at = _found(mask, source := input._coo().coalesce())
    picked = source._numbers.index_select(0, wrap(at[there]))
    none = source._numbers.detach().new_zeros((len(at), *picked.shape[1:]))
    return mask._like(none.index_add(0, wrap(np.flatnonzero(there)), picked))


@taken("zeros_like", "empty_like")
def zeros_like(input: Sparse, *, dtype: Any = None, layout: Any = None, **_: Any) -> Sparse:
    """Of the same size, without any number."""
    t = input.detach() if dtype is None else input.detach().to(dtype)
    places, numbers = wrap(t._places._array[:, :0]), t._numbers[:0]
    return made(places, numbers, t.shape, t._form, True)


@taken("grad", label="-")
def grad(outputs: Any, inputs: Any, *args: Any, **named: Any) -> Any:
    """`autograd.grad`, with the gradients of sparse Tensors at their places."""
    many = [*inputs] if isinstance(inputs, (tuple, list)) else [inputs]
    dense = [x._numbers if isinstance(x, Sparse) else x for x in many]
    grads = autograd.grad(outputs, dense, *args, **named)
    pairs = zip(many, grads, strict=True)
    return tuple(x._like(g) if isinstance(x, Sparse) and g is not None else g for x, g in pairs)


@taken("equal", label="-")
def equal(input: Any, other: Any) -> bool:
    """NotImplementedError, as in PyTorch."""
    raise refused("equal", input if isinstance(input, Sparse) else other)


def spdiags(diagonals: Tensor, offsets: Tensor, shape: Sequence[int], layout: Any = None) -> Sparse:
    """A matrix of this shape with the rows of ``diagonals`` on the diagonals that ``offsets`` names.

    Column j has the elements j of the rows, as far as it meets their diagonals.
    """
    rows, width = (diagonals.unsqueeze(0) if diagonals.dim() < 2 else diagonals).shape
    at = np.atleast_1d(offsets._array)
    if len(np.unique(at)) < rows or len(at) != rows:
        raise runtime_error("spdiags(): offsets must be as many as diagonals, and differ")
    col = np.tile(np.arange(width), rows)
    row = col - np.repeat(at, width)
    kept = (row >= 0) & (row < shape[0]) & (col < shape[1])
    numbers = diagonals.reshape(-1).index_select(0, wrap(np.flatnonzero(kept)))
    t = made(wrap(np.stack([row[kept], col[kept]])), numbers, Size(shape))
    return t.to_sparse(layout=layout) if layout in (sparse_csr, sparse_csc) else t

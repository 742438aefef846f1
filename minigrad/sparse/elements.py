"""Sums and products of elements, masks, and what looks at all numbers."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import autograd, dtypes
from minigrad.autograd.grad_mode import is_grad_enabled
from minigrad.core.changes import changed
from minigrad.core.mode import MODE
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.views import check_inference
from minigrad.errors import runtime_error, type_error
from minigrad.formats import sparse_coo, strided
from minigrad.functions import parts
from minigrad.functions.dims import all_dims
from minigrad.functions.elementwise import check_factor
from minigrad.functions.sparse import sparse_coo_tensor
from minigrad.functions.store import has_no_history
from minigrad.kernels.scatter import add_to_rows
from minigrad.sparse.table import TABLE, cast_for, refused, taken
from minigrad.sparse.tensor import Sparse, made


def is_single(x: Any) -> bool:
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
    _check_alpha("add", input, other, alpha)
    if isinstance(input, Sparse) and not isinstance(other, Sparse):
        if input._form is sparse_coo or not isinstance(other, Tensor):
            raise runtime_error("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
        return other * alpha + input
    b: Sparse = other if is_one(alpha) else mul(other, alpha)
    if isinstance(input, Sparse):
        return _both(input, b)
    if is_single(input) or input.shape != b.shape:
        raise runtime_error(
            "add: expected 'self' and 'other' to have same size, but self has size "
            f"{list(getattr(input, 'shape', []))} while other has size {list(b.shape)} (dense-sparse addition does not "
            "broadcast)"
        )
    sizes, count = b.shape, b.sparse_dim()
    numbers = b._numbers
    dtype = dtypes.promote_types(input.dtype, numbers.dtype)
    flat = input.to(dtype).reshape(-1, *sizes[count:])
    return flat.index_add(0, wrap(b._keys()), numbers.to(dtype)).reshape(sizes)


def _check_alpha(name: str, input: Any, other: Any, alpha: Any) -> None:
    """RuntimeError for a factor of a higher kind than the sum, or a bool."""
    if isinstance(input, Tensor) and isinstance(other, Tensor):
        check_factor(name, "alpha", alpha, dtypes.promote_types(input.dtype, other.dtype).numpy)


def is_one(x: Any) -> bool:
    return not isinstance(x, Tensor) and x == 1


def _both(a: Sparse, b: Sparse) -> Sparse:
    """The sum of two sparse Tensors."""
    if a.shape != b.shape:
        raise runtime_error(
            f"add: expected sizes of 'self' and 'other' to match, but {list(a.shape)} != {list(b.shape)}"
        )
    if a._form is not sparse_coo:
        return _both(a._coo(), b).coalesce()._in(a._form)
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
    _check_alpha("sub", input, other, alpha)
    if dtypes.bool in (getattr(input, "dtype", None), getattr(other, "dtype", None)):
        raise runtime_error(
            "Subtraction, the `-` operator, with a bool tensor is not supported; convert with .int() first"
        )
    return add(input, other, alpha=-alpha)


@taken("rsub")
def rsub(input: Any, other: Any) -> Tensor:
    """``other - input``."""
    return add(other, input, alpha=-1)


@taken("mul", "multiply")
def mul(input: Any, other: Any) -> Any:
    """The products of elements, at the places that all factors have; a dense factor broadcasts."""
    t, x = (input, other) if isinstance(input, Sparse) else (other, input)
    if is_single(x):
        return t._like(t._numbers * x)
    if t._form is not sparse_coo:
        return mul(t._coo(), x)._in(t._form)
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
    if not isinstance(input, Sparse) or not is_single(other):
        raise runtime_error(
            "Sparse division requires a scalar or zero-dim dense tensor divisor "
            f"(got shape {list(getattr(other, 'shape', []))} for divisor)"
        )
    return input._like(input._numbers.div(other, rounding_mode=rounding_mode))


@taken("floor_divide", "floordiv", label="-")
def floor_divide(input: Any, other: Any) -> Sparse:
    """The numbers over one number, rounded down."""
    return div(input, other, rounding_mode="floor")


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
        if not isinstance(input, Sparse) and of in (add, sub):
            alpha = named.get("alpha", 1)
            return _add_to_dense(input, other, alpha if of is add else -alpha)
        result = cast_for(f"{of.__name__}_", of(input, other, **named), input)
        if not isinstance(input, Sparse):
            return input.copy_(result.to_dense())
        same = (
            result._sparse and result._places._array is input._places._array and result.dtype == input.dtype
        )
        if same and not (input.requires_grad or result.requires_grad):
            input._numbers.copy_(result._numbers)  # whoever shares them sees it
            return input
        return input._become(result)

    return change


def _add_to_dense(input: Tensor, other: Sparse, alpha: Any) -> Tensor:
    """Adds in place where there are numbers, one after the other, and leaves the rest alone."""
    numbers = other._numbers if is_one(alpha) else other._numbers * alpha
    if input.shape == other.shape and input.dtype == numbers.dtype and has_no_history(input):
        plain = not (is_grad_enabled() and (input.requires_grad or numbers.requires_grad))
        if plain and input._array.flags.c_contiguous and not MODE.get().everything:
            array = input._array
            check_inference(input)
            changed(array)
            add_to_rows(array.reshape(math.prod(input.shape[: other.sparse_dim()]), -1), other._keys(),
                        numbers._array.reshape(len(numbers), -1))  # fmt: skip
            return input
    return input.copy_(cast_for("add_", add(input, other, alpha=alpha), input))


for _of, _names in ((add, "add_"), (sub, "sub_ subtract_"), (mul, "mul_ multiply_"), (div, "div_ divide_")):
    TABLE.update(dict.fromkeys(_names.split(), _in_place(_of)))


@taken("norm", label="NormBackward1")
def norm(input: Sparse, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The norm of all elements."""
    if dim is not None and len(all_dims(dim, input.ndim) or ()) < input.ndim:
        raise runtime_error(
            "norm_sparse currently only supports full reductions, so 'dim' must either be empty or contain all "
            "dimensions of the input"
        )
    if keepdim:
        raise runtime_error("norm_sparse currently does not support keepdim=True; use .to_dense()")
    if input._form is not sparse_coo:
        raise refused("norm", input)
    return input.coalesce()._numbers.reshape(-1).norm(2 if p in ("fro", None) else p, dtype=dtype)


@taken("any", label="-")
def any(input: Sparse) -> Tensor:
    """Whether a number is not 0."""
    return input._summed()._numbers.any()


@taken("sparse_mask")
def sparse_mask(input: Any, mask: Any) -> Sparse:
    """The elements at the places of a sparse Tensor."""
    if not isinstance(mask, Sparse):
        raise type_error("sparse_mask(): the mask must be a sparse Tensor; give mask.to_sparse()")
    if input.shape != mask.shape:
        raise runtime_error(
            f"sparse_mask(): operands have incompatible sizes; self has size {list(input.shape)} and mask has size "
            f"{list(mask.shape)}"
        )
    if not isinstance(input, Sparse):
        return mask._like(_dense_with(mask, input))
    there, at = _found(mask, source := input._coo().coalesce())
    picked = source._numbers.index_select(0, wrap(at[there]))
    none = source._numbers.detach().new_zeros((len(at), *picked.shape[1:]))
    return mask._like(none.index_add(0, wrap(np.flatnonzero(there)), picked))


@taken("zeros_like", "empty_like")
def zeros_like(input: Sparse, *, dtype: Any = None, layout: Any = None, **_: Any) -> Tensor:
    """Of the same size, without any number; with ``layout=strided`` zeros."""
    if layout is strided:
        return input._numbers.new_zeros(input.shape, dtype=dtype)
    t: Any = input.detach() if dtype is None else input.detach().to(dtype)
    places, numbers = wrap(t._places._array[:, :0]), t._numbers[:0]
    return made(places, numbers, t.shape, t._form, True)


@taken("new", label="-")
def new(input: Sparse, *parts: Any) -> Tensor:
    """Of places, numbers and a size; of sizes, or nothing, without any number."""
    if parts and isinstance(parts[0], Tensor):
        return sparse_coo_tensor(*parts)
    sizes = parts if parts and isinstance(parts[0], int) else parts[0] if parts else (0,)
    return sparse_coo_tensor(Size(sizes), dtype=input.dtype)


@taken("new_zeros", "new_empty", label="-")
def new_zeros(
    input: Sparse,
    *sizes: Any,
    size: Any = (),
    dtype: Any = None,
    layout: Any = None,
    requires_grad: bool = False,
    **_: Any,
) -> Tensor:
    """Of this size, without any number; with ``layout=strided`` zeros."""
    sizes = sizes[0] if sizes and not isinstance(sizes[0], int) else sizes or size
    if layout is strided:
        return input._numbers.new_zeros(sizes, dtype=dtype, requires_grad=requires_grad)
    kind = input.dtype if dtype is None else dtype
    return sparse_coo_tensor(Size(sizes), dtype=kind, requires_grad=requires_grad)


@taken("dropout", label="-")
def dropout(input: Sparse, p: float = 0.5, training: bool = True, inplace: bool = False) -> Sparse:
    """The Tensor itself; NotImplementedError in training, as in PyTorch."""
    if training and p:
        raise refused("bernoulli_", input)
    return input


@taken("grad", label="-")
def grad(outputs: Any, inputs: Any, *args: Any, **named: Any) -> Any:
    """`autograd.grad`, with the gradients of sparse Tensors at their places."""
    many = [*inputs] if isinstance(inputs, (tuple, list)) else [inputs]
    dense = [x._numbers if isinstance(x, Sparse) else x for x in many]
    grads = autograd.grad(outputs, dense, *args, **named)
    pairs = zip(many, grads, strict=True)
    return tuple(x._like(g) if isinstance(x, Sparse) and g is not None else g for x, g in pairs)


@taken("eq", "ne", label="-")
def eq(input: Any, other: Any) -> Any:
    """NotImplementedError, as in PyTorch, for Tensors and numbers. Nothing else, such as None, is equal to it."""
    if isinstance(input, Sparse) and not isinstance(other, (Tensor, int, float, complex)):
        return NotImplemented
    raise refused("eq", input if isinstance(input, Sparse) else other)


# ---------------------------------------------------------------- parts in place of others


@taken("zero_", label="-")
def zero_(input: Sparse) -> Sparse:
    """Without any number."""
    input._numbers.detach().zero_()  # also where another shows them
    sparse_dim = input.sparse_dim()
    none = input._numbers.detach()[:0]
    return input._become(made(wrap(np.empty((sparse_dim, 0), np.int64)), none, input._sizes))


@taken("copy_", label="-")
def copy_(input: Tensor, src: Tensor, non_blocking: bool = False) -> Sparse:
    """Another's places and numbers."""
    if not isinstance(src, Sparse) or not isinstance(input, Sparse):
        raise runtime_error(
            "copy_() between dense and sparse Tensors is not implemented! Found self type = "
            f"{input.type()} and src type = {src.type()}"
        )
    other: Any = src._in(input._form)
    return input._become(other.to(input.dtype))


def _check_sizes(size: Any, sparse_dim: int, dense_dim: int) -> None:
    if min(sparse_dim, dense_dim) < 0 or len(size) != sparse_dim + dense_dim:
        raise runtime_error(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, sparse_dim = "
            f"{sparse_dim}, dense_dim = {dense_dim}"
        )


@taken("sparse_resize_", label="-")
def sparse_resize_(input: Sparse, size: Any, sparse_dim: int, dense_dim: int) -> Sparse:
    """The same numbers in a Tensor of another size. RuntimeError for fewer sizes or other dimensions."""
    _check_sizes(size, sparse_dim, dense_dim)
    if input._nnz():
        if (sparse_dim, dense_dim) != (input.sparse_dim(), input.dense_dim()):
            raise runtime_error(
                "changing the number of sparse or dense dimensions on a non-empty sparse tensor is not supported"
            )
        if builtins.any(a < b for a, b in zip(size, input._sizes, strict=True)):
            raise runtime_error(
                "shrinking the size of dimensions on a non-empty sparse tensor is not supported"
            )
    else:
        return sparse_resize_and_clear_(input, size, sparse_dim, dense_dim)
    input._sizes = Size(size)
    return input


@taken("sparse_resize_and_clear_", label="-")
def sparse_resize_and_clear_(input: Sparse, size: Any, sparse_dim: int, dense_dim: int) -> Sparse:
    """Another size, without any number."""
    _check_sizes(size, sparse_dim, dense_dim)
    none = input._numbers.detach().new_zeros((0, *size[sparse_dim:]))
    return input._become(made(wrap(np.empty((sparse_dim, 0), np.int64)), none, Size(size)))

"""Reductions and scans, under PyTorch's names.

``dim`` is one dimension, several or None for all; ``keepdim`` keeps them with size 1.  A dimension out of
range raises IndexError, one named twice RuntimeError.
"""

from __future__ import annotations

import builtins
import math
from typing import Any, overload

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, cast
from minigrad.core.mode import MODE
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor
from minigrad.core.tensor import ValuesAndIndices as ValuesAndIndices
from minigrad.core.types import Dim
from minigrad.dtypes import DTypeLike
from minigrad.errors import index_error, not_implemented_error, runtime_error, type_error, warn
from minigrad.functions.dims import all_dims, one_dim
from minigrad.functions.dims import whole as whole
from minigrad.functions.elementwise import own
from minigrad.gate import case, public
from minigrad.ops import elementwise as e
from minigrad.ops import index, reduce

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "cumprod", "cumsum",
    "max", "mean", "min", "nansum", "prod", "std", "std_mean", "sum", "var", "var_mean",
]  # fmt: skip


def _input(name: str, input: Tensor, dtype: DTypeLike | None, *, floats: bool = False) -> Tensor:
    if dtype is not None and not floats:
        _carries(input, dtype)
    t: Tensor = cast(input, dtypes.as_numpy(dtype)) if dtype is not None else input
    if floats and t._array.dtype.kind not in "fcV":
        raise runtime_error(
            f"{name}(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {t.dtype}; convert it with .float() first"
        )
    return t


def _carries(input: Tensor, dtype: Any) -> None:
    """RuntimeError where gradients would be lost in an integer ``dtype``."""
    if input.requires_grad and MODE.get().grad and dtypes.as_numpy(dtype).kind not in "fcV":
        raise runtime_error(
            f"Autograd not support dtype: {dtype} has no gradients; use .detach() to go without"
        )


def _whole(t: Tensor) -> Tensor:
    """Integers add up in int64."""
    return cast(t, dtypes.I64) if t._array.dtype.kind in "biu" else t


def sum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The sum over ``dim``; integers and bools add up in int64 unless ``dtype`` says otherwise."""
    t = _whole(input) if dtype is None else _input("sum", input, dtype)
    dims = None if dim is None else all_dims(dim, t._array.ndim)
    y = apply(reduce.sum, (t,), {"dim": dims, "keepdim": keepdim})
    return y if dtype is None else cast(y, dtypes.as_numpy(dtype))


def nansum(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The sum over ``dim`` with nan counted as 0. RuntimeError for complex numbers."""
    if input._array.dtype.kind == "c":
        raise runtime_error("nansum on CPU does not support complex inputs")
    return sum(input.masked_fill(input.isnan(), 0), dim, keepdim, dtype=dtype)


def mean(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The mean over ``dim``; nan over nothing. RuntimeError for integers."""
    t = _input("mean", input, dtype, floats=True)
    return apply(reduce.mean, (t,), {"dim": all_dims(dim, t._array.ndim), "keepdim": keepdim})


def _spread_arguments(dim: Dim | bool, unbiased: bool | None, correction: float | None) -> tuple[Dim, float]:
    if isinstance(dim, builtins.bool):  # the older form var(x, unbiased)
        dim, unbiased = None, dim
    if unbiased is not None:
        if correction is not None:
            raise type_error("give either unbiased or correction, not both")
        return dim, 1 if unbiased else 0
    return dim, 1 if correction is None else correction


def _deviation(
    op: Op, input: Tensor, dim: Dim | bool = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None,
) -> Tensor:  # fmt: skip
    if input._array.dtype.kind == "c":
        from minigrad.ops.complex import pair

        parts = (input.real, input.imag)
        a, b = (_deviation(op, part, dim, unbiased, keepdim, correction=correction) for part in parts)
        # no root of the sum: without a gradient where both are 0
        return apply(pair, (a, b)).abs() if op is reduce.std else a + b
    dim, correction = _spread_arguments(dim, unbiased, correction)
    dims = all_dims(dim, input._array.ndim)
    shape = input._array.shape
    count = math.prod(shape if dims is None else [shape[d] for d in dims])
    if count <= correction:
        warn(
            f"{op.name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction "
            f"factor (input numel divided by output numel); got correction {correction} over {count} elements."
        )
    return apply(op, (input,), {"dim": dims, "correction": correction, "keepdim": keepdim})


def _plain(dim: Dim) -> Dim:
    return None if isinstance(dim, builtins.bool) else dim


def _deviation_and_mean(
    op: Op, input: Tensor, dim: Dim | bool = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    spread = _deviation(op, input, dim, unbiased, keepdim, correction=correction)
    return spread, mean(input, _plain(dim), keepdim)


var = case(_deviation, "var", """
    The variance over ``dim``: squared deviations over (count - correction), which is 1 unless given.

    UserWarning where the correction takes all degrees of freedom: the value is nan or inf then.
    """, reduce.var)  # fmt: skip
std = case(_deviation, "std", """
    The square root of `var`. The gradient is 0 where the deviation is 0. UserWarning as from `var`.
    """, reduce.std)  # fmt: skip
var_mean = case(_deviation_and_mean, "var_mean", "`var` and `mean`.", reduce.var)
std_mean = case(_deviation_and_mean, "std_mean", "`std` and `mean`.", reduce.std)


def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The product over ``dim`` (one dimension, or None for all); its gradient is exact also at zeros."""
    t = _input("prod", input, dtype)
    if dtype is None:
        t = _whole(t)
    ndim = t._array.ndim
    at = 0 if dim is None else one_dim(dim, ndim)
    if ndim == 0:
        return t.clone()
    y = apply(reduce.prod, (t.reshape(-1) if dim is None else t,), {"dim": at})
    if keepdim:
        y = own(y.reshape([1] * ndim) if dim is None else y.unsqueeze(at))
    return y if dtype is None else cast(y, dtypes.as_numpy(dtype))


def _extreme(op: Op, input: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    dims = all_dims(dim, input._array.ndim)
    _not_empty(op.name, input, dims)
    return apply(op, (input,), {"dim": dims, "keepdim": keepdim})


amax = case(_extreme, "amax", """
    The maximum over ``dim``; equal elements share the gradient evenly.
    Over nothing IndexError, or without a ``dim`` RuntimeError.
    """, reduce.amax)  # fmt: skip
amin = case(_extreme, "amin", """
    The minimum over ``dim``; equal elements share the gradient evenly.
    Over nothing IndexError, or without a ``dim`` RuntimeError.
    """, reduce.amin)  # fmt: skip


def _not_empty(name: str, input: Tensor, dims: tuple[int, ...] | None) -> None:
    shape = input._array.shape
    if dims is None:
        if math.prod(shape) == 0:
            raise runtime_error(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
                "Specify the reduction dim with the 'dim' argument."
            )
        return
    for d in dims:
        if shape and shape[d] == 0:
            raise index_error(f"{name}(): Expected reduction dim {d} to have non-zero size.")


class _Max(ValuesAndIndices):
    __slots__ = ()


class _Min(ValuesAndIndices):
    __slots__ = ()


@overload
def max(input: Tensor) -> Tensor: ...


@overload
def max(input: Tensor, dim: int, keepdim: bool = False) -> ValuesAndIndices: ...


@overload
def max(input: Tensor, other: Tensor, /) -> Tensor: ...


@overload
def max(input: Tensor, *, other: Tensor) -> Tensor: ...


def max(
    input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None
) -> Tensor | ValuesAndIndices:
    """The largest element; with ``dim``, the largest along it and their first indices; with a Tensor, `maximum`.

    Over all, equal elements share the gradient; over ``dim`` the element at the index gets it.
    """
    return _choose("max", reduce.max, reduce.argmax, e.maximum, input, dim, keepdim, other)


@overload
def min(input: Tensor) -> Tensor: ...


@overload
def min(input: Tensor, dim: int, keepdim: bool = False) -> ValuesAndIndices: ...


@overload
def min(input: Tensor, other: Tensor, /) -> Tensor: ...


@overload
def min(input: Tensor, *, other: Tensor) -> Tensor: ...


def min(
    input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None
) -> Tensor | ValuesAndIndices:
    """The smallest element; with ``dim``, the smallest along it and their first indices; with a Tensor, `minimum`.

    Over all, equal elements share the gradient; over ``dim`` the element at the index gets it.
    """
    return _choose("min", reduce.min, reduce.argmin, e.minimum, input, dim, keepdim, other)


def _choose(
    name: str, extreme: Op, arg: Op, pairwise: Op, input: Tensor,
    dim: int | Tensor | None, keepdim: bool, other: Tensor | None,
) -> Tensor | ValuesAndIndices:  # fmt: skip
    if isinstance(dim, Tensor) or other is not None:
        return apply(pairwise, (input, dim if other is None else other))
    if dim is None:
        _not_empty(name, input, None)
        return apply(extreme, (input,))
    ndim = input._array.ndim
    d = one_dim(dim, ndim)
    kind = _Max if name == "max" else _Min
    if not ndim:
        return kind(input.clone(), apply(arg, (input,), {"dim": None, "keepdim": False}))
    _not_empty(name, input, (d,))
    indices = apply(arg, (input,), {"dim": d, "keepdim": keepdim})
    return kind(apply(index.gather, (input, indices), {"dim": d}), indices)


def _arg(op: Op, input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    if input._array.dtype == bool:
        raise runtime_error(f"{op.name}(): does not support bool input; use .int() first")
    ndim = input._array.ndim
    d = None if dim is None else one_dim(dim, ndim)
    if d is None and not input._array.size:
        raise index_error(
            f"{op.name}(): Expected reduction dim to be specified for input.numel() == 0. Specify dim."
        )
    if d is not None:
        _not_empty(op.name, input, (d,))
    return apply(op, (input,), {"dim": d if ndim else None, "keepdim": keepdim})


argmax = case(_arg, "argmax", """
    The index (int64) of the first maximum, in the flattened Tensor when ``dim`` is None.
    """, reduce.argmax)  # fmt: skip
argmin = case(_arg, "argmin", """
    The index (int64) of the first minimum, in the flattened Tensor when ``dim`` is None.
    """, reduce.argmin)  # fmt: skip


def _logical(op: Op, input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    # PyTorch: here, unlike in sums, an empty list of dimensions is none of them and not all
    none = isinstance(dim, (tuple, list)) and not dim
    dims = () if none else all_dims(dim, input._array.ndim)
    y = apply(op, (input,), {"dim": dims, "keepdim": keepdim})
    return cast(y, np.dtype(np.uint8)) if input._array.dtype == np.uint8 else y


any = case(_logical, "any", """
    True where any element along ``dim`` is nonzero (bool; uint8 stays uint8); ``dim=()`` reduces none.
    """, reduce.any)  # fmt: skip
all = case(_logical, "all", """
    True where all elements along ``dim`` are nonzero (bool; uint8 stays uint8); ``dim=()`` reduces none.
    """, reduce.all)  # fmt: skip


def _scan(op: Op, input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    t = _whole(input) if dtype is None else input
    own = t._array.dtype
    target = own if dtype is None else dtypes.as_numpy(dtype)
    if target.kind == "b":
        raise not_implemented_error(f"\"{op.name}\" not implemented for 'Bool'")
    d = one_dim(dim, t._array.ndim)
    _carries(input, target)
    short = dtypes.is_short(own) or dtypes.is_short(target)
    if own != target and (short or not own.kind == target.kind == "f"):
        t, own = cast(t, target), target
    if t._array.ndim == 0:
        return t.clone() if own == target else cast(t, target)
    # The gradient adds up in the input's dtype, as in PyTorch.
    if dtypes.is_short(target):  # in float32
        own = target = dtypes.F32
    more = {"back": own, "reverse": False} if op is reduce.cumsum else {}
    return apply(op, (t,), {"dim": d, "dtype": target} | more)


cumsum = case(_scan, "cumsum", "The running sum along ``dim``; integers add up in int64.", reduce.cumsum)
cumprod = case(_scan, "cumprod", """
    The running product along ``dim``; its gradient is exact also at zeros.
    """, reduce.cumprod)  # fmt: skip


def count_nonzero(input: Tensor, dim: Dim = None) -> Tensor:
    """How many elements over ``dim`` are nonzero (int64)."""
    return sum(input != 0, dim)


METHODS = """
    all amax amin any argmax argmin count_nonzero cumprod cumprod_ cumsum cumsum_ max mean min
    nansum prod std sum var
"""
public(globals(), __all__, home="minigrad")

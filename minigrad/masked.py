"""Reductions and normalizations of the elements that a mask leaves, under the names of ``torch.masked``.

``mask`` is True where an element counts, and broadcasts to ``input``. What is masked out has no gradient. Where a mask
leaves nothing, the result is what the function begins with (0 for a sum, 1 for a product, -inf for a maximum), and nan
where there is no such number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, cast, single
from minigrad.core.tensor import Tensor
from minigrad.core.types import Dim, Number
from minigrad.dtypes import DTypeLike
from minigrad.errors import index_error, type_error, value_error
from minigrad.functions import activations, reduce, sorting
from minigrad.functions.dims import all_dims, one_dim
from minigrad.functions.elementwise import where
from minigrad.functions.lookup import function
from minigrad.functions.matrix_norms import vector_norm
from minigrad.gate import case, public
from minigrad.hints import module_getattr
from minigrad.ops import elementwise as e
from minigrad.ops import special

__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean",
    "median", "norm", "normalize", "prod", "softmax", "softmin", "std", "sum", "var",
]  # fmt: skip

_F32 = np.dtype(np.float32)


# ---------------------------------------------------------------- masks and what stands under them


def _counting(name: str, input: Tensor, mask: Tensor) -> Tensor:
    """The mask as bools in the shape of ``input``."""
    if mask._array.ndim > input._array.ndim:
        raise index_error(
            f"masked.{name}(): expected broadcastable mask, got one of shape {list(mask._array.shape)} for an input of "
            f"shape {list(input._array.shape)}; the mask may not have more dimensions"
        )
    return cast(mask, np.dtype(np.bool_)).expand(input._array.shape)


def _filled(
    name: str, input: Tensor, mask: Tensor | None, value: Number | Callable[[Tensor], Number]
) -> Tensor:
    """``input`` with ``value``, or what that makes of the input, where it is masked out."""
    if mask is None:
        return input
    number = value(input) if callable(value) else value
    return where(_counting(name, input, mask), input, single(number, input._array.dtype))


def _least(input: Tensor) -> Number:
    return _bounds(input._array.dtype)[0]


def _faintest(input: Tensor) -> Number:
    """What adds nothing to a sum of exponentials."""
    return -math.inf if input._array.dtype.kind == "c" else _least(input)


def _most(input: Tensor) -> Number:
    return _bounds(input._array.dtype)[1]


def _bounds(dtype: np.dtype[Any]) -> tuple[Number, Number]:
    if dtype.kind in "fV":
        return -math.inf, math.inf
    if dtype.kind == "c":
        raise type_error(
            f"a mask of {dtype}: complex numbers have no order, so none is the least or the greatest"
        )
    return (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))


def _dims(input: Tensor, dim: Dim) -> tuple[int, ...]:
    """Dimensions counted from the front, all of them for None and ()."""
    dims = all_dims(dim, input._array.ndim)
    return tuple(range(input._array.ndim)) if dims is None else dims


def _to(t: Tensor, dtype: DTypeLike | None, input: Tensor) -> Tensor:
    """``t`` in ``dtype``, by default in that of ``input``."""
    return cast(t, input._array.dtype if dtype is None else dtypes.as_numpy(dtype))


def _sum_dtype(input: Tensor, dtype: DTypeLike | None) -> np.dtype[Any]:
    """Integers add up in int64."""
    if dtype is not None:
        return dtypes.as_numpy(dtype)
    return input._array.dtype if input._array.dtype.kind in "fcV" else dtypes.I64


# ---------------------------------------------------------------- reductions


def sum(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool = False,
    dtype: DTypeLike | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The sum of what the mask leaves."""
    wide = cast(_filled("sum", input, mask, 0), _sum_dtype(input, dtype))
    return reduce.sum(wide, _dims(input, dim) or None, keepdim)


def prod(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool = False,
    dtype: DTypeLike | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The product of what the mask leaves."""
    y = cast(_filled("prod", input, mask, 1), _sum_dtype(input, dtype))
    for d in reversed(_dims(input, dim)):
        y = reduce.prod(y, d, keepdim)
    return y


def _reduction(
    how: tuple[Callable[..., Tensor], Callable[[Tensor], Number]], input: Tensor, dim: Dim = None, *,
    keepdim: bool = False, dtype: DTypeLike | None = None, mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    function, value = how
    filled = _filled(function.__name__, input, mask, value)
    return _to(function(filled, _dims(input, dim), keepdim), dtype, input)


def _place(
    how: tuple[Callable[..., Tensor], Callable[[Tensor], Number]], input: Tensor, dim: int | None = None, *,
    keepdim: bool = False, dtype: DTypeLike | None = None, mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    function, value = how
    return _to(function(_filled(function.__name__, input, mask, value), dim, keepdim), dtype, input)


amax = case(_reduction, "amax", """
    The greatest element that the mask leaves. Equal ones share the gradient.
    """, (reduce.amax, _least))  # fmt: skip
amin = case(_reduction, "amin", """
    The least element that the mask leaves. Equal ones share the gradient.
    """, (reduce.amin, _most))  # fmt: skip
argmax = case(_place, "argmax", """
    The index of `amax`, in the dtype of ``input`` as in PyTorch; of the flattened input without ``dim``.
    """, (reduce.argmax, _least))  # fmt: skip
argmin = case(_place, "argmin", """
    The index of `amin`, in the dtype of ``input`` as in PyTorch; of the flattened input without ``dim``.
    """, (reduce.argmin, _most))  # fmt: skip


def mean(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool = False,
    dtype: DTypeLike | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The mean of what the mask leaves. ValueError if ``dtype``, or without it the input, has integers."""
    to = input._array.dtype if dtype is None else dtypes.as_numpy(dtype)
    if to.kind not in "fcV":
        which = "Input" if dtype is None else "Optional"
        raise value_error(
            f"mean(): Could not infer output dtype. {which} dtype must be a floating point dtype. Got: {to}; pass "
            "dtype=minigrad.float32"
        )
    total: Tensor = sum(input, dim, keepdim=keepdim, dtype=to, mask=mask)
    count = _count("mean", input, dim, keepdim, mask)
    return total / count


def _count(name: str, input: Tensor, dim: Dim, keepdim: bool, mask: Tensor | None) -> Any:
    """How many elements the mask leaves."""
    dims = _dims(input, dim)
    if mask is None:
        return math.prod(input._array.shape[d] for d in dims)
    return reduce.sum(_counting(name, input, mask), dims or None, keepdim)


def median(
    input: Tensor,
    dim: int = -1,
    *,
    keepdim: bool = False,
    dtype: DTypeLike | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The lower median of what the mask leaves, as `nanmedian`. ValueError for integers where it leaves nothing."""
    d = one_dim(dim, input._array.ndim)
    floats = input if input._array.dtype.kind in "fV" else cast(input, _F32)
    y = sorting.nanmedian(_filled("median", floats, mask, math.nan), d, keepdim).values
    if input._array.dtype.kind in "fV":
        return y
    if np.isnan(y._array).any():
        raise value_error(
            "masked.median(): expects no fully masked out rows if dtype is not floating point; convert the input "
            "with .float()"
        )
    return _to(y, dtype, input)


def logsumexp(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool = False,
    dtype: DTypeLike | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """``log(sum(exp(input)))`` of what the mask leaves."""
    filled = _filled("logsumexp", input, mask, _faintest)
    return _to(function("logsumexp")(filled, _dims(input, dim), keepdim), dtype, input)


def norm(
    input: Tensor,
    ord: float | None = 2.0,
    dim: Dim = None,
    *,
    keepdim: bool = False,
    dtype: DTypeLike | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The `linalg.vector_norm` of what the mask leaves."""
    power = 2.0 if ord is None else ord
    filled = _filled("norm", input, mask, math.inf if power == -math.inf else 0)
    return vector_norm(filled, power, _dims(input, dim), keepdim, dtype=dtype)


def _variance(
    name: str, input: Tensor, dim: Dim = None, unbiased: bool | None = None, *, correction: float | None = None,
    keepdim: bool = False, dtype: DTypeLike | None = None, mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    if unbiased is not None and correction is not None:
        raise value_error(f"masked.{name}(): only one of unbiased and correction may be given")
    less = correction if correction is not None else 0 if unbiased is False else 1
    own = input._array.dtype
    to = dtypes.as_numpy(dtype) if dtype is not None else own if own.kind in "fcV" else _F32
    wide = to if to.kind in "fcV" else _F32
    center = sum(input, dim, keepdim=True, dtype=to, mask=mask) / _count(name, input, dim, True, mask)
    away = input - center
    total = sum(away * function("conj")(away), dim, keepdim=keepdim, dtype=wide, mask=mask)
    count = _count(name, input, dim, keepdim, mask)
    if mask is None:
        count = max(count - less, 0)
    elif less:
        real = dtypes.real_of(wide)
        count = apply(e.maximum, (cast(count, real) - less, single(0, real)))
    spread = cast(total / count, to)
    return apply(e.sqrt, (spread,)) if name == "std" else spread


var = case(_variance, "var", """
    The variance of the n elements that the mask leaves: squared deviations, summed, over ``n - correction`` (1).
    """)  # fmt: skip
std = case(_variance, "std", "The root of `var`.")


# ---------------------------------------------------------------- what keeps the shape


def cumsum(input: Tensor, dim: int, *, dtype: DTypeLike | None = None, mask: Tensor | None = None) -> Tensor:
    """Running sums along ``dim``; masked elements count as 0."""
    return _to(reduce.cumsum(_filled("cumsum", input, mask, 0), dim, dtype=dtype), dtype, input)


def cumprod(input: Tensor, dim: int, *, dtype: DTypeLike | None = None, mask: Tensor | None = None) -> Tensor:
    """Running products along ``dim``; masked elements count as 1."""
    return _to(reduce.cumprod(_filled("cumprod", input, mask, 1), dim, dtype=dtype), dtype, input)


def softmax(input: Tensor, dim: int, *, dtype: DTypeLike | None = None, mask: Tensor | None = None) -> Tensor:
    """`softmax` of what the mask leaves, 0 elsewhere; nan where it leaves nothing."""
    return activations.softmax(_filled("softmax", input, mask, _least), dim, _dtype(input, dtype))


def log_softmax(
    input: Tensor, dim: int, *, dtype: DTypeLike | None = None, mask: Tensor | None = None
) -> Tensor:
    """The logarithm of `softmax`."""
    return activations.log_softmax(_filled("log_softmax", input, mask, _least), dim, _dtype(input, dtype))


def softmin(input: Tensor, dim: int, *, dtype: DTypeLike | None = None, mask: Tensor | None = None) -> Tensor:
    """`softmax` of ``-input``."""
    return activations.softmax(-_filled("softmin", input, mask, _most), dim, _dtype(input, dtype))


def _dtype(input: Tensor, dtype: DTypeLike | None) -> DTypeLike:
    return input.dtype if dtype is None else dtype


def normalize(
    input: Tensor,
    ord: float,
    dim: int,
    *,
    eps: float = 1e-12,
    dtype: DTypeLike | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """``input`` over the larger of its `norm` and ``eps``; 0 where it is masked out."""
    length = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return _filled("normalize", input, mask, 0) / apply(e.maximum, (length, single(eps, length._array.dtype)))


def logaddexp(
    input: Tensor,
    other: Tensor,
    *,
    dtype: DTypeLike | None = None,
    input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:
    """`logaddexp`; masked elements count as -inf."""
    a = _filled("logaddexp", input, input_mask, _least)
    b = _filled("logaddexp", other, other_mask, _least)
    return _to(apply(special.logaddexp, (a, b)), dtype, input)


public(globals(), __all__)
module_getattr(globals())

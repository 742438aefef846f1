"""Reductions and scans. ``dim`` is a sorted tuple of non-negative dimensions, or None for all of them."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import buffers
from minigrad.core import names
from minigrad.core.basic import _expand, sum_text, to
from minigrad.core.op import Array, Op, Path
from minigrad.core.plans import OUT, Line, Lines, Operand, Target, narrow, wide
from minigrad.core.text import Call, Plain, Text
from minigrad.dtypes import F32, F64, I64
from minigrad.kernels.scans import scan
from minigrad.kernels.sums import FEW, add_up, by_rows, sum_first, sum_rows
from minigrad.ops import elementwise as e
from minigrad.ops.printing import plain
from minigrad.ops.reads import of_deviation, of_ties
from minigrad.ops.shape import reshape

Dim = tuple[int, ...] | None


def _count(shape: Sequence[int], dim: Dim) -> int:
    return math.prod(shape if dim is None else [shape[d] for d in dim])


def _sum(x: Array, dim: Dim, keepdim: bool) -> Any:
    return add_up(x, dim, keepdim)


def _mean(x: Array, dim: Dim, keepdim: bool) -> Any:
    return add_up(x, dim, keepdim) / _count(x.shape, dim)


def _mean_vjp(g: Any, x_shape: Any, dim: Dim, keepdim: bool) -> Any:
    count = builtins.max(_count(x_shape, dim), 1)
    return spread(g / count, shape=x_shape, dim=dim, keepdim=keepdim)


def _spread(g: Array, shape: tuple[int, ...], dim: Dim, keepdim: bool) -> Array:
    if dim is not None and not keepdim and shape:
        g = np.reshape(g, [1 if d in dim else n for d, n in enumerate(shape)])
    return _expand(g, shape)


def _var(x: Array, dim: Dim, correction: float, keepdim: bool, root: bool = False) -> Any:
    n = _count(x.shape, dim)
    d = x - add_up(x, dim, True) / n
    d *= d
    y = add_up(d, dim, keepdim) / builtins.max(n - correction, 0)
    result = np.sqrt(y) if root else y
    # PyTorch computes in float64: here that is done where float32 has no squares, for then this is inf or nan
    if x.dtype.char == "f" and n > builtins.max(correction, 0) and not np.vdot(y, 1.0 / y) < math.inf:
        result, odd = np.asarray(result), ~(y * (1.0 / y) < math.inf)
        first = tuple(range(x.ndim if dim is None else len(dim)))
        rows = np.moveaxis(x, first if dim is None else dim, first)[..., odd.reshape(_dropped(x.shape, dim))]
        wide = np.var(rows.astype(F64), axis=first, ddof=correction)
        result[odd] = np.sqrt(wide) if root else wide
    return result


def _std(x: Array, dim: Dim, correction: float, keepdim: bool) -> Any:
    return _var(x, dim, correction, keepdim, True)


def _var_vjp(g: Any, x: Any, dim: Dim, correction: float, keepdim: bool) -> Any:
    n = _count(x.shape, dim)
    # PyTorch: of all elements it is infinite without degrees of freedom, over dimensions the formula goes on
    scale = 2.0 / (n - correction) if n > correction or (dim is not None and n < correction) else math.inf
    g = spread(g, shape=tuple(x.shape), dim=dim, keepdim=keepdim)
    d = x - mean(x, dim=dim, keepdim=True)
    return g * scale * (e.abs(d) if dim is None and scale == math.inf else d)


def _logsumexp(x: Array, dim: Dim, keepdim: bool) -> Any:
    top = np.max(x.real, axis=dim, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, top.dtype.type(0))
    y = by_rows(np.log(add_up(np.exp(x - top), dim, True)) + top)
    return y if keepdim else y.reshape(_dropped(x.shape, dim))


def _dropped(shape: Sequence[int], dim: Dim) -> tuple[int, ...]:
    return () if dim is None else tuple(n for d, n in enumerate(shape) if d not in dim)


def _logsumexp_vjp(g: Any, x: Any, y: Any, dim: Dim, keepdim: bool) -> Any:
    full: dict[str, Any] = {"shape": tuple(x.shape), "dim": dim, "keepdim": keepdim}
    return spread(g, **full) * e.exp(x - spread(y, **full))


def _extreme_vjp(g: Any, x: Any, y: Any, dim: Dim, keepdim: bool) -> Any:
    full: dict[str, Any] = {"shape": tuple(x.shape), "dim": dim, "keepdim": keepdim}
    share = to(e.eq(x, spread(y, **full)), dtype=getattr(g, "_array", g).dtype)
    return spread(g, **full) * share / sum(share, dim=dim, keepdim=True)  # equal elements share evenly


def _extreme_of_all_vjp(g: Any, x: Any, y: Any) -> Any:
    # a nan is its own extreme here, not in amax: PyTorch's choice
    return shared(g, e.logical_or(e.eq(x, y), e.isnan(x)))


def shared(g: Any, chosen: Any) -> Any:
    """``g`` in equal parts for the chosen elements, 0 for the others."""
    count = sum(to(chosen, dtype=getattr(g, "_array", g).dtype), dim=None, keepdim=False)
    return e.where(chosen, g / count, 0.0)  # no product: inf and nan do not pass to the others


def _prod_others(x: Array, dim: int) -> Array:
    """For each element the product of the others along ``dim``: exact also where there are zeros."""
    if _ones(x):  # as where the gradient of a product has no zeros to care for
        return np.ones_like(x)
    x = np.moveaxis(x, dim, -1)
    left, right = np.ones_like(x), np.ones_like(x)
    np.multiply.accumulate(x[..., :-1], axis=-1, out=left[..., 1:])
    np.multiply.accumulate(
        x[..., :0:-1], axis=-1, out=right[..., -2::-1] if x.shape[-1] > 1 else right[..., :0]
    )
    return np.moveaxis(left * right, -1, dim)


def _ones(x: Array) -> bool:
    return x.size > 0 and bool(np.equal(x, 1).all())


def _prod_others_vjp(g: Any, x: Any, dim: int) -> Any:
    # y_i = prod over k of M_ik with M = x in each row and 1 on the diagonal
    n = x.shape[dim]
    eye = np.eye(n, dtype=bool).reshape((n, n) + (1,) * (len(x.shape) - dim - 1))
    rows = (*x.shape[:dim], 1, *x.shape[dim:])
    columns = (*x.shape[: dim + 1], 1, *x.shape[dim + 1 :])
    others = prod_others(e.where(eye, 1.0, reshape(x, shape=rows)), dim=dim + 1)
    return sum(reshape(g, shape=columns) * e.where(eye, 0.0, others), dim=(dim,), keepdim=False)


def _with_and_without_zeros(x: Any) -> tuple[Any, Any, Any]:
    """Whether there is a zero in x; x if so, else ones; ones if so, else x.

    Of the two formulas for a gradient of products, PyTorch takes one by this question.  Both are written
    down here, so that a record says the same whatever the numbers were, and the one not taken works on
    ones: neither its values nor its own gradients can spoil the other's with inf or nan.
    """
    zeros = any(e.eq(x, 0.0), dim=None, keepdim=False)
    return zeros, e.where(zeros, x, 1.0), e.where(zeros, 1.0, x)


def _prod_vjp(g: Any, x: Any, dim: int) -> Any:
    shape = tuple(x.shape)
    zeros, some, none = _with_and_without_zeros(x)
    quotients = spread(prod(none, dim=dim), shape=shape, dim=(dim,), keepdim=False) / none
    g = spread(g, shape=shape, dim=(dim,), keepdim=False)
    return g * e.where(zeros, prod_others(some, dim=dim), quotients)


def _scan(ufunc: np.ufunc, x: Array, dim: int, dtype: Any, reverse: bool = False) -> Any:
    # PyTorch: floats add up in the next wider type
    wide = _WIDER.get(dtype, dtype)
    return by_rows(scan(ufunc, x.astype(dtype, copy=False), dim, wide, reverse, buffers.empty))


_WIDER = {F32: F64}


def _cumsum(x: Array, dim: int, dtype: Any, back: Any, reverse: bool) -> Any:
    return _scan(np.add, x, dim, dtype, reverse)


def _cumprod(x: Array, dim: int, dtype: Any) -> Any:
    return _scan(np.multiply, x, dim, dtype)


def _cumprod_vjp(g: Any, x: Any, dim: int, dtype: Any) -> Any:
    own = getattr(x, "_array", x).dtype
    g = g if dtype == own else to(g, dtype=own)
    if x.shape[dim] == 1:
        return g
    zeros, some, none = _with_and_without_zeros(x)
    products = g * cumprod(none, dim=dim, dtype=dtype)
    wide = getattr(products, "_array", products).dtype
    sums = cumsum(products, dim=dim, dtype=wide, back=wide, reverse=True)
    return e.where(zeros, cumprod_backward(g, some, dim=dim), sums / none)


def _cumprod_backward(g: Array, x: Array, dim: int) -> Array:
    """The gradient of cumprod in linear time, also where there are zeros.

    Up to the first zero, sums of g * y over x; at the zero, sums of products that leave it out, which end with
    the second; behind it nothing.
    """
    ones = _ones(x)
    g, x = (np.moveaxis(np.asarray(a, x.dtype), dim, -1) for a in (g, x))
    if ones:
        return np.ascontiguousarray(np.moveaxis(_suffix_sum(g), -1, dim))
    one, nothing = x.dtype.type(1), x.dtype.type(0)
    count = np.add.accumulate(np.equal(x, 0), axis=-1, dtype=np.int64)
    before, first = count == 0, (count == 1) & np.equal(x, 0)
    y = np.multiply.accumulate(np.where(before, x, one), axis=-1)
    ahead = _suffix_sum(np.where(before, g * y, nothing)) / np.where(before, x, one)
    without = np.multiply.accumulate(np.where(first, one, x), axis=-1)
    at_first = _suffix_sum(np.where(count == 1, g * without, nothing))
    return np.moveaxis(np.where(before, ahead, np.where(first, at_first, nothing)), -1, dim)


def _suffix_sum(x: Array) -> Array:
    return np.add.accumulate(x[..., ::-1], axis=-1)[..., ::-1]


def _cumprod_backward_vjp(g: Any, u: Any, x: Any, dim: int) -> Any:
    # u.J with J[j, i] = dy_j/dx_i for i <= j: the product of x_k, k <= j, k != i; a triangle of products
    n = x.shape[dim]
    below = np.tri(n, dtype=bool).reshape((n, n) + (1,) * (len(x.shape) - dim - 1))  # [j, k]: k <= j
    rows = (*x.shape[:dim], 1, *x.shape[dim:])
    columns = (*x.shape[: dim + 1], 1, *x.shape[dim + 1 :])
    triangle = e.where(below, reshape(x, shape=rows), 1.0)
    weight = e.where(below, reshape(g, shape=rows), 0.0)
    du = sum(weight * prod_others(triangle, dim=dim + 1), dim=(dim + 1,), keepdim=False)
    dx = _prod_others_vjp(weight * reshape(u, shape=columns), triangle, dim + 1)
    return du, sum(e.where(below, dx, 0.0), dim=(dim,), keepdim=False)


_some: Any = np.logical_or.reduce  # what np.any and np.all call
_every: Any = np.logical_and.reduce


def _int64(places: Any) -> Any:
    """Indices as int64; NumPy gives them as the platform's own integers."""
    return places if places.dtype is I64 else places.astype(I64)


_AS_INT64 = "" if np.dtype(np.intp) == I64 else ".astype(np.int64)"


# ---------------------------------------------------------------- for compile


def _reduced_into(t: Target, function: str) -> Lines | None:
    [x], dim, keepdim = t.operands, t.params["dim"], t.params["keepdim"]
    if t.filled or t.dtype != x.dtype or t.dtype not in (F32, F64):
        return None
    axis = dim[0] if isinstance(dim, tuple) and len(dim) == 1 else dim
    kept = ("keepdims=True",) if keepdim else ()
    return Lines([Line(function, (x.text, f"axis={axis!r}", *kept))])


def _sum_into(t: Target) -> Lines | None:
    [x], dim = t.operands, t.params["dim"]
    return _reduced_into(t, "np.add.reduce") if not t.filled and _exact(x, dim) else None


def _mean_into(t: Target) -> Lines | None:
    form, n = _sum_into(t), _count(t.operands[0].shape, t.params["dim"])
    if form is None or n < 2:
        return form if n else None
    [total] = form.lines
    if t.shape:
        return Lines([total, Line("np.divide", (OUT, t.number(n)))])
    return Lines([Line("np.divide", (f"{total.function}({', '.join(total.arguments)})", t.number(n)))])


def _exact(x: Operand, dim: Dim) -> bool:
    """Whether `add_up` is NumPy's own sum."""
    count, rank = _count(x.shape, dim), len(x.shape)
    trailing = dim is not None and dim == tuple(range(rank - len(dim), rank))
    return count <= FEW or (count == math.prod(x.shape) and x.dense) or (x.planned and trailing)


def _sum_numba(t: Target) -> str | None:
    dim = t.params["dim"]
    if t.params["keepdim"] or (dim is not None and len(dim) != 1):
        return None
    return narrow(t, f"np.sum({wide(t)}{'' if dim is None else f', axis={dim[0]}'})")


def _mean_numba(t: Target) -> str | None:
    total = _sum_numba(t)
    return total and f"{total} / {t.number(float(_count(t.operands[0].shape, t.params['dim'])))}"


# ---------------------------------------------------------------- how they print


def _mean_text(v: Call) -> Text:
    some = sum_text("{}", v, v.params["dim"], v.params["keepdim"])
    return some and (f"{some[0]} / {{count}}", {**some[1], "count": _count(v.shapes[0], v.params["dim"])})


def _kept(x: Sequence[int], shape: Sequence[int], dim: Dim, keepdim: bool) -> tuple[int, ...]:
    """The shape from which NumPy's broadcasting makes the same as `spread`."""
    return tuple(
        x if dim is None or keepdim or not shape else [1 if d in dim else n for d, n in enumerate(shape)]
    )


def _spread_text(v: Call) -> Text:
    kept = _kept(v.shapes[0], **v.params)
    reshaped = "" if kept == v.shapes[0] else ".reshape({kept})"
    return f"np.broadcast_to({{}}{reshaped}, {{shape}})", {"kept": kept}


def _spread_steps(x: tuple[int, ...], y: tuple[int, ...], **params: Any) -> Path:
    kept = _kept(x, **params)
    return () if kept == x else ((reshape, {"shape": kept}),)


# fmt: off
sum = Op("sum", _sum, "x; dim keepdim",
         lambda g, x_shape, dim, keepdim: spread(g, shape=x_shape, dim=dim, keepdim=keepdim), rows=True,
         text=lambda v: sum_text("{}", v, v.params["dim"], v.params["keepdim"]),
         into=_sum_into, numba=_sum_numba, grad_fn=names.of_dims("Sum"), complex="analytic", batch="dims")
spread: Op = Op("spread", _spread, "g; shape dim keepdim",
                lambda g, dim, keepdim: sum(g, dim=dim, keepdim=keepdim), moves=True, repeats=True,
                order="K", broadcasts=_spread_steps, text=_spread_text, usual={"shape": ..., "keepdim": ...},
                batch="dims")
mean = Op("mean", _mean, "x; dim keepdim",
          _mean_vjp, rows=True, text=_mean_text,
          into=_mean_into, numba=_mean_numba, grad_fn=names.of_dims("Mean"), complex="analytic", batch="dims")
_DEVIATES = dict.fromkeys("biu", "std and var only support floating point and complex dtypes; use .float() first")
var = Op("var", _var, "x; dim correction keepdim", _var_vjp, cast="floats", refuse=_DEVIATES, rows=True,
         text=Plain(_var, "x", plain("var"), True, sum_first=sum_first, sum_rows=sum_rows), batch="dims")
# PyTorch: no gradient where the deviation is zero
std = Op("std", _std, "x; dim correction keepdim", lambda g, x, y, dim, correction, keepdim: _var_vjp(
             e.where(e.eq(y, 0.0), 0.0, g / e.where(e.eq(y, 0.0), 1.0, y * 2.0)), x, dim, correction, keepdim),
         cast="floats", refuse=_DEVIATES, rows=True,
         text=Plain(_std, "x", plain("std"), True, sum_first=sum_first, sum_rows=sum_rows),
         derives={"x": of_deviation}, batch="dims")
amax = Op("amax", lambda x, dim, keepdim: by_rows(np.max(x, axis=dim, keepdims=keepdim)), "x; dim keepdim",
          _extreme_vjp, text="np.max({}, axis={dim}, keepdims={keepdim})", rows=True,
          into=lambda t: _reduced_into(t, "np.maximum.reduce"), derives={"x": of_ties}, batch="dims")
amin = Op("amin", lambda x, dim, keepdim: by_rows(np.min(x, axis=dim, keepdims=keepdim)), "x; dim keepdim",
          _extreme_vjp, text="np.min({}, axis={dim}, keepdims={keepdim})", rows=True,
          into=lambda t: _reduced_into(t, "np.minimum.reduce"), derives={"x": of_ties}, batch="dims")
max = Op("max", lambda x: np.maximum.reduce(x, None), "x", _extreme_of_all_vjp, text="np.max({})", order="C",
         grad_fn="MaxBackward1", derives={"x": of_ties}, batch="largest")
min = Op("min", lambda x: np.minimum.reduce(x, None), "x", _extreme_of_all_vjp, text="np.min({})", order="C",
         grad_fn="MinBackward1", derives={"x": of_ties}, batch="smallest")
logsumexp = Op("logsumexp", _logsumexp, "x; dim keepdim", _logsumexp_vjp, order="C",
               text=Plain(_logsumexp, "x", plain("logsumexp"), sum_first=sum_first, sum_rows=sum_rows),
               cast="float", complex="analytic",
               public="logsumexp", form="input: Tensor, dim: Dim, keepdim: bool = False",
               doc="``log(sum(exp(input)))`` over ``dim``, without overflow; integers become the default float.",
               batch="dims")
prod: Op = Op("prod", lambda x, dim: by_rows(np.multiply.reduce(x, axis=dim)), "x; dim", _prod_vjp, rows=True,
              text="np.prod({}, axis={dim})", grad_fn=names.of_prod, complex="analytic",
              reads="prod(x, dim={dim})", derives={"x": "g times the product of the other elements"}, batch="dims")
prod_others = Op("prod_others", _prod_others, "x; dim", _prod_others_vjp, order="A", complex="analytic", batch="dims")
cumsum: Op = Op("cumsum", _cumsum, "x; dim dtype back reverse",
                lambda g, dim, dtype, back, reverse: cumsum(g, dim=dim, dtype=back, back=dtype, reverse=not reverse),
                rows=True, complex="analytic",
                text=Plain(_cumsum, "x", plain("cumsum"), True), usual={"dtype": ..., "back": ...}, reads="cumsum",
                batch="dims")
cumprod: Op = Op("cumprod", _cumprod, "x; dim dtype", _cumprod_vjp, rows=True, complex="analytic",
                 text=Plain(_cumprod, "x", plain("cumprod"), True), usual={"dtype": ...},
                 derives={"x": "cumsum(g * y, reverse=True) / x; its limit at 0"}, reads="cumprod", batch="dims")
cumprod_backward: Op = Op("cumprod_backward", _cumprod_backward, "u x; dim", joint=_cumprod_backward_vjp, order="A",
        complex="analytic", batch="dims")
argmax = Op("argmax", lambda x, dim, keepdim: _int64(x.argmax(dim, keepdims=keepdim)), "x; dim keepdim",
            text="np.argmax({}, axis={dim}, keepdims={keepdim})" + _AS_INT64, order="K", batch="dims")
argmin = Op("argmin", lambda x, dim, keepdim: _int64(x.argmin(dim, keepdims=keepdim)), "x; dim keepdim",
            text="np.argmin({}, axis={dim}, keepdims={keepdim})" + _AS_INT64, order="K", batch="dims")
any: Op = Op("any", lambda x, dim, keepdim: by_rows(_some(x, dim, bool, None, keepdim)), "x; dim keepdim",
         text="np.any({}, axis={dim}, keepdims={keepdim})", rows=True, complex="analytic", batch="dims")
all = Op("all", lambda x, dim, keepdim: by_rows(_every(x, dim, bool, None, keepdim)), "x; dim keepdim",
         text="np.all({}, axis={dim}, keepdims={keepdim})", rows=True, complex="analytic", batch="dims")
# fmt: on

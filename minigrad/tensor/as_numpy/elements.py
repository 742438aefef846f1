"""NumPy's functions by elements, and arrays like others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import needs_value
from minigrad.core.tensor import Tensor
from minigrad.dtypes import DTypeLike
from minigrad.errors import value_error
from minigrad.functions import creation
from minigrad.tensor.as_numpy.common import Operand, Unused, alike, cat, floating, own, stacked


def where(condition: Tensor, x: Operand = None, y: Operand = None) -> Any:
    condition = condition if condition.dtype == dtypes.bool else condition != 0
    return nonzero(condition) if x is None and y is None else own("where")(condition, x, y)


def clip(
    a: Tensor,
    a_min: Operand = None,
    a_max: Operand = None,
    out: Unused = None,
    *,
    min: Operand = None,
    max: Operand = None,
) -> Tensor:
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    return a if low is None and high is None else a.clamp(low, high)


def select(condlist: Sequence[Tensor], choicelist: Sequence[Tensor], default: Operand = 0) -> Tensor:
    if len(condlist) != len(choicelist) or not condlist:
        raise value_error(
            f"np.select takes a choice for each of the conditions, not {len(choicelist)} for {len(condlist)}"
        )
    choices = alike(*choicelist)
    result = creation.as_tensor(default, dtype=dtypes.result_type(choices[0], default))
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        result = own("where")(condition, choice, result)
    return result


def choose(a: Tensor, choices: Sequence[Tensor], out: Unused = None, mode: Unused = None) -> Tensor:
    at, *others = own("broadcast_tensors")(a, *choices)
    return stacked(others).gather(0, at[None].long())[0]


def piecewise(x: Tensor, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Tensor:
    """Each function gets the elements for which its condition holds; the last one the others, if it is one more."""
    conditions = (
        condlist if isinstance(condlist, Sequence) else [*condlist] if condlist.ndim > x.ndim else [condlist]
    )
    masks = [creation.as_tensor(c, dtype=dtypes.bool) for c in conditions]
    if len(funclist) not in (len(masks), len(masks) + 1):
        raise value_error(
            f"np.piecewise takes {len(masks)} functions for as many conditions, or one more, not {len(funclist)}"
        )
    if len(funclist) > len(masks):
        others = creation.ones_like(x, dtype=dtypes.bool)
        for mask in masks:
            others = others & ~mask
        masks.append(others)
    y = creation.zeros_like(x)
    for mask, function in zip(masks, funclist, strict=True):
        value = function(x[mask], *args, **kw) if callable(function) else function
        y = (
            y.masked_scatter(mask, value.to(x.dtype).broadcast_to(x[mask].shape))
            if isinstance(value, Tensor)
            else y.masked_fill(mask, value)
        )
    return y


def round(a: Tensor, decimals: int = 0, out: Unused = None) -> Tensor:
    if decimals > 0 and not a.is_floating_point():
        decimals = 0
    return a.round(decimals=decimals) if decimals else a.round()


def nan_to_num(
    x: Tensor, copy: bool = True, nan: Operand = 0.0, posinf: Operand = None, neginf: Operand = None
) -> Tensor:
    given, x = x, x if copy else x.clone()
    instead = [(x.isnan(), nan), (x == math.inf, posinf), (x == -math.inf, neginf)]
    for there, value in instead if any(isinstance(v, Tensor) for _, v in instead) else ():
        x = x if value is None else own("where")(there, value, x)
    y = x.nan_to_num(*(None if isinstance(v, Tensor) else v for _, v in instead))
    return y if copy else given.copy_(y)


def sinc(x: Tensor) -> Tensor:
    return own("sinc")(floating(x))


def i0(x: Tensor) -> Tensor:
    return own("i0")(floating(x))


def fix(x: Tensor, out: Unused = None) -> Tensor:
    return x.trunc()


def real_if_close(a: Tensor, tol: float = 100) -> Tensor:
    if not a.is_complex():
        return a
    needs_value("np.real_if_close()")
    limit = tol * np.finfo(a._array.dtype).eps if tol > 1 else tol
    return a.real if bool((a.imag.abs() < limit).all()) else a


def astype(x: Tensor, dtype: DTypeLike | None, /, *, copy: bool = True, device: Unused = None) -> Tensor:
    return x.to(dtype, copy=copy)


def isclose(a: Tensor, b: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    kind = dtypes.result_type(a, b)
    return a.to(kind).isclose(b.to(kind), rtol, atol, equal_nan)


def nonzero(a: Tensor) -> tuple[Tensor, ...]:
    return tuple(a.nonzero(as_tuple=True))


def argwhere(a: Tensor) -> Tensor:
    return a.nonzero()


def copy(a: Tensor, order: Unused = None, subok: Unused = None) -> Tensor:
    return a.clone()


def zeros_like(
    a: Tensor, dtype: DTypeLike | None = None, order: Unused = None, subok: Unused = None
) -> Tensor:
    return creation.zeros_like(a, dtype=dtype)


def ones_like(
    a: Tensor, dtype: DTypeLike | None = None, order: Unused = None, subok: Unused = None
) -> Tensor:
    return creation.ones_like(a, dtype=dtype)


def empty_like(
    prototype: Tensor, dtype: DTypeLike | None = None, order: Unused = None, subok: Unused = None
) -> Tensor:
    return creation.empty_like(prototype, dtype=dtype)


def full_like(
    a: Tensor, fill_value: Operand, dtype: DTypeLike | None = None, order: Unused = None, subok: Unused = None
) -> Tensor:
    if not isinstance(fill_value, Tensor):
        return creation.full_like(a, fill_value, dtype=dtype)
    return fill_value.to(a.dtype if dtype is None else dtype).broadcast_to(a.shape).clone()


# ---------------------------------------------------------------- numbers at equal distances


def linspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
    *,
    device: Unused = None,
) -> Any:
    start, stop = own("broadcast_tensors")(floating(start), floating(stop))
    parts = num - endpoint
    step = (stop - start) / parts if parts > 0 else (stop - start) * math.nan
    turns = creation.arange(num).to(step.dtype).reshape((-1, *[1] * step.ndim))
    y = start + turns * step if parts > 0 else start.broadcast_to((num, *start.shape))
    if endpoint and num > 1:
        y = cat([y[:-1], stop.to(y.dtype)[None]], 0)
    y = y.movedim(0, axis)
    z = y if dtype is None else y.to(dtype)
    y = z if z.is_floating_point() or z.is_complex() else y.floor().to(dtype)
    return (y, step) if retstep else y


def logspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    base: Operand = 10.0,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor:
    y = base ** linspace(start, stop, num, endpoint, axis=axis)
    return y if dtype is None else y.to(dtype)


def geomspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor:
    """Of numbers of one sign."""
    start, stop = own("broadcast_tensors")(floating(start), floating(stop))
    y = (stop / start).log() * linspace(
        creation.zeros_like(start), creation.ones_like(start), num, endpoint, axis=0
    )
    y = (start * y.exp()).movedim(0, axis)
    return y if dtype is None else y.to(dtype)

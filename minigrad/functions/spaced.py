"""Numbers in a row: in equal ratios, and with the end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import NumberLike
from minigrad.device import DeviceLike, check_device
from minigrad.dtypes import DTypeLike
from minigrad.errors import not_implemented_error, runtime_error, warn
from minigrad.functions.creation import linspace
from minigrad.gate import public

__all__ = ["logspace", "range"]


def logspace(
    start: NumberLike, end: NumberLike, steps: int, base: float = 10.0, *, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``base`` to the powers of `linspace`: from ``base**start`` to ``base**end``, in equal ratios.

    Whole numbers are rounded towards 0. NotImplementedError for bool, and what `linspace` raises.
    """
    kind = dtypes.default_float() if dtype is None else dtypes.as_numpy(dtype)
    if dtype is None and (isinstance(start, complex) or isinstance(end, complex)):
        kind = dtypes.complex_of(kind)
    if kind.kind == "b":
        raise not_implemented_error('"logspace" not implemented for bool; use .bool() on another one')
    first: Any
    last: Any
    first, last = start, end
    if kind.kind in "iu" and steps != 1:
        first, last = int(first), int(last)
    if dtypes.is_short(kind):  # between ends of two bytes it counts in four
        first, last = (float(kind.type(x)) for x in (first, last))
    powers = linspace(
        first, last, steps, dtype=dtypes.working(kind) if kind.kind in "fcV" else np.float64, device=device
    )._array
    values = QUIET.run(np.power, powers.dtype.type(base), powers).astype(kind)
    return wrap(values).requires_grad_(requires_grad)


def range(
    start: NumberLike, end: NumberLike, step: NumberLike = 1, *, dtype: DTypeLike | None = None,
    device: DeviceLike = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers from ``start`` through ``end``, in the default float. Deprecated: `arange` leaves ``end`` out."""
    warn(
        "range is deprecated and will be removed, since Python's range does not have its end; use arange, with values "
        "in [start, end)."
    )
    numbers: Any = start, end, step
    first, last, by = map(float, numbers)
    if not by or by != by:
        raise runtime_error("step must be nonzero")
    if not math.isfinite(first) or not math.isfinite(last):
        raise runtime_error(f"unsupported range: {first:g} -> {last:g}")
    if (last - first) * by < 0:
        raise runtime_error("upper bound and lower bound inconsistent with step sign")
    check_device(device)
    kind = dtypes.default_float() if dtype is None else dtypes.as_numpy(dtype)
    if kind.kind == "b":
        raise not_implemented_error('"range" not implemented for bool')
    if kind.kind not in "fV":
        first, by = float(int(first)), float(int(by))
        if by == 0:
            raise runtime_error("step must be nonzero, also as an integer")
    count = int((last - first) / by) + 1
    return wrap((first + by * np.arange(count)).astype(kind)).requires_grad_(requires_grad)


public(globals(), __all__, home="minigrad")

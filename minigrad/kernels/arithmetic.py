"""Functions of elements that are a step or two beyond NumPy's own."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def heaviside(x: Any, values: Any) -> Any:
    """0 below, 1 above, ``values`` at 0; nan is neither above nor at 0."""
    return np.where(np.equal(x, 0), values, np.greater(x, 0).astype(values.dtype))


def nan_to_num(x: Array, nan: float, posinf: float | None, neginf: float | None) -> Array:
    if np.isfinite(x).all():  # which is usual, and takes a fifth of the time
        return np.array(x)
    ends = np.finfo(x.dtype)
    y = np.where(np.isnan(x), x.dtype.type(nan), x)
    high = ends.max if posinf is None else x.dtype.type(posinf)
    low = ends.min if neginf is None else x.dtype.type(neginf)
    return np.where(y == np.inf, high, np.where(y == -np.inf, low, y))


def exponent(x: Array) -> Any:
    """The whole power of 2 that leaves a mantissa from 0.5 to 1."""
    return np.frexp(x)[1]


def scale_down(x: Array, exponent: Array) -> Any:
    """``x / 2**exponent``, exactly."""
    return np.ldexp(x, np.negative(exponent).astype(np.int32))


def extremes(x: Array) -> tuple[Any, Any]:
    """The least and the largest element as numbers, nan if there is one."""
    # By places, in a fifth of the time of a reduction of few; what does not lie row by row these would copy.
    if x.flags.c_contiguous:
        return x.item(x.argmin()), x.item(x.argmax())
    return np.minimum.reduce(x, None).item(), np.maximum.reduce(x, None).item()

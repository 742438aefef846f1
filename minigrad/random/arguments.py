"""What the draws are asked for, checked: shapes, dtypes, and the ranges of numbers."""

from __future__ import annotations

import functools
import operator
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.dtypes import limits
from minigrad.errors import not_implemented_error, runtime_error, type_error, value_error

if TYPE_CHECKING:
    import numpy.typing as npt

Shape = int | Sequence[int]


def kind_of(value: object) -> str:
    name = type(value).__name__
    return f"{name} of {value.dtype}" if isinstance(value, np.ndarray) else name


def whole(value: object, name: str) -> int:
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise type_error(f"{name} must be an int, not {kind_of(value)}") from None


def shape_of(shape: Shape) -> tuple[int, ...]:
    # In half the time: what a function has checked before.
    if shape.__class__ is tuple and {*map(type, shape)} == {int} and min(shape) >= 0:
        return shape
    sizes: Any = shape if isinstance(shape, (tuple, Iterable)) else (shape,)
    try:
        size = tuple(map(operator.index, sizes))
    except TypeError:
        size = tuple(whole(n, "each dimension of a shape") for n in sizes)
    if (n := min(size, default=0)) < 0:
        raise runtime_error(f"Trying to create tensor with negative dimension {n}: {list(size)}")
    return size


def floating(dtype: npt.DTypeLike, what: str) -> np.dtype[Any]:
    if (kind := np.dtype(dtype)).kind not in "fV":
        as_in_pytorch = runtime_error if what in ("cauchy", "exponential") else not_implemented_error
        raise as_in_pytorch(f"{what} is not implemented for {kind}; use a floating dtype")
    return kind


def real_range(low: float, high: float, kind: np.dtype[Any]) -> tuple[float, float]:
    """The bounds of uniform numbers, as Python's."""
    largest = float(limits(kind).max)
    for name, bound in (("low", low), ("high", high)):
        if not -largest <= bound <= largest:
            raise runtime_error(f"uniform: {name}={bound} is out of bounds for {kind}")
    if low > high:
        raise runtime_error(f"uniform draws from [low, high), but found low={low} > high={high}")
    low, high = float(low), float(high)  # NumPy's numbers warn
    if high - low > largest:
        raise runtime_error(f"uniform: the width of [{low}, {high}) is out of bounds for {kind}")
    return low, high


def integer_range(low: int | None, high: int | None, kind: np.dtype[Any]) -> tuple[int, int, bool]:
    """The range of whole numbers, without its end, and whether each of them takes 64 random bits."""
    if kind.kind not in "biufV":
        raise not_implemented_error(f"integers is not implemented for {kind}; use a real or bool dtype")
    digits = limits(kind).nmant + 1 if kind.kind in "fV" else 0
    largest = 2**digits if digits else ends(kind)[1]
    first = 0 if low is None else whole(low, "integers: low")
    end = largest + 1 if high is None else whole(high, "integers: high")
    if high is None and low == -(2**63):
        largest, end = 2**63 - 1, 2**63
    for bound in (first, end if high is not None else end - 1):
        if not -(2**63) <= bound < 2**63:
            raise value_error(f"integers: {bound} does not fit in int64")
    if first >= end:
        raise runtime_error(f"random_ expects 'from' to be less than 'to', but got from={first} >= to={end}")
    if (low, high) != (None, None) and end - first < 2**64:
        first, end = representable(first, end, kind, digits)
    span = end - first
    # Without bounds PyTorch goes by the dtype: int32 takes a 32-bit draw though its span is 2**31.
    wide = span >= 2**28 if (low, high) != (None, None) else kind.str[1:] in ("i8", "f8")
    return first, end, wide


@functools.cache
def ends(kind: np.dtype[Any]) -> tuple[int, int]:
    """The least and the largest whole number of a dtype."""
    return (0, 1) if kind.kind == "b" else (int(np.iinfo(kind).min), int(np.iinfo(kind).max))


def representable(first: int, end: int, kind: np.dtype[Any], digits: int) -> tuple[int, int]:
    """Check [first, end) against `kind`; for a floating one, narrow it to bounds that it can hold."""
    if digits:
        smallest = -(largest := int(float(limits(kind).max)))
    else:
        smallest, largest = ends(kind)
    for name, bound in (("low", first), ("high - 1", end - 1)):
        if not smallest <= bound <= largest:
            raise runtime_error(f"integers: {name} = {bound} is out of bounds for {kind}")
        if digits and abs(bound) > 2**digits:
            warnings.warn(
                f"integers: {name} = {bound} is outside [-(2**{digits}), 2**{digits}]; beyond, {kind} does "
                "not hold every whole number, so some are never drawn",
                UserWarning,
                stacklevel=4,
            )
    if digits:
        # Where `kind` rounds a bound outwards, PyTorch steps inwards by the spacing of `kind` there.
        low, high = int(kind.type(first + 1)), int(kind.type(end - 1))
        if low < first:
            first = low + 2 ** (abs(first + 1).bit_length() - digits)
        if high >= end:
            end = high - 2 ** (abs(end - 1).bit_length() - digits)
    return first, end

"""`make_tensor`, random Tensors for tests, and `assert_allclose`, the older `assert_close`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.tensor import Tensor
from minigrad.errors import type_error, value_error, warn
from minigrad.functions.complex import view_as_real
from minigrad.functions.creation import as_tensor, empty, tensor
from minigrad.functions.draws import randint
from minigrad.functions.typed import finfo, iinfo
from minigrad.testing.close import assert_close


def make_tensor(
    *shape: int | Sequence[int], dtype: dtypes.dtype, device: Any = None, low: float | None = None,
    high: float | None = None, requires_grad: bool = False, noncontiguous: bool = False, exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """A Tensor of uniform random numbers from ``low`` up to ``high``: floats from -9 to 9, integers below 10.

    ``noncontiguous`` takes every other element of a larger one; ``exclude_zero`` replaces 0 by the smallest positive
    number.
    ValueError for ``low`` not below ``high``, for an interval that the element type does not reach, and for integers
    that require grad.
    """
    kind = dtypes.as_numpy(dtype)
    whole = kind.kind in "biu"
    sizes: Any = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    if noncontiguous and memory_format is not None:
        raise value_error("The parameters `noncontiguous` and `memory_format` are mutually exclusive")
    if requires_grad and whole:
        raise value_error(
            f"`requires_grad=True` is not supported for boolean and integral dtypes, but got {dtype}"
        )
    apart = noncontiguous and math.prod(sizes) > 1
    if apart:
        sizes = (*sizes[:-1], 2 * sizes[-1])
    first, last = _interval(dtype, kind, whole, low, high)
    if whole:
        y = randint(math.ceil(first), math.ceil(last), sizes, dtype=dtype, device=device)
    elif kind.kind in "fcV":
        y = empty(sizes, dtype=dtype, device=device)
        (view_as_real(y) if kind.kind == "c" else y).uniform_(first, last)
    else:
        raise type_error(f"The requested dtype '{dtype}' is not supported by make_tensor().")
    y = y[..., 1::2] if apart else y if memory_format is None else y.to(memory_format=memory_format)
    if exclude_zero:
        y[y == 0] = 1 if whole else finfo(dtype).tiny
    return y.requires_grad_(requires_grad)


def _interval(
    dtype: Any, kind: np.dtype[Any], whole: bool, low: float | None, high: float | None
) -> tuple[float, float]:
    """Where the numbers lie, within what the element type can hold."""
    first, last = -9.0 if low is None else low, (10.0 if whole else 9.0) if high is None else high
    if kind.kind == "b":
        least, most = 0.0, 2.0
        first, last = 0.0 if low is None else low, 2.0 if high is None else high
    else:
        limits: Any = iinfo(dtype) if whole else finfo(dtype)
        least, most = limits.min, limits.max + (whole and kind != np.int64)
    if math.isnan(first) or math.isnan(last):
        raise value_error(f"`low` and `high` cannot be NaN, but got low={first} and high={last}")
    if first > last or (first == last and whole):
        raise value_error(f"`low` must be less than `high`, but got {first} >= {last}")
    if first == last:
        warn("make_tensor() with `low==high` is deprecated for floats. Use full(...) instead.", FutureWarning)
    if last < least or first >= most:
        raise value_error(
            f"The value interval specified by `low` and `high` is [{first}, {last}), but {dtype} only supports "
            f"[{least}, {most})"
        )
    return min(max(first, least), most), min(max(last, least), most)


# The relative and the absolute tolerance, by the bytes of a float.
_OLDER = {2: (1e-3, 1e-3), 4: (1e-4, 1e-5), 8: (1e-5, 1e-8)}


def assert_allclose(
    actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None, equal_nan: bool = True,
    msg: str = "",
) -> None:  # fmt: skip
    """The old form of `assert_close`, with its tolerances, for any element types; FutureWarning."""
    warn("`assert_allclose()` is deprecated since 1.12. Please use `assert_close()` instead.", FutureWarning)
    a = actual if isinstance(actual, Tensor) else tensor(actual)
    b = expected if isinstance(expected, Tensor) else as_tensor(expected, dtype=a.dtype)
    if rtol is None and atol is None:
        both = [_OLDER.get(t._array.dtype.itemsize, (0, 0)) for t in (a, b) if t._array.dtype.kind == "f"]
        rtol, atol = max((t[0] for t in both), default=0.0), max((t[1] for t in both), default=0.0)
    assert_close(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)

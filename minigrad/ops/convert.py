"""PyTorch's promotion of mixed operands, as recorded casts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import tape
from minigrad.dtypes import F16, F32, common, default_float
from minigrad.errors import runtime_error
from minigrad.ops import elementwise
from minigrad.tape import Op, TensorBase

# Of these a factor that float16 cannot hold is no operand in float16, though their result is.
_BY_NUMBERS = (
    elementwise.mul,
    elementwise.div,
    elementwise.floor_divide,
    elementwise.div_floor,
    elementwise.trunc_divide,
)


def cast_operands(op: Op, operands: list[Any]) -> Any:
    """The operands of an op that promotes, in the dtype in which they meet; or the result, if it rounds once.

    Raises NotImplementedError for a dtype that the op does not take (of a ``cast`` of ``"bits"``, floats).
    """
    first = 1 if op.cast == "branches" else 0  # the condition of where keeps its dtype
    meet = common([t._array if isinstance(t, TensorBase) else t for t in operands[first:]])
    if op.cast == "float" and meet.kind != "f":
        meet = default_float()
    elif op.cast == "floats" and meet.kind != "f":
        raise NotImplementedError(f'"{op.name}" not implemented for {meet}; convert with .float() first')
    elif op.cast == "bits" and meet.kind == "f":
        raise NotImplementedError(f'"{op.name}" not implemented for {meet}; convert with .int() first')
    elif op.cast == "number" and meet.kind == "b":
        raise NotImplementedError(
            f"\"{op.name}\" not implemented for 'Bool'; convert with .int() or .float() first"
        )
    elif op is elementwise.sub and any(_is_bool(t) for t in operands):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert "
            "a mask, "
            "use the `~` or `logical_not()` operator instead."
        )
    if meet == F16 and op in _BY_NUMBERS and any(_is_wide(t) for t in operands):
        return cast(tape.apply(op, [cast(t, F32) for t in operands]), F16)
    return operands[:first] + [cast(t, meet) for t in operands[first:]]


def _is_wide(t: Any) -> bool:
    """Whether an operand that meets float16 may be a number that float16 does not hold."""
    if isinstance(t, TensorBase):
        return t._array.dtype != F16 and t._array.ndim == 0
    if type(t) is tape.Scalar:
        return True  # it is another number in the next run
    with np.errstate(all="ignore"):
        return bool(float(np.float16(float(t))) != t)


def _is_bool(t: Any) -> bool:
    return t._array.dtype == bool if isinstance(t, TensorBase) else isinstance(t, bool)


def cast(t: Any, dtype: np.dtype[Any]) -> Any:
    """A Tensor in another dtype, recorded; a Python number as that dtype holds it."""
    if not isinstance(t, TensorBase):
        return number(t, dtype)
    if t._array.dtype == dtype:
        return t
    op = elementwise.to if dtype.kind == "f" else elementwise.to_integer
    return tape.apply(op, (t,), {"dtype": dtype})


def number(x: Any, dtype: np.dtype[Any]) -> Any:
    """A Python number as a dtype holds it: integers wrap around, as PyTorch's do."""
    if isinstance(x, complex):
        raise runtime_error(
            f"value cannot be converted to type {dtype} without overflow: {x} is complex, which minigrad has not"
        )
    if dtype.kind == "f":
        return x if type(x) is tape.Scalar else float(x)
    if dtype.kind == "b":
        return bool(x)
    if isinstance(x, float) and not math.isfinite(x):
        raise runtime_error(f"value cannot be converted to type {dtype} without overflow: {x}")
    whole, bits = int(x), 8 * dtype.itemsize
    low = -(1 << bits - 1) if dtype.kind == "i" else 0
    return whole if low <= whole < low + (1 << bits) else (whole - low) % (1 << bits) + low


def single(x: Any, dtype: np.dtype[Any]) -> Any:
    """A 0-d Tensor of a Python number."""
    return tape.wrap(tape.QUIET.run(np.asarray, number(x, dtype), dtype))


tape.cast_operands = cast_operands

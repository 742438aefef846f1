"""PyTorch's promotion: in which element type operands meet, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core.op import Array, Op
from minigrad.core.recorder import Numeral
from minigrad.core.rounded import rounds
from minigrad.core.tensor import Tensor
from minigrad.dtypes import BOOL, F32, F64, I64, OF_NUMPY, common, default_float, is_short, largest, scalar
from minigrad.errors import not_implemented_error, overflow_error, runtime_error, type_error

# The whole numbers that PyTorch takes: those of 64 bits, with a sign or without.
LOW: int = -(1 << 63)
HIGH: int = (1 << 64) - 1
SAFE = 65504.0  # which all floats hold
_TAKES_NO = {
    "floats": ("biu", ".float()"),
    "bits": ("fcV", ".int()"),
    "shifts": ("bfcV", ".int()"),
    "number": ("b", ".int() or .float()"),
    "rounds": ("b", ".int() or .float()"),
}


def meet(op: Op, operands: list[Any]) -> np.dtype[Any]:
    """The element type in which the operands of an op meet; NotImplementedError for one that the op does not take."""
    values = operands[1:] if op.cast == "branches" else operands  # the condition of where keeps its dtype
    dtype: np.dtype[Any] = common([t._array if isinstance(t, Tensor) else t for t in values])
    for kind, sentence in (op.refuse or {}).items():
        if any(_is_kind(t, kind) for t in operands):
            raise runtime_error(sentence)
    if op.cast == "float" and dtype.kind not in "fcV":
        return default_float()
    kinds, instead = _TAKES_NO.get(op.cast or "", ("", ""))
    if dtype.kind in kinds:
        name = scalar(dtype)
        raise not_implemented_error(
            f"\"{op.name}\" not implemented for '{name}'; convert with {instead} first"
        )
    return dtype


def _is_kind(t: Any, kind: str) -> bool:
    if isinstance(t, Tensor):
        return bool(t._array.dtype.kind == kind)
    return kind == "b" and isinstance(t, bool)


def is_number(t: Any, dtype: np.dtype[Any]) -> bool:
    """Whether an operand that meets a dtype is a number in a Tensor of another one."""
    return isinstance(t, Tensor) and t._array.dtype != dtype and t._array.ndim == 0


def number(x: Any, dtype: np.dtype[Any]) -> Any:
    """A Python number as a dtype holds it in arithmetic: integers wrap around, as PyTorch's do.

    OverflowError for one beyond 64 bits.
    """
    if x.__class__ is int and not LOW <= x <= HIGH:
        raise overflow_error(
            f"int too big to convert: {x} does not fit into 64 bits; float() of it is a number"
        )
    if dtype.kind == "c":
        return complex(x)
    if dtype.kind == "b":
        return bool(x)
    if isinstance(x, complex):
        if x.imag:
            raise runtime_error(
                f"value cannot be converted to type {dtype} without overflow: {x} is complex; take its real part"
            )
        x = x.real
    if dtype.kind in "fV":
        if isinstance(x, Numeral):  # an int goes into a shorter float by way of a float of Python
            return x * 1.0 if type(x.value) is int else x
        return float(x)
    if isinstance(x, float) and not math.isfinite(x):
        raise _overflows(x, dtype)
    # That of a Numeral stays one: a recording notes how it compares.
    whole, bits = x if x.__class__ is int else int(x), 8 * dtype.itemsize
    low = -(1 << bits - 1) if dtype.kind == "i" else 0
    if low <= whole < low + (1 << bits):
        return whole
    if not LOW <= whole <= HIGH:
        raise _overflows(x, dtype)
    return (whole - low) % (1 << bits) + low


def held(x: Any, dtype: np.dtype[Any]) -> Any:
    """As `number`, for one that is stored and not computed with: RuntimeError where the dtype does not hold it.

    Negative whole ones count from the end of a dtype without sign. Floats hold infinities, and nothing else beyond
    their largest.
    """
    value = number(x, dtype)
    if dtype.kind in "iu":
        if value != x:
            ends = np.iinfo(dtype)
            if not (ends.min or (0 if x.__class__ is float else -ends.max)) <= x <= ends.max:
                raise _overflows(x, dtype)
    elif value.__class__ is float:
        # A recording takes another number in each call, so a comparison would be of that one alone.
        compared = type(value) is float or is_short(dtype)
        if compared and not -SAFE <= value <= SAFE and largest(dtype) < abs(value) < math.inf:
            raise _overflows(x, dtype)
    elif value.__class__ is complex and any(
        largest(dtype) < abs(p) < math.inf for p in (value.real, value.imag)
    ):
        raise _overflows(x, dtype)
    return value


def _overflows(x: Any, dtype: np.dtype[Any]) -> Exception:
    return runtime_error(f"value cannot be converted to type {dtype} without overflow: {x}")


def misfit(arrays: Sequence[Any]) -> bool:
    """Whether the shapes of operands alone are an error."""
    try:
        np.broadcast(*arrays)
    except ValueError:
        return True
    return False


def fits(op: Op, arrays: list[Any], dtype: np.dtype[Any]) -> bool:
    """Whether an op takes arrays and numbers as they are, of which not all are float32 or all float64.

    ``dtype`` is that of the first array.
    """
    if op.cast is None:  # as a table and the numbers of its rows
        return dtype is F32 or dtype is F64 or (dtype.kind != "c" and not rounds(op, dtype))
    if op.cast == "branches":
        a, b = (x.dtype if x.__class__ is np.ndarray else x.__class__ for x in arrays[1:])
        return (a is b or a is float or b is float) and (a is F32 or a is F64 or b is F32 or b is F64)
    if op.cast not in ("same", "number", "bits") or dtype.kind in (op.refuse or ()):
        return False
    whole = dtype is I64
    if not whole and (dtype is not BOOL or op.cast == "number"):
        return False
    for x in arrays:
        if x.__class__ is np.ndarray:
            if x.dtype is not dtype:
                return False
        elif not whole or x.__class__ is not int or x >= -LOW:
            return False
    return True


def as_operand(array: Array) -> Array:
    """In an element type that Tensors have: in this machine's order of bytes, whole numbers without a sign wider."""
    if type(array) is not np.ndarray and isinstance(array, np.ma.MaskedArray):
        raise type_error("beside a Tensor a masked array would lose its mask; use its .data, and np.where")
    if array.dtype in OF_NUMPY:
        return array
    kind = array.dtype.newbyteorder("=")
    if kind.kind == "u" and (kind.itemsize < 8 or (array <= np.iinfo(np.int64).max).all()):
        kind = np.dtype(f"i{min(2 * kind.itemsize, 8)}")
    if kind not in OF_NUMPY:
        raise type_error(
            f"beside a Tensor stands an array of {array.dtype}, a type that no Tensor has; convert it with .astype()"
        )
    return array.astype(kind)

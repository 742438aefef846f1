"""PyTorch's promotion of mixed operands, as recorded casts."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import tape
from minigrad.dtypes import common, default_float
from minigrad.ops import elementwise
from minigrad.tape import Op, TensorBase


def cast_operands(op: Op, operands: list[Any]) -> list[Any]:
    """The operands of an op that promotes, in the dtype in which they meet.

    Raises TypeError when none of them is a Tensor.
    """
    first = 1 if op.cast == "branches" else 0  # the condition of where keeps its dtype
    if not any(isinstance(t, TensorBase) for t in operands):
        raise TypeError(f"{op.name}(): argument 'input' must be a Tensor, not {type(operands[0]).__name__}")
    meet = common([t._array if isinstance(t, TensorBase) else t for t in operands[first:]])
    if op.cast == "float" and meet.kind != "f":
        meet = default_float()
    return operands[:first] + [cast(t, meet) for t in operands[first:]]


def cast(t: Any, dtype: np.dtype[Any]) -> Any:
    """A Tensor in another dtype, recorded; a Python number as NumPy takes it for that dtype."""
    if not isinstance(t, TensorBase):
        return bool(t) if dtype.kind == "b" else float(t) if dtype.kind == "f" else t
    if t._array.dtype == dtype:
        return t
    op = elementwise.to if dtype.kind == "f" else elementwise.to_integer
    return tape.apply(op, (t,), {"dtype": dtype})


tape.cast_operands = cast_operands

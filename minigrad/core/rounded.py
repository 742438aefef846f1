"""Operations in floats of two bytes: computed in float32, and rounded once at the end, as PyTorch does on a CPU.

They follow from the record. What only moves elements does so as it is; its rules are computed in float32 too.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.core.op import Op, in_float32
from minigrad.core.tensor import Tensor
from minigrad.dtypes import F32, is_short
from minigrad.kernels.sums import copied

# What holds of a result however it is computed.
_KEPT = (
    "elementwise", "lies_like", "rows", "order", "raises", "depends", "draws", "sums", "activation", "idle", "check",
    "grad_fn", "edges", "costs", "doc", "text", "twice", "fresh", "follows",
)  # fmt: skip
# What holds where the kernel is the same.
_MOVED = (
    *_KEPT, "view", "new", "repeats", "moves", "same", "fill", "inline", "joins", "broadcasts", "into", "apart",
)  # fmt: skip


def rounds(op: Op, dtype: np.dtype[Any]) -> bool:
    """Whether an op computes in float32 for an element type, and rounds: one that does not do so already."""
    return op.of is None and is_short(dtype)


def rounding(op: Op, operands: Iterable[Any]) -> Op:
    """The op that computes in the place of another, by the element type of its first operand of two bytes."""
    dtype = next(t._array.dtype for t in operands if isinstance(t, Tensor) and rounds(op, t._array.dtype))
    if op.rounding is None:
        op.rounding = {}
    if dtype not in op.rounding:
        op.rounding[dtype] = Rounded(op, dtype)
    return op.rounding[dtype]


class Rounded(Op):
    """An operation in ``dtype``, bfloat16 or float16."""

    def __init__(self, op: Op, dtype: np.dtype[Any]) -> None:
        self.of, self.to = op, dtype  # the rules are computed in float32
        moves = op.moves or op.view or op.typed or op.fill is not None
        self.wider = None if moves else op
        kernel = op.unchecked if moves else _rounding(op.unchecked, dtype, op.wide)
        facts = {fact: getattr(op, fact) for fact in (_MOVED if moves else _KEPT)}
        inputs = [("*" if i == op.star else "") + name for i, name in enumerate(op.inputs)]
        signature = f"{' '.join(inputs)}; {' '.join(op.params)}"
        super().__init__(op.name, kernel, signature, *op.rules, joint=op.joint, listed=False, **facts)
        self.home, self.opaque = op.home, op.opaque


def made(op: Op, operands: Any) -> Op:
    """The rounded op that was made before, where all Tensors have its element type; else ``op``.

    With it a small operation takes 0.4 of the time.
    """
    first = operands[0] if operands else None
    dtype = first._array.dtype if isinstance(first, Tensor) else None
    own = op.rounding.get(dtype)  # type: ignore[union-attr]
    if own is None:
        return op
    for t in operands:
        if t.__class__ is not float and not (isinstance(t, Tensor) and t._array.dtype == dtype):
            return op
    return own


def _rounding(kernel: Any, to: np.dtype[Any], wide: bool) -> Any:
    def ready(x: Any) -> Any:
        if x.__class__ is np.ndarray and x.dtype == to:  # most are; by `in_float32` it takes twice as long
            return copied(x, F32)
        return in_float32(x) if wide else held(x, to)

    @functools.wraps(kernel)
    def rounding(*operands: Any, **params: Any) -> Any:
        y = kernel(*map(ready, operands), **params)
        return y.astype(to) if getattr(y, "dtype", None) == F32 else y

    return rounding


def held(x: Any, to: np.dtype[Any]) -> Any:
    """As `in_float32`; a number is rounded to ``to``."""
    return float(to.type(x)) if isinstance(x, float) else in_float32(x)

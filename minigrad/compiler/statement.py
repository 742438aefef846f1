"""Statements, the memory of what they compute, and what is known of values and numbers without looking further."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compiler.scalars import Scalar
from minigrad.core.node import Const
from minigrad.core.op import Op, is_ufunc
from minigrad.core.plans import Line, Operand, Target
from minigrad.readers.source.expressions import Expr, is_dense
from minigrad.readers.source.program import Value, memory
from minigrad.readers.source.text import _place

ALIGN = 64  # bytes; slots begin at multiples of it


class Slot:
    """A piece of the plan's memory, in use from one statement to another."""

    def __init__(self, value: Value) -> None:
        self.value, self.first, self.last, self.offset = value, 0, 0, -1
        # The larger piece that it is a part of, and where in that.
        self.group: Group | None = None
        self.within = 0
        self.size = -(-max(1, math.prod(value.shape)) * value.dtype.itemsize // ALIGN) * ALIGN
        # The slot of an operand that the value is written over.
        self.inherits: Slot | None = None


class Group:
    """Slots side by side, so that one call can serve them all."""

    def __init__(self, name: str, dtype: Any) -> None:
        self.name, self.dtype, self.size, self.offset = name, dtype, 0, 0


# Marks, before the id of that memory, a result that shows memory from outside.
OUTSIDE = "outside"


class Statement:
    """The lines that compute a value, and the values whose memory they read.

    ``kind`` is "call" or "view"; ``place`` is the user's line, ``about`` what a line of the backward half belongs to.
    """

    def __init__(self, value: Value, kind: str, lines: Sequence[Line], reads: Sequence[Value]) -> None:
        self.value, self.kind, self.lines, self.reads = value, kind, list(lines), list(reads)
        self.place = _place(value.origin if value.forward else value.of)
        self.about = ""
        if not value.forward:
            through = value.of.op.name if value.of is not None and value.of.op is not None else ""
            self.about = f"backward of {through}{f'  ({self.place})' if self.place else ''}"


class ValueTarget(Target):
    """A value of a program, as `Op.into` and `Op.numba` see it; ``plan`` are the statements that compute it."""

    def __init__(self, plan: Any, v: Value, texts: Sequence[str]) -> None:
        self._plan, self._value = plan, v
        self.shape, self.dtype, self.params = v.shape, v.dtype, v.params
        self.operands = [self._operand(w, text) for w, text in zip(v.inputs, texts, strict=True)]

    def _operand(self, w: Any, text: str) -> Operand:
        if w.__class__ is Const:
            return Operand(text, (), None, w.value, filled=True)
        if w.fill is not None and w not in self._plan.name_of:
            return Operand(text, w.shape, w.dtype, filled=True)
        op = memory(w).record
        return Operand(text, w.shape, w.dtype, None, False, w in self._plan.slots, is_dense(w), op)

    def number(self, value: Any) -> str:
        return str(self._plan.number(value, self.dtype))

    def lasting(self, stem: str, text: str, size: int) -> str:
        return str(self._plan.filled(stem, text, size))

    def turned(self, i: int) -> str:
        return str(self._plan.turned(self._value.inputs[i], self.operands[i].text))

    def helper(self, function: Callable[..., Any]) -> str:
        return as_text(self._plan.helpers.call(function, [])).removesuffix("()")

    def apart(self, i: int, k: int) -> bool:
        inputs = self._value.inputs
        return memory(inputs[i]) is not memory(inputs[k])

    def own(self) -> bool:
        return bool(self._plan._may_have_slot(self._value))


def is_view(v: Value) -> bool:
    """Whether a value may show the memory of its operand."""
    op = v.record
    return op is not None and (op.view or op.repeats) and v.fill is None and len(v.inputs) == 1


def by_ufunc(op: Op | None) -> bool:
    """Whether the kernel of an operation is a ufunc."""
    return op is not None and is_ufunc(op.unchecked)


def is_literal(p: object) -> bool:
    """Whether a parameter can be written in a program."""
    if isinstance(p, (tuple, list)):
        return all(map(is_literal, p))
    if isinstance(p, dict):
        return all(map(is_literal, p.values()))
    return p is None or p is ... or isinstance(p, (bool, int, float, str, slice, np.dtype, np.generic, Op))


def owned(y: Any, *operands: Any) -> Any:
    """The array ``y``, copied if it shares memory with an operand: a kernel may return one of its operands."""
    y = np.asarray(y)
    if not y.flags.writeable:
        return np.array(y, order="K")
    for x in operands:
        if y is x or (y.base is not None and np.may_share_memory(y, x)):
            return np.array(y, order="K")
    return y


def number_kind(value: Any, operands: Sequence[Any]) -> Any:
    """The float dtype of these operands if a number that meets them may be an array of that dtype, else None."""
    kinds = {w.dtype for w in operands}
    kind = kinds.pop() if len(kinds) == 1 else None
    plain = type(value) in (float, int, Scalar) or (isinstance(value, np.floating) and value.dtype == kind)
    return kind if kind is not None and plain and kind.kind == "f" else None


def _plain_number(value: Any) -> Any:
    return value if type(value) is Scalar else float(value)


@functools.lru_cache(maxsize=1024)
def _result_of(kernel: Any, kinds: tuple[Any, ...], shapes: tuple[Any, ...]) -> Any:
    """The dtype and the shape of a ufunc's result; None if it takes no such operands."""
    try:
        return kernel.resolve_dtypes((*kinds, None))[-1], np.broadcast_shapes(*shapes)
    except (TypeError, ValueError):
        return None


def _lying_as(array: Any) -> Any:
    """An array that lies in memory as another one does."""
    low, high = np.lib.array_utils.byte_bounds(array)
    start = array.__array_interface__["data"][0] - low
    return np.ndarray(array.shape, array.dtype, np.empty(high - low, np.uint8), start, array.strides)


def as_text(expr: Expr) -> str:
    """An expression as text."""
    if expr.__class__ is ast.Name:
        return expr.id
    if expr.__class__ is ast.Attribute and expr.value.__class__ is ast.Name:
        return f"{expr.value.id}.{expr.attr}"
    return ast.unparse(expr)


def _texts(*expressions: Expr) -> list[str]:
    return [as_text(x) for x in expressions]


def size_of(v: Value) -> int:
    """Bytes of a value."""
    return math.prod(v.shape) * int(v.dtype.itemsize)


def share_numbers(outputs: Sequence[tuple[Value, Any]]) -> None:
    """Has results of one repeated number stay views where eager mode's share memory."""
    chains: dict[Value, list[list[Value]]] = {}
    for v, _ in outputs:
        chain = [v]
        while chain[-1].is_view and chain[-1].inputs[0].__class__ is Value:
            chain.append(chain[-1].inputs[0])
        chains.setdefault(chain[-1], []).append(chain)
    for base, several in chains.items():
        if base.fill is not None and len(several) > 1:
            for chain in several:
                for v in chain[:-1]:
                    v.fill = None

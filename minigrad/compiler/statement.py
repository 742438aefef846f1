"""What a statement is, and what is known of values and numbers without looking further."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core.node import Const
from minigrad.core.op import Op
from minigrad.core.plans import Line, Operand, Target
from minigrad.readers.source.expressions import Expr, is_dense
from minigrad.readers.source.program import Value, memory
from minigrad.readers.source.text import _place

# Marks, before the id of that memory, a result that shows memory from outside.
OUTSIDE = "outside"


class Statement:
    """The lines that compute a value, and the values whose memory they read.

    ``place`` is the user's line, ``about`` what a line of the backward half belongs to.
    """

    def __init__(self, value: Value, lines: Sequence[Line], reads: Sequence[Value]) -> None:
        self.value, self.lines, self.reads = value, list(lines), list(reads)
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
        if self._plan.is_number(w):
            return Operand(text, w.shape, w.dtype, filled=True)
        op = memory(w).record
        return Operand(text, w.shape, w.dtype, None, False, w in self._plan.planned, is_dense(w), op)

    def number(self, value: Any) -> str:
        return str(self._plan.number(value, self.dtype))

    def lasting(self, stem: str, text: str, size: int) -> str:
        return str(self._plan.lasting(stem, text, size))

    def turned(self, i: int) -> str:
        return str(self._plan.turned(self._value.inputs[i], self.operands[i].text))

    def helper(self, function: Callable[..., Any]) -> str:
        return as_text(self._plan.helpers.call(function, [])).removesuffix("()")

    def apart(self, i: int, k: int) -> bool:
        inputs = self._value.inputs
        return memory(inputs[i]) is not memory(inputs[k])

    def own(self) -> bool:
        return bool(self._plan.may_be_planned(self._value))


def is_view(v: Value) -> bool:
    """Whether a value may show the memory of its operand."""
    return v.shows and len(v.inputs) == 1


def is_literal(p: object) -> bool:
    """Whether a parameter can be written in a program."""
    if isinstance(p, (tuple, list, dict)):
        return all(map(is_literal, p.values() if isinstance(p, dict) else p))
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


def as_text(expr: Expr) -> str:
    """An expression as text."""
    if expr.__class__ is ast.Name:
        return expr.id
    return ast.unparse(expr)


def size_of(v: Value) -> int:
    """Bytes of a value."""
    return math.prod(v.shape) * int(v.dtype.itemsize)

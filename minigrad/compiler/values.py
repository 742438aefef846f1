"""From records to values: the program of a run, simplified as `minigrad.source` does, and what is known of values."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.compiler.recorder import Run
from minigrad.core.node import Node
from minigrad.core.op import Op
from minigrad.kernels.order import inverse
from minigrad.readers.source.expressions import Expr, fill, whole
from minigrad.readers.source.program import Program, Value

# Marks, before the id of that memory, a result that shows memory from outside.
OUTSIDE = "outside"


class TracedProgram(Program):
    """The values of the records ``order`` of a run: all that its results, writes, draws and checks need."""

    def __init__(self, run: Run, order: Sequence[Node]) -> None:
        self.values: list[Value] = []
        self.seen: dict[Any, Value] = {}
        self.value_of: dict[Node, Value] = {}
        self.names: dict[Value, list[Node]] = {}
        self.trace: Any = run
        # Records whose results do not lie row by row, with their dimensions from the longest step to the shortest.
        self.noncontiguous = run.noncontiguous
        self.by_tensor: dict[int, Value] = {}
        late = [node for node in order if not self.place(node)]
        for node in late:
            self.place(node)
        self.forward = [n for n in order if n.op is not None and n not in run.groups and n not in run.sources]
        for old, g in run.gradients.items():
            if g in self.value_of:
                self.names.setdefault(self.value_of[g], []).append(old)

    def place(self, node: Node) -> bool:
        """Adds the value of a record, if it has none; False where that of another one has to come first."""
        before, source = self.trace.follows.get(node), self.trace.sources.get(node)
        if source is not None:
            known = self.by_tensor.get(id(source))
            if known is None:
                # A leaf knows its Tensor, and so how its array lies.
                stands = node if node.op is None else Node.leaf(node.shape, node.dtype, tensor=source)
                known = Value("parameter", (), {}, node.shape, node.dtype, stands)
                self.by_tensor[id(source)] = known
                self.values.append(known)
            if node not in known.nodes:
                known.nodes.append(node)
            self.value_of[node] = known
        elif before is not None:
            if before not in self.value_of:
                return False
            self.value_of[node] = self.value_of[before]
        elif node.op is None or not node.op.opaque:  # records of Functions only stand for gradients
            self.value_of[node] = self._value(node, self.trace)
        return True

    def _half(self, node: Node, run: Any) -> tuple[bool, Node | None]:
        return node not in run.groups, run.groups.get(node)


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


def full(v: Value, axes: tuple[int, ...] | None) -> Expr:
    """An array of its own of one number, with these dimensions from the longest step to the shortest."""
    if axes is None:
        return whole(v, v.shape)
    return fill("{}.transpose({to})", [whole(v, tuple(v.shape[d] for d in axes))], to=inverse(axes))


def size_of(v: Value) -> int:
    """Bytes of a value."""
    return math.prod(v.shape) * int(v.dtype.itemsize)


def share_numbers(outputs: Sequence[tuple[Value, Any]]) -> None:
    """Has results of one repeated number stay views where eager mode's share memory, with others or in themselves."""

    def base(v: Value) -> Value:
        while v.is_view and v.inputs[0].__class__ is Value:
            v = v.inputs[0]
        return v

    bases = [base(v) for v, _ in outputs]
    for (v, _), first in zip(outputs, bases, strict=True):
        shared = bases.count(first) > 1 or math.prod(v.shape) > math.prod(first.shape)
        while v is not first and first.fill is not None and shared:
            v.fill, v = None, v.inputs[0]

"""How calls of NumPy compute a value: into its slot where they can, else into an array of its own."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compiler.scalars import Scalar
from minigrad.core.node import Const, Node
from minigrad.core.op import NO_PARAMS, Op, Params, is_ufunc
from minigrad.core.plans import OUT, PART, Lines, Operand, Part, Target
from minigrad.readers.source.expressions import (
    Expr,
    Helpers,
    expression,
    fill,
    is_dense,
    literal,
    may_turn,
    parsed,
)  # fmt: skip
from minigrad.readers.source.program import Value, memory
from minigrad.readers.source.text import Text, _place

_OUT = f", out={OUT})"
ALIGN = 64  # bytes; slots begin at multiples of it


class Statement:
    """The lines of a plan that compute a value, and the values whose memory they read."""

    def __init__(self, value: Value, kind: str, lines: Sequence[str], reads: Sequence[Value]) -> None:
        self.value, self.kind, self.lines, self.reads = value, kind, list(lines), list(reads)
        # The user's line.
        self.place = _place(value.origin if value.forward else value.of)
        self.about = ""
        if not value.forward:
            through = value.of.op.name if value.of is not None and value.of.op is not None else ""
            self.about = f"backward of {through}{f'  ({self.place})' if self.place else ''}"


class Slot:
    """A piece of the plan's memory, in use from one statement to another."""

    def __init__(self, value: Value, first: int) -> None:
        self.value, self.first, self.last, self.offset = value, first, first, -1
        self.group: Group | None = None  # the larger piece that it is a part of
        self.within = 0
        self.size = -(-max(1, math.prod(value.shape)) * value.dtype.itemsize // ALIGN) * ALIGN
        self.inherits: Slot | None = None


class Group:
    """Slots side by side, so that one call can serve them all."""

    def __init__(self, name: str, dtype: Any) -> None:
        self.name, self.dtype, self.size, self.offset = name, dtype, 0, 0


class Calls(Text):
    """The half of a plan that makes statements: lines for ``run``, what ``bind`` has to prepare, and slots."""

    # Records whose results do not lie row by row.
    noncontiguous: set[Node]
    # Values that come from outside, as parameters do.
    boundary: dict[Value, None]
    users: dict[Value, list[Value | None]]
    # The names that values get where they are free.
    _preferred: dict[Value, str]
    # What the caller gets, or sees through a view.
    _kept: set[Value]
    # The results of `_inputs`.
    _inputs_of: dict[Value, list[Value]]

    def _start(self) -> None:
        """Sets what laying out begins with."""
        self.helpers = Helpers()
        self.expr_of: dict[Value, Expr] = {}
        # Lines of ``bind``.
        self.setup: list[str] = []
        self.statements: list[Statement] = []
        self.slots: dict[Value, Slot] = {}
        # Values whose array is the same in every run.
        self.static: set[Value] = set()
        # Arrays that lie in memory as those of values will.
        self.models: dict[Value, Any] = {}
        # Values that get a new array in every run.
        self.fresh: set[Value] = set()
        # The names of numbers and arrays that stay between runs.
        self._names_of_lasting: dict[Any, str] = {}
        # Lines of the module before ``bind``.
        self._globals: dict[str, list[str]] = {}
        # What the text needs beside NumPy: constants, generators.
        self.data: dict[str, Any] = {}
        # Lines of ``run`` that fill in the numbers that are parameters.
        self._refilled: list[str] = []
        # Of arrays that stay beside the planned memory.
        self.lasting_bytes = 0
        # By the value it is for: what is computed before it, for it alone.
        self.part_of: dict[Value, Value] = {}

    def _inputs(self, v: Value) -> list[Value]:
        inputs = self._inputs_of.get(v)
        if inputs is None:
            if v.fill is not None or not v.inputs or v in self.boundary:
                inputs = []
            else:
                inputs = [w for w in v.inputs if w.__class__ is Value]
            self._inputs_of[v] = inputs
        return inputs

    def _owner(self, v: Value) -> Value:
        """The value whose memory this one shows; a view that NumPy copies has memory of its own."""
        while is_view(v) and v not in self.slots and v not in self.fresh:
            v = v.inputs[0]
        return v

    def _plain(self, v: Value) -> bool:
        """Whether eager mode's array lies row by row, as planned memory does."""
        return not self.noncontiguous or self.noncontiguous.isdisjoint(v.nodes)

    def _operand(self, w: Any) -> Expr:
        if w.__class__ is Const and type(w.value) is Scalar:
            return parsed(w.value.text)
        return super()._operand(w)

    def _take_name(self, v: Value, kind: str) -> str:
        preferred = self._preferred.get(v)
        name = self.name_of[v] = (
            self.names.take(preferred) if preferred else self.names.take(kind, number=True)
        )
        return name

    def _may_have_slot(self, v: Value) -> bool:
        return v not in self._kept and bool(v.shape) and self._plain(v)

    def _give_slot(self, v: Value) -> None:
        self.slots[v] = Slot(v, 0)
        self.static.add(v)

    def _compute(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        form = self._into(v, xs)
        if form is not None and self._may_have_slot(v):
            self._take_name(v, v.op)
            self._give_slot(v)
            if form.part is not None:
                part = self._add_part(v, form.part)
                others = [w for i, w in enumerate(v.inputs) if i != form.part.reads and w.__class__ is Value]
                reads = [*(self._owner(w) for w in others if w.fill is None), part]
            self._add_statement(v, xs, form.lines, reads)
            self.setup += self._named(v, form.setup)
            return
        lines = self._returning(v, form)
        self._take_name(v, v.op)
        self.fresh.add(v)
        self._add_statement(v, xs, lines or [f"{OUT} = {self._text_of(v, xs)}"], reads)

    def _printed(self, v: Value, xs: list[Expr], written: bool = False) -> Expr:
        """A value as its operation prints, or as a call of the kernel; with ``written``, a view to write into."""
        op = v.record
        if not op.draws and all(map(is_literal, v.params.values())):
            known_helpers = {name: dict(known) for name, known in vars(self.helpers).items()}
            try:
                return expression(v, xs, self.helpers, written)
            except NotImplementedError:  # a kernel that cannot stand in a program
                vars(self.helpers).update(known_helpers)
        return self._called(op.unchecked, f"{op.name}_kernel", xs, v.params)

    def _add_statement(
        self, v: Value, xs: list[Expr], lines: Sequence[str], reads: list[Value], kind: str = "call"
    ) -> None:
        """Adds the statement of a value that has a name, after the check of its operands."""
        op = v.record
        checks = [] if op.check is None else [self._checked(v, xs, op)]
        self.statements.append(Statement(v, kind, [*checks, *self._named(v, lines)], reads))

    def _named(self, v: Value, lines: Sequence[str]) -> list[str]:
        """Lines with the names of the value and of its part."""
        part = self.part_of.get(v)
        if part is not None:
            lines = [line.replace(PART, self.name_of[part]) for line in lines]
        return [line.replace(OUT, self.name_of[v]) for line in lines]

    def _checked(self, v: Value, xs: list[Expr], op: Op) -> str:
        return as_text(self._called(op.check, f"{op.name}_check", xs, v.params))

    def _called(self, function: Any, stem: str, xs: list[Expr], params: Params) -> Expr:
        """A call of a function that the text has no source of; parameters without a literal are passed as data."""
        name = self._lasting(("data", id(function)), stem, self._data_is(function), False)
        keywords = []
        for k, p in params.items():
            plain = p is None or type(p) in (bool, int, float, str)
            value = literal(p) if plain else ast.Name(self._lasting(("data", id(p)), k, self._data_is(p)))
            keywords.append(ast.keyword(k, value))
        return ast.Call(ast.Name(name), xs, keywords)

    def _data_is(self, value: Any) -> Callable[[str], None]:
        return lambda name: self.data.update({name: value})

    def _add_part(self, v: Value, part: Part) -> Value:
        """Adds the statement of a value's part, which has a slot of its own."""
        w = v.inputs[part.reads]
        between = self.part_of[v] = Value(part.stem, [w], NO_PARAMS, v.shape, part.dtype, None)
        between.forward, between.of, between.origin = v.forward, v.of, v.origin
        self.name_of[between] = self.names.take(f"{self.name_of[v]}_{part.stem}")
        self._give_slot(between)
        reads = [] if w.__class__ is not Value or w.fill is not None else [self._owner(w)]
        self.statements.append(Statement(between, "call", self._named(v, part.lines), reads))
        return between

    def _returning(self, v: Value, form: Lines | None) -> list[str]:
        """The lines of `_into` for a value without a slot: the first call makes its array."""
        if form is None or form.setup or form.part is not None or not v.shape or not self._plain(v):
            return []
        first, *rest = form.lines
        if _OUT not in first or (v.record.rows and any(map(may_turn, v.inputs))):
            return []
        return [f"{OUT} = {first.replace(_OUT, ')')}", *rest]

    def _text_of(self, v: Value, xs: list[Expr]) -> str:
        """A value as an expression; it copies a result that shares memory with an operand."""
        op = v.record
        expr = self._printed(v, xs)
        if op.moves and self._plain(v) and len(v.shape) > 1:
            # NumPy lays the result of an operand that repeats in another order.
            expr = fill("np.ascontiguousarray({})", [expr])
        if not op.new:
            arrays = [
                self._lasting(("data", id(p)), k, self._data_is(p))
                for k, p in v.params.items()
                if isinstance(p, np.ndarray)
            ]
            others = [x for w, x in zip(v.inputs, xs, strict=True) if w.__class__ is Value]
            expr = self.helpers.call(owned, [expr, *others, *map(ast.Name, arrays)])
        return as_text(expr)

    def _number(self, value: Any, dtype: Any) -> str:
        """The name of a number as an array of the dtype that it meets."""
        return self._lasting(
            (repr(value), dtype.str), "number", lambda name: self._define_number(name, value, dtype)
        )

    def _scalar(self, value: Scalar, dtype: Any) -> str:
        """`_number` for a parameter, which has another value in each run."""
        return self._lasting(
            (value.text, dtype.str), "number", lambda name: self._define_scalar(name, value, dtype)
        )

    def _define_number(self, name: str, value: Any, dtype: Any) -> None:
        """Defines an array without dimensions, which a ufunc takes in half the time of a number."""
        self.setup.append(f"{name} = np.array({as_text(literal(dtype.type(value)))}, {named(dtype)})")

    def _define_scalar(self, name: str, value: Scalar, dtype: Any) -> None:
        self.setup.append(f"{name} = np.empty((), {named(dtype)})")
        self._refilled.append(
            f"{name}[()] = {value.text.strip('()') if value.text.count('(') == 1 else value.text}"
        )

    def _lasting(self, key: Any, stem: str, define: Callable[[str], None], number: bool = True) -> str:
        """The name of what stays between runs, defined by the first call for it."""
        name = self._names_of_lasting.get(key)
        if name is None:
            name = self._names_of_lasting[key] = self.names.take(stem, number=number)
            define(name)
        return name

    def _filled(self, stem: str, text: str, size: int) -> str:
        """The name of an array that stays, made by ``text``, of ``size`` bytes."""

        def define(name: str) -> None:
            self.setup.append(f"{name} = {text}")
            self.lasting_bytes += size

        return self._lasting(text, stem, define)

    def _arguments(self, v: Value, xs: list[Expr]) -> list[str]:
        """The operands of a ufunc as text; numbers are arrays without dimensions where that changes no dtype."""
        texts = []
        others = [w for w in v.inputs if w.__class__ is Value]
        for w, x in zip(v.inputs, xs, strict=True):
            kind = number_kind(w.value, others) if w.__class__ is Const else None
            if kind is None:
                texts.append(as_text(x))
            elif type(w.value) is Scalar:
                texts.append(self._scalar(w.value, kind))
            else:
                texts.append(self._number(float(w.value), kind))
        return texts

    def _into(self, v: Value, xs: list[Expr]) -> Lines | None:
        """The lines that write the value into its slot; None if none can."""
        op = v.record
        kernel = op.unchecked
        if op.into is not None:
            form: Lines | None = op.into(_Target(self, v, [as_text(x) for x in xs]))
            return form
        if not by_ufunc(op) or v.params or any(w.__class__ is Value and w.fill is not None for w in v.inputs):
            return None
        name = kernel.__name__
        if getattr(np, name, None) is not kernel or not self._fits(v, kernel):
            return None
        return Lines([f"np.{name}({', '.join(self._arguments(v, xs))}, out={OUT})"])

    def _fits(self, v: Value, kernel: Any) -> bool:
        """Whether the ufunc by itself gives the value's dtype and shape."""
        kinds: list[Any] = []
        for w in v.inputs:
            if w.__class__ is Value:
                kinds.append(w.dtype)
            elif isinstance(w.value, np.generic):
                kinds.append(w.value.dtype)
            elif type(w.value) in (float, int, bool, Scalar):
                kinds.append(float if type(w.value) is Scalar else type(w.value))
            else:
                return False
        shapes = tuple(w.shape for w in v.inputs if w.__class__ is Value)
        return bool(_result_of(kernel, tuple(kinds), shapes) == (v.dtype, v.shape))

    def _turned(self, w: Value, text: str) -> str:
        """The transpose of an operand; ``bind`` makes it where the operand stays."""
        if w not in self.static or w not in self.name_of:
            return f"{text}.T"
        return self._lasting(
            ("T", w), f"{text}_T", lambda name: self.setup.append(f"{name} = {text}.T"), number=False
        )

    def _is_leaf(self, v: Value) -> bool:
        return v.is_parameter or v in self.boundary


class _Target(Target):
    """A value of a plan, as `Op.into` and `Op.numba` see it."""

    def __init__(self, plan: Calls, v: Value, texts: Sequence[str]) -> None:
        self._plan, self._value = plan, v
        self.shape, self.dtype, self.params = v.shape, v.dtype, v.params
        self.operands = [self._operand(w, text) for w, text in zip(v.inputs, texts, strict=True)]

    def _operand(self, w: Any, text: str) -> Operand:
        if w.__class__ is Const:
            return Operand(text, (), None, w.value, filled=True)
        plan = self._plan
        if w.fill is not None:
            return Operand(text, w.shape, w.dtype, filled=True)
        op = memory(w).record
        return Operand(text, w.shape, w.dtype, None, False, w in plan.slots, is_dense(w), op)

    def number(self, value: Any) -> str:
        return self._plan._number(value, self.dtype)

    def lasting(self, stem: str, text: str, size: int) -> str:
        return self._plan._filled(stem, text, size)

    def turned(self, i: int) -> str:
        return self._plan._turned(self._value.inputs[i], self.operands[i].text)

    def helper(self, function: Callable[..., Any]) -> str:
        return as_text(self._plan.helpers.call(function, [])).removesuffix("()")

    def apart(self, i: int, k: int) -> bool:
        inputs = self._value.inputs
        return memory(inputs[i]) is not memory(inputs[k])

    def own(self) -> bool:
        return self._plan._may_have_slot(self._value)


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
    """The float dtype of these operands if a number that meets them may be an array of that dtype, else None.

    A ufunc takes an array without dimensions in half the time of a number.
    """
    kinds = {w.dtype for w in operands}
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    plain = type(value) in (float, int, Scalar) or (isinstance(value, np.floating) and value.dtype == kind)
    return kind if plain and kind.kind == "f" else None


@functools.lru_cache(maxsize=1024)
def _result_of(kernel: Any, kinds: tuple[Any, ...], shapes: tuple[Any, ...]) -> Any:
    """The dtype and the shape of a ufunc's result; None if it takes no such operands."""
    try:
        return kernel.resolve_dtypes((*kinds, None))[-1], np.broadcast_shapes(*shapes)
    except (TypeError, ValueError):
        return None


@functools.cache
def named(dtype: Any) -> str:
    """How a program names a dtype; NumPy computes ``name`` at each access, so it is cached."""
    return f"np.{dtype.name}"


def as_text(expr: Expr) -> str:
    if expr.__class__ is ast.Name:
        return expr.id
    if expr.__class__ is ast.Attribute and expr.value.__class__ is ast.Name:
        return f"{expr.value.id}.{expr.attr}"
    return ast.unparse(expr)

"""From values to statements: for each value the calls of NumPy that compute it, as data."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compiler.scalars import Scalar
from minigrad.compiler.statement import (
    Slot,
    Statement,
    ValueTarget,
    _lying_as,
    _plain_number,
    _result_of,
    _texts,
    as_text,
    by_ufunc,
    is_literal,
    is_view,
    number_kind,
    owned,
    share_numbers,
)
from minigrad.compiler.values import TracedProgram
from minigrad.core.node import Const, Node
from minigrad.core.op import NO_PARAMS, Params
from minigrad.core.plans import OUT, PART, Line, Lines, Part, named
from minigrad.readers.source.expressions import Expr, expression, fill, literal, may_turn, parsed
from minigrad.readers.source.program import Value, memory
from minigrad.readers.source.text import Text


class Statements(Text):
    """The statements of a program, what ``bind`` prepares for them, and which values get planned memory.

    ``leaves`` are records of Tensors from outside with their names; ``bound`` those of them whose arrays stay between
    runs.  ``outputs`` are the results, each with a mark: results with the same mark share memory.  ``writes`` are the
    leaves whose memory is changed, each with the value that it gets and the id of that memory.  ``numbers`` are the
    names of numbers that each run takes, ``boundary`` values that another plan computes.
    """

    def __init__(
        self,
        program: TracedProgram,
        leaves: Sequence[tuple[str, Node]],
        bound: set[Node],
        outputs: Sequence[tuple[Value, Any]],
        writes: Sequence[tuple[Node, Value, int]] = (),
        numbers: Sequence[str] = (),
        boundary: Sequence[Value] = (),
        effects: Sequence[Node] = (),
    ) -> None:
        self._begin(program, leaves, {})
        self.traced, self.bound, self.outputs, self.numbers = program, bound, list(outputs), list(numbers)
        self.boundary = dict.fromkeys(boundary)
        self.statements: list[Statement] = []
        # Lines of ``bind``, and those of ``run`` that fill in the numbers.
        self.setup: list[Line] = []
        self.refilled: list[Line] = []
        self.slots: dict[Value, Slot] = {}
        # Values whose array is the same in every run; values that get a new array in every run.
        self.static: set[Value] = set()
        self.fresh: set[Value] = set()
        # Arrays that lie in memory as those of values will.
        self.models: dict[Value, Any] = {}
        # What the text needs beside NumPy: constants, generators, kernels.
        self.data: dict[str, Any] = {}
        # Of arrays that stay beside the planned memory.
        self.lasting_bytes = 0
        # By the value it is for: what is computed before it, for it alone.
        self.part_of: dict[Value, Value] = {}
        self._names_of_lasting: dict[Any, str] = {}
        self._kernels: dict[Value, str] = {}
        self._inputs_of: dict[Value, list[Value]] = {}
        for name in ("np", "bind", "run", "memory", "writes", *self.numbers):
            self.names.reserve(name)
        ends = (
            [v for v, _ in self.outputs] + [v for _, v, _ in writes] + [program.value_of[n] for n in effects]
        )
        share_numbers(self.outputs)
        self.live = self._needed(ends)
        self.arguments = self._name_arguments(leaves, {node for node, _, _ in writes})
        self.writes = [(program.value_of[node], v, home) for node, v, home in writes]
        self.users: dict[Value, list[Value | None]] = {v: [] for v in self.live}
        for v in self.live:
            for w in self.inputs(v):
                self.users[w].append(v)
        self._preferred = self._name_forward()
        self._preferred |= {v: v.hint for v in self.live if v.hint and v not in self._preferred}
        self.kept = {v for v, _ in self.outputs}
        for v, _ in self.outputs:
            while is_view(v):
                v = v.inputs[0]
                self.kept.add(v)
        with np.errstate(all="ignore"):  # numbers beyond their dtype
            self._lower_all()

    # ------------------------------------------------------------ what there is

    def _needed(self, ends: Sequence[Value]) -> list[Value]:
        needed = set(ends)
        pending = list(needed)
        for v in pending:  # the loop appends to it
            more = [w for w in self.inputs(v) if w not in needed]
            needed.update(more)
            pending += more
        return [v for v in self.program.values if v in needed]

    def inputs(self, v: Value) -> list[Value]:
        inputs = self._inputs_of.get(v)
        if inputs is None:
            reads = v.fill is None and v not in self.boundary
            inputs = self._inputs_of[v] = [w for w in v.inputs if w.__class__ is Value] if reads else []
        return inputs

    def _name_arguments(
        self, leaves: Sequence[tuple[str, Node]], written: set[Node]
    ) -> list[tuple[Node | None, Value]]:
        """The leaves that are read or written, in their order, each with its value, which gets its name."""
        live, value_of = set(self.live), self.program.value_of
        arguments: list[tuple[Node | None, Value]] = []
        for name, node in leaves:
            v = value_of.get(node)
            if v is None and node in written:
                v = value_of[node] = Value("parameter", (), {}, node.shape, node.dtype, node)
            if v is not None and (v in live or node in written):
                arguments.append((node, v))
                if v not in self.name_of:
                    self.name_of[v] = self.names.take(name)
        for v in self.boundary:
            if v not in self.name_of:
                self.name_of[v] = self.names.take(v.hint or f"{v.op}_{len(self.name_of)}")
                arguments.append((None, v))
        return arguments

    def owner(self, v: Value) -> Value:
        """The value whose memory this one shows; a view that NumPy copies has memory of its own."""
        while is_view(v) and v not in self.slots and v not in self.fresh and v not in self.boundary:
            v = v.inputs[0]
        return v

    # ------------------------------------------------------------ value by value

    def _lower_all(self) -> None:
        for v in self.live:
            if self._is_leaf(v):
                self._model_leaf(v)
        forward = True
        for v in self.live:
            if forward and not v.forward:
                self._gradient_names()  # forward values have their names now
            forward = v.forward
            if self._is_leaf(v) or (v.fill is not None and not self._stored(v)):
                continue
            if v.fill is not None:
                self._add(
                    v,
                    [Line("np.full", (repr(v.shape), *_texts(literal(v.fill), literal(v.dtype))), how="=")],
                    [],
                )
                self.fresh.add(v)
            elif v.is_constant:
                name = self._take_name(v, "constant")
                self.static.add(v)
                self.data[f"data_{len(self.data)}"] = v.data
                self.setup.append(named(name, f"data_{len(self.data) - 1}"))
            else:
                self._lower(v)

    def _stored(self, v: Value) -> bool:
        """Whether a value all of whose elements are one number is an array: results share its memory."""
        shown = [w for w, _ in self.outputs if memory(w) is v]
        return v in self.kept and (len(shown) > 1 or any(w is not v for w in shown))

    def _is_leaf(self, v: Value) -> bool:
        return v.is_parameter or v in self.boundary

    def _model_leaf(self, v: Value) -> None:
        if v.is_parameter and any(node in self.bound for node in v.nodes):
            self.static.add(v)
        tensor = v.nodes[0].tensor if v.is_parameter and v.nodes else None
        t = tensor() if tensor is not None else None
        if t is not None and not t._array.flags.c_contiguous and t._array.shape == v.shape:
            self.models[v] = _lying_as(t._array)  # guards ask for the same strides in each run

    def model(self, v: Value) -> Any:
        """An array of the layout that a value will have."""
        if v not in self.models:
            self.models[v] = np.empty(v.shape, v.dtype)
        return self.models[v]

    def _lower(self, v: Value) -> None:
        op = v.record
        name = getattr(op.unchecked, "__name__", "")
        broadcasts = (op.elementwise and getattr(np, name, None) is op.unchecked) or is_view(v)
        xs = [self._operand(w) if broadcasts else self._whole_operand(w) for w in v.inputs]
        reads = [w for w in map(self.owner, self.inputs(v)) if w.fill is None or w in self.name_of]
        if is_view(v):
            self._view(v, xs, reads)
        else:
            self._compute(v, xs, reads)

    def _operand(self, w: Any) -> Expr:
        if w.__class__ is Const and type(w.value) is Scalar:
            return parsed(w.value.text)
        return super()._operand(w)

    def _whole_operand(self, w: Any) -> Expr:
        """`_operand`, but a full array for one number that repeats, where eager mode has a full array.

        A matrix product rounds in another way where NumPy cannot hand its operands to BLAS.
        """
        base, steps = w, []
        while base.__class__ is Value and base not in self.name_of and base.fill is not None and base.inputs:
            if base.record is None or not base.record.view or base.record.repeats:
                break
            steps.append(base)
            base = base.inputs[0]
        op = base.record if base.__class__ is Value else None
        one = base.__class__ is Value and base.fill is not None and w.shape and base not in self.name_of
        if w in self.name_of or not one or (op is not None and op.repeats):
            return self._operand(w)
        expr = fill(
            "np.full({shape}, {one}, np.dtype({d}))",
            [],
            shape=base.shape,
            one=literal(base.fill),
            d=base.dtype.name,
        )
        for v in reversed(steps):
            expr = self._printed(v, [expr])
        text = as_text(expr)
        return ast.Name(self._lasting(text, "full", lambda name: self.setup.append(named(name, text))))

    # ------------------------------------------------------------ views

    def _view(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        """Adds a view: to ``bind`` where its memory stays, else to ``run``; a copy where NumPy makes one."""
        source, op = v.inputs[0], v.record
        # Without dimensions an expression for reading may be a number, which is no view.
        expr = self._printed(v, xs, written=not v.shape or v in self.kept)
        plain = source.fill is None or source in self.name_of
        model = self.model(source) if plain else np.broadcast_to(np.empty((), source.dtype), source.shape)
        shown = np.asarray(op.unchecked(model, **v.params))
        if plain and shown.size and not np.may_share_memory(shown, model):
            self._copy(v, xs, reads)
            return
        self.models[v] = shown
        repeated = op.check is not None or op.draws
        if source in self.static and not repeated:
            self.static.add(v)
            self.setup.append(named(self._take_name(v, v.op), as_text(expr)))
            return
        alone = len(self.users[v]) == 1 and v not in self._preferred and v not in self.kept
        if alone and op.inline and not repeated:
            self.expr_of[v] = expr
            return
        self._add(v, [named(OUT, as_text(expr))], reads, xs, "view")

    def _copy(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        """Adds the result of an operation that may be a view where it is a copy."""
        self._take_name(v, v.op)
        text = as_text(self._printed(v, xs))
        if self._may_have_slot(v):
            self._give_slot(v)
            form = self._into(v, xs) or Lines([Line("np.copyto", (text,), how="first")])
            self.setup += self._with_names(v, form.setup)
            self._add(v, form.lines, reads, xs)
            return
        self.fresh.add(v)
        self._add(v, [Line("np.array", (text,), how="=") if v in self.kept else named(OUT, text)], reads, xs)

    def copied(self, text: str) -> str:
        """A copy, which lies in memory as the array does."""
        return f"np.array({text}, order='K')"

    # ------------------------------------------------------------ calls

    def _compute(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        form = self._into(v, xs)
        if form is not None and self._may_have_slot(v):
            self._take_name(v, v.op)
            self._give_slot(v)
            if form.part is not None:
                part = self._add_part(v, form.part)
                others = [w for i, w in enumerate(v.inputs) if i != form.part.reads and w.__class__ is Value]
                reads = [*(self.owner(w) for w in others if w.fill is None), part]
            self._add(v, form.lines, reads, xs)
            self.setup += self._with_names(v, form.setup)
            return
        lines = self._returning(v, form) or [named(OUT, self._text_of(v, xs))]
        if not v.shape and self._stored(v):  # a number of NumPy has no views
            lines = [Line("np.asarray", (self._text_of(v, xs),), how="=")]
        self.fresh.add(v)
        self._add(v, lines, reads, xs)

    def _add(
        self, v: Value, lines: Sequence[Line], reads: list[Value], xs: Sequence[Expr] = (), kind: str = "call"
    ) -> None:
        """Adds the statement of a value, after the check of its operands."""
        if v not in self.name_of:
            self._take_name(v, v.op)
        op = v.record
        if op is not None and op.check is not None:
            check = as_text(self._called(op.check, f"{op.name}_check", xs, v.params))
            lines = [Line(check, (), "", ""), *lines]
        self.statements.append(Statement(v, kind, self._with_names(v, lines), reads))

    def _with_names(self, v: Value, lines: Sequence[Line]) -> list[Line]:
        """Lines with the names of the value and of its part."""
        names = {OUT: self.name_of[v]}
        if v in self.part_of:
            names[PART] = self.name_of[self.part_of[v]]

        def put(text: str) -> str:
            for mark, name in names.items():
                text = text.replace(mark, name)
            return text

        return [Line(put(x.function), tuple(map(put, x.arguments)), put(x.out), x.how) for x in lines]

    def _add_part(self, v: Value, part: Part) -> Value:
        """Adds the statement of a value's part, which has a slot of its own."""
        w = v.inputs[part.reads]
        between = self.part_of[v] = Value(part.stem, [w], NO_PARAMS, v.shape, part.dtype, None)
        between.forward, between.of, between.origin = v.forward, v.of, v.origin
        self.name_of[between] = self.names.take(f"{self.name_of[v]}_{part.stem}")
        self._give_slot(between)
        reads = [] if w.__class__ is not Value or w.fill is not None else [self.owner(w)]
        self.statements.append(Statement(between, "call", self._with_names(v, part.lines), reads))
        return between

    def _take_name(self, v: Value, kind: str) -> str:
        preferred = self._preferred.get(v)
        name = self.names.take(preferred) if preferred else self.names.take(kind, number=True)
        self.name_of[v] = name
        return name

    def _plain(self, v: Value) -> bool:
        """Whether eager mode's array lies row by row, as planned memory does."""
        return self.traced.noncontiguous.isdisjoint(v.nodes)

    def _may_have_slot(self, v: Value) -> bool:
        return v not in self.kept and bool(v.shape) and self._plain(v)

    def _give_slot(self, v: Value) -> None:
        self.slots[v] = Slot(v)
        self.static.add(v)

    def _into(self, v: Value, xs: list[Expr]) -> Lines | None:
        """The lines that write the value into its slot; None if none can."""
        op = v.record
        if op.into is not None:
            form: Lines | None = op.into(ValueTarget(self, v, [as_text(x) for x in xs]))
            return form
        filled = any(w.__class__ is Value and w.fill is not None and w not in self.name_of for w in v.inputs)
        if not by_ufunc(op) or v.params or filled:
            return None
        name = op.unchecked.__name__
        if getattr(np, name, None) is not op.unchecked or not self._fits(v, op.unchecked):
            return None
        return Lines([Line(f"np.{name}", self._arguments(v, xs))])

    def _returning(self, v: Value, form: Lines | None) -> list[Line]:
        """The lines of `_into` for a value without a slot: the first call makes its array."""
        if form is None or form.setup or form.part is not None or not v.shape or not self._plain(v):
            return []
        first, *rest = form.lines
        if first.function == "np.copyto" and first.out == OUT:
            return [Line("np.array", (*first.arguments, "order='C'"), OUT, "="), *rest]
        if first.how != "out" or first.out != OUT or (v.record.rows and any(map(may_turn, v.inputs))):
            return []
        arguments = (*first.arguments, "order='C'") if self._turned(v) else first.arguments
        return [Line(first.function, arguments, OUT, "="), *rest]

    def _text_of(self, v: Value, xs: list[Expr]) -> str:
        """A value as an expression; it copies a result that shares memory with an operand."""
        op = v.record
        expr = self._printed(v, xs)
        # NumPy lays the result in another order where an operand repeats, or is a number for a full array.
        if (op.moves or self._turned(v)) and self._plain(v) and len(v.shape) > 1:
            expr = fill("np.ascontiguousarray({})", [expr])
        if not op.new:
            arrays = [ast.Name(self._data(p, k)) for k, p in v.params.items() if isinstance(p, np.ndarray)]
            others = [x for w, x in zip(v.inputs, xs, strict=True) if w.__class__ is Value]
            expr = self.helpers.call(owned, [expr, *others, *arrays])
        return as_text(expr)

    def _turned(self, v: Value) -> bool:
        """Whether NumPy may lay a result by columns: a number may stand for eager mode's full array."""
        arrays = [self.model(w) for w in v.inputs if w.__class__ is Value]
        return v.record.elementwise and not all(a.flags.c_contiguous for a in arrays)

    def _printed(self, v: Value, xs: Sequence[Expr], written: bool = False) -> Expr:
        """A value as its operation prints, or as a call of the kernel; with ``written``, a view to write into."""
        op = v.record
        if not op.draws and all(map(is_literal, v.params.values())):
            before = {name: dict(known) for name, known in vars(self.helpers).items()}
            try:
                return expression(v, list(xs), self.helpers, written)
            except NotImplementedError:  # a kernel that cannot stand in a program
                vars(self.helpers).update(before)
        call: Any = self._called(op.unchecked, f"{op.name}_kernel", xs, v.params)
        self._kernels[v] = call.func.id
        return call  # type: ignore[no-any-return]

    def opaque(self) -> list[tuple[str, Value]]:
        """The values that kernels without a source compute, in order, with the names of these."""
        return [(self._kernels[s.value], s.value) for s in self.statements if s.value in self._kernels]

    def _called(self, function: Any, stem: str, xs: Sequence[Expr], params: Params) -> Any:
        """A call of a function that the text has no source of; parameters without a literal are passed as data."""
        keywords = []
        for k, p in params.items():
            plain = p is None or type(p) in (bool, int, float, str)
            keywords.append(ast.keyword(k, literal(p) if plain else ast.Name(self._data(p, k))))
        return ast.Call(ast.Name(self._data(function, stem, False)), list(xs), keywords)

    # ------------------------------------------------------------ numbers and arrays that stay

    def _data(self, value: Any, stem: str, number: bool = True) -> str:
        """The name of an object that the text is given."""
        return self._lasting(("data", id(value)), stem, lambda name: self.data.update({name: value}), number)

    def _lasting(self, key: Any, stem: str, define: Callable[[str], None], number: bool = True) -> str:
        """The name of what stays between runs, defined by the first call for it."""
        name = self._names_of_lasting.get(key)
        if name is None:
            name = self._names_of_lasting[key] = self.names.take(stem, number=number)
            define(name)
        return name

    def filled(self, stem: str, text: str, size: int) -> str:
        """The name of an array that stays, made by ``text``, of ``size`` bytes."""

        def define(name: str) -> None:
            self.setup.append(named(name, text))
            self.lasting_bytes += size

        return self._lasting(text, stem, define)

    def number(self, value: Any, dtype: Any) -> str:
        """The name of a number as an array without dimensions: a ufunc takes it in half the time of a number."""
        text = value.text if type(value) is Scalar else repr(value)
        return self._lasting(
            (text, dtype.str), "number", lambda name: self._define_number(name, value, dtype)
        )

    def _define_number(self, name: str, value: Any, dtype: Any) -> None:
        if type(value) is Scalar:
            self.setup.append(named(name, f"np.empty((), np.{dtype.name})"))
            text = value.text.strip("()") if value.text.count("(") == 1 else value.text
            self.refilled.append(named(f"{name}[()]", text))
        else:
            self.setup.append(
                Line("np.array", (as_text(literal(dtype.type(value))), f"np.{dtype.name}"), name, "=")
            )

    def _arguments(self, v: Value, xs: list[Expr]) -> list[str]:
        """The operands of a ufunc as text; numbers are arrays without dimensions where that changes no dtype."""
        texts = []
        others = [w for w in v.inputs if w.__class__ is Value]
        for w, x in zip(v.inputs, xs, strict=True):
            kind = number_kind(w.value, others) if w.__class__ is Const else None
            texts.append(as_text(x) if kind is None else self.number(_plain_number(w.value), kind))
        return texts

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

    def turned(self, w: Value, text: str) -> str:
        """The transpose of an operand; ``bind`` makes it where the operand stays."""
        if w not in self.static or w not in self.name_of:
            return f"{text}.T"
        return self._lasting(
            ("T", w), f"{text}_T", lambda name: self.setup.append(named(name, f"{text}.T")), False
        )

"""From values to statements: for each value the calls of NumPy that compute it, as data."""

from __future__ import annotations

import ast
import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compiler.scalars import Scalar
from minigrad.compiler.values import TracedProgram, as_text, full, is_literal, is_view, owned, share_numbers
from minigrad.core.node import Const, Node
from minigrad.core.op import NO_PARAMS, Op, Params, is_ufunc
from minigrad.core.plans import OUT, PART, Line, Lines, Operand, Part, Target, named
from minigrad.core.quiet import QUIET
from minigrad.core.text import Plain
from minigrad.kernels.order import inverse
from minigrad.kernels.sharing import BLOCK, alone
from minigrad.readers.source.expressions import (
    Expr,
    _array_of,
    expression,
    is_dense,
    literal,
    may_turn,
    parsed,
    type_text,
)
from minigrad.readers.source.program import Value, memory, numpy_name
from minigrad.readers.source.text import Text, _place


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

    def level(self, i: int) -> str:
        return str(self._plan.level(self._value, self._value.inputs[i], self.operands[i].text))

    def helper(self, function: Callable[..., Any]) -> str:
        return as_text(self._plan.helpers.call(function, [])).removesuffix("()")

    def apart(self, i: int, k: int) -> bool:
        inputs = self._value.inputs
        return memory(inputs[i]) is not memory(inputs[k])

    def own(self) -> bool:
        return bool(self._plan.may_be_planned(self._value))


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
        self.outputs, self.numbers, self._scattered = list(outputs), list(numbers), program.noncontiguous
        self.boundary = dict.fromkeys(boundary)
        self.statements: list[Statement] = []
        # Lines of ``bind``; and, by their names, the numbers that ``run`` fills in.
        self.setup: list[Line] = []
        self.refilled: dict[str, str] = {}
        # Values that ``bind`` takes, and those that ``run`` takes before the numbers.
        self.stays: list[Value] = []
        self.takes: list[Value] = []
        # Values with planned memory; whose array is the same in every run; that get a new array in every run.
        self.planned: dict[Value, None] = {}
        self.static: set[Value] = set()
        self.fresh: set[Value] = set()
        # What the text needs beside NumPy: constants, generators, kernels.
        self.data: dict[str, Any] = {}
        # Of arrays that stay beside the planned memory.
        self.lasting_bytes = 0
        # By the value it is for: what is computed before it, for it alone.
        self.part_of: dict[Value, Value] = {}
        # Arrays that lie in memory as those of values will.
        self._models: dict[Value, Any] = {}
        self._lasting: dict[Any, str] = {}
        self._kernels: dict[Value, str] = {}
        self._unshared: dict[Op, Any] = {}
        self._inputs_of: dict[Value, list[Value]] = {}
        for name in ("np", "bind", "run", "memory", "writes", *self.numbers):
            self.names.reserve(name)
        share_numbers(self.outputs)
        for node, _, _ in writes:  # of a Tensor that is written, and never read
            program.place(node)
        self.writes = [(program.value_of[node], v, home) for node, v, home in writes]
        needed = {v for v, _ in self.outputs} | {program.value_of[node] for node in effects}
        needed |= {v for target, new, _ in self.writes for v in (target, new)}
        for v in reversed(program.values):
            if v in needed:
                needed.update(self.inputs(v))
        self.live = [v for v in program.values if v in needed]
        for name, node in leaves:
            program.place(node)  # another record of the Tensor may be what is read
            if (v := program.value_of[node]) in needed:
                self.name_of[v] = self.names.take(name)
                (self.stays if node in bound else self.takes).append(v)
        self.static.update(self.stays)
        for v in self.boundary:
            self.name_of[v] = self.names.take(v.hint or f"{v.op}_{len(self.name_of)}")
            self.takes.append(v)
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
        for forward, values in itertools.groupby(self.live, key=lambda v: v.forward):
            if not forward:
                self._gradient_names()  # forward values have their names now
            for v in values:
                QUIET.run(self._lower, v)  # numbers may be beyond their dtype

    # ------------------------------------------------------------ what there is

    def inputs(self, v: Value) -> list[Value]:
        """The values that a value is computed of here."""
        inputs = self._inputs_of.get(v)
        if inputs is None:
            reads = v.fill is None and v not in self.boundary
            inputs = self._inputs_of[v] = [w for w in v.inputs if w.__class__ is Value] if reads else []
        return inputs

    def is_number(self, v: Any) -> bool:
        """Whether one number stands for all elements of a value."""
        return v.__class__ is Value and v.fill is not None and v not in self.name_of

    def owner(self, v: Value) -> Value:
        """The value whose memory this one shows; a view that NumPy copies has memory of its own."""
        while is_view(v) and v not in self.planned and v not in self.fresh and v not in self.boundary:
            v = v.inputs[0]
        return v

    def stored(self, v: Value) -> bool:
        """Whether several results, or a view among them, share the memory of a value."""
        return [w for w, _ in self.outputs if memory(w) is v] not in ([], [v])

    def model(self, v: Value) -> Any:
        """An array of the layout that a value will have: a leaf's own, since guards ask for its strides in each run."""
        model = self._models.get(v)
        if model is None:
            model = _array_of(v) if v.record is None else None
            if self.is_number(v):
                model = np.broadcast_to(np.empty((), v.dtype), v.shape)
            elif model is None or model.shape != v.shape:
                model = np.empty(v.shape, v.dtype)
            self._models[v] = model
        return model

    def axes(self, v: Value) -> tuple[int, ...] | None:
        """The dimensions of eager mode's array by their steps, unless it lies row by row, as planned memory does."""
        return next((self._scattered[n] for n in v.nodes if n in self._scattered), None)

    def may_be_planned(self, v: Value) -> bool:
        """Whether a value may have planned memory: a number only if a view repeats it, which then stays."""
        repeated = any(u is not None and is_view(u) and u.record.repeats for u in self.users[v])
        return v not in self.kept and (bool(v.shape) or repeated) and self.axes(v) is None

    def name(self, v: Value) -> str:
        """The name of a value, which it gets when it is first asked for."""
        if v not in self.name_of:
            preferred = self._preferred.get(v)
            self.name_of[v] = self.names.take(preferred or v.op, number=not preferred)
        return self.name_of[v]

    # ------------------------------------------------------------ value by value

    def _lower(self, v: Value) -> None:
        """Adds what computes a value."""
        if v.is_parameter or v in self.boundary:
            return
        if v.fill is not None:
            if self.stored(v):
                self.fresh.add(v)
                self._add(v, [named(OUT, as_text(full(v, self.axes(v))))])
        elif v.is_constant:
            self.static.add(v)
            self.data[self.name(v)] = v.data
        else:
            op = v.record
            broadcasts = (op.elementwise and numpy_name(op.unchecked)) or is_view(v)
            xs = [self._operand(w) if broadcasts else self._whole_operand(w) for w in v.inputs]
            (self._view if is_view(v) else self._compute)(v, xs)

    def _operand(self, w: Any) -> Expr:
        if w.__class__ is Const and isinstance(w.value, Scalar):
            return parsed(w.value.text)
        return super()._operand(w)

    def _whole_operand(self, w: Any) -> Expr:
        """`_operand`, but a full array for one number that repeats, where eager mode has a full array.

        A matrix product rounds in another way where NumPy cannot hand its operands to BLAS.
        """
        base, views = w, []
        while self.is_number(base) and base.is_view and not base.record.repeats:
            views.append(base)
            base = base.inputs[0]
        if not self.is_number(base) or base.is_view:
            return self._operand(w)
        whole = full(base, None)
        for v in reversed(views):
            whole = self._printed(v, [whole])
        return ast.Name(self.lasting("full", as_text(whole)))

    def _view(self, v: Value, xs: list[Expr]) -> None:
        """Adds a view: to ``bind`` where its memory stays, else to ``run``."""
        source, op = v.inputs[0], v.record
        model = self.model(source)
        shown = np.asarray(op.unchecked(model, **v.params))
        if shown.size and not np.may_share_memory(shown, model):
            self._compute(v, xs)  # NumPy makes a copy
            return
        self._models[v] = shown
        # Without dimensions an expression for reading may be a number, which is not a view.
        text = as_text(expr := self._printed(v, xs, written=not v.shape or v in self.kept))
        once = len(self.users[v]) == 1 and v not in self._preferred and v not in self.kept
        if source in self.static and op.check is None:
            self.static.add(v)
            self.setup.append(named(self.name(v), text))
        elif once and op.inline and op.check is None:
            self.expr_of[v] = expr
        else:
            self._add(v, [named(OUT, text)], xs)

    def _compute(self, v: Value, xs: list[Expr]) -> None:
        """Adds what computes an array: into planned memory, or a new one."""
        form = self._into(v, xs)
        if form is not None and self.may_be_planned(v):
            self._plan(v)
            if form.part is not None:
                self._add_part(v, form.part)
            self._add(v, form.lines, xs)
            self.setup += self._with_names(v, form.setup)
            return
        self.fresh.add(v)
        lines = self._returning(v, form)
        if not lines:
            text = self._text_of(v, xs)
            # A number of NumPy has no views.
            lines = [named(OUT, text if v.shape or not self.stored(v) else f"np.asarray({text})")]
        self._add(v, lines, xs)

    def _plan(self, v: Value) -> None:
        self.planned[v] = None
        self.static.add(v)

    def _add(self, v: Value, lines: Sequence[Line], xs: Sequence[Expr] = ()) -> None:
        """Adds the statement of a value, after the check of its operands."""
        op = v.record
        if op is not None and op.check is not None:
            check = as_text(self._called(op.check, f"{op.name}_check", xs, v.params))
            lines = [Line(check, (), "", ""), *lines]
        reads = [self.owner(w) for w in self.inputs(v) if not self.is_number(w)]
        self.statements.append(Statement(v, self._with_names(v, lines), reads))

    def _with_names(self, v: Value, lines: Sequence[Line]) -> list[Line]:
        """Lines with the names of the value and of its part."""
        name, part = self.name(v), self.name(self.part_of[v]) if v in self.part_of else ""

        def put(text: str) -> str:
            return text.replace(OUT, name).replace(PART, part)

        return [Line(put(x.function), tuple(map(put, x.arguments)), put(x.out), x.how) for x in lines]

    def _add_part(self, v: Value, part: Part) -> None:
        """Adds the statement of a value's part, which stands for the operand that it reads."""
        between = Value(part.stem, [v.inputs[part.reads]], NO_PARAMS, v.shape, part.dtype, None)
        between.forward, between.of, between.origin = v.forward, v.of, v.origin
        self.name_of[between] = self.names.take(f"{self.name(v)}_{part.stem}")
        self.part_of[v] = between
        others = [w for i, w in enumerate(v.inputs) if i != part.reads and w.__class__ is Value]
        self._inputs_of[v] = [*others, between]
        self._plan(between)
        self._add(between, self._with_names(v, part.lines))

    # ------------------------------------------------------------ calls

    def _into(self, v: Value, xs: list[Expr]) -> Lines | None:
        """The lines that write the value into its memory; None if none can."""
        op = v.record
        if op.into is not None:
            form: Lines | None = op.into(ValueTarget(self, v, [*map(as_text, xs)]))
            if form is not None or not is_view(v):
                return form
        if is_view(v):  # which NumPy copies
            return Lines([Line("np.copyto", (as_text(self._printed(v, xs)),), how="first")])
        name = numpy_name(op.unchecked)
        if not is_ufunc(op.unchecked) or not name or v.params or any(map(self.is_number, v.inputs)):
            return None
        texts, kinds = self._arguments(v, xs)
        try:
            dtype = op.unchecked.resolve_dtypes((*kinds, None))[-1]
        except TypeError:  # eager mode casts the operands
            return None
        return Lines([Line(name, texts)]) if dtype == v.dtype else None

    def _arguments(self, v: Value, xs: Sequence[Expr]) -> tuple[list[str], list[Any]]:
        """The operands of a ufunc as text, and their dtypes; a number is an array where that changes no dtype."""
        dtypes = {w.dtype for w in v.inputs if w.__class__ is Value}
        dtype = dtypes.pop() if len(dtypes) == 1 else None
        texts, kinds = [*map(as_text, xs)], list[Any]()
        for i, w in enumerate(v.inputs):
            x = w if w.__class__ is Value else w.value
            kind = x.dtype if isinstance(x, (Value, np.generic)) else x.__class__
            number = type(x) in (float, int, Scalar) or (isinstance(x, np.floating) and kind == dtype)
            if number and dtype is not None and dtype.kind == "f":
                texts[i], kind = self.number(x, dtype), dtype
            texts[i] = self.level(v, w, texts[i])
            kinds.append(kind)
        return texts, kinds

    def _returning(self, v: Value, form: Lines | None) -> list[Line]:
        """The lines of `_into` for a value without planned memory: the first call makes its array."""
        if form is None or form.setup or form.part is not None or self.axes(v) is not None:
            return []
        first, *rest = form.lines
        # Without dimensions it is a number of NumPy, which has no views, and into which nothing is written.
        if not v.shape and (rest or not v.record.rows or self.stored(v)):
            return []
        if first.function == "np.copyto" and first.out == OUT:
            [x] = first.arguments
            copied = f"{x}.copy()" if x.isidentifier() else f"np.array({x}, order='C')"
            return [named(OUT, copied), *rest]
        if first.how != "out" or first.out != OUT or (v.record.rows and any(map(may_turn, v.inputs))):
            return []
        order = ("order='C'",) if self._turned(v) else ()
        return [Line(first.function, (*first.arguments, *order), OUT, "="), *rest]

    def _text_of(self, v: Value, xs: list[Expr]) -> str:
        """A value as an expression; it copies a result that shares memory with an operand."""
        op, text = v.record, as_text(self._printed(v, xs))
        if is_view(v):  # which NumPy copies, for all that is known
            return f"np.copy({text})" if v in self.kept else text
        # NumPy lays the result in another order where an operand repeats, or is a number for a full array.
        turned, axes = self._turned(v), self.axes(v)
        if axes is None and (op.moves or turned) and len(v.shape) > 1:
            text = f"np.ascontiguousarray({text})"
        elif axes is not None and (
            op.rows or (op.order == "K" and (not turned or any(map(self.is_number, v.inputs))))
        ):
            text = f"np.ascontiguousarray(({text}).transpose({axes})).transpose({inverse(axes)})"
        if op.new:
            return text
        arrays = [ast.Name(self._data(p, k)) for k, p in v.params.items() if isinstance(p, np.ndarray)]
        others = [x for w, x in zip(v.inputs, xs, strict=True) if w.__class__ is Value]
        return as_text(self.helpers.call(owned, [parsed(text), *others, *arrays]))

    def _turned(self, v: Value) -> bool:
        """Whether NumPy may lay a result by columns: a number may stand for eager mode's full array."""
        inputs = [w for w in v.inputs if w.__class__ is Value]
        turned = any(may_turn(w) or not self.model(w).flags.c_contiguous for w in inputs)
        return v.record.elementwise and turned

    def _printed(self, v: Value, xs: Sequence[Expr], written: bool = False) -> Expr:
        """A value as its operation prints, or as a call of the kernel; with ``written``, a view to write into."""
        op = v.record
        if type(op.text) is Plain:
            kernel = op.unchecked
            # Threads of BLAS wait for the next product, which is near, and leave no processor to others.
            if max(map(math.prod, [v.shape, *(w.shape for w in v.inputs)])) > BLOCK:
                kernel = self._unshared.setdefault(op, functools.partial(alone, kernel))
            return self._called(kernel, f"{op.name}_kernel", xs, v.params)
        # A kernel of the user's may read what changes.
        own = op.text is None and op.home.partition(".")[0] != "minigrad"
        if not op.draws and not own and all(map(is_literal, v.params.values())):
            before = {name: dict(known) for name, known in vars(self.helpers).items()}
            try:
                return expression(v, list(xs), self.helpers, written)
            except NotImplementedError:  # a kernel that cannot stand in a program
                vars(self.helpers).update(before)
        call: Any = self._called(op.unchecked, f"{op.name}_kernel", xs, v.params)
        self._kernels[v] = call.func.id
        return call

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
        name = self._lasting.get(id(value))
        if name is None:
            name = self._lasting[id(value)] = self.names.take(stem, number=number)
            self.data[name] = value
        return name

    def lasting(self, stem: str, text: str, size: int = 0, number: bool = True, of: Any = None) -> str:
        """The name of what ``bind`` makes by ``text``, of ``size`` bytes: one for each text and ``of``."""
        name = self._lasting.get((text, of))
        if name is None:
            name = self._lasting[text, of] = self.names.take(stem, number=number)
            self.setup.append(named(name, text))
            self.lasting_bytes += size
        return name

    def number(self, value: Any, dtype: Any) -> str:
        """The name of a number as an array without dimensions: a ufunc takes it in half the time of a number."""
        if type(value) is not Scalar:
            return self.lasting(
                "number", f"np.array({as_text(literal(dtype.type(value)))}, {type_text(dtype)})"
            )
        name = self.lasting("number", f"np.empty((), {type_text(dtype)})", of=value.text)
        self.refilled[name] = value.text
        return name

    def turned(self, w: Value, text: str) -> str:
        """The transpose of an operand; ``bind`` makes it where the operand stays."""
        if w not in self.static or w not in self.name_of:
            return f"{text}.T"
        return self.lasting(f"{text}_T", f"{text}.T", number=False)

    def level(self, v: Value, w: Any, text: str) -> str:
        """An operand that ``bind`` gives the shape of ``v``: a ufunc takes twice as long to broadcast few elements."""
        if w not in self.static or self.name_of.get(w) != text or w.shape == v.shape:
            return text
        if (size := math.prod(w.shape)) == math.prod(v.shape):
            return self.lasting(f"{text}_row", f"{text}.reshape({v.shape})", number=False)
        if size == 1 and any(x.shape == v.shape for x in v.inputs if x.__class__ is Value):
            return self.lasting(f"{text}_scalar", f"{text}.reshape(())", number=False)
        return text

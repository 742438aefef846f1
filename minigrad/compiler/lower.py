"""A plan: the values that are computed, which of them are views, the writes at the end, and the text of it all."""

from __future__ import annotations

import ast
import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.compiler.calls import Group, as_text, by_ufunc, is_view, named
from minigrad.compiler.layout import Layout, lay_out
from minigrad.compiler.traced import TracedProgram
from minigrad.core.node import Node
from minigrad.core.plans import OUT, Lines
from minigrad.readers.source.expressions import Expr, fill, literal
from minigrad.readers.source.program import Value
from minigrad.readers.source.text import _wrapped, docstring

# Marks, before the id of that memory, a result that shows memory from outside.
OUTSIDE = "outside"


def is_outside(memory: Any) -> bool:
    """Whether a result shows memory from outside."""
    return memory.__class__ is tuple and memory[0] == OUTSIDE


class Plan(Layout):
    """A program as text: ``bind`` takes the arrays that stay, such as those of parameters, and returns ``run``.

    Elementwise operations, products and sums write into slots of planned memory.  What the caller keeps, and the
    results of operations that can only return, are new arrays.  Writes to memory from outside come last.
    """

    def __init__(
        self,
        program: TracedProgram,
        leaves: Sequence[tuple[str, Node]],
        bound: set[Node],
        outputs: Sequence[Value],
        writes: Sequence[tuple[Node, Value]],
        numbers: Sequence[tuple[str, str]],
        title: str,
        boundary: Sequence[Value] = (),
        draws: bool = True,
        memories: Sequence[Any] | None = None,
        homes: Sequence[int] = (),
        lent: bool = False,
    ) -> None:
        self._begin(program, leaves, {})
        self.traced = program
        self.title, self.noncontiguous = title, program.trace.noncontiguous
        self.outputs, self.writes, self.numbers = list(outputs), list(writes), list(numbers)
        # The leaves whose arrays stay; whether ``bind`` takes the memory of the slots as an argument.
        self.bound, self.lent = bound, lent
        self.memories = list(range(len(self.outputs))) if memories is None else list(memories)
        # For each write the id of the memory that it changes.
        self.homes = homes
        # A dict keeps the order, so that names and parameters are the same each time.
        self.boundary = dict.fromkeys(boundary)
        self._inputs_of: dict[Value, list[Value]] = {}
        for name in ("np", "bind", "run", "memory"):
            self.names.reserve(name)
        for _, text in self.numbers:
            self.names.reserve(text)
        ends = [*self.outputs, *(v for _, v in self.writes)]
        if draws:
            # All draws, since each advances the generator, and all checks, since each may raise.
            ends += [program.value_of[n] for n in (*program.trace.draws, *program.trace.checks)]
        self.live = self._needed(ends)
        self.arguments: list[tuple[Node | None, Value]] = self._plan_parameters(leaves)
        self._lock = threading.Lock()
        self._built = self._closed = False
        # The plans that have values in common.
        self.sharing: list[Plan] = [self]
        self._start()

    # ------------------------------------------------------------ what there is

    def _needed(self, ends: Sequence[Value]) -> list[Value]:
        needed = set(ends)
        pending = list(needed)
        for v in pending:  # the loop appends to it
            more = [w for w in self._inputs(v) if w not in needed]
            if more:
                needed.update(more)
                pending += more
        return [v for v in self.program.values if v in needed]

    def _plan_parameters(self, leaves: Sequence[tuple[str, Node]]) -> list[tuple[Node | None, Value]]:
        """The leaves that are read or written, in their order, each with its value, which gets its name."""
        live = set(self.live)
        written = {node for node, _ in self.writes}
        parameters: list[tuple[Node | None, Value]] = []
        for name, node in leaves:
            v = self.program.value_of.get(node)
            if v is None:
                if node not in written:
                    continue
                v = self.program.value_of[node] = Value("parameter", (), {}, node.shape, node.dtype, node)
            if v in live or node in written:
                parameters.append((node, v))
                if v not in self.name_of:
                    self.name_of[v] = self.names.take(name)
        for v in self.boundary:
            if v not in self.name_of:
                self.name_of[v] = self.names.take(v.hint or f"{v.op}_{len(self.name_of)}")
                parameters.append((None, v))
        return parameters

    # ------------------------------------------------------------ statements

    def build(self) -> None:
        """Lays the plan out, once: reading its statements or its text is what calls this.

        So a recording that is never replayed does not pay for it.
        """
        with self._lock:
            if not self._built:
                names, named = self.names.copy(), dict(self.name_of)
                try:
                    with np.errstate(all="ignore"):  # numbers beyond their dtype
                        self._build()
                except BaseException:  # also an interrupt: the next call starts from the beginning
                    self._start()
                    self.names, self.name_of = names, named
                    raise
                self._built = True
                if self._closed:
                    self._drop()

    def _build(self) -> None:
        self.users: dict[Value, list[Value | None]] = {v: [] for v in self.live}
        for v in self.live:
            for w in self._inputs(v):
                self.users[w].append(v)
        self._preferred = self._name_forward()
        self._preferred |= {v: v.hint for v in self.live if v.hint and v not in self._preferred}
        written = {self.program.value_of[node]: node for node, _ in self.writes}
        for v in self.live:
            self._model_leaf(v)
        keep = {id(v) for v in self.outputs}
        self._kept = {v for v in self.live if id(v) in keep}
        for v in self.outputs:
            while is_view(v):
                v = v.inputs[0]
                self._kept.add(v)
        forward = True
        for v in self.live:
            if forward and not v.forward:
                self._gradient_names()  # forward values have their names now
            forward = v.forward
            self._lower_value(v)
        self._finish(written)

    def _model_leaf(self, v: Value) -> None:
        if self._is_leaf(v):
            self.models[v] = np.empty(v.shape, v.dtype)
            if v.is_parameter and any(node in self.bound for node in v.nodes):
                self.static.add(v)
                tensor = v.nodes[0].tensor
                t = tensor() if tensor is not None else None
                if t is not None and not t._array.flags.c_contiguous:
                    # Guards ask for the same strides in each run.
                    self.models[v] = _lying_as(t._array)

    def _model(self, v: Value) -> Any:
        """An array of the layout that a value will have."""
        model = self.models.get(v)
        if model is None:
            model = self.models[v] = np.empty(v.shape, v.dtype)
        return model

    def _lower_value(self, v: Value) -> None:
        if self._is_leaf(v) or (v.fill is not None and not v.inputs):
            return
        if v.is_constant:
            self._take_name(v, "constant")
            self.static.add(v)
            self.setup.append(f"{self.name_of[v]} = {self._data(v)}")
            return
        if v.fill is not None:
            return
        op = v.record
        name = getattr(op.unchecked, "__name__", "")
        by_numpy = op.elementwise and getattr(np, name, None) is op.unchecked  # which broadcasts
        view = is_view(v)
        by_element = by_numpy or view
        xs = [self._operand(w) if by_element else self._whole_operand(w) for w in v.inputs]
        reads = [w for w in map(self._owner, self._inputs(v)) if w.fill is None]
        if view:
            self._view(v, xs, reads)
            return
        self._compute(v, xs, reads)

    def _data(self, v: Value) -> str:
        name = f"data_{len(self.data)}"
        self.data[name] = v.data
        return name

    def _whole_operand(self, w: Any) -> Expr:
        """`_operand`, but a full array for one number that repeats, where eager mode has a full array.

        A matrix product rounds in another way where NumPy cannot hand its operands to BLAS.
        """
        if w in self.name_of:
            return self._operand(w)
        base, steps = w, []
        while base.__class__ is Value and base.fill is not None and base.inputs:
            op = base.record
            if op is None or not op.view or op.repeats:
                break
            steps.append(base)
            base = base.inputs[0]
        op = base.record if base.__class__ is Value else None
        if base.__class__ is not Value or base.fill is None or not w.shape or (op is not None and op.repeats):
            return self._operand(w)
        values = {"shape": base.shape, "one": literal(base.fill), "dtype": base.dtype.name}
        expr = fill("np.full({shape}, {one}, np.dtype({dtype}))", [], **values)
        for v in reversed(steps):
            expr = self._printed(v, [expr])
        text = as_text(expr)
        return ast.Name(self._lasting(text, "full", lambda name: self.setup.append(f"{name} = {text}")))

    def _view(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        """Adds a view: to ``bind`` where its memory stays, else to ``run``; a copy where NumPy makes one."""
        source = v.inputs[0]
        # Without dimensions an expression for reading may be a number, which is no view.
        expr = self._printed(v, xs, written=not v.shape)
        model = (
            self._model(source)
            if source.fill is None
            else np.broadcast_to(np.empty((), source.dtype), source.shape)
        )
        shown = _apply_view(v, model)
        shares = source.fill is not None or not shown.size or np.may_share_memory(shown, model)
        if not shares:
            self._copy(v, xs, reads)
            return
        self.models[v] = shown
        text, repeated = as_text(expr), v.record.check is not None or v.record.draws
        if source in self.static and not repeated:
            name = self._take_name(v, v.op)
            self.static.add(v)
            self.setup.append(f"{name} = {text}")
            return
        alone = len(self.users[v]) == 1 and v not in self._preferred and v not in self._kept
        if alone and v.record.inline and not repeated:
            self.expr_of[v] = expr
            return
        self._take_name(v, v.op)
        self._add_statement(v, xs, [f"{OUT} = {text}"], reads, "view")

    def _copy(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        """Adds the result of an operation that may be a view where it is a copy."""
        self._take_name(v, v.op)
        text = as_text(self._printed(v, xs))
        if self._may_have_slot(v):
            self._give_slot(v)
            form = self._into(v, xs) or Lines([f"np.copyto({OUT}, {text})"])
            self.setup += self._named(v, form.setup)
            self._add_statement(v, xs, form.lines, reads)
            return
        self.fresh.add(v)
        self._add_statement(
            v, xs, [f"{OUT} = np.array({text})" if v in self._kept else f"{OUT} = {text}"], reads
        )

    # ------------------------------------------------------------ memory, writes, results

    def _finish(self, written: dict[Value, Node]) -> None:
        self._schedule()
        self._commit(written)
        position = {s.value: i for i, s in enumerate(self.statements)}
        end = len(self.statements)
        for v, slot in self.slots.items():
            slot.first = slot.last = position.get(v, end)
        for i, s in enumerate(self.statements):
            for v in s.reads:
                if v in self.slots:
                    self.slots[v].last = max(self.slots[v].last, i)
        for v in [*self.outputs, *(v for _, v in self.writes)]:
            if self._owner(v) in self.slots:
                self.slots[self._owner(v)].last = end
        self._inherit(position)
        self.groups: list[Group] = []
        self._scale_together()
        self.bytes = lay_out(list(self.slots.values()))

    def _keep_what_is_overwritten(self, written: dict[Value, Node]) -> None:
        """Copies what results and writes read of memory that is written, before the first write."""
        self.early: list[str] = []
        self._early_copy: dict[Value, str] = {}
        returned = [v for v, m in zip(self.outputs, self.memories, strict=True) if not is_outside(m)]
        for v in dict.fromkeys([*returned, *(w for _, w in self.writes)]):
            if v.fill is None and self._owner(v) in written:
                name = self._early_copy[v] = self.names.take("before")
                self.early.append(f"{name} = {self._copied(v)}")

    def _copied(self, v: Value) -> str:
        return f"np.array({as_text(self._output(v))}, order='K')"

    def _commit(self, written: dict[Value, Node]) -> None:
        """Adds the writes to memory from outside, after all other statements."""
        targets = {
            id(self.program.value_of[node]): self.name_of[self.program.value_of[node]]
            for node, _ in self.writes
        }
        self.committed: list[str] = []
        self._keep_what_is_overwritten(written)
        self._target_of = {
            (v, home): targets[id(self.program.value_of[node])]
            for (node, v), home in zip(self.writes, self.homes, strict=True)
        }
        direct: dict[Value, str] = {}
        last_read: dict[Value, int] = {}
        for i, s in enumerate(self.statements):
            for v in s.reads:
                last_read[v] = i
        position = {s.value: i for i, s in enumerate(self.statements)}
        times: dict[Value, int] = {}
        shown: dict[
            Value, set[Value]
        ] = {}  # by the value whose memory they show: the values that are written
        for _, w in self.writes:
            times[w] = times.get(w, 0) + 1
            shown.setdefault(self._owner(w), set()).add(w)
        for node, v in self.writes:
            target = self.program.value_of[node]
            name = targets[id(target)]
            users = self.users.get(v, [])
            statement = self.statements[position[v]] if v in position else None
            others = shown.get(target, set()) - {v}
            if (
                statement is not None
                and v in self.slots
                and not users
                and v not in self._kept
                and times[v] == 1
                and not others
                and last_read.get(target, -1) <= position[v]
                and len(statement.lines) == 1
                and by_ufunc(v.record)
                and all(self._owner(w) is not target or w is target for w in self._inputs(v))
                and v.dtype == target.dtype
            ):
                direct[v] = name
            else:
                source = self._early_copy.get(v) or as_text(self._output(v))
                self.committed.append(f"np.copyto({name}, {source})")
        direct_statements = []
        for s in list(self.statements):
            into = direct.get(s.value)
            if into is not None:
                mine = self.name_of[s.value]
                s.lines = [line.replace(f"out={mine})", f"out={into})") for line in s.lines]
                del self.slots[s.value]
                self.statements.remove(s)
                direct_statements.append(s)
        self.direct = direct_statements
        self.statements += direct_statements

    def let_go(self) -> None:
        """The recording is over: what only it needs is dropped, and the records once the plan is laid out."""
        with self._lock:
            self._closed = True
            self.traced.trace = None
            if self._built:
                self._drop()

    def _drop(self) -> None:
        if all(plan._built for plan in self.sharing):
            for v in (v for plan in self.sharing for v in (*plan.live, *plan.part_of.values())):
                v.origin = v.of = None
                if not v.is_parameter:
                    v.nodes = []
        del self.program, self.traced, self.users, self._inputs_of, self.noncontiguous
        self.writes = []

    def text(self, clock: bool = False) -> str:
        """The text of the module; with ``clock``, run returns the time before and after each line."""
        self.build()
        bound = [(n, v) for n, v in self.arguments if n in self.bound]
        passing = [(n, v) for n, v in self.arguments if n not in self.bound]
        head = [docstring(self.title), "", "import numpy as np", ""]
        for helper in self.helpers.texts.values():
            head += ["", helper, ""]
        for lines in self._globals.values():
            head += ["", *lines, ""]
        body = ["", _wrapped("def bind(", [*(["memory"] * self.lent), *self._once(bound)], "):", "")]
        if self.bytes and not self.lent:
            comment = "  # all results that nobody keeps, in turn"
            body.append(f"    memory = np.empty({self.bytes}, np.uint8){comment}")
        for group in self.groups:
            end = group.offset + group.size
            body.append(f"    {group.name} = memory[{group.offset}:{end}].view({named(group.dtype)})")
        for v, slot in sorted(self.slots.items(), key=lambda item: item[1].offset):
            if slot.inherits is not None:
                # It has the same shape and dtype, and comes earlier in this order.
                body.append(f"    {self.name_of[v]} = {self.name_of[slot.inherits.value]}")
                continue
            size = math.prod(v.shape) * v.dtype.itemsize
            body.append(
                f"    {self.name_of[v]} = memory[{slot.offset}:{slot.offset + size}].view({named(v.dtype)})"
                f".reshape({v.shape!r})"
            )
        body += [f"    {line}" for line in self.setup]
        numbers = [text for _, text in self.numbers]
        body += ["", _wrapped("    def run(", [*self._once(passing), *numbers], "):", "    ")]
        body += [f"        {line}" for line in self._refilled]
        if clock:
            body.append("        times = [clock()]")
            for line in (line for line in self._run_lines() if not line.lstrip().startswith("#")):
                body += [line, "        times.append(clock())"]
            return "\n".join([*head, *body, "        return times", "", "    return run"]) + "\n"
        body += self._run_lines()
        claimed: dict[Value, Any] = {}
        results = [
            as_text(self._result(v, m, claimed)) for v, m in zip(self.outputs, self.memories, strict=True)
        ]
        body += [
            _wrapped("        return (", results, ",)" if len(results) == 1 else ")", "        "),
            "",
            "    return run",
        ]
        return "\n".join([*head, *body]) + "\n"

    def _once(self, parameters: Sequence[tuple[Node | None, Value]]) -> list[str]:
        return list(dict.fromkeys(self.name_of[v] for _, v in parameters))

    def _run_lines(self) -> list[str]:
        lines: list[str] = []
        about = ""
        direct = {id(s) for s in self.direct}
        announced = False
        for s in self.statements:
            if id(s) in direct and not announced:
                announced = True
                lines += self._announced()
            if s.about != about and s.about:
                lines.append(f"        # {s.about}")
            about = s.about
            place = f"  # {s.place}" if s.place and not about else ""
            lines += [f"        {line}{place}" for line in s.lines]
        if not announced and (self.committed or self.early):
            lines += self._announced()
        return lines + [f"        {line}" for line in self.committed]

    def _announced(self) -> list[str]:
        return [
            *(f"        {line}" for line in self.early),
            "        # what changes in place, when nothing can fail any more",
        ]

    def _through_target(self, v: Value, home: int) -> Expr:
        """A value that was written in place, read from its target; or a view of one."""
        if (v, home) in self._target_of:
            return ast.Name(self._target_of[v, home])
        return self._printed(v, [self._through_target(v.inputs[0], home)], written=not v.shape)

    def _result(self, v: Value, memory: Any, claimed: dict[Value, Any]) -> Expr:
        """A result; it shares memory with those results alone with which it does in eager mode."""
        outside = is_outside(memory)
        if v in self._early_copy and not outside:
            return ast.Name(self._early_copy[v])
        expr = self._output(v)
        if v.fill is not None:
            return expr
        if outside and (self._owner(v), memory[1]) in self._target_of:
            return self._through_target(v, memory[1])
        owner = self._owner(v)
        if claimed.setdefault(owner, memory) == memory and (owner in self.fresh or outside):
            return expr
        return fill("np.array({}, order='K')", [expr])


def _lying_as(array: Any) -> Any:
    """An array that lies in memory as another one does."""
    low, high = np.lib.array_utils.byte_bounds(array)
    start = array.__array_interface__["data"][0] - low
    return np.ndarray(array.shape, array.dtype, np.empty(high - low, np.uint8), start, array.strides)


def _apply_view(v: Value, model: Any) -> Any:
    op = v.record
    return np.asarray(op.unchecked(model, **v.params))

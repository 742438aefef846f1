"""A plan: statements with their memory, the writes at the end and the results, printed as a module and compiled."""

from __future__ import annotations

import builtins
import functools
import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.compiler.slots import assign, order
from minigrad.compiler.statement import OUTSIDE, Statement, as_text, by_ufunc, is_view, size_of
from minigrad.compiler.statements import Statements
from minigrad.core.plans import Line
from minigrad.readers.source.expressions import Expr, parsed, whole
from minigrad.readers.source.program import Value
from minigrad.readers.source.text import _wrapped, docstring


class Plan:
    """Statements as a module: ``bind`` takes the arrays that stay, such as those of parameters, and returns ``run``.

    ``run`` returns the results, and the writes to memory from outside: tuples of a function and its arguments, which
    the caller carries out when nothing can fail any more.
    """

    def __init__(self, statements: Statements, title: str) -> None:
        self.title = title
        order(statements)
        self.statements, self.outputs = statements.statements, [v for v, _ in statements.outputs]
        # The values that ``bind`` takes, and those that ``run`` takes before the numbers.
        self.stays, self.takes = ([
            v for v in dict.fromkeys(v for _, v in statements.arguments)
            if any(w is v and n in statements.bound for n, w in statements.arguments) is stays
        ] for stays in (True, False))  # fmt: skip
        self.data, self.slots, self.name_of = statements.data, statements.slots, statements.name_of
        self.numbers, self.models = statements.numbers, statements.models
        self.writes = _writes(statements)
        self.targets = [target for target, _, _ in statements.writes]
        moved = {x for x, _ in self.writes if x is not None}
        late = {w for x in moved for w in x.reads} | {v for v, _ in statements.outputs}
        late |= {v for _, v, _ in statements.writes if v not in {x.value for x in moved}}
        self.direct = [x for x in statements.statements if x in moved]
        statements.statements[:] = [x for x in statements.statements if x not in moved]
        for x in moved:
            statements.slots.pop(x.value, None)
        self.bytes, self.groups = assign(statements, late)
        self.lasting_bytes = statements.lasting_bytes
        claimed: dict[Value, Any] = {}
        self.results = [as_text(_result(statements, v, memory, claimed)) for v, memory in statements.outputs]
        self.setup, self.refilled, self.helpers = (
            statements.setup,
            statements.refilled,
            statements.helpers.texts,
        )
        # Of a kernel in the text, what eager mode passes beside its arguments: memory that is used again.
        records = {s.value.record for s in statements.statements if s.value.record is not None}
        self.kept = {
            name: kernel.keywords
            for kernel in (op.unchecked for op in records)
            if isinstance(kernel, functools.partial) and (name := statements.helpers.name_of(kernel.func))
        }
        self._code: dict[bool, types.CodeType] = {}

    @functools.cached_property
    def text(self) -> str:
        """The text of the module."""
        return self.printed()

    def printed(self, clock: bool = False) -> str:
        """The text of the module; with ``clock``, run returns the time before and after each line."""
        head = [docstring(self.title), "", "import numpy as np", ""]
        for helper in self.helpers.values():
            head += ["", helper, ""]
        body = ["", _wrapped("def bind(", self.names(self.stays), "):", "")]
        body += [f"    {line}" for line in self._cut()]
        body += [f"    {_line(x)}" for x in self.setup]
        body += ["", _wrapped("    def run(", [*self.names(self.takes), *self.numbers], "):", "    ")]
        body += [f"        {_line(x)}" for x in self.refilled]
        lines = self._lines()
        if clock:
            body.append("        times = [clock()]")
            lines += [f"{call[0]}({', '.join(call[1:])})" for _, call in self.writes]
            for line in (line for line in lines if not line.startswith("#")):
                body += [f"        {line}", "        times.append(clock())"]
            body.append("        return times")
        else:
            body += [f"        {line}" for line in lines]
            if self.writes:
                body += [
                    "        # what changes in place, when nothing can fail any more",
                    "        writes = (",
                ]
                body += [
                    f"            ({', '.join(call)}){',' if call else ''}{place}"
                    for call, place in self._calls()
                ]
                body.append("        )")
            tail = ",), " if len(self.results) == 1 else "), "
            body.append(
                _wrapped(
                    "        return (", self.results, tail + ("writes" if self.writes else "()"), "        "
                )
            )
        return "\n".join([*head, *body, "", "    return run"]) + "\n"

    def names(self, values: Sequence[Value]) -> list[str]:
        """The names of values."""
        return [self.name_of[v] for v in values]

    def _cut(self) -> list[str]:
        """Lines that cut the buffer into slots."""
        if not self.slots:
            return []
        lines = [f"memory = np.empty({self.bytes}, np.uint8)  # all results that nobody keeps, in turn"]
        for g in self.groups:
            lines.append(f"{g.name} = memory[{g.offset}:{g.offset + g.size}].view(np.{g.dtype.name})")
        for v, slot in sorted(self.slots.items(), key=lambda item: item[1].offset):
            if slot.inherits is not None:
                lines.append(f"{self.name_of[v]} = {self.name_of[slot.inherits.value]}")
                continue
            piece = f"memory[{slot.offset}:{slot.offset + size_of(v)}].view(np.{v.dtype.name})"
            lines.append(f"{self.name_of[v]} = {piece}.reshape({v.shape!r})")
        return lines

    def _lines(self) -> list[str]:
        lines: list[str] = []
        about = ""
        for s in self.statements:
            if s.about != about and s.about:
                lines.append(f"# {s.about}")
            about = s.about
            place = f"  # {s.place}" if s.place and not about else ""
            lines += [f"{_line(x)}{place}" for x in s.lines]
        return lines

    def _calls(self) -> list[tuple[Sequence[str], str]]:
        return [(call, f"  # {s.place}" if s is not None and s.place else "") for s, call in self.writes]

    def bind(self, arrays: Sequence[Any], clock: Any = None, returned: Sequence[tuple[str, Any]] = ()) -> Any:
        """The function ``run`` on these arrays, with memory of its own.

        With ``returned`` it is for one run, in which functions of these names have already returned that.
        """
        timed = clock is not None
        if timed not in self._code:
            text = self.printed(True) if timed else self.text
            self._code[timed] = code(text, "<compiled>")
        namespace = {**self.data, "clock": clock}
        for name in {name for name, _ in returned}:
            rest = iter([y for other, y in returned if other == name])
            namespace[name] = lambda *operands, rest=rest, **params: next(rest)
        with np.errstate(all="ignore"):
            exec(self._code[timed], namespace)
            for name, memory in self.kept.items():
                namespace[name] = functools.partial(namespace[name], **memory)
            return namespace["bind"](*arrays)


def code(text: str, name: str) -> types.CodeType:
    """A generated text, compiled by Python."""
    compiled: types.CodeType = builtins.compile(text, name, "exec")
    return compiled


def _line(x: Line) -> str:
    """A statement as Python writes it."""
    if not x.how or (x.how == "=" and not x.arguments):
        return x.function if not x.out else f"{x.out} = {x.function}"
    arguments = [x.out, *x.arguments] if x.how == "first" else [*x.arguments]
    if x.how == "out":
        arguments.append(f"out={x.out}")
    call = f"{x.function}({', '.join(arguments)})"
    return f"{x.out} = {call}" if x.how == "=" else call


def _writes(s: Statements) -> list[tuple[Statement | None, tuple[str, ...]]]:
    """The writes as calls, in order: those of a statement that can write into its target itself come first."""
    written = {target for target, _, _ in s.writes}
    position = {x.value: i for i, x in enumerate(s.statements)}
    last_read: dict[Value, int] = {}
    for i, statement in enumerate(s.statements):
        for v in statement.reads:
            last_read[v] = i
    shown: dict[Value, list[Value]] = {}  # by the value whose memory they show: the values that are written
    for _, v, _ in s.writes:
        shown.setdefault(s.owner(v), []).append(v)
    direct, copies = [], []
    for target, v, _ in s.writes:
        x = s.statements[position[v]] if v in position else None
        alone = sum(w is v for ws in shown.values() for w in ws) == 1 and not [
            w for w in shown.get(target, ()) if w is not v
        ]
        if (
            x is not None
            and v in s.slots
            and not s.users[v]
            and v not in s.kept
            and alone
            and last_read.get(target, -1) <= position[v]
            and len(x.lines) == 1
            and x.lines[0].how == "out"
            and by_ufunc(v.record)
            and all(s.owner(w) is not target or w is target for w in v.inputs if w.__class__ is Value)
            and v.dtype == target.dtype
        ):
            direct.append((position[v], x, (x.lines[0].function, *x.lines[0].arguments, s.name_of[target])))
        else:
            source = as_text(_whole(s, v))
            if s.owner(v) in written and v is not target:
                source = s.copied(source)  # another write may come first
            copies.append((None, ("np.copyto", s.name_of[target], source)))
    ordered: list[Any] = [(x, call) for _, x, call in sorted(direct, key=lambda d: d[0])]
    return ordered + copies


def _whole(s: Statements, v: Value) -> Expr:
    return whole(v) if v.fill is not None and v not in s.name_of else s._operand(v)


def _result(s: Statements, v: Value, memory: Any, claimed: dict[Value, Any]) -> Expr:
    """A result; it shares memory with those results alone with which it does in eager mode."""
    outside = memory.__class__ is tuple and memory[0] == OUTSIDE
    if outside:
        for target, new, home in s.writes:
            if home == memory[1] and (s.owner(v) is s.owner(new) or _shows(v, new)):
                return _through(s, v, new, target)
    expr = _whole(s, v)
    if v.fill is not None and v not in s.name_of:
        return expr
    owner = s.owner(v)
    if claimed.setdefault(owner, memory) == memory and (owner in s.fresh or outside):
        return expr
    return parsed(s.copied(as_text(expr)))


def _shows(v: Value, new: Value) -> bool:
    """Whether a value is a view of a new one, also of one number."""
    while v is not new and v.record is not None and v.record.view and len(v.inputs) == 1:
        v = v.inputs[0]
    return v is new


def _through(s: Statements, v: Value, new: Value, target: Value) -> Expr:
    """A value that is written in place, read from its target; or a view of one."""
    if v is new or not (is_view(v) or _shows(v, new)):
        return s._operand(target)
    return s._printed(v, [_through(s, v.inputs[0], new, target)], written=True)

"""A plan: statements with their memory, the writes at the end and the results, printed as a module and compiled."""

from __future__ import annotations

import builtins
import functools
import inspect
import itertools
import math
import re
import types
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.compiler.statements import Statement, Statements
from minigrad.compiler.values import OUTSIDE, as_text, full, is_view, size_of
from minigrad.core.op import NO_PARAMS, is_ufunc
from minigrad.core.plans import Line, named
from minigrad.core.quiet import QUIET
from minigrad.readers.source.expressions import Expr, fill, parsed, type_text
from minigrad.readers.source.program import Value
from minigrad.readers.source.text import _wrapped, docstring, with_imports

ALIGN = 64  # bytes; slots begin at multiples of it
# Functions that round an element alike wherever it lies; and bytes whose numbers take less time than the call.
EXACT = ("np.add", "np.subtract", "np.multiply", "np.divide")
SMALL = 1 << 15
LARGE = 1 << 17  # bytes of all slots, from which they begin where a line of the cache does


class Plan:
    """Statements as a module: ``bind`` takes the arrays that stay, such as those of parameters, and returns ``run``.

    ``run`` returns the results, and the writes to memory from outside: tuples of a function and its arguments, which
    the caller carries out when nothing can fail any more.
    """

    def __init__(self, s: Statements, title: str) -> None:
        order(s)
        self.stays, self.takes, self.data = s.stays, s.takes, s.data
        self.targets = [target for target, _, _ in s.writes]
        self.writes = _writes(s)
        direct = {x for x, _ in self.writes if x is not None}
        s.statements = [x for x in s.statements if x not in direct]
        for x in direct:
            del s.planned[x.value]
        late = [w for x in direct for w in x.reads] + [v for v, _ in s.outputs] + [v for _, v, _ in s.writes]
        self.statements, self.planned, self.fresh = s.statements, s.planned, s.fresh
        size, slots = assign(s, late)
        self.bytes = size + s.lasting_bytes
        # Results that are written over an operand, or where they belong.
        self.fused = len(direct) + sum(slot.value is not v for v, slot in slots.items())
        claimed: dict[Value, Any] = {}
        copies: dict[Any, Value] = {}
        results = [as_text(_result(s, v, memory, claimed, copies)) for v, memory in s.outputs]
        # Of a kernel in the text, what eager mode passes beside its arguments: memory that is used again.
        records = {x.value.record for x in s.statements if x.value.record is not None}
        self._kept = {
            name: kernel.keywords
            for kernel in (inspect.unwrap(op.unchecked) for op in records)
            if isinstance(kernel, functools.partial) and (name := s.helpers.name_of(kernel.func))
        }
        self._head = [docstring(title), "", "import numpy as np", ""]
        self._head += [line for helper in s.helpers.texts.values() for line in ("", helper, "")] + [""]
        self.text = self._printed(s, _cut(s, size, slots), results)

    def _printed(self, s: Statements, memory: list[str], results: list[str]) -> str:
        """The text of the module."""
        names = s.name_of
        self._head.append(_wrapped("def bind(", [names[v] for v in self.stays], "):", ""))
        self._head += [f"    {line}" for line in (*memory, *map(written, s.setup))]
        body = [f"        {name}[()] = {as_text(parsed(text))}" for name, text in s.refilled.items()]
        body += [f"        {line}" for line in self._lines()]
        if self.writes:
            body += ["        # what changes in place, when nothing can fail any more", "        writes = ("]
            for x, call in self.writes:
                place = f"  # {x.place}" if x is not None and x.place else ""
                body.append(f"            ({', '.join(call)}),{place}")
            body.append("        )")
        tail = f"{',' if len(results) == 1 else ''}), {'writes' if self.writes else '()'}"
        body.append(_wrapped("        return (", results, tail, "        "))
        inputs = [*(names[v] for v in self.takes), *self._read(s, body)]
        self._head += ["", _wrapped("    def run(", inputs, "):", "    ")]
        return self.module(body)

    def _read(self, s: Statements, body: list[str]) -> list[str]:
        """The names of the numbers that a run reads."""
        words = {*re.findall(r"[A-Za-z_]\w*", "\n".join(body))}
        self.numbers = [name for name in s.numbers if name in words]
        return self.numbers

    def module(self, body: Iterable[str]) -> str:
        """The text of a module whose function ``run`` has this body."""
        return with_imports("\n".join([*self._head, *body, "", "    return run"]) + "\n")

    def _lines(self) -> list[str]:
        """The statements as Python writes them, with the user's lines."""
        lines: list[str] = []
        for about, statements in itertools.groupby(self.statements, key=lambda x: x.about):
            lines += [f"# {about}"] * bool(about)
            for x in statements:
                place = f"  # {x.place}" if x.place and not about else ""
                lines += [f"{written(line)}{place}" for line in x.lines]
        return lines

    def steps(self) -> list[tuple[Statement | None, str, str]]:
        """The calls of a run, each with the statement that it belongs to, and where the result lies."""
        steps: list[tuple[Statement | None, str, str]] = []
        for x in self.statements:
            where = "buffer" if x.value in self.planned else "new array" if x.value in self.fresh else "view"
            steps += [(x, written(line), where) for line in x.lines]
        return steps + [(x, f"{call[0]}({', '.join(call[1:])})", "in place") for x, call in self.writes]

    def bind(
        self, arrays: Sequence[Any], returned: Sequence[tuple[str, Any]] = (), text: str = "", **names: Any
    ) -> Any:
        """The function ``run`` on these arrays, with memory of its own.

        With ``returned`` it is for one run, in which functions of these names have already returned that.  With
        ``text`` it is the one of that module, which also sees ``names``.
        """
        namespace = {**self.data, **names}
        for name in {name for name, _ in returned}:
            rest = iter([y for other, y in returned if other == name])
            namespace[name] = lambda *operands, rest=rest, **params: next(rest)
        exec(builtins.compile(text, "<compiled>", "exec") if text else self._code, namespace)
        if not text:
            namespace["np"] = self._numpy
        for name, memory in self._kept.items():
            namespace[name] = functools.partial(namespace[name], **memory)
        return QUIET.run(namespace["bind"], *arrays)

    @functools.cached_property
    def _numpy(self) -> types.ModuleType:
        """NumPy as the text needs it: Python finds names in a tenth of the time in a module without `__getattr__`."""
        module = types.ModuleType("numpy")
        names = {*re.findall(r"\bnp\.(\w+)", self.text)}
        vars(module).update({name: getattr(np, name) for name in names if hasattr(np, name)})
        return module

    @functools.cached_property
    def _code(self) -> Any:
        return builtins.compile(self.text, "<compiled>", "exec")


def written(x: Line) -> str:
    """A line of a statement as Python writes it."""
    if not x.how or (x.how == "=" and not x.arguments):
        return x.function if not x.out else f"{x.out} = {x.function}"
    if x.function == "np.copyto":  # so it takes a third of the time
        return f"{x.out}[...] = {', '.join(x.arguments)}"
    arguments = [x.out, *x.arguments] if x.how == "first" else [*x.arguments]
    if x.how == "out":
        arguments.append(f"out={x.out}")
    call = f"{x.function}({', '.join(arguments)})"
    return f"{x.out} = {call}" if x.how == "=" else call


def _cut(s: Statements, size: int, slots: dict[Value, Slot]) -> list[str]:
    """Lines that cut the buffer into slots."""
    more = ALIGN * (size >= LARGE)
    start = f"memory = np.empty({size + more}, np.uint8)  # all results that nobody keeps, in turn"
    lines = [start] * bool(slots)
    if more:  # by lines of the cache: 0.95 of the time of a step on 10,000 rows
        lines.append(f'memory = memory[-memory.__array_interface__["data"][0] % {ALIGN} :]')
    for v, slot in sorted(slots.items(), key=lambda item: item[1].offset):
        place = s.name_of[slot.value]
        if slot.value is v:
            piece = f"memory[{slot.offset}:{slot.offset + size_of(v)}].view({type_text(v.dtype)})"
            place = f"{piece}.reshape({v.shape!r})"
        lines.append(f"{s.name_of[v]} = {place}")
    return lines


def _writes(s: Statements) -> list[tuple[Statement | None, tuple[str, ...]]]:
    """The writes as calls: first, in order, those of a statement that can write into its target itself."""
    position = {x.value: i for i, x in enumerate(s.statements)}
    last_read = {v: i for i, x in enumerate(s.statements) for v in x.reads}
    targets, times = {target for target, _, _ in s.writes}, Counter(v for _, v, _ in s.writes)
    direct, copies = dict[int, Any](), list[Any]()
    for target, v, _ in s.writes:
        at = position.get(v, -1)
        x = s.statements[at] if at >= 0 else None
        if (
            x is not None
            and v in s.planned
            and not s.users[v]
            and times[v] == 1
            and last_read.get(target, -1) <= at
            and [line.how for line in x.lines] == ["out"]
            and is_ufunc(v.record.unchecked)
            and v.dtype == target.dtype
            and all(w is target or s.owner(w) is not target for w in s.inputs(v))
        ):
            direct[at] = x, (x.lines[0].function, *x.lines[0].arguments, s.name_of[target])
            continue
        source = as_text(full(v, s.axes(v)) if s.is_number(v) else s._operand(v))
        if s.owner(v) in targets and v is not target:
            source = f"np.copy({source})"  # another write may come first
        copies.append((None, ("np.copyto", s.name_of[target], source)))
    return [direct[at] for at in sorted(direct)] + copies


def _result(
    s: Statements, v: Value, memory: Any, claimed: dict[Value, Any], copies: dict[Any, Value]
) -> Expr:
    """A result; it shares memory with those results alone with which it does in eager mode."""
    outside = memory.__class__ is tuple and memory[0] == OUTSIDE
    for target, new, home in s.writes:
        if outside and home == memory[1] and (shown := _through(s, v, new, target)) is not None:
            return shown
    if s.is_number(v):
        return full(v, s.axes(v))
    expr, owner = s._operand(v), s.owner(v)
    # What lies outside is shown by those results alone that show it in eager mode.
    if (owner in s.fresh or outside) and claimed.setdefault(owner, memory) == memory:
        return expr
    # A part lies otherwise than a copy of it would.
    if v is not owner or sum(home == memory and s.owner(w) is owner for w, home in s.outputs) > 1:
        copy = copies.get((owner, memory)) or copies.setdefault((owner, memory), _copy(s, owner))
        if (shown := _through(s, v, owner, copy)) is not None:
            return shown
    return fill("np.copy({})", [expr])


def _copy(s: Statements, owner: Value) -> Value:
    """Adds the copy of an array that several results show."""
    copy = Value("shown", [owner], NO_PARAMS, owner.shape, owner.dtype, None)
    copy.forward, copy.of, copy.origin = True, None, owner.origin
    s.name_of[copy] = s.names.take("shown", number=True)
    s.fresh.add(copy)
    line = named(s.name_of[copy], as_text(fill("np.copy({})", [s._operand(owner)])))
    s.statements.append(Statement(copy, [line], [owner]))
    return copy


def _through(s: Statements, v: Value, new: Value, target: Value) -> Expr | None:
    """A value that is written in place, or a view of it, read from its target; None for what is neither."""
    if v is new:
        return s._operand(target)
    source = _through(s, v.inputs[0], new, target) if v.is_view and len(v.inputs) == 1 else None
    return source and s._printed(v, [source], written=True)


# ---------------------------------------------------------------- the place of each value in one buffer


class Slot:
    """A piece of the plan's memory, in use from one statement to another; ``value`` is the first that lies there."""

    def __init__(self, value: Value, first: int) -> None:
        self.value, self.first, self.last, self.offset = value, first, first, 0
        self.size = _aligned(max(1, size_of(value)))

    @classmethod
    def of(cls, parts: Sequence[Slot]) -> Slot:
        """The slot of several values, one after the other."""
        slot = cls(parts[0].value, min(part.first for part in parts))
        slot.last = max(part.last for part in parts)
        slot.size = _aligned(sum(size_of(part.value) for part in parts))
        return slot


def _aligned(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def order(s: Statements) -> None:
    """Puts statements in an order that needs less memory."""
    groups = itertools.groupby(s.statements, key=lambda x: None if x.value.forward else x.value.of)
    s.statements = [x for of, group in groups for x in (_small_first(s, [*group]) if of else group)]
    for part in s.part_of.values():  # as early as that frees the memory of its operand
        y = s.owner(part.inputs[0])
        if y in s.planned:
            at = next(i for i, x in enumerate(s.statements) if x.value is part)
            last = max(i for i, x in enumerate(s.statements[:at]) if x.value is y or y in x.reads)
            s.statements.insert(last + 1, s.statements.pop(at))
        part.of = part.origin = None  # records hold arrays


def _small_first(s: Statements, group: list[Statement]) -> list[Statement]:
    """Statements that differentiate one record: the largest results last, when most of what they read is free."""
    if any(x.value.record is not None and x.value.record.draws for x in group):
        return group
    here, read = {x.value for x in group}, set[Value]()
    for x in group:
        for w in s.inputs(x.value):
            while w not in here and is_view(w):  # one that has no statement
                w = w.inputs[0]
            read.add(w)
    return sorted(group, key=lambda x: (x.value not in read, x.value not in read and size_of(x.value)))


def assign(s: Statements, late: Iterable[Value]) -> tuple[int, dict[Value, Slot]]:
    """The bytes of the buffer, and the slots of the planned values; ``late`` are read after the last statement."""
    end = len(s.statements)
    position = {x.value: i for i, x in enumerate(s.statements)}
    slots = {v: Slot(v, position[v]) for v in s.planned}
    reads = [(v, i) for i, x in enumerate(s.statements) for v in x.reads] + [(s.owner(v), end) for v in late]
    for v, i in reads:
        if v in slots:
            slots[v].last = i
    for v in sorted(slots, key=position.__getitem__):
        _inherit(s, v, slots)
    rows = _rows(s, slots)
    joint = {Slot.of(parts): parts for parts in rows}
    size = lay_out({*slots.values(), *joint}.difference(*rows))
    for slot, parts in joint.items():
        end = slot.offset
        for part in sorted(parts, key=lambda part: -size_of(part.value)):
            part.offset, end = end, end + size_of(part.value)
        first, *_, last = (s.name_of[x.value] for x in rows[parts][0][1])
        name = s.names.take(f"{first}_to_{last}")
        s.setup.insert(0, named(name, f"memory[{slot.offset}:{end}].view({type_text(slot.value.dtype)})"))
        for (function, texts, _), row in rows[parts]:
            for x in row:
                x.lines = []
            row[0].lines = [Line(function, [text or name for text in texts], name)]
    return size, slots


def _rows(
    s: Statements, slots: dict[Value, Slot]
) -> dict[tuple[Slot, ...], list[tuple[Any, list[Statement]]]]:
    """Statements in a row that do the same, each to a slot of its own; by these slots, which may lie side by side."""
    rows: dict[tuple[Slot, ...], list[tuple[Any, list[Statement]]]] = {}
    for does, group in itertools.groupby(s.statements, lambda x: _does(s, x, slots)):
        if does is not None:
            row = [*group]
            parts = tuple(slots[x.value] for x in row)
            if parts in rows or (
                {*parts}.isdisjoint(itertools.chain(*rows)) and len({*parts}) == len(parts) > 1
            ):
                rows.setdefault(parts, []).append((does, row))
    return rows


def _does(s: Statements, x: Statement, slots: dict[Value, Slot]) -> tuple[str, tuple[str, ...], Any] | None:
    """What a statement does to a small value, which it writes over, with numbers; None if it does anything else."""
    v, inputs, line = x.value, x.value.inputs, x.lines[0]
    if line.function not in EXACT or len(x.lines) > 1 or v not in slots or size_of(v) > SMALL:
        return None
    over = [w.__class__ is Value and slots.get(w) is slots[v] for w in inputs]
    if sum(over) != 1 or line.how != "out" or len(line.arguments) != len(inputs):
        return None
    if any(not is_it and w.__class__ is Value and w.shape for w, is_it in zip(inputs, over, strict=True)):
        return None
    texts = tuple("" if is_it else a for a, is_it in zip(line.arguments, over, strict=True))
    return line.function, texts, v.dtype


def _inherit(s: Statements, v: Value, slots: dict[Value, Slot]) -> None:
    """An elementwise operation may write over an operand that no later statement reads."""
    op, slot = v.record, slots[v]
    if math.prod(v.shape) == 1:  # NumPy writes a single element over an operand in twice the time
        return
    if op is None or not op.elementwise or not (is_ufunc(op.unchecked) or op.into is not None):
        return
    inputs = s.inputs(v)
    for w in inputs:
        source = slots.get(w)
        if source is None or source.last != slot.first or (w.shape, w.dtype) != (v.shape, v.dtype):
            continue
        if all(x is w or s.owner(x) is not w for x in inputs):  # else it is also read in another order
            source.last = slot.last
            slots[v] = source
            return


def lay_out(slots: set[Slot]) -> int:
    """Gives each slot an offset, so that those in use at one time do not overlap; returns the bytes needed."""
    placed: list[Slot] = []
    for slot in sorted(slots, key=lambda s: (-s.size, s.first)):
        beside = [s for s in placed if s.first <= slot.last and slot.first <= s.last]
        for s in sorted(beside, key=lambda s: s.offset):
            if s.offset - slot.offset >= slot.size:
                break
            slot.offset = max(slot.offset, s.offset + s.size)
        placed.append(slot)
    return max((s.offset + s.size for s in placed), default=0)

"""From statements to memory: the place of each value in one buffer, and which values share a place."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from minigrad.compiler.statement import Statement, is_view, size_of
from minigrad.compiler.statements import Statements
from minigrad.core.op import is_ufunc
from minigrad.readers.source.program import Value

ALIGN = 64  # bytes; slots begin at multiples of it


class Slot:
    """A piece of the plan's memory, in use from one statement to another; ``value`` is the first that lies there."""

    def __init__(self, value: Value, first: int) -> None:
        self.value, self.first, self.last, self.offset = value, first, first, 0
        self.size = -(-max(1, size_of(value)) // ALIGN) * ALIGN


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
    return lay_out({*slots.values()}), slots


def _inherit(s: Statements, v: Value, slots: dict[Value, Slot]) -> None:
    """An elementwise operation may write over an operand that no later statement reads."""
    op, slot = v.record, slots[v]
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

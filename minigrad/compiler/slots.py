"""From statements to memory: the place of each value in one buffer, and which values share a place or a call."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from minigrad.compiler.scalars import Scalar
from minigrad.compiler.statement import Group, Slot, Statement, size_of
from minigrad.compiler.statements import Statements
from minigrad.core.node import Const
from minigrad.core.op import is_ufunc
from minigrad.core.plans import Line
from minigrad.readers.source.program import Value


def order(s: Statements) -> None:
    """Puts statements in an order that needs less memory."""
    groups = itertools.groupby(s.statements, key=lambda x: None if x.value.forward else x.value.of)
    s.statements = [x for of, group in groups for x in (_small_first(s, [*group]) if of else group)]
    for part in s.part_of.values():  # as early as that frees the memory of its operand
        y = s.owner(part.inputs[0])
        if y in s.slots:
            at = next(i for i, x in enumerate(s.statements) if x.value is part)
            last = max(i for i, x in enumerate(s.statements[:at]) if x.value is y or y in x.reads)
            s.statements.insert(last + 1, s.statements.pop(at))
        part.of = part.origin = None  # records hold arrays


def _small_first(s: Statements, group: list[Statement]) -> list[Statement]:
    """Statements that differentiate one record: the largest results last, when most of what they read is free."""
    if len(group) < 2 or any(x.value.record is not None and x.value.record.draws for x in group):
        return group
    here = {x.value for x in group}
    waits_for: dict[Value, set[Value]] = {}
    for x in group:
        pending = [*s.inputs(x.value), *([s.part_of[x.value]] if x.value in s.part_of else [])]
        # What several others read is followed once: of paths there may be millions.
        seen: set[Any] = set(here)
        for w in pending:  # the loop appends to it
            if w not in seen:
                seen.add(w)
                pending += s.inputs(w)
        waits_for[x.value] = here.intersection(pending)
    rest, ordered = sorted(group, key=lambda x: size_of(x.value)), list[Statement]()
    while rest:
        x = next(x for x in rest if not waits_for[x.value].intersection(y.value for y in rest))
        rest.remove(x)
        ordered.append(x)
    return ordered


def assign(s: Statements, late: set[Value]) -> tuple[int, list[Group]]:
    """Gives each slot its place; returns the bytes of the buffer, and the groups of slots that one call serves.

    ``late`` are values that are read after the last statement.
    """
    position = {x.value: i for i, x in enumerate(s.statements)}
    for v, slot in s.slots.items():
        slot.first = slot.last = position[v]
    for i, x in enumerate(s.statements):
        for v in x.reads:
            if v in s.slots:
                s.slots[v].last = i
    for v in late:
        if s.owner(v) in s.slots:
            s.slots[s.owner(v)].last = len(s.statements)
    _inherit(s, position)
    groups = _scale_together(s, position)
    return lay_out(list(s.slots.values())), groups


def _inherit(s: Statements, position: dict[Value, int]) -> None:
    """An elementwise operation may write over an operand that no later statement reads."""
    taken: set[Slot] = set()
    views: dict[Value, list[Value]] = {}  # by the value whose memory they show
    for x in s.live:
        owner = s.owner(x)
        if owner is not x and x in s.models:
            views.setdefault(owner, []).append(x)
    for v, slot in sorted(s.slots.items(), key=lambda item: item[1].first):
        op = v.record
        if op is None or not op.elementwise or not (is_ufunc(op.unchecked) or op.into is not None):
            continue
        for w in v.inputs:
            source = s.slots.get(w) if w.__class__ is Value else None
            if source is None or source.last != position[v] or (w.shape, w.dtype) != (v.shape, v.dtype):
                continue
            also_seen = any(u is v for x in views.get(w, ()) for u in s.users[x])  # in another order
            if source not in taken and not also_seen:
                slot.inherits = source
                taken.add(source)
                break


def _scale_together(s: Statements, position: dict[Value, int]) -> list[Group]:
    """Lays gradients that one number multiplies, such as the rate, side by side, so that one call serves them."""
    scaled: dict[tuple[Any, ...], list[Statement]] = {}
    for x in s.statements:
        slot, inputs = s.slots.get(x.value), x.value.inputs
        d = slot.inherits if slot is not None else None
        numbers = [w.__class__ is Const and type(w.value) is Scalar for w in inputs]
        if d is None or d.inherits is not None or len(x.lines) != 1 or len(inputs) != 2 or not any(numbers):
            continue
        at = numbers.index(True)
        if inputs[1 - at] is d.value and isinstance(x.value.record.unchecked, np.ufunc):
            key = (x.value.record, at, inputs[at].value.text, x.value.dtype)
            scaled.setdefault(key, []).append(x)
    first_read: dict[Value, int] = {}
    for i, x in enumerate(s.statements):
        for w in x.reads:
            first_read.setdefault(w, i)
    groups = []
    for (_, at, _, dtype), several in scaled.items():
        end = position[several[-1].value]  # from this statement on all of them are computed
        together = [x for x in several if first_read.get(x.value, end) >= end]
        if len(together) < 3:
            continue
        group = Group(s.names.take("steps"), dtype)
        groups.append(group)
        for x in together:
            slot = s.slots[x.value]
            for part in (slot, slot.inherits):
                if part is not None:
                    part.group, part.within = group, group.size
            group.size += slot.size
        last = together[-1]
        operands = [group.name, group.name]
        operands[at] = last.lines[0].arguments[at]
        last.lines = [Line(last.lines[0].function, operands, group.name)]
        last.reads = [w for x in together for w in x.reads]
        for x in together[:-1]:
            s.statements.remove(x)
    return groups


def lay_out(slots: list[Slot]) -> int:
    """Gives each slot an offset, so that those in use at one time do not overlap; returns the bytes needed."""
    families: dict[int, list[Slot]] = {}
    root: dict[int, Any] = {}
    for slot in sorted(slots, key=lambda s: s.first):
        top: Any = slot if slot.inherits is None else root[id(slot.inherits)]
        top = slot.group or top
        root[id(slot)] = top
        families.setdefault(id(top), []).append(slot)
    placed: list[tuple[int, int, int, int]] = []  # first, last, offset, end
    total = 0
    for family in sorted(families.values(), key=lambda f: -max(s.size for s in f)):
        first, last = min(s.first for s in family), max(s.last for s in family)
        group = family[0].group
        size = group.size if group is not None else max(s.size for s in family)
        offset = 0
        for begin, end in sorted((o, e) for f, until, o, e in placed if not (until < first or f > last)):
            if begin - offset >= size:
                break
            offset = max(offset, end)
        for s in family:
            s.offset = offset + s.within
        if group is not None:
            group.offset = offset
        placed.append((first, last, offset, offset + size))
        total = max(total, offset + size)
    return total

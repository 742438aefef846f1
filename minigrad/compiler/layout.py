"""The order of the statements of a plan, and the place of each value in its memory."""

from __future__ import annotations

import math
from typing import Any

from minigrad.compiler.calls import Calls, Group, Slot, Statement, by_ufunc
from minigrad.compiler.scalars import Scalar
from minigrad.core.node import Const
from minigrad.readers.source.program import Value


class Layout(Calls):
    """The half of a plan that puts statements in order, and lets values share memory or a call."""

    live: list[Value]
    groups: list[Group]

    def _schedule(self) -> None:
        """Puts statements in an order that needs less memory.

        Of the statements that differentiate one record, the largest results come last, when most of what they read is
        free.  A part, which is computed for one value alone, comes as soon as nothing else reads its operand.
        """
        computed = {s.value for s in self.statements}
        ordered: list[Statement] = []
        group: list[Statement] = []
        for s in [*self.statements, None]:
            if group and (s is None or s.value.forward or s.value.of is not group[0].value.of):
                ordered += self._small_first(group, computed)
                group = []
            if s is not None:
                (ordered if s.value.forward or s.value.of is None else group).append(s)
        for part in self.part_of.values():
            y = self._owner(part.inputs[0])
            if y not in self.slots or y in self._kept:
                continue
            before = {y, *self._made_of(part, computed)}
            [at] = [i for i, s in enumerate(ordered) if s.value is part]
            last = max(i for i, s in enumerate(ordered) if s.value in before or (y in s.reads and i != at))
            if last < at:
                ordered.insert(last + 1, ordered.pop(at))
        self.statements = ordered

    def _small_first(self, group: list[Statement], computed: set[Value]) -> list[Statement]:
        if len(group) < 2 or any(_draws(s.value) for s in group):
            return group
        here = {s.value for s in group}
        waits_for = {s.value: self._made_of(s.value, computed) & here for s in group}
        rest = sorted(group, key=lambda s: math.prod(s.value.shape) * s.value.dtype.itemsize)
        ordered: list[Statement] = []
        while rest:
            s = next(s for s in rest if not waits_for[s.value])
            rest.remove(s)
            ordered.append(s)
            for others in waits_for.values():
                others.discard(s.value)
        return ordered

    def _made_of(self, v: Value, computed: set[Value]) -> set[Value]:
        """The values with a statement of their own that the statement of ``v`` reads."""
        sources: set[Value] = set()
        pending = list(self._inputs(v))
        if v in self.part_of:
            pending.append(self.part_of[v])
        for w in pending:
            if w in computed:
                sources.add(w)
            else:
                pending.extend(self._inputs(w))
        return sources

    def _inherit(self, position: dict[Value, int]) -> None:
        """An elementwise operation may write over an operand that no later statement reads."""
        taken: set[Slot] = set()
        views: dict[Value, list[Value]] = {}  # by the value whose memory they show
        for x in self.live:
            owner = self._owner(x)
            if owner is not x and self.models.get(x) is not None:
                views.setdefault(owner, []).append(x)
        for v, slot in sorted(self.slots.items(), key=lambda item: item[1].first):
            op = v.record
            if op is None or not op.elementwise or not (by_ufunc(op) or op.into is not None):
                continue
            i = position.get(v)
            if i is None:
                continue
            for w in v.inputs:
                source = self.slots.get(w) if w.__class__ is Value else None
                if source is None or source.last != i or (w.shape, w.dtype) != (v.shape, v.dtype):
                    continue
                if source in taken:
                    continue
                if any(u is v for x in views.get(w, ()) for u in self.users[x]):
                    continue  # also read through a view, in another order
                slot.inherits = source
                taken.add(source)
                break

    def _scale_together(self) -> None:
        """Lays gradients that one number multiplies, such as the rate, side by side, so that one call serves them."""
        scaled: dict[tuple[Any, ...], list[Statement]] = {}
        for s in self.statements:
            v = s.value
            slot = self.slots.get(v)
            alone = (
                slot is not None and slot.inherits is not None and slot.group is None and len(s.lines) == 1
            )
            if slot is None or not alone or not by_ufunc(v.record) or len(v.inputs) != 2:
                continue
            d = slot.inherits
            numbers = [w.__class__ is Const and type(w.value) is Scalar for w in v.inputs]
            if d is not None and d.inherits is None and d.value in v.inputs and any(numbers):
                at = numbers.index(True)
                scaled.setdefault((v.record, at, v.inputs[at].value.text, v.dtype), []).append(s)
        position = {s.value: i for i, s in enumerate(self.statements)}
        first_read: dict[Value, int] = {}
        for i, s in enumerate(self.statements):
            for w in s.reads:
                first_read.setdefault(w, i)
        for (op, at, _, dtype), several in scaled.items():
            end = position[several[-1].value]  # from this statement on all of them are computed
            statements = [s for s in several if first_read.get(s.value, end) >= end]
            if len(statements) < 3:
                continue
            group = Group(self.names.take("steps"), dtype)
            self.groups.append(group)
            for s in statements:
                slot = self.slots[s.value]
                for part in (slot, slot.inherits):
                    if part is not None:
                        part.group, part.within = group, group.size
                group.size += slot.size
            last = statements[-1]
            operands = [group.name, group.name]
            operands[at] = self._scalar(last.value.inputs[at].value, dtype)
            name = op.unchecked.__name__
            last.lines = [f"np.{name}({', '.join(operands)}, out={group.name})"]
            last.reads = [w for s in statements for w in s.reads]
            for s in statements[:-1]:
                self.statements.remove(s)


def _draws(v: Value) -> bool:
    op = v.record
    return op is not None and op.draws


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
    groups = sorted(families.values(), key=lambda f: -max(s.size for s in f))
    for family in groups:
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

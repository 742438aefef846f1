"""What becomes one box: operations, alone or in groups, repeated blocks once, and the leaves that they read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from minigrad.core.node import Const, Node
from minigrad.readers.draw.fold import Run, runs
from minigrad.readers.draw.modules import Path, common
from minigrad.readers.draw.records import Records, is_leaf, name_of


@dataclass(slots=True)
class Item:
    """An operation, or neighbours on the tape: what stands between two numbers."""

    start: int
    stop: int
    owner: Path
    backward: bool
    group: Path | None = None  # the module that it stands for
    chunk: bool = False

    @property
    def several(self) -> bool:
        """Whether its box stands for a group."""
        return self.group is not None or self.chunk


class Leaf(NamedTuple):
    """Leaves that are drawn as one, and the items that read them."""

    nodes: list[Node]
    users: set[int]


class Groups:
    """A partition of the operations into items.

    ``first[i]`` is the item in whose box item ``i`` is drawn: itself, or where it repeats others, one of the first
    repetition.  ``sizes`` counts the numbers of the parameters that are drawn inside of an item's box.
    """

    def __init__(self, records: Records, items: list[Item], fold: bool) -> None:
        self.items = items
        self.item_of = [i for i, item in enumerate(items) for _ in range(item.start, item.stop)]
        self.first = list(range(len(items)))
        self.loops: list[Run] = []
        if fold:
            self._fold(records)
        self.drawn = [i for i, c in enumerate(self.first) if i == c]
        self.leaves, self.sizes = _leaves(records, self)

    def __len__(self) -> int:
        """How many boxes that makes."""
        return len(self.drawn) + len(self.leaves)

    def _fold(self, records: Records) -> None:
        """Draws repeated blocks once; blocks inside of the first repetition too."""
        items, first = self.items, self.first
        sources = _sources(records, self)
        tokens = _tokens(records, items)

        def joined(start: int, length: int, times: int) -> int:
            return _joined(sources, first, start, length, times)

        def depth(i: int) -> int:
            return len(common((items[i - 1].owner, items[i].owner))) if i else 0

        todo = [(0, len(items))]
        while todo:
            for run in runs(tokens, *todo.pop(), joined, depth):
                for i in range(run.stop, run.start + run.length * run.times):
                    first[i] = i - run.length * ((i - run.start) // run.length)
                self.loops.append(run)
                if run.length > 1:
                    todo.append((run.start, run.stop))
        for i, c in enumerate(first):  # the first repetition may itself have been folded
            first[i] = first[c]
        self.loops.sort(key=lambda run: (run.start, -run.stop))


def grouped(records: Records, depth: int | None, fold: bool) -> Groups:
    """Each operation by itself, those of modules from ``depth`` on together."""
    items: list[Item] = []
    for i, owner in enumerate(records.owner):
        late = i >= records.first_backward
        group = owner[:depth] if depth is not None and len(owner) >= depth else None
        last = items[-1] if items else None
        if group is not None and last is not None and (last.group, last.backward) == (group, late):
            last.stop = i + 1
        else:
            items.append(Item(i, i + 1, owner if group is None else group, late, group))
    return Groups(records, items, fold)


def chunked(records: Records, groups: Groups, most: int) -> Groups:
    """Neighbours on the tape together, until about ``most`` boxes are left."""
    size = -(-len(groups.drawn) // max(1, most))
    items: list[Item] = []
    for i, item in enumerate(groups.items):
        last = items[-1] if items else None
        if last is not None and last.backward == item.backward and i % size:
            items[-1] = Item(
                last.start, item.stop, common((last.owner, item.owner)), last.backward, chunk=True
            )
        else:
            items.append(item)
    return Groups(records, items, fold=False)


# ---------------------------------------------------------------- repetition


def _tokens(records: Records, items: Iterable[Item]) -> list[int]:
    """A number for each item; items of the same kind, line and place in the modules have the same."""
    numbers: dict[Any, int] = {}
    return [numbers.setdefault(_token(records, item), len(numbers)) for item in items]


def _token(records: Records, item: Item) -> object:
    node = records.ops[item.stop - 1]
    owner = tuple("#" if part.isdigit() else part for part in item.owner)
    if item.stop - item.start > 1 or item.group is not None:
        names = tuple(name_of(n) for n in records.ops[item.start : item.stop])
        return names, owner, node.shape, item.backward
    source = records.source(node)
    kinds = tuple(None if n.__class__ is Const else n.shape for n in node.inputs)
    return name_of(node), node.shape, node.dtype, source.code, source.lasti, owner, kinds, item.backward


def _sources(records: Records, groups: Groups) -> list[list[int]]:
    """For each input of an item from outside it: the item that it comes from, -1 for a leaf."""
    rows: list[list[int]] = []
    for i, item in enumerate(groups.items):
        inputs = [
            -1 if n.op is None else groups.item_of[records.at[n]]
            for node in records.ops[item.start : item.stop]
            for n in node.inputs
            if n.__class__ is not Const
        ]
        rows.append([source for source in inputs if source != i])
    return rows


def _joined(sources: list[list[int]], first: list[int], start: int, length: int, times: int) -> int:
    """How many of the blocks are joined to each other, and to what is around them, as the second is."""

    def inputs(block: int) -> list[list[tuple[str, int]]]:
        begin = start + block * length
        return [[place(source, block, begin) for source in sources[i]] for i in range(begin, begin + length)]

    def place(source: int, block: int, begin: int) -> tuple[str, int]:
        if source < 0:
            return "leaf", 0
        if source >= begin:
            return "inside", source - begin
        if source >= begin - length and block:
            return "before", source - begin + length
        if source >= start:
            return "far", source
        while first[source] != source:
            source = first[source]
        return "outside", source

    second = inputs(1)
    for a, b in zip(inputs(0), second, strict=True):
        if len(a) != len(b):
            return 0
        for x, y in zip(a, b, strict=True):
            if x != y and not (y[0] == "before" and x[0] != "inside"):
                return 0
    return next((block for block in range(2, times) if inputs(block) != second), times)


# ---------------------------------------------------------------- leaves


def _leaves(records: Records, groups: Groups) -> tuple[list[Leaf], dict[int, int]]:
    """The leaves that have boxes, and `Groups.sizes`.  Leaves that repetitions use in the same places are one box."""
    uses: dict[Node, set[tuple[int, int, int]]] = {}
    own: dict[Node, int] = {}  # the item that reads the leaf, where that item has a box
    for k, node in enumerate(records.ops):
        i = groups.item_of[k]
        for slot, n in enumerate(node.inputs):
            if is_leaf(n):
                c = groups.first[i]
                uses.setdefault(n, set()).add((c, k - groups.items[i].start, slot))
                if c == i:
                    own[n] = i
    for n in records.roots:
        if n.op is None:
            uses.setdefault(n, set())
    repeated = {i for run in groups.loops for i in range(run.start, run.stop)}
    together: dict[Any, Leaf] = {}
    sizes: dict[int, int] = {}
    for n, places in uses.items():
        users = {c for c, _, _ in places}
        c = min(users, default=-1)
        inside = len(users) == 1 and groups.items[c].several and n.requires_grad
        if inside and n not in records.roots and n not in records.backward.seeds:
            if own.get(n) == c:
                sizes[c] = sizes.get(c, 0) + math.prod(n.shape)
        elif users and users <= repeated:
            together.setdefault(frozenset(places), Leaf([], users)).nodes.append(n)
        else:
            together[n] = Leaf([n], users)
    return list(together.values()), sizes

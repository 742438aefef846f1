"""From a tape to boxes and edges: plain data, which keeps nothing of the tape alive."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core.node import Const, Node
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor
from minigrad.dtypes import dtype
from minigrad.readers.draw import backward, values
from minigrad.readers.draw.fold import runs
from minigrad.readers.draw.modules import Names, Path, common, owners


@dataclass(slots=True)
class Box:
    """An input, a parameter, an operation, a result, or a group of operations drawn as one."""

    id: str
    kind: str  # input, parameter, op, result, module, seed, step, gradient
    title: str
    lines: list[str]
    tip: str
    cluster: int = 0  # in which it stands; 0 is the picture itself
    count: int = 1
    backward: bool = False


@dataclass(slots=True)
class Edge:
    """One use of a value."""

    source: str
    target: str
    label: str
    kind: str  # use, next (to the next repetition), gradient, saved
    count: int = 1
    id: str = ""


@dataclass(slots=True)
class Cluster:
    """A frame around boxes: a module's call or what is repeated."""

    id: int
    parent: int
    label: str
    kind: str  # module, repeated
    backward: bool = False


@dataclass(slots=True)
class Graph:
    """A picture before its layout."""

    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Item:
    """What becomes one box: an operation, or neighbours on the tape."""

    start: int
    stop: int
    owner: Path
    backward: bool
    group: Path | None = None  # the module that it stands for
    chunk: bool = False


class Builder:
    """Makes the `Graph` of one call of ``draw``."""

    def __init__(
        self, results: list[Tensor], forward: list[Node], names: Names, show: frozenset[str], fold: bool
    ) -> None:
        self.results, self.names, self.show, self.fold = results, names, show, fold
        self.graph = Graph()
        self.roots = {t._node: t for t in results if t._node is not None}
        self.forward = forward
        self.ops = [n for n in forward if n.op is not None]
        self.owner = owners(self.ops, names)
        self.first_backward = len(self.ops)
        self.passed: backward.Pass | None = None
        self.at = {n: i for i, n in enumerate(self.ops)}
        self.places: dict[tuple[Any, int], str] = {}
        self.items: list[Item] = []
        self.item_of: list[int] = []
        self.same: list[int] = []
        self.frames: list[tuple[int, int, int]] = []  # what is folded: first item, end, times
        self.known: dict[Node, Any] = {}
        self.paths: dict[Path, Path] = {}
        self.readers: dict[Node, list[Node]] = {}
        self.dtypes: dict[Any, str] = {}  # NumPy takes 10 µs to name one
        self.sizes: dict[Any, str] = {}

    # ------------------------------------------------------------ what there is

    def add_backward(self, passed: backward.Pass) -> None:
        """Puts the steps of a recorded backward pass behind the operations."""
        self.passed = passed
        known = set(self.forward)
        steps = [n for n in passed.records if n.op is not None and n not in known]
        for n in steps:
            self.at[n] = len(self.ops)
            self.ops.append(n)
            made = passed.of.get(n)
            at = self.at.get(made) if made is not None else None
            self.owner.append(() if at is None else self.owner[at])

    def find_values(self) -> None:
        """Which arrays the tape still holds, by the record that made them."""
        for node in self.ops:
            saved = node.saved
            if saved.__class__ is tuple and saved:
                count = len(node.inputs)
                for k, a in zip(node.layout.keep, saved, strict=False):
                    self.known[node if k == count else node.inputs[k]] = a
        for node, t in self.roots.items():
            self.known[node] = t._array
        for t in self.names.tensors.values():
            if t._node is not None:
                self.known[t._node] = t._array

    # ------------------------------------------------------------ what becomes one box

    def boxes_at(self, depth: int | None) -> int:
        """Groups operations into items, folds them, and says how many boxes that makes."""
        self.items = []
        self.item_of = [0] * len(self.ops)
        previous: Item | None = None
        for i, owner in enumerate(self.owner):
            late = i >= self.first_backward
            if depth is not None and len(owner) >= depth:
                group = owner[:depth]
                if previous is not None and previous.group == group and previous.backward == late:
                    previous.stop = i + 1
                else:
                    previous = Item(i, i + 1, group, late, group)
                    self.items.append(previous)
            else:
                previous = Item(i, i + 1, owner, late)
                self.items.append(previous)
            self.item_of[i] = len(self.items) - 1
        self._fold()
        return self._count()

    def chunk(self, most: int) -> int:
        """Puts neighbours on the tape together until about ``most`` boxes are left."""
        drawn = [i for i in range(len(self.items)) if self.same[i] == i]
        per = -(-len(drawn) // max(1, most))
        items: list[Item] = []
        for i, item in enumerate(self.items):
            last = items[-1] if items else None
            if last is not None and last.backward == item.backward and i % per:
                last.stop, last.chunk, last.owner = item.stop, True, common((last.owner, item.owner))
                last.group = None
            else:
                items.append(Item(item.start, item.stop, item.owner, item.backward, item.group, item.chunk))
        self.items = items
        for k, item in enumerate(items):
            self.item_of[item.start : item.stop] = [k] * (item.stop - item.start)
        self.same, self.frames = list(range(len(items))), []
        return self._count()

    def _count(self) -> int:
        drawn = sum(1 for i, c in enumerate(self.same) if i == c)
        return drawn + len(self._leaves()[0])

    def _token(self, i: int) -> object:
        item = self.items[i]
        node = self.ops[item.stop - 1]
        generic = self.paths.get(item.owner)
        if generic is None:
            generic = tuple("#" if part.isdigit() else part for part in item.owner)
            self.paths[item.owner] = generic
        if item.stop - item.start > 1 or item.group is not None:
            inside = tuple(self.ops[k].op.name for k in range(item.start, item.stop))  # type: ignore[union-attr]
            return inside, generic, node.shape, item.backward
        made = self.passed.of.get(node, node) if self.passed is not None else node
        kinds = tuple(None if n.__class__ is Const else n.shape for n in node.inputs)
        name = node.op.name  # type: ignore[union-attr]
        return name, node.shape, node.dtype, made.code, made.lasti, generic, kinds, item.backward

    def _fold(self) -> None:
        n = len(self.items)
        self.same, self.frames = list(range(n)), []
        if not self.fold:
            return
        numbers: dict[Any, int] = {}
        tokens = [numbers.setdefault(self._token(i), len(numbers)) for i in range(n)]
        todo = [(0, n)]
        while todo:
            start, stop = todo.pop()
            for run in runs(tokens, start, stop, self._joined, self._break):
                end = run.start + run.length * run.times
                for i in range(run.start + run.length, end):
                    self.same[i] = i - run.length * ((i - run.start) // run.length)
                self.frames.append((run.start, run.start + run.length, run.times))
                if run.length > 1:
                    todo.append((run.start, run.start + run.length))
        self.frames.sort(key=lambda f: (f[0], -f[1]))

    def _break(self, i: int) -> int:
        """How many modules an item and the one before it have in common."""
        if i == 0:
            return 0
        return len(common((self.items[i - 1].owner, self.items[i].owner)))

    def _sources(self, i: int) -> list[int]:
        """For each input of an item from outside it: the item that it comes from, -1 for a leaf."""
        item = self.items[i]
        found = []
        for k in range(item.start, item.stop):
            for n in self.ops[k].inputs:
                if n.__class__ is not Const:
                    if n.op is None:
                        found.append(-1)
                    else:
                        source = self.item_of[self.at[n]]
                        if source != i:
                            found.append(source)
        return found

    def _joined(self, start: int, length: int, times: int) -> int:
        """How many of the blocks are joined to each other, and to what is around them, as the second is."""

        def inputs(block: int) -> list[list[tuple[str, int]]]:
            begin = start + block * length
            told = []
            for i in range(begin, begin + length):
                row = []
                for source in self._sources(i):
                    if source < 0:
                        row.append(("leaf", 0))
                    elif source >= begin:
                        row.append(("inside", source - begin))
                    elif source >= begin - length and block:
                        row.append(("before", source - begin + length))
                    elif source < start:
                        row.append(("outside", self._drawn(source)))
                    else:
                        row.append(("far", source))
                told.append(row)
            return told

        second = inputs(1)
        for a, b in zip(inputs(0), second, strict=True):
            if len(a) != len(b):
                return 0
            for x, y in zip(a, b, strict=True):
                if x != y and not (y[0] == "before" and x[0] != "inside"):
                    return 0
        for block in range(2, times):
            if inputs(block) != second:
                return block
        return times

    def _drawn(self, i: int) -> int:
        while self.same[i] != i:
            i = self.same[i]
        return i

    # ------------------------------------------------------------ boxes and edges

    def _leaves(self) -> tuple[dict[Any, list[Node]], dict[Node, int]]:
        """Leaves by where they are used (alike in repetitions: one box), and those inside of a group."""
        uses: dict[Node, set[tuple[int, int, int]]] = {}
        for k, node in enumerate(self.ops):
            i = self.item_of[k]
            c = self._drawn(i)
            for slot, n in enumerate(node.inputs):
                if n.op is None and n.__class__ is not Const:
                    uses.setdefault(n, set()).add((c, k - self.items[i].start, slot))
        together: dict[Any, list[Node]] = {}
        inside: dict[Node, int] = {}
        for n in self.roots:
            if n.op is None:
                uses.setdefault(n, set())
        for n, where in uses.items():
            items = {c for c, _, _ in where}
            c = next(iter(items), -1)
            grouped = len(items) == 1 and (self.items[c].group is not None or self.items[c].chunk)
            if grouped and n.requires_grad and n not in self.roots and not self._is_seed(n):
                inside[n] = c
            elif len(items) and all(self.same_times(c) for c in items):
                together.setdefault(frozenset(where), []).append(n)
            else:
                together[n] = [n]
        return together, inside

    def same_times(self, c: int) -> bool:
        """Whether an item is one of several repetitions."""
        return bool(self.frames) and any(a <= c < b for a, b, _ in self.frames)

    def _is_seed(self, n: Node) -> bool:
        return self.passed is not None and n in self.passed.seeds

    def finish(self) -> Graph:
        """Draws what was grouped."""
        if "value" in self.show:
            self.find_values()
        graph = self.graph
        counts = Counter(self._drawn(i) for i in range(len(self.items)))
        drawn = sorted(counts)
        ids = {c: f"n{k}" for k, c in enumerate(drawn)}
        together, inside = self._leaves()
        sizes: dict[int, list[int]] = {}
        for n, c in inside.items():
            if counts[c] == 1 or any(self.item_of[self.at[m]] == c for m in self._users(n)):
                sizes.setdefault(c, []).append(math.prod(n.shape))
        where = self._clusters(drawn)
        merged: dict[int, list[int]] = {}
        for i in range(len(self.items)):
            c = self._drawn(i)
            if c != i:
                merged.setdefault(c, []).append(i)
        for c in drawn:
            box = self._box(c, ids[c], counts[c], sizes.get(c, []), merged.get(c, []))
            box.cluster = where[c]
            graph.boxes.append(box)
        box_of: dict[Node, str] = {}
        for key, nodes in together.items():
            box = self._leaf(nodes, f"n{len(graph.boxes)}")
            users = {c for c, _, _ in key} if isinstance(key, frozenset) else self._using(nodes[0])
            early = [c for c in users if not self.items[c].backward]
            box.cluster = self._meet([where[c] for c in sorted(early)])
            if box.kind == "input" and not any(id(n) in self.names.owners for n in nodes):
                box.cluster = 0
            if len(nodes) == 1:
                box.cluster = self._outside_of_repetitions(box.cluster)
            graph.boxes.append(box)
            for n in nodes:
                box_of[n] = box.id
        self._edges(ids, box_of)
        return graph

    def _users(self, n: Node) -> list[Node]:
        """The operations that read a leaf."""
        if not self.readers:
            for node in self.ops:
                for source in node.inputs:
                    if source.op is None and source.__class__ is not Const:
                        self.readers.setdefault(source, []).append(node)
        return self.readers.get(n, [])

    def _using(self, n: Node) -> set[int]:
        return {self._drawn(self.item_of[self.at[m]]) for m in self._users(n)}

    def _clusters(self, drawn: list[int]) -> dict[int, int]:
        """Frames of modules, a new one for each call, and of what is repeated; the frame of each item."""
        clusters = self.graph.clusters
        stack: list[tuple[Any, int]] = []
        where: dict[int, int] = {}
        calls: Counter[Any] = Counter()
        labels: dict[tuple[int, int], tuple[int, Path, str]] = {}
        for a, b, times in self.frames:
            inner = [self.items[i].owner for i in range(a, b)]
            second = [self.items[i].owner for i in range(b, 2 * b - a)]
            shared = common(inner)
            level = len(common([*inner, *second]))
            label = f"repeated × {times}"
            if len(shared) > level:
                last = self.items[a + (times - 1) * (b - a)].owner[: len(shared)]
                label = f"{'.'.join(shared)} … {'.'.join(last)}   × {times}"
            labels[a, b] = (level, shared, label)
        opened = 0
        open_frames: list[tuple[int, int, int]] = []
        for c in drawn:
            item = self.items[c]
            open_frames = [f for f in open_frames if f[1] > c]
            while opened < len(self.frames) and self.frames[opened][0] <= c:
                if self.frames[opened][1] > c:
                    open_frames.append(self.frames[opened])
                opened += 1
            owner = item.owner[:-1] if item.group is not None else item.owner
            shown = owner
            for a, b, _ in open_frames:  # what differs in the next repetition
                again = self.items[c + b - a].owner
                shown = tuple(x if x == y else "*" for x, y in zip(shown, again, strict=False))
            keys: list[Any] = [("module", owner[: k + 1], item.backward) for k in range(len(owner))]
            for a, b, _ in open_frames:
                level, shared, _ = labels[a, b]
                key = ("repeated", a, b)
                kept = [k for k in keys if k[0] != "module" or len(k[1]) <= level or len(k[1]) > len(shared)]
                at = sum(1 for k in kept if k[0] != "module" or len(k[1]) <= level)
                keys = [*kept[:at], key, *kept[at:]]
            depth = 0
            while depth < len(keys) and depth < len(stack) and stack[depth][0] == keys[depth]:
                depth += 1
            del stack[depth:]
            for key in keys[depth:]:
                parent = stack[-1][1] if stack else 0
                calls[key] += 1
                if key[0] == "repeated":
                    label, kind = labels[key[1], key[2]][2], "repeated"
                else:
                    path = key[1]
                    name = ".".join(shown[: len(path)])
                    label, kind = f"{name}: {self.names.classes.get(path, '')}", "module"
                    if calls[key] > 1:
                        label += f", part {calls[key]}"
                if item.backward:
                    label += ", backward"
                clusters.append(Cluster(len(clusters) + 1, parent, label, kind, item.backward))
                stack.append((key, len(clusters)))
            where[c] = stack[-1][1] if stack else 0
        return where

    def _meet(self, clusters: Sequence[int]) -> int:
        """The innermost frame around several."""
        lines = []
        for c in dict.fromkeys(clusters):
            line = [c]
            while c:
                c = self.graph.clusters[c - 1].parent
                line.append(c)
            lines.append(tuple(str(x) for x in reversed(line)))
        shared = common(lines)
        return int(shared[-1]) if shared else 0

    def _outside_of_repetitions(self, cluster: int) -> int:
        """The frame for what is the same each time."""
        at = found = cluster
        while at:
            frame = self.graph.clusters[at - 1]
            at = frame.parent
            if frame.kind == "repeated":
                found = at
        return found

    def _place(self, node: Node) -> str:
        key = (node.code, node.lasti)
        found = self.places.get(key)
        if found is None:
            found = self.places[key] = errors.place(*key)
        return found

    def _size(self, shape: tuple[int, ...]) -> str:
        found = self.sizes.get(shape)
        if found is None:
            found = self.sizes[shape] = values.size(shape)
        return found

    def _box(self, c: int, name: str, count: int, sizes: list[int], others: list[int]) -> Box:
        item = self.items[c]
        node = self.ops[item.stop - 1]
        if item.group is not None or item.chunk:
            return self._group(item, name, count, sizes)
        title = call_text(node)
        if any(call_text(self.ops[self.items[i].start]) != title for i in others):
            title = f"{node.op.name}(…)" if node.op is not None else title
        kind = "step" if item.backward else "result" if node in self.roots else "op"
        made = node
        lines: list[str] = []
        if item.backward and self.passed is not None:
            made = self.passed.of.get(node, node)
            whose = self.passed.heads.get(node, [])
            named = [f"∂ {self._name(n)}" for n in whose if self._name(n)]
            if any(n.op is None for n in whose):
                kind = "gradient"
            if named:
                head = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
                title, lines = (head if count == 1 else generic([head])), [title]
        elif self._name(node):
            title, lines = f"{self._name(node)} = {title}", []
        return self._told(Box(name, kind, title, lines, "", 0, count, item.backward), node, made)

    def _group(self, item: Item, name: str, count: int, sizes: list[int]) -> Box:
        operations = item.stop - item.start
        inside = Counter(n.op.name for n in self.ops[item.start : item.stop] if n.op is not None)
        told = ", ".join(f"{k} {op}" if k > 1 else op for op, k in inside.most_common(4))
        rest = sum(inside.values()) - sum(k for _, k in inside.most_common(4))
        told += f", {rest} more" if rest else ""
        if item.group is not None:
            title = ".".join(item.group)
            title = generic([title]) if count > 1 else title
            lines = [self.names.classes.get(item.group, "")]
        else:
            title, lines = f"{operations:,} operations", []
        if item.backward:
            title += ", backward"
        lines.append(told)
        if sizes:
            lines.append(f"{sum(sizes):,} parameters")
        tip = [title, f"{operations:,} operations: {told}", self._place(self.ops[item.start])]
        return Box(name, "module", title, lines, "\n".join(tip), 0, count, item.backward)

    def _told(self, box: Box, node: Node, made: Node) -> Box:
        """Adds to a box what is asked for, and to its tooltip all that is known."""
        show, single = self.show, box.count == 1
        tip = [box.title, *box.lines]
        shape, dtype = self._size(node.shape), self.dtypes.get(node.dtype)
        if dtype is None:
            dtype = self.dtypes[node.dtype] = str(node.dtype)
        tip.append(f"shape {shape}, {dtype}")
        if node.op is None or box.kind == "result" or "dtype" in show:
            line = [shape] if "shape" in show else []
            line += [dtype] if "dtype" in show else []
            if line:
                box.lines.append(", ".join(line))
        gradient = self._gradient(node)
        whose = self.passed.heads.get(node, []) if self.passed is not None and box.backward else []
        if (
            ("value" in show or ("grad" in show and whose))
            and single
            and (node.op is not None or node.tensor is not None)
        ):
            array = self.known.get(node)
            if array is None and whose and self.passed is not None:
                array = self.passed.gradients[whose[0]]
            if array is None and node.op is None and node.tensor is not None:
                t = node.tensor()
                array = None if t is None else t._array
            if array is not None:
                told = values.text(array)
                box.lines.append(told)
                tip.append(f"value {told}")
        if gradient is not None and "grad" in show and single:
            told = values.text(gradient)
            box.lines.append(f"grad {told}")
            tip.append(f"gradient {told}")
        if node.op is not None:
            n = sum(a.nbytes for a in node.saved if hasattr(a, "nbytes")) if node.saved else 0
            told = values.byte_count(n)
            if node.saved.__class__ is not tuple:
                tip.append("its saved arrays were freed by a backward pass")
            elif n:
                tip.append(f"saves {told} for backward")
            if "saved" in show and n:
                box.lines.append(f"saves {told}")
            place = self._place(made)
            if made is not node and made.op is not None:
                tip.append(f"backward of {made.op.name} at {place}")
            else:
                tip.append(f"at {place}")
            if "line" in show:
                box.lines.append(place)
        if box.count > 1:
            tip.append(f"{box.count} times")
        box.tip = "\n".join(tip)
        return box

    def _gradient(self, node: Node) -> Any:
        if self.passed is not None and node in self.passed.gradients:
            return self.passed.gradients[node]
        t = self.names.tensors.get(id(node), self.roots.get(node))
        if t is None and node.op is None and node.tensor is not None:
            t = node.tensor()
        return None if t is None or t._grad is None else t._grad._array

    def _name(self, node: Node) -> str:
        return self.names.of.get(id(node), "")

    def _leaf(self, nodes: list[Node], name: str) -> Box:
        node = nodes[0]
        parameter = node.requires_grad
        kind = "parameter" if parameter else "input"
        if self._is_seed(node):
            kind = "seed"
            result = next(
                t for t, n in zip(self.results_with_record(), self.seeds(), strict=True) if n is node
            )
            title = f"∂ {self._name(result._node) or 'result'}"
            box = Box(name, kind, title, [], "", 0, 1, True)
            return self._told(box, node, node)
        titles = [self._name(n) or ("parameter" if parameter else "input") for n in nodes]
        box = Box(name, kind, titles[0] if len(nodes) == 1 else generic(titles), [], "", 0, len(nodes))
        if len(nodes) > 1:
            box.lines.append(f"{len(nodes)} of them")
        if node in self.roots:
            box.lines.append("drawn alone: nothing was computed")
        return self._told(box, node, node)

    def results_with_record(self) -> list[Any]:
        """The results that backward starts from."""
        return [t for t in self.results if t._node is not None and t._node.requires_grad]

    def seeds(self) -> list[Node]:
        """The leaves that backward starts from, in the order of the results."""
        return [] if self.passed is None else self.passed.seeds

    def _edges(self, ids: dict[int, str], box_of: dict[Node, str]) -> None:
        found: dict[Any, Edge] = {}
        grouped = [item.group is not None or item.chunk for item in self.items]
        for k, node in enumerate(self.ops):
            i = self.item_of[k]
            c = self._drawn(i)
            target = ids[c]
            late = self.items[i].backward
            for slot, n in enumerate(node.inputs):
                if n.__class__ is Const:
                    continue
                kind = "gradient" if late else "use"
                if n.op is None:
                    source = box_of.get(n)
                    if source is None:
                        continue  # a parameter of a module that is one box
                    position: Any = ("leaf", k - self.items[i].start, slot)
                    if late and not self._is_seed(n):
                        kind = "saved"
                else:
                    j = self.item_of[self.at[n]]
                    if j == i:
                        continue
                    d = self._drawn(j)
                    source = ids[d]
                    position = (self.at[n] - self.items[j].start, k - self.items[i].start, slot)
                    if grouped[i]:
                        position = position[0]
                    if late and not self.items[j].backward:
                        kind = "saved"
                    elif j < i and d >= c:
                        kind = "next"  # from one repetition to the following one
                key = (source, target, position, kind)
                edge = found.get(key)
                if edge is None:
                    label = self._size(n.shape) if "shape" in self.show else ""
                    found[key] = Edge(source, target, label, kind, 1, f"e{len(found)}")
                else:
                    edge.count += 1
        self.graph.edges.extend(found.values())


def generic(names: list[str]) -> str:
    """One name for several: digits that stand as parts of their own, and differ, become ``*``."""
    if len(names) == 1:
        parts = [["*" if p.isdigit() else p for p in names[0].split(".")]]
    else:
        split = [n.split(".") for n in names]
        if len({len(s) for s in split}) > 1:
            return f"{names[0]} …"
        parts = [[a[0] if len(set(a)) == 1 else "*" for a in zip(*split, strict=True)]]
    return ".".join(parts[0])


def call_text(node: Node) -> str:
    """An operation with its numbers and parameters: ``mul(·, 2.0)``, ``sum(dim=1)``."""
    op = node.op
    if op is None:
        return ""
    told: list[str] = []
    if any(n.__class__ is Const for n in node.inputs):
        told = [values.number(n.value) if n.__class__ is Const else "·" for n in node.inputs]
    for name, value in node.params.items():
        if name in ("ctx", "outputs", "arguments") or value is None or value is False or value == ():
            continue
        text = f"[{_index(value)}]" if name == "index" else f"{name}={_parameter(value)}"
        told.append(text if len(text) <= 32 else text[:31] + "…")
    return f"{op.name}({', '.join(told)})" if told else op.name


def _parameter(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple) and value and isinstance(value[0], Op):
        return value[0].name  # a step of the way to a view
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(_parameter, value))
        return f"({inner},)" if len(value) == 1 and isinstance(value[0], (int, str)) else f"({inner})"
    return str(value) if isinstance(value, (bool, int, str, np.dtype, dtype, type(None))) else "…"


def _index(value: object) -> str:
    """What stands between brackets: ``1:, ::2``."""
    if isinstance(value, (tuple, list)):
        return ", ".join(map(_index, value))
    if isinstance(value, slice):
        start, stop, step = ("" if n is None else str(n) for n in (value.start, value.stop, value.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return "..." if value is Ellipsis else _parameter(value)

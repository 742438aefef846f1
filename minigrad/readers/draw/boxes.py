"""What is written in boxes, and in their tooltips."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence

from minigrad import errors
from minigrad.core.node import Node, Packed
from minigrad.readers import values
from minigrad.readers.draw.graph import Box
from minigrad.readers.draw.groups import Groups, Item, Leaf
from minigrad.readers.draw.records import Records, name_of


class Labels:
    """Makes the boxes of a drawing: ``show`` says what stands in them beside names; tooltips say everything."""

    def __init__(self, records: Records, show: frozenset[str]) -> None:
        self.records, self.show = records, show
        self.arrays = records.values() if "value" in show else {}
        self.place = functools.cache(errors.place)
        self.size = functools.cache(values.size)
        self.dtype = functools.cache(str)  # NumPy takes 10 µs to name one

    def item(self, groups: Groups, c: int, name: str, repetitions: Sequence[int]) -> Box:
        """The box of an item and of its repetitions, which are items too."""
        item, count = groups.items[c], 1 + len(repetitions)
        if item.several:
            return self._group(item, name, count, groups.sizes.get(c))
        ops = self.records.ops
        node = ops[item.start]
        title = values.call(node)
        lines: list[str] = []
        if any(values.call(ops[groups.items[i].start]) != title for i in repetitions):
            title = f"{values.name_of(node)}(…)"
        title = values.cut(title, values.LONGEST)
        kind = "step" if item.backward else "result" if node in self.records.roots else "op"
        if item.backward:
            heads = self.records.backward.heads.get(node, [])
            names = [f"∂ {head}" for head in map(self.records.title, heads) if head]
            if any(n.op is None for n in heads):
                kind = "gradient"
            if names:
                head = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
                title, lines = (head if count == 1 else generic([head])), [title]
        elif own := self.records.name(node):
            title = f"{own} = {title}"
        return self._described(Box(name, kind, title, lines, "", 0, count, item.backward), node)

    def leaf(self, leaf: Leaf, name: str) -> Box:
        """The box of a leaf, or of several that are used alike."""
        node, count = leaf.nodes[0], len(leaf.nodes)
        result = self.records.backward.seeds.get(node)
        if result is not None:
            title = f"∂ {self.records.name(result) or 'result'}"
            return self._described(Box(name, "seed", title, [], "", 0, 1, True), node)
        kind = "parameter" if node.requires_grad else "input"
        called = self.records.title if count == 1 else self.records.name
        titles = [called(n) or kind for n in leaf.nodes]
        box = Box(name, kind, titles[0] if count == 1 else generic(titles), [], "", 0, count)
        if count > 1:
            box.lines.append(f"{count} of them")
        if node in self.records.roots:
            box.lines.append("drawn alone: nothing was computed")
        return self._described(box, node)

    def _group(self, item: Item, name: str, count: int, elements: int | None) -> Box:
        """The box of a module, or of neighbours."""
        ops = self.records.ops[item.start : item.stop]
        named = {name_of(n): n for n in ops}
        usual = [(values.name_of(named[op]), k) for op, k in Counter(map(name_of, ops)).most_common(4)]
        content = ", ".join(values.cut(f"{k} {op}" if k > 1 else op, values.LONG) for op, k in usual)
        rest = len(ops) - sum(k for _, k in usual)
        content += f", {rest} more" if rest else ""
        lines = [content] if elements is None else [content, f"{elements:,} parameters"]
        if item.group is None:
            title = f"{len(ops):,} operations"
        else:
            title = ".".join(item.group)
            title = generic([title]) if count > 1 else title
            lines.insert(0, self.records.names.classes.get(item.group, ""))
        if item.backward:
            title += ", backward"
        tip = [title, f"{len(ops):,} operations: {content}", self._line(ops[0])]
        return Box(name, "module", title, lines, "\n".join(tip), 0, count, item.backward)

    def _line(self, node: Node) -> str:
        return self.place(node.code, node.lasti)

    def _described(self, box: Box, node: Node) -> Box:
        """Adds to a box what is asked for, and to its tooltip all that is known."""
        show = self.show
        tip = [box.title, *box.lines]
        if len(call := values.call(node)) > values.LONGEST:
            tip.append(call)
        if node.shape is not None:  # a Function of several results has none of its own
            facts = {"shape": self.size(node.shape), "dtype": self.dtype(node.dtype)}
            tip.append(f"shape {facts['shape']}, {facts['dtype']}")
            if node.op is None or box.kind == "result" or "dtype" in show:
                box.lines += [", ".join(facts[k] for k in facts if k in show)] if show & facts.keys() else []
        if box.count == 1:
            self._numbers(box, tip, node)
        if node.op is not None:
            if held := values.parts_of(node):
                tip.append(f"holds {held}, one behind the other")
            self._origin(box, tip, node)
        if box.count > 1:
            tip.append(f"{box.count} times")
        box.tip = "\n".join(tip)
        return box

    def _numbers(self, box: Box, tip: list[str], node: Node) -> None:
        """The value and the gradient, where they are known and asked for."""
        gradients = self.records.backward.gradients
        heads = self.records.backward.heads.get(node, []) if box.backward else []
        asked = "value" in self.show or ("grad" in self.show and heads)
        if asked and (node.op is not None or node.tensor is not None):
            array = self.arrays.get(node)
            if array is None and heads:
                array = gradients[heads[0]]
            elif array is None:
                t = self.records.tensor(node)
                # A Tensor that was changed in place has another record, and another value.
                array = t._array if t is not None and t._node is node else getattr(node, "few", None)
            if array is not None:
                text = values.text(array)
                box.lines.append(text)
                tip.append(f"value {text}")
        gradient = self.records.gradient(node) if "grad" in self.show else None
        if gradient is not None:
            text = values.text(gradient)
            box.lines.append(f"grad {text}")
            tip.append(f"gradient {text}")

    def _origin(self, box: Box, tip: list[str], node: Node) -> None:
        """What an operation keeps for backward, and the line that it was called in."""
        if isinstance(node.saved, Packed):
            tip.append("what it saves for backward is kept by hooks, or computed again")
        elif node.saved.__class__ is not tuple:
            tip.append("its saved arrays were freed by a backward pass")
        elif n := sum(a.nbytes for a in node.saved if hasattr(a, "nbytes")):
            text = f"saves {values.byte_count(n)}"
            tip.append(f"{text} for backward")
            if "saved" in self.show:
                box.lines.append(text)
        source = self.records.source(node)
        line = self._line(source)
        tip.append(f"at {line}" if source is node else f"backward of {values.name_of(source)} at {line}")
        if "line" in self.show:
            box.lines.append(line)


def generic(names: Sequence[str]) -> str:
    """One name for several: digits that stand as parts of their own, and differ, become ``*``."""
    split = [re.split(r"([.\[\]:, ]+)", name) for name in names]
    if len(split) == 1:
        return "".join("*" if part.isdigit() else part for part in split[0])
    # What stands between them is the same in all: `x[0]` and `x.0` have no name in common.
    if len({(*parts[1::2],) for parts in split}) > 1:
        return f"{names[0]} …"
    return "".join(parts[0] if len(set(parts)) == 1 else "*" for parts in zip(*split, strict=True))

"""What is drawn: the records behind the results, and those of a backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.core.node import Const, Node
from minigrad.core.tensor import Tensor
from minigrad.readers.draw.backward import Pass
from minigrad.readers.draw.modules import Names, Path, owners

NO_PASS = Pass([], {}, {}, {}, {})


class Records:
    """Operations in recording order, those of a backward pass behind the others, and what is known of them."""

    def __init__(
        self, results: Sequence[Tensor], forward: list[Node], names: Names, backward: Pass = NO_PASS
    ) -> None:
        self.names, self.backward = names, backward
        self.roots = {t._node: t for t in results if t._node is not None}
        self.ops = [n for n in forward if n.op is not None]
        self.owner: list[Path] = owners(self.ops, names)
        self.first_backward = len(self.ops)
        known = set(forward)
        self.ops += [n for n in backward.records if n.op is not None and n not in known]
        self.at = {n: i for i, n in enumerate(self.ops)}
        for n in self.ops[self.first_backward :]:
            source = backward.of.get(n)
            self.owner.append(self.owner[self.at[source]] if source in self.at else ())

    def name(self, node: Node) -> str:
        """The name that the user has for the value of a record."""
        return self.names.of.get(id(node), "")

    def title(self, node: Node) -> str:
        """That name, or the number of a leaf that has none."""
        return self.name(node) or self.names.inputs.get(node, "")

    def source(self, node: Node) -> Node:
        """The operation whose rule made a step of backward; any other record itself."""
        return self.backward.of.get(node, node)

    def tensor(self, node: Node) -> Tensor | None:
        """The Tensor of a record, if it is named, a result, or a leaf that is still alive."""
        t = self.names.tensors.get(id(node), self.roots.get(node))
        if t is None and node.op is None and node.tensor is not None:
            t = node.tensor()
        return t

    def gradient(self, node: Node) -> Any:
        """The array of a record's gradient: that of the backward pass that is drawn, or ``.grad``."""
        if node in self.backward.gradients:
            return self.backward.gradients[node]
        t = self.tensor(node)
        return None if t is None or t._grad is None else t._grad._array

    def values(self) -> dict[Node, Any]:
        """The arrays that the tape still holds, by the record of their values."""
        arrays: dict[Node, Any] = {}
        for node in self.ops:
            if node.saved.__class__ is tuple and node.saved:
                count = len(node.inputs)
                for k, a in zip(node.layout.keep, node.saved, strict=False):
                    arrays[node if k == count else node.inputs[k]] = a
        for node, t in self.roots.items():
            arrays[node] = t._array
        for t in self.names.tensors.values():
            if t._node is not None:
                arrays[t._node] = t._array
        return arrays


def is_leaf(n: Node | Const) -> bool:
    """Whether an input of an operation is a leaf: no operation, and no plain number."""
    return n.op is None and n.__class__ is not Const


def name_of(node: Node) -> str:
    """The name of a record's operation."""
    return "" if node.op is None else node.op.name

"""The leaves of a transform of functions, and what of its records others may see."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.autograd.products import bare, node_of
from minigrad.core.mode import MODE
from minigrad.core.node import Node, next_seq
from minigrad.core.tensor import Tensor, leaf
from minigrad.errors import here, runtime_error, value_error
from minigrad.ops.shape import alias


class Level:
    """The leaves of one transform, and which of its records others may see. Created before recording is turned on."""

    def __init__(self) -> None:
        # whether results may depend on Tensors that other graphs compute
        self.recording = MODE.get().grad
        self.nodes: list[Node] = []
        # the record that each leaf stands for; None for one outside of any graph
        self.outer: list[Node | None] = []
        # leaves that no other graph leads to
        self.own: set[Node] = set()
        # between these moments the function runs: leaves made then, those of inner levels too, are nobody else's
        self.since = self.until = next_seq()

    def enter(self, x: object) -> Tensor:
        """A leaf that stands for ``x``, over the same memory."""
        if not isinstance(x, Tensor):
            raise value_error(
                f"Thing passed to transform API must be Tensor, got {type(x).__name__}; use minigrad.tensor(...)"
            )
        x_node = node_of(x) if self.recording else None
        inside = bare(x)
        if inside._array.dtype.kind not in "fcV":
            raise runtime_error(
                f"only Tensors of floating point and complex dtype can require gradients, this one is {inside.dtype}"
            )
        node = leaf(inside, True)
        self.nodes.append(node)
        self.outer.append(x_node)
        if x_node is None:
            self.own.add(node)
        elif (recorder := MODE.get().recorder) is not None:
            recorder.enters(node, x_node)
        return inside

    def leave(self) -> None:
        """Ties the leaves to what they stand for."""
        self.until = next_seq()
        for node, outer in zip(self.nodes, self.outer, strict=True):
            if outer is not None:
                node.op, node.inputs, node.tensor = alias, (outer,), None
                node.layout = alias.layout((True,))  # type: ignore[assignment]
                node.code, node.lasti = here()

    def leads_out(self, tensors: Sequence[Tensor], own: set[Node] | None = None) -> bool:
        """Whether a gradient can flow from the Tensors to a leaf outside of this level.

        If not, all records behind them are added to ``own``, which spares the next question the walk.
        """
        known = self.own if own is None else own
        todo = [n for n in map(node_of, tensors) if n is not None and n not in known]
        seen = set(todo)
        while todo:
            node = todo.pop()
            if node.op is None and not self.since < node.seq < self.until:
                return True
            for n in node.inputs:
                if n.requires_grad and n not in seen and n not in known:
                    seen.add(n)
                    todo.append(n)
        if own is not None:
            own |= seen
        return False

    def show(self, tensors: Sequence[Tensor], create: bool) -> list[Tensor]:
        """The Tensors as a caller sees them: without history, where that leads to this level alone."""
        own = set(self.own)
        return [t if create and self.leads_out([t], own) else bare(t) for t in tensors]

"""A backward pass that is recorded and leaves no trace: gradients, and the operation whose rule made each step."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import engine
from minigrad.core.mode import Mode, ModeManager
from minigrad.core.node import Node, next_seq, tape
from minigrad.core.tensor import leaf, wrap


class Pass(NamedTuple):
    """A recorded backward pass."""

    records: list[Node]  # of the pass, with those of the forward part that it reads
    of: dict[Node, Node]  # for a step of the pass, the forward operation whose rule made it
    gradients: dict[Node, Any]  # for a forward record, the array of its gradient
    heads: dict[Node, list[Node]]  # for a record of the pass, the forward records whose gradient it is
    seeds: dict[Node, Node]  # for a leaf from which the pass starts, the result whose gradient it is


def record(results: Sequence[Any], forward: list[Node]) -> Pass:
    """Runs backward from ``results`` with its steps recorded; no ``.grad`` changes, and no hook is called."""
    roots = [t._node for t in results]
    seeds = [wrap(np.ones(t._array.shape, t._array.dtype)) for t in results]
    seed_nodes = [leaf(t, requires_grad=True) for t in seeds]
    targets = [n for n in forward if n.op is None and n.requires_grad]
    begun: list[tuple[int, Node]] = []
    gradients: dict[Node, Any] = {}
    heads: dict[Node, list[Node]] = {}

    def watcher(node: Node) -> Any:
        def watch(g: Any) -> None:
            begun.append((next_seq(), node))
            note(node, g)

        return watch

    def note(node: Node, g: Any) -> None:
        if hasattr(g, "_array"):
            gradients[node] = g._array
            if g._node is not None:
                heads.setdefault(g._node, []).append(node)

    watched = [n for n in forward if n.requires_grad]
    hooks = [n.hooks for n in watched]
    try:
        # records also what is done to arrays that carry no gradient
        with ModeManager(Mode(everything=True, hooks=False)):
            for node in watched:
                node.hooks = {0: watcher(node)}
            engine.run(roots, seeds, targets, keep=True, create=True)
    finally:
        for node, own in zip(watched, hooks, strict=True):
            node.hooks = own
    records = tape([*heads, *seed_nodes])
    known = set(forward)
    starts = [seq for seq, _ in begun]
    of: dict[Node, Node] = {}
    for n in records:
        if n.op is not None and n not in known:
            at = bisect_right(starts, n.seq) - 1
            if at >= 0:
                of[n] = begun[at][1]
    return Pass(records, of, gradients, heads, dict(zip(seed_nodes, roots, strict=True)))

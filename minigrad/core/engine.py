"""Reverse mode: the tape walked backwards, in one loop for arrays and for Tensors."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.buffers import is_view
from minigrad.core import changes, hooks
from minigrad.core.gradients import (
    Each,
    Lean,
    Part,
    Watch,
    accumulate,
    call_after,
    call_hooks,
    fit,
    in_turn,
    own,
    takes,
)
from minigrad.core.hooks import AFTER, AT_END, After, Before
from minigrad.core.layout import Totals, arguments
from minigrad.core.mode import MODE
from minigrad.core.node import Const, Freed, Node, Packed, differentiable, new
from minigrad.core.tensor import Tensor, wrap


def run(
    roots: Sequence[Node],
    seeds: Sequence[Any],
    targets: Sequence[Node] | None = None,
    keep: bool = False,
    create: bool = False,
) -> dict[Node, Any]:
    """Propagates ``seeds``, the gradients of ``roots``, to the leaves.

    With ``create`` gradients are Tensors and every step is recorded; otherwise they are arrays (where a whole
    function is recorded, Tensors that do not require grad).  Without ``targets`` the gradients are added to ``.grad``
    of the leaves.  With them nothing is: the pass is limited to what leads to those nodes, whose gradients it returns.
    """
    # In a context of its own, with which its modes go, those of NumPy too, however the pass ends.
    return contextvars.copy_context().run(_run, roots, seeds, targets, keep, create)


def _run(
    roots: Sequence[Node], seeds: Sequence[Any], targets: Sequence[Node] | None, keep: bool, create: bool
) -> dict[Node, Any]:
    np.errstate(all="ignore").__enter__()  # in half the time of np.seterr, which tells what there was
    at_end: list[Callable[[], object]] = []
    AT_END.set(at_end)
    mode = MODE.get()
    order = differentiable(roots)
    p = Pass(mode, None if targets is None else set(targets), create)
    if p.ends is not None:
        order = p.select(order)
    p.seed(roots, seeds)
    # What is recorded must be whole, to be read again, and compute as over arrays, which no autocast reaches.
    inside = (
        mode.replace(grad=create, everything=True, autocast=None, backward=True)
        if p.record
        else mode.recording(False)
    )
    MODE.set(inside)
    freed = None if keep else Freed(*errors.here())
    if p.recorder is None:
        p.walk(order, freed)
    else:
        with p.recorder.backward(roots, p.ends or set()):
            p.walk(order, freed)
    for call in at_end:
        call()
    return p.results


class Pass:
    """A backward pass: the gradients on their way, by the record that they have reached, and who may hold them."""

    __slots__ = ("ends", "grads", "leads", "owned", "record", "recorder", "results", "shared", "watch")

    def __init__(self, mode: Any, ends: set[Node] | None, create: bool) -> None:
        self.grads: dict[Node, Any] = {}
        self.shared: set[Node] = set()  # whose gradient may be another array too, or a part of one
        self.owned = Totals()  # whose gradient array the pass itself has computed, by an addition
        self.ends = ends  # the records whose gradients are returned; None: gradients are added to leaves
        self.leads: set[Node] | None = None  # the records that lead to the ends, and these
        self.results: dict[Node, Any] = {}
        self.recorder = mode.recorder
        self.record = create or mode.recorder is not None  # gradients are Tensors
        self.watch = Watch(mode.anomaly) if mode.anomaly.__class__ is list else None

    def select(self, order: list[Node]) -> list[Node]:
        """The records among ``order`` that lead to the ends."""
        leads = self.leads = set(self.ends or ())
        for node in order:
            if any(n in leads for n in node.inputs):
                leads.add(node)
        return [node for node in order if node in leads]

    def seed(self, roots: Sequence[Node], seeds: Sequence[Any]) -> None:
        """The gradients that the pass starts with; their arrays are the caller's."""
        for node, g in zip(roots, seeds, strict=True):
            if self.record:
                g = wrap(g)
            self.grads[node] = self.grads[node] + g if node in self.grads else g
            self.shared.add(node)

    def walk(self, order: list[Node], freed: Freed | None) -> None:
        """Sends the gradients of the records, the last first, to their inputs, and in the end to the leaves.

        Leaves with hooks get theirs as soon as it is complete.
        """
        turns = in_turn(order) if hooks.ON_LEAVES else None
        for node in reversed(order):
            g = self.grads.pop(node, None)
            if g is None:
                continue
            if node.hooks is not None:
                self.send_by_hooks(node, self.hooked(node, g), freed)
            elif self.leads is None or not self.ends_at(node, g):
                self.send(node, g)
                if freed is not None and node.saved:
                    node.saved = freed
            if turns is not None:
                for leaf in turns.get(node, ()):
                    if leaf in self.grads and (self.ends is None or leaf in self.ends):
                        self.settle(leaf, self.grads.pop(leaf))
        self.deposit()

    def hooked(self, node: Node, g: Any) -> Any:
        """The gradient after the hooks of a Tensor. One of them may keep it, or return what stands elsewhere too."""
        self.shared.add(node)
        return call_hooks(node, g, self.record)

    def send(self, node: Node, g: Any, unpacked: Any = None) -> None:
        """Calls the rules of a record on its gradient, and adds what they return to the gradients of its inputs.

        ``unpacked`` stands for what it saved, where that is kept elsewhere.
        """
        saved, inputs, layout = node.saved, node.inputs, node.layout
        if type(saved) is tuple:
            if changes.last_change > node.seq:
                changes.check_unchanged(node)
        elif unpacked is None:
            self.send_packed(node, g)
            return
        else:  # it was looked for changes in place when it was unpacked
            saved = unpacked
        record, leads = self.record, self.leads
        if record:
            saved = self.lifted(node, g, saved)
        consume, adds = layout.consume, layout.adds if self.watch is None else None
        if consume is not None and not self.alone(node, g):
            consume = None
        if layout.joint is not None:
            _, rule, _, sources = layout.joint
            parts = rule(g, *arguments(node, saved, sources))
        for i, rule, place, sources in layout.steps:
            x = inputs[i]
            if leads is not None and x not in leads:
                continue
            if adds is not None and x in self.owned and self.owned.take_part(x, self.grads.get(x), g):
                adds(self.grads[x], g, *arguments(node, saved, sources))
                continue
            if place is not None:
                d = (consume or rule)(g, saved[place])
            elif rule is not None:
                d = rule(g, *arguments(node, saved, sources))
            else:
                d = parts[i]
            if d is None:
                continue
            if self.watch is not None:
                self.watch(node, d, i)
            array = d._array if record and type(d) is not Part else d
            if array.shape != x.shape or array.dtype is not x.dtype:
                if x.shape is None:
                    d.add_to(self.grads, x)
                    continue
                d = fit(d, x)
                array = d._array if record else d
            before = self.grads.get(x)
            if before is None:
                self.grads[x] = d
                if (
                    (rule is None and not layout.fresh)
                    or (d is g and consume is None)
                    or (array.base is not None and is_view(array))
                ):
                    self.shared.add(x)
            elif x in self.owned:
                before += d
            else:
                self.add(x, before, d)

    def send_packed(self, node: Node, g: Any) -> None:
        """As `send`, with arrays that are kept elsewhere. RuntimeError where a pass has freed them."""
        packed = node.saved
        if not isinstance(packed, Packed):
            raise errors.freed(node)
        # The record stays as it is, for other threads may walk over it. What a Function saved its backward asks for.
        self.send(node, g, () if node.op is None or node.op.opaque else packed.arrays(node))

    def send_by_hooks(self, node: Node, g: Any, freed: Freed | None) -> None:
        """As `send`, with the hooks of the record, which see what comes to it and what its inputs get."""
        if self.leads is not None and self.ends_at(node, g):
            return
        g = call_hooks(node, g, self.record, Before)
        if g is None:
            call_after(node, g, [], self.record)
        elif any(type(hook) is After for hook in (node.hooks or {}).values()):
            grads, self.grads = self.grads, (own := Each())
            try:
                self.send(node, g)
            finally:
                self.grads = grads
            for x, d in call_after(node, g, own.each, self.record):
                self.shared.add(x)
                self.owned.pop(x, None)
                self.grads[x] = d if x not in grads else grads[x] + d
        else:
            self.send(node, g)
        if freed is not None and node.saved:
            node.saved = freed

    def add(self, x: Node, before: Any, d: Any) -> None:
        """The second gradient that reaches a record is added to the first, in a new array."""
        self.grads[x] = total = before + d
        self.shared.discard(x)
        # A sum of numbers is not an array to add to in place, and of one that does not lie row by row the next sum may
        # lie otherwise: a recorded pass, which adds to none, must agree.
        if not self.record and d.ndim and total.flags.c_contiguous:
            self.owned[x] = False

    def ends_at(self, node: Node, g: Any) -> bool:
        """Whether the pass ends at a record, which it then leaves as it is; its gradient is returned if asked for."""
        if node not in (self.ends or ()):
            return False
        self.results[node] = own(g) if node in self.shared else g
        return not any(n in (self.leads or ()) for n in node.inputs)

    def alone(self, node: Node, g: Any) -> bool:
        """Whether nothing but the pass holds the gradient of a record, so that a rule may write into it."""
        return (
            type(g) is np.ndarray
            and node.hooks is None
            and node not in self.shared
            and (self.ends is None or node not in self.ends)
        )

    def lifted(self, node: Node, g: Any, saved: Any) -> list[Any]:
        """The saved arrays as Tensors on the tape, so that what a rule does with them is recorded."""
        if self.recorder is not None:
            self.recorder.differentiates(node, g)
        sources = (*node.inputs, node)
        return [
            sources[k].value if type(sources[k]) is Const else wrap(a, sources[k])
            for k, a in zip(node.layout.keep, saved, strict=False)
        ]

    def deposit(self) -> None:
        """What has reached the leaves is added to their ``.grad``, or returned."""
        shared, ends = self.shared, self.ends
        plain = ends is None and not self.record and not MODE.get().inference
        for node, g in self.grads.items():
            # A root that leads to no end is not part of the pass.
            if ends is not None and node not in ends:
                continue
            t: Any = node.tensor() if plain and not node.hooks and node.tensor is not None else None
            if t is None or t._node is not node or type(g) is not np.ndarray:
                self.settle(node, g)
                continue
            d: Any = own(g) if node in shared and t._grad is None else g
            if t._grad is None and d.flags.c_contiguous and t._array.flags.c_contiguous:
                # `accumulate` and `wrap` spelt out for the usual case: a fiftieth of a small step.
                t._grad = grad = new(Tensor)
                grad._array, grad._node, grad._view, grad._rows = d, None, None, True
            else:
                accumulate(node.tensor, d)

    def settle(self, node: Node, g: Any) -> None:
        """Adds a gradient, after the hooks of its leaf, to ``.grad`` of that, or returns it."""
        g = g.tensor() if type(g) is not np.ndarray and isinstance(g, Lean) else g
        if node.hooks and max(node.hooks) > AFTER:
            g = self.hooked(node, g)
        d = own(g) if node in self.shared else g
        t: Any = node.tensor() if node.tensor is not None else None
        if self.ends is not None:
            self.results[node] = d
        elif t is None or t._node is node or takes(t, node):
            accumulate(node.tensor, d)

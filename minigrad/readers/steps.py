"""A computation and its backward pass, step by step, as data: what `explain` prints, and what a drawing's page plays.

Rules run here one at a time, on Tensors whose operations are recorded: the record of a rule is its text, the numbers
are its values.  Nothing that is the user's changes: no hook is called, no ``.grad`` is written.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core import changes
from minigrad.core.changes import check_unchanged
from minigrad.core.gradients import Part, fit
from minigrad.core.layout import arguments
from minigrad.core.mode import Mode, ModeManager
from minigrad.core.node import Const, Freed, Node, Packed, differentiable, next_seq, tape
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.readers import expressions, places, values
from minigrad.readers.amounts import Amount, amount, arrays_of, raw

NOT_KEPT = "not kept"  # of a value that neither the tape nor the program has any more


@dataclass(slots=True)
class Share:
    """What a step sends to one of its inputs."""

    slot: int
    name: str  # of the input
    rule: str  # in the names of the operation's record; "" where it is too long to be read
    local: str  # in the names of the program, with g for the gradient that arrives
    numbers: str  # with numbers, where all are numbers
    sent: Amount
    summed: str = ""  # of what broadcasting repeated: "10 × 64 to 64"
    fitted: Amount | None = None  # after that
    before: Amount | None = None  # what other uses of the input have sent already
    total: Amount | None = None  # both, added


@dataclass(slots=True)
class Step:
    """One operation: forward, and what its rule does with the gradient that arrives."""

    name: str
    operation: str
    expression: str
    numbers: str
    value: Amount | None
    place: str
    line: str
    span: tuple[int, int]  # where in the line its expression begins and ends; 0, 0 where that is not known
    holds: str = ""  # of a vector of several arrays, what it holds
    gradient: Amount | None = None  # None: no gradient arrives
    shares: list[Share] = field(default_factory=list)


@dataclass(slots=True)
class Leaf:
    """What a computation begins with."""

    name: str
    value: Amount | None
    gradient: Amount | None = None  # what backward adds to ``.grad``
    wants: bool = False


@dataclass(slots=True)
class Derivation:
    """All steps, in the order of the forward pass; ``backward`` are their numbers in the order of the backward pass."""

    results: list[str]
    seeds: list[Amount]
    steps: list[Step]
    backward: list[int]
    leaves: list[Leaf]
    hooked: list[str]  # what has hooks, which backward would call


def derivation(
    results: Sequence[Tensor],
    given: Mapping[Node, str],
    digits: int = 4,
    pictured: bool = True,
    held: Sequence[Tensor] = (),
) -> tuple[Derivation, list[Node], list[Node]]:
    """The steps behind results with records, and the records of its steps and of its leaves, in order.

    ``given`` has names; ``pictured``: amounts have pictures; ``held``: Tensors whose values may help. RuntimeError if a
    backward pass freed the graph, or a saved array was changed since.
    """
    roots: list[Any] = list(dict.fromkeys(t._node for t in results))
    records = tape(roots)
    work = _Work(records, [*held, *results], digits, pictured)
    work.names = places.all_named(records, dict(given))
    ops = [n for n in records if n.op is not None]
    leaves = [n for n in records if n.op is None]
    for n in leaves:  # a number without a name is called by its value
        if n not in given and n.shape == () and not n.requires_grad and (number := work.number(n)):
            text = expressions.text(number)
            work.names[n] = f"({text})" if text.startswith("-") else text
    out = Derivation([work.names[n] for n in roots], [], [work.step(n) for n in ops], [], [], [])
    out.hooked += [work.names[n] for n in records if n.hooks and max(n.hooks) >= 0]
    at = {n: i for i, n in enumerate(ops)}
    # In the place of the user's modes, those of NumPy too.
    with np.errstate(all="ignore"), ModeManager(Mode(everything=True, hooks=False)):
        for root in roots:
            if root.requires_grad:
                work.grads[root] = np.ones(root.shape, root.dtype)
                out.seeds.append(work.amount(work.grads[root]))
        for node in reversed(differentiable(n for n in roots if n.requires_grad)):
            g = work.grads.get(node)
            if g is None:
                continue
            out.backward.append(at[node])
            step = out.steps[at[node]]
            step.gradient, step.shares = work.amount(g), work.shares(node, g)
    for n in leaves:
        g = work.grads.get(n)
        gradient = None if g is None else work.amount(g)
        out.leaves.append(Leaf(work.names[n], work.value(n), gradient, n.requires_grad))
    return out, ops, leaves


class _Work:
    """What is known while steps are worked out: values, names, and the gradients so far."""

    names: dict[Node, str]

    def __init__(self, records: list[Node], held: Sequence[Tensor], digits: int, pictured: bool) -> None:
        self.digits, self.pictured = digits, pictured
        self.arrays, self.grads = arrays_of(records, held), dict[Node, Any]()
        # By the identity of an array, which stays alive with it.
        self.known: dict[int, tuple[Any, Amount]] = {}
        self.place = functools.cache(lambda code, lasti: os.path.basename(errors.place(code, lasti)))

    def amount(self, array: Any) -> Amount:
        if id(array) not in self.known:
            self.known[id(array)] = array, amount(array, self.digits, self.pictured)
        return self.known[id(array)][1]

    def value(self, node: Node) -> Amount | None:
        array = self.arrays.get(node)
        if array is None:
            return (
                None
                if node.shape is None
                else Amount(values.size(node.shape) if node.shape else "", NOT_KEPT)
            )
        return self.amount(array)

    def number(self, node: Node | Const) -> expressions.Expr | None:
        """A value that is one number."""
        array = node.value if node.__class__ is Const else self.arrays.get(node)  # type: ignore[arg-type]
        if array is None or np.size(array) != 1:
            return None
        return expressions.number(np.asarray(array).item() if isinstance(node, Node) else array, self.digits)

    def step(self, node: Node) -> Step:
        """The forward part of a step."""
        op: Any = node.op
        numbers = [self.number(n) for n in node.inputs]
        operands = [
            number if x.__class__ is Const else expressions.name(self.names[x])
            for x, number in zip(node.inputs, numbers, strict=True)
        ]
        expression, shown = expressions.text(expressions.applied(node, operands, named=True)), ""
        single = node in self.arrays and self.arrays[node].size == 1
        if single and not op.moves and op.same is None and numbers and None not in numbers:
            shown = expressions.text(expressions.applied(node, numbers))
        where, value = self.place(node.code, node.lasti), self.value(node)
        line, *span = places.line(node.code, node.lasti)
        if value is not None and shown == value.single:
            shown = ""
        at = (span[0], span[1])
        return Step(
            self.names[node], op.name, expression, shown, value, where, line, at, values.parts_of(node)
        )

    # ------------------------------------------------------------ backward

    def shares(self, node: Node, g: Any) -> list[Share]:
        """Calls the rules of a record, adds what they return to the gradients of its inputs, and tells of it."""
        packed, seq = node.saved, node.seq
        if isinstance(packed, Packed):
            try:
                node.saved, node.seq = packed.arrays(node), next_seq()
                return self.shares(node, g)
            finally:
                node.saved, node.seq = packed, seq
        if type(packed) is Freed:
            raise errors.freed(node, "explain()")
        if changes.last_change > node.seq:
            check_unchanged(node)
        run = _Rule(node, g, self)
        return [self.share(node, run, slot, d) for slot, d in run.results() if d is not None]

    def share(self, node: Node, run: _Rule, slot: int, d: Any) -> Share:
        x = node.inputs[slot]
        if x.shape is None:  # a Function of several outputs
            part = Part(d.at, raw(d.grad))
            part.add_to(self.grads, x)
            return Share(slot, f"{self.names[x]}[{d.at}]", "g", "g", "", self.amount(part.grad))
        array, (plain, local, numbers) = np.asarray(raw(d)), run.texts(d, slot)
        if array.dtype.kind == "c" != x.dtype.kind:  # a real number takes the real part
            array, numbers = array.real, ""
            plain, local = (text and f"real({text})" for text in (plain, local))
        sent = self.amount(array)
        share = Share(slot, self.names[x], plain, local, "" if numbers == sent.single else numbers, sent)
        fitted = fit(array, x)
        if array.shape != fitted.shape:
            share.summed = f"{values.size(array.shape)} to {values.size(fitted.shape or (1,))}"
            share.fitted = self.amount(fitted)
        before = self.grads.get(x)
        if before is not None:
            share.before = self.amount(before)
            fitted = before + fitted
            share.total = self.amount(fitted)
        self.grads[x] = fitted
        return share


class _Rule:
    """One call of the rules of a record, on leaves of their own, so that what they compute can be told."""

    def __init__(self, node: Node, g: Any, work: _Work) -> None:
        self.node, self.work = node, work
        self.plain: dict[Node, expressions.Expr] = {}
        self.local: dict[Node, expressions.Expr] = {}
        self.numbers: dict[Node, expressions.Expr] = {}
        op: Any = node.op
        self.held: list[Tensor] = []
        self.opaque = op.opaque or isinstance(g, list)
        if self.opaque:
            self.g, self.saved = g, node.saved
            return
        self.g = self._leaf(g, "g", "g")
        sources, saved = (*node.inputs, node), list[Any]()
        names = [*values.input_names(node), "y"]
        for k, a in zip(node.layout.keep, node.saved, strict=False):
            source = sources[k]
            if source.__class__ is Const:
                saved.append(source.value)
            else:
                saved.append(self._leaf(a, names[k], work.names[source]))
        self.saved = saved

    def _leaf(self, array: Any, plain: str, local: str) -> Tensor:
        t = wrap(array)
        node = leaf(t)
        self.held.append(t)
        self.plain[node], self.local[node] = expressions.name(plain), expressions.name(local)
        if np.size(array) == 1:
            self.numbers[node] = expressions.number(np.asarray(array).item(), self.work.digits)
        return t

    def results(self) -> Iterable[tuple[int, Any]]:
        """For each input that wants a gradient, what its rule returns."""
        node, layout = self.node, self.node.layout
        parts: Any = ()
        if layout.joint is not None:
            _, rule, _, sources = layout.joint
            # What a user's backward consists of is not told, and a compiled one has no records.
            with ModeManager(Mode(grad=not self.opaque, everything=not self.opaque, hooks=False)):
                parts = rule(self.g, *arguments(node, self.saved, sources))
        for i, rule, _, sources in layout.steps:
            yield i, parts[i] if rule is None else rule(self.g, *arguments(node, self.saved, sources))

    def texts(self, d: Any, slot: int) -> tuple[str, str, str]:
        """What a rule computed: in the names of the record, in those of the program, and in numbers."""
        root = getattr(d, "_node", None)
        if told := self._told(slot):
            return told
        if self.opaque or root is None:
            return ("", "", "")
        moved = root.op is None or root.op.moves
        all_numbers = d._array.size == 1 and not moved and len(self.numbers) == len(self.plain)
        named = [self.plain, self.local, self.numbers][: 2 + all_numbers]
        trees = [expressions.computed(root, known.get) for known in named]
        plain, local, *numbers = ("" if tree is None else expressions.text(tree) for tree in trees)
        if part := values.part_of(self.node):
            here = f"[{values.words('index', self.node.params['index'])}]"
            plain, local = plain.replace(here, f".{part}"), local.replace(here, f".{part}")
        return plain, local, "".join(numbers)

    def _told(self, slot: int) -> tuple[str, str, str] | None:
        """What the record says of the rule, in its own names and in those of the program."""
        node, names = self.node, values.input_names(self.node)
        derives: Any = node.op.derives  # type: ignore[union-attr]
        # Formulas are those of real numbers; what the rule of an analytic function computes has the conjugates.
        kinds = {getattr(getattr(n, "dtype", None), "kind", "") for n in node.inputs}
        if node.op.complex == "analytic" and "c" in kinds:  # type: ignore[union-attr]
            return None
        told = derives(node) if callable(derives) else derives
        if isinstance(told, dict):
            told = told.get(names[slot]) or told.get(names[slot].rstrip("0123456789"), "")
        plain = told(node) if callable(told) else told
        if not plain:
            return None
        sources = [*zip([*names, "y"], [*node.inputs, node], strict=True)]
        numbers = {k: self.work.number(n) for k, n in sources}
        numbers["g"] = self.numbers.get(getattr(self.g, "_node", None))  # type: ignore[arg-type]
        single = {k: expressions.operand(tree) for k, tree in numbers.items() if tree is not None}
        called = {k: single[k] if n.__class__ is Const else self.work.names[n] for k, n in sources}

        def filled(parts: Mapping[str, str]) -> str:
            return re.sub(r"\b[a-z]\w*\b(?!\()", lambda m: parts.get(m[0], m[0]), plain)

        all_numbers = len(single) == len(numbers) and expressions.is_formula(plain)
        return plain, filled(called), filled(single) if all_numbers else ""

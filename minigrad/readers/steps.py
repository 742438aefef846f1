"""A computation and its backward pass, step by step, as data: what `explain` prints, and what a drawing's page plays.

Rules run here one at a time, on Tensors whose operations are recorded: the record of a rule is its text, the numbers
are its values.  Nothing that is the user's changes: no hook is called, no ``.grad`` is written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core import changes
from minigrad.core.changes import check_unchanged, value_changed
from minigrad.core.engine import arguments
from minigrad.core.gradients import Part, fit
from minigrad.core.mode import Mode, ModeManager
from minigrad.core.node import Const, Freed, Node, differentiable, next_seq, tape
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.readers import expressions, places, values

CELLS, BINS = 12, 24  # a heat map has at most so many rows and columns, a histogram so many bars


@dataclass(slots=True)
class Amount:
    """A value or a gradient, in texts: its size, what is in it, and a picture of that where it has many elements."""

    size: str
    text: str
    single: str = ""  # the number, where it is one
    # A heat map has rows of -99 to 99, for minus to plus the largest element; a histogram one row, of 0 to 99.
    picture: list[list[int]] = field(default_factory=list)
    bars: bool = False


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


def derivation(
    results: Sequence[Tensor], given: Mapping[Node, str], digits: int = 4
) -> tuple[Derivation, list[Node], list[Node]]:
    """The steps behind results with records, and the records of its steps and of its leaves, in order.

    ``given`` has names. RuntimeError if a backward pass freed the graph, or a saved array was changed since.
    """
    roots: list[Any] = list(dict.fromkeys(t._node for t in results))
    records = tape(roots)
    work = _Work(records, results, dict(given), digits)
    ops = [n for n in records if n.op is not None]
    leaves = [n for n in records if n.op is None]
    out = Derivation([work.names[n] for n in roots], [], [work.step(n) for n in ops], [], [])
    at = {n: i for i, n in enumerate(ops)}
    # In the place of the user's modes, those of NumPy too.
    with np.errstate(all="ignore"), ModeManager(Mode(everything=True)):
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

    def __init__(
        self, records: list[Node], results: Sequence[Tensor], names: dict[Node, str], digits: int
    ) -> None:
        self.digits, self.grads = digits, dict[Node, Any]()
        self.arrays = arrays_of(records, results)
        self.names = _all_named(records, names)

    def amount(self, array: Any) -> Amount:
        if isinstance(array, list):  # of the outputs of a Function
            return Amount("", ", ".join("none" if a is None else self.amount(_raw(a)).text for a in array))
        array = np.asarray(array)
        text = values.text(array, self.digits)
        single = values.number(array.item(), self.digits) if array.size == 1 else ""
        return Amount(values.size(array.shape), text, single, *_picture(array))

    def value(self, node: Node) -> Amount | None:
        array = self.arrays.get(node)
        return None if array is None else self.amount(array)

    def number(self, node: Node | Const) -> expressions.Expr | None:
        """A value that is one number."""
        array = node.value if node.__class__ is Const else self.arrays.get(node)  # type: ignore[arg-type]
        if array is None or np.size(array) != 1:
            return None
        return expressions.number(np.asarray(array).item() if node.__class__ is Node else array, self.digits)

    def step(self, node: Node) -> Step:
        """The forward part of a step."""
        op: Any = node.op
        numbers = [self.number(n) for n in node.inputs]
        operands = [
            number if x.__class__ is Const else expressions.name(self.names[x])
            for x, number in zip(node.inputs, numbers, strict=True)
        ]
        expression, shown = expressions.text(expressions.applied(node, operands)), ""
        if numbers and None not in numbers and (a := self.arrays.get(node)) is not None and a.size == 1:
            shown = expressions.text(expressions.applied(node, numbers))
        where = os.path.basename(node.where)
        line = places.line(node.code, node.lasti)
        return Step(self.names[node], op.name, expression, shown, self.value(node), where, line)

    # ------------------------------------------------------------ backward

    def shares(self, node: Node, g: Any) -> list[Share]:
        """Calls the rules of a record, adds what they return to the gradients of its inputs, and tells of it."""
        if type(node.saved) is Freed:
            raise errors.freed(node)
        if changes.last_change > node.seq:
            check_unchanged(node)
        run = _Rule(node, g, self)
        return [self.share(node, run, slot, d) for slot, d in run.results() if d is not None]

    def share(self, node: Node, run: _Rule, slot: int, d: Any) -> Share:
        x = node.inputs[slot]
        if x.shape is None:  # a Function of several outputs
            part = Part(d.at, _raw(d.grad))
            part.add_to(self.grads, x)
            return Share(slot, self.names[x], "g", "g", "", self.amount(part.grad))
        array = _raw(d)
        share = Share(slot, self.names[x], *run.texts(d), self.amount(array))
        fitted = fit(np.asarray(array), x)
        if array.shape != fitted.shape:
            share.summed = f"{values.size(array.shape)} to {values.size(fitted.shape)}"
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
        sources, saved = (*node.inputs, node), []
        for k, a in zip(node.layout.keep, node.saved, strict=False):
            source = sources[k]
            if source.__class__ is Const:
                saved.append(source.value)
            else:
                saved.append(self._leaf(a, _record_name(op, k, len(node.inputs)), work.names[source]))
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
            parts = rule(self.g, *arguments(node, self.saved, sources))
        for i, rule, _, sources in layout.steps:
            yield i, parts[i] if rule is None else rule(self.g, *arguments(node, self.saved, sources))

    def texts(self, d: Any) -> tuple[str, str, str]:
        """What a rule computed: in the names of the record, in those of the program, and in numbers."""
        root = getattr(d, "_node", None)
        if self.opaque or root is None:
            return ("", "", "")
        trees = [expressions.computed(root, known.get) for known in (self.plain, self.local, self.numbers)]
        plain, local, numbers = ("" if tree is None else expressions.text(tree) for tree in trees)
        return plain, local, numbers if d._array.size == 1 and root.op is not None else ""


def _record_name(op: Any, k: int, count: int) -> str:
    """What the rules call a saved array: the name of an input, or y."""
    if k == count:
        return "y"
    if op.star is None or k < op.star:
        return str(op.inputs[k])
    return f"{op.inputs[-1]}{k - op.star + 1}"


def _raw(t: Any) -> Any:
    return np.asarray(getattr(t, "_array", t))


# ---------------------------------------------------------------- values


def arrays_of(records: Sequence[Node], results: Iterable[Tensor]) -> dict[Node, Any]:
    """The arrays of the values of records: what the tape holds, and what follows from that."""
    arrays: dict[Node, Any] = {}
    now, first_use = next_seq(), dict[Node, int]()
    for node in records:
        for n in node.inputs:
            if n.__class__ is Node:
                first_use.setdefault(n, node.seq)
        if node.op is not None and node.saved.__class__ is tuple and node.saved and not node.op.opaque:
            for k, a in zip(node.layout.keep, node.saved, strict=False):
                n = node if k == len(node.inputs) else node.inputs[k]
                if n.__class__ is Node and not changes.changed_since(a, node.seq):
                    arrays[n] = a
    for n, since in first_use.items():
        t = n.tensor() if n.op is None and n.tensor is not None else None
        if t is not None and n not in arrays and not value_changed(n, since, now):
            arrays[n] = t._array
    for t in results:
        if t._node is not None:
            arrays[t._node] = t._array
    with np.errstate(all="ignore"):
        for node in records:
            if node.op is not None and node not in arrays:
                _recompute(node, arrays)
    return arrays


def _recompute(node: Node, arrays: dict[Node, Any]) -> None:
    """The value of a record from those of its inputs, where nothing kept it."""
    op: Any = node.op
    if op.opaque or op.draws or node.shape is None:
        return
    operands = [n.value if n.__class__ is Const else arrays.get(n) for n in node.inputs]
    if any(a is None for a in operands):
        return
    y = np.asarray(op.kernel(*operands, **node.params))
    if y.shape == tuple(node.shape):
        arrays[node] = y


def _picture(array: Any) -> tuple[list[list[int]], bool]:
    """Few elements as a heat map, many as a histogram; whether it is one."""
    if array.size < 2 or array.dtype.kind not in "fiu":
        return [], False
    rows = array.reshape(-1, array.shape[-1]).astype(np.float64)
    if max(rows.shape) <= CELLS:
        finite = np.where(np.isfinite(rows), rows, 0.0)
        top = float(np.abs(finite).max()) or 1.0
        return [[round(99 * v / top) for v in row] for row in finite.tolist()], False
    finite = rows[np.isfinite(rows)]
    if not finite.size:
        return [], False
    count, _ = np.histogram(finite, BINS)
    return [(99 * count // count.max()).tolist()], True


# ---------------------------------------------------------------- names


def variables(frame: FrameType | None) -> dict[Node, str]:
    """The names that variables of a frame have for records."""
    named: dict[Node, str] = {}
    if frame is not None:
        for scope in (frame.f_locals, frame.f_globals):
            for key, t in list(scope.items()):
                if isinstance(t, Tensor) and t._node is not None and not key.startswith("_"):
                    named.setdefault(t._node, key)
    return named


def _all_named(records: Sequence[Node], given: dict[Node, str]) -> dict[Node, str]:
    """A name for each record, once: one that was given, the variable of the program, or ``t`` and its number."""
    ops = [n for n in records if n.op is not None]
    wanted = {n: given[n] for n in records if n in given}
    for n, after in zip(ops, [*ops[1:], None], strict=False):
        if after is None or (after.code, after.lasti) != (n.code, n.lasti):
            name = places.variable(n.code, n.lasti)
            if name is not None:
                wanted.setdefault(n, name)
    names: dict[Node, str] = {}
    used: set[str] = {wanted[n] for n in records if n in given}
    number, step = 0, 0
    for n in records:
        step += n.op is not None
        if n in given:
            names[n] = wanted[n]
            continue
        number += n.op is None and n not in wanted
        stem = wanted.get(n) or (f"t{step}" if n.op is not None else f"input_{number}")
        name, count = stem, 1
        while name in used:
            count += 1
            name = f"{stem}_{count}"
        used.add(name)
        names[n] = name
    return names

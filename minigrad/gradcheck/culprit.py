"""Which record of a tape is to blame: each op's own rule, checked at the values recorded there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import engine
from minigrad.core.changes import owner
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import Node, differentiable
from minigrad.core.op import Array
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor, wrap
from minigrad.gradcheck import report
from minigrad.gradcheck.numeric import kinds
from minigrad.gradcheck.numeric.examine import examine
from minigrad.gradcheck.numeric.problem import Finding, Problem, Settings, Variable

EFFORT = 200  # records that are looked at

Run = Callable[[], Sequence[Any]]  # calls the function; returns the Tensors that it returns
Rows = list[tuple[str, str]]  # labels and texts for the report


class Record(NamedTuple):
    """A record of the tape with copies of its arrays, inputs before outputs."""

    node: Node
    arrays: list[Any]
    seen: list[Any]  # the arrays themselves, to know the memory again


class Observer:
    """Keeps all records of a run."""

    inside = None  # an `autograd.Function` shows it nothing of what happens inside a forward

    def __init__(self) -> None:
        self.records: list[Record] = []

    def __call__(self, node: Node, arrays: list[Any]) -> None:
        copies = [np.array(a) if isinstance(a, np.ndarray) else a for a in arrays]
        self.records.append(Record(node, copies, list(arrays)))


def observed(run: Run) -> tuple[Any, list[Record]]:
    """What ``run`` returns, and everything it records on the way, also what carries no gradient."""
    observer = Observer()
    with ModeManager(MODE.get().replace(grad=True, inference=False, everything=True, observer=observer)):
        return run(), observer.records


# ---------------------------------------------------------------- one record by itself


def _is_function(node: Node) -> bool:
    """Whether a record is of an `autograd.Function`: its parameters hold the context."""
    return hasattr(node.op, "user_class")


def _is_part(node: Node) -> bool:
    """Whether a record is of one of several outputs: what it reads has no shape."""
    return any(isinstance(n, Node) and n.shape is None for n in node.inputs)


def _again(node: Node, arrays: Sequence[Any]) -> list[Any]:
    """The outputs of a record's operation for other inputs: its kernel, or the user's forward."""
    params, op = node.params, node.op
    with ModeManager(MODE.get().replace(grad=False, everything=False, observer=None, anomaly=None)):
        if op is not None and not _is_function(node):
            return [np.asarray(QUIET.run(op.kernel, *arrays, **params))]
        user: Any = op
        arguments = list(params["arguments"])
        for place, a in zip(params["ctx"]._places, arrays, strict=True):
            arguments[place] = wrap(np.array(a))
        result = user.user_class.apply(*arguments)
    outputs = result if isinstance(result, tuple) else (result,)
    return [t._array if isinstance(t, Tensor) else None for t in outputs]


def own_problem(node: Node, arrays: list[Any]) -> Problem | None:
    """The check of a record's own rule at recorded values; None if it has nothing to check."""
    inputs = [np.array(a) if isinstance(a, np.ndarray) else a for a in arrays[: len(node.inputs)]]
    moving = [k for k, n in enumerate(node.inputs) if n.requires_grad and inputs[k].dtype.kind == "f"]
    values = _again(node, inputs)
    kept = [k for k, y in enumerate(values) if y is not None and y.dtype.kind == "f"]
    if not moving or not kept:
        return None
    names = _input_names(node)
    # The record with leaves for inputs, so that its own rule runs and no other.
    alone = node.copy()
    alone.hooks, alone.tensor = None, None
    alone.inputs = tuple(
        Node.leaf(a.shape, a.dtype, n.requires_grad) if isinstance(n, Node) else n
        for n, a in zip(node.inputs, inputs, strict=True)
    )
    if not _is_function(node):
        alone.saved = node.layout.pick([*inputs, values[0]])
    targets = [alone.inputs[k] for k in moving]

    def pull(i: int, g: Array) -> list[Any]:
        seed: Any = g.astype(values[kept[i]].dtype)
        if len(values) > 1:
            seed = [seed if k == kept[i] else None for k in range(len(values))]
        grads = engine.run([alone], [seed], targets, keep=True)
        return [grads.get(n) for n in targets]

    output = "output" if len(values) == 1 else "output {}"
    return Problem(
        [Variable(names[k], inputs[k]) for k in moving],
        [Variable(output.format(k), np.array(values[k])) for k in kept],
        lambda: [y for k, y in enumerate(_again(node, inputs)) if k in kept],
        pull,
    )


def _input_names(node: Node) -> list[str]:
    op: Any = node.op
    if _is_function(node):
        ctx = node.params["ctx"]
        names = report.argument_names(op.user_class.apply, ctx._arguments)
        return [names[p] for p in ctx._places]
    if op.star is None:
        return list(op.inputs)
    many = range(len(node.inputs) - op.star)
    return [*op.inputs[: op.star], *(f"{op.inputs[op.star]}[{k}]" for k in many)]


# ---------------------------------------------------------------- the search


def blame(run: Run, output: int, f: Finding, s: Settings, inputs: Sequence[Variable]) -> Rows:
    """Lines for the report about an output of ``run``: the record to blame, if it can be told."""
    try:
        if f.kind == kinds.NON_DETERMINISTIC and not f.input:
            return _first_difference(run)
        return _search(run, output, f, s, inputs)
    except Exception as error:  # the report matters more
        return [("culprit", f"not looked for: {type(error).__name__} when the function ran again")]


def _search(run: Run, output: int, verdict: Finding, s: Settings, inputs: Sequence[Variable]) -> Rows:
    """The record whose own rule is wrong, or where the gradient is cut off."""
    outputs, records = observed(run)
    values = _values(records)
    order = differentiable([t._node for t in outputs[output : output + 1] if t._node is not None])
    suspects = []
    for node in order[:EFFORT]:
        own = node.op is not None and not node.op.draws and not _is_part(node)
        arrays = _arrays(node, values) if own else None
        finding = None if arrays is None else _own_finding(node, arrays, s, verdict)
        if finding is not None:
            suspects.append((node, finding))
    if suspects:
        return _named(suspects, order, verdict)
    cut = _cut(records, inputs) if verdict.kind == kinds.DETACHED else []
    if cut:
        return cut
    hooked = next((n for n in order if n.hooks), None)
    if hooked is not None:
        place = f"{name(hooked)}, {hooked.where}"
        return [("culprit", f"a hook on the result of {place}: every op's own rule is right")]
    if len(order) > 1 and verdict.kind not in kinds.INNOCENT:
        of = f"the first {EFFORT} of the {len(order)}" if len(order) > EFFORT else f"the {len(order)}"
        advice = "each one's own rule is right at the values recorded; look for values that leave the tape or change"
        return [("culprit", f"none of {of} ops on the tape: {advice}")]
    return []


def _values(records: list[Record]) -> dict[Node, Any]:
    """The arrays of nodes: results, and inputs of results."""
    values: dict[Node, Any] = {}
    for node, arrays, _ in records:
        count = len(node.inputs)
        for n, a in zip(node.inputs, arrays, strict=False):
            if isinstance(n, Node):
                values.setdefault(n, a)
        values[node] = arrays[-1] if len(arrays) == count + 1 else arrays[count:]
    return values


def _arrays(node: Node, values: dict[Node, Any]) -> list[Any] | None:
    """The inputs of a record; a Function of several outputs is not shown to observers, so from those around it."""
    arrays = []
    for n in node.inputs:
        if not isinstance(n, Node):
            arrays.append(n.value)
            continue
        value = values.get(n)
        holder = n.tensor() if n.tensor is not None else None
        if value is None and holder is not None:
            value = holder._array
        if value is None and _is_part(n):
            (source,) = n.inputs
            inputs = _arrays(source, values)
            if inputs is not None:
                kernel: Any = n.op.kernel if n.op else None
                value = kernel(_again(source, inputs), **n.params)
        if value is None or isinstance(value, list):
            return None
        arrays.append(value)
    return arrays


def _own_finding(node: Node, arrays: list[Any], s: Settings, verdict: Finding) -> Finding | None:
    try:
        problem = own_problem(node, arrays)
        if problem is None:
            return None
        size, value = (
            max((float(np.abs(v.array).max(initial=0.0)) for v in side), default=1.0)
            for side in (problem.inputs, problem.outputs)
        )
        if not math.isfinite(size) or not math.isfinite(value):
            return None
        scale = max(1.0, size)
        atol = 1e-7 * max(1.0, value / scale)
        tight = s._replace(eps=s.eps * scale, rtol=min(s.rtol, 1e-5), atol=atol, fast=True)
        findings = examine(problem, tight).findings
    except Exception:  # the report must come, whatever the user's code does when it is called again
        return None
    innocent = verdict.kind in kinds.INNOCENT
    return next((f for f in findings if innocent or f.kind not in kinds.INNOCENT), None)


def name(node: Node) -> str:
    """The name of a record's op, for the report."""
    return node.op.name if node.op else "leaf"


def _named(suspects: list[tuple[Node, Finding]], order: list[Node], verdict: Finding) -> Rows:
    """The first suspect of the verdict's kind in full, the others by name."""
    node, f = next((x for x in suspects if x[1].kind == verdict.kind), suspects[0])
    place = f"    (op {order.index(node) + 1} of {len(order)})" if len(order) > 1 else ""
    rows = [("culprit", f"{name(node)}, {node.where}{place}")]
    if len(order) > 1:
        rows.append(("", f"its own rule for {f.input or f.output}: {f.kind}, {f.why}"))
        if f.at_output is not None and f.at_input is not None:
            o, i = report.place(f.output, f.at_output), report.place(f.input, f.at_input)
            values = f"analytic {report.number(f.analytic)}, numeric {report.number(f.numeric)}"
            rows.append(("", f"d {o} / d {i}: {values}"))
    others = [f"{name(n)}, {n.where}" for n, _ in suspects if n is not node]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        rows.append(("", f"too: {'; '.join(others[:3])}{more}"))
    return rows


def _cut(records: list[Record], inputs: Sequence[Variable]) -> Rows:
    """Where a value that needs a gradient goes on without: in other Tensors over its memory, or under no_grad."""
    owners = {id(owner(x.array)): x.name for x in inputs}
    for node, _, seen in records:
        op = node.op
        lost = not node.requires_grad and any(n.requires_grad for n in node.inputs)
        if lost and op is not None and op.differentiable and node.dtype.kind == "f":
            return [("culprit", f"{op.name}, {node.where}: it ran under no_grad()")]
        for n, a in zip(node.inputs, seen, strict=False):
            if not isinstance(a, np.ndarray):
                continue
            key = id(owner(a))
            if n.requires_grad:
                if n.op is None:
                    owners.setdefault(key, "an input")
            elif key in owners:
                cut = f"its input is the value of {owners[key]}, without its record"
                text = f"{cut}: detach(), .data or NumPy in between"
                return [("culprit", f"before {name(node)}, {node.where}: {text}")]
        if node.requires_grad and len(seen) > len(node.inputs):
            owners[id(owner(seen[-1]))] = f"{name(node)} ({node.where})"
    return []


def _first_difference(run: Run) -> Rows:
    """The first record that differs between two runs at the same point."""
    _, first = observed(run)
    _, second = observed(run)
    for (node, a, _), (other, b, _) in zip(first, second, strict=False):
        if node.op is not other.op or not _equal(a[-1], b[-1]):
            moved = [k for k in range(len(node.inputs)) if not _equal(a[k], b[k])]
            why = f": its input {_input_names(node)[moved[0]]} differs" if moved else ": from the same inputs"
            return [("culprit", f"{name(node)}, {node.where}{why}")]
    return []


def _equal(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=getattr(a, "dtype", np.dtype(float)).kind == "f")

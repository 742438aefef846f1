"""Which record of a tape is to blame: each op's own rule, checked at the values recorded there."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd.function import Function
from minigrad.core import engine
from minigrad.core.changes import owner
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import Node, differentiable
from minigrad.core.op import Array
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor, wrap
from minigrad.testing import numeric, report
from minigrad.testing.numeric import Finding, Out, Problem, Settings, Slot

EFFORT = 200  # records that are looked at


class Record(NamedTuple):
    """A record of the tape with copies of its arrays, inputs before outputs."""

    node: Node
    arrays: list[Any]
    seen: list[Any]  # the arrays themselves, to know the memory again


def observed(run: Callable[[], Any]) -> tuple[Any, list[Record]]:
    """What ``run`` returns, and everything it records on the way, also what carries no gradient."""
    records: list[Record] = []
    forward = Function.apply.__func__.__code__  # type: ignore[attr-defined]

    def watch(node: Node, arrays: list[Any]) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:  # what a Function does inside its forward is not on the tape
            if frame.f_code is forward and frame.f_locals.get("ctx") is not (node.params or {}).get("ctx"):
                return
            frame = frame.f_back
        records.append(
            Record(node, [np.array(a) if isinstance(a, np.ndarray) else a for a in arrays], list(arrays))
        )

    with ModeManager(MODE.get().replace(grad=True, inference=False, everything=True, observer=watch)):
        return run(), records


# ---------------------------------------------------------------- one record by itself


def _alone(node: Node, arrays: list[Any]) -> tuple[Node, list[Node]]:
    """The record with leaves for inputs, so that its own rule runs and no other."""
    leaves = []
    for n, a in zip(node.inputs, arrays, strict=False):
        made: Any
        if n.__class__ is Node:
            made = Node.leaf(a.shape, a.dtype, n.requires_grad)
        else:
            made = n
        leaves.append(made)
    alone = node.copy()
    alone.inputs, alone.hooks, alone.tensor = tuple(leaves), None, None
    alone.saved = node.saved if "ctx" in node.params else node.layout.pick([*arrays])
    return alone, leaves


def _again(node: Node, arrays: Sequence[Any]) -> list[Any]:
    """The outputs of a record's operation for other inputs: its kernel, or the user's forward."""
    params: dict[str, Any] = node.params
    if "ctx" not in params:
        kernel: Any = node.op.kernel if node.op else None
        return [np.asarray(QUIET.run(kernel, *arrays, **params))]
    user: Any = node.op
    ctx, given = params["ctx"], list(params["arguments"])
    for place, a in zip(ctx._places, arrays, strict=True):
        given[place] = wrap(np.array(a))
    result = user.user_class.apply(*given)
    outputs = result if isinstance(result, tuple) else (result,)
    return [t._array if isinstance(t, Tensor) else None for t in outputs]


def own_problem(node: Node, arrays: list[Any]) -> Problem | None:
    """The check of a record's own rule at recorded values; None if it has nothing to check."""
    inputs = [np.array(a) if isinstance(a, np.ndarray) else a for a in arrays[: len(node.inputs)]]
    names = _input_names(node)
    wanted = [k for k, n in enumerate(node.inputs) if n.requires_grad and inputs[k].dtype.kind == "f"]
    mode = MODE.get().replace(grad=False, everything=False, observer=None, anomaly=None)

    def evaluate_all() -> list[Any]:
        with ModeManager(mode):
            return _again(node, inputs)

    values = evaluate_all()
    kept = [k for k, y in enumerate(values) if y is not None and y.dtype.kind == "f"]
    if not wanted or not kept:
        return None
    alone, leaves = _alone(node, [*inputs, values[0]])
    several = "ctx" in node.params and len(values) > 1

    def pull(i: int, g: Array) -> list[Any]:
        seed: Any = g.astype(values[kept[i]].dtype)
        if several:
            parts: list[Any] = [None] * len(values)
            parts[kept[i]] = seed
            seed = parts
        found = engine.run([alone], [seed], [leaves[k] for k in wanted], keep=True)
        return [found.get(leaves[k]) for k in wanted]

    out = "output" if len(values) == 1 else "output {}"
    return Problem(
        [Slot(names[k], inputs[k]) for k in wanted],
        [Out(out.format(k), np.array(values[k])) for k in kept],
        lambda: [y for k, y in enumerate(evaluate_all()) if k in kept],
        pull,
    )


def _input_names(node: Node) -> list[str]:
    op: Any = node.op
    count = len(node.inputs)
    if op is None:
        return []
    if "ctx" in node.params:
        places = node.params["ctx"]._places
        names = report.argument_names(op.user_class.apply, node.params["ctx"]._arguments)
        return [names[p] for p in places]
    if op.star is None:
        return list(op.inputs)
    return [*op.inputs[: op.star], *(f"{op.inputs[op.star]}[{k}]" for k in range(count - op.star))]


# ---------------------------------------------------------------- the search


def search(
    run: Callable[[], Sequence[Any]], output: int, verdict: Finding, s: Settings, inputs: Sequence[Slot]
) -> list[tuple[str, str]]:
    """Lines for the report: the record whose own rule is wrong, or where the gradient is cut off."""
    outputs, records = observed(run)
    values = _values(records)
    order = differentiable([t._node for t in outputs[output : output + 1] if t._node is not None])
    suspects: list[tuple[int, Node, Finding]] = []
    for at, node in enumerate(order[:EFFORT]):
        arrays = _arrays(node, values)
        if arrays is None:
            continue
        finding = _own_finding(node, arrays, s, verdict)
        if finding is not None:
            suspects.append((at, node, finding))
    if suspects:
        return _named(suspects, order, verdict)
    if verdict.kind == numeric.DETACHED:
        cut = _cut(records, inputs)
        if cut:
            return cut
    hooked = [n for n in order if n.hooks]
    if hooked:
        n = hooked[0]
        return [("culprit", f"a hook on the result of {_name(n)}, {n.where}: every op's own rule is right")]
    if len(order) > 1 and verdict.kind not in numeric.INNOCENT:
        of = f"the first {EFFORT} of the {len(order)}" if len(order) > EFFORT else f"the {len(order)}"
        said = "each one's own rule is right at the values recorded; look for values that leave the tape or change"
        return [("culprit", f"none of {of} ops on the tape: {said}")]
    return []


def _values(records: list[Record]) -> dict[Node, Any]:
    """The arrays of nodes: results, and inputs of results."""
    values: dict[Node, Any] = {}
    for node, arrays, _ in records:
        for n, a in zip(node.inputs, arrays, strict=False):
            if n.__class__ is Node:
                values.setdefault(n, a)
        if len(arrays) == len(node.inputs) + 1:
            values[node] = arrays[-1]
        else:
            values[node] = arrays[len(node.inputs) :]
    return values


def _arrays(node: Node, values: dict[Node, Any]) -> list[Any] | None:
    """The inputs of a record; a Function of several outputs is not shown to observers, so from those around it."""
    found = []
    for n in node.inputs:
        if n.__class__ is not Node:
            found.append(n.value)
            continue
        value = values.get(n)
        owner = n.tensor() if n.tensor is not None else None
        if value is None and owner is not None:
            value = owner._array
        if value is None and n.op is not None and n.op.name == "pick":
            (source,) = n.inputs
            inputs = _arrays(source, values)
            if inputs is not None:
                value = _quietly(source, inputs)[n.params["i"]]
        if value is None or isinstance(value, list):
            return None
        found.append(value)
    return found


def _quietly(node: Node, arrays: Sequence[Any]) -> list[Any]:
    with ModeManager(MODE.get().replace(grad=False, everything=False, observer=None)):
        return _again(node, arrays)


def _own_finding(node: Node, arrays: list[Any], s: Settings, verdict: Finding) -> Finding | None:
    if node.op is None or node.op.name == "pick":
        return None
    try:
        problem = own_problem(node, arrays)
        if problem is None:
            return None
        size = max((float(np.abs(slot.array).max(initial=0.0)) for slot in problem.inputs), default=1.0)
        value = max((float(np.abs(o.value).max(initial=0.0)) for o in problem.outputs), default=1.0)
        if not math.isfinite(size) or not math.isfinite(value):
            return None
        scale = max(1.0, size)
        tight = Settings(
            s.eps * scale, min(s.rtol, 1e-5), 1e-7 * max(1.0, value / scale), s.nondet_tol, True, s.seed
        )
        found = numeric.examine(problem, tight).findings
    except Exception as error:  # the report must come, whatever the user's code does when it is called again
        _ = error
        return None
    innocent = verdict.kind in numeric.INNOCENT
    return next((f for f in found if innocent or f.kind not in numeric.INNOCENT), None)


def _name(node: Node) -> str:
    return node.op.name if node.op else "leaf"


def _named(
    suspects: list[tuple[int, Node, Finding]], order: list[Node], verdict: Finding
) -> list[tuple[str, str]]:
    same = [x for x in suspects if x[2].kind == verdict.kind]
    at, node, f = (same or suspects)[0]
    place = f"    (op {at + 1} of {len(order)})" if len(order) > 1 else ""
    rows = [("culprit", f"{_name(node)}, {node.where}{place}")]
    if len(order) > 1:
        rows.append(("", f"its own rule for {f.input or f.output}: {f.kind}, {f.why}"))
        if f.at_output is not None and f.at_input is not None:
            o, i = report._at(f.output, f.at_output), report._at(f.input, f.at_input)
            value = f"analytic {report.number(f.analytic)}, numeric {report.number(f.numeric)}"
            rows.append(("", f"d {o} / d {i}: {value}"))
    others = [f"{_name(n)}, {n.where}" for _, n, _ in suspects if n is not node]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        rows.append(("", f"too: {'; '.join(others[:3])}{more}"))
    return rows


def _cut(records: list[Record], inputs: Sequence[Slot]) -> list[tuple[str, str]]:
    """Where a value that needs a gradient goes on without: in other Tensors over its memory, or under no_grad."""
    owners: dict[int, tuple[str, str]] = {id(owner(slot.array)): (slot.name, "") for slot in inputs}
    for node, _, seen in records:
        read = list(zip(node.inputs, seen, strict=False))
        live = [n.requires_grad for n, _ in read]
        op = node.op
        if (
            any(live)
            and not node.requires_grad
            and op is not None
            and op.differentiable
            and node.dtype.kind == "f"
        ):
            return [("culprit", f"{op.name}, {node.where}: it ran under no_grad()")]
        for n, a in read:
            if not isinstance(a, np.ndarray):
                continue
            key = id(owner(a))
            if n.requires_grad:
                if n.op is None:
                    owners.setdefault(key, ("an input", ""))
            elif key in owners:
                name, where = owners[key]
                of = f"{name} ({where})" if where else name
                said = (
                    f"its input is the value of {of}, without its record: detach(), .data or NumPy in between"
                )
                return [("culprit", f"before {_name(node)}, {node.where}: {said}")]
        if node.requires_grad and len(seen) > len(node.inputs):
            owners[id(owner(seen[-1]))] = (_name(node), node.where)
    return []


def first_difference(run: Callable[[], Any]) -> list[tuple[str, str]]:
    """The first record that differs between two runs at the same point."""
    _, first = observed(run)
    _, second = observed(run)
    for a, b in _together(first, second):
        if a.node.op is not b.node.op or not _equal(a.arrays[-1], b.arrays[-1]):
            count = len(a.node.inputs)
            moved = [k for k in range(count) if not _equal(a.arrays[k], b.arrays[k])]
            names = _input_names(a.node)
            why = f": its input {names[moved[0]]} differs" if moved else ": from the same inputs"
            return [("culprit", f"{_name(a.node)}, {a.node.where}{why}")]
    return []


def _together(a: list[Record], b: list[Record]) -> Iterator[tuple[Record, Record]]:
    yield from zip(a, b, strict=False)


def _equal(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=getattr(a, "dtype", np.dtype(float)).kind == "f")

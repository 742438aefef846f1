"""The rule of each derivative as it is written, in the names of the operation's record: ``∂x = g * (1 - y * y)``.

A rule is Python; its text is what it records on small samples, which are those of the tests.  Where the samples differ
in it, it tells of their sizes and parameters; then one of them stands for the operation, and is shown with it.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import inspect
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import calls
import tables

import minigrad
from minigrad.core.node import Const
from minigrad.ops import TABLE
from minigrad.readers import steps, values

TESTS = Path(__file__).parent.parent / "tests"
LONGEST = 90  # characters
SIZED = re.compile(r"(?<![\w.])\d{2,}|\d\.\d")  # what only a sample has
STANDS_FOR = (0.3125, 0.4375, 0.5625)  # values of float parameters, unlike any number of a rule
# Rules write .T otherwise for stacks of matrices, and rows of rows; the shorter is told.
STACKED = {"matmul", "linear", "inv", "solve", "det", "amax", "amin"}
NO_MATTER = {"dtype", "keepdim", "inplace", "out", "_stacklevel"}  # to a rule


@functools.cache
def samples() -> Any:
    """The table of samples that the tests check the operations with."""
    sys.path.insert(0, str(TESTS))
    try:
        return importlib.import_module("op_samples")
    finally:
        sys.path.remove(str(TESTS))


def orders(name: str) -> str:
    """The orders of derivative that the tests compare on samples of an operation; 0 is the value itself."""
    table = samples()
    if name in table.NOT_SAMPLED:
        return "own tests"
    if not any(row.d for row in table.ROWS if row.op == name):
        return "0"
    return "0, 1" if name in table.ONCE else "0, 1, 2"


class Sample(NamedTuple):
    """What one sample of an operation shows: its parameters, its expression, and the rules by the names of inputs."""

    params: dict[str, Any]
    expression: str
    sizes: str  # of its inputs
    whole: dict[str, str]
    plain: dict[str, str]  # without what only a sample has; "" for one that is left out


@functools.cache
def told() -> dict[str, list[Sample]]:
    """The samples of each operation."""
    texts: dict[str, list[Sample]] = {}
    for row in samples().ROWS:
        if row.d and (sample := _of_sample(row)):
            texts.setdefault(row.op, []).append(sample)
    return texts


def rules(name: str, **fixed: Any) -> dict[str, str]:
    """By the names of an operation's inputs, the texts in which the samples agree that have these parameters."""
    texts: dict[str, set[str]] = {}
    for sample in told().get(name, []):
        if fixed.items() <= sample.params.items():
            for x, rule in sample.plain.items():
                texts.setdefault(x, set()).add(rule)
    return {x: min(by, key=len) for x, by in texts.items() if (len(by) == 1 or name in STACKED) and all(by)}


def _of_sample(row) -> Sample | None:
    op = TABLE[row.op]
    floats = [name for name, value in row.params.items() if isinstance(value, float)]
    names = {}
    for value, name in zip(STANDS_FOR, floats, strict=False):
        names |= {str(value - 1): f"{name} - 1", str(value): name}
    values = dict(zip(floats, STANDS_FOR, strict=False))
    whole, sizes = _step(row, op)
    step = _step(dataclasses.replace(row, params={**row.params, **values}), op)[0] if floats else whole
    if step is None or whole is None:
        return None
    sized = bool(row.params)
    plain = (
        {} if op.star is not None else {op.inputs[s.slot]: _told(s.rule, names, sized) for s in step.shares}
    )
    return Sample(row.params, whole.expression, sizes, {s.name: s.local for s in whole.shares}, plain)


def _step(row, op) -> tuple[steps.Step | None, str]:
    """The last step of a sample, and the sizes of its inputs; None where it is another operation, or a rule refuses."""
    tensors = [minigrad.from_numpy(a).requires_grad_(i in row.wanted) for i, a in enumerate(row.draw())]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = row.run(*tensors)
        result = results[0] if isinstance(results, tuple) else results
        try:
            node = result._node
            # g is the gradient that arrives, also where an input has that name.
            pairs = zip(values.input_names(node), node.inputs, strict=True)
            given = {n: "d" if x == "g" else x for x, n in pairs if n.__class__ is not Const}
            derivation, *_ = steps.derivation([result], {**given, node: "y"}, pictured=False)
        except (NotImplementedError, RuntimeError, TypeError):
            return None, ""
    sizes = ", ".join(f"{x} {calls.size(n.shape)}" for n, x in given.items() if n.requires_grad)
    step = derivation.steps[-1]
    return (step if step.operation == op.name else None), sizes


def _told(rule: str, names: dict[str, str], sized: bool) -> str:
    """A rule without the sample's parameters: most keywords are left out, and float parameters have their names."""
    try:
        tree = ast.parse(rule, mode="eval")
    except SyntaxError:  # nothing, words, or a text that was cut
        return "" if "…" in rule or len(rule) > LONGEST else rule
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords = [k for k in node.keywords if k.arg in ("into", "reverse")]
    text = re.sub(r"zeros\([\d, ]*\)", "zeros", ast.unparse(tree))
    text = re.sub(r"^spread\(g / \d+\)$", "spread(g / n)", text)  # of n elements
    for value, name in names.items():
        text = text.replace(value, name)
    return "" if len(text) > LONGEST or (sized and SIZED.search(text)) else text


def text(name: str) -> tuple[list[str], str]:
    """The rules of an operation, one for each input, ``∂x = g * y``, and the sample that they are of.

    That is its expression and sizes; "" for rules in which all samples agree.
    """
    wanted = tables.differentiable(TABLE[name])
    if {*wanted} <= {*(agreed := rules(name))}:
        return calls.rules(agreed.items()), ""
    found = [((s.expression, s.sizes), s.whole) for s in told().get(name, [])]
    found = found or [
        ((s.expression, ""), {x.name: x.local for x in s.shares}) for s in calls.recorded().get(name, [])
    ]
    found = [(expression, by) for expression, by in found if by]
    if not found:
        return [], ""
    # The first of those that tell most: not of a call that leaves an input as it is.
    expression, by = max(
        found, key=lambda s: (s[0][0] not in s[1], sum(r not in ("", "0") for r in s[1].values()))
    )
    return calls.rules(by.items()), f"``{expression[0]}``, {expression[1]}".removesuffix(", ")


def gradients(name: str) -> str:
    """Which inputs of an operation get a gradient, in words."""
    return "refused" if name in samples().NO_GRADIENT else tables.gradients(TABLE[name])


def of_function(name: str, function: Callable[..., Any]) -> tuple[list[str], str]:
    """The rules of the operation that a public function records, in the names of its parameters, and where they hold.

    They hold everywhere, or with the defaults that are told: ``alpha=1``.  There are none where the operation takes its
    inputs in another order, and where the function asks for more.
    """
    op = TABLE.get(_operations().get(name, name))
    given = inspect.signature(function).parameters
    if op is None:
        return [], ""
    called = dict(zip(op.inputs, given, strict=False))
    elsewhere = any(x in [p.lower() for p in given if p != called.get(x)] for x in op.inputs)
    for x, p in zip(op.params, [*given][len(op.inputs) :], strict=False):
        if x in given or x[:3] in p:  # slope is negative_slope, pads is padding
            called[x] = x if x in given else p
    elsewhere |= len({*called.values()}) < len(called)
    more = {p: given[p].default for p in given if p not in {*called.values(), *NO_MATTER}}
    texts = rules(op.name)
    if not texts:  # they may depend on a parameter that the operation has
        more |= {x: given[x].default for x in op.params if x in given and x not in NO_MATTER}
        texts = rules(op.name, **{x: more[x] for x in op.params if x in more})
    if elsewhere or not texts or inspect.Parameter.empty in more.values():
        return [], ""
    rules_of = [f"∂{x} = {rule}" for x, rule in texts.items()]
    told = [re.sub(r"\b[a-z]+\b", lambda m: called.get(m[0], m[0]), rule) for rule in rules_of]
    return told, ", ".join(f"{p}={default!r}" for p, default in more.items())


@functools.cache
def _operations() -> dict[str, str]:
    operations: dict[str, str] = {}
    for op in TABLE.values():
        for name in tables.public_names(op)[0]:
            operations.setdefault(name, op.name)
    return operations

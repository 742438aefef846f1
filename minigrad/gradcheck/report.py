"""What a check says: names of functions and arguments, the text of a failure, sentences; and how it ends."""

from __future__ import annotations

import inspect
import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from types import CodeType
from typing import Any

import numpy as np

from minigrad.core.op import Op
from minigrad.errors import spot, warn
from minigrad.gradcheck.numeric import kinds
from minigrad.gradcheck.numeric.problem import Finding, Result, Settings, Shape
from minigrad.gradcheck.outcome import OUTCOMES, GradcheckError, GradcheckWarning

WIDTH = 80
Rows = Sequence[tuple[str, str]]  # labels and texts


# ---------------------------------------------------------------- names


def title(f: Callable[..., Any]) -> str:
    """A function's name and place, ``loss (model.py:12)``."""
    if isinstance(f, Op):
        return f.name
    owner = getattr(f, "__self__", None)
    inner = getattr(f, "func", f)  # functools.partial
    known = getattr(inner, "__qualname__", None)  # of an object that is called it may be anything
    name = (known if isinstance(known, str) else type(inner).__name__).rpartition("<locals>.")[2]
    if isinstance(owner, type):
        name = f"{owner.__name__}.{name.rpartition('.')[2]}"
        inner = getattr(owner, "forward", inner)
    code = getattr(inspect.unwrap(inner), "__code__", None)
    return f"{name} ({spot(code.co_filename, code.co_firstlineno)})" if isinstance(code, CodeType) else name


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """What the function calls its first arguments; ``input 0`` and so on where that is not known."""
    if isinstance(f, Op) and f.star is None:
        return [*f.inputs, *f.params][:count]
    owner = getattr(f, "__self__", None)
    of_function = isinstance(owner, type) and hasattr(owner, "forward")
    source = getattr(owner, "forward", f) if of_function else getattr(f, "forward", f)
    try:
        parameters = list(inspect.signature(source).parameters.values())
    except (TypeError, ValueError):
        return [f"input {k}" for k in range(count)]
    if of_function and len(parameters) > count:
        parameters = parameters[1:]  # ctx
    names: list[str] = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            names += [f"{p.name}[{k}]" for k in range(count - len(names))]
        elif p.kind is not p.KEYWORD_ONLY and p.kind is not p.VAR_KEYWORD:
            names.append(p.name)
    names += [f"input {k}" for k in range(len(names), count)]
    return names[:count]


# ---------------------------------------------------------------- text


def number(x: float) -> str:
    """Ten digits, no more."""
    return f"{x:.10g}"


def place(name: str, index: Shape | None) -> str:
    """A variable, or an element of it."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def lines(f: Finding, s: Settings) -> list[tuple[str, str]]:
    """A finding as labels and texts."""
    rows = [("verdict", f"{f.kind}: {f.why}")]
    if f.hint:
        rows.append(("", f.hint))
    if not f.output:
        return rows
    what, shapes = place(f.output, f.at_output), f"shapes: {f.output} {[*f.output_shape]}"
    if f.input:
        what = f"d {what} / d {place(f.input, f.at_input)}"
        shapes += f", {f.input} {[*f.input_shape]}"
    rows.append(("along u, v" if f.projected else "at", f"{what}    ({shapes})"))
    if f.kind == kinds.NON_DETERMINISTIC:
        rows += [("first", number(f.analytic)), ("second", number(f.numeric))]
        return [*rows, ("allowed", f"{s.nondet_tol:g} (nondet_tol)")]
    if f.analytic == f.analytic or f.numeric == f.numeric or f.failing:
        rows.append(("analytic", number(f.analytic)))
        slopes = f"    slopes: left {number(f.left)}, right {number(f.right)}" if f.left == f.left else ""
        rows.append(("numeric", number(f.numeric) + slopes))
        allowed = f"    allowed {f.tolerance:.3g} = atol {s.atol:g} + rtol {s.rtol:g} x |numeric|"
        if f.projected:
            allowed = f"    allowed {f.tolerance:.3g} (atol {s.atol:g}, rtol {s.rtol:g})"
        relative = f"{f.relative:.3g}" if f.numeric else "infinite"
        allowed = allowed if f.tolerance > 1e-290 else ""  # not a number, or nothing is allowed
        rows.append(("error", f"{f.error:.3g} absolute, {relative} relative{allowed}"))
    if f.failing and not f.projected:
        every = f"all {f.total} elements" if f.total > 1 else "the only element"
        share = every if f.failing == f.total else f"{f.failing} of {f.total} elements"
        rows.append(("failing", share + (f", all in {f.only}" if f.only else "")))
    return rows


def table(rows: Rows, indent: str = "") -> str:
    """Labels and texts, aligned; no line longer than WIDTH."""
    width = min(max((len(label) for label, _ in rows), default=0), 12)
    blank = f"{indent}{'':<{width}}  "
    text = []
    for label, cell in rows:
        head = f"{indent}{label:<{width}}  "
        if len(head) > len(blank):
            text.append(head.rstrip())
            head = blank
        if len(head) + len(cell) <= WIDTH:
            text.append((head + cell).rstrip())
            continue
        for part in cell.split("    "):
            for line in textwrap.wrap(part.strip(), WIDTH - len(head), break_long_words=True):
                text.append(head + line)
                head = blank
    return "\n".join(text)


def failure(check: str, title: str, findings: list[Finding], s: Settings, blame: Rows = ()) -> GradcheckError:
    """The error with its report: the worst finding in full, the others in a line each."""
    first, *others = findings
    rows = lines(first, s)
    mode = "fast mode: random vectors" if s.fast else "every element"
    if first.output:
        rows.append(("measured", f"central differences, eps {s.eps:g}, seed {s.seed}, {mode}"))
    for k, f in enumerate(others[:8]):
        count = f"{f.failing} of {f.total} fail" if f.total > 1 and not f.projected else "fails"
        rows.append(("also" if k == 0 else "", f"d {f.output} / d {f.input}: {count}, {f.kind}"))
    if len(others) > 8:
        rows.append(("", f"and {len(others) - 8} more"))
    rows += blame
    text = "\n".join([*textwrap.wrap(f"{check}: {title}", WIDTH), table(rows, "  ")])
    return GradcheckError(text, findings)


# ---------------------------------------------------------------- sentences that checks have in common


def no_derivative(name: str, dtype: Any) -> str:
    """The sentence about an output that cannot be differentiated."""
    return (
        f"{name} is {dtype}: it moves in steps, and so has no derivative to check. Return a float64 instead, or "
        "leave it out of what the checked function returns"
    )


def narrow(inputs: Iterable[tuple[str, Any]], results: Iterable[tuple[str, Any]], widen: str) -> str:
    """The advice where something is measured in less than float64; ``widen`` is what to write behind an input."""
    for name, dtype in inputs:
        if dtype.itemsize < 8:
            return f"use float64: {name} is {dtype}; pass {name}{widen}"
    for name, dtype in results:
        if dtype.itemsize < 8:
            return f"use float64 within the function too: {name} is {dtype}"
    return ""


def warn_of_dtype(name: str, dtype: Any) -> None:
    """As PyTorch: what is not float64 is likely to fail."""
    if dtype != np.float64:
        warn(
            f"{name} is {dtype} and not a double precision floating point. This check will likely fail if all the "
            "inputs are not of double precision floating point; convert it to float64."
        )


# ---------------------------------------------------------------- how a check ends


def conclude(check: str, function: str, examine: Callable[[], Result], raise_exception: bool) -> bool:
    """Runs a check: True, GradcheckError, or False; a GradcheckWarning for what passes and is no rounding."""
    outcomes = OUTCOMES.get()
    outcomes = [] if outcomes is None else outcomes  # which is where nothing counts them
    try:
        result = examine()
    except GradcheckError:
        outcomes.append((False, math.inf, False))
        if raise_exception:
            raise
        return False
    outcomes.append((True, result.margin, result.bare))
    for doubt in result.doubts:
        at = f"d {doubt.output}{list(doubt.at_output or ())} / d {doubt.input}{list(doubt.at_input or ())}"
        warn(
            f"{check}: {function} {doubt.why}, which is more than measuring it can explain, at {at}: analytic "
            f"{number(doubt.analytic)}, numeric {number(doubt.numeric)}. Pass rtol=1e-5, atol=1e-7 to have it refused.",
            GradcheckWarning,
        )
    return True

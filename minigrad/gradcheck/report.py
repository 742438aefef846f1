"""The text of a failed check, and the names of functions and arguments in it."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

from minigrad.errors import spot
from minigrad.gradcheck.numeric import kinds
from minigrad.gradcheck.numeric.problem import Finding, Settings, Shape

WIDTH = 96


# ---------------------------------------------------------------- names


def title(f: Callable[..., Any]) -> str:
    """A function's name and place, ``loss (model.py:12)``."""
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


def _shape(shape: Shape) -> str:
    return "x".join(map(str, shape)) if shape else "0-d"


def lines(f: Finding, s: Settings) -> list[tuple[str, str]]:
    """A finding as labels and texts."""
    rows = [("verdict", f"{f.kind}: {f.why}")]
    if f.hint:
        rows.append(("", f.hint))
    if not f.output:
        return rows
    what, shapes = place(f.output, f.at_output), f"{f.output} is {_shape(f.output_shape)}"
    if f.input:
        what = f"d {what} / d {place(f.input, f.at_input)}"
        shapes += f", {f.input} is {_shape(f.input_shape)}"
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
        share = f"all {f.total} elements" if f.failing == f.total else f"{f.failing} of {f.total} elements"
        rows.append(("failing", share + (f", all in {f.only}" if f.only else "")))
    return rows


def table(rows: Sequence[tuple[str, str]], indent: str = "") -> str:
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


def text(
    check: str,
    function: str,
    findings: Sequence[Finding],
    s: Settings,
    culprit: Sequence[tuple[str, str]] = (),
) -> str:
    """The report: the worst finding in full, the others in a line each."""
    first, *others = findings
    rows = lines(first, s)
    mode = "fast mode: random vectors" if s.fast else "every element"
    if first.output:
        rows.append(("measured", f"central differences, eps {s.eps:g}, seed {s.seed}, {mode}"))
    for k, f in enumerate(others[:8]):
        count = f"{f.failing} of {f.total} fail" if not f.projected else "fails"
        rows.append(("also" if k == 0 else "", f"d {f.output} / d {f.input}: {count}, {f.kind}"))
    if len(others) > 8:
        rows.append(("", f"and {len(others) - 8} more"))
    rows += culprit
    return "\n".join([*textwrap.wrap(f"{check}: {function}", WIDTH), table(rows, "  ")])

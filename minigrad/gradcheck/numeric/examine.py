"""`examine`: a claimed derivative against the measured one, and a verdict where they differ."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.gradcheck.numeric import kinds
from minigrad.gradcheck.numeric.compare import (
    Pair,
    Projection,
    all_pairs,
    claims,
    one_pair,
    projections,
    scores,
    unit,
)
from minigrad.gradcheck.numeric.judge import judge
from minigrad.gradcheck.numeric.measure import refined
from minigrad.gradcheck.numeric.problem import Finding, Problem, Result, Settings, Verdict, about

SUSPICIOUS = 1e-5  # a relative difference that central differences in float64 do not explain
ELEMENTWISE = 20_000  # evaluations that fast mode spends on finding the element, once it has failed


def examine(problem: Problem, s: Settings) -> Result:
    """Measures, compares and, where something fails, judges."""
    with np.errstate(all="ignore"):
        for finding in _instabilities(problem, s):
            return Result([finding], [], math.inf)
        result = (_fast if s.fast else _full)(problem, s)
    if problem.narrow:  # no step serves a float32, and no other advice is sure
        result = result._replace(findings=[_widened(f, problem.narrow) for f in result.findings])
    return result


def _full(problem: Problem, s: Settings) -> Result:
    pairs = all_pairs(problem, s)
    bad = sorted((p for p in pairs if p.failing), key=lambda p: -p.margin)
    doubts = [] if bad else [d for p in pairs for d in _doubts(p, s)]
    others = {p: q for p in bad for q in bad if problem.reverse and _exchanged(p, q, s)}
    findings = [p.finding(_each_other(p, others[p]), s) if p in others else judge(p, s) for p in bad]
    return Result(findings, doubts, max((p.margin for p in pairs), default=0.0))


def _exchanged(p: Pair, q: Pair, s: Settings) -> bool:
    """Whether what is claimed of each of two inputs is what is measured of the other."""
    if p is q or p.i != q.i or p.input.array.shape != q.input.array.shape:
        return False
    margins = [
        scores(claimed, other.numeric(start, start + len(claimed)), s).max(initial=0.0)
        for start, blocks in claims([p, q])
        for claimed, other in zip(blocks, (q, p), strict=True)
    ]
    return max(margins, default=0.0) <= 1.0


def _each_other(p: Pair, q: Pair) -> Verdict:
    why = f"what is returned for {p.input.name} is right for {q.input.name}, and the other way round"
    return Verdict(kinds.EXCHANGED, why, "return the gradients in the order of the inputs")


def _fast(problem: Problem, s: Settings) -> Result:
    projected = projections(problem, s)
    bad = sorted((p for p in projected if p.margin > 1.0), key=lambda p: -p.margin)
    suspects = [p for p in projected if not bad and _suspicious(p.analytic, p.numeric)]
    doubts = [
        d for p in suspects if _affordable(problem, p) for d in _doubts(one_pair(problem, p.i, p.j, s), s)
    ]
    findings = [_unfolded(problem, p, s) for p in bad]
    return Result(findings, doubts, max((p.margin for p in projected), default=0.0))


def _widened(f: Finding, advice: str) -> Finding:
    if f.kind == kinds.NOISY:
        return f._replace(why="rounding spoils the differences", hint=advice)
    return f._replace(hint=f"{f.hint}; {advice}".removeprefix("; "))


def _affordable(problem: Problem, p: Projection) -> bool:
    return problem.inputs[p.j].array.size * 2 + problem.outputs[p.i].array.size <= ELEMENTWISE


def _unfolded(problem: Problem, p: Projection, s: Settings) -> Finding:
    """A projection that failed, looked at element by element where that can be paid for."""
    note = "too many elements to look at each in fast mode; run it with fast_mode=False"
    if _affordable(problem, p):
        pair = one_pair(problem, p.i, p.j, s)
        if pair.failing:
            return judge(pair, s)
        note = "every element for itself passes; many small errors add up"
    kind = kinds.WRONG if math.isfinite(p.analytic) and math.isfinite(p.numeric) else kinds.NOT_FINITE
    if p.analytic == 0.0 and math.isfinite(p.numeric):
        kind = kinds.DETACHED
    verdict = Verdict(kind, "analytic and numeric differ along random unit vectors: v J u", note)
    finding = about(verdict, problem.outputs[p.i], problem.inputs[p.j])
    finding = finding._replace(analytic=p.analytic, numeric=p.numeric, tolerance=p.tolerance)
    return finding._replace(failing=1, total=1, projected=True)


# ---------------------------------------------------------------- what passes, and is no rounding


def _suspicious(analytic: float, numeric: float, slack: float = 1e-7) -> bool:
    return abs(analytic - numeric) > SUSPICIOUS * abs(numeric) + slack


def _doubts(p: Pair, s: Settings) -> list[Finding]:
    """The worst element of a pair that passed, if its difference is far more than the measurement's error."""
    if p.worst is None or p.failing or not _suspicious(p.worst.analytic, p.worst.numeric):
        return []
    value, error = refined(p.problem, p.i, p.j, p.worst.output, p.worst.input)
    if not _suspicious(p.worst.analytic, value, 1e-8 + 20 * error):
        return []
    share = abs(p.worst.analytic - value) / (abs(value) or 1)
    return [p.finding(Verdict(kinds.WRONG, f"passes, but is off by {share:.1e} of its value"), s)]


# ---------------------------------------------------------------- what is no derivative at all


def _instabilities(problem: Problem, s: Settings) -> Iterator[Finding]:
    """Findings where the function or its derivative is another the second time, or not zero for a seed of zeros."""
    why = "the function gives another value when it is called again at the same point"
    hint = "take randomness and state out of it, or seed it inside; or allow it with nondet_tol"
    changing = Verdict(kinds.NON_DETERMINISTIC, why, hint)
    for output, again in zip(problem.outputs, problem.evaluate(), strict=True):
        yield from _difference(output.array, again, s.nondet_tol, about(changing, output), "at_output")
    rng = np.random.default_rng(s.seed)
    name, seed = ("backward", "incoming gradient") if problem.reverse else ("the jvp", "tangent")
    why = f"{name} gives another value for the same {seed} when it is called again"
    hint = "take randomness and state out of it; or allow it with nondet_tol"
    changing = Verdict(kinds.NON_DETERMINISTIC, why, hint)
    why = f"{name} of zeros is not zero: it must be a multiple of the {seed}"
    shifted = Verdict(kinds.WRONG, why, f"multiply everything that {name} returns by the {seed}")
    side = "at_input" if problem.reverse else "at_output"
    for k, seeded in enumerate(problem.seeded):
        v = unit(rng, seeded.array.shape)
        first = [0.0 if d is None else np.array(d, float) for d in problem.derivative(k, v.copy())]
        again, of_zeros = problem.derivative(k, v.copy()), problem.derivative(k, np.zeros_like(v))
        for answer, a, b, z in zip(problem.answers, first, again, of_zeros, strict=True):
            output, x = problem.turn(seeded, answer)
            yield from _difference(a, 0.0 if b is None else b, s.nondet_tol, about(changing, output, x), side)
            if z is not None:
                finding = about(shifted, output, x)._replace(failing=1, total=1)
                differences = _difference(z, np.zeros_like(z), 0.0, finding, side)
                yield from (f for f in differences if math.isfinite(f.analytic))


def _difference(a: Any, b: Any, tolerance: float, finding: Finding, side: str) -> Iterator[Finding]:
    """The finding with the place where two values differ most and both values, if they do by more than is allowed."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape and a.size and b.size:
        if a.ndim == 0 or b.ndim == 0:
            a, b = np.broadcast_arrays(a, b)
        else:
            a, b = a.ravel()[:1], b.ravel()[:1] + np.nan
    d = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    if d.size and not (d <= tolerance).all():
        at = np.unravel_index(int(np.nan_to_num(d, nan=np.inf).argmax()), d.shape)
        place: dict[str, Any] = {side: tuple(map(int, at))}
        yield finding._replace(analytic=float(a[at]), numeric=float(b[at]), **place)

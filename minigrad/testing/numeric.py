"""Derivatives measured, compared and judged. Knows NumPy and nothing else.

A `Problem` is a function at a point with the derivative that somebody claims for it.  `examine` measures the
derivative by central differences, compares every element (or random projections) with what is claimed, and
for what differs collects evidence and gives a verdict.  `report.py` makes the text of it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

FACTOR = "wrong by a constant factor"
SIGN = "wrong sign"
TRANSPOSED = "transposed"
MISSING_SUM = "missing sum over a broadcast axis"
DETACHED = "detached"
NON_DETERMINISTIC = "non-deterministic"
KINK = "a kink"
NOISY = "too noisy for this eps"
NOT_FINITE = "not finite"
WRONG = "plainly wrong"
DEPENDENT = "inputs that depend on each other"
UNCHECKED = "nothing of yours is checked"
INNOCENT = (KINK, NOISY)  # the point or the step is to blame, not the derivative


class Settings(NamedTuple):
    """How to measure and what to allow: an element passes if |analytic - numeric| <= atol + rtol |numeric|."""

    eps: float = 1e-6
    rtol: float = 1e-3
    atol: float = 1e-5
    nondet_tol: float = 0.0
    fast: bool = False
    seed: int = 0


class Slot(NamedTuple):
    """An input: its name and the memory that `Problem.evaluate` reads."""

    name: str
    array: Array


class Out(NamedTuple):
    """An output: its name and its value at the point."""

    name: str
    value: Array


class Problem(NamedTuple):
    """A function at a point and a claimed derivative: ``pull`` (rows of the Jacobian) or ``push`` (columns).

    ``evaluate()`` gives every output at the present contents of the inputs, which are changed in place, one
    element at a time, and restored.  ``pull(i, g)`` gives each input's gradient of <output i, g>, None for zero;
    ``push(j, t)`` each output's change when input j moves along t.
    """

    inputs: Sequence[Slot]
    outputs: Sequence[Out]
    evaluate: Callable[[], Sequence[Any]]
    pull: Callable[[int, Array], Sequence[Any]] | None = None
    push: Callable[[int, Array], Sequence[Any]] | None = None
    narrow: str = ""  # what is computed in less than float64, and how to widen it


class Finding(NamedTuple):
    """What is wrong with the derivative of one output with respect to one input, and the evidence."""

    kind: str
    why: str  # the verdict in a sentence
    hint: str = ""
    output: str = ""
    input: str = ""
    output_shape: Shape = ()
    input_shape: Shape = ()
    at_output: Shape | None = None  # the worst element
    at_input: Shape | None = None
    analytic: float = math.nan
    numeric: float = math.nan
    left: float = math.nan  # one-sided slopes
    right: float = math.nan
    tolerance: float = math.nan
    failing: int = 0
    total: int = 0
    only: str = ""  # where the failing elements lie, when that is a part
    projected: bool = False  # the values are along random vectors
    eps: float | None = None  # the one that serves

    @property
    def error(self) -> float:
        """|analytic - numeric|."""
        return abs(self.analytic - self.numeric)

    @property
    def relative(self) -> float:
        """The error over |numeric|."""
        return self.error / abs(self.numeric) if self.numeric else math.inf


class Result(NamedTuple):
    """What a check found."""

    findings: list[Finding]  # of the failing pairs of input and output, the worst first
    doubts: list[Finding]  # passes, but the difference is not rounding
    margin: float  # the largest |analytic - numeric| over its tolerance: fails above 1
    checked: int  # elements, or projections
    bare: bool = False  # the function works on arrays as on Tensors: operators alone


class _Pair:
    """The comparison of one output with one input: a matrix whose lines are what ``pull`` or ``push`` returns."""

    def __init__(self, problem: Problem, i: int, j: int, jacobian: Array | None = None) -> None:
        self.i, self.j = i, j
        self.rows = problem.pull is not None
        self.out, self.inp = problem.outputs[i].value.shape, problem.inputs[j].array.shape
        self.jacobian = jacobian  # (elements of the input, elements of the output)
        self.drive, self.line = (self.out, self.inp) if self.rows else (self.inp, self.out)
        self.margin, self.failing, self.total = 0.0, 0, math.prod(self.out) * math.prod(self.inp)
        self.worst: tuple[int, int, float, float] | None = None  # (output, input) element, analytic, numeric

    def numeric(self, lo: int, hi: int) -> Array:
        """Lines of the measured Jacobian, a copy."""
        if self.jacobian is None:
            raise RuntimeError("nothing was measured")
        return np.array(self.jacobian[:, lo:hi].T if self.rows else self.jacobian[lo:hi], order="C")

    def place(self, line: int, at: int) -> tuple[int, int]:
        """(output, input) element of a place in the matrix."""
        return (line, at) if self.rows else (at, line)


# ---------------------------------------------------------------- measuring


def jacobian(problem: Problem, j: int, eps: float) -> list[Array]:
    """The derivative of each output by input j, shaped (elements of the input, elements of the output).

    Central differences, (f(x + h) - f(x - h)) / 2h, with the h that the dtype really stores.
    """
    array = problem.inputs[j].array
    flat, evaluate = array.flat, problem.evaluate
    found = [np.empty((array.size, *(o.value.shape or (1,)))) for o in problem.outputs]
    again = zip(evaluate(), evaluate(), strict=True)
    if any(np.may_share_memory(y, other) for y, z in again for other in (z, array)):
        evaluate = _copies(evaluate)  # a view of the input, say, that moves when the input moves again
    k, old = 0, None
    try:
        for k, rows in enumerate(zip(*found, strict=True)):
            old = flat[k]
            flat[k] = old + eps
            up, ups = flat[k], evaluate()
            flat[k] = old - eps
            step = float(up - flat[k])
            scale = 1.0 / step if step else math.inf  # nothing moved: eps is lost in rounding
            for row, y, z in zip(rows, ups, evaluate(), strict=True):
                np.subtract(y, z, row)
                row *= scale
            flat[k] = old
    finally:
        if old is not None:
            flat[k] = old
    return [f.reshape(array.size, o.value.size) for f, o in zip(found, problem.outputs, strict=True)]


def _copies(evaluate: Callable[[], Sequence[Any]]) -> Callable[[], Sequence[Any]]:
    return lambda: [np.array(y) for y in evaluate()]


def _moved(problem: Problem, j: int, k: int, step: float) -> tuple[list[Array], float]:
    """The outputs, flat, with element k of input j moved, and how far it really moved."""
    flat = problem.inputs[j].array.flat
    old = flat[k]
    try:
        flat[k] = old + step
        return [np.array(y, float).reshape(-1) for y in problem.evaluate()], float(flat[k]) - float(old)
    finally:
        flat[k] = old


def slopes(problem: Problem, i: int, j: int, r: int, k: int, eps: float) -> tuple[float, float, float]:
    """The slopes of output element r to the left and right of input element k, and across."""
    up, h = _moved(problem, j, k, eps)
    down, h_ = _moved(problem, j, k, -eps)
    base = float(problem.outputs[i].value.reshape(-1)[r])
    u, d = up[i][r], down[i][r]
    with np.errstate(all="ignore"):
        found = np.divide([base - d, u - base, u - d], [-h_, h, h - h_])
    return float(found[0]), float(found[1]), float(found[2])


def refined(problem: Problem, i: int, j: int, r: int, k: int) -> tuple[float, float]:
    """A slope to many digits, with an estimate of its error.

    Three runs of Ridders' method from different steps; the middle one, and how far they are apart: where values
    are rounded one run may look better than it is.
    """
    scale = max(1.0, abs(float(problem.inputs[j].array.flat[k])))
    runs = sorted(_ridders(problem, i, j, r, k, h * scale) for h in (1e-2, 1.37e-2, 0.71e-2))
    return runs[1][0], max(runs[2][0] - runs[0][0], *(error for _, error in runs))


def _ridders(problem: Problem, i: int, j: int, r: int, k: int, h: float) -> tuple[float, float]:
    """Ridders (1982): central differences at steps that halve, extrapolated to 0 as Neville does.

    The entry of the table that changes least is taken, and its change for its error.
    """
    best, error, before = math.nan, math.inf, [slopes(problem, i, j, r, k, h)[2]]
    for n in range(1, 9):
        now = [slopes(problem, i, j, r, k, h / 2**n)[2]]
        for m, old in enumerate(before):
            now.append(now[m] + (now[m] - old) / (4.0 ** (m + 1) - 1.0))
            change = max(abs(now[m + 1] - now[m]), abs(now[m + 1] - old))
            if change < error:
                best, error = now[m + 1], change
        before = now
    return best, error


# ---------------------------------------------------------------- comparing


def scores(analytic: Array, numeric: Array, s: Settings) -> Array:
    """|analytic - numeric| over the tolerance, as in allclose: above 1 fails, and so does a nan. Spoils numeric."""
    d = np.subtract(analytic, numeric)
    np.abs(d, out=d)
    same = None
    if not math.isfinite(d.sum()):  # rarely: equal infinities pass
        same = np.equal(analytic, numeric)
    np.abs(numeric, out=numeric)
    numeric *= s.rtol
    numeric += s.atol
    d /= numeric
    if same is not None:
        d[np.isnan(d)] = np.inf
        d[same] = 0.0
    elif s.atol == 0:
        d[np.isnan(d)] = 0.0  # 0 / 0
    return d


def _lines(problem: Problem, drive: int, wanted: Sequence[int]) -> Iterator[tuple[int, list[Array]]]:
    """What is claimed, in blocks of lines for each of the ``wanted`` on the other side."""
    call = problem.pull or problem.push
    if call is None:
        raise TypeError("a Problem needs pull or push")
    if problem.pull is not None:
        shape: Shape = problem.outputs[drive].value.shape
        others = [s.array.shape for s in problem.inputs]
    else:
        shape = problem.inputs[drive].array.shape
        others = [o.value.shape for o in problem.outputs]
    count = math.prod(shape)
    sizes = [math.prod(others[w]) for w in wanted]
    many = max(1, min(256, 16384 // max(1, *sizes)))  # a block stays in the cache
    for lo in range(0, count, many):
        hi = min(count, lo + many)
        blocks = [np.empty((hi - lo, *(others[w] or (1,)))) for w in wanted]
        for line in range(lo, hi):
            seed = np.zeros(shape)
            seed.flat[line] = 1.0
            found = call(drive, seed)
            for block, w in zip(blocks, wanted, strict=True):
                value = found[w]
                block[line - lo] = 0.0 if value is None else value
        yield lo, [b.reshape(hi - lo, size) for b, size in zip(blocks, sizes, strict=True)]


NEGLIGIBLE = 1e-3  # a margin below it is taken from atol alone: a bound, found in half the time


def _compare(problem: Problem, pairs: list[_Pair], s: Settings) -> None:
    """Fills in margin, failing and worst of pairs that share what drives their lines."""
    first = pairs[0]
    wanted = [p.j if p.rows else p.i for p in pairs]
    for lo, blocks in _lines(problem, first.i if first.rows else first.j, wanted):
        for p, a in zip(pairs, blocks, strict=True):
            if not a.size:
                continue
            n = p.numeric(lo, lo + len(a))
            score = np.subtract(a, n)
            np.abs(score, out=score)
            at = int(score.argmax())
            top = float(score.flat[at]) / s.atol if s.atol else math.inf
            if not top <= NEGLIGIBLE:
                score = scores(a, n, s)
                at = int(score.argmax())
                top = float(score.flat[at])
                if top > 1.0:
                    p.failing += int(np.count_nonzero(score > 1.0))
            if top > p.margin or p.worst is None:
                line, place = divmod(at, a.shape[1])
                p.margin = top
                p.worst = (*p.place(lo + line, place), float(a.flat[at]),
                           float(p.numeric(lo + line, lo + line + 1)[0, place]))  # fmt: skip


def _all_pairs(problem: Problem, s: Settings) -> list[_Pair]:
    """Every output against every input, element by element."""
    measured = [jacobian(problem, j, s.eps) for j in range(len(problem.inputs))]
    table = [[_Pair(problem, i, j, measured[j][i]) for j in range(len(problem.inputs))]
             for i in range(len(problem.outputs))]  # fmt: skip
    for group in table if problem.pull is not None else zip(*table, strict=True):
        _compare(problem, list(group), s)
    return list(itertools.chain(*table))


def _unit(rng: np.random.Generator, shape: Shape, positive: bool = False) -> Array:
    v = np.asarray(rng.random(shape) if positive else rng.standard_normal(shape))
    return v / (np.sqrt((v * v).sum()) or 1.0)


def _along(problem: Problem, j: int, u: Array, eps: float) -> list[Array]:
    """The measured change of each output along u."""
    array = problem.inputs[j].array
    old = array.copy()
    try:
        array += eps * u
        up = [np.array(y, float) for y in problem.evaluate()]
        array[...] = old
        array -= eps * u
        return [(a - y) / (2 * eps) for a, y in zip(up, problem.evaluate(), strict=True)]
    finally:
        array[...] = old


def _projections(problem: Problem, s: Settings) -> list[tuple[_Pair, float, float, float]]:
    """Each pair along random unit vectors, v J u: analytic, numeric and tolerance; the worse of two trials.

    Once all of u and v is positive, as in PyTorch: an error that is everywhere the same shows most.  Once it
    has any sign: errors that cancel in the first trial do not in the second.  An error of atol in every element
    of J changes v J u by at most atol times the sums of |u| and |v|.
    """
    rng = np.random.default_rng(s.seed)
    trials = [_project(problem, s, rng, positive) for positive in (True, False)]
    return [max(pair, key=lambda q: q[0].margin) for pair in zip(*trials, strict=True)]


def _project(
    problem: Problem, s: Settings, rng: np.random.Generator, positive: bool
) -> list[tuple[_Pair, float, float, float]]:
    us = [_unit(rng, slot.array.shape, positive) for slot in problem.inputs]
    vs = [_unit(rng, out.value.shape, positive) for out in problem.outputs]
    numeric = [_along(problem, j, u, s.eps) for j, u in enumerate(us)]
    claimed = [problem.pull(i, v) if problem.pull else [] for i, v in enumerate(vs)]
    pushed = [problem.push(j, u) if problem.push else [] for j, u in enumerate(us)]
    found = []
    for (i, v), (j, u) in itertools.product(enumerate(vs), enumerate(us)):
        value, other = (claimed[i][j], u) if problem.pull else (pushed[j][i], v)
        p = _Pair(problem, i, j)
        a = 0.0 if value is None else float(np.sum(value * other))
        n = float(np.sum(v * numeric[j][i])) if p.total else 0.0
        tolerance = s.atol * float(np.abs(u).sum() * np.abs(v).sum()) + s.rtol * abs(n)
        if a != n:
            p.margin = abs(a - n) / tolerance if tolerance else math.inf
            p.margin = math.inf if math.isnan(p.margin) else p.margin
        found.append((p, a, n, tolerance))
    return found


# ---------------------------------------------------------------- the check


SUSPICIOUS = 1e-5  # a relative difference that central differences in float64 do not explain
ELEMENTWISE = 20_000  # evaluations that fast mode spends on finding the element, once it has failed


def examine(problem: Problem, s: Settings = Settings()) -> Result:  # noqa: B008 (a tuple of numbers)
    """Measures, compares and, where something fails, judges."""
    with np.errstate(all="ignore"):
        changing = repeated(problem, s)
        if changing is not None:
            return Result([changing], [], math.inf, 0)
        if s.fast:
            return _fast(problem, s)
        pairs = _all_pairs(problem, s)
        bad = sorted((p for p in pairs if p.failing), key=lambda p: -p.margin)
        doubts = [] if bad else [d for p in pairs for d in _doubt(problem, p)]
        margin = max((p.margin for p in pairs), default=0.0)
        findings = _widened(problem, [judge(problem, p, s) for p in bad])
        return Result(findings, doubts, margin, sum(p.total for p in pairs))


def _fast(problem: Problem, s: Settings) -> Result:
    projected = _projections(problem, s)
    bad = sorted((q for q in projected if q[0].margin > 1.0), key=lambda q: -q[0].margin)
    findings = [_unfold(problem, q, s) for q in bad]
    doubts = []
    if not bad:
        suspects = [(p, a, n) for p, a, n, _ in projected if abs(a - n) > SUSPICIOUS * abs(n) + 1e-7]
        for p, _, _ in suspects:
            if _affordable(p):
                doubts += _doubt(problem, _slow_pair(problem, p, s))
    findings = _widened(problem, findings)
    return Result(findings, doubts, max((q[0].margin for q in projected), default=0.0), len(projected))


def _widened(problem: Problem, findings: list[Finding]) -> list[Finding]:
    """Where floats are narrow the advice is to widen them: no step serves a float32, and no other advice is sure."""
    if not problem.narrow:
        return findings
    return [
        f._replace(why="rounding spoils the differences", hint=problem.narrow)
        if f.kind == NOISY
        else f._replace(hint=f"{f.hint}; {problem.narrow}".removeprefix("; "))
        for f in findings
    ]


def _affordable(p: _Pair) -> bool:
    return math.prod(p.inp) * 2 + math.prod(p.out) <= ELEMENTWISE


def _slow_pair(problem: Problem, p: _Pair, s: Settings) -> _Pair:
    slow = _Pair(problem, p.i, p.j, jacobian(problem, p.j, s.eps)[p.i])
    _compare(problem, [slow], s)
    return slow


def _unfold(problem: Problem, found: tuple[_Pair, float, float, float], s: Settings) -> Finding:
    """A projection that failed, looked at element by element where that can be paid for."""
    p, a, n, tolerance = found
    note = "too many elements to look at each in fast mode; run it with fast_mode=False"
    if _affordable(p):
        slow = _slow_pair(problem, p, s)
        if slow.failing:
            return judge(problem, slow, s)
        note = "every element for itself passes; many small errors add up"
    i, j = p.i, p.j
    kind = WRONG if math.isfinite(a) and math.isfinite(n) else NOT_FINITE
    if a == 0.0 and math.isfinite(n):
        kind = DETACHED
    return Finding(
        kind, "analytic and numeric differ along random unit vectors: v J u", note,
        problem.outputs[i].name, problem.inputs[j].name, p.out, p.inp, None, None, a, n,
        tolerance=tolerance, failing=1, total=1, projected=True,
    )  # fmt: skip


def repeated(problem: Problem, s: Settings) -> Finding | None:
    """A finding if the function or its derivative gives something else the second time."""
    rng = np.random.default_rng(s.seed)
    for out, y in zip(problem.outputs, problem.evaluate(), strict=True):
        found = _differs(out.value, y, s.nondet_tol)
        if found is not None:
            return Finding(
                NON_DETERMINISTIC, "the function gives another value when it is called again at the same point",
                "take randomness and state out of it, or seed it inside; or allow it with nondet_tol",
                out.name, "", out.value.shape, (), found[0], None, found[1], found[2],
            )  # fmt: skip
    return _repeated_derivative(problem, s, rng)


def _repeated_derivative(problem: Problem, s: Settings, rng: np.random.Generator) -> Finding | None:
    call = problem.pull or problem.push
    if call is None:
        return None
    name, what = ("backward", "incoming gradient") if problem.pull else ("the jvp", "tangent")
    drives = [o.value for o in problem.outputs] if problem.pull else [i.array for i in problem.inputs]
    for d, drive in enumerate(drives):
        v = _unit(rng, drive.shape)
        first = [None if g is None else np.array(g, float) for g in call(d, v.copy())]
        second, none = call(d, v.copy()), call(d, np.zeros_like(v))
        for k, (a, b, z) in enumerate(zip(first, second, none, strict=True)):
            out, inp = (
                (problem.outputs[d], problem.inputs[k])
                if problem.pull
                else (problem.outputs[k], problem.inputs[d])
            )
            finding = Finding("", "", "", out.name, inp.name, out.value.shape, inp.array.shape)
            found = _differs(0.0 if a is None else a, 0.0 if b is None else b, s.nondet_tol)
            if found is not None:
                finding = finding._replace(
                    kind=NON_DETERMINISTIC, analytic=found[1], numeric=found[2],
                    why=f"{name} gives another value for the same {what} when it is called again",
                    hint="take randomness and state out of it; or allow it with nondet_tol",
                )  # fmt: skip
            else:
                found = None if z is None else _differs(np.zeros_like(z), z, 0.0)
                if found is None or not np.isfinite(found[2]):
                    continue
                finding = finding._replace(
                    kind=WRONG, analytic=found[2], numeric=0.0, failing=1, total=1,
                    why=f"{name} of zeros is not zero: it must be a multiple of the {what}",
                    hint=f"multiply everything that {name} returns by the {what}",
                )  # fmt: skip
            return (
                finding._replace(at_input=found[0]) if problem.pull else finding._replace(at_output=found[0])
            )
    return None


def _differs(a: Any, b: Any, tolerance: float) -> tuple[Shape, float, float] | None:
    """Where two values differ most, and both, if by more than is allowed."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape and a.size and b.size:
        a, b = (
            np.broadcast_arrays(a, b)
            if a.ndim == 0 or b.ndim == 0
            else (a.ravel()[:1], b.ravel()[:1] + np.nan)
        )
    d = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    if not d.size or not (~(d <= tolerance)).any():
        return None
    at = np.unravel_index(int(np.nan_to_num(d, nan=np.inf).argmax()), d.shape)
    return tuple(map(int, at)), float(a[at]), float(b[at])


def _doubt(problem: Problem, p: _Pair) -> list[Finding]:
    """The worst element of a pair that passed, if its difference is far more than the measurement's error."""
    if p.worst is None or p.failing:
        return []
    r, k, a, n = p.worst
    if not abs(a - n) > SUSPICIOUS * abs(n) + 1e-7:
        return []
    value, error = refined(problem, p.i, p.j, r, k)
    if not abs(a - value) > SUSPICIOUS * abs(value) + 1e-8 + 20 * error:
        return []
    return [
        _finding(
            problem, p, WRONG, f"passes, but is off by {abs(a - value) / (abs(value) or 1):.1e} of its value"
        )
    ]


# ---------------------------------------------------------------- the verdict


class _Hypothesis(NamedTuple):
    kind: str
    why: str
    hint: str
    predict: Callable[[int, int], Array]  # what would be claimed, lines lo to hi


def _unravel(index: Any, shape: Shape) -> tuple[Any, ...]:
    """np.unravel_index, which does not know arrays of places in a number."""
    return np.unravel_index(index, shape) if shape else ()


class _Evidence:
    """What one more pass over the lines of a failing pair shows."""

    def __init__(self, problem: Problem, p: _Pair, s: Settings) -> None:
        rng = np.random.default_rng(s.seed)
        picks: list[tuple[int, int, float, float]] = []
        self.zero = True  # everything claimed is zero
        self.zeros_fail = True  # every failing element is claimed to be zero
        self.finite = True
        axes = (*p.drive, *p.line)
        self.failing = [np.zeros(n, bool) for n in axes]  # indices with a failing element, by axis
        self.claimed = [np.zeros(n, bool) for n in p.drive]  # indices where something is claimed
        self.measured = [np.zeros(n, bool) for n in p.drive]
        driver = p.i if p.rows else p.j
        for lo, (a,) in _lines(problem, driver, [p.j if p.rows else p.i]):
            n = p.numeric(lo, lo + len(a))
            bad = scores(a, n.copy(), s) > 1.0
            self.zero &= not a.any()
            for seen, some in ((self.claimed, a), (self.measured, np.abs(n) > s.atol)):
                lines = _unravel(lo + np.flatnonzero(some.any(1)), p.drive)
                for flags, at in zip(seen, lines, strict=True):
                    flags[at] = True
            places = np.flatnonzero(bad)
            if not places.size:
                continue
            self.zeros_fail &= not a.flat[places].any()
            self.finite &= bool(np.isfinite(a.flat[places]).all() and np.isfinite(n.flat[places]).all())
            at_line, at = np.divmod(places, a.shape[1])
            where = (*_unravel(lo + at_line, p.drive), *_unravel(at, p.line))
            for flags, index in zip(self.failing, where, strict=True):
                flags[index] = True
            for k in rng.permutation(len(places))[:64]:
                line, c = int(at_line[k]), int(at[k])
                picks.append((*p.place(lo + line, c), float(a[line, c]), float(n[line, c])))
        order = rng.permutation(len(picks))
        self.picks = [*([p.worst] if p.worst else []), *(picks[k] for k in order)]

    def only(self, problem: Problem, p: _Pair) -> str:
        """Where the failing elements lie, if all share an index on some axis."""
        found = []
        names = (problem.outputs[p.i].name, problem.inputs[p.j].name)
        split = len(p.drive)
        sides = (self.failing[:split], self.failing[split:])
        for name, flags in zip(names, sides if p.rows else sides[::-1], strict=True):
            index = [str(int(f.argmax())) if f.sum() == 1 and len(f) > 1 else ":" for f in flags]
            if any(i != ":" for i in index):
                found.append(f"{name}[{', '.join(index)}]")
        return " and ".join(found)


def _finding(problem: Problem, p: _Pair, kind: str, why: str, hint: str = "", s: Settings = Settings(),  # noqa: B008
             **more: Any) -> Finding:  # fmt: skip
    """The facts about the worst element of a pair."""
    r, k, a, n = p.worst or (0, 0, math.nan, math.nan)
    left, right, _ = slopes(problem, p.i, p.j, r, k, s.eps)
    return Finding(
        kind, why, hint, problem.outputs[p.i].name, problem.inputs[p.j].name, p.out, p.inp,
        tuple(map(int, np.unravel_index(r, p.out))), tuple(map(int, np.unravel_index(k, p.inp))), a, n, left, right,
        s.atol + s.rtol * abs(n), p.failing, p.total, **more,
    )  # fmt: skip


def judge(problem: Problem, p: _Pair, s: Settings) -> Finding:
    """A failing pair with the first verdict that the evidence bears out."""
    seen = _Evidence(problem, p, s)
    only = seen.only(problem, p)
    if not seen.finite and p.worst is not None:
        inp, at = problem.inputs[p.j], problem.inputs[p.j].array.flat[p.worst[1]]
        if at + inp.array.dtype.type(s.eps) == at:
            why = f"{inp.name} does not move: {float(at):.3g} has too few digits for it"
            hint = "check at smaller values, or pass a larger eps"
            return _finding(problem, p, NOISY, why, hint, s, only=only)
    if not seen.finite:
        return _finding(problem, p, NOT_FINITE, _not_finite(p), "move the point, or guard the operation there",
                        s, only=only)  # fmt: skip
    picks = seen.picks[:12]
    kinks = [q for q in picks if _kink(problem, p, q, s)]
    rest = [q for q in picks if q not in kinks]
    if kinks and not rest:
        jump = _jump(problem, p, kinks[0], s)
        why = (
            "the function jumps here"
            if jump
            else "the one-sided slopes differ, and analytic lies between them"
        )
        return _finding(
            problem, p, KINK, why, "no derivative exists here: check at a point away from it", s, only=only
        )
    eps, serves = _better_eps(problem, p, rest, s)
    if eps is not None:
        cause = "rounding" if eps > s.eps else "curvature"
        why = f"{cause} spoils the differences; with eps={eps:g} they agree with analytic"
        hint = f"pass eps={eps:g}"
        if not serves:
            why = f"{cause} spoils the differences; no eps serves these tolerances, eps={eps:g} comes nearest"
            hint = f"pass eps={eps:g} and larger tolerances, or make the function more exact"
        return _finding(problem, p, NOISY, why, hint, s, only=only, eps=eps)
    if seen.zero or (seen.zeros_fail and _sliced(seen, p) is None):
        what = "analytic is zero everywhere" if seen.zero else "analytic is zero in all failing elements"
        hint = "look for detach(), .data, item(), no_grad() or NumPy on the way, or a gradient that is not returned"
        return _finding(problem, p, DETACHED, f"{what}, numeric is not", hint, s, only=only)
    hypotheses = [*_missing_sums(seen, p), *_factors(problem, p, rest), *_transpositions(problem, p)]
    left = _verify(problem, p, hypotheses, s)
    for h, unexplained in zip(hypotheses, left, strict=True):
        if unexplained <= 0.02 * p.failing:
            return _finding(problem, p, h.kind, h.why, h.hint, s, only=only)
    why = "no simple change of the analytic values explains the numeric ones"
    return _finding(problem, p, WRONG, why, "", s, only=only)


def _not_finite(p: _Pair) -> str:
    n = p.worst[3] if p.worst else math.nan
    if math.isfinite(n):
        return "the derivative is not finite here, though the function can be measured"
    return "the function is not finite here or next to it"


def _kink(problem: Problem, p: _Pair, pick: tuple[int, int, float, float], s: Settings) -> bool:
    """Whether the one-sided slopes differ by as much at ten times eps, and at a tenth of it or there not at all.

    Where the function is smooth their difference shrinks with the step; where it is noise it grows as the step
    shrinks; where the kink lies within eps, but not within a tenth, it ends at once.
    """
    r, k, a, _ = pick
    gaps = []
    for e in (s.eps / 10, s.eps, s.eps * 10):
        left, right, _ = slopes(problem, p.i, p.j, r, k, e)
        gaps.append(abs(left - right))
        if e == s.eps:
            low, high = sorted((left, right))
    tolerance = s.atol + s.rtol * max(abs(low), abs(high))
    if _jump(problem, p, pick, s):
        return True
    inside = low - tolerance <= a <= high + tolerance
    small, middle, large = gaps
    near = small < 0.03 * middle and middle / 3 < large < 3 * middle
    at = max(gaps) < 5 * min(gaps)
    return bool(inside and middle > tolerance and (at or near))


def _jump(problem: Problem, p: _Pair, pick: tuple[int, int, float, float], s: Settings) -> bool:
    """Whether the function's change across the point does not depend on the step."""
    r, k, *_ = pick
    changes = []
    for e in (s.eps / 10, s.eps, s.eps * 10):
        up, down = (_moved(problem, p.j, k, d)[0][p.i][r] for d in (e, -e))
        changes.append(abs(up - down))
    size = max(1e-12, float(np.abs(problem.outputs[p.i].value).max(initial=0.0)))
    return bool(min(changes) > 1e-6 * size and max(changes) < 1.05 * min(changes))


def _better_eps(
    problem: Problem, p: _Pair, picks: list[tuple[int, int, float, float]], s: Settings
) -> tuple[float | None, bool]:
    """The step with which the failing elements agree with what is claimed, found by trying; and whether they do.

    One step may agree by chance, so a neighbour must agree too, and then a random projection of all elements.
    Where none does, but what is claimed lies within the noise of the best measurement, it is the nearest.
    """
    steps = [c / 10.0**n for n in range(1, 10) for c in (3.0, 1.0)]
    errors = []
    for e in steps:
        worst = 0.0
        for r, k, a, _ in picks:
            n = slopes(problem, p.i, p.j, r, k, e)[2]
            worst = max(worst, float(scores(np.array([a]), np.array([n]), s)[0]))
        errors.append(worst)
    served = [
        (error, e)
        for at, (error, e) in enumerate(zip(errors, steps, strict=True))
        if error <= 0.5 and any(0 <= b < len(errors) and errors[b] <= 1.0 for b in (at - 1, at + 1))
    ]
    for _, e in sorted(served):
        projected = _projections(problem, s._replace(eps=e))
        if all(q[0].margin <= 1.0 for q in projected if (q[0].i, q[0].j) == (p.i, p.j)):
            return e, True
    for r, k, a, n in picks:
        value, error = refined(problem, p.i, p.j, r, k)
        if not (abs(a - value) <= 3 * error and abs(a - value) < abs(a - n) / 3):
            return None, False
    return (steps[int(np.argmin(errors))], False) if picks else (None, False)


def _sliced(seen: _Evidence, p: _Pair) -> int | None:
    """The axis of the output along which something is claimed for one index only, but measured for more."""
    if not p.rows:
        return None
    for axis, (a, n) in enumerate(zip(seen.claimed, seen.measured, strict=True)):
        if a.sum() == 1 and n.sum() > 1:
            return axis
    return None


def _missing_sums(seen: _Evidence, p: _Pair) -> Iterator[_Hypothesis]:
    axis = _sliced(seen, p)
    if axis is None:
        return
    index = int(seen.claimed[axis].argmax())
    kept = _unravel(np.arange(math.prod(p.out)), p.out)[axis] == index

    def predict(lo: int, hi: int) -> Array:
        return np.where(kept[lo:hi, None], p.numeric(lo, hi), 0.0)

    yield _Hypothesis(
        MISSING_SUM,
        f"only index {index} of the output's axis {axis} (length {p.out[axis]}) reaches the input",
        f"sum the incoming gradient over axis {axis}",
        predict,
    )


def broadcast_axes(shape: Shape, to: Shape) -> list[int]:
    """The axes of ``to`` along which ``shape`` is repeated; none if it does not broadcast so."""
    extra = len(to) - len(shape)
    if extra < 0 or any(n not in (1, t) for n, t in zip(shape, to[extra:], strict=True)):
        return []
    return [a for a, t in enumerate(to) if t != 1 and (a < extra or shape[a - extra] == 1)]


def _factors(problem: Problem, p: _Pair, picks: list[tuple[int, int, float, float]]) -> Iterator[_Hypothesis]:
    ratios = np.array([a / n for _, _, a, n in picks if n and a])
    if not ratios.size:
        return
    c = float(np.median(ratios))
    spread = float(np.abs(ratios - c).max())
    near = max(1e-6 * abs(c), min(3 * spread, 1e-3 * abs(c)))
    simple = Fraction(c).limit_denominator(64)
    known = simple.numerator != 0 and abs(float(simple) - c) <= near and abs(simple.numerator) <= 64
    distinct = len({float(f"{n:.3g}") for _, _, a, n in picks if n})
    if not known and distinct < 3:
        return  # one ratio is always constant

    def predict(lo: int, hi: int) -> Array:
        return c * p.numeric(lo, hi)

    if known and simple == -1:
        yield _Hypothesis(SIGN, "analytic = -numeric", "", predict)
        return
    value = (
        f"{c:.8g}"
        if not known
        else str(simple)
        if simple.denominator == 1
        else f"{simple} ({float(simple):.6g})"
    )
    why = f"analytic = {value} x numeric"
    yield _Hypothesis(FACTOR, why, _length(problem, p, simple) if known else "", predict)


def _length(problem: Problem, p: _Pair, factor: Fraction) -> str:
    """What a factor of n or 1/n may come from: the axes of that length, those of a broadcast first."""
    if 1 not in (abs(factor.numerator), factor.denominator) or abs(factor) == 1:
        return ""
    n = max(abs(factor.numerator), factor.denominator)
    mean = factor.denominator > 1
    said = "mean instead of sum" if mean else "sum instead of mean"
    out, inp = problem.outputs[p.i].name, problem.inputs[p.j].name
    axes = broadcast_axes(p.inp, p.out)
    for a in axes:
        if p.out[a] == n:
            return f"{n} is the length of {out}'s axis {a}, along which {inp} is broadcast: {said}?"
    if len(axes) > 1 and math.prod(p.out[a] for a in axes) == n:
        return f"{n} elements of {out} see each element of {inp}, by broadcasting: {said}?"
    for name, shape in ((inp, p.inp), (out, p.out), *((i.name, i.array.shape) for i in problem.inputs)):
        if n in shape:
            return f"{n} is the length of {name}'s axis {shape.index(n)}: {said}?"
        if len(shape) > 1 and math.prod(shape) == n:
            return f"{n} is the number of {name}'s elements: {said}?"
    return ""


def _transpositions(problem: Problem, p: _Pair) -> Iterator[_Hypothesis]:
    """The Jacobian with axes of equal length exchanged: of the line, of what drives it, or one of each."""
    if p.jacobian is None:
        return
    full = p.jacobian.reshape((*p.inp, *p.out))
    if p.rows:
        full = full.transpose(*range(len(p.inp), full.ndim), *range(len(p.inp)))
    d, shape = len(p.drive), full.shape
    out, inp = problem.outputs[p.i].name, problem.inputs[p.j].name
    driven, lined = (out, inp) if p.rows else (inp, out)
    orders: list[tuple[tuple[int, ...], str]] = []
    front, back = tuple(range(d)), tuple(range(d, full.ndim))

    def said(name: str, axes: tuple[int, ...]) -> str:
        moved = [a for a, b in enumerate(axes) if a != b]
        return (
            f"axes {moved[0]} and {moved[1]} of {name}" if len(moved) == 2 else f"the axes of {name}, {axes},"
        )

    for o in itertools.permutations(back) if len(back) <= 4 else _swaps(back):
        text = f"{said(lined, tuple(a - d for a in o))} are exchanged in what is returned"
        orders.append(((*front, *o), text))
    for o in itertools.permutations(front) if len(front) <= 4 else _swaps(front):
        orders.append(((*o, *back), f"{said(driven, o)} are exchanged in what comes in"))
    for a, b in itertools.product(front, back):
        order = list(range(full.ndim))
        order[a], order[b] = b, a
        text = f"axis {a} of {driven} and axis {b - d} of {lined} are exchanged: a matrix instead of its transpose"
        orders.append((tuple(order), text))
    for order_, text in orders:
        moved_ = [a for a, b in enumerate(order_) if a != b and shape[a] > 1]
        if moved_ and tuple(shape[a] for a in order_) == shape:
            yield _Hypothesis(TRANSPOSED, text, "transpose it back", _reader(full.transpose(order_), p.drive))


def _swaps(axes: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for a, b in itertools.combinations(range(len(axes)), 2):
        order = list(axes)
        order[a], order[b] = order[b], order[a]
        yield tuple(order)


def _reader(full: Array, drive: Shape) -> Callable[[int, int], Array]:
    """Lines of a transposed Jacobian, which is never copied as a whole."""

    def predict(lo: int, hi: int) -> Array:
        return np.array([full[np.unravel_index(line, drive)].reshape(-1) for line in range(lo, hi)])

    return predict


def _verify(problem: Problem, p: _Pair, hypotheses: list[_Hypothesis], s: Settings) -> list[int]:
    """How many elements each hypothesis leaves unexplained."""
    left = [0] * len(hypotheses)
    if not hypotheses:
        return left
    for lo, (a,) in _lines(problem, p.i if p.rows else p.j, [p.j if p.rows else p.i]):
        for k, h in enumerate(hypotheses):
            if left[k] <= 0.02 * p.failing:
                left[k] += int(np.count_nonzero(scores(a, h.predict(lo, lo + len(a)), s) > 1.0))
    return left

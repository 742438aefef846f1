"""The verdict on a pair that fails: the first that the evidence bears out."""

from __future__ import annotations

import functools
import math

import numpy as np

from minigrad.gradcheck.numeric import kinds
from minigrad.gradcheck.numeric.causes import causes
from minigrad.gradcheck.numeric.compare import Element, Pair, claims, projections, scores
from minigrad.gradcheck.numeric.measure import refined
from minigrad.gradcheck.numeric.problem import Array, Finding, Settings, Shape, Verdict

PICKS = 12  # failing elements that are measured again


class Evidence:
    """What one more pass over the rows of a failing pair shows."""

    def __init__(self, pair: Pair, s: Settings) -> None:
        self.pair, self.s = pair, s
        rng = np.random.default_rng(s.seed)
        seeded, answer = pair.seeded.array.shape, pair.answer.array.shape
        picks: list[Element] = []
        self.zero = True  # everything claimed is zero
        self.zeros_fail = True  # every failing element is claimed to be zero
        self.finite = True
        # By axis: which indices have a failing element, and at which anything is claimed or measured.
        self.failing = [np.zeros(n, bool) for n in (*seeded, *answer)]
        self.claimed = [np.zeros(n, bool) for n in seeded]
        self.measured = [np.zeros(n, bool) for n in seeded]
        for start, (a,) in claims([pair]):
            n = pair.numeric(start, start + len(a))
            bad = scores(a, n.copy(), s) > 1.0
            self.zero &= not a.any()
            _mark(self.claimed, seeded, start + np.flatnonzero(a.any(1)))
            _mark(self.measured, seeded, start + np.flatnonzero((np.abs(n) > s.atol).any(1)))
            places = np.flatnonzero(bad)
            if not places.size:
                continue
            self.zeros_fail &= not a.flat[places].any()
            self.finite &= bool(np.isfinite(a.flat[places]).all() and np.isfinite(n.flat[places]).all())
            rows, columns = np.divmod(places, a.shape[1])
            _mark(self.failing[: len(seeded)], seeded, start + rows)
            _mark(self.failing[len(seeded) :], answer, columns)
            for k in rng.permutation(len(places))[:64]:
                row, column = int(rows[k]), int(columns[k])
                picks.append(pair.element(start + row, column, a[row, column], n[row, column]))
        order = rng.permutation(len(picks))
        self.picks = [*([pair.worst] if pair.worst else []), *(picks[k] for k in order)][:PICKS]

    @functools.cached_property
    def smooth(self) -> list[Element]:
        """The picks that lie at no kink."""
        return [at for at in self.picks if not _is_kink(self, at)]

    def slice(self) -> tuple[int, int] | None:
        """The axis of the output along which something is claimed for one index only, but measured for more."""
        axes = enumerate(zip(self.claimed, self.measured, strict=True)) if self.pair.problem.reverse else ()
        return next(((k, int(a.argmax())) for k, (a, n) in axes if a.sum() == 1 and n.sum() > 1), None)

    def only(self) -> str:
        """Where the failing elements lie, if all share an index on some axis."""
        seeded = self.pair.seeded.array.ndim
        sides = self.pair.problem.turn(self.failing[:seeded], self.failing[seeded:])
        parts = []
        for name, flags in zip((self.pair.output.name, self.pair.input.name), sides, strict=True):
            index = [str(int(f.argmax())) if f.sum() == 1 and len(f) > 1 else ":" for f in flags]
            if any(i != ":" for i in index):
                parts.append(f"{name}[{', '.join(index)}]")
        return " and ".join(parts)


def _mark(flags: list[Array], shape: Shape, places: Array) -> None:
    """Marks the indices of flat places on each axis."""
    for axis, index in zip(flags, np.unravel_index(places, shape) if shape else (), strict=True):
        axis[index] = True


def judge(pair: Pair, s: Settings) -> Finding:
    """The finding about a failing pair."""
    evidence = Evidence(pair, s)
    verdicts = (verdict for judgement in _JUDGEMENTS if (verdict := judgement(evidence)))
    unexplained = Verdict(kinds.WRONG, "no simple change of the analytic values explains the numeric ones")
    return pair.finding(next(verdicts, unexplained), s, evidence.only())


def _not_finite(e: Evidence) -> Verdict | None:
    if e.finite:
        return None
    worst, x = e.pair.worst, e.pair.input
    if worst is not None:
        at = x.array.flat[worst.input]
        if at + x.array.dtype.type(e.s.eps) == at:
            why = f"{x.name} does not move: {float(at):.3g} has too few digits for it"
            return Verdict(kinds.NOISY, why, "check at smaller values, or pass a larger eps")
    why = "the function is not finite here or next to it"
    if worst is not None and math.isfinite(worst.numeric):
        why = "the derivative is not finite here, though the function can be measured"
    return Verdict(kinds.NOT_FINITE, why, "move the point, or guard the operation there")


def _kink(e: Evidence) -> Verdict | None:
    if e.smooth or not e.picks:
        return None
    why = "the one-sided slopes differ, and analytic lies between them"
    if _jumps(e, _slopes(e, e.picks[0])):
        why = "the function jumps here"
    return Verdict(kinds.KINK, why, "no derivative exists here: check at a point away from it")


def _slopes(e: Evidence, at: Element) -> Array:
    """The slopes to the left and right of an element and across (columns), at eps / 10, eps and eps * 10 (rows)."""
    return np.array([e.pair.slopes(at, step) for step in (e.s.eps / 10, e.s.eps, e.s.eps * 10)])


def _is_kink(e: Evidence, at: Element) -> bool:
    """Whether the one-sided slopes differ by as much at ten times eps, and at a tenth of it or there not at all.

    Where the function is smooth their difference shrinks with the step; where it is noise it grows as the step
    shrinks; where the kink lies within eps, but not within a tenth, it ends at once.
    """
    slopes = _slopes(e, at)
    small, middle, large = gaps = np.abs(slopes[:, 0] - slopes[:, 1])
    low, high = sorted(slopes[1, :2])
    tolerance = e.s.atol + e.s.rtol * max(abs(low), abs(high))
    inside = low - tolerance <= at.analytic <= high + tolerance
    near = small < 0.03 * middle and middle / 3 < large < 3 * middle
    kink = inside and middle > tolerance and (gaps.max() < 5 * gaps.min() or near)
    return _jumps(e, slopes) or bool(kink)


def _jumps(e: Evidence, slopes: Array) -> bool:
    """Whether the function's change across the point does not depend on the step."""
    changes = np.abs(slopes[:, 2]) * (0.1, 1.0, 10.0) * 2 * e.s.eps
    size = max(1e-12, float(np.abs(e.pair.output.array).max(initial=0.0)))
    return bool(changes.min() > 1e-6 * size and changes.max() < 1.05 * changes.min())


def _noise(e: Evidence) -> Verdict | None:
    eps, serves = _better_eps(e)
    if eps is None:
        return None
    cause = "rounding" if eps > e.s.eps else "curvature"
    if serves:
        why = f"{cause} spoils the differences; with eps={eps:g} they agree with analytic"
        return Verdict(kinds.NOISY, why, f"pass eps={eps:g}", eps)
    why = f"{cause} spoils the differences; no eps serves these tolerances, eps={eps:g} comes nearest"
    hint = f"pass eps={eps:g} and larger tolerances, or make the function more exact"
    return Verdict(kinds.NOISY, why, hint, eps)


def _better_eps(e: Evidence) -> tuple[float | None, bool]:
    """The step with which the failing elements agree with what is claimed, by trying; and whether they do.

    One step may agree by chance, so a neighbour must agree too, and then a random projection of all elements.
    Where none does, but what is claimed lies within the noise of the best measurement, it is the nearest.
    """
    p, s, picks = e.pair, e.s, e.smooth
    steps = [c / 10.0**n for n in range(1, 10) for c in (3.0, 1.0)]
    claimed = np.array([at.analytic for at in picks])
    errors = [
        float(scores(claimed, np.array([p.slopes(at, step)[2] for at in picks]), s).max(initial=0.0))
        for step in steps
    ]
    served = [
        (error, step)
        for k, (error, step) in enumerate(zip(errors, steps, strict=True))
        if error <= 0.5 and any(0 <= b < len(errors) and errors[b] <= 1.0 for b in (k - 1, k + 1))
    ]
    for _, step in sorted(served):
        projected = projections(p.problem, s._replace(eps=step))
        if all(q.margin <= 1.0 for q in projected if (q.i, q.j) == (p.i, p.j)):
            return step, True
    for at in picks:
        value, error = refined(p.problem, p.i, p.j, at.output, at.input)
        away = abs(at.analytic - value)
        if not (away <= 3 * error and away < abs(at.analytic - at.numeric) / 3):
            return None, False
    return (steps[int(np.argmin(errors))], False) if picks else (None, False)


def _detached(e: Evidence) -> Verdict | None:
    if not (e.zero or (e.zeros_fail and e.slice() is None)):
        return None
    what = "analytic is zero everywhere" if e.zero else "analytic is zero in all failing elements"
    places = "detach(), .data, item(), no_grad() or NumPy on the way, or a gradient that is not returned"
    return Verdict(kinds.DETACHED, f"{what}, numeric is not", f"look for {places}")


def _explained(e: Evidence) -> Verdict | None:
    """The first cause that explains all but a fiftieth of the failing elements."""
    tried = list(causes(e.pair, e.smooth, e.slice()))
    allowed = 0.02 * e.pair.failing
    unexplained = [0] * len(tried)
    for start, (a,) in claims([e.pair]) if tried else ():
        for k, (_, predict) in enumerate(tried):
            if unexplained[k] <= allowed:
                unexplained[k] += int(np.count_nonzero(scores(a, predict(start, start + len(a)), e.s) > 1.0))
    return next((v for (v, _), left in zip(tried, unexplained, strict=True) if left <= allowed), None)


_JUDGEMENTS = (_not_finite, _kink, _noise, _detached, _explained)

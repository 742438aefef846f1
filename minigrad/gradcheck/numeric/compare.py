"""Claimed and measured derivatives side by side: element by element, or along random vectors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from minigrad.gradcheck.numeric.measure import along, jacobian, slopes
from minigrad.gradcheck.numeric.problem import Array, Finding, Problem, Settings, Shape, Verdict, about


class Element(NamedTuple):
    """An element of a Jacobian: its places in the output and in the input, and its values."""

    output: int
    input: int
    analytic: float
    numeric: float


class Pair:
    """The comparison of one output with one input.

    Both Jacobians are matrices whose row r answers to the seed that is 1 in element r and 0 elsewhere, and whose
    columns are the elements of the answer.
    """

    def __init__(self, problem: Problem, i: int, j: int, jacobian: Array) -> None:
        self.problem, self.i, self.j = problem, i, j
        self.output, self.input = problem.outputs[i], problem.inputs[j]
        self.seeded, self.answer = problem.turn(self.output, self.input)
        self.measured: Array = jacobian.T if problem.reverse else jacobian
        self.margin, self.failing, self.total = 0.0, 0, jacobian.size
        self.worst: Element | None = None  # of an empty pair

    def numeric(self, start: int, stop: int) -> Array:
        """Rows of the measured Jacobian, a copy."""
        return np.array(self.measured[start:stop], order="C")

    def element(self, row: int, column: int, analytic: float, numeric: float) -> Element:
        """The element in a row and a column."""
        return Element(*self.problem.turn(row, column), float(analytic), float(numeric))

    def slopes(self, at: Element, eps: float) -> tuple[float, float, float]:
        """The slopes to the left and right of an element, and across."""
        return slopes(self.problem, self.i, self.j, at.output, at.input, eps)

    def finding(self, verdict: Verdict, s: Settings, only: str = "") -> Finding:
        """A verdict with the facts about the worst element."""
        at = self.worst or Element(0, 0, math.nan, math.nan)
        left, right, _ = self.slopes(at, s.eps)
        tolerance = s.atol + s.rtol * abs(at.numeric)
        places = zip((at.output, at.input), (self.output, self.input), strict=True)
        at_output, at_input = (tuple(map(int, np.unravel_index(k, v.array.shape))) for k, v in places)
        finding = about(verdict, self.output, self.input)._replace(analytic=at.analytic, numeric=at.numeric)
        finding = finding._replace(at_output=at_output, at_input=at_input, left=left, right=right)
        return finding._replace(tolerance=tolerance, failing=self.failing, total=self.total, only=only)


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


def claims(pairs: Sequence[Pair]) -> Iterator[tuple[int, list[Array]]]:
    """The claimed Jacobians of pairs with one seeded variable, in blocks of rows: the first row, and a block each."""
    first, problem = pairs[0], pairs[0].problem
    seeded, places = (first.i, [p.j for p in pairs]) if problem.reverse else (first.j, [p.i for p in pairs])
    sizes = [p.answer.array.size for p in pairs]
    shape, count = first.seeded.array.shape, first.seeded.array.size
    many = max(1, min(256, 16384 // max(1, *sizes)))  # a block stays in the cache
    for start in range(0, count, many):
        stop = min(count, start + many)
        blocks = [np.empty((stop - start, *(p.answer.array.shape or (1,)))) for p in pairs]
        for row in range(start, stop):
            seed = np.zeros(shape)
            seed.flat[row] = 1.0
            answers = problem.derivative(seeded, seed)
            for block, place in zip(blocks, places, strict=True):
                answer = answers[place]
                block[row - start] = 0.0 if answer is None else answer
        yield start, [b.reshape(stop - start, size) for b, size in zip(blocks, sizes, strict=True)]


NEGLIGIBLE = 1e-3  # a margin below it is taken from atol alone: a bound, in half the time


def compare(pairs: Sequence[Pair], s: Settings) -> None:
    """Fills in margin, failing and worst of pairs with one seeded variable."""
    for start, blocks in claims(pairs):
        for p, a in zip(pairs, blocks, strict=True):
            if not a.size:
                continue
            n = p.numeric(start, start + len(a))
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
                row, column = divmod(at, a.shape[1])
                p.margin = top
                p.worst = p.element(start + row, column, a.flat[at], p.measured[start + row, column])


def all_pairs(problem: Problem, s: Settings) -> list[Pair]:
    """Every output against every input, element by element."""
    inputs, outputs = range(len(problem.inputs)), range(len(problem.outputs))
    measured = [jacobian(problem, j, s.eps) for j in inputs]
    table = [[Pair(problem, i, j, measured[j][i]) for j in inputs] for i in outputs]
    for group in table if problem.reverse else zip(*table, strict=True):
        compare(group, s)
    return list(itertools.chain(*table))


def one_pair(problem: Problem, i: int, j: int, s: Settings) -> Pair:
    """One output against one input, element by element."""
    pair = Pair(problem, i, j, jacobian(problem, j, s.eps)[i])
    compare([pair], s)
    return pair


class Projection(NamedTuple):
    """The Jacobian of output i by input j between random unit vectors, v J u."""

    margin: float
    i: int
    j: int
    analytic: float
    numeric: float
    tolerance: float


def projections(problem: Problem, s: Settings) -> list[Projection]:
    """Each pair of output and input along random unit vectors, the worse of two trials.

    Once all of u and v is positive, as in PyTorch: an error that is everywhere the same shows most.  Once it
    has any sign: errors that cancel in the first trial do not in the second.  An error of atol in every element
    of J changes v J u by at most atol times the sums of |u| and |v|.
    """
    rng = np.random.default_rng(s.seed)
    trials = [_project(problem, s, rng, positive) for positive in (True, False)]
    return [max(pair, key=lambda p: p.margin) for pair in zip(*trials, strict=True)]


def _project(problem: Problem, s: Settings, rng: np.random.Generator, positive: bool) -> list[Projection]:
    us = [unit(rng, x.array.shape, positive) for x in problem.inputs]
    vs = [unit(rng, y.array.shape, positive) for y in problem.outputs]
    changes = [along(problem, j, u, s.eps) for j, u in enumerate(us)]
    seeds, others = problem.turn(vs, us)
    answers = [problem.derivative(k, seed) for k, seed in enumerate(seeds)]
    trial = []
    for (i, v), (j, u) in itertools.product(enumerate(vs), enumerate(us)):
        seeded, place = problem.turn(i, j)
        answer = answers[seeded][place]
        a = 0.0 if answer is None else float(np.sum(answer * others[place]))
        n = float(np.sum(v * changes[j][i])) if u.size and v.size else 0.0
        tolerance = s.atol * float(np.abs(u).sum() * np.abs(v).sum()) + s.rtol * abs(n)
        margin = 0.0 if a == n else abs(a - n) / tolerance if tolerance else math.inf
        trial.append(Projection(math.inf if math.isnan(margin) else margin, i, j, a, n, tolerance))
    return trial


def unit(rng: np.random.Generator, shape: Shape, positive: bool = False) -> Array:
    """A random unit vector of some shape."""
    v = np.asarray(rng.random(shape) if positive else rng.standard_normal(shape))
    return v / (np.sqrt((v * v).sum()) or 1.0)

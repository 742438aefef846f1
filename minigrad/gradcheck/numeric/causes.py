"""Usual causes of a wrong derivative, each with the Jacobian that it would make of the measured one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from minigrad.gradcheck.numeric import kinds
from minigrad.gradcheck.numeric.compare import Element, Pair
from minigrad.gradcheck.numeric.problem import Array, Shape, Verdict

# A verdict, and the rows from one to another that would then be claimed.
Cause: TypeAlias = "tuple[Verdict, Callable[[int, int], Array]]"


def causes(p: Pair, picks: list[Element], slice: tuple[int, int] | None) -> Iterator[Cause]:
    """The causes to try; ``picks`` are failing elements, ``slice`` the only index on an axis with a claim."""
    if slice is not None:
        yield _missing_sum(p, *slice)
    yield from _factors(p, picks)
    yield from _transpositions(p)


def _missing_sum(p: Pair, axis: int, index: int) -> Cause:
    shape = p.output.array.shape
    kept = np.unravel_index(np.arange(math.prod(shape)), shape)[axis] == index
    why = f"only index {index} of the output's axis {axis} (length {shape[axis]}) reaches the input"
    verdict = Verdict(kinds.MISSING_SUM, why, f"sum the incoming gradient over axis {axis}")
    return verdict, lambda start, stop: np.where(kept[start:stop, None], p.numeric(start, stop), 0.0)


def broadcast_axes(shape: Shape, to: Shape) -> list[int]:
    """The axes of ``to`` along which ``shape`` is repeated; none if it does not broadcast so."""
    extra = len(to) - len(shape)
    if extra < 0 or any(n not in (1, t) for n, t in zip(shape, to[extra:], strict=True)):
        return []
    return [a for a, t in enumerate(to) if t != 1 and (a < extra or shape[a - extra] == 1)]


def _factors(p: Pair, picks: list[Element]) -> Iterator[Cause]:
    ratios = np.array([at.analytic / at.numeric for at in picks if at.numeric and at.analytic])
    if not ratios.size:
        return
    c = float(np.median(ratios))
    spread = float(np.abs(ratios - c).max())
    near = max(1e-6 * abs(c), min(3 * spread, 1e-3 * abs(c)))
    simple = Fraction(c).limit_denominator(64)
    known = simple.numerator != 0 and abs(float(simple) - c) <= near and abs(simple.numerator) <= 64
    distinct = {f"{at.numeric:.3g}" for at in picks if at.numeric}
    if not known and len(distinct) < 3:
        return  # one ratio is always constant
    number = f"{c:.8g}"
    if known:
        number = f"{simple} ({float(simple):.6g})" if simple.denominator > 1 else str(simple)
    verdict = Verdict(kinds.FACTOR, f"analytic = {number} x numeric", _length(p, simple) if known else "")
    if known and simple == -1:
        verdict = Verdict(kinds.SIGN, "analytic = -numeric")
    yield verdict, lambda start, stop: c * p.numeric(start, stop)


def _length(p: Pair, factor: Fraction) -> str:
    """What a factor of n or 1/n may come from: the axes of that length, those of a broadcast first."""
    n = max(abs(factor.numerator), factor.denominator)
    if n == 1 or 1 not in (abs(factor.numerator), factor.denominator):
        return ""
    cause = "mean instead of sum" if factor.denominator > 1 else "sum instead of mean"
    (out, y), (inp, x) = p.output, p.input
    axes = broadcast_axes(x.shape, y.shape)
    for a in axes:
        if y.shape[a] == n:
            return f"{n} is the length of {out}'s axis {a}, along which {inp} is broadcast: {cause}?"
    if len(axes) > 1 and math.prod(y.shape[a] for a in axes) == n:
        return f"{n} elements of {out} see each element of {inp}, by broadcasting: {cause}?"
    for name, array in (p.input, p.output, *p.problem.inputs):
        if n in array.shape:
            return f"{n} is the length of {name}'s axis {array.shape.index(n)}: {cause}?"
        if array.ndim > 1 and array.size == n:
            return f"{n} is the number of {name}'s elements: {cause}?"
    return ""


def _transpositions(p: Pair) -> Iterator[Cause]:
    """The Jacobian with axes of equal length exchanged: of the answer, of what is seeded, or one of each."""
    (seeded, a), (answer, b) = p.seeded, p.answer
    full = p.measured.reshape((*a.shape, *b.shape))  # a view
    front, back = range(a.ndim), range(a.ndim, full.ndim)
    orders = [((*front, *o), _axes(answer, o, a.ndim), " in what is returned") for o in _orders(back)]
    orders += [((*o, *back), _axes(seeded, o, 0), " in what comes in") for o in _orders(front)]
    for i, j in itertools.product(front, back):
        axes = f"axis {i} of {seeded} and axis {j - a.ndim} of {answer}"
        orders.append((_exchanged(range(full.ndim), i, j), axes, ": a matrix instead of its transpose"))
    for order, axes, where in orders:
        moves = any(axis != k and full.shape[k] > 1 for k, axis in enumerate(order))
        if moves and tuple(full.shape[axis] for axis in order) == full.shape:
            verdict = Verdict(kinds.TRANSPOSED, f"{axes} are exchanged{where}", "transpose it back")
            yield verdict, _rows(full.transpose(order), a.shape)


def _orders(axes: range) -> Iterator[tuple[int, ...]]:
    """The orders of some axes; of more than four only exchanges of two."""
    if len(axes) <= 4:
        return itertools.permutations(axes)
    return (_exchanged(axes, a, b) for a, b in itertools.combinations(axes, 2))


def _exchanged(axes: range, a: int, b: int) -> tuple[int, ...]:
    return tuple(b if k == a else a if k == b else k for k in axes)


def _axes(name: str, order: Sequence[int], first: int) -> str:
    order = tuple(axis - first for axis in order)
    moved = [k for k, axis in enumerate(order) if k != axis]
    return f"axes {moved[0]} and {moved[1]} of {name}" if len(moved) == 2 else f"the axes of {name}, {order},"


def _rows(full: Array, seeded: Shape) -> Callable[[int, int], Array]:
    """Rows of a transposed Jacobian, which is never copied as a whole."""

    def rows(start: int, stop: int) -> Array:
        return np.array([full[np.unravel_index(row, seeded)].reshape(-1) for row in range(start, stop)])

    return rows

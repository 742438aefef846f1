"""Derivatives by central differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.gradcheck.numeric.problem import Array, Problem


def jacobian(problem: Problem, j: int, eps: float) -> list[Array]:
    """The derivative of each output by input j, shaped (elements of the input, elements of the output).

    Central differences, (f(x + h) - f(x - h)) / 2h, with the h that the dtype really stores.
    """
    array = problem.inputs[j].array
    flat, evaluate = array.flat, problem.evaluate
    tables = [np.empty((array.size, *(y.array.shape or (1,)))) for y in problem.outputs]
    again = zip(evaluate(), evaluate(), strict=True)
    if any(np.may_share_memory(y, other) for y, z in again for other in (z, array)):
        evaluate = _copies(evaluate)  # a view of the input, say, that moves when the input moves again
    k, old = 0, None
    try:
        for k, rows in enumerate(zip(*tables, strict=True)):
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
    return [t.reshape(array.size, y.array.size) for t, y in zip(tables, problem.outputs, strict=True)]


def _copies(evaluate: Callable[[], Sequence[Any]]) -> Callable[[], Sequence[Any]]:
    return lambda: [np.array(y) for y in evaluate()]


def along(problem: Problem, j: int, u: Array, eps: float) -> list[Array]:
    """The change of each output when input j moves along u."""
    array = problem.inputs[j].array
    old = array.copy()
    try:
        array += eps * u
        up = [np.array(y, float) for y in problem.evaluate()]
        array[...] = old
        array -= eps * u
        return [(y - z) / (2 * eps) for y, z in zip(up, problem.evaluate(), strict=True)]
    finally:
        array[...] = old


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
    base = float(problem.outputs[i].array.reshape(-1)[r])
    u, d = up[i][r], down[i][r]
    with np.errstate(all="ignore"):
        left, right, across = np.divide([base - d, u - base, u - d], [-h_, h, h - h_])
    return float(left), float(right), float(across)


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

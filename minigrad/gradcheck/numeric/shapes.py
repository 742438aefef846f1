"""Derivatives that do not have the shape that they must have."""

from __future__ import annotations

import itertools

import numpy as np

from minigrad.gradcheck.numeric import kinds
from minigrad.gradcheck.numeric.causes import broadcast_axes
from minigrad.gradcheck.numeric.measure import jacobian
from minigrad.gradcheck.numeric.problem import Array, Finding, Problem, Settings, Verdict, about


def misshapen(problem: Problem, s: Settings) -> list[Finding]:
    """Findings about derivatives of a wrong shape, by what would make them right."""
    rng = np.random.default_rng(s.seed)
    findings = []
    for d, seeded in enumerate(problem.seeded):
        seed = np.asarray(rng.standard_normal(seeded.array.shape))
        answers = problem.derivative(d, seed.copy())
        for k, (variable, answer) in enumerate(zip(problem.answers, answers, strict=True)):
            shape = variable.array.shape
            if answer is None or answer.shape == shape:
                continue
            i, j = problem.turn(d, k)
            with np.errstate(all="ignore"):
                measured = jacobian(problem, j, s.eps)[i]
                true = np.tensordot(measured if problem.reverse else measured.T, seed.reshape(-1), 1)
            verdict = _reshaping(answer, true.reshape(shape))
            findings.append(about(verdict, problem.outputs[i], problem.inputs[j]))
    return findings


def _reshaping(answer: Array, true: Array) -> Verdict:
    """What turns a derivative of another shape into the measured one."""
    shown = f"a derivative of shape {list(answer.shape)} was returned where {list(true.shape)} is needed"

    def same(a: Array) -> bool:
        return a.shape == true.shape and np.allclose(a, true, 1e-3, 1e-5)

    axes = broadcast_axes(true.shape, answer.shape)
    if axes and same(answer.sum(tuple(axes)).reshape(true.shape)):
        over = f"over {'axes' if len(axes) > 1 else 'axis'} {' and '.join(map(str, axes))}"
        return Verdict(kinds.MISSING_SUM, f"{shown}: summed {over} it agrees", f"sum it {over}")
    if axes and same(answer.mean(tuple(axes)).reshape(true.shape)):
        return Verdict(kinds.WRONG, f"{shown}: its mean over axes {axes} agrees", "average it over them")
    if answer.ndim == true.ndim and answer.ndim <= 5:
        for order in itertools.permutations(range(answer.ndim)):
            if same(answer.transpose(order)):
                why = f"{shown}: with its axes in the order {order} it agrees"
                return Verdict(kinds.TRANSPOSED, why, "transpose it back")
    if answer.size == true.size and same(answer.reshape(true.shape)):
        return Verdict(kinds.WRONG, f"{shown}: the values agree", f"reshape it to {list(true.shape)}")
    repeats = not answer.shape or broadcast_axes(answer.shape, true.shape)
    if repeats and same(np.broadcast_to(answer, true.shape)):
        return Verdict(kinds.WRONG, f"{shown}: repeated to that shape it agrees", "np.broadcast_to(...) it")
    return Verdict(kinds.WRONG, shown, "return one number for each that is asked for")

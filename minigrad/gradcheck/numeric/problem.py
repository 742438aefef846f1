"""What is checked and what a check finds: `Problem`, `Settings`, `Finding`, `Result`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


class Settings(NamedTuple):
    """How to measure and what to allow: an element passes if |analytic - numeric| <= atol + rtol |numeric|."""

    eps: float = 1e-6
    rtol: float = 1e-3
    atol: float = 1e-5
    nondet_tol: float = 0.0
    fast: bool = False
    seed: int = 0


class Variable(NamedTuple):
    """An input, with the memory that `Problem.evaluate` reads, or an output, with its value at the point."""

    name: str
    array: Array


class Problem(NamedTuple):
    """A function at a point and a claimed derivative.

    ``evaluate()`` returns every output at the present contents of the inputs, which are changed in place, one
    element at a time, and restored.  In reverse mode ``derivative(i, g)`` returns the gradient of <output i, g> by
    each input; in forward mode ``derivative(j, t)`` returns the change of each output when input j moves along t.
    None stands for zeros.
    """

    inputs: Sequence[Variable]
    outputs: Sequence[Variable]
    evaluate: Callable[[], Sequence[Any]]
    derivative: Callable[[int, Array], Sequence[Any]]
    reverse: bool = True
    narrow: str = ""  # what is computed in less than float64, and how to widen it

    @property
    def seeded(self) -> Sequence[Variable]:
        """The variables of which ``derivative`` takes a seed (a cotangent or a tangent)."""
        return self.outputs if self.reverse else self.inputs

    @property
    def answers(self) -> Sequence[Variable]:
        """The variables for which ``derivative`` returns arrays."""
        return self.inputs if self.reverse else self.outputs

    def turn(self, first: Any, second: Any) -> tuple[Any, Any]:
        """(seeded, answer) as (output, input), and the other way round."""
        return (first, second) if self.reverse else (second, first)


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


class Verdict(NamedTuple):
    """A kind of fault, the sentence that tells it, and what to do."""

    kind: str
    why: str
    hint: str = ""
    eps: float | None = None  # the one that serves


def about(verdict: Verdict, output: Variable, input: Variable | None = None) -> Finding:
    """A finding about an output and an input, which a fault of the function itself does not have."""
    x = input or Variable("", np.empty(()))
    kind, why, hint, eps = verdict
    return Finding(kind, why, hint, output.name, x.name, output.array.shape, x.array.shape, eps=eps)


class Result(NamedTuple):
    """The outcome of a check."""

    findings: list[Finding]  # of the failing pairs of input and output, the worst first
    doubts: list[Finding]  # pairs that pass with a difference that is not rounding
    margin: float  # the largest |analytic - numeric| over its tolerance: fails above 1
    bare: bool = False  # the function works on arrays as on Tensors: operators alone

"""How a check ends, and the sentences that checks of arrays and of Tensors have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minigrad.errors import warn
from minigrad.gradcheck import report
from minigrad.gradcheck.numeric.problem import Finding, Result
from minigrad.gradcheck.outcome import OUTCOMES, GradcheckError, GradcheckWarning


def conclude(check: str, function: str, examine: Callable[[], Result], raise_exception: bool) -> bool:
    """Runs a check: True, GradcheckError, or False; a GradcheckWarning for what passes and is no rounding."""
    try:
        result = examine()
    except GradcheckError:
        _count(False, math.inf, False)
        if raise_exception:
            raise
        return False
    _count(True, result.margin, result.bare)
    for doubt in result.doubts:
        warn(_doubtful(check, function, doubt), GradcheckWarning)
    return True


def _count(passed: bool, margin: float, bare: bool) -> None:
    outcomes = OUTCOMES.get()
    if outcomes is not None:
        outcomes.append((passed, margin, bare))


def _doubtful(check: str, function: str, doubt: Finding) -> str:
    at = f"d {doubt.output}{list(doubt.at_output or ())} / d {doubt.input}{list(doubt.at_input or ())}"
    return (
        f"{check}: {function} {doubt.why}, which is more than measuring it can explain, at {at}: analytic "
        f"{report.number(doubt.analytic)}, numeric {report.number(doubt.numeric)}. Pass rtol=1e-5, atol=1e-7 "
        "to have it refused."
    )


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

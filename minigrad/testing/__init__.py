"""Checks of derivatives written by hand, for plain NumPy: `check_vjp` and `check_jvp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minigrad.testing.numeric import Finding

__all__ = ["GradcheckError", "GradcheckWarning", "check_jvp", "check_vjp"]

RECORD: ContextVar[list[tuple[bool, float, bool]] | None] = ContextVar("RECORD", default=None)


class GradcheckError(RuntimeError):
    """A derivative is wrong. The text is the report; ``findings`` has its facts, the worst first."""

    def __init__(self, text: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(text)
        self.findings = list(findings)

    @property
    def verdict(self) -> str | None:
        """The kind of the worst finding, as in `minigrad.testing.numeric`."""
        return self.findings[0].kind if self.findings else None


class GradcheckWarning(UserWarning):
    """A derivative within the tolerance, whose error is yet no rounding."""


def note(passed: bool, margin: float, bare: bool = False) -> None:
    """Tells whoever counts checks, as the pytest plugin does, of one more; ``bare``: of operators on Tensors alone."""
    record = RECORD.get()
    if record is not None:
        record.append((passed, margin, bare))


def check_vjp(
    f: Callable[..., Any],
    vjp: Callable[..., Any],
    args: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-5,
    nondet_tol: float = 0.0,
    fast_mode: bool = False,
    seed: int = 0,
    cotangent: str | None = None,
    raise_exception: bool = True,
) -> bool:
    """Compares a backward pass written by hand with central differences: ``f(*args)``, ``vjp(*args, cotangent)``.

    The float arrays (and floats) in ``args`` are checked, also inside tuples, lists and dicts; anything else is
    passed on.  ``vjp`` gets the gradient of what f returns, in f's structure, and returns a gradient per
    argument: a tuple, or for a single argument just the gradient; None stands for zeros.  The arguments given
    are never touched.

    ``cotangent`` says where vjp takes it: ``"last"``, ``"first"``, or ``"only"``, for the ``vjp(cotangent)`` of a
    layer that keeps what it needs: f was then last called at the same point.  By default it is the last, or the
    only one where vjp takes a single argument.  Tolerances are those of a float64 function with values around 1,
    tight enough that a relative error of 1e-4 does not pass.  True, or GradcheckError with a report (False
    without ``raise_exception``).  TypeError for Tensors: those are for `gradcheck`.
    """
    from minigrad.testing import numeric, plain  # only now: they are not needed to import minigrad

    s = numeric.Settings(eps, rtol, atol, nondet_tol, fast_mode, seed)
    return plain.check("check_vjp", f, vjp, args, s, cotangent, raise_exception)


def check_jvp(
    f: Callable[..., Any],
    jvp: Callable[..., Any],
    args: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-5,
    nondet_tol: float = 0.0,
    fast_mode: bool = False,
    seed: int = 0,
    tangent: str | None = None,
    raise_exception: bool = True,
) -> bool:
    """As `check_vjp`, for a derivative in the direction of the inputs: ``jvp(*args, tangent)``.

    ``tangent`` is one array for a single argument, otherwise a tuple with one entry per argument, None for those
    that are not floats; ``jvp`` returns the change of what f returns, in f's structure.  The option ``tangent`` says
    where jvp takes it, as ``cotangent`` does there.
    """
    from minigrad.testing import numeric, plain

    s = numeric.Settings(eps, rtol, atol, nondet_tol, fast_mode, seed)
    return plain.check("check_jvp", f, jvp, args, s, tangent, raise_exception)

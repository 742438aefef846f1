"""What a check ends in: `GradcheckError`, `GradcheckWarning`, and a line for those who count checks."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minigrad.gradcheck.numeric.problem import Finding

# A list that gets an entry for each check: whether it passed, its margin, and whether it saw operators alone.
OUTCOMES: ContextVar[list[tuple[bool, float, bool]] | None] = ContextVar("OUTCOMES", default=None)


class GradcheckError(RuntimeError):
    """A derivative is wrong. The text is the report; ``findings`` has its facts, the worst first."""

    __module__ = "minigrad.testing"

    def __init__(self, text: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(text)
        self.findings = list(findings)

    @property
    def verdict(self) -> str | None:
        """The kind of the worst finding, as in `minigrad.testing.numeric`."""
        return self.findings[0].kind if self.findings else None


class GradcheckWarning(UserWarning):
    """A derivative is within the tolerance, but further off than rounding explains."""

    __module__ = "minigrad.testing"

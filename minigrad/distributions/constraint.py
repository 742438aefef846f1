"""`Constraint`: a set of values."""

from __future__ import annotations

from typing import Any

from minigrad.core.tensor import Tensor

__all__ = ["REAL", "Constraint"]


class Constraint:
    """A set of values, the base class; subclasses write `check`."""

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Tensor) -> Tensor:
        """For each event, whether it is in the set."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__.lstrip('_')}()"


class _Real(Constraint):
    """Every number."""

    def check(self, value: Tensor) -> Tensor:
        return value == value


REAL = _Real()

"""`Constraint`: a set of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minigrad.core.tensor import Tensor

__all__ = ["REAL", "Constraint", "Test"]


class Constraint:
    """A set of values; by itself, of none that is known."""

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Tensor) -> Tensor:
        """For each event, whether it is in the set."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__.lstrip('_')}()"


@dataclass(frozen=True, eq=False, repr=False)
class Test(Constraint):
    """A set without parameters, told by a function."""

    _name: str
    _holds: Callable[[Tensor], Tensor]
    event_dim: int = 0
    is_discrete: bool = False

    def check(self, value: Tensor) -> Tensor:
        return self._holds(value)

    def __repr__(self) -> str:
        return f"{self._name}()"


REAL = Test("Real", lambda x: x == x)

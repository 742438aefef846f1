"""PyTorch's list of classes that `load` may make. Here it allows nothing more: a file can only make data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]

_listed: list[Any] = []


def add_safe_globals(safe_globals: Sequence[Any]) -> None:
    """Accepted, and remembered. `load` makes NumPy's numbers and arrays without it, and no objects of your classes."""
    _listed.extend(x for x in safe_globals if x not in _listed)


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` was called with."""
    return list(_listed)


def clear_safe_globals() -> None:
    """Forgets it."""
    _listed.clear()


class safe_globals:
    """`add_safe_globals` for the time of a ``with`` block."""

    def __init__(self, safe_globals: Sequence[Any]) -> None:
        self._more = list(safe_globals)

    def __enter__(self) -> Self:
        self._before = list(_listed)
        add_safe_globals(self._more)
        return self

    def __exit__(self, *exc: object) -> None:
        _listed[:] = self._before

"""The list of classes and functions that a file may name, where `load` is to read weights only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]

_listed: list[Any] = []


def add_safe_globals(safe_globals: Sequence[Any]) -> None:
    """Classes and functions that a file may name, with ``weights_only=True`` too: of those that it may otherwise."""
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

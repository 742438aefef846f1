"""The list of classes and functions that a file may name, where `load` is to read weights only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]

_listed: list[Any] = []


def add_safe_globals(safe_globals: Sequence[Any]) -> None:
    """Allows classes and functions in a file with ``weights_only=True``: those that ``weights_only=False`` allows."""
    _listed.extend(x for x in safe_globals if x not in _listed)


def get_safe_globals() -> list[Any]:
    """The classes and functions that `add_safe_globals` has allowed."""
    return list(_listed)


def clear_safe_globals() -> None:
    """Removes what `add_safe_globals` has allowed."""
    _listed.clear()


class safe_globals:
    """A context in which `add_safe_globals` holds."""

    def __init__(self, safe_globals: Sequence[Any]) -> None:
        self._more = list(safe_globals)

    def __enter__(self) -> Self:
        self._before = list(_listed)
        add_safe_globals(self._more)
        return self

    def __exit__(self, *exc: object) -> None:
        _listed[:] = self._before

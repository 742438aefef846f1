"""What a function stores in objects and dicts, which a replay stores too."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.compiler.guards import MISSING, same


class Store(NamedTuple):
    """An entry of a dict that the function has set, and the object whose attributes these are.

    The owner of an optimizer's state is what the optimizer publishes.
    """

    table: dict[Any, Any]
    key: Any
    owner: Any


class Stores:
    """The tables in which a function may store, what they held before, and what it has stored there."""

    def __init__(self) -> None:
        self._tables: dict[int, tuple[dict[Any, Any], dict[Any, Any], Any]] = {}

    def open(self, table: dict[Any, Any], owner: Any = None) -> None:
        """Notes a table in which the function may store."""
        self._tables.setdefault(id(table), (table, dict.copy(table), owner))

    def grown(self) -> set[int]:
        """The ids of the tables whose keys are still there, in their order."""
        tables = self._tables.items()
        return {i for i, (now, old, _) in tables if [*map(id, now)][: len(old)] == [*map(id, old)]}

    def changed(self) -> list[Store]:
        """What the function has stored."""
        rows = [(now, key, old, owner) for now, old, owner in self._tables.values() for key in now]
        return [Store(now, k, owner) for now, k, old, owner in rows if not same(now[k], old.get(k, MISSING))]

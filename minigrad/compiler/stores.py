"""What a function stores in objects and dicts. A replay stores it too, and no guard is on what nobody reads before."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.compiler.guards import MISSING, same
from minigrad.compiler.kinds import of_minigrad
from minigrad.core.contents import Contents
from minigrad.core.tensor import Tensor

# Attributes of Modules that minigrad reads.
_READ = {"training", "_hooked"}


class Again(BaseException):
    """A call is recorded once more, since its recording has taught something."""


class Learned:
    """What recordings of a call teach the next one.

    ``names`` are those of attributes that are stored.  Entries, each the id of a table and a key, are in ``unread``
    where the function sets them before it reads them, and in ``read`` where it may have read what was there before.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.unread: set[tuple[int, Any]] = set()
        self.read: set[tuple[int, Any]] = set()


class _Table(NamedTuple):
    """A table in which the function may store, what it held before, and the object whose attributes these are.

    The owner of an optimizer's state is what the optimizer publishes.
    """

    table: dict[Any, Any]
    before: dict[Any, Any]
    path: str
    owner: Any


class Store(NamedTuple):
    """An attribute or an entry of a dict that the function has set."""

    of: _Table
    key: Any

    @property
    def place(self) -> tuple[int, Any]:
        """The id of the table, and the key."""
        return id(self.of.table), self.key


class Stores:
    """The tables in which a function may store, and what it has stored there."""

    def __init__(self, learned: Learned) -> None:
        self.learned, self.names = learned, {*learned.names}
        self._tables: dict[int, _Table] = {}

    def open(self, table: dict[Any, Any], path: str, owner: Any = None) -> None:
        """Notes a table in which the function may store."""
        self._tables.setdefault(id(table), _Table(table, dict.copy(table), path, owner))

    def unread(self, table: Any) -> set[Any]:
        """The keys of entries that are set before anything reads them."""
        return {key for i, key in self.learned.unread if i == id(table)}

    def grown(self) -> set[int]:
        """The ids of the tables whose keys are still there, in their order."""
        tables = self._tables.items()
        return {i for i, x in tables if [*map(id, x.table)][: len(x.before)] == [*map(id, x.before)]}

    def sees(self, name: str, table: Any) -> None:
        """Notes that an attribute is read: in ``table``, or of any object where that is None."""
        for i, x in self._tables.items():
            here = table is None or x.table is table
            if here and x.table.get(name, MISSING) is x.before.get(name, MISSING):
                self.learned.read.add((i, name))

    def changed(self) -> list[Store]:
        """What the function has stored."""
        rows = [(x, key) for x in self._tables.values() for key in x.table]
        return [Store(x, k) for x, k in rows if not same(x.table[k], x.before.get(k, MISSING))]

    def settle(self, world: Any) -> tuple[list[Store], list[Store]]:
        """What the function has stored, and what of it may go by what was there before.

        `Again` where more was learned.
        """
        stores, learned = self.changed(), self.learned
        after = [s for s in stores if self._goes_by(s, world)]
        unread = {s.place for s in stores if s.key in s.of.before} - {s.place for s in after}
        before = learned.names, learned.unread
        learned.names = learned.names | {s.key for s in stores if s.of.owner is not None} - self.names
        learned.unread = (learned.unread | unread) - learned.read
        if before != (learned.names, learned.unread):
            raise Again
        return stores, after

    def _goes_by(self, s: Store, world: Any) -> bool:
        """Whether the function may have read an entry before it has set it."""
        (table, before, _, owner), key = s
        if isinstance(owner, Contents):  # a Tensor of an optimizer's state stays from its first step on
            values = table[key].values() if type(table[key]) is dict else [table[key]]
            return not all(isinstance(v, Tensor) for v in values)
        if owner is None or world.reads_all(owner) or key in _READ or s.place in self.learned.read:
            return True
        # The `forward` of a library class reads what it likes; a Tensor that is not followed is refused there.
        library = [c for c in type(owner).__mro__ if of_minigrad(c) and "forward" in vars(c)]
        inherited = any("__minigrad_contents__" not in vars(c) for c in library)
        return inherited and not isinstance(before.get(key), Tensor | None)

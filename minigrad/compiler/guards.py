"""Guards, the conditions under which a recording holds: rows of data at first, compiled code after many calls."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from operator import attrgetter, getitem, is_
from typing import Any

# Calls from which compiling the guards pays: it takes as long as checking them some 300 times.
OFTEN = 512
SIMPLE = (int, float, str, bytes, complex)
_node_of, _hooks_of, _grad_of = attrgetter("_node"), attrgetter("_node.hooks"), attrgetter("_grad")


class Place:
    """Where a value stands: an entry (``owner[key]``) or an attribute of an object that stays the same.

    ``pin`` is the owner's name among those of the guards, ``named`` the name of a key that has no literal.  Where a
    dict makes missing entries, as a defaultdict does, ``get`` is ``dict.get``: a guard must change nothing.
    """

    __slots__ = ("get", "key", "named", "owner", "pin")

    def __init__(self, owner: Any, pin: str, key: Any, named: str = "", get: Any = getitem) -> None:
        self.owner, self.pin, self.key, self.named, self.get = owner, pin, key, named, get

    def __str__(self) -> str:
        if self.get is getattr:
            return f"{self.pin}.{self.key}"
        key = self.named or repr(self.key)
        return f"{self.pin}[{key}]" if self.get is getitem else f"dict.get({self.pin}, {key})"


class Guards:
    """A conjunction of guards. Most of them are rows of a few tables, which C code walks, so nothing is compiled.

    ``texts`` are the others: expressions over ``names``, each with what it is about.
    """

    def __init__(self, names: dict[str, Any], pin: Callable[[Any], str]) -> None:
        self.names, self.pin = names, pin
        self.same: dict[Any, list[tuple[Place, Any, str]]] = {getitem: [], getattr: [], dict.get: []}
        # a dict, and the key of an entry that is empty
        self.empties: list[tuple[Any, str, str, str]] = []
        self.floats: list[tuple[Place, str]] = []
        self.sizes: list[tuple[Any, int, str, str]] = []
        self.classes: list[tuple[Any, type, str, str]] = []
        self.keys: list[tuple[Any, list[Any], str, str]] = []
        # a leaf without hooks, and its record
        self.leaves: list[tuple[Any, Any, str, str]] = []
        # a Tensor that requires no grad, and its record
        self.constants: list[tuple[Any, Any, str, str]] = []
        # a Tensor, and whether it lacks a gradient
        self.gradients: list[tuple[Any, bool, str, str]] = []
        self.texts: list[tuple[str, str]] = []

    def add(self, expression: str, about: str) -> None:
        """Adds a guard of any other kind."""
        self.texts.append((expression, about))

    def expect(self, place: Place | str, value: Any, about: str) -> None:
        """Adds the guard that the place holds this very object, or an equal number or text of the same type."""
        if isinstance(place, Place):
            self.same[place.get].append((place, value, about))
        elif value.__class__ not in SIMPLE:
            self.add(f"{place} is {self._constant(value)}", about)
        else:
            self.add(self._equal(str(place), value), about)

    def _equal(self, text: str, value: Any) -> str:
        if value != value:
            return f"({text}) != ({text})"
        name = self._constant(value)
        return f"({text} is {name} or equal({text}, {name}))"

    def _constant(self, value: Any) -> str:
        if value is None or value is True or value is False or value is Ellipsis:
            return repr(value)
        return self.pin(value)

    # ------------------------------------------------------------ as text

    def expressions(self) -> Iterator[tuple[str, str]]:
        """Every guard as an expression over ``names``, with what it is about."""
        name = self._constant
        for _, cls, text, about in self.classes:
            yield f"{text}.__class__ is {name(cls)}", about
        for _, size, text, about in self.sizes:
            yield f"len({text}) == {size}", about
        for _, keys, text, about in self.keys:
            yield f"[*{text}] == {name(keys)}", about
        for rows in self.same.values():
            for place, value, about in rows:
                same = value.__class__ in SIMPLE
                yield self._equal(str(place), value) if same else f"{place} is {name(value)}", about
        for _, key, text, about in self.empties:
            yield f"not {text}[{key!r}]", f"{about}.{key}"
        for place, about in self.floats:
            yield f"({place}).__class__ is float", about
        for _, node, text, about in self.leaves:
            still = f"{text}.requires_grad and {text}.is_leaf is {node.op is None}"
            yield f"({text}._node is {name(node)} or ({still}))", f"{about}.requires_grad"
            yield f"not {text}._node.hooks", f"the hooks of {about}"
        for _, node, text, about in self.constants:
            yield f"({text}._node is {name(node)} or not {text}.requires_grad)", f"{about}.requires_grad"
        for _, absent, text, about in self.gradients:
            yield f"({text}._grad is None) is {absent}", about
        yield from self.texts

    def compiled(self, compile_: Callable[[str, str], Any], name: str) -> Callable[[], bool]:
        """All guards as one expression of Python."""
        return _function([c for c, _ in self.expressions()], self.names, compile_, name)

    # ------------------------------------------------------------ as data

    def function(self, compile_: Callable[[str, str], Any], name: str) -> Callable[[], bool]:
        """A function that tells whether all guards hold; after many calls `compiled` replaces it among the names.

        It may raise where what a guard reads is gone; the guards do not hold then.
        """
        same = [_Same(get, rows, self.names["equal"]) for get, rows in self.same.items() if rows]
        owners, fields = [row[0] for row in self.empties], [row[1] for row in self.empties]
        groups, options = [p.owner for p, _ in self.floats], [p.key for p, _ in self.floats]
        sized, sizes = [row[0] for row in self.sizes], [row[1] for row in self.sizes]
        objects, classes = [row[0] for row in self.classes], [row[1] for row in self.classes]
        tables, keys = [row[0] for row in self.keys], [row[1] for row in self.keys]
        leaves, constants = _Leaves(self.leaves, True), _Leaves(self.constants, False)
        owing, absent = [row[0] for row in self.gradients], [row[1] for row in self.gradients]
        others = _function([c for c, _ in self.texts], self.names, compile_, name) if self.texts else None
        calls_left = OFTEN

        def unchanged() -> bool:
            nonlocal calls_left
            if not (
                all(map(is_, map(type, objects), classes))
                and [*map(len, sized)] == sizes
                and [*map(list, tables)] == keys
            ):
                return False  # before any entry is read, which may be gone
            calls_left -= 1
            if not calls_left:
                # Python may refuse so long an expression; the tables stay in use then.
                with contextlib.suppress(SyntaxError, RecursionError, MemoryError):
                    self.names[name] = self.compiled(compile_, name)
            for entries in same:
                if not (entries.at_once() or entries.one_by_one()):
                    return False
            return (
                not any(map(getitem, owners, fields))
                and all(map(is_, map(type, map(getitem, groups, options)), repeat(float)))
                and leaves.hold()
                and not any(map(_hooks_of, leaves.tensors))
                and constants.hold()
                and [*map(is_, map(_grad_of, owing), repeat(None))] == absent
                and (others is None or others())
            )

        return unchanged


class _Same:
    """Guards on entries or attributes: each is the object that it was, or an equal number or text."""

    def __init__(
        self, get: Callable[[Any, Any], Any], rows: Sequence[Any], equal: Callable[[Any, Any], bool]
    ) -> None:
        self.get, self.equal = get, equal
        self.owners, self.keys = [p.owner for p, _, _ in rows], [p.key for p, _, _ in rows]
        self.values = [value for _, value, _ in rows]

    def at_once(self) -> bool:
        return all(map(is_, map(self.get, self.owners, self.keys), self.values))

    def one_by_one(self) -> bool:
        for i, (owner, key, value) in enumerate(zip(self.owners, self.keys, self.values, strict=True)):
            current = self.get(owner, key)
            if current is value:
                continue
            if value.__class__ not in SIMPLE:
                return False
            if not (self.equal(current, value) or (value != value and current != current)):
                return False
            self.values[i] = current  # the next comparison is by identity
        return True


class _Leaves:
    """Guards on Tensors: each requires grad as it did. Mostly its record is the same object, which is quick to see."""

    def __init__(self, rows: Sequence[Any], requires_grad: bool) -> None:
        self.tensors: list[Any] = [row[0] for row in rows]
        self.nodes, self.requires_grad = [row[1] for row in rows], requires_grad
        self.leaf = [node is None or node.op is None for node in self.nodes]

    def hold(self) -> bool:
        if all(map(is_, map(_node_of, self.tensors), self.nodes)):
            return True
        for i, t in enumerate(self.tensors):
            if t.requires_grad is not self.requires_grad or (
                self.requires_grad and t.is_leaf is not self.leaf[i]
            ):
                return False
            self.nodes[i] = t._node
        return True


def _function(
    expressions: Sequence[str], names: dict[str, Any], compile_: Callable[[str, str], Any], name: str
) -> Callable[[], bool]:
    whole = "(" + ("\n        and ".join(expressions) or "True") + ")"
    space: dict[str, Any] = {}
    exec(compile_(f"def {name}():\n    return {whole}\n", "<guards>"), names, space)
    function: Callable[[], bool] = space[name]
    return function

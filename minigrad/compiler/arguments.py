"""The arguments of a recorded call: their leaves, and the guards on what stands in their places in a later call."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Collection, Iterable
from operator import is_
from typing import Any

import numpy as np

from minigrad.compiler.guards import SIMPLE, Names, items_of, refilling, same
from minigrad.compiler.kinds import NUMBERS, added_to, is_state
from minigrad.compiler.scalars import Scalar
from minigrad.compiler.watch import not_repeated
from minigrad.compiler.world import World
from minigrad.core.node import AFTER
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh
from minigrad.errors import type_error

_INEXACT = (float, complex, np.inexact)
_SAME = "which arguments are the same"


def fields_of(value: Any) -> dict[str, Any] | None:
    """What an object of a dataclass holds; None for others, and where more is in it than attributes, such as slots."""
    plain = hasattr(value, "__dict__") and type(value).__basicsize__ == World.__basicsize__
    return vars(value) if plain and hasattr(type(value), "__dataclass_fields__") else None


def with_fields(cls: type, fields: dict[str, Any]) -> Any:
    """An object of a dataclass, which no code of the user has made."""
    value: Any = object.__new__(cls)
    vars(value).update(fields)
    return value


def tensors_in(value: Any, around: tuple[int, ...] = ()) -> list[Any]:
    """The Tensors in a result, in order, also those in named tuples and dataclasses."""
    if isinstance(value, Tensor):
        return [value]
    if id(value) in around:  # it holds itself
        return []
    around = *around, id(value)
    if (fields := fields_of(value)) is not None:
        value = fields
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return [t for item in items for t in tensors_in(item, around)]


class Stored(Exception):
    """The function stores in an object of a dataclass that is an argument: it counts by identity from now on."""


class Again(Exception):
    """The function sets more than it was known to; it has that as its argument."""


class Arguments:
    """The arguments of one recording. ``inputs`` are what the function gets then; numbers are those of each call."""

    # The leaves of a call's arguments, in order; or a text, what the first guard on them that fails is about.
    match: Callable[[tuple[Any, ...], dict[str, Any]], Any]

    def __init__(
        self, world: World, compiled: Any, args: tuple[Any, ...], kwargs: dict[str, Any], exact: bool
    ) -> None:
        # Whether numbers stand for themselves, and whether all objects do.
        self.world, self.exact, self._by_identity = world, exact, compiled._stores
        self._given = not exact  # the function gets what stands for a number
        self.leaves: list[Any] = []
        self.names: list[str] = []
        # What stands for a number of each call while recording, and the place of its leaf.
        self.numbers: list[tuple[Scalar, int]] = []
        self.tensors: list[tuple[int, Any]] = []
        self._place: dict[int, int] = {}
        # What is printed: lines that find the leaves and compare them, and the variables of these.
        self._space = Names(graph_of=_graph_of)
        self._lines: list[str] = []
        self._variables: list[str] = []
        alike = f"(*kwargs,) == {self._space.name((*kwargs,))}" if kwargs else "not kwargs"
        self._guard(f"len(args) == {len(args)} and {alike}", "the number or the names of the arguments")
        # Lists and dicts of a call, with their variables; the function gets its own where numbers are in them.
        self._tables: list[tuple[Any, str]] = []
        self._objects = False  # whether one is an object that does not count by identity
        given = tuple(self._found("args", args, _names_of(compiled.function, args)))
        named = self._found("kwargs.values()", kwargs.values(), kwargs)
        self.inputs = given, dict(zip(kwargs, named, strict=True))
        self.types = [(t._array.dtype, t._array.shape) for _, t in self.tensors]
        # What the function sets is as an argument: each call finds its own.
        self._given = True
        while found := world.settle_names():
            for table, key, path in found:
                at = self._space.key(key)
                source = f"{self._space.name(table)}[{at}:][:1] or [None]"
                if type(table) is not list:
                    source = f"[{self._space.name(dict.get)}({self._space.name(table)}, {at})]"
                self._put(table, dict(zip([key], self._found(source, [table[key]], [path]), strict=True)))
        for place, t in self.tensors:
            if asked := [name for name in added_to(t) if world.may_name(name)]:
                raise type_error(
                    f"compile(): the argument {self.names[place]} is a Tensor with the attribute {asked[0]}, which "
                    "the function may ask for; pass that as an argument of its own"
                )

    def _found(self, source: str, values: Collection[Any], names: Iterable[str]) -> list[Any]:
        """What the function gets for values that printed code finds in ``source``."""
        found = [f"x{len(self._lines)}_{i}" for i in range(len(values))]
        self._lines += [f"{', '.join(found)}, = {source}"] * bool(found)
        return [self._copy(*row) for row in zip(values, names, found, strict=True)]

    def _copy(self, value: Any, name: str, x: str) -> Any:
        kind = value.__class__
        fixed = _is_fixed(kind)
        # Each call may have another object of a dataclass that consists of Tensors.
        fields = None if self._by_identity else fields_of(value)
        if fields and (not is_state([*fields.values()]) or self.world.replaces(kind)):
            fields = None
        if not (fields or fixed or kind in (list, dict)):
            return self._leaf(value, name, x)
        place = self._place.get(id(value))
        if place is not None and place < 0:
            raise type_error(f"compile(): the argument {name.partition('_')[0]} holds itself")
        # Tuples too have identities, where the code asks for some.
        alone = not fixed or self.world.guards.identities
        if place is not None and alone:
            self._guard(f"{x} is {self._variables[place]}", _SAME)
            return self.leaves[place]
        if fields:
            self._guard(f"{x}.__class__ is {self._space.name(kind)}", "the structure of the arguments")
            self._place[id(value)] = self._take(value, name, x)
            self._tables.append((value, x))
            self._objects = True
            self._put(fields, *self._found(f"[{x}.__dict__]", [fields], [name]))
            return value
        self._place[id(value)] = -1
        # What the function also reaches by name is there as it is.
        given, self._given = self._given, self._given and (fixed or not self.world.knows(value))
        keys = [*value] if kind is dict else range(len(value))
        alike = f"len({x}) == {len(keys)}"
        if kind is dict and {str}.issuperset(map(type, keys)):
            alike = f"[*{x}] == {self._space.name(keys)}"
        elif kind is dict:
            alike += f" and all(map({self._space.name(same)}, {x}, {self._space.name(keys)}))"
            for key in keys:
                self._follow(key, f"{name}'s key")
        elif kind not in (tuple, list):
            self._follow(kind, name)
        self._guard(
            f"{x}.__class__ is {self._space.name(kind)} and {alike}", "the structure of the arguments"
        )
        names = [f"{name}_{k}" for k in keys]
        if kind is dict:
            own: Any = dict(zip(keys, self._found(f"{x}.values()", value.values(), names), strict=True))
        else:
            found = self._found(x, value, names)
            own = tuple.__new__(kind, found) if fixed else found
        self._given = given
        items = items_of(own).values() if kind is dict else own
        if all(map(is_, items, value.values() if kind is dict else value)):
            own = value  # without numbers of each call
        for table in own, value:  # so that what the function changes is noticed
            self.world.guards.keep(table)
        self._place[id(value)] = self._place[id(own)] = self._take(own, name, x)
        if alone:
            self._tables.append((value, x))
        return own

    def _put(self, table: Any, own: dict[Any, Any]) -> None:
        """Has the function find in a table what stands for numbers, alone or in tuples, lists and dicts."""
        for key, value in own.items():
            if value is not table[key]:
                self.world.options[id(table), key] = table, key, value, table[key]

    def _take(self, value: Any, name: str, x: str) -> int:
        self.names.append(name)
        self.leaves.append(value)
        self._variables.append(x)
        return len(self.names) - 1

    def _leaf(self, value: Any, name: str, x: str) -> Any:
        place = self._take(value, name, x)
        if isinstance(value, Tensor):
            refresh(value)
            if id(value) in self._place:
                self._guard(f"{x} is {self._variables[self._place[id(value)]]}", _SAME)
            else:
                self._place[id(value)] = place
                self.tensors.append((place, value))
                self._guard_tensor(value, x, name)
                self.world.around(value, name)
        elif type(value) in (float, int) and self._given:
            self._guard(f"{x}.__class__ is {type(value).__name__}", name)
            value = self.world.number(value, name)
            self.numbers.append((value, place))
        elif isinstance(value, np.ndarray):
            raise type_error(
                f"compile(): the argument {name} is a NumPy array; give Tensors, such as from_numpy({name})"
            )
        elif value is None or value.__class__ in (bool, *SIMPLE) or isinstance(value, NUMBERS):
            given, kind = map(self._space.name, (value, value.__class__))
            # Zeros have signs.
            alike = f"repr({x}) == {repr(value)!r}" if isinstance(value, _INEXACT) else f"{x} == {given}"
            equal = f" or ({x}.__class__ is {kind} and {alike})"
            self._guard(f"{x} is {given}" + equal * (not self.world.guards.identities), name)
        else:
            self._follow(value, name)
            self._guard(f"{x} is {self._space.name(value)}", name)
        return value

    def _follow(self, value: Any, name: str) -> None:
        if (reason := self.world.follow(value, name)) and not callable(value):
            raise type_error(
                f"compile(): the argument {name} is {reason}; give Tensors, numbers or plain objects"
            )

    def _guard(self, condition: str, about: str) -> None:
        self._lines.append(f"if not ({condition}): return {about!r}")

    def _guard_tensor(self, t: Any, x: str, about: str) -> None:
        """The guard on a Tensor's class, dtype, shape, layout, and place in the graph."""
        name, a, graph = self._space.name, t._array, _graph_of(t)
        terms = [
            f"{x}.__class__ is {name(t.__class__)}",
            f"(a := {x}._array).dtype == {name(a.dtype)} and a.shape == {(*a.shape,)} and a.strides == {a.strides}",
            f"({x}._grad is None) is {t._grad is None} and {x}._inference is {t._inference}",
            f"graph_of({x}) == {name(graph)}" if graph else f"({x}._node is None or not {x}.requires_grad)",
        ]
        self._guard(" and ".join(terms), about)

    def place_of(self, value: Any) -> int | None:
        """The number of the leaf that a Tensor, list or dict is, None for one that is no argument."""
        return self._place.get(id(value))

    def holds(self, value: Any) -> bool:
        """Whether an object is an argument, or stands where guards see it."""
        return any(x is value for x in self.leaves) or self.world.knows(value)

    def refuse_changes(self) -> None:
        """RuntimeError if the function has changed a list or a dict among its arguments."""
        kept = self.world.guards.kept
        if any(call for i in self._place.keys() & kept.keys() for call in refilling(*kept[i])):
            if self._objects:
                raise Stored
            raise not_repeated(
                self.world, "changes a list or a dict among its arguments, or that it also replaces"
            )

    def settle(self) -> None:
        """Prints `match`, and drops what only the recorded call needs."""
        variables, known = [self._variables[place] for place, _ in self.tensors], self.world.tensors
        free = self._space.name(self.world.asks_nothing())
        for (place, t), x in zip(self.tensors, variables, strict=True):
            # One that the function also reaches by itself stays that Tensor, and no other argument may be one.
            which = (
                f"{x} is {self._space.name(t)}"
                if id(t) in known
                else f"id({x}) not in {self._space.name(known)}"
            )
            self._guard(f"{which} and {free}({x}.__dict__)", self.names[place])
        if self.world.may_name("grad_fn"):
            given = [(x, t) for x, (_, t) in zip(variables, self.tensors, strict=True)]
            for x, t in given + [(self._space.name(t), t) for t in known.values()]:
                if not t.is_leaf:
                    self._guard(
                        f"{x}._node is not None and {x}._node.op is {self._space.name(t._node.op)}",
                        "a grad_fn",
                    )
        values = self._space.name(self.world.known)
        for table, x in self._tables:
            which = (
                f"{x} is {self._space.name(table)}" if self.world.knows(table) else f"id({x}) not in {values}"
            )
            self._guard(which, _SAME)
        for alone in variables, [x for _, x in self._tables]:
            if len(alone) > 1:
                self._guard(f"len({{{', '.join(f'id({x})' for x in alone)}}}) == {len(alone)}", _SAME)
        self.match = self._space.function("args, kwargs", f"[{', '.join(self._variables)}]", self._lines)
        self.leaves, self.inputs = [], ((), {})
        self._place, self._tables, self.tensors = {}, [], []


def _is_fixed(kind: Any) -> bool:
    """Whether objects of a class are tuples, or named ones that hold nothing else and are read as tuples are."""
    alike = issubclass(kind, tuple) and (kind.__iter__, kind.__len__) == (tuple.__iter__, tuple.__len__)
    return kind is tuple or (alike and hasattr(kind, "_fields") and not kind.__dictoffset__)


def _names_of(function: Any, args: tuple[Any, ...]) -> list[str]:
    """What the function calls its positional arguments."""
    names: list[str] = []
    with contextlib.suppress(TypeError, ValueError):
        target = function.forward if "forward" in dir(type(function)) else function
        parameters = inspect.signature(target).parameters.values()
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [*names, *(f"argument_{i}" for i in range(len(names), len(args)))][: len(args)]


def _graph_of(t: Any) -> Any:
    """Of a Tensor that requires grad, whether it is a leaf, and its hooks, in order, and whether they run last."""
    if t._node is None or not t.requires_grad:
        return None
    return t.is_leaf, [(key <= AFTER, hook) for key, hook in (t._node.hooks or {}).items()]


def shows(t: Any, base: Any, path: Any) -> bool:
    """Whether a Tensor is this view of another one."""
    return t._view is not None and t._view.base is base and t._view.path == path

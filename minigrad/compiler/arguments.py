"""The arguments of a recorded call: their leaves, and the guards on what stands in their places in a later call."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from operator import call, is_
from typing import Any

import numpy as np

from minigrad.compiler.guards import same
from minigrad.compiler.kinds import OWN, added_to
from minigrad.compiler.scalars import Scalar
from minigrad.compiler.world import World
from minigrad.core.changes import owner
from minigrad.core.node import AFTER
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh

_NESTED = (tuple, list, dict)


def structure_of(*values: Any) -> tuple[list[Any], list[Any]]:
    """The structure of values, None for each that is no tuple, list or dict, and these leaves in order."""
    leaves: list[Any] = []
    return [_flat(v, leaves) if v.__class__ in _NESTED else leaves.append(v) for v in values], leaves  # type: ignore[func-returns-value]


def _flat(value: Any, leaves: list[Any]) -> Any:
    kind = value.__class__
    if kind is dict:
        return [dict, [*value], [_flat(v, leaves) for v in value.values()]]
    if kind is tuple or kind is list:
        return [kind, [_flat(v, leaves) for v in value]]
    leaves.append(value)
    return None


class _Plain:
    """A class whose objects have nothing beside their attributes: no slots, and no content of a dict or an int."""


def is_dataclass(value: Any) -> bool:
    """Whether a result is an object of a dataclass, all of whose content is in its attributes."""
    cls = type(value)
    plain = hasattr(value, "__dict__") and cls.__basicsize__ == _Plain.__basicsize__
    return plain and hasattr(cls, "__dataclass_fields__")


def with_fields(cls: type, fields: dict[str, Any]) -> Any:
    """An object of a dataclass, which no code of the user has made."""
    value: Any = object.__new__(cls)
    vars(value).update(fields)
    return value


def tensors_in(value: Any) -> list[Any]:
    """The Tensors in a result, in order, also those in named tuples and dataclasses."""
    if isinstance(value, Tensor):
        return [value]
    if is_dataclass(value):
        value = vars(value)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return [t for item in items for t in tensors_in(item)]


class Arguments:
    """The arguments of one recording. ``inputs`` are what the function gets then; floats are numbers of each call."""

    def __init__(self, world: World, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.world = world
        self._count, self._keys = len(args), tuple(kwargs)
        self.structure, self.leaves = structure_of(*args, *kwargs.values())
        self._same = _same_tensors(self.leaves)
        self.names: list[str] = []
        # What stands for a number of each call while recording, and the place of its leaf.
        self.numbers: list[tuple[Scalar, int]] = []
        self.tensors: list[tuple[int, Any]] = []
        self._place: dict[int, int] = {}
        self._guards: list[Callable[[Any], bool]] = []
        names = [*_names_of(function, args), *kwargs]
        values = [self._copy(v, name) for v, name in zip((*args, *kwargs.values()), names, strict=True)]
        self.inputs = tuple(values[: len(args)]), dict(zip(kwargs, values[len(args) :], strict=True))
        # The function gets lists and dicts of its own, so that what it changes is noticed.
        self._copies = structure_of(*self.inputs[0], *self.inputs[1].values())[1]
        size: Any = None
        # An attribute of a Tensor may be code, which mentions more names.
        while size != (size := world.settle_names()):
            for place, t in enumerate(self.leaves):
                if isinstance(t, Tensor):
                    self._guards[place] = _tensor_guard(t, world, *world.may_ask(t, self.names[place]))
        self.types = [(t._array.dtype, t._array.shape) for _, t in self.tensors]

    def _copy(self, value: Any, name: str) -> Any:
        """What the function gets for an argument."""
        kind = value.__class__
        if kind not in _NESTED:
            return self._leaf(value, name)
        if kind is dict:
            return {k: self._copy(v, f"{name}_{k}") for k, v in value.items()}
        return kind([self._copy(v, f"{name}_{i}") for i, v in enumerate(value)])

    def _leaf(self, value: Any, name: str) -> Any:
        place = len(self.names)
        self.names.append(name)
        if isinstance(value, Tensor):
            refresh(value)
            if id(value) not in self._place:
                self._place[id(value)] = place
                self.tensors.append((place, value))
                self.world.around(value, name)
            self._guards.append(bool)  # until all names are known
            return value
        if type(value) is float:
            number = self.world.number(value, name)
            self.numbers.append((number, place))
            self._guards.append(lambda x: x.__class__ is float)
            return number
        if isinstance(value, np.ndarray):
            raise TypeError(
                f"compile(): the argument {name} is an array of NumPy; give Tensors, such as from_numpy({name})"
            )
        kind = value.__class__
        if value is None or isinstance(value, (bool, int, str, bytes, complex, np.generic)):
            self._guards.append(lambda x: x is value or (x.__class__ is kind and x == value))
        else:
            if (reason := self.world.follow(value, name)) and not callable(value):
                raise TypeError(
                    f"compile(): the argument {name} is {reason}; give Tensors, numbers or plain objects"
                )
            self._guards.append(lambda x: x is value)
        return value

    def place_of(self, t: Any) -> int | None:
        """The number of the leaf that a Tensor is, None for one that is no argument."""
        return self._place.get(id(t))

    def holds(self, value: Any) -> bool:
        """Whether an object is an argument, or stands where guards see it."""
        return any(x is value for x in self.leaves) or self.world.knows(value)

    def refuse_changes(self) -> None:
        """RuntimeError if the function has changed a list or a dict among its arguments."""
        structure, leaves = structure_of(*self.inputs[0], *self.inputs[1].values())
        if structure != self.structure or not all(map(is_, leaves, self._copies)):
            raise self.world.not_repeated("changes a list or a dict among its arguments")

    def match(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any] | None:
        """The leaves of a call, or None where a guard on them fails."""
        self._about = ""
        if len(args) != self._count or (*kwargs,) != self._keys:
            self._about = "the number or the names of the arguments"
            return None
        structure, leaves = structure_of(*args, *kwargs.values()) if kwargs else structure_of(*args)
        if structure != self.structure:
            self._about = "the structure of the arguments"
            return None
        if not all(map(call, self._guards, leaves)):
            rows = zip(self.names, self._guards, leaves, strict=True)
            self._about = next(name for name, holds, x in rows if not holds(x))
            return None
        if len(leaves) > 1 and _same_tensors(leaves) != self._same:
            self._about = "which arguments are the same"
            return None
        return leaves

    def broken(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """What the first guard on arguments that fails is about; empty if all hold."""
        self.match(args, kwargs)
        return self._about

    def let_go(self) -> None:
        """Drops what only the recorded call needs."""
        self.leaves = self._copies = []
        self.inputs = (), {}
        self._place, self.tensors = {}, []


def _names_of(function: Any, args: tuple[Any, ...]) -> list[str]:
    """What the function calls its positional arguments."""
    names: list[str] = []
    with contextlib.suppress(TypeError, ValueError):
        target = function.forward if "forward" in dir(type(function)) else function
        parameters = inspect.signature(target).parameters.values()
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [*names, *(f"argument_{i}" for i in range(len(names), len(args)))][: len(args)]


def _same_tensors(leaves: list[Any]) -> list[int]:
    """For each leaf the first one that is the same object, where any two are the same Tensor."""
    ids = [id(x) if isinstance(x, Tensor) else i for i, x in enumerate(leaves)]
    return [ids.index(i) for i in ids] if len({*ids}) < len(ids) else []


def _tensor_guard(
    recorded: Any, world: World, names: set[str] | None, own: dict[str, Any]
) -> Callable[[Any], bool]:
    """The guard on a Tensor in an argument's place: its class, dtype, shape, layout, and place in the graph.

    A Tensor that the function also reaches by itself stays that Tensor, and no other argument may be one.  Of the
    attributes that a user has given it those count that are among ``names``; ``own`` are these.
    """
    cls, traits, key, known = recorded.__class__, _traits(recorded), id(recorded), world.tensors
    asked = (names or set()) - OWN

    def holds(t: Any) -> bool:
        if t.__class__ is not cls or _traits(t) != traits:
            return False
        if id(t) != key and (id(t) in known or key in known):
            return False
        if names is not None and not own and asked.isdisjoint(t.__dict__):
            return True
        now = {n: v for n, v in added_to(t).items() if names is None or n in asked}
        return now.keys() == own.keys() and all(same(v, own[n]) for n, v in now.items())

    return holds


def _traits(t: Any) -> tuple[Any, ...]:
    """What a recording goes by: of a Tensor that requires grad also its hooks, in order, and whether they run last."""
    a, node = t._array, t._node
    graph = None
    if node is not None and t.requires_grad:
        graph = t.is_leaf, [(key <= AFTER, hook) for key, hook in (t._node.hooks or {}).items()]
    strides = None if a.flags.c_contiguous else a.strides
    return a.dtype, a.shape, strides, t._grad is None, t._inference, graph


def memory_of(array: Any) -> int:
    """The id of the memory of an array."""
    return id(array if array.base is None else owner(array))

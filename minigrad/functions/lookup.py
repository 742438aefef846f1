"""The public functions and methods by name. What few programs need is imported when it is first asked for.

`minigrad.ops.later` lists it. What follows from a record is made by `minigrad.functions.table`. The functions that are
methods too are the ``METHODS`` of a file; a name that ends with an underscore changes its Tensor in place.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.functions import elementwise, index, inplace, linalg, reduce, shape, table
from minigrad.functions.store import in_place
from minigrad.gate import gated
from minigrad.ops import later


def _places(lists: dict[str, str]) -> dict[str, str]:
    return {name: f"minigrad.functions.{family}" for family, names in lists.items() for name in names.split()}


_WRITTEN = {
    name: space
    for space in (elementwise, reduce, shape, index, linalg, inplace)
    for name in space.METHODS.split()
}
_LATER_METHODS = _places(later.METHODS)
_LATER_FUNCTIONS = _places(later.FUNCTIONS)

FUNCTIONS = dict.fromkeys([*table.__all__, *_LATER_FUNCTIONS])
METHODS = dict.fromkeys([*table.METHODS, *_WRITTEN, *_LATER_METHODS])


def function(name: str) -> Any:
    """One of `FUNCTIONS`."""
    if name in _LATER_FUNCTIONS:
        return getattr(import_module(_LATER_FUNCTIONS[name]), name)
    return table.made(name)


def method(name: str) -> Any:
    """One of `METHODS`; where a file has only the function, the method in place is made of it."""
    if name in table.METHODS:
        return table.made(name)
    space: ModuleType = _WRITTEN[name] if name in _WRITTEN else import_module(_LATER_METHODS[name])
    if name not in vars(space):
        vars(space).setdefault(name, gated(in_place(getattr(space, name[:-1]), name)))
    return getattr(space, name)


class Later:
    """Stands for a method of Tensor until it is first asked for: the method is made then, and put in its place."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        function = method(self.name)
        if vars(Tensor).get(self.name) is self:  # else another was put there meanwhile
            setattr(Tensor, self.name, function)
        return function.__get__(instance, owner)

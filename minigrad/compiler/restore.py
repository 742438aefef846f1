"""What a recorded run has done to objects of Python, undone: guards know what there was before."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from types import BuiltinFunctionType, MappingProxyType, MethodWrapperType
from typing import Any

import numpy as np

from minigrad.compiler import kinds
from minigrad.compiler.guards import MISSING, Guards

Call = tuple[Any, ...]
_BOUND = (BuiltinFunctionType, MethodWrapperType)
# Made by Python itself, from what has guards of its own.
_COMPUTED = ("__mro__", "requires_grad", "_grad is None")


def restoring(guards: Guards) -> Iterator[Call]:
    """Calls, as tuples, that put back what guards see changed; none of them runs code of the user."""
    keys: dict[int, list[Any]] = {}
    late: list[Call] = []
    for expression, arguments, before in guards.changes():
        owner = arguments[0]
        if expression == "len({0})" and before == 0:
            yield (type(owner).clear, owner)
        elif expression == "[*{0}()]":
            content, items = owner.__self__, list(before)
            if not isinstance(content, dict):
                yield from _items(content, items)
            elif owner.__name__ == "values":
                late.append((_values, content, items, keys))
            else:
                keys[id(content)] = items
                yield (_drop, content, items)
        elif expression in ("{0}[{1}]", "{1} in {0}", "{0}({1}, {2})"):
            yield from _entry(guards, arguments, MISSING if expression == "{1} in {0}" else before)
        elif owner is kinds.content_of:
            dtype, shape, content = arguments[2]
            yield (np.copyto, arguments[1], np.frombuffer(content, dtype).reshape(shape))
        elif owner is kinds.names_of:
            cls = arguments[1]
            yield from ((type.__delattr__, cls, name) for name in kinds.names_of(cls) - arguments[2])
        elif expression.startswith("{0}.") and not expression.endswith(_COMPUTED):
            yield (setattr, owner, expression.removeprefix("{0}."), before)
    yield from late


def _items(content: Any, items: list[Any]) -> Iterator[Call]:
    """Calls that give a list, a deque or a set its items."""
    if isinstance(content, list):
        yield (list.__setitem__, content, slice(None), items)
    elif isinstance(content, deque):
        yield from ((deque.clear, content), (deque.extend, content, items))
    elif isinstance(content, set):
        yield from ((set.clear, content), (set.update, content, items))


def _drop(content: Any, keys: list[Any]) -> None:
    """Takes the keys out of a dict that it did not have."""
    for key in [k for k in dict.keys(content) if k not in keys]:
        dict.__delitem__(content, key)


def _values(content: Any, values: list[Any], keys: dict[int, list[Any]]) -> None:
    """Gives a dict its values, with its keys; where no guard knows these, later ones are new."""
    names = keys.get(id(content), list(dict.keys(content))[: len(values)])
    if len(names) == len(values):
        base: Any = OrderedDict if isinstance(content, OrderedDict) else dict
        base.clear(content)
        base.update(content, zip(names, values, strict=True))


def _entry(guards: Guards, arguments: tuple[Any, ...], before: Any) -> Iterator[Call]:
    """The call that puts back an entry of a dict, a class or a slot."""
    owner, key = arguments[:2]
    if owner is kinds.slot_of:
        slot, value = arguments[1:]
        yield (slot.__delete__, value) if before is MISSING else (slot.__set__, value, before)
    elif isinstance(owner, MappingProxyType):
        if (cls := guards.classes.get(id(owner))) is not None:
            yield (type.__delattr__, cls, key) if before is MISSING else (type.__setattr__, cls, key, before)
    else:
        content = owner.__self__ if isinstance(owner, _BOUND) else owner
        if isinstance(content, dict):
            missing = before is MISSING
            yield (dict.pop, content, key, None) if missing else (dict.__setitem__, content, key, before)

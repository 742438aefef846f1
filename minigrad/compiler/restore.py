"""What a recorded run has done to objects of Python, undone: guards know what there was before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from types import BuiltinFunctionType, MappingProxyType, MethodWrapperType
from typing import Any

import numpy as np

from minigrad.compiler import kinds
from minigrad.compiler.guards import MISSING, Guards, base_of

Call = tuple[Any, ...]
_BOUND = (BuiltinFunctionType, MethodWrapperType)
# Made by Python itself, from what has guards of its own.
_COMPUTED = ("__mro__", "requires_grad", "_grad is None")


def restoring(guards: Guards) -> Iterator[Call]:
    """Calls, as tuples, that put back what guards see changed; none of them runs code of the user."""
    # Of dicts, by id: themselves, their keys and their values, None where these are as before or have no guard.
    tables: dict[int, list[Any]] = {}
    for expression, arguments, before in guards.changes():
        owner = arguments[0]
        if expression == "len({0})" and before == 0:
            yield (base_of(owner).clear, owner)
        elif expression == "[*{0}()]":
            content = owner.__self__
            if isinstance(content, dict):
                table = tables.setdefault(id(content), [content, None, None])
                table[2 if owner.__name__ == "values" else 1] = before
            else:
                yield from _items(content, before)
        elif expression in ("{0}[{1}]", "{1} in {0}", "{0}({1}, {2})"):
            yield from _entry(guards, arguments, MISSING if expression == "{1} in {0}" else before)
        elif owner is kinds.content_of:
            dtype, shape, content = arguments[2]
            if arguments[1].shape != shape:
                yield (setattr, arguments[1], "shape", shape)
            yield (np.copyto, arguments[1], np.frombuffer(content, dtype).reshape(shape))
        elif owner is kinds.names_of:
            cls = arguments[1]
            yield from ((type.__delattr__, cls, name) for name in kinds.names_of(cls) - arguments[2])
        elif expression.startswith("{0}.") and not expression.endswith(_COMPUTED):
            meta = type if isinstance(owner, type) else object  # a class may have a `__setattr__` of its own
            yield (meta.__setattr__, owner, expression.removeprefix("{0}."), before)
    yield from ((_fill, *table) for table in tables.values())  # entries are back by then


def _items(content: Any, items: list[Any]) -> Iterator[Call]:
    """Calls that give a list, a deque or a set its items."""
    if isinstance(content, list):
        yield (list.__setitem__, content, slice(None), items)
    elif isinstance(content, deque):
        yield from ((deque.clear, content), (deque.extend, content, items))
    elif isinstance(content, set):
        yield from ((set.clear, content), (set.update, content, items))


def _fill(content: Any, keys: list[Any] | None, values: list[Any] | None) -> None:
    """Gives a dict its keys, in their order, and its values; where no guard knows the keys, later ones are new."""
    base = base_of(content)
    now = {key: dict.__getitem__(content, key) for key in base.__iter__(content)}
    if keys is None:
        keys = [*now][: len(values or ())]
    if values is not None and len(values) == len(keys):
        now = dict(zip(keys, values, strict=True))
    base.clear(content)
    for key in keys:
        if key in now:
            base.__setitem__(content, key, now[key])


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
            base = base_of(content)
            yield (base.pop, content, key, None) if missing else (base.__setitem__, content, key, before)

"""What may be a key of a dict or set in a file: values that are hashed and compared by no code of the program."""

from __future__ import annotations

from enum import Enum
from typing import Any

from minigrad.device import device
from minigrad.dtypes import dtype
from minigrad.serialization.names import Callee, StorageType
from minigrad.tensor import Tensor

_KINDS = (str, int, float, complex, bytes, type(None), dtype, device, Tensor, Enum)
_MANY = 10_000
# How Enums and named tuples are hashed and compared, unless their classes say it themselves.
_PLAIN: tuple[Any, ...] = (tuple, Enum, str, int, float, bytes, object)
_HASHES, _EQUALS = [kind.__hash__ for kind in _PLAIN], [kind.__eq__ for kind in _PLAIN]


def size(key: Any) -> int:
    """How many values a key has. ValueError if it may not be one.

    Tuples of tuples of one tuple could take years to hash, so they are counted.
    """
    todo, count = [key], 0
    while todo:
        part = todo.pop()
        count += 1
        if isinstance(part, tuple) and count < _MANY and not isinstance(part, Callee | StorageType):
            todo.extend(part)
        elif not isinstance(part, _KINDS):
            raise ValueError(f"a {type(part).__name__} is (in) a key of a dict or set")
        if isinstance(part, (tuple, Enum)):
            cls: Any = type(part)
            if cls.__hash__ not in _HASHES or cls.__eq__ not in _EQUALS:
                raise ValueError(
                    f"a {cls.__name__} is (in) a key, and its class has a __hash__ or __eq__ of its own"
                )
    return count

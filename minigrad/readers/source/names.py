"""Names for the values of a program: those that a person would choose, as far as the code tells them."""

from __future__ import annotations

import builtins
import dis
import functools
import keyword
import re
from types import CodeType
from typing import Any

_TAKEN = {"np", *dir(builtins)}


@functools.lru_cache(maxsize=1024)
def identifier(path: str) -> str:
    """A qualified name as a Python name: ``0.weight`` becomes ``weight_0``."""
    parts = [p for p in re.split(r"\W+", path) if p]
    numbers = []
    while parts and parts[0].isdigit():
        numbers.append(parts.pop(0))
    name = "_".join((parts or ["value"]) + numbers).lstrip("_") or "value"
    name = re.sub(r"^(\d)", r"v\1", name)
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name


class Names:
    """Gives each name once."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def copy(self) -> Names:
        """The same names taken."""
        names = Names()
        names._used = dict(self._used)
        return names

    def reserve(self, name: str) -> None:
        """No value gets it from `take`."""
        self._used.setdefault(name, 1)

    def take(self, base: str, number: bool = False) -> str:
        """``base``, unique: ``h``, ``h_2``, ...; with ``number``, ``h_1``, ``h_2``, ..."""
        stem = base if number else identifier(base)
        count = self._used.get(stem, 0) + 1  # as many have asked for it
        name = f"{stem}_{count}" if number or count > 1 else stem
        while name in self._used:
            count += 1
            name = f"{stem}_{count}"
        self._used[stem] = count
        self._used.setdefault(name, 1)
        return name


@functools.lru_cache(maxsize=256)
def instructions(code: CodeType) -> list[tuple[int, str, Any]]:
    """The offset, the operation and the argument of each instruction."""
    return [(i.offset, i.opname, i.argval) for i in dis.get_instructions(code)]


def variable(code: CodeType | None, lasti: int) -> str | None:
    """The variable to which the user's line assigned what the instruction at ``lasti`` computed."""
    if code is None:
        return None
    for offset, operation, stored in instructions(code):
        if offset <= lasti or operation == "EXTENDED_ARG":
            continue  # lasti may also lie in what follows an instruction, the interpreter's caches
        if operation.startswith(("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF")):
            name = stored[0] if isinstance(stored, tuple) else stored
            return name if isinstance(name, str) and not name.startswith("_") else None
        return None
    return None

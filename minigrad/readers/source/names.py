"""Names for the values of a program: those that a person would choose, as far as the code tells them."""

from __future__ import annotations

import builtins
import functools
import keyword
import re

LONGEST = 48  # characters of a long name that are kept, so that lines can be broken around it
_TAKEN = {"np", "math", *dir(builtins)}


@functools.lru_cache(maxsize=1024)
def identifier(path: str) -> str:
    """A qualified name as a Python name: ``0.weight`` becomes ``weight_0``."""
    parts = [p for p in re.split(r"\W+", path) if p]
    numbers = []
    while parts and parts[0].isdigit():
        numbers.append(parts.pop(0))
    name = "_".join((parts or ["value"]) + numbers).lstrip("_") or "value"
    if len(name) > LONGEST + 8:  # the end of a path says most; a name may get d_ and a number later
        end = name[-LONGEST:]
        name = end.partition("_")[2] if "_" in end[: LONGEST // 2] else end
    name = re.sub(r"^(\d)", r"v\1", name.lstrip("_") or "value")
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

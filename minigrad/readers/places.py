"""What the user's code tells of a record: the text of its line, and the variable that its value went to."""

from __future__ import annotations

import dis
import functools
import linecache
from types import CodeType
from typing import Any

from minigrad import errors


def line(code: CodeType | None, lasti: int) -> str:
    """The text of the user's line; "" where the file is not to be had."""
    number = errors.line_of(code, lasti)
    return "" if code is None or number is None else linecache.getline(code.co_filename, number).strip()


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

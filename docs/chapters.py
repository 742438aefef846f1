"""Chapters quote programs of ``examples/``: each cell, what it prints, and what it draws, from a run of it."""

import contextlib
import functools
import io
import linecache
import re
import runpy
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from minigrad.ops import TABLE

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
CELL = re.compile(r"^# %% (\w+)\n", re.MULTILINE)


class Cell(NamedTuple):
    """One cell of a program: its text, what it printed, the pictures that it made, by name, and the line before it."""

    code: str
    printed: str
    pictures: dict[str, object]
    line: int


def with_own_operations(function):
    """The operations that a program declares are not in the table when the function is done."""

    @functools.wraps(function)
    def done(*arguments):
        known = set(TABLE)
        try:
            return function(*arguments)
        finally:
            for name in TABLE.keys() - known:
                del TABLE[name]

    return done


@functools.cache
@with_own_operations
def cells(program):
    """The cells of ``examples/learn/{program}.py``, by name, run in order in one namespace.

    Messages call the file as the page does, wherever the pages are built.
    """
    path, file = EXAMPLES / "learn" / f"{program}.py", f"{program}.py"
    text = path.read_text(encoding="utf-8")
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    _, *parts = CELL.split(text)
    names = {"__name__": "__main__", "__file__": str(path)}
    ran = {}
    for name, code in zip(parts[::2], parts[1::2], strict=True):
        before, printed = dict(names), io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * _line(text, name) + code, file, "exec"), names)
        new = {k: v for k, v in names.items() if v is not before.get(k)}
        pictures = {
            k: v for k, v in new.items() if hasattr(v, "svg") or (isinstance(v, str) and v.startswith("<svg"))
        }
        blank = len(code) - len(code.lstrip("\n"))
        ran[name] = Cell(code.strip("\n"), printed.getvalue(), pictures, _line(text, name) + blank)
    return ran


def _line(text, name):
    """The number of lines of a program before a cell's first."""
    return text.partition(f"# %% {name}\n")[0].count("\n") + 1


@functools.cache
def printed_by(program, *arguments):
    """What ``examples/{program} {arguments}`` prints."""
    file = EXAMPLES / program
    printed = io.StringIO()
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(io.StringIO()),
        mock.patch.object(sys, "argv", [program, *arguments]),
        mock.patch.object(sys, "path", [str(EXAMPLES), *sys.path]),
        contextlib.suppress(SystemExit),
    ):
        runpy.run_path(str(file), run_name="__main__")
    return printed.getvalue()


def cut(text, start, end):
    """From one text to another; to its own end, if that is None."""
    first = text.index(start)
    return text[first : text.index(end, first) if end is not None else None].strip("\n")

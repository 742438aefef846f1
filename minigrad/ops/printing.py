"""The modules with the lines that `Plain` texts print, each loaded when something of it is printed first."""

from __future__ import annotations

from importlib import import_module

from minigrad.core.text import Call, Lines


class Printing:
    """The functions of a module by their names."""

    def __init__(self, module: str) -> None:
        self._module = f"minigrad.ops.{module}"

    def __getattr__(self, name: str) -> Lines:
        def lines(v: Call) -> list[str] | None:
            some: list[str] | None = getattr(import_module(self._module), name)(v)
            return some

        return lines


plain, norms = Printing("plain"), Printing("plain_norms")
recurrent, windows = Printing("plain_recurrent"), Printing("plain_windows")

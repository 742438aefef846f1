"""The lines that `Plain` texts print, by the names of functions in modules that the first of them loads."""

from __future__ import annotations

from importlib import import_module

from minigrad.core.text import Call, Lines


def _lines(module: str, name: str) -> Lines:
    def lines(v: Call) -> list[str] | None:
        some: list[str] | None = getattr(import_module(f"minigrad.ops.{module}"), name)(v)
        return some

    return lines


def plain(name: str) -> Lines:
    """Those of `minigrad.ops.plain`."""
    return _lines("plain", name)


def norms(name: str) -> Lines:
    """Those of `minigrad.ops.plain_norms`."""
    return _lines("plain_norms", name)


def recurrent(name: str) -> Lines:
    """Those of `minigrad.ops.plain_recurrent`."""
    return _lines("plain_recurrent", name)


def windows(name: str) -> Lines:
    """Those of `minigrad.ops.plain_windows`."""
    return _lines("plain_windows", name)

"""Exceptions that say where in the user's code the call stands."""

from __future__ import annotations

from minigrad.errors import here, place


def runtime_error(message: str) -> RuntimeError:
    """A RuntimeError whose message ends with the user's file and line."""
    return RuntimeError(f"{message} (at {place(*here())})")


def index_error(message: str) -> IndexError:
    """An IndexError whose message ends with the user's file and line."""
    return IndexError(f"{message} (at {place(*here())})")

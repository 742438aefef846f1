"""The contexts that PyTorch's profiler puts around parts of a program, which here measure nothing.

``python -m minigrad --time script.py`` and Python's own ``cProfile`` measure a program.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from minigrad.errors import not_implemented_error

__all__ = ["profile", "record_function"]

F = TypeVar("F", bound=Callable[..., Any])


class record_function:
    """A context, or a decorator, that names a part of a program for a profiler. It does nothing."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args

    def __enter__(self) -> record_function:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def __call__(self, function: F) -> F:
        return function


class profile:
    """A profiler that is switched off, as scripts have one in place for later: ``with profile(enabled=False)``.

    NotImplementedError where it is entered switched on.
    """

    def __init__(self, enabled: bool = True, **options: Any) -> None:
        self.enabled, self.options = bool(enabled), options

    def __enter__(self) -> profile | None:
        if self.enabled:
            raise not_implemented_error(
                "profile: minigrad has no profiler of its own; `python -m minigrad --time script.py` prints time and "
                "memory, `python -m cProfile` the time of each function, and profile(enabled=False) does nothing"
            )
        return None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

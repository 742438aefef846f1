"""Marks for NVIDIA's profilers, which programs import: there is no card, and to set one is an error, as in PyTorch."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from minigrad.errors import runtime_error

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["mark", "range", "range_end", "range_pop", "range_push", "range_start"]


def mark(msg: str, *args: Any) -> None:
    """RuntimeError."""
    raise runtime_error(
        "NVTX functions not installed. Are you sure you have a CUDA build? profiler.record_function() marks a part of "
        "a program for minigrad's profiler"
    )


range_push = range_start = range_end = mark


def range_pop() -> None:
    """RuntimeError."""
    mark("")


@contextmanager
def range(msg: str, *args: Any, **kwargs: Any) -> Iterator[None]:
    """A context, or a decorator: RuntimeError when it is entered."""
    mark(msg)
    yield

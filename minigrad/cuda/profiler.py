"""NVIDIA's profiler, started and stopped: there is no card, and that is an error, as in PyTorch."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from minigrad import cuda

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["profile", "start", "stop"]


def start() -> None:
    """AssertionError."""
    cuda.cudart()


stop = start


@contextmanager
def profile() -> Iterator[None]:
    """A context: AssertionError when it is entered."""
    start()
    yield

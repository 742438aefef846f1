"""Results that come later, under the names of ``torch.futures``: a thin layer over Python's own."""

from __future__ import annotations

import concurrent.futures as python
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")
S = TypeVar("S")


class Future(Generic[T]):
    """A result that is set once, and that others wait for. ValueError for ``devices``: there is the CPU alone."""

    def __init__(self, *, devices: Sequence[Any] | None = None) -> None:
        if devices:
            raise ValueError(
                f"Expected devices to be indexed accelerators, of which there are none: {devices!r}"
            )
        self._future: python.Future[T] = python.Future()

    def done(self) -> bool:
        """Whether there is a result or an error."""
        return self._future.done()

    def wait(self) -> T:
        """The result, when it is there; its error is raised."""
        return self._future.result()

    def value(self) -> T:
        """The result. RuntimeError before it is there; its error is raised."""
        if not self.done():
            raise RuntimeError("value() before the Future has a result; use wait()")
        return self._future.result()

    def set_result(self, result: T) -> None:
        """Sets the result, and calls what waits for it. RuntimeError if there is one."""
        self._once()
        self._future.set_result(result)

    def set_exception(self, result: Exception) -> None:
        """Sets an error in place of a result. RuntimeError if there is one, TypeError for anything but an exception."""
        if not isinstance(result, Exception):
            raise TypeError(f"{result!r} is of type {type(result).__name__}, not an Exception.")
        self._once()
        self._future.set_exception(result)

    def then(self, callback: Callable[[Future[T]], S]) -> Future[S]:
        """A Future of what ``callback`` returns; it is called with this one when the result is there.

        Where ``callback`` raises, the error of the new Future is a RuntimeError that names it.
        """
        following: Future[S] = Future()

        def call(_: Any) -> None:
            try:
                following.set_result(callback(self))
            except Exception as error:
                said = f"Got the following error when running the callback: {type(error).__name__}: {error}"
                following.set_exception(RuntimeError(said).with_traceback(error.__traceback__))

        self._future.add_done_callback(call)
        return following

    def add_done_callback(self, callback: Callable[[Future[T]], None]) -> None:
        """Calls ``callback`` with this Future when the result is there; its errors are logged."""
        self._future.add_done_callback(lambda _: callback(self))

    def _once(self) -> None:
        if self.done():
            raise RuntimeError("Future can only be marked completed once.")


def collect_all(futures: list[Future[Any]]) -> Future[list[Future[Any]]]:
    """A Future of the Futures themselves, which has its result when all have theirs."""
    together: Future[list[Future[Any]]] = Future()
    if not futures:
        together.set_result([])
    left = {id(f) for f in futures}

    def one(f: Future[Any]) -> None:
        left.discard(id(f))
        if not left and not together.done():
            together.set_result(futures)

    for f in futures:
        f.add_done_callback(one)
    return together


def wait_all(futures: list[Future[Any]]) -> list[Any]:
    """The results of all, when they are there; the first error is raised."""
    return [f.wait() for f in collect_all(futures).wait()]

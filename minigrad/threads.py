"""How many threads the linear algebra of NumPy starts, as in PyTorch; and threads that wait for work."""

from __future__ import annotations

import contextvars
import functools
import os
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from minigrad.errors import runtime_error, value_error
from minigrad.kernels.sharing import THREADS

__all__ = ["get_num_threads", "set_num_threads"]


def set_num_threads(num: int) -> None:
    """Sets how many threads large operations and matrix products use from now on, NumPy's own products too.

    One is a good choice for small networks, and for a machine that is busy with other programs: threads that wait for
    each other can make a step a hundred times slower. The environment variable OPENBLAS_NUM_THREADS (or
    MKL_NUM_THREADS) does the same before Python starts.

    RuntimeError unless ``num`` is an int of at least 1, ValueError for one beyond 32 bits, ImportError where
    threadpoolctl is missing; a UserWarning where NumPy has a library whose threads cannot be set.
    """
    if type(num) is not int:
        raise runtime_error(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise runtime_error(f"set_num_threads expects a positive integer, but got {num}")
    if num >= 1 << 31:
        raise value_error(f"set_num_threads: {num} does not fit into 32 bits")
    _libraries.cache_clear()  # others may have been loaded meanwhile
    libraries = blas("set_num_threads()")
    for library in libraries:
        library.set_num_threads(num)
    THREADS.count = num
    if not libraries:
        warnings.warn("set_num_threads(): NumPy's BLAS has no threads that can be set", stacklevel=2)


def alone() -> None:
    """Large operations use one thread from now on, without a look at NumPy's own."""
    THREADS.count = 1


def get_num_threads() -> int:
    """How many threads a matrix product may use; 1 where NumPy's library does not say.

    ImportError where threadpoolctl is missing.
    """
    return max((int(library.get_num_threads()) for library in blas("get_num_threads()")), default=1)


def blas(user: str) -> list[Any]:
    """threadpoolctl's controller of each BLAS that is loaded. ImportError where threadpoolctl is missing."""
    try:
        import threadpoolctl
    except ImportError as error:
        raise ImportError(
            f"{user} needs threadpoolctl, which sets the threads of NumPy's BLAS (the extra `threads`): pip install "
            "threadpoolctl; without it, set OPENBLAS_NUM_THREADS=1 in the environment before Python starts"
        ) from error
    return _libraries(threadpoolctl)


@functools.cache  # a look through all loaded libraries takes milliseconds
def _libraries(threadpoolctl: Any) -> list[Any]:
    return list(threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers)


# ---------------------------------------------------------------- threads that share work


class Team:
    """Runs pieces 0, 1, ... of some work on threads, or with one thread in order where it stands.

    Iterated, it yields the results in order; the error of a piece is raised.  Meanwhile BLAS runs on one thread.
    """

    def __init__(self, work: Callable[[int], Any], pieces: int, threads: int) -> None:
        self.work, self.pieces, self.threads = work, pieces, threads
        self._results = deque(Future[Any]() for _ in range(pieces))
        self._todo = deque(enumerate(self._results))
        # Of each thread: whether it has begun, and whether it will do no more.
        self._shares = [Future[None]() for _ in range(threads)]

    def begin(self) -> None:
        """BLAS has one thread, if there are several here. ImportError where threadpoolctl is missing."""
        if self.threads > 1:
            _crew.one_thread(self)

    def __iter__(self) -> Iterator[Any]:
        if self.threads == 1:
            yield from map(self.work, range(self.pieces))
            return
        for share in self._shares:
            _crew.pool.submit(contextvars.copy_context().run, self._run, share)
        while self._results:  # pieces are begun in order, so whatever comes before a failing one has a result
            yield self._results.popleft().result()

    def end(self) -> None:
        """No further piece is begun; waits for those that run, until a second interrupt. May be called again."""
        self._todo.clear()
        running = [share for share in self._shares if not share.cancel()]
        try:
            wait(running)
        except BaseException:
            wait(running)
            raise
        finally:
            if self.threads > 1:
                _crew.many_threads(self)

    def _run(self, share: Future[None]) -> None:
        if not share.set_running_or_notify_cancel():
            return
        try:
            while self._todo:
                try:
                    k, result = self._todo.popleft()
                except IndexError:  # another thread was quicker
                    break
                try:
                    result.set_result(self.work(k))
                except BaseException as error:
                    self._todo.clear()
                    result.set_exception(error)
        finally:
            share.set_result(None)


class _Crew:
    """Threads that wait for shares of work, as many as were ever busy at once; while they work BLAS has one each."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1 << 10, "minigrad")
        self.lock = threading.RLock()
        self.teams = THREADS.teams  # for which BLAS, and each kernel, runs on one thread
        self.before: list[tuple[Any, int]] = []  # how many it had

    def one_thread(self, team: Team) -> None:
        libraries = blas("in_parts(threads=...)")
        with self.lock:
            self.teams.add(id(team))
            self.before = self.before or [(library, library.get_num_threads()) for library in libraries]
            for library in libraries:
                library.set_num_threads(1)

    def many_threads(self, team: Team) -> None:
        with self.lock:
            self.teams.discard(id(team))
            while self.before and not self.teams:
                library, n = self.before[-1]
                library.set_num_threads(n)
                self.before.pop()


_crew = _Crew()


def _forked() -> None:
    """A forked child has none of the threads, and BLAS as it was before."""
    before = _crew.before
    _crew.__init__()  # type: ignore[misc]
    for library, n in before:
        library.set_num_threads(n)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

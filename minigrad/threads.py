"""How many threads the linear algebra of NumPy starts, as in PyTorch; and threads that wait for work."""

from __future__ import annotations

import contextvars
import functools
import os
import queue
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from minigrad.errors import runtime_error, value_error

__all__ = ["get_num_threads", "set_num_threads"]


def set_num_threads(num: int) -> None:
    """Sets how many threads the products of matrices of this process use from now on, NumPy's own products too.

    The rest of minigrad runs in one thread. One is a good choice for small networks, and for a machine that is busy
    with other programs: threads that wait for each other can make a step a hundred times slower. The environment
    variable OPENBLAS_NUM_THREADS (or MKL_NUM_THREADS) does the same before Python starts.

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
    if not libraries:
        warnings.warn("set_num_threads(): NumPy's BLAS has no threads that can be set", stacklevel=2)


def get_num_threads() -> int:
    """How many threads a product of matrices may use; 1 where NumPy's library does not say.

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
        self._todo = deque(range(pieces))
        self._results: queue.SimpleQueue[tuple[int, Any, BaseException | None]] = queue.SimpleQueue()
        # of each thread that has begun, and of each that will do no more
        self._begun: list[None] = []
        self._ended: list[None] = []
        self._ends: queue.SimpleQueue[None] = queue.SimpleQueue()

    def begin(self) -> None:
        """BLAS has one thread, if there are several here. ImportError where threadpoolctl is missing."""
        if self.threads > 1:
            _crew.one_thread(self)

    def __iter__(self) -> Iterator[Any]:
        if self.threads == 1:
            for k in range(self.pieces):
                yield self.work(k)
            return
        for _ in range(self.threads):
            _crew.start(functools.partial(contextvars.copy_context().run, self._share))
        early: dict[int, Any] = {}
        for k in range(self.pieces):
            while k not in early:
                number, result, error = self._results.get()
                if error is not None:
                    raise error
                early[number] = result
            yield early.pop(k)

    def end(self) -> None:
        """No further piece is begun; waits for those that run, until a second interrupt. May be called again."""
        self._todo.clear()
        interrupt: BaseException | None = None
        while len(self._ended) < len(self._begun):
            try:
                self._ends.get()
            except BaseException as error:
                if interrupt is not None:
                    raise
                interrupt = error
        if self.threads > 1:
            _crew.many_threads(self)
        if interrupt is not None:
            raise interrupt

    def _share(self) -> None:
        self._begun.append(None)
        try:
            while True:
                try:
                    k = self._todo.popleft()
                except IndexError:
                    break
                try:
                    self._results.put((k, self.work(k), None))
                except BaseException as error:
                    self._results.put((k, None, error))
                    break
        finally:
            self._ended.append(None)
            self._ends.put(None)


class _Crew:
    """Threads that wait for shares of work, as many as were ever busy at once; they end with the process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.threads: list[threading.Thread] = []
        self.shares: list[Callable[[], None]] = []  # that are not finished
        self.teams: set[int] = set()  # for which BLAS runs on one thread
        self.before: list[tuple[Any, int]] = []  # how many it had

    def start(self, share: Callable[[], None]) -> None:
        self.shares.append(share)
        while len(self.threads) < len(self.shares):  # no lock: at worst there is a thread too many
            self.threads.append(threading.Thread(target=self._serve, name="minigrad", daemon=True))
            self.threads[-1].start()
        self.inbox.put(share)

    def _serve(self) -> None:
        while True:
            share = self.inbox.get()
            share()
            self.shares.remove(share)
            del share

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

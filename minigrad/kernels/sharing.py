"""Blocks of a large kernel, which as many threads share as PyTorch would use.

A call of NumPy lets other threads run while it computes.  Waking a thread takes some 50 microseconds, so a block is
large: it has 131,072 elements or more, and each step of a kernel takes 20 microseconds or more for it.  The result does
not depend on which thread takes a block, to the bit: blocks write to places of their own, and sums over blocks are
added in order.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import os
import sys
import weakref
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

BLOCK = 1 << 17  # elements

Work = Callable[[Iterator[int]], None]


def block(size: int) -> int:
    """The elements of a block of so many: half of them, or BLOCK if that is more, or four times that if it is less.

    Threads that call NumPy seldom hardly wait for Python's lock: a gelu of a million elements takes 0.65 of the time
    that it took in blocks of BLOCK, on two threads.
    """
    return min(max(-(-size // 2), BLOCK), 4 * BLOCK)


def rows_of(size: int, columns: int) -> int:
    """The rows of such a block.

    NumPy keeps Python's lock while it makes 500 sums of products or fewer, and a helper waits: a few rows more take
    0.93 of the time of a cross entropy of 1,000 rows.
    """
    rows = max(block(size) // columns, 1)
    return 512 if 450 <= rows <= 500 else rows


class _Starts:
    """Where blocks begin that no thread has taken yet, and how many threads work on those that are taken."""

    def __init__(self, starts: range) -> None:
        self.left, self.open = list(starts[::-1]), True
        # Plain locks: an interrupt comes before they are taken, or after they are given back.
        self.helping, self.lock, self.writing = 0, Lock(), Lock()
        self.errors: list[BaseException] = []

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        try:
            return self.left.pop()  # at once, so that no two threads take the same
        except IndexError:
            raise StopIteration from None

    def help(self, work: Work) -> None:
        """What a helper does, unless it comes too late: no thread waits for one that has not begun."""
        with self.lock:
            if not self.left:
                return
            self.helping += 1
            if self.helping == 1:
                self.writing.acquire()
        try:
            work(self)
        except BaseException as error:
            self.left.clear()
            self.errors.append(error)
        finally:
            with self.lock:
                self.helping -= 1
                if not self.helping:
                    self.writing.release()

    def close(self) -> None:
        """Returns once no thread writes any more; none begins after that."""
        with self.lock:
            self.left.clear()
        with self.writing:
            pass


class Threads:
    """The threads that help, and how many work in all; the first kernel that shares its blocks starts them."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count
        self.tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.started = 0  # threads that take from there
        # What is shared. Not a lock: two interrupts in a row could leave it taken.
        self.shared: Callable[[], _Starts | None] = lambda: None
        self.alone: set[int] = set()  # calls that share nothing
        self.teams: set[int] = set()  # callers with threads of their own at work, to which kernels add none

    def number(self) -> int:
        """How many threads share a kernel: as many as processors, or as the environment says."""
        if self.count is None:
            names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
            said = [value for name in names if (value := os.environ.get(name, "")).isdecimal()]
            have = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            self.count = (
                1
                if sys.platform in ("emscripten", "wasi")
                else max(min(have, *map(int, said[:1])) if said else have, 1)
            )
        return self.count

    def busy(self) -> bool:
        """Whether there is something that they share."""
        shared = self.shared()
        return shared is not None and shared.open

    def share(self, work: Work, starts: range) -> None:
        """``work`` on all of ``starts``, on several threads; the first error is raised once all have stopped."""
        helpers, todo = self.number() - 1, _Starts(starts)
        try:
            self.shared = weakref.ref(todo)
            # There are no new threads when the program ends, or where the system gives none.
            with contextlib.suppress(RuntimeError):
                while self.started < helpers:
                    Thread(target=_serve, args=(self.tasks,), name="minigrad-kernel", daemon=True).start()
                    self.started += 1
            for _ in range(min(len(starts) - 1, helpers, self.started)):
                # With the context of the caller, in which NumPy keeps what it does about overflow.
                self.tasks.put(functools.partial(contextvars.copy_context().run, todo.help, work))
            work(todo)
        finally:
            todo.open = False
            todo.close()
        if todo.errors:
            raise todo.errors.pop(0)


def _serve(tasks: SimpleQueue[Callable[[], None]]) -> None:
    while True:
        tasks.get()()


THREADS = Threads()


def in_order(work: Work, count: int, step: int, shared: bool = True) -> None:
    """`blocks` in one thread; printed programs call it."""
    work(iter(range(0, count, step)))


@functools.wraps(in_order)
def blocks(work: Work, count: int, step: int, shared: bool = True) -> None:
    """``work`` on the numbers 0, ``step``, 2 ``step`` ... below ``count``; each thread is given those that it takes.

    ``work`` goes over an iterator, and makes the memory that it needs between the steps of a block before that.
    Without ``shared`` one thread takes all: blocks that write to the same places need that.
    """
    if count <= step:
        work(iter((0,) * (count > 0)))
        return
    starts = range(0, count, step)
    several = shared and not THREADS.teams and not THREADS.alone and THREADS.number() > 1
    # A second thread that has work to share, or work that shares some itself, goes on alone.
    if several and not THREADS.busy():
        THREADS.share(work, starts)
    else:
        in_order(work, count, step)


def alone(kernel: Callable[..., Any], /, *args: Any, **params: Any) -> Any:
    """``kernel(*args, **params)``, in which no threads share blocks."""
    call = object()
    THREADS.alone.add(id(call))
    try:
        return kernel(*args, **params)
    finally:
        THREADS.alone.discard(id(call))


def by_rows(function: Callable[..., None], *tables: Any) -> None:
    """``function`` of some rows of each table at a time."""
    size = tables[0].size
    if size <= BLOCK:
        function(*tables)
        return
    step = rows_of(size, size // len(tables[0]))

    def work(starts: Iterator[int]) -> None:
        for k in starts:
            function(*[table[k : k + step] for table in tables])

    blocks(work, len(tables[0]), step)


if hasattr(os, "register_at_fork"):  # a forked child has none of the threads, and as many to start
    os.register_at_fork(after_in_child=lambda: THREADS.__init__(THREADS.count))  # type: ignore[misc]

"""Blocks of a large kernel, which as many threads share as PyTorch would use.

A call of NumPy lets other threads run while it computes.  Waking a thread takes some 50 microseconds, so a block is
large: it has 131,072 elements, and each step of a kernel takes some 20 microseconds for it.  The result does not depend
on which thread takes a block, to the bit: blocks write to places of their own, and sums over blocks are added in order.
"""

from __future__ import annotations

import contextvars
import functools
import os
import sys
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

BLOCK = 1 << 17  # elements

Work = Callable[[Iterator[int]], None]


class _Starts:
    """Where blocks begin that no thread has taken yet."""

    def __init__(self, starts: range) -> None:
        self.left = list(starts[::-1])

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        try:
            return self.left.pop()  # at once, so that no two threads take the same
        except IndexError:
            raise StopIteration from None


class Threads:
    """The threads that help, and how many work in all; the first kernel that shares its blocks starts them."""

    def __init__(self) -> None:
        self.count: int | None = None
        self.pool: Any = None
        self.busy = Lock()
        self.teams: set[int] = set()  # whoever has threads of his own at work: kernels do not add to these

    def number(self) -> int:
        """How many threads share a kernel: as many as processors, or as the environment says."""
        if self.count is None:
            names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
            said = [value for name in names if (value := os.environ.get(name, "")).isdecimal()]
            have = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            self.count = (
                1
                if sys.platform == "emscripten"
                else max(min(have, *map(int, said[:1])) if said else have, 1)
            )
        return self.count

    def share(self, work: Work, starts: range) -> None:
        """``work`` on all of ``starts``, on several threads; the first error is raised once all have stopped."""
        from concurrent.futures import ThreadPoolExecutor, wait

        if self.pool is None:
            self.pool = ThreadPoolExecutor(max(self.number() - 1, 1), "minigrad-kernel")
        todo, helpers = _Starts(starts), []
        try:
            for _ in range(min(len(starts), self.number()) - 1):
                # With the context of the caller, in which NumPy keeps what it does about overflow.
                helpers.append(self.pool.submit(contextvars.copy_context().run, work, todo))
            work(todo)
        finally:
            # After an error, or an interrupt, nothing is begun, and nobody writes any more.
            todo.left.clear()
            wait(helpers)
        for helper in helpers:
            helper.result()


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
    several = shared and not THREADS.teams and THREADS.number() > 1
    # A second thread that has work to share, or work that shares some itself, goes on alone.
    if not several or not THREADS.busy.acquire(blocking=False):
        in_order(work, count, step)
        return
    try:
        THREADS.share(work, starts)
    finally:
        THREADS.busy.release()


def by_rows(function: Callable[..., None], *tables: Any) -> None:
    """``function`` of some rows of each table at a time."""
    step = max(BLOCK // max(tables[0].shape[1], 1), 1)
    if len(tables[0]) <= step:
        function(*tables)
        return

    def work(starts: Iterator[int]) -> None:
        for k in starts:
            function(*[table[k : k + step] for table in tables])

    blocks(work, len(tables[0]), step)


if hasattr(os, "register_at_fork"):  # a forked child has none of the threads
    os.register_at_fork(after_in_child=THREADS.__init__)  # type: ignore[misc]

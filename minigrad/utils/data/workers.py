"""`Workers`: iterates over the batches that processes make, in order."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import pickle
import socket
import sys
import time
import weakref
from collections.abc import Iterator
from multiprocessing import connection as connections
from typing import TYPE_CHECKING, Any

from minigrad.errors import runtime_error, warn
from minigrad.utils.data import transport
from minigrad.utils.data.worker import Again, Ended, Failure, Work, run

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_PATIENCE = 5.0  # seconds that a worker has to end by itself


class Workers:
    """The processes of a `DataLoader`, to which the numbers of samples are dealt out in turn."""

    def __init__(self, loader: Any, base_seed: int) -> None:
        if sys.platform == "emscripten":
            raise runtime_error("there are no processes in a browser: use num_workers=0")
        context: Any = loader.multiprocessing_context or multiprocessing.get_context()
        self._loader, self._count = loader, loader.num_workers
        self._processes: list[BaseProcess] = []
        self._connections: list[Connection] = []
        # Set before the first process begins: whatever happens, it ends.
        self._finish = weakref.finalize(self, _end, os.getpid(), self._processes, self._connections)
        for worker in range(self._count):
            here, there = context.Pipe()
            work = Work(
                loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last, bool(loader._dataset_kind),
                base_seed, loader.worker_init_fn, worker, self._count,
            )  # fmt: skip
            process = context.Process(target=run, args=(work, there), daemon=True)
            try:
                process.start()
            except (TypeError, AttributeError, pickle.PicklingError):
                warn(
                    "DataLoader: a worker cannot start, since its data set or functions cannot be pickled. Where "
                    "processes are not forked (Python 3.14 on, Windows, macOS), they must be importable from a "
                    'module. multiprocessing_context="fork" may help'
                )
                raise
            there.close()  # so that the end of the process is heard of
            self._processes.append(process)
            self._connections.append(here)

    def begin(self, numbers: Iterator[Any], again: bool) -> None:
        """A pass over the data. ``again``: after another one, of which results may still come."""
        self._numbers = numbers
        self._sent = self._next = 0
        self._worker_of: dict[int, int] = {}
        self._ready: dict[int, Any] = {}
        self._tasks: dict[int, Any] = {}
        self._active = [True] * self._count
        self._turns = itertools.cycle(range(self._count))
        if again:
            waiting = set(range(self._count))
            for worker in waiting:
                self._send(worker, (-1, Again()))
            while waiting:
                worker, (_, result) = self._receive()
                if isinstance(result, Again):
                    waiting.discard(worker)
        for _ in range((self._loader.prefetch_factor or 1) * self._count):
            self._deal()

    def next(self) -> Any:
        """The next batch. StopIteration at the end, an exception where a worker met one."""
        while True:
            while self._next < self._sent and not self._coming(self._next):
                self._worker_of.pop(self._next, None)
                self._next += 1
            if self._next == self._sent:
                if not self._loader.persistent_workers:
                    self.end()
                raise StopIteration
            if self._next in self._ready:
                return self._taken(self._next, self._ready.pop(self._next))
            worker, (number, result) = self._receive()
            if isinstance(result, Ended):
                self._active[worker] = False
                self._deal()
            elif number == self._next or not self._loader.in_order:
                return self._taken(number, result)
            else:
                self._ready[number] = result

    def end(self) -> None:
        """Ends the processes."""
        self._finish()

    def _coming(self, number: int) -> bool:
        """Whether a batch is here, or a worker is to send it."""
        return number in self._ready or (number in self._worker_of and self._active[self._worker_of[number]])

    def _taken(self, number: int, result: Any) -> Any:
        """A batch that is given away: the next numbers are dealt out."""
        del self._worker_of[number], self._tasks[number]
        self._deal()
        if isinstance(result, Failure):
            raise result.error()
        return result

    def _deal(self) -> None:
        """Sends the next numbers to the next worker that still has something."""
        try:
            index = next(self._numbers)
        except StopIteration:
            return
        for worker in itertools.islice(self._turns, self._count):
            if self._active[worker] and (self._loader.in_order or self._has_room(worker)):
                break
        else:
            return
        self._worker_of[self._sent], self._tasks[self._sent] = worker, index
        self._send(worker, (self._sent, index))
        self._sent += 1

    def _has_room(self, worker: int) -> bool:
        """Whether a worker has less than its share of the tasks."""
        share: int = (self._loader.prefetch_factor or 1) * self._count // sum(self._active)
        return list(self._worker_of.values()).count(worker) < share

    def _send(self, worker: int, task: Any) -> None:
        try:
            self._connections[worker].send(task)
        except OSError:
            raise self._died(worker) from None

    def _receive(self) -> tuple[int, Any]:
        """A worker, and what it sent. RuntimeError if one has died, or if nothing comes within `timeout`."""
        timeout = self._loader.timeout
        ready = connections.wait(self._connections, timeout or None)
        if not ready:
            raise runtime_error(f"DataLoader timed out after {timeout} seconds")
        worker = self._connections.index(ready[0])  # type: ignore[arg-type]
        try:
            return worker, transport.receive(self._connections[worker])
        except (EOFError, OSError):
            raise self._died(worker) from None

    def _died(self, worker: int) -> RuntimeError:
        """The error for a worker that is gone; the others are ended."""
        process = self._processes[worker]
        process.join(_PATIENCE)
        code = process.exitcode
        how = f"with exit code {code}" if code is None or code >= 0 else f"killed by signal {-code}"
        tasks = [index for number, index in self._tasks.items() if self._worker_of[number] == worker]
        at = f", while it worked on the items {_short(tasks[0])}" if tasks else ""
        self.end()
        return runtime_error(
            f"DataLoader worker (pid(s) {process.pid}) exited unexpectedly: worker {worker} ended {how}{at}"
        )


def _short(index: Any) -> str:
    text = repr(index)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _end(owner: int, processes: list[BaseProcess], channels: list[Connection]) -> None:
    """Hangs up and waits for the workers; those that do not end are killed."""
    if os.getpid() != owner:
        return  # in a process that was forked from it, where the iterator goes away too
    for channel in channels:
        _hang_up(channel)
    until = time.monotonic() + _PATIENCE
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
    channels.clear()


def _hang_up(channel: Connection) -> None:
    """Closes a connection for all processes: one that was forked meanwhile has a copy of it."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(channel.fileno())) as s:
            s.shutdown(socket.SHUT_RDWR)
    channel.close()

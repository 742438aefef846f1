"""A worker: a process that makes batches and sends them."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import random as python_random
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import random
from minigrad.threads import alone
from minigrad.utils.data import info, transport
from minigrad.utils.data.fetch import Fetcher
from minigrad.utils.data.info import WorkerInfo

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_LOOK = 1.0  # seconds after which a worker without work looks whether its parent still lives


# ---------------------------------------------------------------- what is sent


@dataclass(frozen=True)
class Ended:
    """A worker's part of a dataset that is iterated over has ended."""


@dataclass(frozen=True)
class Again:
    """A worker is to begin anew, for the next pass; it answers with the same."""


@dataclass(frozen=True)
class Failure:
    """An exception in a worker: its type, or the nearest one above it that can be sent, and its text."""

    type: type[Exception]
    name: str
    text: str
    worker: int

    @classmethod
    def of(cls, error: Exception, worker: int) -> Failure:
        """What to send of an exception."""
        kinds = (k for k in type(error).__mro__ if issubclass(k, Exception) and _can_be_sent(k))
        text = "".join(traceback.format_exception(error))
        return cls(next(kinds), type(error).__name__, text, worker)

    def error(self) -> Exception:
        """The exception for the parent: of the same type, with the worker's traceback in its text."""
        notes = [line for line in self.text.splitlines() if line.startswith("(at item ")]
        at = f" {notes[-1]}" if notes else ""
        text = f"Caught {self.name} in DataLoader worker process {self.worker}{at}.\nOriginal {self.text}"
        try:
            return self.type(_Verbatim(text))
        except Exception:  # a class that is made of other things than a text
            return RuntimeError(text)


class _Verbatim(str):
    """A text that a KeyError, which shows the repr of its key, shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _can_be_sent(kind: type) -> bool:
    try:
        pickle.dumps(kind)
    except Exception:
        return False
    return True


# ---------------------------------------------------------------- the process


@dataclass(frozen=True)
class Work:
    """What a worker is told at its start."""

    dataset: Any
    batched: bool
    collate: Callable[[Any], Any]
    drop_last: bool
    iterates: bool
    base_seed: int
    init: Callable[[int], object] | None
    worker: int
    workers: int


def run(work: Work, connection: Connection) -> None:
    """Makes batches until the parent hangs up, or is no more."""
    # Ctrl-C reaches all processes; the parent ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()  # or the server that forks workers, which ends with it
    fetcher, failure = None, None
    try:
        _begin(work)
        fetcher = _fetcher(work)
    except Exception as error:
        failure = Failure.of(error, work.worker)
    outbox = _Outbox(connection)
    ended = False
    while (task := _next_task(connection, parent)) is not None:
        number, index = task
        if isinstance(index, Again):
            ended = False
            try:
                fetcher = _fetcher(work)
            except Exception as error:
                failure = Failure.of(error, work.worker)
            outbox.put((number, index))
            continue
        if ended:
            continue
        result: Any
        if failure is not None or fetcher is None:
            result, failure = failure, None
        else:
            try:
                result = fetcher.fetch(index)
            except StopIteration as error:
                ended = work.iterates
                result = Ended() if ended else Failure.of(error, work.worker)
            except Exception as error:
                result = Failure.of(error, work.worker)
        try:
            outbox.put((number, result))
        except Exception as error:  # a batch that cannot be sent
            outbox.put((number, Failure.of(error, work.worker)))
        del result


def _begin(work: Work) -> None:
    """The seeds of a worker, PyTorch's, and what the user does at its start."""
    alone()  # the workers share the processors
    seed = work.base_seed + work.worker
    python_random.seed(seed)
    random.manual_seed(seed)
    np.random.seed(info._generate_state(work.base_seed, work.worker))
    info.begin(WorkerInfo(work.worker, work.workers, seed, work.dataset))
    if work.init is not None:
        work.init(work.worker)


def _fetcher(work: Work) -> Fetcher:
    return Fetcher(work.dataset, work.batched, work.collate, work.drop_last, work.iterates)


def _next_task(connection: Connection, parent: int) -> Any:
    """What the parent asks for; None if it has hung up or is no more."""
    try:
        while not connection.poll(_LOOK):
            if os.getppid() != parent:
                return None
        return connection.recv()
    except (EOFError, OSError):
        return None


class _Outbox:
    """Sends results from a thread, so that the next batch is made while the parent has no time for this one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queue: queue.SimpleQueue[transport.Parcel] = queue.SimpleQueue()
        threading.Thread(target=self._send, name="minigrad sender", daemon=True).start()

    def put(self, result: Any) -> None:
        # Packed here: the dataset may use its arrays again for the next samples.
        self._queue.put(transport.pack(result))

    def _send(self) -> None:
        with contextlib.suppress(OSError):  # the parent is no more, or does not listen
            while True:
                transport.send(self._connection, self._queue.get())

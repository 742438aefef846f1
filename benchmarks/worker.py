"""The process in which one peer works: reads requests, a line of JSON each, and answers in kind."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # this checkout's minigrad, whichever is installed

import memory  # noqa: E402
import numpy as np  # noqa: E402
import operations  # noqa: E402
import problem  # noqa: E402
import training  # noqa: E402
from peers import BY_NAME  # noqa: E402


class Worker:
    """One peer and the work that it has been told to repeat."""

    def __init__(self, name: str) -> None:
        self.peer = BY_NAME[name].load()
        self.work: Callable[[], Any] = lambda: None
        self.count = self.pieces = 1
        self.first = 0.0

    def about(self) -> dict[str, str]:
        return {"about": self.peer.about(), "threads": self.peer.threads()}

    def prepare_chain(self, length: int, both: bool) -> list[float] | None:
        """Makes ready; gives the gradient, or None where the peer does not do this."""
        if not hasattr(self.peer, "chain"):
            return None
        self.work = self.peer.chain(*problem.factors(), length, both)
        return [float(number) for number in self.work()]

    def prepare_step(self, dtype: str, batch: int) -> list[float]:
        """Makes ready; gives a number for each parameter as it is after a few steps."""
        step = self.peer.step(problem.layers(dtype), problem.batches(batch, dtype), problem.RATE)
        self.work = step.advance
        before = fingerprints(step.parameters())
        self.first = timed(self.work, 1)
        for _ in range(2):
            self.work()
        after = fingerprints(step.parameters())
        return [*after, *((a - b) / problem.RATE for a, b in zip(after, before, strict=True))]

    def prepare_operation(self, name: str, small: bool) -> list[float] | None:
        """Makes ready; gives a number for each result and gradient, or None where the peer does not do this."""
        if not hasattr(self.peer, "package"):
            return None
        self.work = operations.prepare(self.peer.package, name, small)
        return fingerprints([t.detach().numpy() for t in self.work()])

    def prepare_training(self, name: str, small: bool) -> list[float]:
        """Makes ready; gives a number for the loss and for each parameter after a step."""
        prepared = getattr(self.peer, "prepared", lambda train: train)
        self.work = training.prepare(self.peer.package, name, small, prepared)
        return fingerprints([t.detach().numpy() for t in self.work()])

    def first_call(self) -> float:
        """Seconds of the first step after it was prepared."""
        return self.first

    def settle(self, seconds: float, piece: float) -> None:
        """Warms up, and finds how much to do in a turn of about ``seconds``, in pieces of about ``piece``."""
        end = time.perf_counter() + max(4 * seconds, 0.05)
        self.work()
        best = timed(self.work, 1)
        while time.perf_counter() < end:
            best = min(best, timed(self.work, 1))
        self.count = max(1, round(piece / best))
        self.pieces = max(1, round(seconds / (best * self.count)))

    def turn(self) -> tuple[float, float]:
        """Seconds for one piece of work, the median of the pieces of a turn; processor time of the turn.

        Something goes before, to warm the caches.  A piece is shorter than the slice of time that the
        system gives to another process, so that most are not interrupted even when there are others.
        """
        before = time.process_time()
        timed(self.work, self.count)
        took = statistics.median(timed(self.work, self.count) for _ in range(self.pieces)) / self.count
        return took, time.process_time() - before

    def once(self, what: str, *arguments: Any) -> Any:
        """Something that a fresh process does once: ``long``, ``peak`` and the like."""
        return getattr(self if what == "training_peak" else self.peer, what)(*arguments)

    def training_peak(self, name: str) -> int:
        """Bytes by which resident memory rises in three steps of a network."""
        small, whole = (training.prepare(self.peer.package, name, few, lambda f: f) for few in (True, False))
        small()  # libraries and threads are there before memory is looked at
        rise: int = memory.peak_of(whole)["above"]
        return rise


def timed(work: Callable[[], Any], count: int) -> float:
    turns = range(count)
    start = time.perf_counter()
    for _ in turns:
        work()
    return time.perf_counter() - start


def fingerprints(arrays: list[Any]) -> list[float]:
    """A number that depends on every entry of an array, in double precision."""
    flat = [np.asarray(array, np.float64).ravel() for array in arrays]
    return [float(a @ np.cos(np.arange(a.size))) for a in flat]


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes elsewhere
    worker: Worker | None = None
    for line in sys.stdin:
        call, *arguments = json.loads(line)
        try:
            if worker is None:
                worker = Worker(*arguments)
                answer = worker.about()
            else:
                answer = getattr(worker, call)(*arguments)
            text = json.dumps({"answer": answer})
        except Exception as error:
            text = json.dumps({"error": f"{type(error).__name__}: {error}"})
        print(text, file=answers, flush=True)


if __name__ == "__main__":
    main()

"""Peers in processes of their own, measured in turn."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import worker

HERE = Path(__file__).parent
CAN_STOP = hasattr(signal, "SIGSTOP")


class Failed(RuntimeError):
    """A peer could not do what it was asked; its own words."""


class Process:
    """One peer in its own long-lived process, stopped by a signal whenever it is not its turn.

    Stopped, because thread pools (OpenBLAS, OpenMP) go on spinning for a while after their last work, and
    would take that time from the next peer.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            self.facts = self.ask("start", name)
        except Failed:
            self.close()
            raise

    def ask(self, call: str, *arguments: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if CAN_STOP:
            self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps([call, *arguments]) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Failed(f"its process ended with status {self.process.wait()}")
        if CAN_STOP:
            self.process.send_signal(signal.SIGSTOP)
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer["answer"]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


class Inside:
    """The same without a process: all peers in one, to see what their thread pools do to each other."""

    def __init__(self, name: str) -> None:
        self.name, self.worker = name, worker.Worker(name)
        self.facts = self.worker.about()

    def ask(self, call: str, *arguments: Any) -> Any:
        return getattr(self.worker, call)(*arguments)

    def close(self) -> None: ...


Bench = Process | Inside


# -- figures -------------------------------------------------------------------------------------------------


class Spread(NamedTuple):
    """The median, the quartiles, and the least."""

    least: float
    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        sample = list(values)
        if len(sample) < 2:
            return cls(*sample * 4)
        return cls(min(sample), *statistics.quantiles(sample, n=4, method="inclusive"))

    def __mul__(self, factor: float) -> Spread:  # type: ignore[override]
        return Spread(*(value * factor for value in self))


def ratio(ours: list[float], theirs: list[float]) -> Spread:
    """Of what two took in the same round: so a load that comes and goes meets both."""
    return Spread.of(a / b for a, b in zip(ours, theirs, strict=True))


class Effort(NamedTuple):
    """How much is done for a figure: rounds, and seconds of a peer's turn in each and of its pieces.

    After ``budget`` seconds there are no more than the ``least`` rounds.
    """

    rounds: int
    least: int
    budget: float
    turn: float
    piece: float = 5e-4


def race(
    benches: list[Any],
    prepare: str,
    arguments: tuple[Any, ...],
    effort: Effort,
    tolerance: float,
    say: Callable[[str], None],
) -> dict[str, list[float]]:
    """Seconds per piece of work of every peer that can do it, round by round: A B C, A B C, ...

    Every peer must first come to the same numbers as the first one.
    """
    ready: list[Any] = []
    expected: list[float] | None = None
    for bench in benches:
        try:
            result = bench.ask(prepare, *arguments)
            if result is None:
                continue
            expected = expected or result
            size = max(map(abs, expected))
            off = max(abs(a - b) for a, b in zip(result, expected, strict=True)) / size
            if not off <= tolerance:
                raise Failed(f"its result differs by {off:.1e} from {ready[0].name}'s")
            bench.ask("settle", effort.turn, effort.piece)
            ready.append(bench)
        except Failed as error:
            say(f"{bench.name}, {prepare} {arguments}: {error}")
    times: dict[str, list[float]] = {bench.name: [] for bench in ready}
    end = time.perf_counter() + effort.budget
    for done in range(effort.rounds):
        if done >= effort.least and time.perf_counter() > end:
            break
        for bench in ready:
            times[bench.name].append(bench.ask("turn"))
    return times


# -- this machine --------------------------------------------------------------------------------------------


def cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        import platform

        return platform.processor() or platform.machine()


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "not known"

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
from blas import cores as cores

HERE = Path(__file__).parent
CAN_STOP = hasattr(signal, "SIGSTOP")


class Failed(RuntimeError):
    """A peer could not do what it was asked; its own words."""


class Process:
    """One peer in its own long-lived process, stopped by a signal whenever it is not its turn.

    Stopped, because thread pools (OpenBLAS, OpenMP) go on spinning for a while after their last work, and
    would take that time from the next peer.
    """

    def __init__(self, name: str, threads: int = 0) -> None:
        self.name = name
        limit = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=os.environ | (limit if threads else {}),
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


class Race(NamedTuple):
    """Seconds for a piece of work, round by round, of every peer that took part; how many rounds were run."""

    times: dict[str, list[float]]
    rounds: str


def race(
    benches: list[Any],
    prepare: str,
    arguments: tuple[Any, ...],
    effort: Effort,
    tolerance: float,
    say: Callable[[str], None],
) -> Race:
    """Every peer that can do a thing does it in turn: A B C, A B C, ...

    Every peer must first come to the same numbers as the first one.  Rounds during which other processes used
    the processor are left out, as long as enough others remain.
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
    rounds: list[list[float]] = []
    calm: list[list[float]] = []
    end = time.perf_counter() + effort.budget
    while len(calm) < effort.rounds and (len(rounds) < effort.least or time.perf_counter() < end):
        began, busy, mine = time.perf_counter(), busy_time(), time.process_time()
        turns = [bench.ask("turn") for bench in ready]
        took = time.perf_counter() - began
        others = busy_time() - busy - (time.process_time() - mine)
        if ready and ready[0].__class__ is Process:
            others -= sum(cpu for _, cpu in turns)
        rounds.append([seconds for seconds, _ in turns])
        if others <= 0.1 * took + 2 * TICK:
            calm.append(rounds[-1])
    used = calm if len(calm) >= effort.least else rounds
    text = f"{len(used)} of {len(rounds)} rounds" if used is calm else f"{len(rounds)} rounds, disturbed"
    return Race({bench.name: [line[i] for line in used] for i, bench in enumerate(ready)}, text)


# -- this machine --------------------------------------------------------------------------------------------


def cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        import platform

        return platform.processor() or platform.machine()


TICK = 0.01


def busy_time() -> float:
    """Seconds that all processors together have worked, for whomever; 0 where that is not known."""
    try:
        first = Path("/proc/stat").read_text().partition("\n")[0].split()
    except OSError:
        return 0.0
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, first[1:9])
    return (user + nice + system + irq + softirq + steal) * TICK


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "not known"

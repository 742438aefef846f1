"""minigrad's compiled step: the one of `torch_api`, as a user would compile it, with some options."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import memory
import problem
from problem import Batches, Layers, Step

import minigrad as mg
from peers import torch_api


class Use(NamedTuple):
    """What a peer can do: the step, and what a fresh process does once."""

    step: Callable[[Layers, Batches, float], Step]
    first_calls: Callable[[int, str, int, int], dict[str, list[float]]]
    replays: Callable[[int, str, int], dict[str, int]]
    own_cost: Callable[[int, str, int], list[float]]


def use(**options: Any) -> Use:
    compiled: list[Any] = []

    def prepared(train: Any) -> Any:
        compiled.append(mg.compile(train, **options))
        return compiled[-1]

    _, step = torch_api.use(mg, prepared)
    _, eager = torch_api.use(mg)

    def first_calls(batch: int, dtype: str, rounds: int, calls: int) -> dict[str, list[float]]:
        """What compiled steps cost at first, in eager steps of the same round.

        ``first`` and ``second`` are those of so many calls.
        """
        work = problem.layers(dtype), problem.batches(batch, dtype), problem.RATE
        mg.compile(lambda x: (x * x).sum(), **options)(mg.ones(3))  # loads what is loaded once only
        plain = eager(*work)
        plain.advance()
        found: dict[str, list[float]] = {"first": [], "second": []}
        for _ in range(rounds):
            made = step(*work)
            before = [seconds(plain.advance) for _ in range(15)]
            took = [seconds(made.advance) for _ in range(calls)]
            one = statistics.median([*before, *(seconds(plain.advance) for _ in range(15))])
            found["first"].append(took[0] / one)
            found["second"].append(took[1] / one)
        return found

    def own_cost(batch: int, dtype: str, rounds: int) -> list[float]:
        """Seconds that a replay takes beside the calls of its plan: guards, entering, leaving."""
        made = step(problem.layers(dtype), problem.batches(batch, dtype), problem.RATE)
        made.advance()
        [replay], taken = compiled[-1].recordings, []
        replay.run = lambda leaves, inputs: taken.append(inputs) or type(replay).run(replay, leaves, inputs)
        made.advance()
        del replay.run
        run = replay.plan.bind([t._array for t in replay._bound])

        def plain() -> None:
            for function, *operands in run(*taken[0])[1]:
                function(*operands)

        pairs = ([seconds(work) for _ in range(20)] for _ in range(rounds) for work in (made.advance, plain))
        times = [statistics.median(pair) for pair in pairs]
        return [all_of - part for all_of, part in zip(times[::2], times[1::2], strict=True)]

    def replays(batch: int, dtype: str, count: int) -> dict[str, int]:
        """How many objects of Python and bytes there are more after ``count`` replays."""
        made = step(problem.layers(dtype), problem.batches(batch, dtype), problem.RATE)
        for _ in range(max(10, count // 10)):
            made.advance()
        gc.collect()  # which also lets go of what Python keeps to make objects of
        memory.trim()
        blocks, resident = sys.getallocatedblocks(), memory.now()
        for _ in range(count):
            made.advance()
        gc.collect()
        memory.trim()
        return {"blocks": sys.getallocatedblocks() - blocks, "resident": memory.now() - resident}

    return Use(step, first_calls, replays, own_cost)


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start

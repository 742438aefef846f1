"""What a compiled function consists of, as tables."""

from __future__ import annotations

import textwrap
import time
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiler.by_numba import NumbaPlan
from minigrad.compiler.plan import Plan
from minigrad.compiler.replay import Replay
from minigrad.core.quiet import QUIET
from minigrad.readers import notebook
from minigrad.readers.columns import WIDTH, aligned, fitted

_ROUNDS = 20


class Step(NamedTuple):
    """One call of a plan."""

    number: int
    call: str
    result: str
    into: str
    microseconds: float | None
    line: str


class Recorded(NamedTuple):
    """One recording: the arguments it is for, its steps, and its memory."""

    signature: str
    calls: int
    steps: list[Step]
    # Operations that write over an operand, or where their result belongs.
    fused: int
    buffer_bytes: int
    # Of the arrays that eager mode keeps for the backward pass.
    eager_bytes: int

    def _told(self) -> tuple[str, list[tuple[str, ...]]]:
        """A sentence, and the rows of the table."""
        timed = any(s.microseconds is not None for s in self.steps)
        files = {s.line.rpartition(":")[0] for s in self.steps if s.line}
        file = files.pop() if len(files) == 1 else ""
        rows: list[tuple[str, ...]] = [("#", "step", "result", "into", "µs" if timed else "", "line")]
        for s in self.steps:
            duration = "" if s.microseconds is None else f"{s.microseconds:.2f}"
            rows.append((str(s.number), s.call, s.result, s.into, duration, s.line.removeprefix(f"{file}:")))
        eager = f", where eager mode keeps {self.eager_bytes:,}" if self.eager_bytes else ""
        times = "once" if self.calls == 1 else f"{self.calls} times"
        head = (
            f"{self.signature}: {len(self.steps)} steps, {self.fused} fused, {self.buffer_bytes:,} bytes of buffers"
            f"{eager}; replayed {times}{f'; lines of {file}' if file else ''}"
        )
        return head, rows

    def __str__(self) -> str:
        head, rows = self._told()
        return f"{textwrap.fill(head, WIDTH)}\n{aligned(fitted(rows, 1, 2), right=(0, 4))}"

    def _repr_html_(self) -> str:
        head, rows = self._told()
        return notebook.table(rows, right=(0, 4), caption=head)


class Report(list[Recorded]):
    """The recordings of a compiled function, the latest first; prints as tables."""

    def __str__(self) -> str:
        return "\n\n".join(map(str, self)) or "Nothing has been recorded yet: call the function first."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "".join(recorded._repr_html_() for recorded in self) or f"<p>{self}</p>"


def report(compiled: Any, profile: bool) -> Report:
    """The tables of `Compiled.report`."""
    return Report(_recorded(replay, profile) for replay in compiled.recordings)


def _recorded(replay: Replay, profile: bool) -> Recorded:
    plan, steps = replay.plan, list[Step]()
    calls = plan.steps()
    times = _times(plan) if profile and not isinstance(plan, NumbaPlan) else [None] * len(calls)
    for (s, call, into), duration in zip(calls, times, strict=True):
        kind = "" if s is None else f"{s.value.dtype} {list(s.value.shape)}"
        kind = kind.replace("float", "f").replace("int", "i")
        steps.append(Step(len(steps), call, kind, into, duration, "" if s is None else s.place))
    types = ", ".join(f"{dtype} {list(shape)}" for dtype, shape in replay.arguments.types) or "no Tensors"
    return Recorded(types, replay.calls, steps, plan.fused, plan.bytes, replay.kept_bytes)


def _times(plan: Plan) -> list[float | None]:
    """Microseconds of each call, the median of some runs on random data."""
    random = np.random.default_rng(0)

    def data(v: Any) -> Any:
        return random.random(v.shape).astype(v.dtype) if v.dtype.kind == "f" else np.zeros(v.shape, v.dtype)

    tick = "times.append(clock())"
    calls = [line for _, call, _ in plan.steps() for line in (call, tick)]
    text = plan.module(f"        {line}" for line in ["times = []", tick, *calls, "return times"])
    run = plan.bind([*map(data, plan.stays)], text=text, clock=time.perf_counter)
    inputs = [*map(data, plan.takes)]
    times = [QUIET.run(run, *inputs, *[1e-9] * len(plan.numbers)) for _ in range(_ROUNDS)]
    return [float(t) * 1e6 for t in np.median(np.diff(np.array(times), axis=1), axis=0)]

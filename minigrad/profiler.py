"""``torch.profiler``: `profile` with a schedule of steps, over what `autograd.profiler` measures."""

from __future__ import annotations

import enum
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from minigrad.autograd.profiler import profile as _Profile
from minigrad.autograd.profiler import record_function
from minigrad.autograd.profiling import EventList
from minigrad.errors import runtime_error, value_error
from minigrad.hints import module_getattr

__all__ = [
    "ProfilerAction", "ProfilerActivity", "kineto_available", "profile", "record_function", "schedule",
    "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip


class ProfilerActivity(enum.Enum):
    """Where time is measured: here on the CPU, whatever is named."""

    CPU = 0
    XPU = 1
    CUDA = 2
    MTIA = 3
    PrivateUse1 = 4


class ProfilerAction(enum.Enum):
    """What a profiler does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """The CPU alone."""
    return {ProfilerActivity.CPU}


def kineto_available() -> bool:
    """False: PyTorch's library of that name is not here, and `profile` does without."""
    return False


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """For each step what a profiler does: after ``skip_first`` steps it waits, warms up and records, in turn.

    ``repeat``: how many such cycles there are, 0 for no end.  With ``skip_first_wait`` the first cycle does not
    wait.  ValueError for negative counts, and for no ``active`` step.
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active <= 0:
        raise value_error(
            "Invalid profiler schedule arguments: wait, warmup, repeat and skip_first are at least 0, active at least 1"
        )

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise value_error(f"Step must be non-negative. Got {step}.")
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        if skip_first_wait:
            step += wait
        cycle, at = divmod(step, wait + warmup + active)
        if (repeat and cycle >= repeat) or at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        last = at == wait + warmup + active - 1
        return ProfilerAction.RECORD_AND_SAVE if last else ProfilerAction.RECORD

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[profile], None]:
    """For ``on_trace_ready``: writes each trace into a folder, under the names that TensorBoard looks for.

    ``worker_name`` is by default that of the machine and the number of the process; ``use_gzip`` compresses the files.
    """

    ending = ".gz" if use_gzip else ""

    def handler(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        prof.export_chrome_trace(os.path.join(dir_name, f"{worker}.{time.time_ns()}.pt.trace.json{ending}"))

    return handler


class profile:
    """Times what runs in a ``with`` statement, or between `start` and `stop`; with a schedule, in some of its steps.

    Args:
        activities: kept as `activities`; time is measured on the CPU whatever they are.
        schedule: of the number of a step, what to do in it (see `schedule`); `step` ends a step.
        on_trace_ready: called with the profiler when a cycle of steps has been recorded, and at the end.
        record_shapes: the shapes of the arrays that a kernel reads are kept.
        profile_memory: the bytes of the arrays that kernels make are counted.
        with_stack: the line of your program that each event comes from is kept.
        **options: PyTorch's others, which change nothing.

    Raises:
        RuntimeError: another profiler runs in this thread, or this one runs in another; what was measured is asked
            for before anything was.
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[..., Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        **options: Any,
    ) -> None:
        self._options = {
            "record_shapes": record_shapes,
            "profile_memory": profile_memory,
            "with_stack": with_stack,
        }
        self.activities = supported_activities() if activities is None else set(activities)
        self.schedule, self.on_trace_ready = schedule, on_trace_ready
        self.step_num = 0
        self.current_action = self._action()
        self.profiler: _Profile | None = None
        self._runs = False
        self._part: record_function | None = None

    def _action(self) -> ProfilerAction:
        return ProfilerAction.RECORD if self.schedule is None else self.schedule(self.step_num)

    def _records(self) -> bool:
        return self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begins."""
        if self._records():
            self._begin()

    def stop(self) -> None:
        """Ends, and calls ``on_trace_ready`` if something was recorded since it was last called."""
        if self._runs:
            self._end()

    def step(self) -> None:
        """The next step begins."""
        ends = self.current_action is ProfilerAction.RECORD_AND_SAVE
        self.step_num += 1
        self.current_action = self._action()
        records = self._records()
        if self._runs and (ends or not records):
            self._end()
        elif self._runs and self._part is not None:
            self._part.__exit__(None, None, None)
            self._name_step()
        if records and not self._runs:
            self._begin()

    def _begin(self) -> None:
        profiler = _Profile(**self._options)
        profiler.__enter__()
        self.profiler, self._runs = profiler, True
        if self.schedule is not None:
            self._name_step()

    def _name_step(self) -> None:
        self._part = record_function(f"ProfilerStep#{self.step_num}")
        self._part.__enter__()

    def _end(self) -> None:
        if self._part is not None:
            self._part.__exit__(None, None, None)
            self._part = None
        self._measured().__exit__(None, None, None)
        self._runs = False
        if self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def _measured(self) -> _Profile:
        if self.profiler is None:
            raise runtime_error("profile: nothing was recorded yet")
        return self.profiler

    def events(self) -> EventList:
        """All events of the last cycle."""
        return self._measured().function_events

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, **options: Any
    ) -> EventList:
        """The events of a name (and of equal shapes; and of a line) in one."""
        return self._measured().key_averages(group_by_input_shape, group_by_stack_n)

    def export_chrome_trace(self, path: str) -> None:
        """Writes a file that chrome://tracing and ui.perfetto.dev show."""
        self._measured().export_chrome_trace(path)

    def add_metadata(self, key: str, value: str) -> None:
        """Does nothing."""

    add_metadata_json = add_metadata


module_getattr(globals())

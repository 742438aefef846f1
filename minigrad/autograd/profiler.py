"""How long operations take: `profile`, and `record_function` for parts of a program, as in ``torch.autograd.profiler``.

What is timed are the kernels of operations, the rules of each record in a backward pass, and named parts, in the thread
that profiles.  Python's own time counts only to the parts that it is in.  `autograd.profiling` holds what prints it.
``python -m minigrad --time script.py`` tells of a whole program, and Python's ``cProfile`` of its functions.
"""

from __future__ import annotations

import functools
from _thread import _local
from collections.abc import Callable
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

import numpy as np

from minigrad.core import engine
from minigrad.core.quiet import QUIET
from minigrad.errors import here, place, runtime_error
from minigrad.hints import module_getattr

if TYPE_CHECKING:
    from minigrad.autograd.profiling import EventList, FunctionEventAvg

__all__ = ["emit_itt", "emit_nvtx", "profile", "record_function"]

F = TypeVar("F", bound=Callable[..., Any])


# The engine's step from a record to its inputs.
_send = engine.Pass.send


class _Here(_local):
    clock: Clock | None = None  # that of this thread
    send = staticmethod(_send)


_HERE = _Here()
_LOCK = Lock()
# Of all threads. It holds none: that of a thread that has ended goes with it.
_RUNNING: WeakSet[Watch] = WeakSet()


class Watch:
    """Hears of the kernels and rules that run in one thread, between `start` and `stop`; the last to start stops first.

    A subclass runs them, by `run_kernel` and `send_rules`, in `kernel` and `rules`.
    """

    running = False

    def start(self) -> None:
        """Begins. RuntimeError where it has begun."""
        if self.running:
            raise runtime_error(f"{type(self).__name__} is entered twice")
        self.running = True
        self.run_kernel, self.send_rules = QUIET.run, _HERE.send
        QUIET.run, _HERE.send = self._ran, self.rules  # type: ignore[assignment]
        with _LOCK:
            _RUNNING.add(self)
            engine.Pass.send = _watched_send  # type: ignore[assignment, method-assign]

    def stop(self) -> None:
        """Ends. RuntimeError in a thread other than that of `start`."""
        if _HERE.send != self.rules:
            raise runtime_error(
                f"{type(self).__name__} does not run here: it ends in the thread in which it began"
            )
        self.running = False
        QUIET.run, _HERE.send = self.run_kernel, self.send_rules
        with _LOCK:
            _RUNNING.discard(self)
            if not _RUNNING:
                engine.Pass.send = _send  # type: ignore[method-assign]

    def _ran(self, kernel: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if kernel is int:  # `QUIET.busy`
            return self.run_kernel(kernel, *args, **kwargs)
        return self.kernel(kernel, args, kwargs)

    def kernel(self, kernel: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What stands in the place of a kernel's call."""
        return self.run_kernel(kernel, *args, **kwargs)

    def rules(self, run: Any, node: Any, g: Any, unpacked: Any = None) -> None:
        """What stands in the place of the engine's step ``run.send(node, g, unpacked)``."""
        self.send_rules(run, node, g, unpacked)


def _watched_send(run: Any, node: Any, g: Any, unpacked: Any = None) -> None:
    # What is kept elsewhere is unpacked first, and comes here again.
    packed = unpacked is None and type(node.saved) is not tuple
    (_send if packed else _HERE.send)(run, node, g, unpacked)


class Clock(Watch):
    """Takes the times of what runs in one thread, between `start` and `stop`."""

    def __init__(self, shapes: bool = False, memory: bool = False, lines: bool = False) -> None:
        self.shapes, self.memory, self.lines = shapes, memory, lines
        # what it was (a kernel, or a name), begin, end, time of what ran inside, shapes, bytes, line
        self.events: list[tuple[Any, float, float, float, Any, int, str]] = []
        self._inner: list[float] = []  # of all that runs now, the time of what ran inside

    def start(self) -> None:
        """Begins. RuntimeError where another one runs in this thread."""
        if _HERE.clock is not None:
            raise runtime_error("profile: another profiler runs in this thread")
        super().start()
        _HERE.clock = self

    def stop(self) -> None:
        """Ends. RuntimeError in a thread other than that of `start`."""
        if _HERE.clock is not self:
            raise runtime_error("profile: it ends in the thread in which it began")
        _HERE.clock = None
        super().stop()

    def kernel(self, kernel: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs a kernel, and takes its time."""
        shapes = [list(a.shape) if isinstance(a, np.ndarray) else [] for a in args] if self.shapes else None
        begin = self.begin()
        y = None
        try:
            y = self.run_kernel(kernel, *args, **kwargs)
        finally:
            made = y.nbytes if self.memory and isinstance(y, np.ndarray) and y.base is None else 0
            self.end(kernel, begin, shapes, made)
        return y

    def rules(self, run: Any, node: Any, g: Any, unpacked: Any = None) -> None:
        """Sends a gradient on, and takes the time."""
        if node.op is None:
            self.send_rules(run, node, g, unpacked)
            return
        begin = self.begin()
        try:
            self.send_rules(run, node, g, unpacked)
        finally:
            self.end(node.name(), begin)

    def begin(self) -> float:
        """Something begins, inside of what runs now."""
        self._inner.append(0.0)
        return perf_counter()

    def end(self, what: Any, begin: float, shapes: Any = None, made: int = 0) -> None:
        """It ends."""
        end = perf_counter()
        inner = self._inner.pop() if self._inner else 0.0
        if self._inner:
            self._inner[-1] += end - begin
        self.events.append((what, begin, end, inner, shapes, made, place(*here()) if self.lines else ""))


# ---------------------------------------------------------------- what programs use


class record_function:
    """A context, or a decorator, that gives a part of a program a name, under which a profiler shows its time."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self._begun: list[tuple[Clock | None, float]] = []

    def __enter__(self) -> record_function:
        clock = _HERE.clock
        self._begun.append((clock, 0.0 if clock is None else clock.begin()))
        return self

    def __exit__(self, *exc: object) -> None:
        clock, begin = self._begun.pop()
        if clock is not None and clock is _HERE.clock:
            clock.end(self.name, begin)

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name, self.args):
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]


class profile:
    """Times what runs in a ``with`` statement; with ``enabled=False`` it does nothing, and is None in the statement.

    Args:
        enabled: whether it measures.
        record_shapes: the shapes of the arrays that a kernel reads are kept.
        profile_memory: the bytes of the arrays that kernels make are counted.
        with_stack: the line of your program that each event comes from is kept.
        **options: PyTorch's others, which change nothing.

    Raises:
        RuntimeError: it is entered twice, or another one runs in this thread; it ends in another thread; what it
            measured is asked for before its end.
    """

    def __init__(
        self, enabled: bool = True, *, record_shapes: bool = False, profile_memory: bool = False,
        with_stack: bool = False, **options: Any,
    ) -> None:  # fmt: skip
        self.enabled, self.options = bool(enabled), options
        self.record_shapes, self.profile_memory, self.with_stack = record_shapes, profile_memory, with_stack
        self._clock: Clock | None = None
        self._events: EventList | None = None

    def __enter__(self) -> profile | None:
        if not self.enabled:
            return None
        if self._clock is not None:
            raise runtime_error("Profiler context manager is not reentrant")
        clock = Clock(self.record_shapes, self.profile_memory, self.with_stack)
        clock.start()
        self._clock = clock
        return self

    def __exit__(self, *exc: object) -> None:
        if self._clock is not None and self._events is None:
            self._clock.stop()
            from minigrad.autograd.profiling import events_of

            self._events = events_of(self._clock)
            self._clock.events.clear()

    @property
    def function_events(self) -> EventList:
        """All events, in the order of their begin."""
        if self._events is None:
            raise runtime_error("Profiler didn't finish running")
        return self._events

    @property
    def self_cpu_time_total(self) -> float:
        """The time in all events, in microseconds, each moment once."""
        return self.function_events.self_cpu_time_total

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """The events of a name (and of equal shapes; and of a line) in one `FunctionEventAvg`."""
        return self.function_events.key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> FunctionEventAvg:
        """All events in one."""
        return self.function_events.total_average()

    def table(self, sort_by: str | None = None, row_limit: int = 100, **options: Any) -> str:
        """All events in a table; see `EventList.table`."""
        return self.function_events.table(sort_by, row_limit, **options)

    def export_chrome_trace(self, path: str) -> None:
        """Writes a file that chrome://tracing and ui.perfetto.dev show."""
        self.function_events.export_chrome_trace(path)

    def __str__(self) -> str:
        return "<unfinished profiler_legacy.profile>" if self._events is None else str(self._events)

    __repr__ = __str__


class emit_nvtx:
    """Marks for the profiler of a graphics card, of which there is none: RuntimeError on entry, where ``enabled``."""

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled = enabled

    def __enter__(self) -> Any:
        if self.enabled:
            raise runtime_error(
                f"{type(self).__name__}: there is no such profiler here; autograd.profiler.profile() is one"
            )
        return self

    def __exit__(self, *exc: object) -> None: ...


class emit_itt(emit_nvtx):
    """Likewise, for the profiler of Intel's processors."""


module_getattr(globals(), {"profiling": "EventList FunctionEvent FunctionEventAvg"})

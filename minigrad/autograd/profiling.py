"""What `autograd.profiler` has measured: single events, all events of a name in one, and tables of them."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from minigrad.core.op import TABLE
from minigrad.errors import value_error

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg"]


class _Interval(NamedTuple):
    start: float
    end: float

    def elapsed_us(self) -> float:
        """The length."""
        return self.end - self.start


class FunctionEvent:
    """A kernel, a step of a backward pass, or a named part that ran once. Times are in microseconds."""

    count = 1

    cpu_parent: FunctionEvent | None = None  # the one in which it ran

    def __init__(
        self, name: str, start: float, end: float, inner: float, shapes: Any, made: int, line: str
    ) -> None:
        self.name = self.key = name
        self.time_range = _Interval(start, end)
        self.cpu_time_total = end - start
        self.self_cpu_time_total = max(end - start - inner, 0.0)
        self.input_shapes: list[list[int]] = shapes or []
        self.self_cpu_memory_usage = self.cpu_memory_usage = made
        self.stack = [line] if line else []

    @property
    def cpu_time(self) -> float:
        """The time of one run."""
        return self.cpu_time_total / self.count

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} name={self.key} cpu_time={time_text(self.cpu_time)} "
            f"self_cpu_time={time_text(self.self_cpu_time_total)} calls={self.count}>"
        )


class FunctionEventAvg(FunctionEvent):
    """All events of a name; `cpu_time` is their mean."""

    def __init__(self, events: Sequence[FunctionEvent], name: str | None = None) -> None:
        first = events[0]
        super().__init__(first.name if name is None else name, 0.0, 0.0, 0.0, first.input_shapes, 0, "")
        self.stack, self.cpu_parent = first.stack, first.cpu_parent
        self.count = sum(e.count for e in events)
        self.cpu_time_total = sum(e.cpu_time_total for e in events)
        self.self_cpu_time_total = sum(e.self_cpu_time_total for e in events)
        self.cpu_memory_usage = sum(e.cpu_memory_usage for e in events)
        self.self_cpu_memory_usage = sum(e.self_cpu_memory_usage for e in events)


_COLUMNS = {  # what `sort_by` takes
    "cpu_time", "cpu_time_total", "self_cpu_time_total", "cpu_memory_usage", "self_cpu_memory_usage", "count",
}  # fmt: skip


class EventList(list[FunctionEvent]):
    """Events; prints as a table."""

    def __init__(self, events: Iterable[FunctionEvent] = (), memory: bool = False) -> None:
        super().__init__(events)
        self._memory = memory

    def __str__(self) -> str:
        return self.table()

    @property
    def self_cpu_time_total(self) -> float:
        """The time in all of them, each moment once."""
        return sum(e.self_cpu_time_total for e in self)

    def key_averages(
        self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0, **options: Any
    ) -> EventList:
        """Those of a name (and of equal shapes; and of a line) in one."""
        groups: dict[Any, list[FunctionEvent]] = {}
        for e in self:
            shapes = str(e.input_shapes) if group_by_input_shapes else ""
            groups.setdefault((e.key, shapes, tuple(e.stack[:group_by_stack_n])), []).append(e)
        return EventList(map(FunctionEventAvg, groups.values()), self._memory)

    def total_average(self) -> FunctionEventAvg:
        """All of them in one."""
        return FunctionEventAvg(self or [FunctionEvent("Total", 0.0, 0.0, 0.0, None, 0, "")], "Total")

    def table(
        self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75,
        max_name_column_width: int = 55, max_shapes_column_width: int = 80, header: str | None = None,
        top_level_events_only: bool = False, **options: Any,
    ) -> str:  # fmt: skip
        """Aligned columns: time without and with what ran inside, in all and for each call, and how many calls.

        ``sort_by`` is ``"cpu_time_total"``, ``"self_cpu_time_total"``, ``"cpu_time"``, ``"cpu_memory_usage"``,
        ``"self_cpu_memory_usage"`` or ``"count"``; other names of PyTorch's, of times on cards, leave the order. The
        first ``row_limit`` rows are shown, or all with -1; with ``top_level_events_only`` those of events that ran in
        no other.  ValueError for another name.
        """
        rows = [e for e in self if not (top_level_events_only and e.cpu_parent)]
        if sort_by in _COLUMNS:
            rows.sort(key=attrgetter(sort_by), reverse=True)
        elif sort_by is not None and not any(word in sort_by for word in ("cuda", "device", "xpu")):
            raise value_error(f"table(): sort_by is one of {sorted(_COLUMNS)}, got {sort_by!r}")
        if row_limit >= 0:
            rows = rows[:row_limit]
        total = self.self_cpu_time_total or 1.0
        columns: dict[str, Callable[[FunctionEvent], str]] = {
            "Name": lambda e: _short(e.key, max_name_column_width),
            "Self CPU %": lambda e: f"{100 * e.self_cpu_time_total / total:.2f}%",
            "Self CPU": lambda e: time_text(e.self_cpu_time_total),
            "CPU total %": lambda e: f"{100 * e.cpu_time_total / total:.2f}%",
            "CPU total": lambda e: time_text(e.cpu_time_total),
            "CPU time avg": lambda e: time_text(e.cpu_time),
        }
        if self._memory:
            columns["CPU Mem"] = lambda e: _bytes_text(e.cpu_memory_usage)
            columns["Self CPU Mem"] = lambda e: _bytes_text(e.self_cpu_memory_usage)
        columns["# of Calls"] = lambda e: str(e.count)
        if any(e.input_shapes for e in self):
            columns["Input Shapes"] = lambda e: _short(str(e.input_shapes), max_shapes_column_width)
        if any(e.stack for e in self):
            columns["Source Location"] = lambda e: _short(" ".join(e.stack), max_src_column_width)
        cells = [list(columns), *([text(e) for text in columns.values()] for e in rows)]
        widths = [max(len(row[k]) for row in cells) for k in range(len(columns))]
        lines = [
            "  ".join(text.rjust(w) for text, w in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        rule = "  ".join("-" * w for w in widths)
        lines = [*([header] if header else []), rule, lines[0], rule, *lines[1:], rule]
        return "\n".join([*lines, f"Self CPU time total: {time_text(self.self_cpu_time_total)}", ""])

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Writes a file that chrome://tracing and ui.perfetto.dev show, compressed if its name ends with ``.gz``."""
        events = [
            {
                "name": e.name, "ph": "X", "ts": e.time_range.start, "dur": e.cpu_time_total, "pid": os.getpid(),
                "tid": 0, "args": {"Input Dims": e.input_shapes},
            }
            for e in self
        ]  # fmt: skip
        write = gzip.open if os.fspath(path).endswith(".gz") else open
        with write(path, "wt", encoding="utf-8") as file:
            json.dump({"schemaVersion": 1, "traceEvents": events}, file)


def events_of(clock: Any) -> EventList:
    """What a `Clock` has measured, under the names of the operations, in the order of their begin."""
    names: dict[Any, str] = {}
    for op in TABLE.values():
        names.setdefault(op.kernel, op.name)
    events = [
        FunctionEvent(
            what if isinstance(what, str) else names.get(what) or getattr(what, "__name__", str(what)).strip("_"),
            1e6 * begin, 1e6 * end, 1e6 * inner, shapes, made, line,
        )
        for what, begin, end, inner, shapes, made, line in clock.events
    ]  # fmt: skip
    events.sort(key=lambda e: (e.time_range.start, -e.time_range.end))
    around: list[FunctionEvent] = []
    for e in events:
        while around and around[-1].time_range.end < e.time_range.end:
            around.pop()
        e.cpu_parent = around[-1] if around else None
        around.append(e)
    return EventList(events, clock.memory)


def _short(text: str, width: int | None) -> str:
    return text if not width or len(text) <= width else text[: max(width - 3, 0)] + "..."


def time_text(us: float) -> str:
    """Microseconds in a unit that fits."""
    if us >= 1e6:
        return f"{us / 1e6:.3f}s"
    return f"{us / 1e3:.3f}ms" if us >= 1e3 else f"{us:.3f}us"


def _bytes_text(n: int) -> str:
    for unit, size in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if abs(n) >= size:
            return f"{n / size:.2f} {unit}"
    return f"{n} B"

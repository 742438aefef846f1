"""Times of statements: `timeit` of the standard library, repeated, with its median and spread.

Such as::

    timer = minigrad.utils.benchmark.Timer("x @ x", globals={"x": minigrad.ones(64, 64)})
    print(timer.blocked_autorange())
"""

from __future__ import annotations

import math
import sys
import timeit
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from statistics import fmean, median, pstdev
from textwrap import dedent, indent
from typing import Any, NoReturn

from minigrad import threads
from minigrad.dtypes import printed
from minigrad.errors import not_implemented_error, value_error
from minigrad.hints import module_getattr

__all__ = ["Compare", "Measurement", "TaskSpec", "Timer"]

_UNITS = (("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0))
_MOST = 2**31 - 1  # runs in a block


@dataclass(repr=False, frozen=True)
class TaskSpec:
    """What a Timer measures, but for its globals."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The label or else the statement, and the second label."""
        name = self.label if self.label is not None else None if "\n" in self.stmt else self.stmt
        if name is not None:
            return f"{name}: {self.sub_label}" if self.sub_label else name
        head = f"stmt ({self.sub_label}):" if self.sub_label else "stmt:"
        return f"{head}\n{indent(self.stmt, '  ')}"

    def setup_str(self) -> str:
        """The setup as it is printed; empty where there is none."""
        if self.setup in ("", "pass"):
            return ""
        return f"setup:\n{indent(self.setup, '  ')}" if "\n" in self.setup else f"setup: {self.setup}"

    def summarize(self) -> str:
        """The first lines of what a `Measurement` prints."""
        parts = [self.title, self.description or "", self.setup_str()]
        return "\n".join(f"{part}\n" if "\n" in part else part for part in parts if part)


@dataclass(repr=False)
class Measurement:
    """The times of one or several blocks of runs, in seconds; it prints their median and spread."""

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name in _OF_TASK:
            return getattr(self.task_spec, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def times(self) -> list[float]:
        """The time of one run, by block."""
        return [t / self.number_per_run for t in self.raw_times]

    def _quantile(self, q: float) -> float:
        times = sorted(self.times)
        at = q * (len(times) - 1)
        low = math.floor(at)
        return times[low] + (times[min(low + 1, len(times) - 1)] - times[low]) * (at - low)

    @property
    def median(self) -> float:
        """The median of `times`."""
        return median(self.times)

    @property
    def mean(self) -> float:
        """The mean of `times`."""
        return fmean(self.times)

    @property
    def iqr(self) -> float:
        """The distance between the quartiles of `times`."""
        return self._quantile(0.75) - self._quantile(0.25)

    @property
    def significant_figures(self) -> int:
        """About how many digits of the median are certain, by the middle half of the times: 1 to 5."""
        times = sorted(self.times)
        middle = times[len(times) // 4 : math.ceil(3 * len(times) / 4)]
        interval = max(1.645 * pstdev(middle) / math.sqrt(len(middle)), 25e-9)
        return min(max(math.floor(math.log10(self.median / interval)), 1), 5)

    def meets_confidence(self, threshold: float = 0.1) -> bool:
        """Whether the distance between the quartiles is below this part of the median."""
        return self.iqr / self.median < threshold

    @property
    def _warnings(self) -> str:
        if self.meets_confidence():
            return ""
        meaning = (
            "could indicate system fluctuation"
            if self.meets_confidence(0.25)
            else "suggests significant environmental influence"
        )
        share = 100 * self.iqr / self.median
        text = f"  WARNING: Interquartile range is {share:.1f}% of the median measurement."
        return f"\n{text}\n           This {meaning}."

    @property
    def has_warnings(self) -> bool:
        """Whether the times vary much."""
        return bool(self._warnings)

    @property
    def title(self) -> str:
        """What was measured."""
        return self.task_spec.title

    @property
    def as_row_name(self) -> str:
        """The name of a row of a table."""
        return self.sub_label or self.stmt or "[Unknown]"

    def __repr__(self) -> str:
        n, number = len(self.raw_times), self.num_threads
        unit, scale = select_unit(self.median)
        low, high = self._quantile(0.25) / scale, self._quantile(0.75) / scale
        lines = [
            f"<{printed('utils.benchmark.utils.common.Measurement')} object at {hex(id(self))}>",
            self.task_spec.summarize(),
            f"  {'Median: ' if n > 1 else ''}{self.median / scale:.2f} {unit}",
            f"  IQR:    {high - low:.2f} {unit} ({low:.2f} to {high:.2f})" if n >= 4 else "",
            f"  {n} measurement{'s' if n > 1 else ''}, {self.number_per_run} runs "
            f"{'per measurement,' if n > 1 else ','} {number} thread{'s' if number > 1 else ''}{self._warnings}",
        ]
        return "\n".join(line for line in lines if line)

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """One for each task, of all its times, with one run in a block."""
        times: dict[TaskSpec, list[float]] = {}
        for m in measurements:
            times.setdefault(m.task_spec, []).extend(m.times)
        return [Measurement(1, values, task) for task, values in times.items()]


_OF_TASK = frozenset(field.name for field in fields(TaskSpec))


def select_unit(t: float) -> tuple[str, float]:
    """The unit in which a time is printed, and how many seconds it has."""
    place = math.floor(math.log10(t) / 3) if t > 0 else 0
    return _UNITS[min(max(place, -3), 0) + 3] if place >= -3 else _UNITS[3]


class Timer:
    """Measures ``stmt``, run after ``setup`` with the names in ``globals`` and ``torch``, which is minigrad.

    ``label``, ``sub_label``, ``description`` and ``env`` are printed with the result. BLAS has ``num_threads``
    threads meanwhile, where the package threadpoolctl is installed. ValueError for a statement that is not a str, and
    for another language; NotImplementedError for C++.
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timeit.default_timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: str = "python",
    ) -> None:
        if not isinstance(stmt, str):
            raise value_error("Currently only a `str` stmt is supported.")
        if language in ("cpp", "c++"):
            raise not_implemented_error("Timer: statements are Python's here, not of C++")
        if language not in ("python", "py"):
            raise value_error(f"Invalid language `{language}`: it is 'python'")
        if global_setup:
            raise value_error(
                f"global_setup is C++ only, got {global_setup!r}; it can simply be moved to `setup`"
            )
        stmt, setup = (dedent(text.lstrip("\n")).rstrip() for text in (stmt, setup))
        names = {"torch": sys.modules["minigrad"], **(globals or {})}
        self._timer = timeit.Timer(stmt, setup, timer, names)
        self._task_spec = TaskSpec(stmt, setup, "", label, sub_label, description, env, num_threads)

    def _timeit(self, number: int) -> float:
        return max(self._timer.timeit(number), 1e-9)  # no clock is finer

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """Times one block of ``number`` runs, after a warm-up of a hundredth of them, at least two."""
        with _threads(self._task_spec.num_threads):
            self._timeit(max(number // 100, 2))
            return Measurement(number, [self._timeit(number)], self._task_spec)

    def blocked_autorange(
        self, callback: Callable[[int, float], NoReturn] | None = None, min_run_time: float = 0.2
    ) -> Measurement:
        """Runs blocks until they have taken ``min_run_time`` seconds together.

        A block is long enough for the cost of its start not to count. ``callback`` gets the number of runs and the time
        of each.
        """
        return self._blocks(min_run_time, math.inf, lambda _: True, callback)

    def adaptive_autorange(
        self,
        threshold: float = 0.1,
        *,
        min_run_time: float = 0.01,
        max_run_time: float = 10.0,
        callback: Callable[[int, float], NoReturn] | None = None,
    ) -> Measurement:
        """`blocked_autorange` until the quartiles are closer than ``threshold`` of the median, or time is up."""

        def enough(m: Measurement) -> bool:
            return len(m.raw_times) > 3 and m.meets_confidence(threshold)

        return self._blocks(min_run_time, max_run_time, enough, callback)

    def _blocks(
        self, least: float, most: float, enough: Callable[[Measurement], bool], callback: Any
    ) -> Measurement:
        with _threads(self._task_spec.num_threads):
            m = Measurement(self._block(least), [], self._task_spec)
            total = 0.0
            while total < least or not enough(m):
                time = self._timeit(m.number_per_run)
                m.raw_times.append(time)
                total += time
                if callback is not None:
                    callback(m.number_per_run, time)
                if total > most:
                    break
        return m

    def _block(self, least: float) -> int:
        """How many runs make a block; finding out warms up, too."""
        start = median(self._timeit(0) for _ in range(5))
        number = 1
        while number * 10 <= _MOST:
            time = self._timeit(number)
            if (start / time <= 1e-4 and time >= least / 1000) or time > least:
                break
            number *= 10
        return number


class Compare:
    """Measurements as a table for each label: rows by second label and threads, columns by description.

    Several of one task are one, as `Measurement.merge` has them.
    """

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results = list(results)
        self._trim = self._colors = self._rowwise = self._warned = False

    def __str__(self) -> str:
        groups: dict[str, list[Measurement]] = {}
        for m in Measurement.merge(self._results):
            groups.setdefault(m.label or "", []).append(m)
        return "\n".join(self._table(label, group) for label, group in groups.items())

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Adds measurements."""
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Prints digits only as far as they are certain."""
        self._trim = True

    def colorize(self, rowwise: bool = False) -> None:
        """Prints the least time of each column, or of each row, in green."""
        self._colors, self._rowwise = True, rowwise

    def highlight_warnings(self) -> None:
        """Prints the spread beside times that vary much."""
        self._warned = True

    def print(self) -> None:
        """Prints the tables."""
        print(self)

    def _table(self, label: str, group: list[Measurement]) -> str:
        unit, scale = select_unit(min(m.median for m in group))
        columns = list(dict.fromkeys(m.description or "" for m in group))
        envs = {m.env for m in group}
        rows: dict[tuple[int, str, str], dict[str, Measurement]] = {}
        for m in group:
            row = (m.num_threads, f"({m.env})" if len(envs) > 1 else "", m.as_row_name)
            rows.setdefault(row, {})[m.description or ""] = m
        keys = sorted(rows, key=lambda row: (row[0], row[1]))
        width = max(len(name) for *_, name in keys)
        before = max(6, *(len(env) + 2 for _, env, _ in keys)) + 2 * (len(envs) > 1)
        cells = [self._column(c, [rows[key].get(c) for key in keys], scale) for c in columns]
        best = self._best([[rows[key].get(c) for c in columns] for key in keys])
        header = "  |  ".join([" " * (before + width), *(column[0] for column in cells)])
        lines = [f"[{f' {label} '.center(len(header) - 2, '-')}]", header]
        threads, last = 0, ""
        for k, (count, env, name) in enumerate(keys):
            if count != threads:
                threads, last = count, ""
                lines.append(f"{threads} threads: ".ljust(len(header), "-"))
            first = f"{'' if env == last else f'  {env}':{before}}{name:{width}}"
            last = env
            shown = [column[1 + k] for column in cells]
            if self._colors:
                shown = [f"\033[92m{c}\033[0m" if (k, j) in best else c for j, c in enumerate(shown)]
            lines.append("  |  ".join([first, *shown]))
        lines += ["", f"Times are in {_LONG[unit]}s ({unit})."]
        if self._warned and any(m.has_warnings for m in group):
            lines.append("(! XX%) Measurement has high variance, where XX is the IQR / median * 100.")
        return "\n".join([*lines, ""])

    def _column(self, title: str, measurements: list[Measurement | None], scale: float) -> list[str]:
        """The title and the cells, all of one width."""
        there = [m for m in measurements if m is not None]
        certain = min(m.significant_figures for m in there) - max(_digits(m.median / scale) for m in there)
        places = max(0, certain) if self._trim else 1
        texts = []
        for m in measurements:
            note = f" (! {100 * m.iqr / m.median:.0f}%)" if m and self._warned and m.has_warnings else ""
            texts.append(("" if m is None else f"{m.median / scale:.{places}f}", note))
        size, more = (max(len(text[i]) for text in texts) for i in (0, 1))
        width = max(len(title), size + more)
        shown = [title, *(f"{number:>{size}}{note:{more}}" for number, note in texts)]
        return [text.center(width) for text in shown]

    def _best(self, table: list[list[Measurement | None]]) -> set[tuple[int, int]]:
        """The places of the least times."""
        places = [(k, j) for k, row in enumerate(table) for j, m in enumerate(row) if m is not None]
        least: dict[int, tuple[float, tuple[int, int]]] = {}
        for place in places:
            m = table[place[0]][place[1]]
            line = place[0 if self._rowwise else 1]
            if m is not None and m.median < least.get(line, (math.inf, place))[0]:
                least[line] = m.median, place
        return {place for _, place in least.values()}


_LONG = {"ns": "nanosecond", "us": "microsecond", "ms": "millisecond", "s": "second"}


def _digits(value: float) -> int:
    """How many digits stand before the point."""
    return max(math.floor(math.log10(value)) + 1, 1) if value > 0 else 1


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """So many threads for matrix products, where that can be set."""
    try:
        before = threads.get_num_threads()
        threads.set_num_threads(count)
    except ImportError:
        yield
        return
    try:
        yield
    finally:
        threads.set_num_threads(before)


module_getattr(globals())

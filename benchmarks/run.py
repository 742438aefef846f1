"""minigrad and what people would use instead, side by side: python benchmarks/run.py [--help].

See README.md here for how to read what it prints.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import driver
import operations
import training as networks
from driver import Effort, Failed, Inside, Process, Spread
from peers import PEERS, Peer
from reasons import Miss, grouped

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
US, MS, S = 1e6, 1e3, 1.0
MB = 1e6


class Scale(NamedTuple):
    """How much is done: ``python benchmarks/run.py``, with ``--quick``, and to test the program itself."""

    effort: Effort
    batches: tuple[int, ...]
    dtypes: tuple[str, ...]
    long: tuple[int, int]
    long_rounds: int
    memory_batch: int
    memory_rounds: int
    imports: int
    slow_imports: int
    large: int
    """The batch from which on the compiled step is asked for threads, and its buffers are looked at."""
    recordings: int
    replays: int


FULL = Scale(
    effort=Effort(rounds=61, least=9, budget=10, turn=0.016),
    batches=(1, 32, 1_000, 10_000),
    dtypes=("float32", "float64"),
    long=(100_000, 1_000_000),
    long_rounds=2,
    memory_batch=100_000,
    memory_rounds=3,
    imports=21,
    slow_imports=3,
    large=1_000,
    recordings=7,
    replays=10_000,
)
QUICK = Scale(
    effort=Effort(rounds=9, least=3, budget=0.6, turn=0.008),
    batches=(1, 32, 1_000),
    dtypes=("float64",),
    long=(20_000, 200_000),
    long_rounds=1,
    memory_batch=30_000,
    memory_rounds=1,
    imports=5,
    slow_imports=0,
    large=1_000,
    recordings=3,
    replays=10_000,
)
TINY = Scale(
    effort=Effort(rounds=2, least=2, budget=0, turn=0.001),
    batches=(1, 3),
    dtypes=("float64",),
    long=(100, 1_000),
    long_rounds=1,
    memory_batch=50,
    memory_rounds=1,
    imports=2,
    slow_imports=0,
    large=3,
    recordings=1,
    replays=50,
)

CHAIN = 50
STEP_BOUNDS = {
    1: {"torch": 0.6, "by hand": 2.0},
    32: {"torch": 0.7, "by hand": 1.6},
    1_000: {"torch": 1.0, "by hand": 1.0},
    10_000: {"torch": 1.0, "by hand": 1.0},
}
OURS = tuple(peer.name for peer in PEERS if peer.compiles)
BEST = "best"  # of those
COMPILED_BOUNDS = {  # of whom, by whom
    1: {("compiled", "by hand"): 0.6, ("numba", "by hand"): 0.35, (BEST, "torch"): 0.2, (BEST, "jax"): 1.0},
    32: {("compiled", "by hand"): 0.75, (BEST, "torch"): 0.25, (BEST, "jax"): 1.0},
    1_000: {("compiled", "by hand"): 0.4, (BEST, "torch"): 0.8, (BEST, "jax"): 1.0},
    10_000: {("compiled", "by hand"): 0.5, (BEST, "torch"): 0.8, (BEST, "jax"): 1.0},
}
BUFFERS_BOUND = 0.5  # of what eager mode allocates at its peak
RECORDING_BOUND = 60.0  # eager steps
OWN_COST_BOUND = 4e-6  # seconds
FIRST_CALLS = 20
IMPORT_BOUND = 30.0  # ms
SAME = {"float32": 1e-3, "float64": 1e-9}


# -- what was found ------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """One peer's figure, what minigrad's is to it, and the bound of that."""

    who: str
    value: Spread
    ratio: Spread | None = None
    bound: float | None = None


class Quotient(NamedTuple):
    """The figure of one of ours by that of another peer, and the bound of that."""

    ours: str
    theirs: str
    ratio: Spread
    bound: float


@dataclass
class Case:
    """One thing measured of all who can do it; ``best`` of several of ours is the one that others are compared with."""

    name: str
    unit: str
    entries: list[Entry]
    rounds: str = ""
    best: str = "minigrad"
    quotients: list[Quotient] = field(default_factory=list)


@dataclass
class Check:
    """One thing that holds or does not."""

    what: str
    found: str
    bound: str
    met: bool


@dataclass
class Row:
    """A section of the report."""

    title: str
    note: str
    cases: list[Case] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)


def compare(
    name: str,
    unit: str,
    per: float,
    times: dict[str, list[float]],
    bounds: dict[str, float],
    rounds: str = "",
) -> Case:
    """The case in which ``times`` were taken; ``per`` turns them into ``unit``."""
    ours = times.get("minigrad")
    entries = []
    for who, theirs in times.items():
        against = None if ours is None or who == "minigrad" else driver.ratio(ours, theirs)
        entries.append(Entry(who, Spread.of(theirs) * per, against, bounds.get(who) if against else None))
    return Case(name, unit, entries, rounds)


def compare_best(
    name: str, times: dict[str, list[float]], bounds: dict[tuple[str, str], float], rounds: str
) -> Case:
    """The case, in ms, where several are ours: the best of them by each other peer, and what has a bound."""
    ours = [who for who in OURS if who in times]
    best = min(ours, key=lambda who: Spread.of(times[who]).median, default="")
    entries = []
    for who, theirs in times.items():
        against = driver.ratio(times[best], theirs) if best and who not in ours else None
        entries.append(Entry(who, Spread.of(theirs) * MS, against))
    pairs = [(best if us == BEST else us, them, bound) for (us, them), bound in bounds.items()]
    quotients = [
        Quotient(us, them, driver.ratio(times[us], times[them]), bound)
        for us, them, bound in pairs
        if us in times and them in times
    ]
    return Case(name, "ms", entries, rounds, best, quotients)


# -- what is measured ----------------------------------------------------------------------------------------


class Session:
    """A run: the peers that take part, how much they do, and what is left to say about it."""

    def __init__(
        self, peers: Sequence[Peer], scale: Scale, only: Sequence[str], one_process: bool, threads: int
    ) -> None:
        self.scale, self.only, self.one_process, self.threads = scale, only, one_process, threads
        self.peers = peers
        self.remarks: list[str] = []
        self.benches: list[Any] = []
        self.idle = True  # no bench has worked yet
        self.absent: set[str] = set()  # peers that do not start
        self.facts: dict[str, dict[str, str]] = {}
        self.start()

    def start(self) -> None:
        """A new process for every peer."""
        started = [peer for peer in self.peers if peer.name not in self.absent]
        for peer in started:
            try:
                bench = Inside(peer.name) if self.one_process else Process(peer.name, self.threads)
            except (Failed, ImportError) as error:
                self.absent.add(peer.name)
                self.say(f"{peer.name} does not start: {error}")
                continue
            self.benches.append(bench)
            self.facts[peer.name] = bench.facts
        self.idle = True

    def renew(self) -> None:
        """Fresh processes: what was freed in a case before changes how the C library serves the next one."""
        if self.one_process or self.idle:
            return
        self.close()
        self.benches.clear()
        self.start()

    def close(self) -> None:
        for bench in self.benches:
            bench.close()

    def say(self, remark: str) -> None:
        self.remarks.append(remark)
        print(f"! {remark}", file=sys.stderr)

    def wanted(self, case: str) -> bool:
        return not self.only or any(case == o or f"{case}:".startswith(f"{o}:") for o in self.only)

    def racing(self, *names: str) -> list[Any]:
        """Those of them that are there; without names, all but the compiled steps."""
        self.idle = False
        return [b for b in self.benches if (b.name in names if names else b.name not in OURS)]

    def able(self, what: str) -> list[str]:
        """Those who can do something that needs a fresh process."""
        doing = {
            "long": ("minigrad", "torch"),
            "kept": ("minigrad", "torch"),
            "peak": ("minigrad", "by hand", "torch"),
        }
        return [name for name in self.facts if name in doing[what]]

    def fresh(self, who: str, what: str, *arguments: Any) -> Any:
        """What one peer finds in a process of its own."""
        process = Process(who, self.threads)
        try:
            return process.ask("once", what, *arguments)
        finally:
            process.close()

    def tried(self, who: str, what: str, *arguments: Any) -> Any:
        """The same; None if the peer does not take part, and if it fails, which is remarked upon."""
        if who not in self.facts:
            return None
        try:
            return self.fresh(who, what, *arguments)
        except Failed as error:
            self.say(f"{who}, {what} {arguments}: {error}")
            return None


def chain(session: Session) -> Row:
    row = Row(
        "chain: 50 multiplications of 10 float64 values in a row, forward and backward, time for each",
        "`y = y * w`: in the one case w is a constant, in the other it gets a gradient too.",
    )
    for name, both in (("constant", False), ("parameter", True)):
        if session.wanted(f"chain:{name}"):
            arguments = (CHAIN, both)
            effort = session.scale.effort
            raced = driver.race(session.racing(), "prepare_chain", arguments, effort, 1e-12, session.say)
            row.cases.append(
                compare(f"w a {name}", "µs", US / CHAIN, raced.times, {"torch": 0.7}, raced.rounds)
            )
    return row


def step(session: Session) -> Row:
    row = Row(
        "step: a training step of the network 2-64-64-64-1 (forward, MSE, backward, SGD, zero_grad)",
        "Eight batches in turn, so that no step sees the data of the one before. JAX compiles its step, the "
        "others are eager.",
    )
    scale = session.scale
    for dtype in scale.dtypes:
        for batch in scale.batches:
            if session.wanted(f"step:{dtype}:{batch}"):
                what, same = (dtype, batch), SAME[dtype]
                session.renew()
                raced = driver.race(session.racing(), "prepare_step", what, scale.effort, same, session.say)
                bounds = STEP_BOUNDS.get(batch, {})
                row.cases.append(
                    compare(f"{dtype}, batch {batch:,}", "ms", MS, raced.times, bounds, raced.rounds)
                )
    return row


def single(session: Session) -> Row:
    row = Row(
        "operations: single operations and layers, forward and backward",
        "float32; all inputs get a gradient. Of Adam, the update alone.",
    )
    small, effort = session.scale is TINY, session.scale.effort
    for name, bound in operations.BOUNDS.items():
        if session.wanted(f"operations:{name.partition(',')[0]}"):
            raced = driver.race(
                session.racing("minigrad", "torch"),
                "prepare_operation",
                (name, small),
                effort,
                1e-3,
                session.say,
            )
            row.cases.append(compare(name, "ms", MS, raced.times, {"torch": bound}, raced.rounds))
    return row


def calls(session: Session) -> Row:
    row = Row(
        "calls: single calls on arrays of 32 × 16",
        f"float32, the mean of {operations.TIMES} calls, recorded where `x`, a leaf, takes part. `f` is "
        "`(x.tanh() * x).sum()`. No bounds: both spend most of the time around the arithmetic.",
    )
    for name in operations.CALLS:
        if session.wanted(f"calls:{name}"):
            benches, effort = session.racing("minigrad", "torch"), session.scale.effort
            raced = driver.race(benches, "prepare_operation", (name, False), effort, 1e-3, session.say)
            row.cases.append(compare(name, "µs", US / operations.TIMES, raced.times, {}, raced.rounds))
    return row


def training(session: Session) -> Row:
    row = Row(
        "training: training steps of small networks, float32, eager and compiled",
        "The ratios are those of the better of both. Memory: how far the resident memory of a fresh process rises "
        "during three steps.",
    )
    small, effort = session.scale is TINY, session.scale.effort
    for name, (eager, compiled) in networks.BOUNDS.items():
        if not session.wanted(f"training:{name.partition(',')[0]}"):
            continue
        if not small:
            session.renew()
        benches = session.racing("minigrad", "compiled", "torch")
        raced = driver.race(benches, "prepare_training", (name, small), effort, 1e-3, session.say)
        bounds = {("minigrad", "torch"): eager, ("compiled", "torch"): compiled}
        row.cases.append(compare_best(name, raced.times, bounds, raced.rounds))
    for name in [] if small else [case.name for case in row.cases]:
        peaks = {
            who: session.fresh(who, "training_peak", name)
            for who in ("minigrad", "torch")
            if who in session.facts
        }
        if len(peaks) == 2:
            ours, theirs = (peaks[who] / MB for who in ("minigrad", "torch"))
            text = f"{ours:,.1f} of torch's {theirs:,.1f} MB"
            row.checks.append(Check(f"memory, {name}", text, "≤ torch's", ours <= theirs))
    return row


def compiled(session: Session) -> Row:
    row = Row(
        "compiled: the same training step as one function, compiled by minigrad",
        "In three ways: with NumPy (compiled), with Numba (numba), and with NumPy in parts of the batch that threads "
        "share (threads, for large batches). The ratios are those of the best of the three, in bold. JAX compiles "
        "its step too, the others are eager, minigrad among them. What the first call costs, which records and plans, "
        "is counted in eager steps.",
    )
    scale = session.scale
    sizes = [(dtype, batch) for dtype in scale.dtypes for batch in scale.batches]
    sizes = [size for size in sizes if session.wanted("compiled:{}:{}".format(*size))]
    for dtype, batch in sizes:
        ours = OURS if batch >= scale.large else [who for who in OURS if who != "threads"]
        session.renew()
        benches = session.racing(*ours, "minigrad", "by hand", "torch", "jax")
        what, same = (dtype, batch), SAME[dtype]
        raced = driver.race(benches, "prepare_step", what, scale.effort, same, session.say)
        bounds = COMPILED_BOUNDS.get(batch, {})
        row.cases.append(compare_best(f"{dtype}, batch {batch:,}", raced.times, bounds, raced.rounds))
        if "numba" in raced.times and (dtype, batch) == sizes[0]:
            [bench] = [bench for bench in benches if bench.name == "numba"]
            row.note += f" The first call with Numba takes {figure(bench.ask('first_call'))} s."
    for dtype, batch in sizes:
        if batch >= scale.large:
            row.checks += buffers(session, dtype, batch)
    for dtype, batch in sizes:
        row.checks += recording(session, dtype, batch)
    row.checks += [check for dtype, batch in sizes if batch == 1 for check in own_cost(session, dtype)]
    if session.wanted("compiled:replays"):
        row.checks += replays(session)
    return row


def buffers(session: Session, dtype: str, batch: int) -> list[Check]:
    eager = session.tried("minigrad", "allocated", batch, dtype)
    size = None if eager is None else session.tried("threads", "buffers", batch, dtype)
    if size is None:
        return []
    text = f"{size / MB:,.2f} of {eager / MB:,.2f} MB ({size / eager:.2f})"
    what = f"buffers of threads, of eager mode's peak, {dtype}, batch {batch:,}"
    return [Check(what, text, f"≤ {BUFFERS_BOUND:g}", size <= BUFFERS_BOUND * eager)]


def recording(session: Session, dtype: str, batch: int) -> list[Check]:
    took = session.tried("compiled", "first_calls", batch, dtype, session.scale.recordings, FIRST_CALLS)
    if took is None:
        return []
    first, second = (Spread.of(took[what]) for what in ("first", "second"))
    text = (
        f"{first.median:.1f} ({first.low:.1f} to {first.high:.1f}); the second call takes {second.median:.1f}"
    )
    what = f"the first call, in eager steps, {dtype}, batch {batch:,}"
    return [Check(what, text, f"≤ {RECORDING_BOUND:g}", first.median <= RECORDING_BOUND)]


def own_cost(session: Session, dtype: str) -> list[Check]:
    took = session.tried("compiled", "own_cost", 1, dtype, 10 * session.scale.recordings)
    if took is None:
        return []
    spread = Spread.of(took)
    text = f"{spread.median * US:.1f} µs ({spread.low * US:.1f} to {spread.high * US:.1f})"
    what = f"a replay beside the calls of its plan, {dtype}, batch 1"
    return [Check(what, text, f"≤ {OWN_COST_BOUND * US:g} µs", spread.median <= OWN_COST_BOUND)]


def replays(session: Session) -> list[Check]:
    count, dtype, batch = session.scale.replays, session.scale.dtypes[-1], 32
    found = []
    for who in ("compiled", "numba"):
        more = session.tried(who, "replays", batch, dtype, count)
        if more is not None:
            text = f"{more['resident'] / 1e3:,.0f} kB and {more['blocks']:,} objects more"
            met = more["resident"] <= 500_000 and more["blocks"] <= 100
            what = f"memory after {count:,} replays, {who}, {dtype}, batch {batch}"
            found.append(Check(what, text, "≤ 500 kB, 100 objects", met))
    return found


def long(session: Session) -> Row:
    short, full = session.scale.long
    row = Row(
        f"long: a chain of {full:,} multiplications: forward, backward and release, time per multiplication",
        "`y = y * w` on one float64 value, the garbage collector off throughout, a fresh process each time.",
    )
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    end = time.perf_counter() + 2 * session.scale.effort.budget
    for turn in range(session.scale.long_rounds):
        if turn and time.perf_counter() > end:
            break
        for length in (short, full):
            for who in session.able("long"):
                try:
                    found.setdefault((who, length), []).append(session.fresh(who, "long", length))
                except Failed as error:
                    session.say(f"{who}, long {length:,}: {error}")
    for length in (short, full):
        times = {
            who: [once["seconds"] / length for once in turns]
            for (who, n), turns in found.items()
            if n == length
        }
        if times:
            row.cases.append(compare(f"{length:,} operations", "µs", US, times, {}))
    ours = found.get(("minigrad", full), [])
    if ours:
        last = ours[-1]
        right = all(once["right"] for once in ours)
        row.checks.append(Check(f"backward of {full:,}", "right" if right else "WRONG", "right", right))
        if ("minigrad", short) in found:
            growth = [
                b["seconds"] / full / (a["seconds"] / short)
                for a, b in zip(found["minigrad", short], ours, strict=True)
            ]
            text = f"{Spread.of(growth).median:.2f} ×"
            met = Spread.of(growth).median <= 1.5
            row.checks.append(Check(f"time per operation, {full:,} against {short:,}", text, "≤ 1.5 ×", met))
        dies = all(once["dies"] for once in ours)
        text = "gone at once" if dies else "STILL THERE"
        row.checks.append(Check("the graph after `del y`, without the collector", text, "gone at once", dies))
        blocks = max(once["blocks"] for once in ours)
        text = f"{blocks:,} of about {5 * full:,}"
        row.checks.append(Check("Python objects left over", text, "≤ 10,000 (free lists)", blocks <= 10_000))
        if last["held"]:
            held, left = last["held"] / MB, last["left"] / MB
            text = f"{left:,.0f} of {held:,.0f} MB"
            met = left <= max(0.1 * held, 2)
            row.checks.append(Check("memory still held, once malloc_trim has run", text, "≤ 10 %", met))
    return row


def memory(session: Session) -> Row:
    batch = session.scale.memory_batch
    row = Row(
        f"memory: a training step at batch {batch:,}",
        "Peak: how far the resident memory of a fresh process rises during three steps. Kept: what is held "
        "between forward and backward, beside parameters and data; of minigrad as the allocator counts it, "
        "of torch as it tells its saved-tensor hooks.",
    )
    for dtype in session.scale.dtypes:
        peaks: dict[str, list[float]] = {}
        for _ in range(session.scale.memory_rounds):
            for who in session.able("peak"):
                peaks.setdefault(who, []).append(session.fresh(who, "peak", batch, dtype)["above"])
        row.cases.append(compare(f"peak, {dtype}", "MB", 1 / MB, peaks, {"torch": 1.0}))
        kept = {who: [session.fresh(who, "kept", batch, dtype)] for who in session.able("kept")}
        row.cases.append(compare(f"kept, {dtype}", "MB", 1 / MB, kept, {}))
        if "minigrad" in kept:
            # linear reads its input, relu its output (the same array), the loss the prediction
            named = batch * (3 * 64 + 1) * (4 if dtype == "float32" else 8)
            [held] = kept["minigrad"]
            slack = 50_000  # records, Tensors, arrays' heads
            row.checks.append(
                Check(
                    f"kept beside what rules name, {dtype}",
                    f"{(held - named) / 1e3:,.1f} kB beside {named / MB:,.1f} MB",
                    "≤ 50 kB (records)",
                    held - named <= slack,
                )
            )
    return row


def imports(session: Session) -> Row:
    row = Row("import: time of the import in a new interpreter", "The bytecode is there; a process each.")
    scale = session.scale
    names = {"numpy": "numpy", "minigrad": "minigrad"}
    if scale.slow_imports:
        others = [
            p for p in session.peers if p.package not in names and not p.compiles and p.name in session.facts
        ]
        names |= {p.name: p.package for p in others}
    timed = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(
        os.pathsep
    )
    took: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(scale.imports + 1):
        for name, package in names.items():
            if package in ("numpy", "minigrad") or turn <= scale.slow_imports:
                command = [sys.executable, "-c", timed.format(package)]
                run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                if turn:  # the first writes bytecode and fills the disk's cache
                    took[name].append(float(run.stdout))
    entries = [Entry(name, Spread.of(times) * MS) for name, times in took.items()]
    over = Spread.of(a - b for a, b in zip(took["minigrad"], took["numpy"], strict=True)) * MS
    row.cases.append(Case("import", "ms", entries))
    text = f"{over.median:.1f} ms ({over.low:.1f} to {over.high:.1f})"
    row.checks.append(
        Check("minigrad over NumPy", text, f"≤ {IMPORT_BOUND:.0f} ms", over.median <= IMPORT_BOUND)
    )
    return row


ROWS: dict[str, Callable[[Session], Row]] = {
    "chain": chain, "step": step, "compiled": compiled, "operations": single, "calls": calls, "training": training,
    "long": long, "memory": memory, "import": imports,
}  # fmt: skip


# -- the report ----------------------------------------------------------------------------------------------


def table(head: Sequence[str], body: Sequence[Sequence[str]], left: int = 1) -> str:
    """Markdown that lines up as text too; the first ``left`` columns hold words, the others figures."""
    widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        pairs = enumerate(zip(cells, widths, strict=True))
        return f"| {' | '.join(c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in pairs)} |"

    rule = ["-" * w if i < left else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return "\n".join([line(head), line(rule), *(line(cells) for cells in body)])


def figure(value: float) -> str:
    """Three digits, and no fewer before the point."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def times(value: float) -> str:
    """A ratio, with two digits where it is small."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def verdict(ratio: Spread, bound: float) -> str:
    return f"≤ {bound:g} {'met' if ratio.median <= bound else 'MISSED'}"


def bounds_of(case: Case) -> list[Quotient]:
    """Every ratio that has a bound."""
    found = [Quotient(case.best, e.who, e.ratio, e.bound) for e in case.entries if e.ratio and e.bound]
    return [*found, *case.quotients]


def checks(row: Row) -> str:
    body = [(c.what, c.found, c.bound, "met" if c.met else "MISSED") for c in row.checks]
    return table(("minigrad", "found", "bound", ""), body, left=4)


def full_text(row: Row) -> str:
    """Every figure with its quartiles, a line each."""
    several = any(case.best != "minigrad" for case in row.cases)
    ours = "best / this" if several else "minigrad / this"
    head = ("", "", "median", "quartiles", "least", ours, "quartiles", "bound")
    body = []
    for case in row.cases:
        for i, entry in enumerate(case.entries):
            value = entry.value
            cells = [f"{figure(value.median)} {case.unit}", f"{figure(value.low)} to {figure(value.high)}"]
            cells.append(figure(value.least))
            against = entry.ratio
            if against is None:
                cells += ["best" if several and entry.who == case.best else "", ""]
            else:
                cells += [times(against.median), f"{times(against.low)} to {times(against.high)}"]
            about = [bound_text(q, several, True) for q in bounds_of(case) if q.theirs == entry.who]
            label = case.name if i == 0 else case.rounds if i == 1 else ""
            body.append([label, entry.who, *cells, "; ".join(about)])
    parts = [row.title, row.note]
    parts += [table(head, body, left=2)] if body else []
    parts += [checks(row)] if row.checks else []
    return "\n\n".join(parts)


def bound_text(quotient: Quotient, several: bool, quartiles: bool = False) -> str:
    """A bound and whether it is met; of ``several`` that are ours which one, and its ratio."""
    ours, theirs, ratio, bound = quotient
    text = verdict(ratio, bound)
    if several:
        spread = f" ({times(ratio.low)} to {times(ratio.high)})" if quartiles else ""
        text = f"{times(ratio.median)}{spread} {text}"
    names = [ours] if several else []
    names += [] if quartiles else [theirs]
    return " ".join([" / ".join(names), text]).strip()


def short_text(row: Row) -> str:
    """For a page: a line per case, a column per peer."""
    names = [peer.name for peer in PEERS] + ["numpy"]
    columns = [n for n in names if any(e.who == n for case in row.cases for e in case.entries)]
    several = any(case.best != "minigrad" for case in row.cases)
    bounded = any(bounds_of(case) for case in row.cases)
    body = []
    for case in row.cases:
        cells = [f"{case.name}, {case.unit}"]
        by_name = {entry.who: entry for entry in case.entries}
        for name in columns:
            entry = by_name.get(name)
            text = "" if entry is None else figure(entry.value.median)
            text = f"**{text}**" if several and name == case.best else text
            cells.append(f"{text} ({times(entry.ratio.median)})" if entry and entry.ratio else text)
        if bounded:
            cells.append("; ".join(bound_text(q, several) for q in bounds_of(case)))
        body.append(cells)
    head = ["", *columns, *(["bounds"] if bounded else [])]
    title, _, rest = row.title.partition(": ")
    note = row.note
    disturbed = [case.name for case in row.cases if case.rounds.endswith("disturbed")]
    if disturbed:
        note += f" Other programs were running meanwhile: {'; '.join(disturbed)}."
    said = f"{rest[:1].upper()}{rest[1:]}. {note}"
    parts = [f"## {title.capitalize()}", said, table(head, body) if body else ""]
    parts += [checks(row)] if row.checks else []
    return "\n\n".join(part for part in parts if part)


READING = (
    "Medians of rounds in which every peer has its turn; in brackets minigrad's time (or memory) divided by "
    "that peer's in the same round, so below 1 minigrad is ahead, above 1 it is behind."
)


def header(session: Session) -> list[str]:
    installed = {peer.package for peer in PEERS if peer.installed()}
    absent = [peer.name for peer in PEERS if peer.package not in installed]
    left_out = [peer.name for peer in PEERS if peer.package in installed and peer not in session.peers]
    how = "All peers in one process" if session.one_process else "Each peer in its own process"
    if driver.CAN_STOP and not session.one_process:
        how += ", stopped while others have their turn"
    lines = [
        f"{datetime.date.today()}, {driver.cpu()}, {driver.cores()} cores, {platform.system()}, "
        f"load {driver.load()} at the start",
        f"{platform.python_implementation()} {platform.python_version()}, "
        + ", ".join(f"{fact['about']}: {fact['threads']}" for fact in session.facts.values()),
        how,
    ]
    if absent:
        lines.append(f"absent, so not measured: {', '.join(absent)}")
    if left_out:
        lines.append(f"not asked for: {', '.join(left_out)}")
    return lines


def missed(rows: Sequence[Row]) -> tuple[int, list[Miss]]:
    """How many bounds there are, and the missed ones."""
    count = 0
    behind = []
    for row in rows:
        for case in row.cases:
            for ours, theirs, ratio, bound in bounds_of(case):
                count += 1
                if ratio.median > bound:
                    where = f"{row.title.partition(':')[0]}, {case.name}"
                    who = "" if ours == "minigrad" else f"{ours} "
                    behind.append(Miss(where, f"{who}{ratio.median:.2f} × {theirs}", f"{bound:g}"))
        for check in row.checks:
            count += 1
            if not check.met:
                behind.append(Miss(check.what, check.found, check.bound))
    return count, behind


def outcome(count: int, behind: Sequence[Miss]) -> str:
    if not behind:
        return f"All {count} bounds are met."
    return f"Of {count} bounds {len(behind)} are missed."


def behind_text(count: int, behind: Sequence[Miss]) -> str:
    """The end of the page: how many bounds are missed, which, by how much, and why."""
    if not behind:
        return outcome(count, behind)
    return f"## Missed\n\n{outcome(count, behind)} By kinds, with the cause:\n\n{grouped(behind)}"


def markdown(session: Session, rows: Sequence[Row]) -> str:
    parts = [
        ". ".join(header(session)) + ".",
        READING,
        *(short_text(row) for row in rows),
        behind_text(*missed(rows)),
    ]
    parts += [f"Not measured: {remark}." for remark in session.remarks]
    return "\n\n".join(parts) + "\n"


def replace_between(text: str, block: str) -> str:
    """``text`` with ``block`` between the markers; ValueError if there are none."""
    before, begin, after = text.partition(BEGIN)
    if not begin:
        raise ValueError(f"it has no line {BEGIN}")
    _, end, rest = after.partition(END)
    if not end:
        raise ValueError(f"it has no line {END} after {BEGIN}")
    return f"{before}{BEGIN}\n\n{block}\n{END}{rest}"


# -- the command line ----------------------------------------------------------------------------------------


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    option = parser.add_argument
    some = f"some of {', '.join(ROWS)}; also step:float32:1, chain:constant, compiled:replays"
    option("--only", default="", metavar="ROWS", help=some)
    option("--peers", default="", metavar="NAMES",
           help="some of them, as in 'torch,by hand'; minigrad and compiled are always there")  # fmt: skip
    option("--quick", action="store_true", help="fewer rounds and smaller sizes, in one to two minutes")
    option("--tiny", action="store_true", help="to test this program; the figures mean nothing")
    option("--one-process", action="store_true", help="all peers in one, to see what that does to them")
    option("--no-stop", action="store_true", help="leave idle peers running, to see what that does")
    option("--threads", type=int, default=0, metavar="N", help="for BLAS and torch (as many as they choose)")
    option("--markdown", type=Path, metavar="FILE", help="write the short tables there")
    option("--update-docs", type=Path, nargs="?", const=ROOT / "docs" / "speed.md", metavar="FILE",
           help=f"put them between {BEGIN} and {END} in docs/speed.md")  # fmt: skip
    option("--list", action="store_true", help="what would be measured, and with whom")
    arguments = parser.parse_args(argv)

    def names(text: str) -> list[str]:
        return [name.strip() for name in text.split(",") if name.strip()]

    arguments.only, arguments.peers = names(arguments.only), names(arguments.peers)
    for name in arguments.only:
        if name.partition(":")[0] not in ROWS:
            parser.error(f"argument --only: no row {name!r}; there are {', '.join(ROWS)}")
    for name in arguments.peers:
        if name not in {peer.name for peer in PEERS}:
            parser.error(f"argument --peers: no peer {name!r}; there are {', '.join(p.name for p in PEERS)}")
    if arguments.update_docs:
        try:
            replace_between(arguments.update_docs.read_text(encoding="utf-8"), "")
        except (OSError, ValueError) as error:
            parser.error(f"argument --update-docs: {arguments.update_docs}: {error}")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parse(argv)
    sys.path.append(str(ROOT))  # where minigrad is not installed
    asked = {"minigrad", "compiled", *arguments.peers} if arguments.peers else {peer.name for peer in PEERS}
    chosen = {name.partition(":")[0] for name in arguments.only} or set(ROWS)
    rows = {name: row for name, row in ROWS.items() if name in chosen}
    if "compiled" not in rows:
        asked -= set(OURS) - ({"compiled"} if "training" in rows else set())
    peers = [peer for peer in PEERS if peer.installed() and peer.name in asked]
    if arguments.list:
        for name in rows:
            print(name)
        for peer in PEERS:
            print(f"peer {peer.name}: {'installed' if peer.installed() else 'absent'}")
        return 0
    began = time.perf_counter()
    if arguments.no_stop:
        driver.CAN_STOP = False
    scale = TINY if arguments.tiny else QUICK if arguments.quick else FULL
    session = Session(peers, scale, arguments.only, arguments.one_process, arguments.threads)
    try:
        print("\n".join(header(session)), flush=True)
        print("minigrad / this: minigrad's figure by this peer's in the same round; below 1 it is ahead")
        done = []
        for row in rows.values():
            done.append(row(session))
            print(f"\n\n{full_text(done[-1])}", flush=True)
    finally:
        session.close()
    count, behind = missed(done)
    if behind:
        print(f"\n\n{grouped(behind)}")
    print(f"\n\n{outcome(count, behind)}\n{time.perf_counter() - began:.0f} s")
    text = markdown(session, done)
    if arguments.markdown:
        arguments.markdown.write_text(text, encoding="utf-8")
    if arguments.update_docs:
        page = arguments.update_docs.read_text(encoding="utf-8")
        arguments.update_docs.write_text(replace_between(page, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

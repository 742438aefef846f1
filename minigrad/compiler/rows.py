"""Plans for blocks of rows: values with a row for each of the batch are computed block by block, and threads share
the blocks.

Blocks stay in the cache, and each thread has memory of its own.  Sums over the batch are the sums over the blocks
added up: another order than in eager mode, so they agree to rounding only.
"""

from __future__ import annotations

import functools
import math
import os
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compiler.lower import Plan
from minigrad.compiler.traced import TracedProgram
from minigrad.core.node import Node
from minigrad.core.op import NO_PARAMS
from minigrad.core.plans import COLUMNS, FIXED, ROWS, Batch, Summed, by_row
from minigrad.core.quiet import QUIET
from minigrad.readers.source.program import Value
from minigrad.threads import blas

# Bytes of the widest value of a block; there are at least two blocks.
BLOCK = 1 << 19
# Bytes of the widest value from which there are blocks: they need half the memory and cost little time.
LARGE = 3 << 16
# Bytes of the widest value from which threads share the blocks.
SHARED = 1 << 20
# Rows of a block that are worth a thread.
LEAST = 128

# Kinds of values beside `ROWS`, `COLUMNS` and `FIXED`: a sum over the batch, and what follows from such sums.
_SUM, _LATER = 3, 4


class Split:
    """Which values of a program are computed in blocks; ``possible`` is False if the batch cannot be split."""

    def __init__(
        self, program: TracedProgram, live: Sequence[Value], batch: Sequence[Value], count: int
    ) -> None:
        self.count = count
        self.kind: dict[Value, int] = {}
        self.summed: dict[Value, Summed] = {}
        self.possible = not program.trace.draws
        for v in live:
            if not self.possible:
                return
            self.kind[v] = self._classify(v, batch)

    def _classify(self, v: Value, batch: Sequence[Value]) -> int:
        if v in batch:
            return ROWS
        inputs = [w for w in v.inputs if w.__class__ is Value] if v.fill is None else []
        kinds = [self.kind[w] for w in inputs]
        if v.fill is not None:  # one number that repeats
            return ROWS if v.shape[:1] == (self.count,) else FIXED
        if all(k == FIXED for k in kinds):
            return FIXED
        if not any(k in (ROWS, COLUMNS) for k in kinds):
            return _LATER
        if any(k in (_SUM, _LATER) for k in kinds):
            return self._refuse()
        return self._of_rows(v, inputs, kinds)

    def _refuse(self) -> int:
        self.possible = False
        return _LATER

    def _of_rows(self, v: Value, inputs: list[Value], kinds: list[int]) -> int:
        op = v.record
        batch = op.batch or (by_row if op.elementwise and not op.raises else None)
        if batch is None:
            return self._refuse()
        kind = batch(Batch(self.count, v.shape, v.params, kinds, [w.shape for w in inputs]))
        if kind.__class__ is Summed:
            self.summed[v] = kind
            return _SUM
        return self._refuse() if kind is None else kind


def splits(split: Split, live: Sequence[Value], ends: Sequence[Value]) -> bool:
    """Whether a batch can be split, and is large enough to be worth it."""
    if not split.possible or any(split.kind[v] in (ROWS, COLUMNS) for v in ends):
        return False
    return _widest(split, live) >= LARGE


def _widest(split: Split, live: Sequence[Value]) -> int:
    """Bytes of the largest value that has a row for each of the batch."""
    sizes = [math.prod(v.shape) * v.dtype.itemsize for v in live if split.kind[v] == ROWS]
    return max(sizes, default=0)


class _BlockProgram(TracedProgram):
    """The half of a program that is computed by rows, for blocks of one size."""

    def __init__(self, program: TracedProgram, split: Split, sums: Sequence[Value], size: int) -> None:
        self.trace: Any = program.trace
        self.gradient = None
        self.values: list[Value] = []
        self.resized: dict[Value, Value] = {}
        needed, pending = set(sums), list(sums)
        for v in pending:
            for w in v.inputs if v.fill is None else ():
                if w.__class__ is Value and w not in needed:
                    needed.add(w)
                    pending.append(w)
        for v in program.values:
            if v in needed:
                self.values.append(self._resize(v, split, size))
        self.value_of = {n: self.resized[v] for n, v in program.value_of.items() if v in self.resized}
        self.forward = [n for n in program.forward if n in self.value_of]
        self.names = {self.resized[v]: nodes for v, nodes in program.names.items() if v in self.resized}

    def _resize(self, v: Value, split: Split, size: int) -> Value:
        kind = split.kind[v]
        shape, params = v.shape, v.params
        op: Any = v.record or v.op
        if kind == ROWS:
            shape = (size, *shape[1:])
        elif kind == COLUMNS:
            shape = (shape[0], size)
        if kind in (ROWS, COLUMNS) and "shape" in params:
            params = {**params, "shape": shape}
        summed = split.summed.get(v)
        if v.fill is not None and (v.record is None or not v.record.repeats):
            op, params = "filled", NO_PARAMS
        elif summed is not None and summed.op is not None:
            op = summed.op
        inputs = [self.resized[w] if w.__class__ is Value else w for w in v.inputs] if v.fill is None else []
        resized = self.resized[v] = Value(op, inputs, params, shape, v.dtype, None)
        resized.nodes, resized.fill, resized.data, resized.hint = list(v.nodes), v.fill, v.data, v.hint
        resized.forward, resized.of, resized.origin, resized.turned = v.forward, v.of, v.origin, v.turned
        return resized


class RowPlans:
    """The plans of a split program: one for each size of block, and one for what follows the sums."""

    def __init__(
        self,
        program: TracedProgram,
        whole: Plan,
        split: Split,
        leaves: Any,
        batch: Sequence[Value],
        threads: int,
        title: str,
    ) -> None:
        widest = _widest(split, whole.live)
        self.threads = threads = threads if widest >= SHARED else 1
        self.whole, self.split = whole, split
        self.batch = list(batch)
        later = [v for v in whole.live if split.kind[v] == _LATER]
        used = {w for v in later for w in v.inputs if w.__class__ is Value}
        used |= {*whole.outputs, *(w for _, w in whole.writes)}
        self.sums = [v for v in whole.live if split.kind[v] == _SUM and v in used]
        blocks = max(2, round(widest / BLOCK), min(threads, split.count // LEAST))
        blocks = -(-blocks // threads) * threads
        self.blocks = [(i * split.count // blocks, (i + 1) * split.count // blocks) for i in range(blocks)]
        self.parts: dict[int, Plan] = {}
        for low, high in self.blocks:
            size = high - low
            if size not in self.parts:
                part = _BlockProgram(program, split, self.sums, size)
                outputs = [part.resized[v] for v in self.sums]
                heading = f"{title} The rows of a block of {size}."
                options: dict[str, Any] = {"draws": False, "lent": True}
                self.parts[size] = Plan(
                    part, leaves, whole.bound, outputs, [], whole.numbers, heading, **options
                )
        heading = f"{title} What follows the sums over the batch."
        ends = whole.bound, whole.outputs, whole.writes, whole.numbers
        self.rest = Plan(program, leaves, *ends, heading, boundary=self.sums, homes=whole.homes)
        whole.sharing = self.rest.sharing = [whole, self.rest]

    @property
    def plans(self) -> list[Plan]:
        """The plans of the blocks, and the plan of what follows."""
        return [*self.parts.values(), self.rest]

    @functools.cached_property
    def text(self) -> str:
        """The texts of all plans."""
        return "\n\n".join(p.text() for p in self.plans)

    @property
    def bytes(self) -> int:
        """Bytes of buffers: of each thread, with its sums and those of its last block, and of what follows."""
        for p in self.plans:
            p.build()
        sums = sum(math.prod(v.shape) * v.dtype.itemsize for v in self.sums)
        parts = max(p.bytes for p in self.parts.values()) + sum(p.lasting_bytes for p in self.parts.values())
        return int((parts + 2 * sums) * self.threads + self.rest.bytes + self.rest.lasting_bytes)

    def bind(self, arrays: Sequence[Any], code: Callable[[str, str], Any]) -> Callable[..., Any]:
        """The function that runs all plans, with memory for each thread."""
        whole = self.whole
        names = list(dict.fromkeys(whole.name_of[v] for n, v in whole.arguments if n in whole.bound))
        array_of = dict(zip(names, arrays, strict=True))
        array_of_leaf = {n: array_of[whole.name_of[v]] for n, v in whole.arguments if n in whole.bound}
        passing = [n for n, _ in whole.arguments if n not in whole.bound]
        batch_nodes = {n for v in self.batch for n in v.nodes}

        def bound(plan: Plan, text: Any, *lent: Any) -> Callable[..., Any]:
            namespace = dict(plan.data)
            exec(text, namespace)
            stays = [array_of_leaf[n] for n, _ in _unique(plan) if n in plan.bound]
            function: Callable[..., Any] = namespace["bind"](*lent, *stays)
            return function

        def takes(plan: Plan) -> list[tuple[int, bool]]:
            """The indices of the arrays that a plan takes, each with whether it takes rows of it."""
            return [(passing.index(n), n in batch_nodes) for n, _ in _unique(plan) if n in passing]

        texts = {size: code(plan.text(), f"<rows, {size}>") for size, plan in self.parts.items()}
        size_of_memory = max(p.bytes for p in self.parts.values())
        workers = []
        for k in range(self.threads):
            share = self.blocks[k :: self.threads]
            memory = np.empty(size_of_memory, np.uint8)  # for blocks of all sizes
            sizes = {high - low for low, high in share}
            runs = {size: bound(self.parts[size], texts[size], memory) for size in sizes}
            workers.append(_Worker(share, runs, {size: takes(self.parts[size]) for size in sizes}))
        rest = bound(self.rest, code(self.rest.text(), "<after the rows>"))
        order = []
        for n, v in _unique(self.rest):
            if n is None:
                order.append((True, self.sums.index(v)))
            elif n in passing:
                order.append((False, passing.index(n)))
        divisors = [self.split.summed[v].divisor for v in self.sums]
        count = len(passing)
        crew = _Crew(workers)

        def run(*leaves: Any) -> Any:
            arrays, numbers = leaves[:count], leaves[count:]
            sums = crew.run(arrays, numbers)
            totals = sums[0]
            for other in sums[1:]:
                for i, part in enumerate(other):
                    totals[i] = totals[i] + part
            totals = [t if d == 1 else t / d for t, d in zip(totals, divisors, strict=True)]
            return rest(*[totals[i] if summed else arrays[i] for summed, i in order], *numbers)

        return run


def _unique(plan: Plan) -> list[tuple[Node | None, Value]]:
    unique: dict[str, tuple[Node | None, Value]] = {}
    for n, v in plan.arguments:
        unique.setdefault(plan.name_of[v], (n, v))
    return list(unique.values())


class _Worker:
    """A thread's share of the blocks."""

    def __init__(
        self, blocks: Sequence[tuple[int, int]], runs: dict[int, Any], takes: dict[int, Any]
    ) -> None:
        self.blocks, self.runs, self.takes = list(blocks), runs, takes

    def run(self, arrays: Sequence[Any], numbers: Sequence[Any]) -> list[Any]:
        totals: list[Any] = []
        for low, high in self.blocks:
            size = high - low
            inputs = [arrays[i][low:high] if rows else arrays[i] for i, rows in self.takes[size]]
            parts = self.runs[size](*inputs, *numbers)
            if not totals:
                totals = list(parts)
            else:
                for i, part in enumerate(parts):
                    total = totals[i]
                    if isinstance(total, np.ndarray) and total.ndim:
                        np.add(total, part, out=total)
                    else:
                        totals[i] = total + part
        return totals


class _Single:
    """Keeps BLAS on one thread while any crew works: the first crew switches, the last one restores."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.crews = 0
        self.before: list[tuple[Any, int]] = []

    def enter(self, controllers: Sequence[Any]) -> None:
        with self.lock:
            self.crews += 1
            if self.crews == 1:
                self.before = [(c, c.get_num_threads()) for c in controllers]
                for c in controllers:
                    c.set_num_threads(1)

    def leave(self) -> None:
        with self.lock:
            self.crews -= 1
            if not self.crews:
                for c, n in self.before:
                    c.set_num_threads(n)


_SINGLE = _Single()


class _Crew:
    """Threads that wait for work. The caller does the first share itself; BLAS runs on one thread meanwhile."""

    def __init__(self, workers: Sequence[_Worker]) -> None:
        self.inbox: list[queue.SimpleQueue[Any]] = []
        self.workers = [w for w in workers if w.blocks]
        self.blas = blas("compile(threads=...)") if len(self.workers) > 1 else []
        self.outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._started = 0

    def _start(self) -> None:
        for k, worker in enumerate(self.workers[1:], 1):
            inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
            self.inbox.append(inbox)
            threading.Thread(target=_serve, args=(k, worker, inbox, self.outbox), daemon=True).start()
        self._started = os.getpid()

    def run(self, arrays: Sequence[Any], numbers: Sequence[Any]) -> list[Any]:
        if len(self.workers) == 1:
            return [self.workers[0].run(arrays, numbers)]
        if self._started != os.getpid():  # also after a fork, which takes no threads along
            self.inbox, self.outbox = [], queue.SimpleQueue()
            self._start()
        _SINGLE.enter(self.blas)
        results: dict[int, Any] = {}
        errors: list[BaseException] = []
        try:
            for inbox in self.inbox:
                inbox.put((arrays, numbers))
            try:
                results[0] = self.workers[0].run(arrays, numbers)
            except BaseException as error:
                errors.append(error)
            for _ in self.inbox:
                k, value, failure = self.outbox.get()
                results[k] = value
                if failure is not None:
                    errors.append(failure)
        finally:
            _SINGLE.leave()
        if errors:
            raise errors[0]
        return [results[k] for k in range(len(self.workers))]

    def __del__(self) -> None:
        for inbox in self.inbox:
            inbox.put(None)


def _serve(k: int, worker: _Worker, inbox: queue.SimpleQueue[Any], outbox: queue.SimpleQueue[Any]) -> None:
    while True:
        work = inbox.get()
        if work is None:
            return
        try:
            outbox.put((k, QUIET.run(worker.run, *work), None))
        except BaseException as error:
            outbox.put((k, None, error))
        del work

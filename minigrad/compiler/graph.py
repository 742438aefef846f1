"""The graph of a recording, which a trace leaves, and its lowering to plans, which waits until a plan is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minigrad.compiler.by_numba import NumbaPlan
from minigrad.compiler.lower import Plan
from minigrad.compiler.rows import RowPlans, Split, splits
from minigrad.compiler.traced import TracedProgram
from minigrad.core.node import Node
from minigrad.readers.source.program import Value


class RecordedGraph(NamedTuple):
    """The records that the effects of a call need, in order, and these effects."""

    trace: Any
    order: list[Node]
    # The leaves that stand for Tensors from outside, with their names.
    leaves: list[tuple[str, Node]]
    # Of the leaves, those whose arrays stay, and those whose arrays each run takes.
    bound: list[Node]
    passing: list[Node]
    # Of the passing ones, those that may have a row for each of a batch; none where the batch is not to be split.
    batch: list[Node]
    results: list[Node]
    # For each result a mark: results with the same mark share memory.
    memories: list[Any]
    # A leaf, and the record whose value its memory holds after a run; for each the id of that memory.
    writes: list[tuple[Node, Node]]
    homes: list[int]
    # The expression of a number that is a parameter, and its name.
    numbers: list[tuple[str, str]]
    title: str
    backend: str
    threads: int


class LoweredGraph(NamedTuple):
    """The plan of a graph, the plans for blocks of rows where they serve, and which leaves of the graph they take."""

    plan: Plan
    rows: RowPlans | None
    # Indices into `RecordedGraph.bound` and `RecordedGraph.passing`.
    bound: list[int]
    passing: list[int]

    @property
    def plans(self) -> list[Plan]:
        """All plans."""
        return [self.plan, *([] if self.rows is None else self.rows.plans)]


def lower_graph(
    graph: RecordedGraph, program: TracedProgram | None = None, saved: Sequence[Value] = ()
) -> LoweredGraph:
    """The plans, not yet laid out. ``saved`` are further results: values of ``program``, by default a new one."""
    program = TracedProgram(graph.trace, graph.order) if program is None else program
    value, sources = program.value_of, graph.trace.sources
    lasting = {id(sources[n]) for n in graph.bound}
    bound = {n for n, t in sources.items() if id(t) in lasting}
    outputs = [*(value[n] for n in graph.results), *saved]
    memories = [*graph.memories, *(("saved", i) for i in range(len(saved)))]
    writes = [(leaf, value[n]) for leaf, n in graph.writes]
    plan_class = NumbaPlan if graph.backend == "numba" else Plan
    plan = plan_class(
        program,
        graph.leaves,
        bound,
        outputs,
        writes,
        graph.numbers,
        graph.title,
        memories=memories,
        homes=graph.homes,
    )
    leaf_of: dict[str, Node] = {}  # by the name of the plan's parameter, in its order
    for n, v in plan.arguments:
        if n is not None:
            leaf_of.setdefault(plan.name_of[v], n)
    places = ({n: i for i, n in enumerate(leaves)} for leaves in (graph.bound, graph.passing))
    indices = ([place[n] for n in leaf_of.values() if n in place] for place in places)
    return LoweredGraph(plan, _in_rows(graph, program, plan), *indices)


def _in_rows(graph: RecordedGraph, program: TracedProgram, plan: Plan) -> RowPlans | None:
    """Plans for blocks of rows, if the arguments have a row for each of the batch and the results are sums over it."""
    live = set(plan.live)
    values = [program.value_of[n] for n in graph.batch if n in program.value_of]
    batch = list(dict.fromkeys(v for v in values if v in live))
    counts = {v.shape[0] for v in batch}
    if len(counts) != 1:
        return None
    split = Split(program, plan.live, batch, counts.pop())
    if not splits(split, plan.live, [*plan.outputs, *(v for _, v in plan.writes)]):
        return None
    return RowPlans(program, plan, split, graph.leaves, batch, graph.threads, graph.title)

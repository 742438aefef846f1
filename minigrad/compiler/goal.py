"""What is to be computed of a trace, and the plan for it, which is made when it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minigrad.compiler.by_numba import NumbaPlan
from minigrad.compiler.lower import Plan
from minigrad.compiler.rows import RowPlans, Split, splits
from minigrad.compiler.whole import Whole
from minigrad.core.node import Node
from minigrad.readers.source.program import Value


class Goal(NamedTuple):
    """The records of a trace that count, and what is done with them. Leaves stand for Tensors from outside."""

    trace: Any
    order: list[Node]
    given: list[tuple[str, Node]]  # the leaves that are Tensors from outside, with their names
    bound: list[Node]  # those of them whose arrays stay
    passing: list[Node]  # those whose arrays each run is given
    batch: list[
        Node
    ]  # of these, those that may have a row for each of a batch; none if it is not to be split
    results: list[Node]
    memories: list[Any]  # for each result: those with the same one share memory
    writes: list[tuple[Node, Node]]  # a leaf, and the record of what its memory is to hold
    homes: list[int]  # for each of them the id of that memory
    numbers: list[tuple[str, str]]  # where a number is found, and its name
    title: str
    backend: str
    threads: int


class Planned(NamedTuple):
    """The plan of a goal, that in blocks of rows if there is one, and which of the goal's leaves they take."""

    plan: Plan
    rows: RowPlans | None
    bound: list[int]  # numbers in `Goal.bound`
    passing: list[int]

    @property
    def plans(self) -> list[Plan]:
        """All of them."""
        return [self.plan, *([] if self.rows is None else self.rows.plans)]


def make_plan(goal: Goal, program: Whole | None = None, saved: Sequence[Value] = ()) -> Planned:
    """The plan, not yet laid out. ``saved`` are further results, of ``program``, which is made unless it is given."""
    program = Whole(goal.trace, goal.order) if program is None else program
    value, sources = program.value_of, goal.trace.sources
    lasting = {id(sources[n]) for n in goal.bound}
    bound = {n for n, t in sources.items() if id(t) in lasting}
    outputs = [*(value[n] for n in goal.results), *saved]
    memories = [*goal.memories, *(("saved", i) for i in range(len(saved)))]
    writes = [(leaf, value[n]) for leaf, n in goal.writes]
    kind = NumbaPlan if goal.backend == "numba" else Plan
    plan = kind(
        program, goal.given, bound, outputs, writes, goal.numbers, goal.title, memories=memories, homes=goal.homes
    )  # fmt: skip
    leaf_of: dict[str, Node] = {}  # of the parameters of the plan, in its order
    for n, v in plan.arguments:
        if n is not None:
            leaf_of.setdefault(plan.name_of[v], n)
    places = ({n: i for i, n in enumerate(leaves)} for leaves in (goal.bound, goal.passing))
    taken = ([place[n] for n in leaf_of.values() if n in place] for place in places)
    return Planned(plan, _in_rows(goal, program, plan), *taken)


def _in_rows(goal: Goal, program: Whole, plan: Plan) -> RowPlans | None:
    """Plans for blocks of rows, if all arguments have a row for each of the batch, and results are sums over it."""
    live = set(plan.live)
    values = [program.value_of[n] for n in goal.batch if n in program.value_of]
    batch = list(dict.fromkeys(v for v in values if v in live))
    counts = {v.shape[0] for v in batch}
    if len(counts) != 1:
        return None
    split = Split(program, plan.live, batch, counts.pop())
    if not splits(split, plan.live, [*plan.outputs, *(v for _, v in plan.writes)]):
        return None
    return RowPlans(program, plan, split, goal.given, batch, goal.threads, goal.title)

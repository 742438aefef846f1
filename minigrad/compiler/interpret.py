"""The records of a graph run one by one by the kernels of eager mode: nothing is laid out or compiled.

This starts quickly, and each run takes longer than a plan does.  A recording is replayed in this way until it has
been called often enough for a plan to pay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

from minigrad.compiler.calls import number_kind, owned
from minigrad.compiler.graph import RecordedGraph
from minigrad.compiler.scalars import Scalar
from minigrad.core.node import ONES, Const, Node
from minigrad.core.quiet import QUIET
from minigrad.readers.source.text import _place

# Calls from which it pays to lay a plan out and compile it, which takes as long as 70 of them.
OFTEN = 128
# Bytes of all results together, up to which new arrays in each run cost little.
SMALL = 1 << 20


class StepFailed(Exception):
    """The cause of this was raised in a step; the text is the user's line."""


class Interpreter:
    """The steps of a graph: kernels, each with the registers of its operands and that of its result.

    Registers hold, in this order, the arrays that stay, the arrays that a run takes, and the results, which are new
    arrays in each run.  Constants and the numbers that each run computes follow; they count from the end.
    """

    def __init__(self, graph: RecordedGraph) -> None:
        trace = graph.trace
        sources, follows, constants = trace.sources, trace.follows, trace.constants
        self._groups = trace.groups
        self._bound, self._passing = len(graph.bound), len(graph.passing)
        parameters = {id(sources[n]): i for i, n in enumerate((*graph.bound, *graph.passing))}
        # What the registers at the end hold, the last one first: constants, and None for computed numbers.
        self._ends: list[Any] = []
        # The registers of numbers.
        self._numbers: dict[Any, int] = {}
        # By the expression of a computed number: the registers that take it, each with its dtype.
        self._computed: dict[str, list[tuple[int, Any]]] = {}
        # A kernel, what picks its operands, and the register of its result; and for each the record.
        self._steps: list[tuple[Any, Any, int]] = []
        self._nodes: list[Node] = []
        self._register: dict[Node, int] = {}
        # The registers that a step reads.
        self._operands: dict[Node, list[int]] = {}
        self._follows = follows
        for n in graph.order:
            if n in sources:
                place = parameters[id(sources[n])]
            elif n in follows:
                place = self._register[follows[n]]
            elif n.op is None:
                one = n.params is ONES
                place = self._end(np.ones(n.shape, n.dtype) if one else constants[n])
            elif n.op.view and n.op.same == 0:
                place = self._register[n.inputs[0]]
            else:
                place = len(parameters) + len(self._nodes)
                self._steps.append((*self._step(n, n.op.kernel), place))
                self._nodes.append(n)
            self._register[n] = place
        texts = "".join(f"{text}, " for text in self._computed)
        names = ", ".join(name for _, name in graph.numbers)
        self._compute = eval(f"lambda {names}: ({texts})", {"np": np})
        claimed: set[int] = set()
        self._results = [self._result(n, claimed) for n in graph.results]
        self._writes = [(parameters[id(sources[leaf])], *self._result(n, set())) for leaf, n in graph.writes]

    def _step(self, n: Node, kernel: Any) -> tuple[Any, Any]:
        if n.params:
            kernel = partial(kernel, **n.params)
        if not n.shape:
            kernel = partial(_as_array, kernel)
        places = [
            self._number(w.value, n, kernel) if w.__class__ is Const else self._register[w] for w in n.inputs
        ]
        self._operands[n] = places
        if len(places) > 1:
            return kernel, itemgetter(*places)
        return kernel, itemgetter(slice(places[0], places[0] + 1 or None)) if places else _nothing

    def _number(self, value: Any, user: Node, kernel: Any) -> int:
        """The register of a number."""
        others = [w for w in user.inputs if w.__class__ is Node]
        kind = number_kind(value, others) if kernel.__class__ is np.ufunc else None
        key = (value.text if type(value) is Scalar else repr(value), type(value), kind)
        place = self._numbers.get(key)
        if place is None:
            if type(value) is Scalar:
                place = self._end(None)
                self._computed.setdefault(value.text, []).append((place, kind))
            else:
                place = self._end(value if kind is None else QUIET.run(np.array, value, kind))
            self._numbers[key] = place
        return place

    def _end(self, value: Any) -> int:
        self._ends.append(value)
        return -len(self._ends)

    def _result(self, n: Node, claimed: set[int]) -> tuple[Any, int]:
        """What turns the registers into an array of the caller's own, and the number of the result's register.

        The first is None where that register already holds such an array.  ``claimed`` are registers whose memory
        belongs to an earlier result.
        """
        owner = n  # the record whose memory this one shows
        while owner in self._follows or (owner in self._operands and _may_view(owner.op)):
            owner = self._follows[owner] if owner in self._follows else owner.inputs[0]
        place, mine = self._register[owner], self._register[n]
        if owner.op is None or owner not in self._operands or place in claimed:
            return partial(_copied, mine), mine
        claimed.add(place)
        if owner.op.new:
            return None, mine
        arrays = [p for p in owner.params.values() if isinstance(p, np.ndarray)]
        return partial(_copied_unless_new, mine, place, self._operands[owner], arrays), mine

    def _where(self, number: int) -> str:
        """The user's line of a step."""
        n = self._nodes[number]
        return _place(self._groups.get(n, n)) or n.name()

    def bind(self, arrays: Sequence[Any]) -> Callable[..., Any]:
        """The function that runs the steps on these arrays."""
        first, count = self._bound, self._passing
        last = first + count
        template = [*arrays, *[None] * (count + len(self._steps)), *self._ends[::-1]]
        steps, results, writes, compute = self._steps, self._results, self._writes, self._compute
        computed = list(self._computed.values())

        def run(*inputs: Any) -> list[Any]:
            registers = template.copy()
            registers[first:last] = inputs[:count]
            for number, places in zip(compute(*inputs[count:]), computed, strict=True):
                for i, kind in places:
                    registers[i] = number if kind is None else np.array(number, kind)
            try:
                for kernel, operands, i in steps:
                    registers[i] = kernel(*operands(registers))
            except Exception as error:
                raise StepFailed(self._where(i - last)) from error
            outputs = [registers[i] if make is None else make(registers) for make, i in results]
            new = [registers[i] if make is None else make(registers) for _, make, i in writes]
            for (target, _, _), array in zip(writes, new, strict=True):
                np.copyto(registers[target], array)
            return outputs

        return run


def _copied(place: int, registers: list[Any]) -> Any:
    return np.array(registers[place], order="K")


def _copied_unless_new(
    place: int, owner: int, operands: list[int], arrays: list[Any], registers: list[Any]
) -> Any:
    """A result, copied if it shows the memory of an operand: some kernels return an operand itself."""
    array = registers[owner]
    new = owned(array, *(registers[i] for i in operands), *arrays) is array
    return registers[place] if new else _copied(place, registers)


def _may_view(op: Any) -> bool:
    return op.view or op.repeats  # type: ignore[no-any-return]


def _as_array(kernel: Any, *operands: Any) -> Any:
    return np.asarray(kernel(*operands))


def _nothing(registers: Any) -> tuple[()]:
    return ()

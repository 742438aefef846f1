"""A plan run value by value, by the kernels of eager mode: nothing is laid out or compiled for that.

It costs little to begin with, and each run more than the plan's text does: a recording is replayed in this way until
it has been called often enough for laying it out to pay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np

from minigrad.emit.compiled.lower import _OUTSIDE, Plan
from minigrad.emit.source.program import VIEWS, Value
from minigrad.emit.source.text import _place
from minigrad.tape import TABLE, Scalar

OFTEN = 128  # calls from which it pays to lay a plan out and compile it, which takes as long as 70 of them
SMALL = 1 << 20  # bytes of all results together, up to which new arrays in each run cost little
_OWN = ("linear", "matmul", "mean_square")  # beside ufuncs: what returns an array of its own
_turned = attrgetter("T")  # takes a fifth of the time of np.transpose


def can_interpret(plan: Plan) -> bool:
    """Whether the results are few bytes, and none shares memory with another or with what the caller has."""
    if _OUTSIDE in plan.memories or len({*plan.memories}) < len(plan.memories):
        return False
    return sum(math.prod(v.shape) * v.dtype.itemsize for v in plan.live if v.op != "parameter") <= SMALL


class StepFailed(Exception):
    """A step has raised the cause of this; the text is the user's line."""


class Interpreter:
    """The steps of a plan: kernels, each with the registers of its operands and that of its result.

    Registers hold the arrays that stay, those that a run is given, the results, and behind them, counted from the
    end, constants and the numbers that are computed in each run.
    """

    def __init__(self, plan: Plan) -> None:
        register: dict[Any, int] = {}
        parameters: dict[str, int] = {}
        for stays in (True, False):
            for node, v in plan.arguments:
                if (node in plan.bound) is stays:
                    register[v] = parameters.setdefault(plan.name_of[v], len(parameters))
            if stays:
                self._bound = len(parameters)
        self._given = len(parameters) - self._bound
        self._register = register
        self._values = [v for v in plan.live if v.fill is None and v.op not in ("parameter", "constant")]
        for i, v in enumerate(self._values, len(parameters)):
            register[v] = i
        self._ends: list[Any] = []  # constants, from the last one backwards
        self._numbers: dict[Any, int] = {}  # of constants and computed numbers: the register
        self._computed: dict[str, list[tuple[int, Any]]] = {}  # by text: registers and element types
        self._steps = [(*self._step(v), register[v]) for v in self._values]
        texts = "".join(f"{text}, " for text in self._computed)
        self._compute = eval(f"lambda {', '.join(name for _, name in plan.numbers)}: ({texts})")
        self._results = [self._result(v, v not in plan.outputs[:i]) for i, v in enumerate(plan.outputs)]
        value_of = plan.program.value_of
        self._writes = [(register[value_of[n]], *self._result(v, True)) for n, v in plan.writes]

    def _step(self, v: Value) -> tuple[Any, Any]:
        op = TABLE.get(v.op)
        kernel: Any = _mean_square if op is None else op.kernel
        if v.op == "permute" and len(v.shape) == 2:
            kernel = _turned
        elif v.params and v.op != "relu_backward":  # there it is a mark for printing
            kernel = partial(kernel, **v.params)
        if not v.shape:
            kernel = partial(_as_array, kernel)
        values = [w for w in v.inputs if w.__class__ is Value]
        if len(values) < len(v.inputs):
            kinds = {w.dtype for w in values}
            same = kinds.pop() if len(kinds) == 1 and kernel.__class__ is np.ufunc else None
            places = [
                self._place(w) if w.__class__ is Value else self._number(w.value, same) for w in v.inputs
            ]
        else:
            places = [self._place(w) for w in values]
        if len(places) > 1:
            return kernel, itemgetter(*places)
        return kernel, itemgetter(slice(places[0], places[0] + 1 or None)) if places else _nothing

    def _place(self, w: Value) -> int:
        """The register of a value."""
        place = self._register.get(w)
        if place is None:  # of a constant
            place = self._register[w] = self._end(w.data if w.fill is None else _filled(w))
        return place

    def _number(self, value: Any, kind: Any) -> int:
        """The register of a number, as an array without dimensions if a kind is given: ufuncs take half the time."""
        if kind is not None and (kind.kind != "f" or not isinstance(value, (float, int, np.floating))):
            kind = None
        key = (value.text if type(value) is Scalar else repr(value), type(value), kind)
        place = self._numbers.get(key)
        if place is None:
            if type(value) is Scalar:
                place = self._end(None)
                self._computed.setdefault(value.text, []).append((place, kind))
            else:
                place = self._end(value if kind is None else np.array(value, kind))
            self._numbers[key] = place
        return place

    def _end(self, value: Any) -> int:
        self._ends.append(value)
        return -len(self._ends)

    def _result(self, v: Value, first: bool) -> tuple[Any, int]:
        """How a value becomes an array that belongs to the caller alone, and its register."""
        if v.fill is not None:
            return _copied, self._end(np.full(v.shape, v.fill, v.dtype))
        op = TABLE.get(v.op)
        own = v.op in _OWN or (op is not None and op.kernel.__class__ is np.ufunc)
        return None if own and first else _copied, self._register[v]

    def _where(self, number: int) -> str:
        """The user's line of a step."""
        v = self._values[number]
        return _place(v.origin if v.forward else v.of) or v.op

    def bind(self, arrays: Sequence[Any]) -> Callable[..., Any]:
        """The function that runs the steps on these arrays."""
        first, count = self._bound, self._given
        last = first + count
        template = [*arrays, *[None] * (count + len(self._steps)), *self._ends[::-1]]
        steps, results, writes, compute = self._steps, self._results, self._writes, self._compute
        computed = list(self._computed.values())

        def run(*given: Any) -> list[Any]:
            registers = template.copy()
            registers[first:last] = given[:count]
            for number, places in zip(compute(*given[count:]), computed, strict=True):
                for i, kind in places:
                    registers[i] = number if kind is None else np.array(number, kind)
            try:
                for kernel, operands, i in steps:
                    registers[i] = kernel(*operands(registers))
            except Exception as error:
                raise StepFailed(self._where(i - last)) from error
            made = [registers[i] if make is None else make(registers[i]) for make, i in results]
            new = [registers[i] if make is None else make(registers[i]) for _, make, i in writes]
            for (target, _, _), array in zip(writes, new, strict=True):
                np.copyto(registers[target], array)
            return made

        return run


def _filled(v: Value) -> Any:
    """An array whose elements are all one number, laid out as eager mode's is."""
    if v.op in VIEWS:
        return TABLE[v.op].kernel(_filled(v.inputs[0]), **v.params)
    return np.full(v.shape, v.fill, v.dtype)


def _copied(array: Any) -> Any:
    return np.array(array, order="K")


def _as_array(kernel: Any, *operands: Any) -> Any:
    return np.asarray(kernel(*operands))


def _mean_square(d: Any) -> Any:
    return np.vdot(d, d) / d.size


def _nothing(registers: Any) -> tuple[()]:
    return ()

"""Formulas for one element: traced once, then worked out over whole arrays in pieces that stay in the cache.

A rule such as Adam's is a function of Tensors.  Called with Terms instead, it leaves a list of its operations, of which
`compiled` makes a function of arrays: every result goes into scratch memory, or over the array that it replaces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.core.op import Array

# Elements of a piece: small enough for a cache, and large enough that a call of NumPy costs little beside it.
PIECE = 65_536


def _where(condition: Array, a: Array, b: Array, out: Array) -> None:
    np.copyto(out, b)
    np.copyto(out, a, where=condition)


def _sign(x: Array, out: Array) -> None:
    below = np.less(x, 0)  # before anything is written: ``out`` may be ``x``
    np.greater(x, 0, out=out)
    np.subtract(out, below, out=out)


class Term:
    """A value of a formula that is traced. It has those of Tensor's methods that rules use."""

    __slots__ = ("boolean", "kernel", "operands", "trace")

    def __init__(
        self, trace: list[Term], kernel: Any, operands: tuple[Term | float, ...] = (), boolean: bool = False
    ) -> None:
        self.trace, self.kernel, self.operands, self.boolean = trace, kernel, operands, boolean
        if kernel is not None:
            trace.append(self)

    def _of(self, kernel: Any, *operands: Any, boolean: bool = False) -> Term:
        return Term(self.trace, kernel, operands, boolean)

    def __add__(self, other: Any) -> Term:
        return self._of(np.add, self, other)

    def __sub__(self, other: Any) -> Term:
        return self._of(np.subtract, self, other)

    def __mul__(self, other: Any) -> Term:
        return self._of(np.multiply, self, other)

    def __truediv__(self, other: Any) -> Term:
        return self._of(np.true_divide, self, other)

    def __radd__(self, other: Any) -> Term:
        return self._of(np.add, other, self)

    def __rsub__(self, other: Any) -> Term:
        return self._of(np.subtract, other, self)

    def __rmul__(self, other: Any) -> Term:
        return self._of(np.multiply, other, self)

    def __rtruediv__(self, other: Any) -> Term:
        return self._of(np.true_divide, other, self)

    def __neg__(self) -> Term:
        return self._of(np.negative, self)

    def __lt__(self, other: Any) -> Term:
        return self._of(np.less, self, other, boolean=True)

    def __gt__(self, other: Any) -> Term:
        return self._of(np.greater, self, other, boolean=True)

    def detach(self) -> Term:
        """Itself: there are no gradients here."""
        return self

    def abs(self) -> Term:
        """The absolute value."""
        return self._of(np.absolute, self)

    def sqrt(self) -> Term:
        """The square root."""
        return self._of(np.sqrt, self)

    def maximum(self, other: Any) -> Term:
        """The larger of both."""
        return self._of(np.maximum, self, other)

    def clamp(self, low: Any, high: Any) -> Term:
        """Between two numbers."""
        return self._of(np.minimum, self.maximum(low), high)

    def sign(self) -> Term:
        """-1, 0 or 1; 0 for anything but a number."""
        return self._of(_sign, self)

    def choose(self, a: Any, b: Any) -> Term:
        """The first value where this condition holds, otherwise the second."""
        return self._of(_where, self, a, b)


class Program(NamedTuple):
    """A formula as a function of arrays, numbers (arrays without dimensions) and scratch memory, in this order."""

    run: Callable[..., None]
    source: str
    # how many pieces of scratch memory it needs, and how many of booleans
    scratch: int
    flags: int


def compiled(
    arrays: Sequence[str], numbers: Sequence[str], formula: Callable[[dict[str, Any]], None]
) -> Program:
    """The program of a formula, which replaces entries of the dict of Terms that it gets.

    An array whose entry is another one afterwards is overwritten with that value, as soon as its old one is read no
    more.  A result takes the scratch memory of an operand that is read no more.
    """
    trace: list[Term] = []
    inputs = {name: Term(trace, None) for name in (*arrays, *numbers)}
    values = dict(inputs)
    formula(values)
    ends = {name: values[name] for name in arrays if values[name] is not inputs[name]}
    goal = {id(t): name for name, t in reversed(ends.items())}
    last = {id(operand): k for k, t in enumerate(trace) for operand in t.operands}
    last.update((id(t), len(trace)) for t in ends.values())
    place = {id(t): name for name, t in inputs.items()}
    free: dict[bool, list[str]] = {False: [], True: []}
    scratch: dict[bool, list[str]] = {False: [], True: []}
    lines = []

    def take(boolean: bool) -> str:
        if not free[boolean]:
            free[boolean].append(f"{'flag' if boolean else 'scratch'}_{len(scratch[boolean])}")
            scratch[boolean].append(free[boolean][-1])
        return free[boolean].pop()

    for k, t in enumerate(trace):
        operands = [place[id(x)] if isinstance(x, Term) else repr(x) for x in t.operands]
        dying = {place[id(x)]: x for x in t.operands if isinstance(x, Term) and last[id(x)] == k}
        over = t.kernel is not _where  # that one writes before it has read all
        name = goal.get(id(t))
        in_place = name is not None and last.get(id(inputs[name]), -1) <= (k if over else k - 1)
        out = name if in_place and name else "" if over else take(t.boolean)
        for dead, x in dying.items():
            if x.kernel is not None:
                free[x.boolean].append(dead)
        place[id(t)] = out = out or take(t.boolean)
        by_name = "out=" if t.kernel in (np.maximum, np.minimum) else ""  # these want it so
        lines.append(f"    {t.kernel.__name__}({', '.join([*operands, by_name + out])})")
    lines += [f"    copyto({name}, {place[id(t)]})" for name, t in ends.items() if place[id(t)] != name]
    head = f"def run({', '.join([*arrays, *numbers, *scratch[False], *scratch[True]])}):"
    source = "\n".join([head, *lines]) + "\n"
    space: dict[str, Any] = {t.kernel.__name__: t.kernel for t in trace}
    space["copyto"] = np.copyto
    exec(compile(source, "<the formula of an optimizer>", "exec"), space)
    return Program(space["run"], source, len(scratch[False]), len(scratch[True]))

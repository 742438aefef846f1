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


def _both(kernel: Any, boolean: bool = False) -> tuple[Any, Any]:
    """Methods of `Term`: the operation with another value behind it, and in front of it."""

    def behind(self: Term, other: Any) -> Term:
        return Term(self.trace, kernel, (self, other), boolean)

    def before(self: Term, other: Any) -> Term:
        return Term(self.trace, kernel, (other, self), boolean)

    return behind, before


class Term:
    """A value of a formula that is traced. It has those of Tensor's methods that rules use."""

    __slots__ = ("boolean", "kernel", "operands", "trace")

    def __init__(
        self, trace: list[Term], kernel: Any, operands: tuple[Term | float, ...] = (), boolean: bool = False
    ) -> None:
        self.trace, self.kernel, self.operands, self.boolean = trace, kernel, operands, boolean
        if kernel is not None:
            trace.append(self)

    def _of(self, kernel: Any, *operands: Any) -> Term:
        return Term(self.trace, kernel, operands)

    __add__, __radd__ = _both(np.add)
    __sub__, __rsub__ = _both(np.subtract)
    __mul__, __rmul__ = _both(np.multiply)
    __truediv__, __rtruediv__ = _both(np.true_divide)
    __lt__, _ = _both(np.less, True)
    __gt__, _ = _both(np.greater, True)
    maximum, _ = _both(np.maximum)

    def __neg__(self) -> Term:
        return self._of(np.negative, self)

    def detach(self) -> Term:
        """Itself: there are no gradients here."""
        return self

    def abs(self) -> Term:
        """The absolute value."""
        return self._of(np.absolute, self)

    def sqrt(self) -> Term:
        """The square root."""
        return self._of(np.sqrt, self)

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

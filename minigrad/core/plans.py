"""What the record of an operation may tell `minigrad.compile`: how to write into given memory, how Numba computes it.

`Op.into` and `Op.numba` are functions of a `Target`.  Without them the kernel is called, and makes a new array.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.core.op import Op, Params
from minigrad.core.text import Fields
from minigrad.dtypes import F32
from minigrad.kernels.sums import FEW

OUT, PART = "\0", "\1"  # stand in lines for the names of the result and of what is computed before it


class Operand:
    """An operand of a value that a program computes: a number or an array, with what the program knows of it."""

    __slots__ = ("dense", "dtype", "filled", "op", "planned", "shape", "text", "value")

    def __init__(
        self, text: str, shape: tuple[int, ...], dtype: Any, value: Any = None, filled: bool = False,
        planned: bool = False, dense: bool = False, op: Op | None = None,
    ) -> None:  # fmt: skip
        self.text, self.shape, self.dtype = text, shape, dtype
        # A number's value; `filled`: one number, seen as often as needed.
        self.value, self.filled = value, filled
        # It lies row by row, at the same place in each run; or at least without gaps; `op` computed its memory.
        self.planned, self.dense, self.op = planned, dense, op


class Line(Fields):
    """One statement: a function, its arguments, and the name that its result goes to.

    With ``how="out"`` the function writes into ``out``, with ``"first"`` too, which is its first argument then; with
    ``"="`` the name becomes that of the result.  ``function`` and ``arguments`` are expressions.
    """

    function: str
    arguments: Sequence[str]
    out: str = OUT
    how: str = "out"


class Lines(Fields):
    """Statements that write a result into the memory called `OUT`.

    ``lines`` run in each run, ``setup`` once.  Of an elementwise operation the memory may be that of an operand.  Where
    the first line writes into `OUT` and there is no setup, it may also make the array.
    """

    lines: Sequence[Line]
    setup: Sequence[Line] = ()
    part: Part | None = None


class Part(Fields):
    """What is computed before a result and for it alone, from one operand that only these lines read.

    It has the result's shape, and planned memory of its own.
    """

    stem: str  # of its name, `PART` in the lines
    dtype: Any
    lines: Sequence[Line]
    reads: int  # the number of the operand


def named(name: str, expression: str) -> Line:
    """The statement that gives an expression a name."""
    return Line(expression, (), name, "=")


class Target:
    """A value that is to be computed: its operands, and what the program does for it."""

    shape: tuple[int, ...]
    dtype: Any
    params: Params
    operands: list[Operand]

    @property
    def filled(self) -> bool:
        """Whether any operand is a number, once or repeated."""
        return any(x.filled for x in self.operands)

    def number(self, value: Any) -> str:
        """The name of a number of the element type of the result."""
        raise NotImplementedError

    def lasting(self, stem: str, text: str, size: int) -> str:
        """The name of an array that stays between runs, made by ``text``, of so many bytes."""
        raise NotImplementedError

    def turned(self, i: int) -> str:
        """The transpose of an operand, made once where the operand stays."""
        raise NotImplementedError

    def level(self, i: int) -> str:
        """An operand in the shape of the result, where that only adds dimensions of 1 and is done once."""
        raise NotImplementedError

    def helper(self, function: Callable[..., Any]) -> str:
        """The name of a function of a module, which is printed into the head of the program."""
        raise NotImplementedError

    def apart(self, i: int, k: int) -> bool:
        """Whether two operands show different memory."""
        raise NotImplementedError

    def own(self) -> bool:
        """Whether the result gets planned memory; else lines may only make an array."""
        raise NotImplementedError


def wide(t: Target) -> str:
    """What Numba sums up: many terms of float32 as float64, for it adds one after the other."""
    [x] = t.operands
    return f"{x.text}.astype(np.float64)" if _is_wide(x) else x.text


def narrow(t: Target, text: str) -> str:
    """A sum of the terms of `wide` in its own type."""
    if not _is_wide(t.operands[0]):
        return text
    return f"{text}.astype(np.float32)" if t.shape else f"np.float32({text})"


def _is_wide(x: Operand) -> bool:
    return bool(x.dtype == F32 and math.prod(x.shape) > FEW)

"""What the record of an operation may tell `minigrad.compile`: how to write into given memory, how to split a batch.

`Op.into` and `Op.numba` are functions of a `Target`, `Op.batch` of a `Batch`.  Without them the kernel is called,
on all rows at once.
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


class Lines(Fields):
    """Statements that write a result into the memory called `OUT`.

    ``lines`` run in each run, ``setup`` once.  Of an elementwise operation the memory may be that of an operand.  Where
    the first line ends in ``", out=OUT)"`` and nothing else is needed, it may also make the array, by running without.
    """

    lines: Sequence[str]
    setup: Sequence[str] = ()
    part: Part | None = None


class Part(Fields):
    """What is computed before a result and for it alone, from one operand that only these lines read.

    It has the result's shape, planned memory of its own, and comes as early as that frees the memory of the operand.
    """

    stem: str  # of its name, `PART` in the lines
    dtype: Any
    lines: Sequence[str]
    reads: int  # the number of the operand


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

    def helper(self, function: Callable[..., Any]) -> str:
        """The name of a function of a module, which is printed into the head of the program."""
        raise NotImplementedError

    def apart(self, i: int, k: int) -> bool:
        """Whether two operands show different memory."""
        raise NotImplementedError

    def own(self) -> bool:
        """Whether the result gets planned memory; else lines may only make an array."""
        raise NotImplementedError


# How a value depends on the rows of a batch: it has a row for each, a column for each, or nothing of it.
ROWS, COLUMNS, FIXED = range(3)


class Batch(Fields):
    """An operation of which at least one operand depends on the rows of a batch."""

    count: int  # rows
    shape: tuple[int, ...]  # of the result
    params: Params
    kinds: list[int]  # of the operands that are arrays
    shapes: list[tuple[int, ...]]

    @property
    def leads(self) -> bool:
        """Whether the result's first dimension is as long as the batch."""
        return self.shape[:1] == (self.count,)


class Summed(Fields):
    """The result is the sum over the results for parts of the batch, computed by ``op`` if it is not the same."""

    divisor: int = 1  # of the whole sum
    op: Op | None = None


def by_row(b: Batch) -> int | None:
    """`Op.batch` of an operation that computes row by row; by default of elementwise ones."""
    if not b.leads or COLUMNS in b.kinds:
        return None
    for kind, shape in zip(b.kinds, b.shapes, strict=True):
        rows = kind == ROWS and len(shape) == len(b.shape) and shape[0] == b.count
        broadcast = kind == FIXED and (len(shape) < len(b.shape) or shape[0] == 1)
        if not (rows or broadcast):
            return None
    return ROWS


def over_dims(b: Batch) -> bool:
    """Whether a reduction over ``dim`` takes the rows of a batch together."""
    dim = b.params["dim"]
    return dim is None or 0 in (dim if isinstance(dim, tuple) else (dim,))


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

"""How an operation prints: what a function in ``Op.text`` is called with, and what it may return.

A text is the source of an expression: ``{}`` or ``{0}`` stands for an operand, ``{name}`` for a parameter or for one
of the values that the function returns with it.  Brackets around operands are set where they are needed, and
``axis=None`` and ``keepdims=False`` are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias, dataclass_transform

Shape: TypeAlias = tuple[int, ...]


@dataclass_transform()
class Fields:
    """An object with the fields that its class annotates; ten times as cheap to define as a named tuple."""

    def __init__(self, *values: Any, **named: Any) -> None:
        self.__dict__.update(zip(self.__class__.__annotations__, values, strict=False), **named)


class Call(Fields):
    """What is known of a call whose values are not: a function in ``Op.text`` is called with it."""

    params: dict[str, Any]
    shapes: tuple[Shape, ...]  # of the inputs; of a number ()
    dtypes: tuple[Any, ...]  # of the inputs; of a number None
    shape: Shape  # of the result, as dtype
    dtype: Any
    dense: bool = False  # the first input lies in memory without gaps or repetition
    repeats: bool = False  # elements of the first input may share memory
    turned: bool = False  # the input that `Op.lies_like` names does not lie row by row
    written: bool = False  # the result is written into: it has to show the first input's memory


class Helper(Fields):
    """A function that is defined in the head of a program; as a value in a text it is its name."""

    name: str
    arguments: str
    lines: tuple[str, ...]  # texts themselves
    values: Mapping[str, Any] = MappingProxyType({})


class Steps(Fields):
    """As a value in a text: what the steps of a path make of a variable, as views."""

    variable: str
    path: Any  # of ops and their parameters, `minigrad.core.op.Path`
    shape: Shape
    dtype: Any


# The text, alone or with values; a function among them, one of a module, is printed into the head.  None: the kernel is
# called.
Text: TypeAlias = "str | tuple[str, dict[str, Any]] | None"
TextOf: TypeAlias = Callable[[Call], Text]


def of_floats(text: str, of_numbers: str = "") -> TextOf:
    """A text for floats; integers need what the kernel does, and numbers a function in place of an operator."""
    return lambda v: None if v.dtype.kind != "f" else text if v.shape or not of_numbers else of_numbers

"""How an operation prints: what a function in ``Op.text`` is called with, and what it may return.

A text is the source of an expression: ``{}`` or ``{0}`` stands for an operand, ``{name}`` for a parameter or for one
of the values that the function returns with it.  Brackets around operands are set where they are needed, and
``axis=None`` and ``keepdims=False`` are left out.
"""

from __future__ import annotations

import re
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
    # Of the number of an input: it surely lies row by row.
    by_rows: Callable[[int], bool] = staticmethod(lambda i: True)


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


# The lines of a function, the last of which returns the result; None where there are none for a call.
Lines: TypeAlias = Callable[[Call], "list[str] | None"]


class Plain:
    """`Op.text` of a kernel that goes over large arrays block by block: a short function that gives the same bits.

    ``lines`` gives its lines, or None, then the kernel is called.  ``arguments`` are the names of the operands there,
    the last one also of several with a star; they lie row by row and are not empty unless it takes ``any``.
    ``helpers`` are functions whose names stand in braces.  What `minigrad.compile` runs calls the kernel.
    """

    def __init__(
        self,
        kernel: Callable[..., Any],
        arguments: str = "",
        lines: Lines | None = None,
        any: bool = False,
        **helpers: Callable[..., Any],
    ) -> None:
        self.kernel, self.arguments, self.lines = kernel, arguments, lines
        self.any, self.helpers = any, helpers

    def names(self, count: int) -> list[str]:
        """The names of so many operands."""
        names = self.arguments.split(", ")
        last, more = names[-1].lstrip("*"), count - len(names) + 1
        if names[-1].startswith("*"):
            names[-1:] = [last] if more == 1 else [f"{last}_{i}" for i in range(more)]
        return names[:count]

    def __call__(self, v: Call) -> Text:
        empty = [shape for shape in (*v.shapes, v.shape) if 0 in shape]
        lines = None if self.lines is None or (empty and not self.any) else self.lines(v)
        if lines is not None:
            operands = [
                f"{{{i}}}" if self.any or not shape or v.by_rows(i) else f"np.ascontiguousarray({{{i}}})"
                for i, shape in enumerate(v.shapes)
            ]
            names, text = self.names(len(operands)), "\n".join(lines)
            called = {k: f for k, f in self.helpers.items() if f"{{{k}}}" in text}
            if len(lines) == 1 and all(len(re.findall(rf"\b{x}\b", text)) == 1 for x in names):
                for x, operand in zip(names, operands, strict=True):
                    text = re.sub(rf"\b{x}\b", operand, text)
                return text.removeprefix("return "), called
            function = Helper(f"_{self.kernel.__name__.strip('_')}", ", ".join(names), tuple(lines), called)
            return f"{{function}}({', '.join(operands)})", {"function": function}
        # Under names of their own: of a `dim` in a text, a tuple of one dimension becomes a number.
        places = ["{}"] * len(v.shapes) + [f"{name}={{its_{name}}}" for name in v.params]
        values = {f"its_{name}": value for name, value in v.params.items()}
        return f"{{kernel}}({', '.join(places)})", {"kernel": self.kernel, **values}

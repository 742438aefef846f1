"""The public functions that follow from the records of operations alone, made when minigrad is imported.

`table.pyi`, which `.ci/stubs` writes, shows editors and type checkers what they are.
"""

from __future__ import annotations
import __future__

import ast
from collections.abc import Callable
from types import FunctionType
from typing import Any

from minigrad.core.apply import apply
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor
from minigrad.functions.dims import all_dims, one_dim
from minigrad.functions.store import in_place, update
from minigrad.gate import gated
from minigrad.ops import TABLE

ONE, TWO = "input: Tensor", "input: Operand, other: Operand"
_FEW = (ONE, TWO, "input: Tensor, other: Tensor", "input: Tensor, other: Operand")


def form(op: Op) -> str:
    """The public signature of an operation."""
    return op.form or (ONE if len(op.inputs) == 1 else TWO)


def _function(op: Op) -> Any:
    def one(input: Tensor) -> Tensor:
        return apply(op, (input,))

    def two(input: Any, other: Any) -> Tensor:
        return apply(op, (input, other))

    signature = form(op)
    if signature not in _FEW:
        return _from_text(op, signature)
    function: Any = one if signature == ONE else two
    function.__annotations__ = {**dict(p.split(": ") for p in signature.split(", ")), "return": "Tensor"}
    return function


def _from_text(op: Op, signature: str) -> Any:
    """A function with parameters beside the operands; a dimension is counted from the front."""
    arguments = ast.parse(f"def f({signature}): 0").body[0].args  # type: ignore[attr-defined]
    parameters = [*arguments.args, *arguments.kwonlyargs]
    count = len(op.inputs)
    values = [_value(a.arg, ast.unparse(a.annotation)) for a in parameters[count:]]
    params = ", ".join(f"{name!r}: {value}" for name, value in zip(op.params, values, strict=True))
    operands = "".join(f"{a.arg}, " for a in parameters[:count])
    text = f"def {op.name}({signature}) -> Tensor:\n    return apply(op, ({operands}), {{{params}}})\n"
    space = {"apply": apply, "op": op, "all_dims": all_dims, "one_dim": one_dim}
    exec(compile(text, __file__, "exec", __future__.annotations.compiler_flag), space)
    return space[op.name]


def _value(name: str, annotation: str) -> str:
    if annotation == "Dim":
        return f"all_dims({name}, input._array.ndim)"
    return f"one_dim({name}, input._array.ndim)" if name == "dim" else name


def _in_place(op: Op, function: Any, name: str) -> Callable[..., Tensor]:
    """The method that puts the result in the place of the first operand."""

    def one(self: Tensor) -> Tensor:
        return update(self, op, (self,))

    def two(self: Tensor, other: Any) -> Tensor:
        return update(self, op, (self, other))

    signature = form(op)
    if signature not in _FEW:
        return in_place(function, name)
    method: Any = one if signature == ONE else two
    method.__annotations__ = {**function.__annotations__, "self": "Tensor"}
    method.__name__, method.__doc__ = name, f"`{name[:-1]}`, in place."
    return method  # type: ignore[no-any-return]


def _publish() -> tuple[list[str], dict[str, FunctionType]]:
    """Puts functions under their names here; the names of the public ones, and the methods by name."""
    names: list[str] = []
    methods: dict[str, FunctionType] = {}
    for op in TABLE.values():
        if not op.public:
            continue
        function = _function(op)
        function.__name__ = function.__qualname__ = op.public[0].strip(".()")
        function.__doc__, function.__module__ = op.doc, "minigrad"
        gate = gated(function, op=op if form(op) in _FEW else None)
        for name in op.public:
            plain = name.strip(".()")
            if plain.endswith("_"):
                methods[plain] = gated(_in_place(op, function, plain))
                continue
            globals()[plain] = gate
            if not name.endswith("()"):
                methods[plain] = gate
            if not name.startswith("."):
                names.append(plain)
    return names, methods


__all__, METHODS = _publish()

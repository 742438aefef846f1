"""The public functions that follow from the records of operations alone, made when minigrad is imported.

`table.pyi`, which `.ci/stubs` writes, shows editors and type checkers what they are.
"""

from __future__ import annotations
import __future__

import ast
import linecache
from types import FunctionType
from typing import Any

from minigrad.core.apply import apply
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor
from minigrad.functions.dims import all_dims, one_dim, tensor_list
from minigrad.functions.store import as_method, update
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
        return _from_text(op, signature, op.public[0].strip(".()"))
    if len(op.inputs) != (1 if signature == ONE else 2) or op.params or op.star is not None:
        raise _unfit(op, signature)
    function: Any = one if signature == ONE else two
    function.__annotations__ = {**dict(p.split(": ") for p in signature.split(", ")), "return": "Tensor"}
    return function


def _unfit(op: Op, signature: str) -> TypeError:
    has = f"the inputs {op.inputs} and the parameters {op.params}"
    return TypeError(f"op {op.name}: its public signature ({signature}) has not {has}; say which by form=")


def _from_text(op: Op, signature: str, name: str) -> Any:
    """A function of operands, also any number of them, and parameters; dimensions are counted from the front.

    With a name that ends in an underscore it is the method that puts the result in the place of the first operand.
    """
    try:
        arguments = ast.parse(f"def f({signature}): 0").body[0].args  # type: ignore[attr-defined]
    except SyntaxError as error:
        raise _unfit(op, signature) from error
    named, star, count = [*arguments.args, *arguments.kwonlyargs], arguments.vararg, len(op.inputs)
    if star is not None:  # all in front of it are operands
        named.insert(len(arguments.args), star)
    operands, rest = [p.arg for p in named[:count]], named[count:]
    starred = star is None or (op.star is not None and operands[-1] == star.arg)
    alone = op.star != 0 or all(public.endswith("()") for public in op.public)
    if len(operands) < count or len(rest) != len(op.params) or not starred or not alone:
        raise _unfit(op, signature)
    run, lines = "_apply(_op, ", []
    if name.endswith("_"):
        operands[0] = arguments.args[0].arg = "self"
        run = "_update(self, _op, "
    first = operands[0]
    if op.star == 0:
        lines, first = [f"{first} = _list({name!r}, {first})"], f"{first}[0]"
    if op.star is not None:
        operands[-1] = f"*{operands[-1]}"
    values = [f"{key!r}: {_value(p, first)}" for key, p in zip(op.params, rest, strict=True)]
    lines.append(f"return {run}({', '.join(operands)},), {{{', '.join(values)}}})")
    text = f"def {name}({ast.unparse(arguments)}) -> Tensor:\n    " + "\n    ".join(lines) + "\n"
    file = __file__.replace("table.py", f"<{name}>")  # inside the package
    # For tracebacks and inspect.getsource.
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    space = {"_op": op, "_apply": apply, "_update": update}
    space |= {"_list": tensor_list, "_one_dim": one_dim, "_all_dims": all_dims}
    exec(compile(text, file, "exec", __future__.annotations.compiler_flag), space)
    return space[name]


def _value(p: ast.arg, first: str) -> str:
    """What the operation gets of a parameter."""
    name, annotation = p.arg, "" if p.annotation is None else ast.unparse(p.annotation)
    if annotation == "Dim":
        return f"_all_dims({name}, {first}._array.ndim)"
    if not name.removeprefix("dim").isdigit() and name != "dim":
        return name
    known = "" if "None" not in annotation else f"None if {name} is None else "
    return f"{known}_one_dim({name}, {first}._array.ndim)"


def _in_place(op: Op, name: str) -> FunctionType:
    """The method that puts the result in the place of the first operand."""

    def one(self: Tensor) -> Tensor:
        return update(self, op, (self,))

    def two(self: Tensor, other: Any) -> Tensor:
        return update(self, op, (self, other))

    signature = form(op)
    if signature not in _FEW:
        return as_method(_from_text(op, signature, name), name)
    method: Any = one if signature == ONE else two
    method.__annotations__ = {"self": "Tensor", **dict(p.split(": ") for p in signature.split(", ")[1:])}
    method.__annotations__["return"] = "Tensor"
    return as_method(method, name)


def _publish() -> tuple[dict[str, FunctionType], list[str], dict[str, FunctionType]]:
    """The functions that follow from records, the names of the public ones, and the methods by name."""
    functions: dict[str, FunctionType] = {}
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
            if plain in functions or plain in methods or not plain.isidentifier():
                raise TypeError(f"op {op.name}: the public name {name!r} is taken, or is no name")
            if plain.endswith("_"):
                methods[plain] = gated(_in_place(op, plain))
                continue
            functions[plain] = gate
            if not name.endswith("()"):
                methods[plain] = gate
            if not name.startswith("."):
                names.append(plain)
    return functions, names, methods


_FUNCTIONS, __all__, METHODS = _publish()
globals().update(_FUNCTIONS)

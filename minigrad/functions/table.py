"""The public functions and methods that follow from the records of operations alone. Each is made when it is asked for.

`table.pyi`, which `.ci/stubs` writes, shows editors and type checkers what they are.
"""

from __future__ import annotations
import __future__

import functools
from collections.abc import Iterable
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

from minigrad.core.apply import apply
from minigrad.core.op import TABLE, Op
from minigrad.core.tensor import Tensor
from minigrad.errors import type_error
from minigrad.functions.dims import all_dims, one_dim, tensor_list
from minigrad.functions.store import as_method, update
from minigrad.gate import gated
from minigrad.ops import later

if TYPE_CHECKING:
    import ast

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
    return TypeError(
        f"op {op.name}: its public signature ({signature}) does not have {has}; say which by form="
    )


def _from_text(op: Op, signature: str, name: str) -> Any:
    """A function of operands, also any number of them, and parameters; dimensions are counted from the front.

    With a name that ends in an underscore it is the method that puts the result in the place of the first operand.
    """
    import ast
    import linecache

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
    import ast

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


# What follows from `Op.cast`, where the text of a record does not say it: a word of the sentence, and the sentence.
_TYPES = {
    "float": ("integers", "Integers and bool become floats of the default dtype."),
    "floats": ("integers", "NotImplementedError for integers and bool."),
    "bits": ("floats", "NotImplementedError for floats."),
    "shifts": ("floats", "NotImplementedError for floats, and where all are bool."),
    "number": ("bool", "NotImplementedError for bool."),
    "rounds": ("bool", "NotImplementedError for bool."),
}


def _doc(op: Op) -> str:
    """The text of a record, and how the function takes dtypes."""
    texts = [op.doc]
    word, sentence = _TYPES.get(op.cast or "", ("", ""))
    if sentence and word not in op.doc:
        texts.append(sentence)
    if "b" in (op.refuse or {}) and "bool" not in op.doc:
        texts.append("RuntimeError for bool.")
    return texts[0] if len(texts) == 1 else f"{texts[0]}\n\n{' '.join(texts[1:])}\n"


def _gate(op: Op) -> FunctionType:
    """The public function of an operation, behind its gate."""
    function = _function(op)
    function.__name__ = function.__qualname__ = op.public[0].strip(".()")
    function.__doc__, function.__module__ = _doc(op), "minigrad"
    return gated(function, op=op if form(op) in _FEW else None)


def check(ops: Iterable[Op]) -> dict[str, FunctionType]:
    """All that follows from these records, by name; TypeError where a name is taken, or a signature does not fit.

    An import makes nothing of this, so the tests and `.ci/stubs` call it for the whole table.
    """
    made: dict[str, FunctionType] = {}
    for op in ops:
        gate = _gate(op) if op.public else None
        for name in op.public:
            plain = name.strip(".()")
            if plain in made or not plain.isidentifier():
                raise type_error(f"op {op.name}: the public name {name!r} is taken, or is not a name")
            made[plain] = gated(_in_place(op, plain)) if plain.endswith("_") else gate
    return made


# ---------------------------------------------------------------- by name


def _plain(ops: Iterable[Op]) -> dict[str, Op]:
    return {name.strip(".()"): op for op in ops for name in op.public}


@functools.cache
def _family(name: str) -> dict[str, Op]:
    """The operations of a family by their public names; this loads it."""
    home = import_module(f"minigrad.ops.{name}").__name__
    return _plain(op for op in TABLE.values() if op.home == home)


# Public names as they stand in the records: of the operations that are declared by now, and of later families.
_NAMES = [name for op in TABLE.values() for name in op.public]
_NAMES += [name for names in later.RECORDS.values() for name in names.split()]
_DECLARED = _plain(TABLE.values())
_LATER = {name.strip(".()"): family for family, names in later.RECORDS.items() for name in names.split()}
_MADE: dict[str, FunctionType] = {}

__all__ = [name.strip("()") for name in _NAMES if name[0] != "." and name[-1] != "_"]
METHODS = frozenset([name.strip(".") for name in _NAMES if name[-1] != ")"])


def made(name: str) -> FunctionType:
    """The function, or the method in place, of this name; one function for all names of an operation."""
    if name not in _MADE:
        op = _DECLARED[name] if name in _DECLARED else _family(_LATER[name])[name]
        if name.endswith("_"):
            return _MADE.setdefault(name, gated(_in_place(op, name)))
        plain = [n for n in _plain([op]) if not n.endswith("_")]
        gate = _MADE.setdefault(plain[0], _gate(op))  # also of two threads that ask for it at once
        for other in plain:
            _MADE.setdefault(other, gate)
    return _MADE[name]


def __getattr__(name: str) -> FunctionType:
    if name not in _DECLARED and name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    return made(name)

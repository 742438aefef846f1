"""How an operation prints: as the NumPy calls of its kernel, in the same order, so that every bit agrees.

Where the record has a ``text`` for it, that is it; a kernel that is a function of NumPy prints as a call of that; a
kernel that is a function of ours is printed into the head of the program, and called.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import math
import re
import textwrap
import types
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from minigrad.core.op import NO_PARAMS, Op
from minigrad.core.rounded import held
from minigrad.core.text import Call, Helper, Steps, Text
from minigrad.dtypes import F32, F64, as_numpy, dtype
from minigrad.errors import BadValue
from minigrad.readers.source.program import Value, numpy_name, steps_of

Expr = ast.expr

# ---------------------------------------------------------------- expressions


class Unprintable(Exception):
    """A parameter of an operation, of the class named, that no expression of a program stands for."""


def type_text(dtype: Any) -> str:
    """The name of an element type in a program."""
    return "bool" if dtype.kind == "b" else f"{'ml_dtypes' if dtype.kind == 'V' else 'np'}.{dtype.name}"


def literal(value: Any) -> Expr:
    """A Python or NumPy value as it is written in a program."""
    if isinstance(value, dtype):
        value = as_numpy(value)
    if isinstance(value, np.dtype):
        return parsed(type_text(value))
    if isinstance(value, np.generic):
        value = float(str(value)) if value.dtype.kind in "fV" else value.item()
    if isinstance(value, float) and value != value:
        return parsed("np.nan")
    if isinstance(value, float) and value in (np.inf, -np.inf):
        return parsed("np.inf" if value > 0 else "-np.inf")
    if isinstance(value, complex) and re.search("^-|-0|n", repr(value)):  # it would lose signs of zeros
        return fill("complex({}, {})", [literal(value.real), literal(value.imag)])
    if isinstance(value, (tuple, list)):
        parts = [literal(v) for v in value]
        return ast.Tuple(parts) if isinstance(value, tuple) else ast.List(parts)
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        return parsed(repr(value))
    if isinstance(value, slice):
        return fill("slice({}, {}, {})", [literal(p) for p in (value.start, value.stop, value.step)])
    if value is Ellipsis:
        return ast.Constant(value)
    if isinstance(value, np.ndarray):
        return constant(value)
    raise Unprintable(type(value).__name__)


def key(index: Any) -> Expr:
    """What stands in the brackets of ``x[1:3, 0]``; arrays in it are expressions already."""
    items = [_item(k) for k in index]
    return items[0] if len(items) == 1 else ast.Tuple(items)


def _item(k: object) -> Expr:
    if isinstance(k, slice):
        parts = [None if v is None else literal(int(v)) for v in (k.start, k.stop, k.step)]
        return ast.Slice(*parts)
    return k if isinstance(k, ast.expr) else literal(k)


def at(x: Expr, index: object) -> Expr:
    """``x[index]``."""
    return ast.Subscript(x, key(index))


@functools.lru_cache(maxsize=1024)
def parsed(text: str) -> Expr:
    """An expression, parsed once: it must not be changed."""
    return ast.parse(text, mode="eval").body


def _filled_in(node: Any, parts: dict[str, Any]) -> Any:
    """A copy of a template, with expressions and values in place of the names in ``parts``; a call without defaults."""
    if isinstance(node, list):
        return [_filled_in(n, parts) for n in node]
    if not isinstance(node, ast.AST):
        return node
    if isinstance(node, ast.Name):
        part = parts.get(node.id, node)
        return part if isinstance(part, ast.AST) else literal(part)
    copied = node.__class__(*(_filled_in(getattr(node, f, None), parts) for f in node._fields))
    if isinstance(copied, ast.Call):
        copied.keywords = [k for k in copied.keywords if not _default(k)]
    return copied


def _default(keyword: ast.keyword) -> bool:
    value = keyword.value
    return (keyword.arg, getattr(value, "value", 0)) in (("axis", None), ("keepdims", False))


def fill(text: str, operands: Sequence[Expr], **values: Any) -> Expr:
    """The expression ``text`` with operands in place of ``{}`` or ``{0}``, and values in place of ``{name}``."""
    names = [f"operand_{i}_" for i in range(len(operands))]
    if values.get("dim").__class__ is tuple and len(values["dim"]) == 1:
        values["dim"] = values["dim"][0]
    parts = dict(zip(names, operands, strict=True)) | {f"value_{k}_": v for k, v in values.items()}
    return _filled_in(parsed(text.format(*names, **{k: f"value_{k}_" for k in values})), parts)


# ---------------------------------------------------------------- values


def expression(v: Value, xs: list[Expr], h: Helpers, written: bool = False) -> Expr:
    """What stands right of the ``=``; with ``written``, a view that can be written into."""
    op = v.record
    expr = printed(op, described(v, written), xs, h)
    if op.rows and len(v.shape) > 1 and any(map(may_turn, v.inputs)):
        return fill("np.ascontiguousarray({})", [expr])
    return expr


def described(v: Value, written: bool = False) -> Call:
    """A value as the functions for texts see it."""
    xs = v.inputs
    known = Call(
        v.params, tuple(x.shape for x in xs), tuple(getattr(x, "dtype", None) for x in xs), v.shape, v.dtype
    )
    known.written = written
    if callable(v.record.text) and xs:
        known.dense, known.repeats, known.turned = is_dense(xs[0]), repeats(xs[0]), v.turned
        known.by_rows = functools.cache(lambda i: not may_turn(xs[i]) and _lies(xs[i]).flags.c_contiguous)
    return known


def checked(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    """As `expression`, behind the check of values that the operation has."""
    if v.record.check is None:
        return expression(v, xs, h)
    inputs = v.record.inputs if len(v.record.inputs) == len(xs) else [f"x{i}" for i in range(len(xs))]
    names: list[Expr] = [ast.Name(name.lstrip("*")) for name in inputs]
    check = h.call(v.record.check, names, v.params, v.op)
    lines = [ast.unparse(check), f"return {ast.unparse(expression(v, names, h))}"]
    arguments = ", ".join(map(ast.unparse, names))
    return ast.Call(ast.Name(h.written(f"_checked_{v.op}", arguments, lines)), xs, [])


def printed(op: Op, call: Call, xs: list[Expr], h: Helpers) -> Expr:
    """A call of an op: by its text, as a function of NumPy, or as one in the program's head.

    NotImplementedError for a kernel or a parameter that could not be printed.
    """
    try:
        return _printed(op, call, xs, h)
    except Unprintable as kind:
        raise NotImplementedError(
            f"source(): the operation {op.name} cannot be printed: one of its parameters is a {kind}; give its record "
            "a text="
        ) from None


def _printed(op: Op, call: Call, xs: list[Expr], h: Helpers) -> Expr:
    if op.wider is not None:
        return _rounded(op, call, xs, h)
    text: Text = op.text(call) if callable(op.text) else op.text
    if text is not None:
        text, values = (text, {}) if isinstance(text, str) else text
        values = {k: h.value(v) for k, v in values.items() if f"{{{k}}}" in text}
        return fill(text, xs, **{**call.params, **values})
    name = numpy_name(op.kernel)
    if name:
        expr: Expr = ast.Call(parsed(name), xs, [ast.keyword(k, literal(p)) for k, p in call.params.items()])
    else:
        expr = h.call(op, xs, call.params)
    if op.view or op.order is not None:
        return expr
    # What the kernel returns may be a number, and it may be an operand, which `apply` copies.
    return fill("np.asarray({})" if op.new else "np.array({})", [expr])


def _rounded(op: Any, call: Call, xs: list[Expr], h: Helpers) -> Expr:
    """A call of an op in floats of two bytes, as its kernel does it."""
    t = op.to
    wide: list[Expr] = []
    for x, kind in zip(xs, call.dtypes, strict=True):
        if kind == t:
            x = fill("{}.astype({f})", [x], f=F32)
        elif kind is None and not op.wider.wide and isinstance(getattr(x, "value", None), float):
            x = literal(held(x.value, t))  # type: ignore[attr-defined]
        elif kind is None and not op.wider.wide and not isinstance(x, ast.Constant):
            x = fill("float({t}({}))", [x], t=t)
        wide.append(x)
    changed = {
        "dtypes": tuple(F32 if d == t else d for d in call.dtypes),
        "dtype": F32 if call.dtype == t else call.dtype,
    }
    y = _printed(op.wider, Call(**{**vars(call), **changed}), wide, h)
    return fill("{}.astype({t})", [y], t=t) if call.dtype == t else y


def followed(steps: Steps, h: Helpers) -> Expr:
    """What the steps of a path make of a variable."""
    expr: Expr = ast.Name(steps.variable)
    for (op, params), before, after in steps_of(steps.path, steps.shape, steps.dtype):
        call = Call(params, (before,), (steps.dtype,), after, steps.dtype, written=True)
        expr = printed(op, call, [expr], h)
    return expr


def is_dense(v: Any) -> bool:
    """Whether an array is known to lie in memory without gaps or repetition."""
    while v.__class__ is Value and v.shows:
        op, x = v.record, v.inputs[0]
        if op.repeats or not op.moves or math.prod(x.shape) != math.prod(v.shape):
            return False
        v = x
    if v.__class__ is not Value or v.fill is not None:
        return True
    if v.record is not None:
        return v.record.order is not None
    array = _array_of(v)
    return array is None or bool(array.flags.forc)


def _array_of(v: Value) -> Any:
    """The array of a constant, or the one that a parameter was recorded with, if it is still there."""
    tensor = v.nodes[0].tensor if v.nodes and v.data is None else None
    t = tensor() if tensor is not None else None
    return t._array if t is not None else v.data if v.data.__class__ is np.ndarray else None


def _lies(v: Any) -> Any:
    """An array that lies as a value does, if what that shows lies row by row."""
    if v.__class__ is Value and v.shows:
        return np.asarray(v.record.unchecked(_lies(v.inputs[0]), **v.params))
    return np.empty(getattr(v, "shape", ()), v.dtype if v.__class__ is Value else bool)


def repeats(v: Any) -> bool:
    """Whether elements of an array may share memory."""
    while v.__class__ is Value and v.shows:
        if v.record.repeats or not v.record.moves:
            return True
        v = v.inputs[0]
    return False


def may_turn(v: Any) -> bool:
    """Whether an array may lie in memory otherwise than row by row, for all that is known."""
    if repeats(v):  # NumPy takes what only repeats for the innermost
        return True
    pending, seen = [v], 0
    while pending and seen < 32:
        w, seen = pending.pop(), seen + 1
        if w.__class__ is not Value or (w.fill is not None and not w.shows):
            continue
        if w.record is None:
            array = _array_of(w)
            if array is not None and not array.flags.c_contiguous:
                return True
        elif w.record.order == "K":
            pending.extend(w.inputs)
        elif w.record.order != "C":
            return True
    return bool(pending)


def constant(array: Any) -> Expr:
    """An array that a rule makes from shapes alone."""
    flat = np.squeeze(array)
    if flat.ndim == 2 and flat.dtype == bool and flat.shape[0] == flat.shape[1]:
        for name in ("eye", "tri"):
            if np.array_equal(flat, getattr(np, name)(len(flat), dtype=bool)):
                expr = fill(f"np.{name}({{n}}, dtype=bool)", [], n=len(flat))
                return expr if array.ndim == 2 else fill("{}.reshape({shape})", [expr], shape=array.shape)
    return fill("np.array({values}, dtype={dtype})", [], values=array.tolist(), dtype=array.dtype)


def filled(v: Value) -> Expr:
    """One number seen many times, as an array that repeats it without holding it more than once."""
    if not v.shape:
        return number(v)
    one = literal(v.fill) if v.dtype == F64 or v.dtype.kind == "b" else number(v)
    return fill("np.broadcast_to({one}, {shape})", [], one=one, shape=v.shape)


def number(v: Value) -> Expr:
    """A number with its type."""
    if v.dtype.kind == "b":
        return parsed(f"np.bool_({bool(v.fill)})")
    return fill("{t}({n})", [], t=v.dtype, n=v.fill)


def whole(v: Value, shape: tuple[int, ...]) -> Expr:
    """An array of its own, all of whose elements equal one number."""
    names = {0: "np.zeros", 1: "np.ones"}
    name = None if str(v.fill).startswith("-") else names.get(v.fill)  # -0.0 equals 0
    rest = ", {dtype})" if v.dtype != F64 else ")"
    if name is not None:
        return fill(name + "({shape}" + rest, [], shape=shape, dtype=v.dtype)
    return fill("np.full({shape}, {n}" + rest, [], shape=shape, n=v.fill, dtype=v.dtype)


# ---------------------------------------------------------------- functions in the program's head


class Helpers:
    """The functions that a program needs: kernels of ours as they stand in the package, without annotations."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._names: dict[Any, str] = {}

    def call(self, function: Any, xs: list[Expr], params: dict[str, Any] = NO_PARAMS, op: str = "") -> Expr:
        """A call of a function, or of an op's kernel. NotImplementedError if that cannot be printed."""
        if isinstance(function, Op):
            function, op = function.kernel, function.name
        name = self._function(function, op or function.__name__)
        keywords = []
        for k, p in params.items():
            value = ast.Subscript(parsed("np.s_"), key(p)) if _slices(p) else literal(p)
            keywords.append(ast.keyword(k, value))
        return ast.Call(ast.Name(name), xs, keywords)

    def name_of(self, function: Any) -> str:
        """The name of a function in the head; empty for one that is not there."""
        return self._names.get(inspect.unwrap(function), "")

    def value(self, value: Any) -> Any:
        """A value of a text; of a function in the head, its name."""
        if isinstance(value, Steps):
            return followed(value, self)
        if isinstance(value, Helper):
            values = {k: self.value(v) for k, v in value.values.items()}
            lines = [self._line(line, values) for line in value.lines] if values else value.lines
            return ast.Name(self.written(value.name, value.arguments, lines))
        return (
            ast.Name(self._function(value, value.__name__))
            if isinstance(value, types.FunctionType)
            else value
        )

    def _line(self, line: str, values: dict[str, Any]) -> str:
        texts = {k: ast.unparse(v if isinstance(v, ast.expr) else literal(v)) for k, v in values.items()}
        return line.format(**texts)

    def written(self, name: str, arguments: str, lines: Sequence[str]) -> str:
        """A function with these lines; its name."""
        known = self._names.get(tuple(lines))
        if known is None:
            count = sum(t.startswith(f"def {name}") for t in self.texts.values())
            known = self._names[tuple(lines)] = name if not count else f"{name}_{count + 1}"
            body = "\n".join(f"    {line}" for line in lines)
            self.texts[known] = f"def {known}({arguments}):\n{body}"
        return known

    def _function(self, function: Any, op: str) -> str:
        function = inspect.unwrap(function)  # what is remembered between calls need not be in a program
        if isinstance(function, types.FunctionType) and "numpy" in vars(function):
            return str(vars(function)["numpy"])  # NumPy's function in another way
        if function in self._names:
            return self._names[function]
        if (
            not isinstance(function, types.FunctionType)
            or function.__name__ == "<lambda>"
            or function.__closure__
        ):
            raise NotImplementedError(
                f"source(): the operation {op} cannot be printed: its kernel is neither a function of NumPy "
                "nor one of a module; give its record a text="
            )
        name = plain = "_" + function.__name__.lstrip("_")
        while name in self._names.values():  # of another module
            name = f"{plain}_{1 + sum(n.startswith(plain) for n in self._names.values())}"
        self._names[function] = name
        known = PRINTED.get(function)
        if known is None or not known.holds(name, function, self, op):
            tree: Any = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
            tree.decorator_list = []
            plain_form = _Plain(function, self, op)
            tree = ast.fix_missing_locations(plain_form.visit(tree))
            tree.name = name
            known = PRINTED[function] = _Printed(name, function.__code__, plain_form.read, ast.unparse(tree))
        self.texts[name] = known.text  # the functions that it calls stand before it
        return name


class _Printed(NamedTuple):
    """The text of a function under a name, and the globals that it reads, each with the name of a function there."""

    name: str
    code: types.CodeType
    read: dict[str, tuple[Any, str]]
    text: str

    def holds(self, name: str, function: types.FunctionType, helpers: Helpers, op: str) -> bool:
        """Whether the text still is that of the function; those that it calls get their places before it."""
        values = function.__globals__
        return (
            (name, function.__code__) == (self.name, self.code)
            and all(values.get(k) is v for k, (v, _) in self.read.items())
            and all(helpers._function(v, op) == called for v, called in self.read.values() if called)
        )


# By function: to read, to parse and to print them again would be most of the time of a recording.
PRINTED: weakref.WeakKeyDictionary[Any, _Printed] = weakref.WeakKeyDictionary()


def _slices(index: object) -> bool:
    return isinstance(index, tuple) and any(isinstance(k, slice) or k is Ellipsis for k in index)


def _locals(code: types.CodeType) -> set[str]:
    """The names of a function, and of those inside of it."""
    inner = [_locals(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return {*code.co_varnames, *code.co_cellvars}.union(*inner)


class _Plain(ast.NodeTransformer):
    """A function without annotations, in which every global name is NumPy's or that of a helper."""

    def __init__(self, function: types.FunctionType, helpers: Helpers, op: str) -> None:
        self.globals, self.helpers, self.op = function.__globals__, helpers, op
        self.local = _locals(function.__code__)
        self.read: dict[str, tuple[Any, str]] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        value = self.visit(node.value) if node.value is not None else ast.Constant(None)
        return ast.Assign([node.target], value)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and self.globals.get(node.value.id) is builtins:
            return ast.Name(node.attr)
        if isinstance(node.value, ast.Name) and self.globals.get(node.value.id) is math:
            number = getattr(math, node.attr)
            if number.__class__ is float:
                return literal(number)
            self.refuse(f"math.{node.attr}")  # a program imports NumPy alone
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.unparse(node.func) == "math.prod":
            return fill("int(np.prod({}))", [self.visit(a) for a in node.args])
        if isinstance(node.func, ast.Name) and self.globals.get(node.func.id) is BadValue:
            message, *kind = node.args  # a program knows Python's exceptions alone
            return ast.Call(kind[0] if kind else ast.Name("RuntimeError"), [self.visit(message)], [])
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        name = node.id
        if name in self.local or name not in self.globals or name == "np":
            return node
        value = self.globals[name]
        self.read[name] = value, ""
        owner = getattr(value, "__self__", None)
        if isinstance(owner, np.ufunc):
            return parsed(f"np.{owner.__name__}.{value.__name__}")
        if isinstance(inspect.unwrap(value) if callable(value) else value, types.FunctionType):
            self.read[name] = value, self.helpers._function(value, self.op)
            return ast.Name(self.read[name][1], node.ctx)
        if isinstance(value, np.dtype):
            return fill("np.dtype({t})", [], t=value)
        if value.__class__ is int or value.__class__ is float:
            return literal(value)
        self.refuse(name)

    def refuse(self, name: str) -> NoReturn:
        raise NotImplementedError(
            f"source(): the operation {self.op} cannot be printed: its kernel reads {name}, which is neither "
            "NumPy's nor a function of a module; give its record a text="
        )

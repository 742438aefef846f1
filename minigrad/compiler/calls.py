"""How a value is computed by calls of NumPy, into memory that is there where they can."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compiler.scalars import Scalar
from minigrad.core.node import Const, Node
from minigrad.core.op import NO_PARAMS, TABLE
from minigrad.dtypes import BOOL, F32, F64
from minigrad.kernels.sums import MANY, added_by_numpy, sum_rows
from minigrad.ops.linalg import by_matmul, has_single
from minigrad.ops.nn import LONG, TILED, long_row, together
from minigrad.readers.source.expressions import (
    Expr,
    Helpers,
    expression,
    is_dense,
    literal,
    may_turn,
    parsed,
)  # fmt: skip
from minigrad.readers.source.program import Value, memory
from minigrad.readers.source.text import Text, _place

_INTO = ", out=\0)"  # NUL stands for the name of a value until it has one
ALIGN = 64  # bytes


class Statement:
    """A line of the plan, and the values whose memory it reads."""

    def __init__(self, value: Value, kind: str, lines: Sequence[str], reads: Sequence[Value]) -> None:
        self.value, self.kind, self.lines, self.reads = value, kind, list(lines), list(reads)
        self.place = _place(value.origin if value.forward else value.of)  # in the user's code
        through = value.of.op.name if value.of is not None and value.of.op is not None else ""
        self.about = (
            "" if value.forward else f"backward of {through}{f'  ({self.place})' if self.place else ''}"
        )


class Slot:
    """A piece of the plan's memory, in use from one statement to another."""

    def __init__(self, value: Value, first: int) -> None:
        self.value, self.first, self.last, self.offset = value, first, first, -1
        self.group: Group | None = None  # the larger piece that it is a part of
        self.within = 0
        self.size = -(-max(1, math.prod(value.shape)) * value.dtype.itemsize // ALIGN) * ALIGN
        self.inherits: Slot | None = None


class Group:
    """Slots side by side, so that one call can serve them all."""

    def __init__(self, name: str, dtype: Any) -> None:
        self.name, self.dtype, self.size, self.offset = name, dtype, 0, 0


class Calls(Text):
    """The half of a plan that makes statements: lines for ``run``, what ``bind`` has to prepare, and slots."""

    otherwise: set[Node]  # records whose results do not lie row by row
    boundary: dict[Value, None]  # values that are given, as parameters are
    users: dict[Value, list[Value | None]]
    _wanted: dict[Value, str]  # names
    _kept: set[Value]  # what the caller gets, or sees through a view
    _read: dict[Value, list[Value]]  # what `_inputs` found

    def _start(self) -> None:
        """What laying out begins with."""
        self.helpers = Helpers()
        self.expr_of: dict[Value, Expr] = {}
        self.setup: list[str] = []  # lines of bind
        self.statements: list[Statement] = []
        self.slots: dict[Value, Slot] = {}
        self.static: set[Value] = set()  # whose array is the same in every run
        self.models: dict[Value, Any] = {}
        self.fresh: set[Value] = set()
        self._numbers: dict[Any, str] = {}
        self._helped: dict[str, list[str]] = {}
        self.data: dict[str, Any] = {}  # what the text needs beside NumPy: constants, generators
        self._refilled: list[str] = []
        self.lasting_bytes = 0  # of arrays that stay beside the planned memory
        self.mask_of: dict[Value, Value] = {}  # of a gradient of relu: where it passes

    def _inputs(self, v: Value) -> list[Value]:
        found = self._read.get(v)
        if found is None:
            if v.fill is not None or not v.inputs or v in self.boundary:
                found = []
            else:
                found = [w for w in v.inputs if w.__class__ is Value]
            self._read[v] = found
        return found

    def _owner(self, v: Value) -> Value:
        """The value whose memory this one shows; a view that had to be copied has memory of its own."""
        while v.shows and v not in self.slots and v not in self.fresh:
            v = v.inputs[0]
        return v

    def _plain(self, v: Value) -> bool:
        """Whether eager mode's array lies row by row, as planned memory does."""
        return not self.otherwise or self.otherwise.isdisjoint(v.nodes)

    def _operand(self, w: Any) -> Expr:
        if w.__class__ is Const and type(w.value) is Scalar:
            return parsed(w.value.text)
        return super()._operand(w)

    def _take_name(self, v: Value, kind: str) -> str:
        wanted = self._wanted.get(v)
        name = self.name_of[v] = self.names.take(wanted) if wanted else self.names.take(kind, number=True)
        return name

    def _may_plan(self, v: Value) -> bool:
        return v not in self._kept and bool(v.shape) and self._plain(v)

    def _plan(self, v: Value) -> None:
        self.slots[v] = Slot(v, 0)
        self.static.add(v)

    def _compute(self, v: Value, xs: list[Expr], reads: list[Value]) -> None:
        if v.op == "relu_backward" and self._may_plan(v) and v.dtype in (F32, F64):
            self._mask(v, xs)
            return
        out_form = self._out_form(v, xs) if self._may_plan(v) else None
        if out_form is not None:
            name = self._take_name(v, v.op)
            self._plan(v)
            lines, extra = out_form
            self.statements.append(Statement(v, "call", [line.replace("\0", name) for line in lines], reads))
            self.setup += [line.replace("\0", name) for line in extra]
            return
        lines = self._returning(v, xs)
        name = self._take_name(v, v.op)
        self.fresh.add(v)
        if lines:
            lines = [line.replace("\0", name) for line in lines]
            self.statements.append(Statement(v, "call", lines, reads))
            return
        if v.op in ("draw", "bernoulli"):
            text = self._draw(v, xs)
        else:
            text = as_text(expression(v, xs, self.helpers))
            single = v.op == "sum_to" and v.inputs[0].shape[:1] == (1,)
            plain = self._plain(v)
            if v.op in ("clone", "contiguous") or single:  # it may be a view, or what is cloned itself
                text = f"np.array({text}, order={'C' if plain and not single else 'K'!r})"
            elif v.op in ("to", "to_integer", "flip") and plain and len(v.shape) > 1:
                text = f"np.ascontiguousarray({text})"  # of what repeats, NumPy's own lies otherwise
        self.statements.append(Statement(v, "call", [f"{name} = {text}"], reads))

    def _mask(self, v: Value, xs: list[Expr]) -> None:
        """The gradient of relu: bits times 0 or 1, so that inf and nan do not pass where the mask is 0.

        The mask is a value of its own.  Once it is made nobody waits for what relu gave, whose memory is then free
        for the gradient that arrives.
        """
        g, y = v.inputs
        name = self._take_name(v, v.op)
        mask = self.mask_of[v] = Value("mask", [y], NO_PARAMS, v.shape, BOOL, None)
        mask.forward, mask.of, mask.origin = v.forward, v.of, v.origin
        self.name_of[mask] = made = self.names.take(f"{name}_mask")
        self._plan(v)
        self._plan(mask)
        of_y, of_g = ([self._owner(w)] if w.fill is None else [] for w in (y, g))
        zero = self._number(0.0, v.dtype)
        if memory(y).op == "relu":  # never negative; nan passes
            lines = [f"np.not_equal({as_text(xs[1])}, {zero}, out={made})"]
        else:
            lines = [
                f"np.less_equal({as_text(xs[1])}, {zero}, out={made})",
                f"np.logical_not({made}, out={made})",
            ]
        self.statements.append(Statement(mask, "call", lines, of_y))
        bits = "np.int32" if v.dtype == F32 else "np.int64"
        source = f"{as_text(xs[0])}.view({bits})"
        if g in self.slots:
            self.setup.append(f"{name}_from = {source}")
            source = f"{name}_from"
        self.setup += [f"{name}_small = {made}.view(np.int8)", f"{name}_bits = {name}.view({bits})"]
        lines = [f"np.multiply({source}, {name}_small, out={name}_bits)"]
        self.statements.append(Statement(v, "call", lines, [*of_g, mask]))

    def _returning(self, v: Value, xs: list[Expr]) -> list[str]:
        """The lines of `_out_form` for a value that gets an array of its own: the first call makes it."""
        if not v.shape or not self._plain(v) or v.op in ("relu", "relu_backward", "clone", "contiguous"):
            return []
        if v.op in TABLE and TABLE[v.op].rows and any(map(may_turn, v.inputs)):
            return []
        form = self._out_form(v, xs)
        if form is None or form[1] or _INTO not in form[0][0]:
            return []
        first, *rest = form[0]
        return [f"\0 = {first.replace(_INTO, ')')}", *rest]

    def _draw(self, v: Value, xs: list[Expr]) -> str:
        source = f"generator_{len(self.data)}"
        self.data[source] = v.params["generator"]
        if v.op == "bernoulli":
            p = as_text(xs[0])
            if v.inputs[0].fill is not None and not v.inputs[0].shape:
                p = f"np.asarray({p})"  # a number would be compared with numbers of another type
            return f"{source}.bernoulli({p}, {v.shape!r}, np.dtype({v.dtype.name!r}))"
        arguments = f"arguments_{len(self.data)}"
        self.data[arguments] = v.params["arguments"]
        options = "".join(f", {k}={o!r}" for k, o in v.params["options"].items())
        return f"{source}.{v.params['method']}(*{arguments}{options})"

    def _number(self, value: Any, dtype: Any) -> str:
        """The name of a number that has the element type which it meets."""
        return self._lasting(
            (repr(value), dtype.str), "number", lambda name: self._define_number(name, value, dtype)
        )

    def _scalar(self, value: Scalar, dtype: Any) -> str:
        """The same for a number that is a parameter, and has another value in each run."""
        return self._lasting(
            (value.text, dtype.str), "number", lambda name: self._define_scalar(name, value, dtype)
        )

    def _define_number(self, name: str, value: Any, dtype: Any) -> None:
        """An array without dimensions, which a ufunc takes in half the time."""
        self.setup.append(f"{name} = np.array({as_text(literal(dtype.type(value)))}, {named(dtype)})")

    def _define_scalar(self, name: str, value: Scalar, dtype: Any) -> None:
        self.setup.append(f"{name} = np.empty((), {named(dtype)})")
        self._refilled.append(
            f"{name}[()] = {value.text.strip('()') if value.text.count('(') == 1 else value.text}"
        )

    def _lasting(self, key: Any, stem: str, define: Callable[[str], None], number: bool = True) -> str:
        """The name of what stays between runs, defined where it is first asked for."""
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = self.names.take(stem, number=number)
            define(found)
        return found

    def _filled(self, stem: str, made: str, size: int) -> str:
        """The name of an array that stays, of so many bytes."""

        def define(name: str) -> None:
            self.setup.append(f"{name} = {made}")
            self.lasting_bytes += size

        return self._lasting(made, stem, define)

    def _arguments(self, v: Value, xs: list[Expr]) -> list[str]:
        """Operands of a ufunc as text; numbers as small arrays, where that changes nothing."""
        found = []
        others = [w for w in v.inputs if w.__class__ is Value]
        for w, x in zip(v.inputs, xs, strict=True):
            kind = number_kind(w.value, others) if w.__class__ is Const else None
            if kind is None:
                found.append(as_text(x))
            elif type(w.value) is Scalar:
                found.append(self._scalar(w.value, kind))
            else:
                found.append(self._number(float(w.value), kind))
        return found

    def _out_form(self, v: Value, xs: list[Expr]) -> tuple[list[str], list[str]] | None:
        """Lines that write the value into memory that is there (named NUL), and lines of bind; None if it cannot."""
        if any(w.__class__ is Value and w.fill is not None for w in v.inputs):
            return None
        op = TABLE.get(v.op)
        kernel = op.kernel if op is not None else None
        if isinstance(kernel, np.ufunc) and not v.params and kernel.nout == 1:
            name = f"np.{kernel.__name__}"
            if getattr(np, kernel.__name__, None) is kernel and self._fits(v, kernel):
                return [f"{name}({', '.join(self._arguments(v, xs))}, out=\0)"], []
        texts = [as_text(x) for x in xs]
        if v.op == "linear" and len(v.inputs[0].shape) == 2:
            x, w, b = texts
            turned = self._turned(v.inputs[1], w)
            lines, extra = self._bias(v, b)
            return [f"{self._product(v, *v.inputs[:2])}({x}, {turned}, out=\0)", *lines], extra
        if v.op == "matmul" and min(len(w.shape) for w in v.inputs) > 1:
            if len({w.dtype for w in v.inputs}) > 1:
                return None
            return [f"{self._product(v, *v.inputs)}({texts[0]}, {texts[1]}, out=\0)"], []
        if v.op == "relu" and v.dtype.kind == "f":
            return self._relu(v, v.inputs[0], texts[0])
        if v.op == "sum_to":
            return self._rows_summed(v, texts[0])
        if v.op in ("clone", "contiguous"):
            return [f"np.copyto(\0, {texts[0]})"], []
        if (
            v.op in ("sum", "amax", "amin")
            and v.shape
            and v.dtype == v.inputs[0].dtype
            and v.dtype in (F32, F64)
            and (
                v.op != "sum"
                or added_by_numpy(v.inputs[0].shape, v.dtype, v.params["dim"], is_dense(v.inputs[0]))
                or self._trailing(v)
            )
        ):
            name = {"sum": "np.add", "amax": "np.maximum", "amin": "np.minimum"}[v.op]
            dim = v.params["dim"]
            axis = dim[0] if isinstance(dim, tuple) and len(dim) == 1 else dim
            return [f"{name}.reduce({texts[0]}, axis={axis!r}, out=\0, keepdims={v.params['keepdim']!r})"], []
        return None

    def _fits(self, v: Value, kernel: Any) -> bool:
        """Whether the ufunc by itself would give the value's element type and shape."""
        kinds: list[Any] = []
        for w in v.inputs:
            if w.__class__ is Value:
                kinds.append(w.dtype)
            elif isinstance(w.value, np.generic):
                kinds.append(w.value.dtype)
            elif type(w.value) in (float, int, bool, Scalar):
                kinds.append(float if type(w.value) is Scalar else type(w.value))
            else:
                return False
        shapes = tuple(w.shape for w in v.inputs if w.__class__ is Value)
        return bool(_result_of(kernel, tuple(kinds), shapes) == (v.dtype, v.shape))

    def _turned(self, w: Value, text: str) -> str:
        """The transpose of a weight, made once where the weight stays."""
        if w not in self.static or w not in self.name_of:
            return f"{text}.T"
        return self._lasting(
            ("T", w), f"{text}_T", lambda name: self.setup.append(f"{name} = {text}.T"), number=False
        )

    def _product(self, v: Value, a: Value, b: Value) -> str:
        """The function that `linalg.product` would call."""
        if len(a.shape) != 2 or len(b.shape) != 2:
            return "np.matmul"
        if has_single([a.shape, b.shape]):
            return "np.multiply"
        large = by_matmul(v.shape[0], a.shape[1], v.shape[1], v.dtype)
        return "np.matmul" if large and memory(a) is not memory(b) else "np.dot"

    def _bias(self, v: Value, b: str) -> tuple[list[str], list[str]]:
        """``+= b``; to a large value in long rows, with ``b`` repeated: NumPy takes half the time then."""
        if math.prod(v.shape) < TILED or v.shape[1] > LONG // 2 or not self._may_plan(v):
            return [f"np.add(\0, {b}, out=\0)"], []
        rows, n = v.shape
        count = together(rows, n)
        made = f"np.empty(({count}, {n}), {named(v.dtype)})"
        tile = self._filled("tile", made, count * n * v.dtype.itemsize)
        whole = rows - rows % count
        extra = [f"\0_long = \0[:{whole}].reshape(-1, {count * n})"]
        lines = [f"np.copyto({tile}, {b})", f"np.add(\0_long, {tile}.reshape(-1), out=\0_long)"]
        if whole < rows:
            extra.append(f"\0_rest = \0[{whole}:]")
            lines.append(f"np.add(\0_rest, {b}, out=\0_rest)")
        return lines, extra

    def _relu(self, v: Value, source: Value, x: str) -> tuple[list[str], list[str]]:
        """The maximum with 0; of a large value with rows of zeros, which NumPy compares faster than with a number."""
        size = math.prod(v.shape)
        if size < LONG or source not in self.slots:
            return [f"np.maximum({x}, {self._number(0.0, v.dtype)}, out=\0)"], []
        row = long_row(size, v.shape[-1])
        zeros = self._filled("zeros", f"np.zeros({row}, {named(v.dtype)})", row * v.dtype.itemsize)
        whole = size - size % row
        if whole == size:
            extra = [f"\0_long = \0.reshape(-1, {row})", f"\0_from = {x}.reshape(-1, {row})"]
            return [f"np.maximum(\0_from, {zeros}, out=\0_long)"], extra
        extra = [
            f"\0_long = \0.reshape(-1)[:{whole}].reshape(-1, {row})",
            f"\0_from = {x}.reshape(-1)[:{whole}].reshape(-1, {row})",
            f"\0_rest = \0.reshape(-1)[{whole}:]",
            f"\0_rest_from = {x}.reshape(-1)[{whole}:]",
        ]
        return [
            f"np.maximum(\0_from, {zeros}, out=\0_long)",
            f"np.maximum(\0_rest_from, {zeros}[:{size - whole}], out=\0_rest)",
        ], extra

    def _trailing(self, v: Value) -> bool:
        """Whether a sum is over the last dimensions of what lies row by row: NumPy's own is exact then."""
        dim = v.params["dim"]
        first = len(v.inputs[0].shape) - len(dim or ())
        return v.inputs[0] in self.slots and dim == tuple(range(first, first + len(dim or ())))

    def _rows_summed(self, v: Value, x: str) -> tuple[list[str], list[str]] | None:
        w = v.inputs[0]
        if len(v.shape) != 1 or len(w.shape) != 2 or v.shape[0] != w.shape[1] or w.dtype not in (F32, F64):
            return None
        rows = w.shape[0]
        if rows == 1:
            return [f"np.copyto(\0, {x}[0])"], []
        if v.shape[0] == 1:
            return [f"np.add.reduce({x}, axis=0, out=\0)"], []
        if rows > MANY:
            return [f"{as_text(self.helpers.call(sum_rows, [parsed(x)]))[:-1]}, out=\0)"], []
        ones = self._filled("ones", f"np.ones({rows}, {named(w.dtype)})", rows * w.dtype.itemsize)
        return [f"np.dot({ones}, {x}, out=\0)"], []


def number_kind(value: Any, operands: Sequence[Any]) -> Any:
    """The float type of these operands if a number that meets them may be an array of that type, else None.

    A ufunc takes an array without dimensions in half the time of a number.
    """
    kinds = {w.dtype for w in operands}
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    plain = type(value) in (float, int, Scalar) or (isinstance(value, np.floating) and value.dtype == kind)
    return kind if plain and kind.kind == "f" else None


@functools.lru_cache(maxsize=1024)
def _result_of(kernel: Any, kinds: tuple[Any, ...], shapes: tuple[Any, ...]) -> Any:
    """The element type and the shape of a ufunc's result; None if it takes no such operands."""
    try:
        return kernel.resolve_dtypes((*kinds, None))[-1], np.broadcast_shapes(*shapes)
    except (TypeError, ValueError):
        return None


@functools.cache
def named(dtype: Any) -> str:
    """How a program names an element type; NumPy makes the name anew each time."""
    return f"np.{dtype.name}"


def as_text(made: Expr) -> str:
    if made.__class__ is ast.Name:
        return made.id
    if made.__class__ is ast.Attribute and made.value.__class__ is ast.Name:
        return f"{made.value.id}.{made.attr}"
    return ast.unparse(made)

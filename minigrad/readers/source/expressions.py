"""How an operation prints: as the NumPy calls of its kernel, in the same order, so that every bit agrees.

Where the record has a ``text``, that is it; a kernel that is a function of NumPy prints as a call of that; a
kernel that is a function of ours is printed into the head of the program, and called.  What depends on shapes
or element types, which a program knows, stands here.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import math
import textwrap
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core.op import NO_PARAMS, TABLE, Op
from minigrad.dtypes import F16, F32, F64
from minigrad.kernels.sums import FEW, MANY, VDOT, WIDE, blocks, copied, mean_square, square_sum, sum_rows
from minigrad.readers.source.program import VIEWS, Value

Expr = ast.expr

# ---------------------------------------------------------------- expressions


def literal(value: Any) -> Expr:
    """A Python or NumPy value as it is written in a program."""
    if isinstance(value, np.dtype):
        return ast.Name("bool") if value.kind == "b" else parsed(f"np.{value.name}")
    if isinstance(value, np.generic):
        value = float(str(value)) if value.dtype.kind == "f" else value.item()
    if isinstance(value, float) and value != value:
        return parsed("np.nan")
    if isinstance(value, float) and value in (np.inf, -np.inf):
        return parsed("np.inf" if value > 0 else "-np.inf")
    if isinstance(value, (tuple, list)):
        parts = [literal(v) for v in value]
        return ast.Tuple(parts) if isinstance(value, tuple) else ast.List(parts)
    if isinstance(value, (bool, int, float, str, type(None), type(Ellipsis))) and value is not Ellipsis:
        return parsed(repr(value))
    if isinstance(value, slice):
        return fill("slice({}, {}, {})", [literal(p) for p in (value.start, value.stop, value.step)])
    return ast.Constant(value)


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
    """An expression, which nobody may change: it is parsed once."""
    return ast.parse(text, mode="eval").body


def _filled_in(node: Any, given: dict[str, Expr]) -> Any:
    """A copy of a template, with expressions in place of the names in ``given``; a call without defaults."""
    if isinstance(node, list):
        return [_filled_in(n, given) for n in node]
    if not isinstance(node, ast.AST):
        return node
    if isinstance(node, ast.Name):
        found = given.get(node.id)
        return node if found is None else found
    made = node.__class__(*(_filled_in(getattr(node, f, None), given) for f in node._fields))
    if isinstance(made, ast.Call):
        made.keywords = [k for k in made.keywords if not _default(k)]
    return made


def _default(keyword: ast.keyword) -> bool:
    value = keyword.value
    return (keyword.arg, getattr(value, "value", 0)) in (("axis", None), ("keepdims", False))


def fill(text: str, operands: Sequence[Expr], **values: Any) -> Expr:
    """The expression ``text`` with operands in place of ``{}`` or ``{0}``, and values in place of ``{name}``."""
    given = {f"operand_{i}_": e for i, e in enumerate(operands)}
    named = {f"value_{k}_": v if isinstance(v, ast.expr) else literal(v) for k, v in values.items()}
    made: Expr = _filled_in(parsed(text.format(*given, **{k: f"value_{k}_" for k in values})), given | named)
    return made


def axis(dim: Any) -> Any:
    """One dimension as a number."""
    return dim[0] if isinstance(dim, tuple) and len(dim) == 1 else dim


# ---------------------------------------------------------------- what depends on shapes and element types


def _clamp(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    y = xs[0]
    for name, bound in (("np.maximum", v.params["min"]), ("np.minimum", v.params["max"])):
        if bound is not None:
            y = fill(name + "({}, {bound})", [y], bound=bound)
    return y


def _pow_scalar(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    n, floats = v.params["exponent"], v.inputs[0].dtype.kind == "f"
    if v.dtype == F16:
        return h.call(TABLE[v.op], xs, v.params)
    if n == 3:
        return fill("{0} * {0} * {0}", xs)
    if n == -2 and floats:
        return fill("np.reciprocal({0} * {0})", xs)
    if n == -0.5:
        return fill("1.0 / np.sqrt({})", xs)
    return fill("{} ** {n}" if v.shape else "np.asarray({}) ** {n}", xs, n=n)


def _whole(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    """Integers need the checks of the kernel; of numbers, an operator is not the function."""
    op = TABLE[v.op]
    if v.dtype.kind != "f" or op.text is None:
        return h.call(op, xs, v.params)
    text = _FLOAT_TEXTS.get(op.name)
    return fill(text if text and not v.shape else op.text or str(text), xs)


_FLOAT_TEXTS = {
    "floor_divide": "np.floor_divide({}, {})", "div_floor": "np.floor_divide({}, {})",
}  # fmt: skip


def summed_by_numpy(v: Value) -> bool:
    """Whether the kernel of a reduction adds as NumPy does by itself, however the operand lies."""
    x, count = v.inputs[0], _count(v.inputs[0], v.params["dim"])
    return x.dtype.kind != "f" or count <= FEW or (count == math.prod(x.shape) and _dense(x))


def _dense(v: Value) -> bool:
    """Whether an array is known to lie in memory without gaps or repetition."""
    while v.op in VIEWS and v.fill is None:
        if v.op not in ("reshape", "permute", "alias"):
            return False
        v = v.inputs[0]
    tensor = v.nodes[0].tensor if v.op == "parameter" and v.nodes else None
    t = tensor() if tensor is not None else None
    return t is None or bool(t._array.flags.forc)


def _sum(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    if not summed_by_numpy(v):
        return h.call(TABLE[v.op], xs, v.params)
    return _rounded(v, "np.sum({}, axis={dim}, keepdims={keepdim})", xs, **_reduced(v))


def _rounded(v: Value, text: str, xs: list[Expr], **values: Any) -> Expr:
    """A reduction as NumPy's; of float16 in float32, rounded once."""
    if v.dtype != F16:
        return fill(text, xs, **values)
    return fill("({}).astype(np.float16)", [fill(text, [fill("{}.astype(np.float32)", xs)], **values)])


def _mean(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    if not summed_by_numpy(v):
        return h.call(TABLE[v.op], xs, v.params)
    count = _count(v.inputs[0], v.params["dim"])
    return _rounded(v, "np.sum({}, axis={dim}, keepdims={keepdim}) / {n}", xs, n=count, **_reduced(v))


def _var(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    if not summed_by_numpy(v) or v.dtype == F16:
        return h.call(TABLE[v.op], xs, v.params)
    x, dim = v.inputs[0], v.params["dim"]
    n = _count(x, dim)
    kind = x.dtype.type
    text = "np.sum(np.square({0} - np.sum({0}, axis={dim}, keepdims=True) / {n}), axis={dim}, keepdims={keepdim}) / {m}"
    m = max(n - v.params["correction"], 0)
    with np.errstate(all="ignore"):
        y = fill(text, xs, n=_typed(kind(n)), m=_typed(kind(m)), **_reduced(v))
    return fill("np.sqrt({})", [y]) if v.op == "std" else y


def _prod(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    return _rounded(v, "np.prod({}, axis={dim})", xs, dim=v.params["dim"])


def _typed(number: Any) -> Expr:
    """A number that may not fit a weaker type's conversion: written with its type where it is no float64."""
    return literal(number) if np.isfinite(number) else fill("{t}({n})", [], t=literal(number.dtype), n=number)


def _count(x: Value, dim: Any) -> int:
    return math.prod(x.shape if dim is None else [x.shape[d] for d in dim])


def _reduced(v: Value) -> dict[str, Any]:
    return {"dim": axis(v.params["dim"]), "keepdim": v.params["keepdim"]}


def _spread(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    g, dim = v.inputs[0], v.params["dim"]
    if dim is not None and not v.params["keepdim"] and v.shape:
        kept = tuple(1 if d in dim else n for d, n in enumerate(v.shape))
        if kept != g.shape:
            return fill("np.broadcast_to({}.reshape({kept}), {shape})", xs, kept=kept, shape=v.shape)
    return fill("np.broadcast_to({}, {shape})", xs, shape=v.shape)


def _sum_to(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    x, shape = v.inputs[0], v.shape
    if len(shape) == 1 and len(x.shape) > 1 and shape[0] == x.shape[-1]:
        if x.shape[0] == 1 and len(x.shape) == 2:
            return at(xs[0], (0,))
        size = math.prod(x.shape)
        if x.dtype.char in "fd" and size > shape[0] > 1:
            rows = xs if len(x.shape) == 2 else [fill("{}.reshape(-1, {n})", xs, n=shape[0])]
            if size > shape[0] * MANY:
                return _blocks_summed(size // shape[0], shape[0], rows, h)
            ones = "np.ones({n})" if x.dtype == F64 else "np.ones({n}, {dtype})"
            return fill(f"np.dot({ones}, {{}})", rows, n=size // shape[0], dtype=x.dtype)
    lead = len(x.shape) - len(shape)
    inner = tuple(d + lead for d, n in enumerate(shape) if n == 1 and x.shape[d + lead] != 1)
    dims = (*range(lead), *inner)
    if not summed_by_numpy(Value("sum", (x,), {"dim": dims}, (), v.dtype, None)):
        return h.call(TABLE[v.op], xs, v.params)
    y = _rounded(v, "np.sum({}, axis={dim}, keepdims={keep})", xs, dim=axis(dims), keep=bool(inner))
    return fill("{}.reshape({shape})", [y], shape=shape) if inner and lead else y


def _blocks_summed(n: int, m: int, rows: list[Expr], h: Helpers) -> Expr:
    """A call of `sum_rows`; where that takes two products, of a function that says only these."""
    count, each = blocks(n, MANY)
    if count * each != n or each > MANY or m >= WIDE:
        return h.call(sum_rows, rows)
    lines = [
        f"blocks = np.dot(np.ones({count}, x.dtype), x.reshape({count}, -1)).reshape({each}, -1)",
        f"return np.dot(np.ones({each}, x.dtype), blocks)",
    ]
    return ast.Call(ast.Name(h.written("_sum_rows", ("x",), lines)), rows, [])


def _permute(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    axes = tuple(v.params["axes"])
    if axes == tuple(reversed(range(len(axes)))):
        return fill("{}.T", xs)
    if axes == (*range(len(axes) - 2), len(axes) - 1, len(axes) - 2):
        return fill("{}.mT", xs)
    return fill("np.transpose({}, {axes})", xs, axes=axes)


def _cat(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    kept = [x for x, i in zip(xs, v.inputs, strict=True) if len(i.shape) == len(v.shape)]
    return fill("np.concatenate({xs}, axis={dim})", [], xs=ast.List(kept), dim=v.params["dim"])


def _stack(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    return fill("np.stack({xs}, axis={dim})", [], xs=ast.List(xs), dim=v.params["dim"])


def _scan(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    x, dtype = xs[0], np.dtype(v.params["dtype"])
    wide = {F16: F32, F32: F64}.get(dtype, dtype)
    if v.inputs[0].dtype != dtype:
        x = fill("{}.astype({dtype})", [x], dtype=dtype)
    name = "np.cumsum" if v.op == "cumsum" else "np.cumprod"
    if wide == dtype:
        return fill(name + "({}, axis={dim}, dtype={dtype})" if dtype.kind != "f" else name + "({}, axis={dim})",
                    [x], dim=v.params["dim"], dtype=dtype)  # fmt: skip
    text = name + "({}, axis={dim}, dtype={wide}).astype({dtype})"
    return fill(text, [x], dim=v.params["dim"], wide=wide, dtype=dtype)


def _index(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    todo, pattern = iter(xs[1:]), v.params["pattern"]
    if len(xs) == 2 and not all(pattern) and v.inputs[1].dtype.kind != "b":
        return fill("np.take({}, {}, axis={d})", xs, d=len(pattern) - 1)
    made = at(xs[0], [next(todo) if here else slice(None) for here in pattern])
    return made if all(pattern) else fill("np.ascontiguousarray({})", [made])


def _matmul(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    both = all(len(i.shape) == 2 for i in v.inputs)
    if both and has_single(v):
        return fill("{} * {}", xs)
    return fill("np.dot({}, {})" if both else "{} @ {}", xs)


def has_single(v: Value) -> bool:
    """Whether a factor of a product is one element, which `linalg.product` leaves to a multiplication."""
    return any(math.prod(i.shape) == 1 for i in v.inputs[:2])


def _linear(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    if len(v.inputs[0].shape) == 2 and has_single(v):
        return fill("{} * {}.T + {}", xs)
    return fill("np.dot({}, {}.T) + {}" if len(v.inputs[0].shape) == 2 else "{} @ {}.T + {}", xs)


def _relu(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    return fill("np.maximum({}, {zero})", xs, zero=0.0 if v.dtype.kind == "f" else 0)


def _relu_backward(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    # The kernel masks bits where that is faster. What it gives is the same: g or 0, bit for bit, in the
    # order in memory that the mask has, which np.where only chooses where that is by rows.
    if v.params:
        lines = ["d = np.empty_like(y)", "d[...] = np.where(y <= 0.0, 0.0, g)", "return d"]
        return ast.Call(ast.Name(h.written("_relu_backward", ("g", "y"), lines)), xs, [])
    return fill("np.where({} <= 0.0, 0.0, {})", xs[::-1])


def _mean_square(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    if v.dtype == F16:
        return h.call(mean_square, xs)
    return fill("{} / {n}", [squares(v, xs, h)], n=_count(v.inputs[0], None))


def squares(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    """The sum of the squares of all elements."""
    if v.dtype == F16 or _count(v.inputs[0], None) > VDOT:
        return h.call(square_sum, xs)
    return fill("np.vdot({0}, {0})", xs)


def _view_scatter(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    part: Expr = ast.Name("out")
    shape = v.shape
    for op, params in v.params["path"]:
        step = Value(op.name, (Value("", (), {}, shape, v.dtype, None),), params, (), v.dtype, None)
        shape = op.kernel(np.broadcast_to(np.zeros((), v.dtype), shape), **params).shape
        step.shape = shape
        index = params.get("index")
        if op.name == "slice" and Ellipsis not in index and all(isinstance(k, int) for k in index):
            step.params = {"index": (*index, Ellipsis)}  # a number would not be a view
        if op.name == "expand":  # np.broadcast_to gives what cannot be written to
            part = h.call(op, [part], params)
        elif op.name != "alias":
            part = expression(step, [part], h)
    lines = ["out = np.array(x)", f"{ast.unparse(at(part, (Ellipsis,)))} = v", "return out"]
    return ast.Call(ast.Name(h.written("_view_scatter", ("x", "v"), lines)), xs, [])


# By operation: what takes an element type, a shape or a branch into account.
_SPECIAL: dict[str, Callable[[Value, list[Expr], Helpers], Expr]] = {
    "clamp": _clamp, "pow_scalar": _pow_scalar, "pow": _whole, "floor_divide": _whole,
    "div_floor": _whole, "trunc_divide": _whole, "remainder": _whole, "fmod": _whole, "sum": _sum,
    "mean": _mean, "prod": _prod, "var": _var, "std": _var,
    "spread": _spread, "sum_to": _sum_to, "permute": _permute, "cat": _cat, "stack": _stack,
    "cumsum": _scan, "cumprod": _scan, "index": _index, "matmul": _matmul, "linear": _linear,
    "relu": _relu, "relu_backward": _relu_backward, "mean_square": _mean_square,
    "view_scatter": _view_scatter, "slice": lambda v, xs, h: at(xs[0], v.params["index"]),
}  # fmt: skip

REPEATS = ("pow_scalar", "mean_square", "var", "std")  # these name their operand more than once


def expression(v: Value, xs: list[Expr], h: Helpers) -> Expr:
    """What stands right of the ``=``."""
    op = TABLE.get(v.op)
    made = _expression(v, xs, h, op)
    if op is not None and op.rows and len(v.shape) > 1 and any(map(may_turn, v.inputs)):
        return fill("np.ascontiguousarray({})", [made])
    return made


def repeats(v: Any) -> bool:
    """Whether elements of an array may share memory."""
    while v.__class__ is Value and v.op in VIEWS and v.fill is None:
        if v.op in ("expand", "spread"):
            return True
        v = v.inputs[0]
    return False


def may_turn(v: Any) -> bool:
    """Whether an array may lie in memory otherwise than row by row, for all that is known."""
    if repeats(v):  # NumPy takes what only repeats for the innermost
        return True
    todo, seen = [v], 0
    while todo and seen < 32:
        w, seen = todo.pop(), seen + 1
        if w.__class__ is not Value or w.fill is not None or w.op in ("linear", "matmul"):
            continue
        if w.op in TABLE and TABLE[w.op].rows:
            continue
        if w.op == "permute":
            return True
        if w.op == "parameter":
            tensor = w.nodes[0].tensor if w.nodes else None
            t = tensor() if tensor is not None else None
            if t is not None and not t._array.flags.c_contiguous:
                return True
        todo.extend(w.inputs)
    return bool(todo)


def _expression(v: Value, xs: list[Expr], h: Helpers, op: Any) -> Expr:
    special = _SPECIAL.get(v.op)
    if special is not None:
        return special(v, xs, h)
    if op.kernel is copied and repeats(v.inputs[0]):
        text = "{}.astype({dtype}, order='C')" if "dtype" in v.params else "np.array({}, order='C')"
        return fill(text, xs, **v.params)
    rounds = v.dtype == F16 and isinstance(op.kernel, types.FunctionType) and op.kernel.__name__ != "<lambda>"
    if op.text is not None and not rounds:  # a kernel of several steps rounds float16 once
        return fill(op.text, xs, **{k: axis(p) if k == "dim" else p for k, p in v.params.items()})
    name = f"np.{getattr(op.kernel, '__name__', '')}"
    if getattr(np, name[3:], None) is op.unchecked:
        return ast.Call(parsed(name), xs, [ast.keyword(k, literal(p)) for k, p in v.params.items()])
    return h.call(op, xs, v.params)


def constant(array: Any) -> Expr:
    """An array that a rule makes from shapes alone."""
    flat = np.squeeze(array)
    if flat.ndim == 2 and flat.dtype == bool and flat.shape[0] == flat.shape[1]:
        for name in ("eye", "tri"):
            if np.array_equal(flat, getattr(np, name)(len(flat), dtype=bool)):
                made = fill(f"np.{name}({{n}}, dtype=bool)", [], n=len(flat))
                return made if array.ndim == 2 else fill("{}.reshape({shape})", [made], shape=array.shape)
    return fill("np.array({values}, dtype={dtype})", [], values=array.tolist(), dtype=array.dtype)


def filled(v: Value) -> Expr:
    """One number seen many times, as an array that repeats it without holding it more than once."""
    if not v.shape:
        return number(v)
    one = literal(v.fill) if v.dtype == F64 or v.dtype.kind == "b" else number(v)
    return fill("np.broadcast_to({one}, {shape})", [], one=one, shape=v.shape)


def number(v: Value) -> Expr:
    """A number with its type."""
    return fill("{t}({n})", [], t=v.dtype, n=v.fill)


def whole(v: Value) -> Expr:
    """An array of its own, all of whose elements equal one number."""
    names = {0: "np.zeros", 1: "np.ones"}
    name = names.get(v.fill)
    rest = ", {dtype})" if v.dtype != F64 else ")"
    if name is not None:
        return fill(name + "({shape}" + rest, [], shape=v.shape, dtype=v.dtype)
    return fill("np.full({shape}, {n}" + rest, [], shape=v.shape, n=v.fill, dtype=v.dtype)


# ---------------------------------------------------------------- functions in the program's head


class Helpers:
    """The functions that a program needs: kernels of ours as they stand in the package, without annotations."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._names: dict[Any, str] = {}

    def call(self, op: Any, xs: list[Expr], params: dict[str, Any] = NO_PARAMS) -> Expr:
        """A call of a function, or of an op's kernel. NotImplementedError if that could not be printed."""
        name = self._function(op.kernel, op) if isinstance(op, Op) else self._function(op, op)
        keywords = []
        for k, p in params.items():
            value = ast.Subscript(parsed("np.s_"), key(p)) if k == "index" and _slices(p) else literal(p)
            keywords.append(ast.keyword(k, value))
        return ast.Call(ast.Name(name), xs, keywords)

    def written(self, name: str, arguments: Sequence[str], lines: Sequence[str]) -> str:
        """A function with these lines; its name."""
        found = self._names.get(tuple(lines))
        if found is None:
            count = sum(t.startswith(f"def {name}") for t in self.texts.values())
            found = self._names[tuple(lines)] = name if not count else f"{name}_{count + 1}"
            body = "\n".join(f"    {line}" for line in lines)
            self.texts[found] = f"def {found}({', '.join(arguments)}):\n{body}"
        return found

    def _function(self, function: Any, op: Any) -> str:
        function = inspect.unwrap(function)  # what is remembered between calls need not be in a program
        if function in self._names:
            return self._names[function]
        if (
            not isinstance(function, types.FunctionType)
            or function.__name__ == "<lambda>"
            or function.__closure__
        ):
            raise NotImplementedError(
                f"source(): the operation {op.name} cannot be printed: its kernel is neither a function of NumPy "
                "nor one of a module; give its record a text="
            )
        name = self._names[function] = "_" + function.__name__.lstrip("_")
        tree: Any = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        tree.decorator_list = []
        tree = ast.fix_missing_locations(_Plain(function, self, op).visit(tree))
        self.texts[name] = ast.unparse(tree)  # the functions that it calls stand before it
        return name


def _slices(index: object) -> bool:
    return isinstance(index, tuple) and any(isinstance(k, slice) or k is Ellipsis for k in index)


class _Plain(ast.NodeTransformer):
    """A function without annotations, in which every global name is NumPy's or that of a helper."""

    def __init__(self, function: types.FunctionType, helpers: Helpers, op: Any) -> None:
        self.globals, self.helpers, self.op = function.__globals__, helpers, op
        self.local = set(function.__code__.co_varnames) | set(function.__code__.co_cellvars)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.name, node.returns = "_" + node.name.lstrip("_"), None
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
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        f: Any = node.func
        if ast.unparse(f) == "math.prod":
            return fill("int(np.prod({}))", node.args)  # a program imports NumPy alone
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        name = node.id
        if name in self.local or name not in self.globals or name == "np":
            return node
        value = self.globals[name]
        if value is math:
            return node
        owner = getattr(value, "__self__", None)
        if isinstance(owner, np.ufunc):
            return parsed(f"np.{owner.__name__}.{value.__name__}")
        if isinstance(inspect.unwrap(value) if callable(value) else value, types.FunctionType):
            return ast.Name(self.helpers._function(value, self.op), node.ctx)
        if isinstance(value, np.dtype):
            return fill("np.dtype({t})", [], t=value)
        if value.__class__ is int:
            return literal(value)
        raise NotImplementedError(
            f"source(): the operation {self.op.name} cannot be printed: its kernel reads {name}, which is neither "
            "NumPy's nor a function; give its record a text="
        )

"""Operations of networks that have a record of their own because it is measured to pay."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from minigrad import buffers
from minigrad.core import names
from minigrad.core.basic import clone
from minigrad.core.op import Array, Op
from minigrad.core.plans import OUT, PART, Line, Lines, Part, Target, named, narrow, wide
from minigrad.core.text import Call, Helper, Text
from minigrad.dtypes import BOOL, F32, F64
from minigrad.kernels import sums
from minigrad.kernels.order import by_steps, inverse
from minigrad.kernels.sums import VDOT
from minigrad.kernels.sums import mean_square as mean_of_squares
from minigrad.ops.elementwise import sub, zero
from minigrad.ops.linalg import LARGE, has_single, joined, joined_into, product, product_into, times
from minigrad.ops.shape import reshape

_BLOCK = 1 << 16  # elements; a mask of as many bytes stays in the cache and is no large array
_ROW = 1 << 13  # elements; with rows of 4096, NumPy takes half as long again
_FEW = 1 << 9  # elements up to which a comparison with a number is as fast as with an array
TILED = 1 << 15  # elements from which they pay for a sum with a bias, which has to be repeated for it
_BITS = {"f": np.int32, "d": np.int64}
# A ufunc takes an array without dimensions in half the time of a Python number.
_ZERO = {kind: np.zeros((), kind) for kind in _BITS}
_ONE = {"b": np.ones((), np.int8)}


def _linear(x: Array, w: Array, b: Array) -> Array:
    # `product` spelt out: its call costs a tenth of it
    small = x.ndim == 2 and x.shape[0] * w.shape[0] < LARGE and x.size != 1 != w.size
    y: Array = x.dot(w.T) if small else product(x, w.T)
    if y.size < TILED or b.size > _ROW or not y.flags.c_contiguous:
        y += b  # in place: a large temporary costs more than the sum
    else:
        _add_rows(y.reshape(-1, b.size), b)
    return y


@functools.lru_cache(maxsize=256)
def together(rows: int, n: int) -> int:
    """How many rows of ``n`` elements to take for one, in an array of ``rows`` of them; best a divisor of that."""
    usual = -(-_ROW // n)
    near = range(max(1, usual - min(usual // 4, 128)), usual + min(usual, 128) + 1)
    return next((k for k in near if rows % k == 0), usual)


@functools.lru_cache(maxsize=256)
def long_row(size: int, n: int) -> int:
    """Elements of a row of zeros to compare an array of ``size`` with, whose last axis has ``n``."""
    return together(size // n, n) * n if n <= _ROW else _ROW


def _add_rows(y: Array, b: Array) -> None:
    """``y += b``, with ``b`` repeated so often that NumPy's inner loop is long: it takes half the time then."""
    count = together(*y.shape)
    tile = np.empty((count, b.size), b.dtype)
    tile[...] = b
    whole = len(y) - len(y) % count
    long = y[:whole].reshape(-1, tile.size)
    np.add(long, tile.reshape(-1), out=long)
    if whole < len(y):
        y[whole:] += b


def _weight_vjp(g: Any, x: Any) -> Any:
    if g.__class__ is np.ndarray and g.ndim == 2 and x.__class__ is np.ndarray:
        return product(g.T, x)
    if len(g.shape) == 2:
        return times(g.T, x)
    rows = math.prod(g.shape[:-1])  # all leading dimensions as one
    return times(reshape(g, shape=(rows, g.shape[-1])).T, reshape(x, shape=(rows, x.shape[-1])))


@functools.lru_cache(maxsize=16)
def _zeros(shape: int | tuple[int, ...], kind: str) -> Array:
    return np.zeros(shape, kind)


def _relu(x: Array) -> Array:
    kind = x.dtype.char
    zero = _ZERO.get(kind)
    if zero is None:
        return np.maximum(x, 0)
    if x.size < _FEW:
        return np.maximum(x, zero)
    if not x.flags.c_contiguous:
        rows = x.transpose(axes := by_steps(x))
        return _relu(rows).transpose(inverse(axes)) if rows.flags.c_contiguous else np.maximum(x, zero)
    # NumPy compares two arrays up to three times as fast as an array and a number.
    if x.size <= _ROW:
        return np.maximum(x, _zeros(x.shape, kind))
    y = buffers.empty(x.shape, x.dtype)
    row = long_row(x.size, x.shape[-1])
    if x.size % row == 0:
        np.maximum(x.reshape(-1, row), _zeros(row, kind), out=y.reshape(-1, row))
        return y
    flat, out = x.reshape(-1), y.reshape(-1)
    whole = flat.size - flat.size % row
    np.maximum(flat[:whole].reshape(-1, row), _zeros(row, kind), out=out[:whole].reshape(-1, row))
    np.maximum(flat[whole:], zero, out=out[whole:])
    return y


def _passed(y: Array) -> Array:
    """-1, all bits, where a gradient passes, and 0 elsewhere: as int8."""
    small = np.asarray(np.less_equal(y, _ZERO[y.dtype.char])).view(np.int8)  # nan is not less: it passes
    return np.subtract(small, _ONE["b"], small)


def _relu_backward(g: Any, y: Any) -> Any:
    if y.size < 512:
        return np.where(np.less_equal(y, 0.0), 0.0, g)  # fewer calls
    # A mask of bits, not a product with booleans: as fast, and inf or nan in g do not pass where y is 0.
    return np.bitwise_and(g.view(_BITS[y.dtype.char]), _passed(y)).view(y.dtype)


def _relu_consume(g: Array, y: Array) -> Array:
    """`_relu_backward` written over ``g``, in blocks that stay in the cache; ``y`` is what relu gave."""
    kind = y.dtype.char
    if g.size < 1024:
        np.putmask(g, np.equal(y, _ZERO[kind]), _ZERO[kind])
    elif g.size <= _BLOCK:
        # The bits times 0 or 1: inf and nan in g become 0 too.  y is not negative, and where it is nan, g passes.
        bits = g.view(_BITS[kind])
        np.multiply(bits, np.not_equal(y, _ZERO[kind]), bits)
    elif g.flags.c_contiguous and y.flags.c_contiguous:
        flat, values = g.reshape(-1).view(_BITS[kind]), y.reshape(-1)
        for k in range(0, g.size, _BLOCK):
            part = flat[k : k + _BLOCK]
            np.multiply(part, np.not_equal(values[k : k + _BLOCK], _ZERO[kind]), part)
    else:
        return _relu_backward(g, y)
    return g


def _mse(a: Array, b: Array) -> Any:
    return mean_of_squares(np.asarray(np.subtract(a, b)))


def _mse_vjp(g: Any, a: Any, b: Any) -> Any:
    d = a - b
    return d * (g * (2.0 / max(math.prod(d.shape), 1)))


# ---------------------------------------------------------------- into memory that is there


def _linear_into(t: Target) -> Lines | None:
    x, w, b = t.operands
    if t.filled:
        return None
    if len(x.shape) == 2:
        product = Line(product_into(t), (x.text, t.turned(1)))
        if math.prod(t.shape) == 1:  # to add to a single element in place takes NumPy twice as long
            return Lines(
                [Line("np.add", (f"{product.function}({', '.join(product.arguments)})", t.level(2)))]
            )
        lines, setup = _bias_into(t, t.level(2))
        return Lines([product, *lines], setup)
    if not joined(x.shape, w.shape[::-1]) or not t.own():
        return None
    lines, setup = _bias_into(t, b.text, f"{OUT}_rows")
    line, flat = joined_into(x, t.turned(1), t.shape)
    return Lines([line, *lines], [flat, *setup])


def _bias_into(t: Target, b: str, out: str = OUT) -> tuple[list[Line], list[Line]]:
    """``+= b``; to a large value in long rows, with ``b`` repeated: NumPy takes half the time then."""
    rows, n = math.prod(t.shape[:-1]), t.shape[-1]
    if math.prod(t.shape) < TILED or n > _ROW or not t.own():
        return [Line("np.add", (out, b), out)], []
    count = together(rows, n)
    tile = t.lasting("tile", f"np.empty(({count}, {n}), np.{t.dtype.name})", count * n * t.dtype.itemsize)
    whole = rows - rows % count
    long, rest = f"{OUT}_long", f"{OUT}_rest"
    setup = [named(long, f"{out}[:{whole}].reshape(-1, {count * n})")]
    lines = [Line("np.copyto", (b,), tile, "first"), Line("np.add", (long, f"{tile}.reshape(-1)"), long)]
    if whole < rows:
        setup.append(named(rest, f"{out}[{whole}:]"))
        lines.append(Line("np.add", (rest, b), rest))
    return lines, setup


def _relu_into(t: Target) -> Lines | None:
    """The maximum with 0; of a large value with rows of zeros, which NumPy compares faster than with a number."""
    [x], size = t.operands, math.prod(t.shape)
    if t.filled or t.dtype.kind != "f":
        return None
    part = t.shape
    while math.prod(part) > _ROW:
        part = part[1:]
    if size < _FEW or (not x.planned and math.prod(part) < _FEW // 2):
        return Lines([Line("np.maximum", (x.text, t.number(0.0)))])
    if size <= _ROW or not x.planned:
        zeros = t.lasting(
            "zeros", f"np.zeros({part!r}, np.{t.dtype.name})", math.prod(part) * t.dtype.itemsize
        )
        return Lines([Line("np.maximum", (x.text, zeros))])
    if not t.own():
        return None
    row = long_row(size, t.shape[-1])
    zeros = t.lasting("zeros", f"np.zeros({row}, np.{t.dtype.name})", row * t.dtype.itemsize)
    whole = size - size % row
    if whole == size:
        setup = [
            named(f"{OUT}_long", f"{OUT}.reshape(-1, {row})"),
            named(f"{OUT}_from", f"{x.text}.reshape(-1, {row})"),
        ]
        return Lines([Line("np.maximum", (f"{OUT}_from", zeros), f"{OUT}_long")], setup)
    setup = [
        named(f"{OUT}_long", f"{OUT}.reshape(-1)[:{whole}].reshape(-1, {row})"),
        named(f"{OUT}_from", f"{x.text}.reshape(-1)[:{whole}].reshape(-1, {row})"),
        named(f"{OUT}_rest", f"{OUT}.reshape(-1)[{whole}:]"),
        named(f"{OUT}_rest_from", f"{x.text}.reshape(-1)[{whole}:]"),
    ]
    lines = [
        Line("np.maximum", (f"{OUT}_from", zeros), f"{OUT}_long"),
        Line("np.maximum", (f"{OUT}_rest_from", f"{zeros}[:{size - whole}]"), f"{OUT}_rest"),
    ]
    return Lines(lines, setup)


def _relu_backward_into(t: Target) -> Lines | None:
    """Bits times 0 or 1, so that inf and nan do not pass where the mask is 0; the mask is all that is kept of ``a``."""
    d, a = t.operands
    if t.dtype not in (F32, F64) or not t.own():
        return None
    zero, bits = t.number(0.0), "np.int32" if t.dtype == F32 else "np.int64"
    if a.op is relu:  # never negative; nan passes
        mask = [Line("np.not_equal", (a.text, zero), PART)]
    else:
        mask = [Line("np.less_equal", (a.text, zero), PART), Line("np.logical_not", (PART,), PART)]
    source, setup = f"{d.text}.view({bits})", list[Line]()
    if d.planned:
        setup.append(named(f"{OUT}_from", source))
        source = f"{OUT}_from"
    setup.append(named(f"{OUT}_bits", f"{OUT}.view({bits})"))
    lines, factor, size = list[Line](), f"{OUT}_small", math.prod(t.shape)
    if size <= _ROW:  # a ufunc of two types takes longer by its buffers
        factor = t.lasting("wide", f"np.empty({t.shape!r}, {bits})", size * t.dtype.itemsize)
        lines.append(named(f"{factor}[...]", PART))
    else:
        setup.append(named(factor, f"{PART}.view(np.int8)"))
    lines.append(Line("np.multiply", (source, factor), f"{OUT}_bits"))
    return Lines(lines, setup, Part("mask", BOOL, mask, 1))


# ---------------------------------------------------------------- by Numba


def _relu_backward_numba(t: Target) -> str:
    (d, a), zero = t.operands, t.number(0.0)
    return f"np.where({a.text} <= {zero}, {zero}, {d.text})"


def _square_sum_numba(t: Target) -> str:
    x = f"{wide(t)}.ravel()"
    return narrow(t, f"np.dot({x}, {x})")


def _mean_square_numba(t: Target) -> str:
    return f"{_square_sum_numba(t)} / {t.number(float(math.prod(t.operands[0].shape)))}"


# ---------------------------------------------------------------- how they print


def _linear_text(v: Call) -> Text:
    if len(v.shapes[0]) != 2:
        if not joined(v.shapes[0], v.shapes[1][::-1]):
            return "{} @ {}.T + {}"
        rows = (-1, v.shapes[0][-1])
        return "({}.reshape({rows}) @ {}.T).reshape({full}) + {}", {"rows": rows, "full": v.shape}
    return "{} * {}.T + {}" if has_single(v.shapes) else "np.dot({}, {}.T) + {}"


def _relu_backward_text(v: Call) -> Text:
    # The kernel masks bits where that is faster. What it gives is the same: g or 0, bit for bit, in the
    # order in memory that the mask has, which np.where only chooses where that is by rows.
    if v.turned:
        lines = ("d = np.empty_like(y)", "d[...] = np.where(y <= 0.0, 0.0, g)", "return d")
        return "{f}({}, {})", {"f": Helper("_relu_backward", "g, y", lines)}
    return "np.where({1} <= 0.0, 0.0, {0})"


def _square_sum_text(v: Call) -> Text:
    if math.prod(v.shapes[0]) > VDOT:
        return None
    return "np.vdot({0}, {0})"


def _mean_square_text(v: Call) -> Text:
    squares = _square_sum_text(v) or "{square_sum}({})"
    return f"{squares} / {{n}}", {"n": math.prod(v.shapes[0]), "square_sum": sums.square_sum}


# fmt: off
linear = Op("linear", _linear, "x w b", lambda g, w: times(g, w), _weight_vjp, lambda g: g,
             costs=lambda y, x, w, b: math.prod(y) * x[-1], order="C", apart=clone, text=_linear_text,
            into=_linear_into, numba="np.dot({}, {}.T) + {}", grad_fn=names.of_linear,
            edges=names.edges_of_linear, complex="analytic", derives={"x": "g @ w"}, batch="layer")
relu = Op("relu", _relu, "x", lambda g, y: relu_backward(g, y), consume=_relu_consume, elementwise=True,
          activation=True, text=lambda v: "np.maximum({}, 0.0)" if v.dtype.kind == "f" else "np.maximum({}, 0)",
          cast="same", refuse={"b": "Boolean inputs not supported for relu"},
          public="relu relu_", doc="``max(input, 0)``; gradient 0 at 0. RuntimeError for bool.",
          into=_relu_into, numba=lambda t: f"np.maximum({t.operands[0].text}, {t.number(0.0)})")
relu_backward: Op = Op("relu_backward", _relu_backward, "d a", lambda g, a: relu_backward(g, a),
                       lambda g: zero(g), elementwise=True, lies_like=1, text=_relu_backward_text,
                       into=_relu_backward_into, numba=_relu_backward_numba)
# Without rules: parts of programs.
square_sum = Op("square_sum", sums.square_sum, "x", order="C", text=_square_sum_text, twice=True,
                numba=_square_sum_numba)
mean_square = Op("mean_square", sums.mean_square, "x", order="C", text=_mean_square_text, twice=True,
                 numba=_mean_square_numba)
mse_loss = Op("mse_loss", _mse, "a b", _mse_vjp, lambda g, a, b: -_mse_vjp(g, a, b), cast="floats",
              order="C", parts=((sub, (0, 1), "difference"), (mean_square, (-1,), "")), batch="mean_of_squares")
# fmt: on

"""Elementwise operations: arithmetic, functions of one number, comparisons, choices.

Read a line as: name, NumPy kernel, inputs, then for each input the gradient of it.
"""

from __future__ import annotations

import builtins
import math
from typing import Any, NoReturn

import numpy as np

from minigrad.core.op import Array, Op
from minigrad.core.plans import Target
from minigrad.errors import runtime_error

_LN2, _LN10 = math.log(2), math.log(10)  # Python floats: NumPy's would widen float32

# ---------------------------------------------------------------- kernels that NumPy lacks


def _sigmoid(x: Array) -> Array:
    if x.dtype.char == "e":  # several steps that round once, here and below
        return _sigmoid(x.astype(np.float32)).astype(np.float16)
    # exp of a negative number only, so it never overflows
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def _rsqrt(x: Array) -> Array:
    if x.dtype.char == "e":
        return _rsqrt(x.astype(np.float32)).astype(np.float16)
    return 1.0 / np.sqrt(x)


def _pow_scalar(x: Array, exponent: float) -> Array:
    if x.dtype.char == "e" and exponent in (3, -2, -0.5):
        return _pow_scalar(x.astype(np.float32), exponent).astype(np.float16)
    if exponent == 3:
        return x * x * x  # np.power takes thirty times as long
    if exponent == -2:
        return np.reciprocal(x * x) if np.result_type(x).kind == "f" else x**exponent
    if exponent == -0.5:
        return 1.0 / np.sqrt(x)
    return x**exponent


def _lerp(a: Array, b: Array, w: Any) -> Any:
    if a.dtype.char == "e":
        weight = np.float32(w) if np.ndim(w) == 0 else w.astype(np.float32)
        return _lerp(a.astype(np.float32), b.astype(np.float32), weight).astype(np.float16)
    d = b - a
    if np.ndim(w) == 0:  # PyTorch: from the nearer end, so that both ends are hit
        return a + w * d if np.abs(w) < 0.5 else b - d * (1.0 - w)
    return np.where(np.abs(w) < 0.5, a + w * d, b - d * (1.0 - w))


def _clamp(x: Array, min: float | None, max: float | None) -> Array:
    # PyTorch: the upper bound wins where the two cross; at least one is not None
    if min is None:
        return np.minimum(x, max)
    y = np.maximum(x, min)
    return y if max is None else np.minimum(y, max)


def _sign(x: Array) -> Array:
    # PyTorch: the sign of nan is 0. np.sign takes three times as long.
    return np.subtract(np.greater(x, 0).view(np.int8), np.less(x, 0).view(np.int8)).astype(x.dtype)


def _power(a: Array, b: Array) -> Array:
    whole = np.result_type(a, b)
    if whole.kind not in "iu" or np.greater_equal(b, 0).all():
        return np.power(a, b)
    # PyTorch: an integer to a negative power is 0, unless it is 1 or -1
    y = np.power(a, np.abs(b))
    return np.where(np.less(b, 0) & np.not_equal(np.abs(a), 1), y.dtype.type(0), y)


def _whole_by_zero(a: Array, b: Array) -> None:
    if np.result_type(a, b).kind in "iu" and np.size(a) and np.equal(b, 0).any():
        raise ZeroDivisionError("ZeroDivisionError: integer division by zero")


def _floor_divide(a: Array, b: Array) -> Array:
    _whole_by_zero(a, b)
    return np.floor_divide(a, b)


def _remainder(a: Array, b: Array) -> Array:
    _whole_by_zero(a, b)
    y = np.remainder(a, b)
    if y.dtype.kind != "f":
        return y
    return np.where(np.equal(y, 0), np.copysign(y, a), y)  # PyTorch: a zero with the sign of a


def _fmod(a: Array, b: Array) -> Array:
    _whole_by_zero(a, b)
    return np.fmod(a, b)


def _trunc_divide(a: Array, b: Array) -> Any:
    _whole_by_zero(a, b)
    if np.result_type(a, b).kind in "iu":
        q = np.floor_divide(a, b)
        return q + ((np.remainder(a, b) != 0) & ((np.less(a, 0)) != (np.less(b, 0)))).astype(q.dtype)
    return np.trunc(np.true_divide(a, b))


def times(x: Any, factor: Any) -> Any:
    """``x * factor`` in a rule; an array of float16 times a number in float32, as an operation has it."""
    if isinstance(x, np.ndarray) and x.dtype.char == "e" and isinstance(factor, (int, float)):
        return (x.astype(np.float32) * factor).astype(np.float16)
    return x * factor


def _no_derivative(g: object) -> NoReturn:
    # PyTorch's choice for //, while div(..., rounding_mode="floor") is flat: a loss that hangs on // alone
    # is a mistake more often than not
    raise runtime_error(
        "derivative for floor_divide (the // operator) is not implemented; use div(a, b, rounding_mode='floor'), "
        "whose gradient is 0, or detach() what it is made of"
    )


def _inverse_square(a: Any, b: Any) -> Any:
    r = a * a + b * b
    return where(eq(r, 0.0), 0.0, 1.0 / r)


def _inside(x: Any, min: float | None, max: float | None) -> Any:
    if min is None:
        return le(x, max)
    return ge(x, min) if max is None else logical_and(ge(x, min), le(x, max))


def _tie(g: Any, loses: Any, same: Any) -> Any:
    """Half of g where the two are equal, none where the input loses, else (also at nan) all."""
    return where(same, g * 0.5, where(loses, 0.0, g))


def _pow_base(g: Any, a: Any, b: Any) -> Any:
    # 0 * inf at a == 0 must not spoil the constant function a ** 0
    return where(eq(b, 0.0), 0.0, g * (b * pow(a, b - 1.0)))


def _pow_exponent(g: Any, a: Any, b: Any, y: Any) -> Any:
    # of a Python number a Python number: NumPy's would widen float32
    log_a = float(np.log(a)) if isinstance(a, (int, float)) else log(a)
    return where(logical_and(eq(a, 0.0), ge(b, 0.0)), 0.0, g * (y * log_a))


def _twice(x: Any) -> Any:
    # PyTorch: the derivative is a power again, so a constant one still depends on x, with a gradient of 0
    return x * 2.0 if x.__class__ is np.ndarray else pow_scalar(x, exponent=1) * 2.0


def _pow_scalar_rule(g: Any, x: Any, exponent: float) -> Any:
    if exponent == 0:
        return zero(g)
    if exponent == 2:
        return g * _twice(x)
    return g * times(pow_scalar(x, exponent=exponent - 1), float(exponent))


# ---------------------------------------------------------------- for Numba, which computes with float64 where it can


def _remainder_numba(t: Target) -> str | None:
    if t.dtype.kind != "f":
        return None
    a, b = (x.text for x in t.operands)
    y, zero = f"np.remainder({a}, {b})", t.number(0.0)
    return f"np.where({y} == {zero}, np.copysign({zero}, {a}), {y})"


def _lerp_numba(t: Target) -> str:
    (a, b, w), weight = (x.text for x in t.operands), t.operands[2].value
    near, far = f"{a} + {w} * ({b} - {a})", f"{b} - ({b} - {a}) * ({t.number(1.0)} - {w})"
    if type(weight) in (float, int):
        return near if builtins.abs(weight) < 0.5 else far
    return f"np.where(np.abs({w}) < {t.number(0.5)}, {near}, {far})"


def _where_numba(t: Target) -> str:
    typed = t.dtype.kind == "f"
    texts = (x.text if x.value is None or not typed else t.number(float(x.value)) for x in t.operands)
    return f"np.where({', '.join(texts)})"


# ---------------------------------------------------------------- the table

# fmt: off
# arithmetic
add = Op("add", np.add, "a b", lambda g: g, lambda g: g, cast="same", text="{} + {}", fold=True)
sub = Op("sub", np.subtract, "a b", lambda g: g, lambda g: -g, cast="same", text="{} - {}", fold=True)
mul = Op("mul", np.multiply, "a b", lambda g, b: g * b, lambda g, a: g * a, cast="same",
         text="{} * {}", fold=True, unit=1, wide=True)
div: Op = Op("div", np.true_divide, "a b", lambda g, b: g / b, lambda g, a, b: -g * (div(a, b) / b), cast="float",
         text="{} / {}", fold=True, wide=True)  # the quotient is not kept: it may be changed in place
neg  = Op("neg", np.negative,    "x",   lambda g: -g,           text="-{}", fold=True)
pow  = Op("pow", _power,         "a b", _pow_base, _pow_exponent, cast="number",
         text="np.power({}, {})", elementwise=True,
         raises=True, new=True)
pow_scalar      = Op("pow_scalar", _pow_scalar, "x; exponent", _pow_scalar_rule, elementwise=True,
                     new=True)
floor_divide    = Op("floor_divide", _floor_divide, "a b", _no_derivative, _no_derivative,
                     cast="number", text="{} // {}", elementwise=True, wide=True,
                     raises=True, new=True)
div_floor       = Op("div_floor", _floor_divide, "a b", lambda g: zero(g), lambda g: zero(g),
                     cast="number", text="{} // {}", elementwise=True, wide=True,
                     raises=True, new=True)
trunc_divide    = Op("trunc_divide", _trunc_divide, "a b", lambda g: zero(g), lambda g: zero(g),
                     cast="number", text="np.trunc({} / {})", elementwise=True, wide=True,
                     raises=True, new=True)
remainder       = Op("remainder", _remainder, "a b", lambda g: g, lambda g, a, b: -g * div_floor(a, b),
                     cast="number", elementwise=True,
                     raises=True, new=True, numba=_remainder_numba)
fmod            = Op("fmod", _fmod, "a b", lambda g: g, lambda g, a, b: -g * trunc_divide(a, b),
                     cast="number", text="np.fmod({}, {})", elementwise=True,
                     raises=True, new=True)
square          = Op("square", np.square, "x", lambda g, x: g * _twice(x))
reciprocal      = Op("reciprocal", np.reciprocal, "x", lambda g, y: -g * (y * y), cast="float",
                     text="1.0 / {}", numba="np.reciprocal({})")

# exponentials and logarithms
exp   = Op("exp",   np.exp,   "x", lambda g, y: g * y,             cast="float")
exp2  = Op("exp2",  np.exp2,  "x", lambda g, y: g * times(y, _LN2),    cast="float")
expm1 = Op("expm1", np.expm1, "x", lambda g, y: g * (y + 1.0),     cast="float")
log   = Op("log",   np.log,   "x", lambda g, x: g / x,             cast="float")
log2  = Op("log2",  np.log2,  "x", lambda g, x: g / times(x, _LN2),    cast="float")
log10 = Op("log10", np.log10, "x", lambda g, x: g / times(x, _LN10),   cast="float")
log1p = Op("log1p", np.log1p, "x", lambda g, x: g / (x + 1.0),     cast="float")
sqrt  = Op("sqrt",  np.sqrt,  "x", lambda g, y: g / (y * 2.0),     cast="float")
rsqrt = Op("rsqrt", _rsqrt, "x", lambda g, y: g * (y * y * y * -0.5), cast="float",
           text="1.0 / np.sqrt({})", elementwise=True,
           new=True)

# trigonometric and hyperbolic
sin   = Op("sin",   np.sin,     "x", lambda g, x: g * cos(x),                 cast="float")
cos: Op   = Op("cos",   np.cos,     "x", lambda g, x: g * -sin(x),                cast="float")
tan   = Op("tan",   np.tan,     "x", lambda g, y: g * (y * y + 1.0),          cast="float")
asin  = Op("asin",  np.arcsin,  "x", lambda g, x: g * rsqrt(1.0 - x * x),     cast="float")
acos  = Op("acos",  np.arccos,  "x", lambda g, x: g * -rsqrt(1.0 - x * x),    cast="float")
atan  = Op("atan",  np.arctan,  "x", lambda g, x: g / (x * x + 1.0),          cast="float")
sinh  = Op("sinh",  np.sinh,    "x", lambda g, x: g * cosh(x),                cast="float")
cosh: Op  = Op("cosh",  np.cosh,    "x", lambda g, x: g * sinh(x),                cast="float")
tanh  = Op("tanh",  np.tanh,    "x", lambda g, y: g * (1.0 - y * y),          cast="float")
asinh = Op("asinh", np.arcsinh, "x", lambda g, x: g * rsqrt(x * x + 1.0),     cast="float")
acosh = Op("acosh", np.arccosh, "x", lambda g, x: g * rsqrt(x * x - 1.0),     cast="float")
atanh = Op("atanh", np.arctanh, "x", lambda g, x: g / (1.0 - x * x),          cast="float")
sigmoid = Op("sigmoid", _sigmoid, "x", lambda g, y: g * ((1.0 - y) * y),      cast="float", elementwise=True,
             new=True)
lerp  = Op("lerp", _lerp, "a b w", lambda g, w: times(g, 1.0 - w), lambda g, w: times(g, w),
           lambda g, a, b: g * (b - a), cast="floats", elementwise=True,
           new=True, numba=_lerp_numba)
atan2 = Op("atan2", np.arctan2, "a b", lambda g, a, b: g * b * _inverse_square(a, b),
           lambda g, a, b: g * -a * _inverse_square(a, b), cast="float")

# kinks and steps
abs   = Op("abs",   np.absolute, "x", lambda g, x: g * sign(x), text="np.abs({})")
sign: Op  = Op("sign",  _sign,    "x", lambda g: zero(g), elementwise=True,
               new=True)
floor = Op("floor", np.floor, "x", lambda g: zero(g))
ceil  = Op("ceil",  np.ceil,  "x", lambda g: zero(g))
trunc = Op("trunc", np.trunc, "x", lambda g: zero(g))
round = Op("round", np.round, "x; decimals", lambda g: zero(g), elementwise=True,
           new=True)
maximum = Op("maximum", np.maximum, "a b", lambda g, a, b: _tie(g, lt(a, b), eq(a, b)),
             lambda g, a, b: _tie(g, gt(a, b), eq(a, b)), cast="same")
minimum = Op("minimum", np.minimum, "a b", lambda g, a, b: _tie(g, gt(a, b), eq(a, b)),
             lambda g, a, b: _tie(g, lt(a, b), eq(a, b)), cast="same")
clamp   = Op("clamp", _clamp, "x; min max", lambda g, x, min, max: where(_inside(x, min, max), g, 0.0),
             elementwise=True,
             new=True)
clamp_min = Op("clamp_min", np.maximum, "x low", lambda g, x, low: where(ge(x, low), g, 0.0),
               lambda g, x, low: where(lt(x, low), g, 0.0), cast="same")
clamp_max = Op("clamp_max", np.minimum, "x high", lambda g, x, high: where(le(x, high), g, 0.0),
               lambda g, x, high: where(gt(x, high), g, 0.0), cast="same")
clamp_to  = Op("clamp_to", lambda x, low, high: np.minimum(np.maximum(x, low), high), "x low high",
               lambda g, x, low, high: where(_inside(x, low, high), g, 0.0),
               lambda g, x, low, high: where(logical_and(lt(x, low), lt(low, high)), g, 0.0),
               lambda g, x, low, high: where(logical_or(gt(x, high), lt(high, low)), g, 0.0), cast="same",
               text="np.minimum(np.maximum({}, {}), {})", elementwise=True,
               new=True)
where: Op   = Op("where", np.where, "condition a b", None, lambda g, condition: where(condition, g, 0.0),
                 lambda g, condition: where(condition, 0.0, g), cast="branches", elementwise=True,
                 new=True, numba=_where_numba)

# without gradient
zero: Op = Op("zero", np.zeros_like, "x", fill=0, elementwise=True,
              new=True)
eq: Op = Op("eq", np.equal,         "a b", cast="same", text="{} == {}")
ne = Op("ne", np.not_equal,     "a b", cast="same", text="{} != {}")
lt: Op = Op("lt", np.less,          "a b", cast="same", text="{} < {}")
le: Op = Op("le", np.less_equal,    "a b", cast="same", text="{} <= {}")
gt: Op = Op("gt", np.greater,       "a b", cast="same", text="{} > {}")
ge: Op = Op("ge", np.greater_equal, "a b", cast="same", text="{} >= {}")
isnan    = Op("isnan", np.isnan, "x")
isinf    = Op("isinf", np.isinf, "x")
isfinite = Op("isfinite", np.isfinite, "x")
logical_not = Op("logical_not", np.logical_not, "x")
logical_and: Op = Op("logical_and", np.logical_and, "a b", cast="same")
logical_or: Op  = Op("logical_or",  np.logical_or,  "a b", cast="same")
logical_xor = Op("logical_xor", np.logical_xor, "a b", cast="same")
bitwise_not = Op("bitwise_not", np.invert, "x", text="~{}")
bitwise_and = Op("bitwise_and", np.bitwise_and, "a b", cast="bits", text="{} & {}")
bitwise_or  = Op("bitwise_or",  np.bitwise_or,  "a b", cast="bits", text="{} | {}")
bitwise_xor = Op("bitwise_xor", np.bitwise_xor, "a b", cast="bits", text="{} ^ {}")
# fmt: on

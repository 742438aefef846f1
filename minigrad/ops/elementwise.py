"""Elementwise operations: arithmetic, functions of one number, comparisons, choices.

Read a line as: name, NumPy kernel, inputs, then for each input the gradient of it.
"""

from __future__ import annotations

import builtins
import math
from typing import Any, NoReturn

import numpy as np

from minigrad.core import names
from minigrad.core.basic import conj, real
from minigrad.core.node import Node
from minigrad.core.op import Array, Op, is_complex
from minigrad.core.plans import Line, Lines, Target
from minigrad.core.text import Call, Text, of_floats
from minigrad.dtypes import F32, F64
from minigrad.errors import runtime_error
from minigrad.kernels.select import select

_LN2, _LN10 = math.log(2), math.log(10)  # Python floats: NumPy's would widen float32

# ---------------------------------------------------------------- kernels that NumPy lacks

# A ufunc takes an array without dimensions in half the time of a Python number.
_ONE = {kind: np.ones((), kind) for kind in "fd"}


def _sigmoid(x: Array) -> Any:
    # As PyTorch's: where exp is infinite it is 0. In half the time of an exp that never overflows.
    y = np.negative(x)
    into = y if y.ndim else None  # new memory for each step takes twice as long
    y = np.exp(y, into)
    return np.reciprocal(np.add(y, _ONE.get(y.dtype.char, 1.0), into), into)


def _to_power(x: Array, exponent: float) -> Array:
    if exponent == 3:
        return x * x * x  # np.power takes thirty times as long
    if exponent == -2:
        return np.reciprocal(x * x) if np.result_type(x).kind == "f" else x**exponent
    if exponent == -0.5:
        return 1.0 / np.sqrt(x)
    return x**exponent


def _lerp(a: Array, b: Array, w: Any) -> Any:
    d = b - a
    if np.ndim(w) == 0:  # PyTorch: from the nearer end, so that both ends are hit
        return a + w * d if np.abs(w) < 0.5 else b - d * (1.0 - w)
    return np.where(np.abs(w) < 0.5, a + w * d, b - d * (1.0 - w))


def _clamp(x: Array, min: float | None, max: float | None) -> Array:
    # PyTorch: the upper bound wins where the two cross; at least one is not None
    if x.dtype.kind == "f":  # in a quarter of the time of maximum and minimum
        return x.clip(-np.inf if min is None else min, np.inf if max is None else max)
    if min is None:
        return np.minimum(x, max)  # type: ignore[arg-type]
    y = np.maximum(x, min)
    return y if max is None else np.minimum(y, max)


def _sign(x: Array) -> Array:
    # PyTorch: the sign of nan is 0. np.sign takes three times as long.
    return np.subtract(np.greater(x, 0).view(np.int8), np.less(x, 0).view(np.int8)).astype(x.dtype)


def _sgn(x: Array) -> Array:
    size = np.abs(x)
    return np.where(size == 0, x.dtype.type(0), x / np.where(size == 0, size.dtype.type(1), size))


def _power(a: Array, b: Array) -> Array:
    whole = np.result_type(a, b)
    if whole.kind not in "iu" or np.greater_equal(b, 0).all():
        return np.power(a, b)
    # PyTorch: an integer to a negative power is 0, unless it is 1 or -1, of which only odd powers differ
    y = np.power(a, np.where(np.less(b, 0), np.bitwise_and(b, 1), b))
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


def underived(name: str) -> Any:
    """A rule that tells, once it is asked, that PyTorch has none for an operation."""

    def rule(g: object) -> NoReturn:
        raise runtime_error(f"derivative for {name} is not implemented; detach() what it is made of")

    return rule


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


def _sgn_vjp(g: Any, x: Any, y: Any) -> Any:
    none = eq(x, 0)
    return where(none, 0.0, (g - y * real(conj(y) * g)) / where(none, 1.0, abs(x)))


def _pow_base(g: Any, a: Any, b: Any) -> Any:
    none = eq(b, 0.0)
    # the product is masked, since g may be nan, and so is its factor, which is its slope by g
    return where(none, 0.0, g * where(none, 1.0, b * pow(a, b - 1.0)))


def _pow_exponent(g: Any, a: Any, b: Any, y: Any) -> Any:
    # of a Python number a Python number: NumPy's would widen float32
    log_a = np.log(a).item() if isinstance(a, (int, float, complex)) else log(a)
    rising = ge(real(b) if is_complex(b) else b, 0.0)
    none = logical_and(eq(a, 0.0), rising)
    return where(none, 0.0, g * where(none, 1.0, y * log_a))


def _twice(x: Any) -> Any:
    # PyTorch: the derivative is a power again, so a constant one still depends on x, with a gradient of 0
    return x * 2.0 if x.__class__ is np.ndarray else power(x, exponent=1) * 2.0


def _to_power_rule(g: Any, x: Any, exponent: float) -> Any:
    if exponent == 0:
        return zero(g)
    if exponent == 2:
        return g * _twice(x)
    return g * (power(x, exponent=exponent - 1) * float(exponent))


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


# ---------------------------------------------------------------- how they print


def _clamp_text(v: Call) -> Text:
    bounds = v.params["min"] is not None, v.params["max"] is not None
    if v.dtype.kind == "f":
        return f"np.clip({{}}, {'{min}' if bounds[0] else '-np.inf'}, {'{max}' if bounds[1] else 'np.inf'})"
    text = "np.maximum({}, {min})" if bounds[0] else "{}"
    return f"np.minimum({text}, {{max}})" if bounds[1] else text


def _clamp_reads(n: Node) -> str:
    low, high = n.params["min"], n.params["max"]
    return "maximum(x, {min})" if high is None else "minimum(x, {max})" if low is None else ""


def clamp_into(t: Target) -> Lines | None:
    """One call of NumPy's, of floats."""
    [x], low, high = t.operands, t.params["min"], t.params["max"]
    if t.filled or t.dtype != x.dtype or t.dtype not in (F32, F64):
        return None
    low, high = "-np.inf" if low is None else t.number(low), "np.inf" if high is None else t.number(high)
    return Lines([Line("np.clip", (x.text, low, high))])


def clamp_numba(t: Target) -> str:
    """Without ``clip``, which Numba has for arrays alone."""
    text = t.operands[0].text
    for name, bound in ("np.maximum", t.params["min"]), ("np.minimum", t.params["max"]):
        text = text if bound is None else f"{name}({text}, {t.number(bound)})"
    return text


def _to_power_text(v: Call) -> Text:
    n = v.params["exponent"]
    if n == 3:
        return "{0} * {0} * {0}"
    if n == -2 and v.dtypes[0].kind == "f":
        return "np.reciprocal({0} * {0})"
    if n == -0.5:
        return "1.0 / np.sqrt({})"
    return "{} ** {exponent}" if v.shape else "np.asarray({}) ** {exponent}"


def _to_power_into(t: Target) -> Lines | None:
    """The ufunc by which NumPy computes a small power of an array."""
    [x], name = t.operands, {1: "np.positive", 2: "np.square"}.get(t.params["exponent"])
    if t.filled or name is None or t.dtype != x.dtype or t.dtype not in (F32, F64):
        return None
    return Lines([Line(name, (x.text,))])


# ---------------------------------------------------------------- the table

_PAIR, _AGAINST = "input: Tensor, other: Tensor", "input: Tensor, other: Operand"
_NEGATED = {
    "b": "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
    "`~` or `logical_not()` operator instead."
}
_SUBTRACTED = {
    "b": "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use "
    "the `~` or `logical_not()` operator instead."
}

_FLOOR = of_floats("{} // {}", "np.floor_divide({}, {})")

# fmt: off
# arithmetic
add = Op("add", np.add, "a b", lambda g: g, lambda g: g, cast="same", text="{} + {}", fold=True, sums=True,
        complex="analytic")
sub = Op("sub", np.subtract, "a b", lambda g: g, lambda g: -g, cast="same", text="{} - {}", fold=True,
         refuse=_SUBTRACTED, grad_fn=names.of_sub, edges=names.edges_without_number(0), complex="analytic")
mul = Op("mul", np.multiply, "a b", lambda g, b: g * b, lambda g, a: g * a, cast="same",
         text="{} * {}", fold=True, unit=1, wide=True,
         public="mul mul_ multiply multiply_", doc="``input * other``.", complex="analytic")
div: Op = Op("div", np.true_divide, "a b", lambda g, b: g / b, lambda g, a, b: -g * (div(a, b) / b), cast="float",
         text="{} / {}", fold=True, wide=True,
         complex="analytic")  # the quotient is not kept: it may be changed in place
neg  = Op("neg", np.negative,    "x",   lambda g: -g,           text="-{}", fold=True,
         cast="same", refuse=_NEGATED, public="neg neg_ negative negative_",
         doc="``-input``. RuntimeError for bool.", complex="analytic")
# 0 * inf at a == 0 must not spoil the constant function a ** 0
pow: Op = Op("pow", _power, "a b", _pow_base, _pow_exponent,
          cast="number", text=of_floats("np.power({}, {})"), elementwise=True,
          raises=True, new=True, grad_fn=names.of_pow, complex="analytic",
         reads="a ** b", derives={"a": "g * b * a ** (b - 1)", "b": "g * y * log(a)"})
power           = Op("power", _to_power, "x; exponent", _to_power_rule, elementwise=True,
                     text=_to_power_text, into=_to_power_into, twice=True,
                     idle=lambda x, y, exponent: exponent == 1, new=True, grad_fn="PowBackward0", complex="analytic")
floor_divide    = Op("floor_divide", _floor_divide, "a b", _no_derivative, _no_derivative,
                     cast="number", text=_FLOOR, elementwise=True, wide=True,
         public="floor_divide floor_divide_",
         doc="The quotient rounded down, as ``//``. It has no gradient: RuntimeError in backward, as in PyTorch; "
         "``div`` with a rounding mode is the same with a gradient of 0.",
                     raises=True, new=True, grad_fn="NotImplemented")
div_floor       = Op("div_floor", _floor_divide, "a b", lambda g: zero(g), lambda g: zero(g),
                     cast="number", text=_FLOOR, elementwise=True, wide=True,
                     raises=True, new=True, grad_fn="DivBackward2")
trunc_divide    = Op("trunc_divide", _trunc_divide, "a b", lambda g: zero(g), lambda g: zero(g),
                     cast="number", text=of_floats("np.trunc({} / {})"), elementwise=True, wide=True,
                     raises=True, new=True, grad_fn="DivBackward2")
remainder       = Op("remainder", _remainder, "a b", lambda g: g, lambda g, a, b: -g * div_floor(a, b),
                     cast="number", elementwise=True,
         public="remainder remainder_", doc="The remainder with the sign of ``other``, as Python's ``%``.",
                     raises=True, new=True, numba=_remainder_numba, grad_fn=names.of_number("Remainder", 1, 0),
                     edges=names.edges_without_number(1))
fmod            = Op("fmod", _fmod, "a b", lambda g: g, lambda g, a, b: -g * trunc_divide(a, b),
                     cast="number", text=of_floats("np.fmod({}, {})"), elementwise=True,
         public="fmod fmod_", form=_AGAINST, doc="The remainder with the sign of ``input``.",
                     raises=True, new=True, grad_fn=names.of_number("Fmod", 1, 0),
                     edges=names.edges_without_number(1))
square          = Op("square", np.square, "x", lambda g, x: g * _twice(x), grad_fn="PowBackward0", complex="analytic")
reciprocal      = Op("reciprocal", np.reciprocal, "x", lambda g, y: -g * (y * y), cast="float",
                     text="1.0 / {}",
         public="reciprocal reciprocal_", doc="``1 / x``.",
                     numba="np.reciprocal({})", complex="analytic")

# exponentials and logarithms
exp   = Op("exp",   np.exp,   "x", lambda g, y: g * y,             cast="float", activation=True,
         public="exp exp_", doc="e to the power of each element.", complex="analytic")
exp2  = Op("exp2",  np.exp2,  "x", lambda g, y: g * (y * _LN2),    cast="float",
         public="exp2 exp2_", doc="2 to the power of each element.", complex="analytic")
expm1 = Op("expm1", np.expm1, "x", lambda g, y: g * (y + 1.0),     cast="float",
         public="expm1 expm1_", doc="``exp(x) - 1``, exact near 0.", complex="analytic")
log   = Op("log",   np.log,   "x", lambda g, x: g / x,             cast="float",
         public="log log_", doc="The natural logarithm; nan below 0, -inf at 0.", complex="analytic")
log2  = Op("log2",  np.log2,  "x", lambda g, x: g / (x * _LN2),    cast="float",
         public="log2 log2_", doc="The logarithm to base 2.", complex="analytic")
log10 = Op("log10", np.log10, "x", lambda g, x: g / (x * _LN10),   cast="float",
         public="log10 log10_", doc="The logarithm to base 10.", complex="analytic")
log1p = Op("log1p", np.log1p, "x", lambda g, x: g / (x + 1.0),     cast="float",
         public="log1p log1p_", doc="``log(1 + x)``, exact near 0.", grad_fn="Log1PBackward0", complex="analytic")
cbrt  = Op("cbrt",  np.cbrt,  "x", lambda g, y: g / (y * y * 3.0), cast="float")
sqrt  = Op("sqrt",  np.sqrt,  "x", lambda g, y: g / (y * 2.0),     cast="float",
         public="sqrt sqrt_", doc="The square root; nan below 0, gradient inf at 0.", complex="analytic")
rsqrt = Op("rsqrt", lambda x: 1.0 / np.sqrt(x), "x", lambda g, y: g * (y * y * y * -0.5), cast="float",
           text="1.0 / np.sqrt({})", elementwise=True,
         public="rsqrt rsqrt_", doc="One over the square root.",
           new=True, complex="analytic")
sigmoid = Op("sigmoid", _sigmoid, "x", lambda g, y: g * ((1.0 - y) * y), cast="float",
         text="1.0 / (1.0 + np.exp(-{}))", elementwise=True, activation=True,
         public="sigmoid sigmoid_", doc="``1 / (1 + exp(-x))``, without overflow.",
             new=True, complex="analytic")

# trigonometric and hyperbolic
sin   = Op("sin",   np.sin,     "x", lambda g, x: g * cos(x),                 cast="float", activation=True,
         public="sin sin_", doc="The sine of radians.", complex="analytic")
cos: Op   = Op("cos",   np.cos,     "x", lambda g, x: g * -sin(x),                cast="float", activation=True,
         public="cos cos_", doc="The cosine of radians.", complex="analytic")
tan   = Op("tan",   np.tan,     "x", lambda g, y: g * (y * y + 1.0),          cast="float",
         public="tan tan_", doc="The tangent of radians.", complex="analytic")
asin  = Op("asin",  np.arcsin,  "x", lambda g, x: g * rsqrt(1.0 - x * x),     cast="float",
         public="asin asin_ arcsin arcsin_", doc="The inverse sine, in radians.", complex="analytic")
acos  = Op("acos",  np.arccos,  "x", lambda g, x: g * -rsqrt(1.0 - x * x),    cast="float",
         public="acos acos_ arccos arccos_", doc="The inverse cosine, in radians.", complex="analytic")
atan  = Op("atan",  np.arctan,  "x", lambda g, x: g / (x * x + 1.0),          cast="float",
         public="atan atan_ arctan arctan_", doc="The inverse tangent, in radians.", complex="analytic")
sinh  = Op("sinh",  np.sinh,    "x", lambda g, x: g * cosh(x),                cast="float",
         public="sinh sinh_", doc="The hyperbolic sine.", complex="analytic")
cosh: Op  = Op("cosh",  np.cosh,    "x", lambda g, x: g * sinh(x),                cast="float",
         public="cosh cosh_", doc="The hyperbolic cosine.", complex="analytic")
tanh  = Op("tanh",  np.tanh,    "x", lambda g, y: g * (1.0 - y * y),          cast="float", activation=True,
         public="tanh tanh_", doc="The hyperbolic tangent.", complex="analytic")
asinh = Op("asinh", np.arcsinh, "x", lambda g, x: g * rsqrt(x * x + 1.0),     cast="float",
         public="asinh asinh_ arcsinh arcsinh_", doc="The inverse hyperbolic sine.", complex="analytic")
# of complex numbers two roots, which are cut where the function is
acosh = Op("acosh", np.arccosh, "x",
           lambda g, x: g * (rsqrt(x - 1.0) * rsqrt(x + 1.0) if is_complex(x) else rsqrt(x * x - 1.0)), cast="float",
         public="acosh acosh_ arccosh arccosh_", doc="The inverse hyperbolic cosine.", complex="analytic")
atanh = Op("atanh", np.arctanh, "x", lambda g, x: g / (1.0 - x * x),          cast="float",
         public="atanh atanh_ arctanh arctanh_", doc="The inverse hyperbolic tangent.", complex="analytic")
lerp  = Op("lerp", _lerp, "a b w", lambda g, w: g * (1.0 - w), lambda g, w: g * w,
           lambda g, a, b: g * (b - a), cast="floats", elementwise=True, wide=True,
           new=True, numba=_lerp_numba, grad_fn=names.of_number("Lerp", 2, 0), complex="analytic")
hypot = Op("hypot", np.hypot, "a b", lambda g, a, y: g * (a / y),
           lambda g, b, y: g * (b / y), cast="floats",
           public="hypot hypot_", form=_PAIR,
           doc="``sqrt(input**2 + other**2)``. NotImplementedError for integers.")
atan2 = Op("atan2", np.arctan2, "a b", lambda g, a, b: g * b * _inverse_square(a, b),
           lambda g, a, b: g * -a * _inverse_square(a, b), cast="float",
         public="atan2 atan2_ arctan2 arctan2_", form=_PAIR,
         doc="The angle of the points (other, input), in radians.")

# kinks and steps
abs: Op = Op("abs", np.absolute, "x", lambda g, x: g * (sgn(x) if is_complex(x) else sign(x)), text="np.abs({})",
         cast="number", public="abs abs_ absolute absolute_", doc="The absolute value; gradient 0 at 0.", complex="own")
sign: Op  = Op("sign",  _sign,    "x", lambda g: zero(g), elementwise=True,
         public="sign sign_", doc="-1, 0 or 1; gradient 0.",
               new=True)
# the gradient is that along the circle alone
sgn: Op = Op("sgn", _sgn, "x", _sgn_vjp, elementwise=True, new=True, complex="own")
floor = Op("floor", np.floor, "x", lambda g: zero(g),
         cast="rounds", public="floor floor_", doc="The next whole number below; gradient 0.")
ceil  = Op("ceil",  np.ceil,  "x", lambda g: zero(g),
         cast="rounds", public="ceil ceil_", doc="The next whole number above; gradient 0.")
trunc = Op("trunc", np.trunc, "x", lambda g: zero(g),
         cast="rounds", public="trunc trunc_ fix fix_", doc="The whole number towards 0; gradient 0.")
round = Op("round", np.round, "x; decimals", lambda g: zero(g), elementwise=True,
         cast="rounds", new=True, grad_fn=names.of_round, usual={"decimals": 0})
maximum = Op("maximum", np.maximum, "a b", lambda g, a, b: _tie(g, lt(a, b), eq(a, b)),
             lambda g, a, b: _tie(g, gt(a, b), eq(a, b)), cast="same",
         public="maximum", form=_PAIR,
         doc="The larger of two elements; nan wins; at a tie each gets half the gradient.")
minimum = Op("minimum", np.minimum, "a b", lambda g, a, b: _tie(g, gt(a, b), eq(a, b)),
             lambda g, a, b: _tie(g, lt(a, b), eq(a, b)), cast="same",
         public="minimum", form=_PAIR,
         doc="The smaller of two elements; nan wins; at a tie each gets half the gradient.")
clamp   = Op("clamp", _clamp, "x; min max", lambda g, x, min, max: where(_inside(x, min, max), g, 0.0),
             elementwise=True, text=_clamp_text, reads=_clamp_reads, into=clamp_into, numba=clamp_numba,
             new=True, grad_fn="ClampBackward1")
clamp_min = Op("clamp_min", np.maximum, "x low", lambda g, x, low: where(ge(x, low), g, 0.0),
               lambda g, x, low: where(lt(x, low), g, 0.0), cast="same", grad_fn=names.of_number("ClampMin", 1, 0))
clamp_max = Op("clamp_max", np.minimum, "x high", lambda g, x, high: where(le(x, high), g, 0.0),
               lambda g, x, high: where(gt(x, high), g, 0.0), cast="same", grad_fn=names.of_number("ClampMax", 1, 0))
clamp_to  = Op("clamp_to", lambda x, low, high: np.minimum(np.maximum(x, low), high), "x low high",
               lambda g, x, low, high: where(_inside(x, low, high), g, 0.0),
               lambda g, x, low, high: where(logical_and(lt(x, low), lt(low, high)), g, 0.0),
               lambda g, x, low, high: where(logical_or(gt(x, high), lt(high, low)), g, 0.0), cast="same",
               text="np.minimum(np.maximum({}, {}), {})", elementwise=True,
               new=True, grad_fn="ClampBackward0")
where: Op   = Op("where", select, "condition a b", None, lambda g, condition: where(condition, g, 0.0),
                 lambda g, condition: where(condition, 0.0, g), cast="branches", elementwise=True,
                 new=True, text="np.where({}, {}, {})", numba=_where_numba, complex="analytic")

# without gradient
zero: Op = Op("zero", np.zeros_like, "x", fill=0, elementwise=True,
              new=True, complex="analytic")
flat_in: Op = Op("flat_in", lambda g, x: g, "g x", lambda g: g, lambda g: zero(g), same=0, elementwise=True,
                 text="np.array({0})")
eq: Op = Op("eq", np.equal,         "a b", cast="same", text="{} == {}",
         public="eq eq_", form=_AGAINST, doc="``input == other`` by element (bool).", complex="analytic")
ne = Op("ne", np.not_equal,     "a b", cast="same", text="{} != {}",
         public="ne ne_ not_equal not_equal_", form=_AGAINST, doc="``input != other`` by element (bool).",
         complex="analytic")
lt: Op = Op("lt", np.less,          "a b", cast="same", text="{} < {}",
         public="lt lt_ less less_", form=_AGAINST, doc="``input < other`` by element (bool).")
le: Op = Op("le", np.less_equal,    "a b", cast="same", text="{} <= {}",
         public="le le_ less_equal less_equal_", form=_AGAINST, doc="``input <= other`` by element (bool).")
gt: Op = Op("gt", np.greater,       "a b", cast="same", text="{} > {}",
         public="gt gt_ greater greater_", form=_AGAINST, doc="``input > other`` by element (bool).")
ge: Op = Op("ge", np.greater_equal, "a b", cast="same", text="{} >= {}",
         public="ge ge_ greater_equal greater_equal_", form=_AGAINST,
         doc="``input >= other`` by element (bool).")
isnan    = Op("isnan", np.isnan, "x",
         public="isnan", doc="True where an element is nan (bool).", complex="analytic")
isinf    = Op("isinf", np.isinf, "x",
         public="isinf", doc="True where an element is infinite (bool).", complex="analytic")
isfinite = Op("isfinite", np.isfinite, "x",
         public="isfinite", doc="True where an element is finite (bool).", complex="analytic")
logical_not = Op("logical_not", np.logical_not, "x",
         public="logical_not logical_not_", doc="True where an element is zero (bool).", complex="analytic")
logical_and: Op = Op("logical_and", np.logical_and, "a b", cast="same",
         public="logical_and logical_and_", form=_PAIR, doc="True where both are nonzero (bool).", complex="analytic")
logical_or: Op  = Op("logical_or",  np.logical_or,  "a b", cast="same",
         public="logical_or logical_or_", form=_PAIR, doc="True where one is nonzero (bool).", complex="analytic")
logical_xor = Op("logical_xor", np.logical_xor, "a b", cast="same",
         public="logical_xor logical_xor_", form=_PAIR, doc="True where exactly one is nonzero (bool).",
         complex="analytic")
bitwise_not = Op("bitwise_not", np.invert, "x", text="~{}",
         cast="bits", public="bitwise_not bitwise_not_", doc="Each bit flipped; for bool, not.")
bitwise_and = Op("bitwise_and", np.bitwise_and, "a b", cast="bits", text="{} & {}",
         public="bitwise_and bitwise_and_", doc="And of the bits of integers or bools.")
bitwise_or  = Op("bitwise_or",  np.bitwise_or,  "a b", cast="bits", text="{} | {}",
         public="bitwise_or bitwise_or_", doc="Or of the bits of integers or bools.")
bitwise_xor = Op("bitwise_xor", np.bitwise_xor, "a b", cast="bits", text="{} ^ {}",
         public="bitwise_xor bitwise_xor_", doc="Exclusive or of the bits of integers or bools.")
bitwise_left_shift  = Op("bitwise_left_shift", np.left_shift, "a b", cast="shifts", text="{} << {}",
         public="bitwise_left_shift bitwise_left_shift_",
         doc="``input * 2**other`` of integers, in their bits; 0 where ``other`` is not from 0 to their number.")
bitwise_right_shift = Op("bitwise_right_shift", np.right_shift, "a b", cast="shifts", text="{} >> {}",
         public="bitwise_right_shift bitwise_right_shift_",
         doc="``input // 2**other`` of integers, in their bits; 0 or -1 where ``other`` is not from 0 to their number.")
# fmt: on

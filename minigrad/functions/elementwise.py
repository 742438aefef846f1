"""Functions of single elements, under PyTorch's names.

Operands broadcast and meet by PyTorch's promotion; a result has the broadcast shape. Functions of real
numbers turn integers into the default float. Shapes that do not broadcast raise RuntimeError.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, overload

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, cast, needs_value, single
from minigrad.core.op import Array, Op
from minigrad.core.promote import number
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import runtime_error
from minigrad.gate import public
from minigrad.ops import elementwise as e
from minigrad.ops import shape

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "allclose", "arccos", "arccosh",
    "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh",
    "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "ceil", "clamp", "clamp_max", "clamp_min",
    "clip", "cos", "cosh", "div", "divide", "eq", "equal", "exp", "exp2", "expm1", "fill", "fix",
    "float_power", "floor", "floor_divide", "fmod", "frac", "ge", "greater", "greater_equal", "gt",
    "isclose", "isfinite", "isinf", "isnan", "le", "lerp", "less", "less_equal", "log", "log1p", "log2",
    "log10", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "masked_fill", "maximum",
    "minimum", "mul", "multiply", "ne", "neg", "negative", "nonzero", "not_equal", "positive", "pow",
    "reciprocal", "remainder", "round", "rsqrt", "rsub", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "square", "sub", "subtract", "tan", "tanh", "true_divide", "trunc", "where",
]  # fmt: skip

Number: TypeAlias = "int | float | bool"
Operand: TypeAlias = "Tensor | Number | Array | np.generic"
NumberLike: TypeAlias = "Tensor | Number | np.generic"  # of Tensors, those of one number


def raw(t: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return t._array if isinstance(t, Tensor) else t


def broadcast(name: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that shapes broadcast to. RuntimeError if they do not."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise runtime_error(
            f"{name}(): the shapes {', '.join(str(list(s)) for s in shapes)} do not broadcast; use unsqueeze() or "
            "reshape() so that the dimensions line up from the right"
        ) from None


def own(t: Tensor) -> Tensor:
    """A result that is formed as a view of what nobody else has, and so is no view to its user."""
    t._view = None
    return t


def _no_bool(name: str, t: Tensor) -> None:
    """NotImplementedError for bools."""
    if t._array.dtype == bool:
        raise NotImplementedError(
            f"\"{name}\" not implemented for 'Bool'; convert with .int() or .float() first"
        )


# ---------------------------------------------------------------- arithmetic


def add(input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor:
    """``input + alpha * other``."""
    return _with_multiple("add", e.add, input, other, alpha)


def sub(input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor:
    """``input - alpha * other``."""
    return _with_multiple("sub", e.sub, input, other, alpha)


subtract = sub


def _with_multiple(name: str, op: Any, input: Any, other: Any, alpha: Number) -> Tensor:
    if alpha.__class__ is int and alpha == 1:
        return apply(op, (input, other))
    meet = dtypes.common([raw(input), raw(other)])
    y: Tensor = cast(apply(op, (input, scaled(name, input, other, alpha))), meet)
    return y


def scaled(name: str, input: Any, other: Any, alpha: Number) -> Any:
    """``alpha * other`` in the dtype in which the two operands meet; in float32 where that is float16."""
    if alpha.__class__ is int and alpha == 1:
        return other
    meet = dtypes.common([raw(input), raw(other)])
    if (isinstance(alpha, float) and meet.kind != "f") or (isinstance(alpha, bool) and meet.kind != "b"):
        raise runtime_error(
            f"{name}(): for integral input tensors, argument alpha must not be a floating point number"
        )
    if name != "add" and dtypes.BOOL in [getattr(raw(t), "dtype", None) for t in (input, other)]:
        return other  # which is refused
    if not isinstance(other, Tensor):
        return other * alpha
    if meet.kind == "b":
        alpha = bool(alpha)
    return apply(e.mul, (cast(other, dtypes.working(meet)), number(alpha, meet)))


def rsub(input: Tensor, other: Operand, *, alpha: Number = 1) -> Tensor:
    """``other - alpha * input``."""
    return _with_multiple("rsub", e.sub, other, input, alpha)


def mul(input: Operand, other: Operand) -> Tensor:
    """``input * other``."""
    return apply(e.mul, (input, other))


multiply = mul


def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``; with a rounding mode ``"trunc"`` (to 0) or ``"floor"`` (down) the gradient is 0."""
    if rounding_mode is None:
        return apply(e.div, (input, other))
    if rounding_mode == "trunc":
        return apply(e.trunc_divide, (input, other))
    if rounding_mode == "floor":
        return apply(e.div_floor, (input, other))
    raise runtime_error(
        f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
    )


divide = div


def true_divide(input: Operand, other: Operand) -> Tensor:
    """``input / other``."""
    return apply(e.div, (input, other))


def remainder(input: Operand, other: Operand) -> Tensor:
    """The remainder with the sign of ``other``, as Python's ``%``."""
    return apply(e.remainder, (input, other))


def neg(input: Tensor) -> Tensor:
    """``-input``. RuntimeError for bool."""
    if input._array.dtype == bool:
        raise runtime_error(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return apply(e.neg, (input,))


negative = neg


def positive(input: Tensor) -> Tensor:
    """``input`` itself. RuntimeError for bool."""
    if input._array.dtype == bool:
        raise runtime_error("The `+` operator, on a bool tensor is not supported.")
    return input


def pow(input: Operand, exponent: Operand) -> Tensor:
    """``input ** exponent``; at least one of the two is a Tensor.

    The gradient of ``x ** 0`` is 0, also at x = 0. RuntimeError for integers to a negative power.
    """
    if isinstance(exponent, np.generic):  # NumPy's number would widen float32
        exponent = exponent.item()
    if isinstance(input, Tensor) and isinstance(exponent, (int, float)):
        base = cast(input, dtypes.common([input._array, exponent]))
        if base._array.dtype.kind in "iu" and exponent < 0:
            raise runtime_error("Integers to negative integer powers are not allowed.")
        if base._array.dtype.kind == "b":
            return apply(e.logical_or, (base, not exponent))
        return apply(e.pow_scalar, (base,), {"exponent": exponent})
    return apply(e.pow, (input, exponent))


def float_power(input: Operand, exponent: Operand) -> Tensor:
    """``input ** exponent`` in float64."""
    double = dtypes.F64
    return pow(cast(input, double), cast(exponent, double))


def square(input: Tensor) -> Tensor:
    """``input * input``."""
    return apply(e.square, (cast(input, dtypes.I64) if input._array.dtype == bool else input,))


# ---------------------------------------------------------------- functions of one number


def exp(input: Tensor) -> Tensor:
    """e to the power of each element."""
    return apply(e.exp, (input,))


def exp2(input: Tensor) -> Tensor:
    """2 to the power of each element."""
    return apply(e.exp2, (input,))


def expm1(input: Tensor) -> Tensor:
    """``exp(x) - 1``, exact near 0."""
    return apply(e.expm1, (input,))


def log(input: Tensor) -> Tensor:
    """The natural logarithm; nan below 0, -inf at 0."""
    return apply(e.log, (input,))


def log2(input: Tensor) -> Tensor:
    """The logarithm to base 2."""
    return apply(e.log2, (input,))


def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10."""
    return apply(e.log10, (input,))


def log1p(input: Tensor) -> Tensor:
    """``log(1 + x)``, exact near 0."""
    return apply(e.log1p, (input,))


def sqrt(input: Tensor) -> Tensor:
    """The square root; nan below 0, gradient inf at 0."""
    return apply(e.sqrt, (input,))


def rsqrt(input: Tensor) -> Tensor:
    """One over the square root."""
    return apply(e.rsqrt, (input,))


def sin(input: Tensor) -> Tensor:
    """The sine of radians."""
    return apply(e.sin, (input,))


def cos(input: Tensor) -> Tensor:
    """The cosine of radians."""
    return apply(e.cos, (input,))


def tan(input: Tensor) -> Tensor:
    """The tangent of radians."""
    return apply(e.tan, (input,))


def asin(input: Tensor) -> Tensor:
    """The inverse sine, in radians."""
    return apply(e.asin, (input,))


def acos(input: Tensor) -> Tensor:
    """The inverse cosine, in radians."""
    return apply(e.acos, (input,))


def atan(input: Tensor) -> Tensor:
    """The inverse tangent, in radians."""
    return apply(e.atan, (input,))


def sinh(input: Tensor) -> Tensor:
    """The hyperbolic sine."""
    return apply(e.sinh, (input,))


def cosh(input: Tensor) -> Tensor:
    """The hyperbolic cosine."""
    return apply(e.cosh, (input,))


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return apply(e.tanh, (input,))


def asinh(input: Tensor) -> Tensor:
    """The inverse hyperbolic sine."""
    return apply(e.asinh, (input,))


def acosh(input: Tensor) -> Tensor:
    """The inverse hyperbolic cosine."""
    return apply(e.acosh, (input,))


def atanh(input: Tensor) -> Tensor:
    """The inverse hyperbolic tangent."""
    return apply(e.atanh, (input,))


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``, without overflow."""
    return apply(e.sigmoid, (input,))


def reciprocal(input: Tensor) -> Tensor:
    """``1 / x``."""
    return apply(e.reciprocal, (input,))


def abs(input: Tensor) -> Tensor:
    """The absolute value; gradient 0 at 0."""
    _no_bool("abs", input)
    return apply(e.abs, (input,))


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1; gradient 0."""
    return apply(e.sign, (input,))


def _rounding(input: Tensor, op: Op) -> Op:
    """The op, for integers a copy: NumPy 2.0 makes floats of them."""
    return op if input._array.dtype.kind == "f" else shape.clone


def floor(input: Tensor) -> Tensor:
    """The next whole number below; gradient 0."""
    _no_bool("floor", input)
    return apply(_rounding(input, e.floor), (input,))


def ceil(input: Tensor) -> Tensor:
    """The next whole number above; gradient 0."""
    _no_bool("ceil", input)
    return apply(_rounding(input, e.ceil), (input,))


def trunc(input: Tensor) -> Tensor:
    """The whole number towards 0; gradient 0."""
    _no_bool("trunc", input)
    return apply(_rounding(input, e.trunc), (input,))


def logical_not(input: Tensor) -> Tensor:
    """True where an element is zero (bool)."""
    return apply(e.logical_not, (input,))


def bitwise_not(input: Tensor) -> Tensor:
    """Each bit flipped; for bool, not."""
    if input._array.dtype.kind == "f":
        raise NotImplementedError(
            f'"bitwise_not" not implemented for {input.dtype}; convert with .int() first'
        )
    return apply(e.bitwise_not, (input,))


def isnan(input: Tensor) -> Tensor:
    """True where an element is nan (bool)."""
    return apply(e.isnan, (input,))


def isinf(input: Tensor) -> Tensor:
    """True where an element is infinite (bool)."""
    return apply(e.isinf, (input,))


def isfinite(input: Tensor) -> Tensor:
    """True where an element is finite (bool)."""
    return apply(e.isfinite, (input,))


arcsin, arccos, arctan = asin, acos, atan
arcsinh, arccosh, arctanh = asinh, acosh, atanh
absolute, fix = abs, trunc


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """To ``decimals`` places, halves to even; gradient 0."""
    _no_bool("round", input)
    return apply(e.round, (input,), {"decimals": decimals})


def frac(input: Tensor) -> Tensor:
    """The part behind the point, with the sign of ``input``. NotImplementedError for integers."""
    if input._array.dtype.kind != "f":
        raise NotImplementedError(f'"frac" not implemented for {input.dtype}; use .float() first')
    return apply(e.sub, (input, trunc(input)))


# ---------------------------------------------------------------- two operands


def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two elements; nan wins; at a tie each gets half the gradient."""
    return apply(e.maximum, (input, other))


def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two elements; nan wins; at a tie each gets half the gradient."""
    return apply(e.minimum, (input, other))


def eq(input: Tensor, other: Operand) -> Tensor:
    """``input == other`` by element (bool)."""
    return apply(e.eq, (input, other))


def ne(input: Tensor, other: Operand) -> Tensor:
    """``input != other`` by element (bool)."""
    return apply(e.ne, (input, other))


def lt(input: Tensor, other: Operand) -> Tensor:
    """``input < other`` by element (bool)."""
    return apply(e.lt, (input, other))


def le(input: Tensor, other: Operand) -> Tensor:
    """``input <= other`` by element (bool)."""
    return apply(e.le, (input, other))


def gt(input: Tensor, other: Operand) -> Tensor:
    """``input > other`` by element (bool)."""
    return apply(e.gt, (input, other))


def ge(input: Tensor, other: Operand) -> Tensor:
    """``input >= other`` by element (bool)."""
    return apply(e.ge, (input, other))


def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """True where both are nonzero (bool)."""
    return apply(e.logical_and, (input, other))


def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """True where one is nonzero (bool)."""
    return apply(e.logical_or, (input, other))


def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """True where exactly one is nonzero (bool)."""
    return apply(e.logical_xor, (input, other))


def bitwise_and(input: Operand, other: Operand) -> Tensor:
    """And of the bits of integers or bools."""
    return apply(e.bitwise_and, (input, other))


def bitwise_or(input: Operand, other: Operand) -> Tensor:
    """Or of the bits of integers or bools."""
    return apply(e.bitwise_or, (input, other))


def bitwise_xor(input: Operand, other: Operand) -> Tensor:
    """Exclusive or of the bits of integers or bools."""
    return apply(e.bitwise_xor, (input, other))


def fmod(input: Tensor, other: Operand) -> Tensor:
    """The remainder with the sign of ``input``."""
    return apply(e.fmod, (input, other))


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle of the points (other, input), in radians."""
    return apply(e.atan2, (input, other))


def floor_divide(input: Operand, other: Operand) -> Tensor:
    """The quotient rounded down, as ``//``. It has no gradient: RuntimeError in backward, as in PyTorch.

    ``div(input, other, rounding_mode="floor")`` is the same with a gradient of 0.
    """
    return apply(e.floor_divide, (input, other))


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
arctan2 = atan2


def clamp(
    input: Tensor,
    min: Tensor | Number | np.generic | None = None,
    max: Tensor | Number | np.generic | None = None,
) -> Tensor:
    """Between ``min`` and ``max`` (numbers, Tensors or None); ``max`` wins where the two cross.

    The gradient passes where min <= input <= max. RuntimeError when both bounds are None.
    """
    if min is None and max is None:
        raise runtime_error("clamp(): At least one of 'min' or 'max' must not be None")
    bounds = [raw(b) for b in (min, max) if b is not None]
    input = cast(input, dtypes.common([input._array, *bounds]))
    _no_bool("clamp", input)
    if not isinstance(min, Tensor) and not isinstance(max, Tensor):
        low, high = (None if b is None else number(b, input._array.dtype) for b in (min, max))
        return apply(e.clamp, (input,), {"min": low, "max": high})
    if min is None:
        return apply(e.clamp_max, (input, max))
    return apply(e.clamp_min, (input, min)) if max is None else apply(e.clamp_to, (input, min, max))


clip = clamp


def clamp_min(input: Tensor, min: Tensor | Number | np.generic) -> Tensor:
    """At least ``min``."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Tensor | Number | np.generic) -> Tensor:
    """At most ``max``."""
    return clamp(input, max=max)


@overload
def where(condition: Tensor) -> tuple[Tensor, ...]: ...


@overload
def where(condition: Tensor, input: Operand, other: Operand) -> Tensor: ...


def where(
    condition: Tensor, input: Operand | None = None, other: Operand | None = None
) -> Tensor | tuple[Tensor, ...]:
    """``input`` where ``condition`` (bool) holds, else ``other``; all three broadcast.

    With a condition alone: the indices of its nonzero elements, a tuple of int64 Tensors, one per dimension.
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if condition._array.dtype.kind not in "b":
        if condition._array.dtype != np.uint8:
            raise runtime_error(
                "where expected condition to be a boolean tensor, but got a tensor with dtype "
                f"{condition.dtype}"
            )
        condition = cast(condition, dtypes.BOOL)
    operands = (
        [_number_as_tensor(t) for t in (input, other)] if not _any_tensor(input, other) else [input, other]
    )
    return apply(e.where, (condition, *operands))


def _any_tensor(*operands: object) -> bool:
    return any(isinstance(t, Tensor) for t in operands)


def _number_as_tensor(t: Any) -> Tensor:
    return wrap(np.asarray(t, dtypes.number_dtype(t)))


@overload
def nonzero(input: Tensor, *, as_tuple: Literal[False] = False) -> Tensor: ...


@overload
def nonzero(input: Tensor, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """The indices of the nonzero elements: int64 of shape (count, ndim), or a tuple of its columns."""
    needs_value("nonzero()")
    found = np.stack(np.nonzero(np.atleast_1d(input._array))).astype(np.int64, copy=False)
    if as_tuple:
        return tuple(wrap(i) for i in found)
    return wrap(found.T[:, : input._array.ndim])


def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """``value`` (a number or a 0-d Tensor) where ``mask`` (bool) holds, else ``input``, in its dtype."""
    if isinstance(value, Tensor) and value._array.ndim:
        raise runtime_error(
            "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    if mask._array.dtype != bool:
        raise runtime_error(f"masked_fill only supports boolean masks, but got mask with dtype {mask.dtype}")
    y = where(mask, cast(value, input._array.dtype), input)
    return y if y._array.flags.c_contiguous else apply(shape.contiguous, (y,))


def fill(input: Tensor, value: Tensor | Number) -> Tensor:
    """A Tensor like ``input`` with ``value`` (a number or a 0-d Tensor) everywhere."""
    if isinstance(value, Tensor) and value._array.ndim:
        raise runtime_error(
            f"fill only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
        )
    dtype = input._array.dtype
    source = cast(value, dtype) if isinstance(value, Tensor) else single(value, dtype)
    return apply(shape.copy, (input, apply(shape.expand, (source,), {"shape": input._array.shape})))


def lerp(input: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor:
    """``input + weight * (end - input)``; all Tensors of one floating dtype, but for a weight without dimensions."""
    if isinstance(weight, Tensor) and not weight._array.ndim:
        weight = cast(weight, input._array.dtype)
    for name, t in (("end", end), ("weight", weight)):
        if isinstance(t, Tensor) and t._array.dtype != input._array.dtype:
            raise runtime_error(f"expected dtype {input.dtype} for `{name}` but got dtype {t._array.dtype}")
    if input._array.dtype.kind != "f":
        raise NotImplementedError(f'"lerp" not implemented for {input.dtype}; use .float() first')
    return apply(e.lerp, (input, end, weight))


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``."""
    return _with_product(e.mul, input, tensor1, tensor2, value)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``."""
    if dtypes.common([raw(tensor1), raw(tensor2)]).kind != "f":
        raise runtime_error(
            "Integer division with addcdiv is no longer supported; use input + value * minigrad.div(tensor1, "
            "tensor2)"
        )
    return _with_product(e.div, input, tensor1, tensor2, value)


def _with_product(op: Any, input: Tensor, tensor1: Any, tensor2: Any, value: Number) -> Tensor:
    """``input + op(value * tensor1, tensor2)`` in the dtype in which all meet; float16 rounds once."""
    meet = dtypes.common([raw(input), raw(tensor1), raw(tensor2)])
    if meet.kind == "b":
        raise NotImplementedError("not implemented for 'Bool'")
    value = number(value, meet)  # of integers: whole, as in PyTorch
    work = dtypes.working(meet)
    first = cast(tensor1, work)
    if value.__class__ is not int or value != 1:
        first = apply(e.mul, (first, value))
    product = apply(op, (first, cast(tensor2, work)))
    y: Tensor = cast(apply(e.add, (cast(input, work), product)), meet)
    return y


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """``|input - other| <= atol + rtol * |other|`` by element (bool).

    RuntimeError unless the two have one dtype and shapes that broadcast, or for a negative tolerance.
    """
    return wrap(_close("isclose", input, other, rtol, atol, equal_nan))


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether `isclose` holds everywhere; the same errors."""
    return bool(_close("allclose", input, other, rtol, atol, equal_nan).all())


def _close(name: str, input: Tensor, other: Tensor, rtol: float, atol: float, equal_nan: bool) -> Any:
    needs_value(f"{name}()")
    a, b = input._array, other._array
    if a.dtype != b.dtype:
        raise runtime_error(f"{name}: {input.dtype} did not match {other.dtype}; convert one with .to(dtype)")
    for key, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise runtime_error(f"{name}: {key} must be greater than or equal to zero, but got {tolerance}")
    try:
        return QUIET.run(np.isclose, a, b, rtol, atol, equal_nan)
    except ValueError:
        raise runtime_error(
            f"{name}: the shapes {list(a.shape)} and {list(b.shape)} do not broadcast; use unsqueeze() or reshape()"
        ) from None


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shape and all elements are the same. TypeError for what is no Tensor."""
    needs_value("equal()")
    return np.array_equal(raw(input), raw(other))


public(globals(), __all__)

"""Functions of single elements, under PyTorch's names.

Operands broadcast and meet by PyTorch's promotion; a result has the broadcast shape. Functions of real
numbers turn integers into the default float. Shapes that do not broadcast raise RuntimeError.
"""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, cast, needs_value, single
from minigrad.core.layout import holding
from minigrad.core.promote import held
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Number, Operand
from minigrad.core.types import NumberLike as NumberLike
from minigrad.core.views import apply_view
from minigrad.errors import clash, not_implemented_error, runtime_error, type_error, warn_once
from minigrad.gate import public
from minigrad.ops import elementwise as e
from minigrad.ops import shape

__all__ = [
    "add", "addcdiv", "addcmul", "allclose", "clamp", "clamp_max", "clamp_min", "clip", "div",
    "divide", "equal", "fill", "float_power", "frac", "isclose", "lerp", "masked_fill", "nonzero", "nonzero_static",
    "positive", "pow", "round", "rsub", "square", "sub", "subtract", "true_divide", "where",
]  # fmt: skip


def raw(t: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return t._array if isinstance(t, Tensor) else t


def broadcast(name: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that shapes broadcast to. RuntimeError if they do not."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise runtime_error(
            f"{name}(): {clash(shapes)} (shapes {', '.join(str(list(s)) for s in shapes)})"
        ) from None


def own(t: Tensor) -> Tensor:
    """A result that was made as a view of memory to which nothing else refers: to its user it is no view."""
    t._view = None
    return t


def dropped(t: Tensor, d: int) -> Tensor:
    """A new result without its dimension ``d``, of size 1; to its user it is no view."""
    size = t._array.shape
    return own(apply_view(shape.reshape, t, {"shape": (*size[:d], *size[d + 1 :])}))


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
    return cast(apply(op, (input, scaled(name, input, other, alpha))), meet)


def check_factor(name: str, argument: str, value: Number, meet: Any) -> None:
    """RuntimeError where a dtype is not multiplied by a number of this kind."""
    if isinstance(value, bool) and meet.kind != "b":
        raise runtime_error(f"{name}(): Boolean {argument} only supported for Boolean results.")
    for kind, kinds, what in ((float, "fcV", "integral"), (complex, "c", "non-complex")):
        if isinstance(value, kind) and meet.kind not in kinds:
            raise runtime_error(
                f"{name}(): For {what} input tensors, argument {argument} must not be a {kind.__name__} number, got "
                f"{value}"
            )


def scaled(name: str, input: Any, other: Any, alpha: Number) -> Any:
    """``alpha * other`` in the dtype in which the two operands meet; in float32 where that is float16."""
    if alpha.__class__ is int and alpha == 1:
        return other
    meet = dtypes.common([raw(input), raw(other)])
    check_factor(name, "alpha", alpha, meet)
    if name != "add" and dtypes.BOOL in [getattr(raw(t), "dtype", None) for t in (input, other)]:
        return other  # which is refused
    if meet.kind == "b":
        alpha = bool(alpha)
    if not isinstance(other, Tensor):
        return other and alpha if meet.kind == "b" else other * alpha
    return holding(apply(e.mul, (cast(other, dtypes.working(meet)), held(alpha, meet))))


def rsub(input: Tensor, other: Operand, *, alpha: Number = 1) -> Tensor:
    """``other - alpha * input``."""
    return _with_multiple("rsub", e.sub, other, input, alpha)


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
        kind = base._array.dtype
        if kind is dtypes.F32 or kind is dtypes.F64:  # which PyTorch raises to powers of eight bytes
            if exponent.__class__ is int and exponent.bit_length() > 63:
                held(exponent, dtypes.F64)
        elif kind.kind != "c":
            held(exponent, kind)
        if base._array.dtype.kind == "b":
            return apply(e.logical_or, (base, not exponent))
        if dtypes.is_short(base._array.dtype) and isinstance(exponent, float):
            exponent = float(base._array.dtype.type(exponent))  # as the Tensor's type holds it
        return apply(e.power, (base,), {"exponent": exponent})
    if not isinstance(input, Tensor) and isinstance(exponent, Tensor):
        exponent = exponent.contiguous()  # as in PyTorch, row by row
    return apply(e.pow, (input, exponent))


def float_power(input: Operand, exponent: Operand) -> Tensor:
    """``input ** exponent`` in float64, or in complex128."""
    double = dtypes.promote(dtypes.F64, dtypes.common([raw(input), raw(exponent)]))
    return pow(cast(input, double), cast(exponent, double))


def square(input: Tensor) -> Tensor:
    """``input * input``."""
    return apply(e.square, (cast(input, dtypes.I64) if input._array.dtype == bool else input,))


# ---------------------------------------------------------------- functions of one number


def frac(input: Tensor) -> Tensor:
    """The part behind the point, with the sign of ``input``. NotImplementedError for integers."""
    if input._array.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"frac\" not implemented for '{dtypes.scalar(input.dtype)}'; use .float() first"
        )
    return apply(e.sub, (input, apply(e.trunc, (input,))))


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """To ``decimals`` places, halves to even; gradient 0. NotImplementedError for bool, and of integers to places."""
    if decimals and input._array.dtype.kind not in "fcV":
        raise not_implemented_error(
            f"\"round\" to decimals not implemented for '{dtypes.scalar(input.dtype)}'; use .float() first"
        )
    return apply(e.round, (input,), {"decimals": decimals})


# ---------------------------------------------------------------- two operands


def clamp(
    input: Tensor,
    min: Tensor | Number | np.generic | None = None,
    max: Tensor | Number | np.generic | None = None,
) -> Tensor:
    """Each element, moved to the nearer bound if it is below ``min`` or above ``max``.

    The bounds are numbers, Tensors or None; ``max`` wins where ``min`` is above it.
    The gradient passes where min <= input <= max. RuntimeError if both bounds are None.
    """
    if min is None and max is None:
        raise runtime_error("clamp(): At least one of 'min' or 'max' must not be None")
    bounds = [raw(b) for b in (min, max) if b is not None]
    kind = input._array.dtype
    if kind is not dtypes.F32 or not {*map(type, bounds)} <= {int, float}:
        input = cast(input, dtypes.common([input._array, *bounds]))
    if input._array.dtype == bool and (
        len(bounds) == 2 or not isinstance(min if max is None else max, Tensor)
    ):
        raise not_implemented_error(
            "\"clamp\" not implemented for 'Bool'; convert with .int() or .float() first"
        )
    if not isinstance(min, Tensor) and not isinstance(max, Tensor):
        low, high = (None if b is None else held(b, input._array.dtype) for b in (min, max))
        return apply(e.clamp, (input,), {"min": low, "max": high})
    if min is None:
        return apply(e.clamp_max, (input, max))
    return apply(e.clamp_min, (input, min)) if max is None else apply(e.clamp_to, (input, min, max))


clip = clamp


def clamp_min(input: Tensor, min: Tensor | Number | np.generic) -> Tensor:
    """Each element, or ``min`` where that is larger."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Tensor | Number | np.generic) -> Tensor:
    """Each element, or ``max`` where that is smaller."""
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
                f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}; "
                "compare it with something, such as != 0"
            )
        warn_once("where received a uint8 condition tensor. This is deprecated; use a boolean condition")
        condition = cast(condition, dtypes.BOOL)
    operands: list[Any] = [input, other]
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        plain = [dtypes.python_number(t) if isinstance(t, np.generic) else t for t in operands]
        operands = [wrap(np.asarray(t, dtypes.number_dtype(t))) for t in plain]
    return apply(e.where, (condition, *operands))


@overload
def nonzero(input: Tensor, *, as_tuple: Literal[False] = False) -> Tensor: ...


@overload
def nonzero(input: Tensor, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """The indices of the nonzero elements: int64 of shape (count, ndim), or a tuple of its columns."""
    needs_value(
        "nonzero(), whose size depends on values (give each row a weight instead, 0 where it does not count),"
    )
    indices = np.stack(np.nonzero(np.atleast_1d(input._array))).astype(np.int64, copy=False)
    if as_tuple:
        return tuple(wrap(i) for i in indices)
    return wrap(indices.T[:, : input._array.ndim])


def nonzero_static(input: Tensor, *, size: int | None = None, fill_value: int = -1) -> Tensor:
    """`nonzero` of a fixed number of rows: the first ``size``, or with rows of ``fill_value`` behind them.

    TypeError without ``size``, RuntimeError for a negative one.
    """
    ndim = input._array.ndim
    if size is None:
        raise type_error("nonzero_static() missing 1 required keyword-only argument: 'size'")
    if size < 0:
        raise runtime_error("nonzero_static: 'size' must be an non-negative integer")
    found = nonzero(input)._array[:size]
    rows = np.full((size, ndim), fill_value, np.int64)
    rows[: len(found)] = found
    return wrap(rows)


def filling(value: Tensor | Number, dtype: Any) -> Any:
    """A number or a 0-d Tensor that is written, in ``dtype``. RuntimeError where that does not hold it."""
    if not isinstance(value, Tensor):
        return held(value, dtype)
    here = value._array.dtype
    if here != dtype and here.kind != "b" != dtype.kind:
        x: Any = dtypes.python_number(value._array[()])
        held(x.real if x.__class__ is complex and not x.imag and dtype.kind != "c" else x, dtype)
    return cast(value, dtype)


def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """``value`` (a number or a 0-d Tensor) where ``mask`` (bool) holds, else ``input``, in its dtype."""
    if isinstance(value, Tensor) and value._array.ndim:
        raise runtime_error(
            "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    if mask._array.dtype != bool:
        raise runtime_error(
            "masked_fill only supports boolean masks, but got mask with dtype "
            f"{dtypes.in_c(mask.dtype)}; use .bool()"
        )
    y = where(mask, filling(value, input._array.dtype), input)
    return y if y._array.flags.c_contiguous else apply(shape.contiguous, (y,))


def fill(input: Tensor, value: Tensor | Number) -> Tensor:
    """A Tensor like ``input`` with ``value`` (a number or a 0-d Tensor) everywhere."""
    if isinstance(value, Tensor) and value._array.ndim:
        raise runtime_error(
            f"fill only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
        )
    dtype = input._array.dtype
    source = cast(value, dtype) if isinstance(value, Tensor) else single(value, dtype, input._array.size != 1)
    return apply(shape.copy, (input, apply_view(shape.expand, source, {"shape": input._array.shape})))


def lerp(input: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor:
    """``input + weight * (end - input)``; all Tensors of one floating dtype, but for a weight without dimensions."""
    if isinstance(weight, Tensor) and not weight._array.ndim:
        weight = cast(weight, input._array.dtype)
    for name, t in (("end", end), ("weight", weight)):
        if isinstance(t, Tensor) and t._array.dtype != input._array.dtype:
            raise runtime_error(f"expected dtype {input.dtype} for `{name}` but got dtype {t._array.dtype}")
    if input._array.dtype.kind not in "fcV":
        raise not_implemented_error(
            f"\"lerp\" not implemented for '{dtypes.scalar(input.dtype)}'; use .float() first"
        )
    if not isinstance(weight, Tensor):
        weight = held(weight, dtypes.working(input._array.dtype))
    return holding(apply(e.lerp, (input, end, weight)))


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``."""
    return _with_product(e.mul, input, tensor1, tensor2, value)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``."""
    if dtypes.common([raw(tensor1), raw(tensor2)]).kind not in "fcV":
        raise runtime_error(
            "Integer division with addcdiv is no longer supported; use input + value * minigrad.div(tensor1, tensor2)"
        )
    return _with_product(e.div, input, tensor1, tensor2, value)


def _with_product(op: Any, input: Tensor, tensor1: Any, tensor2: Any, value: Number) -> Tensor:
    """``input + op(value * tensor1, tensor2)`` in the dtype in which all meet; float16 rounds once."""
    meet = dtypes.common([raw(input), raw(tensor1), raw(tensor2)])
    if meet.kind == "b":
        raise not_implemented_error("not implemented for 'Bool'")
    work = dtypes.working(meet)
    value = held(value, work)  # of integers: whole, as in PyTorch
    first = cast(tensor1, work)
    if value.__class__ is not int or value != 1:
        first = apply(e.mul, (first, value))
    product = apply(op, (first, cast(tensor2, work)))
    return cast(apply(e.add, (cast(input, work), product)), meet)


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


def close(a: Any, b: Any, rtol: float, atol: float, equal_nan: bool) -> Any:
    """As ``np.isclose``, which makes floats of integers; without tolerances they are compared as they are."""
    if rtol or atol:
        return np.isclose(a, b, rtol, atol, equal_nan)
    return (a == b) | (equal_nan & (a != a) & (b != b))


def _close(name: str, input: Tensor, other: Tensor, rtol: float, atol: float, equal_nan: bool) -> Any:
    needs_value(f"{name}()")
    a, b = input._array, other._array
    if a.dtype != b.dtype:
        raise runtime_error(
            f"{name}: {dtypes.scalar(a.dtype)} did not match {dtypes.scalar(b.dtype)}; convert one with .to(dtype)"
        )
    for key, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise runtime_error(f"{name}: {key} must be greater than or equal to zero, but got {tolerance}")
    try:
        return QUIET.run(close, a, b, rtol, atol, equal_nan)
    except ValueError:
        raise runtime_error(
            f"{name}: {clash((a.shape, b.shape))} (shapes {list(a.shape)}, {list(b.shape)})"
        ) from None


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shape and all elements are the same. TypeError for anything but a Tensor."""
    needs_value("equal()")
    return np.array_equal(raw(input), raw(other))


METHODS = """
    add addcdiv addcdiv_ addcmul addcmul_ allclose clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_
    clip clip_ div div_ divide divide_ equal float_power frac frac_ isclose lerp lerp_
    masked_fill nonzero nonzero_static positive pow pow_ round round_ square square_ sub subtract
    true_divide true_divide_
"""
public(globals(), __all__, home="minigrad")

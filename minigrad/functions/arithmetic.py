"""Mantissa and exponent, both extremes, areas under points, and questions about Tensors, under PyTorch's names."""

from __future__ import annotations

from minigrad.core.apply import apply, cast, needs_value
from minigrad.core.layout import holding
from minigrad.core.tensor import Tensor
from minigrad.core.types import Number
from minigrad.dtypes import C128, F64, is_short, limits
from minigrad.errors import index_error, runtime_error
from minigrad.functions.dims import one_dim
from minigrad.functions.elementwise import pow
from minigrad.functions.reduce import amax, amin, cumsum
from minigrad.functions.reduce import sum as total
from minigrad.functions.results import Extremes, MantissaAndExponent
from minigrad.gate import public
from minigrad.ops import arithmetic as ops
from minigrad.ops import complex as complexes
from minigrad.ops import elementwise as e

__all__ = [
    "aminmax", "cumulative_trapezoid", "frexp", "heaviside", "is_floating_point",
    "is_nonzero", "is_same_size", "ldexp", "nan_to_num", "trapezoid", "trapz",
]  # fmt: skip


# ---------------------------------------------------------------- element by element


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 below 0, 1 above, and ``values`` at 0; no gradient. RuntimeError unless both have one dtype."""
    if input._array.dtype != values._array.dtype:
        raise runtime_error("heaviside is not yet implemented for tensors with different dtypes.")
    return apply(ops.heaviside, (input, values))


def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """nan as ``nan`` (0), inf and -inf as ``posinf`` and ``neginf``: without them the extremes of the dtype."""
    if input._array.dtype.kind == "c":  # both parts
        parts = nan_to_num(apply(complexes.as_real, (input,)), nan, posinf, neginf)
        return apply(complexes.as_complex, (parts,))
    if input._array.dtype.kind not in "fV":
        return input.clone()
    ends = {"posinf": posinf, "neginf": neginf}
    if is_short(input._array.dtype):  # the largest numbers are not those that it is computed in
        most = float(limits(input._array.dtype).max)
        ends = {
            name: sign * most if ends[name] is None else ends[name]
            for name, sign in (("posinf", 1), ("neginf", -1))
        }
    return apply(ops.nan_to_num, (input,), {"nan": 0.0 if nan is None else nan, **ends})


def frexp(input: Tensor) -> MantissaAndExponent:
    """``mantissa`` from 0.5 to 1 and ``exponent`` (int32), with ``input = mantissa * 2**exponent``.

    The gradient takes the exponent as fixed. RuntimeError for integers.
    """
    if input._array.dtype.kind not in "fV":
        raise runtime_error(f"minigrad.frexp() only supports floating-point dtypes, got {input.dtype}")
    exponent = apply(ops.exponent, (input,))
    return MantissaAndExponent(apply(ops.scale_down, (input, exponent)), exponent)


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """``input * 2**other``; with whole numbers in the element type of the input, where that is one of floats."""
    dtype = input._array.dtype
    if dtype.kind in "fcV" and other._array.dtype.kind in "biu":
        # A power may be beyond what the element type holds where the product is not.
        wide = cast(input, C128 if dtype.kind == "c" else F64)
        return cast(apply(e.mul, (wide, pow(2.0, cast(other, F64)))), dtype)
    return apply(e.mul, (input, pow(2.0, other)))


# ---------------------------------------------------------------- along dimensions


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Extremes:
    """The least and the greatest element, ``(min, max)``, over ``dim`` or over all; equal ones share the gradient."""
    shape = input._array.shape
    if dim is None and 0 in shape:
        raise runtime_error(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    if dim is not None and shape and shape[one_dim(dim, len(shape))] == 0:
        raise index_error(f"aminmax: Expected reduction dim {dim} to have non-zero size.")
    dims = () if dim is None else dim
    return Extremes(amin(input, dims, keepdim), amax(input, dims, keepdim))


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Number = 1, dim: int = -1) -> Tensor:
    """The area under points ``y`` along ``dim``, straight lines between them: at places ``x`` or ``dx`` apart.

    ``x`` has one place for each point of ``dim``, or broadcasts with ``y``. RuntimeError for bools.
    """
    areas = _areas("trapezoid", y, x, dx, dim)
    return total(areas, one_dim(dim, y._array.ndim))


trapz = trapezoid


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Number = 1, dim: int = -1) -> Tensor:
    """The areas of `trapezoid` up to each point but the first."""
    areas = _areas("cumulative_trapezoid", y, x, dx, dim)
    return cumsum(areas, one_dim(dim, y._array.ndim))


def _areas(name: str, y: Tensor, x: Tensor | None, dx: Number, dim: int) -> Tensor:
    """The area between each point and the next one, one less than there are points."""
    ndim = y._array.ndim
    if not ndim:
        raise index_error("Dimension specified as -1 but tensor has no dimensions")
    if y._array.dtype == bool or (x is not None and x._array.dtype == bool):
        raise runtime_error(
            f"{name}: received a bool input for `x` or `y`, but bool is not supported; convert with .float()"
        )
    d = one_dim(dim, ndim)
    if x is None and isinstance(dx, complex):
        raise runtime_error(f"{name}: Currently, we only support dx as a real number.")
    if x is None:
        return holding((_shifted(y, d, 0) + _shifted(y, d, 1)) * (dx / 2))
    if x._array.ndim == 1 and x._array.shape[0] != y._array.shape[d]:
        raise runtime_error(f"{name}: There must be one `x` value for each sample point")
    if x._array.ndim == 1:
        x = x.reshape([-1 if k == d else 1 for k in range(ndim)])
    elif x._array.ndim < ndim:
        x = x.reshape([1] * (ndim - x._array.ndim) + list(x._array.shape))
    width = _shifted(x, d, 1) - _shifted(x, d, 0)
    return (_shifted(y, d, 0) + _shifted(y, d, 1)) * width / 2


def _shifted(t: Tensor, dim: int, start: int) -> Tensor:
    """All elements along a dimension but the last or, with 1, but the first."""
    piece = slice(1, None) if start else slice(None, -1)
    return t[(slice(None),) * dim + (piece,)]


# ---------------------------------------------------------------- transposed; questions


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is one of floating-point numbers."""
    return bool(input._array.dtype.kind in "fV")


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not 0. RuntimeError unless there is just one."""
    needs_value("is_nonzero()")
    size = input._array.size
    if size != 1:
        raise runtime_error(
            "Boolean value of Tensor with no values is ambiguous"
            if not size
            else f"Boolean value of Tensor with more than one value is ambiguous; it has {size}"
        )
    return bool(input._array.item() != 0)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two Tensors have one shape."""
    return bool(input._array.shape == other._array.shape)


METHODS = """
    aminmax frexp heaviside heaviside_ is_nonzero is_same_size ldexp ldexp_
    nan_to_num nan_to_num_
"""
public(globals(), __all__, home="minigrad")

"""Complex numbers under PyTorch's names: what they are made of, their angles, their conjugates."""

from __future__ import annotations

import builtins
import math

from minigrad.core.apply import apply, cast
from minigrad.core.names import known_as
from minigrad.core.tensor import Tensor
from minigrad.core.views import apply_view
from minigrad.dtypes import default_float, scalar
from minigrad.errors import runtime_error, type_error
from minigrad.functions.elementwise import where
from minigrad.gate import public
from minigrad.ops import complex as ops
from minigrad.ops import elementwise as e
from minigrad.ops.shape import contiguous

__all__ = [
    "adjoint", "angle", "complex", "conj", "conj_physical", "imag", "is_complex", "is_conj", "is_neg", "isreal",
    "polar", "real", "resolve_conj", "resolve_neg", "sgn", "view_as_complex", "view_as_complex_copy", "view_as_real",
    "view_as_real_copy",
]  # fmt: skip


# What PyTorch takes a part of is a view as real numbers.
_PART = "SelectBackward0 ViewAsRealBackward0"


def complex(real: Tensor, imag: Tensor) -> Tensor:
    """``real + 1j * imag``: complex64 of float32, complex128 of float64.

    RuntimeError for other element types, or two of them.
    """
    _two_floats("complex", real, imag)
    return apply(ops.pair, (real, imag))


def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """``abs * exp(1j * angle)``, the angle in radians.

    RuntimeError unless both are float32 or both float64.
    """
    _two_floats("polar", abs, angle)
    return apply(ops.pair, (abs * angle.cos(), abs * angle.sin()))


def _two_floats(name: str, a: Tensor, b: Tensor) -> None:
    types = a._array.dtype, b._array.dtype
    if types[0].char not in "fd" or types[1].char not in "fd":
        raise runtime_error(
            f"Expected both inputs of {name}() to be float32 or float64 tensors but got {a.dtype} and {b.dtype}"
        )
    if types[0] != types[1]:
        raise runtime_error(
            f"Expected object of scalar type {scalar(a.dtype)} but got scalar type {scalar(b.dtype)} for second "
            f"argument of {name}()"
        )


def is_complex(input: Tensor) -> bool:
    """Whether the element type is complex."""
    return builtins.bool(input._array.dtype.kind == "c")


def real(input: Tensor) -> Tensor:
    """The real part, as a view; of real numbers the Tensor itself."""
    return known_as(_PART, apply(ops.real, (input,))) if is_complex(input) else input


def imag(input: Tensor) -> Tensor:
    """The imaginary part, as a view. RuntimeError for real numbers."""
    if not is_complex(input):
        raise runtime_error("imag is not implemented for tensors with non-complex dtypes.")
    return known_as(_PART, apply_view(ops.imag, input))


def view_as_real(input: Tensor) -> Tensor:
    """A view of complex numbers as pairs of real ones, along a new last dimension. RuntimeError for real numbers."""
    if not is_complex(input):
        raise runtime_error("view_as_real is only supported for complex tensors")
    return apply_view(ops.as_real, input)


def view_as_complex(input: Tensor) -> Tensor:
    """A view of pairs along the last dimension as complex numbers.

    RuntimeError unless elements are float32 or float64, the last dimension is 2, and its two lie side by side.
    """
    x = input._array
    if x.dtype.char not in "fd":
        raise runtime_error(
            "view_as_complex is only supported for floating point tensors, but got a tensor of scalar type: "
            f"{input.dtype}"
        )
    if x.ndim == 0:
        raise runtime_error("Input tensor must have one or more dimensions")
    if x.shape[-1] != 2:
        raise runtime_error("Tensor must have a last dimension of size 2")
    if x.strides[-1] != x.itemsize:
        raise runtime_error("Tensor must have a last dimension with stride 1")
    if any(s % (2 * x.itemsize) for s in x.strides[:-1]):
        raise runtime_error("Tensor must have a stride divisible by 2 for all but last dimension")
    return apply(ops.as_complex, (input,))


def view_as_real_copy(input: Tensor) -> Tensor:
    """A copy of `view_as_real`."""
    return apply(contiguous, (view_as_real(input),))


def view_as_complex_copy(input: Tensor) -> Tensor:
    """A copy of `view_as_complex`."""
    return apply(contiguous, (view_as_complex(input),))


def conj(input: Tensor) -> Tensor:
    """The conjugates, in memory of their own; of real numbers the Tensor itself."""
    return apply(ops.conj, (input,)) if is_complex(input) else input


def conj_physical(input: Tensor) -> Tensor:
    """`conj`."""
    return conj(input)


def resolve_conj(input: Tensor) -> Tensor:
    """The Tensor itself: a conjugate has memory of its own."""
    return _tensor("resolve_conj", input)


def resolve_neg(input: Tensor) -> Tensor:
    """The Tensor itself."""
    return _tensor("resolve_neg", input)


def is_conj(input: Tensor) -> bool:
    """False: a conjugate has memory of its own."""
    _tensor("is_conj", input)
    return False


def is_neg(input: Tensor) -> bool:
    """False."""
    _tensor("is_neg", input)
    return False


def _tensor(name: str, input: Tensor) -> Tensor:
    if not isinstance(input, Tensor):
        raise type_error(f"{name}(): argument 'input' must be Tensor, not {type(input).__name__}")
    return input


def isreal(input: Tensor) -> Tensor:
    """True where the imaginary part is 0 (bool)."""
    return apply(e.eq, (imag(input) if is_complex(input) else apply(e.zero, (input,)), 0))


def adjoint(input: Tensor) -> Tensor:
    """The conjugates of transposed matrices. RuntimeError for a vector."""
    if input._array.ndim == 1:
        raise runtime_error(
            "tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor."
        )
    return conj(input.mT)


def sgn(input: Tensor) -> Tensor:
    """``input / abs(input)``, 0 at 0; of real numbers `sign`."""
    return apply(ops.sgn if is_complex(input) else e.sign, (input,))


def angle(input: Tensor) -> Tensor:
    """The angles to the positive real axis, in radians: of real numbers 0, or pi where they are negative.

    The gradient of real numbers is 0; nan stays nan.
    """
    if is_complex(input):
        return apply(ops.angle, (input,))
    x = input if input._array.dtype.kind in "fV" else cast(input, default_float())
    # through `sign`, whose gradient is 0 also where the input is inf
    sign = apply(e.sign, (x,))
    y = (sign.abs() - sign) * (math.pi / 2)
    return where(apply(e.isnan, (x,)), math.nan, y)


METHODS = """
    adjoint angle conj conj_physical conj_physical_ is_complex is_conj is_neg isreal resolve_conj resolve_neg sgn sgn_
"""
public(globals(), __all__, home="minigrad")

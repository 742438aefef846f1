"""Floats rounded to the numbers that few bits can stand for, as training for such bits needs them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.tensor import Tensor
from minigrad.core.types import Operand
from minigrad.dtypes import scalar
from minigrad.errors import not_implemented_error, runtime_error
from minigrad.functions.dims import one_dim
from minigrad.functions.elementwise import where
from minigrad.gate import public

__all__ = ["fake_quantize_per_channel_affine", "fake_quantize_per_tensor_affine"]


def fake_quantize_per_tensor_affine(
    input: Tensor, scale: Operand, zero_point: Operand, quant_min: int, quant_max: int
) -> Tensor:
    """``(q - zero_point) * scale`` for ``q = round(input / scale) + zero_point``, from ``quant_min`` to ``quant_max``.

    The gradient passes as it is where ``q`` was within these bounds, and is 0 elsewhere; ``scale`` has none.
    RuntimeError for bounds, or a ``zero_point``, that do not fit each other.
    """
    return _rounded("fake_quantize_per_tensor_affine", input, scale, zero_point, quant_min, quant_max)


def fake_quantize_per_channel_affine(
    input: Tensor, scale: Tensor, zero_point: Tensor, axis: int, quant_min: int, quant_max: int
) -> Tensor:
    """As `fake_quantize_per_tensor_affine`, with a scale and a zero point for each index of dimension ``axis``.

    RuntimeError for other numbers of them, for an ``axis`` out of range (IndexError where it is the number of
    dimensions), for a ``zero_point`` of another dtype than int32, float32 or float16, or out of bounds in int32.
    """
    ndim, name = input._array.ndim, "fake_quantize_per_channel_affine"
    if not 0 <= axis <= ndim:
        raise runtime_error(
            f"{name}(): `axis` must be between 0 and number of dimensions of input, got {axis}"
        )
    one_dim(axis, ndim)
    for what, t in (("scale", scale), ("zero-point", zero_point)):
        if t._array.shape != (input._array.shape[axis],):
            raise runtime_error(
                f"{name}(): dimensions of {what} are not consistent with input tensor: {list(t._array.shape)} for "
                f"dimension {axis} of {list(input._array.shape)}"
            )
    if zero_point._array.dtype not in (np.int32, np.float32, np.float16):
        raise runtime_error(f"Zero-point must be Int32, Float or Half, found {zero_point.dtype}")
    points = zero_point._array
    if (
        points.dtype.kind == "i"
        and points.size
        and not quant_min <= points.min() <= points.max() <= quant_max
    ):
        raise runtime_error(f"{name}(): `zero_point` must be between `quant_min` and `quant_max`.")
    apart = [-1 if d == axis else 1 for d in range(ndim)]
    return _rounded(name, input, scale.reshape(apart), zero_point.reshape(apart), quant_min, quant_max)


def _rounded(name: str, input: Tensor, scale: Any, zero_point: Any, low: int, high: int) -> Tensor:
    if input._array.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"{name}\" not implemented for '{scalar(input.dtype)}'; use .float() first"
        )
    if low > high:
        raise runtime_error(
            f"{name}(): `quant_min` should be less than or equal to `quant_max`: {low} and {high}"
        )
    if not isinstance(zero_point, Tensor) and not low <= zero_point <= high:
        raise runtime_error(
            f"{name}(): `zero_point` must be between `quant_min` and `quant_max`, got {zero_point}"
        )
    x = input.detach()
    scale = scale.detach() if isinstance(scale, Tensor) else scale
    q = (x / scale).round() + zero_point
    y = (q.clamp(low, high) - zero_point) * scale
    passing = where((q >= low) & (q <= high), input, 0.0)
    return passing + (y.to(x.dtype) - passing.detach())


METHODS = ""
public(globals(), __all__, home="minigrad")

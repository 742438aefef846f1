"""Operations of networks that have a record of their own because it is measured to pay."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import buffers
from minigrad.ops.elementwise import zero
from minigrad.ops.linalg import product, times
from minigrad.ops.shape import reshape
from minigrad.tape import Array, Op

_BLOCK = 1 << 14  # elements
_BITS = {2: np.int16, 4: np.int32, 8: np.int64}


def _linear(x: Array, w: Array, b: Array) -> Array:
    y: Array = product(x, w.T)
    y += b  # in place: a large temporary costs more than the sum
    return y


def _weight_vjp(g: Any, x: Any) -> Any:
    if len(g.shape) == 2:
        return times(g.T, x)
    rows = math.prod(g.shape[:-1])  # all leading dimensions as one
    return times(reshape(g, shape=(rows, g.shape[-1])).T, reshape(x, shape=(rows, x.shape[-1])))


def _relu(x: Array) -> Array:
    zero = 0.0 if x.dtype.kind == "f" else 0  # a float for floats saves a conversion
    if x.nbytes < buffers.SMALL:
        return np.maximum(x, zero)
    return np.maximum(x, zero, out=buffers.empty(x.shape, x.dtype))


def _relu_backward(g: Any, y: Any) -> Any:
    if y.size < 512:
        return np.where(np.less_equal(y, 0.0), 0.0, g)  # fewer calls
    # A mask of bits, not a product with booleans: as fast, and inf or nan in g do not pass where y is 0.
    bits = _BITS[y.dtype.itemsize]
    passed = np.less_equal(y, 0.0).view(np.int8)
    passed = np.subtract(passed, 1, out=passed if isinstance(passed, np.ndarray) else None)
    masked = passed.astype(bits)
    out = masked if isinstance(masked, np.ndarray) else None
    return np.bitwise_and(masked, g.view(bits), out=out).view(y.dtype)


def _relu_consume(g: Array, y: Array) -> Array:
    """`_relu_backward` written over ``g``, in blocks that stay in the cache."""
    if g.size < 2 * _BLOCK or not (g.flags.c_contiguous and y.flags.c_contiguous):
        return _relu_backward(g, y)  # type: ignore[no-any-return]
    bits = _BITS[y.dtype.itemsize]
    flat, values = g.reshape(-1).view(bits), y.reshape(-1)
    passed, masked = np.empty(_BLOCK, np.bool_), np.empty(_BLOCK, bits)
    for k in range(0, g.size, _BLOCK):
        part = flat[k : k + _BLOCK]
        n = part.size
        small = np.less_equal(values[k : k + _BLOCK], 0.0, out=passed[:n]).view(np.int8)
        np.subtract(small, 1, out=small)
        np.copyto(masked[:n], small)
        np.bitwise_and(part, masked[:n], out=part)
    return g


def _mse(a: Array, b: Array) -> Any:
    d = np.asarray(np.subtract(a, b))
    return np.vdot(d, d) / d.size


def _mse_vjp(g: Any, a: Any, b: Any) -> Any:
    d = a - b
    return d * (g * (2.0 / max(math.prod(d.shape), 1)))


# fmt: off
linear = Op("linear", _linear, "x w b", lambda g, w: times(g, w), _weight_vjp, lambda g: g, onnx="Gemm")
relu = Op("relu", _relu, "x", lambda g, y: relu_backward(g, y), consume=_relu_consume, onnx="Relu")
relu_backward: Op = Op("relu_backward", _relu_backward, "d a", lambda g, a: relu_backward(g, a),
                       lambda g: zero(g))
mse_loss = Op("mse_loss", _mse, "a b", _mse_vjp, lambda g, a, b: -_mse_vjp(g, a, b), cast="floats")
# fmt: on

"""Operations of networks that have a record of their own because it is measured to pay."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.ops.elementwise import zero
from minigrad.ops.shape import reshape
from minigrad.tape import Array, Op

_BITS = {2: np.int16, 4: np.int32, 8: np.int64}


def _linear(x: Array, w: Array, b: Array) -> Array:
    y: Array = x @ w.T
    y += b  # in place: a large temporary costs more than the sum
    return y


def _rows(x: Any) -> Any:
    """All leading dimensions as one."""
    shape = x.shape
    return x if len(shape) == 2 else reshape(x, shape=(math.prod(shape[:-1]), shape[-1]))


def _relu_backward(g: Array, y: Array) -> Array:
    # A mask of bits instead of a product with booleans: as fast, and inf or nan in g do not pass where y is 0.
    bits = _BITS[y.dtype.itemsize]
    passed = np.less_equal(y, 0).view(np.int8)
    passed = np.subtract(passed, 1, out=passed if isinstance(passed, np.ndarray) else None)
    masked = passed.astype(bits)
    return np.bitwise_and(masked, g.view(bits), out=masked if isinstance(masked, np.ndarray) else None).view(y.dtype)


def _mse(a: Array, b: Array) -> Any:
    d = np.subtract(a, b)
    return np.add.reduce(np.square(d), axis=None) / d.size


def _mse_vjp(g: Any, a: Any, b: Any) -> Any:
    d = a - b
    return d * (g * (2.0 / max(math.prod(d.shape), 1)))


# fmt: off
linear = Op("linear", _linear, "x w b", lambda g, w: g @ w, lambda g, x: _rows(g).mT @ _rows(x), lambda g: g, onnx="Gemm")
relu = Op("relu", lambda x: np.maximum(x, 0), "x", lambda g, y: relu_backward(g, y), onnx="Relu")
relu_backward = Op("relu_backward", _relu_backward, "g y", lambda g, y: relu_backward(g, y), lambda g: zero(g))
mse_loss = Op("mse_loss", _mse, "a b", _mse_vjp, lambda g, a, b: -_mse_vjp(g, a, b), cast="float")
# fmt: on

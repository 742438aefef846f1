"""Single steps of recurrent layers, as cells take them.

`minigrad.kernels.recurrent` turns and scales weights before its loop: for one step that would take more time than the
products.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@functools.lru_cache(maxsize=32)
def _curves(width: int, kind: str) -> tuple[Array, Array]:
    """By what an LSTM's gates are multiplied before and after tanh, and what is added: the third is no sigmoid."""
    scale = np.repeat(np.array([0.5, 0.5, 1.0, 0.5], kind), width).reshape(1, 4 * width)
    return scale, (1.0 - scale).reshape(4, 1, width)


def _sums(x: Array, w: Array, bias: Array | None) -> Array:
    """The products with weights that lie row by row: BLAS rounds in another way where they are turned."""
    z = np.dot(np.ascontiguousarray(x), np.ascontiguousarray(w).T)
    if bias is not None:
        z += bias
    return z


def rnn_step(x: Array, h: Array, w: Array, u: Array, bias: Sequence[Array], relu: bool, out: Array) -> None:
    z = _sums(x, w, bias[0] + bias[1] if bias else None)
    z += _sums(h, u, None)
    if relu:
        np.maximum(z, 0.0, out=out)
    else:
        np.tanh(z, out)


def lstm_step(
    x: Array, h: Array, c: Array, w: Array, u: Array, more: Sequence[Array], biased: bool, gates: Array, cell: Array,
    out: Array,
) -> None:  # fmt: skip
    """The parameters are those of `lstm`, and the places of its gates, one below the other, and of its results."""
    n, width = c.shape
    scale, shift = _curves(width, x.dtype.char)
    z = _sums(x, w, more[0] + more[1] if biased else None)
    z += _sums(h, u, None)
    z *= scale
    np.tanh(z, z)
    z *= scale
    i, f, a, o = np.add(z.reshape(n, 4, width).swapaxes(0, 1), shift, gates.reshape(4, n, width))
    np.multiply(f, c, cell)
    cell += i * a
    if len(more) % 2:
        np.matmul(o * np.tanh(cell), more[-1].T, out)
    else:
        np.multiply(o, np.tanh(cell), out)


def gru_step(
    x: Array, h: Array, w: Array, u: Array, bias: Sequence[Array], gates: Array, inner: Array, out: Array
) -> None:
    """The parameters are those of `gru`, and the places of its gates, side by side, and of its results."""
    n, width = h.shape
    both = 2 * width
    s, p = _sums(x, w, bias[0] if bias else None), _sums(h, u, bias[1] if bias else None)
    half = np.asarray(0.5, x.dtype)
    rz = s[:, :both] + p[:, :both]
    rz *= half
    np.tanh(rz, rz)
    rz *= half
    np.add(rz, half, gates.reshape(n, 3 * width)[:, :both])
    inner[...] = p[:, both:]
    a = gates[:, 2]
    np.multiply(gates[:, 0], inner, a)
    a += s[:, both:]
    np.tanh(a, a)
    np.subtract(h, a, out)
    out *= gates[:, 1]
    out += a

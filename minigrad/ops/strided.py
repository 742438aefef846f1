"""Windows along a dimension, which overlap where the step is smaller than they are, and the gradient of that."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.op import Array, Op


def _sliding(x: Array, dim: int, size: int, step: int) -> Array:
    shape, strides = [*x.shape, size], [*x.strides, x.strides[dim]]
    shape[dim] = (x.shape[dim] - size) // step + 1
    strides[dim] *= step
    return np.lib.stride_tricks.as_strided(x, shape, strides)


def _sliding_back(g: Array, shape: tuple[int, ...], dim: int, step: int) -> Array:
    y = np.zeros(shape, g.dtype)
    count = g.shape[dim]
    for k in range(g.shape[-1]):
        here: list[Any] = [slice(None)] * len(shape)
        here[dim] = slice(k, k + (count - 1) * step + 1, step)
        y[tuple(here)] += g[..., k]
    return y


sliding: Op = Op(
    "sliding",
    _sliding,
    "x; dim size step",
    lambda g, x_shape, dim, step: sliding_back(g, shape=x_shape, dim=dim, step=step),
    view=True,
    grad_fn="UnfoldBackward0",
    reads="unfold",
    batch="dims",
)
sliding_back: Op = Op(
    "sliding_back",
    _sliding_back,
    "g; shape dim step",
    lambda g, g_shape, dim, step: sliding(g, dim=dim, size=g_shape[-1], step=step),
    order="C",
    complex="analytic",
    batch="dims",
)


# ---------------------------------------------------------------- places in memory


def _as_strided(x: Array, size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Array:
    # The elements of x, row by row, are the memory that is looked at; a copy where x lies otherwise.
    x = np.reshape(x, -1)
    step = x.strides[0]
    return np.lib.stride_tricks.as_strided(x[offset:], size, [n * step for n in stride])


def _as_strided_back(
    g: Array, shape: tuple[int, ...], size: tuple[int, ...], stride: tuple[int, ...], offset: int
) -> Array:
    y = np.zeros(shape, g.dtype)
    places = _as_strided(np.arange(y.size), size, stride, offset)
    np.add.at(np.reshape(y, -1), places, g)
    return y


as_strided: Op = Op(
    "as_strided",
    _as_strided,
    "x; size stride offset",
    lambda g, x_shape, size, stride, offset: as_strided_back(
        g, shape=x_shape, size=size, stride=stride, offset=offset
    ),
    view=True,
    repeats=True,
    batch="alone",
)
as_strided_back: Op = Op(
    "as_strided_back",
    _as_strided_back,
    "g; shape size stride offset",
    lambda g, size, stride, offset: as_strided(g, size=size, stride=stride, offset=offset),
    order="C",
    complex="analytic",
    batch="alone",
)

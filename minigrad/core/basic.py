"""The operations that the core itself needs: to convert, to copy, to undo broadcasting, to write into a view."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core.op import Array, Op, Path
from minigrad.kernels.sums import add_up, copied, sum_rows


def _expand(x: Any, shape: tuple[int, ...]) -> Array:
    if x.size == 1 and isinstance(x, np.ndarray) and x.flags.c_contiguous:
        # One element seen many times; a tenth of the time of np.broadcast_to.
        return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
    if isinstance(x, np.ndarray) and math.prod(shape) == x.size and len(shape) >= x.ndim:
        return x.reshape(shape)  # nothing repeats
    y = np.broadcast_to(x, shape)
    if isinstance(x, np.ndarray) and x.flags.writeable:
        y.flags.writeable = True  # a part of it may be written to; `inplace.store` refuses what repeats
    return y


def _sum_to(x: Array, shape: tuple[int, ...]) -> Any:
    if len(shape) == 1 and x.ndim > 1 and shape[0] == x.shape[-1]:  # rows onto one, as for a bias
        if x.ndim == 2 and len(x) == 1:
            return x[0]
        if x.size > shape[0] > 1 and x.dtype.char in "fd":
            return sum_rows(x if x.ndim == 2 else x.reshape(-1, shape[0]))
        if x.ndim == 2:
            return add_up(x, (0,))
    lead = x.ndim - len(shape)
    dims = (*range(lead), *(d + lead for d, n in enumerate(shape) if n == 1 and x.shape[d + lead] != 1))
    return add_up(x, dims, True).reshape(shape)


def _view_scatter(x: Array, v: Array, path: Path) -> Array:
    out = np.array(x)  # a gradient may be a NumPy number, which cannot be written to
    part = _shown(out, path)
    if part.size and not np.may_share_memory(part, out):
        # The base lay otherwise than a gradient does, of which this view would be a copy.
        places = _shown(np.arange(out.size).reshape(out.shape), path)
        np.put(out, places, np.broadcast_to(v, places.shape))
        return out
    part[...] = v
    return out


def _shown(x: Array, path: Path) -> Array:
    for op, params in path:
        x = op.kernel(x, **params)
    return x


def _follow(x: Array, path: Path) -> Array:
    for op, params in path:
        x = op(x, **params)
    return x


def _aligned(shape: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (len(target) - len(shape)) + tuple(shape)


# fmt: off
to = Op("to", copied, "x; dtype", lambda g: g,
        text="{}.astype({dtype})", moves=True, elementwise=True)  # the engine casts g back
to_integer = Op("to_integer", copied, "x; dtype", text="{}.astype({dtype})", moves=True, elementwise=True)
reshape: Op = Op("reshape", lambda x, shape: np.reshape(x, shape), "x; shape",
                 lambda g, x_shape: reshape(g, shape=x_shape), view=True,
                 text="{}.reshape({shape})", moves=True)
expand = Op("expand", _expand, "x; shape", lambda g, x_shape: sum_to(g, shape=x_shape), view=True,
            text="np.broadcast_to({}, {shape})", moves=True, repeats=True)
sum_to: Op = Op("sum_to", _sum_to, "x; shape",
                lambda g, x_shape: expand(reshape(g, shape=_aligned(g.shape, x_shape)), shape=x_shape), rows=True)
view_scatter: Op = Op(
    "view_scatter", _view_scatter, "x v; path",
    lambda g, path, v_shape: view_scatter(g, zeros(g, shape=v_shape), path=path),
    lambda g, path: _follow(g, path),
)
zeros: Op = Op("zeros", lambda x, shape: np.zeros(shape, x.dtype), "x; shape", fill=0)
clone = Op("clone", copied, "x", lambda g: g, text="np.copy({})", moves=True, same=0, elementwise=True,
           public="clone", doc="A copy in memory of its own, with the gradient passing through.")
# fmt: on

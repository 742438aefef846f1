"""The operations that the core itself needs: to convert, to copy, to undo broadcasting, to write into a view."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core.op import Array, Op, Path
from minigrad.core.plans import OUT, ROWS, Batch, Lines, Summed, Target, narrow, wide
from minigrad.dtypes import F32, F64
from minigrad.kernels.sums import MANY, add_up, copied, sum_rows


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
    out = part = np.array(x)  # a gradient may be a NumPy number, which cannot be written to
    for op, params in path:
        part = op.kernel(part, **params)
    part[...] = v
    return out


def _follow(x: Array, path: Path) -> Array:
    for op, params in path:
        x = op(x, **params)
    return x


def _aligned(shape: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (len(target) - len(shape)) + tuple(shape)


def copied_into(t: Target) -> Lines | None:
    """`Op.into` of a copy."""
    return None if t.filled else Lines([f"np.copyto({OUT}, {t.operands[0].text})"])


def _reshape_into(t: Target) -> Lines | None:
    x = t.operands[0]
    return Lines([f"np.copyto({OUT}_as, {x.text})"], [f"{OUT}_as = {OUT}.reshape({x.shape!r})"])


def _reshape_numba(t: Target) -> str | None:
    x = t.operands[0]
    return None if x.filled else f"np.ascontiguousarray({x.text}).reshape({t.shape!r})"


def rows_kept(b: Batch) -> Any:
    """`Op.batch` of what changes the shape of each row."""
    return ROWS if b.kinds[0] == ROWS and b.leads and b.shapes[0][:1] == (b.count,) else None


def _sum_to_into(t: Target) -> Lines | None:
    [x] = t.operands
    if (
        t.filled
        or len(t.shape) != 1
        or len(x.shape) != 2
        or t.shape[0] != x.shape[1]
        or x.dtype not in (F32, F64)
    ):
        return None
    rows = x.shape[0]
    if rows == 1:
        return Lines([f"np.copyto({OUT}, {x.text}[0])"])
    if t.shape[0] == 1:
        return Lines([f"np.add.reduce({x.text}, axis=0, out={OUT})"])
    if rows > MANY:
        return Lines([f"{t.helper(sum_rows)}({x.text}, out={OUT})"])
    ones = t.lasting("ones", f"np.ones({rows}, np.{x.dtype.name})", rows * x.dtype.itemsize)
    return Lines([f"np.dot({ones}, {x.text}, out={OUT})"])


def _sum_to_batch(b: Batch) -> Any:
    if b.kinds[0] != ROWS:
        return None
    if len(b.shape) == len(b.shapes[0]) and b.leads:
        return ROWS
    return Summed() if len(b.shape) < len(b.shapes[0]) or b.shape[:1] == (1,) else None


def _sum_to_numba(t: Target) -> str | None:
    [x] = t.operands
    if len(x.shape) < 2 or t.shape != x.shape[-1:]:
        return None
    if x.shape[:-1] == (1,):
        return f"{x.text}[0].copy()"
    rows = wide(t) if len(x.shape) == 2 else f"np.ascontiguousarray({wide(t)}).reshape(-1, {t.shape[0]})"
    return narrow(t, f"np.sum({rows}, axis=0)")


# fmt: off
to = Op("to", copied, "x; dtype", lambda g: g,
        text="{}.astype({dtype})", moves=True, elementwise=True,
        new=True)  # the engine casts g back
to_integer = Op("to_integer", copied, "x; dtype", text="{}.astype({dtype})", moves=True, elementwise=True,
                new=True)
reshape: Op = Op("reshape", lambda x, shape: np.reshape(x, shape), "x; shape",
                 lambda g, x_shape: reshape(g, shape=x_shape), view=True,
                 text="{}.reshape({shape})", moves=True,
                 into=_reshape_into, new=False, batch=rows_kept, numba=_reshape_numba)
expand = Op("expand", _expand, "x; shape", lambda g, x_shape: sum_to(g, shape=x_shape), view=True,
            text="np.broadcast_to({}, {shape})", moves=True, repeats=True,
            batch=rows_kept)
sum_to: Op = Op("sum_to", _sum_to, "x; shape",
                lambda g, x_shape: expand(reshape(g, shape=_aligned(g.shape, x_shape)), shape=x_shape), rows=True,
                into=_sum_to_into, new=False, batch=_sum_to_batch, numba=_sum_to_numba)
view_scatter: Op = Op(
    "view_scatter", _view_scatter, "x v; path",
    lambda g, path, v_shape: view_scatter(g, zeros(g, shape=v_shape), path=path),
    lambda g, path: _follow(g, path),
    new=True,
)
zeros: Op = Op("zeros", lambda x, shape: np.zeros(shape, x.dtype), "x; shape", fill=0,
               new=True)
clone = Op("clone", copied, "x", lambda g: g, text="np.copy({})", moves=True, same=0, elementwise=True,
           public="clone", doc="A copy in memory of its own, with the gradient passing through.",
           into=copied_into, numba="{}.copy()")
# fmt: on

"""Operations that move elements without changing them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.ops.sums import add_up, by_rows, copied, sum_rows
from minigrad.tape import Array, Op, Path

# ---------------------------------------------------------------- kernels


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


def _copy(x: Array, v: Any) -> Array:
    y = copied(x)
    y[...] = v
    return y


def _flip(x: Array, dims: tuple[int, ...]) -> Array:
    return copied(np.flip(x, dims))


def _cat(*xs: Array, dim: int) -> Any:
    if any(x.ndim != xs[0].ndim for x in xs):
        xs = tuple(x for x in xs if x.shape != (0,))  # an empty vector among others counts for nothing
    return by_rows(np.concatenate(xs, dim))


def _cat_vjp(g: Any, xs_shape: Any, dim: int) -> tuple[Any, ...]:
    parts = []
    start = 0
    for s in xs_shape:
        if len(s) != len(g.shape):
            parts.append(zeros(g, shape=s))
            continue
        stop = start + s[dim]
        parts.append(slice_(g, index=(*(slice(None),) * dim, slice(start, stop))))
        start = stop
    return tuple(parts)


def _stack(*xs: Array, dim: int) -> Any:
    return by_rows(np.stack(xs, dim))


def _stack_vjp(g: Any, xs_shape: Any, dim: int) -> tuple[Any, ...]:
    return tuple(slice_(g, index=(*(slice(None),) * dim, i)) for i in range(len(xs_shape)))


def _slice(x: Array, index: Any) -> Array:
    y = x[index]
    return y if isinstance(y, np.ndarray) else x[(*index, ...)]  # a number would not be a view


def _unslice(g: Array, shape: tuple[int, ...], index: Any) -> Array:
    out = np.zeros(shape, g.dtype)
    out[index] = g
    return out


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


def inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes ``dims``."""
    return tuple(int(d) for d in np.argsort(dims))


# ---------------------------------------------------------------- the table

# fmt: off
reshape: Op = Op("reshape", lambda x, shape: np.reshape(x, shape), "x; shape",
                 lambda g, x_shape: reshape(g, shape=x_shape), view=True,
                 text="{}.reshape({shape})", onnx="Reshape")
permute: Op = Op("permute", np.transpose, "x; axes", lambda g, axes: permute(g, axes=inverse(axes)),
                 view=True, onnx="Transpose")
expand = Op("expand", _expand, "x; shape", lambda g, x_shape: sum_to(g, shape=x_shape), view=True,
            text="np.broadcast_to({}, {shape})", onnx="Expand")
sum_to: Op = Op("sum_to", _sum_to, "x; shape",
                lambda g, x_shape: expand(reshape(g, shape=_aligned(g.shape, x_shape)), shape=x_shape), rows=True)
slice_ = Op("slice", _slice, "x; index", lambda g, x_shape, index: unslice(g, shape=x_shape, index=index),
            view=True)
unslice: Op = Op("unslice", _unslice, "g; shape index", lambda g, index: slice_(g, index=index))
flip: Op = Op("flip", _flip, "x; dims", lambda g, dims: flip(g, dims=dims),
               text="np.flip({}, {dims}).copy(order='K')")
cat = Op("cat", _cat, "*xs; dim", joint=_cat_vjp, cast="same", onnx="Concat", rows=True)
stack = Op("stack", _stack, "*xs; dim", joint=_stack_vjp, cast="same", rows=True)
view_scatter: Op = Op(
    "view_scatter", _view_scatter, "x v; path",
    lambda g, path, v_shape: view_scatter(g, zeros(g, shape=v_shape), path=path),
    lambda g, path: _follow(g, path),
)
zeros: Op = Op("zeros", lambda x, shape: np.zeros(shape, x.dtype), "x; shape")
clone = Op("clone", copied, "x", lambda g: g, text="np.copy({})")
contiguous = Op("contiguous", lambda x: np.array(x, order="C"), "x", lambda g: g,
                text="np.array({}, order='C')")
copy = Op("copy", _copy, "x v", lambda g: zeros(g, shape=tuple(g.shape)), lambda g: g)
alias = Op("alias", lambda x: x.view(), "x", lambda g: g, view=True)
# fmt: on


def _aligned(shape: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (len(target) - len(shape)) + tuple(shape)

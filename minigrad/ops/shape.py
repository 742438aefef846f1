"""Operations that move elements without changing them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.basic import clone as clone
from minigrad.core.basic import copied_into, zeros
from minigrad.core.basic import expand as expand
from minigrad.core.basic import reshape as reshape
from minigrad.core.op import Array, Op
from minigrad.core.plans import COLUMNS, ROWS, Batch
from minigrad.kernels.sums import by_rows, copied

# ---------------------------------------------------------------- kernels


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


def inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes ``dims``."""
    return tuple(int(d) for d in np.argsort(dims))


def _permute_batch(b: Batch) -> Any:
    """The transpose of what has a row for each of a batch has a column for each."""
    if tuple(b.params["axes"]) != (1, 0):
        return None
    return COLUMNS if b.kinds[0] == ROWS else ROWS


# ---------------------------------------------------------------- the table

# fmt: off
permute: Op = Op("permute", np.transpose, "x; axes", lambda g, axes: permute(g, axes=inverse(axes)),
                 view=True, moves=True,
                 batch=_permute_batch)
slice_ = Op("slice", _slice, "x; index", lambda g, x_shape, index: unslice(g, shape=x_shape, index=index),
            view=True, moves=True)
unslice: Op = Op("unslice", _unslice, "g; shape index", lambda g, index: slice_(g, index=index),
                  new=True)
flip: Op = Op("flip", _flip, "x; dims", lambda g, dims: flip(g, dims=dims),
               text="np.flip({}, {dims}).copy(order='K')", moves=True,
               new=True)
cat = Op("cat", _cat, "*xs; dim", joint=_cat_vjp, cast="same", rows=True,
         new=True)
stack = Op("stack", _stack, "*xs; dim", joint=_stack_vjp, cast="same", rows=True,
           new=True)
contiguous = Op("contiguous", lambda x: np.array(x, order="C"), "x", lambda g: g,
                text="np.array({}, order='C')", moves=True, same=0, elementwise=True,
                into=copied_into, numba="{}.copy()")
copy = Op("copy", _copy, "x v", lambda g: zeros(g, shape=tuple(g.shape)), lambda g: g, same=1,
          new=True)
alias = Op("alias", lambda x: x.view(), "x", lambda g: g, view=True, moves=True, same=0, elementwise=True)
# fmt: on

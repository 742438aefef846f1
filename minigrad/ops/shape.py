"""Operations that move elements without changing them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from minigrad.core import names
from minigrad.core.basic import clone as clone
from minigrad.core.basic import copied_into, zeros
from minigrad.core.basic import expand as expand
from minigrad.core.basic import in_memory as in_memory
from minigrad.core.basic import reshape as reshape
from minigrad.core.op import Array, Op
from minigrad.core.text import Call, Text
from minigrad.core.views import apply_view
from minigrad.kernels.order import channels_last, is_behind
from minigrad.kernels.order import inverse as inverse
from minigrad.kernels.sums import by_rows, copied

# ---------------------------------------------------------------- kernels


def _copy(x: Array, v: Any) -> Array:
    y = copied(np.asarray(x))
    y[...] = v
    return y


def _flip(x: Array, dims: tuple[int, ...]) -> Array:
    return copied(np.flip(x, dims))


def _cat(*xs: Array, dim: int) -> Any:
    if len({x.ndim for x in xs}) > 1:
        xs = tuple(x for x in xs if x.shape != (0,))  # an empty vector among others counts for nothing
    if xs[0].ndim > 3 and all(map(is_behind, xs)):
        axes = channels_last(xs[0].ndim)
        return np.concatenate([x.transpose(axes) for x in xs], axes.index(dim)).transpose(inverse(axes))
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
    if 3 < xs[0].ndim > dim and all(
        map(is_behind, xs)
    ):  # side by side along that dimension, which is then cut
        shape = (*xs[0].shape[:dim], len(xs), *xs[0].shape[dim:])
        return _cat(*xs, dim=dim).reshape(shape)
    if not dim and xs[0].ndim:  # half the time of np.stack for small arrays
        return by_rows(np.concatenate(xs)).reshape(len(xs), *xs[0].shape)
    return by_rows(np.stack(xs, dim))


def _slice(x: Array, index: Any) -> Array:
    y = x[index]
    return y if isinstance(y, np.ndarray) else x[(*index, ...)]  # a number would not be a view


def _unslice(g: Array, shape: tuple[int, ...], index: Any) -> Array:
    out = np.zeros(shape, g.dtype)
    out[index] = g
    return out


def _add_to_slice(to: Array, g: Array, shape: tuple[int, ...], index: Any) -> None:
    to[index] += g


# ---------------------------------------------------------------- how they print


def _permute_text(v: Call) -> Text:
    axes, n = tuple(v.params["axes"]), len(v.shape)
    if axes == tuple(reversed(range(n))):
        return "{}.T"
    return "{}.mT" if axes == (*range(n - 2), n - 1, n - 2) else "np.transpose({}, {axes})"


def _cat_text(v: Call) -> Text:
    kept = [f"{{{i}}}" for i, s in enumerate(v.shapes) if len(s) == len(v.shape)]
    return f"np.concatenate([{', '.join(kept)}], axis={{dim}})"


def _slice_text(v: Call) -> Text:
    index = v.params["index"]
    if v.written and Ellipsis not in index and all(isinstance(k, int) for k in index):
        index = (*index, Ellipsis)  # a number would not be a view
    return f"{{}}[{', '.join(map(_subscript, index)) or '()'}]"


def _subscript(k: Any) -> str:
    """What stands between the brackets for one dimension."""
    if not isinstance(k, slice):
        return "..." if k is Ellipsis else "None" if k is None else str(int(k))
    start, stop, step = ("" if n is None else str(int(n)) for n in (k.start, k.stop, k.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")


def split(flat: Any, shapes: Sequence[tuple[int, ...]], first: int = 0) -> list[Any]:
    """The parts of a vector that has arrays of these shapes one behind the other, from its element ``first`` on."""
    ends = accumulate((math.prod(s) for s in shapes), initial=first)
    if type(flat) is np.ndarray:
        return [flat[i:j].reshape(s) for (i, j), s in zip(pairwise(ends), shapes, strict=True)]
    return [
        apply_view(reshape, apply_view(slice_, flat, {"index": (slice(*at),)}), {"shape": s})
        for at, s in zip(pairwise(ends), shapes, strict=True)
    ]


# ---------------------------------------------------------------- the table

# fmt: off
permute: Op = Op("permute", lambda x, axes: x.transpose(axes), "x; axes",
                 lambda g, axes: permute(g, axes=inverse(axes)),
                 view=True, moves=True, idle=lambda x, y, axes: tuple(axes) == tuple(range(len(axes))),
                 joins=lambda later, before: {"axes": tuple(before["axes"][a] for a in later["axes"])},
                 text=_permute_text, inline=True,
                 reads=lambda n: f"permute(x, dims={n.params['axes']})" if n.params["axes"] != (1, 0) else "",
                 batch=lambda c: c(c.operands, axes=(0, *(a + 1 for a in c.params["axes"]))))
slice_ = Op("slice", _slice, "x; index", lambda g, x_shape, index: unslice(g, shape=x_shape, index=index),
            adds=_add_to_slice, view=True, moves=True, order="K", text=_slice_text, grad_fn=names.of_slice,
            batch=lambda c: c(c.operands, index=(slice(None), *c.params["index"])))
unslice: Op = Op("unslice", _unslice, "g; shape index", lambda g, index: slice_(g, index=index), order="C",
        complex="analytic", reads="put(g, into=zeros{shape}[{index}])",
        batch=lambda c: c(c.operands, shape=(c.size, *c.params["shape"]), index=(slice(None), *c.params["index"])))
flip: Op = Op("flip", _flip, "x; dims", lambda g, dims: flip(g, dims=dims),
               text=lambda v: None if v.repeats else "np.flip({}, {dims}).copy(order='K')", moves=True, order="K",
               batch="dims")
cat = Op("cat", _cat, "*xs; dim", joint=_cat_vjp, cast="same", rows=True, text=_cat_text, complex="analytic",
         reads="cat([*xs], dim={dim})", batch="dims")
stack = Op("stack", _stack, "*xs; dim", cast="same", rows=True, joint=lambda g, xs_shape, dim: tuple(
               slice_(g, index=(*(slice(None),) * dim, i)) for i in range(len(xs_shape))),
           text=lambda v: f"np.stack([{', '.join(['{}'] * len(v.shapes))}], axis={{dim}})", complex="analytic",
           reads="stack([*xs], dim={dim})", batch="dims")
contiguous = Op("contiguous", lambda x: np.array(x, order="C"), "x", lambda g: g,
                text="np.array({}, order='C')", moves=True, same=0, elementwise=True, order="C",
                into=copied_into, numba="{}.copy()", grad_fn="CloneBackward0")
copy = Op("copy", _copy, "x v", lambda g: zeros(g, shape=tuple(g.shape)), lambda g: g, same=1,
          order="K", parts=((clone, (1,), ""),), grad_fn="CopyBackwards", complex="analytic", batch="lined")
alias = Op("alias", lambda x: x.view(), "x", lambda g: g, view=True, moves=True, same=0, elementwise=True,
           idle=lambda x, y: True, text="{}")
# fmt: on

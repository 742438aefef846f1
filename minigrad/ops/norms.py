"""Layer norm, batch, group and instance norm, and standardizing, which is these without a weight."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import buffers
from minigrad.core import names
from minigrad.core.basic import reshape, sum_to
from minigrad.core.op import Op
from minigrad.core.text import Plain
from minigrad.dtypes import is_short
from minigrad.kernels import channels as ck
from minigrad.kernels import norms as k
from minigrad.kernels.order import formatted
from minigrad.kernels.sums import sum_rows
from minigrad.ops import elementwise as e
from minigrad.ops.buffered import buffered, kept
from minigrad.ops.carried import Carried
from minigrad.ops.printing import norms as plain
from minigrad.ops.reads import of_gradients, of_norm, of_running, of_standard
from minigrad.ops.reduce import mean, var
from minigrad.ops.shape import cat, split


def _backward_x(g: Any, d: Any, x: Any, dim: tuple[int, ...], eps: float) -> Any:
    """Of ``<g, r * (d - mean(d) - y * mean(d * y))>``, through the factor r and through y."""
    over: dict[str, Any] = {"dim": dim, "keepdim": True}
    y = standardize(x, dim=dim, eps=eps)
    r = e.rsqrt(var(x, correction=0, **over) + eps)
    dy, gy = mean(d * y, **over), mean(g * y, **over)
    by_r = mean(g * d, **over) - mean(g, **over) * mean(d, **over) - gy * dy
    return -(r * r * y * by_r) - standardize_backward(r * (g * dy + d * gy), x, dim=dim, eps=eps)


def _features(x: Any, w: Any) -> tuple[int, ...]:
    return tuple(range(len(x.shape) - len(w.shape), len(x.shape)))


def _parts(flat: Any, x: Any, w: Any, onward: bool) -> list[Any]:
    """The gradients for x, None unless ``onward``, and for w and b, from one vector."""
    if onward:
        return split(flat, [tuple(x.shape), tuple(w.shape), tuple(w.shape)])
    return [None, *split(flat, [tuple(w.shape), tuple(w.shape)])]


def _layer_norm_vjp(g: Any, x: Any, w: Any, b: Any, needs: Any, eps: float) -> list[Any]:
    onward = bool(needs[0])
    if g.__class__ is np.ndarray:
        return list(k.layer_norm_gradients(g, x, w, eps, onward, buffers.empty)[: 2 + len(b)])
    return _parts(layer_norm_backward(g, x, w, eps=eps, onward=onward), x, w, onward)[: 2 + len(b)]


def _layer_norm_backward_vjp(g: Any, d: Any, x: Any, w: Any, eps: float, onward: bool) -> list[Any]:
    """Of ``<g, (standardize_backward(d * w, x), sum(d * y), sum(d))>``: all parts but the first are of rows."""
    over = _features(x, w)
    how: dict[str, Any] = {"dim": over, "eps": eps}
    gx, gw, gb = _parts(g, x, w, onward)
    of_d, of_x = gw * standardize(x, **how) + gb, standardize_backward(gw * d, x, **how)
    if gx is None:
        return [of_d, of_x, None]
    s = standardize_backward(gx, x, **how)
    return [of_d + w * s, of_x + _backward_x(gx, d * w, x, **how), sum_to(d * s, shape=tuple(w.shape))]


SEEN = Carried()  # of each channel the mean and the sum of squares, of which `moments` would be made


def _channel_norm(x: Any, w: Any, *b: Any, groups: int, eps: float, out: Any = None) -> Any:
    if groups or not x.size:
        return ck.channel_norm(x, w, *b, groups=groups, eps=eps, out=out)
    seen = np.empty((2, x.shape[1]), x.dtype)
    y = ck.channel_norm(x, w, *b, groups=0, eps=eps, out=out, seen=seen)
    SEEN.keep(y, x, seen)
    return y


def _channel_norm_vjp(g: Any, x: Any, w: Any, b: Any, needs: Any, groups: int, eps: float) -> list[Any]:
    onward = bool(needs[0])
    if g.__class__ is np.ndarray:
        return list(ck.channel_norm_gradients(g, x, w, groups, eps, onward, buffers.empty)[: 2 + len(b)])
    flat = channel_norm_backward(g, x, w, groups=groups, eps=eps, onward=onward)
    return _parts(flat, x, w, onward)[: 2 + len(b)]


def _channel_norm_backward_vjp(
    g: Any, d: Any, x: Any, w: Any, groups: int, eps: float, onward: bool
) -> list[Any]:
    """As `_layer_norm_backward_vjp`, with x as (examples, groups, channels of a group, rest)."""
    examples, channels = x.shape[:2]
    size = (examples, groups or channels, channels // groups if groups else 1, math.prod(x.shape[2:]))
    each = (1, *size[1:3], 1)
    how: dict[str, Any] = {"dim": (2, 3) if groups else (0, 2, 3), "eps": eps}
    gx, gw, gb = _parts(g, x, w, onward)
    gw, gb, of_w = (reshape(a, shape=each) for a in (gw, gb, w))
    of_x, of_d = reshape(x, shape=size), reshape(d, shape=size)
    dd, dx = gw * standardize(of_x, **how) + gb, standardize_backward(gw * of_d, of_x, **how)
    dw = None
    if gx is not None:
        gx = reshape(gx, shape=size)
        s = standardize_backward(gx, of_x, **how)
        dd, dx = dd + of_w * s, dx + _backward_x(gx, of_d * of_w, of_x, **how)
        dw = reshape(sum_to(of_d * s, shape=each), shape=tuple(w.shape))
    return [reshape(dd, shape=tuple(d.shape)), reshape(dx, shape=tuple(x.shape)), dw]


def _running_norm_vjp(
    g: Any, x: Any, mean: Any, var: Any, w: Any, b: Any, needs: Any, eps: float
) -> list[Any]:
    onward = bool(needs[0])
    if g.__class__ is np.ndarray:
        dx, *others = ck.running_norm_gradients(g, x, mean, var, w, eps, onward, buffers.empty)
    else:
        flat = running_norm_backward(g, x, mean, var, w, eps=eps, onward=onward)
        dx, *others = _parts(flat, x, w, onward)
    return [dx, None, None, *others[: 1 + len(b)]]


def _running_norm_backward_vjp(
    g: Any, d: Any, x: Any, mean: Any, var: Any, w: Any, eps: float, onward: bool
) -> list[Any]:
    """Of ``(d * w * r, sum(d * (x - mean)) * r, sum(d))`` with ``r = 1 / sqrt(var + eps)``, by channel."""
    each = (w.shape[0], *(1,) * (len(x.shape) - 2))
    gx, gw, gb = _parts(g, x, w, onward)
    r = e.rsqrt(var + eps)
    scale = reshape(gw * r, shape=each)
    of_d, of_x = scale * (x - reshape(mean, shape=each)) + reshape(gb, shape=each), scale * d
    if gx is None:
        return [of_d, of_x, None, None, None]
    of_w = reshape(sum_to(gx * d, shape=each), shape=tuple(w.shape)) * r
    return [of_d + gx * reshape(w * r, shape=each), of_x, None, None, of_w]


def _only_behind(x: Any, params: Any) -> bool:
    """Whether images do not lie row by row as well, as those of one channel do."""
    return not x.flags.c_contiguous


def _of_batch(x: Any, params: Any) -> bool:
    """`_only_behind`, of batch norm; layer and instance norm lie row by row."""
    return 0 in params["dim"] and _only_behind(x, params)


# ---------------------------------------------------------------- many elements, each with parameters of its own


def _sizes(c: Any, x: tuple[int, ...], w: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """How all of x and of w are seen, and along which dimensions they are normed."""
    if "groups" not in c.params:
        front = len(x) - len(w)
        return (c.size, *x), (c.size, *(1,) * front, *w), tuple(range(front + 1, len(x) + 1))
    groups = c.params["groups"]
    size = (groups or x[1], x[1] // groups if groups else 1)
    return (c.size, x[0], *size, math.prod(x[2:])), (c.size, 1, *size, 1), (3, 4) if groups else (1, 3, 4)


def _normed(c: Any) -> Any:
    if is_short(c.dtype):  # which is rounded once
        return c.one_by_one()
    x, w, *bias = c.spread()
    size, each, dim = _sizes(c, *c.shapes[:2])
    y = standardize(reshape(x, shape=size), dim=dim, eps=c.params["eps"]) * reshape(w, shape=each)
    for b in bias:
        y = y + reshape(b, shape=each)
    return reshape(y, shape=(c.size, *c.shape))


def _gradients(c: Any) -> Any:
    if is_short(c.dtype):
        return c.one_by_one()
    d, x, w = c.spread()
    size, each, dim = _sizes(c, *c.shapes[1:])
    d, x, w = reshape(d, shape=size), reshape(x, shape=size), reshape(w, shape=each)
    how: dict[str, Any] = {"dim": dim, "eps": c.params["eps"]}
    parts = [standardize_backward(d * w, x, **how)] if c.params["onward"] else []
    parts += [sum_to(d * standardize(x, **how), shape=each), sum_to(d, shape=each)]
    return cat(*[reshape(p, shape=(c.size, -1)) for p in parts], dim=1)


# fmt: off
standardize: Op = Op("standardize", formatted(buffered(k.standardize), 0, when=_of_batch), "x; dim eps",
                     lambda g, x, dim, eps: standardize_backward(g, x, dim=dim, eps=eps), order="C", cast="floats",
                     text=Plain(k.standardize, "x", plain("standardize")), grad_fn=names.of_standardize,
                     usual={"eps": 1e-5}, derives={"x": of_standard}, batch="dims")
standardize_backward: Op = Op("standardize_backward", buffered(kept(k.standardize_backward)), "d x; dim eps",
                              lambda g, x, dim, eps: standardize_backward(g, x, dim=dim, eps=eps), _backward_x,
                              order="C", text=Plain(k.standardize_backward, "d, x", plain("standardize_backward")),
                              batch="dims")
layer_norm: Op = Op("layer_norm", buffered(kept(k.layer_norm)), "x w *b; eps", joint=_layer_norm_vjp, fresh=True,
                    order="C", cast="floats", text=Plain(k.layer_norm, "x, w, b", plain("layer_norm")),
                    grad_fn="NativeLayerNormBackward0", usual={"eps": 1e-5}, derives=of_norm,
                    batch=lambda c: _normed(c) if any(c.mapped[1:]) else c(c.operands))
layer_norm_backward: Op = Op("layer_norm_backward", kept(k.layer_norm_backward), "d x w; eps onward",
                             joint=_layer_norm_backward_vjp, order="C",
                             text=Plain(k.layer_norm_backward, "d, x, w", plain("layer_norm_backward"),
                                        summed=k.sum_by), usual={"eps": 1e-5, "onward": ...},
                             packs=of_gradients(x=1, w=2, b=2), batch=_gradients)
moments: Op = Op("moments", kept(ck.moments), "x; correction", order="C", cast="floats",
                  text=Plain(ck.moments, "x", plain("moments"), sum_rows=sum_rows))
channel_norm: Op = Op("channel_norm", formatted(buffered(_channel_norm), 0, when=_only_behind), "x w *b; groups eps",
                      joint=_channel_norm_vjp, fresh=True, order="C", cast="floats",
                      text=Plain(ck.channel_norm, "x, w, b", plain("channel_norm"), sum_rows=sum_rows),
                      grad_fn=names.of_channel_norm,
                      derives=of_norm, usual={"groups": 0, "eps": 1e-5},
                      reads=lambda n: "group_norm" if n.params["groups"] else "batch_norm",
                      batch=lambda c: c.examples() if c.params["groups"] and not any(c.mapped[1:]) else _normed(c))
running_norm = Op("running_norm", formatted(buffered(ck.running_norm), 0, when=_only_behind), "x mean var w *b; eps",
                  joint=_running_norm_vjp, fresh=True, order="C", cast="floats",
                  text=Plain(ck.running_norm, "x, mean, var, w, b", plain("running_norm")),
                  grad_fn="NativeBatchNormBackward0",
                  reads="batch_norm", usual={"eps": 1e-5}, derives=of_running, batch="examples")
running_norm_backward = Op("running_norm_backward", kept(ck.running_norm_backward), "d x mean var w; eps onward",
                           joint=_running_norm_backward_vjp, order="C",
                           text=Plain(ck.running_norm_backward, "d, x, mean, var, w", plain("running_norm_backward"),
                                      sum_rows=sum_rows), usual={"eps": 1e-5, "onward": ...},
                           packs=of_gradients(x=1, w=4, b=4))
channel_norm_backward: Op = Op("channel_norm_backward", kept(ck.channel_norm_backward), "d x w; groups eps onward",
                               joint=_channel_norm_backward_vjp, order="C",
                               text=Plain(ck.channel_norm_backward, "d, x, w", plain("channel_norm_backward"),
                                          sum_rows=sum_rows), usual={"groups": 0, "eps": 1e-5, "onward": ...},
                               packs=of_gradients(x=1, w=2, b=2), batch=_gradients)
# fmt: on

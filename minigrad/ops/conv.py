"""Convolutions. The three operations are each other's gradients, so they are closed under differentiation."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.op import Op
from minigrad.core.text import Plain
from minigrad.kernels import windows as k
from minigrad.kernels.order import formatted
from minigrad.ops.buffered import kept
from minigrad.ops.printing import windows as plain
from minigrad.ops.reads import of_windows, padded
from minigrad.ops.reduce import sum as sum_
from minigrad.ops.shape import permute, reshape


def _costs(y: tuple[int, ...], x: Any, w: tuple[int, ...], *bias: Any) -> int:
    return math.prod(y) * math.prod(w[1:])


def _input_vjp(g: Any, w: Any, x_shape: Any, stride: Any, pads: Any, dilation: Any, groups: int) -> Any:
    sizes = tuple(x_shape[2:])
    return conv_input(g, w, sizes=sizes, stride=stride, pads=pads, dilation=dilation, groups=groups)


def _weight_vjp(g: Any, x: Any, w_shape: Any, stride: Any, pads: Any, dilation: Any, groups: int) -> Any:
    kernel = tuple(w_shape[2:])
    return conv_weight(x, g, kernel=kernel, stride=stride, pads=pads, dilation=dilation, groups=groups)


def _channels(x: Any) -> Any:
    """Images of several elements as those of one that has all their channels."""
    x = permute(x, axes=(1, 0, *range(2, len(x.shape))))
    return reshape(x, shape=(x.shape[0], -1, *x.shape[3:]))


def _of_many(c: Any) -> Any:
    """Elements that have filters, or gradients for filters, of their own are groups of one convolution."""
    weights = c.op is conv_weight
    if not (weights or any(c.mapped[1:])):
        return c.examples()
    x, w, *bias = c.spread()
    w, *bias = (reshape(a, shape=(-1, *a.shape[2:])) for a in (w, *bias)) if not weights else (_channels(w),)
    y = c([_channels(x), w, *bias], groups=c.size * c.params["groups"])
    if weights:
        return reshape(y, shape=(c.size, *c.shape))
    y = reshape(y, shape=(c.shape[0], c.size, *c.shape[1:]))
    return permute(y, axes=(1, 0, *range(2, len(y.shape))))


# fmt: off
conv: Op = Op("conv", formatted(kept(k.conv), 0, 1), "x w *bias; stride pads dilation groups",
              _input_vjp, _weight_vjp, lambda g: sum_(g, dim=(0, *range(2, len(g.shape))), keepdim=False),
              order="C", text=Plain(k.conv, "x, w, b", plain("conv")), costs=_costs,
              grad_fn="ConvolutionBackward0", complex="analytic", reads=of_windows("conv{}d", "x, w, *bias"),
              batch=_of_many)
conv_input: Op = Op("conv_input", formatted(kept(k.conv_input), 0, 1), "d w; sizes stride pads dilation groups",
                    lambda g, w, stride, pads, dilation, groups: conv(
                        g, w, stride=stride, pads=pads, dilation=dilation, groups=groups),
                    lambda g, d, w_shape, stride, pads, dilation, groups: _weight_vjp(
                        d, g, w_shape, stride, pads, dilation, groups),
                    order="C", text=Plain(k.conv_input, "d, w", plain("conv_input")),
                    costs=lambda y, d, w: math.prod(d) * math.prod(w[1:]),
                    grad_fn="ConvolutionBackward0", complex="analytic", reads=of_windows("conv_transpose{}d", "d, w"),
                    batch=_of_many)
conv_weight: Op = Op("conv_weight", kept(k.conv_weight), "x d; kernel stride pads dilation groups",
                     lambda g, d, x_shape, stride, pads, dilation, groups: _input_vjp(
                         d, g, x_shape, stride, pads, dilation, groups),
                     lambda g, x, stride, pads, dilation, groups: conv(
                         x, g, stride=stride, pads=pads, dilation=dilation, groups=groups),
                     order="C", text=Plain(k.conv_weight, "x, d", plain("conv_weight")),
                     costs=lambda y, x, d: math.prod(d) * math.prod(y[1:]),
                     complex="analytic", reads=of_windows("correlate", "x, d"), batch=_of_many)
unfold = Op("unfold", k.unfold, "x; kernel dilation pads stride",
            lambda g, x_shape, kernel, dilation, pads, stride: fold(
                g, sizes=tuple(x_shape[2:]), kernel=kernel, dilation=dilation, pads=pads, stride=stride),
            order="C", grad_fn="Im2ColBackward0", complex="analytic", reads=of_windows("unfold", "x", "kernel_size"),
            text=Plain(k.unfold, "x", plain("unfold")), batch="examples")
fold: Op = Op("fold", k.fold, "cols; sizes kernel dilation pads stride",
              lambda g, kernel, dilation, pads, stride: unfold(
                  g, kernel=kernel, dilation=dilation, pads=pads, stride=stride),
              order="C", grad_fn="Col2ImBackward0", complex="analytic",
              reads=of_windows("fold", "cols", "output_size", "kernel_size"),
              text=Plain(k.fold, "cols", plain("fold")), batch="examples")
pad_constant: Op = Op("pad_constant", formatted(k.pad_constant, 0), "x; pads value",
                      lambda g, pads: pad_constant(g, pads=tuple((-a, -b) for a, b in pads), value=0.0),
                      order="C", grad_fn="ConstantPadNdBackward0", complex="analytic",
                      reads=padded,
                      text=Plain(k.pad_constant, "x", plain("pad_constant")),
                      batch=lambda c: c(c.operands, pads=((0, 0), *c.params["pads"])))
# fmt: on

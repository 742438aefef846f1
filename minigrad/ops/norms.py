"""Standardizing, from which layer, batch, group and instance norm are made."""

from __future__ import annotations

from typing import Any

from minigrad.core import names
from minigrad.core.op import Op
from minigrad.kernels import norms as k
from minigrad.ops import elementwise as e
from minigrad.ops.buffered import buffered, called
from minigrad.ops.reduce import mean, var


def _backward_x(g: Any, d: Any, x: Any, dim: tuple[int, ...], eps: float) -> Any:
    """Of ``<g, r * (d - mean(d) - y * mean(d * y))>``, through the factor r and through y."""
    over: dict[str, Any] = {"dim": dim, "keepdim": True}
    y = standardize(x, dim=dim, eps=eps)
    r = e.rsqrt(var(x, correction=0, **over) + eps)
    dy, gy = mean(d * y, **over), mean(g * y, **over)
    by_r = mean(g * d, **over) - mean(g, **over) * mean(d, **over) - gy * dy
    return -(r * r * y * by_r) - standardize_backward(r * (g * dy + d * gy), x, dim=dim, eps=eps)


# fmt: off
standardize: Op = Op("standardize", buffered(k.standardize), "x; dim eps",
                     lambda g, x, dim, eps: standardize_backward(g, x, dim=dim, eps=eps), order="C", cast="floats",
                     text=called(k.standardize), grad_fn=names.of_standardize)
standardize_backward: Op = Op("standardize_backward", buffered(k.standardize_backward), "d x; dim eps",
                              lambda g, x, dim, eps: standardize_backward(g, x, dim=dim, eps=eps), _backward_x,
                              order="C", text=called(k.standardize_backward))
# fmt: on

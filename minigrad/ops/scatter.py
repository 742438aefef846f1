"""Writing to places along a dimension, and under masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core import names
from minigrad.core.basic import zeros
from minigrad.core.op import Array, Op
from minigrad.core.text import Plain
from minigrad.kernels import scatter as k
from minigrad.ops import elementwise as e
from minigrad.ops.buffered import buffered
from minigrad.ops.index import _in_range, gather, ungather
from minigrad.ops.index import index as take
from minigrad.ops.printing import plain
from minigrad.ops.shape import expand, reshape


def _checked(x: Array, v: Any, index: Array, dim: int, **params: Any) -> None:
    _in_range(x, index, dim=dim)


def _extreme(g: Any, x: Any, v: Any, index: Any, y: Any, dim: int) -> tuple[Any, Any, None]:
    """The gradient is shared by all that equal the extreme."""
    own = e.eq(x, y)
    other = e.eq(v, gather(y, index, dim=dim))
    hits = ungather(e.where(other, 1.0, e.zero(v)), index, shape=tuple(x.shape), dim=dim)
    count = hits + e.where(own, 1.0, e.zero(x))
    share = g / e.where(e.eq(count, 0.0), 1.0, count)
    return e.where(own, share, 0.0), e.where(other, gather(share, index, dim=dim), 0.0), None


def _product_vjp(g: Any, x: Any, v: Any, index: Any, dim: int) -> tuple[Any, Any, None]:
    """Products of all others at the same place, exact also where there are zeros, to the second order.

    ``rest`` is the product of what is not 0. If one of the others is 0, it is a factor, and the sum of the zeros
    without its own is that one.
    """
    x0, v0 = e.eq(x, 0.0), e.eq(v, 0.0)
    x1, v1 = e.where(x0, 1.0, x), e.where(v0, 1.0, v)
    rest = scatter_product(x1, v1, index, dim=dim)
    own, other = e.where(x0, 1.0, e.zero(x)), e.where(v0, 1.0, e.zero(v))
    count = scatter_add(own, other, index, dim=dim)
    own_zero, other_zero = e.where(x0, x, 0.0), e.where(v0, v, 0.0)
    total = scatter_add(own_zero, other_zero, index, dim=dim)

    def others(g: Any, rest: Any, count: Any, total: Any, one: Any) -> Any:
        return g * rest / one * e.where(e.eq(count, 0.0), 1.0, e.where(e.eq(count, 1.0), total, 0.0))

    dx = others(g, rest, count - own, total - own_zero, x1)
    g, rest, count, total = (gather(a, index, dim=dim) for a in (g, rest, count, total))
    return dx, others(g, rest, count - other, total - other_zero, v1), None


def _enough(x: Array, mask: Array, v: Array) -> None:
    count = int(np.count_nonzero(np.broadcast_to(mask, x.shape)))
    if v.size < count:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes and number of elements in source {v.size} "
            f"to be no smaller than the number of ones in the mask, {count}"
        )


def _places(c: Any) -> Any:
    """A number for all places is one for each."""
    x, v, index = c.spread()
    if not c.shapes[1] and c.shapes[2]:
        v = expand(reshape(v, shape=(c.size, *(1,) * len(c.shapes[2]))), shape=tuple(index.shape))
    return c([x, v, index], dim=c.params["dim"] + 1)


def _slices(c: Any) -> Any:
    """As `index_add` does it, if the index is the same for all; else each element of a slice has a place."""
    x, v, index = c.spread()
    dim = c.params["dim"] + 1
    if not c.mapped[2]:
        return c([x, v, c.operands[2]], dim=dim)
    line = [c.size, *(1,) * (len(v.shape) - 1)]
    line[dim] = v.shape[dim]
    return scatter_add(x, v, expand(reshape(index, shape=tuple(line)), shape=tuple(v.shape)), dim=dim)


# fmt: off
scatter: Op = Op("scatter", k.scatter, "x v index; dim",
                 lambda g, index, dim: scatter(g, 0.0, index, dim=dim), lambda g, index, dim: e.where(
                     scatter_winners(g, index, dim=dim), gather(g, index, dim=dim), 0.0), None,
                 order="C", check=_checked, text=Plain(k.scatter, "x, v, index", plain("scatter")),
                 grad_fn=names.of_number("Scatter", 1, 1), complex="analytic",
                 reads="scatter(x, {dim}, index, v)", derives={"v": "gather(g, index); 0 for what was put over"},
                 batch=_places)
scatter_winners: Op = Op("scatter_winners", k.scatter_winners, "x index; dim", order="C", raises=True,
                         complex="analytic", batch="dims")
scatter_add: Op = Op("scatter_add", buffered(k.scatter_add), "x v index; dim",
                     lambda g: g, lambda g, index, dim: gather(g, index, dim=dim), None,
                     order="C", check=_checked, text=Plain(k.scatter_add, "x, v, index", plain("scatter_add")),
                     complex="analytic", reads="scatter_add(x, {dim}, index, v)", batch="dims")
index_add: Op = Op("index_add", k.index_add, "x v index; dim",
                   lambda g: g, lambda g, index, dim: take(g, index, pattern=(*(False,) * dim, True)), None,
                   order="C", check=_checked, complex="analytic", reads="index_add(x, {dim}, index, v)",
                   text=Plain(k.index_add, "x, v, index", plain("index_add")), batch=_slices)
scatter_extreme = Op("scatter_extreme", k.scatter_extreme, "x v index; dim largest",
                     joint=_extreme, order="C", check=_checked, grad_fn="ScatterReduceBackward0",
                     reads="scatter_reduce(x, {dim}, index, v)",
                     derives="g where it is the extreme, shared if several are; else 0", batch="dims")
scatter_product: Op = Op("scatter_product", k.scatter_product, "x v index; dim",
                         joint=_product_vjp, order="C", check=_checked, grad_fn="ScatterReduceBackward0", batch="dims")
masked_scatter: Op = Op("masked_scatter", k.masked_scatter, "x mask v",
                        lambda g, mask: e.where(mask, 0.0, g), None,
                        lambda g, mask, v_shape: masked_gather(g, mask, shape=v_shape),
                        order="C", check=_enough, complex="analytic")
masked_gather: Op = Op("masked_gather", k.masked_gather, "g mask; shape",
                       lambda g, g_shape, mask: masked_scatter(zeros(g, shape=g_shape), mask, g), None,
                       order="C", raises=True, complex="analytic")
# fmt: on

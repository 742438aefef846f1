"""Orders. Most of these give places, by which `gather` then takes the elements, and with them the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.basic import to
from minigrad.core.op import Op
from minigrad.dtypes import F64
from minigrad.kernels import sorting as k
from minigrad.kernels.scans import running_place as place_so_far
from minigrad.ops import elementwise as e
from minigrad.ops.reads import of_ties
from minigrad.ops.reduce import shared
from minigrad.ops.shape import flip

_LEAST = float(np.finfo(np.float64).min)


def _logcumsumexp_vjp(g: Any, x: Any, dim: int) -> Any:
    # Sums of g * exp(x - y) from behind, in logarithms so that nothing overflows: first of the positive parts of
    # g, then of the negative ones. The formula is that of logcumsumexp_backward in PyTorch's FunctionsManual.cpp.
    # In float64, since an error in y is one of the logarithm.
    own = getattr(x, "_array", x).dtype
    x, g = (to(a, dtype=F64) if own != F64 else a for a in (x, g))
    y = logcumsumexp(x, dim=dim)

    def part(g: Any) -> Any:
        some = e.gt(g, 0.0)
        logs = e.where(some, e.log(e.where(some, g, 1.0)), _LEAST) - y
        if not len(logs.shape):
            return e.where(some, e.exp(logs + x), 0.0)
        return e.exp(flip(logcumsumexp(flip(logs, dims=(dim,)), dim=dim), dims=(dim,)) + x)

    dx = part(g) - part(-g)
    return to(dx, dtype=own) if own != F64 else dx


# fmt: off
argsort = Op("argsort", k.argsort, "x; dim descending", order="C", batch="dims")
top_places = Op("top_places", k.top_places, "x; k dim largest sorted", order="C", raises=True, batch="dims")
median_place = Op("median_place", k.median_place, "x; dim ignore", order="C", raises=True, batch="dims")
mode_place = Op("mode_place", k.mode_place, "x; dim", order="C", raises=True, batch="dims")
running_place = Op("running_place", place_so_far, "x; dim largest", order="C", batch="dims")
# All elements that equal the median share the gradient; if it is nan, all that are nan.
median = Op("median", k.median, "x; ignore",
            lambda g, x, y: shared(g, e.logical_or(e.eq(x, y), e.logical_and(e.isnan(x), e.isnan(y)))),
            order="C", raises=True, derives={"x": of_ties})
searchsorted = Op("searchsorted", k.searchsorted, "row values; right", order="C")
isin = Op("isin", k.contained, "x tests; invert", order="C")
logcumsumexp: Op = Op("logcumsumexp", k.logcumsumexp, "x; dim", _logcumsumexp_vjp, order="C",
                      derives={"x": "exp(x) * cumsum(g * exp(-y), reverse=True)"}, batch="dims")
# fmt: on

"""Orders. Most of these give places, by which `gather` then takes the elements, and with them the gradient."""

from __future__ import annotations

from typing import Any

from minigrad.core.basic import to
from minigrad.core.op import Op
from minigrad.dtypes import F64
from minigrad.kernels import sorting as k
from minigrad.kernels.scans import running_place as place_so_far
from minigrad.ops import elementwise as e
from minigrad.ops.reads import of_ties
from minigrad.ops.reduce import shared


def _logcumsumexp_vjp(g: Any, x: Any, dim: int) -> Any:
    # In float64, since an error in y is one of the logarithm.
    own = getattr(x, "_array", x).dtype
    x, g = (to(a, dtype=F64) if own != F64 else a for a in (x, g))
    dx = exp_sums(g, x, logcumsumexp(x, dim=dim), dim=dim, reverse=True)
    return to(dx, dtype=own) if own != F64 else dx


def _exp_sums_vjp(g: Any, d: Any, x: Any, s: Any, y: Any, dim: int, reverse: bool) -> tuple[Any, Any, Any]:
    # The sums are linear in d: by that the gradient are those in the other direction, also where d is 0.
    other = exp_sums(g, x, s, dim=dim, reverse=not reverse)
    return (other, g * y, -(d * other)) if reverse else (other, d * other, -(g * y))


# fmt: off
argsort = Op("argsort", k.argsort, "x; dim descending", order="C", batch="dims")
top_places = Op("top_places", k.top_places, "x; k dim largest sorted", order="C", raises=True, batch="dims")
kth_place = Op("kth_place", k.kth_place, "x; k dim", order="C", raises=True, batch="dims")
median_place = Op("median_place", k.median_place, "x; dim ignore", order="C", raises=True, batch="dims")
mode_place = Op("mode_place", k.mode_place, "x; dim", order="C", raises=True, batch="dims")
running_place = Op("running_place", place_so_far, "x; dim largest", order="C", batch="dims")
# All elements that equal the median share the gradient; if it is nan, all that are nan.
median = Op("median", k.median, "x; ignore",
            lambda g, x, y: shared(g, e.logical_or(e.eq(x, y), e.logical_and(e.isnan(x), e.isnan(y)))),
            order="C", raises=True, derives={"x": of_ties})
searchsorted = Op("searchsorted", k.searchsorted, "row values; right", order="C")
isin = Op("isin", k.contained, "x tests; invert", order="C")
exp_sums: Op = Op("exp_sums", k.exp_sums, "d x s; dim reverse", joint=_exp_sums_vjp, order="C")
logcumsumexp: Op = Op("logcumsumexp", k.logcumsumexp, "x; dim", _logcumsumexp_vjp, order="C",
                      derives={"x": "exp(x) * cumsum(g * exp(-y), reverse=True)"}, batch="dims")
# fmt: on

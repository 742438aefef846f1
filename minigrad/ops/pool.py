"""Pooling and resizing: maxima, and weighted sums, of neighbours along dimensions; `kernels.along` explains plans."""

from __future__ import annotations

from typing import Any

from minigrad.core import names
from minigrad.core.op import Array, Op
from minigrad.core.text import Plain
from minigrad.kernels import along as k
from minigrad.kernels import maxima as m
from minigrad.kernels.order import formatted
from minigrad.ops.buffered import kept
from minigrad.ops.elementwise import zero
from minigrad.ops.index import gather
from minigrad.ops.printing import windows as plain
from minigrad.ops.reads import of_means, pooled


def _inside(x: Array, at: Array, count: int) -> None:
    """RuntimeError for a place that is not there."""
    if at.size and (at.min() < 0 or at.max() >= count):
        wrong = at.min() if at.min() < 0 else at.max()
        raise RuntimeError(f"Found an invalid max index: {wrong} (output volumes are of {count} elements)")


def _keeps(x: Array, params: Any) -> bool:
    """PyTorch's means of three dimensions, and its maxima of parts of them, lie row by row whatever they are of."""
    plans = params["plans"]
    return len(plans) < 3 or plans[0][0] not in ("mean", "sum", "adaptive")


# fmt: off
max_pool = Op("max_pool", formatted(kept(m.max_pool), 0, when=_keeps), "x; plans",
              lambda g, x, plans: max_unpick(g, x, plans=plans), order="C",
              text=Plain(m.max_pool, "x", plain("max_pool")),
              grad_fn=names.of_max_pool,
              reads=pooled("max_pool", "x"), derives={"x": "g at the largest element of each window, else 0"},
              batch="examples")
max_pool_indices = Op("max_pool_indices", formatted(m.max_pool_indices, 0, when=_keeps), "x; plans", order="C",
                      batch="examples")
max_unpick: Op = Op("max_unpick", kept(m.max_unpick), "d x; plans", lambda g, x, plans: max_pick(g, x, plans=plans),
                    lambda g, x: zero(x), order="C",
                    text=Plain(m.max_unpick, "d, x", plain("max_unpick")),
                    reads=pooled("max_pool", "d, x", "_backward"), batch="together")
max_pick: Op = Op("max_pick", m.max_pick, "u x; plans", lambda g, x, plans: max_unpick(g, x, plans=plans),
                  lambda g, x: zero(x), order="C", reads=pooled("pick_largest", "u, x"), batch="together")
resample = Op("resample", formatted(kept(k.resample), 0, when=_keeps), "x; plans",
              lambda g, plans: resample_back(g, plans=plans), order="C",
              text=Plain(k.resample, "x", plain("resample")), grad_fn=names.of_resample,
              reads=pooled("avg_pool", "x"), derives={"x": of_means}, batch="examples")
resample_back: Op = Op("resample_back", kept(k.resample_back), "d; plans", lambda g, plans: resample(g, plans=plans),
                       order="C", text=Plain(k.resample_back, "d", plain("resample_back")),
                       reads=pooled("avg_pool", "d", "_backward"), batch="examples")
# As in PyTorch, a place that is named twice gives its gradient to both.
unpool = Op("unpool", m.unpool, "x at; count", lambda g, at: gather(g, at, dim=1), None, order="C", check=_inside,
            reads="max_unpool", usual={"count": ...})
# fmt: on

"""The norm of vectors, from which distances and norms of matrices are made."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core.apply import apply, cast
from minigrad.core.tensor import Tensor, wrap
from minigrad.functions.elementwise import where
from minigrad.ops import distances as ops
from minigrad.ops.complex import as_real

__all__: list[str] = []


def length(x: Tensor, p: float, dims: tuple[int, ...] | None, keepdim: bool) -> Tensor:
    """The norm over dimensions, or over all."""
    # One element is its own norm, also where its power is too large or too small for its type.
    if p and math.prod(x._array.shape if dims is None else [x._array.shape[d] for d in dims]) == 1:
        p = 1.0
    over: dict[str, Any] = {"dim": dims, "keepdim": keepdim}
    if x._array.dtype.kind == "c":
        if p == 2:  # of all parts: sizes have no slope at 0, where this one has
            parts, last = apply(as_real, (x,)), x._array.ndim
            y = length(parts, p, None if dims is None else (*dims, last), keepdim)
            return y.squeeze(-1) if keepdim else y
        x = x.abs()
    if p == 2:
        return apply(ops.length, (x,), over)
    if p == 0:
        everywhere = wrap(np.ones(x._array.shape, bool))  # so that the gradient is 0
        return where(everywhere, cast(x != 0, x._array.dtype), x).sum(dims, keepdim)
    size = x.abs()
    if p == 1:
        return size.sum(dims, keepdim)
    if math.isinf(p):
        every = () if dims is None else dims
        return size.amax(every, keepdim) if p > 0 else size.amin(every, keepdim)
    # Powers of 0 have no finite derivative, but 0 counts as a point where the gradient is 0.
    none = size == 0
    total = where(none, 0.0 if p > 0 else math.inf, where(none, 1.0, size) ** p).sum(dims, keepdim)
    flat, endless = total == 0, total.isinf()
    root = where(flat | endless, 1.0, total) ** (1 / p)
    return where(flat, 0.0 if p > 0 else math.inf, where(endless, math.inf if p > 0 else 0.0, root))

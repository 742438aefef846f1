"""The norm of vectors, from which distances and norms of matrices are made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core.apply import apply, cast
from minigrad.core.mode import MODE
from minigrad.core.quiet import QUIET
from minigrad.core.tensor import Tensor, wrap
from minigrad.functions.elementwise import where
from minigrad.functions.parts import stack
from minigrad.ops import distances as ops
from minigrad.ops.complex import as_real

__all__: list[str] = []


def length_of_all(tensors: Sequence[Tensor]) -> Tensor:
    """The length of the vector of all elements of real float Tensors; for no_grad, in a third of the time of steps."""
    if MODE.get().everything:
        return length(stack([length(t, 2.0, None, False) for t in tensors]), 2.0, None, False)
    return wrap(QUIET.run(_of_all, [t._array for t in tensors]))


def _of_all(arrays: Sequence[Any]) -> Any:
    lengths = [np.abs(a).reshape(()) if a.size == 1 else ops.length.kernel(a, None, False) for a in arrays]
    return _of_all([np.array(lengths)]) if len(arrays) > 1 else lengths[0]


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

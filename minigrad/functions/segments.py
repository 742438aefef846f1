"""Sums, means, products and extremes of consecutive parts of a Tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core.apply import apply, cast, needs_value, single
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Number
from minigrad.dtypes import scalar
from minigrad.errors import not_implemented_error, runtime_error
from minigrad.functions.scatter import index_add, scatter_reduce
from minigrad.gate import public
from minigrad.ops import elementwise as e

__all__ = ["segment_reduce"]

_BEFORE = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -math.inf, "min": math.inf}


def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Tensor | None = None,
    indices: Tensor | None = None,
    offsets: Tensor | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: Number | None = None,
) -> Tensor:
    """The ``"sum"``, ``"mean"``, ``"max"``, ``"min"`` or ``"prod"`` of parts of ``data`` that follow each other.

    ``lengths`` has their lengths along ``axis``, or ``offsets`` where each begins and the last one ends; that is their
    last dimension, and those before are the ones of ``data``. A part begins with ``initial``; without it, one of no
    elements is 0, nan, -inf, inf or 1. Equal extremes share the gradient. RuntimeError for lengths that do not fit.
    """
    reduce = {"amax": "max", "amin": "min"}.get(reduce, reduce)
    if reduce not in _BEFORE:
        raise runtime_error(f"segment_reduce(): unsupported reduction {reduce!r}; take one of {[*_BEFORE]}")
    if data._array.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"segment_reduce\" not implemented for '{scalar(data.dtype)}'; use .float()"
        )
    if indices is not None:
        raise runtime_error("segment_reduce(): indices based reduction is not supported yet.")
    given = offsets if lengths is None else lengths
    if given is None:
        raise runtime_error("segment_reduce(): Either lengths or offsets must be defined.")
    needs_value("segment_reduce()")
    if axis != given._array.ndim - 1:
        raise runtime_error(
            f"segment_reduce(): Expected axis to be the last dimension of lengths but got {axis}."
        )
    counts: Any = np.diff(given._array, axis=-1) if lengths is None else given._array
    if counts.dtype.kind not in "iu":
        raise not_implemented_error(
            f"\"segment_reduce\" not implemented for lengths of '{scalar(given.dtype)}'; use .long()"
        )
    if (counts < 0).any():
        raise runtime_error("lengths contains negative value!")
    shape = data._array.shape
    over = given._array[..., -1] > shape[axis] if lengths is None else counts.sum(-1) != shape[axis]
    if counts.shape[:-1] != shape[:axis] or over.any():
        raise runtime_error(
            "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when "
            f"!unsafe: {shape[axis]}"
        )
    parts, rest = counts.reshape(-1).astype(np.int64), shape[axis + 1 :]
    index = wrap(np.repeat(np.arange(len(parts), dtype=np.int64), parts.astype(np.intp, copy=False)))
    rows = data.reshape(-1, *rest) if rest else data.reshape(-1)
    if len(index._array) != len(rows._array):  # offsets need not begin at 0, nor reach the end
        line = np.arange(shape[axis])
        rows = rows[wrap(((line >= given._array[..., :1]) & (line < given._array[..., -1:])).reshape(-1))]
    kind = data._array.dtype
    first = single(_BEFORE[reduce] if initial is None else initial, kind).expand(len(parts), *rest)
    if reduce in ("sum", "mean"):
        y = index_add(first, 0, index, rows)
        if reduce == "mean":
            sizes = parts if initial is None else np.maximum(parts, 1)
            y = apply(e.div, (y, cast(wrap(sizes.reshape(-1, *(1,) * len(rest))), kind)))
    else:
        places = index.reshape(-1, *(1,) * len(rest)).expand(rows._array.shape)
        y = scatter_reduce(first, 0, places, rows, {"max": "amax", "min": "amin"}.get(reduce, reduce))
    return y.reshape(*counts.shape, *rest)


public(globals(), __all__, home="minigrad")
_segment_reduce = segment_reduce  # packages call it

"""Functions of several steps by element, which large arrays pass piece by piece: what is between stays in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad.kernels.sharing import block, blocks

Array = np.ndarray[Any, Any]


def in_pieces(
    step: Callable[..., None], *arrays: Array, spare: int, out: Array | None = None, **params: Any
) -> Array:
    """``step(out, spare, *arrays, **params)`` writes the result, with ``spare`` pieces of memory for what is between.

    The arrays have one shape and type, and the result lies in memory as the last one does. ``out`` may be its memory.
    """
    x = arrays[-1]
    if not x.flags.c_contiguous:
        out = np.positive(x)
        step(out, np.empty((spare, *x.shape), x.dtype), *arrays, **params)
        return out
    if out is None:
        out = np.empty(x.shape, x.dtype)
    size = block(x.size)
    if x.size <= size:
        step(out, np.empty((spare, *x.shape), x.dtype), *arrays, **params)
        return out
    flat, y = [a.reshape(-1) for a in arrays], out.reshape(-1)

    def work(starts: Iterator[int]) -> None:
        between = np.empty((spare, size), x.dtype)
        for k in starts:
            parts = [a[k : k + size] for a in flat]
            step(y[k : k + size], between[:, : parts[0].size], *parts, **params)

    blocks(work, x.size, size)
    return out

"""Evenly spaced numbers, to the bit as PyTorch rounds them: each product and the sum after it round once."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# PyTorch counts from an element that is rounded already, in runs of a vector register, two runs at a time.
_RUN = {2: 16, 4: 8, 8: 4}


def counted(start: Any, step: Any, count: int, kind: np.dtype[Any]) -> Array:
    """``count`` numbers of a float type, from ``start`` on."""
    run, short = _RUN.get(kind.itemsize), kind.itemsize == 2
    start, step = (float(np.float32(x) if short else x) for x in (start, step))
    if run is None or (not short and start.is_integer() and step.is_integer()):
        exact: Array = (start + step * np.arange(count, dtype=np.float64)).astype(kind)
        return exact
    between = np.float32 if short else np.float64  # of two bytes it counts in four
    first, by = np.longdouble(start), np.longdouble(step)
    whole = count - count % (2 * run)
    bases = (first + by * np.arange(0, whole, run)).astype(between).astype(kind)
    runs = bases[:, None].astype(between).astype(np.longdouble) + by * np.arange(run)
    rest = first + by * np.arange(whole, count)
    return np.concatenate([runs.ravel(), rest]).astype(between).astype(kind)


def counted_whole(start: int, step: int, count: int, kind: np.dtype[Any]) -> Array:
    """``count`` whole numbers from ``start`` on, as any type."""
    if step == 1:
        return np.arange(start, start + count, dtype=np.int64).astype(kind, copy=False)
    whole: Array = start + step * np.arange(count, dtype=np.int64)
    return whole.astype(kind, copy=False)


def between(start: Any, end: Any, count: int, kind: np.dtype[Any]) -> Array:
    """``count`` numbers from ``start`` to ``end``: of a float type, from both ends to the middle."""
    scalar = kind.type
    if count == 1 or kind.kind not in "fcV":
        return np.linspace(start, end, count).astype(kind)
    first, last = scalar(start), scalar(end)
    wide: Any = {"f": np.float64, "d": np.longdouble}.get(kind.char, scalar)
    step = wide(scalar((last - first) / scalar(max(count - 1, 1))))
    at, half = np.arange(count).astype(wide), count // 2
    values: Array = np.empty(count, kind)
    values[:half] = wide(first) + step * at[:half]
    values[half:] = (wide(last) - step * at[: count - half])[::-1]
    return values

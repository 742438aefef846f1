"""Values as short texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core.op import Array

SMALL = 6  # arrays of so many elements are printed


def size(shape: Sequence[int] | None) -> str:
    """``3 × 4``; ``number`` for a 0-d shape."""
    if shape is None:
        return ""
    return " × ".join(map(str, shape)) if shape else "number"


def text(array: Array) -> str:
    """Small arrays as they are, larger ones as min, mean and max and how many are not finite."""
    array = np.asarray(array)
    if array.size <= SMALL:
        if array.ndim == 0:
            return number(array.item())
        return _nested(array) if array.size else "empty"
    if array.dtype.kind == "b":
        return f"{int(np.count_nonzero(array))} of {array.size} true"
    if array.dtype.kind == "c":
        return f"{array.size} complex numbers"
    finite = array
    bad = 0
    if array.dtype.kind == "f":
        mask = np.isfinite(array)
        bad = array.size - int(np.count_nonzero(mask))
        if bad:
            finite = array[mask]
    if bad == array.size:
        return f"all {bad} not finite"
    mean = float(finite.mean(dtype=np.float64))
    told = f"{number(finite.min().item())} … {number(mean)} … {number(finite.max().item())}"
    return f"{told}, {bad} not finite" if bad else told


def number(value: Any) -> str:
    """A number in four digits."""
    if isinstance(value, float):
        return f"{value + 0.0:.4g}"
    return str(value)


def _nested(array: Array) -> str:
    if array.ndim == 1:
        return "[" + ", ".join(number(v) for v in array.tolist()) + "]"
    return "[" + ", ".join(_nested(row) for row in array) + "]"


def byte_count(n: int) -> str:
    """``1.5 kB``."""
    if n < 1000:
        return f"{n} B"
    for unit in ("kB", "MB", "GB"):
        n_ = n / 1000
        if n_ < 1000 or unit == "GB":
            return f"{n_:.3g} {unit}"
        n = n_  # type: ignore[assignment]
    return f"{n} B"

"""Real arithmetic as PyTorch's kernels have it, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# The dtype that PyTorch computes in, for each floating dtype.
WORKING = {np.dtype(d): np.dtype(w) for d, w in (("f2", "f4"), ("f4", "f4"), ("f8", "f8"))}


def libm(function: Callable[[float], float], x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`function` of each element by the C library: NumPy's own log differs by an ulp in 0.3% of values."""
    return np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


def narrow(x: npt.NDArray[np.float64], kind: np.dtype[Any]) -> Array:
    """`x` as `kind`; to float16 PyTorch goes by float32, so it rounds twice."""
    with np.errstate(over="ignore"):
        return (x.astype(np.float32) if kind == np.float16 else x).astype(kind, copy=False)


def exp(x: float) -> float:
    return math.inf if x > 709.782712893384 else math.exp(x)  # Python would raise OverflowError


def fused(x: Array, slope: float, offset: float, kind: np.dtype[Any]) -> Array:
    """``x * slope + offset`` rounded once, to `kind`, as PyTorch's kernels have it by fused multiply-add.

    float32: in float64, where the product is exact. float64: what the product loses (Dekker's split) and what
    the sum loses (Knuth's two-sum) is added at the end.
    """
    if kind == np.float32:
        return (x * np.float64(slope) + float(offset)).astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        product = x * slope
        if offset == 0.0 or slope == 1.0:
            return product + offset
        split, cut = 134217729.0 * x, 134217729.0 * slope  # 2**27 + 1
        x_high, slope_high = split - (split - x), cut - (cut - slope)
        x_low, slope_low = x - x_high, slope - slope_high
        lost = product - x_high * slope_high - x_low * slope_high - x_high * slope_low
        lost = x_low * slope_low - lost
        total = product + offset
        moved = total - product
        lost += (product - (total - moved)) + (offset - moved)
        return np.where(np.isfinite(lost), total + lost, total)

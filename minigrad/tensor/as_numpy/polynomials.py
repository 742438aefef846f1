"""NumPy's functions of polynomials: vectors of coefficients, that of the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import needs_value
from minigrad.core.tensor import Tensor
from minigrad.functions import creation
from minigrad.tensor.as_numpy.along import convolve
from minigrad.tensor.as_numpy.common import Unused, alike, cat, floating, own
from minigrad.tensor.as_numpy.products import linalg_lstsq


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    return own("vander")(x, N, increasing)


def polyval(p: Tensor, x: Tensor) -> Tensor:
    """By Horner's rule."""
    y = creation.zeros_like(x, dtype=dtypes.promote_types(p.dtype, x.dtype))
    for c in p:
        y = y * x + c
    return y


def polyadd(a1: Tensor, a2: Tensor) -> Tensor:
    a1, a2 = alike(*(p if p.ndim else p[None] for p in (a1, a2)))
    size = max(len(a1), len(a2))
    a1, a2 = (cat([creation.zeros(size - len(p), dtype=p.dtype), p], 0) for p in (a1, a2))
    return a1 + a2


def polysub(a1: Tensor, a2: Tensor) -> Tensor:
    return polyadd(a1, -a2)


def polymul(a1: Tensor, a2: Tensor) -> Tensor:
    return convolve(_without_zeros(a1.reshape(-1)), _without_zeros(a2.reshape(-1)))


def _without_zeros(p: Tensor) -> Tensor:
    """From the first coefficient that is not 0; the last one if there is none."""
    needs_value("np.polymul()")
    return p[int(np.append(np.flatnonzero(p.numpy(force=True)), len(p) - 1)[0]) :]


def polyder(p: Tensor, m: int = 1) -> Tensor:
    for _ in range(m):
        p = p[:-1] * creation.arange(len(p) - 1, 0, -1) if len(p) else p
    return p


def polyint(p: Tensor, m: int = 1, k: Any = None) -> Tensor:
    constants = creation.zeros(m) if k is None else creation.as_tensor(k).reshape(-1).expand(m)
    for i in range(m):
        p = floating(p) / creation.arange(len(p), 0, -1)
        p = cat([p, constants[i : i + 1].to(p.dtype)], 0)
    return p


def polyfit(
    x: Tensor,
    y: Tensor,
    deg: int,
    rcond: float | None = None,
    full: Unused = None,
    w: Tensor | None = None,
    cov: Unused = None,
) -> Tensor:
    """By least squares, with columns of length 1."""
    y = floating(y)
    x, y = alike(x if x.is_floating_point() else x.to(y.dtype), y)
    powers = vander(x, int(deg) + 1)
    if w is not None:
        powers, y = powers * w[:, None], y * (w if y.ndim == 1 else w[:, None])
    scale = powers.square().sum(0).sqrt()
    c = linalg_lstsq(powers / scale, y, len(x) * np.finfo(x._array.dtype).eps if rcond is None else rcond)[0]
    return c / (scale if c.ndim == 1 else scale[:, None])

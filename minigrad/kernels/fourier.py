"""Discrete Fourier transforms of NumPy's, so that each is the adjoint of another one."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

Array = np.ndarray[Any, Any]
Norm: TypeAlias = "Literal['backward', 'forward', 'ortho']"
OTHER: dict[Norm, Norm] = {
    "backward": "forward",
    "forward": "backward",
    "ortho": "ortho",
}  # the norm of the adjoint


def c2c(x: Array, dims: tuple[int, ...], norm: Norm, inverse: bool) -> Array:
    """The transform of complex numbers over some dimensions."""
    y: Array = (np.fft.ifftn if inverse else np.fft.fftn)(x, axes=dims, norm=norm)
    return np.ascontiguousarray(y)


def r2c(x: Array, dim: int, norm: Norm, twice: bool) -> Array:
    """The first half of the transform of real numbers; ``twice``: those that stand for two of the whole, twice."""
    y = np.fft.rfft(x, axis=dim, norm=norm)
    if twice:
        _inner(y, dim, x.shape[dim])[...] *= 2.0
    return np.ascontiguousarray(y)


def c2r(x: Array, dim: int, size: int, norm: Norm, half: bool) -> Array:
    """``size`` real numbers of the first half of their inverse transform; ``half``: as if it were all."""
    if half:
        x = x.copy()
        _inner(x, dim, size)[...] *= 0.5
    return np.ascontiguousarray(np.fft.irfft(x, size, axis=dim, norm=norm))


def _inner(y: Array, dim: int, size: int) -> Array:
    """The part whose mirror image is missing: all but the first, and of an even size the last."""
    return y[(slice(None),) * dim + (slice(1, (size + 1) // 2),)]

"""Discrete Fourier transforms of NumPy's, so that each is the adjoint of another one."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from minigrad.kernels.order import inverse as undone

Array = np.ndarray[Any, Any]
Norm: TypeAlias = "Literal['backward', 'forward', 'ortho']"
OTHER: dict[Norm, Norm] = {
    "backward": "forward",
    "forward": "backward",
    "ortho": "ortho",
}  # the norm of the adjoint


def _behind(x: Array, dims: tuple[int, ...], last: tuple[int, ...] = ()) -> tuple[int, ...]:
    """How PyTorch's result lies: the other dimensions as those of ``x``, then ``dims``, then ``last``."""
    # Unlike elsewhere, what is only repeated has the shortest step.
    order, ends = sorted(range(x.ndim), key=x.strides.__getitem__, reverse=True), {*dims, *last}
    return (*(d for d in order if d not in ends), *(d for d in order if d in dims), *last)


def _laid(y: Array, order: tuple[int, ...]) -> Array:
    """Dimensions that stand in an order, as rows in memory, and back in their places."""
    y = np.ascontiguousarray(y)
    return y if order == (*range(y.ndim),) else y.transpose(undone(order))


def c2c(x: Array, dims: tuple[int, ...], norm: Norm, inverse: bool, last: tuple[int, ...] = ()) -> Array:
    """The transform of complex numbers over some dimensions; in memory they stand last, but for ``last``."""
    order = _behind(x, dims, last)
    transform = np.fft.ifftn if inverse else np.fft.fftn
    return _laid(transform(x.transpose(order), axes=[order.index(d) for d in dims], norm=norm), order)


def r2c(x: Array, dim: int, norm: Norm, twice: bool) -> Array:
    """The first half of the transform of real numbers; ``twice``: those that stand for two of the whole, twice."""
    order = _behind(x, (dim,))
    y = np.fft.rfft(x.transpose(order), norm=norm)
    if twice:
        _inner(y, x.shape[dim])[...] *= 2.0
    return _laid(y, order)


def c2r(x: Array, dim: int, size: int, norm: Norm, half: bool) -> Array:
    """``size`` real numbers of the first half of their inverse transform; ``half``: as if it were all."""
    order = _behind(x, (dim,))
    x = x.transpose(order)
    if half:
        x = x.copy()
        _inner(x, size)[...] *= 0.5
    return _laid(np.fft.irfft(x, size, norm=norm), order)


def _inner(y: Array, size: int) -> Array:
    """The part whose mirror image is missing: all but the first, and of an even size the last."""
    return y[..., 1 : (size + 1) // 2]

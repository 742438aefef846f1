"""NumPy's functions of complex numbers, and its Fourier transforms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.functions import complex as parts
from minigrad.functions import creation, fourier
from minigrad.tensor.as_numpy.common import Axis, Unused


def real(val: Tensor) -> Tensor:
    return parts.real(val)


def imag(val: Tensor) -> Tensor:
    return parts.imag(val) if val.is_complex() else creation.zeros_like(val)


def angle(z: Tensor, deg: bool = False) -> Tensor:
    y = parts.angle(z)
    return y * (180 / math.pi) if deg else y


def _along(function: Callable[..., Tensor]) -> Any:
    def form(
        a: Tensor, n: int | None = None, axis: int = -1, norm: str | None = None, out: Unused = None
    ) -> Tensor:
        return function(a, n, axis, norm)

    return form


def _over(function: Callable[..., Tensor], last: bool) -> Any:
    def form(
        a: Tensor, s: Axis = None, axes: Axis = (-2, -1), norm: str | None = None, out: Unused = None
    ) -> Tensor:
        return function(a, s, axes, norm)

    def every(
        a: Tensor, s: Axis = None, axes: Axis = None, norm: str | None = None, out: Unused = None
    ) -> Tensor:
        return function(a, s, axes, norm)

    return form if last else every


def _shift(function: Callable[..., Tensor]) -> Any:
    def form(x: Tensor, axes: Axis = None) -> Tensor:
        return function(x, axes)

    return form


fft_fft, fft_ifft, fft_rfft = _along(fourier.fft), _along(fourier.ifft), _along(fourier.rfft)
fft_irfft, fft_hfft, fft_ihfft = _along(fourier.irfft), _along(fourier.hfft), _along(fourier.ihfft)
fft_fft2, fft_ifft2 = _over(fourier.fft2, True), _over(fourier.ifft2, True)
fft_rfft2, fft_irfft2 = _over(fourier.rfft2, True), _over(fourier.irfft2, True)
fft_fftn, fft_ifftn = _over(fourier.fftn, False), _over(fourier.ifftn, False)
fft_rfftn, fft_irfftn = _over(fourier.rfftn, False), _over(fourier.irfftn, False)
fft_fftshift, fft_ifftshift = _shift(fourier.fftshift), _shift(fourier.ifftshift)

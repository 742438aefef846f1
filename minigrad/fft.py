"""Discrete Fourier transforms, under the names of ``torch.fft``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from minigrad.functions.fourier import (
    fft, fft2, fftfreq, fftn, fftshift, hfft, hfft2, hfftn, ifft, ifft2, ifftn, ifftshift, ihfft, ihfft2, ihfftn,
    irfft, irfft2, irfftn, rfft, rfft2, rfftfreq, rfftn,
)  # fmt: skip
from minigrad.hints import missing

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

if not TYPE_CHECKING:  # a type checker shall see that a name is missing

    def __getattr__(name: str) -> NoReturn:
        raise missing(__name__, name)

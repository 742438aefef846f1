"""Discrete Fourier transforms, under the names of ``torch.fft``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.functions import fourier
from minigrad.hints import module_getattr

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

if TYPE_CHECKING:  # where they are written out, and a name that is missing is seen
    from minigrad.functions.table import (
        fft, fft2, fftfreq, fftn, fftshift, hfft, hfft2, hfftn, ifft, ifft2, ifftn, ifftshift, ihfft, ihfft2, ihfftn,
        irfft, irfft2, irfftn, rfft, rfft2, rfftfreq, rfftn,
    )  # fmt: skip
else:
    globals().update({name: getattr(fourier, name) for name in __all__})
    module_getattr(globals())

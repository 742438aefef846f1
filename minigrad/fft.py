"""Discrete Fourier transforms, under the names of ``torch.fft``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from minigrad.functions.fourier import fft as fft
from minigrad.functions.fourier import fft2 as fft2
from minigrad.functions.fourier import fftfreq as fftfreq
from minigrad.functions.fourier import fftn as fftn
from minigrad.functions.fourier import fftshift as fftshift
from minigrad.functions.fourier import hfft as hfft
from minigrad.functions.fourier import hfft2 as hfft2
from minigrad.functions.fourier import hfftn as hfftn
from minigrad.functions.fourier import ifft as ifft
from minigrad.functions.fourier import ifft2 as ifft2
from minigrad.functions.fourier import ifftn as ifftn
from minigrad.functions.fourier import ifftshift as ifftshift
from minigrad.functions.fourier import ihfft as ihfft
from minigrad.functions.fourier import ihfft2 as ihfft2
from minigrad.functions.fourier import ihfftn as ihfftn
from minigrad.functions.fourier import irfft as irfft
from minigrad.functions.fourier import irfft2 as irfft2
from minigrad.functions.fourier import irfftn as irfftn
from minigrad.functions.fourier import rfft as rfft
from minigrad.functions.fourier import rfft2 as rfft2
from minigrad.functions.fourier import rfftfreq as rfftfreq
from minigrad.functions.fourier import rfftn as rfftn
from minigrad.hints import missing

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

if not TYPE_CHECKING:  # a type checker shall see that a name is missing

    def __getattr__(name: str) -> NoReturn:
        raise missing(__name__, name)

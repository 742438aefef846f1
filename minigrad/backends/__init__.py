"""What scripts ask of libraries behind PyTorch, and the flags that they set: here they mean nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from minigrad.hints import missing

if TYPE_CHECKING:
    from minigrad.backends import cpu as cpu
    from minigrad.backends import cuda as cuda
    from minigrad.backends import cudnn as cudnn
    from minigrad.backends import mkl as mkl
    from minigrad.backends import mps as mps
    from minigrad.backends import openmp as openmp

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mps", "openmp"]

if not TYPE_CHECKING:

    def __getattr__(name):
        if name in __all__:
            return import_module(f"minigrad.backends.{name}")
        raise missing(__name__, name)

    def __dir__():
        return sorted({*globals(), *__all__})

"""What scripts ask of libraries behind PyTorch, and the flags that they set: here they mean nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.hints import module_getattr

if TYPE_CHECKING:
    from minigrad.backends import cpu as cpu
    from minigrad.backends import cuda as cuda
    from minigrad.backends import cudnn as cudnn
    from minigrad.backends import mkl as mkl
    from minigrad.backends import mkldnn as mkldnn
    from minigrad.backends import mps as mps
    from minigrad.backends import openmp as openmp

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]

module_getattr(globals(), dict.fromkeys(__all__, ""))

"""What scripts ask of libraries behind PyTorch, and the flags that they set: here they mean nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.hints import module_getattr

if TYPE_CHECKING:
    from minigrad.backends import (
        cpu as cpu, cuda as cuda, cudnn as cudnn, mha as mha, mkl as mkl, mkldnn as mkldnn, mps as mps,
        openmp as openmp, opt_einsum as opt_einsum,
    )  # fmt: skip

__all__ = ["cpu", "cuda", "cudnn", "mha", "mkl", "mkldnn", "mps", "openmp", "opt_einsum"]

module_getattr(globals(), dict.fromkeys(__all__, ""))

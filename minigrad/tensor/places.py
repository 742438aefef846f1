"""Where a Tensor is: on the CPU."""

from __future__ import annotations

from typing import Any

from minigrad.core.tensor import Tensor, extend
from minigrad.device import DeviceLike
from minigrad.device import device as Device
from minigrad.errors import runtime_error
from minigrad.gate import methods


@extend
@methods
class _Places(Tensor):
    """Questions about the device, and ways to others."""

    @property
    def is_cpu(self) -> bool:
        """True."""
        return True

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False

    is_mps = is_xpu = is_xla = is_mtia = is_vulkan = is_meta = is_cuda
    is_sparse = is_sparse_csr = is_nested = is_quantized = is_mkldnn = is_cuda

    def is_signed(self) -> bool:
        """Whether negative values exist."""
        return bool(self._array.dtype.kind in "ifcV")

    def get_device(self) -> int:
        """-1, as of every Tensor on the CPU."""
        return -1

    def pin_memory(self, device: DeviceLike = None) -> Tensor:
        """RuntimeError: memory is pinned for a graphics card."""
        raise runtime_error(
            "Cannot access accelerator device when none is available: pin_memory() is for one"
        )

    def is_pinned(self, device: DeviceLike = None) -> bool:
        """False."""
        return False


@extend
class _Cuda(Tensor):
    """The one without a gate: its device may be a number."""

    def cuda(self, device: Any = None, non_blocking: bool = False) -> Tensor:
        """AssertionError: the only device is the CPU."""
        Device("cuda" if device is None or isinstance(device, int) else device)
        return self

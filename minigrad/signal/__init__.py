"""PyTorch's ``torch.signal``: `windows`, weights for pieces of signals."""

from __future__ import annotations

from minigrad.hints import module_getattr
from minigrad.signal import windows as windows

__all__ = ["windows"]

module_getattr(globals())

"""PyTorch's ``torch.utils.backcompat``: warnings of programs older than 0.2, which PyTorch itself gives no more."""

from __future__ import annotations

from types import SimpleNamespace

__all__ = ["broadcast_warning", "keepdim_warning"]

# Remembered, and mean nothing.
broadcast_warning = SimpleNamespace(enabled=False)
keepdim_warning = SimpleNamespace(enabled=False)

"""PyTorch's ``torch.utils.deterministic``."""

from __future__ import annotations

__all__ = ["fill_uninitialized_memory"]

# Remembered, and means nothing: what `empty` gives stays as it is.
fill_uninitialized_memory = True

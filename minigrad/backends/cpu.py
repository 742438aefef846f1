"""The processor, as PyTorch tells of it."""

from __future__ import annotations

from minigrad.hints import module_getattr

__all__ = ["get_cpu_capability"]


def get_cpu_capability() -> str:
    """``"DEFAULT"``: NumPy chooses its instructions itself."""
    return "DEFAULT"


module_getattr(globals())

"""The processor, as PyTorch tells of it."""

from __future__ import annotations

from typing import NoReturn

from minigrad.hints import missing

__all__ = ["get_cpu_capability"]


def get_cpu_capability() -> str:
    """``"DEFAULT"``: NumPy chooses its instructions itself."""
    return "DEFAULT"


def __getattr__(name: str) -> NoReturn:
    raise missing(__name__, name)

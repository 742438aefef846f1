"""The package that finds the order of products in PyTorch's `einsum`: here `einsum` finds its own."""

from __future__ import annotations

enabled = False
strategy = None


def is_available() -> bool:
    """False."""
    return False


def get_opt_einsum() -> None:
    """None."""

"""Threads within an operation: only matrix products have them, by NumPy's library."""

from __future__ import annotations


def is_available() -> bool:
    """False."""
    return False

"""Threads within an operation: only products of matrices have them, by NumPy's library."""

from __future__ import annotations


def is_available() -> bool:
    """False."""
    return False

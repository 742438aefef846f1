"""The convolutions of NVIDIA's library, which is not here.

The flags can be set and mean nothing: what minigrad computes is the same each time, and there is nothing to try out.
"""

from __future__ import annotations

allow_tf32 = True
benchmark = False
deterministic = False
enabled = True


def is_available() -> bool:
    """False."""
    return False


def version() -> int | None:
    """None."""
    return None

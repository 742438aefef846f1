"""Whether attention may take PyTorch's shorter way without gradients: not unless told, for here there is one way.

Copies of its `MultiheadAttention` ask, and go on without it.
"""

from __future__ import annotations

from minigrad.hints import module_getattr

__all__ = ["get_fastpath_enabled", "set_fastpath_enabled"]

_enabled = False


def get_fastpath_enabled() -> bool:
    """What `set_fastpath_enabled` was last called with."""
    return _enabled


def set_fastpath_enabled(value: bool) -> None:
    """Accepted, and remembered."""
    global _enabled
    _enabled = value


module_getattr(globals())

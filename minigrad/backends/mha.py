"""Whether attention may take PyTorch's shorter way without gradients: not unless told, for here there is one way.

Copies of its `MultiheadAttention` ask, and go on without it.
"""

from __future__ import annotations

from minigrad.core.apply import reads
from minigrad.hints import module_getattr

__all__ = ["get_fastpath_enabled", "set_fastpath_enabled"]

_values = {"enabled": False}


def get_fastpath_enabled() -> bool:
    """What `set_fastpath_enabled` was last called with."""
    reads(_values)
    return _values["enabled"]


def set_fastpath_enabled(value: bool) -> None:
    """Accepted, and remembered."""
    _values["enabled"] = value


module_getattr(globals())

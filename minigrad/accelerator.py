"""What new scripts ask of whatever card there is: there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from minigrad.device import device
from minigrad.errors import runtime_error
from minigrad.hints import module_getattr

__all__ = [
    "current_accelerator", "current_device_idx", "current_device_index", "current_stream", "device_count",
    "empty_cache", "is_available", "max_memory_allocated", "max_memory_reserved", "memory_allocated",
    "memory_reserved", "memory_stats", "reset_peak_memory_stats", "set_device_idx", "set_device_index", "set_stream",
    "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """How many there are: 0."""
    return 0


def current_accelerator(check_available: bool = False) -> device | None:
    """None."""
    return None


def _without(name: str) -> Callable[..., NoReturn]:
    """What only makes sense with another device."""

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise runtime_error(
            f"Cannot access accelerator device when none is available: accelerator.{name}(); ask "
            "accelerator.is_available() first"
        )

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = "RuntimeError: there is no other device than the CPU."
    return refuse


current_device_idx = _without("current_device_idx")
current_device_index = _without("current_device_index")
current_stream = _without("current_stream")
empty_cache = _without("empty_cache")
max_memory_allocated = _without("max_memory_allocated")
max_memory_reserved = _without("max_memory_reserved")
memory_allocated = _without("memory_allocated")
memory_reserved = _without("memory_reserved")
memory_stats = _without("memory_stats")
reset_peak_memory_stats = _without("reset_peak_memory_stats")
set_device_idx = _without("set_device_idx")
set_device_index = _without("set_device_index")
set_stream = _without("set_stream")
synchronize = _without("synchronize")


module_getattr(globals())

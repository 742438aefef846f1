"""What scripts ask of Apple's graphics cards, answered truly: none is used."""

from __future__ import annotations

from minigrad.cuda import device_count, empty_cache, is_available, manual_seed, seed
from minigrad.cuda import memory_allocated as current_allocated_memory
from minigrad.cuda import memory_allocated as driver_allocated_memory
from minigrad.hints import module_getattr as _module_getattr

__all__ = [
    "current_allocated_memory", "device_count", "driver_allocated_memory", "empty_cache", "is_available",
    "manual_seed", "seed",
]  # fmt: skip

_module_getattr(globals())

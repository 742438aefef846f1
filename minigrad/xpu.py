"""What scripts ask of Intel's graphics cards, answered truly: there is none."""

from __future__ import annotations

from minigrad.cuda import (
    device_count,
    empty_cache,
    is_available,
    is_initialized,
    manual_seed,
    manual_seed_all,
    max_memory_allocated,
    memory_allocated,
    reset_peak_memory_stats,
    seed,
    seed_all,
)
from minigrad.hints import module_getattr as _module_getattr

__all__ = [
    "device_count", "empty_cache", "is_available", "is_initialized", "manual_seed", "manual_seed_all",
    "max_memory_allocated", "memory_allocated", "reset_peak_memory_stats", "seed", "seed_all",
]  # fmt: skip

_module_getattr(globals())

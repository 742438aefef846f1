"""The older names of `minigrad.amp` for the CPU."""

from __future__ import annotations

from typing import Any

from minigrad import amp
from minigrad.amp import autocast_mode as autocast_mode
from minigrad.dtypes import bfloat16

__all__ = ["GradScaler", "autocast"]


class autocast(amp.autocast):
    """``amp.autocast("cpu", ...)``. A FutureWarning says so."""

    def __init__(self, enabled: bool = True, dtype: Any = bfloat16, cache_enabled: bool = True) -> None:
        autocast_mode.older("cpu", "autocast", "'cpu', args...")
        super().__init__("cpu", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(amp.GradScaler):
    """``amp.GradScaler("cpu", ...)``. A FutureWarning says so."""

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        autocast_mode.older("cpu", "GradScaler", "'cpu', args...")
        super().__init__("cpu", init_scale, growth_factor, backoff_factor, growth_interval, enabled)

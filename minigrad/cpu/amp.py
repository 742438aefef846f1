"""The older name of `minigrad.amp` for the CPU."""

from __future__ import annotations

from typing import Any

from minigrad import amp
from minigrad.amp import autocast_mode as autocast_mode
from minigrad.dtypes import bfloat16
from minigrad.errors import warn

__all__ = ["autocast"]


class autocast(amp.autocast):
    """``amp.autocast("cpu", ...)``. A FutureWarning says so."""

    def __init__(self, enabled: bool = True, dtype: Any = bfloat16, cache_enabled: bool = True) -> None:
        warn(
            "`minigrad.cpu.amp.autocast(args...)` is deprecated. Please use `minigrad.amp.autocast('cpu', args...)` "
            "instead.",
            FutureWarning,
        )
        super().__init__("cpu", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)

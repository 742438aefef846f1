"""The older names of `minigrad.amp`, for graphics cards: there is none, so both do nothing."""

from __future__ import annotations

from functools import partialmethod
from typing import Any

from minigrad import amp
from minigrad.amp import autocast_mode as autocast_mode
from minigrad.amp import grad_scaler as grad_scaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


class autocast(amp.autocast):
    """``amp.autocast("cuda", ...)``. A UserWarning says that it does nothing."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(amp.GradScaler):
    """``amp.GradScaler("cuda", ...)``. A UserWarning says that it does nothing."""

    __init__ = partialmethod(amp.GradScaler.__init__, "cuda")


def custom_fwd(fwd: Any = None, *, cast_inputs: Any = None) -> Any:
    """``amp.custom_fwd(..., device_type="cuda")``: what it does there is nothing here."""
    return amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd: Any) -> Any:
    """``amp.custom_bwd(..., device_type="cuda")``: what it does there is nothing here."""
    return amp.custom_bwd(bwd, device_type="cuda")

"""The older names of `minigrad.amp`, for graphics cards: there is none, so both do nothing."""

from __future__ import annotations

from typing import Any

from minigrad import amp
from minigrad.amp import autocast_mode as autocast_mode
from minigrad.amp import grad_scaler as grad_scaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


class autocast(amp.autocast):
    """``amp.autocast("cuda", ...)``. A FutureWarning says so, a UserWarning that it does nothing."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        autocast_mode.older("cuda", "autocast", "'cuda', args...")
        super().__init__("cuda", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(amp.GradScaler):
    """``amp.GradScaler("cuda", ...)``. A FutureWarning says so, a UserWarning that it does nothing."""

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        autocast_mode.older("cuda", "GradScaler", "'cuda', args...")
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)


def custom_fwd(fwd: Any = None, *, cast_inputs: Any = None) -> Any:
    """``amp.custom_fwd(..., device_type="cuda")``: what it does there is nothing here. FutureWarning."""
    autocast_mode.older("cuda", "custom_fwd", "args..., device_type='cuda'")
    return amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd: Any) -> Any:
    """``amp.custom_bwd(..., device_type="cuda")``: what it does there is nothing here. FutureWarning."""
    autocast_mode.older("cuda", "custom_bwd", "args..., device_type='cuda'")
    return amp.custom_bwd(bwd, device_type="cuda")

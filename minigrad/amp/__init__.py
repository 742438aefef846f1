"""Mixed precision: `autocast` chooses it, and `GradScaler` keeps gradients in float16 from vanishing."""

from __future__ import annotations

from minigrad.amp.autocast_mode import autocast as autocast
from minigrad.amp.autocast_mode import is_autocast_available as is_autocast_available
from minigrad.amp.autocast_mode import is_autocast_enabled as is_autocast_enabled
from minigrad.amp.custom import custom_bwd as custom_bwd
from minigrad.amp.custom import custom_fwd as custom_fwd
from minigrad.amp.grad_scaler import GradScaler as GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

"""`GradScaler`: losses times a factor, so that gradients in float16 do not vanish."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.errors import not_implemented_error, runtime_error, value_error, warn
from minigrad.tensor import Tensor


class OptState(enum.Enum):
    """What was done for an optimizer since the last `GradScaler.update`."""

    READY, UNSCALED, STEPPED = range(3)


class GradScaler:
    """Multiplies losses by an adaptive factor: ``scale(loss).backward()``, ``step(optimizer)``, ``update()``.

    Args:
        device: ``"cpu"``; for a device that is not here, such as ``"cuda"``, it is off, with a UserWarning.
        init_scale: the first factor.
        growth_factor: what `update` multiplies it by after `growth_interval` steps in a row with finite gradients.
        backoff_factor: what `update` multiplies it by after a step with gradients that are not finite.
        growth_interval: the number of those steps.
        enabled: False turns it off: losses stay as they are, and `step` is the optimizer's.

    Raises:
        ValueError: a `growth_factor` of at most 1, or a `backoff_factor` of at least 1.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and device != "cpu":
            warn(f"GradScaler is enabled, but {str(device).upper()} is not available. Disabling.")
            enabled = False
        if enabled and growth_factor <= 1.0:
            raise value_error(f"The growth factor must be > 1.0, got {growth_factor}")
        if enabled and backoff_factor >= 1.0:
            raise value_error(f"The backoff factor must be < 1.0, got {backoff_factor}")
        self._enabled, self._scale = enabled, float(init_scale)
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._begun = False
        # of each optimizer since the last update: how far it is, and whether its gradients are finite
        self._stages: dict[int, OptState] = {}
        self._finite: dict[int, bool] = {}

    def scale(self, outputs: Any) -> Any:
        """A Tensor, or a list, tuple or other iterable of Tensors, times the factor. ValueError for anything else."""
        if not self._enabled:
            return outputs
        self._begun = True
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled
        raise value_error("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients of an optimizer by the factor, for instance before they are clipped.

        RuntimeError if that was done since the last `update`, or after `step`; ValueError for gradients in float16.
        """
        if not self._enabled:
            return
        stage = self._stage("unscale_", optimizer)
        if stage == OptState.UNSCALED:
            raise runtime_error(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if stage == OptState.STEPPED:
            raise runtime_error("unscale_() is being called after step().")
        grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if any(grad.is_complex() for grad in grads):
            raise not_implemented_error("GradScaler.unscale_() is not implemented for complex gradients")
        if any(grad.dtype == dtypes.float16 for grad in grads):
            raise value_error(
                "Attempting to unscale FP16 gradients: keep parameters in float32, autocast() casts them where it pays"
            )
        for grad in grads:
            grad.detach().mul_(1.0 / self._scale)
        if grads:
            self._finite[id(optimizer)] = all(bool(np.isfinite(grad._array).all()) for grad in grads)
        self._stages[id(optimizer)] = OptState.UNSCALED

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Divides the gradients by the factor and calls the optimizer's step; skips it if one is not finite.

        RuntimeError for a second step before `update`, for a closure, and where no parameter has a gradient.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if args or "closure" in kwargs:
            raise runtime_error("Closure use is not currently supported if GradScaler is enabled.")
        stage = self._stage("step", optimizer)
        if stage == OptState.STEPPED:
            raise runtime_error("step() has already been called since the last update().")
        if stage == OptState.READY:
            self.unscale_(optimizer)
        if id(optimizer) not in self._finite:
            raise runtime_error(
                "No inf checks were recorded for this optimizer: none of its parameters has a gradient"
            )
        self._stages[id(optimizer)] = OptState.STEPPED
        return optimizer.step(**kwargs) if self._finite[id(optimizer)] else None

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adapts the factor to the steps since the last call, or sets ``new_scale``. RuntimeError without a step."""
        if not self._enabled:
            return
        self._check_begun("update")
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._finite:
            raise runtime_error(
                "No inf checks were recorded prior to update: call step() or unscale_() before."
            )
        elif all(self._finite.values()):
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                # PyTorch's factor is a float32, and stays finite.
                grown = self._scale * self._growth_factor
                self._scale, self._growth_tracker = grown if grown < 2.0**128 else self._scale, 0
        else:
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        self._stages, self._finite = {}, {}

    def _stage(self, name: str, optimizer: Any) -> OptState:
        self._check_begun(name)
        return self._stages.get(id(optimizer), OptState.READY)

    def _check_begun(self, name: str) -> None:
        if not self._begun:
            raise runtime_error(f"Attempted {name} before scale(loss) was called in this iteration")

    def get_scale(self) -> float:
        """The factor; 1 if the scaler is off."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """What the factor is multiplied by when it grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Sets what the factor is multiplied by when it grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the factor is multiplied by after a step that was not finite."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Sets what the factor is multiplied by after a step that was not finite."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many finite steps in a row the factor grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Sets after how many finite steps in a row the factor grows."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether the scaler is on."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The state in PyTorch's format; empty if the scaler is off."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale, "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval, "_growth_tracker": self._growth_tracker,
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores a `state_dict`. RuntimeError for that of a scaler that was off."""
        if not self._enabled:
            return
        if not state_dict:
            raise runtime_error(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._scale = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]

"""Schedules that raise the rate first, and lower the momentum meanwhile (Smith 2017, arXiv:1506.01186)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from minigrad.errors import value_error
from minigrad.optim.lr_scheduler.base import LRScheduler, checked, cos, each, positive, put
from minigrad.optim.lr_scheduler.factors import kept_of
from minigrad.optim.optimizer import Optimizer


class _WithMomentum(LRScheduler):
    """A schedule of rates, and of momentum, or of the first of the betas."""

    cycle_momentum: bool
    use_beta1: bool

    def _momenta(self, base: Any, most: Any) -> list[list[float]]:
        """The smallest and the largest momentum of each group. ValueError for an optimizer without momentum."""
        optimizer = self.optimizer
        self.use_beta1 = "betas" in optimizer.defaults
        if not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise value_error("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        return [each("base_momentum", optimizer, base), each("max_momentum", optimizer, most)]

    def _begin_momentum(self, smallest: list[float], largest: list[float]) -> None:
        """Each group begins with its largest momentum."""
        for group, low, high in zip(self.optimizer.param_groups, smallest, largest, strict=True):
            self._put_momentum(group, high)
            group["max_momentum"] = high
            group["base_momentum"] = low

    def _put_momentum(self, group: dict[str, Any], value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


def _same(x: float) -> float:
    return 1.0


def _halved(x: float) -> float:
    height: float = 1 / 2.0 ** (x - 1)
    return height


def _power(gamma: float, x: float) -> float:
    height: float = gamma**x
    return height


class CyclicLR(_WithMomentum):
    """Moves the rates from ``base_lr`` to ``max_lr`` in ``step_size_up`` steps, and back in ``step_size_down``.

    With ``mode`` "triangular" all cycles are the same, with "triangular2" each rises half as high as the one before,
    with "exp_range" step k rises ``gamma**k`` times as high. ``scale_fn`` may be any function of the number of the
    cycle, or with ``scale_mode`` "iterations" of the step. ``cycle_momentum`` moves momentum (or the first of the
    betas) against the rate, between ``max_momentum`` and ``base_momentum``.

    Raises ValueError for an unknown mode, for lists whose length is not that of the groups, and if the optimizer has
    no momentum that could be moved.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = checked(optimizer)
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise value_error(f"mode is invalid and scale_fn is None: {mode!r}")
        base_lrs = each("base_lr", optimizer, base_lr)
        self.max_lrs = each("max_lr", optimizer, max_lr)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._momenta(base_momentum, max_momentum)
        # all is checked: from here on the groups change
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                put(group, "lr", lr)
            if cycle_momentum:
                self._begin_momentum(self.base_momentums, self.max_momentums)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self._choose_scale()
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _choose_scale(self) -> None:
        if self._scale_fn_custom is None:
            known: dict[str, Callable[[float], float]] = {
                "triangular": _same, "triangular2": _halved, "exp_range": partial(_power, self.gamma),
            }  # fmt: skip
            self._scale_fn_ref = known[self.mode]
            self.scale_mode = "iterations" if self.mode == "exp_range" else "cycle"

    def scale_fn(self, x: float) -> float:
        """How high a cycle rises, as a fraction of the full height."""
        return (self._scale_fn_custom or self._scale_fn_ref)(x)

    def _rates(self) -> list[Any]:
        """The rate of each group; sets the momentum."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        part = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            momentums = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in momentums:
                self._put_momentum(group, high - (high - low) * part * scale)
        return [
            low + (high - low) * part * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer and functions; of a callable object its attributes."""
        state = super().state_dict()
        state.pop("_scale_fn_ref", None)
        custom = state.pop("_scale_fn_custom")
        state["_scale_fn_custom"] = None if custom is None else kept_of(custom)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned; functions stay, and a callable object gets its attributes."""
        kept = state_dict["_scale_fn_custom"]
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_scale_fn_custom"})
        if kept is not None:
            self._scale_fn_custom.__dict__.update(kept)
        self._choose_scale()


class OneCycleLR(_WithMomentum):
    """Raises the rates to ``max_lr``, then lowers them to nearly 0 (Smith and Topin 2019, arXiv:1708.07120).

    They begin with ``max_lr / div_factor``, rise for the fraction ``pct_start`` of ``total_steps``, and end with
    ``max_lr / div_factor / final_div_factor``. With ``three_phase`` they fall to the first rate in as many steps as
    they rose, and to the last one in the rest. ``anneal_strategy`` is "cos" or "linear". ``cycle_momentum`` moves
    momentum (or the first of the betas) against the rate.

    Raises ValueError for options out of their range, without ``total_steps`` (or ``epochs`` and ``steps_per_epoch``),
    and from `step` after the last one.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = checked(optimizer)
        if total_steps is not None:
            self.total_steps = positive("positive integer total_steps", total_steps)
        elif epochs is not None and steps_per_epoch is not None:
            self.total_steps = positive("positive integer epochs", epochs) * positive(
                "positive integer steps_per_epoch", steps_per_epoch
            )
        else:
            raise value_error("You must define either total_steps OR (epochs AND steps_per_epoch)")
        begin: Any = pct_start
        if not isinstance(begin, float) or not 0.0 <= begin <= 1.0:
            raise value_error(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise value_error(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        rise, end = float(pct_start * self.total_steps) - 1, self.total_steps - 1
        phases = [(rise, "initial_lr", "max_lr", "max_momentum", "base_momentum")]
        if three_phase:
            fall = float(2 * pct_start * self.total_steps) - 2
            phases.append((fall, "max_lr", "initial_lr", "base_momentum", "max_momentum"))
            phases.append((end, "initial_lr", "min_lr", "max_momentum", "max_momentum"))
        else:
            phases.append((end, "max_lr", "min_lr", "base_momentum", "max_momentum"))
        names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
        self._schedule_phases: list[dict[str, Any]] = [dict(zip(names, p, strict=True)) for p in phases]
        self._anneal_func_type = anneal_strategy
        highest = each("max_lr", optimizer, max_lr)
        self.cycle_momentum = cycle_momentum
        momenta = self._momenta(base_momentum, max_momentum) if cycle_momentum else []
        # all is checked: from here on the groups change
        if last_epoch == -1:
            for group, high in zip(optimizer.param_groups, highest, strict=True):
                group["initial_lr"] = high / div_factor
                group["max_lr"] = high
                group["min_lr"] = group["initial_lr"] / final_div_factor
            if momenta:
                self._begin_momentum(*momenta)
        super().__init__(optimizer, last_epoch)

    def _rates(self) -> list[Any]:
        """The rate of each group; sets the momentum."""
        step = self.last_epoch
        if step > self.total_steps:
            raise value_error(
                f"Tried to step {step} times. The specified number of total steps is {self.total_steps}"
            )
        start: float = 0.0
        for phase in self._schedule_phases:
            if step <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        part = (step - start) / (phase["end_step"] - start)
        values = []
        for group in self.optimizer.param_groups:
            values.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                momentums = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._put_momentum(group, self._between(*momentums, part))
        return values

    def _between(self, start: Any, end: Any, part: float) -> Any:
        if self._anneal_func_type == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2.0 * (cos(math.pi * part) + 1)

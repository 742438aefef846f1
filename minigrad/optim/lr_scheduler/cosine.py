"""Schedules along a cosine (SGDR: Loshchilov and Hutter 2017, arXiv:1608.03983)."""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import value_error
from minigrad.optim.lr_scheduler.base import LRScheduler, cos, positive, rates
from minigrad.optim.optimizer import Optimizer


class CosineAnnealingLR(LRScheduler):
    """Lowers the rates along half a cosine to ``eta_min`` in ``T_max`` steps, and raises them again.

    Each step scales the part of the present rate above ``eta_min``, so other schedulers may change the rate too.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _rates(self) -> list[Any]:
        step, period, low, groups = self.last_epoch, self.T_max, self.eta_min, self.optimizer.param_groups
        if self._is_initial:
            return rates(self.optimizer)
        if self._step_count == 1 and step > 0:
            return self._get_closed_form_lr()
        if (step - 1 - period) % (2 * period) == 0:
            # The last cosine was -1, by which nothing can be multiplied: the first step up again.
            rise = 1 - cos(math.pi / period)
            return [g["lr"] + (b - low) * rise / 2 for g, b in zip(groups, self.base_lrs, strict=True)]
        now, before = (1 + cos(math.pi * k / period) for k in (step, step - 1))
        return [now / before * (g["lr"] - low) + low for g in groups]

    def _get_closed_form_lr(self) -> list[Any]:
        height, low = 1 + cos(math.pi * self.last_epoch / self.T_max), self.eta_min
        return [low + (base - low) * height / 2 for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Lowers the rates along half a cosine to ``eta_min``, and restarts from the first ones, again and again.

    The first fall takes ``T_0`` steps, each later one ``T_mult`` times as many as the one before. Raises ValueError
    unless both are ints of at least 1.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        positive("positive integer T_0", T_0)
        positive("integer T_mult >= 1", T_mult)
        if not isinstance(eta_min, (float, int)):
            raise value_error(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def _rates(self) -> list[Any]:
        height, low = 1 + cos(math.pi * self.T_cur / self.T_i), self.eta_min
        return [low + (base - low) * height / 2 for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Sets the rates of the next step, or of ``epoch``, which may be a fraction such as ``epoch + i / batches``.

        ValueError for a negative ``epoch``.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise value_error(f"Expected non-negative epoch, but got {epoch}")
        else:
            self._go_to(epoch)
        self.last_epoch = math.floor(epoch)
        with self._within_step():
            values = self.get_lr()
        self._set(values)

    def _go_to(self, epoch: float) -> None:
        first, times = self.T_0, self.T_mult
        if epoch < first:
            self.T_i, self.T_cur = first, epoch
        elif times == 1:
            self.T_cur = epoch % first
        else:
            # n falls are over, of first * (times**n - 1) / (times - 1) steps together
            n = int(math.log(epoch / first * (times - 1) + 1, times))
            self.T_cur = epoch - first * (times**n - 1) / (times - 1)
            self.T_i = first * times**n

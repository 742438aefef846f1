"""Schedules by a function of yours, in stages, on a line, by powers."""

from __future__ import annotations

import types
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minigrad.errors import type_error, value_error
from minigrad.optim.lr_scheduler.base import ByFactor, LRScheduler, checked, rates
from minigrad.optim.optimizer import Optimizer

Rule = Callable[[int], float]


class _ByFunction(LRScheduler):
    """The schedulers that take a function, or one for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Rule | Sequence[Rule], last_epoch: int = -1) -> None:
        groups = len(checked(optimizer).param_groups)
        self.optimizer = optimizer
        if not isinstance(lr_lambda, (list, tuple)):
            self.lr_lambdas: list[Any] = [lr_lambda] * groups
        elif len(lr_lambda) == groups:
            self.lr_lambdas = list(lr_lambda)
        else:
            raise value_error(f"Expected {groups} lr_lambdas, but got {len(lr_lambda)}")
        for function in self.lr_lambdas:
            if not callable(function):
                raise type_error(f"lr_lambda should be a function, but got {type(function).__name__}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer and functions; of a callable object its attributes."""
        state = super().state_dict()
        state["lr_lambdas"] = [kept_of(function) for function in state.pop("lr_lambdas")]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned; the functions stay, and callable objects get their attributes."""
        functions = self.lr_lambdas
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for function, kept in zip(functions, state_dict["lr_lambdas"], strict=False):
            if kept is not None:
                function.__dict__.update(kept)


def kept_of(function: Any) -> dict[str, Any] | None:
    """What a state has of a function: None, or the attributes of a callable object."""
    return None if isinstance(function, types.FunctionType) else dict(function.__dict__)


class LambdaLR(_ByFunction):
    """Sets each rate to the first one times ``lr_lambda(step)``; a list has a function for each group."""

    def _rates(self) -> list[Any]:
        return [
            base * rule(self.last_epoch) for rule, base in zip(self.lr_lambdas, self.base_lrs, strict=True)
        ]


class MultiplicativeLR(_ByFunction):
    """Multiplies each rate by ``lr_lambda(step)``; a list has a function for each group."""

    def _rates(self) -> list[Any]:
        if self._is_initial:
            return rates(self.optimizer)
        groups = self.optimizer.param_groups
        return [
            group["lr"] * rule(self.last_epoch) for rule, group in zip(self.lr_lambdas, groups, strict=True)
        ]


class StepLR(ByFactor):
    """Multiplies the rates by ``gamma`` after every ``step_size`` steps."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        return self.gamma if self.last_epoch != 0 and self.last_epoch % self.step_size == 0 else None

    def _closed(self, base: Any) -> Any:
        return base * self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(ByFactor):
    """Multiplies the rates by ``gamma`` at each of the steps ``milestones``; twice at one listed twice."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        # One by one: a recording guards how numbers compare.
        times = next((n for m, n in self.milestones.items() if m == self.last_epoch), 0)
        return self.gamma**times if times else None

    def _closed(self, base: Any) -> Any:
        return base * self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch)


class ConstantLR(ByFactor):
    """Multiplies the rates by ``factor`` until step ``total_iters``, and restores them then.

    Raises ValueError unless ``factor`` is in [0, 1].
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0.0 <= factor <= 1.0:
            raise value_error("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        if self.last_epoch == 0:
            return self.factor
        return 1.0 / self.factor if self.last_epoch == self.total_iters else None

    def _closed(self, base: Any) -> Any:
        return base * (self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor))


class LinearLR(ByFactor):
    """Multiplies the rates by a factor, linear from ``start_factor`` to ``end_factor`` in ``total_iters`` steps.

    Raises ValueError unless the factors are in [0, 1], and the first one above 0.
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1.0 / 3, end_factor: float = 1.0, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if not 0.0 < start_factor <= 1.0:
            raise value_error(
                "Starting multiplicative factor expected to be greater than 0 and less or equal to 1."
            )
        if not 0.0 <= end_factor <= 1.0:
            raise value_error("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        if self.last_epoch == 0:
            return self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return None
        rise = self.end_factor - self.start_factor
        return 1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)

    def _closed(self, base: Any) -> Any:
        part = min(self.total_iters, self.last_epoch)
        return base * (self.start_factor + (self.end_factor - self.start_factor) * part / self.total_iters)


class ExponentialLR(ByFactor):
    """Multiplies the rates by ``gamma`` after each step."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        return None if self._is_initial else self.gamma

    def _closed(self, base: Any) -> Any:
        return base * self.gamma**self.last_epoch


class PolynomialLR(ByFactor):
    """Sets each rate to the first times ``(1 - step / total_iters) ** power``, and to 0 from ``total_iters`` on."""

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        if self._is_initial or self.last_epoch > self.total_iters:
            return None
        left, before = (1.0 - k / self.total_iters for k in (self.last_epoch, self.last_epoch - 1))
        factor: float = (left / before) ** self.power
        return factor

    def _closed(self, base: Any) -> Any:
        return base * (1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power

"""The base class of the schedulers, and those that multiply the rate by a factor at each step."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from minigrad.core.changes import changed_since
from minigrad.core.node import next_seq
from minigrad.core.recorder import Numeral
from minigrad.errors import type_error, value_error, warn
from minigrad.gate import own_constructor
from minigrad.optim.optimizer import Optimizer, Steps
from minigrad.tensor import Tensor

EPOCH = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Call "
    "`scheduler.step()` without it; with it, the rate comes from the closed form of the schedule where there is one"
)


class LRScheduler:
    """Base class of schedulers, which change an optimizer's learning rates from step to step.

    A subclass writes `get_lr`, which returns the rate of each group for the step ``last_epoch``. The constructor takes
    step 0, or with ``last_epoch`` the step after that one; each call of `step`, after the optimizer's, takes the next.

    Rates that are Tensors are changed in place. ``base_lrs`` are the rates at the start, which stand in the groups as
    ``"initial_lr"``. Raises TypeError for anything but an Optimizer, KeyError if ``last_epoch`` is given and a group
    has no ``"initial_lr"``.
    """

    # Not part of the state: when the scheduler was made, in the order of all records and changes.
    __slots__ = ("__dict__", "__weakref__", "_since")
    _get_lr_called_within_step = False
    _is_initial = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own_constructor(cls)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                    "last_epoch >= 0. Load the optimizer's state_dict() before, or leave last_epoch out to begin anew"
                )
        self.base_lrs: list[Any] = rates(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._since = next_seq()
        if getattr(optimizer, "_steps", None) is None:
            optimizer._steps = Steps()
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer; functions are left out, callable objects become their attributes."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned. The optimizer's rates are in its own state."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """The rate of each group that the latest step has set."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rate of each group for the step ``last_epoch``; `step` calls it."""
        if not self._get_lr_called_within_step:
            warn("To get the last learning rate computed by the scheduler, please use `get_last_lr()`.")
        return self._rates()

    def _rates(self) -> list[Any]:
        """The rates, for a schedule of minigrad's own."""
        raise NotImplementedError

    def step(self, epoch: int | None = None) -> None:
        """Sets the rates of the next step, or of step ``epoch``, which PyTorch deprecates.

        Warns if the optimizer has not made a step before the first call: the first rate of the schedule is skipped.
        """
        if self._step_count == 1 and not self._optimizer_ran():
            warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in the opposite order: "
                "otherwise the first value of the learning rate schedule is skipped"
            )
        self._step_count += 1
        if epoch is not None:
            warn(EPOCH)
        self._update_lr(epoch)

    def _optimizer_ran(self) -> bool:
        """Whether the optimizer made a step; one that is replayed by `compile` is known by what it changed."""
        steps = getattr(self.optimizer, "_steps", None)
        return (
            steps is None
            or steps.made
            or any(
                changed_since(p._array, getattr(self, "_since", 0))
                for group in self.optimizer.param_groups
                for p in group["params"]
            )
        )

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._within_step():
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
            values = (closed or self.get_lr)()
        self._set(values)

    def _set(self, values: list[Any]) -> None:
        for group, value in zip(self.optimizer.param_groups, values, strict=True):
            put(group, "lr", value)
        self._last_lr = rates(self.optimizer)

    @contextlib.contextmanager
    def _within_step(self) -> Iterator[None]:
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False


class _LRScheduler(LRScheduler):
    """The name of `LRScheduler` in old versions of PyTorch."""


class ByFactor(LRScheduler):
    """A scheduler that multiplies the present rates."""

    def _rates(self) -> list[Any]:
        factor = self._factor()
        return (
            rates(self.optimizer)
            if factor is None
            else [group["lr"] * factor for group in self.optimizer.param_groups]
        )

    def _get_closed_form_lr(self) -> list[Any]:
        return [self._closed(base) for base in self.base_lrs]

    def _factor(self) -> float | None:
        """What the rates are multiplied by; None leaves them as they are."""
        raise NotImplementedError

    def _closed(self, base: Any) -> Any:
        """The rate for the step ``last_epoch``, whatever came before."""
        raise NotImplementedError


def checked(optimizer: Any) -> Optimizer:
    """The optimizer. TypeError if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise type_error(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def copied(x: Any) -> Any:
    """The number, or a copy of the Tensor."""
    return x.detach().clone() if isinstance(x, Tensor) else x


def rates(optimizer: Optimizer, key: str = "lr") -> list[Any]:
    """An option of each group; Tensors are copied."""
    return [copied(group[key]) for group in optimizer.param_groups]


def put(group: dict[str, Any], key: str, value: Any) -> None:
    """Sets an option of a group, in place if it is a Tensor."""
    if isinstance(group[key], Tensor):
        # Not by item(), which is refused while a function is recorded.
        write = Tensor.copy_ if isinstance(value, Tensor) else Tensor.fill_
        write(group[key].detach(), value)
    else:
        group[key] = value


def cos(x: Any) -> Any:
    """The cosine; of a number of a recording that of each replay."""
    return x.of(math.cos) if isinstance(x, Numeral) else math.cos(x)


def each(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """An option given once for all groups, or as a list with one for each. ValueError if their numbers differ."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [copied(value) for _ in range(groups)]
    if len(value) != groups:
        raise value_error(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {groups}."
        )
    return [copied(v) for v in value]


def positive(what: str, value: Any) -> int:
    """The int. ValueError unless it is one of at least 1."""
    if not isinstance(value, int) or value <= 0:
        raise value_error(f"Expected {what}, but got {value}")
    return value

"""Averaged weights: PyTorch's ``optim.swa_utils``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any, Literal, TypeAlias

from minigrad.autograd.grad_mode import no_grad
from minigrad.errors import value_error
from minigrad.functions.creation import tensor
from minigrad.hints import module_getattr
from minigrad.nn.module import Module
from minigrad.nn.normalization import _BatchNorm
from minigrad.optim.lr_scheduler.base import LRScheduler, each
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import Tensor

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip

One: TypeAlias = Callable[[Tensor, Tensor, Any], Tensor]
Many: TypeAlias = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def get_ema_avg_fn(decay: float = 0.999) -> One:
    """The function ``(average, now, count)`` of an exponential average: ``decay * average + (1 - decay) * now``.

    ValueError for a decay outside of [0, 1].
    """
    _check_decay(decay)

    @no_grad()
    def average(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return average


def get_swa_avg_fn() -> One:
    """The function ``(average, now, count)`` of a plain average: ``average + (now - average) / (count + 1)``."""

    @no_grad()
    def average(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return average


def get_ema_multi_avg_fn(decay: float = 0.999) -> Many:
    """As `get_ema_avg_fn`, of lists of Tensors, in place.

    ValueError for a decay outside of [0, 1].
    """
    _check_decay(decay)
    return _in_place(lambda num_averaged: 1 - decay)


def get_swa_multi_avg_fn() -> Many:
    """As `get_swa_avg_fn`, of lists of Tensors, in place."""
    return _in_place(lambda num_averaged: 1 / (float(num_averaged) + 1))


def _in_place(weight: Callable[[Any], float]) -> Many:
    @no_grad()
    def average(averages: Sequence[Tensor], now: Sequence[Tensor], num_averaged: Any) -> None:
        w = weight(num_averaged)
        for a, p in zip(averages, now, strict=True):
            a.copy_(a + (p - a) * w)

    return average


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise value_error(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


class AveragedModel(Module):
    """A copy of a model whose parameters are averages (Izmailov et al. 2018, arXiv:1803.05407).

    Each call of `update_parameters` averages in those of the model; the first call copies them. ``avg_fn(average, now,
    count)`` returns a new average, ``multi_avg_fn(averages, now, count)`` changes lists of them in place; without
    either, it is the plain average. Buffers are averaged too with ``use_buffers``, otherwise copied. ``module``
    is the copy, the buffer ``n_averaged`` counts the calls.

    ValueError if both functions are given.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: One | None = None,
        multi_avg_fn: Many | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise value_error("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The copy's result."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Takes the parameters of ``model`` into the averages."""
        averages: list[Tensor] = [*self.module.parameters()]
        now: list[Tensor] = [*model.parameters()]
        buffers, theirs = list(self.module.buffers()), list(model.buffers())
        if self.use_buffers:
            averages, now, buffers, theirs = [*averages, *buffers], [*now, *theirs], [], []
        pairs = [(a.detach(), p.detach()) for a, p in zip(averages, now, strict=True)]
        if self.n_averaged == 0:
            for a, p in pairs:
                a.copy_(p)
        elif self.multi_avg_fn is not None:
            kinds: dict[Any, tuple[list[Tensor], list[Tensor]]] = {}
            for a, p in pairs:
                ours, other = kinds.setdefault(a.dtype, ([], []))
                ours.append(a)
                other.append(p)
            for ours, other in kinds.values():
                self.multi_avg_fn(ours, other, self.n_averaged)
        else:
            average = self.avg_fn or get_swa_avg_fn()
            for a, p in pairs:
                a.copy_(average(a, p, self.n_averaged))
        for a, p in zip(buffers, theirs, strict=True):
            a.detach().copy_(p.detach())
        self.n_averaged += 1


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Recomputes the running statistics of a model's BatchNorm layers, as plain averages over all of ``loader``.

    Of an item that is a list or tuple, the first element is the input. A model without such layers is left alone.
    """
    layers = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not layers:
        return
    momenta, training = [layer.momentum for layer in layers], model.training
    model.train()
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
        for item in loader:
            batch = item[0] if isinstance(item, (list, tuple)) else item
            model(batch if device is None else batch.to(device))
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        model.train(training)


module_getattr(globals())


class SWALR(LRScheduler):
    """Moves the rates to ``swa_lr`` in ``anneal_epochs`` steps, along a cosine ("cos") or a line ("linear").

    ValueError for another ``anneal_strategy`` and for negative ``anneal_epochs``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = each("swa_lr", optimizer, swa_lr)
        if anneal_strategy not in ("cos", "linear"):
            raise value_error(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        epochs: Any = anneal_epochs
        if not isinstance(epochs, int) or epochs < 0:
            raise value_error(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        """How much of the way is done at a step."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def _rates(self) -> list[Any]:
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        values = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            # The rate that the way began with, from the one that stands there.
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            values.append(end * now + start * (1 - now))
        return values

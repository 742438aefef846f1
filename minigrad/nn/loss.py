"""Losses as modules."""

from __future__ import annotations

from minigrad.functions import nn as functions
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

__all__ = ["L1Loss", "MSELoss"]


class _Loss(Module):
    reduction: str

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        self.reduction = F._reduction(size_average, reduce, reduction)


class MSELoss(_Loss):
    """The squared error ``(input - target)**2`` with ``reduction`` "mean", "sum" or "none".

    ``size_average`` and ``reduce`` are PyTorch's deprecated forms of ``reduction``; they warn.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        usual = self.reduction == "mean" and input.__class__ is Tensor and target.__class__ is Tensor
        if usual and functions.same_shape(input, target):
            # two thirds of the time of a small loss
            return functions.mse_mean(input, target)
        return F.mse_loss(input, target, None, None, self.reduction)


class L1Loss(_Loss):
    """The absolute error ``|input - target|``; the arguments are those of :class:`MSELoss`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)

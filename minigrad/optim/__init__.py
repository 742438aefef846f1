"""Optimizers: PyTorch's ``optim``. Names only."""

from typing import TYPE_CHECKING, NoReturn

from minigrad.hints import missing
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.sgd import SGD

__all__ = ["SGD", "Optimizer"]


if not TYPE_CHECKING:  # a type checker shall see that a name is missing

    def __getattr__(name: str) -> NoReturn:
        raise missing(__name__, name)

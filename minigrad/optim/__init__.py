"""Optimizers: PyTorch's ``optim``. Names only."""

from minigrad.optim.optimizer import Optimizer
from minigrad.optim.sgd import SGD

__all__ = ["SGD", "Optimizer"]

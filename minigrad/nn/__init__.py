"""Neural networks: PyTorch's ``nn``. Names only."""

from typing import TYPE_CHECKING, NoReturn

from minigrad.hints import missing
from minigrad.nn import functional, init
from minigrad.nn.activation import ReLU, Sigmoid, Tanh
from minigrad.nn.container import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from minigrad.nn.flatten import Flatten
from minigrad.nn.linear import Identity, Linear
from minigrad.nn.loss import L1Loss, MSELoss
from minigrad.nn.module import Module
from minigrad.nn.parameter import Buffer, Parameter

__all__ = [
    "Buffer", "Flatten", "Identity", "L1Loss", "Linear", "MSELoss", "Module", "ModuleDict", "ModuleList",
    "Parameter", "ParameterDict", "ParameterList", "ReLU", "Sequential", "Sigmoid", "Tanh", "functional",
    "init",
]  # fmt: skip


if not TYPE_CHECKING:  # a type checker shall see that a name is missing

    def __getattr__(name: str) -> NoReturn:
        raise missing(__name__, name)

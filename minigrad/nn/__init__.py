"""Neural networks: PyTorch's ``nn``. Names only."""

from importlib import import_module
from typing import TYPE_CHECKING

from minigrad.hints import missing

if TYPE_CHECKING:
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


if not TYPE_CHECKING:
    # By file, as above: a file is loaded when one of its classes is first asked for.
    _FILES = {
        "activation": "ReLU Sigmoid Tanh",
        "container": "ModuleDict ModuleList ParameterDict ParameterList Sequential",
        "flatten": "Flatten",
        "linear": "Identity Linear",
        "loss": "L1Loss MSELoss",
        "module": "Module",
        "parameter": "Buffer Parameter",
    }
    _PLACES = {name: file for file, names in _FILES.items() for name in names.split()}

    def __getattr__(name):
        if name in ("functional", "init", *_FILES):
            return import_module(f"minigrad.nn.{name}")
        if name in _PLACES:
            module = import_module(f"minigrad.nn.{_PLACES[name]}")
            return globals().setdefault(name, getattr(module, name))
        raise missing(__name__, name)

    def __dir__():
        return sorted({*globals(), *__all__, *_FILES})

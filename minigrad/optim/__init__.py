"""Optimizers: PyTorch's ``optim``. Names only."""

from importlib import import_module
from typing import TYPE_CHECKING

from minigrad.hints import missing

if TYPE_CHECKING:
    from minigrad.optim import lr_scheduler, swa_utils
    from minigrad.optim.adadelta import Adadelta
    from minigrad.optim.adafactor import Adafactor
    from minigrad.optim.adagrad import Adagrad
    from minigrad.optim.adam import Adam, AdamW
    from minigrad.optim.adamax import Adamax
    from minigrad.optim.asgd import ASGD
    from minigrad.optim.lbfgs import LBFGS
    from minigrad.optim.muon import Muon
    from minigrad.optim.nadam import NAdam
    from minigrad.optim.optimizer import Optimizer
    from minigrad.optim.radam import RAdam
    from minigrad.optim.rmsprop import RMSprop
    from minigrad.optim.rprop import Rprop
    from minigrad.optim.sgd import SGD

__all__ = [
    "ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Muon", "NAdam", "Optimizer",
    "RAdam", "RMSprop", "Rprop", "lr_scheduler", "swa_utils",
]  # fmt: skip


if not TYPE_CHECKING:
    # A file is loaded when its class is first asked for.
    _PLACES = {
        "ASGD": "asgd", "Adadelta": "adadelta", "Adafactor": "adafactor", "Adagrad": "adagrad", "Adam": "adam",
        "AdamW": "adam", "Adamax": "adamax", "LBFGS": "lbfgs", "Muon": "muon", "NAdam": "nadam",
        "Optimizer": "optimizer", "RAdam": "radam", "RMSprop": "rmsprop", "Rprop": "rprop", "SGD": "sgd",
    }  # fmt: skip
    _MODULES = {*_PLACES.values(), "lr_scheduler", "redundancy", "swa_utils"}

    def __getattr__(name):
        if name in _MODULES:
            return import_module(f"minigrad.optim.{name}")
        if name in _PLACES:
            module = import_module(f"minigrad.optim.{_PLACES[name]}")
            return globals().setdefault(name, getattr(module, name))
        raise missing(__name__, name)

    def __dir__():
        return sorted({*globals(), *__all__, *_MODULES})

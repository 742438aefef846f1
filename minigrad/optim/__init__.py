"""Optimizers: PyTorch's ``optim``. Names only."""

from importlib import import_module
from typing import TYPE_CHECKING

from minigrad.hints import missing

if TYPE_CHECKING:
    from minigrad.optim import lr_scheduler
    from minigrad.optim.adam import Adam, AdamW
    from minigrad.optim.optimizer import Optimizer
    from minigrad.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "lr_scheduler"]


if not TYPE_CHECKING:
    # A file is loaded when its class is first asked for.
    _PLACES = {"Adam": "adam", "AdamW": "adam", "Optimizer": "optimizer", "SGD": "sgd"}

    _MODULES = ("lr_scheduler",)

    def __getattr__(name):
        if name in _PLACES.values() or name in _MODULES:
            return import_module(f"minigrad.optim.{name}")
        if name in _PLACES:
            module = import_module(f"minigrad.optim.{_PLACES[name]}")
            return globals().setdefault(name, getattr(module, name))
        raise missing(__name__, name)

    def __dir__():
        return sorted({*globals(), *__all__, *_PLACES.values()})

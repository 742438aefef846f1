"""PyTorch's layout of ``nn``: ``nn.modules.batchnorm.BatchNorm2d`` is `minigrad.nn.BatchNorm2d`. Names only."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from minigrad import nn
from minigrad.hints import missing
from minigrad.nn.modules import utils as utils

__all__ = nn.__all__

# PyTorch's files, and after a colon ours, where it has another name. What is in neither is a name of `nn`.
_FILES = """
    activation adaptive batchnorm:normalization channelshuffle:upsampling container conv distance:loss dropout flatten
    fold:conv instancenorm:normalization lazy linear loss module normalization padding pixelshuffle:upsampling
    pooling rnn sparse transformer upsampling
"""
# Classes that scripts ask for with `isinstance`.  `_ConvNd` and the like are our names without the "Nd".
_BASES = {"_ConvTransposeNd": "_Transposed", "_ConvTransposeMixin": "_Transposed", "_NormBase": "_Running"}


class _File(ModuleType):
    """A file of PyTorch's: the names of a file of ours, then those of `nn`."""

    def __init__(self, name: str, place: str) -> None:
        super().__init__(
            f"{__name__}.{name}", f"PyTorch's file of this name: names of `minigrad.nn.{place}`."
        )
        self.__all__ = nn.__all__
        self._place = f"minigrad.nn.{place}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        home = import_module(self._place)
        own = _BASES.get(name) or name.removesuffix("Nd")
        if own in vars(home) or hasattr(nn, name):
            return vars(home)[own] if own in vars(home) else getattr(nn, name)
        parts, types = import_module("minigrad.nn.modules._parts"), import_module("minigrad.nn.common_types")
        if name in parts.__all__:
            return getattr(parts, name)
        if name in vars(types):  # `_size_2_t`
            return vars(types)[name]
        raise missing("minigrad.nn", name)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """Its names, for packages that look through `vars`, with those that the file of ours makes public."""
        own = super().__dict__
        home = import_module(own["_place"])
        for name in home.__all__:
            own.setdefault(name, getattr(home, name))
        return own

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *vars(import_module(self._place)), *nn.__all__})


def __getattr__(name: str) -> Any:
    if hasattr(nn, name):
        return getattr(nn, name)
    raise missing("minigrad.nn", name)


def __dir__() -> list[str]:
    return sorted({*globals(), *nn.__all__})


for _file in _FILES.split():
    _name, _, _place = _file.partition(":")
    globals()[_name] = sys.modules[f"{__name__}.{_name}"] = _File(_name, _place or _name)

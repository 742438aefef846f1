"""`Whole`: a module that loads each name when it is asked for, and all of them for code that reads ``__dict__``."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class Whole(ModuleType):
    """As ``vars(optim)`` and ``nn.__dict__["Linear"]`` expect it of a module of PyTorch's."""

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        for name in self.__all__:
            getattr(self, name)
        return super().__dict__


def whole(name: str) -> None:
    """Makes a loaded module a `Whole`, by its name."""
    sys.modules[name].__class__ = Whole

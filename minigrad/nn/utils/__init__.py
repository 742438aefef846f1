"""What helps with modules and their inputs: PyTorch's ``nn.utils``. Names only."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from minigrad.hints import missing

if TYPE_CHECKING:
    from minigrad.nn.utils import rnn as rnn

__all__ = ["rnn"]

if not TYPE_CHECKING:  # a type checker shall see that a name is missing

    def __getattr__(name: str) -> Any:
        if name in __all__:
            return import_module(f"{__name__}.{name}")
        raise missing(__name__, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

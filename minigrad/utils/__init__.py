"""What is around training: `data` makes batches."""

from importlib import import_module
from typing import TYPE_CHECKING

from minigrad.hints import missing

if TYPE_CHECKING:
    from minigrad.utils import data as data

__all__ = ["data"]

if not TYPE_CHECKING:

    def __getattr__(name):
        if name in __all__:
            return import_module(f"minigrad.utils.{name}")
        raise missing(__name__, name)

    def __dir__():
        return sorted({*globals(), *__all__})

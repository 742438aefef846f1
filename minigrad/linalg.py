"""Linear algebra, under the names of ``torch.linalg``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from minigrad.errors import LinAlgError as LinAlgError
from minigrad.hints import missing

__all__ = ["LinAlgError"]

if not TYPE_CHECKING:  # a type checker shall see that a name is missing

    def __getattr__(name: str) -> NoReturn:
        raise missing(__name__, name)

"""Modules that differ only in a rank and a function, which stand in the heads of their classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.nn.module import Module


class Family(Module):
    """Base class: ``class Conv2d(_Plain, rank=2, function=conv2d)`` has that ``_rank`` and that ``_function``."""

    _rank: int
    _function: Callable[..., Any]

    def __init_subclass__(
        cls, *, rank: int = 0, function: Callable[..., Any] | None = None, **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        if rank:
            cls._rank = rank
        if function is not None:
            cls._function = staticmethod(function)

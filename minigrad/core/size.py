"""`Size`: the shape of a Tensor."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Self, SupportsIndex, overload

from minigrad.dtypes import printed


class Size(tuple[int, ...]):
    """A shape: a tuple of ints that stays one where it is sliced, joined or repeated. TypeError for anything else."""

    __module__ = "minigrad"

    def __new__(cls, sizes: Iterable[int] = ()) -> Self:
        numbers = tuple(sizes)
        if {*map(type, numbers)} <= {int}:
            return tuple.__new__(cls, numbers)
        for i, n in enumerate(numbers):
            if not hasattr(n, "__index__"):
                raise TypeError(f"Size() takes an iterable of int (item {i} is {type(n).__name__})")
        return tuple.__new__(cls, (n.__index__() for n in numbers))

    @overload
    def __getitem__(self, key: SupportsIndex) -> int: ...

    @overload
    def __getitem__(self, key: slice) -> Size: ...

    def __getitem__(self, key: SupportsIndex | slice) -> int | Size:
        part: Any = tuple.__getitem__(self, key)
        return tuple.__new__(Size, part) if key.__class__ is slice else part

    def __add__(self, other: tuple[Any, ...]) -> Size:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: tuple[Any, ...]) -> Size:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size((*other, *self))

    def __mul__(self, times: SupportsIndex) -> Size:
        return tuple.__new__(Size, tuple.__mul__(self, times))

    __rmul__ = __mul__

    def numel(self) -> int:
        """How many elements a Tensor of this shape has."""
        return math.prod(self)

    def __repr__(self) -> str:
        return printed(f"Size({list(self)})")

"""Padding as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.errors import value_error
from minigrad.functions import images
from minigrad.nn._family import Family
from minigrad.tensor import Tensor

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
    "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d",
    "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Family):
    _mode = "constant"
    _told = "*padding"

    def __init_subclass__(cls, mode: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        if mode:
            cls._mode = mode

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        count = 2 * self._rank
        self.padding: Sequence[int] = (padding,) * count if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        rank, dims = self._rank, input.dim()
        if self._mode == "circular" and dims not in (rank + 1, rank + 2):
            raise value_error(f"expected {rank + 1}D or {rank + 2}D input (got {dims}D input)")
        return images.pad(input, self.padding, self._mode)


class _ConstantPad(_Pad):
    _told = "padding value"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return images.pad(input, self.padding, "constant", self.value)


class _ZeroPad(_ConstantPad):
    _told = "*padding"

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)


class CircularPad1d(_Pad, rank=1, mode="circular"):
    """The last elements before the first, and the first after the last, in one dimension; `nn.functional.pad`."""


class CircularPad2d(_Pad, rank=2, mode="circular"):
    """Pads the last two dimensions circularly: with the elements of the opposite side; see `nn.functional.pad`."""


class CircularPad3d(_Pad, rank=3, mode="circular"):
    """Pads the last three dimensions circularly: with the elements of the opposite side; see `nn.functional.pad`."""


class ConstantPad1d(_ConstantPad, rank=1):
    """Pads the last dimension with ``value``; see `nn.functional.pad`."""


class ConstantPad2d(_ConstantPad, rank=2):
    """Pads the last two dimensions with ``value``; see `nn.functional.pad`."""


class ConstantPad3d(_ConstantPad, rank=3):
    """Pads the last three dimensions with ``value``; see `nn.functional.pad`."""


class ReflectionPad1d(_Pad, rank=1, mode="reflect"):
    """Pads the last dimension with the input mirrored at its edges; see `nn.functional.pad`."""


class ReflectionPad2d(_Pad, rank=2, mode="reflect"):
    """Pads the last two dimensions with the input mirrored at its edges; see `nn.functional.pad`."""


class ReflectionPad3d(_Pad, rank=3, mode="reflect"):
    """Pads the last three dimensions with the input mirrored at its edges; see `nn.functional.pad`."""


class ReplicationPad1d(_Pad, rank=1, mode="replicate"):
    """Pads the last dimension with the elements at the edges, repeated; see `nn.functional.pad`."""


class ReplicationPad2d(_Pad, rank=2, mode="replicate"):
    """Pads the last two dimensions with the elements at the edges, repeated; see `nn.functional.pad`."""


class ReplicationPad3d(_Pad, rank=3, mode="replicate"):
    """Pads the last three dimensions with the elements at the edges, repeated; see `nn.functional.pad`."""


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Pads the last dimension with zeros; see `nn.functional.pad`."""


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Pads the last two dimensions with zeros; see `nn.functional.pad`."""


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Pads the last three dimensions with zeros; see `nn.functional.pad`."""

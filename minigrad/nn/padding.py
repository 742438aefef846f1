"""Padding as modules."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.errors import value_error
from minigrad.functions import images
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
    "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d",
    "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    _rank = 1
    _mode = "constant"

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        count = 2 * self._rank
        self.padding: Sequence[int] = (padding,) * count if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        rank, dims = self._rank, input.dim()
        if self._mode == "circular" and dims not in (rank + 1, rank + 2):
            raise value_error(f"expected {rank + 1}D or {rank + 2}D input (got {dims}D input)")
        return images.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return images.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class CircularPad1d(_Pad):
    """Pads the last dimension circularly: with the elements of the opposite side; see `nn.functional.pad`."""

    _rank = 1
    _mode = "circular"


class CircularPad2d(_Pad):
    """Pads the last two dimensions circularly: with the elements of the opposite side; see `nn.functional.pad`."""

    _rank = 2
    _mode = "circular"


class CircularPad3d(_Pad):
    """Pads the last three dimensions circularly: with the elements of the opposite side; see `nn.functional.pad`."""

    _rank = 3
    _mode = "circular"


class ConstantPad1d(_ConstantPad):
    """Pads the last dimension with ``value``; see `nn.functional.pad`."""

    _rank = 1


class ConstantPad2d(_ConstantPad):
    """Pads the last two dimensions with ``value``; see `nn.functional.pad`."""

    _rank = 2


class ConstantPad3d(_ConstantPad):
    """Pads the last three dimensions with ``value``; see `nn.functional.pad`."""

    _rank = 3


class ReflectionPad1d(_Pad):
    """Pads the last dimension with the input mirrored at its edges; see `nn.functional.pad`."""

    _rank = 1
    _mode = "reflect"


class ReflectionPad2d(_Pad):
    """Pads the last two dimensions with the input mirrored at its edges; see `nn.functional.pad`."""

    _rank = 2
    _mode = "reflect"


class ReflectionPad3d(_Pad):
    """Pads the last three dimensions with the input mirrored at its edges; see `nn.functional.pad`."""

    _rank = 3
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """Pads the last dimension with the elements at the edges, repeated; see `nn.functional.pad`."""

    _rank = 1
    _mode = "replicate"


class ReplicationPad2d(_Pad):
    """Pads the last two dimensions with the elements at the edges, repeated; see `nn.functional.pad`."""

    _rank = 2
    _mode = "replicate"


class ReplicationPad3d(_Pad):
    """Pads the last three dimensions with the elements at the edges, repeated; see `nn.functional.pad`."""

    _rank = 3
    _mode = "replicate"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Pads the last dimension with zeros; see `nn.functional.pad`."""


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Pads the last two dimensions with zeros; see `nn.functional.pad`."""


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Pads the last three dimensions with zeros; see `nn.functional.pad`."""

"""Pooling over windows whose places are drawn, as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.functions.dims import each_dim
from minigrad.nn import _fractional
from minigrad.nn._family import Family
from minigrad.tensor import Tensor

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d"]


class _FractionalMaxPool(Family):
    _random_samples: Tensor | None

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        output_size: int | Sequence[int] | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name, rank = type(self).__name__, self._rank
        self.kernel_size = each_dim(kernel_size, rank)
        if min(self.kernel_size) <= 0:
            raise ValueError(f"kernel_size must be greater than 0, but got {kernel_size}")
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else each_dim(output_size, rank)
        self.output_ratio: Any = None if output_ratio is None else each_dim(output_ratio, rank)
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Any:
        how = (self.kernel_size, self.output_size, self.output_ratio, self.return_indices)
        return self._function(input, *how, _random_samples=self._random_samples)


class FractionalMaxPool2d(_FractionalMaxPool, rank=2, function=_fractional.fractional_max_pool2d):
    """`nn.functional.fractional_max_pool2d`, to ``output_size`` or to ``output_ratio`` (0 to 1) of the input's."""


class FractionalMaxPool3d(_FractionalMaxPool, rank=3, function=_fractional.fractional_max_pool3d):
    """`FractionalMaxPool2d` for (N, C, D, H, W) or (C, D, H, W); see `nn.functional.fractional_max_pool3d`."""

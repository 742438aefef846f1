"""Pooling as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.functions import pool as functions
from minigrad.functions.dims import each_dim
from minigrad.nn._family import Family
from minigrad.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip

_Sizes = int | Sequence[int]


class _Windows(Family):
    """Base class of modules that move windows over their input."""

    _told = "kernel_size stride padding"


class _MaxPool(Family):
    _told = "kernel_size stride padding dilation ceil_mode"

    def __init__(
        self,
        kernel_size: _Sizes,
        stride: _Sizes | None = None,
        padding: _Sizes = 0,
        dilation: _Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        how = (self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
        return self._function(input, *how, self.return_indices)


class MaxPool1d(_MaxPool, function=functions.max_pool1d):
    """The largest element of each window of (N, C, L) or (C, L); see `nn.functional.max_pool1d`."""


class MaxPool2d(_MaxPool, function=functions.max_pool2d):
    """The largest element of each window of (N, C, H, W) or (C, H, W); see `nn.functional.max_pool2d`."""


class MaxPool3d(_MaxPool, function=functions.max_pool3d):
    """The largest element of each window of (N, C, D, H, W) or (C, D, H, W).

    See `nn.functional.max_pool3d`.
    """


class AvgPool1d(_Windows):
    """The mean of each window of (N, C, L) or (C, L); see `nn.functional.avg_pool1d`."""

    def __init__(
        self,
        kernel_size: _Sizes,
        stride: _Sizes | None = None,
        padding: _Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = each_dim(kernel_size, 1)
        self.stride = self.kernel_size if stride is None else each_dim(stride, 1)
        self.padding = each_dim(padding, 1)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        how = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return functions.avg_pool1d(input, *how)


class _AvgPool(_Windows):
    def __init__(
        self,
        kernel_size: _Sizes,
        stride: _Sizes | None = None,
        padding: _Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        how = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return self._function(input, *how, self.divisor_override)


class AvgPool2d(_AvgPool, function=functions.avg_pool2d):
    """The mean of each window of (N, C, H, W) or (C, H, W); see `nn.functional.avg_pool2d`."""


class AvgPool3d(_AvgPool, function=functions.avg_pool3d):
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W); see `nn.functional.avg_pool3d`."""


class _Adaptive(Family):
    _told = "output_size"

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size


class _AdaptiveAvgPool(_Adaptive):
    def forward(self, input: Tensor) -> Tensor:
        return self._function(input, self.output_size)


class _AdaptiveMaxPool(_Adaptive):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return self._function(input, self.output_size, self.return_indices)


class _LPPool(Family):
    _told = "norm_type kernel_size stride ceil_mode"

    def __init__(
        self, norm_type: float, kernel_size: _Sizes, stride: _Sizes | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return self._function(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class _MaxUnpool(_Windows):
    def __init__(self, kernel_size: _Sizes, stride: _Sizes | None = None, padding: _Sizes = 0) -> None:
        super().__init__()
        self.kernel_size = each_dim(kernel_size, self._rank)
        self.stride = self.kernel_size if stride is None else each_dim(stride, self._rank)
        self.padding = each_dim(padding, self._rank)

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return self._function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool, function=functions.adaptive_avg_pool1d):
    """The means of as many windows of (N, C, L) or (C, L) as ``output_size`` says.

    See `nn.functional.adaptive_avg_pool1d`.
    """


class AdaptiveAvgPool2d(_AdaptiveAvgPool, function=functions.adaptive_avg_pool2d):
    """The means of as many windows of (N, C, H, W) or (C, H, W) as ``output_size`` says.

    See `nn.functional.adaptive_avg_pool2d`.
    """


class AdaptiveAvgPool3d(_AdaptiveAvgPool, function=functions.adaptive_avg_pool3d):
    """The means of as many windows of (N, C, D, H, W) or (C, D, H, W) as ``output_size`` says.

    See `nn.functional.adaptive_avg_pool3d`.
    """


class AdaptiveMaxPool1d(_AdaptiveMaxPool, function=functions.adaptive_max_pool1d):
    """The largest elements of as many windows of (N, C, L) or (C, L) as ``output_size`` says.

    See `nn.functional.adaptive_max_pool1d`.
    """


class AdaptiveMaxPool2d(_AdaptiveMaxPool, function=functions.adaptive_max_pool2d):
    """The largest elements of as many windows of (N, C, H, W) or (C, H, W) as ``output_size`` says.

    See `nn.functional.adaptive_max_pool2d`.
    """


class AdaptiveMaxPool3d(_AdaptiveMaxPool, function=functions.adaptive_max_pool3d):
    """The largest elements of as many windows of (N, C, D, H, W) or (C, D, H, W) as ``output_size`` says.

    See `nn.functional.adaptive_max_pool3d`.
    """


class LPPool1d(_LPPool, function=functions.lp_pool1d):
    """The p-norm of each window of (N, C, L) or (C, L); see `nn.functional.lp_pool1d`."""


class LPPool2d(_LPPool, function=functions.lp_pool2d):
    """The p-norm of each window of (N, C, H, W) or (C, H, W); see `nn.functional.lp_pool2d`."""


class LPPool3d(_LPPool, function=functions.lp_pool3d):
    """The p-norm of each window of (N, C, D, H, W) or (C, D, H, W); see `nn.functional.lp_pool3d`."""


class MaxUnpool1d(_MaxUnpool, rank=1, function=functions.max_unpool1d):
    """The elements of (N, C, L) or (C, L) put where the largest stood, and 0 elsewhere.

    See `nn.functional.max_unpool1d`.
    """


class MaxUnpool2d(_MaxUnpool, rank=2, function=functions.max_unpool2d):
    """The elements of (N, C, H, W) or (C, H, W) put where the largest stood, and 0 elsewhere.

    See `nn.functional.max_unpool2d`.
    """


class MaxUnpool3d(_MaxUnpool, rank=3, function=functions.max_unpool3d):
    """The elements of (N, C, D, H, W) or (C, D, H, W) put where the largest stood, and 0 elsewhere.

    See `nn.functional.max_unpool3d`.
    """

"""Pooling as modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.functions import pool as functions
from minigrad.functions.dims import each_dim
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip

_Sizes = int | Sequence[int]


class _Windows(Module):
    """What moves windows over its input."""

    _told = "kernel_size stride padding"


class _MaxPool(Module):
    _function: Callable[..., Any]
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


class MaxPool1d(_MaxPool):
    """The largest element of each window of (N, C, L) or (C, L); see `nn.functional.max_pool1d`."""

    _function = staticmethod(functions.max_pool1d)


class MaxPool2d(_MaxPool):
    """The largest element of each window of (N, C, H, W) or (C, H, W); see `nn.functional.max_pool2d`."""

    _function = staticmethod(functions.max_pool2d)


class MaxPool3d(_MaxPool):
    """The largest element of each window of (N, C, D, H, W) or (C, D, H, W).

    See `nn.functional.max_pool3d`.
    """

    _function = staticmethod(functions.max_pool3d)


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
    _function: Callable[..., Tensor]

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


class AvgPool2d(_AvgPool):
    """The mean of each window of (N, C, H, W) or (C, H, W); see `nn.functional.avg_pool2d`."""

    _function = staticmethod(functions.avg_pool2d)


class AvgPool3d(_AvgPool):
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W); see `nn.functional.avg_pool3d`."""

    _function = staticmethod(functions.avg_pool3d)


class _Adaptive(Module):
    _told = "output_size"

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size


class _AdaptiveAvgPool(_Adaptive):
    _function: Callable[..., Tensor]

    def forward(self, input: Tensor) -> Tensor:
        return self._function(input, self.output_size)


class _AdaptiveMaxPool(_Adaptive):
    _function: Callable[..., Any]

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return self._function(input, self.output_size, self.return_indices)


class _LPPool(Module):
    _function: Callable[..., Tensor]
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
    _function: Callable[..., Tensor]
    _rank: int

    def __init__(self, kernel_size: _Sizes, stride: _Sizes | None = None, padding: _Sizes = 0) -> None:
        super().__init__()
        self.kernel_size = each_dim(kernel_size, self._rank)
        self.stride = self.kernel_size if stride is None else each_dim(stride, self._rank)
        self.padding = each_dim(padding, self._rank)

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return self._function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of as many windows of (N, C, L) or (C, L) as ``output_size`` says.

    See `nn.functional.adaptive_avg_pool1d`.
    """

    _function = staticmethod(functions.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of as many windows of (N, C, H, W) or (C, H, W) as ``output_size`` says.

    See `nn.functional.adaptive_avg_pool2d`.
    """

    _function = staticmethod(functions.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The means of as many windows of (N, C, D, H, W) or (C, D, H, W) as ``output_size`` says.

    See `nn.functional.adaptive_avg_pool3d`.
    """

    _function = staticmethod(functions.adaptive_avg_pool3d)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest elements of as many windows of (N, C, L) or (C, L) as ``output_size`` says.

    See `nn.functional.adaptive_max_pool1d`.
    """

    _function = staticmethod(functions.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest elements of as many windows of (N, C, H, W) or (C, H, W) as ``output_size`` says.

    See `nn.functional.adaptive_max_pool2d`.
    """

    _function = staticmethod(functions.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest elements of as many windows of (N, C, D, H, W) or (C, D, H, W) as ``output_size`` says.

    See `nn.functional.adaptive_max_pool3d`.
    """

    _function = staticmethod(functions.adaptive_max_pool3d)


class LPPool1d(_LPPool):
    """The p-norm of each window of (N, C, L) or (C, L); see `nn.functional.lp_pool1d`."""

    _function = staticmethod(functions.lp_pool1d)


class LPPool2d(_LPPool):
    """The p-norm of each window of (N, C, H, W) or (C, H, W); see `nn.functional.lp_pool2d`."""

    _function = staticmethod(functions.lp_pool2d)


class LPPool3d(_LPPool):
    """The p-norm of each window of (N, C, D, H, W) or (C, D, H, W); see `nn.functional.lp_pool3d`."""

    _function = staticmethod(functions.lp_pool3d)


class MaxUnpool1d(_MaxUnpool):
    """The elements of (N, C, L) or (C, L) put where the largest stood, and 0 elsewhere.

    See `nn.functional.max_unpool1d`.
    """

    _function = staticmethod(functions.max_unpool1d)
    _rank = 1


class MaxUnpool2d(_MaxUnpool):
    """The elements of (N, C, H, W) or (C, H, W) put where the largest stood, and 0 elsewhere.

    See `nn.functional.max_unpool2d`.
    """

    _function = staticmethod(functions.max_unpool2d)
    _rank = 2


class MaxUnpool3d(_MaxUnpool):
    """The elements of (N, C, D, H, W) or (C, D, H, W) put where the largest stood, and 0 elsewhere.

    See `nn.functional.max_unpool3d`.
    """

    _function = staticmethod(functions.max_unpool3d)
    _rank = 3

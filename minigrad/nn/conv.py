"""Convolutions as modules, and windows as columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.device import DeviceLike, check_device
from minigrad.dtypes import dtype as DType
from minigrad.errors import value_error
from minigrad.functions import conv as functions
from minigrad.functions import images
from minigrad.functions.creation import empty
from minigrad.functions.dims import each_dim
from minigrad.nn import init
from minigrad.nn._family import Family
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Fold", "Unfold",
]  # fmt: skip

_MODES = ("zeros", "reflect", "replicate", "circular")


class _Conv(Family):
    """What convolutions have in common: the sizes, the weights, and how these start."""

    in_channels: int
    out_channels: int
    weight: Parameter
    bias: Parameter | None
    _transposed = False
    padding_mode = "zeros"  # which modules in old files do not have
    _also_saved = ("_reversed_padding_repeated_twice",)

    def _set(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
        output_padding: Any, groups: int, bias: bool, padding_mode: str, device: Any, dtype: Any,
    ) -> None:  # fmt: skip
        if groups <= 0:
            raise value_error("groups must be a positive integer")
        if in_channels % groups:
            raise value_error(f"in_channels must be divisible by groups, got {in_channels} and {groups}")
        if out_channels % groups:
            raise value_error(f"out_channels must be divisible by groups, got {out_channels} and {groups}")
        rank = self._rank
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = each_dim(kernel_size, rank)
        self.stride, self.dilation = each_dim(stride, rank), each_dim(dilation, rank)
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise value_error(f"Invalid padding string {padding!r}, should be one of {{'valid', 'same'}}")
            if padding == "same" and any(s != 1 for s in self.stride):
                raise value_error("padding='same' is not supported for strided convolutions")
        if padding_mode not in _MODES:
            raise value_error(
                f"padding_mode must be one of {set(_MODES)}, but got padding_mode='{padding_mode}'"
            )
        check_device(device)
        self.padding: Any = padding if isinstance(padding, str) else each_dim(padding, rank)
        self.output_padding = each_dim(output_padding, rank)
        self.transposed, self.groups, self.padding_mode = self._transposed, groups, padding_mode
        self.weight = Parameter(empty(self._weight_shape(in_channels), dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_channels, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def _weight_shape(self, in_channels: int) -> tuple[int, ...]:
        first, second = self.out_channels, in_channels
        if self._transposed:
            first, second = second, first
        return first, second // self.groups, *self.kernel_size

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        # The bound of kaiming_uniform_ with a = sqrt(5) is 1/sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        fan = math.prod(self.weight.shape[1:])
        if self.bias is not None and fan:
            init.uniform_(self.bias, -1 / math.sqrt(fan), 1 / math.sqrt(fan))

    @property
    def _reversed_padding_repeated_twice(self) -> list[int]:
        """What `pad` takes for ``padding``, under PyTorch's name."""
        pads: list[int] = []
        for d in reversed(range(self._rank)):
            if isinstance(self.padding, str):
                total = self.dilation[d] * (self.kernel_size[d] - 1) if self.padding == "same" else 0
                pads += [total // 2, total - total // 2]
            else:
                pads += [self.padding[d]] * 2
        return pads

    def _around(self, input: Tensor) -> Tensor:
        """The input with what ``padding_mode`` puts around it."""
        return images.pad(input, self._reversed_padding_repeated_twice, self.padding_mode)

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        )
        if self.padding != (0,) * self._rank:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self._rank:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * self._rank:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class _Plain(_Conv):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self._set(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode,
            device, dtype,
        )  # fmt: skip

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The convolution with another weight and bias: what subclasses in scripts call or replace."""
        convolution = type(self)._function
        if self.padding_mode == "zeros":
            return convolution(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        input = self._around(input)
        return convolution(input, weight, bias, self.stride, 0, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Plain, rank=1, function=functions.conv1d):
    """`nn.functional.conv1d` with weight (out_channels, in_channels / groups, kernel) and bias (out_channels).

    Both start uniformly distributed in ±1/sqrt(in_channels / groups * kernel). ``padding_mode`` is "zeros", "reflect",
    "replicate" or "circular".
    """


class Conv2d(_Plain, rank=2, function=functions.conv2d):
    """`nn.functional.conv2d` with weight (out_channels, in_channels / groups, kH, kW) and bias (out_channels).

    Both start uniformly distributed in ±1/sqrt(in_channels / groups * kH * kW). ``padding_mode`` is "zeros", "reflect",
    "replicate" or "circular".
    """


class Conv3d(_Plain, rank=3, function=functions.conv3d):
    """`nn.functional.conv3d`; all else is as for :class:`Conv2d`."""


class _Transposed(_Conv):
    _transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
        padding_mode: str = "zeros",
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise value_error(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        self._set(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        more = self._more(input, output_size)
        convolution = type(self)._function
        return convolution(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation
        )

    def _output_padding(
        self,
        input: Tensor,
        output_size: Sequence[int] | None,
        stride: Any = None,
        padding: Any = None,
        kernel_size: Any = None,
        num_spatial_dims: int | None = None,
        dilation: Any = None,
    ) -> tuple[int, ...]:
        """The output padding that leads to a size, for subclasses in scripts; all else is the module's own."""
        return self._more(input, output_size)

    def _more(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """The output padding that leads to a size."""
        if output_size is None:
            return self.output_padding
        rank, sizes = self._rank, list(output_size)
        if len(sizes) == input.dim():
            sizes = sizes[-rank:]
        if len(sizes) != rank:
            raise value_error(
                f"{type(self).__name__}: for {input.dim()}D input, output_size must have {rank} or "
                f"{input.dim()} elements (got {len(sizes)})"
            )
        rows = zip(
            input.shape[-rank:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
        )
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in rows]
        most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
        if any(not a <= n <= b for n, a, b in zip(sizes, least, most, strict=True)):
            raise value_error(
                f"requested an output size of {sizes}, but valid sizes range from {least} to {most} (for "
                f"an input of {list(input.shape[-rank:])})"
            )
        return tuple(n - a for n, a in zip(sizes, least, strict=True))


class ConvTranspose1d(_Transposed, rank=1, function=functions.conv_transpose1d):
    """`nn.functional.conv_transpose1d` with weight (in_channels, out_channels / groups, kernel).

    It and ``bias`` (out_channels) start uniformly distributed in ±1/sqrt(out_channels / groups * kernel).
    ValueError for another ``padding_mode`` than "zeros".
    """


class ConvTranspose2d(_Transposed, rank=2, function=functions.conv_transpose2d):
    """`nn.functional.conv_transpose2d` with weight (in_channels, out_channels / groups, kH, kW).

    It and ``bias`` (out_channels) start uniformly distributed in ±1/sqrt(out_channels / groups * kH * kW).
    ValueError for another ``padding_mode`` than "zeros".
    """


class ConvTranspose3d(_Transposed, rank=3, function=functions.conv_transpose3d):
    """`nn.functional.conv_transpose3d` with weight (in_channels, out_channels / groups, kD, kH, kW).

    It and ``bias`` (out_channels) start uniformly distributed in ±1/sqrt(out_channels / groups * kD * kH * kW).
    ValueError for another ``padding_mode`` than "zeros".
    """


class Unfold(Module):
    """`nn.functional.unfold`: windows as columns."""

    _told = "kernel_size dilation padding stride"

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        dilation: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        stride: int | Sequence[int] = 1,
    ) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return functions.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(Module):
    """`nn.functional.fold`: columns added up in an image."""

    _told = "output_size kernel_size dilation padding stride"

    def __init__(
        self,
        output_size: int | Sequence[int],
        kernel_size: int | Sequence[int],
        dilation: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        stride: int | Sequence[int] = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        how = (self.kernel_size, self.dilation, self.padding, self.stride)
        return functions.fold(input, self.output_size, *how)

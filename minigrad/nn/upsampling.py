"""Resizing, and channels moved into planes, as modules."""

from __future__ import annotations

from typing import Any

from minigrad.functions import images
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

__all__ = [
    "ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d",
]  # fmt: skip


class Upsample(Module):
    """`nn.functional.interpolate`, to ``size`` or by ``scale_factor``."""

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        many = isinstance(scale_factor, (tuple, list))
        one = float(scale_factor) if scale_factor and not many else None
        self.scale_factor: Any = tuple(float(f) for f in scale_factor) if many else one
        self.mode, self.align_corners = mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        how = (self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor)
        return images.interpolate(input, *how)

    def extra_repr(self) -> str:
        to = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{to}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`nn.functional.interpolate` with ``mode="nearest"``."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "nearest")


class UpsamplingBilinear2d(Upsample):
    """`nn.functional.interpolate` with ``mode="bilinear", align_corners=True``."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "bilinear", True)


class PixelShuffle(Module):
    """`nn.functional.pixel_shuffle`: (N, C * r * r, H, W) becomes (N, C, H * r, W * r)."""

    _told = "upscale_factor"

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return images.pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Module):
    """`nn.functional.pixel_unshuffle`: (N, C, H * r, W * r) becomes (N, C * r * r, H, W)."""

    _told = "downscale_factor"

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return images.pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Module):
    """`nn.functional.channel_shuffle`: the channels in turn from each of ``groups`` groups."""

    _told = "groups"

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return images.channel_shuffle(input, self.groups)

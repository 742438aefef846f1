"""Weights of convolutions in a format of memory."""

from __future__ import annotations

from typing import Any, TypeVar

from minigrad.nn.conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d
from minigrad.nn.module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]

M = TypeVar("M", bound=Module)


def convert_conv2d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Converts the weights of all 2-d convolutions to the memory format; returns the module."""
    return _converted(module, memory_format, (Conv2d, ConvTranspose2d))


def convert_conv3d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Converts the weights of all 3-d convolutions to the memory format; returns the module."""
    return _converted(module, memory_format, (Conv3d, ConvTranspose3d))


def _converted(module: M, memory_format: Any, kinds: tuple[type[Module], ...]) -> M:
    for m in module.modules():
        if isinstance(m, kinds):
            m.weight.data = m.weight.detach().clone(memory_format=memory_format)
    return module

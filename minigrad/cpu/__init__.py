"""What scripts that are written for any device ask of the CPU: it is there, and done when a call returns."""

from __future__ import annotations

from typing import Any

from minigrad.cpu import amp as amp
from minigrad.hints import module_getattr as _module_getattr

__all__ = ["current_device", "device_count", "is_available", "is_initialized", "set_device", "synchronize"]


def is_available() -> bool:
    """True."""
    return True


def is_initialized() -> bool:
    """True."""
    return True


def device_count() -> int:
    """1, however many cores it has."""
    return 1


def current_device() -> str:
    """``"cpu"``."""
    return "cpu"


def set_device(device: Any) -> None:
    """Nothing: there is one."""


def synchronize(device: Any = None) -> None:
    """Nothing: an operation is done when its call returns."""


_module_getattr(globals())

"""What scripts ask of the device that they run on, where that is the only one: PyTorch's ``torch.cpu``."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

from minigrad.cpu import amp as amp
from minigrad.device import check_device
from minigrad.hints import module_getattr

__all__ = [
    "Stream", "StreamContext", "current_device", "current_stream", "device_count", "is_available", "is_initialized",
    "set_device", "stream", "synchronize",
]  # fmt: skip


class Stream:
    """A queue of work, under PyTorch's name: there is one, and each call returns when its work is done."""

    def __init__(self, priority: int = -1, device: Any = None) -> None:
        pass

    def wait_stream(self, stream: Any) -> None:
        """Does nothing."""

    def record_event(self) -> None:
        """Does nothing."""

    def wait_event(self, event: Any) -> None:
        """Does nothing."""


class StreamContext(nullcontext[None]):
    """Changes nothing."""


_CURRENT = Stream()


def is_available() -> bool:
    """True."""
    return True


def is_initialized() -> bool:
    """True."""
    return True


def device_count() -> int:
    """How many there are: 1."""
    return 1


def current_device() -> str:
    """``"cpu"``."""
    return "cpu"


def current_stream(device: Any = None) -> Stream:
    """The only one."""
    return _CURRENT


def stream(stream: Any) -> AbstractContextManager[None]:
    """A context that changes nothing."""
    return StreamContext()


def set_device(device: Any) -> None:
    """Does nothing."""


def synchronize(device: Any = None) -> None:
    """Does nothing: every call returns when its work is done."""


def get_device_module(device: Any = None) -> ModuleType:
    """This module. AssertionError for a graphics card, RuntimeError for another device."""
    check_device(device)
    return sys.modules[__name__]


module_getattr(globals())

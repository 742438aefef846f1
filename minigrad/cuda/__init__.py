"""What scripts ask of graphics cards, answered truly: there is none.

Questions have PyTorch's answers for a machine without a card; what only makes sense with one raises.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from minigrad.cuda import amp as amp
from minigrad.errors import runtime_error
from minigrad.hints import module_getattr as _module_getattr


class OutOfMemoryError(RuntimeError):
    """What a card without memory raises; here nothing does, and programs name it where they catch it."""


__all__ = [
    "CUDAGraph", "Event", "OutOfMemoryError", "Stream", "StreamContext", "current_device", "current_stream",
    "device_count", "empty_cache", "get_device_capability", "get_device_name", "get_device_properties",
    "get_rng_state", "get_rng_state_all", "graph", "init", "initial_seed", "ipc_collect", "is_available",
    "is_bf16_supported", "is_initialized", "manual_seed", "manual_seed_all", "max_memory_allocated",
    "max_memory_reserved", "mem_get_info", "memory_allocated", "memory_reserved", "memory_summary",
    "reset_peak_memory_stats", "seed", "seed_all", "set_device", "set_rng_state", "set_rng_state_all", "synchronize",
]  # fmt: skip


# Programs that keep a generator's state read it as a variable too.
_initialized = False


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def is_initialized() -> bool:
    """False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False."""
    return False


def manual_seed(seed: int) -> None:
    """Does nothing: there is no card whose numbers to seed."""
    int(seed)


manual_seed_all = manual_seed


def seed() -> None:
    """Does nothing."""


seed_all = empty_cache = seed


def get_rng_state_all() -> list[Any]:
    """An empty list, as long as there are cards."""
    return []


def set_rng_state_all(new_states: Iterable[Any]) -> None:
    """Does nothing for an empty list. RuntimeError for the state of a card."""
    for _ in new_states:
        set_rng_state()


def reset_peak_memory_stats(device: Any = None) -> None:
    """Does nothing."""


def memory_allocated(device: Any = None) -> int:
    """0: a card's memory, not that of the program."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def _without(name: str) -> Callable[..., Any]:
    """What only makes sense with a card."""

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise runtime_error(
            f"Torch not compiled with CUDA enabled: minigrad runs on the CPU only, and cuda.{name}() needs a graphics "
            "card; ask cuda.is_available() first"
        )

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = "RuntimeError: there is no graphics card."
    return refuse


current_device = _without("current_device")
current_stream = _without("current_stream")
get_device_capability = _without("get_device_capability")
get_device_name = _without("get_device_name")
get_device_properties = _without("get_device_properties")
get_rng_state = _without("get_rng_state")
init = _without("init")
initial_seed = _without("initial_seed")
ipc_collect = _without("ipc_collect")
mem_get_info = _without("mem_get_info")
memory_summary = _without("memory_summary")
set_device = _without("set_device")
set_rng_state = _without("set_rng_state")
synchronize = _without("synchronize")


def _class(name: str) -> type[Any]:
    """A class, which annotations name, and ``isinstance`` asks for: there are no objects of it."""
    text = "RuntimeError: there is no graphics card."
    return type(name, (), {"__new__": _without(name), "__doc__": text, "__module__": __name__})


CUDAGraph = _class("CUDAGraph")
Event = _class("Event")
Stream = _class("Stream")
StreamContext = _class("StreamContext")
graph = _class("graph")


# Scripts for graphics cards call cuda.random.manual_seed().
random = sys.modules[__name__]

_module_getattr(globals())

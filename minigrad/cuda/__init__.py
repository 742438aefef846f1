"""What scripts ask of graphics cards, answered truly: there is none.

Questions have PyTorch's answers for a machine without a card; what only makes sense with one raises.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

from minigrad.cuda import amp as amp
from minigrad.errors import assertion_error, runtime_error, type_error, warn
from minigrad.hints import module_getattr as _module_getattr


class AcceleratorError(RuntimeError):
    """What a card raises; here nothing does, and programs name it where they catch it."""


class CudaError(RuntimeError):
    """As `AcceleratorError`."""


class OutOfMemoryError(RuntimeError):
    """What a card without memory raises; here nothing does, as `AcceleratorError`."""


__all__ = [
    "AcceleratorError", "BFloat16Tensor", "BoolTensor", "ByteTensor", "CUDAGraph", "CharTensor", "CudaError",
    "DoubleTensor", "Event", "ExternalStream", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor",
    "OutOfMemoryError", "ShortTensor", "Stream", "StreamContext", "can_device_access_peer", "clock_rate", "cudart",
    "current_blas_handle", "current_device", "current_stream", "default_generators", "default_stream", "device",
    "device_count", "device_of", "empty_cache", "get_arch_list", "get_device_capability", "get_device_name",
    "get_device_properties", "get_gencode_flags", "get_per_process_memory_fraction", "get_rng_state",
    "get_rng_state_all", "get_sync_debug_mode", "graph", "has_half", "has_magma", "init", "initial_seed",
    "ipc_collect", "is_available", "is_bf16_supported", "is_current_stream_capturing", "is_initialized",
    "manual_seed", "manual_seed_all", "max_memory_allocated", "max_memory_cached", "max_memory_reserved",
    "mem_get_info", "memory_allocated", "memory_cached", "memory_reserved", "memory_snapshot", "memory_stats",
    "memory_stats_as_nested_dict", "memory_summary", "memory_usage", "power_draw", "reset_max_memory_allocated",
    "reset_max_memory_cached", "reset_peak_memory_stats", "seed", "seed_all", "set_device",
    "set_per_process_memory_fraction", "set_rng_state", "set_rng_state_all", "set_stream", "set_sync_debug_mode",
    "stream", "synchronize", "temperature", "utilization",
]  # fmt: skip


# Programs that keep a generator's state read it as a variable too.
_initialized = False


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """How many there are: 0."""
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
    """An empty list: one state for each card, of which there are none."""
    return []


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Does nothing: there is no card whose numbers to draw."""


def set_rng_state_all(new_states: Iterable[Any]) -> None:
    """Does nothing."""


def reset_peak_memory_stats(device: Any = None) -> None:
    """Does nothing."""


def memory_allocated(device: Any = None) -> int:
    """0: a card's memory, not that of the program."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def memory_stats(device: Any = None) -> dict[str, Any]:
    """Empty, as there is no card."""
    return {}


memory_stats_as_nested_dict = memory_stats


def get_arch_list() -> list[str]:
    """Empty: there are no kernels for cards."""
    return []


def get_gencode_flags() -> str:
    """Empty."""
    return ""


def is_current_stream_capturing() -> bool:
    """False."""
    return False


def set_stream(stream: None) -> None:
    """Does nothing: None is the only stream."""


def stream(stream: None) -> AbstractContextManager[None]:
    """A context that changes nothing."""
    return nullcontext()


class device_of(nullcontext[None]):
    """A context that changes nothing: no Tensor is on a card."""

    def __init__(self, obj: Any) -> None:
        super().__init__()


class device(nullcontext[None]):
    """A context that changes nothing for None or a negative number. AssertionError for a card."""

    def __init__(self, device: Any) -> None:
        if device is not None and (not isinstance(device, int) or device >= 0):
            _without("device")()
        super().__init__()


# One for each card.
default_generators: tuple[Any, ...] = ()
has_half, has_magma = True, False


def _renamed(old: str, new: str) -> Callable[..., Any]:
    def call(device: Any = None) -> Any:
        warn(f"`cuda.{old}` has been renamed to `cuda.{new}`", FutureWarning)
        return globals()[new](device)

    call.__name__ = call.__qualname__ = old
    call.__doc__ = f"The old name of `{new}`."
    return call


memory_cached = _renamed("memory_cached", "memory_reserved")
max_memory_cached = _renamed("max_memory_cached", "max_memory_reserved")
reset_max_memory_allocated = _renamed("reset_max_memory_allocated", "reset_peak_memory_stats")
reset_max_memory_cached = _renamed("reset_max_memory_cached", "reset_peak_memory_stats")


def _without(
    name: str, error: Callable[[str], Exception] = assertion_error, kind: str = "AssertionError"
) -> Callable[..., Any]:
    """What only makes sense with a card."""

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise error(
            f"Torch not compiled with CUDA enabled: minigrad runs on the CPU only, and cuda.{name}() needs a graphics "
            "card; ask cuda.is_available() first"
        )

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"{kind}: there is no graphics card."
    return refuse


current_device = _without("current_device")
current_stream = _without("current_stream")
get_device_capability = _without("get_device_capability")
get_device_name = _without("get_device_name")
get_device_properties = _without("get_device_properties")
get_rng_state = _without("get_rng_state")
init = _without("init")
_lazy_init = init
initial_seed = _without("initial_seed")
ipc_collect = _without("ipc_collect")
mem_get_info = _without("mem_get_info")
memory_summary = _without("memory_summary")
set_device = _without("set_device")
synchronize = _without("synchronize")
can_device_access_peer = _without("can_device_access_peer")
clock_rate = _without("clock_rate")
cudart = _without("cudart")
current_blas_handle = _without("current_blas_handle")
default_stream = _without("default_stream")
get_per_process_memory_fraction = _without("get_per_process_memory_fraction")
get_sync_debug_mode = _without("get_sync_debug_mode")
memory_snapshot = _without("memory_snapshot")
memory_usage = _without("memory_usage")
power_draw = _without("power_draw")
set_per_process_memory_fraction = _without("set_per_process_memory_fraction")
set_sync_debug_mode = _without("set_sync_debug_mode")
temperature = _without("temperature")
utilization = _without("utilization")


def _class(name: str) -> type[Any]:
    """A class, which annotations name, and ``isinstance`` asks for: there are no objects of it."""
    numbers = name.endswith("Tensor")
    make = (
        _without(name, type_error, "TypeError") if numbers else _without(name, runtime_error, "RuntimeError")
    )
    return type(name, (), {"__new__": make, "__doc__": make.__doc__, "__module__": __name__})


CUDAGraph = _class("CUDAGraph")
Event = _class("Event")
Stream = _class("Stream")
StreamContext = _class("StreamContext")
ExternalStream = _class("ExternalStream")
# Programs ask isinstance of these.
BFloat16Tensor, BoolTensor, ByteTensor = _class("BFloat16Tensor"), _class("BoolTensor"), _class("ByteTensor")
CharTensor, DoubleTensor, FloatTensor = _class("CharTensor"), _class("DoubleTensor"), _class("FloatTensor")
HalfTensor, IntTensor, LongTensor = _class("HalfTensor"), _class("IntTensor"), _class("LongTensor")
ShortTensor = _class("ShortTensor")
graph = _class("graph")


# Scripts for graphics cards call cuda.random.manual_seed().
random = sys.modules[__name__]

_module_getattr(globals(), {"memory": "", "nvtx": "", "profiler": ""})

"""`autocast`: matrix products in lower precision, losses in float32; see `minigrad.gate.precision`."""

from __future__ import annotations

from typing import Any, Self

from minigrad import dtypes
from minigrad.autograd.grad_mode import _ModeManager
from minigrad.core.apply import reads
from minigrad.core.mode import MODE
from minigrad.errors import runtime_error, type_error, value_error, warn
from minigrad.gate.overriding import arm

# The devices for which PyTorch has mixed precision, each with its default element type.
_FIRST = {
    "cpu": dtypes.bfloat16, "cuda": dtypes.float16, "hpu": dtypes.bfloat16, "ipu": dtypes.float16,
    "maia": dtypes.bfloat16, "meta": dtypes.bfloat16, "mps": dtypes.float16, "mtia": dtypes.bfloat16,
    "privateuseone": dtypes.bfloat16, "xla": dtypes.bfloat16, "xpu": dtypes.float16,
}  # fmt: skip
_LOWER = (dtypes.bfloat16, dtypes.float16)
# The same, after `set_autocast_dtype`.
_CHOSEN = dict(_FIRST)


def check_text(device_type: Any) -> None:
    if not isinstance(device_type, str):
        raise value_error(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")


def _check(device_type: Any) -> None:
    check_text(device_type)
    if device_type.partition(":")[0] not in _FIRST:
        raise runtime_error(f"Expected one of {', '.join(sorted(_FIRST))}, got device_type {device_type!r}")


class autocast(_ModeManager):
    """Has matrix products, convolutions and the like compute in ``dtype``, losses and the like in float32.

    It is a context manager and a decorator. The functions of the first kind convert their floats of 4 and 2 bytes to
    ``dtype``, those of the second kind to float32; ``cat`` and ``stack`` take the widest type among their arguments;
    all others compute in what they get. The conversions are recorded, so gradients have the types of their Tensors.
    Call ``backward()`` outside.

    Args:
        device_type: ``"cpu"``; for a device that is not here, such as ``"cuda"``, it is off, with a UserWarning.
        dtype: bfloat16, by default, or float16. Any other turns it off, with a UserWarning, as in PyTorch.
        enabled: False turns it off, also inside another one.
        cache_enabled: accepted for PyTorch's sake: a converted weight is not kept.

    Raises:
        ValueError: `device_type` is not a str.
        RuntimeError: it is not a device.
        TypeError: `dtype` is not an element type.
        ImportError: bfloat16 without the package ml_dtypes.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        _check(device_type)
        if not isinstance(dtype, (dtypes.dtype, type(None))):
            raise type_error(f"autocast(): argument 'dtype' must be a dtype, not {type(dtype).__name__}")
        self.device = device_type.partition(":")[0]
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        if enabled and self.device != "cpu":
            name = self.device.upper()
            warn(f"{name} is not available. Disabling autocast: minigrad runs on the CPU only.")
            enabled = False
        elif enabled and self.fast_dtype not in _LOWER:
            warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of minigrad.bfloat16, minigrad.float16 currently."
            )
            enabled = False
        self._enabled = enabled
        fields = {"autocast": self.fast_dtype.numpy if enabled else None} if self.device == "cpu" else {}
        super().__init__(**fields)

    def __enter__(self) -> Self:
        if self._enabled:
            arm()
        super().__enter__()
        return self


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether `autocast` is on, which it can be for ``"cpu"`` only."""
    _check(device_type)
    return device_type == "cpu" and MODE.get().autocast is not None


def is_autocast_available(device_type: str) -> bool:
    """Whether there is an `autocast` that does something: for ``"cpu"``."""
    return device_type == "cpu"


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """The element type of the `autocast` that is on, or else the default one."""
    _check(device_type)
    now = MODE.get().autocast
    reads(_CHOSEN)
    return (
        _CHOSEN[device_type.partition(":")[0]]
        if now is None or device_type != "cpu"
        else dtypes.OF_NUMPY[now]
    )


def set_autocast_dtype(device_type: str, dtype: dtypes.dtype) -> None:
    """Sets the element type of the `autocast` that is on, and the default one.

    TypeError for anything but an element type.
    """
    _check(device_type)
    if not isinstance(dtype, dtypes.dtype):
        raise type_error(
            f"set_autocast_dtype(): argument 'dtype' must be a dtype, not {type(dtype).__name__}"
        )
    _CHOSEN[device_type.partition(":")[0]] = dtype
    if is_autocast_enabled(device_type):
        MODE.set(MODE.get().replace(autocast=dtype.numpy))


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Turns `autocast` on or off for ``"cpu"``, until the next call or the end of a ``with`` around it.

    Does nothing for other devices, or with the flag alone, which is for graphics cards: there are none.
    """
    device, flag = ("cuda", device_type) if enabled is None else (device_type, enabled)
    _check(device)
    if not isinstance(flag, bool):
        raise type_error(
            f"set_autocast_enabled(): argument 'enabled' must be bool, not {type(flag).__name__}"
        )
    if device.partition(":")[0] == "cpu":
        if flag:
            arm()
        MODE.set(MODE.get().replace(autocast=get_autocast_dtype("cpu").numpy if flag else None))


def older(device: str, name: str, newer: str) -> None:
    """Warns of a name of `minigrad.cuda.amp` or `minigrad.cpu.amp`; ``newer`` are the arguments of that in `amp`."""
    warn(f"`{device}.amp.{name}(args...)` is deprecated. Please use `amp.{name}({newer})`.", FutureWarning)


def _older(name: str, device: str, now: Any) -> Any:
    def call(*args: Any) -> Any:
        more = ", ..." if args else ""
        warn(
            f"{name}() is deprecated. Please use {now.__name__}({device!r}{more}) instead.",
            DeprecationWarning,
        )
        return now(device, *args)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"The old name of `{now.__name__}` for ``{device!r}``."
    return call


get_autocast_cpu_dtype = _older("get_autocast_cpu_dtype", "cpu", get_autocast_dtype)
get_autocast_gpu_dtype = _older("get_autocast_gpu_dtype", "cuda", get_autocast_dtype)
set_autocast_cpu_dtype = _older("set_autocast_cpu_dtype", "cpu", set_autocast_dtype)
set_autocast_gpu_dtype = _older("set_autocast_gpu_dtype", "cuda", set_autocast_dtype)
is_autocast_cpu_enabled = _older("is_autocast_cpu_enabled", "cpu", is_autocast_enabled)
set_autocast_cpu_enabled = _older("set_autocast_cpu_enabled", "cpu", set_autocast_enabled)

_CACHE = [True]


def is_autocast_cache_enabled() -> bool:
    """What `set_autocast_cache_enabled` was given, at first True; it changes nothing."""
    return _CACHE[0]


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Sets what `is_autocast_cache_enabled` returns; otherwise nothing changes: no converted weight is kept."""
    _CACHE[0] = enabled


def clear_autocast_cache() -> None:
    """Does nothing: no converted weight is kept."""

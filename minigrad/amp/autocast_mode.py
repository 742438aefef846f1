"""`autocast`, which does nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Self, TypeVar

from minigrad import dtypes
from minigrad.errors import not_implemented_error, runtime_error, value_error, warn

F = TypeVar("F", bound=Callable[..., Any])

# Those for which PyTorch has mixed precision.
_DEVICES = frozenset(
    {"cpu", "cuda", "hpu", "ipu", "maia", "meta", "mps", "mtia", "privateuseone", "xla", "xpu"}
)


class autocast:
    """Does nothing, as PyTorch's does where it is off: a context manager and a decorator.

    Args:
        device_type: of a device that is not here, ``"cuda"``, it is off, and a UserWarning says so.
        dtype: the element type to compute in. float32 on the CPU turns it off, with a UserWarning, as in PyTorch.
        enabled: False turns it off.
        cache_enabled: accepted for PyTorch's sake.

    Raises:
        ValueError: `device_type` is no str.
        RuntimeError: it is no device.
        NotImplementedError: it is ``"cpu"`` and enabled: PyTorch computes in bfloat16 or float16 then.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise value_error(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if device_type not in _DEVICES:
            raise runtime_error(
                f"Expected one of {', '.join(sorted(_DEVICES))}, got device_type {device_type!r}"
            )
        self.device, self.fast_dtype = device_type, dtype
        if enabled and device_type != "cpu":
            name = device_type.upper()
            warn(f"{name} is not available. Disabling autocast: minigrad runs on the CPU only.")
        elif enabled and dtype in (dtypes.float32, dtypes.float64):
            warn("In CPU autocast, but the target dtype is not supported. Disabling autocast.")
        elif enabled:
            raise not_implemented_error(
                "autocast('cpu') computes in bfloat16 or float16, and minigrad in the element types of the operands: "
                "pass enabled=False"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def __call__(self, function: F) -> F:
        """Decorates a function."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """False."""
    return False


def is_autocast_available(device_type: str) -> bool:
    """False."""
    return False

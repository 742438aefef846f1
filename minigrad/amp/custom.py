"""`custom_fwd` and `custom_bwd`, which a `Function` written for mixed precision is decorated with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minigrad import dtypes
from minigrad.amp.autocast_mode import autocast, get_autocast_dtype, is_autocast_enabled
from minigrad.errors import value_error
from minigrad.tensor import Tensor

__all__ = ["custom_bwd", "custom_fwd"]

F = TypeVar("F", bound=Callable[..., Any])


def custom_fwd(fwd: F | None = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """For the ``forward`` of a `Function`: its ``backward`` will run with the autocast that it ran with.

    With ``cast_inputs``, an element type, arguments of floats (but float64) are converted to it where autocast is on,
    and the method runs without. Without ``fwd``, what does that to a method. ValueError for a ``device_type`` that is
    no text.
    """
    _check(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    forward: Any = fwd

    @functools.wraps(forward)
    def run(*args: Any, **kwargs: Any) -> Any:
        on = is_autocast_enabled(device_type)
        args[0]._autocast = on and cast_inputs is None, get_autocast_dtype(device_type)
        if cast_inputs is None or not on:
            return forward(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return forward(*_cast(args, cast_inputs), **_cast(kwargs, cast_inputs))

    return run


def custom_bwd(bwd: F | None = None, *, device_type: str) -> Any:
    """For the ``backward`` of a `Function`: it runs with the autocast of its ``forward``. ValueError as there."""
    _check(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    backward: Any = bwd

    @functools.wraps(backward)
    def run(*args: Any, **kwargs: Any) -> Any:
        on, dtype = args[0]._autocast
        with autocast(device_type, dtype, enabled=on):
            return backward(*args, **kwargs)

    return run


def _check(device_type: Any) -> None:
    if not isinstance(device_type, str):
        raise value_error(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")


def _cast(value: Any, dtype: Any) -> Any:
    """A value whose Tensors of floats have another element type, also in containers."""
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() and value.dtype != dtypes.float64 else value
    if isinstance(value, (str, bytes, np.ndarray)):
        return value
    if isinstance(value, dict):
        return {_cast(k, dtype): _cast(v, dtype) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(v, dtype) for v in value)
    return value

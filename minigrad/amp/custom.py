"""`custom_fwd` and `custom_bwd`: decorators for a `Function` written for mixed precision."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from minigrad.amp.autocast_mode import autocast, check_text, get_autocast_dtype, is_autocast_enabled
from minigrad.gate.precision import converted

__all__ = ["custom_bwd", "custom_fwd"]

F = TypeVar("F", bound=Callable[..., Any])


def custom_fwd(fwd: F | None = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """Decorates the ``forward`` of a `Function`, so that its ``backward`` runs with the same autocast.

    With ``cast_inputs``, an element type, float arguments (except float64) are converted to it where autocast is on,
    and the method runs with autocast off. Without ``fwd`` it returns the decorator. ValueError if ``device_type`` is
    not a str.
    """
    check_text(device_type)
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
            return forward(*converted(args, cast_inputs.numpy), **converted(kwargs, cast_inputs.numpy))

    return run


def custom_bwd(bwd: F | None = None, *, device_type: str) -> Any:
    """Decorates the ``backward`` of a `Function`: it runs with the autocast of its ``forward``. ValueError as there."""
    check_text(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    backward: Any = bwd

    @functools.wraps(backward)
    def run(*args: Any, **kwargs: Any) -> Any:
        on, dtype = args[0]._autocast
        with autocast(device_type, dtype, enabled=on):
            return backward(*args, **kwargs)

    return run

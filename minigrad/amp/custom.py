"""`custom_fwd` and `custom_bwd`, which a `Function` written for mixed precision is decorated with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from minigrad.errors import value_error

__all__ = ["custom_bwd", "custom_fwd"]

F = TypeVar("F", bound=Callable[..., Any])


def custom_fwd(fwd: F | None = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """For the ``forward`` of a `Function`: it stays as it is, as no operation chooses its precision.

    Without ``fwd``, what does that to a method. ``cast_inputs`` is for regions of autocast and means nothing.
    ValueError for a ``device_type`` that is no text.
    """
    return _unchanged(fwd, device_type)


def custom_bwd(bwd: F | None = None, *, device_type: str) -> Any:
    """For the ``backward`` of a `Function`: it stays as it is. ValueError as for `custom_fwd`."""
    return _unchanged(bwd, device_type)


def _unchanged(method: F | None, device_type: str) -> Any:
    if not isinstance(device_type, str):
        raise value_error(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    return _same if method is None else method


def _same(method: F) -> F:
    return method

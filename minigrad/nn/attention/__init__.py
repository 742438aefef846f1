"""The choice among PyTorch's kernels of attention: here there is one, whichever is named."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minigrad.errors import value_error
from minigrad.hints import module_getattr

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(enum.IntEnum):
    """PyTorch's kernels."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends: Any, set_priority: bool = False) -> Iterator[None]:
    """A context, or decorator, that changes nothing: `scaled_dot_product_attention` computes as it does outside.

    ValueError for anything but an `SDPBackend` or a list of them.
    """
    several = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(several, (list, tuple)) or not all(isinstance(b, SDPBackend) for b in several):
        raise value_error(
            f"Backend must be an instance of SDPBackend or a list of SDPBackend instances, got {backends!r}"
        )
    yield


module_getattr(globals())

"""Memory for large results, used again as soon as no array stands on it.

The C library returns large arrays to the system when they are freed, and every page of the next one is faulted in
anew: a third of a training step on 10,000 rows.  Here a buffer stays, and is free again when the list of buffers
holds the only reference to it.
"""

from __future__ import annotations

import math
import sys
from _thread import _local
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Array = np.ndarray[Any, Any]
Empty: TypeAlias = Callable[..., Array]  # as np.empty

SMALL = 1 << 17  # bytes below which the C library reuses memory by itself
LINE = 64  # bytes
KEPT = 1 << 26  # bytes at most that a thread keeps


class Buffer(np.ndarray[Any, Any]):
    """The bytes that an array from `empty` stands on; by this class such an array is told from a view."""


class _Kept(_local):
    def __init__(self) -> None:
        self.buffers: list[Buffer] = []


_KEPT = _Kept()


def _first_free(buffers: list[Buffer], size: int) -> Buffer | None:
    for buffer in buffers:
        if buffer.nbytes == size and sys.getrefcount(buffer) <= _REFERENCES:
            return buffer
    return None


def _calibrated() -> int:
    """The count that getrefcount gives in `_first_free` for a buffer that only the list holds: interpreters differ."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return 0  # without the lock counts mean little: no buffer is ever free, and none is used again
    buffers = [Buffer(1, np.uint8)]
    for buffer in buffers:
        return sys.getrefcount(buffer)
    return 0


_REFERENCES = _calibrated()


def _aligned(size: int) -> Buffer:
    """Memory that begins where a line of the cache does, as a processor takes elements by lines.

    The C library's begins 16 bytes later: a step in place takes 1.2 times as long there, one of a network 1.03 to 1.08.
    """
    memory = Buffer(size + LINE, np.uint8)
    # Behind it stands a Buffer too: through a plain array NumPy would make results refer to that one.
    first = -memory.__array_interface__["data"][0] % LINE
    return memory[first : first + size]  # type: ignore[return-value]


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """As ``np.empty``."""
    size = math.prod(shape) * dtype.itemsize
    if size < SMALL or size > KEPT or not _REFERENCES:
        return np.empty(shape, dtype)
    buffers = _KEPT.buffers
    buffer = _first_free(buffers, size)
    if buffer is None:
        while buffers and sum(b.nbytes for b in buffers) + size > KEPT:
            del buffers[0]  # the oldest; an array that stands on it keeps it alive
        buffer = _aligned(size)
        buffers.append(buffer)
    return np.ndarray(shape, dtype, buffer)


def copied(x: Array, rows: bool = False) -> Array:
    """As ``np.array(x)``; with ``rows`` it lies row by row."""
    if x.nbytes < SMALL or not (rows or x.flags.c_contiguous):
        return np.array(x, order="C" if rows else "K")
    y = empty(x.shape, x.dtype)
    np.copyto(y, x)
    return y


def is_view(array: Array) -> bool:
    """Whether an array stands on memory that another array owns."""
    return array.base is not None and array.base.__class__ is not Buffer


def shared_memory(array: Any) -> Any:
    """The memory of `Tensor.share_memory_` that an array stands on, None for other memory."""
    import ctypes

    while isinstance(array, np.ndarray):
        array = array.base
    return array if isinstance(array, ctypes.Array) else None

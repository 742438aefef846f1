"""Memory for large results, used again as soon as nobody holds it.

The C library gives large arrays back to the system when they are freed, and every page of the next one is
faulted in anew: a third of a training step on 10,000 rows.  Here a buffer stays, and is free again when the
list below holds the only reference to it.
"""

from __future__ import annotations

import math
import sys
import threading
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SMALL = 1 << 17  # bytes below which the C library reuses memory by itself
KEPT = 1 << 26  # bytes at most that a thread keeps


class Buffer(np.ndarray[Any, Any]):
    """Bytes that arrays from `empty` stand on; the class tells such arrays from views."""


class _Kept(threading.local):
    def __init__(self) -> None:
        self.buffers: list[Buffer] = []


_KEPT = _Kept()


def _first_free(buffers: list[Buffer], size: int) -> Buffer | None:
    for buffer in buffers:
        if buffer.nbytes == size and sys.getrefcount(buffer) <= _REFERENCES:
            return buffer
    return None


def _made(size: int) -> Buffer:
    return np.ndarray.__new__(Buffer, size, np.uint8)


def _calibrated() -> int:
    """What getrefcount says in `_first_free` of a buffer that only the list holds: interpreters differ."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return 0  # counts mean little without the lock: nothing is ever free, so nothing is used again
    buffers = [_made(1)]
    for buffer in buffers:
        return sys.getrefcount(buffer)
    return 0


_REFERENCES = _calibrated()


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """As ``np.empty``."""
    size = math.prod(shape) * dtype.itemsize
    if size < SMALL or size > KEPT or not _REFERENCES:
        return np.empty(shape, dtype)
    buffers = _KEPT.buffers
    buffer = _first_free(buffers, size)
    if buffer is None:
        while buffers and sum(b.nbytes for b in buffers) + size > KEPT:
            del buffers[0]  # the oldest; whoever uses it keeps it until done
        buffer = _made(size)
        buffers.append(buffer)
    return np.ndarray(shape, dtype, buffer)


def is_view(array: Array) -> bool:
    """Whether an array shows memory that another array owns."""
    return array.base is not None and array.base.__class__ is not Buffer

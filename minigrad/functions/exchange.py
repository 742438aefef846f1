"""Tensors of others' memory: of arrays of other libraries, by DLPack, and of buffers of Python's."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.tensor import Tensor
from minigrad.device import DeviceLike
from minigrad.device import device as Device
from minigrad.dtypes import DTypeLike
from minigrad.errors import type_error, value_error
from minigrad.functions.creation import from_numpy
from minigrad.gate import public

__all__ = ["from_dlpack", "frombuffer", "to_dlpack"]


class _Capsule:
    """Gives a capsule that is there already to what asks for one."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def from_dlpack(ext_tensor: Any, *, device: DeviceLike = None, copy: bool | None = None) -> Tensor:
    """A Tensor over the memory of another library's array, which has ``__dlpack__``, or of a capsule of DLPack.

    ``copy``: True for memory of its own, False for an error if that is needed. Memory that the other library does not
    let be written to is shared too, and a write into the Tensor is a RuntimeError. So it is with capsules of versions
    before 1.0 of DLPack, which do not tell.

    BufferError for Tensors that require grad and for memory that is not the CPU's, TypeError for element types that
    minigrad has not.
    """
    if device is not None:
        Device(device)
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Capsule(ext_tensor)
    if not hasattr(ext_tensor, "__dlpack__"):
        raise type_error(f"from_dlpack(): {type(ext_tensor).__name__} has no __dlpack__; use minigrad.tensor")
    # NumPy 2.0 does not know the option.
    array = np.from_dlpack(ext_tensor, copy=False) if copy is False else np.from_dlpack(ext_tensor)
    if copy:
        array = array.copy()
    dtypes.as_numpy(array.dtype)
    return from_numpy(array)


def to_dlpack(tensor: Tensor) -> Any:
    """A capsule of DLPack over the memory of a Tensor, to be taken once. BufferError if it requires grad."""
    return Tensor.__dlpack__(tensor)


def frombuffer(
    buffer: Any, *, dtype: DTypeLike, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A vector over the memory of a bytearray, an array, or another object with a buffer; of bytes, a copy.

    ``count``: how many elements, -1 for all; ``offset``: how many bytes are passed over first.
    A Tensor over memory that may not be written to (a memoryview of bytes) refuses writes.

    ValueError for an object without a buffer, and for a count, an offset or a length that do not fit.
    """
    kind = dtypes.as_numpy(dtype)
    try:
        view = memoryview(buffer)
    except TypeError:
        raise value_error("object does not implement Python buffer protocol.") from None
    size, each = view.nbytes, kind.itemsize
    if not size or not count:
        raise value_error(f"both buffer length ({size}) and count ({count}) must not be 0")
    if not 0 <= offset < size:
        raise value_error(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({size} bytes) minus 1"
        )
    if count < 0 and (size - offset) % each:
        raise value_error(
            f"buffer length ({size - offset} bytes) after offset ({offset} bytes) must be a multiple of element size "
            f"({each})"
        )
    if count > 0 and offset + count * each > size:
        raise value_error(
            f"requested buffer length ({count} * {each} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({size} bytes)"
        )
    array = np.frombuffer(view, kind, count, offset)
    t = from_numpy(array.copy() if isinstance(buffer, bytes) else array)
    return t.requires_grad_(requires_grad)


public(globals(), __all__, home="minigrad")

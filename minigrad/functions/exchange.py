"""Tensors of other libraries' arrays, by DLPack."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.tensor import Tensor
from minigrad.device import DeviceLike
from minigrad.device import device as Device
from minigrad.errors import type_error
from minigrad.functions.creation import from_numpy
from minigrad.gate import public

__all__ = ["from_dlpack", "to_dlpack"]


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


public(globals(), __all__, home="minigrad")

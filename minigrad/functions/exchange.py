"""Tensors of other libraries' arrays, by DLPack, and of memory that is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.tensor import Tensor
from minigrad.device import DeviceLike, check_device
from minigrad.dtypes import DTypeLike
from minigrad.errors import runtime_error, type_error, value_error
from minigrad.functions.creation import as_tensor, from_numpy
from minigrad.gate import public

__all__ = ["asarray", "empty_permuted", "empty_strided", "from_dlpack", "frombuffer", "to_dlpack"]


class _Capsule:
    """Gives a capsule that is there already to what asks for one."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def from_dlpack(ext_tensor: Any, *, device: DeviceLike = None, copy: bool | None = None) -> Tensor:
    """A Tensor over the memory of another library's array, which has ``__dlpack__``, or of a DLPack capsule.

    ``copy``: True for memory of its own, False for an error if that is needed. Read-only memory is shared too, and a
    write into the Tensor is a RuntimeError. Capsules of DLPack before version 1.0, which do not say whether they may be
    written to, count as read-only.

    BufferError for Tensors that require grad and for memory that is not the CPU's, TypeError for element types that
    minigrad does not have.
    """
    check_device(device)
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


def frombuffer(
    buffer: Any, *, dtype: DTypeLike, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A vector over the memory of an object with Python's buffer protocol, such as bytes, from byte ``offset`` on.

    ``count`` elements, all by default. Of bytes, which nothing may change, it is a copy; a write into the Tensor of
    another buffer that is read-only is an error. ValueError for what has no buffer, and for elements that do not fit in
    it; RuntimeError for a buffer with gaps.
    """
    kind = dtypes.as_numpy(dtype)
    try:
        memory = memoryview(buffer)
    except TypeError:
        raise value_error("object does not implement Python buffer protocol.") from None
    if not memory.c_contiguous:
        raise runtime_error("could not retrieve buffer from object: its bytes do not lie one after another")
    length, each = memory.nbytes, kind.itemsize
    if not length or not count:
        raise value_error(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise value_error(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    if count < 0 and (length - offset) % each:
        raise value_error(
            f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a multiple of element size "
            f"({each})"
        )
    if count > 0 and offset + count * each > length:
        raise value_error(
            f"requested buffer length ({count} * {each} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({length} bytes)"
        )
    array = np.frombuffer(buffer, kind, max(count, -1), offset)
    return from_numpy(array.copy() if isinstance(buffer, bytes) else array).requires_grad_(requires_grad)


def asarray(
    obj: Any, *, dtype: DTypeLike | None = None, device: DeviceLike = None, copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:  # fmt: skip
    """A Tensor made of a Tensor, an array, an object with `__dlpack__` or a buffer, or of numbers in sequences.

    It shares memory where that is possible. ``copy``: True for memory of its own, False for a ValueError where it
    cannot share. The bytes of a buffer are elements of ``dtype``, or of the default float. With ``requires_grad`` it
    requires grad, with False it has no history; None leaves that as it is.
    """
    if isinstance(obj, (bytes, bytearray, memoryview)):
        obj = frombuffer(obj, dtype=dtypes.get_default_dtype() if dtype is None else dtype)
    elif hasattr(obj, "__dlpack__") and not isinstance(obj, (Tensor, np.ndarray, np.generic)):
        obj = from_dlpack(obj)
    t = as_tensor(obj, dtype, device)
    if copy is not None:
        source = obj._array if isinstance(obj, Tensor) else obj
        shares = isinstance(source, np.ndarray) and (not source.size or np.may_share_memory(source, t._array))
        if copy is False and not shares:
            what = "arbitrary sequence into a tensor."
            if isinstance(source, np.ndarray):
                what = f"tensor with dtype '{source.dtype}' into dtype '{dtype}'."
            raise value_error(f"can't alias {what}")
        copy = copy and shares
    if copy:
        t = t.clone()
    if requires_grad is None or t.requires_grad == requires_grad:
        return t
    return t.requires_grad_() if requires_grad else t.detach()


def empty_strided(
    size: Sequence[int], stride: Sequence[int], *, dtype: DTypeLike | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Memory with whatever is in it, shown by these sizes and steps in elements. RuntimeError for negative ones."""
    if len(size) != len(stride):
        raise runtime_error(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides ({len(stride)})"
        )
    if min((*size, *stride), default=0) < 0:
        raise runtime_error(
            f"empty_strided(): sizes and strides must not be negative, got {list(size)} and {list(stride)}"
        )
    check_device(device)
    kind = dtypes.default_float() if dtype is None else dtypes.as_numpy(dtype)
    extent = 0 if 0 in size else 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    memory = np.empty(extent, kind)
    shown = np.ndarray(tuple(size), kind, memory, 0, tuple(step * kind.itemsize for step in stride))
    return from_numpy(shown).requires_grad_(requires_grad)


def empty_permuted(
    size: Sequence[int], physical_layout: Sequence[int], *, dtype: DTypeLike | None = None, device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Memory with whatever is in it, whose dimensions lie in this order, the outermost first.

    RuntimeError unless ``physical_layout`` names each dimension once.
    """
    if sorted(physical_layout) != list(range(len(size))):
        raise runtime_error(
            f"empty_permuted(): physical_layout names each dimension of the size {list(size)} once, counted from 0; "
            f"got {list(physical_layout)}"
        )
    step, steps = 1, [0] * len(size)
    for dim in reversed(physical_layout):
        steps[dim], step = step, step * size[dim]
    return empty_strided(size, steps, dtype=dtype, device=device, requires_grad=requires_grad)


def to_dlpack(tensor: Tensor) -> Any:
    """A capsule of DLPack over the memory of a Tensor, to be taken once. BufferError if it requires grad."""
    return Tensor.__dlpack__(tensor)


public(globals(), __all__, home="minigrad")

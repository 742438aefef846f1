"""The memory of a Tensor as elements of another type."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.core.apply import needs_value
from minigrad.core.changes import owner
from minigrad.core.op import Array
from minigrad.core.tensor import Tensor, wrap
from minigrad.dtypes import DTypeLike
from minigrad.errors import runtime_error, type_error


def retyped(input: Tensor, dtype: DTypeLike, *size: Any) -> Tensor:
    """The memory of a Tensor as elements of another type: `Tensor.view` of a dtype."""
    if size:
        raise type_error("view(): takes sizes or a dtype, not both")
    needs_value("view() of a dtype")
    array, kind = input._array, dtypes.as_numpy(dtype)
    old, new = array.itemsize, kind.itemsize
    start = array.ctypes.data - owner(array).ctypes.data
    if old != new:
        what = f"to view {input.dtype} as {dtypes.OF_NUMPY[kind]} (different element sizes)"
        if not array.ndim:
            raise runtime_error(f"self.dim() cannot be 0 {what}")
        if array.shape[-1] != 1 and array.strides[-1] != old:
            raise runtime_error(f"self.stride(-1) must be 1 {what}, but got {array.strides[-1] // old}")
        if array.shape[-1] * old % new:
            raise runtime_error(
                f"self.size(-1) must be divisible by {new // old} {what}, but got {array.shape[-1]}"
            )
        if new > old and start % new:
            raise runtime_error(
                f"self.storage_offset() must be divisible by {new // old} {what}, but got {start // old}"
            )
        if any(step % new for step in array.strides[:-1]):
            raise runtime_error(f"self.stride() must be divisible by {new // old} {what}")
    return wrap_alike(input, array.view(kind))


def wrap_alike(t: Tensor, array: Array) -> Tensor:
    """A Tensor over memory of ``t``, in inference mode if that is."""
    alias = wrap(array)
    if alias._inference or t._inference:
        alias._inference = t._inference
    return alias

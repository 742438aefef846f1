"""Tensors that show memory by sizes and steps, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.core.apply import apply, needs_value
from minigrad.core.changes import memory_of
from minigrad.core.op import Array
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error
from minigrad.gate import public
from minigrad.ops import strided
from minigrad.ops.shape import contiguous

__all__ = ["as_strided", "as_strided_copy", "as_strided_scatter"]


def _start(array: Array) -> int:
    """The lowest address of an array whose steps are not negative."""
    return int(array.__array_interface__["data"][0])


def storage_offset(self: Tensor) -> int:
    """How many elements of its memory lie before the first one."""
    needs_value("storage_offset()")
    array = self._array
    return (_start(array) - _start(memory_of(array))) // array.itemsize if array.size else 0


def _dense(input: Tensor) -> Tensor | None:
    """A view of ``input`` whose elements, row by row, are its memory; None if they leave gaps or repeat."""
    array = input._array
    if array.flags.c_contiguous:
        return input
    order = sorted(range(array.ndim), key=array.strides.__getitem__, reverse=True)
    return input.permute(order) if array.transpose(order).flags.c_contiguous else None


def as_strided(
    input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """A view of the memory of ``input`` with these sizes, and these steps in elements.

    It begins ``storage_offset`` elements after the start of the memory; by default where ``input`` begins. Elements
    that are shown several times get the sum of their gradients. A view may reach what its base has and it does not
    show; then the gradient goes to the base. RuntimeError for negative steps, for what lies outside the base, and for
    a base whose elements leave gaps in memory.
    """
    sizes, steps = tuple(map(int, size)), tuple(map(int, stride))
    if len(sizes) != len(steps):
        raise runtime_error(f"as_strided(): mismatch in length of strides {steps} and shape {sizes}")
    if min(steps, default=0) < 0:
        raise runtime_error(
            f"as_strided(): Negative strides are not supported, got {list(steps)}; flip() the result"
        )
    if min(sizes, default=0) < 0 or (storage_offset or 0) < 0:
        raise runtime_error(
            f"as_strided(): sizes and storage_offset are not negative, got {list(sizes)} and {storage_offset}"
        )
    extent = 0 if 0 in sizes else 1 + sum((n - 1) * step for n, step in zip(sizes, steps, strict=True))
    base = input if input._view is None else input._view.base
    first, each = _start(base._array), input._array.itemsize
    if storage_offset is not None:
        needs_value("as_strided() with a storage_offset")
    if storage_offset is None:
        address = _start(input._array)
    elif first == _start(memory_of(base._array)):
        address = first + int(storage_offset) * each
    else:
        raise runtime_error(
            "as_strided(): storage_offset counts from the start of memory of which this Tensor shows a part only; "
            "leave it out, or clone() the Tensor"
        )
    for source in (input, base):
        dense = _dense(source)
        if dense is None:
            continue
        offset = (address - _start(dense._array)) // each
        if not extent or (offset >= 0 and offset + extent <= dense._array.size):
            params = {"size": sizes, "stride": steps, "offset": offset if extent else 0}
            return apply(strided.as_strided, (dense,), params)
    raise runtime_error(
        f"as_strided(): sizes {list(sizes)}, strides {list(steps)} and storage offset {(address - first) // each} are "
        f"out of bounds for the storage of a Tensor of shape {list(base._array.shape)}, or the Tensor leaves gaps in "
        "it; clone() it, or use smaller sizes"
    )


def as_strided_copy(
    input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """A copy of `as_strided`."""
    return apply(contiguous, (as_strided(input, size, stride, storage_offset),))


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """A copy of ``input`` with ``src`` in place of its `as_strided`, which must not show an element twice."""
    copy = input.clone()
    part = as_strided(copy, size, stride, storage_offset)
    if part._array.shape != src._array.shape:
        raise runtime_error(
            f"as_strided_scatter(): expected src to have a size equal to the slice of self. src size = "
            f"{list(src._array.shape)}, slice size = {list(part._array.shape)}"
        )
    part.copy_(src)
    return copy


METHODS = "as_strided as_strided_scatter storage_offset"
public(globals(), __all__, home="minigrad")
public(globals(), ("storage_offset",), home="minigrad", cls="Tensor.")

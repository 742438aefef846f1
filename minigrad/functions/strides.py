"""Tensors that show memory by sizes and steps, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.core.apply import apply, needs_value
from minigrad.core.changes import memory_of, start
from minigrad.core.mode import MODE
from minigrad.core.op import Array
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error
from minigrad.gate import public
from minigrad.ops import strided
from minigrad.ops.shape import contiguous

__all__ = ["as_strided", "as_strided_copy", "as_strided_scatter"]


def _steps(array: Array) -> list[int]:
    """By each `vmap` that runs over its memory, how many bytes its sample lies behind the first one."""
    steps: list[int] = []
    if not (levels := MODE.get().samples):
        return steps
    memory, at = memory_of(array), start(array)
    for samples in levels:
        for owner, first, step in samples.rows:
            if owner is memory and at >= first + samples.i * step:
                steps.append(samples.i * step)
                break
    return steps


def _origin(array: Array) -> int:
    """The address from which offsets count: the start of memory; of all samples of `vmap` they are as of the first."""
    return start(memory_of(array)) + sum(_steps(array))


def storage_offset(self: Tensor) -> int:
    """How many elements of its memory lie before the first one."""
    needs_value("storage_offset()")
    array = self._array
    return (start(array) - _origin(array)) // array.itemsize if array.size else 0


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
    array, each = input._array, input._array.itemsize
    address = start(array)
    if storage_offset is not None:
        needs_value("as_strided() with a storage_offset")
        address = _origin(array) + int(storage_offset) * each
    if extent and _steps(array):
        reach = sum((n - 1) * step for n, step in zip(array.shape, array.strides, strict=True)) // each + 1
        if not 0 <= (address - start(array)) // each <= reach - extent:
            raise runtime_error(
                f"as_strided(): sizes {list(sizes)}, strides {list(steps)} and storage offset {storage_offset} show "
                "memory outside of the sample that vmap() gives to the function"
            )
    for source in (input, base):
        dense = _dense(source)
        if dense is None:
            continue
        offset = (address - start(dense._array)) // each
        if not extent or (offset >= 0 and offset + extent <= dense._array.size):
            params = {"size": sizes, "stride": steps, "offset": offset if extent else 0}
            return apply(strided.as_strided, (dense,), params)
    raise runtime_error(
        f"as_strided(): sizes {list(sizes)}, strides {list(steps)} and storage offset "
        f"{(address - _origin(array)) // each} are out of bounds for the storage of a Tensor of shape "
        f"{list(base._array.shape)}, or the Tensor leaves gaps in it; clone() it, or use smaller sizes"
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

"""Methods that few programs need: another shape in place, Python functions of elements, the memory itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.core.apply import needs_value
from minigrad.core.changes import counted, owner
from minigrad.core.mode import MODE
from minigrad.core.op import Array
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.core.types import Sizes
from minigrad.core.views import become_view, check_change, check_inference
from minigrad.errors import runtime_error, type_error, warn_once
from minigrad.formats import channels_behind, channels_last_3d, contiguous_format, preserve_format
from minigrad.formats import channels_last as channels_last_2d
from minigrad.functions.shape import sizes
from minigrad.functions.store import store
from minigrad.functions.strides import as_strided
from minigrad.gate import public
from minigrad.kernels.order import channels_last, inverse, is_behind

if TYPE_CHECKING:
    from minigrad.storage import TypedStorage, UntypedStorage

__all__: list[str] = []


# ---------------------------------------------------------------- another shape


def _reshaped(t: Tensor, name: str, function: Callable[[Tensor], Tensor]) -> Tensor:
    needs_value(f"{name}(), which gives a Tensor another shape in place,")
    check_inference(t)
    node = t._node
    if MODE.get().grad:
        check_change(t)
    elif node is not None and node.op is None and node.requires_grad:  # a leaf stays one
        t._array, t._view, t._rows = function(wrap(t._array))._array, None, False
        leaf(t, True)
        counted(t._array)
        return t
    become_view(t, function)
    counted(t._array)
    return t


def unsqueeze_(self: Tensor, dim: int) -> Tensor:
    """`unsqueeze`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    return _reshaped(self, "unsqueeze_", lambda x: x.unsqueeze(dim))


def squeeze_(self: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """`squeeze`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    return _reshaped(self, "squeeze_", lambda x: x.squeeze() if dim is None else x.squeeze(dim))


def t_(self: Tensor) -> Tensor:
    """`t`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    return _reshaped(self, "t_", lambda x: x.t())


def transpose_(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """`transpose`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    return _reshaped(self, "transpose_", lambda x: x.transpose(dim0, dim1))


swapaxes_ = swapdims_ = transpose_


def as_strided_(
    input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """`as_strided`, in place: a view of what it was. RuntimeError in grad mode for a leaf that requires grad."""
    return _reshaped(input, "as_strided_", lambda x: as_strided(x, size, stride, storage_offset))


# ---------------------------------------------------------------- Python functions


def apply_(self: Tensor, callable: Any) -> Tensor:
    """Each element becomes ``callable`` of it, a Python number. Slow; RuntimeError for Tensors that require grad."""
    return _called(self, "apply_", callable)


def map_(self: Tensor, tensor: Tensor, callable: Any) -> Tensor:
    """Each element becomes ``callable`` of it and the one of ``tensor``, which broadcasts to it.

    TypeError for a Tensor of another element type.
    """
    return _called(self, "map_", callable, tensor)


def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Any) -> Tensor:
    """Each element becomes ``callable`` of it, the one of ``x`` and the one of ``y``."""
    return _called(self, "map2_", callable, x, y)


def _called(t: Tensor, name: str, function: Any, *others: Tensor) -> Tensor:
    needs_value(f"{name}()")
    for x in (t, *others):
        if x.requires_grad:
            raise runtime_error(
                f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead."
            )
    if not callable(function):
        raise type_error(f"{name}(): the function must be callable, not {type(function).__name__}")
    shape = t._array.shape
    for x in others:
        own = x._array.shape
        if len(own) > len(shape) or any(
            n not in (1, m) for n, m in zip(own[::-1], shape[::-1], strict=False)
        ):
            raise runtime_error(f"{name}(): a Tensor of shape {list(own)} does not expand to {list(shape)}")
        if x._array.dtype != t._array.dtype:
            raise type_error(f"{name}(): expected a Tensor of {t.dtype}, got one of {x.dtype}")
    columns = [x._array.reshape(-1).tolist() for x in (t, *(x.expand(shape) for x in others))]
    values = np.array([function(*row) for row in zip(*columns, strict=True)], t._array.dtype)
    return store(t, wrap(values.reshape(shape)), name.rstrip("_"))


# ---------------------------------------------------------------- memory


def resize_(self: Tensor, *size: Sizes, memory_format: Any = None) -> Tensor:
    """Gives the Tensor another shape, also with more or fewer elements: those that lie one after another in its memory.

    Where the memory is too small, the Tensor gets new memory with what was there, and zeros behind it; others that
    share the old keep it. A Tensor of this shape stays as it is, but for a ``memory_format`` that is given.
    RuntimeError for a Tensor that requires grad, and for ``preserve_format``.
    """
    if memory_format is preserve_format:
        raise runtime_error(
            "resize_(): Unsupported memory format Preserve; leave it out, or use contiguous_format"
        )
    shape = sizes("resize_", size)
    if any(n < 0 for n in shape):
        raise runtime_error(f"resize_(): sizes are at least 0, got {list(shape)}")
    needs_value("resize_()")
    if self.requires_grad:
        raise runtime_error("cannot resize variables that require grad")
    array, count, ndim = self._array, math.prod(shape), len(shape)
    axes = channels_last(ndim) if channels_behind(memory_format, ndim) else tuple(range(ndim))
    if array.shape == shape and memory_format is None:  # in whatever order its elements lie
        return self
    memory, kind = owner(array), array.dtype
    begin = array.ctypes.data - memory.ctypes.data
    if not memory.flags.c_contiguous or begin % kind.itemsize:
        memory, begin = np.ascontiguousarray(array), 0
    held: Array = memory.reshape(-1).view(np.uint8)[begin:]
    held = held[: len(held) // kind.itemsize * kind.itemsize].view(kind)
    if count > held.size:
        larger = np.zeros(count, kind)
        larger[: held.size] = held
        held = larger
    alias = wrap(held[:count].reshape([shape[d] for d in axes]).transpose(inverse(axes)))
    alias._inference = alias._inference or self._inference
    self.data = alias
    return self


def resize_as_(self: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """`resize_` to the shape of another Tensor, and with ``preserve_format`` as that lies in memory."""
    array = the_template._array
    if memory_format is preserve_format:
        behind = channels_last_3d if array.ndim == 5 else channels_last_2d
        memory_format = behind if is_behind(array) else contiguous_format
    return resize_(self, array.shape, memory_format=memory_format)


def storage(self: Tensor) -> TypedStorage:
    """All of the memory that the Tensor shows a part of, in its element type; with PyTorch's UserWarning."""
    from minigrad.storage import TypedStorage

    warn_once(
        "TypedStorage is deprecated. UntypedStorage is to be the only class of storages: use tensor.untyped_storage() "
        "instead of tensor.storage()"
    )
    return TypedStorage(self)


def untyped_storage(self: Tensor) -> UntypedStorage:
    """All of the memory that the Tensor shows a part of, as bytes."""
    from minigrad.storage import UntypedStorage

    return UntypedStorage(self)


def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both show the same elements of the same memory in the same way."""
    a, b = self._array, tensor._array
    return bool(
        self.untyped_storage() == tensor.untyped_storage()
        and (a.shape, a.strides, self.storage_offset()) == (b.shape, b.strides, tensor.storage_offset())
    )


METHODS = """
    apply_ as_strided_ is_set_to map2_ map_ resize_ resize_as_ squeeze_ storage swapaxes_ swapdims_ t_
    transpose_ unsqueeze_ untyped_storage
"""
public(globals(), METHODS.split(), home="minigrad", cls="Tensor.")

"""Shapes, joins and parts, under PyTorch's names.

Results share the input's memory where that is possible (``view`` insists on it).  A dimension out of range
raises IndexError, a shape that does not fit RuntimeError.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, needs_value
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.names import known_as
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Sizes
from minigrad.core.views import apply_view
from minigrad.dtypes import DTypeLike
from minigrad.errors import runtime_error, type_error
from minigrad.functions.dims import one_dim, whole
from minigrad.functions.elementwise import broadcast
from minigrad.gate import public
from minigrad.kernels.order import channels_last, is_behind
from minigrad.ops import shape as s

__all__ = [
    "atleast_1d", "atleast_2d", "broadcast_tensors", "broadcast_to", "flatten", "flip",
    "fliplr", "flipud", "moveaxis", "movedim", "permute", "ravel", "reshape", "squeeze", "swapaxes",
    "swapdims", "t", "tile", "transpose", "unflatten", "unsqueeze",
]  # fmt: skip


def sizes(name: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence, as ints. TypeError for anything else."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    for n in shape:
        if n.__class__ is not int:
            return tuple([whole(f"{name}(): each size", n) for n in shape])
    return shape


def _fill_in(shape: tuple[int, ...], count: int) -> tuple[int, ...]:
    """The shape with its -1 worked out. RuntimeError if ``count`` elements do not fit."""
    known, holes = math.prod(shape), shape.count(-1)
    if not holes and known == count and (not shape or min(shape) >= 0):
        return shape
    known = math.prod(n for n in shape if n != -1)
    if holes > 1:
        raise runtime_error(f"only one dimension can be inferred; {list(shape)} has {holes} of -1")
    if any(n < -1 for n in shape):
        raise runtime_error(
            f"invalid shape dimension {min(shape)} at index {shape.index(min(shape))} of shape {list(shape)}"
        )
    if holes:
        if known == 0:
            raise runtime_error(
                f"cannot reshape tensor of {count} elements into shape {list(shape)} because the unspecified "
                "dimension size -1 can be any value and is ambiguous"
            )
        if count % known == 0:
            return tuple(count // known if n == -1 else n for n in shape)
    why = f"-1 would be {count} / {known}, no whole number" if holes else f"it takes {known} elements"
    raise runtime_error(f"shape '{list(shape)}' is invalid for input of size {count}; {why}")


def reshape(input: Tensor, *shape: Sizes) -> Tensor:
    """The same elements in another shape; one size may be -1. A view where the memory allows it."""
    target = sizes("reshape", shape)
    y = apply_view(s.reshape, input, {"shape": _fill_in(target, input._array.size)})
    return y if y._view is not None else known_as("UnsafeViewBackward0 CloneBackward0", y)


def view(self: Tensor, *size: Sizes | dtypes.dtype, dtype: DTypeLike | None = None) -> Tensor:
    """As `reshape`, but RuntimeError where that would copy.

    With an element type in place of sizes, the same memory read as that type: the last dimension then has more or
    fewer elements, and no gradient flows through it. RuntimeError where the bytes of the last dimension do not fit.
    """
    if dtype is not None or (size and isinstance(size[0], dtypes.dtype | type)):
        if len(size) > (dtype is None):
            raise type_error("view() takes sizes or a dtype, not both")
        kind: Any = size[0] if dtype is None else dtype
        return _read_as(self, dtypes.as_numpy(kind))
    target = _fill_in(sizes("view", size), self._array.size)
    a = self._array
    if not (self._rows or a.flags.c_contiguous) and a.size and not np.may_share_memory(a.reshape(target), a):
        raise runtime_error(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            f"contiguous subspaces): {list(self._array.shape)} as {list(target)}. Use .reshape(...) instead."
        )
    return apply_view(s.reshape, self, {"shape": target})


def _read_as(input: Tensor, kind: np.dtype[Any]) -> Tensor:
    """The memory of a Tensor read as another element type."""
    needs_value("view() as another element type")
    a = input._array
    if kind.itemsize != a.itemsize:
        if not a.ndim:
            raise runtime_error(
                f"self.dim() cannot be 0 to view {a.dtype} as {kind} (different element sizes)"
            )
        ratio = max(kind.itemsize // a.itemsize, 1)
        (*outer, last), start = input.stride(), input.storage_offset()
        for what, holds, value in (
            ("stride(-1) must be 1", last == 1 or a.shape[-1] < 2, last),
            (f"size(-1) must be divisible by {ratio}", not a.shape[-1] % ratio, a.shape[-1]),
            (f"storage_offset() must be divisible by {ratio}", not start % ratio, start),
            (f"stride() must be divisible by {ratio}", all(not step % ratio for step in outer), outer),
        ):
            if not holds:
                raise runtime_error(
                    f"self.{what} to view {a.dtype} as {kind} (different element sizes), but got {value}"
                )
    out = wrap(a.view(kind))
    out._inference = input._inference
    return out


def permute(input: Tensor, *dims: Sizes) -> Tensor:
    """The same elements with the dimensions in another order: a view."""
    order = sizes("permute", dims)
    ndim = input._array.ndim
    if len(order) != ndim:
        raise runtime_error(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(order)}"
        )
    axes = tuple(one_dim(d, ndim) for d in order)
    if len(set(axes)) != ndim:
        raise runtime_error("permute(): duplicate dims are not allowed.")
    return apply_view(s.permute, input, {"axes": axes})


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """The same elements with two dimensions exchanged: a view."""
    ndim = input._array.ndim
    a, b = one_dim(dim0, ndim), one_dim(dim1, ndim)
    axes = list(range(ndim))
    if ndim:
        axes[a], axes[b] = b, a
    return known_as("TransposeBackward0", apply_view(s.permute, input, {"axes": tuple(axes)}))


swapaxes = swapdims = transpose


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector or number as it is. RuntimeError beyond two dimensions."""
    ndim = input._array.ndim
    if ndim > 2:
        raise runtime_error(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return apply_view(s.permute, input, {"axes": (1, 0) if ndim == 2 else tuple(range(ndim))})


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Dimensions moved from ``source`` to ``destination``, the others keeping their order."""
    ndim = input._array.ndim
    source = [source] if isinstance(source, int) else list(source)
    destination = [destination] if isinstance(destination, int) else list(destination)
    if len(source) != len(destination):
        raise runtime_error(
            "movedim: Invalid source or destination dims: source "
            f"({source} dims) should contain the same number of dims as destination ({destination} dims)"
        )
    start = [one_dim(d, ndim) for d in source]
    end = [one_dim(d, ndim) for d in destination]
    if len(set(start)) < len(start) or len(set(end)) < len(end):
        raise runtime_error(f"movedim: repeated dim in `source` ({source}) or `destination` ({destination})")
    if not ndim:
        return apply_view(s.alias, input)
    order = [d for d in range(ndim) if d not in start]
    for to, d in sorted(zip(end, start, strict=True)):
        order.insert(to, d)
    return apply_view(s.permute, input, {"axes": tuple(order)})


moveaxis = movedim


def squeeze(input: Tensor, dim: Sizes | None = None) -> Tensor:
    """The same elements without the dimensions of size 1, or without those among ``dim``.

    RuntimeError if ``dim`` names a dimension twice.
    """
    shape = input._array.shape
    if dim is None:
        return _squeezed(0, input, tuple(n for n in shape if n != 1))
    if dim.__class__ is int and shape:
        d = one_dim(dim, len(shape))
        return _squeezed(1, input, shape[:d] + shape[d + 1 :] if shape[d] == 1 else shape)
    several = isinstance(dim, (tuple, list))
    named = [one_dim(d, len(shape)) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))]
    for d in named:
        if named.count(d) > 1:
            raise runtime_error(f"dim {d} appears multiple times in the list of dims")
    kept = tuple(n for d, n in enumerate(shape) if d not in named or n != 1)
    return _squeezed(2 if several else 1, input, kept)


def _squeezed(form: int, input: Tensor, shape: tuple[int, ...]) -> Tensor:
    return known_as(f"SqueezeBackward{form}", apply_view(s.reshape, input, {"shape": shape}))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """The same elements with a new dimension of size 1 at ``dim``."""
    shape = input._array.shape
    d = one_dim(dim, len(shape) + 1)
    added = apply_view(s.reshape, input, {"shape": (*shape[:d], 1, *shape[d:])})
    return known_as("UnsqueezeBackward0", added)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dimensions from ``start_dim`` through ``end_dim`` as one."""
    shape = input._array.shape
    first, last = one_dim(start_dim, len(shape)), one_dim(end_dim, len(shape))
    if first > last:
        raise runtime_error("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return apply_view(s.reshape, input, {"shape": (1,)})
    if first == last:
        return input
    merged = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    return apply_view(s.reshape, input, {"shape": merged})


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension ``dim`` split into ``sizes``, one of which may be -1."""
    shape = input._array.shape
    d = one_dim(dim, len(shape))
    if not len(sizes):
        raise runtime_error("unflatten: sizes must be non-empty")
    try:
        parts = _fill_in(tuple(sizes), shape[d])
    except RuntimeError as error:
        raise runtime_error(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {d} ({shape[d]}) "
            "in the input tensor"
        ) from error
    return apply_view(s.reshape, input, {"shape": (*shape[:d], *parts, *shape[d + 1 :])})


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    return reshape(contiguous(input), -1) if input._array.size else reshape(input, 0)


def expand(self: Tensor, *size: Sizes) -> Tensor:
    """Dimensions of size 1 repeated to a larger size without copying; -1 keeps a size."""
    target = sizes("expand", size)
    have = self._array.shape
    lead = len(target) - len(have)
    if lead < 0:
        raise runtime_error(
            f"expand({self.dtype}{list(have)}, size={list(target)}): the number of sizes provided ({len(target)}) "
            f"must be greater or equal to the number of dimensions in the tensor ({len(have)})"
        )
    full = []
    for d, n in enumerate(target):
        old = have[d - lead] if d >= lead else None
        if n == -1 and old is None:
            raise runtime_error(f"expand: -1 is not allowed in a leading, non-existing dimension {d}")
        if n < -1:
            raise runtime_error(f"expand: sizes must not be negative, got {list(target)}")
        if old is not None and n != -1 and old not in (1, n):
            raise runtime_error(
                f"The expanded size of the tensor ({n}) must match the existing size ({old}) at "
                f"non-singleton dimension {d}.  Target sizes: {list(target)}.  Tensor sizes: {list(have)}"
            )
        full.append(old if n == -1 else n)
    return apply_view(s.expand, self, {"shape": tuple(full)})


def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Expanded to the shape of ``other``."""
    return expand(self, other._array.shape)


def view_as(self: Tensor, other: Tensor) -> Tensor:
    """Viewed in the shape of ``other``."""
    return view(self, other._array.shape)


def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """Reshaped to the shape of ``other``."""
    return reshape(self, other._array.shape)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Every Tensor expanded to the shape that all broadcast to. TypeError for anything but a Tensor."""
    shape = broadcast("broadcast_tensors", *(t._array.shape for t in tensors))
    return tuple(t if t._array.shape == shape else expand(t, shape) for t in tensors)


def flip(input: Tensor, *dims: Sizes) -> Tensor:
    """The order along ``dims`` reversed, in new memory."""
    named = sizes("flip", dims)
    axes = tuple(one_dim(d, input._array.ndim) for d in named)
    if len(set(axes)) < len(axes):
        raise runtime_error(f"dim {axes[0]} appears multiple times in the list of dims")
    return apply(s.flip, (input,), {"dims": axes if input._array.ndim else ()})


def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order. RuntimeError under two dimensions."""
    if input._array.ndim < 2:
        raise runtime_error("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order. RuntimeError for a 0-d Tensor."""
    if input._array.ndim < 1:
        raise runtime_error("Input must be >= 1-d.")
    return flip(input, 0)


def repeat(self: Tensor, *repeats: Sizes) -> Tensor:
    """The Tensor repeated so many times along each dimension; further counts add dimensions in front."""
    times = sizes("repeat", repeats)
    shape = self._array.shape
    if len(times) < len(shape):
        raise runtime_error(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: "
            f"{list(times)} for a tensor of shape {list(shape)}"
        )
    if min(times, default=0) < 0:
        raise runtime_error(f"Trying to create tensor with negative dimension {min(times)}: {list(times)}")
    shape = (1,) * (len(times) - len(shape)) + shape
    apart = tuple([k for n in shape for k in (1, n)])
    spread = tuple([k for r, n in zip(times, shape, strict=True) for k in (r, n)])
    y = apply_view(s.expand, apply_view(s.reshape, self, {"shape": apart}), {"shape": spread})
    y = apply_view(s.reshape, y, {"shape": tuple([r * n for r, n in zip(times, shape, strict=True)])})
    return y if y._view is None else apply(s.contiguous, (y,))


def tile(input: Tensor, *dims: Sizes) -> Tensor:
    """As `repeat`, with missing leading counts taken as 1."""
    times = sizes("tile", dims)
    return repeat(input, (1,) * (input._array.ndim - len(times)) + times)


def contiguous(self: Tensor, *, memory_format: Any = None) -> Tensor:
    """Itself if its memory is in row order, or in that of the format, else a copy.

    RuntimeError for ``preserve_format``, and for a format of another number of dimensions.
    """
    if memory_format is not None:
        from minigrad.formats import channels_behind, preserve_format

        if memory_format is preserve_format:
            raise runtime_error("preserve memory format is unsupported by the contiguous operator")
        if channels_behind(memory_format, self._array.ndim):
            axes = channels_last(self._array.ndim)
            if self._array.transpose(axes).flags.c_contiguous:
                return self
            return apply(s.in_memory, (self,), {"axes": axes})
    return self if self._array.flags.c_contiguous else apply(s.contiguous, (self,))


def laid_like(y: Tensor, input: Tensor) -> Tensor:
    """The result; if the input has its channels last in memory and the result does not, a copy that does."""
    if not is_behind(input._array) or is_behind(y._array):
        return y
    return apply(s.in_memory, (y,), {"axes": channels_last(y._array.ndim)})


def detach(input: Tensor) -> Tensor:
    """A Tensor over the same memory, without history: no gradient flows through it."""
    mode = MODE.get()
    if mode.recorder is None:
        alias = wrap(input._array)
        if alias._inference or input._inference:  # the memory decides
            alias._inference = input._inference
        return alias
    # in a recording it needs a record of whose memory it shows
    with ModeManager(mode.recording(False)):
        t = apply_view(s.alias, input)
    if t._view is not None:
        t._view = t._view._replace(outside="detach()")
    return t


@overload
def atleast_1d(tensor: Tensor, /) -> Tensor: ...


@overload
def atleast_1d(tensors: Sequence[Tensor], /) -> tuple[Tensor, ...]: ...


@overload
def atleast_1d(tensor: Tensor, other: Tensor, /, *more: Tensor) -> tuple[Tensor, ...]: ...


def atleast_1d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """With at least one dimension."""
    return _each(lambda x: x if x._array.ndim else reshape(x, 1), tensors)


@overload
def atleast_2d(tensor: Tensor, /) -> Tensor: ...


@overload
def atleast_2d(tensors: Sequence[Tensor], /) -> tuple[Tensor, ...]: ...


@overload
def atleast_2d(tensor: Tensor, other: Tensor, /, *more: Tensor) -> tuple[Tensor, ...]: ...


def atleast_2d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """With at least two dimensions, new ones in front."""
    return _each(
        lambda x: x if x._array.ndim > 1 else unsqueeze(x, 0) if x._array.ndim else reshape(x, 1, 1), tensors
    )


def _each(change: Callable[[Any], Tensor], tensors: tuple[Any, ...]) -> Tensor | tuple[Tensor, ...]:
    if len(tensors) == 1 and isinstance(tensors[0], Tensor):
        return change(tensors[0])
    many = tensors[0] if len(tensors) == 1 else tensors
    return tuple(change(x) for x in many)


# Methods only.
_ALONE = ("contiguous", "detach", "expand", "expand_as", "repeat", "reshape_as", "view", "view_as")
METHODS = """
    broadcast_to contiguous detach expand expand_as flatten flip fliplr flipud moveaxis movedim
    permute ravel repeat reshape reshape_as squeeze swapaxes swapdims t tile transpose unflatten unsqueeze
    view view_as
"""
public(globals(), _ALONE, home="minigrad", cls="Tensor.")
broadcast_to = expand
public(globals(), __all__, home="minigrad")

"""Shapes, joins and parts, under PyTorch's names.

Results share the input's memory where that is possible (``view`` insists on it).  A dimension out of range
raises IndexError, a shape that does not fit RuntimeError.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

from minigrad.core.apply import apply
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Sizes
from minigrad.errors import index_error, runtime_error, value_error
from minigrad.functions.dims import one_dim, whole
from minigrad.functions.elementwise import broadcast
from minigrad.gate import public
from minigrad.ops import shape as s

__all__ = [
    "atleast_1d", "atleast_2d", "broadcast_tensors", "broadcast_to", "cat", "chunk", "clone", "concat",
    "concatenate", "flatten", "flip", "fliplr", "flipud", "hstack", "moveaxis", "movedim", "narrow",
    "permute", "ravel", "reshape", "row_stack", "select", "split", "squeeze", "stack", "swapaxes",
    "swapdims", "t", "tensor_split", "tile", "transpose", "unbind", "unflatten", "unsqueeze", "vstack",
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
    known = math.prod(n for n in shape if n != -1)
    holes = shape.count(-1)
    if holes > 1:
        raise runtime_error("only one dimension can be inferred")
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
    elif known == count:
        return shape
    raise runtime_error(f"shape '{list(shape)}' is invalid for input of size {count}")


def reshape(input: Tensor, *shape: Sizes) -> Tensor:
    """The same elements in another shape; one size may be -1. A view where the memory allows it."""
    wanted = sizes("reshape", shape)
    return apply(s.reshape, (input,), {"shape": _fill_in(wanted, input._array.size)})


def view(input: Tensor, *size: Sizes) -> Tensor:
    """As `reshape`, but RuntimeError where that would copy."""
    wanted = _fill_in(sizes("view", size), input._array.size)
    if input._array.size and not np.may_share_memory(np.reshape(input._array, wanted), input._array):
        raise runtime_error(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans "
            "across "
            f"two contiguous subspaces): {list(input._array.shape)} as {list(wanted)}. Use .reshape(...) "
            "instead."
        )
    return apply(s.reshape, (input,), {"shape": wanted})


def permute(input: Tensor, *dims: Sizes) -> Tensor:
    """The dimensions in another order."""
    wanted = sizes("permute", dims)
    ndim = input._array.ndim
    if len(wanted) != ndim:
        raise runtime_error(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the "
            "desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(wanted)}"
        )
    axes = tuple(one_dim(d, ndim) for d in wanted)
    if len(set(axes)) != ndim:
        raise runtime_error("permute(): duplicate dims are not allowed.")
    return apply(s.permute, (input,), {"axes": axes})


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    ndim = input._array.ndim
    a, b = one_dim(dim0, ndim), one_dim(dim1, ndim)
    axes = list(range(ndim))
    if ndim:
        axes[a], axes[b] = b, a
    return apply(s.permute, (input,), {"axes": tuple(axes)})


swapaxes = swapdims = transpose


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector or number as it is. RuntimeError beyond two dimensions."""
    ndim = input._array.ndim
    if ndim > 2:
        raise runtime_error(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return apply(s.permute, (input,), {"axes": tuple(range(ndim))[::-1]})


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
        return apply(s.alias, (input,))
    order = [d for d in range(ndim) if d not in start]
    for to, d in sorted(zip(end, start, strict=True)):
        order.insert(to, d)
    return apply(s.permute, (input,), {"axes": tuple(order)})


moveaxis = movedim


def squeeze(input: Tensor, dim: Sizes | None = None) -> Tensor:
    """Without the dimensions of size 1, or those among ``dim``. RuntimeError for a dimension named twice."""
    shape = input._array.shape
    if dim is None:
        return apply(s.reshape, (input,), {"shape": tuple(n for n in shape if n != 1)})
    named = [one_dim(d, len(shape)) for d in (dim if isinstance(dim, (tuple, list)) else (dim,))]
    for d in named:
        if named.count(d) > 1:
            raise runtime_error(f"dim {d} appears multiple times in the list of dims")
    kept = tuple(n for d, n in enumerate(shape) if d not in named or n != 1)
    return apply(s.reshape, (input,), {"shape": kept})


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at ``dim``."""
    shape = input._array.shape
    d = one_dim(dim, len(shape) + 1)
    return apply(s.reshape, (input,), {"shape": (*shape[:d], 1, *shape[d:])})


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dimensions from ``start_dim`` through ``end_dim`` as one."""
    shape = input._array.shape
    first, last = one_dim(start_dim, len(shape)), one_dim(end_dim, len(shape))
    if first > last:
        raise runtime_error("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return apply(s.reshape, (input,), {"shape": (1,)})
    if first == last:
        return input
    merged = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    return apply(s.reshape, (input,), {"shape": merged})


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
    return apply(s.reshape, (input,), {"shape": (*shape[:d], *parts, *shape[d + 1 :])})


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    return reshape(contiguous(input), -1) if input._array.size else reshape(input, 0)


def expand(input: Tensor, *size: Sizes) -> Tensor:
    """Dimensions of size 1 repeated to a larger size without copying; -1 keeps a size."""
    wanted = sizes("expand", size)
    have = input._array.shape
    lead = len(wanted) - len(have)
    if lead < 0:
        raise runtime_error(
            f"expand({input.dtype}{list(have)}, size={list(wanted)}): the number of sizes provided "
            f"({len(wanted)}) "
            f"must be greater or equal to the number of dimensions in the tensor ({len(have)})"
        )
    full = []
    for d, n in enumerate(wanted):
        old = have[d - lead] if d >= lead else None
        if n == -1 and old is None:
            raise runtime_error(f"expand: -1 is not allowed in a leading, non-existing dimension {d}")
        if n < -1:
            raise runtime_error(f"expand: sizes must not be negative, got {list(wanted)}")
        if old is not None and n != -1 and old not in (1, n):
            raise runtime_error(
                f"The expanded size of the tensor ({n}) must match the existing size ({old}) at "
                "non-singleton "
                f"dimension {d}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(have)}"
            )
        full.append(old if n == -1 else n)
    return apply(s.expand, (input,), {"shape": tuple(full)})


broadcast_to = expand


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expanded to the shape of ``other``."""
    return expand(input, other._array.shape)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """Viewed in the shape of ``other``."""
    return view(input, other._array.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Reshaped to the shape of ``other``."""
    return reshape(input, other._array.shape)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Every Tensor expanded to the shape that all broadcast to. TypeError for what is no Tensor."""
    shape = broadcast("broadcast_tensors", *(t._array.shape for t in tensors))
    return tuple(t if t._array.shape == shape else expand(t, shape) for t in tensors)


def flip(input: Tensor, *dims: Sizes) -> Tensor:
    """The order along ``dims`` reversed, in new memory."""
    wanted = sizes("flip", dims)
    axes = tuple(one_dim(d, input._array.ndim) for d in wanted)
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


def _list(name: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' must be tuple of Tensors, not {type(tensors).__name__}"
        )
    for i, x in enumerate(tensors):
        if not isinstance(x, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
    if not tensors:
        kind = value_error if name == "cat" else runtime_error  # PyTorch's kinds
        raise kind(f"{name} expects a non-empty list of Tensors")
    return list(tensors)


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors joined along ``dim``; all other sizes must be equal. Empty vectors are passed over."""
    xs = _list("cat", tensors)
    for i, x in enumerate(xs):
        if x._array.ndim == 0:
            raise runtime_error(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    shape = next((x._array.shape for x in xs if x._array.shape != (0,)), (0,))
    d = one_dim(dim, len(shape))
    for i, x in enumerate(xs):
        other = x._array.shape
        if other == (0,):  # an empty vector counts for nothing
            continue
        if len(other) != len(shape):
            raise runtime_error(
                f"Tensors must have same number of dimensions: got {len(shape)} and {len(other)}"
            )
        for k, (a, b) in enumerate(zip(shape, other, strict=True)):
            if k != d and a != b:
                raise runtime_error(
                    f"Sizes of tensors must match except in dimension {d}. Expected size {a} but got size "
                    f"{b} "
                    f"for tensor number {i} in the list."
                )
    return apply(s.cat, xs, {"dim": d})


concat = concatenate = cat


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape joined along a new dimension."""
    xs = _list("stack", tensors)
    shape = xs[0]._array.shape
    for i, x in enumerate(xs):
        if x._array.shape != shape:
            raise runtime_error(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(x._array.shape)} at entry {i}"
            )
    return apply(s.stack, xs, {"dim": one_dim(dim, len(shape) + 1)})


def _part(input: Tensor, d: int, where: builtins.slice | int) -> Tensor:
    return apply(s.slice_, (input,), {"index": (*(builtins.slice(None),) * d, where)})


def _split_dim(name: str, input: Tensor, dim: int) -> int:
    if input._array.ndim == 0:
        raise runtime_error(f"{name} expects at least a 1-dimensional tensor")
    return one_dim(dim, input._array.ndim)


def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of one size (the last may be smaller), or of the sizes listed, along ``dim``; all are views."""
    d = _split_dim("split", tensor, dim)
    total = tensor._array.shape[d]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size < 0:
            raise runtime_error(f"split expects split_size be non-negative, but got split_size={size}")
        if size == 0:
            if total:
                raise runtime_error(
                    f"split_size can only be 0 if dimension size is 0, but got dimension size of {total}"
                )
            return (_part(tensor, d, builtins.slice(0, 0)),)
        starts = range(0, max(total, 1), size)
        return tuple(_part(tensor, d, builtins.slice(k, min(k + size, total))) for k in starts)
    parts = list(split_size_or_sections)
    if any(n < 0 for n in parts) or sum(parts) != total:
        raise runtime_error(
            f"split_with_sizes expects split_sizes to sum exactly to {total} (input tensor's size at "
            f"dimension {d}), "
            f"but got split_sizes={parts}"
        )
    found = []
    start = 0
    for n in parts:
        found.append(_part(tensor, d, builtins.slice(start, start + n)))
        start += n
    return tuple(found)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` parts of equal size along ``dim``, the last perhaps smaller; all are views."""
    d = _split_dim("chunk", input, dim)
    if chunks <= 0:
        raise runtime_error(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    total = input._array.shape[d]
    if total == 0:
        return tuple(_part(input, d, builtins.slice(0, 0)) for _ in range(chunks))
    return split(input, -(-total // chunks), d)


def tensor_split(
    input: Tensor, indices_or_sections: int | Tensor | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Parts between the indices listed, or a number of parts whose sizes differ by at most 1."""
    d = _split_dim("tensor_split", input, dim)
    total = input._array.shape[d]
    if hasattr(indices_or_sections, "__index__") and not isinstance(indices_or_sections, Tensor):
        n = whole("tensor_split(): argument 'indices_or_sections'", indices_or_sections)
        if n <= 0:
            raise runtime_error(f"number of sections must be larger than 0, got {n}")
        if n >= 2**63:
            raise value_error(f"tensor_split(): {n} does not fit into 64 bits")
        sizes_ = [total // n + (k < total % n) for k in range(n)]
        return split(input, sizes_, d)
    if isinstance(indices_or_sections, Tensor):
        found = indices_or_sections._array
        if found.dtype != np.int64 or found.ndim > 1:
            raise runtime_error(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or "
                "one-dimensional int64 "
                f"tensor, got {found.ndim} dimensions of {found.dtype}"
            )
        if found.ndim == 0:
            return tensor_split(input, int(found), d)
        indices_or_sections = tuple(found.tolist())
    cuts = [whole("tensor_split(): each index", k) for k in indices_or_sections]
    return tuple(
        _part(input, d, builtins.slice(a, b)) for a, b in zip([0, *cuts], [*cuts, total], strict=True)
    )


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along ``dim``, without that dimension; all are views."""
    if input._array.ndim == 0:
        raise index_error("Dimension specified as 0 but tensor has no dimensions")
    d = one_dim(dim, input._array.ndim)
    return tuple(_part(input, d, i) for i in range(input._array.shape[d]))


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at ``index`` along ``dim``, without that dimension. IndexError out of range."""
    if input._array.ndim == 0:
        raise index_error("select() cannot be applied to a 0-dim tensor.")
    d = one_dim(dim, input._array.ndim)
    size = input._array.shape[d]
    if not -size <= index < size:
        raise index_error(
            f"select(): index {index} out of range for tensor of size {list(input._array.shape)} at "
            f"dimension {d}"
        )
    return _part(input, d, int(index))


def narrow(input: Tensor, dim: int, start: Tensor | int, length: int) -> Tensor:
    """``length`` elements from ``start`` along ``dim``."""
    if input._array.ndim == 0:
        raise runtime_error("narrow() cannot be applied to a 0-dim tensor.")
    d = one_dim(dim, input._array.ndim)
    size = input._array.shape[d]
    if isinstance(start, Tensor) and (start._array.ndim or start._array.dtype.kind not in "iu"):
        raise runtime_error("start must be an 0-dim integral Tensor.")
    first = whole("narrow(): argument 'start'", start)
    if length < 0:
        raise runtime_error("narrow(): length must be non-negative.")
    if not -size <= first <= size:
        raise index_error(
            f"Dimension out of range (expected to be in range of [{-size}, {size}], but got {first})"
        )
    first = first + size if first < 0 else first
    if first + length > size:
        raise runtime_error(f"start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return _part(input, d, builtins.slice(first, first + length))


def repeat(input: Tensor, *repeats: Sizes) -> Tensor:
    """The whole repeated so many times along each dimension; further sizes add dimensions in front."""
    times = sizes("repeat", repeats)
    shape = input._array.shape
    if len(times) < len(shape):
        raise runtime_error(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    if any(n < 0 for n in times):
        raise runtime_error(f"Trying to create tensor with negative dimension {min(times)}: {list(times)}")
    shape = (1,) * (len(times) - len(shape)) + shape
    apart = tuple(k for n in shape for k in (1, n))
    spread = tuple(k for r, n in zip(times, shape, strict=True) for k in (r, n))
    y = reshape(
        expand(reshape(input, apart), spread), tuple(r * n for r, n in zip(times, shape, strict=True))
    )
    return y if y._view is None else apply(s.contiguous, (y,))


def tile(input: Tensor, *dims: Sizes) -> Tensor:
    """As `repeat`, with missing leading counts taken as 1."""
    times = sizes("tile", dims)
    return repeat(input, (1,) * (input._array.ndim - len(times)) + times)


def clone(input: Tensor) -> Tensor:
    """A copy in memory of its own, with the gradient passing through."""
    return apply(s.clone, (input,))


def contiguous(input: Tensor) -> Tensor:
    """Itself if its memory is in row order, else a copy."""
    return input if input._array.flags.c_contiguous else apply(s.contiguous, (input,))


def detach(input: Tensor) -> Tensor:
    """The same memory without history."""
    mode = MODE.get()
    if mode.recorder is None:
        found = wrap(input._array)
        if found._inference or input._inference:  # the memory decides
            found._inference = input._inference
        return found
    # in a recording it needs a record of whose memory it shows
    with ModeManager(mode.recording(False)):
        t = apply(s.alias, (input,))
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
    return _each(lambda x: x if x._array.ndim > 1 else reshape(x, 1, -1), tensors)


def _each(change: Callable[[Any], Tensor], tensors: tuple[Any, ...]) -> Tensor | tuple[Tensor, ...]:
    if len(tensors) == 1 and isinstance(tensors[0], Tensor):
        return change(tensors[0])
    many = tensors[0] if len(tensors) == 1 else tensors
    return tuple(change(x) for x in many)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along columns (vectors: along their only dimension)."""
    xs = list(atleast_1d(_list("hstack", tensors)))
    return cat(xs, 0 if xs[0]._array.ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along rows; vectors are rows."""
    return cat(list(atleast_2d(_list("vstack", tensors))), 0)


row_stack = vstack


# Methods only; by name they are found here when they are pickled.
_ALONE = ("contiguous", "detach", "expand", "expand_as", "repeat", "reshape_as", "view", "view_as")
# The functions that are methods too; a name that ends with an underscore changes its Tensor in place.
METHODS = """
    broadcast_to chunk clone contiguous detach expand expand_as flatten flip fliplr flipud moveaxis
    movedim narrow permute ravel repeat reshape reshape_as select split squeeze swapaxes swapdims t
    tensor_split tile transpose unbind unflatten unsqueeze view view_as
"""
public(globals(), (*__all__, *_ALONE))

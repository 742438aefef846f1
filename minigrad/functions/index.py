"""Reading and writing by index, as PyTorch does it: first the basic part (a view), then the arrays."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, cast, fails_by_values, wrap_operand
from minigrad.core.mode import MODE
from minigrad.core.orders import as_picked
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Index
from minigrad.core.views import apply_view
from minigrad.errors import index_error, runtime_error, type_error, value_error, warn
from minigrad.functions.dims import one_dim
from minigrad.functions.elementwise import broadcast, own, where
from minigrad.functions.ensured import everywhere
from minigrad.gate import public
from minigrad.gate.overriding import foreign, overrides
from minigrad.kernels.scatter import all_below
from minigrad.ops import elementwise as e
from minigrad.ops import index as ops
from minigrad.ops import shape

__all__ = [
    "gather", "index_put", "index_select", "masked_select", "take", "take_along_dim",
]  # fmt: skip


def getitem(input: Tensor, key: Index) -> Tensor:
    """``input[key]`` for integers, slices, None, ``...``, masks, arrays and lists of integers.

    Integers, slices, None and ``...`` give a view; masks and arrays a copy, through which the gradients of
    repeated elements add up.  IndexError where an index is out of range or there are too many.
    """
    if key is Ellipsis or (key.__class__ is tuple and not key):
        return apply_view(shape.alias, input)
    try:
        basic, indices, pattern = split_key(key, input._array.shape)
    except IndexError:
        if foreign((key,)):
            return input[key]
        raise
    part = input if basic is None else apply_view(shape.slice_, input, {"index": basic})
    if not indices:
        return part if basic is not None else apply_view(shape.alias, input)
    recorder = MODE.get().recorder
    if recorder is not None and any(not t._array.ndim for t in indices):
        # Eager mode takes the numbers for integers, each of which picks before the others.
        source, places = part, [d for d, here in enumerate(pattern) if here]
        for d, t in reversed([*zip(places, indices, strict=True)]):
            if not t._array.ndim and len(indices) > 1 and t._array.dtype != bool:
                part = apply(ops.index, (part, t), {"pattern": (False,) * d + (True,)})
                pattern = pattern[:d] + pattern[d + 1 :]
        while pattern and not pattern[-1]:
            pattern = pattern[:-1]
        rest = [t for t in indices if t._array.ndim or t._array.dtype == bool or len(indices) == 1]
        picked = apply(ops.index, (part, *rest), {"pattern": pattern}) if rest else part
        recorder.picked(source, picked)
        return picked
    picked = apply(ops.index, (part, *indices), {"pattern": pattern})
    rows = part._rows
    for t in indices:
        rows = rows and t._rows
    if rows:
        return picked
    return as_picked(picked, part.stride(), [t._array for t in indices], pattern)


def split_key(key: Any, size: tuple[int, ...]) -> tuple[Any, list[Tensor], tuple[bool, ...]]:
    """The basic part of a key (None if it changes nothing), its index Tensors, and where these stand."""
    kind = key.__class__
    if kind is int:
        _check_integer(key, 0, size)
        return (key,), [], ()
    if kind is slice and size:
        return (_whole_slice(key),), [], ()
    if kind is Tensor and size and not key._array.ndim:
        if (number := _number(key)) is not key:
            _check_integer(number, 0, size)
            return (number,), [], ()
    elif kind is Tensor and size:
        dtype = key._array.dtype
        if dtype is dtypes.I64 or (dtype is dtypes.BOOL and key._array.ndim <= len(size)):
            _check_array(key, 0, size)
            return None, [key], (True,)
    if kind is tuple or key is None:
        basic = _usual(key if kind is tuple else (None,), size)
        if basic is not None:
            return basic, [], ()
        if kind is tuple and len(key) <= len(size) and all(map(_is_array, key)):
            for d, k in enumerate(key):
                _check_array(k, d, size)
            return None, list(key), (True,) * len(key)
    key = _listed(key)
    items = list(key) if kind is tuple or isinstance(key, tuple) or _is_several(key) else [key]
    items = [_item(k) for k in items]
    used = sum([_width(k) for k in items])
    if used > len(size):
        if not size and kind is slice:
            raise index_error("slice() cannot be applied to a 0-dim tensor.")
        raise index_error(
            f"too many indices for tensor of dimension {len(size)}: [{_show(key)}] has {used}, the shape {list(size)}"
        )
    dots = [i for i, k in enumerate(items) if k is Ellipsis]
    if len(dots) > 1:
        raise index_error("an index can only have a single ellipsis ('...')")
    at = dots[0] if dots else len(items)
    items[at : at + 1] = [slice(None)] * (len(size) - used)
    parts: list[Any] = []
    indices: list[Tensor] = []
    pattern: list[bool] = []
    d = 0  # the dimension of the input that the next item takes
    plain = True
    for k in items:
        if k is None:
            parts.append(None)
            pattern.append(False)
        elif isinstance(k, bool):
            parts.append(None)
            pattern.append(True)
            indices.append(wrap(np.asarray([k])))
        elif isinstance(k, int):
            _check_integer(k, d, size)
            parts.append(k)
            d += 1
        elif isinstance(k, slice):
            parts.append(k)
            pattern.append(False)
            d += 1
        else:
            width = _width(k)
            _check_array(k, d, size)
            parts.extend([slice(None)] * width)
            pattern.append(True)
            indices.append(k)
            d += width
            continue
        plain = plain and isinstance(k, slice) and k == slice(None)
    while pattern and not pattern[-1]:
        pattern.pop()
    return (None if plain and indices else tuple(parts)), indices, tuple(pattern)


def _usual(key: tuple[Any, ...], size: tuple[int, ...]) -> tuple[Any, ...] | None:
    """The basic part of a key of which all items are usual but for those that add a dimension."""
    left = len(size) - len(key)
    if left < 0 or not all(map(_is_usual, key, size)):
        if Tensor in map(type, key):  # loops over indices in a Tensor have numbers of one element
            key = tuple(map(_number, key))
        if key[0].__class__ is Tensor:
            return None
        dots = [i for i, k in enumerate(key) if k is Ellipsis]
        if dots:
            ahead, behind = key[: dots[0]], key[dots[0] + 1 :]
            used = len([k for k in ahead + behind if k is not None])
            key = ahead + (slice(None),) * (len(size) - used) + behind
        rest = [k for k in key if k is not None]
        left = len(size) - len(rest)
        if left < 0 or not all(map(_is_usual, rest, size)):
            return None
    return key + (slice(None),) * left


def _number(k: Any) -> Any:
    """A Tensor of one integer as this, where nothing records; all else as it is."""
    one = k.__class__ is Tensor and not k._array.ndim and k._array.dtype.kind == "i" and k._node is None
    return int(k._array) if one and MODE.get().recorder is None else k


def _is_usual(k: Any, size: int) -> bool:
    """Whether an item is an integer in range, or a slice of such bounds as Python has them and without steps."""
    if k.__class__ is int:
        return -size <= k < size
    return (
        k.__class__ is slice
        and k.step is None
        and k.start.__class__ in _BOUNDS
        and k.stop.__class__ in _BOUNDS
    )


_BOUNDS = (int, type(None))


def _is_array(k: Any) -> bool:
    """Whether an item is a Tensor of integers of 64 bits, with dimensions."""
    return k.__class__ is Tensor and k._array.dtype is dtypes.I64 and k._array.ndim > 0


def _is_several(key: Any) -> bool:
    """Whether a list stands for a tuple of indices: it is short, and an element of it is not a number."""
    if not isinstance(key, list) or len(key) >= 32:
        return False
    several = any(
        not isinstance(k, (int, np.generic))
        and (
            k is None
            or k is Ellipsis
            or isinstance(_listed(k), (Tensor, np.ndarray, list, tuple, range, slice))
        )
        for k in key
    )
    if several:
        warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated: x[[a, b]] is read as x[a, b]; "
            "write x[tuple(seq)], or x[torch.tensor(seq)] for an array of indices"
        )
    return several


def _listed(k: Any) -> Any:
    """A list of what an object with a length and items has, such as a `Subset` of indices; all else as it is."""
    if isinstance(k, _UNLISTED):
        return k
    kind = type(k)
    if not (hasattr(kind, "__getitem__") and hasattr(kind, "__len__")) or overrides(k):
        return k
    try:
        count = len(k)
    except TypeError:  # an array of another library without dimensions
        return k
    return [k[i] for i in range(count)]


_UNLISTED = (np.generic, Tensor, np.ndarray, list, tuple, range, str, bytes, dict, MappingProxyType)


def _item(k: Any) -> Any:
    """One element of a key in its simplest form."""
    if k.__class__ is slice:
        return _whole_slice(k)
    if k is None or k is Ellipsis or isinstance(k, (bool, int)):
        return k
    if isinstance(k, np.bool_):
        return bool(k)
    if isinstance(k, np.integer):
        return int(k)
    if isinstance(k, Tensor):
        t: Any = k
    elif isinstance(k, np.ndarray):
        t = wrap_operand(_places(k))
    elif isinstance(k, (list, tuple, range)):
        array = np.asarray([x._array if isinstance(x, Tensor) else x for x in k])
        if array.dtype.kind == "f" and not any(isinstance(x, Tensor) for x in k):
            array = _places(array)
        t = wrap(array.astype(np.int64, copy=False) if not array.size or array.dtype == np.intp else array)
    elif (listed := _listed(k)) is not k:
        return _item(listed)
    elif hasattr(k, "__index__"):
        return int(k.__index__())
    else:
        refused = type_error if isinstance(k, (str, bytes)) else index_error
        raise refused(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
            f"indices (got {type(k).__name__})"
        )
    if t._array.dtype.char == "B":
        warn("indexing with dtype uint8 is now deprecated, please use a dtype bool instead")
        t = cast(t, dtypes.BOOL)
    if t._array.ndim == 0 and t._array.dtype.kind == "i":
        t = cast(t, dtypes.I64)
    elif t._array.dtype not in (dtypes.I64, dtypes.BOOL, np.int32):
        raise index_error(
            f"tensors used as indices must be long, int, byte or bool tensors, got {t._array.dtype}; use .long()"
        )
    return _number(t)


def _places(array: Any) -> Any:
    """Indices in a list or an array of NumPy's. As in PyTorch, floats lose their fractions there."""
    if array.dtype.kind != "f":
        return array
    if not (np.abs(array) < 2.0**63).all():
        raise runtime_error(f"an index cannot be converted to int64 without overflow: {array.tolist()}")
    return array.astype(np.int64)


def _whole_slice(k: slice) -> slice:
    if k.step is None and k.start.__class__ in _BOUNDS and k.stop.__class__ in _BOUNDS:
        return k
    parts = []
    for bound in (k.start, k.stop, k.step):
        x = bound.item() if hasattr(bound, "item") else bound
        if x is not None and not hasattr(x, "__index__"):
            raise type_error(f"slice indices must be integers or None or have an __index__ method, got {x!r}")
        parts.append(None if x is None else x.__index__())
    if parts[2] is not None and parts[2] <= 0:
        raise value_error("step must be greater than zero; use flip() to reverse")
    return slice(*parts)


def _width(k: object) -> int:
    """How many dimensions of the input an item takes."""
    if k.__class__ is slice or k.__class__ is int:
        return 1
    if k is None or k is Ellipsis or isinstance(k, bool):
        return 0
    if isinstance(k, Tensor) and k._array.dtype == bool:
        return k._array.ndim
    return 1


def _check_integer(k: int, d: int, size: tuple[int, ...]) -> None:
    if d >= len(size):
        if not size:
            raise index_error(
                "invalid index of a 0-dim tensor. Use `tensor.item()` to convert a 0-dim tensor to a number"
            )
        raise index_error(f"too many indices for tensor of dimension {len(size)}")
    if not -size[d] <= k < size[d]:
        raise index_error(f"index {k} is out of bounds for dimension {d} with size {size[d]}")


def _check_array(k: Tensor, d: int, size: tuple[int, ...]) -> None:
    array = k._array
    if array.dtype == bool:
        want = size[d : d + array.ndim]
        if array.shape != want:
            raise index_error(
                f"The shape of the mask {list(array.shape)} at index 0 does not match the shape of the "
                f"indexed tensor {list(size)} at index {d}"
            )
    elif not all_below(array, size[d]):
        low, high = array.min(), array.max()
        if low < -size[d] or high >= size[d]:
            wrong = low if low < -size[d] else high
            fails_by_values("an index")
            raise index_error(f"index {wrong} is out of bounds for dimension {d} with size {size[d]}")


def _show(key: object) -> str:
    items = key if isinstance(key, tuple) else (key,)
    return ", ".join(map(_show_item, items))


def _show_item(k: object) -> str:
    if isinstance(k, slice):
        ends = [k.start, k.stop] if k.step is None else [k.start, k.stop, k.step]
        return ":".join("" if n is None else str(n) for n in ends)
    return f"Tensor{list(k._array.shape)}" if isinstance(k, Tensor) else "..." if k is Ellipsis else repr(k)


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """``out[i][j] = input[i][index[i][j]]`` for dim 1, and so for others; in the shape of ``index`` (int64).

    ``sparse_grad`` changes nothing: no gradient is sparse. RuntimeError where an index is out of range or the shapes do
    not fit.
    """
    d = one_dim(dim, input._array.ndim)
    _check_gather("gather", input, d, index)
    return apply(ops.gather, (input, index), {"dim": d})


def _check_gather(name: str, input: Tensor, d: int, index: Tensor) -> None:
    a, i = input._array, index._array
    if i.size and (i.dtype.kind not in "iu" or i.dtype.itemsize < 4):
        raise runtime_error(f"{name}(): Expected dtype int32/int64 for index, got {index.dtype}")
    if max(a.ndim, 1) != max(i.ndim, 1):
        if not i.size:
            return
        raise runtime_error(
            "Index tensor must have the same number of dimensions as input tensor, got "
            f"{list(i.shape)} for {list(a.shape)}"
        )
    for k in range(i.ndim if a.ndim else 0):
        if k != d and i.shape[k] > a.shape[k]:
            raise runtime_error(
                f"Size does not match at dimension {k} expected index {list(i.shape)} to be no larger than "
                f"self {list(a.shape)} apart from dimension {d}"
            )


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Elements of ``input`` at ``indices`` (int64) along ``dim``; both broadcast in the other dimensions.

    Negative indices count from the end. Without ``dim`` it is `gather` of all elements, and takes none.
    """
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    if indices._array.dtype != np.int64:
        raise runtime_error(f"dtype of indices should be Long but got {dtypes.scalar(indices.dtype)}")
    if input._array.ndim != indices._array.ndim:
        raise runtime_error(
            "take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input._array.ndim} dimensions for input, and {indices._array.ndim} dimensions for indices"
        )
    d = one_dim(dim, input._array.ndim)
    indices = _from_front(indices, input._array.shape[d] if input._array.ndim else 1)
    a, i = list(input._array.shape), list(indices._array.shape)
    both = list(broadcast("take_along_dim", (*a[:d], 1, *a[d + 1 :]), (*i[:d], 1, *i[d + 1 :])))
    source = input.expand([*both[:d], a[d], *both[d + 1 :]])
    return gather(source, d, indices.expand([*both[:d], i[d], *both[d + 1 :]]))


def _from_front(indices: Tensor, size: int) -> Tensor:
    """Negative indices counted from the front; a recording asks in each call whether there are some."""
    some = MODE.get().recorder is not None or (indices._array < 0).any()
    return where(indices < 0, indices + size, indices) if some else indices


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of ``input`` at ``index`` (a vector of integers) along ``dim``. IndexError outside [0, size)."""
    if index._array.ndim > 1:
        raise index_error("index_select(): Index is supposed to be a vector")
    if index._array.dtype not in (dtypes.I64, np.int32):
        raise runtime_error(f"index_select(): Expected dtype int32 or int64 for index, got {index.dtype}")
    d = one_dim(dim, input._array.ndim)
    size = (input._array.shape or (1,))[d]
    some = MODE.get().recorder is not None or not all_below(index._array, size)
    if some and not everywhere((index >= 0) & (index < size)):
        low, high = index._array.min(), index._array.max()
        raise index_error(f"index out of range in self: index {low if low < 0 else high} of size {size}")
    if input._array.ndim == 0:
        return own(input.reshape(1)[index].reshape(()))
    index = index if index._array.ndim else index.reshape(1)
    y = getitem(input, (*[slice(None)] * d, index) if d else index)
    return y if y._array.flags.c_contiguous else apply(shape.contiguous, (y,))


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where ``mask`` (bool) holds, in one dimension; both broadcast."""
    if mask._array.dtype != bool:
        raise runtime_error(f"masked_select: expected BoolTensor for mask, got {mask.dtype}")
    both = broadcast("masked_select", input._array.shape, mask._array.shape)
    return getitem(input.expand(both).reshape(both or (1,)), mask.expand(both).reshape(both or (1,)))


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements of the flattened input at ``index``. RuntimeError for one that is not int64."""
    if index._array.dtype != np.int64:
        raise runtime_error(f"take(): Expected a long tensor for index, but got {dtypes.scalar(index.dtype)}")
    y = getitem(input.reshape(-1), index)
    return y if index._array.ndim else y.clone()  # one element is a view


def index_put(
    input: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False
) -> Tensor:
    """A copy of ``input`` with ``values`` written to, or with ``accumulate`` added to, ``input[indices]``.

    ``indices`` is a tuple of index Tensors.  Without ``accumulate`` the last write stays where an index
    repeats, and only that one gets a gradient.
    """
    if not isinstance(indices, (tuple, list)):
        raise type_error(
            f"index_put(): argument 'indices' must be tuple of Tensors, not {type(indices).__name__}"
        )
    for i, k in enumerate(indices):
        if k is not None and not isinstance(k, Tensor):
            raise type_error(
                f"expected Tensor as element {i} in argument 'indices', but got {type(k).__name__}"
            )
    if values._array.dtype != input._array.dtype:
        raise runtime_error(
            "Index put requires the source and destination dtypes match, got "
            f"{input.dtype} for the destination and {values.dtype} for the source."
        )
    shape_ = input._array.shape
    _, arrays, pattern = split_key(tuple(slice(None) if k is None else k for k in indices), shape_)
    target = check_fits(input, arrays, pattern, values)
    if not accumulate:
        return apply(ops.index_put, (input, values, *arrays), {"pattern": pattern})
    added = apply(ops.unindex, (values.expand(target), *arrays), {"shape": shape_, "pattern": pattern})
    return apply(e.add, (input, added))


def picked_shape(part: Tensor, indices: Sequence[Tensor], pattern: tuple[bool, ...]) -> tuple[int, ...]:
    """The shape of what the indices pick."""
    picked: tuple[int, ...] = ops.index.kernel(
        part._array, *[i._array for i in indices], pattern=pattern
    ).shape
    return picked


def check_fits(
    part: Tensor, indices: Sequence[Tensor], pattern: tuple[bool, ...], value: Tensor
) -> tuple[int, ...]:
    """The shape that the indices pick. RuntimeError if the value does not broadcast to it."""
    target = picked_shape(part, indices, pattern)
    try:
        fits = np.broadcast_shapes(value._array.shape, target) == target
    except ValueError:
        fits = False
    if not fits:
        raise runtime_error(
            f"shape mismatch: value tensor of shape {list(value._array.shape)} cannot be broadcast to "
            f"indexing result of shape {list(target)}"
        )
    return target


METHODS = """
    gather index_put index_put_ index_select masked_select take take_along_dim
"""
public(globals(), __all__, home="minigrad")

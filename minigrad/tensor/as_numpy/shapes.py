"""NumPy's functions of shapes: several arrays in one, one in several, others by the same elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core.tensor import Tensor
from minigrad.errors import type_error, value_error
from minigrad.functions import creation
from minigrad.tensor.as_numpy.common import Axis, Unused, cat, numbers, own, stacked, tensor

# ---------------------------------------------------------------- several in one, one in several


def concatenate(
    arrays: Sequence[Tensor], axis: int | None = 0, out: Unused = None, *, dtype: Unused = None
) -> Tensor:
    return cat([a.reshape(-1) for a in arrays] if axis is None else arrays, axis or 0)


def stack(arrays: Sequence[Tensor], axis: int = 0, out: Unused = None, *, dtype: Unused = None) -> Tensor:
    return stacked(arrays, axis)


def vstack(tup: Sequence[Tensor], *, dtype: Unused = None) -> Tensor:
    return cat([atleast_2d(a) for a in tup], 0)


def hstack(tup: Sequence[Tensor], *, dtype: Unused = None) -> Tensor:
    parts = [atleast_1d(a) for a in tup]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


def dstack(tup: Sequence[Tensor]) -> Tensor:
    return cat([atleast_3d(a) for a in tup], 2)


def column_stack(tup: Sequence[Tensor]) -> Tensor:
    return cat([a.reshape(-1, 1) if a.ndim < 2 else a for a in tup], 1)


def block(arrays: Any) -> Tensor:
    """Lists of lists: those inside next to each other, those outside below each other."""
    parts, depth = [arrays], 0
    while any(isinstance(x, list) for x in parts):
        parts, depth = [y for x in parts for y in (x if isinstance(x, list) else [x])], depth + 1
    ndim = max(depth, *(np.ndim(x) for x in parts))

    def joined(x: Any, level: int) -> Tensor:
        if isinstance(x, list):
            return cat([joined(y, level + 1) for y in x], level - depth)
        x = tensor(x)
        return x.reshape((*[1] * (ndim - x.ndim), *x.shape))

    return joined(arrays, 0)


def append(arr: Tensor, values: Tensor, axis: int | None = None) -> Tensor:
    return concatenate([arr, values], axis)


def array_split(ary: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    places: Any = numbers(indices_or_sections)
    return list(ary.tensor_split(places if np.ndim(indices_or_sections) else places[0], axis))


def split(ary: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    if np.ndim(indices_or_sections) == 0 and ary.shape[axis] % indices_or_sections:
        raise value_error(
            f"np.split: {ary.shape[axis]} elements do not make {indices_or_sections} equal parts; use np.array_split"
        )
    return array_split(ary, indices_or_sections, axis)


def hsplit(ary: Tensor, indices_or_sections: Any) -> list[Tensor]:
    return split(ary, indices_or_sections, 0 if ary.ndim == 1 else 1)


def vsplit(ary: Tensor, indices_or_sections: Any) -> list[Tensor]:
    return split(ary, indices_or_sections, 0)


def dsplit(ary: Tensor, indices_or_sections: Any) -> list[Tensor]:
    return split(ary, indices_or_sections, 2)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    return tuple(x.unbind(axis))


def meshgrid(
    *xi: Tensor, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Tensor, ...]:
    order = [*range(len(xi))]
    if indexing == "xy":
        order[:2] = order[:2][::-1]
    rows = (
        x.reshape([-1 if d == at else 1 for d in order]) for x, at in zip(xi, range(len(xi)), strict=True)
    )
    return tuple(rows) if sparse else broadcast_arrays(*rows)


def broadcast_arrays(*args: Tensor, subok: Unused = None) -> tuple[Tensor, ...]:
    return tuple(own("broadcast_tensors")(*args))


# ---------------------------------------------------------------- shapes


def ndim(a: Tensor) -> int:
    return a.ndim


def shape(a: Tensor) -> tuple[int, ...]:
    return a.shape


def size(a: Tensor, axis: int | None = None) -> int:
    return a.numel() if axis is None else a.shape[axis]


def reshape(a: Tensor, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Tensor:
    a = ravel(a.clone() if copy else a, order)
    sizes = numbers(shape)
    return transpose(a.reshape(sizes[::-1])) if order == "F" else a.reshape(sizes)


def ravel(a: Tensor, order: str = "C") -> Tensor:
    if order not in ("C", "A", "F"):
        raise type_error(
            f"np.ravel and np.reshape are recorded by minigrad in order C, F or A, not {order}; use np.transpose"
        )
    return (transpose(a) if order == "F" else a).reshape(-1)


def transpose(a: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    return a.permute(tuple(axes) if axes is not None else tuple(range(a.ndim))[::-1])


def matrix_transpose(x: Tensor, /) -> Tensor:
    return x.mT


def swapaxes(a: Tensor, axis1: int, axis2: int) -> Tensor:
    return a.swapaxes(axis1, axis2)


def moveaxis(a: Tensor, source: Any, destination: Any) -> Tensor:
    return a.movedim(source, destination)


def rollaxis(a: Tensor, axis: int, start: int = 0) -> Tensor:
    axis, start = range(a.ndim)[axis], start + a.ndim * (start < 0)
    return a.movedim(axis, start - (axis < start))


def expand_dims(a: Tensor, axis: Any) -> Tensor:
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    full = a.ndim + len(axes)
    for d in sorted(d + full if d < 0 else d for d in axes):
        a = a.unsqueeze(d)
    return a


def squeeze(a: Tensor, axis: Axis = None) -> Tensor:
    if axis is None:
        return a.squeeze()
    for d in axis if isinstance(axis, tuple) else (axis,):
        if a.shape[d] != 1:
            raise value_error(f"np.squeeze: axis {d} of {list(a.shape)} is not of size 1")
    return a.squeeze(axis)


def broadcast_to(array: Tensor, shape: Any, subok: Unused = None) -> Tensor:
    return array.broadcast_to(numbers(shape))


def tile(A: Tensor, reps: Any) -> Tensor:
    return A.tile(numbers(reps))


def atleast_1d(*arys: Tensor) -> Any:
    return _each(arys, lambda a: a.reshape(1) if a.ndim == 0 else a)


def atleast_2d(*arys: Tensor) -> Any:
    return _each(arys, lambda a: a.reshape(1, -1) if a.ndim < 2 else a)


def atleast_3d(*arys: Tensor) -> Any:
    return _each(arys, lambda a: a.reshape(1, -1, 1) if a.ndim < 2 else a.unsqueeze(-1) if a.ndim == 2 else a)


def _each(arrays: tuple[Tensor, ...], function: Any) -> Any:
    results = tuple(map(function, arrays))
    return results[0] if len(results) == 1 else results


def pad(array: Tensor, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Tensor:
    """Each axis by itself: by elements of a constant, or by those that NumPy takes for the places outside."""
    if mode != "constant" and mode not in _PLACES:
        raise type_error(
            f"np.pad is recorded by minigrad, but not with mode={mode!r}; use constant, {', '.join(_PLACES)}, or "
            "t.detach().numpy() to leave the tape"
        )
    edges = tensor(constant_values, array).to(array.dtype).broadcast_to((array.ndim, 2))
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    for d, pair in enumerate(widths):
        if not any(pair):
            continue
        count = array.shape[d]
        if mode != "constant":
            places = creation.arange(-pair[0], count + pair[1])
            array = array.index_select(d, _PLACES[mode](places, count))
        else:
            sizes = [(*array.shape[:d], n, *array.shape[d + 1 :]) for n in pair]
            first, last = (value.expand(size) for value, size in zip(edges[d], sizes, strict=True))
            array = cat([first, array, last], d)
    return array


def _mirrored(places: Tensor, period: int, shift: int) -> Tensor:
    places = places % period
    return own("minimum")(places, period - shift - places)


# Which of so many elements stands at places from before the first one to behind the last.
_PLACES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "edge": lambda places, count: places.clamp(0, count - 1),
    "reflect": lambda places, count: _mirrored(places, max(2 * count - 2, 1), 0),
    "symmetric": lambda places, count: _mirrored(places, 2 * count, 1),
    "wrap": lambda places, count: places % count,
}


def sliding_window_view(
    x: Tensor, window_shape: Any, axis: Axis = None, *, subok: Unused = None, writeable: Unused = None
) -> Tensor:
    sizes, axes = numbers(window_shape), numbers(range(x.ndim) if axis is None else axis)
    if len(sizes) != len(axes):
        raise value_error(f"sliding_window_view takes a size for each of {len(axes)} axes, not {len(sizes)}")
    for d, size in zip(axes, sizes, strict=True):
        x = x.unfold(d, size, 1)
    return x

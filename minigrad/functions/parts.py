"""Tensors joined, and parts of them, under PyTorch's names. Parts are views.

A dimension out of range raises IndexError, a size that does not fit RuntimeError.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence

import numpy as np

from minigrad.core.apply import apply, needs_value
from minigrad.core.tensor import Tensor
from minigrad.core.views import apply_view
from minigrad.errors import index_error, runtime_error, value_error
from minigrad.functions.dims import one_dim, tensor_list, whole
from minigrad.functions.shape import atleast_1d, atleast_2d
from minigrad.gate import public
from minigrad.ops import shape as s

__all__ = [
    "cat", "chunk", "concat", "concatenate", "hstack", "narrow", "row_stack", "select", "split",
    "stack", "tensor_split", "unbind", "vstack",
]  # fmt: skip


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors joined along ``dim``; all other sizes must be equal. Empty vectors are passed over."""
    xs = tensor_list("cat", tensors)
    shapes = [x._array.shape for x in xs]
    if shapes.count(shapes[0]) == len(shapes) and shapes[0] not in ((), (0,)):
        return apply(s.cat, xs, {"dim": one_dim(dim, len(shapes[0]))})
    for i, x in enumerate(xs):
        if x._array.ndim == 0:
            raise runtime_error(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    shape = next((n for n in shapes if n != (0,)), (0,))
    d = one_dim(dim, len(shape))
    for i, other in enumerate(shapes):
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
                    f"{b} for tensor number {i} in the list."
                )
    return apply(s.cat, xs, {"dim": d})


concat = concatenate = cat


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape joined along a new dimension."""
    xs = tensor_list("stack", tensors)
    shape = xs[0]._array.shape
    for i, x in enumerate(xs):
        if x._array.shape != shape:
            raise runtime_error(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(x._array.shape)} at entry {i}"
            )
    return apply(s.stack, xs, {"dim": one_dim(dim, len(shape) + 1)})


def part(input: Tensor, d: int, where: builtins.slice | int) -> Tensor:
    """What stands at ``where``, which is in range, along a dimension counted from the front: a view."""
    return apply_view(s.slice_, input, {"index": (*(builtins.slice(None),) * d, where)})


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
            return (part(tensor, d, builtins.slice(0, 0)),)
        return _parts(tensor, size, d)
    # as Python's numbers: the places of Tensors would change with them
    parts = [whole("split(): each size", n) for n in split_size_or_sections]
    if any(n < 0 for n in parts) or sum(parts) != total:
        raise runtime_error(
            f"split_with_sizes expects split_sizes to sum exactly to {total} (input tensor's size at "
            f"dimension {d}), but got split_sizes={parts}"
        )
    views = []
    start = 0
    for n in parts:
        views.append(part(tensor, d, builtins.slice(start, start + n)))
        start += n
    return tuple(views)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` parts of equal size along ``dim``, the last perhaps smaller; all are views."""
    d = _split_dim("chunk", input, dim)
    if chunks <= 0:
        raise runtime_error(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    total = input._array.shape[d]
    if total == 0:
        return tuple([part(input, d, builtins.slice(0, 0)) for _ in range(chunks)])
    return _parts(input, -(-total // chunks), d)


def _parts(input: Tensor, size: int, d: int) -> tuple[Tensor, ...]:
    """Parts of one size along a dimension counted from the front; the last may be smaller."""
    total = input._array.shape[d]
    starts = range(0, max(total, 1), size)
    return tuple([part(input, d, builtins.slice(k, min(k + size, total))) for k in starts])


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
        needs_value("tensor_split() at a Tensor of indices")
        places = indices_or_sections._array
        if places.dtype != np.int64 or places.ndim > 1:
            raise runtime_error(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or "
                f"one-dimensional int64 tensor, got {places.ndim} dimensions of {places.dtype}"
            )
        if places.ndim == 0:
            return tensor_split(input, int(places), d)
        indices_or_sections = tuple(places.tolist())
    cuts = [whole("tensor_split(): each index", k) for k in indices_or_sections]
    return tuple(
        part(input, d, builtins.slice(a, b)) for a, b in zip([0, *cuts], [*cuts, total], strict=True)
    )


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along ``dim``, without that dimension; all are views."""
    if input._array.ndim == 0:
        raise index_error("Dimension specified as 0 but tensor has no dimensions")
    d = one_dim(dim, input._array.ndim)
    return tuple([part(input, d, i) for i in range(input._array.shape[d])])


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at ``index`` along ``dim``, without that dimension. IndexError out of range."""
    if input._array.ndim == 0:
        raise index_error("select() cannot be applied to a 0-dim tensor.")
    d = one_dim(dim, input._array.ndim)
    size = input._array.shape[d]
    if not -size <= index < size:
        raise index_error(
            f"select(): index {index} out of range for tensor of size {list(input._array.shape)} at dimension {d}"
        )
    return part(input, d, int(index))


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
    return part(input, d, builtins.slice(first, first + length))


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along columns (vectors: along their only dimension)."""
    xs = list(atleast_1d(tensor_list("hstack", tensors)))
    return cat(xs, 0 if xs[0]._array.ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along rows; vectors are rows."""
    return cat(list(atleast_2d(tensor_list("vstack", tensors))), 0)


row_stack = vstack


METHODS = """
    chunk narrow select split tensor_split unbind
"""
public(globals(), __all__, home="minigrad")

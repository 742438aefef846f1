"""Rolled, turned, repeated and joined elements, and grids, under PyTorch's names."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply, cast, needs_value
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.types import Sizes
from minigrad.core.views import apply_view
from minigrad.errors import (
    index_error,
    not_implemented_error,
    runtime_error,
    type_error,
    value_error,
    warn_once,
)
from minigrad.formats import contiguous_format
from minigrad.functions.dims import one_dim, tensor_list
from minigrad.functions.elementwise import own
from minigrad.functions.parts import cat, part, split, stack, tensor_split
from minigrad.gate import public
from minigrad.ops import index as i
from minigrad.ops import shape as s

__all__ = [
    "argwhere", "atleast_3d", "block_diag", "broadcast_shapes", "cartesian_prod", "column_stack", "combinations",
    "diff", "dsplit", "dstack", "hsplit", "meshgrid", "narrow_copy", "repeat_interleave", "roll", "rot90",
    "split_with_sizes", "vander", "vsplit",
]  # fmt: skip


def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Elements moved on along ``dims``; what leaves at the end comes in at the beginning.

    Without ``dims``, of the flattened input.
    """
    by: list[Any] = list(shifts) if isinstance(shifts, (tuple, list)) else [shifts]
    if not by:
        raise runtime_error("`shifts` required")
    along: list[Any] = [] if dims is None else list(dims) if isinstance(dims, (tuple, list)) else [dims]
    if not along and len(by) == 1:
        return roll(input.reshape(-1), by, 0).reshape(input._array.shape)
    if len(by) != len(along):
        raise runtime_error(f"shifts and dimensions must align. shifts: {len(by)}, dims:{len(along)}")
    y = input
    for n, dim in zip(by, along, strict=True):
        if not y._array.ndim:
            raise index_error(f"Dimension specified as {dim} but tensor has no dimensions")
        d = one_dim(dim, y._array.ndim)
        size = y._array.shape[d]
        if size and (cut := -int(n) % size):
            y = cat([part(y, d, slice(cut, size)), part(y, d, slice(0, cut))], d)
    return apply(s.contiguous, (y,)) if y is input else y


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """A quarter turn, ``k`` times, from the first of the two ``dims`` towards the second."""
    ndim = input._array.ndim
    if len(dims) != 2:
        raise runtime_error(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise runtime_error(f"expected total dims >= 2, but got total dims = {ndim}")
    a, b = (one_dim(d, ndim) for d in dims)
    if a == b:
        raise runtime_error(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    turns = k % 4
    if turns == 1:
        return own(input.flip(b).transpose(a, b))
    if turns == 2:
        return input.flip((a, b))
    return own(input.flip(a).transpose(a, b)) if turns == 3 else apply(s.contiguous, (input,))


def repeat_interleave(
    input: Tensor,
    repeats: Tensor | int | None = None,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """Each element, or each slice along ``dim``, several times in a row; ``repeats`` may be a vector (int32 or int64).

    With ``repeats`` alone: the places 0, 1, ..., each as often as it says.
    """
    if repeats is None:
        return _counted(input, output_size)
    if isinstance(repeats, Tensor):
        needs_value("repeat_interleave() with a Tensor of repeats")
    if dim is not None and not input._array.ndim:
        raise index_error(f"Dimension specified as {dim} but tensor has no dimensions")
    line: Any = input.reshape(-1) if dim is None else input
    d = 0 if dim is None else one_dim(dim, input._array.ndim)
    size = line._array.shape[d]
    if not isinstance(repeats, Tensor):
        if repeats < 0:
            raise runtime_error("repeats can not be negative")
        if output_size not in (None, repeats * size):
            raise runtime_error("repeat_interleave: Invalid output_size")
        several = [-1] * (line._array.ndim + 1)
        several[d + 1] = repeats
        return line.unsqueeze(d + 1).expand(several).clone(memory_format=contiguous_format).flatten(d, d + 1)
    times = repeats._array
    if times.ndim > 1:
        raise runtime_error("repeats must be 0-dim or 1-dim tensor")
    if times.size != 1 and times.size != size:
        raise runtime_error(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {times.size} and "
            f"input.size({d}) = {size}"
        )
    places = _counted(wrap(np.broadcast_to(times.reshape(-1), (size,)).copy()), output_size)
    return apply(i.index, (line, places), {"pattern": (*(False,) * d, True)})


def _counted(repeats: Tensor, output_size: int | None) -> Tensor:
    times = repeats._array
    if times.ndim != 1:
        raise runtime_error("repeat_interleave only accept 1D vector as repeat")
    if times.dtype.kind != "i" or times.dtype.itemsize < 4:
        raise not_implemented_error(
            f"\"repeat_interleave_cpu\" not implemented for '{dtypes.scalar(repeats.dtype)}' repeats; use .long()"
        )
    if times.size and times.min() < 0:
        raise runtime_error("repeats can not be negative")
    if repeats._node is not None:
        needs_value("repeat_interleave()")
    if output_size is not None and output_size != times.sum():
        raise runtime_error("repeat_interleave: Invalid output_size")
    return wrap(np.repeat(np.arange(len(times), dtype=times.dtype), times.astype(np.intp, copy=False)))


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """The differences of neighbours along ``dim``, ``n`` times; of bools whether they differ."""
    if input._array.ndim == 0:
        raise runtime_error("diff expects input to be at least one-dimensional")
    if n < 0:
        raise runtime_error(f"order must be non-negative but got {n}")
    d = one_dim(dim, input._array.ndim)
    parts = [t for t in (prepend, input, append) if t is not None]
    joined = cat(parts, d) if len(parts) > 1 else input
    y = joined if n else input
    for _ in range(min(int(n), y._array.shape[d])):
        size = y._array.shape[d]
        after, before = y.narrow(d, min(1, size), max(size - 1, 0)), y.narrow(d, 0, max(size - 1, 0))
        y = after.logical_xor(before) if y._array.dtype == bool else after - before
    return y.clone() if y is input else y


# ---------------------------------------------------------------- joins and parts


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along columns; vectors are columns."""
    xs = tensor_list("column_stack", tensors)
    return cat([x.reshape(x._array.size, 1) if x._array.ndim <= 1 else x for x in xs], 1)


def atleast_3d(*tensors: Any) -> Any:
    """With three dimensions at least: a vector as (1, n, 1), a matrix as (n, m, 1)."""
    xs = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    ys = []
    for x in xs:
        if not isinstance(x, Tensor):
            raise type_error(f"atleast_3d(): arguments must be Tensors, not {type(x).__name__}")
        ndim = x._array.ndim
        if ndim == 1:
            x = x.unsqueeze(0).unsqueeze(-1)
        ys.append(x if ndim != 0 and ndim != 2 else x.unsqueeze(-1) if ndim else x.reshape(1, 1, 1))
    return ys[0] if len(tensors) == 1 and xs is tensors else tuple(ys)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Joined along the third dimension."""
    return cat(list(atleast_3d(tensor_list("dstack", tensors))), 2)


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of the sizes listed along ``dim``; all are views."""
    return split(input, list(split_sizes), dim)


def _split_along(name: str, input: Tensor, where: Any, least: int, dim: int) -> tuple[Tensor, ...]:
    shape = input._array.shape
    if len(shape) < least:
        raise runtime_error(
            f"torch.{name} requires a tensor with at least {least} dimension{'s' * (least > 1)}, but got a tensor "
            f"with {len(shape)} dimensions!"
        )
    if isinstance(where, int) and (where <= 0 or shape[dim] % where):
        raise runtime_error(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {shape[dim]} is not "
            f"divisible by the split_size {where}!"
        )
    return tensor_split(input, where, dim)


def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`tensor_split` along columns (a vector: along its only dimension), into equal parts where a number is given."""
    return _split_along("hsplit", input, indices_or_sections, 1, 0 if input._array.ndim == 1 else 1)


def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`tensor_split` along rows, into equal parts where a number is given."""
    return _split_along("vsplit", input, indices_or_sections, 2, 0)


def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`tensor_split` along the third dimension, into equal parts where a number is given."""
    return _split_along("dsplit", input, indices_or_sections, 3, 2)


def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`narrow`, as a copy."""
    return apply(s.contiguous, (input.narrow(dim, start, length),))


def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the inputs as blocks on its diagonal; vectors are rows."""
    rows, blocks = [], []
    for x in tensors:
        if x._array.ndim > 2:
            raise runtime_error("block_diag(): Input tensors must have 2 or fewer dimensions.")
        blocks.append(x if x._array.ndim == 2 else x.reshape(1, -1))
    # of numbers beside matrices the type counts less
    blocks = [cast(b, dtypes.common([x._array for x in tensors])) for b in blocks]
    width, before = sum(b._array.shape[1] for b in blocks), 0
    for b in blocks:
        n, m = b._array.shape
        left, right = (b.new_zeros((n, k)) for k in (before, width - before - m))
        rows.append(cat([left, b, right], 1))
        before += m
    return cat(rows, 0) if rows else wrap(np.zeros((1, 0), dtypes.default_float()))


# ---------------------------------------------------------------- grids


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Vectors as the axes of a grid, each expanded over it: rows first (``"ij"``), or columns first (``"xy"``)."""
    xs = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else list(tensors)
    if not xs:
        raise runtime_error("meshgrid expects a non-empty TensorList")
    if indexing is None:
        warn_once(
            "meshgrid: in an upcoming release of PyTorch it will be required to pass the indexing argument, as in "
            "meshgrid(x, y, indexing='ij')"
        )
    elif indexing not in ("ij", "xy"):
        raise runtime_error(f'meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for x in xs:
        if not isinstance(x, Tensor):
            raise type_error(f"meshgrid(): arguments must be Tensors, not {type(x).__name__}")
        if x._array.ndim > 1:
            raise runtime_error(
                f"meshgrid: Expected 0D or 1D tensor in the tensor list but got: {list(x._array.shape)}"
            )
        if x._array.dtype != xs[0]._array.dtype:
            raise runtime_error("meshgrid expects all tensors to have the same dtype")
    swapped = indexing == "xy" and len(xs) > 1
    if swapped:
        xs[:2] = xs[1::-1]
    shape = tuple([x._array.size for x in xs])
    whole = {"shape": shape}
    grids = [
        apply(
            s.expand,
            (apply_view(s.reshape, x, {"shape": (1,) * d + (n,) + (1,) * (len(xs) - d - 1)}),),
            whole,
        )
        for d, (x, n) in enumerate(zip(xs, shape, strict=True))
    ]
    if swapped:
        grids[:2] = grids[1::-1]
    return tuple(grids)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All tuples with an element of each vector, a row for each tuple; a single vector is returned as it is."""
    for x in tensors:
        if x._array.ndim != 1:
            raise runtime_error("Expect a 1D vector, but got shape " + str(list(x._array.shape)))
    if len(tensors) == 1:
        return tensors[0]
    return stack([grid.reshape(-1) for grid in meshgrid(*tensors, indexing="ij")], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of ``r`` elements of a vector, a row for each, in the order of their indices."""
    if input._array.ndim != 1:
        raise runtime_error(f"Expect a 1D vector, but got shape {list(input._array.shape)}")
    if r < 0:
        raise runtime_error(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return wrap(np.empty(0, input._array.dtype))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(input._array.size), r)), np.int64).reshape(-1, r)
    return apply(i.index, (input, wrap(places)), {"pattern": (True,)})


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of a vector's elements as columns, from the highest down to 0 unless ``increasing``.

    Those of integers and bool are int64.
    """
    if x._array.ndim != 1:
        raise runtime_error("x must be a one-dimensional tensor.")
    count = x._array.size if N is None else int(N)
    if count < 0:
        raise runtime_error("N must be non-negative.")
    kind = None if x._array.dtype.kind in "fcV" else dtypes.int64
    ones = x.new_ones((x._array.size, min(count, 1)), dtype=kind)
    if count < 2:
        return ones
    powers = cat([ones, x.unsqueeze(1).expand(x._array.size, count - 1).cumprod(1)], 1)
    return powers if increasing else powers.flip(1)


def broadcast_shapes(*shapes: Sizes | None) -> Any:
    """The shape that shapes broadcast to. RuntimeError where they do not, ValueError for a negative size."""
    plain: list[Any] = [(size,) if isinstance(size, int) else size for size in shapes if size is not None]
    for size in plain:
        if not (isinstance(size, (tuple, list)) and all(hasattr(n, "__index__") for n in size)):
            raise runtime_error(
                f"Input shapes should be of type ints, a tuple of ints, or a list of ints, got {size}"
            )
    if any(n < 0 for shape in plain for n in shape):
        raise value_error("Attempting to broadcast a dimension with negative length!")
    try:
        return Size(np.broadcast_shapes(*map(tuple, plain)))
    except ValueError:
        raise runtime_error(
            f"Shape mismatch: objects cannot be broadcast to a single shape: {[list(s) for s in plain]}"
        ) from None


def argwhere(input: Tensor) -> Tensor:
    """The indices of the elements that are not 0, a row for each element."""
    needs_value("argwhere()")
    return wrap(np.argwhere(input._array).astype(np.int64, copy=False))


METHODS = """
    argwhere diff dsplit hsplit narrow_copy repeat_interleave roll rot90 split_with_sizes vsplit
"""
public(globals(), __all__, home="minigrad")

"""Diagonals and triangles of matrices, under PyTorch's names. A dimension out of range raises IndexError."""

from __future__ import annotations

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.core.views import apply_view
from minigrad.device import DeviceLike
from minigrad.dtypes import DTypeLike
from minigrad.errors import not_implemented_error, runtime_error
from minigrad.functions.creation import _finish
from minigrad.functions.dims import one_dim
from minigrad.functions.elementwise import own
from minigrad.gate import public
from minigrad.ops import diagonals as ops
from minigrad.ops import shape as s

__all__ = [
    "diag", "diag_embed", "diagflat", "diagonal", "diagonal_scatter", "select_scatter", "slice_scatter", "trace",
    "tril", "tril_indices", "triu", "triu_indices",
]  # fmt: skip


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangles of matrices, from that diagonal on; zeros elsewhere."""
    return _triangle("triu", input, diagonal, True)


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangles of matrices, up to that diagonal; zeros elsewhere."""
    return _triangle("tril", input, diagonal, False)


def _triangle(name: str, input: Tensor, diagonal: int, upper: bool) -> Tensor:
    if input._array.ndim < 2:
        raise runtime_error(f"{name}: input tensor must have at least 2 dimensions")
    return apply(ops.triangle, (input,), {"diagonal": int(diagonal), "upper": upper})


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: DTypeLike | None = None, device: DeviceLike = None
) -> Tensor:
    """The places of the upper triangle of a matrix, (2, count): rows, then columns (int64, or int32)."""
    return _indices("triu_indices", np.triu_indices, row, col, offset, dtype, device)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: DTypeLike | None = None, device: DeviceLike = None
) -> Tensor:
    """The places of the lower triangle of a matrix, (2, count): rows, then columns (int64, or int32)."""
    return _indices("tril_indices", np.tril_indices, row, col, offset, dtype, device)


def _indices(
    name: str, of: object, row: int, col: int, offset: int, dtype: DTypeLike | None, device: DeviceLike
) -> Tensor:
    if row < 0 or col < 0:
        raise runtime_error(f"{name}(): row and col must be non-negative, got {row} and {col}")
    kind = dtypes.I64 if dtype is None else dtypes.as_numpy(dtype)
    if kind not in (dtypes.I64, np.int32):
        raise not_implemented_error(
            f"\"{name}\" not implemented for '{dtypes.scalar(kind)}'; it is for int64 and int32"
        )
    places = np.stack(of(row, offset, col)).astype(kind)  # type: ignore[operator]
    return _finish(places, False, device)


def _two_dims(dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    a, b = one_dim(dim1, ndim), one_dim(dim2, ndim)
    if a == b:
        raise runtime_error(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return a, b


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal over two dimensions as the last dimension: a view. ``offset`` counts to the right."""
    a, b = _two_dims(dim1, dim2, input._array.ndim)
    return apply_view(ops.diagonal, input, {"offset": int(offset), "dim1": a, "dim2": b})


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices over two new dimensions, with the last dimension of the input on their diagonal."""
    x = input._array
    a, b = _two_dims(dim1, dim2, x.ndim + 1)
    size = (x.shape[-1] if x.ndim else 1) + abs(offset)
    shape = list(x.shape[:-1])
    for d in sorted((a, b)):
        shape.insert(d, size)
    line = input if x.ndim else input.reshape(1)
    return apply(
        ops.undiagonal, (line,), {"shape": tuple(shape), "offset": int(offset), "dim1": a, "dim2": b}
    )


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A matrix with a vector on its diagonal, or the diagonal of a matrix as a copy."""
    ndim = input._array.ndim
    if ndim == 1:
        return diag_embed(input, diagonal)
    if ndim != 2:
        raise runtime_error(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return apply(
        s.contiguous, (apply_view(ops.diagonal, input, {"offset": int(diagonal), "dim1": 0, "dim2": 1}),)
    )


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A matrix with the flattened input on its diagonal."""
    return diag_embed(input.reshape(-1), offset)


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    if input._array.ndim != 2:
        raise runtime_error(f"trace: expected a matrix, but got tensor with dim {input._array.ndim}")
    if input._array.dtype == bool:
        raise not_implemented_error('"trace" not implemented for bool; use .int() first')
    return diagonal(input).sum()


def _scattered(name: str, input: Tensor, part: Tensor, src: Tensor) -> Tensor:
    """``input`` with ``src`` in place of a part of it, which is a view of a copy."""
    if part._array.shape != src._array.shape:
        raise runtime_error(
            f"expected src to have a size equal to the slice of self. src size = {list(src._array.shape)}, "
            f"slice size = {list(part._array.shape)} in {name}()"
        )
    part.copy_(src)
    return own(input)


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy with ``src`` as its `diagonal`."""
    y = input.clone()
    return _scattered("diagonal_scatter", y, diagonal(y, offset, dim1, dim2), src)


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy with ``src`` as its slice at ``index`` along ``dim``."""
    y = input.clone()
    return _scattered("select_scatter", y, y.select(dim, index), src)


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """A copy with ``src`` as the slice from ``start`` to before ``end`` along ``dim``."""
    y = input.clone()
    d = one_dim(dim, y._array.ndim)
    if step < 1:
        raise runtime_error(f"slice step must be positive, got {step}")
    part = y[(*(slice(None),) * d, slice(start, end, step))]
    return _scattered("slice_scatter", y, part, src)


METHODS = """
    diag diag_embed diagflat diagonal diagonal_scatter select_scatter slice_scatter trace tril tril_ triu triu_
"""
public(globals(), __all__, home="minigrad")

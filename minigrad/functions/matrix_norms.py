"""Norms of vectors and matrices, condition and rank, as ``torch.linalg`` has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core.apply import apply, cast
from minigrad.core.tensor import Tensor
from minigrad.core.types import Dim
from minigrad.dtypes import F32, DTypeLike, as_numpy, short_name
from minigrad.errors import runtime_error
from minigrad.functions.dims import all_dims, one_dim
from minigrad.functions.elementwise import where
from minigrad.functions.factorizations import eigvalsh, svdvals
from minigrad.functions.lengths import length
from minigrad.functions.matrix_checks import floats, matrix, square
from minigrad.functions.reduce import amax, amin
from minigrad.functions.reduce import sum as total
from minigrad.functions.systems import tolerances
from minigrad.gate import public
from minigrad.ops import matrices as ops


def _in_dtype(name: str, x: Tensor, dtype: DTypeLike | None) -> Tensor:
    if dtype is None:
        return x
    kind = as_numpy(dtype)
    if kind.kind not in "fcV":
        raise runtime_error(f"{name}: dtype should be floating point or complex, but got {dtype}")
    if kind.kind == "c" != x._array.dtype.kind:
        raise runtime_error(f"{name}: dtype should be real for real inputs, but got {dtype}")
    if np.promote_types(x._array.dtype, kind) != kind:
        raise runtime_error(
            f"{name}: the dtype of the input ({x.dtype}) should be convertible without narrowing to the specified "
            f"dtype ({dtype})"
        )
    return cast(x, kind)


def vector_norm(
    x: Tensor, ord: float = 2, dim: Dim = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """``sum(abs(x)**ord)**(1/ord)`` over ``dim``, or over all elements; ``inf`` is the largest, 0 counts nonzero ones.

    The gradient at 0 is 0. RuntimeError for integers, and over nothing for a negative ``ord`` or ``inf``.
    """
    floats("linalg.vector_norm", x, low=None)
    x = _in_dtype("linalg.vector_norm", x, dtype)
    dims = all_dims(dim, x._array.ndim)
    over = range(x._array.ndim) if dims is None else dims
    if (ord < 0 or math.isinf(ord)) and (
        0 in [x._array.shape[d] for d in over] and (dims is None or x._array.size == 0)
    ):
        raise runtime_error(
            f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the operation does not have "
            "an identity"
        )
    if short_name(x._array.dtype):
        return cast(length(cast(x, F32), float(ord), dims, keepdim), x._array.dtype)
    return length(x, float(ord), dims, keepdim)


_ORDERS = (2, -2, 1, -1, math.inf, -math.inf)


def matrix_norm(
    A: Tensor, ord: float | str = "fro", dim: Dim = (-2, -1), keepdim: bool = False, *,
    dtype: DTypeLike | None = None,
) -> Tensor:  # fmt: skip
    """The norm of matrices that stand in the two dimensions ``dim``.

    ``"fro"`` is the root of the sum of squares, ``"nuc"`` the sum of singular values; 2 and -2 are the largest and the
    least of these, 1 and -1 of the sums of columns, ``inf`` and ``-inf`` of the sums of rows.
    """
    name = "linalg.matrix_norm"
    matrix(name, A, low=None)
    if ord not in ("fro", "nuc", *_ORDERS):
        raise runtime_error(f"{name}: Order {ord} not supported.")
    pair = dim if isinstance(dim, (tuple, list)) else (dim,)
    if len(pair) != 2:
        raise runtime_error(f"{name}: dim must be a 2-tuple. Got {dim}")
    rows, columns = (one_dim(d, A._array.ndim) for d in pair)
    if rows == columns:
        raise runtime_error(f"{name}: dims must be different. Got {dim}")
    A = _in_dtype(name, A, dtype)
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if ord in ("nuc", 2, -2):
        return _spectral(name, A, ord, rows, columns, keepdim)
    along, across = (rows, columns) if abs(float(ord)) == 1 else (columns, rows)
    sums = total(A.abs(), along, True)
    y = _largest(sums, across, True) if float(ord) > 0 else amin(sums, across, True)
    return y if keepdim else y.squeeze((rows, columns))


def _largest(x: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """The largest of a matrix's sums or singular values: 0 where it has none."""
    return (amax if x._array.shape[dim] else total)(x, dim, keepdim)


def _spectral(name: str, A: Tensor, ord: float | str, rows: int, columns: int, keepdim: bool) -> Tensor:
    floats(name, A, low=RuntimeError)
    ndim = A._array.ndim
    others = [d for d in range(ndim) if d not in (rows, columns)]
    values = svdvals(A.permute([*others, rows, columns]))
    y = total(values, -1) if ord == "nuc" else _largest(values, -1) if ord == 2 else amin(values, -1)
    for d in sorted((rows, columns)) if keepdim else ():
        y = y.unsqueeze(d)
    return y


def norm(
    A: Tensor, ord: float | str | None = None, dim: Dim = None, keepdim: bool = False, *,
    dtype: DTypeLike | None = None,
) -> Tensor:  # fmt: skip
    """`vector_norm` over one dimension or of a vector, `matrix_norm` over two or of a matrix.

    Without ``ord`` it is the root of the sum of squares over ``dim``, or over all elements.
    """
    ndim = A._array.ndim
    dims = None if dim is None else tuple(dim) if isinstance(dim, (tuple, list)) else (dim,)
    if dims is not None and len(dims) not in (1, 2):
        raise runtime_error(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}"
        )
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dims is None and ndim not in (1, 2):
        raise runtime_error(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {ndim}D."
        )
    count = ndim if dims is None else len(dims)
    if count == 2 or isinstance(ord, str):
        return matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


# ---------------------------------------------------------------- condition and rank


def cond(A: Tensor, p: float | str | None = None) -> Tensor:
    """The condition number, ``norm(A, p) * norm(inv(A), p)`` with p of `matrix_norm`; None is 2.

    For 2 and -2 the quotient of the extreme singular values, also of matrices that are not square. inf for singular A.
    """
    if A._array.ndim < 2:
        raise runtime_error("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p is None or p in (2, -2):
        values = svdvals(A)
        if not values._array.shape[-1]:
            return A.new_zeros(A._array.shape[:-2])
        first, last = values[..., 0], values[..., -1]
        return last / first if p == -2 else first / last
    if p not in ("fro", "nuc", *_ORDERS):
        raise runtime_error(f"linalg.cond got an invalid norm type: {p}")
    square(f"linalg.cond(ord={p})", A)
    if not A._array.shape[-1]:
        return A.new_zeros(A._array.shape[:-2])
    inverse = apply(ops.inv_ex, (A,))
    # There are no singular values of inf, and 0 times inf is no inf.
    good = inverse.isfinite().all(-1).all(-1)
    inverse = where(good[..., None, None], inverse, 0.0)
    return where(good, matrix_norm(A, p) * matrix_norm(inverse, p), math.inf)


def matrix_rank(
    A: Tensor, tol: Tensor | float | None = None, hermitian: bool = False, *, atol: Tensor | float | None = None,
    rtol: Tensor | float | None = None,
) -> Tensor:  # fmt: skip
    """How many singular values are above ``max(atol, rtol * largest)`` (int64); ``tol`` is an ``atol`` alone.

    By default ``rtol`` is ``max(m, n) * eps``, or 0 where ``atol`` is given.
    """
    if A._array.ndim < 2:
        raise runtime_error("linalg.matrix_rank: The input tensor input must have at least 2 dimensions.")
    floats("linalg.matrix_rank", A)
    if tol is not None:
        atol, rtol = tol, 0.0
    least, ratio = tolerances(A, atol, rtol)
    x = A.detach()
    values = eigvalsh(x).abs() if hermitian else svdvals(x)
    if not values._array.shape[-1]:
        return A.new_zeros(A._array.shape[:-2], dtype=np.int64)

    def column(t: Any) -> Any:
        return t.unsqueeze(-1) if isinstance(t, Tensor) else t

    bound = amax(values, -1, True) * column(ratio)
    bound = bound.maximum(column(least)) if isinstance(least, Tensor) else bound.clamp(min=least)
    return total(values > bound, -1)


LINALG = ("cond", "matrix_norm", "matrix_rank", "norm", "vector_norm")
public(globals(), LINALG, home="minigrad.linalg")

"""NumPy's functions by elements, products, and linear algebra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad import dtypes
from minigrad.core.tensor import Tensor
from minigrad.dtypes import DTypeLike
from minigrad.errors import type_error
from minigrad.functions import algebra, creation, factorizations, linalg, matrix_norms, systems
from minigrad.tensor.as_numpy.common import Axis, Operand, Unused, floating, own

# ---------------------------------------------------------------- by elements


def where(condition: Tensor, x: Operand = None, y: Operand = None) -> Any:
    condition = condition if condition.dtype == dtypes.bool else condition != 0
    return nonzero(condition) if x is None and y is None else own("where")(condition, x, y)


def clip(
    a: Tensor,
    a_min: Operand = None,
    a_max: Operand = None,
    out: Unused = None,
    *,
    min: Operand = None,
    max: Operand = None,
) -> Tensor:
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    return a if low is None and high is None else a.clamp(low, high)


def round(a: Tensor, decimals: int = 0, out: Unused = None) -> Tensor:
    return a.round(decimals=decimals) if decimals else a.round()


def nan_to_num(
    x: Tensor, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    return x.nan_to_num(nan, posinf, neginf)


def isclose(a: Tensor, b: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    kind = dtypes.result_type(a, b)
    return a.to(kind).isclose(b.to(kind), rtol, atol, equal_nan)


def nonzero(a: Tensor) -> tuple[Tensor, ...]:
    return tuple(a.nonzero(as_tuple=True))


def argwhere(a: Tensor) -> Tensor:
    return a.nonzero()


def copy(a: Tensor, order: Unused = None, subok: Unused = None) -> Tensor:
    return a.clone()


def zeros_like(
    a: Tensor, dtype: DTypeLike | None = None, order: Unused = None, subok: Unused = None
) -> Tensor:
    return creation.zeros_like(a, dtype=dtype)


def ones_like(
    a: Tensor, dtype: DTypeLike | None = None, order: Unused = None, subok: Unused = None
) -> Tensor:
    return creation.ones_like(a, dtype=dtype)


def empty_like(
    prototype: Tensor, dtype: DTypeLike | None = None, order: Unused = None, subok: Unused = None
) -> Tensor:
    return creation.empty_like(prototype, dtype=dtype)


def full_like(
    a: Tensor, fill_value: Any, dtype: DTypeLike | None = None, order: Unused = None, subok: Unused = None
) -> Tensor:
    return creation.full_like(a, fill_value, dtype=dtype)


# ---------------------------------------------------------------- products and matrices


def dot(a: Tensor, b: Tensor, out: Unused = None) -> Tensor:
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim <= 2:
        return linalg.matmul(a, b)
    return tensordot(a, b, ([-1], [-2]))


def vdot(a: Tensor, b: Tensor) -> Tensor:
    return linalg.matmul(a.reshape(-1).conj(), b.reshape(-1))


def inner(a: Tensor, b: Tensor) -> Tensor:
    return a * b if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, ([-1], [-1]))


def outer(a: Tensor, b: Tensor, out: Unused = None) -> Tensor:
    return a.reshape(-1, 1) * b.reshape(1, -1)


def tensordot(a: Tensor, b: Tensor, axes: Any = 2) -> Tensor:
    if not isinstance(axes, int):
        axes = [[x] if isinstance(x, int) else list(x) for x in axes]
    return own("tensordot")(a, b, axes)


def einsum(subscripts: str, *operands: Tensor, optimize: bool | str = False) -> Tensor:
    if not isinstance(subscripts, str):
        raise type_error(
            "np.einsum is recorded by minigrad with a text of subscripts; write np.einsum('ij,jk', a, b)"
        )
    if all(a.dtype == dtypes.bool for a in operands):
        raise type_error(
            "np.einsum of bools is not recorded by minigrad; convert them with .int() or .float()"
        )
    return own("einsum")(subscripts, *operands)


def kron(a: Tensor, b: Tensor) -> Tensor:
    return a.kron(b)


def cross(
    a: Tensor,
    b: Tensor,
    axisa: Unused = None,
    axisb: Unused = None,
    axisc: Unused = None,
    axis: int | None = None,
) -> Tensor:
    return a.cross(b, -1 if axis is None else axis)


def trace(
    a: Tensor,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
    dtype: DTypeLike | None = None,
    out: Unused = None,
) -> Tensor:
    return a.diagonal(offset, axis1, axis2).sum(-1, dtype=dtype)


def diag(v: Tensor, k: int = 0) -> Tensor:
    return v.diag(k)


def diagonal(a: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    return a.diagonal(offset, axis1, axis2)


def tril(m: Tensor, k: int = 0) -> Tensor:
    return _square(m).tril(k)


def triu(m: Tensor, k: int = 0) -> Tensor:
    return _square(m).triu(k)


def _square(m: Tensor) -> Tensor:
    """A vector as the rows of a matrix."""
    return m.expand(len(m), len(m)) if m.ndim == 1 else m


def linalg_norm(x: Tensor, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return matrix_norms.norm(floating(x), ord, axis, keepdims)


def linalg_vector_norm(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    return matrix_norms.vector_norm(floating(x), ord, axis, keepdims)


def linalg_matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    return matrix_norms.matrix_norm(floating(x), ord, (-2, -1), keepdims)


def linalg_det(a: Tensor) -> Tensor:
    return algebra.det(a)


def linalg_slogdet(a: Tensor) -> Any:
    return algebra.slogdet(a)


def linalg_matrix_power(a: Tensor, n: int) -> Tensor:
    return algebra.matrix_power(a, n)


def linalg_inv(a: Tensor) -> Tensor:
    return systems.inv(a)


def linalg_pinv(a: Tensor) -> Tensor:
    return systems.pinv(a)


def linalg_solve(a: Tensor, b: Tensor) -> Tensor:
    """``b`` is a vector if it has one dimension, and else matrices, as in NumPy 2."""
    return systems.solve(a, b)


def linalg_cholesky(a: Tensor, /, *, upper: bool = False) -> Tensor:
    return factorizations.cholesky(a, upper=upper)


def linalg_eigh(a: Tensor, UPLO: str = "L") -> Any:
    return factorizations.eigh(a, UPLO)


def linalg_multi_dot(arrays: Sequence[Tensor], *, out: Unused = None) -> Tensor:
    return systems.multi_dot(arrays)


def linalg_eigvalsh(a: Tensor, UPLO: str = "L") -> Tensor:
    return factorizations.eigvalsh(a, UPLO)


def linalg_svd(
    a: Tensor, full_matrices: bool = True, compute_uv: bool = True, hermitian: Unused = None
) -> Any:
    return factorizations.svd(a, full_matrices) if compute_uv else factorizations.svdvals(a)


def linalg_svdvals(x: Tensor, /) -> Tensor:
    return factorizations.svdvals(x)


def linalg_qr(a: Tensor, mode: str = "reduced") -> Any:
    return factorizations.qr(a, mode)

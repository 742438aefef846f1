"""Determinants, powers and exponentials of matrices; the names that PyTorch has had since before ``torch.linalg``."""

from __future__ import annotations

import numpy as np

from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error, warn_once
from minigrad.functions import factorizations, systems
from minigrad.functions.dims import whole
from minigrad.functions.elementwise import own
from minigrad.functions.factorizations import NOTHING, both_triangles, identity
from minigrad.functions.images import pad
from minigrad.functions.linalg import matmul
from minigrad.functions.matrix_checks import matrix, one_dtype, same_batch, square, square_sizes, two_dims
from minigrad.functions.results import OlderQR, OlderSVD, SignAndLogDet, TriangularSolution, Unpacked
from minigrad.gate import public
from minigrad.ops import matrices as ops

__all__ = [
    "cholesky", "cholesky_inverse", "cholesky_solve", "det", "inverse", "logdet", "lu", "lu_solve",
    "lu_unpack", "matrix_exp", "matrix_power", "orgqr", "ormqr", "pinverse", "qr", "slogdet",
    "svd", "triangular_solve",
]  # fmt: skip


# ---------------------------------------------------------------- determinants


def det(A: Tensor) -> Tensor:
    """The determinant of square matrices (..., n, n). The gradient is right for singular ones, too."""
    square("linalg.det", A)
    return apply(ops.det, (A,))


def slogdet(A: Tensor) -> SignAndLogDet:
    """The sign of the determinant, and the logarithm of its size: -inf where A is singular, the gradient inf."""
    square("linalg.slogdet", A, low=RuntimeError)
    packed = apply(ops.signed_logdet, (A,))
    return SignAndLogDet(apply(ops.det_sign, (A, packed)), apply(ops.logabsdet, (A, packed)))


def logdet(A: Tensor) -> Tensor:
    """The logarithm of the determinant: nan where that is negative, -inf where it is 0."""
    square("logdet", A, low=RuntimeError)
    sign, size = slogdet(A)
    return size + sign.log()


# ---------------------------------------------------------------- powers and the exponential


def matrix_power(A: Tensor, n: int) -> Tensor:
    """A (..., m, m) times itself, ``n`` factors; its inverse where n is negative, the identity for 0.

    By squares. LinAlgError for a negative power of singular A.
    """
    n = whole("linalg_matrix_power(): argument 'n' (position 2)", n)
    square_sizes("linalg.matrix_power", A)
    if n == 0:
        nothing = apply(ops.triangles, (A,), NOTHING)  # with a gradient, of 0
        return nothing + identity(A)
    if n < 0:
        A, n = systems.inv(A), -n
    if n == 1:
        return A.clone()
    y: Tensor | None = None
    square_ = A
    while n:
        if n & 1:
            y = square_ if y is None else matmul(y, square_)
        n >>= 1
        if n:
            square_ = matmul(square_, square_)
    return A if y is None else y


def matrix_exp(A: Tensor) -> Tensor:
    """The sum of ``matrix_power(A, k) / k!`` of square matrices (..., n, n)."""
    square("linalg.matrix_exp", A, low=None)
    return apply(ops.matrix_exp, (A,))


# ---------------------------------------------------------------- older names


def inverse(input: Tensor) -> Tensor:
    """`linalg.inv`."""
    return systems.inv(input)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`linalg.pinv` with another tolerance."""
    return systems.pinv(input, rcond)


def _deprecated(name: str, other: str) -> None:
    warn_once(f"{name} is deprecated in favor of {other} and will be removed in a future PyTorch release")


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """`linalg.cholesky`; deprecated in PyTorch."""
    _deprecated("cholesky", "linalg.cholesky")
    return factorizations.cholesky(input, upper=upper)


def cholesky_solve(input: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """``X`` with ``A @ X = input``, from the factor L of `cholesky` of A; with ``upper`` from its transpose."""
    matrix("cholesky_solve", input, letter="B")
    square("cholesky_solve", L)
    one_dtype("cholesky_solve", L, input)
    if input._array.shape[-2] != L._array.shape[-1]:
        raise runtime_error(
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {L._array.shape[-1]} by "
            f"{L._array.shape[-1]} but each b matrix is {input._array.shape[-2]} by {input._array.shape[-1]}"
        )
    same_batch("cholesky_solve", L, input)
    return apply(ops.cholesky_solve, (input, L), {"upper": upper})


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of A, from the factor L of `cholesky` of A; with ``upper`` from its transpose."""
    square("cholesky_inverse", L)
    return cholesky_solve(identity(L), L, upper)


def qr(input: Tensor, some: bool = True) -> OlderQR:
    """`linalg.qr`; without ``some`` it is complete. Deprecated in PyTorch."""
    _deprecated("qr", "linalg.qr")
    return OlderQR(*factorizations.qr(input, "reduced" if some else "complete"))


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> OlderSVD:
    """`linalg.svd` with the right vectors in columns; without ``some`` with all vectors.

    Without ``compute_uv`` U and V are zeros.
    """
    if not compute_uv:
        values = factorizations.svdvals(input)
        *batch, n, m = input._array.shape
        return OlderSVD(input.new_zeros((*batch, n, n)), values, input.new_zeros((*batch, m, m)))
    u, s, v = factorizations.svd(input, not some)
    return OlderSVD(u, s, own(v.mH))


def orgqr(input: Tensor, input2: Tensor) -> Tensor:
    """`linalg.householder_product`."""
    return factorizations.householder_product(input, input2)


def ormqr(input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
    """``Q @ other``, or with ``left=False`` ``other @ Q``; with ``transpose`` the adjoint of Q in its place.

    Q is (..., m, m), the whole product of the reflections of which `orgqr` gives the first columns.
    """
    matrix("ormqr", input)
    m, n = input._array.shape[-2:]
    side = -2 if left else -1
    if other._array.ndim < 2 or other._array.shape[side] != m:
        raise runtime_error(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    if tau._array.shape[-1:] != (min(m, n),):
        raise runtime_error(
            f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])"
        )
    for name, t in (("tau", tau), ("other", other)):
        if t._array.dtype != input._array.dtype:
            raise runtime_error(
                f"torch.ormqr: Expected input and {name} to have the same dtype, but input has dtype {input.dtype} and "
                f"{name} has dtype {t.dtype}"
            )
    columns = pad(input, [0, m - n]) if n < m else input[..., :m]
    q = factorizations.householder_product(columns, tau)
    q = q.mH if transpose else q
    return matmul(q, other) if left else matmul(other, q)


def triangular_solve(
    b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> TriangularSolution:
    """`linalg.solve_triangular`, with a copy of A beside it; ``transpose`` takes A transposed. Deprecated."""
    _deprecated("triangular_solve", "linalg.solve_triangular")
    one_dtype("triangular_solve", A, b)
    a = A.mT if transpose else A
    y = systems.solve_triangular(a, b, upper=upper != transpose, unitriangular=unitriangular)
    return TriangularSolution(y, A.clone())


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> tuple[Tensor, ...]:
    """`linalg.lu_factor`; with ``get_infos`` `linalg.lu_factor_ex`. Deprecated in PyTorch."""
    _deprecated("lu", "linalg.lu_factor")
    both, pivots, info = factorizations.lu_factor_ex(A, pivot=pivot)
    return (both, pivots, info) if get_infos else (both, pivots)


def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """`linalg.lu_solve`, with ``b`` in front."""
    return systems.lu_solve(LU_data, LU_pivots, b)


def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True
) -> Unpacked:
    """``P``, ``L`` and ``U`` from what `linalg.lu_factor` gives; what is not asked for is empty."""
    if LU_pivots._array.dtype != np.int32:
        raise runtime_error(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype. Got "
            f"{LU_pivots.dtype}; it should come from linalg.lu_factor"
        )
    two_dims("lu_unpack", LU_data)
    nothing = LU_data.new_empty(0)
    low, up = both_triangles(LU_data) if unpack_data else (nothing, nothing)
    params = {"rows": LU_data._array.shape[-2], "dtype": LU_data._array.dtype}
    return Unpacked(apply(ops.unpivot, (LU_pivots,), params) if unpack_pivots else nothing, low, up)


METHODS = """
    cholesky cholesky_inverse cholesky_solve det inverse logdet lu lu_solve matrix_exp matrix_power orgqr ormqr pinverse
    qr slogdet svd triangular_solve
"""
public(globals(), __all__, home="minigrad")

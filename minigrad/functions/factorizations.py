"""Factorizations of matrices, as ``torch.linalg`` has them."""

from __future__ import annotations

from minigrad.core.apply import apply, needs_value
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error
from minigrad.functions.elementwise import own
from minigrad.functions.linalg import matmul
from minigrad.functions.matrix_checks import matrix, no_info, square
from minigrad.functions.results import LU, QR, SVD, Eig, Eigh, FactorAndInfo, LUFactor, LUFactorAndInfo
from minigrad.gate import public
from minigrad.ops import matrices as ops

LOWER = {"below": 1.0, "on": 1.0, "above": 0.0}
STRICTLY_LOWER = {"below": 1.0, "on": 0.0, "above": 0.0}
UPPER = {"below": 0.0, "on": 1.0, "above": 1.0}
_DIAGONAL = {"below": 0.0, "on": 1.0, "above": 0.0}
NOTHING = {"below": 0.0, "on": 0.0, "above": 0.0}
_MINOR = (
    "The factorization could not be completed because the input is not positive-definite (the leading minor of "
    "order {} is not positive-definite)."
)


# ---------------------------------------------------------------- Cholesky


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangle ``L`` with ``A = L @ L.mT`` for symmetric positive-definite A (..., n, n).

    With ``upper`` its transpose. One triangle of A is read. LinAlgError where A is not positive-definite.
    """
    square("linalg.cholesky", A)
    if upper:
        return own(apply(ops.cholesky, (A.mT,)).mT)
    return apply(ops.cholesky, (A,))


def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> FactorAndInfo:
    """`cholesky` without an error.

    ``info`` (int32) has the order k of the first leading minor that is not positive, 0 where all are. There L has the
    first k - 1 columns of the factor, then the element of the diagonal that is not positive; behind it stands A.
    """
    square("linalg.cholesky_ex", A)
    x = A.mT if upper else A
    y = apply(ops.cholesky_ex, (x,))
    info = apply(ops.minors, (x, y))
    if check_errors:
        needs_value("cholesky_ex(check_errors=True)")
        no_info("linalg.cholesky_ex", info, _MINOR)
    return FactorAndInfo(own(y.mT) if upper else y, info)


# ---------------------------------------------------------------- QR


def qr(A: Tensor, mode: str = "reduced") -> QR:
    """Orthonormal columns ``Q`` and an upper triangle ``R`` with ``A = Q @ R``, for A (..., m, n).

    With ``"complete"`` Q is (m, m), and has no gradient if m > n; with ``"r"`` Q is empty, and R has no gradient.
    """
    if mode not in ("reduced", "complete", "r"):
        raise runtime_error(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    matrix("linalg.qr", A)
    if mode == "r":
        return QR(A.new_empty(0), apply(ops.qr_r, (A,)))
    params = {"complete": mode == "complete"}
    packed = apply(ops.qr, (A,), params)
    return QR(apply(ops.qr_q, (A, packed), params), apply(ops.qr_triangle, (A, packed), params))


def householder_product(input: Tensor, tau: Tensor) -> Tensor:
    """The first n columns of the product of reflections ``1 - tau[k] * v @ v.T``, with v from columns of ``input``.

    ``input`` is (..., m, n) with m >= n; of its column k only what is below the diagonal counts, on which v has a 1.
    ``tau`` is (..., k) with k <= n.
    """
    matrix("householder_product", input)
    *batch, n, m = input._array.shape
    if n < m:
        raise runtime_error(
            "householder_product: input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    count = tau._array.shape[-1]
    if count > m:
        raise runtime_error(
            "householder_product: input.shape[-1] must be greater than or equal to tau.shape[-1]"
        )
    if tau._array.dtype != input._array.dtype:
        raise runtime_error(
            f"householder_product: tau dtype {tau.dtype} does not match input dtype {input.dtype}"
        )
    if [*tau._array.shape[:-1]] != batch:
        raise runtime_error(
            "householder_product: Expected batch dimensions of tau to be equal to input.shape[:-2]"
        )
    one = identity(input)
    columns = apply(ops.triangles, (input,), STRICTLY_LOWER) + one
    product = one + apply(ops.triangles, (input,), NOTHING)  # so that it is recorded, whatever the sizes
    for k in reversed(range(count)):
        v = columns[..., :, k : k + 1]
        product = product - tau[..., k : k + 1, None] * matmul(v, matmul(v.mH, product))
    return product


# ---------------------------------------------------------------- eigenvalues of symmetric matrices


def _symmetric(A: Tensor, UPLO: str) -> dict[str, bool]:
    if UPLO.upper() not in ("L", "U"):
        raise runtime_error(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    square("linalg.eigh", A)
    return {"lower": UPLO.upper() == "L"}


def eig(A: Tensor) -> Eig:
    """Eigenvalues (..., n) and eigenvectors in columns of A (..., n, n), complex.

    Vectors have length 1.  A loss must not depend on their phase; the gradient is not finite where eigenvalues repeat.
    """
    square("linalg.eig", A)
    packed = apply(ops.eig, (A,))
    return Eig(apply(ops.eig_values, (A, packed)), apply(ops.eig_vectors, (A, packed)))


def eigvals(A: Tensor) -> Tensor:
    """The eigenvalues of `eig`."""
    return eig(A).eigenvalues


def eigh(A: Tensor, UPLO: str = "L") -> Eigh:
    """Eigenvalues (..., n), rising, and eigenvectors in columns, of a triangle of symmetric A (..., n, n).

    The gradient of the eigenvectors is not finite where eigenvalues repeat.
    """
    params = _symmetric(A, UPLO)
    packed = apply(ops.eigh, (A,), params)
    return Eigh(apply(ops.eigenvalues, (A, packed), params), apply(ops.eigenvectors, (A, packed), params))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of `eigh`."""
    return apply(ops.eigvalsh, (A,), _symmetric(A, UPLO))


# ---------------------------------------------------------------- singular values


def _decomposable(A: Tensor, driver: str | None) -> None:
    matrix("linalg.svd", A)
    if driver is not None:
        raise runtime_error(
            "minigrad.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs."
        )


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> SVD:
    """``U``, ``S`` (falling) and ``Vh`` with ``A = U @ diag(S) @ Vh``, for A (..., m, n).

    U is (m, m) and Vh is (n, n), or with ``full_matrices=False`` both have min(m, n) vectors; only of these the
    gradient is taken. It is not finite where singular values repeat, that of S always is. LinAlgError for nan and inf.
    """
    _decomposable(A, driver)
    params = {"full": full_matrices}
    packed = apply(ops.svd, (A,), params)
    u, s, v = (
        apply(op, (A, packed), params) for op in (ops.left_vectors, ops.singular_values, ops.right_vectors)
    )
    return SVD(u, s, v)


def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values of A (..., m, n), falling: (..., min(m, n)). LinAlgError for nan and inf."""
    _decomposable(A, driver)
    return apply(ops.svdvals, (A,))


# ---------------------------------------------------------------- LU


def _sizes(A: Tensor) -> dict[str, int]:
    n, m = A._array.shape[-2:]
    return {"rows": n, "columns": m}


def _eliminated(name: str, A: Tensor, pivot: bool, op: Op = ops.lu) -> tuple[Tensor, Tensor]:
    """All that elimination gives, packed, and the matrix of both triangles."""
    matrix(name, A)
    if not pivot:
        raise runtime_error(f"{name}: LU without pivoting is not implemented on the CPU")
    packed = apply(op, (A,))
    return packed, apply(ops.lu_compact, (A, packed))


def lu_factor(A: Tensor, *, pivot: bool = True) -> LUFactor:
    """Both triangles of `lu` in one matrix, and with which row each was exchanged (int32, from 1 on).

    RuntimeError where U has a 0 on its diagonal.
    """
    packed, both = _eliminated("linalg.lu_factor", A, pivot, ops.lu_regular)
    return LUFactor(both, apply(ops.lu_pivots, (packed,), _sizes(A)))


def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> LUFactorAndInfo:
    """`lu_factor`, and by matrix the number of the first diagonal element of U that is 0 (int32); 0 if none is."""
    packed, both = _eliminated("linalg.lu_factor_ex", A, pivot)
    info = apply(ops.lu_info, (both,))
    if check_errors:
        needs_value("lu_factor_ex(check_errors=True)")
        no_info(
            "linalg.lu_factor_ex",
            info,
            "U[{0},{0}] is zero and using it on linalg.solve would divide by zero.",
        )
    return LUFactorAndInfo(both, apply(ops.lu_pivots, (packed,), _sizes(A)), info)


def lu(A: Tensor, *, pivot: bool = True) -> LU:
    """A permutation ``P``, a lower triangle ``L`` with ones on its diagonal, an upper one ``U``: ``A = P @ L @ U``."""
    packed, both = _eliminated("linalg.lu", A, pivot)
    low, up = both_triangles(both)
    return LU(apply(ops.lu_permutation, (packed,), _sizes(A)), low, up)


def identity(A: Tensor) -> Tensor:
    """Ones on the diagonals of matrices of the shape of A."""
    return apply(ops.triangles, (A.new_ones(A._array.shape),), _DIAGONAL)


def both_triangles(both: Tensor) -> tuple[Tensor, Tensor]:
    """The lower triangle, with ones on its diagonal, and the upper one, of the matrix that has both."""
    n, m = both._array.shape[-2:]
    size = min(n, m)
    low = apply(ops.triangles, (both[..., :, :size],), STRICTLY_LOWER)
    return low + identity(low), apply(ops.triangles, (both[..., :size, :],), UPPER)


LINALG = (
    "cholesky", "cholesky_ex", "eig", "eigh", "eigvals", "eigvalsh", "householder_product", "lu", "lu_factor",
    "lu_factor_ex", "qr", "svd", "svdvals",
)  # fmt: skip
public(globals(), LINALG, home="minigrad.linalg")

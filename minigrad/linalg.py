"""Linear algebra, under the names of ``torch.linalg``."""

from __future__ import annotations

from minigrad.core.tensor import Tensor
from minigrad.errors import LinAlgError
from minigrad.functions import diagonals, products
from minigrad.functions.algebra import det, matrix_exp, matrix_power, slogdet
from minigrad.functions.factorizations import (
    cholesky, cholesky_ex, eig, eigh, eigvals, eigvalsh, householder_product, lu, lu_factor, lu_factor_ex, qr, svd,
    svdvals,
)  # fmt: skip
from minigrad.functions.linalg import matmul
from minigrad.functions.matrix_norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from minigrad.functions.systems import (
    inv, inv_ex, lstsq, lu_solve, multi_dot, pinv, solve, solve_ex, solve_triangular, tensorinv, tensorsolve, vander,
    vecdot,
)  # fmt: skip
from minigrad.gate import public
from minigrad.hints import module_getattr

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
    "householder_product", "inv", "inv_ex", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve",
    "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv",
    "qr", "slogdet", "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv",
    "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product over ``dim``, which has size 3; input and other broadcast. RuntimeError for other sizes."""
    return products.cross(input, other, dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices as the last dimension: a view. ``offset`` counts to the right."""
    return diagonals.diagonal(A, offset, dim1, dim2)


public(globals(), ("cross", "diagonal"), check="Tensors")
module_getattr(globals())

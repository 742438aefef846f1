"""Linear algebra, under the names of ``torch.linalg``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from minigrad.errors import LinAlgError as LinAlgError
from minigrad.functions.algebra import det as det
from minigrad.functions.algebra import matrix_exp as matrix_exp
from minigrad.functions.algebra import matrix_power as matrix_power
from minigrad.functions.algebra import slogdet as slogdet
from minigrad.functions.factorizations import cholesky as cholesky
from minigrad.functions.factorizations import cholesky_ex as cholesky_ex
from minigrad.functions.factorizations import eig as eig
from minigrad.functions.factorizations import eigh as eigh
from minigrad.functions.factorizations import eigvals as eigvals
from minigrad.functions.factorizations import eigvalsh as eigvalsh
from minigrad.functions.factorizations import householder_product as householder_product
from minigrad.functions.factorizations import lu as lu
from minigrad.functions.factorizations import lu_factor as lu_factor
from minigrad.functions.factorizations import lu_factor_ex as lu_factor_ex
from minigrad.functions.factorizations import qr as qr
from minigrad.functions.factorizations import svd as svd
from minigrad.functions.factorizations import svdvals as svdvals
from minigrad.functions.linalg import matmul as matmul
from minigrad.functions.matrix_norms import cond as cond
from minigrad.functions.matrix_norms import matrix_norm as matrix_norm
from minigrad.functions.matrix_norms import matrix_rank as matrix_rank
from minigrad.functions.matrix_norms import norm as norm
from minigrad.functions.matrix_norms import vector_norm as vector_norm
from minigrad.functions.systems import inv as inv
from minigrad.functions.systems import inv_ex as inv_ex
from minigrad.functions.systems import lstsq as lstsq
from minigrad.functions.systems import lu_solve as lu_solve
from minigrad.functions.systems import multi_dot as multi_dot
from minigrad.functions.systems import pinv as pinv
from minigrad.functions.systems import solve as solve
from minigrad.functions.systems import solve_ex as solve_ex
from minigrad.functions.systems import solve_triangular as solve_triangular
from minigrad.functions.systems import tensorinv as tensorinv
from minigrad.functions.systems import tensorsolve as tensorsolve
from minigrad.functions.systems import vander as vander
from minigrad.functions.systems import vecdot as vecdot
from minigrad.functions.vectors import cross as cross
from minigrad.functions.vectors import diagonal as diagonal
from minigrad.hints import missing

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
    "householder_product", "inv", "inv_ex", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve",
    "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv",
    "qr", "slogdet", "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv",
    "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip

if not TYPE_CHECKING:  # a type checker shall see that a name is missing

    def __getattr__(name: str) -> NoReturn:
        raise missing(__name__, name)

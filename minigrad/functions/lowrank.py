"""Singular values of large matrices, by a random basis of few columns: Halko, Martinsson and Tropp, 2009."""

from __future__ import annotations

from minigrad.core.tensor import Tensor
from minigrad.errors import value_error
from minigrad.functions.draws import randn
from minigrad.functions.factorizations import qr, svd
from minigrad.gate import public

__all__ = ["pca_lowrank", "svd_lowrank"]


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """U (..., m, q), S (..., q) and V (..., n, q): about the largest part of the SVD of ``A - M`` (..., m, n).

    ``niter`` more passes over the matrix make them more exact.
    """
    x = A if M is None else A - M.expand(A.shape)
    wide = x.shape[-2] < x.shape[-1]
    if wide:
        x = x.mH
    basis, _ = qr(x @ randn(x.shape[-1], 6 if q is None else q, dtype=x.dtype))
    for _ in range(2 if niter is None else niter):
        basis, _ = qr(x.mH @ basis)
        basis, _ = qr(x @ basis)
    u, s, v = svd(basis.mH @ x, full_matrices=False)
    left, right = basis @ u, v.mH
    return (right, s, left) if wide else (left, s, right)


def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """U, S and V of the rows of A (..., m, n) less their mean: the columns of V are ``q`` principal directions.

    With ``center=False`` the mean stays. ValueError unless ``q``, by default 6 at most, is from 0 to min(m, n).
    """
    least = min(A.shape[-2:])
    q = min(6, least) if q is None else q
    if not 0 <= q <= least:
        raise value_error(f"q(={q}) must be non-negative integer and not greater than min(m, n)={least}")
    if niter < 0:
        raise value_error(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)


public(globals(), __all__, home="minigrad")

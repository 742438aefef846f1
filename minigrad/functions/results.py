"""What functions return that have several results: tuples with names, as PyTorch's."""

from __future__ import annotations

from typing import NamedTuple

from minigrad.core.tensor import Tensor


class Extremes(NamedTuple):
    """Of `aminmax`."""

    min: Tensor
    max: Tensor


class MantissaAndExponent(NamedTuple):
    """Of `frexp`."""

    mantissa: Tensor
    exponent: Tensor


class InverseAndInfo(NamedTuple):
    """Of `linalg.inv_ex`."""

    inverse: Tensor
    info: Tensor


class ResultAndInfo(NamedTuple):
    """Of `linalg.solve_ex`."""

    result: Tensor
    info: Tensor


class FactorAndInfo(NamedTuple):
    """Of `linalg.cholesky_ex`."""

    L: Tensor
    info: Tensor


class SignAndLogDet(NamedTuple):
    """Of `linalg.slogdet`."""

    sign: Tensor
    logabsdet: Tensor


class QR(NamedTuple):
    """Of `linalg.qr`."""

    Q: Tensor
    R: Tensor


class Eigh(NamedTuple):
    """Of `linalg.eigh`."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVD(NamedTuple):
    """Of `linalg.svd`."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class OlderSVD(NamedTuple):
    """Of `svd`, with the right vectors in columns."""

    U: Tensor
    S: Tensor
    V: Tensor


class LU(NamedTuple):
    """Of `linalg.lu` and `lu_unpack`."""

    P: Tensor
    L: Tensor
    U: Tensor


class LUFactor(NamedTuple):
    """Of `linalg.lu_factor`."""

    LU: Tensor
    pivots: Tensor


class LUFactorAndInfo(NamedTuple):
    """Of `linalg.lu_factor_ex`."""

    LU: Tensor
    pivots: Tensor
    info: Tensor


class LeastSquares(NamedTuple):
    """Of `linalg.lstsq`."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


class TriangularSolution(NamedTuple):
    """Of `triangular_solve`."""

    solution: Tensor
    cloned_coefficient: Tensor

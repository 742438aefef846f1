"""What functions return that have several results: tuples with names, as PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from minigrad.core.tensor import Tensor
from minigrad.dtypes import printed

C = TypeVar("C", bound=type)


def _prints_as(name: str) -> Callable[[C], C]:
    """Class decorator: prints a line for each result, below the name of PyTorch's class."""

    def text(self: Any) -> str:
        lines = (f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
        return printed(f"return_types.{name}(\n" + ",\n".join(lines) + ")")

    def decorate(cls: C) -> C:
        cls.__repr__ = text  # type: ignore[method-assign, assignment]
        return cls

    return decorate


@_prints_as("aminmax")
class Extremes(NamedTuple):
    """Of `aminmax`."""

    min: Tensor
    max: Tensor


@_prints_as("frexp")
class MantissaAndExponent(NamedTuple):
    """Of `frexp`."""

    mantissa: Tensor
    exponent: Tensor


@_prints_as("linalg_inv_ex")
class InverseAndInfo(NamedTuple):
    """Of `linalg.inv_ex`."""

    inverse: Tensor
    info: Tensor


@_prints_as("linalg_solve_ex")
class ResultAndInfo(NamedTuple):
    """Of `linalg.solve_ex`."""

    result: Tensor
    info: Tensor


@_prints_as("linalg_cholesky_ex")
class FactorAndInfo(NamedTuple):
    """Of `linalg.cholesky_ex`."""

    L: Tensor
    info: Tensor


@_prints_as("linalg_slogdet")
class SignAndLogDet(NamedTuple):
    """Of `linalg.slogdet`."""

    sign: Tensor
    logabsdet: Tensor


@_prints_as("linalg_qr")
class QR(NamedTuple):
    """Of `linalg.qr`."""

    Q: Tensor
    R: Tensor


@_prints_as("linalg_eigh")
class Eigh(NamedTuple):
    """Of `linalg.eigh`."""

    eigenvalues: Tensor
    eigenvectors: Tensor


@_prints_as("linalg_svd")
class SVD(NamedTuple):
    """Of `linalg.svd`."""

    U: Tensor
    S: Tensor
    Vh: Tensor


@_prints_as("svd")
class OlderSVD(NamedTuple):
    """Of `svd`, with the right vectors in columns."""

    U: Tensor
    S: Tensor
    V: Tensor


@_prints_as("linalg_lu")
class LU(NamedTuple):
    """Of `linalg.lu` and `lu_unpack`."""

    P: Tensor
    L: Tensor
    U: Tensor


@_prints_as("linalg_lu_factor")
class LUFactor(NamedTuple):
    """Of `linalg.lu_factor`."""

    LU: Tensor
    pivots: Tensor


@_prints_as("linalg_lu_factor_ex")
class LUFactorAndInfo(NamedTuple):
    """Of `linalg.lu_factor_ex`."""

    LU: Tensor
    pivots: Tensor
    info: Tensor


@_prints_as("linalg_lstsq")
class LeastSquares(NamedTuple):
    """Of `linalg.lstsq`."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


@_prints_as("triangular_solve")
class TriangularSolution(NamedTuple):
    """Of `triangular_solve`."""

    solution: Tensor
    cloned_coefficient: Tensor


@_prints_as("histogram")
class Histogram(NamedTuple):
    """Of `histogram`."""

    hist: Tensor
    bin_edges: Tensor

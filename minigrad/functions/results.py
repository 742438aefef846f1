"""What functions return that have several results: tuples with names, as PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from minigrad.core.tensor import Tensor, of_parts
from minigrad.dtypes import printed

C = TypeVar("C", bound=type)


def prints_as(name: str) -> Callable[[C], C]:
    """Class decorator: a tuple prints as PyTorch's ``return_types`` of a function, each part on lines of its own."""

    def __repr__(self: Any) -> str:
        parts = (f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
        return printed(f"return_types.{name}(\n" + ",\n".join(parts) + ")")

    def decorated(cls: C) -> C:
        setattr(cls, "__repr__", __repr__)  # noqa: B010
        setattr(cls, "__new__", of_parts)  # noqa: B010
        return cls

    return decorated


@prints_as("aminmax")
class Extremes(NamedTuple):
    """Of `aminmax`."""

    min: Tensor
    max: Tensor


@prints_as("frexp")
class MantissaAndExponent(NamedTuple):
    """Of `frexp`."""

    mantissa: Tensor
    exponent: Tensor


@prints_as("linalg_inv_ex")
class InverseAndInfo(NamedTuple):
    """Of `linalg.inv_ex`."""

    inverse: Tensor
    info: Tensor


@prints_as("linalg_solve_ex")
class ResultAndInfo(NamedTuple):
    """Of `linalg.solve_ex`."""

    result: Tensor
    info: Tensor


@prints_as("linalg_cholesky_ex")
class FactorAndInfo(NamedTuple):
    """Of `linalg.cholesky_ex`."""

    L: Tensor
    info: Tensor


@prints_as("linalg_slogdet")
class SignAndLogDet(NamedTuple):
    """Of `linalg.slogdet`."""

    sign: Tensor
    logabsdet: Tensor


@prints_as("linalg_qr")
class QR(NamedTuple):
    """Of `linalg.qr`."""

    Q: Tensor
    R: Tensor


@prints_as("qr")
class OlderQR(QR):
    """Of `qr`."""


@prints_as("linalg_eig")
class Eig(NamedTuple):
    """Of `linalg.eig`."""

    eigenvalues: Tensor
    eigenvectors: Tensor


@prints_as("linalg_eigh")
class Eigh(NamedTuple):
    """Of `linalg.eigh`."""

    eigenvalues: Tensor
    eigenvectors: Tensor


@prints_as("linalg_svd")
class SVD(NamedTuple):
    """Of `linalg.svd`."""

    U: Tensor
    S: Tensor
    Vh: Tensor


@prints_as("svd")
class OlderSVD(NamedTuple):
    """Of `svd`, with the right vectors in columns."""

    U: Tensor
    S: Tensor
    V: Tensor


@prints_as("linalg_lu")
class LU(NamedTuple):
    """Of `linalg.lu`."""

    P: Tensor
    L: Tensor
    U: Tensor


@prints_as("lu_unpack")
class Unpacked(LU):
    """Of `lu_unpack`."""


@prints_as("linalg_lu_factor")
class LUFactor(NamedTuple):
    """Of `linalg.lu_factor`."""

    LU: Tensor
    pivots: Tensor


@prints_as("linalg_lu_factor_ex")
class LUFactorAndInfo(NamedTuple):
    """Of `linalg.lu_factor_ex`."""

    LU: Tensor
    pivots: Tensor
    info: Tensor


@prints_as("linalg_lstsq")
class LeastSquares(NamedTuple):
    """Of `linalg.lstsq`."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


@prints_as("triangular_solve")
class TriangularSolution(NamedTuple):
    """Of `triangular_solve`."""

    solution: Tensor
    cloned_coefficient: Tensor

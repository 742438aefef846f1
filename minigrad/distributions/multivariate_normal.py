"""The multivariate normal distribution."""

from __future__ import annotations

import math

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import attribute, draw, lazy_property, one_matrix, parameters
from minigrad.errors import value_error
from minigrad.functions.arranged import broadcast_shapes
from minigrad.functions.creation import eye
from minigrad.linalg import cholesky, solve_triangular

__all__ = ["MultivariateNormal"]


def _batch_mv(matrix: Tensor, vector: Tensor) -> Tensor:
    """The products of matrices and vectors, of any batch."""
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def _batch_mahalanobis(scale_tril: Tensor, difference: Tensor) -> Tensor:
    """The squared length of ``inverse(scale_tril) @ difference``."""
    shape = broadcast_shapes(scale_tril.shape[:-2], difference.shape[:-1])
    n = difference.shape[-1]
    columns = difference.expand(*shape, n).unsqueeze(-1)
    solved = solve_triangular(scale_tril.expand(*shape, n, n), columns, upper=False)
    return solved.squeeze(-1).square().sum(-1)


def _log_diagonal(matrix: Tensor) -> Tensor:
    """The sum of the logarithms of the diagonal: half the log determinant that a Cholesky factor stands for."""
    return matrix.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def _precision_to_scale_tril(precision: Tensor) -> Tensor:
    """The Cholesky factor of the inverse: that of the matrix with rows and columns in reverse order, inverted."""
    reverse = cholesky(precision.flip((-2, -1))).flip((-2, -1)).mT
    identity = eye(precision.shape[-1], dtype=precision.dtype).expand(precision.shape)
    return solve_triangular(reverse, identity, upper=False)


class OfCovariance(Distribution):
    """Base class of what has a covariance, given as such, by its inverse or by its Cholesky factor."""

    # of what was given, without the dimensions of the batch that only other parameters have
    _unbroadcasted_scale_tril: Tensor

    def _follow(self, name: str, matrix: Tensor) -> None:
        """Sets the factor, from the matrix that was given under this name."""
        if name == "covariance_matrix":
            matrix = cholesky(matrix)
        self._unbroadcasted_scale_tril = (
            _precision_to_scale_tril(matrix) if name == "precision_matrix" else matrix
        )

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        return self._for_each(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self._for_each(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        factor = self._unbroadcasted_scale_tril
        identity = eye(factor.shape[-1], dtype=factor.dtype).expand(factor.shape)
        inverse = solve_triangular(factor, identity, upper=False)
        return self._for_each(inverse.mT @ inverse)

    def _for_each(self, matrix: Tensor) -> Tensor:
        """The matrix, expanded to the batch."""
        return matrix.expand(*self._batch_shape, *matrix.shape[-2:])


class MultivariateNormal(OfCovariance):
    """Normal vectors with mean ``loc`` and one of covariance, precision (its inverse) and ``scale_tril`` (Cholesky)."""

    arg_constraints = parameters(
        loc=constraints.real_vector,
        covariance_matrix=constraints.positive_definite,
        precision_matrix=constraints.positive_definite,
        scale_tril=constraints.lower_cholesky,
    )
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Tensor, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if loc.dim() < 1:
            raise value_error("loc must be at least one-dimensional.")
        name, matrix = one_matrix(self, covariance_matrix, precision_matrix, scale_tril)
        batch = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand(*batch, *matrix.shape[-2:]))
        self.loc = loc.expand(*batch, loc.shape[-1])
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        self._follow(name, matrix)

    mean = mode = attribute("loc")

    @property
    def variance(self) -> Tensor:
        return self._unbroadcasted_scale_tril.square().sum(-1).expand(*self._batch_shape, *self._event_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.loc + _batch_mv(self._unbroadcasted_scale_tril, draw("normal", self.loc, shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        distance = _batch_mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - _log_diagonal(
            self._unbroadcasted_scale_tril
        )

    def entropy(self) -> Tensor:
        half = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + _log_diagonal(
            self._unbroadcasted_scale_tril
        )
        return half.expand(self._batch_shape)

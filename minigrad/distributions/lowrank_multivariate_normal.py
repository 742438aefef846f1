"""Normal vectors whose covariance is a diagonal plus a matrix of low rank."""

from __future__ import annotations

import math

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.multivariate_normal import _batch_mahalanobis, _batch_mv, _log_diagonal
from minigrad.distributions.utils import attribute, draw, formula, lazy_property, parameters
from minigrad.errors import value_error
from minigrad.functions.arranged import broadcast_shapes
from minigrad.functions.creation import eye
from minigrad.linalg import cholesky, solve_triangular

__all__ = ["LowRankMultivariateNormal"]


class LowRankMultivariateNormal(Distribution):
    """Normal vectors with covariance ``cov_factor @ cov_factor.mT + diag(cov_diag)``."""

    arg_constraints = parameters(
        loc=constraints.real_vector,
        cov_factor=constraints.independent(constraints.real, 2),
        cov_diag=constraints.independent(constraints.positive, 1),
    )
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None
    ) -> None:
        if loc.dim() < 1:
            raise value_error("loc must be at least one-dimensional.")
        n = loc.shape[-1:]
        if cov_factor.dim() < 2 or cov_factor.shape[-2:-1] != n:
            raise value_error(f"cov_factor must be a batch of matrices with shape {n[0]} x m")
        if cov_diag.shape[-1:] != n:
            raise value_error(f"cov_diag must be a batch of vectors with shape {tuple(n)}")
        batch = broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        self.loc, self.cov_diag = loc.expand(*batch, *n), cov_diag.expand(*batch, *n)
        self.cov_factor = cov_factor.expand(*batch, *cov_factor.shape[-2:])
        super().__init__(batch, n, validate_args=validate_args)

    @property
    def _capacitance_tril(self) -> Tensor:
        """The Cholesky factor of ``1 + W.T @ inverse(D) @ W``, by which the covariance is inverted (Woodbury)."""
        scaled = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        small = scaled @ self.cov_factor
        return cholesky(small + eye(small.shape[-1], dtype=small.dtype))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        return cholesky(self.covariance_matrix)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        scaled = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        a = solve_triangular(self._capacitance_tril, scaled, upper=False)
        return self.cov_diag.reciprocal().diag_embed() - a.mT @ a

    mean = mode = attribute("loc")

    variance = formula(lambda self: self.cov_factor.square().sum(-1) + self.cov_diag)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        across = draw("normal", self.loc, (*shape[:-1], self.cov_factor.shape[-1]))
        along = draw("normal", self.loc, shape)
        return self.loc + _batch_mv(self.cov_factor, across) + self.cov_diag.sqrt() * along

    def _log_det(self) -> Tensor:
        return 2 * _log_diagonal(self._capacitance_tril) + self.cov_diag.log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        difference = value - self.loc
        along = (difference.square() / self.cov_diag).sum(-1)
        across = _batch_mahalanobis(
            self._capacitance_tril, _batch_mv(self.cov_factor.mT, difference / self.cov_diag)
        )
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + self._log_det() + along - across)

    def entropy(self) -> Tensor:
        return 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._log_det())

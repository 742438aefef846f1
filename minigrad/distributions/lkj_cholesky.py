"""Cholesky factors of correlation matrices."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.beta import Beta
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import broadcast_all, draw, parameters
from minigrad.errors import value_error
from minigrad.functions.creation import arange
from minigrad.functions.gamma import mvlgamma
from minigrad.functions.table import lgamma
from minigrad.functions.typed import finfo

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """The LKJ distribution of Cholesky factors L: ``L @ L.T`` is a correlation matrix of ``dim`` rows.

    The density of the correlation matrix is proportional to its determinant to the power ``concentration - 1``, so 1
    is uniform, and more favours weak correlations (Lewandowski, Kurowicka and Joe, 2009; samples by the onion method
    of their section 3.2, the constant from their page 1999). ValueError for a ``dim`` below 2.
    """

    arg_constraints = parameters(concentration=constraints.positive)
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise value_error(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        eta = self.concentration.detach().unsqueeze(-1)
        # the number of entries before the diagonal that a row has beyond its first; row 0 has none, as row 1
        beyond = (arange(self.dim, dtype=eta.dtype) - 1).clamp(min=0)
        square = Beta(beyond + 0.5, eta + (self.dim - 2 - beyond) / 2).sample(sample_shape).unsqueeze(-1)
        normal = draw("normal", eta, self._extended_shape(sample_shape)).tril(-1)
        length = normal.norm(dim=-1, keepdim=True)
        direction = normal / length.masked_fill(length == 0, 1.0)
        rows = square.sqrt() * direction
        rest = (1 - rows.square().sum(-1)).clamp(min=finfo(rows.dtype).tiny).sqrt()
        return rows + rest.diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, eta = self.dim - 1, self.concentration
        # The determinant is the square of the product of the diagonal.  The change from factors to correlations adds
        # one power for each row below.
        powers = 2 * (eta - 1).unsqueeze(-1) + (self.dim - arange(2, self.dim + 1))
        density = (powers * value.diagonal(dim1=-1, dim2=-2)[..., 1:].log()).sum(-1)
        top = eta + 0.5 * n
        constant = 0.5 * n * math.log(math.pi) + mvlgamma(top - 0.5, n) - lgamma(top) * n
        return density - constant

"""The Laplace distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import broadcast_all, draw, parameters
from minigrad.functions.typed import finfo

__all__ = ["Laplace"]


class Laplace(Distribution):
    """Laplace with that centre and scale."""

    arg_constraints = parameters(loc=constraints.real, scale=constraints.positive)
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.square()

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        u = draw("uniform", self.loc, shape, finfo(self.loc.dtype).eps - 1, 1.0)
        return self.loc - self.scale * u.sign() * (-u.abs()).log1p()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = value - self.loc
        return 0.5 - 0.5 * z.sign() * (-z.abs() / self.scale).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        half = value - 0.5
        return self.loc - self.scale * half.sign() * (-2 * half.abs()).log1p()

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()

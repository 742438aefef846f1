"""The Laplace distribution."""

from __future__ import annotations

import math

from minigrad.core.tensor import Tensor
from minigrad.distributions.distribution import LocScale, Shape
from minigrad.distributions.utils import attribute, draw, formula
from minigrad.functions.typed import finfo

__all__ = ["Laplace"]


class Laplace(LocScale):
    """The Laplace distribution with mean ``loc`` and scale ``scale``."""

    mean = attribute("loc")
    variance = formula(lambda self: 2 * self.scale.square())
    stddev = formula(lambda self: math.sqrt(2) * self.scale)

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

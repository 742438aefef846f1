"""The Cauchy distribution."""

from __future__ import annotations

import math

from minigrad.core.tensor import Tensor
from minigrad.distributions.distribution import LocScale, Shape
from minigrad.distributions.utils import draw, formula
from minigrad.functions.creation import full_like

__all__ = ["Cauchy"]


class Cauchy(LocScale):
    """The Cauchy distribution with median ``loc`` and half width at half maximum ``scale``."""

    mean = formula(lambda self: full_like(self.loc, math.nan))
    variance = formula(lambda self: full_like(self.loc, math.inf))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.loc + draw("cauchy", self.loc, shape) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - ((value - self.loc) / self.scale).square().log1p()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()

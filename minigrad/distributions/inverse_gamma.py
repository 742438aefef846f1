"""The inverse gamma distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import PowerTransform
from minigrad.distributions.utils import attribute, formula, parameters
from minigrad.functions.creation import ones
from minigrad.functions.elementwise import where
from minigrad.functions.table import lgamma

__all__ = ["InverseGamma"]


class InverseGamma(TransformedDistribution):
    """The inverse gamma distribution: 1 / x of x from `Gamma`; its mean is inf up to concentration 1."""

    base_dist: Gamma
    arg_constraints = parameters(concentration=constraints.positive, rate=constraints.positive)
    support = constraints.positive
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        super().__init__(base, PowerTransform(-ones(())), validate_args)

    concentration, rate = attribute("base_dist.concentration"), attribute("base_dist.rate")
    mean = formula(lambda self: where(self.concentration > 1, self.rate / (self.concentration - 1), math.inf))
    mode = formula(lambda self: self.rate / (self.concentration + 1))

    @property
    def variance(self) -> Tensor:
        a = self.concentration
        return where(a > 2, self.rate.square() / ((a - 1).square() * (a - 2)), math.inf)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + self.rate.log() + lgamma(a) - (1 + a) * a.digamma()

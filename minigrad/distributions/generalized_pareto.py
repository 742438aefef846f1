"""The generalized Pareto distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import attribute, broadcast_all, draw, parameters
from minigrad.functions.elementwise import where

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """The generalized Pareto distribution of excesses over ``loc``; the shape ``concentration`` has any sign.

    The probability of more than ``loc + scale * z`` is ``(1 + concentration * z) ** (-1 / concentration)``, and
    ``exp(-z)`` for a concentration of 0 (Pickands 1975).
    """

    arg_constraints = parameters(
        loc=constraints.real, scale=constraints.positive, concentration=constraints.real
    )
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, where(self.concentration < 0, end, math.inf))

    @property
    def mean(self) -> Tensor:
        finite = self.concentration < 1
        mean = self.loc + self.scale / (1 - where(finite, self.concentration, 0.5))
        return where(finite, mean, math.nan)

    mode = attribute("loc")

    @property
    def variance(self) -> Tensor:
        finite = self.concentration < 0.5
        shape = where(finite, self.concentration, 0.25)
        return where(finite, self.scale.square() / ((1 - shape).square() * (1 - 2 * shape)), math.nan)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self.icdf(draw("uniform", self.loc, self._extended_shape(sample_shape)))

    def _shape(self) -> tuple[Tensor, Tensor]:
        """Where the concentration is 0, and the concentration with 1 there."""
        zero = self.concentration.abs() <= 1e-8
        return zero, where(zero, 1.0, self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, shape = self._shape()
        power = 1 / shape + 1
        # for a concentration of -1 the density is flat, also at the end, where the logarithm is infinite
        slope = where(power == 0, 0.0, power * (shape * z).log1p())
        return -self.scale.log() - where(zero, z, slope)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of more than ``value``."""
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, shape = self._shape()
        return where(zero, -z, -(shape * z).log1p() / shape)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of `cdf`."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        log_above = (-value).log1p()
        zero, shape = self._shape()
        curved = self.loc + self.scale / shape * (-shape * log_above).expm1()
        return where(zero, self.loc - self.scale * log_above, curved)

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1

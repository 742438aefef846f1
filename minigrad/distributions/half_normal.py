"""The half-normal distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.normal import Normal
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import AbsTransform
from minigrad.distributions.utils import attribute, formula, parameters
from minigrad.functions.creation import zeros_like
from minigrad.functions.elementwise import where

__all__ = ["HalfNormal"]


class Half(TransformedDistribution):
    """The absolute value of a number whose distribution is symmetric around 0."""

    base_dist: Any
    arg_constraints = parameters(scale=constraints.positive)
    support = constraints.nonnegative
    has_rsample = True
    scale = attribute("base_dist.scale")
    mode = formula(lambda self: zeros_like(self.scale))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        log_prob = self.base_dist.log_prob(value) + math.log(2)
        return where(value >= 0, log_prob, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob: Tensor) -> Tensor:
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)


class HalfNormal(Half):
    """The half-normal distribution: the absolute value of a normal number with mean 0."""

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(0.0, scale, validate_args=False), AbsTransform(), validate_args)

    mean = formula(lambda self: self.scale * math.sqrt(2 / math.pi))
    variance = formula(lambda self: self.scale.square() * (1 - 2 / math.pi))

"""The log-normal distribution."""

from __future__ import annotations

from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.normal import Normal
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import ExpTransform
from minigrad.distributions.utils import attribute, formula, parameters

__all__ = ["LogNormal"]


class LogNormal(TransformedDistribution):
    """The log-normal distribution: the logarithm is normal with mean ``loc`` and standard deviation ``scale``."""

    base_dist: Normal
    arg_constraints = parameters(loc=constraints.real, scale=constraints.positive)
    support = constraints.positive
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args=validate_args), ExpTransform(), validate_args)

    loc, scale = attribute("base_dist.loc"), attribute("base_dist.scale")
    mean = formula(lambda self: (self.loc + self.scale.square() / 2).exp())
    mode = formula(lambda self: (self.loc - self.scale.square()).exp())

    @property
    def variance(self) -> Tensor:
        square = self.scale.square()
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() + self.loc

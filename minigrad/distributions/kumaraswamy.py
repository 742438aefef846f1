"""The Kumaraswamy distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import AffineTransform, PowerTransform
from minigrad.distributions.uniform import Uniform
from minigrad.distributions.utils import broadcast_all, euler_constant, formula, parameters
from minigrad.functions.creation import ones_like, zeros_like
from minigrad.functions.elementwise import where
from minigrad.functions.table import lgamma

__all__ = ["Kumaraswamy"]


def _log_moment(a: Tensor, b: Tensor, n: int) -> Tensor:
    """The logarithm of the mean of the n-th power."""
    part = 1 + n / a
    return lgamma(part) + b.log() + lgamma(b) - lgamma(part + b)


class Kumaraswamy(TransformedDistribution):
    """The Kumaraswamy distribution on (0, 1), close to `Beta`, with a closed distribution function."""

    arg_constraints = parameters(concentration1=constraints.positive, concentration0=constraints.positive)
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        base = Uniform(
            zeros_like(self.concentration0), ones_like(self.concentration0), validate_args=validate_args
        )
        transforms = [
            PowerTransform(self.concentration0.reciprocal()), AffineTransform(1.0, -1.0),
            PowerTransform(self.concentration1.reciprocal()),
        ]  # fmt: skip
        super().__init__(base, transforms, validate_args)

    mean = formula(lambda self: _log_moment(self.concentration1, self.concentration0, 1).exp())

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        inside = (a - 1) / (a * b - 1)
        return where((a < 1) | (b < 1), math.nan, inside ** a.reciprocal())

    @property
    def variance(self) -> Tensor:
        second = _log_moment(self.concentration1, self.concentration0, 2).exp()
        return second - self.mean.square()

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        harmonic = (b + 1).digamma() + euler_constant
        return 1 - b.reciprocal() + (1 - a.reciprocal()) * harmonic - a.log() - b.log()

"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.chances import Odds
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import (
    bce,
    broadcast_all,
    clamp_probs,
    draw,
    lazy_property,
    logits_to_probs,
    parameters,
)
from minigrad.functions.elementwise import where

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(Odds, Distribution):
    """Continuous Bernoulli on [0, 1]: a density proportional to ``probs**x * (1 - probs)**(1 - x)``."""

    arg_constraints = parameters(probs=constraints.unit_interval, logits=constraints.real)
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, probs: Any = None, logits: Any = None, lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        value, self._lims = self._set(probs, logits), lims
        # as in PyTorch the constructor clamps, after the check
        super().__init__(value.shape, validate_args=validate_args)
        if logits is None:
            self.probs = clamp_probs(value)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities that belong to `logits`, clamped."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _far(self) -> Tensor:
        """Where probs is not so near to a half that series are better."""
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut(self) -> Tensor:
        return where(self._far(), self.probs, self._lims[0])

    def _log_norm(self) -> Tensor:
        cut, x = self._cut(), (self.probs - 0.5).square()
        exact = ((-cut).log1p() - cut.log()).abs().log() - (1.0 - 2.0 * cut).abs().log()
        return where(self._far(), exact, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self) -> Tensor:
        cut, x = self._cut(), self.probs - 0.5
        exact = cut / (2.0 * cut - 1.0) + 1.0 / ((-cut).log1p() - cut.log())
        return where(self._far(), exact, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.square()) * x)

    @property
    def variance(self) -> Tensor:
        cut, x = self._cut(), (self.probs - 0.5).square()
        exact = cut * (cut - 1.0) / (1.0 - 2.0 * cut).square() + 1.0 / ((-cut).log1p() - cut.log()).square()
        return where(self._far(), exact, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self.icdf(draw("uniform", self.probs, self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -bce(logits, value) + self._log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        cut = self._cut()
        exact = (cut**value * (1.0 - cut) ** (1.0 - value) + cut - 1.0) / (2.0 * cut - 1.0)
        inside = where(self._far(), exact, value)
        return where(value <= 0.0, 0.0, where(value >= 1.0, 1.0, inside))

    def icdf(self, value: Tensor) -> Tensor:
        cut = self._cut()
        rise = (-cut + value * (2.0 * cut - 1.0)).log1p() - (-cut).log1p()
        return where(self._far(), rise / (cut.log() - (-cut).log1p()), value)

    def entropy(self) -> Tensor:
        failure, success = (-self.probs).log1p(), self.probs.log()
        return self.mean * (failure - success) - self._log_norm() - failure

"""The Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.autograd import no_grad
from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.chances import Odds
from minigrad.distributions.distribution import Shape
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.utils import attribute, bce, broadcast_all, formula, parameters
from minigrad.functions.creation import arange
from minigrad.functions.draws import bernoulli
from minigrad.functions.elementwise import where

__all__ = ["Bernoulli"]


class Bernoulli(Odds, ExponentialFamily):
    """The Bernoulli distribution: 1 with probability ``probs``, or with log odds ``logits``, else 0."""

    arg_constraints = parameters(probs=constraints.unit_interval, logits=constraints.real)
    support = constraints.boolean
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        super().__init__(self._set(probs, logits).shape, validate_args=validate_args)

    mean = attribute("probs")
    mode = formula(lambda self: where(self.probs == 0.5, math.nan, (self.probs >= 0.5).to(self.probs.dtype)))
    variance = formula(lambda self: self.probs * (1 - self.probs))

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return bernoulli(self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -bce(logits, value)

    def entropy(self) -> Tensor:
        return bce(self.logits, self.probs)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(2, dtype=self.probs.dtype)
        values = values.reshape(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values

    _natural_params = formula(lambda self: (self.logits,))

    def _log_normalizer(self, x: Tensor) -> Tensor:
        return x.exp().log1p()

    _mean_carrier_measure = formula(lambda self: 0)

"""Vectors with a single 1."""

from __future__ import annotations

from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.chances import Weights
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import attribute, formula, one_of, parameters
from minigrad.functions.creation import eye
from minigrad.nn.functional import one_hot

__all__ = ["OneHotCategorical", "OneHotCategoricalStraightThrough"]


class OneHotCategorical(Weights, Distribution):
    """`Categorical` as one-hot vectors."""

    arg_constraints = parameters(probs=constraints.simplex, logits=constraints.real_vector)
    _shown = False
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        base = Categorical(probs=probs, logits=logits, validate_args=validate_args)
        setattr(self, one_of(self, probs=probs, logits=logits), base.logits if probs is None else base.probs)
        super().__init__(base.batch_shape, base.param_shape[-1:], validate_args=validate_args)

    @property
    def _categorical(self) -> Categorical:
        if "logits" in vars(self):
            return Categorical(logits=self.logits, validate_args=False)
        return Categorical(probs=self.probs, validate_args=False)

    mean = attribute("probs")
    mode = formula(lambda self: one_hot(self.probs.argmax(dim=-1), self.event_shape[0]).to(self.probs.dtype))
    variance = formula(lambda self: self.probs * (1 - self.probs))

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        drawn = Categorical(probs=self.probs.detach(), validate_args=False).sample(sample_shape)
        return one_hot(drawn, self.event_shape[0]).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self.event_shape[0]
        values = eye(n, dtype=self.probs.dtype).reshape(n, *[1] * len(self.batch_shape), n)
        return values.expand(n, *self.batch_shape, n) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """`OneHotCategorical` whose `rsample` passes gradients straight through to the probabilities."""

    has_rsample = True

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        drawn = self.sample(sample_shape)
        return drawn + (self.probs - self.probs.detach())

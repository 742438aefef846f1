"""One-hot vectors, relaxed so that gradients flow."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.chances import Weights
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import ExpTransform
from minigrad.distributions.utils import attribute, broadcast_all, clamp_probs, draw, one_of, parameters

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]


class ExpRelaxedCategorical(Weights, Distribution):
    """The logarithm of `RelaxedOneHotCategorical`."""

    arg_constraints = parameters(probs=constraints.simplex, logits=constraints.real_vector)
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        base = Categorical(probs=probs, logits=logits)
        setattr(self, one_of(self, probs=probs, logits=logits), base.logits if probs is None else base.probs)
        super().__init__(base.batch_shape, base.param_shape[-1:], validate_args=validate_args)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        uniform = clamp_probs(draw("uniform", self.logits, shape))
        scores: Tensor = (self.logits - (-uniform.log()).log()) / self.temperature
        return scores - scores.logsumexp(dim=-1, keepdim=True)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        k = value.shape[-1]
        t = self.temperature
        norm = math.lgamma(k) + (k - 1) * (t.log() if isinstance(t, Tensor) else math.log(t))
        score: Tensor = logits - value * self.temperature
        return (score - score.logsumexp(dim=-1, keepdim=True)).sum(-1) + norm


class RelaxedOneHotCategorical(TransformedDistribution):
    """Points of the simplex that tend to one-hot vectors as the temperature goes to 0 (Concrete)."""

    base_dist: ExpRelaxedCategorical
    arg_constraints = parameters(probs=constraints.simplex, logits=constraints.real_vector)
    support = constraints.simplex
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args)

    temperature = attribute("base_dist.temperature")
    probs, logits = attribute("base_dist.probs"), attribute("base_dist.logits")

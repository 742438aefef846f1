"""The multinomial distribution."""

from __future__ import annotations

from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.binomial import Binomial
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.chances import Weights
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import broadcast_all, formula, one_of, parameters
from minigrad.errors import value_error
from minigrad.functions.creation import ones_like, tensor, zeros
from minigrad.functions.elementwise import where
from minigrad.functions.table import isinf, lgamma

__all__ = ["Multinomial"]


class Multinomial(Weights, Distribution):
    """The multinomial distribution: how often each of K categories comes in ``total_count`` draws."""

    arg_constraints = parameters(probs=constraints.simplex, logits=constraints.real_vector)
    _shown = False

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        if total_count < 0:
            raise value_error(f"Multinomial(): total_count must not be negative, got {total_count}")
        self.total_count = total_count
        base = Categorical(probs=probs, logits=logits, validate_args=validate_args)
        setattr(self, one_of(self, probs=probs, logits=logits), base.logits if probs is None else base.probs)
        super().__init__(base.batch_shape, base.param_shape[-1:], validate_args=validate_args)

    _categorical = formula(lambda self: Categorical(probs=self.probs, validate_args=False))

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        return constraints.multinomial(self.total_count)

    mean = formula(lambda self: self.probs * self.total_count)
    variance = formula(lambda self: self.total_count * self.probs * (1 - self.probs))

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        drawn = self._categorical.sample((self.total_count, *sample_shape)).movedim(0, -1)
        counts = zeros(self._extended_shape(sample_shape), dtype=self.probs.dtype)
        return counts.scatter_add_(-1, drawn, ones_like(drawn).to(counts.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = where((value == 0) & isinf(logits), 0.0, logits)
        return lgamma(value.sum(-1) + 1) - lgamma(value + 1).sum(-1) + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        n = tensor(float(self.total_count), dtype=self.probs.dtype)
        trials = Binomial(n, probs=self.probs, validate_args=False)
        values = trials.enumerate_support(expand=False)[1:]
        ways = (trials.log_prob(values).exp() * lgamma(values + 1)).sum((0, -1))
        return n * self._categorical.entropy() - lgamma(n + 1) + ways

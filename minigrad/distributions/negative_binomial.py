"""The negative binomial distribution."""

from __future__ import annotations

from typing import Any

from minigrad.autograd import no_grad
from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.chances import Odds
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.utils import broadcast_all, formula, parameters
from minigrad.functions.draws import poisson
from minigrad.functions.elementwise import where
from minigrad.functions.table import lgamma
from minigrad.nn.functional import logsigmoid

__all__ = ["NegativeBinomial"]


class NegativeBinomial(Odds, Distribution):
    """The negative binomial distribution: successes before ``total_count`` failures."""

    arg_constraints = parameters(
        total_count=constraints.greater_than_eq(0),
        probs=constraints.half_open_interval(0.0, 1.0),
        logits=constraints.real,
    )
    support = constraints.nonnegative_integer

    def __init__(
        self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        value = self._set(probs, logits, total_count)
        self.total_count = broadcast_all(total_count, value)[0].type_as(value)
        super().__init__(value.shape, validate_args=validate_args)

    mean = formula(lambda self: self.total_count * self.logits.exp())
    mode = formula(lambda self: ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0))
    variance = formula(lambda self: self.mean / (-self.logits).sigmoid())

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            rates = Gamma(self.total_count, (-self.logits).exp(), validate_args=False)
            return poisson(rates.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.total_count
        chance = n * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
        ways = lgamma(n + value) - lgamma(1.0 + value) - lgamma(n)
        # 0 failures after 0 successes
        return chance + where(n + value == 0.0, 0.0, ways)

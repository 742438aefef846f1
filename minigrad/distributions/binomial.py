"""The binomial distribution."""

from __future__ import annotations

from typing import Any

from minigrad.autograd import no_grad
from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.chances import Odds
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import broadcast_all, formula, parameters
from minigrad.functions.creation import arange
from minigrad.functions.draws import binomial
from minigrad.functions.table import lgamma
from minigrad.nn.functional import logsigmoid

__all__ = ["Binomial"]


class Binomial(Odds, Distribution):
    """The binomial distribution: successes in ``total_count`` trials, each of probability ``probs``."""

    arg_constraints = parameters(
        total_count=constraints.nonnegative_integer, probs=constraints.unit_interval, logits=constraints.real
    )
    has_enumerate_support = True

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        value = self._set(probs, logits, total_count)
        self.total_count = broadcast_all(total_count, value)[0].type_as(value)
        super().__init__(value.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    mean = formula(lambda self: self.total_count * self.probs)
    mode = formula(lambda self: ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count))
    variance = formula(lambda self: self.total_count * self.probs * (1 - self.probs))

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.total_count
        ways = lgamma(n + 1) - lgamma(value + 1) - lgamma(n - value + 1)
        return value * self.logits + ways + n * logsigmoid(-self.logits)

    def entropy(self) -> Tensor:
        values = self.enumerate_support(False)
        log_prob = self.log_prob(values)
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        most = int(self.total_count.max().item())
        if int(self.total_count.min().item()) != most:
            raise NotImplementedError("Inhomogeneous total count not supported by `enumerate_support`.")
        values = arange(1 + most, dtype=self.total_count.dtype)
        values = values.reshape(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values

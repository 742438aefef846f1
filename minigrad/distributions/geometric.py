"""The geometric distribution."""

from __future__ import annotations

from typing import Any

from minigrad.autograd import no_grad
from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.chances import Odds
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import bce, broadcast_all, draw, formula, parameters, showing
from minigrad.errors import value_error
from minigrad.functions.creation import zeros_like
from minigrad.functions.elementwise import where
from minigrad.functions.ensured import everywhere
from minigrad.functions.typed import finfo

__all__ = ["Geometric"]


class Geometric(Odds, Distribution):
    """The geometric distribution: failures before the first success, from 0 on."""

    arg_constraints = parameters(probs=constraints.unit_interval, logits=constraints.real)
    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        value = self._set(probs, logits)
        super().__init__(value.shape, validate_args=validate_args)
        if self._validate_args and logits is None and not everywhere(value > 0):
            with showing():
                raise value_error(
                    f"Expected parameter probs of distribution {self!r} to be positive, but found:\n{value}"
                )

    mean = formula(lambda self: 1.0 / self.probs - 1.0)
    mode = formula(lambda self: zeros_like(self.probs))
    variance = formula(lambda self: (1.0 / self.probs - 1.0) / self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            u = draw("uniform", self.probs, shape, finfo(self.probs.dtype).tiny, 1.0)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        # 0 * log(0) is 0 where success is certain
        sure = (probs == 1) & (value == 0)
        failure = where(sure, 0.0, probs)
        return value * (-failure).log1p() + probs.log()

    def entropy(self) -> Tensor:
        return bce(self.logits, self.probs) / self.probs

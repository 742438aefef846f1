"""The categorical distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.chances import Weights
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import formula, one_of, parameters
from minigrad.errors import value_error
from minigrad.functions.arranged import broadcast_shapes
from minigrad.functions.creation import arange, full_like
from minigrad.functions.draws import multinomial
from minigrad.functions.typed import finfo

__all__ = ["Categorical"]


class Categorical(Weights, Distribution):
    """An integer from 0 to K - 1, with weights ``probs``, or log weights ``logits``, in the last dimension.

    They need not be normalized.
    """

    arg_constraints = parameters(probs=constraints.simplex, logits=constraints.real_vector)
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        name = one_of(self, probs=probs, logits=logits)
        value = probs if name == "probs" else logits
        if not isinstance(value, Tensor) or value.dim() < 1:
            raise value_error(f"`{name}` parameter must be at least one-dimensional.")
        if name == "probs":
            self.probs = value / value.sum(-1, keepdim=True)
        else:
            self.logits = value - value.logsumexp(dim=-1, keepdim=True)
        super().__init__(value.shape[:-1], validate_args=validate_args)

    _num_events = formula(lambda self: self.param_shape[-1])

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self._num_events - 1)

    mean = formula(lambda self: full_like(self.mode, math.nan, dtype=self.probs.dtype))
    mode = formula(lambda self: self.probs.argmax(dim=-1))
    variance = formula(lambda self: full_like(self.mode, math.nan, dtype=self.probs.dtype))

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        weights = self.probs.detach().reshape(-1, self._num_events)
        drawn = multinomial(weights, math.prod(sample_shape), True).T
        return drawn.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value = value.long().unsqueeze(-1)
        logits, shape = self.logits, value._array.shape[:-1]
        if shape != self._batch_shape:
            shape = broadcast_shapes(shape, self._batch_shape)
            logits, value = logits.expand(*shape, self._num_events), value.expand(*shape, 1)
        return logits.gather(-1, value).squeeze(-1)

    def entropy(self) -> Tensor:
        lowest = finfo(self.logits.dtype).min
        return -(self.logits.clamp(min=lowest) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(self._num_events)
        values = values.reshape(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values

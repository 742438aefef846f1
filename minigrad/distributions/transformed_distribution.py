"""`TransformedDistribution`: the distribution of a function of random values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from minigrad.autograd import no_grad
from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.independent import Independent
from minigrad.distributions.transform import ComposeTransform, Transform, deep
from minigrad.distributions.utils import sum_rightmost
from minigrad.errors import value_error

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The distribution of samples of ``base_distribution`` after ``transforms``, applied in order."""

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | Sequence[Transform],
        validate_args: bool | None = None,
    ) -> None:
        given: Any = transforms
        self.transforms: list[Transform] = [*given] if isinstance(given, Iterable) else [given]
        if not all(isinstance(t, Transform) for t in self.transforms):
            raise value_error(f"transforms must be a Transform or a list of Transforms, got {transforms!r}")
        shape = base_distribution.batch_shape + base_distribution.event_shape
        events = len(base_distribution.event_shape)
        transform = ComposeTransform(self.transforms)
        domain, codomain = transform.domain.event_dim, transform.codomain.event_dim
        if len(shape) < domain:
            raise value_error(
                f"base_distribution needs to have shape with size at least {domain}, but got {shape}."
            )
        after = transform.forward_shape(shape)
        before = transform.inverse_shape(after)
        if before != shape:
            base_distribution = base_distribution.expand(before[: len(before) - events])
        if domain > events:
            base_distribution = Independent(base_distribution, domain - events)
        self.base_dist: Any = base_distribution
        cut = len(after) - max(codomain, events + codomain - domain)
        super().__init__(after[:cut], after[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        before = ComposeTransform(self.transforms).inverse_shape((*batch_shape, *self.event_shape))
        new.base_dist = self.base_dist.expand(before[: len(before) - len(self.base_dist.event_shape)])
        return new

    @property
    def has_rsample(self) -> bool:
        """Whether the base has it."""
        return bool(self.base_dist.has_rsample)

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        return deep(self.transforms[-1].codomain, len(self.event_shape))

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            return self._transformed(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self._transformed(self.base_dist.rsample(sample_shape))

    def _transformed(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        events, log_prob, y = len(self.event_shape), 0.0, value
        for transform in reversed(self.transforms):
            x = transform._inv_call(y)
            events += transform.domain.event_dim - transform.codomain.event_dim
            log_det = transform.log_abs_det_jacobian(x, y)
            log_prob = log_prob - sum_rightmost(log_det, events - transform.domain.event_dim)
            y = x
        base = self.base_dist.log_prob(y)
        return log_prob + sum_rightmost(base, events - len(self.base_dist.event_shape))

    def cdf(self, value: Tensor) -> Tensor:
        """By the transforms' inverses; they must be monotonic. So the ends of the support are taken too."""
        for transform in reversed(self.transforms):
            value = transform._inv_call(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._turned(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        """By the transforms; they must be monotonic."""
        return self._transformed(self.base_dist.icdf(self._turned(value)))

    def _turned(self, value: Tensor) -> Tensor:
        """``1 - value`` where the transforms fall."""
        sign = ComposeTransform(self.transforms).sign
        return value if isinstance(sign, int) and sign == 1 else sign * (value - 0.5) + 0.5

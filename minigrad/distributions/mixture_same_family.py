"""Mixtures."""

from __future__ import annotations

from typing import Any

from minigrad.autograd import no_grad
from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import parameters
from minigrad.errors import value_error
from minigrad.nn.functional import log_softmax

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """A mixture: the components are the last batch dimension of one distribution; a `Categorical` chooses."""

    arg_constraints = parameters()

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise value_error("The Mixture distribution needs to be an instance of Categorical")
        if not isinstance(component_distribution, Distribution):
            raise value_error("The Component distribution needs to be an instance of Distribution")
        batch, count = component_distribution.batch_shape[:-1], component_distribution.batch_shape[-1]
        for ours, theirs in zip(reversed(mixture_distribution.batch_shape), reversed(batch), strict=False):
            if ours != 1 and theirs != 1 and ours != theirs:
                raise value_error(
                    f"`mixture_distribution.batch_shape` ({mixture_distribution.batch_shape}) is not compatible with "
                    f"`component_distribution.batch_shape` ({component_distribution.batch_shape})"
                )
        if mixture_distribution.param_shape[-1] != count:
            raise value_error(
                f"`mixture_distribution component` ({mixture_distribution.param_shape[-1]}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({count})"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        super().__init__(batch, component_distribution.event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        components = self._component_distribution
        new = self._get_checked_instance(MixtureSameFamily, _instance)
        MixtureSameFamily.__init__(
            new,
            self._mixture_distribution.expand(batch_shape),
            components.expand((*batch_shape, components.batch_shape[-1])),
            self._validate_args,
        )
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """What chooses the component."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components."""
        return self._component_distribution

    def _weights(self) -> Tensor:
        probs: Tensor = self._mixture_distribution.probs
        return probs.reshape(*probs.shape, *[1] * len(self.event_shape))

    @property
    def mean(self) -> Tensor:
        return (self._weights() * self._component_distribution.mean).sum(-1 - len(self.event_shape))

    @property
    def variance(self) -> Tensor:
        dim = -1 - len(self.event_shape)
        within = (self._weights() * self._component_distribution.variance).sum(dim)
        apart = (self._component_distribution.mean - self.mean.unsqueeze(dim)).square()
        return within + (self._weights() * apart).sum(dim)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            dim = len(sample_shape) + len(self.batch_shape)
            chosen = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            index = chosen.reshape(*chosen.shape, *[1] * (len(self.event_shape) + 1))
            index = index.expand(*drawn.shape[:dim], 1, *self.event_shape)
            return drawn.gather(dim, index).squeeze(dim)

    def log_prob(self, x: Tensor) -> Tensor:
        self._validate_sample(x)
        each = self._component_distribution.log_prob(x.unsqueeze(-1 - len(self.event_shape)))
        weights = log_softmax(self._mixture_distribution.logits, dim=-1)
        return (each + weights).logsumexp(dim=-1)

    def cdf(self, x: Tensor) -> Tensor:
        each = self._component_distribution.cdf(x.unsqueeze(-1 - len(self.event_shape)))
        return (each * self._mixture_distribution.probs).sum(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution!r},\n  {self._component_distribution!r})"

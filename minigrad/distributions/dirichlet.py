"""The Dirichlet distribution."""

from __future__ import annotations

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Shape
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.utils import formula, parameters
from minigrad.errors import value_error
from minigrad.functions.draws import sample_dirichlet
from minigrad.functions.elementwise import where
from minigrad.functions.table import lgamma, xlogy
from minigrad.nn.functional import one_hot

__all__ = ["Dirichlet"]


class Dirichlet(ExponentialFamily):
    """The Dirichlet distribution on the simplex, with the concentrations in the last dimension."""

    arg_constraints = parameters(concentration=constraints.independent(constraints.positive, 1))
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise value_error("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    mean = formula(lambda self: self.concentration / self.concentration.sum(-1, keepdim=True))

    @property
    def mode(self) -> Tensor:
        above = (self.concentration - 1).clamp(min=0.0)
        mode = above / above.sum(-1, keepdim=True)
        # without a concentration above 1 the density is greatest in a corner
        corner = (self.concentration < 1).all(dim=-1, keepdim=True)
        place = one_hot(mode.argmax(-1), self.event_shape[0]).to(mode.dtype)
        return where(corner, place, mode)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, keepdim=True)
        return self.concentration * (total - self.concentration) / (total.square() * (total + 1))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return sample_dirichlet(self.concentration.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a = self.concentration
        return xlogy(a - 1.0, value).sum(-1) + lgamma(a.sum(-1)) - lgamma(a).sum(-1)

    def entropy(self) -> Tensor:
        a = self.concentration
        k, total = a.shape[-1], a.sum(-1)
        norm = lgamma(a).sum(-1) - lgamma(total)
        return norm - (k - total) * total.digamma() - ((a - 1.0) * a.digamma()).sum(-1)

    _natural_params = formula(lambda self: (self.concentration,))

    def _log_normalizer(self, x: Tensor) -> Tensor:
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()

"""Families whose density is an exponential of a sum over natural parameters."""

from __future__ import annotations

from typing import Any

from minigrad.autograd import grad
from minigrad.core.tensor import Tensor
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import sum_rightmost

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Base class of densities ``exp(t(x) @ theta - F(theta) + k(x))``: natural parameters theta, log normalizer F.

    A family of your own has `_natural_params`, `_log_normalizer` and, for `entropy`, `_mean_carrier_measure`, the
    mean of ``k``.  NotImplementedError where one of them is missing.
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Any, **none: Any) -> Tensor:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> float:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """By the gradient of the log normalizer, which is the mean of t."""
        carrier = self._mean_carrier_measure
        theta = [p.detach().requires_grad_() for p in self._natural_params]
        normalizer = self._log_normalizer(*theta)
        means = grad(normalizer.sum(), theta, create_graph=True)
        result = normalizer - carrier
        for p, mean in zip(theta, means, strict=True):
            result = result - sum_rightmost(p * mean, p.dim() - len(self.batch_shape))
        return result

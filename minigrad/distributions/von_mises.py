"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.autograd import no_grad
from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.utils import attribute, broadcast_all, draw, formula, parameters
from minigrad.functions.creation import zeros
from minigrad.functions.elementwise import where
from minigrad.special import i0e, i1e

__all__ = ["VonMises"]


class VonMises(Distribution):
    """The von Mises distribution of angles in [-pi, pi) around ``loc``; ``concentration`` is like 1 / variance."""

    arg_constraints = parameters(loc=constraints.real, concentration=constraints.positive)
    support = constraints.real

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    mean = mode = attribute("loc")

    variance = formula(lambda self: 1 - i1e(self.concentration) / i0e(self.concentration))

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """By rejection (D. J. Best, N. I. Fisher, Efficient simulation of the von Mises distribution, 1979)."""
        with no_grad():
            loc, kappa = self.loc.double(), self.concentration.double()
            root = 1 + (1 + 4 * kappa.square()).sqrt()
            rho = (root - (2 * root).sqrt()) / (2 * kappa)
            # where the difference cancels: its limit
            r = where(kappa < 1e-5, kappa.reciprocal() + kappa, (1 + rho.square()) / (2 * rho))
            shape = self._extended_shape(sample_shape)
            x = zeros(shape, dtype=loc.dtype)
            done = x != 0
            while not bool(done.all()):
                first, second, third = draw("uniform", loc, (3, *shape)).unbind()
                z = (math.pi * first).cos()
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                accept = ((c * (2 - c) - second) > 0) | ((c / second).log() + 1 - c >= 0)
                x = where(accept, (third - 0.5).sign() * f.acos(), x)
                done = done | accept
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        # log(i0) grows as its argument
        norm = i0e(self.concentration).log() + self.concentration
        return self.concentration * (value - self.loc).cos() - math.log(2 * math.pi) - norm

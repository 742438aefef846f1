"""The F distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, Shape
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.utils import broadcast_all, parameters
from minigrad.functions.elementwise import where
from minigrad.functions.table import lgamma
from minigrad.functions.typed import finfo

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Distribution):
    """The F distribution: the ratio of the mean squares of ``df1`` and of ``df2`` standard normal numbers."""

    arg_constraints = parameters(df1=constraints.positive, df2=constraints.positive)
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    def _df2_above(self, least: float) -> Tensor:
        """``df2`` where it is large enough for a moment, else nan, through which no gradient flows."""
        return where(self.df2 > least, self.df2, math.nan)

    @property
    def mean(self) -> Tensor:
        b = self._df2_above(2)
        return b / (b - 2)

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return where(self.df1 > 2, mode, math.nan)

    @property
    def variance(self) -> Tensor:
        a, b = self.df1, self._df2_above(4)
        return 2 * b.square() * (a + b - 2) / (a * (b - 2).square() * (b - 4))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        first = Gamma(self.df1 * 0.5, self.df1, validate_args=False).rsample(sample_shape)
        second = Gamma(self.df2 * 0.5, self.df2, validate_args=False).rsample(sample_shape)
        tiny = finfo(second.dtype).tiny
        second.detach().clamp_(min=tiny)
        ratio = first / second
        ratio.detach().clamp_(min=tiny)
        return ratio

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, b, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        norm = lgamma(a + b) - lgamma(a) - lgamma(b)
        return norm + a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p()

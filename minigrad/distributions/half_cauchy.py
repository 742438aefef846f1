"""The half-Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.distributions.cauchy import Cauchy
from minigrad.distributions.half_normal import Half
from minigrad.distributions.transforms import AbsTransform
from minigrad.distributions.utils import attribute, formula
from minigrad.functions.creation import as_tensor, full_like

__all__ = ["HalfCauchy"]


class HalfCauchy(Half):
    """The half-Cauchy distribution: the absolute value of a Cauchy number with median 0."""

    variance = attribute("base_dist.variance")

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0.0, scale, validate_args=False), AbsTransform(), validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return super().log_prob(as_tensor(value, dtype=self.scale.dtype))

    mean = formula(lambda self: full_like(self.scale, math.inf))

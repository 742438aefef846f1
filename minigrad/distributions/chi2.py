"""The chi-squared distribution."""

from __future__ import annotations

from typing import Any

from minigrad.distributions import constraints
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.utils import broadcast_all, formula, parameters
from minigrad.functions.creation import full_like

__all__ = ["Chi2"]


class Chi2(Gamma):
    """The chi-squared distribution: the sum of the squares of ``df`` standard normal numbers."""

    arg_constraints = parameters(df=constraints.positive)

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        (df,) = broadcast_all(df)
        super().__init__(0.5 * df, full_like(df, 0.5), validate_args=validate_args)

    df = formula(lambda self: self.concentration * 2)

"""Functions made of the gamma function, by SciPy."""

from __future__ import annotations

import math

from minigrad import dtypes
from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error
from minigrad.functions.creation import arange
from minigrad.functions.table import lgamma
from minigrad.gate import public
from minigrad.ops import gamma as ops

__all__ = ["mvlgamma", "polygamma"]


def polygamma(n: int, input: Tensor) -> Tensor:
    """The ``n``-th derivative of `digamma`. RuntimeError for negative ``n``. It needs SciPy."""
    if n < 0:
        raise runtime_error("polygamma(n, x) does not support negative n.")
    return apply(ops.polygamma, (input,), {"n": n})


def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the gamma function of ``p`` dimensions: p*(p-1)/4 * log(pi) and ``lgamma(input - k/2)``, k < p.

    It needs SciPy.
    """
    if p < 1:
        raise runtime_error("p has to be greater than or equal to 1")
    lower = arange(p, dtype=dtypes.common([input._array, 1.0])) / 2
    return lgamma(input.unsqueeze(-1) - lower).sum(-1) + p * (p - 1) / 4 * math.log(math.pi)


METHODS = """
    mvlgamma mvlgamma_
"""
public(globals(), __all__, home="minigrad")

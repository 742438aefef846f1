"""What functions return that have several results: tuples with names, as PyTorch's."""

from __future__ import annotations

from typing import NamedTuple

from minigrad.core.tensor import Tensor


class Extremes(NamedTuple):
    """Of `aminmax`."""

    min: Tensor
    max: Tensor


class MantissaAndExponent(NamedTuple):
    """Of `frexp`."""

    mantissa: Tensor
    exponent: Tensor

"""Causal masks for `scaled_dot_product_attention` where queries and keys differ in number."""

from __future__ import annotations

import enum

import numpy as np

from minigrad.core.tensor import wrap
from minigrad.errors import value_error
from minigrad.tensor import Tensor

__all__ = ["CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Which corner of the matrix of scores the diagonal goes through."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


def causal_upper_left(*size: int) -> Tensor:
    """A bool mask, queries by keys: query ``i`` sees the keys up to ``i``.

    It is a Tensor as any other, where PyTorch has a class that leaves its values for later. ValueError unless there are
    two sizes.
    """
    return _causal("causal_upper_left", size, False)


def causal_lower_right(*size: int) -> Tensor:
    """A bool mask, queries by keys: the last query sees all keys, the one before all but the last, and so on.

    ValueError unless there are two sizes.
    """
    return _causal("causal_lower_right", size, True)


def _causal(name: str, size: tuple[int, ...], right: bool) -> Tensor:
    if len(size) != 2:
        raise value_error(f"{name} only supports 2D tensors: expected queries and keys, got {size}")
    queries, keys = size
    return wrap(np.tri(queries, keys, keys - queries if right else 0, dtype=bool))

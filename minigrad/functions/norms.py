"""Standardizing, for the normalizations of `minigrad.nn.functional`."""

from __future__ import annotations

from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.ops import norms


def standardize(input: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
    """``(input - mean) / sqrt(variance + eps)`` over some dimensions, sorted and counted from the front."""
    return apply(norms.standardize, (input,), {"dim": dims, "eps": float(eps)})


def layer_norm(input: Tensor, weight: Tensor, bias: Tensor | None, eps: float) -> Tensor:
    """`standardize` over the dimensions of ``weight``, the last ones, times ``weight``, plus ``bias``."""
    parts = (input, weight) if bias is None else (input, weight, bias)
    return apply(norms.layer_norm, parts, {"eps": float(eps)})

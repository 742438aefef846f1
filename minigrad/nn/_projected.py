"""A linear map and the cross entropy of what it gives, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

from typing import Any

from minigrad.functions.nn import linear
from minigrad.gate import public
from minigrad.nn._classes import cross_entropy
from minigrad.tensor import Tensor

__all__ = ["linear_cross_entropy"]


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """``cross_entropy(linear(input, linear_weight, linear_bias), target)``.

    ``input`` is (features) or (N, features). ``linear_weight`` is (C, features), or (C, d1, ..., features) for a
    loss of several values for each row; ``linear_bias`` has its shape without the last. The others are those of
    `cross_entropy`. ``options``, PyTorch's ways to save memory, change nothing.
    """
    features = linear_weight.shape[-1]
    shape = linear_weight.shape[:-1]
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    scores = linear(input, linear_weight.reshape(-1, features), bias)
    return cross_entropy(
        scores.reshape(*scores.shape[:-1], *shape),
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

"""A linear map and the cross entropy of what it gives, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

from typing import Any

from minigrad.errors import runtime_error
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
    `cross_entropy`, but that an ``ignore_index`` is refused beside probabilities. ``options``
    (`nn.LinearCrossEntropyOptions`), PyTorch's ways to save memory, change nothing. RuntimeError for shapes that do
    not fit.
    """
    features = linear_weight.shape[-1] if linear_weight.ndim else 0
    shape = linear_weight.shape[:-1]
    if input.ndim not in (1, 2):
        raise runtime_error(f"expected input with dimensionality 1 or 2, got {input.ndim}")
    if len(shape) < 1:
        raise runtime_error(
            f"expected linear_weight with dimensionality at least 2, got {linear_weight.ndim}"
        )
    if input.shape[-1] != features:
        raise runtime_error(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {features}"
        )
    if linear_bias is not None and linear_bias.shape != shape:
        raise runtime_error(f"expected linear_bias shape {tuple(shape)}, got {tuple(linear_bias.shape)}")
    if len(shape) > 1 and input.ndim == 1:
        raise runtime_error(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} requires batched input, "
            f"(N, {features}), got shape {tuple(input.shape)}"
        )
    if ignore_index is not None and target.shape == (*input.shape[:-1], *shape):
        raise runtime_error("ignore_index cannot be specified when target contains probabilities")
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

"""Standardizing, for the normalizations of `minigrad.nn.functional`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.core.apply import apply, cast
from minigrad.core.mode import MODE
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import runtime_error, type_error
from minigrad.functions.inplace import foreach_move_
from minigrad.ops import norms


def scaled(y: Tensor, weight: Tensor | None, bias: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    """``y * weight + bias``; each of the two may be None, and takes ``shape``, in which it broadcasts."""
    kind = y._array.dtype
    if weight is not None:
        y = y * (weight if weight._array.shape == shape else weight.reshape(shape))
    if bias is not None:
        y = y + (bias if bias._array.shape == shape else bias.reshape(shape))
    return y if y._array.dtype is kind else cast(y, kind)


def features(input: Tensor, normalized_shape: Sequence[int], *parts: Tensor | None) -> tuple[int, ...]:
    """The shape over which layer norm goes, after a look at the arguments."""
    if isinstance(normalized_shape, int):
        raise type_error(f"argument 'normalized_shape' must be tuple of ints, not int: ({normalized_shape},)")
    shape = tuple(normalized_shape)
    if not shape:
        raise runtime_error(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, t in zip(("weight", "bias"), parts, strict=False):
        if t is not None and t._array.shape != shape:
            raise runtime_error(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(t._array.shape)} and normalized_shape = {list(shape)}"
            )
    size = input._array.shape
    if len(size) < len(shape) or size[len(size) - len(shape) :] != shape:
        raise runtime_error(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], but "
            f"got input of size{list(size)}"
        )
    return shape


def standardize(input: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
    """``(input - mean) / sqrt(variance + eps)`` over some dimensions, sorted and counted from the front."""
    return apply(norms.standardize, (input,), {"dim": dims, "eps": float(eps)})


def layer_norm(input: Tensor, weight: Tensor, bias: Tensor | None, eps: float) -> Tensor:
    """`standardize` over the dimensions of ``weight``, the last ones, times ``weight``, plus ``bias``."""
    parts = (input, weight) if bias is None else (input, weight, bias)
    return apply(norms.layer_norm, parts, {"eps": float(eps)})


def channel_norm(input: Tensor, weight: Tensor, bias: Tensor | None, groups: int, eps: float) -> Tensor:
    """`standardize` over groups of an example's channels, or each channel of the batch (0), scaled by channel."""
    parts = (input, weight) if bias is None else (input, weight, bias)
    return apply(norms.channel_norm, parts, {"groups": groups, "eps": float(eps)})


def running_norm(
    input: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor | None, eps: float
) -> Tensor:
    """``(input - mean) * (weight / sqrt(var + eps)) + bias`` by channel, without a gradient for mean and variance."""
    known = [t.detach() if t.requires_grad else t for t in (mean, var)]
    if MODE.get().grad:
        # A step in training moves them in place, perhaps before backward reads them.
        known = [t.clone() for t in known]
    parts = (input, *known, weight) if bias is None else (input, *known, weight, bias)
    return apply(norms.running_norm, parts, {"eps": float(eps)})


def follow(
    input: Tensor, mean: Tensor | None, var: Tensor | None, momentum: Any, normed: Tensor | None = None
) -> None:
    """Moves a running mean and variance of the channels, in place, by the share ``momentum`` towards the input's.

    ``normed`` is what `channel_norm` has just made of the input: it had to find both too.
    """
    pairs = [(t, k) for k, t in enumerate((mean, var)) if t is not None]
    if not pairs or not input._array.size:
        return
    plain = normed is not None and not MODE.get().everything
    both: Any = norms.SEEN.take(normed._array, input._array) if plain else None  # type: ignore[union-attr]
    if both is None:
        rows = apply(norms.moments, (input.detach(),), {"correction": 1})
        both = [rows[k] for k in range(2)]
    else:
        both[1] /= input._array.size // len(both[1]) - 1
        both = [wrap(row) for row in both]
    foreach_move_([t for t, _ in pairs], [both[k] for _, k in pairs], momentum)

"""The functions that `minigrad.nn.functional` offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad import errors
from minigrad.functions.elementwise import need_tensor
from minigrad.functions.linalg import matmul
from minigrad.ops import nn
from minigrad.tape import apply, here

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias`` for input (..., in), weight (out, in) or (in), bias (out) or ().

    RuntimeError, with the shapes and the line, where they do not fit or dtypes differ.
    """
    need_tensor("linear", input)
    need_tensor("linear", weight, "weight")
    x, w = input._array, weight._array
    if w.ndim == 2 and x.ndim and x.shape[-1] == w.shape[1] and x.dtype is w.dtype and bias is not None:
        b = bias._array
        if b.ndim == 1 and b.shape[0] == w.shape[0] and b.dtype is w.dtype:
            return apply(nn.linear, (input, weight, bias))
    if w.ndim not in (1, 2) or not x.ndim or x.shape[-1] != w.shape[-1]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, x.shape))} and "
            f"{'x'.join(map(str, w.shape[::-1]))}): linear expects input [..., {w.shape[-1] if w.ndim else '?'}] for a "
            f"weight {list(w.shape)} (out, in), got input {list(x.shape)} at {errors.place(*here())}; "
            "reshape the input or change in_features"
        )
    product = matmul(input, weight.mT if w.ndim == 2 else weight)
    return product if bias is None else product + bias


def relu(input: Tensor) -> Tensor:
    """``max(input, 0)``; gradient 0 at 0. RuntimeError for bool."""
    need_tensor("relu", input)
    if input._array.dtype == bool:
        raise RuntimeError("Boolean inputs not supported for relu")
    return apply(nn.relu, (input,))


def mse_mean(input: Tensor, target: Tensor) -> Tensor:
    """The mean of ``(input - target) ** 2`` over all elements of the broadcast shape (0-d)."""
    return apply(nn.mse_loss, (input, target))

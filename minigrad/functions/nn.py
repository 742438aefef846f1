"""The functions that `minigrad.nn.functional` offers."""

from __future__ import annotations

from minigrad.core.apply import apply
from minigrad.core.tensor import Tensor
from minigrad.dtypes import scalar
from minigrad.errors import describe, runtime_error
from minigrad.functions.linalg import matmul
from minigrad.functions.shape import t
from minigrad.functions.table import relu as relu
from minigrad.gate import public
from minigrad.gate.overriding import enrol
from minigrad.ops import nn


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias`` for input (..., in), weight (out, in) or (in), bias (out) or ().

    RuntimeError, with the shapes and the line, where they do not fit or dtypes differ.
    """
    if bias is not None:
        x, w, shift = input._array, weight._array, bias._array
        usual = x.dtype is w.dtype is shift.dtype and x.ndim and w.ndim == 2
        if usual and w.shape == shift.shape + x.shape[-1:]:
            return apply(nn.linear, (input, weight, bias))
    x, w = input._array, weight._array
    if w.ndim not in (1, 2) or not x.ndim or x.shape[-1] != w.shape[-1]:
        raise runtime_error(
            f"mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, x.shape))} and "
            f"{'x'.join(map(str, w.shape[::-1]))}): linear expects input [..., {w.shape[-1] if w.ndim else '?'}] for a "
            f"weight {list(w.shape)} (out, in), got input {list(x.shape)}; reshape the input or change in_features"
        )
    kinds = [t._array.dtype for t in (input, weight, bias) if t is not None]
    other = next((kind for kind in kinds if kind != kinds[0]), None)
    if other is not None:
        rest = "" if bias is None else f", bias {describe(bias)}"
        told = f"mat1 and mat2 must have the same dtype, but got {scalar(kinds[0])} and {scalar(other)}"
        use = f"convert the input with .to({kinds[1]}), or the module"
        if kinds[0] == kinds[1]:
            told = f"self and mat2 must have the same dtype, but got {scalar(other)} and {scalar(kinds[0])}"
            use = f"convert the bias with .to({kinds[0]})"
        raise runtime_error(f"{told}: input {describe(input)}, weight {describe(weight)}{rest}; {use}")
    product = matmul(input, t(weight) if w.ndim == 2 else weight)
    if bias is None:
        return product
    total: Tensor = product + bias
    if total._array.shape != product._array.shape:
        raise runtime_error(
            f"linear: a bias of shape {list(bias._array.shape)} does not expand to the product's "
            f"{list(product._array.shape)}; it should be ({w.shape[0] if w.ndim == 2 else ''})"
        )
    return total


# Without the gate, for layers, which have looked at the arguments.
plain_linear = linear


def mse_mean(input: Tensor, target: Tensor) -> Tensor:
    """The mean of ``(input - target) ** 2`` over all elements of the broadcast shape (0-d)."""
    return apply(nn.mse_loss, (input, target))


def same_shape(a: Tensor, b: Tensor) -> bool:
    """Whether two Tensors have one shape; cheaper than to compare what `Tensor.shape` makes."""
    return bool(a._array.shape == b._array.shape)


public(globals(), ("linear",))
enrol(plain_linear, linear)

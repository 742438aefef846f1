"""The gradients of convolutions, as `torch.nn.grad` has them: what a hand-written backward pass calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.autograd import grad
from minigrad.autograd.modes import enable_grad, is_grad_enabled
from minigrad.functions.creation import zeros
from minigrad.nn import functional as F
from minigrad.tensor import Tensor

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _gradient(call: Callable[[Tensor], Tensor], size: Sequence[int], grad_output: Tensor) -> Tensor:
    """A convolution is linear in each operand, so the values of the one that is asked for do not matter."""
    create = is_grad_enabled()
    with enable_grad():
        wanted = zeros(tuple(size), dtype=grad_output.dtype, requires_grad=True)
        return grad(call(wanted), wanted, grad_output, create_graph=create)[0]


def _pair(n: int) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """The gradients of the convolution over ``n`` dimensions."""
    convolve: Any = getattr(F, f"conv{n}d")

    def of_input(
        input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1,
    ) -> Tensor:  # fmt: skip
        return _gradient(
            lambda x: convolve(x, weight, None, stride, padding, dilation, groups), input_size, grad_output
        )

    def of_weight(
        input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1,
    ) -> Tensor:  # fmt: skip
        return _gradient(
            lambda w: convolve(input, w, None, stride, padding, dilation, groups), weight_size, grad_output
        )

    for function, what in ((of_input, "input"), (of_weight, "weight")):
        function.__name__ = function.__qualname__ = f"conv{n}d_{what}"
        function.__doc__ = (
            f"The gradient of `minigrad.nn.functional.conv{n}d` with respect to its {what}, which has the shape "
            f"``{what}_size``, from that of its result, ``grad_output``.\n\n"
            "    It can be differentiated itself. RuntimeError for shapes that do not fit."
        )
    return of_input, of_weight


conv1d_input, conv1d_weight = _pair(1)
conv2d_input, conv2d_weight = _pair(2)
conv3d_input, conv3d_weight = _pair(3)

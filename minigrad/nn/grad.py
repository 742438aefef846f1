"""The gradients of convolutions by themselves, as PyTorch's ``torch.nn.grad``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.autograd import enable_grad, grad
from minigrad.autograd.grad_mode import is_grad_enabled
from minigrad.functions.creation import zeros
from minigrad.gate import case, public
from minigrad.hints import module_getattr
from minigrad.nn import functional as F
from minigrad.tensor import Tensor

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _of(
    conv: Callable[..., Tensor], place: int, size: Sequence[int], other: Tensor, g: Tensor, window: Any
) -> Tensor:
    """The gradient of the argument at ``place``, of this size: a convolution is linear, so its values do not matter."""
    create = is_grad_enabled()
    with enable_grad():
        leaf = zeros(*size, dtype=other.dtype, requires_grad=True)
        y = conv(leaf, other, None, *window) if place == 0 else conv(other, leaf, None, *window)
        return grad(y, leaf, g, create_graph=create)[0]


def _input(
    conv: Callable[..., Tensor], input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: Any = 1,
    padding: Any = 0, dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    return _of(conv, 0, input_size, weight, grad_output, (stride, padding, dilation, groups))


def _weight(
    conv: Callable[..., Tensor], input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: Any = 1,
    padding: Any = 0, dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    return _of(conv, 1, weight_size, input, grad_output, (stride, padding, dilation, groups))


_DOC = "The gradient of the {0} of `{1}`, of shape ``{0}_size``, from that of its output."
conv1d_input, conv2d_input, conv3d_input = (
    case(_input, f"{conv.__name__}_input", _DOC.format("input", conv.__name__), conv)
    for conv in (F.conv1d, F.conv2d, F.conv3d)
)
conv1d_weight, conv2d_weight, conv3d_weight = (
    case(_weight, f"{conv.__name__}_weight", _DOC.format("weight", conv.__name__), conv)
    for conv in (F.conv1d, F.conv2d, F.conv3d)
)


public(globals(), __all__, check="none")
module_getattr(globals())

"""Written by `.ci/stubs`: the module, with the functions that it makes."""

from typing import Any
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
__all__ = ['conv1d_input', 'conv1d_weight', 'conv2d_input', 'conv2d_weight', 'conv3d_input', 'conv3d_weight']
def _of(conv: Callable[..., Tensor], place: int, size: Sequence[int], other: Tensor, g: Tensor, window: Any) -> Tensor:
    """The gradient of the argument at ``place``, of this size: a convolution is linear, so its values do not matter."""
def _input(conv: Callable[..., Tensor], input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: Any=1, padding: Any=0, dilation: Any=1, groups: int=1) -> Tensor:
    ...
def _weight(conv: Callable[..., Tensor], input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: Any=1, padding: Any=0, dilation: Any=1, groups: int=1) -> Tensor:
    ...
_DOC: Any
def conv1d_input(input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: Any=1, padding: Any=0, dilation: Any=1, groups: int=1) -> Tensor:
    """The gradient of the input of `conv1d`, of shape ``input_size``, from that of its output."""
def conv2d_input(input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: Any=1, padding: Any=0, dilation: Any=1, groups: int=1) -> Tensor:
    """The gradient of the input of `conv2d`, of shape ``input_size``, from that of its output."""
def conv3d_input(input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: Any=1, padding: Any=0, dilation: Any=1, groups: int=1) -> Tensor:
    """The gradient of the input of `conv3d`, of shape ``input_size``, from that of its output."""
def conv1d_weight(input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: Any=1, padding: Any=0, dilation: Any=1, groups: int=1) -> Tensor:
    """The gradient of the weight of `conv1d`, of shape ``weight_size``, from that of its output."""
def conv2d_weight(input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: Any=1, padding: Any=0, dilation: Any=1, groups: int=1) -> Tensor:
    """The gradient of the weight of `conv2d`, of shape ``weight_size``, from that of its output."""
def conv3d_weight(input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: Any=1, padding: Any=0, dilation: Any=1, groups: int=1) -> Tensor:
    """The gradient of the weight of `conv3d`, of shape ``weight_size``, from that of its output."""

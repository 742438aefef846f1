"""Activations in place, as `minigrad.nn.functional` offers them under names of their own."""

from __future__ import annotations

from minigrad.functions import activations as functions
from minigrad.gate import public
from minigrad.nn import _activations as activations
from minigrad.tensor import Tensor

__all__ = ["celu_", "elu_", "hardtanh_", "leaky_relu_", "relu_", "rrelu_", "selu_", "threshold_"]


def relu_(input: Tensor) -> Tensor:
    """:func:`relu`, in place."""
    return input.relu_()


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """:func:`elu`, in place."""
    return activations.elu(input, alpha, True)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """:func:`celu`, in place."""
    return functions.celu_(input, alpha)


def selu_(input: Tensor) -> Tensor:
    """:func:`selu`, in place."""
    return functions.selu_(input)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """:func:`leaky_relu`, in place."""
    return activations.leaky_relu(input, negative_slope, True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """:func:`hardtanh`, in place."""
    return activations.hardtanh(input, min_val, max_val, True)


def rrelu_(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """:func:`rrelu`, in place."""
    return functions.rrelu_(input, lower, upper, training)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """:func:`threshold`, in place."""
    return activations.threshold(input, threshold, value, True)


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

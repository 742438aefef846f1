"""A multilayer perceptron whose backward pass is written by hand, in plain NumPy.

It knows nothing of minigrad: the generated backprop is compared with it, and the benchmarks race against it.
A network is a list of layers, a layer is its weight ``W`` of shape (in, out) and its bias ``b`` of shape
(1, out), and a batch ``x`` of shape (m, in) goes through it as ``x @ W + b``. ReLU follows every layer but
the last.

``backward`` gives the gradient of *half* the mean squared error: the half cancels the 2 of the square.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SIZES = (2, 64, 64, 64, 1)
"""Two inputs, three hidden layers of 64 neurons, one output."""


class Layer(NamedTuple):
    """A layer's weight and bias, or the gradients of the two."""

    W: Array
    b: Array


class Forward(NamedTuple):
    """What a forward pass leaves for the backward pass."""

    A: list[Array]
    """The input, then every layer's value after its activation; the last one is the prediction."""
    Z: list[Array]
    """Every layer's value before its activation."""

    @property
    def prediction(self) -> Array:
        return self.A[-1]


def initial_layers(seed: int, sizes: Sequence[int] = SIZES) -> list[Layer]:
    """Weights uniform in [-1, 1) from NumPy's legacy generator, layer by layer; biases zero."""
    random = np.random.RandomState(seed)
    return [
        Layer(random.uniform(-1, 1, size=(fan_in, fan_out)), np.zeros((1, fan_out)))
        for fan_in, fan_out in pairwise(sizes)
    ]


def forward(layers: list[Layer], x: Array) -> Forward:
    A, Z = [x], []
    for i, (W, b) in enumerate(layers):
        Z.append(A[i] @ W + b)
        last = i == len(layers) - 1
        A.append(Z[i] if last else np.maximum(Z[i], 0))
    return Forward(A, Z)


def backward(layers: list[Layer], passed: Forward, target: Array) -> list[Layer]:
    """The gradients of half the mean squared error, first layer first."""
    A, Z = passed
    m = len(target)
    gradients: list[Layer] = []
    dA = passed.prediction - target
    for i in reversed(range(len(layers))):
        last = i == len(layers) - 1
        dZ = dA if last else dA * (Z[i] > 0)
        gradients.append(Layer(A[i].T @ dZ / m, dZ.sum(axis=0, keepdims=True) / m))
        if i > 0:
            dA = dZ @ layers[i].W.T
    return gradients[::-1]


def step(layers: list[Layer], gradients: list[Layer], lr: float) -> None:
    """Moves every weight and bias against its gradient, in place, once all gradients are known."""
    for layer, gradient in zip(layers, gradients, strict=True):
        layer.W[...] -= lr * gradient.W
        layer.b[...] -= lr * gradient.b


def mean_squared_error(prediction: Array, target: Array) -> float:
    return float(np.mean((prediction - target) ** 2))

"""The article's backward pass, written by hand in NumPy, checked against finite differences.

``handwritten.backward`` gives the gradients of half the mean squared error with respect to every weight and bias.
Here `minigrad.testing.check_vjp` compares each of them, element by element, with central differences; no Tensor is
involved. The program ends with a report and exit status 1 if one is wrong.
"""

import sys

import handwritten
import numpy as np
from handwritten import Array, Layer

from minigrad.testing import GradcheckError, check_vjp

SIZES = (2, 6, 5, 4, 1)
"""Smaller than the article's, so that every element is looked at in a moment."""


def layers_of(arrays: tuple[Array, ...]) -> list[Layer]:
    return [Layer(W, b) for W, b in zip(arrays[::2], arrays[1::2], strict=True)]


def main() -> int:
    random = np.random.default_rng(3)
    x, target = random.uniform(-1, 1, (7, 2)), random.uniform(-1, 1, (7, 1))
    start = handwritten.initial_layers(99, SIZES)
    # zero biases would put ReLUs with no active input exactly on their kink
    arrays = tuple(
        a for layer in start for a in (layer.W, layer.b + random.uniform(-0.1, 0.1, layer.b.shape))
    )

    def half_mse(*weights: Array) -> Array:
        prediction = handwritten.forward(layers_of(weights), x).prediction
        return np.asarray(((prediction - target) ** 2).mean() / 2)

    def backward(*weights_and_cotangent: Array) -> tuple[Array, ...]:
        *weights, cotangent = weights_and_cotangent
        layers = layers_of(tuple(weights))
        found = handwritten.backward(layers, handwritten.forward(layers, x), target)
        return tuple(cotangent * g for layer in found for g in layer)

    try:
        check_vjp(half_mse, backward, arrays)
    except GradcheckError as error:
        print(error)
        return 1
    count = sum(a.size for a in arrays)
    print(f"The backward pass by hand is right: {count} gradients in {len(arrays)} arrays")
    print("agree with central differences.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

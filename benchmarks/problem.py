"""What all peers are given: the same numbers, made of NumPy alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
Layers = list[tuple[Array, Array]]
Batches = list[tuple[Array, Array]]

SIZES = (2, 64, 64, 64, 1)
"""The article's network: two inputs, three hidden layers of 64 neurons, one output."""
RATE = 1e-5
"""Small, so that nothing diverges however often a step is repeated."""
BATCHES = 8
"""How many a step goes through before one comes back."""


class Step(NamedTuple):
    """A training step, to be called again and again, and the parameters W, b, W, b, ..., W as (in, out)."""

    advance: Callable[[], Any]
    parameters: Callable[[], list[Array]]


def layers(dtype: str) -> Layers:
    """Weights uniform in ±1/sqrt(inputs), biases of shape (1, outputs)."""
    random = np.random.default_rng(0)

    def draw(rows: int, columns: int, bound: float) -> Array:
        return random.uniform(-bound, bound, size=(rows, columns)).astype(dtype)

    return [(draw(n, m, n**-0.5), draw(1, m, n**-0.5)) for n, m in pairwise(SIZES)]


def batches(size: int, dtype: str, count: int = BATCHES) -> Batches:
    """Inputs x (size, 2) and targets (size, 1), standardised as in the article."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(count):
        x = random.uniform(-10, 10, size=(size, 2))
        a, b = x[:, :1], x[:, 1:]
        target = (np.sin(a) + a * np.cos(b) + b + 3 ** (a / 3)) / 10
        found.append(((x / 5.8).astype(dtype), target.astype(dtype)))
    return found


def factors() -> tuple[Array, Array]:
    """Ten numbers, and the ten that they are multiplied by."""
    random = np.random.default_rng(2)
    return random.uniform(1, 2, 10), random.uniform(0.9, 1.1, 10)

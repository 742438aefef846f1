"""HIPS/autograd."""

import itertools
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import autograd
import autograd.numpy as np
import blas
from problem import Array, Batches, Layers, Step


def about() -> str:
    return f"autograd {version('autograd')}"


def threads() -> str:
    return blas.threads()


def chain(x: Array, w: Array, length: int, both: bool) -> Callable[[], Array]:
    def product(x: Any, w: Any) -> Any:
        y = x
        for _ in range(length):
            y = y * w
        return y

    seed = np.ones_like(x)
    arguments = (0, 1) if both else 0

    def run() -> Any:
        backward, _ = autograd.make_vjp(product, arguments)(x, w)
        return backward(seed)[0] if both else backward(seed)

    return run


def step(layers: Layers, batches: Batches, lr: float) -> Step:
    mine = [a.copy() for W, b in layers for a in (W, b[0])]
    data = itertools.cycle(batches)

    def loss_of(parameters: Any, x: Array, target: Array) -> Any:
        for W, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
            x = np.maximum(x @ W + b, 0)
        return np.mean((x @ parameters[-2] + parameters[-1] - target) ** 2)

    gradient = autograd.value_and_grad(loss_of)

    def advance() -> None:
        _, gradients = gradient(mine, *next(data))
        for p, g in zip(mine, gradients, strict=True):
            p -= lr * g

    return Step(advance, lambda: mine)

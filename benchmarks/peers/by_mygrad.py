"""MyGrad."""

import itertools
from collections.abc import Callable
from typing import Any

import blas
import mygrad as mg
from mygrad.nnet.activations import relu
from problem import Array, Batches, Layers, Step


def about() -> str:
    return f"mygrad {mg.__version__}"


def threads() -> str:
    return blas.threads()


def chain(x: Array, w: Array, length: int, both: bool) -> Callable[[], Array]:
    x = mg.tensor(x)
    w = mg.tensor(w, constant=not both)

    def run() -> Any:
        y = x
        for _ in range(length):
            y = y * w
        y.backward()  # of the sum
        return x.grad

    return run


def step(layers: Layers, batches: Batches, lr: float) -> Step:
    mine = [mg.tensor(a) for W, b in layers for a in (W, b[0])]
    data = itertools.cycle(batches)

    def advance() -> None:
        x, target = next(data)
        for W, b in zip(mine[:-2:2], mine[1:-2:2], strict=True):
            x = relu(x @ W + b)
        loss = mg.mean((x @ mine[-2] + mine[-1] - target) ** 2)
        loss.backward()
        for p in mine:
            p.data -= lr * p.grad
            p.null_grad()

    return Step(advance, lambda: [p.data for p in mine])

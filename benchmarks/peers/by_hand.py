"""Forward and backward written by hand, in plain NumPy: the one of examples/handwritten.py."""

import itertools
import sys
from pathlib import Path
from typing import Any

import blas
import memory
import numpy as np
import problem
from problem import Array, Batches, Layers, Step

sys.path.append(str(Path(__file__).parents[2] / "examples"))
import handwritten


def about() -> str:
    return f"numpy {np.__version__} ({blas.name()})"


def threads() -> str:
    return blas.threads()


def step(layers: Layers, batches: Batches, lr: float) -> Step:
    mine = [handwritten.Layer(W.copy(), b.copy()) for W, b in layers]
    data = itertools.cycle(batches)

    def advance() -> float:
        x, target = next(data)
        passed = handwritten.forward(mine, x)
        loss = handwritten.mean_squared_error(passed.prediction, target)
        gradients = handwritten.backward(mine, passed, target)
        handwritten.step(mine, gradients, 2 * lr)  # its gradient is that of half the mean squared error
        return loss

    def parameters() -> list[Array]:
        return [a for W, b in mine for a in (W, b[0])]

    return Step(advance, parameters)


def peak(batch: int, dtype: str) -> dict[str, Any]:
    small = step(problem.layers(dtype), problem.batches(32, dtype), problem.RATE)
    large = step(problem.layers(dtype), problem.batches(batch, dtype), problem.RATE)
    small.advance()
    return memory.peak_of(large.advance)

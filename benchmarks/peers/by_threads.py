"""minigrad's compiled gradients on parts of the batch, which threads share; the optimizer's step comes after."""

from __future__ import annotations

import itertools
import os

import blas
import problem
import threadpoolctl
from problem import Array, Batches, Layers, Step

import minigrad as mg
from peers import torch_api

COUNT = int(os.environ.get("OMP_NUM_THREADS", 0)) or blas.cores()
ROWS = 1250  # of a part, at least


def _step(layers: Layers, batches: Batches, lr: float) -> tuple[Step, mg.compiler.Compiled]:
    net = torch_api.network(mg, layers)
    mean_squared_error = mg.nn.MSELoss()
    optimizer = mg.optim.SGD(net.parameters(), lr=lr)
    data = itertools.cycle([(mg.from_numpy(x), mg.from_numpy(target)) for x, target in batches])

    @mg.compile
    def gradients(x: mg.Tensor, target: mg.Tensor) -> mg.Tensor:
        loss = mean_squared_error(net(x), target)
        loss.backward()
        return loss

    parts = max(2 * COUNT, len(batches[0][0]) // ROWS)  # two for each thread: half the buffers
    shared = mg.in_parts(gradients, parts=parts, batch=(0, 1), reduce="mean", threads=COUNT)

    def advance() -> None:
        shared(*next(data))
        optimizer.step()
        optimizer.zero_grad()

    def parameters() -> list[Array]:
        arrays = [p.detach().numpy() for p in net.parameters()]
        return [a.T if a.ndim == 2 else a for a in arrays]

    return Step(advance, parameters), gradients


def step(layers: Layers, batches: Batches, lr: float) -> Step:
    return _step(layers, batches, lr)[0]


def buffers(batch: int, dtype: str) -> int:
    """Bytes of the buffers of all threads, as the report says."""
    one, gradients = _step(problem.layers(dtype), problem.batches(batch, dtype), problem.RATE)
    one.advance()
    size: int = gradients.report()[0].buffer_bytes
    return size * COUNT


def about() -> str:
    return f"compiled, in parts on threads (threadpoolctl {threadpoolctl.__version__})"


def threads() -> str:
    return f"{COUNT} threads, each with a BLAS of one"

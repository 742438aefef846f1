"""The work by PyTorch's names: ``m`` is torch or minigrad, and nothing else differs."""

from __future__ import annotations

import gc
import itertools
import sys
import time
from collections.abc import Callable
from typing import Any

import memory
import problem
from problem import Array, Batches, Layers, Step


def use(m: Any, prepared: Callable[[Any], Any] = lambda train: train) -> tuple[Any, Any]:
    """``chain`` and ``step`` with the package ``m``; what is called as the step is ``prepared(train)``."""

    def chain(x: Array, w: Array, length: int, both: bool) -> Callable[[], Array]:
        x = m.from_numpy(x).requires_grad_()
        w = m.from_numpy(w).requires_grad_(both)
        seed = m.ones_like(x, requires_grad=False)

        def run() -> Any:
            x.grad = w.grad = None
            y = x
            for _ in range(length):
                y = y * w
            y.backward(seed)
            return x.grad

        return run

    def step(layers: Layers, batches: Batches, lr: float) -> Step:
        net = network(m, layers)
        mean_squared_error = m.nn.MSELoss()
        optimizer = m.optim.SGD(net.parameters(), lr=lr)
        data = itertools.cycle([(m.from_numpy(x), m.from_numpy(target)) for x, target in batches])

        @prepared
        def train(x: Any, target: Any) -> Any:
            loss = mean_squared_error(net(x), target)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            return loss

        def advance() -> None:
            train(*next(data))

        def parameters() -> list[Array]:
            arrays = [p.detach().numpy() for p in net.parameters()]
            return [a.T if a.ndim == 2 else a for a in arrays]

        return Step(advance, parameters)

    return chain, step


def network(m: Any, layers: Layers) -> Any:
    modules = []
    for W, b in layers:
        linear = m.nn.Linear(*W.shape, dtype=getattr(m, str(W.dtype)))
        with m.no_grad():
            linear.weight.copy_(m.from_numpy(W.T.copy()))
            linear.bias.copy_(m.from_numpy(b[0].copy()))
        modules += [linear, m.nn.ReLU()]
    return m.nn.Sequential(*modules[:-1])


# -- a long chain --------------------------------------------------------------------------------------------


def long(m: Any, length: int, watch: Callable[[Any], Any] | None = None) -> dict[str, Any]:
    """A chain of ``length`` multiplications, with the garbage collector off from here on."""
    x = m.full((1,), 2.0, dtype=m.float64).requires_grad_()
    w = m.full((1,), 1.0, dtype=m.float64).requires_grad_()
    for n in (100, length):  # the first, short one makes whatever is made once only
        x.grad = w.grad = None
        gc.collect()
        gc.disable()
        blocks, before = sys.getallocatedblocks(), memory.now()
        start = time.perf_counter()
        y = x
        for _ in range(n):
            y = y * w
        forward = time.perf_counter()
        y.sum().backward()
        backward = time.perf_counter()
        right = x.grad.item() == 1.0 and w.grad.item() == 2.0 * n
        x.grad = w.grad = None
        ref = watch(y) if watch else None
        held = memory.now()
        free = time.perf_counter()
        del y
        freed = time.perf_counter()
    blocks = sys.getallocatedblocks() - blocks
    memory.trim()
    return {
        "right": right,
        "seconds": backward - start + freed - free,
        "forward": forward - start,
        "backward": backward - forward,
        "free": freed - free,
        "dies": None if ref is None else ref() is None,
        "blocks": blocks,
        "held": held - before,
        "left": memory.now() - before,
    }


# -- memory --------------------------------------------------------------------------------------------------


def model(m: Any, batch: int, dtype: str) -> tuple[Callable[..., Any], Any, Any, Any]:
    """The loss of a batch, the network, and a batch."""
    net = network(m, problem.layers(dtype))
    mean_squared_error = m.nn.MSELoss()
    [(x, target)] = problem.batches(batch, dtype, count=1)
    return lambda x, target: mean_squared_error(net(x), target), net, m.from_numpy(x), m.from_numpy(target)


def peak(m: Any, batch: int, dtype: str) -> dict[str, Any]:
    small = use(m)[1](problem.layers(dtype), problem.batches(32, dtype), problem.RATE)
    step = use(m)[1](problem.layers(dtype), problem.batches(batch, dtype), problem.RATE)
    small.advance()  # libraries and threads are there before memory is looked at
    return memory.peak_of(step.advance)

"""JAX on the CPU: the training step compiled by ``jit``, the chain without it."""

import itertools
import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from problem import Array, Batches, Layers, Step

jax.config.update("jax_enable_x64", True)


def about() -> str:
    return f"jax {jax.__version__} (step: jit; chain: not)"


def threads() -> str:
    return f"{os.cpu_count()} threads"


def chain(x: Array, w: Array, length: int, both: bool) -> Callable[[], Array]:
    def product(x: Any, w: Any) -> Any:
        y = x
        for _ in range(length):
            y = y * w
        return y

    x, w, seed = jnp.asarray(x), jnp.asarray(w), jnp.ones_like(x)

    def run() -> Any:
        if both:
            _, backward = jax.vjp(product, x, w)
        else:
            _, backward = jax.vjp(lambda x: product(x, w), x)
        return jax.block_until_ready(backward(seed))[0]

    return run


def step(layers: Layers, batches: Batches, lr: float) -> Step:
    mine = [jnp.asarray(a) for W, b in layers for a in (W, b[0])]
    data = itertools.cycle([(jnp.asarray(x), jnp.asarray(target)) for x, target in batches])

    def loss_of(parameters: Any, x: Any, target: Any) -> Any:
        for W, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
            x = jax.nn.relu(x @ W + b)
        return jnp.mean((x @ parameters[-2] + parameters[-1] - target) ** 2)

    @jax.jit
    def update(parameters: Any, x: Any, target: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, target)
        return loss, [p - lr * g for p, g in zip(parameters, gradients, strict=True)]

    def advance() -> None:
        nonlocal mine
        loss, mine = update(mine, *next(data))
        loss.block_until_ready()

    return Step(advance, lambda: [np.asarray(p) for p in mine])

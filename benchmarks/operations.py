"""Single operations and layers, forward and backward in float32, by PyTorch's names: ``m`` is torch or minigrad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Work = Callable[[], list[Any]]
# What is measured: its name and the bound on minigrad's time, in PyTorch's. Adam's is that of its update alone.
BOUNDS = {
    "LeNet's conv2d, 1 to 6, 5 × 5 on 28 × 28, batch 64": 1.6,
    "LeNet's conv2d, 6 to 16, 5 × 5 on 12 × 12, batch 64": 1.6,
    "conv2d, 64 to 64, 3 × 3 on 14 × 14, batch 32": 1.6,
    "softmax and cross entropy, 1,000 × 1,000": 1.5,
    "layer norm, 4,096 × 256": 1.5,
    "gelu, 4,096 × 256": 1.5,
    "attention, 16 × 4 heads × 64 × 32": 1.5,
    "embedding, 4,096 of 10,000 rows of 64": 1.5,
    "topk, 10 of 1,000 × 1,000": 1.5,
    "sort, 1,000 × 1,000": 1.5,
    "scatter_add, 1,000 × 1,000": 1.5,
    "cumsum, 1,000 × 1,000": 1.5,
    "LSTM, 64 wide, 100 steps, batch 16": 1.2,
    "Adam, 100 parameters of 1,000": 1.0,
    "Adam, 10 parameters of 1,000,000": 1.0,
}


def curve(x: Any) -> Any:
    """The function `f` of the calls: of a row, a number."""
    return (x.tanh() * x).sum()


# Single calls on small arrays, of which there are many in a loop: of a Module or package ``m``, a leaf and a Tensor of
# 32 × 16, and a class for each row.
TIMES = 100
CALLS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "x + y": lambda m, x, y, at: x + y,
    "x @ y.T": lambda m, x, y, at: x @ y.T,
    "x.tanh()": lambda m, x, y, at: x.tanh(),
    "x.sum()": lambda m, x, y, at: x.sum(),
    "x.softmax(1)": lambda m, x, y, at: x.softmax(1),
    "cross_entropy(x, at)": lambda m, x, y, at: m.nn.functional.cross_entropy(x, at),
    "layer_norm(x, (16,))": lambda m, x, y, at: m.nn.functional.layer_norm(x, (16,)),
    "x.view(16, 32)": lambda m, x, y, at: x.view(16, 32),
    "x[3]": lambda m, x, y, at: x[3],
    "x[:, 1:3]": lambda m, x, y, at: x[:, 1:3],
    "x[at]": lambda m, x, y, at: x[at],
    "cat([x, y])": lambda m, x, y, at: m.cat([x, y]),
    "where(y > 0, x, y)": lambda m, x, y, at: m.where(y > 0, x, y),
    "y.max(1)": lambda m, x, y, at: y.max(1).values,
    "y.topk(3)": lambda m, x, y, at: y.topk(3).values,
    "y.add_(0.0)": lambda m, x, y, at: y.add_(0.0),
    "y[0, 0] = 1.0": lambda m, x, y, at: y.__setitem__((0, 0), 1.0) or y,
    "y[0, 0].item()": lambda m, x, y, at: m.tensor(y[0, 0].item()),
    "randn(32, 16)": lambda m, x, y, at: m.randn(32, 16),
    "vmap(grad(f))(y)": lambda m, x, y, at: m.func.vmap(m.func.grad(curve))(y),
    "hessian(f)(y[0])": lambda m, x, y, at: m.func.hessian(curve)(y[0]),
}


def calls(m: Any, name: str) -> Work:
    """`TIMES` calls of one of `CALLS`."""
    random, call = np.random.default_rng(0), CALLS[name]
    x, y = (m.from_numpy(random.standard_normal((32, 16)).astype(np.float32)) for _ in range(2))
    at = m.from_numpy(random.integers(0, 16, 32))
    x.requires_grad_()
    m.manual_seed(0)

    def run() -> list[Any]:
        for _ in range(TIMES):
            result = call(m, x, y, at)
        return [result.detach()]

    return run


def prepare(m: Any, name: str, small: bool = False) -> Work:
    """The work of a name, which returns what it computes, gradients last."""
    if name in CALLS:
        return calls(m, name)
    size = (lambda n: max(2, n // 100)) if small else (lambda n: n)
    random = np.random.default_rng(0)
    kind, F = name.partition(",")[0], m.nn.functional
    numbers = [int(word.replace(",", "")) for word in name.replace(", ", " ").split() if word[0].isdigit()]

    def draw(*shape: int) -> Any:
        return m.from_numpy(random.standard_normal(shape).astype(np.float32))

    def places(high: int, *shape: int) -> Any:
        return m.from_numpy(random.integers(0, high, shape))

    def through(function: Callable[..., Any], *inputs: Any) -> Work:
        """Forward, and backward from a random cotangent to all inputs."""
        leaves = [x.requires_grad_() for x in inputs]
        with m.no_grad():
            seed = draw(*function(*leaves).shape)

        def run() -> list[Any]:
            y = function(*leaves)
            return [y.detach(), *m.autograd.grad(y, leaves, seed)]

        return run

    if "conv2d" in kind:
        inner, outer, k, _, h, w, batch = numbers
        return through(F.conv2d, draw(size(batch), inner, h, w), draw(outer, inner, k, k), draw(outer))
    if kind.startswith("softmax"):
        target = places(size(1000), size(1000))
        return through(lambda x: F.cross_entropy(x, target), draw(size(1000), size(1000)))
    if kind == "layer norm":
        width = size(256)
        inputs = draw(size(4096), width), draw(width), draw(width)
        return through(lambda x, w, b: F.layer_norm(x, (width,), w, b), *inputs)
    if kind == "gelu":
        return through(F.gelu, draw(size(4096), 256))
    if kind == "attention":
        return through(F.scaled_dot_product_attention, *(draw(size(16), 4, size(64), 32) for _ in range(3)))
    if kind == "embedding":
        at = places(size(10_000), size(4096))
        return through(lambda w: F.embedding(at, w), draw(size(10_000), 64))
    square = size(1000), size(1000)
    # without equal elements, whose order is nobody's promise
    apart = m.from_numpy(
        random.permuted(np.tile(np.arange(square[1], dtype=np.float32), (square[0], 1)), axis=1)
    )
    if kind == "topk":
        return through(lambda x: x.topk(min(10, square[0]), 1).values, apart)
    if kind == "sort":
        return through(lambda x: x.sort(1).values, apart)
    if kind == "scatter_add":
        at = places(square[1], *square)
        return through(lambda x, s: x.scatter_add(1, at, s), draw(*square), draw(*square))
    if kind == "cumsum":
        return through(lambda x: x.cumsum(1), draw(*square))
    if kind == "LSTM":
        m.manual_seed(0)
        layer, x, seed = m.nn.LSTM(64, 64), draw(size(100), size(16), 64), draw(size(100), size(16), 64)
        leaves = [x.requires_grad_(), *layer.parameters()]

        def run() -> list[Any]:
            y = layer(x)[0]
            return [y.detach(), *m.autograd.grad(y, leaves, seed)]

        return run
    count, length = numbers
    parameters = [m.nn.Parameter(draw(size(length))) for _ in range(size(count))]
    for p in parameters:
        p.grad = draw(*p.shape)
    optimizer = m.optim.Adam(parameters, lr=1e-5)

    def update() -> list[Any]:
        optimizer.step()
        return [p.detach() for p in parameters]

    return update

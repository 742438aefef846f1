"""A script as users write them: a network is trained, compiled, saved, and asked what it learned.

Type checkers read it, in `test_typing.py`, and the tests run it. ``assert_type`` fails where a type is another one,
or Any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import assert_type

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn, optim


def batches(x: mg.Tensor, y: mg.Tensor, size: int) -> Iterator[tuple[mg.Tensor, mg.Tensor]]:
    order = mg.randperm(len(x))
    assert_type(order, mg.Tensor)
    for part in order.split(size):
        assert_type(part, mg.Tensor)
        yield x[part], y[part]


@mg.no_grad()
def evaluate(net: Callable[[mg.Tensor], mg.Tensor], x: mg.Tensor, y: mg.Tensor) -> float:
    error = (net(x) - y).abs()
    assert_type(error.max(), mg.Tensor)
    worst = error.max(0)
    assert_type(worst.values, mg.Tensor)
    assert_type(worst.indices, mg.Tensor)
    values, indices = error.max(dim=0, keepdim=True)
    assert_type(values + indices, mg.Tensor)
    assert_type(error.mean().item(), int | float | bool)
    return float(error.mean())


def main(epochs: int = 3) -> list[float]:
    generator = mg.manual_seed(0)
    assert_type(generator, mg.Generator)
    x = mg.linspace(-3, 3, 96).reshape(-1, 1)
    y = mg.sin(x) + 0.1 * mg.randn(x.size(0), 1)
    assert_type(x, mg.Tensor)
    assert_type(y, mg.Tensor)
    assert_type(x.shape, mg.Size)
    assert_type(x.shape[0], int)
    assert_type(x.shape[1:], mg.Size)
    assert_type(x.size(), mg.Size)
    assert_type(x.size(0), int)
    assert_type(x.dtype, mg.dtype)
    assert_type(x.requires_grad, bool)

    net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    assert_type(net(x), mg.Tensor)
    assert_type(net[0], nn.Module)
    assert_type(net[:2], nn.Sequential)
    for layer in net:
        assert_type(layer, nn.Module)
    for name, parameter in net.named_parameters():
        assert_type(name, str)
        assert_type(parameter, nn.Parameter)
        assert_type(parameter.grad, mg.Tensor | None)

    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    losses: list[float] = []
    for _ in range(epochs):
        total = mg.zeros(())
        for some_x, some_y in batches(x, y, 32):
            loss = F.mse_loss(net(some_x), some_y)
            assert_type(loss, mg.Tensor)
            optimizer.zero_grad()
            loss.backward()
            assert_type(optimizer.step(), None)
            total += loss.detach()
        assert_type(total, mg.Tensor)
        losses.append(total.item())

    def closure() -> mg.Tensor:
        optimizer.zero_grad()
        loss = F.mse_loss(net(x), y)
        loss.backward()
        return loss

    assert_type(optimizer.step(closure), mg.Tensor)

    @mg.compile
    def step(some_x: mg.Tensor, some_y: mg.Tensor) -> mg.Tensor:
        loss = F.mse_loss(net(some_x), some_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    assert_type(step(x, y), mg.Tensor)
    assert len(step.report()) == 1
    compiled = mg.compile(net)
    assert_type(compiled, nn.Sequential)
    assert_type(compiled(x), mg.Tensor)
    assert_type(mg.source(net(x)), str)

    losses.append(evaluate(net, x, y))
    losses.append(evaluate(compiled, x, y))

    saved = net.state_dict()
    with mg.no_grad():
        for parameter in net.parameters():
            assert_type(parameter.add_(mg.rand_like(parameter), alpha=0.01), mg.Tensor)
            parameter *= 1.0
            assert_type(parameter, nn.Parameter)
    net.load_state_dict(saved)
    assert_type(net.eval(), nn.Sequential)
    assert_type(net.to(mg.float64)(x.double()), mg.Tensor)
    return losses


def tensors() -> None:
    """What single expressions are."""
    a = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    i = mg.arange(2)
    for result in (
        a + 1, 1 + a, a - 1, 1 - a, a * 2, 2 * a, a / 2, 2 / a, a**2, 2**a, a @ a, a // 2, a % 2, -a, +a, abs(a),
        a < 1, a <= 1, a > 1, a >= 1, ~(a > 1), (a > 1) & (a < 3), (a > 1) | (a < 3), (a > 1) ^ (a < 3),
    ):  # fmt: skip
        assert_type(result, mg.Tensor)
    assert_type(a + 1, mg.Tensor)
    assert_type(1 + a, mg.Tensor)
    assert_type(1 / a, mg.Tensor)
    assert_type(mg.add(2, a), mg.Tensor)
    assert_type(a.std(False), mg.Tensor)
    assert_type(mg.zeros(2).random_(1, None), mg.Tensor)
    assert_type(mg.get_num_threads(), int)
    assert_type(a == 1, mg.Tensor)
    assert_type(a != a.grad, mg.Tensor)
    assert_type(a @ a, mg.Tensor)
    assert_type(a[0], mg.Tensor)
    assert_type(a[:, None, ..., 0], mg.Tensor)
    assert_type(a[a > 1], mg.Tensor)
    assert_type(a[[0, 1], i], mg.Tensor)
    assert_type(a.T, mg.Tensor)
    assert_type(a.exp().clamp(0.0, 1.0).relu(), mg.Tensor)
    assert_type(a.sum(0, keepdim=True), mg.Tensor)
    assert_type(a.max(a), mg.Tensor)
    assert_type(mg.where(a > 0, a, 0.0), mg.Tensor)
    assert_type(mg.where(a > 0), tuple[mg.Tensor, ...])
    assert_type(a.nonzero(), mg.Tensor)
    assert_type(a.nonzero(as_tuple=True), tuple[mg.Tensor, ...])
    assert_type(a.split(1), tuple[mg.Tensor, ...])
    assert_type(a.unbind(), tuple[mg.Tensor, ...])
    assert_type(mg.var_mean(a), tuple[mg.Tensor, mg.Tensor])
    assert_type(a.stride(), tuple[int, ...])
    assert_type(a.to(mg.float64), mg.Tensor)
    assert_type(a.type(), str)
    assert_type(a.type(mg.float64), mg.Tensor)
    assert_type(a.detach().clone().mul_(2).exp_().clamp_(0.0, 1.0).zero_(), mg.Tensor)
    assert_type(mg.cat([a, a]), mg.Tensor)
    assert_type(mg.full((2, 3), 1.0, dtype=mg.float64), mg.Tensor)
    assert_type(mg.arange(0, 1, 0.1), mg.Tensor)
    assert_type(mg.get_rng_state(), mg.Tensor)
    assert_type(float(a.detach().sum()), float)
    assert_type(len(a), int)
    for row in a:
        assert_type(row, mg.Tensor)
    assert_type(mg.is_grad_enabled(), bool)
    assert_type(mg.pi, float)


if __name__ == "__main__":
    tensors()
    losses = main()
    assert losses[-1] == losses[-2]

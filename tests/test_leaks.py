"""What is made and dropped is gone: by reference count, or where a cycle cannot be helped by one collection."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn

AT_ONCE: dict[str, Callable[[], Any]] = {}
COLLECTED: dict[str, Callable[[], Any]] = {}


def at_once(function: Callable[[], Any]) -> Callable[[], Any]:
    AT_ONCE[function.__name__] = function
    return function


def collected(function: Callable[[], Any]) -> Callable[[], Any]:
    COLLECTED[function.__name__] = function
    return function


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))


def output(net: Any) -> Any:
    return net(mg.ones(3, 2)).sum()


def function_class() -> type[mg.autograd.Function]:
    class Square(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 2 * x * grads[0]

    return Square


KEPT = function_class()


@at_once
def module() -> Any:
    net = network()
    output(net).backward()
    return net


@at_once
def graph() -> Any:
    return output(network())


@at_once
def function_result() -> Any:
    result = KEPT.apply(mg.ones(2, requires_grad=True))
    result.sum().backward()
    return result


@at_once
def recorded_backward() -> Any:
    x = mg.ones(2, requires_grad=True)
    y = (x**3).sum()
    mg.autograd.grad(y, x, create_graph=True)[0].sum().backward()
    return y


@at_once
def changed_through_a_view() -> Any:
    z = mg.ones(4, requires_grad=True) * 1
    z.retain_grad()
    z[:2].mul_(2)
    z.sum().backward()
    return z


@at_once
def printed() -> Any:
    net = network()
    y = output(net)
    mg.source(y, params=net)
    return y.grad_fn


@at_once
def drawn() -> Any:
    y = output(network())
    mg.draw(y)
    return y.grad_fn


@at_once
def drawing() -> Any:
    return mg.draw(output(network()))


@at_once
def summarised() -> Any:
    net = network()
    mg.summary(net, mg.ones(3, 2))
    return net


@at_once
def optimizer() -> Any:
    net = network()
    sgd = mg.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    output(net).backward()
    sgd.step()
    return sgd


@at_once
def transformed() -> Any:
    x = mg.ones(2)
    result, pull = mg.func.vjp(lambda t: t**3, x)
    pull(result)
    return result


@collected  # a class is a cycle by itself
def dropped_function_class() -> Any:
    square = function_class()
    square.apply(mg.ones(2, requires_grad=True)).sum().backward()
    return square


@collected
def compiled_module() -> Any:
    net = network()
    compiled = mg.compile(net)
    for _ in range(5):
        compiled(mg.ones(3, 2)).sum().backward()
    return net


@collected
def compiled_function() -> Any:
    w = mg.ones(2, requires_grad=True)
    compiled = mg.compile(lambda x: (w * x).sum())
    for _ in range(5):
        compiled(mg.ones(2)).backward()
    return compiled


@collected
def compiled_step() -> Any:
    net = network()
    sgd = mg.optim.SGD(net.parameters(), lr=0.1)

    def step(x: Any) -> Any:
        loss = net(x).pow(2).mean()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        return loss

    compiled = mg.compile(step)
    for _ in range(150):  # past the point where a plan is made
        compiled(mg.ones(3, 2))
    mg.source(compiled)
    return net


@collected
def refused() -> Any:
    compiled = mg.compile(lambda x: x.sum().item())
    for _ in range(20):
        with pytest.raises(RuntimeError, match="item"):
            compiled(mg.ones(2))
    return compiled


@pytest.fixture(autouse=True)
def _without_the_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("name", AT_ONCE)
def test_gone_by_reference_count(name: str) -> None:
    AT_ONCE[name]()  # what is made once, at the first use, is no leak
    gc.collect()
    left = weakref.ref(AT_ONCE[name]())
    assert left() is None
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        cycles = [type(x).__name__ for x in gc.garbage if type(x).__module__.startswith("minigrad")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert not cycles


@pytest.mark.parametrize("name", COLLECTED)
def test_gone_by_one_collection(name: str) -> None:
    left = [weakref.ref(COLLECTED[name]()) for _ in range(3)]
    gc.collect()
    assert [ref() for ref in left] == [None] * 3

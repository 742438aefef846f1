"""`explain`: the steps of a backward pass, with the numbers that backward gives, and nothing changed by it."""

from __future__ import annotations

import gc
import linecache
import re
import weakref
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from cases import case
from op_samples import NO_GRADIENT, ROWS

import minigrad as mg
from minigrad import nn
from minigrad.readers import steps, values

NEURON = """\
x, w, b, target = mg.tensor(2.0), leaf(0.5), leaf(0.1), mg.tensor(1.0)
y = (w * x + b).tanh()
loss = (y - target) ** 2 + 0.01 * w * w
"""


def program(text: str, name: str = "neuron.py", **names: Any) -> dict[str, Any]:
    """The variables of a program whose lines can be looked up."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space: dict[str, Any] = {"mg": mg, "leaf": lambda v: mg.tensor(v, requires_grad=True), **names}
    exec(compile(text, name, "exec"), space)
    return space


def lines(text: object) -> list[str]:
    """The lines of an explanation, with single spaces."""
    return [re.sub(r"\s+", " ", line).strip() for line in str(text).splitlines()]


def article() -> tuple[Any, Any]:
    layers: list[Any] = []
    for a, b in pairwise([2, 64, 64, 64, 1]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    net = nn.Sequential(*layers[:-1])
    return net, nn.functional.mse_loss(net(mg.randn(10, 2)), mg.randn(10, 1))


def test_a_neuron_is_explained_line_by_line() -> None:
    told = program(NEURON + "told = mg.explain(loss)")["told"]
    text = lines(told)
    for line in (
        "neuron.py:2 y = (w * x + b).tanh()",
        "1 t1 = w * x = 0.5 * 2 = 1",
        "3 y = tanh(t2) = tanh(1.1) = 0.8005",
        "g = ∂y = -0.399",
        "∂t2 = g * (1 - y * y) = -0.399 * (1 - 0.8005 * 0.8005) = -0.1433",
        "∂w = g * x = -0.1433 * 2 = -0.2866",
        "added to the ∂w so far = 0.01 + (-0.2866) = -0.2766",
        "w.grad = -0.2766",
        "b.grad = -0.1433",
    ):
        assert line in text, f"{line}\n{told}"
    assert "0.80049902" in str(program(NEURON + "told = mg.explain(loss, precision=8)")["told"])
    html = told._repr_html_()
    assert "<u>∂w</u> = g * x" in html
    assert "<i>  neuron.py:2  y = (w * x + b).tanh()</i>" in html


def test_the_network_of_the_article_fits_two_screens() -> None:
    net, loss = article()
    text = str(mg.explain(loss, net)).splitlines()
    assert len(text) <= 100
    assert max(map(len, text)) <= 80
    told = lines("\n".join(text))
    assert any(line.startswith("t7 = t6 @ 6.weight.T + 6.bias 10 × 1 ") for line in [t[2:] for t in told])
    assert any(line.startswith("∂6.weight = g.T @ t6 1 × 64 ") for line in told)
    assert any(line.startswith("summed, 10 × 64 to 64 64 ") for line in told)  # broadcasting undone
    assert sum(".grad" in line for line in told) == 9  # eight parameters, and the heading


def test_names_are_those_of_the_program() -> None:
    given = program(NEURON + "told = mg.explain(loss, {'slope': w}, inputs={'point': x})")["told"]
    assert "1 t1 = slope * point = 0.5 * 2 = 1" in lines(given)

    def inner(x: Any) -> Any:
        hidden = x * 3
        hidden = hidden + 1
        return hidden

    x = mg.tensor(2.0, requires_grad=True)
    text = lines(mg.explain(inner(x)))
    assert any(line.startswith("1 hidden = x * 3") for line in text)
    assert any(line.startswith("2 hidden_2 = hidden + 1") for line in text)


def test_names_reach_into_modules_lists_and_objects() -> None:
    class Neuron:
        def __init__(self) -> None:
            self.w = mg.tensor([2.0], requires_grad=True)

    layer, rates, neuron = nn.Linear(2, 1), {"lr": mg.tensor([0.5, 0.5])}, Neuron()
    points = [mg.ones(1, 2), mg.ones(1, 2)]
    loss = (layer(points[1]) * neuron.w * rates["lr"]).sum()
    text = lines(mg.explain(loss))
    assert any(line.startswith("1 t1 = points[1] @ layer.weight.T + layer.bias") for line in text)
    assert any(line.startswith("2 t2 = t1 * neuron.w") for line in text)
    assert any(line.startswith("3 t3 = t2 * rates['lr']") for line in text)
    assert "layer.weight.grad 1 × 2 [[2, 2]]" in text
    assert any(line.startswith("1 t1 = points[1] @ weight.T") for line in lines(mg.explain(loss, layer)))
    compiled = mg.compile(layer)
    text = lines(mg.explain(compiled(points[0]).sum()))
    assert any(line.startswith("∂layer.weight = by the rule of Compiled_Linear") for line in text), text


def test_every_operation_is_explained_with_the_gradients_that_backward_gives() -> None:
    for row in ROWS:
        if not row.d or row.op in NO_GRADIENT:
            continue
        with case(row.id):
            xs = [mg.tensor(a, requires_grad=i in row.wanted) for i, a in enumerate(row.draw(0))]
            y = row.run(*xs)
            loss = (y * y).sum()
            told, _, leaves = steps.derivation([loss], {}, 10)
            loss.backward()
            texts = {
                n: leaf.gradient and leaf.gradient.text for n, leaf in zip(leaves, told.leaves, strict=True)
            }
            for i in row.wanted:
                assert texts[xs[i]._node] == values.text(xs[i].grad._array, 10)
            assert told.steps[-2].value is not None
            assert all(share.sent.text and share.name for step in told.steps for share in step.shares)


def test_it_changes_nothing_and_keeps_nothing() -> None:
    calls: list[Any] = []
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    x.register_hook(calls.append)
    loss = (x * x).sum()
    with mg.no_grad():
        told = mg.explain(loss)
    assert (x.grad, calls) == (None, [])
    assert mg.is_grad_enabled()
    loss.backward(retain_graph=True)
    assert x.grad.tolist() == [2.0, 4.0]
    assert str(mg.explain(loss)) == str(told)  # .grad stays out of it
    assert "x.grad 2 [2, 4]" in lines(told)

    gone = weakref.ref(loss._node)
    del loss
    gc.collect()
    assert (gone(), lines(told)[-1]) == (None, "x.grad 2 [2, 4]")


def test_what_was_changed_or_is_not_known_is_left_out() -> None:
    w = mg.tensor(2.0, requires_grad=True)
    loss = (w + 1.0) * 3.0
    with mg.no_grad():
        w.add_(5.0)  # nothing saved it, and its value now is not that of the forward pass
    text = lines(mg.explain(loss))
    assert "1 t1 = w + 1 not kept" in text
    assert "w.grad = 3" in text

    class Pair(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0] * 2 + grads[1] * 3

    a, b = Pair.apply(w)
    assert "w.grad = 5" in lines(mg.explain(a + b))
    assert "∂w = by the rule of Pair = 5" in lines(mg.explain(a + b))


# A program that ends in a loss, and lines of its forward pass; with the values that were there then.
WRITTEN = {
    "a[1] = 5.0\na[2:] *= 3\na += 1\nloss = (a * x).sum()": [
        "1 a_1 = x * 2 3 [2, 4, 6]",
        "2 a_2 = view_scatter(a_1, 5, path=[1]) 3 [2, 5, 6]",
        "4 t4 = t3 * 3 = 6 * 3 = 18",
        "9 a = a_4 + 1 3 [3, 6, 19]",
    ],
    "out = mg.zeros(3)\nfor i in range(2):\n    out[i] = a[i] * i\nout.clamp_(max=3)\nloss = out.sum()": [
        "5 t5 = view_scatter(input_1, t4, path=[0]) 3 [0, 0, 0]",
        "9 t9 = view_scatter(t5, t8, path=[1]) 3 [0, 4, 0]",
        "10 out = minimum(t9, 3) 3 [0, 3, 0]",
    ],
    "out = mg.zeros(2)\nout[0] = a[1]\nout[1] = a[2]\nloss = out.sum()": [
        "4 out_1 = view_scatter(input_1, t3, path=[0]) 2 [4, 0]",
        "7 out = view_scatter(out_1, t6, path=[1]) 2 [4, 6]",
    ],
    "loss = (a + mg.tensor([0.5, 1.0, 0.0])[[0, 1, 1]] - mg.ones(3)).sum()": [
        "2 t2 = a + input_1 3 [2.5, 5, 7]"
    ],
    "a[a > 3] = -1.0\nloss = a.sum()": ["2 a = index_put(a_1, (-1), input_2, pattern=(True,)) 3 [2, -1, -1]"],
    "loss = Double.apply(a).sum()": ["2 t2 = Double(a) 3 [4, 8, 12]"],
    "b = Double.apply(a)\nloss = (b - a).sum()": ["2 b = Double(a) 3 [4, 8, 12]", "3 t3 = b - a 3 [2, 4, 6]"],
    # The gradient that arrives is the only one called g.
    "g, = mg.autograd.grad((x * x).sum(), x, create_graph=True)\nloss = (g - 1).sum()": [
        "∂g_2 = g 3 [1, 1, 1]"
    ],
    "k = leaf([[2.0]])\nloss = mg.nn.functional.linear(a[:1][None], k).sum()": [
        "4 t4 = k.T = 2",
        "∂t3 = g * t4.T = 1 * 2 = 2",
    ],
    "loss = 1 - -a[0]": ["3 t3 = -t2 = -2", "4 loss = 1 - t3 = 1 - (-2) = 3"],
}


class Double(mg.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 2


def test_values_of_what_was_written_in_place_or_is_gone() -> None:
    begin = "x = leaf([1.0, 2.0, 3.0])\na = x * 2\n"
    for text, expected in WRITTEN.items():
        with case(text):
            told = lines(program(f"{begin}{text}\ntold = mg.explain(loss)", Double=Double)["told"])
            for line in expected:
                assert line in told, told


def test_errors() -> None:
    x = mg.tensor(1.0, requires_grad=True)
    loss = x * x
    cases: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: mg.explain(2.0), TypeError, "explain\\(\\) takes a Tensor, got float"),  # type: ignore[arg-type]
        (lambda: mg.explain(x), RuntimeError, "no backward pass"),
        (lambda: mg.explain(loss, precision=0), ValueError, "at least 1"),
        (lambda: mg.explain(loss, [x]), TypeError, "Module or a dict"),  # type: ignore[arg-type]
        (lambda: mg.explain(loss, inputs={"x": 1.0}), TypeError, "'x' must be a Tensor"),  # type: ignore[dict-item]
    ]
    for call, kind, message in cases:
        with pytest.raises(kind, match=message):
            call()
    loss.backward()
    with pytest.raises(RuntimeError, match="a second time: the arrays saved by mul at"):
        mg.explain(loss)
    y = x.exp()
    z = y.sum()
    with mg.no_grad():
        y += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        mg.explain(z)


def test_amounts_have_pictures() -> None:
    x = mg.tensor(np.linspace(-1.0, 1.0, 12).reshape(3, 4), requires_grad=True)
    big = mg.tensor(np.arange(1000.0), requires_grad=True)
    told, _, _ = steps.derivation([(x * 2).sum() + (big * 1).sum()], {}, 4)
    small, large = (leaf.value for leaf in told.leaves)
    assert small is not None
    assert large is not None
    assert [len(small.picture), len(small.picture[0]), small.picture[0][0], small.bars] == [3, 4, -99, False]
    assert [len(large.picture), len(large.picture[0]), large.bars] == [1, 24, True]
    assert large.text == "0 … 499.5 … 999"

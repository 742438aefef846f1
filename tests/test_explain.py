"""`explain`: the steps of a backward pass, with the numbers that backward gives, and nothing changed by it."""

from __future__ import annotations

import gc
import io
import linecache
import re
import sys
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
from minigrad.readers import amounts, steps, values

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


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp1252"])
def test_output_that_knows_few_signs_gets_letters(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net, loss = article()
    step = mg.compile(lambda x: net(x).sum())
    step(mg.ones(1, 2))
    shown = (
        mg.explain(loss, net),
        mg.tape_table(loss, net),
        mg.summary(net, mg.ones(1, 2)),
        step.report(profile=True),
    )
    wide = [*map(str, shown)]
    assert {*"─∂×…µ"} <= {*"".join(wide)}
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    for text, before in zip(map(str, shown), wide, strict=True):
        print(text)
        assert "?" not in text
        assert [*map(len, text.splitlines())] == [*map(len, before.splitlines())]


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
    assert not any(
        line.startswith(" " * 10) for line in text[: text.index("")]
    )  # amounts have room beside the formulas
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
    brain = Neuron()
    brain.lobes = [[neuron, Neuron()], brain]  # an object that holds itself ends nowhere
    del neuron
    text = lines(mg.explain(brain.lobes[0][1].w * brain.lobes[0][0].w))
    assert any(line.startswith("1 t1 = brain.lobes[0][1].w * brain.lobes[0][0].w") for line in text), text
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
            read = [
                *(s.expression for s in told.steps),
                *(share.local for s in told.steps for share in s.shares),
            ]
            assert not re.search(r"\b(plans|runs|path|pattern|pads|biased|onward|back)=", "\n".join(read)), (
                read
            )


# How an operation of an image x, of rows m and of whole numbers i reads, and what it sends to its first input.
READ = {
    "F.max_pool2d(x, 2)": ("max_pool2d(x, kernel_size=2)", "g at the largest element of each window, else 0"),
    "F.avg_pool2d(x, 2, 1)": ("avg_pool2d(x, kernel_size=2, stride=1)", "g / 4 for each element of a window"),
    "F.adaptive_max_pool2d(x, (3, 2))": ("adaptive_max_pool2d(x, output_size=(3, 2))", "g at the largest"),
    "F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)": (
        "avg_pool2d(x, kernel_size=3, stride=1, padding=1, count_include_pad=False)",
        "g / (size of a window) for each of its elements",
    ),
    "F.avg_pool2d(x, 3, 2, ceil_mode=True)": (
        "avg_pool2d(x, kernel_size=3, stride=2, ceil_mode=True)",
        "g / (size",
    ),
    "F.max_pool2d(x, 3, 2, ceil_mode=True)": (
        "max_pool2d(x, kernel_size=3, stride=2, ceil_mode=True)",
        "g at the",
    ),
    "F.interpolate(x, scale_factor=1.5, mode='bilinear')": (
        "interpolate(x, scale_factor=1.5, mode='bilinear')",
        "g times the weight",
    ),
    "F.interpolate(x, 7, mode='bicubic', align_corners=True)": (
        "interpolate(x, size=7, mode='bicubic', align_corners=True)",
        "g times the weight",
    ),
    "F.interpolate(x, 2, mode='bilinear', antialias=True)": (
        "interpolate(x, size=2, mode='bilinear', antialias=True)",
        "g times the weight",
    ),
    "x.permute(1, 0, 3, 2)": ("permute(x, dims=(1, 0, 3, 2))", "permute(g, dims=(1, 0, 3, 2))"),
    "F.interpolate(x, 8)": ("interpolate(x, size=8, mode='nearest')", "g times the weight of each neighbour"),
    "F.conv2d(x, x, stride=2)": ("conv2d(x, x, stride=2)", "conv_transpose2d(g, x, stride=2)"),
    "F.conv2d(x, x, padding='same')": (
        "conv2d(x, x, padding='same')",
        "conv_transpose2d(g, x, padding='same')",
    ),
    "F.conv2d(x, mg.ones(1, 1, 1, 1), stride=2)": (
        "conv2d(x, input_1, stride=2)",
        "conv_transpose2d(g, input_1, stride=2, output_padding=1)",
    ),
    "F.conv_transpose2d(x, x, stride=2, padding=(1, 0), output_padding=(0, 1))": (
        "conv_transpose2d(x, x, stride=2, padding=(1, 0), output_padding=(0, 1))",
        "conv2d(g, x, stride=2, padding=(1, 0))",
    ),
    "mg.fft.rfft(x)": (
        "rfft(x, dim=3)",
        "irfft(g / m, n=4, dim=3, norm='forward'), with m 2 where a frequency",
    ),
    "F.unfold(x, 2)": ("unfold(x, kernel_size=2)", "fold(g, output_size=4, kernel_size=2)"),
    "F.pad(x, (1, 1))": ("pad(x, (1, 1))", "pad(g, (-1, -1))"),
    "x[..., 1:]": ("x[:, :, :, 1:]", "put(g, into=zeros(1, 1, 4, 4)[:, :, :, 1:])"),
    "m[i]": ("m[i]", "add(g, into=zeros(5, 3)[i])"),
    "m[:, i % 3]": ("m[:, input_1]", "add(g, into=zeros(5, 3)[:, input_1])"),
    "m.gather(0, i[:, None])": ("gather(m, 0, index_1)", "scatter_add(zeros(5, 3), 0, index_1, g)"),
    "F.embedding(i, m)": ("m[i]", "add(g, into=zeros(5, 3)[i])"),
    "F.embedding(i, m, padding_idx=1)": ("m[i]", "add(g, into=zeros(5, 3)[i]), 0 in row 1"),
    "F.embedding(i, m, scale_grad_by_freq=True)": (
        "m[i]",
        "add(g / counts[i], into=zeros(5, 3)[i]), with counts",
    ),
    "F.embedding(i, m, sparse=True)": ("m[i]", "add(g, into=zeros(5, 3)[i])"),
    "F.cross_entropy(m, i % 3)": (
        "cross_entropy(m, target_1)",
        "g / 5 * (softmax(m, dim=1) - one_hot(target_1))",
    ),
    "F.cross_entropy(m, i % 3, reduction='none', ignore_index=1)": (
        "cross_entropy(m, target_1, ignore_index=1, reduction='none')",
        "g[:, None] * (softmax(m, dim=1) - one_hot(target_1))",
    ),
    "F.nll_loss(m, i % 3, reduction='none')": (
        "nll_loss(m, target_1, reduction='none')",
        "-g[:, None] * one_hot(target_1)",
    ),
    "mg.cat([m, m], 1)": ("cat([m, m], dim=1)", "g[:, 0:3]"),
    "m.sum(1)": ("sum(m, dim=1)", "spread(g, dim=1)"),
    "m.prod(1)": ("prod(m, dim=1)", "g times the product of the other elements"),
    "m.amax(1)": ("amax(m, dim=1)", "g where m == loss, shared if several are there; else 0"),
    "m.cumsum(1)": ("cumsum(m, dim=1)", "cumsum(g, dim=1, reverse=True)"),
    "F.softplus(m)": ("softplus(m)", "where(m > 20, g, g * sigmoid(m))"),
    "m.floor()": ("floor(m)", "0"),
    "m.double() * 1.0": ("t1 * 1", "g"),
    "mg.linalg.slogdet(m[:3])[1]": ("slogdet(t1)[1]", "g * inv(t1).T"),
    "mg.fft.fft(m.to(mg.complex64))": ("fft(t1, dims=(1,))", "ifft(g, dims=(1,), norm=forward)"),
    "m.to(mg.complex64)": ("to(m, dtype=complex64)", "real(g)"),
    "m.to(mg.complex64) * (1 - 2j)": ("t1 * (1-2j)", "g * (1+2j)"),
    "m.to(mg.complex64) * (3 + 0j)": ("t1 * 3", "g * 3"),
    "m.to(mg.complex64).cumprod(0)": ("cumprod(t1, dim=0)", "where(any(conj(t1) == 0)"),
    "m.to(mg.complex64) ** m": ("t1 ** t2", "where(conj(t2) == 0, 0, g * where(conj(t2) == 0, 1, conj(t2)"),
    "mg.linalg.slogdet(mg.stack([m[:3]] * 2))[1]": ("slogdet(t2)[1]", "g[..., None, None] * inv(t2).mT"),
    "mg.linalg.det(mg.stack([m[:3]] * 2))": (
        "det(t2)",
        "(g * loss)[..., None, None] * inv(t2).mT; its limit",
    ),
    "mg.linalg.cholesky((m[:3] * 0 + mg.eye(3)).to(mg.complex64))": (
        "cholesky(t4)",
        "(s + s.mH) / 2, with s = inv(loss.mH) @",
    ),
    "m[:1, :1].reshape(())": ("reshape(t1, shape=())", "reshape(g, shape=(1, 1))"),
}


def test_operations_read_as_users_know_them() -> None:
    for text, (expression, local) in READ.items():
        with case(text):
            begin = "x, m, i = mg.rand(1, 1, 4, 4), mg.rand(5, 3), mg.arange(5)\n"
            end = f"x.requires_grad_(), m.requires_grad_()\nloss = {text}"
            space = program(begin + end, F=nn.functional)
            given = {space[k]._node: k for k in "xmi"} | {space["loss"]._node: "loss"}
            step = steps.derivation([space["loss"]], given)[0].steps[-1]
            assert step.expression == expression
            assert step.shares[0].local.startswith(local), step.shares[0].local
    x = mg.rand(1, 1, 4, 4, requires_grad=True)
    halves = nn.functional.avg_pool2d(x, 2, divisor_override=2)
    by_two = steps.derivation([halves], {x._node: "x"})
    assert [s.expression for s in by_two[0].steps] == [
        "avg_pool2d(x, kernel_size=2, divisor_override=1)",
        "t1 / 2",
    ]


class Moody(dict[str, Any]):
    """As the request of a web server, where there is none."""

    def _raise(self, *args: object) -> Any:
        raise RuntimeError("not now")

    items = __getattr__ = _raise
    __class__ = __dict__ = property(_raise)  # type: ignore[assignment]


def test_variables_that_raise_when_they_are_looked_into() -> None:
    moody, w = [Moody(), type("Bare", (), {"__getattr__": Moody._raise})()], mg.ones(2, requires_grad=True)
    assert "w.grad" in str(mg.explain((w * w).sum()))
    assert len(moody) == 2


def test_a_recurrent_layer_is_told_by_its_parts() -> None:
    for kind, parts in ((nn.LSTM, ("h", "c")), (nn.GRU, ("h",)), (nn.RNN, ("h",))):
        layer, x = kind(3, 4), mg.rand(5, 2, 3, requires_grad=True)
        out, _ = layer(x)
        told = steps.derivation([out.square().sum()], {x._node: "x"})[0]
        step = next(s for s in told.steps if s.holds)
        assert step.holds == ", then ".join(["output 10 × 4", *(f"{name} 2 × 4" for name in parts)])
        part = next(s for s in told.steps if s.expression == f"{step.name}.output")
        assert part.shares[0].local.endswith(".output)")
        assert [share.local.partition(", with ")[0] for share in step.shares[-4:]] == [
            "d.T @ t1", "d.T @ states", "sum(d, dim=0)", "sum(d, dim=0)"
        ]  # fmt: skip
    # A gradient with a graph is such a vector too.
    (slope,) = mg.autograd.grad(nn.LayerNorm(3)(x).pow(3).sum(), x, create_graph=True)
    told = steps.derivation([slope.square().sum()], {})[0]
    assert "∂x 5 × 2 × 3, then ∂w 3, then ∂b 3" in [s.holds for s in told.steps]


def test_formulas_of_recurrent_layers_give_their_gradients() -> None:
    layer, x = nn.LSTM(3, 4), mg.rand(5, 2, 3)
    layer(x)[0].square().sum().backward()
    w, u, b, b2 = (p.detach() for p in layer.parameters())
    by_input, states, products, outputs = (x.view(10, 3) @ w.T).requires_grad_(), [], [], []
    h = c = mg.zeros(2, 4)
    for rows in by_input.split(2):
        states.append(h.detach())
        products.append((h @ u.T).requires_grad_())
        products[-1].retain_grad()
        i, f, a, o = (rows + b + products[-1] + b2).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * a.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(h)
    mg.stack(outputs).square().sum().backward()
    d, of_state = by_input.grad, mg.cat([p.grad for p in products])
    told = [d.T @ x.view(10, 3), of_state.T @ mg.cat(states), d.sum(0), of_state.sum(0)]
    assert all(mg.allclose(a, p.grad, atol=1e-6) for a, p in zip(told, layer.parameters(), strict=True))


# Functions whose gradients are told by formulas, and the shapes of their inputs.
TOLD: list[tuple[Callable[..., Any], list[tuple[int, ...]]]] = [
    (lambda x, w, b: nn.functional.layer_norm(x, (4,), w, b), [(3, 4), (4,), (4,)]),
    (lambda x: nn.functional.layer_norm(x, (4,)), [(3, 4)]),
    (lambda x, w, b: nn.functional.batch_norm(x, None, None, w, b, True), [(6, 3), (3,), (3,)]),
    (lambda x, w, b: nn.functional.batch_norm(x, mg.zeros(3), mg.ones(3), w, b), [(6, 3), (3,), (3,)]),
    (lambda x, w, b: nn.functional.batch_norm(x, mg.zeros(3), mg.ones(3), w, b, eps=0.1), [(6, 3), (3,), (3,)]),
    (lambda x: nn.functional.cross_entropy(x, mg.arange(4)), [(4, 5)]),
    (lambda x: nn.functional.cross_entropy(x, mg.arange(4), reduction="none"), [(4, 5)]),
    (lambda x: nn.functional.nll_loss(x, mg.arange(4), reduction="none"), [(4, 5)]),
    (lambda x: nn.functional.embedding(mg.tensor([0, 1, 1, 3]), x, scale_grad_by_freq=True), [(4, 5)]),
    (lambda x: nn.functional.cross_entropy(x, mg.arange(4), ignore_index=2), [(4, 5)]),
    (lambda x: nn.functional.nll_loss(x, mg.arange(4)), [(4, 5)]),
    (lambda x: x.softmax(1), [(4, 5)]),
    (lambda x: mg.linalg.det(x), [(3, 3)]),
    (lambda x: x.log_softmax(1), [(4, 5)]),
    (lambda x: nn.functional.gelu(x), [(4, 5)]),
    (lambda x: x.std(1), [(4, 5)]),
    (lambda x: x.std(), [(4, 5)]),
    (lambda x: x.std((0, 1), keepdim=True, correction=0), [(4, 5)]),
    (lambda x: x.norm(dim=1, keepdim=True), [(4, 5)]),
    (lambda x: x.cumprod(1), [(4, 5)]),
    (lambda x: x.logcumsumexp(1), [(4, 5)]),
    (lambda x, w, b: nn.functional.linear(x, w, b), [(2, 3, 4), (5, 4), (5,)]),
    (lambda x: mg.linalg.cholesky(x), [(3, 3)]),
]  # fmt: skip


def test_formulas_of_gradients_give_them() -> None:
    def scan(x: Any, reverse: bool) -> Any:
        return x.flip(1).cumsum(1).flip(1)

    for k, (f, shapes) in enumerate(TOLD):
        mg.manual_seed(k)
        xs = [mg.randn(*shape) for shape in shapes]
        xs[0] = xs[0] @ xs[0].mT + mg.eye(3) if shapes == [(3, 3)] else xs[0]
        xs = [x.requires_grad_() for x in xs]
        y = f(*xs)
        g = mg.randn_like(y)
        node = y._node
        told = steps.derivation([(y * g).sum()], {})[0].steps[-3]
        (y * g).sum().backward()
        space: dict[str, Any] = {
            "softmax": mg.softmax, "sum": mg.sum, "reshape": mg.reshape, "exp": mg.exp, "sqrt": mg.sqrt, "cumsum": scan,
            "inv": mg.linalg.inv,
            "count": mg.sum, "zeros": mg.zeros, "index": (index := mg.tensor([0, 1, 1, 3])),
            "counts": mg.tensor([[1.0], [2.0], [1.0], [1.0]]),
            "add": lambda g, into: mg.zeros(4, 5).index_add(0, index, g),
            "spread": lambda g, dim: mg.broadcast_to(g if g.ndim == 2 else g.unsqueeze(dim), (4, 5)),
            "mean": lambda x, dim=None, keepdim=True: x.mean(over if dim is None else dim, keepdim),  # noqa: B023
            "deviation": lambda x: (x.var(over, correction=0, keepdim=True) + 1e-5).sqrt(),  # noqa: B023
            "one_hot": lambda t: nn.functional.one_hot(t, 5), "half_lower": lambda m: m.tril() - m.diag().diag() / 2,
            "normal_cdf": lambda x: (x * 0.5**0.5).erf() / 2 + 0.5,
            "normal_pdf": lambda x: (-x * x / 2).exp() / (2 * np.pi) ** 0.5,
        }  # fmt: skip
        space |= {"target": mg.arange(4), "mean" if k in (3, 4) else "_": mg.zeros(3), "var": mg.ones(3)}
        names = values.input_names(node)
        inputs = zip(names, node.inputs, strict=True)
        space |= {name: x for name, n in inputs for x in xs if x._node is n} | {"y": y, "g": g}
        for share in told.shares:
            # Of norms only: where their means are taken.
            told_of = re.search(r", over dim=(\d)$", share.rule)
            over, text = told_of and int(told_of[1]), re.sub(", over dim=.$|, by channel$", "", share.rule)
            rule, _, parts = text.partition("; ")[0].partition(", with ")
            for part in filter(lambda part: " = " in part, parts.split(" and ")):
                name, _, formula = part.partition(" = ")
                space[name] = eval(formula, space)
            rule, ignored, _ = rule.partition(", 0 where")
            x = space[names[share.slot]]
            got = eval(rule, space) * ((space["target"] != 2)[:, None] if ignored else 1)
            got = got.sum_to_size(x.shape)
            assert np.allclose(got.detach(), x.grad, rtol=1e-3, atol=1e-4), (share.rule, got, x.grad)


def test_leaves_have_names_of_what_they_were_copied_from_and_of_functions_around() -> None:
    lstm, norm = nn.LSTM(3, 4, batch_first=True), nn.BatchNorm1d(3).eval()
    x, target = mg.rand(2, 5, 3), mg.rand(2, 5, 4)
    twice, alike = mg.full((3,), 7.0), mg.full((3,), 7.0)

    def explained(loss: Any) -> str:
        return "\n".join(s.strip() for s in str(mg.explain(loss)).splitlines()).replace(",\n", ", ")

    told = explained((lstm(x)[0] - target.detach()).square().mean())
    assert (
        "lstm(x.transpose(0, 1).reshape(10, 3), input_1, input_2, lstm.weight_ih_l0, lstm.weight_hh_l0"
        in told
    )
    assert " - target " in told
    rows = x[0].clone()
    of_norm = re.sub(r"\s+", " ", explained(norm(rows).sum()))
    assert "batch_norm(rows, norm.running_mean, norm.running_var, norm.weight, norm.bias)" in of_norm
    w = mg.rand(5, 3, requires_grad=True)
    # In lines of their own, for a program's line is told too.
    of_rows = explained((rows.T @ w).sum())
    assert "t1 = rows.T @ w" in of_rows
    # Two variables have these numbers, so that neither can be said to be meant.
    of_input = explained((w * mg.full((3,), 7.0)).sum())
    of_parameter = explained((w * mg.rand(3).requires_grad_()).sum())
    assert "w * full_1" in of_input, (twice, alike)
    assert "w * parameter_1" in of_parameter
    zeros = mg.zeros(8)  # of which the state of the layer is none
    told = explained(lstm(x)[0].sum())
    assert "input_1, input_2, lstm.weight_ih_l0" in told, zeros


class _Held:
    first: mg.Tensor


def _apart(x: mg.Tensor) -> mg.Tensor:
    """Variables beside other targets: nothing has the name of what another one holds."""
    (i, j), k = x[:, :2]
    *many, last = x * 3, x * 5, x * 7
    _Held.first, m, n = x.sum(0)[:3]
    return i * j * k.sum() * many[1].sum() * last.sum() * _Held.first * m * n


def test_names_of_rows_and_of_several_variables_of_one_line() -> None:
    steps, batch = mg.randn(3, 2, 4), mg.randn(2, 3, 4)
    w = mg.randn(4, 4, requires_grad=True)
    h = mg.zeros(2, 4)
    for t in range(3):
        h = (steps[t] @ w + h).tanh()
    q, k = batch[:, 1] @ w, h * 2
    i, f = q.chunk(2)
    a, b = k
    told = re.sub(r"  +", "  ", str(mg.explain((i * f * a * b).sum())))
    for step in (
        "t1 = steps[0] @ w", "steps[2] @ w", "q = batch[:, 1] @ w", "k = h * 2", "i = q[0:1]", "f = q[1:2]", "a = k[0]",
        "b = k[1]",
    ):  # fmt: skip
        assert f"  {step}  " in told or f" = {step}  " in told, f"{step}\n{told}"
    told = str(mg.explain(_apart(k.detach().requires_grad_())))
    assert "  i = t2[0] " in told, told
    assert not re.search(r"  (last|m|n) = ", told), told
    same = steps.clone()  # now two variables have these numbers
    told = str(mg.explain(h.sum()))
    assert "steps[0]" not in told, same


def test_formulas_of_transforms_of_real_numbers_give_their_gradients() -> None:
    for n in (7, 8):
        x, g = mg.randn(n, requires_grad=True), mg.randn(n // 2 + 1, dtype=mg.complex64)
        m = mg.full((n // 2 + 1,), 2.0).index_fill(0, mg.tensor([0, n // 2][: 2 - n % 2]), 1.0)
        mg.fft.rfft(x).backward(g)
        assert mg.allclose(x.grad, mg.fft.irfft(g / m, n=n, dim=0, norm="forward"), atol=1e-5)
        z, g = g.detach().requires_grad_(), mg.randn(n)
        mg.fft.irfft(z, n).backward(g)
        assert mg.allclose(z.grad, m * mg.fft.rfft(g, dim=0, norm="forward"), atol=1e-5)


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


def test_hooks_of_modules_are_not_called() -> None:
    calls: list[Any] = []
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    for layer in net:
        layer.register_full_backward_hook(lambda *_: calls.append(1))
        layer.register_full_backward_pre_hook(lambda *_: calls.append(2))
    x = mg.rand(3, 2, requires_grad=True)
    loss = net(x).sum()
    told = lines(mg.explain(loss))
    drawing = mg.draw(loss, net, direction="both")
    assert calls == []
    assert any(line.startswith("1 t1 = with_hooks(x)") for line in told)
    assert any(line.startswith("∂x = g, if the hooks of the module change nothing") for line in told)
    assert "with_hooks" in drawing.dot
    with pytest.raises(
        NotImplementedError, match=r"with_hooks at .* remove\(\) the backward hooks of modules"
    ):
        mg.source(loss)
    loss.backward()
    assert calls == [2, 1, 2, 1]


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
    assert {"∂t1[0] = g = 1", "∂t1[1] = g = 1"} <= {*lines(mg.explain(a + b))}


# A program that ends in a loss, and lines of its forward pass; with the values that were there then.
WRITTEN = {
    "a[1] = 5.0\na[2:] *= 3\na += 1\nloss = (a * x).sum()": [
        "1 a_1 = x * 2 3 [2, 4, 6]",
        "2 a_2 = put(5, into=a_1[1]) 3 [2, 5, 6]",
        "4 t4 = t3 * 3 = 6 * 3 = 18",
        "9 a = a_4 + 1 3 [3, 6, 19]",
    ],
    "out = mg.zeros(3)\nfor i in range(2):\n    out[i] = a[i] * i\nout.clamp_(max=3)\nloss = out.sum()": [
        "5 t5 = put(t4, into=input_1[0]) 3 [0, 0, 0]",
        "9 t9 = put(t8, into=t5[1]) 3 [0, 4, 0]",
        "10 out = minimum(t9, 3) 3 [0, 3, 0]",
    ],
    "out = mg.zeros(2)\nout[0] = a[1]\nout[1] = a[2]\nloss = out.sum()": [
        "4 out_1 = put(t3, into=input_1[0]) 2 [4, 0]",
        "7 out = put(t6, into=out_1[1]) 2 [4, 6]",
    ],
    "loss = (a + mg.tensor([0.5, 1.0, 0.0])[[0, 1, 1]] - mg.ones(3)).sum()": [
        "2 t2 = a + input_1 3 [2.5, 5, 7]"
    ],
    "a[a > 3] = -1.0\nloss = a.sum()": ["2 a = put((-1), into=a_1[input_2]) 3 [2, -1, -1]"],
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
    "loss = a[0] ** mg.tensor(3.0)": ["∂t2 = g * 3 * t2 ** (3 - 1) = 1 * 3 * 2 ** (3 - 1) = 12"],
    "a.register_hook(lambda g: g)\nloss = a.sum()": [
        "if the hooks of a change nothing; explain() does not call them"
    ],
    "loss = mg.tanh(-a[0])": ["∂t3 = g * (1 - loss * loss) = 1 * (1 - (-0.964) * (-0.964)) = 0.07065"],
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
    with pytest.raises(
        RuntimeError, match=r"modified by an inplace operation.* compute the result again after it"
    ):
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
    row = np.array([1.0, -2.0, 0.0, -np.inf, np.inf, np.nan])
    assert amounts.amount(row).picture == [[37, -74, 0, -99, 99, amounts.NAN]], "inf and nan are seen"

"""Modules written as ONNX files give the same results in onnxruntime, at other sizes of the batch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F
from minigrad.onnx import export
from minigrad.onnx.forms import FORMS
from minigrad.tape import TABLE

pytest.importorskip("onnx", reason='files of ONNX need onnx: pip install "minigrad-tape[onnx]"')
onnxruntime = pytest.importorskip("onnxruntime", reason="files of ONNX are run by onnxruntime")


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(10, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        return self.block(self.table(x)).mean(1)


class Steps(nn.Module):
    """The outputs of all steps beside the last states."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        y, last = self.layer(x)
        states = last if isinstance(last, tuple) else (last,)
        return mg.cat([y, *(s.transpose(0, 1).flatten(1).unsqueeze(1).expand(-1, 5, -1) for s in states)], 2)


class Unrolled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru = nn.LSTMCell(4, 3), nn.GRUCell(3, 3)

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        h = mg.zeros(len(x), 3)
        state = (h, h)
        for t in range(5):
            state = self.lstm(x[:, t], state)
            h = self.gru(state[0], h)
        return h + state[1]


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (
        lambda: nn.Sequential(
            nn.Linear(4, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 3, bias=False), nn.Softmax(1)
        ),
        (4,),
    ),
    "convolutions": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 5, padding=2), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(),
            nn.Conv2d(4, 6, 3, stride=2, dilation=2, groups=2), nn.AvgPool2d(2, padding=1), nn.AdaptiveAvgPool2d(1),
            nn.Flatten(), nn.Linear(6, 3), nn.LogSoftmax(1),
        ),
        (1, 14, 14),
    ),
    "ceilings": (
        lambda: nn.Sequential(nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.AvgPool2d(2, 2, ceil_mode=True)),
        (2, 10, 7),
    ),
    "larger again": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, 2, 1), nn.ConvTranspose2d(4, 4, 3, 2, 1, 1, groups=2), nn.Upsample(scale_factor=2),
            nn.ConvTranspose2d(4, 2, (3, 2), (2, 3), (1, 0), dilation=(1, 2), bias=False),
            nn.Upsample(scale_factor=0.5, mode="bilinear"), nn.Upsample((5, 9), mode="bicubic"),
            nn.AdaptiveAvgPool2d((4, 2)),
        ),
        (2, 4, 6),
    ),
    "in one dimension": (
        lambda: nn.Sequential(nn.Conv1d(2, 4, 3), nn.GroupNorm(2, 4), nn.AdaptiveMaxPool1d(1)),
        (2, 9),
    ),
    "transformer": (Words, (5,)),
    "lstm": (lambda: Steps(nn.LSTM(4, 3, 2, batch_first=True, bidirectional=True)), (5, 4)),
    "gru": (lambda: Steps(nn.GRU(4, 3, batch_first=True, bidirectional=True, bias=False)), (5, 4)),
    "rnn": (lambda: Steps(nn.RNN(4, 3, 2, batch_first=True)), (5, 4)),
    "relu": (lambda: Steps(nn.RNN(4, 3, nonlinearity="relu", batch_first=True)), (5, 4)),
    "cells": (lambda: Unrolled(), (5, 4)),
}  # fmt: skip

DEAD = mg.tensor([[0.0, 0.5], [-math.inf, -math.inf]])  # a mask whose second query sees no key
# Each a function of rows of four.
FUNCTIONS: list[Callable[[mg.Tensor], mg.Tensor]] = [
    lambda x: x.reshape(-1, 2, 2, 1).to(memory_format=mg.channels_last).reshape(-1, 4),
    lambda x: (x.exp() + 1).log().sqrt() + x.sin() * x.cos() + x.tanh() + x.atan() + x.erf(),
    lambda x: x**2 + x.abs() ** 0.5 + x.abs().log1p() + x.expm1() + x.exp2() + (x * x + 1).log2() + x.square().rsqrt(),
    lambda x: x.clamp(-1, 0.5) + x.clamp(min=0.1) + x.clamp(max=0.3) + x.floor() + x.round() - x.sign(),
    lambda x: mg.cat([x[:, 1:3] + x[:, -1:] + x[:, 0, None], x[:, None].squeeze(1)], 1),
    lambda x: mg.stack([x, x * 2], 1).mean(1) + x.var(1, keepdim=True) + x.std(1, correction=0, keepdim=True),
    lambda x: x[1:] - x[-1],
    lambda x: x.amax(1) + x.amin(1) + x.logsumexp(1) + x.argmax(1) - x.max(),
    lambda x: mg.where(x > 0, x, 0.0) * ((x > 0) & (x < 1) | ~(x <= 0.5) ^ (x != 0)),
    lambda x: (x > 0) * 2 + x.argmax(1, keepdim=True) + x.long(),
    lambda x: x.double() + F.pad(x, (1, 2), value=3.0)[:, 1:5],
    lambda x: (x.unsqueeze(2) * x.unsqueeze(1)).triu(1).sum((1, 2)),
    lambda x: x.unsqueeze(1).expand(-1, 3, -1).reshape(-1, 12).cumsum(1) + (x > 0).cumsum(1).sum(1, keepdim=True),
    lambda x: F.selu(x) + F.celu(x, 2.0) + F.mish(x) + F.hardswish(x) + F.hardsigmoid(x) + F.softshrink(x),
    lambda x: F.logsigmoid(x) + F.relu6(x) + F.silu(x) + F.leaky_relu(x) + F.normalize(x, dim=1),
    lambda x: F.softplus(x, 2.0) + F.softplus(9 * x, 2.0, 1.5),
    lambda x: F.scaled_dot_product_attention(*[x.view(-1, 2, 2)] * 3).transpose(1, 2).flatten(1) + F.glu(x, 1).sum(),
    lambda x: F.scaled_dot_product_attention(*[x.view(-1, 2, 2)] * 3, DEAD).flatten(1),
    lambda x: mg.cross(x[:, :3], x[:, 1:].exp(), dim=1),
    lambda x: x @ x.t() + mg.einsum("bi,bj->bij", x, x).sum(),
    lambda x: x // 0.3 + x // -0.7 + x % 0.3 + x.fmod(-0.3) + mg.div(x.trunc(), 0.2, rounding_mode="trunc"),
    lambda x: (10 * x).long() // 3 + (10 * x).long() % -3 + mg.div((10 * x).long(), 3, rounding_mode="trunc"),
    lambda x: x.argsort(1) + x.argsort(0, descending=True) + x.sort(1).values + x.round().sort(1, stable=True).indices,
    lambda x: mg.cat([x.topk(2, 1).values, x.topk(2, 1, largest=False).indices + x.flip(1)[:, :2]], 1) + x.flip(1),
    lambda x: x.kthvalue(2, 1, keepdim=True).values + x.kthvalue(1, 0).indices,
    lambda x: x.erfc() + F.hardshrink(x) + F.threshold(x, 0.1, 2.0) + F.prelu(x, mg.tensor(0.2)) + (x > 0).any(1, True),
    lambda x: mg.zeros(len(x), 4) + x + mg.full((len(x), 1), 2.0) + (x > -9).all(1, keepdim=True),
    lambda x: F.batch_norm(x.view(-1, 2, 2), None, None, x.sum(0)[:2], training=True).view(-1, 4),
    lambda x: F.instance_norm(x.view(-1, 2, 2), None, None, *mg.tensor([[2.0, 3.0], [4.0, 5.0]])).view(-1, 4),
    lambda x: (x + 0).mul_(2).add_(1).gather(1, x.argmax(1, keepdim=True)),
    lambda x: mg.cat([mg.ones(1, 2, 4).expand(len(x), -1, -1), x[:, None]], 1).prod(1) + F.normalize(x, p=3.0),
    lambda x: x[:, [2, -1]].repeat_interleave(2, 1) + x.index_select(1, mg.tensor([3, 0, 0, 1])),
    lambda x: x.sum(0).expand(len(x), 4) + F.mse_loss(x, x.exp()) + mg.outer(x[0], x[0]).add(mg.eye(4)).det(),
    lambda x: x.lerp(x * 2, 0.3).sigmoid().logit(1e-6),
    lambda x: x.max(1).values[:, None] + x.view(-1, 2, 2).min(1).indices.sum() + x,
    lambda x: x.log().nan_to_num(0.5) + (x / x.round()).nan_to_num(1, 2, 3) * F.cosine_similarity(x, x.exp(), 0),
    lambda x: x[:, :, None].mul(x[:, None]).diagonal(1, 1, 2) + mg.zeros(len(x), 3).scatter(1, x[:, :3].argsort(1), x),
    lambda x: x.scatter_add(1, x.argsort(1) // 2, x),
    lambda x: F.one_hot(x.argmax(1), 4).sum(0) + x.norm(dim=1, keepdim=True) + F.interpolate(x[:, None], 4)[:, 0],
]  # fmt: skip


def compare(model: Any, example: mg.Tensor, others: list[mg.Tensor]) -> None:
    session = onnxruntime.InferenceSession(export(model, example).SerializeToString())
    if isinstance(model, nn.Module):
        model.eval()
    for x in others:
        with mg.no_grad():
            expected = model(x).numpy()
        (result,) = session.run(None, {"input": x.numpy()})
        assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network(name: str) -> None:
    make, sizes = NETWORKS[name]
    mg.manual_seed(0)

    def batch(rows: int) -> mg.Tensor:
        return mg.randint(0, 10, (rows, *sizes)) if name == "transformer" else mg.randn(rows, *sizes)

    model = make()
    compare(model, batch(3), [batch(1), batch(5)])


def test_functions() -> None:
    mg.manual_seed(1)
    for function in FUNCTIONS:
        compare(function, mg.randn(3, 4), [mg.randn(1, 4), mg.randn(6, 4)])


def test_names_files_and_fixed_sizes(tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    net = nn.Sequential(nn.Linear(2, 3), nn.Dropout()).train()
    export(
        net, (mg.ones(4, 2),), file, input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "batch"}}
    )
    session = onnxruntime.InferenceSession(file)
    assert [(i.name, i.shape) for i in session.get_inputs()] == [("x", ["batch", 2])]
    assert [(o.name, o.shape) for o in session.get_outputs()] == [("y", ["batch", 3])]
    assert net.training
    model = export(lambda a, b: (a + b, a - b), (mg.ones(4, 2), mg.ones(2)), dynamic_axes={})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    assert [(i.name, i.shape) for i in session.get_inputs()] == [("input", [4, 2]), ("input_1", [2])]
    assert [(o.name, o.shape) for o in session.get_outputs()] == [("output", [4, 2]), ("output_1", [4, 2])]
    assert {i.name for i in export(net, mg.ones(1, 2)).graph.initializer} == {"0.weight", "0.bias"}


def test_results_inside_of_each_other_are_several_outputs() -> None:
    """As a recurrent layer and an attention return them."""
    lstm, attention = nn.LSTM(4, 3, batch_first=True), nn.MultiheadAttention(4, 2, batch_first=True)
    x = mg.rand(2, 5, 4)
    model = export(lambda x: (lstm(x), *attention(x, x, x, need_weights=False)), x)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    assert [o.name for o in session.get_outputs()] == ["output", *(f"output_{k}" for k in (1, 2, 3))]
    x = mg.rand(3, 5, 4)
    y, states = lstm(x)
    for result, t in zip(
        session.run(None, {"input": x.numpy()}), (y, *states, attention(x, x, x)[0]), strict=True
    ):
        np.testing.assert_allclose(result, t.detach().numpy(), atol=1e-5)


PROJECTED, IN_TIME = nn.LSTM(4, 3, proj_size=2, batch_first=True), nn.GRU(4, 3)
REFUSED: list[tuple[type[Exception], str, Callable[[mg.Tensor], Any]]] = [
    (
        NotImplementedError,
        r"median_place at .*test_onnx.py:\d+: it has no form",
        lambda x: x.median(1).values,
    ),
    (NotImplementedError, r"mul at .*test_onnx.py:\d+: it takes a constant", lambda x: x * x.sum().item()),
    (NotImplementedError, "slice at .* it takes a constant", lambda x: mg.arange(len(x))[:, None] + x),
    (NotImplementedError, "slice at .* it takes a constant", lambda x: mg.zeros(len(x) + 1, 4)[1:] + x),
    (NotImplementedError, "lstm at .* no projection", lambda x: PROJECTED(x[:, None])[0]),
    (NotImplementedError, "gru at .* number of steps varies", lambda x: IN_TIME(x[:, None])[0]),
    (NotImplementedError, "index at .* whole numbers along one dimension", lambda x: x[x > 0]),
    (NotImplementedError, "diagonal at .* along the batch", lambda x: (x @ x.T).diagonal()),
    (NotImplementedError, "var at .* a variance over the batch", lambda x: x.var(0)),
    (NotImplementedError, "slice at .* depends on the size", lambda x: x[: len(x) // 2]),
    (NotImplementedError, "as often as there are in the batch", lambda x: x.sum(0).expand(len(x) + 1, 4)),
    (
        RuntimeError,
        "test_onnx.py:.* depends on the size of the batch",
        lambda x: x.exp() if len(x) % 2 else x.sin(),
    ),
    (RuntimeError, "a result does not depend on the inputs", lambda x: mg.ones(2)),
    (TypeError, "must return a Tensor", lambda x: [1]),
]


@pytest.mark.parametrize(("kind", "text", "function"), REFUSED)
def test_what_cannot_be_written_is_named(
    kind: type[Exception], text: str, function: Callable[[mg.Tensor], Any]
) -> None:
    with pytest.raises(kind, match=text):
        export(function, mg.rand(4, 4))


def test_bad_arguments() -> None:
    net = nn.Linear(2, 1)
    for arguments, kind, text in (
        ({"args": [1]}, TypeError, "must be Tensors"),
        ({"dynamic_axes": {"input": {1: "width"}}}, ValueError, "only axis 0"),
        ({"input_names": ["a", "b"]}, ValueError, "2 names for 1"),
    ):
        with pytest.raises(kind, match=text):
            export(net, **{"args": mg.ones(1, 2), **arguments})  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match="opset 20, and not 17"):
        assert export(net, mg.ones(1, 2), opset_version=17).opset_import[0].version == 20


def test_arguments_by_name_are_inputs_of_that_name() -> None:
    net = nn.Bilinear(2, 3, 4)
    x, y = mg.rand(2, 2), mg.rand(2, 3)
    plain = {"optimize": False, "verify": True, "report": True, "external_data": False, "profile": True}
    made = export(net, (x,), kwargs={"input2": y}, **plain)  # type: ignore[arg-type]
    assert [i.name for i in made.graph.input] == ["input", "input2"]
    session = onnxruntime.InferenceSession(made.SerializeToString())
    (z,) = session.run(None, {"input": x.numpy(), "input2": y.numpy()})
    assert np.allclose(z, net(x, y).detach().numpy(), atol=1e-6)
    named = export(net, kwargs={"input2": y, "input1": x}, input_names=["b", "a"])
    assert [i.name for i in named.graph.input] == ["b", "a"]

    class Takes(nn.Module):
        def forward(self, x: Any, input: Any, output: Any) -> Any:
            return x * input + output

    again = export(Takes(), (x,), kwargs={"input": x, "output": x})
    names = [*(i.name for i in again.graph.input), *(o.name for o in again.graph.output)]
    assert names == ["input_1", "input", "output", "output_1"]


def test_the_forms_take_what_the_records_have() -> None:
    assert FORMS.keys() <= TABLE.keys()
    for name, form in FORMS.items():
        op = TABLE[name]
        if isinstance(form, str):
            assert not op.params, name
        else:
            inspect.signature(form).bind(None, *op.inputs, **dict.fromkeys(op.params))


def test_a_module_sees_that_it_is_exported() -> None:
    seen = []

    def f(x: mg.Tensor) -> mg.Tensor:
        seen.append(mg.onnx.is_in_onnx_export())
        return x * 2

    assert mg.onnx.is_in_onnx_export() is False
    export(f, mg.ones(2, 3))
    with pytest.raises(TypeError, match="must return a Tensor"):
        export(lambda x: "text", mg.ones(2, 3))
    assert seen == [True, True]
    assert mg.onnx.is_in_onnx_export() is False

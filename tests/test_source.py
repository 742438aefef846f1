"""The printed program: run again, on other inputs, it gives bit for bit what eager mode gives."""

from __future__ import annotations

import ast
import contextlib
import math
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import case
from hypothesis import given, settings
from hypothesis import strategies as st
from op_samples import ROWS, Row

import minigrad as mg
from minigrad import autograd
from minigrad.core.mode import MODE
from minigrad.core.op import TABLE, Op
from minigrad.readers.source.layout import laid_out

NARROW = (np.float32, np.float16)
every = pytest.mark.parametrize("row", ROWS, ids=[r.id for r in ROWS])


@contextlib.contextmanager
def everything() -> Iterator[None]:
    """Records also what carries no gradient."""
    token = MODE.set(MODE.get().replace(everything=True))
    try:
        yield
    finally:
        MODE.reset(token)


def load(text: str, name: str = "run") -> Any:
    """The function that a printed module defines; nothing but NumPy may be imported by it."""
    namespace: dict[str, Any] = {}
    exec(compile(text, "<printed>", "exec"), namespace)
    assert [line for line in text.splitlines() if "import " in line] == ["import numpy as np"]
    return namespace[name]


# Printed as products, or sums, that may round otherwise than the kernel's.
ROUNDED = {"conv", "conv_input", "conv_weight", "max_pool", "max_unpick", "max_pick"}


def same(found: Any, expected: Any, what: str, rounded: bool = False) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, what
    assert found.dtype == expected.dtype, what
    if rounded and found.size:
        np.testing.assert_allclose(
            found, expected, 0, 32 * np.finfo(found.dtype).eps * np.abs(expected).max(), err_msg=what
        )
        return
    if found.dtype.kind == "f":  # one nan is as good as another
        found, expected = (np.where(np.isnan(a), a.dtype.type(np.nan), a) for a in (found, expected))
    assert found.tobytes() == expected.tobytes(), f"{what}\n{found}\n{expected}"


def tensors(arrays: list[np.ndarray], wanted: tuple[int, ...] = ()) -> list[Any]:
    return [mg.from_numpy(a).requires_grad_(i in wanted) for i, a in enumerate(arrays)]


def check(
    f: Any,
    recorded: list[np.ndarray],
    fresh: list[np.ndarray],
    wanted: tuple[int, ...],
    rounded: bool = False,
) -> str:
    """The text of f, recorded on some arrays; AssertionError if on others it does not do what f does."""
    names = [f"x{i}" for i in range(len(recorded))]
    with everything():
        xs = tensors(recorded, wanted)
        text = mg.source(f(*xs), inputs=dict(zip(names, xs, strict=True)))
    assert [line for line in text.splitlines() if len(line) > 80] == []
    run = load(text)
    for arrays in (recorded, fresh):
        xs = tensors([a.copy() for a in arrays], wanted)
        y = f(*xs)
        seed = np.random.default_rng(7).standard_normal(y.shape).astype(y._array.dtype)
        many = [seed] if y.numel() != 1 and y.requires_grad else []
        result, gradients = run(*[a.copy() for a in arrays], *many)
        same(result, y.numpy(force=True), f"value\n{text}", rounded)
        if not y.requires_grad:
            assert gradients == {}
            continue
        one = mg.from_numpy(seed) if many else None
        expected = autograd.grad(y, [xs[i] for i in wanted], one, allow_unused=True)
        assert list(gradients) == [names[i] for i in wanted]
        for i, g in zip(wanted, expected, strict=True):
            found = gradients[names[i]]
            if g is None:
                assert found is None
            else:
                same(found, g.numpy(), f"gradient of {names[i]}\n{text}", rounded)
                if isinstance(found, np.ndarray):
                    found[...] = 0  # it belongs to the caller
    return text


@every
def test_every_op_prints_what_it_computes(row: Row) -> None:
    def cast(arrays: list[np.ndarray], dtype: Any) -> list[np.ndarray]:
        return [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]

    # All dtypes with the first row of an operation, and then one more in turn.
    place = [r for r in ROWS if r.op == row.op].index(row)
    for dtype in (np.float64, *(NARROW if place == 0 else NARROW[place % 2 :][:1])):
        with case(dtype):
            arrays = [cast(row.draw(seed), dtype) for seed in (0, 1)]
            check(row.run, *arrays, row.wanted, row.op in ROUNDED)


# ---------------------------------------------------------------- what people write every day

F = mg.nn.functional


def _written(x: Any, index: Any, v: Any) -> Any:
    x = x * 1.0
    x[:, index] = v
    return x


# A function, the shapes of its inputs (of whole numbers below n: a shape, then n), and whether a product rounds it.
EVERYDAY: dict[str, tuple[Any, list[Any], bool]] = {
    "sum of rows": (lambda x: x.sum(0), [(300, 40)], False),
    "sum of many rows": (lambda x: x.sum(0, keepdim=True), [(300, 70)], False),
    "mean of columns": (lambda x: x.mean(1), [(30, 400)], False),
    "variance of rows": (lambda x: x.var(0), [(200, 30)], False),
    "deviation of columns": (lambda x: x.std(1), [(30, 200)], False),
    "sum but of channels": (lambda x: x.sum((0, 2, 3)), [(40, 3, 5, 5)], False),
    "sum in the middle": (lambda x: x.sum(1), [(4, 50, 6)], False),
    "norm": (lambda x: x.norm(), [(70, 80)], False),
    "norms": (lambda x: x.norm(dim=1), [(50, 70)], False),
    "logsumexp": (lambda x: x.logsumexp(1), [(30, 100)], False),
    "softmax": (lambda x: x.softmax(-1), [(4, 30, 100)], False),
    "softmax of columns": (lambda x: x.softmax(0), [(70, 9)], False),
    "log_softmax": (lambda x: x.log_softmax(1), [(40, 27)], False),
    "cross_entropy": (lambda x, t: F.cross_entropy(x, t), [(40, 27), ((40,), 27)], False),
    "cross_entropy, a sum": (lambda x, t: F.cross_entropy(x, t, reduction="sum"), [(40, 100), ((40,), 100)], False),
    "nll_loss": (lambda x, t: F.nll_loss(x, t), [(40, 27), ((40,), 27)], False),
    "gelu": (lambda x: F.gelu(x), [(30, 20)], False),
    "gelu, tanh": (lambda x: F.gelu(x.T, approximate="tanh"), [(30, 20)], False),
    "masked attention": (
        lambda q, m: F.scaled_dot_product_attention(q, q, q, m == 0), [(2, 3, 5, 8), ((5, 5), 2)], False,
    ),
    "attention to nothing": (
        lambda q, m: F.scaled_dot_product_attention(q, q, q, m > 1), [(2, 3, 5, 8), ((5, 5), 2)], False,
    ),
    "embedding": (lambda w, i: F.embedding(i, w), [(27, 10), ((32, 3), 27)], False),
    "wide embedding": (lambda w, i: F.embedding(i, w), [(50, 64), ((40, 9), 50)], False),
    "index": (lambda x, i: x[i], [(50, 40), ((70,), 50)], False),
    "index of columns": (lambda x, i: x[:, i], [(50, 40), ((70,), 40)], False),
    "two indices": (lambda x, i, k: x[i, k], [(50, 40), ((70,), 50), ((70,), 40)], False),
    "gather": (lambda x, i: x.gather(1, i), [(50, 40), ((50, 9), 40)], False),
    "scatter_add": (lambda x, v, i: x.scatter_add(1, i, v), [(50, 40), (50, 9), ((50, 9), 40)], False),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (32,), w, b), [(4, 6, 32), (32,), (32,)], False),
    "layer_norm of many rows": (lambda x, w, b: F.layer_norm(x, (32,), w, b), [(4, 40, 32), (32,), (32,)], False),
    "wide layer_norm": (lambda x, w, b: F.layer_norm(x, (600,), w, b), [(9, 600), (600,), (600,)], False),
    "batch_norm": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), [(60, 30), (30,), (30,)], False),
    "batch_norm of images": (
        lambda x, w, b: F.batch_norm(x, None, None, w, b, True), [(50, 4, 9, 9), (4,), (4,)], False,
    ),
    "group_norm": (lambda x, w, b: F.group_norm(x, 2, w, b), [(5, 6, 8, 8), (6,), (6,)], False),
    "max_pool2d": (lambda x: F.max_pool2d(x * 1.0, 2), [(3, 4, 8, 8)], False),
    "max_pool2d, padded": (lambda x: F.max_pool2d(x * 1.0, 3, 2, 1), [(3, 4, 9, 9)], True),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 2), [(3, 4, 8, 8)], False),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, 1), [(3, 4, 8, 8)], False),
    "adaptive_max_pool2d": (lambda x: F.adaptive_max_pool2d(x * 1.0, (2, 4)), [(3, 4, 8, 8)], False),
    "parts of unequal lengths": (lambda x: F.adaptive_max_pool2d(x * 1.0, (3, 5)), [(3, 4, 8, 8)], True),
    "unfold": (lambda x: F.unfold(x, 3, 2, 1, 2), [(2, 3, 9, 8)], False),
    "fold": (lambda x: F.fold(x, (7, 8), (2, 3), padding=1), [(2, 12, 64)], False),
    "windows of one": (lambda x: F.unfold(x, 1), [(2, 3, 4, 4)], False),
    "pad": (lambda x: F.pad(x, (1, 2), value=2.0), [(3, 4)], False),
    "pad and cut": (lambda x: F.pad(x, (1, -2, -1, 0)), [(3, 4, 5)], False),
    "pad with the least": (lambda x: F.pad(x, (1, 0), value=-math.inf).amax(1), [(3, 4)], False),
    "cut": (lambda x: F.pad(x, (-1, -2)), [(3, 4, 5)], False),
    "index_add": (lambda x, v, i: x.index_add(0, i, v), [(5, 40), (9, 40), ((9,), 5)], False),
    "index_add of columns": (lambda x, v, i: x.index_add(1, i, v), [(5, 4, 3), (5, 9, 3), ((9,), 4)], False),
    "index_put": (lambda x, v, i, k: x.index_put((i, k), v), [(50, 40), (9,), ((9,), 5), ((9,), 4)], False),
    "columns written": (lambda x, v, i: _written(x, i, v), [(5, 4), (5, 3), ((3,), 4)], False),
    "cholesky": (lambda x: mg.linalg.cholesky(x @ x.T), [(4, 9)], False),
    "inverse": (lambda x: mg.linalg.inv(x), [(4, 4)], False),
    "triangles": (lambda x, b: mg.linalg.solve_triangular(x, b, upper=False), [(4, 4), (4, 2)], False),
    "cross": (lambda x, y: mg.cross(x, y, dim=1), [(5, 3), (5, 3)], False),
    "conv2d": (lambda x, w, b: F.conv2d(x, w, b, padding=1), [(4, 3, 9, 9), (5, 3, 3, 3), (5,)], True),
    "conv2d, stride": (lambda x, w, b: F.conv2d(x, w, b, 2), [(4, 3, 9, 9), (5, 3, 3, 3), (5,)], True),
    "conv1d": (lambda x, w: F.conv1d(x, w, dilation=2), [(4, 3, 19), (5, 3, 3)], True),
}  # fmt: skip


def recurrent(kind: Any, x: Any, state: Any, w: Any, u: Any) -> Any:
    """The outputs of a layer without biases."""
    layer = kind(w.shape[1], u.shape[1], bias=False).to(x.dtype)
    return mg.func.functional_call(layer, {"weight_ih_l0": w, "weight_hh_l0": u}, (x, state))[0]


# Where kernels may add up in another way: operands with gaps or turned, sizes of 0 and 1, signs of zeros.
UNUSUAL: dict[str, tuple[Any, list[Any], bool]] = {
    "variance of nothing": (lambda x: x.var(1), [(0, 65, 1)], False),
    "sum of nothing": (lambda x: x.sum((1, 3)), [(0, 65, 1, 2)], False),
    "norm over many and 1": (lambda x: x[1:].norm(dim=(0, 1), keepdim=True), [(4, 128, 1)], False),
    "sum behind 1": (lambda x: x.sum(1), [(1, 33, 7)], False),
    "log_softmax of columns": (lambda x: x.log_softmax(0), [(127, 3)], False),
    "logsumexp, turned": (lambda x: x.T.logsumexp(1), [(8, 1024)], False),
    "gelu of one column": (lambda x: F.gelu(x[:, :1].expand(3, 32).T), [(3, 32)], False),
    "layer_norm, a weight with gaps": (lambda x, w: F.layer_norm(x, (33,), w[::2]), [(33,), (66,)], False),
    "sum of columns with gaps": (lambda x: x[:, ::2].sum(0), [(200, 66)], False),
    "layer_norm, turned": (lambda x: F.layer_norm(x.T, (127,)), [(127, 4)], False),
    "layer_norm, weights of 0": (lambda x, w: F.layer_norm(x, (4,), w * 0.0), [(200, 4), (4,)], False),
    "layer_norm of one number": (lambda x, w, b: F.layer_norm(x * 0.0, (1,), w, b), [(1,), (1,), (1,)], False),
    "batch_norm of one channel": (
        lambda x, w, b: F.batch_norm(x, None, None, w, b, True), [(64, 1, 4, 8), (1,), (1,)], False,
    ),
    "batch_norm of many": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), [(200, 30), (30,), (30,)], False),
    "batch_norm by what is known": (
        lambda x, w, b: F.batch_norm(x, (b > 0).to(x.dtype), (w > 0).to(x.dtype) + 1.0, w, b),
        [(40, 3), (3,), (3,)], False,
    ),
    "batch_norm, turned": (lambda x: F.batch_norm(x.mT, None, None, training=True), [(5, 3, 2, 8)], False),
    "group_norm, turned": (lambda x, w: F.group_norm(x.mT, 1, w), [(1, 65, 3), (3,)], False),
    "linear of a vector, weights of 0": (lambda x, w, b: F.linear(x, w * 0.0, b), [(33,), (1, 33), (1,)], False),
    "complex sum": (lambda x: mg.complex(x, x.flip(0)).sum().abs(), [(600,)], False),
    "complex parts": (lambda x: mg.view_as_real(mg.view_as_complex(x) ** 2), [(7, 2)], False),
    "complex parts with gaps": (
        lambda x: mg.view_as_complex(mg.stack([x, x * 2], -1).transpose(0, 1)).abs(), [(7, 3)], False,
    ),
    "RNN, turned": (
        lambda x, h, w, u: recurrent(mg.nn.RNN, x, h, w.T, u.T),
        [(2, 12, 5), (1, 12, 40), (5, 40), (40, 40)], False,
    ),
    "LSTM, turned": (
        lambda x, h, w, u: recurrent(mg.nn.LSTM, x, (h, h), w.T, u.T),
        [(2, 5, 5), (1, 5, 40), (5, 160), (40, 160)], False,
    ),
    "GRU of one number": (
        lambda x, h, w, u: recurrent(mg.nn.GRU, x, h, w, u),
        [(5, 33, 2), (1, 33, 1), (3, 2), (3, 1)], False,
    ),
}  # fmt: skip
LINES = 60  # of float32, which a screen shows


@pytest.mark.parametrize("name", [*EVERYDAY, *UNUSUAL])
def test_what_people_write_prints_on_a_screen(name: str) -> None:
    f, shapes, rounded = (EVERYDAY | UNUSUAL)[name]

    def draw(seed: int, shape: Any) -> np.ndarray:
        rng = np.random.default_rng(seed)
        if isinstance(shape[0], tuple):
            return rng.integers(0, shape[1], shape[0])
        return rng.standard_normal(shape)

    wanted = tuple(i for i, shape in enumerate(shapes) if not isinstance(shape[0], tuple))
    for dtype in (np.float32, np.float64):
        arrays = [[draw(seed, shape) for shape in shapes] for seed in (1, 2)]
        typed = [[a.astype(dtype) if a.dtype.kind == "f" else a for a in some] for some in arrays]
        text = check(f, *typed, wanted, rounded)
        assert name in UNUSUAL or dtype is np.float64 or len(text.splitlines()) <= LINES, text


def test_a_gradient_that_no_rule_reads() -> None:
    deaf = mg.tape.Op("deaf", np.sign, "x", lambda g, x: x * 0.0, text="np.sign({})", listed=False)
    text = check(lambda x: (deaf(x * 3.0) * 2.0 + x).sum(), [np.ones(3)], [np.ones(3)], (0,))
    assert "sign" in text


def test_samples_of_a_grid_and_the_loss_of_alignments_print_on_two_screens() -> None:
    mg.manual_seed(0)
    image, grid = mg.randn(1, 2, 4, 4, requires_grad=True), mg.rand(1, 3, 3, 2, requires_grad=True)
    scores, target = mg.randn(6, 2, 4, requires_grad=True), mg.tensor([[1, 2, 3], [2, 2, 0]])
    for y in (
        F.grid_sample(image, grid, align_corners=False).sum(),
        F.ctc_loss(scores.log_softmax(2), target, (6, 5), (3, 2)),
    ):
        assert len(mg.source(y).splitlines()) <= 2 * LINES


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_a_recurrent_layer_prints_on_two_screens(kind: str) -> None:
    mg.manual_seed(0)
    layer = getattr(mg.nn, kind)(5, 6)
    x = mg.randn(7, 9, 5, requires_grad=True)
    result = layer(x)[0].square().sum()
    text = mg.source(result, layer, inputs={"x": x})
    assert len(text.splitlines()) <= 2 * LINES
    states = [np.zeros((9, 6), np.float32)] * (2 if kind == "LSTM" else 1)
    value, gradients = load(text)(
        x.detach().numpy(), *(p.detach().numpy() for p in layer.parameters()), *states
    )
    result.backward()
    same(value, result.detach().numpy(), text)
    for name, p in [("x", x), *layer.named_parameters()]:
        same(gradients[name], p.grad.numpy(), f"{name}\n{text}")


# ---------------------------------------------------------------- random compositions


def _apply(kind: str, a: Any, b: Any) -> Any:
    """One step of a random program; a Tensor of whatever shape comes out, or None where it does not fit."""
    n = a.ndim
    loss = mg.nn.functional.mse_loss
    steps: dict[str, Any] = {
        "add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b, "div": lambda: a / (b * b + 1.5),
        "number": lambda: 0.5 - a * 3.0, "same": lambda: a + a, "maximum": lambda: mg.maximum(a, b),
        "where": lambda: mg.where(a > b, a, b * 2.0), "pow": lambda: (a * a + 0.5) ** b,
        "square": lambda: a**2, "cube": lambda: a**3, "root": lambda: (a * a + 1.0) ** -0.5,
        "exp": lambda: (-(a * a)).exp(), "tanh": lambda: a.tanh(), "sigmoid": lambda: a.sigmoid(),
        "relu": lambda: a.relu(), "abs": lambda: a.abs(), "sin": lambda: a.sin(),
        "clamp": lambda: a.clamp(-0.5, 0.7), "floor": lambda: a.floor() + a, "sum": lambda: a.sum(),
        "sum0": lambda: a.sum(0), "sum1": lambda: a.sum(-1, True), "mean": lambda: a.mean(-1),
        "var": lambda: a.var(0, correction=0), "amax": lambda: a.amax(0), "max": lambda: a.max(-1).values,
        "logsumexp": lambda: a.logsumexp(-1, keepdim=True), "prod": lambda: a.prod(-1),
        "cumsum": lambda: a.cumsum(0), "cumprod": lambda: a.cumprod(-1), "T": lambda: a.T if n == 2 else a.mT,
        "reshape": lambda: a.reshape(-1), "t_reshape": lambda: a.mT.reshape(-1),
        "fold": lambda: a.reshape(-1, a.shape[0]), "row": lambda: a[0], "slice": lambda: a[..., 1:],
        "stride": lambda: a[::2], "mask": lambda: a * (a > 0),
        "picked": lambda: a[(b > 0).long().reshape(-1)[:3] - 1], "flip": lambda: a.flip(0),
        "expand": lambda: a.expand(2, *a.shape), "unsqueeze": lambda: a.unsqueeze(-1),
        "cat": lambda: mg.cat([a, b, a]), "stack": lambda: mg.stack([a, b]), "matmul": lambda: a @ b.mT,
        "gram": lambda: a @ a.mT, "dot": lambda: mg.dot(a, b), "mse": lambda: loss(a, a * 0.5 - 0.2),
        "clone": lambda: a.clone(), "in_place": lambda: _changed(a, b), "double": lambda: a.double() * 0.7,
    }  # fmt: skip
    try:
        return steps[kind]()
    except (
        RuntimeError,
        IndexError,
        AttributeError,
    ):  # shapes that do not fit, dimensions that are not there
        return None


KINDS = [
    "add", "sub", "mul", "div", "number", "same", "maximum", "where", "pow", "square", "cube", "root", "exp",
    "tanh", "sigmoid", "relu", "abs", "sin", "clamp", "floor", "sum", "sum0", "sum1", "mean", "var", "amax",
    "max", "logsumexp", "prod", "cumsum", "cumprod", "T", "reshape", "t_reshape", "fold", "row", "slice",
    "stride", "mask", "picked", "flip", "expand", "unsqueeze", "cat", "stack", "matmul", "gram", "dot", "mse",
    "clone", "in_place", "double",
]  # fmt: skip


def _changed(a: Any, b: Any) -> Any:
    c = a * 1.5
    c[0] *= 2.0
    c[-1] = c[0] + 1.0
    return c


def compose(steps: list[tuple[str, int, int]], xs: list[Any]) -> Any:
    """The last value of a random program, to which every input is added so that it occurs."""
    values = list(xs)
    for kind, i, j in steps:
        found = _apply(kind, values[-1 - i % len(values)], values[-1 - j % len(values)])
        if found is not None and found.numel() and found.numel() < 4000:
            values.append(found)
    return values[-1] + xs[0].sum() - 0.5 * xs[1].sum()


programs = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 3), st.integers(0, 4)), min_size=2, max_size=9
)
SHAPES = [
    [(3, 4), (3, 4)], [(3, 4), (4,)], [(4,), (4,)], [(2, 3, 4), (3, 4)], [(), (3,)], [(1, 1), (2, 1)],
    [(30, 40), (40,)],
]  # fmt: skip


def arrays(shapes: list[tuple[int, ...]], seed: int, dtype: Any) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(-1.5, 1.5, s)).astype(dtype) for s in shapes]


@settings(max_examples=150, deadline=None)
@given(programs, st.sampled_from(SHAPES), st.sampled_from([np.float64, np.float32]))
def test_random_compositions(steps: Any, shapes: Any, dtype: Any) -> None:
    recorded, fresh = arrays(shapes, 0, dtype), arrays(shapes, 1, dtype)
    check(lambda *xs: compose(steps, list(xs)), recorded, fresh, (0, 1))


def _penalty(steps: Any, xs: Any) -> Any:
    y = compose(steps, list(xs))
    grads = autograd.grad((y * y).sum(), list(xs), create_graph=True, allow_unused=True)
    return sum(((g * g).sum() for g in grads if g is not None), y.sum())


@settings(max_examples=75, deadline=None)
@given(programs, st.sampled_from(SHAPES), st.sampled_from([np.float64, np.float32]))
def test_random_compositions_differentiated_twice(steps: Any, shapes: Any, dtype: Any) -> None:
    recorded, fresh = arrays(shapes, 0, dtype), arrays(shapes, 1, dtype)
    check(lambda *xs: _penalty(steps, xs), recorded, fresh, (0, 1))


# ---------------------------------------------------------------- the article's network


@pytest.fixture
def article(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "examples"))
    import article_mlp

    return article_mlp


@pytest.mark.parametrize("rows", [1, 32, 1000])
def test_the_articles_network_prints_on_a_page_and_is_right_on_other_data(article: Any, rows: int) -> None:
    def made(seed: int) -> tuple[Any, ...]:
        rng = np.random.default_rng(seed)
        net = article.build(article.handwritten.initial_layers(seed))
        x, target = rng.standard_normal((rows, 2)), rng.standard_normal((rows, 1))
        loss = mg.nn.MSELoss()(net(mg.from_numpy(x)), mg.from_numpy(target))
        return net, x, target, loss

    net = article.build(article.handwritten.initial_layers(0))
    x, target = mg.randn(rows, 2, dtype=mg.float64), mg.randn(rows, 1, dtype=mg.float64)
    text = mg.source(mg.nn.MSELoss()(net(x), target), net, inputs={"x": x, "target": target})
    assert text.count("\n") <= 60
    assert max(map(len, text.splitlines())) <= 110
    assert "# linear_0 = np.dot(x, weight_0.T) + bias_0  (test_source.py:" in text
    run = load(text)
    for seed in (1, 2):
        net, x, target, loss = made(seed)
        loss.backward()
        value, gradients = run(x, target, *(p.detach().numpy() for p in net.parameters()))
        same(value, loss.detach().numpy(), "loss")
        assert list(gradients) == [name for name, _ in net.named_parameters()]
        for name, p in net.named_parameters():
            same(gradients[name], p.grad.numpy(), name)


# ---------------------------------------------------------------- what is printed


def body(text: str) -> list[str]:
    """The statements of the function, without comments."""
    lines = text[text.index("def run") :].splitlines()[1:]
    return [
        line.split("  # ")[0].strip() for line in lines if line.strip() and not line.strip().startswith("#")
    ]


def test_a_small_network_prints_like_this() -> None:
    net = mg.nn.Sequential(mg.nn.Linear(2, 3), mg.nn.ReLU(), mg.nn.Linear(3, 1))
    x, target = mg.randn(5, 2), mg.randn(5, 1)
    prediction = net(x)
    loss = mg.nn.functional.mse_loss(prediction, target)
    found = mg.source(loss, net, inputs={"x": x, "target": target}, name="step")
    line = next(n for n, text in enumerate(Path(__file__).read_text().splitlines(), 1) if " = net(x)" in text)
    assert found == GOLDEN.replace("LINE", str(line)).replace("NEXT", str(line + 1))


GOLDEN = '''\
"""test_source.py:NEXT and its gradients in NumPy, printed by minigrad."""

import numpy as np


@np.errstate(all="ignore")
def step(x, target, weight_0, bias_0, weight_2, bias_2):
    """x: float32 [5, 2]; target: float32 [5, 1]; weight_0: float32 [3, 2];
    bias_0: float32 [3]; weight_2: float32 [1, 3]; bias_2: float32 [1]."""
    linear_0 = np.dot(x, weight_0.T) + bias_0  # test_source.py:LINE
    relu_0 = np.maximum(linear_0, 0.0)  # test_source.py:LINE
    prediction = np.dot(relu_0, weight_2.T) + bias_2  # test_source.py:LINE
    difference = prediction - target  # test_source.py:NEXT
    loss = np.vdot(difference, difference) / 5  # test_source.py:NEXT

    # loss = np.vdot(difference, difference) / 5  (test_source.py:NEXT)
    d_prediction = difference * 0.4
    # prediction = np.dot(relu_0, weight_2.T) + bias_2  (test_source.py:LINE)
    d_relu_0 = np.dot(d_prediction, weight_2)
    d_weight_2 = np.dot(d_prediction.T, relu_0)
    d_bias_2 = np.sum(d_prediction, axis=0)
    # relu_0 = np.maximum(linear_0, 0.0)  (test_source.py:LINE)
    d_linear_0 = np.where(relu_0 <= 0.0, 0.0, d_relu_0)
    # linear_0 = np.dot(x, weight_0.T) + bias_0  (test_source.py:LINE)
    d_weight_0 = np.dot(d_linear_0.T, x)
    d_bias_0 = np.dot(np.ones(5, np.float32), d_linear_0)
    return loss, {
        "0.weight": d_weight_0, "0.bias": d_bias_0, "2.weight": d_weight_2,
        "2.bias": d_bias_2,
    }
'''


def test_long_names_and_keys_fit_80_columns() -> None:
    keys = [
        ".".join(["encoder", "layers", "3", "attention_of_the_layer"] * n) + ".weight" for n in (1, 2, 3, 4)
    ]
    params = {key: mg.randn(2, requires_grad=True) for key in [*keys, "a: b, 'c' " * 12, "k" * 90]}
    loss = sum((p * p).sum() for p in params.values())
    text = str(mg.source(loss, params))
    assert max(map(len, text.splitlines())) <= 80
    space: dict[str, Any] = {}
    exec(text, space)
    _, gradients = space["run"](*[p.detach().numpy() for p in params.values()])
    assert {key: g.tolist() for key, g in gradients.items()} == {
        k: (2 * p).tolist() for k, p in params.items()
    }


def test_a_place_stands_in_a_line_of_its_own_where_both_are_wider_than_80_columns() -> None:
    x, target = mg.randn(5, 1, requires_grad=True), mg.randn(5, 1)
    half_of_the_error = 0.5 * mg.nn.functional.mse_loss(x, target)
    text = mg.source(half_of_the_error, inputs={"x": x, "target": target})
    line = "half_of_the_error = 0.5 * (np.vdot(difference, difference) / 5)"
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(rf"^    # (test_source.py:\d+)\n    {re.escape(line)}\n\n", text, re.MULTILINE)
    assert re.search(rf"^    # {re.escape(line)}\n    # \(test_source.py:\d+\)\n", text, re.MULTILINE)


@pytest.mark.parametrize(
    "line",
    [
        "total = total + np.matmul(cols.reshape(groups, -1, len(part) * count), here.reshape(groups, -1, filters))",
        "    shape, strides = old = ((*x.shape[:2], *kernel, *out), [s * d for s, d in zip(inner, outer) if s != d])",
        "    elif rows.dtype.kind == 'f' and not np.isfinite(rows).all() or (rows.shape[axis] - 1 > count == step):",
        "raise IndexError(f'Target {target[at]} is out of {x.shape[1] - 1:>{width}}: it isn\\'t ({ignore})') from None",
        "return 'a single text of more than eighty characters, in which (brackets, and \\'quotes\\' do not count'",
        "def _summed_products(x, g, kernel, stride, dilation, groups, length=len('a, b'), empty=np.empty, pads=()):",
        "y = _pool(x, plans=(('window', 30, 2, 2, 0, 1, 15), ('window', 30, 2, 2, 0, 1, 15)))  # a (place:12",
    ],
)
def test_a_long_line_is_broken_and_says_the_same(line: str) -> None:
    before, end = ("if x: pass\n", " pass") if "elif" in line else ("", " pass" * line.endswith(":"))
    broken = laid_out(line)
    assert max(map(len, broken.splitlines())) <= 80 < len(line)
    old, new = (ast.dump(ast.parse(before + textwrap.dedent(text) + end)) for text in (line, broken))
    assert old == new
    whole = f'"""A text,\n{line}\n"""'
    assert laid_out(whole) == whole


def test_the_same_tape_gives_the_same_text() -> None:
    x = mg.randn(3, 4, requires_grad=True)
    y = (x.sin() * x.cumprod(0)).amax(1).sum()
    assert mg.source(y) == mg.source(y)


def test_what_is_computed_twice_is_printed_once() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = (x.exp() * 2.0 + x.exp() * 3.0).sum()
    text = mg.source(y)
    assert "\n".join(body(text)).count("np.exp") == 1
    lines = body(text)
    right = [line.partition(" = ")[2] for line in lines[1:-1]]
    assert len(right) == len(set(right))


def test_the_gradient_of_a_square_is_a_product_with_two() -> None:
    x, b = mg.randn(3, 2), mg.tensor([0.1, 0.2], requires_grad=True)
    text = mg.source(((x + b) ** 2).sum(), inputs={"x": x, "b": b})
    assert re.findall(r"    d_add_1 = (.*)", text) == ["add_1 * 2.0"]
    result, _ = load(mg.source((b * 3) ** 1, inputs={"b": b}))(array := np.ones(2, np.float32), array)
    assert result.tolist() == [3, 3]
    assert not np.may_share_memory(result, array)


def test_what_nobody_needs_is_not_printed() -> None:
    w, v = (mg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    y = (w * v.exp().sin()).sum()
    assert "d_v" in mg.source(y)
    text = mg.source(y, {"w": w, "v": v}, wrt=["w"])
    assert "d_v" not in text
    assert list(load(text)(np.ones(2, np.float32), np.ones(2, np.float32))[1]) == ["w"]
    text = mg.source(y, {"w": w, "v": v}, wrt=[])
    assert [line for line in body(text) if "=" in line and "d_" in line] == []
    assert load(text)(np.ones(2, np.float32), np.ones(2, np.float32))[1] == {}


def test_every_name_is_used_and_every_backward_line_is_under_its_forward_line() -> None:
    net = mg.nn.Sequential(mg.nn.Linear(2, 3), mg.nn.Tanh(), mg.nn.Linear(3, 1))
    x = mg.randn(4, 2)
    text = mg.source(net(x).square().mean(), net, inputs={"x": x})
    names = [line.partition(" = ")[0] for line in body(text)[1:] if " = " in line]
    assert names
    assert len(names) == len(set(names))
    for name in names:
        assert len(re.findall(rf"\b{name}\b", "\n".join(line for line in body(text)))) > 1, name
    backward = text[text.index("    # ") :].partition("    return")[0].splitlines()
    assert backward[0].startswith("    # ")
    for line in backward:
        if line.startswith("    # "):
            assert line[6:].split("  (")[0] in text[: text.index("    # ")]
            assert re.search(r"\(test_source\.py:\d+\)$", line)


class Net(mg.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = mg.nn.Linear(3, 4)
        self.body = mg.nn.Sequential(mg.nn.Linear(4, 4), mg.nn.ReLU(), mg.nn.Linear(4, 1))

    def forward(self, x: Any) -> Any:
        h = mg.tanh(self.hidden(x))
        h = h + h.sin()
        return self.body(h)


def test_names_are_those_of_variables_modules_and_parameters() -> None:
    net, x = Net(), mg.randn(5, 3)
    error = net(x) - 1.0
    loss = (error * error).mean()
    text = mg.source(loss, net, inputs={"the input": x})
    signature = text.partition("def ")[2].partition(":")[0]
    assert re.findall(r"\w+", signature)[:5] == [
        "run",
        "the_input",
        "hidden_weight",
        "hidden_bias",
        "body_0_weight",
    ]
    for start in (
        "hidden = np.dot(the_input, hidden_weight.T) + hidden_bias", "h = np.tanh(hidden)", "h_2 = h + np.sin(h)",
        "body_0 = ", "body_0_relu = np.maximum(body_0, 0.0)", "error = ", "loss = np.sum(error * error) / 5",
        "d_error = ", "d_body_0 = ", "d_hidden_weight = ",
    ):  # fmt: skip
        assert f"\n    {start}" in text, f"{start}\n{text}"
    assert '"hidden.weight": d_hidden_weight' in text


def test_a_gradient_that_is_used_twice_is_named_after_what_it_is_the_gradient_of() -> None:
    w, b, x = mg.ones(2, 3, requires_grad=True), mg.ones(3, requires_grad=True), mg.randn(5, 2)
    text = mg.source((x @ w + b).tanh().sum(), inputs={"x": x, "w": w, "b": b})
    for line in (
        "add_1 = np.dot(x, w) + b",
        "tanh_1 = np.tanh(add_1)",
        "# tanh_1 = np.tanh(add_1)",
        "d_add_1 = ",
    ):
        assert f"\n    {line}" in text, text


def test_awkward_names_become_identifiers() -> None:
    names = ["0.weight", "lambda", "a-b", "np", "7", "x y", "x_y", "_x", "sum", "é"]
    xs = {name: mg.tensor(float(i), requires_grad=True) for i, name in enumerate(names)}
    text = mg.source(sum(xs.values(), mg.tensor(0.0)) * 1.5, xs)
    value, gradients = load(text)(*[np.float32(i) for i in range(len(names))], np.float32(0))
    assert value == 1.5 * sum(range(len(names)))
    assert list(gradients) == names


def test_leaves_without_a_name_have_that_of_the_callers_variable() -> None:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    scale = mg.tensor(3.0)
    text = mg.source((w * scale * mg.tensor([5.0, 6.0])).sum())
    assert "def run(w, scale, tensor_1):" in text
    code = compile("a = w.exp()", "made.py", "exec").replace(co_names=("w", "exp", "@py_1"))
    names: dict[str, Any] = {"w": w}
    exec(code, names)  # pytest stores in such variables what is asserted
    assert "@py" not in mg.source(names["@py_1"], {"w": w})
    value, gradients = load(text)(*(np.array(v, np.float32) for v in ([1.0, 1.0], 2.0, [1.0, 3.0])))
    assert value == 8.0
    assert gradients["w"].tolist() == [2.0, 6.0]


def test_what_was_not_recorded_is_asked_for_and_never_baked_in() -> None:
    x = mg.tensor([1.0, -2.0], requires_grad=True)
    text = mg.source(mg.where(x > 0, x, x * 0.1).sum(), inputs={"x": x})
    assert "def run(x, condition_1):" in text
    with everything():
        text = mg.source(mg.where(x > 0, x, x * 0.1).sum(), inputs={"x": x})
    assert "def run(x):" in text
    assert load(text)(np.array([-1.0, 3.0], np.float32))[1]["x"].tolist() == [np.float32(0.1), 1.0]


def test_a_result_of_many_elements_is_given_its_gradient() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    text = mg.source(x * x)
    assert "def run(x, gradient):" in text
    assert load(text)(np.array([3.0, 4.0], np.float32), np.ones(2, np.float32))[1]["x"].tolist() == [6.0, 8.0]


def test_gradients_belong_to_the_caller() -> None:
    a, b = (mg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    _, gradients = load(mg.source(a + b))(*(np.ones(2, np.float32) for _ in range(3)))
    gradients["a"] += 1.0
    assert gradients["b"].tolist() == [1.0, 1.0]
    x = mg.randn(2, 3, requires_grad=True)
    load(mg.source(x.mean() * 2.0 + x.sum() * x.sum()))(np.ones((2, 3), np.float32))[1]["x"][...] = 0.0


def test_a_gradient_that_nothing_flows_to_is_none() -> None:
    x, w = (mg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    with everything():
        y = ((w > 0).float() * x).sum()
    assert (
        load(mg.source(y, {"x": x, "w": w}))(np.ones(2, np.float32), np.ones(2, np.float32))[1]["w"] is None
    )


def test_hooks_are_part_of_the_program_and_the_tape_stays_as_it_is() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2.0
    h.register_hook(lambda g: g * 10.0)
    h.retain_grad()
    y = (h * h).sum()
    run = load(mg.source(y))
    assert x.grad is None
    y.backward()
    assert h.grad.tolist() == [4.0 * 10.0, 8.0 * 10.0]
    same(run(x.detach().numpy())[1]["x"], x.grad.numpy(), "x")


def test_a_backward_pass_recorded_as_usual_prints_whole() -> None:
    """Not even its first 1, nor a mask, is a parameter."""
    x = mg.tensor([[1.0, -2.0, 3.0], [0.5, 3.0, 3.0]], requires_grad=True)

    def penalty(x: Any) -> Any:
        y = (x.amax(1) * x.relu().sum(1)).exp().mean()
        (g,) = autograd.grad(y, x, create_graph=True)
        return (g * g).sum() + g.abs().mean()

    text = mg.source(penalty(x), inputs={"x": x})
    assert "def run(x):" in text
    fresh = mg.tensor([[0.1, 0.2, -0.3], [0.5, 0.5, -1.0]], requires_grad=True)
    value, gradients = load(text)(fresh.detach().numpy())
    y = penalty(fresh)
    same(value, y.detach().numpy(), "value")
    same(gradients["x"], autograd.grad(y, fresh)[0].numpy(), "gradient")


# ---------------------------------------------------------------- errors


def test_a_tensor_without_a_record() -> None:
    for t in (mg.ones(3), mg.ones(3, requires_grad=True), mg.ones(3) * 2.0):
        with pytest.raises(
            RuntimeError, match="has no record: it was not computed from Tensors that require grad"
        ):
            mg.source(t)
    with pytest.raises(TypeError, match=r"source\(\) takes a Tensor, got list"):
        mg.source([1.0])  # type: ignore[arg-type]


def test_names_that_do_not_occur() -> None:
    w, other = mg.ones(3, requires_grad=True), mg.ones(3)
    y = (w * 2.0).sum()
    with pytest.raises(RuntimeError, match="'x' does not occur in the computation"):
        mg.source(y, {"w": w}, inputs={"x": other})
    with pytest.raises(RuntimeError, match="'a', 'b' do not occur in the computation"):
        mg.source(y, {"w": w, "a": other, "b": mg.ones(2)})
    with pytest.raises(RuntimeError, match=r"wrt has 'v' that is not a leaf .* there are w"):
        mg.source(y, {"w": w}, wrt=["v"])
    with pytest.raises(TypeError, match="params must be a Module or a dict of names to Tensors, got list"):
        mg.source(y, [w])
    with pytest.raises(TypeError, match="inputs: 'w' must be a Tensor, got int"):
        mg.source(y, inputs={"w": 1})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="'a b' cannot be the name of a function"):
        mg.source(y, name="a b")


class Twice(autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2.0

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 2.0


def test_a_users_function_is_named_with_its_line() -> None:
    x = mg.ones(3, requires_grad=True)
    y = Twice.apply(x).sum()
    with pytest.raises(NotImplementedError, match=r"Twice at .*test_source\.py:\d+ is an autograd\.Function"):
        mg.source(y)


def test_a_freed_graph() -> None:
    x = mg.ones(3, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"a second time: the arrays saved by mul at .* were freed"):
        mg.source(y)
    assert "np.sum(x * x)" in mg.source(y, wrt=[])  # forward needs no saved arrays


def test_a_saved_array_that_was_changed() -> None:
    x = mg.ones(3, requires_grad=True)
    y = (x * x).sum()
    with mg.no_grad():
        x.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation: mul at"):
        mg.source(y)


def test_an_op_whose_kernel_cannot_be_printed() -> None:
    op = Op("planted", lambda x: x * 2.0, "x", lambda g: g * 2.0)
    try:
        x = mg.ones(3, requires_grad=True)
        with pytest.raises(
            NotImplementedError, match=r"the operation planted cannot be printed: .* give its record a text="
        ):
            mg.source(op(x))
        assert MODE.get().everything is False
    finally:
        TABLE.pop("planted")


FACTOR = 2.0


def _scaled(x: Any) -> Any:
    return _by_factor(x) + 1.0


def _by_factor(x: Any) -> Any:
    return x * FACTOR


def _by_square(x: Any) -> Any:
    return x * FACTOR * FACTOR


def test_a_kernel_prints_as_it_is_now(monkeypatch: Any) -> None:
    """A kernel's text is kept; a number or a function that it reads, and its own code, may change after that."""
    op = Op("planted", _scaled, "x", lambda g: g * 2.0)
    try:

        def printed() -> Any:
            names: dict[str, Any] = {}
            exec(mg.source(op(mg.ones(3, requires_grad=True)), wrt=[]), names)
            return names["run"](np.ones(3, np.float32))[0].tolist()

        assert [printed(), printed()] == [[3.0] * 3] * 2
        monkeypatch.setitem(globals(), "FACTOR", 5.0)
        assert printed() == [6.0] * 3
        monkeypatch.setitem(globals(), "_by_factor", _by_square)
        assert printed() == [26.0] * 3
        monkeypatch.setattr(_scaled, "__code__", _by_square.__code__)
        assert printed() == [25.0] * 3
    finally:
        TABLE.pop("planted")


def test_a_product_of_equal_matrices_is_not_one_of_a_matrix_with_itself() -> None:
    """BLAS has a routine of its own for that, with another rounding; and the two are computed once."""
    recorded, fresh = arrays([(30, 40), (1,)], 0, np.float64), arrays([(30, 40), (1,)], 1, np.float64)
    text = check(lambda x, b: (x.sin() + b) @ (x.sin() + b).mT, recorded, fresh, (0, 1))
    assert "\n".join(body(text)).count("np.sin(x0)") == 1
    text = check(lambda x, b: (x + b) @ (x + b).clone().mT, recorded, fresh, (0, 1))
    assert "np.copy" in text
    text = check(lambda x, b: x @ x.mT + b, recorded, fresh, (0, 1))
    assert "np.copy(x0" not in text


@pytest.mark.parametrize(
    "write",
    [
        lambda y: y.expand(1, 4, 1).mul_(2.0),
        lambda y: y.expand(2, 4, 1)[0].mul_(3.0),
        lambda y: y.expand(4, 2)[::3, 0].add_(5.0),
        lambda y: y.expand(4, 2)[:, 1].mul_(2.0),
    ],
)
def test_writes_through_an_expanded_tensor_print(write: Any) -> None:
    def f(x: Any) -> Any:
        y = x * 0.5
        write(y)
        return (y * y).sum()

    recorded, fresh = arrays([(4, 1)], 0, np.float64), arrays([(4, 1)], 1, np.float64)
    check(f, recorded, fresh, (0,))

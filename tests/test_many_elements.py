"""What is computed in another way for many elements: choices between arrays, and activations in pieces."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.kernels import channels
from minigrad.kernels.select import LARGE, PIECE, select
from minigrad.kernels.sharing import BLOCK
from minigrad.nn import functional as F
from minigrad.ops import buffered

COUNT = 2 * PIECE + 7


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i2", "i4", "i8", "u1"])
def test_a_choice_among_many_is_that_of_numpy_bit_for_bit(kind: str) -> None:
    assert COUNT > LARGE
    rng = np.random.default_rng(0)
    a, b = ((rng.standard_normal(COUNT) * 50).astype(kind) for _ in range(2))
    if kind[0] == "f":
        a[:3], b[1:4] = (np.nan, -0.0, np.inf), (-0.0, np.nan, -np.inf)
    for condition in (a > b, a == a, np.zeros(COUNT, bool)):
        for x, y in (
            (a, b),
            (a, 0),
            (0, b),
            (3, b),
            (-0.0, b),
            (a, np.zeros((), kind)),
            (a, np.float64(2)),
            (1, 2),
        ):
            expected, chosen = np.where(condition, x, y), select(condition, x, y)
            assert chosen.dtype == expected.dtype
            assert chosen.tobytes() == expected.tobytes()
    table = (a > b)[:-7].reshape(2, -1)
    rows = a[:-7].reshape(2, -1)
    # What does not lie as the condition does: a row for all, a column for all, backwards.
    for other in (rows[:1], rows[:, 1:2], rows[0, 2], rows[:, ::-1]):
        for x, y in ((rows, other), (other, rows), (other, 0), (0, other), (3, other), (other, rows[::-1])):
            assert select(table, x, y).tobytes() == np.where(table, x, y).tobytes()
    assert select(table.T, rows.T, 0).tobytes() == np.where(table.T, rows.T, 0).tobytes()


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 2, 9, 255, 256])
def test_many_rows_are_those_of_few(function: Any, kind: Any, width: int) -> None:
    rows = np.random.default_rng(0).standard_normal((40, width)).astype(kind)
    rows[::3, -1], rows[1::5], rows[2::7, 0], rows[3::11, 0] = np.inf, -np.inf, np.nan, -0.0
    few = np.concatenate([function(mg.tensor(rows[k : k + 10]), 1).numpy() for k in range(0, 40, 10)])
    assert np.array_equal(function(mg.tensor(rows), 1).numpy(), few, equal_nan=True)


@pytest.mark.parametrize(
    "function",
    [
        F.gelu, lambda x: F.gelu(x, approximate="tanh"), F.silu, F.mish, F.softplus, F.elu, F.hardswish, mg.erf,
        mg.erfc, mg.sigmoid, lambda x: mg.logaddexp(x, 2 * x), lambda x: F.huber_loss(x, 0 * x, reduction="none"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
def test_many_elements_are_as_few(function: Any, dtype: Any) -> None:
    count = 2 * buffered.PIECE + 5
    values = np.random.default_rng(1).standard_normal(count) * 3
    x = mg.tensor(values, dtype=dtype, requires_grad=True)
    seed = mg.tensor(values[::-1].copy(), dtype=dtype)
    y = function(x)
    (g,) = mg.autograd.grad(y, x, seed)
    rtol = 1e-6 if dtype is mg.float32 else 1e-14
    for start in range(0, count, 5001):
        part = x.detach()[start : start + 5001].clone().requires_grad_()
        z = function(part)
        (h,) = mg.autograd.grad(z, part, seed[start : start + 5001])
        np.testing.assert_allclose(y.detach().numpy()[start : start + 5001], z.detach().numpy(), rtol, rtol)
        np.testing.assert_allclose(g.numpy()[start : start + 5001], h.numpy(), rtol, rtol)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), lambda x: F.interpolate(x, size=(90, 31)),
        lambda x: F.avg_pool2d(x, 3, 1, 1), lambda x: F.adaptive_avg_pool2d(x, 7),
        lambda x: F.adaptive_max_pool2d(x, 7),
    ],
)  # fmt: skip
def test_many_images_are_as_each(function: Any) -> None:
    assert BLOCK < 120 * 40 * 40
    x, results = mg.rand(30, 4, 40, 40, requires_grad=True), list[list[mg.Tensor]]()
    for parts in ([x], x.detach().split(1)):
        leaves = [part.requires_grad_() for part in parts]
        of_each = [function(leaf) for leaf in leaves]
        grads = mg.autograd.grad([y.square().sum() for y in of_each], leaves)
        results.append([mg.cat(of_each).detach(), mg.cat(grads)])
    assert all(map(mg.equal, *results))


def test_arrays_of_several_shapes_do_not_go_in_pieces() -> None:
    x, row = np.ones((3, buffered.PIECE)), np.arange(float(buffered.PIECE))
    add = buffered.piece_by_piece(lambda a, b: a + b)
    for y in (row, np.ones((3, 1)), np.asfortranarray(x), 2.0, x):
        assert np.array_equal(add(x, y), x + y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("rows", "shape"), [(1001, (300,)), (70, (20, 100)), (30, (5000,)), (4097, (33,))])
def test_layer_norm_of_many_rows_is_that_of_each(dtype: Any, rows: int, shape: tuple[int, ...]) -> None:
    rng, axes = np.random.default_rng(2), tuple(range(1, 1 + len(shape)))
    x, d = (rng.standard_normal((rows, *shape)) * 3 + 1 for _ in range(2))
    w, b = rng.standard_normal(shape), rng.standard_normal(shape)
    r = 1 / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    y = (x - x.mean(axes, keepdims=True)) * r
    e = d * w
    dx = (e - e.mean(axes, keepdims=True) - y * (e * y).mean(axes, keepdims=True)) * r
    leaves = [mg.from_numpy(a.astype(dtype)).requires_grad_() for a in (x, w, b)]
    z = F.layer_norm(leaves[0], shape, *leaves[1:])
    results = [z.detach(), *mg.autograd.grad(z, leaves, mg.from_numpy(d.astype(dtype)))]
    most = 5e-7 if dtype is np.float32 else 1e-14
    for t, value in zip(results, (y * w + b, dx, (d * y).sum(0), d.sum(0)), strict=True):
        assert t.numpy().dtype == dtype
        assert np.abs(t.numpy() - value).max() < most * np.abs(value).max()


@pytest.mark.parametrize(
    ("shape", "groups"),
    [((40, 12, 300), 4), ((40, 12, 300), 0), ((5, 6, 5000), 6), ((5, 6, 5000), 0), ((9, 8, 7), 2), ((300, 70), 0),
     ((300, 70), 10), ((30, 4, 100), 0)],
)  # fmt: skip
def test_norms_of_many_elements_are_those_of_each_channel(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], groups: int
) -> None:
    monkeypatch.setattr(channels, "BLOCK", 1 << 13)
    rng, count = np.random.default_rng(2), shape[1]
    x, d = 3 * rng.standard_normal(shape) + 2, rng.standard_normal(shape)
    w, b = rng.standard_normal((2, count))
    size = (shape[0], groups or count, count // (groups or count), -1)
    axes: Any = {"axis": (2, 3) if groups else (0, 2, 3), "keepdims": True}
    of_x, of_d = x.reshape(size), d.reshape(size)
    scale, shift = (a.reshape(1, *size[1:3], 1) for a in (w, b))
    r = 1 / np.sqrt(of_x.var(**axes) + 1e-5)
    y = (of_x - of_x.mean(**axes)) * r
    e = of_d * scale
    dx = (e - e.mean(**axes) - y * (e * y).mean(**axes)) * r
    expected = ((y * scale + shift), dx, (of_d * y).sum((0, 3)), of_d.sum((0, 3)))
    for dtype, most in ((np.float32, 1e-6), (np.float64, 1e-14), (np.float16, 4e-3)):
        leaves = [mg.from_numpy(a.astype(dtype)).requires_grad_() for a in (x, w, b)]
        if groups:
            z = F.group_norm(leaves[0], groups, *leaves[1:])
        else:
            mean, var = mg.zeros(count, dtype=leaves[0].dtype), mg.ones(count, dtype=leaves[0].dtype)
            z = F.batch_norm(leaves[0], mean, var, *leaves[1:], training=True, momentum=0.5)
            over = (0, *range(2, len(shape)))
            np.testing.assert_allclose(mean.numpy(), x.mean(over) / 2, most)
            np.testing.assert_allclose(var.numpy(), 0.5 + x.var(over, ddof=1) / 2, most)
        results = [z.detach(), *mg.autograd.grad(z, leaves, mg.from_numpy(d.astype(dtype)))]
        for t, value in zip(results, expected, strict=True):
            assert t.numpy().dtype == dtype
            assert np.abs(t.numpy().reshape(value.shape) - value).max() < most * np.abs(value).max()


@pytest.mark.parametrize(
    ("shape", "size", "dim"),
    [
        ((300, 400), (290, 400), 0),
        ((300, 400), (300, 390), 1),
        ((50, 60, 40), (50, 61, 39), 1),
        ((99999,), (90001,), 0),
    ],
)
def test_many_places_along_a_dimension(shape: tuple[int, ...], size: tuple[int, ...], dim: int) -> None:
    rng = np.random.default_rng(3)
    x, v, d = (
        rng.integers(-9, 9, shape) * 1.0,
        rng.integers(-9, 9, size) * 1.0,
        rng.integers(-9, 9, shape) * 1.0,
    )
    index = rng.integers(0, shape[dim], size)
    places = tuple(index if k == dim else n for k, n in enumerate(np.indices(size, sparse=True)))
    expected = x.copy()
    np.add.at(expected, places, v)
    a, b, at = mg.from_numpy(x).requires_grad_(), mg.from_numpy(v).requires_grad_(), mg.from_numpy(index)
    y = a.scatter_add(dim, at, b)
    assert np.array_equal(y.detach().numpy(), expected)
    da, db = mg.autograd.grad(y, [a, b], mg.from_numpy(d))
    assert np.array_equal(da.numpy(), d)
    assert np.array_equal(db.numpy(), d[places])
    back = np.zeros(shape)
    np.add.at(back, places, v)
    assert np.array_equal(mg.autograd.grad(a.gather(dim, at), a, mg.from_numpy(v))[0].numpy(), back)


@pytest.mark.parametrize(
    ("shape", "dim"), [((140_000, 3), 1), ((3, 140_000), 0), ((400, 3, 400), 1), ((3, 9), 1)]
)
def test_one_element_of_each_of_many_rows(shape: tuple[int, ...], dim: int) -> None:
    x = np.random.default_rng(4).permutation(math.prod(shape)).reshape(shape) * 1.0
    d = np.random.default_rng(5).standard_normal(x.max(dim).shape)
    a = mg.from_numpy(x).requires_grad_()
    y = a.max(dim)
    assert np.array_equal(y.values.detach().numpy(), x.max(dim))
    assert np.array_equal(y.indices.numpy(), x.argmax(dim))
    (g,) = mg.autograd.grad(y.values, a, mg.from_numpy(d))
    assert np.array_equal(g.numpy(), (x == x.max(dim, keepdims=True)) * np.expand_dims(d, dim))


# By how they are computed: in one product or several, each of a sample or of many; with rows that are left out.
CONVOLUTIONS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "one product": ((40, 3, 30, 31), (24, 3, 3, 3), {}),
    "a product for each row": ((40, 12, 30, 31), (8, 12, 3, 3), {"dilation": (2, 1)}),
    "products of many samples": ((40, 40, 16, 13), (50, 40, 3, 5), {"padding": (2, 0)}),
    "groups": ((40, 24, 30, 31), (24, 4, 3, 3), {"groups": 6, "padding": 1}),
    "a step of the rows": ((40, 12, 30, 31), (8, 12, 3, 3), {"stride": (2, 1)}),
    "a step of the columns": ((40, 12, 30, 31), (8, 12, 3, 3), {"stride": (1, 2)}),
    "one dimension": ((40, 64, 301), (48, 64, 7), {}),
    "three dimensions": ((30, 4, 12, 13, 14), (8, 4, 3, 2, 3), {}),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_of_many_samples_are_those_of_each(name: str) -> None:
    size, filters, how = CONVOLUTIONS[name]
    convolve = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[len(size)]
    draw = np.random.default_rng(3).standard_normal
    x, w = (mg.tensor(draw(n), requires_grad=True) for n in (size, filters))
    seed = mg.tensor(draw(tuple(convolve(x[:1], w, **how).shape[1:])))
    dx, dw = mg.autograd.grad(y := convolve(x, w, **how), (x, w), seed.expand(y.shape))
    total = np.zeros(filters)
    for k in range(len(x)):
        sample = x.detach()[k : k + 1].requires_grad_()
        z = convolve(sample, w, **how)
        d, own = mg.autograd.grad(z, (sample, w), seed[None])
        total += own.numpy()
        np.testing.assert_allclose(y[k].detach().numpy(), z[0].detach().numpy(), 1e-12, 1e-12)
        np.testing.assert_allclose(dx[k].numpy(), d[0].numpy(), 1e-12, 1e-12)
    np.testing.assert_allclose(dw.numpy(), total, 1e-11, 1e-11)

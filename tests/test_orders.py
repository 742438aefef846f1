"""Functions of orders, indices, products and norms that are composed of others: beside NumPy's, and at their edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import case
from test_every_op import check_gradients

import minigrad as mg

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 5))
WHOLE = RNG.integers(0, 4, (4, 5))


def same(y: Any, expected: Any) -> None:
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_sorting_as_numpy() -> None:
    for x in (X, WHOLE, X.astype(np.float32), WHOLE.astype(np.int8), WHOLE > 1):
        with case(x.dtype):
            values, indices = mg.sort(mg.tensor(x), 0)
            same(values, np.sort(x, 0))
            same(indices, np.argsort(x, 0, kind="stable"))
            same(mg.tensor(x).sort(1, descending=True).values, np.sort(x, 1)[:, ::-1])
            same(mg.msort(mg.tensor(x)), np.sort(x, 0))


def test_equal_elements_keep_their_order_and_nan_is_the_largest() -> None:
    for dtype in (mg.float32, mg.float64):
        x = mg.tensor([1.0, math.nan, -0.0, 0.0, 1.0, math.inf], dtype=dtype)
        assert x.argsort().tolist() == [2, 3, 0, 4, 5, 1]
        assert x.argsort(descending=True).tolist() == [1, 5, 0, 4, 2, 3]
        assert x.topk(2).indices.tolist() == [1, 5]
        assert x.kthvalue(5).values.item() == math.inf
        assert math.isnan(x.median().item())
        assert x.nanmedian().item() == 1.0


def test_the_kth_of_equal_elements_is_pytorch_s() -> None:
    nan = math.nan
    for row, places in (
        ([2, 2, 2, 2], [1, 0, 2, 3]),
        ([0, 0, 0, 0, 3, 0, 2, 0, 1], [1, 2, 7, 3, 0, 5, 8, 6, 4]),
        ([1, 0, 2, 0, 1, 0, 2, 1, 2, 0], [3, 1, 5, 9, 7, 0, 4, 6, 8, 2]),
        ([nan, 1.0, nan, 1.0, 0.0], [4, 3, 1, 0, 2]),
    ):
        x = mg.tensor(row)
        assert [x.kthvalue(k + 1).indices.item() for k in range(len(row))] == places
        assert mg.stack([x, x], 1).kthvalue(2, 0, True).indices.tolist() == [[places[1]] * 2]


def test_what_nanmedian_passes_by_gets_no_gradient() -> None:
    nan = math.nan
    for values, expected in (
        ([1.0, nan, 2.0], [1.0, 0.0, 0.0]),
        ([2.0, 1.0, 2.0, nan], [0.5, 0.0, 0.5, 0.0]),
        ([nan, nan], [0.5, 0.5]),
    ):
        x = mg.tensor(values, requires_grad=True)
        x.nanmedian().backward()
        assert x.grad is not None
        assert x.grad.tolist() == expected
    x = mg.tensor([1.0, nan, 2.0], requires_grad=True)
    (g,) = mg.autograd.grad(x.median(), x)
    assert g.tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(("code", "indices"), [
    ("few.topk(3)", "5 4 8"),
    ("few.topk(8)", "8 5 4 7 2 3 6 11"),
    ("few.topk(5, sorted=False)", "7 8 5 4 2"),
    ("few.topk(4, largest=False)", "10 9 0 6"),
    ("nans.topk(4)", "2 0 5 3"),
    ("nans.topk(2, largest=False)", "1 4"),
    ("few[None].expand(2, 12).topk(2)", "5 4 5 4"),
    ("few[:, None].topk(3, 0)", "5 4 8"),
    ("few.repeat(4).topk(30)", "29 28 4 5 44 17 8 16 32 41 40 20 14 19 39 2 3 7 43 38 15 31 26 27 47 24 36 37 42 35"),
    ("few.repeat(50).topk(6)", "16 4 17 20 8 5"),
    ("few.repeat(50).long().topk(4, largest=False)", "21 10 22 9"),
])  # fmt: skip
def test_topk_takes_of_equal_elements_those_that_pytorch_takes(code: str, indices: str) -> None:
    few = mg.tensor([1, 1, 2, 2, 3, 3, 1, 2, 3, 0, 0, 1.0])
    nans = mg.tensor([mg.nan, 1, mg.nan, 1, 1, mg.nan])
    places = eval(code, {"few": few, "nans": nans}).indices
    assert " ".join(map(str, places.flatten().tolist())) == indices


def test_topk_of_long_rows_is_the_head_of_a_sort() -> None:
    for dtype in (np.float32, np.float64, np.int64, np.int8):
        x = (RNG.standard_normal((3, 400)) * 20).astype(dtype)
        for largest in (True, False):
            with case(f"{dtype} {largest}"):
                whole = mg.tensor(x).sort(descending=largest)
                values, indices = mg.tensor(x).topk(7, largest=largest)
                assert values.tolist() == whole.values[:, :7].tolist()
                assert mg.equal(mg.tensor(x).gather(1, indices), values)


def test_quantiles_as_numpy() -> None:
    for how in ("linear", "lower", "higher", "nearest", "midpoint"):
        with case(how):
            same(mg.tensor(X).quantile(0.3, 1, interpolation=how), np.quantile(X, 0.3, axis=1, method=how))
    q = np.array([0.1, 0.5])
    same(mg.tensor(X).quantile(mg.tensor(q), 0, keepdim=True), np.quantile(X, q, axis=0, keepdims=True))
    holes = np.where(X > 1, np.nan, X)
    same(mg.tensor(holes).nanquantile(0.4), np.nanquantile(holes, 0.4))
    check_gradients(lambda x, q: mg.quantile(x, q, 1), [X, np.array([0.3, 0.6])], (0, 1))


def test_what_there_is_and_how_often() -> None:
    values, inverse, counts = mg.unique(mg.tensor(WHOLE), return_inverse=True, return_counts=True)
    for y, expected in zip(
        (values, inverse, counts), np.unique(WHOLE, return_inverse=True, return_counts=True), strict=True
    ):
        same(y, expected.reshape(y.shape))
    y, counts = mg.unique_consecutive(mg.tensor([1, 1, 2, 2, 2, 1]), return_counts=True)
    assert (y.tolist(), counts.tolist()) == ([1, 2, 1], [2, 3, 1])
    same(mg.bincount(mg.tensor([0, 2, 2]), minlength=5), [1, 0, 2, 0, 0])
    same(mg.bincount(mg.tensor([0, 2]), mg.tensor([0.5, 2.0])), [0.5, 0.0, 2.0])
    same(mg.histc(mg.tensor(X), 4, -1, 1), np.histogram(X, 4, (-1, 1))[0])
    assert mg.histc(mg.tensor([-3e38, 0.0, 3e38]), 2).tolist() == [0.0, 0.0]  # as in PyTorch: no such range
    hist, edges = mg.histogram(mg.tensor(X), 4, density=True)
    expected, at = np.histogram(X, 4, density=True)
    same(hist, expected)
    same(edges, at)
    for values, range, at in (
        ([1.0, 5.0], (2, 2), [1.5, 2.0, 2.5]),
        ([3.0, 3.0], None, [2.5, 3.0, 3.5]),
        ([], None, [0.0, 0.5, 1.0]),
    ):
        same(mg.histogram(mg.tensor(values, dtype=mg.float32), 2, range=range)[1], at)
    with pytest.raises(RuntimeError, match=r"unique\(\)"):
        mg.compile(mg.unique)(mg.tensor([1, 2]))


def test_histograms_of_points() -> None:
    points = RNG.random((6, 5, 2))
    hist, edges = mg.histogramdd(mg.tensor(points), [2, 3], weight=mg.tensor(points[..., 0]), density=True)
    expected, at = np.histogramdd(
        points.reshape(-1, 2), (2, 3), density=True, weights=points[..., 0].reshape(-1)
    )
    same(hist, expected)
    for e, a in zip(edges, at, strict=True):
        same(e, a)
    sides = [mg.tensor([0.0, 0.5, 1.0], dtype=mg.float64), mg.tensor([0.0, 1.0], dtype=mg.float64)]
    assert mg.histogramdd(mg.tensor(points), sides).hist.sum() == 30
    assert mg.histogramdd(mg.tensor(points), 2, range=[0, 1, 0, 1]).bin_edges[1].tolist() == [0.0, 0.5, 1.0]
    for bins, text in (([2], "size of bins"), (0, "bins must be > 0")):
        with pytest.raises(RuntimeError, match=text):
            mg.histogramdd(mg.tensor(points), bins)
    with pytest.raises(RuntimeError, match="at least 2 dimensions"):
        mg.histogramdd(mg.tensor(X[0]), 2)


def test_a_fixed_number_of_nonzero_elements() -> None:
    x = mg.tensor([[1, 0], [0, 1]])
    assert x.nonzero_static(size=3).tolist() == [[0, 0], [1, 1], [-1, -1]]
    assert mg.nonzero_static(x, size=1, fill_value=7).tolist() == [[0, 0]]
    with pytest.raises(RuntimeError, match="non-negative"):
        mg.nonzero_static(x, size=-1)


def test_where_nothing_is_written_the_result_lies_row_by_row_too() -> None:
    nothing, turned = mg.zeros(0, 2, dtype=mg.int64), mg.zeros(2, 3).T
    for y in (turned.scatter(0, nothing, 1.0), turned.scatter_add(0, nothing, turned[:0])):
        assert y.stride() == (2, 1)


def test_an_index_that_repeats_gives_the_gradient_to_the_write_that_stays() -> None:
    v = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = mg.zeros(2).scatter(0, mg.tensor([0, 0, 1]), v)
    y.sum().backward()
    assert (y.tolist(), v.grad.tolist()) == ([2.0, 3.0], [0.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("reduce", "first", "empty"),
    [
        ("sum", 6.0, 0.0),
        ("mean", 2.0, np.nan),
        ("max", 3.0, -np.inf),
        ("min", 1.0, np.inf),
        ("prod", 6.0, 1.0),
    ],
)
def test_segment_reduce(reduce: str, first: float, empty: float) -> None:
    x = mg.tensor([[1.0], [2.0], [3.0], [5.0]], dtype=mg.float64)
    right = [[first], [empty], [5.0]]
    lengths, offsets = mg.tensor([3, 0, 1]), mg.tensor([0, 3, 3, 4])
    assert np.array_equal(mg.segment_reduce(x, reduce, lengths=lengths), right, equal_nan=True)
    assert np.array_equal(mg.segment_reduce(x, reduce, offsets=offsets), right, equal_nan=True)
    assert np.array_equal(mg.segment_reduce(x, reduce, offsets=offsets[:2]), right[:1])
    rows = mg.segment_reduce(x[:, 0].repeat(2, 1), reduce, lengths=lengths.repeat(2, 1), axis=1, initial=2.0)
    assert rows.shape == (2, 3)
    assert rows[1, 1] == 2
    parts = lambda x: mg.segment_reduce(x, reduce, lengths=mg.tensor([3, 1]))  # noqa: E731
    assert mg.autograd.gradcheck(parts, (x.requires_grad_(),))
    with pytest.raises(RuntimeError, match="Expected all rows of lengths"):
        mg.segment_reduce(x, reduce, lengths=mg.tensor([1]))


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
def test_scatter_reduce(reduce: str, include_self: bool) -> None:
    index, v = np.array([0, 2, 0, 4]), RNG.standard_normal(4)
    y = mg.tensor(X[0]).scatter_reduce(0, mg.tensor(index), mg.tensor(v), reduce, include_self=include_self)
    f: Any = {"sum": sum, "prod": math.prod, "mean": np.mean, "amax": max, "amin": min}[reduce]
    for k, own in enumerate(X[0]):
        parts = v[index == k].tolist()
        assert y[k].item() == pytest.approx(f([own] * (include_self or not parts) + parts))
    check_gradients(
        lambda x, v: x.scatter_reduce(0, mg.tensor(index), v, reduce, include_self=include_self),
        [X[0], v],
        (0, 1),
    )


def test_slices_by_index() -> None:
    index, v = mg.tensor([3, 0]), RNG.standard_normal((2, 5))
    expected = X.copy()
    expected[[3, 0]] += 2 * v
    same(mg.tensor(X).index_add(0, index, mg.tensor(v), alpha=2), expected)
    expected[[3, 0]] = v
    expected[[1, 2]] = X[[1, 2]]
    same(mg.tensor(X).index_copy(0, index, mg.tensor(v)), expected)
    expected[[3, 0]] = 7
    same(mg.tensor(X).index_fill_(0, index, 7), expected)
    same(mg.tensor([1.0, 2.0]).put(mg.tensor([1, 1]), mg.tensor([3.0, 4.0]), accumulate=True), [1.0, 9.0])
    with pytest.raises(RuntimeError, match="out of bounds"):
        mg.tensor(X).index_add(0, mg.tensor([4, 0]), mg.tensor(v))
    with pytest.raises(IndexError, match="out of range"):
        mg.tensor(X).index_select(0, mg.tensor([0, -1]))
    check_gradients(lambda x, v: x.index_reduce(0, mg.tensor([1, 1]), v, "amax"), [X, v], (0, 1))


def test_diagonals_are_views() -> None:
    x = mg.tensor(X)
    x.diagonal(1).fill_(0)
    same(x, np.where(np.eye(4, 5, 1) > 0, 0, X))
    same(mg.diag(mg.tensor(X[0]), -1), np.diag(X[0], -1))
    same(mg.diag(mg.tensor(X)), np.diag(X))
    same(mg.tril_indices(3, 4, 1), np.stack(np.tril_indices(3, 1, 4)))
    check_gradients(lambda x, v: x.diagonal_scatter(v, 1), [X, X[0, :4]], (0, 1))
    check_gradients(lambda x, v: x.select_scatter(v, 0, 2), [X, X[0]], (0, 1))


def test_elements_in_other_places_as_numpy() -> None:
    x = mg.tensor(X)
    same(x.roll((1, -2), (0, 1)), np.roll(X, (1, -2), (0, 1)))
    same(x.roll(3), np.roll(X, 3))
    for k in range(4):
        same(x.rot90(k), np.rot90(X, k, (0, 1)))
    same(x.repeat_interleave(2, 1), np.repeat(X, 2, 1))
    same(x.repeat_interleave(mg.tensor([0, 2, 1, 3]), 0), np.repeat(X, [0, 2, 1, 3], 0))
    same(x.diff(2, 0), np.diff(X, 2, 0))
    for indexing in ("ij", "xy"):
        for y, expected in zip(
            mg.meshgrid(x[0], x[1, :3], indexing=indexing),
            np.meshgrid(X[0], X[1, :3], indexing=indexing),
            strict=True,
        ):
            same(y, expected)
    same(mg.block_diag(x[:2], x[0]), np.block([[X[:2], np.zeros((2, 5))], [np.zeros((1, 5)), X[:1]]]))
    check_gradients(lambda x: mg.repeat_interleave(x, 2, 1).roll(1, 0), [X], (0,))


EQUATIONS = (
    "ij,kj->ik", "ij->ji", "ij->", "ij,ij->i", "i...,i...->...", "ij,kj,lj->kl", "ij,kj", "ij,k->ikj",
)  # fmt: skip


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum_as_numpy(equation: str) -> None:
    arrays = [X + k for k in range(equation.count(",") + 1)]
    if equation == "ij,k->ikj":
        arrays[1] = X[0]
    same(mg.einsum(equation, *map(mg.tensor, arrays)), np.einsum(equation, *arrays))
    check_gradients(lambda *xs: mg.einsum(equation, *xs), arrays, tuple(range(len(arrays))))


def test_products_as_numpy() -> None:
    a, b = mg.tensor(X), mg.tensor(X[:2, :3])
    same(mg.kron(a, b), np.kron(X, X[:2, :3]))
    same(mg.inner(a, a), np.inner(X, X))
    same(mg.tensordot(a, a, ([0], [0])), np.tensordot(X, X, ([0], [0])))
    same(mg.cross(a[:, :3], a[:, 2:], 1), np.cross(X[:, :3], X[:, 2:]))
    with pytest.raises(RuntimeError, match=r"einsum\(\): fewer operands"):
        mg.einsum("ij,jk->ik", a)


@pytest.mark.parametrize("p", [0, 1, 2, 3, 0.5, math.inf, -math.inf, "fro"])
def test_norms(p: Any) -> None:
    same(mg.tensor(X).norm(p, 1), np.linalg.norm(X, 2 if p == "fro" else p, axis=1))
    check_gradients(lambda x: x.norm(p, 1), [X], (0,))
    x = mg.zeros(3, requires_grad=True)
    x.norm(p).backward()
    assert x.grad.isfinite().all()


def test_distances_of_many_rows_are_a_product() -> None:
    a, b = (mg.tensor(np.random.default_rng(n).normal(size=(n, 3)), requires_grad=True) for n in (30, 4))
    never = "donot_use_mm_for_euclid_dist"
    for mode, x in (("use_mm_for_euclid_dist_if_necessary", a), ("use_mm_for_euclid_dist", b)):
        found, right = mg.cdist(x, b, compute_mode=mode), mg.cdist(x, b, compute_mode=never)
        assert (found != right).any()  # computed in another way
        assert mg.allclose(found, right, atol=1e-6)
        for g, h in zip(
            mg.autograd.grad(found.sum(), (x, b)), mg.autograd.grad(right.sum(), (x, b)), strict=True
        ):
            assert mg.allclose(g, h, atol=1e-5)
    # no gradient where the distance is 0
    ones = mg.ones(30, 1, requires_grad=True)
    assert not mg.autograd.grad(mg.cdist(ones, ones).sum(), ones)[0].any()
    # what is no number stays so, in its own row alone
    with mg.no_grad():
        a[0, 0], a[1, 0] = math.nan, math.inf
    assert mg.cdist(a, b)[:2].isfinite().logical_not().all()
    assert mg.cdist(a, b)[0].isnan().all()
    assert mg.cdist(a, b)[2:].isfinite().all()
    with pytest.raises(ValueError, match="other is not a valid value for compute_mode"):
        mg.cdist(a, b, compute_mode="other")
    with pytest.raises(RuntimeError, match="to have the same dtype, got"):
        mg.cdist(a, b.float())


def test_distances_and_statistics_as_numpy() -> None:
    same(mg.cdist(mg.tensor(X), mg.tensor(X[:2])), np.linalg.norm(X[:, None] - X[:2], axis=-1))
    same(mg.cov(mg.tensor(X)), np.cov(X))
    same(mg.corrcoef(mg.tensor(X)), np.corrcoef(X))
    same(mg.tensor([1.0, math.nan, 3.0]).nanmean(), 2.0)
    same(mg.deg2rad(mg.tensor([180.0], dtype=mg.float64)), [math.pi])
    long = mg.tensor(X).renorm(2, 0, 1.0).norm(2, 1)
    assert (long <= 1).all()


def test_older_names() -> None:
    assert mg.LongTensor([1, 2]).dtype is mg.int64
    assert mg.FloatTensor(2, 3).shape == (2, 3)
    assert mg.finfo(mg.float32).eps == 2.0**-23
    assert [mg.finfo(d).resolution for d in (mg.float16, mg.float32, mg.float64)] == [1e-3, 1e-6, 1e-15]
    assert mg.iinfo(mg.int8).max == 127
    assert repr(mg.iinfo(mg.int64)) == "iinfo(min=-9.22337e+18, max=9.22337e+18, dtype=int64)"
    with pytest.raises(TypeError, match="floating point"):
        mg.finfo(mg.int8)
    mg.set_default_device("cpu")
    with pytest.raises(AssertionError, match="CPU only"):
        mg.set_default_device("cuda")


def test_multinomial_draws_what_the_generator_draws() -> None:
    weights = mg.tensor(X).abs()
    mg.manual_seed(1)
    y = mg.multinomial(weights, 3)
    assert y.tolist() == mg.Generator().manual_seed(1).multinomial(weights.numpy(), 3).tolist()
    with pytest.raises(RuntimeError, match="without replacement"):
        weights.multinomial(6)
    draw = mg.compile(lambda w: mg.multinomial(w, 2))
    mg.manual_seed(2)
    first = draw(weights).tolist()
    assert draw(weights).tolist() != first
    mg.manual_seed(2)
    assert draw(weights).tolist() == first


# ---------------------------------------------------------------- many elements, which take other ways than few


@pytest.mark.parametrize("kind", ["float32", "float64", "int64"])
@pytest.mark.parametrize(
    ("shape", "dim"),
    [((60, 200), 0), ((60, 200), 1), ((170, 203), 1), ((9, 40, 30), 1), ((5000,), 0), ((9, 600, 3), 1)],
)
def test_running_sums_and_extremes_of_many(shape: Any, dim: int, kind: str) -> None:
    rng = np.random.default_rng(3)
    x = (rng.standard_normal(shape) * 9).round(1).astype(kind)
    wide = "f8" if kind == "float32" else kind
    t = mg.tensor(x)
    np.testing.assert_array_equal(
        t.cumsum(dim).numpy(), np.add.accumulate(x, dim, wide).astype(kind), strict=True
    )
    if kind != "int64":
        for place, value in ((700, np.inf), (3000, -np.inf), (2100, np.nan)):
            y = x.copy()
            y.flat[[place, place + 1100]] = value, 1e38
            sums = np.add.accumulate(y, dim, wide).astype(kind)
            np.testing.assert_array_equal(mg.tensor(y).cumsum(dim).numpy(), sums)
        d = np.flip(x, 0).copy()
        (back,) = mg.autograd.grad(t.requires_grad_().cumsum(dim), t, mg.tensor(d))
        sums = np.add.accumulate(np.flip(d, dim), dim, wide).astype(kind)
        np.testing.assert_array_equal(back.numpy(), np.flip(sums, dim), strict=True)
        x[x > 20] = np.nan
        t = mg.tensor(x)
    number = np.arange(shape[dim]).reshape([-1, *(1,) * (len(shape) - dim - 1)])
    for name, extreme in (("cummax", np.maximum), ("cummin", np.minimum)):
        pair = getattr(t, name)(dim)
        values = extreme.accumulate(x, dim)
        np.testing.assert_array_equal(pair.values.numpy(), values)
        last = np.maximum.accumulate(np.where((x == values) | (x != x), number, 0), dim)
        np.testing.assert_array_equal(pair.indices.numpy(), last, strict=True)


@pytest.mark.parametrize("width", [1, 8, 64, 600])
@pytest.mark.parametrize("repeated", [False, True])
def test_adding_to_many_rows(width: int, repeated: bool) -> None:
    """In the order of the index, so that the sums are those of a loop."""
    rng = np.random.default_rng(3)
    index = rng.integers(0, 2 if repeated else 300, 300)
    x, v = (rng.standard_normal((300, width)).astype("f4") for _ in range(2))
    expected = x.copy()
    np.add.at(expected, index, v)
    same = np.testing.assert_array_equal
    same(mg.tensor(x).index_add(0, mg.tensor(index), mg.tensor(v)).numpy(), expected)
    turned = mg.tensor(x.T.copy()).index_add(1, mg.tensor(index), mg.tensor(v.T.copy()))
    same(turned.numpy(), expected.T)
    rows = mg.tensor(index - 300 * (index % 2), dtype=mg.int64)
    leaf = mg.tensor(x, requires_grad=True)
    leaf[rows].backward(mg.tensor(v))
    zeros = np.zeros_like(x)
    np.add.at(zeros, index, v)
    same(leaf.grad.numpy(), zeros)
    leaf = mg.tensor(x.reshape(30, 10, width), requires_grad=True)
    leaf[mg.tensor(index // 10), mg.tensor(index % 10)].backward(mg.tensor(v))
    same(leaf.grad.numpy(), zeros.reshape(30, 10, width))


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(7, 5000), (3, 4099), (40, 30), (3, 40, 50), (70, 100)])
def test_norms_of_many(shape: Any, kind: str) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape).astype(kind)
    exact = np.square(x.astype(np.longdouble))
    t, close = mg.tensor(x), 3e-7 if kind == "float32" else 1e-15
    for dim in (None, -1, 0, (-2, -1)):
        expected = np.sqrt(exact.sum(dim)).astype("f8")
        np.testing.assert_allclose(t.norm(dim=dim).numpy(), expected, rtol=close)
        kept = np.sqrt(exact.sum(dim, keepdims=True))
        assert t.norm(dim=dim, keepdim=True).shape == kept.shape
    np.testing.assert_allclose(t.mT.norm().numpy(), np.sqrt(exact.sum()).astype("f8"), rtol=close)


@pytest.mark.parametrize("kind", ["uint8", "int32", "int64", "float32", "float64"])
def test_unique_of_many(kind: str) -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(0, 200, (30, 20)).astype(kind)
    x[3, 4] = x.max()
    if kind[0] == "f":
        x[0, :4] = np.nan, -0.0, 0.0, np.nan
    far = x.copy()
    far[0, 0] = 120
    if kind == "int64":
        far[0, 0], far[1, 1] = -(2**62), 2**62
    for y in (x, far):
        values, inverse, counts = np.unique(y, return_inverse=True, return_counts=True, equal_nan=False)
        several = mg.tensor(y).unique(return_inverse=True, return_counts=True)
        for ours, theirs in zip(several, (values, inverse.reshape(y.shape), counts), strict=True):
            np.testing.assert_array_equal(ours.numpy(), theirs, strict=True)
        alone = mg.tensor(y).unique().numpy()
        np.testing.assert_array_equal(alone, values, strict=True)
        np.testing.assert_array_equal(mg.tensor(y).unique(return_counts=True)[1].numpy(), counts)
        if kind[0] == "f":
            assert np.signbit(alone[0]) == np.signbit(y[y == 0][0])

"""Names that stand for others: in place, of before, or of another namespace. Literals were printed by torch 2.13."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import linalg
from minigrad.nn import functional as F
from minigrad.nn import init

X = mg.tensor([-2.0, -0.2, 0.3, 3.0])


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("relu", ()), ("elu", (0.5,)), ("celu", (0.5,)), ("selu", ()), ("leaky_relu", (0.1,)),
        ("hardtanh", (-0.5, 0.5)), ("rrelu", (0.1, 0.3)), ("threshold", (0.1, 2.0)),
    ],
)  # fmt: skip
def test_activations_in_place(name: str, args: tuple[float, ...]) -> None:
    x = X.clone()
    assert getattr(F, f"{name}_")(x, *args) is x
    assert mg.equal(x, getattr(F, name)(X, *args))


@pytest.mark.parametrize(
    ("name", "args", "shape"),
    [
        ("uniform", (0.0, 2.0), (2, 3)), ("normal", (), (2, 3)), ("constant", (2.0,), (2, 3)), ("eye", (), (2, 3)),
        ("dirac", (), (2, 3, 3)), ("xavier_uniform", (), (2, 3)), ("xavier_normal", (), (2, 3)),
        ("kaiming_uniform", (), (2, 3)), ("kaiming_normal", (), (2, 3)), ("orthogonal", (), (2, 3)),
        ("sparse", (0.5,), (2, 3)),
    ],
)  # fmt: skip
def test_init_under_the_names_of_before(name: str, args: tuple[Any, ...], shape: tuple[int, ...]) -> None:
    mg.manual_seed(3)
    expected = getattr(init, f"{name}_")(mg.empty(*shape), *args)
    mg.manual_seed(3)
    with pytest.warns(FutureWarning, match=rf"`nn.init.{name}` is now deprecated in favor of") as caught:
        assert mg.equal(getattr(init, name)(mg.empty(*shape), *args), expected)
    assert caught[0].filename == __file__


def test_distances_of_all_pairs() -> None:
    x = mg.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]], requires_grad=True)
    for p, expected in ((2, [5.0, 1.0, 18**0.5]), (1, [7.0, 1.0, 6.0]), (math.inf, [4.0, 1.0, 3.0])):
        assert F.pdist(x, p).tolist() == pytest.approx(expected)
    mg.autograd.gradcheck(mg.pdist, (x.detach().double().requires_grad_(),))
    same = mg.ones(2, 3, requires_grad=True)
    mg.pdist(same).sum().backward()
    assert same.grad is not None
    assert not same.grad.any()
    assert [mg.pdist(mg.ones(*s)).tolist() for s in ((1, 2), (0, 2), (3, 0))] == [[], [], [0.0] * 3]
    for bad, says in ((mg.ones(2), "only supports 2D"), (mg.ones(2, 2).long(), "floating-point")):
        with pytest.raises(RuntimeError, match=says):
            mg.pdist(bad)
    with pytest.raises(RuntimeError, match="non-negative p"):
        mg.pdist(mg.ones(2, 2), -1)


def test_gumbel_softmax() -> None:
    mg.manual_seed(1)
    soft = F.gumbel_softmax(mg.zeros(2, 3), tau=0.7)
    assert soft[0].tolist() == pytest.approx([0.7915569, 0.1078158, 0.1006273], abs=1e-6)
    mg.manual_seed(1)
    x = mg.zeros(2, 3, requires_grad=True)
    hard = F.gumbel_softmax(x, tau=0.7, hard=True)
    assert mg.equal(hard.detach().round(), (soft == soft.amax(-1, True)).float())
    weights = mg.arange(6.0).reshape(2, 3)
    (hard * weights).sum().backward()
    centred = weights - (soft * weights).sum(-1, keepdim=True)
    assert mg.allclose(x.grad, soft * centred / 0.7)
    with pytest.warns(UserWarning, match="`eps` parameter is deprecated"):
        F.gumbel_softmax(x, eps=1e-3)


def test_products_and_diagonals_over_the_last_dimensions() -> None:
    a, b = mg.ones(2, 3), mg.arange(3.0).expand(1, 3)
    assert linalg.cross(a, b).tolist() == [[1.0, -2.0, 1.0]] * 2
    assert mg.equal(linalg.cross(a.T, b.T, dim=0), linalg.cross(a, b).T)
    x = mg.arange(8).reshape(2, 2, 2)
    assert linalg.diagonal(x).tolist() == [[0, 3], [4, 7]]
    assert linalg.diagonal(x, offset=1, dim1=0, dim2=1).tolist() == [[2], [3]]
    with pytest.raises(RuntimeError, match="inputs dimension -1 must have length 3"):
        linalg.cross(mg.ones(3, 2), mg.ones(3, 2))


def test_the_sum_of_singular_values_is_a_norm() -> None:
    x = mg.randn(2, 3, 2)
    assert mg.equal(mg.norm(x[0], "nuc"), linalg.matrix_norm(x[0], "nuc"))
    assert mg.equal(x.norm("nuc", (0, 1), True), linalg.matrix_norm(x, "nuc", (0, 1), True))
    with pytest.raises(RuntimeError, match="dim must be a 2-tuple"):
        x.norm("nuc")
    with pytest.raises(RuntimeError, match="Order half not supported"):
        x.norm("half")


def test_numbers_in_equal_ratios_and_with_the_end() -> None:
    assert mg.logspace(0, 2, 3).tolist() == [1.0, 10.0, 100.0]
    assert mg.logspace(0, 3, 4, 2, dtype=mg.float64).tolist() == [1.0, 2.0, 4.0, 8.0]
    assert mg.logspace(0, 5, 4, dtype=mg.int64).tolist() == [1, 46, 2154, 100000]
    assert mg.logspace(0, 2.5, 3, dtype=mg.int64).tolist() == [1, 10, 100]
    assert mg.logspace(0, 2, 0).tolist() == []
    with pytest.raises(NotImplementedError, match="not implemented for bool"):
        mg.logspace(0, 1, 2, dtype=mg.bool)
    for args, expected in (
        ((0, 3), [0.0, 1.0, 2.0, 3.0]),
        ((0, 1, 0.25), [0.0, 0.25, 0.5, 0.75, 1.0]),
        ((2, 0, -1), [2, 1, 0]),
    ):
        with pytest.warns(UserWarning, match="range is deprecated"):
            assert mg.range(*args).tolist() == expected
    for args, says in (
        ((3, 0), "inconsistent with step sign"),
        ((0, 1, 0), "nonzero"),
        ((0, math.inf), "unsupported"),
    ):
        with pytest.warns(UserWarning, match="range is deprecated"), pytest.raises(RuntimeError, match=says):
            mg.range(*args)


def test_what_others_consist_of() -> None:
    x, grid = mg.randn(1, 2, 3, 3), mg.rand(1, 2, 2, 2) * 2 - 1
    for k, mode in enumerate(("bilinear", "nearest", "bicubic")):
        expected = F.grid_sample(x, grid, mode, "border", align_corners=True)
        assert mg.equal(mg.grid_sampler_2d(x, grid, k, 1, True), expected)
    with pytest.raises(RuntimeError, match="expected 5D input"):
        mg.grid_sampler_3d(x, grid, 0, 0, True)
    with pytest.raises(RuntimeError, match="expected modes from 0 to 2"):
        mg.grid_sampler(x, grid, 3, 0, True)
    x, w = mg.randn(2, 4, 3, requires_grad=True), mg.randn(4)
    mean, var = mg.zeros(4), mg.ones(4)
    mean_, var_ = mean.clone(), var.clone()
    for parts, plain, dims in (
        (mg.native_layer_norm(x, [4, 3], None, None, 1e-5), F.layer_norm(x, [4, 3]), (1, 2)),
        (mg.native_group_norm(x, w, w, 2, 4, 3, 4, 1e-5), F.group_norm(x, 4, w, w), (2,)),
        (mg.native_batch_norm(x, w, w, mean, var, True, 0.1, 1e-5),
         F.batch_norm(x, mean_, var_, w, w, True), (0, 2)),
    ):  # fmt: skip
        y, means, inverse = parts
        assert mg.allclose(y, plain, atol=1e-6)
        assert y.requires_grad
        assert means.requires_grad == (
            len(plain.shape) == means.dim() + 1
        )  # as in PyTorch, only those of groups
        assert mg.allclose(means.reshape(-1), x.mean(dims).reshape(-1), atol=1e-6)
        assert mg.allclose(inverse.reshape(-1), (x.var(dims, correction=0) + 1e-5).rsqrt().reshape(-1))
    assert mg.equal(mean, mean_)
    assert mg.equal(var, var_)
    y, *rest = mg.native_batch_norm(x, w, None, mean, var, False, 0.1, 1e-5)
    assert mg.allclose(y, F.batch_norm(x, mean, var, w))
    assert [t.shape for t in rest] == [(0,), (0,)]
    for call, says in (
        (lambda: mg.native_layer_norm(x, [4], None, None, 1e-5), r"Given normalized_shape=\[4\]"),
        (lambda: mg.native_group_norm(x, None, None, 2, 4, 3, 3, 1e-5), "divisible by num_groups"),
        (lambda: mg.native_group_norm(x, None, None, 2, 4, 5, 2, 1e-5), "elements"),
        (lambda: mg.native_batch_norm(x, w[:2], None, mean, var, True, 0.1, 1e-5), "weight should contain 4"),
        (
            lambda: mg.native_batch_norm(x, w, None, None, var, False, 0.1, 1e-5),
            "to be defined when training=False",
        ),
    ):
        with pytest.raises(RuntimeError, match=says):
            call()


def test_spaced_numbers_round_as_pytorch_rounds_them() -> None:
    small = {
        "linspace(-1, 1, 7)[3]": -2.0**-25, "linspace(-1, 1, 11)[5]": -2.0**-26,
        "linspace(-1, 1, 7, dtype=float64)[3]": 2.0**-54, "arange(-1, 1, 0.1)[10]": -2.98023233e-9,
        "arange(-0.5, 0.5, 0.1)[5]": 2.7755575615628914e-17,
        "arange(-1, 1, 0.1, dtype=float64)[10]": 5.551115123125783e-17,
        "arange(-3, 3, 0.5)[6]": 0.0, "arange(0, 2, 0.1)[17]": 1.7000000476837158,
        "arange(0, 2, 0.1)[19]": 1.899999976158142,
    }  # fmt: skip
    for text, number in small.items():
        assert eval(text, vars(mg) | {"float64": mg.float64}).item() == pytest.approx(
            number, rel=1e-7, abs=0
        ), text


def test_names_of_modules_that_load_late_are_in_their_dict() -> None:
    for module, name in ((mg.optim, "Rprop"), (mg.nn, "Bilinear"), (mg.nn.functional, "huber_loss")):
        assert vars(module)[name] is getattr(module, name)
    x = mg.ones(1)
    assert x._cdata == x._cdata != mg.zeros(1)._cdata


# By torch 2.13: the symmetric window of 4, the periodic one of 3, in thousandths.
WINDOWS: dict[str, tuple[dict[str, Any], list[int], list[int]]] = {
    "bartlett": ({}, [0, 667, 667, 0], [0, 667, 667]),
    "blackman": ({}, [0, 630, 630, 0], [0, 630, 630]),
    "cosine": ({}, [383, 924, 924, 383], [383, 924, 924]),
    "exponential": ({"tau": 2.0}, [472, 779, 779, 472], [472, 779, 779]),
    "gaussian": ({"std": 2.0}, [755, 969, 969, 755], [755, 969, 969]),
    "general_cosine": ({"a": [0.5, 0.3, 0.2]}, [400, 550, 550, 400], [400, 550, 550]),
    "general_hamming": ({"alpha": 0.7}, [400, 850, 850, 400], [400, 850, 850]),
    "hamming": ({}, [80, 770, 770, 80], [80, 770, 770]),
    "hann": ({}, [0, 750, 750, 0], [0, 750, 750]),
    "kaiser": ({"beta": 3.0}, [205, 871, 871, 205], [205, 871, 871]),
    "nuttall": ({}, [0, 529, 529, 0], [0, 529, 529]),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_of_signals(name: str) -> None:
    window = getattr(mg.signal.windows, name)
    options, four, three = WINDOWS[name]
    assert (window(4, **options) * 1000).round().tolist() == four
    assert (window(3, sym=False, **options) * 1000).round().tolist() == three
    assert window(np.int64(0), **options).shape == (0,)
    assert window(1, dtype=mg.float64, **options).dtype is mg.float64
    for wrong, says in (
        ({"dtype": mg.float16}, "expects float32 or float64"),
        ({"layout": mg.sparse_coo}, "strided"),
    ):
        with pytest.raises(ValueError, match=says):
            window(3, **options, **wrong)
    with pytest.raises(ValueError, match="non-negative window length, got M=-1"):
        window(-1, **options)


@pytest.mark.parametrize(
    ("name", "options", "error", "says"),
    [
        ("exponential", {"center": 1}, ValueError, "Center must be None"),
        ("exponential", {"tau": 0}, ValueError, "Tau must be positive"),
        ("gaussian", {"std": 0}, ValueError, "Standard deviation"),
        ("kaiser", {"beta": -1}, ValueError, "beta must be"),
        ("general_cosine", {"a": []}, ValueError, "cannot be empty"),
        ("general_cosine", {"a": 3}, TypeError, "must be a list/tuple"),
    ],
)  # fmt: skip
def test_windows_that_are_none(name: str, options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        getattr(mg.signal.windows, name)(3, **options)


def test_random_tensors_for_tests() -> None:
    make = mg.testing.make_tensor
    mg.manual_seed(1)
    assert make(3, dtype=mg.int8).tolist() == [-2, 3, 1]  # as PyTorch draws
    mg.manual_seed(1)
    assert make((2,), dtype=mg.float32, low=0, high=1).tolist() == pytest.approx([0.7576316, 0.2793108])
    assert make(4, 3, dtype=mg.float64, noncontiguous=True).stride() == (6, 2)
    assert make(9, dtype=mg.uint8, low=0, high=2, exclude_zero=True).tolist() == [1] * 9
    assert make(2, dtype=mg.complex64, requires_grad=True).requires_grad
    for options, says in (
        ({"dtype": mg.int8, "low": 2, "high": 2}, "`low` must be less"),
        ({"dtype": mg.bool, "low": 5, "high": 9}, "only supports"),
        ({"dtype": mg.int8, "requires_grad": True}, "not supported for boolean and integral"),
        ({"dtype": mg.float32, "low": math.nan}, "cannot be NaN"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=says):
            make(3, **options)
    with pytest.warns(FutureWarning, match="deprecated"):
        mg.testing.assert_allclose(mg.ones(2), [1.0, 1.00005])
    with pytest.warns(FutureWarning, match="deprecated"), pytest.raises(AssertionError):
        mg.testing.assert_allclose(mg.ones(2), [1.0, 1.001])

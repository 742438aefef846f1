"""nn.init: PyTorch's numbers for the same seed. The literals were printed by torch 2.13 on a CPU."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import init

pytestmark = pytest.mark.filterwarnings("error")

# For manual_seed(3) and a float32 Tensor of shape (2, 3).
GOLDEN = {
    "uniform_": (
        lambda t: init.uniform_(t, -2.0, 3.0),
        [-1.9786824, -1.47215319, -0.57078761, -1.86522579, 0.3580718, -1.69941854],
    ),
    "normal_": (
        lambda t: init.normal_(t, 1.0, 0.5),
        [1.40163803, 1.08741665, 1.04448903, 0.69314098, 1.0230912, 0.3158704],
    ),
    "trunc_normal_ by normals": (
        lambda t: init.trunc_normal_(t, 0.1, 1.0, -0.5, 0.8),
        [0.43749511, 0.27483338, 0.18897809, 0.02014568, 0.14618245, 0.3389174],
    ),
    "trunc_normal_ by uniforms": (
        lambda t: init.trunc_normal_(t, 0.0, 1.0, 1.5, 3.0),
        [1.50639534, 1.65835404, 1.58126545, 1.54043221, 1.68188286, 1.59017444],
    ),
    "xavier_uniform_": (
        lambda t: init.xavier_uniform_(t, 2.0),
        [-2.17220855, -1.72830856, -0.93839127, -2.07278013, -0.12437964, -1.9274739],
    ),
    "xavier_normal_": (
        init.xavier_normal_,
        [0.50803638, 0.11057435, 0.05627469, -0.38814935, 0.02920835, -0.86536306],
    ),
    "kaiming_uniform_": (
        lambda t: init.kaiming_uniform_(t, nonlinearity="relu"),
        [-1.40215445, -1.11561835, -0.60572892, -1.33797371, -0.08028671, -1.24417901],
    ),
    "kaiming_uniform_ fan_out": (
        lambda t: init.kaiming_uniform_(t, 0.2, "fan_out"),
        [-1.68393302, -1.33981419, -0.72745693, -1.60685456, -0.09642122, -1.4942106],
    ),
    "kaiming_normal_": (
        lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"),
        [0.80327606, 0.17483339, 0.0889781, -0.61371803, 0.04618245, -1.36825919],
    ),
    "orthogonal_": (
        lambda t: init.orthogonal_(t, 2.0),
        [1.94290042, 0.42287308, 0.21521313, 0.15129934, 0.30764696, -1.97039628],
    ),
    "sparse_": (lambda t: init.sparse_(t, 0.5, 1.0), [0.80327606, 0.17483339, 0.0, 0.0, 0.0, -1.36825919]),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_numbers_are_those_of_pytorch(name):
    fill, expected = GOLDEN[name]
    mg.manual_seed(3)
    t = mg.empty(2, 3)
    assert fill(t) is t
    assert t.dtype is mg.float32
    np.testing.assert_allclose(t.numpy().ravel(), expected, rtol=1e-6, atol=1e-7)


def test_numbers_are_those_of_pytorch_in_double():
    mg.manual_seed(3)
    got = init.trunc_normal_(mg.empty(2, 2, dtype=mg.float64))
    expected = [0.8032760780963507, 0.17483339327910358, 0.08897809502587893, -0.6137180077293578]
    np.testing.assert_allclose(got.numpy().ravel(), expected, rtol=1e-14)
    mg.manual_seed(3)
    got = init.trunc_normal_(mg.empty(2, 2, dtype=mg.float64), 0, 1, 1.5, 3)
    expected = [1.5511622934757807, 1.6269491798191504, 1.6977077183973384, 1.762390543921942]
    np.testing.assert_allclose(got.numpy().ravel(), expected, rtol=1e-14)
    mg.manual_seed(3)
    got = init.orthogonal_(mg.empty(3, 2, dtype=mg.float64))
    expected = [0.9923022172018852, 0.0974354314603217, 0.10991633310657259]
    expected += [-0.4086091703844105, 0.05705006093447936, -0.9074937369337073]
    np.testing.assert_allclose(got.numpy().ravel(), expected, rtol=1e-12)


def test_linear_starts_as_in_pytorch():
    mg.manual_seed(0)
    layer = nn.Linear(3, 2)
    expected = [
        [-0.004322517663240433, 0.3097158372402191, -0.4751853346824646],
        [-0.4248946011066437, -0.2223689705133438, 0.15482072532176971],
    ]
    assert layer.weight.tolist() == expected
    assert layer.bias.tolist() == [-0.011439144611358643, 0.45777493715286255]
    mg.manual_seed(0)
    layer = nn.Linear(3, 2, dtype=mg.float64)
    expected = [
        [0.5427704542528101, 0.23996970930833816, -0.046900537438113156],
        [0.48583757737745076, 0.16745942958373372, 0.3361886278485809],
    ]
    assert layer.weight.tolist() == expected
    assert layer.bias.tolist() == [-0.3711136225274598, -0.17192610627289664]
    mg.manual_seed(42)
    layer = nn.Linear(64, 64)
    assert layer.weight[63, 62:].tolist() == [-0.07355372607707977, 0.0006740093231201172]
    assert layer.bias[-2:].tolist() == [0.033798590302467346, 0.08576750755310059]
    assert layer.weight.detach().double().sum().item() == pytest.approx(-3.4138613492250443, rel=1e-12)


def test_generator_is_drawn_from_and_the_default_one_left_alone():
    mg.manual_seed(1)
    own = mg.Generator().manual_seed(5)
    got = init.xavier_uniform_(mg.empty(2, 2), generator=own)
    expected = [0.8089485764503479, -0.9158375263214111, 0.9980928897857666, 0.7836580276489258]
    np.testing.assert_allclose(got.numpy().ravel(), expected, rtol=1e-6)
    assert mg.rand(1).item() == 0.7576315999031067


@pytest.mark.parametrize(
    "fill", [init.uniform_, init.normal_, init.trunc_normal_, init.xavier_normal_, init.kaiming_uniform_]
)
def test_every_filler_takes_a_generator(fill):
    a = fill(mg.empty(4, 4), generator=mg.Generator().manual_seed(7))
    b = fill(mg.empty(4, 4), generator=mg.Generator().manual_seed(7))
    assert a.tolist() == b.tolist()
    assert len(set(a.flatten().tolist())) > 1


def test_filling_a_parameter_is_not_recorded():
    p = nn.Parameter(mg.empty(3, 4))
    fills = [
        init.uniform_,
        init.normal_,
        init.trunc_normal_,
        init.ones_,
        init.zeros_,
        init.eye_,
        init.orthogonal_,
    ]
    fills += [init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_]
    fills += [lambda t: init.constant_(t, 3.0), lambda t: init.sparse_(t, 0.5)]
    for fill in fills:
        assert fill(p) is p
        assert p.is_leaf
        assert p.grad_fn is None
        assert p.requires_grad


def test_constants():
    assert init.constant_(mg.empty(2), 0.5).tolist() == [0.5, 0.5]
    assert init.ones_(mg.empty(2)).tolist() == [1.0, 1.0]
    assert init.zeros_(mg.ones(2)).tolist() == [0.0, 0.0]
    assert init.eye_(mg.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.raises(ValueError, match=r"Only tensors with 2 dimensions are supported"):
        init.eye_(mg.empty(2))


def test_dirac_keeps_the_input_of_a_convolution():
    w = init.dirac_(mg.empty(4, 2, 3), groups=2)
    expected = np.zeros((4, 2, 3))
    expected[[0, 1, 2, 3], [0, 1, 0, 1], 1] = 1
    assert w.tolist() == expected.tolist()
    assert init.dirac_(mg.empty(2, 2, 3, 3)).sum().item() == 2
    assert init.dirac_(mg.empty(1, 1, 3, 3, 3))[0, 0, 1, 1, 1].item() == 1
    with pytest.raises(ValueError, match="3, 4, or 5 dimensions"):
        init.dirac_(mg.empty(2, 2))
    with pytest.raises(ValueError, match="divisible by groups"):
        init.dirac_(mg.empty(3, 2, 3), groups=2)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (3, 2, 4)])
def test_orthogonal_is_orthonormal(shape):
    q = init.orthogonal_(mg.empty(*shape, dtype=mg.float64), gain=3.0).numpy().reshape(shape[0], -1) / 3
    gram = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)


def test_orthogonal_limits():
    with pytest.raises(ValueError, match="2 or more dimensions"):
        init.orthogonal_(mg.empty(3))
    empty = mg.empty(0, 3)
    assert init.orthogonal_(empty) is empty


def test_sparse_zeroes_the_fraction_of_each_column():
    w = init.sparse_(mg.empty(10, 4), sparsity=0.25)
    assert (w.numpy() == 0).sum(0).tolist() == [3, 3, 3, 3]  # rounded up
    with pytest.raises(ValueError, match="2 dimensions"):
        init.sparse_(mg.empty(3), 0.1)


def test_trunc_normal_stays_inside_and_warns_of_a_far_mean():
    mg.manual_seed(0)
    t = init.trunc_normal_(mg.empty(2000), mean=0.5, std=2.0, a=-1.0, b=1.0)
    assert -1 <= t.min().item() < -0.9
    assert 0.9 < t.max().item() <= 1
    t = init.trunc_normal_(mg.empty(2000), mean=0.0, std=1.0, a=2.0, b=9.0)
    assert 2 <= t.min().item() < 2.1
    # E[x | x > 2] = pdf(2) / (1 - cdf(2)) of a standard normal
    assert t.mean().item() == pytest.approx(2.3732, abs=0.03)
    with pytest.warns(UserWarning, match=r"mean is more than 2 std from \[a, b\]"):
        init.trunc_normal_(mg.empty(2), mean=5.0)


def test_fans():
    def bound(t: mg.Tensor) -> float:
        return t.abs().max().item()

    mg.manual_seed(0)
    w = mg.empty(20, 30, 5)  # fan_in 150, fan_out 100
    assert bound(init.kaiming_uniform_(w)) == pytest.approx(math.sqrt(2) * math.sqrt(3 / 150), rel=1e-2)
    assert bound(init.kaiming_uniform_(w, mode="FAN_OUT")) == pytest.approx(math.sqrt(6 / 100), rel=1e-2)
    assert bound(init.xavier_uniform_(w)) == pytest.approx(math.sqrt(6 / 250), rel=1e-2)
    assert init.kaiming_normal_(w).std().item() == pytest.approx(math.sqrt(2 / 150), rel=5e-2)
    for fill in (init.kaiming_uniform_, init.kaiming_normal_, init.xavier_uniform_, init.xavier_normal_):
        with pytest.raises(ValueError, match="fewer than 2 dimensions"):
            fill(mg.empty(3))
    with pytest.raises(
        ValueError, match=r"Mode fan_sideways not supported, please use one of \['fan_in', 'fan_out'\]"
    ):
        init.kaiming_normal_(w, mode="fan_sideways")


@pytest.mark.parametrize("fill", [init.kaiming_uniform_, init.kaiming_normal_])
def test_nothing_to_fill_warns(fill):
    t = mg.empty(0, 3)
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        assert fill(t) is t


def test_gains():
    gains = {"linear": 1, "conv2d": 1, "conv_transpose3d": 1, "sigmoid": 1, "tanh": 5 / 3, "selu": 0.75}
    for name, gain in gains.items():
        assert init.calculate_gain(name) == gain
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu") == 1.4141428569978354
    assert init.calculate_gain("leaky_relu", 0.2) == 1.3867504905630728
    with pytest.raises(ValueError, match="negative_slope True not a valid number"):
        init.calculate_gain("leaky_relu", True)
    with pytest.raises(ValueError, match="negative_slope x not a valid number"):
        init.calculate_gain("leaky_relu", "x")
    with pytest.raises(ValueError, match="Unsupported nonlinearity swish"):
        init.calculate_gain("swish")

"""The random numbers are PyTorch's. Every golden value here was made by PyTorch 2.13.0 (CPU, x86-64)."""

import copy
import pickle
import subprocess
import sys
import time
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from cases import at_once

import minigrad as mg
from minigrad import random as mg_random
from minigrad.kernels.sharing import THREADS
from minigrad.random import Generator
from minigrad.random.algorithms import fused, through_libm

P = (np.arange(1, 301) / 512).astype(np.float32)
MANY = 100_003
WEIGHTS = (np.arange(MANY) % 97 + 1).astype(np.float32)
SEEDS = (0, 42, -1, 2**40 + 7)

# What is drawn, and the CRC-32 of the bytes that PyTorch draws, over all SEEDS.
GOLDEN: list[tuple[Callable[[Generator], npt.NDArray[Any]], int]] = [
    (lambda g: g.uniform(1, "f2"), 0xB0CFA588),
    (lambda g: g.uniform(1, "f4"), 0x844D71D2),
    (lambda g: g.uniform(1, "f8"), 0x4B575D9D),
    (lambda g: g.uniform(16, "f2"), 0xFF239BD4),
    (lambda g: g.uniform(16, "f4"), 0xE6E948FB),
    (lambda g: g.uniform(16, "f8"), 0xB1D0B696),
    (lambda g: g.uniform(1000, "f2"), 0x4E897A04),
    (lambda g: g.uniform(1000, "f4"), 0x87DF80E3),
    (lambda g: g.uniform(1000, "f8"), 0x1C483106),
    (lambda g: g.uniform((3, 5), "f4", -0.3, 0.7), 0xD4FA333C),
    (lambda g: g.uniform(999, "f2", -7.0, 3.1), 0x62FE9D1C),
    (lambda g: g.uniform(999, "f4", 1e-3, 1e3), 0x78BE6802),
    (lambda g: g.uniform(999, "f8", -1 / 3, 0.1), 0x156CA1F2),
    (lambda g: g.normal(1, "f2"), 0x555241A4),
    (lambda g: g.normal(1, "f4"), 0xEFF20266),
    (lambda g: g.normal(15, "f2"), 0x3777E3A8),
    (lambda g: g.normal(15, "f4"), 0x6318E6EB),
    (lambda g: g.normal(16, "f2"), 0x9E2D0446),
    (lambda g: g.normal(16, "f4"), 0x05BA13DE),
    (lambda g: g.normal(17, "f2"), 0xDF88A6E5),
    (lambda g: g.normal(17, "f4"), 0x7009A0B5),
    (lambda g: g.normal(1000, "f2"), 0x9551D2B2),
    (lambda g: g.normal(1000, "f4"), 0x6B826154),
    (lambda g: g.normal(40000, "f2"), 0x3308B8BD),
    (lambda g: g.normal(40000, "f4"), 0x8DB5BAB0),
    (lambda g: g.normal((7, 9), "f4", -3.0, 0.02), 0xDEE01A8C),
    (lambda g: g.normal(35, "f8"), 0x01BB89FA),
    (lambda g: g.normal(1003, "f2", 1.0, 0.5), 0xADBFEB12),
    (lambda g: g.normal(4095, "f4", -3.0, 0.02), 0x2066E55B),
    (lambda g: g.normal(4099, "f4"), 0xC0A561E7),
    (lambda g: g.integers(0, 10, 500, "i8"), 0x08C0761F),
    (lambda g: g.integers(-5, 5, 500, "i4"), 0xB73A3ED9),
    (lambda g: g.integers(0, 256, 500, "u1"), 0xDFF11A64),
    (lambda g: g.integers(-128, 128, 500, "i1"), 0x5BFCE59D),
    (lambda g: g.integers(-7, 3000, 500, "i2"), 0xE0CBCDF8),
    (lambda g: g.integers(0, 2, 500, "b1"), 0x68238A63),
    (lambda g: g.integers(0, 2**28 - 1, 500, "i8"), 0x20A89955),
    (lambda g: g.integers(0, 2**28, 500, "i8"), 0xE0AA72B7),
    (lambda g: g.integers(-(2**63), 2**63 - 1, 500, "i8"), 0xF6E868F6),
    (lambda g: g.integers(-(2**31), 2**31, 500, "i4"), 0x55D96CE4),
    (lambda g: g.integers(-9, 9, 500, "f4"), 0x458D222D),
    (lambda g: g.integers(0, 2**53, 500, "f8"), 0xF979BCFE),
    (lambda g: g.integers(None, None, 500, "b1"), 0x68238A63),
    (lambda g: g.integers(None, None, 500, "u1"), 0xDFF11A64),
    (lambda g: g.integers(None, None, 500, "i4"), 0x60AA5E1D),
    (lambda g: g.integers(None, None, 500, "i8"), 0x45A87BC1),
    (lambda g: g.integers(None, None, 500, "f2"), 0x21100B66),
    (lambda g: g.integers(None, None, 500, "f4"), 0xF0B1076D),
    (lambda g: g.integers(None, None, 500, "f8"), 0x17EB4A55),
    (lambda g: g.integers(7, None, 500, "i2"), 0x82E7DCF1),
    (lambda g: g.integers(-(2**63), None, 500, "i8"), 0xDCB916AC),
    (lambda g: g.permutation(0, "i8"), 0x00000000),
    (lambda g: g.permutation(1, "i8"), 0x190A55AD),
    (lambda g: g.permutation(10, "i8"), 0x22EBB525),
    (lambda g: g.permutation(1000, "i4"), 0x3F3D39ED),
    (lambda g: g.permutation(2049, "f2"), 0x2A49B8D2),
    (lambda g: g.bernoulli(0.5, (20, 30), "f4"), 0x9F6C1E82),
    (lambda g: g.bernoulli(0.1, (20, 30), "f8"), 0xF7FB6F7A),
    (lambda g: g.bernoulli(0.9, (20, 30), "b1"), 0xD81FA70B),
    (lambda g: g.bernoulli(1.0, (20, 30), "i8"), 0xCCF5DF07),
    (lambda g: g.bernoulli(P.astype("f2")), 0x8521B6B5),
    (lambda g: g.bernoulli(P.astype("f4")), 0x625A17A9),
    (lambda g: g.bernoulli(P.astype("f8")), 0xDDE8F571),
    (lambda g: g.bernoulli(P, (3, 300), "u1"), 0xC09F1EEA),
    (lambda g: g.exponential(300, "f2", 0.7), 0xCEB5DDE9),
    (lambda g: g.cauchy(300, "f2", 1.0, 2.0), 0xED397093),
    (lambda g: g.log_normal(301, "f2", 0.5, 0.25), 0x8895D78E),
    (lambda g: g.exponential(300, "f4", 0.7), 0x844BD0F2),
    (lambda g: g.cauchy(300, "f4", 1.0, 2.0), 0xDE070915),
    (lambda g: g.log_normal(301, "f4", 0.5, 0.25), 0x975E599B),
    (lambda g: g.geometric(0.3, 300, "i8"), 0xC31ABD2F),
    (lambda g: g.multinomial(P, 50, replacement=True), 0xD7A60BFD),
    (lambda g: g.multinomial(P.reshape(3, 100), 20), 0x4825A414),
    (lambda g: g.multinomial(P.astype("f8"), 1, replacement=True), 0x7940904B),
    (lambda g: g.standard_gamma(P * 4), 0x98660F34),
    (lambda g: g.dirichlet((P + 1).reshape(3, 100)), 0x27DCBF99),
    (lambda g: g.poisson(P * 20), 0xBE77C97B),
    (lambda g: g.binomial(np.full_like(P, 30), P), 0x7A521455),
    # more than are made at once
    (lambda g: g.uniform(MANY, "f4", -0.3, 0.7), 0x42D661A9),
    (lambda g: g.uniform(MANY, "f4", 1.0, 1.0001), 0x7FF4FCC8),
    (lambda g: g.uniform(MANY, "f8"), 0xF81CD918),
    (lambda g: g.normal(MANY, "f4", -3.0, 0.02), 0xD6138173),
    (lambda g: g.normal(MANY, "f2"), 0x4E34B55C),
    (lambda g: g.integers(0, 10, MANY, "i8"), 0x09D669EE),
    (lambda g: g.integers(0, 2**40, MANY, "i8"), 0xEF900F62),
    (lambda g: g.permutation(MANY, "i8"), 0xA3A4C3F2),
    (lambda g: g.bernoulli(0.3, MANY, "f4"), 0x8E41C313),
    (lambda g: g.bernoulli(WEIGHTS / np.float32(98)), 0x1AD63D6A),
    (lambda g: g.exponential(MANY, "f4", 0.7), 0xB22DB8BE),
    (lambda g: g.cauchy(MANY, "f4", -3.0, 0.7), 0xED4615AB),
    (lambda g: g.multinomial(WEIGHTS, 1), 0x44E8553B),
]


@pytest.mark.parametrize(("draw", "expected"), GOLDEN, ids=range(len(GOLDEN)))
def test_bits_are_those_of_pytorch(draw: Callable[[Generator], npt.NDArray[Any]], expected: int) -> None:
    crc = 0
    for seed in SEEDS:
        crc = zlib.crc32(draw(Generator().manual_seed(seed)).tobytes(), crc)
    assert crc == expected


def test_values_that_a_person_can_compare() -> None:
    def g() -> Generator:
        return Generator().manual_seed(42)

    assert g().normal(4).tolist() == [
        0.33669036626815796,
        0.12880940735340118,
        0.23446236550807953,
        0.23033303022384644,
    ]
    assert g().normal(17)[-3:].tolist() == [-0.2515752911567688, 0.859858512878418, -0.3097267746925354]
    assert g().uniform(3).tolist() == [0.8822692632675171, 0.9150039553642273, 0.38286375999450684]
    assert g().integers(0, 10, 8).tolist() == [2, 7, 6, 4, 6, 5, 0, 4]
    assert g().permutation(8).tolist() == [6, 3, 0, 7, 2, 1, 4, 5]
    assert Generator().uniform(2).tolist() == [0.267295241355896, 0.8725283145904541]  # never seeded


# float64 that goes through the C library: an ulp is left to other libraries than glibc.
@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda g: g.normal(3, "f8"), [0.33669035438385886, 0.1288094051365897, 0.23446236336153173]),
        (lambda g: g.normal(17, "f8")[:3], [0.2995562877502637, 1.504572275678796, 1.2715909667771088]),
        (lambda g: g.normal(17, "f8", 2.0, 3.0)[-2:], [4.565647884416861, 2.7482356390747293]),
        (
            lambda g: g.exponential(3, "f8", 2.0),
            [0.029957007845401073, 0.03248806439669265, 0.06595838999204529],
        ),
        (lambda g: g.log_normal(3, "f8"), [5.330157080559128, 3.517036776692234, 4.34456103815977]),
        (
            lambda g: g.cauchy(3, "f8", 0.0, 1.0),
            [-5.4124872969973135, -4.993701080056364, -2.4448743267271738],
        ),
    ],
)
def test_float64_through_the_c_library(
    draw: Callable[[Generator], npt.NDArray[np.float64]], expected: list[float]
) -> None:
    np.testing.assert_array_max_ulp(draw(Generator().manual_seed(42)), np.array(expected), maxulp=2)


def test_fused_multiply_add_rounds_once() -> None:
    x = np.array([0.1, 1e300, 1e308])
    # 0.1, as a double, times 10 is 1 + 2**-54: rounding the product first would leave 0.
    assert fused(x, 10.0, -1.0, np.dtype(np.float64)).tolist() == [2.0**-54, 1e301, np.inf]


# -------------------------------------------------------------------------------------- seeds, state


@pytest.mark.parametrize(
    ("seed", "crcs"),  # of the state when seeded, after 5, after 624 and after 625 draws
    [
        (0, [0x6D2B5ED2, 0xB67807B2, 0x97858D90, 0x8A18542D]),
        (-1, [0x51D5660B, 0x19A5AFFC, 0x385825DE, 0x01938A88]),
        (2**64 - 1, [0x51D5660B, 0x19A5AFFC, 0x385825DE, 0x01938A88]),
        (2**32 + 5, [0x347C0367, 0xBFC94437, 0x9E34CE15, 0x9AFF9837]),
    ],
)
def test_state_is_byte_for_byte_pytorchs(seed: int, crcs: list[int]) -> None:
    g = Generator().manual_seed(seed)
    assert g.initial_seed() == seed % 2**64
    for draws, crc in zip((0, 5, 619, 1), crcs, strict=True):
        g.uniform(draws)
        state = g.get_state().numpy()
        assert isinstance(g.get_state(), mg.Tensor)
        assert (state.dtype.name, state.shape) == ("uint8", (5056,))
        assert zlib.crc32(state.tobytes()) == crc


@pytest.mark.parametrize("used", [0, 1, 5, 623, 624, 625])
def test_state_round_trip(used: int) -> None:
    g = Generator().manual_seed(3)
    g.uniform(used)
    g.normal(3)  # leaves the second half of a pair waiting
    clones = [g.clone_state(), copy.deepcopy(g), pickle.loads(pickle.dumps(g)), Generator()]
    clones[3].set_state(g.get_state())
    expected = (g.normal(2).tolist(), g.uniform(700).tolist(), g.get_state().numpy().tobytes())
    for clone in clones:
        assert (
            clone.normal(2).tolist(),
            clone.uniform(700).tolist(),
            clone.get_state().numpy().tobytes(),
        ) == expected
        assert clone.initial_seed() == 3


def test_cached_normal_is_shared_by_dtypes_and_dropped_by_seeding() -> None:
    g = Generator().manual_seed(3)
    g.normal(3, np.float64)
    np.testing.assert_allclose(
        g.normal(2, np.float64), [-0.6137180077293578, 0.04618245168476012], rtol=1e-15
    )
    assert g.uniform(1).item() == 0.14984089136123657
    g.normal(1)
    assert g.manual_seed(3).normal(3).tolist() == Generator().manual_seed(3).normal(3).tolist()


def test_normals_that_are_made_ahead_are_those_of_the_words_that_come() -> None:
    g, first = Generator().manual_seed(5), Generator().manual_seed(5).get_state()
    for k in range(60):
        other = Generator().set_state(g.get_state())  # it has made none ahead
        size, kind = (512, "f4") if k % 17 else (48, "f2")
        how: tuple[float, float] = (0.5, 3.0) if k % 3 else (0.0, 1.0)
        assert g.normal(size, kind, *how).tobytes() == other.normal(size, kind, *how).tobytes()
        assert k < 9 or len(g._ahead.made)
        if k == 30:
            g.uniform(3)
        if k == 40:
            g.set_state(first)


def test_memory_with_gaps_is_filled_as_pytorch_fills_it() -> None:
    """In the order in which the elements lie there, and normals one after the other."""
    mg.manual_seed(0)
    x = mg.zeros(2, 3)
    x.t().uniform_()
    assert x.tolist() == [
        [0.49625658988952637, 0.7682217955589294, 0.08847743272781372],
        [0.13203048706054688, 0.30742281675338745, 0.6340786814689636],
    ]
    mg.manual_seed(0)
    x = mg.zeros(3, 6)
    x.t().normal_()
    expected = [
        [1.5409960746765137, -0.293428897857666, -2.1787893772125244, 0.5684312582015991, -1.0845223665237427,
         -1.3985954523086548],
        [0.40334683656692505, 0.8380263447761536, -0.7192575931549072, -0.40334352850914, -0.5966353416442871,
         0.18203648924827576],
        [-0.8566746115684509, 1.1006041765213013, -1.0711873769760132, 0.1227012425661087, -0.5663174986839294,
         0.3731146454811096],
    ]  # fmt: skip
    assert x.tolist() == expected
    y = mg.zeros(3, 12)
    mg.manual_seed(0)
    y[:, ::2].normal_()
    assert y[:, ::2].tolist() == expected
    assert not y[:, 1::2].any()
    mg.manual_seed(0)
    p = mg.tensor([[0.0], [1.0], [0.0]])
    assert mg.zeros(4, 3).t().bernoulli_(p).tolist() == [[0.0] * 4, [1.0] * 4, [0.0] * 4]


def test_default_generator() -> None:
    with mg_random.fork_rng():
        assert mg_random.manual_seed(1) is mg_random.default_generator
        g = mg_random.default_generator
        assert mg_random.initial_seed() == 1
        assert g.normal(2).tolist() == [0.6613521575927734, 0.266924113035202]
        assert g.uniform(2).tolist() == [0.029281556606292725, 0.7998586297035217]
        state = mg_random.get_rng_state()
        first = g.normal((2, 2))
        mg_random.set_rng_state(state)
        np.testing.assert_array_equal(g.normal((2, 2)), first)
        assert mg_random.manual_seed("7").initial_seed() == mg_random.manual_seed(7.9).initial_seed() == 7
        chosen = mg_random.seed()
        assert mg_random.initial_seed() == chosen


def test_fork_rng_restores_also_after_an_error() -> None:
    before = mg_random.get_rng_state()

    @mg_random.fork_rng(devices=[])
    def draw_and_fail() -> None:
        mg_random.default_generator.uniform(3)
        raise KeyError

    with pytest.raises(KeyError):
        draw_and_fail()
    np.testing.assert_array_equal(mg_random.get_rng_state(), before)
    with mg_random.fork_rng():
        with mg_random.fork_rng(enabled=False):
            mg_random.default_generator.uniform(3)
        assert mg_random.get_rng_state().numpy().tobytes() != before.numpy().tobytes()


def test_importing_draws_nothing_and_unseeded_runs_differ() -> None:
    code = (
        "import sys, numpy; had = 'numpy.random' in sys.modules; from minigrad import random; "
        "assert had or 'numpy.random' not in sys.modules; print(random.initial_seed())"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for _ in range(2)]
    assert all(run.returncode == 0 for run in runs), runs[0].stderr
    assert runs[0].stdout != runs[1].stdout


def test_threads_share_one_stream() -> None:
    g, drawn = Generator().manual_seed(0), []

    def work() -> None:
        for _ in range(200):
            drawn.extend(g.uniform(7, np.float64).tolist())
            drawn.extend(g.normal(2, np.float64).tolist())

    at_once(*[work] * 8)
    # 7 doubles are 14 words and a pair of normals 4: nothing was drawn twice, and nothing was lost.
    assert len(set(drawn)) == len(drawn) == 8 * 200 * 9
    one = Generator().manual_seed(0)
    one.uniform(8 * 200 * 18)
    assert one.get_state().numpy().tobytes() == g.get_state().numpy().tobytes()


# -------------------------------------------------------------------------------------- properties


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(), 0, 3, (0, 2), (3, 40)])
def test_shape_and_dtype(dtype: str, shape: int | tuple[int, ...]) -> None:
    g, expected = Generator(), (shape,) if isinstance(shape, int) else shape
    for draw in (g.uniform, g.normal, g.exponential, g.cauchy, g.log_normal):
        result = draw(shape, dtype)
        assert (result.shape, result.dtype) == (expected, np.dtype(dtype))
    assert g.integers(0, 2, shape, dtype).shape == expected
    assert g.geometric(0.5, shape, dtype).shape == expected
    chance = np.full(expected, 0.5, dtype)
    assert (g.bernoulli(chance).shape, g.bernoulli(chance).dtype) == (expected, np.dtype(dtype))
    assert g.bernoulli(0.5, shape).dtype == np.float32


def test_float16_never_reaches_the_upper_bound() -> None:
    values = Generator().manual_seed(0).uniform(100_000, np.float16)
    assert 0 <= values.min() <= values.max() < 1


def test_extremes() -> None:
    g = Generator().manual_seed(0)
    assert g.uniform(3, "f4", 2.0, 2.0).tolist() == [2.0] * 3
    assert g.normal(20, "f4", 1.5, 0.0).tolist() == [1.5] * 20
    assert g.integers(4, 5, 3).tolist() == [4] * 3
    assert g.exponential(2, "f4", float("inf")).tolist() == [0.0, 0.0]
    assert np.isinf(g.log_normal(3, "f8", 1e6, 1.0)).all()
    assert np.isinf(g.normal(40, "f2", 1e6, 1.0)).all()
    assert np.isinf(g.normal(40, "f4", 0.0, 1e39)).all()
    assert np.isnan(g.normal(5, "f4", float("nan"), 1.0)).all()
    assert sorted(g.multinomial(np.ones(5), 5).tolist()) == [0, 1, 2, 3, 4]
    assert set(g.multinomial(np.array([0.0, 1.0, 0.0, 1.0]), 2).tolist()) == {1, 3}


def test_moments() -> None:
    g, n = Generator().manual_seed(0), 200_000
    for values, mean, std in (
        (g.normal(n, "f4", 2.0, 3.0), 2.0, 3.0),
        (g.uniform(n, "f8", -1.0, 1.0), 0.0, 3**-0.5),
        (g.exponential(n, "f4", 2.0), 0.5, 0.5),
        (g.bernoulli(0.2, n), 0.2, 0.4),
        (g.geometric(0.25, n), 4.0, 12**0.5),
    ):
        assert abs(values.mean() - mean) < 5 * std / n**0.5
        assert abs(values.std() - std) < 0.02 * std


# -------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda g: Generator("cuda"), RuntimeError, "only device is 'cpu'"),
        (lambda g: Generator(3.5), TypeError, "not float"),
        (lambda g: g.manual_seed(1.5), RuntimeError, "expected an int, but got float"),
        (lambda g: g.manual_seed(True), RuntimeError, "got bool"),
        (lambda g: g.manual_seed(2**64), ValueError, "64 bits"),
        (lambda g: g.manual_seed(-(2**63) - 1), ValueError, "64 bits"),
        (lambda g: mg_random.manual_seed("a"), ValueError, "invalid literal"),
        (lambda g: g.set_state([1, 2]), TypeError, "uint8"),
        (lambda g: g.set_state(np.zeros(5056)), TypeError, "ndarray of float64"),
        (lambda g: g.set_state(np.zeros(3, np.uint8)), RuntimeError, "5056"),
        (lambda g: g.set_state(np.zeros(5056, np.uint8)), RuntimeError, "mt19937"),
        (lambda g: g.uniform((2, -1)), RuntimeError, "negative dimension -1"),
        (lambda g: g.uniform(2.5), TypeError, "int, not float"),
        (lambda g: g.uniform(3, "i8"), NotImplementedError, "int64"),
        (lambda g: g.uniform(3, "f4", 2, 1), RuntimeError, "low=2 > high=1"),
        (lambda g: g.uniform(3, "f4", 0, float("inf")), RuntimeError, "out of bounds for float32"),
        (lambda g: g.uniform(3, "f4", float("nan"), 1), RuntimeError, "low=nan"),
        (lambda g: g.uniform(3, "f2", -60000, 60000), RuntimeError, "width"),
        (lambda g: g.normal(3, "i8"), NotImplementedError, "int64"),
        (lambda g: g.normal(3, "f4", 0, -1), RuntimeError, "std >= 0.0"),
        (lambda g: g.normal(0, "f4", 0, float("nan")), RuntimeError, "std >= 0.0"),
        (lambda g: g.exponential(3, "f4", 0.0), RuntimeError, "lambd > 0.0"),
        (lambda g: g.cauchy(3, "f4", 0.0, -1.0), RuntimeError, "sigma > 0.0"),
        (lambda g: g.log_normal(3, "f4", 0.0, 0.0), RuntimeError, "std > 0.0"),
        (lambda g: g.geometric(1.5, 3), RuntimeError, r"\(0, 1\)"),
        (lambda g: g.geometric(0.5, 3, "b1"), NotImplementedError, "bool"),
        (lambda g: g.integers(5, 5, 3), RuntimeError, "'from' to be less than 'to'"),
        (lambda g: g.integers(0, 5.5, 3), TypeError, "high must be an int"),
        (lambda g: g.integers(0, 2**63, 3), ValueError, "int64"),
        (lambda g: g.integers(0, 300, 3, "u1"), RuntimeError, "299 is out of bounds for uint8"),
        (lambda g: g.integers(-1, 5, 3, "u1"), RuntimeError, "low = -1"),
        (lambda g: g.integers(0, 3, 3, "b1"), RuntimeError, "out of bounds for bool"),
        (lambda g: g.integers(0, 70000, 3, "f2"), RuntimeError, "out of bounds for float16"),
        (lambda g: g.integers(0, 3, 3, "c8"), NotImplementedError, "complex64"),
        (lambda g: g.permutation(-1), RuntimeError, "negative dimension"),
        (lambda g: g.permutation(2.5), TypeError, "must be an int"),
        (lambda g: g.permutation(300, "u1"), RuntimeError, "too large for uint8"),
        (lambda g: g.permutation(2050, "f2"), RuntimeError, "too large for float16"),
        (lambda g: g.permutation(3, "b1"), NotImplementedError, "bool"),
        (lambda g: g.bernoulli(1.5, 3), RuntimeError, "p=1.5"),
        (lambda g: g.bernoulli(float("nan"), 3), RuntimeError, "p=nan"),
        (lambda g: g.bernoulli(np.array([0.5, -1.0])), RuntimeError, "p=-1.0"),
        (lambda g: g.bernoulli(np.array([0, 1], np.int64)), NotImplementedError, "int64"),
        (lambda g: g.bernoulli(np.array([0.5, 0.5]), 3), RuntimeError, "does not fit"),
        (lambda g: g.multinomial(np.array([1, 2]), 1), RuntimeError, "floating"),
        (lambda g: g.multinomial(np.ones((2, 2, 2)), 1), RuntimeError, "1-d or 2-d"),
        (lambda g: g.multinomial(np.ones(2), 0), RuntimeError, "positive"),
        (lambda g: g.multinomial(np.ones(2), 3), RuntimeError, "without replacement"),
        (lambda g: g.multinomial(np.array([1.0, -1.0]), 1), RuntimeError, "element < 0"),
        (lambda g: g.multinomial(np.array([1.0, np.nan]), 1), RuntimeError, "nan"),
        (lambda g: g.multinomial(np.zeros(2), 1), RuntimeError, "sum of probabilities"),
    ],
)
def test_errors(call: Callable[[Generator], object], error: type[Exception], text: str) -> None:
    g = Generator().manual_seed(0)
    before = g.get_state()
    with pytest.raises(error, match=text) as caught:
        call(g)
    if text != "invalid literal":  # int() says that
        assert "test_random.py:" in str(caught.value)  # the line of the program
    np.testing.assert_array_equal(g.get_state(), before)  # a refused call draws nothing


def test_fork_rng_refuses_other_devices() -> None:
    with pytest.raises(AssertionError, match="only device is 'cpu'"), mg_random.fork_rng(devices=[0]):
        pass


def test_floating_integers_beyond_the_exact_range_warn_and_match() -> None:
    with pytest.warns(UserWarning, match="does not hold every whole number"):
        values = Generator().manual_seed(0).integers(0, 4000, 500, np.float16)
    assert zlib.crc32(values.tobytes()) == 0xF5534F78
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Generator().integers(0, 2**11, 3, np.float16)


FORMS = {
    "randint": ["10, (5,)", "0, 10, (5,)", "10, size=(5,)", "high=10, size=(5,)", "0, 10, size=(5,)",
                "low=0, high=10, size=(5,)"],
    "arange": ["4", "end=4", "0, 4", "start=0, end=4", "end=4, step=1"],
    "randint_like": ["mg.zeros(5), 10", "mg.zeros(5), 0, 10", "mg.zeros(5), high=10", "mg.zeros(5), low=0, high=10"],
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_bounds_are_taken_by_place_and_by_name(name: str) -> None:
    drawn = []
    for form in FORMS[name]:
        mg.manual_seed(0)
        drawn.append(eval(f"mg.{name}({form})", {"mg": mg}).tolist())
    assert drawn == [[0, 1, 2, 3] if name == "arange" else [4, 9, 3, 0, 3]] * len(drawn)


@pytest.mark.parametrize("code", ["mg.randint(3)", "mg.randint(size=(3,))", "mg.arange()"])
def test_a_bound_that_is_missing(code: str) -> None:
    with pytest.raises(TypeError, match=r"\(\) takes .* as in "):
        eval(code, {"mg": mg})


def test_draws_in_place_of_rarer_distributions() -> None:
    mg.manual_seed(0)
    draws = [
        mg.zeros(2).cauchy_(), mg.zeros(2).geometric_(0.5), mg.zeros(2).log_normal_(),
        mg.zeros(4).bernoulli(0.5), mg.randint_like(mg.zeros(2, 2), 5),
    ]  # fmt: skip
    assert [t.flatten().tolist() for t in draws] == [
        pytest.approx(expected, rel=1e-5) for expected in (
            [10.59773, 0.764767], [2, 1], [0.3106634, 0.1657639], [1, 1, 0, 1], [1, 4, 1, 4]
        )
    ]  # fmt: skip
    with pytest.raises(RuntimeError, match="sigma > 0"):
        mg.zeros(1).cauchy_(0.0, -1.0)
    for wrong in (lambda: mg.arange(2).cauchy_(), lambda: mg.arange(2).exponential_()):
        with pytest.raises(RuntimeError, match="use a floating dtype") as caught:
            wrong()
        assert not isinstance(caught.value, NotImplementedError)
    with pytest.raises(RuntimeError, match=r"bernoulli_"):
        mg.ones(2, 3).bernoulli_(mg.ones(3, 3))


# What is drawn for a Tensor that does not lie row by row, and the CRC-32 of what PyTorch draws with seed 5.
IN_MEMORY: dict[str, tuple[Callable[[], mg.Tensor], int]] = {
    "dropout": (lambda: mg.nn.functional.dropout(mg.ones(3, 4, 5).permute(1, 0, 2)), 0x5678CF88),
    "dropout of what repeats": (lambda: mg.nn.functional.dropout(mg.ones(5).expand(4, 5)), 0xEEF9B343),
    "randn_like": (lambda: mg.randn_like(mg.ones(7, 5).T), 0x1927DE09),
    "rand_like": (lambda: mg.rand_like(mg.ones(3, 4, 5).permute(2, 0, 1)), 0x738BFEC5),
    "multinomial": (lambda: mg.multinomial((mg.arange(35.0) + 1).reshape(7, 5).T, 3), 0x7C415BC5),
    "gumbel_softmax": (lambda: mg.nn.functional.gumbel_softmax(mg.ones(4, 3).T, hard=True), 0xEC51D1D0),
    "bernoulli_": (lambda: mg.ones(3, 4, 5).permute(1, 0, 2).bernoulli_(0.3), 0x23737FE6),
}


@pytest.mark.parametrize("name", IN_MEMORY)
def test_draws_go_in_the_order_of_memory(name: str) -> None:
    draw, crc = IN_MEMORY[name]
    mg.manual_seed(5)
    assert zlib.crc32(np.ascontiguousarray(draw().numpy()).tobytes()) == crc


def test_dropout_after_attention_goes_step_by_step() -> None:
    mg.manual_seed(0)
    layer, x = mg.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.5, batch_first=True), mg.ones(3, 5, 4)
    layer(x)
    y, _ = layer.self_attn(x, x, x, need_weights=False)
    # As in PyTorch, the result is a view of one that has the steps first.
    assert y.stride() == (4, 12, 1)
    assert (layer.dropout1(y) == 0).sum((0, 2)).tolist() == [6, 2, 7, 5, 7]


def test_points_of_a_sobol_sequence_are_pytorch_s() -> None:
    engine = mg.quasirandom.SobolEngine(3, scramble=True, seed=5)
    first = [
        [515708032, 125905760, 133132920],
        [978687104, 932721920, 578831360],
        [574512448, 291532096, 330569920],
    ]
    assert (engine.draw(3) * 2**30).long().tolist() == first
    assert (engine.fast_forward(4).draw(dtype=mg.float64) * 2**30).long().tolist() == [
        [393659733, 1066767274, 501770660]
    ]
    assert (engine.reset().draw(3) * 2**30).long().tolist() == first
    wide = mg.quasirandom.SobolEngine(160).fast_forward(12345)
    assert wide.quasi[::40].tolist() == [151322624, 768278528, 1019150336, 303497216]
    assert wide.draw(2)[1, -3:].tolist() == [0.31011962890625, 0.43231201171875, 0.35247802734375]
    with pytest.raises(ValueError, match="power of 2"):
        wide.draw_base2(4)
    with pytest.raises(ValueError, match="Supported range"):
        mg.quasirandom.SobolEngine(161)
    assert repr(engine) == "SobolEngine(dimension=3, scramble=True, seed=5)"
    assert mg.quasirandom.SobolEngine(1).draw(3, dtype=mg.float16).tolist() == [[0], [0.5], [0.75]]


FLAT: dict[str, Callable[[mg.Tensor], mg.Tensor]] = {
    "bernoulli": mg.bernoulli,
    "bernoulli_": lambda w: mg.zeros(2, 3).bernoulli_(w),
    "poisson": mg.poisson,
    "normal of means": lambda w: mg.normal(w, 2.0),
    "normal of deviations": lambda w: mg.normal(1.0, w),
    "normal of both": lambda w: mg.normal(w.expand(2, 3), w),
}


@pytest.mark.parametrize("name", FLAT)
def test_numbers_drawn_by_what_requires_grad_have_gradients_of_0(name: str) -> None:
    def loss(w: mg.Tensor) -> mg.Tensor:
        return (FLAT[name](w) * 2).sum()

    values = [
        (loss, mg.float32), (loss, mg.float64), (loss, mg.float16), (mg.compile(loss), mg.float32)
    ]  # fmt: skip
    for f, dtype in values if name != "bernoulli_" else values[:-1]:
        mg.manual_seed(3)
        w = mg.tensor([0.2, 0.5, 0.9], dtype=dtype, requires_grad=True)
        y = f(w)
        y.backward()
        assert w.grad.tolist() == [0.0, 0.0, 0.0]
        mg.manual_seed(3)
        assert y.item() == loss(w.detach()).item()
    drawn = FLAT[name](w)
    (slope,) = mg.autograd.grad(drawn.sum(), w, create_graph=True)
    assert not slope.requires_grad
    assert "input_1" in str(mg.source((drawn * w).sum()))
    with mg.no_grad():
        assert not FLAT[name](w).requires_grad


def test_what_numpy_rounds_otherwise_goes_through_the_c_library() -> None:
    # Next to the middle of two float32 numbers, and where a sum cancels: here NumPy's function is wrong on purpose.
    x = np.array([0.5, 1.0 + 2.0**-24, 1.0 + 2.0**-24 - 2.0**-50, 2.0**-140, 3.0] * 26)
    y = through_libm(x, np.negative, lambda v: v, np.dtype(np.float32), np.abs)
    assert y.tolist() == x.astype(np.float32).tolist()
    near = through_libm(x, np.positive, lambda v: 7.0, np.dtype(np.float32), lambda y: y, offset=1e3)
    assert near.tolist() == [7.0, 7.0, 7.0, 7.0, 3.0] * 26
    exact = through_libm(x, np.positive, lambda v: 7.0, np.dtype(np.float64), lambda y: y)
    assert exact.tolist() == [7.0] * 130


@pytest.mark.parametrize("draw", ["uniform_", "normal_", "exponential_", "bernoulli_"])
def test_a_draw_in_place_is_a_change_that_backward_notices(draw: str) -> None:
    x = mg.ones(20, requires_grad=True)
    saved = mg.full((20,), 2.0)
    y = x * saved
    view = saved[:16]
    getattr(view, draw)()
    with pytest.raises(RuntimeError, match="in place"):
        y.sum().backward()
    assert not (saved[:16] == 2.0).any()
    with pytest.raises(RuntimeError, match="leaf"):
        getattr(x, draw)()


def test_words_come_in_order_whichever_thread_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    g = Generator().manual_seed(5)
    expected = g.clone_state().uniform(MANY)
    engine = g._bits.engine()

    class Slow:
        def random_raw(self, count: int) -> npt.NDArray[np.uint64]:
            time.sleep(0.02 if pauses.pop() else 0.0)
            return engine.random_raw(count)

    # The first part waits, and another thread could overtake it.
    pauses = [False] * 9 + [True]
    monkeypatch.setattr(THREADS, "count", 3)
    monkeypatch.setattr(g._bits, "engine", Slow)
    assert np.array_equal(g.uniform(MANY), expected)

"""Special functions and rarer arithmetic: accuracy, edges, what the rows of samples cannot know, and SciPy's."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from cases import case

import minigrad as mg
from minigrad import autograd, special
from minigrad.kernels import special as kernels

inf, nan = math.inf, math.nan


def double(*values: float) -> Any:
    return mg.tensor([*values], dtype=mg.float64, requires_grad=True)


def steps(found: Any, expected: Any) -> float:
    """The largest difference, in steps of float64 at the expected value."""
    with np.errstate(all="ignore"):
        apart = np.abs(found - expected) / np.spacing(np.abs(expected))
    return float(np.where(found == expected, 0.0, apart).max())


def test_functions_are_as_exact_as_python_s() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [rng.uniform(-6, 6, 2000), rng.uniform(-0.6, 0.6, 1000), [0.0, -0.0, 0.46875, 4.0, -4.0]]
    )
    for name, python, allowed in [("erf", math.erf, 5), ("erfc", math.erfc, 8), ("ndtr", None, 8)]:
        exact = np.array([python(v) if python else math.erfc(-v * math.sqrt(0.5)) / 2 for v in x.tolist()])
        found = getattr(special, name)(mg.from_numpy(x)).numpy()
        assert steps(found, exact) <= allowed, name
    p = np.concatenate([rng.uniform(0, 1, 500), 10.0 ** rng.uniform(-300, 0, 500)])
    assert (
        steps(kernels.ndtr(kernels.ndtri(p)), p) < 3e4
    )  # where the density is 1e-300, a step of x is many of p
    # Values to 40 digits, by mpmath.
    for function, v, value in [
        (special.log_ndtr, -100.0, -5005.524208694205),
        (special.log_ndtr, -5.0, -15.064998393988725),
        (special.log_ndtr, 3.0, -0.0013508099647481938),
        (special.erfcx, -2.0, 108.94090438997797),
        (special.erfcx, 1.0, 0.427583576155807),
        (special.erfcx, 30.0, 0.018795888861416751),
        (special.ndtri, 1e-30, -11.464024688443616),
        (special.ndtri, 0.9, 1.2815515655446004),
        (special.ndtri, 0.5, 0.0),
    ]:
        with case((function.__name__, v)):
            assert function(double(v)).item() == pytest.approx(value, rel=4e-15, abs=0)


def test_the_error_function_stays_within_1() -> None:
    """Else `Normal.cdf` is above 1, and the logarithm of what it leaves nan."""
    for dtype in (mg.float32, mg.float64):
        y = mg.erf(mg.linspace(-9, 9, 100_001, dtype=dtype))
        assert (y.min().item(), y.max().item()) == (-1.0, 1.0)
    assert mg.erf(mg.tensor(3.9)).item() <= 1.0


EDGES: dict[str, tuple[Any, list[float]]] = {
    "xlogy": (lambda: mg.xlogy(double(0, 0, 0, 2, nan, 0), double(0, inf, nan, 0, 1, -1)), [0, 0, nan, -inf, nan, 0]),
    "xlogy-number": (lambda: mg.xlogy(0, double(0, 1)), [0, 0]),
    "xlog1py": (lambda: special.xlog1py(double(0, 1, 0), double(-1, -1, nan)), [0, -inf, nan]),
    "entr": (lambda: special.entr(double(0, -1, 1, nan, inf)), [0, -inf, 0, nan, -inf]),
    "ndtri": (lambda: special.ndtri(double(0, 1, -1, 2, nan)), [-inf, inf, nan, nan, nan]),
    "erfcx": (lambda: special.erfcx(double(-inf, -30, inf, nan)), [inf, inf, 0, nan]),
    "log_ndtr": (lambda: special.log_ndtr(double(-inf, inf, nan)), [-inf, 0, nan]),
    "sinc": (lambda: mg.sinc(double(0, inf)), [1, nan]),
    "logaddexp": (lambda: mg.logaddexp(double(-inf, 800, inf), double(-inf, 800, 0)), [-inf, 800 + math.log(2), inf]),
    "logaddexp2": (lambda: mg.logaddexp2(double(inf, inf, nan, -0.0), double(inf, -inf, -inf, 0)), [inf, inf, nan, 1]),
    "fmax": (lambda: mg.fmax(double(nan, nan, 1), double(2, nan, nan)), [2, nan, 1]),
    "fmin": (lambda: mg.fmin(double(nan, 3), double(2, nan)), [2, 3]),
    "heaviside": (lambda: mg.heaviside(double(-2, 0, 3, nan), double(9, 0.5, 9, 9)), [0, 0.5, 1, 0]),
    "copysign": (lambda: mg.copysign(double(1, -2), -0.0), [-1, -2]),
    "nan_to_num": (lambda: mg.nan_to_num(double(nan, inf, -inf), 2, neginf=-9), [2, sys.float_info.max, -9]),
    "frexp": (lambda: mg.frexp(double(8, -0.3, 0, inf)).mantissa, [0.5, -0.6, 0, inf]),
    "ldexp": (lambda: mg.ldexp(double(1, 3), mg.tensor([3, -1])), [8, 1.5]),
    "ldexp of large powers": (lambda: mg.ldexp(double(1, 2**-500), mg.tensor([300, 600])), [2.0**300, 2.0**100]),
    "ldexp beyond the floats": (lambda: mg.ldexp(mg.tensor([2.0**-140]), mg.tensor([200])).double(), [2.0**60]),
    "sgn": (lambda: mg.sgn(double(-2, 0, nan)), [-1, 0, 0]),
    "hypot": (lambda: mg.hypot(double(3e200, 0), double(4e200, 0)), [5e200, 0]),
    "trapezoid": (lambda: mg.trapezoid(double(1, 2, 4), double(0, 1, 3)).reshape(1), [7.5]),
    "trapezoid-dx": (lambda: mg.trapz(double(1, 2, 4), dx=2).reshape(1), [9]),
    "cumulative_trapezoid": (lambda: mg.cumulative_trapezoid(double(1, 2, 4)), [1.5, 4.5]),
}  # fmt: skip


def test_values_at_the_edges() -> None:
    for name, (call, expected) in EDGES.items():
        with case(name):
            np.testing.assert_allclose(call().detach().numpy(), expected, rtol=1e-15)


SLOPES: dict[str, tuple[Any, list[float], list[float]]] = {
    "sinc": (mg.sinc, [0.0], [0.0]),
    "xlogy-0": (lambda x: mg.xlogy(x, double(0.0).detach()), [0.0], [0.0]),
    "xlogy-edges": (
        lambda x: mg.xlogy(x, double(2, 0, -1, nan).detach()),
        [0.0] * 4,
        [math.log(2), 0.0, 0.0, nan],
    ),
    "xlogy-one-number": (lambda x: mg.xlogy(x, 2.0), [0.0], [math.log(2)]),
    "xlog1py-edges": (
        lambda x: special.xlog1py(x, double(2, 0, -1, -3).detach()),
        [0.0] * 4,
        [math.log(3), 0.0, 0.0, 0.0],
    ),
    "copysign": (lambda x: mg.copysign(x, -1.0), [2.0, 0.0, -2.0], [-1.0, 0.0, 1.0]),
    "fmax-tie": (lambda x: mg.fmax(x, x.detach()), [1.0], [1.0]),
    "fmax-nan": (lambda x: mg.fmax(x, double(nan, 2.0).detach()), [1.0, nan], [1.0, 0.0]),
    "nan_to_num": (lambda x: mg.nan_to_num(x) * 3, [nan, inf, 1.0], [0.0, 0.0, 3.0]),
    "frexp": (lambda x: mg.frexp(x).mantissa, [8.0, 0.75], [0.0625, 1.0]),
    "aminmax": (lambda x: mg.aminmax(x).max, [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
    "entr": (special.entr, [1.0], [-1.0]),
    "log_ndtr": (special.log_ndtr, [-100.0], [100.00999800099926]),
    "ndtri": (special.ndtri, [0.5], [math.sqrt(2 * math.pi)]),
    "cumulative_trapezoid": (lambda x: mg.cumulative_trapezoid(x, dim=0), [1.0, 2.0, 3.0], [1.0, 1.5, 0.5]),
}


def test_slopes_at_the_edges() -> None:
    for name, (f, x, expected) in SLOPES.items():
        with case(name):
            t = double(*x)
            (g,) = autograd.grad(f(t).sum(), t)
            np.testing.assert_allclose(g.numpy(), expected, rtol=1e-14)
    for x in (0.0, 1e-9, 1e-4, 0.2, 0.3):  # the second derivative of sinc
        t = double(x)
        (g,) = autograd.grad(mg.sinc(t).sum(), t, create_graph=True)
        (h,) = autograd.grad(g.sum(), t)
        z = math.pi * x
        terms = (
            (-1) ** k * (2 * k) * (2 * k - 1) * z ** (2 * k - 2) / math.factorial(2 * k + 1)
            for k in range(1, 20)
        )
        assert h.item() == pytest.approx(math.pi**2 * math.fsum(terms), rel=1e-9)
    t = double(-20, 3, 40, 1e30)
    (g,) = autograd.grad(special.log_ndtr(t).sum(), t, create_graph=True)
    (h,) = autograd.grad(g.sum(), t)
    assert h.tolist() == pytest.approx([-0.9975367375, -0.0133332115, 0, 0], rel=1e-8)


def test_what_aminmax_and_frexp_return() -> None:
    low, high = mg.aminmax(mg.tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1, keepdim=True)
    assert (low.tolist(), high.tolist()) == ([[1.0], [3.0]], [[5.0], [7.0]])
    assert mg.aminmax(mg.tensor([3, 1]))._fields == ("min", "max")
    mantissa, exponent = mg.frexp(mg.tensor([8.0, 0.3], dtype=mg.float32))
    assert (mantissa.dtype, exponent.dtype, exponent.tolist()) == (mg.float32, mg.int32, [4, -1])


def test_shifts() -> None:
    x = mg.tensor([1, -8, 5])
    assert [t.tolist() for t in (x << 2, x >> 1, 2 << mg.tensor([0, 3]), 64 >> mg.tensor([1, 6]))] == [
        [4, -32, 20], [0, -4, 2], [2, 16], [32, 1],
    ]  # fmt: skip
    y = x.clone()
    y <<= 1
    y.bitwise_right_shift_(mg.tensor([1, 0, 1]))
    assert y.tolist() == [1, -16, 5]
    assert mg.bitwise_left_shift(mg.tensor([1, 1]), mg.tensor([64, -1])).tolist() == [0, 0]
    small = mg.tensor([-8, 8], dtype=mg.int8)
    assert (small >> mg.tensor([9, 9], dtype=mg.int8)).tolist() == [-1, 0]


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "hypot": (lambda: mg.hypot(mg.tensor([1]), mg.tensor([1])), NotImplementedError, '"hypot" not implemented'),
    "logaddexp": (lambda: mg.logaddexp(mg.tensor([1]), mg.tensor([1])), NotImplementedError, '"logaddexp" not'),
    "nextafter": (lambda: mg.nextafter(mg.tensor(1), mg.tensor(2)), NotImplementedError, '"nextafter" not'),
    "heaviside": (lambda: mg.heaviside(mg.ones(2), mg.tensor(1)), RuntimeError, "^heaviside is not yet implemented"),
    "gcd": (lambda: mg.gcd(mg.ones(1), mg.ones(1)), NotImplementedError, "not implemented"),
    "gcd-bool": (lambda: mg.gcd(mg.tensor(True), mg.tensor(True)), NotImplementedError, "\"gcd\" not .* 'Bool'"),
    "igamma": (lambda: mg.igamma(mg.tensor(1), mg.tensor(1)), NotImplementedError, '"igamma" not'),
    "round": (lambda: mg.round(mg.tensor([15]), decimals=-1), NotImplementedError, '"round" to decimals'),
    "shift": (lambda: mg.ones(2) << 1, NotImplementedError, "not implemented"),
    "shift-bool": (lambda: mg.tensor(True) << True, RuntimeError, "not implemented for 'Bool'"),
    "frexp": (lambda: mg.frexp(mg.tensor(1)), RuntimeError, r"frexp\(\) only supports floating-point"),
    "aminmax": (lambda: mg.aminmax(mg.ones(0)), RuntimeError, "cannot compute aminmax over an empty dimension"),
    "aminmax-dim": (lambda: mg.aminmax(mg.ones(0, 2), dim=0), IndexError, "^aminmax: Expected reduction dim 0"),
    "trapezoid": (lambda: mg.trapezoid(mg.ones(3), mg.ones(2)), RuntimeError, "There must be one `x` value"),
    "trapezoid-bool": (lambda: mg.trapezoid(mg.tensor([True])), RuntimeError, "received a bool input"),
    "trapezoid-0d": (lambda: mg.trapezoid(mg.tensor(1.0)), IndexError, "no dimensions"),
    "adjoint": (lambda: mg.adjoint(mg.ones(2)), RuntimeError, "only supported on matrices"),
    "is_nonzero": (lambda: mg.is_nonzero(mg.ones(2)), RuntimeError, "^Boolean value of Tensor with more than one"),
    "is_nonzero-0": (lambda: mg.is_nonzero(mg.ones(0)), RuntimeError, "^Boolean value of Tensor with no values"),
    "polygamma": (lambda: mg.polygamma(-1, mg.ones(2)), RuntimeError, "does not support negative n"),
    "mvlgamma": (lambda: mg.mvlgamma(mg.ones(2), 0), RuntimeError, "p has to be greater than or equal to 1"),
}  # fmt: skip


def test_what_is_refused() -> None:
    for name, (call, kind, says) in REFUSED.items():
        with case(name), pytest.raises(kind, match=says):
            call()


def test_questions() -> None:
    x = mg.tensor([[1.0, -inf], [inf, nan]])
    assert [mg.isneginf(x).tolist(), mg.isposinf(x).tolist()] == [
        [[False, True], [False, False]],
        [[False, False], [True, False]],
    ]
    assert mg.isneginf(mg.tensor([1])).tolist() == [False]
    assert mg.signbit(mg.tensor([-0.0, 0.0, -1.0])).tolist() == [True, False, True]
    assert not mg.signbit(mg.angle(mg.tensor([2.0, 0.0, -0.0, -1.0]))).any()
    assert mg.isreal(x).all()
    assert (mg.is_complex(x), mg.is_floating_point(x), mg.is_floating_point(mg.tensor(1))) == (
        False,
        True,
        False,
    )
    assert (mg.is_nonzero(mg.tensor([2])), mg.is_same_size(x, x[0])) == (True, False)
    assert mg.adjoint(x).tolist()[0] == [1.0, inf]
    assert mg.nan_to_num(mg.tensor([1, 2])).tolist() == [1, 2]


def test_the_namespace_has_the_functions_of_the_package() -> None:
    for name in (
        "erf",
        "erfc",
        "erfinv",
        "exp2",
        "expm1",
        "log1p",
        "logit",
        "logsumexp",
        "round",
        "sinc",
        "xlogy",
    ):
        assert getattr(special, name) is getattr(mg, name), name
    assert special.expit is mg.sigmoid
    assert set(special.__all__) <= set(dir(special))
    x, y = mg.ones(2, dtype=mg.int64), mg.ones(2, requires_grad=True)
    (g,) = autograd.grad(mg.xlogy(y, 2.0).sum(), y)
    assert {mg.xlogy(y, 2.0).dtype, mg.xlogy(2, y).dtype, g.dtype} == {mg.float32}
    assert g.tolist() == [pytest.approx(math.log(2))] * 2
    assert {special.entr(x).dtype, special.ndtr(x).dtype, special.xlog1py(x, 2).dtype} == {mg.float32}


# ---------------------------------------------------------------- by SciPy


def by_scipy() -> dict[str, tuple[Any, Any, list[np.ndarray], tuple[int, ...]]]:
    """By operation: how it is called, its value by SciPy, its inputs, and which of them have a gradient."""
    s = pytest.importorskip("scipy.special")
    x, y = np.array([0.4, 1.7, 5.0]), np.array([1.3, 0.6, 4.0])
    return {
        "lgamma": (mg.lgamma, s.gammaln, [x], (0,)),
        "digamma": (mg.digamma, s.psi, [x], (0,)),
        "polygamma": (lambda t: mg.polygamma(2, t), lambda t: s.polygamma(2, t), [x], (0,)),
        "zeta": (special.zeta, s.zeta, [x + 1.5, y], (1,)),
        "igamma": (mg.igamma, s.gammainc, [x, y], (1,)),
        "igammac": (mg.igammac, s.gammaincc, [x, y], (1,)),
        "i0": (mg.i0, s.i0, [x - 2], (0,)),
        "i0e": (special.i0e, s.i0e, [x - 2], (0,)),
        "i1": (special.i1, s.i1, [x - 2], (0,)),
        "i1e": (special.i1e, s.i1e, [x - 2], (0,)),
    }


def test_functions_by_scipy() -> None:
    for name, (f, value, arrays, wanted) in by_scipy().items():
        with case(name):
            xs = [mg.tensor(a, requires_grad=i in wanted) for i, a in enumerate(arrays)]
            y = f(*xs)
            np.testing.assert_allclose(y.detach().numpy(), value(*arrays), rtol=1e-12)
            assert autograd.gradcheck(f, xs)
            assert name == "zeta" or autograd.gradgradcheck(f, xs)
            assert "from scipy import special" in mg.source(y), "the kernel is printed"
            # In float32, in float16 of one rounding, and compiled.
            compiled = mg.compile(f)
            for dtype, tolerance in ((mg.float32, 1e-5), (mg.float16, 4e-3)):
                narrow = [mg.tensor(a, dtype=dtype) for a in arrays]
                assert f(*narrow).dtype is dtype
                rounded = value(*(t.numpy().astype(np.float64) for t in narrow))
                np.testing.assert_allclose(f(*narrow).numpy(), rounded, rtol=tolerance)
                assert np.array_equal(compiled(*narrow).numpy(), f(*narrow).numpy())
    t = mg.tensor([2.5, 4.0], dtype=mg.float64)
    s = pytest.importorskip("scipy.special")
    np.testing.assert_allclose(mg.mvlgamma(t, 3).numpy(), [s.multigammaln(v, 3) for v in t.tolist()])
    assert mg.lgamma(mg.tensor([-inf, 0.0])).tolist() == [inf, inf]
    # As PyTorch's series at infinity.
    np.testing.assert_array_equal(mg.polygamma(1, double(-inf, inf)).tolist(), [nan, 0])
    np.testing.assert_array_equal(mg.polygamma(2, double(-inf, inf)).tolist(), [-inf, nan])
    assert math.isnan(special.zeta(double(2), inf).item())
    x = np.array([0.4, 1.7, 5.0])
    for name, value in (
        ("airy_ai", lambda x: s.airy(x)[0]), ("bessel_j0", s.j0), ("bessel_j1", s.j1), ("bessel_y0", s.y0),
        ("bessel_y1", s.y1), ("modified_bessel_i0", s.i0), ("modified_bessel_i1", s.i1), ("modified_bessel_k0", s.k0),
        ("modified_bessel_k1", s.k1), ("scaled_modified_bessel_k0", s.k0e), ("scaled_modified_bessel_k1", s.k1e),
        ("spherical_bessel_j0", lambda x: np.sin(x) / x),
    ):  # fmt: skip
        y = getattr(special, name)(mg.tensor(x, requires_grad=True))
        np.testing.assert_allclose(y.numpy(), value(x), rtol=1e-12)
        assert getattr(special, name)(mg.arange(1, 3)).dtype is mg.float32
    assert t.polygamma(1).tolist() == mg.polygamma(1, t).tolist()
    a = mg.tensor([1.0], requires_grad=True)
    with pytest.raises(NotImplementedError, match="the derivative for 'igamma: input' is not implemented"):
        mg.igamma(a, mg.tensor([2.0])).backward()


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    for f in (mg.lgamma, special.i1e, lambda x: mg.polygamma(1, x)):
        with pytest.raises(ImportError, match=r"needs SciPy \(the extra `scipy`\): pip install scipy"):
            f(mg.ones(2))


# By PyTorch, at 0.3, of degree -1, 0, 1, 2 and 5.
POLYNOMIALS = {
    "chebyshev_polynomial_t": [0.0, 1.0, 0.3, -0.82, 0.99888],
    "chebyshev_polynomial_u": [0.0, 1.0, 0.6, -0.64, 1.01376],
    "chebyshev_polynomial_v": [0.0, 1.0, -0.4, -1.24, 0.96416],
    "chebyshev_polynomial_w": [0.0, 1.0, 1.6, -0.04, 1.06336],
    "hermite_polynomial_h": [0.0, 1.0, 0.6, -1.64, 31.757761],
    "hermite_polynomial_he": [0.0, 1.0, 0.3, -0.91, 4.23243],
    "laguerre_polynomial_l": [0.0, 1.0, 0.7, 0.445, -0.093333],
    "legendre_polynomial_p": [0.0, 1.0, 0.3, -0.365, 0.345386],
    "shifted_chebyshev_polynomial_t": [0.0, 1.0, -0.4, -0.68, -0.88384],
    "shifted_chebyshev_polynomial_u": [0.0, 1.0, -0.8, -0.36, -0.67968],
    "shifted_chebyshev_polynomial_v": [0.0, 1.0, -1.8, 0.44, -0.16928],
    "shifted_chebyshev_polynomial_w": [0.0, 1.0, 0.2, -1.16, -1.19008],
}


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_orthogonal_polynomials(name: str) -> None:
    f = getattr(special, name)
    y = f(mg.tensor(0.3, dtype=mg.float64, requires_grad=True), mg.tensor([-1.0, 0.0, 1.0, 2.9, 5.0]))
    assert y.tolist() == pytest.approx(POLYNOMIALS[name], abs=1e-6)
    assert not y.requires_grad
    assert f(0.3, mg.tensor([nan, inf, -inf])).tolist() == [0.0, 0.0, 0.0]
    assert f(mg.tensor([0.3]), 2).tolist() == pytest.approx(POLYNOMIALS[name][3:4], abs=1e-6)
    assert f(0.3, mg.arange(2)).dtype is f(mg.tensor([0, 1]), 2).dtype is mg.float32
    assert mg.equal(mg.compile(f)(y, 3), f(y, 3))


def test_polynomials_of_a_large_degree_need_no_steps() -> None:
    x, n = (
        mg.tensor([[0.3], [-1.0], [1.0], [3.0]], dtype=mg.float64),
        mg.tensor([40.0, 1e10, 1e10 + 1], dtype=mg.float64),
    )
    for name in POLYNOMIALS:
        if name.startswith("chebyshev"):
            y = getattr(special, name)(x, n)
            before = [getattr(special, name)(x, mg.tensor([k])) for k in (7.0, 8.0)]  # by steps
            for _ in range(32):
                before = [before[1], 2 * x * before[1] - before[0]]
            assert y[:, 0].tolist() == pytest.approx(before[1][:, 0].tolist(), rel=1e-9)
            assert y[3, 1:].isnan().all()
    even, odd, large = [1.0, 1.0], [1.0, -1.0], [2e10 + 1, -2e10 - 3]
    rows = {"t": (odd, even), "u": ([1e10 + 1, -1e10 - 2], [1e10 + 1, 1e10 + 2]),
            "v": (large, even), "w": (odd, [2e10 + 1, 2e10 + 3])}  # fmt: skip
    for letter, right in rows.items():
        assert getattr(special, f"chebyshev_polynomial_{letter}")(x[1:3], n[1:]).tolist() == [*right]
    assert special.legendre_polynomial_p(x[1:3], n[1:]).tolist() == [odd, even]
    assert special.laguerre_polynomial_l(0.0, n).tolist() == [1.0] * 3
    assert special.hermite_polynomial_h(x, n[1:]).isnan().all()

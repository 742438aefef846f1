"""Complex numbers: every operation that takes them, against finite differences along both axes; their functions."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from op_samples import NOT_SAMPLED, ROWS, Row

import minigrad as mg
from minigrad import fft, linalg
from minigrad.core.op import Op
from minigrad.ops import TABLE
from minigrad.random import Generator

EPS = 1e-6
# Operations of complex numbers whose inputs are real, or have one type of both; samples of their own stand below.
OWN = {"pair", "as_complex", "r2c", "c2r", "c2c", "real", "imag", "as_real", "angle", "sgn", "conj"}
# Whose derivatives hang on what a random cotangent breaks: the phase of vectors, a real diagonal.
BY_FUNCTIONS = {
    "eig", "eig_vectors", "eig_values", "eigh", "eigenvectors", "eigenvalues", "eigvalsh", "svd", "left_vectors",
    "right_vectors", "singular_values", "cholesky", "cholesky_ex", "minors", "qr", "qr_q", "qr_triangle", "qr_r",
    "signed_logdet", "logabsdet", "det_sign", "lu", "lu_regular", "lu_compact", "lu_pivots", "lu_info",
    "lu_permutation", "unpivot", "pinv", "svdvals", "zero_pivots", "cofactor",
}  # fmt: skip


def numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return np.asarray(rng.uniform(0.3, 1.2, shape) * np.exp(1j * rng.uniform(-1.2, 1.2, shape)))


def random_like(rng: np.random.Generator, a: Any) -> np.ndarray:
    real = rng.standard_normal(np.shape(a))
    return np.asarray(real + 1j * rng.standard_normal(np.shape(a)) if np.iscomplexobj(a) else real)


def inner(a: Any, b: Any) -> float:
    """The inner product of numbers as pairs."""
    return float(np.sum(np.asarray(a) * np.conj(b)).real)


def check(f: Callable[..., Any], arrays: list[np.ndarray], wanted: list[int], second: bool = True) -> None:
    """Gradients of order 1 at every element along both axes, and of order 2 along a random direction."""
    rng = np.random.default_rng(1)

    def tensors(values: list[np.ndarray]) -> list[Any]:
        return [mg.tensor(a).requires_grad_(i in wanted) for i, a in enumerate(values)]

    v = random_like(rng, f(*tensors(arrays)).detach().numpy())

    def gradients(values: list[np.ndarray]) -> list[np.ndarray]:
        xs = tensors(values)
        y = f(*xs)
        found = mg.autograd.grad(
            y, [xs[i] for i in wanted], mg.tensor(v.astype(y._array.dtype)), materialize_grads=True
        )
        return [g.numpy() for g in found]

    first = gradients(arrays)
    for i, g in zip(wanted, first, strict=True):
        assert (g.dtype, g.shape) == (arrays[i].dtype, arrays[i].shape)
        for at in np.ndindex(g.shape):
            for step, slope in ((EPS, g[at].real), (EPS * 1j, g[at].imag))[: 1 + np.iscomplexobj(g)]:
                up, down = ([a.copy() for a in arrays] for _ in "ud")
                up[i][at] += step
                down[i][at] -= step
                higher, lower = (inner(f(*tensors(values)).detach().numpy(), v) for values in (up, down))
                assert slope == pytest.approx((higher - lower) / (2 * EPS), rel=1e-5, abs=1e-6)
    if not second or not first:
        return
    xs = tensors(arrays)
    y = f(*xs)
    seed = mg.tensor(v.astype(y._array.dtype), requires_grad=True)
    recorded = mg.autograd.grad(y, [xs[i] for i in wanted], seed, create_graph=True, materialize_grads=True)
    weights = [random_like(rng, g) for g in first]
    total: Any = mg.tensor(0.0)
    for g, w in zip(recorded, weights, strict=True):
        product = g * mg.tensor(w.conj())
        total = total + (product.real if product.is_complex() else product).sum()
    if not total.requires_grad:
        return
    sources = [xs[i] for i in wanted]
    exact = mg.autograd.grad(total, sources, materialize_grads=True)
    steps = [random_like(rng, arrays[i]) for i in wanted]
    up, down = ([a.copy() for a in arrays] for _ in "ud")
    for i, step in zip(wanted, steps, strict=True):
        up[i] += EPS * step
        down[i] -= EPS * step
    rows = [sum(map(inner, gradients(values), weights)) for values in (up, down)]
    found = sum(inner(h.detach().numpy(), s) for h, s in zip(exact, steps, strict=True))
    assert found == pytest.approx((rows[0] - rows[1]) / (2 * EPS), rel=2e-5, abs=1e-5)


# ---------------------------------------------------------------- the records


def complex_rows() -> list[Row]:
    taken = [r for r in ROWS if TABLE[r.op].complex and r.op not in OWN | BY_FUNCTIONS]
    return [
        r for r in taken if r.d and r.op != "to" and any(i.kind not in ("bool", "whole") for i in r.inputs)
    ]


def drawn(row: Row) -> list[np.ndarray]:
    """The inputs of a row; those that are real, as complex numbers."""
    rng = np.random.default_rng(0)
    arrays = [i(rng) for i in row.inputs]
    return [a if a.dtype.kind in "biu" else numbers(rng, *a.shape) for a in arrays]


def test_every_op_says_whether_it_takes_complex_numbers() -> None:
    takes = {name for name, op in TABLE.items() if op.complex}
    sampled = {r.op for r in complex_rows()}
    rest = takes - sampled - OWN - BY_FUNCTIONS - set(NOT_SAMPLED)
    assert {name for name in rest if TABLE[name].differentiable} == {"to"}
    for name in ("maximum", "relu", "softmax", "argmax", "floor", "lgamma"):
        assert not TABLE[name].complex


@pytest.mark.parametrize("row", complex_rows(), ids=[r.id for r in complex_rows()])
def test_gradients_of_complex_numbers(row: Row) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(row.run, drawn(row), list(row.wanted))


@pytest.mark.parametrize("name", sorted(n for n, op in TABLE.items() if not op.complex and not op.view))
def test_what_does_not_take_them_refuses(name: str) -> None:
    rows = [r for r in ROWS if r.op == name and any(i.kind not in ("bool", "whole") for i in r.inputs)]
    if not rows:
        return
    with pytest.raises(RuntimeError, match=f'"{name}" not implemented for complex numbers|complex'):
        mg.tape.apply(TABLE[name], [mg.tensor(a) for a in drawn(rows[0])], rows[0].params)


def test_a_wrong_rule_is_caught() -> None:
    """A rule whose arguments are conjugated though it says that it is to be called as it stands."""
    wrong = Op("wrong_square", np.square, "x", lambda g, x: g * x * 2.0, complex="own", listed=False)
    with pytest.raises(AssertionError):
        check(lambda x: mg.tape.apply(wrong, (x,)), [numbers(np.random.default_rng(0), 3)], [0])
    with pytest.raises(TypeError, match="complex is"):
        Op("wrong_word", np.square, "x", None, complex="yes", listed=False)


# ---------------------------------------------------------------- functions

RNG = np.random.default_rng(3)


def c(*shape: int) -> np.ndarray:
    return numbers(RNG, *shape)


def r(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 1.5, shape)


def hermitian(a: Any) -> Any:
    return a @ a.mH + 2 * mg.eye(a.shape[-1], dtype=a.dtype)


FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "complex": (mg.complex, r(3), r(3)), "polar": (mg.polar, r(3), r(3)), "conj": (mg.conj, c(3)),
    "real": (mg.real, c(3)), "imag": (mg.imag, c(3)), "angle": (mg.angle, c(2, 2)), "sgn": (mg.sgn, c(3)),
    "abs": (mg.abs, c(3)), "view_as_real": (mg.view_as_real, c(2, 2)),
    "view_as_complex": (lambda x: mg.view_as_complex(x) ** 2, r(3, 2)),
    "real * complex": (lambda a, b: a * b, r(3), c(2, 3)), "complex power": (lambda a: a ** (1 + 2j), c(3)),
    "power of a number": (lambda a: (1 + 1j) ** a, c(3)), "mH": (lambda a: a.mH @ a, c(3, 2)),
    "vdot": (mg.vdot, c(3), c(3)), "vecdot": (linalg.vecdot, c(2, 3), c(2, 3)), "norm": (linalg.norm, c(2, 2)),
    "norm 1": (lambda a: linalg.vector_norm(a, 1), c(3)), "var": (lambda a: a.var(0), c(4, 2)),
    "std": (mg.std, c(4)), "dist": (mg.dist, c(3), c(3)), "cov": (mg.cov, c(2, 4)),
    "normalize": (mg.nn.functional.normalize, c(2, 3)),
    "einsum": (lambda a, b: mg.einsum("ij,jk->ki", a, b), c(2, 3), c(3, 2)),
    "conv2d": (mg.nn.functional.conv2d, c(1, 2, 4, 4), c(2, 2, 2, 2)),
    "a part in place": (lambda z, x: (w := z * 1, w.real.mul_(x), w.imag.add_(1), w)[-1], c(3), r(3)),
    "as real in place": (lambda z, x: (w := z * 1, mg.view_as_real(w)[..., 1].mul_(x), w * w)[-1], c(3), r(3)),
    "inv": (linalg.inv, c(3, 3)), "det": (linalg.det, c(3, 3)), "slogdet": (lambda a: sum(linalg.slogdet(a)), c(3, 3)),
    "cholesky": (lambda a: linalg.cholesky(hermitian(a)).abs(), c(3, 3)),
    "cholesky_solve": (lambda a, b: mg.cholesky_solve(b, linalg.cholesky(hermitian(a))), c(2, 2), c(2, 1)),
    "eigh": (lambda a: linalg.eigh(hermitian(a))[0], c(3, 3)),
    "eigenvectors": (lambda a: (v := linalg.eigh(hermitian(a))[1], v[:, :1] @ v[:, :1].mH)[1], c(3, 3)),
    "eig": (lambda a: linalg.eigvals(a).abs().prod(), c(3, 3)),
    "eig of real": (lambda a: linalg.eigvals(a).abs().prod(), r(3, 3)),
    "eig vectors": (lambda a: linalg.eig(a)[1].abs().prod(), c(3, 3)),
    "svd": (linalg.svdvals, c(3, 2)),
    "rank 1": (lambda a: (f := linalg.svd(a, False), f[0][:, :1] @ f[2][:1])[1], c(3, 3)),
    "tall": (lambda a: linalg.svd(a, False)[0].abs(), c(4, 2)),
    "wide": (lambda a: linalg.svd(a, False)[2].abs(), c(2, 4)),
    "qr": (lambda a: mg.cat(linalg.qr(a)), c(3, 3)), "pinv": (linalg.pinv, c(3, 2)),
    "lu_solve": (lambda a, b: linalg.lu_solve(*linalg.lu_factor(a), b), c(3, 3), c(3, 1)),
    "lstsq": (lambda a, b: linalg.lstsq(a, b).solution, c(3, 2), c(3, 1)),
    "householder": (linalg.householder_product, c(3, 2), c(2)),
    "ormqr": (lambda a, t, b: mg.ormqr(a, t, b, False, True), c(3, 2), c(2), c(2, 3)),
    "stft": (lambda x: mg.stft(x, 4, window=mg.ones(4, dtype=x.dtype), return_complex=True), r(10)),
    "istft": (lambda z: mg.istft(z, 4, window=mg.ones(4, dtype=mg.float64)), c(3, 5)),
}  # fmt: skip
for _f in (fft.fft, fft.ifft, fft.irfft, fft.hfft):
    FUNCTIONS[_f.__name__] = (_f, c(5))
    FUNCTIONS[f"{_f.__name__} of another size"] = (lambda x, f=_f: f(x, 6, 0, "ortho"), c(4, 2))
for _f in (fft.rfft, fft.ihfft):
    FUNCTIONS[_f.__name__] = (_f, r(5))
    FUNCTIONS[f"{_f.__name__} of another size"] = (lambda x, f=_f: f(x, 4, 0, "forward"), r(6, 2))
for _g in (fft.fft2, fft.ifftn, fft.irfft2, fft.hfftn):
    FUNCTIONS[_g.__name__] = (lambda x, f=_g: f(x, (3, 4)), c(3, 3))
for _g in (fft.rfftn, fft.ihfft2):
    FUNCTIONS[_g.__name__] = (lambda x, f=_g: f(x, (3, 4), norm="ortho"), r(3, 3))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_complex_numbers(name: str) -> None:
    f, *arrays = FUNCTIONS[name]
    check(f, arrays, list(range(len(arrays))))


def test_transforms_lie_as_pytorch_s() -> None:
    """What was transformed stands last in memory: random numbers of its shape are drawn in that order."""
    x = mg.ones(4, 6, 8)
    for f, of, dims, steps in (
        (fft.fft, x, 2, (48, 8, 1)),
        (fft.fft, x, 0, (1, 32, 4)),
        (fft.ifft, x.transpose(0, 2), 1, (6, 1, 48)),
        (fft.fftn, x, (1, 0), (6, 1, 24)),
        (fft.rfft, x, 1, (32, 1, 4)),
        (fft.rfftn, x, (0, 1), (4, 1, 16)),
        (fft.rfftn, x, (1, 0), (1, 3, 18)),
        (fft.rfft2, x, (1, 2), (30, 5, 1)),
        (fft.ihfftn, x, (0, 1), (1, 4, 16)),
        (fft.irfft, x, 1, (80, 1, 10)),
        (fft.irfftn, x, (1, 0), (1, 6, 36)),
        (fft.hfftn, x, (1, 2), (84, 14, 1)),
        (fft.rfft, x[0].expand(4, 6, 8), 2, (5, 20, 1)),
    ):
        assert f(of, dim=dims).stride() == steps, (f.__name__, dims)
    mixed = fft.fft(fft.fft(mg.arange(64.0).view(2, 8, 4), dim=-1), dim=-2).real
    mg.manual_seed(0)
    kept = mg.dropout(mixed, 0.5, True) != 0
    mg.manual_seed(0)
    assert kept.equal((mg.dropout(mg.ones(2, 4, 8), 0.5, True) != 0).mT & (mixed != 0))


def test_transforms_are_numpy_s_and_inverses() -> None:
    z, x = mg.tensor(c(3, 5)), mg.tensor(r(3, 6))
    for ours, theirs in (
        (fft.fft, np.fft.fft),
        (fft.ifft, np.fft.ifft),
        (fft.irfft, np.fft.irfft),
        (fft.hfft, np.fft.hfft),
    ):
        np.testing.assert_allclose(ours(z).numpy(), theirs(z.numpy()))
    for there, back in (
        (fft.fft2, fft.ifft2),
        (fft.rfftn, fft.irfftn),
        (fft.ihfftn, fft.hfftn),
        (fft.ihfft, fft.hfft),
    ):
        assert mg.allclose(back(there(x)).real, x)
    assert fft.fftfreq(5, 0.5).tolist() == pytest.approx([0, 0.4, 0.8, -0.8, -0.4])
    assert fft.rfftfreq(4).tolist() == [0, 0.25, 0.5]
    assert fft.fftshift(fft.fftfreq(4)).tolist() == [-0.5, -0.25, 0, 0.25]
    assert fft.ifftshift(fft.fftshift(x, 1), (1,)).equal(x)
    assert fft.rfft(mg.arange(4)).dtype == mg.complex64
    window = mg.hann_window(8)
    signal = mg.sin(mg.arange(40) / 3)
    pieces = mg.stft(signal, 8, window=window, return_complex=True)
    assert pieces.shape == (5, 21)
    assert mg.allclose(mg.istft(pieces, 8, window=window, length=40), signal, atol=1e-6)
    # of a spectrum that is none of real numbers, the first half counts
    whole = mg.complex(mg.arange(24.0).sin(), mg.arange(24.0).cos()).view(8, 3)
    assert mg.allclose(mg.istft(whole, 8, window=window), mg.istft(whole[:5], 8, window=window), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fft.rfft(mg.ones(3) * 1j), "rfft expects a real input tensor"),
        (lambda: fft.fft(mg.ones(3), 0), "Invalid number of data points"),
        (lambda: fft.fft(mg.ones(3), norm="x"), "Invalid normalization mode"),
        (lambda: fft.fftn(mg.ones(3, 3), (1, 2), (0,)), "must have the same length"),
        (lambda: fft.fft2(mg.ones(3, 3), dim=(0, 0)), "must be unique"),
        (lambda: fft.fft(mg.ones(3).half()), "Unsupported dtype Half"),
        (lambda: mg.stft(mg.ones(9), 4), "return_complex parameter"),
        (lambda: mg.istft(mg.ones(3, 4), 4), "complex-valued input"),
        (lambda: mg.ones(1).imag, "imag is not implemented"),
        (lambda: mg.view_as_real(mg.ones(2)), "only supported for complex tensors"),
        (lambda: mg.view_as_complex(mg.ones(3)), "last dimension of size 2"),
        (lambda: mg.view_as_complex(mg.ones(2, 2).T), "stride 1"),
        (lambda: mg.complex(mg.ones(1), mg.ones(1).double()), "Expected object of scalar type"),
        (lambda: mg.tensor([1j]).sort(), "not implemented for complex numbers"),
        (lambda: mg.tensor([1j]).abs_(), "In-place abs is not supported for complex"),
        (lambda: mg.tensor([1j]).rad2deg(), "rad2deg is not supported for complex"),
        (lambda: mg.tensor([1j]).unique(), "not implemented for complex numbers"),
        (lambda: mg.tensor([[1j]]).unique_consecutive(dim=0), "not implemented for complex numbers"),
        (lambda: mg.tensor([1j]).histc(), "not implemented for"),
        (lambda: mg.histogram(mg.ones(1), 2, weight=mg.tensor([1j])), "the same dtype"),
        (lambda: mg.ones(1).double().float_power_(1j), "requires dtype complex128"),
        (lambda: mg.tensor([1j]).bernoulli_(), "not implemented for"),
        (lambda: mg.trapezoid(mg.ones(3), dx=1j), "dx as a real number"),
        (lambda: linalg.cross(mg.ones(3), 1j * mg.ones(3)), "expected scalar type"),
        (lambda: mg.nn.functional.local_response_norm(1j * mg.ones(1, 2, 3), 2), "not implemented for"),
        (lambda: mg.nn.functional.soft_margin_loss(mg.ones(1), mg.tensor([1j])), "can't be cast"),
        (lambda: mg.nn.init.orthogonal_(1j * mg.ones(2, 2)), "not implemented for"),
        (lambda: mg.func.grad(lambda z: z * z)(mg.tensor(1j)), "only for real scalar outputs"),
        (
            lambda: mg.autograd.functional.jacobian(lambda z: z * z, mg.tensor([1j])),
            "only for real scalar outputs",
        ),
        (
            lambda: mg.autograd.functional.vjp(lambda z: z * z, mg.tensor([1j])),
            "only for real scalar outputs",
        ),
        (lambda: mg.func.vjp(lambda z: z * z, mg.tensor([1j]))[1](mg.ones(1)), "same dtype"),
        (lambda: mg.func.jvp(lambda x: x * x, (mg.ones(1),), (mg.tensor([1j]),)), "same dtype"),
        (lambda: mg.tensor([1j]) < 1, '"lt" not implemented'),
        (lambda: mg.tensor([1j], requires_grad=True).sum().backward(), "only for real scalar outputs"),
        (lambda: float(mg.tensor(1j)), "without overflow"),
        (lambda: mg.ones(2).fill_(1j), "imaginary|complex"),
        (lambda: mg.full((2,), 1j, dtype=mg.float32), "complex"),
        (lambda: mg.func.jacrev(lambda z: z * z)(mg.tensor([1j])), "all inputs to be real"),
        (
            lambda: mg.autograd.backward(mg.tensor([1.0], requires_grad=True) * 2, mg.tensor([1j])),
            "same dtype",
        ),
    ],
)
def test_what_is_refused(call: Callable[[], Any], says: str) -> None:
    with pytest.raises((RuntimeError, TypeError), match=says):
        call()


# ---------------------------------------------------------------- element types and numbers


def test_types_meet_as_pytorch_s_do() -> None:
    z, single, double = mg.tensor([1j]), mg.ones(1), mg.ones(1, dtype=mg.float64)
    assert (z.dtype, (z * 2.5).dtype, (single * 1j).dtype) == (mg.complex64,) * 3
    assert (double * 1j).dtype == (z * double).dtype == mg.complex128
    assert (mg.ones(1, dtype=mg.int64) + 1j).dtype == mg.complex64
    assert (z * mg.tensor(1.0, dtype=mg.float64)).dtype == mg.complex64
    assert mg.complex64.is_complex
    assert (mg.complex64.to_real(), mg.float64.to_complex()) == (mg.float32, mg.cdouble)
    assert (mg.int8.to_real(), mg.bool.to_real()) == (mg.int8, mg.bool)
    with pytest.raises(RuntimeError, match="int8 has no complex type"):
        mg.int8.to_complex()
    assert 1j in z
    assert 2j not in single
    assert mg.promote_types(mg.complex64, mg.float64) == mg.complex128
    assert not mg.can_cast(mg.complex64, mg.float64)
    assert mg.finfo(mg.complex128).eps == mg.finfo(mg.float64).eps
    assert mg.tensor(3 + 4j).item() == 3 + 4j
    assert complex(mg.tensor(1.0)) == 1
    assert int(mg.tensor(2 + 0j)) == 2
    assert mg.tensor([[1, 2j]]).tolist() == [[1, 2j]]
    assert mg.ones(1).cfloat().type() == "minigrad.ComplexFloatTensor"
    assert mg.tensor([3 + 4j]).float().tolist() == [3]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1 + 2j], "tensor([1.+2.j])"),
        ([1.5 - 2j, 3], "tensor([1.5000-2.j, 3.0000+0.j])"),
        ([complex(-0.0, -0.0), complex(math.nan, math.inf)], "tensor([-0.-0.j, nan+infj])"),
        ([1e-5 + 1j, 1e5], "tensor([1.0000e-05+1.j, 1.0000e+05+0.j])"),
    ],
)
def test_complex_numbers_print_as_pytorch_s(values: list[complex], text: str) -> None:
    assert repr(mg.tensor(values)) == text


def test_draws_are_pytorch_s() -> None:
    generator = Generator().manual_seed(0)
    assert mg.randn(2, dtype=mg.cfloat, generator=generator).tolist() == pytest.approx(
        [1.0896 - 0.2075j, -1.5406 + 0.4019j], abs=1e-4
    )
    generator.manual_seed(0)
    assert mg.rand(2, dtype=mg.cfloat, generator=generator).tolist() == pytest.approx(
        [0.4963 + 0.7682j, 0.0885 + 0.1320j], abs=1e-4
    )


# ---------------------------------------------------------------- readers


def net(x: Any, w: Any) -> Any:
    z = fft.fft(x) * x.conj() + 1j
    return (w * z).abs().sum() + z.real.mean() + (mg.exp(z) * 0.1).imag.sum()


def test_readers_take_complex_numbers() -> None:
    x, w = mg.tensor(c(3), requires_grad=True), mg.tensor(r(2, 3), requires_grad=True)
    loss = net(x, w)
    program: dict[str, Any] = {}
    exec(mg.source(loss), program)
    y, gradients = program["run"](x.detach().numpy(), w.detach().numpy())
    loss.backward()
    assert y == pytest.approx(loss.item())
    for name, t in (("x", x), ("w", w)):
        np.testing.assert_allclose(gradients[name], t.grad.numpy())
    assert "conj(" in str(mg.explain(net(x, w)))
    assert "complex128" in str(mg.tape_table(net(x, w)))
    assert mg.allclose(mg.func.grad(net)(x, w), x.grad)
    compiled = mg.compile(net)
    for _ in range(3):
        z = mg.tensor(c(3), requires_grad=True)
        eager, again = (mg.autograd.grad(f(z, w), [z, w]) for f in (net, compiled))
        assert all(map(mg.allclose, eager, again))
    assert mg.vmap(fft.fft)(mg.ones(2, 3)).shape == (2, 3)
    square, direction = mg.func.jvp(lambda z: z * z, (x.detach(),), (mg.ones(3, dtype=mg.cdouble) * 1j,))
    assert mg.allclose(square, x * x)
    assert mg.allclose(direction, 2j * x)


def test_numpy_s_functions_of_complex_numbers_are_recorded() -> None:
    x, z = mg.tensor(r(3, 4), requires_grad=True), mg.tensor(c(3), requires_grad=True)
    for f in (np.fft.rfft, np.fft.fft2, np.fft.fftn, np.fft.fftshift, np.conj, np.real, np.angle):
        assert f(x).requires_grad
        np.testing.assert_allclose(f(x).detach().numpy(), f(x.detach().numpy()), atol=1e-12)
    assert np.vdot(z, z).imag.item() == pytest.approx(0)
    assert np.angle(z, deg=True).detach().numpy() == pytest.approx(np.angle(z.detach().numpy(), deg=True))
    with pytest.raises(TypeError, match="not recorded"):
        np.trim_zeros(z)


def test_the_check_measures_both_axes() -> None:
    class Square(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2 * ctx.saved_tensors[0]

    z = mg.tensor(c(2), requires_grad=True)
    assert mg.autograd.gradcheck(lambda z: z * z.conj(), (z,))
    assert mg.autograd.gradgradcheck(mg.exp, (z,))
    assert mg.autograd.gradcheck(fft.rfft, (mg.tensor(r(4), requires_grad=True),))
    with pytest.raises(RuntimeError, match="gradcheck"):
        mg.autograd.gradcheck(Square.apply, (z,))


def test_files_and_optimizers_take_complex_numbers() -> None:
    file = io.BytesIO()
    mg.save({"z": mg.tensor([1j]), "type": mg.cdouble}, file)
    file.seek(0)
    assert mg.load(file) == {"z": mg.tensor([1j]), "type": mg.cdouble}
    for make in (mg.optim.SGD, mg.optim.Adam, mg.optim.RMSprop, mg.optim.Rprop):
        p = mg.nn.Parameter(mg.tensor([1 + 2j, 0.5 - 1j]))
        parts = mg.nn.Parameter(mg.view_as_real(p.detach()).clone())
        optimizers = [make([t], lr=0.1) for t in (p, parts)]  # type: ignore[operator]
        for _ in range(3):
            for t, optimizer in zip((p, parts), optimizers, strict=True):
                optimizer.zero_grad()
                z = t if t.is_complex() else mg.view_as_complex(t)
                ((z - 1).abs() ** 2).sum().backward()
                optimizer.step()
        assert mg.allclose(mg.view_as_real(p), parts)
    with pytest.raises(ValueError, match="LBFGS does not support complex"):
        mg.optim.LBFGS([mg.nn.Parameter(mg.tensor([1j]))])


def test_a_complex_value_does_not_fill_real_elements() -> None:
    mask = mg.tensor([True, False])
    for x in (mg.tensor([1, 2]), mg.tensor([1.0, 2.0])):
        with pytest.raises(RuntimeError, match="without overflow"):
            x.masked_fill(mask, mg.tensor(1 + 2j))
    assert mg.tensor([1j, 2.0]).masked_fill(mask, mg.tensor(1 + 2j)).tolist() == [1 + 2j, 2.0]


# ---------------------------------------------------------------- what takes squares, parts or transposes


def test_what_is_a_size_is_real_and_transposes_are_conjugated() -> None:
    """Numbers are PyTorch's."""
    a = mg.tensor([[1, 2j], [1j, 1 + 1j], [2, 1 - 1j]])
    b = mg.tensor([[1j], [2], [1 - 1j]])
    found = linalg.lstsq(a, b, driver="gels")
    assert found.residuals.dtype == mg.float32
    assert found.residuals.item() == pytest.approx((a @ found.solution - b).abs().square().sum().item())
    assert linalg.lstsq(a, b).residuals.dtype == mg.float32
    x = mg.tensor([0j, 3.0, 4j], requires_grad=True)
    (g,) = mg.autograd.grad(linalg.norm(x), x, create_graph=True)
    assert mg.autograd.grad(g.real.sum(), x)[0].tolist() == pytest.approx([0.2, 0.128, 0.2 - 0.096j])
    z, mask = mg.tensor([1 + 2j, 3.0, 1j]), mg.tensor([True, False, True])
    assert mg.masked.sum(z, mask=mask).tolist() == 1 + 3j
    assert mg.masked.prod(z, mask=mask).tolist() == -2 + 1j
    assert mg.masked.mean(z, mask=mask).tolist() == 0.5 + 1.5j
    assert mg.masked.var(z, mask=mask).tolist() == pytest.approx(1)
    for rows, columns in ((4, 3), (3, 4)):
        wide = mg.tensor(c(rows, columns))
        u, s, v = mg.svd_lowrank(wide, 3)
        assert mg.allclose(u * s @ v.mH, wide)
    layer = mg.nn.Linear(3, 3, dtype=mg.complex128)
    spectral = mg.nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=200)
    assert linalg.norm(spectral.weight, 2).item() == pytest.approx(1, rel=1e-6)
    for way in ("matrix_exp", "cayley"):
        layer = mg.nn.Linear(2, 3, bias=False, dtype=mg.complex128)
        weight = mg.nn.utils.parametrizations.orthogonal(layer, orthogonal_map=way).weight
        assert mg.allclose(weight.mH @ weight, mg.eye(2, dtype=mg.complex128))
    with pytest.raises(ValueError, match="does not support complex"):
        mg.nn.utils.parametrizations.orthogonal(
            mg.nn.Linear(2, 2, dtype=mg.cfloat), orthogonal_map="householder"
        )


def test_the_gradient_of_a_symmetric_matrix_is_one() -> None:
    """Also where what is differentiated is not symmetric in itself, as PyTorch's is."""
    for x in (r(3, 3), c(3, 3)):
        a = mg.tensor(x, requires_grad=True)
        values, vectors = linalg.eigh(a)
        (g,) = mg.autograd.grad(
            (vectors.abs() ** 2 * mg.arange(3)[:, None] * values).sum(), a, create_graph=True
        )
        assert mg.allclose(g, g.mH)
        (h,) = mg.autograd.grad((g * mg.tensor(r(3, 3))).real.sum(), a)
        assert mg.allclose(h, h.mH)


def test_the_gradient_of_a_hermitian_pseudo_inverse_is_that_of_any() -> None:
    a = hermitian(mg.tensor(c(3, 3)))
    found = [mg.func.grad(lambda x, h=h: linalg.pinv(x, hermitian=h)[0, 1].abs())(a) for h in (True, False)]
    assert mg.allclose(*found)
    assert mg.allclose(linalg.pinv(a.tril(), hermitian=True), linalg.inv(a))


def test_what_converts_keeps_imaginary_parts() -> None:
    module = mg.nn.Linear(2, 2, dtype=mg.complex64)
    assert module.double().float().half().weight.dtype == mg.complex64
    assert mg.tensor([complex(math.inf, math.nan)]).nan_to_num(posinf=2.0).tolist() == [2]
    assert mg.tensor([2j], dtype=mg.complex128).float_power_(2).tolist() == pytest.approx([-4])
    assert mg.tensor([1j]).is_signed()
    z = mg.tensor([1 + 2j, 3.0])
    z.real, z.imag = mg.tensor([5.0, 6.0]), 7
    assert z.tolist() == [5 + 7j, 6 + 7j]
    mg.manual_seed(0)
    drawn = mg.zeros(1000, dtype=mg.complex64).normal_(3, 0.1).mean().item()
    assert drawn == pytest.approx(3 + 3j, abs=0.1)
    mg.testing.assert_close(z, z + 1e-7)
    with pytest.raises(AssertionError, match="greatest absolute difference: 1 "):
        mg.testing.assert_close(z, z + 1j)


def test_gradients_have_the_kind_of_what_they_are_of() -> None:
    class Turned(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1j

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    x = mg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="gradient of complex64 at index 0 for an input of float32"):
        Turned.apply(x).abs().sum().backward()
    p = mg.nn.Parameter(mg.tensor([1j]))
    scaler = mg.amp.GradScaler("cpu")
    scaler.scale(p.abs().sum()).backward()
    with pytest.raises(NotImplementedError, match="complex gradients"):
        scaler.step(mg.optim.SGD([p]))
    primal, tangent = mg.func.jvp(lambda z: z * z, (mg.tensor([1j]),), (mg.ones(1),))
    assert (primal.item(), tangent.item()) == (-1, 2j)


def test_what_few_programs_meet() -> None:
    z = mg.tensor([1j, 0.0, 2.0])
    assert linalg.vector_norm(z, 0).dtype == mg.float32
    assert linalg.vector_norm(z, 0).item() == 2
    # As LAPACK, by the sum of the sizes of both parts.
    assert linalg.lu_factor(mg.tensor([[1 + 1j, 0], [1.5, 1]])).pivots.tolist() == [1, 2]
    with pytest.raises(NotImplementedError, match='"gelu_backward" not implemented for complex numbers'):
        mg.tape.apply(TABLE["gelu_backward"], (mg.ones(3), z), {"approximate": "none"})


def test_a_loss_that_depends_on_the_phase_of_eigenvectors_is_refused() -> None:
    a = mg.tensor(numbers(np.random.default_rng(0), 3, 3), requires_grad=True)
    with pytest.raises(RuntimeError, match=r"linalg_eig_backward.*e\^\{i phi\}.*ill-defined"):
        linalg.eig(a)[1].real.sum().backward()
    with pytest.raises(RuntimeError, match="linalg_eigh_backward"):
        linalg.eigh(a + a.mH)[1].real.sum().backward()
    g = mg.autograd.grad(linalg.eigh(a + a.mH)[1].abs().sum(), a, create_graph=True)[0]
    g.abs().sum().backward()
    assert a.grad is not None


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM", "GRUCell"])
def test_recurrent_layers_of_complex_numbers(name: str) -> None:
    mg.manual_seed(0)
    layer = getattr(mg.nn, name)(2, 2, dtype=mg.complex128)
    shape = (3, 2) if "Cell" in name else (2, 1, 2)

    def f(x: mg.Tensor, w: mg.Tensor) -> mg.Tensor:
        first = "weight_hh" if "Cell" in name else "weight_hh_l0"
        y = mg.func.functional_call(layer, {first: w}, x)
        return y[0] if isinstance(y, tuple) else y

    rng = np.random.default_rng(0)
    weight = dict(layer.named_parameters())["weight_hh" if "Cell" in name else "weight_hh_l0"]
    check(f, [numbers(rng, *shape), weight.detach().numpy()], [0, 1])

"""Digits, element types, memory layout and the edges of numbers, as PyTorch has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

INF, NAN = math.inf, math.nan
functional = nn.functional


def relative(found: Any, exact: Any) -> float:
    """The largest relative error of a Tensor, array or number."""
    found = np.asarray(found.detach().numpy() if isinstance(found, mg.Tensor) else found, np.float64)
    return float(np.max(np.abs(found - exact) / np.abs(exact)))


def runs(text: str, name: str = "run") -> Callable[..., Any]:
    """The function that a printed program defines."""
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    found: Callable[..., Any] = namespace[name]
    return found


# ---------------------------------------------------------------- sums

EXACT = 1e-6
ROWS = (10, 33, 64, 100, 129, 500, 1000, 1777, 10_000, 123_457)


def constants(rows: int, columns: int = 3) -> np.ndarray:
    """Columns of one number each, for rounding errors of equal terms do not cancel."""
    return np.tile(np.array([0.1, 0.7, 1.3], np.float32)[:columns], (rows, 1))


@pytest.mark.parametrize("rows", ROWS)
def test_sums_over_rows_keep_their_digits(rows: int) -> None:
    x = constants(rows)
    exact = x.astype(np.float64)
    t = mg.from_numpy(x)
    w = mg.zeros(3, requires_grad=True)
    (t * 1 + w).backward(t)
    assert w.grad is not None
    turned = mg.from_numpy(np.ascontiguousarray(x.T)).mT
    gaps = mg.from_numpy(np.repeat(x, 2, axis=1))[:, ::2]
    for found in (t.sum(0), turned.sum(0), gaps.sum(0), mg.from_numpy(x[::-1].copy()).sum(0), w.grad):
        assert relative(found, exact.sum(0)) < EXACT
    for found in (t.sum(), turned.sum(), gaps.sum(), t.nansum(), t.mean() * t.numel()):
        assert relative(found, exact.sum()) < EXACT
    assert relative(t.mean(0), exact.mean(0)) < EXACT
    assert relative(t.logsumexp(0), np.log(np.exp(exact).sum(0))) < EXACT


@pytest.mark.parametrize("dim", [0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)], ids=str)
@pytest.mark.parametrize("shape", [(5000, 3, 2), (3, 5000, 2), (3, 2, 5000), (40, 50, 60)], ids=str)
def test_sums_over_any_axes_keep_their_digits(shape: Any, axes: Any, dim: Any) -> None:
    ramp = np.arange(shape[0], dtype=np.float32).reshape(-1, 1, 1) / shape[0] + np.float32(0.1)
    x = np.ascontiguousarray(np.broadcast_to(ramp, shape)).transpose(axes)
    for array in (x, x[:, :, ::2], np.broadcast_to(x[:, :, :1], x.shape)):
        t = mg.from_numpy(array)
        assert relative(t.sum(dim), array.sum(axis=dim, dtype=np.float64)) < EXACT
        assert (
            relative(t.sum(dim, keepdim=True), array.sum(axis=dim, dtype=np.float64, keepdims=True)) < EXACT
        )


def test_ten_million_rows() -> None:
    x = np.full((10_000_000, 2), 0.1, np.float32)
    one = float(np.float32(0.1))
    t = mg.from_numpy(x)
    assert relative(t.sum(0), 1e7 * one) < EXACT
    assert relative(functional.mse_loss(t[:1_000_000], mg.zeros(1_000_000, 2)), one * one) < EXACT


@pytest.mark.parametrize("rows", [1000, 30_011])
def test_variances_and_losses_keep_their_digits(rows: int) -> None:
    x = (np.arange(2 * rows, dtype=np.float32).reshape(rows, 2) % 7) / 7
    exact = x.astype(np.float64)
    t = mg.from_numpy(x)
    assert relative(t.var(0), exact.var(0, ddof=1)) < EXACT
    assert relative(t.std(0), exact.std(0, ddof=1)) < EXACT
    assert relative(functional.mse_loss(t, t * 0), (exact**2).mean()) < EXACT
    assert relative(functional.l1_loss(t, t * 0), exact.mean()) < EXACT


@pytest.mark.parametrize("scale", [1e-40, 1e-25, 1e-22, 1.0, 1e19, 1e25, 1e37])
@pytest.mark.parametrize("dim", [None, 0, 1])
def test_deviations_need_no_squares_of_float32(scale: float, dim: Any) -> None:
    base = np.random.default_rng(0).standard_normal((4, 6)) * scale
    x = mg.tensor(base.astype(np.float32), requires_grad=True)
    exact = mg.tensor(x.detach().double().numpy(), requires_grad=True)
    digits = 1e-6 if scale > 1e-30 else 1e-4
    for f in (mg.std, lambda x, dim: (x * 1).std(dim), lambda x, dim: mg.complex(x, x * 0).std(dim)):
        y, expected = f(x, dim), f(exact, dim).detach().numpy()
        assert relative(y, expected) < digits
        again = runs(mg.source(y))(x.detach().numpy(), *[np.ones_like(expected)] * (dim is not None))
        assert relative(again[0], expected) < digits
    assert np.array_equal(mg.compile(lambda x: x.std(dim))(x).detach().numpy(), x.std(dim).detach().numpy())
    if scale > 1e-30:
        for t in (x, exact):
            t.std(dim).sum().backward()
        assert np.allclose(x.grad.numpy(), exact.grad.numpy(), rtol=1e-4, atol=1e-5)  # type: ignore[union-attr]
    with np.errstate(over="ignore", under="ignore"):
        squares = (expected**2).astype(np.float32)
    assert np.allclose(x.var(dim).detach().numpy(), squares, rtol=1e-6, atol=0)
    column = mg.full((5,), scale, requires_grad=True)
    column.std().backward()  # the same number five times
    assert column.std() == 0.0
    assert column.grad.tolist() == [0.0] * 5  # type: ignore[union-attr]


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [(0,), (2,), (0, 2), (1, 2)])
def test_only_deviations_that_need_it_are_computed_anew(dim: Any, keepdim: bool) -> None:
    usual = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(np.float32)
    some = usual.copy()
    for at, factor in (((0, 1, 0), 0.0), ((2, 3, 4), 1e25), ((1, 0, 2), 1e-25)):
        here = tuple(slice(None) if d in dim else k for d, k in enumerate(at))
        some[here] *= np.float32(factor)
    for name, exact in (("std", np.std), ("var", np.var)):
        f = getattr(mg, name)
        x = mg.from_numpy(some).requires_grad_()
        y, before = f(x, dim, keepdim=keepdim), f(mg.from_numpy(usual), dim, keepdim=keepdim).numpy()
        with np.errstate(over="ignore"):
            right = exact(some.astype(np.float64), axis=dim, ddof=1, keepdims=keepdim).astype(np.float32)
        found = y.detach().numpy()
        np.testing.assert_allclose(found, right, rtol=1e-6)
        assert (found == before).sum() == before.size - 3  # the others have the same bits
        again = runs(mg.source(y))(some, np.ones_like(right))[0]
        assert (
            again.tobytes()
            == mg.compile(f)(x, dim, keepdim=keepdim).detach().numpy().tobytes()
            == found.tobytes()
        )


def test_deviations_without_freedom_and_of_complex_numbers_that_are_equal() -> None:
    x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with pytest.warns(UserWarning, match="degrees of freedom"):
        y = x.var(correction=3)
    y.backward()
    assert [math.inf, "nan", math.inf] == ["nan" if v != v else v for v in x.grad.tolist()]  # type: ignore[union-attr]
    z = mg.ones(3, dtype=mg.complex64, requires_grad=True)
    z.std().backward()
    assert z.grad.tolist() == [0.0] * 3  # type: ignore[union-attr]


@pytest.mark.parametrize("scale", [1e-19, 1e12, 1e15])
def test_gradients_of_norms_of_large_numbers_keep_their_digits(scale: float) -> None:
    rows, g = np.random.default_rng(0).standard_normal((2, 4, 6, 20))
    for norm in (nn.LayerNorm(20), nn.GroupNorm(2, 6), nn.BatchNorm1d(6), nn.BatchNorm1d(6, affine=False)):
        found = []
        for dtype in (mg.float32, mg.float64):
            x = mg.tensor(rows * scale, dtype=dtype, requires_grad=True)
            norm.to(dtype)(x).backward(mg.tensor(g, dtype=dtype))
            found.append(x.grad.numpy())  # type: ignore[union-attr]
        assert np.allclose(found[0], found[1], rtol=1e-4, atol=1e-6 * abs(found[1]).max())


SUMS: dict[str, Callable[[Any], Any]] = {
    "rows": lambda x: (x * 1).sum(0),
    "columns": lambda x: (x * 1).sum(1),
    "turned": lambda x: (x * 1).mT.sum(1),
    "mean": lambda x: (x * 1).mean(0),
    "var": lambda x: (x * 1).var(0),
    "logsumexp": lambda x: x.logsumexp(0),
    "squares": lambda x: functional.mse_loss(x, x * 2),
    "bias": lambda x: (x + mg.ones(x.shape[1])).exp(),
    "half": lambda x: x.half().mean(0).float(),
}


@pytest.mark.parametrize("shape", [(1000, 5), (1777, 5), (40, 600), (2, 3)], ids=str)
@pytest.mark.parametrize("name", SUMS)
def test_printed_and_compiled_sums_have_the_same_bits(name: str, shape: Any) -> None:
    def loss(x: Any, w: Any) -> Any:
        return (SUMS[name](x * w) * 1.5).sum()

    x = (np.arange(math.prod(shape), dtype=np.float32).reshape(shape) % 11) / 11
    w = np.linspace(0.5, 1.5, shape[1], dtype=np.float32)

    def step(x: Any, w: Any) -> Any:
        y = loss(x, w)
        (g,) = mg.autograd.grad(y, w)
        return y.detach(), g

    leaf = mg.from_numpy(w).requires_grad_()
    y, g = step(mg.from_numpy(x), leaf)
    compiled = mg.compile(step)
    for _ in range(3):
        again, also = compiled(mg.from_numpy(x), leaf)
        assert again.numpy().tobytes() == y.numpy().tobytes()
        assert also.numpy().tobytes() == g.numpy().tobytes()
    given = mg.from_numpy(x)
    text = mg.source(loss(given, leaf), {"w": leaf}, inputs={"x": given})
    inputs = {"x": x, "w": w, "ones_1": np.ones(shape[1], np.float32)}
    program = runs(text, "loss" if "def loss(" in text else "run")
    wanted = program.__wrapped__.__code__.co_varnames[: program.__wrapped__.__code__.co_argcount]  # type: ignore[attr-defined]
    printed, gradients = program(**{k: inputs[k] for k in wanted})
    assert np.asarray(printed).tobytes() == y.numpy().tobytes()
    assert gradients["w"].tobytes() == g.numpy().tobytes()


# ---------------------------------------------------------------- float16


def half(*numbers: float) -> mg.Tensor:
    return mg.tensor(numbers, dtype=mg.float16)


REDUCED: list[tuple[Callable[[], Any], Any]] = [
    (lambda: mg.ones(100_000).half().mean(), 1.0),
    (lambda: mg.arange(200).half().std(), 57.875),
    (lambda: mg.full((5000, 2), 0.1).half().sum(0), [500.0, 500.0]),
    (lambda: mg.full((5000, 2), 0.1).half().mT.sum(1), [500.0, 500.0]),
    (lambda: mg.full((5000,), 0.1).half().nansum(), 500.0),
    (lambda: half(300.0, 300.0, 0.001).prod(), 90.0625),
    (lambda: half(300.0, 300.0, 0.001).cumprod(0), [300.0, INF, 90.0625]),
    (lambda: mg.full((5000,), 0.1).half().cumsum(0)[-1], 500.0),
    (lambda: mg.zeros(100_000).half().logsumexp(0), 11.515625),
    (lambda: functional.mse_loss(mg.full((9,), 200.0).half(), mg.zeros(9).half()), 40_000.0),
    (lambda: mg.full((1, 3), 200.0).half() @ mg.tensor([[200.0], [200.0], [-250.0]]).half(), [[30_000.0]]),
    (lambda: mg.dot(mg.full((5000,), 0.1).half(), mg.full((5000,), 0.1).half()), 49.96875),
]


@pytest.mark.parametrize("case", range(len(REDUCED)))
def test_float16_adds_up_in_float32(case: int) -> None:
    make, right = REDUCED[case]
    assert make().dtype is mg.float16
    assert make().tolist() == right


def test_gradients_of_float16_add_up_in_float32() -> None:
    w = mg.ones(2, dtype=mg.float16, requires_grad=True)
    (mg.full((5000, 2), 0.1).half() * w).backward(mg.ones(5000, 2).half())
    x = mg.ones(100_000, dtype=mg.float16, requires_grad=True)
    x.mean().backward()
    assert w.grad is not None
    assert x.grad is not None
    assert w.grad.tolist() == [500.0, 500.0]
    assert x.grad[0].item() == float(np.float16(1e-5))


def test_a_number_that_float16_does_not_hold_is_a_factor_all_the_same() -> None:
    x = half(0.01)
    assert [(x * 65536).item(), (65536 * x).item(), mg.mul(x, 65536).item()] == [655.5] * 3
    assert (x * mg.tensor(65536.0)).item() == (x * mg.tensor(65536)).item() == 655.5
    assert (half(60_000.0) / 65536 * 65536).item() == 60_000.0
    assert mg.div(half(60_000.0), 1e5, rounding_mode="trunc").item() == 0.0
    x *= 65536
    assert x.item() == 655.5
    assert x.dtype is mg.float16
    w = half(0.01).requires_grad_()
    (w * 65536).backward(half(2**-10))
    assert w.grad is not None
    assert w.grad.item() == 64.0
    assert (half(65_504.0) < 65_520.0).item()  # a comparison is made in float16, where that is inf
    assert (half(0.1) == 0.1).item()


@pytest.mark.parametrize("f", [
    lambda x, y: x.sigmoid(), lambda x, y: x.abs().rsqrt(), lambda x, y: x**3, lambda x, y: x**-2,
    lambda x, y: x * 0.1, lambda x, y: x / 0.3, lambda x, y: mg.lerp(x, y, 0.7), lambda x, y: mg.lerp(x, y, y),
    lambda x, y: mg.addcmul(x, y, y), lambda x, y: mg.addcdiv(x, y, y, value=3), lambda x, y: mg.add(x, y, alpha=3),
    lambda x, y: mg.sub(x, y, alpha=3), lambda x, y: x.clone().add_(y, alpha=3),
    lambda x, y: x.clone().sub_(y, alpha=3),
])  # fmt: skip
def test_what_takes_several_steps_rounds_float16_once(f: Callable[[Any, Any], Any]) -> None:
    rng = np.random.default_rng(0)
    x, y = (mg.from_numpy((rng.random(500) + 0.1).astype(np.float16)) for _ in range(2))
    assert f(x, y).dtype is mg.float16
    assert f(x, y).tolist() == f(x.float(), y.float()).half().tolist()


# ---------------------------------------------------------------- lerp, alpha


def test_lerp_hits_both_ends() -> None:
    a, b = mg.tensor([1e8, 1.0]), mg.tensor([1.0, 1e8])
    for one, zero in ((1.0, 0.0), (mg.ones(2), mg.zeros(2)), (mg.tensor(1.0), mg.tensor(0.0))):
        assert mg.lerp(a, b, one).tolist() == b.tolist()
        assert mg.lerp(a, b, zero).tolist() == a.tolist()
    assert mg.lerp(mg.tensor([-INF, 1.0]), mg.tensor([3.0, INF]), 0.7).tolist()[0] == -INF
    assert mg.lerp(mg.tensor(-INF), mg.tensor(3.0), mg.tensor(0.7)).item() == -INF
    assert a.clone().lerp_(b, 1.0).tolist() == b.tolist()


@pytest.mark.parametrize("weight", [0.3, 0.7, -2.0])
def test_gradients_of_lerp_by_a_number(weight: float) -> None:
    a, b = (mg.randn(3, dtype=mg.float64, requires_grad=True) for _ in range(2))
    assert mg.autograd.gradcheck(lambda a, b: mg.lerp(a, b, weight), (a, b))
    assert mg.autograd.gradgradcheck(lambda a, b: mg.lerp(a, b, weight), (a, b))


U8 = mg.tensor([255, 249], dtype=mg.uint8)


def test_a_factor_counts_where_the_operands_meet() -> None:
    x = mg.ones(2)
    assert mg.add(x, U8, alpha=2).tolist() == [511.0, 499.0]
    assert mg.sub(x, U8, alpha=2).tolist() == [-509.0, -497.0]
    assert mg.rsub(U8, x, alpha=2).tolist() == [-509.0, -497.0]
    assert mg.add(mg.ones(2, dtype=mg.int32), U8, alpha=2).tolist() == [511, 499]
    assert x.clone().add_(U8, alpha=2).tolist() == [511.0, 499.0]
    assert x.clone().sub_(U8, alpha=2).tolist() == [-509.0, -497.0]
    assert mg.addcmul(x, U8, U8).tolist() == [65026.0, 62002.0]
    assert x.clone().addcmul_(U8, U8, value=2).tolist() == [130051.0, 124003.0]
    assert mg.addcdiv(x, U8, mg.full((2,), 0.5), value=2).tolist() == [1021.0, 997.0]
    wide = mg.tensor([1e-9], dtype=mg.float64)
    assert mg.add(mg.zeros(1, dtype=mg.float64), mg.tensor([1], dtype=mg.int64), alpha=0.1).item() == 0.1
    assert mg.add(wide, mg.ones(1), alpha=0.1).item() == 0.1 + 1e-9


@pytest.mark.parametrize("dtype", [mg.float16, mg.float32, mg.float64, mg.int32])
def test_results_with_a_factor_have_the_dtype_in_which_all_meet(dtype: Any) -> None:
    x, whole = mg.ones(2, dtype=dtype), mg.tensor([1, 2])
    kind = mg.promote_types(dtype, mg.int64)
    factor: Any = 2 if dtype is mg.int32 else 0.5
    for y in (
        mg.add(x, whole, alpha=factor), mg.sub(x, whole, alpha=factor), mg.sub(whole, x, alpha=factor),
        mg.addcmul(x, whole, whole, value=factor),
    ):  # fmt: skip
        assert y.dtype is kind
    a = mg.ones(2, 2, dtype=dtype)
    assert mg.addmm(x, a, a, beta=factor, alpha=factor).dtype is dtype
    assert mg.addmv(x, a, x, beta=factor, alpha=factor).dtype is dtype
    assert mg.baddbmm(x, a[None], a[None], beta=factor, alpha=factor).dtype is dtype


def test_a_factor_of_addr_is_multiplied_in_the_type_of_the_result() -> None:
    byte = mg.tensor([[200]], dtype=mg.uint8)
    assert mg.addr(byte, mg.tensor([1]), mg.tensor([2]), beta=3).tolist() == [[602]]


def test_what_counts_nothing_in_addmm_keeps_its_record() -> None:
    x = mg.tensor([NAN, 2.0], requires_grad=True)
    for y in (
        mg.addmm(x, mg.ones(2, 2), mg.ones(2, 2), beta=0),
        mg.addmv(x, mg.ones(2, 2), mg.ones(2), beta=0),
        mg.addr(x, mg.ones(2), mg.ones(2), beta=0),
        mg.addbmm(x, mg.ones(1, 2, 2), mg.ones(1, 2, 2), beta=0),
    ):
        x.grad = None
        y.sum().backward()
        assert x.grad is not None
        assert x.grad.tolist() == [0.0, 0.0]
        assert y.sum().isfinite().item()


# ---------------------------------------------------------------- memory


def by_rows(t: mg.Tensor) -> bool:
    """Whether a Tensor lies row by row, so that a view of another shape and ``contiguous`` share its memory."""
    flat = t.view(-1)
    flat[0] = 77
    return t.is_contiguous() and t.contiguous() is t and bool((t.reshape(-1)[0] == 77).item())


C = mg.arange(24.0).reshape(2, 3, 4)
LAID: dict[str, Callable[[], Any]] = {
    "index behind a slice": lambda: C[:, [0, 1]],
    "index at the end": lambda: C[..., mg.tensor([0, 1])],
    "two indices behind a slice": lambda: C[:, [0, 1], [0, 1]],
    "a mask behind a slice": lambda: C[:, mg.tensor([True, False, True])],
    "an index of an expanded": lambda: mg.arange(4.0).expand(2, 3, 4)[[0, 1]],
    "index_select": lambda: C.mT.index_select(1, mg.tensor([0, 1])),
    "index_put": lambda: mg.index_put(
        mg.arange(3.0).reshape(3, 1).expand(3, 2), (mg.tensor([0]),), mg.tensor(1.0)
    ),
    "clone of an expanded": lambda: mg.arange(2.0).reshape(2, 1).expand(3, 2, 2).clone(),
    "cast of an expanded": lambda: mg.arange(2.0).reshape(2, 1).expand(3, 2, 2).double(),
    "cat of transposes": lambda: mg.cat([C.mT, C.mT], 1),
    "cat of one": lambda: mg.cat([C.mT]),
    "stack of transposes": lambda: mg.stack([C.mT, C.mT], 1),
    "hstack": lambda: mg.hstack([C.mT, C.mT]),
    "sum of a transpose": lambda: C.permute(2, 1, 0).sum(0),
    "mean": lambda: C.permute(2, 1, 0).mean(0),
    "var": lambda: C.permute(2, 1, 0).var(0),
    "amax": lambda: C.permute(2, 1, 0).amax(0),
    "logsumexp": lambda: C.permute(2, 1, 0).logsumexp(0),
    "prod": lambda: C.permute(2, 1, 0).prod(0),
    "cumsum": lambda: C.mT.cumsum(1),
    "cumprod": lambda: C.mT.cumprod(1),
    "masked_fill": lambda: C.mT.masked_fill(C.mT > 3, 0.0),
    "repeat": lambda: C.repeat(2, 1, 1, 1),
    "ravel": lambda: C[:, 0, 0].ravel(),
    "columns of nonzero": lambda: mg.nonzero(C, as_tuple=True)[1],
}


@pytest.mark.parametrize("name", LAID)
def test_what_pytorch_lays_row_by_row_lies_row_by_row(name: str) -> None:
    assert by_rows(LAID[name]())


def test_ravel_copies_what_has_gaps() -> None:
    x = mg.zeros(3, 2)
    x[:, 0].ravel()[0] = 5.0
    x[:, 0].flatten()[0] += 7.0  # which is a view
    assert x.tolist() == [[7.0, 0.0], [0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("f", [
    mg.zeros_like, mg.ones_like, mg.empty_like, mg.rand_like, mg.randn_like, lambda t: mg.full_like(t, 2.0),
    mg.clone, lambda t: mg.flip(t, [0]), lambda t: t.double(), lambda t: mg.fill(t, 3.0), lambda t: t.exp(),
])  # fmt: skip
@pytest.mark.parametrize("axes", [(2, 0, 1), (2, 1, 0), (1, 0, 2)], ids=str)
def test_what_keeps_the_order_of_dimensions_in_pytorch_keeps_it(f: Callable[[Any], Any], axes: Any) -> None:
    t = C.permute(axes)
    y = f(t)
    assert y.stride() == t.stride()
    assert y._view is None


def test_numbers_go_in_the_order_of_memory() -> None:
    mg.manual_seed(3)
    a = mg.rand(2, 3)
    mg.manual_seed(3)
    assert mg.rand_like(mg.zeros(2, 3).T).tolist() == a.T.tolist()


# ---------------------------------------------------------------- edges


@pytest.mark.parametrize("cotangent", [INF, -INF, NAN])
def test_an_infinite_gradient_of_an_extreme_goes_to_it_alone(cotangent: float) -> None:
    for extreme, at in ((mg.max, 2), (mg.min, 0)):
        x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
        (extreme(x) * cotangent).backward()
        assert x.grad is not None
        assert [g == 0 for g in x.grad.tolist()] == [k != at for k in range(3)]
        assert str(x.grad[at].item()) == str(cotangent)


@pytest.mark.parametrize("dtype", [mg.float16, mg.float32, mg.float64])
def test_signs_of_zero_in_remainders(dtype: Any) -> None:
    x = mg.tensor([0.0, -0.0, 2.5, -2.5, 5.0, -5.0], dtype=dtype)
    for by in (2.5, -2.5, mg.tensor(2.5, dtype=dtype), INF):
        for y in (x % by, mg.fmod(x, by)):
            zeros = [(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True) if b == 0]
            assert zeros
            assert all(math.copysign(1, a) == math.copysign(1, b) for a, b in zeros)
    assert (mg.tensor([-1.0, 7.0]) % mg.tensor([3.0, -4.0])).tolist() == [2.0, -1.0]


@pytest.mark.parametrize(
    "shapes", [((1, 1), (1, 3)), ((3, 1), (1, 1)), ((1, 1), (1, 1)), ((1, 2), (2, 3)), ((2, 1), (1, 3))]
)
def test_zero_times_what_is_not_finite_is_nan_in_products(shapes: Any) -> None:
    a, b = (np.zeros(s, np.float32) for s in shapes)
    for bad in (NAN, INF):
        full = np.full(shapes[1], bad, np.float32)
        assert mg.isnan(mg.from_numpy(a) @ mg.from_numpy(full)).all().item()
        assert mg.isnan(
            functional.linear(mg.from_numpy(a), mg.from_numpy(full.T.copy()), mg.zeros(shapes[1][1]))
        ).all()
        assert mg.isnan(mg.from_numpy(np.full(shapes[0], bad, np.float32)) @ mg.from_numpy(b)).all().item()
    product = mg.compile(lambda a, b: a @ b)
    for _ in range(3):
        assert mg.isnan(product(mg.from_numpy(a), mg.full(shapes[1], NAN))).all().item()


M = mg.arange(12.0).reshape(3, 4)
OWN: list[Callable[[], Any]] = [
    lambda: mg.mv(M, mg.ones(4)), lambda: M @ mg.ones(4), lambda: mg.ones(3) @ M,
    lambda: mg.ones(2, 3, 4) @ mg.ones(4, 5),
    lambda: mg.ones(2, 3, 4) @ mg.ones(4), lambda: functional.linear(mg.ones(4), M),
    lambda: functional.linear(mg.ones(4), M, mg.ones(3)), lambda: functional.linear(M, mg.ones(4)),
    lambda: M.max(1)[0], lambda: M.max(1)[1], lambda: M.min(0)[0], lambda: M.prod(1, keepdim=True),
    lambda: mg.index_select(mg.tensor(1.0), 0, mg.tensor([0])),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(OWN)))
def test_results_that_are_no_views_can_be_detached_in_place(case: int) -> None:
    y = OWN[case]()
    before = y.tolist()
    assert y.detach_().tolist() == before
    y.mul_(2)
    assert y.tolist() == (np.asarray(before) * 2).tolist()


def test_changes_of_results_that_are_no_views_have_gradients() -> None:
    for f in (lambda x: x.max(1)[0], lambda x: x @ mg.ones(4), lambda x: x.prod(1, keepdim=True)):
        x = (M + 1).requires_grad_()
        y = f(x * 1)
        y.mul_(3)
        y.sum().backward()
        again = (M + 1).requires_grad_()
        (f(again) * 3).sum().backward()
        assert x.grad is not None
        assert again.grad is not None
        assert x.grad.tolist() == again.grad.tolist()


def test_normal_takes_numbers_of_tensors() -> None:
    mg.manual_seed(0)
    plain = mg.normal(1.0, 2.0, (3,))
    for mean, std in ((mg.tensor(1.0), 2.0), (1.0, mg.tensor(2.0)), (mg.tensor(1.0), mg.tensor(2.0))):
        mg.manual_seed(0)
        assert mg.normal(mean, std, (3,)).tolist() == plain.tolist()
    with pytest.raises(RuntimeError, match="mean and std are numbers"):
        mg.normal(mg.ones(2), 1.0, (3,))


def test_nothing_changes_in_an_empty_tensor() -> None:
    x = mg.zeros(0, requires_grad=True)
    y = x * 1
    y.sin_().sin_()
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.shape == (0,)


def test_of_a_reciprocal_only_the_result_is_kept() -> None:
    for numerator, right in ((1, -0.25), (3.0, -0.75)):
        x = mg.tensor([2.0], requires_grad=True)
        y = numerator / x
        with mg.no_grad():
            x -= 1
        y.sum().backward()
        assert x.grad is not None
        assert x.grad.item() == right
    assert (3 / mg.tensor([4, 2])).tolist() == [0.75, 1.5]


def test_writing_where_nothing_overlaps() -> None:
    x = mg.zeros(3)
    x.expand(2, 3)[0] = 1.0
    assert x.tolist() == [1.0, 1.0, 1.0]
    x.expand(2, 3)[0, 1:] = mg.tensor([2.0, 3.0])
    assert x.tolist() == [1.0, 2.0, 3.0]
    x.expand(2, 3)[:, 0].fill_(9.0)  # one number may be written twice
    assert x.tolist() == [9.0, 2.0, 3.0]
    with pytest.raises(RuntimeError, match="more than one element"):
        x.expand(2, 3)[:, 0] = 9.0
    with pytest.raises(RuntimeError, match="more than one element"):
        x.expand(2, 3).mul_(2)
    with pytest.raises(RuntimeError, match="more than one element"):
        x.expand(2, 3).copy_(mg.ones(2, 3))


@pytest.mark.parametrize(
    "key", [mg.tensor([0]), (mg.tensor([0]), slice(None)), (slice(0, 1), mg.tensor([0, 1, 2, 3]))]
)
def test_a_value_may_have_more_dimensions_of_size_1(key: Any) -> None:
    x = mg.zeros(2, 4)
    x[key] = mg.ones(1, 1, 4)
    assert x.tolist() == [[1.0] * 4, [0.0] * 4]
    x[x > 0] = mg.full((1, 1, 4), 2.0)
    assert x.tolist() == [[2.0] * 4, [0.0] * 4]


@pytest.mark.parametrize(
    "call",
    [
        lambda x, n: x**n,
        lambda x, n: n**x,
        lambda x, n: x * n,
        lambda x, n: mg.lerp(x, x, n),
        lambda x, n: x.add(x, alpha=n),
        lambda x, n: x.clamp(n),
        lambda x, n: mg.where(x > 0, n, x),
        lambda x, n: x // n,
    ],
)
@pytest.mark.parametrize("number", [np.float64(1.5), np.float32(2), np.int64(2)])
def test_numbers_of_numpy_count_as_numbers(call: Any, number: Any) -> None:
    assert call(mg.ones(2), number).dtype is mg.float32


def test_the_gradient_of_cross_entropy_is_exact_for_large_logits() -> None:
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((100, 50)).astype(np.float32) * 20, rng.integers(0, 50, 100)
    p = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(100), target] -= 1
    t = mg.from_numpy(x).requires_grad_()
    mg.nn.functional.cross_entropy(t, mg.from_numpy(target), reduction="sum").backward()
    assert np.abs(t.grad.numpy() - p).max() < 5e-7


@pytest.mark.parametrize(
    ("x", "gradient"),
    [
        ([1, INF, 2], [1, NAN, 0]),
        ([INF, 1, 2], [NAN, 0, 0]),
        ([-INF, -INF, 1], [NAN, NAN, 0]),
        ([-INF, 1, 2], [NAN, 1, 0]),
    ],
)
def test_logcumsumexp_of_infinite_numbers(x: list[float], gradient: list[float]) -> None:
    t = mg.tensor(x, requires_grad=True)
    (t.logcumsumexp(0) * mg.tensor([1.0, 1.0, 0.0])).sum().backward()
    np.testing.assert_allclose(t.grad, gradient)


def test_elu_of_an_infinite_alpha() -> None:
    x = mg.tensor([-1.0, 0.0, 1.0])
    assert functional.elu(x, INF).tolist() == [-INF, 0.0, 1.0]
    assert functional.celu(x, INF)[1:].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
def test_bounds_of_what_is_no_number(dtype: mg.dtype) -> None:
    nan, zero = mg.tensor([mg.nan], dtype=dtype), mg.tensor([-0.0], dtype=dtype)
    for y in (nan.clamp(min=0.0), nan.clamp(max=0.0), nan.clamp(0.0, 1.0), zero.clamp(mg.nan, 1.0)):
        assert y.isnan()
    assert mg.tensor([3.0], dtype=dtype).clamp(1.0, -1.0).item() == -1.0
    assert mg.signbit(nn.functional.softshrink(zero))


@pytest.mark.parametrize("value", [INF, NAN])
def test_a_number_that_is_not_finite_reaches_the_windows_that_hold_it_alone(value: float) -> None:
    x, w = mg.zeros(1, 2, 4, 4), mg.ones(2, 1, 3, 3, requires_grad=True)
    x[0, 0, 1, 0] = value
    y = nn.functional.conv2d(x, w, padding=1, groups=2)
    (g,) = mg.autograd.grad(y.sum(), w)
    of_y, of_w = y.isfinite().int(), g.isfinite().int()
    assert of_y[0].tolist() == [[[0, 0, 1, 1]] * 3 + [[1] * 4], [[1] * 4] * 4]
    assert of_w[:, 0].tolist() == [[[0, 0, 1]] * 3, [[1] * 3] * 3]

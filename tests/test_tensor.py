"""Tensor: making one, its operators, promotion, reductions, shapes, indexing, printing."""

from __future__ import annotations

import copy
import math
import operator
import pickle
import warnings
from array import array
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minigrad as mg
from minigrad import autograd, nn

quick = settings(max_examples=150, deadline=None, derandomize=True)


def double(*values: Any, grad: bool = True) -> Any:
    return mg.tensor(list(values), dtype=mg.float64, requires_grad=grad)


# ---------------------------------------------------------------- making


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, mg.float32),
        (2, mg.int64),
        (True, mg.bool),
        ([1, 2], mg.int64),
        ([1, 2.5], mg.float32),
        ([True, False], mg.bool),
        ([], mg.float32),
        ([[]], mg.float32),
        (np.float64(2.0), mg.float64),
        (np.arange(3, dtype=np.int64), mg.int64),
        (np.ones(2, np.float16), mg.float16),
        (np.array(3, np.uint8), mg.uint8),
        ([np.float32(1), np.float32(2)], mg.float32),
    ],
    ids=str,
)
def test_tensor_takes_pytorchs_dtype_for_data(data: Any, dtype: Any) -> None:
    t = mg.tensor(data)
    assert t.dtype is dtype
    assert t.shape == np.shape(data)
    assert t.tolist() == np.asarray(data).tolist()
    assert t.is_leaf
    assert not t.requires_grad


def test_tensor_copies_and_from_numpy_and_as_tensor_share() -> None:
    a = np.zeros(3)
    copied, shared, also = mg.tensor(a), mg.from_numpy(a), mg.as_tensor(a)
    a[0] = 7
    assert copied[0].item() == 0
    assert shared[0].item() == also[0].item() == 7
    assert np.shares_memory(shared.numpy(), a)
    assert mg.as_tensor(shared) is shared
    assert mg.as_tensor(a, dtype=mg.float32).dtype is mg.float32


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: mg.zeros(2, 3), np.zeros((2, 3), np.float32)),
        (lambda: mg.zeros((2, 3)), np.zeros((2, 3), np.float32)),
        (lambda: mg.ones(2, dtype=mg.int64), np.ones(2, np.int64)),
        (lambda: mg.full((2,), 7), np.full(2, 7, np.int64)),
        (lambda: mg.full((2, 1), 0.5), np.full((2, 1), 0.5, np.float32)),
        (lambda: mg.eye(2, 3), np.eye(2, 3, dtype=np.float32)),
        (lambda: mg.arange(4), np.arange(4, dtype=np.int64)),
        (lambda: mg.arange(1, 7, 2), np.arange(1, 7, 2, np.int64)),
        (lambda: mg.arange(5, 0, -2), np.array([5, 3, 1], np.int64)),
        (lambda: mg.arange(0.0, 1.0, 0.25), np.array([0, 0.25, 0.5, 0.75], np.float32)),
        (lambda: mg.linspace(0, 1, 5), np.linspace(0, 1, 5, dtype=np.float32)),
        (lambda: mg.linspace(3, 3, 1), np.array([3], np.float32)),
        (lambda: mg.zeros_like(mg.ones(2, dtype=mg.float16)), np.zeros(2, np.float16)),
        (lambda: mg.ones_like(mg.zeros(2), dtype=mg.bool), np.ones(2, bool)),
        (lambda: mg.full_like(mg.zeros(2), 3), np.full(2, 3, np.float32)),
        (lambda: mg.zeros(0, 3), np.zeros((0, 3), np.float32)),
        (lambda: mg.zeros(()), np.zeros((), np.float32)),
        (lambda: mg.zeros(2).new_full((1,), 2), np.full(1, 2, np.float32)),
    ],
)
def test_constructors(made: Any, expected: np.ndarray) -> None:
    t = made()
    assert t.numpy().dtype == expected.dtype
    assert t.numpy().shape == expected.shape
    assert np.array_equal(t.numpy(), expected)


def test_empty_has_shape_and_dtype() -> None:
    assert mg.empty(2, 0, dtype=mg.float16).shape == (2, 0)
    assert mg.empty_like(mg.zeros(3, dtype=mg.int8)).dtype is mg.int8
    assert mg.zeros(2, requires_grad=True).requires_grad


def test_default_dtype_is_used_and_restored() -> None:
    mg.set_default_dtype(mg.float64)
    try:
        assert mg.tensor(1.5).dtype is mg.zeros(1).dtype is mg.float64
        assert (mg.tensor(1) / 2).dtype is mg.float64
    finally:
        mg.set_default_dtype(mg.float32)
    assert mg.tensor(1.5).dtype is mg.float32


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: mg.tensor([[1], [1, 2]]), ValueError),
        (lambda: mg.tensor("ab"), TypeError),
        (lambda: mg.tensor([None]), RuntimeError),
        (lambda: mg.tensor([1, 2], requires_grad=True), RuntimeError),
        (lambda: mg.from_numpy([1, 2]), TypeError),
        (lambda: mg.from_numpy(np.array(["a"])), TypeError),
        (lambda: mg.zeros(-1), RuntimeError),
        (lambda: mg.zeros(1.5), TypeError),
        (lambda: mg.arange(0, 5, 0), RuntimeError),
        (lambda: mg.arange(0, 5, -1), RuntimeError),
        (lambda: mg.tensor(2**70), ValueError),
        (lambda: mg.zeros(2, dtype="complex64"), TypeError),
        (lambda: mg.zeros(2, device="cuda"), AssertionError),
    ],
)
def test_constructors_refuse(make: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        make()


# ---------------------------------------------------------------- leaving


def test_item_tolist_and_numbers() -> None:
    t = mg.tensor([[2.5]], requires_grad=True)
    assert type(t.item()) is float
    assert (t.item(), float(t), int(t), bool(t)) == (2.5, 2.5, 2, True)
    assert t.tolist() == [[2.5]]
    assert mg.tensor(3).tolist() == 3
    assert [10, 20, 30][mg.tensor(1)] == 20
    assert f"{mg.tensor(1.23456):.2f}" == "1.23"
    assert mg.tensor([Decimal("1.5"), Fraction(1, 2)], dtype=mg.float64).tolist() == [1.5, 0.5]
    assert mg.tensor([Decimal("1.5"), 1j], dtype=mg.complex64).tolist() == [1.5, 1j]
    with pytest.raises(RuntimeError, match="Could not infer dtype of Decimal"):
        mg.tensor(Decimal("1.5"))
    weight = mg.nn.Parameter(mg.tensor(1.5))
    assert (f"{weight}", f"{weight:.2f}") == (
        "Parameter containing:\ntensor(1.5000, requires_grad=True)",
        "1.50",
    )
    assert complex(mg.tensor(2.0)) == 2 + 0j
    with pytest.raises(RuntimeError, match="3 elements"):
        mg.zeros(3).item()
    with pytest.raises(RuntimeError, match="ambiguous"):
        bool(mg.zeros(2))
    with pytest.raises(TypeError, match="integer"):
        operator.index(mg.tensor(1.0))


def test_numpy_is_the_memory_and_asks_for_detach() -> None:
    t = mg.zeros(2)
    t.numpy()[0] = 5
    assert t.tolist() == [5, 0]
    w = mg.zeros(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"detach\(\)"):
        w.numpy()
    with pytest.raises(RuntimeError, match=r"detach\(\)"):
        np.asarray(w)
    array = w.numpy(force=True)
    assert np.shares_memory(w.detach().numpy(), array)
    # What is done to the array and not to its elements is no concern of the Tensor.
    for a in (array, np.asarray(w.detach()), w.detach().__array__()):
        a.setflags(write=False)
    own = np.arange(6.0)
    others = mg.from_numpy(own), mg.as_tensor(own)
    own.setflags(write=False)
    for changed in (w.detach(), *others):
        changed.fill_(7)
    assert own.tolist() == [7.0] * 6
    assert np.asarray(t, dtype=np.float64).dtype == np.float64
    assert np.array(t) is not t.numpy()


def test_length_iteration_and_membership() -> None:
    t = double(1.0, 2.0, 3.0)
    assert len(t) == 3
    _, b, c = t
    (b * c).backward()
    assert t.grad.tolist() == [0.0, 3.0, 2.0]
    assert 2.0 in t
    assert 5.0 not in t
    for wrong in (len, iter):
        with pytest.raises(TypeError, match="0-d"):
            wrong(mg.tensor(1.0))


def test_copy_deepcopy_and_pickle() -> None:
    w = double(1.0, 2.0)
    w.grad = mg.ones(2, dtype=mg.float64)
    for again in (copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert again.requires_grad
        assert again.is_leaf
        assert again.tolist() == [1.0, 2.0]
        assert not np.shares_memory(again.detach().numpy(), w.detach().numpy())
    assert copy.deepcopy(w).grad.tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="leaves"):
        copy.deepcopy(w * 2)


def test_description() -> None:
    t = mg.zeros(2, 3, dtype=mg.float64)
    assert (t.ndim, t.dim(), t.numel(), t.nelement(), t.itemsize, t.nbytes) == (2, 2, 6, 6, 8, 48)
    assert t.size() == t.shape == (2, 3)
    assert t.size(-1) == 3
    assert repr(t.shape) == "minigrad.Size([2, 3])"
    assert t.stride() == (3, 1)
    assert t.T.stride() == (1, 3)
    assert not t.T.is_contiguous()
    assert t.is_floating_point()
    assert str(t.device) == "cpu"


def test_contiguous_gives_memory_in_row_order() -> None:
    t = mg.arange(6.0).reshape(2, 3)
    assert t.contiguous() is t
    turned = t.T.contiguous()
    assert turned.is_contiguous()
    assert turned.stride() == (2, 1)
    assert turned.view(6).tolist() == [0, 3, 1, 4, 2, 5]


# ---------------------------------------------------------------- operators with arrays and numbers

OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip
COMPARISONS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge,
}  # fmt: skip


@pytest.mark.parametrize("f", OPERATORS.values(), ids=OPERATORS)
@pytest.mark.parametrize(
    "other",
    [2, 1.5, np.float64(1.5), np.float32(1.5), np.int64(2), np.array(1.5), np.array([1.5, 2.5]),
     np.array([[1.5], [3.0]])],
    ids=lambda o: f"{type(o).__name__}{np.shape(o)}{np.asarray(o).dtype}",
)  # fmt: skip
@pytest.mark.parametrize("left", [True, False], ids=["tensor-left", "tensor-right"])
def test_operators_with_numbers_and_arrays_on_either_side(f: Any, other: Any, left: bool) -> None:
    x = double(1.25, 3.5)
    y = f(x, other) if left else f(other, x)
    array = x.detach().numpy()
    expected = f(array, np.asarray(other)) if left else f(np.asarray(other), array)
    assert type(y) is mg.Tensor
    assert y.dtype is mg.float64
    assert y.requires_grad
    assert np.allclose(y.detach().numpy(), expected, rtol=1e-15)
    if f is operator.floordiv:
        return  # it has no gradient
    y.sum().backward()
    t = double(1.25, 3.5)
    o = mg.tensor(other, dtype=mg.float64)
    (f(t, o) if left else f(o, t)).sum().backward()
    assert np.allclose(x.grad.numpy(), t.grad.numpy(), rtol=1e-12)
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("f", COMPARISONS.values(), ids=COMPARISONS)
@pytest.mark.parametrize(
    "other", [2, 2.0, np.float64(2), np.array([2.0, 1.0])], ids=lambda o: type(o).__name__
)
def test_comparisons(f: Any, other: Any) -> None:
    x = double(1.0, 2.0)
    for y, expected in (
        (f(x, other), f(np.array([1.0, 2.0]), other)),
        (f(other, x), f(other, np.array([1.0, 2.0]))),
    ):
        assert type(y) is mg.Tensor
        assert y.dtype is mg.bool
        assert not y.requires_grad
        assert y.tolist() == expected.tolist()


def test_an_unknown_operand_is_left_to_its_own_type() -> None:
    class Other:
        def __radd__(self, other: Any) -> str:
            return "its own"

    assert mg.ones(2) + Other() == "its own"
    with pytest.raises(TypeError):
        mg.ones(2) + "a"
    with pytest.raises(TypeError):
        mg.ones(2) @ 3
    assert (mg.ones(2) == "a") is False
    # NumPy's long doubles are numbers.
    for f in (lambda x: mg.tensor([1, 2]) * x, lambda x: x + mg.ones(2), lambda x: mg.full((2,), x)):
        assert f(np.longdouble(2.5)).dtype == mg.float32
    assert (mg.ones(2) * np.clongdouble(2j)).dtype == mg.complex64
    assert mg.result_type(mg.ones(2), np.longdouble(2.5)) == mg.float32
    # NumPy's strings are no numbers either, though they are NumPy's scalars.
    assert (mg.ones(2) == np.str_("a")) is False
    assert (np.bytes_(b"a") != mg.ones(2)) is True
    for other in (np.array(["a", "b"]), np.array([None, 1]), np.datetime64("2020")):
        with pytest.raises(TypeError, match="expected Tensors or numbers"):
            mg.ones(2) + other
    assert (mg.ones(2) != None) is True  # noqa: E711


def test_matmul_with_arrays() -> None:
    a = np.arange(6.0).reshape(2, 3)
    x = mg.tensor(np.arange(6.0).reshape(3, 2) + 1, requires_grad=True)
    for y, expected, grad in (
        (a @ x, a @ x.detach().numpy(), a.sum(0)[:, None].repeat(2, 1)),
        (x @ a, x.detach().numpy() @ a, a.sum(1)[None].repeat(3, 0)),
    ):
        assert type(y) is mg.Tensor
        assert np.array_equal(y.detach().numpy(), expected)
        (g,) = autograd.grad(y.sum(), x)
        assert np.array_equal(g.numpy(), grad)


def test_an_array_operand_may_change_later() -> None:
    a, x = np.array([2.0, 3.0]), double(1.0, 1.0)
    y, z = (x * a).sum(), (mg.reshape(x, (1, 2)) @ a).sum()
    a[:] = 100
    y.backward()
    z.backward()
    assert x.grad.tolist() == [4.0, 6.0]


@pytest.mark.parametrize(
    ("ufunc", "inputs"),
    [
        (np.sin, 1),
        (np.exp, 1),
        (np.tanh, 1),
        (np.add, 2),
        (np.multiply, 2),
        (np.subtract, 2),
        (np.maximum, 2),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_numpy_functions_keep_the_gradient(ufunc: Any, inputs: int) -> None:
    x, a = double(0.5, 1.5), np.array([0.25, 0.75])
    y = ufunc(x) if inputs == 1 else ufunc(a, x)
    assert type(y) is mg.Tensor
    assert y.requires_grad
    assert np.array_equal(y.detach().numpy(), ufunc(*[x.detach().numpy(), a][:inputs][::-1]))
    y.sum().backward()
    assert x.grad is not None


def test_numpy_functions_that_are_not_recorded_say_so() -> None:
    with pytest.raises(TypeError, match=r"np\.spacing.*detach"):
        np.spacing(mg.ones(2, requires_grad=True))
    with pytest.raises(TypeError, match=r"np\.subtract\.reduce"):
        np.subtract.reduce(mg.ones(2))


# ---------------------------------------------------------------- promotion


@pytest.mark.parametrize(
    ("result", "dtype"),
    [
        (lambda: mg.ones(2) * 2.0, mg.float32),
        (lambda: 2.0 * mg.ones(2), mg.float32),
        (lambda: mg.ones(2) + 1, mg.float32),
        (lambda: mg.ones(2, dtype=mg.float16) * 2.5, mg.float16),
        (lambda: mg.ones(2) * np.float64(2), mg.float32),
        (lambda: np.float64(2) * mg.ones(2), mg.float32),
        (lambda: mg.arange(2).clamp(np.float64(1)), mg.float32),
        (lambda: mg.arange(2).clamp(max=np.float16(1)), mg.float32),
        (lambda: mg.arange(2).add(np.float64(1), alpha=2), mg.float32),
        (lambda: (mg.arange(2) > 0).add(np.int8(1), alpha=2), mg.int64),
        (lambda: mg.ones(2) * mg.tensor(2.0, dtype=mg.float64), mg.float32),
        (lambda: mg.ones(2) * np.ones(2), mg.float64),
        (lambda: mg.arange(2) + 1.5, mg.float32),
        (lambda: mg.arange(2) * True, mg.int64),
        (lambda: mg.arange(2) / 2, mg.float32),
        (lambda: mg.arange(2) // 2, mg.int64),
        (lambda: mg.tensor(2) + mg.tensor(0.5), mg.float32),
        (lambda: mg.tensor(2, dtype=mg.int64) * mg.ones(2, dtype=mg.int8), mg.int8),
        (lambda: mg.ones(2, dtype=mg.uint8) + mg.ones(2, dtype=mg.int8), mg.int16),
        (lambda: mg.ones(2, dtype=mg.int64) + mg.ones(2, dtype=mg.float16), mg.float16),
        (lambda: mg.tensor([True]) + mg.tensor([True]), mg.bool),
        (lambda: mg.tensor([True]) + 1, mg.int64),
        (lambda: mg.ones(2, dtype=mg.float16) + mg.ones(2), mg.float32),
        (lambda: mg.arange(3).exp(), mg.float32),
        (lambda: mg.arange(3).sum(), mg.int64),
        (lambda: mg.ones(3, dtype=mg.int8).sum(), mg.int64),
        (lambda: mg.ones(3, dtype=mg.bool).cumsum(0), mg.int64),
        (lambda: mg.ones(3, dtype=mg.float16).sum(), mg.float16),
        (lambda: mg.ones(3, dtype=mg.float16).cumsum(0, dtype=mg.float32), mg.float32),
        (lambda: mg.ones(3, dtype=mg.float16).cumprod(0, dtype=mg.float64), mg.float64),
        (lambda: mg.ones(3).sum(dtype=mg.float64), mg.float64),
        (lambda: mg.ones(2) ** 2, mg.float32),
        (lambda: mg.arange(2) ** 2.0, mg.float32),
        (lambda: 2 ** mg.arange(2), mg.int64),
        (lambda: mg.where(mg.tensor([True]), mg.ones(1), 2), mg.float32),
        (lambda: mg.maximum(mg.ones(2), mg.arange(2)), mg.float32),
        (lambda: mg.cat([mg.arange(2), mg.ones(2)]), mg.float32),
        (lambda: mg.block_diag(mg.ones(1, 1).half(), mg.tensor(2.5, dtype=mg.float64)), mg.float16),
        (lambda: mg.tensor([True]).add_(True, alpha=-1), mg.bool),
    ],
)
def test_promotion(result: Any, dtype: Any) -> None:
    assert result().dtype is dtype


@pytest.mark.parametrize(
    ("input", "alpha", "match"),
    [(mg.arange(2), 1.5, "a float number"), (mg.ones(2), True, "Boolean alpha"), (mg.ones(2), 1j, "complex")],
)
def test_a_factor_of_a_higher_kind_is_refused(input: Any, alpha: Any, match: str) -> None:
    for other in (input, 1):
        with pytest.raises(RuntimeError, match=match):
            mg.add(input, other, alpha=alpha)


def test_promotion_types_and_results() -> None:
    assert mg.promote_types(mg.int64, mg.float16) is mg.float16
    assert mg.result_type(mg.ones(1), 2.5) is mg.float32
    assert mg.result_type(mg.arange(1), 2.5) is mg.float32
    assert mg.result_type(np.int64(1), mg.tensor(1, dtype=mg.int32)) is mg.int32


def test_gradients_come_back_in_the_dtype_of_the_leaf() -> None:
    x = mg.ones(2, requires_grad=True)
    w = mg.ones(2, dtype=mg.float64, requires_grad=True)
    (x * w).sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (mg.float32, mg.float64)
    x.grad = None
    x.double().exp().sum().backward()
    assert x.grad.dtype is mg.float32


# ---------------------------------------------------------------- reductions

REDUCTIONS = {
    "sum": (lambda t, **k: t.sum(**k), np.sum),
    "mean": (lambda t, **k: t.mean(**k), np.mean),
    "var": (lambda t, **k: t.var(**k), lambda a, **k: np.var(a, ddof=1, **k)),
    "std": (lambda t, **k: t.std(correction=0, **k), np.std),
    "amax": (lambda t, **k: t.amax(**k), np.max),
    "amin": (lambda t, **k: t.amin(**k), np.min),
    "any": (lambda t, **k: (t > 0).any(**k), lambda a, **k: np.any(a > 0, **k)),
    "all": (lambda t, **k: (t > 0).all(**k), lambda a, **k: np.all(a > 0, **k)),
}


@pytest.mark.parametrize(("f", "reference"), REDUCTIONS.values(), ids=REDUCTIONS)
@pytest.mark.parametrize("dim", [0, -1, (0, 2), (-1, 0), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("keepdim", [False, True])
def test_reductions(f: Any, reference: Any, dim: Any, keepdim: bool) -> None:
    a = np.random.default_rng(0).standard_normal((2, 3, 4))
    y = f(mg.tensor(a), dim=dim, keepdim=keepdim).numpy()
    expected = reference(a, axis=dim, keepdims=keepdim)
    assert y.shape == expected.shape
    assert np.allclose(y, expected, rtol=1e-13)


def test_more_reductions() -> None:
    t = mg.tensor([[1.0, 5.0, 2.0], [7.0, 0.0, 7.0]])
    values, indices = t.max(1)
    assert values.tolist() == [5.0, 7.0]
    assert indices.tolist() == [1, 0]
    assert t.min(0, keepdim=True).values.tolist() == [[1.0, 0.0, 2.0]]
    assert t.max().item() == 7.0
    assert t.argmax().item() == 3
    assert t.argmin(1).tolist() == [0, 1]
    assert t.prod(1).tolist() == [10.0, 0.0]
    assert t.prod().item() == 0.0
    assert t.cumsum(1).tolist() == [[1, 6, 8], [7, 7, 14]]
    assert t.cumprod(0).tolist() == [[1, 5, 2], [7, 0, 14]]
    assert t.count_nonzero().item() == 5
    assert mg.logsumexp(mg.tensor([1000.0, 1000.0]), 0).item() == pytest.approx(1000 + math.log(2))
    assert mg.tensor([1.0, math.nan]).nansum().item() == 1.0
    assert mg.zeros(0, 3).sum(0).tolist() == [0, 0, 0]
    assert math.isnan(mg.zeros(0).mean().item())
    assert [v.item() for v in mg.var_mean(mg.tensor([1.0, 3.0]))] == [2.0, 2.0]


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda t: t.sum(2), IndexError),
        (lambda t: t.sum((0, 0)), RuntimeError),
        (lambda t: t.long().mean(), RuntimeError),
        (lambda t: t.argmax(5), IndexError),
        (lambda t: t[:0].max(), RuntimeError),
        (lambda t: t[:0].amax(0), IndexError),
        (lambda t: t.sum("a"), TypeError),
    ],
)
def test_reductions_refuse(call: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        call(mg.ones(2, 3))


# ---------------------------------------------------------------- shapes


def test_shapes_against_numpy() -> None:
    a = np.arange(24.0).reshape(2, 3, 4)
    t = mg.tensor(a)
    pairs: list[tuple[Any, Any]] = [
        (t.reshape(4, -1), a.reshape(4, -1)),
        (t.view(24), a.reshape(24)),
        (t.permute(2, 0, 1), a.transpose(2, 0, 1)),
        (t.transpose(0, -1), a.swapaxes(0, -1)),
        (t.mT, a.swapaxes(-1, -2)),
        (t[0].T, a[0].T),
        (t[0].t(), a[0].T),
        (t.movedim(0, -1), np.moveaxis(a, 0, -1)),
        (t.unsqueeze(1), a[:, None]),
        (t.unsqueeze(-1), a[..., None]),
        (t.unsqueeze(1).squeeze(1), a),
        (t.unsqueeze(0).unsqueeze(-1).squeeze(), a),
        (t.squeeze(0), a),
        (t.flatten(1), a.reshape(2, 12)),
        (t.flatten(), a.ravel()),
        (t.unflatten(2, (2, -1)), a.reshape(2, 3, 2, 2)),
        (t[:, :1].expand(2, 3, -1), np.broadcast_to(a[:, :1], (2, 3, 4))),
        (t.flip(0, 2), a[::-1, :, ::-1]),
        (t.repeat(2, 1, 1), np.tile(a, (2, 1, 1))),
        (t.tile(2), np.tile(a, 2)),
        (mg.cat([t, t], 1), np.concatenate([a, a], 1)),
        (mg.stack([t, t], -1), np.stack([a, a], -1)),
        (t.select(1, 2), a[:, 2]),
        (t.narrow(2, 1, 2), a[:, :, 1:3]),
        (mg.vstack([t[0], t[1]]), np.vstack([a[0], a[1]])),
        (mg.hstack([t[0], t[1]]), np.hstack([a[0], a[1]])),
    ]
    for y, expected in pairs:
        assert y.shape == expected.shape
        assert np.array_equal(y.numpy(), expected)
    assert [p.shape for p in t.split(2, 2)] == [(2, 3, 2), (2, 3, 2)]
    assert [p.shape[1] for p in t.split([1, 2], 1)] == [1, 2]
    assert [p.shape[2] for p in t.chunk(3, 2)] == [2, 2]
    assert [p.shape[2] for p in t.tensor_split(3, 2)] == [2, 1, 1]
    assert [p.shape for p in t.unbind(1)] == [(2, 4)] * 3


def test_views_share_memory_and_the_rest_does_not() -> None:
    t = mg.arange(6.0).reshape(2, 3)
    for view in (
        t.view(6),
        t.T,
        t[0],
        t[:, 1:],
        t.unsqueeze(0),
        t.expand(2, 2, 3),
        t.chunk(2)[1],
        t.detach(),
        t.data,
    ):
        assert np.shares_memory(view.numpy(), t.numpy())
    for copied in (t.clone(), t.flip(0), t[[0, 1]], t[t > -1], t + 0, t.T.reshape(6), t.to(mg.float64)):
        assert not np.shares_memory(copied.numpy(), t.numpy())
    with pytest.raises(RuntimeError, match=r"reshape"):
        t.T.view(6)


def test_a_copy_is_one_where_nothing_moves() -> None:
    t, images, functional = mg.arange(6.0).reshape(2, 3), mg.ones(1, 4, 1, 1), nn.functional
    for copied in (t.repeat(1, 1), t.tile(1), t.take(mg.tensor(1))):
        assert not np.shares_memory(copied.numpy(), t.numpy())
    for copied in (
        functional.pixel_shuffle(images, 2),
        functional.pixel_shuffle(images, 1),
        functional.pixel_unshuffle(images, 1),
        functional.channel_shuffle(images, 1),
    ):
        assert not np.shares_memory(copied.numpy(), images.numpy())


@pytest.mark.parametrize(
    "f",
    [
        lambda t: t.split(2, 1)[1],
        lambda t: t.chunk(2)[0] * t.chunk(2)[1],
        lambda t: mg.cat([t, t * 2, t[:, :1]], 1),
        lambda t: mg.stack([t, t]).permute(1, 0, 2),
        lambda t: t.repeat(2, 3),
        lambda t: t.flip(0) * t,
        lambda t: t.expand(2, 2, 3) * mg.arange(12.0, dtype=mg.float64).reshape(2, 2, 3),
        lambda t: t.T.reshape(3, 2).flatten(),
        lambda t: t.unbind(1)[2] * t.unbind(1)[0],
        lambda t: mg.outer(t[0], t[1]),
        lambda t: mg.gather(t, 1, mg.tensor([[0, 0], [2, 1]])),
        lambda t: t.index_select(1, mg.tensor([2, 0, 2])),
        lambda t: t.masked_select(t > 0),
        lambda t: t.take(mg.tensor([0, 5, 5])),
    ],
)
def test_gradients_through_shapes(f: Any) -> None:
    from test_every_op import check_gradients

    check_gradients(f, [np.random.default_rng(3).standard_normal((2, 3))], (0,))


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda t: t.reshape(4), RuntimeError),
        (lambda t: t.reshape(-1, -1), RuntimeError),
        (lambda t: t.permute(0, 0), RuntimeError),
        (lambda t: t.transpose(0, 2), IndexError),
        (lambda t: t.expand(3, 3), RuntimeError),
        (lambda t: mg.cat([]), (RuntimeError, ValueError)),
        (lambda t: mg.cat([t, mg.ones(2, 2)]), RuntimeError),
        (lambda t: mg.stack([t, t[0]]), RuntimeError),
        (lambda t: t.squeeze(5), IndexError),
        (lambda t: t.split(-1), RuntimeError),
        (lambda t: t[0].mT, RuntimeError),
    ],
)
def test_shapes_refuse(call: Any, kind: Any) -> None:
    with pytest.raises(kind):
        call(mg.ones(2, 3))


# ---------------------------------------------------------------- indexing: Hypothesis against NumPy


@st.composite
def indexed(draw: Any) -> tuple[np.ndarray, Any]:
    """An array and a key of any kind that both NumPy and PyTorch take in the same sense."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    a = np.arange(math.prod(shape), dtype=np.float64).reshape(shape)
    kind = draw(st.sampled_from(["basic", "basic", "integers", "mask", "mixed", "several"]))
    if kind == "basic":
        key = draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
        items = key if isinstance(key, tuple) else (key,)
        # a negative step is NumPy's alone
        return a, tuple(
            slice(k.start, k.stop, abs(k.step)) if isinstance(k, slice) and k.step and k.step < 0 else k
            for k in items
        )
    if kind == "mask":
        return a, draw(hnp.arrays(bool, shape[: draw(st.integers(1, len(shape)))]))
    full = [d for d, n in enumerate(shape) if n]
    if not full:
        return a, (slice(None),)
    # One array, or one block of arrays: with several blocks NumPy puts the new dimensions in front,
    # and with an integer beside them PyTorch takes the integer first.
    first = draw(st.sampled_from(full))
    last = first
    if kind == "several":
        while last + 1 in full and draw(st.booleans()):
            last += 1
    like = draw(hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=3))
    key: list[Any] = [slice(None)] * first
    if kind == "mixed" and first:
        key[0] = slice(0, None, 2)
    key += [
        draw(hnp.arrays(np.int64, like, elements=st.integers(-n, n - 1))) for n in shape[first : last + 1]
    ]
    return a, tuple(key)


@quick
@given(indexed())
def test_indexing_against_numpy(case: tuple[np.ndarray, Any]) -> None:
    a, key = case
    expected = a[key]
    t = mg.tensor(a, requires_grad=True)
    y = t[key]
    assert y.shape == np.shape(expected)
    assert np.array_equal(y.detach().numpy(), expected)
    weights = np.arange(1.0, y.numel() + 1).reshape(y.shape)
    (y * mg.tensor(weights)).sum().backward()
    places = np.arange(a.size).reshape(a.shape)[key]
    added = np.bincount(np.ravel(places), np.ravel(weights), a.size).reshape(a.shape)
    assert np.array_equal(t.grad.numpy(), added)


@quick
@given(indexed(), st.sampled_from(["number", "full", "broadcast"]))
def test_setitem_against_numpy(case: tuple[np.ndarray, Any], form: str) -> None:
    a, key = case
    target = np.shape(a[key])
    if form == "number":
        value: Any = -1.0
    elif form == "full":
        value = -1.0 - np.arange(math.prod(target), dtype=float).reshape(target)
    else:
        value = np.full(target[-1:], -2.0)
    expected = a.copy()
    expected[key] = value
    base = mg.tensor(a, requires_grad=True)
    given_ = mg.tensor(value, dtype=mg.float64, requires_grad=True)
    t = base * 1.0
    t[key] = given_ if form != "number" else value
    assert np.array_equal(t.detach().numpy(), expected)
    weights = np.arange(1.0, a.size + 1).reshape(a.shape)
    (t * mg.tensor(weights)).sum().backward()
    kept = np.ones(a.shape)
    kept[key] = 0.0
    assert np.array_equal(base.grad.numpy(), weights * kept)
    if form != "number" and math.prod(target):
        # what stays of the written values: the last write to each place
        number = np.full(a.shape, -1)
        number[key] = np.arange(math.prod(target)).reshape(target)
        each = np.zeros(math.prod(target))
        each[number[number >= 0]] = weights[number >= 0]
        lead = each.reshape(target)
        while lead.ndim > np.ndim(value):
            lead = lead.sum(0)
        assert np.array_equal(given_.grad.numpy(), lead.sum() if np.ndim(value) == 0 else lead)


def test_writing_nothing_is_recorded_too() -> None:
    t, v = mg.zeros(3), mg.zeros(0, requires_grad=True)
    t[1:1] = v
    assert t.requires_grad
    t.sum().backward()
    assert v.grad.shape == (0,)


def test_indexing_of_pytorchs_kinds() -> None:
    t = mg.arange(12.0).reshape(3, 4)
    assert t[1].tolist() == [4, 5, 6, 7]
    assert t[1, 2].item() == 6
    assert t[mg.tensor(1), 2].item() == 6
    assert t[..., 0].tolist() == [0, 4, 8]
    assert t[None, 0].shape == (1, 4)
    assert t[[0, 2]].tolist() == [[0, 1, 2, 3], [8, 9, 10, 11]]
    assert t[[0, 2], [1, 3]].tolist() == [1, 11]
    assert t[mg.tensor([2, 0]), 1:3].tolist() == [[9, 10], [1, 2]]
    assert t[t > 9].tolist() == [10, 11]
    assert t[mg.tensor([True, False, True])].shape == (2, 4)
    assert t[mg.tensor([[0, 1], [2, 0]])].shape == (2, 2, 4)
    assert t[True].shape == (1, 3, 4)
    assert t[False].shape == (0, 3, 4)
    assert t[np.int64(1)].tolist() == t[np.array(1)].tolist() == [4, 5, 6, 7]
    assert t[1:, mg.tensor([0, 0])].tolist() == [[4, 4], [8, 8]]
    assert (
        t[mg.tensor(1, dtype=mg.int8)].tolist() == t[mg.tensor(-2, dtype=mg.int16)].tolist() == [4, 5, 6, 7]
    )
    with pytest.raises(IndexError, match="tensors used as indices"):
        t[mg.tensor([1], dtype=mg.int8)]


def test_einsum_gives_a_view_of_what_is_one_operand_alone() -> None:
    x = double(1.0, 2.0)
    y = mg.einsum("i->i", x)
    assert (y is x, y.is_leaf, y.data_ptr() == x.data_ptr()) == (False, False, True)


def test_repeats_add_up() -> None:
    w = double(1.0, 2.0, 3.0)
    w[[0, 0, 2, 0]].sum().backward()
    assert w.grad.tolist() == [3.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (5, IndexError),
        ((0, -5), IndexError),
        ((0, 0, 0), IndexError),
        ([0, 9], IndexError),
        ((..., ...), IndexError),
        (1.0, (IndexError, TypeError)),
        ("a", (IndexError, TypeError)),
        (slice(None, None, -1), ValueError),
        (np.array([True, False]), IndexError),
        (mg.tensor([0.5]), IndexError),
    ],
    ids=repr,
)
def test_indexing_refuses(key: Any, kind: Any) -> None:
    t = mg.arange(12.0).reshape(3, 4)
    with pytest.raises(kind):
        t[key]
    with pytest.raises(kind):
        t[key] = 0.0


# ---------------------------------------------------------------- broadcasting: Hypothesis


@quick
@given(
    hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3), st.integers(0, 2**16)
)
def test_broadcasting_value_and_gradient(shapes: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, c = (rng.uniform(0.5, 2.0, s) for s in shapes.input_shapes)
    x, y, z = (mg.tensor(v, requires_grad=True) for v in (a, b, c))
    out = (x * y - z) / y
    assert out.shape == shapes.result_shape
    assert np.allclose(out.detach().numpy(), (a * b - c) / b, rtol=1e-14)
    v = rng.standard_normal(out.shape)
    out.backward(mg.tensor(v))

    def summed(g: Any, shape: tuple[int, ...]) -> np.ndarray:
        g = np.broadcast_to(g, v.shape)
        g = g.sum(tuple(range(g.ndim - len(shape))))
        return g.sum(
            tuple(d for d, n in enumerate(shape) if n == 1 and g.shape[d] != 1), keepdims=True
        ).reshape(shape)

    for t, g in ((x, v), (y, v * c / b**2), (z, -v / b)):
        assert t.grad.shape == t.shape
        assert np.allclose(t.grad.numpy(), summed(g, t.shape), rtol=1e-12, atol=1e-14)


@quick
@given(st.data())
def test_matmul_in_all_its_forms(data: Any) -> None:
    n, k, m = (data.draw(st.integers(0, 3), label=s) for s in "nkm")
    batches = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, min_side=1, max_side=3))
    left, right = data.draw(st.booleans()), data.draw(st.booleans())
    a = np.random.default_rng(0).standard_normal((k,) if left else (*batches.input_shapes[0], n, k))
    b = np.random.default_rng(1).standard_normal((k,) if right else (*batches.input_shapes[1], k, m))
    x, y = mg.tensor(a, requires_grad=True), mg.tensor(b, requires_grad=True)
    z = x @ y
    expected = np.asarray(a @ b)
    assert z.shape == expected.shape
    assert np.allclose(z.detach().numpy(), expected, rtol=1e-12, atol=1e-14)
    v = np.random.default_rng(2).standard_normal(z.shape)
    z.backward(mg.tensor(v))
    # <a' @ b, v> = <a', grad> for every a': tried on random ones
    for t, other in ((x, lambda d: d @ b), (y, lambda d: a @ d)):
        d = np.random.default_rng(3).standard_normal(t.shape)
        assert np.isclose((other(d) * v).sum(), (t.grad.numpy() * d).sum(), rtol=1e-10, atol=1e-12)


# ---------------------------------------------------------------- more functions


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (lambda: mg.clamp(mg.tensor([-2.0, 0.5, 3.0]), -1, 1), [-1.0, 0.5, 1.0]),
        (lambda: mg.tensor([-2.0, 0.5]).clamp(min=mg.tensor([0.0, 1.0])), [0.0, 1.0]),
        (lambda: mg.where(mg.tensor([True, False]), 1.0, mg.tensor([5.0, 6.0])), [1.0, 6.0]),
        (lambda: mg.tensor([5, -5]) % 3, [2, 1]),
        (lambda: mg.fmod(mg.tensor([5, -5]), 3), [2, -2]),
        (lambda: mg.tensor([5, -5]) // 3, [1, -2]),
        (lambda: mg.div(mg.tensor([5.0, -5.0]), 3, rounding_mode="trunc"), [1.0, -1.0]),
        (lambda: mg.round(mg.tensor([0.5, 1.5, 2.5])), [0.0, 2.0, 2.0]),
        (lambda: mg.tensor([1.0, 2.0]).add(mg.tensor([10.0, 20.0]), alpha=0.5), [6.0, 12.0]),
        (lambda: mg.tensor([1.0, 2.0]).masked_fill(mg.tensor([True, False]), 9.0), [9.0, 2.0]),
        (lambda: mg.lerp(mg.tensor([0.0]), mg.tensor([10.0]), 0.25), [2.5]),
        (lambda: mg.tensor([0.0, 3.0, 0.0]).nonzero(), [[1]]),
        (lambda: ~mg.tensor([True, False]), [False, True]),
        (lambda: mg.tensor([6, 5]) & 3, [2, 1]),
        (lambda: mg.tensor([True]) ^ mg.tensor([True]), [False]),
        (lambda: mg.addmm(mg.ones(2), mg.eye(2), mg.eye(2), beta=2), [[3.0, 2.0], [2.0, 3.0]]),
        (lambda: abs(mg.tensor([-1.0])), [1.0]),
        (lambda: -mg.tensor([1.0]), [-1.0]),
    ],
)
def test_functions(y: Any, expected: Any) -> None:
    assert y().tolist() == expected


def test_equality() -> None:
    a = mg.tensor([1.0, 2.0])
    assert mg.equal(a, a.clone())
    assert not mg.equal(a, a[:1])
    assert mg.allclose(a, a + 1e-9)
    assert not mg.allclose(a, a + 1)
    assert a.isclose(a).all()
    assert len({a, a}) == 1


# ---------------------------------------------------------------- printing


@pytest.mark.parametrize(
    ("t", "text"),
    [
        (lambda: mg.tensor([1.0, 2.5]), "tensor([1.0000, 2.5000])"),
        (lambda: mg.tensor(3), "tensor(3)"),
        (lambda: mg.tensor([1, 2], dtype=mg.int32), "tensor([1, 2], dtype=minigrad.int32)"),
        (lambda: mg.zeros(2, dtype=mg.float64), "tensor([0., 0.], dtype=minigrad.float64)"),
        (lambda: mg.zeros(2, requires_grad=True), "tensor([0., 0.], requires_grad=True)"),
        (lambda: mg.zeros(2, requires_grad=True) * 2, "tensor([0., 0.], grad_fn=<MulBackward0>)"),
        (lambda: (mg.zeros(2, requires_grad=True) * 2).detach(), "tensor([0., 0.])"),
        (lambda: mg.zeros(0, 3), "tensor([], size=(0, 3))"),
        (lambda: mg.tensor([True]), "tensor([True])"),
    ],
)
def test_printing(t: Any, text: str) -> None:
    assert repr(t()) == text


def test_printing_of_dtypes_and_records() -> None:
    assert repr(mg.float32) == "minigrad.float32"
    y = mg.zeros(2, requires_grad=True).exp()
    assert repr(y.grad_fn).startswith("<ExpBackward0 at ")
    assert "test_tensor.py" in repr(y.grad_fn)
    assert f"{y}" == repr(y)


@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_no_degrees_of_freedom_are_warned_of(name: str) -> None:
    function = getattr(mg, name)
    for shape, options in [
        ((1,), {}),
        ((0, 3), {}),
        ((2, 3), {"dim": 0, "correction": 5}),
        ((2, 0), {"dim": 1}),
    ]:
        with pytest.warns(UserWarning, match=rf"{name[:3]}\(\): degrees of freedom is <= 0") as caught:
            function(mg.ones(shape), **options)
        assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function(mg.ones(1), correction=0)
        function(mg.ones(2))


def test_integers_in_steps_are_pytorchs() -> None:
    """int64 counts in whole numbers, the other integers count as floats do and step in whole numbers."""
    assert mg.arange(0.5, 4.7, dtype=mg.int64).tolist() == [0, 1, 2, 3]
    assert mg.arange(0, 3, 0.5, dtype=mg.int32).tolist() == [0] * 6
    assert mg.arange(1, 10, 2.5, dtype=mg.uint8).tolist() == [1, 3, 5, 7]


def test_data_of_numpy_numbers_keeps_their_type() -> None:
    assert mg.tensor([np.float64(1.0), 2]).dtype is mg.float64
    assert mg.tensor([1.0, 2]).dtype is mg.float32
    assert mg.tensor(2**70, dtype=mg.float32).item() == 2.0**70


def test_any_and_all_over_no_dimension() -> None:
    x = mg.tensor([[0, 1], [2, 0]])
    for function in (mg.any, mg.all):
        assert function(x, dim=[]).tolist() == [[False, True], [True, False]]
        assert function(x, dim=()).dtype is mg.bool
    assert mg.sum(x, dim=()).item() == 3


def test_a_size_stays_one() -> None:
    s = mg.ones(2, 3, 4).shape
    for found, expected in [
        (s[1:], (3, 4)), (operator.add(s, (5,)), (2, 3, 4, 5)), (operator.add((5,), s), (5, 2, 3, 4)),
        (s + s, (2, 3, 4, 2, 3, 4)),
        (s * 2, (2, 3, 4, 2, 3, 4)), (2 * s[:1], (2, 2)), (mg.Size([1, np.int64(2)]), (1, 2)), (mg.Size(), ()),
    ]:  # fmt: skip
        assert type(found) is mg.Size
        assert found == expected
        assert all(type(n) is int for n in found)
    assert type(s[0]) is int
    assert (s.numel(), repr(s[1:]), hash(s)) == (24, "minigrad.Size([3, 4])", hash((2, 3, 4)))
    with pytest.raises(TypeError, match=r"item 1 is float"):
        mg.Size([1, 2.0])
    with pytest.raises(TypeError):
        operator.add(s, [1])


@pytest.mark.parametrize("kind", [int, float, complex])
def test_python_numbers_of_one_element_only(kind: Any) -> None:
    assert kind(mg.tensor([[2.0]])) == 2
    for shape in [(2,), (0,)]:
        with pytest.raises(ValueError, match="only one element"):
            kind(mg.ones(shape))


def test_dimensions_of_a_number_moved() -> None:
    x = mg.tensor(2.0, requires_grad=True)
    assert x.movedim(0, -1).shape == ()
    x.movedim(0, 0).backward()
    assert x.grad == 1


def test_the_class_makes_tensors_as_pytorch_s_does() -> None:
    assert mg.Tensor().tolist() == []
    assert mg.Tensor(mg.Size([2, 3])).shape == mg.Tensor(2, 3).shape == (2, 3)
    assert mg.Tensor(mg.Size([])).shape == ()
    assert mg.Tensor((2, 3)).tolist() == [2.0, 3.0]
    whole, x = mg.arange(2), mg.ones(2, requires_grad=True)
    mg.Tensor(whole).add_(1)  # of the same memory, whatever the dtype
    mg.Tensor(x).sum().backward()
    assert x.grad is not None
    assert (whole.tolist(), x.grad.tolist()) == ([1, 2], [1, 1])
    for data in (2.5, "a", None, True):
        with pytest.raises(TypeError, match="sequence"):
            mg.Tensor(data)


def test_a_beta_of_0_looks_at_the_shape_alone() -> None:
    a, b = mg.ones(2, 3), mg.ones(3, 4)
    assert mg.addmm(mg.full((4,), math.nan), a, b, beta=0).tolist() == (a @ b).tolist()
    with pytest.raises(RuntimeError):
        mg.addmm(mg.ones(7), a, b, beta=0)


F4, F8 = np.float32, np.float64


class Column:
    """What NumPy reads as an array, such as a column of pandas: a sequence of NumPy's numbers, not of Python's."""

    def __init__(self, *values: Any, dtype: Any) -> None:
        self.values = np.array(values, dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self.values, dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Any:
        return self.values[i]


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([F4(1), 2.0], mg.float32), ([2.0, F4(1)], mg.float32), ([2.0, F8(1)], mg.float64), ([F4(1), 2], mg.float32),
        ([np.float16(1), 2.0], mg.float32), ([np.float16(1)], mg.float16), ([np.int8(1), 2.0], mg.float32),
        ([F4(1), np.int64(1)], mg.float32), ([[F4(1)], [2.5]], mg.float32), ([mg.tensor(1.0), 2], mg.float32),
        ([np.ones(2, F4), [3.0, 4.0]], mg.float32), ([np.ones(2, np.int32), [3.0, 4.0]], mg.float32),
        ([np.ones(2, F4), np.ones(2)], mg.float64), ([mg.ones((), dtype=mg.float64), 2.0], mg.float64),
        ([[]], mg.float32), ([True, 2.5], mg.float32), (Column(1, 2, dtype=F8), mg.float64),
        ([Column(1, 2, dtype=F8), [1, 2]], mg.float64), (Column(1, 2.5, dtype=object), mg.float32),
        (Column(1, dtype=F4), mg.float32), (bytearray(b"ab"), mg.int64), (memoryview(b"ab"), mg.int64),
        (array("i", [1]), mg.int64), (array("d", [1]), mg.float32),
    ],
)  # fmt: skip
def test_numbers_of_several_kinds_meet(data: Any, dtype: mg.dtype) -> None:
    assert mg.tensor(data).dtype == mg.as_tensor(data).dtype == dtype
    assert mg.tensor(data, dtype=mg.float64).dtype == mg.float64


def test_what_is_read_as_an_array_is_copied() -> None:
    column = Column(1, 2, dtype=F8)
    for make in (mg.tensor, mg.as_tensor):
        make(column).zero_()
    assert column.values.tolist() == [1, 2]


def test_strides_of_added_and_of_empty_dimensions() -> None:
    x = mg.arange(12).reshape(2, 3, 2)
    assert x[None].stride() == (12, 6, 2, 1)
    assert x[:, None, :, :, None].stride() == (6, 6, 2, 1, 1)
    assert x.expand(4, 2, 3, 2).stride() == (0, 6, 2, 1)
    assert mg.zeros(4, 0, 2).float().stride() == (2, 2, 1)


def test_a_source_of_slices_has_as_many_dimensions() -> None:
    x, index = mg.zeros(3), mg.tensor([1])
    for wrong in (mg.ones(()), mg.ones(1, 1)):
        with pytest.raises(RuntimeError, match="index_add"):
            x.index_add(0, index, wrong)
    with pytest.raises(RuntimeError, match="index_copy"):
        mg.zeros(3, 2).index_copy(0, index, mg.ones(1, 1))
    with pytest.raises(IndexError, match="index_copy"):
        mg.zeros(3, 2).index_copy(0, index, mg.ones(2, 2))

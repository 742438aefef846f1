"""Behaviours that PyTorch's own tests of its tensors check: kinds of them, a row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd import Function

X = mg.arange(24).reshape(2, 3, 4)
COPIED: list[Any] = [
    (mg.int64, False, True),
    ("cpu", mg.int64, True, True),
    ("cpu", None, False, True),
    (X, True, True),
]
ITSELF: list[Any] = [
    (),
    (None,),
    (mg.int64, True),
    ("cpu", mg.int64, True, False),
    (X, False),
    (None, mg.int64),
]


def leaf() -> mg.Tensor:
    return mg.ones(2, requires_grad=True)


def second(function: Callable[[mg.Tensor], mg.Tensor]) -> mg.Tensor:
    x = mg.tensor([-0.5, 0.0, -0.0, 2.0], requires_grad=True)
    (g,) = mg.autograd.grad(function(x).sum(), x, create_graph=True)
    return mg.autograd.grad(g.sum(), x)[0].sign()


# What is called, and what it gives: nested lists, or a shape.
VALUES: list[tuple[Callable[[], Any], Any]] = [
    # the memory read as another element type
    (lambda: mg.tensor([1.0, -2.0]).view(mg.int32), [1065353216, -1073741824]),
    (lambda: mg.tensor([[1, 2, 3, 4]], dtype=mg.uint8).view(mg.int16), [[513, 1027]]),
    (lambda: mg.tensor([513], dtype=mg.int16).view(dtype=mg.uint8), [1, 2]),
    (lambda: mg.tensor(1.0).view(mg.int32), 1065353216),
    # memory that is there
    (lambda: mg.asarray(b"\x01\x02\x03\x04", dtype=mg.int16), [513, 1027]),
    (lambda: list(mg.empty_strided((2, 3), (1, 2)).stride()), [1, 2]),
    (lambda: list(mg.empty_permuted((2, 3, 5, 7), (0, 2, 3, 1)).stride()), [105, 1, 21, 3]),
    (lambda: list(mg.ones(1).new_empty_strided((2, 3), (1, 2)).stride()), [1, 2]),
    (lambda: list(mg.empty_permuted((2, 3, 4), (2, 0, 1)).dim_order(ambiguity_check=True)), [2, 0, 1]),
    (lambda: list(mg.ones(2, 1, 3).transpose(1, 2).dim_order()), [0, 1, 2]),
    (lambda: list(mg.ones(2, 1, 3).dim_order(ambiguity_check=[mg.contiguous_format])), [0, 1, 2]),
    # itself, or a copy
    (lambda: [X.to(*args) is X for args in COPIED], [False] * len(COPIED)),
    (lambda: [X.to(*args) is X for args in ITSELF], [True] * len(ITSELF)),
    (lambda: mg.ones(1, requires_grad=True).to(mg.float32, copy=True).grad_fn.name(), "ToCopyBackward0"),  # type: ignore[union-attr]
    (
        lambda: [
            mg.ones(2, 3).is_contiguous(memory_format=f) for f in (mg.channels_last, mg.contiguous_format)
        ],
        [0, 1],
    ),
    (lambda: [x in mg.tensor([1.0, 2j]) for x in (1j, 2j, True, mg.ones(2, 1))], [False, True, True, True]),
    (
        lambda: [mg.Tensor([2], device="cpu")[0], *mg.IntTensor(0, device="cpu"), *X.new([3], device="cpu")],
        [2, 3],
    ),
    # whole numbers that float64 does not tell apart
    (lambda: mg.isclose(mg.tensor(2**53), mg.tensor([2**53, 2**53 + 1]), 0, 0), [True, False]),
    (lambda: mg.isclose(mg.tensor(mg.nan), mg.tensor(mg.nan), 0, 0, equal_nan=True), True),
    # a mask for complex numbers, where nothing must be put in the place of any
    (lambda: mg.masked.logsumexp(mg.tensor([0j, 0j]), 0).exp().real.round(decimals=5), 2.0),
    (
        lambda: mg.masked.logsumexp(mg.tensor([1 + 1j, 2j]), 0, mask=mg.tensor([True, False])).real.round(),
        1.0,
    ),
    # numbers for the letters of einsum
    (lambda: mg.einsum(X[0], [0, 1], X[0], [2, 1], [0, 2])[0], (X[0] @ X[0].T)[0].tolist()),
    (lambda: mg.einsum(X[0], [1, 0]), X[0].T.tolist()),
    (lambda: mg.einsum(X[0], [26, 1]), X[0].T.tolist()),
    # element types meet
    (lambda: mg.tensor([True, False]) << 2, [4, 0]),
    (lambda: mg.tensor([3], dtype=mg.int8) >> True, [1]),
    (lambda: mg.tensor([1]) + (2**63), [1 - 2**63]),
    (lambda: mg.clamp_max(mg.tensor([True, False]), mg.tensor(False)), [False, False]),
    (lambda: mg.tensor([True, False]).clamp(min=mg.tensor([False, True])), [True, True]),
    (lambda: mg.logspace(0.5, 1, 1, dtype=mg.int32), [3]),
    (lambda: mg.logspace(0.5, 1, 3, dtype=mg.int32), [1, 3, 10]),
    (lambda: mg.cumulative_trapezoid(mg.tensor([254, 0, 3], dtype=mg.uint8), dx=2), [254, 257]),
    (lambda: mg.take_along_dim(mg.arange(4).reshape(2, 2), mg.tensor([3, 0], dtype=mg.int32)), [3, 0]),
    # odd numbers of points
    (lambda: mg.fft.fftfreq(0), []),
    (lambda: mg.fft.fftfreq(3, 0.0)[1:], [mg.inf, -mg.inf]),
    (lambda: mg.fft.fftshift(mg.arange(4).reshape(2, 2), (0, 0)), [[0, 1], [2, 3]]),
    # dropout that leaves all, and none
    (lambda: mg.dropout_(mg.ones(2, requires_grad=True), 0.5, False), [1, 1]),
    (lambda: mg.nn.functional.dropout(mg.ones(2, requires_grad=True), 0.0, True, True), [1, 1]),
    (lambda: mg.alpha_dropout(mg.tensor([3, 4]), 1.0, True), [0, 0]),
    # second derivatives where pieces meet
    (lambda: second(mg.nn.functional.elu), [1, 0, 0, 0]),
    (
        lambda: second(lambda x: mg.nn.functional.huber_loss(x + 1, mg.zeros(4), reduction="none")),
        [1, 0, 0, 0],
    ),
    (lambda: str(mg.ones(3).cumsum(0, dtype=mg.float16).dtype), "minigrad.float16"),
    (lambda: mg.cumprod(mg.tensor([2.0, 3.0003]), 0, dtype=mg.float16), [2, 6]),
    # shapes of results
    (lambda: list(mg.unique(mg.tensor(2.0), return_inverse=True)[1].shape), []),
    (lambda: mg.tensor([-1], dtype=mg.uint8), [255]),
    (lambda: mg.ones(2).char().dtype is mg.int8, True),
    (lambda: X.real is X, True),
    (lambda: mg.kaiser_window(4, beta=0.0), [1.0] * 4),
    (lambda: list(mg.empty_strided((), ()).shape), []),
    (lambda: X[0].T.resize_(4, 3), X[0].T.tolist()),
    (lambda: mg.vander(mg.tensor([1, 2], dtype=mg.int32), 1).dtype is mg.int64, True),
    (lambda: mg.full((1,), -1, dtype=mg.uint8), [255]),
]

ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: X.to(mg.int32, mg.int64), TypeError, "one device, one dtype"),
    (lambda: X.to(X, dtype=mg.int64), TypeError, "one device, one dtype"),
    (lambda: X.to("cpu", device="cpu"), TypeError, "one device, one dtype"),
    (lambda: X.to(mg.int32, False, True, False), TypeError, "one device, one dtype"),
    (lambda: mg.ones(3) in mg.ones(2), RuntimeError, r"The size of tensor a \(2\) must match"),
    (lambda: ~mg.tensor([1j]), TypeError, "only implemented on integer and Boolean"),
    (lambda: mg.Tensor([2], device="cuda"), RuntimeError, "CPU only"),
    (lambda: mg.FloatTensor(mg.ones(2), device="cpu"), RuntimeError, "Legacy tensor constructor"),
    (
        lambda: mg.masked.amin(mg.tensor([1j]), 0, mask=mg.tensor([True])),
        TypeError,
        "complex numbers have no order",
    ),
    (lambda: mg.quasirandom.SobolEngine(2).draw(0), RuntimeError, "n must be at least 1 here, got 0"),
    (lambda: mg.use_deterministic_algorithms(True, warn_only=1), TypeError, "'warn_only' must be bool"),  # type: ignore[arg-type]
    (lambda: mg.set_warn_always(1), RuntimeError, "expects a bool"),  # type: ignore[arg-type]
    (lambda: mg.set_deterministic_debug_mode(1.5), TypeError, "must be str or int"),  # type: ignore[arg-type]
    (
        lambda: mg.autograd.backward([leaf().sum(), mg.ones(1)]),
        RuntimeError,
        "^element 1 of tensors does not",
    ),
    (lambda: mg.autograd.grad(leaf().sum(), leaf(), retain_graph="a"), TypeError, "retain_graph"),  # type: ignore[arg-type]
    (lambda: mg.autograd.backward(leaf().sum(), retain_graph="a"), TypeError, "retain_graph"),  # type: ignore[arg-type]
    (lambda: mg.autograd.backward(leaf().sum(), create_graph=None), TypeError, "create_graph"),  # type: ignore[arg-type]
    (lambda: mg.autograd.grad(leaf().sum(), leaf(), materialize_grads=1.0), TypeError, "materialize_grads"),  # type: ignore[call-overload]
    (
        lambda: mg.autograd.functional.hvp(mg.sum, mg.ones(2), mg.ones(2), create_graph="a"),
        TypeError,
        "create_graph",
    ),  # type: ignore[call-overload]
    (lambda: mg.autograd.detect_anomaly(1), TypeError, "'check_nan' must be bool"),  # type: ignore[arg-type]
    (lambda: mg.autograd.set_multithreading_enabled("a"), TypeError, "must be bool"),  # type: ignore[arg-type]
    (lambda: mg.ones(3)[[1, float("nan")]], RuntimeError, "cannot be converted to int64"),
    (lambda: mg.ones(3)[mg.tensor([1.0])], IndexError, "used as indices must be long"),
    (
        lambda: mg.tensor(300, dtype=mg.uint8),
        RuntimeError,
        "value cannot be converted to type .*uint8 without",
    ),
    (lambda: mg.tensor([128], dtype=mg.int8), RuntimeError, "value cannot be converted"),
    (lambda: mg.clamp(mg.tensor([True]), mg.tensor(False), mg.tensor(True)), NotImplementedError, "Bool"),
    (lambda: mg.clamp_max(mg.tensor([True]), True), NotImplementedError, "Bool"),
    (lambda: mg.tensordot(mg.ones(2, 2), mg.ones(2, 2), 0.5), RuntimeError, "expects dims to be int or"),
    (lambda: mg.fft.ifft(mg.ones(3), -1), RuntimeError, "Invalid number of data points"),
    (
        lambda: mg.heaviside(mg.ones(2, requires_grad=True), mg.ones(2)).sum().backward(),
        RuntimeError,
        "derivative for heaviside is not implemented",
    ),
    (lambda: mg.IntTensor([2**31]), RuntimeError, "value cannot be converted"),
    (lambda: mg.tensor(300.5, dtype=mg.uint8), RuntimeError, "value cannot be converted"),
    (lambda: mg.full((2,), float("inf"), dtype=mg.int64), RuntimeError, "value cannot be converted"),
    (lambda: mg.full((2,), 300.5, dtype=mg.uint8), RuntimeError, "value cannot be converted"),
    (lambda: mg.tensor(None), RuntimeError, "Could not infer dtype of NoneType"),
    (lambda: mg.tensor([{}]), RuntimeError, "Could not infer dtype of dict"),
    (lambda: mg.tensor(["a"]), ValueError, "too many dimensions 'str'"),
    (lambda: mg.tensor([1], dtype=mg.uint8) < 2**70, OverflowError, "int too big to convert"),
    (lambda: mg.tensor([1]) * -(2**64), OverflowError, "int too big to convert"),
    (
        lambda: mg.ones(2, 3).sum(4),
        IndexError,
        r"out of range \(.* got 4\) in sum\(\) of a Tensor of shape \[2, 3\] \(at ",
    ),
    (lambda: mg.stack([mg.ones(2)], 4), IndexError, r"in stack\(\) of a Tensor of shape \[2\]"),
    (lambda: mg.ones(1) * 2**70, OverflowError, "int too big to convert"),
    (lambda: mg.ones(1) ** 2**70, OverflowError, "int too big to convert"),
    (
        lambda: mg.full((1,), -(2**64)),
        OverflowError,
        r"int too big to convert[^()]*float\(\)[^()]*\(at [^()]*\)$",
    ),
    (lambda: mg.tensor([True]) << True, NotImplementedError, "bitwise_left_shift"),
    (lambda: mg.ones(2) >> 1, NotImplementedError, "bitwise_right_shift"),
    (lambda: mg.ones(4)[::2].view(mg.float64), RuntimeError, r"self.stride\(-1\) must be 1 to view"),
    (lambda: mg.empty_strided((2,), (1, 2)), RuntimeError, "dimensionality of sizes"),
    (lambda: mg.empty_permuted((2, 3), (0, 0)), RuntimeError, "names each dimension"),
    (lambda: mg.ones(2, 1).dim_order(ambiguity_check=True), RuntimeError, "unique dim order"),
    (lambda: mg.ones(3).put_(mg.tensor([0]), mg.ones(2)), IndexError, "same number of elements"),
    (lambda: mg.ones(3).take(mg.tensor([0.0])), RuntimeError, "Expected a long tensor"),
    (lambda: mg.frombuffer(memoryview(bytes(8))[::2], dtype=mg.uint8), RuntimeError, "could not retrieve"),
    (lambda: mg.asarray(bytearray(8), device="cuda"), AssertionError, "CPU only"),
    (lambda: mg.as_tensor(mg.ones(2), device="cuda"), AssertionError, "CPU only"),
    (lambda: mg.device("cpu:x"), RuntimeError, "Invalid device string: 'cpu:x'"),
    (lambda: mg.broadcast_shapes((2, -1), (3,)), ValueError, "negative length"),
    (lambda: mg.kaiser_window(-1), RuntimeError, "non-negative window_length"),
]


# Numbers that are stored, and do not count from an end as those in arithmetic do.
SMALL = mg.tensor([100, 3], dtype=mg.uint8)
STORED: list[Callable[[float], Any]] = [
    lambda n: SMALL.clone().fill_(n),
    lambda n: SMALL.clone().__setitem__(0, n),
    lambda n: SMALL.clone().__setitem__(SMALL > 5, n),
    lambda n: SMALL.clamp(max=n),
    lambda n: mg.where(SMALL > 5, SMALL, n),
    lambda n: SMALL.masked_fill(SMALL > 5, n),
    lambda n: SMALL.scatter(0, mg.tensor([0]), n),
    lambda n: mg.nn.functional.pad(SMALL, (1, 1), value=n),
]


@pytest.mark.parametrize("store", STORED)
def test_a_number_that_is_stored_must_fit(store: Callable[[float], Any]) -> None:
    for n in (300, -300):
        with pytest.raises(RuntimeError, match="value cannot be converted to type uint8 without overflow"):
            store(n)
    store(-3)
    assert (SMALL + 300).tolist() == [144, 47]


HALF, SINGLE, SHORT = (mg.tensor([1.0, -2.0], dtype=t) for t in (mg.float16, mg.float32, mg.bfloat16))
BEYOND: list[
    tuple[Callable[[Any], Any], Any, Any]
] = [  # a number that is stored, one that fits, and one that does not
    (lambda n: HALF.clone().fill_(n), 65504, 65504.1),
    (lambda n: HALF.masked_fill(HALF > 0, n), -1e4, -1e9),
    (lambda n: mg.full((2,), n, dtype=mg.float16), -mg.inf, -1e5),
    (lambda n: HALF.clamp(max=n), mg.inf, 1e9),
    (lambda n: HALF.add(HALF, alpha=n), 3.0, 1e9),
    (lambda n: HALF**n, 2.0, 1e9),
    (lambda n: SINGLE.clone().fill_(n), 3.4e38, 3.5e38),
    (lambda n: SINGLE.clone().__setitem__(0, n), mg.nan, -1e39),
    (lambda n: SINGLE.cfloat().fill_(n), complex(1, mg.inf), 1e39j),
    (lambda n: SHORT.clone().fill_(n), 3.38e38, 3.4e38),
    (lambda n: mg.full((1,), n), -mg.inf, 1e300),
    (lambda n: mg.fill(SINGLE, n), 0.5, 1e300),
    (lambda n: mg.nn.init.constant_(SINGLE.clone(), n), mg.nan, 1e300),
    (lambda n: SINGLE.clone().__setitem__(SINGLE > 0, n), mg.inf, 1e300),
    (lambda n: mg.linspace(0, n, 2, dtype=mg.float16), 6e4, 1e6),
    (lambda n: mg.addcmul(SMALL, SMALL, SMALL, value=n), -3, 300),
    (lambda n: mg.addmm(SMALL[None], SMALL[:1, None], SMALL[None], beta=n), 255, 256),
    (lambda n: mg.linspace(0, n, 3, dtype=mg.uint8), 255, 256),
    (lambda n: mg.nn.functional.threshold(SMALL, 5, n), 255, 256),
    (lambda n: mg.nn.functional.hardtanh(HALF, 0, n), 1, 1e9),
    (lambda n: mg.nn.functional.hardtanh(SMALL, 0, n), 1.5, 1e39),
    (lambda n: SMALL.clone().fill_(n), -1, -1.0),
    (lambda n: mg.tensor(n, dtype=mg.uint8), -1, -0.5),
    (lambda n: SMALL.clone().fill_(n), 2.5, 1e39),
]


@pytest.mark.parametrize(("store", "fits", "beyond"), BEYOND)
def test_floats_that_are_stored_must_fit_too(store: Callable[[Any], Any], fits: Any, beyond: Any) -> None:
    store(fits)
    with pytest.raises(RuntimeError, match=r"value cannot be converted to type .* without overflow"):
        store(beyond)


def test_floats_of_two_bytes_overflow_where_a_number_is_assigned_or_computed_with() -> None:
    half = HALF.clone()
    half[0], half[half < 0] = 1e9, -1e9
    assert half.tolist() == [mg.inf, -mg.inf]
    for one in (mg.full((), 1e9, dtype=mg.half), HALF[:1].clone().fill_(1e9), mg.fill(HALF[0], 1e9)):
        assert one.item() == mg.inf  # what is stored in many elements must fit
    assert (HALF * 1e9).tolist() == mg.where(HALF < 5, mg.inf * HALF, 1e9).tolist() == half.tolist()
    yes = mg.tensor([True, False])
    assert mg.where(yes, mg.tensor(1.5).numpy()[()], -1).tolist() == [
        1.5,
        -1.0,
    ]  # two numbers, one of NumPy's
    assert yes.masked_fill(yes, 0j).tolist() == [False, False]  # complex ones too are true or false
    assert mg.linspace(0, 1j, 3).tolist() == [0, 0.5j, 1j]
    assert mg.logspace(0, 1j, 2).dtype == mg.complex64
    with pytest.raises(RuntimeError, match="can't be safely cast to passed dtype"):
        mg.linspace(0, 1j, 3, dtype=mg.float32)
    assert mg.bucketize(300, SMALL.sort()[0]).item() == 1  # 44, as uint8 has it


@pytest.mark.parametrize(("call", "expected"), VALUES)
def test_values(call: Callable[[], Any], expected: Any) -> None:
    y = call()
    assert (y.tolist() if isinstance(y, mg.Tensor) else y) == expected


@pytest.mark.parametrize(("call", "kind", "words"), ERRORS)
def test_errors(call: Callable[[], Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call()


def test_a_gradient_lies_in_memory_as_its_tensor_does() -> None:
    for use in (
        lambda w: mg.ones(5, 3) @ w.t(),
        lambda w: w.t().exp(),
        lambda w: mg.einsum("ab,cb->ca", w, mg.ones(2, 3)),
        lambda w: w.permute(1, 0),
    ):
        w = mg.ones(4, 3, requires_grad=True)
        out = use(w)
        out.backward(mg.arange(out.numel(), dtype=mg.float32).reshape(out.shape))
        again = w.grad.clone()
        assert w.grad.view(-1).shape == (12,)
        out = use(w)
        out.backward(mg.arange(out.numel(), dtype=mg.float32).reshape(out.shape), create_graph=True)
        assert mg.equal(w.grad, 2 * again)
        assert w.grad.view(-1).shape == (12,)
    step = mg.compile(lambda w: (mg.ones(5, 3) @ w.t()).sum().backward())
    for _ in range(3):
        w = mg.ones(4, 3, requires_grad=True)
        step(w)
        assert w.grad.view(-1).tolist() == [5.0] * 12


def test_hooks_and_gradients_refuse() -> None:
    x = mg.ones(2, requires_grad=True)
    with pytest.warns(FutureWarning, match="grad_variables"):
        mg.autograd.backward(x * 3, grad_variables=mg.ones(2))
    assert x.grad is not None
    assert x.grad.tolist() == [3, 3]
    x.exp().sum().backward(retain_graph=1, create_graph=0)  # PyTorch takes whole numbers for these
    with pytest.raises(TypeError, match="argument 'create_graph' must be bool or int, not str"):
        x.sum().backward(create_graph="a")  # type: ignore[arg-type]
    both = pytest.raises(RuntimeError, match="both passed")
    with pytest.warns(FutureWarning, match="grad_variables"), both:
        mg.autograd.backward(x * 3, mg.ones(2), grad_variables=mg.ones(2))
    with pytest.raises(RuntimeError, match="own grad"):
        x.grad = x
    hook = x.register_hook(lambda g: g.double())
    with pytest.raises(RuntimeError, match="has changed the type of value"):
        (x * 2).sum().backward()
    hook.remove()
    y = x * 2
    y.grad_fn.register_prehook(lambda grads: grads[0])  # type: ignore[union-attr]
    with pytest.raises(TypeError, match="expected tuple, but hook returned 'Tensor'"):
        y.sum().backward()
    accumulate = y.grad_fn.next_functions[0][0]  # type: ignore[union-attr]
    assert accumulate.variable is x
    y = x.exp() + x * 3
    exp, mul = (n for n, _ in y.grad_fn.next_functions)  # type: ignore[union-attr]
    handle = exp.register_prehook(lambda grads: (None,))  # no gradient goes on, as in PyTorch
    assert mg.autograd.grad(y.sum(), x, retain_graph=True)[0].tolist() == [3, 3]
    seen: list[Any] = []
    with exp.register_hook(lambda *grads: seen.append(grads)), exp.register_prehook(seen.append):
        y.sum().backward(retain_graph=True)
    assert seen == [(None,), ((None,), (None,))]
    with (
        exp.register_prehook(lambda grads: (mg.ones(2),)),
        pytest.raises(RuntimeError, match="a None gradient"),
    ):
        y.sum().backward(retain_graph=True)
    for returned, kind, text in (
        ([mg.ones(2), None], TypeError, "tuple of gradients"),
        (mg.ones(2), TypeError, "tuple of gradients"),
        ((mg.ones(2).double(), None), RuntimeError, "changed the type of value"),
    ):
        with mul.register_hook(lambda *grads: returned), pytest.raises(kind, match=text):  # noqa: B023
            y.sum().backward(retain_graph=True)
    x.grad = None
    accumulate.register_prehook(lambda grads: (None,))
    y.sum().backward()
    assert x.grad is None
    handle.remove()


def test_floats_in_a_list_of_indices_lose_their_fractions() -> None:
    x = mg.arange(12.0).reshape(3, 4)
    for key, rows in (([1.5], [1]), ([-1.0, 0.0], [2, 0]), (np.array([1.0]), [1]), ([True, 1.0], [1, 1])):
        assert mg.equal(x[key], x[rows])
        y = x.clone()
        y[key] = -1.0
        assert mg.equal(y, x.index_put((mg.tensor(rows),), mg.tensor(-1.0)))
    assert x[:, [1.0]].tolist() == [[1.0], [5.0], [9.0]]


def test_what_a_function_keeps_and_what_it_is_called() -> None:
    class Split(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y, constant = x * 2, x * 3
            ctx.mark_non_differentiable(constant)
            ctx.save_for_backward(y, constant)
            return y, constant

        @staticmethod
        def backward(ctx: Any, g: Any, _: Any) -> Any:
            kept.extend(t.requires_grad for t in ctx.saved_tensors)
            return g * 2

    kept: list[bool] = []
    x = mg.ones(2, requires_grad=True)
    y, constant = Split.apply(x)
    assert y.grad_fn.name() == "SplitBackward"
    assert constant.grad_fn is None
    y.sum().backward()
    assert kept == [True, False]
    assert x.grad.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="Legacy autograd function"):
        Split()(x)


def test_zeros_for_what_is_not_reached_belong_to_the_graph() -> None:
    x, y = mg.ones(2, requires_grad=True), mg.ones(2, requires_grad=True)
    for create in (False, True):
        g = mg.autograd.grad(x.sum(), y, materialize_grads=True, create_graph=create)[0]
        assert g.tolist() == [0.0, 0.0]
        assert g.requires_grad is create


def test_linearize() -> None:
    x, v = mg.rand(3), mg.rand(3)
    y, product = mg.func.linearize(mg.sin, x)
    assert mg.equal(y, x.sin())
    assert mg.allclose(product(v), x.cos() * v)


def test_what_is_close() -> None:
    close = mg.testing.assert_close
    close([1, None, {"a": mg.ones(1)}], [1, None, {"a": mg.ones(1)}])
    close(1, 1.0, check_dtype=False)
    for a, b, words in (
        (1, 1.0, "types do not match"),
        (True, 1, "types do not match"),
        (None, 1, "None mismatch"),
    ):
        with pytest.raises(AssertionError, match=words):
            close(a, b)
    for a, b in ((2**53, 2**53 + 1), (mg.tensor([2**60]), mg.tensor([2**60 + 1]))):
        with pytest.raises(AssertionError, match="absolute difference: 1 "):
            close(a, b)
    with pytest.raises(TypeError, match="No comparison pair"):
        close(mg.ones(1), mg.nn.Parameter(mg.ones(1)), allow_subclasses=False)
    close(np.float64(1), 1.0, allow_subclasses=False)
    for a, b in (("a", "a"), (object(), object()), ([1, "a"], [1, "a"])):
        with pytest.raises(TypeError, match="No comparison pair was able to handle inputs of type"):
            close(a, b)


def test_an_object_with_an_index_is_one() -> None:
    class One:
        def __index__(self) -> int:
            return 1

    assert X[One()].tolist() == X[1].tolist()  # type: ignore[index]
    assert X[0, One()].tolist() == X[0, 1].tolist()  # type: ignore[index]


def test_two_tensors_change_places() -> None:
    a, b = mg.nn.Parameter(mg.ones(2)), mg.zeros(3, dtype=mg.float64)
    a.name_of_a = "a"  # type: ignore[attr-defined]
    layer = mg.nn.Linear(1, 1, bias=False)
    a.sum().backward()
    mg.utils.swap_tensors(a, b)
    assert isinstance(b, mg.nn.Parameter)
    assert type(a) is mg.Tensor
    assert (a.shape, a.dtype, a.requires_grad, b.tolist(), b.grad.tolist()) == (
        (3,),
        mg.float64,
        False,
        [1, 1],
        [1, 1],
    )
    assert b.name_of_a == "a"
    (b * 2).sum().backward()
    assert b.grad.tolist() == [3, 3]
    mg.utils.swap_tensors(layer.weight, mg.nn.Parameter(mg.ones(2, 1)))
    assert layer(mg.ones(1, 1)).tolist() == [[1, 1]]
    with pytest.raises(RuntimeError, match="view"):
        mg.utils.swap_tensors(a, b[:1])
    with pytest.raises(TypeError, match="expected Tensors, got int"):
        mg.utils.swap_tensors(a, 1)  # type: ignore[arg-type]

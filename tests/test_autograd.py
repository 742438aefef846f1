"""Backward and grad, grad modes, hooks, Function, anomaly mode, and how graphs are freed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from cases import at_once

import minigrad as mg
from minigrad import autograd
from minigrad.autograd import Function, once_differentiable
from minigrad.nn import functional as F


def double(*values: Any) -> Any:
    return mg.tensor(list(values), dtype=mg.float64, requires_grad=True)


def scalar(value: float) -> Any:
    return mg.tensor(value, dtype=mg.float64, requires_grad=True)


def line() -> int:
    """The line that this is called from."""
    return sys._getframe(1).f_lineno


# ---------------------------------------------------------------- backward


def test_gradients_accumulate() -> None:
    x = double(1.0, 2.0)
    for times in (1, 2, 3):
        (x * x).sum().backward()
        assert x.grad.tolist() == [2.0 * times, 4.0 * times]
    x.grad = None
    (3 * x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert not x.grad.requires_grad


def test_a_leaf_used_twice_in_one_graph() -> None:
    x = scalar(3.0)
    y = x * x + x.exp() * 0 + x
    y.backward()
    assert x.grad.item() == 7.0
    x.grad = None
    (x + x).backward()
    assert x.grad.item() == 2.0


def test_a_leaf_itself() -> None:
    x = scalar(3.0)
    x.backward()
    assert x.grad.item() == 1.0


def test_accumulation_does_not_change_what_the_user_gave() -> None:
    seed = mg.ones(2, dtype=mg.float64)
    x = double(1.0, 2.0)
    x.backward(seed)
    x.backward(seed)
    assert x.grad.tolist() == [2.0, 2.0]
    assert seed.tolist() == [1.0, 1.0]
    y = double(5.0, 6.0)
    (x + y).backward(seed)
    x.grad.mul_(100)
    assert y.grad.tolist() == [1.0, 1.0]
    assert seed.tolist() == [1.0, 1.0]


def test_two_leaves_do_not_share_a_gradient() -> None:
    x, y = double(1.0, 2.0), double(3.0, 4.0)
    (x + y).sum().backward()
    x.grad.zero_()
    assert y.grad.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("recorded", [False, True])
def test_a_sum_of_gradients_lies_in_memory_as_a_recorded_one(recorded: bool) -> None:
    x = mg.ones(3, 4, requires_grad=True) * 1.0
    x.retain_grad()
    across = mg.ones(4, 3).t()
    ((x * mg.ones(3, 4)).sum() + (x * across).sum() + (x * across).sum()).backward(create_graph=recorded)
    assert x.grad is not None
    assert x.grad.stride() == (4, 1)


@pytest.mark.parametrize("dense", [0, 3, 5], ids=["last", "between", "first"])
@pytest.mark.parametrize("dtype", [mg.float32, mg.float16])
def test_gradients_of_slices_are_added_in_place_with_the_same_bits(dtype: Any, dense: int) -> None:
    rng = np.random.default_rng(0)
    places: list[Any] = [np.s_[:, 1], np.s_[1:, ::2], np.s_[..., 1:3], np.s_[:, -1:], np.s_[None, 1]]
    places.insert(dense, ...)
    # Their gradients, of which the last comes first.
    factors = [
        mg.from_numpy(rng.choice([-0.0] * 7 + [1.5], np.ones((3, 4))[k].shape)).to(dtype) for k in places
    ]

    def gradient(recorded: bool) -> bytes:
        x = mg.ones(3, 4, dtype=dtype, requires_grad=True)
        y = x * 1.0
        loss = sum([((y if k is ... else y[k]) * f).sum() for k, f in zip(places, factors, strict=True)])
        return autograd.grad(loss, [x], create_graph=recorded)[0].detach().numpy().tobytes()

    assert gradient(False) == gradient(True)


def test_many_slices_make_few_arrays_of_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    zeros = np.zeros
    monkeypatch.setattr(np, "zeros", lambda shape, *args: made.append(shape) or zeros(shape, *args))
    y = mg.ones(2, 50, 3, requires_grad=True) * 1.0
    autograd.grad(sum((y[:, k] * k).sum() for k in range(50)), [y])
    assert made.count((2, 50, 3)) == 2


def test_a_non_scalar_needs_a_gradient() -> None:
    x = double(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"scalar outputs.*\[2\]"):
        (x * 2).backward()
    (x * 2).backward(mg.tensor([1.0, 10.0], dtype=mg.float64))
    assert x.grad.tolist() == [2.0, 20.0]
    with pytest.raises(RuntimeError, match="shape"):
        (x * 2).backward(mg.ones(3, dtype=mg.float64))
    with pytest.raises(TypeError, match="'gradient' must be Tensor or None, not float"):
        (x * 2).backward(2.0)
    mg.ones(1, 1, requires_grad=True).mul(2).backward()  # one element will do


def _slope() -> mg.Tensor:
    x = mg.ones(1, requires_grad=True)
    return mg.autograd.grad((x**2).sum(), x)[0]


@pytest.mark.parametrize(
    "make", [lambda: mg.ones(1), lambda: mg.ones(1, requires_grad=True).detach() * 2, _slope]
)
def test_nothing_to_differentiate(make: Any) -> None:
    with pytest.raises(RuntimeError, match=r"does not require grad.*detach\(\) .* without create_graph=True"):
        make().backward()
    with mg.no_grad():
        y = mg.ones(1, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="no_grad"):
        y.backward()


def test_a_second_backward_names_the_first() -> None:
    x = double(1.0, 2.0)
    made = line() + 1
    y = (x * x).sum()
    first = line() + 1
    y.backward()
    with pytest.raises(RuntimeError, match="second time") as caught:
        y.backward()
    text = str(caught.value)
    assert f"test_autograd.py:{first}" in text
    assert f"test_autograd.py:{made}" in text
    assert "retain_graph=True" in text
    assert x.grad.tolist() == [2.0, 4.0]


def test_retain_graph() -> None:
    x = double(1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_a_shared_part_of_two_graphs_is_freed_by_the_first() -> None:
    x = double(1.0, 2.0)
    shared = x * x
    a, b = (shared * 2).sum(), (shared * 3).sum()
    a.backward()
    with pytest.raises(RuntimeError, match="second time"):
        b.backward()


def after_use(leaf: bool, saved: bool, data: Any) -> Any:
    x = mg.ones(4, 4, requires_grad=True)
    h = x if leaf else x * 1
    y = h * h if saved else h + 1
    h.data = data
    return y, h


@pytest.mark.parametrize("shape", [(), (0,), (4,), (16,), (2, 2), (6, 6), (4, 1), (1, 4, 4)])
def test_data_of_another_shape_ends_a_backward_pass_as_in_pytorch(shape: tuple[int, ...]) -> None:
    for leaf in (True, False):
        for saved in (True, False):
            y, h = after_use(leaf, saved, mg.zeros(shape))
            if leaf:
                with pytest.raises(RuntimeError, match="invalid gradient of shape"):
                    y.sum().backward()
            if shape not in ((4,), (1, 4, 4)) and not leaf:
                with pytest.raises(RuntimeError, match="invalid gradient of shape"):
                    (h * 2).sum().backward()
    x = mg.ones(4, 4, requires_grad=True)
    x.sum().backward()
    x.data = mg.zeros(shape)
    with pytest.raises(RuntimeError) if shape not in ((), (4,), (4, 1)) else contextlib.nullcontext():
        x.sum().backward()


@pytest.mark.parametrize("mode", [
    mg.no_grad, mg.enable_grad, mg.inference_mode, lambda: mg.set_grad_enabled(False),
    lambda: autograd.set_detect_anomaly(False), lambda: autograd.set_multithreading_enabled(False),
    autograd.grad_mode.no_grad, lambda: autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t),
    autograd.graph.save_on_cpu, lambda: mg.serialization.set_default_mmap_options(1),
])  # fmt: skip
def test_modes_are_entered_without_a_value(mode: Any) -> None:
    with mode() as entered:
        assert entered is None


def test_names_that_programs_ask_for() -> None:
    assert mg.is_anomaly_check_nan_enabled()
    with autograd.set_detect_anomaly(True, check_nan=False):
        assert (mg.is_anomaly_enabled(), mg.is_anomaly_check_nan_enabled()) == (True, False)
        x = double(-1.0)
        x.sqrt().sum().backward()
    with pytest.raises(ValueError, match="but got 7"):
        mg.serialization.set_default_mmap_options(7)


# Where PyTorch saves no Tensor a number that a rule reads is no reason for a second pass to fail.
RUN_TWICE: list[tuple[str, Callable[[Any], Any]]] = [
    ("add", lambda x: mg.add(x, x, alpha=2)), ("sub", lambda x: x.sub(x, alpha=2.5)),
    ("rsub", lambda x: mg.rsub(x, x, alpha=2)), ("add_", lambda x: x.clone().add_(x, alpha=2)),
    ("lerp", lambda x: x.lerp(mg.zeros_like(x), 0.3)), ("lerp_", lambda x: x.clone().lerp_(x, 0.7)),
    ("trapezoid", lambda x: mg.trapezoid(x, dx=3)), ("deg2rad", mg.deg2rad),
    ("addmm", lambda x: mg.addmm(x, mg.ones_like(x), mg.ones_like(x), beta=2)),
    ("repeat_interleave", lambda x: x.repeat_interleave(2, 0)), ("mean", lambda x: x.mean(0)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "f"), RUN_TWICE)
def test_a_graph_without_saved_tensors_may_run_twice(name: str, f: Callable[[Any], Any]) -> None:
    for dtype in (mg.float32, mg.float16):
        x = mg.rand(4, 4, dtype=dtype, requires_grad=True)
        y = f(x).sum()
        (once,) = mg.autograd.grad(y, x, create_graph=True)
        y.backward()
        assert x.grad.tolist() == once.tolist()
        y.backward()
        assert x.grad.tolist() == (2 * once).tolist()


def test_a_graph_without_saved_arrays_may_run_twice() -> None:
    x = double(1.0)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0]


def test_backward_of_some_inputs() -> None:
    x, y = double(1.0), double(2.0)
    z = (x * y).sum()
    z.backward(inputs=[x])
    assert x.grad.tolist() == [2.0]
    assert y.grad is None
    with pytest.raises(RuntimeError, match="empty"):
        (x * y).sum().backward(inputs=[])
    with pytest.raises(RuntimeError, match="require grad"):
        (x * y).sum().backward(inputs=[mg.ones(1)])


def test_backward_of_an_intermediate_as_input() -> None:
    x = double(2.0)
    m = x * 3
    (m * m).sum().backward(inputs=[m])
    assert m.grad.tolist() == [12.0]
    assert x.grad is None


def test_a_pass_that_stops_at_an_intermediate_leaves_the_rest_alone() -> None:
    x = double(2.0)
    m = x * x
    (gm,) = autograd.grad((m * m).sum(), m)
    assert gm.tolist() == [8.0]
    m.backward(gm)  # the record of m was not run yet, so it is not freed
    assert x.grad.tolist() == [32.0]
    (gm,) = autograd.grad((m * m).sum(), m)  # and now that it is, nobody needs it
    assert gm.tolist() == [8.0]


def test_several_roots() -> None:
    x = double(1.0, 2.0)
    autograd.backward([(x * 2).sum(), x * 3], [None, mg.tensor([1.0, 10.0], dtype=mg.float64)])
    assert x.grad.tolist() == [5.0, 32.0]


# ---------------------------------------------------------------- grad


def test_grad_leaves_grad_alone() -> None:
    x, y = double(2.0), double(5.0)
    gx, gy = autograd.grad((x * y).sum(), [x, y])
    assert (gx.tolist(), gy.tolist()) == ([5.0], [2.0])
    assert x.grad is None
    (only,) = autograd.grad(x * y, x, mg.tensor([3.0], dtype=mg.float64))
    assert only.tolist() == [15.0]


def test_unused_inputs() -> None:
    x, y = double(2.0), double(5.0)
    with pytest.raises(RuntimeError, match=r"allow_unused=True"):
        autograd.grad((x * 2).sum(), [x, y])
    gx, gy = autograd.grad((x * 2).sum(), [x, y], allow_unused=True)
    assert gx.tolist() == [2.0]
    assert gy is None
    _, gy = autograd.grad((x * 2).sum(), [x, y], materialize_grads=True)
    assert gy.tolist() == [0.0]
    with pytest.raises(ValueError, match="materialize_grads"):
        autograd.grad((x * 2).sum(), [x, y], allow_unused=False, materialize_grads=True)


def test_grad_of_intermediates_and_of_itself() -> None:
    x = double(2.0)
    m = x * 3
    y = (m * m).sum()
    gm, gx = autograd.grad(y, [m, x], retain_graph=True)
    assert (gm.tolist(), gx.tolist()) == ([12.0], [36.0])
    (gy,) = autograd.grad(y, y)
    assert gy.item() == 1.0


@pytest.mark.parametrize("inputs", [False, True])
def test_a_plain_pass_adds_to_a_gradient_that_was_recorded(inputs: bool) -> None:
    x = double(2.0)
    (x * x).sum().backward(create_graph=True)
    first = x.grad
    (x * 3).sum().backward(inputs=[x] if inputs else None)
    assert x.grad is first
    assert (first.tolist(), first.requires_grad) == ([7.0], True)


def test_no_gradient_is_added_to_an_expanded_one() -> None:
    x = mg.ones(2, requires_grad=True)
    x.grad = mg.ones(()).expand(2)
    with pytest.raises(RuntimeError, match="refers to a single memory location"):
        (x * 3).sum().backward()


def test_a_gradient_reaches_a_leaf_that_was_given_other_data() -> None:
    for step in (lambda x: x.data * 1, lambda x: x.data.view(1, 2).t().clone().t().view(2)):
        x = double(2.0, 3.0)
        y = x * 2
        x.data = step(x)
        loss = (y + x * 3).sum()
        assert autograd.grad(loss, x, retain_graph=True)[0].tolist() == [5.0, 5.0]
        loss.backward(inputs=[x])
        assert x.grad.tolist() == [5.0, 5.0]


def test_source_sees_that_a_leaf_was_given_other_data() -> None:
    w = double(2.0)
    a = w * 1
    w.data = double(5.0).detach()
    b = w * 1
    with mg.no_grad():
        w.add_(1)
    with pytest.raises(RuntimeError, match="was changed in place between its uses"):
        mg.source((a * b).sum())
    assert "w * w" in str(mg.source((w * w).sum()))


@pytest.mark.parametrize("other", [mg.ones(2, 2), mg.ones(5)])
def test_views_of_what_was_given_other_memory_stand_alone(other: Any) -> None:
    for carries in (False, True):
        x = double(1.0, 2.0)
        base = x.expand(2, 2) * 2
        base = base if carries else base.detach()
        view = base[0]
        base.data = other.clone().double()
        with mg.no_grad():
            view.neg_()
        view *= x
        assert view.tolist() == [-2.0, -8.0]
        assert base.tolist() == other.tolist()
        view.sum().backward()
        assert x.grad is not None


def test_what_backward_is_asked_for_retains_its_gradient() -> None:
    x = double(1.0)
    y = x * 2
    y.sum().backward(inputs=[y], retain_graph=True)
    assert (y.grad.tolist(), y.retains_grad, x.grad) == ([1.0], True, None)
    (y * 3).sum().backward()
    assert (y.grad.tolist(), x.grad.tolist()) == ([4.0], [6.0])


def test_a_result_of_another_shape_in_place_is_detached_in_place() -> None:
    for change in (lambda t: t.t_(), lambda t: t.unsqueeze_(0).squeeze_(0), lambda t: t.transpose_(0, 1)):
        y = mg.ones(2, 3, requires_grad=True) * 2
        assert not change(y).detach_().requires_grad
    with pytest.raises(RuntimeError, match="Can't detach views"):
        (mg.ones(2, 3, requires_grad=True) * 2)[0].unsqueeze_(0).detach_()


def test_the_flag_of_a_result_is_not_set() -> None:
    y = double(1.0) * 2
    for flag in (True, False):
        with pytest.raises(RuntimeError, match="requires_grad flags of leaf variables"):
            y.requires_grad = flag
    assert y.requires_grad_() is y


def test_create_graph_to_order_3() -> None:
    x = scalar(2.0)
    y = x**4 + x.exp()
    (first,) = autograd.grad(y, x, create_graph=True)
    (second,) = autograd.grad(first, x, create_graph=True)
    (third,) = autograd.grad(second, x, create_graph=True)
    e = np.exp(2.0)
    assert np.allclose([first.item(), second.item(), third.item()], [32 + e, 48 + e, 48 + e])
    assert third.requires_grad


@pytest.mark.parametrize(
    "function",
    [F.leaky_relu, F.hardtanh, F.softshrink, F.hardshrink, lambda x: F.threshold(x, 0.1, 2.0), F.rrelu, F.hardsigmoid,
     lambda x: F.prelu(x, mg.tensor([0.25, 0.5], dtype=mg.float64)), lambda x: F.max_pool1d(x, 2)],
)  # fmt: skip
def test_the_second_gradient_of_what_only_compares_is_zero_and_not_missing(function: Any) -> None:
    x = mg.tensor([[-3.0, 0.2], [0.7, 2.0]], dtype=mg.float64, requires_grad=True)
    (g,) = autograd.grad(function(x).sum(), x, create_graph=True)
    (second,) = autograd.grad((g * g).sum(), x)
    assert second.dtype == mg.float64
    assert second.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_backward_with_create_graph_can_be_differentiated() -> None:
    x = scalar(3.0)
    (x**3).backward(create_graph=True)
    assert x.grad.item() == 27.0
    assert x.grad.requires_grad
    g, x.grad = x.grad, None
    g.backward()
    assert x.grad.item() == 18.0


def test_mixed_second_derivatives() -> None:
    x, w = double(1.0, 2.0), double(3.0, 4.0)
    y = (x * x * w).sum()
    (gx,) = autograd.grad(y, x, create_graph=True)
    (gw,) = autograd.grad(gx.sum(), w)
    assert gw.tolist() == [2.0, 4.0]  # d/dw of 2 x w


def test_grad_under_no_grad() -> None:
    x = double(2.0)
    y = (x * x).sum()
    with mg.no_grad():
        (g,) = autograd.grad(y, x, create_graph=True)
    assert g.requires_grad


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda x: autograd.grad(x.sum(), [2.0]), TypeError),
        (lambda x: autograd.grad(x.sum(), [mg.ones(1)]), RuntimeError),
        (lambda x: autograd.grad(2.0, [x]), TypeError),
        (lambda x: autograd.grad([x.sum()], [x], [None, None]), RuntimeError),
        (lambda x: autograd.grad(x.sum(), x, is_grads_batched=True), (NotImplementedError, RuntimeError)),
    ],
)
def test_grad_refuses(call: Any, kind: Any) -> None:
    with pytest.raises(kind):
        call(double(1.0))


# ---------------------------------------------------------------- leaves, detach, retain_grad


def test_leaves() -> None:
    x = double(1.0)
    y = x * 2
    assert x.is_leaf
    assert not y.is_leaf
    assert y.grad_fn.name() == "MulBackward0"
    assert y.grad_fn.next_functions[0][0].name() == "torch::autograd::AccumulateGrad"
    assert x.grad_fn is None
    with pytest.raises(RuntimeError, match="leaf"):
        y.requires_grad_(False)
    with pytest.raises(RuntimeError, match="floating point"):
        mg.arange(3).requires_grad_()
    z = y.detach()
    assert z.is_leaf
    assert not z.requires_grad
    assert np.shares_memory(z.numpy(), y.detach().numpy())


def test_the_grad_of_an_intermediate_warns() -> None:
    y = double(1.0) * 2
    with pytest.warns(UserWarning, match="retain_grad"):
        assert y.grad is None


def test_retain_grad() -> None:
    x = double(2.0)
    m = x * 3
    m.retain_grad()
    assert m.retains_grad
    (m * m).sum().backward()
    assert m.grad.tolist() == [12.0]
    n = x * 3
    n.retain_grad()
    for _ in range(2):
        (n * 2).sum().backward(retain_graph=True)
    assert n.grad.tolist() == [4.0]
    with pytest.raises(RuntimeError, match="requires_grad=False"):
        mg.ones(1).retain_grad()
    x.retain_grad()  # says nothing for a leaf


def test_hooks_and_retain_grad_follow_the_tensor() -> None:
    x = double(3.0)
    m = x * 2
    m.retain_grad()
    m.mul_(5)
    m.sum().backward()
    assert m.grad.tolist() == [1.0]  # of m as it is now
    seen: list[Any] = []
    x = double(3.0)
    x.register_hook(lambda g: seen.append(g.tolist()))
    x.data = mg.tensor([4.0], dtype=mg.float64)
    (x * 2).sum().backward()
    x.requires_grad_(False)
    x.requires_grad_(True)
    (x * 3).sum().backward()
    assert seen == [[2.0], [3.0]]


def test_assigning_grad() -> None:
    x = mg.ones(2, requires_grad=True)
    x.grad = mg.zeros(2)
    with pytest.raises(RuntimeError, match="size"):
        x.grad = mg.zeros(3)
    with pytest.raises(RuntimeError, match="type"):
        x.grad = mg.zeros(2, dtype=mg.float64)
    with pytest.raises(TypeError, match="Tensor"):
        x.grad = 1.0
    del x.grad
    assert x.grad is None


def test_detached_parts_are_constants() -> None:
    x = double(3.0)
    (x * x.detach()).sum().backward()
    assert x.grad.tolist() == [3.0]


def test_requires_grad_turned_off_stops_recording_but_not_the_past() -> None:
    x = double(3.0)
    y = (x * x).sum()
    x.requires_grad_(False)
    assert not (x * 2).requires_grad
    y.backward(retain_graph=True)
    assert x.grad is None  # as long as it is off
    x.requires_grad_()
    y.backward()
    assert x.grad.tolist() == [6.0]


# ---------------------------------------------------------------- hooks


def test_hooks_on_a_leaf() -> None:
    x = double(1.0, 2.0)
    seen: list[Any] = []
    handle = x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 2 + x).sum().backward()
    assert seen == [[3.0, 3.0]]  # once, when the whole of it is known
    handle.remove()
    handle.remove()
    (x * 2).sum().backward()
    assert len(seen) == 1


def test_a_hook_may_replace_the_gradient() -> None:
    x = double(1.0, 2.0)
    m = x * 2
    m.register_hook(lambda g: g * 10)
    m.register_hook(lambda g: g + 1)
    m.retain_grad()
    m.sum().backward()
    assert m.grad.tolist() == [11.0, 11.0]
    assert x.grad.tolist() == [22.0, 22.0]


@pytest.mark.filterwarnings("ignore:Using backward")
@pytest.mark.parametrize("recorded", [False, True])
def test_what_a_hook_keeps_or_returns_does_not_grow_with_the_gradient(recorded: bool) -> None:
    w, mine, kept = double(1.0, 2.0), mg.tensor([5.0, 5.0], dtype=mg.float64), list[mg.Tensor]()
    record = (w * 2).grad_fn.next_functions[0][0]
    for add in (
        lambda: w.register_hook(lambda g: kept.append(g)),
        lambda: w.register_hook(lambda g: mine),
        lambda: record.register_prehook(lambda outputs: (mine,)),
    ):
        w.grad = None
        handle = add()
        for _ in range(2):
            (w * 2).sum().backward(create_graph=recorded)
        handle.remove()
        with mg.no_grad():
            w.grad.zero_()
    assert [g.tolist() for g in (*kept, mine)] == [[2.0, 2.0], [2.0, 2.0], [5.0, 5.0]]
    h = w * 2
    h.register_hook(lambda g: kept.append(g))
    h.sum().backward(inputs=[h])
    h.grad.zero_()
    assert kept[-1].tolist() == [1.0, 1.0]


def test_hooks_when_the_pass_is_recorded() -> None:
    x = scalar(2.0)
    m = x * x
    m.register_hook(lambda g: g * x)
    (g,) = autograd.grad(m, x, create_graph=True)
    assert g.item() == 8.0  # 2 x * x
    (h,) = autograd.grad(g, x)
    assert h.item() == 8.0  # d/dx of 2 x^2


def test_hooks_refuse() -> None:
    with pytest.raises(RuntimeError, match="require gradient"):
        mg.ones(1).register_hook(lambda g: None)
    x = double(1.0)
    x.register_hook(lambda g: 5)
    with pytest.raises(TypeError, match="hook"):
        (x * 2).sum().backward()


# ---------------------------------------------------------------- modes

MODES = {
    "no_grad": (mg.no_grad, False),
    "enable_grad": (mg.enable_grad, True),
    "set_grad_enabled(False)": (lambda: mg.set_grad_enabled(False), False),
    "set_grad_enabled(True)": (lambda: mg.set_grad_enabled(True), True),
    "inference_mode": (mg.inference_mode, False),
    "inference_mode(False)": (lambda: mg.inference_mode(False), True),
}


@pytest.mark.parametrize(("make", "on"), MODES.values(), ids=MODES)
@pytest.mark.parametrize("before", [True, False])
def test_modes_as_context_managers(make: Any, on: bool, before: bool) -> None:
    x = double(1.0)
    with mg.set_grad_enabled(before):
        with make():
            assert mg.is_grad_enabled() is on
            assert (x * 2).requires_grad is on
        assert mg.is_grad_enabled() is before
        with contextlib.suppress(KeyError), make():
            raise KeyError
        assert mg.is_grad_enabled() is before
    assert mg.is_grad_enabled()


@pytest.mark.parametrize(("make", "on"), MODES.values(), ids=MODES)
@pytest.mark.parametrize("before", [True, False])
def test_modes_as_decorators(make: Any, on: bool, before: bool) -> None:
    with mg.set_grad_enabled(before):

        @make()
        def f(depth: int) -> bool:
            """Its own words."""
            if depth == 2:
                raise KeyError
            return mg.is_grad_enabled() and (depth == 1 or f(1))

        assert mg.is_grad_enabled() is before
        assert f.__name__ == "f"
        assert f.__doc__ == "Its own words."
        assert f(0) is on
        assert mg.is_grad_enabled() is before
        with pytest.raises(KeyError):
            f(2)
        assert mg.is_grad_enabled() is before


def test_decorators_without_parentheses_and_on_methods() -> None:
    class Model:
        @mg.no_grad
        def f(self) -> bool:
            return mg.is_grad_enabled()

        @mg.inference_mode
        def g(self) -> bool:
            return mg.is_inference_mode_enabled()

    assert not Model().f()
    assert Model().g()
    assert mg.is_grad_enabled()


def test_modes_nest() -> None:
    x = double(1.0)
    with mg.no_grad():
        with mg.enable_grad():
            with mg.no_grad():
                assert not (x * 2).requires_grad
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    same = mg.no_grad()
    with same, same:
        assert not mg.is_grad_enabled()
    assert mg.is_grad_enabled()


def test_set_grad_enabled_as_a_plain_call() -> None:
    mg.set_grad_enabled(False)
    try:
        assert not mg.is_grad_enabled()
    finally:
        mg.set_grad_enabled(True)
    assert mg.is_grad_enabled()


def test_generators_hold_the_mode_only_while_they_run() -> None:
    @mg.no_grad()
    def numbers() -> Iterator[Any]:
        try:
            got = yield mg.is_grad_enabled()
            while True:
                got = yield (got, mg.is_grad_enabled())
        except ValueError:
            yield ("caught", mg.is_grad_enabled())
        finally:
            seen.append(mg.is_grad_enabled())

    seen: list[bool] = []
    running = numbers()
    assert next(running) is False
    assert mg.is_grad_enabled()
    assert running.send(5) == (5, False)
    assert mg.is_grad_enabled()
    assert running.throw(ValueError()) == ("caught", False)
    running.close()
    assert seen == [False]
    assert mg.is_grad_enabled()


def test_a_generator_that_returns() -> None:
    @mg.no_grad()
    def inner() -> Iterator[int]:
        yield 1
        return "end"

    def outer() -> Any:
        result = yield from inner()
        yield result

    assert list(outer()) == [1, "end"]


def test_threads_do_not_share_the_mode() -> None:
    inside, leave = threading.Event(), threading.Event()
    seen: dict[str, bool] = {}

    def a() -> None:
        with mg.no_grad():
            inside.set()
            leave.wait(10)
            seen["a"] = mg.is_grad_enabled()

    def b() -> None:
        inside.wait(10)
        x = double(1.0)
        y = (x * x).sum()
        y.backward()
        seen["b"] = mg.is_grad_enabled() and x.grad.tolist() == [2.0]
        leave.set()

    at_once(a, b)
    assert seen == {"a": False, "b": True}
    with mg.no_grad():
        new = threading.Thread(target=lambda: seen.update(new=mg.is_grad_enabled()))
        new.start()
        new.join()
    assert seen["new"] is True


def test_asyncio_tasks_do_not_share_the_mode() -> None:
    async def off(ready: Any, go: Any) -> bool:
        with mg.no_grad():
            ready.set()
            await go.wait()
            return mg.is_grad_enabled()

    async def on(ready: Any, go: Any) -> bool:
        await ready.wait()
        x = double(3.0)
        (x * x).sum().backward()
        go.set()
        return mg.is_grad_enabled() and x.grad.tolist() == [6.0]

    async def both() -> list[bool]:
        ready, go = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(off(ready, go), on(ready, go))

    assert asyncio.run(both()) == [False, True]


def test_many_threads_at_once() -> None:
    def work(k: int) -> None:
        rng = np.random.default_rng(k)
        w = mg.tensor(rng.standard_normal((5, 5)), requires_grad=True)
        for _ in range(20):
            (w @ w).exp().sum().backward()
        results[k] = w.grad.numpy()

    results: dict[int, Any] = {}
    at_once(*(partial(work, k % 2) for k in range(4)))
    again = dict(results)
    work(0)
    assert np.array_equal(results[0], again[0])


def test_inference_tensors() -> None:
    x = double(1.0)
    with mg.inference_mode():
        y = x * 2
        assert y.is_inference()
    with pytest.raises(RuntimeError, match=r"[Ii]nference.*test_autograd\.py"):
        y * x
    assert not (y + 1).requires_grad
    (y.clone() * x).sum().backward()
    assert x.grad.tolist() == [2.0]


def test_inference_tensors_are_not_changed_outside() -> None:
    with mg.inference_mode():
        y = mg.ones(2) * 2
        y.add_(1)
    with pytest.raises(RuntimeError, match="nference"):
        y.add_(1)
    assert y.tolist() == [3.0, 3.0]


def test_a_backward_that_fails_restores_the_mode() -> None:
    class Fails(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            assert mg.is_grad_enabled() is recorded
            raise KeyError

    for recorded in (True, False):
        with mg.set_grad_enabled(not recorded):
            with mg.enable_grad():
                y = Fails.apply(double(1.0)).sum()
            with pytest.raises(KeyError):
                y.backward(create_graph=recorded)
            assert mg.is_grad_enabled() is not recorded


# ---------------------------------------------------------------- Function


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


class CubeSetup(Function):
    @staticmethod
    def forward(x: Any, scale: float) -> Any:
        return scale * x**3

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, ctx.scale = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        with pytest.warns(DeprecationWarning, match="use 'saved_tensors'"):
            (x,) = ctx.saved_variables
        return g * 3 * ctx.scale * x**2, None


class Exp(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.saved_tensors[0]


@pytest.mark.parametrize(
    "f",
    [Cube.apply, lambda x: CubeSetup.apply(x, 2.0), Exp.apply],
    ids=["ctx", "setup_context", "saved-output"],
)
def test_functions_of_ones_own(f: Any) -> None:
    from test_every_op import check_gradients

    check_gradients(f, [np.array([[0.5, -1.25, 2.0]])], (0,))


def test_a_function_shows_its_name_and_frees_its_arrays() -> None:
    x = double(2.0)
    y = Cube.apply(x)
    assert y.grad_fn.name() == "CubeBackward"  # as in PyTorch, without a number
    assert "CubeBackward" in repr(y)
    y.sum().backward()
    assert x.grad.tolist() == [12.0]
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()


def test_inside_of_forward_is_not_recorded() -> None:
    class Inside(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            assert not mg.is_grad_enabled()
            assert not (x * 2).requires_grad
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 100

    x = double(1.0)
    Inside.apply(x).sum().backward()
    assert x.grad.tolist() == [100.0]


def test_needs_input_grad() -> None:
    class Product(Function):
        @staticmethod
        def forward(ctx: Any, a: Any, n: int, b: Any) -> Any:
            ctx.save_for_backward(a, b)
            seen.append(ctx.needs_input_grad)
            return n * a * b

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            a, b = ctx.saved_tensors
            seen.append(ctx.needs_input_grad)
            return (g * b * 2 if ctx.needs_input_grad[0] else None), None, g * a * 2

    seen: list[Any] = []
    x, c = double(3.0), mg.tensor([5.0], dtype=mg.float64)
    Product.apply(x, 2, c).sum().backward()
    assert x.grad.tolist() == [10.0]
    Product.apply(c, 2, x).sum().backward()
    assert x.grad.tolist() == [20.0]
    assert seen == [(True, False, False)] * 2 + [(False, False, True)] * 2
    with mg.no_grad():
        assert not Product.apply(x, 2, c).requires_grad


def test_several_outputs() -> None:
    class Both(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x, x.exp()

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 2 * x + h * x.exp()

    from test_every_op import check_gradients

    a = np.array([0.5, -0.25])
    for f in (
        lambda x: Both.apply(x)[0],
        lambda x: Both.apply(x)[1],
        lambda x: (lambda s, t: s * t)(*Both.apply(x)),
    ):
        check_gradients(f, [a], (0,))
    x = mg.tensor(a, requires_grad=True)
    first, second = Both.apply(x)
    assert first.grad_fn is not None
    (first.sum() + 3 * second.sum()).backward()
    assert np.allclose(x.grad.numpy(), 2 * a + 3 * np.exp(a))


def test_unused_outputs_give_zeros_or_none() -> None:
    class Two(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(materialize)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            seen.append(None if h is None else h.tolist())
            return g

    seen: list[Any] = []
    materialize = True
    for materialize in (True, False):  # noqa: B007 (forward reads it)
        Two.apply(double(1.0))[0].sum().backward()
    assert seen == [[0.0], None]


def test_mark_non_differentiable() -> None:
    class SortOf(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            signs, whole = x.sign(), x.long()
            ctx.mark_non_differentiable(signs)
            return x * 1, signs, whole

        @staticmethod
        def backward(ctx: Any, g: Any, *rest: Any) -> Any:
            return g

    y, signs, whole = SortOf.apply(double(-2.0))
    assert (y.requires_grad, signs.requires_grad, whole.requires_grad) == (True, False, False)
    y.sum().backward()


def test_once_differentiable() -> None:
    class Once(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            assert not mg.is_grad_enabled()
            return g * 2 * ctx.saved_tensors[0]

    x = double(3.0)
    Once.apply(x).sum().backward()
    assert x.grad.tolist() == [6.0]
    (g,) = autograd.grad(Once.apply(x).square().sum(), x, create_graph=True)
    assert g.tolist() == [108.0]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.sum().backward()


def test_wrong_gradients_of_a_function() -> None:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return returned(g)

    def fail(found: Any, kind: type[Exception], message: str) -> None:
        nonlocal returned
        returned = found
        with pytest.raises(kind, match=message):
            Wrong.apply(double(1.0, 2.0), double(3.0, 4.0)).sum().backward()

    def returned(g: Any) -> Any:
        return g, None, None  # more Nones than arguments are forgiven

    Wrong.apply(double(1.0, 2.0), double(3.0, 4.0)).sum().backward()
    fail(lambda g: g, RuntimeError, r"Wrong.*expected 2, got 1")
    fail(lambda g: (g, g, g), RuntimeError, r"Wrong.*expected 2, got 3")
    fail(lambda g: [g, g], RuntimeError, r"Wrong.*expected 2, got 1")  # a list is one object, as in PyTorch
    fail(lambda g: (g, mg.ones(5)), RuntimeError, r"Wrong.*index 1.*\[5\].*\[2\]")
    fail(lambda g: (g, 1.0), RuntimeError, r"expected Variable or None \(got float\): Wrong.*Tensors or None")


@pytest.mark.parametrize("create", [False, True])
def test_what_backward_returns_for_an_input_without_gradients_is_not_looked_at(create: bool) -> None:
    class Odd(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, mg.ones(5, dtype=mg.complex64)

    x = double(1.0, 2.0)
    (g,) = autograd.grad(Odd.apply(x, mg.ones(2)).sum(), x, create_graph=create)
    assert g.tolist() == [1.0, 1.0]


def test_functions_refuse() -> None:
    class Nothing(Function):
        pass

    class NoBackward(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

    class Saves(NoBackward):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(3)
            return x

    with pytest.raises(NotImplementedError, match="forward"):
        Nothing.apply(double(1.0))
    with pytest.raises(NotImplementedError, match="backward"):
        NoBackward.apply(double(1.0)).sum().backward()
    with pytest.raises(TypeError, match="save_for_backward"):
        Saves.apply(double(1.0))


def test_what_forward_has_differentiated_itself_is_saved_with_its_history() -> None:
    class Inner(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            with mg.enable_grad():
                inside = x.detach().requires_grad_()
                y = inside.sin() * inside
            ctx.save_for_backward(inside, y)
            return y.detach()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            inside, y = ctx.saved_tensors
            assert (inside.requires_grad, inside.is_leaf, y.requires_grad) == (True, True, True)
            return autograd.grad(y, inside, g, retain_graph=True)[0]

    x = double(0.5, 2.0)
    Inner.apply(x).sum().backward()
    assert np.allclose(x.grad.numpy(), np.cos([0.5, 2]) * [0.5, 2] + np.sin([0.5, 2]))


def test_a_saved_input_changed_in_place_is_an_error() -> None:
    x = double(2.0)
    m = x * 1
    y = Cube.apply(m)
    m.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_mark_dirty() -> None:
    class AddOne(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x)
            return x.add_(1)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 7

    x = double(2.0)
    m = x * 1
    y = AddOne.apply(m)
    assert y is m
    y.sum().backward()
    assert x.grad.tolist() == [7.0]
    with pytest.raises(RuntimeError, match="leaf"):
        AddOne.apply(double(2.0))
    plain = mg.tensor([2.0])
    assert AddOne.apply(plain) is plain
    with mg.no_grad():
        y = AddOne.apply(x)
    assert (y is x, y.requires_grad, x.requires_grad, x.tolist()) == (False, False, True, [3.0])

    class MarksAnother(AddOne):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(mg.ones(1))
            return x * 2

    for argument in (double(2.0), mg.ones(1)):
        with pytest.raises(RuntimeError, match="marked as dirty during the forward method were not returned"):
            MarksAnother.apply(argument)


def test_no_gradient_for_what_is_not_a_tensor() -> None:
    class Scaled(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, by: Any) -> Any:
            return x * by

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2, g

    x = double(3.0)
    Scaled.apply(x, mg.tensor(2.0)).sum().backward()
    assert x.grad.tolist() == [2.0]
    with pytest.raises(RuntimeError, match="different than None at position 2, but the corresponding"):
        Scaled.apply(x, 2.0).sum().backward()


def test_an_input_returned_as_it_is() -> None:
    class Same(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 5

    x = double(2.0)
    y = Same.apply(x)
    assert y is not x
    y.sum().backward()
    assert x.grad.tolist() == [5.0]
    with mg.no_grad():
        y = Same.apply(x)
    assert (y is x, y.requires_grad, x.requires_grad) == (False, False, True)
    assert y.data_ptr() == x.data_ptr()
    assert Same.apply(y) is not y


def test_a_view_made_inside_a_function_is_not_changed_behind_the_tape() -> None:
    class First(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x[:1]

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return mg.cat([g, g * 0])

    x = double(1.0, 1.0)
    m = x * 1
    y = First.apply(m)
    try:
        y.mul_(2)
    except RuntimeError:
        return  # PyTorch refuses
    m.sum().backward()
    assert x.grad.tolist() == [2.0, 1.0]


# ---------------------------------------------------------------- anomaly mode


def test_anomaly_names_the_forward_line() -> None:
    x = double(0.0, 1.0)
    with autograd.detect_anomaly():
        bad = line() + 1
        root = x.sqrt()
        y = (root * 0).sum()
        with pytest.raises(RuntimeError, match="nan") as caught:
            y.backward()
    text = str(caught.value)
    assert "SqrtBackward0" in text
    assert f"test_autograd.py:{bad}" in text
    assert any(f"test_autograd.py:{bad}" in n for n in caught.value.__notes__)
    assert mg.is_grad_enabled()
    assert not mg.is_anomaly_enabled()


def test_anomaly_names_the_first_value_that_was_not_finite() -> None:
    x = double(0.0, 1.0)
    with autograd.detect_anomaly():
        first = line() + 1
        z = x.log()
        y = (z * 0).sum()
        with pytest.raises(RuntimeError) as caught:
            y.backward()
    assert f"log at tests/test_autograd.py:{first}" in str(
        caught.value
    ) or f"test_autograd.py:{first}" in str(caught.value)
    assert any("first non-finite" in n and f":{first}" in n for n in caught.value.__notes__)


def test_anomaly_in_a_function_and_across_calls() -> None:
    class Bad(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * np.nan

    with autograd.set_detect_anomaly(True):
        assert mg.is_anomaly_enabled()
        here = line() + 1
        y = Bad.apply(double(1.0))
        with pytest.raises(RuntimeError, match=rf"BadBackward.*test_autograd\.py:{here}"):
            y.sum().backward()
    assert not mg.is_anomaly_enabled()
    autograd.set_detect_anomaly(True)
    try:
        assert mg.is_anomaly_enabled()
    finally:
        autograd.set_detect_anomaly(False)
    assert not mg.is_anomaly_enabled()


@pytest.mark.parametrize("bad", [0, 1])
def test_anomaly_looks_at_every_output_of_a_function(bad: int) -> None:
    class Several(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            outputs = [x * 1, x * 2]
            outputs[bad] = outputs[bad] / 0
            return (*outputs, mg.arange(3), None)

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any, *others: Any) -> Any:
            return g + h

    with autograd.detect_anomaly():
        here = line() + 1
        outputs = Several.apply(double(1.0))
        y = (outputs[bad] * 0 + outputs[1 - bad]) * 0
        with pytest.raises(RuntimeError) as caught:
            (y / y).sum().backward()
    assert re.search(rf"came from Several at .*test_autograd\.py:{here}\.", str(caught.value))


def test_anomaly_mode_lets_what_is_finite_pass() -> None:
    x = double(1.0)
    with autograd.detect_anomaly():
        (x.exp() * 2).sum().backward()
    with autograd.detect_anomaly(check_nan=False):
        (double(0.0).sqrt() * 0).sum().backward()
    (double(0.0).sqrt() * 0).sum().backward()  # without the mode: nan, silently, as in PyTorch
    assert x.grad is not None


def test_anomaly_mode_of_an_older_graph() -> None:
    y = (double(0.0).sqrt() * 0).sum()
    with autograd.detect_anomaly(), pytest.raises(RuntimeError, match="SqrtBackward0"):
        y.backward()


# ---------------------------------------------------------------- graphs are freed by reference count


@contextlib.contextmanager
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _forward_and_backward(x: Any) -> Any:
    y = (x @ x).tanh()
    loss = (y * y[0] + y.T).sum()
    loss.backward()
    return loss.grad_fn, y


def _create_graph(x: Any) -> Any:
    y = (x * x).exp().sum()
    (g,) = autograd.grad(y, x, create_graph=True)
    (g * g).sum().backward(create_graph=True)
    node = g.grad_fn
    x.grad = None
    return node, g


def _retained(x: Any) -> Any:
    m = x * 2
    m.retain_grad()
    m.register_hook(lambda g: g * 2)
    (m * m).sum().backward(create_graph=True)
    node = m.grad.grad_fn
    x.grad = None
    return node, m


def _own_function(x: Any) -> Any:
    y = Exp.apply(Cube.apply(x))
    (g,) = autograd.grad(y.sum(), x, create_graph=True)
    g.sum().backward()
    return y.grad_fn, g


def _in_place(x: Any) -> Any:
    m = x * 1
    v = m[0]
    v.mul_(2)
    m[1:].exp_()
    m.sum().backward()
    return m.grad_fn, v


def _never_run(x: Any) -> Any:
    y = (x * x).sum()
    return y.grad_fn, y


def _second_backward(x: Any) -> Any:
    y = (x * x).sum()
    y.backward()
    with contextlib.suppress(RuntimeError):
        y.backward()
    return y.grad_fn, y


def _changed(x: Any) -> Any:
    m = x * 1
    y = (m * m).sum()
    m.mul_(2)
    with contextlib.suppress(RuntimeError):
        y.backward()
    return y.grad_fn, m


def _mismatch(x: Any) -> Any:
    y = x * 2
    for wrong in (lambda: y + mg.ones(7), lambda: y @ mg.ones(7, 7, dtype=mg.float64), lambda: y[99]):
        with contextlib.suppress(RuntimeError, IndexError):
            wrong()
    return y.grad_fn, y


def _anomaly(x: Any) -> Any:
    y = ((x * 0).sqrt() * 0).sum()
    with autograd.detect_anomaly(), contextlib.suppress(RuntimeError):
        y.backward()
    return y.grad_fn, y


def _failing_function(x: Any) -> Any:
    class Fails(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise KeyError

    y = Fails.apply(x * 2).sum()
    with contextlib.suppress(KeyError):
        y.backward()
    return y.grad_fn, y


@pytest.mark.parametrize(
    "story",
    [
        _forward_and_backward, _create_graph, _retained, _own_function, _in_place, _never_run,
        _second_backward, _changed, _mismatch, _anomaly, _failing_function,
    ],
    ids=lambda f: f.__name__.strip("_"),
)  # fmt: skip
def test_no_reference_cycles(story: Any) -> None:
    with no_collector():
        x = mg.tensor(np.eye(3) + 0.1, requires_grad=True)
        node, tensor = story(x)
        refs = [weakref.ref(node), weakref.ref(tensor), weakref.ref(tensor._array)]
        del node, tensor
        assert [r() for r in refs] == [None] * 3
        leaf = weakref.ref(x)
        del x
        assert leaf() is None


def test_nothing_is_left_for_the_collector() -> None:
    def step() -> None:
        x = mg.tensor(np.eye(3), requires_grad=True)
        y = (x @ x).exp().sum()
        (g,) = autograd.grad(y, x, create_graph=True)
        g.sum().backward()

    step()
    with no_collector():
        step()
        assert gc.collect() == 0


# ---------------------------------------------------------------- deep graphs


def test_a_chain_of_100_000_operations() -> None:
    with no_collector():
        x = scalar(0.5)
        y = x
        for _ in range(50_000):
            y = y * 1.0 + 0.0
        first = weakref.ref(y.grad_fn.next_functions[0][0])
        y.backward()
        assert x.grad.item() == 1.0
        assert re.match(r"tensor\(0\.5000, .*grad_fn=<AddBackward0>\)", repr(y))
        assert repr(y.grad_fn).startswith("<AddBackward0")
        del y
        assert first() is None


def test_a_deep_graph_may_be_dropped_unused_and_differentiated_twice() -> None:
    with no_collector():
        x = scalar(1.0)
        y = x
        for _ in range(20_000):
            y = y * 1.0
        (g,) = autograd.grad(y * y, x, create_graph=True)
        (h,) = autograd.grad(g, x)
        assert h.item() == 2.0
        node = weakref.ref(g.grad_fn)
        del y, g, h
        assert node() is None


def test_a_wide_graph() -> None:
    x = scalar(1.0)
    total = x * 0
    for k in range(2_000):
        total = total + x * k
    total.backward()
    assert x.grad.item() == sum(range(2_000))


def test_a_graph_that_doubles_its_paths_takes_linear_time() -> None:
    x = scalar(1.0)
    y = x
    for _ in range(200):
        y = y * 0.5 + y * 0.5
    y.backward()
    assert x.grad.item() == 1.0


def test_deep_views_and_changes_in_place() -> None:
    with no_collector():
        x = mg.ones(4, dtype=mg.float64, requires_grad=True)
        m = x * 1
        for _ in range(2_000):
            m[:2].mul_(1.0)
        m.sum().backward()
        assert x.grad.tolist() == [1.0] * 4
        node = weakref.ref(m.grad_fn)
        del m
        assert node() is None


def test_anomaly_mode_names_where_a_gradient_became_infinite() -> None:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    with mg.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="first infinite gradient") as caught:
        (w * 0.0).sqrt().sum().backward()
    assert "SqrtBackward0" in str(caught.value)
    assert any("first infinite gradient: SqrtBackward0" in note for note in caught.value.__notes__)


def test_a_hook_may_not_change_the_size_of_a_gradient() -> None:
    w = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    handle = w.register_hook(lambda g: mg.ones(2, 3))
    with pytest.raises(RuntimeError, match="'<lambda>' has changed the size of value"):
        w.sum().backward()
    handle.remove()
    y = w.exp()
    for record, name in (
        (y.grad_fn, r"ExpBackward0 at \S+:\d+"),
        (y.grad_fn.next_functions[0][0], "AccumulateGrad"),
    ):
        handle = record.register_prehook(lambda outputs: (mg.ones(2, 3),))
        with pytest.raises(
            RuntimeError, match=rf"hook '<lambda>' has changed the size .* of \S*{name} has shape"
        ):
            y.sum().backward(retain_graph=True)
        handle.remove()


def test_grad_takes_only_inputs_where_pytorch_does() -> None:
    x, unused = mg.ones(2, requires_grad=True), mg.ones(1, requires_grad=True)
    (g,) = autograd.grad((x * 2).sum(), x, only_inputs=True, create_graph=True)
    assert g.tolist() == [2, 2]
    assert autograd.grad((x * 2).sum(), [unused], None, None, False, True, True) == (None,)
    with pytest.warns(FutureWarning, match="only_inputs argument is deprecated"):
        autograd.grad((x * 2).sum(), x, only_inputs=False)

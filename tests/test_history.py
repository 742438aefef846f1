"""Histories that a change in place, a view, a mode or a transform could lose: right gradients, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.autograd import functional


def leaf(n: int = 2) -> Any:
    return mg.ones(n, requires_grad=True)


# ---------------------------------------------------------------- gradients that are retained


def write_item(h: Any) -> None:
    h[0] = 0.0


def write_view(h: Any) -> None:
    h[0:1].mul_(0.0)


def write_view_of_view(h: Any) -> None:
    h.view(1, 2)[0][:1].zero_()


def write_by_function(h: Any) -> None:
    scaled(0.0).apply(h[0:1])


@pytest.mark.parametrize("write", [write_item, write_view, write_view_of_view, write_by_function])
def test_a_retained_gradient_outlives_a_change_through_a_view(write: Callable[[Any], None]) -> None:
    x = leaf()
    h = x * 1
    h.retain_grad()
    h.register_hook(lambda g: g * 10)  # a hook stays with the value that it was set on
    write(h)
    (h * 2).sum().backward()
    assert h.retains_grad
    assert h.grad.tolist() == [2.0, 2.0]
    assert x.grad.tolist() == [0.0, 20.0]


def test_a_view_keeps_what_it_retains_when_another_is_changed() -> None:
    x = leaf(3)
    h = x * 1
    first, both = h[0:1], h[0:2]
    first.retain_grad()
    both.mul_(5.0)
    (first * 3).sum().backward()
    assert first.grad.tolist() == [3.0]
    assert x.grad.tolist() == [15.0, 0.0, 0.0]


# ---------------------------------------------------------------- Functions that change their input


def scaled(factor: float) -> Any:
    class Scale(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, *others: Any) -> Any:
            x.mul_(factor)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return (grads[0] * factor,) + (None,) * (ctx._arguments - 1)

    return Scale


def test_a_function_that_changes_a_view_changes_its_base_and_siblings() -> None:
    x = leaf(4)
    z = x * 1
    before = z[1:3]
    part = z.view(2, 2)[0]
    assert scaled(3.0).apply(part) is part
    (z.sum() + before.sum() + z[0:1].sum()).backward()
    assert x.grad.tolist() == [6.0, 6.0, 2.0, 1.0]


def test_a_function_that_changes_a_view_of_what_required_no_grad() -> None:
    base, w = mg.ones(2), leaf(1)

    class Times(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, v: Any, w: Any) -> Any:
            v.mul_(w.detach())
            ctx.mark_dirty(v)
            return v

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0] * 7, grads[0] * 3

    Times.apply(base[0:1], w)
    assert base.requires_grad
    (base * 2).sum().backward()
    assert w.grad.tolist() == [6.0]


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x[0:1], lambda x: x.view(2, 1)[0]])
def test_a_function_may_not_change_a_leaf_or_a_view_of_one(make: Callable[[Any], Any]) -> None:
    with pytest.raises(RuntimeError, match=r"leaf Variable that requires grad .*test_history\.py"):
        scaled(3.0).apply(make(leaf()))


def test_what_is_marked_dirty_is_returned() -> None:
    class Forgets(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.mul_(3)
            ctx.mark_dirty(x)
            return x * 1

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0]

    with pytest.raises(RuntimeError, match="Forgets must return every input"):
        Forgets.apply(leaf() * 1)


def test_what_is_marked_dirty_is_an_input() -> None:
    class Marks(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x * 3
            ctx.mark_dirty(y)
            return y

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0] * 3

    x = leaf()
    with pytest.warns(UserWarning, match="no input"):
        Marks.apply(x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_view_is_not_one_of_several_results_that_were_changed() -> None:
    class Two(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.mul_(3)
            ctx.mark_dirty(x)
            return x, x * 2

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0] * 3 + grads[1] * 6

    x = leaf()
    z = x * 1
    with pytest.raises(RuntimeError, match="returns several Tensors"):
        Two.apply(z[0:1])
    z = x * 1
    same, other = Two.apply(z)
    assert same is z
    (z.sum() + other.sum()).backward()
    assert x.grad.tolist() == [9.0, 9.0]


@pytest.mark.parametrize("several", [False, True])
def test_a_changed_input_that_is_saved_is_saved_as_the_result(several: bool) -> None:
    class Exp(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.exp_()
            ctx.mark_dirty(x)
            ctx.save_for_backward(x)
            return (x, x * 0) if several else x

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0] * ctx.saved_tensors[0]

    x = leaf()
    result = Exp.apply(x * 1)
    y = result[0] if several else result
    (first,) = mg.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = mg.autograd.grad(first.sum(), x)
    assert np.allclose(first.tolist(), np.e)
    assert np.allclose(second.tolist(), np.e)


def test_a_change_under_no_grad_is_noticed_where_the_value_was_saved() -> None:
    z = leaf() * 1
    y = z * z
    with mg.no_grad():
        scaled(3.0).apply(z)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_an_input_without_gradient_is_returned_cut_off() -> None:
    class Cut(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_non_differentiable(x)
            return x

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0]

    z = leaf() * 1
    result = Cut.apply(z)
    assert not result.requires_grad
    assert z.requires_grad


# ---------------------------------------------------------------- inputs= of backward


def test_an_input_named_twice_gets_its_gradient_once() -> None:
    x = leaf()
    (x * 3).sum().backward(inputs=[x, x])
    assert x.grad.tolist() == [3.0, 3.0]
    h = x * 2
    h.retain_grad()
    (h * 5).sum().backward(inputs=[h, x, h])
    assert h.grad.tolist() == [5.0, 5.0]
    assert x.grad.tolist() == [13.0, 13.0]
    first, second = mg.autograd.grad((x * 3).sum(), [x, x])
    assert first.tolist() == second.tolist() == [3.0, 3.0]


def test_tied_weights_named_by_two_modules() -> None:
    one, two = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    two.weight = one.weight
    y = two(one(mg.ones(1, 2))).sum()
    y.backward(inputs=[*one.parameters(), *two.parameters()], retain_graph=True)
    got = one.weight.grad.tolist()
    one.weight.grad = None
    y.backward()
    assert got == one.weight.grad.tolist()


# ---------------------------------------------------------------- derivatives that are constants


@pytest.mark.parametrize("power", [1, 1.0, 2, 3, 4])
def test_powers_can_be_differentiated_until_nothing_is_left(power: float) -> None:
    x = mg.tensor([3.0], requires_grad=True)
    g, factor = (x**power).sum(), 1.0
    for left in range(int(power) - 1, -1, -1):
        factor *= left + 1
        (g,) = mg.autograd.grad(g, x, create_graph=True)
        assert g.requires_grad
        assert g.item() == pytest.approx(factor * 3.0**left)
    assert mg.autograd.grad(g, x)[0].item() == 0.0


# ---------------------------------------------------------------- transforms


def cube(x: Any) -> Any:
    return (x**3).sum()


PRODUCTS: dict[str, Callable[[Any], Any]] = {
    "vjp": lambda x: functional.vjp(mg.sin, x, mg.ones(2))[1],
    "value": lambda x: functional.vjp(mg.cos, x, mg.ones(2))[0],
    "jvp": lambda x: functional.jvp(mg.sin, x, mg.ones(2))[1],
    "jacobian": lambda x: functional.jacobian(mg.sin, x).sum(0),
    "by columns": lambda x: functional.jacobian(mg.sin, x, vectorize=True, strategy="forward-mode").sum(0),
    "hessian": lambda x: functional.hessian(lambda t: -mg.cos(t).sum(), x).sum(0),
    "hvp": lambda x: functional.hvp(lambda t: -mg.cos(t).sum(), x, mg.ones(2))[1],
    "vhp": lambda x: functional.vhp(lambda t: -mg.cos(t).sum(), x, mg.ones(2))[1],
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_autograd_functional_inside_of_a_transform(name: str) -> None:
    x, product = mg.tensor([0.5, 1.0], dtype=mg.float64), PRODUCTS[name]
    wanted = -np.sin(x.numpy())
    assert np.allclose(mg.func.grad(lambda t: product(t).sum())(x).numpy(), wanted)
    assert np.allclose(mg.func.jvp(product, (x,), (mg.ones(2, dtype=mg.float64),))[1].numpy(), wanted)
    assert np.allclose(mg.func.jacfwd(product)(x).numpy(), np.diag(wanted))


def test_autograd_grad_inside_of_a_forward_transform() -> None:
    x = mg.tensor([1.0, 2.0])
    gradient = mg.func.jvp(lambda t: mg.autograd.grad(cube(t), t)[0], (x,), (mg.ones(2),))[1]
    assert gradient.tolist() == [6.0, 12.0]


def test_backward_inside_of_a_transform_is_refused() -> None:
    def by_backward(x: Any) -> Any:
        cube(x).backward()
        return x.grad.sum()

    with pytest.raises(
        RuntimeError, match=r"backward\(\) inside of a function that minigrad.func differentiates"
    ):
        mg.func.grad(by_backward)(mg.ones(2))


# ---------------------------------------------------------------- inference mode


def made_in_inference_mode() -> dict[str, Any]:
    normal = mg.ones(2, 3)
    with mg.inference_mode():
        made = mg.ones(2, 3)
        return {
            "made": made,
            "computed": normal * 2,
            "view": made[0],
            "detached": made.detach(),
            "from an array": mg.from_numpy(np.ones(2)),
            "drawn": mg.bernoulli(mg.ones(2)),
            "leaf": mg.ones(2, requires_grad=True),
            "parameter": nn.Parameter(mg.ones(2)),
        }


@pytest.mark.parametrize("name", made_in_inference_mode())
def test_what_is_made_in_inference_mode_cannot_be_changed_outside(name: str) -> None:
    t = made_in_inference_mode()[name]
    assert t.is_inference()
    for change in (lambda: t.add_(1), lambda: t[:1].mul_(2), lambda: t.detach().zero_()):
        with pytest.raises(RuntimeError, match="inference tensor outside InferenceMode"):
            change()
    with mg.no_grad(), pytest.raises(RuntimeError, match="inference tensor outside InferenceMode"):
        t.add_(1)


def test_views_are_what_their_memory_is() -> None:
    normal, inference = mg.ones(2, 3), made_in_inference_mode()["made"]
    with mg.inference_mode():
        inside = [normal[0], normal.t(), normal.detach(), normal.reshape(6), normal.expand(2, 2, 3)]
    assert not any(v.is_inference() for v in inside)
    outside = [inference[0], inference.t(), inference.detach(), inference.data, inference.reshape(6)]
    assert all(v.is_inference() for v in outside)
    assert not (inference + 1).is_inference()


@pytest.mark.parametrize(
    "operation",
    [
        lambda w, t: w + t,
        lambda w, t: t - w,
        lambda w, t: mg.cat([w, t]),
        lambda w, t: mg.stack([t, w]),
        lambda w, t: mg.where(mg.ones(2, 3) > 0, w, t),
        lambda w, t: (w * 1).copy_(t),
        lambda w, t: w + t[0],
        lambda w, t: w + t.t().t(),
    ],
)
def test_operations_that_save_nothing_take_inference_tensors(operation: Callable[[Any, Any], Any]) -> None:
    w = mg.ones(2, 3, requires_grad=True)
    y = operation(w, made_in_inference_mode()["made"])
    y.sum().backward(gradient=mg.ones(()))
    assert y.requires_grad


@pytest.mark.parametrize(
    "operation",
    [
        lambda w, t: w * t,
        lambda w, t: t @ w.t(),
        lambda w, t: t / w,
        lambda w, t: w * t[0],
        lambda w, t: (w * 1).mul_(t),
    ],
)
def test_operations_that_save_them_do_not(operation: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(RuntimeError, match=r"cannot be saved for backward.*test_history\.py"):
        operation(mg.ones(2, 3, requires_grad=True), made_in_inference_mode()["made"])


def test_grad_mode_inside_of_inference_mode() -> None:
    w = leaf()
    with mg.inference_mode():
        with mg.enable_grad():
            assert not (w * 2).requires_grad
            assert mg.is_grad_enabled()
            with mg.no_grad():
                assert not mg.is_grad_enabled()
            with mg.inference_mode():
                assert not mg.is_grad_enabled()
            assert mg.is_grad_enabled()
        assert not mg.is_grad_enabled()
        w.add_(1)
        with mg.inference_mode(False):
            (w * 2).sum().backward()
    assert w.grad.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="Setting requires_grad=True on inference tensor"):
        made_in_inference_mode()["made"].requires_grad_()


# ---------------------------------------------------------------- source of values that changed


def by_add(k: Any) -> None:
    k.add_(10)


def by_item(k: Any) -> None:
    k[0] = 5.0


def by_view(k: Any) -> None:
    k[:1].zero_()


def by_detached(k: Any) -> None:
    k.detach().mul_(2)


def by_copy(k: Any) -> None:
    k.copy_(mg.zeros(2))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (kind, change)
        for kind in ("constant", "parameter", "result")
        for change in (by_add, by_item, by_view, by_detached, by_copy)
        if (kind, change) != ("result", by_detached)  # the record of a result does not know its memory
    ],
)
def test_source_refuses_one_name_for_two_values(change: Callable[[Any], None], kind: str) -> None:
    w = leaf()
    k: Any = {"constant": mg.ones(2), "parameter": leaf(), "result": leaf() * 1}[kind]
    first = w * 1 + k
    with mg.set_grad_enabled(kind == "constant"):
        change(k)
    second = w * 1 + k
    with pytest.raises(
        RuntimeError, match=r"source\(\): .* changed in place between its uses.*test_history\.py"
    ):
        mg.source((first * second).sum())


def test_source_prints_what_was_changed_before_and_after() -> None:
    w, k = leaf(), mg.ones(2)
    k.add_(1)
    y = (w + k + k).sum()
    k.add_(1)
    assert "k" in mg.source(y)
    for _ in range(8):  # and when the first of them was, is forgotten now
        k.add_(1)
    with pytest.raises(RuntimeError, match="changed in place between its uses"):
        mg.source(y)


# ---------------------------------------------------------------- detach_


def test_views_keep_the_history_that_their_base_lets_go_of() -> None:
    x = leaf()
    y = x * 1
    part = y[0:1]
    y.detach_()
    assert not y.requires_grad
    assert part.requires_grad
    (part * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 0.0]


def test_a_leaf_that_is_detached_gets_no_gradient_any_more() -> None:
    x = leaf()
    y = (x * 2).sum()
    x.detach_()
    y.backward()
    assert x.grad is None
    x.requires_grad_()
    (x * 5).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]

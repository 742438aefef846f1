"""Hooks of Tensors, modules and optimizers, keywords of `Function.apply`, iterables where gradients are asked for."""

from __future__ import annotations

import pickle
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.core.hooks import RemovableHandle


def test_a_root_that_leads_to_none_of_the_inputs_calls_no_hook() -> None:
    x = mg.ones(2, requires_grad=True)
    y, z, calls = x * 2.0, (x * 5.0).sum(), list[mg.Tensor]()
    z.register_hook(calls.append)
    (g,) = mg.autograd.grad([(y * 3.0).sum(), z], y)
    assert (g.tolist(), calls) == ([3.0, 3.0], [])


# ---------------------------------------------------------------- hooks after accumulation


def test_hooks_after_accumulation_see_the_gradient_in_their_order() -> None:
    x = mg.ones(2, requires_grad=True)
    calls: list[Any] = []
    first = x.register_post_accumulate_grad_hook(lambda p: calls.append((p is x, p.grad.tolist())))
    x.register_post_accumulate_grad_hook(lambda p: calls.append("second"))
    x.register_hook(lambda g: g * 10.0)
    (x * 1.0).sum().backward()
    assert calls == [(True, [10.0, 10.0]), "second"]
    mg.autograd.grad((x * 1.0).sum(), x)
    assert len(calls) == 2
    (x * 1.0).sum().backward(inputs=[x])
    assert calls[2:] == [(True, [20.0, 20.0]), "second"]
    (x * 1.0).sum().backward(create_graph=True)
    assert calls[4:] == [(True, [30.0, 30.0]), "second"]
    first.remove()
    first.remove()
    (x * 1.0).sum().backward()
    assert calls[6:] == ["second"]


@pytest.mark.parametrize(
    ("net", "shape", "order"),
    [
        (
            lambda: nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1)),
            (4, 3),
            "2.bias 2.weight 0.bias 0.weight",
        ),
        (
            lambda: nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2)),
            (2, 4, 3),
            "1.weight 1.bias 0.bias 0.weight",
        ),
        (lambda: nn.Sequential(nn.Conv1d(1, 2, 3), nn.PReLU()), (1, 1, 5), "1.weight 0.weight 0.bias"),
        (lambda: nn.ConvTranspose1d(1, 2, 3), (1, 1, 5), "weight bias"),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_hooks_of_leaves_are_called_in_pytorchs_order(net: Any, shape: Any, order: str, after: bool) -> None:
    module, calls = net(), list[str]()
    for name, p in module.named_parameters():
        register = p.register_post_accumulate_grad_hook if after else p.register_hook
        register(lambda _, name=name: calls.append(name))
    module(mg.ones(shape)).sum().backward()
    assert " ".join(calls) == order


@pytest.mark.parametrize("create", [False, True])
def test_the_hook_of_a_leaf_that_is_used_twice_comes_with_its_last_gradient(create: bool) -> None:
    w, b = mg.ones(3, requires_grad=True), mg.ones((), requires_grad=True)
    calls: list[str] = []
    for name, t in (("w", w), ("b", b)):
        t.register_hook(lambda g, name=name: calls.append(name))
    (w.sum() / b - b**2 * w.prod()).backward(create_graph=create)
    assert calls == ["b", "w"]


@pytest.mark.parametrize("create", [False, True])
def test_hooks_of_leaves_and_of_results_are_called_in_the_order_of_the_pass(create: bool) -> None:
    w, b, v = (
        mg.ones(3, 2, requires_grad=True),
        mg.ones(2, requires_grad=True),
        mg.ones(2, 1, requires_grad=True),
    )
    h = mg.ones(4, 3) @ w + b
    a = h.relu()
    y, calls = a @ v, list[str]()
    for name, t in (("w", w), ("b", b), ("h", h), ("a", a), ("v", v), ("y", y)):
        t.register_hook(lambda g, name=name: calls.append(name))
    y.sum().backward(create_graph=create)
    assert " ".join(calls) == "y v a h b w"
    calls.clear()
    mg.autograd.grad((mg.ones(4, 3) @ w + b).sum(), w)
    assert calls == ["w"]


def test_a_hook_of_a_leaf_may_change_it_and_what_reads_it_later_in_the_pass_says_so() -> None:
    w, v = mg.ones(3, requires_grad=True), mg.ones(3, requires_grad=True)

    def bump(p: mg.Tensor) -> None:
        with mg.no_grad():
            p.add_(1)

    w.register_post_accumulate_grad_hook(bump)
    with pytest.raises(RuntimeError, match="one of the variables needed for gradient"):
        ((v * w.detach()).sum() + (w * 2).sum()).backward()
    assert (w.tolist(), v.grad) == ([2.0] * 3, None)


def test_an_optimizer_in_the_backward_pass() -> None:
    w, t = mg.ones(2, requires_grad=True), mg.ones(2, requires_grad=True)
    opt = mg.optim.SGD([w], lr=0.5)

    def update(p: Any) -> None:
        opt.step()
        opt.zero_grad()

    w.register_post_accumulate_grad_hook(update)
    for _ in range(2):
        (w * t).sum().backward()
    assert w.tolist() == [0.0, 0.0]
    assert w.grad is None
    assert t.grad is not None
    assert t.grad.tolist() == [1.5, 1.5]


def test_what_a_hook_after_accumulation_must_not_do() -> None:
    x = mg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="cannot be registered on non-leaf tensors"):
        (x * 2.0).register_post_accumulate_grad_hook(print)
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        mg.ones(1).register_post_accumulate_grad_hook(print)
    for returned, kind in ((mg.ones(2), RuntimeError), (5, TypeError)):
        with (
            x.register_post_accumulate_grad_hook(lambda p, returned=returned: returned),  # type: ignore[misc]
            pytest.raises(kind, match="should return None"),
        ):
            (x * 1.0).sum().backward()
    x.grad = None
    (x * 1.0).sum().backward()
    assert x.grad is not None


def test_handles_are_of_one_class_and_context_managers() -> None:
    x, net = mg.ones(1, requires_grad=True), nn.Linear(1, 1)
    opt = mg.optim.SGD([x], lr=1.0)
    calls: list[str] = []
    handles = [
        x.register_hook(lambda g: calls.append("tensor")),
        x.register_post_accumulate_grad_hook(lambda p: calls.append("after")),
        net.register_forward_pre_hook(lambda *given: calls.append("before")),
        net.register_forward_hook(lambda *given: calls.append("forward")),
        net.register_full_backward_pre_hook(lambda *given: calls.append("back")),
        net.register_full_backward_hook(lambda *given: calls.append("backward")),
        opt.register_step_pre_hook(lambda *given: calls.append("step")),
        opt.register_step_post_hook(lambda *given: calls.append("stepped")),
    ]
    assert {type(h) for h in handles} == {RemovableHandle}

    def run() -> list[str]:
        calls.clear()
        net(x).sum().backward()
        opt.step()
        return calls

    assert run() == ["before", "forward", "back", "backward", "tensor", "after", "step", "stepped"]
    for handle in handles:
        before = len(run())
        with handle as entered:
            assert entered is handle
        assert len(run()) == before - 1
    assert calls == []


def test_removing_a_hook_twice_leaves_a_later_one() -> None:
    x = mg.ones(1, requires_grad=True)
    calls: list[Any] = []
    first = x.register_hook(lambda g: calls.append(1))
    first.remove()
    x.register_hook(lambda g: calls.append(2))
    first.remove()
    (x * 1.0).sum().backward()
    assert calls == [2]


def test_a_handle_takes_no_number_that_the_table_has() -> None:
    """As that of a module from another process, whose hooks were numbered there."""
    first = RemovableHandle({})
    hooks: dict[int, Any] = dict.fromkeys(range(first.id + 1, first.id + 4), "theirs")
    assert RemovableHandle(hooks).id == first.id + 4


# ---------------------------------------------------------------- backward hooks of modules


class Two(nn.Module):
    def forward(self, a: Any, b: Any, c: Any = None) -> Any:
        return a * b, a + 1.0, "text"


def plain(grads: Any) -> Any:
    return [g if g is None else g.tolist() for g in grads]


def test_full_backward_hooks_get_an_entry_for_each_argument_and_result() -> None:
    net, calls = Two(), []  # type: ignore[var-annotated]
    for name, prepend in (("h", False), ("first", True)):
        net.register_full_backward_hook(
            lambda m, gi, go, name=name: calls.append((name, m is net, plain(gi), plain(go))), prepend=prepend
        )
    net.register_full_backward_pre_hook(lambda m, go: calls.append(("pre", m is net, plain(go))))
    a, b = mg.ones(2, requires_grad=True), mg.tensor([3.0, 4.0])
    product, _, text = net(a, b)
    assert text == "text"
    product.sum().backward()
    assert a.grad is not None
    assert a.grad.tolist() == [3.0, 4.0]
    inputs, outputs = [[3.0, 4.0], [0.0, 0.0]], [[1.0, 1.0], None, None]
    assert calls == [("pre", True, outputs), ("first", True, inputs, outputs), ("h", True, inputs, outputs)]
    calls.clear()
    product, more, _ = net(a, b, c=None)
    (product + more).sum().backward(retain_graph=True)
    (product + more).sum().backward()
    assert calls[1] == ("first", True, [[4.0, 5.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 1.0], None])
    assert calls[:3] == calls[3:]


def test_without_gradients_nothing_is_called() -> None:
    net, calls = nn.Linear(2, 1), []  # type: ignore[var-annotated]
    net.register_full_backward_hook(lambda m, gi, go: calls.append(plain(gi)))
    x = mg.ones(1, 2)
    with mg.no_grad():
        assert net(x.requires_grad_()).grad_fn is None
    mg.autograd.grad(net(x).sum(), net.weight)  # the pass does not reach the argument
    assert calls == []
    # no argument requires grad: called when the results' gradients are known
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        net(x.detach()).sum().backward()
    assert calls == [[None]]
    listing = Listing()
    listing.register_full_backward_hook(lambda *given: calls.append(given))
    with pytest.warns(UserWarning, match="Tensor or a tuple of Tensors"):
        listing(x)


class Keeps(nn.Module):
    def forward(self, x: Any) -> Any:
        self.kept = x * 2.0
        return x * 3.0


def test_a_gradient_that_does_not_come_from_the_results_calls_nothing() -> None:
    net, calls = Keeps(), []  # type: ignore[var-annotated]
    net.register_full_backward_hook(lambda *given: calls.append(given))
    x = mg.ones(1, requires_grad=True)
    net(x).sum().backward(retain_graph=True)
    assert len(calls) == 1
    net.kept.sum().backward()
    assert len(calls) == 1
    assert x.grad is not None
    assert x.grad.item() == 5.0


class Named(nn.Module):
    class Pair(NamedTuple):
        left: Any
        right: Any

    def forward(self, x: Any) -> Any:
        return self.Pair(x * 2.0, x * 3.0)


class Listing(nn.Module):
    def forward(self, x: Any) -> Any:
        return [x * 2.0]


def test_results_keep_their_kind() -> None:
    net = Named()
    net.register_full_backward_hook(lambda *given: None)
    pair = net(mg.ones(1, requires_grad=True))
    assert type(pair) is Named.Pair
    assert pair.right.item() == 3.0
    seven = nn.Flatten(0)
    seven.register_full_backward_hook(lambda *given: None)
    assert seven(mg.ones(2, 2, requires_grad=True)).shape == (4,)


def test_what_hooks_return_goes_on() -> None:
    net, x = nn.Linear(2, 1), mg.ones(1, 2, requires_grad=True)
    with net.register_full_backward_hook(lambda m, gi, go: (gi[0] * 0.0 + 7.0,)):
        net(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[7.0, 7.0]]
    net.zero_grad()
    with net.register_full_backward_pre_hook(lambda m, go: go[0] * 5.0):
        net(x).sum().backward()
    assert net.weight.grad.tolist() == [[5.0, 5.0]]
    for hook, message in (
        (lambda m, gi, go: (gi[0], gi[0]), "got 2, but expected 1"),
        (lambda m, gi, go: (mg.ones(3),), "has changed the size of value"),
    ):
        with net.register_full_backward_hook(hook), pytest.raises(RuntimeError, match=message):
            net(x).sum().backward()
    with (
        net.register_full_backward_hook(lambda m, gi, go: 5),
        pytest.raises(TypeError, match="a Tensor or a tuple"),
    ):
        net(x).sum().backward()
    with (
        net.register_full_backward_hook(lambda m, gi, go: (go[0],)),
        pytest.raises(RuntimeError, match="where no input requires gradient"),
        pytest.warns(UserWarning, match="no inputs require gradients"),
    ):
        net(x.detach()).sum().backward()


def test_nested_modules_and_second_derivatives() -> None:
    order: list[str] = []
    net = nn.Sequential(nn.Linear(1, 1), nn.Tanh(), nn.Linear(1, 1))
    for name, module in net.named_modules():
        module.register_full_backward_hook(lambda m, gi, go, name=name: order.append(name))
    x = mg.ones(1, 1, requires_grad=True)
    net(x).sum().backward()
    assert order == ["2", "1", "0", ""]
    with_hooks = mg.autograd.functional.hessian(lambda x: net(x).sum(), x)
    second = [mg.autograd.gradgradcheck(net.double(), (x.double().detach().requires_grad_(),))]
    for module in net.modules():
        module._backward_hooks.clear()
    assert second == [True]
    assert with_hooks.tolist() == mg.autograd.functional.hessian(lambda x: net.float()(x).sum(), x).tolist()


def test_a_module_pickled_before_there_were_backward_hooks() -> None:
    net = nn.Linear(1, 1)
    state = {k: v for k, v in net.__dict__.items() if not k.startswith("_backward")}
    old = nn.Linear.__new__(nn.Linear)
    old.__setstate__(pickle.loads(pickle.dumps(state)))
    assert old(mg.ones(1, 1)).shape == (1, 1)


# ---------------------------------------------------------------- hooks of optimizers


def test_step_hooks() -> None:
    p = nn.Parameter(mg.ones(1))
    opt = mg.optim.SGD([p], lr=0.5)
    p.grad = mg.ones(1)
    calls: list[Any] = []
    before = opt.register_step_pre_hook(
        lambda o, args, kwargs: calls.append((o is opt, args[1:], kwargs, p.item()))
    )
    opt.register_step_post_hook(lambda o, args, kwargs: calls.append(p.item()))
    closure = lambda: 4.0  # noqa: E731
    assert opt.step() is None
    assert opt.step(closure) == 4.0
    assert opt.step(closure=closure) == 4.0
    assert calls == [
        (True, (), {}, 1.0), 0.5, (True, (closure,), {}, 0.5), 0.0, (True, (), {"closure": closure}, 0.0), -0.5
    ]  # fmt: skip
    before.remove()
    with opt.register_step_pre_hook(lambda o, args, kwargs: (args, {"closure": lambda: 77.0})):
        assert opt.step() == 77.0
    with (
        opt.register_step_pre_hook(lambda o, args, kwargs: 5),
        pytest.raises(RuntimeError, match="but got 5"),
    ):
        opt.step()


def test_step_hooks_are_called_once_where_a_step_calls_that_of_its_base() -> None:
    class Twice(mg.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            """Two steps."""
            super().step()
            return super().step(closure)

    p = nn.Parameter(mg.ones(1))
    opt = Twice([p], lr=0.25)
    p.grad = mg.ones(1)
    calls: list[float] = []
    opt.register_step_post_hook(lambda *given: calls.append(p.item()))
    opt.step()
    assert calls == [0.5]
    assert Twice.step.__doc__ == "Two steps."


def test_state_dict_hooks() -> None:
    opt = mg.optim.SGD([nn.Parameter(mg.ones(1))], lr=0.5)
    calls: list[Any] = []
    opt.register_state_dict_pre_hook(lambda o: calls.append("save"))
    opt.register_state_dict_post_hook(lambda o, state: {**state, "more": [*state.get("more", ()), 1]})
    opt.register_state_dict_post_hook(lambda o, state: {**state, "more": [2]}, prepend=True)
    opt.register_load_state_dict_pre_hook(lambda o, state: {k: v for k, v in state.items() if k != "more"})
    opt.register_load_state_dict_post_hook(lambda o: calls.append(o.param_groups[0]["lr"]))
    saved = opt.state_dict()
    assert saved["more"] == [2, 1]
    saved["param_groups"][0]["lr"] = 0.125
    opt.load_state_dict(saved)
    assert calls == ["save", 0.125]
    assert "more" in saved


# ---------------------------------------------------------------- in compiled functions


def double_input_gradient(net: Any, opt: Any, log: Any) -> list[Any]:
    return [net[2].register_full_backward_hook(lambda m, gi, go: (gi[0] * 2.0,))]


def double_output_gradient(net: Any, opt: Any, log: Any) -> list[Any]:
    return [net.register_full_backward_pre_hook(lambda m, go: (go[0] * 2.0,))]


def change_after_accumulation(net: Any, opt: Any, log: Any) -> list[Any]:
    def hook(p: Any) -> None:
        p.grad.mul_(0.5)

    return [p.register_post_accumulate_grad_hook(hook) for p in net.parameters()]


def replace_after_accumulation(net: Any, opt: Any, log: Any) -> list[Any]:
    def hook(p: Any) -> None:
        p.grad = p.grad * 3.0

    return [net[0].weight.register_post_accumulate_grad_hook(hook)]


def clip_before_the_step(net: Any, opt: Any, log: Any) -> list[Any]:
    def hook(opt: Any, args: Any, kwargs: Any) -> None:
        for p in net.parameters():
            p.grad.clamp_(-0.1, 0.1)

    return [opt.register_step_pre_hook(hook)]


def project_after_the_step(net: Any, opt: Any, log: Any) -> list[Any]:
    def hook(opt: Any, args: Any, kwargs: Any) -> None:
        with mg.no_grad():
            for p in net.parameters():
                p.clamp_(-0.5, 0.5)

    return [opt.register_step_post_hook(hook)]


def train(setup: Any, wrap: Any, inside: bool) -> list[Any]:
    """Seven steps: two without hooks, three with, two without; losses and parameters."""
    mg.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    opt = mg.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
    log: list[Any] = []

    def loss(x: Any, t: Any) -> Any:
        return nn.functional.mse_loss(net(x), t)

    def step(x: Any, t: Any) -> Any:
        opt.zero_grad()
        found = loss(x, t)
        found.backward()
        opt.step()
        return found

    if inside:
        step = wrap(step)
    else:
        loss = wrap(loss)
    seen, handles = [], []
    for k in range(7):
        if k == 2:
            handles = setup(net, opt, log)
        if k == 5:
            for handle in handles:
                handle.remove()
        seen.append(step(mg.randn(4, 2), mg.randn(4, 1)).item())
    return [*seen, [p.tolist() for p in net.parameters()], log]


SETUPS = [
    double_input_gradient, double_output_gradient, change_after_accumulation, replace_after_accumulation,
    clip_before_the_step, project_after_the_step,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Full backward hook")
@pytest.mark.parametrize("inside", [True, False], ids=["step", "loss"])
@pytest.mark.parametrize("setup", SETUPS)
def test_compiled_functions_honour_hooks_that_come_and_go(setup: Any, inside: bool) -> None:
    hooked = train(setup, lambda f: f, inside)
    assert train(setup, mg.compile, inside) == hooked
    assert hooked[:3] == train(lambda net, opt, log: [], lambda f: f, inside)[:3]
    assert hooked[3:] != train(lambda net, opt, log: [], lambda f: f, inside)[3:]


@pytest.mark.parametrize(
    "setup",
    [
        lambda net, opt, log: [net[2].register_full_backward_hook(lambda *given: log.append(1))],
        lambda net, opt, log: [net[2].weight.register_hook(lambda g: log.append(1))],
        lambda net, opt, log: [net[2].weight.register_post_accumulate_grad_hook(lambda p: log.append(1))],
        lambda net, opt, log: [opt.register_step_post_hook(lambda *given: log.append(1))],
    ],
)
def test_a_compiled_step_does_not_skip_what_hooks_do_outside_of_tensors(setup: Any) -> None:
    with pytest.raises(RuntimeError, match="the function changes log"):
        train(setup, mg.compile, True)


def test_a_compiled_function_does_not_skip_what_hooks_of_arguments_do_outside_of_tensors() -> None:
    log: list[int] = []

    def f(x: Any) -> Any:
        y = (x * 2.0).sum()
        y.backward()
        return y.detach()

    x = mg.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(1))
    with pytest.raises(RuntimeError, match="the function changes log"):
        mg.compile(f)(x)


def test_hooks_of_arguments_count_in_compiled_functions() -> None:
    def triple(g: Any) -> Any:
        return g * 3.0

    def half(p: Any) -> None:
        p.grad = p.grad * 0.5

    def run(x: Any) -> Any:
        y = (x * 2.0).sum()
        y.backward()
        return y.detach()

    compiled = mg.compile(run)
    for hooks, expected in (([], 2.0), ([triple], 6.0), ([triple], 6.0), ([triple, half], 3.0)):
        x = mg.ones(2, requires_grad=True)
        for hook in hooks:
            (x.register_post_accumulate_grad_hook if hook is half else x.register_hook)(hook)
        compiled(x)
        assert x.grad is not None
        assert x.grad.tolist() == [expected] * 2


# ---------------------------------------------------------------- keywords of Function.apply


class Scale(mg.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, k: float = 2.0) -> Any:
        ctx.k, ctx.needed = k, ctx.needs_input_grad
        return x * k

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.k, None


class Apart(mg.autograd.Function):
    seen: Any = None

    @staticmethod
    def forward(x: Any, k: float = 2.0, m: float = 3.0, *, quiet: bool = True) -> Any:
        return x * k * m

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        Apart.seen, ctx.k = inputs, inputs[1] * inputs[2]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.k, None, None


def test_keywords_take_their_places() -> None:
    x = mg.ones(2, requires_grad=True)
    for apply, k in (
        (lambda: Scale.apply(x), 2.0),
        (lambda: Scale.apply(x, k=3.0), 3.0),
        (lambda: Scale.apply(k=4.0, x=x), 4.0),
        (lambda: Scale.apply(x, k=mg.tensor([5.0, 5.0])), 5.0),
        (lambda: Apart.apply(x), 6.0),
        (lambda: Apart.apply(x=x, m=1.0), 2.0),
        (lambda: Apart.apply(x, 2.0, 2.0), 4.0),
    ):
        x.grad = None
        apply().sum().backward()
        assert x.grad is not None
        assert x.grad.tolist() == [k, k]
    assert Apart.apply(x, m=1.0) is not None
    assert Apart.seen == (x, 2.0, 1.0)


def test_keywords_without_a_place() -> None:
    x = mg.ones(2, requires_grad=True)
    for apply in (
        lambda: Scale.apply(x, z=1),
        lambda: Scale.apply(x, x=x),
        lambda: Scale.apply(k=1.0),
        lambda: Scale.apply(ctx=1, x=x),
        lambda: Apart.apply(x, quiet=False),
        lambda: Apart.apply(),
    ):
        with pytest.raises(TypeError, match=r"(Scale|Apart)\.apply\(\)"):
            apply()


# ---------------------------------------------------------------- iterables


def same(p: Any) -> Any:
    return p


def test_gradients_are_asked_for_by_any_iterable() -> None:
    net, x = nn.Linear(2, 1), mg.ones(1, 2)
    two = mg.tensor(2.0)

    def loss() -> Any:
        return net(x).sum()

    expected = [[[1.0, 1.0]], [1.0]]
    named = dict(net.named_parameters())
    for inputs in (
        net.parameters(),
        map(same, net.parameters()),
        named.values(),
        (p for p in named.values()),
    ):
        found = mg.autograd.grad(loss(), inputs)
        assert type(found) is tuple
        assert [g.tolist() for g in found] == expected
    by_name = mg.autograd.grad(loss(), named)
    assert {k: g.tolist() for k, g in by_name.items()} == {"weight": expected[0], "bias": expected[1]}
    found = mg.autograd.grad((t for t in [loss()]), net.parameters(), grad_outputs=iter([two]))
    assert [g.tolist() for g in found] == [[[2.0, 2.0]], [2.0]]
    for inputs in (net.parameters(), map(same, net.parameters()), named.values(), named):
        net.zero_grad()
        loss().backward(inputs=inputs)
        assert [p.grad.tolist() for p in net.parameters()] == expected  # type: ignore[union-attr]
    net.zero_grad()
    mg.autograd.backward((t for t in [loss()]), (g for g in [two]))
    assert net.bias is not None
    assert net.bias.grad.tolist() == [2.0]  # type: ignore[union-attr]
    for params in (net.parameters(), map(same, net.parameters()), named.values()):
        assert len(mg.optim.SGD(params, lr=0.1).param_groups[0]["params"]) == 2


def test_what_is_no_iterable_of_tensors_gets_a_sentence() -> None:
    x = mg.ones(1, requires_grad=True)
    y = (x * 2.0).sum
    for wrong in (3, None, "ab", [1], object(), {"a": 1}):
        with pytest.raises(TypeError, match="inputs must be Tensors, got"):
            mg.autograd.grad(y(), wrong)
        with pytest.raises(TypeError, match="can only differentiate Tensors, got"):
            mg.autograd.grad(wrong, x)
    for wrong in (2.0, "a", [1]):
        with pytest.raises(TypeError, match=r"must be Tensor or None|either Tensors or None"):
            y().backward(wrong)  # type: ignore[arg-type]
    for empty in ([], iter(()), {}, (t for t in ())):
        with pytest.raises(RuntimeError, match="cannot be empty"):
            mg.autograd.grad(y(), empty)
    with pytest.raises(RuntimeError, match="cannot be empty"):
        y().backward(inputs=iter(()))
    with pytest.raises(TypeError, match="must be a dict"):
        mg.autograd.grad(y(), MappingProxyType({"x": x}))
    for one in (mg.cat, mg.stack):
        with pytest.raises(TypeError, match="must be tuple of Tensors, not generator"):
            one(t for t in [x])
    with pytest.raises(TypeError, match="must be Tensor, not generator"):
        mg.broadcast_tensors(t for t in [x])
    with pytest.raises(RuntimeError, match="argnums must be int or Tuple"):
        mg.func.grad(lambda a: a.sum(), argnums=iter([0]))(x)  # type: ignore[arg-type]

"""optim: the base class and SGD, against PyTorch's trajectories and a plain NumPy one."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.optim import SGD, Optimizer
from minigrad.optim.optimizer import required

pytestmark = pytest.mark.filterwarnings("error")


def parameter(*values, dtype=mg.float64):
    return mg.tensor(values, dtype=dtype, requires_grad=True)


def descend(p, optimizer, steps=1):
    """Steps on sum(c * p**2) with c = 1, 2, 3, ..."""
    c = mg.arange(1, p.numel() + 1, dtype=p.dtype)
    for _ in range(steps):
        optimizer.zero_grad()
        (c * p * p).sum().backward()
        optimizer.step()


# -------------------------------------------------------------------- SGD

# Five steps from (1, -2, 0.5) in float64, printed by torch 2.13.
GOLDEN = [
    ({"lr": 0.1}, [0.32768, -0.15552, 0.005119999999999999]),
    ({"lr": 0.1, "weight_decay": 0.1}, [0.30770563989999994, -0.14298485979999997, 0.004511209949999999]),
    ({"lr": 0.05, "momentum": 0.9}, [-0.029159999999999978, 1.16084, -0.38914000000000004]),
    (
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1},
        [0.2214092563943359, 0.6141823469378906, -0.32904840869736335],
    ),
    (
        {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        [-0.13485766051727502, 0.8371403355934187, -0.16990572272044682],
    ),
    (
        {"lr": 0.01, "momentum": 0.9, "maximize": True},
        [1.2754910592, -3.1540759167999997, 0.9529611967999999],
    ),
]


@pytest.mark.parametrize(("options", "expected"), GOLDEN)
def test_sgd_goes_where_pytorch_goes(options, expected):
    p = parameter(1.0, -2.0, 0.5)
    descend(p, SGD([p], **options), 5)
    np.testing.assert_allclose(p.detach().numpy(), expected, rtol=1e-13)


def by_hand(p, lr, momentum, dampening, weight_decay, nesterov, maximize, gradients):
    b = None
    for g in gradients:
        g = (-g if maximize else g) + weight_decay * p
        if momentum:
            b = g if b is None else momentum * b + (1 - dampening) * g
            g = g + momentum * b if nesterov else b
        p = p - lr * g
    return p


OPTIONS = [
    {"lr": lr, "momentum": m, "dampening": d, "weight_decay": w, "nesterov": n, "maximize": x}
    for lr, m, d, w, n, x in itertools.product(
        (0.1, 0.0), (0, 0.9), (0, 0.3), (0, 0.01), (False, True), (False, True)
    )
    if not n or (m and not d)
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sgd_does_what_its_formula_says(options, dtype):
    rng = np.random.default_rng(0)
    start = rng.normal(size=(3, 2)).astype(dtype)
    gradients = [rng.normal(size=(3, 2)).astype(dtype) for _ in range(4)]
    p = mg.tensor(start, requires_grad=True)
    optimizer = SGD([p], **options)
    for g in gradients:
        p.grad = mg.tensor(g)
        optimizer.step()
        np.testing.assert_array_equal(p.grad.numpy(), g)  # a step leaves the gradient alone
    assert p.dtype is getattr(mg, dtype)
    expected = by_hand(start.astype("float64"), gradients=gradients, **options)
    np.testing.assert_allclose(
        p.detach().numpy(), expected, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6
    )


def test_the_step_is_not_recorded_and_keeps_the_parameter():
    p = nn.Parameter(mg.tensor([1.0, 2.0]))
    memory = p.detach()
    optimizer = SGD([p], lr=0.5, momentum=0.9, weight_decay=0.1, nesterov=True)
    descend(p, optimizer, 3)
    assert p.is_leaf
    assert p.requires_grad
    assert memory.tolist() == p.tolist()
    buffer = optimizer.state[p]["momentum_buffer"]
    assert not buffer.requires_grad
    assert mg.is_grad_enabled()


def test_parameters_without_gradient_are_left_alone():
    p, q = parameter(1.0), parameter(2.0)
    optimizer = SGD([p, q], lr=0.1, momentum=0.9, weight_decay=0.5)
    descend(p, optimizer)
    assert q.item() == 2.0
    assert list(optimizer.state) == [p]


def test_groups_have_their_own_options():
    p, q = parameter(1.0), parameter(1.0)
    optimizer = SGD([{"params": [p]}, {"params": q, "lr": 0.01, "momentum": 0.5}], lr=0.1)
    for t in (p, q):
        t.grad = mg.ones(1, dtype=mg.float64)
    optimizer.step()
    assert p.item() == pytest.approx(0.9, abs=1e-15)
    assert q.item() == pytest.approx(0.99, abs=1e-15)
    assert p not in optimizer.state
    assert optimizer.state[q]["momentum_buffer"].tolist() == [1.0]
    optimizer.param_groups[0]["lr"] = 1.0  # as schedulers do
    optimizer.step()
    assert p.item() == pytest.approx(-0.1, abs=1e-15)


def test_the_first_buffer_is_not_the_gradient_itself():
    p = parameter(1.0)
    optimizer = SGD([p], lr=0.1, momentum=0.9)
    p.grad = g = mg.ones(1, dtype=mg.float64)
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    assert g.item() == 0
    assert optimizer.state[p]["momentum_buffer"].item() == 1.0


@pytest.mark.parametrize("kwargs", [{"foreach": True}, {"fused": True}, {"foreach": False}])
def test_pytorch_kernel_choices_change_nothing(kwargs):
    p, q = parameter(1.0, 2.0), parameter(1.0, 2.0)
    descend(p, SGD([p], lr=0.1, momentum=0.9), 3)
    descend(q, SGD([q], lr=0.1, momentum=0.9, **kwargs), 3)
    assert p.tolist() == q.tolist()


def test_options_may_be_tensors():
    p, q = parameter(1.0, 2.0), parameter(1.0, 2.0)
    descend(p, SGD([p], lr=mg.tensor(0.25), weight_decay=mg.tensor(0.5)), 3)
    descend(q, SGD([q], lr=0.25, weight_decay=0.5), 3)
    assert p.tolist() == q.tolist()


def test_a_differentiable_step():
    """d/d(lr) of the loss after one step, through the step."""
    start = parameter(1.0, 2.0)
    p = start.clone()
    lr = mg.tensor(0.1, dtype=mg.float64, requires_grad=True)
    optimizer = SGD([p], lr=lr, differentiable=True)
    p.grad = mg.tensor([3.0, 4.0], dtype=mg.float64)
    optimizer.step()
    p.sum().backward()
    np.testing.assert_allclose(p.detach().numpy(), [0.7, 1.6])
    assert lr.grad.item() == -7.0
    assert start.grad.tolist() == [1.0, 1.0]


def test_closure():
    p = parameter(1.0)
    optimizer = SGD([p], lr=0.1)

    def closure():
        assert mg.is_grad_enabled()
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with mg.no_grad():
        assert optimizer.step(closure).item() == 1.0
    assert p.item() == pytest.approx(0.8)
    assert optimizer.step() is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1.0}, "Invalid learning rate: -1.0"),
        ({"momentum": -0.1}, "Invalid momentum value: -0.1"),
        ({"weight_decay": -0.1}, "Invalid weight_decay value: -0.1"),
        ({"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        (
            {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
            "Nesterov momentum requires a momentum and zero dampening",
        ),
        ({"lr": mg.ones(2)}, "Tensor lr must be 1-element"),
    ],
)
def test_invalid_options(options, message):
    with pytest.raises(ValueError, match=message):
        SGD([parameter(1.0)], **options)


def test_contradicting_kernels():
    with pytest.raises(RuntimeError, match="`fused` does not support `differentiable`"):
        SGD([parameter(1.0)], fused=True, differentiable=True)
    with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
        SGD([parameter(1.0)], fused=True, foreach=True)


def test_a_failing_step_changes_nothing():
    p, q = parameter(1.0), parameter(1.0, 2.0)
    optimizer = SGD([p, q], lr=0.1, momentum=0.9)
    for t in (p, q):
        t.grad = mg.ones(*t.shape, dtype=mg.float64)
    optimizer.state[q]["momentum_buffer"] = mg.ones(3, dtype=mg.float64)
    with pytest.raises(RuntimeError, match=r"momentum buffer of shape \(3,\) .* parameter of shape \(2,\)"):
        optimizer.step()
    assert p.item() == 1.0
    assert mg.is_grad_enabled()
    del optimizer.state[q]
    optimizer.add_param_group({"params": [parameter(1.0)]})
    del optimizer.param_groups[1]["lr"]
    with pytest.raises(KeyError, match="lr"):
        optimizer.step()
    assert p.item() == 1.0


def test_a_failing_closure_changes_nothing():
    p = parameter(1.0)
    p.grad = mg.ones(1, dtype=mg.float64)
    with pytest.raises(ZeroDivisionError), mg.no_grad():
        SGD([p], lr=0.1).step(lambda: 1 / 0)
    assert p.item() == 1.0
    assert mg.is_grad_enabled()


# -------------------------------------------------------------------- the base class


def test_repr():
    assert repr(SGD([parameter(1.0)], lr=0.1)) == (
        "SGD (\n"
        "Parameter Group 0\n"
        "    dampening: 0\n"
        "    differentiable: False\n"
        "    foreach: None\n"
        "    fused: None\n"
        "    lr: 0.1\n"
        "    maximize: False\n"
        "    momentum: 0\n"
        "    nesterov: False\n"
        "    weight_decay: 0\n"
        ")"
    )
    named = SGD([{"params": [("a", parameter(1.0))]}, {"params": [("b", parameter(1.0))], "extra": 3}])
    assert "\n\nParameter Group 1\n" in repr(named)
    assert "    extra: 3\n" in repr(named)
    assert "    param_names: ['b']\n" in repr(named)
    assert "    lr: 0.001\n" in repr(named)


def test_what_may_be_given_as_parameters():
    p, q = parameter(1.0), parameter(2.0)
    for params in ([p, q], (t for t in (p, q)), [{"params": (p, q)}], {"a": p, "b": q}.values()):
        assert SGD(params).param_groups[0]["params"] == [p, q]
    assert [g["params"] for g in SGD([{"params": p}, {"params": q}]).param_groups] == [[p], [q]]
    net = nn.Linear(2, 1)
    optimizer = SGD(net.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"][0] is net.weight
    group = {"params": [("extra", p)]}
    optimizer.add_param_group(group)
    assert optimizer.param_groups[1] is group
    assert group["params"] == [p]
    assert group["param_names"] == ["extra"]
    assert group["lr"] == 1e-3


def test_parameter_errors():
    p, q = parameter(1.0), parameter(2.0)
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        SGD([])
    with pytest.raises(TypeError, match=r"an iterable of Tensors or dicts, but got minigrad\.Tensor"):
        SGD(p)
    with pytest.raises(TypeError, match="but one of the params is float"):
        SGD([1.0])
    with pytest.raises(TypeError, match="but one of the params is str"):
        SGD([{"params": "ab"}])
    for sets in ([{"params": {p, q}}], [{"params": frozenset([p])}]):
        with pytest.raises(TypeError, match="ordered collections"):
            SGD(sets)
    assert {*SGD({p, q}).param_groups[0]["params"]} == {p, q}
    with pytest.raises(ValueError, match="can't optimize a non-leaf Tensor"):
        SGD([p * 2])
    kept = p * 2
    kept.retain_grad()
    SGD([kept])
    SGD([p * 2], differentiable=True)
    with pytest.raises(ValueError, match="some parameters appear in more than one parameter group"):
        SGD([{"params": [p]}, {"params": [q, p]}])
    with pytest.warns(UserWarning, match="a parameter group with duplicate parameters"):
        SGD([p, p])
    with pytest.raises(ValueError, match="Some param names are missing"):
        SGD([("p", p), q])
    with pytest.raises(ValueError, match="cannot add param group without names"):
        SGD([("p", p)]).add_param_group({"params": [q]})
    with pytest.raises(ValueError, match="cannot add param group with names"):
        SGD([p]).add_param_group({"params": [("q", q)]})
    with pytest.raises(TypeError, match="param_group must be a dict, but got <class 'list'>"):
        SGD([p]).add_param_group([q])


def test_a_refused_group_is_not_added():
    p, q = parameter(1.0), parameter(2.0)
    optimizer = SGD([p])
    group = {"params": (x for x in (q, p))}
    with pytest.raises(ValueError, match="more than one"):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1
    assert list(group) == ["params"]


def test_required_options():
    class Plain(Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": required, "decay": 0})

    p = parameter(1.0)
    with pytest.raises(ValueError, match="didn't specify a value of required optimization parameter lr"):
        Plain([p])
    optimizer = Plain([{"params": p, "lr": 1}])
    assert optimizer.param_groups[0]["decay"] == 0
    with pytest.raises(NotImplementedError):
        optimizer.step()
    assert repr(required) == "<required parameter>"


def test_zero_grad():
    p = parameter(1.0)
    optimizer = SGD([p])
    optimizer.zero_grad()
    p.grad = g = mg.ones(1, dtype=mg.float64)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is g
    assert g.item() == 0
    optimizer.zero_grad()
    assert p.grad is None


def test_state_dict_has_the_format_of_pytorch():
    p, q, r = parameter(1.0), parameter(2.0), parameter(3.0)
    optimizer = SGD([{"params": [p]}, {"params": [q, r], "lr": 0.5}], lr=0.1, momentum=0.9)
    descend(r, optimizer)
    state = optimizer.state_dict()
    assert list(state) == ["state", "param_groups"]
    assert list(state["state"]) == [2]
    assert list(state["state"][2]) == ["momentum_buffer"]
    assert state["param_groups"] == [
        {
            "lr": lr, "momentum": 0.9, "dampening": 0, "weight_decay": 0, "nesterov": False,
            "maximize": False, "foreach": None, "differentiable": False, "fused": None, "params": params,
        }
        for lr, params in ((0.1, [0]), (0.5, [1, 2]))
    ]  # fmt: skip


@pytest.mark.parametrize("again", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_training_goes_on_from_a_saved_state(again):
    options = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}
    whole = parameter(1.0, -2.0, 0.5)
    descend(whole, SGD([whole], **options), 6)

    p = parameter(1.0, -2.0, 0.5)
    first = SGD([p], **options)
    descend(p, first, 3)
    q = p.detach().clone().requires_grad_()
    second = SGD([q], lr=1.0)
    second.load_state_dict(again(first.state_dict()))
    assert second.param_groups[0]["lr"] == 0.05
    assert second.param_groups[0]["params"] == [q]
    descend(q, second, 3)
    assert q.tolist() == whole.tolist()


def test_a_loaded_state_is_a_copy_in_the_parameters_dtype():
    p, q = parameter(1.0, 2.0), parameter(1.0, 2.0, dtype=mg.float32)
    first, second = SGD([p], momentum=0.9), SGD([q], momentum=0.9)
    descend(p, first)
    state = first.state_dict()
    state["state"][0]["step"] = mg.tensor(3)
    second.load_state_dict(state)
    assert second.state[q]["momentum_buffer"].dtype is mg.float32
    assert second.state[q]["step"].dtype is mg.int64
    third = SGD([parameter(1.0, 2.0)], momentum=0.9)
    third.load_state_dict(state)
    before = first.state[p]["momentum_buffer"].tolist()
    descend(third.param_groups[0]["params"][0], third, 2)
    assert first.state[p]["momentum_buffer"].tolist() == before


def test_loading_errors_change_nothing():
    p, q = parameter(1.0), parameter(2.0)
    optimizer = SGD([p], lr=0.1)
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optimizer.load_state_dict(SGD([{"params": p}, {"params": q}]).state_dict())
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optimizer.load_state_dict(SGD([p, q]).state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert optimizer.param_groups[0]["params"] == [p]


def test_names_survive_loading():
    p = parameter(1.0)
    named, plain = SGD([("w", p)], lr=0.1), SGD([p], lr=0.2)
    assert named.state_dict()["param_groups"][0]["param_names"] == ["w"]
    named.load_state_dict(plain.state_dict())
    assert named.param_groups[0]["param_names"] == ["w"]
    assert named.param_groups[0]["lr"] == 0.2


def test_options_that_old_states_lack_get_defaults():
    p = parameter(1.0)
    state = SGD([p]).state_dict()
    for option in ("nesterov", "maximize", "foreach", "differentiable", "fused"):
        del state["param_groups"][0][option]
    optimizer = SGD([p])
    optimizer.load_state_dict(state)
    descend(p, optimizer)
    assert optimizer.param_groups[0]["maximize"] is False


@pytest.mark.parametrize("again", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_optimizers_copy_and_pickle(again):
    p = nn.Parameter(mg.tensor([1.0, 2.0]))
    optimizer = SGD([p], lr=0.1, momentum=0.9)
    descend(p, optimizer)
    twin = again(optimizer)
    (q,) = twin.param_groups[0]["params"]
    assert q is not p
    assert twin.state[q]["momentum_buffer"].tolist() == optimizer.state[p]["momentum_buffer"].tolist()
    descend(p, optimizer)
    descend(q, twin)
    assert q.tolist() == p.tolist()


def test_a_step_leaves_nothing_behind():
    """No reference cycles: what a step made is freed at once."""
    import gc
    import weakref

    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    optimizer = SGD(net.parameters(), lr=0.1, momentum=0.9)
    gc.collect()
    gc.disable()
    try:
        loss = nn.MSELoss()(net(mg.ones(4, 2)), mg.zeros(4, 1))
        watched = weakref.ref(loss)
        loss.backward()
        optimizer.step()
        del loss
        assert watched() is None
    finally:
        gc.enable()

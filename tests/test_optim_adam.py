"""Adam and AdamW, and what all optimizers that are formulas share."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.optim import Adam, AdamW, elementwise
from minigrad.optim.elementwise import compiled

pytestmark = pytest.mark.filterwarnings("error")


def by_hand(
    p: Any, gradients: Any, lr: float = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
    amsgrad: bool = False, maximize: bool = False, apart: bool = False,
) -> tuple[Any, ...]:  # fmt: skip
    """The article's formula, in float64."""
    m, v, most = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    for t, g in enumerate(gradients, 1):
        g = -g if maximize else g
        if apart:
            p = p - lr * weight_decay * p
        else:
            g = g + weight_decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        most = np.maximum(most, v)
        corrected = (most if amsgrad else v) / (1 - betas[1] ** t)
        p = p - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(corrected) + eps)
    return p, m, v, most


OPTIONS: list[dict[str, Any]] = [
    {},
    {"lr": 0.1, "betas": (0.5, 0.6), "eps": 1e-3},
    {"lr": 0.1, "weight_decay": 0.3, "maximize": True},
    {"lr": 0.1, "betas": (0.8, 0.5), "amsgrad": True},
    {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True, "betas": (0.0, 0.0)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())))
@pytest.mark.parametrize("cls", [Adam, AdamW])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_formula(cls: Any, options: dict[str, Any], dtype: str) -> None:
    rng = np.random.default_rng(0)
    start = rng.normal(size=(3, 2)).astype(dtype)
    gradients = [rng.normal(size=(3, 2)).astype(dtype) for _ in range(6)]
    # a parameter whose memory is contiguous, and one whose memory is not
    p, q = mg.tensor(start, requires_grad=True), mg.tensor(start.T.copy()).T.requires_grad_()
    optimizer = cls([p, q], **options)
    for g in gradients:
        p.grad, q.grad = mg.tensor(g), mg.tensor(g)
        optimizer.step()
        np.testing.assert_array_equal(p.grad.numpy(), g)
    given = {"weight_decay": 0.01 if cls is AdamW else 0, **options}
    expected = by_hand(
        start.astype("float64"), [g.astype("float64") for g in gradients], apart=cls is AdamW, **given
    )
    rtol = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    for t in (p, q):
        names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")[: 2 + options.get("amsgrad", False)]
        state = optimizer.state[t]
        assert list(state) == ["step", *names]
        assert state["step"].item() == 6
        assert (state["step"].dtype, tuple(state["step"].shape)) == (mg.float32, ())
        assert all(state[name].dtype is t.dtype and not state[name].requires_grad for name in names)
        for have, want in zip((t, *(state[name] for name in names)), expected, strict=False):
            np.testing.assert_allclose(have.detach().numpy(), want, rtol=rtol, atol=rtol)
    assert p.is_leaf
    assert q.is_leaf


def test_pieces_of_a_large_parameter_and_one_without_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = (0, 7, 8, 9, 24, 25)
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=n) for n in sizes]
    gradients = [[rng.normal(size=n) for n in sizes] for _ in range(3)]
    monkeypatch.setattr("minigrad.optim.rule.PIECE", 8)
    params = [mg.tensor(a, requires_grad=True) for a in starts]
    optimizer = Adam(params, lr=0.1)
    for row in gradients:
        for p, g in zip(params, row, strict=True):
            p.grad = mg.tensor(g)
        optimizer.step()
    for i, p in enumerate(params):
        expected = by_hand(starts[i], [row[i] for row in gradients], lr=0.1)[0]
        np.testing.assert_allclose(p.detach().numpy(), expected, rtol=1e-12)


def test_parameters_of_different_age_and_a_tensor_for_a_rate() -> None:
    rng = np.random.default_rng(0)
    a, b = mg.tensor([1.0], requires_grad=True, dtype=mg.float64), mg.tensor([1.0, 2.0], requires_grad=True)
    scalar = mg.tensor(3.0, requires_grad=True, dtype=mg.float64)
    optimizer = Adam(
        [{"params": [a, scalar]}, {"params": [b], "lr": 0.5}], lr=mg.tensor(0.1, dtype=mg.float64)
    )
    gradients = rng.normal(size=(4, 1))
    for i, g in enumerate(gradients):
        a.grad, b.grad = mg.tensor(g), mg.tensor(np.repeat(g, 2).astype("f")) if i > 1 else None
        scalar.grad = mg.tensor(g[0]) if i != 2 else None
        optimizer.step()
    np.testing.assert_allclose(a.detach().numpy(), by_hand(np.ones(1), gradients, lr=0.1)[0], rtol=1e-12)
    some = np.delete(gradients, 2, 0)
    np.testing.assert_allclose(scalar.item(), by_hand(np.full(1, 3.0), some, lr=0.1)[0][0], rtol=1e-12)
    expected = by_hand(np.array([1.0, 2.0]), gradients[2:], lr=0.5)[0]
    np.testing.assert_allclose(b.detach().numpy(), expected, rtol=1e-6)


def test_a_parameter_that_stands_in_its_group_twice() -> None:
    p, q = mg.tensor([1.0], requires_grad=True), mg.tensor([1.0], requires_grad=True)
    with pytest.warns(UserWarning, match="duplicate"):
        twice = Adam([p, p], lr=0.1)
    once = Adam([q], lr=0.1)
    p.grad = q.grad = mg.tensor([2.0])
    twice.step()
    once.step()
    once.step()
    assert p.item() == q.item()
    assert twice.state[p]["step"].item() == 2


@pytest.mark.parametrize("cls", [Adam, AdamW])
def test_options_that_are_refused(cls: Any) -> None:
    p = mg.tensor([1.0], requires_grad=True)
    two = mg.ones(2)
    for options, words in [
        ({"lr": -1.0}, "Invalid learning rate: -1.0"),
        ({"lr": two}, "Tensor lr must be 1-element"),
        ({"lr": float("nan")}, "Invalid learning rate: nan"),
        ({"eps": -1e-8}, "Invalid epsilon value: -1e-08"),
        ({"betas": (1.0, 0.5)}, "Invalid beta parameter at index 0: 1.0"),
        ({"betas": (0.5, -0.1)}, "Invalid beta parameter at index 1: -0.1"),
        ({"betas": (0.5, mg.tensor(0.5))}, "betas must be either both floats or both Tensors"),
        ({"betas": (0, 0.5)}, "betas must be either both floats or both Tensors"),
        ({"weight_decay": -0.1}, "Invalid weight_decay value: -0.1"),
        ({"lr": mg.tensor(0.1), "foreach": True}, "lr as a Tensor is not supported for capturable=False"),
    ]:
        with pytest.raises(ValueError, match=words):
            cls([p], **options)
    for options in ({"differentiable": True}, {"foreach": True}):
        with pytest.raises(RuntimeError, match="`fused`"):
            cls([p], fused=True, **options)


def test_choices_of_kernels_and_tensors_for_betas_change_nothing() -> None:
    ends = []
    betas = (mg.tensor(0.75), mg.tensor(0.5))
    for options in ({}, {"foreach": True}, {"fused": True}, {"capturable": True}, {"betas": betas}):
        p = mg.tensor([1.0, 2.0], requires_grad=True)
        optimizer = Adam([p], **{"lr": 0.1, "betas": (0.75, 0.5), **options})
        for _ in range(3):
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()
        ends.append(p.tolist())
    assert ends == ends[:1] * 5


def test_a_differentiable_step() -> None:
    """d(p after)/d(p before) and d/d(lr), with p's gradient a function of p, against differences."""

    def after(x: float, rate: float) -> tuple[Any, Any, Any]:
        start = mg.tensor([x], dtype=mg.float64, requires_grad=True)
        lr = mg.tensor(rate, dtype=mg.float64, requires_grad=True)
        p = start.clone()
        optimizer = Adam([p], lr=lr, eps=0.3, differentiable=True)
        for _ in range(2):
            p.grad = (start.sin() * start).clone()
            optimizer.step()
        return p, start, lr

    p, start, lr = after(0.7, 0.1)
    p.sum().backward()
    h = 1e-6
    slope = (after(0.7 + h, 0.1)[0] - after(0.7 - h, 0.1)[0]).item() / (2 * h)
    by_rate = (after(0.7, 0.1 + h)[0] - after(0.7, 0.1 - h)[0]).item() / (2 * h)
    np.testing.assert_allclose([start.grad.item(), lr.grad.item()], [slope, by_rate], rtol=1e-8)


def test_a_failing_step_changes_nothing() -> None:
    p, q = (mg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    optimizer = Adam([p, q], lr=0.1)
    for t in (p, q):
        t.grad = mg.ones(2)
    optimizer.step()
    good, before = optimizer.state[q]["exp_avg"], copy.deepcopy(optimizer.state_dict())
    values = p.tolist()
    optimizer.state[q]["exp_avg"] = mg.ones(3)
    with pytest.raises(
        RuntimeError, match=r"Adam: exp_avg of shape \(3,\) belongs to a parameter of shape \(2,\)"
    ):
        optimizer.step()
    optimizer.state[q]["exp_avg"] = good
    count, optimizer.state[q]["step"] = optimizer.state[q]["step"], 1
    with pytest.raises(RuntimeError, match=r"must contain a list of singleton tensors: .*, not by int"):
        optimizer.step()
    optimizer.state[q]["step"] = count
    locked = np.ones(2, "f")
    locked.flags.writeable = False
    optimizer.state[q]["exp_avg_sq"] = mg.from_numpy(locked)
    with pytest.raises(RuntimeError, match="is read-only"):
        optimizer.step()
    del optimizer.state[q]["exp_avg_sq"]
    with pytest.raises(KeyError, match="exp_avg_sq"):
        optimizer.step()
    del optimizer.state[q]
    optimizer.param_groups[0]["betas"] = (0.9, "x")
    with pytest.raises(TypeError):
        optimizer.step()
    assert q not in optimizer.state
    assert p.tolist() == values
    now = optimizer.state_dict()["state"][0]
    assert all(now[name].tolist() == t.tolist() for name, t in before["state"][0].items())


def test_state_that_was_made_in_inference_mode() -> None:
    p, q = (mg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    optimizer = Adam([p, q], lr=0.1)
    p.grad = mg.ones(2)
    optimizer.step()
    values, q.grad = p.tolist(), mg.ones(2)
    with mg.inference_mode():
        Adam([q], lr=0.1).step()
        optimizer.state[q] = {name: mg.zeros_like(t) for name, t in optimizer.state[p].items()}
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
        optimizer.step()
    assert p.tolist() == values
    with mg.inference_mode():
        optimizer.step()
    assert p.tolist() != values


def test_a_step_is_a_change_in_place() -> None:
    p = mg.tensor([1.0, 2.0], requires_grad=True)
    loss = (p * p).sum()
    p.grad = mg.ones(2)
    Adam([p]).step()
    with pytest.raises(RuntimeError, match=r"changed in place|modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("again", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
def test_training_goes_on_from_a_saved_state(again: Any, dtype: Any) -> None:
    def descend(p: Any, optimizer: Any, steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            (p * p * p).sum().backward()
            optimizer.step()

    options = {"lr": 0.05, "weight_decay": 0.1, "amsgrad": True}
    whole = mg.tensor([1.0, 2.0], dtype=dtype, requires_grad=True)
    descend(whole, AdamW([whole], **options), 6)
    p = mg.tensor([1.0, 2.0], dtype=dtype, requires_grad=True)
    first = AdamW([p], **options)
    descend(p, first, 3)
    second = AdamW([p], lr=3.0)
    second.load_state_dict(again(first.state_dict()))
    descend(p, second, 3)
    assert p.tolist() == whole.tolist()
    assert second.state[p]["step"].dtype is mg.float32


def test_state_dicts_of_old_versions() -> None:
    p = mg.tensor([1.0], requires_grad=True)
    optimizer = Adam([p])
    state = {"step": 3, "exp_avg": mg.tensor([0.5]), "exp_avg_sq": mg.tensor([0.25])}
    group = {"lr": 0.1, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0, "params": [0]}
    optimizer.load_state_dict({"state": {0: state}, "param_groups": [group]})
    assert optimizer.state[p]["step"].dtype is mg.float32
    assert optimizer.state_dict()["param_groups"] == [
        {
            **group, "amsgrad": False, "maximize": False, "foreach": None, "capturable": False,
            "differentiable": False, "fused": None, "decoupled_weight_decay": False,
        }
    ]  # fmt: skip
    p.grad = mg.ones(1)
    optimizer.step()
    assert optimizer.state[p]["step"].item() == 4
    other = AdamW([p])
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["decoupled_weight_decay"] is True


def test_the_step_count_has_the_default_dtype() -> None:
    try:
        mg.set_default_dtype(mg.float64)
        for fused, dtype in ((None, mg.float64), (True, mg.float32)):
            p = mg.tensor([1.0], requires_grad=True)
            p.grad = mg.ones(1)
            optimizer = Adam([p], fused=fused)
            optimizer.step()
            assert optimizer.state[p]["step"].dtype is dtype
    finally:
        mg.set_default_dtype(mg.float32)


# ---------------------------------------------------------------- compiled


def twins(**options: Any) -> list[tuple[Any, Any]]:
    pairs = []
    for _ in range(2):
        mg.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        pairs.append((net, AdamW(net.parameters(), **options)))
    return pairs


@pytest.mark.parametrize("tensor", [False, True])
def test_a_compiled_step_follows_counts_and_schedules(tensor: bool) -> None:
    pairs = twins(lr=mg.tensor(0.1) if tensor else 0.1, amsgrad=True)

    def step_of(net: Any, optimizer: Any) -> Any:
        def step(x: Any) -> Any:
            optimizer.zero_grad()
            loss = (net(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return step

    steps = [step_of(*pairs[0]), mg.compile(step_of(*pairs[1]))]
    for i in range(6):
        x = mg.randn(5, 3)
        for _, optimizer in pairs:
            group = optimizer.param_groups[0]
            group["betas"] = (0.9 - 0.05 * i, 0.999 - 0.01 * i)
            group["weight_decay"] = 0.1 / (i + 1)
            group["lr"] = group["lr"].fill_(0.1 * 0.5**i) if tensor else 0.1 * 0.5**i
        assert steps[0](x).item() == steps[1](x).item()
        for p, q in zip(pairs[0][0].parameters(), pairs[1][0].parameters(), strict=True):
            assert p.tolist() == q.tolist()
            own, other = pairs[0][1].state[p], pairs[1][1].state[q]
            assert list(own) == list(other)
            assert all(own[name].tolist() == other[name].tolist() for name in own)
    # the first step, which has no state yet, and all others
    assert len(steps[1].report()) == 2


# ---------------------------------------------------------------- the formula as a program


def test_a_program_reads_before_it_writes() -> None:
    def formula(u: dict[str, Any]) -> None:
        a, b, c = u["a"], u["b"], u["c"]
        u["a"] = b * c
        u["b"] = a + 1.0
        u["c"] = (a > b).choose(b, -a) - c

    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 50))
    expected = b * c, a + 1.0, np.where(a > b, b, -a) - c
    program = compiled(("a", "b", "c"), (), formula)
    memory = [np.empty(50) for _ in range(program.scratch)] + [
        np.empty(50, bool) for _ in range(program.flags)
    ]
    program.run(a, b, c, *memory)
    for have, want in zip((a, b, c), expected, strict=True):
        np.testing.assert_array_equal(have, want)


def test_adams_program_needs_two_pieces_of_scratch() -> None:
    p = mg.tensor([1.0], requires_grad=True)
    p.grad = mg.ones(1)
    optimizer = Adam([p])
    optimizer.step()
    arrays, numbers = (
        ("param", "grad", "exp_avg", "exp_avg_sq"),
        ("weight1", "beta2", "weight2", "eps", "rate"),
    )
    flags = (("amsgrad", False), ("shrink", None))

    def formula(terms: dict[str, Any]) -> None:
        terms.update(flags, g=terms["grad"])
        values = type("Values", (), {})()
        values.__dict__ = terms
        Adam._update(values)

    program = elementwise.compiled(arrays, numbers, formula)
    assert (program.scratch, program.flags) == (2, 0)
    assert program.source.count("\n") == 13
    assert not any(line.endswith("grad)") for line in program.source.splitlines()[1:])


@pytest.mark.parametrize("compiled", [False, True])
def test_a_count_may_have_a_dimension(compiled: bool) -> None:
    """As programs make it that share the state of an optimizer among processes."""
    steps = []
    for shape in ((), (1,)):
        p = mg.nn.Parameter(mg.tensor([1.0, -2.0]))
        optimizer = mg.optim.Adam([p], 0.1)
        optimizer.state[p] = {"step": mg.zeros(shape), "exp_avg": mg.zeros(2), "exp_avg_sq": mg.zeros(2)}

        def step(p: mg.Tensor = p, optimizer: mg.optim.Optimizer = optimizer) -> None:
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()

        run = mg.compile(step) if compiled else step
        for _ in range(3):
            run()
        assert optimizer.state[p]["step"].tolist() == (3 if shape == () else [3])
        steps.append(p.tolist())
    assert steps[0] == steps[1]

"""The optimizers besides SGD and Adam, by their formulas in NumPy; L-BFGS, Muon; what all have in common."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim

pytestmark = pytest.mark.filterwarnings("error")

Rows = Any


def adamax(
    p: Any, g: Any, s: Any, t: int, lr: float = 2e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8
) -> Any:
    s["exp_avg"] = betas[0] * s["exp_avg"] + (1 - betas[0]) * g
    s["exp_inf"] = np.maximum(betas[1] * s["exp_inf"], np.abs(g) + eps)
    return p - lr / (1 - betas[0] ** t) * s["exp_avg"] / s["exp_inf"]


def nadam(
    p: Any, g: Any, s: Any, t: int, lr: float = 2e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8,
    momentum_decay: float = 4e-3,
) -> Any:  # fmt: skip
    mu = [betas[0] * (1 - 0.5 * 0.96 ** (k * momentum_decay)) for k in range(1, t + 2)]
    s["exp_avg"] = betas[0] * s["exp_avg"] + (1 - betas[0]) * g
    s["exp_avg_sq"] = betas[1] * s["exp_avg_sq"] + (1 - betas[1]) * g**2
    s["mu_product"] = np.prod(mu[:-1])
    direction = (1 - mu[-2]) * g / (1 - np.prod(mu[:-1])) + mu[-1] * s["exp_avg"] / (1 - np.prod(mu))
    return p - lr * direction / (np.sqrt(s["exp_avg_sq"] / (1 - betas[1] ** t)) + eps)


def radam(
    p: Any, g: Any, s: Any, t: int, lr: float = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8
) -> Any:
    s["exp_avg"] = betas[0] * s["exp_avg"] + (1 - betas[0]) * g
    s["exp_avg_sq"] = betas[1] * s["exp_avg_sq"] + (1 - betas[1]) * g**2
    m = s["exp_avg"] / (1 - betas[0] ** t)
    longest = 2 / (1 - betas[1]) - 1
    length = longest - 2 * t * betas[1] ** t / (1 - betas[1] ** t)
    if length <= 5:
        return p - lr * m
    r = np.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
    return p - lr * m * r * np.sqrt(1 - betas[1] ** t) / (np.sqrt(s["exp_avg_sq"]) + eps)


def adagrad(
    p: Any, g: Any, s: Any, t: int, lr: float = 1e-2, lr_decay: float = 0, eps: float = 1e-10,
    initial_accumulator_value: float = 0,
) -> Any:  # fmt: skip
    s["sum"] = s["sum"] + g**2 + (initial_accumulator_value if t == 1 else 0)
    return p - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s["sum"]) + eps)


def adadelta(p: Any, g: Any, s: Any, t: int, lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6) -> Any:
    s["square_avg"] = rho * s["square_avg"] + (1 - rho) * g**2
    step = np.sqrt(s["acc_delta"] + eps) / np.sqrt(s["square_avg"] + eps) * g
    s["acc_delta"] = rho * s["acc_delta"] + (1 - rho) * step**2
    return p - lr * step


def rmsprop(
    p: Any, g: Any, s: Any, t: int, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8, momentum: float = 0,
    centered: bool = False,
) -> Any:  # fmt: skip
    s["square_avg"] = alpha * s["square_avg"] + (1 - alpha) * g**2
    v = s["square_avg"]
    if centered:
        s["grad_avg"] = alpha * s["grad_avg"] + (1 - alpha) * g
        v = v - s["grad_avg"] ** 2
    step = g / (np.sqrt(v) + eps)
    if momentum:
        s["momentum_buffer"] = step = momentum * s["momentum_buffer"] + step
    return p - lr * step


def rprop(
    p: Any, g: Any, s: Any, t: int, lr: float = 1e-2, etas: Any = (0.5, 1.2), step_sizes: Any = (1e-6, 50)
) -> Any:
    if t == 1:
        s["step_size"] = np.full_like(p, lr)
    turn = np.sign(g * s["prev"])
    factors = np.choose(turn.astype(int) + 1, [etas[0], 1.0, etas[1]])
    s["step_size"] = np.clip(s["step_size"] * factors, *step_sizes)
    s["prev"] = np.where(turn < 0, 0, g)
    return p - np.sign(s["prev"]) * s["step_size"]


def asgd(
    p: Any,
    g: Any,
    s: Any,
    t: int,
    lr: float = 1e-2,
    lambd: float = 1e-4,
    alpha: float = 0.75,
    t0: float = 1e6,
) -> Any:
    # eta and mu are kept in single precision
    eta = np.float32(lr / (1 + lambd * lr * (t - 1)) ** alpha).astype(float)
    mu = np.float32(1 / max(1, t - 1 - t0)).astype(float)
    p = p * (1 - lambd * eta) - eta * g
    s["ax"] = s["ax"] + mu * (p - s["ax"])
    s["eta"], s["mu"] = lr / (1 + lambd * lr * t) ** alpha, 1 / max(1, t - t0)
    return p


def adafactor(
    p: Any, g: Any, s: Any, t: int, lr: float = 1e-2, beta2_decay: float = -0.8, eps: Any = (None, 1e-3),
    d: float = 1.0, weight_decay: float = 0.0,
) -> Any:  # fmt: skip
    def rms(x: Any) -> Any:
        return np.sqrt(np.mean(x**2))

    eps1 = 2.0**-52 if eps[0] is None else eps[0]
    w, rho = t**beta2_decay, min(lr, t**-0.5)
    if p.ndim > 1:
        for name, axis in (("row_var", -1), ("col_var", -2)):
            s[name] = s.get(name, 0.0) + w * ((g**2).mean(axis, keepdims=True) - s.get(name, 0.0))
        v = s["row_var"] * s["col_var"] / np.maximum(s["row_var"].mean(-2, keepdims=True), eps1)
    else:
        s["variance"] = v = s["variance"] + w * (g**2 - s["variance"])
    u = g / np.sqrt(np.maximum(v, eps1**2))
    return p * (1 - lr * weight_decay) - max(eps[1], rms(p)) * rho * u / max(1, rms(u) / d)


CASES: list[tuple[str, Any, dict[str, Any], str]] = [
    ("Adamax", adamax, {}, "exp_avg exp_inf"),
    ("Adamax", adamax, {"lr": 0.1, "betas": (0.5, 0.7), "eps": 1e-2}, "exp_avg exp_inf"),
    ("NAdam", nadam, {}, "mu_product exp_avg exp_avg_sq"),
    ("NAdam", nadam, {"lr": 0.1, "betas": (0.8, 0.7), "eps": 1e-2, "momentum_decay": 0.3},
     "mu_product exp_avg exp_avg_sq"),
    ("RAdam", radam, {}, "exp_avg exp_avg_sq"),
    ("RAdam", radam, {"lr": 0.1, "betas": (0.8, 0.9)}, "exp_avg exp_avg_sq"),
    ("RAdam", radam, {"lr": 0.1, "betas": (0.8, 0.3)}, "exp_avg exp_avg_sq"),
    ("Adagrad", adagrad, {}, "sum"),
    ("Adagrad", adagrad, {"lr": 0.1, "lr_decay": 0.3, "initial_accumulator_value": 0.1, "eps": 1e-2}, "sum"),
    ("Adadelta", adadelta, {}, "square_avg acc_delta"),
    ("Adadelta", adadelta, {"lr": 0.5, "rho": 0.5, "eps": 1e-2}, "square_avg acc_delta"),
    ("RMSprop", rmsprop, {}, "square_avg"),
    ("RMSprop", rmsprop, {"lr": 0.1, "alpha": 0.5, "eps": 0.1, "momentum": 0.9, "centered": True},
     "square_avg momentum_buffer grad_avg"),
    ("Rprop", rprop, {}, "prev step_size"),
    ("Rprop", rprop, {"lr": 0.1, "etas": (0.4, 2.0), "step_sizes": (0.05, 0.3)}, "prev step_size"),
    ("ASGD", asgd, {}, "eta mu ax"),
    ("ASGD", asgd, {"lr": 0.1, "lambd": 0.3, "alpha": 0.5, "t0": 2}, "eta mu ax"),
    ("Adafactor", adafactor, {}, ""),
    ("Adafactor", adafactor, {"lr": 0.1, "beta2_decay": -0.5, "eps": (0.1, 0.2), "d": 1.5, "weight_decay": 0.1}, ""),
]  # fmt: skip
COUNTS = {"step", "mu_product", "eta", "mu"}
DECAYED = {"NAdam": {"decoupled_weight_decay": True}, "RAdam": {"decoupled_weight_decay": True}}


def walk(
    name: str, formula: Any, start: Any, gradients: Any, options: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Parameters and state by a formula, in double precision."""
    options = {**options}
    sign = -1 if options.pop("maximize", False) else 1
    decay = options.pop("weight_decay", 0) if name != "Adafactor" else 0
    apart = options.pop("decoupled_weight_decay", False)
    state: Any = {} if name == "Adafactor" else dict.fromkeys(
        ("exp_avg", "exp_inf", "exp_avg_sq", "sum", "square_avg", "acc_delta", "momentum_buffer", "grad_avg", "prev",
         "ax"), 0.0,
    )  # fmt: skip
    if start.ndim < 2:
        state["variance"] = 0.0
    p = start
    for t, g in enumerate(gradients, 1):
        if apart:
            p = p * (1 - options["lr"] * decay)
        p = formula(p, sign * g + (0 if apart else decay) * p, state, t, **options)
    return p, state


@pytest.mark.parametrize(
    ("name", "formula", "options", "entries"), CASES, ids=lambda x: x if isinstance(x, str) else ""
)
def test_the_formula(name: str, formula: Any, options: dict[str, Any], entries: str) -> None:
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=shape) for shape in ((3, 2), (5,))]
    gradients = [[rng.normal(size=a.shape) for _ in range(8)] for a in starts]
    more: list[dict[str, Any]] = [{}, {"maximize": True}]
    if name not in ("Rprop", "Adafactor"):
        more.append({"weight_decay": 0.3, "lr": 0.1})
    if name in DECAYED:
        more.append({"weight_decay": 0.3, "lr": 0.1, **DECAYED[name]})
    for extra in more:
        given = {**options, **extra}
        # contiguous memory, and not
        first, second = (mg.tensor(a) for a in starts)
        params = [first.T.contiguous().T if extra else first, second]
        for p in params:
            p.requires_grad_()
        optimizer = getattr(optim, name)(params, **given)
        for row in zip(*gradients, strict=True):
            for p, g in zip(params, row, strict=True):
                p.grad = mg.tensor(g)
            optimizer.step()
        for p, start, own in zip(params, starts, gradients, strict=True):
            want, state = walk(name, formula, start, own, given)
            loose = 1e-6 if name in ("NAdam", "ASGD") else 1e-12  # their counts are in single precision
            np.testing.assert_allclose(p.detach().numpy(), want, rtol=loose, atol=loose)
            names = entries.split() or (["row_var", "col_var"] if start.ndim > 1 else ["variance"])
            assert list(optimizer.state[p]) == ["step", *names]
            for key, t in optimizer.state[p].items():
                assert not t.requires_grad
                if key == "step":
                    assert t.item() == 8
                else:
                    np.testing.assert_allclose(
                        t.numpy(), state[key], rtol=loose if t.ndim else 1e-6, atol=1e-12
                    )
                assert t.dtype is (mg.float32 if key in COUNTS else mg.float64)


def test_single_and_half_precision() -> None:
    """One dtype goes through arrays, the other through Tensors: both near the formula."""
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=(3, 2)), [rng.normal(size=(3, 2)) for _ in range(4)]
    for name, formula, options, _ in CASES[::2]:
        for dtype, tolerance in ((mg.float32, 1e-5), (mg.float16, 2e-2)):
            p = mg.tensor(start, dtype=dtype, requires_grad=True)
            optimizer = getattr(optim, name)([p], **options)
            for g in gradients:
                p.grad = mg.tensor(g, dtype=dtype)
                optimizer.step()
            if dtype is mg.float16 and name == "Adafactor":
                continue  # its smallest step from 1 is another one
            want, _ = walk(name, formula, start, gradients, options)
            np.testing.assert_allclose(p.detach().double().numpy(), want, rtol=tolerance, atol=tolerance)


def test_rprop_with_zeros_and_values_that_are_no_numbers() -> None:
    p = mg.tensor([1.0, 1.0, 1.0, 1.0], requires_grad=True)
    optimizer = optim.Rprop([p], lr=0.1)
    for g in ([1.0, 1.0, 0.0, float("nan")], [0.0, float("inf"), 2.0, 1.0]):
        p.grad = mg.tensor(g)
        optimizer.step()
    # a 0 leaves the length as it is, and so do a first gradient and one that is no number: PyTorch's values
    np.testing.assert_allclose(p.detach().numpy(), [0.9, 0.78, 0.9, 0.9], rtol=1e-6)
    np.testing.assert_allclose(optimizer.state[p]["step_size"].numpy(), [0.1, 0.12, 0.1, 0.1], rtol=1e-6)


def orthogonal(x: Any, steps: int = 5, a: float = 3.4445, b: float = -4.775, c: float = 2.0315) -> Any:
    x = x / np.linalg.norm(x)
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return x


@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("adjust", [None, "match_rms_adamw"])
def test_muon(shape: tuple[int, int], nesterov: bool, adjust: str | None) -> None:
    rng = np.random.default_rng(0)
    want, buffer = rng.normal(size=shape), np.zeros(shape)
    p = mg.tensor(want, requires_grad=True)
    optimizer = optim.Muon([p], lr=0.1, nesterov=nesterov, adjust_lr_fn=adjust)
    for g in rng.normal(size=(3, *shape)):
        p.grad = mg.tensor(g)
        optimizer.step()
        buffer = 0.95 * buffer + 0.05 * g
        u = orthogonal(0.05 * g + 0.95 * buffer if nesterov else buffer)
        scale = 0.2 * np.sqrt(5) if adjust else np.sqrt(max(1, shape[0] / shape[1]))
        want = want * (1 - 0.1 * 0.1) - 0.1 * scale * u
    np.testing.assert_allclose(p.detach().numpy(), want, rtol=1e-9)
    assert list(optimizer.state[p]) == ["momentum_buffer"]


# ---------------------------------------------------------------- L-BFGS


def rosenbrock(p: Any) -> Any:
    x, y = p[0], p[1]
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def descend(optimizer: Any, p: Any, steps: int, calls: list[float] | None = None) -> list[float]:
    def closure() -> Any:
        assert mg.is_grad_enabled()
        optimizer.zero_grad()
        loss = rosenbrock(p)
        loss.backward()
        if calls is not None:
            calls.append(loss.item())
        return loss

    return [optimizer.step(closure).item() for _ in range(steps)]


# Options, and after 3 steps from (-1.2, 1): the parameters, how often the closure was called, its last loss, the
# iterations, and the length of the history; by torch 2.13.
LBFGS: list[tuple[dict[str, Any], list[float], int, float, int, int]] = [
    ({"lr": 0.1, "max_iter": 4}, [-1.0656310618118967, 1.0582333010137979], 12, 5.029656095275314, 12, 11),
    (
        {"line_search_fn": "strong_wolfe", "max_iter": 6},
        [-0.04619019171258308, -0.01801156636469505], 21, 1.135096423342255, 15, 14,
    ),
    (
        {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 6, "max_eval": 9},
        [0.18113531824321205, 0.012023046149465606], 26, 0.7137491266805899, 18, 2,
    ),
    (
        {"lr": 0.02, "max_iter": 6, "history_size": 2},
        [-1.149455245138112, 1.0318645571885214], 18, 13.335304453377958, 18, 2,
    ),
    ({"lr": 1e-3, "max_iter": 3}, [-1.1986027856280292, 1.0006553038797337], 9, 23.842872923873998, 6, 5),
]  # fmt: skip


@pytest.mark.parametrize(("options", "end", "calls", "loss", "iterations", "history"), LBFGS)
def test_lbfgs_goes_where_pytorch_goes(
    options: Any, end: Any, calls: int, loss: float, iterations: int, history: int
) -> None:
    p = mg.tensor([-1.2, 1.0], dtype=mg.float64, requires_grad=True)
    optimizer = optim.LBFGS([p], **options)
    losses: list[float] = []
    assert descend(optimizer, p, 3, losses)[0] == losses[0]
    np.testing.assert_allclose(p.detach().numpy(), end, rtol=1e-10)
    state = optimizer.state[p]
    assert len(losses) == calls == state["func_evals"]
    assert losses[-1] == pytest.approx(loss, rel=1e-10)
    assert state["n_iter"] == iterations
    assert len(state["old_dirs"]) == len(state["old_stps"]) == len(state["ro"]) == history
    assert sorted(state) == [
        "H_diag", "al", "d", "func_evals", "n_iter", "old_dirs", "old_stps", "prev_flat_grad", "prev_loss", "ro", "t"
    ]  # fmt: skip


def test_lbfgs_comes_to_the_minimum_and_stops() -> None:
    p, still = mg.tensor([-1.2, 1.0], dtype=mg.float64, requires_grad=True), nn.Parameter(mg.ones(2, 2))
    optimizer = optim.LBFGS([p], line_search_fn="strong_wolfe", max_iter=100)
    descend(optimizer, p, 2)
    np.testing.assert_allclose(p.detach().numpy(), [1, 1], rtol=1e-4)
    calls: list[float] = []
    descend(optimizer, p, 1, calls)
    assert len(calls) == 1  # the loss changes no more
    # a parameter without a gradient stays, one of several is a part of the vector
    q = mg.tensor([[2.0], [1.0]], requires_grad=True)
    both = optim.LBFGS([q, still], lr=mg.tensor(1.0))

    def closure() -> Any:
        both.zero_grad()
        loss = ((q - 3) ** 2).sum()
        loss.backward()
        return loss

    both.step(closure)
    both.step(closure)
    np.testing.assert_allclose(q.detach().numpy(), [[3], [3]], rtol=1e-5)
    assert still.tolist() == [[1, 1], [1, 1]]


def test_a_closure_that_raises_leaves_lbfgs_as_it_was() -> None:
    p = mg.tensor([-1.2, 1.0], dtype=mg.float64, requires_grad=True)
    optimizer = optim.LBFGS([p], line_search_fn="strong_wolfe", max_iter=6)
    descend(optimizer, p, 1)
    values, before = p.tolist(), copy.deepcopy(optimizer.state_dict())
    count = 0

    def closure() -> Any:
        nonlocal count
        count += 1
        if count == 4:
            raise ZeroDivisionError
        optimizer.zero_grad()
        loss = rosenbrock(p)
        loss.backward()
        return loss

    with pytest.raises(ZeroDivisionError):
        optimizer.step(closure)
    assert mg.is_grad_enabled()
    assert p.tolist() == values
    now = optimizer.state_dict()["state"][0]
    assert now["n_iter"] == before["state"][0]["n_iter"]
    assert len(now["old_dirs"]) == len(before["state"][0]["old_dirs"])


def test_what_lbfgs_refuses() -> None:
    p = mg.tensor([1.0, 1.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"LBFGS doesn't support per-parameter options"):
        optim.LBFGS([{"params": [p]}, {"params": [mg.tensor([1.0], requires_grad=True)]}])
    optimizer = optim.LBFGS([p], line_search_fn="weak")
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        descend(optimizer, p, 1)
    with pytest.raises(TypeError, match="closure"):
        optimizer.step()  # type: ignore[call-arg]
    plain = optim.LBFGS([p])
    compiled = mg.compile(lambda: plain.step(lambda: (p * p).sum()))
    with pytest.raises(RuntimeError, match="LBFGS goes by the values of the loss"):
        compiled()


# ---------------------------------------------------------------- what all have in common

EVERY = [
    "SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "RMSprop", "Rprop", "ASGD",
    "Adafactor",
]  # fmt: skip
# Those of torch 2.13, in their order.
DEFAULTS = {
    "Adamax": "lr=0.002 betas=(0.9,0.999) eps=1e-08 weight_decay=0 foreach=None maximize=False differentiable=False "
    "capturable=False",
    "NAdam": "lr=0.002 betas=(0.9,0.999) eps=1e-08 weight_decay=0 momentum_decay=0.004 decoupled_weight_decay=False "
    "maximize=False foreach=None capturable=False differentiable=False",
    "RAdam": "lr=0.001 betas=(0.9,0.999) eps=1e-08 weight_decay=0 maximize=False foreach=None capturable=False "
    "decoupled_weight_decay=False differentiable=False",
    "Adagrad": "lr=0.01 lr_decay=0 eps=1e-10 weight_decay=0 initial_accumulator_value=0 foreach=None maximize=False "
    "differentiable=False fused=None",
    "Adadelta": "lr=1.0 rho=0.9 eps=1e-06 weight_decay=0 maximize=False capturable=False foreach=None "
    "differentiable=False",
    "RMSprop": "lr=0.01 momentum=0 alpha=0.99 eps=1e-08 centered=False weight_decay=0 capturable=False foreach=None "
    "maximize=False differentiable=False",
    "Rprop": "lr=0.01 etas=(0.5,1.2) step_sizes=(1e-06,50) foreach=None maximize=False differentiable=False "
    "capturable=False",
    "ASGD": "lr=0.01 lambd=0.0001 alpha=0.75 t0=1000000.0 weight_decay=0 foreach=None maximize=False "
    "differentiable=False capturable=False",
    "Adafactor": "lr=0.01 beta2_decay=-0.8 eps=(None,0.001) d=1.0 weight_decay=0.0 foreach=None maximize=False",
    "Muon": "lr=0.001 weight_decay=0.1 momentum=0.95 nesterov=True ns_coefficients=(3.4445,-4.775,2.0315) eps=1e-07 "
    "ns_steps=5 adjust_lr_fn=None",
    "LBFGS": "lr=1 max_iter=20 max_eval=25 tolerance_grad=1e-07 tolerance_change=1e-09 history_size=100 "
    "line_search_fn=None",
}  # fmt: skip


def test_defaults_are_those_of_pytorch() -> None:
    for name, text in DEFAULTS.items():
        optimizer = getattr(optim, name)([mg.ones(2, 2).requires_grad_()])
        assert " ".join(f"{k}={v!r}".replace(", ", ",") for k, v in optimizer.defaults.items()) == text
        assert repr(optimizer).startswith(f"{name} (\nParameter Group 0\n")


REFUSED = [
    ("Adamax", {"eps": -1.0}, "Invalid epsilon value: -1.0"),
    ("Adamax", {"betas": (1.0, 0.5)}, "Invalid beta parameter at index 0: 1.0"),
    ("NAdam", {"momentum_decay": -1.0}, "Invalid momentum_decay value: -1.0"),
    ("RAdam", {"weight_decay": -1.0}, "Invalid weight_decay value: -1.0"),
    ("Adagrad", {"lr_decay": -1.0}, "Invalid lr_decay value: -1.0"),
    ("Adagrad", {"initial_accumulator_value": -1.0}, "Invalid initial_accumulator_value value: -1.0"),
    ("Adadelta", {"rho": 1.5}, "Invalid rho value: 1.5"),
    ("RMSprop", {"momentum": -1.0}, "Invalid momentum value: -1.0"),
    ("RMSprop", {"alpha": -1.0}, "Invalid alpha value: -1.0"),
    ("Rprop", {"etas": (1.5, 1.2)}, "Invalid eta values: 1.5, 1.2"),
    ("ASGD", {"weight_decay": -1.0}, "Invalid weight_decay value: -1.0"),
    ("Adafactor", {"lr": -1.0}, "Learning rate should be >= 0 but is: -1.0"),
    ("Adafactor", {"beta2_decay": 1.0}, "beta2_decay should be <= 0 but is: 1.0"),
    ("Adafactor", {"eps": (-1.0, 1.0)}, "epsilon1 should be >= 0 but is: -1.0"),
    ("Adafactor", {"eps": (None, -1.0)}, "epsilon2 should be >= 0 but is: -1.0"),
    ("Adafactor", {"d": 0.5}, "Clipping threshold d should be >= 1 but is: 0.5"),
    ("Adafactor", {"weight_decay": -1.0}, "weight_decay should be >= 0 but is: -1.0"),
    ("Muon", {"lr": -1.0}, "Learning rate should be >= 0 but is: -1.0"),
    ("Muon", {"momentum": -1.0}, "momentum should be >= 0 but is: -1.0"),
    ("Muon", {"weight_decay": -1.0}, "weight decay should be >= 0 but is: -1.0"),
    ("Muon", {"adjust_lr_fn": "x"}, "Adjust learning rate function x is not supported"),
    ("Muon", {"ns_steps": 100}, "Number of steps must be less than 100"),
    ("Muon", {"ns_coefficients": (1.0, 2.0)}, "Coefficients must be a tuple of exactly 3 values"),
    ("LBFGS", {"lr": -1.0}, "Invalid learning rate: -1.0"),
]


def test_options_that_are_refused() -> None:
    p = mg.ones(2, 2).requires_grad_()
    for name, options, words in [
        *REFUSED,
        *((name, {"lr": mg.ones(2)}, "Tensor lr must be 1-element") for name in (*EVERY, "Muon", "LBFGS")),
        *((name, {"lr": -0.5}, "Invalid learning rate: -0.5") for name in EVERY if name != "Adafactor"),
    ]:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            getattr(optim, name)([p], **options)
        assert str(caught.value).startswith(words), name
    with pytest.raises(ValueError, match=r"Muon only supports 2D parameters .* size: \(2,\)"):
        optim.Muon([mg.ones(2).requires_grad_()])
    for options in ({"differentiable": True}, {"foreach": True}):
        with pytest.raises(RuntimeError, match="`fused`"):
            optim.Adagrad([p], fused=True, **options)


def two(name: str, **options: Any) -> tuple[list[Any], Any]:
    params = [mg.tensor([[1.0, -2.0], [0.5, 3.0]]).requires_grad_(), mg.tensor([1.0, -1.0]).requires_grad_()]
    return params, getattr(optim, name)(
        [{"params": params[:1]}, {"params": params[1:], "lr": 0.05}], lr=0.1, **options
    )


def train(params: list[Any], optimizer: Any, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        loss = sum((p * p * p).sum() for p in params)
        loss.backward()
        optimizer.step()


@pytest.mark.parametrize("name", EVERY)
def test_groups_hooks_closures_and_states(name: str) -> None:
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    whole, optimizer = two(name, **options)
    train(whole, optimizer, 5)
    assert whole[0].is_leaf

    params, first = two(name, **options)
    seen: list[str] = []
    handles = [
        first.register_step_pre_hook(lambda *_: seen.append("before")),
        first.register_step_post_hook(lambda *_: seen.append("after")),
    ]
    train(params, first, 2)
    assert seen == ["before", "after"] * 2
    for handle in handles:
        handle.remove()

    # what is saved goes on, in another optimizer with other options
    second = getattr(optim, name)([{"params": [p]} for p in params], lr=3.0)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    train(params, second, 2)

    def closure() -> Any:
        second.zero_grad()
        loss = sum((p * p * p).sum() for p in params)
        loss.backward()
        return loss

    loss = sum((p.detach() ** 3).sum() for p in params)
    assert second.step(closure).item() == pytest.approx(float(loss), rel=1e-6)
    assert [p.tolist() for p in params] == [p.tolist() for p in whole]

    # a parameter without a gradient stays, and so does all where one state does not fit
    params[0].grad = None
    before = [p.tolist() for p in params]
    second.step()
    assert params[0].tolist() == before[0]
    assert params[1].tolist() != before[1]
    train(params, second, 1)
    before = [p.tolist() for p in params]
    key = list(second.state[params[1]])[-1]
    second.state[params[1]][key] = mg.ones(7)
    with pytest.raises(RuntimeError, match=name):
        second.step()
    assert [p.tolist() for p in params] == before


@pytest.mark.parametrize("name", [*EVERY, "Muon"])
def test_a_compiled_step_has_the_bits_of_the_plain_one(name: str) -> None:
    rng = np.random.default_rng(0)
    options: dict[str, Any] = {
        "SGD": {"momentum": 0.9},
        "RMSprop": {"centered": True},
        "ASGD": {"t0": 1},
    }.get(name, {})
    rows = [rng.normal(size=(3, 2)) for _ in range(6)]
    ends = []
    for wrap in (lambda f: f, mg.compile):
        params = [mg.tensor(rows[0], requires_grad=True)]
        params += [] if name == "Muon" else [mg.tensor(rows[1][0], requires_grad=True)]
        optimizer = getattr(optim, name)(params, lr=0.1, **options)

        def step(x: Any, params: Any = params, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = sum((p * x).sin().sum() for p in params)
            loss.backward()
            optimizer.step()
            return loss

        run = wrap(step)
        for i, row in enumerate(rows):
            optimizer.param_groups[0]["lr"] = 0.1 / (i + 1)
            if "betas" in optimizer.defaults:
                optimizer.param_groups[0]["betas"] = (0.9 - 0.1 * i, 0.99 - 0.1 * i)
            run(mg.tensor(row))
        ends.append([p.tolist() for p in params])
        ends[-1] += [t.tolist() for p in params for t in optimizer.state[p].values()]
    assert ends[0] == ends[1]
    assert len(run.report()) == 2  # the first step, which begins the state, and all others


@pytest.mark.parametrize("name", [n for n in EVERY if n != "Adafactor"])
def test_a_differentiable_step(name: str) -> None:
    """The slope of what a step gives, against a difference."""

    def after(x: float) -> tuple[Any, Any]:
        start = mg.tensor([x, 2 * x], dtype=mg.float64, requires_grad=True)
        p = start.clone()
        optimizer = getattr(optim, name)([p], lr=0.1, differentiable=True)
        for _ in range(2):
            p.grad = (start.sin() * start).clone()
            optimizer.step()
        return p.sum(), start

    end, start = after(0.7)
    end.backward()
    h = 1e-6
    slope = (after(0.7 + h)[0] - after(0.7 - h)[0]).item() / (2 * h)
    assert start.grad[0].item() + 2 * start.grad[1].item() == pytest.approx(slope, rel=1e-6)

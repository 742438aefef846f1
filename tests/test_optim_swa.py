"""optim.swa_utils: averages of weights, statistics of BatchNorm, SWALR."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.optim import SGD
from minigrad.optim.swa_utils import (
    SWALR,
    AveragedModel,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)

pytestmark = pytest.mark.filterwarnings("error")


def network() -> Any:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def fill(net: Any, rng: Any) -> None:
    with mg.no_grad():
        for t in [*net.parameters(), *net.buffers()]:
            t.copy_(mg.tensor(rng.uniform(1, 9, t.shape), dtype=t.dtype))


AVERAGES: dict[str, tuple[Any, Any]] = {
    "plain": ({}, None),
    "function": ({"avg_fn": get_swa_avg_fn()}, None),
    "lists": ({"multi_avg_fn": get_swa_multi_avg_fn()}, None),
    "exponential": ({"avg_fn": get_ema_avg_fn(0.8)}, 0.8),
    "exponential lists": ({"multi_avg_fn": get_ema_multi_avg_fn(0.8)}, 0.8),
}


@pytest.mark.parametrize("name", AVERAGES)
@pytest.mark.parametrize("use_buffers", [False, True])
def test_averages(name: str, use_buffers: bool) -> None:
    options, decay = AVERAGES[name]
    rng = np.random.default_rng(0)
    net = network()
    average = AveragedModel(net, use_buffers=use_buffers, **options)
    seen = []
    for _ in range(4):
        fill(net, rng)
        seen.append({k: v.detach().numpy().astype("float64") for k, v in net.state_dict().items()})
        average.update_parameters(net)
    assert average.n_averaged.item() == 4
    assert average.n_averaged.dtype is mg.int64
    state = average.state_dict()
    assert list(state) == ["n_averaged", *(f"module.{k}" for k in seen[0])]
    buffers = {k for k, _ in net.named_buffers()}
    for key in seen[0]:
        rows = [s[key] for s in seen]
        want = rows[0]
        for k, row in enumerate(rows[1:], 1):
            want = want * decay + row * (1 - decay) if decay else want + (row - want) / (k + 1)
            if row.ndim == 0:
                want = np.trunc(want)  # num_batches_tracked is a whole number
        if key in buffers and not use_buffers:
            want = rows[-1]
        np.testing.assert_allclose(state[f"module.{key}"].detach().numpy(), want, rtol=1e-5, err_msg=key)
    x = mg.randn(5, 3)
    average.eval()
    assert average(x).tolist() == average.module(x).tolist()
    assert all(p.requires_grad for p in average.parameters())
    assert not any(p is q for p in average.parameters() for q in net.parameters())


def test_an_average_of_ones_own_and_what_is_refused() -> None:
    net = nn.Linear(1, 1, bias=False)
    average = AveragedModel(net, avg_fn=lambda a, p, n: a + p * (n + 1))
    for value in (1.0, 2.0, 3.0):
        with mg.no_grad():
            net.weight.fill_(value)
        average.update_parameters(net)
    assert average.module.weight.item() == 1 + 2 * 2 + 3 * 3
    with pytest.raises(ValueError, match="Only one of avg_fn and multi_avg_fn"):
        AveragedModel(net, avg_fn=get_swa_avg_fn(), multi_avg_fn=get_swa_multi_avg_fn())
    for make in (get_ema_avg_fn, get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match=r"Invalid decay value 1\.5 provided"):
            make(1.5)
    with pytest.raises(ValueError, match="argument 2 is longer"):
        average.update_parameters(network())
    assert AveragedModel(net, device="cpu").module.weight.item() == 3.0
    with pytest.raises(AssertionError, match="only device is 'cpu'"):
        AveragedModel(net, device="cuda")


def test_statistics_of_batch_norm() -> None:
    net = network()
    rng = np.random.default_rng(0)
    batches = [mg.tensor(rng.normal(2, 3, (6, 3)), dtype=mg.float32) for _ in range(3)]
    net.eval()
    update_bn([batches[0], (batches[1], "a label"), [batches[2]]], net, device="cpu")
    hidden = [net[0](x).detach().numpy() for x in batches]
    np.testing.assert_allclose(
        net[1].running_mean.numpy(), np.mean([h.mean(0) for h in hidden], 0), rtol=1e-5
    )
    np.testing.assert_allclose(
        net[1].running_var.numpy(), np.mean([h.var(0, ddof=1) for h in hidden], 0), rtol=1e-5
    )
    assert net[1].num_batches_tracked.item() == 3
    assert net[1].momentum == 0.1
    assert not net.training
    assert net[0].weight.grad is None
    with pytest.raises(ZeroDivisionError):
        update_bn((1 / 0 for _ in range(1)), net)
    assert net[1].momentum == 0.1
    assert not net.training
    update_bn(["never looked at"], nn.Linear(1, 1))


@pytest.mark.parametrize("shape", ["cos", "linear"])
def test_rates(shape: Any) -> None:
    p, q = nn.Parameter(mg.ones(1)), nn.Parameter(mg.ones(1))
    p.grad = q.grad = mg.ones(1)
    optimizer = SGD([{"params": [p]}, {"params": [q], "lr": 0.5}], lr=0.1)
    scheduler = SWALR(optimizer, [0.02, 1.0], anneal_epochs=4, anneal_strategy=shape)  # type: ignore[arg-type]
    other = SWALR(SGD([p, q], lr=9.0), 0.02)
    for k in range(7):
        t = min(k, 4) / 4
        part = (1 - math.cos(math.pi * t)) / 2 if shape == "cos" else t
        rates = [group["lr"] for group in optimizer.param_groups]
        assert rates == pytest.approx([0.1 + (0.02 - 0.1) * part, 0.5 + 0.5 * part])
        optimizer.step()
        scheduler.step()
    state = scheduler.state_dict()
    assert {"anneal_epochs", "_anneal_strategy"} < set(state)
    other.load_state_dict(pickle.loads(pickle.dumps(state)))
    assert other.state_dict() == state
    at_once = SWALR(optimizer, 0.25, anneal_epochs=0)
    assert at_once.get_last_lr() == [0.25, 0.25]
    with pytest.raises(ValueError, match="anneal_strategy must be one of 'cos' or 'linear'"):
        SWALR(optimizer, 0.1, anneal_strategy="x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="anneal_epochs must be equal or greater than 0, got -1"):
        SWALR(optimizer, 0.1, anneal_epochs=-1)
    with pytest.raises(ValueError, match="swa_lr must have the same length"):
        SWALR(optimizer, [0.1])  # type: ignore[arg-type]

"""optim.lr_scheduler: rates by their closed forms, states, warnings, errors."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.optim import SGD, Adam, lr_scheduler
from minigrad.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

pytestmark = pytest.mark.filterwarnings("error")

BASES = (0.1, 0.05)


def optimizer_of(cls: Any = SGD, tensor: bool = False, **options: Any) -> Any:
    groups = []
    for lr in BASES:
        p = nn.Parameter(mg.ones(2))
        p.grad = mg.zeros(2)
        groups.append({"params": [p], "lr": mg.tensor(lr, dtype=mg.float64) if tensor else lr})
    return cls(groups, **options)


def path(optimizer: Any, scheduler: Any, steps: int = 25) -> Any:
    """The rates of both groups for each step."""
    rows = []
    for _ in range(steps):
        rows.append([float(group["lr"]) for group in optimizer.param_groups])
        assert [float(lr) for lr in scheduler.get_last_lr()] == rows[-1]
        optimizer.step()
        scheduler.step()
    return np.array(rows)


def restarts(k: int, first: int, times: int) -> float:
    """How high a cosine with warm restarts is, from 1 to 0."""
    while k >= first:
        k, first = k - first, first * times
    return (1 + math.cos(math.pi * k / first)) / 2


def triangle(k: int, up: int, down: int) -> float:
    k %= up + down
    return k / up if k <= up else 1 - (k - up) / down


def half(pct: float) -> float:
    return (1 - math.cos(math.pi * pct)) / 2


def one_cycle(k: int, total: int, pct: float, end: float, shape: Any) -> float:
    """A rate between 0 (the start) and 1 (the top) that ends at `end`."""
    top = pct * total - 1
    return float(shape(k / top) if k <= top else 1 - (1 - end) * shape((k - top) / (total - 1 - top)))


# A scheduler, and the rate of step k from the first rate b.
CLOSED: dict[str, tuple[Any, Any]] = {
    "LambdaLR": (lambda o: LambdaLR(o, lambda k: 0.95**k), lambda k, b: b * 0.95**k),
    "LambdaLR of lists": (
        lambda o: LambdaLR(o, [lambda k: 0.9**k, lambda k: 1 / (1 + k)]),
        lambda k, b: b * (0.9**k if b == BASES[0] else 1 / (1 + k)),
    ),
    "MultiplicativeLR": (
        lambda o: MultiplicativeLR(o, lambda k: 0.5 if k % 3 == 0 else 1.0),
        lambda k, b: b * 0.5 ** (k // 3),
    ),
    "StepLR": (lambda o: StepLR(o, 4), lambda k, b: b * 0.1 ** (k // 4)),
    "MultiStepLR": (
        lambda o: MultiStepLR(o, [11, 2, 2], gamma=0.5),
        lambda k, b: b * 0.5 ** (2 * (k >= 2) + (k >= 11)),
    ),
    "ConstantLR": (lambda o: ConstantLR(o, 0.25, 11), lambda k, b: b * (0.25 if k < 11 else 1)),
    "LinearLR": (lambda o: LinearLR(o, 0.1, 0.8, 12), lambda k, b: b * (0.1 + 0.7 * min(k, 12) / 12)),
    "ExponentialLR": (lambda o: ExponentialLR(o, 0.9), lambda k, b: b * 0.9**k),
    "PolynomialLR": (lambda o: PolynomialLR(o, 20, 2.0), lambda k, b: b * (1 - min(k, 20) / 20) ** 2),
    "CosineAnnealingLR": (
        lambda o: CosineAnnealingLR(o, 8, 0.01),
        lambda k, b: 0.01 + (b - 0.01) * (1 + math.cos(math.pi * k / 8)) / 2,
    ),
    "CosineAnnealingWarmRestarts": (
        lambda o: CosineAnnealingWarmRestarts(o, 3, 2, 0.001),
        lambda k, b: 0.001 + (b - 0.001) * restarts(k, 3, 2),
    ),
    "CyclicLR": (
        lambda o: CyclicLR(o, list(BASES), 0.3, 4, 6, cycle_momentum=False),
        lambda k, b: b + (0.3 - b) * triangle(k, 4, 6),
    ),
    "CyclicLR, halved": (
        lambda o: CyclicLR(o, list(BASES), [0.3, 0.2], 5, mode="triangular2", cycle_momentum=False),
        lambda k, b: b + ((0.3 if b == BASES[0] else 0.2) - b) * triangle(k, 5, 5) / 2 ** (k // 10),
    ),
    "CyclicLR, falling": (
        lambda o: CyclicLR(o, list(BASES), 0.3, 5, mode="exp_range", gamma=0.97, cycle_momentum=False),
        lambda k, b: b + (0.3 - b) * triangle(k, 5, 5) * 0.97**k,
    ),
    "CyclicLR of a function": (
        lambda o: CyclicLR(o, list(BASES), 0.3, 5, scale_fn=lambda c: 1 / c, cycle_momentum=False),
        lambda k, b: b + (0.3 - b) * triangle(k, 5, 5) / (1 + k // 10),
    ),
    "OneCycleLR": (
        lambda o: OneCycleLR(o, 0.3, 30, cycle_momentum=False, div_factor=10, final_div_factor=5),
        lambda k, b: 0.03 + 0.27 * one_cycle(k, 30, 0.3, (0.006 - 0.03) / 0.27, half),
    ),
    "OneCycleLR, linear": (
        lambda o: OneCycleLR(o, [0.3, 0.3], epochs=6, steps_per_epoch=5, anneal_strategy="linear"),
        lambda k, b: 0.012 + 0.288 * one_cycle(k, 30, 0.3, (0.0000012 - 0.012) / 0.288, lambda x: x),
    ),
    "SequentialLR": (
        lambda o: SequentialLR(o, [ConstantLR(o, 0.1, 99), ExponentialLR(o, 0.9)], [4]),
        lambda k, b: b * 0.1 if k < 4 else b * 0.9 ** (k - 4),
    ),
    "ChainedScheduler": (
        lambda o: ChainedScheduler([LinearLR(o, 0.5, 1.0, 7), ExponentialLR(o, 0.9)]),
        lambda k, b: b * (0.5 + 0.5 * min(k, 7) / 7) * 0.9**k,
    ),
}


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("tensor", [False, True])
def test_rates(name: str, tensor: bool) -> None:
    build, rate = CLOSED[name]
    optimizer = optimizer_of(tensor=tensor, momentum=0.9)
    own = [group["lr"] for group in optimizer.param_groups]
    got = path(optimizer, build(optimizer))
    np.testing.assert_allclose(got, [[rate(k, b) for b in BASES] for k in range(25)], rtol=1e-12, atol=1e-17)
    if tensor:  # they stay where they are
        assert all(group["lr"] is lr for group, lr in zip(optimizer.param_groups, own, strict=True))


def test_one_cycle_of_three_phases() -> None:
    optimizer = optimizer_of()
    got = path(
        optimizer,
        OneCycleLR(optimizer, 1.0, 20, pct_start=0.25, three_phase=True, anneal_strategy="linear"),
        20,
    )
    corners = np.interp(range(20), [0, 4, 8, 19], [0.04, 1.0, 0.04, 0.04 / 1e4])
    np.testing.assert_allclose(got[:, 0], corners, rtol=1e-12)


@pytest.mark.parametrize("cls", [SGD, Adam])
def test_momentum_goes_against_the_rate(cls: Any) -> None:
    for build in (
        lambda o: CyclicLR(o, 0.01, 0.1, 5, base_momentum=0.6, max_momentum=0.8),
        lambda o: OneCycleLR(
            o, 0.1, 16, pct_start=0.375, base_momentum=0.6, max_momentum=0.8, anneal_strategy="linear"
        ),
    ):
        optimizer = optimizer_of(cls, **({"momentum": 0.9} if cls is SGD else {}))
        scheduler = build(optimizer)
        corners = [0, 5, 10, 15] if isinstance(scheduler, CyclicLR) else [0, 5, 15, 25]
        seen = []
        for _ in range(12):
            group = optimizer.param_groups[1]
            seen.append(group["momentum"] if cls is SGD else group["betas"][0])
            optimizer.step()
            scheduler.step()
        np.testing.assert_allclose(seen, np.interp(range(12), corners, [0.8, 0.6, 0.8, 0.6]), rtol=1e-12)
        assert cls is SGD or optimizer.param_groups[1]["betas"][1] == 0.999


def test_a_plateau() -> None:
    def rates_of(numbers: Any, **options: Any) -> list[float]:
        optimizer = optimizer_of()
        scheduler = ReduceLROnPlateau(optimizer, **options)
        rows = []
        for number in numbers:
            scheduler.step(number)
            rows.append(optimizer.param_groups[0]["lr"])
            assert scheduler.get_last_lr()[0] == rows[-1]
        return rows

    # the best is 1.0; two bad steps pass, the third reduces
    assert rates_of([1.0, 1.0, 1.0, 1.0, 0.5], patience=2) == pytest.approx([0.1, 0.1, 0.1, 0.01, 0.01])
    # a cooldown step does not count, in which a better number is still noticed
    assert rates_of([1, 1, 1, 1, 1], patience=0, cooldown=1, factor=0.5) == pytest.approx(
        [0.1, 0.05, 0.05, 0.025, 0.025]
    )
    assert rates_of([1, 1.5, 1.4, 1.7], patience=0, mode="max") == pytest.approx([0.1, 0.1, 0.01, 0.01])
    assert rates_of([1, 0.95, 0.85], patience=0, threshold=0.1) == pytest.approx([0.1, 0.01, 0.01])
    assert rates_of([1, 0.95, 0.85], patience=0, threshold=0.1, threshold_mode="abs") == pytest.approx(
        [0.1, 0.01, 0.01]
    )
    assert rates_of(
        [1, 1.15, 1.3], patience=0, threshold=0.2, mode="max", threshold_mode="abs"
    ) == pytest.approx([0.1, 0.01, 0.01])
    assert rates_of([1, 1, 1], patience=0, min_lr=0.05) == pytest.approx([0.1, 0.05, 0.05])
    assert rates_of([1, 1], patience=0, min_lr=[0.02, 0]) == pytest.approx([0.1, 0.02])
    assert rates_of([1, 1], patience=0, eps=0.2) == [0.1, 0.1]
    assert rates_of([mg.tensor(1.0), float("nan")], patience=0) == pytest.approx([0.1, 0.01])


def test_a_plateau_with_groups_added_later() -> None:
    for low in (0.0, [0.0, 0.0]):
        optimizer = optimizer_of()
        scheduler = ReduceLROnPlateau(optimizer, patience=0, min_lr=low)
        optimizer.add_param_group({"params": [nn.Parameter(mg.ones(1))], "lr": 1.0})
        scheduler.step(1.0)
        if low == 0.0:
            scheduler.step(1.0)
            assert optimizer.param_groups[2]["lr"] == 0.1
        else:
            with pytest.raises(
                RuntimeError, match=r"The number of param groups in the `optimizer` \(3\) differs"
            ):
                scheduler.step(1.0)


# ---------------------------------------------------------------- states


@pytest.mark.parametrize("name", CLOSED)
def test_a_saved_state_goes_on(name: str) -> None:
    build, rate = CLOSED[name]
    first = optimizer_of(momentum=0.9)
    scheduler = build(first)
    path(first, scheduler, 9)
    state = scheduler.state_dict()
    if "function" not in name and "Lambda" not in name:
        assert set(state) >= {"last_epoch", "_last_lr"} or "Chained" in name
    second = optimizer_of(momentum=0.9)
    other = build(second)
    other.load_state_dict(pickle.loads(pickle.dumps(state)))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    np.testing.assert_allclose(
        path(second, other, 12), [[rate(k, b) for b in BASES] for k in range(9, 21)], rtol=1e-12, atol=1e-17
    )


def test_a_state_brings_the_shape_of_its_cycles() -> None:
    falling = CyclicLR(optimizer_of(), 0.1, 0.3, 2, mode="exp_range", gamma=0.5, cycle_momentum=False)
    other = CyclicLR(optimizer_of(), 0.1, 0.3, 2, cycle_momentum=False)
    other.load_state_dict(falling.state_dict())
    assert (other.scale_mode, other.scale_fn(2)) == ("iterations", 0.25)


def test_what_states_hold() -> None:
    """The keys that PyTorch 2.13 has."""
    base = ["base_lrs", "last_epoch", "_step_count", "_is_initial", "_get_lr_called_within_step", "_last_lr"]
    optimizer = optimizer_of()
    for scheduler, names in [
        (StepLR(optimizer, 3), "step_size gamma"),
        (MultiStepLR(optimizer, [1]), "milestones gamma"),
        (LambdaLR(optimizer, lambda k: 1.0), "lr_lambdas"),
        (CosineAnnealingLR(optimizer, 3), "T_max eta_min"),
        (CosineAnnealingWarmRestarts(optimizer, 3), "T_0 T_i T_mult T_cur eta_min"),
        (LinearLR(optimizer), "start_factor end_factor total_iters"),
        (
            OneCycleLR(optimizer, 0.1, 5),
            "total_steps _schedule_phases _anneal_func_type cycle_momentum use_beta1",
        ),
        (
            CyclicLR(optimizer, 0.1, 0.2),
            "max_lrs total_size step_ratio mode gamma _scale_fn_custom scale_mode cycle_momentum use_beta1 "
            "base_momentums max_momentums",
        ),
    ]:
        assert sorted(scheduler.state_dict()) == sorted([*base, *names.split()])
    assert [*scheduler.state_dict()][-1] == "_scale_fn_custom"
    plateau = (
        "factor default_min_lr min_lrs patience cooldown eps last_epoch _last_lr mode_worse mode threshold "
        "threshold_mode best cooldown_counter num_bad_epochs"
    )
    assert sorted(ReduceLROnPlateau(optimizer).state_dict()) == sorted(plateau.split())
    both = SequentialLR(optimizer, [StepLR(optimizer, 3), StepLR(optimizer, 4)], [2])
    assert sorted(both.state_dict()) == ["_last_lr", "_milestones", "_schedulers", "last_epoch"]
    assert both.state_dict()["_schedulers"][1]["step_size"] == 4


class Rule:
    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, k: float) -> float:
        return self.rate


@pytest.mark.parametrize(
    "build",
    [
        lambda o, rule: LambdaLR(o, [rule, lambda k: 1.0]),
        lambda o, rule: CyclicLR(o, 0.1, 0.2, scale_fn=rule, cycle_momentum=False),
    ],
)
def test_callable_objects_are_saved_by_their_attributes(build: Any) -> None:
    state = build(optimizer_of(), Rule(0.5)).state_dict()
    before = copy.deepcopy(state)
    rule = Rule(9.0)
    scheduler = build(optimizer_of(), rule)
    scheduler.load_state_dict(state)
    assert rule.rate == 0.5
    assert state == before
    assert scheduler.state_dict() == before


def test_training_goes_on_with_last_epoch() -> None:
    optimizer = optimizer_of()
    with pytest.raises(KeyError, match="param 'initial_lr' is not specified in param_groups\\[0\\]"):
        StepLR(optimizer, 3, last_epoch=4)
    for group in optimizer.param_groups:
        group["initial_lr"] = 1.0
    assert CosineAnnealingLR(optimizer, 10, last_epoch=4).get_last_lr() == list(BASES)
    assert LambdaLR(optimizer, lambda k: k, last_epoch=4).get_last_lr() == [5.0, 5.0]


# ---------------------------------------------------------------- warnings and errors


def test_the_order_of_steps() -> None:
    optimizer = optimizer_of()
    scheduler = StepLR(optimizer, 3)
    with pytest.warns(
        UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"
    ):
        scheduler.step()
    scheduler.step()
    # a step without gradients counts, one before the first scheduler does not
    optimizer = SGD([nn.Parameter(mg.ones(1))], lr=0.1)
    optimizer.step()
    scheduler = StepLR(optimizer, 3)
    with pytest.warns(UserWarning, match="Detected call"):
        scheduler.step()
    optimizer.step()
    StepLR(optimizer, 3).step()


def test_a_compiled_step_counts() -> None:
    p = nn.Parameter(mg.ones(2))
    optimizer = SGD([p], lr=0.1)

    @mg.compile
    def train() -> Any:
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        optimizer.step()
        return loss

    train()
    train()
    scheduler = ExponentialLR(optimizer, 0.5)
    train()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.05
    before = p.tolist()[0]
    train()
    assert p.tolist()[0] == pytest.approx(before * 0.9)


def test_epochs_and_calls_of_get_lr() -> None:
    optimizer = optimizer_of()
    scheduler = StepLR(optimizer, 3)
    optimizer.step()
    with pytest.warns(UserWarning, match=r"The epoch parameter in `scheduler.step\(\)` was not necessary"):
        scheduler.step(7)
    assert scheduler.get_last_lr() == pytest.approx([b * 0.1**2 for b in BASES])
    with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
        scheduler.get_lr()
    for name in (
        "MultiStepLR",
        "ConstantLR",
        "LinearLR",
        "ExponentialLR",
        "PolynomialLR",
        "CosineAnnealingLR",
    ):
        build, rate = CLOSED[name]
        optimizer = optimizer_of()
        scheduler = build(optimizer)
        optimizer.step()
        for epoch in (13, 2):
            with pytest.warns(UserWarning, match="The epoch parameter"):
                scheduler.step(epoch)
            assert scheduler.get_last_lr() == pytest.approx([rate(epoch, b) for b in BASES])
    restarted = CosineAnnealingWarmRestarts(optimizer_of(), 3, 2)
    plain = CosineAnnealingWarmRestarts(optimizer_of(), 4)
    for epoch in (0.5, 8, 2.25):
        restarted.step(epoch)
        plain.step(epoch)
        k = epoch if epoch < 3 else 5.0
        part = (1 + math.cos(math.pi * k / (3 if epoch < 3 else 6))) / 2
        assert restarted.get_last_lr() == pytest.approx([b * part for b in BASES])
        assert plain.get_last_lr() == pytest.approx(
            [b * (1 + math.cos(math.pi * (epoch % 4) / 4)) / 2 for b in BASES]
        )
    with pytest.raises(ValueError, match="Expected non-negative epoch, but got -1"):
        plain.step(-1)
    with pytest.warns(UserWarning, match="The epoch parameter"):
        ReduceLROnPlateau(optimizer_of()).step(1.0, 3)


def test_a_class_of_ones_own() -> None:
    class Halves(LRScheduler):
        def get_lr(self) -> list[Any]:
            return [base / 2**self.last_epoch for base in self.base_lrs]

    optimizer = optimizer_of()
    np.testing.assert_allclose(path(optimizer, Halves(optimizer), 3)[:, 0], [0.1, 0.05, 0.025])
    with pytest.raises(NotImplementedError):
        LRScheduler(optimizer)


def test_groups_stay_as_they_are_where_a_schedule_is_refused() -> None:
    kind: Any = mg.optim.Optimizer
    o = kind([nn.Parameter(mg.ones(1))], {"lr": 1.0})
    before = dict(o.param_groups[0])
    for refused in (
        lambda: CyclicLR(o, 0.1, 0.2),
        lambda: OneCycleLR(o, 0.1, 9),
        lambda: OneCycleLR(o, [0.1, 0.2], 9),
        lambda: mg.optim.swa_utils.SWALR(o, 0.1, anneal_strategy="x"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match=r"momentum|same length|anneal_strategy"):
            refused()
        assert o.param_groups[0] == before


def test_what_is_refused() -> None:
    o, other = optimizer_of(), optimizer_of()
    step = StepLR(o, 1)
    plateau = ReduceLROnPlateau(o)
    cases: list[tuple[Any, type[Exception], str]] = [
        (lambda: StepLR(3, 1), TypeError, "int is not an Optimizer"),  # type: ignore[arg-type]
        (lambda: LambdaLR(o, [abs]), ValueError, "Expected 2 lr_lambdas, but got 1"),
        (lambda: MultiplicativeLR(o, 3), TypeError, "lr_lambda should be a function, but got int"),  # type: ignore[arg-type]
        (lambda: ConstantLR(o, 1.5), ValueError, "Constant multiplicative factor expected to be between 0 and 1"),
        (lambda: LinearLR(o, 0.0), ValueError, "Starting multiplicative factor expected to be greater than 0"),
        (lambda: LinearLR(o, 0.5, 1.5), ValueError, "Ending multiplicative factor expected to be between 0 and 1"),
        (lambda: CosineAnnealingWarmRestarts(o, 0), ValueError, "Expected positive integer T_0, but got 0"),
        (lambda: CosineAnnealingWarmRestarts(o, 1, 1.5), ValueError, "Expected integer T_mult >= 1, but got 1.5"),  # type: ignore[arg-type]
        (lambda: CosineAnnealingWarmRestarts(o, 1, 1, "a"), ValueError, "Expected float or int eta_min"),  # type: ignore[arg-type]
        (lambda: CyclicLR(o, 0.1, 0.2, mode="x"), ValueError, "mode is invalid and scale_fn is None"),  # type: ignore[arg-type]
        (lambda: CyclicLR(o, [0.1], 0.2), ValueError, "base_lr must have the same length as optimizer.param_groups"),
        (lambda: CyclicLR(mg.optim.Optimizer([nn.Parameter(mg.ones(1))], {"lr": 1.0}), 0.1, 0.2), ValueError,
         "optimizer must support momentum or beta1"),
        (lambda: OneCycleLR(o, 0.1), ValueError, "You must define either total_steps OR"),
        (lambda: OneCycleLR(o, 0.1, 0), ValueError, "Expected positive integer total_steps, but got 0"),
        (lambda: OneCycleLR(o, 0.1, None, 0, 3), ValueError, "Expected positive integer epochs, but got 0"),
        (lambda: OneCycleLR(o, 0.1, 9, pct_start=2.0), ValueError, "Expected float between 0 and 1 pct_start"),
        (lambda: OneCycleLR(o, 0.1, 9, anneal_strategy="x"), ValueError, "anneal_strategy must be one of"),  # type: ignore[arg-type]
        (lambda: ReduceLROnPlateau(o, factor=1.0), ValueError, "Factor should be < 1.0."),
        (lambda: ReduceLROnPlateau(o, "x"), ValueError, "mode x is unknown!"),  # type: ignore[arg-type]
        (lambda: ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "threshold mode x is unknown!"),  # type: ignore[arg-type]
        (lambda: ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "expected 2 min_lrs, got 1"),
        (lambda: SequentialLR(o, [], []), ValueError, "SequentialLR expects at least one scheduler"),
        (lambda: SequentialLR(o, [step], [1]), ValueError, "Sequential Schedulers expects number of schedulers"),
        (lambda: SequentialLR(o, [step, plateau], [1]), ValueError, "does not support `ReduceLROnPlateau`"),
        (lambda: SequentialLR(o, [step, StepLR(other, 1)], [1]), ValueError, "belong to the same optimizer"),
        (lambda: ChainedScheduler([]), ValueError, "ChainedScheduler expects at least one scheduler to be chained"),
        (lambda: ChainedScheduler([3]), TypeError, "at index 0 should have `optimizer` as its attribute"),  # type: ignore[list-item]
        (lambda: ChainedScheduler([step], other), ValueError, "belong to the same optimizer"),
    ]  # fmt: skip
    for call, kind, words in cases:
        with pytest.raises(kind) as caught:
            call()
        assert words in str(caught.value)
    last = OneCycleLR(optimizer_of(), 0.1, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        last.step()
        last.step()
        with pytest.raises(
            ValueError, match=r"Tried to step 3 times\. The specified number of total steps is 2"
        ):
            last.step()


def test_every_name_is_tested_here() -> None:
    shown = {name.split(",")[0].split(" ")[0] for name in CLOSED} | {"LRScheduler", "ReduceLROnPlateau"}
    assert shown == set(lr_scheduler.__all__)

"""What the rows of samples do not know of `ctc_loss`: forms of its arguments, reductions, errors."""

from __future__ import annotations

import math
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F

EVEN = mg.full((5, 2, 4), math.log(0.25))
ROWS = mg.tensor([[1, 2], [3, 1]])
# Of 5 steps, 4 classes and two that differ there are C(7, 4) ways; of 3 steps, and one target, 6.
BOTH = [5 * math.log(4) - math.log(35), 3 * math.log(4) - math.log(6)]


def test_targets_and_lengths_come_in_several_forms() -> None:
    for targets in (ROWS, mg.tensor([1, 2, 3]), ROWS.int()):
        for lengths in (
            ((5, 3), (2, 1)),
            (mg.tensor([5, 3]), mg.tensor([2, 1])),
            ([5, 3], mg.tensor([2, 1])),
        ):
            loss = F.ctc_loss(EVEN, targets, *lengths, reduction="none")
            assert loss.tolist() == pytest.approx(BOTH)
    for lengths in (((5,), (2,)), (mg.tensor(5), mg.tensor(2))):
        loss = nn.CTCLoss(reduction="none")(EVEN[:, 0], ROWS[0], *lengths)
        assert (loss.shape, loss.item()) == ((), pytest.approx(BOTH[0]))


def test_reductions_and_targets_that_do_not_fit() -> None:
    assert nn.CTCLoss()(EVEN, ROWS, (5, 3), (2, 1)).item() == pytest.approx((BOTH[0] / 2 + BOTH[1]) / 2)
    assert nn.CTCLoss(reduction="sum")(EVEN, ROWS, (5, 3), (2, 1)).item() == pytest.approx(sum(BOTH))
    x = EVEN.clone().requires_grad_()
    twice = mg.tensor([[1, 2], [1, 1]])
    assert F.ctc_loss(x, twice, (5, 2), (2, 2), reduction="none").tolist() == [
        pytest.approx(BOTH[0]),
        math.inf,
    ]
    loss = F.ctc_loss(x, twice, (5, 2), (2, 2), reduction="none", zero_infinity=True)
    loss.sum().backward()
    assert loss.tolist() == [pytest.approx(BOTH[0]), 0.0]
    assert x.grad is not None
    assert x.grad.sum((0, 2)).tolist() == pytest.approx(
        [-5.0, 0.0]
    )  # at each time the probabilities are 1 together
    assert F.ctc_loss(EVEN, ROWS, (0, 0), (0, 1), reduction="none").tolist() == [0.0, math.inf]


def test_a_recording_takes_other_targets() -> None:
    compiled = mg.compile(F.ctc_loss)
    for targets in (ROWS, ROWS.flip(1), mg.tensor([[1, 1], [2, 2]])):
        args = (EVEN, targets, mg.tensor([5, 4]), mg.tensor([2, 2]))
        assert mg.equal(compiled(*args), F.ctc_loss(*args))


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ({"input_lengths": (5,)}, RuntimeError, "input_lengths must be of size batch_size"),
        ({"target_lengths": (2,)}, RuntimeError, "target_lengths must be of size batch_size"),
        ({"input_lengths": (5, 6)}, RuntimeError, "Expected input_lengths to have value at most 5, but got value 6"),
        ({"input_lengths": (5, -1)}, RuntimeError, "Expected input_lengths to have value at least 0"),
        ({"target_lengths": (2, 3)}, RuntimeError, "Expected target_lengths to have value at most 2, but got value 3"),
        ({"target_lengths": (2, -1)}, RuntimeError, "Expected target_lengths to have value at least 0"),
        ({"targets": mg.tensor([1, 2, 3, 1, 1])}, RuntimeError, "Expected tensor to have size 4 at dimension 0"),
        ({"targets": mg.tensor([1, 2]), "target_lengths": (3, -1)}, RuntimeError, "at least 0"),
        ({"targets": ROWS[:1]}, RuntimeError, "Expected tensor to have size 2 at dimension 0"),
        ({"targets": ROWS + 2}, RuntimeError, "Expected targets to be classes"),
        ({"targets": ROWS.unsqueeze(0)}, RuntimeError, "Expected 1 to 2 dimensions"),
        ({"targets": ROWS.float()}, RuntimeError, "targets must be integers"),
        ({"log_probs": EVEN[0, 0]}, RuntimeError, "Expected 3-dimensional tensor"),
        ({"log_probs": EVEN[:, :0]}, RuntimeError, "log_probs tensor must not be empty"),
        ({"log_probs": EVEN.half()}, NotImplementedError, "not implemented for"),
        ({"input_lengths": mg.tensor([5.0, 5.0])}, RuntimeError, "input_lengths must be integral"),
        ({"input_lengths": 5}, TypeError, "'input_lengths' must be Tensor or tuple of ints"),
        ({"blank": 4}, RuntimeError, "blank must be in label range"),
        ({"reduction": "all"}, ValueError, "all is not a valid value for reduction"),
    ],
)  # fmt: skip
def test_what_is_refused(change: dict[str, Any], kind: type[Exception], says: str) -> None:
    call = {"log_probs": EVEN, "targets": ROWS, "input_lengths": (5, 5), "target_lengths": (2, 2), **change}
    with pytest.raises(kind, match=says):
        F.ctc_loss(**call)

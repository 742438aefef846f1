"""What kernels find on their way and hand on beside the record: the same bits with and without it, nothing left over.

Cross entropy to its backward, batch norm to its running statistics.
"""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.kernels import channels as ck
from minigrad.kernels import classes as k
from minigrad.nn import functional as F
from minigrad.ops.classes import EXPS
from minigrad.ops.norms import SEEN

IGNORED = 3


@pytest.fixture(params=[(7, 5), (300, 128), (2, 40, 16)], ids=["small", "blocks", "columns"])
def case(request: pytest.FixtureRequest) -> tuple[mg.Tensor, mg.Tensor]:
    """Scores, some of them infinite, and classes, of which some are ignored."""
    rows, classes, *places = request.param
    scores = mg.randn(rows, classes, *places) * 30
    scores[0, 1:] = -np.inf
    target = mg.randint(0, classes, (rows, *places))
    target[0], target[1] = 0, IGNORED
    return scores.requires_grad_(), target


def kept() -> int:
    gc.collect()
    return len(EXPS._by_result)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_each_pass_gives_the_bits_of_the_kernel_alone(case: Any, reduction: str) -> None:
    x, target = case
    losses = F.cross_entropy(x, target, ignore_index=IGNORED, reduction=reduction)
    d = mg.randn(losses.shape)
    first = mg.autograd.grad(losses, [x], d, retain_graph=True)[0]
    copy = first.numpy().copy()
    second = mg.autograd.grad(losses, [x], d)[0]
    arrays = d.numpy(), x.detach().numpy(), target.numpy(), losses.detach().numpy()
    alone = k.log_loss_backward(*arrays, ignore=IGNORED, mean=reduction == "mean")
    np.testing.assert_array_equal(first.numpy(), alone)
    np.testing.assert_array_equal(second.numpy(), alone)
    np.testing.assert_array_equal(first.numpy(), copy)  # the second pass has written elsewhere


@pytest.mark.parametrize("smoothing", [0.0, 0.25])
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_losses_of_images_are_those_of_their_rows(smoothing: float, reduction: str) -> None:
    x, target = mg.randn(2, 3, 4, 5, requires_grad=True), mg.randint(0, 3, (2, 4, 5))
    how: Any = {"weight": mg.rand(3), "ignore_index": 1, "reduction": reduction, "label_smoothing": smoothing}
    losses = F.cross_entropy(x, target, **how)
    rows = F.cross_entropy(x.movedim(1, -1).reshape(-1, 3), target.reshape(-1), **how)
    assert mg.allclose(losses, rows.reshape(losses.shape), atol=1e-6)
    gradient, others = (mg.autograd.grad(y.square().sum(), [x])[0] for y in (losses, rows))
    assert mg.allclose(gradient, others, atol=1e-6)


def test_nothing_is_kept_longer_than_the_losses(case: Any) -> None:
    x, target = case
    before = kept()
    losses = F.cross_entropy(x, target, reduction="none")
    assert kept() == before + 1
    losses.sum().backward()
    assert kept() == before
    F.cross_entropy(x, target)
    assert kept() == before
    with mg.no_grad():
        plain = F.cross_entropy(x, target, reduction="none")
    assert kept() == before
    assert plain.shape == target.shape


def test_detached_losses_keep_nothing(case: Any) -> None:
    x, target = case
    before = kept()
    history = [F.cross_entropy(x, target, reduction="none").detach() for _ in range(3)]
    assert kept() == before
    assert len(history) == 3
    with mg.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        losses = F.cross_entropy(x, target, reduction="none")
    losses.sum().backward()
    array = losses.numpy(force=True)
    del losses
    assert kept() == before
    assert array.shape == target.shape


def test_scores_changed_in_place_are_refused(case: Any) -> None:
    x, target = case
    scores = x * 1.0
    loss = F.cross_entropy(scores, target)
    scores.mul_(2.0)
    with pytest.raises(RuntimeError, match=r"in-place|in place"):
        loss.backward()


@pytest.mark.parametrize("wrong", [-1, 5, -(2**63), 2**63 - 1])
def test_classes_out_of_range_are_refused(wrong: int) -> None:
    with pytest.raises(IndexError, match="out of bounds"):
        F.cross_entropy(mg.zeros(3, 5), mg.tensor([0, wrong, 4]))


@pytest.mark.parametrize("ignored", [IGNORED, -1, -100, 200], ids=["class", "-1", "-100", "above"])
def test_the_mean_leaves_out_what_is_ignored(case: Any, ignored: int) -> None:
    x, target = case
    target = mg.where(target == IGNORED, ignored, target)
    losses = F.cross_entropy(x, target, ignore_index=ignored, reduction="none").detach().numpy()
    mean = F.cross_entropy(x, target, ignore_index=ignored)
    kept = target.numpy() != ignored
    np.testing.assert_allclose(mean.item(), np.float64(losses[kept]).mean(), rtol=1e-5)
    assert not losses[~kept].any()
    mean.backward()
    assert x.grad is not None
    assert not np.moveaxis(x.grad.numpy(), 1, -1)[~kept].any()
    assert np.isnan(F.cross_entropy(x, mg.full_like(target, ignored), ignore_index=ignored).item())


def test_losses_without_classes_are_nothing() -> None:
    x, ignored = mg.zeros(2, 0, requires_grad=True), mg.full((2,), -100)
    losses = F.cross_entropy(x, ignored, reduction="none")
    losses.sum().backward()
    assert losses.tolist() == [0.0, 0.0]
    assert x.grad.shape == (2, 0)
    assert np.isnan(F.cross_entropy(x, ignored).item())


def test_scores_that_a_hook_has_replaced_are_those_of_the_gradient(case: Any) -> None:
    x, target = case
    half = (x.detach() / 2).requires_grad_()
    with mg.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t / 2 if t.shape == x.shape else t):
        losses = F.cross_entropy(x, target, reduction="none")
    losses.sum().backward()
    F.cross_entropy(half, target, reduction="sum").backward()
    np.testing.assert_array_equal(x.grad.numpy(), half.grad.numpy())


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
@pytest.mark.parametrize("size", [(7, 5), (3, 4, 5), (2, 3, 40, 40)])
def test_running_statistics_are_those_of_the_moments(size: tuple[int, ...], dtype: Any) -> None:
    x = mg.randn(size, dtype=dtype)
    mean, var, weight = (mg.ones(size[1], dtype=dtype) for _ in range(3))
    F.batch_norm(x, mean, var, weight, training=True, momentum=0.25)
    assert not SEEN._by_result
    for moved, found in zip((mean, var), ck.moments(x.numpy(), 1), strict=True):
        np.testing.assert_array_equal(moved.numpy(), np.full_like(found, 0.75) + found * 0.25)
    y = F.batch_norm(x, None, None, weight, training=True)
    assert len(SEEN._by_result) == 1
    del y
    gc.collect()
    assert not SEEN._by_result

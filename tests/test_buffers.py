"""Memory that is used again is never memory that somebody still holds."""

import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import buffers

ROWS = buffers.SMALL // 8 // 64 * 2


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    buffers._KEPT.buffers.clear()


def test_a_result_that_is_held_is_left_alone() -> None:
    x = mg.randn(ROWS, 64, dtype=mg.float64)
    w = mg.randn(64, 64, dtype=mg.float64)
    held = [x @ w, mg.relu(x), (x @ w).numpy(), (x @ w)[3:5].T]
    before = [np.array(h) for h in held]
    for _ in range(20):
        mg.relu(x @ w * 2)
    for h, was in zip(held, before, strict=True):
        assert np.array_equal(np.asarray(h), was)


def test_a_result_that_is_let_go_is_used_again() -> None:
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        pytest.skip("without the lock nothing is used again")
    x, w = mg.ones(ROWS, 64, dtype=mg.float64), mg.ones(64, 64, dtype=mg.float64)
    addresses = {(x @ w).data_ptr() for _ in range(5)}
    assert len(addresses) == 1
    assert len(buffers._KEPT.buffers) == 1


def test_no_more_is_kept_than_is_stated() -> None:
    arrays = [buffers.empty((n * buffers.SMALL,), np.dtype(np.uint8)) for n in range(1, 60)]
    assert sum(b.nbytes for b in buffers._KEPT.buffers) <= buffers.KEPT
    del arrays
    assert buffers.empty((buffers.KEPT + 1,), np.dtype(np.uint8)).base is None


def test_gradients_that_are_held_are_not_consumed() -> None:
    """relu writes over a gradient only where nobody else sees it."""
    x = mg.randn(ROWS, 64, dtype=mg.float64).requires_grad_()
    seen = []
    h = x * 1.0
    h.register_hook(lambda g: seen.append((g, g.clone())))
    y = mg.relu(h)
    y.register_hook(lambda g: seen.append((g, g.clone())))
    seed = mg.randn(ROWS, 64, dtype=mg.float64)
    kept = seed.clone()
    (y + y.detach()).backward(seed)
    assert mg.equal(seed, kept)
    for g, was in seen:
        assert mg.equal(g, was)
    assert mg.equal(x.grad, mg.where(x.detach() > 0, seed, mg.zeros(())))


def test_the_written_over_gradient_is_the_plain_one_bit_for_bit() -> None:
    x = mg.randn(ROWS, 64, dtype=mg.float64).requires_grad_()
    w = mg.randn(64, 64, dtype=mg.float64)
    cotangent = mg.randn(ROWS, 64, dtype=mg.float64)
    (eager,) = mg.autograd.grad(mg.relu(x * 2) @ w, x, cotangent)
    (recorded,) = mg.autograd.grad(mg.relu(x * 2) @ w, x, cotangent, create_graph=True)
    assert mg.equal(eager, recorded.detach())


def test_each_thread_has_its_own() -> None:
    x, w = mg.randn(ROWS, 64), mg.randn(64, 64)
    want = (x @ w).numpy().copy()
    wrong: list[str] = []

    def work() -> None:
        for _ in range(30):
            if not np.array_equal((x @ w).numpy(), want):
                wrong.append("differs")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong

"""Memory that is used again is never memory that somebody still holds."""

import sys
from typing import Any

import numpy as np
import pytest
from cases import at_once

import minigrad as mg
from minigrad import buffers
from minigrad.ops import nn

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


def test_memory_begins_where_a_line_of_the_cache_does() -> None:
    shape = ROWS, 64
    arrays = [buffers.empty(shape, np.dtype(np.float64)) for _ in range(5)]
    assert not any(a.ctypes.data % buffers.LINE for a in arrays)
    assert len({id(a.base) for a in arrays}) == 5 == len(buffers._KEPT.buffers)

    x = mg.randn(*shape, dtype=mg.float64)
    step = mg.compile(lambda x: (x.sin() * 2).cos().sum())
    step(x)
    text = mg.source(step).replace("    def run", "    assert not memory.ctypes.data % 64\n\n    def run", 1)
    space: dict[str, Any] = {}
    exec(text, space)
    space["bind"]()


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

    at_once(*[work] * 4)
    assert not wrong


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("rows", "n"), [(1000, 64), (1009, 64), (40, 5000), (3, 20000), (9001, 5), (512, 96)]
)
def test_a_bias_and_a_relu_in_long_rows_give_the_bits_of_short_ones(rows, n, dtype) -> None:
    random = np.random.default_rng(0)
    x, w, b = (random.standard_normal(shape).astype(dtype) for shape in ((rows, 3), (n, 3), (n,)))
    x[1] = np.nan
    w[2], b[2] = 0.0, -0.0
    with np.errstate(all="ignore"):
        expected = np.dot(x, w.T) + b
        rectified = np.maximum(expected, 0)
    y = mg.nn.functional.linear(*(mg.from_numpy(a) for a in (x, w, b)))
    assert y.numpy().tobytes() == expected.tobytes()
    assert mg.relu(y).numpy().tobytes() == rectified.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [7, 300, 2000, 70000, 200000])
def test_a_gradient_passes_where_relu_did_whatever_it_is(size: int, dtype) -> None:
    random = np.random.default_rng(1)
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.5, -1.5], dtype)
    a, g = special[random.integers(0, 7, size)], special[random.integers(0, 7, size)]
    expected = np.where(np.maximum(a, 0) <= 0, dtype(0), g)
    x = mg.from_numpy(a).requires_grad_()
    y = mg.relu(x * 1.0)  # so that nobody else holds the gradient, and it may be written over
    (y * 1.0).backward(mg.from_numpy(g))
    found = x.grad.numpy()
    assert np.array_equal(found, expected, equal_nan=True)
    passed = expected != 0
    assert np.array_equal(np.signbit(found[passed]), np.signbit(expected[passed]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_products_have_the_bits_of_small_ones(dtype) -> None:
    """np.matmul and np.dot agree, also for a matrix with gaps and its transpose, where they would not."""
    random = np.random.default_rng(2)
    for rows, inner, columns in ((300, 64, 64), (200, 1, 100), (129, 7, 200), (150, 3, 150)):
        wide = random.standard_normal((rows, inner + 5)).astype(dtype)
        a = wide[:, :inner]
        b = random.standard_normal((columns, inner)).astype(dtype).T
        for left, right in ((a, b), (np.ascontiguousarray(a), b), (a, a.T), (wide, wide.T)):
            found = mg.from_numpy(left) @ mg.from_numpy(right)
            assert found.numpy().tobytes() == np.dot(left, right).tobytes()


def test_a_long_last_axis_needs_no_long_row_of_zeros() -> None:
    assert nn._zeros(8192, "f").size == 8192
    for n in range(3_000_000, 3_000_003):
        assert mg.relu(mg.ones(n)).sum().item() == n
        assert nn.long_row(n, n) == 8192
    assert nn.long_row(64_000, 64) == 6_400, "a divisor"
    assert nn.long_row(2 * 8192 * 5, 5) <= 16_384


def test_gradients_of_several_leaves_share_no_memory() -> None:
    a, b = (mg.zeros(ROWS, 64, dtype=mg.float64, requires_grad=True) for _ in range(2))
    seed = mg.ones(ROWS, 64, dtype=mg.float64)
    grads = [g.numpy() for _ in range(2) for g in mg.autograd.grad(a + b, [a, b], seed)]
    for k, g in enumerate(grads):
        assert not any(np.shares_memory(g, h) for h in (seed.numpy(), *grads[:k]))
        g[...] = k
    assert [g.min() == g.max() == k for k, g in enumerate(grads)] == [True] * 4

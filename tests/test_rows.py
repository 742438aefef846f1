"""Sums of rows of one number, and the largest elements of long rows, beside NumPy's plain forms."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.kernels import scatter, sorting


@pytest.mark.parametrize("count", [40, 1 << 16, (1 << 16) + 1])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize("zeros", [True, False])
def test_rows_are_added_in_their_order(count: int, dtype: str, zeros: bool) -> None:
    random = np.random.default_rng(mg.initial_seed())
    numbers = random.permutation(np.append(random.choice(count, 600), [0, count - 1, count - 1]))
    rows = (random.standard_normal((len(numbers), 32)) * 2).astype(dtype)
    out = np.zeros((count, 32), dtype) if zeros else np.ones((count, 32), dtype)
    expected = out.copy()
    np.add.at(expected, numbers, rows)
    scatter.add_to_rows(out, numbers, rows, zeros)
    np.testing.assert_array_equal(out, expected)


def test_a_gradient_of_minus_zero_is_zero() -> None:
    weight = mg.ones(5, 32, requires_grad=True)
    mg.nn.functional.embedding(mg.tensor([1, 3]), weight).backward(mg.full((2, 32), -0.0))
    assert not np.signbit(weight.grad.numpy()).any()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "uint8"])
@pytest.mark.parametrize("largest", [True, False])
def test_places_of_long_rows_are_those_of_a_sort(dtype: str, largest: bool) -> None:
    random = np.random.default_rng(mg.initial_seed())
    for n, k in ((100, 1), (129, 8), (1000, 10), (1001, 60)):
        x = (random.standard_normal((6, n)) * 40 + 100).astype(
            dtype
        )  # some of them equal, of which any will do
        if x.dtype.kind == "f":
            x[1, random.choice(n, 3)] = np.nan
            x[2, random.choice(n, n // 2)] = np.inf
            x[3, random.choice(n, n // 2)] = -np.inf
        order = sorting.argsort(x, 1, largest)[:, :k]
        places = sorting.top_places(x, k, 1, largest, True)
        np.testing.assert_array_equal(*(np.take_along_axis(x, at, 1) for at in (places, order)))
        assert all(len(set(row)) == k for row in places.tolist())

"""What is computed in another way for many elements: choices between arrays, and activations in pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.kernels.select import LARGE, PIECE, select
from minigrad.nn import functional as F
from minigrad.ops import buffered

COUNT = 2 * PIECE + 7


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i2", "i4", "i8", "u1"])
def test_a_choice_among_many_is_that_of_numpy_bit_for_bit(kind: str) -> None:
    assert COUNT > LARGE
    rng = np.random.default_rng(0)
    a, b = ((rng.standard_normal(COUNT) * 50).astype(kind) for _ in range(2))
    if kind[0] == "f":
        a[:3], b[1:4] = (np.nan, -0.0, np.inf), (-0.0, np.nan, -np.inf)
    for condition in (a > b, a == a, np.zeros(COUNT, bool)):
        for x, y in ((a, b), (a, 0), (0, b), (3, b), (a, np.zeros((), kind)), (a, np.float64(2)), (1, 2)):
            expected, chosen = np.where(condition, x, y), select(condition, x, y)
            assert chosen.dtype == expected.dtype
            assert chosen.tobytes() == expected.tobytes()
    table = (a > b)[:-7].reshape(2, -1)
    rows = a[:-7].reshape(2, -1)
    assert np.array_equal(
        select(table, rows, rows[:1]), np.where(table, rows, rows[:1]), equal_nan=kind[0] == "f"
    )
    assert select(table.T, rows.T, 0).tobytes() == np.where(table.T, rows.T, 0).tobytes()


@pytest.mark.parametrize(
    "function",
    [
        F.gelu, lambda x: F.gelu(x, approximate="tanh"), F.silu, F.mish, F.softplus, F.elu, F.hardswish, mg.erf,
        mg.erfc, mg.sigmoid,
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
def test_many_elements_are_as_few(function: Any, dtype: Any) -> None:
    count = 2 * buffered.PIECE + 5
    values = np.random.default_rng(1).standard_normal(count) * 3
    x = mg.tensor(values, dtype=dtype, requires_grad=True)
    seed = mg.tensor(values[::-1].copy(), dtype=dtype)
    y = function(x)
    (g,) = mg.autograd.grad(y, x, seed)
    rtol = 1e-6 if dtype is mg.float32 else 1e-14
    for start in range(0, count, 5001):
        part = x.detach()[start : start + 5001].clone().requires_grad_()
        z = function(part)
        (h,) = mg.autograd.grad(z, part, seed[start : start + 5001])
        np.testing.assert_allclose(y.detach().numpy()[start : start + 5001], z.detach().numpy(), rtol, rtol)
        np.testing.assert_allclose(g.numpy()[start : start + 5001], h.numpy(), rtol, rtol)

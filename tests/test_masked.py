"""What a mask leaves, and views of memory by sizes and steps: values by hand, gradients, refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import case

import minigrad as mg
from minigrad import masked
from minigrad.autograd import gradcheck, gradgradcheck

X = np.array([[3.0, -1.0, 4.0, 1.5], [-2.5, 6.0, 0.5, -4.0], [2.0, 7.0, 1.0, -8.0]])
MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, False, True]])
# What the functions give for the elements of one row that count.
OF_ROW: dict[str, tuple[Any, Any]] = {
    "sum": (masked.sum, np.sum),
    "prod": (masked.prod, np.prod),
    "mean": (masked.mean, np.mean),
    "amax": (masked.amax, np.max),
    "amin": (masked.amin, np.min),
    "var": (masked.var, lambda row: np.var(row, ddof=1)),
    "std-biased": (lambda x, dim, **how: masked.std(x, dim, False, **how), np.std),
    "median": (masked.median, lambda row: np.sort(row)[(row.size - 1) // 2]),
    "logsumexp": (masked.logsumexp, lambda row: np.log(np.exp(row).sum())),
    "norm": (
        lambda x, dim, **how: masked.norm(x, 3.0, dim, **how),
        lambda row: (abs(row) ** 3).sum() ** (1 / 3),
    ),
    "norm-least": (lambda x, dim, **how: masked.norm(x, -math.inf, dim, **how), lambda row: abs(row).min()),
}
# The row of the same length: `None` where an element is masked out and nothing is promised.
KEEPS_SHAPE: dict[str, tuple[Any, Any]] = {
    "softmax": (masked.softmax, lambda row: np.exp(row) / np.exp(row).sum()),
    "softmin": (masked.softmin, lambda row: np.exp(-row) / np.exp(-row).sum()),
    "log_softmax": (masked.log_softmax, lambda row: row - np.log(np.exp(row).sum())),
    "cumsum": (masked.cumsum, np.cumsum),
    "cumprod": (masked.cumprod, np.cumprod),
    "normalize": (
        lambda x, dim, **how: masked.normalize(x, 2.0, dim, **how),
        lambda row: row / np.sqrt(row @ row),
    ),
}


def test_what_is_masked_out_counts_neither_in_values_nor_in_gradients() -> None:
    mask = mg.from_numpy(MASK)
    for name, (function, of_row) in (OF_ROW | KEEPS_SHAPE).items():
        with case(name):
            x = mg.tensor(X, requires_grad=True)
            y = function(x, 1, mask=mask)
            weights = mg.tensor(np.linspace(1, 2, y.numel()).reshape(y.shape))
            hidden = y if y.shape != x.shape else mg.where(mask, y, 0.0)
            (hidden * weights).sum().backward()
            assert x.grad is not None
            assert not x.grad.numpy()[~MASK].any()
            for i, row in enumerate(X):
                got, expected = y.detach().numpy()[i], of_row(row[MASK[i]])
                np.testing.assert_allclose(got[MASK[i]] if name in KEEPS_SHAPE else got, expected, rtol=1e-12)
                # An element that does not count may be anything.
                other = X.copy()
                other[~MASK] = 1e3
            again = function(mg.tensor(other), 1, mask=mask)
            assert mg.equal(again if name not in KEEPS_SHAPE else mg.where(mask, again, 0.0), hidden.detach())
            whole = function(mg.tensor(X), 1)
            assert whole.numpy()[1].tolist() == pytest.approx(np.asarray(of_row(X[1])).tolist(), rel=1e-12)
    x = mg.tensor(X + 10, requires_grad=True)
    for name in ("mean", "var", "norm", "normalize", "softmin"):
        function = (OF_ROW | KEEPS_SHAPE)[name][0]
        with case(("order 2", name)):
            assert gradcheck(lambda x, f=function: f(x, 1, mask=mask), x)
            assert gradgradcheck(lambda x, f=function: f(x, 1, mask=mask), x)


def test_masks_that_leave_nothing_integers_and_what_is_refused() -> None:
    x, none = mg.tensor(X), mg.zeros(4, dtype=mg.bool)
    begins: list[tuple[Any, float]] = [
        (masked.sum, 0), (masked.prod, 1), (masked.amax, -math.inf), (masked.amin, math.inf),
        (masked.logsumexp, -math.inf), (masked.norm, 0), (masked.mean, math.nan), (masked.var, math.nan),
        (masked.softmax, math.nan),
    ]  # fmt: skip
    for function, value in begins:
        with case(function.__name__):
            row = function(x, **({} if function is not masked.softmax else {"dim": 1}), mask=none)
            np.testing.assert_array_equal(row.numpy(), np.full(row.shape, value))
    whole, mask = mg.tensor([[3, 1, 2]], dtype=mg.int32), mg.tensor([True, False, True])
    assert masked.sum(whole, mask=mask).dtype == mg.int64
    assert masked.amax(whole, 1, mask=~mask).tolist() == [1]
    assert masked.argmin(whole, 1, mask=mask).tolist() == [2]
    assert masked.argmax(whole, 1, mask=~mask, keepdim=True).tolist() == [[1]]
    assert masked.median(whole, 1, mask=mask).tolist() == [2]
    a, b = mg.tensor([1.0, 2.0]), mg.tensor([3.0, 4.0])
    assert math.isnan(masked.var(mg.ones(1), correction=2))
    added = masked.logaddexp(a, b, input_mask=mg.tensor([True, False]), other_mask=mg.tensor([False, False]))
    assert added.tolist() == [1.0, -math.inf]
    refused: list[tuple[Any, type[Exception], str]] = [
        (lambda: masked.sum(a, mask=mg.ones(1, 2)), IndexError, "more dimensions"),
        (lambda: masked.mean(whole), ValueError, "Input dtype must be a floating point dtype"),
        (lambda: masked.median(whole, mask=~mask & mask), ValueError, "no fully masked out rows"),
        (
            lambda: masked.var(a, unbiased=True, correction=1),
            ValueError,
            "only one of unbiased and correction",
        ),
        (lambda: masked.masked_tensor, AttributeError, "PyTorch"),
    ]
    for call, kind, text in refused:
        with case(text), pytest.raises(kind, match=text):
            call()


def test_as_strided_shows_memory_and_sums_gradients() -> None:
    x = mg.arange(12.0, dtype=mg.float64).reshape(3, 4).requires_grad_()
    for y, args, places in [
        (x * 1, ((2, 3), (1, 1)), [[0, 1, 2], [1, 2, 3]]),
        ((x * 1).t(), ((2, 2), (4, 1), 1), [[1, 2], [5, 6]]),
        ((x * 1)[1:, 1:3], ((2,), (3,)), [5, 8]),
        ((x * 1)[1:], ((2, 2), (0, 1), 3), [[3, 4], [3, 4]]),
    ]:
        with case(args):
            shown = y.as_strided(*args)
            assert shown.tolist() == places
            assert shown.stride() == args[1]
            assert shown.storage_offset() == np.ravel(places)[0]
            (g,) = mg.autograd.grad(shown.sum(), x)
            assert g.tolist() == np.bincount(np.ravel(places), minlength=12).reshape(3, 4).tolist()
    y = x.clone()
    y.as_strided((2, 2), (1, 4), 1).mul_(10)
    assert y.detach().reshape(-1)[:8].tolist() == [0, 10, 20, 3, 4, 50, 60, 7]
    (g,) = mg.autograd.grad(y.sum(), x)
    assert g.tolist() == [[1, 10, 10, 1], [1, 10, 10, 1], [1, 1, 1, 1]]
    source = mg.ones(2, dtype=mg.float64, requires_grad=True)
    scattered = mg.as_strided_scatter(x, source, (2,), (5,), 1)
    assert scattered.tolist() == [[0, 1, 2, 3], [4, 5, 1, 7], [8, 9, 10, 11]]
    gx, gs = mg.autograd.grad(scattered.sum(), (x, source))
    assert gx.reshape(-1).tolist() == [1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1]
    assert gs.tolist() == [1, 1]
    copy = mg.as_strided_copy(x, (2,), (5,))
    assert copy.tolist() == [0, 5]
    assert copy.is_contiguous()
    refused: list[tuple[Any, str]] = [
        (lambda: x.as_strided((2,), (1, 2)), "mismatch in length"),
        (lambda: x.as_strided((2,), (-1,)), "Negative strides"),
        (lambda: x.as_strided((-1,), (1,)), "are not negative"),
        (lambda: x.as_strided((13,), (1,)), "out of bounds"),
        (lambda: x.as_strided((2,), (12,), 0), "out of bounds"),
        (lambda: x.detach()[1:].detach().as_strided((2,), (1,), 0), "out of bounds"),
        (lambda: mg.as_strided_scatter(x, source, (3,), (1,)), "src size"),
        (lambda: y.as_strided((2, 2), (1, 1)).zero_().add_(1), "more than one element"),
    ]
    for call, text in refused:
        with case(text), pytest.raises(RuntimeError, match=text):
            call()

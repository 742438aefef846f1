"""Views as copies, windows, differences, and names that are for complex numbers too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg

X = np.arange(24.0).reshape(2, 3, 4) ** 1.5


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("alias_copy", (), X),
        ("diagonal_copy", (1, 0, 1), np.diagonal(X, 1, 0, 1)),
        ("expand_copy", ((5, 2, 3, 4),), np.broadcast_to(X, (5, 2, 3, 4))),
        ("permute_copy", ((2, 0, 1),), X.transpose(2, 0, 1)),
        ("squeeze_copy", (), X),
        ("transpose_copy", (0, 2), X.transpose(2, 1, 0)),
        ("unsqueeze_copy", (1,), X[:, None]),
        ("view_copy", ((6, 4),), X.reshape(6, 4)),
        ("unfold_copy", (2, 3, 1), np.lib.stride_tricks.sliding_window_view(X, 3, 2)),
        ("split_with_sizes_copy", ([1, 2], 1), [X[:, :1], X[:, 1:]]),
        ("unbind_copy", (), [*X]),
    ],
)
def test_copies_hold_what_views_show(name: str, arguments: Any, expected: Any) -> None:
    x = mg.from_numpy(X.copy()).requires_grad_()
    results = getattr(mg, name)(x, *arguments)
    several = results if isinstance(results, tuple) else (results,)
    for y, array in zip(several, expected if isinstance(expected, list) else [expected], strict=True):
        assert np.array_equal(y.detach().numpy(), array)
        assert y.is_contiguous()
        assert not np.shares_memory(y._array, x._array)
    sum((y * y).sum() for y in several).backward()
    counts = mg.zeros(2, 3, 4, dtype=mg.float64).requires_grad_()
    parts = getattr(mg, name)(counts, *arguments)
    sum(y.sum() for y in (parts if isinstance(parts, tuple) else (parts,))).backward()
    assert np.allclose(x.grad.numpy(), 2 * X * counts.grad.numpy())


@pytest.mark.parametrize(
    "code",
    [
        "alias_copy(X)", "squeeze_copy(X)", "unsqueeze_copy(X, 0)", "view_copy(X, (2, 3))", "narrow_copy(X, 0, 0, 2)",
        "unbind_copy(X[None])[0]", "split_with_sizes_copy(X, [2, 0])[0]", "roll(X, 0, 0)", "roll(X, (2, 3), (0, 1))",
        "addmm(X[:, :2], mg.ones(2, 1), mg.ones(1, 2))", "addbmm(X, mg.ones(1, 2, 1), mg.ones(1, 1, 3))",
        "renorm(X, 2, 0, 1.0)", "index_copy(X, 0, mg.tensor([0]), mg.ones(1, 3))", "rot90(X, 4)",
        "view_as_real_copy(X + 0j)", "view_as_complex_copy(mg.zeros(3, 2, 2).transpose(0, 1))",
    ],
)  # fmt: skip
def test_these_lie_row_by_row_whatever_they_are_of(code: str) -> None:
    y = eval(f"mg.{code}", {"mg": mg, "X": mg.zeros(3, 2).t()})
    assert y.is_contiguous()
    assert y._view is None


def test_unsafe_parts_share_memory_and_no_record() -> None:
    x = mg.arange(4.0).requires_grad_()
    y = x * 1
    for part, factor in zip(mg.unsafe_chunk(y, 2), (2, 3), strict=True):
        part.mul_(factor)
    assert y.tolist() == [0, 2, 6, 9]
    first, second = mg.unsafe_split(x * 1, 2)
    (first.mul_(2).sum() + second.sum()).backward()
    assert x.grad.tolist() == [2, 2, 1, 1]


def test_windows_are_a_view() -> None:
    x = mg.zeros(2, 7)
    y = x.unfold(1, 3, 2)
    assert (y.shape, y.data_ptr()) == ((2, 3, 3), x.data_ptr())
    x[0, 2] = 1.0
    assert y[0].tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    assert mg.tensor(3.0).unfold(0, 1, 1).tolist() == [3.0]
    for arguments in ((0, -1, 1), (0, 1, 0), (0, 2, 1)):
        with pytest.raises(RuntimeError, match="but"):
            mg.tensor(3.0).unfold(*arguments)
    for arguments, sentence in [
        ((1, 8, 1), "maximum size for tensor at dimension 1 is 7 but size is 8"),
        ((1, 2, 0), "step is 0 but must be > 0"),
        ((1, -1, 1), "size is -1 but must be >= 0"),
    ]:
        with pytest.raises(RuntimeError, match=sentence):
            x.unfold(*arguments)
    with pytest.raises(IndexError):
        x.unfold(2, 1, 1)


def test_sums_to_a_size() -> None:
    x = mg.from_numpy(X)
    assert np.allclose(x.sum_to_size(3, 1).numpy(), X.sum((0, 2)).reshape(3, 1))
    assert np.allclose(x.sum_to_size((4,)).numpy(), X.sum((0, 1)))
    assert x.sum_to_size(2, 3, 4) is x
    with pytest.raises(RuntimeError, match=r"size \{\[2, 4\]\} is not expandable to size \{\[2, 3, 4\]\}"):
        x.sum_to_size(2, 4)


def test_real_numbers_are_their_own_conjugates() -> None:
    x = mg.tensor([-1.0, 0.0, -0.0, math.nan, 2.0], requires_grad=True)
    for name in ("real", "conj", "conj_physical", "resolve_conj", "resolve_neg"):
        assert getattr(mg, name)(x) is x
    assert not x.is_conj()
    assert not mg.is_neg(x)
    assert mg.allclose(x.angle(), mg.tensor([math.pi, 0.0, 0.0, math.nan, 0.0]), equal_nan=True)
    assert mg.tensor([-2, 3]).angle().tolist() == pytest.approx([math.pi, 0.0])
    infinite = mg.tensor([math.inf, -math.inf], requires_grad=True)
    assert infinite.angle().tolist() == pytest.approx([0.0, math.pi])
    (x.angle().nansum() + infinite.angle().sum()).backward()
    assert x.grad.tolist() == [0.0] * 5
    assert infinite.grad.tolist() == [0.0] * 2


@pytest.mark.parametrize("edge_order", [1, 2])
def test_slopes_on_a_grid(edge_order: int) -> None:
    rng = np.random.default_rng(0)
    values, places = rng.standard_normal((5, 6)), [np.sort(rng.standard_normal(n)) for n in (5, 6)]
    x = mg.from_numpy(values)
    for ours, theirs in [
        (mg.gradient(x, edge_order=edge_order), np.gradient(values, edge_order=edge_order)),
        (
            mg.gradient(x, spacing=(0.5, 2.0), edge_order=edge_order),
            np.gradient(values, 0.5, 2.0, edge_order=edge_order),
        ),
        (mg.gradient(x, dim=-1, edge_order=edge_order), [np.gradient(values, axis=1, edge_order=edge_order)]),
        (
            mg.gradient(x, spacing=[mg.from_numpy(p) for p in places], edge_order=edge_order),
            np.gradient(values, *places, edge_order=edge_order),
        ),
    ]:
        assert all(np.allclose(a.numpy(), b) for a, b in zip(ours, theirs, strict=True))
    assert mg.autograd.gradcheck(
        lambda t: mg.gradient(t, edge_order=edge_order), (x.clone().requires_grad_(),)
    )
    for options, sentence in [
        ({"dim": (1, 1)}, "appears multiple times"),
        ({"edge_order": 3}, "only supports edge_order=1 and edge_order=2"),
        ({"spacing": (1.0,)}, "a list of length 2"),
    ]:
        with pytest.raises(RuntimeError, match=sentence):
            mg.gradient(x, **options)
    with pytest.raises(RuntimeError, match="at least edge_order"):
        mg.gradient(mg.zeros(edge_order), edge_order=edge_order)


def test_padding_with_a_constant() -> None:
    assert mg.constant_pad_nd(mg.ones(2), [1, 2], 3).tolist() == [3.0, 1.0, 1.0, 3.0, 3.0]


def test_transposed_matrices() -> None:
    x = mg.from_numpy(X)
    assert np.array_equal(x.mH.numpy(), X.swapaxes(1, 2))
    assert np.array_equal(x[0].H.numpy(), X[0].T)
    assert mg.tensor(2.0).H.item() == mg.tensor(2.0).mH.item() == 2.0
    with pytest.raises(RuntimeError, match=r"Got 3-D tensor\. For batches of matrices"):
        _ = x.H
    with pytest.raises(RuntimeError, match="Got 1-D tensor"):
        _ = x[0, 0].mH
    with pytest.raises(IndexError, match="Dimension specified as 0 but tensor has no dimensions"):
        mg.roll(mg.tensor(1.0), 1, 0)

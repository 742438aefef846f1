"""Changes in place and views: PyTorch's meaning, gradients as of the same program written out of place."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import autograd, errors


def double(*values: Any) -> Any:
    return mg.tensor(list(values), dtype=mg.float64, requires_grad=True)


def line() -> int:
    return sys._getframe(1).f_lineno


# ---------------------------------------------------------------- golden gradients


def test_operators_and_methods_change_the_memory() -> None:
    t = mg.tensor([1.0, 2.0])
    array, same = t.numpy(), t
    t += 1
    t *= 2
    t -= 0.5
    t /= 2
    t **= 2
    t.add_(mg.tensor([1.0, 1.0]), alpha=2).clamp_(0, 9).neg_()
    assert t is same
    assert t.data_ptr() == array.ctypes.data
    assert array.tolist() == [-5.0625, -9.0]
    t.zero_()
    t.fill_(3.0)
    t[0] = 7
    t.copy_(mg.tensor([[1.0, 2.0]])[0])
    assert array.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda m: m.mul_(3), [3.0, 3.0]),
        (lambda m: m.add_(m), [2.0, 2.0]),
        (lambda m: m.mul_(m), [2.0, 4.0]),
        (lambda m: m.exp_(), [np.e, np.e**2]),
        (lambda m: m.sub_(5).mul_(2).add_(1), [2.0, 2.0]),
        (lambda m: m.div_(4), [0.25, 0.25]),
        (lambda m: m.pow_(3), [3.0, 12.0]),
        (lambda m: m.square_(), [2.0, 4.0]),
        (lambda m: m.sqrt_(), [0.5, 0.5 / 2**0.5]),
        (lambda m: m.zero_(), [0.0, 0.0]),
        (lambda m: m.fill_(2.0), [0.0, 0.0]),
        (lambda m: m.clamp_(max=1.5), [1.0, 0.0]),
        (lambda m: m.relu_(), [1.0, 1.0]),
        (lambda m: m.neg_(), [-1.0, -1.0]),
        (lambda m: m.reciprocal_(), [-1.0, -0.25]),
        (lambda m: m.masked_fill_(mg.tensor([True, False]), 0.0), [0.0, 1.0]),
        (lambda m: m.copy_(m * 7), [7.0, 7.0]),
        (lambda m: m.__setitem__(0, 5.0), [0.0, 1.0]),
        (lambda m: m.__setitem__(0, m[1]), [0.0, 2.0]),
        (lambda m: m.__setitem__(slice(None), m.flip(0)), [1.0, 1.0]),
        (lambda m: m.__setitem__([0, 0], mg.tensor([1.0, 2.0], dtype=mg.float64)), [0.0, 1.0]),
        (lambda m: m.__setitem__(m > 1.5, 0.0), [1.0, 0.0]),
        (lambda m: m[0].mul_(10), [10.0, 1.0]),
        (lambda m: m[1:].add_(m[0]), [2.0, 1.0]),
        (lambda m: m.view(2, 1).T[0].mul_(mg.tensor([2.0, 3.0], dtype=mg.float64)), [2.0, 3.0]),
        (lambda m: m.unsqueeze(0)[0, :1].exp_(), [np.e, 1.0]),
    ],
)
def test_golden_gradients(change: Any, expected: list[float]) -> None:
    x = double(1.0, 2.0)
    m = x * 1
    array = m.detach().numpy()
    change(m)
    assert np.shares_memory(m.detach().numpy(), array)
    m.sum().backward()
    assert np.allclose(x.grad.numpy(), expected, rtol=1e-15)


def test_a_view_sees_the_change_of_its_base_and_the_other_way() -> None:
    x = double(1.0, 2.0)
    m = x * 1
    v = m[0]
    m.mul_(3)
    assert v.item() == 3.0
    assert v.grad_fn is not None
    (gx,) = autograd.grad(v, x, retain_graph=True)
    assert gx.tolist() == [3.0, 0.0]
    v.mul_(5)
    assert m.tolist() == [15.0, 6.0]
    m.sum().backward()
    assert x.grad.tolist() == [15.0, 3.0]


def test_two_views_that_overlap() -> None:
    x = double(1.0, 2.0, 3.0)
    m = x * 1
    a, b = m[:2], m[1:]
    a.mul_(10)
    b.mul_(b)
    assert m.tolist() == [10.0, 400.0, 9.0]
    (a.sum() + b.sum()).backward()  # 10 x0 + 100 x1^2 twice + x2^2
    assert x.grad.tolist() == [10.0, 800.0, 6.0]


def test_a_constant_becomes_part_of_the_graph() -> None:
    w = double(2.0, 3.0)
    t = mg.zeros(3, dtype=mg.float64)
    v = t[1:]
    v.copy_(w)
    t[0] = w[0] * w[1]
    assert t.requires_grad
    (t * mg.tensor([1.0, 10.0, 100.0], dtype=mg.float64)).sum().backward()
    assert w.grad.tolist() == [13.0, 102.0]


@pytest.mark.parametrize(
    "write",
    [
        lambda t, v: t.copy_(v),
        lambda t, v: t.add_(v),
        lambda t, v: t.sub_(v, alpha=-1),
        lambda t, v: t.__setitem__(slice(None), v),
        lambda t, v: t[0].fill_(v[0]).add(t[1].copy_(v[1])),
    ],
)
def test_a_view_that_has_not_heard_yet_brings_its_gradient_along(write: Any) -> None:
    w = double(2.0, 3.0)
    base, t = mg.ones(2, dtype=mg.float64), mg.zeros(2, dtype=mg.float64)
    v = base[:]
    base.mul_(w)
    write(t, v)
    t.sum().backward()
    assert w.grad.tolist() == [1.0, 1.0]


def test_a_view_of_what_has_got_another_shape_is_part_of_the_graph() -> None:
    w = double(2.0, 3.0)
    x = mg.ones(2, 2, dtype=mg.float64)
    u, v = x[1], x[:]
    with pytest.raises(IndexError, match="out of range"):
        x.unsqueeze_(5)
    assert x._epoch == 0  # a shape that is refused leaves all as it was
    x.t_()
    u.mul_(w)
    v.fill_(5.0)
    (x * w).sum().backward()
    assert w.grad.tolist() == [10.0, 10.0]


@pytest.mark.parametrize(
    "use", [lambda x: x + 1, lambda x: x.mul_(2.0), lambda x: x.fill_(2.0), lambda x: x.clone().mul_(x)]
)
@pytest.mark.parametrize("mode", [mg.no_grad, mg.inference_mode])
def test_a_view_that_is_first_used_where_nothing_is_recorded_keeps_its_history(mode: Any, use: Any) -> None:
    w = double(2.0, 3.0)
    base = mg.ones(2, 2, dtype=mg.float64)
    x, y = base[:], base[:]
    y[0].mul_(w)
    with mode():
        use(x)
    x[1].mul_(w)
    scale = base[1, 0].item() / 2
    x.sum().backward()
    assert w.grad.tolist() == [1 + scale, 1 + scale]


def test_a_shape_that_is_changed_in_inference_mode_keeps_the_history() -> None:
    w = double(2.0, 3.0)
    x = mg.ones(2, 2, dtype=mg.float64) * w
    with mg.inference_mode():
        x.t_()
    x.mul_(2.0)
    x.sum().backward()
    assert w.grad.tolist() == [4.0, 4.0]


def test_whole_numbers_are_compared_with_a_number_in_the_default_float() -> None:
    t = mg.tensor([16777217, 3])
    with mg.no_grad():
        assert t.clone().eq_(16777216.0).tolist() == t.eq(16777216.0).tolist() == [1, 0]
    assert t.clone().eq_(16777216.0).tolist() == [1, 0]


def test_a_bool_as_the_whole_key() -> None:
    t = mg.zeros(3, dtype=mg.float64)
    t[False] = mg.tensor([1, 2])
    assert t.tolist() == [0.0, 0.0, 0.0]
    t[True] = mg.tensor([1, 2, 3])
    assert t.tolist() == [1.0, 2.0, 3.0]
    t[True] = mg.tensor([[4.0, 5.0, 6.0]])
    assert t.tolist() == [4.0, 5.0, 6.0]


def test_a_chain_of_views() -> None:
    x = mg.tensor(np.arange(12.0).reshape(3, 4), requires_grad=True)
    m = x * 1
    m[1:].T[::2, 1].view(2).unsqueeze(0).mul_(7)
    expected = np.ones((3, 4))
    expected[2, ::2] = 7
    m.sum().backward()
    assert np.array_equal(x.grad.numpy(), expected)


def test_a_0d_base_and_its_view() -> None:
    x = mg.tensor(2.0, dtype=mg.float64, requires_grad=True)
    m = x * 1
    m.view(()).mul_(3)
    m[...].mul_(2)
    (m * 5).backward()
    assert x.grad.item() == 30.0


def test_the_old_value_keeps_its_gradient() -> None:
    x = double(1.0, 2.0)
    m = x * 1
    before = m * 2  # linear: keeps nothing of m
    m.mul_(100)
    (before + m).sum().backward()
    assert x.grad.tolist() == [102.0, 102.0]


def test_an_op_whose_own_input_it_overwrites_keeps_the_old_values() -> None:
    x = double(1.0, 2.0)
    m = x * 1
    m.mul_(m).mul_(m)  # x^4
    m.sum().backward()
    assert x.grad.tolist() == [4.0, 32.0]


def test_second_derivatives_through_changes() -> None:
    x = double(1.0, 2.0)
    m = x * 1
    m.mul_(x)
    m[0].mul_(x[0])  # x0^3 + x1^2
    (g,) = autograd.grad(m.sum(), x, create_graph=True)
    assert g.tolist() == [3.0, 4.0]
    (h,) = autograd.grad(g.sum(), x)
    assert h.tolist() == [6.0, 2.0]


def test_broadcasting_in_place() -> None:
    w, x = mg.tensor(3.0, dtype=mg.float64, requires_grad=True), double(1.0, 2.0)
    m = x * 1
    m.mul_(w)
    m += np.array([1.0, 1.0])
    m.sum().backward()
    assert w.grad.item() == 3.0
    assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    "use",
    [
        lambda v: v.double(),
        lambda v: v.half(),
        lambda v: v.softmax(0, dtype=mg.float64)[0],
        lambda v: mg.addcmul(mg.ones(2).double(), v, v),
        lambda v: mg.zeros(2).double().copy_(v),
        lambda v: v.view(2, 1),
    ],
)
def test_a_view_whose_base_has_got_a_gradient_has_one(use: Callable[[Any], Any]) -> None:
    base, w = mg.zeros(3), mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    view = base[:2]
    base.add_(w)
    assert use(view).requires_grad


def test_dtypes_in_place() -> None:
    x = mg.ones(2, requires_grad=True)
    m = x * 1
    m.mul_(mg.full((2,), 3.0, dtype=mg.float64))
    assert m.dtype is mg.float32
    m.sum().backward()
    assert x.grad.dtype is mg.float32
    whole = mg.arange(3)
    whole.mul_(2)
    assert whole.tolist() == [0, 2, 4]
    for wrong in (lambda: whole.mul_(1.5), lambda: whole.div_(2), lambda: mg.tensor([True]).add_(1)):
        with pytest.raises(RuntimeError, match="can't be cast"):
            wrong()
    whole[0] = 7.9
    assert whole.tolist() == [7, 2, 4]


def test_a_view_looked_at_under_no_grad_keeps_its_gradient() -> None:
    x = double(1.0, 2.0)
    m = x * 1
    v = m[0]
    m.mul_(3)
    with mg.no_grad():
        assert v.item() == 3.0
        repr(v)
        v + 1
    assert v.requires_grad
    v.backward()
    assert x.grad.tolist() == [3.0, 0.0]


def test_a_view_made_under_no_grad_and_changed_outside_loses_nothing() -> None:
    """PyTorch refuses; the other right answer is the whole gradient."""
    x = double(1.0, 2.0)
    m = x * 1
    with mg.no_grad():
        v = m[0]
    try:
        v.mul_(3)
    except RuntimeError:
        return
    m.sum().backward()
    assert x.grad.tolist() == [3.0, 1.0]


# ---------------------------------------------------------------- under no_grad


def test_under_no_grad_only_the_array_changes() -> None:
    w = double(1.0, 2.0)
    with mg.no_grad():
        w -= 0.5
        w[0] = 9.0
        w.mul_(2)
        w[1:].add_(1)
        w.copy_(w + 1)
    assert w.tolist() == [19.0, 5.0]
    assert w.is_leaf
    assert w.requires_grad
    (w * w).sum().backward()
    assert w.grad.tolist() == [38.0, 10.0]


def test_initialisation_in_place() -> None:
    w = mg.empty(3, 3, requires_grad=True)
    with mg.no_grad():
        w.normal_(generator=mg.Generator().manual_seed(0))
        w.uniform_(-1, 1, generator=mg.Generator().manual_seed(0))
    assert (w.abs() <= 1).all()
    with pytest.raises(RuntimeError, match="leaf"):
        w.uniform_()


def test_data_is_changed_without_a_record() -> None:
    w = double(1.0, 2.0)
    w.data.mul_(3)
    w.data[0] = 7.0
    assert w.tolist() == [7.0, 6.0]
    assert w.is_leaf
    w.data = mg.zeros(2, dtype=mg.float64)
    (w + 1).sum().backward()
    assert w.grad.tolist() == [1.0, 1.0]


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.add_(1),
        lambda w: w.__iadd__(1),
        lambda w: w.exp_(),
        lambda w: w.zero_(),
        lambda w: w.copy_(mg.zeros(2)),
        lambda w: w.__setitem__(0, 1.0),
        lambda w: w.__setitem__([0], 1.0),
        lambda w: w.masked_fill_(w > 0, 1.0),
        lambda w: w.normal_(),
    ],
)
def test_leaves_and_their_views_are_not_changed(change: Any) -> None:
    w = mg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        change(w)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        change(w[:])
    assert w.tolist() == [1.0, 1.0]
    assert w.is_leaf
    v = mg.ones(4)[::2].requires_grad_()  # a leaf that shows another Tensor
    for t in (v, v[:]):
        with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
            change(t)
    assert v.tolist() == [1.0, 1.0]
    assert v.is_leaf


SAVERS = {
    "mul": lambda m, x: (m * m).sum(),
    "sin": lambda m, x: m.sin().sum(),
    "matmul": lambda m, x: m @ m,
    "pow": lambda m, x: (m**2).sum(),
    "div": lambda m, x: (x / m).sum(),
    "of-a-view": lambda m, x: m[0] * m[1],
}


@pytest.mark.parametrize("save", SAVERS.values(), ids=SAVERS)
@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.mul_(2),
        lambda m: m[0].add_(1),
        lambda m: m.detach().add_(1),
        lambda m: m.__setitem__(1, 5.0),
        lambda m: m.view(2, 1).T.exp_(),
    ],
    ids=["itself", "a-view", "detached", "setitem", "a-view-of-a-view"],
)
def test_a_saved_array_that_changed_is_an_error_that_names_both_lines(save: Any, change: Any) -> None:
    x = double(1.0, 2.0)
    m = x * 1
    y = save(m, x)
    changed_at = line() + 1
    change(m)
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        y.backward()
    text = str(caught.value)
    assert text.count("test_inplace.py:") == 2
    saved_at, change_line = (int(s.split()[0].strip(".,")) for s in text.split("test_inplace.py:")[1:])
    assert saved_at in {f.__code__.co_firstlineno for f in SAVERS.values()}
    assert change_line in {changed_at, change.__code__.co_firstlineno}
    assert x.grad is None


def test_a_change_through_data_goes_unnoticed() -> None:
    x = double(1.0, 2.0)
    array = x.numpy(force=True)
    y = (x * x).sum()
    x.data.mul_(3)
    x.data[1] -= 1
    y.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [6.0, 10.0]  # by the new values, as in PyTorch
    for _ in range(3):
        x.data -= 1
    assert x.tolist() == [0.0, 2.0]
    assert np.shares_memory(x.numpy(force=True), array)
    other = double(0.0, 0.0)
    other.data = x.data
    other.data.add_(1)
    assert x.tolist() == [1.0, 3.0]


def test_a_saved_result_that_changed() -> None:
    x = double(1.0, 2.0)
    y = x.exp()
    z = y * 1
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        z.sum().backward()


def test_the_change_is_also_seen_when_the_pass_is_recorded() -> None:
    x = double(1.0, 2.0)
    m = x * 1
    y = (m * m).sum()
    m.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        autograd.grad(y, x, create_graph=True)


def test_a_leaf_changed_under_no_grad_between_forward_and_backward() -> None:
    w = double(1.0, 2.0)
    y = (w * w).sum()
    with mg.no_grad():
        w.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.backward()


def test_what_was_not_saved_may_change() -> None:
    x = double(1.0, 2.0)
    m = x * 1
    y = (m + 1).sum()
    m.mul_(100)
    y.backward()
    assert x.grad.tolist() == [1.0, 1.0]
    half = double(0.5)
    half.erfinv().mul_(2).sum().backward()  # its rule reads what was given, as PyTorch's does
    assert half.grad.tolist() == pytest.approx([2.22516964])


def test_another_part_of_the_same_memory_counts_as_changed() -> None:
    x = double(1.0, 2.0)
    m = x * 1
    y = m[0] * m[0]
    m[1] = 5.0  # conservative, as PyTorch is
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.backward()


def test_a_change_of_several_operations_keeps_what_their_rules_read() -> None:
    x = double(1.0, 2.0)
    m = x * 1
    m.addcmul_(m, m)
    (g,) = mg.autograd.grad(m.sum(), x)
    assert (m.tolist(), g.tolist()) == ([2.0, 6.0], [3.0, 5.0])


def test_one_number_may_be_written_where_elements_share_memory() -> None:
    t = mg.zeros(1).expand(3)
    assert t.fill_(2.0).tolist() == [2.0] * 3
    for write in (lambda: t.copy_(mg.ones(3)), lambda: t.copy_(2), lambda: t.fill_(mg.tensor(1.0))):
        with pytest.raises(RuntimeError, match=r"clone\(\) the tensor"):
            write()
    for key in (0, slice(None), ..., mg.tensor(0)):
        with pytest.raises(RuntimeError, match=r"clone\(\) the tensor"):
            mg.zeros(3, 1).expand(3, 4)[key] = 7
    with pytest.raises(RuntimeError, match=r"clone\(\) the tensor"):
        mg.zeros(3).expand(2, 3).index_put_((mg.tensor([0]),), mg.tensor(7.0), accumulate=True)


def test_triangles_of_expanded_tensors_are_written() -> None:
    for change, expected in ((lambda t: t.triu_(), [0.0, 0.0, 1.0]), (lambda t: t.tril_(), [1.0, 0.0, 0.0])):
        assert change(mg.ones(3).expand(3, 3)).tolist() == [expected] * 3


def test_a_value_may_have_more_dimensions_of_size_1_in_front() -> None:
    for key, size in (
        (0, 3),
        ([1, 0], (2, 3)),
        ((mg.tensor([0]), slice(1, None)), (1, 2)),
        (mg.tensor([True, False]), 3),
    ):
        t = mg.zeros(2, 3)
        t[key] = mg.ones(1, 1, *(size if isinstance(size, tuple) else (size,)))
        expected = np.zeros((2, 3))
        expected[key if not isinstance(key, mg.Tensor) else key.numpy()] = 1
        assert t.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.add_(mg.ones(3, 2)), r"output with shape \[2\]"),
        (lambda t: t.expand(3, 2).add_(1), r"clone\(\)"),
        (lambda t: t.copy_(mg.ones(3)), "size"),
        (lambda t: t.copy_(mg.ones(0)), "size"),
        (
            lambda t: t.copy_(mg.ones(1, 2)),
            r"output with shape \[2\] doesn't match the broadcast shape \[1, 2\]",
        ),
        (lambda t: t.__setitem__([0, 1], mg.ones(3)), "shape mismatch"),
        (lambda t: t.fill_(mg.ones(2)), "0-dimension"),
        (lambda t: t.masked_fill_(mg.ones(2), 1.0), "boolean"),
    ],
)
def test_changes_refuse(change: Any, message: str) -> None:
    t = mg.zeros(2)
    with pytest.raises(RuntimeError, match=message):
        change(t)
    assert t.tolist() == [0.0, 0.0]
    with mg.no_grad(), pytest.raises(RuntimeError):
        change(t)


def test_detaching_in_place() -> None:
    x = double(1.0)
    m = x * 2
    m.detach_()
    assert m.is_leaf
    assert not m.requires_grad
    with pytest.raises(RuntimeError, match="views"):
        (x * 2)[0].detach_()


# ---------------------------------------------------------------- random programs

SIZE = 6


class Functional:
    """The same programs without memory: a view is a list of places in its base, a change makes a new base."""

    def __init__(self, base: Any) -> None:
        self.base = base

    def read(self, places: np.ndarray) -> Any:
        return mg.gather(self.base, 0, mg.tensor(places.ravel())).reshape(places.shape)

    def write(self, places: np.ndarray, value: Any) -> None:
        matrix = np.zeros((SIZE, places.size))
        matrix[places.ravel(), np.arange(places.size)] = 1.0
        keep = 1.0 - matrix.sum(1)
        self.base = self.base * mg.tensor(keep) + mg.tensor(matrix) @ value.reshape(-1)


VIEWS: dict[str, Any] = {
    "slice": lambda v: v[1:] if v.shape[0] > 1 else v[:],
    "every-other": lambda v: v[::2],
    "last": lambda v: v[-1] if v.ndim > 1 else v[-1:],
    "transpose": lambda v: v.T,
    "column": lambda v: v[..., :1],
    "fold": lambda v: v.reshape(2, -1) if v.shape in ((6,), (4,)) else v[:],
    "unsqueeze": lambda v: v[None],
}
# how to change a view v, given another value of its shape: in place, and as a new value
CHANGES: dict[str, tuple[Any, Any]] = {
    "mul_": (lambda v, o: v.mul_(o), lambda v, o: v * o),
    "add_": (lambda v, o: v.add_(o, alpha=0.5), lambda v, o: v + 0.5 * o),
    "copy_": (lambda v, o: v.copy_(o), lambda v, o: o),
    "sin_": (lambda v, o: v.sin_(), lambda v, o: v.sin()),
    "zero_": (lambda v, o: v.zero_(), lambda v, o: v * 0.0),
    "square_": (lambda v, o: v.square_(), lambda v, o: v * v),
    "setitem": (lambda v, o: v.__setitem__(..., o * 2), lambda v, o: o * 2),
    "isub": (lambda v, o: v.__isub__(o), lambda v, o: v - o),
}
STEPS = [
    st.tuples(st.just("view"), st.integers(0, 9), st.sampled_from(sorted(VIEWS))),
    st.tuples(st.just("change"), st.integers(0, 9), st.sampled_from(sorted(CHANGES)), st.integers(0, 9)),
    st.tuples(st.just("keep"), st.integers(0, 9), st.sampled_from(["linear", "square"])),
]
LOOK = st.tuples(st.just("look"), st.integers(0, 9))  # printing a view under no_grad


def _fit(value: Any, shape: tuple[int, ...]) -> Any:
    """A number made of all of a value, in another shape: what one view writes into another."""
    return (value.sum() * 0.3 + 0.1).expand(shape)


def check(program: list[Any]) -> None:
    """Runs a program both ways; the gradients are equal, or the one in place refuses."""
    start = np.linspace(0.4, 1.6, SIZE)
    x, z = mg.tensor(start, requires_grad=True), mg.tensor(start, requires_grad=True)
    base = x * 1.0
    views, places = [base], [np.arange(SIZE)]
    pure = Functional(z * 1.0)
    kept: list[tuple[Any, Any]] = []
    for kind, at, *rest in program:
        k = at % len(views)
        if kind == "view":
            views.append(VIEWS[rest[0]](views[k]))
            places.append(VIEWS[rest[0]](places[k]))
        elif kind == "change":
            j = rest[1] % len(views)
            shape = places[k].shape
            same = places[j].shape == shape and j != k
            in_place, out_of_place = CHANGES[rest[0]]
            other = views[j] if same else _fit(views[j], shape)
            if same and np.intersect1d(places[j], places[k]).size:
                other = other.clone()  # what an overlapping copy reads first is not said
            mine = pure.read(places[j]) if same else _fit(pure.read(places[j]), shape)
            in_place(views[k], other)
            pure.write(places[k], out_of_place(pure.read(places[k]), mine))
        elif kind == "keep":
            f = {"linear": lambda t: t * 3.0, "square": lambda t: t * t}[rest[0]]
            kept.append((f(views[k]).sum(), f(pure.read(places[k])).sum()))
        else:
            with mg.no_grad():
                repr(views[k])
    weights = np.linspace(-1.0, 2.0, SIZE)
    loss, expected = (base * mg.tensor(weights)).sum(), (pure.base * mg.tensor(weights)).sum()
    for v, p in zip(views, places, strict=True):
        assert np.allclose(v.detach().numpy(), pure.read(p).detach().numpy(), rtol=1e-12)
        loss, expected = loss + (v * 0.7).sum(), expected + (pure.read(p) * 0.7).sum()
    for a, b in kept:
        loss, expected = loss + a, expected + b
    expected.backward()
    refusal = None
    try:
        loss.backward()
    except RuntimeError as error:
        refusal = str(error)
    if refusal:  # only where something was saved before it changed
        assert "modified by an inplace operation" in refusal
        kinds = [step[0] for step in program]
        assert kinds.count("change") > 1 or {"keep", "change"} <= set(kinds)
        return
    assert np.allclose(x.grad.numpy(), z.grad.numpy(), rtol=1e-9, atol=1e-12)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.lists(st.one_of(STEPS), min_size=1, max_size=9))
def test_random_programs_never_give_a_wrong_gradient(program: list[Any]) -> None:
    check(program)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.one_of([*STEPS, LOOK]), min_size=1, max_size=9))
def test_nor_do_they_where_views_are_looked_at_under_no_grad(program: list[Any]) -> None:
    check(program)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (2, 1, 3)], ids=["same", "leading", "all"])
def test_an_expansion_that_repeats_nothing_can_be_written_to(shape: tuple[int, ...]) -> None:
    leaf = mg.ones(shape[0] if len(shape) == 3 else 1, 3, requires_grad=True)
    x = (leaf * 1.0).reshape(shape if len(shape) < 3 else (2, 1, 3))
    y = x.expand(*shape)
    y *= 2
    assert (x == 2).all()
    x.sum().backward()
    assert (leaf.grad == 2).all()


MASK = np.array([[True, False, False], [False, False, False]])


@pytest.mark.parametrize(
    ("write", "right"),
    [
        (lambda x: x.__setitem__(mg.tensor(MASK), 0), [0, 2]),
        (lambda x: x.__setitem__(mg.tensor(MASK), mg.tensor([5.0])), [5, 2]),
        (lambda x: x.__setitem__(x > 9, 0), [1, 2]),
        (lambda x: x.__setitem__(mg.tensor([1]), 7), [1, 7]),
        (lambda x: x.__setitem__(mg.tensor([1]), mg.tensor([7.0, 8, 9])), [1, 9]),
        (lambda x: x.__setitem__((mg.tensor([0]), mg.tensor([2])), math.nan), [math.nan, 2]),
        (lambda x: x.masked_fill_(mg.tensor(MASK), 4), [4, 2]),
        (lambda x: x.index_put_((mg.tensor([1]),), mg.tensor(7.0)), [1, 7]),
        (lambda x: x.index_fill_(0, mg.tensor([1]), 7), [1, 7]),
        (lambda x: x.fill_diagonal_(9), [9, 9]),
    ],
)
def test_what_is_named_of_an_expansion_is_written(
    write: Callable[[Any], None], right: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "TOLD", set())
    column = mg.tensor([[1.0], [2.0]])
    with pytest.warns(UserWarning, match="on expanded tensors is deprecated"):
        write(column.expand(2, 3))
    np.testing.assert_array_equal(column.flatten().numpy(), right)
    # gradients of what shares memory would be wrong
    with pytest.raises(RuntimeError, match="single memory location"):
        write((mg.ones(2, 1, requires_grad=True) * 1).expand(2, 3))


def test_what_cannot_be_written_to_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"single memory location.*clone\(\)"):
        mg.ones(3).expand(2, 3).add_(1)
    array = np.ones(3)
    array.flags.writeable = False
    with pytest.raises(RuntimeError, match=r"add_: the NumPy array under .*\[3\], is read-only"):
        mg.from_numpy(array).add_(1)
    with pytest.raises(RuntimeError, match="read-only"):
        mg.from_numpy(array)[1:] = 2.0


def test_a_diagonal_is_filled() -> None:
    def filled(*shape: int, wrap: bool = False) -> list[int]:
        return mg.zeros(shape).fill_diagonal_(1.0, wrap).flatten().nonzero().flatten().tolist()

    assert filled(2, 3) == filled(2, 3, wrap=True) == [0, 4]
    assert filled(7, 2) == [0, 3]
    assert filled(7, 2, wrap=True) == [0, 3, 6, 9, 12]
    assert filled(3, 3, 3) == [0, 13, 26]
    x = mg.ones(2, 2, requires_grad=True)
    (x * 2).fill_diagonal_(5.0).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0, 2], [2, 0]]
    for shape, says in (((3,), "must larger than 1"), ((2, 2, 3), "must be of equal length")):
        with pytest.raises(RuntimeError, match=says):
            mg.zeros(shape).fill_diagonal_(1.0)


def test_a_change_through_a_mask_of_a_number_in_float64_has_a_gradient() -> None:
    x = mg.tensor(0.7, dtype=mg.float64, requires_grad=True)
    y = x * 1
    y[y.detach() > 0] = 3.0
    y.tanh().squeeze().backward()
    assert x.grad is not None
    assert x.grad.item() == 0.0


def test_a_tensor_tells_how_often_its_memory_changed_and_what_it_is_a_view_of() -> None:
    x = mg.zeros(3)
    y = x[1:]
    x.add_(1)
    y.zero_()
    x[0] = 3
    assert (x._version, y._version, x.detach()._version, x.data._version, mg.zeros(3)._version) == (
        3,
        3,
        3,
        0,
        0,
    )
    assert y[0]._base is y._base is x
    assert (x._base, x._is_view(), y._is_view(), y.clone()._is_view()) == (None, False, True, False)
    w = mg.nn.Parameter(mg.ones(2))
    w.sum().backward()
    step = mg.optim.SGD([w], 0.1).step
    step()
    step()
    assert w._version == 2
    z = mg.zeros(2, 3)
    for change in (lambda: z.unsqueeze_(0), lambda: z.squeeze_(), lambda: z.t_(), lambda: z.copy_(z)):
        change()
    assert z._version == 4


@pytest.mark.parametrize("dtype", [mg.float32, mg.bfloat16])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_cross_entropy_may_be_divided_in_place(reduction: str, dtype: mg.dtype) -> None:
    if dtype == mg.bfloat16:
        pytest.importorskip("ml_dtypes")
    x, target = mg.randn(4, 3, dtype=dtype, requires_grad=True), mg.tensor([0, 2, 1, 1])

    def slopes(in_place: bool, create_graph: bool) -> tuple[mg.Tensor, ...]:
        loss = mg.nn.functional.cross_entropy(x, target, reduction=reduction)
        loss = loss.div_(4) if in_place else loss / 4
        (d,) = mg.autograd.grad(loss.sum(), x, create_graph=create_graph)
        return (d, *mg.autograd.grad(d.square().sum(), x)) if create_graph else (d,)

    for create_graph in (False, True):
        mg.testing.assert_close(slopes(True, create_graph), slopes(False, create_graph))
    with autograd.graph.save_on_cpu():
        mg.testing.assert_close(slopes(True, False), slopes(False, False))

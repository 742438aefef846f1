"""Names of PyTorch's main module, shapes changed in place, and storages."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import pytest

import minigrad as mg
from minigrad.functions import methods
from minigrad.nn import functional as F

X = mg.arange(12.0).reshape(2, 6) / 7
ONE = mg.ones(6)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (lambda: mg.layer_norm(X, (6,), ONE, ONE), lambda: F.layer_norm(X, (6,), ONE, ONE)),
        (lambda: mg.rms_norm(X, (6,)), lambda: F.rms_norm(X, (6,))),
        (lambda: mg.group_norm(X, 3, ONE, ONE, 1e-3), lambda: F.group_norm(X, 3, ONE, ONE, 1e-3)),
        (
            lambda: mg.batch_norm(X, 2 * ONE, 3 * ONE, ONE, 4 * ONE, False, 0.1, 1e-5, True),
            lambda: F.batch_norm(X, ONE, 4 * ONE, 2 * ONE, 3 * ONE),
        ),
        (
            lambda: mg.instance_norm(X.view(2, 2, 3), None, None, None, None, True, 0.1, 1e-5, True),
            lambda: F.instance_norm(X.view(2, 2, 3)),
        ),
        (lambda: mg.adaptive_max_pool1d(X, 2)[0], lambda: F.adaptive_max_pool1d(X, 2)),
        (
            lambda: mg.conv_tbc(X.view(2, 2, 3), mg.ones(1, 3, 1), ONE[:1]),
            lambda: X.view(2, 2, 3).sum(2, True) + 1,
        ),
        (lambda: mg.norm_except_dim(X, 2, 1), lambda: X.norm(dim=0, keepdim=True)),
        (lambda: mg.norm_except_dim(X, 2, -1), lambda: X.norm()),
        (lambda: mg.embedding(X, mg.tensor([1, 0])), lambda: F.embedding(mg.tensor([1, 0]), X)),
        (lambda: mg.kl_div(X, X + 1), lambda: F.kl_div(X, X + 1, reduction="none")),
        (lambda: mg.kl_div(X, X + 1, 1), lambda: F.kl_div(X, X + 1, reduction="sum") / 12),
        (
            lambda: mg.kl_div(X, X, 2, log_target=True),
            lambda: F.kl_div(X, X, reduction="sum", log_target=True),
        ),
        (
            lambda: mg.binary_cross_entropy_with_logits(X, X, None, ONE, 0),
            lambda: F.binary_cross_entropy_with_logits(X, X, pos_weight=ONE, reduction="none"),
        ),
        (lambda: mg.poisson_nll_loss(X, X, True, False, 1e-8, 1), lambda: F.poisson_nll_loss(X, X)),
        (
            lambda: mg.triplet_margin_loss(X, X + 1, X - 1),
            lambda: F.triplet_margin_loss(X, X + 1, X - 1, reduction="none"),
        ),
        (
            lambda: mg.hinge_embedding_loss(X, X, 2.0, 2),
            lambda: F.hinge_embedding_loss(X, X, 2.0, reduction="sum"),
        ),
        (lambda: mg.margin_ranking_loss(X, X, X, 0.5, 1), lambda: F.margin_ranking_loss(X, X, X, 0.5)),
        (
            lambda: mg.cosine_embedding_loss(X, X + 1, mg.ones(2)),
            lambda: F.cosine_embedding_loss(X, X + 1, mg.ones(2), reduction="none"),
        ),
        (
            lambda: mg.ctc_loss(X.view(4, 1, 3), mg.tensor([[1, 2]]), (4,), (2,), 0, 2),
            lambda: F.ctc_loss(X.view(4, 1, 3), mg.tensor([[1, 2]]), (4,), (2,), reduction="sum"),
        ),
        (lambda: mg.cosine_similarity(X, X + 1), lambda: F.cosine_similarity(X, X + 1)),
    ],
)
def test_functions_of_both_modules_compute_the_same(here: Any, there: Any) -> None:
    """In PyTorch too a loss of its main module has no reduction unless one is named."""
    assert mg.equal(here(), there())


def test_another_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="reduction is 0"):
        mg.kl_div(X, X, 3)


def test_functions_in_place_are_the_methods() -> None:
    for name in methods.__all__:
        assert getattr(mg, name) is getattr(mg.Tensor, name)
        assert pickle.loads(pickle.dumps(getattr(mg, name))) is getattr(mg, name)
    x = X.clone()
    assert mg.clamp_(mg.neg_(x), min=-1.0) is x
    assert mg.equal(x, (-X).clamp(min=-1.0))


# ---------------------------------------------------------------- another shape in place


def test_shapes_in_place_are_those_of_pytorch() -> None:
    for name, args, shape in (
        ("unsqueeze_", (-1,), (2, 1, 3, 1)), ("squeeze_", (), (2, 3)), ("squeeze_", (1,), (2, 3)),
        ("transpose_", (0, 2), (3, 1, 2)), ("swapaxes_", (0, 1), (1, 2, 3)), ("swapdims_", (0, 1), (1, 2, 3)),
        ("as_strided_", ((2, 2), (3, 1), 1), (2, 2)),
    ):  # fmt: skip
        x = mg.arange(6.0).reshape(2, 1, 3)
        expected = getattr(x.clone(), name[:-1])(*args)
        assert getattr(x, name)(*args) is x
        assert (tuple(x.shape), x.tolist()) == (shape, expected.tolist()), name
    x = mg.ones(2, 3)
    assert x.t_().shape == (3, 2)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        mg.ones(2, requires_grad=True).unsqueeze_(0)
    with pytest.raises(IndexError, match="Dimension out of range"):
        x.unsqueeze_(4)
    with mg.no_grad():
        leaf = mg.ones(2, 3, requires_grad=True)
        leaf.t_()
    leaf.sum().backward()
    assert leaf.is_leaf
    assert leaf.grad is not None
    assert leaf.grad.shape == (3, 2)


def test_views_from_before_a_new_shape_still_follow() -> None:
    """Literals are torch's."""
    a = mg.ones(2, 3, requires_grad=True)
    b = a * 2
    v = b[1]
    b.t_()
    u = mg.tensor(3.0, requires_grad=True)
    b[2, 1] = u  # seen by v, which was made before
    b[0, 1] = 5.0
    (v * v).sum().backward()
    assert (v.tolist(), u.grad) == ([5.0, 2.0, 3.0], mg.tensor(6.0))
    assert a.grad is not None
    assert a.grad.tolist() == [[0.0] * 3, [0.0, 8.0, 0.0]]

    x = mg.arange(6.0).reshape(2, 3).clone()
    row, w = x[0], mg.ones(3, requires_grad=True)
    x.unsqueeze_(0)
    row.mul_(w)  # seen by x
    (x * x).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [0.0, 2.0, 8.0]

    a = mg.ones(2, 1, 3, requires_grad=True)
    b = a * 2
    p = b[0]
    b.squeeze_(1)
    q = b[0]
    b.transpose_(0, 1)
    b.mul_(2.0)
    q.mul_(5.0)
    (p.sum() + b.sum()).backward()
    assert a.grad is not None
    assert (p.tolist(), a.grad.tolist()) == ([[20.0] * 3], [[[40.0] * 3], [[4.0] * 3]])


def test_a_new_shape_in_place_is_on_the_printed_tape_and_not_in_a_recording() -> None:
    def f(x: mg.Tensor) -> mg.Tensor:
        y = x * 2
        y.unsqueeze_(0)
        return y.sum(0)

    x = mg.ones(3, requires_grad=True)
    program: dict[str, Any] = {}
    exec(str(mg.source(f(x))), program)
    assert mg.equal(f(x), mg.tensor([2.0, 2.0, 2.0]))
    with pytest.raises(RuntimeError, match="unsqueeze_"):
        mg.compile(f)(x)


def test_functions_of_python_on_elements() -> None:
    x = mg.tensor([1.0, -2.0, 3.0])
    assert x.apply_(lambda v: 10 * v if v > 0 else 0) is x
    x.map_(mg.tensor([1.0, 2.0, 3.0]), lambda a, b: a + b)
    assert x.tolist() == [11.0, 2.0, 33.0]
    x.map2_(mg.tensor(1.0), mg.tensor([2.0]), lambda a, b, c: a * b - c)
    assert x.tolist() == [9.0, 0.0, 31.0]
    assert mg.arange(3).apply_(lambda v: v + 1).tolist() == [1, 2, 3]
    with pytest.raises(RuntimeError, match="requires grad"):
        mg.ones(2, requires_grad=True).apply_(abs)
    with pytest.raises(RuntimeError, match="does not expand"):
        x.map_(mg.ones(2, 3), max)
    with pytest.raises(RuntimeError, match="does not expand"):
        x.map_(mg.ones(2), max)
    with pytest.raises(TypeError, match=r"of minigrad.float32, got one of minigrad.int64"):
        x.map_(mg.arange(3), max)


# ---------------------------------------------------------------- storages


def test_storages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minigrad.errors.TOLD", set())  # the warning comes once in a process
    x = mg.arange(6.0).reshape(2, 3)[1]
    with pytest.warns(UserWarning, match="TypedStorage is deprecated"):
        typed = x.storage()
    bytes_ = x.untyped_storage()
    assert mg.is_storage(bytes_)
    assert not mg.is_storage(x)
    assert (len(typed), typed[2], typed.tolist(), typed.dtype) == (
        6,
        2.0,
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        mg.float32,
    )
    assert (typed.nbytes(), typed.element_size(), bytes_.size(), bytes_.element_size()) == (24, 4, 24, 1)
    assert typed.data_ptr() == bytes_.data_ptr() == x.data_ptr() - 12
    assert typed.untyped() == bytes_ == mg.UntypedStorage(x.unsqueeze(0)) != x.clone().untyped_storage()
    assert repr(mg.TypedStorage(mg.tensor([1.5]))) == (
        " 1.5\n[minigrad.storage.TypedStorage(dtype=minigrad.float32, device=cpu) of size 1]"
    )
    typed[-3] = 9
    assert x.tolist() == [9.0, 4.0, 5.0]
    with pytest.raises(IndexError, match="out of range for storage of size 6"):
        typed[6]
    with pytest.raises(TypeError, match="not of int; use"):
        mg.UntypedStorage(4)  # type: ignore[arg-type]
    twin = typed.clone()
    for other in (copy.deepcopy(bytes_), pickle.loads(pickle.dumps(bytes_))):
        assert (other.tolist(), other._flat.base is other._owner) == (bytes_.tolist(), True)
    assert (typed.fill_(7), typed.cpu(), x.tolist()) == (typed, typed, [7.0] * 3)
    assert typed.copy_(twin).tolist() == twin.tolist() == [0.0, 1.0, 2.0, 9.0, 4.0, 5.0]
    with pytest.raises(RuntimeError, match="6 elements does not fit into one of 24"):
        bytes_.copy_(typed)  # type: ignore[arg-type]
    assert x.is_set_to(x.view(3))
    assert not x.is_set_to(x[:2])
    # What `.data` gives out stands on the same memory.
    for dtype in (mg.float32, mg.bfloat16):
        whole = mg.arange(6, dtype=dtype).reshape(2, 3)
        for part in (whole[:, 1:], whole[1:], whole.T):
            for t in (part.data, part.data.data):
                assert t.untyped_storage() == whole.untyped_storage()
                assert (t.storage_offset(), t[1:].storage_offset()) == (
                    part.storage_offset(),
                    part[1:].storage_offset(),
                )
        copies = copy.deepcopy([whole, whole[1:].data, whole.data[1:]])
        copies[0].fill_(7)
        assert [t.tolist() for t in copies[1:]] == [[[7.0] * 3]] * 2
    with pytest.raises(RuntimeError, match="out of bounds for the storage of a Tensor"):
        mg.arange(4.0)[1:].data.as_strided((2,), (1,), 0)
    assert mg.arange(4.0)[1:].data.as_strided((2,), (1,), 2).tolist() == [2.0, 3.0]


def test_a_write_into_a_storage_is_noticed() -> None:
    x = mg.ones(2, requires_grad=True)
    y = x.exp()
    y.untyped_storage()[0] = 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_windows_and_places_are_those_of_pytorch() -> None:
    for name, turning, whole in (
        ("hann", [0, 0.3454915, 0.9045085, 0.9045085, 0.3454915], [0, 0.5, 1, 0.5, 0]),
        ("hamming", [0.08, 0.3978522, 0.9121479, 0.9121478, 0.3978521], [0.08, 0.54, 1, 0.54, 0.08]),
        ("blackman", [0, 0.2007701, 0.8492298, 0.8492298, 0.2007701], [0, 0.34, 1, 0.34, 0]),
        ("bartlett", [0, 0.4, 0.8, 0.8, 0.4], [0, 0.5, 1, 0.5, 0]),
    ):
        window = getattr(mg, f"{name}_window")
        assert window(5).tolist() == pytest.approx(turning, abs=1e-6)
        assert window(5, False, dtype=mg.float64).tolist() == pytest.approx(whole, abs=1e-12)
        assert (window(0).tolist(), window(1).tolist(), window(1, False).tolist()) == ([], [1.0], [1.0])
        for arguments in ({"window_length": -1}, {"window_length": 2, "dtype": mg.int64}):
            with pytest.raises(RuntimeError, match=f"{name}_window"):
                window(**arguments)
    # The rounding of the element type, as PyTorch has it and prints it.
    assert mg.blackman_window(4)[0].item() == -(2.0**-25)
    assert mg.hamming_window(3)[0].item() == pytest.approx(0.08000001311, rel=1e-9)
    assert [t.tolist() for t in mg.unravel_index(mg.tensor([3, 7, 8, -1]), (2, 4))] == [
        [0, 1, 0, 1],
        [3, 3, 0, 3],
    ]
    assert [t.tolist() for t in mg.unravel_index(mg.tensor(3), 4)] == [3]
    assert [t.tolist() for t in mg.unravel_index(mg.tensor(200).byte(), (2, 300))] == [0, 200]
    with pytest.raises(TypeError, match="integer dtype"):
        mg.unravel_index(mg.ones(1), (2,))
    assert mg.unravel_index(mg.tensor([1]), ()) == ()
    with pytest.raises(ValueError, match="negative values"):
        mg.unravel_index(mg.tensor([1]), (2, -3))
    assert (mg.scalar_tensor(3).dtype, mg.scalar_tensor(2.5, dtype=mg.int64).item()) == (mg.float32, 2)


def test_steps_of_recurrent_layers() -> None:
    nn = mg.nn
    for layer, step in (
        (nn.RNNCell(6, 2), mg.rnn_tanh_cell), (nn.RNNCell(6, 2, nonlinearity="relu"), mg.rnn_relu_cell),
        (nn.GRUCell(6, 2), mg.gru_cell), (nn.LSTMCell(6, 2), mg.lstm_cell),
        (nn.LSTMCell(6, 2, bias=False), mg.lstm_cell),
    ):  # fmt: skip
        weights, state = list(layer.parameters()), mg.ones(2, 2) / 3
        hx: Any = (state, state * 2) if isinstance(layer, nn.LSTMCell) else state
        mg.testing.assert_close(step(X, hx, *weights), layer(X, hx))


@pytest.mark.parametrize("name", ["eig", "lstsq", "matrix_rank", "solve", "symeig"])
def test_names_that_are_there_for_their_error(name: str) -> None:
    x = mg.eye(2)
    args = (x,) if name in ("lstsq", "solve") else ()
    with pytest.raises(
        RuntimeError, match=f"deprecated since version 1.9 and is now removed: {name}. Use linalg."
    ):
        getattr(mg, name)(x, *args)
    if name != "matrix_rank":
        with pytest.raises(RuntimeError, match="now removed"):
            getattr(x, name)(*args)


def test_methods_of_before() -> None:
    x = mg.arange(6.0)
    with pytest.warns(UserWarning, match="non-inplace resize is deprecated"):
        assert x.resize(2, 3).shape == (2, 3)
    with pytest.warns(UserWarning, match="non-inplace resize_as is deprecated"):
        assert x.resize_as(mg.ones(3, 2)).shape == (3, 2)
    with pytest.raises(RuntimeError, match="reinforce"):
        x.reinforce(1.0)


V, A = mg.tensor([2.0, 3.0]), mg.tensor([[2.0, 1.0], [0.0, 3.0]])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (lambda: mg.add(V, 2, V), lambda: mg.add(V, V, alpha=2)),
        (lambda: V.clone().add_(-0.5, V), lambda: V - 0.5 * V),
        (lambda: V.sub(2, V), lambda: V.sub(V, alpha=2)),
        (lambda: V.clone().addcmul_(0.5, V, V), lambda: V + 0.5 * V * V),
        (lambda: V.addcdiv(2, V, V), lambda: V + 2),
        (lambda: mg.addmm(0.5, A, 2, A, A), lambda: 0.5 * A + 2 * (A @ A)),
        (lambda: A.addmm(0.5, A, A), lambda: 0.5 * A + A @ A),
        (lambda: V.addmv(2, 3, A, V), lambda: 2 * V + 3 * (A @ V)),
        (lambda: mg.addr(2, A, V, V), lambda: 2 * A + mg.outer(V, V)),
        (lambda: A[None].baddbmm(2, A[None], A[None]), lambda: 2 * A[None] + (A @ A)[None]),
        (lambda: mg.addbmm(2, A, 3, A[None], A[None]), lambda: 2 * A + 3 * (A @ A)),
        (lambda: mg.add(V, 2, 3), lambda: V + 6),
        (lambda: V.clone().addcdiv_(mg.tensor(-2.0), V, V), lambda: V - 2),
    ],
)
@pytest.mark.filterwarnings("ignore:This overload of:UserWarning")
def test_numbers_may_stand_before_tensors_as_they_once_did(old: Any, new: Any) -> None:
    assert mg.allclose(old(), new())


@pytest.mark.parametrize(
    "call",
    [
        lambda: V.add(V, 2),
        lambda: V.add(1, 2, 3),
        lambda: V.addcmul(V, 2, V),
        lambda: mg.addmm(A, A, A, 1, 2),
        lambda: mg.addcmul(V, V, V, -5, value=3),
        lambda: mg.sub(V, 2, V, alpha=2),
    ],
)
def test_numbers_may_not_stand_behind_tensors(call: Any) -> None:
    with pytest.raises(TypeError, match=r"positional arguments but|argument .* must be"):
        call()


def test_memory_of_another_tensor() -> None:
    x, y = mg.zeros(2), mg.arange(6.0).reshape(2, 3)
    assert x.set_(y) is x
    x[0, 0] = 9
    assert (x.shape, y[0, 0].item()) == ((2, 3), 9.0)
    assert x.set_(y.untyped_storage(), 1, (2, 2)).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert x.set_(y.untyped_storage(), 1, (2,), (2,)).tolist() == [1.0, 3.0]
    assert x.set_(y, 0, (3, 2)).tolist() == [[9.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert x.set_(y.untyped_storage()).shape == (6,)
    assert x.set_().shape == (0,)
    with pytest.raises(RuntimeError, match="Could not set tensor of type"):
        x.set_(mg.arange(2))
    with pytest.raises(RuntimeError, match="leaf Variable"):
        mg.ones(2, requires_grad=True).set_(y)
    with pytest.raises(TypeError, match="'source' must be a Tensor or a storage"):
        x.set_(3)


def test_numbers_of_few_bits() -> None:
    x = mg.tensor([[0.1, 0.26, 9.0], [-3.0, 0.5, 0.74]], requires_grad=True)
    whole, zero = mg.fake_quantize_per_tensor_affine, mg.tensor(3, dtype=mg.int32)
    y = whole(x, 0.1, 3, 0, 20)
    y.sum().backward()
    assert mg.allclose(y, mg.tensor([[0.1, 0.3, 1.7], [-0.3, 0.5, 0.7]]))
    assert x.grad is not None
    assert x.grad.tolist() == [[1, 1, 0], [0, 1, 1]]
    assert mg.equal(whole(x, mg.tensor(0.1), zero, 0, 20), y)
    scales, zeros = mg.tensor([0.1, 0.2, 0.3]), mg.tensor([0, 1, 2], dtype=mg.int32)
    apart = mg.fake_quantize_per_channel_affine(x, scales, zeros, 1, 0, 10)
    assert mg.allclose(apart, mg.tensor([[0.1, 0.2, 2.4], [0.0, 0.4, 0.6]]))
    for args, says in (((0.1, 3, 5, 2), "less than or equal"), ((0.1, 30, 0, 20), "must be between")):
        with pytest.raises(RuntimeError, match=says):
            whole(x, *args)
    with pytest.raises(RuntimeError, match="not consistent with input"):
        mg.fake_quantize_per_channel_affine(x, scales[:2], zeros, 1, 0, 10)
    for axis, kind in ((-1, RuntimeError), (2, IndexError), (3, RuntimeError)):
        with pytest.raises(kind, match=r"`axis` must be|out of range"):
            mg.fake_quantize_per_channel_affine(x, scales, zeros, axis, 0, 10)


def test_choices_and_loops_as_functions() -> None:
    x = mg.ones(2, requires_grad=True)
    assert mg.equal(mg.cond(x.sum() > 0, lambda a: a.sin(), lambda a: a.cos(), (x,)), x.sin())
    assert mg.cond(False, lambda: 1, lambda: 2) == 2
    with pytest.raises(RuntimeError, match="single-element tensor"):
        mg.cond(x > 0, lambda: 1, lambda: 2)
    i, y = mg.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2), (mg.tensor(0), x))
    assert (i.item(), y.tolist()) == (3, [8.0, 8.0])
    assert (mg.sym_max(2, 3.0), mg.sym_min(2, 3), mg.sym_int(2.5), mg.sym_float(2)) == (3.0, 2, 2, 2.0)
    assert (mg.sym_not(True), mg.sym_sqrt(4), mg.sym_sum([1, 2]), mg.sym_ite(True, 1, 2)) == (
        False,
        2.0,
        3,
        1,
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("tensor(mg.dropout(V > 2, 1.0, True).dtype is mg.bool)", True),
        ("rrelu(-V, 0.5, 0.5, True, mg.Generator())", [-1.0, -1.5]),
        ("constant_pad_nd(V + 0j, (1, 0), 2j)", [2j, 2, 3]), ("isclose(N, N - 1, 0, 0)", [False]),
        ("addbmm(A.long(), A[None].long(), A[None].long(), beta=1.5, alpha=1.5)", [[6, 6], [0, 12]]),
        ("linalg.cond(mg.zeros(2, 2), 1)", math.inf), ("tensor(mg.bincount(N[:0], V[:0], 2).dtype is mg.int64)", True),
        ("histc(mg.arange(1, 101).double() / 100, 10, 0, 1)", [9, *[10] * 8, 11]),  # PyTorch's
        ("histc((mg.arange(0, 11) / 10).half(), 10, 0, 1)", [*[1] * 9, 2]),
        ("histc(mg.arange(10) / 10, 3, 0.3, 0.9)", [2, 2, 3]),
        ("histogram(mg.arange(1, 101) / 100, 10, range=(0.0, 1.0)).hist", [9, *[10] * 8, 11]),
        ("index_select(A, 0, N[:0].int())", []), ("tensor(A.to_sparse(dense_dim=1).dense_dim())", 1),
        ("gcd(mg.tensor([True]), N)", [1]),
        ("pow(mg.tensor([-1, 3, 1]).to(mg.int8), mg.tensor([-128, -128, -127]).to(mg.int8))", [1, 0, 1]),
    ],
)  # fmt: skip
def test_values(code: str, expected: Any) -> None:
    y = eval(f"mg.{code}", {"mg": mg, "V": V, "A": A, "N": mg.tensor([2**62 + 1])})
    assert y.tolist() == expected


def test_what_has_no_dtype_yet_is_of_the_default_one() -> None:
    mg.set_default_dtype(mg.float64)
    try:
        whole = mg.tensor([-1, 2])
        results = (mg.block_diag(), mg.angle(whole), mg.gradient(whole)[0])
        assert {y.dtype for y in results} == {mg.float64}
    finally:
        mg.set_default_dtype(mg.float32)


def test_what_works_in_place_on_a_list_returns_it() -> None:
    from minigrad.functions import foreach

    xs = [V.clone()]
    assert foreach.made("_foreach_add_")(xs, 1) is xs
    assert xs[0].tolist() == [3, 4]

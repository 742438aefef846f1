"""bfloat16 and `autocast`. Expected bits are PyTorch's."""

from __future__ import annotations

import copy
import io
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from op_samples import ROWS, Row

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn
from minigrad.core.op import Op
from minigrad.core.rounded import Rounded
from minigrad.ops import TABLE

BF16 = pytest.importorskip("ml_dtypes").bfloat16

# ---------------------------------------------------------------- operations


def near(found: Any, expected: np.ndarray, units: int = 0) -> None:
    """Equal to what float32 gives, rounded, but for so many units in the last place, of the largest number too."""
    assert found.dtype == BF16
    off, large = units * 2.0**-7, np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    np.testing.assert_allclose(
        found.astype(np.float32), expected.astype(BF16).astype(np.float32), off, float(large) * off
    )


FLOATS = [
    r
    for r in ROWS
    if r.result == "float"
    and r.d
    and not TABLE[r.op].typed
    and not any(isinstance(v, np.dtype) for v in r.params.values())
]


@pytest.mark.parametrize("row", FLOATS, ids=[r.id for r in FLOATS])
def test_an_operation_is_float32_rounded_once(row: Row) -> None:
    """The value and the gradients, of inputs that bfloat16 holds."""
    short = [a.astype(BF16) if a.dtype.kind == "f" else a for a in row.draw()]
    results = []
    for wide in (True, False):
        arrays = [a.astype(np.float32) if wide and a.dtype == BF16 else a for a in short]
        xs = [mg.from_numpy(a.copy()).requires_grad_(i in row.wanted) for i, a in enumerate(arrays)]
        y = row.run(*xs)
        v = np.random.default_rng(0).standard_normal(y.shape).astype(BF16)
        seed = mg.from_numpy(v.astype(y._array.dtype))
        grads = mg.autograd.grad(y, [xs[i] for i in row.wanted], seed)
        results.append([t._array for t in (y, *grads)])
    # Rules read results that are rounded, and so do ops whose operands follow from others.
    for k, (found, expected) in enumerate(zip(results[1], results[0], strict=True)):
        near(found, expected, 4 if k or row.via is not None else 0)


def test_an_operation_in_bfloat16_is_one_record() -> None:
    x = mg.tensor([1.0, 2.0], dtype=mg.bfloat16, requires_grad=True)
    y = (x * 0.1).exp()
    node = y.grad_fn
    assert node is not None
    assert (node.name(), node.next_functions[0][0].name(), len(mg.tape.tape([node]))) == (
        "ExpBackward0", "MulBackward0", 3,
    )  # fmt: skip
    assert y.tolist() == [1.1015625, 1.21875]  # of 0.1 as float32 has it
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.1103515625, 0.1220703125]
    assert (x > 0.1).tolist() == [True, True]
    assert (mg.tensor([0.1], dtype=mg.bfloat16) == 0.1).tolist() == [True]  # but compared as bfloat16


def test_what_an_operation_declares_holds_in_bfloat16() -> None:
    op = Op("cubed", lambda x: x * x * x, "x", lambda g, x: 3.0 * g * x * x, cast="float", listed=False)
    x = mg.tensor([1.01, 3.3], dtype=mg.bfloat16, requires_grad=True)
    y = mg.tape.apply(op, (x,))
    (g,) = mg.autograd.grad(y.sum(), x)
    wide = np.array([1.0078125, 3.296875], np.float32)
    near(y.detach()._array, wide**3)
    near(g._array, 3 * wide**2, 1)


def test_float16_products_are_computed_in_float32() -> None:
    assert TABLE["matmul"].costs is not None
    a = mg.full((1, 4096), 0.1, dtype=mg.float16)
    y = a @ a.T
    assert y.item() == np.float16(np.float32(np.float16(0.1)) ** 2 * 4096)
    assert (a * 3).grad_fn is None
    assert isinstance((TABLE["matmul"].rounding or {})[np.dtype(np.float16)], Rounded)


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (mg.float16, mg.float32), (mg.float32, mg.float32), (mg.float64, mg.float64), (mg.int64, mg.bfloat16),
        (mg.bool, mg.bfloat16), (mg.complex64, mg.complex64), (mg.bfloat16, mg.bfloat16),
    ],
    ids=str,
)  # fmt: skip
def test_types_meet_as_in_pytorch(other: mg.dtype, kind: mg.dtype) -> None:
    x = mg.ones(2, dtype=mg.bfloat16)
    assert mg.promote_types(mg.bfloat16, other) is mg.promote_types(other, mg.bfloat16) is kind
    assert (x + mg.ones(2, dtype=other)).dtype is kind
    alone = mg.complex64 if kind is mg.complex64 else mg.bfloat16
    assert (x * mg.ones((), dtype=other)).dtype is alone


ANSWERS: dict[str, Any] = {
    "repr(mg.tensor([1.1, -2.0], dtype=mg.bfloat16))": "tensor([ 1.1016, -2.0000], dtype=minigrad.bfloat16)",
    "mg.ones(2).bfloat16().type()": "minigrad.BFloat16Tensor",
    "isinstance(mg.ones(2).bfloat16(), mg.BFloat16Tensor)": True,
    "nn.Linear(2, 2).bfloat16().weight.dtype is mg.bfloat16": True,
    "mg.tensor([1 + 2**-8 + 2**-40], dtype=mg.float64).bfloat16().tolist()": [1.0],  # by way of float32
    "mg.tensor([1, 2], dtype=mg.bfloat16).view(mg.int16).tolist()": [16256, 16384],
    "mg.tensor([16256, 16384], dtype=mg.int16).view(mg.bfloat16).tolist()": [1.0, 2.0],
    "mg.ldexp(mg.tensor([1.5]).bfloat16(), mg.tensor([2])).dtype is mg.bfloat16": True,
    "(mg.ones(2, 2).bfloat16() @ mg.ones(2, 2).bfloat16().to_sparse()).dtype is mg.bfloat16": True,
    "mg.eye(2).to_sparse().bfloat16().dtype is mg.bfloat16": True,
    "mg.frombuffer(bytearray(b'\\x20\\xc0'), dtype=mg.bfloat16).tolist()": [-2.5],
    "mg.arange(3, dtype=mg.bfloat16).tolist()": [0.0, 1.0, 2.0],
    # It counts in float32 from every sixteenth number, which is rounded.
    "mg.arange(-5.6, -1.6, 0.1, dtype=mg.bfloat16)[14:18].tolist()": [-4.1875, -4.09375, -4.0, -3.90625],
    "mg.arange(300, 340, dtype=mg.bfloat16)[-4:].tolist()": [336.0, 336.0, 338.0, 340.0],
    "mg.linspace(-0.6, 8.002, 7, dtype=mg.bfloat16).tolist()":
        [-0.6015625, 0.8359375, 2.28125, 3.6875, 5.125, 6.5625, 8.0],
    "mg.logspace(0.83, 2.04, 4, dtype=mg.bfloat16).tolist()": [6.71875, 17.125, 43.75, 111.5],
    "mg.full((3,), 0.1, dtype=mg.bfloat16).cumsum(0).tolist()": [0.10009765625, 0.2001953125, 0.30078125],
    "mg.ones(3).sum(dtype=mg.bfloat16).dtype is mg.bfloat16": True,
    "F.softmax(mg.ones(2).bfloat16(), -1, dtype=mg.float32).dtype is mg.float32": True,
    "mg.zeros(1).bfloat16().lerp(mg.ones(1).bfloat16(), 0.4).tolist()": [0.400390625],
    "mg.zeros(1).bfloat16().lerp(mg.full((1,), 5.0).bfloat16(), 0.4).tolist()": [2.0],
    "mg.tensor([mg.inf, -mg.inf]).bfloat16().nan_to_num().tolist()": [3.3895313892515355e38, -3.3895313892515355e38],
    "mg.tensor([mg.inf, -mg.inf]).half().nan_to_num(neginf=0.1).tolist()": [65504.0, 0.0999755859375],
    "mg.tensor([3.0, mg.inf, mg.nan, 1e20, 3.0]).bfloat16().unique()[:3].tolist()": [3.0, 9.972771014849226e19, mg.inf],
    "(mg.full((1,), 3.0).bfloat16() ** 0.3).tolist()": [1.390625],
    "mg.nextafter(mg.ones(1).bfloat16(), mg.full((1,), 2.0).bfloat16()).tolist()": [1.0078125],
    "mg.nextafter(mg.ones(1).half(), mg.full((1,), 2.0).half()).tolist()": [1.0009765625],
    "(mg.bfloat16.itemsize, mg.bfloat16.is_floating_point, mg.bfloat16.is_signed)": (2, True, True),
    "mg.bfloat16.to_complex() is mg.complex64": True,
    "mg.ones(1).bfloat16().mul_(0.1).add_(mg.ones(1)).tolist()": [1.1015625],
    "mg.tensor([0.1, 3.0]).bfloat16().sort(descending=True)[0].tolist()": [3.0, 0.10009765625],
    "mg.rand(2, dtype=mg.bfloat16, generator=mg.Generator().manual_seed(3)).tolist()": [0.0042724609375, 0.10546875],
    "mg.randn(2, dtype=mg.bfloat16, generator=mg.Generator().manual_seed(3)).tolist()": [0.8046875, 0.1748046875],
    "mg.randn(17, dtype=mg.bfloat16, generator=mg.Generator().manual_seed(3))[::16].tolist()":
        [-0.07666015625, -0.146484375],
}  # fmt: skip


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer(text: str) -> None:
    found = eval(text, {"mg": mg, "nn": nn, "F": F})
    assert found == ANSWERS[text]


REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "numpy": (lambda x: x.numpy(), TypeError, "Got unsupported ScalarType BFloat16"),
    "asarray": (np.asarray, TypeError, "Got unsupported ScalarType BFloat16"),
    "inv": (mg.linalg.inv, RuntimeError, "Low precision dtypes not supported"),
    "qr": (mg.linalg.qr, NotImplementedError, "not implemented for 'BFloat16'"),
    "fft": (mg.fft.fft, RuntimeError, "Unsupported dtype BFloat16"),
    "linear": (lambda x: nn.Linear(2, 2)(x), RuntimeError, "must have the same dtype, but got BFloat16"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_pytorch_refuses(what: str) -> None:
    call, kind, says = REFUSED[what]
    with pytest.raises(kind, match=says):
        call(mg.eye(2, dtype=mg.bfloat16))


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ImportError, match=r'the extra `bfloat16`\): pip install "minigrad-tape\[bfloat16\]"'):
        type(mg.bfloat16)().numpy  # noqa: B018


def test_copies_and_files_keep_it() -> None:
    x = mg.tensor([[1.5, -2.0], [3.0, 0.1]], dtype=mg.bfloat16)
    file = io.BytesIO()
    mg.save({"x": x, "type": mg.bfloat16}, file)
    file.seek(0)
    loaded = mg.load(file)
    assert loaded["type"] is copy.deepcopy(mg.bfloat16) is mg.bfloat16
    for y in (loaded["x"], copy.deepcopy(x), pickle.loads(pickle.dumps(x.T)).T, x.data, nn.Parameter(x).data):
        assert (y.dtype, y.tolist()) == (mg.bfloat16, x.tolist())
        assert y._array.dtype is x._array.dtype
    mg.testing.assert_close(x, x * 1.01)


# ---------------------------------------------------------------- readers and training


def batch() -> tuple[mg.Tensor, mg.Tensor, nn.Module]:
    mg.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3))
    return mg.randn(5, 4), mg.tensor([0, 1, 2, 0, 1]), net


def test_a_printed_program_gives_the_same_bits() -> None:
    x, labels, net = batch()
    x, net = x.bfloat16(), net.bfloat16()
    loss = F.cross_entropy(net(x) % 0.3, labels)
    space: dict[str, Any] = {}
    exec(mg.source(loss), space)
    value, grads = space["run"](x._array, labels._array, *(p._array for p in net.parameters()))
    loss.backward()
    assert float(value) == loss.item()
    for g, p in zip(grads.values(), net.parameters(), strict=True):
        assert p.grad is not None
        assert np.array_equal(g, p.grad._array)


@pytest.mark.parametrize("pure", [True, False], ids=["bfloat16", "autocast"])
def test_a_compiled_step_gives_the_same_bits(pure: bool) -> None:
    losses = []
    for compiled in (True, False):
        x, labels, net = batch()
        if pure:
            x, net = x.bfloat16(), net.bfloat16()
        optimizer = mg.optim.AdamW(net.parameters(), lr=0.05)

        def step(x: mg.Tensor, net: Any = net, labels: Any = labels, optimizer: Any = optimizer) -> mg.Tensor:
            optimizer.zero_grad()
            with mg.autocast("cpu", enabled=not pure):
                loss = F.cross_entropy(net(x), labels)
            loss.backward()
            optimizer.step()
            return loss

        run = mg.compile(step) if compiled else step
        losses.append([run(x).item() for _ in range(4)] + [net[0].weight.sum().item()])
    assert losses[0] == losses[1]


# ---------------------------------------------------------------- autocast


def kinds(y: Any) -> str:
    """The element types of Tensors, also in tuples."""
    return " ".join(map(kinds, y)) if isinstance(y, tuple) else y.dtype.name


X = mg.tensor([[0.5, 1.0, 2.0], [1.5, -1.0, 0.25], [1.0, 2.0, 3.0]])
LOW, CLASSES, SPARSE = X.bfloat16(), mg.tensor([0, 1, 2]), X.to_sparse()
PAIRS = X[:, :2]
CAST: dict[str, tuple[Callable[[], Any], str]] = {
    "matmul": (lambda: X @ X, "bfloat16"),
    "method": (lambda: X.matmul(X[0]), "bfloat16"),
    "other side": (lambda: LOW @ X, "bfloat16"),
    "linear": (lambda: nn.Linear(3, 2)(X), "bfloat16"),
    "conv": (lambda: F.conv2d(X[None, None], mg.ones(1, 1, 2, 2)), "bfloat16"),
    "attention": (lambda: nn.MultiheadAttention(3, 1)(X, X, X), "bfloat16 bfloat16"),
    "lstm": (lambda: nn.LSTM(3, 2)(X)[0], "bfloat16"),
    "lstm, several lengths": (
        lambda: nn.LSTM(3, 2)(nn.utils.rnn.pack_sequence([X, X[:2]]))[0].data,
        "float32",
    ),
    "cells, by their states": (
        lambda: (
            nn.LSTMCell(3, 2)(LOW),
            nn.LSTMCell(3, 2)(LOW, (PAIRS, PAIRS))[0],
            nn.GRUCell(3, 2)(LOW, PAIRS),
            nn.GRUCell(3, 2)(LOW, PAIRS.half()),
        ),
        "bfloat16 bfloat16 float32 float32 float32",
    ),
    "other cells and layers": (
        lambda: (
            nn.RNNCell(3, 2)(LOW, PAIRS),
            nn.LSTM(3, 2)(X, (LOW[:1, :2],) * 2)[0],
            nn.GRU(3, 2)(X, LOW[:1, :2])[0],
        ),
        "bfloat16 bfloat16 bfloat16",
    ),
    "contraction": (lambda: mg.einsum("ij,jk->ik", X, X), "bfloat16"),
    "no contraction": (lambda: mg.einsum("ij,ij->ij", X, X), "float32"),
    "mv": (lambda: X.mv(X[0]), "float32"),
    "vectors": (lambda: (X[0].inner(X[0]), X.inner(X)), "float32 bfloat16"),
    "sparse": (
        lambda: (SPARSE @ X, X @ SPARSE, SPARSE.mv(X[0]), F.linear(SPARSE, X)),
        " ".join(["bfloat16"] * 4),
    ),
    "sparse mm": (lambda: (mg.sparse.mm(SPARSE, LOW), mg.addmm(X, SPARSE, X)), "bfloat16 bfloat16"),
    "sparse, given": (lambda: (mg.cat([SPARSE, SPARSE]), SPARSE * 2), "float32 float32"),
    "out": (lambda: mg.mm(X, X, out=mg.empty(3, 3)), "float32"),
    "float64": (lambda: X.double() @ X.double(), "float64"),
    "as it comes": (lambda: (X + 1).exp().softmax(0), "float32"),
    "as it comes, short": (lambda: F.layer_norm(LOW, (3,)).softmax(0), "bfloat16"),
    "cross_entropy": (lambda: F.cross_entropy(LOW, CLASSES), "float32"),
    "mse_loss": (lambda: (nn.MSELoss()(LOW, X), nn.MSELoss()(LOW, LOW)), "float32 float32"),
    "prod": (lambda: LOW.prod(), "float32"),
    "reflection": (lambda: F.pad(LOW, (1, 1), mode="reflect"), "float32"),
    "zeros around": (lambda: F.pad(LOW, (1, 1)), "bfloat16"),
    "cat": (lambda: mg.cat([LOW, X]), "float32"),
    "cat, short": (lambda: mg.cat([LOW, LOW]), "bfloat16"),
    "stack": (lambda: mg.stack((X, LOW)), "float32"),
    "in place": (lambda: X.clone().addmm_(X, X), "float32"),
}


@pytest.mark.parametrize("what", CAST)
def test_autocast_chooses_by_the_function(what: str) -> None:
    call, expected = CAST[what]
    with mg.autocast("cpu"):
        assert kinds(call()) == expected


def test_autocast_meets_masks_and_float64() -> None:
    heads = nn.MultiheadAttention(2, 1)
    with mg.autocast("cpu", mg.float16):
        y, _ = heads(*[LOW[:, :2]] * 3, need_weights=False, attn_mask=mg.ones(3, 3, dtype=mg.bool).triu(1))
    assert y.dtype == mg.float16
    for cell in (nn.LSTMCell(3, 2), nn.GRUCell(3, 2), nn.GRU(3, 2)):
        with pytest.raises(RuntimeError, match="must have the same dtype"), mg.autocast("cpu"):
            cell(X.double())


def test_autocast_holds_inside_and_nests() -> None:
    def state() -> tuple[str, bool, str]:
        return (X @ X).dtype.name, mg.is_autocast_enabled("cpu"), mg.get_autocast_dtype("cpu").name

    off, on = ("float32", False, "bfloat16"), ("bfloat16", True, "bfloat16")
    region = mg.amp.autocast("cpu")
    with region:
        with mg.autocast("cpu", mg.float16):
            assert state() == ("float16", True, "float16")
            with mg.autocast("cpu", enabled=False), mg.no_grad():
                assert state() == off
        with region:
            assert state() == on
        assert state() == on
    assert state() == off
    assert region(state)() == on
    with pytest.raises(ZeroDivisionError), region:
        raise ZeroDivisionError
    assert state() == off
    with pytest.raises(RuntimeError, match="autocast: float16 does not meet bfloat16"), region:
        mg.cat([LOW, X.half()])


def test_gradients_have_the_types_of_their_tensors() -> None:
    x, labels, net = batch()
    with mg.autocast("cpu", dtype=mg.bfloat16):
        y = net(x.requires_grad_())
        loss = F.cross_entropy(y, labels)
    loss.backward()
    assert (y.dtype, loss.dtype) == (mg.bfloat16, mg.float32)
    assert {p.grad.dtype for p in (x, *net.parameters()) if p.grad is not None} == {mg.float32}
    assert y.grad_fn is not None
    assert y.grad_fn.next_functions[0][0].name() == "ToCopyBackward0"


def test_a_checkpoint_runs_again_as_it_ran() -> None:
    x, _, net = batch()
    grads = []
    for wrapped in (True, False):
        with mg.autocast("cpu"):
            y = mg.utils.checkpoint.checkpoint(net, x, use_reentrant=False) if wrapped else net(x)
        grads.append(mg.autograd.grad(y.float().sum(), net[0].weight)[0])
    assert mg.equal(*grads)


@pytest.mark.parametrize("inputs", [None, mg.float32], ids=["as they come", "float32"])
def test_a_function_written_for_mixed_precision(inputs: Any) -> None:
    seen: list[Any] = []

    class Product(mg.autograd.Function):
        @staticmethod
        @mg.amp.custom_fwd(device_type="cpu", cast_inputs=inputs)
        def forward(ctx: Any, a: mg.Tensor, b: mg.Tensor) -> mg.Tensor:
            ctx.save_for_backward(a, b)
            return a @ b

        @staticmethod
        @mg.amp.custom_bwd(device_type="cpu")
        def backward(ctx: Any, g: mg.Tensor) -> tuple[mg.Tensor, mg.Tensor]:
            a, b = ctx.saved_tensors
            seen.extend([mg.is_autocast_enabled("cpu"), g.dtype])
            return g @ b.T, a.T @ g

    x = X.clone().requires_grad_()
    with mg.autocast("cpu"):
        y = Product.apply(x, LOW)
    y.float().sum().backward()
    assert (y.dtype, *seen) == ((mg.bfloat16, True, mg.bfloat16), (mg.float32, False, mg.float32))[
        inputs is not None
    ]
    assert x.grad is not None
    assert x.grad.dtype is mg.float32
    with pytest.raises(ValueError, match="Expected `device_type` of type `str`"):
        mg.amp.custom_fwd(Product.forward, device_type=3)

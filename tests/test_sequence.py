"""Recurrent layers, packed sequences and attention: against formulas written out step by step."""

from __future__ import annotations

import math
import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest
import samples_sequence as steps

import minigrad as mg
from minigrad import nn
from minigrad.autograd import gradcheck, gradgradcheck
from minigrad.kernels import recurrent
from minigrad.nn.utils import rnn as packing

F64 = mg.float64


def array(t: Any) -> Any:
    return t.detach().numpy()


def expected(layer: Any, x: Any, states: list[Any], runs: Any) -> tuple[Any, list[Any]]:
    """What a module gives for steps side by side, layer by layer with the formulas of the sample table."""
    last: list[list[Any]] = []
    for j, names in enumerate(layer._all_weights):
        weights = [array(getattr(layer, name)) for name in names]
        reverse = "reverse" in names[0]
        if not reverse:
            source, outputs = x, []
        first = [s[j] for s in states]
        params: dict[str, Any] = {"runs": runs, "reverse": reverse}
        if layer.mode == "LSTM":
            flat = steps.lstm(source, *first, *weights, **params, biased=layer.bias)
        elif layer.mode == "GRU":
            flat = steps.gru(source, *first, *weights, **params)
        else:
            flat = steps.rnn(source, *first, *weights, **params, relu=layer.mode == "RNN_RELU")
        at = len(x) * first[0].shape[1]
        outputs.append(flat[:at].reshape(len(x), -1))
        last.append([])
        for s in first:
            last[-1].append(flat[at : at + s.size].reshape(s.shape))
            at += s.size
        x = np.concatenate(outputs, 1) if reverse or not layer.bidirectional else x
    return x, [np.stack(s) for s in zip(*last, strict=True)]


LAYERS = [
    (nn.RNN, {"num_layers": 2, "bidirectional": True}),
    (nn.RNN, {"nonlinearity": "relu", "bias": False}),
    (nn.GRU, {"bidirectional": True, "bias": False}),
    (nn.GRU, {"num_layers": 2, "batch_first": True}),
    (nn.LSTM, {"num_layers": 2, "batch_first": True}),
    (nn.LSTM, {"num_layers": 2, "bidirectional": True, "proj_size": 1}),
]


@pytest.mark.parametrize(("kind", "options"), LAYERS, ids=lambda v: getattr(v, "__name__", None))
def test_layers_follow_their_formulas(kind: Any, options: dict[str, Any]) -> None:
    layer = kind(2, 3, **options, dtype=F64)
    rng = np.random.default_rng(0)
    count, several = len(layer._all_weights), kind is nn.LSTM
    widths = [options.get("proj_size", 3), 3][: 1 + several]
    states = [rng.normal(size=(count, 3, width)) for width in widths]
    x = rng.normal(size=(4, 3, 2))
    hx: Any = tuple(map(mg.tensor, states)) if several else mg.tensor(states[0])
    first = layer.batch_first

    # a batch
    y, last = layer(mg.tensor(x.transpose(1, 0, 2) if first else x), hx)
    want, ends = expected(layer, x.reshape(12, 2), states, ((4, 3),))
    want = want.reshape(4, 3, -1)
    np.testing.assert_allclose(array(y), want.transpose(1, 0, 2) if first else want, atol=1e-12)
    for t, end in zip(last if several else [last], ends, strict=True):
        np.testing.assert_allclose(array(t), end, atol=1e-12)

    # without states, and without a batch
    y, last = layer(mg.tensor(x[:, 0]))
    want, ends = expected(layer, x[:, 0], [np.zeros((count, 1, width)) for width in widths], ((4, 1),))
    np.testing.assert_allclose(array(y), want, atol=1e-12)
    np.testing.assert_allclose(array(last[0] if several else last), ends[0][:, 0], atol=1e-12)

    # packed, in an order that is not that of the lengths
    lengths = [2, 4, 1]
    packed = packing.pack_padded_sequence(mg.tensor(x), lengths, enforce_sorted=False)
    order = [1, 0, 2]
    assert packed.sorted_indices is not None
    assert packed.sorted_indices.tolist() == order
    assert packed.batch_sizes.tolist() == [3, 2, 1, 1]
    y, last = layer(packed, hx)
    want, ends = expected(layer, array(packed.data), [s[:, order] for s in states], ((1, 3), (1, 2), (2, 1)))
    np.testing.assert_allclose(array(y.data), want, atol=1e-12)
    for t, end in zip(last if several else [last], ends, strict=True):
        np.testing.assert_allclose(array(t), end[:, np.argsort(order)], atol=1e-12)
    assert repr(pickle.loads(pickle.dumps(layer))) == repr(layer)


def test_gradients_of_layers() -> None:
    layer = nn.LSTM(2, 2, bidirectional=True, dtype=F64)
    xs = [mg.randn(3, 2, 2, dtype=F64, requires_grad=True)]
    xs += [mg.randn(2, 2, 2, dtype=F64, requires_grad=True) for _ in "hc"]

    def run(x: Any, h: Any, c: Any) -> Any:
        y, (h, c) = layer(x, (h, c))
        return y, h, c

    assert gradcheck(run, xs)
    assert gradgradcheck(lambda x: layer(x)[0], xs[:1])


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_sequences_in_a_pack_have_the_gradients_of_each_alone(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrent, "PIECE", 1 << 5)  # elements: a few steps at a time
    mg.manual_seed(0)
    layer, lengths = kind(2, 3, bidirectional=True).double(), [9, 4, 9, 2]
    x = [mg.randn(n, 2, dtype=F64, requires_grad=True) for n in lengths]
    packed = packing.pack_sequence(x, enforce_sorted=False)
    together = mg.autograd.grad(layer(packed)[0].data.sin().sum(), [*x, *layer.parameters()])
    alone = mg.autograd.grad(sum(layer(one)[0].sin().sum() for one in x), [*x, *layer.parameters()])
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)


def test_backward_computes_anew_what_no_longer_stands_behind_the_result() -> None:
    from minigrad.kernels import recurrent as k

    rng = np.random.default_rng(0)
    params: dict[str, Any] = {"runs": ((3, 2),), "reverse": False}
    for forward, backward, gates, more in [
        (k.lstm, k.lstm_backward, 4, {"biased": True}),
        (k.gru, k.gru_backward, 3, {}),
    ]:
        width = 2 * gates
        shapes = [(6, 2), *[(2, 2)] * (2 if more else 1), (width, 2), (width, 2), (width,), (width,)]
        xs = [rng.normal(size=s) for s in shapes]
        y = forward(*xs, **params, **more, place=k.with_states)
        assert k.states_of(y, 6 * 2 * (gates + 1)) is not None
        assert k.states_of(y.copy(), 6 * 2 * (gates + 1)) is None
        d = rng.normal(size=y.shape)
        kept, anew = (
            backward(d, r, *xs, **params, **more, onward=True, states=k.states_of) for r in (y, y.copy())
        )
        np.testing.assert_array_equal(kept, anew)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("batch", [(), (3,)])
def test_cells_are_layers_of_one_step(batch: tuple[int, ...], several: bool) -> None:
    pairs = [(nn.LSTMCell, nn.LSTM)] if several else [(nn.RNNCell, nn.RNN), (nn.GRUCell, nn.GRU)]
    for one, many in pairs:
        cell, layer = one(2, 3), many(2, 3)
        layer.load_state_dict({f"{k}_l0": v for k, v in cell.state_dict().items()})
        x, h = mg.randn(*batch, 2), mg.randn(*batch, 3)
        hx: Any = (h, h * 2) if several else h
        ends = layer(x.unsqueeze(0), tuple(t.unsqueeze(0) for t in hx) if several else hx.unsqueeze(0))[1]
        for a, b in zip(cell(x, hx) if several else [cell(x, hx)], ends if several else [ends], strict=True):
            np.testing.assert_allclose(array(a), array(b)[0], atol=1e-6)
        # One bias may be missing.
        nn.init.zeros_(cell.bias_ih)
        expected = cell(x, hx)
        cell.bias_ih = None
        for a, b in zip(cell(x, hx), expected, strict=True):
            np.testing.assert_array_equal(array(a), array(b))
    assert (
        repr(nn.RNNCell(2, 3, bias=False, nonlinearity="relu"))
        == "RNNCell(2, 3, bias=False, nonlinearity=relu)"
    )


def test_packing_and_padding_are_inverse() -> None:
    sequences = [mg.arange(n * 2.0).reshape(n, 2) + 10 * n for n in (2, 3, 1)]
    padded = packing.pad_sequence(sequences, padding_value=-1.0)
    assert padded.shape == (3, 3, 2)
    assert padded[:, 2].tolist() == [[10, 11], [-1, -1], [-1, -1]]
    assert packing.pad_sequence([mg.ones(2), mg.ones(1, dtype=mg.float64)]).dtype is mg.float32
    left = packing.pad_sequence(sequences, batch_first=True, padding_side="left")
    assert left[2].tolist() == [[0, 0], [0, 0], [10, 11]]
    packed = packing.pack_sequence(sequences, enforce_sorted=False)
    for name in ("long", "int", "short", "char", "byte"):
        assert getattr(packed, name)().data.dtype is getattr(packed.data, name)().dtype
    for again in (packing.unpack_sequence(packed), packing.unpad_sequence(padded, mg.tensor([2, 3, 1]))):
        assert [t.tolist() for t in again] == [t.tolist() for t in sequences]
    wide, lengths = packing.pad_packed_sequence(packed, True, 7.0, total_length=4)
    assert lengths.tolist() == [2, 3, 1]
    assert wide[2].tolist() == [[10, 11], [7, 7], [7, 7], [7, 7]]
    assert packed.to(F64).data.dtype == F64
    assert packed.double().float().data.dtype == mg.float32


def test_layers_start_as_in_pytorch() -> None:
    mg.manual_seed(0)
    layer = nn.LSTM(1, 2, proj_size=1, bidirectional=True)
    names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"]
    assert list(layer.state_dict()) == [f"{n}_l0{way}" for way in ("", "_reverse") for n in names]
    # recorded from PyTorch
    np.testing.assert_allclose(array(layer.weight_ih_l0)[:2, 0], [-0.005293981172, 0.379322886467], atol=1e-6)
    assert repr(layer) == "LSTM(1, 2, proj_size=1, bidirectional=True)"


def heads(bias_k: Any = None, bias_v: Any = None, **options: Any) -> Any:
    """`multi_head_attention_forward` of 3 steps of a batch of 2, with 2 heads of width 2."""
    x, out = mg.zeros(3, 2, 4), (False, 0.0, mg.zeros(4, 4), None)
    weights = (mg.zeros(12, 4), None, bias_k, bias_v, *out)
    return nn.functional.multi_head_attention_forward(x, x, x, 4, 2, *weights, **options)


def of_two_types(make: Any) -> Any:
    module = make(2, 3)
    weight = module.weight_hh if "Cell" in make.__name__ else module.weight_hh_l0
    weight.data = weight.data.double()
    return module(mg.zeros(4, 2))


ERRORS = [
    (lambda: nn.LSTM(2, 3)(mg.zeros(2)), ValueError, "LSTM: Expected input to be 2D or 3D, got 1D instead"),
    (
        lambda: nn.GRU(2, 3)(mg.zeros(4, 1, 3)),
        RuntimeError,
        r"input.size\(-1\) must be equal to input_size. Expected 2, got 3",
    ),
    (lambda: nn.GRU(2, 3)(mg.zeros(4, 1, 2, dtype=F64)), ValueError, "RNN input dtype"),
    (
        lambda: nn.GRU(2, 3)(mg.zeros(0, 1, 2)),
        RuntimeError,
        "Expected sequence length to be larger than 0 in RNN",
    ),
    (
        lambda: nn.GRU(2, 3)(mg.zeros(4, 1, 2), mg.zeros(1, 2, 3)),
        RuntimeError,
        r"Expected hidden size \(1, 1, 3\), got \[1, 2, 3\]",
    ),
    (
        lambda: nn.GRU(2, 3)(mg.zeros(4, 2), mg.zeros(1, 2, 3)),
        RuntimeError,
        "For unbatched 2-D input, hx should also be 2-D",
    ),
    (
        lambda: nn.LSTM(2, 3)(mg.zeros(4, 1, 2), (mg.zeros(1, 3), mg.zeros(1, 3))),
        RuntimeError,
        "For batched 3-D input, hx and cx",
    ),
    (
        lambda: nn.LSTM(2, 3)(mg.zeros(4, 1, 2), (mg.zeros(1, 1, 3), mg.zeros(1, 1, 2))),
        RuntimeError,
        r"Expected hidden\[1\] size",
    ),
    (lambda: nn.RNN(2, 3, nonlinearity="sin"), ValueError, "Unknown nonlinearity 'sin'"),
    (lambda: nn.GRU(2, 3, proj_size=1), ValueError, "proj_size argument is only supported for LSTM"),
    (lambda: nn.LSTM(2, 3, proj_size=3), ValueError, "proj_size has to be smaller than hidden_size"),
    (lambda: nn.LSTM(2, 3, dropout=2.0), ValueError, "dropout should be a number in range"),
    (lambda: nn.LSTM(2.0, 3), TypeError, "input_size should be of type int, got: float"),
    (lambda: nn.LSTM(2, 0), ValueError, "hidden_size must be greater than zero"),
    (
        lambda: nn.GRUCell(2, 3)(mg.zeros(4, 3)),
        RuntimeError,
        "input has inconsistent input_size: got 3 expected 2",
    ),
    (
        lambda: nn.GRUCell(2, 3)(mg.zeros(4, 2), mg.zeros(3, 3)),
        RuntimeError,
        "Input batch size 4 doesn't match hidden0 batch size 3",
    ),
    (
        lambda: nn.GRUCell(2, 3)(mg.zeros(4, 2), mg.zeros(4, 2)),
        RuntimeError,
        "hidden0 has inconsistent hidden_size: got 2, expected 3",
    ),
    *(
        (partial(of_two_types, make), RuntimeError, "must have the same dtype, but got Float and Double")
        for make in (nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell, nn.GRUCell)
    ),
    (
        lambda: packing.pack_padded_sequence(mg.zeros(3, 2, 1), [1, 2]),
        RuntimeError,
        "`lengths` array must be sorted",
    ),
    (
        lambda: packing.pack_padded_sequence(mg.zeros(3, 2, 1), [1, 0]),
        RuntimeError,
        "Length of all samples has to be greater than 0",
    ),
    (
        lambda: packing.pack_padded_sequence(mg.zeros(3, 2, 1), [1]),
        RuntimeError,
        r"Expected `len\(lengths\)` to be equal to batch_size",
    ),
    (
        lambda: packing.pack_padded_sequence(mg.zeros(3, 2, 1), [4, 1]),
        RuntimeError,
        "Expected lengths of at most 3",
    ),
    (lambda: packing.pack_padded_sequence(mg.zeros(3), [3]), IndexError, "Dimension out of range"),
    (lambda: packing.pad_sequence([]), RuntimeError, "received an empty list of sequences"),
    (lambda: nn.MultiheadAttention(4, 3), ValueError, "embed_dim must be divisible by num_heads"),
    (
        lambda: nn.MultiheadAttention(4, 2)(*[mg.zeros(4)] * 3),
        RuntimeError,
        "query should be unbatched 2D or batched 3D",
    ),
    (
        lambda: nn.MultiheadAttention(4, 2)(*[mg.zeros(3, 4)] * 3, attn_mask=mg.zeros(2, 3)),
        RuntimeError,
        "The shape of the 2D attn_mask",
    ),
    (lambda: heads(bias_k=mg.zeros(1, 1, 4)), RuntimeError, "got only one of them"),
    (
        lambda: heads(bias_k=mg.zeros(1, 1, 4), bias_v=mg.zeros(1, 1, 4), static_k=mg.zeros(4, 3, 2)),
        RuntimeError,
        "cannot be added to static",
    ),
    (
        lambda: nn.functional.scaled_dot_product_attention(
            *[mg.zeros(3, 4)] * 3, mg.zeros(3, 3), is_causal=True
        ),
        RuntimeError,
        "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True",
    ),
    (
        lambda: nn.functional.scaled_dot_product_attention(*[mg.zeros(4)] * 3),
        RuntimeError,
        "Expected query, key, and value to all be",
    ),
    (
        lambda: nn.Transformer(4, 2, 1, 1, 8)(mg.zeros(2, 1, 3), mg.zeros(2, 1, 4)),
        RuntimeError,
        "the feature number of src and tgt",
    ),
]


@pytest.mark.parametrize(("call", "kind", "sentence"), ERRORS, ids=[e[2][:40] for e in ERRORS])
def test_errors(call: Any, kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        call()


# ---------------------------------------------------------------- attention


def attention(q: Any, k: Any, v: Any, mask: Any = None, scale: float | None = None) -> Any:
    """Query by query: a mask of numbers is added, and where all are -inf the result is 0."""
    scores = q @ np.swapaxes(k, -1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    scores = scores + (0 if mask is None else mask)
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    for at in np.ndindex(q.shape[:-1]):
        row = [math.exp(s) for s in scores[at]]
        if sum(row):
            out[at] = np.array(row) / sum(row) @ v[at[:-1]]
    return out


def test_scaled_dot_product_attention() -> None:
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(2, 2, 3, 4)), rng.normal(size=(2, 2, 5, 4)), rng.normal(size=(2, 2, 5, 2))
    numbers = rng.normal(size=(3, 5))
    numbers[1] = -np.inf
    seen = rng.random((2, 1, 3, 5)) < 0.6
    seen[0, 0, 2] = False
    causal = np.where(np.tri(3, 5, dtype=bool), 0, -np.inf)
    f = nn.functional.scaled_dot_product_attention
    for options, mask in [
        ({}, None),
        ({"scale": 0.3}, None),
        ({"attn_mask": mg.tensor(numbers)}, numbers),
        ({"attn_mask": mg.tensor(seen)}, np.where(seen, 0, -np.inf)),
        ({"is_causal": True}, causal),
    ]:
        xs = [mg.tensor(a).requires_grad_() for a in (q, k, v)]
        y = f(*xs, **options)
        np.testing.assert_allclose(array(y), attention(q, k, v, mask, options.get("scale")), atol=1e-12)
        assert gradcheck(lambda *ts, o=options: f(*ts, **o), xs)
    y = f(mg.tensor(q), mg.tensor(k[:, :1]), mg.tensor(v[:, :1]), enable_gqa=True)
    np.testing.assert_allclose(array(y), attention(q, k[:, [0, 0]], v[:, [0, 0]]), atol=1e-12)
    mg.manual_seed(0)
    ones = f(mg.zeros(4, 4), mg.zeros(200, 4), mg.ones(200, 1), dropout_p=0.5)
    assert 0 < float(ones.std()) < 0.2
    assert float(ones.mean()) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("options", [{}, {"batch_first": True, "bias": False}, {"kdim": 3, "vdim": 2}])
def test_multihead_attention(options: dict[str, Any], need_weights: bool) -> None:
    layer = nn.MultiheadAttention(4, 2, **options, dtype=F64)
    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=(2, n, options.get(w, 4))) for n, w in ((3, ""), (5, "kdim"), (5, "vdim")))
    masked, padded = rng.random((3, 5)) < 0.4, np.array([[False] * 5, [False] * 3 + [True] * 2])
    masked[:, 0] = False
    turn = (lambda a: a) if options.get("batch_first") else (lambda a: a.transpose(0, 1))
    y, p = layer(
        *(turn(mg.tensor(a)) for a in (q, k, v)),
        key_padding_mask=mg.tensor(padded),
        attn_mask=mg.tensor(masked),
        need_weights=need_weights,
    )
    names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
    weights = (
        np.split(array(layer.in_proj_weight), 3)
        if "kdim" not in options
        else [array(getattr(layer, n)) for n in names]
    )
    heads = [
        (a @ w.T).reshape(2, -1, 2, 2).transpose(0, 2, 1, 3) for a, w in zip((q, k, v), weights, strict=True)
    ]
    mask = np.where(masked | padded[:, None, None], -np.inf, 0)
    want = attention(*heads, mask).transpose(0, 2, 1, 3).reshape(2, 3, 4) @ array(layer.out_proj.weight).T
    np.testing.assert_allclose(array(turn(y)), want, atol=1e-12)
    assert (p is not None) == need_weights
    if p is not None:
        np.testing.assert_allclose(array(p).sum(-1), 1.0, atol=1e-12)
        assert not array(p)[1, :, 3:].any()


@pytest.mark.parametrize("large", [1, 1 << 20])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_attention_of_any_order_in_memory(
    order: tuple[int, ...], large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one product for queries, keys and values or three, and whatever lies closest, it is the same."""
    monkeypatch.setattr("minigrad.nn._attention.LARGE", large)
    layer = nn.MultiheadAttention(4, 2, dtype=F64)
    values = np.random.default_rng(0).normal(size=(3, 2, 4))
    x = mg.tensor(values.transpose(order).copy()).permute(*np.argsort(order).tolist()).requires_grad_()
    y, _ = layer(x, x, x, need_weights=False)
    expected, _ = layer(x, x, x)
    np.testing.assert_allclose(array(y), array(expected), atol=1e-12)
    assert gradcheck(lambda x: layer(x, x, x, need_weights=False)[0], [x])
    other = mg.tensor(values[:2] * 2.0)
    np.testing.assert_allclose(
        array(layer(x, other, other, need_weights=False)[0]), array(layer(x, other, other)[0]), atol=1e-12
    )


def test_more_keys_than_the_sequence_has() -> None:
    layer = nn.MultiheadAttention(2, 1, add_bias_kv=True, add_zero_attn=True, dtype=F64)
    x = mg.randn(3, 2, dtype=F64)
    y, p = layer(x, x, x)
    assert p is not None
    assert (y.shape, p.shape) == ((3, 2), (3, 5))
    q, k, v = (array(x) @ w.T for w in np.split(array(layer.in_proj_weight), 3))
    k, v = (
        np.concatenate([a, array(b)[0], np.zeros((1, 2))]) for a, b in ((k, layer.bias_k), (v, layer.bias_v))
    )
    np.testing.assert_allclose(array(y), attention(q, k, v) @ array(layer.out_proj.weight).T, atol=1e-12)


@pytest.mark.parametrize("norm_first", [False, True])
def test_layers_of_transformers_are_their_parts(norm_first: bool) -> None:
    layer = nn.TransformerDecoderLayer(4, 2, 6, 0.0, "gelu", norm_first=norm_first, dtype=F64)
    x, memory = mg.randn(3, 2, 4, dtype=F64), mg.randn(5, 2, 4, dtype=F64)
    mask = nn.Transformer.generate_square_subsequent_mask(3, dtype=F64)
    parts = [
        (lambda y: layer.self_attn(y, y, y, attn_mask=mask)[0], layer.norm1),
        (lambda y: layer.multihead_attn(y, memory, memory)[0], layer.norm2),
        (lambda y: layer.linear2(nn.functional.gelu(layer.linear1(y))), layer.norm3),
    ]
    want = x
    for part, norm in parts:
        want = want + part(norm(want)) if norm_first else norm(want + part(want))
    for causal in (False, True):
        y = layer(x, memory, tgt_mask=mask, tgt_is_causal=causal)
        np.testing.assert_allclose(array(y), array(want), atol=1e-12)


def test_transformer() -> None:
    net = nn.Transformer(4, 2, 2, 1, 6, dropout=0.0, batch_first=True)
    assert len(list(net.parameters())) == 2 * 12 + 18 + 4
    src, tgt = mg.randn(2, 3, 4), mg.randn(2, 5, 4)
    mask = net.generate_square_subsequent_mask(5)
    y = net(src, tgt, tgt_mask=mask)
    changed = tgt.clone()
    changed[:, 3:] += 1
    np.testing.assert_allclose(array(net(src, changed, tgt_mask=mask))[:, :3], array(y)[:, :3], atol=1e-5)
    alone = net.decoder(tgt, net.encoder(src), tgt_mask=mask)
    np.testing.assert_allclose(array(alone), array(y), atol=1e-6)
    y.sum().backward()
    assert all(p.grad is not None for p in net.parameters())


# ---------------------------------------------------------------- bags, products, margins


def test_bags_are_sums_of_rows() -> None:
    weight = mg.randn(5, 2, dtype=F64, requires_grad=True)
    w, bags = array(weight), [[0, 3, 3], [], [4, 1]]
    flat, offsets = mg.tensor([0, 3, 3, 4, 1]), mg.tensor([0, 3, 3])
    folds = {"sum": np.sum, "mean": np.mean, "max": np.max}
    for mode, fold in folds.items():
        for padding in (None, 3):
            kept = [[k for k in bag if k != padding] for bag in bags]
            want = [fold(w[bag], axis=0) if bag else np.zeros(2) for bag in kept]
            y = nn.functional.embedding_bag(flat, weight, offsets, mode=mode, padding_idx=padding)
            np.testing.assert_allclose(array(y), want, atol=1e-12)
            assert gradcheck(
                lambda t, m=mode, p=padding: nn.functional.embedding_bag(
                    flat, t, offsets, mode=m, padding_idx=p
                ),
                [weight],
            )
    scales = mg.randn(2, 3, dtype=F64, requires_grad=True)
    index = mg.tensor([[0, 1, 1], [4, 0, 2]])
    y = nn.EmbeddingBag.from_pretrained(weight, mode="sum")(index, per_sample_weights=scales)
    np.testing.assert_allclose(array(y), (array(scales)[..., None] * w[array(index)]).sum(1), atol=1e-12)
    assert gradcheck(
        lambda t, s: nn.functional.embedding_bag(index, t, mode="sum", per_sample_weights=s), [weight, scales]
    )
    last = nn.functional.embedding_bag(
        flat, weight, mg.tensor([0, 3, 3, 5]), mode="sum", include_last_offset=True
    )
    np.testing.assert_allclose(array(last)[2], w[[4, 1]].sum(0), atol=1e-12)


def test_bilinear_and_unflatten() -> None:
    layer = nn.Bilinear(2, 3, 4, dtype=F64)
    x, y = mg.randn(5, 2, 2, dtype=F64), mg.randn(5, 2, 3, dtype=F64)
    want = np.einsum("abi,kij,abj->abk", array(x), array(layer.weight), array(y)) + array(layer.bias)
    np.testing.assert_allclose(array(layer(x, y)), want, atol=1e-12)
    assert gradcheck(nn.functional.bilinear, [t.requires_grad_() for t in (x[0], y[0], layer.weight)])
    assert nn.Unflatten(1, (2, -1))(mg.zeros(3, 8)).shape == (3, 2, 4)
    assert repr(nn.Unflatten(1, (2, 3))) == "Unflatten(dim=1, unflattened_size=(2, 3))"


def test_losses_by_margins() -> None:
    x = mg.randn(3, 4, dtype=F64, requires_grad=True)
    a, targets, weight = array(x), [1, 3, 0], np.array([1.0, 2.0, 0.5, 3.0])
    for p in (1, 2):
        want = [
            weight[t] * sum(max(0.0, 0.7 - row[t] + row[k]) ** p for k in range(4) if k != t) / 4
            for row, t in zip(a, targets, strict=True)
        ]
        loss = nn.MultiMarginLoss(p, 0.7, mg.tensor(weight), reduction="none")
        np.testing.assert_allclose(array(loss(x, mg.tensor(targets))), want, atol=1e-12)
        assert gradcheck(lambda t, f=loss: f(t, mg.tensor(targets)), [x])
    several = [[3, 0, -1, 1], [-1, 0, 1, 2], [0, 1, 2, 3]]
    lists = [[3, 0], [], [0, 1, 2, 3]]
    want = [
        sum(max(0.0, 1 - (row[t] - row[k])) for t in ts for k in range(4) if k not in ts) / 4
        for row, ts in zip(a, lists, strict=True)
    ]
    labels = nn.MultiLabelMarginLoss(reduction="none")
    np.testing.assert_allclose(array(labels(x, mg.tensor(several))), want, atol=1e-12)
    assert gradcheck(lambda t: nn.functional.multilabel_margin_loss(t, mg.tensor(several)), [x])
    flags = mg.tensor([[0.0, 1, 1, 0]] * 3, dtype=F64)
    soft = nn.functional.multilabel_soft_margin_loss(x, flags)
    same = nn.functional.binary_cross_entropy_with_logits(x, flags)
    assert float(soft) == pytest.approx(float(same))
    triplet = [mg.randn(3, 2) for _ in range(3)]
    by_distance = nn.TripletMarginWithDistanceLoss(swap=True)(*triplet)
    assert float(by_distance) == pytest.approx(float(nn.TripletMarginLoss(swap=True)(*triplet)), abs=1e-6)


@pytest.mark.parametrize("size", [2, 3])
def test_local_response_norm(size: int) -> None:
    x = mg.randn(2, 4, 3, dtype=F64)
    a = array(x)
    around = [range(max(0, c - size // 2), min(4, c + (size - 1) // 2 + 1)) for c in range(4)]
    means = np.stack([sum(a[:, k] ** 2 for k in ks) / size for ks in around], 1)
    y = nn.LocalResponseNorm(size, 0.5, 0.7, 2.0)(x)
    np.testing.assert_allclose(array(y), a / (2.0 + 0.5 * means) ** 0.7, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_local_response_norm_of_torch7(size: int) -> None:
    x = mg.randn(2, 7, 3, 1, dtype=F64)
    a, reach = array(x), (size - 1) // 2
    around = [{*range(max(0, c - reach), c + reach + 1)} | ({0} if c > reach else set()) for c in range(7)]
    means = np.stack([sum(a[:, k] ** 2 for k in ks if k < 7) / size for ks in around], 1)
    layer = nn.CrossMapLRN2d(size, 0.5, 0.7, 2)
    assert repr(layer) == f"CrossMapLRN2d({size}, alpha=0.5, beta=0.7, k=2)"
    np.testing.assert_allclose(array(layer(x)), a / (2.0 + 0.5 * means) ** 0.7, atol=1e-12)
    with pytest.raises(ValueError, match="Expected input to be 4D, got 3D"):
        layer(x[0])


def test_adaptive_softmax_is_a_softmax_of_all_classes() -> None:
    layer = nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 6], div_value=2.0, head_bias=True)
    x, target = mg.randn(7, 8), mg.tensor([0, 3, 11, 6, 2, 5, 1])
    logs = layer.log_prob(x)
    np.testing.assert_allclose(np.exp(array(logs)).sum(1), 1.0, atol=1e-5)
    output, loss = layer(x, target)
    np.testing.assert_allclose(array(output), array(logs)[np.arange(7), array(target)], atol=1e-6)
    assert float(loss) == pytest.approx(-float(output.mean()), abs=1e-6)
    assert float(layer(x[2], target[2]).output) == pytest.approx(float(output[2]), abs=1e-6)
    assert layer.predict(x).tolist() == array(logs).argmax(1).tolist()
    shapes = [tuple(p.shape) for p in layer.parameters()]
    assert shapes == [(5, 8), (5,), (4, 8), (3, 4), (2, 8), (6, 2)]
    for call, sentence in [
        (lambda: layer(x, target[:6]), "Input and target should have the same size"),
        (lambda: layer(x, target + 1), r"Target values should be in \[0, 11\]"),
        (lambda: layer(x, x), "0D or 1D target tensor expected"),
    ]:
        with pytest.raises(RuntimeError, match=sentence):
            call()
    with pytest.raises(ValueError, match="cutoffs should be a sequence of unique, positive integers"):
        nn.AdaptiveLogSoftmaxWithLoss(8, 12, [6, 3])


def test_dropout_draws_in_the_order_of_memory() -> None:
    mg.manual_seed(0)
    turned = nn.functional.dropout(mg.ones(5, 4, 3).permute(2, 0, 1), 0.5)
    mg.manual_seed(0)
    plain = nn.functional.dropout(mg.ones(5, 4, 3), 0.5)
    np.testing.assert_array_equal(array(turned), array(plain).transpose(2, 0, 1))
    mg.manual_seed(0)
    # recorded from PyTorch
    assert nn.functional.dropout(mg.ones(3, 2).t(), 0.5).tolist() == [[0, 2, 0], [0, 0, 0]]

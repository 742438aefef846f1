"""The names of `grad_fn`, which are PyTorch's where an operation is one of PyTorch's."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from cases import case

import minigrad as mg
import minigrad.nn.functional as F
from minigrad.nn.utils import rnn


def of(*shape: int) -> Any:
    return mg.ones(*shape, requires_grad=True) * 1.0


def changed(change: Any) -> Any:
    y = of(3, 3).clone()
    change(y)
    return y


def whole(y: Any) -> None:
    y[...] = mg.tensor(3.0)


def packed(in_order: bool) -> Any:
    return rnn.pack_padded_sequence(BATCH, mg.tensor([2, 2, 1]), enforce_sorted=in_order)


def unpacked(in_order: bool, batch_first: bool) -> Any:
    return rnn.pad_packed_sequence(packed(in_order), batch_first)[0]


X, V, BATCH, IMAGE = of(3, 3), of(3), of(2, 3, 3), of(1, 2, 8, 8)
SYMMETRIC = mg.eye(3, requires_grad=True)
NAMES: list[tuple[str, Any]] = [
    ("NormalBackward1", lambda: mg.normal(X, 1.0)), ("NormalBackward2", lambda: mg.normal(1.0, X)),
    ("NormalBackward3", lambda: mg.normal(X, X)), ("BernoulliBackward0", lambda: X.bernoulli()),
    ("PoissonBackward0", lambda: mg.poisson(X)), ("NotImplemented", lambda: mg.heaviside(X, X)),
    ("RsubBackward1", lambda: 1 - X), ("SubBackward0", lambda: X - 1), ("AddBackward0", lambda: 1 + X),
    ("PowBackward0", lambda: X**2), ("PowBackward1", lambda: X**X), ("PowBackward2", lambda: 2**X),
    ("PowBackward0", lambda: X.square()), ("Log1PBackward0", lambda: X.log1p()),
    ("RemainderBackward0", lambda: X % 2), ("RemainderBackward1", lambda: X % X),
    ("LerpBackward0", lambda: mg.lerp(X, X, 0.5)), ("LerpBackward1", lambda: mg.lerp(X, X, X)),
    ("CopysignBackward0", lambda: mg.copysign(X, X)), ("CopysignBackward1", lambda: mg.copysign(X, 1.0)),
    ("RoundBackward0", lambda: X.round()), ("RoundBackward1", lambda: X.round(decimals=2)),
    ("DivBackward2", lambda: mg.div(X, X, rounding_mode="floor")), ("ClampBackward1", lambda: X.clamp(0, 1)),
    ("SumBackward0", lambda: X.sum()), ("SumBackward1", lambda: X.sum(1)), ("MeanBackward1", lambda: X.mean(0)),
    ("ProdBackward0", lambda: X.prod()), ("ProdBackward1", lambda: X.prod(0)), ("MaxBackward1", lambda: X.max()),
    ("LinalgVectorNormBackward0", lambda: X.norm()), ("DotBackward0", lambda: V @ V), ("MmBackward0", lambda: X @ X),
    ("UnsafeViewBackward0", lambda: BATCH @ X), ("UnsafeViewBackward0", lambda: mg.ones(3, 3) @ BATCH),
    ("CloneBackward0", lambda: X @ BATCH), ("TransposeBackward0", lambda: of(1, 3) @ BATCH),
    ("CloneBackward0", lambda: of(1, 3, 3) @ BATCH),
    ("ViewBackward0", lambda: mg.linalg.multi_dot([X, X, V])), ("SqueezeBackward0", lambda: X.cov()),
    ("ViewBackward0", lambda: mg.chain_matmul(X, X)), ("AddBackward0", lambda: F.bilinear(X, X, BATCH, of(2))),
    ("ViewBackward0", lambda: F.bilinear(X, X, BATCH)),
    ("UnsafeViewBackward0", lambda: BATCH @ BATCH), ("AddmmBackward0", lambda: F.linear(X, X, V)),
    ("MmBackward0", lambda: F.linear(X, X)), ("ViewBackward0", lambda: F.linear(BATCH, X, V)),
    ("ViewBackward0", lambda: X.view(9)), ("UnsqueezeBackward0", lambda: X.unsqueeze(1)),
    ("SqueezeBackward1", lambda: of(3, 1).squeeze(1)), ("SqueezeBackward0", lambda: of(1, 3, 1).squeeze()),
    ("PermuteBackward0", lambda: X.T), ("TransposeBackward0", lambda: BATCH.mT),
    ("PermuteBackward0", lambda: BATCH.permute(2, 0, 1)), ("CloneBackward0", lambda: X.T.contiguous()),
    ("ToCopyBackward0", lambda: X.double()), ("SelectBackward0", lambda: X[:, 0]), ("SliceBackward0", lambda: X[0, 1:]),
    ("SqueezeBackward2", lambda: of(1, 3).squeeze((0,))), ("SqueezeBackward1", lambda: X.squeeze(0)),
    ("SqueezeBackward0", lambda: X.squeeze()), ("ViewBackward0", lambda: of(1, 3).view(3)),
    ("TransposeBackward0", lambda: X.mT), ("PermuteBackward0", lambda: BATCH.movedim(0, 1)),
    ("UnsafeViewBackward0", lambda: BATCH.transpose(0, 1).reshape(-1)),
    ("AliasBackward0", lambda: X[...]), ("AliasBackward0", lambda: X[()]), ("AliasBackward0", lambda: X[:, 0:3]),
    ("SliceBackward0", lambda: X[:]), ("NotImplemented", lambda: X // 2), ("RsubBackward0", lambda: mg.rsub(X, X)),
    ("UnsafeViewBackward0", lambda: F.linear(BATCH, X)), ("NativeGroupNormBackward0", lambda: F.group_norm(BATCH, 1)),
    ("NativeBatchNormBackward0", lambda: F.batch_norm(X, mg.zeros(3), mg.ones(3))),
    ("ScatterBackward1", lambda: X.scatter(0, mg.zeros(1, 1, dtype=mg.int64), 1.0)),
    ("ScatterBackward0", lambda: X.scatter(0, mg.zeros(1, 1, dtype=mg.int64), X)),
    ("SelectBackward0", lambda: mg.complex(X, X).real), ("CopyBackwards", lambda: changed(whole)),
    ("MkldnnRnnLayerBackward0", lambda: mg.nn.LSTM(3, 2)(BATCH)[0]),
    ("StackBackward0", lambda: mg.nn.GRU(3, 2)(BATCH)[0]),
    ("CatBackward0", lambda: mg.nn.RNN(3, 2, bidirectional=True)(BATCH)[0]),
    ("TransposeBackward1", lambda: mg.nn.GRU(3, 2, batch_first=True)(BATCH)[0]),
    ("UnsqueezeBackward0", lambda: X[:, None]), ("SliceBackward0", lambda: X[..., 1:]),
    ("TriuBackward0", lambda: X.triu()),
    ("TrilBackward0", lambda: X.tril()), ("UnfoldBackward0", lambda: V.unfold(0, 2, 1)),
    ("ConstantPadNdBackward0", lambda: F.pad(X, (1, 1))),
    ("ConvolutionBackward0", lambda: F.conv2d(IMAGE, of(2, 2, 3, 3))),
    ("MaxPool2DWithIndicesBackward0", lambda: F.max_pool2d(IMAGE, 2)),
    ("AvgPool2DBackward0", lambda: F.avg_pool2d(IMAGE, 2)),
    ("AdaptiveAvgPool2DBackward0", lambda: F.adaptive_avg_pool2d(IMAGE, 3)),
    ("AdaptiveMaxPool2DBackward0", lambda: F.adaptive_max_pool2d(IMAGE, 3)),
    ("UpsampleNearest2DBackward0", lambda: F.interpolate(IMAGE, 4)),
    ("UpsampleNearestExact2DBackward0", lambda: F.interpolate(IMAGE, 4, mode="nearest-exact")),
    ("UpsampleBilinear2DBackward0", lambda: F.interpolate(IMAGE, 4, mode="bilinear")),
    ("UpsampleBicubic2DBackward0", lambda: F.interpolate(IMAGE, 4, mode="bicubic")),
    ("NativeLayerNormBackward0", lambda: F.layer_norm(X, (3,))),
    ("NativeLayerNormBackward0", lambda: F.layer_norm(X, (3,), V, V)),
    ("NativeBatchNormBackward0", lambda: F.batch_norm(X, None, None, training=True)),
    ("NativeBatchNormBackward0", lambda: F.batch_norm(X, None, None, V, V, training=True)),
    ("NativeGroupNormBackward0", lambda: F.group_norm(X, 1, V, V)),
    ("LinalgInvExBackward0", lambda: mg.linalg.inv(SYMMETRIC)),
    ("LinalgEighBackward0", lambda: mg.linalg.eigh(SYMMETRIC)[1]),
    ("AddmmBackward0", lambda: mg.addmm(X, X, X)), ("TBackward0", lambda: X.t()),
    ("TransposeBackward0", lambda: X.transpose(0, 1)), ("MaxBackward0", lambda: X.max(0)[0]),
    ("SortBackward0", lambda: X.sort()[0]), ("TopkBackward0", lambda: X.topk(2)[0]),
    ("SplitBackward0", lambda: X.chunk(3)[1]), ("SplitWithSizesBackward0", lambda: X.split([1, 2])[0]),
    ("MaskedFillBackward0", lambda: X.masked_fill(X > 0, 1.0)),
    ("MaskedFillBackward1", lambda: X.masked_fill(X > 0, V[0])),
    ("MseLossBackward0", lambda: F.mse_loss(X, X, reduction="sum")), ("HuberLossBackward0", lambda: F.huber_loss(X, X)),
    ("SmoothL1LossBackward0", lambda: F.smooth_l1_loss(X, X)),
    ("MeanBackward0", lambda: F.smooth_l1_loss(X, X, beta=0.0)),
    ("NllLossBackward0", lambda: F.cross_entropy(X, mg.tensor([0, 1, 2]), V)),
    ("NllLoss2DBackward0", lambda: F.cross_entropy(BATCH, mg.zeros(2, 3, dtype=mg.int64))),
    ("DivBackward1", lambda: F.cross_entropy(X, X)), ("NllLossBackward0", lambda: F.nll_loss(X, mg.tensor([0, 1, 2]))),
    ("BinaryCrossEntropyBackward0", lambda: F.binary_cross_entropy(X.sigmoid(), X.detach())),
    ("BinaryCrossEntropyWithLogitsBackward0", lambda: F.binary_cross_entropy_with_logits(X, X)),
    ("ReflectionPad2DBackward0", lambda: F.pad(IMAGE, (1, 1, 1, 1), mode="reflect")),
    ("MeanBackward1", lambda: F.adaptive_avg_pool2d(IMAGE, 1)), ("SqueezeBackward1", lambda: F.max_pool1d(BATCH, 2)),
    ("ScaledDotProductFlashAttentionForCpuBackward0", lambda: F.scaled_dot_product_attention(IMAGE, IMAGE, IMAGE)),
    ("GluBackward0", lambda: F.glu(of(2, 4))), ("LinalgSolveExBackward0", lambda: mg.linalg.solve(SYMMETRIC, X)),
    ("AddBackward0", lambda: mg.nn.LSTMCell(3, 2)(X)[1]), ("TanhBackward0", lambda: mg.nn.RNNCell(3, 2)(X)),
    ("LeakyReluBackward1", lambda: mg.nn.LeakyReLU(inplace=True)(X.clone())),
    ("LeakyReluBackward0", lambda: F.leaky_relu(X)),
    ("EluBackward1", lambda: F.selu(X.clone(), inplace=True)), ("EluBackward0", lambda: F.elu(X)),
    ("CeluBackward1", lambda: mg.celu_(X.clone())), ("CeluBackward0", lambda: F.celu(X)),
    ("RreluWithNoiseBackward1", lambda: F.rrelu_(X.clone())), ("RreluWithNoiseBackward0", lambda: F.rrelu(X)),
    ("ThresholdBackward1", lambda: F.threshold_(X.clone(), 0.0, 0.0)),
    ("SelectBackward0", lambda: F.elu_(X.clone()[0])),
    ("DiagonalBackward0_copy", lambda: X.diag()), ("DiagonalBackward0_copy", lambda: mg.diagonal_copy(X)),
    ("PackPaddedSequenceBackward0", lambda: packed(False).data), ("CopySlices", lambda: unpacked(True, False)),
    ("IndexSelectBackward0", lambda: unpacked(False, True)), ("TransposeBackward0", lambda: unpacked(True, True)),
    ("CopySlices", lambda: rnn.pad_sequence([X, X[:1]])),
    ("IndexSelectBackward0", lambda: mg.nn.GRU(3, 2)(packed(False))[1]),
    ("EmbeddingBagBackward0", lambda: mg.nn.EmbeddingBag(3, 2)(mg.tensor([[1, 2]]))),
    ("CopyBackwards", lambda: changed(lambda y: y.copy_(X))), ("CopySlices", lambda: changed(lambda y: y[0].mul_(2))),
    ("ZeroBackward0", lambda: changed(lambda y: y.zero_())), ("FillBackward2", lambda: changed(lambda y: y.fill_(2))),
    ("FillBackward3", lambda: changed(lambda y: y.fill_(V[0]))),
    ("CopySlices", lambda: changed(lambda y: y[0].zero_())),
]  # fmt: skip


def names_behind(node: Any) -> Any:
    """The name of a record, and in a list those of all that it leads to."""
    name, nexts = node.name(), [n for n, _ in node.next_functions if n is not None]
    return [name, *map(names_behind, nexts)] if nexts else name


def test_a_walk_meets_the_records_of_pytorch() -> None:
    net = mg.nn.Sequential(mg.nn.Linear(3, 4), mg.nn.ReLU(), mg.nn.Linear(4, 2, bias=False))
    leaf, x = "torch::autograd::AccumulateGrad", mg.ones(2, 3)
    inner = ["ReluBackward0", ["AddmmBackward0", leaf, ["TBackward0", leaf]]]
    outer = ["MmBackward0", inner, ["TBackward0", leaf]]
    loss = F.cross_entropy(net(x), mg.tensor([0, 1]))
    assert names_behind(loss.grad_fn) == ["NllLossBackward0", ["LogSoftmaxBackward0", outer]]
    assert names_behind(F.smooth_l1_loss(net(x), x[:, :2]).grad_fn) == ["SmoothL1LossBackward0", outer]
    y = net[0](mg.ones(1, 2, 3, requires_grad=True))
    addmm = ["AddmmBackward0", leaf, ["ViewBackward0", leaf], ["TBackward0", leaf]]
    assert names_behind(y.grad_fn) == ["ViewBackward0", addmm]
    assert y.grad_fn.next_functions[0][0].next_functions[0][0].variable is net[0].bias


def test_what_programs_ask_of_records() -> None:
    """The class has PyTorch's name; only leaves have a variable; only what is kept is listed; a `ctx` shows through."""

    class Twice(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.factor, ctx.few = 2, "few"
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.factor

    x = mg.ones(3, requires_grad=True)
    twice: Any = Twice.apply(x)
    y = (twice.exp() * x).sum()
    seen: list[Any] = [y.grad_fn]
    for fn in seen:
        seen.extend(n for n, _ in fn.next_functions if n is not None)
        assert isinstance(fn, mg.autograd.graph.Node)
        for name in dir(fn):  # as torchviz does
            assert not name.startswith("_saved_") or isinstance(getattr(fn, name), mg.Tensor)
    assert [type(n).__name__ for n in seen] == [
        "SumBackward0", "MulBackward0", "ExpBackward0", "AccumulateGrad", "TwiceBackward", "AccumulateGrad",
    ]  # fmt: skip
    assert [hasattr(n, "variable") for n in seen] == [False, False, False, True, False, True]
    assert (seen[3].variable is x, type(seen[0]), seen[0] is y.grad_fn) == (True, type(x.sum().grad_fn), True)
    fn = twice.grad_fn
    assert (fn.saved_tensors[0].grad_fn, fn.factor, fn.needs_input_grad) == (None, 2, (True,))
    assert not hasattr(fn, "other")
    z = twice.clone()
    z[0] = 1
    assert (z.grad_fn.name(), "<CopySlices>" in repr(z)) == ("torch::autograd::CopySlices", True)
    y.backward()  # records whose class was shown are walked as others
    assert len(mg.tape.tape(y)) == 5
    with pytest.raises(TypeError, match="cannot pickle 'SumBackward0' object"):
        pickle.dumps(y.grad_fn)


def test_readers_say_the_same_of_records_that_users_have_seen() -> None:
    loss = mg.nn.LSTM(2, 3)(mg.ones(4, 1, 2))[0].sum()
    said, seen = str(mg.explain(loss)), [loss.grad_fn]
    for fn in seen:
        seen.extend(n for n, _ in fn.next_functions if n is not None)
    assert str(mg.explain(loss)) == said


ROWS, MASK = mg.tensor([0, 1, 2]), mg.ones(3, 3) > 0
EDGES: dict[str, tuple[Any, list[bool]]] = {
    "index": (lambda: X[ROWS], [True]), "gather": (lambda: X.gather(1, ROWS[:, None]), [True]),
    "nll_loss": (lambda: F.nll_loss(X, ROWS), [True]),
    "where": (lambda: mg.where(MASK, X, mg.ones(3, 3)), [True, False]),
    "embedding": (lambda: F.embedding(ROWS, X), [True]), "masked_fill": (lambda: X.masked_fill(MASK, 0.0), [True]),
    "index_put": (lambda: X.index_put((ROWS,), mg.ones(3, 3)), [True, False]), "sort": (lambda: X.sort()[0], [True]),
    "index_add": (lambda: X.index_add(0, ROWS, mg.ones(3, 3)), [True, False]), "mul": (lambda: X * 2, [True, False]),
    "rsub": (lambda: 1 - X, [True]), "fmod": (lambda: mg.fmod(X, 2), [True]), "sub": (lambda: X - 1, [True, False]),
}  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
def test_indices_masks_and_targets_are_no_edges(name: str) -> None:
    make, expected = EDGES[name]
    assert [n is not None for n, _ in make().grad_fn.next_functions] == expected


def test_what_a_function_gives_back_keeps_its_name() -> None:
    y = X * 2
    assert F.dropout(y, training=False).grad_fn.name() == "MulBackward0"
    assert F.pad(y, (0, 0), mode="constant").grad_fn.name() == "ConstantPadNdBackward0"


def test_a_checkpoint_finds_the_records_again() -> None:
    x = mg.randn(3, 4, requires_grad=True)
    for function in (lambda x: x.sort()[0].exp(), lambda x: F.cross_entropy(x * 1, mg.tensor([0, 1, 2]))):
        mg.utils.checkpoint.checkpoint(function, x, use_reentrant=False).sum().backward()


def test_names_are_pytorch_s() -> None:
    for name, function in NAMES:
        with case(name):
            assert type(function().grad_fn).__name__ == name

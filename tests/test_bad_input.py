"""What functions of `nn` refuse, by PyTorch's kind of error, and the element types of their results."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F
from minigrad.nn.utils import rnn

X, D = mg.ones(2, 3), mg.ones(2, 3, dtype=mg.float64)
WHOLE, FLAGS = mg.ones(2, 3, dtype=mg.int64), mg.ones(2, 3, dtype=mg.bool)
TABLE, ROWS, STARTS = mg.arange(6.0).reshape(3, 2), mg.tensor([0, 1]), mg.tensor([0, 1])
LOGS, TARGETS = mg.zeros(5, 2, 3), mg.tensor([[1, 2], [2, 1]])


def bag(rows: Any = ROWS, table: Any = TABLE, starts: Any = STARTS, **options: Any) -> mg.Tensor:
    return F.embedding_bag(rows, table, starts, **{"mode": "sum", **options})


# By kind: the call, and a part of the sentence.
REFUSED: dict[type[Exception], list[tuple[Callable[[], Any], str]]] = {
    RuntimeError: [
        (lambda: F.embedding(TABLE, ROWS), "must be 2-D: indices come first, then a weight (rows, size), got [2]"),
        (lambda: X.masked_fill(ROWS[:, None], 0.0), "got mask with dtype long int; use .bool()"),
        (lambda: FLAGS.byte().masked_fill(FLAGS, mg.tensor(300)), "type uint8 without overflow: 300"),
        (lambda: WHOLE.index_fill(0, ROWS, mg.tensor(math.nan)), "type int64 without overflow: nan"),
        (lambda: X.index_fill(0, ROWS, mg.tensor(1e300, dtype=mg.float64)), "float32 without overflow: 1e+300"),
        (lambda: X.masked_fill(FLAGS, mg.tensor(1j)), "type float32 without overflow: 1j"),
        (lambda: X.put(ROWS.int(), X[0, :2]), "Expected a long tensor for index, but got Int"),
        (lambda: X.index_copy(0, ROWS.int(), X), "Expected dtype int64 for index, got minigrad.int32"),
        (lambda: X[0].copy_(X), "a value is repeated to the shape that it is written to"),
        (lambda: mg.optim.SGD([{"lr": 0.1}]), "a group of parameters is a dict, {'params': Tensors"),
        (lambda: F.kl_div(WHOLE, X, reduction="sum"), "Integral inputs not supported"),
        (lambda: F.kl_div(X, FLAGS, reduction="sum", log_target=True), "Integral inputs not supported"),
        (lambda: F.soft_margin_loss(WHOLE, X), "can't be cast to the input's"),
        (lambda: F.huber_loss(WHOLE, X), "can't be cast to the input's"),
        (lambda: F.hinge_embedding_loss(WHOLE, X), "mean(): could not infer output dtype"),
        (lambda: F.hinge_embedding_loss(FLAGS, X, reduction="sum"), "bool tensor is not supported"),
        (lambda: F.huber_loss(X, X, delta=math.nan), "non-positive values for delta"),
        (lambda: F.smooth_l1_loss(X, X, beta=math.nan), "negative values for beta"),
        (lambda: F.normalize(WHOLE), "Expected a floating point tensor"),
        (lambda: F.binary_cross_entropy(0.5 * X[0], X[0], X), "doesn't match the broadcast shape [2, 3]"),
        (lambda: F.binary_cross_entropy_with_logits(X[0], X[0], X), "doesn't match the broadcast shape [2, 3]"),
        (lambda: F.binary_cross_entropy_with_logits(X[0], X[0], pos_weight=X), "the broadcast shape [2, 3]"),
        (lambda: F.multilabel_margin_loss(X[:, :0], WHOLE[:, :0]), "Expected non-empty vector or matrix"),
        (lambda: F.scaled_dot_product_attention(X, X, X, mg.zeros(4, 2, 2)), "the broadcast shape [4, 2, 2]"),
        (lambda: F.scaled_dot_product_attention(X, X, X, mg.ones(4, 2, 2) > 0), "the broadcast shape [4, 2, 2]"),
        (lambda: F.scaled_dot_product_attention(X, X, X, dropout_p=2.0), "between 0 and 1, but got 2"),
        (lambda: F.scaled_dot_product_attention(X, X, X, mg.ones(2, 2).double()), "Expected attn_mask dtype"),
        (lambda: F.layer_norm(X.half(), (3,), X[0], X[0].half()), "mixed dtype (CPU)"),
        (lambda: F.layer_norm(X.half(), (3,), X[0].half(), X[0]), "mixed dtype (CPU)"),
        (lambda: F.group_norm(X.half(), 1, X[0], X[0].half()), "mixed dtype (CPU)"),
        (lambda: F.batch_norm(X.half(), X[0], X[0].half()), "mixed dtype (CPU)"),
        (lambda: F.batch_norm(X.half(), X[0], X[0], X[0].half(), training=True), "mixed dtype (CPU)"),
        (lambda: F.batch_norm(X, X[0], None), "to be defined when training=False"),
        (lambda: F.cosine_similarity(WHOLE, FLAGS), "expected common dtype to be floating point"),
        (lambda: F.multi_margin_loss(X, ROWS, weight=mg.ones(2)), "inconsistent weight size, expected 3"),
        (lambda: F.multi_margin_loss(X, ROWS, weight=mg.ones(3).double()), "for the weight"),
        (lambda: F.cross_entropy(X, mg.tensor([0, 1]), mg.ones(3).double()), "for the weight"),
        (lambda: F.cross_entropy(mg.ones(2, 3, 4, 5, 6), ROWS), "Expected target size [2, 4, 5, 6]"),
        (lambda: F.cross_entropy(mg.ones(3), mg.ones(2)), "expected target dtype to be Long"),
        (lambda: bag(mg.tensor([0, 5])), "Index 1 of input takes value 5 which is not in the valid range [0, 3)"),
        (lambda: nn.EmbeddingBag(3, 2)(mg.tensor([[-1, 0]])), "Index 0 of input takes value -1"),
        (lambda: bag(table=WHOLE), "Half, Float, Double"),
        (lambda: bag(starts=mg.tensor([0, -1])), "offsets must not decrease"),
        (lambda: bag(starts=mg.ones(2)), "'offsets' to have one of the following scalar types: Long, Int"),
        (lambda: bag(padding_idx=3), "-3 through 2, but got 3"),
        (lambda: bag(per_sample_weights=mg.ones(2).double()), "per_sample_weights of the same type"),
        (lambda: F.conv2d(mg.ones(1, 3, 4, 4), mg.ones(0, 3, 2, 2)), "weight to be at least 1 at dimension 0"),
        (lambda: F.max_unpool2d(mg.ones(3), mg.ones(3).long(), 2), "3d or 4d Tensor"),
        (lambda: nn.LSTM(3, 4)(X, (X, X, X)), "lstm expects two hidden states"),  # type: ignore[arg-type]
        (lambda: nn.LSTMCell(3, 4)(X, (X,)), "lstm expects two hidden states"),  # type: ignore[arg-type]
        (lambda: rnn.pad_sequence([mg.tensor(1.0)]), "without dimensions has no length"),
        (lambda: F.conv2d(mg.ones(1, 4, 4, 3), mg.ones(2, 3, 1, 1)), "has the channels: .movedim(-1, -3)"),
        (lambda: F.conv_transpose1d(mg.ones(4, 3), mg.ones(3, 2, 1)), "has the channels: .movedim(-1, -2)"),
        (lambda: F.conv2d(mg.ones(4, 4), mg.ones(2, 3, 1, 1)), "size: [4, 4]; unsqueeze(0) adds a dimension"),
        (lambda: F.conv1d(mg.ones(3, 1), mg.ones(2, 3, 2)), "actual input size; give padding"),
        (lambda: F.binary_cross_entropy(X + 2, X), "of input should be between 0 and 1; take the sigmoid"),
        (lambda: nn.L1Loss(X, X), "make the loss first, then call it: loss(input"),  # type: ignore[arg-type]
        (lambda: F.binary_cross_entropy(0 * X, X + 1), "all elements of target should be between 0 and 1"),
        (lambda: F.unfold(mg.ones(1, 1, 4, 4), (2,)), "It is expected kernel_size equals to 2, but got size 1"),
        (lambda: F.fold(mg.ones(1, 4, 9), 4, 2, padding=[0]), "It is expected padding equals to 2, but got size 1"),
        (lambda: F.adaptive_avg_pool2d(mg.ones(2, 3, 0, 3), (1, 2)), "non-zero size for non-batch dimensions"),
        (lambda: F.adaptive_max_pool1d(mg.ones(2, 0, 3), 1), "non-zero size for non-batch dimensions"),
        (lambda: mg.unique(mg.ones(2, 0), dim=0), "There are 0 sized dimensions, and they aren't selected"),
        (lambda: mg.index_add(X, 0, mg.tensor([2]), mg.ones(1, 3)), "index 2 is out of bounds for dimension 0"),
    ],
    NotImplementedError: [
        (lambda: F.binary_cross_entropy_with_logits(WHOLE, X), '"log_sigmoid" not implemented'),
        (lambda: F.mse_loss(WHOLE, WHOLE, reduction="sum"), '"mse_loss" not implemented'),
        (lambda: F.smooth_l1_loss(FLAGS, FLAGS), '"smooth_l1_loss" not implemented'),
        (lambda: F.multi_margin_loss(X.half(), ROWS), "\"multi_margin_loss\" not implemented for 'Half'"),
        (lambda: F.multi_margin_loss(WHOLE, ROWS), '"multi_margin_loss" not implemented'),
        (lambda: F.multilabel_margin_loss(X.half(), X.long()), "\"multilabel_margin_loss\" not implemented"),
        (lambda: F.pdist(X.half()), "\"pdist\" not implemented for 'Half'"),
        (lambda: F.glu(mg.ones(2, dtype=mg.int64)), '"glu" not implemented'),
        (lambda: F.threshold(FLAGS, 0, 0), "\"threshold\" not implemented for 'Bool'"),
        (lambda: F.cross_entropy(WHOLE, mg.tensor([0])), '"log_softmax" not implemented'),
        (lambda: nn.BatchNorm1d(3)(WHOLE), "norms are not implemented"),
        (lambda: F.rms_norm(WHOLE, (3,)), "floating input"),
        (lambda: F.max_pool1d(WHOLE, 2), '"max_pool1d" not implemented'),
        (lambda: F.pad(FLAGS, (1, 1), "reflect"), "not implemented for 'Bool'"),
    ],
    TypeError: [
        (lambda: nn.utils.clip_grad_norm_(nn.Linear(1, 1), 1), "is not iterable; pass its parameters()"),
        (lambda: F.lp_pool1d(mg.ones(1, 2, 4), 2, (2,)), "argument 'kernel_size' must be int, not tuple"),
        (lambda: bag(padding_idx=1.5), "must be int, not float"),
        (lambda: nn.LSTMCell(3, 4)(X, X), "'hx' must be tuple of Tensors, not Tensor"),  # type: ignore[arg-type]
        (lambda: F.embedding(ROWS, TABLE, padding_idx=1.5), "must be int, not float"),  # type: ignore[arg-type]
        (lambda: F.layer_norm(X, 3), "tuple of ints, not int"),  # type: ignore[arg-type]
        (lambda: F.adaptive_avg_pool2d(mg.ones(1, 1, 2, 2), 1.5), "must be int or tuple of ints"),
        (lambda: F.ctc_loss(LOGS, TARGETS, (5.0, 4.0), (2, 2)), "tuple of ints"),  # type: ignore[arg-type]
    ],
    IndexError: [
        (lambda: X.index_fill(0, X[0], 1.0), "Expected dtype int64 for index, got minigrad.float32"),
        (lambda: X[0][:, 1:, 0:2:2, ...], "[:, 1:, 0:2:2, ...] has 3, the shape [3]"),
        (lambda: X[X], "got float32; use .long()"),
    ],
    ValueError: [
        (lambda: nn.Conv1d(3, 4, 1, groups=2), "in_channels must be divisible by groups, got 3 and 2"),
        (lambda: F.embedding(ROWS, TABLE, padding_idx=3), "Padding_idx must be within num_embeddings"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), "Padding_idx must be within num_embeddings"),
        (lambda: nn.EmbeddingBag(3, 2, padding_idx=-4), "padding_idx must be within num_embeddings"),
        (lambda: nn.Embedding(3, 2, _weight=X), "Shape of weight does not match"),
        (lambda: nn.Embedding.from_pretrained(X[0]), "expected to be 2-dimensional"),
        (lambda: nn.Hardtanh(2.0, 1.0), "max_val (1.0) must be greater than min_val (2.0)"),
        (lambda: nn.Upsample(scale_factor=0)(X[None]), "either size or scale_factor"),
        (lambda: F.cross_entropy(X, mg.tensor(1)), "batch_size (2) to match target batch_size (0)"),
        (lambda: F.nll_loss(X, ROWS[:1]), "(1). The input is [2, 3], the target [1]; both begin with the examples"),
        (lambda: F.rms_norm(mg.ones(()), (4,)), "at least 1 dimensions"),
        (lambda: F.instance_norm(mg.ones(3)), "more than 1 spatial element"),
        (lambda: F.batch_norm(X, X[0], None, training=True), "must either both be None or neither be None"),
        (lambda: F.instance_norm(mg.ones(2, 3, 4), None, X[0]), "must either both be None or neither be None"),
        (lambda: F.mse_loss(X, X, weight=X[0]), "Weights and input must have the same size"),
        (lambda: F.huber_loss(X, X, weight=X[0]), "Weights and input must have the same size"),
        (lambda: F.interpolate(X), "either size or scale_factor"),
        (lambda: F.interpolate(X, (2, 2)), "same number of spatial dimensions"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED, ids=lambda kind: kind.__name__)
def test_what_pytorch_refuses_is_refused(kind: type[Exception]) -> None:
    for call, says in REFUSED[kind]:
        with pytest.raises(kind, match=re.escape(says)) as error:
            call()
        assert type(error.value) is kind


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_results_have_pytorch_s_element_types() -> None:
    half = X.half()
    for y, dtype in (
        (F.mse_loss(X, FLAGS), mg.float32),
        (F.smooth_l1_loss(FLAGS, X), mg.float32),
        (F.huber_loss(X, D), mg.float32),
        (F.soft_margin_loss(half, X), mg.float16),
        (F.binary_cross_entropy_with_logits(D, X), mg.float32),
        (F.binary_cross_entropy(0.5 * X, X, weight=D), mg.float32),
        (F.cross_entropy(X, X, weight=mg.ones(3).double()), mg.float64),
        (F.hinge_embedding_loss(WHOLE, -WHOLE, 2.5, reduction="none"), mg.int64),
        (F.mse_loss(half, mg.tensor(0.5)), mg.float32),
        (F.l1_loss(mg.tensor(0.5), half), mg.float32),
        (F.cosine_similarity(X, WHOLE), mg.float32),
        (F.scaled_dot_product_attention(D, D, D, mg.zeros(2, 2)), mg.float64),
        (F.scaled_dot_product_attention(half, half, half, mg.zeros(2, 2)), mg.float16),
        (F.layer_norm(half, (3,), None, X[0]), mg.float16),
        (F.batch_norm(half, X[0], X[0], X[0], X[0]), mg.float16),
    ):
        assert y.dtype is dtype, (y, dtype)
    assert (
        F.hinge_embedding_loss(WHOLE, -WHOLE, 2.5, reduction="sum").item() == 6
    )  # the margin is cut off to 2
    # norms with a bias alone are rounded once
    x, bias = mg.rand(4, 6).half(), mg.rand(6) + 2
    for norm in (
        lambda x, b: F.layer_norm(x, (6,), None, b),
        lambda x, b: F.group_norm(x, 2, None, b),
        lambda x, b: F.batch_norm(x, None, None, None, b, True),
        lambda x, b: F.batch_norm(x, bias, bias, None, b),
    ):
        assert mg.equal(norm(x, bias), norm(x.float(), bias).half())
    assert F.multilabel_soft_margin_loss(mg.ones(3), X, reduction="none").shape == (3,)
    assert F.l1_loss(X[0], 2 * X, weight=X[0], reduction="none").tolist() == [[1.0] * 3] * 2
    assert F.kl_div(mg.tensor(-1.0), mg.ones(2), reduction="batchmean") == 2.0
    # a legacy flag chooses the reduction, and the size of the batch still divides
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
        assert F.kl_div(mg.full((2, 3), -1.0), mg.ones(2, 3), True, reduction="batchmean") == 0.5
    # the norm of a half is one too
    assert F.cosine_similarity(X, half).tolist() == pytest.approx([0.99965036] * 2)
    assert F.nll_loss(mg.ones(3), mg.tensor([1]), reduction="none").shape == ()


def test_bags_at_the_edges() -> None:
    for mode, first in (("sum", [0.0, 1.0]), ("mean", [0.0, 1.0]), ("max", [0.0, 1.0])):
        # what stands behind the last offset is in no bag
        assert bag(mode=mode, include_last_offset=True).tolist() == [first], mode
    weights = mg.tensor([2.0, 3.0])
    assert bag(include_last_offset=True, per_sample_weights=weights).tolist() == [[0.0, 2.0]]
    assert bag(starts=mg.tensor([], dtype=mg.int64)).shape == (0, 2)
    assert bag(table=mg.ones(3, 0)).shape == (2, 0)
    assert bag(padding_idx=-3).tolist() == [[0.0, 0.0], [2.0, 3.0]]


def test_samples_of_a_fractional_pool_may_have_more_rows_than_one_image() -> None:
    x, samples = mg.rand(2, 5, 5), mg.rand(3, 2, 2)
    one, more = (F.fractional_max_pool2d(x, 2, 2, _random_samples=s) for s in (samples[:1], samples))
    assert mg.equal(one, more)
    with pytest.raises(RuntimeError, match="Expect _random_samples"):
        F.fractional_max_pool2d(x, 2, 2, _random_samples=samples[:, :1])


def test_gradients_of_bags_by_frequency() -> None:
    table = mg.ones(4, 1, requires_grad=True)
    F.embedding_bag(mg.tensor([[0, 1, 0, 2, 0]]), table, mode="sum", scale_grad_by_freq=True).sum().backward()
    assert table.grad is not None
    assert table.grad.flatten().tolist() == pytest.approx([1.0, 1.0, 1.0, 0.0])


def test_means_and_windows_of_nothing() -> None:
    assert F.adaptive_avg_pool1d(mg.ones(2, 0, 3), 2).shape == (2, 0, 2)
    assert F.adaptive_avg_pool2d(mg.ones(2, 0, 3, 3), 2).shape == (2, 0, 2, 2)
    assert F.adaptive_avg_pool2d(mg.ones(2, 3, 0, 3), 1).isnan().all()
    assert F.adaptive_avg_pool3d(mg.ones(2, 0, 3, 3, 3), 1).shape == (2, 0, 1, 1, 1)
    assert F.adaptive_max_pool1d(mg.ones(0, 3), 2).shape == (0, 2)
    empty = mg.ones(2, 3, 0, requires_grad=True)
    F.adaptive_avg_pool1d(empty, 1).sum().backward()
    assert empty.grad is not None
    assert empty.grad.shape == (2, 3, 0)
    assert F.lp_pool1d(mg.tensor([[[3, 4]]]), 2, 2).tolist() == [[[5.0]]]


def test_gradients_are_not_lost_in_silence() -> None:
    x = mg.tensor([[2.0, 0.0, 2.0]], requires_grad=True)
    for values in (x.unique(), x.unique(return_counts=True, dim=1)[0], mg.unique_consecutive(x)):
        assert values.requires_grad
        with pytest.raises(NotImplementedError, match="derivative for 'unique"):
            values.sum().backward()
    assert not x.detach().unique().requires_grad
    nothing, source = mg.zeros(0, 1, dtype=mg.int64), mg.ones(0, 3, requires_grad=True)
    for y in (
        mg.scatter(mg.ones(1, 3), 0, nothing, source),
        mg.scatter_add(mg.ones(1, 3), 0, nothing, source),
        mg.scatter_reduce(mg.ones(1, 3), 0, nothing, source, "amax"),
    ):
        assert y.tolist() == [[1.0] * 3]
        (g,) = mg.autograd.grad(y.sum(), source)
        assert g.shape == (0, 3)
    scores, weight = mg.rand(4, 3, dtype=mg.float64), (mg.rand(3, dtype=mg.float64) + 0.5).requires_grad_()
    for target in (mg.tensor([0, 1, 2, 1]), mg.rand(4, 3, dtype=mg.float64)):
        for smoothing in (0.0, 0.2):
            assert mg.autograd.gradcheck(
                lambda w, t=target, s=smoothing: F.cross_entropy(scores, t, w, label_smoothing=s), weight
            )


def test_infinite_scores_and_whole_steps() -> None:
    infinite = mg.tensor([math.inf, math.inf, -math.inf, 1.0])
    losses = F.binary_cross_entropy_with_logits(
        infinite, mg.tensor([0.0, 1.0, 0.5, math.inf]), reduction="none"
    )
    assert [math.isnan(x) or x for x in losses.tolist()] == [math.inf, True, True, -math.inf]
    whole = mg.index_add(
        mg.ones(2, dtype=mg.uint8), 0, mg.tensor([0]), mg.tensor([5], dtype=mg.uint8), alpha=1.5
    )
    assert whole.tolist() == [6, 1]

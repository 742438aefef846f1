"""Functions of `nn.functional` that PyTorch has beside it too, with parameters of their own.

A reduction is a number here: 0 for none, which is the default as in PyTorch, 1 for the mean, 2 for the sum. ValueError
for another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minigrad.errors import value_error
from minigrad.gate import case, public
from minigrad.nn import functional as F
from minigrad.tensor import Tensor

__all__ = [
    "adaptive_max_pool1d", "batch_norm", "bilinear", "binary_cross_entropy_with_logits", "conv_tbc",
    "cosine_embedding_loss", "cosine_similarity", "ctc_loss", "embedding", "group_norm", "gru_cell",
    "hinge_embedding_loss", "instance_norm", "kl_div", "layer_norm", "lstm_cell", "margin_ranking_loss",
    "max_pool1d_with_indices", "norm_except_dim", "pairwise_distance", "poisson_nll_loss", "rms_norm",
    "rnn_relu_cell", "rnn_tanh_cell", "triplet_margin_loss",
]  # fmt: skip


def _reduction(number: int) -> str:
    if number not in (0, 1, 2):
        raise value_error(f"reduction is 0 (none), 1 (mean) or 2 (sum), got {number!r}")
    return ("none", "mean", "sum")[number]


# ---------------------------------------------------------------- norms


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:
    """:func:`minigrad.nn.functional.layer_norm`; ``cudnn_enable`` changes nothing."""
    return F.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """:func:`minigrad.nn.functional.rms_norm`."""
    return F.rms_norm(input, normalized_shape, weight, eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:
    """:func:`minigrad.nn.functional.group_norm`; ``cudnn_enabled`` changes nothing."""
    return F.group_norm(input, num_groups, weight, bias, eps)


def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """:func:`minigrad.nn.functional.batch_norm`, with its arguments in another order."""
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """:func:`minigrad.nn.functional.instance_norm`, with its arguments in another order."""
    return F.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


# ---------------------------------------------------------------- layers


def embedding(
    weight: Tensor,
    indices: Tensor,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """:func:`minigrad.nn.functional.embedding`, with the table first; a ``padding_idx`` below 0 is none."""
    padding = padding_idx if padding_idx >= 0 else None
    return F.embedding(indices, weight, padding, None, 2.0, scale_grad_by_freq, sparse)


bilinear = F.bilinear
max_pool1d_with_indices = F.max_pool1d_with_indices


# ---------------------------------------------------------------- distances and losses

cosine_similarity = F.cosine_similarity
pairwise_distance = F.pairwise_distance


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: int = 0,
) -> Tensor:
    """:func:`minigrad.nn.functional.binary_cross_entropy_with_logits`, with a number for the reduction."""
    return F.binary_cross_entropy_with_logits(
        input, target, weight, reduction=_reduction(reduction), pos_weight=pos_weight
    )


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """:func:`minigrad.nn.functional.cosine_embedding_loss`, with a number for the reduction."""
    return F.cosine_embedding_loss(input1, input2, target, margin, reduction=_reduction(reduction))


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """:func:`minigrad.nn.functional.ctc_loss`, with a number for the reduction."""
    kind = _reduction(reduction)
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, kind, zero_infinity)


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0) -> Tensor:
    """:func:`minigrad.nn.functional.hinge_embedding_loss`, with a number for the reduction."""
    return F.hinge_embedding_loss(input, target, margin, reduction=_reduction(reduction))


def kl_div(input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False) -> Tensor:
    """:func:`minigrad.nn.functional.kl_div`, with a number for the reduction."""
    if _reduction(reduction) == "mean":  # over all elements, and without a warning of it
        return F.kl_div(input, target, reduction="none", log_target=log_target).mean()
    return F.kl_div(input, target, reduction=_reduction(reduction), log_target=log_target)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """:func:`minigrad.nn.functional.margin_ranking_loss`, with a number for the reduction."""
    return F.margin_ranking_loss(input1, input2, target, margin, reduction=_reduction(reduction))


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """:func:`minigrad.nn.functional.poisson_nll_loss`, with a number for the reduction."""
    return F.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=_reduction(reduction))


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: int = 0,
) -> Tensor:
    """:func:`minigrad.nn.functional.triplet_margin_loss`, with a number for the reduction."""
    kind = _reduction(reduction)
    return F.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=kind)


# ---------------------------------------------------------------- pooling, convolution, norms


def adaptive_max_pool1d(input: Tensor, output_size: int | Sequence[int]) -> tuple[Tensor, Tensor]:
    """:func:`minigrad.nn.functional.adaptive_max_pool1d`, and its indices."""
    y, indices = F.adaptive_max_pool1d_with_indices(input, output_size)
    return y, indices


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """:func:`minigrad.nn.functional.conv_tbc`."""
    return F.conv_tbc(input, weight, bias, pad)


def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The norm over all dimensions but ``dim``, which stay; with ``dim=-1`` over all, a number."""
    from minigrad.nn.utils._weight_norm import norm_except_dim

    return norm_except_dim(v, pow, dim)


# ---------------------------------------------------------------- steps of recurrent layers


def _rnn_cell(
    nonlinearity: Callable[[Tensor], Tensor],
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    return nonlinearity(F.linear(input, w_ih, b_ih) + F.linear(hx, w_hh, b_hh))


rnn_tanh_cell = case(
    _rnn_cell, "rnn_tanh_cell", "The next state of a `nn.RNNCell` with these weights.", F.tanh
)
rnn_relu_cell = case(_rnn_cell, "rnn_relu_cell", 'As `rnn_tanh_cell`, with ``nonlinearity="relu"``.', F.relu)


def gru_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """The next state of a `nn.GRUCell` with these weights."""
    r, z, n = F.linear(input, w_ih, b_ih).chunk(3, -1)
    hr, hz, hn = F.linear(hx, w_hh, b_hh).chunk(3, -1)
    fresh = (n + (r + hr).sigmoid() * hn).tanh()
    return fresh + (z + hz).sigmoid() * (hx - fresh)


def lstm_cell(
    input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The next states of a `nn.LSTMCell` with these weights: hidden state and cell, as ``hx`` has them."""
    h, c = hx
    i, f, g, o = (F.linear(input, w_ih, b_ih) + F.linear(h, w_hh, b_hh)).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


public(globals(), __all__, check="Tensors", home="minigrad")

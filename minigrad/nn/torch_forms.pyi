"""Written by `.ci/stubs`: the module, with the functions that it makes."""

from typing import Any
from __future__ import annotations
from collections.abc import Callable, Sequence
from minigrad.errors import value_error
from minigrad.gate import case, public
from minigrad.nn import functional as F
from minigrad.tensor import Tensor
__all__ = ['adaptive_max_pool1d', 'batch_norm', 'bilinear', 'binary_cross_entropy_with_logits', 'conv_tbc', 'cosine_embedding_loss', 'cosine_similarity', 'ctc_loss', 'embedding', 'group_norm', 'gru_cell', 'hinge_embedding_loss', 'instance_norm', 'kl_div', 'layer_norm', 'lstm_cell', 'margin_ranking_loss', 'max_pool1d_with_indices', 'norm_except_dim', 'pairwise_distance', 'poisson_nll_loss', 'rms_norm', 'rnn_relu_cell', 'rnn_tanh_cell', 'triplet_margin_loss']
def _reduction(number: int) -> str:
    ...
def layer_norm(input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None=None, bias: Tensor | None=None, eps: float=1e-05, cudnn_enable: bool=True) -> Tensor:
    """:func:`minigrad.nn.functional.layer_norm`; ``cudnn_enable`` changes nothing."""
def rms_norm(input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None=None, eps: float | None=None) -> Tensor:
    """:func:`minigrad.nn.functional.rms_norm`."""
def group_norm(input: Tensor, num_groups: int, weight: Tensor | None=None, bias: Tensor | None=None, eps: float=1e-05, cudnn_enabled: bool=True) -> Tensor:
    """:func:`minigrad.nn.functional.group_norm`; ``cudnn_enabled`` changes nothing."""
def batch_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None, training: bool, momentum: float, eps: float, cudnn_enabled: bool) -> Tensor:
    """:func:`minigrad.nn.functional.batch_norm`, with its arguments in another order."""
def instance_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool) -> Tensor:
    """:func:`minigrad.nn.functional.instance_norm`, with its arguments in another order."""
def embedding(weight: Tensor, indices: Tensor, padding_idx: int=-1, scale_grad_by_freq: bool=False, sparse: bool=False) -> Tensor:
    """:func:`minigrad.nn.functional.embedding`, with the table first; a ``padding_idx`` below 0 is none."""
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None=None) -> Tensor:
    """``input1 @ weight[k] @ input2`` for each k: (..., in1), (..., in2), weight (out, in1, in2), to (..., out).

RuntimeError for sizes that do not fit."""
def max_pool1d_with_indices(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None=None, padding: int | Sequence[int]=0, dilation: int | Sequence[int]=1, ceil_mode: bool=False, return_indices: bool=False) -> Any:
    """`max_pool1d` with its indices: the pair of both, whatever ``return_indices`` says."""
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int=1, eps: float=1e-08) -> Tensor:
    """``sum(x1 * x2) / (|x1| * |x2|)`` along ``dim``, each norm at least ``eps``; the operands broadcast.

RuntimeError unless one of them is of floats."""
def pairwise_distance(x1: Tensor, x2: Tensor, p: float=2.0, eps: float=1e-06, keepdim: bool=False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension, which ``keepdim`` keeps with size 1."""
def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None=None, pos_weight: Tensor | None=None, reduction: int=0) -> Tensor:
    """:func:`minigrad.nn.functional.binary_cross_entropy_with_logits`, with a number for the reduction."""
def cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float=0.0, reduction: int=0) -> Tensor:
    """:func:`minigrad.nn.functional.cosine_embedding_loss`, with a number for the reduction."""
def ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Tensor | Sequence[int], target_lengths: Tensor | Sequence[int], blank: int=0, reduction: int=0, zero_infinity: bool=False) -> Tensor:
    """:func:`minigrad.nn.functional.ctc_loss`, with a number for the reduction."""
def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float=1.0, reduction: int=0) -> Tensor:
    """:func:`minigrad.nn.functional.hinge_embedding_loss`, with a number for the reduction."""
def kl_div(input: Tensor, target: Tensor, reduction: int=0, *, log_target: bool=False) -> Tensor:
    """:func:`minigrad.nn.functional.kl_div`, with a number for the reduction."""
def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float=0.0, reduction: int=0) -> Tensor:
    """:func:`minigrad.nn.functional.margin_ranking_loss`, with a number for the reduction."""
def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int) -> Tensor:
    """:func:`minigrad.nn.functional.poisson_nll_loss`, with a number for the reduction."""
def triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float=1.0, p: float=2, eps: float=1e-06, swap: bool=False, reduction: int=0) -> Tensor:
    """:func:`minigrad.nn.functional.triplet_margin_loss`, with a number for the reduction."""
def adaptive_max_pool1d(input: Tensor, output_size: int | Sequence[int]) -> tuple[Tensor, Tensor]:
    """:func:`minigrad.nn.functional.adaptive_max_pool1d`, and its indices."""
def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int=0) -> Tensor:
    """:func:`minigrad.nn.functional.conv_tbc`."""
def norm_except_dim(v: Tensor, pow: int=2, dim: int=0) -> Tensor:
    """The norm over all dimensions but ``dim``, which stay; with ``dim=-1`` over all, a number."""
def _rnn_cell(nonlinearity: Callable[[Tensor], Tensor], input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None=None, b_hh: Tensor | None=None) -> Tensor:
    ...
def rnn_tanh_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None=None, b_hh: Tensor | None=None) -> Tensor:
    """The next state of a `nn.RNNCell` with these weights."""
def rnn_relu_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None=None, b_hh: Tensor | None=None) -> Tensor:
    """As `rnn_tanh_cell`, with ``nonlinearity="relu"``."""
def gru_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None=None, b_hh: Tensor | None=None) -> Tensor:
    """The next state of a `nn.GRUCell` with these weights."""
def lstm_cell(input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None=None, b_hh: Tensor | None=None) -> tuple[Tensor, Tensor]:
    """The next states of a `nn.LSTMCell` with these weights: hidden state and cell, as ``hx`` has them."""

"""Losses, and distances between rows, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

import math
from collections.abc import Callable

from minigrad.core.apply import cast
from minigrad.dtypes import scalar
from minigrad.errors import runtime_error, value_error, warn
from minigrad.functions import activations as functions
from minigrad.functions.creation import ones_like
from minigrad.functions.elementwise import clamp_min, where
from minigrad.gate import public
from minigrad.nn._distances import pairwise_distance
from minigrad.nn._reductions import (
    check_weights,
    difference,
    legacy_reduction,
    of_input,
    of_shape,
    paired,
    reduced,
    refuse_integers,
    refuse_whole,
    times,
)
from minigrad.tensor import Tensor

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss",
    "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "margin_ranking_loss",
    "poisson_nll_loss", "smooth_l1_loss", "soft_margin_loss", "triplet_margin_loss",
]  # fmt: skip


# ---------------------------------------------------------------- two classes, probabilities


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-(target * log(input) + (1 - target) * log(1 - input))``, each logarithm at least -100, times ``weight``.

    ValueError for another shape of target, RuntimeError for an input or a target outside [0, 1], for a target of
    another dtype, and for a weight that would broadcast the losses.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target._array.shape != input._array.shape:
        raise value_error(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    if target._array.dtype != input._array.dtype:
        raise runtime_error(
            f"Found dtype {scalar(target.dtype)} but expected {scalar(input.dtype)}: the target has another "
            "dtype than the input; use target.to(input.dtype)"
        )
    losses = functions.bce(input, target)
    return reduced(times("binary_cross_entropy", losses, weight), reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """:func:`binary_cross_entropy` of ``sigmoid(input)``, without overflow; ``pos_weight`` is that of targets 1.

    ValueError for another shape of target, RuntimeError for weights that would broadcast the losses.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target._array.shape != input._array.shape:
        raise value_error(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    refuse_integers("binary_cross_entropy_with_logits", target, input)
    refuse_whole("log_sigmoid", input)
    if pos_weight is None:
        losses = functions.bce_with_logits(input, target)
    else:
        positive = (pos_weight - 1) * target + 1
        losses = (1 - target) * input - positive * functions.log_sigmoid(input)
        losses = of_shape("binary_cross_entropy_with_logits", input, losses)
    losses = losses if losses._array.dtype == target._array.dtype else cast(losses, target._array.dtype)
    return reduced(times("binary_cross_entropy_with_logits", losses, weight), reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """``target * (log(target) - input)``, where ``input`` has logarithms, and ``target`` too with ``log_target``.

    ``reduction="batchmean"`` divides the sum by the size of the first dimension. RuntimeError for integers and bools.
    """
    by_batch = reduction == "batchmean"
    if size_average is reduce is None and reduction == "mean":
        warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release."
        )
    reduction = legacy_reduction(size_average, reduce, "sum" if by_batch else reduction)
    for t in (input, target):
        if t._array.dtype.kind not in "fV":
            raise runtime_error(f"kl_div: Integral inputs not supported, got {t.dtype}; use .float() first")
    if log_target:
        losses = target.exp() * (target - input)
    else:
        zero = target.eq(0)
        losses = where(zero, target * 0, target * where(zero, 1.0, target).log()) - target * input
    loss = reduced(losses, reduction)
    return loss / input._array.shape[0] if by_batch and input._array.ndim else loss


# ---------------------------------------------------------------- regression


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """``d**2 / (2 * beta)`` of differences d up to ``beta``, else ``|d| - beta / 2``. RuntimeError for beta < 0."""
    input, target = paired(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    if not beta >= 0:  # nan too
        raise runtime_error("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return reduced((input - target).abs(), reduction)
    d = difference("smooth_l1_loss", input, target)
    losses = functions.huber(d, delta=float(beta))
    return reduced(losses if beta == 1 else losses / beta, reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """``d**2 / 2`` of differences d up to ``delta``, else ``delta * (|d| - delta / 2)``.

    RuntimeError unless delta > 0.
    """
    paired(input, target)
    if not delta > 0:  # nan too
        raise runtime_error("huber_loss does not support non-positive values for delta.")
    d = difference("huber_loss", input, target)
    losses = of_input("huber_loss", input, functions.huber(d, delta=float(delta)))
    if weight is None:
        return reduced(losses, reduction)
    check_weights(input, weight)
    return reduced(losses * weight, reduction)  # PyTorch: the mean here is the plain one


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """A Poisson distribution's negative log likelihood: ``exp(input) - target * input``, or without ``log_input``
    ``input - target * log(input + eps)``; with ``full`` Stirling's approximation of the rest, for targets above 1.
    ValueError for another reduction.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if reduction not in ("none", "mean", "sum"):
        raise value_error(f"{reduction} is not a valid value for reduction")
    losses = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        losses = losses + where(target.le(1), 0.0, stirling)
    return reduced(losses, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """``(log(var) + (input - target)**2 / var) / 2`` with variances of at least ``eps``; ``full`` adds the constant.

    ``var`` has the shape of ``input``, or lacks its last dimension, or has 1 in one. ValueError where it is negative.
    """
    if not isinstance(var, Tensor):
        var = var * ones_like(input)
    var = functions.variance(var, eps)
    shape, other = input._array.shape, var._array.shape
    if other != shape:
        wrong = [n for m, n in zip(shape, other, strict=False) if m != n]
        if shape[:-1] == other:
            var = var.unsqueeze(-1)
        elif len(shape) != len(other) or wrong != [1]:
            raise value_error("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise value_error(f"{reduction} is not valid")
    losses = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced(losses, reduction)


# ---------------------------------------------------------------- margins


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``log(1 + exp(-target * input))`` for targets 1 and -1. RuntimeError for a target of more elements."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target.is_complex() and not input.is_complex():
        raise runtime_error(
            f"soft_margin_loss: result type {target.dtype} can't be cast to the input's {input.dtype}"
        )
    losses = of_shape("soft_margin_loss", input, -input * target).exp().log1p()
    return reduced(of_input("soft_margin_loss", input, losses), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``input`` where the target is 1, ``max(0, margin - input)`` where it is -1; of the input's element type."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if input._array.dtype.kind in "iu":  # PyTorch: the margin is cut off to a whole number
        margin = int(margin)
    apart = where(target.ne(1), clamp_min(margin - input, 0), 0)
    return reduced(apart + where(target.ne(-1), input, 0), reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, margin - target * (input1 - input2))`` for targets 1 and -1.

    RuntimeError unless all three have as many dimensions.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if not input1.dim() == input2.dim() == target.dim():
        raise runtime_error(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return reduced(clamp_min(-target * (input1 - input2) + margin, 0), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - cos(input1, input2)`` where the target is 1, ``max(0, cos - margin)`` where it is -1.

    For inputs (N, D) and target (N), or (D) and (). RuntimeError for other numbers of dimensions.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    count = target.dim()
    if count > 1:
        raise runtime_error("0D or 1D target tensor expected, multi-target not supported")
    if not input1.dim() == input2.dim() == count + 1:
        raise runtime_error(
            f"{count}D target tensor expects {count + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    squares = (input1.square().sum(count) + 1e-12) * (input2.square().sum(count) + 1e-12)
    cosine = (input1 * input2).sum(count) / squares.sqrt()
    alike = where(target.eq(1), 1 - cosine, 0.0)
    return reduced(alike + where(target.eq(-1), clamp_min(cosine - margin, 0), 0.0), reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, margin + |anchor - positive| - |anchor - negative|)`` of rows, by :func:`pairwise_distance`.

    With ``swap`` the smaller distance of ``negative`` from the two others counts. ValueError for a margin <= 0.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return triplet_loss(
        anchor, positive, negative, lambda a, b: pairwise_distance(a, b, p, eps), margin, swap, reduction
    )


def triplet_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Callable[[Tensor, Tensor], Tensor],
    margin: float | Tensor,
    swap: bool,
    reduction: str,
) -> Tensor:
    """The triplet loss by any distance of rows."""
    if margin <= 0:
        raise value_error(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise runtime_error(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return reduced(clamp_min(margin + near - far, 0), reduction)


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

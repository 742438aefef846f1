"""Losses, and distances between rows, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minigrad.autograd import no_grad
from minigrad.core.apply import cast, needs_value
from minigrad.errors import not_implemented_error, runtime_error, value_error, warn
from minigrad.functions import activations as functions
from minigrad.functions.creation import ones_like
from minigrad.functions.elementwise import clamp_min, where
from minigrad.gate import public
from minigrad.nn._distances import pairwise_distance
from minigrad.nn._reductions import legacy_reduction, of_shape, reduced, refuse_integers, warn_of_sizes
from minigrad.tensor import Tensor

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy",
    "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "margin_ranking_loss", "nll_loss",
    "poisson_nll_loss", "smooth_l1_loss", "soft_margin_loss", "triplet_margin_loss",
]  # fmt: skip


# ---------------------------------------------------------------- classes


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """``-log(softmax(input))`` of the target classes: for input (N, C, ...) and int64 target (N, ...), or (C) and ().

    A floating target of the shape of ``input`` has a probability for each class. ``weight`` (C) has one weight for each
    class, and the mean is the weighted one. Targets of ``ignore_index`` count for nothing. ``label_smoothing`` mixes
    the target with equal probabilities. IndexError for a class out of range, ValueError or RuntimeError for shapes.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise runtime_error(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if input._array.shape == target._array.shape:
        if ignore_index >= 0:
            raise runtime_error("ignore_index is not supported for floating point target")
        return _of_probabilities(input, target, weight, reduction, label_smoothing)
    _check_classes(input, target, weight)
    rows, classes = _rows(input), target.reshape(-1)
    if label_smoothing == 0.0:
        losses = functions.log_loss(rows, classes, ignore_index)
        return _shaped(_of_classes(losses, classes, weight, ignore_index, reduction), target, reduction)
    logs = functions.log_softmax(rows, 1)
    losses = functions.nll(logs, classes, ignore_index)
    hard = _of_classes(losses, classes, weight, ignore_index, reduction)
    kept = classes.ne(ignore_index)
    even = where(kept, -(logs if weight is None else logs * weight.detach()).sum(1), 0.0)
    if reduction == "mean":
        even = even.sum() / _weights(classes, weight, ignore_index, logs).sum()
    else:
        even = reduced(even, reduction)
    mixed: Tensor = hard * (1 - label_smoothing) + even * (label_smoothing / logs._array.shape[1])
    return _shaped(mixed, target, reduction)


def _shaped(losses: Tensor, target: Tensor, reduction: str) -> Tensor:
    shape = target._array.shape if reduction == "none" else ()
    return losses if losses._array.shape == shape else losses.reshape(shape)


def _rows(input: Tensor) -> Tensor:
    """A matrix with a row of classes for each target."""
    ndim, shape = input._array.ndim, input._array.shape
    if ndim == 2:
        return input
    if ndim == 1:
        return input.reshape(1, -1)
    rows = math.prod(shape) // max(shape[1], 1) if shape[1] else shape[0] * math.prod(shape[2:])
    return input.permute(0, *range(2, ndim), 1).reshape(rows, shape[1])


def _check_classes(input: Tensor, target: Tensor, weight: Tensor | None) -> None:
    x, t = input._array, target._array
    if not x.ndim:
        raise value_error(f"Expected 1 or more dimensions (got {x.ndim})")
    batch = x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
    if x.ndim > 1 and t.ndim and x.shape[0] != t.shape[0]:
        raise value_error(
            f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({t.shape[0]})."
        )
    if x.ndim < 3 and t.ndim > 1:
        raise runtime_error("0D or 1D target tensor expected, multi-target not supported")
    if x.ndim > 3 and t.ndim != x.ndim - 1:
        raise value_error(f"Expected target size {list(batch)}, got {list(t.shape)}")
    if t.shape != batch and not (x.ndim == 1 and t.shape == (1,)):
        raise (value_error if x.ndim < 3 else runtime_error)(
            f"Expected target size {list(batch)}, got {list(t.shape)}"
        )
    if t.dtype not in (np.int64, np.uint8):
        raise runtime_error(f"expected scalar type Long but found {target.dtype}; use .long()")
    if x.dtype.kind != "f":
        raise not_implemented_error(f'"nll_loss" not implemented for {input.dtype}; use .float() first')
    _check_weight(input, weight)


def _check_weight(input: Tensor, weight: Tensor | None) -> None:
    if weight is None:
        return
    count = input._array.shape[1 if input._array.ndim > 1 else 0]
    if weight._array.shape != (count,):
        raise runtime_error(
            "weight tensor should be defined either for all "
            f"{count} classes or no classes but got weight tensor of shape: {list(weight._array.shape)}"
        )
    if weight._array.dtype != input._array.dtype:
        raise runtime_error(f"expected scalar type {input.dtype} but found {weight.dtype} for the weight")


def _weights(classes: Tensor, weight: Tensor | None, ignore: int, like: Tensor) -> Tensor:
    """The weight of each target; 0 where it is ignored."""
    kept = classes.ne(ignore)
    if weight is None:
        weights: Tensor = cast(kept, like._array.dtype)
        return weights
    return where(kept, weight.detach()[where(kept, classes, 0)], 0.0)


def _of_classes(
    losses: Tensor, classes: Tensor, weight: Tensor | None, ignore: int, reduction: str
) -> Tensor:
    """The reduction of the losses of classes; the mean is over the weights of those that are not ignored."""
    if weight is None and reduction != "mean":
        return reduced(losses, reduction)
    weights = _weights(classes, weight, ignore, losses)
    if weight is not None:
        losses = losses * weights
    if reduction == "mean":
        mean: Tensor = losses.sum() / weights.sum()
        return mean
    return reduced(losses, reduction)


def _of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    if target._array.dtype.kind != "f":
        raise runtime_error(
            f"Expected floating point type for target with class probabilities, got {target.dtype}"
        )
    if not input._array.ndim:
        raise runtime_error("Expected 1 or more dimensions (got 0)")
    _check_weight(input, weight)
    dim = 1 if input._array.ndim > 1 else 0
    classes = input._array.shape[dim]
    if smoothing > 0.0:
        target = target * (1 - smoothing) + smoothing / classes
    losses = functions.log_softmax(input, dim) * target
    if weight is not None:
        losses = losses * weight.detach().reshape(classes, *(1,) * (input._array.ndim - 2))
    if reduction == "none":
        return -losses.sum(dim)
    if reduction == "mean":
        count = input._array.size / classes if classes else math.nan
        mean: Tensor = -losses.sum() / count
        return mean
    return reduced(-losses, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-input`` of the target classes, where ``input`` has logarithms of probabilities; as :func:`cross_entropy`."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    _check_classes(input, target, weight)
    classes = target.reshape(-1)
    losses = functions.nll(_rows(input), classes, ignore_index)
    return _shaped(_of_classes(losses, classes, weight, ignore_index, reduction), target, reduction)


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

    ValueError for another shape of target, RuntimeError for an input outside [0, 1].
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target._array.shape != input._array.shape:
        raise value_error(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    if target._array.dtype != input._array.dtype:
        raise runtime_error(f"Found dtype {target.dtype} but expected {input.dtype}")
    losses = functions.bce(input, target)
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """:func:`binary_cross_entropy` of ``sigmoid(input)``, without overflow; ``pos_weight`` is that of targets 1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target._array.shape != input._array.shape:
        raise value_error(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    refuse_integers("binary_cross_entropy_with_logits", target, input)
    if pos_weight is None:
        losses = functions.bce_with_logits(input, target)
    else:
        positive = (pos_weight - 1) * target + 1
        losses = (1 - target) * input - positive * functions.log_sigmoid(input)
    return reduced(losses if weight is None else losses * weight, reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """``target * (log(target) - input)``, where ``input`` has logarithms, and ``target`` too with ``log_target``.

    ``reduction="batchmean"`` divides the sum by the size of the first dimension.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if reduction == "mean":
        warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release."
        )
    refuse_integers("kl_div", target, input)
    if log_target:
        losses = target.exp() * (target - input)
    else:
        zero = target.eq(0)
        losses = where(zero, target * 0, target * where(zero, 1.0, target).log()) - target * input
    if reduction == "batchmean" and input._array.ndim:
        mean: Tensor = losses.sum() / input._array.shape[0]
        return mean
    return reduced(losses, "mean" if reduction == "batchmean" else reduction)


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
    warn_of_sizes(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    if beta < 0:
        raise runtime_error("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return reduced((input - target).abs(), reduction)
    d = _difference("smooth_l1_loss", input, target)
    losses = functions.huber(d, delta=float(beta))
    return reduced(losses if beta == 1 else losses / beta, reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """``d**2 / 2`` of differences d up to ``delta``, else ``delta * (|d| - delta / 2)``.

    RuntimeError unless delta > 0.
    """
    warn_of_sizes(input, target)
    if delta <= 0:
        raise runtime_error("huber_loss does not support non-positive values for delta.")
    losses = functions.huber(_difference("huber_loss", input, target), delta=float(delta))
    if weight is None:
        return reduced(losses, reduction)
    if weight._array.shape != input._array.shape:
        raise value_error("Weights and input must have the same size.")
    return reduced(losses * weight, reduction)  # PyTorch: the mean here is the plain one


def _difference(name: str, input: Tensor, target: Tensor) -> Tensor:
    d: Tensor = input - (target.to(input.dtype) if target._array.dtype == bool else target)
    if d._array.dtype.kind != "f":
        raise not_implemented_error(f'"{name}" not implemented for {d.dtype}; use .float() first')
    return d


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
    """The negative log likelihood of Poisson's: ``exp(input) - target * input``, or without ``log_input``
    ``input - target * log(input + eps)``; with ``full`` Stirling's approximation of the rest, for targets above 1.
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
        if var < 0:
            raise value_error("var has negative entry/entries")
        var = var * ones_like(input)
    else:
        needs_value("gaussian_nll_loss()")
        if (var._array < 0).any():
            raise value_error("var has negative entry/entries")
    shape, other = input._array.shape, var._array.shape
    if other != shape:
        wrong = [n for m, n in zip(shape, other, strict=False) if m != n]
        if shape[:-1] == other:
            var = var.unsqueeze(-1)
        elif len(shape) != len(other) or wrong != [1]:
            raise value_error("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise value_error(f"{reduction} is not valid")
    var = var.clone()
    with no_grad():
        var.clamp_(min=eps)  # the gradient passes
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
    """``log(1 + exp(-target * input))`` for targets 1 and -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduced(of_shape("soft_margin_loss", input, -input * target).exp().log1p(), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``input`` where the target is 1, ``max(0, margin - input)`` where it is -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    apart = where(target.ne(1), clamp_min(margin - input, 0), 0.0)
    return reduced(apart + where(target.ne(-1), input, 0.0), reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, margin - target * (input1 - input2))`` for targets 1 and -1."""
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
    """``1 - cos(input1, input2)`` where the target is 1, ``max(0, cos - margin)`` where it is -1."""
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
    margin: float,
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

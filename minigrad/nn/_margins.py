"""Losses of several classes by margins, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.apply import needs_value
from minigrad.core.tensor import wrap
from minigrad.dtypes import scalar, short_name
from minigrad.errors import not_implemented_error, runtime_error, value_error
from minigrad.functions import activations as functions
from minigrad.functions.table import relu
from minigrad.gate import public
from minigrad.nn._distances import pairwise_distance
from minigrad.nn._losses import triplet_loss
from minigrad.nn._reductions import legacy_reduction, reduced, refuse_whole
from minigrad.tensor import Tensor

__all__ = [
    "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The sum of ``max(0, margin - input[target] + input)**p`` over the other classes, divided by C.

    For input (N, C) and int64 target (N), or (C) and (). ``weight`` (C) has one for each class. ValueError for a p
    other than 1 and 2, RuntimeError for shapes and classes that do not fit.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise value_error("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise value_error("weight must be one-dimensional")
    x, t = input._array, target._array
    classes = _count(x)
    rows = x.size // classes
    if t.size != rows or t.ndim > 1:
        raise runtime_error(f"inconsistent target size, expected {rows} but got {list(t.shape)}")
    _check_classes("multi_margin_loss", t, 0, classes)
    if weight is not None:
        if weight._array.size != classes:
            raise runtime_error(
                f"inconsistent weight size, expected {classes} but got {list(weight._array.shape)}"
            )
        if weight._array.dtype != x.dtype:
            raise runtime_error(
                f"expected scalar type {scalar(input.dtype)} but found {scalar(weight.dtype)} for the weight"
            )
    _refuse_half("multi_margin_loss", input)
    index = wrap(t.reshape(rows, 1).astype(np.int64))
    matrix = input.reshape(rows, classes)
    over = relu(margin - matrix.gather(1, index) + matrix)
    others = wrap((np.arange(classes) != index._array).astype(x.dtype))
    losses = (over if p == 1 else over * over) * others
    if weight is not None:
        losses = losses * weight[index]
    losses = losses.sum(1) / classes
    return reduced(losses.reshape(t.shape), reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The sum of ``max(0, 1 - (input[target] - input))`` over targets and other classes, divided by C.

    Input (N, C) or (C), and int64 target of the same shape: a row's classes, then -1. RuntimeError for shapes and
    classes that do not fit.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    x, t = input._array, target._array
    classes = _count(x)
    if t.shape != x.shape:
        raise runtime_error(f"inconsistent target size: {list(t.shape)} for input of size: {list(x.shape)}")
    _check_classes("multilabel_margin_loss", t, -1, classes)
    _refuse_half("multilabel_margin_loss", input)
    t = t.reshape(-1, classes)
    listed = np.logical_and.accumulate(t >= 0, axis=1)
    others = np.ones(t.shape, bool)
    others[np.nonzero(listed)[0], t[listed]] = False
    matrix = input.reshape(-1, classes)
    at_target = matrix.gather(1, wrap(np.where(listed, t, 0).astype(np.int64)))
    pairs = wrap((listed[:, :, None] & others[:, None]).astype(x.dtype))
    over = relu(1 - (at_target.unsqueeze(2) - matrix.unsqueeze(1))) * pairs
    losses = over.sum((1, 2)) / classes
    return reduced(losses if x.ndim == 2 else losses.reshape(()), reduction)


def _count(x: Any) -> int:
    """How many classes there are. RuntimeError where there is none, and for more than 2 dimensions."""
    classes: int = x.shape[-1] if x.ndim else 1
    if x.ndim > 2 or not classes:
        raise runtime_error(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(x.shape)}"
        )
    return classes


def _refuse_half(name: str, input: Tensor) -> None:
    """NotImplementedError for floats of two bytes, and for whole numbers."""
    refuse_whole(name, input)
    if short := short_name(input._array.dtype):
        raise not_implemented_error(f"\"{name}\" not implemented for '{short}'; use .float() first")


def _check_classes(name: str, t: Any, least: int, classes: int) -> None:
    """RuntimeError for another dtype than int64, and for a class out of range."""
    if t.dtype != np.int64:
        raise runtime_error(f"{name}: expected scalar type Long but found {scalar(t.dtype)}; use .long()")
    needs_value(f"{name}()")
    wrong = t[(t < least) | (t >= classes)]
    if wrong.size:
        raise runtime_error(f"{name}: target out of range: {wrong[0]} for {classes} classes")


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-(target * log(sigmoid(input)) + (1 - target) * log(sigmoid(-input)))``, the mean over the classes of a row."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    losses = -(target * functions.log_sigmoid(input) + (1 - target) * functions.log_sigmoid(-input))
    if weight is not None:
        losses = losses * weight
    dim = input.dim() - 1  # also where a target of more dimensions has broadcast it, as PyTorch
    return reduced(losses.sum(dim) / input._array.shape[dim], reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Any = None,
    margin: float | Tensor = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """:func:`triplet_margin_loss` with any function of two Tensors, :func:`pairwise_distance` by default.

    ValueError for a margin <= 0 and for another reduction.
    """
    if reduction not in ("mean", "sum", "none"):
        raise value_error(f"{reduction} is not a valid value for reduction")
    distance = pairwise_distance if distance_function is None else distance_function
    return triplet_loss(anchor, positive, negative, distance, margin, swap, reduction)


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

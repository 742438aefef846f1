"""Losses of classes: cross entropy, and that of logarithms of probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minigrad.core.apply import cast
from minigrad.dtypes import scalar
from minigrad.errors import not_implemented_error, runtime_error, value_error
from minigrad.functions import activations as functions
from minigrad.functions.elementwise import where
from minigrad.gate import public
from minigrad.nn._reductions import legacy_reduction, reduced
from minigrad.tensor import Tensor

__all__ = ["cross_entropy", "nll_loss"]


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
    if input._array.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"log_softmax\" not implemented for '{scalar(input.dtype)}'; use .float() first"
        )
    target = _check_classes(input, target, weight)
    rows, classes = _rows(input, target)
    if label_smoothing == 0.0:
        return _shaped(
            _of_classes(functions.log_loss, rows, classes, weight, ignore_index, reduction), target
        )
    logs = functions.log_softmax(rows, 1)
    hard = _of_classes(functions.nll, logs, classes, weight, ignore_index, reduction)
    kept = classes.ne(ignore_index)
    of_each = logs if weight is None else logs * weight.reshape(-1, *(1,) * (logs._array.ndim - 2))
    even = where(kept, -of_each.sum(1), 0.0)
    if reduction == "mean":
        even = even.sum() / _weights(classes, weight, ignore_index, logs).sum()
    else:
        even = reduced(even, reduction)
    mixed: Tensor = hard * (1 - label_smoothing) + even * (label_smoothing / logs._array.shape[1])
    return _shaped(mixed, target)


def _shaped(losses: Tensor, target: Tensor) -> Tensor:
    """Losses in the shape of their targets; a reduction as it is."""
    shape = target._array.shape
    return losses if not losses._array.ndim or losses._array.shape == shape else losses.reshape(shape)


def _rows(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix with a row of classes for each target, or matrices with columns of them; and the targets."""
    array = input._array
    ndim, shape = array.ndim, array.shape
    if ndim == 2:
        return input, target
    if ndim == 1:
        return input.reshape(1, -1), target.reshape(-1)
    if functions.by_columns(input):
        if ndim == 3:
            return input, target
        return input.reshape(*shape[:2], -1), target.reshape(shape[0], -1)
    rows = math.prod(shape) // max(shape[1], 1) if shape[1] else shape[0] * math.prod(shape[2:])
    return input.permute(0, *range(2, ndim), 1).reshape(rows, shape[1]), target.reshape(-1)


def _check_classes(input: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """The target, without dimensions where the input has one dimension. Raises as `cross_entropy` says."""
    x, t = input._array, target._array
    if not x.ndim:
        raise value_error(f"Expected 1 or more dimensions (got {x.ndim})")
    batch = x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
    if x.ndim > 1 and (not t.ndim or x.shape[0] != t.shape[0]):
        raise value_error(
            f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({t.shape[0] if t.ndim else 0}). The "
            f"input is {list(x.shape)}, the target {list(t.shape)}; both begin with the examples"
        )
    if x.ndim < 3 and t.ndim > 1:
        raise runtime_error(
            f"0D or 1D target tensor expected, multi-target not supported: an input {list(x.shape)} goes with a target "
            f"{list(x.shape[:1])} of class numbers, got {list(t.shape)}; a column becomes a row by .squeeze(1)"
        )
    if t.dtype not in (np.int64, np.uint8):
        raise runtime_error(
            f"expected target dtype to be Long or Byte, but got {scalar(target.dtype)}: a target "
            f"{list(t.shape)} holds class numbers; use .long()"
        )
    if t.shape != batch and not (x.ndim == 1 and t.shape == (1,)):
        raise (value_error if x.ndim < 3 else runtime_error)(
            f"Expected target size {list(batch)}, got {list(t.shape)}"
        )
    if x.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"nll_loss\" not implemented for '{scalar(input.dtype)}'; use .float() first"
        )
    if weight is not None:
        _check_weight(input, weight)
        if weight._array.dtype != input._array.dtype:
            raise runtime_error(
                f"expected scalar type {scalar(input.dtype)} but found {scalar(weight.dtype)} for the weight"
            )
    return target.reshape(()) if x.ndim == 1 and t.ndim else target


def _check_weight(input: Tensor, weight: Tensor) -> None:
    count = input._array.shape[1 if input._array.ndim > 1 else 0]
    if weight._array.shape != (count,):
        raise runtime_error(
            "weight tensor should be defined either for all "
            f"{count} classes or no classes but got weight tensor of shape: {list(weight._array.shape)}"
        )


def _weights(classes: Tensor, weight: Tensor | None, ignore: int, like: Tensor) -> Tensor:
    """The weight of each target; 0 where it is ignored."""
    kept = classes.ne(ignore)
    if weight is None:
        return cast(kept, like._array.dtype)
    return where(kept, weight[where(kept, classes, 0)], 0.0)


def _of_classes(
    loss: Callable[..., Tensor],
    rows: Tensor,
    classes: Tensor,
    weight: Tensor | None,
    ignore: int,
    reduction: str,
) -> Tensor:
    """The reduction of the losses of classes; the mean is over the weights of those that are not ignored."""
    mean = reduction == "mean"
    if weight is None:
        losses = loss(rows, classes, ignore, mean)
        return losses if mean else reduced(losses, reduction)
    weights = _weights(classes, weight, ignore, rows)
    losses = loss(rows, classes, ignore, False) * weights
    return losses.sum() / weights.sum() if mean else reduced(losses, reduction)


def _of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    if target._array.dtype.kind not in "fV":
        raise runtime_error(
            f"Expected floating point type for target with class probabilities, got {target.dtype}"
        )
    if not input._array.ndim:
        raise runtime_error("Expected 1 or more dimensions (got 0)")
    if weight is not None:
        _check_weight(input, weight)
    dim = 1 if input._array.ndim > 1 else 0
    classes = input._array.shape[dim]
    if smoothing > 0.0:
        target = target * (1 - smoothing) + smoothing / classes
    losses = functions.log_softmax(input, dim) * target
    if weight is not None:
        losses = losses * weight.reshape(classes, *(1,) * (input._array.ndim - 2))
    if reduction == "none":
        return -losses.sum(dim)
    if reduction == "mean":
        count = input._array.size / classes if classes else math.nan
        return -losses.sum() / count
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
    target = _check_classes(input, target, weight)
    rows, classes = _rows(input, target)
    return _shaped(_of_classes(functions.nll, rows, classes, weight, ignore_index, reduction), target)


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

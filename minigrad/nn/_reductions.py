"""What losses do with their elements."""

from __future__ import annotations

from minigrad.core.apply import cast
from minigrad.dtypes import scalar
from minigrad.errors import not_implemented_error, runtime_error, value_error, warn
from minigrad.nn._reduction import legacy_get_string
from minigrad.tensor import Tensor


def paired(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both, with a UserWarning for shapes that differ.

    A number beside a Tensor of more dimensions becomes one of 1, so that its element type counts too.
    """
    if target.shape != input.shape:
        warn(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size."
        )
        input, target = (t if t.dim() else t.reshape(1) for t in (input, target))
    return input, target


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that PyTorch's two legacy flags stand for, with its warning, where one is set."""
    if size_average is None and reduce is None:
        return reduction
    return legacy_get_string(size_average, reduce)


def weighted(input: Tensor, errors: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """The reduction of the errors of an input; with weights the mean is over these."""
    if weight is not None:
        check_weights(input, weight)
        errors = errors * weight
        if reduction == "mean":
            return errors.sum() / weight.sum()
    return reduced(errors, reduction)


def check_weights(input: Tensor, weight: Tensor) -> None:
    """ValueError unless there is a weight for each element of the input."""
    if weight.shape != input.shape:
        raise value_error(
            "Weights and input must have the same size. "
            f"Got weight {tuple(weight.shape)} and input {tuple(input.shape)}."
        )


def times(name: str, losses: Tensor, weight: Tensor | None) -> Tensor:
    """Each loss times its weight, in the losses' element type. RuntimeError for a weight of more elements."""
    if weight is None:
        return losses
    product = of_shape(name, losses, losses * weight)
    return product if product._array.dtype == losses._array.dtype else cast(product, losses._array.dtype)


def reduced(errors: Tensor, reduction: str) -> Tensor:
    """The errors themselves, their mean or their sum. ValueError for another reduction."""
    if reduction == "none":
        return errors
    if reduction == "mean":
        return errors.mean()
    if reduction == "sum":
        return errors.sum()
    raise value_error(f"{reduction} is not a valid value for reduction; expected 'none', 'mean' or 'sum'")


def refuse_integers(name: str, target: Tensor, input: Tensor) -> None:
    """RuntimeError for a target of whole numbers or bools, where an input of floats wants its own kind."""
    if target._array.dtype.kind not in "fV" and input._array.dtype.kind in "fV":
        raise runtime_error(
            f"{name}: a target of {target.dtype} can't be cast to the input's {input.dtype}; use .to(input.dtype)"
        )


def refuse_whole(name: str, input: Tensor) -> None:
    """NotImplementedError for an input of whole numbers or bools."""
    if input._array.dtype.kind not in "fV":
        raise not_implemented_error(
            f"\"{name}\" not implemented for '{scalar(input.dtype)}'; use .float() first"
        )


def difference(name: str, input: Tensor, target: Tensor) -> Tensor:
    """``input - target``, bools as 0 and 1. NotImplementedError where both are whole numbers."""
    a, b = input._array.dtype, target._array.dtype
    if a.kind not in "fV" and b.kind not in "fV":
        refuse_whole(name, input)
    return (cast(input, b) if a.kind == "b" else input) - (cast(target, a) if b.kind == "b" else target)


def of_input(name: str, input: Tensor, losses: Tensor) -> Tensor:
    """The losses in the input's element type. RuntimeError for an input of whole numbers, which cannot hold them."""
    kind = input._array.dtype
    if kind.kind not in "fV":
        raise runtime_error(
            f"{name}: result type {losses.dtype} can't be cast to the input's {input.dtype}; use .float() first"
        )
    return losses if losses._array.dtype == kind else cast(losses, kind)


def of_shape(name: str, input: Tensor, losses: Tensor) -> Tensor:
    """The losses. RuntimeError if another operand has broadcast them to another shape than the input's."""
    if losses._array.shape != input._array.shape:
        raise runtime_error(
            f"{name}: input {list(input.shape)} doesn't match the broadcast shape {list(losses.shape)}; use reshape()"
        )
    return losses

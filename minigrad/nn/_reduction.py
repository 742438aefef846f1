"""PyTorch's numbers for what losses do with their elements, as losses of packages ask for them."""

from __future__ import annotations

import math

from minigrad.errors import runtime_error, value_error, warn

_NUMBERS = {"none": 0, "mean": 1, "sum": 2}


def get_enum(reduction: str) -> int:
    """The number of a reduction. ValueError for another word."""
    if reduction not in _NUMBERS:
        raise value_error(f"{reduction} is not a valid value for reduction")
    return _NUMBERS[reduction]


def legacy_get_string(size_average: bool | None, reduce: bool | None, emit_warning: bool = True) -> str:
    """The reduction that the two legacy flags stand for, with a warning. RuntimeError for Tensors in their places."""
    for flag in (size_average, reduce):
        shape = getattr(flag, "shape", ())
        if math.prod(shape) != 1:
            raise runtime_error(
                "Boolean value of Tensor with more than one value is ambiguous: the flags size_average and reduce got "
                f"a Tensor of shape {list(shape)}; make the loss first, then call it: loss(input, target)"
            )
    all_of_them = reduce is None or bool(reduce)
    word = "none" if not all_of_them else "mean" if size_average is None or size_average else "sum"
    if emit_warning:
        warn(f"size_average and reduce args will be deprecated, please use reduction='{word}' instead.")
    return word


def legacy_get_enum(size_average: bool | None, reduce: bool | None, emit_warning: bool = True) -> int:
    """The number of that reduction."""
    return get_enum(legacy_get_string(size_average, reduce, emit_warning))

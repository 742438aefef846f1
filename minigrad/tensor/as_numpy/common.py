"""What the functions under NumPy's names share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from minigrad import dtypes
from minigrad.core.tensor import Tensor
from minigrad.functions import creation, elementwise, index, linalg, lookup, reduce
from minigrad.functions import shape as shapes

Unused: TypeAlias = None  # the annotation of what only NumPy's default is taken for
Operand: TypeAlias = Any
Axis: TypeAlias = int | tuple[int, ...] | None


def own(name: str) -> Any:
    """A function of minigrad's."""
    for space in (elementwise, reduce, shapes, index, linalg, creation):
        if name in space.__all__:
            return getattr(space, name)
    if name in lookup.FUNCTIONS:
        return lookup.function(name)
    raise AttributeError(f"minigrad has no function {name}")


def floating(a: Tensor) -> Tensor:
    return a if a.is_floating_point() or a.is_complex() else a.to(dtypes.get_default_dtype())


def flat(a: Tensor, axis: Any) -> tuple[Tensor, Any]:
    """A Tensor and a dimension: the only one of the elements in a row if there is no axis."""
    return (a.reshape(-1), 0) if axis is None else (a, axis)


def cat(tensors: Sequence[Tensor], dim: int) -> Tensor:
    """`minigrad.cat`."""
    return own("cat")(tensors, dim)


def over(a: Tensor, axis: Axis, keepdims: bool) -> tuple[Tensor, Axis, bool]:
    """What to reduce, and over which dimensions: over none for ``()``, which PyTorch's functions take for all."""
    return (a.unsqueeze(0), 0, False) if isinstance(axis, tuple) and not axis else (a, axis, keepdims)


def numbers(x: Any) -> tuple[int, ...]:
    """One whole number, of Python's or of NumPy's, or several, as a tuple."""
    return tuple(np.atleast_1d(x).tolist())

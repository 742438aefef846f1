"""What the functions under NumPy's names share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import wrap_operand
from minigrad.core.tensor import Tensor
from minigrad.errors import type_error
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


def without(a: Tensor, where: Tensor | None, instead: Any) -> Tensor:
    """The elements where a mask is True, and ``instead`` for the others."""
    return a if where is None else own("where")(where != 0, a, instead)


def one_axis(a: Tensor, axes: tuple[int, ...]) -> tuple[Tensor, list[int]]:
    """Several dimensions as the last one, and the shape with ones in their places."""
    places = [range(a.ndim)[d] for d in axes]
    shape = [1 if d in places else n for d, n in enumerate(a.shape)]
    return a.movedim(places, [*range(-len(places), 0)]).flatten(-len(places)), shape


def alike(*tensors: Tensor) -> list[Tensor]:
    """Tensors of the element type that holds them all."""
    kind = tensors[0].dtype
    for t in tensors:
        kind = dtypes.promote_types(kind, t.dtype)
    return [t.to(kind) for t in tensors]


def stacked(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """`minigrad.stack`."""
    return own("stack")(tensors, axis)


class NotNumbers(TypeError):
    """An argument of which no Tensor can be made, such as None."""


def tensor(x: Any, like: Tensor | None = None) -> Tensor:
    """A Tensor of what NumPy would make an array of.

    As beside operators, an array keeps its element type, and Python's floats take that of a Tensor of floats.
    """
    if isinstance(x, Tensor):
        return x
    if x is None or isinstance(x, (str, bytes)):
        raise NotNumbers(*type_error(f"beside a Tensor NumPy's functions take numbers, not {x!r}").args)
    if isinstance(x, np.ndarray):
        dtypes.as_numpy(x.dtype)
        return wrap_operand(x)
    if isinstance(x, (list, tuple)) and any(isinstance(each, (Tensor, list, tuple)) for each in x):
        return stacked([tensor(each, like) for each in x])
    result = creation.tensor(x)
    if (
        isinstance(x, np.generic)
        or like is None
        or not (like.is_floating_point() and result.is_floating_point())
    ):
        return result
    return creation.tensor(x, dtype=like.dtype)

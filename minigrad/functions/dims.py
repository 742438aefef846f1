"""Dimensions, and lists of Tensors, as users give them."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.core.tensor import Tensor
from minigrad.core.types import Dim
from minigrad.errors import index_error, runtime_error, type_error, value_error


def whole(name: str, x: Any) -> int:
    """An integer, also of NumPy's or in a 0-d Tensor, as Python's; TypeError for anything else, bools too."""
    other = isinstance(x, np.ndarray) and (x.ndim or x.dtype.kind not in "iu")
    if other or isinstance(x, (builtins.bool, np.bool_)) or not hasattr(x, "__index__"):
        raise type_error(f"{name} must be int, not {type(x).__name__}")
    return operator.index(x)


def one_dim(dim: int, ndim: int) -> int:
    """A dimension counted from the front. IndexError outside [-ndim, ndim - 1]; TypeError for no integer."""
    if dim.__class__ is not int:
        dim = whole("dim", dim)
    size = ndim or 1
    if not -size <= dim < size:
        raise index_error(
            f"Dimension out of range (expected to be in range of [{-size}, {size - 1}], but got {dim})"
        )
    return dim % size


def all_dims(dim: Dim, ndim: int) -> tuple[int, ...] | None:
    """Dimensions as a sorted tuple, None for all of them."""
    if dim is None:
        return None
    if dim.__class__ is int and ndim:
        return (one_dim(dim, ndim),)
    many = dim if isinstance(dim, (tuple, list)) else (dim,)
    if not many:
        return None
    dims = sorted(one_dim(d, ndim) for d in many)
    for a, b in pairwise(dims):
        if a == b:
            raise runtime_error(f"dim {a} appears multiple times in the list of dims")
    return tuple(dims) if ndim else None


def each_dim(value: Any, rank: int) -> tuple[Any, ...]:
    """A tuple of any length as it is, a single value once for each dimension."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


def tensor_list(name: str, xs: Sequence[Tensor]) -> list[Tensor]:
    """A list of Tensors, one at least; TypeError for anything else among them."""
    if not isinstance(xs, (tuple, list)):
        raise type_error(f"{name}(): argument 'tensors' must be tuple of Tensors, not {type(xs).__name__}")
    for i, x in enumerate(xs):
        if not isinstance(x, Tensor):
            raise type_error(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
    if not xs:
        if name == "cat":
            raise value_error("cat(): expected a non-empty list of Tensors")
        raise runtime_error(f"{name} expects a non-empty TensorList")
    return list(xs)

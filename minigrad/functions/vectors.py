"""Products and diagonals as ``torch.linalg`` has them: those of minigrad itself, over the last dimensions."""

from __future__ import annotations

from minigrad.core.tensor import Tensor
from minigrad.functions import diagonals, products
from minigrad.gate import public

__all__: list[str] = []


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product over ``dim``, which has size 3; input and other broadcast. RuntimeError for other sizes."""
    return products.cross(input, other, dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices as the last dimension: a view. ``offset`` counts to the right."""
    return diagonals.diagonal(A, offset, dim1, dim2)


public(globals(), ("cross", "diagonal"), check="Tensors", home="minigrad.linalg")

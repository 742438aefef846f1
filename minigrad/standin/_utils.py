"""What packages take from ``torch._utils``."""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.core.tensor import Tensor
from minigrad.functions.parts import cat


def _flatten_dense_tensors(tensors: Iterable[Tensor]) -> Tensor:
    """The elements of all, one after another."""
    return cat([t.reshape(-1) for t in tensors])


def _unflatten_dense_tensors(flat: Tensor, tensors: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Views of ``flat`` in the shapes of the others."""
    like = list(tensors)
    return tuple(
        part.view(t.shape) for part, t in zip(flat.split([t.numel() for t in like]), like, strict=True)
    )

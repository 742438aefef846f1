"""What packages take from ``torch._utils``."""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.nn.utils import parameters_to_vector as _flatten_dense_tensors
from minigrad.tensor import Tensor

__all__ = ["_flatten_dense_tensors", "_unflatten_dense_tensors"]


def _unflatten_dense_tensors(flat: Tensor, tensors: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Views of ``flat`` in the shapes of the others."""
    like = list(tensors)
    return tuple(
        part.view(t.shape) for part, t in zip(flat.split([t.numel() for t in like]), like, strict=True)
    )

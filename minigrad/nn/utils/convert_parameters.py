"""All parameters as one vector, and back: PyTorch's ``nn.utils.convert_parameters``."""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error, type_error
from minigrad.functions.parts import cat

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All ``parameters``, flattened and concatenated into one vector; recorded."""
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Sets the parameters from the elements of ``vec``, in order; each becomes a view of it.

    TypeError if ``vec`` is not a Tensor, RuntimeError if it has too few elements; then no parameter has changed.
    """
    if not isinstance(vec, Tensor):
        raise type_error(f"expected minigrad.Tensor, but got: {type(vec).__name__}")
    several = [*parameters]
    count = sum(p.numel() for p in several)
    if count > vec.numel():
        raise runtime_error(
            f"vector_to_parameters(): the parameters have {count} elements, and the vector of shape "
            f"{list(vec.shape)} has {vec.numel()}"
        )
    start = 0
    for p in several:
        p.data = vec[start : start + p.numel()].view_as(p).data
        start += p.numel()

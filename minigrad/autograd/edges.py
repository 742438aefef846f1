"""`GradientEdge`: stands for a Tensor in the graph where gradients are asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.core.node import Node
from minigrad.core.tensor import Tensor, leaf
from minigrad.core.views import refresh
from minigrad.errors import runtime_error, type_error

__all__ = ["GradientEdge", "get_gradient_edge"]


class GradientEdge(NamedTuple):
    """A record, and which of its outputs: what `grad` and `backward` take in the place of a Tensor."""

    node: Node
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge of a Tensor in the graph, so that the Tensor itself may be freed.

    RuntimeError for one that does not require grad.
    """
    if not isinstance(tensor, Tensor):
        raise type_error(f"get_gradient_edge(): argument must be a Tensor, not {type(tensor).__name__}")
    refresh(tensor)
    if not tensor.requires_grad:
        raise runtime_error(
            "It is not possible to get the gradient edge for a Tensor that does not require gradients"
        )
    return GradientEdge((tensor._node or leaf(tensor)).shown(), 0)


def end_of(t: Any, what: str) -> tuple[Node | None, Any, Any]:
    """The record of a Tensor or an edge, its shape and its element type. TypeError for other objects."""
    if isinstance(t, Tensor):
        refresh(t)
        return t._node, t._array.shape, t._array.dtype
    if isinstance(t, GradientEdge):
        return t.node, tuple(t.node.shape), t.node.dtype
    raise type_error(f"{what}, got {type(t).__name__}")

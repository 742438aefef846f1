"""`ShapeProp` runs a graph, and notes shapes."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.core.size import Size
from minigrad.core.tensor import Tensor
from minigrad.dtypes import dtype
from minigrad.formats import channels_last, contiguous_format, memory_format
from minigrad.fx.interpreter import Interpreter
from minigrad.fx.node import Node, map_aggregate

__all__ = ["ShapeProp", "TensorMetadata"]


class TensorMetadata(NamedTuple):
    """What is known of a Tensor without its values."""

    shape: Size
    dtype: dtype
    requires_grad: bool
    stride: tuple[int, ...]
    memory_format: memory_format | None
    is_quantized: bool = False
    qparams: dict[str, Any] = {}  # noqa: RUF012 (PyTorch's default)


class ShapeProp(Interpreter):
    """Runs the steps of a `GraphModule`; ``node.meta["tensor_meta"]`` has then what is known of its result."""

    def run_node(self, n: Node) -> Any:
        result, found = super().run_node(n), []

        def note(x: Any) -> Any:
            found.extend([x] if isinstance(x, Tensor) else [])
            return _metadata(x) if isinstance(x, Tensor) else x

        meta = map_aggregate(result, note)
        if found:
            n.meta["tensor_meta"] = meta
        n.meta["type"] = type(result)
        return result

    def propagate(self, *args: Any) -> Any:
        """Runs the graph for these inputs; its result."""
        return super().run(*args)


def _metadata(x: Tensor) -> TensorMetadata:
    order = contiguous_format if x.is_contiguous() else None
    if order is None and x.dim() == 4 and x.is_contiguous(memory_format=channels_last):
        order = channels_last
    return TensorMetadata(x.shape, x.dtype, x.requires_grad, x.stride(), order)

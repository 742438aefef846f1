"""What models call of ``torch.fx`` when nobody traces them: marks on functions, which change nothing.

`minigrad.tape` is the record of what ran.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from minigrad.errors import runtime_error
from minigrad.hints import module_getattr as _module_getattr

__all__ = ["Graph", "GraphModule", "Interpreter", "Node", "Proxy", "Tracer", "Transformer", "wrap"]

_F = TypeVar("_F", bound=Callable[..., Any] | str)


def wrap(fn_or_name: _F) -> _F:
    """The function itself, or its name. RuntimeError if it is neither."""
    if not isinstance(fn_or_name, str) and not callable(fn_or_name):
        raise runtime_error(
            f"Unsupported type for global function: wrap() takes a function or its name, got {fn_or_name!r}"
        )
    return fn_or_name


class GraphModule:
    """What tracing makes in PyTorch: a name, for annotations and ``isinstance``. To make one is a RuntimeError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise runtime_error(
            f"fx.{type(self).__name__}: there is no symbolic tracing here; minigrad.tape is the record of what ran"
        )


class Graph(GraphModule):
    """As `GraphModule`."""


class Interpreter(GraphModule):
    """As `GraphModule`."""


class Node(GraphModule):
    """As `GraphModule`."""


class Proxy(GraphModule):
    """As `GraphModule`."""


class Tracer(GraphModule):
    """As `GraphModule`."""


class Transformer(GraphModule):
    """As `GraphModule`."""


_module_getattr(globals())

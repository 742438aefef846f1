"""Programs as graphs that can be changed, under the names of ``torch.fx``: a run with stand-ins for the inputs.

`minigrad.tape` is the record of what ran with numbers.
"""

from __future__ import annotations

from minigrad.fx._symbolic_trace import Tracer, symbolic_trace, wrap
from minigrad.fx.graph import Graph
from minigrad.fx.graph_module import GraphModule
from minigrad.fx.interpreter import Interpreter, Transformer
from minigrad.fx.node import Node, map_arg
from minigrad.fx.proxy import Proxy
from minigrad.hints import module_getattr as _module_getattr

__all__ = [
    "Graph", "GraphModule", "Interpreter", "Node", "Proxy", "Tracer", "Transformer", "map_arg", "symbolic_trace",
    "wrap",
]  # fmt: skip

_module_getattr(globals())

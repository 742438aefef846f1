"""`Interpreter`: runs a graph step by step. `Transformer`: makes another graph so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minigrad.errors import runtime_error
from minigrad.fx._symbolic_trace import Tracer
from minigrad.fx.graph import Graph
from minigrad.fx.graph_module import GraphModule
from minigrad.fx.node import Node, Target, map_aggregate, map_arg
from minigrad.fx.proxy import Proxy
from minigrad.nn.module import Module

__all__ = ["Interpreter", "Transformer"]

Args = tuple[Any, ...]
Named = dict[str, Any]


class Interpreter:
    """Runs a graph step by step; a subclass writes what becomes of calls, inputs or attributes.

    Args:
        module: a `GraphModule`, or a module beside ``graph``.
        garbage_collect_values: whether a result is let go after its last use.
        graph: the steps, if not those of the module.
    """

    def __init__(
        self, module: Module, garbage_collect_values: bool = True, graph: Graph | None = None
    ) -> None:
        self.module: Any = module
        self.graph: Graph = self.module.graph if graph is None else graph
        self.submodules = dict(module.named_modules())
        self.env: dict[Node, Any] = {}
        self.garbage_collect_values = garbage_collect_values

    def run(
        self, *args: Any, initial_env: dict[Node, Any] | None = None, enable_io_processing: bool = True
    ) -> Any:
        """What the graph gives for these inputs; ``initial_env`` has results of steps that are known."""
        self.env = dict(initial_env or {})
        self.args_iter: Iterator[Any] = iter(args)
        last = {x: n for n in self.graph.nodes for x in n.all_input_nodes}
        for node in self.graph.nodes:
            if node in self.env:
                continue
            self.env[node] = self.run_node(node)
            if node.op == "output":
                return self.env[node]
            if self.garbage_collect_values:
                for x in node.all_input_nodes:
                    if last[x] is node:
                        self.env.pop(x, None)
        return None

    def run_node(self, n: Node) -> Any:
        """The result of one step."""
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        return getattr(self, n.op)(n.target, args, kwargs)

    def fetch_args_kwargs_from_env(self, n: Node) -> tuple[Args, Named]:
        """What a step is called with."""
        return self.map_nodes_to_values(n.args, n), self.map_nodes_to_values(n.kwargs, n)

    def map_nodes_to_values(self, args: Any, n: Node) -> Any:
        """The same containers, with the results of nodes in their place. RuntimeError for one that has not run."""

        def value(node: Node) -> Any:
            if node not in self.env:
                raise runtime_error(
                    f"Node {n} referenced nonexistent value {node}! Run Graph.lint() to find out why"
                )
            return self.env[node]

        return map_arg(args, value)

    def fetch_attr(self, target: str) -> Any:
        """An attribute of the module, by its name with dots."""
        value = self.module
        for part in target.split("."):
            if not hasattr(value, part):
                raise runtime_error(f"Node referenced nonexistent target {target}")
            value = getattr(value, part)
        return value

    def placeholder(self, target: Target, args: Args, kwargs: Named) -> Any:
        """The next input, or its default."""
        if str(target).startswith("*"):
            return list(self.args_iter)
        try:
            return next(self.args_iter)
        except StopIteration:
            if args:
                return args[0]
            raise runtime_error(
                f"Expected positional argument for parameter {target}, but one was not passed in!"
            ) from None

    def get_attr(self, target: Target, args: Args, kwargs: Named) -> Any:
        """An attribute."""
        return self.fetch_attr(str(target))

    def call_function(self, target: Target, args: Args, kwargs: Named) -> Any:
        """What a function gives."""
        return target(*args, **kwargs)  # type: ignore[operator]

    def call_method(self, target: Target, args: Args, kwargs: Named) -> Any:
        """What a method of the first argument gives."""
        this, *rest = args
        return getattr(this, str(target))(*rest, **kwargs)

    def call_module(self, target: Target, args: Args, kwargs: Named) -> Any:
        """What a submodule gives."""
        return self.fetch_attr(str(target))(*args, **kwargs)

    def output(self, target: Target, args: Args, kwargs: Named) -> Any:
        """The result of the graph."""
        return args[0]


class Transformer(Interpreter):
    """Goes through a graph with proxies, and so makes another; a subclass writes what becomes of the steps."""

    def __init__(self, module: Module) -> None:
        super().__init__(module)
        self.new_graph = Graph()
        self.tracer = Tracer()
        self.tracer.graph, self.tracer.root = self.new_graph, module
        self.tracer._paths, self.tracer._named, self.tracer._tensors = {}, {}, {}

    def placeholder(self, target: Target, args: Args, kwargs: Named) -> Proxy:
        """An input of the new graph."""
        return Proxy(self.new_graph.placeholder(str(target), None, *args[:1]), self.tracer)

    def get_attr(self, target: Target, args: Args, kwargs: Named) -> Proxy:
        """An attribute that the new graph reads."""
        return self.tracer.create_proxy("get_attr", target, args, kwargs)

    def call_module(self, target: Target, args: Args, kwargs: Named) -> Any:
        """A call of a submodule in the new graph."""
        return self.tracer.create_proxy("call_module", target, args, kwargs)

    def call_function(self, target: Target, args: Args, kwargs: Named) -> Any:
        """A call of a function in the new graph."""
        return self.tracer.create_proxy("call_function", target, args, kwargs)

    def transform(self) -> GraphModule:
        """The module of the new graph."""
        result = super().run()
        self.new_graph.output(map_aggregate(result, lambda x: x.node if isinstance(x, Proxy) else x))
        return GraphModule(self.module, self.new_graph, type(self.module).__name__)

"""`GraphModule`: a module that runs a `Graph`."""

from __future__ import annotations

import copy
import linecache
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.errors import assertion_error, runtime_error
from minigrad.fx.graph import Graph, PythonCode
from minigrad.fx.node import map_aggregate, map_arg
from minigrad.nn import Parameter
from minigrad.nn.module import Module

__all__ = ["GraphModule"]

_USER_PRESERVED_ATTRIBUTES_KEY = "_user_preserved_attributes"


class GraphModule(Module):
    """A module whose ``forward`` is written from a graph. Change the graph, call `recompile`, and it does that.

    Args:
        root: a module, or a dict of what its targets name; what the graph uses of it is taken over, not copied.
        graph: the steps.
        class_name: what ``type(m).__name__`` is.
    """

    _code: str

    def __new__(cls, *args: Any, **kwargs: Any) -> GraphModule:
        """Each has a class of its own, for each has a ``forward`` of its own."""
        own = next((c for c in cls.__mro__ if not c.__dict__.get("_of_one")), cls)
        made = type(
            cls.__name__, (own,), {"_of_one": True, "__module__": own.__module__, "__doc__": own.__doc__}
        )
        return super().__new__(made)

    def __init__(self, root: Module | dict[str, Any], graph: Graph, class_name: str = "GraphModule") -> None:
        super().__init__()
        type(self).__name__ = type(self).__qualname__ = class_name
        if isinstance(root, Module):
            self.training = root.training
        targets = {str(n.target): None for n in graph.nodes if n.op in ("get_attr", "call_module")}
        # What a dict has is placed from the outside in.
        for target in targets if isinstance(root, Module) else sorted(targets, key=lambda t: t.count(".")):
            if isinstance(root, Module):
                _copy_attr(root, self, target)
            elif target in root:
                _place(self, target, root[target])
            else:
                raise runtime_error(
                    f"Node in graph referenced target {target} but that target was not provided in `root`!"
                )
        self.meta: dict[str, Any] = {}
        self._tracer_cls = graph._tracer_cls
        self.graph = graph

    @property
    def graph(self) -> Graph:
        """The steps. Setting another compiles anew."""
        return self._graph

    @graph.setter
    def graph(self, g: Graph) -> None:
        if not isinstance(g, Graph):
            raise assertion_error(f"Expected a Graph instance, but got {type(g)}")
        self._graph = g
        g.owning_module = self
        self.recompile()

    @property
    def code(self) -> str:
        """The text of ``forward``."""
        return self._code

    def recompile(self) -> PythonCode:
        """Writes ``forward`` from the graph as it is now. Returns its text."""
        written = self._graph.python_code("self")
        file = f"<eval_with_key>.{id(type(self))}"
        linecache.cache[file] = (len(written.src), None, written.src.splitlines(keepends=True), file)
        names = dict(written.globals)
        exec(compile(written.src, file, "exec"), names)
        type(self).forward = names["forward"]  # type: ignore[method-assign]
        self._code = written.src
        return written

    def add_submodule(self, target: str, m: Module) -> bool:
        """Puts a module where a target such as ``"body.act"`` says. Returns False if something else is on the way."""
        *way, name = target.split(".")
        at: Module = self
        for part in way:
            below = getattr(at, part, None)
            if below is None:
                at.add_module(part, below := Module())
            if not isinstance(below, Module):
                return False
            at = below
        at.add_module(name, m)
        return True

    def delete_submodule(self, target: str) -> bool:
        """Takes a module out. Returns False if there is none."""
        home, _, name = target.rpartition(".")
        try:
            parent = self.get_submodule(home)
        except AttributeError:
            return False
        if name not in dict(parent.named_children()):
            return False
        delattr(parent, name)
        return True

    def delete_all_unused_submodules(self) -> None:
        """Takes out the modules that no step uses."""
        used = {str(n.target) for n in self._graph.nodes if n.op in ("get_attr", "call_module")}
        for name in [name for name, _ in self.named_modules() if name]:
            within = any(name == t or name.startswith(f"{t}.") or t.startswith(f"{name}.") for t in used)
            if not within:
                self.delete_submodule(name)

    def print_readable(self, print_output: bool = True, **options: Any) -> str:
        """Prints the code as that of a class, and returns it."""
        body = "".join(f"    {line}" for line in self._code.strip("\n").splitlines(keepends=True))
        text = f"class {type(self).__name__}(torch.nn.Module):\n{body}".rstrip() + "\n"
        if print_output:
            print(text)
        return text

    def __deepcopy__(self, memo: dict[int, Any]) -> GraphModule:
        made = GraphModule(
            _CodeOnlyModule(copy.deepcopy(_contents(self), memo)),
            copy.deepcopy(self._graph),
            type(self).__name__,
        )
        made.training = self.training
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its steps, with names in the place of nodes: it is made anew, and its code written anew."""
        steps = [
            (n.op, n.target, *map_arg((n.args, n.kwargs), lambda x: _Named(x.name)), n.name, n.type)
            for n in self._graph.nodes
        ]
        return _made_again, (_contents(self), steps, type(self).__name__)

    def __copy__(self) -> GraphModule:
        return GraphModule(self, copy.deepcopy(self._graph), type(self).__name__)

    def __str__(self) -> str:
        text = super().__repr__()
        return f"{text}\n{self._code}\n# To see more debug info, please use `graph_module.print_readable()`"


def _contents(module: GraphModule) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name not in ("_graph", "_code")}


class _Named(str):
    """The name of a node, in a pickle."""


def _made_again(contents: dict[str, Any], steps: list[tuple[Any, ...]], name: str) -> GraphModule:
    graph = Graph()
    nodes: dict[str, Any] = {}
    for op, target, args, kwargs, label, kind in steps:
        args, kwargs = map_aggregate((args, kwargs), lambda x: nodes[x] if isinstance(x, _Named) else x)
        nodes[label] = graph.create_node(op, target, args, kwargs, label, kind)
    return GraphModule(_CodeOnlyModule(contents), graph, name)


class _CodeOnlyModule(Module):
    """A module that has the attributes in a dict."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__()
        self.__dict__.update(body)


def _copy_attr(from_module: Module, to_module: Module, target: str) -> None:
    """Gives another module the same attribute, with modules of the same names on the way to it."""
    value: Any = from_module
    for part in target.split("."):
        value = getattr(value, part, None)
        if value is None:
            return
    _place(to_module, target, value)


def _place(at: Module, target: str, value: Any) -> None:
    *way, name = target.split(".")
    for part in way:
        if part not in dict(at.named_children()):
            at.add_module(part, Module())
        at = at.get_submodule(part)
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        at.register_buffer(name, value)
    elif name not in dict(at.named_children()):
        setattr(at, name, value)

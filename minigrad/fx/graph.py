"""`Graph`: steps in order, and the Python text of them."""

from __future__ import annotations

import builtins
import keyword
import operator
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from inspect import Signature
from types import ModuleType
from typing import Any, NamedTuple

from minigrad.core.size import Size
from minigrad.device import device
from minigrad.dtypes import dtype
from minigrad.errors import runtime_error
from minigrad.formats import memory_format
from minigrad.fx.node import Argument, Node, Target, home_of, map_arg, minigrad, type_text

__all__ = ["Graph", "PythonCode"]

_OWN = {"inf": float("inf"), "nan": float("nan"), "device": device}
BINARY = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@",
    "lshift": "<<", "rshift": ">>", "and_": "&", "or_": "|", "xor": "^", "eq": "==", "ne": "!=", "lt": "<", "gt": ">",
    "le": "<=", "ge": ">=",
}  # fmt: skip
UNARY = {"pos": "+", "neg": "-", "invert": "~"}
# The text of calls of `operator`, by the name there.
_SIGNS = {
    **{name: f"{{}} {sign} {{}}" for name, sign in BINARY.items()},
    **{name: f"{sign}{{}}" for name, sign in UNARY.items()},
    "getitem": "{}[{}]",
}


class _Nothing(Enum):
    """Stands for an input without a default."""

    NOTHING = "no default"


class PythonCode(NamedTuple):
    """The text of a graph as a function, and what its names are bound to."""

    src: str
    globals: dict[str, Any]


class _Names:
    """Names of one graph, no two alike, and none of Python's."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self._count: dict[str, int] = defaultdict(int)

    def make(self, wanted: str) -> str:
        name = re.sub(r"\W+", "_", wanted, flags=re.ASCII) or "_unnamed"
        name = f"_{name}" if name[0].isdigit() else name
        parts = re.fullmatch(r"(.*)_(\d+)", name)
        base, number = (parts[1], int(parts[2])) if parts else (name, 0)
        name = f"{base}_{number}" if parts else base
        number = number or self._count[base]
        while (
            name in self.used or keyword.iskeyword(name) or name in vars(builtins) or name in (*_OWN, "torch")
        ):
            number += 1
            name = f"{base}_{number}"
        self.used.add(name)
        self._count[base] = number
        return name


class _Nodes:
    """The steps of a graph in order, as a sequence that may change while it is read."""

    def __init__(self, graph: Graph, backwards: bool = False) -> None:
        self._graph, self._backwards = graph, backwards

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Node]:
        root = node = self._graph._root
        while (node := node._prev if self._backwards else node._next) is not root:
            if not node._erased:
                yield node

    def __reversed__(self) -> _Nodes:
        return _Nodes(self._graph, not self._backwards)


class Graph:
    """Steps in order: inputs, calls, and an output. See `Node` for what a step holds, `GraphModule` for how to run it.

    New nodes go to the end, or to where `inserting_before` says.
    """

    def __init__(self, owning_module: Any = None, tracer_cls: Any = None, tracer_extras: Any = None) -> None:
        self._root = Node(self, "", "root", "", (), {})
        self._insert: Callable[[Node], None] = self._root.prepend
        self._names = _Names()
        self._tracer_cls = tracer_cls
        self.owning_module = owning_module

    @property
    def nodes(self) -> _Nodes:
        """The steps in order. They may be erased, and others put in, while they are gone through."""
        return _Nodes(self)

    # ---------------------------------------------------------------- making steps

    def create_node(
        self, op: str, target: Target, args: tuple[Argument, ...] | None = None,
        kwargs: dict[str, Argument] | None = None, name: str | None = None, type_expr: Any = None,
    ) -> Node:  # fmt: skip
        """A new step. Its name is like ``name``, or like that of the target."""
        made = self._names.make(name or self._target_to_str(target))
        node = Node(self, made, op, target, args or (), kwargs or {}, type_expr)
        self._insert(node)
        return node

    def _target_to_str(self, target: Target) -> str:
        name = target if isinstance(target, str) else getattr(target, "__name__", type(target).__name__)
        name = name[2:-2] if name[:2] == name[-2:] == "__" else name
        return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()

    def placeholder(self, name: str, type_expr: Any = None, default_value: Any = _Nothing.NOTHING) -> Node:
        """An input."""
        args = (
            () if default_value is _Nothing.NOTHING or default_value is Signature.empty else (default_value,)
        )
        return self.create_node("placeholder", name, args, type_expr=type_expr)

    def get_attr(self, qualified_name: str, type_expr: Any = None) -> Node:
        """An attribute of the module that is read, such as ``"body.weight"``."""
        return self.create_node("get_attr", qualified_name, type_expr=type_expr)

    def call_module(
        self, module_name: str, args: Any = None, kwargs: Any = None, type_expr: Any = None
    ) -> Node:
        """A call of a submodule."""
        return self.create_node("call_module", module_name, args, kwargs, type_expr=type_expr)

    def call_method(
        self, method_name: str, args: Any = None, kwargs: Any = None, type_expr: Any = None
    ) -> Node:
        """A call of a method of the first argument."""
        return self.create_node("call_method", method_name, args, kwargs, type_expr=type_expr)

    def call_function(
        self, the_function: Callable[..., Any], args: Any = None, kwargs: Any = None, type_expr: Any = None,
        name: str | None = None,
    ) -> Node:  # fmt: skip
        """A call of a function."""
        return self.create_node("call_function", the_function, args, kwargs, name, type_expr)

    def output(self, result: Argument, type_expr: Any = None) -> Node:
        """The output: nodes, and containers of them."""
        return self.create_node("output", "output", (result,), type_expr=type_expr)

    def node_copy(self, node: Node, arg_transform: Callable[[Node], Argument] = lambda x: x) -> Node:
        """A copy of a step of another graph. ``arg_transform`` gives for each of its inputs what stands for it here."""
        args, kwargs = map_arg(node.args, arg_transform), map_arg(node.kwargs, arg_transform)
        made = self.create_node(node.op, node.target, args, kwargs, node.name, node.type)
        made.meta = dict(node.meta)
        return made

    def graph_copy(self, g: Graph, val_map: dict[Node, Node], return_output_node: bool = False) -> Any:
        """Copies of all steps of ``g`` but the output, noted in ``val_map``. Returns what stands for the output."""
        for node in g.nodes:
            if node in val_map:
                continue
            if node.op == "output":
                result = map_arg(node.args[0], val_map.__getitem__)
                return (result, node) if return_output_node else result
            val_map[node] = self.node_copy(node, val_map.__getitem__)
        return None

    def __deepcopy__(self, memo: Any = None) -> Graph:
        made = Graph(tracer_cls=self._tracer_cls)
        seen: dict[Node, Node] = {}
        result = made.graph_copy(self, seen, True)
        if result is not None:
            out = made.output(result[0], result[1].type)
            out.meta = dict(result[1].meta)
        return made

    # ---------------------------------------------------------------- changing it

    @contextmanager
    def _inserting(self, insert: Callable[[Node], None]) -> Iterator[None]:
        before, self._insert = self._insert, insert
        try:
            yield
        finally:
            self._insert = before

    def inserting_before(self, n: Node | None = None) -> Any:
        """In ``with``: new steps go before ``n``; without it, to the beginning of the graph."""
        return self._inserting(n.prepend if n is not None else self._root._next.prepend)

    def inserting_after(self, n: Node | None = None) -> Any:
        """In ``with``: new steps go behind ``n``, in the order in which they are made; without it, to the end."""
        last = [self._root._prev if n is None else n]

        def insert(node: Node) -> None:
            last[0].append(node)
            last[0] = node

        return self._inserting(insert)

    def erase_node(self, to_erase: Node) -> None:
        """Takes a step out. RuntimeError if others take its result."""
        if to_erase.users:
            raise runtime_error(
                f"Tried to erase Node {to_erase} but it still had {len(to_erase.users)} users in the graph: "
                f"{to_erase.users}! Give them another input first, by replace_all_uses_with()"
            )
        if to_erase.graph is not self:
            raise runtime_error(f"Attempting to remove {to_erase} from wrong graph!")
        to_erase._set((), {})
        to_erase._unlink()
        to_erase._erased = True

    def eliminate_dead_code(self, is_impure_node: Callable[[Node], bool] | None = None) -> bool:
        """Takes out all steps whose results nobody takes and that do nothing else. Returns whether there were any."""
        self.lint()
        changed = False
        for node in reversed(self.nodes):
            if not node.users and not (is_impure_node or Node.is_impure)(node):
                self.erase_node(node)
                changed = True
        return changed

    def lint(self) -> None:
        """RuntimeError if a step takes what comes later or is of another graph, or if the module lacks a target."""
        seen: set[Node] = set()
        for node in self.nodes:
            for x in node.all_input_nodes:
                if x.graph is not self or x not in seen:
                    raise runtime_error(
                        f"Argument '{x}' of Node '{node}' was used before it has been defined!"
                    )
            seen.add(node)
            if self.owning_module is not None and node.op in ("get_attr", "call_module"):
                at = self.owning_module
                for part in str(node.target).split("."):
                    if not hasattr(at, part):
                        raise runtime_error(
                            f"Node {node} target {node.target} references nonexistent attribute {part}"
                        )
                    at = getattr(at, part)

    # ---------------------------------------------------------------- reading it

    def find_nodes(self, *, op: str, target: Target | None = None, sort: bool = True) -> list[Node]:
        """The steps of a kind, and with a target, in order."""
        return [n for n in self.nodes if n.op == op and (target is None or n.target == target)]

    def output_node(self) -> Node:
        """The output."""
        return next(n for n in reversed(self.nodes) if n.op == "output")

    def __str__(self) -> str:
        lines = [n.format_node() for n in self.nodes]
        return "graph():" + "".join(f"\n    {line}" for line in lines)

    def print_tabular(self) -> None:
        """Prints the steps as a table."""
        rows = [("opcode", "name", "target", "args", "kwargs")]
        rows += [(n.op, n.name, str(n.target), str(n.args), str(n.kwargs)) for n in self.nodes]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        rows.insert(1, tuple("-" * w for w in widths))  # type: ignore[arg-type]
        for row in rows:
            print("  ".join(x.ljust(w) for x, w in zip(row, widths, strict=True)).rstrip())

    def python_code(self, root_module: str, **options: Any) -> PythonCode:
        """The graph as the text of a function ``forward``, whose first parameter is ``root_module``."""
        return _Writer(self, root_module).written()


class _Writer:
    """Writes a graph as Python."""

    def __init__(self, graph: Graph, root: str) -> None:
        self.graph, self.root = graph, root
        self.globals: dict[str, Any] = {}
        self._names = _Names()
        self._names.used |= graph._names.used
        self._wrapped: list[str] = []
        # What nobody reads after a step is let go there.
        self._last: dict[Node, list[Node]] = defaultdict(list)
        seen: set[Node] = set()
        for user in reversed(graph.nodes):
            for node in user.all_input_nodes:
                if node not in seen:
                    seen.add(node)
                    self._last[user].append(node)

    def written(self) -> PythonCode:
        parameters: list[str] = []
        body, returns = [], ""
        for node in self.graph.nodes:
            if node.op == "placeholder":
                default = f" = {self.value(node.args[0])}" if node.args else ""
                parameters.append(f"{node.target}{self._kind(node)}{default}")
                raw = str(node.target).replace("*", "")
                if raw != node.name:
                    body.append(f"{node.name} = {raw}\n")
                continue
            if node.op == "output":
                returns = f" -> {self.type_name(node.type)}" if node.type is not None else ""
                body.append(f"return {self.value(node.args[0])}")
                continue
            gone = [*self._last[node], *([] if node.users else [node])]
            names = "".join(f"{n.name} = " for n in gone)
            body.append(
                f"{node.name}{self._kind(node)} = {self.call(node)}" + (f";  {names}None\n" if gone else "\n")
            )
        text = "".join(f"    {line}" for line in "".join(body or ["pass\n"]).splitlines(keepends=True))
        wraps = "\n".join(f'torch.fx._symbolic_trace.wrap("{name}")' for name in self._wrapped)
        if wraps:
            self._torch()
        inputs = ", ".join([self.root, *parameters])
        return PythonCode(f"\n{wraps}\n\ndef forward({inputs}){returns}:\n{text}\n    ", self.globals)

    def _torch(self) -> None:
        """Binds the name that PyTorch's own things have in the text."""
        self.globals["torch"] = minigrad()

    def _kind(self, node: Node) -> str:
        return f" : {self.type_name(node.type)}" if node.type is not None else ""

    def type_name(self, kind: Any) -> str:
        """An annotation. Python looks it up when the function is defined, so its names are bound."""
        text = type_text(kind)
        head = re.split(r"\W", text)[0]
        if head == "torch":
            self._torch()
        elif isinstance(kind, type) and "." in text and "[" not in text:
            return self.named(kind)
        elif head.isidentifier() and head not in vars(builtins):
            self.globals.setdefault(head, sys.modules.get(head))
        return text

    def call(self, node: Node) -> str:
        args, target = node.args, node.target
        if node.op in ("get_attr", "call_module"):
            place = _attribute(self.root, str(target))
            return place if node.op == "get_attr" else f"{place}({self._arguments(args, node.kwargs)})"
        if isinstance(target, str):
            return f"{_attribute(self.value(args[0]), target)}({self._arguments(args[1:], node.kwargs)})"
        name = getattr(target, "__name__", "")
        if name in _SIGNS and getattr(operator, name, None) is target and not node.kwargs:
            return _SIGNS[name].format(*map(self.value, args))
        if target is getattr and len(args) == 2 and isinstance(args[1], str) and args[1].isidentifier():
            return f"{self.value(args[0])}.{args[1]}"
        return f"{self.named(target, node)}({self._arguments(args, node.kwargs)})"

    def _arguments(self, args: tuple[Argument, ...], kwargs: dict[str, Argument]) -> str:
        named = (f"{name} = {self.value(x)}" for name, x in kwargs.items())
        return ", ".join([*map(self.value, args), *named])

    def named(self, thing: Any, node: Node | None = None) -> str:
        """The name of a function or class in the text, which is bound to it."""
        place = home_of(thing)
        if place.startswith("builtins."):
            return place.removeprefix("builtins.")
        if _found(place) is thing:
            self._torch()
            return place
        name = next((n for n, x in self.globals.items() if x is thing), None)
        if name is None:
            name = self._names.make(place.replace(".", "_"))
            self.globals[name] = thing
            if node is not None and node.meta.get("is_wrapped"):
                self._wrapped.append(name)
        return name

    def value(self, a: Argument) -> str:
        """An argument as Python writes it."""
        if isinstance(a, tuple) and hasattr(a, "_fields"):
            return f"{self.named(type(a))}({', '.join(map(self.value, a))})"
        if isinstance(a, tuple) and type(a) in (tuple, Size):
            return f"({', '.join(map(self.value, a))}{',' if len(a) == 1 else ''})"
        if isinstance(a, list):
            return f"[{', '.join(map(self.value, a))}]"
        if isinstance(a, dict):
            return f"{{{', '.join(f'{key!r}: {self.value(x)}' for key, x in a.items())}}}"
        if isinstance(a, slice):
            return f"slice({', '.join(map(self.value, (a.start, a.stop, a.step)))})"
        if isinstance(a, (Enum, ModuleType)):
            self.globals[name := self._names.make(str(a))] = a
            return name
        if isinstance(a, (dtype, memory_format)):
            self._torch()
            return f"torch.{repr(a).rpartition('.')[2]}"
        if isinstance(a, (float, complex)):
            self.globals.update(inf=_OWN["inf"], nan=_OWN["nan"])
        if isinstance(a, device):
            self.globals["device"] = device
        return self.named(a) if callable(a) and hasattr(a, "__name__") else repr(a)


def _attribute(base: str, path: str) -> str:
    for part in path.split("."):
        base = f"{base}.{part}" if part.isidentifier() else f'getattr({base}, "{part}")'
    return base


def _found(place: str) -> Any:
    """What ``torch.<...>`` names here; None for other names."""
    head, *parts = place.split(".")
    at: Any = minigrad() if head == "torch" else None
    for part in parts:
        at = getattr(at, part, None)
    return at

"""`Node`: one step of a `Graph`."""

from __future__ import annotations

import builtins
import operator
import re
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

from minigrad.errors import assertion_error, runtime_error, type_error, value_error

__all__ = ["Argument", "Node", "Target", "map_aggregate", "map_arg"]

# What a node calls: a function, or the name of a method, a module or an attribute.
Target: TypeAlias = Callable[..., Any] | str
# Nodes, numbers, texts, element types, and containers of these.
Argument: TypeAlias = Any

_OURS = re.compile(r"^minigrad\b")
OPS = ("placeholder", "call_method", "call_module", "call_function", "get_attr", "output", "root")


def map_aggregate(a: Argument, fn: Callable[[Any], Any]) -> Any:
    """The same containers, with ``fn`` of each thing that they hold, however deep."""
    if isinstance(a, tuple):
        items = [map_aggregate(x, fn) for x in a]
        return type(a)(*items) if hasattr(a, "_fields") else tuple(items)
    if isinstance(a, list):
        return [map_aggregate(x, fn) for x in a]
    if isinstance(a, dict):
        return {key: map_aggregate(x, fn) for key, x in a.items()}
    if isinstance(a, slice):
        return slice(*(map_aggregate(x, fn) for x in (a.start, a.stop, a.step)))
    return fn(a)


def map_arg(a: Argument, fn: Callable[[Node], Any]) -> Any:
    """The same containers, with ``fn`` of each node in them."""
    return map_aggregate(a, lambda x: fn(x) if isinstance(x, Node) else x)


def minigrad() -> Any:
    """The namespace of which functions are printed as PyTorch's."""
    return sys.modules["minigrad"]


def home_of(function: Callable[..., Any]) -> str:
    """The place of a function as a program names it: ``torch.relu``, ``operator.add``, ``builtins.getattr``."""
    name = getattr(function, "__name__", type(function).__name__)
    if getattr(builtins, name, None) is function:
        return f"builtins.{name}"
    if getattr(minigrad(), name, None) is function:
        return f"torch.{name}"
    home = str(getattr(function, "__module__", None))
    return f"{_OURS.sub('torch', home, count=1) if home != '_operator' else 'operator'}.{name}"


class Node:
    """One step of a `Graph`: a call, an input, an attribute that is read, or the output.

    Attributes:
        graph: the `Graph` that it is a step of.
        op: ``"placeholder"``, ``"get_attr"``, ``"call_function"``, ``"call_module"``, ``"call_method"``, ``"output"``.
        target: the function that it calls, or the name of the method, the module, the attribute or the input.
        args, kwargs: what it is called with; nodes in them are results of other steps.
        users: the nodes that take its result, as keys of a dict.
        meta: a dict for what programs note about it.
    """

    def __init__(
        self, graph: Any, name: str, op: str, target: Target, args: tuple[Argument, ...],
        kwargs: dict[str, Argument], return_type: Any = None,
    ) -> None:  # fmt: skip
        if op not in OPS:
            raise assertion_error(f"a node has one of {', '.join(OPS)}, not op={op!r}")
        if (op == "call_function") != callable(target):
            raise value_error(
                f"Node [graph = {graph}, name = '{name}'] target {target!r}: a function for call_function, else a str"
            )
        self.graph, self.name, self.op, self.target, self.type = graph, name, op, target, return_type
        self.users: dict[Node, None] = {}
        self.meta: dict[str, Any] = {}
        self._args: tuple[Argument, ...] = ()
        self._kwargs: dict[str, Argument] = {}
        self._input_nodes: dict[Node, None] = {}
        self._prev = self._next = self
        self._erased = False
        self._set(args, kwargs)

    def _set(self, args: tuple[Argument, ...], kwargs: dict[str, Argument]) -> None:
        for node in self._input_nodes:
            node.users.pop(self, None)
        self._input_nodes = {}

        def take(node: Node) -> Node:
            self._input_nodes[node] = node.users[self] = None
            return node

        self._args, self._kwargs = map_arg(tuple(args), take), map_arg(dict(kwargs), take)

    @property
    def args(self) -> tuple[Argument, ...]:
        """The arguments by place."""
        return self._args

    @args.setter
    def args(self, value: tuple[Argument, ...]) -> None:
        self._set(value, self._kwargs)

    @property
    def kwargs(self) -> dict[str, Argument]:
        """The arguments by name."""
        return self._kwargs

    @kwargs.setter
    def kwargs(self, value: dict[str, Argument]) -> None:
        self._set(self._args, value)

    @property
    def all_input_nodes(self) -> list[Node]:
        """The nodes among the arguments, each once."""
        return [*self._input_nodes]

    @property
    def next(self) -> Node:
        """The step after it; the root of the graph behind the last."""
        return self._next

    @property
    def prev(self) -> Node:
        """The step before it; the root of the graph before the first."""
        return self._prev

    def prepend(self, x: Node) -> None:
        """Moves ``x`` before this node. TypeError for anything but a node."""
        if not isinstance(x, Node):
            raise type_error(f"prepend() and append() move a Node, got {type(x).__name__}")
        if x is self:
            return
        x._unlink()
        x._prev, x._next = self._prev, self
        self._prev._next = self._prev = x

    def append(self, x: Node) -> None:
        """Moves ``x`` behind this node."""
        self._next.prepend(x)

    def _unlink(self) -> None:
        self._prev._next, self._next._prev = self._next, self._prev

    def update_arg(self, idx: int, arg: Argument) -> None:
        """Sets one argument by its place."""
        args = list(self._args)
        args[idx] = arg
        self.args = tuple(args)

    def insert_arg(self, idx: int, arg: Argument) -> None:
        """Puts an argument before that of a place."""
        if not 0 <= idx <= len(self._args):
            raise assertion_error("insert_args index must be between 0 and len(self.args)")
        self.args = (*self._args[:idx], arg, *self._args[idx:])

    def update_kwarg(self, key: str, arg: Argument) -> None:
        """Sets one argument by its name."""
        self.kwargs = {**self._kwargs, key: arg}

    def replace_input_with(self, old_input: Node, new_input: Node) -> None:
        """Takes the result of another node where it took that of ``old_input``."""
        swap = {old_input: new_input}
        self._set(*map_arg((self._args, self._kwargs), lambda n: swap.get(n, n)))

    def replace_all_uses_with(
        self,
        replace_with: Node,
        delete_user_cb: Callable[[Node], bool] = lambda user: True,
        *,
        propagate_meta: bool = False,
    ) -> list[Node]:
        """All nodes that take its result take that of another; the callback leaves some out. Returns these nodes."""
        if propagate_meta:
            replace_with.meta.update(self.meta)
        changed = [user for user in [*self.users] if delete_user_cb(user)]
        for user in changed:
            user.replace_input_with(self, replace_with)
        return changed

    def is_impure(self, impure_random: bool = True) -> bool:
        """Whether it is more than its result: inputs, outputs, and what changes things in place."""
        if self.op in ("placeholder", "output"):
            return True
        name = self.target if isinstance(self.target, str) else getattr(self.target, "__name__", "")
        changes = (
            self.op in ("call_function", "call_method") and name.endswith("_") and not name.endswith("__")
        )
        return changes or name in ("_assert", "setitem") or self.target in (operator.setitem,)

    def format_node(
        self, placeholder_names: list[str] | None = None, maybe_return_typename: list[str] | None = None
    ) -> str | None:
        """The node as a line of the printed graph."""
        kind = f"{type_text(self.type)} " if self.type else ""
        head = f"%{self.name} : {kind}[num_users={len(self.users)}] = {self.op}[target={self._pretty()}]"
        if self.op == "placeholder":
            return head + (f"(default={self._args[0]})" if self._args else "")
        if self.op == "get_attr":
            return head
        if self.op == "output":
            return f"return {self._args[0]}"
        return f"{head}(args = {shown(self._args)}, kwargs = {shown(self._kwargs)})"

    def _pretty(self) -> str:
        return self.target if isinstance(self.target, str) else home_of(self.target)

    def __repr__(self) -> str:
        return self.name

    def __deepcopy__(self, memo: Any) -> Node:
        raise runtime_error("a Node is a part of its Graph: copy that, or use graph.node_copy(node)")


def type_text(kind: Any) -> str:
    """An annotation as a program writes it."""
    if not isinstance(kind, type):
        return str(kind)
    home = _OURS.sub("torch", kind.__module__)
    return kind.__qualname__ if home == "builtins" else f"{home}.{kind.__qualname__}"


def shown(a: Argument) -> str:
    """An argument as the printed graph has it, with a % before nodes."""
    if isinstance(a, list):
        return f"[{', '.join(map(shown, a))}]"
    if isinstance(a, tuple) and not hasattr(a, "_fields"):
        return f"({', '.join(map(shown, a))}{',' if len(a) == 1 else ''})"
    if isinstance(a, dict):
        return f"{{{', '.join(f'{key}: {shown(x)}' for key, x in a.items())}}}"
    return f"%{a}" if isinstance(a, Node) else str(a)

"""`Proxy`: what stands for a Tensor while a program is traced, and notes what is done to it."""

from __future__ import annotations

import dis
import inspect
import operator
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

from minigrad.device import device
from minigrad.dtypes import dtype
from minigrad.errors import here, not_implemented_error, place, runtime_error, type_error
from minigrad.formats import layout, memory_format
from minigrad.fx.graph import BINARY, UNARY, Graph
from minigrad.fx.node import Argument, Node, Target, map_aggregate, minigrad
from minigrad.gate.overriding import arm
from minigrad.nn import functional
from minigrad.overrides import is_tensor_method_or_property

__all__ = ["Attribute", "GraphAppendingTracer", "Proxy", "TraceError", "TracerBase"]

_PLAIN = (str, int, float, bool, complex, dtype, device, layout, memory_format, range, type(None), type(...))


# Functions of `nn.functional` that PyTorch has compiled: they hand on what they are called with.
_BARE = frozenset({
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "bilinear", "channel_shuffle", "cosine_similarity", "gelu", "hardshrink",
    "linear", "logsigmoid", "native_channel_shuffle", "one_hot", "pairwise_distance", "pdist", "pixel_shuffle",
    "pixel_unshuffle", "prelu", "scaled_dot_product_attention", "softplus", "softshrink",
})  # fmt: skip


class TraceError(ValueError):
    """The program asks for the value of what only stands for one."""


def _refused(what: str) -> TraceError:
    way = "or have the tracer take the module as one step, by is_leaf_module"
    return TraceError(f"{what}, {way} (at {place(*here())})")


class TracerBase:
    """What makes nodes of the calls that proxies meet."""

    graph: Graph

    def create_node(
        self,
        kind: str,
        target: Target,
        args: Any,
        kwargs: Any,
        name: str | None = None,
        type_expr: Any = None,
    ) -> Node:
        """A new node at the end of the graph; a subclass may note more of it."""
        return self.graph.create_node(kind, target, args, kwargs, name, type_expr)

    def proxy(self, node: Node) -> Proxy:
        """What stands for the result of a node."""
        return Proxy(node, self)

    def create_proxy(
        self, kind: str, target: Target, args: Any, kwargs: Any, name: str | None = None, type_expr: Any = None,
        proxy_factory_fn: Callable[[Node], Proxy] | None = None,
    ) -> Proxy:  # fmt: skip
        """A new node, and what stands for its result. Arguments may hold proxies."""
        args, kwargs = self.create_arg(args), self.create_arg(kwargs)
        node = self.create_node(kind, target, args, kwargs, name, type_expr)
        return (proxy_factory_fn or self.proxy)(node)

    def create_arg(self, a: Any) -> Argument:
        """What a node holds for a value of the program. NotImplementedError for what it cannot hold."""
        return map_aggregate(a, self._one)

    def _one(self, a: Any) -> Argument:
        if isinstance(a, Proxy):
            return a.node
        if isinstance(a, (*_PLAIN, Node)) or callable(a):
            return a
        raise not_implemented_error(f"argument of type: {type(a)}")

    def to_bool(self, obj: Proxy) -> bool:
        """What ``if`` asks; a subclass may answer."""
        raise _refused(
            "symbolically traced variables cannot be used as inputs to control flow: there is no value yet; give what "
            "decides by concrete_args"
        )

    def iter(self, obj: Proxy) -> Iterator[Any]:
        """What a loop or an unpacking asks. ``a, b = x`` is traced: it tells how many there are."""
        frame: FrameType | None = sys._getframe(2)
        at = (
            next((i for i in dis.get_instructions(frame.f_code) if i.offset == frame.f_lasti), None)
            if frame
            else None
        )
        if at is not None and at.opname == "UNPACK_SEQUENCE":
            return (obj[i] for i in range(at.argval))
        raise _refused(
            "Proxy object cannot be iterated: how many parts there are is not known yet; index it, or write a, b = x"
        )

    def keys(self, obj: Proxy) -> Any:
        """What ``**`` asks."""
        return Attribute(obj, "keys")()


class GraphAppendingTracer(TracerBase):
    """Puts what is done to its proxies to the end of a graph: ``Proxy(node, GraphAppendingTracer(graph))``."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph


class Proxy:
    """Stands for the result of a node. Operators, methods, attributes and functions of it are new nodes."""

    def __init__(self, node: Node, tracer: TracerBase | None = None) -> None:
        arm()  # a call that has to be made again, since no door asked the proxy, leaves steps of its own
        self.tracer = GraphAppendingTracer(node.graph) if tracer is None else tracer
        self.node = node

    def __repr__(self) -> str:
        return f"Proxy({self.node.name})"

    def __getattr__(self, k: str) -> Any:
        if k[:2] == k[-2:] == "__":  # Python's own questions
            raise AttributeError(k)
        return Attribute(self, k)

    def __call__(self, *args: Any, **kwargs: Any) -> Proxy:
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __getitem__(self, index: Any) -> Proxy:
        return self.tracer.create_proxy("call_function", operator.getitem, (self, index), {})

    def __iter__(self) -> Iterator[Any]:
        return self.tracer.iter(self)

    def __abs__(self) -> Proxy:
        return self.tracer.create_proxy("call_function", operator.abs, (self,), {})

    def __bool__(self) -> bool:
        return self.tracer.to_bool(self)

    def __len__(self) -> NoReturn:
        raise runtime_error(
            "'len' is not supported in symbolic tracing by default. If you want this call to be recorded, please call "
            "torch.fx.wrap('len') at module scope"
        )

    def keys(self) -> Any:
        """What ``**`` asks."""
        return self.tracer.keys(self)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Proxy:
        kwargs = kwargs or {}
        found: list[Proxy] = []
        map_aggregate([args, kwargs], lambda x: found.append(x) if isinstance(x, Proxy) else None)
        tracers = {id(x.tracer): x.tracer for x in found}
        if len(tracers) != 1:
            raise type_error(f"{func.__name__}: proxies of {len(tracers)} tracers meet in one call")
        (tracer,) = tracers.values()
        name = func.__name__
        if is_tensor_method_or_property(func) and getattr(minigrad(), name, None) is not func:
            return tracer.create_proxy("call_method", func.__name__, args, kwargs)
        if func is minigrad().einsum and isinstance(args[1], (list, tuple)):
            args = (args[0], *args[1])  # PyTorch hands on no list of operands
        if func.__module__ == functional.__name__ and name not in _BARE:
            args, kwargs = _by_name(func, args, kwargs)
        return tracer.create_proxy("call_function", func, args, kwargs)


def _by_name(function: Any, args: Any, kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments as PyTorch's functions hand them on: all that have defaults by name, given or not."""
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    given = bound.arguments
    first = [name for name, p in signature.parameters.items() if p.default is p.empty]
    return tuple(given.pop(name) for name in first), given


class Attribute(Proxy):
    """An attribute of what a proxy stands for: a node only if it is not called, as a method is."""

    def __init__(self, root: Proxy, attr: str) -> None:
        self.root, self.attr, self.tracer = root, attr, root.tracer
        self._node: Node | None = None

    @property
    def node(self) -> Node:  # type: ignore[override]
        """The node that reads the attribute."""
        if self._node is None:
            self._node = self.tracer.create_proxy("call_function", getattr, (self.root, self.attr), {}).node
        return self._node

    def __call__(self, *args: Any, **kwargs: Any) -> Proxy:
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


def _operators(name: str) -> None:
    """Gives proxies an operator of Python's, and the one for what stands on its left."""
    function = getattr(operator, name)

    def forward(self: Proxy, *others: Any) -> Proxy:
        return self.tracer.create_proxy("call_function", function, (self, *others), {})

    def reflected(self: Proxy, other: Any) -> Proxy:
        return self.tracer.create_proxy("call_function", function, (other, self), {})

    plain = name.rstrip("_")
    setattr(Proxy, f"__{plain}__", forward)
    if name in BINARY and plain not in ("eq", "ne", "lt", "gt", "le", "ge"):
        setattr(Proxy, f"__r{plain}__", reflected)


for _name in (*BINARY, *UNARY):
    _operators(_name)
Proxy.__hash__ = object.__hash__  # type: ignore[method-assign]

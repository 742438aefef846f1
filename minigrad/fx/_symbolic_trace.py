"""`Tracer`: runs a module or function once with proxies in the place of its inputs, and notes what it does."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeVar

from minigrad.core.tensor import Tensor
from minigrad.errors import not_implemented_error, runtime_error
from minigrad.fx._compatibility import compatibility as compatibility
from minigrad.fx.graph import Graph
from minigrad.fx.graph_module import GraphModule
from minigrad.fx.node import Argument, map_aggregate, minigrad
from minigrad.fx.proxy import Proxy, TracerBase
from minigrad.nn import Parameter, Sequential
from minigrad.nn.module import Module

__all__ = ["Tracer", "is_fx_tracing", "symbolic_trace", "wrap"]

_F = TypeVar("_F", bound=Callable[..., Any] | str)

# The functions that `wrap` has marked, by the globals that they are looked up in.
_WRAPPED: list[tuple[dict[str, Any], str]] = []
_CALL = Module.__call__


def is_fx_tracing() -> bool:
    """Whether a program is traced now."""
    return Module.__call__ is not _CALL


def wrap(fn_or_name: _F) -> _F:
    """At the top of a module: calls of this function, or of the one of this name, become one node each.

    Returns what it got. RuntimeError if that is neither a function nor a name.
    """
    if not isinstance(fn_or_name, str) and not callable(fn_or_name):
        raise runtime_error(
            f"Unsupported type for global function: wrap() takes a function or its name, got {fn_or_name!r}"
        )
    name = fn_or_name if isinstance(fn_or_name, str) else fn_or_name.__name__
    frame = sys._getframe(1)
    if frame.f_code.co_name != "<module>":
        raise not_implemented_error("wrap must be called at the top level of a module")
    _WRAPPED.append((frame.f_globals, name))
    return fn_or_name


class Tracer(TracerBase):
    """Traces; a subclass may say which modules are single steps, and what becomes of calls and attributes.

    Args:
        autowrap_modules: modules of functions whose calls with proxies are nodes.
        autowrap_functions: such functions.
        param_shapes_constant: has no effect: shapes of parameters are those of the nodes.
    """

    def __init__(
        self, autowrap_modules: tuple[ModuleType, ...] = (math,),
        autowrap_functions: tuple[Callable[..., Any], ...] = (), param_shapes_constant: bool = False,
    ) -> None:  # fmt: skip
        self._spaces = autowrap_modules
        self._functions = [
            f for m in autowrap_modules for n, f in vars(m).items() if not n.startswith("_") and callable(f)
        ]
        self._functions += autowrap_functions
        self.root: Any = None

    # ---------------------------------------------------------------- what a subclass may change

    def is_leaf_module(self, m: Module, module_qualified_name: str) -> bool:
        """Whether a call of a submodule is one node: those of ``nn`` are, except `Sequential`."""
        return type(m).__module__.partition(".")[0] == "minigrad" and not isinstance(m, Sequential)

    def path_of_module(self, mod: Module) -> str:
        """The name of a submodule in the root. NameError if it is none."""
        path = self._paths.get(id(mod))
        if path is None:
            raise NameError(f"module is not installed as a submodule: {type(mod).__name__}")
        return path

    def call_module(
        self, m: Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """What a call of a submodule gives: a proxy for a leaf, else what tracing into it gives."""
        path = self.path_of_module(m)
        if self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        return forward(*args, **kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """What reading an attribute of a module gives: a proxy for a parameter of the root."""
        name = self._named.get(id(attr_val)) if isinstance(attr_val, Parameter) else None
        if name is None:
            return attr_val
        if name not in parameter_proxy_cache:
            parameter_proxy_cache[name] = self.create_proxy("get_attr", name, (), {})
        return parameter_proxy_cache[name]

    # ---------------------------------------------------------------- tracing

    def create_arg(self, a: Any) -> Argument:
        """As in `TracerBase`; Tensors become attributes that are read, and submodules too."""
        return map_aggregate(a, self._held)

    def _held(self, a: Any) -> Argument:
        if isinstance(a, Tensor):
            name = self._named.get(id(a)) or self._tensors.get(id(a)) or self._keep(a)
            return self.create_node("get_attr", name, (), {})
        if isinstance(a, Module) and id(a) in self._paths:
            return self.create_node("get_attr", self._paths[id(a)], (), {})
        return self._one(a)

    def _keep(self, a: Tensor) -> str:
        """Makes a Tensor that the program has made an attribute of the root. Returns its name."""
        name = next(n for i in count() if not hasattr(self.root, n := f"_tensor_constant{i}"))
        object.__setattr__(self.root, name, a)
        return self._tensors.setdefault(id(a), name)

    def trace(self, root: Module | Callable[..., Any], concrete_args: dict[str, Any] | None = None) -> Graph:
        """The graph of one run. ``concrete_args`` gives inputs that are no Tensors their values, which it keeps."""
        if isinstance(root, Module):
            self.root, function = root, type(root).forward
        else:
            self.root, function = Module(), root
        self.graph = Graph(tracer_cls=type(self))
        self._paths = {
            id(m): name for name, m in reversed([*self.root.named_modules(remove_duplicate=False)])
        }
        self._named = {id(p): name for name, p in self.root.named_parameters()}
        # Tensors that are attributes, buffers too, under their names.
        self._tensors = {
            id(x): f"{path}.{name}".lstrip(".")
            for path, m in self.root.named_modules()
            for name, x in [*vars(m).items(), *m.named_buffers(recurse=False)]
            if isinstance(x, Tensor)
        }
        args = self._inputs(function, self.root is root, concrete_args or {})
        plain = _without_stars(function)
        with self._patched(getattr(function, "__globals__", {})):
            result = plain(*args)
        kind = getattr(function, "__annotations__", {}).get("return") if plain is function else None
        kind = None if isinstance(kind, str) else kind
        self.create_node("output", "output", (self.create_arg(result),), {}, type_expr=kind)
        return self.graph

    def _inputs(self, function: Callable[..., Any], is_method: bool, concrete: dict[str, Any]) -> list[Any]:
        """Proxies of the inputs, in the order of the function's variables: those with stars are the last."""
        args: list[Any] = [self.root] if is_method else []
        parameters = [*inspect.signature(function).parameters.values()]
        for p in sorted(
            parameters[is_method:], key=lambda p: (p.VAR_POSITIONAL, p.VAR_KEYWORD).count(p.kind)
        ):
            stars = "*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else ""
            kind = None if p.annotation is p.empty or isinstance(p.annotation, str) or stars else p.annotation
            known = p.name in concrete
            default = () if p.default is p.empty else (p.default,)
            label = f"{p.name}_1" if known else f"{stars}{p.name}"
            proxy: Any = self.create_proxy("placeholder", label, default, {}, None, kind)
            if known:
                self._check(p.name, proxy, concrete[p.name])
            args.append(concrete[p.name] if known else proxy)
        return args

    def _check(self, name: str, proxy: Any, value: Any) -> None:
        """A traced program that has a value of an input in it says so if it gets another."""
        if isinstance(value, (bool, int, float, str)):
            said = f"{name} has been specialized to have value {value} but got another value"
            minigrad()._assert(proxy == value, said)

    @contextmanager
    def _patched(self, names: dict[str, Any]) -> Iterator[None]:
        """Modules, parameters and marked functions tell this tracer of each call and reading."""
        cache: dict[str, Any] = {}
        call, read = Module.__call__, Module.__getattr__

        def traced_call(mod: Any, *args: Any, **kwargs: Any) -> Any:
            def forward(*args: Any, **kwargs: Any) -> Any:
                return call(mod, *args, **kwargs)

            return self.call_module(mod, forward, args, kwargs)

        def traced_read(mod: Any, attr: str) -> Any:
            return self.getattr(attr, read(mod, attr), cache)

        wanted = {id(f) for f in self._functions}
        with ExitStack() as undo:

            def put(home: Any, name: str, value: Any) -> None:
                before = home[name] if isinstance(home, dict) else getattr(home, name)
                setting = home.__setitem__ if isinstance(home, dict) else lambda n, v: setattr(home, n, v)
                setting(name, value)
                undo.callback(setting, name, before)

            put(Module, "__call__", traced_call)
            put(Module, "__getattr__", traced_read)
            for home in (names, *(vars(m) for m in self._spaces)):
                for name, f in [*home.items()]:
                    if id(f) in wanted:
                        put(home, name, _noting(f))
            for home, name in _WRAPPED:
                f = home.get(name, getattr(sys.modules["builtins"], name, None))
                if f is not None and not hasattr(f, "__traced_as__"):
                    if name not in home:
                        undo.callback(home.pop, name, None)
                        home[name] = _noting(f)
                    else:
                        put(home, name, _noting(f))
            yield


def _without_stars(function: Any) -> Any:
    """The function with all its parameters by place: ``*args`` is then one thing, which a proxy can be."""
    f = function.__func__ if inspect.ismethod(function) else function
    code = f.__code__ if isinstance(f, FunctionType) else None
    if code is None or hasattr(f, "__wrapped__"):
        return function
    stars = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    if not stars and not code.co_kwonlyargcount:
        return function
    many = code.co_argcount + code.co_kwonlyargcount + stars.bit_count()
    code = code.replace(co_argcount=many, co_kwonlyargcount=0, co_flags=code.co_flags & ~stars)
    plain = FunctionType(code, f.__globals__, f.__name__, None, f.__closure__)
    return MethodType(plain, function.__self__) if inspect.ismethod(function) else plain


def _noting(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function; a call that a proxy meets is a node instead."""

    def noting(*args: Any, **kwargs: Any) -> Any:
        found: list[Proxy] = []
        map_aggregate([args, kwargs], lambda x: found.append(x) if isinstance(x, Proxy) else None)
        if not found:
            return function(*args, **kwargs)
        made = found[0].tracer.create_proxy("call_function", function, args, kwargs)
        made.node.meta["is_wrapped"] = True
        return made

    noting.__traced_as__ = function  # type: ignore[attr-defined]
    return noting


def symbolic_trace(
    root: Module | Callable[..., Any], concrete_args: dict[str, Any] | None = None
) -> GraphModule:
    """Runs a module or function once, with proxies in the place of its inputs; what it did is a `GraphModule`.

    Modules of ``nn`` are one step each. A `TraceError` says that the program asks for a value: in an ``if``, in a
    loop. ``concrete_args`` gives inputs that are no Tensors their values.
    """
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = type(root).__name__ if isinstance(root, Module) else getattr(root, "__name__", "GraphModule")
    return GraphModule(tracer.root, graph, name)

"""Functions that arguments and modes take over by ``__torch_function__``; see `minigrad.gate.overriding`.

Any public function that gets an object with a ``__torch_function__``, a Tensor of a subclass or not, calls that with
itself, the classes of such objects, and its arguments.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from importlib import import_module
from types import FunctionType
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.errors import not_implemented_error, type_error
from minigrad.functions import lookup
from minigrad.gate.overriding import FILE, State, Within, arm, called, now, offered, overloaded, overrides
from minigrad.gate.overriding import DisableTorchFunction as DisableTorchFunction
from minigrad.gate.overriding import DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
from minigrad.gate.overriding import plainly as _disabled_torch_function_impl  # noqa: F401 (PyTorch's name)
from minigrad.tensor.subclasses import converted, nowrap

__all__ = [
    "BaseTorchFunctionMode", "DisableTorchFunction", "DisableTorchFunctionSubclass", "TorchFunctionMode",
    "get_default_nowrap_functions", "get_ignored_functions", "get_overridable_functions", "get_testing_overrides",
    "handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic",
    "is_tensor_like", "is_tensor_method_or_property", "resolve_name", "wrap_torch_function",
]  # fmt: skip

_convert, get_default_nowrap_functions = converted, nowrap


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments, or a mode, takes functions over."""
    state = now()
    return bool(state.modes) or (state.by_classes and any(map(overrides, relevant_args)))


def has_torch_function_unary(x: Any) -> bool:
    """`has_torch_function` of one argument."""
    return has_torch_function((x,))


def has_torch_function_variadic(*args: Any) -> bool:
    """`has_torch_function` of arguments, each by itself."""
    return has_torch_function(args)


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """What a function of one's own returns where `has_torch_function` is true: what they make of it.

    ``relevant_args`` are those of its arguments that may be Tensors; they are asked in turn, subclasses before their
    bases. TypeError where all return NotImplemented.
    """
    found = overloaded(relevant_args) if now().by_classes else []
    result = offered(public_api, found, args, kwargs)
    if result is NotImplemented:
        raise type_error(
            f"no implementation found for '{called(public_api)}' on types that implement __torch_function__: "
            f"{[*map(type, found)]}"
        )
    return result


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[..., Any]:
    """Decorator: a function that arguments take over. ``dispatcher``, called alike, returns those that may."""

    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return func(*args, **kwargs)

        return wrapped

    return decorate


class TorchFunctionMode(Within):
    """In ``with``: every public function calls ``__torch_function__`` of the mode in its place, whatever its arguments.

    A subclass writes that; inside of it the mode is off. NotImplementedError for one that does not.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        raise not_implemented_error(f"{type(self).__name__} is a mode without a __torch_function__")

    def _inside(self, state: State) -> State:
        arm()
        return State((*state.modes, self), state.by_classes, state)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that calls the functions."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


# ---------------------------------------------------------------- what there is

_SPACES = ("", "nn.functional", "nn.init", "linalg", "fft", "special")


def get_overridable_functions() -> dict[Any, list[Callable[..., Any]]]:
    """The functions that are taken over, by the module or class that they are found in; of properties the getters."""
    found: dict[Any, list[Callable[..., Any]]] = {}
    for space in _SPACES:
        module = import_module(f"minigrad.{space}".rstrip("."))
        names = [*lookup.FUNCTIONS] if not space else getattr(module, "__all__", dir(module))
        functions: list[Any] = [getattr(module, name, None) for name in names]
        found[module] = [f for f in functions if _asks(f)]
    found[Tensor] = [
        value.__get__ if isinstance(value, property) else getattr(Tensor, name)
        for name, value in [*vars(Tensor).items()]
        if isinstance(value, property) or _is_door(getattr(Tensor, name))
    ]
    return found


def _is_door(value: object) -> bool:
    """Whether calls of it look for arguments that take over."""
    arm()
    return isinstance(value, FunctionType) and value.__code__.co_filename == FILE


def _asks(function: Any) -> bool:
    """Whether one of its parameters is a Tensor."""
    if not _is_door(function):
        return False
    parts = [str(a) for name, a in function.__annotations__.items() if name != "return"]
    return any("Tensor" in a or "Operand" in a for a in parts)


def get_ignored_functions() -> set[Callable[..., Any]]:
    """The public functions that no argument takes over: they have none that could."""
    minigrad: Any = import_module("minigrad")
    functions = (getattr(minigrad, name) for name in minigrad.__all__)
    return {f for f in functions if isinstance(f, FunctionType) and not _asks(f)}


def get_testing_overrides() -> dict[Callable[..., Any], Callable[..., Any]]:
    """For each function that is taken over one of its signature, which returns -1."""

    def stand_in(function: Any) -> Callable[..., Any]:
        def override(*args: Any, **kwargs: Any) -> int:
            return -1

        override.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        return override

    return {f: stand_in(f) for functions in get_overridable_functions().values() for f in functions}


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Whether it is a method of Tensor, or reads or sets a property of it."""
    owner = getattr(func, "__self__", None)
    return isinstance(owner, property) or getattr(Tensor, getattr(func, "__name__", ""), None) is func


def is_tensor_like(inp: Any) -> bool:
    """Whether it is a Tensor, or its class has a ``__torch_function__``."""
    return isinstance(inp, Tensor) or hasattr(type(inp), "__torch_function__")


def resolve_name(f: Callable[..., Any]) -> str | None:
    """The name of a function that is taken over, with its place; None for any other."""
    return called(f) if _is_door(f) or isinstance(getattr(f, "__self__", None), property) else None

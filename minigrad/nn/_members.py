"""Parameters, buffers and submodules by name: which names and values a Module takes, and what it has at a path."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from minigrad.core.contents import publishes
from minigrad.errors import type_error, value_error
from minigrad.nn._text import did_you_mean, type_name
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

M = TypeVar("M", bound=Any)

# the tables of a Module, in the order in which they are asked, and what an error calls their entries
TABLES = {"_parameters": "parameter", "_modules": "child module", "_buffers": "buffer"}
NOT_INITIALISED = ": Module.__init__() was not called; begin your __init__ with super().__init__()"
_EXPECTED = {
    "parameter": "minigrad.nn.Parameter",
    "child module": "minigrad.nn.Module",
    "buffer": "minigrad.nn.Buffer, minigrad.Tensor",
}


def wrong_kind(value: object, kind: str, name: str) -> TypeError:
    """The error for a value that does not go where a member of another kind stands."""
    compiled = publishes(type(getattr(value, "__wrapped__", None)))
    wrapped = "wrap it in nn.Parameter(); " if kind == "parameter" and isinstance(value, Tensor) else ""
    return TypeError(
        f"cannot assign '{type_name(value)}' as {kind} '{name}' ({_EXPECTED[kind]} or None expected)"
        f"{instead(value) if compiled else f'; {wrapped}to use the name for something else, del it first'}"
    )


def check_name(module: Any, name: str, kind: str, table: str) -> None:
    """Raises unless a member may be added to a table under this name: see ``Module.register_parameter``."""
    own = module.__dict__
    if table not in own:
        raise AttributeError(
            f"cannot assign {kind} before Module.__init__() call; begin with super().__init__()"
        )
    if not isinstance(name, str):
        raise type_error(f"{kind} name should be a string. Got {type_name(name)}")
    if name == "":
        raise KeyError(f'{kind} name can\'t be empty string ""')
    if "." in name:
        raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
    taken = any(name in t for t in (own, *map(own.__getitem__, TABLES)))
    # A property that raises AttributeError leaves its name free.
    taken = taken or (hasattr(type(module), name) and hasattr(module, name))
    if taken and name not in own[table]:
        raise KeyError(f"attribute '{name}' already exists")


def check_parameter(name: str, param: object) -> None:
    """TypeError or ValueError for what cannot be a parameter."""
    if param is not None and not isinstance(param, Parameter):
        raise type_error(
            f"cannot assign '{type_name(param)}' object to parameter '{name}' "
            "(minigrad.nn.Parameter or None required)"
        )
    if param is not None and param.grad_fn is not None:
        raise value_error(
            f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
            f"explicitly. To express '{name}' as a function of another Tensor, compute the value in the "
            "forward() method."
        )


def check_buffer(name: str, tensor: object) -> None:
    """TypeError for what cannot be a buffer."""
    if tensor is not None and not isinstance(tensor, Tensor):
        raise type_error(
            f"cannot assign '{type_name(tensor)}' object to buffer '{name}' (minigrad.Tensor or None required)"
        )


def submodule(module: M, path: str, kind: type[M]) -> M:
    """The module of this kind at a dotted path. AttributeError if there is none."""
    for name in path.split(".") if path else ():
        inner = attribute(module, name, [k for k, m in module._modules.items() if m is not None])
        if not isinstance(inner, kind):
            raise AttributeError(f"`{name}` is not an nn.Module")
        module = inner
    return module


def attribute(module: Any, name: str, near: Iterable[str]) -> Any:
    """An attribute of a module. AttributeError, which may suggest one of the names ``near``, if there is none."""
    if not hasattr(module, name):
        raise AttributeError(f"{type(module).__name__} has no attribute `{name}`{did_you_mean(name, near)}")
    return getattr(module, name)


class Names:
    """A set of names of a Module, made when it is first asked for."""

    def __set_name__(self, owner: Any, name: str) -> None:
        self.name = name

    def __get__(self, module: Any, owner: Any = None) -> set[str]:
        if module is None:
            raise AttributeError(self.name)
        return module.__dict__.setdefault(self.name, set())


def instead(value: Any) -> str:
    """What to give in the place of something that is not a module."""
    if isinstance(value, (list, tuple)):
        return "; unpack it: Sequential(*modules)"
    if isinstance(value, type):
        return f"; make one of it: {value.__name__}()"
    if publishes(type(getattr(value, "__wrapped__", None))):
        return "; compile the outermost module, or the forward of this one's class"
    if callable(value):
        return f"; {getattr(value, '__name__', 'it')} is a function: take a module, such as ReLU() for relu"
    return ""

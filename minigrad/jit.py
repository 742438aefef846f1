"""The names of ``torch.jit``, as PyTorch has them where ``PYTORCH_JIT=0``: nothing is compiled, all runs as it is.

`minigrad.compile` is what records a function and replays it.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import UnionType
from typing import Any, Final, NamedTuple, TypeVar, Union, get_args, get_origin

from minigrad.errors import not_implemented_error, runtime_error
from minigrad.futures import Future as Future
from minigrad.hints import module_getattr as _module_getattr
from minigrad.nn.module import Module

__all__ = [
    "Attribute", "Error", "Final", "Future", "RecursiveScriptModule", "ScriptFunction", "ScriptModule",
    "ScriptWarning", "TracerWarning", "TracingCheckError", "annotate", "enable_onednn_fusion", "export", "fork",
    "freeze", "fuser", "ignore", "interface", "is_scripting", "is_tracing", "isinstance", "load",
    "optimize_for_inference", "optimized_execution", "save", "script", "script_if_tracing", "script_method",
    "set_fusion_strategy", "trace", "trace_module", "unused", "wait",
]  # fmt: skip

_T = TypeVar("_T")


class ScriptModule(Module):
    """A `Module`."""


RecursiveScriptModule = ScriptModule


class ScriptFunction:
    """No object is one: functions stay as they are."""


class TracerWarning(Warning):
    """Programs name it to silence it; nothing here warns with it."""


class ScriptWarning(Warning):
    """As `TracerWarning`."""


class Error(Exception):
    """Programs name it to catch it; nothing here raises it."""


class TracingCheckError(Exception):
    """As `Error`."""


class Attribute(NamedTuple):
    """A value with its type, which means nothing."""

    value: Any
    type: Any


def script(obj: _T, *args: Any, **kwargs: Any) -> _T:
    """The function, class or module itself; the other arguments mean nothing."""
    return obj


def trace(func: _T, example_inputs: Any = None, *args: Any, **kwargs: Any) -> _T:
    """The function or module itself; it is not called with the ``example_inputs``."""
    return func


def trace_module(mod: _T, inputs: Any, *args: Any, **kwargs: Any) -> _T:
    """The module itself."""
    return mod


def freeze(mod: _T, *args: Any, **kwargs: Any) -> _T:
    """The module itself."""
    return mod


optimize_for_inference = freeze


def save(m: Any, f: Any, _extra_files: Any = None) -> None:
    """NotImplementedError: there are no programs of TorchScript. `minigrad.save` writes a module."""
    raise not_implemented_error(
        "jit.save: minigrad has no TorchScript. save(model.state_dict(), path) writes the weights, save(model, path) "
        "a whole module, onnx.export a program that runs without Python"
    )


def load(f: Any, map_location: Any = None, *args: Any, **kwargs: Any) -> None:
    """NotImplementedError: there are no programs of TorchScript. `minigrad.load` reads a module."""
    raise not_implemented_error(
        "jit.load: minigrad has no TorchScript. In PyTorch, torch.save(model.state_dict(), path) writes what "
        "load(path) reads here"
    )


def export(fn: _T) -> _T:
    """The function itself."""
    return fn


unused = script_method = script_if_tracing = export


# Packages that were written beside PyTorch take these by their private names.
_script_if_tracing = script_if_tracing
_overload = _overload_method = export


def interface(obj: _T) -> _T:
    """The class itself."""
    return obj


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The function itself; ``ignore(drop=True)`` returns a decorator that leaves functions as they are."""
    return drop if callable(drop) else script


def annotate(the_type: Any, the_value: _T) -> _T:
    """The value."""
    return the_value


def is_scripting() -> bool:
    """False."""
    return False


is_tracing = is_scripting


def isinstance(obj: Any, target_type: Any) -> bool:
    """Whether an object is of a type, or of one of a tuple of them, as ``list[Tensor]``, with all that it holds.

    None is of every union. An empty list is a list of anything. RuntimeError for ``list`` alone.
    """
    kind, inner = get_origin(target_type) or target_type, get_args(target_type)
    if type(target_type) is tuple:
        return any(isinstance(obj, t) for t in target_type)
    if kind in (Union, UnionType):
        return obj is None or any(isinstance(obj, t) for t in inner)
    if kind in (list, dict, tuple) and not inner:
        raise runtime_error(
            f"jit.isinstance: {target_type} says nothing of what it holds; name it as in list[int]"
        )
    if not builtins.isinstance(obj, kind) or not inner:
        return builtins.isinstance(obj, kind)
    if kind is dict:
        return all(isinstance(k, inner[0]) and isinstance(v, inner[1]) for k, v in obj.items())
    if kind is tuple:
        return len(obj) == len(inner) and all(isinstance(v, t) for v, t in zip(obj, inner, strict=True))
    return kind is list and all(isinstance(v, inner[0]) for v in obj)


def fork(func: Callable[..., _T], *args: Any, **kwargs: Any) -> Future[_T]:
    """Calls the function at once; the Future has its result, which `wait` gives."""
    future: Future[_T] = Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future: Future[_T]) -> _T:
    """The result of a Future."""
    return future.wait()


def fuser(name: str) -> AbstractContextManager[None]:
    """A context that changes nothing."""
    return nullcontext()


def set_fusion_strategy(strategy: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Changes nothing. Returns the strategy as it was: an empty one."""
    return []


def enable_onednn_fusion(enabled: bool) -> None:
    """Does nothing."""


def optimized_execution(should_optimize: bool) -> AbstractContextManager[None]:
    """A context that changes nothing."""
    return nullcontext()


_module_getattr(globals())

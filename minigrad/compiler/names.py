"""PyTorch's names around compiled functions, as far as they have a meaning here."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from minigrad.autograd.grad_mode import is_compiling as is_compiling
from minigrad.core.apply import needs_value
from minigrad.errors import runtime_error

__all__ = [
    "allow_in_graph", "assume_constant_result", "cudagraph_mark_step_begin", "disable", "is_compiling",
    "is_dynamo_compiling", "is_exporting", "list_backends", "reset", "set_stance",
]  # fmt: skip
_STANCES = (
    "default", "force_eager", "eager_on_recompile", "fail_on_recompile", "eager_then_compile", "aot_eager_then_compile",
)  # fmt: skip
is_dynamo_compiling = is_compiling


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """A function that runs in Python each time: to call it in a function that is compiled is a RuntimeError.

    Elsewhere it is as before; also a decorator, with or without parentheses.
    """
    if fn is None:
        return functools.partial(disable, recursive=recursive, reason=reason)

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        needs_value(f"{getattr(fn, '__name__', 'a function')}() under compiler.disable")
        return fn(*args, **kwargs)

    return call


# As optimizers for PyTorch ask for it, of the top module.
_disable_dynamo = disable


def allow_in_graph(fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn``: whatever runs is recorded."""
    return fn


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn``: a recording guards what it reaches."""
    return fn


def is_exporting() -> bool:
    """False: there is no export of whole programs."""
    return False


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """What `minigrad.compile` takes as ``backend``."""
    return ["numba", "numpy"]


def reset() -> None:
    """Nothing: each compiled function has its own recordings, which go with it."""


class set_stance(contextlib.ContextDecorator):
    """When PyTorch compiles: also a context, and a decorator. Nothing here, for results are the same.

    RuntimeError for a stance that PyTorch does not know.
    """

    def __init__(
        self, stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None
    ) -> None:
        if stance not in _STANCES:
            raise runtime_error(
                f"invalid torch.compile stance {stance!r}; it must be one of {', '.join(_STANCES)}"
            )

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, *_: object) -> None:
        """Nothing."""


def cudagraph_mark_step_begin() -> None:
    """Nothing: there is no graphics card."""

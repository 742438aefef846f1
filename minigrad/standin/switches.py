"""The switches of PyTorch's compiler, ``torch._dynamo.config`` and ``torch._inductor.config``: here they mean nothing.

Scripts set them at their top, before they compile anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

from minigrad.compiler import names
from minigrad.standin.absent import named

__all__ = ["MODULES"]


class _Switches(ModuleType):
    """Remembers what is set; what was not set is a group of switches that remembers, too, and is false."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        group = vars(self)[name] = _Switches(f"{self.__name__}.{name}")
        return group

    def __bool__(self) -> bool:
        return False

    @contextmanager
    def patch(self, *args: Any, **changes: Any) -> Iterator[None]:
        """A context, also as a decorator, that changes nothing."""
        yield


def _optimize(backend: Any = None, **options: Any) -> Callable[[Any], Any]:
    """The older name of `minigrad.compile`, as a decorator."""
    from minigrad.compiler import compile  # with all that it needs

    return compile


def _nothing(*args: Any, **kwargs: Any) -> None:
    """Nothing: a recording serves the sizes that it was made for, and another is made for others."""


def _module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(config=_Switches(f"{name}.config"), __path__=[], **contents)
    return module


_MARKS = ("graph_break", "mark_dynamic", "mark_static", "mark_static_address", "maybe_mark_dynamic")
_dynamo = _module(
    "torch._dynamo",
    **{name: getattr(names, name) for name in names.__all__ if name != "cudagraph_mark_step_begin"},
    **dict.fromkeys(_MARKS, _nothing),
    optimize=_optimize,
    OptimizedModule=named("torch._dynamo.OptimizedModule"),
    eval_frame=SimpleNamespace(OptimizedModule=named("torch._dynamo.OptimizedModule")),
)
_inductor = _module("torch._inductor")
_logging = _module("torch._logging", set_logs=_nothing)
# What ``import`` finds, by the path below torch.
MODULES = {
    "_dynamo": _dynamo,
    "_dynamo.config": _dynamo.config,
    "_inductor": _inductor,
    "_inductor.config": _inductor.config,
    "_logging": _logging,
}

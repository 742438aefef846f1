"""The arguments of a recorded call: where each is found in a later call, and whether what stands there will do."""

from __future__ import annotations

import contextlib
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.core.changes import owner
from minigrad.core.mode import Mode
from minigrad.core.node import AFTER


class Where(str):
    """An expression over ``args`` and ``kwargs`` that finds an argument, or something in one, also unevaluated."""

    keys: tuple[Any, ...]  # "args" or "kwargs", then the index or key at each level

    def __new__(cls, text: str, keys: tuple[Any, ...]) -> Where:
        made = super().__new__(cls, text)
        made.keys = keys
        return made

    @classmethod
    def argument(cls, of: str, key: int | str) -> Where:
        """Of a whole argument; ``of`` is ``"args"`` or ``"kwargs"``."""
        return cls(f"{of}[{key!r}]", (of, key))

    def inside(self, key: Any, named: str = "") -> Where:
        """Of an item of this list, tuple or dict; ``named`` is the name of a key that has no literal."""
        return Where(f"{self}[{named or repr(key)}]", (*self.keys, key))

    def look_up(self, args: Any, kwargs: Any) -> Any:
        """What is there."""
        of, *keys = self.keys
        found = args if of == "args" else kwargs
        for key in keys:
            found = found[key]
        return found


def names_of(function: Any, args: tuple[Any, ...]) -> list[str]:
    """What the function calls its positional arguments."""
    names: list[str] = []
    if type(function) is types.FunctionType and not function.__dict__:  # quicker than a signature
        names += function.__code__.co_varnames[: function.__code__.co_argcount]
    else:
        with contextlib.suppress(TypeError, ValueError):
            target = function.forward if "forward" in dir(type(function)) else function
            parameters = inspect.signature(target).parameters.values()
            names += [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [*names, *(f"argument_{i}" for i in range(len(names), len(args)))][: len(args)]


def as_usual(grad: bool, inference: bool) -> Callable[[Mode], bool]:
    """Whether a mode is as it was while recording, and nobody looks at each operation."""
    return lambda mode: (
        mode.grad is grad
        and mode.inference is inference
        and not mode.everything
        and mode.anomaly is None
        and mode.observer is None
    )


def like(given: Any, names: dict[str, Any]) -> Callable[[Any], bool]:
    """Whether a Tensor may stand in an argument's place: its class, type, shape, layout, and place in the graph.

    Among the names, ``written`` are the ids of memory that is written, and ``apart`` tells whether an array in one of
    those shares nothing of that; ``known`` are the ids of Tensors that the function finds by itself, and ``owners``
    those that had gradients: arguments are others than these and those.
    """
    cls, array = given.__class__, given._array
    dtype, shape = array.dtype, array.shape
    strides = None if array.flags.c_contiguous else array.strides
    wanted, is_leaf = given.requires_grad, given.is_leaf
    hooks = _hooks_of(given) if wanted and is_leaf else []

    def like(t: Any) -> bool:
        if t.__class__ is not cls:
            return False
        a = t._array
        return (
            (a.dtype is dtype or a.dtype == dtype)
            and a.shape == shape
            and (a.flags.c_contiguous if strides is None else a.strides == strides)
            and (id(a if a.base is None else owner(a)) not in names["written"] or names["apart"](a))
            and id(t) not in names["known"]
            and not (names["owners"] and any(o._grad is t for o in names["owners"]))
            and (
                (t.requires_grad and t.is_leaf is is_leaf and _hooks_of(t) == hooks)
                if wanted
                else (t._node is None or not t.requires_grad)
            )
        )

    return like


def _hooks_of(t: Any) -> list[tuple[bool, Any]]:
    """The hooks of a Tensor in their order, and which of them follow after the gradient was accumulated."""
    return [(key <= AFTER, hook) for key, hook in (t._node.hooks or {}).items()]


def entering(
    likes: Sequence[Callable[[Any], bool]],
    passing: Sequence[int],
    options: Sequence[tuple[dict[str, Any], str]],
    usual: tuple[Any, Callable[[Any], bool]],
    names: dict[str, Any],
) -> Callable[..., Any]:
    """The function ``enter`` of a recording all of whose arguments are Tensors, each another one: without a compiler.

    ``passing`` are the arguments whose arrays the plan is given, in its order, before the options of optimizers.
    """
    mode_then, is_usual = usual
    count = len(likes)

    def enter(args: Any, kwargs: Any, mode: Any) -> Any:
        if len(args) != count or kwargs or not (mode is mode_then or is_usual(mode)):
            return None
        try:
            for fits, t in zip(likes, args, strict=True):
                if not fits(t):
                    return None
            if len({*map(id, args)}) < count or not (names["unchanged"]() and names["as_before"]()):
                return None
            return [*[args[i]._array for i in passing], *[group[key] for group, key in options]]
        except (LookupError, AttributeError, ValueError, TypeError, RuntimeError):
            return None  # what is asked about is gone

    return enter

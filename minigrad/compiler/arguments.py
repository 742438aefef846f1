"""The arguments of a recorded call: where each stands in a later call, and the guards on what stands there."""

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
    """The place of an argument, or of an item in one: an expression over ``args`` and ``kwargs``, and its keys."""

    # "args" or "kwargs", then the index or key at each level
    keys: tuple[Any, ...]

    def __new__(cls, text: str, keys: tuple[Any, ...]) -> Where:
        where = super().__new__(cls, text)
        where.keys = keys
        return where

    @classmethod
    def argument(cls, root: str, key: int | str) -> Where:
        """The place of a whole argument; ``root`` is ``"args"`` or ``"kwargs"``."""
        return cls(f"{root}[{key!r}]", (root, key))

    def inside(self, key: Any, pin: str = "") -> Where:
        """The place of an item of this list, tuple or dict; ``pin`` is the name of a key that has no literal."""
        return Where(f"{self}[{pin or repr(key)}]", (*self.keys, key))

    def look_up(self, args: Any, kwargs: Any) -> Any:
        """What stands there in a call."""
        root, *keys = self.keys
        value = args if root == "args" else kwargs
        for key in keys:
            value = value[key]
        return value


def names_of(function: Any, args: tuple[Any, ...]) -> list[str]:
    """What the function calls its positional arguments."""
    names: list[str] = []
    if type(function) is types.FunctionType and not function.__dict__:
        # quicker than a signature
        names += function.__code__.co_varnames[: function.__code__.co_argcount]
    else:
        with contextlib.suppress(TypeError, ValueError):
            target = function.forward if "forward" in dir(type(function)) else function
            parameters = inspect.signature(target).parameters.values()
            names += [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [*names, *(f"argument_{i}" for i in range(len(names), len(args)))][: len(args)]


def mode_guard(grad: bool, inference: bool) -> Callable[[Mode], bool]:
    """The guard on modes: grad and inference mode are as they were, and no operation is observed."""
    return lambda mode: (
        mode.grad is grad
        and mode.inference is inference
        and not mode.everything
        and mode.anomaly is None
        and mode.observer is None
    )


def tensor_guard(recorded: Any, names: dict[str, Any]) -> Callable[[Any], bool]:
    """The guard on a Tensor in an argument's place: its class, dtype, shape, layout, and place in the graph.

    Of the names, ``written`` holds the ids of memory that a replay writes, and ``apart`` tells whether an array in
    such memory shares nothing of what is written.  ``known`` holds the ids of Tensors that the function reaches by
    itself, ``owners`` those of them that had gradients: no argument may be one of these, or a gradient of theirs.
    """
    cls, array = recorded.__class__, recorded._array
    dtype, shape = array.dtype, array.shape
    strides = None if array.flags.c_contiguous else array.strides
    requires_grad, is_leaf = recorded.requires_grad, recorded.is_leaf
    hooks = _hooks_of(recorded) if requires_grad and is_leaf else []

    def holds(t: Any) -> bool:
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
                if requires_grad
                else (t._node is None or not t.requires_grad)
            )
        )

    return holds


def _hooks_of(t: Any) -> list[tuple[bool, Any]]:
    """The hooks of a Tensor in their order, each with whether it runs after the gradient was accumulated."""
    return [(key <= AFTER, hook) for key, hook in (t._node.hooks or {}).items()]


def plain_entry(
    guards: Sequence[Callable[[Any], bool]],
    passing: Sequence[int],
    options: Sequence[tuple[dict[str, Any], str]],
    mode_and_guard: tuple[Any, Callable[[Any], bool]],
    names: dict[str, Any],
) -> Callable[..., Any]:
    """`Replay.enter` where all arguments are Tensors and no two are the same one: it needs no generated text.

    ``passing`` numbers the arguments whose arrays the plan takes, in its order; the options of optimizers follow.
    """
    recorded_mode, mode_holds = mode_and_guard
    count = len(guards)

    def enter(args: Any, kwargs: Any, mode: Any) -> Any:
        if len(args) != count or kwargs or not (mode is recorded_mode or mode_holds(mode)):
            return None
        try:
            for holds, t in zip(guards, args, strict=True):
                if not holds(t):
                    return None
            if len({*map(id, args)}) < count or not (names["unchanged"]() and names["as_before"]()):
                return None
            return [*[args[i]._array for i in passing], *[group[key] for group, key in options]]
        except (LookupError, AttributeError, ValueError, TypeError, RuntimeError):
            return None  # what a guard reads is gone

    return enter

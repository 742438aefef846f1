"""`RemovableHandle`, the keys and tables under which hooks are kept, and hooks of records."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Self

RETAIN = -1  # the key of the hook that keeps the gradient of a result
AFTER = -2  # it and the keys below are those of hooks that are called when a leaf's gradient was accumulated

ids = itertools.count()
after_ids = itertools.count(AFTER, -1)

ON_LEAVES = False  # whether a leaf ever had a hook: else no pass looks for any

# What a hook wants to be called when the backward pass that runs is over; outside of one there is no such list.
AT_END: ContextVar[list[Callable[[], object]]] = ContextVar("AT_END")


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook off again, as does leaving a ``with``."""

    def __init__(self, hooks: dict[int, Any], keys: Iterator[int] = ids) -> None:
        self._hooks = hooks
        # An unpickled module has ids from another process.
        self.id = next(i for i in keys if i not in hooks)

    def hooks_dict_ref(self) -> dict[int, Any]:
        """The table in which the hook stands, by its ``id``."""
        return self._hooks

    def remove(self) -> None:
        """Takes the hook off; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register(hooks: OrderedDict[int, Any], hook: Any, prepend: bool = False) -> RemovableHandle:
    """Adds a hook to a table, in front with ``prepend``; the handle takes it off again."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def table(node: Any) -> dict[int, Any]:
    """The hooks of a record, by their keys."""
    global ON_LEAVES
    if node.hooks is None:
        node.hooks = {}
    ON_LEAVES = ON_LEAVES or node.op is None
    return node.hooks


class Before:
    """A hook of a record, ``hook(grad_outputs)``, for the engine. A None in its tuple is no gradient."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, g: Any) -> tuple[Any, ...] | None:
        grads = self.hook((g,))
        if grads is not None and not isinstance(grads, tuple):
            raise TypeError(
                f"expected tuple, but hook returned '{type(grads).__name__}': a prehook of a record must return None "
                "or a tuple of 1 gradient"
            )
        if grads is not None and len(grads) != 1:
            raise RuntimeError(
                f"a prehook of a record must return None or a tuple of 1 gradient, got {grads!r}"
            )
        return grads


class After:
    """A hook of a record, ``hook(grad_inputs, grad_outputs)``, for the engine."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, grads: tuple[Any, ...], outputs: tuple[Any, ...], node: Any) -> tuple[Any, ...]:
        """The gradients that the hook returns, or ``grads``. RuntimeError for others in number, shape or dtype."""
        changed = self.hook(grads, outputs)
        if changed is None:
            return grads
        if not isinstance(changed, tuple) or not all(d is None or hasattr(d, "dtype") for d in changed):
            raise TypeError(
                f"a hook of {node.placed()} must return None or a tuple of gradients, got {changed!r}"
            )
        shapes = [None if d is None else list(d.shape) for d in changed]
        expected = [None if d is None else list(d.shape) for d in grads]
        if len(shapes) != len(expected) or any(
            s not in (None, e) for s, e in zip(shapes, expected, strict=True)
        ):
            raise RuntimeError(
                f"a hook of {node.placed()} must return gradients of the shapes {expected}, or None, it returned those "
                f"of {shapes}"
            )
        for d, before in zip(changed, grads, strict=True):
            if d is not None and before is not None and d.dtype != before.dtype:
                raise RuntimeError(
                    f"a hook of {node.placed()} has changed the type of value (was {before.dtype} got {d.dtype})"
                )
        return changed

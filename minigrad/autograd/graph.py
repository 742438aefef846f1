"""The graph behind results: hooks on what it keeps for backward, and on several gradients together."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from minigrad.autograd.edges import GradientEdge as GradientEdge
from minigrad.autograd.edges import get_gradient_edge as get_gradient_edge
from minigrad.core.apply import needs_value
from minigrad.core.changes import changed as _changed
from minigrad.core.changes import changed_since, check_array, needs, owner
from minigrad.core.hooks import AT_END, RemovableHandle
from minigrad.core.mode import MODE, ModeManager
from minigrad.core.node import Node, Packed, next_seq
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import runtime_error, type_error, value_error
from minigrad.hints import module_getattr

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "GradientEdge", "Node", "RemovableHandle", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
]  # fmt: skip

Pack = Callable[[Tensor], Any]
Unpack = Callable[[Any], Tensor]
_FORBIDDEN: ContextVar[str | None] = ContextVar("minigrad_saved_tensors_hooks", default=None)


# ---------------------------------------------------------------- what is kept for backward


class _Hooked(Packed):
    """What a hook has made of each array that a record saves."""

    __slots__ = ("memory", "pack", "packed", "unpack")

    def __init__(self, node: Node, pack: Pack, unpack: Unpack) -> None:
        self.pack, self.unpack = pack, unpack
        self.take(node, node.saved)

    def take(self, node: Node, arrays: Sequence[Any]) -> None:
        """Calls the hook on each array, as a Tensor: an input's has the input's history, a result's has none."""
        sources = (*node.inputs, None) if node.op is not None and not node.op.opaque else ()
        keep = node.layout.keep
        self.packed: list[Any] = []
        self.memory: list[Any] = []
        with ModeManager(MODE.get().replace(grad=False, observer=None)):
            for k, a in enumerate(arrays):
                array = isinstance(a, np.ndarray)
                source = sources[keep[k]] if sources and keep[k] < len(sources) else None
                self.packed.append(self._packed(a, source) if array else a)
                self.memory.append((weakref.ref(owner(a)), a.shape) if array else None)

    def _packed(self, array: Any, source: Any) -> Any:
        before = next_seq()
        hidden = self.pack(wrap(array, source))
        if changed_since(array, before):
            raise runtime_error(
                "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook can "
                "not be modified by in-place operations; clone() it"
            )
        return hidden

    def arrays(self, node: Node) -> tuple[Any, ...]:
        values = []
        with ModeManager(MODE.get().replace(grad=False, everything=False, observer=None, recorder=None)):
            for k, (hidden, memory) in enumerate(zip(self.packed, self.memory, strict=True)):
                values.append(hidden if memory is None else self._unpacked(node, k, hidden, *memory))
        return tuple(values)

    def _unpacked(self, node: Node, k: int, hidden: Any, memory: Any, shape: tuple[int, ...]) -> Any:
        t = self.unpack(hidden)
        if not isinstance(t, Tensor):
            raise type_error(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(t).__name__}"
            )
        if t._array.shape != shape:
            raise runtime_error(
                f"Output of saved tensor unpack_hook has shape {list(t._array.shape)}; what {node.name()} has saved is "
                f"of shape {list(shape)}"
            )
        if owner(t._array) is memory() and needs(node, k):  # the hook has kept the array itself
            check_array(node, t._array)
        return t._array

    def outlive(self, node: Node, array: Any) -> None:
        arrays = self.arrays(node)
        if any(isinstance(a, np.ndarray) and np.may_share_memory(a, array) for a in arrays):
            self.take(node, [a.copy() if isinstance(a, np.ndarray) else a for a in arrays])


class Packing:
    """An observer that lets each new record keep what ``packed`` makes of it; one from before sees the record first."""

    def __init__(self, packed: Callable[[Node], Any], before: Any) -> None:
        self.packed = packed
        # The hooks entered last are the ones that count.
        self.before: Any = before.before if isinstance(before, Packing) else before

    def __call__(self, node: Node, arrays: list[Any]) -> None:
        if self.before is not None:
            self.before(node, arrays)
        if node.saved and node.requires_grad:
            node.saved = self.packed(node)

    @property
    def inside(self) -> Any:
        """The observer inside of a Function's forward."""
        return self if self.before is None else getattr(self.before, "inside", self.before)


class saved_tensors_hooks:
    """A context in which ``pack_hook`` packs what operations keep for backward, and ``unpack_hook`` unpacks it.

    ``pack_hook`` gets each Tensor that an operation saves, and returns anything; ``unpack_hook`` gets that when a
    backward pass needs it, and returns a Tensor of the same shape and values. Of nested ones the innermost counts.
    Where the hook keeps the Tensor itself, a later change of it in place is noticed. RuntimeError inside of
    `disable_saved_tensors_hooks` and of compiled functions, and from an operation whose Tensor ``pack_hook`` changes in
    place; in a backward pass TypeError if ``unpack_hook`` returns no Tensor, RuntimeError for one of another shape.
    """

    def __init__(self, pack_hook: Pack, unpack_hook: Unpack) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook
        self._managers: list[ModeManager] = []

    def __enter__(self) -> None:
        needs_value("saved_tensors_hooks()")
        if (message := _FORBIDDEN.get()) is not None:
            raise runtime_error(message)
        mode = MODE.get()
        pack, unpack = self.pack_hook, self.unpack_hook
        packing = Packing(lambda node: _Hooked(node, pack, unpack), mode.observer)
        manager = ModeManager(mode.replace(observer=packing))
        self._managers.append(manager)
        manager.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._managers.pop().__exit__(*exc)


class save_on_cpu(saved_tensors_hooks):
    """A context that changes nothing: saved Tensors are on the CPU already, and there is no card to pin memory for."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda t: t, lambda t: t)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """A context in which `saved_tensors_hooks` raise RuntimeError with this message, as this does inside of those."""
    if isinstance(MODE.get().observer, Packing):
        raise runtime_error(error_message)
    token = _FORBIDDEN.set(error_message)
    try:
        yield
    finally:
        _FORBIDDEN.reset(token)


def increment_version(tensor: Tensor | Sequence[Tensor]) -> None:
    """Marks Tensors as changed in place, for a change that minigrad does not see, such as through NumPy.

    A backward pass that needs their old values is a RuntimeError from then on.
    """
    for t in [tensor] if isinstance(tensor, Tensor) else tensor:
        _changed(t._array)


# ---------------------------------------------------------------- several gradients


class _Together:
    """The gradients of several Tensors as they come in, in the backward pass that runs."""

    def __init__(self, count: int, fn: Callable[..., Any], first: bool) -> None:
        self.count, self.fn, self.first = count, fn, first
        self.run: Any = None  # the list that belongs to the pass
        self.grads: list[Tensor | None] = []
        self.called = False

    def hook(self, at: int) -> Callable[[Tensor], None]:
        """The hook of one of the Tensors."""

        def receive(grad: Tensor) -> None:
            run = AT_END.get()
            if run is not self.run:
                self.run, self.grads, self.called = run, [None] * self.count, False
                run.append(self.finish)
            self.grads[at] = grad
            if self.first and not self.called:
                self.called = True
                self.fn(grad)
            elif not self.first and all(g is not None for g in self.grads):
                self.finish()

        return receive

    def finish(self) -> None:
        """At the end of the pass at the latest: a Tensor that it has not reached has the gradient None."""
        if not self.called:
            self.called = True
            self.fn(self.grads)
        if AT_END.get() is self.run:
            self.grads = [None] * self.count  # which the next pass gives anew


class _Handles:
    """Takes several hooks off together."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self._handles = tuple(handles)

    def remove(self) -> None:
        """Takes the hooks off; a second call does nothing."""
        for handle in self._handles:
            handle.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register_multi_grad_hook(tensors: Sequence[Tensor], fn: Callable[..., Any], *, mode: str = "all") -> Any:
    """Calls ``fn`` in each backward pass that reaches one of the Tensors; returns a handle with ``remove()``.

    With ``mode="all"`` it gets the list of their gradients once the last one is there, or at the end of the pass with
    None for those that it has not reached; with ``mode="any"`` the first gradient, and Tensors that do not require
    grad are passed over. ValueError for another mode.
    """
    if mode not in ("all", "any"):
        raise value_error(f"Expects mode to be one of ('all', 'any') but got {mode}")
    if mode == "any":
        tensors = [t for t in tensors if t.requires_grad]
    together = _Together(len(tensors), fn, mode == "any")
    return _Handles([t.register_hook(together.hook(i)) for i, t in enumerate(tensors)])


module_getattr(globals())

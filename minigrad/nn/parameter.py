"""Parameters and buffers: Tensors that a Module takes note of when they are assigned to it."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from minigrad.core.changes import RUNNING, part
from minigrad.functions.creation import empty
from minigrad.gate import constructor
from minigrad.tensor import Tensor

__all__ = ["Buffer", "Parameter"]

T = TypeVar("T", bound=Tensor)


@constructor(check="none")
class Parameter(Tensor):
    """A Tensor that a :class:`~minigrad.nn.Module` registers when it becomes one of its attributes.

    ``data`` is a Tensor of any shape; the Parameter is a new leaf that shares its memory (and forgets its
    history). It requires grad unless told otherwise, also inside ``no_grad``.

    Raises TypeError if ``data`` is not a Tensor, RuntimeError if it should require grad and does not float.
    """

    _warns_of_hooks = False

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        return _leaf(cls, data, requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Like PyTorch's, the copy has the values and the flag, but no gradient.
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        copied: Self = memo[id(self)]
        return copied


class Buffer(Tensor):
    """A Tensor that becomes a buffer of the :class:`~minigrad.nn.Module` it is assigned to.

    With ``persistent=False`` it is left out of the module's ``state_dict``. Shares the memory of ``data``.
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        return _leaf(cls, data, False)

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        self.persistent = persistent


def _rebuild_buffer(cls: type[Buffer], data: Tensor, persistent: bool) -> Buffer:
    """What pickles of minigrad 0.1.0 call."""
    return cls(data, persistent=persistent)


def _leaf(cls: type[T], data: Tensor | None, requires_grad: bool) -> T:
    if data is None:
        data = empty(0)
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{cls.__name__} expects a Tensor, got {type(data).__name__}; "
            f"for arrays and lists write {cls.__name__}(minigrad.tensor(...))"
        )
    leaf: T = Tensor._make_subclass(cls, data, requires_grad)
    return leaf


def clear_grad(p: Tensor, set_to_none: bool) -> None:
    """Drops a gradient, or zeroes it in place and cuts it from any graph that it came from."""
    if RUNNING and (running := part()) is not None:
        raise running.refused("zero_grad()")
    grad = p.grad
    if grad is None:
        return
    if set_to_none:
        p.grad = None
        return
    if grad.grad_fn is not None:
        grad = p.grad = grad.detach()
    grad.requires_grad_(False)
    grad.zero_()

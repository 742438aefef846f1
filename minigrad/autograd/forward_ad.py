"""Dual Tensors, in PyTorch's words for forward mode. A tangent is computed from the tape when it is asked for.

It takes two reverse passes, as `minigrad.func.jvp`, whose docstring tells what they cost. So a result that depends on a
dual Tensor requires grad, and operations under ``no_grad`` have no tangents: to ask for one there is an error, and the
tangent of what was computed there is None.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from minigrad.autograd.grad_mode import recorded
from minigrad.autograd.levels import Level
from minigrad.autograd.products import Push, node_of
from minigrad.core.apply import apply, cast, needs_value
from minigrad.core.mode import MODE
from minigrad.core.node import Node
from minigrad.core.tensor import Tensor, wrap
from minigrad.errors import runtime_error, type_error, value_error
from minigrad.ops.shape import alias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual",
]  # fmt: skip


_UNDER = "under no_grad(): tangents are computed from what is recorded; use enable_grad()"


class UnpackedDualTensor(NamedTuple):
    """What `unpack_dual` returns."""

    primal: Tensor
    tangent: Tensor | None


class _Duals:
    """The dual Tensors of a level: their records, and the tangents."""

    def __init__(self) -> None:
        self.level = Level()
        self.nodes: list[Node] = []
        self.tangents: list[Tensor] = []


_DUALS: ContextVar[_Duals | None] = ContextVar("minigrad_duals", default=None)


def enter_dual_level() -> int:
    """Begins a level, and returns its number, 0. RuntimeError inside of one."""
    if _DUALS.get() is not None:
        raise runtime_error("Nested forward mode AD is not supported at the moment; use minigrad.func.jvp")
    needs_value("forward_ad.enter_dual_level()")
    _DUALS.set(_Duals())
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Ends the level: its dual Tensors have no tangents from then on. RuntimeError where there is none."""
    if _DUALS.get() is None or level not in (None, 0):
        raise runtime_error(
            "Trying to exit a forward AD level that was not the last one that was created. This is not supported."
        )
    _DUALS.set(None)


@contextmanager
def dual_level() -> Iterator[int]:
    """A context in which dual Tensors can be made."""
    level = enter_dual_level()
    try:
        yield level
    finally:
        exit_dual_level(level=level)


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A Tensor over the memory of ``tensor`` that carries a tangent of its shape.

    What is computed has tangents of its own element type, also where the given one is of another.  ValueError for whole
    numbers; RuntimeError outside of a level, under ``no_grad``, for a tangent of another shape, a complex one of real
    numbers, and for a Tensor that has a tangent.
    """
    duals = _DUALS.get()
    if duals is None or level not in (None, 0):
        raise runtime_error(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    for name, t in (("primal", tensor), ("tangent", tangent)):
        if not isinstance(t, Tensor):
            raise type_error(f"make_dual(): the {name} must be Tensor, not {type(t).__name__}")
        if t._array.dtype.kind not in "fcV":
            raise value_error(f"Expected {name} to be floating point or complex, but got: {t.dtype}")
    if tensor._array.shape != tangent._array.shape:
        raise runtime_error(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
            f"supported. Tensor is of size {list(tensor._array.shape)} while the given forward gradient is of size "
            f"{list(tangent._array.shape)}."
        )
    if tangent._array.dtype.kind == "c" != tensor._array.dtype.kind:
        raise runtime_error(
            f"the tangent is of {tangent.dtype}, and the Tensor of {tensor.dtype}, not complex"
        )
    if not MODE.get().grad:
        raise runtime_error(f"make_dual() {_UNDER}")
    if node_of(tensor) is not None and unpack_dual(tensor).tangent is not None:
        raise runtime_error(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level 0 is not "
            "supported; unpack_dual() it first"
        )
    dual = duals.level.enter(tensor) if node_of(tensor) is None else apply(alias, (tensor,))
    node = node_of(dual)
    if node is not None:
        duals.nodes.append(node)
        duals.tangents.append(tangent)
    return dual


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The value and the tangent of a Tensor, None where that depends on no dual Tensor of the level.

    The value requires grad only if what it was computed from did, without the dual Tensors. RuntimeError under
    ``no_grad``.
    """
    duals = _DUALS.get()
    if duals is None:
        return UnpackedDualTensor(tensor, None)
    if not isinstance(tensor, Tensor):
        raise type_error(f"unpack_dual(): argument must be Tensor, not {type(tensor).__name__}")
    if not MODE.get().grad:
        raise runtime_error(f"unpack_dual() {_UNDER}")
    if node_of(tensor) is None or not duals.nodes:
        return UnpackedDualTensor(tensor, None)
    tensors = [t for t in (tensor, *duals.tangents) if node_of(t) is not None]
    create = duals.level.leads_out(tensors, set(duals.level.own))
    with recorded():
        push = Push([tensor], duals.nodes)
        duals.level.own.update(push.nodes)
        given = [cast(t, node.dtype) for node, t in zip(duals.nodes, duals.tangents, strict=True)]
        (tangent,) = push(given, create, create)
    if tangent is None:
        return UnpackedDualTensor(tensor, None)
    primal, shown = duals.level.show([tensor, tangent], create)
    given = [t for node, t in zip(duals.nodes, duals.tangents, strict=True) if node is node_of(tensor)]
    return UnpackedDualTensor(primal if create else wrap(tensor._array), *given or [shown])

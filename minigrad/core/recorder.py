"""The protocol of what records a whole function, as `minigrad.compile` does.

The tape holds the records.  A recorder, set as ``Mode.recorder``, hears what the tape does not hold.  The core and the
functions call these methods and know nothing else of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from minigrad.core.node import Node
    from minigrad.core.op import Array, Params


class Draws(Protocol):
    """A generator of random numbers for code that only passes it on; `minigrad.Generator` is one."""

    def initial_seed(self) -> int:
        """The seed."""

    def manual_seed(self, seed: Any) -> Any:
        """Starts again from a seed; returns itself."""


class Numeral:
    """A number of a recording: it stands for ``value`` now, and for what the expression ``text`` gives in a replay."""

    __slots__ = ("text", "value")
    text: str
    value: float
    __mul__: Any

    def of(self, function: Any) -> Any:
        """What a function of ``math`` gives of the number, in each replay."""
        raise NotImplementedError


class Recorder:
    """A recorder that hears everything and refuses nothing."""

    # values

    def made(self, t: Any) -> None:
        """A Tensor appears that no operation computed."""

    def leaf(self, node: Node, before: Node | None, t: Any) -> None:
        """A Tensor gets a record without history; it had ``before``."""

    def enters(self, node: Node, outer: Node) -> None:
        """The leaf of a transform stands for what has the record ``outer``, to which it is tied later."""

    def array(self, array: Array) -> Any:
        """The Tensor that stands for a NumPy array among the operands."""
        raise NotImplementedError

    def parameters(self, params: Params) -> Params:
        """The parameters with which a kernel is called."""
        return params

    def function(self, outputs: list[Any], records: list[Node | None]) -> None:
        """An `autograd.Function` returns ``outputs``, whose values ``records`` computed."""

    def reads(self, setting: dict[str, Any]) -> None:
        """What holds for the whole process is asked for: an entry of this table."""

    def draws(self, generator: Any) -> None:
        """A generator is seeded, or asked for numbers by no operation."""

    def failed(self, what: str) -> None:
        """An error is raised that depends on the values of a Tensor."""

    def refused(self, what: str) -> Exception:
        """The error for what would depend on the values of a Tensor."""
        raise NotImplementedError

    def refuse(self, message: str) -> Exception:
        """The error for what no recording can hold."""
        raise NotImplementedError

    def picked(self, source: Any, t: Any) -> None:
        """A Tensor of one number has picked ``t``, which is a copy now, and would be a view of the source else."""

    # changes in place

    def shown(self, t: Any) -> Any:
        """The view that a Tensor is, also where what it is a view of takes no part."""
        return t._view

    def stores(self, t: Any, result: Any) -> Any:
        """The memory of a Tensor is about to get the values of ``result``; the Tensor that is written instead."""
        return result

    def wrote(self, t: Any, node: Node) -> Node:
        """A Tensor was changed in place to what ``node`` computed; the record that it gets."""
        return node

    # backward passes

    def backward(self, roots: Iterable[Node], ends: set[Node]) -> AbstractContextManager[None]:
        """A backward pass from ``roots`` runs inside; with ``ends`` it returns the gradients of these."""
        return nullcontext()

    def differentiates(self, node: Node, g: Any) -> None:
        """The rules of a record run next, on this gradient."""

    def accumulates(self, t: Any, g: Any) -> bool:
        """A gradient reaches a leaf; whether it is still to be put there."""
        return True

    def detaches(self, t: Any) -> None:
        """A Tensor is about to forget its history, in place."""

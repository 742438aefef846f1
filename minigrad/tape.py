"""The tape, for those who read it or declare operations: what `minigrad.core` offers, in one place."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from minigrad.core.apply import apply as _apply
from minigrad.core.mode import MODE as MODE
from minigrad.core.mode import Mode as Mode
from minigrad.core.node import Const as Const
from minigrad.core.node import Node as Node
from minigrad.core.node import tape as _tape
from minigrad.core.op import Op as Op
from minigrad.core.tensor import Tensor as _Tensor
from minigrad.errors import type_error

if TYPE_CHECKING:
    from minigrad.core.op import TABLE as TABLE
else:

    def __getattr__(name):
        """`TABLE`: all operations by name, which takes loading all of their families."""
        if name == "TABLE":
            from minigrad import ops

            return ops.TABLE
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def tape(roots: Node | _Tensor | Iterable[Node | _Tensor]) -> list[Node]:
    """The records behind ``roots``, leaves too, in the order in which they were made.

    ``roots`` is a Tensor, its record (``grad_fn``), or several. TypeError for anything else, or a Tensor without one.
    """
    several = roots if isinstance(roots, Iterable) and not isinstance(roots, _Tensor) else [roots]
    nodes: list[Any] = [r._node if isinstance(r, _Tensor) else r for r in several]
    for node in nodes:
        if not isinstance(node, Node):
            got = type(node).__name__
            raise type_error(f"tape() takes Tensors that have a grad_fn, or records, got {got}")
    return _tape(nodes)


def apply(op: Op, operands: Sequence[Any], params: dict[str, Any] | None = None) -> _Tensor:
    """The result of an op on Tensors and numbers, with a record where a gradient may be wanted."""
    return _apply(op, operands, params or {})

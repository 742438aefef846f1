"""`FunctionCtx`: what a `Function` keeps from forward for its derivatives."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from minigrad import errors
from minigrad.core.changes import check_unchanged
from minigrad.core.gradients import Part
from minigrad.core.node import Freed, Node, Packed, new_node
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor, wrap
from minigrad.gate.overriding import DOORS

CONSTANT = "constant"  # the origin of a saved Tensor that is neither an input nor an output


class FunctionCtx:
    """What `Function.forward` leaves for `Function.backward`; other attributes may be set freely."""

    needs_input_grad: tuple[bool, ...] = ()

    if TYPE_CHECKING:  # other attributes

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...

    def __init__(self) -> None:
        self._saved: tuple[Any, ...] = ()
        self._sparse: dict[int, Tensor] = {}  # the sparse ones among them, by place
        # Once recorded, for each of what is saved: None, a node, the number of an output, or CONSTANT.
        self._origins: tuple[Any, ...] | None = None
        # The record holds this ctx, so this is not a strong reference.
        self._node: weakref.ref[Node] | None = None
        self._places: tuple[int, ...] = ()  # of the Tensors among the arguments
        self._arguments = 0  # how many there are
        self._others: set[int] = set()  # the places of those that are no Tensors
        self._outputs: tuple[Any, ...] = ()  # shape and dtype of each, None for anything but a Tensor
        self._materialize = True
        self._no_gradient: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._for_jvp: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keeps Tensors for `saved_tensors`, with their history; a later change in place is an error."""
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {i} is of type {type(t).__name__}; "
                    "set anything but Tensors and None as an attribute of ctx"
                )
        self._saved = tensors
        if DOORS.armed:  # else none is sparse
            self._sparse = {i: t for i, t in enumerate(tensors) if t is not None and t._sparse}
            self._saved = tuple(map(dense, tensors))

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keeps Tensors for `Function.jvp`, which finds them in `saved_tensors`."""
        self._for_jvp = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Names inputs that forward changes in place, which it must return; views only if it has one output."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Names outputs that carry no gradient."""
        self._no_gradient = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (True, the default) or None for outputs that were not used."""
        if not isinstance(value, bool):
            raise errors.type_error(f"set_materialize_grads(): expected a bool, got {type(value).__name__}")
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Tensor, ...]:
        """The Tensors given to `save_for_backward`. RuntimeError after the graph was freed."""
        if self._origins is None:
            return self._with_sparse(self._saved)
        node = self._node() if self._node is not None else None
        if node is None:
            raise RuntimeError("saved_tensors: the record that this ctx belongs to is gone")
        if isinstance(node.saved, Freed):
            raise errors.freed(node)
        if isinstance(node.saved, Packed):
            arrays = iter(node.saved.arrays(node))
        else:
            check_unchanged(node)
            arrays = iter(node.saved)
        tensors: list[Any] = [o if o is None else self._restore(o, next(arrays), node) for o in self._origins]
        return self._with_sparse(tensors)

    def _with_sparse(self, tensors: Sequence[Any]) -> tuple[Any, ...]:
        return (
            tuple(self._sparse.get(i, t) for i, t in enumerate(tensors)) if self._sparse else tuple(tensors)
        )

    @property
    def saved_variables(self) -> tuple[Tensor, ...]:
        """The older name of `saved_tensors`, with a DeprecationWarning."""
        errors.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning)
        return self.saved_tensors

    def _restore(self, origin: Any, array: Any, node: Node) -> Tensor:
        if isinstance(origin, int):
            return wrap(array, node if len(self._outputs) == 1 else pick(node, origin, array))
        return wrap(array, None if origin is CONSTANT else origin)


def dense(t: Any) -> Any:
    """An argument, None for a sparse Tensor. NotImplementedError for one that requires grad."""
    if not isinstance(t, Tensor) or not t._sparse:
        return t
    if t.requires_grad:
        raise errors.not_implemented_error(
            "a Function takes sparse Tensors without gradient; give it .indices() and .values(), and make the sparse "
            "Tensor inside"
        )
    return None


# One of several outputs.
_PICK = Op(
    "pick",
    lambda x, i: x[i],
    "x; i",
    lambda g, i: Part(i, g),
    listed=False,
    grad_fn=lambda n: n.inputs[0].title(),
    reads="x[{i}]",
)
_PICK.opaque = True


def pick(node: Node, i: int, array: Any) -> Node:
    """The record of one of the outputs of a record."""
    return new_node(_PICK, (node,), {"i": i}, array.shape, array.dtype, _PICK.layout((True,)))

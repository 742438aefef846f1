"""`swap_tensors`: two Tensors change places, and stay the objects that they are."""

from __future__ import annotations

import weakref

from minigrad.core.apply import needs_value
from minigrad.core.tensor import Tensor
from minigrad.errors import runtime_error, type_error

__all__ = ["swap_tensors"]


def swap_tensors(t1: Tensor, t2: Tensor) -> None:
    """Swaps the values, classes, attributes, gradients and histories of two Tensors.

    TypeError for anything but a Tensor; RuntimeError for a view, and for classes of which one has slots that the other
    lacks.
    """
    for t in (t1, t2):
        if not isinstance(t, Tensor):
            raise type_error(f"swap_tensors(): expected Tensors, got {type(t).__name__}")
        if t._view is not None:
            raise runtime_error("swap_tensors(): a view cannot be swapped; clone() it")
    needs_value("swap_tensors()")
    try:
        t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    except TypeError as error:
        raise runtime_error(f"Cannot swap t1 and t2 if they have different slots ({error})") from None
    t1.__dict__, t2.__dict__ = t2.__dict__, t1.__dict__
    t1._array, t2._array = t2._array, t1._array
    t1._rows, t2._rows = t2._rows, t1._rows
    t1._node, t2._node = t2._node, t1._node
    for t in (t1, t2):
        if t._node is not None and t._node.op is None:
            t._node.tensor = weakref.ref(t)  # a leaf's gradient goes there

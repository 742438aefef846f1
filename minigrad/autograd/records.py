"""What programs ask of records: the arrays that they keep, and what a `Function` has left in its ``ctx``."""

from __future__ import annotations

from typing import Any

from minigrad.core.changes import check_array
from minigrad.core.node import Freed, Node, Packed
from minigrad.core.tensor import wrap
from minigrad.errors import runtime_error


class FunctionNode(Node):
    """A record of a `Function`, which has the attributes of its ``ctx`` too, as it is the ``ctx`` in PyTorch."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name in Node.__slots__ or name.startswith("__"):  # a field that this record does not have
            raise AttributeError(name)
        return getattr(self.params["ctx"], name)


def _found(node: Node, place: int) -> tuple[int, Node] | None:
    """Which of the saved arrays is the input of that place, or -1: the result, and its record."""
    at, of = (len(node.inputs), node) if place < 0 else (place, (*node.inputs, None, None)[place])
    keep = getattr(getattr(node, "layout", None), "keep", ())
    return (keep.index(at), of) if isinstance(of, Node) and at in keep else None


def _kept(name: str, place: int) -> property:
    """A saved array as a Tensor with its record, under PyTorch's name; the input of that place, or -1: the result."""

    def kept(node: Node) -> Any:
        if (found := _found(node, place)) is None:
            raise AttributeError(f"{node.title()} has no {name}: the record does not keep it")
        (k, of), saved = found, node.saved
        if isinstance(saved, Freed):
            raise runtime_error(f"{name}: a backward pass has freed it; use retain_graph=True")
        if isinstance(saved, Packed):
            return wrap(saved.arrays(node)[k], of)
        check_array(node, saved[k])
        t = of.tensor() if place >= 0 and of.tensor is not None else None
        return t if t is not None and t._array is saved[k] and t._node is of else wrap(saved[k], of)

    return property(kept)


def _names(node: Node) -> list[str]:
    """What ``dir`` lists: of what records keep, what this one does."""
    absent = {name for name, place in _PLACES.items() if _found(node, place) is None}
    return [name for name in object.__dir__(node) if name not in absent]


_PLACES = {"_saved_self": 0, "_saved_other": 1, "_saved_result": -1}
for _name, _place in _PLACES.items():
    setattr(Node, _name, _kept(_name, _place))
Node.__dir__ = _names  # type: ignore[assignment, method-assign]

"""`Tensor`: an array and its record. Its methods come from the records of operations, and from `minigrad.tensor`."""

from __future__ import annotations

from types import FunctionType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from minigrad.core.mode import MODE
from minigrad.core.node import Node, new
from minigrad.core.op import Array, Path
from minigrad.dtypes import printed
from minigrad.hints import MissingMethods

_mode = MODE.get


class View(NamedTuple):
    """How a Tensor shares another's memory: the steps from the base, and the base's age when it was made.

    ``own`` if the base is what the Tensor itself was, before it got another shape in place.
    """

    base: Tensor
    path: Path
    epoch: int
    outside: str = ""  # where it was made, if the tape knows nothing of the making
    own: bool = False


class Tensor(MissingMethods):
    """An n-dimensional array that remembers how it was computed.

    ``Tensor(2, 3)``, or of a `Size`, makes one of that shape with whatever is in it, ``Tensor([1, 2])`` one of the
    default float and ``Tensor()`` one without elements, as in PyTorch; `minigrad.tensor` is the usual way.
    ``Tensor(t)`` of a Tensor shares its memory, and gradients pass. TypeError for a float.
    """

    # The storage, as far as the core must know it; `minigrad.tensor` adds the methods.

    __slots__ = ("__dict__", "__weakref__", "_array", "_node", "_rows", "_view")
    __module__ = "minigrad"

    _array: Array
    _node: Node | None
    _rows: bool  # known to lie row by row
    _view: View | None
    _epoch = 0  # counts recorded changes in place, so that views know when their record is old
    _inference = False
    _sparse = False  # whether it is one of `minigrad.sparse`, without an array


class ValuesAndIndices(NamedTuple):
    """What `max` and `min` over one dimension return."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        name = type(self).__name__.lower().strip("_")
        return printed(f"return_types.{name}(\nvalues={self.values!r},\nindices={self.indices!r})")


def of_parts(cls: type[Any], *parts: Any, **named: Any) -> Any:
    """A result of several parts, given by place or by name or, as PyTorch's take them, in one sequence."""
    if named:
        parts += tuple(named.pop(name) for name in cls._fields[len(parts) :] if name in named)
    elif len(parts) == 1:
        parts = tuple(parts[0])
    if named or len(parts) != len(cls._fields):
        raise TypeError(f"{cls.__name__}() takes {', '.join(cls._fields)}, or a sequence of these")
    return tuple.__new__(cls, parts)


setattr(ValuesAndIndices, "__new__", of_parts)  # noqa: B010

_OWN = frozenset({
    "__module__", "__dict__", "__weakref__", "__annotations__", "__doc__", "__firstlineno__",
    "__static_attributes__",
})  # fmt: skip


def extend(methods: type[Tensor]) -> type[Tensor]:
    """Class decorator: what the class defines becomes the Tensor's own."""
    for name, value in vars(methods).items():
        if name not in _OWN:
            setattr(Tensor, name, value)
            function = getattr(value, "__func__", value)  # of a classmethod
            if function.__class__ is FunctionType and function.__qualname__ == f"{methods.__name__}.{name}":
                function.__qualname__, function.__module__ = f"Tensor.{name}", Tensor.__module__
    return Tensor


T = TypeVar("T", bound=Tensor)
INFERENCE = False  # whether a Tensor was ever made in inference mode


def wrap(array: Any, node: Node | None = None) -> Tensor:
    """A Tensor of an array, sharing its memory."""
    if array.__class__ is not np.ndarray:
        if isinstance(array, Tensor):  # a gradient, while a function is being recorded
            return array  # type: ignore[return-value]
        array = np.asarray(array)
    t: Tensor = new(Tensor)
    t._array = array
    t._node = node
    t._view = None
    t._rows = False
    if node is None:
        mode = _mode()
        if mode.inference:
            for_inference(t)
        if mode.recorder is not None:
            mode.recorder.made(t)
    return t


def of_class(t: Tensor, cls: type[T]) -> T:
    """A Tensor that nobody else has, as one of a class: of the same memory, with the same record and attributes."""
    own = new(cls)
    own._array, own._node, own._view, own._rows = t._array, t._node, t._view, t._rows
    own.__dict__.update(t.__dict__)
    return own


def of_users(cls: type) -> bool:
    """Whether a class of Tensors is none of minigrad's."""
    return cls.__module__.partition(".")[0] != "minigrad"


def for_inference(t: Tensor) -> None:
    """Marks a Tensor as made in inference mode; from the first one on, `apply` looks at what it saves."""
    global INFERENCE
    INFERENCE = True
    t._inference = True


def leaf(t: Tensor, requires_grad: bool = False) -> Node:
    """Gives a Tensor a record of its own, without history."""
    before = t._node
    node = Node.leaf(t._array.shape, t._array.dtype, requires_grad, t)
    node.hooks = before.hooks if before is not None and before.op is None else None
    t._node = node
    if (recorder := _mode().recorder) is not None:
        recorder.leaf(node, before, t)
    return node


def called(t: Tensor, name: str) -> Tensor:
    """``t``, an array that a function makes by itself, with a word that tells readers what it is, such as mask."""
    if t._node is None and _mode().grad:
        data_leaf(t).params = {"called": name}
    return t


def data_leaf(t: Tensor) -> Node:
    """`leaf`, of a Tensor that may be gone when a reader asks for its value."""
    node = leaf(t)
    node.keep_few(t._array, own=True)
    return node

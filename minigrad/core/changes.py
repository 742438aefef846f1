"""Changes in place: which memory was changed when, so that backward notices that a saved array is another now."""

from __future__ import annotations

import weakref
from _thread import get_ident
from collections import deque
from collections.abc import Sequence
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from minigrad import errors
from minigrad.core.node import Node, next_seq
from minigrad.core.op import Array
from minigrad.core.tensor import Tensor
from minigrad.errors import here


def owner(array: Array) -> Array:
    """The array whose memory this one shows."""
    while array.base is not None:
        base: Any = array.base
        if not isinstance(base, np.ndarray):  # as_strided puts an object of its own between the two
            base = getattr(base, "base", None)
            if not isinstance(base, np.ndarray):
                break
        array = base
    return array


class Apart:
    """Holds an array that ``.data`` has given out: a change of that is not one of the memory that records know."""

    __slots__ = ("__array_interface__", "array")

    def __init__(self, array: Array) -> None:
        self.array = held_by(array)
        self.__array_interface__ = array.__array_interface__


def held_by(array: Array) -> Array:
    """The array whose memory ``.data`` has given out as this one, or itself."""
    held: Any = array.base
    if isinstance(held, np.ndarray):  # a bfloat16 array is a view of what NumPy makes of an `Apart`
        held = held.base
    return held.array if held.__class__ is Apart and lie_alike(held.array, array) else array


def memory_of(array: Array) -> Array:
    """The array that owns the memory of this one, also where ``.data`` has given it out."""
    array = owner(array)
    base: Any = array.base
    return memory_of(base.array) if base.__class__ is Apart else array


def as_it_lies(array: Array) -> Array:
    """The array with its dimensions in the order in which they lie in memory, the largest steps first."""
    return array.transpose(sorted(range(array.ndim), key=array.strides.__getitem__, reverse=True))


def start(array: Array) -> int:
    """The lowest address of an array whose steps are not negative."""
    return int(array.__array_interface__["data"][0])


def lie_alike(a: Array, b: Array) -> bool:
    """Whether two arrays of the same memory show the same elements."""
    return (a.shape, a.strides, a.dtype) == (b.shape, b.strides, b.dtype)


def overlaps(array: Array) -> bool:
    """Whether elements share memory, as those of an expanded array or of windows do."""
    steps = sorted((abs(step), n) for step, n in zip(array.strides, array.shape, strict=True) if n > 1)
    reach = array.itemsize  # the bytes that the dimensions of smaller steps span
    for step, n in steps:
        if step < reach:
            break
        reach += step * (n - 1)
    else:
        return False
    if not array.size or steps[0][0] == 0:
        return array.size > 0
    places = sum(np.ix_(*(np.arange(n) * step for step, n in steps)))
    return bool(np.unique(places).size < array.size)


class Moment(NamedTuple):
    """When and where something was changed in place."""

    seq: int
    code: CodeType | None
    lasti: int


class Change:
    """The last change in place of a piece of memory, how many there were, and when the last without a record were."""

    __slots__ = ("count", "last", "ref", "unrecorded")

    last: Moment

    def __init__(self, memory: Array) -> None:
        key = id(memory)
        self.ref = weakref.ref(memory, lambda _: _CHANGES.pop(key, None))
        self.unrecorded: deque[int] = deque(maxlen=8)
        self.count = 0

    def between(self, first: int, last: int) -> bool:
        """Whether there was a change without a record between two moments; True also where that is forgotten."""
        seen = self.unrecorded
        forgotten = len(seen) == seen.maxlen and seen[0] > last
        return forgotten or any(first < seq < last for seq in seen)


# Keyed by the identity of the memory's owner; an entry goes with its array.  A counter in each Tensor would
# cost every op; here only a change in place pays, and backward compares one number when there was none.
_CHANGES: dict[int, Change] = {}
last_change = 0


# By thread: the part of a batch that it runs, which is told before memory or a record changes; see `minigrad.parts`.
RUNNING: dict[int, Any] = {}


def part() -> Any:
    """The part of a batch that this thread runs, or None."""
    return RUNNING.get(get_ident())


def will_change(*arrays: Array) -> None:
    """Tells the part of a batch that runs here what is about to be changed in place."""
    if (p := part()) is not None:
        p.changes(arrays)


def changed(*arrays: Array, recorded: bool = False) -> None:
    """Notes that the memory of arrays is being changed in place; ``recorded`` if the tape gets a record of it."""
    global last_change
    if RUNNING:
        will_change(*arrays)
    last_change = next_seq()
    moment = tuple.__new__(Moment, (last_change, *here()))  # in half the time
    for array in arrays:
        memory = array if array.base is None else owner(array)
        change = _CHANGES.get(id(memory))
        if change is None:
            change = _CHANGES[id(memory)] = Change(memory)
        change.last = moment
        change.count += 1
        if not recorded:
            change.unrecorded.append(last_change)


def changes_of(arrays: Sequence[Array]) -> list[Change]:
    """The entries for the memory of arrays that are changed again and again; see `changed_again`."""
    unknown = [a for a in arrays if id(owner(a)) not in _CHANGES]
    if unknown:
        changed(*unknown)
    return [_CHANGES[id(owner(a))] for a in arrays]


def changed_again(changes: Sequence[Change]) -> None:
    """`changed`, for memory whose entries were looked up before; the caller holds the arrays too."""
    global last_change
    last_change = seq = next_seq()
    moment = tuple.__new__(Moment, (seq, *here()))
    for change in changes:
        change.last = moment
        change.count += 1
        change.unrecorded.append(seq)


def counted(array: Array) -> None:
    """Counts a change that leaves all values: another shape in place, or a copy of what is there."""
    memory = owner(array)
    change = _CHANGES.get(id(memory))
    if change is None:
        change = _CHANGES[id(memory)] = Change(memory)
        change.last = Moment(0, None, 0)
    change.count += 1


def times_changed(array: Array) -> int:
    """How often the memory of an array was changed in place."""
    change = _CHANGES.get(id(owner(array)))
    return 0 if change is None else change.count


def changed_since(array: Array, seq: int) -> bool:
    """Whether the memory of an array was changed in place after a moment."""
    change = _CHANGES.get(id(owner(array)))
    return change is not None and change.last.seq > seq


def keeps_record(t: Tensor) -> None:
    """Notes that the value of ``t`` was changed, but not its record: no other reader could tell."""
    base = t
    while base._view is not None:  # the base of a view that got another shape in place is one too
        base = base._view.base
    # A base that was given other memory does not hear of a change of what it showed.
    change = _CHANGES.get(id(owner(base._array)))
    if base._node is not None and change is not None and getattr(base._node, "change", None) is None:
        base._node.change = change


def shows_other(node: Node, before: Array, now: Array) -> None:
    """Notes that the leaf of ``node`` shows other memory from now on, as if that were a change in place."""
    changes = (getattr(node, "change", None), _CHANGES.get(id(owner(before))))
    seen = {seq for change in changes if change is not None for seq in change.unrecorded}
    node.change = Change(owner(now))
    node.change.unrecorded.extend(sorted({*seen, next_seq()}))


def value_changed(node: Node, first: int, last: int) -> bool:
    """Whether the value of a record was changed in place, without another record, between two moments."""
    t = node.tensor() if node.tensor is not None else None
    changes = (getattr(node, "change", None), None if t is None else _CHANGES.get(id(owner(t._array))))
    return any(change is not None and change.between(first, last) for change in changes)


def needs(node: Node, k: int) -> bool:
    """Whether the rules of ``node`` need that saved array as it was; not a result that follows from the others."""
    return node.op is None or not node.op.follows or node.layout.keep[k] != len(node.inputs)


def check_unchanged(node: Node) -> None:
    """RuntimeError if an array that ``node`` saved, and that its rules need, was changed in place since."""
    for k, array in enumerate(node.saved):
        if isinstance(array, np.ndarray) and array.size and needs(node, k):
            check_array(node, array)


def check_array(node: Node, array: Array) -> None:
    """RuntimeError if one of the arrays that ``node`` saved was changed in place since."""
    change = _CHANGES.get(id(owner(array)))
    if change is not None and change.last.seq > node.seq:
        raise errors.changed_in_place(node, array, change)

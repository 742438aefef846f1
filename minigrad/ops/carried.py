"""Arrays that a kernel computes on its way, and that the gradient of its result begins with.

They are no result, so no record saves them. Each is kept here for as long as the result and its record, and backward,
which has the result among what was saved, takes it from here. Where it is gone (a second pass over one graph, a result
that was packed away or replayed) backward computes it again, to the same bits.
"""

from __future__ import annotations

from typing import Any
from weakref import ref

import numpy as np

Array = np.ndarray[Any, Any]


class Carried:
    """Arrays by the result and the operand with which they were computed; both must be the very same arrays again."""

    __slots__ = ("_by_result",)

    def __init__(self) -> None:
        self._by_result: dict[int, tuple[Any, ref[Array], ref[Array], ref[Any] | None]] = {}

    def keep(self, result: Array, operand: Array, array: Any) -> None:
        key, kept = id(result), self._by_result
        # The call comes before the number of the result can be that of another array.
        kept[key] = (array, ref(result, lambda _: kept.pop(key, None)), ref(operand), None)

    def until(self, result: Array, owner: Any) -> None:
        """Lets the array go with ``owner`` too: a detached result outlives its record, and no gradient asks for it."""
        key, kept = id(result), self._by_result
        entry = kept.get(key)
        if entry is not None:
            kept[key] = (*entry[:3], ref(owner, lambda _: kept.pop(key, None)))

    def take(self, result: Array, operand: Array) -> Any:
        """The array, whose memory is the caller's from now on."""
        entry = self._by_result.pop(id(result), None)
        if entry is None or entry[1]() is not result or entry[2]() is not operand:
            return None
        return entry[0]

"""Repetition in a sequence of operations: where it is, and how often."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

CANDIDATES = 6  # how many of the next places with the same token are tried as the length of a block
EFFORT = 12  # comparisons per item, after which the search gives up


class Run(NamedTuple):
    """``times`` blocks of ``length`` items from ``start`` on, alike in kind and in how they are joined."""

    start: int
    length: int
    times: int

    @property
    def stop(self) -> int:
        """The end of the first block."""
        return self.start + self.length


def runs(
    tokens: Sequence[Hashable],
    start: int,
    stop: int,
    joined: Callable[[int, int, int], int],
    break_before: Callable[[int], int],
) -> Iterator[Run]:
    """Repeated blocks in ``tokens[start:stop]``, none overlapping, the ones that save most.

    ``joined(start, length, times)`` says how many of the blocks are joined alike; ``break_before(i)`` how
    good a boundary stands before an item, 0 being best.  ``joined`` may depend on the runs that came before.
    """
    places: dict[Hashable, list[int]] = {}
    for i in range(start, stop):
        places.setdefault(tokens[i], []).append(i)
    effort = EFFORT * (stop - start) + 1000
    i = start
    while i < stop - 1 and effort > 0:
        same = places[tokens[i]]
        k = bisect_right(same, i)
        options: list[tuple[int, int, int]] = []
        for j in same[k : k + CANDIDATES]:
            length, n = j - i, 0
            while j + n < stop and tokens[i + n] == tokens[j + n]:
                n += 1
            effort -= n + 1
            if n >= length:
                options.append((-(n // length) * length, length, j + n))
        best = None
        for _, length, end in sorted(options):
            best = _aligned(i, length, end, joined, break_before)
            effort -= end - i
            if best is not None:
                break
        if best is None:
            i += 1
        else:
            yield best
            i = best.start + best.length * best.times


def _aligned(
    start: int,
    length: int,
    stop: int,
    joined: Callable[[int, int, int], int],
    break_before: Callable[[int], int],
) -> Run | None:
    """The run moved to begin where a module does, and cut to the blocks that are joined alike."""
    shifts = sorted(range(min(length, 64)), key=lambda o: (break_before(start + o), o))
    for shift in shifts[:3]:
        first = start + shift
        for begin in (first, first + length):  # the first block often differs: it gets the input
            times = (stop - begin) // length
            times = joined(begin, length, times) if times > 1 else 0
            if (times >= 3 and (times - 1) * length >= 4) or (times == 2 and length >= 10):
                return Run(begin, length, times)
    return None

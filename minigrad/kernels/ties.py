"""Which of equal elements PyTorch's `topk` and `kthvalue` take, and how `topk` orders them.

That follows from the C++ library's selection: `std::partial_sort` for few of many, else `std::nth_element` and, if the
result is to be sorted, `std::sort`. Here these are done step by step, a partition at once. An element is a key and its
place; smaller keys come first.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Heap: TypeAlias = list[tuple[Any, int]]

FEW = 64  # partial_sort takes the first k of at least so many times as many elements
CHUNK = 4096


def first_places(row: Array, k: int, largest: bool, sorted: bool) -> Array:
    """The places of the ``k`` largest, or smallest, elements of a row as PyTorch gives them."""
    keys = _keys(row, largest)
    if k * FEW <= len(keys):
        return np.array(
            [place for _, place in _heap_sorted(_heap_of(keys, np.arange(len(keys)), k))], np.int64
        )
    keys, places = keys.copy(), np.arange(len(keys))
    _select(keys, places, k - 1)
    if sorted:
        _sort_loop(keys, places, 0, k - 1, _depth(k - 1))
        # What is left is an insertion sort, which keeps the order of equal elements.
        places[: k - 1] = places[: k - 1][np.argsort(keys[: k - 1], kind="stable")]
    return places[:k]


def kth_place(row: Array, k: int) -> int:
    """The place of the ``k``-th smallest element, from 0, that PyTorch's own quick selection finds."""
    keys = _keys(row, False).copy()
    places = np.arange(len(keys))
    first, last = 0, len(keys) - 1
    while first < last:
        second = first + 1
        if last == second:
            if keys[first] > keys[last]:
                _swap(keys, places, first, last)
            break
        _swap(keys, places, first + (last - first) // 2, second)
        for a, b in ((second, last), (first, last), (second, first)):
            if keys[a] > keys[b]:
                _swap(keys, places, a, b)
        pivot = keys[first]
        left = np.flatnonzero(keys[second + 1 : last + 1] >= pivot) + second + 1
        right = (np.flatnonzero(keys[first:last] <= pivot) + first)[::-1]
        both = min(len(left), len(right))
        count = int(np.count_nonzero(left[:both] <= right[:both]))
        _swap(keys, places, left[:count], right[:count])
        # Each search ends at what it has not seen, or at the last place that the other one swapped ahead of it.
        met = int(count > 0 and left[count - 1] == right[count - 1])
        swapped = slice(max(count - met - 1, 0), count - met)
        up, down = min([left[count], *right[swapped]]), max([right[count], *left[swapped]])
        _swap(keys, places, first, down)
        if down <= k:
            first = up
        if down >= k:
            last = down - 1
    return int(places[k])


def _keys(row: Array, largest: bool) -> Array:
    """Numbers that come the sooner the smaller they are; a nan counts as larger than any number."""
    if row.dtype.kind == "f" and np.isnan(row).any():
        row = np.unique(row, return_inverse=True)[1]
    if not largest:
        return row
    return -row if row.dtype.kind == "f" else ~row


def _depth(n: int) -> int:
    return 2 * (max(n, 1).bit_length() - 1)


# ---------------------------------------------------------------- partitions


def _swap(keys: Array, places: Array, i: Any, j: Any) -> None:
    for array in (keys, places):
        array[i], array[j] = array[j].copy(), array[i].copy()


def _cut(keys: Array, places: Array, first: int, last: int) -> int:
    """Parts a range by the median of three of its elements; where the second part begins."""
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    x, y, z = keys[a], keys[b], keys[c]
    median = (b if y < z else c if x < z else a) if x < y else a if x < z else c if y < z else b
    _swap(keys, places, first, median)
    pivot, rest = keys[first], keys[first + 1 : last]
    left = np.flatnonzero(rest >= pivot)
    right = np.flatnonzero(rest <= pivot)[::-1]
    both = min(len(left), len(right))
    count = int(np.count_nonzero(left[:both] < right[:both]))
    _swap(keys, places, left[:count] + first + 1, right[:count] + first + 1)
    ends = [*left[count : count + 1], *right[count - 1 : count]] if count else left[:1]
    return int(min(ends)) + first + 1


def _select(keys: Array, places: Array, nth: int) -> None:
    """`std::nth_element`: what belongs at ``nth`` stands there, and nothing before it comes after it."""
    first, last = 0, len(keys)
    for _ in range(_depth(last)):
        if last - first <= 3:
            break
        cut = _cut(keys, places, first, last)
        first, last = (cut, last) if cut <= nth else (first, cut)
    if last - first > 3:
        span = slice(first, last)
        heap, left = _heap_and_rest(keys[span], places[span], nth + 1 - first)
        keys[span], places[span] = map(np.array, zip(*heap, *left, strict=True))
        _swap(keys, places, first, nth)
    else:
        order = np.argsort(keys[first:last], kind="stable")
        keys[first:last], places[first:last] = keys[first:last][order], places[first:last][order]


def _sort_loop(keys: Array, places: Array, first: int, last: int, depth: int) -> None:
    """What `std::sort` does with a range until its parts have 16 elements or fewer."""
    while last - first > 16:
        if not depth:
            heap = _heap_sorted(_heap_of(keys[first:last], places[first:last], last - first))
            keys[first:last], places[first:last] = map(np.array, zip(*heap, strict=True))
            return
        depth -= 1
        cut = _cut(keys, places, first, last)
        _sort_loop(keys, places, cut, last, depth)
        last = cut


# ---------------------------------------------------------------- heaps, whose first element comes last


def _heap_of(keys: Array, places: Array, k: int) -> Heap:
    return _heap_and_rest(keys, places, k)[0]


def _heap_and_rest(keys: Array, places: Array, k: int) -> tuple[Heap, Heap]:
    """The ``k`` first elements as a heap, and the others, as `std::__heap_select` leaves both."""
    heap: Heap = list(zip(keys[:k].tolist(), places[:k].tolist(), strict=True))
    rest: Heap = list(zip(keys[k:].tolist(), places[k:].tolist(), strict=True))
    for hole in range((k - 2) // 2, -1, -1):
        _sift(heap, hole, k, heap[hole])
    for begin in range(0, len(rest), CHUNK):
        for i in (np.flatnonzero(keys[k + begin : k + begin + CHUNK] < heap[0][0]) + begin).tolist():
            if rest[i][0] < heap[0][0]:
                value, rest[i] = rest[i], heap[0]
                _sift(heap, 0, k, value)
    return heap, rest


def _heap_sorted(heap: Heap) -> Heap:
    for end in range(len(heap) - 1, 0, -1):
        value, heap[end] = heap[end], heap[0]
        _sift(heap, 0, end, value)
    return heap


def _sift(heap: Heap, hole: int, size: int, value: tuple[Any, int]) -> None:
    """Lets a hole sink to the bottom, and a value rise from there."""
    top = hole
    while (child := 2 * hole + 2) <= size:
        if child == size or heap[child][0] < heap[child - 1][0]:
            child -= 1
        heap[hole] = heap[child]
        hole = child
    while hole > top and heap[(hole - 1) // 2][0] < value[0]:
        heap[hole] = heap[(hole - 1) // 2]
        hole = (hole - 1) // 2
    heap[hole] = value

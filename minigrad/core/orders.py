"""How a result lies in memory: apart from its operands, and where these lie differently in PyTorch's order."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.buffers import is_view
from minigrad.core.basic import in_memory
from minigrad.core.mode import MODE
from minigrad.core.op import Array, Op, Params
from minigrad.core.tensor import Tensor

Lies = tuple[tuple[int, ...], tuple[int, ...]]  # the shape and the steps of an array


def as_operands(op: Op, out: Tensor, arrays: Sequence[Any]) -> Tensor:
    """The result of an elementwise op in the order that PyTorch gives it: a copy where NumPy's is another.

    NumPy lays it row by row wherever two operands disagree, and what a kernel does with copies of an operand that
    repeats lies as NumPy copies that.  The copy has a record of its own, which every reader of the tape sees, and
    which goes by the name of the op's.
    """
    y = out._array
    if not op.elementwise or op.order != "K" or y.ndim < 2 or MODE.get().backward:
        return out
    if op.lies_like is not None:
        arrays = [arrays[op.lies_like], *arrays]
    lie = [(a.shape, a.strides) for a in arrays if a.__class__ is np.ndarray and a.ndim > 1]
    if not lie or lie[0] == (y.shape, y.strides):  # the first decides all
        return out
    return _laid(out, lie)


def as_picked(
    out: Tensor, steps: Sequence[int], indices: Sequence[Array], pattern: tuple[bool, ...]
) -> Tensor:
    """What an index picks of what has these steps: in the order of the dimensions that stay, then of the indices."""
    y = out._array
    if MODE.get().backward or y.ndim < 2:
        return out
    todo, stay, d = iter(indices), list[int](), 0
    for here in pattern:
        index = next(todo) if here else None
        if index is None:
            stay.append(steps[d])
        d += index.ndim if index is not None and index.dtype == bool else 1
    stay += steps[d:]
    first = pattern.index(True)
    at, wide = 0 if False in pattern[first:] else first, y.ndim - len(stay)
    lie: list[Lies] = [(y.shape, (*stay[:at], *(0,) * wide, *stay[at:]))]
    full = y.shape[at : at + wide]
    # each index is broadcast, with a step along dimensions of size 1 too
    for index in indices:
        own = np.broadcast_to(index if index.dtype != bool else np.empty(full[-1]), full).strides or (1,)
        ahead, behind = (math.prod(full[:1]) * own[0],) * at, (own[-1],) * (len(stay) - at)
        lie.append(((*(1,) * at, *full, *(1,) * len(behind)), (*ahead, *own[:wide], *behind)))
    return _laid(out, lie)


def _laid(out: Tensor, lie: Sequence[Lies]) -> Tensor:
    y = out._array
    axes = _order(y.shape, *lie)
    if y.transpose(axes).flags.c_contiguous:
        return out
    before, out = out._node, in_memory(out, axes=axes)
    if before is not None:
        out._node.outer = before.title(), before.seq  # type: ignore[union-attr]
    return out


@functools.lru_cache(maxsize=1024)
def _order(shape: tuple[int, ...], *lie: Lies) -> tuple[int, ...]:
    """The dimensions of a result from the longest step to the shortest, by those of its operands.

    For two dimensions the first operand decides in which both have steps, and these differ; of equal steps the larger
    dimension has the longer one.  Where nothing decides, they stay as they are.
    """
    ndim = len(shape)
    steps = []
    for sizes, strides in lie:
        ahead = ndim - len(sizes)
        own = [0 if n == 1 != shape[ahead + d] else abs(strides[d]) for d, n in enumerate(sizes)]
        steps.append([0] * ahead + own)

    def compared(inner: int, outer: int) -> int:
        for s in steps:
            if s[inner] and s[outer]:
                if s[inner] != s[outer]:
                    return s[inner] - s[outer]
                if shape[inner] > shape[outer]:
                    return 1
        return 0

    order = [*range(ndim)]
    for first in range(ndim - 2, -1, -1):  # each takes its place among those behind it
        at = first
        for d in range(first + 1, ndim):
            known = compared(order[d], order[at])
            if known > 0:
                order[at], order[d] = order[d], order[at]
                at = d
            elif known < 0:
                break
    return tuple(order)


def own(y: Array, arrays: Sequence[Any], params: Params) -> Array:
    """A result in memory of its own, whatever its kernel has returned: also an operand or a parameter."""
    if y.base is None:
        for a in arrays:
            if a is y:
                return np.array(y)
        for a in params.values():
            if a is y:
                return np.array(y)
    elif is_view(y):
        for a in (*arrays, *params.values()):
            if isinstance(a, np.ndarray) and np.may_share_memory(a, y):
                return np.array(y)
    return y

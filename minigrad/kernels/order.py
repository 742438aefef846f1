"""The order of dimensions in memory, and results that lie as their operands do: with channels behind images."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import buffers

Array = np.ndarray[Any, Any]


def by_steps(array: Array) -> tuple[int, ...]:
    """The dimensions by their steps in memory, the longest first; what is only repeated stays where it is."""
    steps, order = array.strides, [*range(array.ndim)]
    for i in order[1:]:
        for j in range(i, 0, -1):
            before, after = (abs(steps[d]) for d in order[j - 1 : j + 1])
            if before and after and before >= after:
                break
            if before and after:
                order[j - 1 : j + 1] = order[j], order[j - 1]
    return tuple(order)


def inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes ``dims``."""
    return tuple(sorted(range(len(dims)), key=dims.__getitem__))


def in_order(x: Array, axes: tuple[int, ...]) -> Array:
    """A copy that lies row by row once its dimensions are permuted by ``axes``."""
    rows = buffers.copied(x.transpose(axes), rows=True)
    y = rows.transpose(inverse(axes))
    # On a buffer it is an array of its own, no view of one.
    return (
        np.ndarray(x.shape, x.dtype, rows.base, 0, y.strides) if isinstance(rows.base, buffers.Buffer) else y
    )


def channels_last(ndim: int) -> tuple[int, ...]:
    """The dimensions of images with their channels last in memory."""
    return (0, *range(2, ndim), 1)


def is_behind(x: Array) -> bool:
    """Whether channels, the second of 4 or 5 dimensions, step shortest in memory.

    Sizes of 1 may leave that open: it is as PyTorch decides.
    """
    steps = x.strides
    if not 4 <= len(steps) <= 5 or steps[1] > steps[-1] or not steps[1]:
        return False
    least = 0
    for d in (1, *range(len(steps) - 1, 1, -1), 0):
        if not x.shape[d] or steps[d] < least or (d == 0 and least == steps[1]):
            return False
        least = steps[d] * x.shape[d]
    return True


def behind(y: Array) -> Array:
    """A copy with the channels last in memory."""
    return in_order(y, channels_last(y.ndim))


def formatted(
    kernel: Callable[..., Any], *like: int, when: Callable[[Array, Any], bool] | None = None
) -> Callable[..., Any]:
    """A kernel whose result has its channels last in memory if one of the operands with these numbers has.

    ``when`` tells by that operand and the parameters whether PyTorch has it so.
    """

    @functools.wraps(kernel)
    def run(*arrays: Any, **params: Any) -> Any:
        y = kernel(*arrays, **params)
        for i in like:
            steps = arrays[i].strides
            # what is usual, told without a call
            if len(steps) > 3 and steps[1] <= steps[-1] and is_behind(arrays[i]):
                return behind(y) if when is None or when(arrays[i], params) else y
        return y

    return run

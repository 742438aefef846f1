"""Kernels that write large results into memory that is there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import buffers

LARGE = 1 << 15  # elements from which memory that is new to the system costs more than to look for a buffer


def buffered(kernel: Callable[..., Any], like: int = 0) -> Callable[..., Any]:
    """A kernel that takes ``out``, an array of the shape and type of an operand, called with a buffer for it."""

    def run(*arrays: Any, **params: Any) -> Any:
        x = arrays[like]
        if x.size < LARGE:
            return kernel(*arrays, **params)
        return kernel(*arrays, **params, out=buffers.empty(x.shape, x.dtype))

    return run


def kept(kernel: Callable[..., Any], **how: Any) -> Callable[..., Any]:
    """A kernel that takes ``empty``, with memory that is used again for what is large."""
    return functools.partial(kernel, empty=buffers.empty, **how)


# Elements; what is between stays in the cache. Of fewer, NumPy keeps no memory between the steps of an expression.
PIECE = 1 << 17


def piece_by_piece(function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel or a rule of several steps by element, which goes over large arrays of one shape in pieces.

    For four million float32 that takes half of the time: what is between stays in the cache.
    """

    @functools.wraps(function)
    def run(*args: Any, **params: Any) -> Any:
        x = args[0]
        if x.__class__ is not np.ndarray or x.size <= PIECE:
            return function(*args, **params)
        flat = []
        for a in args:
            if a.__class__ is np.ndarray and a.ndim:
                if a.shape != x.shape or not a.flags.c_contiguous:
                    return function(*args, **params)
                a = a.reshape(-1)
            flat.append(a)
        arrays = [i for i, a in enumerate(flat) if a.__class__ is np.ndarray and a.ndim]
        parts, out = [*flat], np.empty(0)
        for k in range(0, x.size, PIECE):
            here = slice(k, k + PIECE)
            for i in arrays:
                parts[i] = flat[i][here]
            y = function(*parts, **params)
            if not k:
                out = buffers.empty(x.shape, y.dtype)
            out.reshape(-1)[here] = y
        return out

    return run

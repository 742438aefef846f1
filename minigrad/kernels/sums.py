"""Sums whose rounding error does not grow with the number of terms, and which round float16 once.

NumPy adds pairwise along the axis whose elements lie closest in memory, and one after the other along all others:
in float32 a million rows lose a hundredth.  Here an axis of the second kind is folded: its first sixteenth, its
second and so on are added, which are long rows, until what is left is short.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FEW = 32  # terms that are added one after the other: their error stays under half of 1e-6
MANY = 128  # rows that a product with ones adds as exactly, for BLAS takes several at a time
ALONE = 1 << 13  # elements of a product that BLAS does not share among threads
WIDE = 512  # elements of a row that is long enough for NumPy's inner loop
SHORT = 4096  # terms of a row that BLAS adds as exactly, in a third of the time
VDOT = 1024  # squares that np.vdot adds as exactly


def copied(x: Array, dtype: Any = None) -> Array:
    """A copy with the dimensions in the same order in memory; what is only repeated is no order."""
    if 0 not in x.strides:
        return x.astype(x.dtype if dtype is None else dtype)
    flags: Any = [["readonly"], ["writeonly", "allocate"]]
    types = [x.dtype, x.dtype if dtype is None else dtype]
    y: Array = np.nditer([x, None], ["zerosize_ok", "multi_index"], flags, types).operands[1]
    y[...] = x
    return y


_add: Any = np.add.reduce


def by_rows(y: Any) -> Any:
    """A result that lies row by row, as PyTorch's does, also where NumPy's follows an operand that does not."""
    return np.ascontiguousarray(y) if y.ndim > 1 else y


def add_up(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over a tuple of axes, in increasing order, or over all."""
    kind = x.dtype.char
    if axis is None and kind in "fd" and x.flags.forc:
        return _add(x, None, None, None, keepdims)  # as NumPy has it
    if kind == "e":
        return add_up(x.astype(np.float32), axis, keepdims).astype(np.float16)
    if kind in "FD" and x.size > FEW:  # their parts, for which the sum is exact
        parts = np.ascontiguousarray(x)[..., None].view(x.real.dtype)
        axis = tuple(range(x.ndim)) if axis is None else axis
        return np.ascontiguousarray(add_up(parts, axis, keepdims)).view(x.dtype)[..., 0]
    if x.size > FEW and kind in "fd":
        y = _folded(x, axis)
        if y is not None:
            if not keepdims:
                y = y.reshape([n for d, n in enumerate(y.shape) if axis is not None and d not in axis])
            return by_rows(y)
    return by_rows(_add(x, axis=axis, keepdims=keepdims))


def added_by_numpy(shape: Sequence[int], dtype: Any, axis: Any, dense: bool) -> bool:
    """Whether `add_up` adds as NumPy does by itself, however an array lies in memory, or one that lies densely."""
    count = math.prod(shape if axis is None else [shape[d] for d in axis])
    if dtype.kind == "c":
        return math.prod(shape) <= FEW
    return dtype.kind != "f" or count <= FEW or (count == math.prod(shape) and dense)


def _folded(x: Any, axis: Any) -> Any:
    """The sum with the axes kept; None where NumPy's own is exact."""
    shape, flags = x.shape, x.flags
    if axis is None:
        if flags.forc:
            return None
        axis = tuple(range(x.ndim))
    count = shape[axis[0]] if len(axis) == 1 else math.prod([shape[d] for d in axis])
    if count <= FEW:
        return None
    if flags.c_contiguous and axis[-1] - axis[0] == len(axis) - 1:
        rest = math.prod(shape[axis[-1] + 1 :])
        if rest == 1:
            return None
        if rest * count == x.size:
            x = x.reshape(count, rest)
            y = sum_rows(x) if x.size <= ALONE else sum_first(x, 0)
            return y.reshape([1 if d in axis else n for d, n in enumerate(shape)])
    d = _long_axis(x, axis)
    if d < 0:
        return None
    y = sum_first(x, d)
    return add_up(y, axis, True)


def _long_axis(x: Any, axis: Any) -> int:
    """The longest axis along which NumPy would add too many terms one after the other; -1 if there is none."""
    order = sorted((abs(s), -d) for d, (n, s) in enumerate(zip(x.shape, x.strides, strict=True)) if n > 1)
    rest = [d for d in axis if x.shape[d] > 1]
    span = 0
    for stride, d in order:
        if -d not in rest or (span and stride != span) or (not stride and len(order) > 1):
            break
        rest.remove(-d)  # NumPy's inner loop runs over it
        span = stride * x.shape[-d]
    if math.prod([x.shape[d] for d in rest]) <= FEW:
        return -1
    return int(max(rest, key=lambda d: x.shape[d]))


def sum_first(x: Any, d: int) -> Any:
    """The sum over one axis, which is kept."""
    n = x.shape[d]
    if n <= FEW:
        return np.add.reduce(x, axis=d, keepdims=True)
    before, after = x.shape[:d], x.shape[d + 1 :]
    count, each = blocks(n, FEW)
    whole = (slice(None),) * d + (slice(count * each),)
    if math.prod(after) >= WIDE:
        y = np.add.reduce(x[whole].reshape((*before, each, count, *after)), axis=d + 1)
    else:
        y = np.add.reduce(x[whole].reshape((*before, count, each, *after)), axis=d)
    y = sum_first(y, d)
    if count * each == n:
        return y
    return y + np.add.reduce(x[(slice(None),) * d + (slice(count * each, n),)], axis=d, keepdims=True)


@functools.lru_cache(maxsize=256)
def blocks(n: int, most: int) -> tuple[int, int]:
    """A block's number of rows, at most so many, and how many blocks there are in n rows; best without a rest."""
    count = next((k for k in range(most, most // 2, -1) if n % k == 0), most)
    return count, n // count


@functools.lru_cache(maxsize=128)  # to make them anew takes as long as the product at 32 rows
def ones(n: int, kind: str) -> Array:
    return np.ones(n, kind)


def sum_rows(x: Any, out: Any = None) -> Any:
    """The rows of a float matrix as one, by products with ones: two thirds of the time of a sum."""
    n, m = x.shape
    kind = x.dtype.char
    if n <= MANY:
        return ones(n, kind).dot(x, out)
    count, each = blocks(n, FEW if m >= WIDE else MANY)
    whole = count * each
    if m >= WIDE:
        parts = np.add.reduce(x[:whole].reshape(each, count, m), axis=1)
    else:
        parts = np.dot(ones(count, kind), x[:whole].reshape(count, each * m)).reshape(each, m)
    if whole == n:
        return sum_rows(parts, out)
    return np.add(sum_rows(parts), np.dot(ones(n - whole, kind), x[whole:]), out)


def added_by_product(n: int) -> bool:
    """Whether `row_sums` adds rows of ``n`` elements by a product with ones."""
    return 64 <= n <= SHORT


def in_columns(shape: Sequence[int], dim: int) -> bool:
    """Whether sums along ``dim`` take less time column by column, and lose no digits, than of rows that are copied."""
    return shape[dim] <= FEW * FEW and math.prod(shape[dim + 1 :]) >= 16


def row_sums(x: Array) -> Any:
    """The sum of each row of a float matrix, as a column; of a stack of matrices those of the columns.

    However they lie in memory it is the same.
    """
    x = np.ascontiguousarray(x)
    if x.ndim == 3:
        if x.shape[1] <= FEW:
            return np.add.reduce(x, axis=1, keepdims=True)
        # A product with ones would be shared among threads if it is large, and have other bits then.
        parts = np.split(x, range(FEW, x.shape[1], FEW), axis=1)
        return sum(np.add.reduce(part, axis=1, keepdims=True) for part in parts)
    if not added_by_product(x.shape[1]):
        return np.add.reduce(x, axis=1, keepdims=True)
    return np.vecdot(x, ones(x.shape[1], x.dtype.char)).reshape(-1, 1)


def mean_square(x: Any) -> Any:
    """The mean of the squares of all elements."""
    return square_sum(x) / x.size


def square_sum(x: Any) -> Any:
    """The sum of the squares of all elements, of the type of ``x``."""
    if x.size <= VDOT:
        return np.vdot(x, x)
    return add_up(np.square(x))


def sum_squares(x: Array, axis: tuple[int, ...] | None, keepdims: bool) -> Any:
    """The sum of squares over a tuple of axes, in increasing order, or over all; of floats of 32 or 64 bits."""
    flags, shape = x.flags, x.shape
    if axis is None and 2 * FEW <= x.size <= VDOT and flags.c_contiguous and not keepdims:
        return np.vdot(x, x)  # one row of what follows, in a quarter of the time
    count = x.size if axis is None else math.prod([shape[d] for d in axis])
    last = axis is None or axis == tuple(range(x.ndim - len(axis), x.ndim))
    if count < FEW or not last or not (flags.c_contiguous or (axis is None and flags.forc)):
        return add_up(np.square(x), axis, keepdims)
    # Products of rows with themselves need no array of squares.
    rows = x.reshape(-1, count, order="A" if axis is None else "C")
    most, parts = (count, 1) if count <= VDOT else blocks(count, VDOT)
    some = rows[:, : most * parts].reshape(-1, most)
    y = np.einsum("ij,ij->i", some, some) if most < 2 * FEW else np.vecdot(some, some)
    if parts > 1:
        y = add_up(y.reshape(-1, parts), (1,))
    if most * parts < count:
        rest = rows[:, most * parts :]
        y = y + np.vecdot(rest, rest)
    kept = shape[: 0 if axis is None else x.ndim - len(axis)]
    return y.reshape((*kept, *(1,) * (x.ndim - len(kept))) if keepdims else kept)

"""Matrix products. Batches in front broadcast; the engine sums over what was broadcast."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minigrad import buffers
from minigrad.core import names
from minigrad.core.basic import clone
from minigrad.core.op import Array, Op
from minigrad.core.plans import OUT, Line, Lines, Operand, Target, named
from minigrad.core.text import Call, Text
from minigrad.dtypes import F32, F64
from minigrad.kernels.sharing import blocks

LARGE = 1 << 14  # elements of a result that may be worth a buffer
ALONE = 1 << 18  # multiplications of a product that BLAS does not share among threads
SHARED = 1 << 22  # multiplications that are worth a thread: some 100 microseconds


def product(a: Array, b: Array) -> Any:
    """``a @ b``.

    For two matrices np.dot: it calls BLAS with less around it, and also for a single row or column, where np.matmul
    takes four times as long without BLAS.  But np.dot fills its result with zeros first, which costs more than that
    for a large one.  Both give the same bits but for a matrix with gaps and its own transpose.  Its method is called,
    for the function looks for classes that take it over: 3 % of a small compiled step, 2 % of an eager one.
    """
    if a.ndim != 2 or b.ndim != 2:
        return _product_of_many(a, b)
    if a.size == 1 or b.size == 1:
        return a * b  # BLAS would not look at nan and inf that a zero multiplies
    rows, columns = a.shape[0], b.shape[1]
    if rows * columns < LARGE or a.dtype is not b.dtype:
        return a.dot(b)
    out = buffers.empty((rows, columns), a.dtype)
    if by_matmul(rows, a.shape[1], columns, a.dtype) and (a.base is None or a.base is not b.base):
        return np.matmul(a, b, out=out)
    return a.dot(b, out)


def _product_of_many(a: Array, b: Array) -> Any:
    if joined(a.shape, b.shape):
        y = buffers.empty((*a.shape[:-1], b.shape[1]), np.result_type(a, b))
        np.matmul(a.reshape(-1, a.shape[-1]), b, out=y.reshape(-1, b.shape[1]))
        return y
    if a.ndim > 2 and a.dtype is b.dtype and a.shape[:-2] == b.shape[:-2] and a.shape[-1] == b.shape[-2]:
        return _one_by_one(a, b, buffers.empty((*a.shape[:-1], b.shape[-1]), a.dtype))
    return np.matmul(a, b, order="C")


def _one_by_one(a: Array, b: Array, y: Array) -> Array:
    """Products of pairs. Threads share those that BLAS leaves to one: 64 heads of attention take 0.8 of the time."""
    each = y.shape[-2] * y.shape[-1] * a.shape[-1]
    if each > ALONE or y.size * a.shape[-1] < 2 * SHARED:
        return np.matmul(a, b, out=y)
    step = max(SHARED * len(y) // (y.size * a.shape[-1]), 1)

    def work(starts: Iterator[int]) -> None:
        for k in starts:
            np.matmul(a[k : k + step], b[k : k + step], out=y[k : k + step])

    blocks(work, len(y), step)
    return y


def joined(a: Sequence[int], b: Sequence[int]) -> bool:
    """Whether many matrices times one are multiplied as one: if that is large, it takes two thirds of the time."""
    return len(a) > 2 and len(b) == 2 and a[-1] == b[0] > 0 and math.prod(a[:-1]) * b[1] >= LARGE


def by_matmul(rows: int, inner: int, columns: int, dtype: Any) -> bool:
    """Whether np.matmul calls BLAS for such matrices, and saves more than it costs."""
    return bool(rows * columns >= LARGE and min(rows, inner, columns) > 1 and (dtype is F32 or dtype is F64))


def times(a: Any, b: Any) -> Any:
    """``a @ b`` in a rule: of arrays by `product`, of Tensors recorded. Both give the same bits."""
    if a.__class__ is not np.ndarray or b.__class__ is not np.ndarray:
        return a @ b
    if a.ndim != 2 and b.ndim == 2 and a.size:  # as matmul() has one product of rows
        return product(a.reshape(-1, a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[1])
    return product(a, b)


def product_into(t: Target) -> str:
    """The function that `product` would call on the first two operands, the second one or its transpose."""
    a, b = t.operands[:2]
    if len(a.shape) != 2 or len(b.shape) != 2:
        return "np.matmul"
    if math.prod(a.shape) == 1 or math.prod(b.shape) == 1:
        return "np.multiply"
    large = by_matmul(t.shape[0], a.shape[1], t.shape[1], t.dtype)
    return "np.matmul" if large and t.apart(0, 1) else "np.ndarray.dot"


def joined_into(a: Operand, b: str, shape: Sequence[int]) -> tuple[Line, Line]:
    """Many matrices times one, as one product, into a value of that shape; and what is done once for that."""
    rows, inner = math.prod(a.shape[:-1]), a.shape[-1]
    flat = f"{OUT}_rows"
    line = Line("np.matmul", (f"{a.text}.reshape({rows}, {inner})", b), flat)
    return line, named(flat, f"{OUT}.reshape({rows}, {shape[-1]})")


def _matmul_into(t: Target) -> Lines | None:
    a, b = t.operands
    if t.filled or min(len(a.shape), len(b.shape)) < 2 or a.dtype != b.dtype:
        return None
    if joined(a.shape, b.shape):
        line, flat = joined_into(a, b.text, t.shape)
        return Lines([line], [flat]) if t.own() else None
    function = product_into(t)
    if function == "np.matmul" and len(t.shape) > 2 and not t.own():
        return None  # the text says how it lies
    texts = (t.level(0), t.level(1)) if function == "np.multiply" else (a.text, b.text)
    return Lines([Line(function, texts)])


def _matmul_numba(t: Target) -> str | None:
    a, b = t.operands
    return f"np.dot({a.text}, {b.text})" if len(a.shape) == len(b.shape) == 2 else None


def has_single(shapes: Sequence[Sequence[int]]) -> bool:
    """Whether a factor of a product is one element, which `product` leaves to a multiplication."""
    return any(math.prod(s) == 1 for s in shapes[:2])


def _matmul_text(v: Call) -> Text:
    if joined(*v.shapes):
        rows = (-1, v.shapes[0][-1])
        return "({}.reshape({rows}) @ {}).reshape({full})", {"rows": rows, "full": v.shape}
    if any(len(s) != 2 for s in v.shapes):
        return "{} @ {}" if v.by_rows(0) and v.by_rows(1) else "np.matmul({}, {}, order='C')"
    return "{} * {}" if has_single(v.shapes) else "np.dot({}, {})"


def _cross(a: Any, b: Any, dim: int) -> Any:
    return np.ascontiguousarray(np.cross(a, b, axis=dim))


def _cross_text(v: Call) -> Text:
    text = "np.cross({}, {}, axis={dim})"
    return text if v.params["dim"] == len(v.shape) - 1 else f"np.ascontiguousarray({text})"


# fmt: off
matmul = Op("matmul", product, "a b", lambda g, b: times(g, b.mT), lambda g, a: times(a.mT, g),
             costs=lambda y, a, b: math.prod(y) * a[-1], order="C", apart=clone, text=_matmul_text,
            into=_matmul_into, numba=_matmul_numba, grad_fn=names.of_matmul, complex="analytic", batch="product")
cross: Op = Op("cross", _cross, "a b; dim",
               lambda g, b, dim: cross(b, g, dim=dim), lambda g, a, dim: cross(g, a, dim=dim),
               cast="number", order="C",
               text=_cross_text, grad_fn="LinalgCrossBackward0", complex="analytic", reads="cross", batch="dims")
dot    = Op("dot",    np.dot,    "a b", lambda g, b: g * b,    lambda g, a: g * a, order="C", complex="analytic",
            batch="dot")
# fmt: on

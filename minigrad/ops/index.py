"""Indexing with arrays. ``pattern`` says for each leading dimension whether an index array stands there."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import buffers
from minigrad.core.op import Array, Op
from minigrad.core.tensor import wrap
from minigrad.core.text import Call, Plain, Text
from minigrad.dtypes import I64
from minigrad.kernels import scatter as k
from minigrad.kernels.scatter import add_to_rows
from minigrad.kernels.sums import copied
from minigrad.ops.buffered import LARGE, kept
from minigrad.ops.elementwise import where
from minigrad.ops.printing import plain
from minigrad.ops.reads import at

Pattern = tuple[bool, ...]
Check = Callable[..., None]


def _key(indices: tuple[Array, ...], pattern: Pattern) -> tuple[Any, ...]:
    todo = iter(indices)
    return tuple(next(todo) if here else slice(None) for here in pattern)


def _index(x: Array, *indices: Array, pattern: Pattern) -> Any:
    if pattern == (True,) and indices[0].dtype is I64 and x.flags.c_contiguous:
        return x.take(indices[0].astype(np.intp, copy=False), 0)  # in a quarter of the time
    if False not in pattern and 0 not in x.strides:
        return x[indices]
    if len(indices) == 1 and pattern[-1] and indices[0].dtype != bool:
        return np.take(x, indices[0].astype(np.intp, copy=False), axis=len(pattern) - 1)
    return np.ascontiguousarray(x[_key(indices, pattern)])  # NumPy lays the indexed dimensions outside


def _unindex(g: Array, *indices: Array, shape: tuple[int, ...], pattern: Pattern) -> Array:
    out = np.zeros(shape, g.dtype)
    key = _key(indices, pattern)
    if all(i.dtype == bool for i in indices):
        out[key] = g  # a mask names each element once
        return out
    numbers = _row_numbers(indices, shape, pattern)
    if numbers is not None and numbers.size and g.size:
        width = math.prod(shape[len(pattern) :])
        add_to_rows(out.reshape(-1, width), numbers, g.reshape(-1, width), zeros=True)
    else:
        np.add.at(out, key, g)
    return out


def _row_numbers(indices: tuple[Array, ...], shape: tuple[int, ...], pattern: Pattern) -> Any:
    """The elements that index arrays name, counted through the dimensions up to the last of these.

    None where a dimension between them has none, and where an index is a mask or out of range.
    """
    before = len(pattern) - len(indices)
    if any(pattern[:before]):
        return None
    numbers: Any = 0
    for index, n in zip(indices, shape[before:], strict=False):
        if index.dtype.kind != "i" or not index.size or index.min() < -n or index.max() >= n:
            return None
        numbers = numbers * n + np.where(index < 0, index + n, index)
    numbers = numbers.reshape(-1)
    if before:
        rest = math.prod(shape[before : len(pattern)])
        numbers = (np.arange(math.prod(shape[:before]))[:, None] * rest + numbers).reshape(-1)
    return numbers


def _index_put(x: Array, v: Array, *indices: Array, pattern: Pattern) -> Array:
    out = copied(np.asarray(x))  # a gradient without dimensions may be a number of NumPy
    out[_key(indices, pattern)] = v
    return out


def _index_winners(x: Array, *indices: Array, pattern: Pattern) -> Any:
    """Which of the written elements stay: where an index repeats, only the last write does."""
    key = _key(indices, pattern)
    written = np.zeros(x.shape, np.int64)
    numbers = np.arange(written[key].size).reshape(written[key].shape)
    written[key] = numbers
    return np.equal(written[key], numbers)


def quick(dim: int | None = None) -> Callable[[Check], Check]:
    """A check of an index along a dimension, ``dim`` or its parameter, that looks for what is wrong where some are."""

    def made(check: Check) -> Check:
        @functools.wraps(check)
        def run(x: Array, index: Array, **params: Any) -> None:
            d = params["dim"] if dim is None else dim
            if not k.all_below(index, x.shape[d] if x.ndim else 1):
                check(x, index, **params)

        return run

    return made


@quick()
def _in_range(x: Array, index: Array, dim: int) -> None:
    size = x.shape[dim] if x.ndim else 1
    wrong = index[(index < 0) | (index >= size)]
    if wrong.size:
        raise RuntimeError(f"index {wrong[0]} is out of bounds for dimension {dim} with size {size}")


def _masked(x: Any, *indices: Any, **params: Any) -> str:
    what = "indexing with a mask (for y[mask] *= 2 write y = where(mask, y * 2, y))"
    return what if any(np.result_type(i).kind == "b" for i in indices) else ""


def _masked_put(x: Any, v: Any, *indices: Any, pattern: Pattern) -> str:
    # To how many places one value is written does not matter.
    own = max(0, np.ndim(v) - np.ndim(x) + np.ndim(indices[0])) if all(pattern) else np.ndim(v)
    one = not np.ndim(v) or (len(indices) == 1 and np.shape(v)[:own] in ((), (1,)))
    return "" if one else _masked(x, *indices)


def _gather(x: Array, index: Array, dim: int) -> Array:
    return k.gather(x, index, dim, None if index.size < LARGE else buffers.empty(index.shape, x.dtype))


def _index_text(v: Call) -> Text:
    pattern = v.params["pattern"]
    if len(v.shapes) == 2 and not all(pattern) and v.dtypes[1].kind != "b" and 0 not in v.shapes[0]:
        # NumPy takes no int64 here where its own integer has 32 bits, and checks no index without elements.
        index = "{}" if np.dtype(np.intp) == np.int64 else "{}.astype(np.intp)"
        return f"np.take({{}}, {index}, axis={{d}})", {"d": len(pattern) - 1}
    text = f"{{}}[{', '.join('{}' if here else ':' for here in pattern)}]"
    if not all(pattern):
        return f"np.ascontiguousarray({text})"
    # NumPy's numbers, unlike arrays of one number, would give a view.
    return text if any(v.shapes[1:]) else f"np.array({text})"


def _of_many(c: Any) -> Any:
    """How many elements are indexed at once: where each has indices of its own, its number is one more of them."""
    pattern, into = c.params["pattern"], {}
    if "shape" in c.params:
        into = {"shape": (c.size, *c.params["shape"])}
    first = pattern.index(True)
    if not all(pattern[first:]):  # NumPy puts the indexed dimensions first
        return c.one_by_one()
    if not any(c.mapped[1:]):
        return c(c.operands, pattern=(False, *pattern), **into)
    if first:
        return c.one_by_one()
    rank = max(map(len, c.shapes[1:]))
    indices = c.lined_up(rank)[1:]
    if not c.mapped[0] and not into:
        return c([c.operands[0], *indices])
    numbers = wrap(np.arange(c.size).reshape(-1, *[1] * rank))
    return c([c.spread()[0], numbers, *indices], pattern=(True, *pattern), **into)


# fmt: off
index = Op("index", _index, "x *indices; pattern",
           lambda g, x_shape, indices, pattern: unindex(g, *indices, shape=x_shape, pattern=pattern), None,
           order="K", text=_index_text,
           raises=True, depends=_masked, complex="analytic", reads=at("x"), usual={"pattern": ...}, batch=_of_many)
unindex: Op = Op("unindex", _unindex, "g *indices; shape pattern",
             lambda g, indices, pattern: index(g, *indices, pattern=pattern), None, order="C",
                 text=Plain(_unindex, "g, *index", plain("unindex"), True),
                 raises=True, depends=_masked, complex="analytic", reads=at("zeros", "add(g, into={})"), batch=_of_many)
index_put: Op = Op("index_put", _index_put, "x v *indices; pattern",
               lambda g, indices, pattern: index_put(g, 0.0, *indices, pattern=pattern),
               lambda g, indices, pattern: where(
                   index_winners(g, *indices, pattern=pattern), index(g, *indices, pattern=pattern), 0.0),
               None, order="K", text=Plain(_index_put, "x, v, *index", plain("index_put"), True),
                   raises=True, depends=_masked_put, complex="analytic",
               reads=at("x", "put(v, into={})"), derives={"v": at("g", "{}; 0 for what was put over")})
index_winners: Op = Op("index_winners", _index_winners, "x *indices; pattern", order="K",
                   text=Plain(_index_winners, "x, *index", plain("index_winners"), True),
                   raises=True, depends=_masked, complex="analytic", usual={"pattern": ...})
gather = Op("gather", _gather, "x index; dim",
            lambda g, x_shape, index, dim: ungather(g, index, shape=x_shape, dim=dim), None, order="C",
            check=_in_range, text=Plain(k.gather, "x, index", plain("gather")), complex="analytic",
            reads="gather(x, {dim}, index)", batch="dims")
ungather: Op = Op("ungather", kept(k.ungather), "g index; shape dim",
                  lambda g, index, dim: gather(g, index, dim=dim), None, order="C",
                  raises=True, text=Plain(k.ungather, "g, index", plain("ungather")), complex="analytic",
                  reads="scatter_add(zeros{shape}, {dim}, index, g)", batch="dims")
# fmt: on

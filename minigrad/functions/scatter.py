"""Writing by index, under PyTorch's names. An index out of range raises, a shape that does not fit RuntimeError."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.apply import apply, cast, fails_by_values, single
from minigrad.core.mode import MODE
from minigrad.core.promote import held
from minigrad.core.tensor import Tensor
from minigrad.core.types import Number
from minigrad.dtypes import scalar
from minigrad.errors import index_error, runtime_error, type_error, warn_once
from minigrad.functions.dims import one_dim
from minigrad.functions.elementwise import broadcast, filling, own
from minigrad.functions.ensured import everywhere
from minigrad.gate import public
from minigrad.ops import index as i
from minigrad.ops import scatter as ops

__all__ = [
    "index_add", "index_copy", "index_fill", "index_reduce", "masked_scatter", "put", "scatter", "scatter_add",
    "scatter_reduce",
]  # fmt: skip


def scatter(
    input: Tensor, dim: int, index: Tensor, src: Tensor | Number | None = None, *, reduce: str | None = None,
    value: Number | None = None,
) -> Tensor:  # fmt: skip
    """A copy with ``out[i][index[i][j]] = src[i][j]`` for dim 1, and so for others; ``src`` may be a number.

    Where an index repeats, the last write stays, and only that one gets a gradient. ``reduce`` may be ``"add"`` or
    ``"multiply"``.
    """
    src = value if src is None else src
    if src is None:
        raise type_error("scatter(): give src, a Tensor or a number")
    if reduce not in (None, "add", "multiply"):
        raise runtime_error("reduce argument must be either add or multiply.")
    if reduce is not None and isinstance(src, Tensor):
        warn_once(
            "The reduce argument of scatter with Tensor src is deprecated and will be removed in a future PyTorch "
            "release. Use scatter_reduce instead for more reduction options."
        )
    d = one_dim(dim, input._array.ndim)
    if isinstance(src, Tensor) and (src._array.ndim or not index._array.ndim):
        src = _source("scatter", input, d, index, src)
    elif reduce is not None or isinstance(src, Tensor):
        src = (src if isinstance(src, Tensor) else single(src, input._array.dtype)).expand(index._array.shape)
        _source("scatter", input, d, index, src)
    else:
        _source("scatter", input, d, index, None)
        src = single(src, input._array.dtype)
    if not index._array.size:
        return _unwritten(input, src)
    op = {None: ops.scatter, "add": ops.scatter_add, "multiply": ops.scatter_product}[reduce]
    return apply(op, (input, src, index), {"dim": d})


def _source(name: str, input: Tensor, d: int, index: Tensor, src: Tensor | None) -> Any:
    """The part of ``src`` that is written. RuntimeError where shapes or element types do not fit."""
    a, k = input._array, index._array
    if k.size and (k.dtype.kind != "i" or k.dtype.itemsize < 4):
        raise runtime_error(f"{name}(): Expected dtype int64 for index")
    if src is not None and src._array.dtype != a.dtype:
        raise runtime_error(f"{name}(): Expected self.dtype to be equal to src.dtype")
    if not k.size:
        return src
    s = k if src is None else src._array
    if not max(a.ndim, 1) == max(k.ndim, 1) == max(s.ndim, 1):
        raise runtime_error(
            "Index tensor must have the same number of dimensions as "
            + ("self tensor" if max(a.ndim, 1) != max(k.ndim, 1) else "src tensor")
            + f": self {list(a.shape)}, index {list(k.shape)}, src {list(s.shape)}"
        )
    sizes = [t.shape or (1,) for t in (a, k, s)]
    for n, (own_size, size, there) in enumerate(zip(*sizes, strict=True)):
        if (n != d and size > own_size) or size > there:
            raise runtime_error(
                f"Expected index {list(k.shape)} to be no larger than self {list(a.shape)} apart from dimension {d}"
                f" and to be no larger size than src {list(s.shape)}"
            )
    if src is None or s.shape == k.shape:
        return src
    return src[tuple(slice(n) for n in k.shape)] if k.ndim and s.ndim else src.reshape(k.shape)


def _unwritten(input: Tensor, src: Any) -> Tensor:
    """A copy of the input, row by row; nothing of ``src`` is written, so its gradient is 0."""
    return (input + src.reshape(-1)[:0].sum() if src.requires_grad else input.clone()).contiguous()


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy with ``out[i][index[i][j]] += src[i][j]`` for dim 1, and so for others."""
    d = one_dim(dim, input._array.ndim)
    src = _source("scatter_add", input, d, index, src)
    return (
        apply(ops.scatter_add, (input, src, index), {"dim": d})
        if index._array.size
        else _unwritten(input, src)
    )


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """For each place the ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"`` of what ``src`` has for it.

    What is there counts too, unless ``include_self`` is False. Equal extremes share the gradient.
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise runtime_error(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    d = one_dim(dim, input._array.ndim)
    src = _source("scatter_reduce", input, d, index, src)
    return _reduced(input, d, index, src, reduce, include_self)


def _reduced(input: Tensor, d: int, index: Tensor, src: Tensor, reduce: str, include_self: bool) -> Tensor:
    if not index._array.size:
        return _unwritten(input, src)
    at = {"dim": d}
    kind = input._array.dtype
    base = input
    if not include_self:
        least: Any = {"prod": 1, "sum": 0, "mean": 0}.get(reduce)
        if least is None:
            info: Any = np.iinfo(kind) if kind.kind in "iu" else None
            if kind.kind in "fV":
                least = -np.inf if reduce == "amax" else np.inf
            else:
                least = (reduce == "amin") if info is None else info.min if reduce == "amax" else info.max
        base = apply(ops.scatter, (input, single(least, kind), index), at)
    if reduce in ("sum", "mean"):
        y = apply(ops.scatter_add, (base, src, index), at)
        if reduce == "sum":
            return y
        ones = single(1, np.dtype(np.int64)).expand(index._array.shape)
        first = single(int(include_self), np.dtype(np.int64)).expand(input._array.shape)
        count = apply(ops.scatter_add, (first, ones, index), at).clamp(min=1)
        return y / cast(count, kind) if kind.kind in "fV" else y.div(cast(count, kind), rounding_mode="floor")
    if reduce == "prod":
        return apply(ops.scatter_product, (base, src, index), at)
    return apply(ops.scatter_extreme, (base, src, index), {"dim": d, "largest": reduce == "amax"})


# ---------------------------------------------------------------- slices


def _slices(name: str, input: Tensor, dim: int, index: Tensor, source: Tensor | None) -> tuple[int, Tensor]:
    """The dimension, and the index as a vector. Errors where they or the source do not fit."""
    d = one_dim(dim, input._array.ndim)
    k = index._array
    if k.ndim > 1:
        raise index_error(f"{name}(): Index is supposed to be a vector, but got dim: {k.ndim}")
    long = name in ("index_copy", "index_fill")
    if k.dtype.kind != "i" or k.dtype.itemsize < (8 if long else 4):
        raise (index_error if name == "index_fill" else runtime_error)(
            f"{name}(): Expected dtype {'int64' if long else 'int32/int64'} for index, got {index.dtype}; use .long()"
        )
    size = input._array.shape[d] if input._array.ndim else 1
    if k.size and (k.min() < (-size if name == "index_fill" else 0) or k.max() >= size):
        wrong = k.min() if k.min() < 0 else k.max()
        fails_by_values(f"{name}()")
        kind = runtime_error if name == "index_add" and input._array.ndim > 1 else index_error
        raise kind(f"{name}(): index {wrong} is out of bounds for dimension {d} with size {size}")
    if source is not None:
        s = source._array
        if s.dtype != input._array.dtype:
            raise runtime_error(
                f"{name}(): self ({input.dtype}) and source ({source.dtype}) must have the same scalar type"
            )
        if name == "index_copy" and s.ndim != (ndim := input._array.ndim) and s.ndim and ndim:
            raise index_error(
                "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
                f"dimensionality ({s.ndim}), destination dimensionality ({ndim})"
            )
        there = s.shape[d] if s.ndim > d else 1
        rest = [t.shape[:d] + t.shape[d + 1 :] for t in (input._array, s)]
        other = rest[0] != rest[1] or (name != "index_copy" and s.ndim != input._array.ndim)
        if there != k.size or other:
            raise (index_error if name == "index_copy" and not other else runtime_error)(
                f"{name}(): Number of indices ({k.size}) should be equal to source.size(dim) ({there}), and the other "
                f"sizes those of self {list(input._array.shape)}; source has {list(s.shape)}"
            )
    return d, index if k.ndim else index.reshape(1)


def _in_slices(input: Tensor, d: int) -> tuple[Any, tuple[int, ...], tuple[bool, ...]]:
    """The input with a dimension at least, its shape, and the pattern of an index at ``d``."""
    line = input if input._array.ndim else input.reshape(1)
    return line, line._array.shape, (*(False,) * d, True)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    """A copy with ``alpha`` times the slices of ``source`` added to those that ``index`` (a vector) names."""
    d, index = _slices("index_add", input, dim, index, source)
    line, *_ = _in_slices(input, d)
    part = source if source._array.ndim else source.reshape(1)
    if not (alpha.__class__ is int and alpha == 1):
        part = part * held(alpha, part._array.dtype)
    total = apply(ops.index_add, (line, part, index), {"dim": d})
    return total if input._array.ndim else own(total.reshape(()))


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy with the slices of ``source`` in place of those that ``index`` (a vector) names."""
    d, index = _slices("index_copy", input, dim, index, source)
    if MODE.get().recorder is not None:
        everywhere(index >= 0)
    line, _, pattern = _in_slices(input, d)
    part = source if source._array.ndim else source.reshape(1)
    y = apply(i.index_put, (line, part, index), {"pattern": pattern}).contiguous()
    return y if input._array.ndim else own(y.reshape(()))


def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """A copy with ``value`` (a number or a 0-d Tensor) in the slices that ``index`` (a vector) names."""
    if isinstance(value, Tensor) and value._array.ndim:
        raise runtime_error(
            f"index_fill only supports a 0-dimensional value tensor, but got tensor with {value._array.ndim} "
            "dimension(s)."
        )
    d, index = _slices("index_fill", input, dim, index, None)
    line, _, pattern = _in_slices(input, d)
    kind = input._array.dtype
    written = filling(value, kind) if isinstance(value, Tensor) else single(value, kind)
    y = apply(i.index_put, (line, written, index), {"pattern": pattern})
    return y if input._array.ndim else own(y.reshape(()))


def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """`scatter_reduce` of the slices that ``index`` (a vector) names; there is no ``"sum"``."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise runtime_error(
            f"index_reduce(): expected reduce to be one of prod, mean, amax or amin but got {reduce}."
        )
    d, index = _slices("index_reduce", input, dim, index, source)
    rows = cast(index, np.dtype(np.int64)).reshape([-1, *(1,) * (max(input._array.ndim, 1) - d - 1)])
    rows = rows.expand(source._array.shape or (1,))
    if not input._array.ndim:
        rows = rows.reshape(source._array.shape)
    return _reduced(input, d, rows, source, reduce, include_self)


# ---------------------------------------------------------------- masks and flat places


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy with the first elements of ``source``, one after the other, where ``mask`` (bool) holds."""
    if mask._array.dtype != bool:
        raise runtime_error(f"masked_scatter: expected BoolTensor for mask, got {mask.dtype}")
    if source._array.dtype != input._array.dtype:
        raise runtime_error(
            f"masked_scatter: expected self and source to have same dtypes but got {input.dtype} and {source.dtype}"
        )
    both = broadcast("masked_scatter", input._array.shape, mask._array.shape)
    return apply(ops.masked_scatter, (input.expand(both), mask, source))


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with ``source`` written to (with ``accumulate`` added to) the flattened places of ``index``."""
    if index._array.dtype != np.int64:
        raise runtime_error(f"put_(): Expected a long tensor for index, but got {scalar(index.dtype)}")
    if source._array.dtype != input._array.dtype:
        raise runtime_error(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {input.dtype} and "
            f"source.dtype = {source.dtype}"
        )
    if source._array.size != index._array.size:
        raise index_error(
            f"put_(): Expected source and index to have the same number of elements, but got {source._array.size} and "
            f"{index._array.size}"
        )
    flat = input.reshape(-1).index_put((index.reshape(-1),), source.reshape(-1), accumulate)
    return own(flat.reshape(input._array.shape))


METHODS = """
    index_add index_add_ index_copy index_copy_ index_fill index_fill_ index_reduce index_reduce_ masked_scatter
    masked_scatter_ put put_ scatter scatter_ scatter_add scatter_add_ scatter_reduce scatter_reduce_
"""
public(globals(), __all__, home="minigrad")

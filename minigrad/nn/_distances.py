"""Norms of rows and distances between them, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minigrad.core.apply import cast
from minigrad.dtypes import common
from minigrad.errors import runtime_error
from minigrad.functions.activations import bounded_below
from minigrad.functions.elementwise import broadcast, clamp_min, where
from minigrad.gate import public
from minigrad.gate.out import into
from minigrad.tensor import Tensor

__all__ = ["cosine_similarity", "normalize", "pairwise_distance"]


def _norm(x: Tensor, p: float, along: int | Sequence[int], keepdim: bool) -> Tensor:
    """The p-norm along a dimension; its gradient is 0 where it is 0."""
    dim = along if isinstance(along, int) else tuple(along)
    if p == 2:
        # not those of sizes, which have no slope at 0
        squares = ((x * x.conj()).real if x.is_complex() else x.square()).sum(dim, keepdim)
        zero = squares.eq(0)
        return where(zero, squares, where(zero, 1.0, squares).sqrt())
    x = x.abs() if x.is_complex() else x
    size: Tensor = x.abs()
    if p == 1:
        return size.sum(dim, keepdim)
    if p == math.inf:
        return size.amax(dim, keepdim)
    if p == -math.inf:
        return size.amin(dim, keepdim)
    if p == 0:
        return cast(x.ne(0), x._array.dtype).sum(dim, keepdim)
    zero = size.eq(0)
    powers = where(zero, 0.0 if p > 0 else math.inf, where(zero, 1.0, size) ** p).sum(dim, keepdim)
    zero = powers.eq(0)
    return where(zero, powers, where(zero, 1.0, powers) ** (1.0 / p))


def normalize(
    input: Tensor, p: float = 2.0, dim: int | Sequence[int] = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """``input`` over its p-norm along ``dim``, which counts as ``eps`` at least."""
    if input._array.dtype.kind not in "fcV":
        raise runtime_error(
            f"normalize(): Expected a floating point tensor as input. Got {input.dtype}; use .float() first"
        )
    y: Tensor = input / clamp_min(_norm(input, p, dim, True), eps)
    return y if out is None else into("normalize", y, out)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension."""
    return _norm(x1 - x2 + eps, p, -1, keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """``sum(x1 * x2) / (|x1| * |x2|)`` along ``dim``, each norm at least ``eps``."""
    kind = common([x1._array, x2._array])
    if kind.kind not in "fV":
        raise runtime_error(f"expected common dtype to be floating point, yet common dtype is {kind}")
    x1, x2 = (x if x._array.dtype == kind else cast(x, kind) for x in (x1, x2))
    shape = broadcast("cosine_similarity", x1._array.shape, x2._array.shape)
    x1, x2 = (x if x._array.shape == shape else x.expand(shape) for x in (x1, x2))
    lengths = [bounded_below(_norm(x, 2, dim, True), eps) for x in (x1, x2)]
    y: Tensor = (x1 / lengths[0]) * (x2 / lengths[1])
    return y.sum(dim)


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

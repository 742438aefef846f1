"""Norms of rows and distances between them, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.core.apply import cast
from minigrad.dtypes import common
from minigrad.errors import runtime_error
from minigrad.functions.activations import bounded_below
from minigrad.functions.dims import all_dims
from minigrad.functions.elementwise import broadcast, clamp_min
from minigrad.functions.lengths import length
from minigrad.gate import public
from minigrad.gate.out import into
from minigrad.tensor import Tensor

__all__ = ["cosine_similarity", "normalize", "pairwise_distance"]


def normalize(
    input: Tensor, p: float = 2.0, dim: int | Sequence[int] = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """``input`` over its p-norm along ``dim``, which counts as ``eps`` at least; of the shape of ``input``.

    RuntimeError for integers and bools.
    """
    if input._array.dtype.kind not in "fcV":
        raise runtime_error(
            f"normalize(): Expected a floating point tensor as input. Got {input.dtype}; use .float() first"
        )
    y: Tensor = input / clamp_min(length(input, p, all_dims(dim, input._array.ndim), True), eps)
    return y if out is None else into("normalize", y, out)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension, which ``keepdim`` keeps with size 1."""
    x = x1 - x2 + eps
    return length(x, p, all_dims(-1, x._array.ndim), keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """``sum(x1 * x2) / (|x1| * |x2|)`` along ``dim``, each norm at least ``eps``; the operands broadcast.

    RuntimeError unless one of them is of floats.
    """
    kind = common([x1._array, x2._array])
    if kind.kind not in "fV":
        raise runtime_error(f"expected common dtype to be floating point, yet common dtype is {kind}")
    # as in PyTorch, floats of another type keep it: the norm of a half is one too
    x1, x2 = (x if x._array.dtype.kind in "fV" else cast(x, kind) for x in (x1, x2))
    shape = broadcast("cosine_similarity", x1._array.shape, x2._array.shape)
    x1, x2 = (x if x._array.shape == shape else x.expand(shape) for x in (x1, x2))
    lengths = [bounded_below(length(x, 2, all_dims(dim, len(shape)), True), eps) for x in (x1, x2)]
    y: Tensor = (x1 / lengths[0]) * (x2 / lengths[1])
    return y.sum(dim)


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

"""Bags of rows of a table, and products of two inputs, as `minigrad.nn.functional` offers them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core.apply import needs_value
from minigrad.core.tensor import wrap
from minigrad.errors import not_implemented_error, runtime_error, type_error, value_error
from minigrad.functions.activations import bag_sums
from minigrad.functions.creation import full
from minigrad.functions.elementwise import where
from minigrad.functions.parts import cat
from minigrad.gate import public
from minigrad.nn._activations import embedding
from minigrad.tensor import Tensor

__all__ = ["bilinear", "embedding_bag"]


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input1 @ weight[k] @ input2`` for each k: (..., in1), (..., in2), weight (out, in1, in2), to (..., out).

    RuntimeError for sizes that do not fit.
    """
    a, b, w = input1._array.shape, input2._array.shape, weight._array.shape
    if len(a) != len(b):
        raise runtime_error(f"bilinear(): input dimensions do not match: got {list(a)} and {list(b)}")
    if a[:-1] != b[:-1]:
        raise runtime_error(f"bilinear(): input batch dimensions do not match: got {list(a)} and {list(b)}")
    for k, shape in enumerate((a, b), 1):
        if len(w) != 3 or shape[-1] != w[k]:
            raise runtime_error(
                f"bilinear(): input{k} size does not match weight size: got {list(shape)} but expected "
                f"[..., {w[k] if len(w) == 3 else '?'}] for a weight {list(w)}"
            )
    if bias is not None and bias._array.shape != w[:1]:
        raise runtime_error(
            f"bilinear(): bias size does not match weight size: got {list(bias._array.shape)} but expected {w[0]}"
        )
    rows = math.prod(a[:-1])
    products = input1.reshape(rows, a[-1]) @ weight.permute(1, 0, 2).reshape(w[1], w[0] * w[2])
    y = (products.reshape(rows, w[0], w[2]) @ input2.reshape(rows, w[2], 1)).reshape(*a[:-1], w[0])
    return y if bias is None else y + bias


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The mean, sum or maximum, by ``mode``, of bags of rows of ``weight`` (rows, width): (bags, width).

    ``input`` (bags, n) names the rows of bags of one size; or it is (n), and ``offsets`` (bags) tells where each bag
    begins, with ``include_last_offset`` also where the last one ends. An empty bag is 0. Row ``padding_idx`` is in
    no bag. ``per_sample_weights``, of the shape of ``input``, multiply rows in a sum. The other arguments are those
    of :func:`embedding`. ValueError or RuntimeError for shapes that do not fit.
    """
    scaled = per_sample_weights
    if scaled is not None and scaled._array.shape != input._array.shape:
        raise value_error(
            f"embedding_bag: If per_sample_weights ({scaled.shape}) is not None, then it must have the same shape as "
            f"the input ({input.shape})"
        )
    if weight.dim() != 2:
        raise value_error(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    starts, flat = _starts(input, offsets, include_last_offset)
    if mode not in ("sum", "mean", "max"):
        raise value_error("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise value_error("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise value_error("max mode does not support sparse weights")
    if scaled is not None and mode != "sum":
        raise not_implemented_error(
            f"embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}')"
        )
    if weight._array.dtype.kind not in "fV":
        raise runtime_error(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, Float, Double; "
            f"but got {weight.dtype} instead (while checking arguments for embedding_bag)"
        )
    if scaled is not None and scaled._array.dtype != weight._array.dtype:
        raise runtime_error(
            f"Expected per_sample_weights of the same type as weight, {weight.dtype}, but got {scaled.dtype}"
        )
    padding_idx = _padding(padding_idx, len(weight._array))
    if scaled is not None:
        scaled = scaled.reshape(-1).narrow(0, 0, flat._array.size)
    count, bags = len(starts), np.searchsorted(starts, np.arange(len(flat._array)), side="right") - 1
    if padding_idx is not None:
        needs_value("embedding_bag() with padding_idx")
        kept = np.nonzero(flat._array != padding_idx)[0]
        flat, bags = flat[wrap(kept)], bags[kept]
        scaled = None if scaled is None else scaled[wrap(kept)]
    try:
        rows = embedding(flat, weight, None, max_norm, norm_type, scale_grad_by_freq, sparse)
    except IndexError:  # PyTorch raises another kind here than in `embedding`
        index = flat._array
        place = int(np.argmax((index < 0) | (index >= len(weight._array))))
        raise runtime_error(
            f"Index {place} of input takes value {index[place]} which is not in the valid range "
            f"[0, {len(weight._array)})"
        ) from None
    if scaled is not None:
        rows = rows * scaled.reshape(-1, 1)
    sizes = np.bincount(bags, minlength=count)[:, None]
    if mode == "max":
        return _maxima(rows, sizes)
    total = bag_sums(rows, wrap(bags), count)
    if mode == "sum":
        return total
    return total / wrap(np.maximum(sizes, 1).astype(rows._array.dtype))


def _padding(padding_idx: Any, rows: int) -> int | None:
    """The row that is in no bag, counted from the front; None where there is none."""
    if padding_idx is None:
        return None
    if not hasattr(type(padding_idx), "__index__"):
        raise type_error(
            f"embedding_bag(): argument 'padding_idx' must be int, not {type(padding_idx).__name__}"
        )
    if not -rows <= padding_idx < rows:
        raise runtime_error(
            f"padding_idx must be within the number of embeddings, {-rows} through {rows - 1}, but got {padding_idx}"
        )
    return int(padding_idx) % rows


def _starts(input: Tensor, offsets: Tensor | None, with_last: bool) -> tuple[Any, Tensor]:
    """Where each bag begins, and the row numbers of all bags."""
    if input.dim() == 2:
        if offsets is not None:
            raise value_error(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        count, each = input._array.shape
        return np.arange(count) * each, input.reshape(-1)
    if input.dim() != 1:
        raise value_error(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if offsets is None:
        raise value_error("offsets has to be a 1D Tensor but got None")
    if offsets.dim() != 1:
        raise value_error("offsets has to be a 1D Tensor")
    if offsets._array.dtype.char not in "ilq":  # int32 and int64
        raise runtime_error(
            "Expected tensor for argument #1 'offsets' to have one of the following scalar types: Long, Int; but got "
            f"{offsets.dtype} instead (while checking arguments for embedding_bag); use .long()"
        )
    needs_value("embedding_bag() with offsets")
    starts, size = offsets._array, input._array.size
    if with_last and not starts.size:
        raise runtime_error("include_last_offset: number of offset should be at least 1")
    if starts.size and starts[0] != 0:
        raise runtime_error(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
            f"got {starts[0]}"
        )
    if starts.size and starts[-1] > size:
        raise runtime_error(
            f"offsets[-1] can not be greater than input's length({size}) but got offsets[-1] of {starts[-1]}"
        )
    if (starts[1:] < starts[:-1]).any():  # PyTorch: memory that is not the input's
        raise runtime_error(f"offsets must not decrease, got {starts.tolist()}")
    if with_last:
        return starts[:-1], input.narrow(0, 0, int(starts[-1]))
    return starts, input if starts.size else input.narrow(0, 0, 0)


def _maxima(rows: Tensor, sizes: Any) -> Tensor:
    """The maximum of each bag, whose rows follow those of the bag before; 0 of an empty one."""
    longest = max(int(sizes.max(initial=0)), 1)
    place = np.arange(longest)
    first = np.cumsum(sizes)[:, None] - sizes
    numbers = np.where(place < sizes, first + place, len(rows._array))
    lowest = full((1, rows._array.shape[1]), -math.inf, dtype=rows.dtype)
    most = cat((rows, lowest))[wrap(numbers)].max(1).values
    return where(wrap(sizes == 0), 0.0, most)


public(globals(), __all__, check="Tensors", home="minigrad.nn.functional")

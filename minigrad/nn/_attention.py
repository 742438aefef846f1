"""Attention, as `minigrad.nn.functional` offers it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core.apply import cast
from minigrad.core.tensor import wrap
from minigrad.dtypes import F32, dtype, is_short
from minigrad.errors import assertion_error, runtime_error, warn
from minigrad.functions import activations as functions
from minigrad.functions.activations import safe_softmax, softmax
from minigrad.functions.creation import zeros, zeros_like
from minigrad.functions.elementwise import where
from minigrad.functions.images import pad
from minigrad.functions.nn import linear
from minigrad.functions.parts import cat
from minigrad.gate import public
from minigrad.gate.names import LABELS, named_as
from minigrad.nn._activations import dropout
from minigrad.nn._reductions import of_shape
from minigrad.tensor import Tensor

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]

LARGE = 1 << 14  # elements of keys and values from which there are three products of one operand


# ---------------------------------------------------------------- queries, keys and values


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query @ key.mT * scale + attn_mask) @ value``: query (..., L, E), key (..., S, E), value (..., S, V).

    A bool ``attn_mask`` is True where a query may see a key; ``is_causal`` stands for one that lets each query see
    the keys up to its own place; one of numbers, of the query's dtype or float32, is added. A query that may see
    none gives zeros. ``scale`` is 1/sqrt(E) by default. Probabilities are dropped with ``dropout_p``.
    ``enable_gqa`` lets the heads (dimension -3) of query share those of key and value.
    RuntimeError for shapes that do not fit, other dtypes, and a mask beside ``is_causal``.
    """
    _check_operands(query, key, value, attn_mask, is_causal)
    kind = query._array.dtype
    if is_short(kind):  # rounded once
        x, k, v = (cast(t, F32) for t in (query, key, value))
        mask = cast(attn_mask, F32) if attn_mask is not None and attn_mask._array.dtype == kind else attn_mask
        y = scaled_dot_product_attention(x, k, v, mask, dropout_p, is_causal, scale, enable_gqa)
        return cast(y, kind)
    if enable_gqa:
        key, value = _shared("key", query, key), _shared("value", query, value)
    y = _attend(query, key, value, attn_mask, dropout_p, is_causal, scale)
    order = _order(query, key, value, attn_mask, dropout_p)
    if order == [0, 1, 2, 3] or y._array.shape != query._array.shape:
        return y
    return y.permute(order).contiguous().permute([order.index(d) for d in range(4)])


# Its records have the name of the whole, also where a module calls it.
@functools.partial(named_as, LABELS[scaled_dot_product_attention.__name__])
def _attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout_p: float, is_causal: bool,
    scale: float | None = None,
) -> Tensor:  # fmt: skip
    if scale is None:
        scale = 1.0 / math.sqrt(query._array.shape[-1] or math.inf)
    scores = (query * scale) @ key.mT
    if is_causal:
        seen = _seen if math.prod(sizes := scores._array.shape[-2:]) <= LARGE else _seen.__wrapped__
        scores = where(wrap(seen(*sizes)), scores, -math.inf)
    elif mask is not None:
        bits = mask._array.dtype == bool
        masked = where(mask, scores, -math.inf) if bits else scores + mask
        scores = of_shape("scaled_dot_product_attention", scores, masked)
    p = softmax(scores, -1) if mask is None else safe_softmax(scores, -1)
    return (functions.dropout(p, dropout_p, True) if dropout_p > 0.0 else p) @ value


@functools.lru_cache(maxsize=16)
def _seen(queries: int, keys: int) -> Any:
    """Which keys each query may see; nothing writes to it."""
    return np.tri(queries, keys, dtype=bool)


def _order(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float) -> list[int]:
    """The order of the result's dimensions in memory: that of the query where PyTorch has one kernel for all of it.

    So heads that were split off by a view are put together by one, ``y.transpose(1, 2).view(batch, rows, -1)``.
    """
    arrays = q._array, k._array, v._array
    strides, shape = arrays[0].strides, arrays[0].shape
    if dropout_p or (mask is not None and (mask.requires_grad or mask.dim() not in (2, 4))):
        return [0, 1, 2, 3]
    for a in arrays:
        same = a.ndim == 4 and a.shape[:2] == shape[:2] and a.shape[3] == shape[3]
        if not same or a.strides[3] != a.itemsize or 0 in strides:
            return [0, 1, 2, 3]
    return sorted(range(4), key=strides.__getitem__, reverse=True)


def _check_operands(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, is_causal: bool) -> None:
    a, b, c = q._array, k._array, v._array
    kind = a.dtype
    if not (b.dtype == kind == c.dtype):
        raise runtime_error(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{q.dtype} key.dtype: {k.dtype} and value.dtype: {v.dtype} instead."
        )
    if a.ndim < 2 or b.ndim < 2 or c.ndim < 2:
        raise runtime_error(
            "Expected query, key, and value to all be at least 2 dimensional, but got query.dim(): "
            f"{q.dim()}, key.dim(): {k.dim()} and value.dim(): {v.dim()} instead."
        )
    if kind.kind not in "fV":
        raise runtime_error(
            f"scaled_dot_product_attention: expected a floating dtype, got {q.dtype}; use .float()"
        )
    if mask is None:
        return
    if is_causal:
        raise runtime_error(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
        )
    if mask._array.dtype not in (bool, F32, kind):
        raise runtime_error(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{mask.dtype} and query.dtype: {q.dtype} instead."
        )


def _shared(name: str, query: Tensor, x: Tensor) -> Tensor:
    """The heads of keys or values, each as often as there are queries for it."""
    if min(query.dim(), x.dim()) < 3:
        raise runtime_error(
            f"enable_gqa expects heads in dimension -3 of query and {name}, got {list(query._array.shape)} and "
            f"{list(x._array.shape)}"
        )
    heads, own = query._array.shape[-3], x._array.shape[-3]
    if not own or heads % own:
        raise runtime_error(
            "Number of heads in key and value must divide the number of heads in query, but got "
            f"{name} with {own} and query with {heads}"
        )
    if heads == own:
        return x
    *batch, _, rows, width = x._array.shape
    return x.unsqueeze(-3).expand(*batch, own, heads // own, rows, width).reshape(*batch, heads, rows, width)


# ---------------------------------------------------------------- several heads


def _canonical_mask(
    mask: Tensor | None, mask_name: str, other_type: dtype | None, other_name: str, target_type: dtype,
    check_other: bool = True,
) -> Tensor | None:  # fmt: skip
    """A mask of numbers to add to scores: -inf where a bool one is True. Warns of masks of two kinds."""
    if mask is None:
        return None
    array = mask._array
    if array.dtype != bool and array.dtype.kind not in "fV":
        raise assertion_error(f"only bool and floating types of {mask_name} are supported, got {mask.dtype}")
    if check_other and other_type is not None and other_type != array.dtype:
        warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for both instead."
        )
    if array.dtype != bool:
        return mask
    return zeros_like(mask, dtype=target_type).masked_fill(mask, -math.inf)


def as_floats(padding: Tensor | None, mask: Tensor | None, name: str, like: Tensor) -> tuple[Any, Any]:
    """Both masks of a layer of a transformer, as numbers to add to scores."""
    kind = _none_or_dtype(mask)
    padding = _canonical_mask(padding, "src_key_padding_mask", kind, name, like.dtype)
    return padding, _canonical_mask(mask, name, None, "", like.dtype)


def _none_or_dtype(input: Tensor | None) -> dtype | None:
    """The dtype of a Tensor, None of None."""
    if input is not None and not isinstance(input, Tensor):
        raise runtime_error(f"input to _none_or_dtype() must be None or a Tensor, got {type(input).__name__}")
    return None if input is None else input.dtype


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What :class:`minigrad.nn.MultiheadAttention` computes, with its parameters as arguments.

    Query (L, N, E), key and value (S, N, E), or all without N. Returns (L, N, E), and with ``need_weights`` the
    probabilities (N, L, S), by head (N, heads, L, S) unless they are averaged. RuntimeError for shapes that do not fit.
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = each_once(lambda x: x.unsqueeze(1), query, key, value)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    steps, batch, width = query._array.shape
    if width != embed_dim_to_check:
        raise runtime_error(f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    if width % num_heads:
        raise runtime_error(f"embed_dim {width} not divisible by num_heads {num_heads}")
    padding = _canonical_mask(
        key_padding_mask, "key_padding_mask", _none_or_dtype(attn_mask), "attn_mask", query.dtype
    )
    if is_causal and attn_mask is None:
        raise runtime_error(
            "Need attn_mask if specifying the is_causal hint. Transformer.generate_square_subsequent_mask makes one"
        )
    causal = is_causal and padding is None and not need_weights
    mask = None if causal else _canonical_mask(attn_mask, "attn_mask", None, "", query.dtype)
    length = len(key._array)
    plain = not (
        need_weights or add_zero_attn or any(t is not None for t in (bias_k, bias_v, static_k, static_v))
    )
    # What lies in memory batch by batch stays so: else each product would begin with a copy of its operands.
    alike = key._array.shape == value._array.shape
    turned = plain and alike and all(_lies_turned(x._array) for x in (query, key, value))
    if turned:
        query, key, value = each_once(lambda x: x.transpose(0, 1), query, key, value)
    cut: Any = _side_by_side
    if plain:
        cut = functools.partial(_by_heads, heads=num_heads, order=(0, 2, 1, 3) if turned else (1, 2, 0, 3))
    if use_separate_proj_weight:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        q, k, v = (cut(x, 1)[0] for x in _projected_apart(query, key, value, weights, in_proj_bias))
    else:
        q, k, v = _projected(query, key, value, in_proj_weight, in_proj_bias, cut)
    mask = _checked_mask(mask, batch, num_heads, steps, length)
    dropped = dropout_p if training else 0.0
    if plain:
        y = _attended(q, k, v, _merged(mask, padding, batch, num_heads, length), dropped, causal)
        y = linear(y, out_proj_weight, out_proj_bias)
        return (y if batched else y.squeeze(1)), None
    more = 0  # keys beside those of the sequence
    if bias_k is not None or bias_v is not None:
        if bias_k is None or bias_v is None:
            raise runtime_error("bias_k and bias_v go together: got only one of them")
        if static_k is not None or static_v is not None:
            raise runtime_error("bias_k and bias_v cannot be added to static keys and values")
        k, v, more = cat((k, bias_k.expand(1, batch, -1))), cat((v, bias_v.expand(1, batch, -1))), 1
    q, k, v = (_heads(x, batch, num_heads) for x in (q, k, v))
    k, v = _static(k, static_k, batch * num_heads), _static(v, static_v, batch * num_heads)
    if add_zero_attn:
        zero = zeros(batch * num_heads, 1, k._array.shape[2], dtype=k.dtype)
        k, v, more = cat((k, zero), 1), cat((v, zero), 1), more + 1
    if more:
        mask, padding = (None if m is None else pad(m, (0, more)) for m in (mask, padding))
    keys = k._array.shape[1]
    mask = _merged(mask, padding, batch, num_heads, keys)
    if not need_weights:
        q, k, v = (x.reshape(batch, num_heads, *x._array.shape[1:]) for x in (q, k, v))
        y = linear(_attended(q, k, v, mask, dropped, causal), out_proj_weight, out_proj_bias)
        return (y if batched else y.squeeze(1)), None
    y, p = _weighed(q, k, v, mask, dropped)
    y = linear(y.transpose(0, 1).reshape(steps, batch, width), out_proj_weight, out_proj_bias)
    p = p.reshape(batch, num_heads, steps, keys)
    if average_attn_weights:
        p = p.mean(1)
    return (y, p) if batched else (y.squeeze(1), p.squeeze(0))


def _weighed(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropped: float) -> tuple[Tensor, Tensor]:
    """Attention of queries (batch * heads, steps, width) to keys and values, and its probabilities."""
    scores = (q * math.sqrt(1.0 / q._array.shape[2])) @ k.mT
    p = softmax(scores if mask is None else scores + mask, -1)
    if dropped > 0.0:
        p = dropout(p, dropped)
    return p @ v, p


def _attended(q: Tensor, k: Tensor, v: Tensor, mask: Any, dropped: float, causal: bool) -> Tensor:
    """Attention of queries (batch, heads, steps, width) to keys and values, as (steps, batch, heads * width)."""
    batch, heads, steps, width = q._array.shape
    if mask is not None:
        mask = mask.unsqueeze(0) if len(mask._array) == 1 else mask.reshape(batch, heads, -1, k.shape[2])
    attend = scaled_dot_product_attention
    if not is_short(q._array.dtype):
        _check_operands(q, k, v, mask, causal)
        attend = _attend
    y = attend(q, k, v, mask, dropped, causal)
    return y.permute(2, 0, 1, 3).reshape(steps, batch, heads * width)


def why_not_nested(layer: Any, known: bool) -> str:
    """What keeps PyTorch from having a layer work on nested Tensors, "" if nothing does.

    ``known`` says whether its activation is one of those for which it can.
    """
    attention = layer.self_attn
    last = "batch_first was not True(use batch_first for better inference performance)"
    rows = (
        ("norm_first was True", layer.norm_first),
        (f"self_attn.{last}", not attention.batch_first),
        ("self_attn was passed bias=False", attention.in_proj_bias is None),
        ("activation_relu_or_gelu was not True", not known),
        ("norm1.eps was not equal to encoder_layer.norm2.eps", layer.norm1.eps != layer.norm2.eps),
        ("self_attn.num_heads is odd", attention.num_heads % 2),
    )
    return next((f"encoder_layer.{why}" for why, wrong in rows if wrong), "")


def _lies_turned(array: Any) -> bool:
    """Whether the first two dimensions are in the other order in memory."""
    return not array.flags.c_contiguous and bool(array.swapaxes(0, 1).flags.c_contiguous)


def each_once(change: Callable[[Tensor], Tensor], *operands: Tensor) -> list[Tensor]:
    """Operands changed, each once: what is one Tensor stays one, and its projections are a single product."""
    changed = {id(x): change(x) for x in {id(x): x for x in operands}.values()}
    return [changed[id(x)] for x in operands]


def _check_shapes(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None, heads: int
) -> bool:
    """Whether the operands have a batch. RuntimeError for dimensions that do not fit."""
    rank = query.dim()
    if rank not in (2, 3):
        raise runtime_error(
            f"query should be unbatched 2D or batched 3D tensor but received {rank}-D query tensor"
        )
    kind = "batched (3-D)" if rank == 3 else "unbatched (2-D)"
    if key.dim() != rank or value.dim() != rank:
        raise runtime_error(
            f"For {kind} `query`, expected `key` and `value` to be {rank}-D but found {key.dim()}-D and "
            f"{value.dim()}-D tensors respectively"
        )
    if padding is not None and padding.dim() != rank - 1:
        raise runtime_error(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {rank - 1}-D but found "
            f"{padding.dim()}-D tensor instead"
        )
    if mask is not None and mask.dim() not in (2, 3):
        raise runtime_error(
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.dim()}-D tensor instead"
        )
    expected = (heads, len(query._array), len(key._array))
    if mask is not None and rank == 2 and mask.dim() == 3 and mask._array.shape != expected:
        raise runtime_error(f"Expected `attn_mask` shape to be {expected} but got {tuple(mask.shape)}")
    return rank == 3


def _side_by_side(y: Tensor, count: int) -> list[Tensor]:
    """The parts of a product by ``count`` weights in one."""
    width = y._array.shape[-1] // count
    return [y.narrow(-1, i * width, width) for i in range(count)] if count > 1 else [y]


def _by_heads(y: Tensor, count: int, heads: int, order: Sequence[int]) -> list[Tensor]:
    """As `_side_by_side`, with heads apart and in another order of dimensions: two views for all, and one for each."""
    *rows, width = y._array.shape
    if count == 1:
        return [y.reshape(*rows, heads, width // heads).permute(order)]
    parts = y.reshape(*rows, count, heads, width // (count * heads)).permute(2, *(d + (d > 1) for d in order))
    return [parts[i] for i in range(count)]


def _projected(
    q: Tensor, k: Tensor, v: Tensor, w: Tensor | None, b: Tensor | None, cut: Callable[..., list[Tensor]]
) -> list[Tensor]:
    """Queries, keys and values by one weight, whose rows are those of the three one below the other."""
    if w is None:
        raise runtime_error("use_separate_proj_weight is False but in_proj_weight is None")
    if k._array.shape != v._array.shape:
        raise runtime_error(f"key shape {k.shape} does not match value shape {v.shape}")
    e = q._array.shape[-1]
    # Of one operand, one product. Its parts have gaps, so that each is copied, and its gradient is written into zeros
    # and added: of large ones three products take a tenth less of a transformer's step, of small ones a fifth more.
    one = k is v and k._array.size < LARGE
    if one and q is k:
        return cut(linear(q, w, b), 3)
    if one:
        rest = linear(k, w[e:], None if b is None else b[e:])
        return cut(linear(q, w[:e], None if b is None else b[:e]), 1) + cut(rest, 2)
    if k is v:
        q, k, v = each_once(lambda x: x.contiguous(), q, k, v)  # in place of a copy for each product
    return [cut(x, 1)[0] for x in _in_projection_packed(q, k, v, w, b)]


def _in_projection_packed(
    q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Tensor | None = None
) -> list[Tensor]:
    """Queries, keys and values by the rows of one weight: copies of PyTorch's attention import it."""
    shifts: Any = (None, None, None) if b is None else b.chunk(3)
    return [linear(x, part, shift) for x, part, shift in zip((q, k, v), w.chunk(3), shifts, strict=True)]


def _in_projection(
    q: Tensor, k: Tensor, v: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor,
    b_q: Tensor | None = None, b_k: Tensor | None = None, b_v: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Queries, keys and values by weights of their own, as `_in_projection_packed`."""
    return linear(q, w_q, b_q), linear(k, w_k, b_k), linear(v, w_v, b_v)


def _projected_apart(
    q: Tensor, k: Tensor, v: Tensor, weights: tuple[Tensor | None, ...], b: Tensor | None
) -> list[Tensor]:
    """Queries, keys and values by weights of their own, so that their sizes may differ."""
    if k._array.shape[:2] != v._array.shape[:2]:
        raise runtime_error(f"key's sequence and batch dims {k.shape[:2]} do not match value's {v.shape[:2]}")
    e = q._array.shape[-1]
    results: list[Tensor] = []
    shifts: Any = (None, None, None) if b is None else b.chunk(3)
    for name, x, w, shift in zip(("query", "key", "value"), (q, k, v), weights, shifts, strict=True):
        if w is None:
            raise runtime_error(f"use_separate_proj_weight is True but {name[0]}_proj_weight is None")
        if w._array.shape != (e, x._array.shape[-1]):
            raise runtime_error(
                f"expecting {name} weights shape of {(e, x._array.shape[-1])}, but got {w.shape}"
            )
        results.append(linear(x, w, shift))
    return results


def _heads(x: Tensor, batch: int, heads: int) -> Tensor:
    """(steps, batch, width) as (batch * heads, steps, width / heads)."""
    steps, _, width = x._array.shape
    return x.reshape(steps, batch * heads, width // heads).transpose(0, 1)


def _static(x: Tensor, static: Tensor | None, count: int) -> Tensor:
    if static is None:
        return x
    shape = static._array.shape
    if shape[0] != count or shape[2] != x._array.shape[2]:
        raise runtime_error(
            f"expecting static keys and values of size {count} and {x._array.shape[2]} in dimensions 0 and 2, but got "
            f"{list(shape)}"
        )
    return static


def _checked_mask(mask: Any, batch: int, heads: int, steps: int, keys: int) -> Any:
    """The mask with 3 dimensions. RuntimeError for a shape that does not fit."""
    if mask is None:
        return None
    expected = (steps, keys) if mask.dim() == 2 else (batch * heads, steps, keys)
    if mask._array.shape != expected:
        raise runtime_error(
            f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {expected}."
        )
    return mask.unsqueeze(0) if mask.dim() == 2 else mask


def _merged(mask: Any, padding: Any, batch: int, heads: int, keys: int) -> Any:
    """The mask of queries and keys, and that of keys, in one."""
    if padding is None:
        return mask
    if padding._array.shape != (batch, keys):
        raise runtime_error(
            f"Expected key_padding_mask of shape {(batch, keys)}, but got {list(padding._array.shape)}"
        )
    rows = padding.reshape(batch, 1, 1, keys).expand(batch, heads, 1, keys).reshape(batch * heads, 1, keys)
    return rows if mask is None else mask + rows


# `multi_head_attention_forward` has too many parameters for a gate; the functions that it calls check them.
public(globals(), ("scaled_dot_product_attention",), check="Tensors", home="minigrad.nn.functional")

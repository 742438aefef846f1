"""Attention with several heads, and the layers of transformers."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.autograd.grad_mode import is_grad_enabled
from minigrad.core.tensor import wrap
from minigrad.device import DeviceLike, check_device
from minigrad.dtypes import as_numpy, default_float
from minigrad.dtypes import dtype as DType
from minigrad.errors import runtime_error, value_error, warn
from minigrad.functions.creation import empty
from minigrad.nn import _attention as A
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.activation import GELU, ReLU
from minigrad.nn.container import ModuleList
from minigrad.nn.dropout import Dropout
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.nn.normalization import LayerNorm
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

__all__ = [
    "MultiheadAttention", "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
    "TransformerEncoderLayer",
]  # fmt: skip

Activation = str | Callable[[Tensor], Tensor]


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear` under the name that PyTorch gives it within attention."""


class MultiheadAttention(Module):
    """Multi-head attention: "Attention is all you need", 2017, section 3.2.2.

    Query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), with ``batch_first`` N before L and S, or all without
    N. ``key_padding_mask`` (N, S) and ``attn_mask`` (L, S) or (N * num_heads, L, S) hide a key where they are True, or
    are floats added to the scores. Returns (L, N, embed_dim), and with ``need_weights`` the probabilities (N, L, S),
    the mean over heads or with ``average_attn_weights=False`` each (N, num_heads, L, S), else None.

    ``add_bias_kv`` adds a learned key and value, ``add_zero_attn`` one of zeros. ``is_causal`` tells that ``attn_mask``
    is the causal one. Weights start by Glorot's rule, biases with 0. ValueError unless embed_dim is divisible by
    num_heads, RuntimeError for shapes that do not fit.
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise value_error(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads} instead"
            )
        if embed_dim % num_heads:
            raise value_error(f"embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}")
        super().__init__()
        check_device(device)
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        apart = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        if self._qkv_same_embed_dim:
            self.in_proj_weight = Parameter(empty((3 * embed_dim, embed_dim), dtype=dtype))
        for name, width in apart.items():
            weight = None if self._qkv_same_embed_dim else Parameter(empty((embed_dim, width), dtype=dtype))
            self.register_parameter(name, weight)
        if not self._qkv_same_embed_dim:
            self.register_parameter("in_proj_weight", None)
        self.register_parameter(
            "in_proj_bias", Parameter(empty(3 * embed_dim, dtype=dtype)) if bias else None
        )
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, dtype=dtype)
        for name in ("bias_k", "bias_v"):
            setattr(self, name, Parameter(empty((1, 1, embed_dim), dtype=dtype)) if add_bias_kv else None)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        turned = self.batch_first and query.dim() == 3
        if turned:
            query, key, value = A.each_once(lambda x: x.transpose(0, 1), query, key, value)
        projection = (self.in_proj_weight, self.in_proj_bias, self.bias_k, self.bias_v)
        out = (self.out_proj.weight, self.out_proj.bias)
        apart = {f"{name}_proj_weight": getattr(self, f"{name}_proj_weight") for name in "qkv"}
        y, p = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, *projection, self.add_zero_attn, self.dropout, *out,
            self.training, key_padding_mask, need_weights, attn_mask, not self._qkv_same_embed_dim, **apart,
            average_attn_weights=average_attn_weights, is_causal=is_causal,
        )  # fmt: skip
        return (y.transpose(0, 1) if turned else y), p


def _nestable(layer: Any) -> bool:
    """Whether PyTorch has a layer work on nested Tensors; a warning tells why not."""
    why = "encoder_layer was not TransformerEncoderLayer"
    if isinstance(layer, TransformerEncoderLayer):
        known = layer.activation in (F.relu, F.gelu) or isinstance(layer.activation, (ReLU, GELU))
        why = A.why_not_nested(layer, known)
    if why:
        warn(f"enable_nested_tensor is True, but self.use_nested_tensor is False because {why}")
    return not why


def _get_activation_fn(activation: str) -> Callable[..., Any]:
    """`relu` or `gelu`, by its name. RuntimeError for another name."""
    if activation not in ("relu", "gelu"):
        raise runtime_error(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


class _Layer(Module):
    """What the two kinds of layers have in common: attention to themselves, and two linear maps."""

    _remembers = False  # whether there is attention to a memory too

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        how: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, **how)
        if self._remembers:
            self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, **how)
        self.linear1 = Linear(d_model, dim_feedforward, **how)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **how)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, **how)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, **how)
        if self._remembers:
            self.norm3 = LayerNorm(d_model, layer_norm_eps, **how)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        if self._remembers:
            self.dropout3 = Dropout(dropout)
        self.activation = _get_activation_fn(activation) if isinstance(activation, str) else activation

    # The parts have PyTorch's names: subclasses in scripts call them, and replace them.

    def _sa_block(
        self, x: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, is_causal: bool = False
    ) -> Tensor:
        y, _ = self.self_attn(
            x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask, need_weights=False,
            is_causal=is_causal,
        )  # fmt: skip
        return self.dropout1(y)

    def _ff_block(self, x: Tensor) -> Tensor:
        last = self.dropout3 if self._remembers else self.dropout2
        return last(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoderLayer(_Layer):
    """Self-attention, then two linear maps with an activation between; each is added to its input and normalized.

    ``src`` is (S, N, d_model), with ``batch_first`` (N, S, d_model), or (S, d_model). ``norm_first`` normalizes before,
    not after. Masks are those of `MultiheadAttention`. ``activation`` is "relu", "gelu" or a function.
    """

    _also_saved = ("activation_relu_or_gelu",)

    @property
    def activation_relu_or_gelu(self) -> int:
        """1 or 2 for one of these, otherwise 0."""
        f = self.activation
        return 1 if f is F.relu or isinstance(f, ReLU) else 2 if f is F.gelu or isinstance(f, GELU) else 0

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        padding, mask = A.as_floats(src_key_padding_mask, src_mask, "src_mask", src)
        if self.norm_first:
            x = src + self._sa_block(self.norm1(src), mask, padding, is_causal)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(src + self._sa_block(src, mask, padding, is_causal))
        return self.norm2(x + self._ff_block(x))


class TransformerDecoderLayer(_Layer):
    """`TransformerEncoderLayer` with cross-attention to ``memory``, an encoder's output, in the middle.

    ``tgt`` is (T, N, d_model) and ``memory`` (S, N, d_model), or with N first, or without. Masks that begin with
    ``tgt`` are for the self-attention, the others for the attention to ``memory``.
    """

    _remembers = True

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        own = tgt_mask, tgt_key_padding_mask, tgt_is_causal
        other = memory_mask, memory_key_padding_mask, memory_is_causal
        if self.norm_first:
            x = tgt + self._sa_block(self.norm1(tgt), *own)
            x = x + self._mha_block(self.norm2(x), memory, *other)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(tgt + self._sa_block(tgt, *own))
        x = self.norm2(x + self._mha_block(x, memory, *other))
        return self.norm3(x + self._ff_block(x))

    def _mha_block(
        self,
        x: Tensor,
        mem: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        y, _ = self.multihead_attn(
            x, mem, mem, attn_mask=attn_mask, key_padding_mask=key_padding_mask, need_weights=False,
            is_causal=is_causal,
        )  # fmt: skip
        return self.dropout2(y)


class TransformerEncoder(Module):
    """``num_layers`` copies of a layer one after the other, then ``norm``.

    There are no nested Tensors.  PyTorch computes with them where nothing is recorded, in evaluation mode, with
    ``batch_first`` and ``src_key_padding_mask`` alone, if all padding stands at the ends. Then each padded position is
    0 before ``norm``, here too, unless ``enable_nested_tensor`` is False.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor and _nestable(encoder_layer)
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        padding, mask = A.as_floats(src_key_padding_mask, mask, "mask", src)
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=mask, src_key_padding_mask=padding, is_causal=is_causal is True)
        if padding is not None and mask is None and self._without_padding(src):
            padded = padding != 0
            # whether padding stands elsewhere than at the ends: before a position that is not padded
            apart = (padded[:, :-1] & ~padded[:, 1:]).any()
            output = output.masked_fill((padded & ~apart).unsqueeze(-1), 0.0)
        return output if self.norm is None else self.norm(output)

    def _without_padding(self, src: Tensor) -> bool:
        """Whether PyTorch computes without the padded positions, if these stand at the ends."""
        if not self.use_nested_tensor or src.dim() != 3 or self.layers[0].training:
            return False
        return not is_grad_enabled() or not any(t.requires_grad for t in (src, *self.layers[0].parameters()))


class TransformerDecoder(Module):
    """``num_layers`` copies of a layer one after the other, all with the same ``memory``, then ``norm``."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        output = tgt
        for layer in self.layers:
            output = layer(
                output, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask, memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=tgt_is_causal is True, memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return output if self.norm is None else self.norm(output)


def _get_clones(module: Module, N: int) -> ModuleList:
    """N copies of a module, each with parameters of its own."""
    return ModuleList([copy.deepcopy(module) for _ in range(N)])


class Transformer(Module):
    """An encoder of ``src`` and a decoder of ``tgt``, as in "Attention is all you need", 2017.

    ``src`` is (S, N, d_model), ``tgt`` and the result are (T, N, d_model), with ``batch_first`` N first, or all without
    N. All parameters of two dimensions or more start by Glorot's rule. RuntimeError where sizes do not fit.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        sizes: Any = (d_model, nhead, dim_feedforward, dropout, activation)
        how: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        form = {"layer_norm_eps": layer_norm_eps, "batch_first": batch_first, "norm_first": norm_first, **how}
        if custom_encoder is None:
            layer: Module = TransformerEncoderLayer(*sizes, **form)
            norm = LayerNorm(d_model, layer_norm_eps, **how)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            layer = TransformerDecoderLayer(*sizes, **form)
            norm = LayerNorm(d_model, layer_norm_eps, **how)
            custom_decoder = TransformerDecoder(layer, num_decoder_layers, norm)
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        at = 0 if self.batch_first else 1
        if src.dim() == 3 and src._array.shape[at] != tgt._array.shape[at]:
            raise runtime_error("the batch number of src and tgt must be equal")
        if src._array.shape[-1] != self.d_model or tgt._array.shape[-1] != self.d_model:
            raise runtime_error("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: DeviceLike = None, dtype: DType | None = None
    ) -> Tensor:
        """The causal mask (sz, sz): 0 up to the diagonal, -inf above."""
        check_device(device)
        kind = default_float() if dtype is None else as_numpy(dtype)
        return wrap(np.where(np.tri(sz, dtype=bool), 0.0, -math.inf).astype(kind))

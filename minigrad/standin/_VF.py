"""``torch._VF``: the functions of ``torch``, and those that only modules and copies of them call."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from minigrad.errors import index_error, runtime_error, type_error
from minigrad.gate import case
from minigrad.nn import functional as F
from minigrad.nn import rnn
from minigrad.nn.utils._weight_norm import norm_except_dim
from minigrad.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence, runs_of
from minigrad.tensor import Tensor

minigrad = import_module("minigrad")


_NAMES = (
    "batch_sizes", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional", "batch_first",
)  # fmt: skip


def _recurrent(mode: str, input: Tensor, *args: Any, **named: Any) -> tuple[Tensor, ...]:
    """The outputs and last states of all layers. The arguments are PyTorch's; packed data have their sizes first."""
    args += tuple(named[name] for name in _NAMES if name in named)
    if len(args) != 8:
        raise type_error(
            f"{mode.lower()}() takes an input and {', '.join(_NAMES)}, the first or last left out"
        )
    packed = isinstance(args[0], Tensor) and args[0].dim() == 1
    if not packed and input.dim() != 3:
        raise index_error(f"{mode.lower()}(): expected an input of 3 dimensions, got {list(input.shape)}")
    hx, flat, _, count, dropout, training, both = args[packed : packed + 7]
    first, x = not packed and args[7], input
    if packed:
        runs = runs_of(args[0])
    else:
        x = x.transpose(0, 1) if first else x
        steps, batch, width = x.shape
        x, runs = x.reshape(steps * batch, width), ((steps, batch),)
    parts = count * (2 if both else 1)
    each = len(flat) // parts
    weights = [flat[k * each : (k + 1) * each] for k in range(parts)]
    unbound = zip(*(t.unbind(0) for t in ([hx] if isinstance(hx, Tensor) else hx)), strict=True)
    y, last = rnn.layers(mode, x, [list(t) for t in unbound], weights, runs, dropout, training, both)
    if not packed:
        y = y.reshape(steps, batch, y.shape[1])
        y = y.transpose(0, 1) if first else y
    return y, *last


lstm = case(_recurrent, "lstm", "What `nn.LSTM` calls: outputs and last states, given the weights.", "LSTM")
gru = case(_recurrent, "gru", "What `nn.GRU` calls: outputs and last states, given the weights.", "GRU")
rnn_tanh = case(
    _recurrent, "rnn_tanh", "What `nn.RNN` calls: outputs and last states, given the weights.", "RNN_TANH"
)
rnn_relu = case(_recurrent, "rnn_relu", 'As `rnn_tanh`, with ``nonlinearity="relu"``.', "RNN_RELU")


def embedding_bag(
    weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False, mode: int = 0,
    sparse: bool = False, per_sample_weights: Tensor | None = None, include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """:func:`nn.functional.embedding_bag`, with the table first; ``mode`` is 0 (sum), 1 (mean) or 2 (max).

    What PyTorch keeps for its gradients comes behind it, and is empty here.
    """
    if mode not in (0, 1, 2):
        raise runtime_error(f"embedding_bag(): `mode` must be sum, mean, or max: 0, 1 or 2, not {mode}")
    how = ("sum", "mean", "max")[mode], sparse, per_sample_weights, include_last_offset, padding_idx
    y = F.embedding_bag(indices, weight, offsets, None, 2.0, scale_grad_by_freq, *how)
    return y, *(minigrad.empty(0, dtype=minigrad.int64) for _ in range(3))


def convolution(
    input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int,
) -> Tensor:  # fmt: skip
    """The convolution, or the transposed one, of as many dimensions as ``weight`` has besides its channels."""
    rank = weight.dim() - 2
    if not 1 <= rank <= 3:
        raise runtime_error(f"convolution(): weight should have 3 to 5 dimensions, got {list(weight.shape)}")
    if transposed:
        places = stride, padding, output_padding, groups, dilation
        return getattr(F, f"conv_transpose{rank}d")(input, weight, bias, *places)
    return getattr(F, f"conv{rank}d")(input, weight, bias, stride, padding, dilation, groups)


def _softmax(input: Tensor, dim: int, half_to_float: bool) -> Tensor:
    return input.softmax(dim, dtype=minigrad.float32 if half_to_float else None)


def _log_softmax(input: Tensor, dim: int, half_to_float: bool) -> Tensor:
    return input.log_softmax(dim, dtype=minigrad.float32 if half_to_float else None)


def _pack_padded_sequence(input: Tensor, lengths: Tensor, batch_first: bool) -> tuple[Tensor, Tensor]:
    packed = pack_padded_sequence(input, lengths, batch_first)
    return packed.data, packed.batch_sizes


def _pad_packed_sequence(
    data: Tensor, batch_sizes: Tensor, batch_first: bool, padding_value: float, total_length: int = -1
) -> tuple[Tensor, Tensor]:
    length = total_length if total_length > 0 else None
    return pad_packed_sequence(PackedSequence(data, batch_sizes), batch_first, padding_value, length)


def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    return v * (g / norm_except_dim(v, 2, dim))


def _shape_as_tensor(self: Tensor) -> Tensor:
    return minigrad.tensor([*self.shape], dtype=minigrad.int64)


def _unique2(
    self: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False
) -> tuple[Tensor, ...]:
    """What is not asked for is empty."""
    values, inverse, counts = minigrad.unique(self, sorted, return_inverse=True, return_counts=True)
    none = minigrad.empty(0, dtype=minigrad.int64)
    return values, inverse if return_inverse else none, counts if return_counts else none


def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """An older name of `linalg.vector_norm` with 2; no dimension is all."""
    return minigrad.linalg.vector_norm(input, 2, None if dim in ([], ()) else dim, keepdim)


def nuclear_norm(input: Tensor, dim: Any = (-2, -1), keepdim: bool = False) -> Tensor:
    """An older name of `linalg.matrix_norm` with ``"nuc"``."""
    dim, keepdim = ((-2, -1), dim) if isinstance(dim, bool) else (dim, keepdim)
    return minigrad.linalg.matrix_norm(input, "nuc", dim, keepdim)


def __getattr__(name: str) -> Any:
    return getattr(minigrad, name)

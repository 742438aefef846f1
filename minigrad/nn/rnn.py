"""Recurrent layers, and single steps of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Number
from typing import Any

from minigrad.core.mode import MODE
from minigrad.core.names import known_as
from minigrad.device import DeviceLike, check_device
from minigrad.dtypes import dtype as DType
from minigrad.errors import runtime_error, type_error, value_error, warn
from minigrad.functions.creation import empty, zeros, zeros_like
from minigrad.functions.elementwise import own
from minigrad.functions.parts import cat, stack
from minigrad.functions.recurrent import Runs, last_record, layer
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn._asked import Asked
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.nn.utils.rnn import PackedSequence, runs_of
from minigrad.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Asked, Module):
    """What `RNN`, `LSTM` and `GRU` have in common: parameters by layer and direction, and how they are run.

    Parameters are called ``weight_ih_l0``, ``weight_hh_l0``, ``bias_ih_l0``, ``bias_hh_l0`` and so on by layer, with
    ``_reverse`` behind for the direction against time. All start uniformly distributed in ±1/sqrt(hidden_size).
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        check_device(device)
        _check_sizes(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        if mode not in _GATES:
            raise value_error(f"Unrecognized RNN mode: {mode}")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights: list[list[str]] = []
        rows, out = _GATES[mode] * hidden_size, proj_size or hidden_size
        suffixes = ("", "_reverse") if bidirectional else ("",)
        for k in range(num_layers):
            width = input_size if k == 0 else out * len(suffixes)
            for suffix in suffixes:
                shapes: dict[str, Any] = {"weight_ih": (rows, width), "weight_hh": (rows, out)}
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                self._all_weights.append([f"{name}_l{k}{suffix}" for name in shapes])
                for name, shape in zip(self._all_weights[-1], shapes.values(), strict=True):
                    setattr(self, name, Parameter(empty(shape, dtype=dtype)))
        self._flat_weights_names = [name for names in self._all_weights for name in names]
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters by layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    proj_size = 0  # which modules in old files do not have
    _also_saved = ("_flat_weights",)
    _flat_weights = property(lambda self: [w for layer in self.all_weights for w in layer])

    def flatten_parameters(self) -> None:
        """Does nothing: there is no other layout of the parameters."""

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        defaults = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0, "bidirectional": False,
        }  # fmt: skip
        parts += [f"{name}={getattr(self, name)}" for name, d in defaults.items() if getattr(self, name) != d]
        return ", ".join(parts)

    # ---------------------------------------------------------------- running

    def _run(self, input: Any, hx: Sequence[Tensor] | None) -> tuple[Any, list[Tensor]]:
        """The outputs, and the last states of all layers and directions."""
        if isinstance(input, PackedSequence):
            self.check_input(input.data, input.batch_sizes)
            runs = runs_of(input.batch_sizes)
            states = self._states(hx, input.data, runs[0][1], input.sorted_indices)
            data, last = self._layers(input.data, states, runs)
            unsorted = input.unsorted_indices
            if unsorted is not None:
                last = [t.index_select(1, unsorted) for t in last]
            return PackedSequence(data, *input[1:]), last
        if input.dim() not in (2, 3):
            tensor = "" if self.mode == "LSTM" else " tensor"
            raise value_error(
                f"{self.mode.partition('_')[0]}: Expected input to be 2D or 3D, got {input.dim()}D{tensor} instead"
            )
        batched = input.dim() == 3
        self._check_rank(hx, batched)
        x = input if batched else input.unsqueeze(0 if self.batch_first else 1)
        if not batched and hx is not None:
            hx = [t.unsqueeze(1) for t in hx]
        self.check_input(x, None)
        if self.batch_first:
            x = x.transpose(0, 1)
        steps, batch, width = x._array.shape
        if not steps:
            raise runtime_error("Expected sequence length to be larger than 0 in RNN")
        states = self._states(hx, x, batch, None)
        rows, last = self._layers(x.reshape(steps * batch, width), states, ((steps, batch),))
        y = rows.reshape(steps, batch, rows._array.shape[1])
        y = known_as(last_record(self.mode, x, self.proj_size, self.bidirectional), y)
        if self.batch_first:
            y = known_as(f"TransposeBackward{int(self.mode != 'LSTM')}", y.transpose(0, 1))
        if not batched:
            return own(y.squeeze(0 if self.batch_first else 1)), [own(t.squeeze(1)) for t in last]
        return own(y), last

    def _check_rank(self, hx: Sequence[Tensor] | None, batched: bool) -> None:
        ranks = [] if hx is None else [t.dim() for t in hx]
        rank = 3 if batched else 2
        if all(r == rank for r in ranks):
            return
        kind = "batched 3-D" if batched else "unbatched 2-D"
        if self.mode == "LSTM":
            was = ", ".join(f"{r}-D" for r in ranks)
            was = f"hx and cx should also be {rank}-D but got ({was}) tensors"
            raise runtime_error(f"For {kind} input, {was}")
        raise runtime_error(f"For {kind} input, hx should also be {rank}-D but got {ranks[0]}-D tensor")

    def _states(
        self, hx: Sequence[Tensor] | None, x: Tensor, batch: int, order: Tensor | None
    ) -> list[list[Tensor]]:
        """The first states of each layer and direction."""
        count = len(self._all_weights)
        widths = [self.proj_size or self.hidden_size]
        if self.mode == "LSTM":
            widths.append(self.hidden_size)
        if hx is None:
            return [[zeros(batch, width, dtype=x.dtype) for width in widths]] * count
        for k, (t, width) in enumerate(zip(hx, widths, strict=True)):
            if t._array.shape != (count, batch, width):
                which = f"hidden[{k}]" if self.mode == "LSTM" else "hidden"
                raise runtime_error(
                    f"Expected {which} size {(count, batch, width)}, got {list(t._array.shape)}"
                )
            if t._array.dtype != x._array.dtype and MODE.get().autocast is None:
                raise runtime_error(
                    f"Input and hidden tensors must have the same dtype, found {x.dtype} and {t.dtype}"
                )
        if order is not None:
            hx = [t.index_select(1, order) for t in hx]
        return [list(parts) for parts in zip(*(t.unbind(0) for t in hx), strict=True)]

    def _layers(self, x: Tensor, states: list[list[Tensor]], runs: Runs) -> tuple[Tensor, list[Tensor]]:
        options = self.dropout, self.training, self.bidirectional
        return layers(self.mode, x, states, self.all_weights, runs, *options)


def layers(
    mode: str, x: Tensor, states: list[list[Tensor]], weights: Sequence[Sequence[Tensor]], runs: Runs, dropout: float,
    training: bool, both: bool,
) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    """All layers, each in one direction or ``both``, by the weights of each: the outputs, and the last states."""
    directions = 2 if both else 1
    last: list[list[Tensor]] = []
    for k in range(0, len(weights), directions):
        outputs = []
        if k and dropout:
            x = F.dropout(x, dropout, training)
        for j in range(k, k + directions):
            y, *ends = layer(mode, x, states[j], weights[j], runs, j > k)
            outputs.append(y)
            last.append(ends)
        x = outputs[0] if directions == 1 else cat(outputs, 1)
    return x, [stack(ends) for ends in zip(*last, strict=True)]


def _check_sizes(
    input_size: Any, hidden_size: Any, num_layers: int, bias: Any, batch_first: Any, dropout: Any, proj_size: int
) -> None:  # fmt: skip
    number = isinstance(dropout, Number) and not isinstance(dropout, bool)
    if not number or not 0 <= dropout <= 1:
        raise value_error(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}"
        )
    flags = {"bias": bias, "batch_first": batch_first}
    sizes = {"input_size": input_size, "hidden_size": hidden_size}
    for name, value in {**flags, **sizes}.items():
        kind = bool if name in flags else int
        if not isinstance(value, kind):
            raise type_error(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
    for name, size in {**sizes, "num_layers": num_layers}.items():
        if size <= 0:
            raise value_error(f"{name} must be greater than zero")
    if proj_size < 0:
        raise value_error("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise value_error("proj_size has to be smaller than hidden_size")


class RNN(RNNBase):
    """Layers of ``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`` over sequences, or with ``nonlinearity="relu"``.

    Input (steps, batch, input_size), with ``batch_first`` (batch, steps, input_size), without a batch (steps,
    input_size), or a `PackedSequence`; and the first hidden states (num_layers, batch, hidden_size), zeros by default.
    Returns the last layer's states of all steps, (steps, batch, hidden_size), and the last states of all layers. With
    ``bidirectional`` there are two directions: twice the features, and twice the layers of states. ``dropout`` stands
    between layers. ValueError or RuntimeError for sizes and element types that do not fit.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: DeviceLike = None,
        dtype: DType | None = None,
        **other: Any,
    ) -> None:
        _no_projection(type(self), other)
        if nonlinearity not in ("tanh", "relu"):
            raise value_error(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, 0, device, dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        y, [h] = self._run(input, None if hx is None else [hx])
        return y, h


def _no_projection(cls: type, other: dict[str, Any]) -> None:
    if "proj_size" in other:
        raise value_error("proj_size argument is only supported for LSTM, not RNN or GRU")
    if other:
        raise type_error(f"{cls.__name__}() got an unexpected keyword argument '{min(other)}'")


class GRU(RNNBase):
    """Layers of gated recurrent units: ``h' = (1 - z) * n + z * h``, called as `RNN`.

    ``r`` and ``z`` are sigmoids of ``W_ih x + b_ih + W_hh h + b_hh``, and
    ``n = tanh(W_in x + b_in + r * (W_hn h + b_hn))``; parameters have the rows of r, z and n one below the other.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: DeviceLike = None,
        dtype: DType | None = None,
        **other: Any,
    ) -> None:
        _no_projection(type(self), other)
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype,
        )  # fmt: skip

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        y, [h] = self._run(input, None if hx is None else [hx])
        return y, h


def _two_states(name: str, hx: Any) -> Any:
    """The states. TypeError or RuntimeError unless they are a pair, or None."""
    if isinstance(hx, Tensor):
        raise type_error(f"{name}: argument 'hx' must be tuple of Tensors, not Tensor: (hidden state, cell)")
    if hx is not None and len(hx) != 2:
        raise runtime_error(f"{name}: lstm expects two hidden states, (hidden state, cell), got {len(hx)}")
    return hx


class LSTM(RNNBase):
    """Layers of long short-term memory: ``c' = f * c + i * g`` and ``h' = o * tanh(c')``, called as `RNN`.

    The gates ``i, f, o`` are sigmoids of ``W_ih x + b_ih + W_hh h + b_hh``, and ``g`` is a tanh of it; each has rows of
    its own, in the order i, f, g, o. A state is a pair: hidden state and cell (num_layers, batch, hidden_size). With
    ``proj_size`` the hidden state is multiplied by ``weight_hr`` (proj_size, hidden_size).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device,
            dtype,
        )  # fmt: skip

    def forward(
        self, input: Any, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        y, [h, c] = self._run(input, _two_states("LSTM", hx))
        return y, (h, c)


# ---------------------------------------------------------------- single steps


class RNNCellBase(Module):
    """What `RNNCell`, `LSTMCell` and `GRUCell` have in common."""

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        check_device(device)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty((rows, input_size), dtype=dtype))
        self.weight_hh = Parameter(empty((rows, hidden_size), dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(rows, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all parameters anew, uniformly in ±1/sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0.0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.bias is not True:
            parts.append(f"bias={self.bias}")
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            parts.append(f"nonlinearity={self.nonlinearity}")
        return ", ".join(parts)

    def _step(self, mode: str, input: Tensor, hx: Sequence[Tensor] | None) -> list[Tensor]:
        """The states after one step."""
        name, several = type(self).__name__, mode == "LSTM"
        if input.dim() not in (1, 2):
            raise value_error(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for k, t in enumerate(hx or ()):
            if t.dim() not in (1, 2):
                which = f"hx[{k}]" if several else "hidden"
                raise value_error(f"{name}: Expected {which} to be 1D or 2D, got {t.dim()}D instead")
        batched = input.dim() == 2
        x = input if batched else input.unsqueeze(0)
        if hx is None:
            states = [zeros(len(x._array), self.hidden_size, dtype=x.dtype)] * (2 if several else 1)
        else:
            states = list(hx) if batched else [t.unsqueeze(0) for t in hx]
        # Each once: a parametrization computes anew at each look.
        weights: list[Tensor] = [self.weight_ih, self.weight_hh]
        biases = [self.bias_ih, self.bias_hh]
        self._check(x, states)
        given = [b for b in biases if b is not None]
        weights += [zeros_like(given[0]) if b is None else b for b in biases if given]
        new = layer(mode, x, states, weights, ((1, len(x._array)),), outputs=False)
        return new if batched else [own(t.squeeze(0)) for t in new]

    def _check(self, x: Tensor, states: Sequence[Tensor]) -> None:
        rows, width = x._array.shape
        if width != self.input_size:
            raise runtime_error(f"input has inconsistent input_size: got {width} expected {self.input_size}")
        for k, t in enumerate(states):
            if len(t._array) != rows:
                raise runtime_error(
                    f"Input batch size {rows} doesn't match hidden{k} batch size {len(t._array)}"
                )
            if t._array.shape[1:] != (self.hidden_size,):
                raise runtime_error(
                    f"hidden{k} has inconsistent hidden_size: got {t._array.shape[-1]}, expected {self.hidden_size}"
                )


class RNNCell(RNNCellBase):
    """One step of `RNN`: input (batch, input_size) and hidden state (batch, hidden_size), both also without batch."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise runtime_error(f"Unknown nonlinearity: {self.nonlinearity}")
        [h] = self._step(f"RNN_{self.nonlinearity.upper()}", input, None if hx is None else [hx])
        return h


class _Gated(RNNCellBase):
    _chunks: int

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, self._chunks, device, dtype)


class GRUCell(_Gated):
    """One step of `GRU`: input (batch, input_size) and hidden state (batch, hidden_size); returns the next one."""

    _chunks = 3

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        [h] = self._step("GRU", input, None if hx is None else [hx])
        return h


class LSTMCell(_Gated):
    """One step of `LSTM`: input (batch, input_size), hidden state and cell (batch, hidden_size) to the next ones."""

    _chunks = 4

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        h, c = self._step("LSTM", input, _two_states("LSTMCell", hx))
        return h, c

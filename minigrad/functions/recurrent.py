"""Recurrent layers, for the modules: one direction of one layer over all steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from minigrad.core.apply import apply
from minigrad.core.node import next_seq
from minigrad.core.op import Op, Params, is_complex
from minigrad.core.tensor import Tensor
from minigrad.dtypes import scalar
from minigrad.errors import runtime_error
from minigrad.functions.elementwise import own
from minigrad.gate.overriding import enrol
from minigrad.ops import recurrent as r
from minigrad.ops.shape import split

Runs: TypeAlias = "tuple[tuple[int, int], ...]"

# What PyTorch's steps compute last.
_LAST = {
    "LSTM": ("MulBackward0", "AddBackward0"), "GRU": ("AddBackward0",), "RNN_TANH": ("TanhBackward0",),
    "RNN_RELU": ("ReluBackward0",),
}  # fmt: skip


def layer(
    mode: str,
    x: Tensor,
    states: Sequence[Tensor],
    weights: Sequence[Tensor],
    runs: Runs,
    reverse: bool = False,
    outputs: bool = True,
) -> list[Tensor]:
    """The outputs (rows, hidden) of all rows of ``x`` (rows, input), then the last states, each (batch, hidden).

    Without ``outputs`` the states alone.
    ``mode`` is that of `nn.RNNBase`. ``weights`` are those of input and hidden state, the two biases if there are
    any, and the projection of an LSTM, if it has one. ``runs`` tells how many steps have how many sequences.
    RuntimeError unless all have one dtype.
    """
    op: Op
    params: Params = {"runs": runs, "reverse": reverse}
    if mode == "LSTM":
        op, params["biased"] = r.lstm, len(weights) > 3
    elif mode == "GRU":
        op = r.gru
    else:
        op, params["relu"] = r.rnn, mode == "RNN_RELU"
    since = next_seq()
    operands = x, *states, *weights
    for t in operands:
        if t._array.dtype != x._array.dtype:
            raise runtime_error(
                f"{op.name}: mat1 and mat2 must have the same dtype, but got {scalar(x.dtype)} and {scalar(t.dtype)}"
            )
    y = r.STEPS[op.name](*operands, **params) if is_complex(x) else apply(op, operands, params)
    rows, last = (len(x._array), states[0]._array.shape[1]), [s._array.shape for s in states]
    parts = [own(t) for t in (split(y, [rows, *last]) if outputs else split(y, last, rows[0] * rows[1]))]
    for state, name in zip(parts[outputs:], _LAST[mode], strict=True):
        if state._node is not None:
            state._node.outer = name, since
    return parts


def last_record(mode: str, x: Tensor, projected: int, both: bool) -> str:
    """PyTorch's name of what its layers compute last, before dimensions change places."""
    if both:
        return "CatBackward0"
    fused = mode == "LSTM" and not projected and x._array.dtype.char == "f"
    return "MkldnnRnnLayerBackward0" if fused else "StackBackward0"


# The modules call it as PyTorch's call functions.
enrol(layer)

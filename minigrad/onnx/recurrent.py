"""How recurrent layers are written in ONNX, whose gates stand in another order."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.onnx.out import Out

# By gates of ONNX's: the places of the same gates in PyTorch's order.
_LSTM, _GRU, _RNN = (0, 3, 1, 2), (1, 0, 2), (0,)


def rnn(
    o: Out, x: str, h: str, w: str, u: str, *bias: str, runs: Any, reverse: bool, relu: bool
) -> list[str]:
    """The parts of the result, each as rows: of the outputs, and of the last states."""
    return _layer(o, "RNN", _RNN, x, [h], w, u, bias, reverse, activations=["Relu" if relu else "Tanh"])


def gru(o: Out, x: str, h: str, w: str, u: str, *bias: str, runs: Any, reverse: bool) -> list[str]:
    """As `rnn`."""
    return _layer(o, "GRU", _GRU, x, [h], w, u, bias, reverse, linear_before_reset=1)


def lstm(
    o: Out, x: str, h: str, c: str, w: str, u: str, *more: str, runs: Any, reverse: bool, biased: bool
) -> list[str]:
    """As `rnn`, with the last cells behind."""
    if len(more) % 2:
        raise o.refuse("ONNX has no projection of an LSTM's states")
    return _layer(o, "LSTM", _LSTM, x, [h, c], w, u, more, reverse)


def _layer(
    o: Out, operator: str, order: tuple[int, ...], x: str, states: list[str], w: str, u: str, bias: Any,
    reverse: bool, **attributes: Any,
) -> list[str]:  # fmt: skip
    runs, wide = o.node.params["runs"], o.twin.params["runs"]
    if len(runs) != 1 or len(wide) != 1:
        raise o.refuse("its sequences have several lengths")
    steps, width = runs[0][0], o.node.inputs[1].shape[1]
    if steps != wide[0][0]:
        raise o.refuse(
            "the number of steps varies with dimension 0, which is the batch: use batch_first=True, or dynamic_axes={}"
        )

    def ordered(weight: str) -> str:
        rows = np.concatenate([np.arange(k * width, (k + 1) * width) for k in order])
        return weight if len(order) == 1 else o("Gather", weight, o.array(rows, np.int64), axis=0)

    def in_front(name: str) -> str:
        return o("Unsqueeze", name, o.array([0], np.int64)) if name else ""

    inputs = [
        o("Reshape", x, o.array([steps, -1, o.node.inputs[0].shape[1]], np.int64)),
        *(in_front(ordered(weight)) for weight in (w, u)),
        in_front(o("Concat", *map(ordered, bias), axis=0)) if bias else "",
        "",  # the lengths
        *map(in_front, states),
    ]
    direction = "reverse" if reverse else "forward"
    results = o.several(
        operator, inputs, 1 + len(states), hidden_size=width, direction=direction, **attributes
    )
    return [o("Reshape", name, o.array([-1, width], np.int64)) for name in results]

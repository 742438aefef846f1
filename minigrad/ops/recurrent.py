"""Recurrent layers, in one direction, and their gradients.

The gradient of a layer is one record, a vector of the gradients of all of its inputs. Its own gradient is found by
replaying the layer step by step with the operations that it consists of, and differentiating these twice.
"""

from __future__ import annotations

import contextvars
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import engine
from minigrad.core.apply import apply
from minigrad.core.mode import MODE, Mode, ModeManager
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor, leaf, wrap
from minigrad.core.text import Plain
from minigrad.kernels import recurrent as k
from minigrad.ops import elementwise as e
from minigrad.ops.buffered import kept
from minigrad.ops.linalg import matmul
from minigrad.ops.nn import relu as relu_of
from minigrad.ops.printing import recurrent as plain
from minigrad.ops.reads import of_gradients, of_layer, through_time
from minigrad.ops.shape import alias, cat, reshape, slice_, split


def _rows(x: Any, first: int, stop: int) -> Any:
    return slice_(x, index=(slice(first, stop),))


def _columns(x: Any, first: int, stop: int) -> Any:
    return slice_(x, index=(slice(None), slice(first, stop)))


def _flat(parts: Sequence[Any]) -> Any:
    return cat(*[reshape(p, shape=(-1,)) for p in parts], dim=0)


def _linear(x: Any, w: Any, b: Any) -> Any:
    y = matmul(x, w.T)
    return y if b is None else y + b


# ---------------------------------------------------------------- one step after the other


def _replayed(step: Callable[..., Any], states: list[Any], x: Any, runs: Any, reverse: bool) -> Any:
    """What a layer gives, as a vector, by the operations of its steps; ``step`` makes new states of the input's rows.

    Sequences that have ended, or have not begun where time runs backwards, keep their states.
    """
    outputs: dict[int, Any] = {}
    for first, count, n in k.steps(runs, reverse):
        for t in range(count)[:: -1 if reverse else 1]:
            row = first + t * n
            active = [_rows(s, 0, n) if n < len(s) else s for s in states]
            new = step(_rows(x, row, row + n), *active)
            states = [
                cat(s, _rows(old, n, len(old)), dim=0) if n < len(old) else s
                for s, old in zip(new, states, strict=True)
            ]
            outputs[row] = new[0]
    return _flat([*(outputs[row] for row in sorted(outputs)), *states])


def _rnn_steps(x: Any, h: Any, w: Any, u: Any, *bias: Any, runs: Any, reverse: bool, relu: bool) -> Any:
    b, c = bias or (None, None)
    curve = relu_of if relu else e.tanh
    return _replayed(lambda x, h: [curve(_linear(x, w, b) + _linear(h, u, c))], [h], x, runs, reverse)


def _lstm_steps(
    x: Any, h: Any, c: Any, w: Any, u: Any, *more: Any, runs: Any, reverse: bool, biased: bool
) -> Any:
    b, b2 = more[:2] if biased else (None, None)
    width = c.shape[1]

    def step(x: Any, h: Any, c: Any) -> list[Any]:
        z = _linear(x, w, b) + _linear(h, u, b2)
        i, f, a, o = (_columns(z, j * width, (j + 1) * width) for j in range(4))
        c = e.sigmoid(f) * c + e.sigmoid(i) * e.tanh(a)
        h = e.sigmoid(o) * e.tanh(c)
        return [matmul(h, more[-1].T) if len(more) % 2 else h, c]

    return _replayed(step, [h, c], x, runs, reverse)


def _gru_steps(x: Any, h: Any, w: Any, u: Any, *bias: Any, runs: Any, reverse: bool) -> Any:
    b, b2 = bias or (None, None)
    width = h.shape[1]

    def step(x: Any, h: Any) -> list[Any]:
        s, t = _linear(x, w, b), _linear(h, u, b2)
        r, z = (
            e.sigmoid(_columns(s, j * width, (j + 1) * width) + _columns(t, j * width, (j + 1) * width))
            for j in (0, 1)
        )
        n = e.tanh(_columns(s, 2 * width, 3 * width) + r * _columns(t, 2 * width, 3 * width))
        return [n + z * (h - n)]

    return _replayed(step, [h], x, runs, reverse)


def _costs(y: Any, x: Any, h: Any, w: tuple[int, ...], u: tuple[int, ...], *bias: Any) -> int:
    return int(x[0] * (math.prod(w) + math.prod(u)))


def _gradient_costs(
    needs: Sequence[bool], y: Any, x: Any, h: Any, w: tuple[int, ...], u: tuple[int, ...], *bias: Any
) -> int:
    by_input, by_state = x[0] * math.prod(w), x[0] * math.prod(u)
    # Each state has a gradient for the step before it, the first one only if it is wanted.
    first = 0 if needs[1] else h[0] * math.prod(u)
    return int(by_input * (needs[0] + needs[2]) + by_state * (needs[3] + 1) - first)


def _of_lstm(node: Any) -> str:
    """That of a layer; a cell takes one step."""
    layer = sum(steps for steps, _ in node.params["runs"]) > 1
    return "MkldnnRnnLayerBackward0" if layer else "LstmBackward0"


def _lstm_costs(y: Any, x: Any, h: Any, c: Any, w: tuple[int, ...], u: tuple[int, ...], *more: Any) -> int:
    projection = math.prod(more[-1]) if len(more) % 2 else 0
    return int(x[0] * (math.prod(w) + math.prod(u) + projection))


# ---------------------------------------------------------------- the rules


def _vjp(
    backward: Op, g: Any, y: Any, inputs: Sequence[Any], needs: Sequence[bool], **params: Any
) -> list[Any]:
    """The gradients of a layer's inputs; that of x, one of the large products, only where it is wanted."""
    shapes = [tuple(x.shape) for x in inputs]
    if needs[0]:
        return split(backward(g, y, *inputs, **params, onward=True), shapes)
    return [None, *split(backward(g, y, *inputs, **params, onward=False), shapes[1:])]


def _leaf(t: Any) -> Any:
    """Where a pass through a replay ends: it stands for a Tensor, whose own history that pass shall not follow."""
    if isinstance(t, Tensor) and t._node is not None and t._node.requires_grad:
        return apply(alias, (t,))
    t = wrap(t._array if isinstance(t, Tensor) else t)
    leaf(t, True)
    return t


def _vjp_of_vjp(layer: str, g: Any, d: Any, inputs: Sequence[Any], onward: bool, **params: Any) -> list[Any]:
    """The gradients of ``<g, gradients of a layer's inputs>``, for the layer's gradient ``d`` and for the inputs.

    The layer is replayed, and differentiated twice. The place of its result, which follows from the inputs, has None.
    """
    mode = MODE.get()
    if mode.recorder is not None and not mode.grad:  # one record in place of thousands
        how = (layer, onward, tuple(params.items()))
        of_d, *others = split(_replay(g, d, *inputs, how=how), [tuple(x.shape) for x in (d, *inputs)])
    else:
        of_d, *others = _differentiated(layer, g, d, inputs, onward, mode.grad, **params)
    return [of_d, None, *others]


def _differentiated(
    layer: str, g: Any, d: Any, inputs: Sequence[Any], onward: bool, create: bool, **params: Any
) -> list[Any]:
    with ModeManager(MODE.get().replace(grad=True)):
        seed, *leaves = tensors = [_leaf(t) for t in (d, *inputs)]
        y = STEPS[layer](*leaves, **params)
        ends = leaves if onward else leaves[1:]
        first = engine.run([y._node], [seed], [t._node for t in ends], True, True)
        weights = split(g, [t._array.shape for t in ends])
        pairs = [(first[t._node]._node, v) for t, v in zip(ends, weights, strict=True) if t._node in first]
        roots = [pair for pair in pairs if pair[0] is not None and pair[0].requires_grad]
        nodes = [t._node for t in tensors]
        second = engine.run([n for n, _ in roots], [v for _, v in roots], nodes, create, create)
    return [second.get(n) for n in nodes]


def replayed(g: Any, d: Any, *inputs: Any, how: tuple[str, bool, tuple[tuple[str, Any], ...]]) -> Any:
    """The gradients of `_vjp_of_vjp` side by side, of arrays and whatever is recorded around."""
    layer, onward, params = how

    def run() -> list[Any]:
        MODE.set(Mode())
        return _differentiated(layer, g, d, inputs, onward, False, **dict(params))

    gradients = zip(contextvars.Context().run(run), (d, *inputs), strict=True)
    return np.concatenate([np.zeros(x.size, x.dtype) if a is None else a.ravel() for a, x in gradients])


# The layers step by step: second derivatives, and complex numbers, which the kernels do not take.
STEPS: dict[str, Callable[..., Any]] = {"rnn": _rnn_steps, "lstm": _lstm_steps, "gru": _gru_steps}


def _plain(kernel: Any) -> Plain:
    name = kernel.__name__
    operands = (
        f"{'d, y, ' * name.endswith('backward')}x, h, {'c, ' * name.startswith('lstm')}w, u, b_ih, b_hh"
    )
    return Plain(kernel, operands, plain(name))


_USUAL = {"runs": ..., "biased": ..., "onward": ...}

# fmt: off
rnn: Op = Op("rnn", kept(k.rnn), "x h w u *bias; runs reverse relu", order="C", text=_plain(k.rnn), costs=_costs,
             gradient_costs=_gradient_costs,
             joint=lambda g, y, x, h, w, u, bias, needs, runs, reverse, relu: _vjp(
                 rnn_backward, g, y, (x, h, w, u, *bias), needs, runs=runs, reverse=reverse, relu=relu),
             usual=_USUAL, derives=through_time, packs=of_layer)
rnn_backward: Op = Op("rnn_backward", kept(k.rnn_backward), "d result x h w u *bias; runs reverse relu onward",
                      order="C", text=_plain(k.rnn_backward),
                      joint=lambda g, d, x, h, w, u, bias, runs, reverse, relu, onward: _vjp_of_vjp(
                          "rnn", g, d, (x, h, w, u, *bias), onward, runs=runs, reverse=reverse, relu=relu),
                      usual=_USUAL, packs=of_gradients())
lstm: Op = Op("lstm", kept(k.lstm, place=k.with_states), "x h c w u *more; runs reverse biased", order="C",
              text=_plain(k.lstm), costs=_lstm_costs, grad_fn=_of_lstm,
              gradient_costs=lambda needs, y, x, h, c, *weights: _gradient_costs(
                  (*needs[:2], *needs[3:]), y, x, h, *weights),
              joint=lambda g, y, x, h, c, w, u, more, needs, runs, reverse, biased: _vjp(
                  lstm_backward, g, y, (x, h, c, w, u, *more), needs, runs=runs, reverse=reverse, biased=biased),
              usual=_USUAL, derives=through_time, packs=of_layer)
lstm_backward: Op = Op("lstm_backward", kept(k.lstm_backward, states=k.states_of),
                       "d result x h c w u *more; runs reverse biased onward", order="C",
                       text=_plain(k.lstm_backward),
                       joint=lambda g, d, x, h, c, w, u, more, runs, reverse, biased, onward: _vjp_of_vjp(
                           "lstm", g, d, (x, h, c, w, u, *more), onward, runs=runs, reverse=reverse,
                           biased=biased), usual=_USUAL, packs=of_gradients())
gru: Op = Op("gru", kept(k.gru, place=k.with_states), "x h w u *bias; runs reverse", order="C",
             text=_plain(k.gru), costs=_costs, gradient_costs=_gradient_costs,
             joint=lambda g, y, x, h, w, u, bias, needs, runs, reverse: _vjp(
                 gru_backward, g, y, (x, h, w, u, *bias), needs, runs=runs, reverse=reverse),
             usual=_USUAL, derives=through_time, packs=of_layer)
gru_backward: Op = Op("gru_backward", kept(k.gru_backward, states=k.states_of),
                      "d result x h w u *bias; runs reverse onward", order="C", text=_plain(k.gru_backward),
                      joint=lambda g, d, x, h, w, u, bias, runs, reverse, onward: _vjp_of_vjp(
                          "gru", g, d, (x, h, w, u, *bias), onward, runs=runs, reverse=reverse), usual=_USUAL,
                      packs=of_gradients())
_replay = Op(replayed.__name__, replayed, "g d *inputs; how", order="C", listed=False)
# fmt: on

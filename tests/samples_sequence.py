"""Rows of samples for recurrent layers; see op_samples.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

NAMES = ("rnn", "lstm", "gru")
NOT_0D = dict.fromkeys((*NAMES, *(f"{name}_backward" for name in NAMES)), "operands have rows")


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _steps(runs: Any, reverse: bool) -> Iterator[tuple[int, int]]:
    """The first row of each step, and how many sequences it has, in the order of time or against it."""
    sizes = [n for count, n in runs for _ in range(count)]
    order = list(zip(np.cumsum([0, *sizes])[:-1].tolist(), sizes, strict=True))
    return iter(order[::-1] if reverse else order)


def layer(step: Callable[..., Any], x: Any, states: list[Any], runs: Any, reverse: bool) -> Any:
    """A layer, sequence by sequence and step by step."""
    kind = np.result_type(x, *states, np.float64)
    states = [np.array(s, kind) for s in states]
    outputs = np.zeros((len(x), states[0].shape[1]), kind)
    for first, n in _steps(runs, reverse):
        for j in range(n):
            new = step(x[first + j], *(s[j] for s in states))
            for s, value in zip(states, new, strict=True):
                s[j] = value
            outputs[first + j] = new[0]
    return np.concatenate([outputs.ravel(), *(s.ravel() for s in states)])


def rnn(x: Any, h: Any, w: Any, u: Any, *bias: Any, runs: Any, reverse: bool, relu: bool) -> Any:
    def step(x: Any, h: Any) -> list[Any]:
        z = w @ x + u @ h + sum(bias)
        return [z * (z.real > 0) if relu else np.tanh(z)]

    return layer(step, x, [h], runs, reverse)


def lstm(x: Any, h: Any, c: Any, w: Any, u: Any, *more: Any, runs: Any, reverse: bool, biased: bool) -> Any:
    def step(x: Any, h: Any, c: Any) -> list[Any]:
        i, f, g, o = np.split(w @ x + u @ h + sum(more[: 2 * biased]), 4)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        return [more[-1] @ h if len(more) % 2 else h, c]

    return layer(step, x, [h, c], runs, reverse)


def gru(x: Any, h: Any, w: Any, u: Any, *bias: Any, runs: Any, reverse: bool) -> Any:
    def step(x: Any, h: Any) -> list[Any]:
        a, b = (np.split(m @ v + (bias[k] if bias else 0), 3) for k, (m, v) in enumerate(((w, x), (u, h))))
        r, z = _sigmoid(a[0] + b[0]), _sigmoid(a[1] + b[1])
        return [(1 - z) * np.tanh(a[2] + r * b[2]) + z * h]

    return layer(step, x, [h], runs, reverse)


def _gradients(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The gradients by d, one input's element after the other: the imaginary part after a step that is imaginary."""

    def value(d: Any, *inputs: Any, onward: bool, **params: Any) -> Any:
        gradients = []
        for k, x in enumerate(inputs):
            for at in np.ndindex(x.shape) if k or onward else ():
                moved = [np.array(a, complex) for a in inputs]
                moved[k][at] += 1e-30j
                gradients.append((forward(*moved, **params).imag / 1e-30) @ d)
        return np.array(gradients)

    return value


def _via(name: str) -> Callable[..., Any]:
    """The second input is what the layer gives."""

    def call(op: Any, d: Any, *inputs: Any, onward: bool, **params: Any) -> Any:
        from minigrad.tape import TABLE

        return op(d, TABLE[name](*inputs, **params), *inputs, **params, onward=onward)

    return call


def rows() -> list[Any]:
    """The rows; a function, because op_samples.py imports this file."""
    from op_samples import Row, real

    table = []
    several = ((1, 2), (1, 1))
    # mode, runs, against time, biased, projected, other parameters
    cases: list[tuple[str, Any, bool, bool, int, dict[str, Any]]] = [
        ("rnn", ((2, 2),), False, True, 0, {"relu": False}),
        ("rnn", several, True, False, 0, {"relu": True}),
        ("rnn", ((2, 0),), False, True, 0, {"relu": False}),
        ("gru", ((2, 2),), True, True, 0, {}),
        ("gru", several, False, False, 0, {}),
        ("gru", ((2, 0),), False, True, 0, {}),
        ("lstm", ((2, 2),), True, False, 0, {"biased": False}),
        ("lstm", several, False, True, 0, {"biased": True}),
        ("lstm", several, True, True, 1, {"biased": True}),
        ("lstm", ((2, 0),), False, True, 0, {"biased": True}),
        # what cells take
        ("rnn", ((1, 2),), False, True, 0, {"relu": False}),
        ("rnn", ((1, 1),), True, False, 0, {"relu": True}),
        ("gru", ((1, 2),), False, True, 0, {}),
        ("gru", ((1, 1),), True, False, 0, {}),
        ("lstm", ((1, 2),), False, True, 0, {"biased": True}),
        ("lstm", ((1, 1),), True, False, 1, {"biased": False}),
    ]
    forward = {"rnn": rnn, "gru": gru, "lstm": lstm}
    for name, runs, reverse, biased, projected, other in cases:
        batch, width = max(n for _, n in runs), 2
        gates, out = {"rnn": 1, "gru": 3, "lstm": 4}[name] * width, projected or width
        count = sum(steps * n for steps, n in runs)
        shapes: list[tuple[int, ...]] = [(count, 2), (batch, out)]
        shapes += [(batch, width)] * (name == "lstm")
        shapes += [(gates, 2), (gates, out)] + [(gates,)] * 2 * biased + [(out, width)] * bool(projected)
        inputs = tuple(real(*s) for s in shapes)
        size = count * out + batch * out + batch * width * (name == "lstm")
        params = {"runs": runs, "reverse": reverse, **other}
        wanted = "".join(map(str, range(len(inputs))))
        table.append(Row(name, inputs, forward[name], wanted, params))
        onward = reverse or not biased
        table.append(
            Row(f"{name}_backward", (real(size), *inputs), _gradients(forward[name]), f"{wanted}{len(inputs)}",
                {**params, "onward": onward}, via=_via(name))
        )  # fmt: skip
    return table

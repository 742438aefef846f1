"""Recurrent layers in one direction: loops over time, and what backward needs, in memory that is there.

All steps lie in one matrix, a row for each step and sequence.  ``runs`` tells the sizes of the batches: pairs of a
number of steps and the number of sequences in each, the sequences sorted by length.  A layer's result is a vector:
the outputs of all steps, then the last hidden state, for an LSTM then the last cell state.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

Array = np.ndarray[Any, Any]
Runs: TypeAlias = "tuple[tuple[int, int], ...]"


class States(np.ndarray[Any, Any]):
    """A result together with the gates and cells behind it.

    The vector that a kernel returns is a view of its beginning. Backward looks whether what it gets still is, and
    otherwise, as in a program that has copied the vector, computes them anew.
    """


def _states(y: Array, size: int) -> Array | None:
    base: Any = y.base
    return base.view(np.ndarray) if type(base) is States and base.size == size and y.ndim == 1 else None


def _result(size: int, more: int, dtype: Any) -> tuple[Array, Array]:
    """A vector of ``size`` elements, and the ``more`` elements behind it."""
    states: Any = np.ndarray.__new__(States, (size + more,), dtype)
    plain = states.view(np.ndarray)
    return np.ndarray((size,), dtype, states), plain[size:]


def steps(runs: Runs, reverse: bool) -> Iterator[tuple[int, int, int]]:
    """Of each run, in the order of time or against it: the first row, how many steps, how many sequences."""
    first, spans = 0, []
    for count, n in runs:
        spans.append((first, count, n))
        first += count * n
    return iter(spans[::-1] if reverse else spans)


def _last(out: Array, first: Array, runs: Runs, reverse: bool, into: Array) -> None:
    """The state of each sequence after its last step: for one run the last rows."""
    into[...] = first
    for row, count, n in steps(runs, reverse):
        if count:
            at = row if reverse else row + (count - 1) * n
            into[:n] = out[at : at + n]


def _before(out: Array, first: Array, runs: Runs, reverse: bool) -> Array:
    """The state that each row of ``out`` followed from."""
    before, now = np.empty_like(out), first.copy()
    for row, count, n in steps(runs, reverse):
        rows = slice(row, row + count * n)
        if not count:
            continue
        if reverse:
            before[rows.stop - n : rows.stop] = now[:n]
            before[row : rows.stop - n] = out[row + n : rows.stop]
            now[:n] = out[row : row + n]
        else:
            before[row : row + n] = now[:n]
            before[row + n : rows.stop] = out[row : rows.stop - n]
            now[:n] = out[rows.stop - n : rows.stop]
    return before


def _input(x: Array, w: Array, bias: Array | None, scale: Array | float, out: Array) -> None:
    """The products of all steps' inputs, with the bias."""
    np.matmul(x, (w.T * scale), out=out)
    if bias is not None:
        out += bias * scale


def _walk(runs: Runs, reverse: bool, *arrays: Array) -> Iterator[tuple[int, Any]]:
    """Step by step: how many sequences it has, and its rows of each of the arrays."""
    for row, count, n in steps(runs, reverse):
        rows = [a[row : row + count * n].reshape(count, n, *a.shape[1:]) for a in arrays]
        if reverse:
            rows = [a[::-1] for a in rows]
        for parts in zip(*rows, strict=True):
            yield n, parts


def _sums(d: Array) -> Array:
    """The sum of rows, by a product: float32 adds up more exactly so, and faster."""
    return np.dot(np.ones(len(d), d.dtype), d)


class _Flat:
    """The gradients of a layer's inputs, side by side in one vector."""

    def __init__(self, arrays: Any, dtype: Any) -> None:
        self.flat, self.parts, first = np.empty(sum(a.size for a in arrays), dtype), [], 0
        for a in arrays:
            self.parts.append(self.flat[first : first + a.size].reshape(a.shape))
            first += a.size


def _wide(kernel: Any, arrays: Any, **params: Any) -> Any:
    """A kernel in float32, for float16."""
    return kernel(*[a.astype(np.float32) for a in arrays], **params).astype(np.float16)


# ---------------------------------------------------------------- tanh or relu of a sum


def rnn(x: Array, h: Array, w: Array, u: Array, *bias: Array, runs: Runs, reverse: bool, relu: bool) -> Any:
    """``h' = tanh(w x + u h + bias)`` step by step, or with relu."""
    if x.dtype.char == "e":
        return _wide(rnn, (x, h, w, u, *bias), runs=runs, reverse=reverse, relu=relu)
    rows, width, n = len(x), len(w), len(h)
    y = np.empty((rows + n) * width, x.dtype)
    out = y[: rows * width].reshape(rows, width)
    _input(x, w, bias[0] + bias[1] if bias else None, 1.0, out)
    turned, product, now = np.ascontiguousarray(u.T), np.empty((n, width), x.dtype), h.copy()
    for n, (z,) in _walk(runs, reverse, out):
        z += np.matmul(now[:n], turned, out=product[:n])
        if relu:
            np.maximum(z, 0.0, out=z)
        else:
            np.tanh(z, out=z)
        now[:n] = z
    y[rows * width :] = now.reshape(-1)
    return y


def rnn_backward(
    d: Array, y: Array, x: Array, h: Array, w: Array, u: Array, *bias: Array, runs: Runs, reverse: bool, relu: bool
) -> Any:  # fmt: skip
    """The gradients of the inputs of `rnn`, one behind the other, by that of its result."""
    if x.dtype.char == "e":
        return _wide(rnn_backward, (d, y, x, h, w, u, *bias), runs=runs, reverse=reverse, relu=relu)
    rows, width, n = len(x), len(w), len(h)
    out, d_out = (a[: rows * width].reshape(rows, width) for a in (y, d))
    dz = np.asarray(out > 0).astype(x.dtype) if relu else 1.0 - out * out
    g = _Flat((x, h, w, u, *bias), x.dtype)
    dx, carry, dw, du, *db = g.parts
    carry[...] = d[rows * width :].reshape(n, width)
    total = np.empty((n, width), x.dtype)
    for n, (z, up) in _walk(runs, not reverse, dz, d_out):
        z *= np.add(carry[:n], up, out=total[:n])
        np.matmul(z, u, out=carry[:n])
    np.matmul(dz, w, out=dx)
    np.matmul(dz.T, x, out=dw)
    np.matmul(dz.T, _before(out, h, runs, reverse), out=du)
    for b in db:
        b[...] = _sums(dz)
    return g.flat


# ---------------------------------------------------------------- LSTM


def _lstm_sizes(x: Array, h: Array, c: Array) -> tuple[int, int, int]:
    """The sizes of the outputs, of the whole vector, and of gates and cells behind it."""
    outputs = len(x) * h.shape[1]
    return outputs, outputs + h.size + c.size, len(x) * 5 * c.shape[1]


def _curves(width: int, dtype: Any) -> tuple[Array, Array]:
    """``sigmoid(z) = tanh(z / 2) / 2 + 1 / 2``: by what gates are multiplied before and after, and what is added."""
    half = np.full(4 * width, 0.5, dtype)
    half[2 * width : 3 * width] = 1.0
    return half, np.where(half == 1.0, 0.0, half).astype(dtype)


def lstm(
    x: Array, h: Array, c: Array, w: Array, u: Array, *more: Array, runs: Runs, reverse: bool, biased: bool
) -> Any:
    """An LSTM; ``more`` are the two biases, if it is ``biased``, and the projection of the hidden state, if any."""
    if x.dtype.char == "e":
        return _wide(lstm, (x, h, c, w, u, *more), runs=runs, reverse=reverse, biased=biased)
    outputs, size, rest = _lstm_sizes(x, h, c)
    y, states = _result(size, rest, x.dtype)
    rows, n, width = len(x), len(h), c.shape[1]
    gates, cells = (
        states[: 4 * rows * width].reshape(rows, 4, width),
        states[4 * rows * width :].reshape(rows, width),
    )
    out = y[:outputs].reshape(rows, h.shape[1])
    project = more[2 if biased else 0].T if len(more) % 2 else None
    scale, shift = _curves(width, x.dtype)
    flat = gates.reshape(rows, 4 * width)
    _input(x, w, more[0] + more[1] if biased else None, scale, flat)
    turned, product = u.T * scale, np.empty((n, 4 * width), x.dtype)
    part, hidden, now, cell = np.empty_like(c), np.empty_like(c), h.copy(), c.copy()
    walk = _walk(runs, reverse, flat, *(gates[:, k] for k in range(4)), cells, out)
    for n, (z, i, f, a, o, new, to) in walk:
        z += np.matmul(now[:n], turned, out=product[:n])
        np.tanh(z, out=z)
        z *= scale
        z += shift
        np.multiply(f, cell[:n], out=new)
        new += np.multiply(i, a, out=part[:n])
        cell[:n] = new
        np.tanh(new, out=part[:n])
        if project is None:
            np.multiply(o, part[:n], out=to)
        else:
            np.matmul(np.multiply(o, part[:n], out=hidden[:n]), project, out=to)
        now[:n] = to
    y[outputs : outputs + h.size] = now.reshape(-1)
    y[outputs + h.size :] = cell.reshape(-1)
    return y


def lstm_backward(
    d: Array, y: Array, x: Array, h: Array, c: Array, w: Array, u: Array, *more: Array, runs: Runs, reverse: bool,
    biased: bool,
) -> Any:  # fmt: skip
    """The gradients of the inputs of `lstm`, one behind the other, by that of its result."""
    if x.dtype.char == "e":
        return _wide(lstm_backward, (d, y, x, h, c, w, u, *more), runs=runs, reverse=reverse, biased=biased)
    outputs, size, rest = _lstm_sizes(x, h, c)
    states = _states(y, size + rest)
    if states is None:
        y = lstm(x, h, c, w, u, *more, runs=runs, reverse=reverse, biased=biased)
        states = y.base.view(np.ndarray)
    rows, n, width = len(x), len(h), c.shape[1]
    states = states[size:]
    gates, cells = (
        states[: 4 * rows * width].reshape(rows, 4, width),
        states[4 * rows * width :].reshape(rows, width),
    )
    out, d_out = (a[:outputs].reshape(rows, h.shape[1]) for a in (y, d))
    i, f, a, o = (gates[:, k] for k in range(4))
    curved = np.tanh(cells)
    # What the gradients of cell and hidden state are multiplied by to get those of the gates before their curves.
    dz = np.empty_like(gates)
    np.multiply(a, i - i * i, out=dz[:, 0])
    np.multiply(_before(cells, c, runs, reverse), f - f * f, out=dz[:, 1])
    np.multiply(i, 1.0 - a * a, out=dz[:, 2])
    np.multiply(curved, o - o * o, out=dz[:, 3])
    through = o * (1.0 - curved * curved)
    projection = more[-1] if len(more) % 2 else None
    g = _Flat((x, h, c, w, u, *more), x.dtype)
    dx, carry, cell, dw, du, *dmore = g.parts
    carry[...] = d[outputs : outputs + h.size].reshape(h.shape)
    cell[...] = d[outputs + h.size :].reshape(c.shape)
    part, hidden, total = np.empty_like(c), np.empty_like(c), np.empty_like(d_out)
    flat = dz.reshape(rows, 4 * width)
    walk = _walk(runs, not reverse, flat, dz[:, :3], dz[:, 3], f, through, d_out, total)
    for n, (z, first, fourth, forget, by, up, at) in walk:
        dh = np.add(carry[:n], up, out=at)
        if projection is not None:
            dh = np.matmul(dh, projection, out=hidden[:n])
        dc = cell[:n]
        dc += np.multiply(dh, by, out=part[:n])
        first *= dc[:, None]
        fourth *= dh
        dc *= forget
        np.matmul(z, u, out=carry[:n])
    np.matmul(flat, w, out=dx)
    np.matmul(flat.T, x, out=dw)
    np.matmul(flat.T, _before(out, h, runs, reverse), out=du)
    for b in dmore[: 2 * biased]:
        b[...] = _sums(flat)
    if projection is not None:
        np.matmul(total.T, o * curved, out=dmore[-1])
    return g.flat


# ---------------------------------------------------------------- GRU


def gru(x: Array, h: Array, w: Array, u: Array, *bias: Array, runs: Runs, reverse: bool) -> Any:
    """A GRU: reset and update gate r and z, ``n = tanh(w x + b + r * (u h + b'))``, then ``(1 - z) * n + z * h``."""
    if x.dtype.char == "e":
        return _wide(gru, (x, h, w, u, *bias), runs=runs, reverse=reverse)
    rows, n, width = len(x), len(h), h.shape[1]
    size = rows * width + h.size
    y, states = _result(size, 4 * rows * width, x.dtype)
    gates, inner = (
        states[: 3 * rows * width].reshape(rows, 3, width),
        states[3 * rows * width :].reshape(rows, width),
    )
    out, flat = y[: rows * width].reshape(rows, width), gates.reshape(rows, 3 * width)
    scale = np.full(3 * width, 0.5, x.dtype)
    scale[2 * width :] = 1.0
    both, last = None, None
    if bias:
        both, last = bias[0].copy(), bias[1][2 * width :]
        both[: 2 * width] += bias[1][: 2 * width]
    _input(x, w, both, scale, flat)
    turned, product = u.T * scale, np.empty((n, 3 * width), x.dtype)
    part, now = np.empty_like(h), h.copy()
    walk = _walk(runs, reverse, flat[:, : 2 * width], *(gates[:, k] for k in range(3)), inner, out)
    for n, (rz, r, z, a, q, to) in walk:
        p = np.matmul(now[:n], turned, out=product[:n])
        rz += p[:, : 2 * width]
        np.tanh(rz, out=rz)
        rz *= 0.5
        rz += 0.5
        if last is None:
            q[...] = p[:, 2 * width :]
        else:
            np.add(p[:, 2 * width :], last, out=q)
        a += np.multiply(r, q, out=part[:n])
        np.tanh(a, out=a)
        np.subtract(now[:n], a, out=to)
        to *= z
        to += a
        now[:n] = to
    y[rows * width :] = now.reshape(-1)
    return y


def gru_backward(
    d: Array, y: Array, x: Array, h: Array, w: Array, u: Array, *bias: Array, runs: Runs, reverse: bool
) -> Any:
    """The gradients of the inputs of `gru`, one behind the other, by that of its result."""
    if x.dtype.char == "e":
        return _wide(gru_backward, (d, y, x, h, w, u, *bias), runs=runs, reverse=reverse)
    rows, n, width = len(x), len(h), h.shape[1]
    size = rows * width + h.size
    states = _states(y, size + 4 * rows * width)
    if states is None:
        y = gru(x, h, w, u, *bias, runs=runs, reverse=reverse)
        states = y.base.view(np.ndarray)
    states = states[size:]
    gates, inner = (
        states[: 3 * rows * width].reshape(rows, 3, width),
        states[3 * rows * width :].reshape(rows, width),
    )
    out, d_out = (a[: rows * width].reshape(rows, width) for a in (y, d))
    r, z, a = (gates[:, k] for k in range(3))
    before = _before(out, h, runs, reverse)
    # Gradients of r, z and of what r is multiplied by, and of what tanh is taken of: first what they are factors of.
    dz = np.empty((rows, 4, width), x.dtype)
    np.multiply(inner, r - r * r, out=dz[:, 0])
    np.multiply(before - a, z - z * z, out=dz[:, 1])
    dz[:, 2] = r
    np.multiply(1.0 - z, 1.0 - a * a, out=dz[:, 3])
    g = _Flat((x, h, w, u, *bias), x.dtype)
    dx, carry, dw, du, *db = g.parts
    carry[...] = d[rows * width :].reshape(h.shape)
    product, flat = np.empty_like(carry), dz.reshape(rows, 4 * width)
    to_hidden = flat[:, : 3 * width]
    walk = _walk(runs, not reverse, to_hidden, *(dz[:, k] for k in range(4)), z, d_out)
    for n, (hidden, of_r, of_z, of_q, of_a, keep, up) in walk:
        dh = carry[:n]
        dh += up
        of_a *= dh
        of_z *= dh
        of_r *= of_a
        of_q *= of_a
        dh *= keep
        dh += np.matmul(hidden, u, out=product[:n])
    to_input = np.concatenate((flat[:, : 2 * width], flat[:, 3 * width :]), axis=1)
    np.matmul(to_input, w, out=dx)
    np.matmul(to_input.T, x, out=dw)
    np.matmul(to_hidden.T, before, out=du)
    for b, gradient in zip(db, (to_input, to_hidden), strict=False):
        b[...] = _sums(gradient)
    return g.flat

"""Recurrent layers in one direction: loops over time, and what backward needs, in memory that is there.

All steps lie in one matrix, a row for each step and sequence.  ``runs`` tells the sizes of the batches: pairs of a
number of steps and the number of sequences in each, the sequences sorted by length.  A layer's result is a vector:
the outputs of all steps, then the last hidden state, for an LSTM then the last cell state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from minigrad.buffers import Empty
from minigrad.kernels.cells import gru_step, lstm_step, rnn_step

Array = np.ndarray[Any, Any]
Runs: TypeAlias = "tuple[tuple[int, int], ...]"
PIECE = 1 << 15  # elements of the cells of the steps whose slopes are computed at a time
FEW = 8  # sequences; with fewer, a product of all steps takes less time than one for each


class States(np.ndarray[Any, Any]):
    """A result together with the gates and cells behind it.

    The vector that a kernel returns is a view of its beginning. Backward looks whether what it gets still is, and
    otherwise, as in a program that has copied the vector, computes them again.
    """


def with_states(size: int, more: int, dtype: Any, empty: Empty) -> tuple[Array, Array]:
    """A vector of ``size`` elements, and the ``more`` elements behind it."""
    # On a buffer, or on memory of its own: NumPy makes a view refer to what lies behind, if that is a plain array.
    states = np.ndarray.__new__(States, (size + more,), dtype, empty((size + more,), dtype).base)
    return np.ndarray((size,), dtype, states), np.ndarray((more,), dtype, states, size * states.itemsize)


def states_of(y: Array, more: int) -> Array | None:
    """The elements behind a vector, if it is one of `with_states`."""
    base: Any = y.base
    whole = type(base) is States and y.ndim == 1 and base.size == y.size + more
    return np.ndarray((more,), y.dtype, base, y.nbytes) if whole else None


def _two(size: int, more: int, dtype: Any, empty: Empty) -> tuple[Array, Array]:
    """As `with_states`, two arrays: so in a program that is printed."""
    return empty((size,), dtype), empty((more,), dtype)


def steps(runs: Runs, reverse: bool) -> list[tuple[int, int, int]]:
    """Of each run, in the order of time or against it: the first row, how many steps, how many sequences."""
    first, spans = 0, []
    for count, n in runs:
        if count:
            spans.append((first, count, n))
        first += count * n
    return spans[::-1] if reverse else spans


def _in_pieces(runs: Runs, reverse: bool, width: int) -> list[tuple[int, int, int]]:
    """As `steps`, no more of them than stay in the cache, by the elements that a row has."""
    pieces = []
    for row, count, n in steps(runs, reverse):
        most = max(PIECE // max(width * n, 1), 1)
        parts = [(row + k * n, min(most, count - k), n) for k in range(0, count, most)]
        pieces += parts[::-1] if reverse else parts
    return pieces


def _in_time(reverse: bool, count: int, n: int, *arrays: Array) -> Iterator[Any]:
    """``count`` times ``n`` rows of each of the arrays; of those that have three dimensions or more, the next part."""
    parts = (a if a.ndim > 2 else a.reshape(count, n, a.shape[1]) for a in arrays)
    return zip(*(a[::-1] if reverse else a for a in parts), strict=True)


def _walk(runs: Runs, reverse: bool, *arrays: Array) -> Iterator[tuple[int, Iterator[Any]]]:
    """Run by run: how many sequences it has, and step by step its rows of each of the arrays."""
    for row, count, n in steps(runs, reverse):
        yield n, _in_time(reverse, count, n, *(a[row : row + count * n] for a in arrays))


def _starts(out: Array, first: Array, spans: list[tuple[int, int, int]], reverse: bool) -> list[Array]:
    """Of each span of steps, in the order of time or against it, the state that its first step followed from."""
    starts, now = [], first.copy()
    for row, count, n in spans:
        starts.append(now[:n].copy())
        last = row if reverse else row + (count - 1) * n
        now[:n] = out[last : last + n]
    return starts


def _before(out: Array, first: Array, runs: Runs, reverse: bool, empty: Empty) -> Array:
    """The state that each row of ``out`` followed from."""
    before, spans = empty(out.shape, out.dtype), steps(runs, reverse)
    for (row, count, n), start in zip(spans, _starts(out, first, spans, reverse), strict=True):
        stop = row + count * n
        if reverse:
            before[stop - n : stop] = start
            before[row : stop - n] = out[row + n : stop]
        else:
            before[row : row + n] = start
            before[row + n : stop] = out[row : stop - n]
    return before


def _into_states(
    d: Array, out: Array, first: Array, runs: Runs, reverse: bool, empty: Empty, into: Array
) -> None:  # fmt: skip
    """The product of gradients and of the states that their rows followed from; of one run, nothing is copied."""
    n = len(first)
    if len(runs) > 1 or len(d) == n:
        np.matmul(d.T, _before(out, first, runs, reverse, empty), out=into)
        return
    now, before, start = (d[:-n], out[n:], d[-n:]) if reverse else (d[n:], out[:-n], d[:n])
    np.matmul(now.T, before, out=into)
    into += np.dot(start.T, first)


def _by_rows(*arrays: Array) -> list[Array]:
    """Arrays that lie row by row: BLAS rounds in another way where they are turned."""
    return [np.ascontiguousarray(a) for a in arrays]


def _input(x: Array, w: Array, bias: Array | None, scale: Array | float, out: Array) -> None:
    """The products of all steps' inputs, with the bias."""
    np.matmul(x, w.T * scale, out=out)
    if bias is not None:
        out += bias * scale


def _slope(y: Array, factor: Array, part: Array, out: Array) -> None:
    """``factor * y * (1 - y)``, where y is a sigmoid."""
    np.multiply(y, y, out=part)
    np.subtract(y, part, out=part)
    np.multiply(factor, part, out=out)


def _tanh_slope(y: Array, factor: Array, part: Array, out: Array) -> None:
    """``factor * (1 - y * y)``, where y is a tanh."""
    np.multiply(y, y, out=part)
    np.subtract(1.0, part, out=part)
    np.multiply(factor, part, out=out)


def _summed(d: Array, into: Sequence[Array]) -> None:
    """The sum of rows, by a product: float32 adds up more exactly so, and faster."""
    total = np.dot(np.ones(len(d), d.dtype), d) if into else None
    for b in into:
        b[...] = total


def _gates(memory: Array, count: int, rows: int, width: int) -> tuple[Array, Array]:
    """Gates in the memory behind a result; then an LSTM's cells, or what a GRU's reset gate is multiplied by."""
    size = count * rows * width
    return memory[:size].reshape(rows, count, width), memory[size:].reshape(rows, width)


def _by_gate(gates: Array, count: int, n: int) -> Array:
    """The rows of a run in the order (steps, gates, sequences, width): without gaps NumPy takes half the time."""
    return gates.reshape(count, gates.shape[1], n, gates.shape[2])


def _side_by_side(arrays: Any, dtype: Any, empty: Empty) -> tuple[Array, list[Array]]:
    """A vector for the gradients of arrays, and its parts in their shapes."""
    flat, parts, first = empty((sum(a.size for a in arrays),), dtype), [], 0
    for a in arrays:
        parts.append(flat[first : first + a.size].reshape(a.shape))
        first += a.size
    return flat, parts


# ---------------------------------------------------------------- tanh or relu of a sum


def rnn(
    x: Array, h: Array, w: Array, u: Array, *bias: Array, runs: Runs, reverse: bool, relu: bool, empty: Empty = np.empty
) -> Any:  # fmt: skip
    """``h' = tanh(w x + u h + bias)`` step by step, or with relu."""
    x, h, w, u = _by_rows(x, h, w, u)
    rows, width = len(x), len(w)
    y = empty((rows * width + h.size,), x.dtype)
    out, last = y[: rows * width].reshape(rows, width), y[rows * width :].reshape(h.shape)
    if runs == ((1, len(h)),):
        rnn_step(x, h, w, u, bias, relu, out)
        last[...] = out
        return y
    last[...] = h
    _input(x, w, bias[0] + bias[1] if bias else None, 1.0, out)
    turned, product = np.ascontiguousarray(u.T), np.empty(h.shape, h.dtype)
    zero = np.zeros((), x.dtype)
    for n, walk in _walk(runs, reverse, out):
        now, p = last[:n], product[:n]
        for (z,) in walk:
            z += np.dot(now, turned, out=p)
            now = np.maximum(z, zero, out=z) if relu else np.tanh(z, out=z)
        last[:n] = now
    return y


def rnn_backward(
    d: Array, y: Array, x: Array, h: Array, w: Array, u: Array, *bias: Array, runs: Runs, reverse: bool, relu: bool,
    onward: bool, empty: Empty = np.empty,
) -> Any:  # fmt: skip
    """The gradients of the inputs of `rnn`, one behind the other, by that of its result; ``onward``: also of x."""
    x, h, w, u = _by_rows(x, h, w, u)
    rows, width = len(x), len(w)
    out, d_out = (a[: rows * width].reshape(rows, width) for a in (y, d))
    dz = empty(out.shape, x.dtype)
    if relu:
        np.greater(out, 0, out=dz)
    else:
        np.multiply(out, out, out=dz)
        np.subtract(1.0, dz, out=dz)
    flat, (dx, carry, dw, du, *db) = _side_by_side((x if onward else x[:0], h, w, u, *bias), x.dtype, empty)
    carry[...] = d[rows * width :].reshape(h.shape)
    for n, walk in _walk(runs, not reverse, dz, d_out):
        dh = carry[:n]
        for z, up in walk:
            dh += up
            z *= dh
            np.dot(z, u, out=dh)
    if onward:
        np.matmul(dz, w, out=dx)
    np.matmul(dz.T, x, out=dw)
    _into_states(dz, out, h, runs, reverse, empty, du)
    _summed(dz, db)
    return flat


# ---------------------------------------------------------------- LSTM


def _lstm_run(
    x: Array, h: Array, c: Array, w: Array, u: Array, *more: Array, runs: Runs, reverse: bool, biased: bool,
    empty: Empty, place: Any,
) -> tuple[Array, Array]:  # fmt: skip
    """`lstm`, and behind it gates and more, by which backward goes."""
    x, *rest = _by_rows(x, *more)
    more = tuple(rest)
    rows, (batch, width), dtype = len(x), c.shape, x.dtype
    outputs = rows * h.shape[1]
    y, memory = (_two if place is None else place)(outputs + h.size + c.size, 5 * rows * width, dtype, empty)
    gates, cells = _gates(memory, 4, rows, width)
    out, last = y[:outputs].reshape(rows, h.shape[1]), y[outputs : outputs + h.size].reshape(h.shape)
    last_cell = y[outputs + h.size :].reshape(c.shape)
    if runs == ((1, batch),):
        lstm_step(x, h, c, w, u, more, biased, gates, cells, out)
        last[...], last_cell[...] = out, cells
        return y, memory
    last[...], last_cell[...] = h, c
    projection = more[-1].T if len(more) % 2 else None
    # sigmoid(z) is tanh(z / 2) / 2 + 1 / 2: by what gates are multiplied before and after, and what is added.
    scale = np.full((4, 1, width), 0.5, dtype)
    scale[2] = 1.0
    first = np.ascontiguousarray(w.reshape(4, width, w.shape[1]).swapaxes(1, 2) * scale)
    turned = np.ascontiguousarray(u.reshape(4, width, u.shape[1]).swapaxes(1, 2) * scale)
    # Scales, and biases, for each sequence: half the time that one row takes.
    by, bias, part, hidden = (np.empty((*n, batch, width), dtype) for n in ((4,), (4,), (), ()))
    by[...] = scale
    bias[...] = (more[0] + more[1]).reshape(scale.shape) * scale if biased else 0
    plus = np.where(by == 0.5, by, dtype.type(0.0))
    # Called by names of their own, with results by place: a twentieth less of a step of 16 sequences of 64.
    add, multiply, tanh, matmul = np.add, np.multiply, np.tanh, np.matmul
    for row, count, n in steps(runs, reverse):
        span = slice(row, row + count * n)
        gate = _by_gate(gates[span], count, n)
        if n < FEW:
            gate.swapaxes(0, 1)[...] = np.matmul(x[span], first).reshape(4, count, n, width)
        else:
            np.matmul(x[span].reshape(count, 1, n, x.shape[1]), first, out=gate)
        gate += bias[:, :n]
        now, cell, t, unprojected = last[:n], last_cell[:n], part[:n], hidden[:n]
        p = np.empty((4, n, width), dtype)
        scales, shifts = by[:, :n], plus[:, :n]
        for z, i, f, a, o, new, to in _in_time(
            reverse, count, n, gate, *gate.swapaxes(0, 1), cells[span], out[span]
        ):
            matmul(now, turned, p)
            add(p, z, p)
            tanh(p, p)
            multiply(p, scales, p)
            add(p, shifts, z)
            multiply(f, cell, new)
            add(new, multiply(i, a, t), new)
            tanh(new, t)
            if projection is None:
                multiply(o, t, to)
            else:
                matmul(multiply(o, t, unprojected), projection, to)
            now, cell = to, new
        last[:n], last_cell[:n] = now, cell
    return y, memory


def lstm(
    x: Array, h: Array, c: Array, w: Array, u: Array, *more: Array, runs: Runs, reverse: bool, biased: bool,
    empty: Empty = np.empty, place: Any = None,
) -> Any:  # fmt: skip
    """An LSTM; ``more`` are the two biases, if it is ``biased``, and the projection of the hidden state, if any."""
    return _lstm_run(
        x, h, c, w, u, *more, runs=runs, reverse=reverse, biased=biased, empty=empty, place=place
    )[0]


def _slopes(gates: Array, cells: Array, start: Array, reverse: bool, spare: Array, out: Array) -> Array:
    """What the gradients of cell and hidden state are multiplied by to get those of the gates before their curves.

    Those are the slopes of the curves times a factor each. Returns what leads from hidden state to cell.
    """
    count, _, n, width = gates.shape
    i, f, a, o = gates.swapaxes(0, 1)
    to = out.reshape(count, n, 4, width).transpose(2, 0, 1, 3)
    curve, t = spare[: 2 * cells.size].reshape(2, *a.shape)
    now = cells.reshape(a.shape)
    np.tanh(now, out=curve)
    _slope(i, a, t, to[0])
    _slope(o, curve, t, to[3])
    _tanh_slope(a, i, t, to[2])
    _tanh_slope(curve, o, t, curve)
    first, later, earlier = (-1, slice(-1), slice(1, None)) if reverse else (0, slice(1, None), slice(-1))
    _slope(f[first], start, t[first], to[1, first])
    _slope(f[later], now[earlier], t[later], to[1, later])
    return curve


def lstm_backward(
    d: Array, y: Array, x: Array, h: Array, c: Array, w: Array, u: Array, *more: Array, runs: Runs, reverse: bool,
    biased: bool, onward: bool, empty: Empty = np.empty, states: Any = None,
) -> Any:  # fmt: skip
    """The gradients of the inputs of `lstm`, one behind the other, by that of its result; ``onward``: also of x."""
    x, h, c, w, u, *rest = _by_rows(x, h, c, w, u, *more)
    more = tuple(rest)
    rows, width, dtype = len(x), c.shape[1], x.dtype
    outputs = rows * h.shape[1]
    memory = None if states is None else states(y, 5 * rows * width)
    if memory is None:
        y, memory = _lstm_run(
            x, h, c, w, u, *more, runs=runs, reverse=reverse, biased=biased, empty=empty, place=None
        )
    gates, cells = _gates(memory, 4, rows, width)
    out, d_out = (a[:outputs].reshape(rows, h.shape[1]) for a in (y, d))
    pieces, projection = _in_pieces(runs, reverse, width), more[-1] if len(more) % 2 else None
    starts = _starts(cells, c, pieces, reverse)
    hiddens = None if projection is None else empty(cells.shape, dtype)
    flat, (dx, carry, carried, dw, du, *others) = _side_by_side(
        (x if onward else x[:0], h, c, w, u, *more), dtype, empty
    )
    carry[...] = d[outputs : outputs + h.size].reshape(h.shape)
    carried[...] = d[outputs + h.size :].reshape(c.shape)
    product, hidden = np.empty(c.shape, c.dtype), np.empty(c.shape, c.dtype)
    total = d_out if projection is None else empty(d_out.shape, dtype)
    # The gradients of cell and hidden state side by side, three times and once: one product in place of four.
    factors = np.empty((len(c), 4, width), dtype)
    gradients = empty((rows, 4 * width), dtype)
    add, multiply = np.add, np.multiply
    spare = empty((2 * min(cells.size, max(PIECE, c.size)),), dtype)
    for row, count, n in pieces[::-1]:
        span = slice(row, row + count * n)
        gate = _by_gate(gates[span], count, n)
        through = _slopes(gate, cells[span], starts.pop(), reverse, spare, gradients[span])
        forgets = gate[:, 1]
        if hiddens is not None:
            curve = np.tanh(cells[span]).reshape(forgets.shape)
            np.multiply(gate[:, 3], curve, out=hiddens[span].reshape(curve.shape))
        dh, dc, p = carry[:n], carried[:n], product[:n]
        across, factor = dc[:, None], factors[:n].reshape(n, 4 * width)
        first, fourth = factors[:n, :3], factors[:n, 3]
        for z, forget, by, up, at in _in_time(
            not reverse, count, n, gradients[span], forgets, through, d_out[span], total[span]
        ):
            add(dh, up, dh)
            if projection is None:
                over = dh
            else:
                at[...] = dh
                over = np.matmul(dh, projection, out=hidden[:n])
            add(dc, multiply(over, by, p), dc)
            first[...], fourth[...] = across, over
            multiply(z, factor, z)
            multiply(dc, forget, dc)
            z.dot(u, dh)
    if onward:
        np.matmul(gradients, w, out=dx)
    np.matmul(gradients.T, x, out=dw)
    _into_states(gradients, out, h, runs, reverse, empty, du)
    _summed(gradients, others[: 2 * biased])
    if hiddens is not None:
        np.matmul(total.T, hiddens, out=others[-1])
    return flat


# ---------------------------------------------------------------- GRU


def _gru_run(
    x: Array, h: Array, w: Array, u: Array, *bias: Array, runs: Runs, reverse: bool, empty: Empty, place: Any
) -> tuple[Array, Array]:
    """`gru`, and behind it gates and more, by which backward goes."""
    x, w = _by_rows(x, w)
    rows, (batch, width), dtype = len(x), h.shape, x.dtype
    y, memory = (_two if place is None else place)(rows * width + h.size, 4 * rows * width, dtype, empty)
    gates, inner = _gates(memory, 3, rows, width)
    out, last = y[: rows * width].reshape(rows, width), y[rows * width :].reshape(h.shape)
    if runs == ((1, batch),):
        gru_step(x, h, w, u, bias, gates, inner, out)
        last[...] = out
        return y, memory
    last[...] = h
    scale = np.full(3 * width, 0.5, dtype)
    scale[2 * width :] = 1.0
    both, shift = None, np.zeros((batch, width), dtype)
    if bias:
        both = bias[0].copy()
        both[: 2 * width] += bias[1][: 2 * width]
        shift[...] = bias[1][2 * width :]
    flat = gates.reshape(rows, 3 * width)
    _input(x, w, both, scale, flat)
    turned, product = np.ascontiguousarray(u.T * scale), np.empty((batch, 3 * width), dtype)
    part, half = np.empty(h.shape, h.dtype), np.asarray(0.5, dtype)
    for n, walk in _walk(runs, reverse, flat[:, : 2 * width], *(gates[:, k] for k in range(3)), inner, out):
        now, p, t, plus = last[:n], product[:n], part[:n], shift[:n]
        first, second = p[:, : 2 * width], p[:, 2 * width :]
        for rz, r, z, a, q, to in walk:
            np.dot(now, turned, out=p)
            rz += first
            np.tanh(rz, out=rz)
            rz *= half
            rz += half
            np.add(second, plus, out=q)
            a += np.multiply(r, q, out=t)
            np.tanh(a, out=a)
            np.subtract(now, a, out=to)
            to *= z
            to += a
            now = to
        last[:n] = now
    return y, memory


def gru(
    x: Array, h: Array, w: Array, u: Array, *bias: Array, runs: Runs, reverse: bool, empty: Empty = np.empty,
    place: Any = None,
) -> Any:  # fmt: skip
    """A GRU: reset and update gate r and z, ``n = tanh(w x + b + r * (u h + b'))``, then ``(1 - z) * n + z * h``."""
    return _gru_run(x, h, w, u, *bias, runs=runs, reverse=reverse, empty=empty, place=place)[0]


def gru_backward(
    d: Array, y: Array, x: Array, h: Array, w: Array, u: Array, *bias: Array, runs: Runs, reverse: bool, onward: bool,
    empty: Empty = np.empty, states: Any = None,
) -> Any:  # fmt: skip
    """The gradients of the inputs of `gru`, one behind the other, by that of its result; ``onward``: also of x."""
    x, h, w, u = _by_rows(x, h, w, u)
    rows, width, dtype = len(x), h.shape[1], x.dtype
    memory = None if states is None else states(y, 4 * rows * width)
    if memory is None:
        y, memory = _gru_run(x, h, w, u, *bias, runs=runs, reverse=reverse, empty=empty, place=None)
    gates, inner = _gates(memory, 3, rows, width)
    out, d_out = (a[: rows * width].reshape(rows, width) for a in (y, d))
    r, z, a = (gates[:, k] for k in range(3))
    before = _before(out, h, runs, reverse, empty)
    # Gradients of r, z and of what r is multiplied by, and of what tanh is taken of: first what they are factors of.
    dz, part, other = (empty((rows, *s, width), dtype) for s in ((4,), (), ()))
    _slope(r, inner, part, dz[:, 0])
    _slope(z, np.subtract(before, a, out=other), part, dz[:, 1])
    dz[:, 2] = r
    _tanh_slope(a, np.subtract(1.0, z, out=other), part, dz[:, 3])
    flat, (dx, carry, dw, du, *db) = _side_by_side((x if onward else x[:0], h, w, u, *bias), dtype, empty)
    carry[...] = d[rows * width :].reshape(h.shape)
    product, gradients = np.empty(carry.shape, carry.dtype), dz.reshape(rows, 4 * width)
    to_hidden = gradients[:, : 3 * width]
    for n, walk in _walk(runs, not reverse, to_hidden, *(dz[:, k] for k in range(4)), z, d_out):
        dh, p = carry[:n], product[:n]
        for hidden, of_r, of_z, of_q, of_a, keep, up in walk:
            dh += up
            of_a *= dh
            of_z *= dh
            of_r *= of_a
            of_q *= of_a
            dh *= keep
            dh += np.matmul(hidden, u, out=p)
    to_input = empty((rows, 3 * width), dtype)
    to_input[:, : 2 * width], to_input[:, 2 * width :] = gradients[:, : 2 * width], dz[:, 3]
    if onward:
        np.matmul(to_input, w, out=dx)
    np.matmul(to_input.T, x, out=dw)
    np.matmul(to_hidden.T, before, out=du)
    for b, gradient in zip(db, (to_input, to_hidden), strict=False):
        _summed(gradient, [b])
    return flat

"""How recurrent layers print, of sequences that are equally long; see `minigrad.ops.plain`."""

from __future__ import annotations

from minigrad.core.text import Call
from minigrad.kernels.recurrent import FEW

# The operands are ``x h w u``, of an LSTM with ``c`` behind h, and biases; backward has ``d y`` before them.


def _sizes(v: Call, x: int, w: int) -> tuple[int, int, int, str] | None:
    """Steps, sequences, the width of the state, and how steps are walked; None where sequences differ in length."""
    runs = [run for run in v.params["runs"] if run[0]]
    if len(runs) != 1 or runs[0][1] != v.shapes[x + 1][0]:
        return None
    count, n = runs[0]
    return count, n, v.shapes[w + 1][1], "[::-1]" if v.params["reverse"] else ""


def _summed(count: int) -> str:
    """The gradients of the biases, if there are some."""
    return ", *[np.dot(np.ones(len(d), x.dtype), d)] * 2" if count else ""


def _by_states(v: Call, n: int, steps: int) -> list[str]:
    """The gradient of u, by those of all steps in ``d`` and the outputs ``out``."""
    if steps == 1:
        return ["du = np.matmul(d.T, h)"]
    if v.params["reverse"]:
        return [f"du = np.matmul(d[:-{n}].T, out[{n}:]) + np.dot(d[-{n}:].T, h)"]
    return [f"du = np.matmul(d[{n}:].T, out[:-{n}]) + np.dot(d[:{n}].T, h)"]


def _joined(v: Call, parts: str, biases: int) -> str:
    first = "np.matmul(d, w), " if v.params["onward"] else ""
    return f"return np.concatenate([np.ravel(a) for a in ({first}{parts}{_summed(biases)})])"


# ---------------------------------------------------------------- tanh or relu of a sum


def rnn(v: Call) -> list[str] | None:
    sizes = _sizes(v, 0, 2)
    if sizes is None:
        return None
    count, n, width, back = sizes
    curve = "np.maximum(z, 0.0)" if v.params["relu"] else "np.tanh(z)"
    if count == 1:
        sums = f"np.dot(x, w.T){' + (b_ih + b_hh)' * (len(v.shapes) > 4)} + np.dot(h, u.T)"
        return [f"h = {curve.replace('z', sums)}", "return np.concatenate((h.reshape(-1), h.reshape(-1)))"]
    return [
        f"out = (np.matmul(x, w.T){' + (b_ih + b_hh)' * (len(v.shapes) > 4)}).reshape({count}, {n}, {width})",
        "u = np.ascontiguousarray(u.T)",
        f"for z in out{back}:",
        "    z += np.dot(h, u)",
        f"    h = z[...] = {curve}",
        "return np.concatenate((out.reshape(-1), h.reshape(-1)))",
    ]


def rnn_backward(v: Call) -> list[str] | None:
    sizes = _sizes(v, 2, 4)
    if sizes is None:
        return None
    count, n, width, back = sizes
    rows = count * n * width
    slope = "np.greater(out, 0).astype(x.dtype)" if v.params["relu"] else "1.0 - out * out"
    return [
        f"out, ups = y[:{rows}].reshape(-1, {width}), d[:{rows}].reshape({count}, {n}, {width})",
        f"dh = d[{rows}:].reshape({n}, {width})",
        f"d = {slope}",
        f"steps = zip(d.reshape({count}, {n}, {width}), ups)",
        f"for z, up in {'steps' if back else 'list(steps)[::-1]'}:",
        "    dh = dh + up",
        "    z *= dh",
        "    dh = np.dot(z, u)",
        *_by_states(v, n, count),
        _joined(v, "dh, np.matmul(d.T, x), du", len(v.shapes) - 6),
    ]


# ---------------------------------------------------------------- LSTM


def _lstm_steps(sizes: tuple[int, int, int, str], biased: bool, kept: bool) -> list[str]:
    """The lines of the forward pass; with ``kept`` they keep what backward reads of each step."""
    count, n, width, back = sizes
    rows = f"x.reshape({count}, 1, {n}, -1)"
    gates = f"np.matmul({rows}, by)"
    if n < FEW:
        gates = f"np.matmul(x, by).reshape(4, {count}, {n}, {width}).swapaxes(0, 1)"
    shift = f" + (b_ih + b_hh).reshape(4, 1, {width}) * scale" * biased
    curves = [
        "scale = np.array([[[0.5]], [[0.5]], [[1.0]], [[0.5]]], x.dtype)",
        f"by, again = (np.ascontiguousarray(a.reshape(4, {width}, -1).swapaxes(1, 2) * scale) for a in (w, u))",
        f"gates = np.ascontiguousarray({gates}){shift}",
    ]
    step = "z[...] = np.tanh(np.matmul(now, again) + z) * scale + (1.0 - scale)"
    if count == 1:
        curves = [
            f"scale = np.repeat(np.array([0.5, 0.5, 1.0, 0.5], x.dtype), {width})",
            f"gates = [np.dot(x, w.T){' + (b_ih + b_hh)' * biased} + np.dot(h, u.T)]",
        ]
        step = f"(np.tanh(z * scale) * scale + (1.0 - scale)).reshape({n}, 4, {width}).swapaxes(0, 1)"
    return [
        "# sigmoid(z) is tanh(z / 2) / 2 + 1 / 2",
        *curves,
        "steps, now, cell = [], h, c",
        f"for z in gates{back}:",
        f"    i, f, g, o = {step}",
        *["    before = cell"] * kept,
        "    cell = f * cell + i * g",
        "    now = o * np.tanh(cell)",
        "    steps.append((now, i, f, g, o, before, cell))" if kept else "    steps.append(now)",
    ]


def lstm(v: Call) -> list[str] | None:
    sizes = _sizes(v, 0, 3)
    if sizes is None or len(v.shapes) % 2 == 0:
        return None
    return [
        *_lstm_steps(sizes, v.params["biased"], False),
        f"return np.concatenate([np.ravel(a) for a in (steps{sizes[3]}, now, cell)])",
    ]


def lstm_backward(v: Call) -> list[str] | None:
    sizes = _sizes(v, 2, 5)
    if sizes is None or len(v.shapes) % 2 == 0:
        return None
    count, n, width, back = sizes
    rows = count * n * width
    return [
        *_lstm_steps(sizes, v.params["biased"], True),
        f"out = np.concatenate([step[0] for step in steps{back}])",
        f"ups = d[:{rows}].reshape({count}, {n}, {width}){back}",
        f"dh, dc = d[{rows}:].reshape(2, {n}, {width})",
        "slopes = []",
        "for (_, i, f, g, o, before, cell), up in list(zip(steps, ups))[::-1]:",
        "    curve = np.tanh(cell)",
        "    dh = dh + up",
        "    dc = dc + dh * ((1.0 - curve * curve) * o)",
        "    of_i, of_f, of_o = (i - i * i) * g * dc, (f - f * f) * before * dc, (o - o * o) * curve * dh",
        "    of_g = (1.0 - g * g) * i * dc",
        f"    slopes.append(np.stack((of_i, of_f, of_g, of_o), axis=1).reshape({n}, {4 * width}))",
        "    dc = dc * f",
        "    dh = np.dot(slopes[-1], u)",
        f"d = np.concatenate(slopes{'' if back else '[::-1]'})",
        *_by_states(v, n, count),
        _joined(v, "dh, dc, np.matmul(d.T, x), du", 2 * v.params["biased"]),
    ]


# ---------------------------------------------------------------- GRU


def _gru_steps(sizes: tuple[int, int, int, str], biased: bool, kept: bool) -> list[str]:
    count, n, width, back = sizes
    both = 2 * width
    shift = f" + b_hh[{both}:]" * biased
    curves = [
        f"scale = np.repeat(np.array([0.5, 0.5, 1.0], x.dtype), {width})",
        *[f"bias = b_ih + np.where(np.arange({3 * width}) < {both}, b_hh, 0.0)"] * biased,
        f"sums = (np.matmul(x, w.T * scale){' + bias * scale' * biased}).reshape({count}, {n}, {3 * width})",
        "again = np.ascontiguousarray(u.T * scale)",
    ]
    product, half = "np.dot(now, again)", ""
    if count == 1:
        curves = [f"sums = [np.dot(x, w.T){' + b_ih' * biased}]"]
        product, half, shift = f"np.dot(h, u.T){' + b_hh' * biased}", " * 0.5", ""
    return [
        "# sigmoid(z) is tanh(z / 2) / 2 + 1 / 2",
        *curves,
        "steps, now = [], h",
        f"for s in sums{back}:",
        f"    p = {product}",
        f"    r, z = np.split(np.tanh((s[:, :{both}] + p[:, :{both}]){half}) * 0.5 + 0.5, 2, axis=1)",
        f"    q = p[:, {both}:]{shift}",
        f"    a = np.tanh(s[:, {both}:] + r * q)",
        *["    before = now"] * kept,
        "    now = (now - a) * z + a",
        "    steps.append((r, z, a, q, before))" if kept else "    steps.append(now)",
    ]


def gru(v: Call) -> list[str] | None:
    sizes = _sizes(v, 0, 2)
    if sizes is None:
        return None
    return [
        *_gru_steps(sizes, len(v.shapes) > 4, False),
        f"return np.concatenate([np.ravel(a) for a in (steps{sizes[3]}, now)])",
    ]


def gru_backward(v: Call) -> list[str] | None:
    sizes = _sizes(v, 2, 4)
    if sizes is None or sizes[2] == 1:  # the kernel's operands have gaps, by which BLAS rounds otherwise
        return None
    count, n, width, back = sizes
    rows, biased, order = count * n * width, len(v.shapes) > 6, "" if back else "[::-1]"
    first = "np.matmul(inward, w), " if v.params["onward"] else ""
    biases = ", np.dot(ones, inward), np.dot(ones, onward)" * biased
    return [
        *_gru_steps(sizes, biased, True),
        f"ups, dh = d[:{rows}].reshape({count}, {n}, {width}){back}, d[{rows}:].reshape({n}, {width})",
        "inward, onward = [], []",
        "for (r, z, a, q, before), up in list(zip(steps, ups))[::-1]:",
        "    dh = dh + up",
        "    of_a = (1.0 - z) * (1.0 - a * a) * dh",
        "    of_r, of_z, of_q = q * (r - r * r) * of_a, (before - a) * (z - z * z) * dh, r * of_a",
        "    inward.append(np.concatenate((of_r, of_z, of_a), axis=1))",
        "    onward.append(np.concatenate((of_r, of_z, of_q), axis=1))",
        "    dh = dh * z + np.matmul(onward[-1], u)",
        f"inward, onward = np.concatenate(inward{order}), np.concatenate(onward{order})",
        f"states = np.concatenate([step[4] for step in steps{back}])",
        *["ones = np.ones(len(x), x.dtype)"] * biased,
        "parts = " + f"({first}dh, np.matmul(inward.T, x), np.matmul(onward.T, states){biases})",
        "return np.concatenate([np.ravel(a) for a in parts])",
    ]

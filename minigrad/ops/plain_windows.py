"""How pooling and convolutions print; see `minigrad.ops.plain`.

Convolutions are products of windows here, which may round in another way than those of the kernel: that takes pieces of
the image that lie in one.
"""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.text import Call, Shape
from minigrad.kernels.along import as_window, in_turn, table, turned
from minigrad.kernels.sums import FEW
from minigrad.kernels.windows import Pads, all_places

MOST = 9  # neighbours along a dimension that are written out
PLACES = 32  # along a dimension, for which numbers are written out


def _commas(items: Any) -> str:
    return ", ".join(map(str, items))


def _steps(rank: int, strides: Shape, outs: Shape, gaps: Shape) -> str:
    """What picks windows that are ``strides`` apart, and every ``gap``-th element of them."""
    places = [f":{(n - 1) * s + 1}:{s}" if s > 1 else f":{n}" for s, n in zip(strides, outs, strict=True)]
    inner = [f"::{g}" for g in gaps] if max(gaps) > 1 else []
    return f"[{_commas([':'] * rank + places + inner)}]"


def _windows(rank: int, kernel: Shape, strides: Shape, outs: Shape, gaps: Shape) -> str:
    """The windows of ``x`` along its last dimensions, behind ``rank`` others."""
    size = tuple((k - 1) * g + 1 for k, g in zip(kernel, gaps, strict=True))
    axes = tuple(range(rank, rank + len(kernel)))
    view = f"np.lib.stride_tricks.sliding_window_view(x, {size}, {axes})"
    return f"windows = {view}{_steps(rank, strides, outs, gaps)}"


def _padded(rank: int, pads: Pads, value: str = "0.0") -> list[str]:
    if not any(map(any, pads)):
        return []
    constant = "" if value == "0.0" else f", constant_values={value}"
    return [f"x = np.pad(x, {((0, 0),) * rank + tuple(pads)}{constant})"]


# ---------------------------------------------------------------- pooling


def _pooled(v: Call, x: int) -> tuple[list[str], list[Shape]] | None:
    """The lines that make windows of x, as (rows, *out, *kernel), and what the plans say."""
    plans = [as_window(plan) for plan in v.params["plans"]]
    if any(plan[0] != "window" for plan in plans):
        return None
    _, sizes, kernel, strides, before, gaps, outs = zip(*plans, strict=True)
    rows = zip(sizes, kernel, strides, before, gaps, outs, strict=True)
    pads = tuple((p, max((o - 1) * s + (k - 1) * g + 1 - n - p, 0)) for n, k, s, p, g, o in rows)
    if any(map(any, pads)) and v.dtypes[x].kind != "f":
        return None
    lines = [f"x = x.reshape(-1, {_commas(sizes)})"]
    if any(map(any, pads)):
        # No element is less than what surrounds it.
        lines += ["x = np.maximum(x, np.finfo(x.dtype).min)"] * (x == 1) + _padded(1, pads, "-np.inf")
    return [*lines, _windows(1, kernel, strides, outs, gaps)], [sizes, kernel, strides, before, gaps, outs]


def _parts(v: Call) -> tuple[list[str], str, str, list[str]] | None:
    """Of parts of unequal lengths: the lines before and the head of a loop, what cuts one out, and where it begins."""
    plans = v.params["plans"]
    if any(plan[0] != "adaptive" for plan in plans):
        return None
    _, sizes, outs = zip(*plans, strict=True)
    names = "ijk"[: len(plans)]
    starts = [f"{i} * {n} // {m}" for i, n, m in zip(names, sizes, outs, strict=True)]
    cuts = [
        f"{a}:({i} * {n} + {n + m - 1}) // {m}" for a, i, n, m in zip(starts, names, sizes, outs, strict=True)
    ]
    loop = f"for {_commas(names)}{',' * (len(names) == 1)} in np.ndindex{outs}:"
    return [f"x = x.reshape(-1, {_commas(sizes)})"], loop, f"    part = x[:, {_commas(cuts)}]", starts


def _max_of_parts(v: Call) -> list[str] | None:
    if (made := _parts(v)) is None:
        return None
    lines, loop, cut, starts = made
    return [
        *lines,
        f"out = np.empty((len(x), {_commas(plan[2] for plan in v.params['plans'])}), x.dtype)",
        loop,
        cut,
        f"    out[:, {_commas('ijk'[: len(starts)])}] = part.max(axis={tuple(range(1, len(starts) + 1))})",
        f"return out.reshape({v.shape})",
    ]


def _unpick_of_parts(v: Call) -> list[str] | None:
    if (made := _parts(v)) is None:
        return None
    (lines, loop, cut, starts), n = made, len(made[3])
    places = _commas(f"{start} + {a}" for start, a in zip(starts, "abc", strict=False))
    return [
        *lines,
        f"d = d.reshape(-1, {_commas(plan[2] for plan in v.params['plans'])})",
        "out = np.zeros(x.shape, d.dtype)",
        loop,
        cut,
        "    rows = part.reshape(len(x), -1)",
        "    nan = np.isnan(rows)[:, ::-1]",
        "    at = np.where(nan.any(1), rows.shape[1] - 1 - nan.argmax(1), rows.argmax(1))",
        f"    {_commas('abc'[:n])}{',' * (n == 1)} = np.unravel_index(at, part.shape[1:])",
        f"    out[np.arange(len(x)), {places}] += d[:, {_commas('ijk'[:n])}]",
        f"return out.reshape({v.shape})",
    ]


def max_pool(v: Call) -> list[str] | None:
    made = _pooled(v, 0)
    if made is None:
        return _max_of_parts(v)
    axes = tuple(range(-len(v.params["plans"]), 0))
    return [*made[0], f"return windows.max(axis={axes}).reshape({v.shape})"]


def _beside(size: int, kernel: int, stride: int, pad: int, gap: int, out: int) -> bool:
    """Whether a window stands in the padding alone, as one with gaps may."""
    starts = (k * stride - pad for k in range(out))
    return not all(any(0 <= start + j * gap < size for j in range(kernel)) for start in starts)


def max_unpick(v: Call) -> list[str] | None:
    made = _pooled(v, 1)
    if made is None:
        return _unpick_of_parts(v)
    if any(map(_beside, *made[1])):  # what it gets is nobody's
        return None
    lines, (_, kernel, strides, before, gaps, _) = made
    overlap = any((k - 1) * g >= s for k, s, g in zip(kernel, strides, gaps, strict=True))
    n, count = len(kernel), math.prod(kernel)
    names, inner = "ijk"[:n], "abc"[:n]
    rows = zip(names, inner, strides, gaps, before, strict=True)
    places = [
        f"{i}{f' * {s}' if s > 1 else ''} + {a}{f' * {g}' if g > 1 else ''}{f' - {p}' if p else ''}"
        for i, a, s, g, p in rows
    ]
    return [
        "out = np.zeros(x.shape, d.dtype)",
        *lines,
        f"windows = windows.reshape(*windows.shape[:{n + 1}], {count})",
        "nan = np.isnan(windows)[..., ::-1]",
        f"at = np.where(nan.any(-1), {count - 1} - nan.argmax(-1), windows.argmax(-1))",
        f"row, {_commas(names)} = np.indices(at.shape, sparse=True)",
        f"{_commas(inner)}{',' * (n == 1)} = np.unravel_index(at, {kernel})",
        f"rows = out.reshape(-1, {_commas(plan[1] for plan in v.params['plans'])})",
        f"np.add.at(rows, (row, {_commas(places)}), d.reshape(at.shape))"
        if overlap
        else f"rows[row, {_commas(places)}] += d.reshape(at.shape)",
        "return out",
    ]


def _key(axis: int, where: slice) -> str:
    step = where.step or 1
    part = f"{where.start}:{where.stop}" if step == 1 else f"{where.start}:{where.stop}:{step}"
    return f"[..., {part}{', :' * (-axis - 1)}]"


def _numbers(values: Any, axis: int, dtype: str) -> str:
    """Numbers for the places of a dimension, or the one that they all are."""
    if len({*values}) == 1:
        return repr(float(values[0]))
    text = f"np.array({[*values.tolist()]}, {dtype})"
    return f"{text}.reshape({(-1, *(1,) * (-axis - 1))})" if axis < -1 else text


def _value(x: str, axis: int, tap: Any) -> str:
    """The neighbours of a tap, times their weight."""
    _, there, weight = tap
    part = (
        f"{x}{_key(axis, there)}"
        if isinstance(there, slice)
        else f"np.take({x}, {[*there.tolist()]}, axis={axis})"
    )
    return part if weight is None else f"{part} * {_numbers(weight, axis, f'{x}.dtype')}"


def _table(plan: Any) -> Any:
    """`table` of a plan; None if it is too long to be written out."""
    out, taps, parts, counts = table(plan)
    long = max(out, plan[1]) > PLACES and ((counts is not None and len({*counts}) > 1) or any(
        t[2] is not None or not isinstance(t[1], slice) for t in taps
    ))  # fmt: skip
    short = all(isinstance(t[0], slice) for t in taps) and all(p.stop - p.start <= FEW for p in parts)
    return None if long or len(taps) + len(parts) > MOST or not short else (out, taps, parts, counts)


def _of_all(v: Call) -> bool:
    return all(plan[0] == "adaptive" and plan[2] == 1 for plan in v.params["plans"])


def resample(v: Call) -> list[str] | None:
    """Weighted sums of neighbours, one dimension after the other."""
    plans, lines, rank = v.params["plans"], list[str](), len(v.shape)
    if _of_all(v):
        axes, n = tuple(range(rank - len(plans), rank)), math.prod(plan[1] for plan in plans)
        return [f"return np.sum(x, axis={axes}, keepdims=True) / {n}"]
    shape = [*v.shapes[0]]
    for axis, plan in in_turn(plans):
        if (some := _table(plan)) is None:
            return None
        out, taps, parts, counts = some
        shape[axis] = out
        by = "" if counts is None else f" / {_numbers(counts, axis, 'x.dtype')}"
        if len(taps) > 1 and all(t[0] == slice(0, out) and t[2] is None for t in taps):
            lines.append(f"x = ({' + '.join(_value('x', axis, t) for t in taps)}){by}")
            continue
        lines.append(f"y = np.zeros({(*shape,)}, x.dtype)")
        for k, where in enumerate(parts):
            part = f"np.sum(x{_key(axis, where)}, axis={axis}, keepdims=True)"
            lines.append(f"y{_key(axis, slice(k, k + 1))} = {part}")
        lines += [f"y{_key(axis, t[0])} += {_value('x', axis, t)}" for t in taps]
        lines.append(f"x = y{by}")
    return [*lines, "return x"]


def resample_back(v: Call) -> list[str] | None:
    plans, lines, shape = v.params["plans"], list[str](), [*v.shapes[0]]
    for axis, plan in reversed(in_turn(plans)):
        size = shape[axis] = plan[1]
        if _of_all(v):
            lines.append(f"d = np.repeat(d / {float(size)}, {size}, axis={axis})")
            continue
        if (some := _table(plan)) is None:
            return None
        _, taps, parts, counts = some
        if counts is not None:
            lines.append(f"d = d / {_numbers(counts, axis, 'd.dtype')}")
        lines.append(f"x = np.zeros({(*shape,)}, d.dtype)")
        lines += [f"x{_key(axis, where)} += d{_key(axis, slice(k, k + 1))}" for k, where in enumerate(parts)]
        if taps and not isinstance(taps[0][1], slice):
            taps = turned(plan)
            if len(taps) > MOST or not all(isinstance(t[0], slice) for t in taps):
                return None
        else:
            taps = [(there, here, None) for here, there, _ in taps]
        lines += [f"x{_key(axis, t[0])} += {_value('d', axis, t)}" for t in taps]
        lines.append("d = x")
    return [*lines, "return d"]


# ---------------------------------------------------------------- convolutions


def _columns(v: Call, x: Shape, kernel: Shape, out: Shape) -> list[str] | None:
    """The lines that make columns of windows, (batch, groups, elements of a window, places)."""
    pads, groups = v.params["pads"], v.params["groups"]
    if any(p < 0 for pair in pads for p in pair):
        return None
    rank, n = len(kernel), x[0]
    order = (0, 1, *range(2 + rank, 2 + 2 * rank), *range(2, 2 + rank))
    shape = (n, groups, x[1] // groups * math.prod(kernel), math.prod(out))
    return [
        *_padded(2, pads),
        _windows(2, kernel, v.params["stride"], out, v.params["dilation"]),
        f"columns = windows.transpose({order}).reshape({shape})",
    ]


def conv(v: Call) -> list[str] | None:
    x, w = v.shapes[:2]
    lines, groups = _columns(v, x, w[2:], v.shape[2:]), v.params["groups"]
    shift = f" + b.reshape({(-1, *(1,) * (len(w) - 2))})" * (len(v.shapes) - 2)
    product = f"np.matmul(w.reshape({groups}, {w[0] // groups}, -1), columns).reshape({v.shape})"
    return lines and [*lines, f"return {product}{shift}"]


def conv_weight(v: Call) -> list[str] | None:
    x, d = v.shapes
    lines, groups = _columns(v, x, v.params["kernel"], d[2:]), v.params["groups"]
    rows = f"d.reshape({x[0]}, {groups}, {d[1] // groups}, -1)"
    return lines and [
        *lines,
        f"return np.matmul({rows}, columns.swapaxes(2, 3)).sum(axis=0).reshape({v.shape})",
    ]


def _image(v: Call, channels: int, kernel: Shape, out: Any, dtype: str) -> list[str] | None:
    """The lines that add columns up to an image."""
    n, pads = v.shapes[0][0], v.params["pads"]
    if any(p < 0 for pair in pads for p in pair):
        return None
    names = "ijk"[: len(kernel)]
    sizes = tuple(s + a + b for s, (a, b) in zip(v.params["sizes"], pads, strict=True))
    rows = zip(names, out, v.params["stride"], v.params["dilation"], strict=True)
    places = []
    for name, m, step, gap in rows:
        first = name if gap == 1 else f"{name} * {gap}"
        places.append(f"{first}:{first} + {(m - 1) * step + 1}{f':{step}' if step > 1 else ''}")
    inner = _commas(f"{a}:{a + s}" for (a, _), s in zip(pads, v.params["sizes"], strict=True))
    cut = f"np.ascontiguousarray(x[:, :, {inner}])" if any(map(any, pads)) else "x"
    return [
        f"x = np.zeros({(n, channels, *sizes)}, {dtype})",
        f"for {_commas(names)}{',' * (len(names) == 1)} in np.ndindex{kernel}:",
        f"    x[:, :, {_commas(places)}] += columns[:, :, {_commas(names)}]",
        f"return {cut}",
    ]


def conv_input(v: Call) -> list[str] | None:
    (n, filters, *out), w = v.shapes
    kernel, groups, channels = w[2:], v.params["groups"], w[1] * v.params["groups"]
    lines, shape = _image(v, channels, kernel, out, "d.dtype"), (n, channels, *kernel, *out)
    return lines and [
        f"w = w.reshape({groups}, {filters // groups}, -1).swapaxes(1, 2)",
        f"columns = np.matmul(w, d.reshape({n}, {groups}, {filters // groups}, -1)).reshape({shape})",
        *lines,
    ]


# ---------------------------------------------------------------- windows as columns


def unfold(v: Call) -> list[str]:
    x, kernel, rank = v.shapes[0], v.params["kernel"], len(v.params["kernel"])
    out = all_places(x[2:], kernel, v.params["stride"], v.params["pads"], v.params["dilation"])
    order = (0, 1, *range(2 + rank, 2 + 2 * rank), *range(2, 2 + rank))
    return [
        *_padded(2, v.params["pads"]),
        _windows(2, kernel, v.params["stride"], out, v.params["dilation"]),
        f"return windows.transpose({order}).copy().reshape({v.shape})",
    ]


def fold(v: Call) -> list[str] | None:
    (n, rows, _), kernel, sizes = v.shapes[0], v.params["kernel"], v.params["sizes"]
    out = all_places(sizes, kernel, v.params["stride"], v.params["pads"], v.params["dilation"])
    channels = rows // math.prod(kernel)
    lines = _image(v, channels, kernel, out, "cols.dtype")
    return lines and [f"columns = cols.reshape({(n, channels, *kernel, *out)})", *lines]


def pad_constant(v: Call) -> list[str]:
    pads, rank = v.params["pads"], len(v.shape) - len(v.params["pads"])
    ends = [(max(-a, 0), n + min(b, 0)) for n, (a, b) in zip(v.shapes[0][rank:], pads, strict=True)]
    cut = (
        f"[..., {_commas(f'{a}:{b}' for a, b in ends)}]" if any(p < 0 for pair in pads for p in pair) else ""
    )
    more = ((0, 0),) * rank + tuple((max(a, 0), max(b, 0)) for a, b in pads)
    value = v.params["value"]
    number = repr(value) if math.isfinite(value) else f"-np.{-value!r}" if value < 0 else f"np.{value!r}"
    constant = f", constant_values={number}" if value else ""
    return [f"return np.pad(x{cut}, {more}{constant})" if any(map(any, more)) else f"return x{cut}.copy()"]

"""Rows of the sample table for convolutions, pooling and resizing: `op_samples.py` adds them to its own."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

NOT_0D = dict.fromkeys(
    (
        "conv", "conv_input", "conv_weight", "fold", "unfold", "max_pool", "max_pool_indices", "max_pick", "max_unpick",
        "pad_constant", "resample", "resample_back", "sliding", "sliding_back", "unpool",
    ),
    "its windows slide along dimensions",
)  # fmt: skip


# ---------------------------------------------------------------- values, place by place


def _places(sizes: Any, kernel: Any, stride: Any, pads: Any, dilation: Any, out: Any) -> Iterator[Any]:
    """By place and place in the window: both, and where that is in the input, if it is there."""
    for o in np.ndindex(*out):
        for k in np.ndindex(*kernel):
            at = tuple(
                i * s + j * d - a for i, j, s, d, (a, _) in zip(o, k, stride, dilation, pads, strict=True)
            )
            if all(0 <= i < n for i, n in zip(at, sizes, strict=True)):
                yield o, k, at


def _out(sizes: Any, kernel: Any, stride: Any, pads: Any, dilation: Any) -> tuple[int, ...]:
    rows = zip(sizes, kernel, stride, pads, dilation, strict=True)
    return tuple(len(range(0, n + a + b - d * (k - 1), s)) for n, k, s, (a, b), d in rows)


def _conv(x: Any, w: Any, *bias: Any, stride: Any, pads: Any, dilation: Any, groups: int) -> np.ndarray:
    kernel = w.shape[2:]
    y = np.zeros((len(x), len(w), *_out(x.shape[2:], kernel, stride, pads, dilation)))
    each = len(w) // groups
    for o, k, at in _places(x.shape[2:], kernel, stride, pads, dilation, y.shape[2:]):
        for n, f, c in np.ndindex(*y.shape[:2], w.shape[1]):
            y[(n, f, *o)] += x[(n, f // each * w.shape[1] + c, *at)] * w[(f, c, *k)]
    for b in bias:
        y += b.reshape(-1, *[1] * len(kernel))
    return y


def _conv_input(d: Any, w: Any, sizes: Any, stride: Any, pads: Any, dilation: Any, groups: int) -> np.ndarray:
    x = np.zeros((len(d), w.shape[1] * groups, *sizes))
    each = len(w) // groups
    for o, k, at in _places(sizes, w.shape[2:], stride, pads, dilation, d.shape[2:]):
        for n, f, c in np.ndindex(*d.shape[:2], w.shape[1]):
            x[(n, f // each * w.shape[1] + c, *at)] += d[(n, f, *o)] * w[(f, c, *k)]
    return x


def _conv_weight(
    x: Any, d: Any, kernel: Any, stride: Any, pads: Any, dilation: Any, groups: int
) -> np.ndarray:
    w = np.zeros((d.shape[1], x.shape[1] // groups, *kernel))
    each = len(w) // groups
    for o, k, at in _places(x.shape[2:], kernel, stride, pads, dilation, d.shape[2:]):
        for n, f, c in np.ndindex(*d.shape[:2], w.shape[1]):
            w[(f, c, *k)] += x[(n, f // each * w.shape[1] + c, *at)] * d[(n, f, *o)]
    return w


def _unfold(x: Any, kernel: Any, dilation: Any, pads: Any, stride: Any) -> np.ndarray:
    out = _out(x.shape[2:], kernel, stride, pads, dilation)
    y = np.zeros((*x.shape[:2], *kernel, *out))
    for o, k, at in _places(x.shape[2:], kernel, stride, pads, dilation, out):
        y[(..., *k, *o)] = x[(..., *at)]
    return y.reshape(len(x), x.shape[1] * math.prod(kernel), math.prod(out))


def _sliding(x: Any, dim: int, size: int, step: int) -> np.ndarray:
    starts = range(0, x.shape[dim] - size + 1, step)
    return np.stack([np.moveaxis(x.take(range(k, k + size), dim), dim, -1) for k in starts], dim)


def _sliding_back(g: Any, shape: Any, dim: int, step: int) -> np.ndarray:
    y = np.zeros(shape)
    for k in range(g.shape[dim]):
        part = np.moveaxis(y, dim, -1)
        part[..., k * step : k * step + g.shape[-1]] += np.take(g, k, dim)
    return y


def _as_strided(x: Any, size: Any, stride: Any, offset: int) -> np.ndarray:
    flat = x.reshape(-1)
    return np.array([flat[offset + np.dot(at, stride)] for at in np.ndindex(*size)], x.dtype).reshape(size)


def _as_strided_back(g: Any, shape: Any, size: Any, stride: Any, offset: int) -> np.ndarray:
    y = np.zeros(math.prod(shape))
    for at in np.ndindex(*size):
        y[int(offset + np.dot(at, stride))] += g[at]
    return y.reshape(shape)


def _fold(cols: Any, sizes: Any, kernel: Any, dilation: Any, pads: Any, stride: Any) -> np.ndarray:
    out = _out(sizes, kernel, stride, pads, dilation)
    channels = cols.shape[1] // math.prod(kernel)
    y, parts = np.zeros((len(cols), channels, *sizes)), cols.reshape(len(cols), channels, *kernel, *out)
    for o, k, at in _places(sizes, kernel, stride, pads, dilation, out):
        y[(..., *at)] += parts[(..., *k, *o)]
    return y


def _pad(x: Any, pads: Any, value: float) -> np.ndarray:
    full = ((0, 0),) * (x.ndim - len(pads)) + pads
    y = np.pad(x, [(max(a, 0), max(b, 0)) for a, b in full], constant_values=value)
    return y[tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(full, y.shape, strict=True))]


def _neighbours(plan: Any) -> list[list[tuple[int, float]]]:
    """By output: the inputs it is made of, with their weights."""
    kind, size, *rest = plan
    if kind == "window":
        kernel, stride, pad, gap, out = rest
        rows = [[i * stride - pad + k * gap for k in range(kernel)] for i in range(out)]
        return [[(j, 1.0) for j in row if 0 <= j < size] for row in rows]
    if kind in ("mean", "sum"):
        kernel, stride, pad, out, *include = rest
        windows = [range(i * stride - pad, min(i * stride - pad + kernel, size + pad)) for i in range(out)]
        inside = [[j for j in window if 0 <= j < size] for window in windows]
        counts = [
            1 if kind == "sum" else len(w) if include[0] else len(n)
            for w, n in zip(windows, inside, strict=True)
        ]
        return [[(j, 1 / count) for j in row] for row, count in zip(inside, counts, strict=True)]
    if kind == "adaptive":
        (out,) = rest
        parts = [range(math.floor(i * size / out), math.ceil((i + 1) * size / out)) for i in range(out)]
        return [[(j, 1 / len(part)) for j in part] for part in parts]
    out, scale, *align = rest
    step = scale or size / out
    if kind.endswith("-wide"):
        step = (size - 1) / (out - 1) if align[0] else step
        return [_averaged(kind, size, step * (i + 0.5), max(step, 1.0)) for i in range(out)]
    if kind.startswith("nearest"):
        shift = 0.5 if kind == "nearest-exact" else 0.0
        return [[(min(math.floor((i + shift) * step), size - 1), 1.0)] for i in range(out)]
    at = [i * (size - 1) / max(out - 1, 1) if align[0] else (i + 0.5) * step - 0.5 for i in range(out)]
    if kind == "linear":
        at = [min(max(p, 0.0), size - 1.0) for p in at]
        return [[(math.floor(p), 1 - p % 1), (min(math.floor(p) + 1, size - 1), p % 1)] for p in at]
    around = [[math.floor(p) + k for k in (-1, 0, 1, 2)] for p in at]
    return [
        [(min(max(j, 0), size - 1), _keys(p - j)) for j in row] for p, row in zip(at, around, strict=True)
    ]


def _averaged(kind: str, size: int, centre: float, stretch: float) -> list[tuple[int, float]]:
    """The inputs around a centre, with a kernel stretched to the step."""
    reach = stretch * (1 if kind == "linear-wide" else 2)
    first, last = max(int(centre - reach + 0.5), 0), min(int(centre + reach + 0.5), size)
    x = [abs(j - centre + 0.5) / stretch for j in range(first, last)]
    weights = [max(1 - a, 0.0) if kind == "linear-wide" else _keys(a, -0.5) for a in x]
    return [(j, w / math.fsum(weights)) for j, w in zip(range(first, last), weights, strict=True)]


def _keys(x: float, a: float = -0.75) -> float:
    """Keys' cubic kernel."""
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def _resample(x: Any, plans: Any) -> np.ndarray:
    rows = [_neighbours(plan) for plan in plans]
    y = np.zeros((*x.shape[: x.ndim - len(plans)], *map(len, rows)))
    for o in np.ndindex(*map(len, rows)):
        for taps in itertools.product(*(row[i] for row, i in zip(rows, o, strict=True))):
            y[(..., *o)] += x[(..., *(j for j, _ in taps))] * math.prod(w for _, w in taps)
    return y


def _resample_back(d: Any, plans: Any) -> np.ndarray:
    rows = [_neighbours(plan) for plan in plans]
    x = np.zeros((*d.shape[: d.ndim - len(plans)], *(plan[1] for plan in plans)))
    for o in np.ndindex(*map(len, rows)):
        for taps in itertools.product(*(row[i] for row, i in zip(rows, o, strict=True))):
            x[(..., *(j for j, _ in taps))] += d[(..., *o)] * math.prod(w for _, w in taps)
    return x


def _at_maxima(x: Any, plans: Any) -> Iterator[tuple[Any, Any, Any]]:
    """By output: its place, and that of the first maximum."""
    rows = [_neighbours(plan) for plan in plans]
    for lead in np.ndindex(*x.shape[: x.ndim - len(plans)]):
        for o in np.ndindex(*map(len, rows)):
            places = itertools.product(*([j for j, _ in row[i]] for row, i in zip(rows, o, strict=True)))
            yield (*lead, *o), (*lead, *max(places, key=lambda at: x[(*lead, *at)])), lead


def _pooled(x: Any, plans: Any) -> np.ndarray:
    return np.zeros((*x.shape[: x.ndim - len(plans)], *(len(_neighbours(plan)) for plan in plans)))


def _max_pick(u: Any, x: Any, plans: Any) -> np.ndarray:
    y = _pooled(x, plans)
    for o, at, _ in _at_maxima(x, plans):
        y[o] = u[at]
    return y


def _max_pool(x: Any, plans: Any) -> np.ndarray:
    return _max_pick(x, x, plans)


def _max_unpick(d: Any, x: Any, plans: Any) -> np.ndarray:
    out = np.zeros(x.shape)
    for o, at, _ in _at_maxima(x, plans):
        out[at] += d[o]
    return out


def _unpool(x: Any, at: Any, count: int) -> np.ndarray:
    y = np.zeros((len(x), count))
    for i, j in np.ndindex(*x.shape):
        y[i, at[i, j]] = x[i, j]
    return y


def _max_pool_indices(x: Any, plans: Any) -> np.ndarray:
    y = _pooled(x, plans).astype(np.int64)
    sizes = x.shape[x.ndim - len(plans) :]
    for o, at, lead in _at_maxima(x, plans):
        y[o] = np.ravel_multi_index(at[len(lead) :], sizes)
    return y


# ---------------------------------------------------------------- the rows


def rows(Row: Callable[..., Any], real: Callable[..., Any], whole: Callable[..., Any]) -> list[Any]:
    def how(
        rank: int, stride: Any = 1, pads: Any = ((0, 0),), dilation: Any = 1, **rest: Any
    ) -> dict[str, Any]:
        around = pads * rank if len(pads) < rank else pads
        return {"stride": (stride,) * rank, "pads": around, "dilation": (dilation,) * rank, **rest}

    one, two, three = how(1, groups=1), how(2, 2, ((1, 1),), groups=2), how(3, 1, ((1, 0),), groups=1)
    gaps, apart = how(1, 2, ((2, -1),), 2, groups=1), how(1, 2, ((1, 0),), 3, groups=2)
    # A filter for each channel.
    each, rare, deep = how(2, 1, ((1, 2),), groups=2), how(2, 2, ((1, 0),), 2, groups=2), how(3, groups=2)
    pooled = (("window", 4, 2, 2, 0, 1, 2), ("window", 5, 3, 2, 1, 1, 3))
    far, wide = (("window", 6, 3, 1, 1, 2, 4),), (("window", 6, 4, 3, 2, 1, 3),)
    # Two neighbours: in common with the next two, side by side, with gaps between.
    twos = [
        (("window", size, 2, stride, 0, 1, out),) for size, stride, out in ((5, 1, 4), (6, 2, 3), (9, 3, 3))
    ]
    parts, even = (("adaptive", 5, 3), ("adaptive", 3, 2)), (("adaptive", 6, 3), ("adaptive", 4, 4))
    means = [
        (("mean", 4, 2, 2, 0, 2, True), ("mean", 5, 3, 2, 1, 3, False)),
        (("mean", 5, 3, 2, 1, 3, True),),
        (("mean", 6, 5, 4, 2, 2, False),),
        (("sum", 5, 2, 1, 1, 6),),
        parts,
        even,
        (("nearest", 3, 5, 0.0), ("nearest", 5, 3, 0.0)),
        (("nearest-exact", 5, 3, 0.0),),
        (("nearest", 3, 4, 0.6),),
        (("linear", 3, 5, 0.0, False), ("linear", 4, 2, 0.0, True)),
        (("linear", 3, 1, 0.0, True),),
        (("linear-wide", 7, 3, 0.0, False),),
        (("cubic-wide", 7, 3, 0.0, False), ("linear-wide", 3, 5, 0.0, True)),
        (("adaptive", 3, 1), ("adaptive", 4, 1)),
        (("linear", 4, 5, 0.7, False),),
        (("cubic", 4, 6, 0.0, False), ("cubic", 3, 5, 0.0, True)),
    ]

    def sizes(plans: Any) -> tuple[int, ...]:
        return tuple(plan[1] for plan in plans)

    def out(plans: Any) -> tuple[int, ...]:
        return tuple(len(_neighbours(plan)) for plan in plans)

    woven = {"size": (2, 3), "stride": (1, 2), "offset": 1}
    nothing = {"size": (0, 2), "stride": (1, 1), "offset": 0}
    single: dict[str, Any] = {"size": (), "stride": (), "offset": 1}
    table = [
        Row("conv", (real(2, 2, 5), real(3, 2, 2), real(3)), _conv, "012", one),
        Row("conv", (real(2, 4, 5, 4), real(2, 2, 3, 2)), _conv, "01", two),
        Row("conv", (real(1, 2, 3, 2, 3), real(2, 2, 2, 1, 2)), _conv, "01", three),
        Row("conv", (real(2, 1, 7), real(2, 1, 3)), _conv, "01", gaps),
        Row("conv", (real(0, 2, 5), real(3, 2, 2)), _conv, "01", one),
        Row("conv", (real(2, 2, 3, 4), real(2, 1, 2, 3), real(2)), _conv, "012", each),
        Row("conv", (real(1, 2, 6, 5), real(2, 1, 2, 2)), _conv, "01", rare),
        Row("conv", (real(1, 2, 3, 2, 3), real(2, 1, 2, 2, 2)), _conv, "01", deep),
        Row("conv_input", (real(2, 3, 4), real(3, 2, 2)), _conv_input, "01", {"sizes": (5,), **one}),
        Row("conv_input", (real(1, 4, 2, 2), real(4, 1, 3, 2)), _conv_input, "01", {"sizes": (4, 3), **two}),
        Row("conv_input", (real(0, 3, 4), real(3, 2, 2)), _conv_input, "01", {"sizes": (5,), **one}),
        Row("conv_input", (real(2, 2, 3, 3), real(2, 1, 2, 2)), _conv_input, "01", {"sizes": (6, 6), **rare}),
        Row("conv_input", (real(1, 2, 4), real(2, 2, 2)), _conv_input, "01", {"sizes": (5,), **one}),
        # Samples behind the places, in two goes.
        Row("conv_input", (real(33, 2, 2), real(2, 1, 3)), _conv_input, "01", {"sizes": (8,), **apart}),
        Row("conv_weight", (real(2, 2, 5), real(2, 3, 4)), _conv_weight, "01", {"kernel": (2,), **one}),
        Row("conv_weight", (real(2, 2, 4, 4), real(2, 2, 2, 3)), _conv_weight, "01", {"kernel": (3, 2), **two}),
        Row("conv_weight", (real(0, 2, 5), real(0, 3, 4)), _conv_weight, "01", {"kernel": (2,), **one}),
        Row("conv_weight", (real(2, 2, 3, 4), real(2, 2, 5, 5)), _conv_weight, "01", {"kernel": (2, 3), **each}),
        Row("unfold", (real(2, 2, 4, 3),), _unfold, "0", {"kernel": (2, 2), **how(2, 1, ((1, 1),))}),
        Row("unfold", (real(1, 1, 5, 4),), _unfold, "0", {"kernel": (2, 1), **how(2, 2, ((0, 0),), 2)}),
        Row("unfold", (real(0, 2, 4, 3),), _unfold, "0", {"kernel": (2, 2), **how(2)}),
        Row("sliding", (real(2, 5),), _sliding, "0", {"dim": 1, "size": 3, "step": 1}),
        Row("sliding", (real(5, 2),), _sliding, "0", {"dim": 0, "size": 2, "step": 3}),
        Row("sliding", (real(0, 3),), _sliding, "0", {"dim": 1, "size": 2, "step": 1}),
        Row("sliding_back", (real(2, 3, 3),), _sliding_back, "0", {"shape": (2, 5), "dim": 1, "step": 1}),
        Row("sliding_back", (real(0, 2, 2),), _sliding_back, "0", {"shape": (0, 3), "dim": 1, "step": 1}),
        Row("sliding_back", (real(2, 2, 2),), _sliding_back, "0", {"shape": (5, 2), "dim": 0, "step": 3}),
        Row("as_strided", (real(3, 4),), _as_strided, "0", woven),
        Row("as_strided", (real(0),), _as_strided, "0", nothing),
        Row("as_strided", (real(),), _as_strided, "0", {"size": (2,), "stride": (0,), "offset": 0}),
        Row("as_strided_back", (real(2, 3),), _as_strided_back, "0", {"shape": (3, 4), **woven}),
        Row("as_strided_back", (real(0, 2),), _as_strided_back, "0", {"shape": (0,), **nothing}),
        Row("as_strided_back", (real(),), _as_strided_back, "0", {"shape": (2,), **single}),
        Row("fold", (real(2, 8, 6),), _fold, "0", {"sizes": (4, 3), "kernel": (2, 2), **how(2)}),
        Row("fold", (real(1, 2, 4),), _fold, "0", {"sizes": (5, 4), "kernel": (2, 1), **how(2, 2, ((0, 0),), 2)}),
        Row("fold", (real(0, 8, 6),), _fold, "0", {"sizes": (4, 3), "kernel": (2, 2), **how(2)}),
        Row("pad_constant", (real(2, 3),), _pad, "0", {"pads": ((1, 0), (0, 2)), "value": 1.5}),
        Row("pad_constant", (real(2, 4),), _pad, "0", {"pads": ((-1, 2),), "value": 0.0}),
        Row("pad_constant", (real(0, 4),), _pad, "0", {"pads": ((1, 1),), "value": 0.0}),
    ]  # fmt: skip
    for plans in (pooled, far, wide, parts, even, *twos):
        x = real(2, *sizes(plans))
        table += [
            Row("max_pool", (x,), _max_pool, "0", {"plans": plans}),
            Row("max_pool_indices", (x,), _max_pool_indices, "", {"plans": plans}, "int64"),
            Row("max_unpick", (real(2, *out(plans)), x), _max_unpick, "01", {"plans": plans}),
            Row("max_pick", (x, x), _max_pick, "01", {"plans": plans}),
        ]
    x = real(0, 6)
    table += [
        Row("max_pool", (x,), _max_pool, "0", {"plans": far}),
        Row("max_pool_indices", (x,), _max_pool_indices, "", {"plans": far}, "int64"),
        Row("max_unpick", (real(0, 4), x), _max_unpick, "01", {"plans": far}),
        Row("max_pick", (x, x), _max_pick, "01", {"plans": far}),
    ]
    table += [
        Row("unpool", (real(2, 1), whole(0, 4, 2, 1)), _unpool, "0", {"count": 4}),
        Row("unpool", (real(0, 1), whole(0, 4, 0, 1)), _unpool, "0", {"count": 4}),
    ]
    for plans in means:
        table += [
            Row("resample", (real(2, *sizes(plans)),), _resample, "0", {"plans": plans}),
            Row("resample_back", (real(2, *out(plans)),), _resample_back, "0", {"plans": plans}),
        ]
    for plans in (means[1], means[6]):
        table += [
            Row("resample", (real(0, *sizes(plans)),), _resample, "0", {"plans": plans}),
            Row("resample_back", (real(0, *out(plans)),), _resample_back, "0", {"plans": plans}),
        ]
    return table

"""How operations print whose kernels go over large arrays block by block: short functions that give the same bits.

They are written for the shapes of the call.  A program that `minigrad.source` prints has them in its head; what
`minigrad.compile` runs calls the kernels themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minigrad.core.text import Call, Lines, Shape
from minigrad.kernels import activations as act
from minigrad.kernels import channels
from minigrad.kernels.norms import LONG
from minigrad.kernels.sums import ALONE, FEW, MANY, SHORT, added_by_product


def total(x: str, n: int, dtype: str = "") -> str:
    """The sum of each row of ``n`` elements, as `kernels.sums.row_sums` adds up."""
    if added_by_product(n):
        return f"np.vecdot({x}, np.ones({n}, {dtype or x}.dtype))[..., np.newaxis]"
    return f"np.sum({x}, axis=-1, keepdims=True)"


def along(lines: Callable[[int], list[str]]) -> Lines:
    """Lines for functions of rows along the parameter ``dim``, of as many elements; the last one returns the result."""

    def of(v: Call) -> list[str] | None:
        if not v.shape:
            return None
        dim = v.params["dim"]
        some = lines(v.shape[dim])
        if dim == len(v.shape) - 1:
            return some
        names = "gy" if len(v.shapes) > 1 else "x"
        turned = [f"{x} = np.ascontiguousarray(np.moveaxis({x}, {dim}, -1))" for x in names]
        return [*turned, *some[:-1], f"y = {some[-1].removeprefix('return ')}",
                f"return np.ascontiguousarray(np.moveaxis(y, -1, {dim}))"]  # fmt: skip

    return of


# ---------------------------------------------------------------- softmax and the losses of classes


def softmax(n: int) -> list[str]:
    return ["y = np.exp(x - np.max(x, axis=-1, keepdims=True))", f"return y / {total('y', n)}"]


def log_softmax(n: int) -> list[str]:
    return ["y = x - np.max(x, axis=-1, keepdims=True)", f"return y - np.log({total('np.exp(y)', n, 'y')})"]


def softmax_backward(n: int) -> list[str]:
    return [f"return (g - {total('g * y', n, 'y')}) * y"]


def log_softmax_backward(n: int) -> list[str]:
    return [f"return g - np.exp(y) * {total('g', n)}"]


def _kept(v: Call) -> str:
    return f"kept = target != {v.params['ignore']}"


def log_loss(v: Call) -> list[str]:
    n = v.shapes[0][1]
    lines = [
        _kept(v),
        "y = x - np.max(x, axis=1, keepdims=True)",
        "chosen = y[np.arange(len(y)), np.where(kept, target, 0)]",
        f"losses = np.where(kept, np.log({total('np.exp(y)', n, 'y')})[:, 0] - chosen, 0.0)",
    ]
    end = "return np.sum(losses) / np.sum(kept, dtype=x.dtype)" if v.params["mean"] else "return losses"
    return [*lines, end]


def log_loss_backward(v: Call) -> list[str]:
    return [
        _kept(v),
        f"d = np.where(kept, d{' / np.sum(kept, dtype=d.dtype)' * v.params['mean']}, 0.0)[:, np.newaxis]",
        "y = np.exp(x - np.max(x, axis=1, keepdims=True))",
        f"y *= d / {total('y', v.shapes[1][1])}",
        "y[np.arange(len(y)), np.where(kept, target, 0)] -= d[:, 0]",
        "return y",
    ]


# ---------------------------------------------------------------- rows and places


def embedding(v: Call) -> list[str]:
    return ["return np.take(weight, index, axis=0)"]


def embedding_backward(v: Call) -> list[str]:
    (rows, width), count = v.shape, math.prod(v.shapes[1])
    lines = [
        "index = index.reshape(-1)",
        f"d = d.reshape(-1, {width})",
        f"out = np.zeros({v.shape}, d.dtype)",
    ]
    if v.params["by_count"] or count > 8 * rows:
        lines += [
            "order = np.argsort(index, kind='stable')",
            "index = index[order]",
            "first = np.flatnonzero(np.diff(index, prepend=-1))",
            "sums = np.add.reduceat(d[order], first, axis=0)",
        ]
        if v.params["by_count"]:
            lines.append("sums /= np.diff(first, append=index.size).reshape(-1, 1).astype(d.dtype)")
        lines.append("out[index[first]] = sums")
    else:
        lines.append("np.add.at(out, index, d)")
    if v.params["padding"] >= 0:
        lines.append(f"out[{v.params['padding']}] = 0.0")
    return [*lines, "return out"]


def gather(v: Call) -> list[str] | None:
    x, index, dim = *v.shapes, v.params["dim"]
    if not x or any(m > n for d, (n, m) in enumerate(zip(x, index, strict=True)) if d != dim):
        return None
    part = [":" if d == dim or n == m else f":{m}" for d, (n, m) in enumerate(zip(x, index, strict=True))]
    of = "x" if all(p == ":" for p in part) else f"x[{', '.join(part)}]"
    return [f"return np.take_along_axis({of}, index, axis={dim})"]


def ungather(v: Call) -> list[str] | None:
    if not v.shape:
        return None
    return [
        f"out = np.zeros({v.shape}, g.dtype)",
        "places = list(np.indices(index.shape, sparse=True))",
        f"places[{v.params['dim']}] = index",
        "np.add.at(out, tuple(places), g)",
        "return out",
    ]


# ---------------------------------------------------------------- gelu


def _gelu_lines(v: Call, at: int, last: str) -> list[str] | None:
    """The lines of both; ``at`` is the number of x."""
    c = act
    if v.params["approximate"] == "tanh":
        lines = ["z = x * x", f"y = np.tanh((z * {c._SLOPE * c._CUBIC!r} + {c._SLOPE!r}) * x) * 0.5"]
        slope = [
            f"z = (z * {3.0 * c._SLOPE * c._CUBIC!r} + {c._SLOPE!r}) * (y * y * -2.0 + 0.5) * x",
        ]
    elif v.dtype == np.float32:
        first, *others, end = c.NORMAL
        lines = [
            "z = x * x",
            f"y = z * {first!r}",
            f"for c in {tuple(others)!r}:",
            "    y = (y + c) * z",
            f"y = np.tanh((y + {end!r}) * x) * 0.5",
        ]
        slope = [f"z = np.exp(z * -0.5) * {c._DENSITY!r} * x"]
    else:
        lines = [f"y = {{erf}}(x * {c._SQRT_HALF!r}) * 0.5"]
        slope = [f"z = np.exp(x * x * -0.5) * {c._DENSITY!r} * x"]
    if at:
        lines += slope
    if not v.turned:
        return [*lines, f"return {last}"]
    return [*lines, "out = np.empty_like(x)", f"out[...] = {last}", "return out"]


def gelu(v: Call) -> list[str] | None:
    return _gelu_lines(v, 0, "(y + 0.5) * x")


def gelu_backward(v: Call) -> list[str] | None:
    return _gelu_lines(v, 1, "(y + 0.5 + z) * d")


# ---------------------------------------------------------------- norms


def _products(x: str, y: str, n: int) -> str:
    """The sums of the products of rows, as `norms._row_products`."""
    if n > SHORT:
        return f"np.sum({x} * {y}, axis=-1, keepdims=True)"
    return f"np.vecdot({x}, {y})[..., np.newaxis]"


def _rows_of(v: Call, x: int) -> tuple[int, int]:
    """How many rows a layer norm has, and their length."""
    n = math.prod(v.shapes[x + 1])
    return math.prod(v.shapes[x]) // n, n


def _deviations(n: int, eps: float) -> list[str]:
    return [
        f"rows = x.reshape(-1, {n})",
        f"c = rows - {total('rows', n)} / {n}",
        f"r = 1.0 / np.sqrt({_products('c', 'c', n)} / {n} + {eps})",
    ]


def layer_norm(v: Call) -> list[str] | None:
    _, n = _rows_of(v, 0)
    y = "c * (r * w.reshape(-1))" if n <= LONG else "c * r * w.reshape(-1)"
    shift = " + b.reshape(-1)" * (len(v.shapes) - 2)
    return [*_deviations(n, v.params["eps"]), f"return ({y}{shift}).reshape({v.shape})"]


def layer_norm_backward(v: Call) -> list[str] | None:
    many, n = _rows_of(v, 1)
    if n > SHORT:
        return None
    lines = [*_deviations(n, v.params["eps"]), f"g = d.reshape(-1, {n})", "gc = g * c"]
    if many < FEW:
        lines += ["dw, db = np.dot(r[:, 0], gc), np.dot(np.ones(len(g), g.dtype), g)"]
    else:
        lines += ["dw, db = {summed}(r, gc), {summed}(np.ones_like(r), g)"]
    if v.params["onward"]:
        lines += [
            "w = w.reshape(-1)",
            f"c *= r * r * r * ({_products('gc', 'w', n)} / {n})",
            f"dx = g * {'(r * w)' if n <= LONG else 'r * w'} - c - r * ({_products('g', 'w', n)} / {n})",
        ]
    parts = "dx.reshape(-1), dw, db" if v.params["onward"] else "dw, db"
    return [*lines, f"return np.concatenate(({parts}))"]


def _channel_sums(x: str, y: str, n: int, c: int, rest: int, across: bool) -> str | None:
    """The sums of channels of ``x``, or of the products with ``y``, as `kernels.channels` adds up; (1 or n, c).

    None where that takes too many steps to print.
    """
    both = f"{x} * {y}" if y else x
    ones = f"np.ones({rest}, x.dtype)"
    if rest == 1 or (across and rest < channels.FEW):
        flat = f"({both}).reshape({n}, -1)"
        if not across:
            return flat
        of_rows = f"np.dot(np.ones({n}, x.dtype), {flat})" if n <= MANY else f"{{sum_rows}}({flat})"
        return (
            f"{of_rows}[np.newaxis]"
            if rest == 1
            else f"np.dot({of_rows}.reshape(-1, {rest}), {ones})[np.newaxis]"
        )
    if channels.ROW <= rest <= SHORT:
        parts = f"np.vecdot({x}, {y or ones})"
    elif rest < channels.ROW:
        parts = f"np.dot(({both}).reshape(-1, {rest}), {ones}).reshape({n}, {c})"
    else:
        return None
    if not across:
        return parts
    if n <= FEW:
        return f"np.sum({parts}, axis=0, keepdims=True)"
    return f"np.dot(np.ones({n}, x.dtype), {parts})[np.newaxis]" if n <= MANY and n * c <= ALONE else None


def _channels_of(x: Shape) -> tuple[int, int, int]:
    return x[0], x[1], math.prod(x[2:])


def _channel_means(sums: str, v: Call, x: int) -> str:
    """The means of groups, for each channel."""
    (n, c, rest), groups = _channels_of(v.shapes[x]), v.params["groups"]
    if not groups:
        return f"{sums} / {n * rest}"
    each = c // groups
    if each == 1:
        return f"{sums} / {rest}"
    added = f"np.dot(({sums}).reshape(-1, {each}), np.ones({each}, x.dtype))"
    return f"np.repeat({added}.reshape(-1, {groups}) / {each * rest}, {each}, axis=1)"


def _channel_deviations(v: Call, x: int) -> list[str] | None:
    n, c, rest = _channels_of(v.shapes[x])
    across = not v.params["groups"]
    first, second = _channel_sums("x", "", n, c, rest, across), _channel_sums("c", "c", n, c, rest, across)
    if first is None or second is None or (not across and n * c * rest > channels.BLOCK):
        return None
    return [
        f"x = x.reshape({n}, {c}, {rest})",
        f"mean = {_channel_means(first, v, x)}",
        "c = x - mean[:, :, np.newaxis]",
        f"r = 1.0 / np.sqrt({_channel_means(second, v, x)} + {v.params['eps']})",
    ]


def channel_norm(v: Call) -> list[str] | None:
    lines = _channel_deviations(v, 0)
    shift = " + b[:, np.newaxis]" * (len(v.shapes) - 2)
    return lines and [*lines, f"return (c * (r * w)[:, :, np.newaxis]{shift}).reshape({v.shape})"]


def channel_norm_backward(v: Call) -> list[str] | None:
    n, c, rest = _channels_of(v.shapes[1])
    across = not v.params["groups"]
    lines, many = _channel_deviations(v, 1), 1 if across else n
    of_d, of_c = _channel_sums("g", "", n, c, rest, across), _channel_sums("g", "c", n, c, rest, across)
    if lines is None or of_d is None or of_c is None or (many > FEW and (many > MANY or many * c > ALONE)):
        return None
    end = "[0]" if many == 1 else ".sum(axis=0)" if many <= FEW else ""
    totals = [f"dw, db = (of_c * r){end}, of_d{end}"]
    if not end:
        totals = [f"ones = np.ones({n}, x.dtype)", "dw, db = np.dot(ones, of_c * r), np.dot(ones, of_d)"]
    lines += [f"g = d.reshape({n}, {c}, {rest})", f"of_d = {of_d}", f"of_c = {of_c}", *totals]
    if not v.params["onward"]:
        return [*lines, "return np.concatenate((dw, db))"]
    return [
        *lines,
        f"by_c = r * r * r * ({_channel_means('(of_c * w)', v, 1)})",
        f"shift = r * ({_channel_means('(of_d * w)', v, 1)})",
        "c = c * by_c[:, :, np.newaxis] + shift[:, :, np.newaxis]",
        "dx = g * (r * w)[:, :, np.newaxis] - c",
        "return np.concatenate((dx.reshape(-1), dw, db))",
    ]


def moments(v: Call) -> list[str] | None:
    n, c, rest = _channels_of(v.shapes[0])
    first, second = _channel_sums("x", "", n, c, rest, True), _channel_sums("c", "c", n, c, rest, True)
    if first is None or second is None:
        return None
    return [
        f"x = x.reshape({n}, {c}, {rest})",
        f"mean = {first} / {n * rest}",
        "c = x - mean[:, :, np.newaxis]",
        f"return np.concatenate((mean, {second} / {float(max(n * rest - v.params['correction'], 0))}))",
    ]


def running_norm(v: Call) -> list[str] | None:
    each = (-1, *(1,) * (len(v.shape) - 2))
    shift = f" + b.reshape({each})" * (len(v.shapes) - 4)
    scale = f"(w / np.sqrt(var + {v.params['eps']})).reshape({each})"
    return [f"return (x - mean.reshape({each})) * {scale}{shift}"]

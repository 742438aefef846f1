"""How operations print whose kernels go over large arrays block by block: short functions that give the same bits.

They are written for the shapes of the call.  A program that `minigrad.source` prints has them in its head; what
`minigrad.compile` runs calls the kernels themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from minigrad.core.text import Call, Lines
from minigrad.kernels.sums import added_by_product


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

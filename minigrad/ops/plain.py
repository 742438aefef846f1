"""How operations print whose kernels go over large arrays block by block: short functions that give the same bits.

They are written for the shapes of the call.  A program that `minigrad.source` prints has them in its head; what
`minigrad.compile` runs calls the kernels themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core.basic import sum_text
from minigrad.core.text import Call, Lines, Shape
from minigrad.kernels import activations as act
from minigrad.kernels.sums import FEW, VDOT, added_by_product, blocks, in_columns


def total(x: str, n: int, dtype: str = "", axis: int = -1) -> str:
    """The sum of each row, or column, of ``n`` elements, as `kernels.sums.row_sums` adds up."""
    if axis == 1 and n > FEW:
        parts = f"np.split({x}, range({FEW}, {n}, {FEW}), axis=1)"
        return f"sum(np.sum(part, axis=1, keepdims=True) for part in {parts})"
    if axis == 1:
        return f"np.sum({x}, axis=1, keepdims=True)"
    if added_by_product(n):
        return f"np.vecdot({x}, np.ones({n}, {dtype or x}.dtype))[..., np.newaxis]"
    return f"np.sum({x}, axis=-1, keepdims=True)"


def along(lines: Callable[[int, int], list[str]]) -> Lines:
    """Lines for functions along the parameter ``dim``, of ``n`` elements; the last one returns the result.

    ``lines`` gets ``n`` and the axis: -1 for rows, 1 for the columns of a stack of matrices.
    """

    def of(v: Call) -> list[str] | None:
        if not v.shape:
            return None
        dim, n = v.params["dim"], v.shape[v.params["dim"]]
        if dim == len(v.shape) - 1:
            return lines(n, -1)
        columns = in_columns(v.shape, dim)
        *some, last = lines(n, 1 if columns else -1)
        names, last = "gy" if len(v.shapes) > 1 else "x", last.removeprefix("return ")
        if columns:
            stack = math.prod(v.shape[:dim]), n, math.prod(v.shape[dim + 1 :])
            turned = [f"{x} = np.ascontiguousarray({x}).reshape({stack})" for x in names]
            return [*turned, *some, f"return ({last}).reshape({v.shape})"]
        turned = [f"{x} = np.ascontiguousarray(np.moveaxis({x}, {dim}, -1))" for x in names]
        return [*turned, *some, f"y = {last}", f"return np.ascontiguousarray(np.moveaxis(y, -1, {dim}))"]

    return of


# ---------------------------------------------------------------- softmax and the losses of classes


@along
def softmax(n: int, axis: int) -> list[str]:
    return [f"y = np.exp(x - np.max(x, axis={axis}, keepdims=True))", f"return y / {total('y', n, '', axis)}"]


@along
def safe_softmax(n: int, axis: int) -> list[str]:
    return [
        f"top = np.max(x, axis={axis}, keepdims=True)",
        "y = np.exp(x - np.where(top == -np.inf, 0.0, top))",
        f"s = {total('y', n, '', axis)}",
        "return y / np.where(s == 0.0, 1.0, s)",
    ]


@along
def log_softmax(n: int, axis: int) -> list[str]:
    return [
        f"y = x - np.max(x, axis={axis}, keepdims=True)",
        f"return y - np.log({total('np.exp(y)', n, 'y', axis)})",
    ]


@along
def softmax_backward(n: int, axis: int) -> list[str]:
    return [f"return (g - {total('g * y', n, 'y', axis)}) * y"]


@along
def log_softmax_backward(n: int, axis: int) -> list[str]:
    return [f"return g - np.exp(y) * {total('g', n, '', axis)}"]


def _kept(v: Call) -> str:
    return f"kept = target != {v.params['ignore']}"


def _reduced(v: Call) -> str:
    return "return np.sum(losses) / np.sum(kept, dtype=x.dtype)" if v.params["mean"] else "return losses"


def _axis(places: Shape) -> int:
    """Where classes stand: last in rows, in the middle of a stack of matrices with columns."""
    return -1 if len(places) < 2 else 1


def _chosen(x: str, places: Shape) -> str:
    """Of each row, or column, the number for its class."""
    at = "np.where(kept, target, 0)"
    if len(places) < 2:
        return f"{x}[np.arange(len({x})), {at}]"
    return f"np.take_along_axis({x}, {at}[:, np.newaxis], axis=1)[:, 0]"


def log_loss(v: Call) -> list[str]:
    shape, places = v.shapes
    return [
        _kept(v),
        "y = x - np.max(x, axis=1, keepdims=True)",
        f"chosen = {_chosen('y', places)}",
        f"losses = np.where(kept, np.log({total('np.exp(y)', shape[1], 'y', _axis(places))})[:, 0] - chosen, 0.0)",
        _reduced(v),
    ]


def _of_each(v: Call) -> str:
    return f"d = np.where(kept, d{' / np.sum(kept, dtype=d.dtype)' * v.params['mean']}, 0.0)"


def _less(places: Shape) -> list[str]:
    if len(places) < 2:
        return ["y[np.arange(len(y)), np.where(kept, target, 0)] -= d[:, 0]"]
    return [
        "at = np.where(kept, target, 0)[:, np.newaxis]",
        "np.put_along_axis(y, at, np.take_along_axis(y, at, axis=1) - d, axis=1)",
    ]


def log_loss_backward(v: Call) -> list[str]:
    shape, places = v.shapes[1:3]
    return [
        _kept(v),
        f"{_of_each(v)}[:, np.newaxis]",
        "y = np.exp(x - np.max(x, axis=1, keepdims=True))",
        f"y *= d / {total('y', shape[1], axis=_axis(places))}",
        *_less(places),
        "return y",
    ]


def nll(v: Call) -> list[str]:
    return [_kept(v), f"losses = np.where(kept, -{_chosen('x', v.shapes[1])}, 0.0)", _reduced(v)]


def nll_backward(v: Call) -> list[str]:
    out = [
        "rows = np.flatnonzero(kept)",
        f"out = np.zeros({v.shape}, d.dtype)",
        "out[rows, target[rows]] = -d[rows]",
    ]
    if len(v.shape) > 2:
        out[0], out[2] = "row, place = np.nonzero(kept)", "out[row, target[kept], place] = -d[kept]"
    return [_kept(v), _of_each(v), *out, "return out"]


# ---------------------------------------------------------------- rows and places


def embedding(v: Call) -> list[str]:
    return ["return weight[index]"]


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
    if 0 in index:  # of any shape
        return [f"return np.empty({v.shape}, x.dtype)"]
    if len(index) < len(x):
        of_rows = f"np.take_along_axis(x, np.expand_dims(index, {dim}), axis={dim}).squeeze({dim})"
        return [f"return {of_rows if index else 'x[index]'}"]
    if not x or any(m > n for d, (n, m) in enumerate(zip(x, index, strict=True)) if d != dim):
        return None
    part = [":" if d == dim or n == m else f":{m}" for d, (n, m) in enumerate(zip(x, index, strict=True))]
    of = "x" if all(p == ":" for p in part) else f"x[{', '.join(part)}]"
    return [f"return np.take_along_axis({of}, index, axis={dim})"]


def ungather(v: Call) -> list[str] | None:
    if not v.shape or 0 in v.shapes[1]:
        return None
    return [
        f"out = np.zeros({v.shape}, g.dtype)",
        *_places(v.params["dim"], len(v.shapes[1]) < len(v.shape)),
        "np.add.at(out, tuple(places), g)",
        "return out",
    ]


def _places(dim: int, more: bool = False) -> list[str]:
    at = f"places.insert({dim}, index)" if more else f"places[{dim}] = index"
    return ["places = list(np.indices(index.shape, sparse=True))", at]


def scatter(v: Call) -> list[str] | None:
    if not v.shape:
        return None
    return ["out = np.array(x)", *_places(v.params["dim"]), "out[tuple(places)] = v", "return out"]


def scatter_add(v: Call) -> list[str] | None:
    if not v.shape or v.dtype == np.bool_:
        return None
    return ["out = np.array(x)", *_places(v.params["dim"]), "np.add.at(out, tuple(places), v)", "return out"]


def _key(v: Call, others: int) -> str:
    """What stands between brackets, of the operands behind so many others."""
    pattern, count = v.params["pattern"], len(v.shapes) - others
    names = iter(["index"] if count == 1 else [f"index_{i}" for i in range(count)])
    return ", ".join(next(names) if here else ":" for here in pattern)


def _add_at(key: str, value: str) -> str:
    key_of = f"np.s_[{key}]" if ":" in key else f"({key})" if "," in key else key
    return f"np.add.at(out, {key_of}, {value})"


def unindex(v: Call) -> list[str]:
    key, masks = _key(v, 1), all(d.kind == "b" for d in v.dtypes[1:])
    put = f"out[{key}] = g" if masks else _add_at(key, "g")
    return [f"out = np.zeros({v.params['shape']}, g.dtype)", put, "return out"]


def index_put(v: Call) -> list[str]:
    return ["out = np.array(x)", f"out[{_key(v, 2)}] = v", "return out"]


def index_winners(v: Call) -> list[str]:
    key = _key(v, 1)
    return [
        "written = np.zeros(x.shape, np.int64)",
        f"numbers = np.arange(written[{key}].size).reshape(written[{key}].shape)",
        f"written[{key}] = numbers",
        f"return np.equal(written[{key}], numbers)",
    ]


def index_add(v: Call) -> list[str]:
    key = ", ".join([":"] * v.params["dim"] + ["index"])
    return ["out = np.array(x)", _add_at(key, "v"), "return out"]


# ---------------------------------------------------------------- sums and lengths


def logsumexp(v: Call) -> list[str] | None:
    dim = v.params["dim"]
    total = _filled("np.exp(x - top)", v, dim, True)
    if v.dtype.kind != "f" or total is None or not v.by_rows(0):
        return None
    return [
        f"top = np.max(x, axis={_one(dim)}, keepdims=True)",
        "top = np.where(np.isfinite(top), top, 0.0)",
        f"return (np.log({total}) + top).reshape({v.shape})",
    ]


def _one(dim: Any) -> Any:
    return dim[0] if dim is not None and len(dim) == 1 else dim


def _filled(x: str, v: Call, dim: Any, keepdim: bool) -> str | None:
    """`sum_text` as a line has it; `sum_first` and `sum_rows` are helpers there."""
    some = sum_text(x, v, dim, keepdim)
    if some is None:
        return None
    text = some[0].replace("np.ones({n})", "np.ones({n}, {dtype})")
    text = text.replace(", keepdims={keepdim}", ", keepdims=True" * keepdim)
    names = {"dim": _one(dim), "dtype": "x.dtype", "sum_first": "{sum_first}", "sum_rows": "{sum_rows}"}
    return text.format(**{**some[1], **names})


def _deviation(v: Call, root: str) -> list[str] | None:
    dim = v.params["dim"]
    n = math.prod(v.shapes[0] if dim is None else [v.shapes[0][d] for d in dim])
    mean, squares = (
        _filled("x", v, dim, True), _filled("np.square(x - MEAN)", v, dim, v.params["keepdim"])
    )  # fmt: skip
    if mean is None or squares is None:
        return None
    free = float(max(n - v.params["correction"], 0))
    y = f"{squares.replace('MEAN', f'{mean} / {n}')} / {'np.' * math.isinf(free)}{free}"
    if v.dtype != np.float32 or n <= max(v.params["correction"], 0):
        return [f"return {root.format(y)}"]
    shape = v.shapes[0]
    first = tuple(range(len(shape) if dim is None else len(dim)))
    rest = () if dim is None else tuple(m for d, m in enumerate(shape) if d not in dim)
    wide = root.format(f"np.var(rows.astype(np.float64), axis={first}, ddof={v.params['correction']})")
    return [
        f"y = {y}",
        "odd = ~(y * (1.0 / y) < np.inf)",
        f"y = np.asarray({root.format('y')})",
        "if np.any(odd):",
        f"    rows = np.moveaxis(x, {dim or first}, {first})[..., odd.reshape({rest})]",
        f"    y[odd] = {wide}",
        "return y",
    ]


def var(v: Call) -> list[str] | None:
    return _deviation(v, "{}")


def std(v: Call) -> list[str] | None:
    return _deviation(v, "np.sqrt({})")


def length(v: Call) -> list[str] | None:
    shape, dim = v.shapes[0], v.params["dim"]
    n = math.prod(shape if dim is None else [shape[d] for d in dim])
    last = dim is None or dim == tuple(range(len(shape) - len(dim), len(shape)))
    if v.dtype.kind != "f" or not v.by_rows(0):
        return None
    end = f"return np.sqrt(total).reshape({v.shape})"
    if n < FEW or not last:
        total = _filled("np.square(x)", v, dim, False)
        return None if total is None else [f"total = {total}", end]
    most, parts = (n, 1) if n <= VDOT else blocks(n, VDOT)
    lines = [f"rows = x.reshape(-1, {n})"]
    if parts == 1:
        product = "np.einsum('ij,ij->i', rows, rows)" if n < 2 * FEW else "np.vecdot(rows, rows)"
        return [*lines, f"total = {product}", end]
    lines += [
        f"parts = rows[:, :{most * parts}].reshape(-1, {parts}, {most})",
        "total = np.sum(np.vecdot(parts, parts), axis=1)",
    ]
    if most * parts < n:
        lines += [f"rest = rows[:, {most * parts}:]", "total = total + np.vecdot(rest, rest)"]
    return [*lines, end]


# ---------------------------------------------------------------- running sums and products


def _running(name: str, v: Call) -> list[str]:
    dtype, dim = np.dtype(v.params["dtype"]), v.params["dim"]
    x, kind = "x" if v.dtypes[0] == dtype else f"x.astype(np.{dtype.name})", f"np.{dtype.name}"
    if reverse := v.params.get("reverse"):
        x = f"np.flip({x}, axis={dim})"
    if dtype == np.float32:
        y = f"{name}({x}, axis={dim}, dtype=np.float64).astype(np.float32)"
    else:
        y = f"{name}({x}, axis={dim}{'' if dtype.kind == 'f' else f', dtype={kind}'})"
    return [f"return np.flip({y}, axis={dim}).copy()" if reverse else f"return {y}"]


def cumsum(v: Call) -> list[str]:
    return _running("np.cumsum", v)


def cumprod(v: Call) -> list[str]:
    return _running("np.cumprod", v)


# ---------------------------------------------------------------- gelu


def _gelu_lines(v: Call, slope_too: bool, last: str) -> list[str]:
    """The lines of both: ``y``, the normal distribution function less 1/2, for the gradient ``z`` from its slope."""
    if v.params["approximate"] == "tanh":
        lines = ["z = x * x", f"y = np.tanh((z * {act._SLOPE * act._CUBIC!r} + {act._SLOPE!r}) * x) * 0.5"]
        slope = [f"z = (z * {3.0 * act._SLOPE * act._CUBIC!r} + {act._SLOPE!r}) * (y * y * -2.0 + 0.5) * x"]
    elif v.dtype == np.float32:
        first, *others, end = act.NORMAL
        lines = [
            "z = x * x",
            f"y = z * {first!r}",
            f"for c in {tuple(others)!r}:",
            "    y = (y + c) * z",
            f"y = np.tanh((y + {end!r}) * x) * 0.5",
        ]
        slope = [f"z = np.exp(z * -0.5) * {act._DENSITY!r} * x"]
    else:
        lines = [f"y = {{erf}}(x * {act._SQRT_HALF!r}) * 0.5"]
        slope = [f"z = np.exp(x * x * -0.5) * {act._DENSITY!r} * x"]
    if slope_too:
        lines += slope
    if not v.turned:
        return [*lines, f"return {last}"]
    return [*lines, "out = np.positive(x)", f"out[...] = {last}", "return out"]


def gelu(v: Call) -> list[str]:
    return _gelu_lines(v, False, "(y + 0.5) * x")


def gelu_backward(v: Call) -> list[str]:
    return _gelu_lines(v, True, "(y + 0.5 + z) * d")

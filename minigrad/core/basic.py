"""The operations that the core itself needs: to convert, to copy, to undo broadcasting, to write into a view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core.op import Array, Op, Path
from minigrad.core.plans import OUT, Line, Lines, Target, named, narrow, wide
from minigrad.core.text import Call, Helper, Steps, Text, TextOf
from minigrad.dtypes import F32, F64
from minigrad.kernels.order import in_order, inverse
from minigrad.kernels.sums import (
    ALONE,
    FEW,
    MANY,
    WIDE,
    add_up,
    added_by_numpy,
    blocks,
    copied,
    sum_first,
    sum_rows,
)


def _expand(x: Any, shape: tuple[int, ...]) -> Array:
    if x.size == 1 and isinstance(x, np.ndarray) and x.flags.c_contiguous:
        # One element seen many times; a tenth of the time of np.broadcast_to.
        return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
    if isinstance(x, np.ndarray) and math.prod(shape) == x.size and len(shape) >= x.ndim:
        return x.reshape(shape)  # nothing repeats
    if isinstance(x, np.ndarray) and x.size and x.flags.c_contiguous:  # a third of the time
        added = len(shape) - x.ndim
        if added >= 0:
            steps = [0] * added
            for n, m, step in zip(x.shape, shape[added:], x.strides, strict=True):
                if n != 1 and n != m:
                    break
                steps.append(0 if n == 1 else step)
            else:
                return np.ndarray(shape, x.dtype, x, 0, steps)
    y = np.broadcast_to(x, shape)
    if isinstance(x, np.ndarray) and x.flags.writeable:
        y.flags.writeable = True  # a part of it may be written to; `inplace.store` refuses what repeats
    return y


def _sum_to(x: Array, shape: tuple[int, ...]) -> Any:
    if len(shape) == 1 and x.ndim > 1 and shape[0] == x.shape[-1]:  # rows onto one, as for a bias
        if x.ndim == 2 and len(x) == 1:
            return x[0]
        if x.size > shape[0] > 1 and x.dtype.char in "fd":
            return sum_rows(x if x.ndim == 2 else x.reshape(-1, shape[0]))
        if x.ndim == 2:
            return add_up(x, (0,))
    lead = x.ndim - len(shape)
    dims = (*range(lead), *(d + lead for d, n in enumerate(shape) if n == 1 and x.shape[d + lead] != 1))
    y = add_up(x, dims, True)
    if y.shape[lead:] != shape:
        raise ValueError(f"{x.shape} is not what broadcasting makes of {shape}")
    return y.reshape(shape)


def _view_scatter(x: Array, v: Array, path: Path) -> Array:
    out = np.array(x)  # a gradient may be a NumPy number, which cannot be written to
    part = _shown(out, path)
    if v.dtype.kind == "c" and part.dtype.kind != "c":  # of the zeros that a gradient gets
        v = v.real
    if part.size and not np.may_share_memory(part, out):
        # The base lay otherwise than a gradient does, of which this view would be a copy.
        places = _shown(np.arange(out.size).reshape(out.shape), path)
        np.put(out, places, np.broadcast_to(v, places.shape))
        return out
    part[...] = v
    return out


def _shown(x: Array, path: Path) -> Array:
    for op, params in path:
        x = op.kernel(x, **params)
    return x


def _follow(x: Array, path: Path) -> Array:
    for op, params in path:
        x = op(x, **params)
    return x


def _aligned(shape: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (len(target) - len(shape)) + tuple(shape)


def copied_into(t: Target) -> Lines | None:
    """`Op.into` of a copy."""
    return None if t.filled else Lines([Line("np.copyto", (t.operands[0].text,), how="first")])


def _reshape_into(t: Target) -> Lines | None:
    x = t.operands[0]
    shaped = f"{OUT}_as"
    return Lines(
        [Line("np.copyto", (x.text,), shaped, "first")], [named(shaped, f"{OUT}.reshape({x.shape!r})")]
    )


def _reshape_numba(t: Target) -> str | None:
    x = t.operands[0]
    return None if x.filled else f"np.ascontiguousarray({x.text}).reshape({t.shape!r})"


def _sum_to_into(t: Target) -> Lines | None:
    [x] = t.operands
    if (
        t.filled
        or len(t.shape) != 1
        or len(x.shape) != 2
        or t.shape[0] != x.shape[1]
        or x.dtype not in (F32, F64)
    ):
        return None
    rows = x.shape[0]
    if rows == 1:
        row = t.level(0)
        return Lines([Line("np.copyto", (row if row != x.text else f"{row}[0]",), how="first")])
    if t.shape[0] == 1:
        return Lines([Line("np.add.reduce", (x.text, "axis=0"))])
    if rows > MANY:
        return Lines([Line(t.helper(sum_rows), (x.text,))])
    ones = t.lasting("ones", f"np.ones({rows}, np.{x.dtype.name})", rows * x.dtype.itemsize)
    return Lines([Line("np.ndarray.dot", (ones, x.text))])


def _sum_to_numba(t: Target) -> str | None:
    [x] = t.operands
    if len(x.shape) < 2 or t.shape != x.shape[-1:]:
        return None
    if x.shape[:-1] == (1,):
        return f"{x.text}[0].copy()"
    rows = wide(t) if len(x.shape) == 2 else f"np.ascontiguousarray({wide(t)}).reshape(-1, {t.shape[0]})"
    return narrow(t, f"np.sum({rows}, axis=0)")


# ---------------------------------------------------------------- how they print


def _copied_text(text: str, of_repeated: str) -> TextOf:
    """A copy; of what repeats, row by row, and of float16 by the kernel."""
    return lambda v: of_repeated if v.repeats else None if v.dtype == np.float16 else text


def _in_memory_text(v: Call) -> Text:
    axes = tuple(v.params["axes"])
    return "np.array(np.transpose({}, {axes}), order='C').transpose({back})", {"back": inverse(axes)}


def _sum_to_text(v: Call) -> Text:
    x, shape = v.shapes[0], v.shape
    lead = len(x) - len(shape)
    if len(shape) == 1 and lead > 0 and shape[0] == x[-1]:
        if x[0] == 1 and len(x) == 2:
            return "{}[0]"
        n, m = math.prod(x[:-1]), x[-1]
        if v.dtypes[0].char in "fd" and n * m > m > 1:
            return _rows_added("{}" if len(x) == 2 else "{}.reshape(-1, {m})", n, m, v.dtypes[0])
    inner = tuple(d + lead for d, n in enumerate(shape) if n == 1 and x[d + lead] != 1)
    dims = (*range(lead), *inner)
    some = sum_text("{}", v, dims, bool(inner))
    if some is None:
        return None
    return some[0] + (".reshape({shape})" if inner and lead else ""), some[1]


def _rows_added(rows: str, n: int, m: int, dtype: Any) -> tuple[str, dict[str, Any]]:
    """The sum of rows as `sum_rows` adds."""
    if n > MANY:
        return f"{{sum_rows}}({rows})", {"m": m, "sum_rows": _sum_rows_text(n, m)}
    ones = "np.ones({n})" if dtype == np.float64 else "np.ones({n}, {dtype})"
    return f"np.dot({ones}, {rows})", {"n": n, "m": m, "dtype": dtype}


def sum_text(x: str, v: Call, dim: Sequence[int] | None, keepdim: bool) -> tuple[str, dict[str, Any]] | None:
    """The sum of ``x``, which is like the first operand, as `add_up` adds; None where that takes many steps."""
    shape, dtype, by_rows = v.shapes[0], v.dtypes[0], v.by_rows(0)
    dims = (*range(len(shape)),) if dim is None else (*dim,)
    together = bool(dims) and dims[-1] - dims[0] == len(dims) - 1
    behind = math.prod(shape[dims[-1] + 1 :]) if together else 0
    if added_by_numpy(shape, dtype, dim, v.dense) or (by_rows and behind == 1 and dtype.kind == "f"):
        return f"np.sum({x}, axis={{dim}}, keepdims={{keepdim}})", {"dim": dim, "keepdim": keepdim}
    if not by_rows or dtype.char not in "fd":
        return None
    kept = tuple(1 if d in dims else m for d, m in enumerate(shape) if keepdim or d not in dims)
    size, n = math.prod(shape), math.prod([shape[d] for d in dims])
    if together and n * behind == size:
        rows = x if len(shape) == 2 else f"({x}).reshape({n}, -1)"
        if size <= ALONE:
            text, values = _rows_added(rows, n, size // n, dtype)
            made: tuple[int, ...] = (size // n,)
        else:
            text, values, made = f"{{sum_first}}({rows}, 0)", {"sum_first": sum_first}, (1, size // n)
        return (text, values) if made == kept else (f"{text}.reshape({kept})", values)
    # Those behind which no other dimension is kept, NumPy adds up as exactly.
    last = max((d for d, m in enumerate(shape) if m > 1 and d not in dims), default=-1)
    rest = [d for d in dims if d < last and shape[d] > 1]
    values = {"dim": dim, "keepdim": keepdim}
    if math.prod([shape[d] for d in rest]) <= FEW:
        return f"np.sum({x}, axis={{dim}}, keepdims={{keepdim}})", values
    if len(rest) > 1:
        return None
    text = f"{{sum_first}}({x}, {rest[0]})"
    if len(dims) > 1 or not keepdim:
        text = f"np.sum({text}, axis={{dim}}, keepdims={{keepdim}})"
    return text, {**values, "sum_first": sum_first}


def _sum_rows_text(n: int, m: int) -> Any:
    """`sum_rows`; where that takes two products, a function that says only these."""
    count, each = blocks(n, MANY)
    if count * each != n or each > MANY or m >= WIDE:
        return sum_rows
    lines = (
        f"blocks = np.dot(np.ones({count}, x.dtype), x.reshape({count}, -1)).reshape({each}, -1)",
        f"return np.dot(np.ones({each}, x.dtype), blocks)",
    )
    return Helper("_sum_rows", "x", lines)


def _view_scatter_text(v: Call) -> Text:
    model = np.empty(v.shape, v.dtype, order="F")
    shown = _shown(model, v.params["path"])
    if shown.size and not np.may_share_memory(shown, model):  # as in the kernel
        lines: tuple[str, ...] = (
            "out = np.array(x)", "places = np.arange(out.size).reshape(out.shape)", "places = {part}",
            "np.put(out, places, np.broadcast_to(v, places.shape))", "return out",
        )  # fmt: skip
        part = Steps("places", v.params["path"], v.shape, np.dtype(np.int64))
    else:
        lines = ("out = np.array(x)", "{part}[...] = v", "return out")
        part = Steps("out", v.params["path"], v.shape, v.dtype)
    return "{scatter}({}, {})", {"scatter": Helper("_view_scatter", "x, v", lines, {"part": part})}


def _to_numba(t: Target) -> str:
    """Numba's values of no dimension are numbers, or arrays where they are arguments."""
    x = t.operands[0].text
    return f"{x if t.shape else f'np.asarray({x})'}.astype(np.{t.dtype.name})"


_TO = _copied_text("{}.astype({dtype})", "{}.astype({dtype}, order='C')")

# fmt: off
to = Op("to", copied, "x; dtype", lambda g: g,
        text=_TO, moves=True, elementwise=True, numba=_to_numba,
        new=True, grad_fn="ToCopyBackward0")  # the engine casts g back
to_integer = Op("to_integer", copied, "x; dtype", text=_TO, elementwise=True,
                new=True, complex="analytic")
reshape: Op = Op("reshape", lambda x, shape: x.reshape(shape), "x; shape",
                 lambda g, x_shape: reshape(g, shape=x_shape), view=True,
                 text="{}.reshape({shape})", moves=True, order="K", idle=lambda x, y, shape: x == y,
                 into=_reshape_into, new=False, numba=_reshape_numba, grad_fn="ViewBackward0", batch="shaped")
expand = Op("expand", _expand, "x; shape",
            lambda g, x_shape: g if g.shape == x_shape else sum_to(g, shape=x_shape), view=True,
            idle=lambda x, y, shape: x == y,
            text=lambda v: None if v.written else "np.broadcast_to({}, {shape})", moves=True, repeats=True,
            order="K", broadcasts=lambda x, y, shape: (), batch="shaped",
            )
sum_to: Op = Op("sum_to", _sum_to, "x; shape",
                lambda g, x_shape: expand(reshape(g, shape=_aligned(g.shape, x_shape)), shape=x_shape), rows=True,
                text=_sum_to_text, new=False, complex="analytic",
                into=_sum_to_into, numba=_sum_to_numba, reads="sum_to", batch="summed_to")  # of a single row it is that
view_scatter: Op = Op(
    "view_scatter", _view_scatter, "x v; path",
    lambda g, path, v_shape: view_scatter(g, zeros(g, shape=v_shape), path=path),
    lambda g, path: _follow(g, path), order="K", text=_view_scatter_text, grad_fn="CopySlices", complex="analytic",
    renews=0,
    reads="put(v, into=x{path})",
)
zeros: Op = Op("zeros", lambda x, shape: np.zeros(shape, x.dtype), "x; shape", fill=0, order="C", complex="analytic",
               batch="shaped")
# Of complex numbers; the first two are PyTorch's gradients: a real function's is complex.
conj: Op = Op("conj", np.conjugate, "x", lambda g: conj(g), complex="own", text="np.conj({})", grad_fn="ConjBackward0")
real = Op("real", lambda x: x.real, "x", lambda g: g, view=True, complex="own", text="{}.real", order="K",
          batch="leading")
clone = Op("clone", copied, "x", lambda g: g, moves=True, same=0, elementwise=True,
           text=_copied_text("np.copy({})", "np.array({}, order='C')"),
           public="clone", doc="A copy in memory of its own, with the gradient passing through.",
           into=copied_into, numba="{}.copy()")
in_memory = Op("in_memory", in_order, "x; axes", lambda g: g, text=_in_memory_text, moves=True, same=0,
               elementwise=True, order="A", new=True, grad_fn="CloneBackward0",
               batch=lambda c: c(c.operands, axes=(0, *(a + 1 for a in c.params["axes"]))))
# fmt: on

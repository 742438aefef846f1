"""The sample table: rows for every operation of `minigrad.tape.TABLE`, for the checks in test_every_op.py.

A row names an op, says how to draw its inputs (small, and where the op is smooth), gives its parameters and
what the value must be, worked out element by element in Python where that can be done without the op's own
kernel.  ``d`` lists the inputs with a gradient ("01": both).  To add an op, add a row.
"""

from __future__ import annotations

import itertools
import math
import operator
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import samples_windows

from minigrad.ops import TABLE

NOT_SAMPLED = {
    "draw": "random; recorded by compile, tested in test_compile.py",
    "normal": "random; recorded by compile, tested in test_compile.py",
    **dict.fromkeys(
        ("lgamma", "digamma", "polygamma", "zeta", "igamma", "igammac", "i0", "i0e", "i1", "i1e", "bessel"),
        "by SciPy, which may be missing; tested in test_special.py",
    ),
    "orthogonal_polynomial": "without gradients; tested in test_special.py",
    "bernoulli": "random; recorded by compile, tested in test_compile.py",
    "slopes": "random; `rrelu` in training",
    "multinomial": "random; its bits are PyTorch's, tested in test_random.py",
    **dict.fromkeys(
        ("standard_gamma", "dirichlet", "poisson", "binomial", "gamma_slope", "dirichlet_slope"),
        "random, or the gradients of what is; tested in test_random.py and test_distributions.py",
    ),
    **dict.fromkeys(
        ("conj", "real", "imag", "pair", "as_real", "as_complex", "angle", "sgn", "c2c", "r2c", "c2r"),
        "of complex numbers, tested in test_complex.py",
    ),
    **dict.fromkeys(
        ("eig", "eig_vectors", "eig_values"), "its results are complex, tested in test_complex.py"
    ),
    "embedding_of_rows": "its gradient is sparse, tested in test_sparse.py",
    "mean_square": "what programs make of mse_loss, tested in test_source.py",
    "square_sum": "what programs in blocks of rows make of mse_loss, tested in test_compile_backends.py",
}
NO_GRADIENT = {
    "floor_divide": "its rules refuse, tested in test_every_op.py",
    "qr_r": "its rule refuses, tested in test_linalg.py",
    "heaviside": "its rules refuse, tested in test_tensor_kinds.py",
}
# Of which a second derivative is refused, and the inputs by which the rule of their gradient refuses.
ONCE = {"ctc": "as in PyTorch"}
REFUSING = {"ctc_backward": {1}}
NOT_EMPTY = {
    "amax": "no maximum of nothing",
    "amin": "no minimum of nothing",
    "max": "no maximum of nothing",
    "min": "no minimum of nothing",
    "argmax": "no maximum of nothing",
    "argmin": "no minimum of nothing",
    "moments": "no mean of nothing",
}
NOT_0D = {
    "cat": "nothing to join along",
    "unslice": "index () of a 0-d array is covered by slice",
    "flip": "its parameter names dimensions",
    "cumsum": "its parameter names a dimension",
    "cumprod": "its parameter names a dimension",
    "cumprod_backward": "its parameter names a dimension",
    "prod": "its parameter names a dimension",
    "prod_others": "its parameter names a dimension",
    "index": "its indices stand in dimensions",
    "unindex": "its indices stand in dimensions",
    "index_put": "its indices stand in dimensions",
    "index_winners": "its indices stand in dimensions",
    "matmul": "operands have two dimensions or more",
    "dot": "operands are vectors",
    "cross": "operands are vectors",
    "linear": "operands have dimensions",
    "standardize": "its parameter names dimensions",
    "standardize_backward": "its parameter names dimensions",
    "layer_norm": "operands have dimensions",
    "layer_norm_backward": "operands have dimensions",
    "moments": "operands have dimensions",
    "channel_norm": "operands have dimensions",
    "channel_norm_backward": "operands have dimensions",
    "running_norm": "operands have dimensions",
    "running_norm_backward": "operands have dimensions",
    "log_loss": "operands have rows",
    "nll": "operands have rows",
    "embedding": "operands have rows",
    "embedding_transposed": "operands have rows",
    "embedding_backward": "operands have rows",
    "sparse_product": "operands have rows",
    "sampled_product": "operands have rows",
}


# ---------------------------------------------------------------- drawing inputs


@dataclass(frozen=True)
class Draw:
    """How to draw an input: a kind of numbers, and its usual shape."""

    kind: str
    shape: tuple[int, ...]
    low: float = -1.5
    high: float = 1.5

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...] | None = None) -> np.ndarray:
        shape = self.shape if shape is None else shape
        if self.kind == "bool":
            return np.asarray(rng.random(shape) < 0.5)
        if self.kind == "whole":
            return np.asarray(rng.integers(int(self.low), int(self.high), shape))
        drawn = rng.uniform(self.low, self.high, shape)
        if self.kind == "with zeros":
            drawn = np.where(rng.random(shape) < 0.4, 0.0, drawn)
        if self.kind == "signed":
            drawn = drawn * np.where(rng.random(shape) < 0.5, -1.0, 1.0)
        return np.asarray(drawn)


def real(*shape: int) -> Draw:
    return Draw("real", shape)


def positive(*shape: int) -> Draw:
    return Draw("real", shape, 0.5, 2.0)


def nonzero(*shape: int) -> Draw:
    return Draw("signed", shape, 0.5, 2.0)


def zeros_in(*shape: int) -> Draw:
    return Draw("with zeros", shape)


def of_ones(*shape: int) -> Draw:
    return Draw("real", shape, 1.0, 1.0)


def inside(*shape: int) -> Draw:
    return Draw("real", shape, -0.8, 0.8)


def over1(*shape: int) -> Draw:
    return Draw("real", shape, 1.2, 3.0)


def wide(*shape: int) -> Draw:
    return Draw("real", shape, -4.0, 4.0)


def flags(*shape: int) -> Draw:
    return Draw("bool", shape)


def whole(low: int, high: int, *shape: int) -> Draw:
    return Draw("whole", shape, low, high)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    op: str
    inputs: tuple[Draw, ...]
    value: Callable[..., Any]
    d: str = "0"  # the inputs with a gradient
    params: dict[str, Any] = field(default_factory=dict)
    result: str = "float"  # the dtype of the value: that of the floats, or "bool", "int64"
    broadcasts: bool = False  # inputs of any shapes that broadcast, () and (0, 3) among them
    note: str = ""
    via: Callable[..., Any] | None = None  # calls the op, where a parameter or an input follows from the rest

    @property
    def wanted(self) -> tuple[int, ...]:
        return tuple(map(int, self.d))

    @property
    def id(self) -> str:
        shapes = ",".join("x".join(map(str, i.shape)) or "0d" for i in self.inputs)
        params = ",".join(f"{k}={_show(v)}" for k, v in self.params.items())
        kinds = "" if self.d else ",".join(i.kind for i in self.inputs)
        return "-".join(p for p in (self.op, self.note, kinds, shapes, params) if p)

    def draw(self, seed: int = 0, *shapes: tuple[int, ...]) -> list[np.ndarray]:
        """The inputs, of their own shapes or of those given; the same for the same row and seed."""
        rng = np.random.default_rng([seed, *self.op.encode()])
        given = shapes or [i.shape for i in self.inputs]
        return [i(rng, s) for i, s in zip(self.inputs, given, strict=True)]

    def run(self, *tensors: Any) -> Any:
        op = TABLE[self.op]
        return op(*tensors, **self.params) if self.via is None else self.via(op, *tensors, **self.params)


def _show(value: Any) -> str:
    if isinstance(value, slice):
        parts = (value.start, value.stop, value.step)
        return ":".join("" if v is None else str(v) for v in parts).removesuffix(":")
    if isinstance(value, (tuple, list)):
        return "(" + " ".join(map(_show, value)) + ")"
    if value is Ellipsis:
        return "..."
    return getattr(value, "name", None) or str(value)


# ---------------------------------------------------------------- values, in plain Python


def each(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of Python numbers, applied element by element to arrays that broadcast."""

    def value(*arrays: Any, **params: Any) -> np.ndarray:
        arrays = np.broadcast_arrays(*arrays)
        found = [f(*(x.item() for x in xs), **params) for xs in zip(*(a.flat for a in arrays), strict=True)]
        return np.array(found).reshape(arrays[0].shape)

    return value


def build(shape: Any, f: Callable[..., Any]) -> np.ndarray:
    """An array from a function of its indices."""
    return np.array([f(*i) for i in np.ndindex(*shape)]).reshape(tuple(shape))


def fold(f: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """A function of a list of numbers, applied over the dimensions ``dim``."""

    def value(x: np.ndarray, dim: Any, keepdim: bool, **rest: Any) -> np.ndarray:
        dims = range(x.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
        kept = [d for d in range(x.ndim) if d not in dims]
        lists: dict[tuple[int, ...], list[Any]] = {i: [] for i in np.ndindex(*(x.shape[d] for d in kept))}
        for i in np.ndindex(*x.shape):
            lists[tuple(i[d] for d in kept)].append(x[i].item())
        shape = [1 if d in dims else n for d, n in enumerate(x.shape) if keepdim or d in kept]
        return np.array([f(v, **rest) for v in lists.values()]).reshape(shape)

    return value


def scan(f: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """A function from a list of numbers to one of the same length, applied along ``dim``."""

    def along(v: np.ndarray) -> np.ndarray:
        return np.array(list(f(v.tolist())))

    return lambda x, dim: np.apply_along_axis(along, dim, x) if x.size else x


def _variance(v: list[float], correction: float) -> float:
    mean = math.fsum(v) / len(v)
    return math.fsum((a - mean) ** 2 for a in v) / (len(v) - correction)


def _deviation(v: list[float], correction: float) -> float:
    return math.sqrt(_variance(v, correction))


def _product(x: np.ndarray, dim: int) -> np.ndarray:
    return fold(math.prod)(x, dim, False)


def _log_sum_exp(v: list[float]) -> float:
    return math.log(math.fsum(map(math.exp, v))) if v else -math.inf


def _others(v: list[float]) -> list[float]:
    return [math.prod(v[:k] + v[k + 1 :]) for k in range(len(v))]


def _permute(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return build([x.shape[a] for a in axes], lambda *i: x[tuple(i[axes.index(d)] for d in range(x.ndim))])


def _onto(i: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The place in a shape that broadcasts to the place ``i``."""
    return tuple(0 if n == 1 else k for k, n in zip(i[len(i) - len(shape) :], shape, strict=True))


def _expand(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return build(shape, lambda *i: x[_onto(i, x.shape)])


def _sum_to(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros(shape)
    for i in np.ndindex(*x.shape):
        out[_onto(i, shape)] += x[i]
    return out


def _cross(a: np.ndarray, b: np.ndarray, dim: int) -> np.ndarray:
    """By the determinants of two rows."""
    (a0, a1, a2), (b0, b1, b2) = np.moveaxis(a, dim, 0), np.moveaxis(b, dim, 0)
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], dim)


def _spread(g: np.ndarray, shape: tuple[int, ...], dim: Any, keepdim: bool) -> np.ndarray:
    dims = range(len(shape)) if dim is None else dim
    if keepdim:
        return _expand(g, shape)
    return build(shape, lambda *i: g[tuple(k for d, k in enumerate(i) if d not in dims)])


def _flip(x: np.ndarray, dims: tuple[int, ...]) -> np.ndarray:
    turn = [-1 if d in dims else 1 for d in range(x.ndim)]
    return build(x.shape, lambda *i: x[tuple(k if t == 1 else -1 - k for k, t in zip(i, turn, strict=True))])


def _cat(*xs: np.ndarray, dim: int) -> np.ndarray:
    rows = [part for x in xs for part in np.moveaxis(x, dim, 0)]
    if not rows:
        return xs[0]
    return np.moveaxis(np.array(rows), 0, dim)


def _stack(*xs: np.ndarray, dim: int) -> np.ndarray:
    return _cat(*(np.expand_dims(x, dim) for x in xs), dim=dim)


def _numbers(shape: tuple[int, ...]) -> np.ndarray:
    """Each element's place in memory order."""
    return np.arange(math.prod(shape)).reshape(shape)


def _slice(x: np.ndarray, index: Any) -> np.ndarray:
    places = np.asarray(_numbers(x.shape)[index])
    return np.array([x.flat[k] for k in places.ravel()]).reshape(places.shape)


def _unslice(g: np.ndarray, shape: tuple[int, ...], index: Any) -> np.ndarray:
    out = np.zeros(shape)
    for k, v in zip(np.ravel(_numbers(shape)[index]), np.ravel(g), strict=True):
        out.flat[k] = v
    return out


def _places(shape: tuple[int, ...], indices: Any, pattern: Any) -> np.ndarray:
    """The places that an index with arrays names."""
    todo = iter(indices)
    return _numbers(shape)[tuple(next(todo) if here else slice(None) for here in pattern)]


def _index(x: np.ndarray, *indices: Any, pattern: Any) -> np.ndarray:
    return np.ravel(x)[_places(x.shape, indices, pattern)]


def _unindex(g: np.ndarray, *indices: Any, shape: Any, pattern: Any) -> np.ndarray:
    places = _places(shape, indices, pattern).ravel()
    return np.bincount(places, np.ravel(g), math.prod(shape)).reshape(shape)


def _index_put(x: np.ndarray, v: np.ndarray, *indices: Any, pattern: Any) -> np.ndarray:
    out = x.copy()
    places = _places(x.shape, indices, pattern)
    for k, value in zip(places.flat, np.broadcast_to(v, places.shape).flat, strict=True):
        out.flat[k] = value
    return out


def _winners(x: np.ndarray, *indices: Any, pattern: Any) -> np.ndarray:
    places = _places(x.shape, indices, pattern)
    flat = places.ravel().tolist()
    return np.array([p not in flat[k + 1 :] for k, p in enumerate(flat)], bool).reshape(places.shape)


def _gather(x: np.ndarray, index: np.ndarray, dim: int) -> np.ndarray:
    rest = dim + (index.ndim == x.ndim)
    return build(index.shape, lambda *i: x[(*i[:dim], index[i], *i[rest:])] if x.ndim else x[()])


def _ungather(g: np.ndarray, index: np.ndarray, shape: Any, dim: int) -> np.ndarray:
    out = np.zeros(shape)
    rest = dim + (index.ndim == out.ndim)
    for i in np.ndindex(*index.shape):
        out[(*i[:dim], index[i], *i[rest:]) if out.ndim else ()] += g[i]
    return out


def _matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("...ij,...jk->...ik", a, b, optimize=False)


def _linear(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("...i,oi->...o", x, w, optimize=False) + b


def _mse(a: np.ndarray, b: np.ndarray) -> float:
    pairs = list(zip(*(x.flat for x in np.broadcast_arrays(a, b)), strict=True))
    return math.fsum((p - q) ** 2 for p, q in pairs) / len(pairs) if pairs else math.nan


def _where(condition: bool, a: float, b: float) -> float:
    return a if condition else b


def _reshape(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return build(shape, lambda *i: x.flat[_numbers(shape)[i]])


def _nothing(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return build(shape, lambda *i: 0.0)


def _clamp(x: float, min: float | None, max: float | None) -> float:
    x = x if min is None or x > min else min
    return x if max is None or x < max else max


def _power(x: float, exponent: float) -> float:
    return math.pow(x, exponent)


def _written(x: np.ndarray, v: np.ndarray, path: Any) -> np.ndarray:
    out = x.copy()
    out[1:3].T[...] = v
    return out


_ALL = ((TABLE["alias"], {}),)
_ROW = ((TABLE["slice"], {"index": (1,)}),)
_SCATTER = ((TABLE["slice"], {"index": (slice(1, 3),)}), (TABLE["permute"], {"axes": (1, 0)}))


# ---------------------------------------------------------------- the table


def one(op: str, kind: Any, f: Any, d: str = "0", result: str = "float", **params: Any) -> Row:
    """An op of one input, element by element."""
    return Row(op, (kind(2, 3),), each(f), d, params, result, broadcasts=True)


def two(op: str, kind: Any, other: Any, f: Any, d: str = "01", result: str = "float") -> Row:
    """An op of two inputs, element by element."""
    return Row(op, (kind(2, 3), other(2, 3)), each(f), d, {}, result, broadcasts=True)


def bits(low: int, high: int) -> Callable[..., Draw]:
    return lambda *shape: whole(low, high, *shape)


def folds(op: str, kind: Any, f: Any, d: str = "0", result: str = "float", zero_d: bool = True,
          empty: bool = True, ones: bool = True, **params: Any) -> list[Row]:  # fmt: skip
    """The rows of a reduction: one, several and all dimensions, kept or not; 0-d; empty."""
    cases: list[tuple[tuple[int, ...], Any, bool]] = [
        ((2, 3), None, False), ((2, 3), None, True), ((2, 3), (0,), False), ((2, 3), (1,), True),
        ((2, 3, 2), (0, 2), False), ((2, 3, 2), (1, 2), True), ((4,), (0,), True),
    ]  # fmt: skip
    cases += [((1, 3), (0,), False)] * ones
    cases += [((), None, False)] * zero_d
    cases += [((0, 3), None, False), ((0, 3), (0,), True), ((0, 3), (1,), False)] * empty
    return [
        Row(op, (kind(*shape),), fold(f), d, {"dim": dim, **params, "keepdim": keepdim}, result)
        for shape, dim, keepdim in cases
    ]


def args(op: str, f: Any) -> list[Row]:
    """The rows of argmax and argmin, which take one dimension or None."""
    shapes: list[Any] = [((2, 3), None, False), ((2, 3), None, True), ((2, 3), 0, False), ((2, 3), 1, True)]
    return [
        Row(op, (real(*shape),), fold(f), "", {"dim": dim, "keepdim": keepdim}, "int64")
        for shape, dim, keepdim in [*shapes, ((), None, False)]
    ]


AT = {
    "index": (_index, "0"),
    "unindex": (_unindex, "0"),
    "index_put": (_index_put, "01"),
    "index_winners": (_winners, ""),
}


def at(op: str, pattern: tuple[bool, ...], *inputs: Draw, note: str = "", **params: Any) -> Row:
    """A row of indexing with arrays: where they stand, the values, the indices."""
    value, d = AT[op]
    result = "float" if d else "bool"
    return Row(op, inputs, value, d, {"pattern": pattern, **params}, result, note=note)


def scans(op: str, f: Any, via: Any = None, zeros: bool = False) -> list[Row]:
    """The rows of what runs along one dimension, also over zeros."""
    shapes = [((4,), 0), ((2, 3), 0), ((2, 3), 1), ((2, 3, 2), 1), ((1,), 0), ((0, 3), 0), ((2, 0), 0)]
    rows = [Row(op, (real(*shape),), scan(f), "0", {"dim": dim}, via=via) for shape, dim in shapes]
    more = [Row(op, (zeros_in(3, 4),), scan(f), "0", {"dim": dim}, note="zeros", via=via) for dim in (0, 1)]
    return rows + more * zeros


def _cumsum(op: Any, x: Any, dim: int, reverse: bool = False) -> Any:
    return op(x, dim=dim, dtype=x._array.dtype, back=x._array.dtype, reverse=reverse)


def _from_behind(x: np.ndarray, dim: int, reverse: bool) -> np.ndarray:
    return np.flip(scan(itertools.accumulate)(np.flip(x, dim), dim), dim)


def _cumprod(op: Any, x: Any, dim: int) -> Any:
    return op(x, dim=dim, dtype=x._array.dtype)


def _backward_of_products(u: np.ndarray, x: np.ndarray, dim: int) -> np.ndarray:
    out = np.zeros(x.shape)
    for i in np.ndindex(*x.shape):
        line = (*i[:dim], slice(None), *i[dim + 1 :])
        along = x[line].tolist()
        for j in range(i[dim], len(along)):
            out[i] += u[line][j] * math.prod(along[: i[dim]] + along[i[dim] + 1 : j + 1])
    return out


def _floor_quotient(a: float, b: float) -> float:
    return float(math.floor(a / b))


ALL = slice(None)

# fmt: off
ROWS: list[Row] = [
    # arithmetic: op, first input, second input, value, gradients of
    two("add",          real,     real,     operator.add),
    two("sub",          real,     real,     operator.sub),
    two("mul",          real,     real,     operator.mul),
    two("div",          real,     nonzero,  operator.truediv),
    two("pow",          positive, real,     math.pow),
    two("hypot",        nonzero,  nonzero,  math.hypot),
    two("atan2",        nonzero,  nonzero,  math.atan2),
    two("maximum",      real,     real,     max),
    two("minimum",      real,     real,     min),
    two("clamp_min",    real,     inside,   max),
    two("clamp_max",    real,     inside,   min),
    two("floor_divide", wide,     nonzero,  _floor_quotient, ""),
    two("div_floor",    wide,     nonzero,  _floor_quotient),
    two("trunc_divide", wide,     nonzero,  lambda a, b: float(math.trunc(a / b))),
    two("remainder",    wide,     nonzero,  operator.mod),
    two("fmod",         wide,     nonzero,  math.fmod),

    # functions of one number: op, input, value
    one("neg",        real,     operator.neg),
    one("square",     real,     lambda x: x * x),
    one("reciprocal", nonzero,  lambda x: 1 / x),
    one("exp",        real,     math.exp),
    one("exp2",       real,     math.exp2),
    one("expm1",      real,     math.expm1),
    one("log",        positive, math.log),
    one("log2",       positive, math.log2),
    one("log10",      positive, math.log10),
    one("log1p",      inside,   math.log1p),
    one("cbrt",       nonzero,  lambda x: math.copysign(abs(x) ** (1 / 3), x)),
    one("sqrt",       positive, math.sqrt),
    one("rsqrt",      positive, lambda x: 1 / math.sqrt(x)),
    one("sin",        wide,     math.sin),
    one("cos",        wide,     math.cos),
    one("tan",        inside,   math.tan),
    one("asin",       inside,   math.asin),
    one("acos",       inside,   math.acos),
    one("atan",       wide,     math.atan),
    one("sinh",       real,     math.sinh),
    one("cosh",       real,     math.cosh),
    one("tanh",       real,     math.tanh),
    one("asinh",      wide,     math.asinh),
    one("acosh",      over1,    math.acosh),
    one("atanh",      inside,   math.atanh),
    one("sigmoid",    wide,     lambda x: 1 / (1 + math.exp(-x))),
    one("relu",       real,     lambda x: max(x, 0.0)),
    Row("relu_backward", (real(2, 3), real(2, 3)), each(lambda g, y: g if y > 0 else 0.0), "01"),
    Row("relu_backward", (real(),     real()),     each(lambda g, y: g if y > 0 else 0.0), "01"),
    Row("relu_backward", (real(0, 3), real(0, 3)), each(lambda g, y: g if y > 0 else 0.0), "01"),
    Row("flat_in", (real(2, 3), real(2, 3)), each(lambda g, x: g), "01"),
    Row("flat_in", (real(2, 3), real()),     each(lambda g, x: g), "01"),
    Row("flat_in", (real(0, 3), real(0, 3)), each(lambda g, x: g), "01"),
    Row("flat_in", (real(),     real()),     each(lambda g, x: g), "01"),
    one("abs",        real,     abs),
    one("sign",       nonzero,  lambda x: math.copysign(1.0, x)),
    one("floor",      wide,     lambda x: float(math.floor(x))),
    one("ceil",       wide,     lambda x: float(math.ceil(x))),
    one("trunc",      wide,     lambda x: float(math.trunc(x))),
    one("round",      wide,     lambda x, decimals: round(x, decimals), decimals=0),
    one("round",      wide,     lambda x, decimals: round(x, decimals), decimals=1),
    one("clone",      real,     float),
    one("alias",      real,     float),
    one("zero",       real,     lambda x: 0.0, d=""),
    one("to",         real,     lambda x, dtype: x, dtype=np.dtype("float64")),
    one("clamp",      real,     _clamp, min=-0.5,  max=0.75),
    one("clamp",      real,     _clamp, min=None,  max=0.75),
    one("clamp",      real,     _clamp, min=-0.5,  max=None),
    one("clamp",      real,     _clamp, min=0.75,  max=-0.5),
    Row("clamp_to", (real(2, 3), inside(2, 3), inside(2, 3)), each(_clamp), "012", broadcasts=True),
    Row("clamp_to", (wide(4, 3), inside(4, 3), over1(4, 3)),  each(_clamp), "012", broadcasts=True),
    *(one("power", positive, _power, exponent=n) for n in (0, 1, 2, 3, -1, -2, 0.5, 2.5, 1.0)),
    one("power", wide,     _power, exponent=4),

    # choices and comparisons
    Row("lerp", (real(2, 3), real(2, 3), inside(2, 3)), each(lambda a, b, w: a + w * (b - a)), "012", broadcasts=True),
    Row("lerp", (real(4, 3), real(4, 3), over1(4, 3)),  each(lambda a, b, w: a + w * (b - a)), "012", broadcasts=True),
    Row("where", (flags(2, 3), real(2, 3), real(2, 3)), each(_where), "12", broadcasts=True),
    *(two(n, kind, kind, getattr(operator, n), "", "bool")
      for n in ("eq", "ne", "lt", "le", "gt", "ge") for kind in (bits(0, 3), real)),
    one("isnan",       real,  math.isnan,    d="", result="bool"),
    one("isinf",       real,  math.isinf,    d="", result="bool"),
    one("isfinite",    real,  math.isfinite, d="", result="bool"),
    one("logical_not", bits(0, 2), lambda x: not x, d="", result="bool"),
    two("logical_and", bits(0, 2), bits(0, 2), lambda a, b: bool(a and b), "", "bool"),
    two("logical_or",  bits(0, 2), bits(0, 2), lambda a, b: bool(a or b),  "", "bool"),
    two("logical_xor", bits(0, 2), bits(0, 2), lambda a, b: bool(a) != bool(b), "", "bool"),
    one("bitwise_not", bits(-9, 9), operator.invert, d="", result="int64"),
    two("bitwise_and", bits(-9, 9), bits(-9, 9), operator.and_, "", "int64"),
    two("bitwise_or",  bits(-9, 9), bits(-9, 9), operator.or_,  "", "int64"),
    two("bitwise_xor", bits(-9, 9), bits(-9, 9), operator.xor,  "", "int64"),
    one("bitwise_not", flags, operator.not_, d="", result="bool"),
    two("bitwise_and", flags, flags, operator.and_, "", "bool"),
    one("to_integer",  wide,  lambda x, dtype: math.trunc(x), d="", result="int64", dtype=np.dtype("int64")),

    # reductions: op, input, value of a list
    *folds("sum",       real, math.fsum),
    *folds("mean",      real, lambda v: statistics.fmean(v) if v else math.nan),
    *folds("var",       real, _variance, zero_d=False, empty=False, correction=0),
    *folds("var",       real, _variance, zero_d=False, empty=False, ones=False, correction=1),
    *folds("std",       real, _deviation, zero_d=False, empty=False, ones=False, correction=1),
    Row("std", (real(3, 2),), fold(_deviation), "0", {"dim": (0,), "correction": 0,   "keepdim": False}),
    Row("var", (real(3),),    fold(_variance),  "0", {"dim": None, "correction": 0.5, "keepdim": False}),
    Row("var", (real(),),     fold(_variance),  "0", {"dim": None, "correction": 0,   "keepdim": False}),
    Row("std", (real(),),     fold(_deviation), "",  {"dim": None, "correction": 0,   "keepdim": False}),
    Row("var", (real(2, 0),), fold(_variance),  "0", {"dim": (0,), "correction": 0,   "keepdim": False}),
    Row("std", (real(2, 0),), fold(_deviation), "0", {"dim": (0,), "correction": 0,   "keepdim": True}),
    *folds("logsumexp", wide, _log_sum_exp),
    *folds("amax",      real, max, empty=False),
    *folds("amin",      real, min, empty=False),
    *(Row("max", (real(*s),), lambda x: max(x.flat)) for s in [(), (2, 3)]),
    *(Row("min", (real(*s),), lambda x: min(x.flat)) for s in [(), (2, 3)]),
    *folds("any",       flags, any, d="", result="bool"),
    *folds("all",       flags, all, d="", result="bool"),
    *args("argmax", lambda v: v.index(max(v))),
    *args("argmin", lambda v: v.index(min(v))),
    *scans("cumsum",      itertools.accumulate, _cumsum),
    Row("cumsum", (real(2, 3),), _from_behind, "0", {"dim": 1, "reverse": True}, via=_cumsum),
    *scans("cumprod",     lambda v: itertools.accumulate(v, operator.mul), _cumprod, zeros=True),
    *scans("prod_others", _others, zeros=True),
    *(Row("cumprod_backward", (real(*s), real(*s)), _backward_of_products, "01", {"dim": d})
      for s, d in [((4,), 0), ((2, 3), 1), ((2, 3), 0), ((0, 3), 0), ((1,), 0)]),
    *(Row("cumprod_backward", (real(3, 4), zeros_in(3, 4)), _backward_of_products, "01", {"dim": d},
          note="zeros") for d in (0, 1)),
    Row("cumprod_backward", (real(3, 4), of_ones(3, 4)), _backward_of_products, "01", {"dim": 0}, note="ones"),
    Row("prod_others", (of_ones(3, 4),), scan(_others), "0", {"dim": 1}, note="ones"),
    *(Row("prod", (real(*s),), _product, "0", {"dim": d})
      for s, d in [((4,), 0), ((2, 3), 0), ((2, 3), 1), ((2, 3, 2), 1), ((1,), 0), ((0,), 0), ((0, 3), 1)]),
    *(Row("prod", (zeros_in(3, 4),), _product, "0", {"dim": d}, note="zeros") for d in (0, 1)),
    Row("spread", (real(3),),       _spread, "0", {"shape": (2, 3),    "dim": (0,),   "keepdim": False}),
    Row("spread", (real(2, 1),),    _spread, "0", {"shape": (2, 3),    "dim": (1,),   "keepdim": True}),
    Row("spread", (real(3),),       _spread, "0", {"shape": (2, 3, 2), "dim": (0, 2), "keepdim": False}),
    Row("spread", (real(),),        _spread, "0", {"shape": (2, 3),    "dim": None,   "keepdim": False}),
    Row("spread", (real(1, 1),),    _spread, "0", {"shape": (2, 3),    "dim": None,   "keepdim": True}),
    Row("spread", (real(),),        _spread, "0", {"shape": (),        "dim": None,   "keepdim": False}),
    Row("spread", (real(3),),       _spread, "0", {"shape": (0, 3),    "dim": (0,),   "keepdim": False}),
    Row("spread", (real(0),),       _spread, "0", {"shape": (2, 0),    "dim": (0,),   "keepdim": False}),

    # shapes
    Row("reshape", (real(2, 3),),    _reshape, "0", {"shape": (3, 2)}),
    Row("reshape", (real(2, 3),),    _reshape, "0", {"shape": (1, 6, 1)}),
    Row("reshape", (real(),),        _reshape, "0", {"shape": (1, 1)}),
    Row("reshape", (real(1),),       _reshape, "0", {"shape": ()}),
    Row("reshape", (real(0, 3),),    _reshape, "0", {"shape": (2, 0)}),
    Row("permute", (real(2, 3),),    _permute, "0", {"axes": (1, 0)}),
    Row("permute", (real(2, 3, 4),), _permute, "0", {"axes": (2, 0, 1)}),
    Row("permute", (real(),),        _permute, "0", {"axes": ()}),
    Row("permute", (real(0, 3),),    _permute, "0", {"axes": (1, 0)}),
    Row("expand",  (real(1, 3),),    _expand,  "0", {"shape": (2, 3)}),
    Row("expand",  (real(3),),       _expand,  "0", {"shape": (2, 3)}),
    Row("expand",  (real(2, 1, 3),), _expand,  "0", {"shape": (2, 2, 2, 3)}),
    Row("expand",  (real(),),        _expand,  "0", {"shape": (2, 3)}),
    Row("expand",  (real(2, 3),),    _expand,  "0", {"shape": (2, 3)}),
    Row("expand",  (real(1, 3),),    _expand,  "0", {"shape": (0, 3)}),
    Row("expand",  (real(0, 1),),    _expand,  "0", {"shape": (0, 3)}),
    Row("sum_to",  (real(2, 3),),    _sum_to,  "0", {"shape": (3,)}),
    Row("sum_to",  (real(2, 3),),    _sum_to,  "0", {"shape": (2, 1)}),
    Row("sum_to",  (real(2, 3),),    _sum_to,  "0", {"shape": ()}),
    Row("sum_to",  (real(2, 3, 2),), _sum_to,  "0", {"shape": (1, 2)}),
    Row("sum_to",  (real(2, 2, 3),), _sum_to,  "0", {"shape": (3,)}),
    Row("sum_to",  (real(0, 3),),    _sum_to,  "0", {"shape": (3,)}),
    Row("sum_to",  (real(),),        _sum_to,  "0", {"shape": ()}),
    Row("slice",   (real(3, 4),),    _slice,   "0", {"index": (1,)}),
    Row("slice",   (real(3, 4),),    _slice,   "0", {"index": (-1, slice(1, None, 2))}),
    Row("slice",   (real(3, 4),),    _slice,   "0", {"index": (None, ALL, 2)}),
    Row("slice",   (real(3, 4),),    _slice,   "0", {"index": (Ellipsis, 0)}),
    Row("slice",   (real(3, 4),),    _slice,   "0", {"index": (2, 3)}),
    Row("slice",   (real(3, 4),),    _slice,   "0", {"index": (slice(2, 2),)}),
    Row("slice",   (real(),),        _slice,   "0", {"index": ()}),
    Row("slice",   (real(),),        _slice,   "0", {"index": (None,)}),
    Row("slice",   (real(0, 3),),    _slice,   "0", {"index": (ALL, 1)}),
    Row("unslice", (real(4),),       _unslice, "0", {"shape": (3, 4), "index": (1,)}),
    Row("unslice", (real(2, 2),), _unslice, "0", {"shape": (3, 4), "index": (slice(2), slice(0, None, 2))}),
    Row("unslice", (real(1, 3),),    _unslice, "0", {"shape": (3, 4), "index": (None, ALL, 2)}),
    Row("unslice", (real(0, 4),),    _unslice, "0", {"shape": (3, 4), "index": (slice(2, 2),)}),
    Row("copy",    (real(2, 3), real(2, 3)), lambda x, v: v, "01"),
    Row("copy",    (real(),     real()),     lambda x, v: v, "01"),
    Row("copy",    (real(0, 3), real(0, 3)), lambda x, v: v, "01"),
    Row("contiguous", (real(2, 3),), lambda x: x, "0"),
    Row("contiguous", (real(),),     lambda x: x, "0"),
    Row("contiguous", (real(0, 3),), lambda x: x, "0"),
    Row("in_memory", (real(2, 3, 4),), lambda x, axes: x, "0", {"axes": (0, 2, 1)}),
    Row("in_memory", (real(),), lambda x, axes: x, "0", {"axes": ()}),
    Row("in_memory", (real(0, 3),), lambda x, axes: x, "0", {"axes": (1, 0)}),
    Row("flip",    (real(4),),       _flip,    "0", {"dims": (0,)}),
    Row("flip",    (real(2, 3),),    _flip,    "0", {"dims": (0, 1)}),
    Row("flip",    (real(2, 3, 2),), _flip,    "0", {"dims": (1,)}),
    Row("flip",    (real(0, 3),),    _flip,    "0", {"dims": (1,)}),
    Row("cat",     (real(2, 3), real(1, 3), real(2, 3)), _cat, "012", {"dim": 0}),
    Row("cat",     (real(2, 1), real(2, 3)),             _cat, "01",  {"dim": 1}),
    Row("cat",     (real(2, 3),),                        _cat, "0",   {"dim": 0}),
    Row("cat",     (real(0, 3), real(2, 3)),             _cat, "01",  {"dim": 0}),
    Row("stack",   (real(2, 3), real(2, 3)),             _stack, "01", {"dim": 0}),
    Row("stack",   (real(3), real(3), real(3)),          _stack, "012", {"dim": 1}),
    Row("stack",   (real(), real()),                     _stack, "01", {"dim": 0}),
    Row("stack",   (real(0, 3), real(0, 3)),             _stack, "01", {"dim": 2}),
    Row("view_scatter", (real(3, 2), real(2, 2)), _written, "01", {"path": _SCATTER}, note="rows1:3.T"),
    Row("view_scatter", (real(), real()), lambda x, v, path: v, "01", {"path": _ALL}, note="alias"),
    Row("view_scatter", (real(2, 0), real(0)), lambda x, v, path: x, "01", {"path": _ROW}, note="row"),
    Row("zeros",   (real(2, 3),), _nothing, "", {"shape": (4,)}),
    Row("zeros",   (real(),),     _nothing, "", {"shape": ()}),
    Row("zeros",   (real(0, 3),), _nothing, "", {"shape": (2, 2)}),

    # indexing with arrays
    at("index", (True,), real(4), whole(0, 4, 5)),
    at("index", (False, True), real(4, 3), whole(-3, 3, 2, 2)),
    at("index", (True, True), real(3, 4), whole(0, 3, 3), whole(0, 4, 2, 1)),
    at("index", (True, False, True), real(2, 3, 2), whole(0, 2, 3), whole(0, 2, 3)),
    at("index", (True,), real(2, 3), flags(2, 3), note="mask"),
    at("index", (True,), real(3, 2), flags(3), note="mask"),
    at("index", (True,), real(3, 2), whole(0, 3, 0)),
    at("unindex", (True,), real(5), whole(0, 4, 5), shape=(4,)),
    at("unindex", (False, True), real(4, 2, 2), whole(-3, 3, 2, 2), shape=(4, 3)),
    at("unindex", (True,), real(0, 2), whole(0, 3, 0), shape=(3, 2)),
    at("index_put", (True,), real(4), real(5), whole(0, 4, 5), note="repeats"),
    at("index_put", (False, True), real(4, 3), real(4, 2), whole(-3, 3, 2)),
    at("index_put", (True,), real(4, 3), real(3), whole(0, 4, 2), note="one-for-all"),
    at("index_put", (True,), real(4), real(), flags(4), note="mask"),
    at("index_put", (True,), real(3, 2), real(0, 2), whole(0, 3, 0)),
    at("index_winners", (True,), real(4), whole(0, 3, 6)),
    at("index_winners", (True,), real(3, 2), whole(0, 3, 4)),
    at("index_winners", (True,), real(3), whole(0, 3, 0)),
    Row("gather",   (real(3, 4), whole(0, 3, 2, 4)), _gather,   "0", {"dim": 0}),
    Row("gather",   (real(3, 4), whole(0, 4, 3, 5)), _gather,   "0", {"dim": 1}),
    Row("gather",   (real(),     whole(0, 1)),       _gather,   "0", {"dim": 0}),
    Row("gather",   (real(3, 4), whole(0, 3, 0, 4)), _gather,   "0", {"dim": 0}),
    Row("gather",   (real(3, 4), whole(0, 4, 3)),    _gather,   "0", {"dim": 1}),
    Row("gather",   (real(2, 3, 4), whole(0, 3, 2, 4)), _gather, "0", {"dim": 1}),
    Row("gather",   (real(4), whole(0, 4)),          _gather,   "0", {"dim": 0}),
    Row("gather",   (real(2, 3, 4), whole(0, 4, 0)), _gather,   "0", {"dim": 2}),
    Row("gather",   (real(3),    whole(0, 3, 0, 2)), _gather,   "0", {"dim": 0}),
    Row("ungather", (real(2, 4), whole(0, 3, 2, 4)), _ungather, "0", {"shape": (3, 4), "dim": 0}),
    Row("ungather", (real(3, 5), whole(0, 4, 3, 5)), _ungather, "0", {"shape": (3, 4), "dim": 1}),
    Row("ungather", (real(),     whole(0, 1)),       _ungather, "0", {"shape": (), "dim": 0}),
    Row("ungather", (real(0, 4), whole(0, 3, 0, 4)), _ungather, "0", {"shape": (3, 4), "dim": 0}),
    Row("ungather", (real(4), whole(0, 3, 4)),       _ungather, "0", {"shape": (3, 4), "dim": 0}),
    Row("ungather", (real(), whole(0, 4)),           _ungather, "0", {"shape": (4,), "dim": 0}),
    Row("ungather", (real(0), whole(0, 4, 0)),       _ungather, "0", {"shape": (2, 3, 4), "dim": 2}),

    # products of matrices, networks
    Row("matmul", (real(2, 3),       real(3, 4)),       _matmul, "01"),
    Row("matmul", (real(2, 2, 3),    real(2, 3, 2)),    _matmul, "01"),
    Row("matmul", (real(2, 1, 2, 3), real(3, 3, 2)),    _matmul, "01"),
    Row("matmul", (real(2, 3),       real(2, 3, 2)),    _matmul, "01"),
    Row("matmul", (real(2, 0),       real(0, 3)),       _matmul, "01"),
    Row("matmul", (real(0, 2),       real(2, 3)),       _matmul, "01"),
    Row("cross",  (real(3, 2),       real(3, 2)),       _cross, "01", params={"dim": 0}),
    Row("cross",  (real(2, 3),       real(2, 3)),       _cross, "01", params={"dim": 1}),
    Row("cross",  (real(0, 3),       real(0, 3)),       _cross, "01", params={"dim": 1}),
    Row("dot",    (real(4),          real(4)),          lambda a, b: math.fsum(a * b), "01"),
    Row("dot",    (real(0),          real(0)),          lambda a, b: math.fsum(a * b), "01"),
    Row("linear", (real(2, 3),    real(4, 3), real(4)), _linear, "012"),
    Row("linear", (real(3),       real(4, 3), real(4)), _linear, "012"),
    Row("linear", (real(2, 2, 3), real(4, 3), real(4)), _linear, "012"),
    Row("linear", (real(1, 3),    real(4, 3), real(4)), _linear, "012"),
    Row("linear", (real(0, 3),    real(4, 3), real(4)), _linear, "012"),
    Row("mse_loss", (real(2, 3),  real(2, 3)),          _mse, "01"),
    Row("mse_loss", (real(2, 3),  real(3)),             _mse, "01"),
    Row("mse_loss", (real(),      real()),              _mse, "01"),
    Row("mse_loss", (real(0, 3),  real(0, 3)),          _mse, "01"),
]
# fmt: on
ROWS += samples_windows.rows(Row, real, whole)
NOT_0D |= samples_windows.NOT_0D

from samples_activations import rows as _activations  # noqa: E402 (it needs what stands above)

ROWS += _activations()

# Families with a file of rows of their own.
import samples_sorting  # noqa: E402

ROWS += samples_sorting.ROWS
from samples_special import rows as _special  # noqa: E402 (it needs what stands above)

ROWS += _special()

import samples_linalg  # noqa: E402

ROWS += samples_linalg.rows()
NOT_0D |= samples_linalg.NOT_0D
import samples_sequence  # noqa: E402

ROWS += samples_sequence.rows()
NOT_0D |= samples_sequence.NOT_0D
import samples_ctc  # noqa: E402

ROWS += samples_ctc.rows()
NOT_0D |= samples_ctc.NOT_0D

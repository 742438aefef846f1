"""Operations that no part of minigrad has seen, declared as users declare theirs, for test_unknown_*.py.

Each one breaks an assumption that a reader of the tape might make.  A `Case` calls it, tells its value in plain
NumPy without its kernel, and, where there is one, the same function made of minigrad's own operations.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.tape import TABLE, Op

try:
    from scipy import special
except ImportError:  # where the tests run without it, there is no ufunc but NumPy's
    special = None

DECLARED: list[Op] = []


def declare(name: str, kernel: Callable[..., Any], signature: str, *rules: Any, **facts: Any) -> Op:
    """An operation, which is in the table only where `declared` says so."""
    op = Op(name, kernel, signature, *rules, **facts)
    del TABLE[op.name]
    DECLARED.append(op)
    return op


@contextlib.contextmanager
def declared() -> Iterator[None]:
    """The operations of this file are in the table."""
    TABLE.update({op.name: op for op in DECLARED})
    try:
        yield
    finally:
        for op in DECLARED:
            del TABLE[op.name]


# ---------------------------------------------------------------- views with strides


def diagonal_kernel(x: np.ndarray) -> np.ndarray:
    *outer, n, m = x.shape
    *steps, down, right = x.strides
    return np.lib.stride_tricks.as_strided(x, (*outer, min(n, m)), (*steps, down + right))


def read_only_kernel(x: np.ndarray) -> np.ndarray:
    return np.diagonal(x, axis1=-2, axis2=-1)


def undiagonal_kernel(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros(shape, g.dtype)
    places = np.arange(min(shape[-2:]))
    out[..., places, places] = g
    return out


def windows_kernel(x: np.ndarray, width: int) -> np.ndarray:
    *outer, n = x.shape
    *steps, step = x.strides
    return np.lib.stride_tricks.as_strided(x, (*outer, n - width + 1, width), (*steps, step, step))


def unwindows_kernel(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros(shape, g.dtype)
    count, width = g.shape[-2:]
    for k in range(width):
        out[..., k : k + count] += g[..., k]
    return out


def every_other_kernel(x: np.ndarray) -> np.ndarray:
    return x[..., ::2]


def between_zeros_kernel(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros(shape, g.dtype)
    out[..., ::2] = g
    return out


def ravel_kernel(x: np.ndarray) -> np.ndarray:
    return np.ravel(x)


diagonal: Op = declare(
    "main_diagonal", diagonal_kernel, "x", lambda g, x_shape: undiagonal(g, shape=x_shape), view=True
)
undiagonal: Op = declare("undiagonal", undiagonal_kernel, "g; shape", lambda g: diagonal(g))
windows: Op = declare(
    "windows", windows_kernel, "x; width", lambda g, x_shape: unwindows(g, shape=x_shape), view=True
)
unwindows: Op = declare(
    "unwindows", unwindows_kernel, "g; shape", lambda g, g_shape: windows(g, width=g_shape[-1])
)
every_other: Op = declare(
    "every_other", every_other_kernel, "x", lambda g, x_shape: between_zeros(g, shape=x_shape), view=True
)
between_zeros: Op = declare("between_zeros", between_zeros_kernel, "g; shape", lambda g: every_other(g))
# A view of an array that lies row by row, a copy of any other.
ravelled = declare(
    "ravelled", ravel_kernel, "x", lambda g, x_shape: TABLE["reshape"](g, shape=x_shape), view=True
)
read_only = declare(
    "read_only", read_only_kernel, "x", lambda g, x_shape: undiagonal(g, shape=x_shape), view=True
)

# ---------------------------------------------------------------- results that are not what a kernel usually returns


def as_is_kernel(x: np.ndarray) -> np.ndarray:
    return x


def at_least_kernel(x: np.ndarray, low: float) -> np.ndarray:
    return x if (x >= low).all() else np.where(x >= low, x, low)


def turned_kernel(x: np.ndarray) -> np.ndarray:
    return x.T


def by_columns_kernel(x: np.ndarray) -> np.ndarray:
    return np.array(np.exp(x), order="F")


def total_kernel(x: np.ndarray) -> float:
    return float(x.sum())


def largest_kernel(x: np.ndarray) -> Any:
    return x.max()


def at_largest(g: Any, x: Any) -> Any:
    return TABLE["where"](TABLE["eq"](x, TABLE["amax"](x, dim=None, keepdim=False)), g, 0.0)


def spread_number(g: Any, x_shape: tuple[int, ...]) -> Any:
    return TABLE["expand"](g, shape=x_shape)


as_is = declare("as_is", as_is_kernel, "x", lambda g: g)
at_least = declare(
    "at_least",
    at_least_kernel,
    "x; low",
    lambda g, x, low: g * TABLE["to"](TABLE["ge"](x, low), dtype=g.dtype),
)
turned: Op = declare("turned", turned_kernel, "x", lambda g: turned(g))
by_columns = declare("by_columns", by_columns_kernel, "x", lambda g, y: g * y)
total = declare("total", total_kernel, "x", spread_number)
largest = declare("largest", largest_kernel, "x", at_largest)

# ---------------------------------------------------------------- values, draws, memory


def only_positive(x: np.ndarray) -> None:
    if (np.asarray(x) <= 0).any():
        raise ValueError("guarded_log: every number must be positive")


def root_kernel(x: np.ndarray) -> np.ndarray:
    if (x < 0).any():
        raise ValueError("strict_root: a number is negative")
    return np.sqrt(x)


GENERATOR = [np.random.default_rng(0)]


def jitter_kernel(x: np.ndarray) -> np.ndarray:
    return (x + GENERATOR[0].standard_normal(x.shape)).astype(x.dtype)


def softsign_kernel(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    out = np.empty_like(x) if out is None else out
    np.absolute(x, out=out)
    out += 1
    return np.divide(x, out, out=out)


_cube_root = np.frompyfunc(math.cbrt, 1, 1)


def cube_root_kernel(x: np.ndarray) -> np.ndarray:
    return np.asarray(_cube_root(x)).astype(x.dtype)


CALLS: list[tuple[int, ...]] = []


def counted_kernel(x: np.ndarray) -> np.ndarray:
    CALLS.append(x.shape)
    return x * 2


class Polynomial:
    """A kernel that is an object, not a function."""

    def __init__(self, *coefficients: float) -> None:
        self.coefficients = coefficients

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(np.polyval(self.coefficients, x), x.dtype)


guarded_log = declare("guarded_log", np.log, "x", lambda g, x: g / x, check=only_positive)
strict_root = declare("strict_root", root_kernel, "x", lambda g, y: g / (y * 2.0))
jitter = declare("jitter", jitter_kernel, "x", lambda g: g, draws=True)
softsign = declare("softsign", softsign_kernel, "x", lambda g, x: g / TABLE["square"](1.0 + TABLE["abs"](x)))
cube_root = declare("cube_root", cube_root_kernel, "x", lambda g, y: g / (TABLE["square"](y) * 3.0))
counted = declare("counted", counted_kernel, "x", lambda g: g * 2.0)
polynomial = declare("polynomial", Polynomial(2.0, 0.0, -1.0, 3.0), "x", lambda g, x: g * (x * x * 6.0 - 1.0))

# ---------------------------------------------------------------- signatures


def tuned_kernel(x: np.ndarray, weights: Any, mode: str, axes: Any, low: Any) -> np.ndarray:
    y = x * weights
    if mode == "sum":
        y = y.sum(axes)
    return y if low is None else y + low


def tuned_rule(g: Any, x_shape: Any, weights: Any, mode: str, axes: Any) -> Any:
    if mode == "sum":
        g = TABLE["spread"](g, shape=x_shape, dim=axes, keepdim=False)
    return g * weights


def blend_kernel(*xs: np.ndarray, weights: tuple[float, ...]) -> Any:
    return sum(w * x for w, x in zip(weights, xs, strict=True))


def chain_kernel(x: np.ndarray, *rest: np.ndarray) -> np.ndarray:
    y = np.sin(x)
    for r in rest:
        y = y + r
    return y


def polar_kernel(r: np.ndarray, t: np.ndarray) -> np.ndarray:
    return r * np.cos(t)


def polar_joint(g: Any, r: Any, t: Any, needs: Any) -> Any:
    return (g * TABLE["cos"](t) if needs[0] else None, -(g * r * TABLE["sin"](t)) if needs[1] else None)


def cubed_kernel(x: np.ndarray) -> np.ndarray:
    return x * x * x + 1


def scaled_kernel(out: np.ndarray, input: float, self: int, ctx: str, np: None) -> np.ndarray:
    return out * input + self + len(ctx)


def half_known_kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a * 2 + np.floor(b)


def narrow_kernel(x: np.ndarray) -> np.ndarray:
    return np.square(x.astype(np.float32))


def whole_kernel(x: np.ndarray) -> np.ndarray:
    return np.floor(x).astype(np.int16)


tuned = declare("tuned", tuned_kernel, "x; weights mode axes low", tuned_rule)
blend = declare(
    "blend",
    blend_kernel,
    "*xs; weights",
    joint=lambda g, weights: tuple([g * w for w in weights]),
    cast="same",
)
chain = declare("chain", chain_kernel, "x *rest", lambda g, x: g * TABLE["cos"](x), lambda g: g)
polar = declare("polar", polar_kernel, "r t", joint=polar_joint)
cubed = declare("cubed", cubed_kernel, "x", lambda g, x: g * (x * x * 3.0))
keyword = declare("class", scaled_kernel, "out; input self ctx np", lambda g, input: g * input)
half_known = declare("half_known", half_known_kernel, "a b", lambda g: g * 2.0, lambda g: None)
narrow = declare(
    "narrow", narrow_kernel, "x", lambda g, x: g * (TABLE["to"](x, dtype=np.dtype("float32")) * 2.0)
)
whole = declare("whole", whole_kernel, "x")


def centred_kernel(x: np.ndarray) -> np.ndarray:
    return x - x.mean(0)


def centred_rule(g: Any) -> Any:
    return centred(g)


centred: Op = declare("centred", centred_kernel, "x", centred_rule)
# Ufuncs that are not NumPy's.
if special is not None:
    logistic = declare("logistic", special.expit, "x", lambda g, y: g * y * (1.0 - y))
    xlog1py = declare(
        "times_log1p",
        special.xlog1py,
        "a b",
        lambda g, b: g * TABLE["log"](b + 1.0),
        lambda g, a, b: g * a / (b + 1.0),
    )

# ---------------------------------------------------------------- the cases


@dataclass(frozen=True)
class Case:
    """How one is called, and what must come out."""

    name: str
    call: Callable[..., Any]  # of Tensors
    value: Callable[..., Any]  # of arrays, in NumPy
    shapes: tuple[tuple[int, ...], ...]
    known: Callable[..., Any] | None  # the same of Tensors, by minigrad's own operations
    wanted: tuple[int, ...] = (0,)  # the inputs with a gradient
    low: float = -1.5
    high: float = 1.5
    printed: bool = True  # whether `source` must be able to print it; otherwise it may refuse
    view: bool = False
    empty: bool = True  # whether the first input may have no element

    def draw(self, seed: int = 0, dtype: Any = np.float64) -> list[np.ndarray]:
        """Inputs, the same for the same seed."""
        rng = np.random.default_rng([seed, *self.name.encode()])
        return [rng.uniform(self.low, self.high, s).astype(dtype) for s in self.shapes]

    def tensors(self, seed: int = 0, dtype: Any = np.float64) -> list[Any]:
        """The same as Tensors; those with a gradient require it."""
        return [mg.tensor(a, requires_grad=i in self.wanted) for i, a in enumerate(self.draw(seed, dtype))]


WEIGHTS = np.array([0.5, -1.0, 2.0])


def _windows(x: Any, width: int = 2) -> Any:
    return mg.stack([x[..., i : i + width] for i in range(x.shape[-1] - width + 1)], -2)


def _diagonal(x: Any) -> Any:
    n = mg.arange(min(x.shape[-2:]))
    return x[..., n, n]


def _diagonal_of(x: np.ndarray) -> np.ndarray:
    return np.diagonal(x, axis1=-2, axis2=-1)


def _windows_of(x: np.ndarray, width: int = 2) -> np.ndarray:
    return np.stack([x[..., i : i + width] for i in range(x.shape[-1] - width + 1)], -2)


CASES = [
    Case("diagonal", diagonal, _diagonal_of, ((3, 4),), _diagonal, view=True),
    Case("read_only", read_only, _diagonal_of, ((3, 4),), _diagonal, view=True),
    Case("windows", lambda x: windows(x, width=2), _windows_of, ((2, 5),), _windows, view=True, empty=False),
    Case("every_other", every_other, lambda x: x[..., [0, 2]], ((3, 4),), lambda x: x[..., ::2], view=True),
    Case("ravelled", ravelled, lambda x: x.reshape(-1), ((2, 3),), lambda x: x.reshape(-1), view=True),
    Case("as_is", as_is, lambda x: x.copy(), ((2, 3),), lambda x: x * 1.0),
    Case("at_least", lambda x: at_least(x, low=0.25), lambda x: np.maximum(x, 0.25), ((2, 3),),
         lambda x: x.clamp(min=0.25)),
    Case("at_least-nothing", lambda x: at_least(x, low=-9.0), lambda x: x.copy(), ((2, 3),), lambda x: x * 1.0),
    Case("turned", turned, lambda x: np.transpose(x).copy(), ((2, 3),), lambda x: x.T * 1.0),
    Case("by_columns", by_columns, np.exp, ((2, 3),), lambda x: x.exp()),
    Case("total", total, lambda x: np.asarray(float(x.sum())), ((2, 3),), lambda x: x.sum().double()),
    Case("largest", largest, np.max, ((2, 3),), lambda x: x.max(), empty=False),
    Case("guarded_log", guarded_log, np.log, ((2, 3),), lambda x: x.log(), low=0.3, printed=False),
    Case("strict_root", strict_root, np.sqrt, ((2, 3),), lambda x: x.sqrt(), low=0.3),
    Case("softsign", softsign, lambda x: x / (1 + np.abs(x)), ((2, 3),), lambda x: x / (1 + x.abs())),
    Case("cube_root", cube_root, np.cbrt, ((2, 3),), lambda x: x ** (1 / 3), low=0.3, printed=False),
    Case("counted", counted, lambda x: x + x, ((2, 3),), lambda x: x + x, printed=False),
    Case("polynomial", polynomial, lambda x: 2 * x**3 - x + 3, ((2, 3),), lambda x: 2 * x**3 - x + 3,
         printed=False),
    Case("tuned", lambda x: tuned(x, weights=WEIGHTS, mode="each", axes=None, low=None),
         lambda x: x * WEIGHTS, ((2, 3),), lambda x: x * mg.tensor(WEIGHTS), printed=False),
    Case("tuned-sum", lambda x: tuned(x, weights=WEIGHTS, mode="sum", axes=(0, 1), low=0.5),
         lambda x: np.asarray((x * WEIGHTS).sum() + 0.5), ((2, 3),),
         lambda x: (x * mg.tensor(WEIGHTS)).sum() + 0.5, printed=False),
    Case("blend", lambda *xs: blend(*xs, weights=(0.5, 2.0, -1.0)), lambda a, b, c: 0.5 * a + 2 * b - c,
         ((2, 3), (2, 3), (3,)), lambda a, b, c: 0.5 * a + 2.0 * b - c, (0, 1, 2)),
    Case("chain", chain, lambda a, b, c: np.sin(a) + b + c, ((2, 3), (3,), (2, 1)),
         lambda a, b, c: a.sin() + b + c, (0, 1, 2)),
    Case("chain-of-one", chain, np.sin, ((2, 3),), lambda x: x.sin()),
    Case("polar", polar, lambda r, t: r * np.cos(t), ((2, 3), (3,)), lambda r, t: r * t.cos(), (0, 1)),
    Case("polar-of-one", polar, lambda r, t: r * np.cos(t), ((2, 3), (3,)), lambda r, t: r * t.cos(), (1,)),
    Case("cubed", cubed, lambda x: x**3 + 1, ((2, 3),), lambda x: x**3 + 1),
    Case("class", lambda x: keyword(x, input=3.0, self=1, ctx="a", np=None), lambda x: 3 * x + 2, ((2, 3),),
         lambda x: 3 * x + 2),
    Case("half_known", half_known, lambda a, b: 2 * a + np.floor(b), ((2, 3), (3,)),
         lambda a, b: 2 * a + b.floor(), (0, 1)),
    Case("narrow", narrow, lambda x: x.astype(np.float32) ** 2, ((2, 3),), lambda x: x.float() * x.float()),
    Case("centred", centred, lambda x: x - x.mean(0), ((3, 2),), lambda x: x - x.mean(0), empty=False),
    Case("whole", whole, lambda x: np.floor(x).astype(np.int16), ((2, 3),), None, ()),
]  # fmt: skip
if special is not None:
    CASES += [
        Case("logistic", logistic, lambda x: 1 / (1 + np.exp(-x)), ((2, 3),), lambda x: x.sigmoid(), printed=False),
        Case("times_log1p", xlog1py, lambda a, b: a * np.log1p(b), ((2, 3), (3,)), lambda a, b: a * (b + 1.0).log(),
             (0, 1), low=0.3, printed=False),
    ]  # fmt: skip

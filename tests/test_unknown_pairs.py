"""Operations that no reader has seen, before and after every operation of the table that makes or reads views.

The pairs follow from the table's facts and from the rows of op_samples.py, so a new operation joins by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import unknown_ops as u
from op_samples import ROWS, Row
from test_unknown_ops import load, same

import minigrad as mg
from minigrad import autograd
from minigrad.tape import TABLE

pytestmark = pytest.mark.usefixtures("table")

Shape = tuple[int, ...]


@pytest.fixture
def table(no_state_left_behind: None) -> Iterator[None]:
    with u.declared():
        yield


@dataclass(frozen=True)
class Unknown:
    """One side of a pair."""

    name: str
    call: Callable[[Any], Any]
    value: Callable[[Any], Any]
    known: Callable[[Any], Any]
    takes: Callable[[Shape], bool]  # whether it can be called with an array of this shape
    before: Callable[[Shape], Shape | None]  # the shape of which it makes this one
    view: bool = False


def _width(x: Any) -> int:
    return min(2, x.shape[-1])


UNKNOWN = [
    Unknown("diagonal", u.diagonal, u._diagonal_of, u._diagonal, lambda s: len(s) > 1,
            lambda s: (*s, s[-1] + 1) if s else None, view=True),
    Unknown("windows", lambda x: u.windows(x, width=_width(x)), lambda x: u._windows_of(x, _width(x)),
            lambda x: u._windows(x, _width(x)), lambda s: bool(s) and s[-1] > 0,
            lambda s: (*s[:-2], s[-2] + 1) if len(s) > 1 and s[-1] == 2 and s[-2] else None, view=True),
    Unknown("every_other", u.every_other, lambda x: x[..., ::2], lambda x: x[..., ::2], bool,
            lambda s: (*s[:-1], 2 * s[-1]) if s else None, view=True),
    Unknown("ravelled", u.ravelled, lambda x: x.reshape(-1), lambda x: x.reshape(-1), lambda s: True,
            lambda s: (s[0], 1) if len(s) == 1 else None, view=True),
    Unknown("as_is", u.as_is, lambda x: x, lambda x: x * 1.0, lambda s: True, lambda s: s),
    Unknown("turned", u.turned, lambda x: x.T, lambda x: x.permute(*range(x.ndim)[::-1]) * 1.0,
            lambda s: True, lambda s: s[::-1]),
    Unknown("by_columns", u.by_columns, np.exp, lambda x: x.exp(), lambda s: True, lambda s: s),
    Unknown("cubed", u.cubed, lambda x: x * x * x + 1, lambda x: x * x * x + 1, lambda s: True, lambda s: s),
]  # fmt: skip
MADE_OF_FLOATS = ("by_columns", "cubed")


def takes_part(row: Row) -> bool:
    """Whether the operation of a row makes or reads views: every one does that is not computed by element."""
    op = TABLE[row.op]
    facts = op.view or op.moves or op.repeats or op.rows or op.same is not None or not op.elementwise
    return bool(facts and row.inputs[0].kind != "bool" and not (row.note == "mask" and row.op == "index"))


def chosen(limit: int) -> list[Row]:
    """A few rows of each operation: those with the most dimensions of different sizes, and one without elements."""
    rows: dict[str, list[Row]] = {}
    for row in filter(takes_part, ROWS):
        rows.setdefault(row.op, []).append(row)
    picked = []
    for several in rows.values():
        full = [r for r in several if 0 not in r.inputs[0].shape]
        full.sort(key=lambda r: -len(set(r.inputs[0].shape)) - len(r.inputs[0].shape) / 10)
        picked += full[: limit if TABLE[full[0].op].view else 2] + [r for r in several if r not in full][:1]
    return picked


PARTNERS = chosen(4)


def draw(row: Row, first: Shape, seed: int) -> list[np.ndarray]:
    """The inputs of a row, the first one of another shape."""
    rng = np.random.default_rng([seed, *row.op.encode()])
    return [d(rng, first if i == 0 else None) for i, d in enumerate(row.inputs)]


@dataclass(frozen=True)
class Pair:
    row: Row
    unknown: Unknown
    after: bool  # the unknown one comes first, and the operation of the table after it

    @property
    def shape(self) -> Shape | None:
        """That of the first input; None if the two do not fit."""
        (shape, *_) = (i.shape for i in self.row.inputs)
        if self.after:
            return self.unknown.before(shape)
        made = np.shape(self.row.value(*self.row.draw(), **self.row.params))
        floats = self.unknown.name not in MADE_OF_FLOATS or self.row.result == "float"
        return shape if self.unknown.takes(made) and floats else None

    def call(self, unknown: Callable[[Any], Any], xs: Any) -> Any:
        if self.after:
            return self.row.run(unknown(xs[0]), *xs[1:])
        return unknown(self.row.run(*xs))

    def value(self, arrays: list[np.ndarray]) -> Any:
        if self.after:
            return self.row.value(self.unknown.value(arrays[0]), *arrays[1:], **self.row.params)
        return self.unknown.value(np.asarray(self.row.value(*arrays, **self.row.params)))


PAIRS = [p for row in PARTNERS for k in UNKNOWN for after in (True, False)
         if (p := Pair(row, k, after)).shape is not None]  # fmt: skip
IDS = [f"{p.unknown.name}-{p.row.id}" if p.after else f"{p.row.id}-{p.unknown.name}" for p in PAIRS]


def test_the_pairs_join_every_operation_that_makes_or_reads_views() -> None:
    for after in (True, False):
        paired = {p.row.op for p in PAIRS if p.after is after}
        assert paired >= {"reshape", "permute", "expand", "spread", "slice", "alias", "flip", "clone", "contiguous",
                          "cat", "stack", "index", "index_put", "view_scatter", "sum_to", "copy"}  # fmt: skip
        assert paired >= {op.name for op in TABLE.values() if op.view and op not in u.DECLARED}


@pytest.mark.parametrize("pair", PAIRS, ids=IDS)
def test_a_pair_in_every_reader(pair: Pair) -> None:
    shape = pair.shape
    assert shape is not None
    arrays = draw(pair.row, shape, 0)
    wanted = [i for i in pair.row.wanted if arrays[i].dtype.kind == "f"]

    def tensors(seed: int) -> list[Any]:
        drawn = draw(pair.row, shape, seed)
        return [mg.tensor(a, requires_grad=i in wanted) for i, a in enumerate(drawn)]

    # alone, beside NumPy and known operations
    y = pair.call(pair.unknown.call, tensors(0))
    expected = pair.value(arrays)
    assert y._array.shape == np.shape(expected)
    np.testing.assert_allclose(y._array, expected, rtol=1e-11, atol=1e-13)
    if wanted and not y.requires_grad:
        wanted = []
    v = mg.tensor(np.asarray(np.random.default_rng(1).standard_normal(y.shape)))

    def both(unknown: Callable[[Any], Any], v: Any, *xs: Any) -> tuple[Any, ...]:
        y = pair.call(unknown, xs)
        if not wanted:
            return (y,)
        return y, *autograd.grad(y, [xs[i] for i in wanted], v, materialize_grads=True)

    def f(v: Any, *xs: Any) -> tuple[Any, ...]:
        return both(pair.unknown.call, v, *xs)

    for a, b in zip(f(v, *tensors(0)), both(pair.unknown.known, v, *tensors(0)), strict=True):
        np.testing.assert_allclose(a.detach()._array, b.detach()._array, rtol=1e-10, atol=1e-12)

    # compiled: recorded, replayed, laid out, replayed
    compiled = mg.compile(f)
    for k in range(5):
        xs = tensors(k)
        for a, b in zip(compiled(v, *xs), f(v, *xs), strict=True):
            same(a.detach(), b.detach(), f"compiled, call {k}")
        assert k != 1 or mg.source(compiled)

    # printed
    if y._array.size and y.requires_grad:
        xs = tensors(0)
        names = {f"x{i}": x for i, x in enumerate(xs)}
        text = mg.source(pair.call(pair.unknown.call, xs) * 1.0, inputs=names)
        value, grads = load(text)(*draw(pair.row, shape, 7), *([v._array] if y._array.size > 1 else []))
        one = v if y._array.size > 1 else mg.ones_like(v)
        first, *rest = f(one, *tensors(7))
        same(value, first.detach() * 1.0, "printed")
        for i, g in zip(wanted, rest, strict=True):
            h = grads[f"x{i}"]
            same(np.zeros_like(g._array) if h is None else h, g, f"printed gradient of input {i}")


# ---------------------------------------------------------------- changes in place through two views

def chains() -> Iterator[Any]:
    """A declared view of a view, and a view of a declared view."""
    for row in (r for r in PARTNERS if TABLE[r.op].view):
        for k in (k for k in UNKNOWN if k.view):
            for after in (True, False):
                pair = Pair(row, k, after)
                shape = pair.shape
                if shape is not None and 0 not in shape:
                    yield pytest.param(pair, shape, id=f"{k.name}-{row.id}" if after else f"{row.id}-{k.name}")


@pytest.mark.parametrize(("pair", "shape"), list(chains()))
def test_a_change_through_two_views(pair: Pair, shape: Shape) -> None:
    places = pair.value([np.arange(int(np.prod(shape, dtype=int))).reshape(shape)]).astype(int)
    sample = mg.from_numpy(np.zeros(shape))
    shown = pair.call(pair.unknown.call, [sample])._array
    shares = np.shares_memory(shown, sample._array)

    def f(x: Any, s: Any) -> Any:
        b = x * 2.0
        v = pair.call(pair.unknown.call, [b])
        if shares:
            v.mul_(s)
        b.mul_(3.0)  # the view follows
        b.add_(1.0)
        loss = (b * b).sum() + (v * v * s).sum()
        return (b.detach(), v.detach(), *autograd.grad(loss, [x, s]))

    def known(x: Any, s: Any) -> Any:
        """The same by indices, without a change in place."""
        flat = (x * 2.0).reshape(-1)
        at = mg.from_numpy(places.reshape(-1))
        v = flat[at].reshape(s.shape)
        if shares:
            hit = mg.zeros(flat.shape[0], dtype=mg.float64).index_put((at,), mg.ones(places.size, dtype=mg.float64))
            spread = mg.zeros(flat.shape[0], dtype=mg.float64).index_put((at,), (v * s).reshape(-1))
            flat = flat * (1.0 - hit) + spread
        flat = flat * 3.0 + 1.0
        v = flat[at].reshape(s.shape) if shares else v
        loss = (flat * flat).sum() + (v * v * s).sum()
        return (flat.reshape(x.shape).detach(), v.detach(), *autograd.grad(loss, [x, s]))

    def inputs(k: int) -> tuple[Any, Any]:
        rng = np.random.default_rng(k)
        return tuple(mg.tensor(rng.uniform(0.5, 2, s), requires_grad=True) for s in (shape, places.shape))  # type: ignore[return-value]

    if shares and np.unique(places).size < places.size:
        with pytest.raises(RuntimeError, match="single memory location"):
            f(*inputs(0))
        return
    compiled = mg.compile(f)
    for k in range(5):
        eager = f(*inputs(k))
        for a, b in zip(eager, known(*inputs(k)), strict=True):
            np.testing.assert_allclose(a._array, b._array, rtol=1e-11, atol=1e-13, err_msg=f"eager, call {k}")
        for a, b in zip(compiled(*inputs(k)), eager, strict=True):
            same(a, b, f"compiled, call {k}")
        assert k != 1 or mg.source(compiled)

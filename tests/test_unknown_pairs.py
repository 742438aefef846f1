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
from test_source import ROUNDED
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
    # Those of linear algebra copy what they take: one of them stands for all, each pair takes a second.
    if op.home == "minigrad.ops.matrices" and row.op != "triangles":
        return False
    if row.op == "one_hot":  # what another operation gives are no classes
        return False
    facts = op.view or op.moves or op.repeats or op.rows or op.same is not None or not op.elementwise
    return bool(facts and row.inputs[0].kind != "bool" and not (row.note == "mask" and row.op == "index"))


def chosen() -> list[Row]:
    """Rows of each operation, most dimensions of different sizes first: of views several, and one without elements."""
    rows: dict[str, list[Row]] = {}
    for row in filter(takes_part, ROWS):
        rows.setdefault(row.op, []).append(row)
    picked = []
    for several in rows.values():
        full = [r for r in several if 0 not in r.inputs[0].shape]
        full.sort(key=lambda r: -len(set(r.inputs[0].shape)) - len(r.inputs[0].shape) / 10)
        empty = [r for r in several if r not in full]
        picked += full[:4] + empty[:1] if TABLE[full[0].op].view else full[:1]
    return picked


PARTNERS = chosen()


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


GROUPS: list[
    list[Pair]
] = []  # those of one operation of the table, which share a compiled function and a program
for _place, _row in enumerate(PARTNERS):
    for _after in (True, False):
        _pairs = [p for p in (Pair(_row, k, _after) for k in UNKNOWN) if p.shape is not None]
        # what makes no view meets two of them, in turn
        if not TABLE[_row.op].view:
            _pairs = [_pairs[(2 * _place + i) % len(_pairs)] for i in range(min(2, len(_pairs)))]
        GROUPS.append(_pairs)
GROUPS = [g for g in GROUPS if g]
CHAINS = [[p for p in g if p.unknown.view and 0 not in p.shape] for g in GROUPS if TABLE[g[0].row.op].view]  # type: ignore[operator]
CHAINS = [g for g in CHAINS if g]


def name(group: list[Pair]) -> str:
    return f"{'before' if group[0].after else 'after'}-{group[0].row.id}"


def test_the_pairs_join_every_operation_that_makes_or_reads_views() -> None:
    for after in (True, False):
        paired = {p.row.op for g in GROUPS for p in g if p.after is after}
        assert paired >= {"reshape", "permute", "expand", "spread", "slice", "alias", "flip", "clone", "contiguous",
                          "cat", "stack", "index", "index_put", "view_scatter", "sum_to", "copy"}  # fmt: skip
        assert paired >= {
            op.name for op in TABLE.values() if op.view and op.complex != "own" and op not in u.DECLARED
        }
    assert {p.unknown.name for g in GROUPS for p in g} == {k.name for k in UNKNOWN}


def close(found: Any, expected: Any, what: str) -> None:
    found, expected = (np.asarray(getattr(t, "_array", t)) for t in (found, expected))
    assert found.shape == expected.shape, what
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12, err_msg=what)


@pytest.mark.parametrize("group", GROUPS, ids=map(name, GROUPS))
def test_pairs_in_every_reader(group: list[Pair]) -> None:
    row, shapes = group[0].row, [p.shape for p in group]
    rest = [i for i, d in enumerate(row.inputs) if i]
    counts = len(group) + len(rest)  # each pair has a first input of its own, and the others share the rest

    def arrays(seed: int) -> list[np.ndarray]:
        firsts = [draw(row, s, seed + k)[0] for k, s in enumerate(shapes) if s is not None]
        return [*firsts, *draw(row, row.inputs[0].shape, seed)[1:]]

    floats = [0 if a.dtype.kind != "f" else 1 for a in [arrays(0)[0], *arrays(0)[len(group) :]]]
    wanted = [i for i in row.wanted if floats[i]]
    leaves = [*(range(len(group)) if 0 in wanted else ()), *(len(group) + i - 1 for i in wanted if i)]

    def tensors(seed: int) -> list[Any]:
        return [mg.tensor(a, requires_grad=i in leaves) for i, a in enumerate(arrays(seed))]

    def results(unknown: str, xs: Any) -> list[Any]:
        firsts, others = xs[: len(group)], xs[len(group) :]
        return [p.call(getattr(p.unknown, unknown), [x, *others]) for p, x in zip(group, firsts, strict=True)]

    def f(vs: list[Any], *xs: Any) -> list[Any]:
        """All results, and for each of them the gradients of its inputs."""
        found = []
        for p, x, v in zip(group, xs[: len(group)], vs, strict=True):
            inputs = [x, *xs[len(group) :]]
            y = p.call(p.unknown.call, inputs)
            found.append(y)
            if y.requires_grad:
                found += autograd.grad(y, [inputs[i] for i in wanted], v, materialize_grads=True)
        return found

    # alone, beside NumPy and known operations
    xs = tensors(0)
    assert len(xs) == counts
    ys = results("call", xs)
    for p, y, x in zip(group, ys, arrays(0)[: len(group)], strict=True):
        close(y.detach(), p.value([x, *arrays(0)[len(group) :]]), p.unknown.name)
    vs = [mg.tensor(np.asarray(np.random.default_rng(1).standard_normal(y.shape))) for y in ys]
    for p, y, z in zip(group, ys, results("known", tensors(0)), strict=True):
        assert y.requires_grad is z.requires_grad
        close(y.detach(), z.detach(), p.unknown.name)
    pairs = [(y, z, v) for y, z, v in zip(ys, results("known", xs), vs, strict=True) if y.requires_grad]
    if pairs:
        targets = [xs[i] for i in leaves]
        both = [autograd.grad(t, targets, w, materialize_grads=True) for t, w in _columns(pairs)]
        for i, (a, b) in enumerate(zip(*both, strict=True)):
            close(a, b, f"gradient {i}")

    # compiled: recorded and replayed, with other values
    compiled = mg.compile(f)
    for k in range(2):
        xs = tensors(k)
        for i, (a, b) in enumerate(zip(compiled(vs, *xs), f(vs, *xs), strict=True)):
            same(
                a.detach(), b.detach(), f"compiled, call {k}, result {i} of {[p.unknown.name for p in group]}"
            )
    assert mg.source(compiled)

    # printed
    def total(xs: Any) -> Any:
        terms = [(y * v).sum() for y, v in zip(results("call", xs), vs, strict=True) if y.requires_grad]
        return sum(terms[1:], terms[0]) if terms else None

    xs = tensors(0)
    loss = total(xs)
    if loss is not None:
        names = {f"x{i}": x for i, x in enumerate(xs)} | {f"v{i}": v for i, v in enumerate(vs)}
        used = {
            k: t for k, t in names.items() if any(n is t._node for n in mg.core.node.tape([loss.grad_fn]))
        }
        printed = load(mg.source(loss, inputs=used))
        xs = tensors(7)
        given = names | {f"x{i}": x for i, x in enumerate(xs)}
        value, grads = printed(**{k: given[k].detach()._array for k in used})
        expected = total(xs)
        equal = close if any(p.row.op in ROUNDED for p in group) else same
        equal(value, expected.detach(), "printed")
        targets = {k: t for k, t in given.items() if k in used and t.requires_grad}
        for k, g in autograd.grad(expected, targets, materialize_grads=True).items():
            equal(np.zeros_like(g._array) if grads[k] is None else grads[k], g, f"printed gradient of {k}")


def _columns(pairs: list[Any]) -> Iterator[tuple[Any, Any]]:
    ys, zs, vs = zip(*pairs, strict=True)
    yield ys, vs
    yield zs, vs


# ---------------------------------------------------------------- changes in place through two views


@pytest.mark.parametrize("group", CHAINS, ids=map(name, CHAINS))
def test_changes_through_two_views(group: list[Pair]) -> None:
    """A view of a declared view is changed, or a declared view of a view; then their base is."""
    shapes: list[Any] = [p.shape for p in group]
    places = [
        p.value([np.arange(int(np.prod(s, dtype=int))).reshape(s)]).astype(int)
        for p, s in zip(group, shapes, strict=True)
    ]
    shared = []
    for p, s, place in zip(group, shapes, places, strict=True):
        base = mg.from_numpy(np.zeros(s))
        v = p.call(p.unknown.call, [base])
        shared.append(bool(np.shares_memory(v._array, base._array)))
        if shared[-1] and np.unique(place).size < place.size:
            with pytest.raises(RuntimeError, match="single memory location"):
                v.mul_(2.0)
            shared[-1] = None  # type: ignore[call-overload]

    def change(p: Pair, shares: Any, x: Any, s: Any) -> list[Any]:
        b = x * 2.0
        v = p.call(p.unknown.call, [b])
        if shares:
            v.mul_(s)
        b.mul_(3.0)  # the view follows
        b.add_(1.0)
        loss = (b * b).sum() + (v * v * s).sum()
        return [b.detach(), v.detach(), *autograd.grad(loss, [x, s])]

    def by_indices(place: np.ndarray, shares: Any, x: Any, s: Any) -> list[Any]:
        """The same without a change in place."""
        flat = (x * 2.0).reshape(-1)
        at = mg.from_numpy(place.reshape(-1))
        v = flat[at].reshape(s.shape)
        if shares:
            zeros = mg.zeros(flat.shape[0], dtype=mg.float64)
            hit = zeros.index_put((at,), mg.ones(place.size, dtype=mg.float64))
            flat = flat * (1.0 - hit) + zeros.index_put((at,), (v * s).reshape(-1))
        flat = flat * 3.0 + 1.0
        v = v if shares is False else flat[at].reshape(s.shape)
        loss = (flat * flat).sum() + (v * v * s).sum()
        return [flat.reshape(x.shape).detach(), v.detach(), *autograd.grad(loss, [x, s])]

    def f(xs: list[Any], ss: list[Any]) -> list[Any]:
        found = []
        for k in range(len(xs)):
            found += change(group[k], shared[k], xs[k], ss[k])
        return found

    def inputs(k: int) -> list[list[Any]]:
        rng = np.random.default_rng(k)
        sizes = shapes, [p.shape for p in places]
        return [[mg.tensor(rng.uniform(0.5, 2, s), requires_grad=True) for s in several] for several in sizes]

    compiled = mg.compile(f)
    for k in range(2):
        xs, ss = inputs(k)
        eager = f(xs, ss)
        expected = [t for i in range(len(xs)) for t in by_indices(places[i], shared[i], xs[i], ss[i])]
        for i, (a, b) in enumerate(zip(eager, expected, strict=True)):
            close(a, b, f"eager, call {k}, result {i % 4} of {group[i // 4].unknown.name}")
        for i, (a, b) in enumerate(zip(compiled(xs, ss), eager, strict=True)):
            same(a, b, f"compiled, call {k}, result {i % 4} of {group[i // 4].unknown.name}")
    assert mg.source(compiled)

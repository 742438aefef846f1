"""The printed program: run again, on other inputs, it gives bit for bit what eager mode gives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from op_samples import ROWS, Row

import minigrad as mg
from minigrad import autograd
from minigrad.tape import MODE, TABLE

every = pytest.mark.parametrize("row", ROWS, ids=[r.id for r in ROWS])


@contextlib.contextmanager
def everything() -> Iterator[None]:
    """Records also what carries no gradient."""
    token = MODE.set(MODE.get().replace(everything=True))
    try:
        yield
    finally:
        MODE.reset(token)


def load(text: str, name: str = "run") -> Any:
    """The function that a printed module defines; nothing but NumPy may be imported by it."""
    namespace: dict[str, Any] = {}
    exec(compile(text, "<printed>", "exec"), namespace)
    assert [line for line in text.splitlines() if "import " in line] == ["import numpy as np"]
    return namespace[name]


def same(found: Any, expected: Any, what: str) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, what
    assert found.dtype == expected.dtype, what
    bits = [np.where(np.isnan(a), np.nan, a).tobytes() if a.dtype.kind == "f" else a.tobytes() for a in (found, expected)]
    assert bits[0] == bits[1], f"{what}\n{found}\n{expected}"


def tensors(arrays: list[np.ndarray], wanted: tuple[int, ...] = ()) -> list[Any]:
    return [mg.from_numpy(a).requires_grad_(i in wanted) for i, a in enumerate(arrays)]


def check(f: Any, recorded: list[np.ndarray], fresh: list[np.ndarray], wanted: tuple[int, ...]) -> str:
    """The text of f, recorded on some arrays; AssertionError if on others it does not do what f does."""
    names = [f"x{i}" for i in range(len(recorded))]
    with everything():
        xs = tensors(recorded, wanted)
        text = mg.source(f(*xs), inputs=dict(zip(names, xs, strict=True)))
    run = load(text)
    for arrays in (recorded, fresh):
        xs = tensors([a.copy() for a in arrays], wanted)
        y = f(*xs)
        seed = np.random.default_rng(7).standard_normal(y.shape).astype(y._array.dtype)
        many = [seed] if y.numel() != 1 and y.requires_grad else []
        result, gradients = run(*[a.copy() for a in arrays], *many)
        same(result, y.numpy(force=True), f"value\n{text}")
        if not y.requires_grad:
            assert gradients == {}
            continue
        one = mg.from_numpy(seed) if many else None
        expected = autograd.grad(y, [xs[i] for i in wanted], one, allow_unused=True)
        assert list(gradients) == [names[i] for i in wanted]
        for i, g in zip(wanted, expected, strict=True):
            found = gradients[names[i]]
            if g is None:
                assert found is None
            else:
                same(found, g.numpy(), f"gradient of {names[i]}\n{text}")
                if isinstance(found, np.ndarray):
                    found[...] = 0  # it belongs to the caller
    return text


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16], ids=lambda d: d.__name__)
def test_every_op_prints_what_it_computes(row: Row, dtype: Any) -> None:
    def cast(arrays: list[np.ndarray]) -> list[np.ndarray]:
        return [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]

    f, recorded, fresh = row.run, cast(row.draw(0)), cast(row.draw(1))
    if row.op == "cumprod_backward":  # its third input is worked out from the second, behind the tape's back
        f = lambda u, x, p: TABLE[row.op](u, x, p, **row.params)  # noqa: E731
        for arrays in (recorded, fresh):
            arrays.append(mg.cumprod(mg.from_numpy(arrays[1]), row.params["dim"]).numpy())
    check(f, recorded, fresh, row.wanted)


# ---------------------------------------------------------------- random compositions


def _apply(kind: str, a: Any, b: Any) -> Any:
    """One step of a random program; a Tensor of whatever shape comes out, or None where it does not fit."""
    n = a.ndim
    steps: dict[str, Any] = {
        "add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b, "div": lambda: a / (b * b + 1.5),
        "number": lambda: 0.5 - a * 3.0, "same": lambda: a + a, "maximum": lambda: mg.maximum(a, b),
        "where": lambda: mg.where(a > b, a, b * 2.0), "pow": lambda: (a * a + 0.5) ** b,
        "square": lambda: a**2, "cube": lambda: a**3, "root": lambda: (a * a + 1.0) ** -0.5,
        "exp": lambda: (-(a * a)).exp(), "tanh": lambda: a.tanh(), "sigmoid": lambda: a.sigmoid(),
        "relu": lambda: a.relu(), "abs": lambda: a.abs(), "sin": lambda: a.sin(), "clamp": lambda: a.clamp(-0.5, 0.7),
        "floor": lambda: a.floor() + a, "sum": lambda: a.sum(), "sum0": lambda: a.sum(0), "sum1": lambda: a.sum(-1, True),
        "mean": lambda: a.mean(-1), "var": lambda: a.var(0, correction=0), "amax": lambda: a.amax(0),
        "max": lambda: a.max(-1).values, "logsumexp": lambda: a.logsumexp(-1, keepdim=True),
        "prod": lambda: a.prod(-1), "cumsum": lambda: a.cumsum(0), "cumprod": lambda: a.cumprod(-1),
        "T": lambda: a.T if n == 2 else a.mT, "reshape": lambda: a.reshape(-1), "t_reshape": lambda: a.mT.reshape(-1),
        "fold": lambda: a.reshape(-1, a.shape[0]), "row": lambda: a[0], "slice": lambda: a[..., 1:],
        "stride": lambda: a[::2], "mask": lambda: a * (a > 0), "picked": lambda: a[(b > 0).long().reshape(-1)[:3] - 1],
        "flip": lambda: a.flip(0), "expand": lambda: a.expand(2, *a.shape), "unsqueeze": lambda: a.unsqueeze(-1),
        "cat": lambda: mg.cat([a, b, a]), "stack": lambda: mg.stack([a, b]), "matmul": lambda: a @ b.mT,
        "gram": lambda: a @ a.mT, "dot": lambda: mg.dot(a, b), "mse": lambda: mg.nn.functional.mse_loss(a, b.detach() * 0 + a * 0.5),
        "clone": lambda: a.clone(), "in_place": lambda: _changed(a, b), "double": lambda: a.double() + a.detach().double(),
    }  # fmt: skip
    try:
        return steps[kind]()
    except (RuntimeError, IndexError, AttributeError):  # shapes that do not fit, dimensions that are not there
        return None


KINDS = (
    "add sub mul div number same maximum where pow square cube root exp tanh sigmoid relu abs sin clamp floor sum "
    "sum0 sum1 mean var amax max logsumexp prod cumsum cumprod T reshape t_reshape fold row slice stride mask "
    "picked flip expand unsqueeze cat stack matmul gram dot clone in_place"
).split()


def _changed(a: Any, b: Any) -> Any:
    c = a * 1.5
    c[0] *= 2.0
    c[-1] = c[0] + 1.0
    return c


def compose(steps: list[tuple[str, int, int]], xs: list[Any]) -> Any:
    """The last value of a random program, to which every input is added so that it occurs."""
    values = list(xs)
    for kind, i, j in steps:
        found = _apply(kind, values[-1 - i % len(values)], values[-1 - j % len(values)])
        if found is not None and found.numel() and found.numel() < 4000:
            values.append(found)
    return values[-1] + xs[0].sum() - 0.5 * xs[1].sum()


programs = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 3), st.integers(0, 4)), min_size=2, max_size=9
)
SHAPES = [[(3, 4), (3, 4)], [(3, 4), (4,)], [(4,), (4,)], [(2, 3, 4), (3, 4)], [(), (3,)], [(1, 1), (2, 1)], [(30, 40), (40,)]]


def arrays(shapes: list[tuple[int, ...]], seed: int, dtype: Any) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(-1.5, 1.5, s)).astype(dtype) for s in shapes]


@settings(max_examples=300, deadline=None)
@given(programs, st.sampled_from(SHAPES), st.sampled_from([np.float64, np.float32]))
def test_random_compositions(steps: Any, shapes: Any, dtype: Any) -> None:
    recorded, fresh = arrays(shapes, 0, dtype), arrays(shapes, 1, dtype)
    check(lambda *xs: compose(steps, list(xs)), recorded, fresh, (0, 1))


def _penalty(steps: Any, xs: Any) -> Any:
    y = compose(steps, list(xs))
    grads = autograd.grad((y * y).sum(), list(xs), create_graph=True, allow_unused=True)
    return sum(((g * g).sum() for g in grads if g is not None), y.sum())


@settings(max_examples=150, deadline=None)
@given(programs, st.sampled_from(SHAPES), st.sampled_from([np.float64, np.float32]))
def test_random_compositions_differentiated_twice(steps: Any, shapes: Any, dtype: Any) -> None:
    recorded, fresh = arrays(shapes, 0, dtype), arrays(shapes, 1, dtype)
    check(lambda *xs: _penalty(steps, xs), recorded, fresh, (0, 1))

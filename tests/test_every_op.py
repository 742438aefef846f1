"""Every operation of the table, crossed with every check. The rows are in op_samples.py."""

from __future__ import annotations

import gc
import inspect
import math
import weakref
from typing import Any

import numpy as np
import pytest
from cases import case
from op_samples import NO_GRADIENT, NOT_0D, NOT_EMPTY, NOT_SAMPLED, ONCE, REFUSING, ROWS, Row

import minigrad as mg
from minigrad import autograd
from minigrad.core.op import Op
from minigrad.ops import TABLE

EPS = 1e-6

every = pytest.mark.parametrize("row", ROWS, ids=[r.id for r in ROWS])
DIFFERENTIABLE = [r for r in ROWS if r.d]
differentiable = pytest.mark.parametrize("row", DIFFERENTIABLE, ids=[r.id for r in DIFFERENTIABLE])
BROADCASTING = [r for r in ROWS if r.broadcasts and len(r.inputs) > 1]


# ---------------------------------------------------------------- the check


def close(found: Any, expected: Any, what: str, rtol: float = 1e-5, atol: float = 1e-7) -> None:
    """AssertionError, saying what differs, unless shapes and values agree."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    np.testing.assert_allclose(found, expected, rtol, atol, err_msg=what)


def tensors(arrays: list[np.ndarray], wanted: tuple[int, ...] = ()) -> list[Any]:
    """Tensors over the same memory (and strides); those ``wanted`` require grad."""
    return [mg.from_numpy(a).requires_grad_(i in wanted) for i, a in enumerate(arrays)]


def gradients(f: Any, arrays: list[np.ndarray], wanted: tuple[int, ...], v: np.ndarray) -> list[np.ndarray]:
    """The gradients of <f, v> by eager backward."""
    xs = tensors(arrays, wanted)
    return [g.numpy() for g in autograd.grad(f(*xs), [xs[i] for i in wanted], mg.from_numpy(v))]


def check_gradients(
    f: Any, arrays: list[np.ndarray], wanted: tuple[int, ...], seed: int = 0, once: bool = False
) -> None:
    """Gradients of order 1 and 2 against central differences in float64, for a random cotangent.

    Order 2 differentiates <gradient, random vector> with respect to the inputs and the cotangent.
    AssertionError where they differ, or where gradients made with create_graph=True are not bit for bit
    those of the eager pass.
    """
    rng = np.random.default_rng(seed)
    v = rng.standard_normal(f(*tensors(arrays))._array.shape)
    first = gradients(f, arrays, wanted, v)

    def value(*changed: np.ndarray) -> float:
        return float((f(*tensors(list(changed))).numpy() * v).sum())

    for i, g in zip(wanted, first, strict=True):
        numeric = np.zeros(arrays[i].shape)
        for at in np.ndindex(arrays[i].shape):
            up, down = [a.copy() for a in arrays], [a.copy() for a in arrays]
            up[i][at] += EPS
            down[i][at] -= EPS
            numeric[at] = (value(*up) - value(*down)) / (2 * EPS)
        close(g, numeric, f"gradient of input {i}")

    xs = tensors(arrays, wanted)
    seed_ = mg.tensor(v, requires_grad=True)
    recorded = autograd.grad(f(*xs), [xs[i] for i in wanted], seed_, create_graph=True)
    for g, again in zip(first, recorded, strict=True):
        assert again.detach().numpy().tobytes() == g.tobytes(), "create_graph=True changes the gradient"
    weights = [rng.standard_normal(g.shape) for g in first]

    def slope(*changed: np.ndarray) -> float:
        found = gradients(f, list(changed[:-1]), wanted, changed[-1])
        return sum(float((g * w).sum()) for g, w in zip(found, weights, strict=True))

    total = sum(
        ((g * mg.from_numpy(w)).sum() for g, w in zip(recorded, weights, strict=True)), mg.tensor(0.0)
    )
    sources = [*(xs[i] for i in wanted), seed_]
    if once:
        with pytest.raises(NotImplementedError, match="second derivative"):
            autograd.grad(total, sources)
        return
    if total.requires_grad:
        second = autograd.grad(total, sources, materialize_grads=True)
    else:
        second = tuple(mg.zeros_like(t) for t in sources)
    ats = [*wanted, len(arrays)]
    everything = [*arrays, v]
    for _ in range(2):
        steps = [rng.standard_normal(everything[i].shape) for i in ats]
        up, down = [a.copy() for a in everything], [a.copy() for a in everything]
        for i, step in zip(ats, steps, strict=True):
            up[i] += EPS * step
            down[i] -= EPS * step
        numeric = (slope(*up) - slope(*down)) / (2 * EPS)
        exact = sum(float((h.detach().numpy() * s).sum()) for h, s in zip(second, steps, strict=True))
        close(exact, numeric, "second derivative along a random direction", rtol=2e-5, atol=1e-6)


# ---------------------------------------------------------------- the table itself


def test_the_table_covers_every_op_and_nothing_else() -> None:
    sampled = {r.op for r in ROWS}
    assert sampled | set(NOT_SAMPLED) == set(TABLE)
    assert not sampled & set(NOT_SAMPLED)


def test_every_op_has_empty_and_0d_rows_and_rows_for_each_gradient() -> None:
    for op in sorted({r.op for r in ROWS}):
        with case(op):
            has_rows_of_every_kind(op)


def has_rows_of_every_kind(op: str) -> None:
    rows = [r for r in ROWS if r.op == op]
    empty = any(r.broadcasts or any(0 in i.shape for i in r.inputs) for r in rows)
    zero_d = any(r.broadcasts or r.inputs[0].shape == () for r in rows)
    assert empty is (op not in NOT_EMPTY), (
        f"either a row of {op} has an empty input, or NOT_EMPTY says why none has"
    )
    assert zero_d is (op not in NOT_0D), f"either a row of {op} has a 0-d input, or NOT_0D says why none has"
    record = TABLE[op]
    with_rules = set(range(len(record.rules))) if not record.joint else {0}
    ruled = {i for i in with_rules if record.joint or record.rules[i] is not None}
    floats = {k for r in rows for k in r.wanted}
    last = len(record.rules) - 1
    covered = {k if record.joint else min(k, last) for k in floats} if floats else set()
    if op in NO_GRADIENT:
        assert not covered
        return
    ruled -= REFUSING.get(op, set())
    assert ruled <= covered, f"no row checks the gradient of inputs {ruled - covered}"
    assert bool(covered) is record.differentiable


# ---------------------------------------------------------------- values and gradients


@every
def test_value(row: Row) -> None:
    arrays = row.draw()
    y = row.run(*tensors(arrays))
    close(y.numpy(), row.value(*arrays, **row.params), row.id, rtol=1e-12, atol=1e-14)
    assert y.dtype is {"float": mg.float64, "bool": mg.bool, "int64": mg.int64}[row.result]
    assert not y.requires_grad


@differentiable
def test_gradients_against_finite_differences(row: Row) -> None:
    check_gradients(row.run, row.draw(), row.wanted, once=row.op in ONCE)


@pytest.mark.parametrize("row", [r for r in ROWS if r.d == ""], ids=[r.id for r in ROWS if r.d == ""])
def test_ops_without_gradient_record_nothing(row: Row) -> None:
    floats = tuple(i for i, a in enumerate(row.draw()) if a.dtype.kind == "f")
    y = row.run(*tensors(row.draw(), floats))
    assert y.requires_grad is (bool(floats) and TABLE[row.op].differentiable)


MANY = [r for r in DIFFERENTIABLE if len(r.d) > 1]


@pytest.mark.parametrize("row", MANY, ids=[r.id for r in MANY])
def test_one_input_alone_gets_the_gradient_it_gets_with_the_others(row: Row) -> None:
    arrays = row.draw()
    v = np.random.default_rng(1).standard_normal(row.run(*tensors(arrays)).shape)
    together = gradients(row.run, arrays, row.wanted, v)
    for i, g in zip(row.wanted, together, strict=True):
        (alone,) = gradients(row.run, arrays, (i,), v)
        assert alone.tobytes() == g.tobytes()


PAIRS = [r for r in BROADCASTING if len(r.inputs) == 2]


@pytest.mark.parametrize("row", [r for r in PAIRS if r.d], ids=[r.id for r in PAIRS if r.d])
@pytest.mark.parametrize("at", [0, 1], ids=["number-left", "number-right"])
def test_a_python_number_as_operand(row: Row, at: int) -> None:
    arrays = row.draw()
    number = float(arrays[at].flat[1])

    def f(t: Any) -> Any:
        return row.run(*((number, t) if at == 0 else (t, number)))

    other = arrays[1 - at]
    both = (np.float64(number), other) if at == 0 else (other, np.float64(number))
    close(f(mg.from_numpy(other)).numpy(), row.value(*both), row.id, rtol=1e-12)
    check_gradients(f, [other], (0,))


# ---------------------------------------------------------------- dtypes


KEEPING = [r for r in ROWS if r.op != "to"]  # which changes it by purpose; see test_to


@pytest.mark.parametrize("row", KEEPING, ids=[r.id for r in KEEPING])
@pytest.mark.parametrize("dtype", [np.float32, np.float16], ids=["float32", "float16"])
def test_dtype_is_kept(row: Row, dtype: Any) -> None:
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in row.draw()]
    floats = tuple(i for i, a in enumerate(arrays) if a.dtype.kind == "f")
    xs = tensors(arrays, row.wanted)
    y = row.run(*xs)
    expected = row.value(
        *(a.astype(np.float64) if i in floats else a for i, a in enumerate(arrays)), **row.params
    )
    assert y._array.dtype == {"float": dtype, "bool": bool, "int64": np.int64}[row.result]
    tolerance = {np.float32: 2e-6, np.float16: 2e-2}[dtype]
    close(y._array, expected, row.id, rtol=tolerance, atol=tolerance)
    if not row.d:
        return
    v = np.random.default_rng(1).standard_normal(y.shape)
    found = autograd.grad(y, [xs[i] for i in row.wanted], mg.tensor(v.astype(dtype)), create_graph=True)
    double = [a.astype(np.float64) if i in floats else a for i, a in enumerate(arrays)]
    exact = gradients(row.run, double, row.wanted, v.astype(dtype).astype(np.float64))
    for g, e, i in zip(found, exact, row.wanted, strict=True):
        assert g._array.dtype == dtype, f"the gradient of input {i} is {g.dtype}"
        scale = max(1.0, float(np.abs(e).max(initial=0.0)))
        close(g._array, e, f"gradient of input {i}", rtol=4 * tolerance, atol=4 * tolerance * scale)
    total = sum((g.sum() for g in found), mg.tensor(0.0, dtype=found[0].dtype))
    if total.requires_grad and row.op not in ONCE:
        again = autograd.grad(total, [xs[i] for i in row.wanted], allow_unused=True)
        assert all(h is None or h._array.dtype == dtype for h in again), "second gradient"


@pytest.mark.parametrize("source", [mg.float16, mg.float32, mg.float64], ids=lambda d: d.name)
@pytest.mark.parametrize("target", [mg.float16, mg.float32, mg.float64], ids=lambda d: d.name)
def test_to(source: Any, target: Any) -> None:
    x = mg.tensor([0.5, -1.25, 3.0], dtype=source, requires_grad=True)
    y = TABLE["to"](x, dtype=target.numpy)
    assert y.dtype is target
    assert y.tolist() == [0.5, -1.25, 3.0]
    y.backward(mg.tensor([1.0, 2.0, 0.25], dtype=target))
    assert x.grad.dtype is source
    assert x.grad.tolist() == [1.0, 2.0, 0.25]


WIDENING = [r for r in PAIRS if r.op not in ("bitwise_and", "bitwise_or", "bitwise_xor")]


@pytest.mark.parametrize("row", WIDENING, ids=[r.id for r in WIDENING])
def test_mixed_dtypes_meet_and_each_gradient_has_its_input_s(row: Row) -> None:
    a, b = row.draw()
    if a.dtype.kind != "f":
        return
    x, y = mg.from_numpy(a.astype(np.float32)).requires_grad_(), mg.from_numpy(b).requires_grad_()
    z = row.run(x, y)
    assert z.dtype is (mg.bool if row.result == "bool" else mg.float64)
    if row.d:
        gx, gy = autograd.grad(z, [x, y], mg.ones_like(z))
        assert (gx.dtype, gy.dtype) == (mg.float32, mg.float64)


# ---------------------------------------------------------------- shapes and memory

SHAPES = {
    "3-to-2x3": ((2, 3), (3,)),
    "2x1-1x3": ((2, 1), (1, 3)),
    "0d-2x3": ((), (2, 3)),
    "2x3-0d": ((2, 3), ()),
    "1-1x1": ((1,), (1, 1)),
    "0x3-3": ((0, 3), (3,)),
    "1-0": ((1,), (0,)),
    "0d-0d": ((), ()),
}


@pytest.mark.parametrize("row", BROADCASTING, ids=[r.id for r in BROADCASTING])
def test_broadcasting(row: Row) -> None:
    for name, shapes in SHAPES.items():
        with case(name):
            broadcast(row, shapes)


def broadcast(row: Row, shapes: tuple[tuple[int, ...], ...]) -> None:
    if len(row.inputs) == 3:
        shapes = ((), *shapes) if 0 in np.broadcast_shapes(*shapes) else ((2, 1), *shapes)
    arrays = row.draw(0, *shapes)
    y = row.run(*tensors(arrays))
    expected = row.value(*arrays, **row.params)
    assert y._array.shape == expected.shape == np.broadcast_shapes(*shapes)
    close(y.numpy(), expected, row.id, rtol=1e-12)
    if row.d:
        v = np.random.default_rng(1).standard_normal(expected.shape)
        for i, g in zip(row.wanted, gradients(row.run, arrays, row.wanted, v), strict=True):
            assert g.shape == shapes[i]
        check_gradients(row.run, arrays, row.wanted)


ONE_INPUT = [r for r in ROWS if r.broadcasts and len(r.inputs) == 1]


@pytest.mark.parametrize("row", ONE_INPUT, ids=[r.id for r in ONE_INPUT])
def test_any_shape(row: Row) -> None:
    for shape in ((), (0,), (0, 3), (1,), (2, 1, 2)):
        with case(shape):
            arrays = row.draw(0, shape)
            y = row.run(*tensors(arrays))
            assert isinstance(y._array, np.ndarray)
            close(y._array, row.value(*arrays, **row.params), row.id, rtol=1e-12)
            if row.d:
                check_gradients(row.run, arrays, row.wanted)


def fortran(a: np.ndarray) -> np.ndarray:
    return np.array(a.T, order="C").T


def strided(a: np.ndarray) -> np.ndarray:
    big = np.zeros(tuple(2 * n for n in a.shape), a.dtype)
    view = big[tuple(slice(None, None, 2) for _ in a.shape)]
    view[...] = a
    return view


def backwards(a: np.ndarray) -> np.ndarray:
    turn = tuple(slice(None, None, -1) for _ in a.shape)
    return a[turn].copy()[turn]


@every
def test_non_contiguous_inputs_give_the_same(row: Row) -> None:
    arrays = row.draw()
    y = row.run(*tensors(arrays))
    v = np.random.default_rng(1).standard_normal(y.shape)
    expected = gradients(row.run, arrays, row.wanted, v) if row.d else []
    for layout in (fortran, strided, backwards):
        with case(layout):
            laid = [layout(a) if a.ndim else a for a in arrays]
            close(row.run(*tensors(laid))._array, y._array, "value", rtol=1e-12)
            if row.d:
                turned = layout(v) if v.ndim else v
                for g, h in zip(expected, gradients(row.run, laid, row.wanted, turned), strict=True):
                    close(h, g, "gradient", rtol=1e-12, atol=1e-15)
            for a, b in zip(row.draw(), laid, strict=True):
                assert np.array_equal(a, b), "an op changed its input"


# ---------------------------------------------------------------- what is kept


def named_by(record: Op, i: int) -> set[str]:
    """The arrays that the rule of input ``i`` names."""
    rule = record.joint or record.rules[min(i, len(record.rules) - 1)]
    names = list(inspect.signature(rule).parameters)[1:] if rule else []
    return {n for n in names if n == "y" or n in record.inputs}


def with_operands(row: Row, xs: list[Any]) -> tuple[Any, list[Any]]:
    """The result, and what the op itself was called with."""
    if row.via is None:
        return row.run(*xs), xs
    calls = []

    def op(*operands: Any, **params: Any) -> Any:
        calls.append([*operands])
        return TABLE[row.op](*operands, **params)

    y = row.via(op, *xs, **row.params)
    return y, calls[-1]


@differentiable
def test_only_arrays_that_a_rule_names_are_saved(row: Row) -> None:
    record = TABLE[row.op]
    for wanted in ({*row.wanted}, *({i} for i in row.wanted)):
        xs = tensors(row.draw(), tuple(wanted))
        y, operands = with_operands(row, xs)
        names = set().union(*(named_by(record, i) for i in wanted))
        expected = {id(y._array)} if "y" in names else set()
        for k, x in enumerate(operands):
            if record.inputs[min(k, len(record.inputs) - 1)] in names:
                expected.add(id(x._array))
        assert {id(a) for a in y.grad_fn.saved} == expected
        assert len(y.grad_fn.saved) == len(y.grad_fn.layout.keep) == len(expected)


@pytest.mark.parametrize(
    ("chain", "kept"),
    [
        (lambda a: (a + 1.0) * 2.0, 0),  # neither a sum nor a product with a number reads the value between
        (lambda a: (a * a).sum(), 0),
        (lambda a: (-a).exp().reshape(-1), 1),  # exp keeps its own result
        (lambda a: (a + 1.0).sin(), 1),  # sin keeps its input
    ],
    ids=["affine", "square-sum", "exp", "sin"],
)
def test_values_that_no_rule_names_are_freed(chain: Any, kept: int) -> None:
    gc.disable()
    try:
        a = mg.ones(5, dtype=mg.float64, requires_grad=True)
        inner = a * 1.0
        array = weakref.ref(inner._array)
        y = chain(inner)
        del inner
        named = sum(
            isinstance(s, np.ndarray) and s is not a._array
            for n in _records(y.grad_fn)
            for s in (n.saved if isinstance(n.saved, tuple) else ())
        )
        held = array() is not None
        assert held is (chain.__code__.co_names[-1:] == ("sum",))  # a * a reads both
        assert named >= kept
    finally:
        gc.enable()


def _records(node: Any) -> list[Any]:
    found, todo = [], [node]
    while todo:
        n = todo.pop()
        if n is not None and n not in found:
            found.append(n)
            todo += [m for m, _ in n.next_functions]
    return found


# ---------------------------------------------------------------- at kinks and edges, PyTorch's choices

inf, nan = math.inf, math.nan


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: x.abs(), [-0.0, 0.0, 2.0], [0.0, 0.0, 1.0]),
        (lambda x: x.relu(), [-1.0, 0.0, 2.0], [0.0, 0.0, 1.0]),
        (lambda x: x.sign(), [-1.0, 0.0, 2.0], [0.0, 0.0, 0.0]),
        (lambda x: x.clamp(-1.0, 2.0), [-1.0, 0.0, 2.0, 3.0], [1.0, 1.0, 1.0, 0.0]),
        (lambda x: x.clamp(min=0.0), [-1.0, 0.0, 2.0], [0.0, 1.0, 1.0]),
        (lambda x: mg.maximum(x, mg.zeros(3, dtype=mg.float64)), [-1.0, 0.0, 2.0], [0.0, 0.5, 1.0]),
        (lambda x: mg.minimum(x, mg.zeros(3, dtype=mg.float64)), [-1.0, 0.0, 2.0], [1.0, 0.5, 0.0]),
        (lambda x: x.amax(), [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        (lambda x: x.amin(), [1.0, 1.0, 3.0, 1.0], [1 / 3, 1 / 3, 0.0, 1 / 3]),
        (lambda x: x.max(), [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        (lambda x: x.max(0).values, [1.0, 3.0, 3.0], [0.0, 1.0, 0.0]),
        (lambda x: x.min(0).values, [3.0, 1.0, 1.0], [0.0, 1.0, 0.0]),
        (lambda x: x**0, [0.0, 2.0], [0.0, 0.0]),
        (lambda x: x**2, [0.0, 2.0], [0.0, 4.0]),
        (lambda x: x**1, [0.0, 2.0], [1.0, 1.0]),
        (lambda x: x.sqrt(), [0.0, 4.0], [inf, 0.25]),
        (lambda x: x.prod(), [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
        (lambda x: x.prod(), [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
        (lambda x: x.cumprod(0), [2.0, 0.0, 3.0], [1.0, 8.0, 0.0]),
        (lambda x: x.std(correction=0), [2.0, 2.0], [0.0, 0.0]),
        (lambda x: x.logsumexp(0), [-inf, 0.0], [0.0, 1.0]),
        (lambda x: x.sum(), [nan, inf], [1.0, 1.0]),
        (lambda x: mg.where(x > 0, x, 0.0), [nan, 1.0], [0.0, 1.0]),
    ],
    ids=[
        "abs", "relu", "sign", "clamp", "clamp-min", "maximum", "minimum", "amax", "amin", "max", "max-dim",
        "min-dim",
        "pow-0", "pow-2", "pow-1", "sqrt", "prod-one-zero", "prod-two-zeros", "cumprod", "std-of-equals",
        "logsumexp-inf", "sum-of-nan", "where-nan",
    ],
)  # fmt: skip
def test_gradients_at_kinks_and_edges(f: Any, x: list[float], expected: list[float]) -> None:
    t = mg.tensor(x, dtype=mg.float64, requires_grad=True)
    f(t).sum().backward()
    close(t.grad.numpy(), np.array(expected), "gradient")


# What PyTorch 2.13 gives where products meet inf and nan: the gradient of the sum, and the gradient of that's.
PRODUCTS: list[tuple[list[float], str, list[float], list[float]]] = [
    ([2.0, inf, 3.0], "prod", [inf, nan, inf], [nan, nan, nan]),
    ([2.0, inf, 3.0], "cumprod", [inf, nan, inf], [nan, nan, nan]),
    ([2.0, 0.0, inf], "prod", [nan, inf, 0.0], [inf, inf, 2.0]),  # PyTorch: nan for the last
    ([2.0, 0.0, inf], "cumprod", [1.0, inf, 0.0], [inf, inf, 2.0]),
    ([nan, 2.0, 3.0], "prod", [nan, nan, nan], [nan, nan, nan]),
    ([nan, 2.0, 3.0], "cumprod", [nan, nan, nan], [nan, nan, nan]),
    ([2.0, nan, 0.0], "prod", [nan, 0.0, nan], [nan, 2.0, nan]),  # PyTorch: nan for the second
    ([2.0, 0.0, 0.0, 3.0], "prod", [0.0, 0.0, 0.0, 0.0], [0.0, 6.0, 6.0, 0.0]),
    ([inf], "prod", [nan], [nan]),
    ([inf], "cumprod", [1.0], [0.0]),
]


@pytest.mark.parametrize(
    ("x", "name", "first", "second"), PRODUCTS, ids=[f"{n}-{x}" for x, n, *_ in PRODUCTS]
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_of_products_with_inf_and_nan(
    x: list[float], name: str, first: list[float], second: list[float], create_graph: bool
) -> None:
    t = mg.tensor(x, dtype=mg.float64, requires_grad=True)
    y = t.prod() if name == "prod" else t.cumprod(0).sum()
    (g,) = autograd.grad(y, t, create_graph=create_graph)
    assert np.array_equal(g._array, first, equal_nan=True)
    if g.requires_grad:
        (h,) = autograd.grad(g.sum(), t)
        assert np.array_equal(h._array, second, equal_nan=True)


def test_the_gradient_of_a_narrow_cumprod_is_made_of_its_narrow_values() -> None:
    x = mg.tensor([1 / 3, 0.7, 1.1], dtype=mg.float64, requires_grad=True)
    (g,) = autograd.grad(x.cumprod(0, dtype=mg.float32).sum(), x)
    assert g.dtype is mg.float64
    assert g.tolist() == [2.4700001031160355, 0.700000034911292, 0.23333335464650934]  # PyTorch's


def test_floor_divide_has_no_derivative_and_a_rounded_quotient_one_of_0() -> None:
    x = mg.tensor([3.0, -5.0], requires_grad=True)
    for quotient in (x // 2, 7 // x, mg.floor_divide(x, x), (x * 1).floor_divide_(2)):
        assert quotient.requires_grad
        with pytest.raises(
            RuntimeError, match=r"derivative for floor_divide .* not implemented.*rounding_mode"
        ):
            quotient.sum().backward()
    for mode in ("floor", "trunc"):
        (g,) = autograd.grad(mg.div(x, 2, rounding_mode=mode).sum(), x)
        assert g.tolist() == [0.0, 0.0]
    (g,) = autograd.grad((7 % x).sum(), x)  # made of the quotient, whose own gradient is not needed
    assert g.tolist() == [-2.0, 2.0]
    assert (mg.arange(5) // 2).tolist() == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("size", [7, 5000])  # the kernel has two ways
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=lambda d: d.__name__)
def test_nothing_passes_where_relu_is_closed(size: int, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal(size).astype(dtype)
    a[:2] = 0.0
    v = rng.standard_normal(size).astype(dtype)
    v[a <= 0] = [inf, nan, -inf, *v[a <= 0][3:]]
    x = mg.tensor(a, requires_grad=True)
    for g in (v, v[::-1].copy()[::-1]):
        (found,) = autograd.grad(x.relu(), x, mg.from_numpy(g))
        assert found.numpy().dtype == dtype
        assert np.array_equal(found.numpy(), np.where(a > 0, v, 0))


# ---------------------------------------------------------------- the check is checked


def _wrong(name: str, kernel: Any, signature: str, *rules: Any) -> Op:
    """An op with a mistake in it, which does not stay in the table."""
    try:
        return Op(name, kernel, signature, *rules)
    finally:
        TABLE.pop(name, None)


PLANTED = {
    "2.001-for-2.0": ("x", np.square, [lambda g, x: g * (x * 2.001)]),
    "wrong-sign": ("x", np.cos, [lambda g, x: g * TABLE["sin"](x)]),
    "dropped-term": ("x", np.tanh, [lambda g, y: g * (1.0 - y)]),
    "forgotten-g": ("x", np.exp, [lambda g, y: y]),
    "inputs-exchanged": ("a b", np.multiply, [lambda g, a: g * a, lambda g, b: g * b]),
    "right-for-ones-only": ("x", np.positive, [lambda g: g * g]),
    "one-of-two-wrong": ("a b", np.subtract, [lambda g: g, lambda g: g]),
    "second-derivative-only": ("x", np.square, [lambda g, x: g * (TABLE["clone"](_value(x)) * 2.0)]),
    "depends-on-create_graph": (
        "x",
        np.sin,
        [lambda g, x: g * TABLE["cos"](x) * (1 + 1e-9 * hasattr(g, "_array"))],
    ),
}


def _value(x: Any) -> Any:
    """Off the tape: the first gradient is right, the second forgets that it depends on x."""
    return x.detach() if hasattr(x, "detach") else x


@pytest.mark.parametrize(("signature", "kernel", "rules"), PLANTED.values(), ids=PLANTED)
def test_a_planted_wrong_rule_is_caught(signature: str, kernel: Any, rules: list[Any]) -> None:
    wrong = _wrong("planted", kernel, signature, *rules)
    arrays = [np.linspace(0.3, 1.7, 6).reshape(2, 3) * (k + 1) for k in range(len(rules))]
    with pytest.raises(AssertionError):
        check_gradients(wrong, arrays, tuple(range(len(rules))))
    assert "planted" not in TABLE


def test_the_check_passes_what_is_right() -> None:
    right = _wrong("planted", np.square, "x", lambda g, x: g * (x * 2.0))
    check_gradients(right, [np.linspace(0.3, 1.7, 6).reshape(2, 3)], (0,))


def test_a_wrong_value_is_caught() -> None:
    with pytest.raises(AssertionError):
        close(np.float64(1.0), np.float64(1.001), "value")
    with pytest.raises(AssertionError, match="shape"):
        close(np.zeros(3), np.zeros((1, 3)), "value")


# ---------------------------------------------------------------- declaring ops


@pytest.mark.parametrize(
    ("signature", "rules", "message"),
    [
        ("x", (lambda g, z: g,), "a rule takes g first"),
        ("x", (lambda x: x,), "a rule takes g first"),
        ("x; dim", (lambda g, dims: g,), "a rule takes g first"),
        ("a b", (lambda g: g,), "1 rules for the 2 inputs"),
    ],
    ids=["unknown-name", "no-g", "unknown-parameter", "too-few"],
)
def test_a_wrong_declaration_is_refused(signature: str, rules: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        _wrong("planted", np.positive, signature, *rules)


def test_a_second_op_of_one_name_is_refused() -> None:
    mine = TABLE["add"]
    with pytest.raises(TypeError, match="declared twice"):
        Op("add", np.add, "a b")
    assert TABLE["add"] is mine

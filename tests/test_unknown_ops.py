"""An operation about which a reader knows nothing comes out right, in every reader. They stand in unknown_ops.py."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import unknown_ops as u
from test_every_op import check_gradients
from unknown_ops import CASES, Case

import minigrad as mg
from minigrad import autograd, func, nn
from minigrad.func import trees
from minigrad.tape import TABLE, Op

pytestmark = pytest.mark.usefixtures("table")

CALLS = (
    600  # of a compiled function: whatever is laid out or compiled after a number of calls has been by then
)


def looked_at(k: int) -> bool:
    """Whether to compare a call: the first ones, those near a power of 2, when something may be laid out, and more.

    The others are made all the same.
    """
    return k < 6 or k % 40 == 0 or any(abs(k - 2**n) < 3 for n in range(3, 10))


every = pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
SMOOTH = [c for c in CASES if c.wanted and c.name not in ("narrow", "half_known")]
differentiable = pytest.mark.parametrize(
    "case", [c for c in CASES if c.wanted], ids=[c.name for c in CASES if c.wanted]
)
VIEWS = [c for c in CASES if c.view]
views = pytest.mark.parametrize("case", VIEWS, ids=[c.name for c in VIEWS])


@pytest.fixture
def table(no_state_left_behind: None) -> Iterator[None]:
    with u.declared():
        yield


def same(found: Any, expected: Any, what: str = "") -> None:
    """AssertionError unless two Tensors or arrays agree in every bit."""
    found, expected = (np.asarray(getattr(t, "_array", t)) for t in (found, expected))
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), what
    assert np.array_equal(found, expected, equal_nan=found.dtype.kind == "f"), f"{what}\n{found}\n{expected}"


def cotangent(y: Any, seed: int = 0) -> Any:
    """Random numbers in the shape of a result."""
    drawn = np.random.default_rng(seed).standard_normal(y.shape)
    return mg.tensor(np.asarray(drawn), dtype=y.dtype)


def gradients(case: Case, f: Callable[..., Any], seed: int = 0) -> tuple[Any, ...]:
    """The value of the square of what f gives, and its gradients, on the case's own inputs."""
    xs = case.tensors(seed)
    y = f(*xs)
    z = y * y
    grads = autograd.grad(z, [xs[i] for i in case.wanted], cotangent(z, seed), materialize_grads=True)
    return (y.detach(), *grads)


# ---------------------------------------------------------------- values and gradients


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16], ids=lambda d: d.__name__)
def test_value(case: Case, dtype: Any) -> None:
    arrays = case.draw(0, dtype)
    before = [a.copy() for a in arrays]
    y = case.call(*map(mg.from_numpy, arrays))
    expected = case.value(*arrays)
    assert y._array.shape == np.shape(expected)
    np.testing.assert_allclose(y._array, expected, rtol=2e-2 if dtype is np.float16 else 1e-6)
    assert all(map(np.array_equal, arrays, before)), "the kernel was given what is not its own"


@pytest.mark.parametrize(
    "name", ["diagonal", "windows", "every_other", "ravelled", "as_is", "turned", "whole"]
)
@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.bool_, np.float16], ids=lambda d: d.__name__)
def test_values_of_other_element_types(name: str, dtype: Any) -> None:
    (case,) = (c for c in CASES if c.name == name)
    compiled = mg.compile(case.call)
    for k in range(4):
        (array,) = ((a * 4).astype(dtype) for a in case.draw(k))
        expected = case.value(array)
        for y in (case.call(mg.from_numpy(array)), compiled(mg.from_numpy(array))):
            same(y, expected)
        assert k != 1 or mg.source(compiled)


@pytest.mark.parametrize("case", [c for c in CASES if c.empty], ids=[c.name for c in CASES if c.empty])
@pytest.mark.parametrize("kind", ["empty", "turned"])
def test_inputs_without_elements_and_inputs_that_lie_by_columns(case: Case, kind: str) -> None:
    arrays = case.draw()
    if kind == "empty":
        arrays[0] = np.zeros((0, *arrays[0].shape[1:]))
        arrays[1:] = [a[:0] if a.shape[:1] == (2,) else a for a in arrays[1:]]
    else:
        arrays[0] = np.asfortranarray(arrays[0])
    xs = [mg.from_numpy(a).requires_grad_(i in case.wanted) for i, a in enumerate(arrays)]
    y = case.call(*xs)
    expected = case.value(*arrays)
    assert y._array.shape == expected.shape
    np.testing.assert_allclose(y._array, expected, rtol=1e-6)
    if case.wanted:
        grads = autograd.grad(y, [xs[i] for i in case.wanted], mg.ones_like(y), materialize_grads=True)
        assert [g.shape for g in grads] == [xs[i].shape for i in case.wanted]


@pytest.mark.parametrize("case", SMOOTH, ids=[c.name for c in SMOOTH])
def test_gradients_of_both_orders_against_finite_differences(case: Case) -> None:
    check_gradients(case.call, case.draw(), case.wanted)


@differentiable
def test_gradients_of_both_orders_are_those_of_known_operations(case: Case) -> None:
    assert case.known is not None

    def both(f: Callable[..., Any]) -> list[Any]:
        xs = case.tensors()
        y = f(*xs)
        seed = cotangent(y).requires_grad_()
        wanted = [xs[i] for i in case.wanted]
        first = autograd.grad(y * y, wanted, seed, create_graph=True, materialize_grads=True)
        total = sum((g * g * g).sum() for g in first)
        second = autograd.grad(total, [*wanted, seed], materialize_grads=True)
        return [g.detach()._array for g in (*first, *second)]

    for a, b in zip(both(case.call), both(case.known), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("case", SMOOTH, ids=[c.name for c in SMOOTH])
def test_gradcheck_and_gradgradcheck(case: Case) -> None:
    assert autograd.gradcheck(case.call, case.tensors(), rtol=1e-5, atol=1e-7)
    assert autograd.gradgradcheck(case.call, case.tensors(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("parameter", ["ctx", "outputs", "tag"])
def test_a_wrong_rule_of_an_unknown_operation_is_named(parameter: str) -> None:
    def check(op: Any) -> None:
        x = mg.tensor([0.5, 2.0], dtype=mg.float64, requires_grad=True)
        with pytest.raises(autograd.GradcheckError, match="off"):
            autograd.gradcheck(lambda x: op(x * 2.0, **{parameter: 3.0}).sum(), x, rtol=1e-6)

    rule: dict[str, Any] = {}
    exec(f"def rule(g, {parameter}): return g * ({parameter} * 1.001)", rule)
    with_one("off", f"x; {parameter}", lambda x, **factor: x * factor[parameter], check, rule["rule"])


# ---------------------------------------------------------------- transforms


@differentiable
def test_transforms(case: Case) -> None:
    assert case.known is not None
    xs = [mg.from_numpy(a) for a in case.draw()]
    at = tuple(case.wanted)

    def loss(f: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *ts: (f(*ts).double() ** 2).sum()

    for transform in (
        lambda f: func.grad(loss(f), at)(*xs),
        lambda f: func.jacrev(f, at)(*xs),
        lambda f: func.hessian(loss(f), at)(*xs),
        lambda f: func.vjp(f, *xs)[1](mg.ones_like(f(*xs))),
        lambda f: func.jvp(f, tuple(xs), tuple(map(mg.ones_like, xs))),
    ):
        flat = [
            [t._array for t in trees.flatten(transform(f))[0] if isinstance(t, mg.Tensor)]
            for f in (case.call, case.known)
        ]
        assert len(flat[0]) == len(flat[1]) > 0
        for a, b in zip(*flat, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@differentiable
def test_anomaly_mode(case: Case) -> None:
    with autograd.detect_anomaly():
        watched = gradients(case, case.call)
    for a, b in zip(watched, gradients(case, case.call), strict=True):
        same(a, b)


def test_anomaly_mode_names_an_unknown_operation() -> None:
    x = mg.tensor([1.0, 0.0], requires_grad=True)
    with autograd.detect_anomaly(), pytest.raises(RuntimeError, match="StrictRootBackward0"):
        (u.strict_root(x) * 0.0).sum().backward()


# ---------------------------------------------------------------- the tape, drawn and listed


HANDS_ON = ("as_is",)  # the gradient goes through as it is, and takes no step


class Layer(nn.Module):
    def __init__(self, case: Case) -> None:
        super().__init__()
        self.case = case

    def forward(self, *xs: Any) -> Any:
        return self.case.call(*xs)


@differentiable
def test_tables_drawings_and_summaries_show_it(case: Case) -> None:
    xs = case.tensors()
    y = case.call(*xs)
    name = y.grad_fn.op.name
    named = {f"x{i}": x for i, x in enumerate(xs)}
    assert [r.operation for r in mg.tape_table(y, named) if r.inputs] == [name]
    for direction in ("forward", "backward", "both"):
        drawing = mg.draw(y if y._array.size == 1 else (y * 1.0).sum(), named, direction=direction)
        if direction != "backward" or case.name not in HANDS_ON:
            assert name in drawing.dot
    (row,) = mg.summary(Layer(case), *xs)
    assert row.output == (" × ".join(map(str, y.shape)) or "number")
    assert row.multiply_adds == 0


# ---------------------------------------------------------------- printed


def load(text: str) -> Any:
    """The function that a printed module defines."""
    namespace: dict[str, Any] = {}
    exec(compile(text, "<printed>", "exec"), namespace)
    assert [line for line in text.splitlines() if "import " in line] == ["import numpy as np"]
    return namespace["run"]


@differentiable
def test_the_printed_program_gives_every_bit(case: Case) -> None:
    xs = case.tensors()
    y = case.call(*xs)
    z = y * y
    inputs = {f"x{i}": x for i, x in enumerate(xs)}
    try:
        run = load(mg.source(z, inputs=inputs))
    except NotImplementedError as error:
        assert not case.printed, error  # noqa: PT017
        return
    for seed in (0, 1):
        arrays = case.draw(seed)
        y, *grads = gradients(case, case.call, seed)
        given = [*arrays, *([cotangent(y, seed)._array] if y._array.size != 1 else [])]
        if y._array.size == 1:
            xs = case.tensors(seed)
            grads = list(
                autograd.grad(case.call(*xs) ** 2, [xs[i] for i in case.wanted], materialize_grads=True)
            )
        value, printed = run(*given)
        same(value, y * y, "value")
        for i, g in zip(case.wanted, grads, strict=True):
            h = printed[f"x{i}"]
            same(np.zeros_like(g._array) if h is None else h, g, f"gradient of input {i}")


# ---------------------------------------------------------------- compiled


class Kept:
    """Results of a few calls, which later calls must not change."""

    def __init__(self) -> None:
        self.last: list[tuple[Any, Any]] = []

    def check(self, results: Any) -> None:
        self.last = [*self.last[-6:], *((t, t.detach()._array.copy()) for t in results)]
        for t, before in self.last:
            same(t.detach(), before, "a result was changed by a later call")


def with_gradients(case: Case) -> Callable[..., Any]:
    """A function that differentiates inside."""

    def f(v: Any, *xs: Any) -> Any:
        y = case.call(*xs)
        if not case.wanted:
            return (y, y + y)
        z = y * y
        return (y, *autograd.grad(z, [xs[i] for i in case.wanted], v, materialize_grads=True))

    return f


@every
def test_compiled_with_gradients_inside(case: Case) -> None:
    f = with_gradients(case)
    compiled = mg.compile(f)
    v = cotangent(case.call(*case.tensors()))
    kept = Kept()
    first = case.tensors()
    for k in range(CALLS):
        if not looked_at(k):
            compiled(v, *first)
            continue
        xs = case.tensors(k)
        results = compiled(v, *xs)
        for i, (a, b) in enumerate(zip(results, f(v, *xs), strict=True)):
            same(a.detach(), b.detach(), f"result {i} of call {k}")
        kept.check(results)
    assert len(compiled.recordings) == 1


@differentiable
def test_compiled_with_a_backward_pass_outside(case: Case) -> None:
    compiled = mg.compile(case.call)
    kept = Kept()
    first = case.tensors()
    for k in range(CALLS):
        if not looked_at(k):
            compiled(*first)
            continue
        xs, others = case.tensors(k), case.tensors(k)
        y, z = compiled(*xs), case.call(*others)
        same(y.detach(), z.detach(), f"value of call {k}")
        (y * y).sum().backward()
        (z * z).sum().backward()
        for i in case.wanted:
            a, b = (t.grad if t.grad is not None else mg.zeros_like(t) for t in (xs[i], others[i]))
            same(a, b, f"gradient of input {i} of call {k}")
        kept.check([y, *(xs[i].grad for i in case.wanted if xs[i].grad is not None)])


@every
def test_compiled_by_numba_it_agrees_or_is_refused(case: Case) -> None:
    f = with_gradients(case)
    compiled = mg.compile(f, backend="numba")
    v = cotangent(case.call(*case.tensors()))
    for k in range(2):
        xs = case.tensors(k)
        try:
            results = compiled(v, *xs)
        except NotImplementedError as error:
            assert "umba" in str(error)  # noqa: PT017
            return
        for a, b in zip(results, f(v, *xs), strict=True):
            np.testing.assert_allclose(a.detach()._array, b.detach()._array, rtol=1e-12)


@differentiable
def test_compiled_with_inputs_of_another_layout(case: Case) -> None:
    """What was a view may be a copy now, and the other way round."""
    compiled = mg.compile(case.call)
    for k in range(12):
        if k == 3:
            assert mg.source(compiled)  # from here on a plan is run
        arrays = case.draw(k)
        if k % 2:
            arrays[0] = np.asfortranarray(arrays[0])
        if k % 3 == 2:
            arrays[0] = np.repeat(arrays[0], 2, 0)[::2]
        same(compiled(*map(mg.from_numpy, arrays)), case.call(*map(mg.from_numpy, arrays)), f"call {k}")


def test_an_operation_declared_after_a_function_was_recorded() -> None:
    compiled = mg.compile(lambda x: u.cubed(x) * 2.0)
    x = mg.tensor([1.0, 2.0])
    compiled(x)

    def check(late: Any) -> None:
        other = mg.compile(lambda x: late(u.cubed(x)))
        for _ in range(CALLS):
            assert compiled(x).tolist() == [4.0, 18.0]
            assert other(x).tolist() == [-2.0, -9.0]

    with_one("late", "x", np.negative, check, lambda g: -g)


BATCHES = [c for c in CASES if len(c.shapes) == 1 and len(c.shapes[0]) == 2 and c.wanted]


@pytest.mark.parametrize("case", BATCHES, ids=[c.name for c in BATCHES])
def test_a_large_batch(case: Case) -> None:
    columns = case.shapes[0][1]

    def f(x: Any, w: Any) -> Any:
        y = case.call(x * w)
        loss = (y * y).mean()
        return loss, *autograd.grad(loss, [w])

    compiled = mg.compile(f, check=len(case.name) % 2 == 0)
    w = mg.tensor(np.linspace(0.5, 1.0, columns), requires_grad=True)
    for k in range(4):
        x = mg.from_numpy(np.random.default_rng(k).uniform(max(case.low, -1.5), 1.5, (9000, columns)))
        for a, b in zip(compiled(x, w), f(x, w), strict=True):
            np.testing.assert_allclose(a.detach()._array, b.detach()._array, rtol=1e-9, err_msg=f"call {k}")
        assert k != 1 or mg.source(compiled)


def test_parameters_that_are_arrays_are_told_apart() -> None:
    """The repr of a long array leaves its middle out."""
    low, high = np.zeros(2000), np.zeros(2000)
    high[1000] = 1.0
    call = functools.partial(u.tuned, mode="each", axes=None, low=None)
    x = mg.ones(2000, dtype=mg.float64, requires_grad=True)
    total = call(x, weights=low).sum() + call(x, weights=high).sum() * 2.0
    assert total.item() == 2.0
    text = mg.source(total, inputs={"x": x})
    assert load(text)(np.ones(2000))[0] == 2.0

    @mg.compile
    def f(x: Any) -> Any:
        return call(x, weights=low).sum() + call(x, weights=high).sum() * 2.0

    for k in range(4):
        assert f(x.detach()).item() == 2.0
        assert k != 1 or mg.source(f)


class Scale:
    """A parameter that does not tell its value when it is printed."""

    def __init__(self, by: float) -> None:
        self.by = by

    def __repr__(self) -> str:
        return "Scale"

    def __rmul__(self, x: Any) -> Any:
        return x * self.by

    __array_ufunc__ = None


def scaled_twice(x: Any, two: Any, three: Any) -> Any:
    call = functools.partial(u.tuned, mode="each", axes=None, low=None)
    return call(x, weights=two) * 100.0 + call(x, weights=three)


def test_parameters_that_are_objects_are_told_apart() -> None:
    two, three = Scale(2.0), Scale(3.0)
    compiled = mg.compile(lambda x: scaled_twice(x, two, three))
    for k in range(4):
        assert compiled(mg.ones(2)).tolist() == [203.0, 203.0]
        assert k != 1 or mg.source(compiled)


def test_a_parameter_that_is_an_object_is_printed_as_it_is_or_refused() -> None:
    x = mg.ones(2, requires_grad=True)
    y = scaled_twice(x, Scale(2.0), Scale(3.0))
    assert y.tolist() == [203.0, 203.0]
    assert mg.draw(y).dot
    assert len(mg.tape_table(y)) == 5
    with pytest.raises(NotImplementedError, match="tuned"):
        mg.source(y, inputs={"x": x})


def test_numbers_of_a_call_reach_unknown_operations() -> None:
    """A float among the arguments may be another in the next call."""

    def f(x: Any, a: float, b: float) -> Any:
        y = u.tuned(x, weights=a, mode="each", axes=None, low=b)
        return u.polar(y, a * b) + u.keyword(x, input=a + 1.0, self=2, ctx="", np=None)

    compiled = mg.compile(f)
    for k in range(CALLS):
        x = mg.from_numpy(np.linspace(1.0, 2.0, 3))
        a, b = 1.0 + k % 3, 0.5 * (k % 2)
        same(compiled(x, a, b), f(x, a, b), f"call {k}")


def test_an_array_of_a_parameter_that_changes_is_read_again_or_refused() -> None:
    weights = np.array([1.0, 2.0])

    @mg.compile
    def f(x: Any) -> Any:
        return u.tuned(x, weights=weights, mode="each", axes=None, low=None)

    x = mg.ones(2, dtype=mg.float64)
    for k in range(6):
        weights[0] = k
        try:
            result = f(x)
        except RuntimeError as error:
            assert "array" in str(error)  # noqa: PT017
            return
        assert result.tolist() == [k, 2.0]
        assert k != 3 or mg.source(f)


# ---------------------------------------------------------------- views


@views
def test_a_view_shares_memory_and_follows_its_base(case: Case) -> None:
    assert case.known is not None
    grads = []
    for f in (case.call, case.known):
        (x,) = case.tensors()
        b = x * 1.0
        v = case.call(b)
        b.mul_(3.0)
        w = v if f is case.call else f(b)  # taken before the change, it must be what is taken after it
        same(v.detach(), f(b).detach())
        (g,) = autograd.grad((w * w).sum(), x)
        grads.append(g)
    same(*grads)


WRITABLE = [c for c in VIEWS if c.name not in ("windows", "read_only")]


@pytest.mark.parametrize("case", WRITABLE, ids=[c.name for c in WRITABLE])
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_a_write_through_a_view_reaches_the_base(case: Case, compiled: bool) -> None:
    def f(x: Any, s: Any) -> Any:
        b = x * 1.0
        before = b * 2.0
        v = case.call(b)
        v.mul_(s)
        other = case.call(b)
        other.add_(before.sum())
        loss = (b * b * 0.5).sum() + v.sum() + before.sum()
        (gx, gs) = autograd.grad(loss, [x, s])
        return b.detach(), v.detach(), gx, gs

    def expected(x: np.ndarray, s: np.ndarray) -> Any:
        places = case.value(np.arange(x.size).reshape(x.shape)).ravel()
        mask = np.zeros(x.size, bool)
        mask[places] = True
        mask = mask.reshape(x.shape)
        factor = np.ones(x.size)
        factor[places] = s.ravel()
        factor = factor.reshape(x.shape)
        total = 2 * x.sum()
        b = x * factor + mask * total
        g = b + mask  # of the base at the end
        gx = g * factor + 2 * ((g * mask).sum() + 1)
        return b, case.value(b), gx, (g * x).ravel()[places].reshape(s.shape)

    run = mg.compile(f) if compiled else f
    first = [mg.tensor(case.draw()[0], requires_grad=True)]
    first.append(mg.tensor(case.value(case.draw()[0]), requires_grad=True))
    for k in range(CALLS if compiled else 2):
        if not looked_at(k):
            run(*first)
            continue
        x = case.draw(k)[0]
        s = np.random.default_rng(k).uniform(0.5, 2.0, case.value(x).shape)
        found = run(mg.tensor(x, requires_grad=True), mg.tensor(s, requires_grad=True))
        for a, b in zip(found, expected(x, s), strict=True):
            np.testing.assert_allclose(a._array, b, rtol=1e-12, atol=1e-13, err_msg=f"call {k}")


def test_a_write_through_a_view_whose_elements_share_memory_is_refused() -> None:
    x = mg.arange(6.0)
    v = u.windows(x, width=3)
    with pytest.raises(RuntimeError, match="single memory location"):
        v.mul_(2.0)
    with pytest.raises(RuntimeError, match="single memory location"):
        v[:, 1:].zero_().add_(mg.ones(4, 2))
    same(u.windows(x, width=1).mul_(2.0), (x * 1.0).reshape(6, 1))  # no two of these are one


@pytest.mark.parametrize("call", [lambda b: b.reshape(-1), u.ravelled], ids=["reshape", "ravelled"])
@pytest.mark.parametrize("reader", ["eager", "printed", "compiled"])
def test_a_write_through_a_view_whose_gradient_lies_by_columns(call: Any, reader: str) -> None:
    """What is a view of the base would be a copy of that gradient."""

    def f(x: Any) -> Any:
        b = x * 1.0
        call(b).mul_(3.0)
        return (b.T * w).sum()

    w = mg.from_numpy(np.arange(1.0, 7.0).reshape(3, 2))
    x = mg.tensor(np.ones((2, 3)), requires_grad=True)
    if reader == "eager":
        grads = [autograd.grad(f(x), x)[0]]
    elif reader == "printed":
        grads = [load(mg.source(f(x), inputs={"x": x, "w": w}))(np.ones((2, 3)), w._array)[1]["x"]]
    else:
        compiled = mg.compile(lambda x: autograd.grad(f(x), x)[0])
        grads = [compiled(x) for _ in range(3)]
        assert mg.source(compiled)
        grads += [compiled(x) for _ in range(3)]
    for g in grads:
        same(g, 3.0 * w._array.T)


def test_a_write_through_a_view_that_is_read_only_is_refused() -> None:
    x = mg.ones(3, 3)
    with pytest.raises(RuntimeError, match="read-only"):
        u.read_only(x).mul_(2.0)
    with pytest.raises(RuntimeError, match="read-only"):
        mg.compile(lambda x: u.read_only(x * 1.0).mul_(2.0))(x)


@views
def test_a_view_that_was_saved_is_noticed_when_it_changes(case: Case) -> None:
    (x,) = case.tensors()
    b = x * 1.0
    y = case.call(b).sin()
    b.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("call", "inputs"),
    [(u.cubed, 1), (u.polar, 2), (u.softsign, 1), (lambda x: u.at_least(x, low=0.0), 1), (u.largest, 1)],
    ids=["cubed", "polar", "softsign", "at_least", "largest"],
)
def test_an_array_that_was_saved_and_changes_is_noticed(call: Any, inputs: int) -> None:
    xs = [mg.ones(2, 3, requires_grad=True) * 1.0 for _ in range(inputs)]
    y = call(*xs)
    xs[0].add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@views
def test_views_made_without_recording(case: Case) -> None:
    (x,) = case.tensors()
    b = x * 1.0
    with autograd.no_grad():
        v = case.call(b)
        assert not v.requires_grad
    with pytest.raises(RuntimeError, match="no_grad" if v._array.flags.writeable else r"no_grad|read-only"):
        v.mul_(2.0)
    with autograd.inference_mode():
        w = case.call(x)
        assert not w.is_inference()
        assert case.call(mg.ones(4, 4)).is_inference()
        before = w._array.copy()
        x.detach().mul_(2.0)
        same(w, before * 2.0)


@views
@pytest.mark.parametrize("last", VIEWS, ids=[c.name for c in VIEWS])
def test_a_view_of_a_view(case: Case, last: Case) -> None:
    def f(x: Any) -> Any:
        b = mg.stack([x, x * 2.0, x * 3.0])
        v = case.call(b)
        w = last.call(v if v.ndim > 1 else v.reshape(6, -1))
        b.mul_(x.sum())  # both follow, unless one was copied
        return b, v, w, autograd.grad((w * w).sum() + v.sum(), x)[0]

    def known(x: Any) -> Any:
        b = mg.stack([x, x * 2.0, x * 3.0])
        v = case.known(b * x.sum())
        w = last.known(v if v.ndim > 1 else v.reshape(6, -1))
        if not shared:
            w = w / x.sum()
        return b * x.sum(), v, w, autograd.grad((w * w).sum() + v.sum(), x)[0]

    assert case.known is not None
    assert last.known is not None
    sample = mg.ones(3, 4, 5)
    v = case.call(sample)
    shared = np.shares_memory(last.call(v if v.ndim > 1 else v.reshape(6, -1))._array, sample._array)
    run = mg.compile(f)
    for k in range(6):
        x = mg.tensor(np.random.default_rng(k).uniform(0.5, 2, (4, 5)), requires_grad=True)
        eager = f(x)
        for a, e in zip(eager, known(x), strict=True):
            np.testing.assert_allclose(a.detach()._array, e.detach()._array, rtol=1e-11)
        for a, e in zip(run(x), eager, strict=True):
            same(a.detach(), e.detach(), f"call {k}")
        assert k != 2 or mg.source(run)
    assert shared or last.name == "ravelled"


# ---------------------------------------------------------------- memory of its own

UNSAID = {
    "as_is": u.as_is,
    "at_least": lambda x: u.at_least(x, low=-9.0),
    "turned": u.turned,
    "by_columns": u.by_columns,
}


@pytest.mark.parametrize("call", UNSAID.values(), ids=UNSAID)
def test_a_result_that_is_not_declared_a_view_has_memory_of_its_own(call: Any) -> None:
    x = mg.ones(2, 3)
    y = call(x)
    y.mul_(5.0)
    assert x.tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize("call", [u.as_is, u.turned], ids=["as_is", "turned"])
def test_nor_does_it_follow_what_is_changed(call: Any) -> None:
    z = mg.ones(2, 3, requires_grad=True)
    b = z * 2.0
    y = call(b)
    b.zero_()
    assert y.detach()._array.min() > 0
    (g,) = autograd.grad(y.sum(), z)
    assert g._array.min() > 0


@pytest.mark.parametrize("call", UNSAID.values(), ids=UNSAID)
def test_nor_does_a_compiled_result_share_memory(call: Any) -> None:
    def f(x: Any) -> Any:
        a = call(x)
        b = a * 2.0
        c = call(b)
        d = call(c)
        c.mul_(3.0)
        b.add_(1.0)
        return a, b, c, d

    compiled = mg.compile(f)
    for k in range(8):
        x = mg.from_numpy(np.random.default_rng(k).uniform(1, 2, (2, 3)))
        before = x._array.copy()
        results = compiled(x)
        for a, e in zip(results, f(mg.from_numpy(before)), strict=True):
            same(a, e, f"call {k}")
        for i, a in enumerate(results):
            others = [*results[:i], *results[i + 1 :], x]
            assert not any(np.may_share_memory(a._array, t._array) for t in others)
        same(x, before)
        assert k != 2 or mg.source(compiled)


def test_a_parameter_that_a_kernel_returns_is_not_the_result() -> None:
    table = np.array([1.0, 2.0])

    def check(op: Any) -> None:
        op(mg.ones(2), values=table).mul_(2.0)
        op(mg.ones(2), values=table[:]).mul_(2.0)
        assert table.tolist() == [1.0, 2.0]

    with_one("constant_of", "x; values", lambda x, values: values, check)


def test_in_place_use_of_unknown_operations() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    b = x * 1.0
    c = b * 1.0
    c.copy_(u.cubed(b))
    d = c * 1.0
    d[0] = u.softsign(c)[1]
    d.add_(u.as_is(d))
    d.sum().backward()
    np.testing.assert_allclose(d.detach()._array, [1.8, 18.0], rtol=1e-6)
    np.testing.assert_allclose(x.grad._array, [0.0, 12 * (2 + 0.01 * 2)], rtol=1e-6)


# ---------------------------------------------------------------- draws


def reseed(seed: int) -> None:
    u.GENERATOR[0] = np.random.default_rng(seed)


def two_draws(x: Any) -> Any:
    a = u.jitter(x)
    b = u.jitter(x)
    u.jitter(x)  # unused, but it moves the generator on
    c = u.jitter(x * 2.0)
    return a, b, c, (a - b) * c


@pytest.mark.parametrize("differentiable", [False, True])
def test_each_call_draws_anew_and_in_order(differentiable: bool) -> None:
    compiled = mg.compile(two_draws)
    for k in range(CALLS):
        x = mg.ones(3, requires_grad=differentiable)
        reseed(k)
        results = compiled(x)
        reseed(k)
        for a, b in zip(results, two_draws(x), strict=True):
            same(a.detach(), b.detach(), f"call {k}")


def test_a_draw_is_printed_as_one_or_refused() -> None:
    x = mg.ones(3, requires_grad=True)
    y = (u.jitter(x) - u.jitter(x)).sum()
    try:
        run = load(mg.source(y, inputs={"x": x}))
    except NotImplementedError:
        return
    assert run(np.ones(3))[0] != 0.0


def test_gradcheck_of_a_draw_says_that_it_is_not_deterministic() -> None:
    with pytest.raises(autograd.GradcheckError, match="determin"):
        autograd.gradcheck(u.jitter, mg.ones(2, dtype=mg.float64, requires_grad=True))


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("call", [u.guarded_log, u.strict_root], ids=["check", "kernel"])
def test_a_replay_refuses_the_values_that_eager_mode_refuses(call: Any) -> None:
    state = mg.ones(2)

    def f(x: Any) -> Any:
        state.add_(1.0)
        return call(x * 2.0) + state

    compiled = mg.compile(f)
    good, bad = mg.tensor([1.0, 2.0]), mg.tensor([1.0, -2.0])
    with pytest.raises(Exception, match=r"positive|negative") as eager:
        call(bad)
    for k in range(CALLS):
        if k % 50 == 7:
            before = state._array.copy()
            with pytest.raises(eager.type, match=r"positive|negative"):
                compiled(bad)
            same(state, before)
        assert np.isfinite(compiled(good)._array).all()
    same(state, np.full(2, CALLS + 1, np.float32))


def test_a_check_that_is_declared_runs_where_the_result_is_not_used() -> None:
    def f(x: Any) -> Any:
        u.guarded_log(x)
        return x * 2.0

    compiled = mg.compile(f)
    for k in range(4):
        compiled(mg.ones(2))
        with pytest.raises((RuntimeError, ValueError), match="positive"):
            compiled(-mg.ones(2))
        assert k != 1 or mg.source(compiled)


@pytest.mark.parametrize("call", [u.guarded_log, u.strict_root], ids=["check", "kernel"])
def test_a_printed_program_refuses_them_or_says_that_it_cannot(call: Any) -> None:
    x = mg.ones(2, requires_grad=True)
    try:
        run = load(mg.source(call(x).sum(), inputs={"x": x}))
    except NotImplementedError:
        return
    with pytest.raises(ValueError, match=r"positive|negative"):
        run(-np.ones(2, np.float32))


def test_an_error_of_a_kernel_names_the_line() -> None:
    with pytest.raises(Exception, match="strict_root") as caught:
        u.strict_root(mg.tensor([-1.0]))
    assert "test_unknown_ops.py" in f"{caught.value} {getattr(caught.value, '__notes__', '')}"


# ---------------------------------------------------------------- Functions


class Halves(autograd.Function):
    """Two results of one input, and its size."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        n = x.shape[0] // 2
        return x[:n].sin(), x[n:] * 2.0, n

    @staticmethod
    def backward(ctx: Any, a: Any, b: Any, _: None) -> Any:
        (x,) = ctx.saved_tensors
        n = x.shape[0] // 2
        return mg.cat([a * x[:n].cos(), b * 2.0])


class ItsInput(autograd.Function):
    """Its input, as it is, a view of it, and a mask without gradient."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        positive = x > 0
        ctx.mark_non_differentiable(positive)
        return x, x * 3.0, positive

    @staticmethod
    def backward(ctx: Any, a: Any, b: Any, _: Any) -> Any:
        return a * 2.0 + b * 3.0


class AddsOne(autograd.Function):
    """Changes its input in place."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        x.add_(1.0)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g


def halves(x: Any) -> Any:
    a, b, n = Halves.apply(x * 1.0)
    return a * b * n


def its_input(x: Any) -> Any:
    a, b, positive = ItsInput.apply(x * 1.0)
    return a + b * positive


def adds_one(x: Any) -> Any:
    y = x * 2.0
    z = AddsOne.apply(y)
    return z * z


FUNCTIONS = {
    "halves": (halves, lambda x: x[:2].sin() * (x[2:] * 2.0) * 2),
    "its_input": (its_input, None),
    "adds_one": (adds_one, lambda x: (x * 2.0 + 1.0) ** 2),
}


@pytest.mark.parametrize(("f", "known"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_of_several_results_and_of_their_own_input(f: Any, known: Any) -> None:
    def both(f: Any, x: Any) -> Any:
        y = f(x)
        (g,) = autograd.grad(y, x, mg.ones_like(y), create_graph=True)
        second = autograd.grad((g * g).sum(), x)[0] if g.requires_grad else mg.zeros_like(x)
        return y.detach(), g.detach(), second

    compiled = mg.compile(f)
    first = mg.ones(4, dtype=mg.float64, requires_grad=True)
    for k in range(CALLS):
        if not looked_at(k):
            z = compiled(first)
            z.backward(z.detach())
            continue
        x = mg.tensor(np.random.default_rng(k).standard_normal(4), requires_grad=True)
        y, g, second = both(f, x)
        if known is not None:
            for a, b in zip((y, g, second), both(known, x), strict=True):
                np.testing.assert_allclose(a._array, b._array, rtol=1e-12)
        else:
            same(g, np.where(x.detach()._array > 0, 5.0, 2.0))
        try:
            z = compiled(x)
        except RuntimeError as error:
            assert f is adds_one, error  # noqa: PT017
            assert "clone() it first" in str(error)  # noqa: PT017
            break
        same(z.detach(), y, f"call {k}")
        same(autograd.grad(z, x, mg.ones_like(z))[0], g, f"call {k}")


@pytest.mark.parametrize("f", [f for f, _ in FUNCTIONS.values()], ids=FUNCTIONS)
def test_functions_in_the_other_readers(f: Any) -> None:
    x = mg.tensor([0.5, 1.0, 1.5, 2.0], dtype=mg.float64, requires_grad=True)
    name = f.__code__.co_names[0]
    y = f(x)
    assert any(r.operation == name for r in mg.tape_table(y))
    assert name in mg.draw(y).dot
    with pytest.raises(NotImplementedError, match=name):
        mg.source(y.sum(), inputs={"x": x})
    if f is not its_input:  # it gives another gradient than its value has
        assert autograd.gradcheck(f, x)
        assert autograd.gradgradcheck(f, x)


# ---------------------------------------------------------------- declarations


NAMES = (
    "lambda", "Tensor", "randn", "np", "run", "bind", "parameter", "constant", "outside", "input_1", "d_x",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_that_mean_something_elsewhere(name: str) -> None:
    with_one(name, "x", u.cubed_kernel, check_name, lambda g, x: g * (x * x * 3.0))


def with_one(name: str, signature: str, kernel: Any, then: Callable[[Any], None], *rules: Any) -> None:
    """Calls ``then`` with an operation that is in the table meanwhile."""
    op = u.declare(name, kernel, signature, *rules)
    TABLE[name] = op
    try:
        then(op)
    finally:
        u.DECLARED.remove(op)
        del TABLE[name]


def check_name(op: Any) -> None:
    f = with_gradients(Case(op.name, op, u.cubed_kernel, ((3,),), None))
    compiled = mg.compile(f)
    v = mg.ones(3, dtype=mg.float64)
    x = v
    for k in range(4):
        x = mg.tensor(np.random.default_rng(k).standard_normal(3), requires_grad=True)
        for a, b in zip(compiled(v, x), f(v, x), strict=True):
            same(a.detach(), b.detach())
        assert k != 1 or mg.source(compiled)
    text = mg.source(op(x) * 2.0, inputs={"x": x})
    same(load(text)(x.detach()._array, v._array)[0], op(x).detach() * 2.0)
    assert mg.tape_table(op(x))[-1].operation == op.name
    assert mg.draw(op(x)).dot


def test_a_name_that_begins_like_another_costs_nothing() -> None:
    def check(op: Any) -> None:
        case = Case("convex", op, u.polar_kernel, ((2, 3), (3,)), None, (0, 1))
        (row,) = mg.summary(Layer(case), *case.tensors())
        assert row.multiply_adds == 0

    with_one("convex", "r t", u.polar_kernel, check, None, None)


def test_a_kernel_with_a_side_effect_runs_once_a_call() -> None:
    compiled = mg.compile(lambda x: u.counted(x) * 3.0)
    for _ in range(4):
        u.CALLS.clear()
        u.counted(mg.ones(2))
        assert u.CALLS == [(2,)]
        u.CALLS.clear()
        compiled(mg.ones(2))
        assert u.CALLS == [(2,)]


def test_the_operations_of_these_tests_leave_the_table() -> None:
    assert all(TABLE[op.name] is op for op in u.DECLARED)
    assert len({op.name for op in u.DECLARED}) == len(u.DECLARED)


def test_a_program_may_declare_its_own_again_but_none_of_minigrads() -> None:
    Op("again", lambda x: x * 2.0, "x", lambda g: g * 2.0)
    op = Op("again", lambda x: x * 3.0, "x", lambda g: g * 3.0)
    try:
        assert TABLE["again"] is op
        assert op(mg.ones(1)).item() == 3.0
    finally:
        del TABLE["again"]
    with pytest.raises(TypeError, match="op mul is declared twice"):
        Op("mul", np.multiply, "a b")


def test_an_operation_outside_the_table_is_no_function() -> None:
    op = Op("outside", lambda x: x * 2.0, "x", lambda g: g * 2.0, listed=False)
    x = mg.ones(3, requires_grad=True)
    with pytest.raises(NotImplementedError, match="outside cannot be printed: its kernel"):
        mg.source(op(x).sum())
    compiled = mg.compile(lambda x: op(x).sum())
    for k in range(4):
        assert compiled(x.detach() + k).item() == 6.0 * (1 + k)
        assert k != 1 or mg.source(compiled)

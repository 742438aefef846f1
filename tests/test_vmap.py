"""`func.vmap`: results and derivatives are those of a loop, the arguments and errors PyTorch's."""

from __future__ import annotations

import copy
import gc
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest
from cases import case
from op_samples import NO_GRADIENT, ROWS, Row

import minigrad as mg
from minigrad import func, nn
from minigrad.func import batching, grad, hessian, jacrev, jvp, vmap
from minigrad.ops import TABLE

X = np.arange(6.0).reshape(3, 2)
TENS = np.array([10.0, 20.0])


def rows() -> Any:
    return mg.tensor(X, dtype=mg.float64)


def test_dimensions_come_and_go_where_they_are_said_to() -> None:
    x, y = rows(), mg.tensor([10.0, 20.0], dtype=mg.float64)
    assert mg.vmap is func.vmap
    cases: list[tuple[Any, Any]] = [
        (vmap(mg.dot)(x, x), (X * X).sum(1)),
        (vmap(lambda a, b: a + b, in_dims=(0, None))(x, y), X + TENS),
        (vmap(lambda a, b: a * b, in_dims=(-1, 0), out_dims=1)(x, y), X * TENS),
        (vmap(lambda p: p["a"] + p["b"], in_dims=({"a": 0, "b": None},))({"a": x, "b": y}), X + TENS),
        (vmap(lambda p, q: p[0] * p[1] - q, in_dims=((0, None), None))((x, y), 1.0), X * TENS - 1),
        (vmap(lambda a, k: a + k)(x, k=y), X + TENS),
        (vmap(vmap(lambda a: a * a))(x), X * X),
        (vmap(lambda a: y, out_dims=None)(x), [10, 20]),
        (vmap(lambda a: a[:1] * 0 + complex("nan"), out_dims=None)(x), [complex("nan")]),
        (vmap(lambda a: (a.sum(), [a]), out_dims=(0, [1]))(x)[1][0], X.T),
        (vmap(lambda a: {"k": a.sum()})(x)["k"], X.sum(1)),
    ]
    for i, (got, expected) in enumerate(cases):
        with case(i):
            np.testing.assert_array_equal(got.numpy(), expected)
    changed = rows()
    vmap(lambda a: a.mul_(2))(changed)
    assert changed.tolist() == (2 * X).tolist()


def test_it_nests_with_the_other_transforms() -> None:
    x = rows()

    def f(a: Any) -> Any:
        return (a**3).sum() * a[0]

    for name, got, one in [
        ("grad inside", vmap(grad(f))(x), grad(f)),
        ("jacrev inside", vmap(jacrev(f))(x), jacrev(f)),
        ("hessian inside", vmap(hessian(f))(x), hessian(f)),
        ("jvp inside", vmap(lambda a: jvp(f, (a,), (a,))[1])(x), lambda a: jvp(f, (a,), (a,))[1]),
    ]:
        with case(name):
            np.testing.assert_allclose(got.numpy(), np.stack([one(a).numpy() for a in rows()]))
    outer = grad(lambda t: vmap(f)(t).sum())(x)
    assert mg.equal(outer, vmap(grad(f))(x))
    jacobian = jacrev(vmap(f))(x)
    assert mg.equal(jacobian[1, 1], grad(f)(x[1]))
    assert not jacobian[1, 0].any()
    leaf = rows().requires_grad_()
    vmap(f)(leaf).sum().backward()
    assert mg.equal(leaf.grad, outer)  # type: ignore[arg-type]
    # Gradients of each sample by the parameters, as in PyTorch's tutorials.
    net = nn.Linear(2, 1).double()
    params = {k: p.detach() for k, p in net.named_parameters()}

    def loss(params: Any, a: Any) -> Any:
        return func.functional_call(net, params, (a,)).square().sum()

    each = vmap(grad(loss), in_dims=(None, 0))(params, x)
    assert each["weight"].shape == (3, 1, 2)
    loss(params, x)
    total = grad(lambda p: loss(p, x))(params)
    np.testing.assert_allclose(each["weight"].sum(0).numpy(), total["weight"].numpy())


def test_what_is_drawn_inside() -> None:
    x = rows()
    mg.manual_seed(0)
    drawn = vmap(lambda a: mg.rand(2), randomness="different")(x)
    mg.manual_seed(0)
    assert mg.equal(drawn, mg.rand(3, 2))
    same = vmap(lambda a: mg.rand(2), randomness="same")(x)
    assert mg.equal(same[0], same[2])
    mg.manual_seed(0)
    vmap(lambda a: mg.rand(2), randomness="same")(x)
    after = mg.rand(1)
    mg.manual_seed(0)
    mg.rand(2)
    assert mg.equal(after, mg.rand(1))
    # The run that finds out that numbers are drawn takes none of them.
    odds, own = mg.linspace(0.1, 0.9, 12).reshape(3, 4), mg.Generator()
    draws: list[Any] = [
        mg.bernoulli,
        lambda a: mg.multinomial(a, 2),
        lambda a: mg.normal(a, a, generator=own),
    ]
    for i, draw in enumerate(draws):
        results = []
        for run in (vmap(draw, randomness="different"), lambda x, f=draw: mg.stack([f(a) for a in x])):
            mg.manual_seed(0)
            own.manual_seed(0)
            results.append(run(odds))
        with case(i):
            assert mg.equal(*results)
    same = vmap(mg.bernoulli, randomness="same")(mg.full((3, 9), 0.5))
    assert mg.equal(same[0], same[2])


def test_storage_offsets_are_those_of_the_first_sample() -> None:
    def part(a: Any) -> Any:
        return a.as_strided((2,), (1,), first + 1)

    whole = mg.arange(48.0).reshape(8, 6)
    for x, first in ((whole, 0), (whole[2:6], 12), (whole.clone().requires_grad_(), 0)):
        expected = x[:, 1:3].tolist()
        assert vmap(part)(x).tolist() == expected
        assert vmap(lambda a: part(a.detach()))(x).tolist() == expected
        assert vmap(vmap(part))(x.reshape(2, -1, 6)).reshape(-1, 2).tolist() == expected
        assert vmap(lambda a: mg.tensor(a[2:].storage_offset()))(x).tolist() == [first + 2] * len(x)
        slope = vmap(func.grad(lambda a: part(a).square().sum()))(x)
        assert slope.tolist() == mg.nn.functional.pad(2 * x[:, 1:3], (1, 3)).tolist()
        # what the function reaches otherwise is no sample
        assert vmap(lambda a: whole.as_strided((1,), (1,), 3) + 0 * a[:1])(x).tolist() == [[3.0]] * len(x)
    assert vmap(lambda a: a.as_strided((2,), (6,), 1), 1)(whole).tolist() == whole[:2].T.add(1).tolist()
    vmap(lambda a: part(a).neg_())(whole)
    assert whole.lt(0).nonzero().tolist() == [[i, j] for i in range(8) for j in (1, 2)]


REFUSED: list[tuple[Any, type[Exception], str]] = [
    (lambda x: vmap(lambda a: a)(1.0), ValueError, "We cannot vmap over non-Tensor arguments"),
    (lambda x: vmap(lambda: 1)(), ValueError, "got no inputs"),
    (lambda x: vmap(mg.add)(x, mg.ones(4)), ValueError, r"got sizes \[3, 4\] for the mapped dimension"),
    (lambda x: vmap(mg.neg, in_dims=(None,))(x), ValueError, "Expected at least one Tensor to vmap over"),
    (lambda x: vmap(mg.neg, in_dims=2)(x), ValueError, "to satisfy -2 <= in_dim < 2"),
    (lambda x: vmap(mg.add, in_dims=(0,))(x, x), ValueError, "in_dims is not compatible with the structure of"),
    (lambda x: vmap(mg.neg, in_dims="a")(x), ValueError, "expected `in_dims` to be int or"),
    (lambda x: vmap(lambda a: 1)(x), ValueError, "must only return Tensors, got type <class 'int'>"),
    (lambda x: vmap(mg.sum, out_dims=1)(x), IndexError, "Dimension out of range"),
    (lambda x: vmap(mg.neg, out_dims=(1, 0))(x), ValueError, "out_dims is not compatible"),
    (lambda x: vmap(lambda a: [a], out_dims=(0,))(x), ValueError, "out_dims is not compatible"),
    (lambda x: vmap(mg.neg, out_dims=None)(x), ValueError, "when out_dim is None"),
    (lambda x: vmap(lambda a: a if a[0] else (a,))(x), ValueError, "different structures"),
    (lambda x: vmap(lambda a: mg.rand(2))(x), RuntimeError, "random operation while in randomness error mode"),
    (lambda x: vmap(mg.neg, randomness="none")(x), RuntimeError, "Only allowed values for randomness"),
    (lambda x: vmap(mg.neg, chunk_size=0)(x), ValueError, "greater than 0"),
    (lambda x: vmap(lambda a: a.as_strided((2,), (2,), 1))(x), RuntimeError, "outside of the sample"),
    (lambda x: vmap(lambda a: a[1:].as_strided((1,), (1,), 0))(x), RuntimeError, "outside of the sample"),
    (lambda x: vmap(mg.neg)(x[:0]), RuntimeError, "the mapped dimension is empty"),
]  # fmt: skip


def test_refusals_are_pytorch_s() -> None:
    for call, kind, text in REFUSED:
        x, before = rows(), mg.get_rng_state()
        with case(text), pytest.raises(kind, match=text):
            call(x)
        assert mg.equal(mg.get_rng_state(), before)  # nothing was drawn


# ---------------------------------------------------------------- at once


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that would run once for each element is a failure."""

    def refused(*args: Any) -> Any:
        raise AssertionError("one element after the other")

    monkeypatch.setattr(batching, "_row", refused)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("row", ROWS, ids=[r.id for r in ROWS])
def test_every_operation_on_many_elements_is_that_on_each(row: Row) -> None:
    op = TABLE[row.op]
    if op.batch == "alone" or (op.depends is not None and any(i.kind == "bool" for i in row.inputs)):
        pytest.skip("what it gives depends on memory, or its shape on values")
    draws = [row.draw(seed) for seed in range(3)]
    every = [np.stack(arrays) for arrays in zip(*draws, strict=True)]
    for mapped in ([*range(len(every))], *([i] for i in range(len(every)))) if len(every) > 1 else ([0],):
        dims = tuple(0 if i in mapped else None for i in range(len(every)))
        xs = [mg.tensor(a if i in mapped else a[0]) for i, a in enumerate(every)]
        for i in row.wanted:
            xs[i].requires_grad_()
        y = vmap(row.run, in_dims=dims)(*xs)
        each = [[x[k] if i in mapped else x for i, x in enumerate(xs)] for k in range(3)]
        expected = mg.stack([row.run(*x) for x in each])
        assert y.dtype == expected.dtype
        np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-12)
        wanted = [xs[i] for i in row.wanted if row.op not in NO_GRADIENT]
        if wanted:
            v = mg.from_numpy(np.random.default_rng(5).standard_normal(y.shape))
            found, known = (mg.autograd.grad(z, wanted, v) for z in (y, expected))

            def inner(*x: Any) -> Any:
                of = func.vjp(lambda *w: row.run(*_put(x, row.wanted, w)), *[x[i] for i in row.wanted])
                return of[1](x[-1])

            at_once = vmap(inner, in_dims=(*dims, 0))(*[x.detach() for x in xs], v)
            for i, one, g, other in zip(row.wanted, at_once, found, known, strict=True):
                np.testing.assert_allclose(g.numpy(), other.numpy(), rtol=1e-10, atol=1e-12)
                summed = one if i in mapped else one.sum(0)
                np.testing.assert_allclose(summed.numpy(), other.numpy(), rtol=1e-10, atol=1e-12)


def _put(xs: Any, places: Any, values: Any) -> list[Any]:
    now = [*xs[:-1]]
    for i, x in zip(places, values, strict=True):
        now[i] = x
    return now


class Cube(mg.autograd.Function):
    """With a gradient that is not its own, so that its use shows."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * x * 10


def _with_hook(y: Any) -> Any:
    y = y * 2
    y.register_hook(lambda g: g * 10)
    return y


def _written(x: Any) -> Any:
    y = mg.zeros(3, dtype=mg.float64)
    y[:2] = x[:2]
    return y


def _no_grad(x: Any) -> Any:
    with mg.no_grad():
        y = x * 2
    return y * x


def _caught(x: Any, i: Any) -> Any:
    try:
        return x * x.sum().item()
    except Exception:
        return x * 0


def _out_of_range(x: Any, i: Any) -> Any:
    try:
        return W[i + 1] * x
    except IndexError:
        return x * 0


def _negative(x: Any, i: Any, w: Any) -> Any:
    try:
        return w.index_select(0, 1 - i[None])[0] * x
    except IndexError:
        return x * 0


def _not_finite(x: Any, i: Any, w: Any) -> Any:
    try:
        return mg.linalg.eigh(w @ w.T / i)[0] * x
    except RuntimeError:
        return x * 0


def _negative_copy(x: Any, i: Any, w: Any) -> Any:
    try:
        return x.index_copy(0, 1 - i[None], w[0, :1])
    except IndexError:
        return x * 0


W = mg.tensor(np.random.default_rng(1).normal(size=(3, 3)))
V = mg.tensor([0.5, -1.0, 2.0], dtype=mg.float64)
# By x, an element of three numbers, i, its number, and w, a matrix that is the same for all and wants a gradient.
PROGRAMS: dict[str, Any] = {
    "itself": lambda x, i, w: x,
    "a part": lambda x, i, w: x[:2],
    "detached": lambda x, i, w: x.detach() * x,
    "data": lambda x, i, w: x.data * x,
    "copies": lambda x, i, w: copy.deepcopy(x.detach()) * x + mg.tensor(x.tolist()),
    "pickled": lambda x, i, w: pickle.loads(pickle.dumps(x.detach())) * x,
    "memory": lambda x, i, w: mg.from_dlpack(x.detach()) * nn.Parameter(x),
    "products": lambda x, i, w: (w @ x) * (x @ w) + x @ x + (x.outer(x) @ w).sum(0),
    "square": lambda x, i, w: (x.outer(V) @ w @ x.outer(x)).mT,
    "lines": lambda x, i, w: nn.functional.linear(x.view(1, 3), w, x) + nn.functional.linear(V, x.outer(x)),
    "weak numbers": lambda x, i, w: (x[0] * mg.ones(3) * mg.tensor(2.5), x.float() * V[0], i * 1.5),
    "places": lambda x, i, w: (w[i], w[:, i], x[i], V[i] * x, x[[0, 2]], x.gather(0, mg.tensor([1, 1])), w[i, [0, 1]]),
    "classes": lambda x, i, w: nn.functional.cross_entropy((w * x), mg.stack([i, i * 0, i * 0 + 1]), ignore_index=2),
    "one class": lambda x, i, w: nn.functional.cross_entropy(x[None], i[None], reduction="none"),
    "tokens": lambda x, i, w: nn.functional.embedding(i, w) * x,
    "tokens counted": lambda x, i, w: nn.functional.embedding(mg.stack([i, i * 0]), w, scale_grad_by_freq=True) * x,
    "windows": lambda x, i, w: nn.functional.conv1d(nn.functional.pad(x, (0, 1)).view(1, 1, 4), w.view(3, 1, 3)),
    "choices": lambda x, i, w: mg.where(x > 0, x, w).masked_fill(x == x.max(), 0.0),
    "the same": lambda x, i, w: (w * 2, V, x),
    "no gradient inside": lambda x, i, w: _no_grad(x),
    "gradient": lambda x, i, w: grad(lambda z: (w @ z).sin().sum())(x),
    "gradient of weights": lambda x, i, w: grad(lambda z: (z @ x).sin().sum())(w),
    "gradient of leaves": lambda x, i, w: mg.autograd.grad(((z := x.detach().requires_grad_()) ** 3).sum(), z)[0] * x,
    "second": lambda x, i, w: hessian(lambda z: (z.sin() * z).prod())(x),
    "forward": lambda x, i, w: jvp(lambda z: (w * z).tanh(), (x,), (V,))[1],
    "nested": lambda x, i, w: vmap(lambda y: vmap(lambda z: (x * y * z).sum() * y)(w))(W),
    "nested gradients": lambda x, i, w: vmap(lambda y: grad(lambda z: (z * x * y).sum() * z[0])(x))(w),
    "Function": lambda x, i, w: Cube.apply(w @ x),
    "Function inside": lambda x, i, w: grad(lambda z: Cube.apply(z).sum())(x),
    "hook": lambda x, i, w: _with_hook(x) * _with_hook(w),
    "written": lambda x, i, w: _written(x),
    "values": lambda x, i, w: x * x[0].item() if x.sum() > 0 else x,
    "error caught": lambda x, i, w: _caught(x, i),
    "error of one": lambda x, i, w: _out_of_range(x, i),
    "negative of one": _negative,
    "not finite": _not_finite,
    "placed": lambda x, i, w: x.scatter(0, i[None], 2.0) * w.scatter(1, mg.stack([i, i])[None], x[0]),
    "negative copied": _negative_copy,
    "pieces": lambda x, i, w: x.tensor_split(i + 1)[0].sum() * w,
    "a list": lambda x, i, w: mg.as_tensor([x[0], 2.0]) * w[0, 0] * x[0],
    "strides": lambda x, i, w: x.as_strided((2, 2), (1, 1)),
    "how it lies": lambda x, i, w: x * x.stride(0) * (1 + x.is_contiguous()),
    "numpy": lambda x, i, w: np.tanh(x) * np.sum(x) + np.where(x > 0, x, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("in_dim", [0, 1])
@pytest.mark.parametrize("name", PROGRAMS)
def test_results_and_gradients_are_those_of_the_loop(
    name: str, in_dim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> list[np.ndarray]:
        x, w = mg.tensor(np.random.default_rng(0).normal(size=(3, 3))), W.clone().requires_grad_()
        x.requires_grad_()
        results = vmap(PROGRAMS[name], in_dims=(in_dim, 0, None))(x, mg.arange(3), w)
        results = results if isinstance(results, tuple) else (results,)
        weights = [mg.linspace(0.3, 1, y.numel()).reshape(y.shape) for y in results]
        live = [(y * v).sum() for y, v in zip(results, weights, strict=True) if y.requires_grad]
        if live:
            sum(live[1:], live[0]).backward()
        assert live or name in ("written", "memory") or not results[0].is_floating_point()
        gradients = [np.zeros(3) if t.grad is None else t.grad.numpy() for t in (x, w)]
        return [*(y.detach().numpy() for y in results), *gradients]

    found = run()
    monkeypatch.setattr(batching, "possible", lambda *args: False)
    for a, b in zip(found, run(), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_what_has_no_more_use_takes_no_memory() -> None:
    x = mg.randn(500, 500)

    def chain(a: Any) -> Any:
        for _ in range(20):
            a = a * 1.01 + 0.1
        return a

    def cubed(a: Any) -> Any:
        return grad(lambda z: (z**3).sum())(a)

    gc.collect()
    tracemalloc.start()
    gc.disable()
    try:
        for f, most in ((chain, 5), (cubed, 10)):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            vmap(f)(x)
            after, peak = tracemalloc.get_traced_memory()
            with case(f.__name__):
                assert peak - before < most * 1e6
                assert after - before < 1e5
    finally:
        gc.enable()
        tracemalloc.stop()


def test_how_often_the_function_runs() -> None:
    calls: list[mg.Tensor] = []
    x = mg.randn(5, 3)

    def counted(f: Any) -> int:
        calls.clear()
        vmap(lambda a: f(calls.append(a) or a))(x)
        return len(calls)

    assert counted(lambda a: a.sin().sum() * a) == counted(jacrev(lambda a: a.exp())) == 1
    assert counted(lambda a: a * a[0].item()) == counted(lambda a: a.clone().mul_(2)) == 6
    calls.clear()
    y = vmap(lambda a: (calls.append(a) or a) * 2, chunk_size=2)(x)
    assert len(calls) == 3
    np.testing.assert_array_equal(y, x * 2)


def test_compiled_it_is_one_plan_for_all_elements() -> None:
    w = W.clone().requires_grad_()
    programs: dict[str, Any] = {
        "products": lambda x: vmap(lambda a: (w @ a).tanh() * V)(x),
        "gradients": lambda x: vmap(grad(lambda a: ((w @ a) ** 2).sum()))(x),
        "pairs": lambda x: vmap(lambda a: vmap(lambda b: (a - b).square().sum())(x))(x),
        "drawn": lambda x: vmap(lambda a: mg.rand(3) * a, randomness="different")(x),
    }
    for name, f in programs.items():
        with case(name):
            compiled = mg.compile(f)
            for seed in range(3):
                x = mg.tensor(np.random.default_rng(seed).normal(size=(40, 3)))
                results = []
                for g in (f, compiled):
                    mg.manual_seed(seed)
                    w.grad = None
                    y = g(x)
                    if y.requires_grad:
                        (y * mg.linspace(0.3, 1, y.numel()).reshape(y.shape)).sum().backward()
                    results.append((y.detach().numpy(), None if w.grad is None else w.grad.numpy()))
                for a, b in zip(*results, strict=True):
                    np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-12) if a is not None else None
            assert (len(mg.source(compiled).splitlines()) < 100) == (name != "drawn")

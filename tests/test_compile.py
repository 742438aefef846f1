"""The compiled function: called again and again, while things change, it does bit for bit what the function does."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import itertools
import re
import sys
import threading
import tracemalloc
import types
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fuzz_compile import Look, compare
from hypothesis import given, settings
from hypothesis import strategies as st
from op_samples import ROWS, Row
from test_source import SHAPES, _penalty, arrays, compose, every, programs, same, tensors

import minigrad as mg
from minigrad import autograd, buffers, nn
from minigrad.core.mode import MODE
from minigrad.core.op import TABLE, Op
from minigrad.optim import SGD
from minigrad.tape import apply

F = nn.functional


# ---------------------------------------------------------------- eager beside compiled


def agree(found: Any, expected: Any, what: str) -> None:
    """All that can be seen of two values is the same, as fuzz_compile.py looks at it; also how they lie."""
    a, b = (v if isinstance(v, Look) else Look({"value": v}) for v in (expected, found))
    difference = compare(a, b)
    assert not difference, f"{what}: {difference}"
    assert a.layouts == b.layouts, what


def recordings(*compiled: Any) -> int:
    return sum(len(c.recordings) for c in compiled)


def draw(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Any:
    drawn = np.random.default_rng([seed, *shape]).uniform(-1.5, 1.5, shape)
    return mg.from_numpy(np.asarray(drawn, dtype))


def network(dtype: Any = mg.float64) -> Any:
    net = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)).to(dtype)
    with mg.no_grad():
        for i, p in enumerate(net.parameters()):
            p.copy_(draw(*p.shape, seed=40 + i))
    return net


def batch(k: int, rows: int = 4, dtype: Any = np.float64) -> tuple[Any, Any]:
    return draw(rows, 2, seed=k, dtype=dtype), draw(rows, 1, seed=100 + k, dtype=dtype)


def training(wrap: Any, **options: Any) -> tuple[Any, Any, Any]:
    """A network, its optimizer and the usual step."""
    net = network()
    opt = SGD(net.parameters(), **{"lr": 0.1, **options})

    def step(x: Any, target: Any) -> Any:
        opt.zero_grad()
        loss = F.mse_loss(net(x), target)
        loss.backward()
        opt.step()
        return loss

    return net, opt, wrap(step)


# ---------------------------------------------------------------- every op, on inputs that were not recorded


def _backward_inside(f: Any) -> Any:
    def run(*xs: Any) -> Any:
        y = f(*xs)
        if y.requires_grad:
            y.backward(mg.full_like(y, 0.7))
        return y

    return run


def _ways(row: Row, dtype: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Where the backward pass is run: each row has both ways, one in each dtype; the first of an op has neither too."""
    if not row.wanted:
        return [("forward", ())]
    way = "inside" if (ROWS.index(row) + (dtype is np.float64)) % 2 else "outside"
    first = row is next(r for r in ROWS if r.op == row.op)
    return [(way, row.wanted), ("forward", ())][: 1 + (first and dtype is np.float64)]


def as_eager(f: Any, draws: list[list[np.ndarray]], wanted: tuple[int, ...], way: str) -> None:
    """Compiled once, called on each of ``draws``; gradients by a backward pass in f itself, or on its result."""
    f = _backward_inside(f) if way == "inside" else f
    compiled = mg.compile(f)
    for k, values in enumerate(draws):
        xs, ys = (tensors([a.copy() for a in values], wanted) for _ in range(2))
        found, expected = compiled(*xs), f(*ys)
        agree(found, expected, f"value, {way}, {k}")
        if way == "outside" and expected.requires_grad:
            g = draw(*expected.shape, seed=k).to(expected.dtype)
            found.backward(g)
            expected.backward(g)
        agree(xs, ys, f"inputs, {way}, {k}")
    assert recordings(compiled) == 1


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda d: d.__name__)
def test_every_op_replays_as_it_runs(row: Row, dtype: Any) -> None:
    op, params, via = TABLE[row.op], row.params, row.via  # not the row, all that it holds would be watched
    f: Any = (lambda *xs: op(*xs, **params)) if via is None else (lambda *xs: via(op, *xs, **params))
    draws = [[a.astype(dtype) if a.dtype.kind == "f" else a for a in row.draw(k)] for k in range(3)]
    if row.note == "mask":  # how much a mask picks is known from its values alone
        with pytest.raises(RuntimeError, match=r"compile\(\): .*mask"):
            mg.compile(_backward_inside(f))(*tensors(draws[0], row.wanted))
        if row.op == "index_put":  # but not where one number is written
            for way in ("inside", "outside"):
                as_eager(f, draws, (0,), way)
        return
    for way, wanted in _ways(row, dtype):
        as_eager(f, draws, wanted, way)


def _outcome(f: Any, xs: list[Any]) -> Any:
    try:
        return f(*xs)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        return type(error).__name__


@pytest.mark.parametrize("dtype", [bool, np.int8], ids=lambda d: d.__name__)
def test_an_op_by_itself_does_to_other_dtypes_what_it_does_in_eager_mode(dtype: Any) -> None:
    first = {row.op: row for row in reversed(ROWS) if not TABLE[row.op].draws and row.note != "mask"}
    for row in first.values():
        op, params, draws = TABLE[row.op], row.params, row.draw(0)
        f: Any = (
            functools.partial(op, **params) if row.via is None else functools.partial(row.via, op, **params)
        )
        for k in range(len(draws)):
            xs = [a.astype(dtype) if i == k and a.dtype.kind == "f" else a for i, a in enumerate(draws)]
            found, expected = (_outcome(way(f), [*map(mg.tensor, xs)]) for way in (mg.compile, lambda f: f))
            agree(found, expected, f"{row.op}, operand {k}")


floats = st.sampled_from([np.float64, np.float32])
ways = st.sampled_from(["inside", "outside"])


@settings(max_examples=120, deadline=None)
@given(programs, st.sampled_from(SHAPES), floats, ways)
def test_random_compositions(steps: Any, shapes: Any, dtype: Any, way: str) -> None:
    as_eager(lambda *xs: compose(steps, list(xs)), [arrays(shapes, k, dtype) for k in range(3)], (0, 1), way)


@settings(max_examples=40, deadline=None)
@given(programs, st.sampled_from(SHAPES), floats, ways)
def test_random_compositions_differentiated_twice(steps: Any, shapes: Any, dtype: Any, way: str) -> None:
    as_eager(lambda *xs: _penalty(steps, xs), [arrays(shapes, k, dtype) for k in range(2)], (0, 1), way)


@dataclasses.dataclass(slots=True)
class PartlySlotted:
    value: Any = None


@dataclasses.dataclass
class Table(dict[str, Any]):
    value: Any = None


# ---------------------------------------------------------------- what is seen, and what changes nothing


def test_equal_code_of_two_files_has_two_places() -> None:
    text = "def f(x):\n    return x * 2 + 1\n"
    for name in ("one.py", "two.py"):
        space: dict[str, Any] = {}
        exec(compile(text, name, "exec"), space)
        f = mg.compile(space["f"])
        f(mg.ones(2))
        assert f"# {name}:2" in mg.source(f)


def test_a_constant_is_not_given_away() -> None:
    onto_one_row = TABLE["sum_to"]  # gives a view of a single row
    f = mg.compile(lambda x: (x * 2.0, apply(onto_one_row, (mg.tensor([[1.0, 2.0, 3.0]]),), {"shape": (3,)})))
    for k in range(4):
        _, found = f(draw(3, seed=k))
        assert found.tolist() == [1.0, 2.0, 3.0]
        found.mul_(5.0)


def test_an_error_names_its_cause_and_puts_draws_back() -> None:
    f = mg.compile(lambda p: (mg.rand(2), mg.bernoulli(p)))
    for _ in range(3):
        f(mg.full((2,), 0.5))
    before = mg.get_rng_state()
    with pytest.raises(RuntimeError, match=r"in \[0, 1\], but got p=2.0 .*test_compile.py") as caught:
        f(mg.full((2,), 2.0))
    assert type(caught.value.__cause__) is RuntimeError
    assert "bernoulli" in str(caught.value.__cause__)
    assert mg.get_rng_state().tolist() == before.tolist()


def test_checking_needs_no_new_recordings() -> None:
    _, _, step = training(functools.partial(mg.compile, check=True), momentum=0.9)
    for k in range(8):
        step(*batch(k))
    assert step._recorded <= 3


def test_small_gradients_are_scaled_in_one_call() -> None:
    net, opt, _ = training(mg.compile)

    @mg.compile
    def step(x: Any, target: Any) -> None:
        F.mse_loss(net(x), target).backward()
        opt.step()
        opt.zero_grad()

    step(*batch(0))
    # The bias of the last layer has one element, which NumPy does not write over.
    scaled = re.findall(r"np.multiply\((\w+), number_\d+, out=(mul_\w+)\)", mg.source(step))
    assert scaled == [("mul_2_to_mul_4", "mul_2_to_mul_4"), ("d_bias_2", "mul_5")]


def test_a_kernel_that_cannot_be_printed_is_called() -> None:
    planted = Op("planted", (lambda k: lambda x: x * k)(2.0), "x", lambda g: g * 2.0)
    try:
        f = mg.compile(lambda x: apply(planted, (x,)).sum())
        for k in range(4):
            assert f(mg.full((3,), float(k))).item() == 6.0 * k
            assert k != 1 or "planted_kernel(" in mg.source(f)
        assert recordings(f) == 1
        with pytest.raises(NotImplementedError, match="Numba cannot compile planted_kernel"):
            mg.compile(lambda x: apply(planted, (x,)).sum(), backend="numba")(mg.ones(3))
    finally:
        TABLE.pop("planted")


def test_checks_of_an_operation_run_in_every_replay() -> None:
    def positive(x: Any, least: float) -> None:
        if not np.all(x > least):
            raise ValueError(f"not above {least}")

    def kernel(x: Any, least: float) -> Any:
        return np.log(x)

    w = mg.ones(2, 2)
    whole = Op("log_above", kernel, "x; least", lambda g, x: g / x, check=positive)
    plain = Op("log_checked", np.log, "x", lambda g, x: g / x, check=lambda x: positive(x, 0.0))
    turned = Op("turned_above", lambda x, least: x.T, "x; least", view=True, check=positive)
    try:
        step = mg.compile(lambda x: (w.add_(x), apply(whole, (x.relu(),), {"least": 0.0}) * 2.0)[1])
        views = mg.compile(lambda x: apply(turned, (w,), {"least": 0.0}) * x)
        unused = mg.compile(lambda x: (apply(plain, (x,)), x * 2.0)[1])
        for k in range(1, 5):
            x = mg.full((2, 2), float(k))
            assert step(x).allclose(x.log() * 2.0)
            assert views(x).allclose(w.T * x)
            assert unused(x).tolist() == (x * 2.0).tolist()
            before = w.tolist()
            for f in (step, unused):
                with pytest.raises(RuntimeError, match=r"not above 0\.0"):
                    f(mg.zeros(2, 2))
            assert w.tolist() == before
            w.neg_()
            with pytest.raises(RuntimeError, match=r"not above 0\.0"):
                views(x)
            w.neg_()
        assert recordings(step) == recordings(views) == recordings(unused) == 1
    finally:
        for op in (whole, plain, turned):
            TABLE.pop(op.name)


# ---------------------------------------------------------------- arguments and results


def test_a_recording_keeps_no_gradients_of_its_first_call() -> None:
    net, opt, step = training(mg.compile)
    kept: list[Any] = []
    for k in range(5):
        step(*batch(k))
        kept += [weakref.ref(p.grad._array) for p in net.parameters()]
    opt.zero_grad()
    gc.collect()
    assert [r() for r in kept] == [None] * len(kept)


# ---------------------------------------------------------------- backward passes and optimizers


class Noisy(nn.Module):
    """Branches on its mode, draws a mask, and keeps a running mean in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network()
        self.register_buffer("mean", mg.zeros(2, dtype=mg.float64))
        self.register_buffer("count", mg.tensor(0))

    def forward(self, x: Any) -> Any:
        if self.training:
            self.mean.mul_(0.9).add_(x.detach().mean(0), alpha=0.1)
            self.count += 1
            x = x * mg.bernoulli(mg.full_like(x, 0.5)) * 2.0
        return self.inner(x - self.mean)


# ---------------------------------------------------------------- refusals

# What no replay could repeat: results of a function of x, or statements of one.
REFUSED = """
x if x.sum() > 0 else -x | next(x * k for k in range(9) if (x * k).abs().sum() >= 0) | x.any() and x
x if bool((x == x).all()) else None | x * x.sum().item() | x * x.tolist()[0] | x * float(x[0]) | x * int(x[0])
complex(x[0]) | [1, 2, 3][mg.argmax(x)] | x[: mg.argmax(x)] | repr(x) | str(x) | f"{x[0]:.3f}" | x.numpy(force=True)
np.asarray(x.detach()) | 1.0 in x | sorted([x[0], x[1]]) | max(x[0], x[1]) | x[x > 0] | mg.masked_select(x, x > 0)
mg.nonzero(x) | mg.where(x > 0) | x if mg.equal(x, x) else None | x if mg.allclose(x, x) else None
mg.tensor([x[0], 1.0]) | mg.full((2,), x[0].item()) | mg.zeros(mg.argmax(x))
x + mg.rand(3, generator=mg.manual_seed(7)) | mg.get_rng_state() | mg.func.vmap(lambda y: y, out_dims=None)(x)
x + mg.rand(3, generator=mg.Generator().manual_seed(7)) | x + mg.rand(3, generator=mg.Generator())
x * float(mg.default_generator.uniform(1)[0]) | x + mg.rand(3, generator=mg.default_generator.clone_state())
x + np.random.default_rng(0).random(3) | x.detach().expand(2, 3).masked_fill_(mg.tensor([[True], [False]]), 1.0)
y = x * 1.0; row = y[mg.argmax(x)]; y += 1.0; return row
w = mg.ones(3, requires_grad=True); (w**2).sum().backward(create_graph=True); w.sum().backward(); return x * 1.0
with contextlib.suppress(RuntimeError): return x * x.sum().item()
"""
# What is found when the function is over, without a line.
REFUSED_LATE = """
LOG.append(x.shape); return x * 2.0 | global TOTAL; TOTAL += 1; return x * 2.0 | (x * k for k in range(2))
map(mg.sin, [x]) | np.zeros(3) | types.SimpleNamespace(y=x * 2.0) | PartlySlotted(x * 2.0) | Table(x * 2.0)
lambda: x * 2.0 | {x * 2.0}
"""


@pytest.mark.parametrize("late", [False, True], ids=["with a line", "late"])
def test_what_no_replay_could_repeat_is_refused(late: bool) -> None:
    for row in re.split(r"\n| \| ", (REFUSED_LATE if late else REFUSED).strip()):
        body = row if "return " in row else f"return {row}"
        space = {**globals(), "types": types, "TOTAL": 0, "LOG": []}
        exec(compile(f"def f(x):\n    {body}", __file__, "exec"), space)
        compiled = mg.compile(space["f"])
        for _ in range(2):
            with pytest.raises((RuntimeError, TypeError), match=r"compile\(\)[\s\S]{70}") as caught:
                pytest.fail(f"{row} gives {compiled(draw(3))}")
            assert late or re.search(r"test_compile\.py:[12]\b", str(caught.value)), row
        assert not recordings(compiled)


def test_arguments_that_are_refused() -> None:
    f = mg.compile(lambda x, scale: x * scale)
    with pytest.raises(TypeError, match=r"argument scale is a NumPy array.*from_numpy\(scale\)"):
        f(draw(3), np.ones(3))
    with pytest.raises(TypeError, match=r"compile\(\) takes a function or a Module, got int"):
        mg.compile(3)
    same(f(draw(3), draw(3)).numpy(), (draw(3) * draw(3)).numpy(), "after a refusal")


# ---------------------------------------------------------------- errors leave nothing half done


def _fails_while_recording(x: Any, i: Any, flag: Any) -> None:
    if flag.ndim:
        raise ValueError("mine")


# What fails, its error, and the arguments with which it does so.
FAILURES: dict[str, tuple[Any, Any, Any, Any]] = {
    "raises": (_fails_while_recording, ValueError, 1, mg.ones(1)),
    "refused": (lambda x, i, flag: flag.sum().item() if flag.ndim else None, RuntimeError, 1, mg.ones(1)),
    "index": (lambda x, i, flag: x[i.reshape(1)], IndexError, 99, mg.tensor(0.0)),
    "division": (lambda x, i, flag: mg.tensor(6) // i, RuntimeError, 0, mg.tensor(0.0)),
}


@pytest.mark.parametrize("early", [False, True], ids=["late", "early"])
@pytest.mark.parametrize("name", FAILURES)
def test_after_an_error_all_is_as_before(name: str, early: bool) -> None:
    fail, kind, index, wrong = FAILURES[name]

    def run(wrap: Any, failing: bool) -> Iterator[Any]:
        mg.manual_seed(0)
        net = Noisy()
        opt = SGD(net.parameters(), lr=0.1, momentum=0.9)

        def step(x: Any, t: Any, i: Any, flag: Any) -> Any:
            found = fail(x, i, flag) if early else None
            opt.zero_grad()
            loss = F.mse_loss(net(x), t)
            loss.backward()
            opt.step()
            x.add_(1.0)
            return loss, found if early else fail(x, i, flag)

        step = wrap(step)
        for k in range(4):  # at the first call, between two recordings, and at replays
            for _ in range(2 * failing):
                x, t = batch(50)
                before = Look({"all": (net, opt, x)})
                with pytest.raises(kind):
                    step(x, t, mg.tensor(index), wrong)
                agree(Look({"all": (net, opt, x)}), before, f"after an error, {k}")
            x, t = batch(k)
            yield Look({"all": (step(x, t, mg.tensor(1), mg.tensor(0.0)), x, net, opt)})

    expected = list(run(lambda function: function, False))
    for found, good in zip(run(mg.compile, True), expected, strict=True):
        agree(found, good, "good steps")


# ---------------------------------------------------------------- forms, threads, memory


def test_forms_of_a_compiled_function() -> None:
    @mg.compile
    def f(x: Any, k: float = 2.0) -> Any:
        """Doubles."""
        return g(x) * k

    @mg.compile()  # type: ignore[untyped-decorator]
    def g(x: Any) -> Any:
        return x + 1.0

    assert f.__name__ == "f"
    assert f.__doc__ == "Doubles."
    for k in range(3):
        same(f(draw(3, seed=k)).numpy(), ((draw(3, seed=k) + 1.0) * 2.0).numpy(), "f in g")
        same(g(draw(3, seed=k)).numpy(), (draw(3, seed=k) + 1.0).numpy(), "g")
    assert recordings(f) == recordings(g) == 1
    assert mg.compile(f)(draw(3)).tolist() == f(draw(3)).tolist()
    with pytest.raises(TypeError, match="argument"):
        f()
    assert f(x=draw(3), k=3.0).tolist() == ((draw(3) + 1.0) * 3.0).tolist()


def test_methods_belong_to_their_objects() -> None:
    class Net(nn.Module):
        def __init__(self, k: float) -> None:
            super().__init__()
            self.k, self.inner = k, network()

        @mg.compile
        def forward(self, x: Any) -> Any:
            return self.inner(x) * self.k

        @staticmethod
        @mg.compile
        def double(x: Any) -> Any:
            return x * 2.0

    a, b = Net(2.0), Net(3.0)
    for k in range(3):
        x = batch(k)[0]
        for net in (a, b):
            same(net(x).numpy(force=True), (net.inner(x) * net.k).numpy(force=True), f"{net.k}")
            assert net.double(x).tolist() == (x * 2.0).tolist()
    assert recordings(Net.__dict__["forward"]) == 2


def test_a_compiled_module_still_is_one() -> None:
    net = Noisy()
    compiled = mg.compile(net)
    compiled(batch(0)[0])
    assert [id(p) for p in compiled.parameters()] == [id(p) for p in net.parameters()]
    assert list(compiled.state_dict()) == list(net.state_dict())
    compiled.training = False
    assert net.training is False
    assert compiled.eval() is net
    same(compiled(batch(1)[0]).numpy(force=True), net(batch(1)[0]).numpy(force=True), "in evaluation")


def _together(*functions: Any) -> None:
    """Runs each in a thread of its own, all at once; raises what one raises."""
    barrier, errors = threading.Barrier(len(functions)), []

    def run(function: Any) -> None:
        barrier.wait()
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(f,)) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("warm", [True, False], ids=["replaying", "recording"])
def test_two_threads_at_once(warm: bool) -> None:
    w = draw(40, 40, seed=1).requires_grad_()

    def f(x: Any) -> Any:
        return ((x @ w).tanh() @ w * 0.1).sin() + mg.zeros(40, dtype=mg.float64)

    for _ in range(1 if warm else 12):
        compiled = mg.compile(f)
        if warm:
            compiled(draw(6, 40, seed=0))

        def calls(seed: int, compiled: Any = compiled) -> None:
            for k in range(seed, seed + (150 if warm else 3)):
                rows = 6 if warm else 2 + k % 3
                x, y = (draw(rows, 40, seed=k).requires_grad_() for _ in range(2))
                found, expected = compiled(x), f(y)
                same(found.numpy(force=True), expected.numpy(force=True), f"call {k}")
                if k % 3 == 0:
                    (dx,), (dy,) = (
                        autograd.grad(out, at, draw(rows, 40)) for out, at in ((found, x), (expected, y))
                    )
                    same(dx.numpy(), dy.numpy(), f"gradient of call {k}")

        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            _together(*(functools.partial(calls, 1000 * i) for i in range(3)))
        finally:
            sys.setswitchinterval(interval)


def test_a_mode_of_one_thread_is_not_seen_by_another() -> None:
    w = draw(3).requires_grad_()
    f = mg.compile(lambda x: x * w)

    def without() -> None:
        with mg.no_grad():
            assert not any(f(draw(3, seed=k)).requires_grad for k in range(50))

    def within() -> None:
        assert all(f(draw(3, seed=k)).requires_grad for k in range(50))

    _together(without, within, without, within)


def _replays_of_a_step() -> Any:
    _, _, step = training(mg.compile, momentum=0.9)
    x, t = batch(0)
    return lambda: step(x, t)


def _replays_with_backward() -> Any:
    net = network()
    f = mg.compile(net)
    x = batch(0)[0]

    def call() -> None:
        net.zero_grad()
        f(x).sum().backward()

    return call


def _replays_of_several_kinds() -> Any:
    f = mg.compile(lambda x, k: (x * k + mg.rand(3)).T)
    xs = itertools.cycle([draw(2, 3), draw(4, 3), draw(3, 3).T])
    return lambda: f(next(xs), 0.5)


def _held() -> int:
    """Bytes in use, without the tuples and the like that Python keeps for later: a collection drops those."""
    gc.freeze()  # so that it collects nothing
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize("make", [_replays_of_a_step, _replays_with_backward, _replays_of_several_kinds])
def test_memory_stays_flat_over_many_replays(make: Any) -> None:
    call = make()
    for _ in range(100):
        call()
    gc.disable()  # what only the collector of cycles frees counts as kept
    tracemalloc.start()
    try:
        for _ in range(50):
            call()
        before = _held()
        for _ in range(1000):
            call()
        assert _held() - before < 800
    finally:
        tracemalloc.stop()
        gc.unfreeze()
        gc.enable()


def test_what_was_compiled_is_freed_with_it() -> None:
    def once() -> None:
        _, _, step = training(mg.compile, momentum=0.9)
        for k in range(4):
            step(*batch(k, rows=5000))

    def traced() -> int:
        gc.collect()
        buffers._KEPT.buffers.clear()  # memory for large results of any kind, which stays
        return tracemalloc.get_traced_memory()[0]

    once()
    tracemalloc.start()
    try:
        once()
        before = traced()
        for _ in range(2):
            once()
        assert traced() - before < 200_000  # the buffers of one are larger
    finally:
        tracemalloc.stop()


def test_modes_are_as_before_after_an_error() -> None:
    def f(x: Any, fail: bool) -> Any:
        with mg.no_grad():
            if fail:
                raise KeyError("mine")
            return x * 2.0

    compiled, mode = mg.compile(f), MODE.get()
    for fail in (True, False, True):
        with pytest.raises(KeyError) if fail else contextlib.nullcontext():
            compiled(draw(3), fail)
        assert MODE.get() is mode


class _Elsewhere:
    """As classes that Cython makes: its ``__module__`` is no text."""

    __module__ = property(lambda self: "somewhere")
    __name__ = 5

    def __init__(self) -> None:
        self.factor = 2.0

    def __call__(self, x: Any) -> Any:
        return x * self.factor


class _Layer(nn.Linear):
    __module__ = 3


_Unhashable = type("_Unhashable", (), {"__module__": [], "__call__": lambda self, x: x + 1.0})


def test_a_class_whose_module_is_no_text() -> None:
    scaled = _Elsewhere()
    compiled = mg.compile(scaled)
    x = mg.ones(2)
    assert [compiled(x).tolist() for _ in range(140)][-1] == [2.0, 2.0]
    scaled.factor = 3.0
    assert compiled(x).tolist() == [3.0, 3.0]
    assert repr(compiled) == "<compiled _Elsewhere, 2 plans>"
    assert mg.source(compiled).startswith('"""_Elsewhere, as recorded.')
    by_another = mg.compile(lambda x: scaled(x) + 1.0)
    assert [by_another(x).tolist() for _ in range(2)] == [[4.0, 4.0]] * 2
    assert mg.compile(_Unhashable())(x).tolist() == [2.0, 2.0]
    net = nn.Sequential(_Layer(2, 2), nn.ReLU())
    step = mg.compile(net)
    assert [mg.equal(step(x), net(x)) for _ in range(3)] == [True] * 3
    assert mg.draw(net(x), params=net).dot


@pytest.mark.parametrize("name", ['a"""b', "a\\N{x}", "two\nlines", "a\0b", '"'])
def test_a_function_may_have_any_name(name: str) -> None:
    def double(x: Any) -> Any:
        return x * 2.0

    double.__name__ = name
    compiled = mg.compile(double)
    x = mg.ones(2)
    assert [compiled(x).tolist() for _ in range(140)][-1] == [2.0, 2.0]
    compile(mg.source(compiled), "a", "exec")
    space = {"x": mg.ones(2, requires_grad=True)}
    exec(compile("y = (x * 2).sum()", name.replace("\0", ""), "exec"), space)
    compile(mg.source(space["y"]), "a", "exec")


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
def test_reductions_and_small_powers_are_ufuncs_and_a_repeated_number_stays(dtype):
    def f(x, y):
        total = (x**2).mean() + (x * y).sum()
        return (1.0 / total).expand(3, 5).cumsum(1), (x**1).mean(1, keepdim=True) ** 2, total**2

    compiled = mg.compile(f)
    for _ in range(3):
        x, y = mg.randn(3, 5).to(dtype), mg.randn(3, 5).to(dtype)
        for ours, eager in zip(compiled(x, y), f(x, y), strict=True):
            assert ours.dtype == eager.dtype
            assert ours.numpy().tobytes() == eager.numpy().tobytes()
    bind, run = mg.source(compiled).split("def run(")
    assert ("np.broadcast_to(" in bind, "np.broadcast_to(" in run) == (True, False)
    forms = "np.square(", "np.add.reduce(", "np.sum(", " ** 1"
    assert [form in run for form in forms] == [True, True, False, False]

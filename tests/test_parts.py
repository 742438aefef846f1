"""`in_parts`: what a function gives for parts of a batch is what it gives for the batch; and if it fails, nothing."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import at_once
from test_compile_interrupts import interrupted

import minigrad as mg
from minigrad import func, nn, optim
from minigrad.core import changes
from minigrad.core.mode import MODE

pytest.importorskip("threadpoolctl")

ROWS = 23


def network(dtype: Any = mg.float64) -> Any:
    mg.manual_seed(3)
    return nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1)).to(dtype)


def data(rows: int = ROWS) -> tuple[Any, Any]:
    mg.manual_seed(4)
    x = mg.randn(rows, 2, dtype=mg.float64)
    return x, mg.sin(x.sum(1, keepdim=True))


def step_of(net: Any) -> Callable[[Any, Any], Any]:
    def step(x: Any, target: Any) -> Any:
        loss = nn.functional.mse_loss(net(x), target)
        loss.backward()
        return loss

    return step


def close(a: Any, b: Any) -> bool:
    return np.allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-14)


def same_gradients(a: Any, b: Any) -> bool:
    return all(close(p.grad, q.grad) for p, q in zip(a.parameters(), b.parameters(), strict=True))


@pytest.fixture(autouse=True)
def nothing_stays_on() -> Any:
    mode = MODE.get()
    yield
    assert not changes.RUNNING
    assert MODE.get() is mode


@pytest.fixture
def blas() -> Any:
    """How many threads BLAS has: other than one."""
    before = mg.get_num_threads()
    mg.set_num_threads(2)
    yield 2
    mg.set_num_threads(before)


# ---------------------------------------------------------------- what parts give


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("parts", [1, 2, 5, ROWS, 100])
def test_training_in_parts_is_training(parts: int, threads: int, compiled: bool) -> None:
    whole, split = network(), network()
    step, own = step_of(whole), step_of(split)
    in_parts = mg.in_parts(
        mg.compile(own) if compiled else own, parts=parts, batch=(0, 1), reduce="mean", threads=threads
    )
    optimizers = [optim.SGD(net.parameters(), lr=0.1, momentum=0.5) for net in (whole, split)]
    x, target = data()
    for k in range(4):
        if k != 2:  # gradients of two calls are added up
            for o in optimizers:
                o.zero_grad()
        assert close(step(x, target), in_parts(x, target))
        assert same_gradients(whole, split)
        for o in optimizers:
            o.step()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_gradients_follow_results(reduce: str, threads: int) -> None:
    a, b = network(), network()
    x, target = data()

    def of(net: Any) -> Any:
        def step(x: Any, target: Any) -> Any:
            loss = nn.functional.mse_loss(net(x), target, reduction=reduce)
            loss.backward()
            return loss

        return step

    assert close(
        of(a)(x, target), mg.in_parts(of(b), parts=4, batch=(0, 1), reduce=reduce, threads=threads)(x, target)
    )
    assert same_gradients(a, b)


def test_a_gradient_of_before_is_added_to_where_it_stands() -> None:
    w = mg.ones(2, requires_grad=True)
    w.grad = before = mg.ones(2)
    mg.in_parts(lambda x: (x * w).sum().backward(), parts=3, batch=0, reduce="sum")(mg.ones(6, 2))
    assert w.grad is before
    assert before.tolist() == [7.0, 7.0]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_results_can_be_differentiated(threads: int, compiled: bool) -> None:
    a, b = network(), network()
    x, target = data()

    def loss(net: Any) -> Any:
        return lambda x, target: nn.functional.mse_loss(net(x), target)

    loss(a)(x, target).backward()
    f = mg.compile(loss(b)) if compiled else loss(b)
    mg.in_parts(f, parts=4, batch=(0, 1), reduce="mean", threads=threads)(x, target).backward()
    assert same_gradients(a, b)


@pytest.mark.parametrize("threads", [1, 2])
def test_with_functional_gradients_inside_and_around(threads: int) -> None:
    x, target = data()
    w = mg.tensor([[0.5], [-0.25]], dtype=mg.float64)

    def loss(w: Any, x: Any, target: Any) -> Any:
        return ((x @ w - target) ** 2).mean()

    def parts(f: Any) -> Any:
        return mg.in_parts(f, parts=3, batch=(1, 2), reduce="mean", threads=threads)

    expected = func.grad(loss)(w, x, target)
    assert close(func.grad(parts(loss))(w, x, target), expected)
    assert close(parts(func.grad(loss))(w, x, target), expected)
    value, gradient = parts(func.value_and_grad(loss))(w, x, target)
    assert close(value, loss(w, x, target))
    assert close(gradient, expected)
    assert close(func.hessian(parts(loss))(w, x, target), func.hessian(loss)(w, x, target))


@pytest.mark.parametrize("threads", [1, 2])
def test_gradients_of_the_batch_itself(threads: int) -> None:
    x, target = data()
    x.requires_grad_()
    net = network()
    step_of(net)(x, target)
    expected, x.grad = x.grad, None
    mg.in_parts(step_of(network()), parts=4, batch=(0, 1), reduce="mean", threads=threads)(x, target)
    assert close(x.grad, expected)


def test_gradients_that_can_be_differentiated_again() -> None:
    w = mg.tensor([2.0], requires_grad=True)
    f = mg.in_parts(lambda x: (w**3 * x).sum().backward(create_graph=True), parts=2, batch=0, reduce="sum")
    f(mg.ones(4))
    (second,) = mg.autograd.grad(w.grad.sum(), [w])
    assert second.item() == 4 * 6 * 2.0


@pytest.mark.parametrize("threads", [1, 2])
def test_results_of_all_kinds(threads: int) -> None:
    x, _ = data(10)

    @mg.no_grad()
    def f(batch: Any, scale: float) -> Any:
        x = batch["x"] * scale
        return {"rows": (x, x > 0), "count": len(x), "right": (x > 0).sum(), "mean": x.mean(), "none": None}

    reduce = {"rows": "join", "count": "sum", "right": "sum", "mean": "mean", "none": "sum"}
    g = mg.in_parts(f, parts=3, batch="batch", reduce=reduce, threads=threads)
    whole, split = (
        f({"x": x}, scale=2.0) if False else f(batch={"x": x}, scale=2.0),
        g(batch={"x": x}, scale=2.0),
    )
    assert list(split) == list(whole)
    assert mg.equal(split["rows"][0], whole["rows"][0])
    assert mg.equal(split["rows"][1], whole["rows"][1])
    assert split["count"] == 10
    assert split["right"].item() == whole["right"].item()
    assert split["none"] is None
    assert close(split["mean"], whole["mean"])


def test_parts_differ_by_a_row_at_most() -> None:
    sizes: list[int] = []
    f = mg.in_parts(lambda x: sizes.append(len(x)), parts=4, batch=0, reduce="sum")
    f(mg.ones(10, 1))
    assert sorted(sizes) == [2, 2, 3, 3]
    sizes.clear()
    f(mg.ones(3, 1))
    assert sizes == [1, 1, 1]
    sizes.clear()
    f(mg.ones(0, 1))
    assert sizes == [0]


def test_of_several_calls_at_once() -> None:
    x, target = data()
    nets = [network() for _ in range(4)]
    steps = [
        mg.in_parts(step_of(n), parts=5, batch=(0, 1), reduce="mean", threads=1 + k % 2)
        for k, n in enumerate(nets)
    ]
    at_once(*(lambda s=s: [s(x, target) for _ in range(10)] for s in steps))
    expected = network()
    for _ in range(10):
        step_of(expected)(x, target)
    assert all(same_gradients(expected, n) for n in nets)


def test_parts_inside_parts_are_the_whole_part() -> None:
    a, b = network(), network()
    x, target = data()
    inner = mg.in_parts(step_of(b), parts=2, batch=(0, 1), reduce="mean", threads=2)
    outer = mg.in_parts(inner, parts=3, batch=(0, 1), reduce="mean", threads=2)
    assert close(step_of(a)(x, target), outer(x, target))
    assert same_gradients(a, b)


def test_the_mode_holds_on_threads() -> None:
    w = mg.ones(2, requires_grad=True)
    seen: list[bool] = []

    def f(x: Any) -> Any:
        seen.append(mg.is_grad_enabled())
        return (x * w).sum()

    g = mg.in_parts(f, parts=2, batch=0, reduce="sum", threads=2)
    with mg.no_grad():
        assert not g(mg.ones(4, 2)).requires_grad
    assert g(mg.ones(4, 2)).requires_grad
    assert seen == [False, False, True, True]


def test_blas_has_one_thread_meanwhile(blas: int) -> None:
    seen: list[int] = []
    f = mg.in_parts(lambda x: seen.append(mg.get_num_threads()), parts=2, batch=0, reduce="sum", threads=2)
    f(mg.ones(4))
    assert seen == [1, 1]
    assert mg.get_num_threads() == blas


def test_draws_come_in_the_order_of_parts() -> None:
    f = mg.in_parts(lambda x: x + mg.rand(len(x)), parts=3, batch=0, reduce="join")
    mg.manual_seed(1)
    values = f(mg.zeros(7))
    mg.manual_seed(1)
    assert mg.equal(values, mg.cat([mg.rand(2), mg.rand(2), mg.rand(3)]))


def test_state_that_changes_in_place_goes_from_part_to_part() -> None:
    seen = mg.zeros(1)

    def f(x: Any) -> None:
        seen.add_(len(x))

    mg.in_parts(f, parts=3, batch=0, reduce="sum")(mg.ones(7))
    assert seen.item() == 7


# ---------------------------------------------------------------- nothing is half-done


class Stop(BaseException):
    pass


def world() -> dict[str, Any]:
    """A function that does all that may be taken back, and fails at a row that is nan."""
    w = mg.tensor([1.0, 2.0], dtype=mg.float64, requires_grad=True)
    w.grad = mg.tensor([0.5, 0.25], dtype=mg.float64)
    v = mg.tensor([1.0], dtype=mg.float64, requires_grad=True)
    seen, total = mg.zeros(3), mg.zeros(1, dtype=mg.float64)
    generator = mg.Generator().manual_seed(5)

    def f(x: Any, error: type[BaseException] = ValueError) -> Any:
        seen[1:].add_(1)
        seen.mul_(2)
        total.add_((x * w).sum())  # which puts it on the tape
        noise = mg.rand(2, dtype=mg.float64) + mg.rand(2, dtype=mg.float64, generator=generator)
        loss = ((w * x).sum() * v + noise.sum()).sum()
        loss.backward()
        if bool(mg.isnan(x).any()):
            raise error("a nan")
        return loss

    return {"w": w, "v": v, "seen": seen, "total": total, "generator": generator, "f": f}


def state(s: dict[str, Any]) -> list[Any]:
    tensors = [s["w"], s["v"], s["seen"], s["total"]]
    grads = [(id(t.grad), None if t.grad is None else t.grad.tolist()) for t in tensors[:2]]
    rng = [s["generator"].get_state().tolist(), mg.get_rng_state().tolist()]
    return [*(t.tolist() for t in tensors), grads, s["total"].grad_fn, rng]


@pytest.mark.parametrize("bad", [0, 4, 8])
@pytest.mark.parametrize("error", [ValueError, Stop, KeyboardInterrupt])
def test_an_exception_takes_all_back(bad: int, error: type[BaseException]) -> None:
    s = world()
    before = state(s)
    x = mg.ones(9, 2, dtype=mg.float64)
    x[bad] = mg.nan
    with pytest.raises(error, match="a nan") as caught:
        mg.in_parts(s["f"], parts=3, batch=0, reduce="sum")(x, error=error)
    assert state(s) == before
    if error is ValueError:
        text = "".join(traceback.format_exception(caught.value))
        assert f"in part {bad // 3 + 1} of 3 of in_parts(), rows {bad // 3 * 3} to {bad // 3 * 3 + 2}" in text


def test_a_refused_draw_of_a_recording_leaves_nothing() -> None:
    net = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.5))
    f = mg.in_parts(mg.compile(lambda x: net(x).sum()), parts=3, batch=0, reduce="sum", threads=2)
    before, position = [t.tolist() for t in net.buffers()], mg.get_rng_state().tolist()
    with pytest.raises(
        RuntimeError, match=r"on threads no random numbers are drawn.*test_parts.py:\d+, in Dropout"
    ):
        f(mg.zeros(9, 2))
    gc.collect()  # pytest warns where the way out of a run raises, which is an error
    assert [t.tolist() for t in net.buffers()] == before
    assert mg.get_rng_state().tolist() == position


def test_an_exception_takes_back_what_replays_changed() -> None:
    net = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.5), nn.Linear(2, 1))
    seen, given = mg.zeros(2), mg.ones(1)

    @mg.compile
    def step(x: Any, t: Any) -> Any:
        loss = net(x).sum()
        loss.backward()
        with mg.no_grad():
            seen.add_(x.sum(0))
            t.mul_(2)
        return loss

    def f(x: Any, t: Any) -> Any:
        loss = step(x, t)
        if bool(mg.isnan(x).any()):
            raise ValueError("a nan")
        return loss

    x = mg.randn(9, 2)
    mg.in_parts(f, parts=3, batch=0, reduce="sum")(x, given)
    net.zero_grad()
    x[8] = mg.nan

    def now() -> list[Any]:
        return [t.tolist() for t in (*net.state_dict().values(), seen, given, mg.get_rng_state())]

    before = now()
    with pytest.raises(ValueError, match="a nan"):
        mg.in_parts(f, parts=3, batch=0, reduce="sum")(x, given)
    assert now() == before
    assert all(p.grad is None for p in net.parameters())
    assert len(step.recordings) == 1


@pytest.mark.parametrize("threads", [2, 3])
def test_an_exception_on_a_thread_takes_all_back(threads: int) -> None:
    net = network()
    x, target = data()
    step = step_of(net)
    running: list[int] = []

    def f(x: Any, target: Any) -> Any:
        running.append(1)
        try:
            loss = step(x, target)
            if bool(mg.isnan(x).any()):
                raise ValueError("a nan")
            time.sleep(0.01)
            return loss
        finally:
            running.pop()

    g = mg.in_parts(f, parts=6, batch=(0, 1), reduce="mean", threads=threads)
    bad = x.clone()
    bad[9] = mg.nan
    with pytest.raises(ValueError, match="a nan") as caught:
        g(bad, target)
    assert not running
    assert all(p.grad is None for p in net.parameters())
    assert "in part 3 of 6" in caught.value.__notes__[0]
    other = network()
    assert close(g(x, target), step_of(other)(x, target))
    assert same_gradients(net, other)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm")
@pytest.mark.parametrize("threads", [1, 2])
def test_the_user_interrupts(threads: int, blas: int) -> None:
    net = network()
    x, target = data()
    step = step_of(net)
    finished: list[int] = []

    def f(x: Any, target: Any) -> Any:
        loss = step(x, target)
        time.sleep(0.05)
        finished.append(1)
        return loss

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.08)
        with pytest.raises(KeyboardInterrupt):
            mg.in_parts(f, parts=20, batch=(0, 1), reduce="mean", threads=threads)(x, target)
    finally:
        signal.signal(signal.SIGALRM, before)
    count = len(finished)
    assert count < 8
    assert all(p.grad is None for p in net.parameters())
    time.sleep(0.1)
    assert len(finished) == count
    assert mg.get_num_threads() == blas


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupt_at_any_instruction_leaves_all_or_nothing(threads: int, blas: int) -> None:
    place = os.path.dirname(mg.__file__)
    files = {
        os.path.join(place, *path.split("/"))
        for path in ("parts/__init__.py", "threads.py", "parts/journal.py")
    }

    def attempt(stop: int) -> tuple[bool, bool, bool]:
        """Whether it was interrupted, nothing has happened, and all has."""
        w = mg.tensor([1.0, 2.0], requires_grad=True)
        u = mg.tensor([1.0], requires_grad=True)
        w.grad, seen = mg.tensor([1.0, 1.0]), mg.zeros(1)

        def f(x: Any) -> Any:
            if threads == 1:
                seen.add_(1)
            loss = (x * w * u).sum()
            loss.backward()
            return loss.detach()

        g = mg.in_parts(f, parts=2, batch=0, reduce="sum", threads=threads)
        x = mg.ones(2, 2)
        came, _ = interrupted(lambda: g(x), stop, lambda code: code.co_filename in files)
        nothing = w.grad.tolist() == [1.0, 1.0] and u.grad is None and seen.item() == 0
        every = w.grad.tolist() == [3.0, 3.0] and u.grad is not None and seen.item() == 2 * (threads == 1)
        assert not changes.RUNNING
        assert mg.get_num_threads() == blas
        return came, nothing, every

    stop = 1
    while True:
        came, nothing, every = attempt(stop)
        assert nothing is not every, f"half-done at instruction {stop}"
        if not came:
            break
        stop += 1
    assert every
    assert stop > 500


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own() -> None:
    net = network()
    x, target = data()
    g = mg.in_parts(step_of(net), parts=4, batch=(0, 1), reduce="mean", threads=2)
    expected = g(x, target).item()
    child = os.fork()
    if child == 0:
        os._exit(0 if g(x, target).item() == expected else 1)
    deadline = time.monotonic() + 30
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    if ended[0] == 0:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert ended == (child, 0)


# ---------------------------------------------------------------- what is refused


def test_what_belongs_around_the_parts_is_refused() -> None:
    net = network()
    x, target = data()
    step, optimizer = step_of(net), optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    w = next(net.parameters())

    def parts(f: Any, threads: int = 1) -> Any:
        return mg.in_parts(f, parts=3, batch=(0, 1), reduce="mean", threads=threads)

    def sgd(x: Any, target: Any) -> None:
        step(x, target)
        with mg.no_grad():
            w.sub_(w.grad, alpha=0.1)

    def none(x: Any, target: Any) -> None:
        w.grad = None

    refused: dict[str, Any] = {
        r"step\(\)": lambda x, target: (step(x, target), optimizer.step()),
        r"zero_grad\(\)": lambda x, target: optimizer.zero_grad(),
        r"zero_grad\(\);": lambda x, target: net.zero_grad(set_to_none=False),
        "must not read a gradient": lambda x, target: w.grad * 2,
        "must not clear a gradient": none,
        "must not change a Tensor after": sgd,
    }
    step(x, target)
    before = [(p.grad.tolist(), p.tolist()) for p in net.parameters()]
    for threads in (1, 2):
        for sentence, f in refused.items():
            with pytest.raises(RuntimeError, match=sentence):
                parts(f, threads)(x, target)
    assert [(p.grad.tolist(), p.tolist()) for p in net.parameters()] == before
    assert not optimizer.state


def test_threads_have_no_order() -> None:
    seen = mg.zeros(1)
    rng = mg.get_rng_state()
    barrier = threading.Barrier(2, timeout=10)

    def count(x: Any) -> None:
        barrier.wait()
        seen.add_(1)

    with pytest.raises(RuntimeError, match="change the same Tensor"):
        mg.in_parts(count, parts=2, batch=0, reduce="sum", threads=2)(mg.ones(4))
    assert seen.item() == 0
    with pytest.raises(RuntimeError, match="no random numbers"):
        mg.in_parts(lambda x: x * mg.rand_like(x), parts=2, batch=0, reduce="join", threads=2)(mg.ones(4))
    assert mg.equal(mg.get_rng_state(), rng)


def test_what_one_part_changes_alone_is_no_conflict() -> None:
    def f(x: Any) -> Any:
        y = mg.zeros(1 << 16)  # from pooled memory, which later parts use again
        y.add_(x.sum())
        return y.sum()

    with mg.no_grad():
        assert mg.in_parts(f, parts=8, batch=0, reduce="sum", threads=2)(mg.ones(16)).item() == 16 * (1 << 16)


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"parts": 0}, ValueError, "parts must be"),
        ({"threads": 1.5}, ValueError, "threads must be"),
        ({"reduce": "max"}, ValueError, "no such way"),
        ({"gradients": "join"}, ValueError, "no such way"),
        ({"batch": 3}, TypeError, "does not have"),
        ({"batch": 2}, TypeError, "must be Tensors"),
        ({"batch": (0, 1)}, ValueError, "4, 5 rows"),
        ({"reduce": ("sum", "sum")}, RuntimeError, "does not fit"),
        ({"reduce": "join"}, TypeError, ".join. does not combine"),
    ],
)
def test_a_call_that_makes_no_sense(options: Any, kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        mg.in_parts(lambda x, y, z: x.sum(), **{"parts": 2, "batch": 0, "reduce": "sum", **options})(
            mg.ones(4), mg.ones(5), 1
        )


def test_results_that_make_no_sense() -> None:
    x = mg.arange(4)
    for reduce, f, sentence in [
        ("mean", lambda x: x.sum(), ".mean. does not combine"),
        ("sum", lambda x: "text", "a str"),
        ("sum", lambda x: x if x[0] == 0 else (x,), "another"),
    ]:
        with pytest.raises((TypeError, RuntimeError), match=sentence):
            mg.in_parts(f, parts=2, batch=0, reduce=reduce)(x)
    w = mg.ones(1, requires_grad=True)

    def f(x: Any) -> Any:
        y = x * w
        y.sum().backward()
        return y.detach()

    with pytest.raises(RuntimeError, match="gradients="):
        mg.in_parts(f, parts=2, batch=0, reduce="join")(x)
    assert w.grad is None
    mg.in_parts(f, parts=2, batch=0, reduce="join", gradients="sum")(x)
    assert w.grad.item() == 6


def test_it_is_not_recorded() -> None:
    f = mg.in_parts(lambda x: x.sum(), parts=2, batch=0, reduce="sum")
    with pytest.raises(RuntimeError, match=r"in_parts\(compile\(function\)"):
        mg.compile(f)(mg.ones(4))


def test_it_looks_like_the_function() -> None:
    def f(x: Any) -> Any:
        """Doc."""
        return x

    g = mg.in_parts(f, parts=2, batch=0, reduce="join")
    assert (g.__name__, g.__doc__, g.__wrapped__) == ("f", "Doc.", f)
    net = network()
    x, _ = data()
    assert close(mg.in_parts(net, parts=2, batch=0, reduce="join")(x), net(x))

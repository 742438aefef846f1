"""Blocks of large kernels, shared among threads: the same bits, the same errors, and nothing goes on afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad.nn.functional as F
from minigrad.kernels import sharing

ROWS, COLUMNS = 700, 512


@pytest.fixture(autouse=True)
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing.THREADS, "count", 3)


def noise(*shape: int) -> mg.Tensor:
    return mg.randn(*shape, generator=mg.Generator().manual_seed(1))


def places() -> mg.Tensor:
    return mg.randint(COLUMNS, (ROWS, COLUMNS), generator=mg.Generator().manual_seed(2))


def adam(x: mg.Tensor) -> mg.Tensor:
    p = mg.nn.Parameter(x.detach().clone())
    p.grad = x.detach().cos()
    mg.optim.Adam([p], amsgrad=True).step()
    return p.detach() + x


def convolution(x: mg.Tensor) -> mg.Tensor:
    values = x.reshape(-1)
    return F.conv2d(
        values[: 40 * 24 * 320].reshape(40, 24, 16, 20), values[-32 * 24 * 9 :].reshape(32, 24, 3, 3)
    )


OPERATIONS: dict[str, Callable[[mg.Tensor], mg.Tensor]] = {
    "gelu": F.gelu,
    "gelu of tanh": lambda x: F.gelu(x, approximate="tanh"),
    "softmax": lambda x: F.softmax(x, -1),
    "softmax of columns": lambda x: F.softmax(x, 0),
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "cross_entropy": lambda x: F.cross_entropy(x, places()[:, 0], reduction="none"),
    "layer_norm": lambda x: F.layer_norm(x, (COLUMNS,), x[0].detach(), x[1].detach()),
    "normalized": lambda x: F.layer_norm(x, (COLUMNS,)),
    "cumsum": lambda x: x.cumsum(1),
    "cumsum from the end": lambda x: x.flip(1).cumsum(1),
    "cumprod": lambda x: (1 + x / 1000).cumprod(1),
    "cummax": lambda x: x.cummax(1)[0],
    "gather": lambda x: x.gather(1, places()),
    "gather of columns": lambda x: x.gather(0, places()),
    "scatter_add": lambda x: x.scatter_add(1, places(), x),
    "scatter_add to columns": lambda x: x.scatter_add(0, places(), x),
    "amax": lambda x: x.scatter_reduce(1, places(), x, "amax"),
    "products of many": lambda x: x.reshape(140, 40, 64) @ x.reshape(140, 40, 64).mT,
    "convolution": convolution,
    "adam": adam,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_threads_change_no_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    results, shares = [], 0

    def counted(self: sharing.Threads, *args: Any) -> None:
        nonlocal shares
        shares += 1
        share(self, *args)

    share = sharing.Threads.share
    monkeypatch.setattr(sharing.Threads, "share", counted)
    for count in (1, 3):
        monkeypatch.setattr(sharing.THREADS, "count", count)
        x = noise(ROWS, COLUMNS).requires_grad_()
        y = OPERATIONS[name](x)
        y.backward(noise(*y.shape))
        assert x.grad is not None
        results.append((y.detach().numpy(), x.grad.numpy()))
        assert bool(shares) == (count > 1)
    for alone, shared in zip(*results, strict=True):
        assert alone.tobytes() == shared.tobytes()


def test_each_block_is_taken_once_by_several_threads() -> None:
    taken: list[tuple[int, int]] = []
    together = threading.Barrier(3)

    def work(starts: Iterator[int]) -> None:
        together.wait(20)
        taken.extend((k, threading.get_ident()) for k in starts)

    sharing.blocks(work, 1000, 10)
    assert sorted(k for k, _ in taken) == list(range(0, 1000, 10))


@pytest.mark.parametrize("helper", [True, False])
def test_an_error_is_raised_once_all_have_stopped(helper: bool) -> None:
    here, going = threading.get_ident(), threading.Barrier(3)
    writing = [0]

    def work(starts: Iterator[int]) -> None:
        going.wait(20)
        for k in starts:
            if (threading.get_ident() != here) == helper:
                raise KeyboardInterrupt(k)
            writing[0] += 1
            time.sleep(0.001)

    with pytest.raises(KeyboardInterrupt):
        sharing.blocks(work, 200, 1)
    before = writing[0]
    time.sleep(0.02)
    assert writing[0] == before < 200
    results: list[int] = []
    sharing.blocks(lambda starts: results.extend(starts), 5, 1)
    assert sorted(results) == [0, 1, 2, 3, 4]


def test_two_interrupts_in_a_row_leave_nothing_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as m:
        m.setattr(sharing._Starts, "close", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sharing.blocks(interrupted, 5, 1)
    together = threading.Barrier(3)
    sharing.blocks(lambda starts: together.wait(20) and None, 5, 1)


def test_helpers_see_what_numpy_is_to_do_about_overflow() -> None:
    def work(starts: Iterator[int]) -> None:
        together.wait(20)
        for _ in starts:
            np.float32(3e38) * np.float32(10)

    together = threading.Barrier(3)
    with np.errstate(over="ignore"):
        sharing.blocks(work, 50, 1)
    together = threading.Barrier(3)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        sharing.blocks(work, 50, 1)


def test_work_inside_of_work_and_of_parts_goes_on_alone() -> None:
    inner: list[bool] = []

    def nested(starts: Iterator[int]) -> None:
        for _ in starts:
            sharing.blocks(lambda some: inner.append(len(list(some)) == 4), 4, 1)

    sharing.blocks(nested, 9, 1)
    assert inner == [True] * 9
    seen: list[int] = []

    def part(x: mg.Tensor) -> mg.Tensor:
        sharing.blocks(lambda some: seen.append(len(list(some))), 4, 1)
        return x

    mg.in_parts(part, parts=2, batch=0, reduce="join", threads=2)(mg.ones(4))
    assert seen == [4, 4]


def test_the_number_of_threads_is_as_pytorch_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    have = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    for said, number in ({}, have), ({names[0]: "1"}, 1), ({names[1]: "1"}, 1), ({names[0]: "many"}, have):
        for name in names:
            monkeypatch.delenv(name, raising=False)
        for name, value in said.items():
            monkeypatch.setenv(name, value)
        assert sharing.Threads().number() == number
    before = mg.get_num_threads()
    mg.set_num_threads(1)
    assert sharing.THREADS.number() == 1
    mg.set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_starts_threads_of_its_own() -> None:
    F.gelu(noise(ROWS, COLUMNS))
    child = os.fork()
    if not child:
        F.gelu(noise(ROWS, COLUMNS))
        os._exit(sharing.THREADS.number() + 4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_there_may_be_no_threads_any_more() -> None:
    """At the end of a program, where a thread cannot be started; and more of them later than at first."""
    program = """
import atexit
import threading
import minigrad as mg
from minigrad.kernels import sharing
x = mg.ones(600, 1000)
taken = []
def gelu():
    print(mg.nn.functional.gelu(x).sum().item())
def together(count):
    sharing.THREADS.count, barrier = count, threading.Barrier(count)
    def work(starts):
        barrier.wait(20)
        taken.extend(starts)
    sharing.blocks(work, 40, 1)
atexit.register(gelu)
EARLY
"""
    early = "together(2)\ntogether(4)\nassert len(taken) == 80\ngelu()"
    for before in "sharing.THREADS.count = 2", early:
        run = subprocess.run(
            [sys.executable, "-c", program.replace("EARLY", before)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (run.returncode, run.stderr) == (0, "")
        assert set(run.stdout.split()) == {run.stdout.split()[0]}


def test_compiled_programs_call_large_kernels_alone() -> None:
    net = mg.nn.Sequential(mg.nn.Conv2d(6, 16, 5), mg.nn.GELU(), mg.nn.Flatten(), mg.nn.LayerNorm(1024))
    x = mg.randn(256, 6, 12, 12)
    shared: list[object] = []

    def step(x: mg.Tensor) -> mg.Tensor:
        loss = net(x).square().mean()
        net.zero_grad()
        loss.backward()
        return loss

    compiled = mg.compile(step)
    share = sharing.THREADS.share
    for _ in range(2):
        loss = step(x)
        gradients = [p.grad.clone() for p in net.parameters()]
        assert mg.equal(compiled(x), loss)
        assert all(mg.equal(p.grad, g) for p, g in zip(net.parameters(), gradients, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sharing.THREADS, "share", lambda work, starts: shared.append(starts) or share(work, starts)
        )
        compiled(x)
    assert shared == []
    assert not sharing.THREADS.alone


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_threads_of_blas_change_no_bit_of_a_softmax_of_columns(name: str) -> None:
    pytest.importorskip("threadpoolctl")
    before, results = mg.get_num_threads(), []
    x = mg.randn(100, 9999, generator=mg.Generator().manual_seed(1)).requires_grad_()
    try:
        for count in (1, 2, 3):
            mg.set_num_threads(count)
            y = getattr(x, name)(0)
            (g,) = mg.autograd.grad(y, x, x.detach().cos())
            results.append(y.detach().numpy().tobytes() + g.numpy().tobytes())
    finally:
        mg.set_num_threads(before)
    assert len(set(results)) == 1

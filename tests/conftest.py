"""Fixtures for every test: no test may leave a changed global state behind."""

from __future__ import annotations

import gc
import importlib
import itertools
import os
import random
import signal
import statistics
import sys
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

# Threads of BLAS wait for work by spinning: for matrices as small as here that takes ten times the work itself.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# What Numba gets is under test, and not its optimiser, which takes half of the time.
os.environ.setdefault("NUMBA_OPT", "0")
# A shell has its background jobs ignore interrupts, and the programs that tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import numpy as np
import pytest
from hypothesis import settings

import minigrad as mg
from minigrad import errors
from minigrad._printing import get_printoptions
from minigrad.core.mode import MODE, Mode
from minigrad.ops import TABLE

# The same examples and the same draws in each run, whatever ran before: what fails, fails again.
# `--hypothesis-profile=default` and `--seed=N` draw others.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=0, help="where every generator starts, in each test")


def seed_all(config: pytest.Config) -> None:
    seed = config.getoption("--seed")
    mg.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def pytest_pycollect_makemodule(parent: pytest.Collector) -> None:
    """What a file draws while it is imported depends on no file before."""
    seed_all(parent.config)


def state() -> dict[str, Any]:
    """Every setting that outlives a test, by name."""
    mode = MODE.get()
    return {
        "grad mode": (mode.grad, mode.inference, mode.everything, mode.anomaly),
        "default dtype": mg.get_default_dtype(),
        "print options": get_printoptions(),
        "np.geterr": np.geterr(),
        "NumPy's print options": np.get_printoptions(),
        "op table": tuple(TABLE),
    }


@pytest.fixture(autouse=True)
def no_state_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test after which a setting is not as before; every test draws from the same seed."""
    before = state()
    seed_all(request.config)
    yield
    after = state()
    MODE.set(Mode())  # so that one sinner does not spoil the others
    mg.set_default_dtype(before["default dtype"])
    changed = [name for name in before if before[name] != after[name]]
    assert not changed, f"the test left behind a changed {', '.join(changed)}"


class Everything(set[str]):
    """What PyTorch warns of once in a process has been told, but in the tests of that."""

    def __contains__(self, message: object) -> bool:
        return True


errors.TOLD = Everything()


# ---------------------------------------------------------------- what the tests cost


@pytest.fixture(autouse=True, scope="module")
def nothing_older_is_collected() -> None:
    """What stands when a file begins (tests, modules, reports) is no garbage: no collection looks at it again."""
    gc.collect()
    gc.freeze()


# Each process tells its processor time and that of the programs that its tests ran, and, for the speed that the machine
# has while they run, what a fixed piece of work took among them: a machine of another speed takes as many pieces.
TOLD: list[tuple[float, list[float]]] = []
PIECES: list[float] = []


def piece() -> float:
    """Seconds that a fixed piece of work takes: Python's own, many small arrays and a large one."""
    start = time.thread_time()
    total, x, y = 0, np.ones((8, 8)), np.ones(20_000)
    for i in range(6000):
        total += len(str(i))
    for _ in range(600):
        x = np.add(x @ x, 1.0) / 9.0
    for _ in range(6):
        y = np.tanh(y)
    return time.thread_time() - start


def pytest_runtest_teardown() -> None:
    if (count := next(COUNT)) % 100 == 0 and count:
        PIECES.append(piece())


COUNT = itertools.count()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # a worker of pytest-xdist
        session.config.workeroutput["told"] = sum(os.times()[:4]), PIECES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    if "told" in (output := getattr(node, "workeroutput", {})):
        TOLD.append(output["told"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    own = sum(os.times()[: 2 if TOLD else 4])  # a worker is a child, and has told its time
    spent, pieces = own + sum(t for t, _ in TOLD), [s for _, several in TOLD for s in several] or PIECES
    line = f"processor time: {spent:.0f} s"
    if pieces:
        line += f", that of {spent / statistics.mean(pieces) / 1000:.1f} thousand pieces of work"
    terminalreporter.write_line(line)


@pytest.fixture
def torch() -> Iterator[ModuleType]:
    """The stand-in, in this process, as long as the test runs."""
    from minigrad import standin  # with much that other tests load in their own order

    others = {
        name: sys.modules.pop(name)
        for name in list(sys.modules)
        if name.partition(".")[0] in ("torch", "functorch")
    }
    standin.install()
    try:
        yield importlib.import_module("torch")
    finally:
        standin.uninstall()
        sys.modules.update(others)

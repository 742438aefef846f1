"""Fixtures for every test: no test may leave a changed global state behind."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

# Threads of BLAS wait for work by spinning: for matrices as small as here that takes ten times the work itself.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# What Numba gets is under test, and not its optimiser, which takes half of the time.
os.environ.setdefault("NUMBA_OPT", "0")

import numpy as np
import pytest

import minigrad as mg
from minigrad._printing import get_printoptions
from minigrad.core.mode import MODE, Mode
from minigrad.ops import TABLE


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
def no_state_left_behind() -> Iterator[None]:
    """Fails a test after which a setting is not as before; draws from the default generator are undone."""
    before, drawn = state(), mg.random.default_generator._dump()
    yield
    after = state()
    if not np.array_equal(mg.random.default_generator._dump(), drawn):  # to set a state takes longer
        mg.set_rng_state(drawn)
    MODE.set(Mode())  # so that one sinner does not spoil the others
    mg.set_default_dtype(before["default dtype"])
    changed = [name for name in before if before[name] != after[name]]
    assert not changed, f"the test left behind a changed {', '.join(changed)}"


# ---------------------------------------------------------------- what the tests cost


@pytest.fixture(autouse=True, scope="module")
def nothing_older_is_collected() -> None:
    """What stands when a file begins (tests, modules, reports) is no garbage: no collection looks at it again."""
    gc.collect()
    gc.freeze()


WORKERS: list[float] = []


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells the processor time of its own and of the programs that its tests ran."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["processor time"] = sum(os.times()[:4])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    WORKERS.append(getattr(node, "workeroutput", {}).get("processor time", 0.0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    own = sum(os.times()[: 2 if WORKERS else 4])  # a worker is a child, and has told its time
    terminalreporter.write_line(f"processor time: {own + sum(WORKERS):.0f} s")

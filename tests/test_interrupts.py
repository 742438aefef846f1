"""An interrupt between any two instructions leaves no mode on: every instruction of a few programs is tried."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.core.mode import MODE

PROGRAMS: dict[str, Callable[[], object]] = {}


class Interrupt(BaseException):
    pass


def program(function: Callable[[], object]) -> Callable[[], object]:
    PROGRAMS[function.__name__] = function
    return function


def leaf() -> Any:
    return mg.ones(2, requires_grad=True)


@program
def no_grad() -> None:
    with mg.no_grad():
        leaf()


@program
def nested() -> None:
    with mg.no_grad(), mg.enable_grad():
        leaf()


@program
def inference() -> None:
    with mg.inference_mode():
        leaf()


@program
@mg.no_grad()
def decorated() -> None:
    leaf()


@program
def generator() -> None:
    @mg.no_grad()
    def values() -> Iterator[Any]:
        yield leaf()

    list(values())


@program
def backward() -> None:
    leaf().sum().backward()


@program
def anomaly() -> None:
    with mg.autograd.detect_anomaly():
        leaf()


LAYER = nn.Linear(1, 1)
OPTIMIZER = mg.optim.SGD(LAYER.parameters(), lr=0.1, momentum=0.9)


@program
def step() -> None:
    LAYER(mg.ones(1, 1)).sum().backward()
    OPTIMIZER.step()


@program
def transform() -> None:
    mg.func.grad(lambda x: x.sum())(mg.ones(2))


def interrupted(function: Callable[[], object], at: int) -> bool:
    """Runs it with an interrupt before its instruction number ``at``; whether it came that far."""
    left = at

    def trace(frame: Any, event: str, arg: Any) -> Any:
        nonlocal left
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left == 0:
                raise Interrupt
        return trace

    before, mode = sys.gettrace(), MODE.get()
    sys.settrace(trace)
    try:
        function()
    except Interrupt:  # the exception keeps all frames alive, and the mode must be restored all the same
        assert MODE.get() is mode, f"a mode was left on by an interrupt at instruction {at}"
    finally:
        sys.settrace(before)
    return left <= 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_mode_stays_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda info: None)  # of an interrupt inside a finalizer
    function = PROGRAMS[name]
    function()
    at, stride = 1, 1 if name in ("no_grad", "nested", "decorated", "generator") else 7
    mode = MODE.get()
    while interrupted(function, at):
        assert MODE.get() is mode, f"a mode was left on by an interrupt at instruction {at}"
        at += stride
    assert at > 50


def test_modes_by_hand_and_in_a_stack() -> None:
    manager = mg.no_grad()
    manager.__enter__()
    assert not mg.is_grad_enabled()
    manager.__exit__(None, None, None)
    assert mg.is_grad_enabled()
    with ExitStack() as stack:
        stack.enter_context(mg.no_grad())
        stack.enter_context(mg.enable_grad())
        assert mg.is_grad_enabled()
    assert mg.is_grad_enabled()
    twice = mg.no_grad()
    with twice:
        with twice:
            pass
        assert not mg.is_grad_enabled()
    assert mg.is_grad_enabled()


def test_a_switch_is_undone_by_its_exit_alone() -> None:
    with mg.set_grad_enabled(False):
        mg.set_grad_enabled(True)
        assert mg.is_grad_enabled()
    assert mg.is_grad_enabled()
    mg.set_grad_enabled(False)
    assert not mg.is_grad_enabled()
    mg.set_grad_enabled(True)
    with mg.autograd.set_detect_anomaly(True):
        assert mg.is_anomaly_enabled()
    assert not mg.is_anomaly_enabled()

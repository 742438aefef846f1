"""An interrupt at any instruction of a compiled call leaves it done or not done, and no mode on."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.core.mode import MODE, RECORDERS

FOLDER = str(Path(mg.__file__).parent / "compiler")


def of_the_compiler(code: CodeType) -> bool:
    return code.co_filename.startswith(FOLDER)


def interrupted(
    call: Callable[[], Any], at: int, within: Callable[[CodeType], bool] = of_the_compiler
) -> tuple[bool, bool]:
    """Calls with an interrupt before one instruction of the code ``within``; whether it came, and the call ended."""
    count = 0

    def inside(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "opcode":
            count += 1
            if count == at:
                raise KeyboardInterrupt
        return inside

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if not within(frame.f_code):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return inside

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 asks for it when tracing begins
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True, False
    finally:
        sys.settrace(before)
    return count >= at, True


class Setting:
    """A training step with momentum and dropout: parameters, gradients, states of the optimizer and the generator."""

    def __init__(self, warm: int) -> None:
        mg.manual_seed(3)
        self.net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        self.opt = optim.SGD(self.net.parameters(), lr=0.1, momentum=0.9)
        self.x, self.t = mg.ones(4, 2), mg.ones(4, 1)

        def step(x: Any, t: Any) -> Any:
            self.opt.zero_grad()
            loss = nn.functional.mse_loss(self.net(x + mg.rand(4, 2)), t)
            loss.backward()
            self.opt.step()
            return loss

        self.eager, self.step = step, mg.compile(step)
        for _ in range(warm):
            self.step(self.x, self.t)

    def state(self) -> list[Any]:
        arrays = [p.detach().numpy().copy() for p in self.net.parameters()]
        arrays += [np.zeros(0) if p.grad is None else p.grad.numpy().copy() for p in self.net.parameters()]
        for p in self.net.parameters():
            arrays += [t.detach().numpy().copy() for t in self.opt.state.get(p, {}).values()]
        return [
            *arrays,
            mg.get_rng_state().numpy().copy(),
            np.array(list(self.opt.param_groups[0]["lr"].hex())),
        ]


def same(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


# The third call prints the guards, which takes 20,000 instructions; a replay after it takes 530.  Python itself
# tells of an interrupt in `__del__`, and goes on.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <function _Way.__del__")
@pytest.mark.parametrize(
    ("warm", "stride"), [(0, 4001), (2, 211), (3, 2)], ids=["recording", "printing", "replay"]
)
def test_an_interrupted_call_is_done_or_not_done(warm: int, stride: int) -> None:
    calm = Setting(warm)
    before = copy.deepcopy(calm.state())
    calm.step(calm.x, calm.t)
    after = calm.state()
    mode = MODE.get()
    outcomes = set()
    at = 1
    while True:
        here = Setting(warm)
        came, ended = interrupted(lambda here=here: here.step(here.x, here.t), at)
        assert MODE.get() is mode
        assert not RECORDERS
        assert type(here.opt.param_groups[0]["lr"]) is float
        done = same(here.state(), after)
        assert done or same(here.state(), before), f"half of a call after instruction {at}"
        outcomes.add(done)
        if not came:
            assert ended
            break
        at += stride
    assert outcomes == {False, True}


def test_no_interrupt_leaves_an_option_of_an_optimizer_replaced() -> None:
    w = nn.Parameter(mg.ones(2))
    opt = optim.SGD([w], lr=0.1)

    def step(x: Any) -> Any:
        opt.zero_grad()
        loss = (w * x).sum()
        loss.backward()
        opt.step()
        return loss

    at, came = 0, True
    while came:
        at += 1
        came, _ = interrupted(
            lambda: mg.compile(step)(mg.ones(2)), at, lambda code: code.co_name == "watching"
        )
        assert type(opt.param_groups[0]["lr"]) is float, f"replaced after instruction {at}"
    assert at > 20

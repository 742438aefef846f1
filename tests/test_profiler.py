"""`profiler` and `autograd.profiler`: what is timed, under which names, and when."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn, profiler
from minigrad.core import engine
from minigrad.core.quiet import QUIET
from minigrad.profiler import ProfilerAction, record_function, schedule
from minigrad.utils._python_dispatch import TorchDispatchMode
from minigrad.utils.checkpoint import checkpoint
from minigrad.utils.flop_counter import FlopCounterMode


def test_kernels_rules_and_named_parts_are_timed() -> None:
    run, send = QUIET.run, engine.Pass.send
    x = mg.randn(4, 3, requires_grad=True)
    w = mg.randn(3, 2)

    @record_function("inner")
    def inner() -> Any:
        return (x @ w).sin()

    with profiler.profile(record_shapes=True, profile_memory=True, with_stack=True) as prof:
        with record_function("outer"):
            y = inner() * inner()
        y.sum().backward()
    assert QUIET.run == run
    assert engine.Pass.send is send
    rows: dict[str, Any] = {e.key: e for e in prof.key_averages()}
    assert rows["sin"].count == rows["inner"].count == 2
    assert rows["MulBackward0"].count == rows["outer"].count == 1
    assert rows["matmul"].input_shapes == [[4, 3], [3, 2]]
    assert rows["matmul"].cpu_memory_usage == 2 * 4 * 2 * 4
    assert __file__.rpartition("/")[2] in rows["matmul"].stack[0]
    assert rows["outer"].cpu_time_total >= rows["inner"].cpu_time_total >= rows["sin"].cpu_time_total > 0
    assert rows["outer"].self_cpu_time_total < rows["outer"].cpu_time_total
    assert rows["sin"].cpu_time == rows["sin"].cpu_time_total / 2
    events = prof.events()
    assert [e.name for e in events][:3] == ["outer", "inner", "matmul"]
    assert events.total_average().count == len(events)
    # each moment counts once
    spans = [(e.time_range.start, e.time_range.end) for e in events]
    assert events.self_cpu_time_total <= max(b for _, b in spans) - min(a for a, _ in spans)
    lines = prof.key_averages(group_by_input_shape=True).table("count", row_limit=2).splitlines()
    assert len(lines) == 7
    for title in (
        "Name",
        "Self CPU %",
        "CPU total",
        "CPU time avg",
        "Self CPU Mem",
        "# of Calls",
        "Input Shapes",
    ):
        assert title in lines[1]
    assert lines[-1].startswith("Self CPU time total: ")
    with pytest.raises(ValueError, match="sort_by is one of"):
        prof.key_averages().table(sort_by="nonsense")
    assert prof.key_averages().table(sort_by="self_cuda_time_total")


def test_steps_of_a_schedule(tmp_path: Path) -> None:
    plan = schedule(skip_first=1, wait=1, warmup=1, active=2, repeat=2)
    actions = "".join(plan(k).name[0] if plan(k).value < 3 else "S" for k in range(12))
    assert actions == "NNWRSNWRSNNN"
    ready: list[Any] = []

    def handler(prof: profiler.profile) -> None:
        ready.append((prof.step_num, sorted({e.key for e in prof.key_averages()})))
        prof.export_chrome_trace(str(tmp_path / "trace.json"))

    with profiler.profile(schedule=plan, on_trace_ready=handler) as prof:
        for _ in range(11):
            mg.ones(2).cos()
            prof.step()
    assert ready == [
        (5, ["ProfilerStep#3", "ProfilerStep#4", "cos"]),
        (9, ["ProfilerStep#7", "ProfilerStep#8", "cos"]),
    ]
    trace = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))
    assert {e["name"] for e in trace["traceEvents"]} == {"ProfilerStep#7", "ProfilerStep#8", "cos"}
    folder = tmp_path / "log"
    with profiler.profile(on_trace_ready=profiler.tensorboard_trace_handler(str(folder), "w")):
        mg.ones(2).cos()
    assert [f.name.startswith("w.") and f.name.endswith(".pt.trace.json") for f in folder.iterdir()] == [True]
    write = profiler.tensorboard_trace_handler(str(tmp_path / "packed"), use_gzip=True)
    with profiler.profile(on_trace_ready=write) as prof, record_function("whole"):
        mg.ones(2).cos()
    with gzip.open(next((tmp_path / "packed").glob("*.pt.trace.json.gz"))) as file:
        assert {e["name"] for e in json.load(file)["traceEvents"]} == {"whole", "cos"}
    tops = [
        e.table(top_level_events_only=x) for e in (prof.events(), prof.key_averages()) for x in (True, False)
    ]
    assert ["cos" in table for table in tops] == [False, True] * 2
    assert all("whole" in table for table in tops)
    assert schedule(wait=1, warmup=0, active=1, skip_first_wait=1)(0) is ProfilerAction.RECORD_AND_SAVE
    for options in ({"wait": -1, "warmup": 0, "active": 1}, {"wait": 0, "warmup": 0, "active": 0}):
        with pytest.raises(ValueError, match="Invalid profiler schedule arguments"):
            schedule(**options)


def test_a_profiler_ends_with_its_statement_and_stands_alone() -> None:
    outer = mg.autograd.profiler.profile(use_kineto=True)

    def program() -> None:
        with outer:
            mg.ones(2) / mg.ones(2)
            with pytest.raises(RuntimeError, match="another profiler runs in this thread"):
                profiler.profile().start()
            with pytest.raises(RuntimeError, match="didn't finish running"):
                outer.key_averages()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        program()
    assert [e.key for e in outer.key_averages() if e.key == "div"] == ["div"]
    with pytest.raises(RuntimeError, match="not reentrant"), outer:
        pass
    with pytest.raises(RuntimeError, match="nothing was recorded yet"):
        profiler.profile().key_averages()
    layer = nn.Linear(2, 2)
    with mg.autograd.profiler.profile() as prof, mg.no_grad():
        layer(mg.ones(1, 2))
    assert prof is not None
    assert "linear" in str(prof)
    with record_function("nobody listens"):
        pass


def test_a_profiler_ends_once_and_where_it_began() -> None:
    run, send = QUIET.run, engine.Pass.send
    prof = profiler.profile()
    prof.start()
    mg.ones(2).cos()
    with pytest.raises(RuntimeError, match="another profiler runs in this thread"):
        prof.start()
    errors: list[str] = []

    def end() -> None:
        with pytest.raises(RuntimeError, match="in which it began") as error:
            prof.stop()
        errors.append(str(error.value))

    thread = threading.Thread(target=end)
    thread.start()
    thread.join()
    assert len(errors) == 1
    prof.stop()
    prof.stop()
    assert "cos" in {e.key for e in prof.events()}
    assert (QUIET.run, engine.Pass.send) == (run, send)
    # A thread that ends while it profiles takes its profiler with it: the next one may have its number.
    begun: list[None] = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: begun.append(profiler.profile().start()))
        thread.start()
        thread.join()
    assert len(begun) == 2
    with profiler.profile():
        pass
    assert engine.Pass.send is send


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, groups=1)
        self.head = nn.Sequential(nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 2))

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        return self.head(self.conv(x).flatten(1))


def flops(forward: Callable[[], mg.Tensor]) -> tuple[dict[str, int], dict[str, int]]:
    """The operations of a function, and of its backward pass."""
    with FlopCounterMode(display=False) as counter:
        y = forward()
    forwards = counter.get_flop_counts().get("Global", {})
    with counter:
        y.sum().backward()
    return forwards, counter.get_flop_counts().get("Global", {})


def test_operations_are_counted_as_pytorch_counts_them() -> None:
    """The numbers are those of PyTorch 2.13."""

    def n(*sizes: int) -> mg.Tensor:
        return mg.randn(*sizes, requires_grad=True)

    def attention(p: float) -> mg.Tensor:
        q = [n(2, 2, 5, 8) for _ in range(3)]
        return nn.functional.scaled_dot_product_attention(*q, dropout_p=p)

    heads = nn.MultiheadAttention(4, 2)
    cases: list[tuple[Callable[[], mg.Tensor], dict[str, int], dict[str, int]]] = [
        (lambda: n(3, 4) @ n(4, 5), {"aten.mm": 120}, {"aten.mm": 240}),
        (lambda: mg.ones(3, 4) @ n(4, 5), {"aten.mm": 120}, {"aten.mm": 120}),
        (lambda: n(6, 1, 3, 4) @ n(2, 4, 5), {"aten.bmm": 1440}, {"aten.bmm": 2880}),
        (lambda: n(2, 3, 4) @ n(4), {}, {}),
        (lambda: mg.addmm(n(5), n(3, 4), n(4, 5)), {"aten.addmm": 120}, {"aten.mm": 240}),
        (lambda: mg.addbmm(n(3, 5), n(2, 3, 4), n(2, 4, 5)), {}, {"aten.bmm": 480}),
        (lambda: nn.Linear(4, 5)(mg.ones(2, 3, 4)), {"aten.addmm": 240}, {"aten.mm": 240}),
        (lambda: nn.Conv2d(4, 6, 3, groups=2)(n(2, 4, 7, 7)),
         {"aten.convolution": 10800}, {"aten.convolution_backward": 32400}),
        (lambda: nn.ConvTranspose1d(4, 6, 3, stride=2, groups=2)(n(2, 4, 7)),
         {"aten.convolution": 1008}, {"aten.convolution_backward": 3024}),
        (lambda: attention(0.0), {}, {}),
        (lambda: attention(0.1), {"aten.bmm": 3200}, {"aten.bmm": 6400}),
        (lambda: heads(*[n(3, 2, 4)] * 3, need_weights=False)[0], {"aten.addmm": 768}, {"aten.mm": 1536}),
        (lambda: nn.GRU(3, 4, 2)(n(5, 2, 3))[0], {"aten.addmm": 3600}, {"aten.mm": 6816}),
        (lambda: nn.LSTM(3, 4, 2)(n(5, 2, 3))[0], {}, {}),
        (lambda: nn.LSTMCell(3, 4)(n(2, 3))[0], {"aten.addmm": 448}, {"aten.mm": 640}),
    ]  # fmt: skip
    for k, (forward, forwards, backwards) in enumerate(cases):
        assert flops(forward) == (forwards, backwards), k
    # A result that nothing comes back to does not keep the others from their module.
    net = nn.Sequential(nn.MultiheadAttention(8, 2, batch_first=True))
    with FlopCounterMode(display=False) as counter:
        net[0](*[mg.ones(2, 3, 8)] * 3)[0].sum().backward()
    assert counter.get_flop_counts()["MultiheadAttention"] == counter.get_flop_counts()["Global"]
    a, b = n(3, 4), n(4, 5)
    with FlopCounterMode(display=False) as counter, mg.no_grad(), profiler.profile() as times:
        a @ b
    assert counter.get_total_flops() == 120
    assert len(times.events()) == 1
    with counter:
        g = mg.autograd.grad((a @ b).tanh().sum(), a, create_graph=True)[0]
    assert counter.get_total_flops() == 240
    assert g.requires_grad


def test_a_record_that_is_computed_again_is_counted_once_in_backward() -> None:
    layer = nn.Linear(4, 4)
    with FlopCounterMode(display=False) as counter:
        checkpoint(layer, mg.ones(2, 4, requires_grad=True), use_reentrant=False).sum().backward()
    assert counter.get_flop_counts()["Linear"] == {"aten.addmm": 128, "aten.mm": 128}
    assert counter.get_total_flops() == 256


def test_a_counter_that_does_not_run_does_not_end() -> None:
    counter = FlopCounterMode(display=False)
    with pytest.raises(RuntimeError, match="FlopCounterMode does not run here"):
        counter.__exit__(None, None, None)
    with counter:
        (mg.ones(2, 2) @ mg.ones(2, 2)).sum()
    assert counter.get_total_flops() == 16


def test_operations_by_module(capsys: pytest.CaptureFixture[str]) -> None:
    net = Small()
    with FlopCounterMode(depth=1) as counter:
        net(mg.ones(2, 1, 5, 5)).sum().backward()
    counts = counter.get_flop_counts()
    assert counts["Small"] == counts["Global"] == {
        "aten.convolution": 1296, "aten.addmm": 1216, "aten.mm": 2432, "aten.convolution_backward": 1296,
    }  # fmt: skip
    assert counts["Small.conv"] == {"aten.convolution": 1296, "aten.convolution_backward": 1296}
    assert counts["Small.head.2"] == {"aten.addmm": 64, "aten.mm": 128}
    assert capsys.readouterr().out.splitlines() == [
        "Module                          FLOP    % Total",
        "----------------------------  ------  ---------",
        "Small                           6240    100.00%",
        " - aten.convolution             1296     20.77%",
        " - aten.addmm                   1216     19.49%",
        " - aten.mm                      2432     38.97%",
        " - aten.convolution_backward    1296     20.77%",
    ]
    assert "\n  Small.head.0 " in counter.get_table(depth=3)
    with pytest.raises(RuntimeError, match="entered twice"), counter, counter:
        pass
    assert mg.exp(mg.zeros(1)).item() == 1


def test_a_mode_for_the_lower_layer_takes_functions_over() -> None:
    class Doubled(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.names: list[str] = []

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.names.append(str(func))
            return 2 * func(*args, **(kwargs or {}))

    x = mg.ones(2)
    with Doubled() as mode:
        y = (x + 1).exp().tolist()
        assert x.shape == (2,)
        assert x.sum().item() == 4
    assert y == pytest.approx([109.1963] * 2)
    assert mode.names == ["aten.add.default", "aten.exp.default", "aten.sum.default"]
    with pytest.raises(NotImplementedError, match="without a __torch_dispatch__"), TorchDispatchMode():
        mg.exp(x)

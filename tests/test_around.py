"""What stands around training scripts: times of statements, names of compilers, processes."""

from __future__ import annotations

import os
import pickle
import re
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad import multiprocessing as mp
from minigrad.utils import benchmark


def ticking(*steps: float) -> Callable[[], float]:
    """A clock on which each second look is so much later than the first."""
    now, turn = [0.0], [0]

    def clock() -> float:
        if turn[0] % 2:
            now[0] += steps[turn[0] // 2 % len(steps)]
        turn[0] += 1
        return now[0]

    return clock


def _write(module: mg.nn.Module, view: mg.Tensor, own: mg.Tensor) -> None:
    assert all(p.is_shared() and p.requires_grad for p in module.parameters())
    module(mg.ones(1, 2)).sum().backward()
    mg.optim.SGD(module.parameters(), 0.5).step()
    view += 1
    own += 1


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_share_what_is_moved_to_shared_memory(method: str) -> None:
    if method not in mp.get_all_start_methods():
        pytest.skip(f"the system has no {method}")
    module, table, own = mg.nn.Linear(2, 1).share_memory(), mg.zeros(3, 2, dtype=mg.float64), mg.zeros(2)
    assert table.share_memory_() is table.share_memory_()
    assert [t.is_shared() for t in (table, table.untyped_storage(), own)] == [True, True, False]
    before, bias = module.weight.detach().clone(), module.bias.item()
    columns = mg.arange(6.0).view(2, 3).t().share_memory_()
    assert (columns.stride(), columns.tolist()) == ((1, 3), [[0, 3], [1, 4], [2, 5]])
    assert mg.ones(1, 3).expand(2, 3).share_memory_().stride() == (0, 1)
    assert mg.ones(0, 2).share_memory_().is_shared()
    process = mp.get_context(method).Process(target=_write, args=(module, table[1:, 1], own))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert mg.allclose(module.weight, before - 0.5)
    assert module.bias.item() == pytest.approx(bias - 0.5)
    assert (table.tolist(), own.tolist()) == ([[0, 0], [0, 1], [0, 1]], [0, 0])
    assert not pickle.loads(pickle.dumps(table)).is_shared()
    grown = mg.optim.Adagrad([mg.nn.Parameter(mg.ones(2))])
    grown.share_memory()
    assert all(state["sum"].is_shared() for state in grown.state.values())


def test_tables_print_as_pytorch_s() -> None:
    """Literals are torch's, but for the word that says in green which time is the least."""

    def measured(name: str, column: str, time: float, threads: int = 1, env: str | None = None) -> Any:
        spec = benchmark.TaskSpec("x", "pass", "", "l", name, column, env, threads)
        return benchmark.Measurement(1, [time], spec)

    table = benchmark.Compare([measured("a", "c", 1.23456e-3), measured("b", "c", 123.456e-3)])
    table.extend_results([measured("b", "other", 1.5e-3, 4)])
    head = [
        "[----------- l -----------]", "         |    c    |  other", "1 threads: ----------------",
        "      a  |    1.2  |       ", "      b  |  123.5  |       ", "4 threads: ----------------",
        "      b  |         |   1.5 ", "", "Times are in milliseconds (ms).", "",
    ]  # fmt: skip
    assert str(table).split("\n") == head
    table.trim_significant_figures()
    table.colorize(rowwise=True)
    table.highlight_warnings()
    lines = str(table).split("\n")
    assert lines[3] == "      a  |  \033[92m  1.2\033[0m  |       "
    assert lines[6] == "      b  |         |  \033[92m1.500\033[0m"
    apart = benchmark.Compare(
        [measured(n, "c", 1e-3, env=e) for n, e in (("a", "E1"), ("a", "E2"), ("b", "E2"))]
    )
    assert str(apart).split("\n")[3:6] == ["  (E1)  a  |  1.0", "  (E2)  a  |  1.0", "        b  |  1.0"]
    assert str(benchmark.Compare([])) == ""


def test_measurements_print_as_pytorch_s() -> None:
    spec = benchmark.TaskSpec(
        "y = x + 1\ny * 2", "x = 1", sub_label="small", description="sums", num_threads=2
    )
    few, many = (benchmark.Measurement(10, times, spec) for times in ([3e-5], [2e-5, 3e-5, 4e-5, 8e-5]))
    head = (
        "<minigrad.utils.benchmark.utils.common.Measurement object at 0x>\n"
        "stmt (small):\n  y = x + 1\n  y * 2\n\nsums\nsetup: x = 1\n"
    )
    texts = [re.sub("0x[0-9a-f]+", "0x", repr(m)) for m in (few, many)]
    assert texts[0] == f"{head}  3.00 us\n  1 measurement, 10 runs , 2 threads"
    assert texts[1] == head + (
        "  Median: 3.50 us\n  IQR:    2.25 us (2.75 to 5.00)\n  4 measurements, 10 runs per measurement, 2 threads\n"
        "  WARNING: Interquartile range is 64.3% of the median measurement.\n           This suggests significant "
        "environmental influence."
    )
    assert (many.median, many.mean) == pytest.approx((3.5e-6, 4.25e-6))
    assert (many.has_warnings, few.has_warnings, many.sub_label, many.significant_figures) == (
        True,
        False,
        "small",
        1,
    )
    (merged,) = benchmark.Measurement.merge([few, many])
    assert (len(merged.times), merged.number_per_run, merged.task_spec) == (5, 1, spec)
    assert pickle.loads(pickle.dumps(many)).title == many.title
    with pytest.raises(AttributeError, match="no attribute 'shape'"):
        _ = many.shape
    for t, unit in ((3e-9, "ns"), (3e-6, "us"), (3e-3, "ms"), (3.0, "s"), (3e4, "s")):
        assert benchmark.select_unit(t)[0] == unit


def test_timers() -> None:
    runs: list[int] = []
    timer = benchmark.Timer("runs.append(1)", globals={"runs": runs}, timer=ticking(0.5))
    m = timer.timeit(300)
    assert (len(runs), m.number_per_run, m.raw_times) == (303, 300, [0.5])
    seen: list[tuple[int, float]] = []
    clock = ticking(
        *[1e-9] * 5, 1.5, *[0.25] * 4
    )  # empty blocks, one that is long enough, and those that count
    blocks = benchmark.Timer("pass", timer=clock).blocked_autorange(lambda *x: seen.append(x), 1.0)  # type: ignore[func-returns-value, arg-type]
    assert seen == [(blocks.number_per_run, 0.25)] * 4
    spread = benchmark.Timer("pass", timer=ticking(0.3, 0.1)).adaptive_autorange(max_run_time=2.0)
    assert (len(spread.times) > 4, spread.has_warnings) == (True, True)
    small = benchmark.Timer("torch.ones(2) + x", "x = 1").timeit(2)
    assert small.median > 0
    for kind, call in (
        (ValueError, lambda: benchmark.Timer(len)),  # type: ignore[arg-type]
        (ValueError, lambda: benchmark.Timer("1", global_setup="2")),
        (ValueError, lambda: benchmark.Timer("1", language="rust")),
        (NotImplementedError, lambda: benchmark.Timer("1", language="c++")),
    ):
        with pytest.raises(kind):
            call()


def test_names_of_the_compiler() -> None:
    c = mg.compiler

    def f(x: mg.Tensor) -> mg.Tensor:
        return c.allow_in_graph(mg.exp)(x) if c.is_compiling() and c.is_dynamo_compiling() else x  # type: ignore[no-any-return]

    assert (f(mg.zeros(1)).item(), mg.compile(f)(mg.zeros(1)).item()) == (0.0, 1.0)
    c.reset()
    c.cudagraph_mark_step_begin()
    c.set_stance("force_eager")
    with c.set_stance("default"), pytest.raises(RuntimeError, match="stance 'lazy'"):
        c.set_stance("lazy")
    assert mg.compile(mg.exp, backend=c.list_backends()[-1])(mg.zeros(1)).item() == 1.0

    @c.disable()
    def seen(x: mg.Tensor) -> mg.Tensor:
        return x + 1

    assert c.disable(seen)(mg.ones(1)).item() == 2.0
    with pytest.raises(RuntimeError, match=r"seen\(\) under compiler.disable"):
        mg.compile(lambda x: seen(x) * 2)(mg.ones(2))


def _square(rank: int, queue: Any, x: mg.Tensor) -> None:
    queue.put((rank, (x * x).tolist()))


def _fails(rank: int, how: str) -> None:
    if rank == 1 and how == "signal":
        os.kill(os.getpid(), signal.SIGTERM)
    if rank == 1:
        # A text that no pipe holds at once.
        raise SystemExit(3) if how == "exit" else ZeroDivisionError("by rank 1" + " " * 200_000)
    if how == "signal":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    mp.Event().wait(60)


def test_processes() -> None:
    queue = mp.get_context("fork").Queue()
    mp.start_processes(_square, (queue, mg.tensor([1.0, 2.0])), 2, start_method="fork")
    assert sorted(queue.get(timeout=60) for _ in range(2)) == [(0, [1.0, 4.0]), (1, [1.0, 4.0])]
    with pytest.raises(
        mp.ProcessRaisedException, match=r"Process 1 terminated(?s:.)*ZeroDivisionError: by rank 1"
    ):
        mp.start_processes(_fails, ("raise",), 2, start_method="fork")
    started = mp.start_processes(_fails, ("exit",), 2, join=False, start_method="fork")
    assert started is not None
    assert len(started.pids()) == 2
    with pytest.raises(mp.ProcessExitedException, match="process 1 terminated with exit code 3"):
        started.join(20)
    started = mp.start_processes(_fails, ("signal",), 2, join=False, start_method="fork")
    assert started is not None
    with pytest.raises(mp.ProcessExitedException, match="process 1 terminated with signal SIGTERM") as info:
        started.join(20, 0.1)
    error = pickle.loads(pickle.dumps(info.value))
    assert (error.error_index, error.exit_code, error.signal_name) == (1, -signal.SIGTERM, "SIGTERM")
    assert error.error_pid == info.value.error_pid
    with pytest.warns(FutureWarning, match=r"only supports start_method=spawn \(got: fork\)"):
        mp.spawn(_fails, nprocs=0, start_method="fork")
    for strategy in ("file_system", "file_descriptor"):
        mp.set_sharing_strategy(strategy)
    assert mp.get_sharing_strategy() in mp.get_all_sharing_strategies()
    with pytest.raises(RuntimeError, match="file_descriptor"):
        mp.set_sharing_strategy("pipe")


def test_lists_of_safe_classes_allow_nothing_more(tmp_path: Path) -> None:
    s = mg.serialization
    with s.safe_globals([complex, Path]):
        s.add_safe_globals([Path, set])
        assert s.get_safe_globals() == [complex, Path, set]
    assert s.get_safe_globals() == []
    s.add_safe_globals([Path])
    with zipfile.ZipFile(tmp_path / "file.pt", "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps(tmp_path, 2))
        archive.writestr("a/version", "3\n")
    with pytest.raises(pickle.UnpicklingError, match="pathlib"):
        mg.load(tmp_path / "file.pt")
    s.clear_safe_globals()
    assert s.get_safe_globals() == []

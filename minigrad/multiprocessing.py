"""The standard library's `multiprocessing`, with `spawn` and `start_processes`.

A process that is being started shares the Tensors whose memory `Tensor.share_memory_` has moved; others are copied, and
so is what goes through a queue. Training on several processes is what `minigrad.distributed` is for.
"""

from __future__ import annotations

import contextlib
import multiprocessing as _standard
import signal
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing import *  # noqa: F403
from multiprocessing.connection import wait
from typing import Any

from minigrad.errors import runtime_error, warn

__all__ = [
    *_standard.__all__, "ProcessContext", "ProcessExitedException", "ProcessRaisedException",
    "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn", "start_processes",
]  # fmt: skip


class ProcessException(Exception):
    """A process failed: which, by its number and the system's."""

    def __init__(self, msg: str, error_index: int, error_pid: int) -> None:
        super().__init__(msg, error_index, error_pid)
        self.msg, self.error_index, self.error_pid = msg, error_index, error_pid

    def __str__(self) -> str:
        return self.msg


class ProcessRaisedException(ProcessException):
    """A process whose function raised; the message has the traceback."""


class ProcessExitedException(ProcessException):
    """A process that ended with another exit code than 0: below it for a signal, which then has a name."""

    def __init__(
        self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.args = (*self.args, exit_code, signal_name)
        self.exit_code, self.signal_name = exit_code, signal_name


class ProcessContext:
    """The processes that `start_processes` has started."""

    def __init__(self, processes: list[Any], errors: list[Any]) -> None:
        self.processes = processes
        self._running = dict(enumerate(processes))
        self._errors, self._texts = dict(enumerate(errors)), [""] * len(errors)

    def pids(self) -> list[int | None]:
        """The numbers of the processes."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Waits until a process ends or the time is up; whether all have ended.

        ProcessRaisedException or ProcessExitedException for one that failed, after the others were ended: at once, or
        after ``grace_period`` seconds, and by force if they do not end by themselves.
        """
        if not self._running:
            return True
        end = None if timeout is None else time.monotonic() + timeout
        sentinels = {process.sentinel for process in self._running.values()}
        ready: set[Any] = set()
        while not ready & sentinels:
            left = None if end is None else max(end - time.monotonic(), 0)
            ready = set(wait([*sentinels, *self._errors.values()], left))
            # A process that sends a long text does not end before it is read.
            for i in [i for i, pipe in self._errors.items() if pipe in ready]:
                self._read(i)
            if not ready:
                return False
        for i, process in list(self._running.items()):
            if process.sentinel in ready:
                process.join()
                del self._running[i]
                if process.exitcode:
                    self._fail(i, process, grace_period)
        return not self._running

    def _read(self, i: int) -> None:
        with contextlib.suppress(EOFError, OSError):  # it ended without a word
            self._texts[i] = self._errors[i].recv()
        self._errors.pop(i).close()

    def _fail(self, i: int, failed: Any, grace_period: float | None) -> None:
        if i in self._errors:
            self._read(i)
        if grace_period is not None:
            self._wait(grace_period)
        for end in ("terminate", "kill"):
            for process in self._running.values():
                getattr(process, end)()
            self._wait(30 if grace_period is None else grace_period)
        if self._texts[i]:
            message = f"\n\n-- Process {i} terminated with the following error:\n{self._texts[i]}"
            raise ProcessRaisedException(message, i, failed.pid)
        code, name = failed.exitcode, None
        if code < 0:
            known = {int(number): number.name for number in signal.Signals}
            name = known.get(-code, f"<Unknown signal {-code}>")
        how = f"exit code {code}" if name is None else f"signal {name}"
        raise ProcessExitedException(f"process {i} terminated with {how}", i, failed.pid, code, name)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        for process in self._running.values():
            process.join(max(end - time.monotonic(), 0))
        self._running = {i: process for i, process in self._running.items() if process.is_alive()}


def start_processes(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Runs ``fn(i, *args)`` in a process for each i below ``nprocs``, and waits for all, or returns them.

    ``fn`` is a function of a module, and ``args`` can be pickled. If one fails the others are ended, and it is
    a `ProcessRaisedException` with the traceback, or a `ProcessExitedException`.
    """
    context: Any = _standard.get_context(start_method)
    processes, errors = [], []
    for i in range(nprocs):
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(fn, i, args, sending), daemon=daemon)
        process.start()
        sending.close()
        processes.append(process)
        errors.append(receiving)
    started = ProcessContext(processes, errors)
    if not join:
        return started
    while not started.join():
        pass
    return None


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """`start_processes` with new interpreters, as "spawn" has it: a FutureWarning for another ``start_method``."""
    if start_method != "spawn":
        warn(
            f"This method only supports start_method=spawn (got: {start_method}).\nTo use a different start_method "
            "use:\n\t\t minigrad.multiprocessing.start_processes(...)",
            FutureWarning,
        )
    return start_processes(fn, args, nprocs, join, daemon)


def _run(fn: Callable[..., Any], i: int, args: tuple[Any, ...], sending: Any) -> None:
    try:
        fn(i, *args)
    except KeyboardInterrupt:
        pass
    except Exception:  # whatever it is, the process that waits tells it
        sending.send(traceback.format_exc())
        sys.exit(1)


def get_all_sharing_strategies() -> set[str]:
    """PyTorch's names on Linux. They mean the same here: what is sent is copied."""
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    """``"file_descriptor"``."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Accepted, and means nothing. RuntimeError for a name that PyTorch does not have."""
    if new_strategy not in get_all_sharing_strategies():
        raise runtime_error(
            f"sharing strategies: {sorted(get_all_sharing_strategies())}; got {new_strategy!r}"
        )

"""The standard library's `multiprocessing`, with `spawn`.

A process that is being started shares the Tensors whose memory `Tensor.share_memory_` has moved; others are copied, and
so is what goes through a queue. Training on several processes is what `minigrad.distributed` is for.
"""

from __future__ import annotations

import multiprocessing as _standard
import sys
import traceback
from collections.abc import Callable
from multiprocessing import *  # noqa: F403
from multiprocessing.connection import wait
from typing import Any

from minigrad.errors import runtime_error

__all__ = [*_standard.__all__, "ProcessExitedException", "ProcessRaisedException", "get_all_sharing_strategies",
           "get_sharing_strategy", "set_sharing_strategy", "spawn"]  # fmt: skip


class ProcessExitedException(Exception):
    """A process of `spawn` that ended with another exit code than 0."""


class ProcessRaisedException(Exception):
    """A process of `spawn` whose function raised; it has the traceback."""


class Spawned:
    """The processes that `spawn` has started."""

    def __init__(self, processes: list[Any], errors: list[Any]) -> None:
        self.processes, self._errors = processes, errors
        self._running = dict(enumerate(processes))

    def pids(self) -> list[int | None]:
        """The numbers of the processes."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None) -> bool:
        """Waits until one process ends or the time is up; whether all have ended.

        ProcessRaisedException or ProcessExitedException for one that failed, after the others were ended.
        """
        ended = wait([process.sentinel for process in self._running.values()], timeout)
        for i, process in list(self._running.items()):
            if process.sentinel in ended:
                process.join()
                del self._running[i]
                if process.exitcode:
                    self._fail(i, process.exitcode)
        return not self._running

    def _fail(self, i: int, code: int) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.join()
        try:
            text = self._errors[i].recv()
        except EOFError:  # it ended without a word
            text = ""
        if text:
            raise ProcessRaisedException(f"\n\n-- Process {i} terminated with the following error:\n{text}")
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise ProcessExitedException(f"process {i} terminated with {how}")


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> Spawned | None:
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
    started = Spawned(processes, errors)
    if not join:
        return started
    while not started.join():
        pass
    return None


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
    """Accepted, and means nothing. RuntimeError for a name that PyTorch has not."""
    if new_strategy not in get_all_sharing_strategies():
        raise runtime_error(
            f"sharing strategies: {sorted(get_all_sharing_strategies())}; got {new_strategy!r}"
        )

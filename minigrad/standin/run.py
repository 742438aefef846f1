"""A script as ``__main__``, as Python runs it, with minigrad in the place of ``torch``."""

from __future__ import annotations

import builtins
import contextlib
import functools
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType, TracebackType
from typing import Any

from minigrad.errors import INSIDE
from minigrad.standin.finder import install

# A process that the script starts by "spawn" finds the script here, and runs `again` in the place of its main module.
_SCRIPT = "MINIGRAD_SCRIPT"
_AGAIN = "minigrad.standin.again"

# What a script for several processes looks for in the environment, and where mpiexec of MPICH and of Open MPI tells it.
_PROCESS = {
    "RANK": ("PMI_RANK", "OMPI_COMM_WORLD_RANK"),
    "WORLD_SIZE": ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE"),
    "LOCAL_RANK": ("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK"),
    "LOCAL_WORLD_SIZE": ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE"),
}

# Functions in which an error is raised for a name that is missing: that is the script's error.
_LOOK_UPS = {"__getattr__", "__get__", "find_spec"}


def prepare(script: str, arguments: Sequence[str]) -> None:
    """What a script finds: ``torch``, its own folder and arguments. RuntimeError if ``torch`` is imported already."""
    install()
    sys.argv = [script, *arguments]
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(script))
    if home not in sys.path:
        sys.path.insert(1, home)  # it was the working directory; processes of the script need it too
    os.environ[_SCRIPT] = os.path.abspath(script)
    for name, places in _PROCESS.items():
        for place in places:
            if place in os.environ:
                os.environ.setdefault(name, os.environ[place])


def run(source: bytes, script: str, timed: bool = False) -> None:
    """Runs the source of a script as ``__main__``. What it raises passes; its traceback begins in the script."""
    script = os.path.abspath(script)
    main = ModuleType("__main__")
    main.__dict__.update(
        __file__=script, __builtins__=builtins, __cached__=None, __package__=None,
        __loader__=SourceFileLoader("__main__", script),
        __spec__=ModuleSpec(_AGAIN, None, origin=script),
    )  # fmt: skip
    ours = sys.modules["__main__"]  # kept, for a module that nobody holds loses its names
    sys.modules["__main__"] = main
    begin = time.perf_counter(), sum(os.times()[:4])
    try:
        exec(compile(source, script, "exec", dont_inherit=True), main.__dict__)
    except SystemExit:
        raise
    except BaseException:
        sys.excepthook = functools.partial(_show, sys.excepthook)
        raise
    finally:
        if timed:
            _tell(*begin)
        del ours


def resume(names: dict[str, Any]) -> None:
    """Runs the script in a process that it started itself, under the name that such a process gives to it."""
    install()
    script = os.environ[_SCRIPT]
    with open(script, "rb") as file:
        source = file.read()
    names.update(__file__=script, __loader__=SourceFileLoader("__main__", script))
    exec(compile(source, script, "exec", dont_inherit=True), names)


# ---------------------------------------------------------------- errors


def _show(
    hook: Callable[..., Any], kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Shows an error by ``hook``, as if Python itself had run the script."""
    trace = error.__traceback__ = trimmed(trace)
    hook(kind, error, trace)


def trimmed(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without what ran the script, and without the look-up of a name that is missing."""
    while trace is not None and (_file(trace).startswith("<frozen runpy") or INSIDE[_file(trace)]):
        trace = trace.tb_next
    last, rest = None, trace
    while rest is not None:
        if not INSIDE[_file(rest)] and not _file(rest).startswith("<frozen importlib"):
            last = rest
        rest = rest.tb_next
    if last is not None and last.tb_next is not None:
        behind, rest = [], last.tb_next
        while rest is not None:
            behind.append(rest)
            rest = rest.tb_next
        if all(not INSIDE[_file(t)] or t.tb_frame.f_code.co_name in _LOOK_UPS for t in behind):
            last.tb_next = None
    return trace


def _file(trace: TracebackType) -> str:
    return trace.tb_frame.f_code.co_filename


# ---------------------------------------------------------------- time and memory


def _tell(wall: float, cpu: float) -> None:
    """Prints what the script took since then."""
    wall, cpu = time.perf_counter() - wall, sum(os.times()[:4]) - cpu
    most = peak()
    memory = "" if most is None else f", at most {most / 1e6:.0f} MB of memory"
    with contextlib.suppress(Exception):  # a closed pipe is not the script's failure
        sys.stdout.flush()
        print(f"minigrad: {wall:.2f} s, {cpu:.2f} s of CPU{memory}", file=sys.stderr)


def peak() -> int | None:
    """The most memory that this process has had so far, in bytes; None where the system does not say."""
    with contextlib.suppress(OSError), open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:  # `resource` would count what the shell, or whatever started Python, has had
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

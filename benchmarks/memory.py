"""Memory of this process as the system counts it, in bytes."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")


def _field(name: str) -> int:
    for line in STATUS.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def now() -> int:
    """What is resident; 0 where that is not known."""
    return _field("VmRSS") if STATUS.exists() else 0


def highest() -> int:
    """The most that was resident since the start, or since `peak_of` began."""
    if STATUS.exists():
        return _field("VmHWM")  # ru_maxrss would count the parent's memory too: exec hands it on
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def trim() -> None:
    """Has glibc give back what it keeps though it is free; elsewhere nothing."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def peak_of(work: Callable[[], Any], times: int = 3) -> dict[str, Any]:
    """The peak while ``work`` is done: in all, and above what was resident (or the highest so far) before."""
    trim()  # what lies free already would hide what is needed
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # forgets the highest so far
    before = highest()
    for _ in range(times):
        work()
    return {"total": highest(), "above": highest() - before}

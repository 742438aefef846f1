"""The BLAS that NumPy or SciPy brings, and its threads."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from types import ModuleType

import numpy as np


def name() -> str:
    """Name and version, as NumPy was built."""
    found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{found.get('name', 'BLAS unknown')} {found.get('version', '')}".strip()


def threads(of: ModuleType = np) -> str:
    """How many threads it uses now, and for which processors it has chosen its code, where OpenBLAS can be asked."""
    package = Path(of.__file__ or "").parent
    for folder in (package.parent / f"{of.__name__}.libs", package / ".dylibs"):
        for path in folder.glob("*openblas*"):
            for end in ("64_", ""):
                try:
                    library = ctypes.CDLL(str(path))
                    count = getattr(library, f"scipy_openblas_get_num_threads{end}")()
                    core = getattr(library, f"scipy_openblas_get_corename{end}")
                except (AttributeError, OSError):
                    continue
                core.restype = ctypes.c_char_p
                return f"{count} threads, code for {core().decode()}"
    return "threads not known"


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

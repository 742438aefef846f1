"""The BLAS that NumPy brings, and its threads."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np


def name() -> str:
    """Name and version, as NumPy was built."""
    found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{found.get('name', 'BLAS unknown')} {found.get('version', '')}".strip()


def threads() -> str:
    """How many threads it uses now, where OpenBLAS can be asked."""
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for library in folder.glob("*openblas*"):
            for symbol in ("scipy_openblas_get_num_threads64_", "scipy_openblas_get_num_threads"):
                try:
                    return f"{getattr(ctypes.CDLL(str(library)), symbol)()} threads"
                except (AttributeError, OSError):
                    continue
    return "threads not known"

"""What a program prints of how the library was built: minigrad is Python, and NumPy's BLAS does the work."""

from __future__ import annotations

import json
import platform
from typing import Any

import numpy as np

from minigrad.threads import get_num_threads

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The versions of Python and of NumPy, and what NumPy says of its BLAS."""
    config: Any = np.show_config(mode="dicts")  # as text it asks for PyYAML
    versions = f"minigrad, on Python {platform.python_version()} and NumPy {np.__version__}"
    return f"{versions}\n{json.dumps(config, indent=2)}\n"


def parallel_info() -> str:
    """How many threads NumPy's BLAS has."""
    return f"get_num_threads(): {get_num_threads()}\n"

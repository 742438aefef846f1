"""What a program prints of how the library was built: minigrad is Python, and NumPy's BLAS does the work."""

from __future__ import annotations

import platform
from contextlib import redirect_stdout
from io import StringIO

import numpy as np

from minigrad.threads import get_num_threads

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The versions of Python and of NumPy, and what NumPy says of its BLAS."""
    text = StringIO()
    with redirect_stdout(text):
        np.show_config()
    return f"minigrad, on Python {platform.python_version()} and NumPy {np.__version__}\n{text.getvalue().strip()}\n"


def parallel_info() -> str:
    """How many threads NumPy's BLAS has."""
    return f"get_num_threads(): {get_num_threads()}\n"

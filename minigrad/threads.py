"""How many threads the linear algebra of NumPy starts: PyTorch's ``set_num_threads`` and ``get_num_threads``."""

from __future__ import annotations

import functools
import warnings
from typing import Any

from minigrad.errors import runtime_error, value_error

__all__ = ["get_num_threads", "set_num_threads"]


def set_num_threads(num: int) -> None:
    """Sets how many threads the products of matrices of this process use from now on, NumPy's own products too.

    The rest of minigrad runs in one thread. One is a good choice for small networks, and for a machine that is busy
    with other programs: threads that wait for each other can make a step a hundred times slower. The environment
    variable OPENBLAS_NUM_THREADS (or MKL_NUM_THREADS) does the same before Python starts.

    RuntimeError unless ``num`` is an int of at least 1, ValueError for one beyond 32 bits, ImportError where
    threadpoolctl is missing; a UserWarning where NumPy has a library whose threads cannot be set.
    """
    if type(num) is not int:
        raise runtime_error(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise runtime_error(f"set_num_threads expects a positive integer, but got {num}")
    if num >= 1 << 31:
        raise value_error(f"set_num_threads: {num} does not fit into 32 bits")
    _libraries.cache_clear()  # others may have been loaded meanwhile
    libraries = blas("set_num_threads()")
    for library in libraries:
        library.set_num_threads(num)
    if not libraries:
        warnings.warn("set_num_threads(): NumPy's BLAS has no threads that can be set", stacklevel=2)


def get_num_threads() -> int:
    """How many threads a product of matrices may use; 1 where NumPy's library does not say.

    ImportError where threadpoolctl is missing.
    """
    return max((int(library.get_num_threads()) for library in blas("get_num_threads()")), default=1)


def blas(user: str) -> list[Any]:
    """threadpoolctl's controller of each BLAS that is loaded. ImportError where threadpoolctl is missing."""
    try:
        import threadpoolctl
    except ImportError as error:
        raise ImportError(
            f"{user} needs threadpoolctl, which sets the threads of NumPy's BLAS (the extra `threads`): pip install "
            "threadpoolctl; without it, set OPENBLAS_NUM_THREADS=1 in the environment before Python starts"
        ) from error
    return _libraries(threadpoolctl)


@functools.cache  # a look through all loaded libraries takes milliseconds
def _libraries(threadpoolctl: Any) -> list[Any]:
    return list(threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers)

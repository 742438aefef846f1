"""minigrad's compiled step, with Numba."""

import blas
import numba
import scipy

from peers import compiled_api

step, first_calls, replays, _ = compiled_api.use(backend="numba")


def about() -> str:
    return f"compiled with numba {numba.__version__} (and the BLAS of scipy {scipy.__version__})"


def threads() -> str:
    return blas.threads(scipy)

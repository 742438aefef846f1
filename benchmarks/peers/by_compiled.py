"""minigrad's compiled step, with NumPy."""

import blas
import numpy as np

import minigrad as mg
from peers import compiled_api

package, prepared = mg, mg.compile
step, first_calls, replays, own_cost = compiled_api.use()


def about() -> str:
    return f"compiled (NumPy {np.__version__})"


def threads() -> str:
    return blas.threads()

"""minigrad's compiled step, in blocks of rows that threads share."""

import os

import blas
import threadpoolctl

from peers import compiled_api

COUNT = int(os.environ.get("OMP_NUM_THREADS", 0)) or blas.cores()
step, buffers, first_calls, _ = compiled_api.use(threads=COUNT)


def about() -> str:
    return f"compiled for threads (threadpoolctl {threadpoolctl.__version__})"


def threads() -> str:
    return f"{COUNT} threads, each with a BLAS of one"

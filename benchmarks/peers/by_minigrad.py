"""minigrad, used as a user would; everything is in `torch_api`, for the code is the same as PyTorch's."""

import subprocess
import tracemalloc
import weakref
from pathlib import Path
from typing import Any

import blas
import problem

import minigrad as mg
from peers import torch_api

package = mg
chain, step = torch_api.use(mg)


def about() -> str:
    folder = Path(mg.__file__).parent
    text = f"minigrad {mg.__version__}"
    git = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--match", "-"]
    try:
        return f"{text} ({subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()})"
    except (OSError, subprocess.CalledProcessError):
        return text


def threads() -> str:
    return blas.threads()


def long(length: int) -> dict[str, Any]:
    return torch_api.long(mg, length, watch=lambda y: weakref.ref(y.grad_fn))


def peak(batch: int, dtype: str) -> dict[str, Any]:
    return torch_api.peak(mg, batch, dtype)


def allocated(batch: int, dtype: str) -> int:
    """Bytes that are allocated at the peak of the first step, all Python objects included."""
    for size in (32, batch):  # the small one makes whatever is made once only
        first = step(problem.layers(dtype), problem.batches(size, dtype), problem.RATE)
        tracemalloc.start()
        first.advance()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return most


def kept(batch: int, dtype: str) -> int:
    """Bytes that a forward pass leaves allocated, all Python objects included."""
    loss_of, _, x, target = torch_api.model(mg, batch, dtype)
    del_me = loss_of(x, target)  # whatever is made once only
    del del_me
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    loss = loss_of(x, target)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert loss.requires_grad
    return after - before

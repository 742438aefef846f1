"""Programs of several processes, under the names of ``torch.distributed``: a thin layer over MPI (the extra `mpi`).

All processes run one program, which MPI starts: ``mpiexec -n 2 python train.py``.  A function is called by every
process of its group (the default: all), in the same order, with contiguous Tensors of one shape and dtype.  With
``async_op`` it returns a `Work` at once; the Tensors must not be touched until its ``wait()`` has returned.

Ctrl-C interrupts a process that waits.  An uncaught error ends all processes, and so does waiting for one that has
ended.
"""
# ruff: noqa: F403

from __future__ import annotations

from minigrad.distributed import processes, transfers
from minigrad.distributed.processes import *
from minigrad.distributed.transfers import *
from minigrad.hints import module_getattr as _module_getattr

__all__ = []
__all__ += processes.__all__
__all__ += transfers.__all__

_module_getattr(globals())

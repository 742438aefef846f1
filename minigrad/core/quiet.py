"""Kernels run without NumPy's floating-point warnings, as PyTorch is silent about them."""

from __future__ import annotations

import contextvars
from _thread import _local

import numpy as np


class _Quiet(_local):
    """Runs kernels with NumPy's floating-point warnings off, as PyTorch is silent about them.

    `np.errstate` around each call costs three times a small multiplication; running in a context of its own
    (NumPy keeps that state in one) costs a tenth of it.  A context is entered by one thread at a time.
    """

    def __init__(self) -> None:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run

    def busy(self) -> bool:
        """Whether this thread runs a kernel now, which a finalizer may have interrupted."""
        try:
            self.run(int)
        except RuntimeError:
            return True
        return False


QUIET = _Quiet()

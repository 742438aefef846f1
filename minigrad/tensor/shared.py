"""Tensors whose memory processes share."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.lib.array_utils import byte_bounds

from minigrad.buffers import shared_memory
from minigrad.core.apply import needs_value
from minigrad.core.tensor import Tensor, extend, wrap
from minigrad.gate import methods


@extend
@methods
class _Shared(Tensor):
    """Memory that is the same in several processes."""

    def is_shared(self) -> bool:
        """Whether its memory is that of `share_memory_`."""
        needs_value("is_shared()")
        return shared_memory(self._array) is not None

    def share_memory_(self) -> Self:
        """Moves the values to memory that processes share; returns itself.

        A process that is started from now on has it, as an argument or by a fork, and sees what others write. A view
        that was taken before keeps the old memory. Through a queue goes a copy.
        """
        if not self.is_shared():
            # The standard library's: it is freed once no process uses it.
            from multiprocessing.sharedctypes import RawArray

            old = self._array
            # As it lies, with the gaps and repetitions of a view.
            low, high = byte_bounds(old) if old.size else (old.ctypes.data, 0)
            raw: Any = RawArray("b", max(high - low, 1))
            array: Any = np.ndarray(old.shape, old.dtype, raw, old.ctypes.data - low, old.strides)
            array[...] = old
            self.data = wrap(array)
        return self


def sent(t: Tensor) -> tuple[Any, ...] | None:
    """How a Tensor with such memory goes to a process that is being started; None without either."""
    array = t._array
    raw = shared_memory(array)
    if raw is None:
        return None
    from ctypes import addressof
    from multiprocessing.context import get_spawning_popen

    if get_spawning_popen() is None:
        return None
    place = array.shape, array.dtype.str, array.ctypes.data - addressof(raw), array.strides
    return _attached, (type(t), raw, place, t.requires_grad)


def _attached(cls: type[Tensor], raw: Any, place: Any, requires_grad: bool) -> Tensor:
    shape, dtype, offset, strides = place
    array: Any = np.ndarray(shape, np.dtype(dtype), raw, offset, strides)
    return Tensor._make_subclass(cls, wrap(array), requires_grad)

"""Copies and pickles."""

from __future__ import annotations

import warnings
from typing import Any, Self, SupportsIndex

import numpy as np

from minigrad.buffers import is_view
from minigrad.core.apply import needs_value
from minigrad.core.changes import Apart, as_it_lies
from minigrad.core.tensor import Tensor, extend
from minigrad.errors import runtime_error
from minigrad.functions import creation
from minigrad.gate import methods
from minigrad.tensor.shared import sent


@extend
@methods
class _Copies(Tensor):
    """What `copy.deepcopy` and `pickle` ask for."""

    def __getstate__(self) -> Any:
        """What a user set on it: attributes, and slots of a subclass; None if there is nothing."""
        state: Any = object.__getstate__(self)
        attributes = {k: v for k, v in (state[0] or {}).items() if k not in _PRIVATE}
        slots = {k: v for k, v in state[1].items() if k not in Tensor.__slots__}
        return (attributes or None, slots) if slots else attributes or None

    def __deepcopy__(self, memo: dict[Any, Any]) -> Self:
        from copy import deepcopy

        if not self.is_leaf:
            raise runtime_error(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment; use .detach().clone()"
            )
        if id(self) in memo:
            return memo[id(self)]
        t = memo[id(self)] = _restore(*deepcopy(self._parts(), memo))
        if self._grad is not None:
            t._grad = deepcopy(self._grad, memo)
        state = deepcopy(self.__getstate__(), memo)
        if state is not None and hasattr(t, "__setstate__"):
            t.__setstate__(state)
        elif state is not None:
            attributes, slots = state if isinstance(state, tuple) else (state, {})
            t.__dict__.update(attributes or {})
            for name, value in slots.items():
                setattr(t, name, value)
        return t

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        # Like PyTorch's: a copy of a result is a leaf over its memory, and hooks and gradients stay behind.
        hooks = self._node.hooks if self._node is not None and self._warns_of_hooks else None
        for key, hook in (hooks or {}).items():
            if key >= 0:
                warnings.warn(
                    f"backward hook {hook!r} on tensor will not be serialized: copies and pickles of a Tensor "
                    "have no hooks",
                    stacklevel=2,
                )
        return *(sent(self) or (_restore, self._parts())), self.__getstate__()

    _warns_of_hooks = True

    def _parts(self) -> tuple[Any, ...]:
        """What `_restore` takes: for a view all of the memory, so that Tensors that share it do so afterwards."""
        needs_value("a copy or a pickle of a Tensor")
        array = memory = self._array
        while is_view(memory) and isinstance(base := memory.base, (np.ndarray, Apart)):
            memory = base.array if isinstance(base, Apart) else base
        if not memory.flags.forc:
            memory = as_it_lies(memory)
        if (
            memory is array
            or type(memory) is not np.ndarray
            or memory.dtype.hasobject
            or not memory.flags.forc
        ):
            return array, self.requires_grad, type(self)
        offset = array.ctypes.data - memory.ctypes.data
        return memory, self.requires_grad, type(self), (array.dtype, array.shape, offset, array.strides)


_PRIVATE = frozenset({"_epoch", "_grad", "_inference"})


def _restore(
    memory: Any, requires_grad: bool, cls: type[Tensor] = Tensor, place: tuple[Any, ...] | None = None
) -> Any:
    """A leaf of an array, or of the place in its memory that is given by a dtype, shape, offset and strides."""
    dtype, shape, offset, strides = place or (memory.dtype, memory.shape, 0, memory.strides)
    if dtype.kind != "V":  # bfloat16, which has one object
        dtype = np.dtype(
            dtype.str
        )  # an unpickled array has another object, which is not recognised as quickly
    if place or memory.dtype is not dtype:
        memory = np.ndarray(shape, dtype, memory.reshape(-1, order="A"), offset, strides)
    return Tensor._make_subclass(cls, creation.from_numpy(memory), requires_grad)


_restore.__module__ = "minigrad.tensor"  # the name in pickles, whatever file it is in

"""What NumPy's functions, DLPack and the array API standard ask of a Tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core.apply import needs_value
from minigrad.core.tensor import Tensor, extend
from minigrad.gate import methods


@extend
@methods
class _Interchange(Tensor):
    """The protocols. What they do is loaded when it is first asked for."""

    def __array_function__(
        self, func: Callable[..., Any], types: tuple[type, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """NumPy's functions on Tensors: recorded where minigrad has one that means the same."""
        if not all(issubclass(t, (Tensor, np.ndarray)) for t in types):
            return NotImplemented
        from minigrad.tensor.by_numpy import called

        return called(func, args, kwargs)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """Functions of Tensors by the names of the array API standard; einops asks for it."""
        from minigrad.tensor.by_numpy import Namespace

        return Namespace()

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A capsule of DLPack over the same memory; a CPU has no ``stream``. BufferError if it requires grad."""
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        needs_value("__dlpack__()")
        array: Any = self._array
        options = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
        # NumPy 2.0 knows none of them.
        return array.__dlpack__(**{name: x for name, x in options.items() if x is not None})

    def __dlpack_device__(self) -> tuple[int, int]:
        """The kind of device and its number, as DLPack has them: the CPU."""
        return (1, 0)

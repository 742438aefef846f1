"""Element types, and Tensors made like another."""

from __future__ import annotations

from typing import (
    Any,
    overload,
)

from minigrad import dtypes
from minigrad.core.apply import cast
from minigrad.core.tensor import Tensor as Tensor
from minigrad.core.tensor import extend
from minigrad.core.types import Flag, Number, Sizes
from minigrad.device import DeviceLike
from minigrad.device import device as Device
from minigrad.errors import type_error
from minigrad.functions import creation
from minigrad.gate import methods


@extend
@methods
class _Convert(Tensor):
    """Conversions, and makers of the same element type."""

    def to(
        self, *args: dtypes.DTypeLike | DeviceLike | Tensor | bool, dtype: dtypes.DTypeLike | None = None,
        device: DeviceLike = None, copy: bool = False, **ignored: object,
    ) -> Tensor:  # fmt: skip
        """In another dtype (recorded); itself if nothing changes. A device may only be the CPU."""
        unknown = ignored.keys() - {"non_blocking", "memory_format"}
        if unknown:
            raise type_error(f"to() got an unexpected keyword argument '{min(unknown)}'")
        for a in args:
            if isinstance(a, Tensor):
                dtype = a._array.dtype
            elif isinstance(a, (str, Device)):
                device = a
            elif isinstance(a, bool):
                continue
            elif a is not None:
                dtype = a
        if device is not None:
            Device(device)
        changed: Tensor = self if dtype is None else cast(self, dtypes.as_numpy(dtype))
        return changed.clone() if copy and changed is self else changed

    @overload
    def type(self, dtype: None = None) -> str: ...

    @overload
    def type(self, dtype: dtypes.DTypeLike) -> Tensor: ...

    def type(self, dtype: dtypes.DTypeLike | None = None) -> str | Tensor:
        """In another dtype; without one, the name of its type."""
        return f"minigrad.{self.dtype.name}" if dtype is None else self.to(dtype)

    def type_as(self, other: Tensor) -> Tensor:
        """In the dtype of ``other``."""
        return self.to(other)

    def float(self) -> Tensor:
        """In float32."""
        return self.to(dtypes.float32)

    def double(self) -> Tensor:
        """In float64."""
        return self.to(dtypes.float64)

    def half(self) -> Tensor:
        """In float16."""
        return self.to(dtypes.float16)

    def long(self) -> Tensor:
        """In int64."""
        return self.to(dtypes.int64)

    def int(self) -> Tensor:
        """In int32."""
        return self.to(dtypes.int32)

    def short(self) -> Tensor:
        """In int16."""
        return self.to(dtypes.int16)

    def byte(self) -> Tensor:
        """In uint8."""
        return self.to(dtypes.uint8)

    def bool(self) -> Tensor:
        """In bool: whether nonzero."""
        return self.to(dtypes.bool)

    def cpu(self) -> Tensor:
        """Itself."""
        return self

    def new_tensor(
        self, data: Any, *, dtype: dtypes.DTypeLike | None = None, requires_grad: Flag = False
    ) -> Tensor:
        """`minigrad.tensor` in this dtype."""
        return creation.tensor(data, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_zeros(
        self, *size: Sizes, dtype: dtypes.DTypeLike | None = None, requires_grad: Flag = False
    ) -> Tensor:
        """`minigrad.zeros` in this dtype."""
        return creation.zeros(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_ones(
        self, *size: Sizes, dtype: dtypes.DTypeLike | None = None, requires_grad: Flag = False
    ) -> Tensor:
        """`minigrad.ones` in this dtype."""
        return creation.ones(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_empty(
        self, *size: Sizes, dtype: dtypes.DTypeLike | None = None, requires_grad: Flag = False
    ) -> Tensor:
        """`minigrad.empty` in this dtype."""
        return creation.empty(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_full(
        self, size: Sizes, fill_value: Tensor | Number, *, dtype: dtypes.DTypeLike | None = None,
        requires_grad: Flag = False,
    ) -> Tensor:  # fmt: skip
        """`minigrad.full` in this dtype."""
        return creation.full(size, fill_value, dtype=dtype or self.dtype, requires_grad=requires_grad)

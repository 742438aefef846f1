"""Element types, and Tensors made like another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, TypeAlias, overload

from minigrad import dtypes
from minigrad.core.apply import cast
from minigrad.core.names import known_as
from minigrad.core.tensor import Tensor, extend
from minigrad.core.types import Number, Sizes
from minigrad.device import DeviceLike, check_device
from minigrad.device import device as Device
from minigrad.errors import type_error, value_error
from minigrad.functions import creation
from minigrad.gate import methods
from minigrad.gate.memory import in_format

TYPES = {
    "float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16,
    "bfloat16": dtypes.bfloat16, "long": dtypes.int64, "int": dtypes.int32, "short": dtypes.int16,
    "char": dtypes.int8, "byte": dtypes.uint8,
    "bool": dtypes.bool, "cfloat": dtypes.complex64, "cdouble": dtypes.complex128,
}  # fmt: skip
_OF_NAMES = {f"{name}Tensor": dtype for dtype, name in dtypes.IN_CLASSES.items()}
TypeLike: TypeAlias = "dtypes.DTypeLike | str | Callable[..., Tensor]"
FILLED = {"new_zeros": creation.zeros, "new_ones": creation.ones, "new_empty": creation.empty}


def _conversion(name: str, dtype: dtypes.dtype) -> Callable[[Tensor], Tensor]:
    def method(self: Tensor) -> Tensor:
        return Tensor.to(self, dtype)

    method.__name__, method.__qualname__ = name, f"_Convert.{name}"
    method.__doc__ = (
        f"This Tensor in {dtype.name}; a copy, unless it has that dtype. Gradients flow between floats."
    )
    return method


def _filled(name: str, make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def method(
        self: Tensor, *size: Sizes, dtype: dtypes.DTypeLike | None = None, device: DeviceLike = None,
        requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        return make(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    method.__name__, method.__qualname__ = name, f"_Convert.{name}"
    method.__doc__ = f"`minigrad.{make.__name__}` in this dtype."
    return method


def _with_makers(methods: type[Tensor]) -> type[Tensor]:
    """Class decorator: adds a conversion to each type, and what is filled."""
    for name, dtype in TYPES.items():
        setattr(methods, name, _conversion(name, dtype))
    for name, make in FILLED.items():
        setattr(methods, name, _filled(name, make))
    return methods


@extend
@methods
@_with_makers
class _Convert(Tensor):
    """Conversions, and makers of the same element type."""

    def to(
        self, *args: dtypes.DTypeLike | DeviceLike | Tensor | bool, dtype: dtypes.DTypeLike | None = None,
        device: DeviceLike = None, copy: bool = False, **ignored: object,
    ) -> Tensor:  # fmt: skip
        """In another dtype (recorded); itself if nothing changes, unless ``copy``. A device may only be the CPU.

        By place come a device, a dtype or a Tensor that has it, then ``non_blocking``, which changes nothing, and
        ``copy``. TypeError for two of a kind.
        """
        unknown = ignored.keys() - {"non_blocking", "memory_format"}
        if unknown:
            raise type_error(f"to() got an unexpected keyword argument '{min(unknown)}'")
        kind: Any = dtype
        flags, twice = 0, False
        for a in args:
            if isinstance(a, (str, Device)):
                twice, device = twice or device is not None, a
            elif isinstance(a, bool):
                flags, copy = flags + 1, copy or (flags == 1 and a)
            elif a is not None:
                twice, kind = twice or kind is not None, a
        if twice or flags > 2:
            raise type_error(f"to() takes one device, one dtype, non_blocking and copy, got {args}")
        check_device(device)
        changed: Tensor = self
        if kind is not None:
            changed = cast(self, kind._array.dtype if isinstance(kind, Tensor) else dtypes.as_numpy(kind))
        if copy and changed is self:
            changed = known_as("ToCopyBackward0", self.clone())
        format = ignored.get("memory_format")
        return changed if format is None else in_format(changed, format, self)

    @overload
    def type(self, dtype: None = None, non_blocking: bool = False) -> str: ...

    @overload
    def type(
        self, dtype: dtypes.DTypeLike | str | Callable[..., Tensor], non_blocking: bool = False
    ) -> Tensor: ...

    def type(self, dtype: TypeLike | None = None, non_blocking: bool = False) -> str | Tensor:
        """In another dtype; without one, the name of its type, such as ``minigrad.FloatTensor``.

        PyTorch's older names of types are taken too: ``x.type(FloatTensor)``, ``x.type("torch.FloatTensor")``.
        ``non_blocking`` changes nothing. ValueError for a name that is not one of them.
        """
        if dtype is None:
            return dtypes.printed(f"{dtypes.IN_CLASSES[self.dtype]}Tensor")
        if isinstance(dtype, type) and isinstance(typed := getattr(dtype, "dtype", None), dtypes.dtype):
            return Tensor.to(self, typed)
        if isinstance(dtype, (str, FunctionType)):
            name = dtype if isinstance(dtype, str) else dtype.__name__
            place = name.rpartition(".")
            if place[0] not in ("", "torch", "minigrad") or place[2] not in _OF_NAMES:
                raise value_error(f"invalid type: {name!r}")
            return Tensor.to(self, _OF_NAMES[place[2]])
        other: Any = dtype
        return Tensor.to(self, other)

    def type_as(self, other: Tensor) -> Tensor:
        """In the dtype of ``other``."""
        return Tensor.to(self, other)

    def cpu(self) -> Tensor:
        """Itself."""
        return self

    def new(self, *args: Any, device: DeviceLike = None) -> Tensor:
        """Memory of those sizes in this dtype, or a copy of data: PyTorch's way before `new_empty` and `new_tensor`."""
        from minigrad.functions.typed import typed

        return typed(args, self.dtype, device)

    def new_tensor(
        self, data: Any, *, dtype: dtypes.DTypeLike | None = None, device: DeviceLike = None,
        requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        """`minigrad.tensor`, in the dtype of this Tensor unless ``dtype`` says another."""
        return creation.tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_empty_strided(
        self, size: Sequence[int], stride: Sequence[int], *, dtype: dtypes.DTypeLike | None = None,
        device: DeviceLike = None, requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        """`minigrad.empty_strided`, in the dtype of this Tensor unless ``dtype`` says another."""
        from minigrad.functions.exchange import empty_strided

        return empty_strided(
            size, stride, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad
        )

    def new_full(
        self, size: Sizes, fill_value: Tensor | Number, *, dtype: dtypes.DTypeLike | None = None,
        device: DeviceLike = None, requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        """`minigrad.full`, in the dtype of this Tensor unless ``dtype`` says another."""
        dtype = dtype or self.dtype
        return creation.full(size, fill_value, dtype=dtype, device=device, requires_grad=requires_grad)

"""PyTorch's older names of a script's first lines: Tensors by element type, limits of element types."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import apply
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor
from minigrad.device import DeviceLike, check_device, check_place, device
from minigrad.dtypes import DTypeLike
from minigrad.errors import runtime_error, type_error, warn_once
from minigrad.functions.creation import empty, tensor
from minigrad.gate import public
from minigrad.ops import shape

__all__ = [
    "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
    "IntTensor", "LongTensor", "ShortTensor", "can_cast", "finfo", "get_default_device", "iinfo", "numel",
    "set_default_device", "set_default_tensor_type", "typename",
]  # fmt: skip


def typed(args: tuple[Any, ...], dtype: dtypes.dtype, device: DeviceLike = None) -> Tensor:
    """For sizes uninitialized memory, for a Tensor itself, in its graph, for anything else a copy of it.

    RuntimeError for a Tensor with a ``device``, and for any device but the CPU.
    """
    check_place(device)
    if len(args) == 1 and isinstance(args[0], Tensor):
        if device is not None:
            raise runtime_error(
                "Legacy tensor constructor of the form torch.Tensor(tensor, device=device) is not supported. Use "
                "torch.tensor(...) or torch.as_tensor(...) instead."
            )
        if args[0].dtype is not dtype:
            raise type_error(
                f"new(): expected a Tensor of {dtype}, got one of {args[0].dtype}; use .to({dtype})"
            )
        return apply(shape.alias, args)
    if len(args) == 1 and not isinstance(args[0], Size):
        # NumPy 2.0 warns of its own bools as sizes.
        if isinstance(args[0], (bool, np.bool_)) or not is_size(args[0]):
            if isinstance(args[0], (bool, float, complex, np.generic, str, type(None))):
                kind = type(args[0]).__name__
                raise type_error(
                    f"new(): data must be a sequence of numbers (got {kind}); use minigrad.tensor"
                )
            return tensor(args[0], dtype=dtype)
        args = (operator.index(args[0]),)
    return empty(*(args or (0,)), dtype=dtype)


def is_size(x: Any) -> bool:
    """Whether that is a whole number of Python's or NumPy's."""
    try:
        operator.index(x)
    except TypeError:
        return False
    return True


class _OfType(type):
    """What these names are: called, they make a Tensor; a Tensor of their element type is an instance."""

    dtype: dtypes.dtype

    def __call__(cls, *args: Any, device: DeviceLike = None) -> Tensor:
        return typed(args, cls.dtype, device)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and not instance._sparse and instance.dtype is cls.dtype


class _Typed(metaclass=_OfType):
    def __init_subclass__(cls, dtype: dtypes.dtype) -> None:
        cls.dtype, cls.__module__ = dtype, "minigrad"


class FloatTensor(_Typed, dtype=dtypes.float32):
    """``tensor(data, dtype=float32)``, or ``empty(*size, dtype=float32)``."""


class DoubleTensor(_Typed, dtype=dtypes.float64):
    """``tensor(data, dtype=float64)``, or ``empty(*size, dtype=float64)``."""


class HalfTensor(_Typed, dtype=dtypes.float16):
    """``tensor(data, dtype=float16)``, or ``empty(*size, dtype=float16)``."""


class BFloat16Tensor(_Typed, dtype=dtypes.bfloat16):
    """``tensor(data, dtype=bfloat16)``, or ``empty(*size, dtype=bfloat16)``."""


class LongTensor(_Typed, dtype=dtypes.int64):
    """``tensor(data, dtype=int64)``, or ``empty(*size, dtype=int64)``."""


class IntTensor(_Typed, dtype=dtypes.int32):
    """``tensor(data, dtype=int32)``, or ``empty(*size, dtype=int32)``."""


class ShortTensor(_Typed, dtype=dtypes.int16):
    """``tensor(data, dtype=int16)``, or ``empty(*size, dtype=int16)``."""


class CharTensor(_Typed, dtype=dtypes.int8):
    """``tensor(data, dtype=int8)``, or ``empty(*size, dtype=int8)``."""


class ByteTensor(_Typed, dtype=dtypes.uint8):
    """``tensor(data, dtype=uint8)``, or ``empty(*size, dtype=uint8)``."""


class BoolTensor(_Typed, dtype=dtypes.bool):
    """``tensor(data, dtype=bool)``, or ``empty(*size, dtype=bool)``."""


# The limits of floating types that NumPy lacks: resolution, largest number, eps, smallest normal number.
_LIMITS = {
    "bfloat16": (0.01, (2 - 2**-7) * 2.0**127, 2.0**-7, 2.0**-126),
    "float8_e4m3fn": (1.0, 448.0, 0.125, 2.0**-6),
    "float8_e5m2": (1.0, 57344.0, 0.25, 2.0**-14),
}


class finfo:
    """The limits of a floating element type, the default one unless named. TypeError for any other."""

    __slots__ = ("bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal", "tiny")
    __module__ = "minigrad"

    def __init__(self, type: DTypeLike | None = None) -> None:
        if isinstance(type, dtypes.dtype) and type.name in _LIMITS:
            self.bits, self.dtype = 8 * type.itemsize, type.name
            self.resolution, self.max, self.eps, self.tiny = _LIMITS[type.name]
            self.min, self.smallest_normal = -self.max, self.tiny
            return
        kind = dtypes.default_float() if type is None else dtypes.real_of(dtypes.as_numpy(type))
        if kind.kind not in "fV":
            raise type_error(f"finfo() requires a floating point input type. Use iinfo to handle '{kind}'")
        limits = np.finfo(kind)
        self.bits, self.dtype = int(limits.bits), kind.name
        self.eps, self.max, self.min = (float(x) for x in (limits.eps, limits.max, limits.min))
        self.tiny = self.smallest_normal = float(limits.tiny)
        self.resolution = 10.0**-limits.precision

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)


class iinfo:
    """The limits of an element type of whole numbers. TypeError for any other."""

    __slots__ = ("bits", "dtype", "max", "min")
    __module__ = "minigrad"

    def __init__(self, type: DTypeLike) -> None:
        kind = dtypes.as_numpy(type)
        if kind.kind not in "iu":
            raise type_error(f"iinfo() requires an integer input type. Use finfo to handle '{kind}'")
        limits = np.iinfo(kind)
        self.bits, self.dtype, self.max, self.min = limits.bits, kind.name, int(limits.max), int(limits.min)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)


def can_cast(from_: Any, to: Any) -> bool:
    """Whether values of one element type may be written to another: never from floats to whole numbers."""
    return dtypes.can_cast(dtypes.as_numpy(from_), dtypes.as_numpy(to))


def numel(input: Tensor) -> int:
    """How many elements there are."""
    return int(input._array.size)


def set_default_device(device: DeviceLike) -> None:
    """Takes the CPU, which is the only device. AssertionError for a graphics card, RuntimeError for any other."""
    check_device(device)


def typename(obj: Any, /) -> str:
    """The name of an object's class, or of a class or function, with its module; of a Tensor that of its type."""
    if isinstance(obj, Tensor):
        return obj.type()
    if not hasattr(obj, "__qualname__"):
        obj = type(obj)
    home = getattr(obj, "__module__", None) or ""
    return obj.__qualname__ if home in ("", "builtins") else f"{home}.{obj.__qualname__}"


def set_default_tensor_type(t: Any) -> None:
    """`set_default_dtype` by an older name: ``"torch.DoubleTensor"`` or ``DoubleTensor``. TypeError for others."""
    warn_once(
        "set_default_tensor_type() is deprecated as of PyTorch 2.1, please use set_default_dtype() and "
        "set_default_device()"
    )
    name = t if isinstance(t, str) else getattr(t, "__name__", "")
    kinds = {f"{name}Tensor": d for d, name in dtypes.IN_CLASSES.items() if d.is_floating_point}
    home, _, last = name.rpartition(".")
    if last not in kinds or home not in ("", "torch", "minigrad"):
        raise type_error(
            f"set_default_tensor_type(): only floating-point types of the CPU are supported, got {t!r}"
        )
    dtypes.set_default_dtype(kinds[last])


def get_default_device() -> device:
    """The CPU."""
    return device("cpu")


public(
    globals(), [name for name in __all__ if name not in ("get_default_device", "typename")], home="minigrad"
)

"""Names of PyTorch's first years for sparse Tensors by their element type, and the switch of its checks."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any

from minigrad import dtypes
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor
from minigrad.errors import warn_once
from minigrad.functions.sparse import sparse_coo_tensor

# fmt: off
__all__ = [
    "BFloat16Tensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor",
    "LongTensor", "ShortTensor", "check_sparse_tensor_invariants",
]
# fmt: on


class _OfType(type):
    """Called, such a name makes a sparse Tensor of places, numbers and a size; one of its type is an instance."""

    dtype: dtypes.dtype

    def __call__(cls, *args: Any) -> Tensor:
        sizes = not args or isinstance(args[0], (int, Size))
        form = (
            ("shape" if args else "(0,)") if sizes else ", ".join(("indices", "values", "shape")[: len(args)])
        )
        warn_once(
            f"sparse.SparseTensor({form if args else ''}) is deprecated. Please use sparse_coo_tensor({form}, dtype=)"
        )
        if not args or isinstance(args[0], int):
            return sparse_coo_tensor(Size(args or (0,)), dtype=cls.dtype)
        if isinstance(args[0], Size):
            return sparse_coo_tensor(args[0], dtype=cls.dtype)
        return sparse_coo_tensor(*args)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.is_sparse and instance.dtype == cls.dtype


def _named(name: str, dtype: dtypes.dtype) -> Any:
    doc = f"``sparse_coo_tensor(indices, values, size)``, or of sizes one of {dtype.name} without any number."
    return _OfType(name, (), {"dtype": dtype, "__module__": "minigrad.sparse", "__doc__": doc})


BFloat16Tensor = _named("BFloat16Tensor", dtypes.bfloat16)
ByteTensor = _named("ByteTensor", dtypes.uint8)
CharTensor = _named("CharTensor", dtypes.int8)
DoubleTensor = _named("DoubleTensor", dtypes.float64)
FloatTensor = _named("FloatTensor", dtypes.float32)
HalfTensor = _named("HalfTensor", dtypes.float16)
IntTensor = _named("IntTensor", dtypes.int32)
LongTensor = _named("LongTensor", dtypes.int64)
ShortTensor = _named("ShortTensor", dtypes.int16)


class check_sparse_tensor_invariants(ContextDecorator):
    """Changes nothing: indices are always checked. A context manager and a decorator, as in PyTorch."""

    def __init__(self, enable: bool = True) -> None:
        self.enabled = enable

    @staticmethod
    def is_enabled() -> bool:
        """True."""
        return True

    @staticmethod
    def enable() -> None:
        """Nothing."""

    @staticmethod
    def disable() -> None:
        """Nothing."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *caught: object) -> None:
        pass

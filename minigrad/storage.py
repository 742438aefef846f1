"""The memory of Tensors, as `Tensor.storage` and `Tensor.untyped_storage` show it."""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from operator import index
from typing import Any, Self

import numpy as np

from minigrad.buffers import shared_memory
from minigrad.core.apply import needs_value
from minigrad.core.changes import as_it_lies, changed, memory_of, owner
from minigrad.core.tensor import Tensor, wrap
from minigrad.device import device
from minigrad.dtypes import printed
from minigrad.errors import index_error, runtime_error, type_error

__all__ = ["TypedStorage", "UntypedStorage", "is_storage"]


class _Storage:
    """All elements that a piece of memory holds, those that no Tensor shows too."""

    def __init__(self, tensor: Tensor) -> None:
        if not isinstance(tensor, Tensor):
            raise type_error(
                f"{type(self).__name__}: a storage is that of a Tensor here, not of {type(tensor).__name__}; use "
                "tensor.untyped_storage()"
            )
        needs_value("a Tensor's storage")
        # A write through what `.data` has given out is no change of the memory that records know.
        self._owner: Any = owner(tensor._array)
        memory = as_it_lies(memory_of(tensor._array))
        if not memory.flags.c_contiguous:
            raise runtime_error("the memory of this Tensor is NumPy's, and has gaps; clone() the Tensor")
        self._flat: Any = memory.reshape(-1).view(self._kind(tensor))

    def _kind(self, tensor: Tensor) -> Any:
        return np.dtype(np.uint8)

    @property
    def device(self) -> device:
        """The CPU."""
        return device("cpu")

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False

    def is_shared(self) -> bool:
        """Whether processes share it, see `Tensor.share_memory_`."""
        return shared_memory(self._flat) is not None

    def data_ptr(self) -> int:
        """The address."""
        return int(self._flat.__array_interface__["data"][0])

    def nbytes(self) -> int:
        """How many bytes there are."""
        return int(self._flat.nbytes)

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.nbytes()

    def element_size(self) -> int:
        """How many bytes an element has."""
        return int(self._flat.itemsize)

    def size(self) -> int:
        """How many elements there are."""
        return int(self._flat.size)

    __len__ = size

    def tolist(self) -> list[Any]:
        """The elements."""
        return self._flat.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self._flat, dtype, copy=copy)

    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice) and self.element_size() == 1:  # bytes
            part = object.__new__(type(self))
            part._owner, part._flat = self._owner, self._flat[at]
            return part
        return self._flat[self._place(at)].item()

    def __setitem__(self, at: int, value: Any) -> None:
        self._write(self._place(at), value)

    def _write(self, at: Any, value: Any) -> None:
        if not self._flat.flags.writeable:
            raise runtime_error("the NumPy array under this storage is read-only")
        changed(self._owner)
        self._flat[at] = value

    def fill_(self, value: Any) -> Self:
        """All elements become ``value``."""
        self._write(slice(None), value)
        return self

    def copy_(self, source: _Storage, non_blocking: bool = False) -> Self:
        """The elements become those of another storage of as many. RuntimeError for another number of them."""
        if len(source) != len(self):
            raise runtime_error(f"a storage of {len(source)} elements does not fit into one of {len(self)}")
        self._write(slice(None), source._flat)
        return self

    def clone(self) -> Self:
        """The same elements in memory of their own."""
        return type(self)(wrap(self._flat.copy()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (wrap(self._flat.copy()),)  # the two arrays of a copy show one memory

    def cpu(self) -> Self:
        """The storage itself."""
        return self

    def is_pinned(self, device: object = None) -> bool:
        """False."""
        return False

    def _place(self, at: Any) -> int:
        if isinstance(at, slice):
            raise runtime_error("a storage has no slices here; take those of its Tensor")
        n, i = self.size(), index(at)
        if not -n <= i < n:
            raise index_error(f"index {i} out of range for storage of size {n}")
        return i

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.data_ptr() == self.data_ptr() and len(other) == len(self)

    def __hash__(self) -> int:
        return hash((type(self), self.data_ptr()))

    def __repr__(self) -> str:
        rows = "".join(f" {value}\n" for value in self.tolist())
        name = printed(f"storage.{type(self).__name__}")
        return f"{rows}[{name}({self._told()}device=cpu) of size {len(self)}]"

    def _told(self) -> str:
        return ""


class UntypedStorage(_Storage):
    """The bytes of a Tensor's memory. Two are equal if they are the same memory."""

    @classmethod
    def from_file(cls, filename: Any, shared: bool = False, nbytes: int = 0) -> Self:
        """The first ``nbytes`` of a file; with ``shared``, what is written is written to the file."""
        mode: Any = "r+" if shared else "c"  # what is written stays in memory
        return cls(wrap(np.asarray(np.memmap(filename, np.uint8, mode, shape=nbytes or None))))

    def untyped(self) -> UntypedStorage:
        """The storage itself."""
        return self


class TypedStorage(_Storage):
    """The numbers in a Tensor's memory, in its element type."""

    def _kind(self, tensor: Tensor) -> Any:
        return tensor._array.dtype

    @property
    def dtype(self) -> Any:
        """The element type."""
        return wrap(self._flat).dtype

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(wrap(self._flat))

    def _told(self) -> str:
        return f"dtype={self.dtype}, "


def _load_from_bytes(data: bytes) -> TypedStorage:
    """The memory of a Tensor in a plain pickle of PyTorch's, which has a file of ``torch.save`` for it."""
    found = import_module("minigrad.serialization.legacy").read(BytesIO(data), "the pickle", True)
    return TypedStorage(wrap(found.memory.view(found.dtype)))


def is_storage(obj: object) -> bool:
    """Whether it is the memory of a Tensor."""
    return isinstance(obj, (TypedStorage, UntypedStorage))

"""Files of PyTorch before 1.6: pickles one behind the other, and then the bytes of the storages."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pickle import UnpicklingError
from typing import IO, Any

import numpy as np

from minigrad.dtypes import dtype
from minigrad.errors import here, place, runtime_error
from minigrad.functions.creation import from_numpy
from minigrad.serialization import arrays
from minigrad.serialization.archive import Array
from minigrad.serialization.reader import Reader
from minigrad.serialization.writer import Writer

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


class _Storages:
    """The memory that a pickle names, whose bytes come after it. RuntimeError if it is more than the file can hold."""

    swapped = False  # `read` refuses other files

    def __init__(self, name: str, size: int) -> None:
        self.name, self._room = name, size
        self.memory: dict[str, Array] = {}

    def storage(self, key: str, nbytes: int) -> Array:
        if key not in self.memory:
            self._room -= nbytes
            if self._room < 0:
                raise runtime_error(f"{self.name} is cut off: its storages are larger than the file")
            self.memory[key] = np.zeros(nbytes, np.uint8)
        return self.memory[key]


class _Scout(Reader):
    """A reader that goes ahead to learn which storages a pickle names. It looks at no values: they come later."""

    def _checked(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return (
            from_numpy(np.zeros(1)) if function is arrays.sparse else super()._checked(function, *arguments)
        )


def read(file: IO[bytes], name: str, weights_only: bool) -> Any:
    """The next value in a file. UnpicklingError if it is no such file, RuntimeError for one that is cut off."""
    begin = file.tell()
    data = file.read()
    storages = _Storages(name, len(data))
    at, heads = 0, []
    for _ in range(3):
        reader = Reader(data, storages, at)
        heads.append(reader.read())
        at = reader.end
        if heads[0] != _MAGIC:
            raise UnpicklingError(
                f"Weights only load failed. {name}: it is a pickle, but not one of save() (at {place(*here())})"
            )
    about = heads[2] if isinstance(heads[2], dict) else {}
    if heads[1] != _PROTOCOL or about.get("little_endian") != (sys.byteorder == "little"):
        raise runtime_error(
            f"{name} is of another protocol than {_PROTOCOL}, or of a machine with another order of bytes"
        )
    value_at = at
    reader = _Scout(data, storages, at, weights_only=weights_only)
    reader.read()
    reader = Reader(data, storages, reader.end)
    keys, at = reader.read(), reader.end
    known = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    if not known or sorted(keys) != sorted(storages.memory):
        raise runtime_error(f"{name} is damaged: its list of storages is not that of its Tensors")
    for key in keys:
        memory = storages.memory[key]
        (count,) = struct.unpack("=q", data[at : at + 8].ljust(8, b"\xff"))
        part = data[at + 8 : at + 8 + memory.nbytes]
        if len(part) < memory.nbytes or not 0 <= count <= memory.nbytes:
            raise runtime_error(f"{name} is cut off in the storage {key}")
        memory[:] = np.frombuffer(part, np.uint8)
        at += 8 + memory.nbytes
    file.seek(begin + at)  # another value may follow
    # Conjugates are computed of values, and the places of sparse Tensors are checked: so it is read with them.
    return Reader(data, storages, value_at, weights_only=weights_only).read()


class _Writer(Writer):
    """A writer of pickles in which a storage may be a part of another one, and here is none."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: list[int] = []  # how many elements the storages have

    def _storage(self, memory: Array, kind: dtype) -> None:
        super()._storage(memory, kind)
        if len(self.counts) < len(self.storages):
            self.counts.append(memory.nbytes // kind.itemsize)
        self._text[-2:] = b"NtQ"


def write(file: IO[bytes], obj: object) -> None:
    """The whole file, which PyTorch of any version reads."""
    about = {
        "protocol_version": _PROTOCOL,
        "little_endian": sys.byteorder == "little",
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    writer = _Writer()
    writer.add(obj)
    keys = [str(i) for i in range(len(writer.storages))]
    for text in (*map(_pickled, (_MAGIC, _PROTOCOL, about)), writer.finished(), _pickled(keys)):
        file.write(text)
    for count, memory in zip(writer.counts, writer.storages, strict=True):
        file.write(struct.pack("=q", count) + memory.tobytes(order="A"))


def _pickled(value: object) -> bytes:
    writer = Writer()
    writer.add(value)
    return writer.finished()

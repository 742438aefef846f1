"""The file around a pickle: a zip archive of records that are stored as they are, as PyTorch writes it.

``archive/data.pkl`` is the pickle, ``archive/data/0`` and so on are the bytes of the storages that it names.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import struct
import sys
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, Any, Protocol, TypeAlias

import numpy as np

from minigrad.dtypes import NumpyType
from minigrad.errors import runtime_error

Array: TypeAlias = np.ndarray[Any, Any]
Path: TypeAlias = "str | os.PathLike[str]"

SIGNATURE = b"PK\x03\x04"
_ALIGNED = 64  # PyTorch maps records into memory, and wants them to begin at such multiples
_CHUNK = 1 << 20


# ---------------------------------------------------------------- writing


def write(file: IO[bytes], pickled: bytes, storages: Sequence[Array]) -> None:
    """Writes an archive of a pickle and the storages that it names by their numbers. The same input, the same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "data.pkl", pickled)
        _add(archive, ".format_version", b"1")
        _add(archive, ".storage_alignment", str(_ALIGNED).encode())
        _add(archive, "byteorder", sys.byteorder.encode())
        for key, memory in enumerate(storages):
            _add(archive, f"data/{key}", memory.reshape(-1, order="A").view(np.uint8).data)
        _add(archive, "version", b"3\n")


def _add(archive: zipfile.ZipFile, name: str, data: bytes | memoryview) -> None:
    info = zipfile.ZipInfo(f"archive/{name}")  # of 1980: when a file was written is not in it
    at = 0 if archive.fp is None else archive.fp.tell()
    padding = -(at + 30 + len(info.filename) + 4) % _ALIGNED
    info.extra = b"FB" + struct.pack("<H", padding) + b"Z" * padding
    archive.writestr(info, data)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of the one at ``path`` when all is written.

    It is written beside it.  If that fails or is interrupted, it is removed, and the file at ``path`` is as it was.
    RuntimeError if the directory does not exist.
    """
    target = os.path.realpath(os.fspath(path))  # a link stays one
    folder, name = os.path.split(target)
    if not os.path.isdir(folder):
        raise runtime_error(f"Parent directory {folder} does not exist: a file is made here, no directory")
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as file:  # a device or a directory, for which the system has the words
            yield file
        return
    beside = os.path.join(folder, f".{name}.{secrets.token_hex(4)}.part")
    try:
        with open(beside, "xb") as file:
            if os.path.exists(target):
                shutil.copymode(target, beside)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


# ---------------------------------------------------------------- reading


class Storage:
    """The memory of Tensors: an array of bytes, and the element type that the pickle says is in it."""

    __slots__ = ("dtype", "memory")

    def __init__(self, memory: Array, dtype: NumpyType | None) -> None:
        self.memory, self.dtype = memory, dtype


class Storages(Protocol):
    """Where a reader takes storages from: the name of a file, whether its bytes are swapped, the bytes by a key."""

    name: str
    swapped: bool

    def storage(self, key: str, nbytes: int) -> Array: ...


class Archive:
    """The records of an archive.

    RuntimeError for one that is damaged or cut off, or whose records are compressed, overlap or have names that lead
    elsewhere: so no record is larger than the file.  ``name`` is what errors call the file.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, *_DAMAGE) as error:
            raise self._damaged(f"no list of records at its end ({error})") from None
        self._infos = {info.filename: info for info in self._zip.infolist()}
        if len(self._infos) < len(self._zip.infolist()):
            raise runtime_error(f"{name} has several records of one name")
        size = file.seek(0, os.SEEK_END)
        whole = 0
        for record, info in self._infos.items():
            if ".." in record.split("/") or record.startswith("/") or "\\" in record or ":" in record:
                raise runtime_error(f"{name} has a record {record!r}, a path that leads out of the archive")
            if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
                raise runtime_error(
                    f"{name} has a record {record!r} that is compressed or encrypted, and save() stores records as "
                    "they are"
                )
            whole += info.file_size
        if whole > size:
            raise runtime_error(
                f"{name} claims to hold {whole} bytes and has {size}: its records overlap, or it is cut off"
            )
        pickles = [r for r in self._infos if re.fullmatch(r"[^/]+/data\.pkl", r)]
        if len(pickles) != 1:
            raise runtime_error(f"{name} is a zip archive, but not one of save(): it has no record data.pkl")
        self._root = pickles[0].removesuffix("data.pkl")
        if self._root + "constants.pkl" in self._infos:
            raise runtime_error(
                f"{name} holds a TorchScript program; minigrad.load reads data, what save() wrote"
            )
        order = self.record("byteorder").strip() if self._root + "byteorder" in self._infos else b"little"
        self.swapped = order != sys.byteorder.encode()

    def record(self, name: str) -> bytes:
        """The bytes of a record."""
        info = self._info(name)
        data = bytearray(info.file_size)
        self._read(info, memoryview(data))
        return bytes(data)

    def storage(self, key: str, nbytes: int) -> Array:
        """The bytes of a storage in memory of its own. RuntimeError if they are not as many as the pickle says."""
        if not re.fullmatch(r"\w+", key):
            raise runtime_error(f"{self.name} names a storage {key!r}, which is not a name of one")
        info = self._info(f"data/{key}")
        if info.file_size != nbytes:
            raise runtime_error(
                f"{self.name}: the storage {key} has {info.file_size} bytes, and {nbytes} are said to be in it"
            )
        memory = np.empty(nbytes, np.uint8)
        self._read(info, memory.data)
        return memory

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = self._infos.get(self._root + name)
        if info is None:
            raise runtime_error(f"{self.name} has no record {name}: it is damaged, or not whole")
        return info

    def _read(self, info: zipfile.ZipInfo, into: memoryview) -> None:
        """Fills memory with a record, whose checksum is compared."""
        try:
            with self._zip.open(info) as record:
                at = 0
                while at < len(into):
                    data = record.read(_CHUNK)
                    if not data:
                        raise self._damaged(f"the record {info.filename} ends early")
                    into[at : at + len(data)] = data
                    at += len(data)
        except (zipfile.BadZipFile, *_DAMAGE) as error:
            raise self._damaged(f"the record {info.filename} cannot be read ({error})") from None

    def _damaged(self, how: str) -> RuntimeError:
        return runtime_error(f"{self.name} is damaged or cut off: {how}")


# What `zipfile` raises for bytes that make no sense, beside its own error.
_DAMAGE = (
    NotImplementedError, struct.error, UnicodeError, ValueError, OverflowError, EOFError, IndexError,
)  # fmt: skip

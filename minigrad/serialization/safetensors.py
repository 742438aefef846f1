"""Files of safetensors: what ``safetensors.torch`` offers, by the package ``safetensors`` (the extra of this name)."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.device import DeviceLike, check_place
from minigrad.errors import runtime_error
from minigrad.functions.creation import from_numpy
from minigrad.nn.module import Module
from minigrad.serialization import archive
from minigrad.tensor import Tensor

__all__ = [
    "load", "load_file", "load_model", "save", "save_file", "save_model", "storage_ptr", "storage_size",
]  # fmt: skip

_TYPES = {
    "F64": dtypes.float64, "F32": dtypes.float32, "F16": dtypes.float16, "BF16": dtypes.bfloat16, "I64": dtypes.int64,
    "I32": dtypes.int32, "I16": dtypes.int16, "I8": dtypes.int8, "U8": dtypes.uint8, "BOOL": dtypes.bool,
    "C64": dtypes.complex64,
}  # fmt: skip


def save_file(
    tensors: Mapping[str, Tensor], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Writes a dict of Tensors, and ``metadata``, a dict of strings, to a file.

    The file at the path is replaced when the new one is whole. ImportError without the package; ValueError for
    anything but a dict of Tensors; RuntimeError for Tensors that share memory, which the format cannot store: see
    `save_model`.
    """
    data = save(tensors, metadata)
    with archive.replacing(filename) as file:
        file.write(data)


def save(tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of the file that `save_file` writes."""
    package = _package()
    if not isinstance(tensors, Mapping):
        raise ValueError(f"Expected a dict of [str, Tensor] but received {type(tensors)}")
    named: Mapping[Any, Any] = tensors
    for name, t in named.items():
        if not isinstance(name, str) or not isinstance(t, Tensor):
            raise ValueError(f"Key `{name}` is invalid, expected Tensor but received {type(t)}")
    for first, second in _sharing(tensors):
        raise runtime_error(
            f"Some tensors share memory, {first!r} and {second!r} among them, which a file of safetensors does not "
            "know. Save a model by save_model(), or a clone() of one"
        )
    arrays = {name: np.ascontiguousarray(t._array).reshape(t.shape) for name, t in tensors.items()}
    return package.save(arrays, metadata)


def load_file(filename: str | os.PathLike[str], device: DeviceLike | int = "cpu") -> dict[str, Tensor]:
    """The Tensors in a file, by their names.

    ImportError without the package, and for bfloat16 without ml_dtypes (the extra `bfloat16`); RuntimeError for a file
    that is damaged, for element types that minigrad lacks, and for another device.
    """
    _check(device)
    with open(filename, "rb") as file:
        return _load(file.read(), repr(os.fspath(filename)))


def load(data: bytes) -> dict[str, Tensor]:
    """The Tensors in the bytes of a file: see `load_file`."""
    return _load(data, "the data")


def save_model(
    model: Module,
    filename: str | os.PathLike[str],
    metadata: dict[str, str] | None = None,
    force_contiguous: bool = True,
) -> None:
    """Writes the ``state_dict`` of a model; a Tensor under several names is written once, under the first.

    The metadata has the other names. ``force_contiguous`` changes nothing: all Tensors are written row by row.
    RuntimeError for Tensors that share a part of their memory.
    """
    tensors: dict[str, Tensor] = dict(model.state_dict())
    about = dict(metadata or {})
    for name, first in _same(tensors).items():
        about.setdefault(name, first)
        del tensors[name]
    save_file(tensors, filename, about)


def load_model(
    model: Module, filename: str | os.PathLike[str], strict: bool = True, device: DeviceLike | int = "cpu"
) -> tuple[set[str], list[str]]:
    """Loads a file of `save_model` into a model; returns the missing names and the unexpected ones.

    RuntimeError for these if ``strict``, and for Tensors of other shapes.
    """
    state = load_file(filename, device)
    own = model.state_dict()
    groups: dict[str, list[str]] = {}
    for name, first in _same(own).items():
        groups.setdefault(first, [first]).append(name)
    for names in groups.values():
        saved = next((name for name in names if name in state), None)
        if saved is not None:
            state |= dict.fromkeys(names, state[saved])
    keys = model.load_state_dict(state, strict=strict)
    return set(keys.missing_keys), keys.unexpected_keys


def storage_ptr(tensor: Tensor) -> int:
    """The address of the memory of a Tensor."""
    return tensor.untyped_storage().data_ptr()


def storage_size(tensor: Tensor) -> int:
    """The bytes of the memory of a Tensor."""
    return tensor.untyped_storage().nbytes()


def _package() -> Any:
    try:
        import safetensors.numpy  # an optional dependency
    except ImportError as error:
        raise ImportError(
            "files of safetensors need the package safetensors (the extra `safetensors`): pip install "
            '"minigrad-tape[safetensors]"'
        ) from error
    return safetensors.numpy


def _check(place: Any) -> None:
    if isinstance(place, int):
        place = f"cuda:{place}"
    check_place(place)


def _load(data: bytes, name: str) -> dict[str, Tensor]:
    _package()
    import safetensors

    try:
        parts = safetensors.deserialize(data)  # type: ignore[no-untyped-call, unused-ignore]
    except safetensors.SafetensorError as error:
        raise runtime_error(f"{name} is not a file of safetensors, or it is damaged: {error}") from None
    return {key: _tensor(name, key, part) for key, part in parts}


def _tensor(name: str, key: str, part: dict[str, Any]) -> Tensor:
    kind, raw = part["dtype"], part["data"]
    if kind not in _TYPES:
        known = ", ".join(map(str, _TYPES.values()))
        raise runtime_error(f"{name}: {key!r} is of type {kind}; minigrad has {known}")
    array = np.frombuffer(raw, _TYPES[kind].numpy).copy()
    if sys.byteorder == "big":
        array.byteswap(inplace=True)
    return from_numpy(array.reshape(part["shape"]))


def _sharing(tensors: Mapping[str, Tensor]) -> list[tuple[str, str]]:
    """Names of Tensors that lie, at least partly, in the same memory."""
    spans = []
    for name, t in tensors.items():
        if t._array.size:
            low, high = np.lib.array_utils.byte_bounds(t._array)
            spans.append((low, high, name))
    spans.sort()
    return [(a[2], b[2]) for a, b in pairwise(spans) if b[0] < a[1]]


def _same(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Of Tensors that are the same memory in the same form, all names but the first, each with the first."""
    seen: dict[Any, str] = {}
    again: dict[str, str] = {}
    for name, t in tensors.items():
        a = t._array
        where = a.__array_interface__["data"][0], a.shape, a.strides, a.dtype
        if a.size and where in seen:
            again[name] = seen[where]
        elif a.size:
            seen[where] = name
    return again

"""Files in PyTorch's own format: `save` writes what PyTorch loads, and `load` reads what PyTorch saved."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from typing import IO, Any, TypeAlias

from minigrad.device import check_place, device
from minigrad.errors import here, place, runtime_error, type_error, value_error
from minigrad.hints import module_getattr
from minigrad.serialization import archive, legacy
from minigrad.serialization.reader import Reader
from minigrad.serialization.safe import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
from minigrad.serialization.writer import Writer

__all__ = [
    "DEFAULT_PROTOCOL", "MAP_LOCATION", "SourceChangeWarning", "add_safe_globals", "clear_safe_globals",
    "default_restore_location", "get_safe_globals", "load", "location_tag", "safe_globals",
    "save", "set_default_mmap_options",
]  # fmt: skip
module_getattr(globals(), {"safetensors": ""})

# What libraries that are written for PyTorch annotate their own loaders with.
MAP_LOCATION: TypeAlias = "Callable[[Any, str], Any] | device | str | dict[str, str] | None"
# That of the pickles in PyTorch's files.
DEFAULT_PROTOCOL = 2
File: TypeAlias = "str | os.PathLike[str] | IO[bytes]"


class SourceChangeWarning(Warning):
    """A warning that programs name to silence it; minigrad never issues it."""


def default_restore_location(storage: Any, location: str) -> Any:
    """The ``storage`` itself: all are on the CPU. RuntimeError for another device."""
    check_place(location)
    return storage


class set_default_mmap_options:
    """The flags ``mmap.MAP_PRIVATE`` or ``mmap.MAP_SHARED``, at once or in ``with``; `load` maps no file.

    ValueError for others.
    """

    def __init__(self, flags: int) -> None:
        if flags not in (1, 2):
            raise value_error(
                "Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, "
                f"but got {flags}"
            )

    def __enter__(self) -> None: ...

    def __exit__(self, *exc: object) -> None: ...


def location_tag(storage: Any) -> str:
    """``"cpu"``."""
    return "cpu"


def save(
    obj: object,
    f: File,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Writes ``obj`` to a path or to a file opened for bytes, in the format of PyTorch's `save`.

    ``obj`` is made of Tensors and Parameters, None, bools, numbers, strings, bytes, shapes, element types, and lists,
    tuples, sets, dicts, OrderedDicts and Counters of these: a ``state_dict()``, or a dict that has several.  NumPy's
    numbers become Python's.  PyTorch reads the file with ``weights_only=True``.

    With ``weights_only=False`` minigrad and PyTorch also read whole modules (without hooks), optimizers, schedulers,
    datasets, paths, namespaces, and objects, dataclasses, named tuples, Enums, classes and functions of your own.  The
    file has their classes by name: the program that loads them must have these.  A class with a ``__setstate__``,
    ``__slots__``, ``__reduce__`` or ``__del__`` of its own is refused.

    Tensors that share memory share it after loading; a view brings all of its memory along.  Gradients, hooks and the
    history of a result are not saved.  The same values give the same bytes.  A file at a path is replaced
    when the new one is whole: an error or an interrupt leaves the old one.

    ``pickle_module`` and ``pickle_protocol`` change nothing; without ``_use_new_zipfile_serialization`` the format is
    that before PyTorch 1.6.

    PicklingError for an object of another type, or of a class inside a function; RuntimeError if the directory does
    not exist, or if Tensors of several element types share memory.
    """
    if isinstance(f, (str, os.PathLike)):
        with archive.replacing(f) as file:
            _write(file, obj, not _use_new_zipfile_serialization)
    elif hasattr(f, "write"):
        _write(f, obj, not _use_new_zipfile_serialization)
    else:
        raise AttributeError(
            f"expected 'f' to be a path or a file with a method write, got {type(f).__name__}"
        )


def _write(file: IO[bytes], obj: object, as_before: bool) -> None:
    if as_before:
        legacy.write(file, obj)
        return
    writer = Writer()
    writer.add(obj)
    archive.write(file, writer.finished(), writer.storages)


def load(
    f: File,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Reads what `save` of minigrad or PyTorch wrote, from a path or from a file opened for bytes that can seek.

    Files of PyTorch before 1.6 are read too.

    ``weights_only`` (by default True, unless there is a ``pickle_module``, which is not used): only Tensors, numbers,
    strings and containers of these.  False also reads whole modules, optimizers, schedulers, datasets, and objects and
    functions of your own: the program must have their classes already; for which, see `save`.
    Nothing in a file is executed: an object gets its attributes back without a call of ``__init__`` or
    ``__setstate__``.  But the file chooses which of your classes and functions it is made of, and they run when you
    use it.

    All Tensors are on the CPU, wherever they were saved; ``map_location`` may say so.  Tensors that shared memory share
    it again.  ``mmap`` and ``pickle_load_args``, which may be ``encoding``, ``errors`` and ``fix_imports``, change
    nothing.  After a value of a file before 1.6 the next call reads the one behind it.

    UnpicklingError for a file of another format, or with a name that is not allowed; RuntimeError for one that is
    damaged, cut off, compressed, or whose storages do not fit, and for another device; EOFError for an empty one.
    TypeError for another argument, ValueError for ``mmap=True`` without a path.
    """
    for name in pickle_load_args.keys() - {"encoding", "errors", "fix_imports"}:
        raise type_error(f"load() got an unexpected keyword argument {name!r}")
    if weights_only is None:
        weights_only = pickle_module is None and not _is_set("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    elif pickle_module is not None and weights_only:
        raise runtime_error("Can not safely load weights when explicit pickle_module is specified")
    weights_only = weights_only or _is_set("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    _check_location(map_location)
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _read(file, repr(os.fspath(f)), weights_only)
    if not all(hasattr(f, method) for method in ("read", "seek", "tell")):
        raise AttributeError(
            f"load() takes a path or a file that can read, seek and tell, got {type(f).__name__}; io.BytesIO(data) is "
            "one"
        )
    if mmap:
        raise value_error("f must be a file path in order to use the mmap argument")
    whole: IO[bytes] = f if hasattr(f, "seekable") else io.BytesIO(f.read())  # zipfile asks for it
    return _read(whole, "the file", weights_only)


def _is_set(variable: str) -> bool:
    """Whether one of the variables that decide about ``weights_only`` in PyTorch is on."""
    return os.environ.get(variable, "0").lower() in ("1", "y", "yes", "true")


def _read(file: IO[bytes], name: str, weights_only: bool) -> Any:
    if _is_legacy(file, name):
        return legacy.read(file, name, weights_only)
    records = archive.Archive(file, name)
    return Reader(records.record("data.pkl"), records, weights_only=weights_only).read()


def _check_location(location: Any) -> None:
    """RuntimeError unless all is to be on the CPU. A function is not asked: there is no other place."""
    if isinstance(location, dict):
        for place_ in location.values():
            check_place(place_)
    elif location is not None and not callable(location):
        check_place(location)


def _is_legacy(file: IO[bytes], name: str) -> bool:
    """Whether a file begins as those before PyTorch 1.6. EOFError or UnpicklingError if it is none of `save` at all."""
    at = file.tell()
    begin = file.read(len(archive.SIGNATURE))
    file.seek(at)
    if not begin:
        raise EOFError(f"Ran out of input: {name} is empty")
    if begin != archive.SIGNATURE and begin[:1] != b"\x80":
        what = "it does not begin as a file of save() does"
        raise pickle.UnpicklingError(f"Weights only load failed. {name}: {what} (at {place(*here())})")
    return begin != archive.SIGNATURE

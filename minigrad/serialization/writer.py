"""`Writer`: values as a pickle that PyTorch reads with ``weights_only=True``, and the storages beside it.

A pickle is a program for a machine with a stack; these are the instructions of protocol 2, the one that PyTorch uses.
The standard library's pickler would look up the functions that it names, and PyTorch's are not here.
"""

from __future__ import annotations

import datetime
import functools
import math
import struct
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import PosixPath, PurePath, WindowsPath
from pickle import PicklingError, encode_long
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from minigrad.core.size import Size
from minigrad.device import device
from minigrad.dtypes import IN_CLASSES, NumpyType, bfloat16, complex32, dtype
from minigrad.errors import here, place, runtime_error
from minigrad.nn.parameter import Buffer, Parameter, is_lazy
from minigrad.serialization import names, objects
from minigrad.serialization.archive import Array
from minigrad.serialization.names import Callee
from minigrad.tensor import Tensor


class Writer:
    """`add` appends the instructions that make a value; `storages` are then the arrays that it names."""

    def __init__(self) -> None:
        self.storages: list[Array] = []
        self._text = bytearray(b"\x80\x02")
        # what the reader has kept, by identity or, of texts, by value, with what keeps the identity taken
        self._memo: dict[Any, tuple[int, Any]] = {}
        # the number and the element type of each piece of memory
        self._numbers: dict[tuple[int, int], tuple[int, NumpyType]] = {}
        # the way to the value that is being written, for errors
        self._way: list[str] = []

    def finished(self) -> bytes:
        """The whole pickle."""
        return bytes(self._text) + b"."

    def add(self, value: Any) -> None:
        """Makes ``value``, or gets it where it was made before. PicklingError for a type that is no data."""
        kept = self._memo.get(id(value))
        if kept is not None:
            return self._get(kept[0])
        method = _METHODS.get(type(value))
        if method is None and isinstance(value, np.generic):
            value = value.item()
            method = _METHODS.get(type(value))
        if method is None and isinstance(value, device):  # one that a script names
            method = Writer._device
        elif type(value).__module__ == "minigrad.standin.torch_version":
            method, value = Writer._str, str(value)
        elif method is None and isinstance(value, Tensor) and value._sparse:
            method = Writer._sparse
        try:
            if method is not None:
                method(self, value)
            elif isinstance(value, (type, FunctionType)):
                self._function(value)
            else:
                self._object(value)
        except ValueError as error:
            raise self._refused(value, str(error)) from None

    def _refused(self, value: Any, why: str = "") -> PicklingError:
        """The error for what no reader would take."""
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        instead = ""
        if isinstance(value, type) or hasattr(value, "state_dict"):
            instead = f": {why}" if isinstance(value, type) else f"; save its state_dict() ({why})"
        elif isinstance(value, np.ndarray):
            kind += f" of {value.dtype}"
        elif isinstance(value, Tensor) and is_lazy(value):
            instead = "; run its module once, which gives it a shape"
        elif isinstance(value, Tensor):
            instead = "; save value.as_subclass(minigrad.Tensor)"
        elif isinstance(value, (dict, list, tuple, set, frozenset)):
            plain = next(t for t in (dict, list, tuple, set, frozenset) if isinstance(value, t))
            instead = f"; save a plain {'set' if plain is frozenset else plain.__name__} of it"
        elif why:
            instead = f": {why}"
        where = "".join(self._way)
        return PicklingError(
            f"Can't save an object of {kind}{f' at {where}' if where else ''}: a file holds Tensors, arrays, numbers, "
            f"texts, containers and objects of these{instead} (at {place(*here())})"
        )

    # ------------------------------------------------------------ the memo

    def _keep(self, key: Any, value: Any) -> None:
        number = len(self._memo)
        self._memo[key] = (number, value)
        self._text += b"q" + bytes([number]) if number < 256 else b"r" + struct.pack("<I", number)

    def _get(self, number: int) -> None:
        self._text += b"h" + bytes([number]) if number < 256 else b"j" + struct.pack("<I", number)

    # ------------------------------------------------------------ small values

    def _constant(self, value: bool | None) -> None:
        self._text += b"N" if value is None else b"\x88" if value else b"\x89"

    def _int(self, value: int) -> None:
        if 0 <= value < 1 << 8:
            self._text += b"K" + bytes([value])
        elif 0 <= value < 1 << 16:
            self._text += b"M" + struct.pack("<H", value)
        elif -(1 << 31) <= value < 1 << 31:
            self._text += b"J" + struct.pack("<i", value)
        else:
            data = encode_long(value)
            if len(data) > 255:
                raise PicklingError(f"Can't save an int of {len(data)} bytes; 255 are the most in a file")
            self._text += b"\x8a" + bytes([len(data)]) + data

    def _float(self, value: float) -> None:
        self._text += b"G" + struct.pack(">d", value)

    def _str(self, value: str) -> None:
        kept = self._memo.get(value)
        if kept is not None:
            self._get(kept[0])
            return
        self._write(value)
        self._keep(value, value)

    def _write(self, value: str) -> None:
        data = value.encode("utf-8", "surrogatepass")
        self._text += b"X" + struct.pack("<I", len(data)) + data

    def _global(self, name: str) -> None:
        kept = self._memo.get((name,))
        if kept is not None:
            self._get(kept[0])
            return
        self._text += b"c" + name.replace(" ", "\n").encode() + b"\n"
        self._keep((name,), name)

    # ------------------------------------------------------------ calls

    def _call(self, callee: Callee, *arguments: Callable[[], None]) -> None:
        """A call, whose arguments are pushed by functions."""
        self._global(callee.name)
        self._text += b"("
        for argument in arguments:
            argument()
        self._text += b"tR"

    def _bytes(self, value: bytes) -> None:
        kept = self._memo.get(value)
        if kept is not None:
            self._get(kept[0])
            return
        self._call(names.BYTES, lambda: self._str(value.decode("latin1")), lambda: self._str("latin1"))
        self._keep(value, value)

    def _bytearray(self, value: bytearray) -> None:
        # anew each time, as a reader allows itself only so many copies of what stands once
        self._call(names.BYTEARRAY, lambda: self._write(value.decode("latin1")), lambda: self._str("latin-1"))
        self._keep(id(value), value)

    def _complex(self, value: complex) -> None:
        self._call(names.COMPLEX, lambda: self._float(value.real), lambda: self._float(value.imag))

    def _dtype(self, value: dtype) -> None:
        self._global(f"torch {value.name}")

    def _device(self, value: device) -> None:
        self._call(names.DEVICE, lambda: self._str(value.type))

    # ------------------------------------------------------------ containers

    def _items(self, values: Iterable[Any]) -> None:
        for i, value in enumerate(values):
            self._way.append(f"[{i}]")
            self.add(value)
            self._way.pop()

    def _list(self, value: list[Any]) -> None:
        self._text += b"]"
        self._keep(id(value), value)  # before its items, of which it may be one
        self._text += b"("
        self._items(value)
        self._text += b"e"

    def _tuple(self, value: tuple[Any, ...]) -> None:
        if not value:
            self._text += b")"
            return
        self._text += b"("
        self._items(value)
        if id(value) in self._memo:
            raise PicklingError("Can't save a tuple that contains itself")
        self._text += b"t"
        self._keep(id(value), value)

    def _size(self, value: Size) -> None:
        self._call(names.SIZE, lambda: self._ints(value))
        self._keep(id(value), value)

    def _ints(self, value: Iterable[int]) -> None:
        self._text += b"("
        for n in value:
            self._int(n)
        self._text += b"t"

    def _set(self, value: set[Any] | frozenset[Any]) -> None:
        def as_list() -> None:
            self._text += b"]("
            self._items(value)
            self._text += b"e"

        self._call(names.SET if isinstance(value, set) else names.FROZEN_SET, as_list)
        self._keep(id(value), value)

    def _dict(self, value: dict[Any, Any]) -> None:
        self._text += b"}"
        self._keep(id(value), value)
        self._entries(value)

    def _ordered_dict(self, value: OrderedDict[Any, Any]) -> None:
        self._call(names.ORDERED_DICT)
        self._keep(id(value), value)
        self._entries(value)
        if vars(value):  # a state_dict may have the versions of its modules there
            self.add(vars(value))
            self._text += b"b"

    def _counter(self, value: Counter[Any]) -> None:
        self._call(names.COUNTER, lambda: self._dict(dict(value)))
        self._keep(id(value), value)

    def _entries(self, value: dict[Any, Any]) -> None:
        if not value:
            return
        self._text += b"("
        for key, item in value.items():
            self._way.append(f"[{key!r}]" if isinstance(key, (str, int)) else "[...]")
            self.add(key)
            self.add(item)
            self._way.pop()
        self._text += b"u"

    # ------------------------------------------------------------ more than weights

    def _function(self, value: Any) -> None:
        """A class or a function, by its name."""
        if value.__module__ == "minigrad":
            self._attribute(lambda: self._global(names.FUNCTIONS.name), value.__name__)
            return
        home, _, name = objects.name_of(value).rpartition(" ")
        outer, _, last = name.rpartition(".")
        if outer:  # a pickle of this protocol has no dots in a name
            owner = sys.modules[home]
            for part in outer.split("."):
                owner = vars(owner)[part]
            self._attribute(lambda: self._function(owner), last)
        else:
            self._global(f"{home} {name}")

    def _attribute(self, owner: Callable[[], None], name: str) -> None:
        self._call(names.ATTRIBUTE, owner, lambda: self._str(name))

    def _object(self, value: Any) -> None:
        """An object of a class that `objects` allows: the class, then its attributes."""
        cls = type(value)
        self._function(cls)
        if isinstance(value, Enum):
            self._text += b"("
            self.add(value.value)
            self._text += b"tR"
            self._keep(id(value), value)
            return
        self._text += b"("
        if isinstance(value, tuple):
            self._items(value)
        self._text += b"t\x81"
        self._keep(id(value), value)
        if not isinstance(value, tuple):
            objects.new(cls, ())  # a reader can do it too
            state = objects.state_of(value)
            if state:
                self._attributes(state)

    def _attributes(self, state: dict[str, Any]) -> None:
        self._text += b"}("
        for name, item in state.items():
            self._way.append(f".{name}")
            self._str(name)
            self.add(item)
            self._way.pop()
        self._text += b"ub"

    def _simple_namespace(self, value: SimpleNamespace) -> None:
        self._call(names.SIMPLE_NAMESPACE)
        self._keep(id(value), value)
        self._attributes(vars(value))

    def _default_dict(self, value: defaultdict[Any, Any]) -> None:
        factory = value.default_factory
        if factory is not None and factory not in names.FACTORIES:
            raise self._refused(value)
        kinds = [] if factory is None else [lambda: self._global(names.FACTORIES[factory].name)]
        self._call(names.DEFAULT_DICT, *kinds)
        self._keep(id(value), value)
        self._entries(value)

    def _deque(self, value: deque[Any]) -> None:
        self._call(names.DEQUE, lambda: self._text.extend(b")"), lambda: self.add(value.maxlen))
        self._keep(id(value), value)
        self._text += b"("
        self._items(value)
        self._text += b"e"

    def _path(self, value: PurePath) -> None:
        home = "pathlib " + ("WindowsPath" if isinstance(value, WindowsPath) else "PosixPath")
        self._call(Callee(home), *[lambda part=part: self._str(part) for part in value.parts])
        self._keep(id(value), value)

    def _partial(self, value: functools.partial[Any]) -> None:
        objects.partial_of(value.func)
        self._call(names.PARTIAL, lambda: self.add(value.func))
        self._keep(id(value), value)
        self._tuple((value.func, value.args, value.keywords, None))
        self._text += b"b"

    def _moment(self, value: Any) -> None:
        parts = value.__reduce_ex__(2)[1]
        if len(parts) > 1 and not isinstance(value, datetime.timedelta):
            raise self._refused(value, "save it without its time zone")
        self._call(
            Callee(f"datetime {type(value).__name__}"), *[lambda part=part: self.add(part) for part in parts]
        )

    def _whole(self, value: range | slice) -> None:
        callee = names.RANGE if isinstance(value, range) else names.SLICE
        self._call(callee, *[lambda n=n: self.add(n) for n in (value.start, value.stop, value.step)])

    # ------------------------------------------------------------ NumPy's arrays

    def _array(self, value: Array) -> None:
        """The instructions of NumPy's own pickles: an empty array of bytes, then its state."""
        if type(value) is not np.ndarray or value.dtype.kind not in names.ARRAY_KINDS:
            raise self._refused(value)
        self._call(
            names.ARRAY,
            lambda: self._global(names.ARRAY_CLASS.name),
            lambda: self._ints((0,)),
            lambda: self._bytes(b"b"),
        )
        self._keep(id(value), value)
        self._text += b"("
        self._int(1)
        self._ints(value.shape)
        self._array_type(value.dtype)
        self._constant(False)  # the bytes are in the order of C
        self._bytes(value.tobytes())
        self._text += b"tb"

    def _array_type(self, value: np.dtype[Any]) -> None:
        kept = self._memo.get((np.dtype, value.str))
        if kept is not None:
            self._get(kept[0])
            return
        self._call(
            names.ARRAY_TYPE,
            lambda: self._str(value.str[1:]),
            lambda: self._constant(False),
            lambda: self._constant(True),
        )
        self._keep((np.dtype, value.str), value)
        size, align = (value.itemsize, value.alignment) if value.kind in "SU" else (-1, -1)
        self._text += b"("
        self._int(3)
        self._str(value.str[0])
        for number in (None, None, None, size, align, 0):
            self._constant(None) if number is None else self._int(number)
        self._text += b"tb"

    # ------------------------------------------------------------ Tensors

    def _tensor(self, value: Tensor) -> None:
        attributes = value.__getstate__()
        if attributes is None or isinstance(value, Buffer):
            self._bare(value, value.requires_grad)
        else:

            def arguments() -> None:
                self._text += b"("
                self._arguments(value, value.requires_grad)
                self._text += b"t"

            self._call(
                names.WITH_ATTRIBUTES,
                lambda: self._global(names.TENSOR.name),
                lambda: self._global(names.TENSOR_CLASS.name),
                arguments,
                lambda: self.add(attributes),
            )
        self._keep(id(value), value)

    def _parameter(self, value: Parameter) -> None:
        attributes = value.__getstate__()
        last = [] if attributes is None else [lambda: self.add(attributes)]
        self._call(
            names.PARAMETER if attributes is None else names.PARAMETER_WITH_STATE,
            lambda: self._bare(value, False),
            lambda: self._constant(value.requires_grad),
            lambda: self._call(names.ORDERED_DICT),
            *last,
        )
        self._keep(id(value), value)

    def _sparse(self, value: Tensor) -> None:
        if value.is_sparse:
            parts: tuple[Any, ...] = (value._indices(), value._values(), value.size(), value.is_coalesced())
        elif value.is_sparse_csr:
            parts = (value.crow_indices(), value.col_indices(), value.values().detach(), value.size())
        else:
            parts = (value.ccol_indices(), value.row_indices(), value.values().detach(), value.size())
        self._call(
            names.SPARSE,
            lambda: self._call(names.LAYOUT, lambda: self._str(f"torch.{value.layout.name}")),
            lambda: self.add(parts),
        )
        self._keep(id(value), value)

    def _bare(self, value: Tensor, requires_grad: bool) -> None:
        self._call(names.TENSOR, lambda: self._arguments(value, requires_grad))

    def _arguments(self, value: Tensor, requires_grad: bool) -> None:
        """The storage, where and how the Tensor lies in it, its flag, and no hooks."""
        memory, shape, offset, strides = _place(value)
        self._storage(memory, value.dtype)
        self._int(offset)
        self._ints(shape)
        self._ints(strides)
        self._constant(requires_grad)
        self._call(names.ORDERED_DICT)

    def _storage(self, memory: Array, kind: dtype) -> None:
        """Names memory that Tensors may share. RuntimeError if they have several element types."""
        key = (memory.ctypes.data, memory.nbytes) if memory.size else (id(memory), 0)
        number, seen = self._numbers.setdefault(key, (len(self.storages), kind.numpy))
        if number == len(self.storages):
            self.storages.append(memory)
        elif seen != kind.numpy:
            raise runtime_error(
                f"Cannot save multiple tensors or storages that view the same data as different types: {seen} and "
                f"{kind.name}; clone() one of them"
            )
        self._text += b"("
        self._str("storage")
        self._global(f"torch {IN_CLASSES[kind]}Storage")
        self._str(str(number))
        self._str("cpu")
        self._int(memory.nbytes // kind.itemsize)
        self._text += b"tQ"


def _place(t: Tensor) -> tuple[Array, tuple[int, ...], int, tuple[int, ...]]:
    """The memory under a Tensor, its shape, and its offset and strides there in elements."""
    memory, _, _, *place = t._parts()
    array, size = t._array, t._array.itemsize
    offset = place[0][2] if place else 0
    plain = memory.flags.c_contiguous or memory.flags.f_contiguous
    odd = offset % size or memory.nbytes % size or any(n < 0 or n % size for n in array.strides)
    if odd or not plain:  # no place that PyTorch could tell of
        memory = array = np.ascontiguousarray(array).reshape(array.shape)
        offset = 0
    strides = tuple(n // size for n in array.strides)
    if not array.size:  # NumPy says 0 for all
        strides = tuple(math.prod(max(n, 1) for n in array.shape[d + 1 :]) for d in range(array.ndim))
    return memory, array.shape, offset // size, strides


_METHODS: dict[type, Callable[[Writer, Any], None]] = {
    type(None): Writer._constant, bool: Writer._constant, int: Writer._int, float: Writer._float,
    complex: Writer._complex, str: Writer._str, bytes: Writer._bytes, bytearray: Writer._bytearray,
    list: Writer._list, tuple: Writer._tuple, dict: Writer._dict, set: Writer._set,
    OrderedDict: Writer._ordered_dict, Counter: Writer._counter, Size: Writer._size, dtype: Writer._dtype,
    type(bfloat16): Writer._dtype, type(complex32): Writer._dtype, device: Writer._device, np.ndarray: Writer._array,
    Tensor: Writer._tensor, Buffer: Writer._tensor, Parameter: Writer._parameter, frozenset: Writer._set,
    deque: Writer._deque, defaultdict: Writer._default_dict, SimpleNamespace: Writer._simple_namespace,
    range: Writer._whole, slice: Writer._whole, PosixPath: Writer._path, WindowsPath: Writer._path,
    datetime.datetime: Writer._moment, datetime.date: Writer._moment, datetime.time: Writer._moment,
    datetime.timedelta: Writer._moment, functools.partial: Writer._partial,
}  # fmt: skip

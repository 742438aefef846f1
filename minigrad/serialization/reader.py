"""`Reader`: runs a pickle that holds data. Nothing in a file is executed.

The machine below knows the instructions that PyTorch's files have.  One that names something takes it from the table
`names.ALLOWED`, and one that calls something calls a function of this file, which checks its arguments.  All that a
file can have done so stands in these some 500 lines.
"""

from __future__ import annotations

import math
import struct
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError, decode_long
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np

from minigrad.core.size import Size
from minigrad.device import device
from minigrad.errors import here, place
from minigrad.functions.creation import from_numpy
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.serialization import arrays, keys, names, objects
from minigrad.serialization.archive import Storage, Storages
from minigrad.serialization.names import Callee, StorageType
from minigrad.serialization.safe import get_safe_globals
from minigrad.tensor import Tensor

# What functions of Python's raise for values of another kind than they take, or too large, or too deep.
_DAMAGE = (LookupError, TypeError, ValueError, ArithmeticError, RecursionError, struct.error)
# A pickle may name what it made before, and have it copied: all copies together may have so many bytes beside ten times
# its own length.
_ROOM = 1 << 22
_ITEM = 16
_OBJECT = 100


class _Mark:
    """Stands on the stack itself, below what a container is to get."""


class Reader:
    """Makes the value of a pickle, which begins at ``at``; the storages come from an archive.

    ``weights_only``: it may name no classes but those that `add_safe_globals` lists.

    UnpicklingError for a pickle that names or does what is not allowed, or that is damaged; RuntimeError for a
    storage that does not fit.
    """

    def __init__(self, pickled: bytes, archive: Storages, at: int = 0, *, weights_only: bool = True) -> None:
        self._data, self._at = pickled, at
        self._weights_only = weights_only
        self._archive = archive
        self._room = _ROOM + 10 * len(pickled)
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._storages: dict[str, Storage] = {}
        # objects that have no attributes yet, by identity
        self._new: dict[int, Any] = {}

    def read(self) -> Any:
        """The value."""
        while True:
            begin = self._at
            code = self._bytes(1)
            step = _STEPS.get(code)
            if step is None:
                if code == b".":
                    break
                self._fail(f"Unsupported operand {code[0]}, an instruction that no file of save() has")
            try:
                step(self)
            except _DAMAGE as error:
                why = f"{type(error).__name__}: {error}"
                raise self._error(f"it is damaged at byte {begin} of its pickle ({why})") from None
        if len(self._stack) != 1:
            self._fail(
                f"it is damaged: its pickle leaves {len(self._stack)} values where it should leave one"
            )
        return self._stack[0]

    @property
    def end(self) -> int:
        """Where what was read ends."""
        return self._at

    def _error(self, what: str) -> UnpicklingError:
        return UnpicklingError(
            f"{'Weights only load' if self._weights_only else 'Load'} failed. {self._archive.name}: {what} (at "
            f"{place(*here())})"
        )

    def _fail(self, what: str) -> NoReturn:
        raise self._error(what)

    # ------------------------------------------------------------ the bytes and the stack

    def _bytes(self, count: int) -> bytes:
        data = self._data[self._at : self._at + count]
        if len(data) < count:
            self._fail("its pickle is cut off")
        self._at += count
        return data

    def _line(self) -> str:
        end = self._data.find(b"\n", self._at)
        if end < 0:
            self._fail("its pickle is cut off")
        line = self._data[self._at : end]
        self._at = end + 1
        return line.decode()

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._bytes(struct.calcsize(form)))[0]

    def _since_mark(self) -> list[Any]:
        stack = self._stack
        at = len(stack) - 1
        while stack[at] is not _Mark:  # an IndexError where there is none
            at -= 1
            if at < 0:
                raise IndexError("no mark on the stack")
        values = stack[at + 1 :]
        del stack[at:]
        return values

    def _of(self, kind: type[Any] | tuple[type[Any], ...], value: Any) -> Any:
        """The value, which must be of a kind."""
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            kinds = " or ".join(k.__name__ for k in (kind if isinstance(kind, tuple) else (kind,)))
            self._fail(f"it has a {type(value).__name__} where a {kinds} is expected")
        return value

    def _spend(self, nbytes: int) -> None:
        """Counts what is made of values that the pickle may name again and again."""
        self._room -= nbytes
        if self._room < 0:
            self._fail("it copies its own values so often that they take many times its length")

    def _items(self, kind: type[Any] | tuple[type[Any], ...], values: Any) -> Any:
        """The values of a container to be copied."""
        self._spend(_ITEM * len(self._of(kind, values)))
        return values

    # ------------------------------------------------------------ instructions

    def _push(self, form: str) -> None:
        self._stack.append(self._number(form))

    def _text(self, form: str) -> None:
        self._stack.append(self._bytes(self._number(form)).decode("utf-8", "surrogatepass"))

    def _data_of(self, kind: type[bytes | bytearray], form: str) -> None:
        self._stack.append(kind(self._bytes(self._number(form))))

    def _tuple_of(self, count: int) -> None:
        values = self._stack[-count:]
        if len(values) < count or any(value is _Mark for value in values):
            raise IndexError("too few values for a tuple")
        self._stack[-count:] = [tuple(values)]

    def _append(self) -> None:
        value = self._stack.pop()
        self._of((list, deque), self._stack[-1]).append(value)

    def _appends(self) -> None:
        values = self._since_mark()
        self._of((list, deque), self._stack[-1]).extend(values)

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._of(dict, self._stack[-1])[self._key(key)] = value

    def _set_items(self) -> None:
        values = self._since_mark()
        target = self._of(dict, self._stack[-1])
        for key, value in zip(values[::2], values[1::2], strict=False):
            target[self._key(key)] = value

    def _key(self, key: Any) -> Any:
        """A key of a dict or set, which is hashed."""
        self._spend(4 * self._checked(keys.size, key))
        return key

    def _add_items(self) -> None:
        values = self._since_mark()
        self._of(set, self._stack[-1]).update(map(self._key, values))

    def _put(self, form: str) -> None:
        self._memo[self._number(form)] = self._stack[-1]

    def _get(self, form: str) -> None:
        self._stack.append(self._memo[self._number(form)])

    def _put_next(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _global_of_stack(self) -> None:
        last, home = self._of(str, self._stack.pop()), self._of(str, self._stack.pop())
        self._global(f"{home} {last}")

    def _global(self, name: str) -> None:
        value = names.ALLOWED.get(name)
        if value is None and (not self._weights_only or objects.is_listed(name)):
            value = names.MORE.get(name)
        self._stack.append(self._named(name) if value is None else value)

    def _named(self, name: str) -> Any:
        """The class or function of the program that has a name."""
        home, _, last = name.partition(" ")
        value, why = None, ""
        # Where the program has listed nothing, weights have no need of a look at the modules.
        if not self._weights_only or get_safe_globals():
            try:
                value = objects.find(home, last)
            except ValueError as error:
                why = str(error)
        if value is not None and (not self._weights_only or objects.is_safe(value)):
            return value
        lacking = names.elsewhere(name)
        if lacking is not None:
            self._fail(f"it needs {lacking} ({home}.{last}), which minigrad does not have")
        if not self._weights_only:
            self._fail(f"Unsupported global: GLOBAL {home}.{last}: {why}")
        self._fail(
            f"Unsupported global: GLOBAL {home}.{last} was not an allowed global by default: it is no weight. "
            "load(..., weights_only=False) also reads whole modules and objects of your classes, and executes nothing "
            f"either; so does serialization.add_safe_globals([{last}]) for this class. Or save the state_dict()"
        )

    def _persistent(self) -> None:
        """A storage, by ``("storage", its class, its key, its device, its number of elements)``.

        Files before PyTorch 1.6 also have a Module's class so, with its source code.
        """
        about = self._of(tuple, self._stack.pop())
        if len(about) == 4 and self._of(str, about[0]) == "module":
            self._stack.append(self._of(type, about[1]))
            return
        if (
            len(about) not in (5, 6)
            or self._of(str, about[0]) != "storage"
            or any(x is not None for x in about[5:])
        ):
            self._fail("it refers to something outside that is no storage")
        kind = self._of(StorageType, about[1])
        key = self._of(str, about[2])
        count = self._of(int, about[4])
        if count < 0:
            self._fail(f"it has a storage of {count} elements")
        if key not in self._storages:
            itemsize = 1 if kind.dtype is None else kind.dtype.itemsize
            memory = self._archive.storage(key, count * itemsize)
            if self._archive.swapped and kind.dtype is not None:
                memory = memory.view(kind.dtype).byteswap().view(np.uint8)
            self._storages[key] = Storage(memory, kind.dtype)
        elif self._storages[key].dtype != kind.dtype:
            self._fail(f"the storage {key} has two element types")
        self._stack.append(self._storages[key])

    def _call(self) -> None:
        arguments = self._of(tuple, self._stack.pop())
        if isinstance(self._stack[-1], type) and len(arguments) == 1:
            self._stack[-1] = self._checked(objects.member, self._stack[-1], self._key(arguments[0]))
            return
        callee = self._of(Callee, self._stack[-1])
        call = _CALLS.get(callee)
        if call is None:
            self._fail(f"it calls {callee.name.replace(' ', '.')}")
        low, high, function = call
        if not low <= len(arguments) <= high:
            self._fail(f"it calls {callee.name.replace(' ', '.')} with {len(arguments)} arguments")
        self._stack[-1] = function(self, *arguments)

    def _build(self) -> None:
        """Attributes of an OrderedDict, such as a state_dict's ``_metadata``; of an object; what is in an array."""
        state = self._stack.pop()
        target = self._stack[-1]
        if self._new.pop(id(target), None) is not None:
            self._items((dict, tuple), state)
            # Also the tables of a Module, and what a partial function is to be called with, are copied.
            for table in state.values() if isinstance(state, dict) else state:
                self._spend(_ITEM * len(table) if isinstance(table, (dict, set)) else 0)
            self._checked(objects.fill, target, state)
            return
        if isinstance(target, np.ndarray):
            self._checked(arrays.fill, target, state)
            self._spend(target.nbytes if target.flags.owndata else 0)
        elif isinstance(target, arrays.ArrayType):
            self._checked(target.fill, state)
        else:
            self._attributes(self._of(OrderedDict, target), state)

    def _object(self) -> None:
        if self._stack[-2] is names.VERSION:
            return self._call()
        arguments = self._items(tuple, self._stack.pop())
        made = self._checked(objects.new, self._of(type, self._stack[-1]), arguments)
        self._stack[-1] = self._made(made)
        self._spend(_OBJECT * (4 if isinstance(made, Module) else 1))

    def _checked(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function for NumPy's values returns; the file's error for its ValueError."""
        try:
            return function(*arguments)
        except ValueError as error:
            raise self._error(str(error)) from None

    def _attributes(self, target: Any, state: Any) -> None:
        for name, value in self._of(dict, state).items():
            if hasattr(type(target), self._of(str, name)):
                self._fail(f"it would replace the attribute {name!r} of a {type(target).__name__}")
            vars(target)[name] = value

    # ------------------------------------------------------------ what may be called

    def _tensor(
        self,
        storage: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any = False,
        hooks: Any = None,
        metadata: Any = None,
    ) -> Tensor:
        """A Tensor over (a part of) a storage, or its conjugate. UnpicklingError if it reaches beyond."""
        self._of(Storage, storage)
        if storage.dtype is None:
            self._fail("it has a Tensor over a storage without an element type")
        shape, strides = self._of(tuple, size), self._of(tuple, stride)
        for n in (offset, *shape, *strides):
            if self._of(int, n) < 0:
                self._fail(f"a Tensor has the negative offset, size or stride {n}")
        if len(shape) != len(strides) or len(shape) > 64:
            self._fail(f"a Tensor has {len(shape)} sizes and {len(strides)} strides")
        itemsize = storage.dtype.itemsize
        count = storage.memory.nbytes // itemsize
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        empty = 0 in shape
        if not empty and last >= count:
            self._fail(
                f"a Tensor of shape {list(shape)} at offset {offset} reaches beyond its storage of {count} elements"
            )
        if math.prod(shape) * itemsize >= 1 << 62:
            self._fail(f"a Tensor has the shape {list(shape)}, which no memory has room for")
        steps = tuple(n * itemsize for n in strides)
        place = (None,) if empty else (storage.memory, offset * itemsize, steps)
        array: Any = np.ndarray(shape, storage.dtype, *place)
        marks = self._of(dict, metadata or {})  # of what PyTorch does when values are read
        array = -array if marks.get("neg") and array.dtype.kind in "fc" else array
        array = array.conj() if marks.get("conj") and array.dtype.kind == "c" else array
        return self._leaf(Tensor, from_numpy(array), requires_grad)

    def _leaf(self, cls: type[Tensor], data: Tensor, requires_grad: Any) -> Tensor:
        if self._of(bool, requires_grad) and not (data.is_floating_point() or data.is_complex()):
            self._fail(f"a Tensor of {data.dtype} requires grad")
        return Tensor._make_subclass(cls, data, requires_grad)

    def _parameter(self, data: Any, requires_grad: Any, hooks: Any, state: Any = None) -> Tensor:
        parameter = self._leaf(Parameter, self._of(Tensor, data), requires_grad)
        if state is not None:
            self._attributes(parameter, state)
        return parameter

    def _with_attributes(self, function: Any, cls: Any, arguments: Any, state: Any) -> Tensor:
        if self._of(Callee, function) != names.TENSOR or self._of(Callee, cls) not in (
            names.TENSOR_CLASS,
            names.PARAMETER_CLASS,
        ):
            self._fail("it has a Tensor of a class that is not PyTorch's")
        self._stack.append(function)
        self._stack.append(arguments)
        self._call()
        t: Tensor = self._stack.pop()
        if cls == names.PARAMETER_CLASS:
            t = self._leaf(Parameter, t, t.requires_grad)
        self._attributes(t, state)
        return t

    def _size(self, sizes: Any = ()) -> Size:
        return Size(self._of(int, n) for n in self._items((tuple, list), sizes))

    def _device(self, kind: Any, index: Any = None) -> device:
        # what was on another device is on the CPU now
        self._of(str, kind)
        return device("cpu")

    def _ordered_dict(self, items: Any = ()) -> OrderedDict[Any, Any]:
        return OrderedDict(
            (self._key(self._of((tuple, list), item)[0]), item[1])
            for item in self._items((tuple, list), items)
        )

    def _counter(self, items: Any = None) -> Counter[Any]:
        return Counter(None if items is None else self._items(dict, items))

    def _encoded(self, text: Any, encoding: Any) -> bytes:
        if self._of(str, encoding) not in ("latin1", "latin-1"):
            self._fail(f"it has bytes in the encoding {encoding[:20]!r}")
        self._spend(len(self._of(str, text)))
        return text.encode("latin1")

    def _set(self, items: Any = ()) -> set[Any]:
        return {self._key(item) for item in self._items((tuple, list), items)}

    def _bytearray(self, text: Any = "", encoding: Any = "latin-1") -> bytearray:
        if not isinstance(text, bytes):
            return bytearray(self._encoded(text, encoding))
        self._spend(len(text))
        return bytearray(text)

    def _complex(self, real: Any = 0.0, imaginary: Any = 0.0) -> complex:
        return complex(self._of(float, real), self._of(float, imaginary))

    def _scalar(self, kind: Any, data: Any) -> Any:
        self._spend(len(self._of(bytes, data)))
        return self._checked(arrays.scalar, kind, data)

    # ------------------------------------------------------------ where more than weights may be called

    def _queue(self, items: Any = (), length: Any = None) -> deque[Any]:
        return self._checked(objects.queue, self._items((tuple, list), items), length)

    def _path(self, *parts: Any) -> Path:
        self._spend(sum(len(self._of(str, part)) for part in parts))
        return Path(*parts)

    def _made(self, value: Any) -> Any:
        """An object that gets its attributes by the next instruction that gives it some."""
        self._new[id(value)] = value
        return value

    def _attribute(self, owner: Any, name: Any) -> Any:
        if isinstance(owner, type):
            return self._checked(objects.inner, owner, self._of(str, name))
        if self._of(Callee, owner) != names.FUNCTIONS:
            self._fail(f"it looks up {str(name)[:50]!r} in {owner.name}")
        return self._checked(objects.function, self._of(str, name))


_CALLS: dict[Callee, tuple[int, int, Callable[..., Any]]] = {
    names.TENSOR: (4, 7, Reader._tensor),
    names.SPARSE: (2, 2, lambda r, *arguments: r._checked(arrays.sparse, *arguments)),
    names.LAYOUT: (1, 1, lambda r, name: r._checked(arrays.layout, name)),
    names.PARAMETER: (3, 3, Reader._parameter),
    names.PARAMETER_WITH_STATE: (4, 4, Reader._parameter),
    names.WITH_ATTRIBUTES: (4, 4, Reader._with_attributes),
    names.SIZE: (0, 1, Reader._size),
    names.DEVICE: (1, 2, Reader._device),
    names.ORDERED_DICT: (0, 1, Reader._ordered_dict),
    names.COUNTER: (0, 1, Reader._counter),
    names.BYTES: (2, 2, Reader._encoded),
    names.NO_BYTES: (0, 0, lambda r: b""),
    names.SET: (0, 1, Reader._set),
    names.BYTEARRAY: (0, 2, Reader._bytearray),
    names.COMPLEX: (2, 2, Reader._complex),
    names.ARRAY: (3, 3, lambda r, *arguments: r._checked(arrays.empty, *arguments)),
    names.ARRAY_TYPE: (1, 3, lambda r, *arguments: r._checked(arrays.ArrayType, *arguments)),
    names.SCALAR: (2, 2, Reader._scalar),
    names.DEFAULT_DICT: (0, 1, lambda r, *factory: r._checked(objects.default_dict, *factory)),
    names.DEQUE: (0, 2, Reader._queue),
    names.FROZEN_SET: (0, 1, lambda r, items=(): frozenset(r._set(items))),
    names.RANGE: (3, 3, lambda r, *numbers: r._checked(objects.numbers, range, *numbers)),
    names.SLICE: (3, 3, lambda r, *numbers: r._checked(objects.numbers, slice, *numbers)),
    names.PATH: (0, 200, Reader._path),
    names.SIMPLE_NAMESPACE: (0, 0, lambda r: r._made(SimpleNamespace())),
    names.VERSION: (1, 1, lambda r, text: r._of(str, text)),
    names.PARTIAL: (1, 1, lambda r, function: r._made(r._checked(objects.partial_of, function))),
    **{name: (1, 3, lambda r, *a, of=name: r._checked(objects.moment, of, *a)) for name in names.MOMENTS},
    names.ATTRIBUTE: (2, 2, Reader._attribute),
}

_STEPS: dict[bytes, Callable[[Reader], Any]] = {
    b"\x80": lambda r: r._number("B"),  # the protocol
    b"N": lambda r: r._stack.append(None),
    b"\x88": lambda r: r._stack.append(True),
    b"\x89": lambda r: r._stack.append(False),
    b"K": lambda r: r._push("B"),
    b"M": lambda r: r._push("<H"),
    b"J": lambda r: r._push("<i"),
    b"G": lambda r: r._push(">d"),
    b"\x8a": lambda r: r._stack.append(decode_long(r._bytes(r._number("B")))),
    b"X": lambda r: r._text("<I"),
    b"U": lambda r: r._stack.append(r._bytes(r._number("B"))),
    b"(": lambda r: r._stack.append(_Mark),
    b"0": lambda r: r._stack.pop(),
    b"1": Reader._since_mark,
    b")": lambda r: r._stack.append(()),
    b"t": lambda r: r._stack.append(tuple(r._since_mark())),
    b"\x85": lambda r: r._tuple_of(1),
    b"\x86": lambda r: r._tuple_of(2),
    b"\x87": lambda r: r._tuple_of(3),
    b"]": lambda r: r._stack.append([]),
    b"a": Reader._append,
    b"e": Reader._appends,
    b"}": lambda r: r._stack.append({}),
    b"s": Reader._set_item,
    b"u": Reader._set_items,
    b"q": lambda r: r._put("B"),
    b"r": lambda r: r._put("<I"),
    b"h": lambda r: r._get("B"),
    b"j": lambda r: r._get("<I"),
    b"c": lambda r: r._global(f"{r._line()} {r._line()}"),
    b"Q": Reader._persistent,
    b"R": Reader._call,
    b"\x81": Reader._object,
    b"b": Reader._build,
    # of later protocols than PyTorch's own, 2, where save() was told one
    b"\x95": lambda r: r._number("<Q"),  # the length of what follows
    b"\x94": Reader._put_next,
    b"\x93": Reader._global_of_stack,
    b"\x8c": lambda r: r._text("B"),
    b"\x8d": lambda r: r._text("<Q"),
    b"C": lambda r: r._data_of(bytes, "B"),
    b"B": lambda r: r._data_of(bytes, "<I"),
    b"\x8e": lambda r: r._data_of(bytes, "<Q"),
    b"\x96": lambda r: r._data_of(bytearray, "<Q"),
    b"\x8f": lambda r: r._stack.append(set()),
    b"\x90": Reader._add_items,
    b"\x91": lambda r: r._stack.append(frozenset(map(r._key, r._since_mark()))),
}

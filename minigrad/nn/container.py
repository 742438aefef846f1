"""Modules that hold others: Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from __future__ import annotations

import copy
import operator
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import chain, groupby
from typing import Any, NoReturn, Self, cast, overload

from minigrad.errors import index_error, runtime_error, type_error, value_error
from minigrad.nn._text import block, indent
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Row(Module):
    """What Sequential and ModuleList share: modules in a row, named "0", "1", ..."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(cast("dict[str, Module]", self._modules).values())

    @overload
    def __getitem__(self, idx: int) -> Module: ...

    @overload
    def __getitem__(self, idx: slice) -> Self: ...

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)(*self._slice_arguments(idx))
        return self._modules[_key_at(self._modules, idx)]

    def _slice_arguments(self, idx: slice) -> tuple[Any, ...]:
        raise NotImplementedError

    def __setitem__(self, idx: int, module: Module) -> None:
        setattr(self, _key_at(self._modules, idx), module)

    def __delitem__(self, idx: int | slice) -> None:
        gone = list(self._modules)[idx] if isinstance(idx, slice) else [_key_at(self._modules, idx)]
        self._renumber([m for name, m in self._modules.items() if name not in gone])

    def _renumber(self, modules: Iterable[Module | None]) -> None:
        self._modules = {str(i): m for i, m in enumerate(modules)}

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, module: Module) -> Self:
        """Adds a module at the end; returns self."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Adds several modules at the end; returns self. TypeError for anything but an iterable."""
        if not isinstance(modules, Iterable):
            raise type_error(
                f"{type(self).__name__}.extend should be called with an iterable, "
                f"but got {type(modules).__name__}"
            )
        # a list, for `modules` may be this very container
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Puts a module before position ``index``; IndexError beyond the ends. Returns self.

        TypeError for no Module, KeyError before modules that have names of yours, which would have to change.
        """
        if not isinstance(module, Module):
            raise type_error(f"module should be a Module, got {type(module).__name__}")
        if not -len(self) <= index <= len(self):
            raise index_error(f"Index out of range: {index}")
        n = len(self)
        at = index + n if index < 0 else index
        if named := [name for name in list(self._modules)[at:] if not name.isdigit()]:
            raise KeyError(
                f"insert(): the modules behind position {at} have the names {named}, and not numbers"
            )
        self._modules.update({str(i + 1): self._modules[str(i)] for i in range(at, n)})
        self._modules[str(at)] = module
        return self

    @overload
    def pop(self, key: int) -> Module: ...

    @overload
    def pop(self, key: slice) -> Self: ...

    def pop(self, key: int | slice) -> Any:
        """Removes and returns the module at ``key`` (the modules, for a slice)."""
        gone = self[key]
        del self[key]
        return gone


class Sequential(_Row):
    """A chain of modules: each is called with what the one before it returned.

    ``Sequential(a, b, c)`` names them "0", "1", "2"; ``Sequential(OrderedDict(first=a, second=b))`` takes
    your names. It can be indexed, sliced (a Sequential of the same modules), appended to, added and repeated.
    """

    @overload
    def __init__(self, *args: Module) -> None: ...

    @overload
    def __init__(self, arg: OrderedDict[str, Module], /) -> None: ...

    def __init__(self, *args: Any) -> None:
        super().__init__()
        pairs = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else enumerate(args)
        for name, module in pairs:
            self.add_module(str(name) if isinstance(name, int) else name, module)

    def forward(self, input: Tensor) -> Tensor:
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def _slice_arguments(self, idx: slice) -> tuple[Any, ...]:
        return (OrderedDict(list(self._modules.items())[idx]),)

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *_sequential(other))

    def __iadd__(self, other: Sequential) -> Self:
        return self.extend(_sequential(other))

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*list(self) * self._times(other))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Self:
        return self.extend(list(self) * (self._times(other) - 1))

    def _times(self, other: int) -> int:
        if not isinstance(other, int):
            raise type_error(f"unsupported operand type(s) for *: {type(self)} and {type(other)}")
        if other <= 0:
            raise value_error(f"Non-positive multiplication factor {other} for {type(self)}")
        return other


class ModuleList(_Row):
    """A list of modules whose parameters are registered; it has no ``forward`` of its own."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _slice_arguments(self, idx: slice) -> tuple[Any, ...]:
        return (list(self._modules.values())[idx],)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(chain(self, other))

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __repr__(self) -> str:
        # Neighbours that print alike are printed once.
        lines: list[str] = []
        first = 0
        for text, same in groupby(repr(module) for module in self._modules.values()):
            n = len(list(same))
            at = f"({first})" if n == 1 else f"({first}-{first + n - 1})"
            lines.append(indent(f"{at}: {text}" if n == 1 else f"{at}: {n} x {text}"))
            first += n
        return block(self._get_name(), lines)


class ModuleDict(Module):
    """A dict of modules whose parameters are registered; it keeps the order of insertion."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return cast(Module, self._modules[key])

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Removes all."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Removes and returns one; KeyError if it is not there."""
        return cast(Module, self._modules.pop(key))

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return cast("dict[str, Module]", self._modules).values()

    def items(self) -> ItemsView[str, Module]:
        """The names with their modules."""
        return cast("dict[str, Module]", self._modules).items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Adds or replaces modules, from a mapping or from (name, module) pairs."""
        for key, module in _pairs(modules, "ModuleDict"):
            self[key] = module


class ParameterList(Module):
    """A list whose Tensors become registered parameters; other values are merely kept."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(i)) for i in range(self._size))

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)(self[i] for i in range(self._size)[idx])
        return getattr(self, _key_at(range(self._size), idx))

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, _key_at(range(self._size), idx), _as_parameter(param))

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, value: Any) -> Self:
        """Adds a value at the end (a Tensor as a Parameter); returns self."""
        setattr(self, str(self._size), _as_parameter(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Adds several values at the end; returns self. TypeError for a Tensor, and for anything but an iterable."""
        some: Any = values
        if isinstance(some, Tensor) or not isinstance(some, Iterable):
            raise type_error(
                f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}"
            )
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(f"  ({i}): {_summary(v)}" for i, v in enumerate(self))

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        raise runtime_error("ParameterList should not be called.")


class ParameterDict(Module):
    """A dict whose Tensors become registered parameters; other values are merely kept."""

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, self._attribute(key))

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, self._attribute(key), _as_parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, self._attribute(key))

    @staticmethod
    def _attribute(key: str) -> str:
        if not isinstance(key, str):
            raise type_error(
                f"Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}')"
            )
        return key

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._keys.keys()

    def values(self) -> Iterable[Any]:
        """The values."""
        return (self[k] for k in self._keys)

    def items(self) -> Iterable[tuple[str, Any]]:
        """The names with their values."""
        return ((k, self[k]) for k in self._keys)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of ``key``, or ``default``."""
        return self[key] if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of ``key``, which becomes ``default`` where there is none."""
        if key not in self._keys:
            self[key] = default
        return self[key]

    def pop(self, key: str) -> Any:
        """Removes ``key`` and returns its value; AttributeError if it is not there."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Removes and returns the pair inserted last; KeyError if there is none."""
        if not self._keys:
            raise KeyError("popitem(): the ParameterDict is empty")
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def clear(self) -> None:
        """Removes all."""
        for key in list(self._keys):
            del self[key]

    def copy(self) -> ParameterDict:
        """Another dict of the same values."""
        return ParameterDict(OrderedDict(self.items()))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dict with ``keys``, each with the value ``default``."""
        return ParameterDict((k, default) for k in keys)

    def update(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | ParameterDict) -> None:
        """Adds or replaces values, from a mapping or from (name, value) pairs.

        As in PyTorch a plain mapping is taken in the order of its sorted names, all else in its own order.
        """
        pairs = _pairs(parameters, "ParameterDict")
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs = sorted(pairs, key=lambda pair: pair[0])
        for key, value in pairs:
            self[key] = value

    def __or__(self, other: ParameterDict) -> ParameterDict:
        joined = self.copy()
        joined.update(other)
        return joined

    def __ror__(self, other: Mapping[str, Any]) -> Mapping[str, Any]:
        """A copy of a mapping with these entries too: of its class, as PyTorch has it."""
        joined = copy.copy(other)
        joined.update(self.items())  # type: ignore[attr-defined]
        return joined

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        return "\n".join(f"  ({k}): {_summary(v, True)}" for k, v in self.items())

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        raise runtime_error("ParameterDict should not be called.")


def _key_at(keys: Iterable[str | int], idx: int) -> str:
    names = list(keys)
    at = operator.index(idx)
    if not -len(names) <= at < len(names):
        raise index_error(f"index {at} is out of range")
    return str(names[at])


def _sequential(other: object) -> Sequential:
    if not isinstance(other, Sequential):
        raise value_error(
            f"add operator supports only objects of Sequential class, but {type(other)} is given."
        )
    return other


def _pairs(entries: Any, name: str) -> Iterable[tuple[str, Any]]:
    """The names and values of a mapping or of an iterable of pairs. TypeError or ValueError for anything else."""
    if isinstance(entries, (Mapping, ModuleDict, ParameterDict)):
        return list(entries.items())
    if not isinstance(entries, Iterable):
        raise type_error(
            f"{name}.update should be called with an iterable of key/value pairs, "
            f"but got {type(entries).__name__}"
        )
    pairs = []
    for i, pair in enumerate(entries):
        if not isinstance(pair, Iterable):
            raise type_error(
                f"{name} update sequence element #{i} should be Iterable; is {type(pair).__name__}"
            )
        entry = tuple(pair)
        if len(entry) != 2:
            raise value_error(f"{name} update sequence element #{i} has length {len(entry)}; 2 is required")
        pairs.append(entry)
    return pairs


def _as_parameter(value: Any) -> Any:
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _summary(value: object, old: bool = False) -> str:
    """What a container shows of an element; with ``old`` the older name of its type."""
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    type_of = value.type() if old else value.dtype
    return f"{kind} containing: [{type_of} of size {'x'.join(map(str, value.shape))}]"

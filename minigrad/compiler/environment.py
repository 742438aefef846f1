"""What a function can see besides its arguments, as guards of a recording.

The walk reaches the variables that the function's code mentions (closures, globals, defaults, the object it is bound
to), what these hold (Modules, optimizers, any objects with attributes, lists, dicts), and the functions and classes
among them, as far as they are the user's.  Each value becomes a guard: numbers and strings must be equal, objects the
same, and Tensors must keep what a recording depends on.

The file has more than 500 lines because it follows one value through everything that Python code can reach, and each
kind of object on that way has a few lines here.
"""

from __future__ import annotations

import array as arrays
import collections
import contextlib
import contextvars
import functools
import operator
import os
import random
import sys
import sysconfig
import types
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from minigrad import dtypes, errors
from minigrad.compiler.guards import SIMPLE, Guards, Place
from minigrad.compiler.scalars import Scalar
from minigrad.core.contents import Contents, publishes
from minigrad.core.mode import MODE
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.views import refresh
from minigrad.errors import INSIDE
from minigrad.random import Generator, default_generator
from minigrad.readers.source.names import identifier, instructions

SMALL = 1 << 10  # elements of an array whose values are a guard of their own
_RANDOM = (random.Random, np.random.Generator, np.random.RandomState, Generator)
_DESCRIPTORS = (
    types.GetSetDescriptorType, types.MemberDescriptorType, types.WrapperDescriptorType, types.MethodDescriptorType,
    types.ClassMethodDescriptorType, types.BuiltinFunctionType, property,
)  # fmt: skip
_SITE = f"{os.sep}site-packages{os.sep}"


@functools.cache
def _foreign(file: str | None) -> bool:
    """Whether code belongs to minigrad, the standard library or an installed package: such code is taken as fixed."""
    if not file or file.startswith("<frozen") or INSIDE[file]:
        return True
    path, standard = os.path.abspath(file), sysconfig.get_paths()
    return _SITE in path or path.startswith((standard["stdlib"] + os.sep, standard["platstdlib"] + os.sep))


def _fixed_module(module: types.ModuleType) -> bool:
    return _foreign(getattr(module, "__file__", None))


class Environment:
    """The guards of one recording, and the Tensors and arrays that it can name.

    ``guards`` are those on what is around the function; ``mutable`` those that the function itself may make false (a
    gradient that it sets, the state of an optimizer).
    """

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"equal": _equal, "same": _same}
        self.guards = Guards(self.names, self.pin)
        self.mutable = Guards(self.names, self.pin)
        # By id: Tensors, the paths that lead to them and to arrays, the qualified names of parameters and buffers.
        self.tensors: dict[int, Any] = {}
        self.paths: dict[int, str] = {}
        self.owned: dict[int, str] = {}
        # By a Tensor's id: the expression of its array, and whether that stays.
        self.places: dict[int, tuple[str, bool]] = {}
        # Arrays of NumPy, and the Tensors that stand for them, by the id of the array.
        self.arrays: dict[int, Any] = {}
        self._tensor_of: dict[int, Any] = {}
        # By a Tensor's id: its name, whether it has a gradient, the gradient's path.
        self.grads: dict[int, tuple[str, bool, str]] = {}
        # By the id of a gradient: its Tensor.
        self.gradient_of: dict[int, Any] = {}
        # Numbers that are parameters: the options that hold them, the key, the number, its expression.
        self.dynamic: list[tuple[dict[str, Any], str, Scalar, str]] = []
        # Guards on those of them whose value was read.
        self.settled: list[tuple[str, str]] = []
        # The states of optimizers, and their entries before the run.
        self.states: list[tuple[dict[Any, Any], dict[Any, Any]]] = []
        # Where the function stands.
        self.home = "an unknown place"
        # Iterators and random generators, with their paths and positions before the run.
        generator = default_generator
        self.movers: list[tuple[Any, str, Any]] = [(generator, "the default generator", generator.resets)]
        # The names of objects that stay the same, by id.
        self._pins: dict[int, str] = {}
        # The walk: the ids of values that were entered, and the values to visit, with place, path and mutability.
        self._entered: set[int] = set()
        self._queue: collections.deque[tuple[Any, Place | str, str, bool]] = collections.deque()
        # Attributes of modules and of objects whose classes are not the user's, and the names looked up in them.
        self._foreign_spaces: list[tuple[dict[str, Any], str]] = []
        self._asked: set[tuple[int, str]] = set()
        # All names in the code so far.
        self._mentioned: set[str] = set()
        # The ids of tables of Modules, whose entries have the names of attributes.
        self._tables: set[int] = set()
        # Caches of `_has_content` and `_slots`.
        self._content: dict[type, bool] = {}
        self._slotted: dict[type, list[str]] = {}
        # Objects whose ids are in use above.
        self._kept_alive: list[Any] = []
        # Whether the walk has met code that it does not follow.
        self._outsiders = False
        mode = MODE.get()
        space = vars(dtypes)
        self.guards.expect(
            Place(space, self.pin(space), "_default"), dtypes.default_float(), "the default dtype"
        )
        self.modes = (mode.grad, mode.inference)

    # ------------------------------------------------------------ finding

    def look(self, value: Any, expression: str, path: str) -> None:
        """Follows everything that can be reached from a value, which stands at ``expression``."""
        self._queue.append((value, expression, path, False))
        self._walk()

    def _walk(self) -> None:
        while self._queue:
            while self._queue:
                self._visit(*self._queue.popleft())
            self._look_into_the_foreign()

    def around(self, target: Callable[..., Any]) -> None:
        """Follows everything that a function, or another object that is called, mentions."""
        if isinstance(target, types.FunctionType):
            self.home = errors.place(target.__code__, 0)
        self._enter_once(target)
        self._walk()
        if self._outsiders or not _REACHING.isdisjoint(self._mentioned):
            # Their states are large, and code that can call only minigrad and NumPy does not draw from them.
            self.movers += [(mover, path, _position(mover)) for mover, path in _shared_generators()]

    def constant(self, value: Any) -> str:
        """A new name for a value in the guards."""
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def pin(self, value: Any) -> str:
        """The name of an object that stays the same."""
        name = self._pins.get(id(value))
        if name is None:
            name = self._pins[id(value)] = self.constant(value)
        return name

    def tensor_over(self, array: Any) -> Any:
        """The one Tensor that stands for an array of NumPy."""
        t = self._tensor_of.get(id(array))
        if t is None:
            t = self._tensor_of[id(array)] = wrap(array)
            self.tensors[id(t)] = t
            self.paths.setdefault(id(t), self.paths.get(id(array), "array"))
            self.places[id(t)] = (self.pin(array), True)
        return t

    def _visit(self, value: Any, place: Place | str, path: str, mutable: bool) -> None:
        guards = self.mutable if mutable else self.guards
        kind = value.__class__
        if value is None or value is Ellipsis or kind is bool or kind in SIMPLE:
            guards.expect(place, value, path)
            return
        empty = kind in (dict, list, set, collections.OrderedDict) and not value
        if empty and id(value) not in self._entered:
            guards.add(f"{place} == {self.constant(kind())}", path)
            return
        if isinstance(value, (tuple, frozenset)) and not _named_tuple(value):
            self._sequence(value, str(place), path, mutable)
            return
        self.pin(value)
        guards.expect(place, value, path)
        self._enter_once(value, path)

    def _sequence(self, value: Any, expression: str, path: str, mutable: bool) -> None:
        guards = self.mutable if mutable else self.guards
        guards.add(f"({expression}).__class__ is {self.pin(value.__class__)}", path)
        guards.add(f"len({expression}) == {len(value)}", path)
        if isinstance(value, frozenset):
            guards.add(f"{expression} == {self.constant(value)}", path)
            return
        for i, item in enumerate(value):
            self._queue.append((item, f"({expression})[{i}]", f"{path}[{i}]", mutable))

    def _enter(self, value: Any, pin: str, path: str) -> None:
        owner = getattr(value, "__self__", None) if isinstance(value, types.BuiltinFunctionType) else value
        if isinstance(owner, _RANDOM) or hasattr(type(owner), "__next__"):
            self.movers.append((owner, path, _position(owner)))
            return
        if isinstance(value, (dict, list, set)) and self._has_content(type(value)):
            self._enter_once(type(value))  # the methods of the user's class
        if isinstance(value, Tensor):
            self._tensor(value, pin, path)
        elif isinstance(value, np.ndarray):
            self.arrays[id(value)] = value
            self.paths[id(value)] = path
            self._array(value, pin, path)
        elif isinstance(value, types.FunctionType):
            self._code(value, pin)
        elif isinstance(value, types.MethodType):
            self._attribute(value, pin, "__self__", path)
            self._attribute(value, pin, "__func__", path)
        elif isinstance(value, types.ModuleType):
            if _fixed_module(value):
                self._outside(str(value.__name__))
            else:
                self._foreign_spaces.append((vars(value), value.__name__))
        elif isinstance(value, type):
            self._class(value, pin, path)
        elif isinstance(value, dict):
            self._dict(value, pin, path)
        elif isinstance(value, (collections.UserDict, collections.UserList)):
            self._attribute(value, pin, "data", path)
        elif isinstance(value, (list, collections.deque)) or _named_tuple(value):
            self.guards.sizes.append((value, len(value), pin, path))
            for i, item in enumerate(value):
                self._queue.append((item, Place(value, pin, i), f"{path}[{i}]", False))
        elif isinstance(value, (bytearray, arrays.array)):
            self.guards.add(f"bytes({pin}) == {self.constant(bytes(value))}", path)
        elif isinstance(value, (collections.ChainMap, types.MappingProxyType)):
            self._dict(value, pin, path)
        elif isinstance(value, contextvars.ContextVar):
            self._queue.append((value.get(None), f"{pin}.get(None)", path, False))
        elif isinstance(value, (set, frozenset)):
            self.guards.add(f"{pin} == {self.constant(frozenset(value))}", path)
        elif isinstance(value, functools.partial):
            for field in ("func", "args", "keywords"):
                self._attribute(value, pin, field, path)
        elif not isinstance(value, (np.generic, np.dtype, np.ufunc)):
            self._object(value, pin, path)

    def _tensor(self, t: Any, pin: str, path: str) -> None:
        refresh(t)
        self.tensors[id(t)] = t
        self.paths[id(t)] = _readable(path)
        self.places[id(t)] = (f"{pin}._array", True)
        node = t._node
        if not t.requires_grad:
            self.guards.constants.append((t, node, pin, path))
        elif not node.hooks:
            self.guards.leaves.append((t, node, pin, path))
        else:
            still = f"{pin}.requires_grad and {pin}.is_leaf is {node.op is None}"
            self.guards.add(f"({pin}._node is {self.constant(node)} or ({still}))", f"{path}.requires_grad")
            self.guards.add(f"{pin}._node.hooks == {self.constant(dict(node.hooks))}", f"the hooks of {path}")
            self.follow_hooks(node, path)
        grad = t._grad
        self.grads[id(t)] = pin, grad is not None, f"{path}.grad"
        if grad is not None:
            self.tensors[id(grad)] = grad
            self.gradient_of[id(grad)] = t
            self.paths[id(grad)] = f"grad_{_readable(path)}"
            self.places[id(grad)] = (f"{pin}._grad._array", False)
            self._kept_alive.append(grad)

    def _array(self, value: Any, pin: str, path: str) -> None:
        """Adds a guard on the elements of a small array, since the function may read them as numbers."""
        if value.size <= SMALL and value.dtype.kind in "biufcSU":
            content = self.constant((value.dtype, value.shape, value.tobytes()))
            self.guards.add(
                f"({pin}.dtype, {pin}.shape, {pin}.tobytes()) == {content}", f"the values of {path}"
            )

    def _code(self, function: types.FunctionType, pin: str) -> None:
        if _foreign(function.__code__.co_filename):
            self._outsiders = self._outsiders or not INSIDE[function.__code__.co_filename]
            for cell in function.__closure__ or ():  # the wrapper of a decorator may hold the user's function
                with contextlib.suppress(ValueError):
                    if isinstance(cell.cell_contents, (types.FunctionType, types.MethodType)):
                        self._attribute(cell, self.pin(cell), "cell_contents", function.__qualname__)
            return
        self.guards.expect(
            Place(function, pin, "__code__", get=getattr), function.__code__, function.__qualname__
        )
        for i, cell in enumerate(function.__closure__ or ()):
            name = function.__code__.co_freevars[i]
            with contextlib.suppress(ValueError):  # not yet filled
                self._attribute(cell, self.pin(cell), "cell_contents", name)
        spaces = self.pin(function.__globals__)
        read, mentioned = _names_in(function.__code__)
        self._mentioned |= mentioned
        for name in sorted(read & function.__globals__.keys()):
            place = Place(function.__globals__, spaces, name)
            self._queue.append((function.__globals__[name], place, name, False))
        if function.__dict__:
            self._dict(function.__dict__, self.pin(function.__dict__), function.__name__)
        for i, value in enumerate(function.__defaults__ or ()):
            self._queue.append(
                (value, f"{pin}.__defaults__[{i}]", f"a default of {function.__name__}", False)
            )
        for name, value in (function.__kwdefaults__ or {}).items():
            self._queue.append((value, f"{pin}.__kwdefaults__[{name!r}]", f"the default of {name}", False))

    def _look_into_the_foreign(self) -> None:
        """Follows, of modules and of objects whose classes are not the user's, what the code so far mentions."""
        for space, path in self._foreign_spaces:
            dictionary = self.pin(space)
            for name in sorted(self._mentioned & space.keys()):
                if not name.startswith("__") and (id(space), name) not in self._asked:
                    self._asked.add((id(space), name))
                    self._queue.append((space[name], Place(space, dictionary, name), f"{path}.{name}", False))

    def _class(self, cls: type, pin: str, path: str) -> None:
        home = _home(cls)
        module = sys.modules.get(home)
        if not home:  # a class of an unknown module may use anything, and its attributes may matter
            self._outside(home)
        elif home == "builtins" or (module is not None and _fixed_module(module) and home != "__main__"):
            self._outside(home)
            return
        for name, value in list(vars(cls).items()):
            value = getattr(value, "__func__", value)
            if name.startswith("__") and not isinstance(value, types.FunctionType):
                continue
            if isinstance(value, property):
                value = value.fget
                where = f"vars({pin})[{name!r}].fget"
            elif isinstance(vars(cls)[name], (staticmethod, classmethod)):
                where = f"vars({pin})[{name!r}].__func__"
            else:
                where = f"vars({pin})[{name!r}]"
            if not isinstance(value, _DESCRIPTORS):
                self._queue.append((value, where, f"{cls.__name__}.{name}", False))
        for base in (*cls.__bases__, type(cls)):
            self._enter_once(base)

    def _attribute(self, owner: Any, pin: str, name: str, path: str) -> None:
        self._queue.append((getattr(owner, name), Place(owner, pin, name, get=getattr), path, False))

    def _outside(self, name: str) -> None:
        """Notes that the function can use this module, which is taken as fixed."""
        if name.partition(".")[0] not in _QUIET or "random" in name:
            self._outsiders = True

    def follow_hooks(self, node: Any, path: str) -> None:
        """Follows the hooks of a record, which may read anything."""
        for hook in tuple((node.hooks or {}).values()) if node is not None else ():
            self._enter_once(hook, path)

    def _enter_once(self, value: Any, path: str = "") -> None:
        if id(value) not in self._entered:
            self._entered.add(id(value))
            self._enter(value, self.pin(value), path or getattr(value, "__name__", ""))

    def _dict(
        self,
        value: Mapping[Any, Any],
        pin: str,
        path: str,
        attributes: bool = False,
        tables: Collection[int] = (),
    ) -> None:
        """Follows the entries of a dict; ``tables`` are the ids of those that Modules publish, most of them empty."""
        if attributes:
            self.guards.sizes.append((value, len(value), pin, path))
        else:
            self.guards.keys.append((value, [*value], pin, path))
        get = _getter(value)
        for key, item in value.items():
            name = path if id(item) in self._tables else _joined(path, key)
            if id(item) in tables and not item:
                self.guards.empties.append((value, key, pin, path))  # the quickest kind of guard
            elif key.__class__ in (str, int, bool):
                if item is None or item is True or item is False or item.__class__ in SIMPLE:
                    self.guards.expect(Place(value, pin, key, get=get), item, name)  # nothing to enter
                else:
                    self._queue.append((item, Place(value, pin, key, get=get), name, False))
            else:
                self._enter_once(key)
                self._queue.append((item, Place(value, pin, key, self.pin(key), get), f"{path}[...]", False))

    def _object(self, value: Any, pin: str, path: str) -> None:
        # Only the function of a compiled function counts.
        inner = vars(value).get("__wrapped__") if hasattr(value, "__dict__") else None
        if inner is not None:
            self._queue.append((inner, Place(value, pin, "__wrapped__", get=getattr), path, False))
            return
        cls = value.__class__
        if not self._has_content(cls):
            self._outside(_home(value if isinstance(value, types.BuiltinFunctionType) else cls))
            if isinstance(getattr(value, "__dict__", None), dict):
                self._foreign_spaces.append((value.__dict__, path))
            return
        self._enter_once(cls)
        self.pin(cls)
        self.guards.classes.append((value, cls, pin, path))
        held = value.__minigrad_contents__() if publishes(cls) else Contents()
        named = (held.parameters, held.buffers, held.modules)
        self._tables.update(id(table) for table in named if table)
        for table in named[:2]:
            for key, t in table.items():
                if isinstance(t, Tensor):
                    self.owned.setdefault(id(t), _readable(f"{path}.{key}"))
        if held.state is not None:
            self._optimizer(held, path)
        space = getattr(value, "__dict__", None)
        if isinstance(space, dict):
            tables = {id(table) for table in (*named, held.unsaved, *held.hooks) if table != ()}
            self._dict(space, self.pin(space), path, attributes=True, tables=tables)
        for name in self._slots(type(value)):
            try:
                inner = object.__getattribute__(value, name)
            except AttributeError:
                self.guards.add(f"not hasattr({pin}, {name!r})", f"{path}.{name}")
            else:
                self._queue.append((inner, Place(value, pin, name, get=getattr), f"{path}.{name}", False))

    def _has_content(self, cls: type) -> bool:
        content = self._content.get(cls)
        if content is None:
            content = self._content[cls] = _has_content(cls)
        return content

    def _slots(self, cls: type) -> list[str]:
        """The names in ``__slots__`` of a class and its bases."""
        slots = self._slotted.get(cls)
        if slots is None:
            listed = [vars(c).get("__slots__", ()) for c in cls.__mro__]
            names = [name for slots in listed for name in ((slots,) if isinstance(slots, str) else slots)]
            slots = self._slotted[cls] = [n for n in names if n not in ("__dict__", "__weakref__")]
        return slots

    def _optimizer(self, held: Contents, path: str) -> None:
        """Follows an optimizer: floats among its options are parameters of a recording, and its state may grow."""
        state: Any = held.state
        for k, group in enumerate(held.groups):
            pin = self.pin(group)
            self._entered.add(id(group))  # its numbers get no guards by value
            self.guards.sizes.append((group, len(group), pin, path))
            for key, item in group.items():
                where = f"{path}.param_groups[{k}][{key!r}]"
                if item.__class__ is float:
                    self._option(group, key, item, Place(group, pin, key), where)
                else:
                    self._queue.append((item, Place(group, pin, key), where, False))
        pin = self.pin(state)
        # Entering them would add guards on their entries.
        self._entered |= {id(held.defaults), id(state), *map(id, state.values())}
        self.mutable.sizes.append((state, len(state), pin, f"{path}.state"))
        self.states.append((state, {k: dict(v) for k, v in state.items()}))
        for p, entries in state.items():
            of = self.pin(entries)
            self.mutable.expect(Place(state, pin, p, self.pin(p), _getter(state)), entries, f"{path}.state")
            self.mutable.sizes.append((entries, len(entries), of, f"{path}.state"))
            self._kept_alive.append(p)
            for key, item in entries.items():
                name = f"{key}_of_{self.paths.get(id(p), '')}"
                self._queue.append((item, Place(entries, of, key), name, True))

    def _option(self, group: dict[str, Any], key: str, item: float, place: Place, path: str) -> None:
        self.guards.floats.append((place, path))
        expression = str(place)
        number = self.number(item, key, expression, path)
        self.dynamic.append((group, key, number, expression))

    def number(self, value: float, text: str, expression: str, path: str) -> Scalar:
        """A number as a parameter, whose name begins with ``text``; reading its value adds a guard on it."""
        text = identifier(text)
        name = self.constant(value)
        equality = (f"equal({expression}, {name})", path)

        def settle(comparison: str = "") -> None:
            guard = equality
            if comparison:
                outcome = getattr(float, comparison)(value, 0.0)
                guard = f"float.{comparison}({expression}, 0.0) is {outcome}", path
            if guard not in self.settled:
                self.settled.append(guard)

        taken = {s.text for _, _, s, _ in self.dynamic}
        count, unique = 1, text
        while unique in taken:
            count += 1
            unique = f"{text}_{count}"
        return Scalar(value, unique, settle)

    # ------------------------------------------------------------ while a function is recorded

    @contextlib.contextmanager
    def scalars(self) -> Iterator[None]:
        """Lets optimizers see their options as parameters."""
        for group, key, number, _ in self.dynamic:
            group[key] = number
        try:
            yield
        finally:
            for group, key, number, _ in self.dynamic:
                if group.get(key) is number:
                    group[key] = number.value

    def let_go(self, passing: Iterable[int]) -> None:
        """Drops gradients, and the Tensors with these ids: the next call has others."""
        for number in [*passing, *(n for n in self.tensors if not self.places.get(n, ("", False))[1])]:
            self.tensors.pop(number, None)
        self.gradient_of.clear()
        self._kept_alive.clear()

    def guard_arrays(self) -> None:
        """Guards on the contents of larger arrays that took no part as Tensors: elements may have been read."""
        for key, array in self.arrays.items():
            if array.size > SMALL and key not in self._tensor_of:
                same = f"same({self.pin(array)}, {self.constant(array.copy())})"
                self.mutable.add(same, f"the values of {self.paths[key]}")

    def refuse_moves(self) -> None:
        """RuntimeError if the function advanced an iterator, or drew random numbers that are not minigrad's."""
        for mover, path, before in self.movers:
            if isinstance(mover, Generator) and _position(mover) != before:
                raise RuntimeError(
                    "compile(): the function seeds a random generator or sets its state, which is not part of a "
                    f"replay. Do that outside (in the function at {self.home})"
                )
            if _position(mover) != before:
                drawn = isinstance(mover, _RANDOM)
                raise RuntimeError(
                    f"compile(): the function {'draws from' if drawn else 'takes the next item of'} {path}, which is "
                    "not part of a replay. Do that outside and pass what it gives as an argument"
                    + ("; minigrad's own random numbers are replayed" if drawn else "")
                    + f" (in the function at {self.home})"
                )

    def restore(self) -> None:
        """Restores the states of optimizers."""
        for state, before in self.states:
            for key in [k for k in state if k not in before]:
                del state[key]
            for key, entries in before.items():
                state[key].clear()
                state[key].update(entries)


def _equal(a: Any, b: Any) -> bool:
    """Whether two numbers or texts are the same, also in type and sign."""
    if a.__class__ is not b.__class__ or a != b:
        return False
    return a != 0 or repr(a) == repr(b) if a.__class__ in (float, complex) else True


def _same(a: Any, b: Any) -> bool:
    """Whether two arrays hold the same bytes."""
    return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())


def _has_content(cls: type) -> bool:
    """Whether the attributes of a class's objects may matter: of Modules, optimizers, and the user's classes."""
    home = _home(cls)
    module = sys.modules.get(home)
    return publishes(cls) or home in ("", "__main__") or (module is not None and not _fixed_module(module))


def _home(value: Any) -> str:
    """The name of the module of a class or function; empty where that is no text, as in classes made by Cython."""
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) else ""


def _getter(mapping: Any) -> Any:
    """The function that reads an entry of a mapping without making one."""
    kind = type(mapping)
    makes = kind is not dict and issubclass(kind, dict) and hasattr(kind, "__missing__")
    return dict.get if makes else operator.getitem


# Modules that draw from no generator of Python's or NumPy's, except where a name has "random" in it; and names through
# which code may reach anything.
_QUIET = {
    "abc",
    "builtins",
    "collections",
    "enum",
    "math",
    "minigrad",
    "numpy",
    "operator",
    "types",
    "typing",
}
_REACHING = frozenset({"random", "eval", "exec", "globals", "import", "__import__"})


def _shared_generators() -> list[tuple[Any, str]]:
    """The generators from which the functions of ``random`` and ``numpy.random`` draw."""
    return [(random.random.__self__, "random"), (np.random.random.__self__, "numpy.random")]  # type: ignore[attr-defined]


def _position(mover: Any) -> Any:
    """How far an iterator or a generator of random numbers has come, as far as it tells."""
    if isinstance(mover, Generator):
        return mover.resets
    if isinstance(mover, random.Random):
        return mover.getstate()
    if isinstance(mover, np.random.RandomState):
        return _frozen(mover.get_state(legacy=False))
    if isinstance(mover, np.random.Generator):
        return _frozen(mover.bit_generator.state)
    if isinstance(mover, types.GeneratorType):
        return mover.gi_frame and mover.gi_frame.f_lasti, id(mover.gi_frame)
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return operator.length_hint(mover, -1), repr(mover.__reduce__()[1:])
    return None


def _frozen(state: Any) -> Any:
    """The state of a NumPy generator in a form that can be compared."""
    if isinstance(state, dict):
        return {key: _frozen(value) for key, value in state.items()}
    return state.tobytes() if isinstance(state, np.ndarray) else state


def _named_tuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


@functools.lru_cache(maxsize=1024)
def _names_in(code: types.CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """Global names that code reads, and all names in it, attributes too; also in the functions defined in it."""
    read: set[str] = set()
    names: set[str] = set()
    codes = [code]
    for c in codes:
        names |= set(c.co_names)
        # Strings may be names, as in getattr(config, "rate").
        names |= {k for k in c.co_consts if isinstance(k, str) and k.isidentifier()}
        for _, operation, name in instructions(c):
            if operation in ("LOAD_GLOBAL", "LOAD_NAME"):
                read.add(name)
            elif operation == "IMPORT_NAME":
                names.add("import")
        codes.extend(k for k in c.co_consts if isinstance(k, types.CodeType))
    return frozenset(read), frozenset(names)


def _joined(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _readable(path: str) -> str:
    return path.strip(".") or "tensor"

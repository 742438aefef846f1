"""The closed world of a recording: what a function reaches by name, followed from its code, and the guards on it.

What is followed: Tensors, Modules, optimizers, numbers, strings, functions, classes and modules of the user, and lists,
tuples, dicts and plain objects of these.  Of an object the attributes count that the code mentions.  All else is
refused when the code reaches it, and not before: code in a branch that does not run reaches nothing.

The file has more than 500 lines because it follows one value through everything that Python code can reach, and each
kind of object on that way has a few lines here.
"""

from __future__ import annotations

import abc
import builtins
import collections
import contextlib
import enum
import functools
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from minigrad import dtypes, errors
from minigrad.compiler.guards import MISSING, SIMPLE, Guards
from minigrad.compiler.kinds import (
    CALLED,
    CONTAINERS,
    FIXED,
    IMPURE,
    NAMES_OF_ITSELF,
    OWN,
    PLAIN,
    REFLECTION,
    REFUSED,
    SECRET,
    SMALL,
    TEXTUAL,
    UNREAD,
    a_kind,
    foreign,
    has_no_hidden_state,
    hidden_names,
    home_of,
    is_foreign,
    is_pure,
    is_users,
    load,
    names_in,
    of_minigrad,
    slot_of,
)
from minigrad.compiler.scalars import Scalar
from minigrad.compiler.watch import asks, asks_for_a_constant, instructions_watched, suspects_in
from minigrad.core.contents import Contents, publishes
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh
from minigrad.random import Generator, default_generator
from minigrad.readers.places import instructions
from minigrad.readers.source.names import identifier

_dict_of, _mro_of = attrgetter("__dict__"), attrgetter("__mro__")


class World:
    """What one function reaches by name, and the guards on it."""

    def __init__(self, function: Any) -> None:
        self.guards = Guards()
        # By a Tensor's id: Tensors, the paths that lead to them, the qualified names of parameters and buffers.
        self.tensors: dict[int, Any] = {}
        self.paths: dict[int, str] = {}
        self.owned: dict[int, str] = {}
        # Small arrays of NumPy, by id, whose elements are guarded.
        self.arrays: dict[int, Any] = {}
        # Numbers that are parameters of the recording: each with what finds it in a call; and what was seen of them.
        self.options: list[tuple[Scalar, Callable[[Any], Any]]] = []
        self.settled: list[tuple[str, str, Any]] = []
        self._stand_ins: list[tuple[dict[str, Any], str, Any, Any]] = []
        self.states: list[dict[Any, Any]] = []
        self.home = "an unknown place"
        inner = function
        while isinstance(inner, functools.partial):
            inner = inner.func
        code = getattr(getattr(inner, "__func__", inner), "__code__", None)
        if code is not None:
            self.home = errors.place(
                code, next(offset for offset, name, _ in instructions(code) if name == "RESUME")
            )
        self._texts: set[str] = set()
        # By id: why a value is refused, or "" where it is followed; and the values, which stay alive.
        self._reasons: dict[int, str] = {}
        self._alive: list[Any] = []
        # What the code mentions: names, those that it stores or may ask for, and whether it may ask for any.
        self._mentioned: set[str] = set()
        self._stored: set[str] = set()
        self._asked: set[str] = set()
        self._reflective = False
        # How much was known when all names were followed last.
        self._followed: tuple[Any, ...] = ()
        # Of objects, classes and modules: what reads a name, the names asked for so far, the path.
        self._spaces: list[tuple[Any, Any, str, set[Any]]] = []
        self._classes: dict[type, tuple[Any, Any, str, set[Any]]] = {}
        self._class_names: dict[type, tuple[set[str], set[str]]] = {}
        self._codes: list[tuple[types.CodeType, dict[str, Any], dict[str, Any]]] = []
        # Refused attributes by their names, and what computed names may reach: attributes of objects, and modules.
        self.refused_names = {name: f"{name}, with which code may reach anything" for name in SECRET}
        self.hidden = ""
        self._textual = False
        # Opaque defaults, by the code and the name of the parameter.
        self.defaults: dict[types.CodeType, dict[str, tuple[Any, str]]] = {}
        self._described: list[tuple[Any, str, set[str]]] = []
        for cls in Tensor.__mro__[:-1]:
            self._spaces.append((vars(cls), None, cls.__name__, set()))
        space = vars(dtypes)
        self.guards.entry(space, "_default", space["_default"], "the default dtype")
        # Random generators, each with how often it was seeded.
        self.generators = [(default_generator, default_generator.resets)]
        self.argument(function, "")

    def argument(self, value: Any, path: str) -> None:
        """Follows an argument that is no Tensor, number, list, tuple or dict. TypeError for what no guard can watch."""
        reason = self.follow(value, path)
        self._settle_names()
        if reason and not path:
            raise RuntimeError(
                f"compile(): the function is or holds {reason}, which a recording cannot guard (the function at "
                f"{self.home})"
            )
        if reason and not callable(value):
            raise TypeError(
                f"compile(): the argument {path} is {reason}; give Tensors, numbers or plain objects"
            )

    def knows(self, value: Any) -> bool:
        """Whether guards see the value."""
        return self._reasons.get(id(value), "unknown") == ""

    def hooks(self, node: Any, path: str) -> None:
        """Follows the hooks of a record, and what they mention."""
        self._hooks(node, path)
        self._settle_names()

    def number(self, value: float, text: str) -> Scalar:
        """A number as a parameter, whose name begins with ``text``; what is read of it is noted in ``settled``."""
        stem = unique = identifier(text)
        count = 1
        while unique in self._texts:
            count += 1
            unique = f"{stem}_{count}"
        self._texts.add(unique)

        def settle(comparison: str = "") -> None:
            row = unique, comparison, getattr(float, comparison)(value, 0.0) if comparison else value
            if row not in self.settled:
                self.settled.append(row)

        return Scalar(value, unique, settle)

    # ------------------------------------------------------------ values

    def follow(self, value: Any, path: str) -> str:
        """Adds the guards on what a value holds; returns why a recording cannot guard it, or ""."""
        kind = type(value)
        if (
            value is None
            or kind is bool
            or kind in SIMPLE
            or issubclass(kind, FIXED)
            or kind in (object, Scalar)
        ):
            return ""
        known = self._reasons.get(id(value))
        if kind is types.BuiltinFunctionType and value.__name__ in REFLECTION and value.__name__ not in path:
            return f"{value.__name__}() under another name"
        if known is None:
            self._reasons[id(value)] = ""  # it may hold itself
            self._alive.append(value)
            known = self._reasons[id(value)] = self._enter(value, path)
        return known

    def _enter(self, value: Any, path: str) -> str:
        kind = type(value)
        if id(value) in IMPURE:
            return f"{IMPURE[id(value)]}, which depends on more than its arguments"
        if kind is functools._lru_cache_wrapper:
            return "a function with a cache"
        if kind in weakref.ProxyTypes:  # before isinstance, which asks what it stands for
            return a_kind(kind)
        if kind is np.ufunc:
            return "" if vars(np).get(value.__name__) is value else "a ufunc of a Python function"
        if home_of(kind) == "typing":
            return ""
        if isinstance(value, Tensor):
            return self._tensor(value, path)
        if isinstance(value, Generator):
            self.generators.append((value, value.resets))
            return ""
        if isinstance(value, types.FunctionType):
            return self._function(value, path)
        if isinstance(value, types.MethodType):
            return self.follow(value.__self__, path) or self.follow(value.__func__, path)
        if isinstance(value, types.BuiltinFunctionType | types.MethodWrapperType):
            return self._builtin(value)
        if isinstance(value, types.ModuleType):
            return self._module(value, path)
        if isinstance(value, type):
            return self._class(value, path, True)
        if isinstance(value, (functools.partial, functools.partialmethod)):
            self._attributes(value, ("func", "args", "keywords"), path)
            return self._each([value.func, value.args, value.keywords], path)
        if isinstance(value, (staticmethod, classmethod)):
            return self.follow(value.__func__, path)
        if isinstance(value, (property, functools.cached_property)):
            self._each(
                [value.func] if isinstance(value, functools.cached_property) else [value.fget, value.fset],
                path,
            )
            return ""
        if kind is np.ndarray and value.size <= SMALL and value.dtype.kind in "biufSU":
            self.arrays[id(value)] = value
            self.guards.array(value, path)
            return ""
        if isinstance(value, np.ndarray):
            return f"an array of NumPy with {value.size} elements, too many to compare in each call"
        if isinstance(value, types.MappingProxyType) or hasattr(kind, "__next__"):
            return a_kind(kind)
        if publishes(kind):
            return self._holder(value, value.__minigrad_contents__(), path)
        if hasattr(kind, "__wrapped__") or "__wrapped__" in getattr(value, "__dict__", ()):
            inner = vars(value).get("__wrapped__")
            self.guards.entry(vars(value), "__wrapped__", inner, path)
            return self.follow(inner, path)
        if isinstance(value, enum.Enum):
            return self._object(value, path) or self.follow(value._value_, f"{path}.value")
        if isinstance(value, CONTAINERS):
            return self._container(value, path)
        if isinstance(value, (collections.UserDict, collections.UserList, collections.UserString)):
            self.guards.attribute(value, attrgetter("data"), value.data, path)
            return self.follow(value.data, path)
        plain = kind in PLAIN or (is_users(kind) and has_no_hidden_state(kind))
        if plain or home_of(kind).partition(".")[0] == "minigrad":
            return self._object(value, path)
        return a_kind(kind)

    def _each(self, values: Any, path: str) -> str:
        for v in values:
            if reason := self.follow(v, path):
                return reason
        return ""

    def _hooks(self, node: Any, path: str) -> None:
        for hook in tuple((node.hooks or {}).values()) if node is not None else ():
            self.follow(hook, path)

    def _tensor(self, t: Any, path: str) -> str:
        refresh(t)
        self.tensors[id(t)] = t
        self.paths[id(t)] = path.strip(".") or "tensor"
        self.guards.tensor(t, self.paths[id(t)])
        self._hooks(t._node, path)
        self._spaces.append((t.__dict__, Tensor, path, set(OWN)))
        if is_users(type(t)):
            self._class(type(t), path, False)
        return ""

    def _container(self, value: Any, path: str) -> str:
        kind = type(value)
        if kind not in (
            *CONTAINERS,
            collections.OrderedDict,
            collections.defaultdict,
            collections.Counter,
            list,
        ):
            if not is_users(kind) or not has_no_hidden_state(kind):
                named = isinstance(value, tuple) and hasattr(kind, "_fields")
                if not named:
                    return a_kind(kind)
            elif reason := self._class(kind, path, False) or (
                self._object(value, path) if hasattr(value, "__dict__") else ""
            ):
                return reason
        if isinstance(value, (set, frozenset)):
            if any(v.__class__ not in (*SIMPLE, bool) and v is not None for v in value):
                return f"a {kind.__name__} of objects"
            self.guards.table(value, path, False)
            return ""
        if isinstance(value, dict):
            self.guards.table(value, path, True)
            items = [
                (f"{path}.{k}" if k.__class__ is str else f"{path}[{k!r:.20}]", v)
                for k, v in dict.items(value)
            ]
            if reason := self._each(dict.keys(value), path):
                return reason
        else:
            if not isinstance(value, tuple):
                self.guards.table(value, path, False)
            items = [(f"{path}[{i}]", v) for i, v in enumerate(value)]
        if isinstance(value, collections.defaultdict):
            self._attributes(value, ("default_factory",), path)
            items.append((f"{path}.default_factory", value.default_factory))
        for name, v in items:
            if isinstance(v, types.ModuleType):
                self.hidden = self.hidden or f"the module {v.__name__}"
            if reason := self.follow(v, name):
                return f"a {kind.__name__} that holds {reason}"
        return ""

    def _attributes(self, owner: Any, names: Any, path: str) -> None:
        for name in names:
            self.guards.attribute(owner, attrgetter(name), getattr(owner, name), path)

    # ------------------------------------------------------------ functions, classes, modules

    def _function(self, function: types.FunctionType, path: str) -> str:
        code = function.__code__
        if foreign(code.co_filename):
            for cell in function.__closure__ or ():  # the wrapper of a decorator may hold the user's function
                with contextlib.suppress(ValueError):
                    if isinstance(cell.cell_contents, (types.FunctionType, types.MethodType, dict)):
                        self.follow(cell.cell_contents, path)
            home = function.__globals__.get("__name__") or home_of(function)
            return "" if is_pure(home) else f"{function.__name__}(), a function of the module {home}"
        self._attributes(function, ("__code__", "__defaults__", "__kwdefaults__"), function.__qualname__)
        cells: dict[str, Any] = {}
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # not yet filled
                cells[name] = value = cell.cell_contents
                self.guards.attribute(cell, attrgetter("cell_contents"), value, name)
        count, defaults = code.co_argcount, function.__defaults__ or ()
        known = dict(zip(code.co_varnames[count - len(defaults) : count], defaults, strict=True))
        if function.__kwdefaults__:
            self.guards.table(function.__kwdefaults__, f"a default of {function.__name__}", True)
            known |= function.__kwdefaults__
        for name, value in known.items():
            if reason := self.follow(value, name):
                self.defaults.setdefault(code, {})[name] = value, reason
        self._code(code, function.__globals__, cells)
        self._described.append((function, function.__qualname__, set()))
        self._spaces.append((function.__dict__, types.FunctionType, path, set()))
        if function.__dict__:
            self.guards.attribute(function, _dict_of, function.__dict__, path)
        return ""

    def _code(self, code: types.CodeType, space: dict[str, Any], cells: dict[str, Any]) -> None:
        self._codes.append((code, space, cells))
        self._mentioned |= set(code.co_names)
        texts = [
            t for k in code.co_consts for t in (k if isinstance(k, tuple) else (k,)) if isinstance(t, str)
        ]
        self._mentioned.update(texts)
        if not {"getattr", "hasattr", "setattr", "delattr", *REFLECTION}.isdisjoint(code.co_names):
            self._stored.update(texts)
            self._asked.update(texts)
        for name in code.co_freevars:
            if name in cells:
                self.follow(cells[name], name)
        rows = instructions(code)
        for i, (_, operation, name) in enumerate(rows):
            if operation in ("LOAD_GLOBAL", "LOAD_NAME"):
                value = space.get(name, MISSING)
                self.guards.entry(space, name, value, name)
                if value is MISSING and hasattr(builtins, name):
                    self.guards.entry(vars(builtins), name, getattr(builtins, name), name)
                if value is not MISSING:
                    self.follow(value, name)
            elif operation in ("STORE_ATTR", "DELETE_ATTR"):
                self._stored.add(name)
            elif operation == "IMPORT_NAME" and name in sys.modules:
                self.guards.entry(sys.modules, name, sys.modules[name], name)
                self.follow(sys.modules[name], name)
            if operation == "MATCH_CLASS" or (asks(operation, name) and not asks_for_a_constant(rows, i)):
                self._reflective = True
            self._textual = (
                self._textual
                or operation.startswith(("FORMAT_", "CONTAINS_OP"))
                or (operation == "LOAD_GLOBAL" and name in TEXTUAL)
            )
        for k in code.co_consts:
            if isinstance(k, types.CodeType):
                self._code(k, space, cells)

    def _builtin(self, function: Any) -> str:
        owner = function.__self__
        if isinstance(owner, types.ModuleType) or owner is None:
            home = owner.__name__ if owner is not None else home_of(function)
            if home == "builtins":
                return REFUSED.get(function.__name__, "")
            return "" if is_pure(home) else f"{function.__name__}(), a function of the module {home}"
        return self.follow(owner, function.__name__)

    def _module(self, module: types.ModuleType, path: str) -> str:
        name = module.__name__
        if not is_pure(name) and is_foreign(module):
            return f"the module {name}"
        self._spaces.append((vars(module), None, path or name, set()))
        if "__getattr__" in vars(module) and not is_foreign(module):
            self.follow(vars(module)["__getattr__"], f"{name}.__getattr__")
        return ""

    def _class(self, cls: type, path: str, called: bool) -> str:
        """Follows a class of the user; with ``called`` also what makes its objects."""
        if not is_users(cls) and not publishes(cls):
            home = home_of(cls)
            if home == "builtins":
                return REFUSED.get(cls.__name__, "")
            pure = is_pure(home) or cls in PLAIN
            self._abstract(cls)
            if pure and home.partition(".")[0] == "minigrad":
                self._spaces.append((vars(cls), None, cls.__name__, set()))
            return "" if pure else f"the class {home}.{cls.__name__}"
        if called:
            self._abstract(cls)
        library = home_of(cls).partition(".")[0] == "minigrad"
        names = CALLED & vars(cls).keys()
        if not library:
            names |= {n for n in vars(cls) if n.startswith("__")} - UNREAD
        if not called:
            names -= {"__init__", "__new__", "__init_subclass__"}
        self._alive.append(cls)
        self._reasons[id(cls)] = ""
        known = self._classes.get(cls)
        if known is None:
            known = self._classes[cls] = (vars(cls), None, cls.__name__, set[Any]())
            self._spaces.append(known)
            if not library:
                self.guards.attribute(cls, _mro_of, cls.__mro__, cls.__name__)
                self.guards.names(vars(cls), cls.__name__)
                self._described.append((cls, cls.__name__, set()))
        self._ask(known, names)
        for name in ("forward", "step") if library else ():
            if name not in vars(cls) and hasattr(cls, name):  # inherited, until it is replaced here
                self.guards.entry(vars(cls), name, MISSING, f"{cls.__name__}.{name}")
        for base in (*cls.__bases__, type(cls)):
            if base not in (object, type):
                self._class(base, path, called)
        return ""

    def _abstract(self, cls: type) -> None:
        """Adds the guard that no class is registered with an abstract one."""
        if isinstance(cls, abc.ABCMeta):
            token = abc.get_cache_token()
            self.guards.attribute(cls, lambda _: abc.get_cache_token() == token, True, cls.__name__)

    # ------------------------------------------------------------ objects

    def _object(self, value: Any, path: str) -> str:
        """Follows of an object the attributes that the code mentions, now and as more code is followed."""
        cls = type(value)
        if cls is not types.FunctionType:
            self.guards.instance(value, path)
        if is_users(cls) or publishes(cls):
            self._class(cls, path, False)
        space = getattr(value, "__dict__", None)
        if space is not None:
            self.guards.attribute(value, _dict_of, space, path)
            self._spaces.append((space, cls, path, set()))
        for owner in cls.__mro__:
            for name, slot in vars(owner).items() if is_users(owner) else ():
                if isinstance(slot, types.MemberDescriptorType):
                    item = slot_of(slot, value)
                    self.guards.attribute(value, functools.partial(slot_of, slot), item, f"{path}.{name}")
                    reason = "" if item is MISSING else self.follow(item, f"{path}.{name}")
                    if reason:
                        self._refuse(name, f"{path}.{name}", reason)
        return ""

    def _refuse(self, name: str, path: str, reason: str) -> None:
        """An attribute is refused where code reaches it, by its name or, of an object, by one that is computed."""
        self.refused_names.setdefault(name, reason)
        self.hidden = self.hidden or f"{path}, {reason}"

    def _holder(self, value: Any, held: Contents, path: str) -> str:
        """Follows a Module or an optimizer: its tables whole, of other attributes those that the code mentions."""
        space, tables = value.__dict__, (held.parameters, held.buffers, held.modules)
        library = home_of(type(value)).partition(".")[0] == "minigrad"
        self.guards.instance(value, path)
        if held.state is not None:
            self._optimizer(held, path)
            library = False
            self.guards.table(space, path, True)
        if not library:
            self._object(value, path)
            if held.state is None:
                self.guards.entry(space, "_hooked", space.get("_hooked", MISSING), f"the hooks of {path}")
        else:
            self.guards.table(space, path, False)
            self._class(type(value), path, False)
        own = {
            id(table)
            for table in (*tables, held.unsaved, *held.hooks, held.defaults, held.state, held.groups)
        }
        for table in (*tables, *held.hooks):
            if isinstance(table, dict):
                if not table and id(table) in self._reasons:  # several holders publish it
                    continue
                self._reasons.setdefault(id(table), "")
                self.guards.table(table, path, True)
                for key, item in table.items():
                    name = f"{path}.{key}" if path else str(key)
                    if isinstance(item, Tensor):
                        self.owned.setdefault(id(item), name.strip("."))
                    self.follow(item, name)
        if "training" in space and not library:
            self.guards.entry(space, "training", space["training"], f"{path}.training")
        for key, item in space.items() if library else ():
            if id(item) not in own and (reason := self.follow(item, f"{path}.{key}")):
                self._refuse(key, f"{path}.{key}", reason)
        return ""

    def _optimizer(self, held: Contents, path: str) -> None:
        """Follows an optimizer: floats among its options are parameters of a recording, and its state may grow."""
        state: Any = held.state
        self.states.append(state)
        for known in (state, held.defaults, held.groups, *held.groups):
            self._reasons[id(known)] = ""
            self._alive.append(known)
        if isinstance(held.groups, list):
            self.guards.table(held.groups, f"{path}.param_groups", False)
        for k, group in enumerate(held.groups):
            where = f"{path}.param_groups[{k}]"
            self.guards.size(group, where)
            for key, item in [*group.items()]:
                floats = item.__class__ is tuple and bool(item) and all(v.__class__ is float for v in item)
                if item.__class__ is float:
                    number = self.number(item, key)
                    self.options.append((number, functools.partial(_option, group, key)))
                    self._stand_ins.append((group, key, number, item))
                elif floats:
                    numbers = tuple(self.number(v, f"{key}_{i}") for i, v in enumerate(item))
                    self.options += [
                        (n, functools.partial(_option_item, group, key, i)) for i, n in enumerate(numbers)
                    ]
                    self._stand_ins.append((group, key, numbers, item))
                else:
                    self.guards.entry(group, key, item, f"{where}[{key!r}]")
                    self.follow(item, f"{where}[{key!r}]")

    # ------------------------------------------------------------ names

    def _settle_names(self) -> None:
        """Follows attributes of objects, classes and modules that the code mentions, until no more are."""
        while self._followed != (size := self._size()):
            self._followed = size
            for space in list(self._spaces):
                content, cls, path, asked = space
                of_user = cls not in (None, Tensor) if isinstance(content, dict) else not of_minigrad(content)
                whole = (self._reflective and of_user) or (self._textual and cls in PLAIN)
                if whole and isinstance(content, dict) and None not in asked:
                    asked.add(None)
                    self.guards.table(content, path, True)
                self._ask(
                    space, {n for n in content if isinstance(n, str)} - UNREAD if whole else self._mentioned
                )
            for value, path, asked in list(self._described):
                for name in (NAMES_OF_ITSELF & self._mentioned) - asked:
                    asked.add(name)
                    if hasattr(value, name) and name in vars(type(value)):
                        self._attributes(value, (name,), path)
                        self.follow(getattr(value, name), f"{path}.{name}")

    def _size(self) -> tuple[Any, ...]:
        """What grows while names are followed: as long as it is the same, nothing is left to follow."""
        parts = (
            self._mentioned,
            self._spaces,
            self._alive,
            self._described,
            self._codes,
            self._asked,
            self._stored,
        )
        return *map(len, parts), self._reflective, self._textual

    def _ask(self, space: tuple[Any, Any, str, set[Any]], names: set[str]) -> None:
        content, cls, path, asked = space
        known = [*content] if len(content) < len(names) else names
        of_module = cls is None and isinstance(content, dict)
        if of_module or path == "Tensor":
            load(content, names)
        for name in [n for n in known if n in names and n not in asked and n in content]:
            if of_module and name.startswith("__") and name not in NAMES_OF_ITSELF:
                continue
            asked.add(name)
            value = content[name]
            where = f"{path}.{name}" if path else name
            self.guards.entry(content, name, value, where)
            reason = self.follow(value, where)
            if reason and cls is not Tensor and of_minigrad(vars(cls) if cls is not None else content):
                continue  # what the library keeps for itself
            if reason and cls not in (None, types.FunctionType):
                self._refuse(name, where, reason)
            elif reason:
                self.refused_names.setdefault(name, reason)
        if cls is None and not of_module:
            return
        # What would be found nearer, or may be asked for, is missing.
        absent = names & (self._asked if of_module else self._stored)
        if cls is Tensor:
            absent = absent - names_in(Tensor)
        elif cls is not None:
            if cls not in self._class_names:
                self._class_names[cls] = names_in(cls), hidden_names(cls)
            of_class, hidden = self._class_names[cls]
            absent = absent | ((names | hidden) & of_class)
        for name in sorted(absent):
            if name not in asked and name not in content:
                asked.add(name)
                self.guards.entry(content, name, MISSING, f"{path}.{name}" if path else name)

    # ------------------------------------------------------------ while a function is recorded

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Lets optimizers see their options as parameters, and refuses what the code must not reach."""
        suspects = {code: rows for code, *known in self._codes if (rows := suspects_in(self, code, *known))}

        def look(frame: types.FrameType, offset: int) -> None:
            what = suspects[frame.f_code].get(offset)
            if isinstance(what, list):  # defaults, where the parameters still have them
                values = frame.f_locals
                what = next((f"{n}, {reason}" for n, v, reason in what if values.get(n) is v), None)
            if what is not None:
                place = errors.place(frame.f_code, offset)
                what += (
                    ""
                    if ", " in what.partition("of NumPy")[2] or ", wh" in what or ", with" in what
                    else ", which a recording cannot guard"
                )
                raise RuntimeError(
                    f"compile(): the function reaches {what}. Do that outside, and pass what it gives as an argument "
                    f"(at {place})"
                )

        for group, key, stand_in, _ in self._stand_ins:
            group[key] = stand_in
        try:
            with instructions_watched(suspects, look) if suspects else contextlib.nullcontext():
                yield
        finally:
            for group, key, stand_in, value in self._stand_ins:
                if group.get(key) is stand_in:
                    group[key] = value

    def refuse_changes(self) -> None:
        """RuntimeError if the function has changed an object of Python."""
        what = self.guards.changed()
        if any(generator.resets != resets for generator, resets in self.generators):
            raise RuntimeError(
                "compile(): the function seeds a random generator or sets its state, which is not part of a replay. Do "
                f"that outside (in the function at {self.home})"
            )
        if what:
            raise RuntimeError(
                f"compile(): the function changes {what}, and a replay would not: it repeats only what is done to "
                f"Tensors, gradients and the state of optimizers. Do that outside (in the function at {self.home})"
            )


def _option(group: dict[str, Any], key: str, leaves: Any) -> Any:
    return group[key]


def _option_item(group: dict[str, Any], key: str, i: int, leaves: Any) -> Any:
    return group[key][i]

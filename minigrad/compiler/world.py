"""The closed world of a recording: what a function reaches by name, followed from its code, and the guards on it.

What is followed: Tensors, Modules, optimizers, numbers, strings, functions, classes and modules of the user, and lists,
tuples, dicts and plain objects of these.  Of an object the attributes count that the code mentions.  All else is
refused when the code reaches it, and not before: code in a branch that does not run reaches nothing.
"""

from __future__ import annotations

import argparse
import builtins
import collections
import contextlib
import enum
import functools
import os
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from minigrad import dtypes, errors
from minigrad.compiler.guards import MISSING, SIMPLE, Guards
from minigrad.compiler.scalars import Scalar
from minigrad.core.contents import Contents, publishes
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh
from minigrad.device import device
from minigrad.errors import INSIDE
from minigrad.random import Generator, default_generator
from minigrad.readers.source.names import identifier, instructions

# Library modules whose functions depend on their arguments alone.
PURE = frozenset(
    [
        "abc",
        "cmath",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "enum",
        "functools",
        "itertools",
        "math",
        "minigrad",
        "numbers",
        "numpy",
        "operator",
        "string",
        "types",
        "typing",
        "builtins",
        "typing_extensions",
        "__future__",
        "_operator",
        "_functools",
        "_collections",
        "_collections_abc",
        "collections.abc",
    ]
)
_IMPURE_PARTS = ("numpy.random",)
_REFUSED = {
    "print": "print(), whose output a replay would not repeat",
    "input": "input(), which a replay would not ask for",
    **{name: f"{name}(), with which code may reach anything" for name in
       ("eval", "exec", "compile", "globals", "locals", "__import__", "breakpoint")},
    **{name: f"{name}(), which gives something else in each run" for name in ("id", "hash", "open")},
    **{name: f"{name}, whose objects a recording cannot guard" for name in ("memoryview", "bytearray")},
}  # fmt: skip
_REFLECTION = {"getattr", "hasattr", "vars", "dir", "attrgetter", "methodcaller", "__dict__"}
SMALL = 1 << 14  # elements
_PLAIN = (argparse.Namespace, types.SimpleNamespace)
_FIXED = (
    np.generic, np.dtype, np.ufunc, dtypes.dtype, device, Size, slice, range, enum.Enum, types.CodeType,
    types.MethodDescriptorType, types.WrapperDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType,
    types.ClassMethodDescriptorType, type(Ellipsis), type(NotImplemented), types.GenericAlias, types.UnionType,
)  # fmt: skip
_OWN = {"_array", "_node", "_view", "_grad", "_epoch", "_inference"}  # attributes of every Tensor
_CONTAINERS = (dict, list, tuple, set, frozenset, collections.deque)
_SITE = f"{os.sep}site-packages{os.sep}"


@functools.cache
def _foreign(file: str | None) -> bool:
    """Whether code belongs to minigrad, the standard library or an installed package."""
    if not file or file.startswith("<frozen") or INSIDE[file]:
        return True
    path, standard = os.path.abspath(file), sysconfig.get_paths()
    return _SITE in path or path.startswith((standard["stdlib"] + os.sep, standard["platstdlib"] + os.sep))


def _is_pure(name: str) -> bool:
    return name not in _IMPURE_PARTS and (name in PURE or name.partition(".")[0] in ("minigrad", "numpy"))


def _home(value: Any) -> str:
    """The name of the module of a class or function; empty where that is no text, as in classes made by Cython."""
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) else ""


def _is_users(cls: type) -> bool:
    """Whether a class is the user's."""
    home = _home(cls)
    module = sys.modules.get(home)
    return home in ("", "__main__") or (module is None or not _foreign(getattr(module, "__file__", None)))


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
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        if code is not None:
            self.home = errors.place(code, 0)
        self._texts: set[str] = set()
        # By id: why a value is refused, or "" where it is followed; and the values, which stay alive.
        self._reasons: dict[int, str] = {}
        self._alive: list[Any] = []
        # What the code mentions: names, those that it stores or may ask for, and whether it may ask for any.
        self._mentioned: set[str] = set()
        self._stored: set[str] = set()
        self._reflective = False
        # Of objects, classes and modules: what reads a name, the names asked for so far, the path.
        self._spaces: list[tuple[Any, Any, str, set[str]]] = []
        self._classes: dict[type, tuple[Any, Any, str, set[str]]] = {}
        self._codes: list[tuple[types.CodeType, dict[str, Any], dict[str, Any]]] = []
        self._refused_names: dict[str, str] = {}
        space = vars(dtypes)
        self.guards.entry(space, "_default", space["_default"], "the default dtype")
        # Random generators, each with how often it was seeded.
        self._generators = [(default_generator, default_generator.resets)]
        self.argument(function, "")

    def argument(self, value: Any, path: str) -> None:
        """Follows an argument that is no Tensor, number, list, tuple or dict. TypeError for what no guard can watch."""
        reason = self._follow(value, path)
        self._settle_names()
        if reason and not callable(value):
            raise TypeError(
                f"compile(): the argument {path} is {reason}; give Tensors, numbers or plain objects"
            )

    def knows(self, value: Any) -> bool:
        """Whether guards see the value."""
        return self._reasons.get(id(value), "unknown") == ""

    def hooks(self, node: Any, path: str) -> None:
        """Follows the hooks of a record."""
        for hook in tuple((node.hooks or {}).values()) if node is not None else ():
            self._follow(hook, path)
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

    def _follow(self, value: Any, path: str) -> str:
        """Adds the guards on what a value holds; returns why a recording cannot guard it, or ""."""
        kind = value.__class__
        if value is None or kind is bool or kind in SIMPLE or isinstance(value, _FIXED):
            return ""
        known = self._reasons.get(id(value))
        if known is None:
            self._reasons[id(value)] = ""  # it may hold itself
            self._alive.append(value)
            known = self._reasons[id(value)] = self._enter(value, path)
        return known

    def _enter(self, value: Any, path: str) -> str:
        kind = type(value)
        if isinstance(value, Tensor):
            return self._tensor(value, path)
        if isinstance(value, Generator):
            self._generators.append((value, value.resets))
            return ""
        if isinstance(value, types.FunctionType):
            return self._function(value, path)
        if isinstance(value, types.MethodType):
            return self._follow(value.__self__, path) or self._follow(value.__func__, path)
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
            return self._follow(value.__func__, path)
        if isinstance(value, property):
            return self._each([value.fget, value.fset], path)
        if kind is np.ndarray and value.size <= SMALL and value.dtype.kind in "biufSU":
            self.arrays[id(value)] = value
            self.guards.array(value, path)
            return ""
        if isinstance(value, np.ndarray):
            return f"an array of NumPy with {value.size} elements, too many to compare in each call"
        if isinstance(value, types.MappingProxyType) or hasattr(kind, "__next__"):
            return f"{_a(kind)}"
        if publishes(kind):
            return self._holder(value, value.__minigrad_contents__(), path)
        if hasattr(kind, "__wrapped__") or "__wrapped__" in getattr(value, "__dict__", ()):
            inner = vars(value).get("__wrapped__")
            self.guards.entry(vars(value), "__wrapped__", inner, path)
            return self._follow(inner, path)
        if isinstance(value, _CONTAINERS):
            return self._container(value, path)
        if isinstance(value, (collections.UserDict, collections.UserList, collections.UserString)):
            self.guards.attribute(value, attrgetter("data"), value.data, path)
            return self._follow(value.data, path)
        plain = kind in _PLAIN or (_is_users(kind) and _has_no_hidden_state(kind))
        if plain or _home(kind).partition(".")[0] == "minigrad":
            return self._object(value, path)
        return _a(kind)

    def _each(self, values: Any, path: str) -> str:
        for v in values:
            if reason := self._follow(v, path):
                return reason
        return ""

    def _tensor(self, t: Any, path: str) -> str:
        refresh(t)
        self.tensors[id(t)] = t
        self.paths[id(t)] = path.strip(".") or "tensor"
        self.guards.tensor(t, self.paths[id(t)])
        for hook in tuple((t._node.hooks or {}).values()) if t._node is not None else ():
            self._follow(hook, path)
        if t.__dict__.keys() - _OWN:
            self._spaces.append((t.__dict__, type(t), path, set()))
        return ""

    def _container(self, value: Any, path: str) -> str:
        kind = type(value)
        if kind not in (
            *_CONTAINERS,
            collections.OrderedDict,
            collections.defaultdict,
            collections.Counter,
            list,
        ):
            if not _is_users(kind) or not _has_no_hidden_state(kind):
                named = isinstance(value, tuple) and hasattr(kind, "_fields")
                if not named:
                    return _a(kind)
            elif reason := self._class(kind, path, False) or (
                self._object(value, path) if hasattr(value, "__dict__") else ""
            ):
                return reason
        if isinstance(value, (set, frozenset)):
            if any(v.__class__ not in SIMPLE and v is not None for v in value):
                return f"a {kind.__name__} of objects"
            if kind is not frozenset:
                self.guards.table(_Frozen(value), path, False)
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
        for name, v in items:
            if reason := self._follow(v, name):
                return f"a {kind.__name__} that holds {reason}"
        return ""

    def _attributes(self, owner: Any, names: Any, path: str) -> None:
        for name in names:
            self.guards.attribute(owner, attrgetter(name), getattr(owner, name), path)

    # ------------------------------------------------------------ functions, classes, modules

    def _function(self, function: types.FunctionType, path: str) -> str:
        code = function.__code__
        if _foreign(code.co_filename):
            for cell in function.__closure__ or ():  # the wrapper of a decorator may hold the user's function
                with contextlib.suppress(ValueError):
                    if isinstance(cell.cell_contents, (types.FunctionType, types.MethodType)):
                        self._follow(cell.cell_contents, path)
            home = _home(function)
            return "" if _is_pure(home) else f"{function.__name__}(), a function of the module {home}"
        self._attributes(function, ("__code__", "__defaults__", "__kwdefaults__"), function.__qualname__)
        cells: dict[str, Any] = {}
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # not yet filled
                cells[name] = value = cell.cell_contents
                self.guards.attribute(cell, attrgetter("cell_contents"), value, name)
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._follow(value, f"a default of {function.__name__}")
        self._code(code, function.__globals__, cells)
        if function.__dict__:
            self._object(function, path)
        return ""

    def _code(self, code: types.CodeType, space: dict[str, Any], cells: dict[str, Any]) -> None:
        self._codes.append((code, space, cells))
        self._mentioned |= set(code.co_names)
        self._mentioned |= {k for k in code.co_consts if isinstance(k, str) and k.isidentifier()}
        self._stored |= {k for k in code.co_consts if isinstance(k, str) and k.isidentifier()}
        for name in code.co_freevars:
            if name in cells:
                self._follow(cells[name], name)
        rows = instructions(code)
        for i, (_, operation, name) in enumerate(rows):
            if operation in ("LOAD_GLOBAL", "LOAD_NAME"):
                value = space.get(name, MISSING)
                self.guards.entry(space, name, value, name)
                if value is MISSING and hasattr(builtins, name):
                    self.guards.entry(vars(builtins), name, getattr(builtins, name), name)
                if value is not MISSING:
                    self._follow(value, name)
            elif operation in ("STORE_ATTR", "DELETE_ATTR"):
                self._stored.add(name)
            elif operation == "IMPORT_NAME" and name in sys.modules:
                self.guards.entry(sys.modules, name, sys.modules[name], name)
                self._follow(sys.modules[name], name)
            if name in _REFLECTION and not _asks_for_a_constant(rows, i):
                self._reflective = True
        for k in code.co_consts:
            if isinstance(k, types.CodeType):
                self._code(k, space, cells)

    def _builtin(self, function: Any) -> str:
        owner = function.__self__
        if isinstance(owner, types.ModuleType) or owner is None:
            home = owner.__name__ if owner is not None else _home(function)
            if home == "builtins":
                return _REFUSED.get(function.__name__, "")
            return "" if _is_pure(home) else f"{function.__name__}(), a function of the module {home}"
        return self._follow(owner, function.__name__)

    def _module(self, module: types.ModuleType, path: str) -> str:
        name = module.__name__
        if not _is_pure(name) and _foreign(getattr(module, "__file__", None)) and name != "__main__":
            return f"the module {name}"
        self._spaces.append((vars(module), None, path or name, set()))
        return ""

    def _class(self, cls: type, path: str, called: bool) -> str:
        """Follows a class of the user; with ``called`` also what makes its objects."""
        if not _is_users(cls) and not publishes(cls):
            home = _home(cls)
            if home == "builtins":
                return _REFUSED.get(cls.__name__, "")
            pure = _is_pure(home) or cls in _PLAIN
            if pure and home.partition(".")[0] == "minigrad":
                self._spaces.append((vars(cls), None, cls.__name__, set()))
            return "" if pure else f"the class {home}.{cls.__name__}"
        library = _home(cls).partition(".")[0] == "minigrad"
        names = {n for n in vars(cls) if n.startswith("__") and isinstance(vars(cls)[n], types.FunctionType)}
        if library:
            names = set()
        if not called:
            names -= {"__init__", "__new__", "__init_subclass__"}
        if publishes(cls):
            names |= {"forward", "step"} & vars(cls).keys()
        self._alive.append(cls)
        self._reasons[id(cls)] = ""
        known = self._classes.get(cls)
        if known is None:
            known = self._classes[cls] = (vars(cls), None, cls.__name__, set[str]())
            self._spaces.append(known)
            if not library:
                self.guards.attribute(cls, _mro_of, cls.__mro__, cls.__name__)
        self._ask(known, names)
        for base in (*cls.__bases__, type(cls)):
            if base not in (object, type):
                self._class(base, path, called)
        return ""

    # ------------------------------------------------------------ objects

    def _object(self, value: Any, path: str) -> str:
        """Follows of an object the attributes that the code mentions, now and as more code is followed."""
        cls = type(value)
        if cls is not types.FunctionType:
            self.guards.instance(value, path)
        if _is_users(cls) or publishes(cls):
            self._class(cls, path, False)
        space = getattr(value, "__dict__", None)
        if space is not None:
            self.guards.attribute(value, _dict_of, space, path)
            self._spaces.append((space, cls, path, set()))
        for owner in cls.__mro__:
            for name in _slots(owner):
                slot = vars(owner).get(name)
                if isinstance(slot, types.MemberDescriptorType):
                    item = _slot(slot, value)
                    self.guards.attribute(value, functools.partial(_slot, slot), item, f"{path}.{name}")
                    if item is not MISSING and (reason := self._follow(item, f"{path}.{name}")):
                        self._refused_names.setdefault(name, reason)
        return ""

    def _holder(self, value: Any, held: Contents, path: str) -> str:
        """Follows a Module or an optimizer: its tables whole, of other attributes those that the code mentions."""
        space, tables = value.__dict__, (held.parameters, held.buffers, held.modules)
        library = _home(type(value)).partition(".")[0] == "minigrad"
        self.guards.instance(value, path)
        if held.state is not None:
            self._optimizer(held, path)
            library = False
            self.guards.table(space, path, True)
        if not library:
            self._object(value, path)
        else:
            self.guards.table(space, path, False)
            self._class(type(value), path, False)
        own = {
            id(table)
            for table in (*tables, held.unsaved, *held.hooks, held.defaults, held.state, held.groups)
        }
        for table in (*tables, *held.hooks):
            if isinstance(table, dict):
                self._reasons.setdefault(id(table), "")
                self.guards.table(table, path, True)
                for key, item in table.items():
                    name = f"{path}.{key}" if path else str(key)
                    if isinstance(item, Tensor):
                        self.owned.setdefault(id(item), name.strip("."))
                    self._follow(item, name)
        if "training" in space and not library:
            self.guards.entry(space, "training", space["training"], f"{path}.training")
        for key, item in space.items() if library else ():
            if id(item) not in own:
                self._follow(item, f"{path}.{key}")
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
                    self._follow(item, f"{where}[{key!r}]")

    # ------------------------------------------------------------ names

    def _settle_names(self) -> None:
        """Follows attributes of objects, classes and modules that the code mentions, until no more are."""
        count = -1
        while count != len(self._mentioned) + len(self._spaces) + len(self._alive):
            count = len(self._mentioned) + len(self._spaces) + len(self._alive)
            for space in list(self._spaces):
                whole = self._reflective and space[1] is not None
                self._ask(space, {n for n in space[0] if isinstance(n, str)} if whole else self._mentioned)

    def _ask(self, space: tuple[Any, Any, str, set[str]], names: set[str]) -> None:
        content, cls, path, asked = space
        known = [*content] if len(content) < len(names) else names
        for name in [n for n in known if n in names and n not in asked and n in content]:
            if name.startswith("__") and isinstance(content, dict) and cls is None:
                continue  # of a module
            asked.add(name)
            value = content[name]
            where = f"{path}.{name}" if path else name
            self.guards.entry(content, name, value, where)
            if reason := self._follow(value, where):
                self._refused_names.setdefault(name, reason)
        if cls is None:
            return
        # What would be found nearer, or may be asked for, is missing.
        for name in sorted((names & self._stored) | {n for n in names if _in_class(cls, n)}):
            if name not in asked and name not in content:
                asked.add(name)
                self.guards.entry(content, name, MISSING, f"{path}.{name}" if path else name)

    # ------------------------------------------------------------ while a function is recorded

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Lets optimizers see their options as parameters, and refuses what the code must not reach."""
        suspects = {code: rows for code, *known in self._codes if (rows := self._suspects(code, *known))}

        def trace(frame: types.FrameType, event: str, _: Any) -> Any:
            rows = suspects.get(frame.f_code)
            if rows is None:
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            if event == "opcode" and frame.f_lasti in rows:
                place, what = errors.place(frame.f_code, frame.f_lasti), rows[frame.f_lasti]
                what += (
                    ""
                    if ", " in what.partition("of NumPy")[2] or ", wh" in what or ", with" in what
                    else ", which a recording cannot guard"
                )
                raise RuntimeError(
                    f"compile(): the function reaches {what}. Do that outside, and pass what it gives as an argument "
                    f"(at {place})"
                )
            return trace

        for group, key, stand_in, _ in self._stand_ins:
            group[key] = stand_in
        before = sys.gettrace()
        try:
            if suspects:
                sys.settrace(trace)
            yield
        finally:
            if suspects:
                sys.settrace(before)
            for group, key, stand_in, value in self._stand_ins:
                if group.get(key) is stand_in:
                    group[key] = value

    def _suspects(self, code: types.CodeType, space: dict[str, Any], cells: dict[str, Any]) -> dict[int, str]:
        """What must not be reached, by the instruction of a code object that reaches it."""
        rows: dict[int, str] = {}
        module: Any = None
        asks = not _REFLECTION.isdisjoint(code.co_names)
        for offset, operation, name in instructions(code):
            reason, value = "", MISSING
            if operation == "LOAD_CONST" and asks and isinstance(name, str):
                reason = self._refused_names.get(name, "")
            elif operation in ("LOAD_GLOBAL", "LOAD_NAME"):
                value = space.get(name, getattr(builtins, name, MISSING))
            elif operation in ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"):
                value = cells.get(name, MISSING)
            elif operation == "IMPORT_NAME":
                value = sys.modules.get(name, MISSING)
                reason = f"the module {name}, which is not yet imported" if value is MISSING else ""
            elif operation in ("LOAD_ATTR", "LOAD_METHOD"):
                if module is not None:
                    value = vars(module).get(name, MISSING)
                else:
                    reason = self._refused_names.get(name, "")
            if value is not MISSING:
                what = self._follow(value, name)
                reason = what and (what if what.startswith(("the ", f"{name}(")) else f"{name}, {what}")
            if reason:
                rows[offset] = reason
            if operation not in ("PUSH_NULL", "CACHE", "PRECALL"):
                module = value if isinstance(value, types.ModuleType) else None
        return rows

    def refuse_changes(self) -> None:
        """RuntimeError if the function has changed an object of Python."""
        what = self.guards.changed()
        if any(generator.resets != resets for generator, resets in self._generators):
            raise RuntimeError(
                "compile(): the function seeds a random generator or sets its state, which is not part of a replay. Do "
                f"that outside (in the function at {self.home})"
            )
        if what:
            raise RuntimeError(
                f"compile(): the function changes {what}, and a replay would not: it repeats only what is done to "
                f"Tensors, gradients and the state of optimizers. Do that outside (in the function at {self.home})"
            )


_dict_of, _mro_of = attrgetter("__dict__"), attrgetter("__mro__")


def _a(kind: type) -> str:
    return f"a {kind.__name__}"


class _Frozen:
    """The content of a set as a sequence, whose order does not matter."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def __len__(self) -> int:
        return len(self.content)

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(self.content, key=repr))


def _option(group: dict[str, Any], key: str, leaves: Any) -> Any:
    return group[key]


def _option_item(group: dict[str, Any], key: str, i: int, leaves: Any) -> Any:
    return group[key][i]


def _slot(slot: Any, owner: Any) -> Any:
    try:
        return slot.__get__(owner)
    except AttributeError:
        return MISSING


def _slots(cls: type) -> list[str]:
    slots = vars(cls).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else slots
    return [n for n in names if n not in ("__dict__", "__weakref__")]


def _in_class(cls: type, name: str) -> bool:
    return any(name in vars(base) for base in cls.__mro__)


def _has_no_hidden_state(cls: type) -> bool:
    """Whether all that objects of a class hold are attributes, slots and items."""
    known = (
        object,
        *_CONTAINERS,
        collections.OrderedDict,
        collections.defaultdict,
        int,
        float,
        str,
        enum.Enum,
    )
    return all(
        base in known
        or (
            bool(base.__flags__ & 1 << 9)
            and (
                _is_users(base)
                or publishes(base)
                or base in known
                or _home(base) in ("typing", "abc", "enum", "collections.abc", "dataclasses")
            )
        )
        for base in cls.__mro__
    )


def _asks_for_a_constant(rows: list[tuple[int, str, Any]], i: int) -> bool:
    """Whether an instruction that loads ``getattr`` begins a call with a constant name."""
    name = rows[i][2]
    if name not in ("getattr", "hasattr") or rows[i][1] not in ("LOAD_GLOBAL", "LOAD_NAME"):
        return name in ("__dict__",) and not rows[i][1].startswith("LOAD_")
    for _, operation, value in rows[i + 1 :]:
        if operation.startswith("CALL") or operation == "PRECALL":
            return False
        if operation == "LOAD_CONST" and isinstance(value, str):
            return True
    return False

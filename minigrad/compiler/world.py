"""The closed world of a recording: what a function reaches by name, followed from its code, and the guards on it.

What is followed: Tensors, Modules, optimizers, numbers, strings, functions, classes and modules of the user, and lists,
tuples, dicts and plain objects of these.  Of an object the attributes count that the code mentions.  All else is
refused when the code reaches it, and not before: code in a branch that does not run reaches nothing.
"""

from __future__ import annotations

import abc
import builtins
import contextlib
import enum
import functools
import sys
import types
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad import dtypes, errors
from minigrad.compiler.guards import MISSING, SIMPLE, Guards
from minigrad.compiler.kinds import (
    ATOMS,
    CALLED,
    CONTAINERS,
    FIXED,
    IMPURE,
    MAKERS,
    NAMES_OF_ITSELF,
    OWN,
    PARTS,
    PLAIN,
    REFLECTION,
    REFUSED,
    SECRET,
    SMALL,
    TEXTUAL,
    UNREAD,
    foreign,
    has_no_hidden_state,
    home_of,
    is_foreign,
    is_pure,
    is_users,
    load,
    of_minigrad,
    slot_of,
)
from minigrad.compiler.scalars import Scalar
from minigrad.compiler.watch import GLOBAL, Step, asks, instructions_watched, steps_of, suspects_in
from minigrad.core.contents import Contents, publishes
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh
from minigrad.random import Generator, default_generator
from minigrad.readers.places import instructions
from minigrad.readers.source.names import identifier


class _Space(NamedTuple):
    """An object, class, function or module with its attributes, its path, and the names asked for so far."""

    owner: Any
    content: Any
    path: str
    # Whether all attributes count, mentioned or not.
    whole: bool
    asked: set[Any]


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
        # Options of optimizers, each with what stands for it while the function is recorded.
        self._stand_ins: list[tuple[dict[str, Any], str, Any, Any]] = []
        self.states: list[dict[Any, Any]] = []
        self.home = _home(function)
        self._texts: set[str] = set()
        # By id, values, which stay alive, and why each is refused, or "" where it is followed.
        self._known: dict[int, tuple[Any, str]] = {}
        # What is mentioned; names that the code stores or may ask for; whether it may ask for any, or print all.
        self._mentioned = {"training", "_hooked"}
        self._asked: set[str] = set()
        self._reflective = False
        self._textual = False
        self._spaces: list[_Space] = []
        self._classes: dict[type, _Space] = {}
        self._codes: list[tuple[types.CodeType, list[Step]]] = []
        # Refused attributes by their names, and what computed names may reach: attributes of objects, and modules.
        self.refused_names = {name: f"{name}, with which code may reach anything" for name in SECRET}
        self.hidden = ""
        # Opaque defaults, by the code and the name of the parameter.
        self.defaults: dict[types.CodeType, dict[str, tuple[Any, str]]] = {}
        for cls in Tensor.__mro__[:-1]:
            self._space(cls, cls.__name__)
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
        return self._known.get(id(value), (None, "unknown"))[1] == ""

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
        if kind in ATOMS or issubclass(kind, FIXED):
            return ""
        if kind is types.BuiltinFunctionType and value.__name__ in REFLECTION and value.__name__ not in path:
            return f"{value.__name__}() under another name"
        if id(value) not in self._known:
            self._known[id(value)] = value, ""  # it may hold itself
            self._known[id(value)] = value, self._enter(value, path)
        return self._known[id(value)][1]

    def _enter(self, value: Any, path: str) -> str:
        kind = type(value)
        if id(value) in IMPURE:
            return f"{IMPURE[id(value)]}, which depends on more than its arguments"
        if kind is functools._lru_cache_wrapper:
            return "a function with a cache"
        if kind in weakref.ProxyTypes:  # before isinstance, which asks what it stands for
            return f"a {kind.__name__}"
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
        if isinstance(value, types.BuiltinFunctionType | types.MethodWrapperType):
            return self._builtin(value)
        if isinstance(value, types.ModuleType):
            return self._module(value, path)
        if isinstance(value, type):
            return self._class(value, path, True)
        if parts := next((names for kinds, names in PARTS.items() if isinstance(value, kinds)), None):
            self._attributes(value, parts, path)
            return self._each([(path, getattr(value, name)) for name in parts])
        if kind is np.ndarray and value.size <= SMALL and value.dtype.kind in "biufSU":
            self.arrays[id(value)] = value
            self.guards.array(value, path)
            return ""
        if isinstance(value, np.ndarray):
            return f"an array of NumPy with {value.size} elements, too many to compare in each call"
        if isinstance(value, types.MappingProxyType) or hasattr(kind, "__next__"):
            return f"a {kind.__name__}"
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
        plain = kind in PLAIN or (is_users(kind) and has_no_hidden_state(kind))
        if plain or home_of(kind).partition(".")[0] == "minigrad":
            return self._object(value, path)
        return f"a {kind.__name__}"

    def _each(self, items: Iterable[tuple[str, Any]]) -> str:
        return next((reason for path, v in items if (reason := self.follow(v, path))), "")

    def _attributes(self, owner: Any, names: Iterable[str], path: str) -> None:
        for name in names:
            self.guards.attribute(owner, name, getattr(owner, name), path)

    def _hooks(self, node: Any, path: str) -> None:
        for hook in tuple((node.hooks or {}).values()) if node is not None else ():
            self.follow(hook, path)

    def _tensor(self, t: Any, path: str) -> str:
        refresh(t)
        self.tensors[id(t)] = t
        self.paths[id(t)] = path.strip(".") or "tensor"
        self.guards.tensor(t, self.paths[id(t)])
        self._hooks(t._node, path)
        self._space(t, path, asked=OWN)
        if is_users(type(t)):
            self._class(type(t), path, False)
        return ""

    def _container(self, value: Any, path: str) -> str:
        kind = type(value)
        if is_users(kind) and has_no_hidden_state(kind):
            self._object(value, path)
        elif kind not in CONTAINERS and not (isinstance(value, tuple) and hasattr(kind, "_fields")):
            return f"a {kind.__name__}"
        if not isinstance(value, tuple):
            self.guards.table(value, path, True)
        items: list[tuple[str, Any]]
        if isinstance(value, (set, frozenset)):
            atoms = all(v.__class__ in (*SIMPLE, bool) or v is None for v in value)
            return "" if atoms else f"a {kind.__name__} of objects"
        if isinstance(value, dict):
            items = [(path, k) for k in dict.keys(value)]
            items += [
                (_join(path, k) if k.__class__ is str else f"{path}[{k!r:.20}]", v)
                for k, v in dict.items(value)
            ]
        else:
            items = [(f"{path}[{i}]", v) for i, v in enumerate(value)]
        if isinstance(value, defaultdict):
            self._attributes(value, ("default_factory",), path)
            items.append((f"{path}.default_factory", value.default_factory))
        module = next((v for _, v in items if isinstance(v, types.ModuleType)), None)
        self.hidden = self.hidden or (f"the module {module.__name__}" if module is not None else "")
        reason = self._each(items)
        return reason and f"a {kind.__name__} that holds {reason}"

    # ------------------------------------------------------------ functions, classes, modules

    def _function(self, function: types.FunctionType, path: str) -> str:
        code = function.__code__
        cells: dict[str, Any] = {}
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # not yet filled
                cells[name] = cell.cell_contents
                if not foreign(code.co_filename):
                    self.guards.attribute(cell, "cell_contents", cell.cell_contents, name)
        if foreign(code.co_filename):
            for value in cells.values():  # the wrapper of a decorator may hold the user's function
                if isinstance(value, (types.FunctionType, types.MethodType, dict)):
                    self.follow(value, path)
            home = function.__globals__.get("__name__") or home_of(function)
            return "" if is_pure(home) else f"{function.__name__}(), a function of the module {home}"
        names = ("__code__", "__defaults__", "__kwdefaults__", "__dict__")
        self._attributes(function, names, function.__qualname__)
        count, defaults = code.co_argcount, function.__defaults__ or ()
        known = dict(zip(code.co_varnames[count - len(defaults) : count], defaults, strict=True))
        if function.__kwdefaults__:
            self.guards.table(function.__kwdefaults__, f"a default of {function.__name__}", True)
            known |= function.__kwdefaults__
        for name, value in known.items():
            if reason := self.follow(value, name):
                self.defaults.setdefault(code, {})[name] = value, reason
        self._code(code, function.__globals__, cells)
        self._space(function, path or function.__qualname__)
        self.guards.table(vars(function), path, True, values=False)
        return ""

    def _code(self, code: types.CodeType, space: dict[str, Any], cells: dict[str, Any]) -> None:
        steps = steps_of(code, space, cells)
        self._codes.append((code, steps))
        constants = [c for k in code.co_consts for c in (k if isinstance(k, tuple) else (k,))]
        texts = {text for text in constants if isinstance(text, str)}
        self._mentioned.update(code.co_names, texts)
        if not {"setattr", "delattr", *REFLECTION}.isdisjoint(code.co_names):
            self._asked |= texts
        for i, (_, operation, name, value, module) in enumerate(steps):
            if operation in (*GLOBAL, "STORE_GLOBAL", "DELETE_GLOBAL"):
                self.guards.entry(space, name, space.get(name, MISSING), name)
                if name not in space and hasattr(builtins, name):
                    self.guards.entry(vars(builtins), name, getattr(builtins, name), name)
            elif operation in ("STORE_ATTR", "DELETE_ATTR"):
                self._asked.add(name)
            elif operation == "IMPORT_NAME" and value is not MISSING:
                self.guards.entry(sys.modules, name, value, name)
            if value is not MISSING and module is None:
                self.follow(value, name)
            self._reflective |= operation == "MATCH_CLASS" or asks(steps, i)
            self._textual |= operation.startswith(("FORMAT_", "CONTAINS_OP")) or (
                operation == "LOAD_GLOBAL" and name in TEXTUAL
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
        self._space(module, path or name)
        if "__getattr__" in vars(module) and not is_foreign(module):
            self.follow(vars(module)["__getattr__"], f"{name}.__getattr__")
        return ""

    def _class(self, cls: type, path: str, called: bool) -> str:
        """Follows a class of the user; with ``called`` also what makes its objects."""
        home, library = home_of(cls), of_minigrad(cls)
        if called and isinstance(cls, abc.ABCMeta):  # no class is registered with an abstract one
            token = abc.get_cache_token()
            self.guards.call(lambda _: abc.get_cache_token() == token, cls, True, cls.__name__)
        if not is_users(cls) and not publishes(cls):
            if home == "builtins":
                return REFUSED.get(cls.__name__, "")
            if library:
                self._space(cls, cls.__name__)
            return "" if is_pure(home) or cls in PLAIN else f"the class {home}.{cls.__name__}"
        if cls not in self._classes:
            self._classes[cls] = self._space(cls, cls.__name__)
            if not library:
                self._attributes(cls, ("__mro__",), cls.__name__)
                self.guards.names(cls)
        names = CALLED if library else {n for n in vars(cls) if n.startswith("__")} - UNREAD | CALLED
        self._ask(self._classes[cls], names if called else names - MAKERS)
        for name in ("forward", "step") if library else ():
            if name not in vars(cls) and hasattr(cls, name):  # inherited, until it is replaced here
                self.guards.entry(vars(cls), name, MISSING, f"{cls.__name__}.{name}")
        for base in (*cls.__bases__, type(cls)):
            if base not in (object, type):
                self._class(base, path, called)
        return ""

    # ------------------------------------------------------------ objects

    def _object(self, value: Any, path: str, whole: bool = False) -> str:
        """Follows of an object the attributes that the code mentions, now and as more code is followed."""
        cls = type(value)
        self.guards.instance(value, path)
        if is_users(cls) or publishes(cls):
            self._class(cls, path, False)
        if hasattr(value, "__dict__"):
            self._attributes(value, ("__dict__",), path)
            self._space(value, path, whole)
            if whole or not of_minigrad(cls):  # an attribute that appears may be found first
                self.guards.table(vars(value), path, keys=not whole, values=whole)
        slots = [slot for owner in cls.__mro__ if is_users(owner) for slot in vars(owner).items()]
        for name, slot in slots:
            if isinstance(slot, types.MemberDescriptorType):
                item, where = slot_of(slot, value), f"{path}.{name}"
                self.guards.call(functools.partial(slot_of, slot), value, item, where)
                if item is not MISSING and (reason := self.follow(item, where)):
                    self._refuse(name, where, reason)
        return ""

    def _refuse(self, name: str, path: str, reason: str) -> None:
        """An attribute is refused where code reaches it, by its name or, of an object, by one that is computed."""
        self.refused_names.setdefault(name, reason)
        self.hidden = self.hidden or f"{path}, {reason}"

    def _holder(self, value: Any, held: Contents, path: str) -> str:
        """Follows a Module or an optimizer: its tables whole, other attributes as those of an object."""
        tables = held.parameters, held.buffers, held.modules, *held.hooks
        fresh = [table for table in tables if isinstance(table, dict) and id(table) not in self._known]
        for own in (*tables, held.unsaved, held.defaults, held.state, held.groups, *held.groups):
            self._known.setdefault(id(own), (own, ""))
        for table in fresh:  # several holders publish some of them
            self.guards.table(table, path, True)
            for key, item in table.items():
                if isinstance(item, Tensor):
                    self.owned.setdefault(id(item), _join(path, key).strip("."))
                self.follow(item, _join(path, key))
        if held.state is not None:
            self._optimizer(held, path)
        return self._object(value, path, whole=held.state is not None or of_minigrad(type(value)))

    def _optimizer(self, held: Contents, path: str) -> None:
        """Follows an optimizer: floats among its options are parameters of a recording, and its state may grow."""
        state: Any = held.state
        self.states.append(state)
        if isinstance(held.groups, list):
            self.guards.table(held.groups, f"{path}.param_groups", False)
        for k, group in enumerate(held.groups):
            where = f"{path}.param_groups[{k}]"
            self.guards.size(group, where)
            for key, item in [*group.items()]:
                if (stand_in := self._stand_in(group, key, item)) is not None:
                    self._stand_ins.append((group, key, stand_in, item))
                else:
                    self.guards.entry(group, key, item, f"{where}[{key!r}]")
                    self.follow(item, f"{where}[{key!r}]")

    def _stand_in(self, group: dict[str, Any], key: str, item: Any) -> Any:
        """What stands for a float or a tuple of floats while a function is recorded; None for other options."""
        if item.__class__ is float:
            number = self.number(item, key)
            self.options.append((number, lambda _: group[key]))
            return number
        if item.__class__ is not tuple or not item or any(v.__class__ is not float for v in item):
            return None
        numbers = tuple(self.number(v, f"{key}_{i}") for i, v in enumerate(item))
        self.options += [(n, functools.partial(lambda i, _: group[key][i], i)) for i, n in enumerate(numbers)]
        return numbers

    # ------------------------------------------------------------ names

    def _space(self, owner: Any, path: str, whole: bool = False, asked: Iterable[str] = ()) -> _Space:
        space = _Space(owner, vars(owner), path, whole, {*asked})
        self._spaces.append(space)
        return space

    def _settle_names(self) -> None:
        """Follows attributes of objects, classes and modules that the code mentions, until no more are."""
        before: Any = None
        while before != (state := self._size()):
            before = state
            for space in list(self._spaces):
                self._ask(space, self._mentioned)

    def _size(self) -> tuple[int, ...]:
        """What grows while names are followed: as long as it is the same, nothing is left to follow."""
        lengths = map(len, (self._mentioned, self._asked, self._spaces))
        return *lengths, self._reflective, self._textual

    def _ask(self, space: _Space, names: set[str]) -> None:
        """Follows attributes of these names, and of others where the code may ask for any."""
        owner, content, path, whole, asked = space
        of_module, of_class = isinstance(owner, types.ModuleType), isinstance(owner, type)
        home = owner if of_module or of_class else type(owner)
        if of_module or owner is Tensor:
            load(owner, names)
        library = of_minigrad(home) and not whole
        fixed = of_module or isinstance(owner, Tensor) or (of_class and library)
        if whole or (self._reflective and not fixed) or (self._textual and type(owner) in PLAIN):
            names = {n for n in content if isinstance(n, str)} - UNREAD
            if not of_class and not whole and None not in asked:
                asked.add(None)
                self.guards.table(content, path, True)
        for name in sorted(content.keys() & names - asked):
            if of_module and name.startswith("__") and name not in NAMES_OF_ITSELF:
                continue
            asked.add(name)
            value, where = content[name], _join(path, name)
            if not whole:
                self.guards.entry(content, name, value, where)
            reason = self.follow(value, where)
            if not reason or (library and not isinstance(owner, Tensor)):
                continue  # what the library keeps for itself
            if of_module or of_class or isinstance(owner, types.FunctionType):
                self.refused_names.setdefault(name, reason)
            else:
                self._refuse(name, where, reason)
        if of_module or isinstance(owner, Tensor):  # what may be asked for is missing
            for name in sorted((names & self._asked) - asked - content.keys()):
                if of_module or not hasattr(Tensor, name):
                    asked.add(name)
                    self.guards.entry(content, name, MISSING, _join(path, name))
        if of_class or isinstance(owner, types.FunctionType):
            for name in sorted((NAMES_OF_ITSELF & self._mentioned) - asked):
                asked.add(name)
                if hasattr(owner, name):
                    self._attributes(owner, (name,), path)
                    self.follow(getattr(owner, name), _join(path, name))

    # ------------------------------------------------------------ while a function is recorded

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Lets optimizers see their options as parameters, and refuses what the code must not reach."""
        suspects = {code: rows for code, steps in self._codes if (rows := suspects_in(self, code, steps))}

        def look(frame: types.FrameType, offset: int) -> None:
            what = suspects[frame.f_code].get(offset)
            if isinstance(what, list):  # defaults, where the parameters still have them
                values = frame.f_locals
                what = next((f"{n}, {reason}" for n, v, reason in what if values.get(n) is v), None)
            if what is not None:
                raise RuntimeError(
                    f"compile(): the function reaches {what}. A recording cannot guard that: do it outside, and pass "
                    f"what it gives as an argument (at {errors.place(frame.f_code, offset)})"
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
        if any(generator.resets != resets for generator, resets in self.generators):
            raise RuntimeError(
                "compile(): the function seeds a random generator or sets its state, which is not part of a replay. Do "
                f"that outside (in the function at {self.home})"
            )
        if what := self.guards.changed():
            raise RuntimeError(
                f"compile(): the function changes {what}, and a replay would not: it repeats only what is done to "
                f"Tensors, gradients and the state of optimizers. Do that outside (in the function at {self.home})"
            )


def _home(function: Any) -> str:
    """The place of a function."""
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    if code is None:
        return "an unknown place"
    return errors.place(code, next(offset for offset, name, _ in instructions(code) if name == "RESUME"))


def _join(path: str, name: Any) -> str:
    return f"{path}.{name}" if path else str(name)

"""The closed world of a recording: what a function reaches by name, followed from its code, and the guards on it.

What is followed: Tensors, Modules, optimizers, numbers, strings, functions, classes and modules of the user, and lists,
tuples, dicts and plain objects of these.  Of an object the attributes count that the code mentions.  All else is
refused when the code reaches it, and not before: code in a branch that does not run reaches nothing.
"""

from __future__ import annotations

import abc
import builtins
import enum
import operator
import sys
import types
import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.compiler import guards, kinds, watch
from minigrad.compiler.guards import MISSING, SIMPLE, Guards
from minigrad.compiler.scalars import Scalar
from minigrad.core.contents import Contents, join, publishes
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh
from minigrad.random import Generator, default_generator
from minigrad.readers.source.names import Names


class World:
    """What one function reaches by name, and the guards on it."""

    def __init__(self, function: Any, set_in: kinds.SetIn, takes: bool = True) -> None:
        self.guards, self.generators = Guards(), [default_generator]
        # Tables in which the function may store, by id, each with the object whose attributes these are.
        self.open: dict[int, tuple[Any, Any]] = {}
        # What it is known to set; with ``takes`` each call finds its own.  Of what is no number, where it finds that.
        self.set_in, self._takes, self._found = set_in, takes, list[tuple[Any, Any, str]]()
        # By a Tensor's id: Tensors, and the paths that lead to them, of parameters and buffers the qualified names.
        self.tensors: dict[int, Any] = {}
        self.paths: dict[int, str] = {}
        # What is a number of each call, such as an option of an optimizer, or holds some: by the ids of dicts and keys
        # these, what stands for it in a run, and it itself.  What of these the function has stored; what it has read.
        self.options: dict[tuple[int, Any], tuple[Any, Any, Any, Any]] = {}
        self.written, self.seen = set[tuple[int, Any]](), dict[str, Any]()
        self.states: list[dict[Any, Any]] = []
        self.home, self._names = kinds.spot_of(function), Names()
        # By id, values, which stay alive, and why each is refused, or "" where it is followed; tables of Modules.
        self.known, self.tables = dict[int, tuple[Any, str]](), set[int]()
        # Names that the code reads; that it stores or may ask for; whether it may do so with any, or print all.
        self._mentioned, self._asked = {"training", "_hooked", "__array_ufunc__"}, set[str]()
        # Last, whether it may tell a number from what stands for it, by its type or identity.
        self._stores_any = self._reflective = self.textual = self.exact = False
        self._spaces: list[kinds.Space] = []
        self._settled = set[tuple[Any, ...]]()  # what was mentioned when one was last asked
        self._classes, self._followed = dict[type, kinds.Space](), set[tuple[type, bool]]()
        self.codes: list[tuple[types.CodeType, list[watch.Step]]] = []
        self.watch: Any = len  # what refuses, while the function runs, what more code must not reach
        # Refused attributes by their names, and what computed names may reach: attributes of objects, and modules.
        self.refused_names = {name: f"{name}, with which code may reach anything" for name in kinds.SECRET}
        self.hidden = ""
        self._class(Tensor, "", False)
        self.guards.entry(vars(dtypes), "_default", "the default dtype")
        if reason := self.follow(function, ""):
            raise watch.unguarded(f"is or holds {reason}", self.home)

    def knows(self, value: Any) -> bool:
        """Whether guards see the value."""
        return self.known.get(id(value), (None, "unknown"))[1] == ""

    def number(self, value: Any, text: str) -> Scalar:
        """A number as a parameter, whose name begins with ``text``."""
        return Scalar(value, self._names.take(text), self.seen.setdefault)

    # ------------------------------------------------------------ values

    def follow(self, value: Any, path: str) -> str:
        """Adds the guards on what a value holds; why no recording guards it, or ""."""
        kind = type(value)
        if kind in kinds.ATOMS or (issubclass(kind, kinds.FIXED) and not kinds.is_users(kind)):
            return ""
        self.exact |= value is type
        self.textual |= kind is type and value.__name__ in kinds.TEXTUAL
        name = value.__name__ if kind is types.BuiltinFunctionType else ""
        if name in kinds.REFLECTION - {path.rpartition(".")[2]}:
            return f"{name}() under another name"
        if id(value) not in self.known:
            self.known[id(value)] = value, ""  # it may hold itself
            self.known[id(value)] = value, self._enter(value, path)
        return self.known[id(value)][1]

    def _enter(self, value: Any, path: str) -> str:
        kind = type(value)
        # Before isinstance, which asks what a proxy stands for.
        if kind in kinds.OPAQUE or hasattr(kind, "__next__"):
            return f"a {kind.__name__}"
        if id(value) in kinds.IMPURE:
            return f"{kinds.IMPURE[id(value)]}, which depends on more than its arguments"
        if kind is np.ufunc or kinds.home_of(value) == "numpy":  # it may warn or raise
            self.guards.add("np.geterr()", guards.EQUAL, np.geterr, np.geterr())
        if kinds.home_of(value).endswith("warnings"):  # it may read the filters, and leave others
            self.guards.entry(vars(warnings), "filters", "warnings.filters")
            self.guards.table(warnings.filters, "warnings.filters")
        if kind is operator.itemgetter:
            self._mentioned |= watch.methods_in(kind)
            return self._each((path, key) for key in value.__reduce__()[1])
        if kind is np.ufunc:
            return "" if kinds.of_library(value) else "a ufunc of a Python function"
        if kind in (type, types.BuiltinFunctionType):
            self._mentioned |= watch.methods_in(value)
        if kind is kinds.CACHED:
            pure = kinds.is_pure(kinds.home_of(value))
            return "" if pure else f"{value.__name__}(), under lru_cache, which remembers what it has given"
        if isinstance(value, Tensor):
            return self._tensor(value, path)
        if isinstance(value, Generator):
            self.generators.append(value)
            return ""
        if isinstance(value, types.FunctionType):
            return self._function(value, path)
        if isinstance(value, (types.BuiltinFunctionType, types.MethodWrapperType)):
            if value.__self__ is not None and not isinstance(value.__self__, types.ModuleType):
                return self.follow(value.__self__, value.__name__)
            return kinds.refusal(value, f"{value.__name__}(), a function")
        if isinstance(value, types.ModuleType):
            if not kinds.is_pure(kinds.home_of(value)) and not kinds.is_users(value):
                return f"the module {value.__name__}"
            self._space(value, path or value.__name__)
            if kinds.is_users(kind):
                self._class(kind, path, False)
            if "__getattr__" in vars(value) and kinds.is_users(value):
                self.guards.entry(vars(value), "__getattr__", path)
                self.follow(vars(value)["__getattr__"], path)
            return ""
        if isinstance(value, type):
            return self._class(value, path, True)
        for known, names, may_change in kinds.PARTS:
            if isinstance(value, known):
                if may_change or kinds.is_users(kind):
                    self._object(value, path)
                for name in names if may_change else ():
                    self._attribute(value, name, path)
                return self._each([(path, getattr(value, name)) for name in names])
        if kind is np.ndarray and value.size <= kinds.SMALL and value.dtype.kind in "biufSU":
            self.guards.add(path, guards.CONTENT, value, guards.content_of(value))
            self.guards.add("np.get_printoptions()", guards.EQUAL, np.get_printoptions, np.get_printoptions())
            return ""
        if publishes(kind):
            return self._holder(value, value.__minigrad_contents__(), path)
        wraps = hasattr(kind, "__wrapped__") or "__wrapped__" in getattr(value, "__dict__", ())
        if wraps and not kinds.is_users(kind):
            self._space(value, path)
            own = [n for n, v in vars(value).items() if n == "__wrapped__" or kinds.may_hold(v, kind)]
            for name in own:
                self.guards.entry(vars(value), name, path)
            return self._each([(path, vars(value)[name]) for name in own])
        if isinstance(value, enum.Enum):
            self._attribute(value, "_value_", path)
            return self._object(value, path) or self.follow(value._value_, f"{path}.value")
        if isinstance(value, kinds.CONTAINERS):
            return self._container(value, path)
        plain = kind in kinds.PLAIN or (kinds.is_users(kind) and kinds.has_no_hidden_state(kind))
        if not plain and not kinds.of_minigrad(kind):
            return "" if kinds.home_of(kind) == "typing" else f"a {kind.__name__}"
        # Methods of the library, as of a scheduler or a distribution, read and set all of an object.
        return self._object(value, path, kinds.reads_all(kind))

    def _each(self, items: Iterable[tuple[str, Any]]) -> str:
        return next((reason for path, v in items if (reason := self.follow(v, path))), "")

    def _attribute(self, owner: Any, name: str, path: str) -> Any:
        """An attribute that Python itself gives an object, such as its ``__code__``, with a guard."""
        self.guards.add(path, guards.attribute(name), owner)
        return getattr(owner, name)

    def around(self, t: Any, path: str) -> None:
        """Follows the hooks of a Tensor, and its class."""
        for hook in tuple((t._node.hooks or {}).values()) if t._node is not None else ():
            self.follow(hook, path)
        self._class(type(t), path, False)

    def _tensor(self, t: Any, path: str) -> str:
        refresh(t)
        self.tensors[id(t)] = t
        self.paths[id(t)] = path.strip(".") or "tensor"
        self.guards.tensor(t, self.paths[id(t)])
        self._space(t, path, asked=kinds.OWN)
        self.around(t, path)
        return ""

    def _container(self, value: Any, path: str) -> str:
        kind = type(value)
        if kinds.is_users(kind) and kinds.has_no_hidden_state(kind):
            self._object(value, path)
        elif kind not in kinds.CONTAINERS and not (isinstance(value, tuple) and hasattr(kind, "_fields")):
            return f"a {kind.__name__}"
        if kind.__iter__ is not guards.base_of(value).__iter__:
            return f"a {kind.__name__}, whose class has an __iter__ of its own"
        taken = set[Any]() if isinstance(value, tuple) else self._table(value, path)
        if isinstance(value, (set, frozenset)):
            atoms = all(v.__class__ in (*SIMPLE, bool) or v is None for v in value)
            return "" if atoms else f"a {kind.__name__} of objects"
        rows = guards.rows_of(value).items()
        items = [(f"{path}[{k!r:.20}]", v) for k, v in rows if k not in taken]
        items += [(path, k) for k, _ in rows]
        if isinstance(value, defaultdict):
            items.append((f"{path}.default_factory", self._attribute(value, "default_factory", path)))
        for _, module in items:
            self._hide(module)
        return (reason := self._each(items)) and f"a {kind.__name__} that holds {reason}"

    def own(self, content: Any) -> Collection[Any]:
        """The keys that the function is known to set; none for what is first reached while it runs."""
        return self.set_in[id(content)][1] if id(content) in self.set_in and self.watch is len else ()

    def takes(self, content: Any, key: Any) -> bool:
        """Whether each call finds its own value there, as if it was an argument."""
        return self._takes and key in self.own(content) and kinds.is_state(content[key], self.tables)

    def _table(self, content: Any, path: str, owner: Any = None) -> set[Any]:
        """Guards a list or a dict, but for what each call finds there; returns the keys of that."""
        if owner is not None or type(content) in (dict, list):
            self.open[id(content)] = content, owner
        self.guards.table(content, path, values=not (own := self.own(content)))
        keys = guards.rows_of(content) if own else ()
        return {key for key in keys if self._entry(content, key, f"{path}[{key!r:.20}]")}

    def _entry(self, content: Any, key: Any, path: str, owner: Any = None) -> bool:
        """Guards an entry, unless each call finds its own; whether it does."""
        if not self.takes(content, key):
            self.guards.entry(content, key, path, owner)
            return False
        self._find(content, key, path)
        return True

    def _find(self, content: Any, key: Any, path: str) -> None:
        """Has each call find its own value there."""
        if type(value := content[key]) in (int, float):
            name = key if type(key) is str else path
            self.options[id(content), key] = content, key, self.number(value, name), value
        else:
            self._found.append((content, key, path))

    # ------------------------------------------------------------ functions, classes, modules

    def _function(self, function: types.FunctionType, path: str) -> str:
        code = function.__code__
        cells: dict[str, Any] = {}
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            if (value := guards.slot_of(kinds.CELL, cell)) is not MISSING:
                cells[name] = value
            if not kinds.foreign(code.co_filename):
                filled = (guards.attribute("cell_contents"), cell), (guards.SLOT, kinds.CELL, cell)
                self.guards.add(name, *filled[value is MISSING])
        self._space(function, path or function.__qualname__)
        if kinds.foreign(code.co_filename):
            for value in cells.values():  # the wrapper of a decorator may hold what is the user's
                if kinds.may_hold(value, function):
                    self.follow(value, path)
            return kinds.refusal(function, f"{function.__name__}(), a function")
        for name in ("__code__", "__defaults__", "__kwdefaults__", "__dict__"):
            self._attribute(function, name, function.__qualname__)
        # From the last on, for there may be more than arguments.
        defaults, arguments = function.__defaults__ or (), code.co_varnames[: code.co_argcount]
        known = dict(zip(arguments[::-1], defaults[::-1], strict=False))
        if more := function.__kwdefaults__:
            self.guards.table(more, f"a default of {function.__name__}")
            known |= more
        self._code(code, function.__globals__, cells)
        self.guards.table(vars(function), path, values=False)
        return (reason := self._each(known.items())) and f"a function with the default {reason}"

    def _code(self, code: types.CodeType, space: dict[str, Any], cells: dict[str, Any]) -> None:
        steps = watch.steps_of(code, space, cells)
        self.codes.append((code, steps))
        constants = [c for k in code.co_consts for c in (k if isinstance(k, tuple) else (k,))]
        texts = {text for text in constants if isinstance(text, str)}
        loaded = (s.name for s in steps if s.operation != "STORE_ATTR")
        self._mentioned |= texts.union(name for name in loaded if name in code.co_names)
        self._stores_any |= "setattr" in code.co_names
        if not {"setattr", "delattr", *kinds.REFLECTION}.isdisjoint(code.co_names):
            self._asked |= texts
        for i, (_, operation, name, value, module) in enumerate(steps):
            after = steps[min(i + 1, len(steps) - 1)]
            named = after.operation in watch.ATTRIBUTE and after.name not in ("__dict__", "__getattribute__")
            if operation != "IMPORT_NAME" and not named:
                self._hide(value)
            if operation in (*watch.GLOBAL, "STORE_GLOBAL", "DELETE_GLOBAL"):
                self.guards.entry(space, name, name)
                if name not in space and hasattr(builtins, name):
                    self.guards.entry(vars(builtins), name, name)
            elif operation in ("STORE_ATTR", "DELETE_ATTR"):
                self._asked.add(name)
                if kinds.is_fixed_by_name(owner := steps[i - 1].value):
                    self.guards.entry(vars(owner), name, join(owner.__name__, name), owner)
            elif operation == "IMPORT_NAME" and value is not MISSING:
                self.guards.entry(sys.modules, name, name)
                self.guards.entry(vars(builtins), "__import__", "__import__")
            if value is not MISSING and module is None and watch.counts(steps, i):
                self.follow(value, name)
            self._reflective |= operation == "MATCH_CLASS" or name in watch.FORMATS or watch.asks(steps, i)
            if id(value) in watch.SAME or (operation == "IS_OP" and not watch.is_unique(steps[i - 1])):
                self.guards.identities = self.exact = True
            self.textual |= watch.prints_or_compares(steps, i)
            self._mentioned |= watch.methods_of(steps[i])
        for k in code.co_consts:
            if isinstance(k, types.CodeType):
                self._code(k, space, cells)

    def _class(self, cls: type, path: str, called: bool) -> str:
        """Follows a class of the user; with ``called`` also what makes its objects."""
        if (cls, called) in self._followed:
            return ""
        library = kinds.of_minigrad(cls)
        if called and isinstance(cls, abc.ABCMeta):
            self.guards.abstract = cls.__name__
        fixed = (not kinds.is_users(cls) or kinds.written_in_c(cls)) and not library
        if cls not in self._classes and (library or not fixed):
            self._classes[cls] = self._space(cls, cls.__name__)
            self.guards.classes += [cls] * library
            if not library:
                self._attribute(cls, "__mro__", cls.__name__)
                self.guards.add(cls.__name__, guards.NAMES, cls, guards.names_of(cls))
        if fixed:
            return "" if cls in kinds.PLAIN else kinds.refusal(cls, f"the class {cls.__name__}")
        for base in (b for b in (*cls.__bases__, type(cls)) if b not in (object, type)):
            self._class(base, path, called)
        names = kinds.CALLED if library else kinds.called_in(cls)
        for known in cls.__mro__[: 1 if library else None]:
            if library or (known in self._classes and kinds.is_users(known)):
                self._ask(self._classes[known], names if called else names - kinds.MAKERS)
        self._followed.add((cls, called))
        return ""

    # ------------------------------------------------------------ objects

    def _object(self, value: Any, path: str, whole: bool = False) -> str:
        """Follows of an object the attributes that the code mentions, now and as more code is followed."""
        cls = type(value)
        self.guards.add(f"the class of {path}" if path else "", guards.TYPE, value)
        if kinds.is_users(cls) or kinds.of_minigrad(cls):
            self._class(cls, path, False)
        if hasattr(value, "__dict__"):
            self._attribute(value, "__dict__", path)
            self._space(value, path, whole)
            if whole or not kinds.of_minigrad(cls):  # an attribute that appears may be found first
                all_stay = whole and not self.own(vars(value))
                self.guards.table(vars(value), path, keys=not all_stay, values=all_stay)
            self.open[id(vars(value))] = vars(value), value
        members = [row for owner in cls.__mro__ if kinds.is_users(owner) for row in vars(owner).items()]
        for name, slot in ((n, v) for n, v in members if isinstance(v, types.MemberDescriptorType)):
            item, where = guards.slot_of(slot, value), join(path, name)
            self.guards.add(where, guards.SLOT, slot, value)
            if item is not MISSING and (reason := self.follow(item, where)):
                self._refuse(name, where, reason)
        return ""

    def _hide(self, value: Any) -> None:
        """A module that is more than asked for an attribute by its name: code that computes names may reach it."""
        if isinstance(value, types.ModuleType) and not kinds.is_fixed(value):
            self.hidden = self.hidden or f"the module {value.__name__}"

    def _refuse(self, name: str, path: str, reason: str, hides: bool = True) -> None:
        """An attribute is refused where code reaches it, by its name or, of an object, by one that is computed."""
        self.refused_names.setdefault(name, reason)
        self.hidden = self.hidden or f"{path}, {reason}" * hides

    def _holder(self, value: Any, held: Contents, path: str) -> str:
        """Follows a Module or an optimizer: its tables whole, other attributes as those of an object."""
        tables = held.parameters, held.buffers, held.modules, *held.hooks
        fresh = [table for table in tables if isinstance(table, dict) and id(table) not in self.known]
        for own in (*tables, held.unsaved, held.defaults, held.state, held.groups, *held.groups):
            self.known.setdefault(id(own), (own, ""))
            self.tables.add(id(own))
        for table in fresh:  # several holders publish some of them
            self.guards.table(table, path)
            for key, item in table.items():
                self.follow(item, where := join(path, str(key)))
                if isinstance(item, Tensor):
                    self.paths[id(item)] = where.strip(".")
        if held.state is not None:
            self._optimizer(held, path)
        return self._object(value, path, held.state is not None or kinds.reads_all(type(value)))

    def _optimizer(self, held: Contents, path: str) -> None:
        """Follows an optimizer: floats among its options are parameters of a recording, and its state may grow."""
        state: Any = held.state
        self.states.append(state)
        tables = [v for key, v in state.items() if isinstance(v, dict) and not self.takes(state, key)]
        for content in (state, *tables):
            taken = self._table(content, where := "the state of an optimizer", held)
            apart = (Tensor, dict) if content is state else Tensor
            items = [v for key, v in content.items() if key not in taken and not isinstance(v, apart)]
            if reason := self._each((where, v) for v in items):
                self._refuse("state", where, reason)
        self.guards.table(held.defaults, f"{path}.defaults", keys=False)
        self.guards.table(held.groups, f"{path}.param_groups")
        for k, group in enumerate(held.groups):
            where = f"{path}.param_groups[{k}]"
            self.guards.table(group, where, keys=False, values=False)
            self.open[id(group)] = group, held
            for key, item in [*group.items()]:
                several = item.__class__ is tuple and {float} == {v.__class__ for v in item}
                if several or type(item) is float:
                    self._find(group, key, key)
                elif not self._entry(group, key, at := f"{where}[{key!r}]") and (
                    reason := self.follow(item, at)
                ):
                    self._refuse("param_groups", at, reason)

    # ------------------------------------------------------------ names

    def _space(self, owner: Any, path: str, whole: bool = False, asked: Iterable[str] = ()) -> kinds.Space:
        self._spaces.append(kinds.Space(owner, path, whole, {*asked}))
        return self._spaces[-1]

    def settle_names(self) -> list[tuple[Any, Any, str]]:
        """Follows attributes that the code mentions, until no more are; returns what each call finds, newly so."""
        self._settle()
        for owner, path, _, asked in (s for s in self._spaces if kinds.may_store(s.owner)):
            names = self.guards.keys_of(vars(owner)) - asked
            for name in sorted(n for n in names if self._stores_any or n in self._asked):
                # It is stored, and nobody reads it; but a call may leave it as it was, such as an argument.
                asked.add(name)
                own = self._entry(vars(owner), name, where := join(path, name), owner)
                if not own and kinds.is_state(value := vars(owner)[name], self.tables):
                    self.follow(value, where)
        self._settle()
        found, self._found = self._found, []
        return found

    def _settle(self) -> None:
        size: Any = None
        while size != (size := [*map(len, (self._mentioned, self._asked, self.codes, self._spaces))]):
            for i, space in enumerate(list(self._spaces)):
                now = i, len(self._mentioned), len(self._asked), self._reflective, self.textual
                if now not in self._settled:
                    self._settled.add(now)
                    self._ask(space, self._mentioned)

    def replaces(self, cls: type) -> bool:
        """Whether the code, methods of this class too, may give an object another class or dict of attributes."""
        self.follow(cls, cls.__name__)
        self._settle()
        return not self._asked.isdisjoint(("__class__", "__dict__"))

    def may_name(self, name: str) -> bool:
        """Whether the code may ask something for an attribute of this name."""
        return self._reflective or name in self._mentioned

    def asks_nothing(self) -> Callable[[Any], bool]:
        """What tells of the attributes of a Tensor that the code may ask for none which a user has given it."""
        return kinds.OWN.issuperset if self._reflective else (self._mentioned - kinds.OWN).isdisjoint

    def _ask(self, space: kinds.Space, names: set[str]) -> None:
        """Follows attributes of these names, and of others where the code may ask for any."""
        owner, path, whole, asked = space
        content = kinds.namespace(owner)
        of_module, of_class = isinstance(owner, types.ModuleType), isinstance(owner, type)
        any_function = of_module and self._reflective and kinds.is_fixed(owner)
        names = {*content["__all__"], *names} if any_function else names  # the user may replace any of them
        kinds.load(owner, names)
        library = kinds.of_minigrad(owner if of_module or of_class else type(owner))
        library &= not (whole and publishes(type(owner)))
        fixed = of_module or isinstance(owner, Tensor) or (of_class and library)
        if whole or (self._reflective and not fixed) or (self.textual and type(owner) in kinds.PLAIN):
            names = {n for n in content if isinstance(n, str)} - kinds.UNREAD
            if not of_class and not whole and None not in asked:
                asked.add(None)
                self.guards.table(content, path)
        for name in sorted(self.guards.keys_of(content) & names - asked):
            if of_module and name.startswith("__") and name not in kinds.NAMES_OF_ITSELF:
                continue
            asked.add(name)
            value, where = content[name], join(path, name)
            if (not whole or self.own(content)) and self._entry(content, name, where, owner):
                continue
            reason = "" if any_function and kinds.of_minigrad(value) else self.follow(value, where)
            if reason and (isinstance(owner, Tensor) or not library):  # else the library keeps it for itself
                self._refuse(name, where, reason, isinstance(owner, Tensor) or kinds.is_object(owner))
        wraps = "__wrapped__" in content and not isinstance(owner, (types.FunctionType, type))
        if of_module or wraps or isinstance(owner, Tensor):  # it may be missing
            makes = of_module and "__getattr__" in content and kinds.is_users(owner)
            for name in sorted((names if makes else names & self._asked) - asked - content.keys()):
                if of_module or not hasattr(Tensor, name):
                    asked.add(name)
                    self.guards.entry(content, name, join(path, name), owner)
        if of_class or isinstance(owner, types.FunctionType):
            for name in sorted((kinds.NAMES_OF_ITSELF & self._mentioned) - asked):
                asked.add(name)
                if hasattr(owner, name):
                    self.follow(self._attribute(owner, name, path), join(path, name))

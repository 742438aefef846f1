"""What code may reach by name while it is recorded, by kind: what is followed, what is fixed, what is refused."""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import enum
import functools
import os
import re
import string
import sys
import types
import typing
import warnings
import weakref
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from minigrad import dtypes
from minigrad.compiler.guards import SIMPLE
from minigrad.compiler.scalars import Scalar, Whole
from minigrad.core.contents import Contents
from minigrad.core.op import Op
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor
from minigrad.device import device
from minigrad.errors import INSIDE, here, of_python, place, spot

# Library modules whose functions depend on their arguments alone; of some, below, with all that they hold.
PURE = frozenset({
    "abc", "bisect", "cmath", "collections", "contextlib", "copy", "dataclasses", "enum", "functools", "heapq",
    "itertools", "math", "minigrad", "numbers", "numpy", "operator", "re", "string", "types", "typing", "builtins",
    "typing_extensions", "warnings", "__future__", "_bisect", "_operator", "_functools", "_collections",
    "_collections_abc", "_heapq", "_py_warnings", "collections.abc",
})  # fmt: skip
_IMPURE = (
    "numpy.random", "numpy.testing", "numpy.ctypeslib", "numpy.lib.format", "numpy.lib._format", "numpy.lib.npyio",
    "numpy.lib._npyio", "minigrad.utils.benchmark", "minigrad.hub", "minigrad.serialization",
)  # fmt: skip
# Of these modules: what reads files and settings, or writes them.
IMPURE = {
    id(getattr(np, name)): f"np.{name}()" for name in (
        "load", "fromfile", "loadtxt", "genfromtxt", "memmap", "save", "savez", "savez_compressed", "savetxt", "geterr",
        "seterr", "geterrcall", "seterrcall", "getbufsize", "setbufsize", "get_printoptions", "set_printoptions",
        "fromregex", "info", "show_config", "show_runtime", "datetime64",
    )
} | {
    id(contextlib.chdir): "chdir()", id(typing.get_type_hints): "get_type_hints()",
    id(string.Formatter): "string.Formatter", id(warnings.warn): "warn()", id(warnings.warn_explicit): "warn()",
}  # fmt: skip
REFUSED = {
    "print": "print(), whose output a replay would not repeat",
    "input": "input(), which a replay would not ask for",
    **{name: f"{name}(), with which code may reach anything" for name in
       ("eval", "exec", "compile", "globals", "locals", "__import__", "breakpoint")},
    **{name: f"{name}(), which gives something else in each run" for name in ("id", "hash", "open")},
    **{name: f"{name}, whose objects a recording cannot guard" for name in ("memoryview", "bytearray")},
}  # fmt: skip
# What reads or sets something for the whole process: functions of these modules, and others of minigrad by their names.
_OF_PROCESS = "minigrad.settings", "minigrad.threads", "minigrad.__future__"
_SETTINGS = {
    "set_default_device", "set_printoptions", "flash_sdp_enabled", "mem_efficient_sdp_enabled", "math_sdp_enabled",
    "cudnn_sdp_enabled", "set_fastpath_enabled",
}  # fmt: skip
# What may ask for any attribute, and what looks at the attributes of a namespace without naming them.
REFLECTION = {
    "getattr", "hasattr", "vars", "dir", "attrgetter", "methodcaller", "__dict__", "__getattribute__", "asdict",
    "astuple", "fields", "copy", "deepcopy", "__reduce__", "__reduce_ex__", "__getstate__",
}  # fmt: skip
# What prints a namespace, or compares it, by whatever name it goes.
TEXTUAL = {
    "repr", "str", "format", "ascii", "mod", "eq", "ne", "index", "count", "remove", "contains", "indexOf", "countOf",
    "__str__", "__repr__", "__format__", "__mod__", "__eq__", "__ne__", "__contains__",
}  # fmt: skip
# Attributes with which code may reach anything, files and memory too.
SECRET = {
    "__globals__", "__closure__", "__subclasses__", "__builtins__", "f_globals", "f_locals", "f_back", "f_builtins",
    "gi_frame", "cr_frame", "ag_frame", "tb_frame", "cell_contents", "__traceback__", "__context__", "__hash__",
    "tofile", "ctypes", "__metadata__", "__bound__", "__constraints__", "__supertype__", "__array_interface__",
    "next_functions",
}  # fmt: skip
NAMES_OF_ITSELF = {
    "__name__", "__qualname__", "__doc__", "__annotations__", "__module__", "__type_params__", "__version__", "__all__",
}  # fmt: skip
# Attributes of a class that are read without being named: by the library, and those that make objects.
CALLED = {
    "forward", "step", "backward", "setup_context", "jvp", "vmap", "keys", "__call__", "__getattr__", "__setattr__",
}  # fmt: skip
MAKERS = {"__init__", "__new__", "__init_subclass__"}
UNREAD = {
    "__dict__", "__weakref__", "__module__", "__doc__", "__qualname__", "__firstlineno__", "__static_attributes__",
}  # fmt: skip
SHOWN = {"state_dict", "load_state_dict", "extra_repr"}  # by which no library computes
SMALL = 1 << 14  # elements
CACHED = functools._lru_cache_wrapper
_OF_MODULE: Any = vars(types.ModuleType)["__dict__"].__get__
CELL = vars(types.CellType)["cell_contents"]
PLAIN = (argparse.Namespace, types.SimpleNamespace)
ATOMS = {type(None), bool, object, Scalar, Whole, *SIMPLE}
_OF_C: Any = (
    types.MethodDescriptorType, types.WrapperDescriptorType, types.GetSetDescriptorType,
    types.ClassMethodDescriptorType,
)  # fmt: skip
# Of NumPy's; a row of a record array is one too, and can be changed.
NUMBERS = (np.number, np.bool_, np.character, np.datetime64)
FIXED = (
    *NUMBERS, np.dtype, dtypes.dtype, device, Size, range, re.Pattern, types.CodeType, *_OF_C,
    types.MemberDescriptorType, type(Ellipsis), type(NotImplemented),
    type(vars(collections.namedtuple("_", "a"))["a"]),
    type(getattr(dataclasses, "_HAS_DEFAULT_FACTORY", None)),
)  # fmt: skip
# What is followed by the attributes that it is made of, and whether these may change, and others be there.
PARTS: list[tuple[Any, tuple[str, ...], bool]] = [
    (types.MethodType, ("__self__", "__func__"), False),
    ((staticmethod, classmethod), ("__func__",), False),
    (property, ("fget", "fset"), False),
    (Op, ("rules", "joint"), False),
    (slice, ("start", "stop", "step"), False),
    (types.UnionType, ("__args__",), False),
    ((types.GenericAlias, type(typing.ClassVar[int])), ("__origin__", "__args__"), False),
    ((functools.partial, functools.partialmethod), ("func", "args", "keywords"), True),
    (functools.cached_property, ("func",), True),
    (functools.singledispatchmethod, ("dispatcher", "func"), True),
    (contextlib.nullcontext, ("enter_result",), True),
    ((collections.UserDict, collections.UserList, collections.UserString), ("data",), True),
]
OPAQUE = (types.MappingProxyType, *weakref.ProxyTypes)
OWN = {"_array", "_node", "_rows", "_view", "_grad", "_epoch", "_inference"}  # attributes of every Tensor
CONTAINERS = (
    dict, list, tuple, set, frozenset, collections.deque,
    collections.OrderedDict, collections.defaultdict, collections.Counter,
)  # fmt: skip
_WITHOUT_STATE = (object, int, float, str, enum.Enum, *CONTAINERS)
_DEFINED = (type, types.ModuleType, types.FunctionType)
_INSTALLED = re.compile(r"[\\/](?:site|dist)-packages[\\/](\w+)")


# Keys that a function is known to set, by the ids of the tables, with these.
SetIn = Mapping[int, tuple[Any, Collection[Any]]]


class Space(NamedTuple):
    """An object, class, function or module whose attributes count, ``whole`` or those mentioned; names asked for."""

    owner: Any
    path: str
    whole: bool
    asked: set[Any]


@functools.cache
def foreign(file: str | None) -> bool:
    """Whether code belongs to minigrad, the standard library or an installed package that is pure."""
    if not file:
        return False
    if file.startswith("<frozen") or INSIDE[file]:
        return True
    if (package := _INSTALLED.search(os.path.abspath(file))) is not None:
        return is_pure(package[1]) or package[1] == "_pytest"  # which rewrites what asserts
    return of_python(file)


def namespace(owner: Any) -> dict[Any, Any]:
    """The attributes of an object; of a module that loads names when they are asked for, those that are there."""
    return _OF_MODULE(owner) if isinstance(owner, types.ModuleType) else vars(owner)


def of_library(ufunc: np.ufunc) -> bool:
    """Whether NumPy has a ufunc, or scipy.special; others may call functions of Python's."""
    spaces = (vars(np), vars(sys.modules.get("scipy.special", np)))
    return any(space.get(ufunc.__name__) is ufunc for space in spaces)


def home_of(value: Any) -> str:
    """The module of a class or function, or the name of one; empty where it is no text, as in classes of Cython."""
    if type(value) is types.BuiltinFunctionType and isinstance(value.__self__, types.ModuleType):
        value = value.__self__
    if type(value) is not type and isinstance(value, (types.ModuleType, types.FunctionType)):
        # Wrappers have the `__module__` of what they wrap. minigrad is called torch while it stands in.
        space = namespace(value) if isinstance(value, types.ModuleType) else value.__globals__
        home = "minigrad" if space is vars(sys.modules["minigrad"]) else space.get("__name__")
    else:
        home = getattr(value, "__module__", None)
    return home if isinstance(home, str) else ""


def of_minigrad(value: Any) -> bool:
    """Whether a class or module is part of minigrad."""
    return home_of(value).partition(".")[0] == "minigrad"


def is_users(value: Any) -> bool:
    """Whether a class or module is the user's."""
    home = home_of(value)
    module = value if isinstance(value, types.ModuleType) else sys.modules.get(home)
    if home in ("", "__main__") or module is None:
        return True
    return not (home.partition(".")[0] in sys.stdlib_module_names or foreign(vars(module).get("__file__")))


def is_pure(module: str) -> bool:
    """Whether what the functions of a library module give depends on their arguments alone."""
    known = module in PURE or module.partition(".")[0] in ("einops", "minigrad", "numpy")
    return known and not module.startswith(_IMPURE)


def is_fixed(module: types.ModuleType) -> bool:
    """Whether a module of minigrad holds nothing but functions that depend on their arguments alone."""
    return of_minigrad(module) and module.__name__.endswith(".functional")


def refusal(value: Any, text: str) -> str:
    """Why a function or class of a library is refused; empty if what it gives depends on its arguments alone."""
    home = home_of(value)
    if home == "builtins":
        return REFUSED.get(value.__name__, "")
    if home in _OF_PROCESS or (value.__name__ in _SETTINGS and home.startswith("minigrad.")):
        return f"{value.__name__}(), which is about a setting of the whole process"
    return "" if is_pure(home) else f"{text} of the module {home}"


def spot_of(function: Any) -> str:
    """The place of a function; of one of minigrad, such as the forward of a Sequential, where it is called."""
    while isinstance(function, functools.partial):
        function = function.func
    if not isinstance(function, (types.FunctionType, types.MethodType)):
        function = getattr(type(function), "forward", type(function).__call__)
    code = getattr(function, "__code__", None)
    if code is None or INSIDE[code.co_filename]:
        return place(*here())
    return spot(code.co_filename, code.co_firstlineno)


def added_to(t: Any) -> dict[str, Any]:
    """The attributes of a Tensor that the user has given it."""
    return {name: value for name, value in vars(t).items() if name not in OWN}


@functools.cache
def loaded_later(module: types.ModuleType) -> frozenset[str]:
    """The names that a module of minigrad or NumPy makes, or loads, when they are first asked for."""
    lazy = "__getattr__" in vars(module) and is_pure(home_of(module))
    return frozenset(dir(module)) - vars(module).keys() if lazy else frozenset()


def load(owner: Any, names: set[str]) -> None:
    """Has minigrad make the functions and methods of these names that it makes when they are first asked for."""
    if owner is Tensor or (isinstance(owner, types.ModuleType) and of_minigrad(owner)):
        for name in names & (vars(owner).keys() if owner is Tensor else loaded_later(owner)):
            getattr(owner, name)


def written_in_c(cls: type) -> bool:
    """Whether a class has what only C code, Cython or the like gives one: methods, attributes and a class of theirs."""
    given = (v for name, v in vars(cls).items() if name not in ("__dict__", "__weakref__"))
    of_c = type(cls) is not type and written_in_c(type(cls))
    return (
        of_c
        or any(isinstance(v, _OF_C) and v.__objclass__ is cls for v in given)
        or not cls.__flags__ & 1 << 9
    )


def has_no_hidden_state(cls: type) -> bool:
    """Whether all that objects of a class hold are attributes, slots and items."""

    def known(base: type) -> bool:
        pythons = home_of(base) in ("typing", "abc", "enum", "collections.abc", "dataclasses", "contextlib")
        hides = written_in_c(base) or isinstance(vars(base).get("__dict__"), property)
        return pythons or (not hides and (is_users(base) or of_minigrad(base)))

    return all(base in _WITHOUT_STATE or known(base) for base in cls.__mro__)


def is_object(owner: Any) -> bool:
    """Whether what has attributes is an object of no special kind."""
    return not isinstance(owner, (type, types.ModuleType, types.FunctionType, Tensor, Contents, type(None)))


def may_store(owner: Any) -> bool:
    """Whether what code stores in an attribute is to be noticed: of an object, and of what the user has defined."""
    return is_object(owner) or (isinstance(owner, _DEFINED) and is_users(owner))


def is_fixed_by_name(owner: Any) -> bool:
    """Whether what code stores in an attribute is noticed by its name alone: of modules, and of a library's classes."""
    return isinstance(owner, types.ModuleType) or (isinstance(owner, type) and not is_users(owner))


def is_state(value: Any, tables: Collection[int] = ()) -> bool:
    """Whether a value consists of Tensors and numbers, so that each call can be given its own.

    ``tables`` are ids of values that do not count.
    """
    if id(value) in tables:
        return False
    inside = *tables, id(value)  # it may hold itself
    if value.__class__ in (tuple, list):
        alike = (is_state(v, inside) or v.__class__ in (str, bool) or v is None for v in value)
        return bool(value) and all(alike)
    if value.__class__ is dict:
        return {str}.issuperset(map(type, value)) and is_state([*value.values()], inside)
    return type(value) in (int, float) or (type(value) is Tensor and not added_to(value))


def is_key(key: Any) -> bool:
    """Whether no code of the user compares a key."""
    if type(key) is tuple:
        return all(map(is_key, key))
    return type(key) in (*SIMPLE, bool, type(None)) or (isinstance(key, Tensor) and of_minigrad(type(key)))


def may_hold(value: Any, function: Any) -> bool:
    """Whether a value that a function of a library keeps may be, or hold, something of the user's."""
    more = () if of_minigrad(function) else (list, tuple)
    holds = type(value) in (types.MethodType, functools.partial, dict, *more) and not of_minigrad(value)
    return holds or type(value) is types.FunctionType or is_users(type(value))


def reads_all(cls: type) -> bool:
    """Whether minigrad may read any attribute of an object: it has made the class, or one that makes or calls it."""
    bases = [vars(c) for c in cls.__mro__ if of_minigrad(c) and "__minigrad_contents__" not in vars(c)]
    return of_minigrad(cls) or any("forward" in own or "__init__" in own for own in bases)


def counts_by_name(owner: Any) -> bool:
    """Whether of an object those attributes count which the code names."""
    return is_object(owner) and not reads_all(type(owner))


def called_in(cls: type) -> set[str]:
    """The names by which code of libraries may call methods of a user's class: what it inherits from them or Python."""
    names = {name for c in cls.__mro__ for name in vars(c) if name.startswith("__") or not is_users(c)}
    return (names | CALLED) - SHOWN - UNREAD

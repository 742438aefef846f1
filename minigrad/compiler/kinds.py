"""What code may reach by name while it is recorded, by kind: what is followed, what is fixed, what is refused."""

from __future__ import annotations

import argparse
import collections
import enum
import functools
import os
import sys
import sysconfig
import types
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.compiler.guards import MISSING
from minigrad.core.contents import publishes
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor
from minigrad.device import device
from minigrad.errors import INSIDE

# Library modules whose functions depend on their arguments alone.
PURE = frozenset({
    "abc", "cmath", "collections", "contextlib", "copy", "dataclasses", "enum", "functools", "itertools", "math",
    "minigrad", "numbers", "numpy", "operator", "string", "types", "typing", "builtins", "typing_extensions",
    "__future__", "_operator", "_functools", "_collections", "_collections_abc", "collections.abc",
})  # fmt: skip
# Of these modules: what reads files and settings, or writes them.
IMPURE = {
    id(getattr(np, name)): f"np.{name}()" for name in (
        "load", "fromfile", "loadtxt", "genfromtxt", "memmap", "save", "savez", "savetxt", "geterr", "seterr",
        "get_printoptions", "set_printoptions",
    )
}  # fmt: skip
REFUSED = {
    "print": "print(), whose output a replay would not repeat",
    "input": "input(), which a replay would not ask for",
    **{name: f"{name}(), with which code may reach anything" for name in
       ("eval", "exec", "compile", "globals", "locals", "__import__", "breakpoint")},
    **{name: f"{name}(), which gives something else in each run" for name in ("id", "hash", "open")},
    **{name: f"{name}, whose objects a recording cannot guard" for name in ("memoryview", "bytearray")},
}  # fmt: skip
# What may ask for any attribute, and what looks at the attributes of a namespace without naming them.
REFLECTION = {
    "getattr", "hasattr", "vars", "dir", "attrgetter", "methodcaller", "__dict__", "__getattribute__", "asdict",
    "astuple", "fields", "copy", "deepcopy", "__reduce__", "__reduce_ex__", "__getstate__",
}  # fmt: skip
TEXTUAL = {"repr", "str", "format", "ascii"}
# Attributes with which code may reach anything.
SECRET = {
    "__globals__", "__closure__", "__subclasses__", "__builtins__", "f_globals", "f_locals", "f_back", "f_builtins",
    "gi_frame", "cr_frame", "ag_frame", "tb_frame", "cell_contents", "__traceback__", "__context__",
}  # fmt: skip
NAMES_OF_ITSELF = {"__name__", "__qualname__", "__doc__", "__annotations__", "__module__", "__type_params__"}
CALLED = {"forward", "step", "backward", "setup_context", "jvp", "vmap", "__call__"}
UNREAD = {
    "__dict__",
    "__weakref__",
    "__module__",
    "__doc__",
    "__qualname__",
    "__firstlineno__",
    "__static_attributes__",
}
SMALL = 1 << 14  # elements
PLAIN = (argparse.Namespace, types.SimpleNamespace)
FIXED = (
    np.generic, np.dtype, dtypes.dtype, device, Size, slice, range, types.CodeType,
    types.MethodDescriptorType, types.WrapperDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType,
    types.ClassMethodDescriptorType, type(Ellipsis), type(NotImplemented), types.GenericAlias, types.UnionType,
    type(vars(collections.namedtuple("_", "a"))["a"]),
)  # fmt: skip
OWN = {"_array", "_node", "_view", "_grad", "_epoch", "_inference"}  # attributes of every Tensor
CONTAINERS = (dict, list, tuple, set, frozenset, collections.deque)
_SITE = f"{os.sep}site-packages{os.sep}"


@functools.cache
def foreign(file: str | None) -> bool:
    """Whether code belongs to minigrad, the standard library or an installed package."""
    if not file:
        return False
    if file.startswith("<frozen") or INSIDE[file]:
        return True
    path, standard = os.path.abspath(file), sysconfig.get_paths()
    return _SITE in path or path.startswith((standard["stdlib"] + os.sep, standard["platstdlib"] + os.sep))


def is_pure(name: str) -> bool:
    known = name in PURE or name.partition(".")[0] in ("minigrad", "numpy")
    return known and not name.startswith(("numpy.random", "numpy.testing"))


def is_foreign(module: Any) -> bool:
    """Whether a module is not the user's."""
    if str(vars(module).get("__name__")).partition(".")[0] in sys.stdlib_module_names - {"__main__"}:
        return True
    return foreign(vars(module).get("__file__"))


def home_of(value: Any) -> str:
    """The name of the module of a class or function; empty where that is no text, as in classes made by Cython."""
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) else ""


def of_minigrad(space: Any) -> bool:
    """Whether a class or module, by what it holds, is part of minigrad."""
    return str(space.get("__module__") or space.get("__name__")).partition(".")[0] == "minigrad"


def is_users(cls: type) -> bool:
    """Whether a class is the user's."""
    home = home_of(cls)
    module = sys.modules.get(home)
    return home in ("", "__main__") or module is None or not is_foreign(module)


def a_kind(kind: type) -> str:
    return f"a {kind.__name__}"


def slot_of(slot: Any, owner: Any) -> Any:
    try:
        return slot.__get__(owner)
    except AttributeError:
        return MISSING


def both(name: Any) -> tuple[Any, ...]:
    return name if isinstance(name, tuple) else (name,)


def load(content: Any, names: set[str]) -> None:
    """Has minigrad make the functions and methods of these names that it makes when they are first asked for."""
    home = content.get("__name__", content.get("__module__", ""))
    if isinstance(home, str) and home.partition(".")[0] == "minigrad":
        owner: Any = sys.modules[home] if "__name__" in content else Tensor
        for name in names & {*(content.get("__all__", ()) if owner is not Tensor else content)}:
            getattr(owner, name)


def names_in(cls: type) -> set[str]:
    """Names that a class or one of its bases has."""
    return set().union(*map(vars, cls.__mro__))


def hidden_names(cls: type) -> set[str]:
    """Names of a Module or an optimizer that the library reads: ``forward``, and tables for hooks to come."""
    if not publishes(cls):
        return set()
    tables = {
        n for base in cls.__mro__ for n, v in vars(base).items() if isinstance(v, types.MappingProxyType)
    }
    return {n for n in tables if n.endswith("_hooks")} | {"forward"}


def has_no_hidden_state(cls: type) -> bool:
    """Whether all that objects of a class hold are attributes, slots and items."""
    known = (
        object,
        *CONTAINERS,
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
                is_users(base)
                or publishes(base)
                or base in known
                or home_of(base) in ("typing", "abc", "enum", "collections.abc", "dataclasses")
            )
        )
        for base in cls.__mro__
    )

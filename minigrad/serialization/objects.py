"""Objects in files: which classes and functions a file may name, and how an object is made again.

Nothing is executed, and no module is imported but minigrad's own.  A class is one that the program has.  Its object is
made by `object.__new__`, without ``__init__``, and a dict that was checked becomes its attributes.  So a class with
ways of its own to be made (``__setstate__``, ``__slots__``, ``__reduce__``) or to end (``__del__``) is refused.

What is wrong is a ValueError here; `Reader` and `Writer` say of which file.
"""

from __future__ import annotations

import datetime
import enum
import functools
import re
import sys
from argparse import Namespace
from collections import defaultdict, deque
from collections.abc import Callable
from importlib import import_module
from types import FunctionType, WrapperDescriptorType
from typing import Any, TypeAlias

from minigrad.core.contents import publishes
from minigrad.errors import of_python
from minigrad.nn import _filed, functional
from minigrad.nn.module import Module
from minigrad.serialization import names
from minigrad.serialization.names import Callee, StorageType
from minigrad.serialization.safe import get_safe_globals
from minigrad.tensor import Tensor

# A class or a function.
Named: TypeAlias = Callable[..., Any]
State: TypeAlias = dict[str, Any]

# PyTorch's files for what minigrad has in files of other names, by the beginnings of the classes' names.
_FILES = {
    "batchnorm": ("BatchNorm", "SyncBatchNorm"), "instancenorm": ("InstanceNorm",), "fold": ("Fold", "Unfold"),
    "distance": ("CosineSimilarity", "PairwiseDistance"), "pixelshuffle": ("Pixel",), "adamw": ("AdamW",),
    "channelshuffle": ("ChannelShuffle",), "linear": ("NonDynamically",), "loss": ("LinearCross",),
    "activation": ("MultiheadAttention",), "pooling": ("Fractional",),
}  # fmt: skip
# The rooms of minigrad whose Modules, optimizers, schedulers and datasets a file may name.
_ROOMS = ("nn", "optim", "utils.data")
# What the interpreter calls of its own accord, and what a pickle would call to make an object.
_CALLED = ("__del__", "__getattribute__", "__class__")
_MAKING = ("__reduce__", "__reduce_ex__", "__setstate__", "__slots__")


# ---------------------------------------------------------------- names


def find(home: str, name: str) -> Named:
    """The class or function that a file calls by a name. ValueError if there is none, or if no file may name it."""
    name, *within = name.split(".")
    if home.partition(".")[0] in ("torch", "minigrad"):
        found = _ours(home.partition(".")[2], name)
    else:
        if sys.modules.get(home) is None:
            raise ValueError(f"the module {home} is not loaded; import it before load()")
        found = getattr(sys.modules[home], "__dict__", {}).get(name)
        if found is None:
            raise ValueError(f"the module {home} has no {name} yet; define it before load()")
        if type(found) is FunctionType and not (_written(found, home, name) or is_safe(found)):
            raise ValueError(f"{name} is a function of another module, or of a library")
    if isinstance(found, type):
        check_class(found)
    elif type(found) is not FunctionType:
        raise ValueError("a file may name Modules, and classes and functions of your program")
    for name in within:
        if not isinstance(found, type):
            raise ValueError(f"{found.__qualname__} has no class {name}")
        found = inner(found, name)
    return found


def inner(owner: type, name: str) -> type:
    """A class that stands in another. ValueError if there is none."""
    found = vars(owner).get(name)
    if not isinstance(found, type):
        raise ValueError(f"the class {owner.__qualname__} has no class {name}")
    check_class(found)
    return found


def function(name: str) -> Named:
    """A function of the namespace ``minigrad``, such as `relu`. ValueError for another name."""
    found = None if name.startswith(("_", "set_")) else getattr(sys.modules["minigrad"], name, None)
    if type(found) is not FunctionType or found.__module__ != "minigrad":
        raise ValueError(f"minigrad has no operation {name}")
    return found


def _ours(home: str, name: str) -> Any:
    """What minigrad has under a name of PyTorch's; None if a file may not name it."""
    if home in ("_C._nn", "nn.functional"):
        return getattr(functional, name) if name in functional.__all__ else None
    home = home.replace("utils.weight_norm", "utils._weight_norm")
    for room in _ROOMS:
        if not re.fullmatch(rf"{re.escape(room)}(\.\w+)*", home):
            continue
        # PyTorch has files in the room that minigrad calls by other names.
        while len(home) >= len(room):
            try:
                found = getattr(import_module(f"minigrad.{home}"), name, None)
            except ImportError:
                found = None
            if isinstance(found, type):
                return found if publishes(found) or _is_other(found) or _filed.is_hook(found) else None
            home = home.rpartition(".")[0]
    return None


def _is_other(cls: type) -> bool:
    """Whether it is a scheduler or a dataset."""
    minigrad = import_module("minigrad")
    return issubclass(cls, (minigrad.optim.lr_scheduler.LRScheduler, minigrad.utils.data.Dataset))


def _written(value: Any, home: str, name: str) -> bool:
    """Whether a module of the program itself defines a function or class, under this name."""
    place = getattr(sys.modules.get(home), "__file__", None) or ""
    library = of_python(place) or re.search(r"[\\/](site|dist)-packages[\\/]", place)
    if home.startswith("minigrad.") or library or not (place or home == "__main__"):
        return False
    return bool(value.__module__ == home and value.__qualname__ == name)


def is_safe(value: Any) -> bool:
    """Whether the program has listed a class or function of a library."""
    return any(value is x for x in get_safe_globals())


def name_of(value: Any) -> str:
    """The name of a class or function, with PyTorch's for what is minigrad's; a space is before its last part.

    ValueError if a file may not name it, or if it would not be found under its name.
    """
    home, name = value.__module__ or "", value.__qualname__  # `exec` may run without a name
    if home == functional.__name__:
        return f"torch.nn.functional {name}"
    if home.startswith("minigrad."):
        home, _, file = home.removeprefix("minigrad.").rpartition(".")
        file = next((f for f, begins in _FILES.items() if name.startswith(begins)), file.lstrip("_"))
        home = (
            "nn.parallel.data_parallel"
            if file == "parallel"
            else f"{home}{'.modules' * (home == 'nn')}.{file}"
        )
        home = f"torch.{'optim.lr_scheduler' if home.startswith('optim.lr_scheduler.') else home}"
    if "<" in name:
        raise ValueError(
            f"{name} is defined in a function, or has no name; define it at the top of its module"
        )
    outer, *within = name.split(".")
    if not home.startswith("torch") and not hasattr(sys.modules.get(home), outer):
        raise ValueError(f"the module {home} has no {outer}, so load() would not find it")
    found = find(home, outer)
    for part in within:
        found = inner(found, part)  # type: ignore[arg-type]
    if found is not value:
        raise ValueError(f"{home}.{name} is not the same as this {name}")
    return f"{home} {name}"


# ---------------------------------------------------------------- classes


def check_class(cls: type) -> None:
    """ValueError unless objects of a class may be in a file."""
    if cls is Namespace:
        return
    ours = publishes(cls) or (
        cls.__module__.startswith("minigrad.") and (_is_other(cls) or _filed.is_hook(cls))
    )
    if not (ours or _written(cls, cls.__module__, cls.__qualname__) or is_safe(cls)):
        raise ValueError(
            f"{cls.__qualname__} is not a Module, and not a class of your program; "
            f"serialization.add_safe_globals([{cls.__qualname__}]) allows it"
        )
    plain = issubclass(cls, enum.Enum) or _is_named_tuple(cls)
    for base in cls.__mro__[:-1]:
        own = vars(base)
        for name in _CALLED if plain else (*_CALLED, *_MAKING):
            # What minigrad's own classes have in slots is no part of their state.
            slots = (
                name == "__slots__"
                and base.__module__.startswith("minigrad.")
                and "__dict__" in own.get(name, ())
            )
            if not own.get(name) or slots or (name == "__setstate__" and _may_set(own[name], cls)):
                continue
            if type(own[name]) is WrapperDescriptorType:  # that of a type of Python's
                continue
            raise ValueError(
                f"{cls.__qualname__} has {name} of its own, which no file may cause to be called; "
                "save its state_dict() or __dict__"
            )


def _may_set(setter: Any, cls: type) -> bool:
    """Whether ``__setstate__`` is that of Module, or of minigrad's optimizers."""
    if issubclass(cls, Module):
        return setter is Module.__setstate__
    return publishes(cls) and str(setter.__module__).startswith("minigrad.")


def _is_named_tuple(cls: type) -> bool:
    return cls.__bases__ == (tuple,) and hasattr(cls, "_fields")


def new(cls: type, arguments: tuple[Any, ...]) -> Any:
    """An object of a class without attributes, or a named tuple of its fields."""
    if _is_named_tuple(cls):
        if len(arguments) != len(cls._fields):  # type: ignore[attr-defined]
            raise ValueError(f"a {cls.__qualname__} has {len(arguments)} fields")
        return tuple.__new__(cls, arguments)
    if arguments or issubclass(cls, enum.Enum):
        raise ValueError(f"it makes a {cls.__qualname__} of arguments")
    try:
        made: Any = object.__new__(cls)
    except TypeError as error:  # a subclass of a type of Python's, or an abstract class
        raise ValueError(str(error)) from None
    if isinstance(made, Module):
        Module.__init__(made)
    return made


def member(cls: type, value: Any) -> Any:
    """The member of an Enum that has a value."""
    if not issubclass(cls, enum.Enum) or value not in cls._value2member_map_:
        raise ValueError(f"it calls the class {cls.__qualname__}")
    return cls._value2member_map_[value]


def default_dict(factory: Any = None) -> defaultdict[Any, Any]:
    """An empty defaultdict, whose factory is a type of Python's or None."""
    kinds = {callee: kind for kind, callee in names.FACTORIES.items()}
    if factory is not None and not (isinstance(factory, Callee) and factory in kinds):
        raise ValueError("it has a defaultdict of something else than dict, list, set, int, float or str")
    return defaultdict(None if factory is None else kinds[factory])


def queue(items: Any = (), length: Any = None) -> deque[Any]:
    """A deque."""
    return deque(items, *_whole(length))


def numbers(kind: Callable[..., Any], *values: Any) -> Any:
    """A range or a slice."""
    return kind(*_whole(*values))


def moment(callee: Callee, *arguments: Any) -> Any:
    """A date or a time, from the bytes in which Python's pickles have it; a difference, from whole numbers."""
    kind = getattr(datetime, callee.name.split()[1])
    if kind is datetime.timedelta:
        return datetime.timedelta(*(n or 0 for n in _whole(*arguments)))
    if type(arguments[0]) is not bytes or len(arguments) > 1:
        raise ValueError("a date or time is damaged")
    try:
        return kind(arguments[0])
    except TypeError as error:
        raise ValueError(f"a date or time is damaged ({error})") from None


def partial_of(function: Any) -> Any:
    """A function with arguments to come: of a Module, or of minigrad."""
    if not (isinstance(function, type) and issubclass(function, Module)) and not (
        type(function) is FunctionType and function.__module__ in ("minigrad", functional.__name__)
    ):
        raise ValueError("it has a partial of something else than a Module or a function of minigrad")
    return functools.partial(function)


def is_listed(name: str) -> bool:
    """Whether the program has listed a class by its name, which is that of Python's."""
    home, _, last = names.modern(name).partition(" ")
    local = "._local"  # where Python 3.13 has the classes of pathlib
    return any(
        (getattr(x, "__module__", "").removesuffix(local), getattr(x, "__qualname__", ""))
        == (home.removesuffix(local), last)
        for x in get_safe_globals()
    )


def _whole(*values: Any) -> tuple[int | None, ...]:
    if not all(value is None or type(value) is int for value in values):
        raise ValueError("it has a range, slice or deque without whole numbers")
    return values


# ---------------------------------------------------------------- states


def state_of(value: Any) -> State:
    """The attributes of an object, for a file; those of a Module as PyTorch has them."""
    state = value.__getstate__() or {}
    state = state[0] if isinstance(state, tuple) else state  # what is in slots stands behind
    if not isinstance(state, dict):
        raise ValueError(f"{type(value).__qualname__} has a __getstate__ that does not return a dict")
    return _filed.written(value, state) if isinstance(value, Module) else state


def fill(value: Any, state: Any) -> None:
    """Gives an object attributes. ValueError for one that would replace a method, or that is of another kind."""
    cls = type(value)
    if cls is functools.partial:
        _fill_partial(value, state)
        return
    if not isinstance(state, dict) or not all(type(name) is str for name in state):
        raise ValueError(f"the attributes of a {cls.__qualname__} are no dict of names")
    if isinstance(value, Module):
        state = _filed.read(value, state)
    elif _filed.is_hook(cls):
        _filed.check_hook(cls, state)
    elif hasattr(cls, "__setstate__"):
        _check_optimizer(state)
        try:
            cls.__setstate__(value, state)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise ValueError(f"the state of a {cls.__qualname__} is damaged ({error})") from None
        return
    for name, item in state.items():
        if isinstance(item, Callee | StorageType):
            raise ValueError(f"the attribute {name!r} of a {cls.__qualname__} is a name, {item[0]}")
        shadowed = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
        method = callable(shadowed) or hasattr(type(shadowed), "__get__")
        if isinstance(shadowed, (type, functools.cached_property)) or item is shadowed:
            method = False  # a default of the class, or what was computed once
        if method or name[:2] == name[-2:] == "__":
            raise ValueError(f"it would replace the attribute {name!r} of a {cls.__qualname__}")
    object.__getattribute__(value, "__dict__").update(state)


def _fill_partial(value: functools.partial[Any], state: Any) -> None:
    if isinstance(state, tuple) and len(state) == 4:
        function, args, named, attributes = state
        right = (
            function is value.func and isinstance(args, tuple) and isinstance(named, dict) and not attributes
        )
        if right and all(type(name) is str for name in named):
            value.__setstate__((function, args, dict(named), {}))  # type: ignore[attr-defined]
            return
    raise ValueError("a partial function is damaged")


def _check_optimizer(state: State) -> None:
    groups = state.get("param_groups")
    if (
        # All else, its hooks too, would be called by `step`, or instead of it.
        state.keys() != {"state", "defaults", "param_groups"}
        or not isinstance(groups, list)
        or not all(isinstance(state.get(name), dict) for name in ("state", "defaults"))
        or not all(isinstance(known, dict) for known in state["state"].values())
        or not all(
            isinstance(group, dict)
            and isinstance(group.get("params"), list)
            and all(isinstance(p, Tensor) for p in group["params"])
            for group in groups
        )
    ):
        raise ValueError("the state of an optimizer is damaged")

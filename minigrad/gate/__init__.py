"""The gate in front of the public functions: it looks at the arguments where a function cannot be sure of them.

A gate is made from a function alone: its name, its parameters and their annotations.  It lets a good call through
at the price of one call, and otherwise it

- takes NumPy's names for PyTorch's parameters (``axis`` for ``dim``) and a size by its name (``size=(2, 3)``),
- raises TypeError for an argument of a class that the annotation excludes, before the function runs (``check``) or,
  where the function finds out itself, in place of what it raised,
- turns what Python or NumPy raise inside (AttributeError, OverflowError, ...) into PyTorch's kinds.

Annotations are read as text.  A parameter with one that is not in `kinds.KINDS`, such as ``Any``, is not looked at.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
from collections.abc import Callable, Collection, Iterable
from itertools import zip_longest
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from minigrad import dtypes
from minigrad.core.apply import NotAnOperand, apply
from minigrad.core.op import Op
from minigrad.core.tensor import Tensor, wrap
from minigrad.dtypes import common, dtype
from minigrad.errors import INSIDE, runtime_error, type_error, warn_once
from minigrad.gate import forms, kinds
from minigrad.gate.kinds import (
    ALIASES,
    FIRST,
    IDLE,
    NUMBERS_FIRST,
    RENAMED,
    STRICT,
    Kind,
    is_boxed,
    of_parameter,
    says_nothing,
)  # fmt: skip
from minigrad.gate.names import label_of, named_as
from minigrad.gate.overriding import FILE, OF_NO_ARGUMENT, enrol, foreign

C = TypeVar("C", bound=type)
R = TypeVar("R")
P = ParamSpec("P")
_FUNCTIONS = (types.FunctionType, types.MethodType)


# ---------------------------------------------------------------- the gate


class _Missing:
    """Stands for an argument that was not given by its own name."""

    def __repr__(self) -> str:
        return "<missing>"


MISSING = _Missing()
_PLACED = re.compile(r"[(;] ?at (.*:\d|cell \d|unknown place)")
_OUT_OF_RANGE = re.compile(r"(Dimension out of range \([^)]*\))(?: in [^(]*\(\).*?)?((?: \(at .*)?)")
_INTERNAL = (ArithmeticError, AttributeError, KeyError, NameError, MemoryError, StopIteration)


class Gate:
    """What a gate knows of its function; the functions that users call are made by `gated`.

    What only odd calls ask for is worked out when the first of them comes: it would double what all gates add to the
    time of the import.
    """

    def __init__(self, function: Any, name: str, check: str) -> None:
        self.function, self.name, self.checks = function, name, check
        label = label_of(function)
        self.run = function if label is None else named_as(label, function)
        code = function.__code__
        # of a `case` the first is said
        self.names = code.co_varnames[isinstance(function, types.MethodType) : code.co_argcount]
        self.star = (
            code.co_flags & inspect.CO_VARARGS or self.name.rstrip("_") in NUMBERS_FIRST | kinds.ONE_BY_ONE
        )
        # A name that has others must be left out when one of these is given, and so may what follows it.
        defaults = function.__defaults__ or ()
        required = self.names[: len(self.names) - len(defaults)]
        first = next((i for i, n in enumerate(required) if n in RENAMED), len(required))
        tensor = name.endswith("_") or function.__annotations__.get("".join(self.names[:1])) == "Tensor"
        if first and required[0] in FIRST and tensor:
            first = 0
        self.defaults = (MISSING,) * (len(required) - first) + defaults
        # Whether classes are looked up at each call; a single Tensor is looked at by its operation.
        single = (
            len(self.names) == 1
            and check == "all"
            and function.__annotations__.get(self.names[0]) == "Tensor"
        )
        self.looks = not single and any(self.watches(n) for n in self.names)
        self.door: Any = None  # what users call
        self.seen: set[Any] = set()  # classes of arguments that were found good

    def kind(self, name: str) -> Kind | None:
        annotation = str(self.function.__annotations__.get(name, ""))
        return of_parameter(self.name, name, annotation, name == self.rest)

    def watches(self, name: str) -> bool:
        """Whether an argument is looked at before the function runs."""
        kind = self.kind(name) if self.checks != "none" and name != "self" else None
        return kind is not None and (self.checks == "all" or "Tensor" in kind.text or name in STRICT)

    @functools.cached_property
    def only(self) -> tuple[str, ...]:
        """The parameters that can only be given by name."""
        code = self.function.__code__
        return code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]

    @property
    def takes_all(self) -> bool:
        """Whether the function takes arguments of any name."""
        return bool(self.function.__code__.co_flags & inspect.CO_VARKEYWORDS)

    @functools.cached_property
    def rest(self) -> str:
        """The parameter that takes any number, "" if there is none."""
        code = self.function.__code__
        many = code.co_flags & inspect.CO_VARARGS
        return code.co_varnames[code.co_argcount + code.co_kwonlyargcount] if many else ""

    @functools.cached_property
    def kinds(self) -> dict[str, Kind]:
        kinds = {name: self.kind(name) for name in (*self.names, *self.only, self.rest)}
        return {name: kind for name, kind in kinds.items() if kind is not None}

    @functools.cached_property
    def watched(self) -> set[str]:
        return {name for name in self.kinds if self.watches(name)}

    @functools.cached_property
    def numbers(self) -> set[str]:
        """The parameters that are Python's numbers or flags and nothing else."""
        return {
            n for n, kind in self.kinds.items() if not {"Tensor", "dtype"} & set(re.split(r"\W", kind.text))
        }

    def wrong(self, args: tuple[Any, ...], named: dict[str, Any], watched: Collection[str]) -> str:
        """What is wrong with the class of an argument that is watched, "" if nothing is."""
        places = (*self.names, *[self.rest] * (len(args) - len(self.names)))
        for name, value in (*zip(places, args, strict=False), *named.items()):
            if value is MISSING:
                return f"{self.name}() missing 1 required argument: '{name}'"
            # A Tensor with several elements is not a number.
            kind = self.kinds.get(name) if name in watched or isinstance(value, Tensor) else None
            if kind is not None and value is not self.default(name) and not kind.holds(value):
                return f"{self.name}(): argument '{name}' must be {kind.text}, not {_describe(value, kind)}"
        return ""

    def default(self, name: str | None) -> Any:
        if name not in self.names:
            return (self.function.__kwdefaults__ or {}).get(name, MISSING)
        at = self.names.index(name) - len(self.names) + len(self.defaults)
        return self.defaults[at] if at >= 0 else MISSING

    def check(self, key: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Calls the function if arguments are of the right classes, which are then remembered as ``key``.

        A number in a Tensor or of NumPy's becomes Python's.  The elements of a list are the function's concern.
        """
        wrong = self.wrong(args, named, self.watched)
        if wrong:
            raise type_error(wrong)
        values = [*args]
        for i, name in enumerate(self.names[: len(args)]):
            if name in self.numbers and is_boxed(args[i]):
                values[i], key = args[i].item(), None
        for name in self.numbers & named.keys():
            if is_boxed(named[name]):
                named, key = {**named, name: named[name].item()}, None
        given = (*zip_longest(self.names[: len(args)], args, fillvalue=self.rest), *named.items())
        # What else is looked at than the class of an array, is looked at each time.
        if key is not None and all(_lasting(x, name not in self.kinds) for name, x in given):
            self.seen.add(key)
        return self.run(*values, **named)

    def call(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """The function with arguments given by name that are not among those with a place."""
        if "input" in named and args and args[0] is MISSING and self.names[0] in FIRST:
            named = {**named}
            args = (named.pop("input"), *args[1:])
        if "out" in named and "out" not in self.only:
            return self.write(args, {**named})
        if "memory_format" in named and "memory_format" not in self.only:
            from minigrad.gate import memory

            if self.name in memory.TAKES:
                return memory.result(self.name, self.call, args, {**named})
        own = {name: value for name, value in named.items() if name in self.only}
        if len(own) == len(named) or self.takes_all:
            classes = map(type, args[: len(self.names)] if self.looks else ())
            return self.check((*classes, *named, *map(type, named.values())), args, named)
        others = {name: value for name, value in named.items() if name not in own}
        return self.check(None, self.renamed(args, others, own), own)

    def write(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """The result in the Tensors given as ``out``; TypeError where PyTorch's function takes none."""
        from minigrad.gate import out

        target = named.pop("out")
        if self.name not in out.TAKES:
            raise type_error(f"{self.name}() got an unexpected keyword argument 'out'")
        if target is None:
            return self.call(args, named)
        result = self.call(args, out.with_type_of(self.name, target, named))
        return out.into(self.name, result, target, named.get("dtype") is not None)

    def renamed(self, args: tuple[Any, ...], others: dict[str, Any], own: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments with those given by another name in their places; TypeError for a name unknown here."""
        places = list(args)
        for name, value in others.items():
            target = ALIASES.get(name)
            if name == self.rest and len(args) == len(self.names):
                places.append(value)
            elif name in IDLE and self.name in IDLE[name] and says_nothing(name, value):
                continue
            elif target in self.only and target not in own:
                own[target] = value
            elif target in self.names and places[self.names.index(target)] is self.default(target):
                places[self.names.index(target)] = value
            else:
                if target in self.kinds:
                    raise type_error(f"{self.name}() got multiple values for argument '{name}'")
                from minigrad.hints.nearest import argument

                raise type_error(
                    argument(self.name, name, [n for n in (*self.names, *self.only) if n != "self"])
                )
        return tuple(places)

    def numbers_first(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """The call that PyTorch's older signatures mean, which have numbers before Tensors; None for another."""
        if self.name.rstrip("_") in kinds.ONE_BY_ONE:
            return functools.partial(self.door, args[0], args[1:], **named)
        count = len(self.names)
        if len(self.only) == 1:  # it stands second, and may be a Tensor without dimensions
            numbers, others = [args[1]], (args[0], *args[2:])
        else:
            numbers = [x for x in args[: 1 - count] if not isinstance(x, Tensor)]
            others = tuple(x for x in args if isinstance(x, Tensor))
        misfit = (len(others), len(args) - len(numbers)) != (count, count) or len(numbers) > len(self.only)
        if misfit or not named.keys().isdisjoint(self.only[: len(numbers)]):
            return None
        now = ", ".join([*self.names[1:], *(f"{n}=..." for n in self.only)])
        warn_once(
            f"This overload of {self.name} is deprecated: numbers come last, and by name; {self.name}({now})"
        )
        return functools.partial(self.door, *others, **dict(zip(self.only, numbers, strict=False)), **named)

    def explain(self, error: Exception, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Raises what a user should see in place of an error; returns None where that is the error itself.

        A function without arguments makes the call again: one of them has a ``__torch_function__``, not asked yet, or
        two are numbers, or numbers come first.
        """
        if len(args) > len(self.names) and not self.rest and (again := self.numbers_first(args, named)):
            return again
        if self.door.__name__ not in OF_NO_ARGUMENT and foreign(args, named):
            given = [*args]
            while given and given[-1] is self.default(
                self.names[len(given) - 1] if len(given) <= len(self.names) else ""
            ):
                given.pop()
            return functools.partial(self.door, *given, **named)
        plain = len(args) > 1 and all(isinstance(x, int | float | complex) for x in args[:2])
        if plain and self.name in kinds.OF_NUMBERS:
            return functools.partial(
                self.door, wrap(np.asarray(args[0], common(args[:1]))), *args[1:], **named
            )
        if isinstance(error, Warning) or _of_user(error):
            return None
        if isinstance(error, IndexError) and (out := _OUT_OF_RANGE.fullmatch(str(error))):
            # What checks dimensions knows neither the function nor the Tensor.
            error.args = (f"{out[1]} in {self.name}(){_first_shape(args)}{out[2]}",)
        own = {n: v for n, v in named.items() if n in self.only}
        # An argument by another of its names, as in ``cumsum(axis=0)``, has not reached its place here.
        elsewhere = len(own) < len(named) and any(x is MISSING for x in args)
        wrong = "" if elsewhere else self.wrong(args, own, self.kinds)
        operand, caused = isinstance(error, NotAnOperand), error.__cause__ is not None
        # What the function itself says of a value is right; what Python or NumPy say inside may come of the class.
        some = len(self.watched) < len(self.kinds)
        meant = some and isinstance(error, RuntimeError | IndexError | ValueError)
        if wrong and (operand or caused or not (meant or str(error).startswith(self.name))):
            raise type_error(wrong) from None
        if operand:
            raise TypeError(f"{self.name}(): {str(error).partition('(): ')[2]}") from None
        inside = isinstance(error, _INTERNAL) or type(error).__module__.startswith("numpy")
        if inside and not (isinstance(error, OverflowError) and "64 bits" in str(error)):
            raise runtime_error(f"{self.name}(): {error}") from error
        if type(error) in (IndexError, TypeError, ValueError) and not _PLACED.search(str(error)):
            # Python's or NumPy's sentence, and the user's line.
            error.args = type_error(f"{self.name}(): {error}").args
        return None


def _first_shape(args: Iterable[Any]) -> str:
    """The shape of the first Tensor among arguments, in words."""
    for x in args:
        if isinstance(x, Tensor):
            return f" of a Tensor of shape {list(x._array.shape)}"
        if isinstance(x, (tuple, list)) and (said := _first_shape(x)):
            return said
    return ""


def _holds_numbers(value: Any) -> bool:
    """Whether it is a number, or a list or tuple that consists of numbers."""
    return (
        all(map(_holds_numbers, value))
        if isinstance(value, (list, tuple))
        else isinstance(value, (int, float))
    )


def _describe(value: Any, kind: Kind) -> str:
    """The class of an argument, and for an array among Tensors what to do with it."""
    if isinstance(value, (tuple, list)):
        elements = sorted({type(x).__name__ for x in value})
        numbers = kind.text.startswith("Tensor") and _holds_numbers(value)
        hint = "; minigrad.tensor(...) makes a Tensor of it" if numbers else ""
        return f"{type(value).__name__} of {', '.join(elements) or 'nothing'}{hint}"
    if isinstance(value, (int, float)) and kind.text.startswith("Tensor"):
        return f"{type(value).__name__}; minigrad.tensor(...) makes a Tensor of it"
    if (
        isinstance(value, str)
        and kind.text.startswith("minigrad.dtype")
        and isinstance(getattr(dtypes, value, None), dtype)
    ):
        return f"str; write minigrad.{value}"
    if isinstance(value, np.ndarray) and "Tensor" in kind.text:
        return (
            "numpy.ndarray: an array was given, use minigrad.from_numpy(array), which shares its memory, or "
            "minigrad.as_tensor(array)"
        )
    if isinstance(value, Tensor):
        several = "; put the Tensors into a list" if kind.text == "tuple of Tensors" else ""
        return f"Tensor of shape {list(value._array.shape)} and dtype {value._array.dtype}{several}"
    return type(value).__name__


def _lasting(value: Any, arrays: bool) -> bool:
    """Whether a class may be remembered: one of the user's might be freed. NumPy's element types have one each."""
    if type(value) is np.ndarray:
        return arrays
    return type(value).__module__.partition(".")[0] in ("builtins", "minigrad") or isinstance(value, np.dtype)


def _of_user(error: Exception) -> bool:
    """Whether it comes from code that is neither minigrad's nor NumPy's, such as a function that was passed."""
    at = error.__traceback__
    while at is not None:
        space = at.tb_frame.f_globals.get("__name__") or ""
        if not INSIDE[at.tb_frame.f_code.co_filename] and space.partition(".")[0] != "numpy":
            return True
        at = at.tb_next
    return False


@functools.cache
def _code(form: str, names: tuple[str, ...]) -> types.CodeType:
    """The code of gates of one form, with parameters of these names: gates of the same signature share it."""
    make = getattr(forms, form)
    code: types.CodeType = make(*[None] * make.__code__.co_argcount).__code__
    return code.replace(co_varnames=(*names, *code.co_varnames[len(names) :]), co_filename=FILE)


def gated(function: Any, name: str = "", *, check: str = "all", op: Op | None = None) -> Any:
    """The function behind a gate; ``name`` is what errors call it.

    ``check`` says what is looked at before the function runs: ``"all"`` arguments, ``"Tensors"`` or ``"none"``; the
    others when it has raised.  What PyTorch wrote in Python takes any object for a flag.  ``op`` is given where the
    function only applies that to its arguments: the gate does it then, and saves a call.
    """
    gate = Gate(function, name or function.__name__, check)
    form = f"make_{len(gate.names)}{'L' * gate.looks}{'S' * bool(gate.star)}{'A' * (op is not None)}"
    more = () if op is None else (apply, op)
    door = getattr(forms, form)(gate.run, gate.seen, gate.check, gate.call, gate.explain, *more)
    door.__code__ = _code(form, gate.names)
    door.__defaults__ = gate.defaults or None
    # functools.update_wrapper takes twice as long
    door.__name__, door.__qualname__, door.__module__ = (
        function.__name__, function.__qualname__, function.__module__,
    )  # fmt: skip
    door.__doc__, door.__annotations__, door.__wrapped__ = (
        function.__doc__,
        function.__annotations__,
        function,
    )
    gate.door = door
    enrol(door)
    return door


def case(
    function: Callable[Concatenate[Any, P], R], name: str, doc: str, first: Any = None
) -> Callable[P, R]:
    """One of a family of functions that differ in their first argument alone, ``first`` or the name.

    It runs under its own name, so errors tell that. `public` puts the gate in front.
    """
    code = function.__code__.replace(co_name=name, co_qualname=name)
    own = types.FunctionType(code, function.__globals__, name, function.__defaults__)
    own.__kwdefaults__, own.__doc__ = function.__kwdefaults__, inspect.cleandoc(doc)
    own.__annotations__ = {n: a for n, a in function.__annotations__.items() if n != code.co_varnames[0]}
    return types.MethodType(own, name if first is None else first)


def ranks(
    function: Callable[Concatenate[int, P], R],
) -> tuple[Callable[P, R], Callable[P, R], Callable[P, R]]:
    """The functions for one, two and three dimensions of one whose first argument tells how many; ``_name`` of it.

    In its docstring ``{sizes}`` stands for the names of the dimensions, ``{kernel}`` for those of a kernel.
    """
    sizes, kernel = ("depth", "height", "width"), ("kD", "kH", "kW")

    def of(rank: int) -> Callable[P, R]:
        doc = (function.__doc__ or "").format(
            rank=rank,
            sizes="length" if rank == 1 else ", ".join(sizes[-rank:]),
            kernel="kernel" if rank == 1 else ", ".join(kernel[-rank:]),
        )
        return case(function, f"{function.__name__[1:]}{rank}d", doc, rank)

    return of(1), of(2), of(3)


def public(
    space: dict[str, Any], names: Iterable[str], *, check: str = "all", home: str = "", cls: str = ""
) -> None:
    """Puts gates in front of the functions of a module; one that has two names has one gate.

    ``home``, a module, and ``cls``, ``"Tensor."`` for methods, are where users find them: pickles name a function by
    that, and outlive a move.
    """
    gates: dict[Any, Any] = {}
    for name in names:
        function = space[name]
        if isinstance(function, _FUNCTIONS) and function.__code__.co_filename != FILE:
            if function not in gates:
                gates[function] = gated(function, check=check)
                gates[function].__module__ = home or function.__module__
                gates[function].__qualname__ = cls + function.__qualname__
            space[name] = gates[function]


def methods(cls: C) -> C:
    """Class decorator: gates in front of the public methods that have none yet."""
    gates: dict[Any, Any] = {}
    for name, function in list(vars(cls).items()):
        plain = type(function) is types.FunctionType and function.__code__.co_filename != FILE
        if plain and not name.startswith("_"):
            if function not in gates:
                # It may be called as a function of the class, too.
                function.__annotations__.setdefault("self", "Tensor")
                gates[function] = gated(function)
            setattr(cls, name, gates[function])
    return cls


def constructor(check: str = "all") -> Callable[[C], C]:
    """Class decorator: a gate in front of what makes instances."""

    def decorate(cls: C) -> C:
        for name in ("__init__", "__new__"):
            function = vars(cls).get(name)
            function = getattr(function, "__func__", function)
            if type(function) is types.FunctionType:
                door = gated(function, cls.__name__, check=check)
                setattr(cls, name, staticmethod(door) if name == "__new__" else door)
        return cls

    return decorate


def own_constructor(cls: type) -> None:
    """A public class has the constructor of a private one under its own name, which is what errors of Python say."""
    init: Any = cls.__init__  # type: ignore[misc]
    if str(cls.__module__).startswith("minigrad.") and init.__qualname__[0] == "_" != cls.__name__[0]:
        own = types.FunctionType(
            init.__code__, init.__globals__, init.__name__, init.__defaults__, init.__closure__
        )
        own.__kwdefaults__, own.__annotations__, own.__doc__ = (
            init.__kwdefaults__,
            init.__annotations__,
            init.__doc__,
        )
        own.__qualname__, own.__module__ = f"{cls.__name__}.__init__", cls.__module__
        cls.__init__ = own  # type: ignore[misc]

"""What takes over public functions: classes with ``__torch_function__``, Tensors or not, and modes.

The doors, as users hold them, stay the functions they are.  The first class or mode that takes over `arm`s them: each
gets other code, which looks for such arguments, and its own code goes into a function behind it.  Whoever has a door,
under whatever name, has the armed one then, and a program without such classes pays nothing.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable, Iterable
from functools import partial
from types import CodeType, FunctionType
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad.core.mode import MODE
from minigrad.core.size import Size
from minigrad.core.tensor import Tensor, of_class, of_users
from minigrad.dtypes import dtype, printed
from minigrad.errors import type_error
from minigrad.gate.precision import chosen

# Where tracebacks say that gates are: inside the package, and without a line to show.
FILE = __file__.removesuffix("overriding.py") + "<gate>"


class _Doors:
    """The functions of users, and whether they are armed."""

    def __init__(self) -> None:
        self.known: list[tuple[Any, Any]] = []
        self.armed = False

    def enrol(self, door: Any, func: Any = None) -> None:
        """Takes note of a door, and of the function that users know it by; one that is made late is armed at once."""
        self.known.append((door, func or door))
        if self.armed:
            _arm(door, func or door)


DOORS = _Doors()
enrol = DOORS.enrol


class State(NamedTuple):
    """The modes that are on, the innermost last; whether classes take over; what was before, inside of ``with``."""

    modes: tuple[Any, ...] = ()
    by_classes: bool = True
    before: Any = None


_STATE: contextvars.ContextVar[State] = contextvars.ContextVar("minigrad_overriding", default=State())  # noqa: B039 (immutable)
now = _STATE.get


class Within:
    """In ``with``: another state; left, the state before is back. Threads may share one, for it holds nothing."""

    def _inside(self, state: State) -> State:
        raise NotImplementedError

    def __enter__(self) -> Self:
        _STATE.set(self._inside(now()))
        return self

    def __exit__(self, *caught: object) -> None:
        _STATE.set(now().before)


class DisableTorchFunctionSubclass(Within):
    """In ``with``: functions take Tensors of subclasses as what they are in memory; results are plain."""

    def _inside(self, state: State) -> State:
        return State(state.modes, False, state)


class DisableTorchFunction(Within):
    """In ``with``: neither classes nor modes take over."""

    def _inside(self, state: State) -> State:
        return State((), False, state)


def plainly(func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """The ``__torch_function__`` of classes that take nothing over: their results are plain Tensors."""
    before = now()
    _STATE.set(State(before.modes, False))
    try:
        return func(*args, **(kwargs or {}))
    finally:
        _STATE.set(before)


# ---------------------------------------------------------------- who takes over

# Classes that are known to take nothing over, to which those of minigrad are added when they are met.
_PLAIN = {
    Tensor,
    float,
    int,
    bool,
    complex,
    str,
    type(None),
    slice,
    type(...),
    np.ndarray,
    dtype,
    Size,
    range,
}


def overrides(x: object) -> bool:
    """Whether the class of an object takes functions over."""
    cls = type(x)
    own = None if cls in _PLAIN else getattr(cls, "__torch_function__", None)
    if own is not None and own is not plainly:
        return True
    if not of_users(cls):
        _PLAIN.add(cls)
    return False


def overloaded(args: Iterable[Any]) -> list[Any]:
    """One argument of each class that takes over: subclasses before their bases, else from the left."""
    found: list[Any] = []
    for x in args:
        if overrides(x) and type(x) not in map(type, found):
            at = (i for i, y in enumerate(found) if issubclass(type(x), type(y)))
            found.insert(next(at, len(found)), x)
    return found


def _each(args: Iterable[Any]) -> Iterable[Any]:
    """Arguments, and what lists and tuples among them hold."""
    for x in args:
        if x.__class__ is list or x.__class__ is tuple:
            yield from x
        else:
            yield x


def _all_plain(args: Iterable[Any]) -> bool:
    """Whether all are of classes that are known to take nothing over."""
    for x in args:
        cls = x.__class__
        if cls not in _PLAIN and not ((cls is list or cls is tuple) and _all_plain(x)):
            return False
    return True


def foreign(args: Iterable[Any], named: dict[str, Any] | None = None) -> bool:
    """Whether a call failed only because its door was not armed when it began; all are from now on.

    What it called may have armed them meanwhile, but no armed door lets such an argument in.
    """
    if not now().by_classes or not any(map(overrides, _each((*args, *(named or {}).values())))):
        return False
    arm()
    return True


def offered(func: Any, found: list[Any], args: tuple[Any, ...], named: dict[str, Any] | None) -> Any:
    """What the innermost mode makes of a call, or the first of these arguments that takes it.

    NotImplemented where all leave it to others.
    """
    before, types = now(), tuple(map(type, found))
    asked: list[Any] = [*before.modes[-1:], *found]
    if asked and (recorder := MODE.get().recorder) is not None:
        raise recorder.refuse(
            f"{type(asked[0]).__name__} takes over {func.__name__} by __torch_function__, and what it does is not "
            "recorded. Pass as_subclass(minigrad.Tensor) of a Tensor, or leave this part uncompiled"
        )
    result: Any = NotImplemented
    for x in asked:
        if before.modes and x is asked[0]:
            _STATE.set(State(before.modes[:-1], before.by_classes))
        try:
            result = x.__torch_function__(func, types, args, named)
        finally:
            _STATE.set(before)
        if result is not NotImplemented:
            break
    return result


# No argument takes these over, only a mode does; and these nothing does.
_OF_MODES = frozenset({"as_tensor", "asarray", "tensor"})
_NEVER = frozenset({"__init__", "__new__", "as_subclass", "from_dlpack", "from_numpy"})
OF_NO_ARGUMENT = _OF_MODES | _NEVER


def _route(inner: Any, func: Any, composed: bool, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """A call of an armed door. ``func`` is what users are told was called; the name of a method for operators.

    A ``composed`` function may call methods of its arguments.
    """
    state = now()
    if not state.modes and _all_plain(args) and (not named or _all_plain(named.values())):
        return inner(*args, **named)
    ask = state.by_classes and inner.__name__ not in _OF_MODES
    found = overloaded(_each((*args, *named.values()))) if ask else []
    if not found and not state.modes:
        return with_plain(inner, args, named) if composed else inner(*args, **named)
    operator = func.__class__ is str
    if operator:
        func = getattr(Tensor, func)
    try:
        result = offered(func, found, args, named or None)
    except TypeError:
        if operator:
            return NotImplemented  # Python asks the other operand, and says what it finds
        raise
    if result is not NotImplemented or operator:
        return result
    if not found:
        return inner(*args, **named)
    raise type_error(
        f"Multiple dispatch failed for '{called(func)}'; all __torch_function__ handlers returned NotImplemented:\n\n"
        + "".join(f"  - tensor subclass {type(x)}\n" for x in found)
        + "\nReturn a result from one of them, or convert the arguments with as_subclass(minigrad.Tensor)."
    )


def with_plain(inner: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The call with plain Tensors for those whose class replaces methods: what is composed means the Tensor's own.

    Each shares memory and record with the one that it stands for. That takes its place in the result, also as the base
    of views.
    """
    twins: dict[int, tuple[Tensor, Tensor]] = {}
    result = inner(
        *[_as_plain(x, twins) for x in args], **{name: _as_plain(x, twins) for name, x in named.items()}
    )
    return _as_given(result, twins) if twins else result


def _as_plain(x: Any, twins: dict[int, tuple[Tensor, Tensor]]) -> Any:
    if isinstance(x, Tensor) and getattr(x, "_replaces", False):
        twin = of_class(x, Tensor)
        twins[id(twin)] = twin, x
        return twin
    return each_of(x, lambda y: _as_plain(y, twins)) if x.__class__ in (list, tuple) else x


def _as_given(y: Any, twins: dict[int, tuple[Tensor, Tensor]]) -> Any:
    if id(y) in twins:
        return twins[id(y)][1]
    if isinstance(y, Tensor) and y._view is not None and id(y._view.base) in twins:
        y._view = y._view._replace(base=twins[id(y._view.base)][1])
    return each_of(y, lambda z: _as_given(z, twins))


def each_of(values: Any, change: Callable[[Any], Any]) -> Any:
    """A list or tuple, also a named one, of changed values; anything else as it is."""
    if not isinstance(values, (tuple, list)):
        return values
    changed = map(change, values)
    return type(values)._make(changed) if hasattr(values, "_make") else type(values)(changed)


def called(func: Any) -> str:
    """The name of a function with its place: ``minigrad.Tensor.add_``."""
    owner = getattr(func, "__self__", None)
    if isinstance(owner, property):
        getter: Any = owner.fget
        return printed(f"Tensor.{getter.__name__}.{func.__name__}")
    home, _, rest = func.__module__.partition(".")
    name = f"{rest}.{func.__qualname__}".lstrip(".")
    return printed(name) if home == "minigrad" else f"{func.__module__}.{func.__qualname__}"


# ---------------------------------------------------------------- doors


@functools.cache
def _armed(free: tuple[str, ...]) -> CodeType:
    """The code of armed doors. A function keeps its closure, so its new code has the same names from outside."""
    names = ", ".join(free)
    space: dict[str, Any] = {}
    exec(
        f"def make({names}):\n"
        "    def armed(*args, _route, **named):\n"
        f"        if 0: ({names})\n"
        "        return _route(args, named)\n"
        "    return armed\n",
        space,
    )
    code: CodeType = space["make"](*free).__code__
    return code


# Functions of these modules work on the Tensor itself: its record, its hooks, its gradient.
_WITH_ITSELF = (
    "minigrad.tensor",
    "minigrad.autograd",
    "minigrad.functions.inplace",
    "minigrad.functions.in_place",
)


def _arm(door: Any, func: Any) -> None:
    """Gives a door the code that looks for arguments that take over; what it did does a function behind it."""
    code = door.__code__
    if door.__name__ in _NEVER or "_route" in code.co_varnames:
        return
    inner = FunctionType(code, door.__globals__, door.__name__, door.__defaults__, door.__closure__)
    inner.__kwdefaults__, inner.__annotations__ = door.__kwdefaults__, door.__annotations__
    inner.__qualname__, inner.__module__ = door.__qualname__, door.__module__
    inner = chosen(inner)  # type: ignore[assignment]
    if not hasattr(door, "__wrapped__"):
        door.__wrapped__ = inner  # `help` and `inspect.signature` show its parameters
    home = door.__wrapped__.__globals__.get("__name__", "")
    composed = not home.startswith(_WITH_ITSELF) and not door.__name__.endswith("_")
    door.__kwdefaults__ = {"_route": partial(_route, inner, func, composed)}
    door.__code__ = _armed(code.co_freevars).replace(
        co_name=code.co_name, co_qualname=code.co_qualname, co_filename=FILE
    )


# Operators that users are told of by the method's name, as in PyTorch; the others by their own.
_METHODS = {
    "add": "add", "radd": "add", "iadd": "add_", "sub": "sub", "isub": "sub_", "mul": "mul", "rmul": "mul",
    "imul": "mul_", "truediv": "div", "itruediv": "div_", "ifloordiv": "floor_divide_", "mod": "remainder",
    "imod": "remainder_", "pow": "pow", "ipow": "pow_", "matmul": "matmul", "ne": "ne", "lt": "lt", "le": "le",
    "gt": "gt", "ge": "ge", "rand": "bitwise_and", "ror": "bitwise_or", "rxor": "bitwise_xor",
}  # fmt: skip
_OPERATORS = (
    "rsub rtruediv floordiv rfloordiv rmod rpow rmatmul eq and or xor lshift rlshift rshift rrshift iand ior ixor "
    "ilshift irshift"
)
_OTHERS = (
    "getitem setitem array array_ufunc bool complex contains deepcopy dir dlpack float format index int len reduce_ex "
    "repr reversed"
)


def is_operator(name: str) -> bool:
    """Whether a name with underscores around it is that of an operator, also ``[]``."""
    short = name.strip("_")
    return (
        short in _METHODS
        or short in _OPERATORS.split()
        or short in ("getitem", "neg", "pos", "abs", "invert")
    )


def arm() -> None:
    """From now on the doors ask arguments, and modes, whether they take over; once for all."""
    if DOORS.armed:
        return
    own = vars(Tensor)
    for name, method in _METHODS.items():
        _arm(own[f"__{name}__"], method)
    for name in _OPERATORS.split():
        _arm(own[f"__{name}__"], f"__{name}__")
    for name in _OTHERS.split():
        door = own.get(f"__{name}__")
        if door is not None:
            _arm(door, door)
    for value in [*own.values()]:
        if isinstance(value, property):
            for function, func in (
                (value.fget, value.__get__),
                (value.fset, value.__set__),
                (value.fdel, value.__delete__),
            ):
                if function is not None:
                    _arm(function, func)
    for door, func in DOORS.known:
        _arm(door, func)
    DOORS.armed = True  # last: after an interrupt the next call begins anew

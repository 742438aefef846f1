"""`compile`: a function recorded once per kind of call, then replayed as a plan of NumPy calls."""

from __future__ import annotations

import functools
import threading
import types
from collections.abc import Callable
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    Self,
    TypedDict,
    TypeVar,
    Unpack,
    overload,
)

from minigrad.compiler.arguments import Again, Stored
from minigrad.compiler.names import *  # noqa: F403
from minigrad.compiler.names import __all__ as _names
from minigrad.compiler.recording import Recording, WithoutSize
from minigrad.compiler.replay import Replay, observed
from minigrad.compiler.report import Report, report
from minigrad.core.contents import publishes
from minigrad.core.mode import MODE
from minigrad.errors import warn
from minigrad.gate.overriding import now as overriding
from minigrad.hints import module_getattr
from minigrad.readers.source.layout import laid_out

__all__ = ["Compiled", "compile", *_names]

RECORDINGS = 64  # of one function; the oldest goes
MANY = 16  # recordings after which a warning says which guard failed

P = ParamSpec("P")
R = TypeVar("R", covariant=True)

if TYPE_CHECKING:
    from minigrad.nn import Module

    Q = ParamSpec("Q")
    S = TypeVar("S", contravariant=True)
    M = TypeVar("M", bound=Module)
    N = TypeVar("N", bound=Module, contravariant=True)

    class Method(Protocol[N, P, R]):
        """A method of a Module, recognised by the name of its first parameter. Compiled, it can still be `forward`."""

        def __call__(_, self: N, *args: P.args, **kwargs: P.kwargs) -> R: ...


class Options(TypedDict, total=False):
    """What `compile` takes by keyword: its own options, then those of PyTorch's ``compile`` that ours does not need."""

    check: bool
    backend: str
    fullgraph: bool
    dynamic: bool | None
    mode: str | None
    options: dict[str, Any] | None
    disable: bool


_OF_FUNCTIONS = "__doc__", "__module__", "__qualname__", "__annotations__"
_THEIRS = ("inductor", "eager", "aot_eager", "cudagraphs")  # backends of PyTorch's


@overload
def compile(function: M, **options: Unpack[Options]) -> M: ...  # type: ignore[overload-overlap]


@overload
def compile(function: Method[M, P, R], **options: Unpack[Options]) -> Callable[Concatenate[M, P], R]: ...


@overload
def compile(function: Callable[P, R], **options: Unpack[Options]) -> Compiled[P, R]: ...


@overload
def compile(
    function: None = None, **options: Unpack[Options]
) -> Callable[[Callable[P, R]], Compiled[P, R]]: ...


def compile(
    function: Any = None,
    *,
    check: bool = False,
    backend: str = "numpy",
    fullgraph: bool = False,
    dynamic: bool | None = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """``function`` (a function, a method or a Module), recorded at its first call and replayed by every call.

    The result is called as the function is.  What a call does to Tensors (results, ``.grad``, changes in place,
    the steps of optimizers, random draws) each call does to the Tensors and numbers of its own; Python code runs only
    while a call is recorded.  A recording depends on the arguments and on what the code reaches by name: Tensors,
    Modules, optimizers, numbers, strings, functions, and lists, tuples, dicts and plain objects of these.  A call is
    recorded again for other shapes, dtypes, layouts, structures of the arguments, grad modes or training flags, or
    after a change of anything else that the function reaches.  Ints and floats among the arguments, floats among the
    options of optimizers, such as a learning rate, and ints and floats that the function sets in attributes, dicts and
    lists are numbers of each call; how they compare is guarded.

    ``check`` also runs the function itself at each call and raises a RuntimeError where the two differ.
    ``backend="numba"`` (the extra ``numba``) has Numba compile the printed program, which pays at small batches;
    results agree to rounding, with NumPy to the last bit.  Large batches are split by `minigrad.in_parts`.
    PyTorch's options ``fullgraph``, ``dynamic``, ``mode`` and ``options``, and the names of its own backends, are taken
    and change nothing; with ``disable`` the function is returned as it is.

    RuntimeError where the function asks for values of Tensors (a condition, ``item()``), reaches what a recording
    cannot guard (a clock, a file, a generator of Python's), or changes Python objects other than gradients and the
    optimizers' state.
    """
    if function is None:
        return functools.partial(compile, check=check, backend=backend, disable=disable)
    if not callable(function):
        raise TypeError(f"compile() takes a function or a Module, got {type(function).__name__}")
    if disable:
        return function
    if backend in _THEIRS:
        backend = "numpy"
    if backend not in ("numpy", "numba"):
        raise ValueError(f"compile(): there is no backend {backend!r}; the backends are 'numpy' and 'numba'")
    return Compiled(function, check, backend)


class Compiled(Generic[P, R]):
    """A compiled function. ``report()`` tells of its recordings, `minigrad.source` prints what the last one runs."""

    __name__: str
    __wrapped__: Callable[P, R]
    recordings: list[Replay]

    def __init__(self, function: Any, check: bool, backend: str) -> None:
        named = type(function) if publishes(type(function)) else function
        name = getattr(named, "__name__", None)
        # Straight into the dict: `__setattr__` sets what is not there on a Module instead.
        vars(self).update(
            function=function,
            check=check,
            backend=backend,
            recordings=[],
            _recorded=0,  # how many calls
            _stores=False,  # whether it stores in objects among the arguments
            _lock=threading.RLock(),
            __wrapped__=function,
            __name__=name if isinstance(name, str) else type(function).__name__,
            **{n: getattr(named, n) for n in _OF_FUNCTIONS if hasattr(named, n)},
        )

    @overload
    def __get__(self, instance: None, owner: type[object]) -> Self: ...

    @overload
    def __get__(
        self: Compiled[Concatenate[S, Q], R], instance: S, owner: type[object] | None = None
    ) -> Callable[Q, R]: ...

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)  # such as parameters() of a Module

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self) or not publishes(type(self.function)):
            object.__setattr__(self, name, value)
        else:
            setattr(self.function, name, value)  # of a Module, as `__getattr__` reads it

    def __repr__(self) -> str:
        return f"<compiled {self.__name__}, {len(self.recordings)} plan{'s' * (len(self.recordings) != 1)}>"

    def __reduce__(self) -> Any:
        """Copied and pickled without the recordings."""
        return Compiled, (self.function, self.check, self.backend)

    def report(self, profile: bool = False) -> Report:
        """A table for each recording: its steps, what was fused, the bytes of its memory beside those of eager mode.

        ``profile`` adds the time of each step, measured on random data of the recorded shapes.
        """
        return report(self, profile)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if overriding().modes:
            return self.__wrapped__(*args, **kwargs)  # they hear of each operation
        mode = MODE.get()
        for replay in self.recordings:
            entered = replay.enter(args, kwargs, mode)
            if entered is not None:
                break
        else:
            if observed(mode):
                return self.__wrapped__(*args, **kwargs)  # each operation has to run
            recorded = self._record(args, kwargs, mode)
            if recorded is None:
                return self.__wrapped__(*args, **kwargs)  # which sets the sizes of lazy modules
            replay = recorded
            entered = replay.enter(args, kwargs, mode)
            if entered is None:
                raise RuntimeError(
                    f"compile(): recording {self.__name__} changes {replay.broken(args, kwargs, mode)}, so no call can "
                    "be replayed; leave it uncompiled"
                )
        try:
            if self.check:
                call = functools.partial(replay.run, *entered)
                return Recording(self, args, kwargs).check(call, self.backend == "numpy")
            result: R = replay.run(*entered)
        except Exception as error:
            with self._lock:  # the function itself stops at its first error, which names the operation
                Recording(self, args, kwargs).fail(error)
                if not isinstance(error, OverflowError) or replay.calls == 1:
                    raise
                # Of numbers that this recording computes with; the function catches it.
                self.recordings = [r for r in self.recordings if r is not replay]
            return self(*args, **kwargs)
        return result

    def _record(self, args: Any, kwargs: Any, mode: Any) -> Replay | None:
        with self._lock:
            if self.recordings and (self._recorded + 1) % MANY == 0:
                warn(
                    f"compile(): {self.__name__} has been recorded {self._recorded + 1} times, and each takes many "
                    "times as long as running it. What differs from the last recording: "
                    f"{self.recordings[0].broken(args, kwargs, mode)}"
                )
            replay, set_in = None, dict[int, Any]()
            for known in self.recordings:
                for i, (table, keys) in known.set_in.items():
                    set_in[i] = table, {*keys, *set_in.get(i, (table, ()))[1]}
            while replay is None:
                try:
                    replay = Recording(self, args, kwargs, set_in).record()
                except WithoutSize:
                    return None
                except Stored:
                    vars(self)["_stores"] = True
                except Again as again:
                    (set_in,) = again.args
            self._recorded += 1
            self.recordings = [replay, *self.recordings][:RECORDINGS]
        return replay

    def printed_program(self) -> str:
        """The text of what the last recording runs; `minigrad.source` returns it.  RuntimeError before the first."""
        if not self.recordings:
            raise RuntimeError(
                f"source(): the compiled {self.__name__} has recorded nothing yet; call it first"
            )
        return laid_out(self.recordings[0].text)


module_getattr(globals())

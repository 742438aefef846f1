"""Grad modes, as context managers and decorators. They hold for the current context (thread or task) only."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any, Self, TypeVar, overload

from minigrad.core.mode import MODE, Mode, ModeManager
from minigrad.errors import warn
from minigrad.gate import constructor

F = TypeVar("F", bound=Callable[..., Any])


def _flag(value: Any) -> bool:
    """A flag of a pass. PyTorch takes whole numbers for these, and no other object: TypeError."""
    return bool(operator.index(value))


class _ModeManager(ModeManager):
    """Sets some fields of the mode between enter and exit; may be nested and used as a decorator."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields
        self._before = []

    def __enter__(self) -> Any:
        before = MODE.get()
        self._before.append(before)
        MODE.set(self._changed(before))

    def _changed(self, mode: Mode) -> Mode:
        fields = self._fields
        if len(fields) == 1 and "grad" in fields:
            # a Mode that exists already: every optimizer step asks for it
            return mode.recording(fields["grad"])
        return mode.replace(**fields)

    def clone(self) -> _ModeManager:
        """A fresh manager of the same mode: each decorated call has its own."""
        return _ModeManager(**self._fields)

    def __call__(self, function: F) -> F:
        """Decorates a function or a generator function."""
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def steps(*args: Any, **kwargs: Any) -> Any:
                # The mode holds while the generator runs, not while its caller does.
                generator = function(*args, **kwargs)
                resume, value = generator.send, None
                while True:
                    try:
                        with self.clone():
                            item = resume(value)
                    except StopIteration as stop:
                        return stop.value
                    try:
                        resume, value = generator.send, (yield item)
                    except GeneratorExit:
                        with self.clone():
                            generator.close()
                        raise
                    except BaseException as error:
                        resume, value = generator.throw, error

            return steps  # type: ignore[return-value]
        if inspect.isclass(function):
            warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate "
                "functions or methods; decorate __init__, which alone is meant here.",
                FutureWarning,
            )

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]


class _Bare(_ModeManager):
    """A manager that also decorates without parentheses: its first argument may be the function."""

    @overload
    def __new__(cls, function: F) -> F: ...  # type: ignore[misc]

    @overload
    def __new__(cls, function: None = None) -> Self: ...

    def __new__(cls, function: Any = None) -> Any:
        manager = object.__new__(cls)
        if not callable(function):
            return manager
        manager.__init__()  # type: ignore[misc]
        return manager(function)


class no_grad(_Bare):
    """Switches recording off. ``with no_grad():``, ``@no_grad()`` or ``@no_grad``."""

    def __init__(self, function: None = None) -> None:
        super().__init__(grad=False)


class enable_grad(_Bare):
    """Switches recording on, also inside `no_grad`; inside `inference_mode` nothing is recorded."""

    def __init__(self, function: None = None) -> None:
        super().__init__(grad=True)


class Switch(_ModeManager):
    """A mode that holds at once, from the call on; as a context manager until the exit, as a decorator in calls."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self._until: Mode | None = MODE.get()
        MODE.set(self._changed(self._until))

    def __enter__(self) -> None:
        super().__enter__()
        if self._until is not None:
            # The call has set the mode already.
            self._before[-1], self._until = self._until, None

    def __call__(self, function: F) -> F:
        if self._until is not None:
            MODE.set(self._until)
            self._until = None
        return super().__call__(function)


@constructor()
class set_multithreading_enabled(Switch):
    """It changes nothing: a backward pass runs on the thread that asks for it."""

    def __init__(self, mode: bool) -> None:
        super().__init__()


@constructor()
class set_grad_enabled(Switch):
    """Switches recording on or off at once, as a plain call, a context manager or a decorator."""

    def __init__(self, mode: bool) -> None:
        super().__init__(grad=bool(mode))


class inference_mode(_Bare):
    """As `no_grad`; results may also not be used in recorded operations later."""

    @overload
    def __new__(cls, mode: F) -> F: ...  # type: ignore[misc]

    @overload
    def __new__(cls, mode: bool = True) -> Self: ...

    def __new__(cls, mode: Any = True) -> Any:
        return super().__new__(cls, mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(
            **(
                {"grad": False, "inference": True, "asked": False}
                if mode
                else {"grad": True, "inference": False}
            )
        )


def recording(grad: bool) -> ModeManager:
    """As `set_grad_enabled`, but from the ``with`` statement on: an interrupt before that changes nothing."""
    return _ModeManager(grad=grad)


def recorded(**fields: Any) -> _ModeManager:
    """A mode in which operations are recorded whatever the caller's mode is, for transforms of functions."""
    return _ModeManager(grad=True, inference=False, **fields)


def is_grad_enabled() -> bool:
    """Whether operations are recorded here."""
    mode = MODE.get()
    return mode.asked if mode.inference else mode.grad


def is_compiling() -> bool:
    """Whether a function is being recorded by `minigrad.compile`."""
    return MODE.get().recorder is not None


def is_inference_mode_enabled() -> bool:
    """Whether `inference_mode` holds here."""
    return MODE.get().inference

"""Grad modes, as context managers and decorators. They hold for the current context (thread or task) only."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import Token
from typing import Any, Self, TypeVar, overload

from minigrad.tape import MODE, Mode

F = TypeVar("F", bound=Callable[..., Any])


class _ModeManager:
    """Sets some fields of the mode between enter and exit; may be nested and used as a decorator."""

    def __init__(self, **fields: bool) -> None:
        self._fields = fields
        self._tokens: list[Token[Mode]] = []

    def __enter__(self) -> Self:
        self._tokens.append(MODE.set(self._changed(MODE.get())))
        return self

    def _changed(self, mode: Mode) -> Mode:
        fields = self._fields
        if len(fields) == 1 and "grad" in fields:
            return mode.recording(
                fields["grad"]
            )  # one that was made before: every optimizer step asks for it
        return mode.replace(**fields)

    def __exit__(self, *exc: object) -> None:
        MODE.reset(self._tokens.pop())

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
        made = object.__new__(cls)
        if not callable(function):
            return made
        made.__init__()  # type: ignore[misc]
        return made(function)


class no_grad(_Bare):
    """Nothing is recorded. ``with no_grad():``, ``@no_grad()`` or ``@no_grad``."""

    def __init__(self, function: None = None) -> None:
        super().__init__(grad=False)


class enable_grad(_Bare):
    """Recording is on, also inside `no_grad`."""

    def __init__(self, function: None = None) -> None:
        super().__init__(grad=True, inference=False)


class set_grad_enabled(_ModeManager):
    """Recording on or off at once, as a plain call, a context manager or a decorator."""

    def __init__(self, mode: bool) -> None:
        super().__init__(grad=bool(mode))
        self._before: Token[Mode] | None = MODE.set(MODE.get().recording(bool(mode)))

    def __enter__(self) -> Self:
        if self._before is None:
            return super().__enter__()
        self._tokens.append(self._before)  # the call has set it already
        self._before = None
        return self

    def __call__(self, function: F) -> F:
        if self._before is not None:
            MODE.reset(self._before)
            self._before = None
        return super().__call__(function)


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
            **({"grad": False, "inference": True} if mode else {"grad": True, "inference": False})
        )


def is_grad_enabled() -> bool:
    """Whether operations are recorded here."""
    return MODE.get().grad


def is_compiling() -> bool:
    """Whether a function is being recorded by `minigrad.compile`."""
    return MODE.get().trace is not None


def is_inference_mode_enabled() -> bool:
    """Whether `inference_mode` holds here."""
    return MODE.get().inference

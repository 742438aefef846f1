"""Functions under ``functools.lru_cache``: a recording calls them before it runs, and guards what they give."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

from minigrad.compiler.scalars import Scalar
from minigrad.compiler.stores import Again, Learned
from minigrad.compiler.watch import not_repeated
from minigrad.errors import runtime_error
from minigrad.random import default_generator

CACHED = functools._lru_cache_wrapper


class Caches:
    """The cached functions that a function reaches by name. While it is recorded, others stand in their places."""

    def __init__(self, learned: Learned) -> None:
        self._learned = learned
        # With how often they have been called.
        self._counts: list[tuple[Any, Any]] = []
        self._values: dict[Any, Any] = {}

    def add(self, cached: Any) -> None:
        """Notes a cached function."""
        self._counts.append((cached, cached.cache_info()))

    def values(self) -> Iterator[tuple[str, Any, Any]]:
        """The calls that are known, each with its text, and what it gives."""
        for key, call in self._learned.calls.items():
            before = default_generator.get_state()
            self._values[key] = value = call()
            if (default_generator.get_state()._array != before._array).any():
                raise runtime_error(
                    f"compile(): {call.func.__name__}(), under lru_cache, draws random numbers when it is first "
                    "called, which a recording does before the function runs. Call it once before"
                )
            yield f"{call.func.__name__}()", call, value
        self._counts = [(cached, cached.cache_info()) for cached, _ in self._counts]

    @contextlib.contextmanager
    def standing_in(self, world: Any) -> Iterator[None]:
        """Functions that give the known values stand inside in the places of the cached ones."""

        def stand_in(cached: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                args = tuple(a.__copy__() if type(a) is Scalar else a for a in args)
                if not all(map(world.is_fixed, (*args, *kwargs.values()))):
                    what = f"calls {cached.__name__}(), under lru_cache, with what it has made"
                    raise not_repeated(world, what)
                key = cached, args, (*kwargs.items(),), (*map(type, args),)
                if key not in self._values:
                    self._learned.calls[key] = functools.partial(cached, *args, **kwargs)
                    raise Again
                return self._values[key]

            return functools.wraps(cached)(call)

        places = [place for cached, _ in self._counts for place in world.guards.places_of(cached)]
        try:
            for put, cached in places:
                other = stand_in(cached if type(cached) is CACHED else cached.__func__)
                put(other if type(cached) is CACHED else staticmethod(other))
            yield
        finally:
            for put, cached in places:
                put(cached)

    def called(self) -> str:
        """A cached function that was called itself, being reached in another way.

        `Again` where a call is not known, also if the function has caught that.
        """
        if len(self._values) < len(self._learned.calls):
            raise Again
        return next((f.__name__ for f, info in self._counts if f.cache_info() != info), "")

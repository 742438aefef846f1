"""Many cases in one test: to start a test takes 2 ms, which is more than most of them do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def case(what: object) -> Iterator[None]:
    """Says with an error in which case it came up."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the case {getattr(what, '__name__', what)}")
        raise

"""Many cases in one test: to start a test takes 2 ms, which is more than most of them do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


@contextmanager
def case(what: object) -> Iterator[None]:
    """Says with an error in which case it came up."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the case {getattr(what, '__name__', what)}")
        raise


def at_once(*works: Callable[[], Any]) -> None:
    """Runs each on a thread; what one of them raises comes up here."""
    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(work) for work in works]:
            future.result()

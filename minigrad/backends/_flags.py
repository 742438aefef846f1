"""Flags that mean nothing, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def held(module: dict[str, Any], **flags: Any) -> Iterator[None]:
    """A context in which the names of a module have other values."""
    before = {name: module[name] for name in flags}
    module.update(flags)
    try:
        yield
    finally:
        module.update(before)

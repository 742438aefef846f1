"""Arguments and results as users write them: tuples, lists and dicts, nested, with a name for each leaf."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any


def _children(value: Any, name: str) -> list[tuple[str, Any]] | None:
    """The names and values in a tuple, list or dict; None for a leaf."""
    if isinstance(value, (tuple, list)):
        fields = getattr(value, "_fields", None)
        return [(f"{name}.{fields[k]}" if fields else f"{name}[{k}]", v) for k, v in enumerate(value)]
    return [(f"{name}[{key!r}]", v) for key, v in value.items()] if isinstance(value, dict) else None


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a value, with names such as ``pair[1]``."""
    children = _children(value, name)
    if children is None:
        yield name, value
    for child, v in children or ():
        yield from leaves(v, child)


def named(values: Iterable[Any], names: Sequence[str]) -> list[tuple[str, Any]]:
    """The leaves of several values."""
    return [leaf for value, name in zip(values, names, strict=True) for leaf in leaves(value, name)]


def replaced(value: Any, leaf: Callable[[str, Any], Any], name: str = "") -> Any:
    """The same structure with ``leaf(name, value)`` in the place of each leaf."""
    children = _children(value, name)
    if children is None:
        return leaf(name, value)
    parts = [replaced(v, leaf, child) for child, v in children]
    if isinstance(value, dict):
        return dict(zip(value, parts, strict=True))
    return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)

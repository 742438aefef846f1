"""Trees of Tensors: tuples (also named ones), lists and dicts, and classes that are registered, nested at will."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple


class Spec(NamedTuple):
    """The structure of a tree: its type, what tells its places apart (keys), its parts; a leaf has no type."""

    kind: type[Any] | None
    keys: tuple[Any, ...]
    parts: tuple[Spec, ...]

    @property
    def num_leaves(self) -> int:
        """How many leaves a tree of this structure has."""
        return 1 if self.kind is None else sum(part.num_leaves for part in self.parts)

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        inside = ", ".join(map(repr, self.parts))
        if issubclass(self.kind, dict) and self.kind not in REGISTERED:
            return "{" + ", ".join(f"{k!r}: {p!r}" for k, p in zip(self.keys, self.parts, strict=True)) + "}"
        if self.kind is list:
            return f"[{inside}]"
        if self.kind is tuple:
            return f"({inside}{',' if len(self.parts) == 1 else ''})"
        return f"{self.kind.__name__}({inside})"


_LEAF = Spec(None, (), ())
# By class, the functions that take its objects apart, into values and what else there is, and put them together.
REGISTERED: dict[type[Any], tuple[Callable[[Any], tuple[Any, Any]], Callable[[Any, Any], Any]]] = {}


def flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], Spec]:
    """The leaves of a tree, from left to right, and its structure. Where ``is_leaf`` is true there is one leaf."""
    if is_leaf is not None and is_leaf(tree):
        return [tree], _LEAF
    keys: tuple[Any, ...]
    if type(tree) in REGISTERED:
        values, context = REGISTERED[type(tree)][0](tree)
        keys = (context,)
    elif isinstance(tree, dict):
        keys, values = tuple(tree), tree.values()
    elif type(tree) in (tuple, list) or (isinstance(tree, tuple) and hasattr(tree, "_fields")):
        keys, values = (), tree
    else:
        return [tree], _LEAF
    leaves: list[Any] = []
    parts: list[Spec] = []
    for value in values:
        below, spec = flatten(value, is_leaf)
        leaves += below
        parts.append(spec)
    return leaves, Spec(type(tree), keys, tuple(parts))


def unflatten(leaves: Sequence[Any], spec: Spec) -> Any:
    """The tree of that structure with these leaves."""
    return _build(iter(leaves), spec)


# not a closure: one that calls itself is a cycle
def _build(leaves: Iterator[Any], spec: Spec) -> Any:
    kind = spec.kind
    if kind is None:
        return next(leaves)
    parts = [_build(leaves, p) for p in spec.parts]
    if kind in REGISTERED:
        return REGISTERED[kind][1](parts, spec.keys[0])
    if issubclass(kind, dict):
        pairs = dict(zip(spec.keys, parts, strict=True))
        return OrderedDict(pairs) if issubclass(kind, OrderedDict) else pairs
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)

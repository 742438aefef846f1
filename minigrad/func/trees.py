"""Trees of Tensors: tuples (also named ones), lists and dicts, and classes that are registered, nested at will."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from minigrad.core.apply import reads


class Spec(NamedTuple):
    """The structure of a tree: its type, what tells its places apart (keys), its parts; a leaf has no type."""

    kind: type[Any] | None
    keys: tuple[Any, ...]
    parts: tuple[Spec, ...]

    @property
    def names(self) -> tuple[Any, ...]:
        """The keys of a dict; those of a defaultdict stand beside the function that makes what is missing."""
        names: tuple[Any, ...] = self.keys[0][1] if self.kind is defaultdict else self.keys
        return names

    @property
    def num_leaves(self) -> int:
        """How many leaves a tree of this structure has."""
        return 1 if self.kind is None else sum(part.num_leaves for part in self.parts)

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        inside = ", ".join(map(repr, self.parts))
        if _is_dict(self.kind):
            return "{" + ", ".join(f"{k!r}: {p!r}" for k, p in zip(self.names, self.parts, strict=True)) + "}"
        if self.kind is list:
            return f"[{inside}]"
        if self.kind is tuple:
            return f"({inside}{',' if len(self.parts) == 1 else ''})"
        return f"{self.kind.__name__}({inside})"


_LEAF = Spec(None, (), ())
# By class, the functions that take its objects apart, into values and what else there is, and put them together.
REGISTERED: dict[type[Any], tuple[Callable[[Any], tuple[Any, Any]], Callable[[Any, Any], Any]]] = {
    deque: (lambda d: ([*d], d.maxlen), deque),
    defaultdict: (
        lambda d: ([*d.values()], (d.default_factory, (*d,))),
        lambda values, context: defaultdict(context[0], zip(context[1], values, strict=True)),
    ),
}


def _is_dict(kind: type[Any]) -> bool:
    """Whether it is a kind of dict that was not registered by a program."""
    return kind is defaultdict or (issubclass(kind, dict) and kind not in REGISTERED)


def _parts(tree: Any) -> tuple[tuple[Any, ...], Iterable[Any]] | None:
    """The keys of a tree and its parts; None for a leaf."""
    reads(REGISTERED)
    if type(tree) in REGISTERED:
        values, context = REGISTERED[type(tree)][0](tree)
        return (context,), values
    if isinstance(tree, dict):
        return tuple(tree), tree.values()
    if type(tree) in (tuple, list) or (isinstance(tree, tuple) and hasattr(tree, "_fields")):
        return (), tree
    return None


def flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], Spec]:
    """The leaves of a tree, from left to right, and its structure. Where ``is_leaf`` is true there is one leaf."""
    found = None if is_leaf is not None and is_leaf(tree) else _parts(tree)
    if found is None:
        return [tree], _LEAF
    keys, values = found
    leaves: list[Any] = []
    parts: list[Spec] = []
    for value in values:
        below, spec = flatten(value, is_leaf)
        leaves += below
        parts.append(spec)
    return leaves, Spec(type(tree), keys, tuple(parts))


def flatten_up_to(tree: Any, spec: Spec) -> list[Any]:
    """The parts of a tree where a structure has its leaves, from left to right. ValueError for another structure."""
    if spec.kind is None:
        return [tree]
    if _is_dict(type(tree)) and _is_dict(spec.kind):  # of any kind, and in any order
        alike, parts = tree.keys() == {*spec.names}, [tree.get(name) for name in spec.names]
    else:
        keys, values = _parts(tree) or ((), ())
        parts = [*values]
        alike = type(tree) is spec.kind and (keys == spec.keys or spec.kind is deque)
    if not alike or len(parts) != len(spec.parts):
        raise ValueError(f"tree_map() expects trees of one structure, {spec!r}, got {flatten(tree)[1]!r}")
    return [x for part, below in zip(parts, spec.parts, strict=True) for x in flatten_up_to(part, below)]


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

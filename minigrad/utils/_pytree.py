"""PyTorch's names for trees: tuples (also named ones), lists, deques and dicts, nested at will.

Everything else is a leaf, also None, except objects of registered classes.  The module's name begins with an underscore
in PyTorch too, and many packages use it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from minigrad.func.trees import REGISTERED, Spec, flatten, flatten_up_to, unflatten

__all__ = [
    "MappingKey", "PyTree", "SequenceKey", "TreeSpec", "register_pytree_node", "tree_all", "tree_any", "tree_flatten",
    "tree_leaves", "tree_map", "tree_map_", "tree_map_only", "tree_structure", "tree_unflatten",
]  # fmt: skip

Context = PyTree = Any
TreeSpec = Spec


class MappingKey(NamedTuple):
    """The place of a value in a dict."""

    key: Any


class SequenceKey(NamedTuple):
    """The place of a value in a list or tuple."""

    idx: int


class NodeDef(NamedTuple):
    """The functions that take an object of a class apart, and put it together."""

    flatten_fn: Callable[[Any], tuple[Any, Any]]
    unflatten_fn: Callable[[Any, Any], Any]


def _list_flatten(d: Iterable[Any]) -> tuple[list[Any], Any]:
    return [*d], None


def _list_unflatten(values: Iterable[Any], context: Any) -> list[Any]:
    return [*values]


def _tuple_unflatten(values: Iterable[Any], context: Any) -> tuple[Any, ...]:
    return tuple(values)


def _dict_flatten(d: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    return [*d.values()], [*d]


def _dict_unflatten(values: Iterable[Any], context: Iterable[Any]) -> dict[Any, Any]:
    return dict(zip(context, values, strict=True))


def _namedtuple_flatten(d: tuple[Any, ...]) -> tuple[list[Any], type[Any]]:
    return [*d], type(d)


def _namedtuple_unflatten(values: Iterable[Any], context: type[Any]) -> Any:
    return context(*values)


_tuple_flatten = _list_flatten

# By class, for packages that walk trees themselves; what `register_pytree_node` adds is not here.
SUPPORTED_NODES: dict[type[Any], NodeDef] = {
    tuple: NodeDef(_tuple_flatten, _tuple_unflatten),
    list: NodeDef(_list_flatten, _list_unflatten),
    dict: NodeDef(_dict_flatten, _dict_unflatten),
    OrderedDict: NodeDef(_dict_flatten, lambda values, keys: OrderedDict(_dict_unflatten(values, keys))),
    **{cls: NodeDef(*functions) for cls, functions in REGISTERED.items()},
}


def LeafSpec() -> Spec:
    """The structure of a leaf."""
    return Spec(None, (), ())


def _get_node_type(tree: Any) -> type[Any]:
    return type(tree)


def _dict_flatten_with_keys(d: dict[Any, Any]) -> tuple[list[tuple[MappingKey, Any]], list[Any]]:
    return [(MappingKey(key), value) for key, value in d.items()], list(d)


def _list_flatten_with_keys(d: Iterable[Any]) -> tuple[list[tuple[SequenceKey, Any]], Any]:
    return [(SequenceKey(k), value) for k, value in enumerate(d)], None


def register_pytree_node(
    cls: type[Any],
    flatten_fn: Callable[[Any], tuple[Any, Any]],
    unflatten_fn: Callable[[Any, Any], Any],
    **described: Any,
) -> None:
    """From now on objects of the class itself are trees, here and in `minigrad.func`.

    ``flatten_fn`` gives their values and what else there is, ``unflatten_fn`` makes an object of these.  What PyTorch
    takes by keyword serves its export and its messages.  ValueError for a class that is registered.
    """
    if cls in REGISTERED or cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    REGISTERED[cls] = flatten_fn, unflatten_fn


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], Spec]:
    """The leaves of a tree, from left to right, and its structure. A part of which ``is_leaf`` is true is one leaf."""
    return flatten(tree, is_leaf)


def tree_unflatten(leaves: Iterable[Any], treespec: Spec) -> Any:
    """The tree of that structure with these leaves. ValueError if they are too few or too many."""
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten(leaves, treespec): `leaves` has length {len(leaves)} but the spec refers to a pytree "
            f"that holds {treespec.num_leaves} items"
        )
    return unflatten(leaves, treespec)


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves of a tree, from left to right."""
    return flatten(tree, is_leaf)[0]


def tree_structure(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Spec:
    """The structure of a tree."""
    return flatten(tree, is_leaf)[1]


def tree_map(
    func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """The tree with ``func`` of each leaf, and of what ``rests`` have in its place, which may be trees.

    ValueError if a tree of ``rests`` has another structure above.
    """
    leaves, spec = flatten(tree, is_leaf)
    rows = [leaves, *(flatten_up_to(rest, spec) for rest in rests)]
    return unflatten([func(*values) for values in zip(*rows, strict=True)], spec)


def tree_map_(
    func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """Calls ``func`` of each leaf, and gives the tree itself."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(
    types: Any, func: Callable[[Any], Any], tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """The tree with ``func`` of each leaf of a type, or of which the function ``types`` is true."""
    is_one = types if callable(types) and not isinstance(types, type) else lambda x: isinstance(x, types)
    return tree_map(lambda x: func(x) if is_one(x) else x, tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether ``pred`` is true of all leaves."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether ``pred`` is true of any leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))

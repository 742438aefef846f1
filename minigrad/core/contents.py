"""`Contents`: what Modules and Optimizers publish, so that readers and `compile` know none of their attributes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from types import MappingProxyType
from typing import Any

from minigrad.core.tensor import Tensor


class Contents:
    """What an object holds, as its method ``__minigrad_contents__()`` returns it.

    A class that has the method is read as a Module or an Optimizer is, whatever it inherits from.  The tables are
    those that the object works with, not copies: an entry that is replaced in them is replaced in the object.

    Of a Module: ``parameters``, ``buffers`` and ``modules`` by name (None: a name without one), ``unsaved``, the names
    of buffers that are not part of the saved state, and ``hooks``, tables of what is called around the module's own
    work.  Of an Optimizer: ``groups``, dicts of ``"params"`` and of options, ``state``, what it remembers of each
    parameter, ``defaults``, the options of groups to come, and ``hooks``.
    """

    __slots__ = ("buffers", "defaults", "groups", "hooks", "modules", "parameters", "state", "unsaved")

    def __init__(
        self,
        parameters: MutableMapping[str, Tensor | None] | Any = MappingProxyType({}),
        buffers: MutableMapping[str, Tensor | None] | Any = MappingProxyType({}),
        modules: Mapping[str, Any] = MappingProxyType({}),
        unsaved: Collection[str] = (),
        hooks: Sequence[Mapping[int, Any]] = (),
        groups: Sequence[dict[str, Any]] = (),
        state: MutableMapping[Any, dict[str, Any]] | None = None,
        defaults: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.parameters, self.buffers, self.modules = parameters, buffers, modules
        self.unsaved, self.hooks = unsaved, hooks
        self.groups, self.state, self.defaults = groups, state, defaults


def publishes(cls: type) -> bool:
    """Whether the objects of a class publish what they hold."""
    return hasattr(cls, "__minigrad_contents__")


def contents(holder: Any) -> Contents | None:
    """What an object publishes; None if it does not."""
    publish = getattr(holder, "__minigrad_contents__", None)
    return None if publish is None or isinstance(holder, type) else publish()


def walk(
    holder: Any, *, prefix: str = "", shared: bool = False, seen: set[Any] | None = None
) -> Iterator[tuple[str, Any, Contents]]:
    """An object and all that it holds, each with its dotted name and its contents, parents first.

    What stands in several places comes once, where it is not in ``seen``; with ``shared`` under each of its names:
    ValueError if an object holds itself, which would have endlessly many.
    """
    seen = set() if seen is None else seen
    # of a compiled Module, which passes on all that is asked of it: the Module
    holder = getattr(holder.__minigrad_contents__, "__self__", holder)
    todo: list[Iterator[tuple[str, Any]]] = [iter([(prefix, holder)])]
    around: dict[Any, None] = {}
    while todo:  # an explicit stack: modules may be nested as deep as they like
        path, module = next(todo[-1], (None, None))
        if path is None:
            todo.pop()
            if around:
                around.popitem()
        elif module is not None and module not in seen:
            if not shared:
                seen.add(module)
            elif module in around:
                raise ValueError(
                    f"{type(module).__name__} contains itself as `{path}`, which gives its modules endlessly many "
                    "names; keep it there in a list or tuple, which registers nothing"
                )
            held: Contents = module.__minigrad_contents__()
            yield path, module, held
            around[module] = None
            todo.append(iter([(join(path, name), child) for name, child in held.modules.items()]))


def named_tensors(
    holder: Any, kind: str | Callable[[Any], Iterable[tuple[str, Any]]], *,
    prefix: str = "", recurse: bool = True, shared: bool = False,
) -> Iterator[tuple[str, Any]]:  # fmt: skip
    """The ``"parameters"`` or ``"buffers"`` of an object with dotted names, with ``recurse`` also of all that it holds.

    ``kind`` may be a function that returns the names and members of one of them.
    One that stands in several places comes once, under its first name, or with ``shared`` under each.
    """
    seen: set[int] = set()  # by identity: Tensors compare element by element
    held: Iterable[tuple[str, Any, Contents]] = [(prefix, holder, holder.__minigrad_contents__())]
    if recurse:
        held = walk(holder, prefix=prefix, shared=shared)
    for path, one, tables in held:
        for name, t in getattr(tables, kind).items() if isinstance(kind, str) else kind(one):
            if t is not None and (shared or id(t) not in seen):
                seen.add(id(t))
                yield join(path, name), t


def join(path: str, name: str) -> str:
    """A dotted name."""
    return f"{path}.{name}" if path else name

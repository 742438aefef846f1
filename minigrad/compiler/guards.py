"""Guards: what a recording has seen by name is still the same. They are rows of tables, which C code walks."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import chain
from operator import call, is_
from typing import Any


class MISSING:
    """Stands for what is not there."""


# The path of what the function itself holds.
NAMELESS = "its attributes"
# The kinds of tables, special ones first: their own methods run no code of the user.
_BASES: tuple[Any, ...] = (OrderedDict, dict, list, deque, set, frozenset, tuple)
# What Python adds to a class where it is asked about.
_MADE_BY_PYTHON = {
    "__annotations__",
    "__annotate__",
    "__annotations_cache__",
    "__slotnames__",
    "__abstractmethods__",
}
SIMPLE = (int, float, str, bytes, complex)
_PLAIN_KEYS = {str, int, bool, type(None)}


def same(a: Any, b: Any) -> bool:
    """Whether a value is the object that it was, or an equal number or text of the same type and sign."""
    if a is b:
        return True
    if a.__class__ is not b.__class__ or a.__class__ not in SIMPLE:
        return False
    return bool((a == b and (a != 0 or repr(a) == repr(b))) or (a != a and b != b))


class Guards:
    """A conjunction of guards.

    ``rows`` say what stands where: a function of C, its argument, and the value.  Of ``tables``, dicts and lists, the
    whole content stays.  Nothing that a guard does changes anything or runs code of the user.
    """

    def __init__(self) -> None:
        # Entries: the ``get`` of a dict, a key, the value, a path. Attributes: what reads it, the owner, and so on.
        self._entries_at = _Rows(MISSING)
        self._attributes = _Rows()
        # Objects and their classes.
        self._objects: list[Any] = []
        self._classes: list[Any] = []
        self._object_paths: list[str] = []
        self._spaces: list[tuple[Any, set[str], str]] = []
        self._counts: list[int] = []
        self._entries: list[Callable[[], Iterable[Any]]] = []
        self._empties: list[Any] = []
        self._empty_paths: list[str] = []
        # Plain dicts and lists, with their values, which are printed.
        self._plain: list[Any] = []
        self._plain_values: list[list[Any]] = []
        self._plain_paths: list[str] = []
        self._sized: list[Any] = []
        self._sizes: list[int] = []
        self._tables: list[str] = []
        self._content: list[Any] = []
        self._about: list[str] = []
        # Dicts whose keys may change while the values stay, and these keys.
        self._keyed: list[Any] = []
        self._keys: list[Any] = []
        self._key_paths: list[str] = []
        self._tensors: list[Any] = []
        self._nodes: list[Any] = []
        self._hooked: list[tuple[Any, dict[Any, Any], str]] = []
        self._free: list[Any] = []
        self._leaves: list[Any] = []
        self._absent: list[bool] = []
        self._names: list[str] = []
        self._layouts: list[tuple[Any, Any, str]] = []
        self._arrays: list[tuple[Any, Any, str]] = []

    def entry(self, space: Any, key: Any, value: Any, path: str) -> None:
        """Adds a row: an entry of a dict, or MISSING; a guard makes no entries, as a defaultdict would."""
        kind = dict if isinstance(space, dict) else type(space)
        self._entries_at.add(kind.get.__get__(space), key, value, path, space)

    def attribute(self, owner: Any, read: Callable[[Any], Any], value: Any, path: str) -> None:
        """Adds a row: what ``read``, a function of C, returns of an object, such as its ``__code__``."""
        self._attributes.add(read, owner, value, path)

    def instance(self, value: Any, path: str) -> None:
        """Adds the guard on the class of an object."""
        self._objects.append(value)
        self._classes.append(type(value))
        self._object_paths.append(path or NAMELESS)

    def table(self, content: Any, path: str, keys: bool) -> None:
        """Adds a table: a dict or a list whose content stays; with ``keys`` also under the same keys in that order."""
        base = next(b for b in _BASES if isinstance(content, b))
        values = [*(base.values if issubclass(base, dict) else base.__iter__)(content)]
        if not values:
            self._empties.append(content)
            self._empty_paths.append(path or NAMELESS)
            return
        self._sized.append(content)
        self._sizes.append(len(values))
        self._tables.append(path or NAMELESS)
        self._content += values
        self._about += [path or NAMELESS] * len(values)
        if isinstance(content, dict):
            self._entries.append(base.values.__get__(content))
            if keys:
                self._keyed.append(base.__iter__.__get__(content))
                self._keys += base.__iter__(content)
                self._key_paths += [path or NAMELESS] * len(values)
        else:
            self._entries.append(base.__iter__.__get__(content))

    def size(self, content: Any, path: str) -> None:
        """Adds the guard on the length alone."""
        self._sized.append(content)
        self._sizes.append(len(content))
        self._tables.append(path or NAMELESS)

    def names(self, space: Any, path: str) -> None:
        """Adds the guard that a class has the attributes that it has."""
        self._spaces.append((space, {*space} - _MADE_BY_PYTHON, path))
        self._counts.append(len(space))

    def tensor(self, t: Any, path: str) -> None:
        """Adds the guards on a Tensor: whether it requires grad, is a leaf, has hooks and a gradient."""
        node = t._node
        self._tensors.append(t)
        self._nodes.append((node, t.requires_grad, t.is_leaf))
        self._names.append(path)
        if node is not None and node.hooks:
            self._hooked.append((t, dict(node.hooks), path))
        else:
            self._free.append(t)
        if t.is_leaf:
            self._leaves.append(t)
            self._absent.append(t._grad is None)

    def array(self, array: Any, path: str) -> None:
        """Adds the guard on the elements of an array of NumPy."""
        self._arrays.append((array, _content(array), path))

    def settle(self, bound: Iterable[Any]) -> None:
        """The tables are complete; the layouts of the Tensors in ``bound`` are looked at elsewhere."""
        known = {id(t) for t in bound}
        self._layouts = [
            (t, t._array, path)
            for t, path in zip(self._tensors, self._names, strict=True)
            if id(t) not in known
        ]
        self._now = [node for node, *_ in self._nodes]
        self._printed: Callable[[], bool] | None = None

    def hold(self) -> bool:
        """Whether all guards hold."""
        try:
            if self._printed is None:
                self._printed = self._print()
            return (
                (self._printed() or not self._other_of_printed())
                and [*map(len, self._sized)] == self._sizes
                and not any(self._empties)
                and not (self._spaces and self._other_space())
                and [*map(type, self._objects)] == self._classes
                and (
                    all(map(is_, chain.from_iterable(map(call, self._entries)), self._content))
                    or not self._other_entry()
                )
                and (
                    all(map(is_, chain.from_iterable(map(call, self._keyed)), self._keys))
                    or not self._other_key()
                )
                and not (
                    (self._hooked or self._layouts or self._arrays)
                    and (self._other_tensor() or self._other_array())
                )
            )
        except (LookupError, AttributeError, ValueError, TypeError, RuntimeError):
            return False  # what is asked about is gone

    def _print(self) -> Callable[[], bool]:
        """The rows, and most of the guards on Tensors, as one expression: Python computes it in half the time.

        Where it is False, the rows tell why, and are printed again if equal numbers have replaced others.
        """
        space: dict[str, Any] = {}

        def name(value: Any) -> str:
            space[f"v{len(space)}"] = value
            return f"v{len(space) - 1}"

        terms = []
        free = set(map(id, self._free))
        for t, node in zip(self._tensors, self._now, strict=True):
            one, record = name(t), name(node)
            hooks = f" and not {record}.hooks" if node is not None and id(t) in free else ""
            terms.append(f"{one}._node is {record}{hooks}")
        for t, absent in zip(self._leaves, self._absent, strict=True):
            terms.append(f"({name(t)}._grad is None) is {absent}")
        rows = self._entries_at
        for owner, get, key, value in zip(rows.owners, rows.calls, rows.arguments, rows.values, strict=True):
            written = repr(key) if type(key) is str else name(key)
            if type(owner) is not dict:  # another kind of dict may make entries
                terms.append(f"{name(get)}({written}, {name(MISSING)}) is {name(value)}")
            elif value is MISSING:
                terms.append(f"{written} not in {name(owner)}")
            else:
                terms.append(f"{name(owner)}[{written}] is {name(value)}")
        rows = self._attributes
        for read, owner, value in zip(rows.calls, rows.arguments, rows.values, strict=True):
            terms.append(f"{name(read)}({name(owner)}) is {name(value)}")
        for content, values in zip(self._plain, self._plain_values, strict=True):
            one = name(content)
            keys = [*content] if type(content) is dict else range(len(values))
            terms += [
                f"{one}[{k!r}] is {name(v)}" if type(k) in (str, int) else f"{one}[{name(k)}] is {name(v)}"
                for k, v in zip(keys, values, strict=True)
            ]
        text = "def hold():\n    return (" + "\n        and ".join(terms or ["True"]) + ")\n"
        exec(compile(text, "<guards>", "exec"), space)
        printed: Callable[[], bool] = space["hold"]
        return printed

    def _other_of_printed(self) -> str:
        """What fails of the printed guards; where nothing does, they are printed anew."""
        other = (
            self._entries_at.other()
            or self._attributes.other()
            or self._other_plain()
            or self._other_node()
            or self._other_hook()
            or self._other_gradient()
        )
        self._printed = None if not other else self._printed
        return other

    def changed(self) -> str:
        """The path of the first object of Python that is not as it was; empty if all are."""
        for value, cls, path in zip(self._objects, self._classes, self._object_paths, strict=True):
            if type(value) is not cls:
                return f"the class of {path}"
        for content, path in zip(self._empties, self._empty_paths, strict=True):
            if content:
                return path
        for content, size, path in zip(self._sized, self._sizes, self._tables, strict=True):
            if len(content) != size:
                return path
        return (
            self._other_space()
            or self._entries_at.other()
            or self._attributes.other()
            or self._other_plain()
            or self._other_entry()
            or self._other_key()
        )

    def broken(self) -> str:
        """What the first guard that does not hold is about; empty if all hold."""
        if self.hold():
            return ""
        return self.changed() or self._other_of_printed() or self._other_tensor()

    # Each of these returns what a failing guard is about, and takes over equal numbers that replace others.

    def _other_entry(self) -> str:
        for i, value in enumerate(chain.from_iterable(map(call, self._entries))):
            if i >= len(self._content) or not same(value, self._content[i]):
                return self._about[min(i, len(self._about) - 1)]
            self._content[i] = value
        return ""

    def _other_plain(self) -> str:
        for content, values, path in zip(self._plain, self._plain_values, self._plain_paths, strict=True):
            now = [*content.values()] if type(content) is dict else content
            if len(now) != len(values) or not all(map(same, now, values)):
                return path or "a list or dict"
            values[:] = now
        return ""

    def _other_hook(self) -> str:
        names = dict(zip(map(id, self._tensors), self._names, strict=True))
        nodes = ((t, t._node) for t in self._free)
        return next((f"the hooks of {names[id(t)]}" for t, n in nodes if n is not None and n.hooks), "")

    def _other_gradient(self) -> str:
        names = dict(zip(map(id, self._tensors), self._names, strict=True))
        leaves = zip(self._leaves, self._absent, strict=True)
        return next((f"{names[id(t)]}.grad" for t, absent in leaves if (t._grad is None) is not absent), "")

    def _other_node(self) -> str:
        for i, (t, (_, requires_grad, is_leaf)) in enumerate(zip(self._tensors, self._nodes, strict=True)):
            if t.requires_grad is not requires_grad or t.is_leaf is not is_leaf:
                return f"{self._names[i]}.requires_grad"
            if t._node is not self._now[i]:
                self._now[i] = t._node
        return ""

    def _other_key(self) -> str:
        for i, key in enumerate(chain.from_iterable(map(call, self._keyed))):
            before = self._keys[min(i, len(self._keys) - 1)]
            if not (same(key, before) or (key.__class__ is before.__class__ is tuple and key == before)):
                return self._key_paths[min(i, len(self._keys) - 1)]
        return ""

    def _other_space(self) -> str:
        return next((path for space, names, path in self._spaces if {*space} - _MADE_BY_PYTHON != names), "")

    def _other_array(self) -> str:
        return next((path for array, content, path in self._arrays if _content(array) != content), "")

    def _other_tensor(self) -> str:
        for t, hooks, path in self._hooked:
            if t._node is None or t._node.hooks != hooks:
                return f"the hooks of {path}"
        for i, (t, array, path) in enumerate(self._layouts):
            a = t._array
            if a is not array:
                if (a.shape, a.dtype, a.strides) != (array.shape, array.dtype, array.strides):
                    return path
                self._layouts[i] = t, a, path
        return ""


def _content(array: Any) -> Any:
    return array.dtype, array.shape, array.tobytes()


class _Rows:
    """Calls of functions of C with one argument each, and what they returned; ``rest`` are further arguments."""

    def __init__(self, *rest: Any) -> None:
        self.rest = rest
        self.calls: list[Callable[..., Any]] = []
        self.arguments: list[Any] = []
        self.values: list[Any] = []
        self.paths: list[str] = []
        self.owners: list[Any] = []

    def add(
        self, function: Callable[..., Any], argument: Any, value: Any, path: str, owner: Any = None
    ) -> None:
        self.calls.append(function)
        self.arguments.append(argument)
        self.values.append(value)
        self.paths.append(path)
        self.owners.append(owner)

    def other(self) -> str:
        """What the first row that fails is about; equal numbers that replace others are taken over."""
        for i, function in enumerate(self.calls):
            try:
                value = function(self.arguments[i], *self.rest)
            except (LookupError, AttributeError, ValueError):
                value = MISSING
            if not same(value, self.values[i]):
                return self.paths[i] or "an attribute"
            self.values[i] = value
        return ""

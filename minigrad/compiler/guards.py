"""Guards: what a recording has seen by name is still the same. Python computes them as one printed function."""

from __future__ import annotations

import abc
import functools
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import is_
from typing import Any, NamedTuple

import numpy as np

from minigrad.core.changes import lie_alike
from minigrad.core.op import Op
from minigrad.core.size import Size

Call = tuple[Any, ...]


class MISSING:
    """Stands for what is not there."""


# The path of what the function itself holds.
NAMELESS = "its attributes"
# The kinds of tables and their like, special ones first.
_BASES: tuple[Any, ...] = (OrderedDict, dict, list, deque, set, frozenset, tuple, type)
SIMPLE = (int, float, str, bytes, complex)
# Attributes of a class that Python adds where it is asked about the class.
_ADDED = {"__annotations__", "__annotate__", "__annotations_cache__", "__slotnames__", "__abstractmethods__"}
_GONE = (LookupError, AttributeError, ValueError, TypeError, RuntimeError)  # what is asked about is gone


def same(a: Any, b: Any) -> bool:
    """Whether a value is the object that it was, or equal text or numbers of the same type and sign, also in tuples."""
    if a is b:
        return True
    if type(a) is not type(b):  # a number of each call has the class of a float
        return False
    if a.__class__ in (tuple, Size):
        return _same_items(a, b)
    if a.__class__ not in SIMPLE:
        return False
    return bool(a == b and (a.__class__ not in (float, complex) or repr(a) == repr(b)))


def _same_items(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(map(same, a, b))


# The same, where identities count.
_IDENTICAL: dict[Any, Any] = {same: is_, _same_items: lambda a, b: len(a) == len(b) and all(map(is_, a, b))}


def same_record(a: Any, b: Any) -> bool:
    """Whether what has one record requires grad, and is a leaf, as what has the other does."""
    graphs = [n.op is None if n is not None and n.requires_grad else None for n in (a, b)]
    return graphs[0] is graphs[1]


def base_of(content: Any) -> Any:
    """The kind of a table, whose own methods run no code of the user."""
    kind = type(content)
    return kind if kind in _BASES else next(base for base in _BASES if isinstance(content, base))


def items_of(content: Any) -> Any:
    """What a table holds, in order: of a dict its keys with their values."""
    base = base_of(content)
    return dict(base.items(content)) if issubclass(base, dict) else [*base.__iter__(content)]


def rows_of(content: Any) -> dict[Any, Any]:
    """What a table holds by the keys, or places, under which it is there."""
    return items_of(content) if isinstance(content, dict) else dict(enumerate(items_of(content)))


def refilling(content: Any, items: Any) -> Iterator[Call]:
    """Calls that give a table these items, if it has others."""
    base, now, pairs = base_of(content), items_of(content), isinstance(items, dict)
    alike = len(now) == len(items) and all(map(is_, now, items))
    if not alike or (pairs and not all(map(is_, now.values(), items.values()))):
        yield (base.clear, content)
        if pairs:
            yield from ((base.__setitem__, content, *item) for item in items.items())
        else:
            yield (base.update if base is set else base.extend, content, items)


# ---------------------------------------------------------------- kinds of rows


def slot_of(slot: Any, owner: Any) -> Any:
    """What a slot or a variable of a closure holds."""
    try:
        return slot.__get__(owner)
    except (AttributeError, ValueError):
        return MISSING


def content_of(array: Any) -> Any:
    """All of a small array."""
    return array.dtype, array.strides, array.flags.writeable, array.shape, array.tobytes()


def names_of(cls: type) -> set[str]:
    """The names of the attributes of a class, but for those that are added where it is asked about them."""
    # An `autograd.Function` gets its op with the first call.
    return vars(cls).keys() - _ADDED - ({"_op"} if isinstance(vars(cls).get("_op"), Op) else set())


_READERS = {
    "is_": is_, "get": dict.get, "MISSING": MISSING,
    "slot_of": slot_of, "content_of": content_of, "names_of": names_of,
}  # fmt: skip


class Kind(NamedTuple):
    """What rows of a kind read: an expression in which ``{0}`` stands for the first argument, and that as a function.

    ``back`` takes the arguments and the value of before, and gives the calls that put it back.  None of them runs code
    of the user.  ``alike`` tells whether another value is as good.
    """

    expression: str
    read: Callable[..., Any]
    back: Callable[..., Iterable[Call]]
    alike: Callable[[Any, Any], bool]


def _kind(
    expression: str,
    back: Callable[..., Iterable[Call]] = lambda *_: (),
    alike: Callable[[Any, Any], bool] = same,
) -> Kind:
    read = eval(f"lambda *v: {expression.format('v[0]', 'v[1]')}", dict(_READERS))
    return Kind(expression, read, back, alike)


def _slot_back(slot: Any, owner: Any, before: Any) -> Iterable[Call]:
    return [(slot.__delete__, owner) if before is MISSING else (slot.__set__, owner, before)]


def _entry_back(_: Any, key: str, owner: Any, before: Any) -> Iterable[Call]:
    base = base_of(owner)
    put, drop = (type.__setattr__, type.__delattr__) if base is type else (base.__setitem__, base.__delitem__)
    return [(drop, owner, key) if before is MISSING else (put, owner, key, before)]


def _content_back(array: Any, before: Any, _: bool) -> Iterable[Call]:
    dtype, _, writeable, shape, content = before
    if array.shape != shape:
        # NumPy 2.5 deprecates setting and has this instead; `resize` takes no array with gaps.
        yield (getattr(array, "_set_shape", None) or functools.partial(setattr, array, "shape"), shape)
    if writeable:
        yield (array.setflags, True)
    if writeable or array.flags.writeable:  # else another array of this memory was written to
        yield (np.copyto, array, np.frombuffer(content, dtype).reshape(shape))
    yield (array.setflags, writeable)


def _names_back(cls: type, before: set[str], _: bool) -> Iterable[Call]:
    return [(type.__delattr__, cls, name) for name in names_of(cls) - before]


@functools.cache
def attribute(name: str) -> Kind:
    """An attribute that Python itself gives an object, such as its ``__code__``."""

    def back(owner: Any, before: Any) -> Iterable[Call]:
        # A class may have a `__setattr__` of its own.
        put = type.__setattr__ if isinstance(owner, type) else object.__setattr__
        return [(put, owner, name, before)] if name != "__mro__" else []

    return _kind(f"{{0}}.{name}", back)


TYPE = _kind("type({0})", attribute("__class__").back)
SLOT = _kind("slot_of({0}, {1})", _slot_back)
CONTENT = _kind("content_of({0}) == {1}", _content_back)
NAMES = _kind("names_of({0}) == {1}", _names_back)
EQUAL = _kind("{0}() == {1}")
_EMPTY, _SIZE, _ITEMS = _kind("not {0}"), _kind("len({0}) == {1}"), _kind("[*{0}]", alike=_same_items)
# Of a dict: an entry, that there is none, and either of a subclass.
_ENTRY = _kind("{0}[{1}]", _entry_back)
_ABSENT = _kind("{1} in {0}", lambda space, key, owner, _: _entry_back(space, key, owner, MISSING))
_GOT = _kind("get({0}, {1}, MISSING)", _entry_back)
# Of a Tensor.  The record of a view is old until it is asked for, where its base was changed.
_RECORD, _REQUIRES = _kind("{0}._node", alike=same_record), _kind("{0}.requires_grad")
_HOOKS, _NO_HOOKS = _kind("{0}._node.hooks == {1}"), _kind("not {0}._node.hooks")
_NO_GRAD, _LAYOUT = _kind("{0}._grad is None"), _kind("{0}._array", alike=lie_alike)
# Kinds that read nothing but True or False.
_TRUTHS = _EMPTY, _SIZE, _ABSENT, _NO_HOOKS, _NO_GRAD, CONTENT, NAMES, EQUAL
_KEYS: type = type({}.keys())
# Items of a table that are compared one by one, in 0.7 of the time of C code that walks them.
_FEW = 16


class _Row(NamedTuple):
    """A kind, its arguments, the name of the value that it has, and the table that it is about."""

    path: str
    kind: Kind
    arguments: tuple[Any, ...]
    value: str
    table: Any = None

    def about(self) -> Call:
        """What tells which row of other guards reads the same; views, and values of before, are made for each."""
        first, *more = (self.table,) if self.kind is _ITEMS else self.arguments
        made = types.MappingProxyType, set, tuple
        read = [] if type(first) is made[0] else [first]
        read += [a for a in more if type(a) not in made]
        return self.kind.expression, *(a if type(a) is str else id(a) for a in read)


class Names:
    """The objects that printed functions read, each by a name; ``space`` holds them."""

    def __init__(self, **known: Any) -> None:
        self.space: dict[str, Any] = known

    def name(self, value: Any) -> str:
        """The name of an object."""
        name = f"v{len(self.space)}"
        self.space[name] = value
        return name

    def key(self, value: Any) -> str:
        """A key or a place as it is, or the name of an object."""
        return repr(value) if type(value) in (str, int) else self.name(value)

    def function(self, arguments: str, result: str, lines: Sequence[str] = ()) -> Any:
        """A function that runs ``lines`` and returns ``result``."""
        body = "".join(f"    {line}\n" for line in (*lines, f"return {result}"))
        exec(f"def printed({arguments}):\n{body}", self.space)
        return self.space.pop("printed")  # which holds the names, so they must not hold it


class Guards:
    """A conjunction of guards. Nothing that one does changes anything or runs code of the user.

    They are rows, printed as one function.  Where it returns False, or an error says that what it asks about is gone,
    the rows tell why, or take over what is as good as what it has replaced.
    """

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._rows_of_tensors: list[_Row] = []
        self._keys: set[tuple[Any, ...]] = set()
        self._asked = False
        self._tensors: list[tuple[str, Any]] = []
        # Whether a Tensor has got another array since `Replay` looked.
        self.moved = False
        # Whether the code asks with ``is`` which text, number or tuple a value is.
        self.identities = False
        # An abstract class: no class may be registered with it.  Classes of the library: they get no more attributes.
        self.abstract, self.classes = "", list[type]()
        # What the printed function names: arguments and values.
        self._names = Names(**_READERS)
        self._space = self._names.space
        # Tables, by id, with what they held before the run; a recording drops it after that.
        self.kept: dict[int, tuple[Any, Any]] = {}

    def _row(self, path: str, kind: Kind, *arguments: Any, table: Any = None) -> _Row:
        return _Row(path or NAMELESS, kind, arguments, self._names.name(kind.read(*arguments)), table)

    def add(self, path: str, kind: Kind, *arguments: Any, table: Any = None) -> None:
        """Adds a row: what the kind reads of the arguments stays."""
        key = kind.expression, *map(id, arguments)  # rows keep the arguments alive
        if key not in self._keys:
            self._keys.add(key)
            self._rows.append(self._row(path, kind, *arguments, table=table))

    def entry(self, space: Any, key: str, path: str, owner: Any = None) -> None:
        """Adds a row: an entry of a dict or of the attributes of ``owner``, such as a class, or that there is none.

        A guard makes no entries, as a defaultdict would.
        """
        plain = type(space) in (dict, types.MappingProxyType)
        listed = type(space) is list
        kind = _ENTRY if listed or (plain and key in space) else _ABSENT if plain else _GOT
        self.add(path, kind, space, key, owner if isinstance(owner, type) else space, table=space)

    def table(self, content: Any, path: str, keys: bool = True, values: bool = True) -> None:
        """Adds a list or a dict whose content stays, or of a dict the keys in their order, or both, or the length."""
        base = base_of(content)
        views = (
            [base.values] * values + [base.keys] * keys if issubclass(base, dict) else [lambda x: x] * values
        )
        if not views or not 0 < len(content) <= _FEW:
            size = (_SIZE, content, len(content)) if len(content) else (_EMPTY, content)
            self.add(path, *size, table=content)
        for view in views if len(content) else ():
            self.add(path, _ITEMS, view(content), table=content)
        self.keep(content)

    def keep(self, content: Any) -> None:
        """Notes what a table holds before the run."""
        self.kept.setdefault(id(content), (content, items_of(content)))

    def keys_of(self, content: Any) -> Any:
        """The keys of a dict, without those that it has only since the run began."""
        before = self.kept.get(id(content), (None, content))[1]
        return content.keys() if before is content else content.keys() & before.keys()

    def tensor(self, t: Any, path: str) -> None:
        """Adds the guards on a Tensor: whether it requires grad, is a leaf, has hooks and a gradient."""
        rows, node = self._rows_of_tensors, t._node
        self._tensors.append((path, t))
        rows.append(self._row(f"{path}.requires_grad", _RECORD if t._view is None else _REQUIRES, t))
        if node is not None and node.requires_grad:
            hooks = (_HOOKS, t, dict(node.hooks)) if node.hooks else (_NO_HOOKS, t)
            rows.append(self._row(f"the hooks of {path}", *hooks))
        if t.is_leaf:
            rows.append(self._row(f"{path}.grad", _NO_GRAD, t))

    def settle(self, bound: Iterable[tuple[str, Any]]) -> None:
        """Adds the guards on the arrays of Tensors, of which others with the same layout are as good."""
        tensors = {id(t): (path, t) for path, t in (*bound, *self._tensors)}
        self._rows_of_tensors += [self._row(path, _LAYOUT, t) for path, t in tensors.values()]
        if self.abstract:  # the run itself may load modules, which register classes of theirs
            self.add(self.abstract, EQUAL, abc.get_cache_token, abc.get_cache_token())
        for cls in self.classes:
            self.add(cls.__name__, _SIZE, vars(cls), len(vars(cls)))

    def arrays(self) -> list[Any]:
        """The arrays of NumPy whose elements are guarded."""
        return [row.arguments[0] for row in self._rows if row.kind is CONTENT]

    def reads(self, places: Mapping[int, Collection[Any]]) -> str:
        """The path of the first row on one of these entries: keys by the ids of tables; empty if there is none."""
        for row in self._rows:
            keys = places.get(id(row.table), ())
            one = row.kind is _ENTRY and row.arguments[1] in keys
            if one or (keys and row.kind is _ITEMS and type(row.arguments[0]) is not _KEYS):
                return row.path
        return ""

    def forget(self, places: set[tuple[int, str]]) -> None:
        """Drops the rows on these entries: the id of a dict, and a key."""
        rows = self._rows
        self._rows = [
            r for r in rows if r.kind is not _ENTRY or (id(r.arguments[0]), r.arguments[1]) not in places
        ]

    def hold(self) -> bool:
        """Whether all guards hold: the first time as the rows tell, for to print them takes as long as 10 steps."""
        if not self._asked:
            self._asked = True
            return not self.broken()
        try:
            return self._printed() or not self.broken()
        except _GONE:
            return not self.broken()

    @functools.cached_property
    def _printed(self) -> Callable[[], bool]:
        terms, lines = list[str](), list[str]()
        for row in self._rows_of_tensors + self._rows:
            value = self._space[row.value]
            if row.kind is _ITEMS and len(value) <= _FEW:
                lines.append(
                    f"{', '.join(f'x{i}' for i in range(len(value)))}, = {self._names.name(row.arguments[0])}"
                )
                alike = [f"x{i} is {name}" for i, name in enumerate(self._spread(row))]
                lines.append(f"if not ({' and '.join(alike)}): return False")
            elif row.kind is _ITEMS:
                terms.append(f"all(map(is_, {self._names.name(row.arguments[0])}, {row.value}))")
            else:
                arguments = [*map(self._names.key, row.arguments[:2])]
                text = row.kind.expression.format(*arguments)
                alone = value is True and row.kind in _TRUTHS
                compared = f" is {value if value.__class__ is bool else row.value}"
                terms.append(f"({text}){'' if alone else compared}")
        return self._names.function("", " and ".join(terms), lines)

    def _spread(self, row: _Row) -> list[str]:
        """The names of the items of a table, which stand for what it holds now."""
        items = {f"{row.value}_{i}": v for i, v in enumerate(self._space[row.value])}
        self._space.update(items)
        return [*items]

    def shared_with(self, other: Guards, changed: Collection[int]) -> list[_Row]:
        """The rows that read what a row of ``other`` reads, but for how many entries there are, and which keys.

        Of tables that a call changes, by their ids, only those on single entries, of others than those.
        """
        read = {row.about() for row in other._rows}
        rows = [r for r in self._rows if r.kind is _ENTRY or id(r.table) not in changed]
        rows = [r for r in rows if r.kind is not _SIZE and type(r.arguments[0]) is not _KEYS]
        return [r for r in rows if r.about() in read]

    def changed(self, free: set[int], rows: list[_Row] | None = None) -> str:
        """The path of the first object of Python that is not as it was, but for some tables; empty if all are."""
        differing = self._differing(self._rows if rows is None else rows)
        return next((row.path for row, _ in differing if id(row.table) not in free), "")

    def broken(self) -> str:
        """What the first guard that does not hold is about; empty if all hold."""
        return next((row.path for row, _ in self._differing(self._rows + self._rows_of_tensors)), "")

    def undoing(self) -> Iterator[Call]:
        """Calls, as tuples, that put back what is not as it was; none of them runs code of the user."""
        for row, before in self._differing(self._rows):
            yield from row.kind.back(*row.arguments, before)
        for content, items in self.kept.values():
            yield from refilling(content, items)

    def _differing(self, rows: list[_Row]) -> Iterator[tuple[_Row, Any]]:
        """Rows that fail, and values of before; a value is taken over that is as good as what it has replaced."""
        for row in rows:
            before = self._space[row.value]
            try:
                value = row.kind.read(*row.arguments)
            except _GONE:
                value = MISSING
            if value is before:
                continue
            alike = _IDENTICAL.get(row.kind.alike, row.kind.alike) if self.identities else row.kind.alike
            if value is MISSING or not alike(value, before):
                yield row, before
            elif row.kind is _ITEMS:
                before[:] = value
                self._spread(row)
            else:
                self._space[row.value] = value
                self.moved |= row.kind is _LAYOUT

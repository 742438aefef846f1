"""Guards: what a recording has seen by name is still the same. Python computes them as one printed expression."""

from __future__ import annotations

import functools
import re
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import call, is_
from typing import Any, NamedTuple


class MISSING:
    """Stands for what is not there."""


# The path of what the function itself holds.
NAMELESS = "its attributes"
# The kinds of tables, special ones first.
_BASES: tuple[Any, ...] = (OrderedDict, dict, list, deque, set, frozenset, tuple)
SIMPLE = (int, float, str, bytes, complex)
_GONE = (LookupError, AttributeError, ValueError, TypeError, RuntimeError)  # what is asked about is gone


def same(a: Any, b: Any) -> bool:
    """Whether a value is the object that it was, or equal text or numbers of the same type and sign, also in tuples."""
    if a is b:
        return True
    if a.__class__ is not b.__class__:
        return False
    if a.__class__ is tuple:
        return _same_items(a, b)
    if a.__class__ not in SIMPLE:
        return False
    return bool((a == b and (a != 0 or repr(a) == repr(b))) or (a != a and b != b))


def base_of(content: Any) -> Any:
    """The kind of a table, whose own methods run no code of the user."""
    return next(base for base in _BASES if isinstance(content, base))


def _same_items(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(map(same, a, b))


def same_record(a: Any, b: Any) -> bool:
    """Whether what has one record requires grad, and is a leaf, as what has the other does."""
    graphs = [n.op is None if n is not None and n.requires_grad else None for n in (a, b)]
    return graphs[0] is graphs[1]


def _same_layout(a: Any, b: Any) -> bool:
    return (a.shape, a.dtype, a.strides) == (b.shape, b.dtype, b.strides)


_SIZE, _ITEMS = "len({0})", "[*{0}()]"
# Expressions that C code computes for many rows at once, and those that are conditions.
_MAPPED = {_SIZE: "len", "type({0})": "type"}
_CONDITION = re.compile(r" is | in | == |^not ")
# Expressions whose value may be another object: which ones are as good.
_ALIKE = {"{0}._node": same_record, "{0}._array": _same_layout, _ITEMS: _same_items}


class _Row(NamedTuple):
    """An expression, its arguments, and the name of the value that it has."""

    path: str
    expression: str
    arguments: tuple[Any, ...]
    value: str


@functools.cache
def _function(expression: str) -> Callable[..., Any]:
    """An expression as a function of its arguments."""
    function: Callable[..., Any] = eval("lambda *v: " + expression.format("v[0]", "v[1]", "v[2]"))
    return function


class Guards:
    """A conjunction of guards. Nothing that one does changes anything or runs code of the user.

    They are rows, printed as one expression, in which C code walks lists and dicts whose whole content stays.  Where it
    is False, the rows tell why, or take over what is as good as what it has replaced.
    """

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._rows_of_tensors: list[_Row] = []
        self._keys: set[tuple[Any, ...]] = set()
        self._tensors: list[tuple[str, Any]] = []
        # What lists and dicts hold: one list for each row, and all in one.
        self._lists: list[list[Any]] = []
        self._content: list[Any] = []
        # What the printed expression names: arguments and values.
        self._space: dict[str, Any] = {"is_": is_, "call": call, "chain": chain.from_iterable}
        self._space["content"] = self._content
        self._printed: Callable[[], bool] | None = None
        # By the id of a view of a class's attributes, the class.
        self.classes: dict[int, type] = {}

    def _name(self, value: Any) -> str:
        name = f"v{len(self._space)}"
        self._space[name] = value
        return name

    def _row(self, path: str, expression: str, *arguments: Any) -> _Row:
        return _Row(path or NAMELESS, expression, arguments, self._name(_function(expression)(*arguments)))

    def add(self, path: str, expression: str, *arguments: Any) -> None:
        """Adds a row: the value of an expression, in which ``{0}`` stands for the first argument, stays."""
        key = expression, *map(id, arguments)  # rows keep the arguments alive
        if key not in self._keys:
            self._keys.add(key)
            self._rows.append(self._row(path, expression, *arguments))

    def entry(self, space: Any, key: str, path: str) -> None:
        """Adds a row: an entry of a dict, or that it has none; a guard makes no entries, as a defaultdict would."""
        if type(space) not in (dict, types.MappingProxyType):
            self.add(path, "{0}({1}, {2})", dict.get.__get__(space), key, MISSING)
        else:
            self.add(path, "{0}[{1}]" if key in space else "{1} in {0}", space, key)

    def table(self, content: Any, path: str, keys: bool = True, values: bool = True) -> None:
        """Adds a list or a dict whose content stays, or of a dict the keys in their order, or both, or the length."""
        base = base_of(content)
        ways = [base.values] * values + [base.__iter__] * keys if issubclass(base, dict) else [base.__iter__]
        self.add(path, _SIZE, content)
        for way in ways if len(content) else ():
            self.add(path, _ITEMS, way.__get__(content))

    def tensor(self, t: Any, path: str) -> None:
        """Adds the guards on a Tensor: whether it requires grad, is a leaf, has hooks and a gradient."""
        rows, node = self._rows_of_tensors, t._node
        self._tensors.append((path, t))
        # The record of a view is old until it is asked for, where its base was changed.
        graph = "{0}._node" if t._view is None else "{0}.requires_grad"
        rows.append(self._row(f"{path}.requires_grad", graph, t))
        if node is not None and node.requires_grad:
            hooks = (
                ("{0}._node.hooks == {1}", t, dict(node.hooks)) if node.hooks else ("not {0}._node.hooks", t)
            )
            rows.append(self._row(f"the hooks of {path}", *hooks))
        if t.is_leaf:
            rows.append(self._row(f"{path}.grad", "{0}._grad is None", t))

    def settle(self, bound: Iterable[Any]) -> None:
        """Adds the guards on the layouts of Tensors; those of the ones in ``bound`` are looked at elsewhere."""
        known = {id(t) for t in bound}
        rows = [self._row(path, "{0}._array", t) for path, t in self._tensors if id(t) not in known]
        self._rows_of_tensors += rows

    def hold(self) -> bool:
        """Whether all guards hold."""
        if self._printed is None:
            self._printed = self._print()
        try:
            return self._printed() or not self.broken()
        except _GONE:
            return not self.broken()

    def _print(self) -> Callable[[], bool]:
        terms: list[str] = []
        columns: dict[str, tuple[list[Any], list[Any]]] = {e: ([], []) for e in (*_MAPPED, _ITEMS)}
        for row in self._rows_of_tensors + self._rows:
            value = self._space[row.value]
            if row.expression in columns:
                columns[row.expression][0].append(row.arguments[0])
                columns[row.expression][1].append(value)
            elif _CONDITION.search(row.expression):
                terms.append(f"({self._text(row)})" if value else f"not ({self._text(row)})")
            else:
                terms.append(f"{self._text(row)} is {row.value}")
        names = {e: (self._name(arguments), self._name(values)) for e, (arguments, values) in columns.items()}
        terms += ["[*map({}, {})] == {}".format(f, *names[e]) for e, f in _MAPPED.items()]
        self._lists = columns[_ITEMS][1]
        self._content[:] = chain.from_iterable(self._lists)
        terms.append(f"all(map(is_, chain(map(call, {names[_ITEMS][0]})), content))")
        text = "def hold():\n    return (" + "\n        and ".join(terms) + ")\n"
        exec(compile(text, "<guards>", "exec"), self._space)
        printed: Callable[[], bool] = self._space["hold"]
        return printed

    def _text(self, row: _Row) -> str:
        """The text of an expression: names of its arguments, and keys as they are."""
        return row.expression.format(*[repr(a) if type(a) is str else self._name(a) for a in row.arguments])

    def changed(self) -> str:
        """The path of the first object of Python that is not as it was; empty if all are."""
        return self._other(self._rows)

    def changes(self) -> Iterator[tuple[str, tuple[Any, ...], Any]]:
        """The rows about objects of Python that are not as they were: expressions, arguments, and values before."""
        for _, expression, arguments, name in self._rows:
            before = self._space[name]
            try:
                value = _function(expression)(*arguments)
            except _GONE:
                value = MISSING
            if value is not before and not _ALIKE.get(expression, same)(value, before):
                yield expression, arguments, before

    def broken(self) -> str:
        """What the first guard that does not hold is about; empty if all hold."""
        return self._other(self._rows + self._rows_of_tensors)

    def _other(self, rows: list[_Row]) -> str:
        """What the first row that fails is about; values are taken over that are as good as what they have replaced."""
        for path, expression, arguments, name in rows:
            try:
                value = _function(expression)(*arguments)
            except _GONE:
                return path
            before = self._space[name]
            if value is before:
                continue
            if not _ALIKE.get(expression, same)(value, before):
                return path
            if expression == _ITEMS:
                before[:] = value
                self._content[:] = chain.from_iterable(self._lists)
            else:
                self._space[name] = value
        return ""

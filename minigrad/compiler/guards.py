"""Guards: what a recording has seen by name is still the same. Python computes them as one printed expression."""

from __future__ import annotations

import functools
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import chain
from operator import call, is_
from typing import Any, NamedTuple


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
_GONE = (LookupError, AttributeError, ValueError, TypeError, RuntimeError)  # what is asked about is gone


def same(a: Any, b: Any) -> bool:
    """Whether a value is the object that it was, or equal text or numbers of the same type and sign, also in tuples."""
    if a is b:
        return True
    if a.__class__ is not b.__class__:
        return False
    if a.__class__ is tuple:
        return len(a) == len(b) and all(map(same, a, b))
    if a.__class__ not in SIMPLE:
        return False
    return bool((a == b and (a != 0 or repr(a) == repr(b))) or (a != a and b != b))


def _same_record(a: Any, b: Any) -> bool:
    return _graph_of(a) == _graph_of(b)


def _graph_of(node: Any) -> tuple[bool, bool]:
    """Whether what has this record requires grad, and whether it is a leaf."""
    return (True, node.op is None) if node is not None and node.requires_grad else (False, True)


def _same_layout(a: Any, b: Any) -> bool:
    return (a.shape, a.dtype, a.strides) == (b.shape, b.dtype, b.strides)


def _content(array: Any) -> Any:
    return array.dtype, array.shape, array.tobytes()


def _names(space: Any) -> set[str]:
    return {*space} - _MADE_BY_PYTHON


# Expressions whose value may be another object: which ones are as good.
_ALIKE: dict[str, Callable[[Any, Any], bool]] = {"{0}._node": _same_record, "{0}._array": _same_layout}


class _Row(NamedTuple):
    """A guard: an expression of its arguments, and the name of the value that it has."""

    expression: str
    arguments: tuple[Any, ...]
    value: str
    path: str


@functools.cache
def _function(expression: str) -> Callable[..., Any]:
    """An expression as a function of its arguments."""
    function: Callable[..., Any] = eval("lambda *v: " + expression.format("v[0]", "v[1]", "v[2]"))
    return function


class Guards:
    """A conjunction of guards. Nothing that one does changes anything or runs code of the user.

    They are rows, printed as one expression; and tables, lists and dicts whose whole content stays, which C code walks.
    Where the expression is False, the rows tell why, or take over what is as good as what it has replaced.
    """

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._rows_of_tensors: list[_Row] = []
        # What the printed expression names: arguments and values.
        self._space: dict[str, Any] = {
            "all": all,
            "map": map,
            "is_": is_,
            "len": len,
            "call": call,
            "chain": chain,
        }
        # Lists and dicts with their lengths; iterators over what they hold, and that, each with its path.
        self._sized: list[Any] = []
        self._sizes: list[int] = []
        self._paths: list[str] = []
        self._iterators: list[Callable[[], Iterable[Any]]] = []
        self._content: list[Any] = []
        self._about: list[str] = []
        self._space |= {n: getattr(self, f"_{n}") for n in ("sized", "sizes", "iterators", "content")}
        self._tensors: list[tuple[Any, str]] = []
        self._printed: Callable[[], bool] | None = None

    def _name(self, value: Any) -> str:
        name = f"v{len(self._space)}"
        self._space[name] = value
        return name

    def _add(self, expression: str, arguments: tuple[Any, ...], value: Any, path: str) -> None:
        self._rows.append(_Row(expression, arguments, self._name(value), path or NAMELESS))

    def entry(self, space: Any, key: Any, value: Any, path: str) -> None:
        """Adds a row: an entry of a dict, or MISSING; a guard makes no entries, as a defaultdict would."""
        if type(space) not in (dict, types.MappingProxyType):
            self._add("{0}({1}, {2})", (dict.get.__get__(space), key, MISSING), value, path)
        elif value is MISSING:
            self._add("{0} in {1}", (key, space), False, path)
        else:
            self._add("{0}[{1}]", (space, key), value, path)

    def attribute(self, owner: Any, name: str, value: Any, path: str) -> None:
        """Adds a row: an attribute that Python itself gives an object, such as its ``__code__``."""
        self._add(f"{{0}}.{name}", (owner,), value, path)

    def call(self, read: Callable[[Any], Any], owner: Any, value: Any, path: str) -> None:
        """Adds a row: what a function returns of an object."""
        self._add("{0}({1})", (read, owner), value, path)

    def instance(self, value: Any, path: str) -> None:
        """Adds the guard on the class of an object."""
        self._add("type({0})", (value,), type(value), f"the class of {path}" if path else NAMELESS)

    def names(self, cls: type) -> None:
        """Adds the guard that a class has the attributes that it has."""
        self._add("{0}({1}) == {2}", (_names, vars(cls), _names(vars(cls))), True, cls.__name__)

    def array(self, array: Any, path: str) -> None:
        """Adds the guard on the elements of an array of NumPy."""
        self._add("{0}({1}) == {2}", (_content, array, _content(array)), True, path)

    def table(self, content: Any, path: str, keys: bool, values: bool = True) -> None:
        """Adds a list or a dict whose content stays, or of a dict the keys in their order, or both."""
        base = next(b for b in _BASES if isinstance(content, b))
        self.size(content, path)
        ways = [base.values] * values + [base.__iter__] * keys if issubclass(base, dict) else [base.__iter__]
        for way in ways if len(content) else ():
            self._iterators.append(way.__get__(content))
            self._content += way(content)
            self._about += [path or NAMELESS] * (len(self._content) - len(self._about))

    def size(self, content: Any, path: str) -> None:
        """Adds the guard on the length alone."""
        self._sized.append(content)
        self._sizes.append(len(content))
        self._paths.append(path or NAMELESS)

    def tensor(self, t: Any, path: str) -> None:
        """Adds the guards on a Tensor: whether it requires grad, is a leaf, has hooks and a gradient."""
        rows, node = self._rows_of_tensors, t._node
        self._tensors.append((t, path))
        rows.append(_Row("{0}._node", (t,), self._name(node), f"{path}.requires_grad"))
        if node is not None:
            hooks = dict(node.hooks or {})
            text = "{0}._node.hooks == {1}" if hooks else "bool({0}._node.hooks)"
            rows.append(_Row(text, (t, hooks), self._name(bool(hooks)), f"the hooks of {path}"))
        if t.is_leaf:
            rows.append(_Row("{0}._grad is None", (t,), self._name(t._grad is None), f"{path}.grad"))

    def settle(self, bound: Iterable[Any]) -> None:
        """Adds the guards on the layouts of Tensors; those of the ones in ``bound`` are looked at elsewhere."""
        known = {id(t) for t in bound}
        for t, path in self._tensors:
            if id(t) not in known:
                self._rows_of_tensors.append(_Row("{0}._array", (t,), self._name(t._array), path))

    def hold(self) -> bool:
        """Whether all guards hold."""
        if self._printed is None:
            self._printed = self._print()
        try:
            if self._printed():
                return True
        except _GONE:
            return False
        return not self.broken()

    def _print(self) -> Callable[[], bool]:
        terms = [f"({self._text(row)}) is {row.value}" for row in (*self._rows_of_tensors, *self._rows)]
        terms.append("[*map(len, sized)] == sizes")
        terms.append("all(map(is_, chain.from_iterable(map(call, iterators)), content))")
        text = "def hold():\n    return (" + "\n        and ".join(terms) + ")\n"
        exec(compile(text, "<guards>", "exec"), self._space)
        printed: Callable[[], bool] = self._space["hold"]
        return printed

    def _text(self, row: _Row) -> str:
        """The text of an expression: names of its arguments, and keys as they are."""
        return row.expression.format(*[repr(a) if type(a) is str else self._name(a) for a in row.arguments])

    def changed(self) -> str:
        """The path of the first object of Python that is not as it was; empty if all are."""
        return self._other(self._rows) or self._other_content()

    def broken(self) -> str:
        """What the first guard that does not hold is about; empty if all hold."""
        return self.changed() or self._other(self._rows_of_tensors)

    # Each of these returns what a failing guard is about, and takes over equal numbers that replace others.

    def _other(self, rows: list[_Row]) -> str:
        for expression, arguments, name, path in rows:
            try:
                value = _function(expression)(*arguments)
            except _GONE:
                value = MISSING
            before = self._space[name]
            if value is not before:
                if value is MISSING or not _ALIKE.get(expression, same)(value, before):
                    return path
                self._space[name] = value
        return ""

    def _other_content(self) -> str:
        for content, size, path in zip(self._sized, self._sizes, self._paths, strict=True):
            if len(content) != size:
                return path
        now = chain.from_iterable(map(call, self._iterators))
        for i, (value, before) in enumerate(zip(now, self._content, strict=False)):
            if not same(value, before):
                return self._about[i]
            self._content[i] = value
        return ""

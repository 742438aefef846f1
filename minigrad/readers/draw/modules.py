"""Which module an operation ran in, found afterwards, so that recording pays nothing for it.

An operation that reads a parameter ran in the module that owns it.  What stands between two such operations
is placed by its line: in the module whose ``forward`` holds the line, or with the neighbour that was called
from the same place of the program, or else in the innermost module that both neighbours have in common.

A module without parameters is found where the program leaves no doubt: by the lines of its own ``forward``, or,
if it is the library's, where a ``forward`` says ``self.name(...)``.  Between the layers of a ``Sequential`` nothing
tells which of them made an operation, so there it stands in the frame of the whole.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Sequence
from itertools import islice
from types import CodeType
from typing import Any

from minigrad.core.contents import contents, walk
from minigrad.core.node import Const, Node
from minigrad.core.tensor import Tensor

Path = tuple[str, ...]


class Names:
    """Names of leaves and results, and the tree of modules if ``params`` is one."""

    def __init__(self, params: Any) -> None:
        self.of: dict[int, str] = {}  # by the identity of a record, or of a Tensor that has none
        self.tensors: dict[int, Any] = {}  # the named Tensors, by the same key
        self.classes: dict[Path, str] = {}
        self.owners: dict[int, list[Path]] = {}
        self.codes: dict[Any, set[Path]] = {}  # code of a user's module class: where such modules are
        self.library: set[Path] = set()
        self.calls: dict[
            tuple[Any, int], Path | None
        ] = {}  # a place of the program: what it calls of ``self``
        if params is None:
            return
        if contents(params) is not None:
            self._read(params)
        elif hasattr(params, "items"):
            for name, t in params.items():
                self._name(str(name), t)
        else:
            raise TypeError(
                "params must be a Module or a dict of names to Tensors, got " + type(params).__name__
            )

    def _name(self, name: str, t: Tensor) -> int:
        if not hasattr(t, "_array"):
            raise TypeError(f"params[{name!r}] must be a Tensor, got {type(t).__name__}")
        key = id(t if t._node is None else t._node)
        self.of.setdefault(key, name)
        self.tensors.setdefault(key, t)
        return key

    def _read(self, model: Any) -> None:
        for dotted, module, held in walk(model, shared=True):
            path: Path = tuple(dotted.split(".")) if dotted else ()
            cls = type(module)
            self.classes[path] = cls.__name__
            for name, t in [*held.parameters.items(), *held.buffers.items()]:
                if t is not None:
                    self.owners.setdefault(self._name(".".join((*path, name)), t), []).append(path)
            if _ours(cls):
                self.library.add(path)
                continue
            for base in cls.__mro__:
                if not _ours(base):
                    for function in vars(base).values():
                        code = getattr(function, "__code__", None)
                        if isinstance(code, CodeType):
                            self.codes.setdefault(code, set()).add(path)

    def with_parameters(self) -> set[Path]:
        """Where modules have parameters or buffers, or have modules in them that do."""
        return {path[:n] for paths in self.owners.values() for path in paths for n in range(len(path) + 1)}

    def called(self, code: Any, lasti: int) -> Path | None:
        """``("act",)`` where the instruction belongs to ``self.act(...)``, else None."""
        key = (code, lasti)
        if key not in self.calls:
            self.calls[key] = _called(code, lasti)
        return self.calls[key]


def _called(code: Any, lasti: int) -> Path | None:
    first, last, begin, end = next(islice(code.co_positions(), lasti // 2, None), (None,) * 4)
    if first is None or last is None or begin is None or end is None or not code.co_varnames:
        return None
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    try:
        at: Any = ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body
    except (SyntaxError, ValueError):  # the file is not what was run
        return None
    names: list[str] = []
    at = at.func if isinstance(at, ast.Call) else None
    while isinstance(at, ast.Attribute):
        names.append(at.attr)
        at = at.value
    own = isinstance(at, ast.Name) and at.id == code.co_varnames[0]
    return tuple(reversed(names)) if own and names else None


def owners(ops: Sequence[Node], names: Names) -> list[Path]:
    """For each operation, in recording order, the path of its module; () for the outermost one."""
    found: list[Path | None] = [None] * len(ops)
    if not names.owners and not names.codes:
        return [() for _ in ops]
    full = names.with_parameters()
    uses: dict[int, int] = {}
    parameters: list[frozenset[int]] = [frozenset()] * len(ops)
    made: dict[int, list[Path]] = {}  # what was computed from parameters alone (a transpose) counts as one
    for i, node in enumerate(ops):
        keys = [id(n) for n in node.inputs if id(n) in names.owners or id(n) in made]
        if not keys:
            continue
        parameters[i] = frozenset(keys)
        paths = []
        for key in keys:
            several = (
                names.owners.get(key) or made[key]
            )  # a shared parameter: its n-th use is by its n-th owner
            paths.append(several[uses.get(key, 0) % len(several)])
        for key in set(keys):
            uses[key] = uses.get(key, 0) + 1
        path = found[i] = common(paths)
        if all(n.__class__ is Const or id(n) in keys for n in node.inputs):
            made[id(node)] = [path]
    anchors = [i for i, path in enumerate(found) if path is not None]
    after = iter([*anchors, None])
    following, before = next(after), None
    last: dict[Any, tuple[int, Path]] = {}  # per code of a module class: the latest operation of its lines
    for i, node in enumerate(ops):
        given = found[i]
        if given is not None:
            path = given
            before, following = i, next(after)
        else:
            path = found[i] = _between(i, before, following, ops, found, parameters, names, full, last)
        if node.code in names.codes:
            module = _innermost(path, names.codes[node.code])
            if module is not None:
                last[node.code] = (node.lasti, module)
            if path == module and given is None:
                inner = (*path, *(names.called(node.code, node.lasti) or ()))
                if inner in names.library and inner not in full:
                    found[i] = inner
    return [path or () for path in found]


def _between(
    i: int,
    before: int | None,
    after: int | None,
    ops: Sequence[Node],
    found: list[Path | None],
    parameters: list[frozenset[int]],
    names: Names,
    full: set[Path],
    last: dict[Any, tuple[int, Path]],
) -> Path:
    node = ops[i]
    left = None if before is None else found[before]
    right = None if after is None else found[after]
    same_left = before is not None and _place(ops[before]) == _place(node)
    same_right = after is not None and _place(ops[after]) == _place(node)
    modules = names.codes.get(node.code)
    if left is not None and right is not None and before is not None and after is not None:
        both = common((left, right))
        if same_left and same_right:
            again = left == right and bool(parameters[before] & parameters[after])
            return _outermost_library(left, names) if again else both
    else:
        both = ()
    if same_left and left is not None:
        return _outermost_library(left, names)
    if same_right and right is not None:
        return _outermost_library(right, names)
    if modules:
        here = None if left is None else _innermost(left, modules)
        there = None if right is None else _innermost(right, modules)
        if here is None or there is None or here == there:
            chosen = here if there is None else there
        else:
            at, module = last.get(node.code, (-1, there))
            chosen = here if module == here and node.lasti > at else there
        if chosen is not None:
            return chosen
        sides = (left or (), right or ())
        empty = [p for p in modules if p not in full and any(p[:-1] == side[: len(p) - 1] for side in sides)]
        deepest = max(map(len, empty), default=0)
        if sum(len(p) == deepest for p in empty) == 1:  # the only one there
            return max(empty, key=len)
    if both in names.library and both == left and both == right:
        return both[:-1]  # between two calls of one module, not inside it
    return both


def _ours(cls: type) -> bool:
    return str(cls.__module__).partition(".")[0] == "minigrad"


def _place(node: Node) -> tuple[CodeType | None, int]:
    return node.code, node.lasti


def _innermost(path: Path, among: Iterable[Path]) -> Path | None:
    """The longest beginning of ``path`` that is among the given ones."""
    for n in range(len(path), -1, -1):
        if path[:n] in among:
            return path[:n]
    return None


def _outermost_library(path: Path, names: Names) -> Path:
    """The module of the library that the user's line called to get to ``path``."""
    while path and path in names.library and path[:-1] in names.library:
        path = path[:-1]
    return path


def common(paths: Sequence[Path]) -> Path:
    """The longest common beginning."""
    if not paths:
        return ()
    low, high = min(paths), max(paths)
    for n, part in enumerate(low):
        if n >= len(high) or high[n] != part:
            return low[:n]
    return low

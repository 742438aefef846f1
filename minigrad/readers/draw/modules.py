"""Which module an operation ran in: worked out from the tape, so that recording pays nothing for it.

An operation that reads a parameter ran in the module that owns it.  An operation between two such is placed by
its line: in the module whose ``forward`` holds the line, or with the neighbour that was called from the same
place of the program, or else in the innermost module that both neighbours have in common.

A module without parameters is recognised where the program leaves no doubt: by the lines of its own ``forward``,
or, if it is the library's, where a ``forward`` says ``self.name(...)``.  Between the layers of a ``Sequential``
nothing tells which of them an operation belongs to, so it stands in the frame of the whole.
"""

from __future__ import annotations

import ast
import linecache
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import CodeType, FrameType
from typing import Any

from minigrad.core.contents import contents, walk
from minigrad.core.node import Const, Node
from minigrad.core.tensor import Tensor
from minigrad.errors import type_error
from minigrad.readers import places

Path = tuple[str, ...]


class Names:
    """Names of leaves and results, and the tree of modules if ``params`` is one."""

    def __init__(self, params: Any) -> None:
        # A key is the identity of a record, or of a Tensor that has none.
        self.of: dict[int, str] = {}
        # What leaves without a name are called, in a box of their own.
        self.inputs: dict[Node, str] = {}
        self.tensors: dict[int, Any] = {}
        # These, and what variables of the program hold.
        self.held: list[Tensor] = []
        self.owners: dict[int, list[Path]] = {}
        self.classes: dict[Path, str] = {}
        self.library: set[Path] = set()
        # The code of a method of a user's class, and where modules of that class stand.
        self.codes: dict[Any, set[Path]] = {}
        # An instruction, and the module of ``self`` that it calls.
        self.calls: dict[tuple[Any, int], Path | None] = {}
        if params is None:
            return
        if contents(params) is not None:
            self._read(params)
        elif hasattr(params, "items"):
            for name, t in params.items():
                self._name(str(name), t)
        else:
            raise type_error(
                f"params must be a Module or a dict of names to Tensors, got {type(params).__name__}"
            )

    def add_variables(self, frame: FrameType | None, records: Sequence[Node]) -> None:
        """The names that variables of the program have for records without one; other leaves are numbered."""
        found = places.variables(frame, records=records)
        self.held = [*self.tensors.values(), *(t for _, t in found.values())]
        taken = set(self.of.values())
        for n in records:
            if n in found and id(n) not in self.of and found[n][0] not in taken:
                self.of[id(n)] = found[n][0]
        self.inputs = places.numbered(records, self.named(records))

    def named(self, records: Iterable[Node]) -> dict[Node, str]:
        """The names of those records that have one."""
        return {n: self.of[id(n)] for n in records if id(n) in self.of}

    def _name(self, name: str, t: Tensor) -> int:
        if not isinstance(t, Tensor):
            raise type_error(f"params[{name!r}] must be a Tensor, got {type(t).__name__}")
        t = dense(t)
        key = id(t if t._node is None else t._node)
        self.of.setdefault(key, name)
        if places.has_values(t):
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
    if not names.owners and not names.codes:
        return [() for _ in ops]
    full = names.with_parameters()
    search = _Search(ops, names, full, *_anchors(ops, names))
    following = iter([*(i for i, path in enumerate(search.paths) if path is not None), None])
    before, after = None, next(following)
    for i, node in enumerate(ops):
        anchor = search.paths[i]
        if anchor is not None:
            path, before, after = anchor, i, next(following)
            search.read |= search.parameters[i]
        else:
            path = search.paths[i] = _between(search, i, before, after)
        if node.code in names.codes:
            module = _innermost(path, names.codes[node.code])
            if module is not None:
                search.last[node.code] = (node.lasti, module)
            if path == module and anchor is None:
                inner = (*path, *(names.called(node.code, node.lasti) or ()))
                if inner in names.library and inner not in full:
                    search.paths[i] = inner
    return [path or () for path in search.paths]


@dataclass(slots=True)
class _Search:
    ops: Sequence[Node]
    names: Names
    full: set[Path]  # modules that have parameters
    paths: list[Path | None]
    parameters: list[frozenset[int]]  # the keys of those that an operation reads
    read: set[int] = field(default_factory=set)  # the keys of parameters that were read so far
    # For a module's code, the latest operation.
    last: dict[Any, tuple[int, Path]] = field(default_factory=dict)


def _anchors(ops: Sequence[Node], names: Names) -> tuple[list[Path | None], list[frozenset[int]]]:
    """The modules of the operations that read parameters, and which they read.

    What is computed from parameters alone, such as a transpose, counts as a parameter.
    """
    paths: list[Path | None] = [None] * len(ops)
    parameters: list[frozenset[int]] = [frozenset()] * len(ops)
    uses: Counter[int] = Counter()
    known = dict(names.owners)
    for i, node in enumerate(ops):
        keys = [id(n) for n in node.inputs if id(n) in known]
        if not keys:
            continue
        parameters[i] = frozenset(keys)
        # The n-th use of a shared parameter is by its n-th owner.
        path = paths[i] = common([known[key][uses[key] % len(known[key])] for key in keys])
        uses.update(parameters[i])
        if all(n.__class__ is Const or id(n) in keys for n in node.inputs):
            known.setdefault(id(node), [path])
    return paths, parameters


def _between(search: _Search, i: int, before: int | None, after: int | None) -> Path:
    """The module of an operation between the two nearest that read parameters."""
    ops, names = search.ops, search.names
    left = None if before is None else search.paths[before]
    right = None if after is None else search.paths[after]
    same_left = before is not None and _place(ops[before]) == _place(ops[i])
    same_right = after is not None and _place(ops[after]) == _place(ops[i])
    both: Path = ()
    if left is not None and right is not None and before is not None and after is not None:
        both = common((left, right))
        if same_left and same_right:
            again = left == right and bool(search.parameters[before] & search.parameters[after])
            return _outermost_library(left, names) if again else both
    if same_left and left is not None:
        return _outermost_library(left, names)
    if same_right and right is not None:
        return _outermost_library(right, names)
    module = _by_line(search, ops[i], left, right)
    if module is not None:
        return module
    # Between two calls of one module, of which the second reads what the first has read, it is not inside it.
    second = after is not None and not search.read.isdisjoint(search.parameters[after])
    return both[:-1] if both in names.library and (second or both == left == right) else both


def _by_line(search: _Search, node: Node, left: Path | None, right: Path | None) -> Path | None:
    """The module of whose class an operation's line is, if there is no doubt which."""
    modules = search.names.codes.get(node.code)
    if not modules:
        return None
    here = None if left is None else _innermost(left, modules)
    there = None if right is None else _innermost(right, modules)
    if here is not None and there is not None and here != there:
        at, module = search.last.get(node.code, (-1, there))
        return here if module == here and node.lasti > at else there
    if here is not None or there is not None:
        return here if there is None else there
    sides = (left or (), right or ())
    empty = [
        p for p in modules if p not in search.full and any(p[:-1] == side[: len(p) - 1] for side in sides)
    ]
    depth = max(map(len, empty), default=0)
    deepest = [p for p in empty if len(p) == depth]
    return deepest[0] if len(deepest) == 1 else None


def _ours(cls: type) -> bool:
    return str(cls.__module__).partition(".")[0] == "minigrad"


def _place(node: Node) -> tuple[CodeType | None, int]:
    return node.code, node.lasti


def _innermost(path: Path, among: Iterable[Path]) -> Path | None:
    """The longest beginning of ``path`` that is one of ``among``."""
    for n in range(len(path), -1, -1):
        if path[:n] in among:
            return path[:n]
    return None


def _outermost_library(path: Path, names: Names) -> Path:
    """The module of the library that the user's line called to get to ``path``."""
    while path and path in names.library and path[:-1] in names.library:
        path = path[:-1]
    return path


def dense(t: Any) -> Any:
    """The Tensor; of a sparse one the Tensor of its values, which all that it is computed from leads to."""
    return t._numbers if t._sparse else t


def common(paths: Sequence[Path]) -> Path:
    """The longest common beginning."""
    if not paths:
        return ()
    low, high = min(paths), max(paths)
    for n, part in enumerate(low):
        if n >= len(high) or high[n] != part:
            return low[:n]
    return low

"""What the user's code tells of a record: the text of its line, and the variable that holds its value."""

from __future__ import annotations

import ast
import dis
import functools
import inspect
import linecache
import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, count, groupby, islice, takewhile
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core.contents import contents, named_tensors
from minigrad.core.node import Node
from minigrad.core.tensor import Tensor
from minigrad.core.views import refresh
from minigrad.readers.amounts import kept

_FAST = ("LOAD_FAST", "STORE_FAST")
_TWO = {f"{first}_{second}": (first, second) for first in _FAST for second in _FAST}
MANY, MOST = 64, 8192  # entries of a list or a dict that are looked at, and of all of them together
FRAMES = 8  # of functions around that are asked for names
_PLAIN = (type(None), bool, int, float, complex, str, bytes, np.generic, np.ndarray)  # nothing is in them


def line(code: CodeType | None, lasti: int) -> tuple[str, int, int]:
    """The text of the user's line, and where in it the expression of the instruction begins and ends.

    The text is "" where the file is not to be had; an expression over several lines has no place in one.
    """
    number = errors.line_of(code, lasti)
    if code is None or number is None:
        return "", 0, 0
    whole = linecache.getline(code.co_filename, number)
    first, last, begin, end = next(islice(code.co_positions(), lasti // 2, None), (None,) * 4)
    text, indent = whole.strip(), len(whole) - len(whole.lstrip())
    if first != number or last != number or begin is None or end is None:
        return text, 0, 0
    encoded = whole.encode()  # positions count bytes
    start, stop = (len(encoded[:n].decode(errors="replace")) - indent for n in (begin, end))
    return (text, start, stop) if 0 <= start < stop <= len(text) else (text, 0, 0)


@functools.lru_cache(maxsize=256)
def instructions(code: CodeType) -> list[tuple[int, str, Any]]:
    """The offset, the operation and the argument of each instruction; one that does two operations is two."""
    found: list[tuple[int, str, Any]] = []
    for i in dis.get_instructions(code):
        # Python 3.12 and later load a variable in several ways.
        name = i.opname.replace("LOAD_FAST_CHECK", "LOAD_FAST").replace("LOAD_FAST_BORROW", "LOAD_FAST")
        if name in _TWO:
            found += [(i.offset, *row) for row in zip(_TWO[name], i.argval, strict=True)]
        else:
            found.append((i.offset, name, i.argval))
    return found


@functools.lru_cache(maxsize=1024)
def stored(code: CodeType | None, lasti: int) -> tuple[str, ...]:
    """The variables to which the user's line assigned what the instruction at ``lasti`` computed; "" for others.

    They are several where it is taken apart, as in ``q, k = x.chunk(2)``.
    """
    if code is None:
        return ()
    rows = [row for row in instructions(code) if row[1] != "EXTENDED_ARG"]
    # lasti may also lie in what follows an instruction, the interpreter's caches.
    after = sum(offset <= lasti for offset, _, _ in rows)
    # A Tensor is taken apart by the instruction itself, what a call gave by the next.
    for k in range(max(after - 1, 0), min(after + 1, len(rows))):
        if rows[k][1] == "UNPACK_SEQUENCE":
            # Behind a target that is no variable, as in ``(a, b), c = x``, follow instructions of that target.
            stores = takewhile(_stores, rows[k + 1 : k + 1 + rows[k][2]])
            names = [_name(variable) for _, _, variable in stores]
            return (*names, *[""] * (rows[k][2] - len(names)))
    name = _name(rows[after][2]) if after < len(rows) and _stores(rows[after]) else ""
    return (name or _beside(*line(code, lasti)),)


def _stores(row: tuple[int, str, Any]) -> bool:
    return row[1].startswith(("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF"))


def _name(variable: Any) -> str:
    # pytest stores parts of what it asserts in variables that no program could name
    named = isinstance(variable, str) and variable.isidentifier() and not variable.startswith("_")
    return variable if named else ""


@functools.lru_cache(maxsize=1024)
def _beside(text: str, begin: int, end: int) -> str:
    """The variable of one of several expressions: ``k`` for the second in ``q, k = f(x), g(x)``."""
    try:
        statements = ast.parse(text).body if begin < end else []
    except (SyntaxError, ValueError):  # a part of a statement
        return ""
    for s in statements:
        if (
            isinstance(s, ast.Assign)
            and isinstance(s.value, ast.Tuple)
            and isinstance(s.targets[0], ast.Tuple)
        ):
            for target, value in zip(s.targets[0].elts, s.value.elts, strict=False):
                if isinstance(target, ast.Starred) or isinstance(value, ast.Starred):
                    break  # it stands for any number of values
                place = (value.col_offset, value.end_col_offset or 0)
                if isinstance(target, ast.Name) and place == tuple(
                    len(text[:n].encode()) for n in (begin, end)
                ):
                    return _name(target.id)
    return ""


def assigned(ops: Sequence[Node]) -> dict[Node, str]:
    """The variables that hold results: the last one of a call's records, or those that are parts of one value."""
    found: dict[Node, str] = {}
    for place, group in groupby(ops, lambda n: (n.code, n.lasti)):
        names, records = stored(*place), list(group)
        last = records[-len(names) :]
        whole = {(n.op, n.inputs[0]) for n in last if n.op is not None and n.op.view}
        if len(names) == 1 or (len(last) == len(names) and len(whole) == 1):
            found |= {n: name for n, name in zip(last, names, strict=True) if name}
    return found


# ---------------------------------------------------------------- names of values


def has_values(t: Tensor) -> bool:
    """Whether it is no parameter of a lazy module, which has no size yet."""
    return type(t)._array is Tensor._array


def given(named: Any, what: str = "params") -> dict[Node, str]:
    """The records of the Tensors in a Module or a dict, with their names there. TypeError for anything else."""
    if named is None:
        return {}
    pairs: Any
    if contents(named) is not None:
        pairs = chain(named_tensors(named, "parameters"), named_tensors(named, "buffers"))
    elif isinstance(named, Mapping):
        pairs = named.items()
    else:
        raise errors.type_error(
            f"{what} must be a Module or a dict of names to Tensors, got {type(named).__name__}"
        )
    names: dict[Node, str] = {}
    for name, t in pairs:
        if not isinstance(t, Tensor):
            raise errors.type_error(f"{what}: {name!r} must be a Tensor, got {type(t).__name__}")
        refresh(t)
        if t._node is not None:
            names.setdefault(t._node, str(name))
    return names


def variables(
    frame: FrameType | None, parts: bool = True, records: Sequence[Node] = ()
) -> dict[Node, tuple[str, Tensor]]:
    """For records the variables of a frame that hold their Tensors; those of a function go before global ones.

    ``parts``: also what variables hold that are modules, lists, dicts or objects of the user's, after all others.
    While a leaf of ``records`` that requires grad has no name, the frames around this one are searched too.  Other
    leaves are named after the variable that has the same numbers, such as ``x.reshape(10, 3)`` or ``x[2]``.
    """
    named: dict[Node, tuple[str, Tensor]] = {}
    others: dict[int, tuple[str, Tensor]] = {}
    keys, ours = set[str](), set(records)
    for _ in range(FRAMES if records else 1):
        if frame is None:
            break
        held = []
        local: Any = frame.f_locals
        for scope in (local, frame.f_globals):
            new = [
                (k, v) for k, v in list(scope.items()) if k.isidentifier() and k[0] != "_" and k not in keys
            ]
            keys.update(k for k, _ in new)
            held += new
        found = [pair for pair in held if _is(pair[1], Tensor)]
        for key, t in chain(found, _parts(held) if parts else ()):
            if not has_values(t):
                continue
            if t._node is not None:
                named.setdefault(t._node, (key, t))
            if t._node not in ours and not t._sparse:
                others.setdefault(id(t), (key, t))
        if frame.f_code.co_flags & inspect.CO_OPTIMIZED and local.__class__ is dict:
            local.clear()  # before Python 3.13 the frame keeps this copy, and with it all that it held
        if all(n.op is not None or n in named or not n.requires_grad for n in records):
            break
        frame = frame.f_back
        while frame is not None and errors.INSIDE[frame.f_code.co_filename]:
            frame = frame.f_back
    unnamed = [n for n in records if n.op is None and n not in named]
    return named | (_copies(unnamed, kept(records, ()), [*others.values()]) if unnamed else {})


def _copies(
    leaves: Sequence[Node], arrays: Mapping[Node, Any], held: list[tuple[str, Tensor]]
) -> dict[Node, tuple[str, Tensor]]:
    """Leaves that have the numbers of one variable alone, as they lie there or with two dimensions exchanged.

    One number that repeats, such as zeros, tells little: then only what an object holds counts, in the same shape.
    """
    named = {}
    for n in leaves:
        a = arrays.get(n)
        if a is not None and a.size > 1 and a.dtype.kind == "f":
            tells = bool((a != a.flat[0]).any())
            likely = [(key, t) for key, t in held if tells or ("." in key and t._array.shape == a.shape)]
            same = [(text, t) for key, t in likely if (text := _as_copied(key, t._array, a))]
            if len(same) == 1:
                named[n] = same[0]
                held = [pair for pair in held if pair[1] is not same[0][1]]
            elif not same and tells:
                rows = [(text, t) for key, t in held for text in _as_row(key, t._array, a)]
                if len(rows) == 1:
                    named[n] = rows[0]
    return named


def _as_copied(key: str, source: Any, a: Any) -> str:
    """How an array is made of that of a variable; empty if it has other numbers."""
    if source.size != a.size or source.dtype != a.dtype:
        return ""
    ways = [(key, source)]
    if source.ndim > 1:
        ways.append((f"{key}.T" if source.ndim == 2 else f"{key}.transpose(0, 1)", source.swapaxes(0, 1)))
    for text, b in ways:
        if np.array_equal(b.reshape(a.shape), a):
            return text if b.shape == a.shape else f"{text}.reshape({', '.join(map(str, a.shape))})"
    return ""


def _as_row(key: str, source: Any, a: Any) -> list[str]:
    """Where in that of a variable an array stands, by one index: ``x[2]``, or ``x[:, 2]`` of a batch of sequences."""
    found = []
    if source.ndim == a.ndim + 1 and source.dtype == a.dtype:
        for axis, text in enumerate(("{}[{}]", "{}[:, {}]")[: source.ndim]):
            rows = np.moveaxis(source, axis, 0)
            if rows.shape[1:] == a.shape and len(rows) <= MANY:
                found += [text.format(key, i) for i, row in enumerate(rows) if np.array_equal(row, a)]
    return found


def _parts(held: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Tensor]]:
    """What variables hold, as the program would write it: ``net.0.weight``, ``ws[2]``, ``net.layers[0].w``.

    What is nearest comes first.
    """
    todo, seen, looked = deque(held), set[int](), 0
    while todo and looked < MOST:
        key, value = todo.popleft()
        if id(value) not in seen:
            seen.add(id(value))
            for pair in _entries(key, value):
                looked += 1
                if _is(pair[1], Tensor):
                    yield pair
                elif not _is(pair[1], *_PLAIN):
                    todo.append(pair)


def _is(value: Any, *kinds: type) -> bool:
    """As isinstance, which asks some objects for their class: the `request` of a web server has none now and then."""
    return issubclass(type(value), kinds)


def _entries(key: str, value: Any) -> list[tuple[str, Any]]:
    try:
        if _is(value, list, tuple):
            return [(f"{key}[{i}]", t) for i, t in enumerate(value[:MANY])]
        if _is(value, dict):
            return [(f"{key}[{name!r}]", t) for name, t in islice(list(value.items()), MANY)]
        if _is(value, type, Tensor, ModuleType):
            return []
        if contents(value) is not None:
            kinds = (named_tensors(value, kind) for kind in ("parameters", "buffers"))
            return [(f"{key}.{name}", t) for name, t in chain(*kinds)]
        own = type(value).__module__.partition(".")[0] not in sys.stdlib_module_names
        return [(f"{key}.{name}", t) for name, t in vars(value).items()] if own else []
    except Exception:  # whatever an object of the program raises that has no attributes, or is not whole yet
        return []


def with_variables(given: dict[Node, str], found: Mapping[Node, tuple[str, Tensor]]) -> dict[Node, str]:
    """``given``, and for other records the names of the variables that were found."""
    taken = set(given.values())
    return {n: name for n, (name, _) in found.items() if name not in taken} | given


def numbered(records: Iterable[Node], given: Mapping[Node, str]) -> dict[Node, str]:
    """The leaves without a name, and what they are called: ``mask_1``, ``input_1``, ``parameter_1``, ..."""
    records = list(records)
    taken, names, words = set(given.values()), dict[Node, str](), dict[Node, str]()
    for n in records:
        for k, leaf in enumerate(n.inputs):
            if isinstance(leaf, Node) and leaf.op is None and leaf not in words:
                words[leaf] = leaf.params.get("called") or _operand(n, k)
    for n in records:
        if n.op is None and n not in given:
            stem = "parameter" if n.requires_grad else words.get(n, "input")
            names[n] = next(name for i in count(1) if (name := f"{stem}_{i}") not in taken)
            taken.add(names[n])
    return names


def _operand(n: Node, k: int) -> str:
    """What an input without a name is, by the first record that reads it: as that calls it, or the call that made it.

    Of ``h + randn(3)`` that is ``randn``; a letter such as ``x`` would tell nothing.
    """
    op: Any = n.op
    if len(op.inputs[min(k, len(op.inputs) - 1)]) > 1 and (op.star is None or k < op.star):
        return str(op.inputs[k])
    tree, made = _expression(n.code, n.lasti), None
    if isinstance(tree, ast.BinOp) and len(n.inputs) == 2:
        made = (tree.left, tree.right)[k]
    elif k == 0 and isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute):
        # A method in place has other numbers now.
        made = None if tree.func.attr.endswith("_") else tree.func.value
    maker = made.func if isinstance(made, ast.Call) else None
    return str(getattr(maker, "attr", getattr(maker, "id", "input")))


@functools.lru_cache(maxsize=256)
def _expression(code: CodeType | None, lasti: int) -> ast.expr | None:
    """The expression of the program that an instruction computes."""
    positions = next(islice(code.co_positions(), lasti // 2, None), None) if code else None
    if code is None or positions is None or None in positions:
        return None
    first, last, begin, end = (int(n or 0) for n in positions)
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    try:
        return ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body
    except (SyntaxError, ValueError):  # the file has changed, or is not to be had
        return None


def all_named(records: Sequence[Node], given: dict[Node, str]) -> dict[Node, str]:
    """A name for each record, once: one that was given, the variable of the program, or ``t`` and its number."""
    ops = [n for n in records if n.op is not None]
    wanted = {n: given[n] for n in records if n in given} | numbered(records, given)
    wanted = assigned(ops) | wanted
    renewed: list[tuple[Node, Any]] = [
        (n, n.inputs[n.op.renews]) for n in ops if n.op and n.op.renews is not None
    ]
    for n, before in renewed:  # one Tensor, before and after
        if before.op is not None and before in wanted:
            wanted.setdefault(n, wanted[before])
    for n, before in reversed(renewed):
        if before.op is not None and n in wanted:
            wanted.setdefault(before, wanted[n])
    names: dict[Node, str] = {}
    # The gradient that arrives is called g, and nothing else.
    own = {n: name for n, name in given.items() if n in wanted and name != "g"}
    there = set(own.values())
    used = {"g"} | there
    step = 0
    for n in records:
        step += n.op is not None
        if n in own:
            names[n] = own[n]
            continue
        stem = wanted.get(n) or f"t{step}"
        # Of several values of a variable that of a Tensor that is still there has the name as it is.
        name, k = stem, 0 if stem in there else 1
        while name in used:
            k += 1
            name = f"{stem}_{k}"
        used.add(name)
        names[n] = name
    return names

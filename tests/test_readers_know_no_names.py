"""No reader of the tape holds the name of an operation: what it needs to know is a field of the record.

The walk is over the syntax of every reader.  It knows a name of the table where it stands in a string, where it is
part of a text that calls NumPy, and where an operation or its kernel is asked for by identity.  Many names are also
ordinary words: those of `WORDS` count only where the place says that an operation is meant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.tape import TABLE

PACKAGE = Path(mg.__file__).parent
READERS = sorted(
    {
        *PACKAGE.glob("readers/**/*.py"),
        *PACKAGE.glob("compiler/**/*.py"),
        *PACKAGE.glob("compile/**/*.py"),
        *PACKAGE.glob("gradcheck/**/*.py"),
        *PACKAGE.glob("testing/**/*.py"),
        *PACKAGE.glob("autograd/c*.py"),  # checking and culprit, where they stand there
        *(
            f for f in PACKAGE.glob("core/*.py") if f.name not in ("op.py", "basic.py")
        ),  # no readers: they declare
    }
)
IDS = [f.relative_to(PACKAGE).as_posix() for f in READERS]
# What the core does by itself: it undoes broadcasting, converts and copies gradients, and writes into views.
CORE_ITSELF = "minigrad.core.basic"

# Names that readers use for something else.
WORDS = {
    "add": "a method of sets",
    "all": "a choice of options",
    "any": "a choice of options",
    "copy": "a method of arrays, and a module",
    "dot": "Graphviz, its language and the ending of its files",
    "draw": "the function that draws a graph",
    "index": "a place in a list, and a parameter of operations",
    "max": "the largest of the errors",
    "mean": "a word of reports",
    "min": "the smallest of the errors",
    "round": "the shape of a line's end in Graphviz",
    "sign": "a verdict of gradient checks",
    "square": "a shape of boxes in Graphviz",
    "std": "a word of reports",
    "sum": "a word of reports",
    "to": "a word",
    "where": "a word, and the place of a record",
    # Python's special methods, written without their underscores
    **dict.fromkeys(
        ("abs", "ceil", "eq", "floor", "ge", "gt", "le", "lt", "ne", "pow", "trunc"), "as in __eq__"
    ),
}
# Functions of NumPy that readers call for themselves: to make arrays, to copy them, and in the place of math.prod.
THEIR_OWN = {"copy", "prod", "zeros"}
KERNELS = {
    getattr(op.kernel, "__name__", "")
    for op in TABLE.values()
    if getattr(np, getattr(op.kernel, "__name__", ""), None) is op.kernel
}
CALLED = re.compile(r"\bnp\.(\w+)\(")
ABOUT_OPS = re.compile(r"(^|[._])(op|ops|kernel|TABLE)($|[._\[])|\.name$")


class Walk(ast.NodeVisitor):
    """Collects ``(line, what)``."""

    def __init__(self, core: bool) -> None:
        self.core = core
        self.places: set[tuple[int, str]] = set()
        self.names = set(TABLE)

    def note(self, node: ast.AST, what: str) -> None:
        self.places.add((getattr(node, "lineno", 0), what))

    # strings

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            if node.value in self.names and node.value not in WORDS:
                self.note(node, node.value)
            self._text(node, node.value)

    def _text(self, node: ast.AST, text: str) -> None:
        """A text that calls NumPy by the name of an operation or of its kernel."""
        for name in CALLED.findall(text):
            if name in (KERNELS | self.names) - THEIR_OWN:
                self.note(node, f"np.{name}(")

    def visit_Expr(self, node: ast.Expr) -> None:
        if not (isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)):
            self.generic_visit(node)  # a string by itself is a docstring

    def _words(self, node: ast.AST) -> Iterator[ast.Constant]:
        """The strings at a place where an operation is meant: there, ordinary words are names too."""
        for child in ast.walk(node):
            if isinstance(child, ast.Constant) and isinstance(child.value, str) and child.value in self.names:
                yield child

    def _meant(self, node: ast.AST) -> None:
        for child in self._words(node):
            self.note(child, child.value)

    # places that say that an operation is meant

    def visit_Compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        about = [bool(ABOUT_OPS.search(ast.unparse(s))) for s in sides]
        if any(about):
            self._meant(node)
        for side, other in zip(sides, sides[1:] + sides[:1], strict=True):
            text = ast.unparse(side)
            named = isinstance(other, (ast.Attribute, ast.Subscript, ast.Name))
            by_kernel = re.search(r"(^|\.)kernel$", text) is not None
            by_operation = re.search(r"(^|\.)op$", text) is not None and self._is_op(other)
            if named and (by_kernel or by_operation):
                self.note(node, ast.unparse(node))
        self.generic_visit(node)

    def _is_op(self, node: ast.AST) -> bool:
        """Whether an expression names an operation of ours."""
        last = ast.unparse(node).rpartition(".")[2].rstrip("_")
        return last in self.names or (isinstance(node, ast.Subscript) and bool(list(self._words(node))))

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if ast.unparse(node.value).endswith("TABLE"):
            self._meant(node.slice)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = ast.unparse(node.func)
        if function.endswith((".make", "Value", "TABLE.get")) or function == "getattr":
            for argument in node.args:
                self._meant(argument)
        if function.endswith((".name.startswith", ".name.endswith", "op.startswith", "op.endswith")):
            self.note(node, function)
        self.generic_visit(node)

    def _several(self, node: ast.AST, keys: list[ast.expr | None]) -> None:
        """A collection, most of whose strings are names, is one of operations."""
        strings = [k.value for k in keys if isinstance(k, ast.Constant) and isinstance(k.value, str)]
        names = [s for s in strings if s in self.names]
        if len(names) > 1 and 2 * len(names) > len(strings):
            for k in keys:
                if k is not None:
                    self._meant(k)

    def visit_Tuple(self, node: ast.Tuple) -> None:
        self._several(node, list(node.elts))
        self.generic_visit(node)

    def visit_List(self, node: ast.List) -> None:
        self._several(node, list(node.elts))
        self.generic_visit(node)

    def visit_Set(self, node: ast.Set) -> None:
        self._several(node, list(node.elts))
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        self._several(node, node.keys)
        self.generic_visit(node)

    def visit_MatchValue(self, node: ast.MatchValue) -> None:
        self._meant(node)

    # operations themselves

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        imported = {a.name for a in node.names}
        if module.startswith("minigrad.ops") or (module == "minigrad" and "ops" in imported):
            self.note(node, f"from {module} import {', '.join(sorted(imported))}")
        if module == CORE_ITSELF and not self.core:
            self.note(node, f"from {module} import {', '.join(sorted(imported))}")

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.startswith("minigrad.ops"):
                self.note(node, f"import {alias.name}")


def names_in(text: str, core: bool = False) -> list[tuple[int, str]]:
    walk = Walk(core)
    walk.visit(ast.parse(text))
    return sorted(walk.places)


@pytest.mark.parametrize("file", READERS, ids=IDS)
def test_a_reader_holds_no_name_of_an_operation(file: Path) -> None:
    places = names_in(file.read_text(encoding="utf-8"), core=file.parent.name == "core")
    assert not places, "\n" + "\n".join(f"{file.name}:{line}: {what}" for line, what in places)


PLANTED = [
    'if node.op.name == "permute": pass',
    'if v.op == "sum": pass',
    'if "to" == op.name: pass',
    'if name in ("reshape", "slice"): pass',
    'if v.op not in {"sum", "parameter"}: pass',
    'VIEWS = ("reshape", "permute", "windows")',
    'WORDS = frozenset(("sum", "index"))',
    'SPECIAL = {"sum": 1, "index": 2}',
    'LABELS = {"matmul": "@"}',
    'text = f"np.multiply({a}, {b})"',
    'text = "np.sum({}, axis={dim})"',
    'op = TABLE["sum"]',
    'op = TABLE.get("index")',
    'v = self.make("sub", inputs, params)',
    'v = Value("index", (x,), {}, (), dtype, None)',
    "from minigrad.ops.shape import permute",
    "from minigrad.ops import elementwise",
    "import minigrad.ops.shape",
    "from minigrad.core.basic import sum_to",
    "if op.kernel is np.transpose: pass",
    "if kernel == copied: pass",
    "if node.op is sum_to: pass",
    "if node.op is elementwise.mul: pass",
    'if op.name.startswith("conv"): pass',
    'match op.name:\n    case "sum":\n        pass',
    'kind = "relu"',
]
INNOCENT = [
    '"""Draws where the sum of all is, and the index of matmul."""',
    'def f():\n    "matmul"\n    return 1',
    'language = "dot"',
    'shape = "square"',
    'where = options["index"]',
    "if op.kernel is None: pass",
    "if getattr(np, op.kernel.__name__, None) is op.kernel: pass",
    "if n.op is self.op: pass",
    "if node.op is None: pass",
    "if kernel.__class__ is np.ufunc: pass",
    "if node.op.view: pass",
    'text = f"np.empty({n}, np.uint8)"',
    'text = "np.copyto({}, {})"',
    'if direction == "both": pass',
    'raise TypeError(f"the sum of {op.name} is odd")',
    'ENDINGS = (".svg", ".png", "dot")',
    "from minigrad.core.op import TABLE, Op",
]


@pytest.mark.parametrize("line", PLANTED)
def test_a_planted_name_is_caught(line: str) -> None:
    assert names_in(line)


@pytest.mark.parametrize("line", INNOCENT)
def test_what_is_no_name_is_let_be(line: str) -> None:
    assert not names_in(line)


def test_every_word_is_a_name_and_every_room_is_walked() -> None:
    assert set(WORDS) <= set(TABLE)
    assert {f.relative_to(PACKAGE).parts[0] for f in READERS} >= {"core", "readers", "testing"}
    assert names_in("from minigrad.core.basic import sum_to", core=True) == []

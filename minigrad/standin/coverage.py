"""Which names of ``torch`` a script uses, and which of them are here: told from its text, without running it."""

from __future__ import annotations

import ast
import os
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from minigrad.dtypes import dtype
from minigrad.hints.names import NAMES
from minigrad.hints.nearest import hint
from minigrad.standin.finder import ON_TOP, lacking, ours

_WIDTH = 80
# Classes whose methods are looked for on whatever has an attribute of that name.
_CLASSES = ("torch.Tensor", "torch.nn.Module")
# Methods of these names are those of other classes as a rule.
_OF_OTHERS = {"resize", "solve", *(name for kind in (str, list, dict, set, bytes, int) for name in dir(kind))}


@dataclass
class Report:
    """What a script uses: for each name its lines; of those that are missing, what to do."""

    script: str
    lines: dict[str, list[int]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    beside: dict[str, list[int]] = field(default_factory=dict)  # modules beside the script

    def text(self) -> str:
        """The table, and what it cannot tell, in 80 columns."""
        rows = [row for name in sorted(self.lines, key=str.lower) for row in self._rows(name)]
        total, lacking = len(self.lines), len(self.missing)
        count = f"{total or 'no'} name{'s' * (total != 1)} of torch in {self.script}"
        some = f"{total - lacking} {_are(total - lacking)} here, {lacking} {_are(lacking)} missing."
        if lacking in (0, total):
            some = f"{'it is' if total == 1 else 'all are'} {'missing' if lacking else 'here'}."
        rows += ["", f"{count}: {some}" if total else f"{count}."]
        limits = (
            "Not to be seen here: arguments that a function does not take, names put together at run time (getattr, "
            "strings), whether a line is ever reached, and the class of an object whose method is called."
        )
        if self.beside:
            limits += f" Not looked into: {', '.join(sorted(self.beside))}, beside the script."
        return "\n".join([*rows, *textwrap.wrap(limits, _WIDTH)])

    def _rows(self, name: str) -> Iterator[str]:
        status = "missing" if name in self.missing else "here"
        first = name if len(name) <= 44 else ""  # a longer name has a line of its own
        if not first:
            yield name
        room = _WIDTH - 46 - 9
        numbers = [str(n) for n in sorted({*self.lines[name]})]
        while len(", ".join(numbers)) > room:
            numbers = [*numbers[: -2 if numbers[-1] == "..." else -1], "..."]
        yield f"{first:<46}{', '.join(numbers):<{room + 1}}{status:>8}".rstrip()
        if self.missing.get(name):
            yield from textwrap.wrap(
                self.missing[name],
                _WIDTH,
                initial_indent="    ",
                subsequent_indent="    ",
                break_long_words=False,
            )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def report(source: bytes, script: str) -> Report:
    """Reads a script. SyntaxError if it is not Python."""
    tree = ast.parse(source, script)
    reader = _Reader()
    reader.learn(tree)
    reader.visit(tree)
    result = Report(script)
    for name, lines in reader.uses.items():
        result.lines[name] = lines
        advice = _advice(name)
        if advice is not None:
            result.missing[name] = advice
    for name, lines in reader.methods.items():
        for place in _CLASSES if name not in reader.defined | _OF_OTHERS else ():
            if name in NAMES[place].split() and not hasattr(_value(place)[0], name):
                full = f"{place}.{name}"
                result.lines[full] = sorted({*result.lines.get(full, ()), *lines})
                result.missing[full] = f"if it is asked of a {place}: {_said(place, name)}"
                break
    here = os.path.dirname(os.path.abspath(script))
    for name, lines in reader.modules.items():
        top = name.partition(".")[0]
        at = os.path.join(here, top)
        if os.path.isfile(f"{at}.py") or os.path.isfile(os.path.join(at, "__init__.py")):
            result.beside[top] = lines
        elif top in ON_TOP and (said := lacking(top)):
            result.lines[top] = sorted({*result.lines.get(top, ()), *lines})
            result.missing[top] = said
    return result


class _Reader(ast.NodeVisitor):
    """Follows names that stand for ``torch`` and what is in it."""

    def __init__(self) -> None:
        self.uses = defaultdict[str, list[int]](list)  # names, with all that leads to them
        self.methods = defaultdict[str, list[int]](list)  # that are called of objects which are not known
        self.modules = defaultdict[str, list[int]](list)  # other modules than torch
        self.known = set[str]()  # modules that the script imports
        self.defined = set[str]()  # functions of the script
        self.foreign = set[str]()  # names of other modules, and of what comes from them
        self.means = dict[str, str]()  # what a name of the script stands for
        self.rebound = set[str]()  # names that are assigned too, such as `optim = optim.Adam(...)`
        self.shadows: list[set[str]] = [set()]  # arguments of the functions around

    # ------------------------------------------------------------ what names mean

    def learn(self, tree: ast.AST) -> None:
        """Notes all imports and assignments, wherever they stand; what a name has once meant it means everywhere."""
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.partition(".")[0] == "torch":
                        self.known.add(alias.name)
                        self.means[alias.asname or "torch"] = alias.name if alias.asname else "torch"
                    else:
                        self.foreign.add(alias.asname or alias.name.partition(".")[0])
            elif isinstance(node, ast.ImportFrom) and _of_torch(node):
                self.known.add(node.module or "")
                for name in _star(node) or [(alias.asname or alias.name, alias.name) for alias in node.names]:
                    self.means[name[0]] = f"{node.module}.{name[1]}"
            elif isinstance(node, ast.ImportFrom):
                self.foreign |= {alias.asname or alias.name for alias in node.names}
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.defined.add(node.name)
        aliases = set[ast.AST]()
        for node in nodes:  # after the imports: in order, so that an alias of an alias is known
            if (
                isinstance(node, ast.Assign)
                and len(node.targets) == 1
                and isinstance(node.targets[0], ast.Name)
            ):
                path = self.path(node.value)
                if path and self.prefix(path) == path:
                    self.means.setdefault(node.targets[0].id, path)
                    aliases.add(node.targets[0])
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                self.defined.add(node.attr)
        names = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        self.rebound |= {name.id for name in names if name not in aliases}

    def path(self, node: ast.AST) -> str:
        """``torch.nn.Linear`` for an expression that is it; empty for others."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or any(node.id in names for names in self.shadows):
            return ""
        start = self.means.get(node.id, "")
        path = ".".join([start, *reversed(names)]) if start else ""
        return "" if node.id in self.rebound and _value(self.prefix(path))[1] else path

    def prefix(self, path: str) -> str:
        """The part of a path up to the first name that is not a module: what comes after it is of an object."""
        parts = path.split(".")
        for n in range(1, len(parts) + 1):
            start = ".".join(parts[:n])
            if not self.is_module(start):
                return start
        return path

    def is_module(self, path: str) -> bool:
        if path in _CLASSES:
            return False
        return path in NAMES or path in self.known or ours(path.partition(".")[2]) is not None

    # ------------------------------------------------------------ uses

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.startswith("torch."):
                self.uses[alias.name].append(node.lineno)
            elif alias.name != "torch":
                self.modules[alias.name].append(node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if not _of_torch(node):
            names = [node.module] if node.module else [alias.name for alias in node.names]
            for name in names:
                self.modules[name].append(node.lineno)
        elif node.names[0].name == "*":
            self.uses[node.module or ""].append(node.lineno)
        else:
            for alias in node.names:
                self.uses[f"{node.module}.{alias.name}"].append(node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        path = self.path(node)
        if not path:
            self.visit(node.value)
        elif self.prefix(path) != "torch":
            self.uses[self.prefix(path)].append(node.lineno)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute):
            path, start = self.path(node.func), node.func.value
            while isinstance(start, ast.Attribute):
                start = start.value
            if path:
                rest = path.removeprefix(self.prefix(path)).split(".")
                if len(rest) == 2:  # torch.Tensor.name(), torch.float32.name()
                    self.methods[rest[1]].append(node.lineno)
            elif not (isinstance(start, ast.Name) and start.id in self.foreign):
                self.methods[node.func.attr].append(node.lineno)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        path = self.path(node) if isinstance(node.ctx, ast.Load) and node.id not in self.rebound else ""
        if path and path != "torch":
            self.uses[self.prefix(path)].append(node.lineno)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        arguments = node.args
        every: Iterable[ast.arg | None] = (
            *arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg,
        )  # fmt: skip
        for outside in (*arguments.defaults, *arguments.kw_defaults, *getattr(node, "decorator_list", ())):
            if outside is not None:
                self.visit(outside)
        for annotation in [a.annotation for a in every if a and a.annotation] + [
            getattr(node, "returns", None)
        ]:
            if annotation is not None:
                self.visit(annotation)
        self.shadows.append({a.arg for a in every if a})
        for inside in node.body if isinstance(node.body, list) else [node.body]:
            self.visit(inside)
        self.shadows.pop()

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef


def _of_torch(node: ast.ImportFrom) -> bool:
    return node.level == 0 and (node.module or "").partition(".")[0] == "torch"


def _star(node: ast.ImportFrom) -> list[tuple[str, str]]:
    """The names that ``from torch.x import *`` brings, as far as they are known."""
    if node.names[0].name != "*":
        return []
    value, _ = _value(node.module or "")
    names = {*NAMES.get(node.module or "", "").split(), *getattr(value, "__all__", ())}
    return [(name, name) for name in sorted(names)]


# ---------------------------------------------------------------- what is here


def _value(path: str) -> tuple[Any, str]:
    """What is here under a name of PyTorch, and the part of the name that is not here: empty, if all is."""
    value: Any = import_module("minigrad")
    parts = path.split(".")[1:]
    for n, name in enumerate(parts, 1):
        place = ours(".".join(parts[:n])) if isinstance(value, ModuleType) else None
        try:
            value = getattr(value, name) if place is None else import_module(place)
        except AttributeError:
            return None, ".".join(["torch", *parts[:n]])
    return value, ""


def _advice(path: str) -> str | None:
    """What to do about a name that is missing; None for one that is here."""
    value, lacking = _value(path)
    if not lacking and not (isinstance(value, dtype) and not value.is_here):
        return None
    place, _, name = (lacking or path).rpartition(".")
    return _said(place, name)


def _said(place: str, name: str) -> str:
    text = hint(place.replace("torch", "minigrad", 1), name).removeprefix(". ")
    return text or "minigrad has nothing of this name, nor of a similar one"
